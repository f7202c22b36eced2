//! The doorway against the model: every native, with every kind of argument, on paths inside and outside of each kind of grant, held and
//! not, revoked and not. What the doorway says must be what the algebra of rights says of rights that this test works out by itself.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::disallowed_types, reason = "tests")]
mod rig;

use ilu_cap::rights::{Budgets, Dirs, Grant, Names, Operand, Place, Refusal, Rights, Subject, Subjects, operands};
use ilu_cap::{CapSet, GrantKind, Kind, NativeId, by_name};
use ilu_pol::net::Host;
use ilu_sbx::{Access, Arg, CallSite, HandleId, Limits, Plain, SbxId, Stop};
use proptest::prelude::*;
use rig::{Rig, mount, obj};
use std::collections::BTreeMap;

/// A mount as the test knows it: its name in the sandbox, what it is granted, whether it is a directory.
type Named = (&'static str, Grant, bool);

fn grant(root: u32, path: &str, access: Access) -> Grant {
    Grant { place: Place::root(root).below(path).unwrap(), access }
}

/// `ro`, `rw`, `wo` and a single file, each a root of its own.
fn scene() -> (Rig, Vec<Named>) {
    let rig = Rig::with(
        |base| {
            let dir = base.join("R");
            restore(base);
            vec![
                mount(&dir.join("ro"), "/ro", Access::Read),
                mount(&dir.join("rw"), "/rw", Access::ReadWrite),
                mount(&dir.join("wo"), "/wo", Access::Write),
                mount(&dir.join("a.txt"), "/one", Access::Read),
            ]
        },
        Limits::none(),
    );
    let mounts = vec![
        ("/ro", grant(0, "", Access::Read), true),
        ("/rw", grant(1, "", Access::ReadWrite), true),
        ("/wo", grant(2, "", Access::Write), true),
        ("/one", grant(3, "", Access::Read), false),
    ];
    (rig, mounts)
}

/// The scene as it was, whatever calls have made of it. The granted directories themselves stay: they are open.
fn restore(base: &std::path::Path) {
    let dir = base.join("R");
    for top in ["ro", "rw", "wo"] {
        std::fs::create_dir_all(dir.join(top)).unwrap();
        for entry in std::fs::read_dir(dir.join(top)).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                std::fs::remove_dir_all(path).unwrap()
            } else {
                std::fs::remove_file(path).unwrap()
            }
        }
    }
    for sub in ["ro/d", "rw/d/e", "wo/d"] {
        std::fs::create_dir_all(dir.join(sub)).unwrap();
    }
    for file in ["ro/a.txt", "rw/a.txt", "rw/d/a.txt", "wo/a.txt"] {
        std::fs::write(dir.join(file), file).unwrap();
    }
}

fn dirs_of(mounts: &[Named]) -> Dirs {
    mounts.iter().map(|(_, grant, _)| grant.clone()).collect()
}

/// What a sandbox asks for, as options and as the model of it.
struct View {
    opts: Arg<'static>,
    mounts: Vec<Named>,
    env: &'static [&'static str],
}

fn views(root: &[Named]) -> Vec<View> {
    let part = |at: &'static str, acc: &'static str| obj(&[("at", Arg::Str(at)), ("acc", Arg::Str(acc))]);
    let list = |names: &'static [&'static str]| Arg::List(names.iter().map(|name| Arg::Str(name)).collect());
    let view =
        |dirs: &[(&'static str, Arg<'static>)], env, mounts| View { opts: obj(&[("dir", obj(dirs)), ("env", list(env))]), mounts, env };
    vec![
        View { opts: Arg::Nil, mounts: root.to_vec(), env: &["LANG", "SECRET"] },
        view(
            &[("/rw", part("/data", "ro")), ("/wo", Arg::Str("wo")), ("/one", part("/rw", "ro"))],
            &["LANG"],
            vec![
                ("/data", grant(1, "", Access::Read), true),
                ("/wo", grant(2, "", Access::Write), true),
                ("/rw", grant(3, "", Access::Read), false),
            ],
        ),
        // One inside the other: through the wide name there is less to be had.
        view(
            &[
                ("/rw", part("/ro", "ro")),
                ("/rw/d", part("/ro/out", "rw")),
                ("/rw/d/e", part("/e", "wo")),
                ("/rw/d/a.txt", part("/one", "rw")),
            ],
            &[],
            vec![
                ("/ro", grant(1, "", Access::Read), true),
                ("/ro/out", grant(1, "d", Access::ReadWrite), true),
                ("/e", grant(1, "d/e", Access::Write), true),
                ("/one", grant(1, "d/a.txt", Access::ReadWrite), false),
            ],
        ),
        view(&[], &["SECRET"], Vec::new()),
    ]
}

const TEXTS: &[&str] = &[
    "/ro/a.txt",
    "/ro/d",
    "/ro",
    "/ro/",
    "/ro/none/x",
    "/rw/a.txt",
    "/rw/d/a.txt",
    "/rw/d/e/new",
    "/rw",
    "/rw/.",
    "/wo/a.txt",
    "/wo/d/new",
    "/one",
    "/one/x",
    "/data/a.txt",
    "/data/d/e/x",
    "/ro/out/a.txt",
    "/ro/out/new",
    "/ro/out",
    "/e/new",
    "/roo/a.txt",
    "/none",
    "/etc/passwd",
    "/",
    "a.txt",
    "d/e",
    "./a.txt",
    "rw/a.txt",
    "..",
    "../a.txt",
    "/rw/../ro/a.txt",
    "/rw/d/../a.txt",
    "//rw//a.txt",
    "",
    "a\0b",
    "LANG",
    "SECRET",
    "NONE",
    "A=B",
    "127.0.0.1",
    "example.com",
];

fn values(live: HandleId) -> Vec<Arg<'static>> {
    let mut values = vec![
        Arg::Nil,
        Arg::Bool(true),
        Arg::Num(1.0),
        Arg::Num(-1.5),
        Arg::Bytes(b"bytes"),
        Arg::List(Vec::new()),
        Arg::Object(Vec::new()),
        Arg::Handle(live),
        Arg::Handle(HandleId { index: 999, generation: 9 }),
        Arg::Other("fun"),
        Arg::Other("sbx"),
    ];
    values.extend(TEXTS.iter().map(|text| Arg::Str(text)));
    values
}

/// Arguments that fit the row, on what is allowed by some of the views.
fn fitting(native: NativeId, live: HandleId) -> Vec<Arg<'static>> {
    let fit = |param: &ilu_cap::Param| match (param.kind, param.name) {
        (Kind::Str, "target") => Arg::Str("d"),
        (Kind::Str, "to") => Arg::Str("/rw/d/moved"),
        (Kind::Str, _) if native.row().grant == GrantKind::Env => Arg::Str("LANG"),
        (Kind::Str | Kind::Data, _) => Arg::Str("/rw/a.txt"),
        (Kind::Num, _) => Arg::Num(1.0),
        (Kind::List, _) => Arg::List(Vec::new()),
        (Kind::Options, _) => Arg::Object(Vec::new()),
        (Kind::Fun, _) => Arg::Other("fun"),
        (Kind::Handle, _) => Arg::Handle(live),
        (Kind::Any, _) => Arg::Nil,
    };
    native.row().params.iter().map(fit).collect()
}

fn fits(native: NativeId, args: &[Arg<'_>]) -> bool {
    let params = native.row().params;
    let one = |(param, arg): (&ilu_cap::Param, &Arg<'_>)| {
        param.optional && *arg == Arg::Nil
            || match param.kind {
                Kind::Str => matches!(arg, Arg::Str(_)),
                Kind::Num => matches!(arg, Arg::Num(_)),
                Kind::Data => matches!(arg, Arg::Str(_) | Arg::Bytes(_)),
                Kind::List => matches!(arg, Arg::List(_)),
                Kind::Options => matches!(arg, Arg::Object(_)),
                Kind::Handle => matches!(arg, Arg::Handle(_)),
                Kind::Fun => matches!(arg, Arg::Other("fun")),
                Kind::Any => true,
            }
    };
    let least = params.iter().filter(|param| !param.optional).count();
    (least..=params.len()).contains(&args.len()) && params.iter().zip(args).all(one)
}

/// What must come of a call.
#[derive(Debug, PartialEq)]
enum Expected {
    /// Denied, by the rule of this code.
    Denied(&'static str),
    /// It may succeed or fail; it is not denied.
    NotDenied,
    /// The rights allow it and the path leads out, which the kernel finds: it does not succeed, and if it is denied it is for that.
    LeadsOut,
}

fn parts(text: &str) -> Vec<&str> {
    text.split('/').filter(|part| !part.is_empty() && *part != ".").collect()
}

/// The mount a path is named through and the parts below it.
fn named<'m, 'p>(mounts: &'m [Named], path: &'p str) -> Option<(&'m Named, Vec<&'p str>)> {
    let wanted = parts(path);
    if !path.starts_with('/') {
        return mounts.iter().find(|(_, _, is_dir)| *is_dir).map(|first| (first, wanted));
    }
    let fitting = mounts.iter().filter(|(name, _, _)| wanted.starts_with(&parts(name)));
    fitting.max_by_key(|(name, _, _)| parts(name).len()).map(|found| (found, wanted[parts(found.0).len()..].to_vec()))
}

fn leads_out(rest: &[&str]) -> bool {
    let mut depth = 0;
    rest.iter().any(|part| {
        depth += if *part == ".." { -1 } else { 1 };
        depth < 0
    })
}

/// The model's verdict on a path.
fn on_path(model: &Rights, mounts: &[Named], native: NativeId, path: &str, want: Access) -> Expected {
    let Some(((_, grant, _), rest)) = named(mounts, path) else { return Expected::Denied("no-grant") };
    let verdict = model.judge(native, &Subject::Within(grant, want));
    if let Some(place) = grant.place.below(&rest.join("/")) {
        // By names alone, as on a disk without links, at least as much is allowed, and where mounts are apart the very same.
        let by_name = model.judge(native, &Subject::Place(&place, want));
        assert!(verdict.is_err() || by_name.is_ok(), "{path}");
        let apart = |other: &&Named| other.1 == *grant || !other.1.place.contains(&grant.place) && !grant.place.contains(&other.1.place);
        assert!(!mounts.iter().all(|other| apart(&other)) || verdict == by_name, "{path}: {verdict:?} {by_name:?}");
    }
    match verdict {
        Ok(()) if leads_out(&rest) => Expected::LeadsOut,
        Ok(()) => Expected::NotDenied,
        Err(Refusal::NotGranted) => Expected::Denied("no-grant"),
        Err(Refusal::LessAccess(_)) if want.writes() => Expected::Denied("read-only"),
        Err(Refusal::LessAccess(_)) => Expected::Denied("write-only"),
        Err(other) => panic!("{other:?}"),
    }
}

/// The verdict on a host when no view has a network rule.
fn on_host(native: NativeId, host: &str) -> Expected {
    match Host::parse(host) {
        Err(_) => Expected::NotDenied,
        Ok(Host::Address(_)) => Expected::Denied("special-address"),
        Ok(Host::Name(_)) if matches!(native.name(), "__sys_tcp_connect" | "__sys_tcp_listen" | "__sys_http_serve") => Expected::NotDenied,
        Ok(Host::Name(_)) => Expected::Denied("no-net-rule"),
    }
}

/// A text that is no path, is below a file, or names no entry of a directory that could be made or removed: an error, and nothing more
/// is asked.
fn is_no_subject(mounts: &[Named], native: NativeId, path: &str) -> bool {
    let manages = native.row().class == ilu_cap::Class::FsManage && native.name() != "__sys_copy";
    let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(".");
    let is_root = || named(mounts, path).is_some_and(|((_, _, is_dir), rest)| rest.is_empty() || !is_dir);
    let below_file = named(mounts, path).is_some_and(|((_, _, is_dir), rest)| !is_dir && (!rest.is_empty() || path.ends_with(['/', '.'])));
    below_file || path.is_empty() || path.contains('\0') || manages && (matches!(last, "." | "..") || is_root())
}

fn expected(model: &Rights, mounts: &[Named], native: NativeId, args: &[Arg<'_>], revoked: bool) -> Expected {
    if revoked {
        return Expected::Denied("revoked");
    }
    if !model.allows(native, &Subject::None) {
        return Expected::Denied("not-held");
    }
    if !fits(native, args) || ilu_std::natives().get(native).is_none() {
        return Expected::NotDenied;
    }
    let (mut paths, mut leads_out) = (Vec::new(), false);
    for (operand, arg) in operands(native).into_iter().zip(args) {
        match (operand, arg) {
            (Operand::Path(want), Arg::Str(path)) => {
                let invalid = path.is_empty() || path.contains('\0');
                let verdict = if invalid { Expected::NotDenied } else { on_path(model, mounts, native, path, want) };
                if matches!(verdict, Expected::Denied(_)) || is_no_subject(mounts, native, path) {
                    return verdict;
                }
                // The kernel finds it out after all operands were judged.
                leads_out |= verdict == Expected::LeadsOut;
                paths.push(*path);
            }
            (Operand::Variable, Arg::Str(name)) => {
                let is_name = !name.is_empty() && !name.contains(['=', '\0']);
                if is_name && model.judge(native, &Subject::Variable(name)) == Err(Refusal::NotGranted) {
                    return Expected::Denied("no-variable");
                }
            }
            (Operand::Address, Arg::Str(host)) if native.row().class != ilu_cap::Class::Http => {
                let ports = args.get(1).filter(|_| native.row().params.len() > 1);
                if ports.is_none_or(|port| matches!(port, Arg::Num(1.0))) {
                    return on_host(native, host);
                }
            }
            (Operand::Data, Arg::Str(target)) if native.name() == "__sys_symlink" => {
                if target.is_empty() || target.contains('\0') {
                    return Expected::NotDenied;
                }
                if target.starts_with('/') {
                    return Expected::Denied("absolute-link");
                }
            }
            _ => {}
        }
    }
    // What moves between two mounts is seen through the other one afterwards.
    let mount_of = |path: &str| named(mounts, path).map(|(mount, _)| mount.0);
    if let ("__sys_rename", [from, to]) = (native.name(), paths.as_slice())
        && mount_of(from) != mount_of(to)
    {
        let seen = [from, to].map(|path| on_path(model, mounts, native, path, Access::Read));
        if let Some(denied) = seen.into_iter().find(|verdict| matches!(verdict, Expected::Denied(_))) {
            return denied;
        }
    }
    if leads_out { Expected::LeadsOut } else { Expected::NotDenied }
}

#[derive(Default)]
struct Tally(BTreeMap<&'static str, usize>);

fn compare(tally: &mut Tally, what: &str, result: &Result<Plain, Stop>, expected: &Expected) {
    let code = match result {
        Err(Stop::Denied(denial)) => Some(denial.rule.code()),
        _ => None,
    };
    let agrees = match expected {
        Expected::Denied(rule) => code == Some(*rule),
        Expected::NotDenied => code.is_none(),
        Expected::LeadsOut => result.is_err() && matches!(code, None | Some("leads-out")),
    };
    assert!(agrees, "{what}: the model says {expected:?}, the doorway {result:?}");
    *tally.0.entry(code.unwrap_or("not denied")).or_default() += 1;
}

#[test]
fn the_doorway_says_what_the_model_says() {
    let (mut rig, root) = scene();
    let root_model = Rights::new(
        CapSet::all(),
        Subjects { dirs: dirs_of(&root), env: ["LANG", "SECRET"].into_iter().collect(), ..Subjects::default() },
        Budgets::UNLIMITED,
    );
    assert_eq!(rig.realm.rights(rig.authority), root_model);
    let Plain::Handle(live) = rig.ok("__sys_open_read", &[Arg::Str("/ro/a.txt")]) else { panic!() };
    let mut tally = Tally::default();
    for (n, view) in views(&root).into_iter().enumerate() {
        for native in NativeId::all() {
            for held in [true, false] {
                restore(&rig.base);
                let names: Vec<&str> = NativeId::all().filter(|id| (*id == native) == held).map(NativeId::name).collect();
                let s = rig.make(&names, view.opts.clone()).unwrap();
                let caps: CapSet = names.iter().filter_map(|name| by_name(name)).collect();
                let env: Names = view.env.iter().copied().collect();
                let asked = Rights::new(caps, Subjects { dirs: dirs_of(&view.mounts), env, ..Subjects::default() }, Budgets::UNLIMITED);
                let model = asked.intersection(&root_model);
                assert_eq!(rig.realm.rights(s), model, "view {n}");
                assert_eq!(model, asked, "the scene asks for nothing it would not get");
                for revoked in [false, true] {
                    if revoked {
                        let site = rig.site();
                        rig.realm.revoke(&site, s).unwrap();
                        assert_eq!(rig.realm.rights(s), Rights::none());
                        assert!(!rig.realm.has(s, native) && rig.realm.caps(s).is_empty());
                    }
                    rig.enter(s);
                    for args in calls(native, live) {
                        let what = format!("view {n}, {} {args:?}, held {held}, revoked {revoked}", native.name());
                        let result = rig.call(native.name(), &args);
                        compare(&mut tally, &what, &result, &expected(&model, &view.mounts, native, &args, revoked));
                    }
                    rig.leave();
                }
            }
        }
    }
    rig.realm.close_handle(live);
    // The matrix has something in each of its classes.
    for (code, least) in [
        ("not denied", 1000),
        ("not-held", 1000),
        ("revoked", 1000),
        ("no-grant", 500),
        ("read-only", 100),
        ("write-only", 20),
        ("leads-out", 20),
        ("no-variable", 10),
        ("absolute-link", 10),
        ("no-net-rule", 30),
        ("special-address", 10),
    ] {
        assert!(tally.0.get(code).is_some_and(|n| *n >= least), "{code}: {:?}", tally.0);
    }
}

/// Each argument in turn as every kind of value, the others fitting; and too few and too many.
fn calls(native: NativeId, live: HandleId) -> Vec<Vec<Arg<'static>>> {
    let fitting = fitting(native, live);
    let mut calls = vec![fitting.clone(), Vec::new(), [fitting.clone(), vec![Arg::Nil]].concat()];
    for n in 0..fitting.len() {
        calls.extend(values(live).into_iter().map(|value| {
            let mut args = fitting.clone();
            args[n] = value;
            args
        }));
    }
    calls
}

#[test]
fn an_open_file_answers_to_the_rights_of_who_reads_it() {
    let native = by_name("__sys_open_read").unwrap();
    for (held, revoked) in [(true, false), (false, false), (true, true), (false, true)] {
        let (mut rig, _) = scene();
        let Plain::Handle(handle) = rig.ok(native.name(), &[Arg::Str("/ro/a.txt")]) else { panic!() };
        let caps = if held { vec![native.name()] } else { vec!["__sys_read_file"] };
        let s = rig.make(&caps, Arg::Nil).unwrap();
        let site = rig.site();
        if revoked {
            rig.realm.revoke(&site, s).unwrap();
        }
        let result = rig.realm.read_line(CallSite { authority: s, ..site }, handle);
        assert_eq!(result.is_ok(), rig.realm.rights(s).allows(native, &Subject::None), "{held} {revoked} {result:?}");
        assert_eq!(result.is_ok(), held && !revoked);
    }
}

#[test]
fn a_wider_grant_under_another_name_is_not_had_through_a_narrow_one() {
    // `/ro` is all of it to be read, `/ro/out` its part `d` to be written too: by way of `/ro`, where a link might lead elsewhere, `d` is
    // to be read only.
    let (mut rig, root) = scene();
    let view = views(&root).swap_remove(2);
    let caps = ["__sys_read_file", "__sys_write_file"];
    let s = rig.make(&caps, view.opts).unwrap();
    rig.enter(s);
    let ask = |lax: bool| obj(&[("dir", obj(&[("/ro/d", Arg::Str("rw"))])), ("lax", Arg::Bool(lax))]);
    let Err(Stop::Failed(text)) = rig.make(&caps, ask(false)) else { panic!() };
    assert!(text.contains("\"/ro/d\" rw (it is ro)"), "{text}");
    let narrow = rig.make(&caps, ask(true)).unwrap();
    let expected = Dirs::from_iter([grant(1, "d", Access::Read)]);
    assert_eq!(rig.realm.rights(narrow).dirs(), &expected);
    rig.enter(narrow);
    rig.ok("__sys_read_file", &[Arg::Str("/ro/d/a.txt")]);
    assert_eq!(rig.denied("__sys_write_file", &[Arg::Str("/ro/d/a.txt"), Arg::Str("x")]).rule.code(), "read-only");
}

#[test]
fn two_sandboxes_that_act_together_have_what_both_have() {
    let (mut rig, root) = scene();
    let views = views(&root);
    let all: Vec<&str> = NativeId::all().map(NativeId::name).collect();
    let made: Vec<SbxId> = views.iter().map(|view| rig.make(&all[..views.len() + view.mounts.len()], view.opts.clone()).unwrap()).collect();
    for a in &made {
        for b in &made {
            let met = rig.realm.meet(*a, *b, u64::MAX).unwrap();
            let (left, right) = (rig.realm.rights(*a), rig.realm.rights(*b));
            assert_eq!(rig.realm.rights(met), left.intersection(&right), "{a:?} {b:?}");
        }
    }
    // Each of them through the other's names: `/rw` read and written in one, only its part `d` in the other.
    let met = rig.realm.meet(made[0], made[2], u64::MAX).unwrap();
    let (read, write) = (by_name("__sys_read_file").unwrap(), by_name("__sys_write_file").unwrap());
    for (path, want, allowed) in [("d/a.txt", Access::Write, true), ("a.txt", Access::Write, false), ("a.txt", Access::Read, true)] {
        let native = if want.writes() { write } else { read };
        let verdict = rig.realm.rights(met).with_natives(CapSet::all()).allows(native, &Subject::Place(&grant(1, path, want).place, want));
        assert_eq!(verdict, allowed, "{path} {want:?}");
    }
}

/// A request for directories of the scene, by the root's names.
fn requests() -> impl Strategy<Value = Vec<(&'static str, Access)>> {
    let paths = vec!["/ro", "/ro/d", "/rw", "/rw/d", "/rw/d/e", "/rw/d/a.txt", "/wo", "/wo/d", "/one", "/none", "/r"];
    prop::collection::vec((prop::sample::select(paths), prop::sample::select(&Access::ALL[..])), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sandbox_gets_what_it_asks_for_and_its_maker_holds(chain in prop::collection::vec((requests(), prop::collection::vec(0usize..45, 0..30)), 1..4)) {
        let (mut rig, mut mounts) = scene();
        let mut model = rig.realm.rights(rig.authority);
        for (dirs, caps) in chain {
            let mut asked: Vec<(&str, Access)> = Vec::new();
            for (path, access) in dirs {
                if asked.iter().all(|(known, _)| *known != path) {
                    asked.push((path, access));
                }
            }
            let ids: Vec<NativeId> = NativeId::all().enumerate().filter(|(n, _)| caps.contains(n)).map(|(_, id)| id).collect();
            let names: Vec<&str> = ids.iter().map(|id| id.name()).collect();
            let dir: Vec<(&str, Arg<'_>)> = asked.iter().map(|(path, access)| (*path, Arg::Str(access.text()))).collect();
            let exact = rig.make(&names, obj(&[("dir", obj(&dir))]));
            let lax = rig.make(&names, obj(&[("dir", obj(&dir)), ("lax", Arg::Bool(true))])).unwrap();
            // The model: each name stands for a place within the mount that it is found by, and is worth what that mount is granted.
            let (mut got, mut all) = (Vec::new(), true);
            for (path, access) in &asked {
                let place = named(&mounts, path).map(|((_, grant, is_dir), rest)| (grant.clone(), rest.join("/"), *is_dir));
                let given = place.and_then(|(grant, rest, is_dir)| {
                    let whole = Grant { place: grant.place.below(&rest).unwrap(), access: *access };
                    Some((*path, whole.meet(&grant)?, is_dir && !rest.ends_with(".txt")))
                });
                all &= given.as_ref().is_some_and(|(_, grant, _)| grant.access == *access);
                got.extend(given);
            }
            let caps: CapSet = ids.into_iter().collect();
            all &= caps.is_subset(model.caps());
            let asked = Rights::new(caps, Subjects { dirs: dirs_of(&got), ..model.subjects().clone() }, Budgets::UNLIMITED);
            let child = asked.intersection(&model);
            prop_assert_eq!(exact.is_ok(), all, "{:?}", exact);
            prop_assert_eq!(rig.realm.rights(lax), child.clone());
            prop_assert!(child.is_subset(&model));
            if let Ok(exact) = exact {
                prop_assert_eq!(rig.realm.rights(exact), child.clone());
            }
            // Two that act together have what both have.
            let met: SbxId = rig.realm.meet(lax, rig.authority, u64::MAX).unwrap();
            prop_assert_eq!(rig.realm.rights(met), child.clone());
            rig.enter(lax);
            (model, mounts) = (child, got);
        }
    }
}
