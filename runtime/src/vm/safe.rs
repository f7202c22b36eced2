//! The fast loop: one `match` over the instruction's number, in safe code.
//!
//! Registers are a window of 256 taken with `first_chunk_mut`, so that byte operands need no bounds check. Each arm does the common
//! case and leaves everything else (other types, a refused charge, another unit's code, another authority, an error) to
//! `super::slow`, by leaving the loop with the word. An arm that leaves has changed nothing.

use super::frame::Frame;
use super::import::place_of;
use super::quick;
use super::window::{SPECIAL, clear, exact, window};
use super::{Vm, WINDOW};
use crate::builtin::{Cx, Run};
use crate::heap::{Heap, Unit};
use crate::value::Value;
use ilu_lang::code::op::{Word, number};
use ilu_sbx::ANY;

/// Why the fast loop was left. The running frame's `pc` is up to date.
#[derive(Debug)]
pub(super) enum Exit {
    /// The word before the frame's `pc` takes the general path.
    Slow(Word),
    /// The slice of fuel is used up; the frame's `pc` names the word that asked.
    Fuel,
    /// A frame with a boundary returned this.
    Return(Value),
    /// The verifier let something through that it must not.
    Broken(&'static str),
}

/// The number of an index, when it is a whole one that is not negative.
#[inline(always)]
pub(super) fn whole(number: f64) -> Option<usize> {
    let index = number as i64;
    if index as f64 == number && index >= 0 { Some(index as usize) } else { None }
}

impl Vm {
    /// Runs from the topmost frame until something needs the general path.
    #[allow(clippy::too_many_lines, reason = "one arm per instruction: the table is the structure")]
    pub(super) fn fast(&mut self) -> Exit {
        let Vm { heap: Heap { store: heap, units }, stack, frames, fuel: fuel_left, reserve, frame_room, builtins, .. } = self;
        let (frame_room, reserve, builtins) = (*frame_room, *reserve, *builtins);
        let mut fuel = *fuel_left;
        'enter: loop {
            let Some(&Frame { pc, base, unit: this, closure, authority, .. }) = frames.last() else { return Exit::Broken("no frame") };
            let Some(unit) = units.get_mut(this) else { return Exit::Broken("a running unit was collected") };
            let Unit { program, constants, globals, sites, templates, .. } = unit;
            let (code, functions) = (program.code.as_slice(), program.functions.as_slice());
            let (mut pc, mut base, mut authority, mut closure) = (pc as usize, base as usize, authority, closure);
            let Some(mut regs) = window(stack, base) else { return Exit::Broken("registers past the stack") };
            let exit = loop {
                let Some(&word) = code.get(pc) else { break Exit::Broken("code ran out") };
                pc += 1;
                macro_rules! r {
                    ($n:ident) => {
                        regs[word.$n() as usize]
                    };
                }
                macro_rules! slow {
                    () => {
                        break Exit::Slow(word)
                    };
                }
                // The comparison keeps the jump a branch, which the processor predicts; a conditional move would have to wait.
                macro_rules! jump {
                    () => {{
                        let target = word.k() as usize;
                        if target >= code.len() {
                            break Exit::Broken("a jump out of the code");
                        }
                        pc = target;
                    }};
                }
                // What is no number reads as a NaN here: the result is then none either, and no comparison holds.
                macro_rules! number {
                    ($x:expr, $y:expr, $with:expr) => {
                        match Value::finite($with($x, $y)) {
                            Some(z) => r!(a) = z,
                            None => slow!(),
                        }
                    };
                }
                macro_rules! compare {
                    ($x:expr, $y:expr, $op:tt, $not:tt) => {{
                        let (x, y): (f64, f64) = ($x, $y);
                        if x $op y {
                            jump!();
                        } else if x $not y {
                            continue;
                        } else {
                            slow!()
                        }
                    }};
                }
                macro_rules! again {
                    ($x:expr, $y:expr, $op:tt, $not:tt) => {{
                        let (x, y): (f64, f64) = ($x, $y);
                        if x $op y {
                            bill!();
                            jump!();
                        } else if x $not y {
                            bill!();
                        } else {
                            slow!()
                        }
                    }};
                }
                macro_rules! bill {
                    () => {
                        if fuel <= 0 {
                            pc -= 1;
                            break Exit::Fuel;
                        }
                        fuel -= 1;
                    };
                }
                match word.op() {
                    number::Move => r!(a) = r!(b),
                    number::Nil => r!(a) = Value::NIL,
                    number::True => r!(a) = Value::TRUE,
                    number::False => r!(a) = Value::FALSE,
                    number::Int => r!(a) = Value::num(f64::from(word.k() as i32)),
                    number::Const => match constants.get(word.k() as usize) {
                        Some(&value) => r!(a) = value,
                        None => break Exit::Broken("constant"),
                    },
                    number::GetGlobal => match globals.get(word.k() as usize) {
                        Some(&value) if value != Value::UNSET => r!(a) = value,
                        _ => slow!(),
                    },
                    number::SetGlobal => match globals.get_mut(word.k() as usize) {
                        Some(slot) => *slot = r!(a),
                        None => break Exit::Broken("module variable"),
                    },
                    number::GetCapture => match heap.function(closure).and_then(|f| f.captures.get(word.k() as usize)) {
                        Some(&value) => r!(a) = value,
                        None => break Exit::Broken("capture"),
                    },
                    number::GetShared => match heap.function(closure).and_then(|f| f.captures.get(word.k() as usize)?.as_cell()) {
                        Some(cell) => r!(a) = heap.cell(cell),
                        None => break Exit::Broken("not a cell"),
                    },
                    number::SetShared => match heap.function(closure).and_then(|f| f.captures.get(word.k() as usize)?.as_cell()) {
                        Some(cell) => heap.set_cell(cell, r!(a)),
                        None => break Exit::Broken("not a cell"),
                    },
                    number::CellGet => match r!(b).as_cell() {
                        Some(cell) => r!(a) = heap.cell(cell),
                        None => break Exit::Broken("not a cell"),
                    },
                    number::CellSet => match r!(a).as_cell() {
                        Some(cell) => heap.set_cell(cell, r!(b)),
                        None => break Exit::Broken("not a cell"),
                    },
                    number::CellNew => match heap.cell_new(r!(b)) {
                        Ok(cell) => r!(a) = cell.into(),
                        Err(_) => slow!(),
                    },
                    number::Unset => r!(a) = Value::UNSET,
                    number::NeedSet => {
                        if r!(a) == Value::UNSET {
                            slow!()
                        }
                    }
                    number::Builtin => r!(a) = Value::builtin(word.k()).named_in(place_of(authority)),
                    number::Native => r!(a) = Value::native(word.k()).named_in(place_of(authority)),
                    number::Add => match Value::finite(r!(b).float() + r!(c).float()) {
                        Some(z) => r!(a) = z,
                        None => match quick::join(heap, r!(b), r!(c)) {
                            Some(text) => r!(a) = text,
                            None => slow!(),
                        },
                    },
                    number::Sub => {
                        number!(r!(b).float(), r!(c).float(), |x: f64, y: f64| x - y);
                    }
                    number::Mul => {
                        number!(r!(b).float(), r!(c).float(), |x: f64, y: f64| x * y);
                    }
                    number::Div => {
                        number!(r!(b).float(), r!(c).float(), |x: f64, y: f64| x / y);
                    }
                    number::Rem => {
                        number!(r!(b).float(), r!(c).float(), quick::remainder);
                    }
                    number::AddI => {
                        number!(r!(b).float(), f64::from(word.k() as i32), |x: f64, y: f64| x + y);
                    }
                    number::SubI => {
                        number!(r!(b).float(), f64::from(word.k() as i32), |x: f64, y: f64| x - y);
                    }
                    number::MulI => {
                        number!(r!(b).float(), f64::from(word.k() as i32), |x: f64, y: f64| x * y);
                    }
                    number::DivI => {
                        number!(r!(b).float(), f64::from(word.k() as i32), |x: f64, y: f64| x / y);
                    }
                    number::RemI => {
                        number!(r!(b).float(), word.k() as i32, quick::remainder_by);
                    }
                    number::Neg => match Value::finite(-r!(b).float()) {
                        Some(x) => r!(a) = x,
                        None => slow!(),
                    },
                    number::Not => r!(a) = Value::bool(!quick::truthy(heap, r!(b))),
                    number::Lt => match (r!(b).as_num(), r!(c).as_num()) {
                        (Some(x), Some(y)) => r!(a) = Value::bool(x < y),
                        _ => slow!(),
                    },
                    number::Le => match (r!(b).as_num(), r!(c).as_num()) {
                        (Some(x), Some(y)) => r!(a) = Value::bool(x <= y),
                        _ => slow!(),
                    },
                    number::Eq => match quick::equal(heap, r!(b), r!(c)) {
                        Some(same) => r!(a) = Value::bool(same),
                        None => slow!(),
                    },
                    number::Ne => match quick::equal(heap, r!(b), r!(c)) {
                        Some(same) => r!(a) = Value::bool(!same),
                        None => slow!(),
                    },
                    number::Jump => jump!(),
                    number::JumpTrue => {
                        if quick::truthy(heap, r!(a)) {
                            jump!();
                        }
                    }
                    number::JumpFalse => {
                        if !quick::truthy(heap, r!(a)) {
                            jump!();
                        }
                    }
                    number::JumpNil => {
                        if r!(a) == Value::NIL {
                            jump!();
                        }
                    }
                    number::JumpSet => {
                        if r!(a) != Value::UNSET {
                            jump!();
                        }
                    }
                    number::JumpLt => compare!(r!(a).float(), r!(b).float(), <, >=),
                    number::JumpLe => compare!(r!(a).float(), r!(b).float(), <=, >),
                    number::JumpLtI => compare!(r!(a).float(), f64::from(word.b() as i8), <, >=),
                    number::JumpLeI => compare!(r!(a).float(), f64::from(word.b() as i8), <=, >),
                    number::JumpGtI => compare!(r!(a).float(), f64::from(word.b() as i8), >, <=),
                    number::JumpGeI => compare!(r!(a).float(), f64::from(word.b() as i8), >=, <),
                    number::JumpEqI => {
                        if r!(a).float() == f64::from(word.b() as i8) {
                            jump!();
                        }
                    }
                    number::JumpNeI => {
                        if r!(a).float() != f64::from(word.b() as i8) {
                            jump!();
                        }
                    }
                    number::JumpIs => {
                        if SPECIAL.get(word.b() as usize) == Some(&r!(a)) {
                            jump!();
                        }
                    }
                    number::JumpIsNot => {
                        if SPECIAL.get(word.b() as usize) != Some(&r!(a)) {
                            jump!();
                        }
                    }
                    number::JumpEqS => {
                        if constants.get(word.b() as usize) == Some(&r!(a)) {
                            jump!();
                        }
                    }
                    number::JumpNeS => {
                        if constants.get(word.b() as usize) != Some(&r!(a)) {
                            jump!();
                        }
                    }
                    number::JumpEq => match quick::equal(heap, r!(a), r!(b)) {
                        Some(true) => jump!(),
                        Some(false) => {}
                        None => slow!(),
                    },
                    number::JumpNe => match quick::equal(heap, r!(a), r!(b)) {
                        Some(false) => jump!(),
                        Some(true) => {}
                        None => slow!(),
                    },
                    number::Loop => {
                        bill!();
                        jump!();
                    }
                    number::LoopTrue => {
                        bill!();
                        if quick::truthy(heap, r!(a)) {
                            jump!();
                        }
                    }
                    number::LoopLt => again!(r!(a).float(), r!(b).float(), <, >=),
                    number::LoopLe => again!(r!(a).float(), r!(b).float(), <=, >),
                    number::LoopLtI => again!(r!(a).float(), f64::from(word.b() as i8), <, >=),
                    number::LoopLeI => again!(r!(a).float(), f64::from(word.b() as i8), <=, >),
                    number::LoopGtI => again!(r!(a).float(), f64::from(word.b() as i8), >, <=),
                    number::LoopGeI => again!(r!(a).float(), f64::from(word.b() as i8), >=, <),
                    number::LoopEqI => {
                        bill!();
                        if r!(a).float() == f64::from(word.b() as i8) {
                            jump!();
                        }
                    }
                    number::LoopNeI => {
                        bill!();
                        if r!(a).float() != f64::from(word.b() as i8) {
                            jump!();
                        }
                    }
                    number::LoopEq | number::LoopNe => match quick::equal(heap, r!(a), r!(b)) {
                        Some(same) => {
                            bill!();
                            if same == (word.op() == number::LoopEq) {
                                jump!();
                            }
                        }
                        None => slow!(),
                    },
                    number::Check => {
                        if fuel <= 0 {
                            pc -= 1;
                            break Exit::Fuel;
                        }
                    }
                    number::ForPrep => {
                        let at = word.a();
                        let ends = (regs[at as usize], regs[at.wrapping_add(1) as usize]);
                        let (Some(from), Some(to)) = (quick::place(ends.0), quick::place(ends.1)) else { slow!() };
                        let (left, step) = match word.c() {
                            1 if from >= to => {
                                jump!();
                                continue;
                            }
                            1 => (to - from - 1, 1.0),
                            _ if from <= to => (to - from, 1.0),
                            _ => (from - to, -1.0),
                        };
                        regs[at.wrapping_add(1) as usize] = Value::num(left as f64);
                        regs[at.wrapping_add(2) as usize] = Value::num(step);
                        r!(b) = ends.0;
                    }
                    number::ForLoop => {
                        // State as the general path of `ForPrep` left it: current value, rounds left, step.
                        let at = word.a();
                        let (now, left) = (regs[at as usize].float(), regs[at.wrapping_add(1) as usize].float());
                        if left >= 1.0 {
                            let Some(next) = Value::finite(now + regs[at.wrapping_add(2) as usize].float()) else {
                                break Exit::Broken("loop state");
                            };
                            bill!();
                            regs[at as usize] = next;
                            regs[at.wrapping_add(1) as usize] = Value::num(left - 1.0);
                            r!(b) = next;
                            jump!();
                        }
                    }
                    number::IterNext => {
                        let at = word.a();
                        let (Some(list), Some(position)) = (regs[at as usize].as_list(), regs[at.wrapping_add(1) as usize].as_num()) else {
                            slow!()
                        };
                        match heap.list(list).get(position as usize) {
                            Some(&item) if word.c() == 2 => {
                                r!(b) = Value::num(position);
                                regs[word.b().wrapping_add(1) as usize] = item;
                            }
                            Some(&item) => r!(b) = item,
                            None => {
                                jump!();
                                continue;
                            }
                        }
                        regs[at.wrapping_add(1) as usize] = Value::num(position + 1.0);
                    }
                    number::IterLoop => {
                        let at = word.a();
                        let (Some(list), Some(position)) = (regs[at as usize].as_list(), regs[at.wrapping_add(1) as usize].as_num()) else {
                            slow!()
                        };
                        bill!();
                        let Some(&item) = heap.list(list).get(position as usize) else { continue };
                        if word.c() == 2 {
                            r!(b) = Value::num(position);
                            regs[word.b().wrapping_add(1) as usize] = item;
                        } else {
                            r!(b) = item;
                        }
                        regs[at.wrapping_add(1) as usize] = Value::num(position + 1.0);
                        jump!();
                    }
                    number::GetIndex => {
                        let (from, index) = (r!(b), r!(c));
                        if let Some(list) = from.as_list() {
                            if let Some(&item) = quick::place(index).and_then(|place| heap.list(list).get(place)) {
                                r!(a) = item;
                                continue;
                            }
                        } else if let Some(value) = quick::index(heap, from, index) {
                            r!(a) = value;
                            continue;
                        }
                        slow!()
                    }
                    number::GetIndexI => match r!(b).as_list().and_then(|list| heap.list(list).get(word.k() as usize)) {
                        Some(&item) => r!(a) = item,
                        None => slow!(),
                    },
                    number::SetIndex => {
                        let (target, index, value) = (r!(a), r!(b), r!(c));
                        if let Some(list) = target.as_list() {
                            if quick::place(index).is_some_and(|place| heap.list_store(list, place, value)) {
                                continue;
                            }
                        } else if quick::set_index(heap, target, index, value) {
                            continue;
                        }
                        slow!()
                    }
                    number::GetField => {
                        let (Some(object), Some(site)) = (r!(b).as_object(), sites.get_mut(word.k() as usize)) else { slow!() };
                        match heap.entry(object, site.position as usize) {
                            Some((key, value)) if key == site.key => r!(a) = value,
                            _ => r!(a) = quick::field(heap, object, site),
                        }
                    }
                    number::SetField => {
                        let target = r!(a);
                        let (Some(object), Some(site)) = (target.as_object(), sites.get_mut(word.k() as usize)) else { slow!() };
                        if heap.store_at(object, site.position as usize, site.key, r!(b)) {
                            continue;
                        }
                        if heap.is_frozen(target) {
                            slow!()
                        }
                        match heap.set(object, site.key, r!(b)) {
                            Ok(position) => site.position = position as u32,
                            Err(_) => slow!(),
                        }
                    }
                    number::List => {
                        let first = word.b() as usize;
                        match regs.get(first..first + word.c() as usize).map(|items| heap.list_new(items)) {
                            Some(Ok(list)) => r!(a) = list,
                            _ => slow!(),
                        }
                    }
                    number::Push => {
                        let Some(list) = r!(a).as_list() else { slow!() };
                        bill!();
                        if !heap.list_append(list, r!(b)) {
                            fuel += 1;
                            slow!()
                        }
                    }
                    number::Object => {
                        let Some(keys) = templates.get(word.k() as usize) else { break Exit::Broken("template") };
                        let first = word.b() as usize;
                        match regs.get(first..first + keys.len()).map(|values| heap.object_with(keys, values)) {
                            Some(Ok(object)) => r!(a) = object,
                            _ => slow!(),
                        }
                    }
                    number::ObjectNew => match heap.object_new() {
                        Ok(object) => r!(a) = object.into(),
                        Err(_) => slow!(),
                    },
                    number::Call => {
                        let at = word.a() as usize;
                        let Some(id) = regs[at].as_function() else { slow!() };
                        let Some(callee) = heap.function(id) else { break Exit::Broken("a called function was collected") };
                        if (callee.home != authority && callee.home != ANY) || callee.gate || frames.len() >= frame_room {
                            slow!()
                        }
                        let (count, number, unit) = (word.b(), callee.function, callee.unit);
                        if unit != this {
                            // Code of another unit: its frame is put up here, and everything taken anew from it.
                            let Some(other) = units.get(unit) else { break Exit::Broken("a called unit was collected") };
                            let Some(function) = other.program.functions.get(number as usize) else { break Exit::Broken("function") };
                            let next = base + at + 1;
                            if !exact(function, count) || stack.len() < next + WINDOW {
                                slow!()
                            }
                            bill!();
                            if let Some(regs) = window(stack, next) {
                                clear(regs, count, function.registers);
                            }
                            if let Some(caller) = frames.last_mut() {
                                caller.pc = pc as u32;
                            }
                            frames.push(Frame {
                                pc: function.entry,
                                base: next as u32,
                                unit,
                                function: number,
                                closure: id,
                                authority,
                                boundary: false,
                            });
                            continue 'enter;
                        }
                        let Some(function) = functions.get(number as usize) else { break Exit::Broken("function") };
                        if !exact(function, count) {
                            slow!()
                        }
                        bill!();
                        let next = base + at + 1;
                        let Some(callee_regs) = window(stack, next) else {
                            fuel += 1;
                            slow!()
                        };
                        regs = callee_regs;
                        clear(regs, count, function.registers);
                        if let Some(caller) = frames.last_mut() {
                            caller.pc = pc as u32;
                        }
                        base = next;
                        closure = id;
                        pc = function.entry as usize;
                        frames.push(Frame { pc: 0, base: base as u32, unit: this, function: number, closure, authority, boundary: false });
                    }
                    number::Return | number::ReturnNil => {
                        let value = if word.op() == number::Return { r!(a) } else { Value::NIL };
                        if frames.last().is_none_or(|frame| frame.boundary) {
                            break Exit::Return(value);
                        }
                        frames.pop();
                        match stack.get_mut(base - 1) {
                            Some(slot) => *slot = value,
                            None => break Exit::Broken("result slot"),
                        }
                        let Some(caller) = frames.last() else { break Exit::Broken("no caller") };
                        if caller.unit != this {
                            continue 'enter;
                        }
                        (pc, base, authority, closure) = (caller.pc as usize, caller.base as usize, caller.authority, caller.closure);
                        let Some(caller_regs) = window(stack, base) else { break Exit::Broken("registers past the stack") };
                        regs = caller_regs;
                    }
                    number::CallBuiltin => {
                        bill!();
                        let (first, count) = (word.b() as usize, word.c() as usize);
                        if let (Some(row), Some(args)) = (builtins.get(word.k() as usize), regs.get(first..first + count))
                            && let Run::Pure(run) = row.run
                            && row.takes(count)
                        {
                            let mut left = fuel + reserve;
                            if let Ok(value) = run(&mut Cx { heap, fuel: &mut left }, args) {
                                fuel = left - reserve;
                                r!(a) = value;
                                continue;
                            }
                        }
                        fuel += 1;
                        slow!()
                    }
                    number::MatchNum => {
                        if !r!(a).is_num() {
                            jump!();
                        }
                    }
                    number::MatchObject => {
                        if r!(a).as_object().is_none() {
                            jump!();
                        }
                    }
                    number::MatchList => {
                        let want = word.b() as usize;
                        let fits = r!(a).as_list().is_some_and(|list| {
                            let len = heap.list(list).len();
                            if word.c() == 1 { len >= want } else { len == want }
                        });
                        if !fits {
                            jump!();
                        }
                    }
                    _ => slow!(),
                }
            };
            *fuel_left = fuel;
            if let Some(frame) = frames.last_mut() {
                frame.pc = pc as u32;
            }
            return exit;
        }
    }
}
