//! The common cases that are too long for an arm of the fast loop and need no more than the heap.
//!
//! Each answers `None` (or `false`) when it is not the common case; it has then changed nothing, and the general path decides.

use crate::heap::{Site, Store};
use crate::value::{Kind, ObjectId, Value};

/// The number of an index, when it is a whole one that is not negative.
#[inline(always)]
pub(super) fn whole(number: f64) -> Option<usize> {
    let index = number as i64;
    if index as f64 == number && index >= 0 { Some(index as usize) } else { None }
}

/// Whether a value counts as true, when that is known without its contents.
#[inline(always)]
pub(super) fn truth(value: Value) -> Option<bool> {
    if value == Value::TRUE {
        Some(true)
    } else if value == Value::FALSE || value == Value::NIL {
        Some(false)
    } else {
        value.as_num().map(|number| number != 0.0)
    }
}

/// 1.5 · 2^52: added to a whole number of at most 51 bits, it leaves the number in the lowest bits of the sum.
const SHIFT: f64 = 6_755_399_441_055_744.0;

/// The whole number that a float of at most 51 bits is; anything else for others, which [`as_float`] tells.
#[inline(always)]
fn bits_of_whole(number: f64) -> i64 {
    (number + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits()) as i64
}

/// The place that a value names: a whole number from 0 on, of at most 51 bits. Nothing for others, and for -0.
#[inline(always)]
pub(super) fn place(value: Value) -> Option<usize> {
    let place = bits_of_whole(value.float());
    if (place as f64).to_bits() == value.bits() { usize::try_from(place).ok() } else { None }
}

/// Most bytes that [`join`] moves: what costs no fuel beside the instruction's.
const MAX_JOINED: usize = 255;

/// `x + y` of a string and a short string or number, when there is room.
#[inline(never)]
pub(super) fn join(heap: &mut Store, x: Value, y: Value) -> Option<Value> {
    let head = x.as_str()?;
    let mut digits = crate::heap::Digits::default();
    match y.kind() {
        Kind::Str(tail) if heap.joining(head, heap.str(tail).len()) <= MAX_JOINED => heap.concat(head, tail).ok().map(Value::from),
        Kind::Num(number) if heap.joining(head, 0) <= MAX_JOINED => heap.concat_text(head, digits.of(number)).ok().map(Value::from),
        _ => None,
    }
}

/// `x % y` of two whole numbers from 0 on that fit 32 bits.
#[inline(always)]
pub(super) fn remainder_of_whole(x: f64, y: f64) -> Option<f64> {
    short_remainder(x, short(y)?)
}

/// `x % k` of the same kind.
#[inline(always)]
pub(super) fn remainder_by(x: f64, k: i32) -> Option<f64> {
    short_remainder(x, u32::try_from(k).ok()?)
}

/// The number as 32 bits, when it is one of those.
#[inline(always)]
fn short(number: f64) -> Option<u32> {
    let bits = bits_of_whole(number);
    if bits as f64 == number { u32::try_from(bits).ok() } else { None }
}

/// Short division is the faster one by far.
#[inline(always)]
fn short_remainder(x: f64, k: u32) -> Option<f64> {
    short(x)?.checked_rem(k).map(f64::from)
}

/// `x % y` with the sign of the divisor; not finite when `y` is zero.
#[inline(never)]
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

/// Equality where the heap is not asked.
#[inline(always)]
pub(super) fn equal_bits(x: Value, y: Value) -> Option<bool> {
    if let (Some(x), Some(y)) = (x.as_num(), y.as_num()) {
        return Some(x == y);
    }
    if x == y {
        return Some(true);
    }
    if x.is_special() || y.is_special() { Some(false) } else { None }
}

/// Equality where no contents need to be compared.
#[inline(always)]
pub(super) fn equal(heap: &Store, x: Value, y: Value) -> Option<bool> {
    equal_bits(x, y).or_else(|| different_bits(heap, x, y))
}

#[inline(never)]
fn different_bits(heap: &Store, x: Value, y: Value) -> Option<bool> {
    match (x.kind(), y.kind()) {
        (Kind::Str(x), Kind::Str(y)) if heap.is_interned(x) && heap.is_interned(y) => Some(false),
        (Kind::Str(_), Kind::Str(_)) | (Kind::List(_), Kind::List(_)) | (Kind::Object(_), Kind::Object(_)) => None,
        (Kind::Bytes(_), Kind::Bytes(_)) => None,
        (Kind::Handle(_), Kind::Handle(_)) | (Kind::Method(_), Kind::Method(_)) => None,
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
        (Kind::List(list), Kind::Num(n)) => heap.list(list).get(whole(n)?).copied(),
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
pub(super) fn field(heap: &Store, object: ObjectId, site: &Site) -> Value {
    let Some(position) = heap.position(object, site.key) else { return Value::NIL };
    site.position.set(position as u32);
    heap.entry(object, position).map_or(Value::NIL, |(_, value)| value)
}

/// A field that is not where the site saw it last is set; the site remembers its place.
#[inline(never)]
pub(super) fn set_field(heap: &mut Store, target: Value, object: ObjectId, site: &Site, value: Value) -> bool {
    if heap.is_frozen(target) {
        return false;
    }
    let set = heap.set(object, site.key, value);
    if let Ok(position) = set {
        site.position.set(position as u32);
    }
    set.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_whole_number_from_zero_on() {
        for n in [0.0, -0.0, 1.0, 255.0, 4_294_967_296.0, 2_251_799_813_685_247.0] {
            assert_eq!(place(Value::num(n)), (n.to_bits() != (-0.0_f64).to_bits()).then_some(n as usize), "{n}");
        }
        assert_eq!(place(Value::NIL), None);
        assert_eq!(place(Value::TRUE), None);
        for n in
            [-1.0, 0.5, 1e-300, -1e15, 2f64.powi(51) + 0.5, 2f64.powi(52), 2f64.powi(53) + 2.0, -2f64.powi(52), 1e300, f64::MAX, f64::MIN]
        {
            assert_eq!(place(Value::num(n)), None, "{n}");
        }
    }

    #[test]
    fn every_way_to_a_remainder_gives_the_same() {
        let edges =
            [0.0, 1.0, 2.0, 3.0, 7.0, 0.5, 2.75, 1e9, 4_294_967_295.0, 4_294_967_296.0, 2f64.powi(51), 2f64.powi(52) + 1.0, 1e17, 1e300];
        for x in edges.iter().flat_map(|&x| [x, -x, x + 1.0, x - 1.0]) {
            for y in edges.iter().flat_map(|&y| [y, -y]).filter(|&y| y != 0.0) {
                let expected = remainder(x, y);
                for short in [remainder_of_whole(x, y), (y as i32 as f64 == y).then(|| remainder_by(x, y as i32)).flatten()] {
                    assert!(short.is_none_or(|short| short.to_bits() == expected.to_bits()), "{x} % {y}");
                }
                let both_short = [x, y].iter().all(|number| *number == f64::from(*number as u32));
                assert_eq!(remainder_of_whole(x, y).is_some(), both_short, "{x} % {y}");
            }
        }
    }
}
