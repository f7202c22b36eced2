//! Leases, natives bound to arguments, and who may revoke.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod rig;

use ilu_sbx::{Access, Arg, Plain, Rule, Stop};
use rig::{Rig, obj};
use std::time::Duration;

const READ: &str = "__sys_read_file";
const WRITE: &str = "__sys_write_file";
const STAT: &str = "__sys_stat";
const TIME: &str = "__sys_time";
const GETENV: &str = "__sys_getenv";
const OPEN: &str = "__sys_open_read";

fn num(n: f64) -> Arg<'static> {
    Arg::Num(n)
}

fn list<'a>(items: &[&'a str]) -> Arg<'a> {
    Arg::List(items.iter().map(|item| Arg::Str(item)).collect())
}

fn over(how: &str) -> Rule {
    Rule::LeaseOver(how.to_owned())
}

#[test]
fn a_lease_ends_after_its_uses_and_a_refused_call_is_none() {
    let mut rig = Rig::new(Access::Read);
    let s = rig.make(&[TIME, READ], obj(&[("lease", obj(&[("uses", num(3.0))]))])).unwrap();
    rig.enter(s);
    rig.ok(TIME, &[]);
    assert_eq!(rig.denied(GETENV, &[Arg::Str("LANG")]).rule, Rule::NotHeld);
    assert_eq!(rig.denied(READ, &[Arg::Str("/elsewhere")]).rule, Rule::NoGrant);
    // Made again for room, it is one use.
    rig.room = 1;
    assert!(matches!(rig.call(READ, &[Arg::Str("/r/a.txt")]), Err(Stop::Room(_))));
    rig.room = 64 << 20;
    rig.reads("/r/a.txt", "alpha\n");
    // A call that was allowed and fails is one.
    rig.fails(READ, &[Arg::Str("/r/none")]);
    let denial = rig.denied(TIME, &[]);
    assert_eq!(denial.rule, over("3 uses were made"));
    assert_eq!(denial.rule.code(), "lease-over");
    assert_eq!(denial.to_string(), "denied: __sys_time: it was granted for a limited use, and 3 uses were made");
    // What is made under it draws from the same lease, and outside it goes on.
    let child = rig.make(&[TIME], obj(&[("lease", obj(&[("uses", num(100.0))]))])).unwrap();
    rig.enter(child);
    assert_eq!(rig.denied(TIME, &[]).rule, over("3 uses were made"));
    rig.leave();
    rig.ok(TIME, &[]);
}

#[test]
fn a_lease_ends_after_its_time_for_what_was_opened_too() {
    let mut rig = Rig::new(Access::Read);
    let opts = obj(&[("lease", obj(&[("ms", num(150.0))]))]);
    let (s, free) = (rig.make(&[TIME, OPEN], opts).unwrap(), rig.make(&[OPEN], obj(&[])).unwrap());
    std::fs::write(rig.base.join("R/lines"), "1\n2\n3\n").unwrap();
    rig.enter(s);
    rig.ok(TIME, &[]);
    let Plain::Handle(open) = rig.ok(OPEN, &[Arg::Str("/r/lines")]) else { panic!("a handle") };
    assert_eq!(rig.realm.read_line(rig.site(), open), Ok(Some("1".to_owned())));
    rig.leave();
    rig.enter(free);
    let Plain::Handle(other) = rig.ok(OPEN, &[Arg::Str("/r/lines")]) else { panic!("a handle") };
    rig.leave();
    std::thread::sleep(Duration::from_millis(170));
    rig.enter(s);
    assert_eq!(rig.denied(TIME, &[]).rule, over("150 ms are over"));
    let Err(Stop::Denied(late)) = rig.realm.read_line(rig.site(), open) else { panic!("over") };
    assert_eq!(late.rule, over("150 ms are over"));
    rig.leave();
    rig.enter(free);
    assert_eq!(rig.realm.read_line(rig.site(), other), Ok(Some("1".to_owned())));
}

#[test]
fn a_directory_a_variable_or_one_native_can_be_leased_alone() {
    let mut rig = Rig::with(|base| vec![rig::mount(&base.join("R"), "/r", Access::ReadWrite)], ilu_sbx::Limits::default());
    let dirs = obj(&[("/r/d", obj(&[("acc", Arg::Str("ro")), ("uses", num(2.0))])), ("/r", Arg::Str("rw"))]);
    let lease = obj(&[("env", obj(&[("uses", num(1.0))])), (STAT, obj(&[("uses", num(1.0))]))]);
    let s = rig.make(&[READ, WRITE, STAT, GETENV, TIME], obj(&[("dir", dirs), ("lease", lease)])).unwrap();
    rig.enter(s);
    rig.reads("/r/d/e/f.txt", "eff\n");
    rig.ok(STAT, &[Arg::Str("/r/d/e")]);
    assert_eq!(rig.denied(READ, &[Arg::Str("/r/d/e/f.txt")]).rule, over("2 uses were made"));
    rig.reads("/r/a.txt", "alpha\n");
    assert_eq!(rig.denied(STAT, &[Arg::Str("/r/a.txt")]).rule, over("1 use was made"));
    rig.ok(GETENV, &[Arg::Str("LANG")]);
    assert!(matches!(rig.denied(GETENV, &[Arg::Str("LANG")]).rule, Rule::LeaseOver(_)));
    rig.ok(TIME, &[]);
    // A part of a leased directory, under whatever name, is leased: also where two sandboxes meet.
    let opts = obj(&[("dir", obj(&[("/r/d/e", obj(&[("at", Arg::Str("/mine")), ("acc", Arg::Str("ro"))]))]))]);
    let part = rig.make(&[READ], opts).unwrap();
    rig.leave();
    rig.enter(part);
    assert!(matches!(rig.denied(READ, &[Arg::Str("/mine/f.txt")]).rule, Rule::LeaseOver(_)));
    rig.leave();
    let free = rig.make(&[READ], obj(&[("dir", obj(&[("/r/d", Arg::Str("ro"))]))])).unwrap();
    let met = rig.realm.meet(free, s, u64::MAX).unwrap();
    rig.enter(met);
    assert!(matches!(rig.denied(READ, &[Arg::Str("/r/d/e/f.txt")]).rule, Rule::LeaseOver(_)));
    rig.leave();
    rig.enter(free);
    rig.reads("/r/d/e/f.txt", "eff\n");
}

#[test]
fn a_lease_that_is_not_of_the_form_is_an_error() {
    let mut rig = Rig::new(Access::Read);
    for (lease, told) in [
        (num(1.0), "sbxmk: option lease is an obj, got num"),
        (obj(&[("use", num(1.0))]), "sbxmk: options are an obj, got num"),
        (obj(&[("uses", num(-1.0))]), "sbxmk: option uses is a whole number from 0"),
        (obj(&[("env", obj(&[("days", num(1.0))]))]), "sbxmk: no option \"days\"; it has: ms, uses"),
    ] {
        assert_eq!(rig.make(&[TIME], obj(&[("lease", lease)])), Err(Stop::Failed(told.to_owned())));
    }
    let Err(Stop::Failed(told)) = rig.make(&[TIME], obj(&[("lease", obj(&[("__sys_tim", obj(&[("uses", num(1.0))]))]))])) else { panic!() };
    assert!(told.contains("__sys_time"), "{told}");
}

#[test]
fn a_native_can_be_bound_to_arguments_and_stays_bound_below() {
    let mut rig = Rig::with(
        |base| vec![rig::mount(&base.join("R"), "/in", Access::ReadWrite), rig::mount(&base.join("R/d"), "/out", Access::ReadWrite)],
        ilu_sbx::Limits::default(),
    );
    let args = obj(&[(GETENV, list(&["LANG"])), (WRITE, list(&["/out"]))]);
    let s = rig.make(&[READ, WRITE, GETENV], obj(&[("args", args)])).unwrap();
    rig.enter(s);
    rig.ok(GETENV, &[Arg::Str("LANG")]);
    let denial = rig.denied(GETENV, &[Arg::Str("SECRET")]);
    assert!(matches!(denial.rule, Rule::Bound | Rule::NoVariable), "{:?}", denial.rule);
    rig.ok(WRITE, &[Arg::Str("/out/x"), Arg::Str("1")]);
    assert_eq!(rig.denied(WRITE, &[Arg::Str("/in/x"), Arg::Str("1")]).rule, Rule::Bound);
    rig.reads("/in/a.txt", "alpha\n");
    // Below: asking for the native whole gives it bound.
    let child = rig.make(&[WRITE, GETENV], obj(&[])).unwrap();
    rig.enter(child);
    assert_eq!(rig.denied(WRITE, &[Arg::Str("/in/x"), Arg::Str("1")]).rule, Rule::Bound);
    rig.ok(WRITE, &[Arg::Str("/out/y"), Arg::Str("1")]);
    rig.leave();
    // Its control: unbound, the same calls pass.
    rig.ok(WRITE, &[Arg::Str("/in/x"), Arg::Str("1")]);
    rig.ok(GETENV, &[Arg::Str("SECRET")]);
    for (args, told) in [
        (obj(&[(READ, list(&["/in"]))]), "sbxmk: option args names `__sys_read_file`, which is not among the capabilities asked for"),
        (
            obj(&[(TIME, list(&["x"]))]),
            "sbxmk: option args: `__sys_time` can't be bound; natives on directories, variables and programs can (addresses: option net)",
        ),
        (obj(&[(WRITE, list(&["/none"]))]), "sbxmk: option args: no directory covers \"/none\""),
        (obj(&[(WRITE, Arg::Str("/in"))]), "sbxmk: option args gives each native a list of texts, got str"),
    ] {
        assert_eq!(rig.make(&[WRITE, TIME], obj(&[("args", args)])), Err(Stop::Failed(told.to_owned())));
    }
}

#[test]
fn nobody_revokes_a_sandbox_but_itself_and_those_it_was_made_under() {
    let mut rig = Rig::new(Access::Read);
    let outer = rig.make(&[TIME], obj(&[])).unwrap();
    let sibling = rig.make(&[TIME], obj(&[])).unwrap();
    rig.enter(outer);
    let inner = rig.make(&[TIME], obj(&[])).unwrap();
    rig.leave();
    // Handed the value of one around it, or beside it, code can do nothing to it.
    let met = rig.realm.meet(inner, sibling, u64::MAX).unwrap();
    for (by, victim) in
        [(inner, outer), (inner, rig.realm.root()), (inner, sibling), (sibling, outer), (met, inner), (ilu_sbx::VOID, inner)]
    {
        rig.authority = by;
        let Err(Stop::Denied(denial)) = rig.realm.revoke(&rig.site(), victim) else { panic!("{by:?} {victim:?}") };
        assert_eq!((denial.rule, denial.native), (Rule::NotAbove, "sbxrv"));
        assert!(!rig.realm.is_revoked(victim), "{by:?} {victim:?}");
    }
    // Its controls: by those above, however far, and by itself.
    rig.authority = inner;
    assert_eq!(rig.realm.revoke(&rig.site(), inner), Ok(()));
    rig.leave();
    assert_eq!(rig.realm.revoke(&rig.site(), outer), Ok(()));
    assert!(rig.realm.is_revoked(inner) && rig.realm.is_revoked(outer) && !rig.realm.is_revoked(sibling));
    rig.ok(TIME, &[]);
}

/// A native that writes where another one would, as a download does.
fn download(permit: &mut ilu_sbx::Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let Some(Arg::Str(path)) = args.first() else { panic!("a path") };
    permit.also(ilu_cap::by_name(WRITE).unwrap())?;
    let place = permit.write(path)?;
    permit.room(8)?;
    Ok(Plain::Str(place.path().to_owned()))
}

#[test]
fn what_is_another_natives_work_is_a_call_of_that_one() {
    const GET: &str = "__sys_http_get";
    let natives = ilu_sbx::Natives::new(&[(GET, download), (WRITE, download)]);
    let granted = |base: &std::path::Path| {
        vec![rig::mount(&base.join("R"), "/r", Access::ReadWrite), rig::mount(&base.join("R/d"), "/d", Access::ReadWrite)]
    };
    let mut rig = Rig::built(natives, ilu_cap::CapSet::all(), granted, &[], ilu_sbx::Limits::default());
    let to = |path: &'static str| [Arg::Str(path)];
    rig.ok(GET, &to("/r/x"));
    // Not held, it is denied.
    let s = rig.make(&[GET], obj(&[])).unwrap();
    rig.enter(s);
    assert_eq!(rig.denied(GET, &to("/r/x")).rule, Rule::NotHeldToo(WRITE));
    rig.leave();
    // Bound to a place, it writes there and nowhere else, whoever asks it.
    let s = rig.make(&[GET, WRITE], obj(&[("args", obj(&[(WRITE, list(&["/d"]))]))])).unwrap();
    rig.enter(s);
    assert_eq!(rig.ok(GET, &to("/d/x")), Plain::Str("x".to_owned()));
    let denial = rig.denied(GET, &to("/r/x"));
    assert_eq!((denial.rule, denial.native), (Rule::Bound, WRITE));
    rig.leave();
    // Its budget of calls and its leases count; what has to be made again for room is one call.
    let s = rig.make(&[GET, WRITE], obj(&[("calls", obj(&[(WRITE, num(2.0))]))])).unwrap();
    rig.enter(s);
    rig.room = 1;
    assert!(matches!(rig.call(GET, &to("/r/x")), Err(Stop::Room(_))));
    rig.room = 64 << 20;
    rig.ok(GET, &to("/r/x"));
    rig.ok(GET, &to("/r/x"));
    let native = ilu_cap::by_name(WRITE).unwrap();
    assert_eq!(rig.call(GET, &to("/r/x")), Err(Stop::Limit { budget: ilu_sbx::Budget::Calls(native), of: s }));
    rig.leave();
    let s = rig.make(&[GET, WRITE], obj(&[("lease", obj(&[(WRITE, obj(&[("uses", num(1.0))]))]))])).unwrap();
    rig.enter(s);
    rig.ok(GET, &to("/r/x"));
    assert_eq!(rig.denied(GET, &to("/r/x")).rule, over("1 use was made"));
    rig.leave();
    // One of a third native is not about it.
    let s = rig.make(&[GET, WRITE, TIME], obj(&[("lease", obj(&[(TIME, obj(&[("uses", num(1.0))]))]))])).unwrap();
    rig.enter(s);
    for _ in 0..3 {
        rig.ok(GET, &to("/r/x"));
    }
    rig.leave();
    // A lease of all that the sandbox does is taken once.
    let s = rig.make(&[GET, WRITE], obj(&[("lease", obj(&[("uses", num(2.0))]))])).unwrap();
    rig.enter(s);
    rig.ok(GET, &to("/r/x"));
    rig.ok(GET, &to("/r/x"));
    assert_eq!(rig.denied(GET, &to("/r/x")).rule, over("2 uses were made"));
    rig.leave();
    // Handed out and called from outside, its own budget of calls is used up all the same.
    let s = rig.make(&[GET, WRITE], obj(&[("calls", obj(&[(WRITE, num(1.0))]))])).unwrap();
    rig.authority = s;
    rig.ok(GET, &to("/r/x"));
    assert_eq!(rig.call(GET, &to("/r/x")), Err(Stop::Limit { budget: ilu_sbx::Budget::Calls(native), of: s }));
}
