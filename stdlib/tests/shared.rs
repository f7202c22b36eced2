//! Isolates of one run share their sandboxes: budgets, revocation, the record.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rig;

use ilu_sbx::{Access, Arg, CallSite, Plain, Rule, SbxId, Stop};
use rig::{Rig, obj};
use std::time::{Duration, Instant};

const READ: &str = "__sys_read_file";
const OUT: &str = "__sys_stdout";

/// Another isolate of the rig's run, inside the same sandbox.
fn forked(rig: &mut Rig, inside: SbxId) -> (ilu_sbx::Realm, SbxId, ilu_sbx::AccountId) {
    let account = rig.realm.account(rig.account, inside).unwrap();
    let mut realm = rig.realm.fork(account).unwrap();
    let here = realm.adopt(&rig.realm.sandbox(inside)).unwrap();
    let account = realm.root_account();
    (realm, here, account)
}

fn call(realm: &mut ilu_sbx::Realm, authority: SbxId, native: &str, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let site = CallSite { authority, account: realm.root_account(), file: "task.ilu", line: 1, room: 1 << 20 };
    realm.call(site, ilu_cap::by_name(native).unwrap(), args)
}

#[test]
fn isolates_that_write_at_once_write_no_more_than_their_sandbox_may() {
    let mut rig = Rig::new(Access::Read);
    let inner = rig.make(&[OUT], obj(&[("out", Arg::Num(1000.0))])).unwrap();
    let tasks: Vec<_> = (0..4).map(|_| forked(&mut rig, inner)).collect();
    let written: usize = std::thread::scope(|scope| {
        let runs = tasks.into_iter().map(|(mut realm, here, _)| {
            scope.spawn(move || (0..1000).filter(|_| call(&mut realm, here, OUT, &[Arg::Str("abc")]).is_ok()).count())
        });
        runs.collect::<Vec<_>>().into_iter().map(|run| run.join().unwrap()).sum()
    });
    assert_eq!((written, rig.streams.out.lock().unwrap().len()), (333, 999));
    // All of it is in the one log and counted for those around.
    assert!(!rig.realm.log(inner).is_empty());
    let spent = rig.realm.spent(ilu_sbx::ROOT);
    assert_eq!(spent.iter().find(|row| row.budget == ilu_sbx::Budget::Output).unwrap().used, 999);
    // Its control: where nothing limits it, all is written.
    let wide = rig.make(&[OUT], obj(&[])).unwrap();
    let (mut realm, here, _) = forked(&mut rig, wide);
    assert_eq!((0..1000).filter(|_| call(&mut realm, here, OUT, &[Arg::Str("abc")]).is_ok()).count(), 1000);
}

#[test]
fn a_revocation_reaches_another_thread_what_it_has_open_and_where_it_waits() {
    let mut rig = Rig::new(Access::Read);
    let outer = rig.make(&[READ, "__sys_open_read", "__sys_sleep"], obj(&[])).unwrap();
    let (mut realm, here, _) = forked(&mut rig, outer);
    // A sandbox that is made over there is below all the same.
    let site = CallSite { authority: here, account: realm.root_account(), file: "task.ilu", line: 1, room: 1 << 20 };
    let caps = Arg::List(vec![Arg::Str(READ), Arg::Str("__sys_sleep"), Arg::Str("__sys_open_read")]);
    let inner = realm.make(&site, &ilu_sbx::Request::from_args(&caps, None).unwrap()).unwrap();
    assert!(call(&mut realm, inner, READ, &[Arg::Str("/r/a.txt")]).is_ok());
    let Ok(Plain::Handle(open)) = call(&mut realm, inner, "__sys_open_read", &[Arg::Str("/r/a.txt")]) else { panic!("a handle") };
    let waiting = std::thread::spawn(move || {
        let ended = call(&mut realm, inner, "__sys_sleep", &[Arg::Num(20_000.0)]);
        (realm, ended)
    });
    std::thread::sleep(Duration::from_millis(50));
    let start = Instant::now();
    rig.realm.revoke(&rig.site(), outer).unwrap();
    let (mut realm, ended) = waiting.join().unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    for ended in [ended, call(&mut realm, inner, READ, &[Arg::Str("/r/a.txt")])] {
        let Err(Stop::Denied(denial)) = ended else { panic!("{ended:?}") };
        assert_eq!(denial.rule, Rule::Revoked);
    }
    let line = realm.read_line(CallSite { authority: here, ..site }, open);
    assert!(matches!(line, Err(Stop::Denied(_))), "{line:?}");
    // It is one sandbox: nothing of its directories is open any more, and nothing is counted as open.
    let Plain::Object(used) = rig.realm.used(outer) else { panic!("used") };
    assert_eq!(used.iter().find(|(name, _)| name == "fds").unwrap().1, Plain::Num(0.0));
    assert!(matches!(rig.call(READ, &[Arg::Str("/r/a.txt")]), Ok(Plain::Str(_))), "the host goes on");
}

#[test]
fn a_sandbox_is_the_same_one_wherever_it_is_carried() {
    let mut rig = Rig::new(Access::Read);
    let outer = rig.make(&[READ, OUT], obj(&[])).unwrap();
    rig.enter(outer);
    let left = rig.make(&[READ], obj(&[])).unwrap();
    let right = rig.make(&[OUT, READ], obj(&[])).unwrap();
    let met = rig.realm.meet(left, right, u64::MAX).unwrap();
    let (mut realm, outer_there, _) = forked(&mut rig, outer);
    let there: Vec<SbxId> = [left, right, met].iter().map(|s| realm.adopt(&rig.realm.sandbox(*s)).unwrap()).collect();
    assert_eq!(realm.meet(there[0], there[1], u64::MAX).unwrap(), there[2], "where they meet is known there, too");
    assert_eq!(realm.meet(there[2], outer_there, u64::MAX).unwrap(), there[2]);
    assert_eq!(realm.caps(there[2]), [READ]);
    assert_eq!(realm.adopt(&rig.realm.sandbox(left)).unwrap(), there[0]);
    // And back again.
    assert_eq!(rig.realm.adopt(&realm.sandbox(there[2])).unwrap(), met);
    for fixed in [ilu_sbx::ANY, ilu_sbx::ROOT, ilu_sbx::VOID] {
        assert_eq!(realm.adopt(&rig.realm.sandbox(fixed)).unwrap(), fixed);
    }
    rig.leave();
}

#[test]
fn time_runs_from_the_first_entry_in_whatever_isolate() {
    let mut rig = Rig::new(Access::Read);
    let inner = rig.make(&["__sys_sleep"], obj(&[("ms", Arg::Num(60.0))])).unwrap();
    let (mut realm, here, account) = forked(&mut rig, inner);
    std::thread::sleep(Duration::from_millis(80));
    let ended = call(&mut realm, here, "__sys_sleep", &[Arg::Num(1.0)]);
    assert!(matches!(ended, Err(Stop::Limit { budget: ilu_sbx::Budget::Time, .. })), "{ended:?}");
    assert_eq!(realm.exhausted(account), Some((ilu_sbx::Budget::Time, here)));
}

#[test]
fn handles_are_counted_over_all_isolates() {
    let mut rig = Rig::new(Access::Read);
    let inner = rig.make(&["__sys_open_read"], obj(&[("fds", Arg::Num(2.0))])).unwrap();
    let (mut one, here, _) = forked(&mut rig, inner);
    let (mut two, there, _) = forked(&mut rig, inner);
    let first = call(&mut one, here, "__sys_open_read", &[Arg::Str("/r/a.txt")]).unwrap();
    assert!(call(&mut two, there, "__sys_open_read", &[Arg::Str("/r/a.txt")]).is_ok());
    for (realm, at) in [(&mut one, here), (&mut two, there)] {
        let full = call(realm, at, "__sys_open_read", &[Arg::Str("/r/a.txt")]);
        assert_eq!(full, Err(Stop::Failed("too many open files (limit 2)".to_owned())));
    }
    let Plain::Handle(first) = first else { panic!("a handle") };
    one.close_handle(first);
    assert!(call(&mut two, there, "__sys_open_read", &[Arg::Str("/r/a.txt")]).is_ok());
    // What an isolate still has open is given back when it ends.
    drop(two);
    assert!(call(&mut one, here, "__sys_open_read", &[Arg::Str("/r/a.txt")]).is_ok());
    assert!(call(&mut one, here, "__sys_open_read", &[Arg::Str("/r/a.txt")]).is_ok());
}

#[test]
fn a_sandbox_that_nothing_refers_to_is_gone_and_its_place_never_mistaken_for_the_next_ones() {
    let mut rig = Rig::new(Access::Read);
    let kept = rig.make(&[READ, "__sys_open_read"], obj(&[])).unwrap();
    rig.enter(kept);
    let below = rig.make(&[READ, "__sys_open_read"], obj(&[])).unwrap();
    rig.leave();
    let gone = rig.make(&[READ], obj(&[])).unwrap();
    let inner = rig.realm.account(rig.account, gone).unwrap();
    let mut homes = ilu_sbx::Homes::default();
    homes.keep(below);
    let before = rig.realm.sandboxes();
    assert!(rig.realm.sweep(homes.clone(), std::collections::HashSet::from([rig.account])) > 0);
    assert_eq!(rig.realm.sandboxes(), before - 1, "what one is made under stays with it");
    assert_eq!(rig.realm.sweep(homes, std::collections::HashSet::new()), 0);
    // The place is used again, more than once round; whoever still has the old number has nothing.
    for _ in 0..3 {
        let next = rig.make(&[READ], obj(&[])).unwrap();
        assert_ne!(next, gone);
        assert_eq!((rig.realm.caps(next), rig.realm.caps(gone)), (vec![READ], vec![]));
        assert!(!rig.realm.has(gone, ilu_cap::by_name(READ).unwrap()));
        assert_eq!(rig.realm.meet(next, gone, u64::MAX), Ok(ilu_sbx::VOID));
        let mut homes = ilu_sbx::Homes::default();
        homes.keep(below);
        assert!(rig.realm.sweep(homes, std::collections::HashSet::new()) > 0);
    }
    assert_eq!(rig.realm.caps(below), [READ, "__sys_open_read"]);
    let again = rig.realm.account(rig.account, below).unwrap();
    assert_eq!(again, inner, "an account's place is used again");
    // What is open keeps the sandbox that opened it and the account that pays.
    rig.enter(below);
    let Plain::Handle(open) = rig.ok("__sys_open_read", &[Arg::Str("/r/a.txt")]) else { panic!("a handle") };
    rig.leave();
    rig.realm.sweep(ilu_sbx::Homes::default(), std::collections::HashSet::new());
    assert_eq!(rig.realm.caps(below), [READ, "__sys_open_read"]);
    assert!(rig.realm.read_line(rig.site(), open).unwrap().is_some());
    rig.realm.close_handle(open);
    rig.realm.sweep(ilu_sbx::Homes::default(), std::collections::HashSet::new());
    assert_eq!(rig.realm.sandboxes(), 3);
}
