//! Budgets as rights: how much. An absent one means that nothing here limits it.

use crate::registry::NativeId;
use std::collections::BTreeMap;

/// What there can be a budget of, calls of single natives aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantity {
    /// Units of fuel.
    Fuel,
    /// Bytes of heap.
    Memory,
    /// Milliseconds.
    Time,
    /// Bytes of output.
    Output,
    /// Open handles.
    Handles,
    /// Frames.
    Depth,
    /// Bytes read.
    Read,
    /// Bytes written.
    Written,
    /// Tasks at a time.
    Tasks,
}

impl Quantity {
    /// All of them, in the order of the options' page.
    pub const ALL: [Quantity; 9] = [
        Quantity::Fuel,
        Quantity::Memory,
        Quantity::Time,
        Quantity::Output,
        Quantity::Handles,
        Quantity::Depth,
        Quantity::Read,
        Quantity::Written,
        Quantity::Tasks,
    ];

    /// Its name among the options of `sbxmk`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Quantity::Fuel => "fuel",
            Quantity::Memory => "mem",
            Quantity::Time => "ms",
            Quantity::Output => "out",
            Quantity::Handles => "fds",
            Quantity::Depth => "depth",
            Quantity::Read => "read",
            Quantity::Written => "written",
            Quantity::Tasks => "tasks",
        }
    }
}

/// The number that stands for "no limit" in the table below; no script can count that far.
const UNLIMITED: u64 = u64::MAX;

/// A limit for each quantity and for calls of each native.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Budgets {
    most: [u64; Quantity::ALL.len()],
    /// Natives whose calls are limited.
    calls: BTreeMap<NativeId, u64>,
}

impl Budgets {
    /// No limit on anything.
    pub const UNLIMITED: Budgets = Budgets { most: [UNLIMITED; Quantity::ALL.len()], calls: BTreeMap::new() };

    /// Nothing of anything.
    #[must_use]
    pub fn none() -> Budgets {
        Budgets { most: [0; Quantity::ALL.len()], calls: NativeId::all().map(|native| (native, 0)).collect() }
    }

    /// The limit of a quantity; none when there is no limit.
    #[must_use]
    pub fn of(&self, quantity: Quantity) -> Option<u64> {
        self.most.get(quantity as usize).copied().filter(|most| *most != UNLIMITED)
    }

    /// The limit of calls of a native; none when there is no limit.
    #[must_use]
    pub fn calls(&self, native: NativeId) -> Option<u64> {
        self.calls.get(&native).copied()
    }

    /// Natives whose calls are limited, and to how many.
    pub fn all_calls(&self) -> impl Iterator<Item = (NativeId, u64)> {
        self.calls.iter().map(|(native, most)| (*native, *most))
    }

    /// The same with another limit of one quantity.
    #[must_use]
    pub fn with(mut self, quantity: Quantity, most: Option<u64>) -> Budgets {
        if let Some(slot) = self.most.get_mut(quantity as usize) {
            *slot = most.unwrap_or(UNLIMITED);
        }
        self
    }

    /// The same with another limit of calls of one native.
    #[must_use]
    pub fn with_calls(mut self, native: NativeId, most: Option<u64>) -> Budgets {
        match most {
            Some(most) if most != UNLIMITED && native.exists() => self.calls.insert(native, most),
            _ => self.calls.remove(&native),
        };
        self
    }

    /// The larger of each two limits.
    #[must_use]
    pub fn union(&self, other: &Budgets) -> Budgets {
        let calls = self.calls.iter().filter_map(|(native, n)| Some((*native, (*n).max(*other.calls.get(native)?))));
        Budgets { most: self.zip(other, u64::max), calls: calls.collect() }
    }

    /// The smaller of each two limits.
    #[must_use]
    pub fn intersection(&self, other: &Budgets) -> Budgets {
        let mut calls = self.calls.clone();
        for (native, n) in &other.calls {
            calls.entry(*native).and_modify(|most| *most = (*most).min(*n)).or_insert(*n);
        }
        Budgets { most: self.zip(other, u64::min), calls }
    }

    /// Each limit that exceeds the other's, whole; nothing of all the rest.
    #[must_use]
    pub fn difference(&self, other: &Budgets) -> Budgets {
        let exceeding = |mine: u64, theirs: u64| if mine > theirs { mine } else { 0 };
        let mut rest = Budgets { most: self.zip(other, exceeding), calls: BTreeMap::new() };
        for native in NativeId::all() {
            let of = |budgets: &Budgets| budgets.calls(native).unwrap_or(UNLIMITED);
            rest = rest.with_calls(native, Some(exceeding(of(self), of(other))));
        }
        rest
    }

    /// Does no limit of this exceed the other's?
    #[must_use]
    pub fn is_subset(&self, other: &Budgets) -> bool {
        let few = |(native, most): (&NativeId, &u64)| self.calls.get(native).is_some_and(|mine| mine <= most);
        self.most.iter().zip(&other.most).all(|(mine, theirs)| mine <= theirs) && other.calls.iter().all(few)
    }

    fn zip(&self, other: &Budgets, op: impl Fn(u64, u64) -> u64) -> [u64; Quantity::ALL.len()] {
        let mut most = self.most;
        for (mine, theirs) in most.iter_mut().zip(other.most) {
            *mine = op(*mine, theirs);
        }
        most
    }
}
