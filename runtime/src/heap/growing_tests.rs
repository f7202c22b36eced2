//! Strings that are pieces of one buffer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn heap() -> Heap {
    Heap::new(16 << 20)
}
fn id(value: Value) -> StrId {
    value.as_str().unwrap()
}
fn long(heap: &mut Heap, letter: &str) -> StrId {
    id(heap.string(&letter.repeat(200)).unwrap())
}
fn keep(heap: &mut Heap, kept: &[StrId]) {
    heap.collect(&mut |marker| kept.iter().for_each(|&text| marker.string(text)));
}

#[test]
fn adding_again_and_again_moves_only_what_is_added() {
    let mut heap = heap();
    let mut text = long(&mut heap, "x");
    let add = id(heap.string("yz").unwrap());
    text = heap.concat(text, add).unwrap();
    text = heap.concat(text, add).unwrap();
    for _ in 0..50_000 {
        assert_eq!(heap.joining(text, 2), 2);
        text = heap.concat(text, add).unwrap();
        if heap.room() < 8 << 20 {
            keep(&mut heap, &[text, add]);
        }
    }
    assert_eq!(heap.str(text).len(), 204 + 100_000);
    assert!(heap.str(text).ends_with("xyz") || heap.str(text).ends_with("yzyz"));
}

#[test]
fn what_a_string_was_made_from_stays_as_it_was() {
    let mut heap = heap();
    let base = long(&mut heap, "é");
    let (a, b) = (id(heap.string("a").unwrap()), id(heap.string("b").unwrap()));
    let one = heap.concat(base, a).unwrap();
    let two = heap.concat(one, b).unwrap();
    let other = heap.concat(one, a).unwrap();
    let own = heap.concat(two, two).unwrap();
    let numbered = heap.concat_text(two, "17").unwrap();
    let é = "é".repeat(200);
    assert_eq!(heap.str(base), é);
    assert_eq!(heap.str(one), format!("{é}a"));
    assert_eq!(heap.str(two), format!("{é}ab"));
    assert_eq!(heap.str(other), format!("{é}aa"));
    assert_eq!(heap.str(own), format!("{é}ab{é}ab"));
    assert_eq!(heap.str(numbered), format!("{é}ab17"));
    assert_eq!((heap.chars(two), heap.is_ascii(two)), (202, false));
    assert_eq!(heap.char_at(two, 201).unwrap(), Some(b.into()));
    let alike = heap.string(&format!("{é}ab")).unwrap();
    assert!(equal(&heap, two.into(), alike, Bound { work: 1000, bytes: 1 << 20 }).unwrap().0);
}

#[test]
fn what_is_made_once_takes_no_more_room_than_it_needs() {
    let mut heap = heap();
    let (base, a) = (long(&mut heap, "x"), id(heap.string("a").unwrap()));
    heap.concat(base, a).unwrap();
    let before = heap.live();
    heap.concat(base, a).unwrap();
    assert!(heap.live() - before <= 224, "{}", heap.live() - before);
}

#[test]
fn a_piece_can_be_a_key_and_be_lent() {
    let mut heap = heap();
    let base = long(&mut heap, "k");
    let a = id(heap.string("a").unwrap());
    let text = heap.concat(base, a).unwrap();
    let text = heap.concat(text, a).unwrap();
    let lent = heap.lend(text, |_, text| text.len()).unwrap();
    assert_eq!((lent, heap.str(text).len()), (202, 202));
    let key = heap.key(text).unwrap();
    assert!(heap.is_interned(key));
    let again = heap.intern(&format!("{}aa", "k".repeat(200))).unwrap();
    assert_eq!(key, again);
    keep(&mut heap, &[key]);
    assert_eq!(heap.str(key).len(), 202);
}

#[test]
fn a_buffer_goes_with_its_last_piece_and_its_charge_with_it() {
    let mut heap = heap();
    let base = long(&mut heap, "x");
    let a = id(heap.string("a").unwrap());
    keep(&mut heap, &[base, a]);
    let once = heap.concat(base, a).unwrap();
    let first = heap.concat(once, a).unwrap();
    let mut text = first;
    for _ in 0..5000 {
        text = heap.concat(text, a).unwrap();
    }
    keep(&mut heap, &[base, a, first]);
    assert_eq!(heap.str(first).len(), 202);
    let shared = heap.live();
    assert!(shared >= 5000, "a piece holds all of its buffer: {shared}");
    keep(&mut heap, &[base, a]);
    let empty = heap.live();
    assert!(empty + 5000 <= shared, "{empty} of {shared}");
    // Again, and again: nothing adds up.
    for _ in 0..20 {
        let mut text = base;
        for _ in 0..5000 {
            text = heap.concat(text, a).unwrap();
        }
        keep(&mut heap, &[base, a]);
    }
    assert!(heap.live() <= empty + 256, "{} after {empty}", heap.live());
}

#[test]
fn a_buffer_that_does_not_fit_is_refused_and_changes_nothing() {
    let mut heap = Heap::new(64 << 10);
    let a = id(heap.string("0123456789").unwrap());
    let mut text = long(&mut heap, "x");
    let refused = loop {
        keep(&mut heap, &[text, a]);
        let before = heap.live();
        match heap.concat(text, a) {
            Ok(longer) => text = longer,
            Err(_) => break before,
        }
    };
    assert!(heap.str(text).len() > 8 << 10, "{}", heap.str(text).len());
    keep(&mut heap, &[text, a]);
    assert!(heap.live() <= refused);
}
