//! Names: which variable, builtin, native or module each identifier means, and where each variable lives.
//!
//! One walk over the tree in textual order. It reports every static error about names, and leaves tables that the lowering reads; the
//! tree itself is not changed. It recurses only as deep as the tree is high ([`crate::ast::MAX_HEIGHT`]).
//!
//! Scopes: names belong to functions, not to blocks, but for parameters, loop variables and the names a pattern binds, which are *fresh*: new each time they are
//! bound, and gone when their loop or arm ends. A name bound by the module's own code is a module variable (a *global*).

mod collect;
mod expr;
mod foreign;
mod hint;
mod read;
mod scope;
mod stmt;
mod write;

use crate::ast::{Ast, BlockId, ExprId, FnId, Name, PatId, StmtId};
use crate::code::program::{Global, ModuleRef};
use crate::diagnostic::Diagnostic;
use crate::library::Library;
use crate::source::Span;
use std::collections::{HashMap, HashSet};

/// Most errors about names that one unit reports: more help nobody, and each costs a search for similar names.
pub const MAX_ERRORS: usize = 40;

/// A variable of one function (never a module variable).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VarId(pub u32);

/// A module variable's slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(pub u32);

/// Where a name's value is, seen from the function in which the name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Place {
    /// Nowhere: an error was reported, or the name is `_`.
    #[default]
    Nowhere,
    /// A module variable.
    Global(Slot),
    /// A variable of this function.
    Own(VarId),
    /// A variable of an enclosing function: this function's capture of that number.
    Captured(u32, VarId),
    /// A builtin.
    Builtin(u32),
    /// A native.
    Native(u32),
}

/// What a name that is read or written means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Ref {
    /// Where its value is.
    pub place: Place,
    /// Whether a read must check that it has a value.
    pub check: bool,
}

/// A variable of a function. A text can bind very many, so this is kept small.
#[derive(Debug)]
pub struct Var {
    /// Its name.
    pub name: Name,
    /// The function it belongs to: an index into [`Resolved::functions`].
    pub owner: u32,
    /// Bound anew by its loop, arm or call.
    pub fresh: bool,
    /// Lives in a cell, because a closure must see it change.
    pub shared: bool,
    /// Some read of it checks for the unset mark, so it starts with it.
    pub starts_unset: bool,
    /// Place among its function's own variables that are not fresh.
    index: u16,
    /// Assignments, the fresh binding not counted. Only none, one and more matter.
    assigns: u8,
    /// An assignment stands in a loop.
    assigned_in_loop: bool,
    /// A closure other than the variable's own function uses it.
    captured: bool,
    /// The function it is bound to calls itself by it.
    recursive: bool,
    /// A use by a closure needs the variable itself and not its value at that moment.
    needs_cell: bool,
    /// An assignment has been passed.
    touched: bool,
}

impl Var {
    /// Its bit in a [`VarSet`]; none when it is fresh, for then it always has a value.
    fn bit(&self) -> Option<usize> {
        (!self.fresh).then_some(usize::from(self.index))
    }
}

/// What the walk knows about a module variable besides what the program keeps.
#[derive(Debug, Default)]
struct GlobalInfo {
    touched: bool,
}

/// A `def`.
#[derive(Clone, Copy, Debug)]
struct Constant {
    /// Where; nowhere for one of an earlier input.
    span: Option<Span>,
    /// The block it stands in: once that has ended, another block may define the name again.
    block: Option<BlockId>,
}

/// The variables of a loop: one or two, none for `_`.
#[derive(Clone, Copy, Debug)]
pub struct LoopVars {
    vars: [Option<VarId>; 2],
    count: u8,
}

impl LoopVars {
    /// In order.
    #[must_use]
    pub fn as_slice(&self) -> &[Option<VarId>] {
        self.vars.get(..usize::from(self.count)).unwrap_or(&self.vars)
    }
}

/// A function of the tree; number 0 is the unit's top level, number `i + 1` is `FnId(i)`.
#[derive(Debug, Default)]
pub struct FunctionInfo {
    /// What it captures, in order.
    pub captures: Vec<VarId>,
    /// Its own variables but the fresh ones.
    pub locals: Vec<VarId>,
    /// Its parameters; none for `_`.
    pub params: Vec<Option<VarId>>,
    /// The variable that a named local function is bound to.
    pub itself: Option<VarId>,
}

/// What a `use` statement does.
#[derive(Debug)]
pub struct UsePlan {
    /// Index into [`Resolved::uses`].
    pub module: u32,
    /// The fields of the loaded object that are bound, and where. Not for an alias.
    pub binds: Vec<(Name, Place)>,
    /// `as m`
    pub alias: Option<Place>,
    /// Copies all names at run time.
    pub all: bool,
}

/// The result.
#[derive(Debug, Default)]
pub struct Resolved {
    /// What each name expression means, by [`ExprId`]; also for those that are assigned to.
    pub refs: Vec<Ref>,
    /// Variables by [`VarId`].
    pub vars: Vec<Var>,
    /// Functions, see [`FunctionInfo`].
    pub functions: Vec<FunctionInfo>,
    /// Where each named function is bound.
    pub fn_places: HashMap<FnId, Place>,
    /// Where each `def` binds.
    pub def_places: HashMap<StmtId, Place>,
    /// The variables of each loop.
    pub for_vars: HashMap<StmtId, LoopVars>,
    /// The variable of each `Bind` pattern, and of each list pattern's rest.
    pub pat_vars: HashMap<PatId, VarId>,
    /// What each `use` does.
    pub use_plans: HashMap<StmtId, UsePlan>,
    /// Blocks whose functions are made at the block's start, because one is mentioned before its place.
    pub hoisted: HashSet<BlockId>,
    /// Expressions that hold an assignment to a variable of the function they stand in.
    pub assigning: HashSet<ExprId>,
    /// Module variables.
    pub globals: Vec<Global>,
    /// What `use` loads.
    pub uses: Vec<ModuleRef>,
    /// Functions of `trl` that pipelines name without loading it: the field, and the module variable that holds it.
    pub stages: Vec<(Name, Slot)>,
    /// The builtin that appends to a list, when the text may name it.
    pub push: Option<u32>,
    /// The number of `trl` in `uses`, when `stages` is not empty.
    pub stages_module: u32,
}

impl Resolved {
    /// What a name expression means.
    #[must_use]
    pub fn name(&self, id: ExprId) -> Ref {
        self.refs.get(id.0 as usize).copied().unwrap_or_default()
    }
    /// A variable.
    #[must_use]
    pub fn var(&self, id: VarId) -> Option<&Var> {
        self.vars.get(id.0 as usize)
    }
}

/// Gives every name of the tree its meaning.
pub fn resolve(ast: &Ast, library: &dyn Library, trusted: bool) -> (Resolved, Vec<Diagnostic>) {
    let mut resolver = Resolver::new(ast, library, trusted);
    resolver.unit();
    // Functions are walked before the statements around them; people read from the top.
    resolver.errors.sort_by_key(|error| error.span.start);
    (resolver.out, resolver.errors)
}

/// The walk's state.
struct Resolver<'a> {
    ast: &'a Ast,
    library: &'a dyn Library,
    trusted: bool,
    out: Resolved,
    errors: Vec<Diagnostic>,
    /// Names bound nowhere in the text, which a file that is copied from may bring.
    open_names: HashMap<Name, Slot>,
    global_info: Vec<GlobalInfo>,
    /// The functions the walk is in, outermost first.
    frames: Vec<Frame>,
    /// Identifiers by text.
    names: HashMap<&'a str, Name>,
    /// Where each name of a function is mentioned as an expression, ascending.
    mentions: HashMap<Name, Vec<u32>>,
    /// A `use` of a file without an alias stands somewhere: names may come from it at run time.
    open: bool,
    /// Assignments passed so far, to see whether an expression holds one.
    writes: u64,
    /// The blocks around this place, in all functions.
    blocks: Vec<BlockId>,
    stages: HashMap<Name, Slot>,
    constants: HashMap<Binding, Constant>,
    /// Names of earlier inputs that the text mentions.
    earlier: HashMap<Name, Slot>,
    /// Names compared so far in search of similar ones.
    compared: usize,
}

/// A function the walk is in.
struct Frame {
    /// Its number.
    function: usize,
    /// It has a name, so that assignments in it never reach outside.
    named: bool,
    /// What each name means in it here.
    bound: HashMap<Name, Binding>,
    /// What the names of the loops and arms around this place meant outside of them.
    hidden: Vec<(Name, Option<Binding>)>,
    capture_numbers: HashMap<VarId, u32>,
    /// Own variables that have a value on every way to here.
    set: VarSet,
    /// Loops around this place, in this function.
    loops: u32,
    /// Reads in the current outermost loop that come before any assignment: errors unless one follows in the loop.
    early: Vec<EarlyRead>,
    /// Functions of a hoisted group that are not made yet.
    unmade: HashSet<VarId>,
    /// Names that only `use` binds here.
    imported: HashSet<Name>,
}

/// What a bound name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Binding {
    Var(VarId),
    Global(Slot),
}

struct EarlyRead {
    binding: Binding,
    name: Name,
    span: Span,
}

/// Own variables of one function, as bits. A function with more variables than registers does not compile, so those above need no bit.
#[derive(Clone, Copy, PartialEq, Eq)]
struct VarSet([u64; 4]);

impl VarSet {
    const NONE: Self = Self([0; 4]);
    /// All: the state of code that is never reached.
    const ALL: Self = Self([u64::MAX; 4]);

    fn add(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }
    fn has(self, index: usize) -> bool {
        self.0.get(index / 64).is_none_or(|word| word & 1 << (index % 64) != 0)
    }
    fn meet(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a & e, b & f, c & g, d & h])
    }
}
