//! Lists that are pieces of one buffer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::value::ListId;

fn heap() -> Heap {
    Heap::new(64 << 20)
}
fn made(heap: &mut Heap, numbers: impl ExactSizeIterator<Item = i32>) -> ListId {
    heap.list_of(numbers.map(|n| Value::num(f64::from(n)))).unwrap().as_list().unwrap()
}
fn numbers(heap: &Heap, list: ListId) -> Vec<i32> {
    heap.list(list).iter().map(|item| item.as_num().unwrap() as i32).collect()
}
fn keep(heap: &mut Heap, lists: &[ListId]) {
    heap.collect(&mut |marker| lists.iter().for_each(|&list| marker.value(list.into())));
}

#[test]
fn adding_again_and_again_moves_only_what_is_added() {
    let mut heap = heap();
    let one = made(&mut heap, 7..8);
    let mut list = made(&mut heap, 0..100);
    list = heap.list_concat(list, one).unwrap();
    for round in 0..50_000 {
        assert_eq!(heap.list_joining(list, one), 1, "in round {round}");
        list = heap.list_concat(list, one).unwrap();
        if round % 10_000 == 0 {
            keep(&mut heap, &[list, one]);
            // What adding costs is the same after a collection.
            assert_eq!(heap.list_joining(list, one), 1);
        }
    }
    let all = numbers(&heap, list);
    assert!(all.len() == 50_101 && all[..100] == (0..100).collect::<Vec<_>>() && all[100..].iter().all(|n| *n == 7));
}

#[test]
fn marking_many_pieces_marks_each_element_once() {
    let mut heap = heap();
    let one = made(&mut heap, 7..8);
    let head = made(&mut heap, 0..100);
    let mut all = vec![one, heap.list_concat(head, one).unwrap()];
    for _ in 0..20_000 {
        all.push(heap.list_concat(all[all.len() - 1], one).unwrap());
    }
    let pieces = heap.prefixes.unmarked();
    let mut reach = pieces.clone();
    let marked: usize = all[2..].iter().map(|list| heap.prefixes.to_mark(heap.list_piece(*list).unwrap(), &mut reach).len()).sum();
    assert_eq!(marked, 20_101);
    keep(&mut heap, &all);
    assert_eq!(numbers(&heap, all[15_000]).len(), 15_100);
}

/// A small generator: the same numbers every time.
fn dice(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed >> 8
}

/// One random change, or a new list, of the heap's lists and of plain ones beside them.
fn step(heap: &mut Heap, lists: &mut Vec<(ListId, Vec<i32>)>, seed: &mut u64) {
    let at = (dice(seed) % lists.len() as u64) as usize;
    let (id, len) = (lists[at].0, lists[at].1.len());
    let number = (dice(seed) % 1000) as i32;
    let value = Value::num(f64::from(number));
    let place = if len > 0 { (dice(seed) % len as u64) as usize } else { 0 };
    match dice(seed) % 12 {
        0..=5 => {
            let other = &lists[(dice(seed) % lists.len() as u64) as usize];
            let (with, tail) =
                if other.1.len() < 40 || dice(seed).is_multiple_of(16) { other.clone() } else { (lists[0].0, lists[0].1.clone()) };
            let joined = heap.list_concat(id, with).unwrap();
            let model = [lists[at].1.clone(), tail].concat();
            lists.push((joined, model));
        }
        6 => {
            heap.list_push(id, value).unwrap();
            lists[at].1.push(number);
        }
        7 if len > 0 => {
            heap.list_own(id).unwrap();
            assert!(heap.list_store(id, place, value));
            lists[at].1[place] = number;
        }
        8 => assert_eq!(heap.list_pop(id).map(|v| v.as_num().unwrap() as i32), lists[at].1.pop()),
        9 if len > 0 => {
            heap.list_own(id).unwrap();
            assert!(heap.list_remove(id, place).is_some());
            lists[at].1.remove(place);
        }
        10 => {
            assert!(heap.list_insert(id, place, value).unwrap());
            lists[at].1.insert(place, number);
        }
        11 if at > 0 => {
            heap.list_truncate(id, place);
            lists[at].1.truncate(place);
        }
        _ => {}
    }
}

#[test]
fn lists_that_share_are_as_lists_that_do_not() {
    for round in 1..20u64 {
        let (mut heap, mut seed) = (heap(), round.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let empty = heap.live();
        let mut lists = vec![(made(&mut heap, 0..3), vec![0, 1, 2]), (made(&mut heap, 0..64), (0..64).collect())];
        for n in 0..400 {
            step(&mut heap, &mut lists, &mut seed);
            if n % 50 == 49 {
                let kept = dice(&mut seed) % 3 + 1;
                let mut place = 0;
                lists.retain(|_| {
                    place += 1;
                    place == 1 || dice(&mut seed) % 4 < kept
                });
                keep(&mut heap, &lists.iter().map(|list| list.0).collect::<Vec<_>>());
            }
            for (id, model) in &lists {
                assert_eq!(&numbers(&heap, *id), model, "after step {n} of round {round}");
            }
        }
        keep(&mut heap, &[]);
        keep(&mut heap, &[]);
        assert!(heap.live() - empty < 64 << 10, "{} bytes are left over", heap.live() - empty);
    }
}

#[test]
fn a_refusal_changes_nothing() {
    let mut heap = heap();
    let one = made(&mut heap, 7..8);
    let mut list = made(&mut heap, 0..1000);
    list = heap.list_concat(list, one).unwrap();
    let longer = heap.list_concat(list, one).unwrap();
    let live = heap.live();
    heap.set_limit(live);
    assert!(heap.list_own(list).is_err());
    let mut at = longer;
    while let Ok(more) = heap.list_concat(at, one) {
        at = more;
    }
    assert_eq!((numbers(&heap, list).len(), numbers(&heap, longer).len()), (1001, 1002));
    heap.set_limit(64 << 20);
    let more = heap.list_concat(at, one).unwrap();
    assert_eq!(numbers(&heap, more).len(), numbers(&heap, at).len() + 1);
}
