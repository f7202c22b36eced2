//! The smaller questions of the doorway, each with what would happen without it: what is recorded, what is hinted at, who pays, what a
//! collection or a revocation lets go of.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, clippy::disallowed_types)]

mod rig;

use ilu_cap::{CapSet, by_name};
use ilu_sbx::service::Service;
use ilu_sbx::{ANY, Access, Arg, Budget, CallSite, Grants, Limits, Natives, Permit, Plain, ROOT, Realm, Rule, SbxId, Stop, VOID};
use rig::{Rig, mount, obj};
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const READ: &str = "__sys_read_file";
const WRITE: &str = "__sys_write_file";
const OPEN: &str = "__sys_open_read";
const TIME: &str = "__sys_time";
const OUT: &str = "__sys_stdout";
const SEND: &str = "__sys_tcp_send";
const RECV: &str = "__sys_tcp_recv";

fn num(n: f64) -> Arg<'static> {
    Arg::Num(n)
}

fn some() -> [Arg<'static>; 1] {
    [Arg::Handle(ilu_sbx::HandleId { index: 0, generation: 0 })]
}

fn path(text: &str) -> [Arg<'_>; 1] {
    [Arg::Str(text)]
}

fn used(rig: &Rig, s: SbxId, what: &str) -> f64 {
    let Plain::Object(used) = rig.realm.used(s) else { panic!("used") };
    match used.iter().find(|(name, _)| name == what) {
        Some((_, Plain::Num(n))) => *n,
        other => panic!("{what}: {other:?}"),
    }
}

fn spent(rig: &mut Rig, s: SbxId, budget: Budget) -> u64 {
    rig.realm.spent(s).iter().find(|row| row.budget == budget).map_or(0, |row| row.used)
}

/// The last row of a sandbox's log.
fn last(rig: &Rig, s: SbxId) -> String {
    format!("{:?}", rig.realm.log(s).last())
}

#[test]
fn a_call_that_was_made_again_after_all_did_not_give_up() {
    let mut rig = Rig::new(Access::Read);
    let s = rig.make(&[READ], obj(&[])).unwrap();
    rig.enter(s);
    rig.room = 1;
    assert!(matches!(rig.call(READ, &path("/r/a.txt")), Err(Stop::Room(_))));
    rig.room = 64 << 20;
    rig.reads("/r/a.txt", "alpha\n");
    rig.realm.gave_up();
    assert_eq!(rig.realm.log(s).len(), 1, "one call, one row");
    // Its control.
    rig.room = 1;
    assert!(matches!(rig.call(READ, &path("/r/a.txt")), Err(Stop::Room(_))));
    rig.realm.gave_up();
    assert_eq!(rig.realm.log(s).len(), 2);
    assert!(last(&rig, s).contains("memory"), "{}", last(&rig, s));
}

#[test]
fn what_gives_up_keeps_its_sandbox_until_it_is_recorded() {
    let mut rig = Rig::new(Access::Read);
    let s = rig.make(&[READ], obj(&[])).unwrap();
    rig.authority = s;
    rig.room = 1;
    assert!(matches!(rig.call(READ, &path("/r/a.txt")), Err(Stop::Room(_))));
    rig.realm.sweep(ilu_sbx::Homes::default(), std::collections::HashSet::new());
    rig.realm.gave_up();
    assert_eq!(rig.realm.caps(s), [READ]);
    assert_eq!(rig.realm.log(s).len(), 1);
}

#[test]
fn what_is_open_keeps_the_sandbox_that_opened_it_whoever_pays() {
    let mut rig = Rig::new(Access::Read);
    let s = rig.make(&[OPEN], obj(&[])).unwrap();
    rig.authority = s;
    let Plain::Handle(open) = rig.ok(OPEN, &path("/r/a.txt")) else { panic!("a handle") };
    rig.realm.sweep(ilu_sbx::Homes::default(), std::collections::HashSet::new());
    assert_eq!(rig.realm.caps(s), [OPEN]);
    rig.leave();
    rig.realm.revoke(&rig.site(), s).unwrap();
    assert!(matches!(rig.realm.read_line(rig.site(), open), Err(Stop::Denied(denial)) if denial.rule == Rule::Revoked));
}

#[test]
fn a_call_heeds_what_was_revoked_elsewhere() {
    let mut rig = Rig::new(Access::Read);
    let [s, t] = [0; 2].map(|_| rig.make(&[OPEN], obj(&[])).unwrap());
    for (s, line) in [(s, false), (t, true)] {
        rig.enter(s);
        let Plain::Handle(open) = rig.ok(OPEN, &path("/r/a.txt")) else { panic!("a handle") };
        rig.leave();
        let mut elsewhere = rig.realm.fork(rig.realm.root_account()).unwrap();
        let there = elsewhere.adopt(&rig.realm.sandbox(s)).unwrap();
        elsewhere.revoke(&rig.site(), there).unwrap();
        assert_eq!(used(&rig, s, "fds"), 1.0, "its control: nobody has looked here yet");
        if line {
            assert!(rig.realm.read_line(rig.site(), open).is_err());
        } else {
            rig.ok(TIME, &[]);
        }
        assert_eq!(used(&rig, s, "fds"), 0.0);
    }
}

#[test]
fn lines_are_read_by_who_may_and_paid_for_by_all_who_must() {
    let mut rig = Rig::new(Access::Read);
    std::fs::write(rig.base.join("R/long"), format!("{}\n{}", "x".repeat(639), "y".repeat(5000))).unwrap();
    let s = rig.make(&[OPEN], obj(&[("read", num(10.0))])).unwrap();
    let other = rig.make(&[OPEN, READ], obj(&[])).unwrap();
    // Handed out, its code reads at the caller's expense and at its own.
    let Plain::Handle(open) = rig.ok(OPEN, &path("/r/long")) else { panic!("a handle") };
    let site = CallSite { authority: s, ..rig.site() };
    assert_eq!(rig.realm.read_line(site, open), Err(Stop::Limit { budget: Budget::Read, of: s }));
    assert_eq!((spent(&mut rig, s, Budget::Read), spent(&mut rig, ROOT, Budget::Read)), (10, 10), "not a byte more");
    // Whoever's authority it is has been revoked, though not whose the file is.
    rig.realm.revoke(&rig.site(), other).unwrap();
    let line = rig.realm.read_line(CallSite { authority: other, ..rig.site() }, open);
    assert!(matches!(line, Err(Stop::Denied(denial)) if denial.rule == Rule::Revoked));
    // Moving bytes is work.
    rig.realm.close_handle(open);
    let poor = rig.make(&[OPEN], obj(&[("fuel", num(1e6))])).unwrap();
    rig.enter(poor);
    let Plain::Handle(open) = rig.ok(OPEN, &path("/r/long")) else { panic!("a handle") };
    let before = spent(&mut rig, poor, Budget::Fuel);
    let site = rig.site();
    assert!(rig.realm.read_line(site, open).unwrap().is_some());
    let read = spent(&mut rig, poor, Budget::Read);
    assert!(read >= 640);
    assert_eq!(spent(&mut rig, poor, Budget::Fuel) - before, read / 64);
    // What was read ahead is memory until it is let go.
    assert!(rig.realm.held_bytes() > 4000);
    rig.realm.close_handle(open);
    assert_eq!(rig.realm.held_bytes(), 0);
    let Plain::Handle(open) = rig.ok(OPEN, &path("/r/long")) else { panic!("a handle") };
    let site = rig.site();
    assert!(rig.realm.read_line(site, open).unwrap().is_some() && rig.realm.held_bytes() > 0);
    rig.leave();
    rig.realm.revoke(&rig.site(), poor).unwrap();
    assert_eq!(rig.realm.held_bytes(), 0);
}

#[test]
fn a_revocation_and_a_number_that_is_over_close_nobody_elses() {
    let mut rig = Rig::new(Access::Read);
    let [s, t] = [0; 2].map(|_| rig.make(&[OPEN], obj(&[])).unwrap());
    let open = |rig: &mut Rig, s: SbxId| {
        rig.enter(s);
        let Plain::Handle(open) = rig.ok(OPEN, &path("/r/a.txt")) else { panic!("a handle") };
        rig.leave();
        open
    };
    let (gone, kept) = (open(&mut rig, s), open(&mut rig, t));
    rig.realm.revoke(&rig.site(), s).unwrap();
    assert!(rig.realm.read_line(rig.site(), gone).is_err());
    assert_eq!(rig.realm.read_line(rig.site(), kept), Ok(Some("alpha".to_owned())));
    // Its place is used again; closing the old number again closes nothing.
    rig.realm.close_handle(kept);
    rig.realm.close_handle(gone);
    let next = [open(&mut rig, t), open(&mut rig, t)];
    assert!(next.iter().any(|next| next.index == kept.index && *next != kept), "its control: the place is the same");
    rig.realm.close_handle(kept);
    rig.realm.close_handle(gone);
    for next in next {
        assert_eq!(rig.realm.read_line(rig.site(), next), Ok(Some("alpha".to_owned())));
    }
}

#[test]
fn a_line_that_was_read_after_all_is_not_lost() {
    let mut rig = Rig::new(Access::Read);
    std::fs::write(rig.base.join("R/lines"), "one\ntwo\n").unwrap();
    let Plain::Handle(open) = rig.ok(OPEN, &path("/r/lines")) else { panic!("a handle") };
    let short = CallSite { room: 0, ..rig.site() };
    assert!(matches!(rig.realm.read_line(short, open), Err(Stop::Room(_))));
    assert_eq!(rig.realm.read_line(rig.site(), open), Ok(Some("one".to_owned())));
    rig.realm.gave_up();
    assert_eq!(rig.realm.read_line(rig.site(), open), Ok(Some("two".to_owned())));
    // Its control: given up, it is lost.
    rig.realm.close_handle(open);
    let Plain::Handle(open) = rig.ok(OPEN, &path("/r/lines")) else { panic!("a handle") };
    let short = CallSite { room: 0, ..rig.site() };
    assert!(matches!(rig.realm.read_line(short, open), Err(Stop::Room(_))));
    rig.realm.gave_up();
    assert!(matches!(rig.realm.read_line(rig.site(), open), Err(Stop::Failed(why)) if why.contains("open it anew")));
}

#[test]
fn nobody_revokes_the_fixed_ones_nor_with_what_was_revoked() {
    let mut rig = Rig::new(Access::Read);
    let root = rig.site();
    rig.realm.revoke(&root, VOID).unwrap();
    assert!(!rig.realm.is_revoked(VOID));
    let _ = rig.realm.revoke(&CallSite { authority: ANY, ..root }, ANY);
    assert!(!rig.realm.is_revoked(ANY));
    let s = rig.make(&[TIME], obj(&[])).unwrap();
    let inside = CallSite { authority: s, ..root };
    rig.realm.revoke(&inside, s).unwrap();
    assert!(last(&rig, s).contains("sbxrv"), "{}", last(&rig, s));
    let again = rig.realm.revoke(&inside, s);
    assert!(matches!(again, Err(Stop::Denied(denial)) if denial.rule == Rule::Revoked));
    // The library holds nothing that it could hand on.
    let caps = Arg::List(vec![Arg::Str(TIME)]);
    let request = ilu_sbx::Request::from_args(&caps, None).unwrap();
    let made = rig.realm.make(&CallSite { authority: ANY, ..root }, &request);
    assert_eq!(made, Err(Stop::Failed("sbxmk: the standard library holds nothing itself".to_owned())));
}

#[derive(Default)]
struct Counter(AtomicUsize);

impl Service for Counter {
    fn heed(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Another isolate of the run, and what is to be revoked there while a native runs here.
static ELSEWHERE: Mutex<Option<(Realm, SbxId)>> = Mutex::new(None);

/// How often services heard of a revocation: before, and after this native looked around.
fn look_around(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let counter = permit.service::<Counter>();
    let heard = || Plain::Num(counter.0.load(Ordering::Relaxed) as f64);
    if let Some((mut elsewhere, there)) = ELSEWHERE.lock().unwrap().take() {
        let site = CallSite { authority: ROOT, account: elsewhere.root_account(), file: "task.ilu", line: 1, room: 0 };
        elsewhere.revoke(&site, there).unwrap();
        if let Some(Arg::Handle(pair)) = args.first() {
            // Nobody has closed it here; it is whose it is that is asked.
            let found = permit.shared::<u8>(*pair, "number");
            assert!(matches!(found, Err(Stop::Denied(denial)) if denial.rule == Rule::Revoked));
        }
    }
    let before = heard();
    permit.pulse()?;
    Ok(Plain::List(vec![before, heard()]))
}

fn number(permit: &mut Permit<'_>, _: &[Arg<'_>]) -> Result<Plain, Stop> {
    permit.open_shared(Arc::new(7_u8), "number").map(Plain::Handle)
}

fn readable(permit: &mut Permit<'_>, _: &[Arg<'_>]) -> Result<Plain, Stop> {
    Ok(Plain::Num(permit.readable() as f64))
}

fn send(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let Some(Arg::Str(text)) = args.get(1) else { panic!("a text") };
    permit.charge_sent(text.len() as u64)?;
    Ok(Plain::Nil)
}

fn with_own_natives(limits: Limits) -> Rig {
    let natives = Natives::new(&[
        ("__sys_tcp_close", look_around as ilu_sbx::NativeFn),
        ("__sys_tcp_accept", number),
        (RECV, readable),
        (SEND, send),
    ]);
    Rig::built(natives, CapSet::all(), |base| vec![mount(&base.join("R"), "/r", Access::Read)], &[], limits)
}

#[test]
fn a_revocation_is_heard_of_once_by_what_natives_keep_and_while_one_waits() {
    let mut rig = with_own_natives(Limits::default());
    let [first, second] = [0; 2].map(|_| rig.make(&["__sys_tcp_accept"], obj(&[])).unwrap());
    let heard = |rig: &mut Rig, args: &[Arg<'_>]| match rig.ok("__sys_tcp_close", args) {
        Plain::List(heard) => heard,
        other => panic!("{other:?}"),
    };
    let times = |before: f64, after: f64| vec![Plain::Num(before), Plain::Num(after)];
    assert_eq!(heard(&mut rig, &some()), times(0.0, 0.0));
    rig.realm.revoke(&rig.site(), first).unwrap();
    assert_eq!(heard(&mut rig, &some()), times(1.0, 1.0));
    assert_eq!(heard(&mut rig, &some()), times(1.0, 1.0), "once");
    rig.enter(second);
    let Plain::Handle(pair) = rig.ok("__sys_tcp_accept", &some()) else { panic!("a handle") };
    rig.leave();
    let mut elsewhere = rig.realm.fork(rig.realm.root_account()).unwrap();
    let there = elsewhere.adopt(&rig.realm.sandbox(second)).unwrap();
    *ELSEWHERE.lock().unwrap() = Some((elsewhere, there));
    assert_eq!(heard(&mut rig, &[Arg::Handle(pair)]), times(2.0, 3.0), "over there, and then here");
}

#[test]
fn what_is_sent_and_read_is_paid_for_by_the_caller_and_by_whose_authority_it_is() {
    let mut rig = with_own_natives(Limits::default());
    let limits = |key: &'static str, n: f64| obj(&[(key, num(n))]);
    let (own, payer) = (rig.make(&[SEND, RECV], limits("written", 5.0)).unwrap(), rig.make(&[SEND], limits("written", 3.0)).unwrap());
    rig.authority = own;
    assert_eq!(rig.call(SEND, &[some()[0].clone(), Arg::Str("123456")]), Err(Stop::Limit { budget: Budget::Written, of: own }));
    assert_eq!(spent(&mut rig, ROOT, Budget::Written), 0);
    // What one of them lacks is taken from nobody.
    rig.account = rig.realm.account(rig.account, payer).unwrap();
    assert_eq!(rig.call(SEND, &[some()[0].clone(), Arg::Str("1234")]), Err(Stop::Limit { budget: Budget::Written, of: payer }));
    assert_eq!((spent(&mut rig, own, Budget::Written), spent(&mut rig, payer, Budget::Written)), (0, 0));
    assert!(rig.call(SEND, &[some()[0].clone(), Arg::Str("123")]).is_ok());
    assert_eq!((spent(&mut rig, own, Budget::Written), spent(&mut rig, payer, Budget::Written)), (3, 3));
    rig.leave();
    let (few, some_more) = (rig.make(&[RECV], limits("read", 3.0)).unwrap(), rig.make(&[RECV], limits("read", 7.0)).unwrap());
    rig.authority = few;
    rig.account = rig.realm.account(rig.account, some_more).unwrap();
    assert_eq!(rig.ok(RECV, &some()), Plain::Num(3.0));
    rig.authority = some_more;
    assert_eq!(rig.ok(RECV, &some()), Plain::Num(7.0));
}

#[test]
fn so_many_things_are_open_in_a_run_and_no_more() {
    let mut rig = with_own_natives(Limits { handles: 10_000, ..Limits::default() });
    let mut fork = rig.realm.fork(rig.realm.root_account()).unwrap();
    let open = |realm: &mut Realm| {
        let site = CallSite { authority: ROOT, account: realm.root_account(), file: "main.ilu", line: 1, room: 1 << 20 };
        realm.call(site, by_name("__sys_tcp_accept").unwrap(), &some())
    };
    let tight = rig.make(&["__sys_tcp_accept"], obj(&[("fds", num(0.0))])).unwrap();
    rig.enter(tight);
    for _ in 0..600 {
        assert!(rig.fails("__sys_tcp_accept", &some()).contains("too many open files (limit 0)"));
    }
    rig.leave();
    let mut handles = Vec::new();
    for _ in 0..512 {
        match open(&mut rig.realm) {
            Ok(Plain::Handle(id)) => handles.push(id),
            other => panic!("{} are open: {other:?}", handles.len()),
        }
    }
    let full = Err(Stop::Failed("too many open files (limit 512)".to_owned()));
    for _ in 0..3 {
        assert_eq!(open(&mut fork), full, "another isolate has its own table, and the run one number");
        assert_eq!(open(&mut rig.realm), full);
    }
    rig.realm.close_handle(handles[0]);
    assert!(open(&mut fork).is_ok(), "what was refused has taken no place");
    assert_eq!(open(&mut rig.realm), full);
}

#[test]
fn a_path_is_managed_by_its_last_name_only() {
    let mut rig = Rig::with(
        |base| vec![mount(&base.join("R"), "/r", Access::ReadWrite), mount(&base.join("R/a.txt"), "/f.", Access::ReadWrite)],
        Limits::default(),
    );
    let root = "the root of a grant, and a path that ends in `.` or `..`, can't be made, removed or renamed";
    for path in ["/r", "/r/", "/r/.", "/r/d/e/..", "/r/d/e/../", "/r/d/./", "/r/none/..", "/r/none/../", "/f."] {
        assert_eq!(rig.fails("__sys_remove", &[Arg::Str(path), obj(&[("recursive", Arg::Bool(true))])]), root, "{path}");
    }
    assert!(rig.base.join("R/d/e/f.txt").is_file() && rig.base.join("R/a.txt").is_file());
    // A grant of one file is that file and no directory.
    rig.reads("/f.", "alpha\n");
    for path in ["/f./", "/f./.", "/f./..", "/f./x"] {
        assert_eq!(rig.fails(READ, &[Arg::Str(path)]), "not a directory", "{path}");
    }
    rig.ok("__sys_mkdir", &path("/r/new"));
    assert!(last(&rig, ROOT).contains("/r/new"), "{}", last(&rig, ROOT));
    rig.ok("__sys_remove", &path("/r/new/"));
}

#[test]
fn a_hint_names_what_would_help_and_who_could_give_it() {
    let mut rig = Rig::new(Access::Read);
    let natives = [READ, WRITE, "__sys_getenv"];
    let s = rig.make(&natives, obj(&[("dir", obj(&[])), ("env", Arg::List(Vec::new()))])).unwrap();
    let t = rig.make(&natives, obj(&[])).unwrap();
    rig.enter(s);
    let hint = |rig: &mut Rig, native: &str, args: &[Arg<'_>]| rig.denied(native, args).grant.unwrap();
    assert_eq!(hint(&mut rig, READ, &path("/r/a.txt")), "{dir: {\"/r/a.txt\": \"ro\"}} in the options of sbxmk");
    assert_eq!(hint(&mut rig, READ, &path("/zzz")), "--dir /zzz:ro");
    assert_eq!(hint(&mut rig, "__sys_getenv", &path("LANG")), "{env: [\"LANG\"]} in the options of sbxmk");
    assert_eq!(hint(&mut rig, "__sys_getenv", &path("NONE")), "--env NONE");
    rig.leave();
    rig.enter(t);
    // Its maker has no more than it.
    assert_eq!(hint(&mut rig, WRITE, &[Arg::Str("/r/x"), Arg::Str("")]), "--dir HOST:/r:rw, where HOST is what /r is granted from");
    rig.leave();
    assert_eq!(hint(&mut rig, WRITE, &[Arg::Str("/r/x"), Arg::Str("")]), "--dir HOST:/r:rw, where HOST is what /r is granted from");
    assert_eq!(rig.fails("__sys_getenv", &path(&"N".repeat(70_000))), "that is no name of an environment variable");
    rig.realm.observe();
    rig.ok("__sys_getenv", &path("LANG"));
    let _ = rig.make(&[TIME], obj(&[("fuel", num(5.0))])).unwrap();
    let observed = rig.realm.observed().unwrap();
    assert_eq!(observed.env.into_iter().collect::<Vec<_>>(), ["LANG"]);
    assert_eq!(observed.asked.fuel, 5);
    assert!(observed.natives.contains(&by_name("__sys_getenv").unwrap()) && observed.natives.contains(&by_name(TIME).unwrap()));
    // An operand is kept as far as a path goes.
    let long = "x".repeat(100_000);
    let _ = rig.call(READ, &path(&long));
    assert!(last(&rig, ROOT).len() < 90_000, "{}", last(&rig, ROOT).len());
}

/// A sink that can fail, and counts.
#[derive(Clone, Default)]
struct Sink {
    bytes: Arc<Mutex<Vec<u8>>>,
    fails: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
    flushed: Arc<AtomicUsize>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) > 0 {
            self.fails.fetch_sub(1, Ordering::Relaxed);
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        self.flushed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn a_record_that_broke_stays_so_until_there_is_another() {
    let mut rig = Rig::new(Access::Read);
    let (first, second) = (Sink::default(), Sink::default());
    rig.realm.set_sink(Box::new(first.clone()));
    rig.ok(TIME, &[]);
    let Plain::Handle(open) = rig.ok(OPEN, &path("/r/a.txt")) else { panic!("a handle") };
    first.fails.store(1, Ordering::Relaxed);
    rig.ok(TIME, &[]);
    let asked = first.asked.load(Ordering::Relaxed);
    assert_eq!(rig.denied(TIME, &[]).rule, Rule::AuditBroken);
    assert!(matches!(rig.realm.read_line(rig.site(), open), Err(Stop::Denied(denial)) if denial.rule == Rule::AuditBroken));
    assert_eq!(first.asked.load(Ordering::Relaxed), asked, "behind a hole nothing is written");
    assert!(rig.realm.close_sink().is_err());
    // Another sink does not bring the lost row back.
    rig.realm.set_sink(Box::new(second.clone()));
    assert_eq!(rig.denied(TIME, &[]).rule, Rule::AuditBroken);
    assert!(rig.realm.close_sink().is_err() && second.asked.load(Ordering::Relaxed) == 0);
}

#[test]
fn a_sink_is_closed_once_and_all_of_it_is_out() {
    let (mut rig, sink) = (Rig::new(Access::Read), Sink::default());
    rig.realm.set_sink(Box::new(sink.clone()));
    rig.ok(TIME, &[]);
    let sealed = rig.realm.close_sink().unwrap().unwrap();
    assert_eq!(sink.flushed.load(Ordering::Relaxed), 1);
    assert_eq!(rig.realm.close_sink().unwrap(), None);
    let text = sink.bytes.lock().unwrap().clone();
    let verified = format!("{:?}", ilu_sbx::chain::verify(&mut io::Cursor::new(text)).unwrap());
    assert!(verified.contains(&sealed.head), "{verified} {sealed:?}");
}

#[test]
fn what_an_isolate_takes_of_memory_all_around_it_have_less_of() {
    let mut rig = Rig::new(Access::Read);
    let outer = rig.make(&[TIME], obj(&[("mem", num(1000.0))])).unwrap();
    rig.enter(outer);
    let inner = rig.make(&[TIME], obj(&[("mem", num(300.0))])).unwrap();
    rig.enter(inner);
    let (inside, root) = (rig.realm.purse(rig.account), rig.realm.purse(rig.realm.root_account()));
    rig.leave();
    rig.enter(outer);
    let around = rig.realm.purse(rig.account);
    let mut lease = inside.take(200).unwrap();
    assert_eq!(lease.bytes(), 200);
    assert!(inside.take(101).is_none() && inside.take(100).is_some(), "what was given back can be taken again");
    assert!(around.take(801).is_none(), "the one around has less, too");
    assert!(around.take(800).is_some());
    assert!(!lease.set(301) && lease.bytes() == 200);
    assert!(lease.set(300) && inside.take(1).is_none());
    assert!(lease.set(50) && inside.take(251).is_none() && inside.take(250).is_some());
    let all = around.take(950).unwrap();
    // Nothing is taken of one when another has none.
    assert!(inside.take(1).is_none());
    drop(all);
    assert!(inside.take(250).is_some());
    drop(lease);
    assert!(inside.take(300).is_some() && around.take(1000).is_some());
    assert!(root.take(2000).is_some(), "its control: the root has more");
}

#[test]
fn a_realm_begins_with_so_many_directories_and_its_clock_runs() {
    let many = |n: usize| {
        let rig = Rig::new(Access::Read);
        let mounts = (0..n).map(|n| mount(&rig.base.join("R"), &format!("/m{n}"), Access::Read)).collect();
        let grants = Grants { caps: CapSet::all(), mounts, ..Grants::default() };
        Realm::new(grants, Box::new(Nowhere), Natives::new(&[])).map(|_| ())
    };
    assert_eq!((many(64), many(65)), (Ok(()), Err("at most 64 directories can be granted".to_owned())));
    let mut rig = Rig::with(|_| Vec::new(), Limits { wall_ms: 5000, ..Limits::default() });
    rig.ok(TIME, &[]);
    assert_eq!(rig.realm.exhausted(rig.account), None);
    rig.streams.ahead.store(5001, Ordering::Relaxed);
    assert_eq!(rig.realm.exhausted(rig.account), Some((Budget::Time, ROOT)));
    assert!(!rig.realm.interrupted());
    rig.streams.interrupted.store(true, Ordering::Relaxed);
    assert!(rig.realm.interrupted());
    rig.realm.note_memory(rig.account, 77);
    rig.realm.note_memory(rig.account, 7);
    assert_eq!(used(&rig, ROOT, "mem"), 77.0);
}

struct Nowhere;

impl ilu_sbx::Outside for Nowhere {
    fn write_out(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn write_err(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn read_in(&self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
    fn wall_ms(&self) -> f64 {
        0.0
    }
    fn mono_ms(&self) -> f64 {
        0.0
    }
    fn sleep(&self, _: f64) {}
    fn random(&self, _: &mut [u8]) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn waiting_is_sleeping_and_looking_around() {
    let mut rig = Rig::new(Access::Read);
    rig.ok("__sys_sleep", &[num(90.0)]);
    let naps = rig.streams.naps.load(Ordering::Relaxed);
    assert!((2..200).contains(&naps), "{naps}");
}

#[test]
fn only_what_cap_std_refuses_for_leading_out_is_an_escape() {
    use ilu_sbx::permit::is_escape;
    assert!(is_escape(&io::ErrorKind::PermissionDenied.into()));
    assert!(!is_escape(&io::ErrorKind::NotFound.into()));
    assert!(!is_escape(&io::Error::from_raw_os_error(rustix::io::Errno::ACCESS.raw_os_error())));
}

#[test]
fn the_log_of_a_sandbox_that_is_gone_is_kept_by_its_maker() {
    let mut rig = Rig::new(Access::Read);
    let s = rig.make(&[TIME, OUT], obj(&[])).unwrap();
    rig.enter(s);
    for _ in 0..3 {
        rig.ok(TIME, &[]);
    }
    rig.leave();
    let (rows, all) = (rig.realm.log(ROOT).len(), rig.realm.rows_kept());
    let log = format!("{:?}", rig.realm.log(s));
    rig.realm.sweep(ilu_sbx::Homes::default(), std::collections::HashSet::new());
    assert!(rig.realm.log(s).is_empty());
    let kept = rig.realm.log(ROOT);
    assert!(kept.len() >= rows && format!("{kept:?}").contains("__sys_time"), "{log}\n{kept:?}");
    assert!(rig.realm.rows_kept() <= all && rig.realm.rows_kept() > 0);
}
