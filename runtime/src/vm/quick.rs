//! The common cases that are too long for an arm of the fast loop and need no more than the heap.
//!
//! Each answers `None` (or `false`) when it is not the common case; it has then changed nothing, and the general path decides.

use super::safe::whole;
use crate::heap::{Site, Store};
use crate::value::{Kind, ObjectId, Value};

/// Whether a value counts as true: all but `fls nil 0 "" []`.
#[inline(always)]
pub(super) fn truthy(heap: &Store, value: Value) -> bool {
    if value == Value::TRUE {
        true
    } else if value == Value::FALSE || value == Value::NIL {
        false
    } else if let Some(number) = value.as_num() {
        number != 0.0
    } else {
        truthy_on_heap(heap, value)
    }
}

#[inline(never)]
fn truthy_on_heap(heap: &Store, value: Value) -> bool {
    match value.kind() {
        Kind::Str(id) => !heap.str(id).is_empty(),
        Kind::List(id) => !heap.list(id).is_empty(),
        Kind::Unset => false,
        _ => true,
    }
}

/// `x % y` with the sign of the divisor; not finite when `y` is zero.
#[inline]
pub(super) fn remainder(x: f64, y: f64) -> f64 {
    let (a, b) = (x as i64, y as i64);
    if a as f64 == x && b as f64 == y && b != 0 {
        // Exact: both are whole and within 63 bits. `wrapping` for the one pair that overflows, whose remainder is 0.
        let rest = a.wrapping_rem(b);
        return (if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }) as f64;
    }
    let rest = x % y;
    if rest == 0.0 {
        0.0
    } else if (rest < 0.0) != (y < 0.0) {
        rest + y
    } else {
        rest
    }
}

/// Equality where no contents need to be compared.
#[inline(always)]
pub(super) fn equal(heap: &Store, x: Value, y: Value) -> Option<bool> {
    if let (Some(x), Some(y)) = (x.as_num(), y.as_num()) {
        return Some(x == y);
    }
    if x == y {
        return Some(true);
    }
    different_bits(heap, x, y)
}

#[inline(never)]
fn different_bits(heap: &Store, x: Value, y: Value) -> Option<bool> {
    match (x.kind(), y.kind()) {
        (Kind::Str(x), Kind::Str(y)) if heap.is_interned(x) && heap.is_interned(y) => Some(false),
        (Kind::Str(_), Kind::Str(_)) | (Kind::List(_), Kind::List(_)) | (Kind::Object(_), Kind::Object(_)) => None,
        (Kind::Bytes(_), Kind::Bytes(_)) => None,
        // Each reference is a slot of its own; the sandbox is what they name.
        (Kind::Sandbox(x), Kind::Sandbox(y)) => Some(heap.sandbox(x) == heap.sandbox(y)),
        // Wherever they were named.
        (Kind::Builtin(x), Kind::Builtin(y)) | (Kind::Native(x), Kind::Native(y)) => Some(x == y),
        _ => Some(false),
    }
}

/// `from[index]` of an object with an interned key, or of an ASCII string.
#[inline(never)]
pub(super) fn index(heap: &mut Store, from: Value, index: Value) -> Option<Value> {
    match (from.kind(), index.kind()) {
        (Kind::Object(object), Kind::Str(key)) if heap.is_interned(key) => Some(heap.get(object, key).unwrap_or(Value::NIL)),
        (Kind::Str(id), Kind::Num(n)) if heap.is_ascii(id) => whole(n).and_then(|n| heap.char_at(id, n).ok().flatten()),
        _ => None,
    }
}

/// `target[index] = value` of an object with an interned key.
#[inline(never)]
pub(super) fn set_index(heap: &mut Store, target: Value, index: Value, value: Value) -> bool {
    match (target.kind(), index.kind()) {
        (Kind::Object(object), Kind::Str(key)) if heap.is_interned(key) && !heap.is_frozen(target) => heap.set(object, key, value).is_ok(),
        _ => false,
    }
}

/// A field whose place is not where the site saw it last; the site remembers.
#[inline(never)]
pub(super) fn field(heap: &Store, object: ObjectId, site: &mut Site) -> Value {
    let Some(position) = heap.position(object, site.key) else { return Value::NIL };
    site.position = position as u32;
    heap.entry(object, position).map_or(Value::NIL, |(_, value)| value)
}
