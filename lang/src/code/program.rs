//! A compiled unit as plain data.
//!
//! The lowering builds [`Parts`]; only the verifier turns them into a [`Program`], which nobody can change. The VM relies on what
//! the verifier checked.

use super::op::Word;
use crate::source::{Source, Span};
use std::sync::Arc;

/// Most registers of one function: operands are bytes.
pub const MAX_REGISTERS: usize = 256;
/// Most straight-line instructions between two checkpoints.
pub const MAX_STRAIGHT: usize = 64;
/// Longest text, in bytes, that `JumpEqS` and `JumpNeS` compare with: of texts up to this length the VM keeps equal ones only once.
pub const MAX_SHORT: usize = 40;
/// Most arguments a call may pass (spread included), so that a callee's window never has to be larger than the register file.
pub const MAX_ARGUMENTS: usize = 200;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// A finite number.
    Num(f64),
    /// A string.
    Str(Box<str>),
    /// Bytes.
    Bytes(Box<[u8]>),
}

/// Where a closure finds one of its captures when it is made.
#[allow(clippy::enum_variant_names, reason = "one of the three places is a capture, of the function that makes the closure")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capture {
    /// A register of the function that makes it.
    Register(u8),
    /// A capture of the function that makes it.
    Capture(u32),
    /// The closure itself (a local function that calls itself).
    This,
}

/// A function. Its parameters arrive in registers 0, 1, …: required ones, then those with defaults, then the rest list.
#[derive(Clone, Debug)]
pub struct FunctionCode {
    /// Its name; `\` for a lambda, `main` for the unit's top level.
    pub name: Box<str>,
    /// First word of its code.
    pub entry: u32,
    /// Just past its last word.
    pub end: u32,
    /// Registers it uses, parameters included; at most [`MAX_REGISTERS`].
    pub registers: u16,
    /// Parameters without a default.
    pub required: u8,
    /// Parameters with a default; an omitted one holds the unset mark on entry.
    pub optional: u8,
    /// Whether surplus arguments arrive as a list in the register after the parameters.
    pub rest: bool,
    /// What it closes over.
    pub captures: Vec<Capture>,
    /// Where it stands in the source.
    pub span: Span,
}

/// What an instruction `Use` loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleRef {
    /// A module of the standard library.
    Std(Box<str>),
    /// A file, as written, relative to the importing file.
    Path(Box<str>),
}

/// A module variable. One whose name has a dot (`trl.map`) holds what a pipeline's bare stage name stands for, unless a file that is
/// copied from brings that name itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// Its name.
    pub name: Box<str>,
    /// Whether an importer gets it: it is bound at the top level here, and its name does not start with `_`.
    pub exported: bool,
    /// Whether `use` of a standard module binds it: a file that brings the same name clashes with that.
    pub imported: bool,
    /// Whether it is a name of a session: whoever loads the unit puts the name's cell there, which all units of the session have in common.
    pub shared: bool,
    /// Whether `def` binds it here.
    pub constant: bool,
}

/// Everything a program is made of.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The text it came from.
    pub source: Arc<Source>,
    /// All functions' code, one after the other.
    pub code: Vec<Word>,
    /// The source range of each word.
    pub spans: Vec<Span>,
    /// Functions; number 0 is the unit's top level.
    pub functions: Vec<FunctionCode>,
    /// Constants.
    pub constants: Vec<Constant>,
    /// Access sites: each names a string constant, the field.
    pub sites: Vec<u32>,
    /// Key lists of object literals: string constants.
    pub templates: Vec<Vec<u32>>,
    /// Module variables.
    pub globals: Vec<Global>,
    /// What `use` loads.
    pub uses: Vec<ModuleRef>,
}

/// A verified program: shared, immutable, run by any number of isolates at once.
#[derive(Debug)]
pub struct Program {
    pub(super) parts: Parts,
}

impl Program {
    /// Verified parts, without the room that was left for more.
    pub(super) fn new(mut parts: Parts) -> Self {
        parts.code.shrink_to_fit();
        parts.spans.shrink_to_fit();
        parts.functions.iter_mut().for_each(|function| function.captures.shrink_to_fit());
        parts.functions.shrink_to_fit();
        parts.constants.shrink_to_fit();
        parts.sites.shrink_to_fit();
        parts.templates.iter_mut().for_each(Vec::shrink_to_fit);
        parts.templates.shrink_to_fit();
        parts.globals.shrink_to_fit();
        parts.uses.shrink_to_fit();
        Self { parts }
    }
}

impl std::ops::Deref for Program {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}
