//! The laws of rights, over generated ones.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::registry::{GrantKind, by_name};
use crate::table::NATIVES;
use proptest::prelude::*;

/// Few names, so that generated values have something to do with each other.
const PARTS: [&str; 3] = ["a", "b", "c"];
const READ: &str = "__sys_read_file";
const WRITE: &str = "__sys_write_file";
const GETENV: &str = "__sys_getenv";

fn id(name: &str) -> NativeId {
    by_name(name).unwrap()
}

fn place() -> impl Strategy<Value = Place> {
    (0u32..2, prop::collection::vec(prop::sample::select(&PARTS[..]), 0..4))
        .prop_map(|(root, parts)| Place::root(root).below(&parts.join("/")).unwrap())
}

fn access() -> impl Strategy<Value = Access> {
    prop::sample::select(&Access::ALL[..])
}

fn grant() -> impl Strategy<Value = Grant> {
    (place(), access()).prop_map(|(place, access)| Grant { place, access })
}

fn dirs() -> impl Strategy<Value = Dirs> {
    prop::collection::vec(grant(), 0..6).prop_map(|grants| grants.into_iter().collect())
}

fn names() -> impl Strategy<Value = Names> {
    prop::collection::vec(prop::sample::select(&PARTS[..]), 0..4).prop_map(|names| names.into_iter().collect())
}

/// Unions and intersections of a few lists, some of which begin others.
fn net() -> impl Strategy<Value = Net> {
    let list = prop::collection::vec(prop::sample::select(vec!["!x", "y", "*"]), 0..3)
        .prop_map(|rules| Net::rules(RuleList::new(rules.into_iter().map(str::to_owned))));
    prop::collection::vec((any::<bool>(), list), 0..4).prop_map(|steps| {
        steps
            .into_iter()
            .fold(Net::default(), |net, (meet, list)| if meet && !net.is_empty() { net.intersection(&list) } else { net.union(&list) })
    })
}

fn budgets() -> impl Strategy<Value = Budgets> {
    let most = || prop_oneof![Just(None), (0u64..4).prop_map(Some)];
    let all = prop::collection::vec(most(), Quantity::ALL.len());
    (all, most(), most()).prop_map(|(all, reads, writes)| {
        let budgets = Quantity::ALL.iter().zip(all).fold(Budgets::UNLIMITED, |budgets, (quantity, most)| budgets.with(*quantity, most));
        budgets.with_calls(id(READ), reads).with_calls(id(WRITE), writes)
    })
}

fn caps() -> impl Strategy<Value = CapSet> {
    prop::collection::vec(0..u16::try_from(NATIVES.len()).unwrap(), 0..40).prop_map(|ids| ids.into_iter().map(NativeId).collect())
}

fn natives() -> impl Strategy<Value = Natives> {
    let places = || prop::option::of(prop::collection::vec(place(), 0..4));
    (caps(), places(), places(), prop::option::of(names())).prop_map(|(caps, read, write, env)| {
        let mut natives = Natives::from(caps);
        for name in [READ, WRITE, GETENV] {
            // Often enough that bounds are compared.
            natives = natives.union(&Natives::from(std::iter::once(id(name)).collect::<CapSet>()));
        }
        for (name, bound) in [(READ, read), (WRITE, write)] {
            if let Some(bound) = bound {
                natives = natives.narrow(id(name), &Bound::Places(bound.into_iter().collect())).unwrap();
            }
        }
        match env {
            Some(names) => natives.narrow(id(GETENV), &Bound::Names(names)).unwrap(),
            None => natives,
        }
    })
}

fn rights() -> impl Strategy<Value = Rights> {
    (natives(), dirs(), [names(), names(), names()], net(), budgets()).prop_map(
        |(natives, dirs, [env, secrets, programs], net, budgets)| {
            Rights::new(natives, Subjects { dirs, env, secrets, programs, net }, budgets)
        },
    )
}

/// Any native on any place, through any mount, on any name and any connection.
#[derive(Clone, Debug)]
struct Call {
    native: NativeId,
    place: Place,
    want: Access,
    name: &'static str,
    kind: u8,
    trusted: [bool; 3],
}

impl Call {
    fn is_allowed_by(&self, rights: &Rights) -> bool {
        self.verdict(rights).is_ok()
    }

    fn verdict(&self, rights: &Rights) -> Result<(), Refusal> {
        // A meaning for lists of rules in which the first match decides: which of the three rules match.
        let judge = |list: &RuleList| {
            let matches = |rule: &&String| self.trusted[["!x", "y", "*"].iter().position(|known| known == rule).unwrap()];
            list.rules().iter().find(matches).is_some_and(|rule| !rule.starts_with('!'))
        };
        let mount = Grant { place: self.place.clone(), access: self.want };
        rights.judge(
            self.native,
            &match self.kind {
                0 => Subject::None,
                1 => Subject::Place(&self.place, self.want),
                2 => Subject::Within(&mount, self.want),
                3 => Subject::Variable(self.name),
                4 => Subject::Program(self.name),
                5 => Subject::Secret(self.name),
                _ => Subject::Connection(&judge),
            },
        )
    }
}

fn call() -> impl Strategy<Value = Call> {
    let native = prop_oneof![
        prop::sample::select(vec![READ, WRITE, GETENV]).prop_map(id),
        (0..u16::try_from(NATIVES.len()).unwrap()).prop_map(NativeId)
    ];
    (native, place(), access(), prop::sample::select(&PARTS[..]), 0u8..7, any::<[bool; 3]>())
        .prop_map(|(native, place, want, name, kind, trusted)| Call { native, place, want, name, kind, trusted })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn union_and_intersection_are_those_of_a_distributive_lattice(a in rights(), b in rights(), c in rights()) {
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.intersection(&b), b.intersection(&a));
        prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        prop_assert_eq!(a.intersection(&b).intersection(&c), a.intersection(&b.intersection(&c)));
        prop_assert_eq!(a.union(&a), a.clone());
        prop_assert_eq!(a.intersection(&a), a.clone());
        prop_assert_eq!(a.union(&a.intersection(&b)), a.clone());
        prop_assert_eq!(a.intersection(&a.union(&b)), a.clone());
        prop_assert_eq!(a.intersection(&b.union(&c)), a.intersection(&b).union(&a.intersection(&c)));
        prop_assert_eq!(a.union(&b.intersection(&c)), a.union(&b).intersection(&a.union(&c)));
        prop_assert_eq!(a.union(&Rights::none()), a.clone());
        prop_assert_eq!(a.intersection(&Rights::none()), Rights::none());
    }

    #[test]
    fn a_subset_is_what_a_union_swallows_and_an_intersection_keeps(a in rights(), b in rights()) {
        prop_assert_eq!(a.is_subset(&b), a.union(&b) == b);
        prop_assert_eq!(a.is_subset(&b), a.intersection(&b) == a);
        prop_assert!(a.intersection(&b).is_subset(&a) && a.is_subset(&a.union(&b)));
        prop_assert!(Rights::none().is_subset(&a));
        prop_assert_eq!(a.is_subset(&b) && b.is_subset(&a), a == b);
    }

    #[test]
    fn each_part_alone_decides_about_a_subset(base in rights(), other in rights(), part in 0usize..7) {
        let mut subjects = base.subjects().clone();
        let from = other.subjects();
        match part {
            0 => subjects.dirs = from.dirs.clone(),
            1 => subjects.env = from.env.clone(),
            2 => subjects.programs = from.programs.clone(),
            3 => subjects.net = from.net.clone(),
            6 => subjects.secrets = from.secrets.clone(),
            _ => {}
        }
        let mixed = match part {
            4 => base.clone().with_natives(other.natives().clone()),
            5 => base.clone().with_budgets(other.budgets().clone()),
            _ => base.clone().with_subjects(subjects),
        };
        for (a, b) in [(&base, &mixed), (&mixed, &base)] {
            prop_assert_eq!(a.is_subset(b), a.union(b) == *b);
            prop_assert_eq!(a.is_subset(b), a.intersection(b) == *a);
            prop_assert_eq!(a.difference(b) == Rights::none(), a.is_subset(b));
        }
    }

    #[test]
    fn of_natives_bound_to_something_only_the_bounds_differ(a in natives(), bound in prop::collection::vec(place(), 0..4), names in names()) {
        for (name, bound) in [(READ, Bound::Places(bound.into_iter().collect())), (GETENV, Bound::Names(names))] {
            let b = a.narrow(id(name), &bound).unwrap();
            prop_assert!(b.is_subset(&a));
            prop_assert_eq!(a.is_subset(&b), a.union(&b) == b);
            prop_assert_eq!(a.difference(&b) == Natives::default(), a.is_subset(&b));
            prop_assert_eq!(b.difference(&a), Natives::default());
        }
    }

    #[test]
    fn a_difference_is_the_least_that_gives_back_the_rest(a in rights(), b in rights(), c in rights()) {
        let rest = a.difference(&b);
        prop_assert!(rest.is_subset(&a));
        prop_assert_eq!(rest.union(&b), a.union(&b));
        prop_assert_eq!(rest.is_subset(&c), a.is_subset(&b.union(&c)));
        prop_assert_eq!(rest == Rights::none(), a.is_subset(&b));
    }

    #[test]
    fn a_difference_shares_no_unbound_native_and_no_name(a in rights(), b in rights(), (left, right) in (caps(), caps())) {
        let rest = a.difference(&b);
        prop_assert!(rest.subjects().env.intersection(&b.subjects().env).is_empty());
        prop_assert!(rest.subjects().secrets.intersection(&b.subjects().secrets).is_empty());
        prop_assert!(rest.subjects().programs.intersection(&b.subjects().programs).is_empty());
        let rest = Natives::from(left).difference(&Natives::from(right));
        prop_assert!(rest.intersection(&Natives::from(right)).is_empty());
        prop_assert_eq!(rest.set(), left.difference(right));
    }

    #[test]
    fn an_intersection_allows_a_call_exactly_when_both_do(asked in rights(), held in rights(), call in call()) {
        let child = asked.intersection(&held);
        let both = call.is_allowed_by(&asked) && call.is_allowed_by(&held);
        // Two bounds with nothing in common leave nothing to call the native on, and then it is not held at all.
        let disjoint = call.kind == 0 && both && !child.natives().has(call.native);
        prop_assert_eq!(call.is_allowed_by(&child), both && !disjoint);
        prop_assert!(!disjoint || asked.natives().bound(call.native).is_some() && held.natives().bound(call.native).is_some());
    }

    #[test]
    fn nothing_that_a_child_may_do_is_refused_to_its_parent(root in rights(), asks in prop::collection::vec(rights(), 1..4), call in call()) {
        let mut held = root;
        for asked in asks {
            let child = asked.intersection(&held);
            prop_assert!(child.is_subset(&held));
            prop_assert!(!call.is_allowed_by(&child) || call.is_allowed_by(&held));
            held = child;
        }
    }

    #[test]
    fn more_rights_never_refuse_what_less_allow(a in rights(), b in rights(), call in call()) {
        prop_assert!(!call.is_allowed_by(&a) || call.is_allowed_by(&a.union(&b)));
        if a.is_subset(&b) {
            prop_assert!(!call.is_allowed_by(&a) || call.is_allowed_by(&b));
        }
    }

    #[test]
    fn narrowing_only_takes_away_and_nothing_but_what_it_names(a in rights(), bound in prop::collection::vec(place(), 0..4), call in call()) {
        let bound: Places = bound.into_iter().collect();
        let narrow = a.narrow(id(READ), &Bound::Places(bound.clone())).unwrap();
        prop_assert!(narrow.is_subset(&a));
        prop_assert_eq!(narrow.narrow(id(READ), &Bound::Places(bound.clone())).unwrap(), narrow.clone());
        if call.native == id(READ) && (call.kind == 1 || call.kind == 2) {
            prop_assert_eq!(call.is_allowed_by(&narrow), call.is_allowed_by(&a) && bound.contains(&call.place));
        } else if call.native != id(READ) {
            prop_assert_eq!(call.verdict(&narrow), call.verdict(&a));
        }
    }

    #[test]
    fn a_set_of_places_is_the_trees_below_them(mine in prop::collection::vec(place(), 0..6), other in prop::collection::vec(place(), 0..6), at in place()) {
        let below = |places: &[Place]| places.iter().any(|place| place.root_number() == at.root_number() && at.parts().starts_with(place.parts()));
        let (a, b): (Places, Places) = (mine.iter().cloned().collect(), other.iter().cloned().collect());
        prop_assert_eq!(a.contains(&at), below(&mine));
        prop_assert_eq!(a.union(&b).contains(&at), below(&mine) || below(&other));
        prop_assert_eq!(a.intersection(&b).contains(&at), below(&mine) && below(&other));
        if a.contains(&at) && !b.contains(&at) {
            prop_assert!(a.difference(&b).contains(&at), "a difference loses nothing");
        }
    }

    #[test]
    fn grants_say_the_same_as_what_they_came_from(dirs in dirs(), one in grant(), two in grant()) {
        let again: Dirs = dirs.grants().into_iter().collect();
        prop_assert_eq!(&again, &dirs);
        let (a, b): (Dirs, Dirs) = (std::iter::once(one.clone()).collect(), std::iter::once(two.clone()).collect());
        let met: Dirs = one.meet(&two).into_iter().collect();
        prop_assert_eq!(met, a.intersection(&b));
        // What is left of a grant is what both allow where it is.
        prop_assert_eq!(dirs.through(&one), dirs.access(&one.place).and_then(|held| held.meet(one.access)));
    }

    #[test]
    fn a_network_right_means_what_its_lists_mean(a in net(), b in net(), trusted in any::<[bool; 3]>()) {
        let judge = |list: &RuleList| {
            let matches = |rule: &&String| trusted[["!x", "y", "*"].iter().position(|known| known == rule).unwrap()];
            list.rules().iter().find(matches).is_some_and(|rule| !rule.starts_with('!'))
        };
        prop_assert_eq!(a.union(&b).allows(&judge), a.allows(&judge) || b.allows(&judge));
        prop_assert_eq!(a.intersection(&b).allows(&judge), a.allows(&judge) && b.allows(&judge));
        prop_assert!(!a.is_subset(&b) || !a.allows(&judge) || b.allows(&judge));
    }
}

#[test]
fn a_native_that_only_looks_never_changes_anything() {
    let everywhere: Dirs = std::iter::once(Grant { place: Place::root(0), access: Access::ReadWrite }).collect();
    let all = Rights::new(CapSet::all(), Subjects { dirs: everywhere, ..Subjects::default() }, Budgets::UNLIMITED);
    for native in NativeId::all() {
        let looks = native.row().grant == GrantKind::DirRead;
        assert_eq!(all.allows(native, &Subject::Place(&Place::root(0), Access::Write)), !looks, "{}", native.name());
        assert!(all.allows(native, &Subject::Place(&Place::root(0), Access::Read)));
    }
}

#[test]
fn what_is_not_granted_is_refused_and_what_is_granted_is_not() {
    let list = RuleList::new(["y".to_owned()]);
    let judge = |_: &RuleList| true;
    let place = Place::root(0);
    let dirs: Dirs = std::iter::once(Grant { place: place.clone(), access: Access::Read }).collect();
    let names: Names = ["a"].into_iter().collect();
    let granted = Subjects { dirs, env: names.clone(), secrets: names.clone(), programs: names, net: Net::rules(list) };
    let nothing = Rights::new(CapSet::all(), Subjects::default(), Budgets::UNLIMITED);
    let some = nothing.clone().with_subjects(granted);
    for (native, subject) in [
        (READ, Subject::Place(&place, Access::Read)),
        (GETENV, Subject::Variable("a")),
        ("__os_run", Subject::Program("a")),
        ("__sys_secret", Subject::Secret("a")),
        ("__sys_http_get", Subject::Connection(&judge)),
    ] {
        assert_eq!(nothing.judge(id(native), &subject), Err(Refusal::NotGranted), "{native}");
        assert_eq!(some.judge(id(native), &subject), Ok(()), "{native}");
        let unheld = some.clone().with_natives(CapSet::EMPTY);
        assert_eq!(unheld.judge(id(native), &subject), Err(Refusal::NotHeld), "{native}");
    }
    for (native, subject) in [(GETENV, Subject::Variable("b")), ("__os_run", Subject::Program("b")), ("__os_run", Subject::Program("A"))] {
        assert_eq!(some.judge(id(native), &subject), Err(Refusal::NotGranted), "{native}");
    }
}

#[test]
fn a_path_through_a_mount_gets_no_more_than_the_mount() {
    let at = |path: &str, access| Grant { place: Place::root(0).below(path).unwrap(), access };
    let dirs: Dirs = [at("all", Access::Read), at("all/out", Access::ReadWrite)].into_iter().collect();
    let rights = Rights::new(CapSet::all(), Subjects { dirs, ..Subjects::default() }, Budgets::UNLIMITED);
    let write = |mount: &Grant| rights.judge(id(WRITE), &Subject::Within(mount, Access::Write));
    assert_eq!(write(&at("all", Access::ReadWrite)), Err(Refusal::LessAccess(Access::Read)));
    assert_eq!(write(&at("all/out", Access::Read)), Err(Refusal::LessAccess(Access::Read)));
    assert_eq!(write(&at("all/out", Access::ReadWrite)), Ok(()));
    assert_eq!(write(&at("other", Access::ReadWrite)), Err(Refusal::NotGranted));
    let bound = Bound::Places(std::iter::once(Place::root(0).below("all/out/x").unwrap()).collect());
    let narrow = rights.narrow(id(WRITE), &bound).unwrap();
    assert_eq!(narrow.judge(id(WRITE), &Subject::Within(&at("all/out", Access::Write), Access::Write)), Err(Refusal::Bound));
}

#[test]
fn a_bound_suits_only_what_takes_such_an_argument() {
    let all = Natives::from(CapSet::all());
    let (places, names) = (Bound::Places(std::iter::once(Place::root(0)).collect()), Bound::Names(["a"].into_iter().collect()));
    for native in NativeId::all() {
        let grant = native.row().grant;
        assert_eq!(all.narrow(native, &places).is_some(), matches!(grant, GrantKind::DirRead | GrantKind::DirWrite), "{}", native.name());
        assert_eq!(all.narrow(native, &names).is_some(), matches!(grant, GrantKind::Env | GrantKind::Run), "{}", native.name());
    }
    let nothing = all.narrow(id(GETENV), &Bound::Names(Names::default())).unwrap();
    assert!(!nothing.has(id(GETENV)), "a native bound to nothing is not held");
}

#[test]
fn a_bound_native_is_refused_everywhere_else() {
    let at = |path: &str| Place::root(0).below(path).unwrap();
    let dirs: Dirs = std::iter::once(Grant { place: at(""), access: Access::ReadWrite }).collect();
    let names: Names = ["a", "b"].into_iter().collect();
    let all = Rights::new(CapSet::all(), Subjects { dirs, env: names.clone(), programs: names, ..Subjects::default() }, Budgets::UNLIMITED);
    let one: Names = std::iter::once("a").collect();
    let places = Bound::Places(std::iter::once(at("in")).collect());
    let cases = [
        (READ, &places, Subject::Place(&at("in/x"), Access::Read), Subject::Place(&at("out/x"), Access::Read)),
        (WRITE, &places, Subject::Place(&at("in"), Access::Write), Subject::Place(&at(""), Access::Write)),
        (GETENV, &Bound::Names(one.clone()), Subject::Variable("a"), Subject::Variable("b")),
        ("__os_run", &Bound::Names(one), Subject::Program("a"), Subject::Program("b")),
    ];
    for (native, bound, inside, outside) in cases {
        let narrow = all.narrow(id(native), bound).unwrap();
        assert_eq!(all.judge(id(native), &outside), Ok(()), "{native}");
        assert_eq!(narrow.judge(id(native), &inside), Ok(()), "{native}");
        assert_eq!(narrow.judge(id(native), &outside), Err(Refusal::Bound), "{native}");
    }
}

#[test]
fn what_is_in_another_root_is_below_nothing_here() {
    let (here, there) = (Place::root(0), Place::root(1).below("a").unwrap());
    assert_eq!(here.path_to(&there), None);
    assert!(here.path_to(&Place::root(0).below("a").unwrap()).is_some());
    let some: Dirs = std::iter::once(Grant { place: here, access: Access::Write }).collect();
    assert!(Dirs::default().is_empty() && !some.is_empty());
}

#[test]
fn a_place_has_no_dots_and_no_empty_parts() {
    let place = |path: &str| Place::root(0).below(path);
    assert_eq!(place("./a//b/"), place("a/b"));
    assert_eq!(place("."), Some(Place::root(0)));
    assert_eq!(place("a/../b"), None);
    assert_eq!(place(".."), None);
    assert!(!place("a").unwrap().contains(&place("ab").unwrap()));
    assert!(!place("a").unwrap().contains(&Place::root(1).below("a").unwrap()));
    assert_eq!(place("a").unwrap().path_to(&place("a/b/c").unwrap()).unwrap(), ["b", "c"]);
    assert_eq!(place("a/b").unwrap().path_to(&place("a").unwrap()), None);
}
