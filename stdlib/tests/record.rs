//! What sandboxes share and leave behind: budgets, streams, the record of decisions, relative names.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::cast_precision_loss,
    reason = "tests"
)]
mod rig;

use ilu_cap::by_name;
use ilu_sbx::{Access, Arg, Budget, Limits, Plain, ROOT, Rule, Stop};
use rig::{Rig, mount, obj, on};
use std::fs;
use std::sync::{Arc, Mutex};

const READ: &str = "__sys_read_file";
const WRITE: &str = "__sys_write_file";

fn nums<'a>(pairs: &[(&'a str, f64)]) -> Arg<'a> {
    Arg::Object(pairs.iter().map(|(key, n)| (*key, Arg::Num(*n))).collect())
}

#[test]
fn budgets_end_the_sandbox_they_belong_to() {
    let cases: &[(&str, &str, &[Arg<'_>], Budget)] = &[
        ("out", "__sys_stdout", &[Arg::Str("12345678901")], Budget::Output),
        ("read", READ, &[Arg::Str("d/e/long")], Budget::Read),
        ("written", WRITE, &[Arg::Str("w"), Arg::Str("12345678901")], Budget::Written),
        ("fuel", "__sys_time", &[], Budget::Fuel),
    ];
    for (key, native, args, budget) in cases {
        let mut rig = Rig::new(Access::ReadWrite);
        fs::write(rig.base.join("R/d/e/long"), "12345678901").unwrap();
        let s = rig.make(&[native], nums(&[(key, 10.0)])).unwrap();
        rig.ok(native, args);
        let root_before = rig.realm.used(ROOT);
        rig.enter(s);
        assert_eq!(rig.call(native, args), Err(Stop::Limit { budget: *budget, of: s }), "{key}");
        assert_eq!(fs::metadata(rig.base.join("R/w")).map_or(11, |meta| meta.len()), 11, "nothing is done in part");
        rig.leave();
        rig.ok(native, args);
        assert_ne!(rig.realm.used(ROOT), root_before);
        assert_eq!(rig.realm.limit_text(*budget, s).split(" (limit 10").next().unwrap(), format!("{} ran out", budget.text()));
    }
    // FS-102-like: calls of one native.
    let mut rig = Rig::new(Access::ReadWrite);
    let s = rig.make(&["__sys_time", "__sys_mono"], obj(&[("calls", nums(&[("__sys_now", 2.0)]))])).unwrap();
    rig.enter(s);
    rig.ok("__sys_time", &[]);
    rig.ok("__sys_time", &[]);
    let native = by_name("__sys_time").unwrap();
    assert_eq!(rig.call("__sys_time", &[]), Err(Stop::Limit { budget: Budget::Calls(native), of: s }));
    rig.ok("__sys_mono", &[]);
}

#[test]
fn cap_032_children_draw_from_their_maker() {
    let mut rig = Rig::new(Access::ReadWrite);
    let parent = rig.make(&["__sys_stdout"], nums(&[("out", 10.0)])).unwrap();
    rig.enter(parent);
    let (account, mut written) = (rig.account, 0);
    for _ in 0..20 {
        rig.account = account;
        rig.authority = parent;
        let Err(Stop::Failed(text)) = rig.make(&["__sys_stdout"], nums(&[("out", 1e6)])) else { panic!() };
        assert_eq!(
            text,
            format!(
                "sbxmk: this sandbox does not hold out 1000000 (at most {}); with {{lax: tru}} it makes do with what is held",
                10 - written
            )
        );
        let child = rig.make(&["__sys_stdout"], obj(&[("out", Arg::Num(1e6)), ("lax", Arg::Bool(true))])).unwrap();
        rig.enter(child);
        match rig.call("__sys_stdout", &[Arg::Str("xxx")]) {
            Ok(_) => written += 3,
            Err(stop) => assert!(matches!(stop, Stop::Limit { budget: Budget::Output, of } if of == parent || of == child), "{stop:?}"),
        }
    }
    assert_eq!(written, 9);
    assert_eq!(rig.streams.out.lock().unwrap().len(), 9);
}

#[test]
fn a_call_that_is_made_again_for_room_is_billed_once() {
    let mut rig = Rig::new(Access::Read);
    let left = |rig: &Rig| rig.realm.fuel_left(rig.account);
    let (before, room) = (left(&rig), rig.room);
    rig.reads("a.txt", "alpha\n");
    let price = before - left(&rig);
    for native in [READ, "__sys_read_dir"] {
        let before = left(&rig);
        rig.room = 3;
        let path = if native == READ { "a.txt" } else { "." };
        assert!(matches!(rig.call(native, &[Arg::Str(path)]), Err(Stop::Room(_))), "{native}");
        assert_eq!(left(&rig), before, "{native}");
    }
    rig.room = room;
    let before = left(&rig);
    rig.reads("a.txt", "alpha\n");
    assert_eq!(before - left(&rig), price);
}

#[test]
fn fuel_is_charged_to_everyone_entered() {
    let mut rig = Rig::new(Access::Read);
    let a = rig.make(&[], nums(&[("fuel", 1000.0)])).unwrap();
    let b = rig.make(&[], nums(&[("fuel", 400.0)])).unwrap();
    rig.enter(a);
    let in_a = rig.account;
    rig.enter(b);
    let in_both = rig.account;
    assert_eq!(rig.realm.fuel_left(in_a), 1000);
    assert_eq!(rig.realm.fuel_left(in_both), 400);
    rig.realm.spend_fuel(in_both, 300);
    assert_eq!((rig.realm.fuel_left(in_a), rig.realm.fuel_left(in_both)), (700, 100));
    assert_eq!(rig.realm.exhausted(in_both), None);
    rig.realm.spend_fuel(in_both, 100);
    assert_eq!(rig.realm.exhausted(in_both), Some((Budget::Fuel, b)));
    assert_eq!(rig.realm.exhausted(in_a), None);
    rig.realm.spend_fuel(in_both, 10_000);
    assert_eq!(rig.realm.exhausted(in_both), Some((Budget::Fuel, a)), "the outermost one that ran out");
    assert!(rig.realm.charges(in_both, a) && rig.realm.charges(in_both, ROOT) && !rig.realm.charges(in_a, b));
    // Entering what has been entered makes no new account.
    let again = rig.realm.account(in_both, a);
    assert_eq!(again, Ok(in_both));
}

#[test]
fn waiting_ends_at_the_deadline() {
    let mut rig = Rig::new(Access::Read);
    let s = rig.make(&["__sys_sleep"], nums(&[("ms", 60.0)])).unwrap();
    rig.enter(s);
    rig.ok("__sys_sleep", &[Arg::Num(1.0)]);
    let start = std::time::Instant::now();
    assert_eq!(rig.call("__sys_sleep", &[Arg::Num(1e9)]), Err(Stop::Limit { budget: Budget::Time, of: s }));
    assert!(start.elapsed().as_millis() < 1000);
    assert_eq!(rig.realm.exhausted(rig.account), Some((Budget::Time, s)));
    assert_eq!(rig.realm.limit_text(Budget::Time, s), "time ran out (limit 60 ms)");
    rig.leave();
    for odd in [-1.0, f64::NAN, f64::INFINITY] {
        rig.fails("__sys_sleep", &[Arg::Num(odd)]);
    }
}

#[test]
fn streams_variables_arguments_and_random_bytes() {
    let mut rig = Rig::new(Access::Read);
    rig.ok("__sys_stdout", &[Arg::Str("hé")]);
    rig.ok("__sys_stdout", &[Arg::Bytes(b"\xff")]);
    rig.ok("__sys_stderr", &[Arg::Str("oh")]);
    assert_eq!(*rig.streams.out.lock().unwrap(), b"h\xc3\xa9\xff");
    assert_eq!(*rig.streams.err.lock().unwrap(), b"oh");
    rig.streams.input.lock().unwrap().extend(b"first line\nsecond\nand\nthe rest");
    assert_eq!(rig.ok("__sys_stdin", &[]), Plain::Str("first line".to_owned()));
    assert_eq!(rig.ok("__sys_stdin", &[]), Plain::Str("second".to_owned()));
    assert_eq!(rig.ok("__sys_stdin", &[on("all")]), Plain::Str("and\nthe rest".to_owned()));
    assert_eq!(rig.ok("__sys_stdin", &[]), Plain::Nil);
    assert_eq!(rig.ok("__sys_getenv", &[Arg::Str("LANG")]), Plain::Str("C".to_owned()));
    assert_eq!(rig.denied("__sys_getenv", &[Arg::Str("HOME")]).rule, Rule::NoVariable);
    for odd in ["", "A=B", "A\0"] {
        rig.fails("__sys_getenv", &[Arg::Str(odd)]);
    }
    let s = rig.make(&["__sys_getenv"], obj(&[("env", Arg::List(vec![Arg::Str("LANG")]))])).unwrap();
    rig.enter(s);
    assert_eq!(rig.ok("__sys_env", &[Arg::Str("LANG")]), Plain::Str("C".to_owned()));
    let denial = rig.denied("__sys_getenv", &[Arg::Str("SECRET")]);
    assert_eq!(denial.grant.as_deref(), Some("{env: [\"SECRET\"]} in the options of sbxmk"));
    rig.leave();
    assert_eq!(rig.ok("__sys_argv", &[]), Plain::List(vec![Plain::Str("one".to_owned())]));
    let Plain::Bytes(bytes) = rig.ok("__sys_random", &[Arg::Num(32.0)]) else { panic!() };
    assert!(bytes.len() == 32 && bytes.iter().any(|b| *b != bytes[0]));
    for odd in [-1.0, 0.5, 1e9, f64::NAN] {
        rig.fails("__sys_random", &[Arg::Num(odd)]);
    }
    assert_eq!(rig.ok("__sys_time", &[]), Plain::Num(1_700_000_000_000.0));
}

#[test]
fn text_that_is_not_utf8_is_an_error_that_says_where() {
    let mut rig = Rig::new(Access::ReadWrite);
    fs::write(rig.base.join("R/bin"), b"ab\xffcd").unwrap();
    assert_eq!(rig.fails(READ, &[Arg::Str("bin")]), "not UTF-8 text at byte 2 (use fs.rdb)");
    assert_eq!(rig.ok(READ, &[Arg::Str("bin"), on("bytes")]), Plain::Bytes(b"ab\xffcd".to_vec()));
    assert_eq!(rig.ok(READ, &[Arg::Str("bin"), nums(&[("from", 3.0), ("len", 9.0)])]), Plain::Str("cd".to_owned()));
    rig.ok(WRITE, &[Arg::Str("out"), Arg::Bytes(b"\xfe")]);
    assert_eq!(fs::read(rig.base.join("R/out")).unwrap(), b"\xfe");
}

#[test]
fn every_way_of_writing_does_what_it_says() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.ok(WRITE, &[Arg::Str("w"), Arg::Str("long content")]);
    rig.ok(WRITE, &[Arg::Str("w"), Arg::Str("short")]);
    rig.reads("w", "short");
    rig.ok(WRITE, &[Arg::Str("w"), Arg::Str("er"), on("append")]);
    rig.reads("w", "shorter");
    assert_eq!(rig.fails(WRITE, &[Arg::Str("w"), Arg::Str("x"), on("create_new")]), "already exists");
    rig.ok(WRITE, &[Arg::Str("w"), Arg::Str("atomic"), on("atomic")]);
    rig.reads("w", "atomic");
    rig.ok(WRITE, &[Arg::Str("d/new"), Arg::Str("atomic"), on("atomic")]);
    rig.reads("d/new", "atomic");
    for path in [".", "d", "d/", "d/.."] {
        assert_eq!(rig.fails(WRITE, &[Arg::Str(path), Arg::Str("x")]), "is a directory", "{path}");
        assert_eq!(rig.fails(WRITE, &[Arg::Str(path), Arg::Str("x"), on("atomic")]), "is a directory", "{path}");
    }
    let left: Vec<_> = fs::read_dir(rig.base.join("R")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".ilu")), "{left:?}");
    assert_eq!(rig.fails("__sys_copy", &[Arg::Str("w"), Arg::Str("./w")]), "both paths name the same file");
    rig.reads("w", "atomic");
    rig.ok("__sys_mkdir", &[Arg::Str("p/q/r"), on("parents")]);
    rig.ok("__sys_mkdir", &[Arg::Str("p/q/r/"), on("parents")]);
    assert_eq!(rig.fails("__sys_mkdir", &[Arg::Str("p")]), "already exists");
    assert_eq!(rig.fails("__sys_mkdir", &[Arg::Str("a.txt/x"), on("parents")]), "already exists");
    assert_eq!(rig.fails("__sys_remove", &[Arg::Str("p")]), "directory not empty");
    assert_eq!(rig.fails("__sys_remove", &[Arg::Str("none")]), "file not found");
    rig.ok("__sys_remove", &[Arg::Str("p/q/r/")]);
    rig.ok("__sys_remove", &[Arg::Str("p"), on("recursive")]);
    let Plain::Object(fields) = rig.ok("__sys_stat", &[Arg::Str("w")]) else { panic!() };
    assert_eq!(fields[0], ("kind".to_owned(), Plain::Str("file".to_owned())));
    assert_eq!(fields[1], ("size".to_owned(), Plain::Num(6.0)));
}

#[test]
fn denials_name_the_smallest_grant() {
    let mut rig = Rig::new(Access::Read);
    let lines = |rig: &mut Rig, native, args: &[Arg<'_>]| rig.denied(native, args).lines().join("\n");
    let mut text = vec![
        lines(&mut rig, READ, &[Arg::Str("/etc/passwd")]),
        lines(&mut rig, WRITE, &[Arg::Str("/r/new dir/x"), Arg::Str("x")]),
        lines(&mut rig, READ, &[Arg::Str("../outside/secret.txt")]),
        lines(&mut rig, "__sys_getenv", &[Arg::Str("HOME")]),
    ];
    let s = rig.make(&[READ, WRITE, "__sys_getenv"], obj(&[("dir", obj(&[]))])).unwrap();
    rig.enter(s);
    text.push(lines(&mut rig, READ, &[Arg::Str("/r/a.txt")]));
    text.push(lines(&mut rig, "__sys_stat", &[Arg::Str("/r/a.txt")]));
    let site = rig.site();
    rig.realm.revoke(&site, s).unwrap();
    text.push(lines(&mut rig, READ, &[Arg::Str("/r/a.txt")]));
    assert_eq!(text.join("\n\n") + "\n", include_str!("denials.golden"));
}

/// A sink that remembers, and that can be made to fail.
#[derive(Clone, Default)]
struct Sink {
    written: Arc<Mutex<Vec<u8>>>,
    broken: Arc<Mutex<bool>>,
}

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if *self.broken.lock().unwrap() {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.written.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn every_decision_is_recorded_and_no_content_is() {
    let mut rig = Rig::new(Access::ReadWrite);
    let sink = Sink::default();
    rig.realm.set_sink(Box::new(sink.clone()));
    rig.ok(READ, &[Arg::Str("a.txt")]);
    rig.ok(WRITE, &[Arg::Str("w\n\"x"), Arg::Str("secret-content")]);
    rig.ok("__sys_getenv", &[Arg::Str("SECRET")]);
    rig.ok("__sys_stdout", &[Arg::Str("secret-content")]);
    rig.fails(READ, &[Arg::Str("none")]);
    rig.denied(READ, &[Arg::Str("/etc/passwd")]);
    let s = rig.make(&[READ], nums(&[("read", 0.0)])).unwrap();
    rig.enter(s);
    assert!(matches!(rig.call(READ, &[Arg::Str("a.txt")]), Err(Stop::Limit { .. })));
    rig.leave();
    assert_eq!(rig.realm.close_sink().unwrap().map(|sealed| sealed.events), Some(8));
    let written = String::from_utf8(sink.written.lock().unwrap().clone()).unwrap();
    assert_eq!(written, include_str!("audit.golden"));
    for hidden in ["secret-content", "v-secret", "alpha"] {
        assert!(!written.contains(hidden));
    }
}

#[test]
fn nothing_more_is_allowed_when_the_record_can_not_be_written() {
    let mut rig = Rig::new(Access::Read);
    let sink = Sink::default();
    rig.realm.set_sink(Box::new(sink.clone()));
    rig.reads("a.txt", "alpha\n");
    *sink.broken.lock().unwrap() = true;
    let _ = rig.call(READ, &[Arg::Str("a.txt")]);
    assert_eq!(rig.denied(READ, &[Arg::Str("a.txt")]).rule, Rule::AuditBroken);
    assert_eq!(rig.denied("__sys_stdout", &[Arg::Str("x")]).rule, Rule::AuditBroken);
}

fn field<'a>(row: &'a Plain, name: &str) -> &'a Plain {
    let Plain::Object(fields) = row else { panic!() };
    &fields.iter().find(|(key, _)| key == name).unwrap().1
}

#[test]
fn logs_are_bounded_and_show_what_is_below() {
    let mut rig = Rig::new(Access::Read);
    let noisy = rig.make(&[READ, "__sys_time"], Arg::Nil).unwrap();
    let quiet = rig.make(&[READ], Arg::Nil).unwrap();
    rig.enter(quiet);
    rig.reads("a.txt", "alpha\n");
    rig.enter(noisy);
    rig.denied(READ, &[Arg::Str("/first")]);
    for n in 0..3000 {
        rig.fails(READ, &[Arg::Str(&format!("none{n}"))]);
    }
    for _ in 0..1000 {
        rig.ok("__sys_time", &[]);
    }
    assert_eq!(rig.realm.log(quiet).len(), 1);
    let rows = rig.realm.log(noisy);
    assert_eq!(rows.len(), 512);
    assert_eq!(field(rows.last().unwrap(), "times"), &Plain::Num(1000.0));
    let denied = rig.realm.denied(noisy);
    assert_eq!(denied.len(), 1, "a flood of other rows does not wash a denial out");
    assert_eq!(field(&denied[0], "on"), &Plain::Str("/first".to_owned()));
    assert_eq!(rig.realm.denied(ROOT).len(), 1);
    assert_eq!(field(&rig.realm.used(ROOT), "denied"), &Plain::Num(1.0));
    assert!(rig.realm.log(ROOT).len() <= 1000);
}

#[test]
fn one_sandbox_can_not_push_another_ones_rows_out() {
    let mut rig = Rig::new(Access::Read);
    let victim = rig.make(&[READ], Arg::Nil).unwrap();
    rig.enter(victim);
    rig.denied(READ, &[Arg::Str("/evidence")]);
    rig.leave();
    for _ in 0..120 {
        let s = rig.make(&[READ], Arg::Nil).unwrap();
        rig.enter(s);
        for n in 0..520 {
            rig.fails(READ, &[Arg::Str(&format!("none{n}"))]);
        }
        rig.leave();
    }
    assert_eq!(rig.realm.denied(victim).len(), 1);
    assert_eq!(rig.realm.log(victim).len(), 1);
}

#[test]
fn cap_035_the_log_a_script_writes_is_bounded_and_its_own() {
    let mut rig = Rig::new(Access::Read);
    let huge = "x".repeat(1 << 20);
    rig.ok("__obs_log", &[Arg::Str("info"), Arg::Str("a\n\u{1b}[31mb"), obj(&[("k", Arg::Str("v")), ("n", Arg::Num(1.5))])]);
    let rows = rig.realm.log(ROOT);
    assert_eq!(field(&rows[0], "on"), &Plain::Str("info: a\\u{a}\\u{1b}[31mb k=v n=1.5".to_owned()));
    rig.ok("__obs_log", &[Arg::Str(&huge), Arg::Str(&huge), obj(&[(&huge, Arg::Str(&huge))])]);
    let Plain::Str(shown) = field(rig.realm.log(ROOT).last().unwrap(), "on").clone() else { panic!() };
    assert!(shown.len() < 300);
    let Plain::Num(span) = rig.ok("__obs_span_begin", &[Arg::Str("work")]) else { panic!() };
    let s = rig.make(&["__obs_span_end", "__obs_span_begin"], Arg::Nil).unwrap();
    rig.enter(s);
    assert_eq!(rig.fails("__obs_span_end", &[Arg::Num(span)]), "no such span is open");
    rig.leave();
    rig.ok("__obs_span_end", &[Arg::Num(span)]);
    for odd in [span, -1.0, 0.0, f64::NAN, 1e300] {
        assert_eq!(rig.fails("__obs_span_end", &[Arg::Num(odd)]), "no such span is open");
    }
    let full = (0..2000).find_map(|_| rig.call("__obs_span_begin", &[Arg::Str("x")]).err());
    assert_eq!(full, Some(Stop::Failed("too many open spans".to_owned())));
}

#[test]
fn grants_are_checked_when_the_realm_is_made() {
    use ilu_sbx::{Grants, Mount, Opened, Realm};
    let rig = Rig::new(Access::Read);
    struct Dead;
    impl ilu_sbx::Outside for Dead {
        fn write_out(&self, _: &[u8]) -> std::io::Result<()> {
            Ok(())
        }
        fn write_err(&self, _: &[u8]) -> std::io::Result<()> {
            Ok(())
        }
        fn read_in(&self, _: &mut [u8]) -> std::io::Result<usize> {
            Ok(0)
        }
        fn wall_ms(&self) -> f64 {
            0.0
        }
        fn mono_ms(&self) -> f64 {
            0.0
        }
        fn sleep(&self, _: f64) {}
        fn random(&self, _: &mut [u8]) -> std::io::Result<()> {
            Ok(())
        }
    }
    let open = || cap_std::fs::Dir::open_ambient_dir(rig.base.join("R"), cap_std::ambient_authority()).unwrap();
    let with = |names: &[&str]| {
        let mount = |guest: &&str| Mount { guest: (*guest).to_owned(), opened: Opened::Dir(open()), access: Access::Read };
        Realm::new(Grants { mounts: names.iter().map(mount).collect(), ..Grants::default() }, Box::new(Dead), ilu_std::natives())
    };
    assert!(with(&["/a", "/b", "."]).is_ok());
    for names in [&["/a", "/a/"][..], &["a", "./a"], &[""], &["a\0"]] {
        assert!(with(names).is_err(), "{names:?}");
    }
}

#[test]
fn relative_paths_start_at_the_first_directory_never_at_a_file() {
    let mounts = |base: &std::path::Path| vec![mount(&base.join("R/a.txt"), "a.txt", Access::Read)];
    let mut rig = Rig::with(mounts, Limits::default());
    rig.reads("a.txt", "alpha\n");
    rig.reads("./a.txt", "alpha\n");
    for path in ["b.txt", ".", "d/a.txt"] {
        assert_eq!(rig.denied(READ, &[Arg::Str(path)]).rule, Rule::NoGrant, "{path}");
    }
    let mounts =
        |base: &std::path::Path| vec![mount(&base.join("R/a.txt"), "a.txt", Access::Read), mount(&base.join("R/d"), "/d", Access::Read)];
    let mut rig = Rig::with(mounts, Limits::default());
    rig.reads("e/f.txt", "eff\n");
    rig.reads("a.txt", "alpha\n");
}

#[test]
fn relative_names_of_mounts_are_found_part_by_part() {
    let mut rig = Rig::with(
        |base| vec![mount(&base.join("R"), "R", Access::Read), mount(&base.join("R/d"), "../up", Access::Read)],
        Limits::default(),
    );
    rig.reads("R/a.txt", "alpha\n");
    rig.reads("./R//a.txt", "alpha\n");
    rig.reads("a.txt", "alpha\n");
    rig.reads("../up/e/f.txt", "eff\n");
    assert_eq!(rig.denied(READ, &[Arg::Str("../R/a.txt")]).rule, Rule::LeadsOut("R".to_owned()));
    rig.denied(READ, &[Arg::Str("/R/a.txt")]);
}
