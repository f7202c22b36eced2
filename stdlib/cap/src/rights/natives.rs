//! Which natives may be called, and of each, on which arguments at most.

use super::names::Names;
use super::place::Places;
use crate::registry::{GrantKind, NativeId};
use crate::set::CapSet;
use std::collections::BTreeMap;

/// On which arguments a native may be called at most, whatever else is granted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// Only at these places and below. By name: through a directory in which a link leads elsewhere, only when all of it is bound for.
    Places(Places),
    /// Only these names: of variables, of programs.
    Names(Names),
}

impl Bound {
    /// Is it a bound that a native can have?
    #[must_use]
    pub fn suits(&self, native: NativeId) -> bool {
        match self {
            Bound::Places(_) => matches!(native.row().grant, GrantKind::DirRead | GrantKind::DirWrite),
            Bound::Names(_) => matches!(native.row().grant, GrantKind::Env | GrantKind::Run),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Bound::Places(places) => places.is_empty(),
            Bound::Names(names) => names.is_empty(),
        }
    }

    // One native's bounds are always of one kind, because the kind follows from its row; for two kinds the answers are the safe ones.
    fn union(&self, other: &Bound) -> Bound {
        match (self, other) {
            (Bound::Places(a), Bound::Places(b)) => Bound::Places(a.union(b)),
            (Bound::Names(a), Bound::Names(b)) => Bound::Names(a.union(b)),
            _ => Bound::Names(Names::default()),
        }
    }

    fn intersection(&self, other: &Bound) -> Bound {
        match (self, other) {
            (Bound::Places(a), Bound::Places(b)) => Bound::Places(a.intersection(b)),
            (Bound::Names(a), Bound::Names(b)) => Bound::Names(a.intersection(b)),
            _ => Bound::Names(Names::default()),
        }
    }

    fn difference(&self, other: &Bound) -> Bound {
        match (self, other) {
            (Bound::Places(a), Bound::Places(b)) => Bound::Places(a.difference(b)),
            (Bound::Names(a), Bound::Names(b)) => Bound::Names(a.difference(b)),
            _ => self.clone(),
        }
    }

    fn is_subset(&self, other: &Bound) -> bool {
        match (self, other) {
            (Bound::Places(a), Bound::Places(b)) => a.is_subset(b),
            (Bound::Names(a), Bound::Names(b)) => a.is_subset(b),
            _ => false,
        }
    }
}

/// A set of natives, some of them bound. A native whose bound is empty could do nothing and is not in the set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Natives {
    held: CapSet,
    /// Of natives that are held.
    bounds: BTreeMap<NativeId, Bound>,
}

impl From<CapSet> for Natives {
    fn from(held: CapSet) -> Natives {
        Natives { held, bounds: BTreeMap::new() }
    }
}

impl Natives {
    /// Their set.
    #[must_use]
    pub const fn set(&self) -> CapSet {
        self.held
    }

    /// Is it in?
    #[must_use]
    pub fn has(&self, native: NativeId) -> bool {
        self.held.has(native)
    }

    /// The bound of a native, if it has one.
    #[must_use]
    pub fn bound(&self, native: NativeId) -> Option<&Bound> {
        self.bounds.get(&native)
    }

    /// All bounds.
    pub(super) fn bounds(&self) -> impl Iterator<Item = &Bound> {
        self.bounds.values()
    }

    /// The same, one native bound to what its bound and this one have in common. `None` when that native can't have such a bound.
    #[must_use]
    pub fn narrow(&self, native: NativeId, bound: &Bound) -> Option<Natives> {
        if !bound.suits(native) {
            return None;
        }
        let mut narrowed = self.clone();
        let both = self.bound(native).map_or_else(|| bound.clone(), |known| known.intersection(bound));
        narrowed.set_bound(native, both);
        Some(narrowed)
    }

    /// In one or the other.
    #[must_use]
    pub fn union(&self, other: &Natives) -> Natives {
        let mut all = Natives::from(self.held.union(other.held));
        for (native, bound) in &self.bounds {
            match other.bound(*native) {
                Some(theirs) => all.set_bound(*native, bound.union(theirs)),
                None if !other.has(*native) => all.set_bound(*native, bound.clone()),
                None => {}
            }
        }
        for (native, bound) in other.bounds.iter().filter(|(native, _)| !self.has(**native)) {
            all.set_bound(*native, bound.clone());
        }
        all
    }

    /// In both, bound by both.
    #[must_use]
    pub fn intersection(&self, other: &Natives) -> Natives {
        let mut both = Natives::from(self.held.intersection(other.held));
        for (native, bound) in self.bounds.iter().chain(&other.bounds) {
            let bound = both.bound(*native).map_or_else(|| bound.clone(), |known| known.intersection(bound));
            both.set_bound(*native, bound);
        }
        both
    }

    /// In this and not in the other. Exact where neither is bound; of what a bound leaves out, all is counted as left.
    #[must_use]
    pub fn difference(&self, other: &Natives) -> Natives {
        let mut rest = Natives::from(self.held.difference(other.held));
        for (native, bound) in self.bounds.iter().filter(|(native, _)| !other.has(**native)) {
            rest.set_bound(*native, bound.clone());
        }
        for (native, theirs) in other.bounds.iter().filter(|(native, _)| self.has(**native)) {
            rest.held.insert(*native);
            if let Some(mine) = self.bound(*native) {
                rest.set_bound(*native, mine.difference(theirs));
            }
        }
        rest
    }

    /// Is all of this in the other?
    #[must_use]
    pub fn is_subset(&self, other: &Natives) -> bool {
        let within =
            |(native, theirs): (&NativeId, &Bound)| !self.has(*native) || self.bound(*native).is_some_and(|mine| mine.is_subset(theirs));
        self.held.is_subset(other.held) && other.bounds.iter().all(within)
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn set_bound(&mut self, native: NativeId, bound: Bound) {
        if bound.is_empty() {
            self.held.remove(native);
        }
        if self.held.has(native) {
            self.bounds.insert(native, bound);
        } else {
            self.bounds.remove(&native);
        }
    }
}
