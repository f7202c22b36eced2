//! Directory grants: which places may be looked at and which may be changed.

use super::access::Access;
use super::place::{Place, Places};

/// One grant: a place, and what may be done there and below.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Grant {
    /// Where.
    pub place: Place,
    /// What.
    pub access: Access,
}

impl Grant {
    /// What both grants allow: the narrower of two places when it lies within the wider, and what both let do there.
    #[must_use]
    pub fn meet(&self, other: &Grant) -> Option<Grant> {
        let access = self.access.meet(other.access)?;
        let place = match (self.place.contains(&other.place), other.place.contains(&self.place)) {
            (true, _) => other.place.clone(),
            (false, true) => self.place.clone(),
            (false, false) => return None,
        };
        Some(Grant { place, access })
    }
}

/// A set of directory grants. Reading and writing are two sets of places, each in normal form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dirs {
    read: Places,
    write: Places,
}

impl Dirs {
    /// The places of both kinds.
    pub(super) fn all(&self) -> impl Iterator<Item = &Place> {
        self.read.iter().chain(self.write.iter())
    }

    /// What may be done at a place, by any of the grants.
    #[must_use]
    pub fn access(&self, place: &Place) -> Option<Access> {
        Access::of(self.read.contains(place), self.write.contains(place))
    }

    /// What is left of a grant here: what of it is allowed at its place.
    #[must_use]
    pub fn through(&self, grant: &Grant) -> Option<Access> {
        self.access(&grant.place)?.meet(grant.access)
    }

    /// By one or the other.
    #[must_use]
    pub fn union(&self, other: &Dirs) -> Dirs {
        Dirs { read: self.read.union(&other.read), write: self.write.union(&other.write) }
    }

    /// By both.
    #[must_use]
    pub fn intersection(&self, other: &Dirs) -> Dirs {
        Dirs { read: self.read.intersection(&other.read), write: self.write.intersection(&other.write) }
    }

    /// What of this the other does not cover: see [`Places::difference`].
    #[must_use]
    pub fn difference(&self, other: &Dirs) -> Dirs {
        Dirs { read: self.read.difference(&other.read), write: self.write.difference(&other.write) }
    }

    /// Is all of this in the other?
    #[must_use]
    pub fn is_subset(&self, other: &Dirs) -> bool {
        self.read.is_subset(&other.read) && self.write.is_subset(&other.write)
    }

    /// Is nothing granted?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read.is_empty() && self.write.is_empty()
    }

    /// The fewest grants that say the same, in the order of their places. A place that is within a grant of the other access has what
    /// both give.
    #[must_use]
    pub fn grants(&self) -> Vec<Grant> {
        let mut places: Vec<&Place> = self.read.iter().chain(self.write.iter()).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| Some(Grant { place: place.clone(), access: self.access(place)? })).collect()
    }
}

impl FromIterator<Grant> for Dirs {
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Dirs {
        let grants: Vec<Grant> = grants.into_iter().collect();
        let places = |may: fn(Access) -> bool| grants.iter().filter(|grant| may(grant.access)).map(|grant| grant.place.clone()).collect();
        Dirs { read: places(Access::reads), write: places(Access::writes) }
    }
}
