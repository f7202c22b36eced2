//! The walk through one function: what each instruction does to what the registers may hold.
//!
//! A forward flow over the function's jumps: the states that meet at a word are joined, and a word is looked at again when its state
//! grew. A register that a state does not name holds something that is not followed.

use super::value::{Atom, Fun, Table, What};
use super::{Node, Walk};
use crate::builtin::{self, Control, Run};
use ilu_cap::NativeId;
use ilu_lang::code::op::{Op, Operand, Word};
use ilu_lang::code::program::{Capture, Constant, Program};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What registers may hold; one that is missing holds anything.
#[derive(Clone, Default)]
struct State(BTreeMap<u8, What>);

impl State {
    fn get(&self, register: u8) -> What {
        self.0.get(&register).cloned().unwrap_or_else(What::any)
    }

    fn put(&mut self, register: u8, what: What) {
        if what.any && what.atoms.is_empty() {
            self.0.remove(&register);
        } else {
            self.0.insert(register, what);
        }
    }

    fn forget(&mut self, register: u8) {
        self.0.remove(&register);
    }

    fn forget_from(&mut self, register: u8) {
        self.0.split_off(&register);
    }

    /// Takes in another state that reaches the same word; whether that was new.
    fn join(&mut self, other: &State) -> bool {
        let mut grown = false;
        for (register, what) in &mut self.0 {
            grown |= match other.0.get(register) {
                Some(theirs) => what.join(theirs),
                None => what.join(&What::any()),
            };
        }
        for (register, theirs) in &other.0 {
            if !self.0.contains_key(register) && !theirs.atoms.is_empty() {
                let mut what = What::any();
                grown |= what.join(theirs) && !what.atoms.is_empty();
                self.put(*register, what);
            }
        }
        grown
    }
}

/// Where the walk stands.
#[derive(Clone)]
struct At {
    fun: Fun,
    word: u32,
    line: usize,
    program: Arc<Program>,
    /// For a short function of the standard library that is looked at in place of its call: who calls it, and where.
    caller: Option<(Fun, usize)>,
    depth: usize,
}

/// Words of a function that is looked at anew for each of its calls.
const MAX_SHORT: u32 = 16;
/// Such functions that call each other.
const MAX_SHORT_DEPTH: usize = 4;

impl Walk<'_> {
    /// Looks at a function's code with what its parameters may be now.
    pub(super) fn function(&mut self, fun: Fun) {
        let Some((program, entry, end)) = self.extent(fun) else { return };
        let params = self.functions.get(&fun).map(|facts| facts.params.clone()).unwrap_or_default();
        let mut first = State::default();
        for (register, what) in (0u8..).zip(params) {
            first.put(register, what);
        }
        let leaders = leaders(&program, entry, end);
        let mut states: BTreeMap<u32, State> = BTreeMap::from([(entry, first)]);
        let mut todo: BTreeSet<u32> = BTreeSet::from([entry]);
        while let Some(start) = todo.pop_first() {
            let Some(mut state) = states.get(&start).cloned() else { continue };
            let mut word = start;
            while let Some(&code) = program.code.get(word as usize) {
                let at = At { fun, word, line: self.line(fun.unit, word), program: Arc::clone(&program), caller: None, depth: 0 };
                self.step_word(&at, code, &mut state);
                let Some(op) = Op::from_number(code.op()) else { break };
                let mut reach = |to: u32, todo: &mut BTreeSet<u32>| {
                    let grown = match states.get_mut(&to) {
                        Some(known) => known.join(&state),
                        None => states.insert(to, state.clone()).is_none(),
                    };
                    if grown {
                        todo.insert(to);
                    }
                };
                if op.row().operands.contains(&Operand::Target) {
                    reach(code.k(), &mut todo);
                }
                let next = word + 1;
                if matches!(op, Op::Jump | Op::Loop | Op::Return | Op::ReturnNil) || next >= end {
                    break;
                }
                if leaders.contains(&next) {
                    reach(next, &mut todo);
                    break;
                }
                word = next;
            }
        }
    }

    fn extent(&self, fun: Fun) -> Option<(Arc<Program>, u32, u32)> {
        let code = self.code(fun)?;
        let (entry, end) = (code.entry, code.end);
        Some((Arc::clone(&self.units.get(fun.unit)?.program), entry, end))
    }

    /// One instruction.
    fn step_word(&mut self, at: &At, word: Word, state: &mut State) {
        let Some(op) = Op::from_number(word.op()) else { return };
        let (a, b, c, k) = (word.a(), word.b(), word.c(), word.k());
        match op {
            Op::Move => state.put(a, state.get(b)),
            Op::Const => state.put(a, constant(&at.program, k)),
            Op::Builtin => state.put(a, What::one(Atom::Builtin(k))),
            Op::Native => state.put(a, What::one(Atom::Native(NativeId(u16::try_from(k).unwrap_or(u16::MAX))))),
            Op::GetGlobal => state.put(a, self.global(at.fun.unit, k as usize)),
            Op::SetGlobal => self.set_global(at.fun.unit, k as usize, &state.get(a)),
            Op::Closure => {
                self.captured(at, k, state);
                state.put(a, What::one(Atom::Fun(Fun { unit: at.fun.unit, function: k })));
            }
            Op::Object => {
                let table = self.literal(at, b, k, state);
                state.put(a, What::one(Atom::Table(table)));
            }
            Op::GetField => {
                let (of, name) = (state.get(b), site(&at.program, k));
                self.method(at.fun, at.line, &of, name.as_deref());
                let field = self.field(&of, name.as_deref());
                state.put(a, field);
            }
            Op::GetIndex | Op::GetIndexOr => {
                let (of, index) = (state.get(b), state.get(c));
                let found = match index.texts().as_deref() {
                    Some([key]) => self.field(&of, Some(key)),
                    _ => {
                        self.escape(at, &of);
                        What::any()
                    }
                };
                state.put(a, found);
            }
            Op::SetField => self.set_field(at, &state.get(a), &state.get(b)),
            Op::SetIndex => self.set_field(at, &state.get(a), &state.get(c)),
            // These look at what something is, and keep nothing of it.
            Op::JumpTrue | Op::JumpFalse | Op::JumpNil | Op::JumpSet | Op::NeedSet | Op::MatchList | Op::MatchObject | Op::MatchNum => {}
            Op::JumpLt | Op::JumpLe | Op::JumpEq | Op::JumpNe | Op::JumpLtI | Op::JumpLeI | Op::JumpGtI | Op::JumpGeI => {}
            Op::JumpEqI | Op::JumpNeI | Op::JumpEqS | Op::JumpNeS | Op::JumpIs | Op::JumpIsNot | Op::Jump | Op::Check => {}
            _ if op.is_back_edge() && !matches!(op, Op::ForLoop | Op::IterLoop) => {}
            Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Not | Op::Neg | Op::HasKey | Op::Concat => state.forget(a),
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Rem | Op::AddI | Op::SubI | Op::MulI | Op::DivI | Op::RemI => state.forget(a),
            Op::Call => {
                let args: Vec<What> = (0..b).map(|n| state.get(a.saturating_add(1).saturating_add(n))).collect();
                let result = self.call(at, &state.get(a), Some(&args));
                state.forget_from(a);
                state.put(a, result);
            }
            Op::CallSpread => {
                // What is in the list escaped when it was put there.
                let result = self.call(at, &state.get(a), None);
                state.forget_from(a);
                state.put(a, result);
            }
            Op::CallBuiltin => {
                let args: Vec<What> = (0..c).map(|n| state.get(b.saturating_add(n))).collect();
                let result = self.call_builtin(at, k, &args);
                state.forget_from(b);
                state.put(a, result);
            }
            Op::Push => _ = self.call_builtin(at, k, &[state.get(a), state.get(b)]),
            Op::CallNative => {
                for n in 0..c {
                    self.escape(at, &state.get(b.saturating_add(n)));
                }
                self.native(at.fun, NativeId(u16::try_from(k).unwrap_or(u16::MAX)), at.line);
                state.forget_from(b);
                state.forget(a);
            }
            Op::Return => self.returns(at, &state.get(a)),
            Op::Use => {
                let names = self.use_unit(at, k);
                state.put(a, names);
            }
            Op::UseAll => self.copy(at, &state.get(a)),
            _ => self.other(at, op, word, state),
        }
    }

    /// Every other instruction: what it reads escapes, what it writes is not followed.
    fn other(&mut self, at: &At, op: Op, word: Word, state: &mut State) {
        if op == Op::IterNew {
            self.loop_over(at.fun, at.line, &state.get(word.b()));
        }
        let operands = [word.a(), word.b(), word.c()];
        for (operand, register) in op.row().operands.iter().zip(operands) {
            match operand {
                Operand::In => self.escape(at, &state.get(register)),
                Operand::First if matches!(op, Op::List | Op::ListPush) => {
                    for n in 0..word.c() {
                        self.escape(at, &state.get(register.saturating_add(n)));
                    }
                }
                _ => {}
            }
        }
        for (operand, register) in op.row().operands.iter().zip(operands) {
            match operand {
                Operand::Out => state.forget(register),
                Operand::Triple => (0..3).for_each(|n| state.forget(register.saturating_add(n))),
                Operand::First if matches!(op, Op::IterNext | Op::IterLoop) => {
                    (0..2).for_each(|n| state.forget(register.saturating_add(n)))
                }
                _ => {}
            }
        }
    }

    /// What may be called, or be anything to code that is not followed.
    fn escape(&mut self, at: &At, what: &What) {
        let mut todo: Vec<Atom> = what.atoms.iter().cloned().collect();
        let mut done = BTreeSet::new();
        while let Some(atom) = todo.pop() {
            if !done.insert(atom.clone()) {
                continue;
            }
            match atom {
                Atom::Fun(fun) => {
                    self.enter(fun);
                    self.edge(at.fun, Node::Function(fun), at.line);
                    if let Some(facts) = self.functions.get_mut(&fun) {
                        let any = What::any();
                        let mut grown = !facts.escaped;
                        facts.escaped = true;
                        for param in &mut facts.params {
                            grown |= param.join(&any);
                        }
                        todo.extend(facts.result.atoms.iter().cloned());
                        self.changed |= grown;
                    }
                }
                Atom::Native(native) => self.native(at.fun, native, at.line),
                Atom::Builtin(number) => _ = self.call_builtin(at, number, &[What::any(), What::any(), What::any()]),
                Atom::Table(table) => {
                    let facts = self.tables.entry(table).or_default();
                    self.changed |= !facts.loose;
                    facts.loose = true;
                    todo.extend(facts.fields.values().flat_map(|field| field.atoms.iter().cloned()));
                }
                Atom::Names(unit) => {
                    let Some(unit) = self.units.get(unit) else { continue };
                    let exported = unit.exports.values().filter_map(|&slot| unit.globals.get(slot));
                    todo.extend(exported.flat_map(|what| what.atoms.iter().cloned()));
                }
                Atom::Text(_) => {}
            }
        }
    }

    fn call(&mut self, at: &At, callee: &What, args: Option<&[What]>) -> What {
        let mut result = What::none();
        let outside = callee.any || callee.atoms.iter().any(|atom| !matches!(atom, Atom::Fun(_)));
        if outside {
            for arg in args.unwrap_or_default() {
                self.escape(at, arg);
            }
            result.join(&What::any());
        }
        for atom in &callee.atoms {
            match atom {
                Atom::Fun(fun) => _ = result.join(&self.call_function(at, *fun, args)),
                Atom::Builtin(number) => {
                    let any = [What::any(), What::any(), What::any()];
                    let given = self.call_builtin(at, *number, args.unwrap_or(&any));
                    result.join(&given);
                }
                other => self.escape(at, &What::one(other.clone())),
            }
        }
        result
    }

    fn call_function(&mut self, at: &At, fun: Fun, args: Option<&[What]>) -> What {
        if let (Some(args), true) = (args, at.depth < MAX_SHORT_DEPTH)
            && self.is_short(fun)
        {
            self.edge(at.fun, Node::Function(fun), at.line);
            return self.in_place(at, fun, args);
        }
        self.enter(fun);
        self.edge(at.fun, Node::Function(fun), at.line);
        let Some(facts) = self.functions.get_mut(&fun) else { return What::any() };
        let many = facts.params.len();
        let any = What::any();
        for (n, param) in facts.params.iter_mut().enumerate() {
            self.changed |= match args {
                Some(args) => args.get(n).is_some_and(|arg| param.join(arg)),
                None => param.join(&any),
            };
        }
        let result = facts.result.clone();
        for arg in args.unwrap_or_default().iter().skip(many) {
            self.escape(at, arg);
        }
        result
    }

    /// Is it a function of the standard library so short and straight that it is looked at in place of its call?
    fn is_short(&self, fun: Fun) -> bool {
        let Some((program, entry, end)) = self.extent(fun) else { return false };
        let std = self.units.get(fun.unit).is_some_and(|unit| matches!(unit.origin, super::unit::Origin::Std(_)));
        let plain =
            |word: &Word| Op::from_number(word.op()).is_some_and(|op| !op.row().operands.contains(&Operand::Target) && op != Op::Closure);
        std && fun.function != 0
            && end.saturating_sub(entry) <= MAX_SHORT
            && program.code.get(entry as usize..end as usize).is_some_and(|code| code.iter().all(plain))
    }

    /// Looks at a short function with the arguments of this call.
    fn in_place(&mut self, at: &At, fun: Fun, args: &[What]) -> What {
        let Some((program, entry, end)) = self.extent(fun) else { return What::any() };
        let params = self.code(fun).map_or(0, |code| usize::from(code.required) + usize::from(code.optional));
        let mut state = State::default();
        for (register, arg) in (0u8..).zip(args.iter().take(params)) {
            state.put(register, arg.clone());
        }
        for arg in args.iter().skip(params) {
            self.escape(at, arg);
        }
        let caller = Some(at.caller.unwrap_or((at.fun, at.line)));
        for word in entry..end {
            let Some(&code) = program.code.get(word as usize) else { break };
            let here = At { fun, word, line: self.line(fun.unit, word), program: Arc::clone(&program), caller, depth: at.depth + 1 };
            match Op::from_number(code.op()) {
                Some(Op::Return) => return state.get(code.a()),
                Some(Op::ReturnNil) => break,
                _ => self.step_word(&here, code, &mut state),
            }
        }
        What::any()
    }

    fn returns(&mut self, at: &At, what: &What) {
        let Some(facts) = self.functions.get_mut(&at.fun) else { return };
        self.changed |= facts.result.join(what);
        // A program's value goes to the host, a text's to whoever runs it.
        if facts.escaped {
            self.escape(at, what);
        }
    }

    fn call_builtin(&mut self, at: &At, number: u32, args: &[What]) -> What {
        for arg in args {
            self.escape(at, arg);
        }
        let Some(Run::Control(control)) = builtin::table().get(number as usize).map(|row| row.run) else { return What::any() };
        let (from, line) = at.caller.unwrap_or((at.fun, at.line));
        let second = args.get(1).and_then(What::texts);
        match control {
            Control::Print => self.native_named(at.fun, "__sys_stdout", at.line),
            Control::PrintError => self.native_named(at.fun, "__sys_stderr", at.line),
            Control::Append => self.native_named(at.fun, builtin::control::APPEND, at.line),
            Control::Call => {
                // A native as a value escaped above.
                for atom in args.get(1).iter().flat_map(|what| &what.atoms) {
                    if let Atom::Text(name) = atom {
                        self.native_named(from, name, line);
                    }
                }
                if args.get(1).is_none_or(|what| what.any) {
                    self.cannot_tell(from, line, "a native is called by a name that is computed".to_owned());
                }
            }
            Control::Eval => match second {
                Some(texts) => texts.iter().for_each(|text| self.text(from, text, line)),
                None => self.cannot_tell(from, line, "a sandbox runs text that is not a literal".to_owned()),
            },
            Control::Load => {
                self.native_named(from, "__sys_read_file", line);
                self.cannot_tell(from, line, "a sandbox runs a file that it reads by itself".to_owned());
            }
            Control::Use => return self.use_inside(at, second),
            // These call what they are given, which escaped above, or reach nothing. All are named, so that a new one is thought of here.
            Control::Try | Control::Run | Control::RunTry | Control::Gate => {}
            Control::Exit | Control::Make | Control::Has | Control::Explain | Control::List | Control::Current | Control::Revoke => {}
            Control::Log | Control::Used | Control::Bundle | Control::Text | Control::Arity => {}
        }
        What::any()
    }

    /// A literal text that a sandbox runs.
    fn text(&mut self, from: Fun, text: &str, line: usize) {
        let Some(unit) = self.text_unit(text) else { return };
        let main = Fun { unit, function: 0 };
        self.enter(main);
        self.edge(from, Node::Function(main), line);
        if let Some(facts) = self.functions.get_mut(&main) {
            self.changed |= !facts.escaped;
            facts.escaped = true;
        }
    }

    /// Modules for a sandbox, named by text.
    fn use_inside(&mut self, at: &At, names: Option<Vec<std::rc::Rc<str>>>) -> What {
        let (from, line) = at.caller.unwrap_or((at.fun, at.line));
        let Some(names) = names else {
            self.native_named(from, "__sys_read_file", line);
            self.cannot_tell(from, line, "a sandbox uses a module whose name is computed".to_owned());
            return What::any();
        };
        let mut result = What::none();
        for name in names {
            if name.ends_with(".ilu") {
                self.native_named(from, "__sys_read_file", line);
                self.cannot_tell(from, line, "a sandbox uses a file that it reads by itself".to_owned());
                result.join(&What::any());
            } else if let Some(unit) = self.std_unit(&name) {
                result.join(&self.module(from, unit, line));
            }
        }
        result
    }

    fn use_unit(&mut self, at: &At, number: u32) -> What {
        match self.used(at.fun, number, at.line) {
            Some(unit) => self.module(at.fun, unit, at.line),
            None => What::any(),
        }
    }

    /// The names of a unit whose top level runs here.
    fn module(&mut self, from: Fun, unit: usize, line: usize) -> What {
        let main = Fun { unit, function: 0 };
        self.enter(main);
        self.edge(from, Node::Function(main), line);
        What::one(Atom::Names(unit))
    }

    fn copy(&mut self, at: &At, names: &What) {
        let mut found: Vec<Option<usize>> =
            names.atoms.iter().map(|atom| if let Atom::Names(unit) = atom { Some(*unit) } else { None }).collect();
        if names.any || found.is_empty() {
            found.push(None);
        }
        let Some(unit) = self.units.get_mut(at.fun.unit) else { return };
        for one in found {
            if !unit.copied.contains(&one) {
                unit.copied.push(one);
                self.changed = true;
            }
        }
    }

    /// What a module variable may hold: what the unit puts there, and what a file gives that is copied from.
    fn global(&self, unit: usize, slot: usize) -> What {
        let Some(unit) = self.units.get(unit) else { return What::any() };
        let mut what = unit.globals.get(slot).cloned().unwrap_or_else(What::any);
        let Some(global) = unit.program.globals.get(slot) else { return What::any() };
        let name = global.name.strip_prefix("trl.").unwrap_or(&global.name);
        for from in &unit.copied {
            match from.and_then(|from| self.units.get(from)) {
                Some(from) => {
                    if let Some(given) = from.exports.get(name).and_then(|&slot| from.globals.get(slot)) {
                        what.join(given);
                    }
                }
                None => _ = what.join(&What::any()),
            }
        }
        what
    }

    fn set_global(&mut self, unit: usize, slot: usize, what: &What) {
        if let Some(global) = self.units.get_mut(unit).and_then(|unit| unit.globals.get_mut(slot)) {
            self.changed |= global.join(what);
        }
    }

    /// What a closure keeps of the function that makes it escapes.
    fn captured(&mut self, at: &At, function: u32, state: &State) {
        let Some(code) = at.program.functions.get(function as usize) else { return };
        for capture in &code.captures {
            if let Capture::Register(register) = capture {
                self.escape(at, &state.get(*register));
            }
        }
    }

    fn literal(&mut self, at: &At, first: u8, template: u32, state: &State) -> Table {
        let table = Table { unit: at.fun.unit, word: at.word };
        let keys = at.program.templates.get(template as usize).map_or(&[][..], Vec::as_slice);
        for (n, key) in (0u8..).zip(keys) {
            let Some(Constant::Str(key)) = at.program.constants.get(*key as usize) else { continue };
            let what = state.get(first.saturating_add(n));
            let facts = self.tables.entry(table).or_default();
            let field = facts.fields.entry(key.clone()).or_insert_with(What::none);
            self.changed |= field.join(&what);
            if facts.loose {
                self.escape(at, &what);
            }
        }
        table
    }

    fn field(&self, of: &What, name: Option<&str>) -> What {
        let Some(name) = name else { return What::any() };
        let mut result = if of.any { What::any() } else { What::none() };
        for atom in &of.atoms {
            let found = match atom {
                Atom::Table(table) => self.tables.get(table).and_then(|facts| {
                    let mut field = facts.fields.get(name)?.clone();
                    if facts.loose {
                        field.join(&What::any());
                    }
                    Some(field)
                }),
                Atom::Names(unit) => self.units.get(*unit).and_then(|unit| Some(unit.globals.get(*unit.exports.get(name)?)?.clone())),
                _ => None,
            };
            result.join(&found.unwrap_or_else(What::any));
        }
        result
    }

    fn set_field(&mut self, at: &At, of: &What, to: &What) {
        self.escape(at, to);
        for atom in &of.atoms {
            if let Atom::Table(table) = atom {
                let facts = self.tables.entry(*table).or_default();
                self.changed |= !facts.loose;
                facts.loose = true;
                // What is read from it from now on may be called by code that is not followed.
                self.escape(at, &What::one(atom.clone()));
            }
        }
    }
}

fn constant(program: &Program, number: u32) -> What {
    match program.constants.get(number as usize) {
        Some(Constant::Str(text)) => What::one(Atom::Text((&**text).into())),
        _ => What::any(),
    }
}

fn site(program: &Program, number: u32) -> Option<String> {
    let name = *program.sites.get(number as usize)?;
    match program.constants.get(name as usize)? {
        Constant::Str(name) => Some(name.to_string()),
        _ => None,
    }
}

/// Words of a function that are jumped to.
fn leaders(program: &Program, entry: u32, end: u32) -> BTreeSet<u32> {
    let code = program.code.get(entry as usize..end as usize).unwrap_or_default();
    let targets = code.iter().filter_map(|word| {
        let op = Op::from_number(word.op())?;
        op.row().operands.contains(&Operand::Target).then_some(word.k())
    });
    targets.collect()
}
