//! Channels: values on their way, in order, and who waits for them.
//!
//! A channel has room for so many values; with room for none a value is put in only when somebody waits to take one. Who can't go on
//! leaves a key in the channel and is woken when it can; it then tries again, and may be too late.

use super::lock;
use super::parcel::Parcel;
use super::seat::Seat;
use ilu_sbx::Sandbox;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

/// Most values that a channel has room for.
pub(crate) const MAX_CAPACITY: usize = 1 << 20;

/// A channel.
#[derive(Debug)]
pub struct Channel {
    capacity: usize,
    /// The sandbox that made it.
    owner: Sandbox,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Parcel>,
    takers: BTreeMap<u64, Arc<Seat>>,
    givers: BTreeMap<u64, Arc<Seat>>,
    next: u64,
    closed: bool,
}

/// What came of taking a value.
#[derive(Debug)]
pub(crate) enum Took {
    /// A value.
    Value(Parcel),
    /// It is closed and empty.
    Closed,
    /// Nothing is there; who wanted it is to wait under this key.
    Wait(u64),
}

/// What came of putting a value in.
#[derive(Debug)]
pub(crate) enum Sent {
    /// It is in.
    Done,
    /// It is closed.
    Closed,
    /// There is no room; who wanted it is to wait under this key, with the value.
    Wait(u64, Parcel),
}

impl State {
    fn key(&mut self, keys: impl FnOnce(&mut Self) -> &mut BTreeMap<u64, Arc<Seat>>, seat: &Arc<Seat>) -> u64 {
        self.next += 1;
        let key = self.next;
        keys(self).insert(key, Arc::clone(seat));
        key
    }
    fn has_room(&self, capacity: usize) -> bool {
        self.queue.len() < capacity.saturating_add(self.takers.len())
    }
}

impl Channel {
    /// An empty channel.
    pub(crate) fn new(capacity: usize, owner: Sandbox) -> Arc<Self> {
        Arc::new(Self { capacity, owner, state: Mutex::default() })
    }

    /// The sandbox that made it.
    pub(crate) const fn owner(&self) -> &Sandbox {
        &self.owner
    }

    /// Takes a value. Whoever waited under `key` no longer does.
    pub(crate) fn take(&self, seat: &Arc<Seat>, key: Option<u64>) -> Took {
        let mut state = lock(&self.state);
        if let Some(key) = key {
            state.takers.remove(&key);
        }
        let took = match state.queue.pop_front() {
            Some(parcel) => Took::Value(parcel),
            None if state.closed => return Took::Closed,
            None => Took::Wait(state.key(|state| &mut state.takers, seat)),
        };
        // Now there is room for one more: what was taken is gone, or somebody waits for what comes.
        let giver = if state.has_room(self.capacity) { state.givers.pop_first() } else { None };
        drop(state);
        if let Some((_, giver)) = giver {
            giver.wake();
        }
        took
    }

    /// Puts a value in. Whoever waited under `key` no longer does.
    pub(crate) fn give(&self, parcel: Parcel, seat: &Arc<Seat>, key: Option<u64>) -> Sent {
        let mut state = lock(&self.state);
        if let Some(key) = key {
            state.givers.remove(&key);
        }
        if state.closed {
            return Sent::Closed;
        }
        if !state.has_room(self.capacity) {
            let key = state.key(|state| &mut state.givers, seat);
            return Sent::Wait(key, parcel);
        }
        state.queue.push_back(parcel);
        let taker = state.takers.pop_first();
        drop(state);
        if let Some((_, taker)) = taker {
            taker.wake();
        }
        Sent::Done
    }

    /// Nobody waits under this key any more, to take (else to give). If it was woken, another goes on in its place.
    pub(crate) fn leave(&self, key: u64, takes: bool) {
        let mut state = lock(&self.state);
        let was_there = if takes { state.takers.remove(&key) } else { state.givers.remove(&key) };
        let next = match (was_there, takes) {
            (Some(_), _) => None,
            (None, true) if !state.queue.is_empty() => state.takers.pop_first(),
            (None, false) if state.has_room(self.capacity) => state.givers.pop_first(),
            _ => None,
        };
        drop(state);
        if let Some((_, next)) = next {
            next.wake();
        }
    }

    /// Closes it: nothing more can be put in; what is in can be taken. Doing it again changes nothing.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let waiting: Vec<_> =
            std::mem::take(&mut state.takers).into_values().chain(std::mem::take(&mut state.givers).into_values()).collect();
        drop(state);
        waiting.iter().for_each(|seat| seat.wake());
    }

    /// The run is over: what is in it goes.
    pub(crate) fn empty(&self) {
        let state = std::mem::take(&mut *lock(&self.state));
        drop(state);
    }
}
