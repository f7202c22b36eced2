//! Counters that several threads change: what a sandbox has used.
//!
//! Each is a number by itself; nothing is read from one to decide about another, so no order between them is needed.

use crate::limits::{Budget, NO_LIMIT};
use ilu_cap::NativeId;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that only the sandbox's own use can bring to an end: no script can count to 2⁶⁴.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    pub(crate) fn add(&self, amount: u64) {
        if amount > 0 {
            self.0.fetch_add(amount, Relaxed);
        }
    }

    fn restart(&self) {
        self.0.store(0, Relaxed);
    }

    /// Takes back; what was not there is not taken.
    pub(crate) fn sub(&self, amount: u64) {
        if amount > 0 {
            // It always gives a number, so this never fails.
            let _ = self.0.fetch_update(Relaxed, Relaxed, |n| Some(n.saturating_sub(amount)));
        }
    }

    /// Adds when the sum stays within the limit; all or nothing.
    pub(crate) fn take(&self, amount: u64, limit: u64) -> bool {
        let within = |n: u64| n.checked_add(amount).filter(|sum| *sum <= limit);
        amount == 0 || self.0.fetch_update(Relaxed, Relaxed, within).is_ok()
    }

    /// Raises it to a number, unless it is higher.
    pub(crate) fn raise(&self, to: u64) {
        if self.get() < to {
            self.0.fetch_max(to, Relaxed);
        }
    }
}

/// What a sandbox and those made under it have used, whichever isolates they run in.
#[derive(Debug, Default)]
pub(crate) struct Used {
    pub(crate) fuel: Counter,
    /// Most bytes of heap seen.
    pub(crate) memory: Counter,
    /// Bytes that isolates beside each other hold now.
    pub(crate) leased: Counter,
    pub(crate) output: Counter,
    /// Open now.
    pub(crate) handles: Counter,
    /// There now.
    pub(crate) tasks: Counter,
    pub(crate) read: Counter,
    pub(crate) written: Counter,
    /// Calls that were denied.
    pub(crate) denied: Counter,
    /// Calls of each native, by its number; there once one was called.
    calls: OnceLock<Box<[Counter]>>,
}

impl Used {
    fn counter(&self, budget: Budget) -> Option<&Counter> {
        match budget {
            Budget::Fuel => Some(&self.fuel),
            Budget::Memory => Some(&self.memory),
            Budget::Output => Some(&self.output),
            Budget::Read => Some(&self.read),
            Budget::Written => Some(&self.written),
            Budget::Calls(native) => {
                let calls = self.calls.get_or_init(|| NativeId::all().map(|_| Counter::default()).collect());
                calls.get(usize::from(native.0))
            }
            Budget::Time | Budget::Depth => None,
        }
    }

    /// What was used of one budget; time and depth are not counted here.
    pub(crate) fn of(&self, budget: Budget) -> u64 {
        match budget {
            Budget::Calls(native) => self.calls.get().and_then(|calls| calls.get(usize::from(native.0))).map_or(0, Counter::get),
            _ => self.counter(budget).map_or(0, Counter::get),
        }
    }

    /// Forgets what was used, what is held now apart.
    pub(crate) fn restart(&self) {
        let counted = [&self.fuel, &self.memory, &self.output, &self.read, &self.written, &self.denied];
        let calls = self.calls.get().into_iter().flat_map(|calls| calls.iter());
        counted.into_iter().chain(calls).for_each(Counter::restart);
    }

    /// Natives that were called, and how often, in the registry's order.
    pub(crate) fn calls(&self) -> Vec<(NativeId, u64)> {
        let counters = self.calls.get().map(AsRef::as_ref).unwrap_or_default();
        NativeId::all().zip(counters).map(|(native, n)| (native, n.get())).filter(|(_, n)| *n > 0).collect()
    }

    pub(crate) fn add(&self, budget: Budget, amount: u64) {
        if let (1.., Some(counter)) = (amount, self.counter(budget)) {
            counter.add(amount);
        }
    }

    pub(crate) fn sub(&self, budget: Budget, amount: u64) {
        if let (1.., Some(counter)) = (amount, self.counter(budget)) {
            counter.sub(amount);
        }
    }

    /// Takes from a budget; all or nothing.
    pub(crate) fn take(&self, budget: Budget, amount: u64, limit: u64) -> bool {
        match self.counter(budget) {
            None => true,
            Some(counter) if limit == NO_LIMIT => {
                counter.add(amount);
                true
            }
            Some(counter) => counter.take(amount, limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_by_many_at_once_is_exactly_what_there_was() {
        let used = Used::default();
        let got: u64 = std::thread::scope(|scope| {
            let takers: Vec<_> =
                (0..4).map(|_| scope.spawn(|| (0..10_000).filter(|_| used.take(Budget::Fuel, 3, 60_001)).count() as u64)).collect();
            takers.into_iter().map(|taker| taker.join().unwrap_or(0)).sum()
        });
        assert_eq!((got, used.of(Budget::Fuel)), (20_000, 60_000));
        assert!(used.take(Budget::Fuel, 1, 60_001) && !used.take(Budget::Fuel, 1, 60_001));
        assert!(!used.take(Budget::Fuel, u64::MAX, 60_001));
    }

    #[test]
    fn nothing_can_be_taken_of_what_is_overdrawn_and_the_highest_is_kept() {
        let used = Used::default();
        used.add(Budget::Fuel, 5);
        assert!(used.take(Budget::Fuel, 0, 3) && !used.take(Budget::Fuel, 1, 3));
        used.memory.raise(7);
        used.memory.raise(3);
        assert_eq!(used.memory.get(), 7);
        assert!(used.calls().is_empty());
        let native = NativeId(2);
        used.add(Budget::Calls(native), 1);
        assert_eq!(used.calls(), [(native, 1)]);
    }
}
