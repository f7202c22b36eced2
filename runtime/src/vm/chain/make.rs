//! Lists and objects are made, lists appended to.

use super::{At, Next, aside};
use std::cell::Cell;

type M<'a, 'h, const C: bool> = At<'a, 'h, C>;

#[inline(always)]
pub(super) fn list<const C: bool>(m: M<'_, '_, C>) -> Next {
    let first = m.word.b() as usize;
    match m.regs.get(first..first + m.word.c() as usize).map(|items| m.s.heap.list_of(items.iter().map(Cell::get))) {
        Some(Ok(list)) => m.set(list),
        _ => m.slow(),
    }
}
#[inline(always)]
pub(super) fn push<const C: bool>(mut m: M<'_, '_, C>) -> Next {
    let Some(list) = m.a().as_list() else { return m.slow() };
    if !m.bill() {
        return m.dry();
    }
    let value = m.b();
    if m.s.heap.list_put(list, value) {
        return m.next();
    }
    aside!(m, C, |m| {
        let value = m.b();
        if m.a().as_list().is_some_and(|list| m.s.heap.list_append(list, value)) {
            return m.next();
        }
        m.s.fuel += 1;
        m.slow()
    })
}
#[inline(always)]
pub(super) fn object<const C: bool>(m: M<'_, '_, C>) -> Next {
    let Some(keys) = m.s.unit.templates.get(m.k()) else { return m.broken("template") };
    let first = m.word.b() as usize;
    match m.regs.get(first..first + keys.len()).map(|values| m.s.heap.object_of(keys, values.iter().map(Cell::get))) {
        Some(Ok(object)) => m.set(object),
        _ => m.slow(),
    }
}
#[inline(always)]
pub(super) fn object_new<const C: bool>(m: M<'_, '_, C>) -> Next {
    match m.s.heap.object_new() {
        Ok(object) => m.set(object.into()),
        Err(_) => m.slow(),
    }
}
