//! Asking the operator at the doorway: about what, how often, and who gets what the answer adds.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::disallowed_types, reason = "tests")]
mod rig;

use ilu_cap::{CapSet, NativeId, by_name};
use ilu_sbx::{Access, Addition, Answer, Arg, CallSite, Denial, Limits, Mount, Operator, Plain, Stop};
use rig::{Rig, mount, obj};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Answers as it was told to, then no; and takes note of what it was asked.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Operator for Script {
    fn ask(&self, denied: &Denial) -> Answer {
        self.asked.lock().unwrap().push(format!("{} {} {}", denied.native, denied.on.join(" "), denied.rule.code()));
        self.answers.lock().unwrap().pop_front().unwrap_or(Answer::No)
    }
}

impl Script {
    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
    fn will(&self, answers: Vec<Answer>) {
        *self.answers.lock().unwrap() = answers.into();
    }
}

/// Everything held but these, `R/` as `/r`; `outside/` is not granted.
fn scene(without: &[&str], access: Access) -> (Rig, Script) {
    let caps: CapSet = NativeId::all().filter(|native| !without.contains(&native.name())).collect();
    let mut rig = Rig::holding(caps, |base| vec![mount(&base.join("R"), "/r", access)], &[], Limits::none());
    let script = Script::default();
    rig.realm.set_operator(Box::new(script.clone()));
    std::fs::create_dir(rig.base.join("M")).unwrap();
    std::fs::create_dir(rig.base.join("N")).unwrap();
    for name in ["M/m.txt", "N/n.txt"] {
        std::fs::write(rig.base.join(name), "more\n").unwrap();
    }
    (rig, script)
}

fn dir(rig: &Rig, name: &str, access: Access) -> Addition {
    Addition { mounts: vec![mounted(rig, name, access)], ..Addition::default() }
}

fn mounted(rig: &Rig, name: &str, access: Access) -> Mount {
    mount(&rig.base.join(name), &format!("/{name}"), access)
}

fn path(text: &'static str) -> [Arg<'static>; 1] {
    [Arg::Str(text)]
}

#[test]
fn only_what_the_operator_could_grant_is_asked_about() {
    let (mut rig, script) = scene(&["__sys_random"], Access::Read);
    for (native, args, rule) in [
        ("__sys_read_file", vec![Arg::Str("/r/../outside/secret.txt")], "leads-out"),
        ("__sys_read_file", vec![Arg::Str("/M/m.txt")], "no-grant"),
        ("__sys_write_file", vec![Arg::Str("/r/a.txt"), Arg::Str("x")], "read-only"),
        ("__sys_getenv", vec![Arg::Str("NONE")], "no-variable"),
        ("__sys_random", vec![Arg::Num(1.0)], "not-held"),
        ("__sys_symlink", vec![Arg::Str("/etc"), Arg::Str("/r/l")], "absolute-link"),
    ] {
        let before = script.asked();
        assert_eq!(rig.denied(native, &args).rule.code(), rule);
        let may_be_asked = !["leads-out", "absolute-link"].contains(&rule);
        assert_eq!(script.asked() - before, usize::from(may_be_asked), "{native} {rule}");
    }
    // Not about what code in a sandbox lacks, nor about anything once the root is gone.
    let before = script.asked();
    let s = rig.make(&["__sys_read_file"], obj(&[("dir", obj(&[]))])).unwrap();
    rig.enter(s);
    rig.denied("__sys_read_file", &path("/r/a.txt"));
    rig.leave();
    let (site, root) = (rig.site(), rig.realm.root());
    script.will(vec![Answer::Once(dir(&rig, "M", Access::Read))]);
    rig.realm.revoke(&site, root).unwrap();
    assert_eq!(rig.denied("__sys_read_file", &path("/M/m.txt")).rule.code(), "revoked");
    assert_eq!(script.asked(), before);
}

#[test]
fn once_is_one_call_and_run_is_all_that_follow() {
    let (mut rig, script) = scene(&[], Access::Read);
    script.will(vec![Answer::Once(dir(&rig, "M", Access::Read)), Answer::No, Answer::Run(dir(&rig, "M", Access::Read))]);
    rig.reads("/M/m.txt", "more\n");
    rig.denied("__sys_read_file", &path("/M/m.txt"));
    for _ in 0..3 {
        rig.reads("/M/m.txt", "more\n");
    }
    assert_eq!(script.asked(), 3);
    // What is made under the root has none of it, nor has the root itself.
    assert!(rig.make(&["__sys_read_file"], obj(&[("dir", obj(&[("/M", Arg::Str("ro"))]))])).is_err());
    let s = rig.make(&["__sys_read_file"], Arg::Nil).unwrap();
    rig.enter(s);
    assert_eq!(rig.denied("__sys_read_file", &path("/M/m.txt")).rule.code(), "no-grant");
    assert_eq!(script.asked(), 3);
}

#[test]
fn a_call_of_two_places_is_asked_about_twice_and_needs_both_answers() {
    let (mut rig, script) = scene(&[], Access::Read);
    script.will(vec![Answer::Once(dir(&rig, "M", Access::Read)), Answer::Once(dir(&rig, "N", Access::ReadWrite))]);
    rig.ok("__sys_copy", &[Arg::Str("/M/m.txt"), Arg::Str("/N/copy")]);
    assert_eq!((script.asked(), std::fs::read_to_string(rig.base.join("N/copy")).unwrap().as_str()), (2, "more\n"));
    // An answer that adds nothing is asked for again, so often and no more.
    script.will((0..20).map(|_| Answer::Once(Addition::default())).collect());
    rig.denied("__sys_copy", &[Arg::Str("/M/m.txt"), Arg::Str("/N/copy")]);
    assert_eq!(script.asked(), 6);
}

#[test]
fn each_addition_is_worth_what_it_is_and_no_more() {
    let (mut rig, script) = scene(&["__sys_getenv"], Access::Read);
    let both = Addition { mounts: vec![mounted(&rig, "M", Access::Read), mounted(&rig, "N", Access::ReadWrite)], ..Addition::default() };
    script.will(vec![Answer::Run(both)]);
    rig.reads("/M/m.txt", "more\n");
    rig.ok("__sys_write_file", &[Arg::Str("/N/x"), Arg::Str("x")]);
    assert_eq!(rig.denied("__sys_write_file", &[Arg::Str("/M/x"), Arg::Str("x")]).rule.code(), "read-only");
    assert_eq!(rig.denied("__sys_write_file", &[Arg::Str("/r/a.txt"), Arg::Str("x")]).rule.code(), "read-only");
    // A place that was added later stands beside those before.
    script
        .will(vec![Answer::Run(Addition { mounts: vec![mount(&rig.base.join("M"), "/again", Access::ReadWrite)], ..Addition::default() })]);
    rig.ok("__sys_write_file", &[Arg::Str("/again/y"), Arg::Str("y")]);
    assert_eq!(rig.denied("__sys_write_file", &[Arg::Str("/M/y"), Arg::Str("y")]).rule.code(), "read-only");

    let getenv = by_name("__sys_getenv").unwrap();
    let variable =
        |name: &str, value: &str| Addition { natives: vec![getenv], env: vec![(name.to_owned(), value.to_owned())], ..Addition::default() };
    script.will(vec![Answer::Run(variable("ONE", "1")), Answer::Run(variable("TWO", "2"))]);
    for (name, value) in [("ONE", "1"), ("TWO", "2"), ("ONE", "1")] {
        assert_eq!(rig.ok("__sys_getenv", &[Arg::Str(name)]), Plain::Str(value.to_owned()));
    }
    assert_eq!(rig.denied("__sys_getenv", &[Arg::Str("THREE")]).rule.code(), "no-variable");
}

#[test]
fn what_was_opened_with_an_addition_is_the_roots_own_to_read() {
    let (mut rig, script) = scene(&["__sys_open_read"], Access::Read);
    let open = by_name("__sys_open_read").unwrap();
    script.will(vec![Answer::Once(Addition { natives: vec![open], ..Addition::default() })]);
    let Plain::Handle(handle) = rig.ok("__sys_open_read", &path("/r/a.txt")) else { panic!() };
    let site = rig.site();
    let s = rig.make(&["__sys_read_file"], Arg::Nil).unwrap();
    let Err(Stop::Denied(denied)) = rig.realm.read_line(CallSite { authority: s, ..site }, handle) else { panic!("a sandbox reads it") };
    assert_eq!(denied.rule.code(), "not-held");
    assert_eq!(rig.realm.read_line(site, handle), Ok(Some("alpha".to_owned())));
}

#[test]
fn a_call_that_is_made_again_for_want_of_room_is_not_asked_about_again() {
    let (mut rig, script) = scene(&[], Access::Read);
    let once = |rig: &Rig| Answer::Once(dir(rig, "M", Access::Read));
    script.will(vec![once(&rig)]);
    rig.room = 2;
    for _ in 0..3 {
        assert!(matches!(rig.call("__sys_read_file", &path("/M/m.txt")), Err(Stop::Room(_))));
    }
    rig.room = 1 << 20;
    rig.reads("/M/m.txt", "more\n");
    assert_eq!(script.asked(), 1);
    // That was the one call.
    rig.denied("__sys_read_file", &path("/M/m.txt"));
    assert_eq!(script.asked(), 2);
    // Another call in between is another call.
    script.will(vec![once(&rig)]);
    rig.room = 2;
    assert!(matches!(rig.call("__sys_read_file", &path("/M/m.txt")), Err(Stop::Room(_))));
    rig.room = 1 << 20;
    rig.denied("__sys_read_dir", &path("/M"));
    rig.denied("__sys_read_file", &path("/M/m.txt"));
    assert_eq!(script.asked(), 5);
}
