//! What a native does in steps it does not go on doing when the run is interrupted or the time is up; what it costs is charged before it is done, to
//! the byte, and nothing has happened when it is not allowed.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::disallowed_types, reason = "tests")]
mod rig;

use ilu_sbx::{Access, Arg, Budget, Limits, Plain, Stop};
use rig::{Rig, mount, obj};
use std::sync::atomic::Ordering;

const EVERYTHING: &[&str] = &[
    "__sys_read_file",
    "__sys_read_dir",
    "__sys_open_read",
    "__sys_write_file",
    "__sys_mkdir",
    "__sys_remove",
    "__sys_rename",
    "__sys_copy",
    "__sys_sleep",
    "__sys_stdout",
    "__sys_stderr",
    "__sys_stdin",
    "__sys_random",
    "__sys_time",
];

fn scene() -> Rig {
    let rig = Rig::with(|base| vec![mount(&base.join("R"), "/r", Access::ReadWrite)], Limits::none());
    std::fs::create_dir_all(rig.base.join("R/tree/sub")).unwrap();
    std::fs::write(rig.base.join("R/tree/sub/f"), "x").unwrap();
    rig.streams.input.lock().unwrap().extend(b"one line\nand one\n");
    rig
}

fn text(text: &'static str) -> Arg<'static> {
    Arg::Str(text)
}

/// Calls that do something step by step.
fn long() -> Vec<(&'static str, Vec<Arg<'static>>)> {
    let on = |key: &'static str| obj(&[(key, Arg::Bool(true))]);
    vec![
        ("__sys_read_file", vec![text("/r/a.txt")]),
        ("__sys_read_dir", vec![text("/r")]),
        ("__sys_write_file", vec![text("/r/new"), text("content")]),
        ("__sys_write_file", vec![text("/r/new2"), text("content"), on("atomic")]),
        ("__sys_copy", vec![text("/r/a.txt"), text("/r/new3")]),
        ("__sys_remove", vec![text("/r/tree"), on("recursive")]),
        ("__sys_sleep", vec![Arg::Num(5.0)]),
        ("__sys_stdin", vec![]),
    ]
}

#[test]
fn what_is_done_in_steps_ends_when_the_run_is_interrupted() {
    for (native, args) in long() {
        let mut rig = scene();
        rig.streams.interrupted.store(true, Ordering::Relaxed);
        assert_eq!(rig.call(native, &args), Err(Stop::Interrupted), "{native} {args:?}");
        assert!(rig.base.join("R/tree/sub/f").exists(), "{native} {args:?}");
        // The control: without the interrupt it works.
        rig.streams.interrupted.store(false, Ordering::Relaxed);
        rig.ok(native, &args);
    }
}

#[test]
fn what_is_done_in_steps_ends_when_the_time_is_up() {
    for (native, args) in long() {
        let mut rig = scene();
        let s = rig.make(EVERYTHING, obj(&[("ms", Arg::Num(60_000.0))])).unwrap();
        rig.enter(s);
        rig.streams.ahead.store(60_001, Ordering::Relaxed);
        let result = rig.call(native, &args);
        assert_eq!(result, Err(Stop::Limit { budget: Budget::Time, of: s }), "{native} {args:?}");
        rig.streams.ahead.store(0, Ordering::Relaxed);
        rig.ok(native, &args);
    }
}

/// What a sandbox has used of something.
fn used(rig: &Rig, s: ilu_sbx::SbxId, key: &str) -> f64 {
    let Plain::Object(fields) = rig.realm.used(s) else { panic!() };
    let found = fields.iter().find(|(name, _)| name == key);
    let Some((_, Plain::Num(n))) = found else { panic!("{key}") };
    *n
}

#[test]
fn bytes_are_charged_to_the_byte_before_anything_happens() {
    let all = |key: &'static str| obj(&[(key, Arg::Bool(true))]);
    // Of `key` this many bytes are needed; afterwards this file is there.
    let cases = [
        ("__sys_read_file", vec![text("/r/a.txt")], "read", 6.0, Budget::Read, None),
        (
            "__sys_read_file",
            vec![text("/r/a.txt"), obj(&[("from", Arg::Num(2.0)), ("len", Arg::Num(3.0))])],
            "read",
            3.0,
            Budget::Read,
            None,
        ),
        ("__sys_write_file", vec![text("/r/new"), text("content")], "written", 7.0, Budget::Written, Some("R/new")),
        ("__sys_write_file", vec![text("/r/new"), text("content"), all("atomic")], "written", 7.0, Budget::Written, Some("R/new")),
        ("__sys_write_file", vec![text("/r/new"), text("content"), all("append")], "written", 7.0, Budget::Written, Some("R/new")),
        ("__sys_copy", vec![text("/r/a.txt"), text("/r/new")], "read", 6.0, Budget::Read, Some("R/new")),
        ("__sys_copy", vec![text("/r/a.txt"), text("/r/new")], "written", 6.0, Budget::Written, Some("R/new")),
        ("__sys_stdout", vec![text("hello")], "out", 5.0, Budget::Output, None),
        ("__sys_stderr", vec![text("hello")], "out", 5.0, Budget::Output, None),
    ];
    for (native, args, key, needs, budget, made) in cases {
        for (has, enough) in [(needs - 1.0, false), (needs, true)] {
            let mut rig = scene();
            let s = rig.make(EVERYTHING, obj(&[(key, Arg::Num(has))])).unwrap();
            rig.enter(s);
            let result = rig.call(native, &args);
            let what = format!("{native} {args:?} with {has} of {key}: {result:?}");
            if enough {
                assert!(result.is_ok(), "{what}");
                assert_eq!(used(&rig, s, key), needs, "{what}");
            } else {
                assert_eq!(result, Err(Stop::Limit { budget, of: s }), "{what}");
                assert_eq!(used(&rig, s, key), 0.0, "{what}");
            }
            assert!(made.is_none_or(|made| rig.base.join(made).exists() == enough), "{what}");
            let (out, err) = (rig.streams.out.lock().unwrap().len(), rig.streams.err.lock().unwrap().len());
            assert!(enough || out + err == 0, "{what}");
        }
    }
}

#[test]
fn a_result_has_room_on_the_heap_before_it_is_read() {
    let mut rig = scene();
    for (native, args) in
        [("__sys_read_file", vec![text("/r/a.txt")]), ("__sys_random", vec![Arg::Num(64.0)]), ("__sys_read_dir", vec![text("/r")])]
    {
        rig.room = 5;
        assert!(matches!(rig.call(native, &args), Err(Stop::Room(6..))), "{native}");
        rig.room = 64 << 20;
        rig.ok(native, &args);
    }
}

#[test]
fn work_that_grows_with_what_there_is_is_paid_by_the_piece() {
    let fuel = |rig: &mut Rig, native: &str, args: &[Arg<'_>]| {
        let s = rig.make(EVERYTHING, Arg::Nil).unwrap();
        rig.enter(s);
        rig.ok(native, args);
        rig.leave();
        used(rig, s, "fuel")
    };
    let parents = || obj(&[("parents", Arg::Bool(true))]);
    let recursive = || obj(&[("recursive", Arg::Bool(true))]);
    let mut rig = scene();
    let short = fuel(&mut rig, "__sys_mkdir", &[text("/r/m"), parents()]);
    let long = fuel(&mut rig, "__sys_mkdir", &[text("/r/m/1/2/3/4/5/6/7/8/9/10"), parents()]);
    assert!(long >= short + 100.0, "{short} {long}");
    for n in 0..50 {
        std::fs::write(rig.base.join(format!("R/tree/{n}")), "").unwrap();
    }
    let many = fuel(&mut rig, "__sys_read_dir", &[text("/r/tree")]);
    let few = fuel(&mut rig, "__sys_read_dir", &[text("/r/m")]);
    assert!(many >= few + 50.0, "{few} {many}");
    let many = fuel(&mut rig, "__sys_remove", &[text("/r/tree"), recursive()]);
    let few = fuel(&mut rig, "__sys_remove", &[text("/r/m/1/2/3/4/5/6/7/8/9/10"), recursive()]);
    assert!(many >= few + 500.0, "{few} {many}");
    let much = fuel(&mut rig, "__sys_random", &[Arg::Num(16_000.0)]);
    let little = fuel(&mut rig, "__sys_random", &[Arg::Num(0.0)]);
    assert!(much >= little + 1000.0, "{little} {much}");
    std::fs::write(rig.base.join("R/big"), vec![b'x'; 64_000]).unwrap();
    for (native, args) in [
        ("__sys_read_file", vec![text("/r/big")]),
        ("__sys_copy", vec![text("/r/big"), text("/r/big2")]),
        ("__sys_stdout", vec![Arg::Bytes(&[b'x'; 64_000])]),
    ] {
        let units = fuel(&mut rig, native, &args);
        assert!(units >= 1000.0, "{native}: {units}");
    }
}

#[test]
fn the_root_of_a_grant_is_never_made_removed_or_renamed() {
    let mut rig = scene();
    let parents = || obj(&[("parents", Arg::Bool(true))]);
    for path in ["/r", "/r/", "/r/.", "/r/tree/..", "/r/tree/."] {
        for (native, args) in [
            ("__sys_mkdir", vec![text(path)]),
            ("__sys_mkdir", vec![text(path), parents()]),
            ("__sys_remove", vec![text(path)]),
            ("__sys_remove", vec![text(path), obj(&[("recursive", Arg::Bool(true))])]),
            ("__sys_rename", vec![text(path), text("/r/elsewhere")]),
            ("__sys_rename", vec![text("/r/a.txt"), text(path)]),
            ("__sys_symlink", vec![text("a.txt"), text(path)]),
        ] {
            assert!(rig.fails(native, &args).contains("the root of a grant"), "{native} {path}");
        }
    }
    rig.reads("/r/a.txt", "alpha\n");
    assert!(rig.base.join("R/tree/sub/f").exists());
}

#[test]
fn a_call_that_never_found_room_is_on_record_and_counts() {
    let mut rig = scene();
    let s = rig.make(EVERYTHING, obj(&[("calls", obj(&[("__sys_read_file", Arg::Num(2.0))]))])).unwrap();
    rig.enter(s);
    rig.room = 1;
    assert!(matches!(rig.call("__sys_read_file", &[text("/r/a.txt")]), Err(Stop::Room(_))));
    rig.realm.gave_up();
    let log = format!("{:?}", rig.realm.log(s));
    assert!(log.contains("/r/a.txt") && log.contains("limit") && log.contains("memory"), "{log}");
    // Once given up it is not there any more.
    rig.realm.gave_up();
    rig.room = 1 << 20;
    rig.ok("__sys_read_file", &[text("/r/a.txt")]);
    assert!(matches!(rig.call("__sys_read_file", &[text("/r/a.txt")]), Err(Stop::Limit { budget: Budget::Calls(_), .. })));
}

#[test]
fn arguments_are_of_the_kinds_that_the_row_says_before_the_native_sees_them() {
    let mut rig = scene();
    for (native, args, says) in [
        ("__sys_read_file", vec![text("/r/a.txt"), Arg::Num(1.0)], "is "),
        ("__sys_read_file", vec![Arg::Num(1.0)], "is "),
        ("__sys_read_file", vec![], "takes 1 to 2 arguments, got 0"),
        ("__sys_time", vec![Arg::Nil], "takes 0 arguments, got 1"),
    ] {
        let text = rig.fails(native, &args);
        assert!(text.starts_with(native) && text.contains(says) && !text.contains("options are"), "{text}");
    }
    rig.ok("__sys_read_file", &[text("/r/a.txt"), Arg::Nil]);
}

#[test]
fn standard_input_is_charged_as_it_is_read() {
    for (has, enough) in [(8.0, false), (10.0, true)] {
        let mut rig = scene();
        let s = rig.make(EVERYTHING, obj(&[("read", Arg::Num(has))])).unwrap();
        rig.enter(s);
        let result = rig.call("__sys_stdin", &[]);
        if enough {
            assert_eq!(result, Ok(Plain::Str("one line".to_owned())));
            // It comes in pieces of five bytes.
            assert_eq!(used(&rig, s, "read"), 10.0);
        } else {
            assert_eq!(result, Err(Stop::Limit { budget: Budget::Read, of: s }));
        }
    }
}

#[test]
fn lines_read_outside_with_a_sandboxs_own_authority_are_drawn_from_its_budget() {
    let mut rig = scene();
    let s = rig.make(EVERYTHING, obj(&[("read", Arg::Num(6.0))])).unwrap();
    let account = rig.account;
    rig.enter(s);
    let Plain::Handle(one) = rig.ok("__sys_open_read", &[text("/r/a.txt")]) else { panic!() };
    let Plain::Handle(two) = rig.ok("__sys_open_read", &[text("/r/a.txt")]) else { panic!() };
    // The sandbox's function, called from outside: the root pays for the work, and what is read is the sandbox's all the same.
    rig.account = account;
    let site = rig.site();
    assert_eq!(rig.realm.read_line(site, one), Ok(Some("alpha".to_owned())));
    assert_eq!(used(&rig, s, "read"), 6.0);
    assert_eq!(rig.realm.read_line(site, two), Err(Stop::Limit { budget: Budget::Read, of: s }));
}
