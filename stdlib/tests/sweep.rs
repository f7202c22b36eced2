//! What a collection lets go of, and what must stay: a budget or a bound that is let go of while something is charged to it is none.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rig;

use ilu_cap::by_name;
use ilu_sbx::{Access, AccountId, Arg, Budget, Homes, Plain, ROOT, SbxId, Stop};
use rig::{Rig, obj};
use std::collections::HashSet;

const OUT: &str = "__sys_stdout";
const OPEN: &str = "__sys_open_read";

fn few(rig: &mut Rig) -> SbxId {
    rig.make(&[OUT, OPEN], obj(&[("out", Arg::Num(10.0))])).unwrap()
}

fn sweep(realm: &mut ilu_sbx::Realm, homes: &[SbxId], accounts: &[AccountId]) -> usize {
    let mut kept = Homes::default();
    homes.iter().for_each(|home| {
        kept.keep(*home);
    });
    realm.sweep(kept, accounts.iter().copied().collect::<HashSet<_>>())
}

/// Writes with the root's authority, at the expense of whoever the account charges.
fn write(realm: &mut ilu_sbx::Realm, account: AccountId, text: &str) -> Result<Plain, Stop> {
    let site = ilu_sbx::CallSite { authority: ROOT, account, file: "main.ilu", line: 1, room: 1 << 20 };
    realm.call(site, by_name(OUT).unwrap(), &[Arg::Str(text)])
}

#[test]
fn whom_an_account_in_use_charges_stays_and_goes_on_paying() {
    let mut rig = Rig::new(Access::Read);
    let s = few(&mut rig);
    let account = rig.realm.account(rig.account, s).unwrap();
    sweep(&mut rig.realm, &[], &[account]);
    assert_eq!(write(&mut rig.realm, account, "12345678901"), Err(Stop::Limit { budget: Budget::Output, of: s }));
    assert_eq!(rig.realm.account(rig.account, s), Ok(account), "it is found again");
    assert!(rig.realm.charges(account, s));
    // Its control: nobody else is charged.
    assert!(write(&mut rig.realm, rig.account, "12345678901").is_ok());
}

#[test]
fn the_first_account_of_an_isolate_stays_whatever_refers_to_it() {
    let mut rig = Rig::new(Access::Read);
    let s = few(&mut rig);
    let account = rig.realm.account(rig.account, s).unwrap();
    let mut fork = rig.realm.fork(account).unwrap();
    let first = fork.root_account();
    sweep(&mut fork, &[], &[]);
    let here = fork.adopt(&rig.realm.sandbox(s)).unwrap();
    assert!(fork.charges(first, here));
    assert_eq!(write(&mut fork, first, "12345678901"), Err(Stop::Limit { budget: Budget::Output, of: here }));
}

#[test]
fn an_account_that_is_gone_is_not_mistaken_for_the_one_in_its_place() {
    let mut rig = Rig::new(Access::Read);
    let root = rig.account;
    let [a, b, c] = [0; 3].map(|_| few(&mut rig));
    let all = [a, b, c];
    // Nothing is charged to it any more, and its place is taken.
    let gone = rig.realm.account(root, a).unwrap();
    assert!(sweep(&mut rig.realm, &all, &[]) > 0);
    let next = rig.realm.account(root, b).unwrap();
    assert_eq!(next, gone, "its control: the place is the same");
    let again = rig.realm.account(root, a).unwrap();
    assert!(rig.realm.charges(again, a) && !rig.realm.charges(again, b));
    assert!(rig.realm.charges(next, b) && !rig.realm.charges(next, a));
    // The one outside is gone, the one inside is in use.
    let inside = rig.realm.account(again, c).unwrap();
    sweep(&mut rig.realm, &all, &[inside, next]);
    let other = rig.realm.account(root, b).unwrap();
    let taken = rig.realm.account(other, a).unwrap();
    assert_eq!(taken, again, "its control: the place is the same");
    let both = rig.realm.account(taken, c).unwrap();
    assert!(all.iter().all(|s| rig.realm.charges(both, *s)), "the old way in is not found any more");
    assert!(!rig.realm.charges(inside, b));
}

#[test]
fn who_is_charged_is_charged_once_and_the_outermost_is_told() {
    let mut rig = Rig::new(Access::Read);
    let outer = few(&mut rig);
    rig.enter(outer);
    let inner = rig.make(&[OUT], obj(&[("out", Arg::Num(10.0))])).unwrap();
    let inside = rig.realm.account(rig.account, inner).unwrap();
    let site = rig.site();
    rig.leave();
    let write = |rig: &mut Rig, site: ilu_sbx::CallSite<'_>, text: &str| rig.realm.call(site, by_name(OUT).unwrap(), &[Arg::Str(text)]);
    let told = write(&mut rig, ilu_sbx::CallSite { account: inside, authority: inner, ..site }, "12345678901");
    assert_eq!(told, Err(Stop::Limit { budget: Budget::Output, of: outer }), "both lack it, and the outer one is the reason");
    // At once from outside: those around come before those within, too.
    let at_once = rig.realm.account(rig.account, inner).unwrap();
    let told = write(&mut rig, ilu_sbx::CallSite { account: at_once, authority: inner, ..site }, "12345678901");
    assert_eq!(told, Err(Stop::Limit { budget: Budget::Output, of: outer }));
    // Code of the inner one, handed out into the outer one: that pays for it once.
    assert!(write(&mut rig, ilu_sbx::CallSite { authority: inner, ..site }, "123456").is_ok());
    let left = |rig: &mut Rig, s: SbxId| rig.realm.spent(s).iter().find(|row| row.budget == Budget::Output).unwrap().used;
    assert_eq!((left(&mut rig, inner), left(&mut rig, outer), left(&mut rig, ROOT)), (6, 6, 6));
    // Entering the library, or where one is, is going nowhere.
    assert_eq!(rig.realm.account(inside, ilu_sbx::ANY), Ok(inside));
    assert_eq!(rig.realm.account(inside, outer), Ok(inside));
    assert_eq!(rig.realm.account(rig.account, ROOT), Ok(rig.account));
}

#[test]
fn so_many_sandboxes_are_entered_from_within_each_other_and_no_more() {
    let mut rig = Rig::new(Access::Read);
    let mut account = rig.account;
    let mut most = 1;
    let why = loop {
        let s = rig.make(&[OUT], obj(&[])).unwrap();
        match rig.realm.account(account, s) {
            Ok(next) => account = next,
            Err(why) => break why,
        }
        most += 1;
    };
    assert_eq!(why, Stop::Failed(format!("more than {most} sandboxes were entered from within each other")));
}

#[test]
fn what_is_open_keeps_who_pays_for_it() {
    let mut rig = Rig::new(Access::Read);
    let s = rig.make(&[OUT, OPEN], obj(&[("out", Arg::Num(10.0)), ("read", Arg::Num(3.0))])).unwrap();
    rig.enter(s);
    let (account, site) = (rig.account, rig.site());
    let Plain::Handle(open) = rig.ok(OPEN, &[Arg::Str("/r/a.txt")]) else { panic!("a handle") };
    rig.leave();
    sweep(&mut rig.realm, &[], &[]);
    assert!(rig.realm.charges(account, s));
    assert_eq!(rig.realm.read_line(site, open), Err(Stop::Limit { budget: Budget::Read, of: s }));
    // A call that is to be made again keeps them, too.
    rig.realm.close_handle(open);
    sweep(&mut rig.realm, &[], &[]);
    let s = few(&mut rig);
    rig.enter(s);
    rig.room = 1;
    assert!(matches!(rig.call("__sys_read_file", &[Arg::Str("/r/a.txt")]), Err(Stop::Denied(_))));
    rig.leave();
}

#[test]
fn a_meeting_stays_while_it_is_referred_to_and_is_found_again_after_it_is_gone() {
    let mut rig = Rig::new(Access::Read);
    let [a, b] = [&[OUT, OPEN][..], &[OUT]].map(|natives| rig.make(natives, obj(&[])).unwrap());
    let met = rig.realm.meet(a, b, u64::MAX).unwrap();
    sweep(&mut rig.realm, &[met], &[]);
    assert_eq!(rig.realm.caps(met), [OUT]);
    assert_eq!(rig.realm.caps(a), [OUT, OPEN], "those that meet in it stay with it");
    // The meeting alone is let go of; what stands in its place is not taken for it.
    assert!(sweep(&mut rig.realm, &[a, b], &[]) > 0);
    assert!(rig.realm.caps(met).is_empty());
    let wide = rig.make(&[OUT, OPEN, "__sys_time"], obj(&[])).unwrap();
    assert_ne!(wide, met);
    let again = rig.realm.meet(a, b, u64::MAX).unwrap();
    assert_ne!(again, met);
    assert_eq!(rig.realm.caps(again), [OUT]);
    // One of the two is let go of: where it met the other is nothing that is known.
    sweep(&mut rig.realm, &[a], &[]);
    assert!(rig.realm.caps(again).is_empty() && rig.realm.caps(b).is_empty());
    assert_eq!(rig.realm.meet(a, b, u64::MAX), Ok(ilu_sbx::VOID));
    let c = rig.make(&[OPEN], obj(&[])).unwrap();
    let met = rig.realm.meet(a, c, u64::MAX).unwrap();
    assert_eq!(rig.realm.caps(met), [OPEN]);
}

/// Calls a native in different lines: rows that are alike are one.
fn call(rig: &mut Rig, line: u32) {
    let site = ilu_sbx::CallSite { line, ..rig.site() };
    rig.realm.call(site, by_name("__sys_time").unwrap(), &[]).unwrap();
}

#[test]
fn what_a_log_is_heir_to_is_counted_as_what_it_keeps() {
    let mut rig = Rig::new(Access::Read);
    (0..300).for_each(|line| call(&mut rig, line));
    let s = rig.make(&["__sys_time"], obj(&[])).unwrap();
    rig.enter(s);
    (0..400).for_each(|line| call(&mut rig, line));
    rig.leave();
    assert_eq!(rig.realm.rows_kept(), (300 + 1) + 400 + 2, "and a log of each");
    sweep(&mut rig.realm, &[], &[]);
    assert_eq!(rig.realm.rows_kept(), rig.realm.log(ROOT).len() + 1);
    assert!((500..600).contains(&rig.realm.rows_kept()), "one log keeps so many: {}", rig.realm.rows_kept());
}

#[test]
fn rows_are_let_go_of_only_when_there_are_too_many() {
    let mut rig = Rig::new(Access::Read);
    let made: Vec<SbxId> = (0..20).map(|_| rig.make(&["__sys_time"], obj(&[])).unwrap()).collect();
    let before = rig.realm.rows_kept();
    for s in &made {
        rig.enter(*s);
        (0..470).for_each(|line| call(&mut rig, line));
        rig.leave();
    }
    assert_eq!(rig.realm.rows_kept(), before + 20 * (470 + 1), "and a log of each");
}
