//! The doorway against the model: every native, with every kind of argument, on paths inside and outside of each kind of grant, held and
//! not, revoked and not. What the doorway says must be what the algebra of rights says of rights that this test works out by itself.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::disallowed_types, reason = "tests")]
mod makes;
mod model;
mod narrowed;
#[path = "../rig/mod.rs"]
mod rig;
mod scene;

use ilu_cap::rights::{Budgets, Names, Rights, Subject, Subjects};
use ilu_cap::{CapSet, NativeId, by_name};
use ilu_sbx::{Arg, CallSite, Plain};
use model::{Over, Tally, compare, expected};
use scene::{calls, dirs_of, net_of, restore, root_model, scene, views};

/// Where a sandbox's authority comes from, and how it goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Live,
    /// It was revoked itself.
    Revoked,
    /// What it was made under was.
    RevokedAbove,
}

/// Every native, held and not, in every state, called with every kind of argument, in one of the views.
fn compare_all(n: usize) -> Tally {
    let (mut rig, root) = scene();
    let root_model = root_model(&root);
    assert_eq!(rig.realm.rights(rig.authority), root_model);
    let Plain::Handle(live) = rig.ok("__sys_open_read", &[Arg::Str("/ro/a.txt")]) else { panic!() };
    let mut tally = Tally::default();
    let view = views(&root).swap_remove(n);
    let everything: Vec<&str> = NativeId::all().map(NativeId::name).collect();
    for native in NativeId::all() {
        for held in [true, false] {
            restore(&rig.base);
            let names: Vec<&str> = NativeId::all().filter(|id| (*id == native) == held).map(NativeId::name).collect();
            let above = rig.make(&everything, Arg::Nil).unwrap();
            rig.enter(above);
            let s = rig.make(&names, view.opts.clone()).unwrap();
            rig.leave();
            let caps: CapSet = names.iter().filter_map(|name| by_name(name)).collect();
            let env: Names = view.env.iter().copied().collect();
            let subjects = Subjects { dirs: dirs_of(&view.mounts), env, net: net_of(&view.net), ..Subjects::default() };
            let asked = Rights::new(caps, subjects, Budgets::UNLIMITED);
            let model = asked.intersection(&root_model);
            assert_eq!(rig.realm.rights(s).subjects().dirs, model.subjects().dirs, "view {n}");
            assert_eq!(rig.realm.rights(s).natives(), model.natives(), "view {n}");
            assert_eq!(rig.realm.rights(s).subjects().env, model.subjects().env, "view {n}");
            for state in [State::Live, State::Revoked, State::RevokedAbove] {
                let s = if state == State::RevokedAbove {
                    restore(&rig.base);
                    rig.enter(above);
                    let another = rig.make(&names, view.opts.clone()).unwrap();
                    rig.leave();
                    another
                } else {
                    s
                };
                let gone = match state {
                    State::Live => None,
                    State::Revoked => Some(s),
                    State::RevokedAbove => Some(above),
                };
                if let Some(gone) = gone {
                    let site = rig.site();
                    rig.realm.revoke(&site, gone).unwrap();
                    assert_eq!(rig.realm.rights(s), Rights::none());
                    assert!(!rig.realm.has(s, native) && rig.realm.caps(s).is_empty());
                }
                rig.enter(s);
                let all = calls(native, live);
                // What is above decides as what is itself does, whatever the arguments: a part of them is enough.
                let step = if state == State::RevokedAbove { 7 } else { 1 };
                for args in all.into_iter().step_by(step) {
                    let what = format!("view {n}, {} {args:?}, held {held}, {state:?}", native.name());
                    let result = rig.call(native.name(), &args);
                    compare(
                        &mut tally,
                        &what,
                        &result,
                        &expected(&model, &view.mounts, native, &args, (state != State::Live, Over::Nothing)),
                    );
                }
                rig.leave();
            }
        }
    }
    rig.realm.close_handle(live);
    tally
}

/// There is something in each of these classes.
fn has_all(tally: &Tally, classes: &[(&'static str, usize)]) {
    for (code, least) in classes.iter().chain(&[("not denied", 200), ("not-held", 300), ("revoked", 300), ("absolute-link", 1)]) {
        assert!(tally.0.get(code).is_some_and(|n| *n >= *least), "{code}: {:?}", tally.0);
    }
}

#[test]
fn the_doorway_says_what_the_model_says_of_the_roots_own_grants() {
    has_all(&compare_all(0), &[("no-grant", 80), ("read-only", 50), ("write-only", 5), ("leads-out", 5), ("no-variable", 1)]);
}

#[test]
fn the_doorway_says_what_the_model_says_of_renamed_grants() {
    has_all(&compare_all(1), &[("no-grant", 100), ("read-only", 20), ("no-variable", 1), ("special-address", 1)]);
}

#[test]
fn the_doorway_says_what_the_model_says_of_grants_within_grants() {
    has_all(&compare_all(2), &[("no-grant", 100), ("read-only", 20), ("no-variable", 1), ("no-net-rule", 2)]);
}

#[test]
fn the_doorway_says_what_the_model_says_where_nothing_is_granted() {
    has_all(&compare_all(3), &[("no-grant", 300), ("no-variable", 1), ("no-net-rule", 2), ("special-address", 1)]);
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
