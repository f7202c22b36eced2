//! A task as others see it: whether it is done, and what came of it.

use super::lock;
use super::parcel::Parcel;
use super::seat::{Seat, Spot};
use ilu_sbx::{Denial, Sandbox};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A task.
#[derive(Debug)]
pub struct Job {
    /// Where it waits.
    pub(crate) seat: Arc<Seat>,
    /// The sandbox that started it.
    owner: Sandbox,
    /// Where it was started.
    started: Spot,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    settled: Option<Arc<Settled>>,
    waiting: BTreeMap<u64, Arc<Seat>>,
    next: u64,
    /// Somebody has seen how it ended.
    seen: bool,
}

/// What came of a task.
#[derive(Debug)]
pub(crate) struct Settled {
    /// Its value, or what it raised.
    pub parcel: Parcel,
    /// Whether it failed.
    pub failed: bool,
    /// The denial that it failed with.
    pub denial: Option<Box<Denial>>,
}

impl Job {
    /// A task that is about to begin.
    pub(crate) fn new(seat: Arc<Seat>, owner: Sandbox, started: Spot) -> Arc<Self> {
        Arc::new(Self { seat, owner, started, state: Mutex::default() })
    }

    /// The sandbox that started it.
    pub(crate) const fn owner(&self) -> &Sandbox {
        &self.owner
    }

    /// Where it was started.
    pub(crate) const fn started(&self) -> &Spot {
        &self.started
    }

    /// What came of it; while nothing has, the key under which the seat is woken. Whoever waited under `key` no longer does.
    pub(crate) fn settled(&self, seat: &Arc<Seat>, key: Option<u64>) -> Result<Arc<Settled>, u64> {
        let mut state = lock(&self.state);
        if let Some(key) = key {
            state.waiting.remove(&key);
        }
        if let Some(settled) = state.settled.clone() {
            state.seen = true;
            return Ok(settled);
        }
        state.next += 1;
        let key = state.next;
        state.waiting.insert(key, Arc::clone(seat));
        Err(key)
    }

    /// Nobody waits under this key any more.
    pub(crate) fn leave(&self, key: u64) {
        lock(&self.state).waiting.remove(&key);
    }

    /// It is done.
    pub(crate) fn settle(&self, settled: Settled) {
        let mut state = lock(&self.state);
        state.settled.get_or_insert(Arc::new(settled));
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.values().for_each(|seat| seat.wake());
    }

    /// Whether it failed and nobody has seen that.
    pub(crate) fn failed_unseen(&self) -> bool {
        let state = lock(&self.state);
        !state.seen && state.settled.as_ref().is_some_and(|settled| settled.failed)
    }

    /// The run is over: what came of it goes.
    pub(crate) fn empty(&self) {
        let settled = lock(&self.state).settled.take();
        drop(settled);
    }
}
