//! How much a sandbox can be asked for at once, and when two are the same one, or nobody any more.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rig;

use ilu_sbx::sandbox::Owner;
use ilu_sbx::{Access, Arg, Limits, Natives, Permit, Plain, Stop};
use rig::{Rig, obj};
use std::sync::Mutex;

const TIME: &str = "__sys_time";

fn num(n: f64) -> Arg<'static> {
    Arg::Num(n)
}

#[test]
fn what_is_asked_for_is_of_a_size() {
    let mut rig = Rig::new(Access::Read);
    let names: Vec<String> = (0..5000).map(|n| format!("n{n}")).collect();
    let each =
        |n: usize, value: &dyn Fn() -> Arg<'static>| Arg::Object(names.iter().take(n).map(|name| (name.as_str(), value())).collect());
    let texts = |n: usize| Arg::List(names.iter().take(n).map(|name| Arg::Str(name)).collect());
    let uses = || obj(&[("uses", num(1.0))]);
    let mut told = |option: &'static str, value: Arg<'_>| match rig.make(&[TIME], Arg::Object(vec![(option, value)])) {
        Err(Stop::Failed(why)) => why,
        other => panic!("{option}: {other:?}"),
    };
    for (option, n, most, value) in [
        ("calls", 4097, "at most 4096", each(4097, &|| num(1.0))),
        ("env", 4097, "at most 4096", texts(4097)),
        ("args", 129, "at most 128", each(129, &|| Arg::List(Vec::new()))),
        ("lease", 129, "at most 128", each(129, &uses)),
    ] {
        let why = told(option, value);
        assert!(why.contains(most), "{option} of {n}: {why:.200}");
    }
    // One less is looked at, name by name.
    for (option, value) in [
        ("calls", each(4096, &|| num(1.0))),
        ("env", texts(4096)),
        ("args", each(128, &|| Arg::List(Vec::new()))),
        ("lease", each(128, &uses)),
    ] {
        let why = told(option, value);
        assert!(!why.contains("at most 4096") && !why.contains("at most 128"), "{option}: {why:.200}");
    }
    let dirs = |n: usize| each(n, &|| Arg::Str("ro"));
    let mut told = |n: usize| match rig.make(&[TIME], obj(&[("dir", dirs(n))])) {
        Err(Stop::Failed(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(told(65).contains("at most 64") && !told(64).contains("at most 64"), "{}", told(65));
    let rules = |n: usize| Arg::List(names.iter().take(n).map(|_| Arg::Str("!x.test")).collect());
    let both = |n: usize| obj(&[("pol", rules(600)), ("net", rules(n))]);
    let made = rig.make(&[TIME], both(425));
    assert!(matches!(&made, Err(Stop::Failed(why)) if why.contains("at most 1024 rules together")), "{made:?}");
    assert!(rig.make(&[TIME], both(424)).is_ok());
}

/// Whoever called the native of this test last.
static OWNER: Mutex<Option<Owner>> = Mutex::new(None);

fn own(permit: &mut Permit<'_>, _: &[Arg<'_>]) -> Result<Plain, Stop> {
    *OWNER.lock().unwrap() = Some(permit.owner());
    Ok(Plain::Nil)
}

#[test]
fn whose_something_is_can_be_revoked_or_gone() {
    let mut rig = Rig::built(Natives::new(&[(TIME, own)]), ilu_cap::CapSet::all(), |_| Vec::new(), &[], Limits::default());
    let owner = |rig: &mut Rig| {
        let s = rig.make(&[TIME], obj(&[])).unwrap();
        rig.enter(s);
        rig.ok(TIME, &[]);
        rig.leave();
        (s, OWNER.lock().unwrap().take().unwrap())
    };
    let ((s, first), (t, second)) = (owner(&mut rig), owner(&mut rig));
    assert!(!first.is_gone() && !second.is_gone());
    assert!(first == first.clone() && first != second);
    assert!(rig.realm.sandbox(s) == rig.realm.sandbox(s) && rig.realm.sandbox(s) != rig.realm.sandbox(t));
    rig.realm.revoke(&rig.site(), s).unwrap();
    assert!(first.is_gone() && !second.is_gone());
    rig.realm.sweep(ilu_sbx::Homes::default(), std::collections::HashSet::new());
    assert!(second.is_gone(), "nobody can act in its name any more");
}

#[test]
fn denials_are_looked_for_where_there_are_some_and_rows_come_in_order() {
    let mut rig = Rig::new(Access::Read);
    let outer = rig.make(&[TIME, "__sys_mono"], obj(&[])).unwrap();
    rig.enter(outer);
    let inner = rig.make(&[TIME], obj(&[])).unwrap();
    for _ in 0..3 {
        rig.enter(outer);
        rig.ok("__sys_mono", &[]);
        rig.enter(inner);
        rig.ok(TIME, &[]);
    }
    assert_eq!((rig.realm.denials_kept(outer), rig.realm.denied(outer).len()), (0, 0));
    rig.denied("__sys_mono", &[]);
    assert_eq!(rig.realm.denials_kept(outer), rig.realm.rows_kept());
    assert_eq!((rig.realm.denied(outer).len(), rig.realm.denied(inner).len()), (1, 1));
    let numbers = |rows: Vec<Plain>| -> Vec<f64> {
        let number = |row: Plain| match row {
            Plain::Object(fields) => match fields.iter().find(|(name, _)| name == "seq") {
                Some((_, Plain::Num(n))) => *n,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        rows.into_iter().map(number).collect()
    };
    rig.enter(outer);
    rig.ok(TIME, &[]);
    let seen = numbers(rig.realm.log(outer));
    assert!(seen.len() >= 4 && seen.is_sorted(), "{seen:?}");
}

#[test]
fn what_was_read_ahead_of_standard_input_is_memory_of_who_read_last() {
    let mut rig = Rig::new(Access::Read);
    *rig.streams.input.lock().unwrap() = b"a\nb\nc\nd\n".to_vec();
    rig.room = 1;
    assert!(matches!(rig.call("__sys_stdin", &[]), Err(Stop::Room(_))), "reading ahead takes room");
    rig.room = 64 << 20;
    assert_eq!(rig.ok("__sys_stdin", &[]), Plain::Str("a".to_owned()));
    assert!(rig.realm.held_bytes() > 0);
    let mut fork = rig.realm.fork(rig.realm.root_account()).unwrap();
    assert_eq!(fork.held_bytes(), 0);
    let site = ilu_sbx::CallSite { account: fork.root_account(), ..rig.site() };
    assert_eq!(fork.call(site, ilu_cap::by_name("__sys_stdin").unwrap(), &[]), Ok(Plain::Str("b".to_owned())));
    assert!(rig.realm.held_bytes() == 0 && fork.held_bytes() > 0, "it is another's now");
}
