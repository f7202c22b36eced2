//! A set of capabilities: one bit per native of the table.

use crate::registry::NativeId;
use crate::table::NATIVES;
use std::fmt;

/// Words of 64 bits in a set.
const WORDS: usize = 2;
const _: () = assert!(NATIVES.len() <= WORDS * 64, "the table has outgrown the set: raise WORDS");

/// A set of natives that may be called. The empty set means *nothing*, never "unrestricted".
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct CapSet {
    bits: [u64; WORDS],
}

impl CapSet {
    /// Nothing.
    pub const EMPTY: CapSet = CapSet { bits: [0; WORDS] };

    /// Every native of the table.
    #[must_use]
    pub fn all() -> CapSet {
        NativeId::all().collect()
    }

    fn place(id: NativeId) -> (usize, u64) {
        (usize::from(id.0) / 64, 1 << (id.0 % 64))
    }

    /// Puts one in. A number outside the table is ignored.
    pub fn insert(&mut self, id: NativeId) {
        let (word, bit) = CapSet::place(id);
        if id.exists()
            && let Some(word) = self.bits.get_mut(word)
        {
            *word |= bit;
        }
    }

    /// Takes one out.
    pub fn remove(&mut self, id: NativeId) {
        let (word, bit) = CapSet::place(id);
        if let Some(word) = self.bits.get_mut(word) {
            *word &= !bit;
        }
    }

    /// Is it in?
    #[must_use]
    pub fn has(self, id: NativeId) -> bool {
        let (word, bit) = CapSet::place(id);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }

    fn zip(self, other: CapSet, op: impl Fn(u64, u64) -> u64) -> CapSet {
        let mut bits = self.bits;
        for (mine, theirs) in bits.iter_mut().zip(other.bits) {
            *mine = op(*mine, theirs);
        }
        CapSet { bits }
    }

    /// In one or the other.
    #[must_use]
    pub fn union(self, other: CapSet) -> CapSet {
        self.zip(other, |a, b| a | b)
    }

    /// In both.
    #[must_use]
    pub fn intersection(self, other: CapSet) -> CapSet {
        self.zip(other, |a, b| a & b)
    }

    /// In this and not in the other.
    #[must_use]
    pub fn difference(self, other: CapSet) -> CapSet {
        self.zip(other, |a, b| a & !b)
    }

    /// Is all of this in the other?
    #[must_use]
    pub fn is_subset(self, other: CapSet) -> bool {
        self.difference(other).is_empty()
    }

    /// Is there nothing in it?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.bits == [0; WORDS]
    }

    /// How many are in it.
    #[must_use]
    pub fn len(self) -> usize {
        self.bits.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Its members in the table's order.
    pub fn iter(self) -> impl Iterator<Item = NativeId> {
        NativeId::all().filter(move |id| self.has(*id))
    }

    /// Canonical names of its members in the table's order.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(NativeId::name).collect()
    }
}

impl FromIterator<NativeId> for CapSet {
    fn from_iter<I: IntoIterator<Item = NativeId>>(ids: I) -> CapSet {
        let mut set = CapSet::EMPTY;
        for id in ids {
            set.insert(id);
        }
        set
    }
}

impl fmt::Debug for CapSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set() -> impl Strategy<Value = CapSet> {
        proptest::collection::vec(0..u16::try_from(NATIVES.len() + 8).unwrap_or(u16::MAX), 0..40)
            .prop_map(|ids| ids.into_iter().map(NativeId).collect())
    }

    proptest! {
        #[test]
        fn intersection_and_union_obey_the_laws(a in set(), b in set(), c in set()) {
            prop_assert_eq!(a.intersection(b), b.intersection(a));
            prop_assert_eq!(a.union(b), b.union(a));
            prop_assert_eq!(a.intersection(b).intersection(c), a.intersection(b.intersection(c)));
            prop_assert_eq!(a.union(b).union(c), a.union(b.union(c)));
            prop_assert_eq!(a.intersection(b.union(c)), a.intersection(b).union(a.intersection(c)));
            prop_assert_eq!(a.union(a.intersection(b)), a);
            prop_assert_eq!(a.intersection(a), a);
        }

        #[test]
        fn an_intersection_is_within_both(a in set(), b in set()) {
            let both = a.intersection(b);
            prop_assert!(both.is_subset(a) && both.is_subset(b));
            prop_assert!(a.is_subset(a.union(b)));
            prop_assert_eq!(a.is_subset(b), both == a);
        }

        #[test]
        fn a_difference_shares_nothing(a in set(), b in set()) {
            let rest = a.difference(b);
            prop_assert!(rest.intersection(b).is_empty());
            prop_assert_eq!(rest.union(a.intersection(b)), a);
        }

        #[test]
        fn iterating_gives_back_the_same_set(a in set()) {
            prop_assert_eq!(a.iter().collect::<CapSet>(), a);
            prop_assert_eq!(a.iter().count(), a.len());
            prop_assert!(a.iter().all(|id| a.has(id) && id.exists()));
        }
    }

    #[test]
    fn a_number_outside_the_table_is_never_a_member() {
        let mut all = CapSet::all();
        for n in NATIVES.len()..200 {
            let id = NativeId(u16::try_from(n).unwrap_or(u16::MAX));
            all.insert(id);
            assert!(!all.has(id));
        }
        assert!(!all.has(NativeId(u16::MAX)));
        assert_eq!(all.len(), NATIVES.len());
    }
}
