//! Lowering: from the resolved tree to register code.
//!
//! Functions are lowered one after the other from a queue, so nested functions cost no stack; inside a function the code recurses only as
//! deep as the tree is high. Values are computed in the registers where they are needed: [`Dst`] says where that is and whether the
//! register may hold intermediate values. What comes out is [`Parts`], which the verifier then checks like anybody's.

mod access;
mod arith;
mod control;
mod emit;
mod make;
mod pattern;
mod stmt;
mod variable;

use crate::ast::{Ast, ExprId, FnId};
use crate::code::program::{Capture, Constant, FunctionCode, MAX_REGISTERS, Parts};
use crate::diagnostic::{Diagnostic, codes};
use crate::resolve::Resolved;
use crate::source::{Source, Span};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Most values that a literal, a call or an interpolation collects in registers before it stores them away: enough for what people write,
/// few enough that such things can be nested.
const MAX_RUN: usize = 48;
/// Most arguments that travel in registers; a call with more passes a list.
const MAX_DIRECT_ARGS: usize = 64;

/// Where a value is wanted.
#[derive(Clone, Copy)]
struct Dst {
    reg: u8,
    /// Nothing reads the register before the value is there: intermediate values may go through it.
    scratch: bool,
}

/// What is wanted of an expression or a block.
#[derive(Clone, Copy)]
enum Want {
    /// Its value, here.
    Value(Dst),
    /// Only what it does.
    Effect,
    /// Its value, as the result of the function.
    Tail,
}

/// Lowers a unit whose names are resolved without errors.
pub fn lower(source: &Arc<Source>, ast: &Ast, resolved: &Resolved) -> Result<Parts, Vec<Diagnostic>> {
    let mut lower = Lower::new(source, ast, resolved);
    lower.enqueue(0);
    lower.unit();
    if lower.errors.is_empty() { Ok(lower.parts) } else { Err(lower.errors) }
}

/// What equal constants have in common.
#[derive(PartialEq, Eq, Hash)]
enum ConstantKey {
    Num(u64),
    Str(Box<str>),
    Bytes(Box<[u8]>),
}

/// A place in the code that jumps wait for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Label(usize);

/// A loop around the statement being lowered.
struct LoopState {
    /// `cnt` goes back to this word at once, or forward to the label.
    head: Result<u32, Label>,
    end: Label,
}

struct Lower<'a> {
    ast: &'a Ast,
    resolved: &'a Resolved,
    parts: Parts,
    errors: Vec<Diagnostic>,
    constants: HashMap<ConstantKey, u32>,
    templates: HashMap<Vec<u32>, u32>,
    /// Functions that are still to be lowered, as indexes into [`Resolved::functions`].
    queue: VecDeque<usize>,
    /// The register of each variable of the current function.
    registers: Vec<u8>,
    // ---- the current function
    /// Its index in [`Resolved::functions`].
    function: usize,
    /// The next free register, and the highest that was used.
    next: usize,
    top: usize,
    /// Words since the last checkpoint on the longest way to here.
    straight: usize,
    /// Jumps that wait for each label: where they are and how long the way to them was.
    labels: Vec<Vec<(usize, usize)>>,
    /// Where a label was bound last: the end of a function must not be cut off there.
    bound_at: usize,
    loops: Vec<LoopState>,
    /// Where the piped value of a `.field` stage is.
    hole: u8,
}

impl<'a> Lower<'a> {
    fn new(source: &Arc<Source>, ast: &'a Ast, resolved: &'a Resolved) -> Self {
        let parts = Parts {
            source: Arc::clone(source),
            code: Vec::new(),
            spans: Vec::new(),
            functions: Vec::new(),
            constants: Vec::new(),
            sites: Vec::new(),
            templates: Vec::new(),
            globals: resolved.globals.clone(),
            uses: resolved.uses.clone(),
        };
        Self {
            ast,
            resolved,
            parts,
            errors: Vec::new(),
            constants: HashMap::new(),
            templates: HashMap::new(),
            queue: VecDeque::new(),
            registers: vec![0; resolved.vars.len()],
            function: 0,
            next: 0,
            top: 0,
            straight: 0,
            labels: Vec::new(),
            bound_at: 0,
            loops: Vec::new(),
            hole: 0,
        }
    }

    /// Puts a function into the queue and gives it its number.
    fn enqueue(&mut self, function: usize) -> u32 {
        let (name, span) = match function.checked_sub(1).and_then(|index| self.ast.function(FnId(u32::try_from(index).ok()?))) {
            Some(function) => (function.name.map_or("\\", |name| self.ast.name(name)), function.span),
            None => ("main", Span::new(0, u32::try_from(self.parts.source.text.len()).unwrap_or(u32::MAX))),
        };
        self.parts.functions.push(FunctionCode {
            name: name.into(),
            entry: 0,
            end: 0,
            registers: 0,
            required: 0,
            optional: 0,
            rest: false,
            captures: Vec::new(),
            span,
        });
        self.queue.push_back(function);
        number(self.parts.functions.len() - 1)
    }

    fn unit(&mut self) {
        let mut done = 0;
        while let Some(function) = self.queue.pop_front() {
            self.function = function;
            (self.next, self.top, self.straight) = (0, 0, 0);
            self.labels.clear();
            self.loops.clear();
            self.bound_at = self.parts.code.len();
            let entry = number(self.parts.code.len());
            self.function_body();
            let end = number(self.parts.code.len());
            let too_many = self.top > MAX_REGISTERS;
            let top = self.top;
            if let Some(code) = self.parts.functions.get_mut(done) {
                (code.entry, code.end) = (entry, end);
                code.registers = u16::try_from(top).unwrap_or(u16::MAX);
                if too_many {
                    let message = format!("this function needs {top} registers, and {MAX_REGISTERS} is the most");
                    let help = "it has too many variables, or an expression with too many parts: move some into a function of their own";
                    self.errors.push(Diagnostic::new(codes::REGISTERS, code.span, message).help(help));
                }
            }
            done += 1;
        }
    }

    fn function_body(&mut self) {
        let info = self.resolved.functions.get(self.function);
        let function = self.function.checked_sub(1).and_then(|index| self.ast.function(FnId(u32::try_from(index).ok()?)));
        let params = function.map_or(&[][..], |function| &function.params);
        for (position, _) in params.iter().enumerate() {
            let register = self.alloc();
            if let Some(Some(var)) = info.and_then(|info| info.params.get(position)) {
                self.set_register(*var, register);
            }
        }
        let rest = params.last().is_some_and(|param| param.rest);
        let optional = params.iter().filter(|param| param.default.is_some()).count();
        let required = params.len() - optional - usize::from(rest);
        if let Some(code) = self.current() {
            (code.required, code.optional, code.rest) = (small(required), small(optional), rest);
        }
        let span = function.map_or_else(Span::default, |function| function.name_span);
        for &var in info.map_or(&[][..], |info| &info.locals) {
            self.start_variable(var, span);
        }
        for (position, param) in params.iter().enumerate() {
            if let Some(default) = param.default {
                self.default_value(small(position), default, param.span);
            }
            if let Some(Some(var)) = info.and_then(|info| info.params.get(position)) {
                self.share_fresh(*var, small(position), param.span);
            }
        }
        if self.function == 0 {
            self.load_stages();
        }
        if let Some(body) = function.map(|function| function.body).or(self.ast.root) {
            self.block(body, Want::Tail);
        } else {
            self.finish(Span::default());
        }
    }

    fn current(&mut self) -> Option<&mut FunctionCode> {
        // The queue holds those not begun, so the current one is right before them.
        let at = self.parts.functions.len().checked_sub(self.queue.len() + 1)?;
        self.parts.functions.get_mut(at)
    }

    /// A constant's index; equal ones are kept once.
    fn constant(&mut self, constant: Constant) -> u32 {
        let key = match &constant {
            Constant::Num(number) => ConstantKey::Num(number.to_bits()),
            Constant::Str(text) => ConstantKey::Str(text.clone()),
            Constant::Bytes(bytes) => ConstantKey::Bytes(bytes.clone()),
        };
        let constants = &mut self.parts.constants;
        *self.constants.entry(key).or_insert_with(|| {
            constants.push(constant);
            number(constants.len() - 1)
        })
    }

    fn text(&mut self, text: &str) -> u32 {
        self.constant(Constant::Str(text.into()))
    }

    /// A new access site for a field.
    fn site(&mut self, field: &str) -> u32 {
        let constant = self.text(field);
        self.parts.sites.push(constant);
        number(self.parts.sites.len() - 1)
    }

    fn template(&mut self, keys: Vec<u32>) -> u32 {
        let templates = &mut self.parts.templates;
        *self.templates.entry(keys).or_insert_with_key(|keys| {
            templates.push(keys.clone());
            number(templates.len() - 1)
        })
    }

    /// Where a closure over a function finds its captures.
    fn captures(&self, function: usize) -> Vec<Capture> {
        let Some(info) = self.resolved.functions.get(function) else { return Vec::new() };
        let own = self.resolved.functions.get(self.function);
        let source = |&var| {
            let variable = self.resolved.var(var)?;
            if info.itself == Some(var) && !variable.shared {
                Some(Capture::This)
            } else if variable.owner == number(self.function) {
                Some(Capture::Register(self.register(var)))
            } else {
                own?.captures.iter().position(|&one| one == var).map(|at| Capture::Capture(number(at)))
            }
        };
        info.captures.iter().filter_map(source).collect()
    }

    /// The text between two places of the source, without the blanks around it: an operator, so that an error can point at it.
    fn between(&self, start: u32, end: u32, whole: Span) -> Span {
        let text = self.parts.source.text.get(start as usize..end as usize).unwrap_or_default();
        let operator = text.trim_matches(|c: char| c.is_whitespace() || c == '(' || c == ')');
        if operator.is_empty() || operator.len() > 3 {
            return whole;
        }
        let at = start + number(text.find(operator).unwrap_or(0));
        Span::new(at, at + number(operator.len()))
    }

    /// The last step of a postfix chain: what stands after its base.
    fn step_span(&self, base: ExprId, whole: ExprId) -> Span {
        let (base, whole) = (self.ast.span(base), self.ast.span(whole));
        if base.end < whole.end { Span::new(base.end, whole.end) } else { whole }
    }
}

/// An index as an operand. Texts are at most [`crate::source::MAX_SOURCE_BYTES`] long, so nothing counted here comes near the limit.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// A count as a byte operand; whoever could exceed it has reported an error before.
fn small(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}
