//! Calls of functions of the same home, returns, and pure builtins.

use super::super::frame::Frame;
use super::super::window::{Window, clear, exact, window};
use super::{At, Next, State, aside, end};
use crate::builtin::{Cx, Run};
use crate::heap::Unit;
use crate::value::{FunctionId, Value};
use ilu_lang::code::op::Word;
use ilu_sbx::ANY;

type M<'a, 'h, const C: bool> = At<'a, 'h, C>;

#[inline(always)]
pub(super) fn call<const C: bool>(m: M<'_, '_, C>) -> Next {
    let Some(id) = m.a().as_function() else { return m.slow() };
    let Some(callee) = m.s.heap.function(id) else { return m.broken("a called function was collected") };
    if (callee.home != m.s.authority() && callee.home != ANY) || callee.gate {
        return m.slow();
    }
    if callee.unit == m.s.unit_id {
        let (number, unit) = (callee.function, m.s.unit);
        return enter(m, id, number, unit);
    }
    aside!(m, C, |m| {
        let Some(id) = m.a().as_function() else { return m.slow() };
        let Some(callee) = m.s.heap.function(id) else { return m.broken("a called function was collected") };
        let (number, unit_id) = (callee.function, callee.unit);
        let Some(unit) = m.s.units.get(unit_id) else { return m.broken("a called unit was collected") };
        if m.s.fuel <= 0 {
            return m.dry();
        }
        // Another unit's code runs, unless the general path takes the call: that begins anew from the frames.
        (m.s.unit, m.s.unit_id) = (unit, unit_id);
        enter(m, id, number, unit)
    })
}

/// Puts up the frame of a function of the unit that is the running one by now.
#[inline(always)]
fn enter<'h, const C: bool>(mut m: M<'_, 'h, C>, id: FunctionId, number: u32, unit: &'h Unit) -> Next {
    let count = m.word.b();
    let Some(function) = unit.program.functions.get(number as usize) else { return m.broken("function") };
    let frames = m.s.frames.len();
    if !exact(function, count) || frames >= m.s.frame_room || frames >= m.s.frames.capacity() {
        return m.slow();
    }
    let base = m.s.base + m.word.a() as usize + 1;
    let Some(regs) = window(m.s.stack, base) else { return m.slow() };
    if !m.bill() {
        return m.dry();
    }
    clear(regs, count, function.registers);
    let (unit_id, authority) = (m.s.unit_id, m.s.authority());
    if let Some(caller) = m.s.frames.last_mut() {
        caller.pc = m.pc as u32;
    }
    let callee = Frame { pc: 0, base: base as u32, unit: unit_id, function: number, closure: id, authority, boundary: false };
    // No other way than to ask again lets the compiler see that there is room.
    if m.s.frames.len() < m.s.frames.capacity() {
        m.s.frames.push(callee);
    }
    (m.s.base, m.s.closure) = (base, id);
    At { regs, pc: function.entry as usize, code: &unit.program.code, ..m }.next()
}

#[inline(always)]
pub(super) fn give_back<const C: bool>(m: M<'_, '_, C>) -> Next {
    let value = m.a();
    leave(m, value)
}
#[inline(always)]
pub(super) fn give_back_nil<const C: bool>(m: M<'_, '_, C>) -> Next {
    leave(m, Value::NIL)
}

/// Returns to the frame below. Costs no fuel, but counts as one of the chain's checkpoints.
#[inline(always)]
fn leave<const C: bool>(m: M<'_, '_, C>, value: Value) -> Next {
    let [.., caller, frame] = m.s.frames.as_slice() else { return last(m.s, value, m.pc) };
    if frame.boundary {
        return last(m.s, value, m.pc);
    }
    let (pc, base, unit, closure, authority) = (caller.pc as usize, caller.base as usize, caller.unit, caller.closure, caller.authority);
    m.s.frames.pop();
    match m.s.stack.get(m.s.base.wrapping_sub(1)) {
        Some(slot) => slot.set(value),
        None => return m.broken("result slot"),
    }
    (m.s.base, m.s.closure, m.s.authority) = (base, closure, u64::from(authority.0));
    if unit == m.s.unit_id {
        return resume(At { pc, ..m });
    }
    aside!(At { pc, ..m }, C, |m| {
        let Some(caller) = m.s.frames.last() else { return m.broken("no caller") };
        let unit_id = caller.unit;
        let Some(unit) = m.s.units.get(unit_id) else { return m.broken("a running unit was collected") };
        (m.s.unit, m.s.unit_id) = (unit, unit_id);
        resume(At { code: &unit.program.code, ..m })
    })
}

/// The end of a function that is a boundary's business.
#[cold]
#[inline(never)]
fn last(s: &mut State<'_>, value: Value, pc: usize) -> Next {
    (s.value, s.pc) = (value, pc);
    end(if s.frames.is_empty() { Next::Broken } else { Next::Return })
}

/// Goes on in the frame that is the running one now.
#[inline(always)]
fn resume<const C: bool>(m: M<'_, '_, C>) -> Next {
    let Some(regs) = window(m.s.stack, m.s.base) else { return m.broken("registers past the stack") };
    if m.s.fuel <= 0 {
        m.s.pc = m.pc;
        return Next::Go;
    }
    m.s.fuel -= 1;
    m.s.beyond += 1;
    At { regs, ..m }.next()
}

#[inline(always)]
pub(super) fn builtin<const C: bool>(mut m: M<'_, '_, C>) -> Next {
    if !m.bill() {
        return m.dry();
    }
    aside!(m, C, |m| match run(m.s, m.regs, m.word) {
        Some(value) => m.set(value),
        None => {
            m.s.fuel += 1;
            m.slow()
        }
    })
}

/// Most arguments of a builtin that are handed over here.
const FEW: usize = 8;

#[inline(always)]
fn run(s: &mut State<'_>, regs: &Window, word: Word) -> Option<Value> {
    let (first, count) = (word.b() as usize, word.c() as usize);
    let row = s.builtins.get(word.k() as usize)?;
    let Run::Pure(run) = row.run else { return None };
    if !row.takes(count) {
        return None;
    }
    let mut args = [Value::NIL; FEW];
    let args = args.get_mut(..count)?;
    for (place, register) in args.iter_mut().zip(regs.get(first..first + count)?) {
        *place = register.get();
    }
    let mut left = s.fuel + s.beyond;
    let value = run(&mut Cx { heap: s.heap, fuel: &mut left }, args).ok()?;
    s.fuel = left - s.beyond;
    Some(value)
}
