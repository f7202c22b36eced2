//! Loops: back edges, each of which bills one unit of fuel, and the rounds of counted loops and of loops over lists.

use super::super::quick;
use super::jump::byte;
use super::{At, Next, aside};
use crate::value::Value;

type M<'a, 'h, const C: bool> = At<'a, 'h, C>;

/// As in `jump`; billed once it is known that the comparison needs no general path.
macro_rules! again {
    ($m:ident, $x:expr, $y:expr, $op:tt, $not:tt) => {{
        let (x, y): (f64, f64) = ($x, $y);
        if x $op y {
            if $m.bill() { $m.jump() } else { $m.dry() }
        } else if x $not y {
            if $m.bill() { $m.next() } else { $m.dry() }
        } else {
            $m.slow()
        }
    }};
}

#[inline(always)]
pub(super) fn always<const C: bool>(mut m: M<'_, '_, C>) -> Next {
    if m.bill() { m.jump() } else { m.dry() }
}
#[inline(always)]
fn billed<const C: bool>(mut m: M<'_, '_, C>, condition: bool) -> Next {
    if m.bill() { m.jump_if(condition) } else { m.dry() }
}
#[inline(always)]
pub(super) fn if_true<const C: bool>(m: M<'_, '_, C>) -> Next {
    match quick::truth(m.a()) {
        Some(truth) => billed(m, truth),
        None => aside!(m, C, |m| {
            let truth = m.s.heap.truthy(m.a());
            billed(m, truth)
        }),
    }
}
#[inline(always)]
pub(super) fn lt<const C: bool>(mut m: M<'_, '_, C>) -> Next {
    again!(m, m.a().float(), m.b().float(), <, >=)
}
#[inline(always)]
pub(super) fn le<const C: bool>(mut m: M<'_, '_, C>) -> Next {
    again!(m, m.a().float(), m.b().float(), <=, >)
}
#[inline(always)]
pub(super) fn lt_int<const C: bool>(mut m: M<'_, '_, C>) -> Next {
    again!(m, m.a().float(), byte(&m), <, >=)
}
#[inline(always)]
pub(super) fn le_int<const C: bool>(mut m: M<'_, '_, C>) -> Next {
    again!(m, m.a().float(), byte(&m), <=, >)
}
#[inline(always)]
pub(super) fn gt_int<const C: bool>(mut m: M<'_, '_, C>) -> Next {
    again!(m, m.a().float(), byte(&m), >, <=)
}
#[inline(always)]
pub(super) fn ge_int<const C: bool>(mut m: M<'_, '_, C>) -> Next {
    again!(m, m.a().float(), byte(&m), >=, <)
}
#[inline(always)]
pub(super) fn eq_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    let same = m.a().float() == byte(&m);
    billed(m, same)
}
#[inline(always)]
pub(super) fn ne_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    let same = m.a().float() == byte(&m);
    billed(m, !same)
}
#[inline(always)]
pub(super) fn eq<const C: bool>(m: M<'_, '_, C>) -> Next {
    match quick::equal_bits(m.a(), m.b()) {
        Some(same) => billed(m, same),
        None => aside!(m, C, |m| match quick::equal(m.s.heap, m.a(), m.b()) {
            Some(same) => billed(m, same),
            None => m.slow(),
        }),
    }
}
#[inline(always)]
pub(super) fn ne<const C: bool>(m: M<'_, '_, C>) -> Next {
    match quick::equal_bits(m.a(), m.b()) {
        Some(same) => billed(m, !same),
        None => aside!(m, C, |m| match quick::equal(m.s.heap, m.a(), m.b()) {
            Some(same) => billed(m, !same),
            None => m.slow(),
        }),
    }
}
/// Bills nothing, so it must not count as one of the chain's: the chain ends.
#[inline(always)]
pub(super) fn check<const C: bool>(m: M<'_, '_, C>) -> Next {
    if m.s.fuel <= 0 {
        return m.dry();
    }
    m.s.pc = m.pc;
    Next::Go
}
#[inline(always)]
pub(super) fn for_prep<const C: bool>(m: M<'_, '_, C>) -> Next {
    let (first, last) = (m.part(0).get(), m.part(1).get());
    let (Some(from), Some(to)) = (quick::place(first), quick::place(last)) else { return m.slow() };
    let (left, step) = match m.word.c() {
        1 if from >= to => return m.jump(),
        1 => (to - from - 1, 1.0),
        _ if from <= to => (to - from, 1.0),
        _ => (from - to, -1.0),
    };
    m.part(1).set(Value::num(left as f64));
    m.part(2).set(Value::num(step));
    m.regs[m.word.b() as usize].set(first);
    m.next()
}
/// State as `for_prep` and the general path left it: current value, rounds left, step.
#[inline(always)]
pub(super) fn for_loop<const C: bool>(mut m: M<'_, '_, C>) -> Next {
    let (now, left) = (m.part(0).get().float(), m.part(1).get().float());
    if left >= 1.0 {
        let Some(next) = Value::finite(now + m.part(2).get().float()) else { return m.broken("loop state") };
        if !m.bill() {
            return m.dry();
        }
        m.part(0).set(next);
        m.part(1).set(Value::num(left - 1.0));
        m.regs[m.word.b() as usize].set(next);
        return m.jump();
    }
    m.next()
}

/// The next element of a list that shares its elements with others.
fn far<const C: bool>(m: &M<'_, '_, C>) -> Option<(f64, Value)> {
    let (list, position) = (m.part(0).get().as_list()?, m.part(1).get().as_num()?);
    Some((position, *m.s.heap.list(list).get(position as usize)?))
}

/// The values of a round over a list.
#[inline(always)]
fn begin<const C: bool>(m: &mut M<'_, '_, C>, position: f64, item: Value) {
    let b = m.word.b();
    if m.word.c() == 2 {
        m.regs[b as usize].set(Value::num(position));
        m.regs[b.wrapping_add(1) as usize].set(item);
    } else {
        m.regs[b as usize].set(item);
    }
    m.part(1).set(Value::num(position + 1.0));
}
#[inline(always)]
pub(super) fn iter_next<const C: bool>(mut m: M<'_, '_, C>) -> Next {
    let (Some(list), Some(position)) = (m.part(0).get().as_list(), m.part(1).get().as_num()) else { return m.slow() };
    match m.s.heap.list_near(list).get(position as usize) {
        Some(&item) => {
            begin(&mut m, position, item);
            m.next()
        }
        None => aside!(m, C, |m| match far(&m) {
            Some((position, item)) => {
                begin(&mut m, position, item);
                m.next()
            }
            None => m.jump(),
        }),
    }
}
#[inline(always)]
pub(super) fn iter_loop<const C: bool>(mut m: M<'_, '_, C>) -> Next {
    let (Some(list), Some(position)) = (m.part(0).get().as_list(), m.part(1).get().as_num()) else { return m.slow() };
    if !m.bill() {
        return m.dry();
    }
    match m.s.heap.list_near(list).get(position as usize) {
        Some(&item) => {
            begin(&mut m, position, item);
            m.jump()
        }
        None => aside!(m, C, |m| match far(&m) {
            Some((position, item)) => {
                begin(&mut m, position, item);
                m.jump()
            }
            None => m.next(),
        }),
    }
}
