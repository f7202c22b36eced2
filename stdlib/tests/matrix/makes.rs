//! What sandboxes made in the scene hold, and what two hold together.

use crate::model::named;
use crate::rig::obj;
use crate::scene::{dirs_of, grant, scene, views};
use ilu_cap::rights::{Budgets, Dirs, Grant, Rights, Subject, Subjects};
use ilu_cap::{CapSet, NativeId, by_name};
use ilu_sbx::{Access, Arg, SbxId, Stop};
use proptest::prelude::*;

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
