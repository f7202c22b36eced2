//! Sandboxes: what they hold, what they give on, what they see. Budgets and records are in `record.rs`.
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

use ilu_cap::{NATIVES, NativeId};
use ilu_sbx::{ANY, Access, Arg, Limits, Plain, ROOT, Rule, SbxId, Stop, VOID};
use proptest::prelude::*;
use rig::{Rig, mount, obj, on};
use std::fs;

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
    let mut rig = Rig::bare();
    assert_eq!(rig.fails("__sys_time", &[]), "`__sys_time` is not in this build");
    let s = rig.make(&[], Arg::Nil).unwrap();
    rig.enter(s);
    rig.denied("__sys_time", &[]);
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
    assert_eq!(text, "sbxmk: this sandbox does not hold `__sys_time`, `__os_run`; with {lax: tru} it makes do with what is held");
    let text = refused(rig.make(&[READ], obj(&[("dir", obj(&[("/r", Arg::Str("rw"))])), ("env", Arg::List(vec![Arg::Str("NONE")]))])));
    assert_eq!(text, "sbxmk: this sandbox does not hold env \"NONE\", \"/r\" rw (it is ro); with {lax: tru} it makes do with what is held");
    let text = refused(rig.make(&[READ], obj(&[("dir", obj(&[("/etc", Arg::Str("ro"))]))])));
    assert_eq!(text, "sbxmk: this sandbox does not hold \"/etc\" ro; with {lax: tru} it makes do with what is held");
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
fn what_is_missing_is_named_with_the_nearest_that_is_held() {
    let mut rig =
        Rig::with(|base| vec![mount(&base.join("R"), "/data", Access::Read)], Limits { fuel: 5000, memory: 1000, ..Limits::none() });
    let asks =
        |dir: &'static str, env: &'static str| obj(&[("dir", obj(&[(dir, Arg::Str("ro"))])), ("env", Arg::List(vec![Arg::Str(env)]))]);
    let text = refused(rig.make(&[READ], asks("/dta", "lnag")));
    assert_eq!(
        text,
        "sbxmk: this sandbox does not hold env \"lnag\" (did you mean \"LANG\"?), \"/dta\" ro (did you mean \"/data\"?); --grant, --dir, --env, --run and --net give a script more; with {lax: tru} it makes do with what is held"
    );
    let text = refused(rig.make(&[READ], asks("/etc", "PATH")));
    assert_eq!(
        text,
        "sbxmk: this sandbox does not hold env \"PATH\", \"/etc\" ro; --grant, --dir, --env, --run and --net give a script more; with {lax: tru} it makes do with what is held"
    );
    let text = refused(rig.make(&[], nums(&[("fuel", 5001.0), ("mem", 2000.0), ("out", 1e9)])));
    assert_eq!(
        text,
        "sbxmk: this sandbox does not hold fuel 5001 (at most 5000), mem 2000 (at most 1000); with {lax: tru} it makes do with what is held"
    );
    let s = rig.make(&["__sys_time"], obj(&[("calls", nums(&[("__sys_time", 3.0)])), ("fuel", Arg::Num(5000.0))])).unwrap();
    rig.enter(s);
    rig.ok("__sys_time", &[]);
    let text = refused(rig.make(&["__sys_time"], obj(&[("calls", nums(&[("__sys_now", 3.0)]))])));
    assert_eq!(
        text,
        "sbxmk: this sandbox does not hold 3 calls of `__sys_time` (at most 2); with {lax: tru} it makes do with what is held"
    );
    let lax = obj(&[("fuel", Arg::Num(1e9)), ("calls", nums(&[("__sys_time", 3.0)])), ("lax", Arg::Bool(true))]);
    let s = rig.make(&["__sys_time"], lax).unwrap();
    let budgets = rig.realm.rights(s).budgets().clone();
    let left = budgets.of(ilu_cap::rights::Quantity::Fuel).unwrap();
    assert!(left < 5000 && rig.realm.limits(s).fuel == left, "{left}");
    assert_eq!(
        (budgets.calls(ilu_cap::by_name("__sys_time").unwrap()), budgets.of(ilu_cap::rights::Quantity::Memory)),
        (Some(2), Some(1000))
    );
}

#[test]
fn nesting_is_bounded_and_a_sandbox_is_made_only_where_there_is_room() {
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
    let (known, rows) = (rig.realm.sandboxes(), rig.realm.rows_kept());
    rig.room = 200;
    let Err(Stop::Room(needs)) = rig.make(&[], Arg::Nil) else { panic!("room") };
    assert!((600..2000).contains(&needs), "{needs}");
    assert_eq!((rig.realm.sandboxes(), rig.realm.rows_kept()), (known, rows), "nothing has happened yet");
    rig.room = needs;
    assert!(rig.make(&[], Arg::Nil).is_ok());
    rig.room = 64 << 20;
    rig.reads("a.txt", "alpha\n");
}

#[test]
fn options_are_of_the_documented_form_or_an_error() {
    let mut rig = Rig::new(Access::ReadWrite);
    assert_eq!(refused(rig.make(&[], on("log"))), "sbxmk: option log is not in this build");
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
    let both = rig.realm.meet(a, b, u64::MAX).unwrap();
    assert_eq!(rig.realm.caps(both), [READ]);
    assert_eq!(rig.realm.meet(b, a, u64::MAX).unwrap(), both);
    assert_eq!(rig.realm.meet(both, a, u64::MAX).unwrap(), both);
    assert_eq!(rig.realm.meet(both, b, u64::MAX).unwrap(), both);
    assert_eq!(rig.realm.meet(ROOT, a, u64::MAX).unwrap(), a);
    assert_eq!(rig.realm.meet(a, ANY, u64::MAX).unwrap(), a);
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
        rig.authority = rig.realm.meet(left, right, u64::MAX).unwrap();
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
    rig.authority = rig.realm.meet(a, b, u64::MAX).unwrap();
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
    rig.authority = rig.realm.meet(a, b, u64::MAX).unwrap();
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
            let xy = realm.meet(x, y, u64::MAX).unwrap();
            prop_assert_eq!(xy, realm.meet(y, x, u64::MAX).unwrap());
            prop_assert_eq!(realm.meet(x, x, u64::MAX).unwrap(), x);
            prop_assert_eq!(realm.meet(xy, x, u64::MAX).unwrap(), xy);
            let yz = realm.meet(y, z, u64::MAX).unwrap();
            prop_assert_eq!(realm.meet(xy, z, u64::MAX).unwrap(), realm.meet(x, yz, u64::MAX).unwrap());
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
    let met = rig.realm.meet(child, beside, u64::MAX).unwrap();
    rig.enter(child);
    let Plain::Handle(handle) = rig.ok("__sys_open_read", &[Arg::Str("a.txt")]) else { panic!() };
    let before = rig.site();
    rig.leave();
    let site = rig.site();
    for _ in 0..2 {
        rig.realm.revoke(&site, parent).unwrap();
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
