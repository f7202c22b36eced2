//! One sandbox, as all isolates of a run share it.
//!
//! What it may do is settled when it is made and never changes; what changes are counters and the mark of its revocation, and these
//! are atomic, so that a check never waits. It keeps those alive that it was made under, and only knows of those made under it.

use crate::counter::Used;
use crate::ids::{ANY_NUMBER, ROOT_NUMBER, VOID_NUMBER};
use crate::lease::Leases;
use crate::limits::{Budget, Limits, NO_LIMIT};
use crate::run::{Records, lock};
use crate::view::View;
use ilu_cap::rights::{Budgets, Rights, Subjects};
use ilu_cap::{CapSet, NativeId};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

/// A sandbox of a run, to be carried from one isolate to another.
#[derive(Clone, Debug)]
pub struct Sandbox(pub(crate) Arc<Shared>);

impl Sandbox {
    /// Its number in the run, as events and logs name it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// Was it, or one it was made under, revoked?
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.0.is_revoked()
    }
}

/// A sandbox that something is kept for, without keeping it alive.
#[derive(Clone, Debug)]
pub struct Owner {
    number: u64,
    shared: Weak<Shared>,
}

impl Owner {
    pub(crate) fn of(shared: &Arc<Shared>) -> Owner {
        Owner { number: shared.number, shared: Arc::downgrade(shared) }
    }

    /// Was it revoked, or is there nobody any more who could act in its name?
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.shared.upgrade().is_none_or(|shared| shared.is_revoked())
    }
}

impl PartialEq for Owner {
    /// Numbers are never used again.
    fn eq(&self, other: &Owner) -> bool {
        self.number == other.number
    }
}

impl Eq for Owner {}

impl PartialEq for Sandbox {
    fn eq(&self, other: &Sandbox) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Sandbox {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SandboxKind {
    /// By the operator or a script.
    Made,
    /// Where others meet.
    Meet,
}

/// What a new sandbox holds.
#[derive(Debug)]
pub(crate) struct Holding {
    pub(crate) rights: Rights,
    pub(crate) view: Arc<View>,
    pub(crate) limits: Limits,
    /// Those that were given with it; it has those of its makers besides.
    pub(crate) leases: Leases,
}

/// What stands for a time that has not come: no clock shows it.
const NEVER: u64 = u64::MAX;

/// The state of a sandbox.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) number: u64,
    /// What it was made under: one sandbox, or those that meet in it.
    pub(crate) parents: Box<[Arc<Shared>]>,
    pub(crate) kind: SandboxKind,
    pub(crate) depth: u32,
    /// What it may do. That it is no more than those it was made under may do was settled when it was made.
    pub(crate) rights: Rights,
    /// The budgets it was given beside those around it.
    pub(crate) limits: Limits,
    pub(crate) used: Used,
    /// What must still run for its calls.
    pub(crate) leases: Leases,
    /// The directories of its rights, open, under its names for them; none once it was revoked.
    view: Mutex<Arc<View>>,
    /// When it was first entered: the bits of a time, or [`NEVER`].
    started: AtomicU64,
    revoked: AtomicBool,
    /// A call was denied to it or to one made under it: there are rows to be looked for.
    denied: AtomicBool,
    /// It has rows in the recorder.
    logged: AtomicBool,
    /// Those made directly under it; some may be gone.
    below: Mutex<Vec<Weak<Shared>>>,
    records: Arc<Records>,
}

impl Shared {
    /// One made under these; revoked when one of them is.
    pub(crate) fn new(records: &Arc<Records>, parents: Vec<Arc<Shared>>, kind: SandboxKind, holding: Holding) -> Arc<Shared> {
        let depth = parents.iter().map(|parent| parent.depth + 1).max().unwrap_or(0);
        let shared = Arc::new(Shared::with(records, records.next_number(), parents, kind, depth, holding));
        for parent in &shared.parents {
            let mut below = lock(&parent.below);
            if below.len() == below.capacity() {
                below.retain(|child| child.strong_count() > 0);
            }
            below.push(Arc::downgrade(&shared));
        }
        // Only now: whoever revokes a parent from here on finds this one below it.
        if shared.parents.iter().any(|parent| parent.is_revoked()) {
            shared.revoke();
        }
        shared
    }

    fn with(records: &Arc<Records>, number: u64, parents: Vec<Arc<Shared>>, kind: SandboxKind, depth: u32, holding: Holding) -> Shared {
        records.born();
        Shared {
            number,
            kind,
            depth,
            rights: holding.rights,
            limits: holding.limits,
            used: Used::default(),
            leases: parents.iter().fold(holding.leases, |all, parent| all.and(&parent.leases)),
            parents: parents.into_boxed_slice(),
            view: Mutex::new(holding.view),
            started: AtomicU64::new(NEVER),
            revoked: AtomicBool::new(false),
            denied: AtomicBool::new(false),
            logged: AtomicBool::new(false),
            below: Mutex::default(),
            records: Arc::clone(records),
        }
    }

    /// The three that every realm begins with: of the library's own code, of the operator's grants, and the one that holds nothing.
    pub(crate) fn fixed(records: &Arc<Records>, root: Holding) -> [Arc<Shared>; 3] {
        let rights = || Rights::new(CapSet::EMPTY, Subjects::default(), Budgets::UNLIMITED);
        let nothing = || Holding { rights: rights(), view: Arc::default(), limits: Limits::none(), leases: Leases::default() };
        let one = |number, parents, depth, holding| Arc::new(Shared::with(records, number, parents, SandboxKind::Made, depth, holding));
        let any = one(ANY_NUMBER, Vec::new(), 0, nothing());
        let root = one(ROOT_NUMBER, Vec::new(), 0, root);
        let void = one(VOID_NUMBER, vec![Arc::clone(&root)], 1, nothing());
        [any, root, void]
    }

    pub(crate) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    /// Revokes it and all made under it, and lets go of the directories they hold open.
    pub(crate) fn revoke(&self) {
        let mut work = self.mark_revoked();
        while let Some(next) = work.pop() {
            work.extend(next.mark_revoked());
        }
    }

    /// Gives those directly below, when it was not revoked before.
    fn mark_revoked(&self) -> Vec<Arc<Shared>> {
        if self.revoked.swap(true, Ordering::AcqRel) {
            return Vec::new();
        }
        *lock(&self.view) = Arc::default();
        lock(&self.below).iter().filter_map(Weak::upgrade).collect()
    }

    /// How many revoking it would go through, about.
    pub(crate) fn below(&self) -> usize {
        if self.is_revoked() { 0 } else { lock(&self.below).len() }
    }

    /// Lets go of what is kept of those below that are gone.
    pub(crate) fn forget_gone(&self) {
        let mut below = lock(&self.below);
        below.retain(|child| child.strong_count() > 0);
        if below.len() < below.capacity() / 4 {
            let most = below.len() * 2;
            below.shrink_to(most);
        }
    }

    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&lock(&self.view))
    }

    pub(crate) fn has(&self, native: NativeId) -> bool {
        !self.is_revoked() && self.rights.natives().has(native)
    }

    /// What is left of a budget that is counted.
    pub(crate) fn left(&self, budget: Budget) -> u64 {
        match self.limits.of(budget) {
            NO_LIMIT => NO_LIMIT,
            limit => limit.saturating_sub(self.used.of(budget)),
        }
    }

    /// Takes from a budget; all or nothing.
    pub(crate) fn take(&self, budget: Budget, amount: u64) -> bool {
        self.used.take(budget, amount, self.limits.of(budget))
    }

    /// Starts its clock, unless it runs.
    pub(crate) fn start(&self, now: f64) {
        if self.started.load(Ordering::Relaxed) == NEVER {
            // Another isolate may have been first: then its time counts.
            let _ = self.started.compare_exchange(NEVER, now.to_bits(), Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Starts its clock anew.
    pub(crate) fn restart(&self, now: f64) {
        self.started.store(now.to_bits(), Ordering::Relaxed);
    }

    /// When it was first entered, on the clock that only goes forward.
    pub(crate) fn started(&self) -> Option<f64> {
        let bits = self.started.load(Ordering::Relaxed);
        (bits != NEVER).then(|| f64::from_bits(bits))
    }

    /// When its time is up, on the clock that only goes forward.
    pub(crate) fn deadline(&self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "milliseconds")]
        (self.limits.wall_ms != NO_LIMIT).then(|| self.started().map(|started| started + self.limits.wall_ms as f64))?
    }

    /// All it was made under, without itself, nearest first.
    pub(crate) fn above(&self) -> Vec<&Shared> {
        let mut found = Vec::new();
        let mut next: &[Arc<Shared>] = &self.parents;
        // As a rule there is one.
        while let [only] = next {
            found.push(only.as_ref());
            next = &only.parents;
        }
        // The deepest first, so that each is met once.
        let ranked = |shared: &'_ Arc<Shared>| (shared.depth, shared.number);
        let mut work: BTreeMap<(u32, u64), &Shared> = next.iter().map(|parent| (ranked(parent), parent.as_ref())).collect();
        while let Some((_, parent)) = work.pop_last() {
            found.push(parent);
            work.extend(parent.parents.iter().map(|parent| (ranked(parent), parent.as_ref())));
        }
        found
    }

    /// Takes note that a call was denied to it.
    pub(crate) fn note_denied(&self) {
        if self.denied.swap(true, Ordering::Relaxed) {
            return;
        }
        for above in self.above() {
            above.denied.store(true, Ordering::Relaxed);
        }
    }

    /// Was a call denied to it or to one made under it?
    pub(crate) fn was_denied(&self) -> bool {
        self.denied.load(Ordering::Relaxed)
    }

    /// Takes note that it has rows in the recorder.
    pub(crate) fn note_logged(&self) {
        self.logged.store(true, Ordering::Relaxed);
    }
}

impl Drop for Shared {
    /// Its rows go to whom it was made under.
    fn drop(&mut self) {
        let heir = if *self.logged.get_mut() { self.parents.first() } else { None };
        self.records.gone(self.number, heir);
    }
}
