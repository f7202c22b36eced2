//! What the heap holds, in bytes, against what it may hold.
//!
//! Every growth is charged before it happens, by what the allocator will really hand out: capacities, not lengths; both copies
//! while a table moves. So memory in use never passes the limit by more than the allocator's own slack, and a refused charge
//! leaves the heap as it was.

/// A charge was refused: the VM collects once and tries again; refused a second time, it is the memory limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// How many bytes were asked for.
    pub needs: usize,
}

/// Least growth between two collections, in bytes: below it a collection costs more than it can free.
pub const MIN_THRESHOLD: usize = 1 << 20;

/// The books.
#[derive(Debug)]
pub(super) struct Account {
    live: usize,
    /// The most that was held before something was given back.
    high: usize,
    limit: usize,
    collect_at: usize,
}

impl Account {
    pub(super) fn new(limit: usize) -> Self {
        Self { live: 0, high: 0, limit, collect_at: MIN_THRESHOLD }
    }
    #[inline]
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), Full> {
        match self.live.checked_add(bytes) {
            Some(live) if live <= self.limit => {
                self.live = live;
                Ok(())
            }
            _ => Err(Full { needs: bytes }),
        }
    }
    pub(super) fn hold(&mut self, bytes: usize) {
        self.live = self.live.saturating_add(bytes);
    }
    #[inline]
    pub(super) fn release(&mut self, bytes: usize) {
        // Between two of these it only grows, so looking here is enough.
        self.high = self.high.max(self.live);
        self.live = self.live.saturating_sub(bytes);
    }
    #[inline]
    pub(super) fn live(&self) -> usize {
        self.live
    }
    /// Takes note of bytes that were held for a moment within the room there is.
    pub(super) fn note(&mut self, bytes: usize) {
        self.high = self.high.max(self.live.saturating_add(bytes).min(self.limit.max(self.live)));
    }
    /// The most that was held since this was last asked.
    pub(super) fn take_high(&mut self) -> usize {
        let high = self.high.max(self.live);
        self.high = self.live;
        high
    }
    pub(super) fn limit(&self) -> usize {
        self.limit
    }
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }
    #[inline]
    pub(super) fn should_collect(&self) -> bool {
        self.live >= self.collect_at
    }
    /// To be called after a collection: the next one is due when the heap has doubled.
    pub(super) fn collected(&mut self) {
        self.collect_at = self.live.saturating_add(self.live.max(MIN_THRESHOLD));
    }

    /// Charges for a block that moves from `old` to `new` bytes: both exist while it moves. `grow` does it and says whether the
    /// allocator could.
    pub(super) fn moving(&mut self, old: usize, new: usize, grow: impl FnOnce() -> bool) -> Result<(), Full> {
        self.charge(new)?;
        if !grow() {
            self.release(new);
            return Err(Full { needs: new });
        }
        self.release(old);
        Ok(())
    }
}

/// What an allocator takes for a block of this size: its own word and rounding included, as glibc has it. Small blocks would
/// otherwise be held for half of what they cost.
#[inline]
pub(super) const fn block(bytes: usize) -> usize {
    if bytes == 0 {
        0
    } else if bytes <= 24 {
        32
    } else {
        // Saturating: a size near the end of the address space is refused by any limit anyway.
        bytes.saturating_add(8 + 15) & !15
    }
}

/// The next capacity of a growing array: doubled while small, then half as much again, and never less than needed.
pub(super) fn next_capacity(now: usize, needed: usize, item: usize) -> usize {
    const DOUBLE_BELOW: usize = 64 << 10;
    let grown = if now.saturating_mul(item) < DOUBLE_BELOW { now.saturating_mul(2) } else { now.saturating_add(now / 2) };
    grown.max(needed).max(4)
}
