//! Natives bound to arguments, and leases that are over: what the doorway says of every call is what the model says.

use crate::model::{Over, Tally, compare, expected};
use crate::rig::{Rig, obj};
use crate::scene::{Named, calls, fitting, restore, root_model, scene};
use ilu_cap::rights::{Bound, Place, Rights};
use ilu_cap::{CapSet, GrantKind, NativeId};
use ilu_sbx::{Arg, HandleId, Plain, SbxId};
use std::time::Duration;

fn list(items: &[&'static str]) -> Arg<'static> {
    Arg::List(items.iter().map(|item| Arg::Str(item)).collect())
}

fn everything() -> Vec<&'static str> {
    NativeId::all().map(NativeId::name).collect()
}

/// Every kind of argument for a native, in a sandbox.
fn compare_calls(
    tally: &mut Tally,
    rig: &mut Rig,
    s: SbxId,
    native: NativeId,
    live: HandleId,
    says: &dyn Fn(&[Arg<'_>]) -> crate::model::Expected,
) {
    rig.enter(s);
    for args in calls(native, live) {
        let what = format!("{} {args:?}", native.name());
        let result = rig.call(native.name(), &args);
        compare(tally, &what, &result, &says(&args));
    }
    rig.leave();
}

/// The scene, with a file open for what takes one.
fn opened() -> (Rig, Vec<Named>, HandleId) {
    let (mut rig, root) = scene();
    let Plain::Handle(live) = rig.ok("__sys_open_read", &[Arg::Str("/ro/a.txt")]) else { panic!() };
    (rig, root, live)
}

/// The bounds that are tried of a native: as `args` says them, and as the algebra does.
fn bounds(native: NativeId) -> Vec<(Vec<&'static str>, Bound)> {
    let places = |of: &[(u32, &str)]| Bound::Places(of.iter().map(|(root, rest)| Place::root(*root).below(rest).unwrap()).collect());
    let names = |of: &[&str]| Bound::Names(of.iter().copied().collect());
    match native.row().grant {
        GrantKind::DirRead | GrantKind::DirWrite => vec![
            (vec!["/rw"], places(&[(1, "")])),
            (vec!["/ro", "/one", "/wo"], places(&[(0, ""), (3, ""), (2, "")])),
            // A part: through the whole, where a link may lead anywhere, that is nothing.
            (vec!["/rw/d", "/ro"], places(&[(1, "d"), (0, "")])),
        ],
        GrantKind::Env => vec![(vec!["LANG"], names(&["LANG"])), (vec!["SECRET", "NONE"], names(&["SECRET", "NONE"]))],
        GrantKind::Run => vec![(vec!["git"], names(&["git"]))],
        _ => Vec::new(),
    }
}

#[test]
fn of_natives_that_are_bound_to_arguments() {
    let (mut rig, root, live) = opened();
    let mut tally = Tally::default();
    for native in NativeId::all() {
        for (args, bound) in bounds(native) {
            restore(&rig.base);
            let s = rig.make(&everything(), obj(&[("args", obj(&[(native.name(), list(&args))]))])).unwrap();
            let model = root_model(&root).narrow(native, &bound).unwrap();
            assert_eq!(rig.realm.rights(s).natives(), model.natives(), "{} {args:?}", native.name());
            compare_calls(&mut tally, &mut rig, s, native, live, &|args| expected(&model, &root, native, args, (false, Over::Nothing)));
            // One native's bound is no other's.
            let other = NativeId::all().find(|other| *other != native && !bounds(*other).is_empty()).unwrap();
            compare_calls(&mut tally, &mut rig, s, other, live, &|args| expected(&model, &root, other, args, (false, Over::Nothing)));
            // A child that asks for more than the bound gets what is within it: the algebra's answer.
            rig.enter(s);
            let child = rig.make(&everything(), Arg::Nil).unwrap();
            rig.leave();
            assert_eq!(rig.realm.rights(child).natives(), model.natives());
            let site = rig.site();
            rig.realm.revoke(&site, s).unwrap();
            assert_eq!(rig.realm.rights(child), Rights::none());
            compare_calls(&mut tally, &mut rig, child, native, live, &|args| expected(&model, &root, native, args, (true, Over::Nothing)));
        }
    }
    for (code, least) in [("not denied", 500), ("bound", 300), ("no-grant", 300), ("read-only", 100), ("revoked", 500), ("no-variable", 2)]
    {
        assert!(tally.0.get(code).is_some_and(|n| *n >= least), "{code}: {:?}", tally.0);
    }
}

/// Leases of a native's calls, each with the natives it is for.
fn leases(native: NativeId, terms: &Arg<'static>) -> Vec<(Arg<'static>, CapSet)> {
    let of = |grant: GrantKind| NativeId::all().filter(|id| id.row().grant == grant).collect::<CapSet>();
    let Arg::Object(fields) = terms else { panic!() };
    let mut all =
        vec![(Arg::Object(fields.clone()), CapSet::all()), (obj(&[(native.name(), terms.clone())]), [native].into_iter().collect())];
    match native.row().grant {
        GrantKind::Env => all.push((obj(&[("env", terms.clone())]), of(GrantKind::Env))),
        GrantKind::Net => all.push((obj(&[("net", terms.clone())]), of(GrantKind::Net))),
        // A lease of something else is no lease of this.
        _ => all.push((obj(&[("env", terms.clone())]), of(GrantKind::Env))),
    }
    all
}

#[test]
fn of_leases_that_are_over() {
    let (mut rig, root, live) = opened();
    let model = root_model(&root);
    let mut tally = Tally::default();
    for native in NativeId::all() {
        for uses in [false, true] {
            let terms = obj(&[if uses { ("uses", Arg::Num(1.0)) } else { ("ms", Arg::Num(1.0)) }]);
            for (lease, leased) in leases(native, &terms) {
                restore(&rig.base);
                let s = rig.make(&everything(), obj(&[("lease", lease)])).unwrap();
                let mut over = Over::Natives(leased);
                if uses {
                    // The one use is made by a call that is allowed, whether it then works or not. Of a native that this build is without none is.
                    rig.enter(s);
                    let first = rig.call(native.name(), &fitting(native, live));
                    rig.leave();
                    let made = expected(&model, &root, native, &fitting(native, live), (false, Over::Nothing))
                        == crate::model::Expected::NotDenied;
                    assert!(!made || !matches!(first, Err(ilu_sbx::Stop::Denied(_))), "{} {first:?}", native.name());
                    if matches!(first, Err(ilu_sbx::Stop::Denied(_))) {
                        // A denied call is no use: the lease still runs, for as long as nothing else is allowed.
                        over = Over::Nothing;
                    }
                } else {
                    std::thread::sleep(Duration::from_millis(2));
                }
                if over == Over::Nothing {
                    continue;
                }
                compare_calls(&mut tally, &mut rig, s, native, live, &|args| expected(&model, &root, native, args, (false, over)));
                // Whoever is made under it draws from the same lease.
                rig.enter(s);
                let child = rig.make(&everything(), Arg::Nil).unwrap();
                rig.enter(child);
                let result = rig.call(native.name(), &fitting(native, live));
                rig.leave();
                let says = expected(&model, &root, native, &fitting(native, live), (false, over));
                compare(&mut tally, &format!("{} below", native.name()), &result, &says);
            }
        }
    }
    for (code, least) in [("not denied", 1000), ("lease-over", 1000), ("no-grant", 150)] {
        assert!(tally.0.get(code).is_some_and(|n| *n >= least), "{code}: {:?}", tally.0);
    }
}

#[test]
fn of_directories_whose_lease_is_over() {
    let (mut rig, root, live) = opened();
    let mut tally = Tally::default();
    for over in ["/ro", "/rw", "/one"] {
        restore(&rig.base);
        let dir: Vec<(&str, Arg<'_>)> = root
            .iter()
            .map(|(name, grant, _)| {
                let mut terms = vec![("acc", Arg::Str(grant.access.text()))];
                if *name == over {
                    terms.push(("ms", Arg::Num(1.0)));
                }
                (*name, obj(&terms))
            })
            .collect();
        let s = rig.make(&everything(), obj(&[("dir", obj(&dir))])).unwrap();
        let model = root_model(&root);
        assert_eq!(rig.realm.rights(s).subjects().dirs, model.subjects().dirs);
        std::thread::sleep(Duration::from_millis(2));
        for native in NativeId::all() {
            restore(&rig.base);
            compare_calls(&mut tally, &mut rig, s, native, live, &|args| expected(&model, &root, native, args, (false, Over::Mount(over))));
        }
    }
    for (code, least) in [("not denied", 1000), ("lease-over", 100), ("no-grant", 200), ("read-only", 50)] {
        assert!(tally.0.get(code).is_some_and(|n| *n >= least), "{code}: {:?}", tally.0);
    }
}
