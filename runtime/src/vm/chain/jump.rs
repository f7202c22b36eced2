//! Jumps forwards, with their conditions.

use super::super::quick;
use super::super::window::SPECIAL;
use super::{At, Next, aside};
use crate::value::Value;

type M<'a, 'h, const C: bool> = At<'a, 'h, C>;

/// Jumps when the comparison holds, goes on when its opposite does; what has no order here takes the general path.
macro_rules! compare {
    ($m:ident, $x:expr, $y:expr, $op:tt, $not:tt) => {{
        let (x, y): (f64, f64) = ($x, $y);
        if x $op y {
            $m.jump()
        } else if x $not y {
            $m.next()
        } else {
            $m.slow()
        }
    }};
}

#[inline(always)]
pub(super) fn byte<const C: bool>(m: &M<'_, '_, C>) -> f64 {
    f64::from(m.word.b() as i8)
}

#[inline(always)]
pub(super) fn always<const C: bool>(m: M<'_, '_, C>) -> Next {
    m.jump()
}
#[inline(always)]
pub(super) fn if_true<const C: bool>(m: M<'_, '_, C>) -> Next {
    match quick::truth(m.a()) {
        Some(truth) => m.jump_if(truth),
        None => aside!(m, C, |m| {
            let truth = m.s.heap.truthy(m.a());
            m.jump_if(truth)
        }),
    }
}
#[inline(always)]
pub(super) fn if_false<const C: bool>(m: M<'_, '_, C>) -> Next {
    match quick::truth(m.a()) {
        Some(truth) => m.jump_if(!truth),
        None => aside!(m, C, |m| {
            let truth = m.s.heap.truthy(m.a());
            m.jump_if(!truth)
        }),
    }
}
#[inline(always)]
pub(super) fn if_nil<const C: bool>(m: M<'_, '_, C>) -> Next {
    let nil = m.a() == Value::NIL;
    m.jump_if(nil)
}
#[inline(always)]
pub(super) fn if_set<const C: bool>(m: M<'_, '_, C>) -> Next {
    let set = m.a() != Value::UNSET;
    m.jump_if(set)
}
#[inline(always)]
pub(super) fn lt<const C: bool>(m: M<'_, '_, C>) -> Next {
    compare!(m, m.a().float(), m.b().float(), <, >=)
}
#[inline(always)]
pub(super) fn le<const C: bool>(m: M<'_, '_, C>) -> Next {
    compare!(m, m.a().float(), m.b().float(), <=, >)
}
#[inline(always)]
pub(super) fn lt_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    compare!(m, m.a().float(), byte(&m), <, >=)
}
#[inline(always)]
pub(super) fn le_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    compare!(m, m.a().float(), byte(&m), <=, >)
}
#[inline(always)]
pub(super) fn gt_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    compare!(m, m.a().float(), byte(&m), >, <=)
}
#[inline(always)]
pub(super) fn ge_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    compare!(m, m.a().float(), byte(&m), >=, <)
}
#[inline(always)]
pub(super) fn eq_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    let same = m.a().float() == byte(&m);
    m.jump_if(same)
}
#[inline(always)]
pub(super) fn ne_int<const C: bool>(m: M<'_, '_, C>) -> Next {
    let same = m.a().float() == byte(&m);
    m.jump_if(!same)
}
#[inline(always)]
pub(super) fn is<const C: bool>(m: M<'_, '_, C>) -> Next {
    let same = SPECIAL.get(m.word.b() as usize) == Some(&m.a());
    m.jump_if(same)
}
#[inline(always)]
pub(super) fn is_not<const C: bool>(m: M<'_, '_, C>) -> Next {
    let same = SPECIAL.get(m.word.b() as usize) == Some(&m.a());
    m.jump_if(!same)
}
#[inline(always)]
pub(super) fn eq_text<const C: bool>(m: M<'_, '_, C>) -> Next {
    let same = m.s.unit.constants.get(m.word.b() as usize) == Some(&m.a());
    m.jump_if(same)
}
#[inline(always)]
pub(super) fn ne_text<const C: bool>(m: M<'_, '_, C>) -> Next {
    let same = m.s.unit.constants.get(m.word.b() as usize) == Some(&m.a());
    m.jump_if(!same)
}
#[inline(always)]
pub(super) fn eq<const C: bool>(m: M<'_, '_, C>) -> Next {
    match quick::equal_bits(m.a(), m.b()) {
        Some(same) => m.jump_if(same),
        None => aside!(m, C, |m| match quick::equal(m.s.heap, m.a(), m.b()) {
            Some(same) => m.jump_if(same),
            None => m.slow(),
        }),
    }
}
#[inline(always)]
pub(super) fn ne<const C: bool>(m: M<'_, '_, C>) -> Next {
    match quick::equal_bits(m.a(), m.b()) {
        Some(same) => m.jump_if(!same),
        None => aside!(m, C, |m| match quick::equal(m.s.heap, m.a(), m.b()) {
            Some(same) => m.jump_if(!same),
            None => m.slow(),
        }),
    }
}
#[inline(always)]
pub(super) fn unless_num<const C: bool>(m: M<'_, '_, C>) -> Next {
    let fits = m.a().is_num();
    m.jump_if(!fits)
}
#[inline(always)]
pub(super) fn unless_object<const C: bool>(m: M<'_, '_, C>) -> Next {
    let fits = m.a().as_object().is_some();
    m.jump_if(!fits)
}
#[inline(always)]
pub(super) fn unless_list<const C: bool>(m: M<'_, '_, C>) -> Next {
    let want = m.word.b() as usize;
    let fits = m.a().as_list().is_some_and(|list| {
        let len = m.s.heap.list(list).len();
        if m.word.c() == 1 { len >= want } else { len == want }
    });
    m.jump_if(!fits)
}
