//! Values into registers and variables.

use super::super::import::place_of;
use super::{At, Next, aside};
use crate::value::{CellId, Value};
use std::cell::Cell;

type M<'a, 'h, const C: bool> = At<'a, 'h, C>;

#[inline(always)]
pub(super) fn copy<const C: bool>(m: M<'_, '_, C>) -> Next {
    let value = m.b();
    m.set(value)
}
#[inline(always)]
pub(super) fn nil<const C: bool>(m: M<'_, '_, C>) -> Next {
    m.set(Value::NIL)
}
#[inline(always)]
pub(super) fn yes<const C: bool>(m: M<'_, '_, C>) -> Next {
    m.set(Value::TRUE)
}
#[inline(always)]
pub(super) fn no<const C: bool>(m: M<'_, '_, C>) -> Next {
    m.set(Value::FALSE)
}
#[inline(always)]
pub(super) fn unset<const C: bool>(m: M<'_, '_, C>) -> Next {
    m.set(Value::UNSET)
}
#[inline(always)]
pub(super) fn int<const C: bool>(m: M<'_, '_, C>) -> Next {
    let number = m.word.k() as i32;
    m.set(Value::num(f64::from(number)))
}
#[inline(always)]
pub(super) fn constant<const C: bool>(m: M<'_, '_, C>) -> Next {
    match m.s.unit.constants.get(m.k()) {
        Some(&value) => m.set(value),
        None => m.broken("constant"),
    }
}
#[inline(always)]
pub(super) fn global<const C: bool>(m: M<'_, '_, C>) -> Next {
    match m.s.unit.globals.get(m.k()).map(Cell::get) {
        Some(value) if value != Value::UNSET => m.set(value),
        _ => m.slow(),
    }
}
#[inline(always)]
pub(super) fn set_global<const C: bool>(m: M<'_, '_, C>) -> Next {
    match m.s.unit.globals.get(m.k()) {
        Some(slot) => {
            slot.set(m.a());
            m.next()
        }
        None => m.broken("module variable"),
    }
}
#[inline(always)]
fn captured<const C: bool>(m: &M<'_, '_, C>) -> Option<Value> {
    m.s.heap.function(m.s.closure)?.captures.get(m.k()).copied()
}
#[inline(always)]
fn captured_cell<const C: bool>(m: &M<'_, '_, C>) -> Option<CellId> {
    captured(m)?.as_cell()
}
#[inline(always)]
pub(super) fn capture<const C: bool>(m: M<'_, '_, C>) -> Next {
    match captured(&m) {
        Some(value) => m.set(value),
        None => m.broken("capture"),
    }
}
#[inline(always)]
pub(super) fn shared<const C: bool>(m: M<'_, '_, C>) -> Next {
    match captured_cell(&m) {
        Some(cell) => {
            let value = m.s.heap.cell(cell);
            m.set(value)
        }
        None => m.broken("not a cell"),
    }
}
#[inline(always)]
pub(super) fn set_shared<const C: bool>(m: M<'_, '_, C>) -> Next {
    match captured_cell(&m) {
        Some(cell) => {
            let value = m.a();
            m.s.heap.set_cell(cell, value);
            m.next()
        }
        None => m.broken("not a cell"),
    }
}
#[inline(always)]
pub(super) fn cell_new<const C: bool>(m: M<'_, '_, C>) -> Next {
    aside!(m, C, |m| {
        let value = m.b();
        match m.s.heap.cell_new(value) {
            Ok(cell) => m.set(cell.into()),
            Err(_) => m.slow(),
        }
    })
}
#[inline(always)]
pub(super) fn cell<const C: bool>(m: M<'_, '_, C>) -> Next {
    match m.b().as_cell() {
        Some(cell) => {
            let value = m.s.heap.cell(cell);
            m.set(value)
        }
        None => m.broken("not a cell"),
    }
}
#[inline(always)]
pub(super) fn set_cell<const C: bool>(m: M<'_, '_, C>) -> Next {
    match m.a().as_cell() {
        Some(cell) => {
            let value = m.b();
            m.s.heap.set_cell(cell, value);
            m.next()
        }
        None => m.broken("not a cell"),
    }
}
#[inline(always)]
pub(super) fn need_set<const C: bool>(m: M<'_, '_, C>) -> Next {
    if m.a() == Value::UNSET { m.slow() } else { m.next() }
}
#[inline(always)]
pub(super) fn builtin<const C: bool>(m: M<'_, '_, C>) -> Next {
    let value = Value::builtin(m.word.k()).named_in(place_of(m.s.authority()));
    m.set(value)
}
#[inline(always)]
pub(super) fn native<const C: bool>(m: M<'_, '_, C>) -> Next {
    let value = Value::native(m.word.k()).named_in(place_of(m.s.authority()));
    m.set(value)
}
