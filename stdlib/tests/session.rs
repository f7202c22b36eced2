//! What a session changes between two inputs: budgets begin anew, and with other grants there is another root sandbox.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::disallowed_types, reason = "tests")]
mod rig;

use ilu_cap::{CapSet, NativeId, parse_list};
use ilu_sbx::{Access, Addition, Answer, Arg, Budget, Denial, Grants, Limits, Operator, Plain, Rule, SbxId, Stop};
use rig::{Rig, mount, obj};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const READ: &str = "__sys_read_file";
const WRITE: &str = "__sys_write_file";
const OUT: &str = "__sys_stdout";

/// A call by code of a sandbox.
fn call_as(rig: &mut Rig, sandbox: SbxId, native: &str, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let before = std::mem::replace(&mut rig.authority, sandbox);
    let result = rig.call(native, args);
    rig.authority = before;
    result
}

fn rule(result: Result<Plain, Stop>) -> Rule {
    match result {
        Err(Stop::Denied(denial)) => denial.rule,
        other => panic!("{other:?}"),
    }
}

/// `R/` as `/r`, and `N/` that is not granted.
fn scene(access: Access) -> Rig {
    let rig = Rig::holding(NativeId::all().collect(), |base| vec![mount(&base.join("R"), "/r", access)], &[], Limits::none());
    std::fs::create_dir(rig.base.join("N")).unwrap();
    std::fs::write(rig.base.join("N/a.txt"), "of N").unwrap();
    rig
}

fn all(rig: &Rig, mounts: &[(&str, &str, Access)]) -> Grants {
    let mounts = mounts.iter().map(|(name, guest, access)| mount(&rig.base.join(name), guest, *access)).collect();
    Grants { caps: CapSet::all(), mounts, limits: Limits::none(), ..Grants::default() }
}

#[test]
fn each_input_has_the_budgets_for_itself() {
    let limits = Limits { output: 5, calls: vec![(ilu_cap::by_name(OUT).unwrap(), 2)], wall_ms: 1_000, ..Limits::none() };
    let mut rig = Rig::holding(CapSet::all(), |_| Vec::new(), &[], limits);
    for _ in 0..3 {
        assert!(rig.call(OUT, &[Arg::Str("abc")]).is_ok());
        assert!(matches!(rig.call(OUT, &[Arg::Str("def")]), Err(Stop::Limit { budget: Budget::Output, .. })));
        rig.realm.restart();
    }
    for _ in 0..2 {
        assert!(rig.call(OUT, &[Arg::Str("a")]).is_ok() && rig.call(OUT, &[Arg::Str("b")]).is_ok());
        assert!(matches!(rig.call(OUT, &[Arg::Str("c")]), Err(Stop::Limit { budget: Budget::Calls(_), .. })));
        rig.realm.restart();
    }
    rig.streams.ahead.store(2_000, Ordering::Relaxed);
    assert_eq!(rig.realm.exhausted(rig.account).map(|(budget, _)| budget), Some(Budget::Time));
    rig.realm.restart();
    assert_eq!(rig.realm.exhausted(rig.account), None);
}

#[test]
fn what_is_open_still_counts_when_budgets_begin_anew() {
    let limits = Limits { handles: 1, ..Limits::none() };
    let mut rig = Rig::holding(CapSet::all(), |base| vec![mount(&base.join("R"), "/r", Access::Read)], &[], limits);
    assert!(rig.call("__sys_open_read", &[Arg::Str("/r/a.txt")]).is_ok());
    rig.realm.restart();
    assert!(rig.call("__sys_open_read", &[Arg::Str("/r/a.txt")]).is_err(), "one may be open, and is");
}

#[test]
fn with_other_grants_there_is_what_they_grant_and_nothing_else() {
    let mut rig = scene(Access::ReadWrite);
    let mut grants = all(&rig, &[("R", "/r", Access::ReadWrite)]);
    grants.env = vec![("A".into(), "1".into())];
    rig.realm.regrant(grants).unwrap();
    assert!(rig.call(WRITE, &[Arg::Str("/r/new.txt"), Arg::Str("x")]).is_ok());
    assert_eq!(rig.call("__sys_getenv", &[Arg::Str("A")]), Ok(Plain::Str("1".into())));
    let mut grants = all(&rig, &[("N", "/n", Access::Read)]);
    grants.env = vec![("B".into(), "2".into())];
    rig.realm.regrant(grants).unwrap();
    assert_eq!(rig.call(READ, &[Arg::Str("/n/a.txt")]), Ok(Plain::Str("of N".into())));
    assert_eq!(rule(rig.call(READ, &[Arg::Str("/r/a.txt")])), Rule::NoGrant);
    assert!(matches!(rule(rig.call(WRITE, &[Arg::Str("/n/a.txt"), Arg::Str("x")])), Rule::ReadOnly(_)));
    assert_eq!(rule(rig.call("__sys_getenv", &[Arg::Str("A")])), Rule::NoVariable);
    assert_eq!(rig.call("__sys_getenv", &[Arg::Str("B")]), Ok(Plain::Str("2".into())));
    rig.realm.regrant(Grants { caps: parse_list("capstdout").unwrap(), ..all(&rig, &[("N", "/n", Access::Read)]) }).unwrap();
    assert_eq!(rule(rig.call(READ, &[Arg::Str("/n/a.txt")])), Rule::NotHeld);
    assert!(rig.call(OUT, &[Arg::Str("x")]).is_ok());
}

#[test]
fn what_was_made_and_opened_before_ends() {
    let mut rig = scene(Access::Read);
    let inner = rig.make(&[READ], obj(&[])).unwrap();
    let Ok(Plain::Handle(open)) = rig.call("__sys_open_read", &[Arg::Str("/r/a.txt")]) else { panic!("a handle") };
    assert!(call_as(&mut rig, inner, READ, &[Arg::Str("/r/a.txt")]).is_ok());
    assert!(rig.realm.read_line(rig.site(), open).is_ok());
    // The very same grants: it is another sandbox all the same.
    let grants = all(&rig, &[("R", "/r", Access::Read)]);
    rig.realm.regrant(grants).unwrap();
    assert_eq!(rule(call_as(&mut rig, inner, READ, &[Arg::Str("/r/a.txt")])), Rule::Revoked);
    assert!(rig.realm.read_line(rig.site(), open).is_err());
    let Plain::Object(used) = rig.realm.used(ilu_sbx::ROOT) else { panic!("used") };
    assert_eq!(used.iter().find(|(name, _)| name == "fds").unwrap().1, Plain::Num(0.0));
    // What is made from now on lives, and an isolate that is made from now on has the new grants.
    let again = rig.make(&[READ], obj(&[])).unwrap();
    assert!(call_as(&mut rig, again, READ, &[Arg::Str("/r/a.txt")]).is_ok());
    let realm = rig.realm.fork(rig.account).unwrap();
    assert!(realm.has(ilu_sbx::ROOT, ilu_cap::by_name(READ).unwrap()));
    let none = Grants { limits: Limits::none(), ..Grants::default() };
    rig.realm.regrant(none).unwrap();
    let realm = rig.realm.fork(rig.account).unwrap();
    assert!(!realm.has(ilu_sbx::ROOT, ilu_cap::by_name(READ).unwrap()));
}

#[test]
fn two_roots_have_no_mount_in_common_that_could_be_mistaken() {
    let mut rig = scene(Access::ReadWrite);
    let before = rig.make(&[READ], obj(&[])).unwrap();
    // What is first now is another directory.
    let grants = all(&rig, &[("N", "/r", Access::Read)]);
    rig.realm.regrant(grants).unwrap();
    let after = rig.make(&[READ], obj(&[])).unwrap();
    let both = rig.realm.meet(before, after, 1 << 20).unwrap();
    assert!(call_as(&mut rig, both, READ, &[Arg::Str("/r/a.txt")]).is_err());
    assert_eq!(call_as(&mut rig, after, READ, &[Arg::Str("/r/a.txt")]), Ok(Plain::Str("of N".into())));
}

/// Says yes, for good, to what is not held, and counts how often.
#[derive(Clone, Default)]
struct Yes(Arc<AtomicUsize>);

impl Operator for Yes {
    fn ask(&self, denied: &Denial) -> Answer {
        self.0.fetch_add(1, Ordering::Relaxed);
        Answer::Run(Addition { natives: ilu_cap::by_name(denied.native).into_iter().collect(), ..Addition::default() })
    }
}

#[test]
fn what_was_added_when_asked_is_gone_too() {
    let mut rig = Rig::holding(CapSet::EMPTY, |_| Vec::new(), &[], Limits::none());
    let yes = Yes::default();
    rig.realm.set_operator(Box::new(yes.clone()));
    for _ in 0..2 {
        assert!(rig.call(OUT, &[Arg::Str("x")]).is_ok());
    }
    assert_eq!(yes.0.load(Ordering::Relaxed), 1, "asked for once");
    let none = Grants { limits: Limits::none(), ..Grants::default() };
    rig.realm.regrant(none).unwrap();
    assert!(rig.call(OUT, &[Arg::Str("y")]).is_ok());
    assert_eq!(yes.0.load(Ordering::Relaxed), 2, "and once more");
    assert!(!rig.realm.log(ilu_sbx::ROOT).is_empty(), "the log is the root's, whichever it is");
}

#[test]
fn grants_that_can_not_be_leave_everything_as_it_was() {
    let mut rig = scene(Access::Read);
    let inner = rig.make(&[READ], obj(&[])).unwrap();
    let twice = all(&rig, &[("N", "/n", Access::Read), ("R", "/n", Access::Read)]);
    assert!(rig.realm.regrant(twice).is_err());
    assert!(rig.call(READ, &[Arg::Str("/r/a.txt")]).is_ok() && call_as(&mut rig, inner, READ, &[Arg::Str("/r/a.txt")]).is_ok());
}
