//! Each part of rights by example: what two differ in is all that decides between them.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::registry::by_name;

fn id(name: &str) -> NativeId {
    by_name(name).unwrap()
}

fn names(all: &[&str]) -> Names {
    all.iter().copied().collect()
}

fn net(all: &[&str]) -> Net {
    Net::rules(RuleList::new(all.iter().map(|rule| (*rule).to_owned())))
}

fn dirs(all: &[(&str, Access)]) -> Dirs {
    all.iter().map(|(path, access)| Grant { place: Place::root(0).below(path).unwrap(), access: *access }).collect()
}

/// Pairs of subjects: the second is what both share with a third, which has `x` of that part only.
fn parts() -> [(Subjects, Subjects); 6] {
    let two = ["x", "y"];
    let each = |part: &dyn Fn(&mut Subjects, usize)| {
        let (mut all, mut one) = (Subjects::default(), Subjects::default());
        part(&mut all, 2);
        part(&mut one, 1);
        (all, one)
    };
    [
        each(&|subjects, n| subjects.env = names(&two[..n])),
        each(&|subjects, n| subjects.secrets = names(&two[..n])),
        each(&|subjects, n| subjects.programs = names(&two[..n])),
        each(&|subjects, n| subjects.net = net(&two[..n])),
        each(&|subjects, n| subjects.dirs = dirs(&[("a", Access::Read), ("b", Access::Read)][..n])),
        each(&|subjects, n| subjects.dirs = dirs(&[("a", Access::Write), ("b", Access::Write)][..n])),
    ]
}

#[test]
fn each_kind_of_subject_is_narrowed_and_compared_by_itself() {
    for (all, one) in parts() {
        assert_eq!(all.intersection(&one), one);
        assert_eq!(one.intersection(&all), one);
        assert_eq!(all.intersection(&Subjects::default()), Subjects::default());
        assert_eq!(Subjects::default().intersection(&all), Subjects::default());
        assert_eq!(one.union(&all), all);
        assert!(one.is_subset(&all) && !all.is_subset(&one) && !one.is_subset(&Subjects::default()));
        assert_eq!(one.difference(&all), Subjects::default());
        assert_ne!(all.difference(&one), Subjects::default());
        assert_eq!(all.dirs.is_empty(), all.dirs == Dirs::default());
        // The same as whole rights, with nothing else in them.
        let whole = |subjects: &Subjects| Rights::new(CapSet::all(), subjects.clone(), Budgets::UNLIMITED);
        assert_eq!(whole(&all).intersection(&whole(&one)), whole(&one));
        assert!(whole(&one).is_subset(&whole(&all)) && !whole(&all).is_subset(&whole(&one)));
        let both = Rights::new(CapSet::EMPTY, one.clone(), Budgets::UNLIMITED);
        assert!(both.is_subset(&whole(&one)) && !whole(&one).is_subset(&both));
    }
}

#[test]
fn a_bound_is_compared_with_a_bound_of_its_kind_only() {
    let places = |path: &str| Bound::Places(std::iter::once(Place::root(0).below(path).unwrap()).collect());
    let held = Natives::from(CapSet::all());
    let (read, env) = (id("__sys_read_file"), id("__sys_getenv"));
    let below = held.narrow(read, &places("a/b")).unwrap();
    let above = held.narrow(read, &places("a")).unwrap();
    let beside = held.narrow(read, &places("c")).unwrap();
    let named = held.narrow(env, &Bound::Names(names(&["x"]))).unwrap();
    for (inner, outer) in [(&below, &above), (&below, &held), (&above, &held), (&named, &held)] {
        assert!(inner.is_subset(outer) && !outer.is_subset(inner));
        assert_eq!(inner.intersection(outer), *inner);
        assert_eq!(inner.difference(outer), Natives::default());
        assert!(outer.difference(inner).has(read) || outer.difference(inner).has(env));
    }
    assert!(!below.is_subset(&beside) && !beside.is_subset(&below) && !named.is_subset(&below) && !below.is_subset(&named));
    // A native whose bound is empty could do nothing.
    let none = below.intersection(&beside);
    assert!(!none.has(read) && none.bound(read).is_none() && none.has(env));
    assert!(none.is_subset(&below) && none.is_subset(&beside));
    assert!(held.narrow(id("__sys_time"), &places("a")).is_none() && held.narrow(env, &places("a")).is_none());
}

#[test]
fn a_bound_native_acts_within_its_bound_and_within_what_is_granted() {
    let at = |path: &str| Place::root(0).below(path).unwrap();
    let (read, env, run) = (id("__sys_read_file"), id("__sys_getenv"), id("__os_run"));
    let subjects = Subjects {
        dirs: dirs(&[("a", Access::Read), ("b", Access::Read)]),
        env: names(&["x", "y"]),
        secrets: names(&["x"]),
        programs: names(&["x", "y"]),
        net: net(&["x"]),
    };
    let natives = Natives::from(CapSet::all());
    let natives = natives.narrow(read, &Bound::Places(std::iter::once(at("a")).collect())).unwrap();
    let natives = natives.narrow(env, &Bound::Names(names(&["x"]))).unwrap();
    let natives = natives.narrow(run, &Bound::Names(names(&["x"]))).unwrap();
    let rights = Rights::new(natives, subjects, Budgets::UNLIMITED);
    let mount = |path: &str| Grant { place: at(path), access: Access::Read };
    for (native, subject, verdict) in [
        (read, Subject::Place(&at("a/c"), Access::Read), Ok(())),
        (read, Subject::Place(&at("b"), Access::Read), Err(Refusal::Bound)),
        (read, Subject::Place(&at("c"), Access::Read), Err(Refusal::NotGranted)),
        (read, Subject::Place(&at("a"), Access::Write), Err(Refusal::LessAccess(Access::Read))),
        (read, Subject::Within(&mount("a"), Access::Read), Ok(())),
        (read, Subject::Within(&mount("b"), Access::Read), Err(Refusal::Bound)),
        (read, Subject::Within(&mount(""), Access::Read), Err(Refusal::NotGranted)),
        (env, Subject::Variable("x"), Ok(())),
        (env, Subject::Variable("y"), Err(Refusal::Bound)),
        (env, Subject::Variable("z"), Err(Refusal::NotGranted)),
        (run, Subject::Program("x"), Ok(())),
        (run, Subject::Program("y"), Err(Refusal::Bound)),
        (run, Subject::Program("z"), Err(Refusal::NotGranted)),
        (env, Subject::Secret("x"), Ok(())),
        (id("__sys_time"), Subject::Secret("y"), Err(Refusal::NotGranted)),
        // What is bound to one kind of subject does nothing to another.
        (read, Subject::Variable("x"), Err(Refusal::Bound)),
        (env, Subject::Place(&at("a"), Access::Read), Err(Refusal::Bound)),
        (read, Subject::Connection(&|_| true), Err(Refusal::Bound)),
        (id("__sys_tcp_dial"), Subject::Connection(&|_| true), Ok(())),
        (id("__sys_tcp_dial"), Subject::Connection(&|_| false), Err(Refusal::NotGranted)),
    ] {
        assert_eq!(rights.judge(native, &subject), verdict);
        let none = rights.clone().with_natives(CapSet::EMPTY);
        assert_eq!(none.judge(native, &subject), Err(Refusal::NotHeld));
    }
}

#[test]
fn a_list_of_no_rules_allows_nothing_and_is_nothing() {
    assert!(net(&[]).is_empty() && net(&[]) == Net::default());
    assert!(!net(&["x"]).is_empty());
    assert_eq!(net(&["x"]).intersection(&net(&[])), Net::default());
    assert!(net(&[]).is_subset(&net(&["x"])) && !net(&["x"]).is_subset(&net(&[])));
    assert!(!net(&[]).allows(&|_| true) && net(&["x"]).allows(&|_| true) && !net(&["x"]).allows(&|_| false));
    // Both lists of a meeting are asked.
    let both = net(&["x"]).intersection(&net(&["y"]));
    assert!(!both.allows(&|list| list.rules() == ["x"]) && both.allows(&|_| true));
    assert_eq!(both.difference(&net(&["x"])), Net::default());
    assert_eq!(net(&["x"]).difference(&both), net(&["x"]));
}

#[test]
fn a_limit_is_there_or_not() {
    let native = id("__sys_time");
    assert_eq!(Budgets::UNLIMITED.of(Quantity::Fuel), None);
    assert_eq!(Budgets::UNLIMITED.with(Quantity::Fuel, Some(3)).of(Quantity::Fuel), Some(3));
    let few = Budgets::UNLIMITED.with_calls(native, Some(3));
    assert_eq!((few.calls(native), few.clone().with_calls(native, None).calls(native)), (Some(3), None));
    assert_eq!(few.clone().with_calls(native, Some(u64::MAX)), Budgets::UNLIMITED);
    assert_eq!(Budgets::UNLIMITED.with_calls(NativeId(u16::MAX), Some(1)), Budgets::UNLIMITED, "of what is no native there are no calls");
    assert!(few.is_subset(&Budgets::UNLIMITED) && !Budgets::UNLIMITED.is_subset(&few));
    assert_eq!(few.intersection(&Budgets::UNLIMITED), few);
}

#[test]
fn a_way_leads_to_what_lies_below_in_the_same_root() {
    let at = |root: u32, path: &str| Place::root(root).below(path).unwrap();
    assert_eq!(at(0, "a").path_to(&at(0, "a/b/c")).unwrap(), ["b", "c"]);
    assert_eq!(at(0, "a").path_to(&at(0, "a")).unwrap(), [] as [&str; 0]);
    for other in [at(1, "a/b"), at(0, "b"), at(0, ""), at(0, "ab")] {
        assert!(at(0, "a").path_to(&other).is_none() && !at(0, "a").contains(&other));
    }
}
