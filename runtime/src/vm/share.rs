//! Budgets out of which several isolates take: memory by a lease, fuel in advance.
//!
//! An isolate that is alone looks at what its sandboxes have used and knows what is left. Beside others it may use only what it has taken,
//! so that all of them together never use more than there is; what it does not need it gives back, before it waits at the latest.

use super::Vm;
use crate::heap::MIN_THRESHOLD;

/// Bytes that a lease grows by at least.
const STEP: usize = 4 << 10;
/// Most fuel that is taken in advance: some slices.
const ADVANCE: u64 = 1 << 16;
/// Least, unless less is left: below it an isolate would settle all the time.
const LEAST: u64 = 64;
/// The part of what is left that one isolate takes at most, so that others have some.
const PART: u64 = 8;

impl Vm {
    /// From here on this isolate is not alone: its heap is paid for by a lease.
    pub(super) fn lease_heap(&mut self) {
        if self.crew.is_none() || self.lease.is_some() {
            return;
        }
        let purse = self.realm.purse(self.realm.root_account());
        let live = self.heap.live() as u64;
        self.lease = purse.take(live).or_else(|| purse.take(0));
        self.apply_limit();
    }

    /// Bytes that were leased; all there are, as long as the isolate is alone.
    pub(super) fn leased(&self) -> usize {
        self.lease.as_ref().map_or(usize::MAX, |lease| usize::try_from(lease.bytes()).unwrap_or(usize::MAX))
    }

    /// Least growth of the heap between two collections.
    pub(super) fn threshold(&self) -> usize {
        if self.is_task() { super::TASK_THRESHOLD } else { MIN_THRESHOLD }
    }

    /// Takes more memory, when the lease is what was in the way; says whether there is more now.
    pub(super) fn lease_more(&mut self, needs: usize) -> bool {
        let (live, leased) = (self.heap.live(), self.leased());
        let bound = if self.hard > 0 { self.memory.most } else { self.collect_at.min(self.memory.early).min(self.memory.most) };
        let wanted = live.saturating_add(needs);
        if self.lease.is_none() || wanted <= leased || wanted > bound {
            return false;
        }
        let roomy = wanted.saturating_add((live / 8).max(STEP)).min(bound);
        let taken = self.set_lease(roomy) || self.set_lease(wanted);
        self.apply_limit();
        taken
    }

    /// Makes sure of memory for what comes in, with what a slab may take while it grows, as far as there is some.
    pub(super) fn lease_to_receive(&mut self, bytes: usize) {
        if self.lease.is_none() {
            return;
        }
        let live = self.heap.live();
        let roomy = live.saturating_add(live / 2).saturating_add(2 * bytes).saturating_add(STEP);
        let exact = live.saturating_add(bytes);
        let leased = self.leased();
        if leased < roomy && !self.set_lease(roomy) && leased < exact {
            self.set_lease(exact);
        }
    }

    fn set_lease(&mut self, bytes: usize) -> bool {
        self.lease.as_mut().is_some_and(|lease| lease.set(bytes as u64))
    }

    /// After a collection, what is not needed goes back.
    pub(super) fn trim_lease(&mut self) {
        let live = self.heap.live();
        let wanted = live.saturating_add((live / 8).max(STEP));
        if self.leased() > wanted {
            self.set_lease(wanted);
        }
    }

    /// Gives back the fuel that was taken in advance and not used.
    pub(super) fn settle_up(&mut self) {
        if self.crew.is_none() {
            self.settle();
            return;
        }
        let (_, from) = self.prepaid;
        let left = self.fuel + self.reserve;
        match u64::try_from(left) {
            Ok(left) => self.realm.return_fuel(from, left),
            Err(_) => self.realm.spend_fuel(from, left.unsigned_abs()),
        }
        self.realm.note_memory(self.account, self.heap.take_high() as u64);
        (self.fuel, self.granted, self.reserve, self.prepaid) = (0, 0, 0, (0, self.account));
    }

    /// Settles with others beside it: what is not used goes back, and some is taken for what comes.
    pub(super) fn settle_beside(&mut self) {
        self.settle_up();
        let left = self.realm.fuel_left(self.account);
        self.advance((left / PART).clamp(LEAST, ADVANCE));
    }

    fn advance(&mut self, want: u64) -> bool {
        let taken = self.realm.advance_fuel(self.account, want);
        self.prepaid = (self.prepaid.0 + taken, self.account);
        self.reserve += i64::try_from(taken).unwrap_or(i64::MAX / 4);
        taken > 0
    }

    /// Takes more fuel, for an operation that costs more than was taken; says whether there was some. Half of what is left stays for
    /// others: whoever found nothing because one isolate holds it all for a moment would be told that it ran out.
    pub(super) fn advance_more(&mut self) -> bool {
        if self.crew.is_none() {
            return false;
        }
        let left = self.realm.fuel_left(self.account).min(u64::MAX >> 4);
        let most = (left / 2).max(LEAST).min(left);
        left > 0 && self.advance(self.prepaid.0.max(ADVANCE).min(most))
    }

    /// What was taken in advance is used up, because more was asked for than there is.
    pub(super) fn forfeit(&mut self) {
        if self.crew.is_some() {
            (self.fuel, self.granted, self.reserve, self.prepaid) = (0, 0, 0, (0, self.account));
        }
    }
}
