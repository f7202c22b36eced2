//! What the doorway asks of a value that goes through a channel, and of code whose sandboxes others share: it is a call like any other.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rig;

use ilu_cap::by_name;
use ilu_sbx::{Access, Arg, Budget, Plain, Realm, Rule, SbxId, Stop};
use rig::{Rig, obj};

const SEND: &str = "__sys_chan_send";
const OPEN: &str = "__sys_open_read";
/// Fuel that a call costs.
const CALL: u64 = 20;

fn pass(rig: &mut Rig) -> Result<(), Stop> {
    let site = rig.site();
    let native = by_name(SEND).unwrap();
    rig.realm.may_pass(&site, native)?;
    // An isolate pays this out of what it has taken in advance.
    let taken = rig.realm.advance_fuel(site.account, ilu_sbx::PASS_COST);
    if taken < ilu_sbx::PASS_COST {
        rig.realm.return_fuel(site.account, taken);
        return Err(Stop::Limit { budget: Budget::Fuel, of: rig.authority });
    }
    rig.realm.passed(&site, native)
}

#[track_caller]
fn denied(passed: Result<(), Stop>) -> Rule {
    match passed {
        Err(Stop::Denied(denial)) => denial.rule,
        other => panic!("{other:?}"),
    }
}

fn used(realm: &mut Realm, s: SbxId, budget: Budget) -> u64 {
    realm.spent(s).iter().find(|row| row.budget == budget).map_or(0, |row| row.used)
}

/// The rows of a sandbox's log: native, verdict and rule of each.
fn rows(rig: &Rig, s: SbxId) -> Vec<[String; 3]> {
    let text = |row: &[(String, Plain)], key: &str| match row.iter().find(|(name, _)| name == key) {
        Some((_, Plain::Str(text))) => text.clone(),
        other => panic!("{key}: {other:?}"),
    };
    let row = |row: Plain| {
        let Plain::Object(row) = row else { panic!("{row:?}") };
        ["native", "verdict", "rule"].map(|key| text(&row, key))
    };
    rig.realm.log(s).into_iter().map(row).collect()
}

#[test]
fn a_value_goes_only_where_the_native_is_held_and_what_is_refused_is_recorded() {
    let mut rig = Rig::new(Access::Read);
    let (held, none) = (rig.make(&[SEND], obj(&[])).unwrap(), rig.make(&["__sys_time"], obj(&[])).unwrap());
    rig.enter(held);
    assert_eq!(pass(&mut rig), Ok(()));
    assert!(rows(&rig, held).is_empty(), "what goes well is no event");
    rig.leave();
    rig.enter(none);
    let Err(Stop::Denied(denial)) = pass(&mut rig) else { panic!("not held") };
    assert_eq!((&denial.rule, denial.native), (&Rule::NotHeld, SEND));
    assert_eq!(denial.grant.as_deref(), Some("\"__sys_chan_send\" in the list given to sbxmk"));
    assert_eq!(rows(&rig, none), [[SEND, "denied", "not-held"]]);
    rig.leave();
    // The same code, with the authority that holds it.
    assert_eq!(pass(&mut rig), Ok(()));
    rig.realm.revoke(&rig.site(), held).unwrap();
    rig.enter(held);
    assert_eq!(denied(pass(&mut rig)), Rule::Revoked);
    assert_eq!(rows(&rig, held), [[SEND, "denied", "revoked"]]);
}

#[test]
fn a_value_is_billed_as_a_call_is() {
    let mut rig = Rig::new(Access::Read);
    let s = rig.make(&[SEND], obj(&[("calls", obj(&[(SEND, Arg::Num(3.0))]))])).unwrap();
    rig.enter(s);
    let before = used(&mut rig.realm, s, Budget::Fuel);
    assert_eq!((pass(&mut rig), pass(&mut rig)), (Ok(()), Ok(())));
    assert_eq!(used(&mut rig.realm, s, Budget::Fuel) - before, 2 * CALL);
    assert_eq!(used(&mut rig.realm, ilu_sbx::ROOT, Budget::Fuel), 2 * CALL, "those around pay, too");
    // Handed out and called from outside, it is still its own budget of calls that is used up; the work is the caller's.
    rig.leave();
    rig.authority = s;
    assert_eq!(pass(&mut rig), Ok(()));
    assert_eq!(used(&mut rig.realm, s, Budget::Fuel) - before, 2 * CALL);
    let native = by_name(SEND).unwrap();
    assert_eq!(pass(&mut rig), Err(Stop::Limit { budget: Budget::Calls(native), of: s }));
    rig.enter(s);
    assert_eq!(pass(&mut rig), Err(Stop::Limit { budget: Budget::Calls(native), of: s }));
    rig.leave();
    assert_eq!(pass(&mut rig), Ok(()));
    // Without fuel nothing goes.
    let poor = rig.make(&[SEND], obj(&[("fuel", Arg::Num((CALL - 1) as f64))])).unwrap();
    let just = rig.make(&[SEND], obj(&[("fuel", Arg::Num(CALL as f64))])).unwrap();
    rig.enter(poor);
    assert_eq!(pass(&mut rig), Err(Stop::Limit { budget: Budget::Fuel, of: poor }));
    rig.leave();
    rig.enter(just);
    assert_eq!(pass(&mut rig), Ok(()));
}

#[test]
fn a_lease_counts_what_goes_through_a_channel() {
    let mut rig = Rig::new(Access::Read);
    let lease = |terms: &[(&'static str, f64)]| obj(&terms.iter().map(|(key, n)| (*key, Arg::Num(*n))).collect::<Vec<_>>());
    let twice = rig.make(&[SEND], obj(&[("lease", lease(&[("uses", 2.0)]))])).unwrap();
    let soon = rig.make(&[SEND], obj(&[("lease", lease(&[("ms", 1000.0)]))])).unwrap();
    let other = rig.make(&[SEND, "__sys_time"], obj(&[("lease", obj(&[("__sys_time", lease(&[("uses", 1.0)]))]))]));
    rig.enter(twice);
    assert_eq!((pass(&mut rig), pass(&mut rig)), (Ok(()), Ok(())));
    assert_eq!(denied(pass(&mut rig)), Rule::LeaseOver("2 uses were made".to_owned()));
    assert_eq!(rows(&rig, twice), [[SEND, "denied", "lease-over"]]);
    rig.leave();
    rig.enter(soon);
    assert_eq!(pass(&mut rig), Ok(()));
    rig.streams.ahead.store(1001, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(denied(pass(&mut rig)), Rule::LeaseOver("1000 ms are over".to_owned()));
    rig.leave();
    // A lease of another native is not about it.
    if let Ok(other) = other {
        rig.enter(other);
        for _ in 0..3 {
            assert_eq!(pass(&mut rig), Ok(()));
        }
    }
}

#[test]
fn a_value_on_its_way_heeds_what_was_revoked_elsewhere() {
    let mut rig = Rig::new(Access::Read);
    let s = rig.make(&[OPEN], obj(&[("fds", Arg::Num(1.0))])).unwrap();
    rig.enter(s);
    let Plain::Handle(open) = rig.ok(OPEN, &[Arg::Str("/r/a.txt")]) else { panic!("a handle") };
    rig.leave();
    let mut elsewhere = rig.realm.fork(rig.realm.root_account()).unwrap();
    let there = elsewhere.adopt(&rig.realm.sandbox(s)).unwrap();
    assert_eq!(rig.realm.handle_type(open), "fil");
    let count = |rig: &Rig| match rig.realm.used(s) {
        Plain::Object(used) => used.iter().find(|(name, _)| name == "fds").unwrap().1.clone(),
        other => panic!("{other:?}"),
    };
    elsewhere.revoke(&rig.site(), there).unwrap();
    assert_eq!(count(&rig), Plain::Num(1.0), "its control: nobody has looked here yet");
    assert_eq!(pass(&mut rig), Ok(()));
    assert_eq!(count(&rig), Plain::Num(0.0), "what it had open is closed");
}

#[test]
fn an_operation_that_waited_records_the_revocation_that_it_found() {
    let mut rig = Rig::new(Access::Read);
    let s = rig.make(&[SEND], obj(&[])).unwrap();
    rig.enter(s);
    let site = rig.site();
    assert!(matches!(rig.realm.revoked(&site, by_name(SEND).unwrap()), Stop::Denied(denial) if denial.rule == Rule::Revoked));
    assert_eq!(rows(&rig, s), [[SEND, "denied", "revoked"]]);
}

#[test]
fn what_meets_a_revoked_sandbox_is_revoked_from_its_beginning() {
    let mut rig = Rig::new(Access::Read);
    let native = by_name(SEND).unwrap();
    let [left, right, gone] = [0; 3].map(|_| rig.make(&[SEND], obj(&[])).unwrap());
    let met = rig.realm.meet(left, right, u64::MAX).unwrap();
    assert!(rig.realm.has(met, native) && !rig.realm.is_revoked(met), "its control");
    rig.realm.revoke(&rig.site(), gone).unwrap();
    assert!(!rig.realm.has(gone, native), "what is revoked holds nothing");
    let met = rig.realm.meet(left, gone, u64::MAX).unwrap();
    assert!(rig.realm.is_revoked(met) && !rig.realm.has(met, native));
    assert!(!rig.realm.has(ilu_sbx::ANY, native), "the library holds nothing itself");
    assert_eq!(rig.realm.rights(ilu_sbx::ANY), ilu_cap::rights::Rights::none());
    assert_eq!(rig.realm.rights(gone), ilu_cap::rights::Rights::none());
}

#[test]
fn a_tasks_events_carry_its_number() {
    let mut rig = Rig::new(Access::Read);
    let s = rig.make(&["__sys_time"], obj(&[])).unwrap();
    rig.realm.set_task(7);
    rig.enter(s);
    rig.ok("__sys_time", &[]);
    let log = format!("{:?}", rig.realm.log(s));
    assert!(log.contains("(\"task\", Num(7.0))"), "{log}");
}
