//! Arithmetic and comparisons that give a value.
//!
//! What is no number reads as a NaN here: the result is then none either, and no comparison holds.

use super::super::quick;
use super::{At, Next, aside};
use crate::value::Value;

type M<'a, 'h, const C: bool> = At<'a, 'h, C>;

/// Writes a number that is one.
#[inline(always)]
fn finite<const C: bool>(m: M<'_, '_, C>, number: f64) -> Next {
    match Value::finite(number) {
        Some(value) => m.set(value),
        None => m.slow(),
    }
}

/// Operand `k` as a number.
#[inline(always)]
fn int<const C: bool>(m: &M<'_, '_, C>) -> f64 {
    f64::from(m.word.k() as i32)
}

#[inline(always)]
pub(super) fn add<const C: bool>(m: M<'_, '_, C>) -> Next {
    let (x, y) = (m.b(), m.c());
    match Value::finite(x.float() + y.float()) {
        Some(value) => m.set(value),
        None => aside!(m, C, |m| match quick::join(m.s.heap, m.b(), m.c()) {
            Some(text) => m.set(text),
            None => m.slow(),
        }),
    }
}
#[inline(always)]
pub(super) fn sub<const C: bool>(m: M<'_, '_, C>) -> Next {
    let number = m.b().float() - m.c().float();
    finite(m, number)
}
#[inline(always)]
pub(super) fn mul<const C: bool>(m: M<'_, '_, C>) -> Next {
    let number = m.b().float() * m.c().float();
    finite(m, number)
}
#[inline(always)]
pub(super) fn div<const C: bool>(m: M<'_, '_, C>) -> Next {
    let number = m.b().float() / m.c().float();
    finite(m, number)
}
#[inline(always)]
pub(super) fn rem<const C: bool>(m: M<'_, '_, C>) -> Next {
    match quick::remainder_of_whole(m.b().float(), m.c().float()) {
        Some(number) => m.set(Value::num(number)),
        None => aside!(m, C, |m| {
            let number = quick::remainder(m.b().float(), m.c().float());
            finite(m, number)
        }),
    }
}
#[inline(always)]
pub(super) fn add_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    let number = m.b().float() + int(&m);
    finite(m, number)
}
#[inline(always)]
pub(super) fn sub_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    let number = m.b().float() - int(&m);
    finite(m, number)
}
#[inline(always)]
pub(super) fn mul_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    let number = m.b().float() * int(&m);
    finite(m, number)
}
#[inline(always)]
pub(super) fn div_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    let number = m.b().float() / int(&m);
    finite(m, number)
}
#[inline(always)]
pub(super) fn rem_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    match quick::remainder_by(m.b().float(), m.word.k() as i32) {
        Some(number) => m.set(Value::num(number)),
        None => aside!(m, C, |m| {
            let number = quick::remainder(m.b().float(), int(&m));
            finite(m, number)
        }),
    }
}
#[inline(always)]
pub(super) fn neg<const C: bool>(m: M<'_, '_, C>) -> Next {
    let number = -m.b().float();
    finite(m, number)
}
#[inline(always)]
pub(super) fn not<const C: bool>(m: M<'_, '_, C>) -> Next {
    match quick::truth(m.b()) {
        Some(truth) => m.set(Value::bool(!truth)),
        None => aside!(m, C, |m| {
            let truth = m.s.heap.truthy(m.b());
            m.set(Value::bool(!truth))
        }),
    }
}
#[inline(always)]
pub(super) fn lt<const C: bool>(m: M<'_, '_, C>) -> Next {
    match (m.b().as_num(), m.c().as_num()) {
        (Some(x), Some(y)) => m.set(Value::bool(x < y)),
        _ => m.slow(),
    }
}
#[inline(always)]
pub(super) fn le<const C: bool>(m: M<'_, '_, C>) -> Next {
    match (m.b().as_num(), m.c().as_num()) {
        (Some(x), Some(y)) => m.set(Value::bool(x <= y)),
        _ => m.slow(),
    }
}
#[inline(always)]
pub(super) fn eq<const C: bool>(m: M<'_, '_, C>) -> Next {
    match quick::equal_bits(m.b(), m.c()) {
        Some(same) => m.set(Value::bool(same)),
        None => aside!(m, C, |m| match quick::equal(m.s.heap, m.b(), m.c()) {
            Some(same) => m.set(Value::bool(same)),
            None => m.slow(),
        }),
    }
}
#[inline(always)]
pub(super) fn ne<const C: bool>(m: M<'_, '_, C>) -> Next {
    match quick::equal_bits(m.b(), m.c()) {
        Some(same) => m.set(Value::bool(!same)),
        None => aside!(m, C, |m| match quick::equal(m.s.heap, m.b(), m.c()) {
            Some(same) => m.set(Value::bool(!same)),
            None => m.slow(),
        }),
    }
}
