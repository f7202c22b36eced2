//! What the heap promises, on small cases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::value::{ListId, ObjectId};

const MIB: usize = 1 << 20;
const WIDE: Bound = Bound { work: 10_000_000, bytes: 256 * MIB };

fn heap() -> Heap {
    Heap::new(64 * MIB)
}
fn list_id(value: Value) -> ListId {
    value.as_list().unwrap()
}
fn object_id(value: Value) -> ObjectId {
    value.as_object().unwrap()
}
fn shown(heap: &Heap, value: Value) -> String {
    let mut out = String::new();
    text(heap, value, &mut out, WIDE).unwrap();
    out
}
fn same(heap: &Heap, a: Value, b: Value) -> bool {
    equal(heap, a, b, WIDE).unwrap().0
}
/// A list nested `depth` deep around `core`.
fn nested(heap: &mut Heap, core: Value, depth: usize) -> Value {
    (0..depth).fold(core, |inner, _| heap.list_new(&[inner]).unwrap())
}
/// Each level holds the one before twice.
fn doubled(heap: &mut Heap, levels: usize) -> Value {
    let leaf = heap.list_new(&[]).unwrap();
    (0..levels).fold(leaf, |inner, _| heap.list_new(&[inner, inner]).unwrap())
}

#[test]
fn equal_short_strings_are_the_same_value_and_long_ones_are_equal() {
    let mut heap = heap();
    assert_eq!(heap.string("abc").unwrap(), heap.string("abc").unwrap());
    let long = "x".repeat(INTERN_MAX + 1);
    let (a, b) = (heap.string(&long).unwrap(), heap.string_owned(long.clone()).unwrap());
    assert_ne!(a, b);
    assert!(same(&heap, a, b));
    let (a, b) = (a.as_str().unwrap(), b.as_str().unwrap());
    assert_eq!(heap.key(a).unwrap(), heap.key(b).unwrap());
    assert_eq!(heap.known_key(&long), Some(a));
    assert_eq!(heap.known_key_of(b), Some(a));
}

#[test]
fn joining_gives_the_text_of_both_whatever_their_length() {
    let mut heap = heap();
    for (left, right) in [("", ""), ("a", ""), ("ab", "cé"), (&"é".repeat(20) as &str, "x"), (&"é".repeat(20) as &str, "")] {
        let a = heap.intern(left).unwrap();
        let b = heap.intern(right).unwrap();
        let joined = heap.concat(a, b).unwrap();
        assert_eq!(heap.str(joined), format!("{left}{right}"));
        assert_eq!(heap.chars(joined), left.chars().count() + right.chars().count());
        let direct = heap.string(&format!("{left}{right}")).unwrap();
        assert!(same(&heap, joined.into(), direct));
    }
}

#[test]
fn characters_are_found_by_code_point_in_any_order() {
    let mut heap = heap();
    let text = "aé漢🎉z";
    let id = heap.intern(text).unwrap();
    for index in [0, 4, 2, 3, 1, 1, 0, 4] {
        let found = heap.char_at(id, index).unwrap().unwrap();
        assert_eq!(shown(&heap, found), text.chars().nth(index).unwrap().to_string());
    }
    assert_eq!(heap.char_at(id, 5).unwrap(), None);
    let (mut offset, mut seen) = (0, String::new());
    while let Some((character, next)) = heap.char_from(id, offset).unwrap() {
        seen.push_str(heap.str(character.as_str().unwrap()));
        offset = next;
    }
    assert_eq!(seen, text);
    assert!(!heap.is_ascii(id));
}

#[test]
fn what_nothing_reaches_is_freed_and_what_a_root_reaches_stays() {
    let mut heap = heap();
    let text = heap.string(&"kept ".repeat(100)).unwrap();
    let kept = nested(&mut heap, text, 10);
    let before = heap.live();
    for round in 0..1000 {
        let text = heap.string(&format!("garbage number {round}, long enough not to be interned")).unwrap();
        nested(&mut heap, text, 10);
    }
    assert!(heap.live() > before + 100_000);
    heap.collect(&mut |marker| marker.value(kept));
    assert!(heap.live() < before + 50_000, "{} against {before}", heap.live());
    assert!(shown(&heap, kept).contains("kept kept"));
}

#[test]
fn an_empty_heap_holds_next_to_nothing_after_a_collection() {
    let mut heap = heap();
    for number in 0..100_000u32 {
        let key = heap.intern(&format!("key {number}")).unwrap();
        let object = heap.object_with(&[key], &[Value::num(1.0)]).unwrap();
        heap.set(object_id(object), key, Value::NIL).unwrap();
    }
    heap.collect(&mut |_| {});
    assert!(heap.live() < 4096, "{}", heap.live());
}

#[test]
fn cycles_are_collected() {
    let mut heap = heap();
    for _ in 0..1_000_000 {
        if heap.should_collect() {
            heap.collect(&mut |_| {});
        }
        let (a, b) = (heap.list_with_capacity(1).unwrap(), heap.list_with_capacity(1).unwrap());
        heap.list_push(a, b.into()).unwrap();
        heap.list_push(b, a.into()).unwrap();
    }
    assert!(heap.live() < 8 * MIB);
}

#[test]
fn a_stale_id_reads_as_empty() {
    let mut heap = heap();
    let list = list_id(heap.list_new(&[Value::TRUE]).unwrap());
    let object = heap.object_new().unwrap();
    let text = heap.string(&"long ".repeat(20)).unwrap().as_str().unwrap();
    heap.collect(&mut |_| {});
    assert!(heap.list(list).is_empty());
    assert_eq!(heap.str(text), "");
    assert_eq!(heap.object_len(object), 0);
    heap.list_push(list, Value::TRUE).unwrap();
    assert!(heap.list(list).is_empty());
    assert!(!heap.list_set(list, 0, Value::TRUE));
    heap.collect(&mut |marker| marker.values(&[list.into(), object.into(), text.into()]));
    assert!(heap.list(list).is_empty());
}

#[test]
fn a_refused_charge_changes_nothing() {
    let mut heap = Heap::new(4 * MIB);
    let list = heap.list_with_capacity(0).unwrap();
    let mut pushed = 0;
    while heap.list_push(list, Value::num(1.0)).is_ok() {
        pushed += 1;
    }
    assert_eq!(heap.list(list).len(), pushed);
    assert!(pushed > 100_000);
    assert!(heap.live() <= heap.limit());
    let live = heap.live();
    assert!(heap.string_owned("x".repeat(4 * MIB)).is_err());
    assert!(heap.list_with_capacity(usize::MAX / 2).is_err());
    assert!(heap.live() < live + 1024, "at most empty slots are left of it");
    heap.collect(&mut |_| {});
    assert!(heap.live() < 8192);
}

#[test]
fn objects_keep_their_order_through_growth_replacement_and_removal() {
    let mut heap = heap();
    let object = heap.object_new().unwrap();
    let keys: Vec<_> = (0..40).map(|number| heap.intern(&format!("k{number}")).unwrap()).collect();
    for (number, &key) in keys.iter().enumerate() {
        assert_eq!(heap.set(object, key, Value::num(number as f64)).unwrap(), number);
        assert_eq!(heap.position(object, key), Some(number));
    }
    assert_eq!(heap.set(object, keys[3], Value::TRUE).unwrap(), 3);
    assert_eq!(heap.entry(object, 3), Some((keys[3], Value::TRUE)));
    heap.set_entry(object, 3, Value::FALSE);
    assert_eq!(heap.get(object, keys[3]), Some(Value::FALSE));
    assert_eq!(heap.remove(object, keys[0]), Some(Value::num(0.0)));
    assert_eq!(heap.remove(object, keys[0]), None);
    assert_eq!(heap.position(object, keys[1]), Some(0));
    let order: Vec<_> = heap.entries(object).map(|pair| pair.0).collect();
    assert_eq!(order, keys[1..]);
}

#[test]
fn the_later_of_two_equal_keys_wins() {
    let mut heap = heap();
    let (a, b) = (heap.intern("a").unwrap(), heap.intern("b").unwrap());
    let object = heap.object_with(&[a, b, a], &[Value::num(1.0), Value::num(2.0), Value::num(3.0)]).unwrap();
    assert_eq!(shown(&heap, object), "{a: 3, b: 2}");
    let keys: Vec<_> = (0..12).map(|number| heap.intern(&format!("k{}", number % 11)).unwrap()).collect();
    let values: Vec<_> = (0..12).map(|number| Value::num(f64::from(number))).collect();
    let object = heap.object_with(&keys, &values).unwrap();
    assert_eq!(heap.object_len(object_id(object)), 11);
    assert_eq!(heap.get(object_id(object), keys[0]), Some(Value::num(11.0)));
}

#[test]
fn texts_are_as_the_language_says() {
    let mut heap = heap();
    let text = heap.string("a\"b\\\n\t\u{7}\u{9b}é").unwrap();
    let (name, words, word) = (heap.intern("_k1").unwrap(), heap.intern("two words").unwrap(), heap.intern("if").unwrap());
    let bytes = heap.bytes_new(b"a\"\x00\xff\n".to_vec()).unwrap();
    let object = heap.object_with(&[name, words, word], &[text, Value::NIL, Value::TRUE]).unwrap();
    let empty_object = heap.object_new().unwrap().into();
    let empty = heap.list_new(&[]).unwrap();
    let list = heap.list_new(&[Value::num(1.0), object, bytes, empty, empty_object, Value::FALSE]).unwrap();
    assert_eq!(shown(&heap, list), r#"[1, {_k1: "a\"b\\\n\t\u{7}\u{9b}é", "two words": nil, "if": tru}, b"a\"\x00\xff\n", [], {}, fls]"#);
    assert_eq!(shown(&heap, text), "a\"b\\\n\t\u{7}\u{9b}é");
    for (number, text) in [(1.0, "1"), (-0.0, "0"), (0.1, "0.1"), (1e21, "1e+21"), (123456789012345680000.0, "123456789012345680000")] {
        assert_eq!(shown(&heap, Value::num(number)), text);
    }
    heap.names = Names { builtin: |_| "len", native: |_| "__sys_time" };
    assert_eq!(shown(&heap, Value::builtin(3)), "<bif len>");
    assert_eq!(shown(&heap, Value::native(3)), "<bif __sys_time>");
    let sandbox = heap.sandbox_new(SbxId(7)).unwrap();
    let handle = heap.handle_new(HandleId { index: 5, generation: 6 }, "fil").unwrap();
    assert_eq!(shown(&heap, sandbox), "<sbx>");
    assert_eq!(shown(&heap, handle), "<fil>");
}

#[test]
fn a_value_inside_itself_is_shown_as_dots_at_any_depth() {
    let mut heap = heap();
    let list = heap.list_with_capacity(1).unwrap();
    heap.list_push(list, list.into()).unwrap();
    assert_eq!(shown(&heap, list.into()), "[…]");
    let key = heap.intern("me").unwrap();
    let object = heap.object_new().unwrap();
    heap.set(object, key, object.into()).unwrap();
    assert_eq!(shown(&heap, object.into()), "{me: …}");
    for depth in [SHALLOW_ENOUGH, 200] {
        let core = heap.list_with_capacity(1).unwrap();
        let outer = nested(&mut heap, core.into(), depth);
        heap.list_push(core, outer).unwrap();
        assert_eq!(shown(&heap, outer), format!("{}…{}", "[".repeat(depth + 1), "]".repeat(depth + 1)));
    }
    let twice = heap.list_new(&[]).unwrap();
    let list = heap.list_new(&[twice, twice]).unwrap();
    assert_eq!(shown(&heap, list), "[[], []]", "shared is not inside itself");
}
const SHALLOW_ENOUGH: usize = 10;

#[test]
fn a_million_levels_are_shown_compared_and_collected_without_recursion() {
    let mut heap = Heap::new(512 * MIB);
    let (core_a, core_b) = (heap.string("a").unwrap(), heap.string("b").unwrap());
    let a = nested(&mut heap, core_a, 1_000_000);
    let b = nested(&mut heap, core_a, 1_000_000);
    let c = nested(&mut heap, core_b, 1_000_000);
    assert_eq!(shown(&heap, a).len(), 2_000_003);
    assert!(same(&heap, a, b));
    assert!(!same(&heap, a, c));
    heap.collect(&mut |marker| marker.values(&[a, c]));
    assert!(!same(&heap, a, c));
    let small = Bound { work: u64::MAX, bytes: MIB };
    assert!(matches!(text(&heap, a, &mut String::new(), small), Err(Overrun::Bytes(_))));
    assert!(matches!(equal(&heap, a, c, small), Err(Overrun::Bytes(_))));
    assert!(equal(&heap, a, c, Bound { work: u64::MAX, bytes: 40 * MIB }).is_ok(), "a chain takes no more than remembering it");
}

#[test]
fn sixty_doublings_are_bounded_when_shown_and_linear_when_compared() {
    let mut heap = heap();
    let (a, b) = (doubled(&mut heap, 60), doubled(&mut heap, 60));
    let (equal, work) = equal(&heap, a, b, WIDE).unwrap();
    assert!(equal);
    assert!(work < 1000, "{work}");
    assert_eq!(text(&heap, a, &mut String::new(), Bound { work: 100_000, bytes: MIB * 100 }), Err(Overrun::Work));
    assert!(matches!(text(&heap, a, &mut String::new(), Bound { work: u64::MAX, bytes: MIB }), Err(Overrun::Bytes(_))));
    let short = short_text(&heap, a, 20);
    assert_eq!(short, "[[[[[[[[[[[[[[[[[[[[…");
    let c = heap.list_new(&[a, Value::NIL]).unwrap();
    let d = heap.list_new(&[b, Value::TRUE]).unwrap();
    assert!(!same(&heap, c, d));
}

#[test]
fn equality_ends_on_cycles() {
    let mut heap = heap();
    let loops: Vec<_> = (0..2)
        .map(|_| {
            let list = heap.list_with_capacity(1).unwrap();
            heap.list_push(list, list.into()).unwrap();
            list
        })
        .collect();
    assert!(same(&heap, loops[0].into(), loops[1].into()));
    heap.list_push(loops[0], Value::num(1.0)).unwrap();
    heap.list_push(loops[1], Value::num(2.0)).unwrap();
    assert!(!same(&heap, loops[0].into(), loops[1].into()));
}

#[test]
fn equality_is_structural_and_never_mixes_types() {
    let mut heap = heap();
    let (a, b) = (heap.intern("a").unwrap(), heap.intern("b").unwrap());
    let one = Value::num(1.0);
    let x = heap.object_with(&[a, b], &[one, Value::NIL]).unwrap();
    let y = heap.object_with(&[b, a], &[Value::NIL, one]).unwrap();
    let z = heap.object_with(&[b], &[one]).unwrap();
    assert!(same(&heap, x, y), "order of keys does not matter");
    assert!(!same(&heap, x, z));
    assert!(same(&heap, Value::num(0.0), Value::num(-0.0)));
    let text = heap.string("1").unwrap();
    assert!(!same(&heap, one, text));
    assert!(!same(&heap, Value::FALSE, Value::num(0.0)));
    assert!(!same(&heap, Value::NIL, Value::FALSE));
    let (p, q) = (heap.bytes_new(vec![1, 2]).unwrap(), heap.bytes_new(vec![1, 2]).unwrap());
    assert!(same(&heap, p, q));
    let id = HandleId { index: 1, generation: 1 };
    let (p, q) = (heap.handle_new(id, "fil").unwrap(), heap.handle_new(id, "fil").unwrap());
    assert!(same(&heap, p, q));
}

#[test]
fn order_is_of_numbers_and_of_strings_by_code_point() {
    use std::cmp::Ordering::{Greater, Less};
    let mut heap = heap();
    assert_eq!(compare(&heap, Value::num(1.0), Value::num(2.0)), Some(Less));
    let (small, large) = (heap.string("\u{FFFF}").unwrap(), heap.string("\u{10000}").unwrap());
    assert_eq!(compare(&heap, small, large), Some(Less));
    assert_eq!(compare(&heap, large, small), Some(Greater));
    assert_eq!(compare(&heap, small, Value::num(1.0)), None);
    assert_eq!(compare(&heap, Value::NIL, Value::NIL), None);
}

#[test]
fn a_handle_is_dropped_with_its_last_reference() {
    let mut heap = heap();
    let (one, two) = (HandleId { index: 1, generation: 0 }, HandleId { index: 2, generation: 0 });
    let kept = heap.handle_new(one, "fil").unwrap();
    for id in [one, two, two] {
        heap.handle_new(id, "fil").unwrap();
    }
    heap.collect(&mut |marker| marker.value(kept));
    assert_eq!(heap.take_dropped_handles(), [two]);
    heap.collect(&mut |_| {});
    assert_eq!(heap.take_dropped_handles(), [one]);
    assert!(heap.take_dropped_handles().is_empty());
}

#[test]
fn truth_is_as_the_language_says() {
    let mut heap = heap();
    let empty_text = heap.string("").unwrap();
    let empty_list = heap.list_new(&[]).unwrap();
    for falsy in [Value::FALSE, Value::NIL, Value::num(0.0), Value::num(-0.0), empty_text, empty_list] {
        assert!(!heap.truthy(falsy), "{falsy:?}");
    }
    let text = heap.string("0").unwrap();
    let object = heap.object_new().unwrap();
    let list = heap.list_new(&[Value::NIL]).unwrap();
    for truthy in [Value::TRUE, Value::num(0.5), text, object.into(), list, Value::builtin(0)] {
        assert!(heap.truthy(truthy), "{truthy:?}");
    }
}

#[test]
fn freezing_is_a_mark_that_writers_ask_for() {
    let mut heap = heap();
    let list = heap.list_new(&[]).unwrap();
    assert!(!heap.is_frozen(list));
    heap.freeze(list);
    assert!(heap.is_frozen(list));
    heap.collect(&mut |_| {});
    let fresh = heap.list_new(&[]).unwrap();
    assert_eq!(fresh, list, "the slot is used again");
    assert!(!heap.is_frozen(fresh));
}

#[test]
fn a_string_in_a_used_again_slot_is_not_taken_for_the_one_before() {
    let mut heap = heap();
    let first = heap.string(&"é".repeat(40)).unwrap().as_str().unwrap();
    heap.char_at(first, 20).unwrap();
    heap.collect(&mut |_| {});
    let text = format!("{}€", "漢".repeat(40));
    let second = heap.string(&text).unwrap().as_str().unwrap();
    assert_eq!(second, first);
    let found = heap.char_at(second, 40).unwrap().unwrap();
    assert_eq!(shown(&heap, found), "€");
}
