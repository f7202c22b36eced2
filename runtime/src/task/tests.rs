//! Packing and unpacking, channels and seats by themselves; what tasks do together is in `tests/lang/tasks`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::*;
use crate::heap::{Bound, Heap};
use crate::value::Value;
use ilu_sbx::plain::Plain;
use ilu_sbx::{Grants, Realm, Sandbox, SbxId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn realm() -> Realm {
    Realm::new(Grants::default(), Box::new(crate::host::Process::default()), ilu_std::natives()).unwrap()
}

const PLENTY: Bound = Bound { work: 1 << 40, bytes: 1 << 40 };

fn packed(heap: &Heap, value: Value, bound: Bound) -> Result<Parcel, Refused> {
    let realm = realm();
    pack(heap, value, bound, &|home: SbxId| -> Sandbox { realm.sandbox(home) }).map(|(parcel, _)| parcel)
}

fn unpacked(heap: &mut Heap, parcel: &Parcel) -> Value {
    unpack(heap, parcel, &mut |_| ilu_sbx::VOID).unwrap()
}

fn text(heap: &Heap, value: Value) -> String {
    crate::heap::short_text(heap, value, 1000)
}

#[test]
fn what_is_unpacked_is_what_was_packed() {
    let mut from = Heap::new(1 << 30);
    let deep = Plain::List(vec![Plain::Str("é".repeat(100)), Plain::Bytes(vec![0, 255]), Plain::Num(-0.5), Plain::Nil, Plain::Bool(true)]);
    let plain = Plain::Object(vec![("a".into(), deep.clone()), ("a key".into(), Plain::Object(vec![("in".into(), deep)]))]);
    let value = crate::native::value(&mut from, plain, "fil").unwrap();
    let parcel = packed(&from, value, PLENTY).unwrap();
    let mut to = Heap::new(1 << 30);
    let copy = unpacked(&mut to, &parcel);
    assert_eq!(text(&from, value), text(&to, copy));
    assert!(parcel.bytes() >= to.live() / 2, "{} is too little for {}", parcel.bytes(), to.live());
}

#[test]
fn a_parcel_is_refused_before_it_is_larger_than_there_is_room_for() {
    let mut heap = Heap::new(1 << 30);
    let list = heap.list_with_capacity(10_000).unwrap();
    for n in 0..10_000 {
        let text = heap.string(&format!("text number {n} {}", "x".repeat(50))).unwrap();
        heap.list_push(list, text).unwrap();
    }
    for (bound, wanted) in [(Bound { bytes: 100_000, ..PLENTY }, "Bytes"), (Bound { work: 1000, ..PLENTY }, "Work")] {
        let refused = packed(&heap, list.into(), bound).unwrap_err();
        assert!(format!("{refused:?}").contains(wanted), "{refused:?}");
    }
    assert!(packed(&heap, list.into(), PLENTY).is_ok());
}

#[test]
fn no_room_on_the_other_side_is_told_and_leaves_the_books_right() {
    let mut from = Heap::new(1 << 30);
    let text = from.string(&"x".repeat(1 << 20)).unwrap();
    let list = from.list_new(&[text, text]).unwrap();
    let parcel = packed(&from, list, PLENTY).unwrap();
    let mut to = Heap::new(100_000);
    assert!(unpack(&mut to, &parcel, &mut |_| ilu_sbx::VOID).is_err());
    to.collect(&mut |_| {});
    assert!(to.live() < 10_000, "{}", to.live());
    to.set_limit(1 << 30);
    let list = unpacked(&mut to, &parcel).as_list().unwrap();
    // One text, twice.
    assert_eq!(to.list(list)[0], to.list(list)[1]);
    assert!(to.live() < 3 << 20, "{}", to.live());
}

fn seat(awake: &Arc<AtomicUsize>) -> Arc<Seat> {
    Seat::new(7, Arc::clone(awake))
}

fn spot() -> Spot {
    Spot { source: ilu_lang::source::Source::new("a.ilu", "x\ny\n"), start: 2 }
}

#[test]
fn a_wake_up_that_comes_first_is_not_lost() {
    let awake = Arc::new(AtomicUsize::new(0));
    let seat = seat(&awake);
    seat.wake();
    assert!(!seat.park(false, (WaitsFor::Value, spot())), "it was woken before");
    assert!(seat.park(false, (WaitsFor::Value, spot())));
    assert_eq!((awake.load(Ordering::SeqCst), seat.stuck().map(|(_, spot)| spot.to_string())), (0, Some("a.ilu:2".to_owned())));
    seat.wake();
    assert!(!seat.is_parked());
    assert_eq!(awake.load(Ordering::SeqCst), 1);
    // Who waits for time counts as awake.
    assert!(seat.park(true, (WaitsFor::Value, spot())));
    assert_eq!((awake.load(Ordering::SeqCst), seat.stuck().is_none()), (1, true));
}

#[test]
fn a_taker_that_leaves_after_it_was_woken_passes_the_value_on() {
    let awake = Arc::new(AtomicUsize::new(0));
    let (giver, first, second) = (seat(&awake), seat(&awake), seat(&awake));
    let realm = realm();
    let channel = Channel::new(0, realm.sandbox(realm.root()));
    let Took::Wait(key) = channel.take(&first, None) else { panic!("it is empty") };
    let Took::Wait(_) = channel.take(&second, None) else { panic!("it is empty") };
    assert!(first.park(false, (WaitsFor::Value, spot())) && second.park(false, (WaitsFor::Value, spot())));
    assert!(matches!(channel.give(Parcel::text("x"), &giver, None), Sent::Done));
    assert!(!first.is_parked() && second.is_parked(), "the first that came is woken");
    channel.leave(key, true);
    assert!(!second.is_parked(), "the value would lie there unseen");
}

#[test]
fn a_channel_without_room_takes_no_more_than_are_waited_for() {
    let awake = Arc::new(AtomicUsize::new(0));
    let (a, b) = (seat(&awake), seat(&awake));
    let realm = realm();
    let channel = Channel::new(0, realm.sandbox(realm.root()));
    let Sent::Wait(key, parcel) = channel.give(Parcel::text("x"), &a, None) else { panic!("nobody waits") };
    assert!(a.park(false, (WaitsFor::Room, spot())));
    let Took::Wait(_) = channel.take(&b, None) else { panic!("nothing is there") };
    assert!(!a.is_parked(), "now somebody waits");
    assert!(matches!(channel.give(parcel, &a, Some(key)), Sent::Done));
    assert!(matches!(channel.give(Parcel::text("y"), &a, None), Sent::Wait(..)));
    assert!(matches!(channel.take(&b, None), Took::Value(_)));
    channel.close();
    assert!(matches!(channel.give(Parcel::text("z"), &a, None), Sent::Closed));
    assert!(matches!(channel.take(&b, None), Took::Closed));
}
