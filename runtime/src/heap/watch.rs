//! When long work must stop.
//!
//! Code looks at the clock at its calls and loops; a comparison, a search or a sort that goes on for long is neither. What works on the heap
//! in steps looks here once in so many of them. Only the VM sets it. It decides nothing but when to stop: no script can see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// The end of the time there is, and the host's wish to stop.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// When the time of whoever is charged is up.
    pub deadline: Option<Instant>,
    /// Set when the host asked to stop.
    pub interrupt: Arc<AtomicBool>,
}

/// Steps between two looks, as a power of two: a step is 1 to 100 ns.
const LOOK_BITS: u32 = 14;

impl Watch {
    /// Whether work that has come from one count of steps to another, up or down, must stop.
    #[inline]
    #[must_use]
    pub fn is_late(&self, from: u64, to: u64) -> bool {
        from >> LOOK_BITS != to >> LOOK_BITS && self.look()
    }
    #[cold]
    fn look(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed) || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}
