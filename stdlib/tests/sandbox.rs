//! Sandboxes: what they hold, what they give on, what they share, and what is recorded.
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

use ilu_cap::{NATIVES, NativeId, by_name};
use ilu_sbx::{ANY, Access, Arg, Budget, Limits, Plain, ROOT, Rule, SbxId, Stop, VOID};
use proptest::prelude::*;
use rig::{Rig, mount, obj, on};
use std::fs;
use std::sync::{Arc, Mutex};

const READ: &str = "__sys_read_file";
const WRITE: &str = "__sys_write_file";

fn nums<'a>(pairs: &[(&'a str, f64)]) -> Arg<'a> {
    Arg::Object(pairs.iter().map(|(key, n)| (*key, Arg::Num(*n))).collect())
}

#[track_caller]
fn refused(made: Result<SbxId, Stop>) -> String {
    match made {
        Err(Stop::Failed(text)) => text,
        other => panic!("{other:?}"),
    }
}

/// Arguments that fit a native's row, so that only the capability can be what is missing.
fn fitting(native: NativeId) -> Vec<Arg<'static>> {
    use ilu_cap::Kind;
    let fit = |param: &ilu_cap::Param| match param.kind {
        Kind::Str | Kind::Data => Arg::Str("a.txt"),
        Kind::Num => Arg::Num(1.0),
        Kind::List => Arg::List(Vec::new()),
        Kind::Options => Arg::Object(Vec::new()),
        Kind::Fun => Arg::Other("fun"),
        Kind::Handle => Arg::Handle(ilu_sbx::HandleId { index: 0, generation: 0 }),
        Kind::Any => Arg::Nil,
    };
    native.row().params.iter().map(fit).collect()
}

#[test]
fn cap_001_a_native_that_is_not_held_is_denied_and_one_that_is_held_is_not() {
    for native in NativeId::all() {
        let others: Vec<&str> = NATIVES.iter().map(|row| row.name).filter(|name| *name != native.name()).collect();
        for (held, allowed) in [(Vec::new(), false), (others, false), (vec![native.name()], true)] {
            let mut rig = Rig::new(Access::ReadWrite);
            let s = rig.make(&held, Arg::Nil).unwrap();
            rig.enter(s);
            let result = rig.call(native.name(), &fitting(native));
            let denied = matches!(&result, Err(Stop::Denied(denial)) if denial.rule == Rule::NotHeld);
            assert_eq!(denied, !allowed && native.name() != "__none", "{} {held:?} {result:?}", native.name());
            assert_eq!(rig.realm.has(s, native), allowed);
        }
    }
}

#[test]
fn the_standard_librarys_own_home_holds_nothing() {
    let mut rig = Rig::new(Access::ReadWrite);
    for authority in [ANY, VOID, SbxId(9999)] {
        rig.authority = authority;
        for native in NativeId::all() {
            assert!(matches!(rig.call(native.name(), &fitting(native)), Err(Stop::Denied(_))), "{authority:?} {}", native.name());
        }
    }
}

#[test]
fn natives_without_a_function_say_so_after_the_capability_was_checked() {
    let mut rig = Rig::new(Access::ReadWrite);
    assert_eq!(rig.fails("__sys_http_get", &[Arg::Str("http://x/")]), "`__sys_http_get` is not in this build");
    let s = rig.make(&[], Arg::Nil).unwrap();
    rig.enter(s);
    rig.denied("__sys_http_get", &[Arg::Str("http://x/")]);
}

#[test]
fn cap_019_lists_are_exact_names_or_errors() {
    let mut rig = Rig::new(Access::ReadWrite);
    for odd in ["*", "__sys_*", "", " __os_run", "__OS_RUN", "__os_run\0", "__\u{43e}s_run", "capde", &"x".repeat(1 << 20)] {
        assert!(refused(rig.make(&[READ, odd], Arg::Nil)).starts_with("sbxmk: unknown capability"), "{odd:?}");
        let lax = rig.make(&[READ, odd], on("lax"));
        assert!(lax.is_err(), "{odd:?}: an unknown name is an error in any case");
    }
    let text = refused(rig.make(&["__sys_raed_file"], Arg::Nil));
    assert_eq!(text, "sbxmk: unknown capability `__sys_raed_file` (did you mean `__sys_read_file`?)");
    for odd in [Arg::Nil, Arg::Str("__os_run"), Arg::Num(1.0), Arg::Object(Vec::new()), Arg::List(vec![Arg::Num(1.0)])] {
        assert!(ilu_sbx::Request::from_args(&odd, None).is_err(), "{odd:?}");
    }
    let alias = rig.make(&["__sys_read"], Arg::Nil).unwrap();
    assert_eq!(rig.realm.caps(alias), [READ]);
}

#[test]
fn cap_002_an_empty_list_is_nothing() {
    let mut rig = Rig::new(Access::ReadWrite);
    let s = rig.make(&[], Arg::Nil).unwrap();
    assert!(rig.realm.caps(s).is_empty());
    let s = rig.make(&[READ], obj(&[("dir", obj(&[])), ("env", Arg::List(Vec::new()))])).unwrap();
    rig.enter(s);
    assert_eq!(rig.denied(READ, &[Arg::Str("a.txt")]).rule, Rule::NoGrant);
    assert_eq!(rig.denied(READ, &[Arg::Str("/r/a.txt")]).rule, Rule::NoGrant);
}

#[test]
fn cap_020_a_sandbox_never_holds_more_than_its_maker() {
    let mut rig = Rig::new(Access::Read);
    let s = rig.make(&[READ, "__sys_stat"], Arg::Nil).unwrap();
    rig.enter(s);
    let text = refused(rig.make(&[READ, "__os_run", "__sys_time"], Arg::Nil));
    assert_eq!(text, "sbxmk: this sandbox does not hold `__sys_time`, `__os_run`");
    let text = refused(rig.make(&[READ], obj(&[("dir", obj(&[("/r", Arg::Str("rw"))])), ("env", Arg::List(vec![Arg::Str("NONE")]))])));
    assert_eq!(text, "sbxmk: this sandbox does not hold env \"NONE\", \"/r\" rw (it is ro)");
    let text = refused(rig.make(&[READ], obj(&[("dir", obj(&[("/etc", Arg::Str("ro"))]))])));
    assert_eq!(text, "sbxmk: this sandbox does not hold \"/etc\" ro");
    let lax = obj(&[
        ("lax", Arg::Bool(true)),
        ("dir", obj(&[("/r", Arg::Str("rw")), ("/etc", Arg::Str("ro"))])),
        ("env", Arg::List(vec![Arg::Str("NONE"), Arg::Str("LANG")])),
    ]);
    let s = rig.make(&[READ, "__os_run"], lax).unwrap();
    assert_eq!(rig.realm.caps(s), [READ]);
    rig.enter(s);
    rig.reads("/r/a.txt", "alpha\n");
    rig.denied(READ, &[Arg::Str("/etc/passwd")]);
    // A hundred levels down it is still no more.
    for _ in 0..100 {
        let s = rig.make(&[READ], Arg::Nil).unwrap();
        rig.enter(s);
    }
    assert!(rig.make(&["__sys_stat"], Arg::Nil).is_err());
    rig.reads("/r/a.txt", "alpha\n");
}

#[test]
fn nesting_and_the_number_of_sandboxes_are_bounded() {
    let mut rig = Rig::new(Access::Read);
    let deepest = (0..1000).find_map(|_| match rig.make(&[], Arg::Nil) {
        Ok(s) => {
            rig.authority = s;
            None
        }
        Err(stop) => Some(stop),
    });
    assert_eq!(deepest, Some(Stop::Failed("sbxmk: sandboxes nest too deep".to_owned())));
    rig.leave();
    let many = (0..40_000).find_map(|_| rig.make(&[], Arg::Nil).err());
    assert_eq!(many, Some(Stop::Failed("sbxmk: too many sandboxes".to_owned())));
    rig.reads("a.txt", "alpha\n");
}

#[test]
fn options_are_of_the_documented_form_or_an_error() {
    let mut rig = Rig::new(Access::ReadWrite);
    for key in ["net", "run", "pol", "tasks", "log"] {
        assert_eq!(refused(rig.make(&[], on(key))), format!("sbxmk: option {key} is not in this build"));
    }
    let odd = [
        on("fule"),
        nums(&[("fuel", -1.0)]),
        nums(&[("mem", 1.5)]),
        nums(&[("ms", f64::NAN)]),
        nums(&[("dir", 1.0)]),
        nums(&[("calls", 1.0)]),
        obj(&[("dir", obj(&[("/r", Arg::Str("rwx"))]))]),
        obj(&[("dir", obj(&[("/r", obj(&[("at", Arg::Num(1.0))]))]))]),
        obj(&[("dir", obj(&[("/x", obj(&[("from", Arg::Str("/r"))]))]))]),
        obj(&[("dir", obj(&[("", Arg::Str("ro"))]))]),
        obj(&[("dir", obj(&[("/r", obj(&[("at", Arg::Str("/x/../y"))]))]))]),
        obj(&[("dir", obj(&[("/r/d/../d", obj(&[("at", Arg::Str("/x"))]))]))]),
        obj(&[("dir", obj(&[("/r/none", obj(&[("at", Arg::Str("/x"))]))]))]),
        obj(&[("dir", obj(&[("/r", Arg::Str("ro")), ("/r/", Arg::Str("ro"))]))]),
        obj(&[("calls", obj(&[("__none", Arg::Num(1.0))]))]),
        obj(&[("calls", obj(&[("__sys_env", Arg::Num(1.0)), ("__sys_getenv", Arg::Num(1.0))]))]),
        Arg::Str("x"),
    ];
    for odd in odd {
        let shown = format!("{odd:?}");
        assert!(refused(rig.make(&[], odd)).starts_with("sbxmk: "), "{shown}");
    }
}

/// The maker's path `at`, as `guest`.
fn dir<'a>(guest: &'a str, at: &'a str, acc: &'a str) -> Arg<'a> {
    obj(&[("dir", obj(&[(at, obj(&[("at", Arg::Str(guest)), ("acc", Arg::Str(acc))]))]))])
}

#[test]
fn fs_073_a_narrower_view_is_opened_through_the_wider_one() {
    let mut rig = Rig::new(Access::ReadWrite);
    let caps = [READ, WRITE, "__sys_read_dir", "__sys_remove"];
    let s = rig.make(&caps, dir("/in", "/r/d", "ro")).unwrap();
    rig.enter(s);
    rig.reads("/in/e/f.txt", "eff\n");
    rig.reads("e/f.txt", "eff\n");
    for path in ["/r/a.txt", "/in/../a.txt", "../a.txt", "/in/e/../../a.txt"] {
        rig.denied(READ, &[Arg::Str(path)]);
    }
    assert_eq!(rig.denied(WRITE, &[Arg::Str("/in/x"), Arg::Str("x")]).rule, Rule::ReadOnly("/in".to_owned()));
    for _ in 0..5 {
        let s = rig.make(&caps, dir("/in", "/in", "ro")).unwrap();
        rig.enter(s);
        rig.reads("/in/e/f.txt", "eff\n");
        assert!(rig.make(&caps, dir("/in", "/in", "rw")).is_err());
    }
    rig.leave();
    rig.ok(WRITE, &[Arg::Str("/r/d/x"), Arg::Str("x")]);
    // A single file, under another name.
    let s = rig.make(&caps, dir("/one", "/r/a.txt", "rw")).unwrap();
    rig.enter(s);
    rig.reads("/one", "alpha\n");
    rig.ok(WRITE, &[Arg::Str("/one"), Arg::Str("new")]);
    rig.denied(READ, &[Arg::Str("/r/d/x")]);
    rig.fails("__sys_remove", &[Arg::Str("/one")]);
    fs::remove_file(rig.base.join("R/a.txt")).unwrap();
    rig.link("d/e/f.txt", "a.txt");
    assert!(rig.call(READ, &[Arg::Str("/one")]).is_err(), "a link put in place of a granted file is not followed");
}

#[test]
fn a_view_can_not_be_widened_by_a_link_put_into_it() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../outside", "esc");
    assert!(rig.make(&[READ], dir("/x", "/r/esc", "ro")).is_err());
    rig.unharmed();
}

#[test]
fn the_authority_of_two_is_what_both_hold() {
    let mut rig = Rig::new(Access::ReadWrite);
    let a = rig.make(&[READ, WRITE, "__sys_getenv"], dir("/data", "/r", "rw")).unwrap();
    let b = rig.make(&[READ, "__sys_stat"], dir("/in", "/r/d", "ro")).unwrap();
    let both = rig.realm.meet(a, b);
    assert_eq!(rig.realm.caps(both), [READ]);
    assert_eq!(rig.realm.meet(b, a), both);
    assert_eq!(rig.realm.meet(both, a), both);
    assert_eq!(rig.realm.meet(both, b), both);
    assert_eq!(rig.realm.meet(ROOT, a), a);
    assert_eq!(rig.realm.meet(a, ANY), a);
    rig.authority = both;
    rig.reads("/in/e/f.txt", "eff\n");
    // Only the narrower one's name and reach.
    rig.denied(READ, &[Arg::Str("/data/a.txt")]);
    rig.denied(READ, &[Arg::Str("/in/../a.txt")]);
    rig.denied(READ, &[Arg::Str("/r/a.txt")]);
}

#[test]
fn two_views_that_share_nothing_meet_in_nothing() {
    let mut rig = Rig::new(Access::ReadWrite);
    fs::create_dir(rig.base.join("R/other")).unwrap();
    let a = rig.make(&[READ], dir("/x", "/r/d", "ro")).unwrap();
    let b = rig.make(&[READ], dir("/x", "/r/other", "ro")).unwrap();
    let write_only = rig.make(&[READ, WRITE], dir("/x", "/r/d", "wo")).unwrap();
    for (left, right) in [(a, b), (a, write_only)] {
        rig.authority = rig.realm.meet(left, right);
        assert_eq!(rig.denied(READ, &[Arg::Str("/x/e/f.txt")]).rule, Rule::NoGrant);
        assert_eq!(rig.denied(READ, &[Arg::Str("e/f.txt")]).rule, Rule::NoGrant);
    }
}

#[test]
fn a_name_that_would_mean_two_things_means_nothing() {
    let mut rig = Rig::new(Access::ReadWrite);
    fs::create_dir(rig.base.join("R/other")).unwrap();
    fs::write(rig.base.join("R/other/f.txt"), "other").unwrap();
    let swapped = |x, y| {
        let named = |guest| obj(&[("at", Arg::Str(guest)), ("acc", Arg::Str("ro"))]);
        obj(&[("dir", obj(&[(x, named("/x")), (y, named("/y")), ("/r/d", named("/z"))]))])
    };
    let a = rig.make(&[READ], swapped("/r/d/e", "/r/other")).unwrap();
    let b = rig.make(&[READ], swapped("/r/other", "/r/d/e")).unwrap();
    rig.authority = rig.realm.meet(a, b);
    for path in ["/x/f.txt", "/y/f.txt"] {
        assert_eq!(rig.denied(READ, &[Arg::Str(path)]).rule, Rule::NoGrant, "{path}");
    }
    rig.reads("/z/e/f.txt", "eff\n");
}

#[test]
fn names_alone_do_not_make_an_overlap() {
    // `d` is taken away and another directory put in its place between the two: the same names, not the same directory.
    let mut rig = Rig::new(Access::ReadWrite);
    let a = rig.make(&[READ], dir("/x", "/r/d", "ro")).unwrap();
    fs::rename(rig.base.join("R/d"), rig.base.join("R/old")).unwrap();
    fs::create_dir_all(rig.base.join("R/d/e")).unwrap();
    fs::write(rig.base.join("R/d/e/f.txt"), "new").unwrap();
    let b = rig.make(&[READ], dir("/x", "/r/d/e", "ro")).unwrap();
    rig.authority = a;
    rig.reads("/x/e/f.txt", "eff\n");
    rig.authority = b;
    rig.reads("/x/f.txt", "new");
    rig.authority = rig.realm.meet(a, b);
    assert_eq!(rig.denied(READ, &[Arg::Str("/x/f.txt")]).rule, Rule::NoGrant);
    assert_eq!(rig.denied(READ, &[Arg::Str("/x/e/f.txt")]).rule, Rule::NoGrant);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn meeting_is_a_meet(plan in proptest::collection::vec((0usize..8, 0u64..64), 1..10), picks in proptest::collection::vec((0usize..64, 0usize..64, 0usize..64), 12)) {
        let mut rig = Rig::new(Access::Read);
        let pool = [READ, WRITE, "__sys_stat", "__sys_time", "__sys_getenv", "__os_run"];
        let mut all = vec![ROOT];
        for (parent, bits) in plan {
            rig.authority = all[parent % all.len()];
            let caps: Vec<&str> = pool.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, name)| *name).collect();
            all.push(rig.make(&caps, on("lax")).unwrap());
        }
        for (x, y, z) in picks {
            let (x, y, z) = (all[x % all.len()], all[y % all.len()], all[z % all.len()]);
            let realm = &mut rig.realm;
            let xy = realm.meet(x, y);
            prop_assert_eq!(xy, realm.meet(y, x));
            prop_assert_eq!(realm.meet(x, x), x);
            prop_assert_eq!(realm.meet(xy, x), xy);
            let yz = realm.meet(y, z);
            prop_assert_eq!(realm.meet(xy, z), realm.meet(x, yz));
            for id in NativeId::all() {
                prop_assert_eq!(realm.has(xy, id), realm.has(x, id) && realm.has(y, id));
            }
            if !all.contains(&xy) && all.len() < 40 {
                all.push(xy);
            }
        }
    }
}

#[test]
fn cap_030_revoking_takes_effect_on_everything_below() {
    let mut rig = Rig::new(Access::ReadWrite);
    let parent = rig.make(&[READ, "__sys_open_read"], Arg::Nil).unwrap();
    let beside = rig.make(&[READ], Arg::Nil).unwrap();
    rig.enter(parent);
    let child = rig.make(&[READ, "__sys_open_read"], Arg::Nil).unwrap();
    let met = rig.realm.meet(child, beside);
    rig.enter(child);
    let Plain::Handle(handle) = rig.ok("__sys_open_read", &[Arg::Str("a.txt")]) else { panic!() };
    let before = rig.site();
    rig.leave();
    let site = rig.site();
    for _ in 0..2 {
        rig.realm.revoke(&site, parent);
    }
    for s in [parent, child, met] {
        rig.authority = s;
        assert_eq!(rig.denied(READ, &[Arg::Str("a.txt")]).rule, Rule::Revoked);
        assert!(rig.realm.caps(s).is_empty());
        assert!(matches!(rig.make(&[], Arg::Nil), Err(Stop::Denied(_))));
    }
    assert!(matches!(rig.realm.read_line(before, handle), Err(Stop::Denied(_))));
    let Err(Stop::Denied(denial)) = rig.realm.read_line(site, handle) else { panic!("what it had open is let go") };
    assert_eq!(denial.rule, Rule::Revoked);
    rig.authority = beside;
    rig.reads("a.txt", "alpha\n");
}

#[test]
fn handles_ask_for_their_native_and_their_sandbox() {
    let mut rig = Rig::new(Access::Read);
    fs::write(rig.base.join("R/lines"), b"one\r\ntwo\n\nlast \xff").unwrap();
    let Plain::Handle(handle) = rig.ok("__sys_open_read", &[Arg::Str("lines")]) else { panic!() };
    let site = rig.site();
    assert_eq!(rig.realm.read_line(site, handle), Ok(Some("one".to_owned())));
    let weak = rig.make(&[READ], Arg::Nil).unwrap();
    rig.enter(weak);
    let Err(Stop::Denied(denial)) = rig.realm.read_line(rig.site(), handle) else { panic!() };
    assert_eq!((denial.native, denial.rule), ("__sys_open_read", Rule::NotHeld));
    rig.leave();
    assert_eq!(rig.realm.read_line(site, handle), Ok(Some("two".to_owned())));
    assert_eq!(rig.realm.read_line(site, handle), Ok(Some(String::new())));
    assert_eq!(rig.realm.read_line(site, handle), Err(Stop::Failed("not UTF-8 text at byte 15 (use fs.rdb)".to_owned())));
    assert_eq!(rig.realm.read_line(site, handle), Ok(None));
    rig.realm.close_handle(handle);
    rig.realm.close_handle(handle);
    assert_eq!(rig.realm.read_line(site, handle), Err(Stop::Failed("the file is closed".to_owned())));
    // The slot is used again, its old number is not.
    let Plain::Handle(next) = rig.ok("__sys_open_read", &[Arg::Str("lines")]) else { panic!() };
    assert_ne!(next, handle);
    assert_eq!(rig.realm.read_line(site, handle), Err(Stop::Failed("the file is closed".to_owned())));
}

#[test]
fn fs_100_open_files_are_bounded_and_given_back() {
    let mut rig = Rig::with(|base| vec![mount(&base.join("R"), "/r", Access::Read)], Limits { handles: 5, ..Limits::default() });
    let s = rig.make(&["__sys_open_read"], nums(&[("fds", 3.0)])).unwrap();
    rig.enter(s);
    let mut open = Vec::new();
    for _ in 0..3 {
        let Plain::Handle(handle) = rig.ok("__sys_open_read", &[Arg::Str("a.txt")]) else { panic!() };
        open.push(handle);
    }
    assert_eq!(rig.fails("__sys_open_read", &[Arg::Str("a.txt")]), "too many open files (limit 3)");
    rig.leave();
    for _ in 0..2 {
        rig.ok("__sys_open_read", &[Arg::Str("a.txt")]);
    }
    assert_eq!(rig.fails("__sys_open_read", &[Arg::Str("a.txt")]), "too many open files (limit 5)");
    rig.realm.close_handle(open[0]);
    rig.ok("__sys_open_read", &[Arg::Str("a.txt")]);
    let fds = || fs::read_dir("/proc/self/fd").unwrap().count();
    rig.realm.close_handle(open[1]);
    let before = fds();
    for _ in 0..1000 {
        let Plain::Handle(handle) = rig.ok("__sys_open_read", &[Arg::Str("a.txt")]) else { panic!() };
        rig.realm.close_handle(handle);
    }
    assert!(fds() <= before + 8, "descriptors must not pile up");
}

#[test]
fn a_line_longer_than_the_heap_asks_for_room_before_it_is_read() {
    let mut rig = Rig::new(Access::Read);
    fs::write(rig.base.join("R/long"), vec![b'x'; 1 << 20]).unwrap();
    rig.room = 100_000;
    let Plain::Handle(handle) = rig.ok("__sys_open_read", &[Arg::Str("long")]) else { panic!() };
    let Err(Stop::Room(needs)) = rig.realm.read_line(rig.site(), handle) else { panic!() };
    assert!(needs > 100_000 && needs < 200_000);
    rig.room = 4 << 20;
    assert_eq!(rig.realm.read_line(rig.site(), handle).unwrap().unwrap().len(), 1 << 20);
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
        let child = rig.make(&["__sys_stdout"], nums(&[("out", 1e6)])).unwrap();
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
    rig.realm.revoke(&site, s);
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
        fn write_out(&mut self, _: &[u8]) -> std::io::Result<()> {
            Ok(())
        }
        fn write_err(&mut self, _: &[u8]) -> std::io::Result<()> {
            Ok(())
        }
        fn read_in(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Ok(0)
        }
        fn wall_ms(&mut self) -> f64 {
            0.0
        }
        fn mono_ms(&mut self) -> f64 {
            0.0
        }
        fn sleep(&mut self, _: f64) {}
        fn random(&mut self, _: &mut [u8]) -> std::io::Result<()> {
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
