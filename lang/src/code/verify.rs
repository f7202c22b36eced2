//! The verifier: the only way from [`Parts`] to a [`Program`].
//!
//! It makes sure of what the VM relies on, whoever wrote the parts: every operand names something that exists; jumps stay inside their
//! function; no register is read that was not written on every way there (so nothing that another function left behind shows); no way
//! through the code is longer than [`MAX_STRAIGHT`] words without a checkpoint; a function's last word does not fall off its end. One
//! pass over each function, no recursion, and no index that the parts could make wrong.
//!
//! Not checked, because only the runtime knows them: whether builtins and natives of a number exist.

use super::op::{Op, Operand, Word};
use super::program::{Capture, Constant, FunctionCode, MAX_ARGUMENTS, MAX_REGISTERS, MAX_SHORT, MAX_STRAIGHT, Parts, Program};
use std::collections::HashMap;
use std::fmt;

/// Why parts are not a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The word, or the length of the code when it is no single word's fault.
    pub at: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "word {}: {}", self.at, self.what)
    }
}

/// Checks, and makes a program.
pub fn verify(parts: Parts) -> Result<Program, Fault> {
    tables(&parts)?;
    for function in &parts.functions {
        let heads = loop_heads(&parts, function)?;
        Walk { parts: &parts, function, heads, pending: HashMap::new(), state: State::start(function) }.run()?;
    }
    Ok(Program::new(parts))
}

fn check(holds: bool, at: usize, what: &'static str) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault { at, what }) }
}

/// Everything but the code.
fn tables(parts: &Parts) -> Result<(), Fault> {
    let end = parts.code.len();
    let whole = |holds, what| check(holds, end, what);
    whole(u32::try_from(end).is_ok(), "more words than an offset can name")?;
    whole(parts.spans.len() == end, "not one source range for each word")?;
    let is_text = |&at: &u32| matches!(parts.constants.get(at as usize), Some(Constant::Str(_)));
    for constant in &parts.constants {
        whole(!matches!(constant, Constant::Num(number) if !number.is_finite()), "a constant that is not a finite number")?;
    }
    whole(parts.sites.iter().all(is_text), "an access site without a name")?;
    whole(parts.templates.iter().flatten().all(is_text), "an object template without a name")?;
    let mut at = 0;
    for function in &parts.functions {
        whole(function.entry == at && function.end > at, "functions that do not follow each other")?;
        at = function.end;
        whole(function.registers as usize <= MAX_REGISTERS, "too many registers")?;
        whole(params(function) <= function.registers as usize, "parameters without a register")?;
    }
    whole(at as usize == end, "code outside of functions")?;
    let main = parts.functions.first();
    whole(main.is_some_and(|main| params(main) == 0 && main.captures.is_empty()), "no function to begin with")
}

fn params(function: &FunctionCode) -> usize {
    usize::from(function.required) + usize::from(function.optional) + usize::from(function.rest)
}

/// A set of registers.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Registers([u64; 4]);

impl Registers {
    const ALL: Self = Self([u64::MAX; 4]);

    /// The registers before `count`.
    fn below(count: usize) -> Self {
        let mut set = Self([0; 4]);
        for (word, first) in set.0.iter_mut().zip((0..).step_by(64)) {
            let bits = count.saturating_sub(first).min(64);
            *word = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
        }
        set
    }
    fn has(self, register: usize) -> bool {
        self.0.get(register / 64).is_some_and(|word| word & 1 << (register % 64) != 0)
    }
    fn add(&mut self, register: usize) {
        if let Some(word) = self.0.get_mut(register / 64) {
            *word |= 1 << (register % 64);
        }
    }
    fn meet(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a & e, b & f, c & g, d & h])
    }
}

/// What is known before a word.
#[derive(Clone, Copy)]
struct State {
    /// Registers that hold a value on every way here.
    set: Registers,
    /// Words since the last checkpoint on the longest way here.
    straight: usize,
}

impl State {
    fn start(function: &FunctionCode) -> Self {
        Self { set: Registers::below(params(function)), straight: 0 }
    }
    /// After a word that does not go on.
    const NEVER: Self = Self { set: Registers::ALL, straight: 0 };

    fn meet(self, other: Self) -> Self {
        Self { set: self.set.meet(other.set), straight: self.straight.max(other.straight) }
    }
}

/// Where each loop begins: the word it goes back to, and how many registers its calls leave alone.
///
/// Loops must be nested or apart. Going backwards through the code, each back edge opens a loop that ends at its target.
fn loop_heads(parts: &Parts, function: &FunctionCode) -> Result<HashMap<u32, usize>, Fault> {
    let mut heads = HashMap::new();
    let mut open: Vec<(u32, usize)> = Vec::new();
    for at in (function.entry..function.end).rev() {
        let Some(&word) = parts.code.get(at as usize) else { continue };
        let here = at as usize;
        match Op::from_number(word.op()) {
            Some(op) if op.is_back_edge() => {
                check(word.k() >= function.entry && word.k() <= at, here, "a back edge that does not go back")?;
                check(open.last().is_none_or(|&(head, _)| head <= word.k()), here, "loops that overlap")?;
                open.push((word.k(), MAX_REGISTERS));
            }
            Some(op) => {
                let kept = kept_by(op, word);
                if let Some((_, least)) = open.last_mut() {
                    *least = kept.min(*least);
                }
            }
            None => return Err(Fault { at: here, what: "no such instruction" }),
        }
        while let Some(&(head, least)) = open.last()
            && head == at
        {
            open.pop();
            heads.insert(at, least);
            if let Some((_, outer)) = open.last_mut() {
                *outer = least.min(*outer);
            }
        }
    }
    Ok(heads)
}

/// How many registers still hold what they held after an instruction that calls; all, for others.
fn kept_by(op: Op, word: Word) -> usize {
    match op {
        Op::Call | Op::CallSpread => usize::from(word.a()) + 1,
        Op::CallBuiltin | Op::CallNative => usize::from(word.b()),
        _ => MAX_REGISTERS,
    }
}

struct Walk<'a> {
    parts: &'a Parts,
    function: &'a FunctionCode,
    heads: HashMap<u32, usize>,
    /// What arrives at each word that a jump further up goes to; at each loop's head, what the loop has to give back.
    pending: HashMap<u32, State>,
    state: State,
}

impl Walk<'_> {
    fn run(mut self) -> Result<(), Fault> {
        let mut open_heads: HashMap<u32, State> = HashMap::new();
        for at in self.function.entry..self.function.end {
            if let Some(arriving) = self.pending.remove(&at) {
                self.state = self.state.meet(arriving);
            }
            if let Some(&kept) = self.heads.get(&at) {
                self.state.set = self.state.set.meet(Registers::below(kept));
                open_heads.insert(at, self.state);
            }
            let Some(&word) = self.parts.code.get(at as usize) else { continue };
            let Some(op) = Op::from_number(word.op()) else { return Err(Fault { at: at as usize, what: "no such instruction" }) };
            self.word(at, op, word, &open_heads)?;
        }
        let last = self.parts.code.get((self.function.end as usize).saturating_sub(1)).and_then(|word| Op::from_number(word.op()));
        let ends = matches!(last, Some(Op::Return | Op::ReturnNil | Op::Loop));
        check(ends, self.function.end as usize, "a function that runs off its end")
    }

    fn word(&mut self, at: u32, op: Op, word: Word, heads: &HashMap<u32, State>) -> Result<(), Fault> {
        let here = at as usize;
        let row = op.row();
        if row.checkpoint {
            self.state.straight = 0;
        } else {
            self.state.straight += 1;
            check(self.state.straight <= MAX_STRAIGHT, here, "too far from a checkpoint")?;
        }
        let values = [u32::from(word.a()), u32::from(word.b()), u32::from(word.c()), word.k()];
        for (operand, value) in row.operands.iter().zip(values) {
            self.operand(*operand, value).map_err(|what| Fault { at: here, what })?;
        }
        self.rules(op, word).map_err(|what| Fault { at: here, what })?;
        self.reads(op, word).map_err(|what| Fault { at: here, what })?;
        let before = self.state;
        self.writes(op, word);
        self.flow(at, op, word, before, heads)
    }

    /// What an operand's kind promises by itself.
    fn operand(&self, operand: Operand, value: u32) -> Result<(), &'static str> {
        let parts = self.parts;
        let at = value as usize;
        let registers = usize::from(self.function.registers);
        let (holds, what) = match operand {
            Operand::None => (value == 0, "an unused operand that is not zero"),
            Operand::Out | Operand::In => (at < registers, "a register beyond the function's"),
            // A run may be empty, and then begin right behind the last register.
            Operand::First => (at <= registers, "a register beyond the function's"),
            Operand::Triple => (at + 2 < registers, "a register beyond the function's"),
            Operand::Count | Operand::Small | Operand::Byte | Operand::Int | Operand::Builtin | Operand::Native => (true, ""),
            Operand::Const => (at < parts.constants.len(), "no such constant"),
            Operand::Site => (at < parts.sites.len(), "no such access site"),
            Operand::Template => (at < parts.templates.len(), "no such object template"),
            Operand::Function => (at < parts.functions.len() && at > 0, "no such function"),
            Operand::Global => (at < parts.globals.len(), "no such module variable"),
            Operand::Capture => (at < self.function.captures.len(), "no such capture"),
            Operand::Use => (at < parts.uses.len(), "no such module"),
            Operand::Target => (value >= self.function.entry && value < self.function.end, "a jump out of the function"),
        };
        if holds { Ok(()) } else { Err(what) }
    }

    /// What single instructions promise beyond that.
    fn rules(&self, op: Op, word: Word) -> Result<(), &'static str> {
        let text = |at: u32| matches!(self.parts.constants.get(at as usize), Some(Constant::Str(_)));
        let short = |at: u32| matches!(self.parts.constants.get(at as usize), Some(Constant::Str(text)) if text.len() <= MAX_SHORT);
        let (holds, what) = match op {
            Op::NeedSet | Op::HasKey => (text(word.k()), "a name that is not a string"),
            Op::ForPrep | Op::ForLoop | Op::MatchList => (word.c() <= 1, "a flag that is neither 0 nor 1"),
            Op::JumpIs | Op::JumpIsNot => (word.b() <= 2, "a value that is neither nil nor a boolean"),
            Op::JumpEqS | Op::JumpNeS => (short(u32::from(word.b())), "a text that is not a short string"),
            Op::AddI | Op::MulI => (word.c() <= 1, "a flag that is neither 0 nor 1"),
            Op::Range => (word.k() <= 1, "a flag that is neither 0 nor 1"),
            Op::IterNext | Op::IterLoop => ((1..=2).contains(&word.c()), "a loop with neither one nor two variables"),
            Op::CallSpread => (word.b() == 1, "a spread call without its list"),
            Op::Call => (usize::from(word.b()) <= MAX_ARGUMENTS, "too many arguments"),
            Op::CallBuiltin | Op::CallNative => (usize::from(word.c()) <= MAX_ARGUMENTS, "too many arguments"),
            _ => (true, ""),
        };
        if holds { Ok(()) } else { Err(what) }
    }

    /// Every register that is read must hold a value.
    fn reads(&self, op: Op, word: Word) -> Result<(), &'static str> {
        let (a, b, c) = (usize::from(word.a()), usize::from(word.b()), usize::from(word.c()));
        let run = match op {
            Op::Call => a..a + b + 1,
            Op::CallSpread => a..a + 2,
            Op::Concat | Op::List | Op::ListPush | Op::CallBuiltin | Op::CallNative => b..b + c,
            Op::Object => b..b + self.parts.templates.get(word.k() as usize).map_or(0, Vec::len),
            Op::ForPrep => a..a + 2,
            Op::ForLoop | Op::IterNext | Op::IterLoop => a..a + 3,
            _ => 0..0,
        };
        if run.end > usize::from(self.function.registers) && !run.is_empty() {
            return Err("a run of registers beyond the function's");
        }
        let singles = op.row().operands.iter().zip([a, b, c]).filter(|(operand, _)| **operand == Operand::In).map(|(_, register)| register);
        for register in singles.chain(run) {
            self.is_set(register)?;
        }
        if matches!(op, Op::IterNext | Op::IterLoop) && b + c > usize::from(self.function.registers) {
            return Err("a run of registers beyond the function's");
        }
        if op == Op::Closure {
            return self.captures(word.k());
        }
        Ok(())
    }

    fn is_set(&self, register: usize) -> Result<(), &'static str> {
        if self.state.set.has(register) { Ok(()) } else { Err("a register is read before it is written") }
    }

    fn captures(&self, function: u32) -> Result<(), &'static str> {
        for capture in self.parts.functions.get(function as usize).map_or(&[][..], |function| &function.captures) {
            match *capture {
                Capture::Register(register) => self.is_set(usize::from(register))?,
                Capture::Capture(at) if at as usize >= self.function.captures.len() => return Err("no such capture"),
                Capture::Capture(_) | Capture::This => {}
            }
        }
        Ok(())
    }

    /// What the word leaves in registers, when it goes on to the next.
    fn writes(&mut self, op: Op, word: Word) {
        let (a, b, c) = (usize::from(word.a()), usize::from(word.b()), usize::from(word.c()));
        let set = &mut self.state.set;
        *set = set.meet(Registers::below(kept_by(op, word)));
        for (operand, register) in op.row().operands.iter().zip([a, b, c]) {
            if *operand == Operand::Out {
                set.add(register);
            }
        }
        match op {
            Op::Call | Op::CallSpread => set.add(a),
            Op::ForPrep | Op::IterNew => (a..a + 3).for_each(|register| set.add(register)),
            Op::IterNext | Op::IterLoop => (b..b + c).for_each(|register| set.add(register)),
            _ => {}
        }
    }

    /// Where it goes on.
    fn flow(&mut self, at: u32, op: Op, word: Word, before: State, heads: &HashMap<u32, State>) -> Result<(), Fault> {
        let here = at as usize;
        match op {
            _ if op.is_back_edge() => {
                let Some(head) = heads.get(&word.k()) else { return Err(Fault { at: here, what: "a back edge that does not go back" }) };
                let back = self.state;
                check(back.set.meet(head.set) == head.set, here, "a loop that loses a register")?;
                // The next value is there only when the loop goes back.
                self.state = if op == Op::Loop { State::NEVER } else { before };
            }
            Op::Return | Op::ReturnNil => self.state = State::NEVER,
            _ if op.row().operands.contains(&Operand::Target) => {
                check(word.k() > at, here, "a jump that does not go forwards")?;
                let mut there = before;
                if op == Op::ForPrep {
                    there.set = self.state.set.meet(before.set);
                }
                let pending = self.pending.entry(word.k()).or_insert(there);
                *pending = pending.meet(there);
                if op == Op::Jump {
                    self.state = State::NEVER;
                }
            }
            _ => {}
        }
        Ok(())
    }
}
