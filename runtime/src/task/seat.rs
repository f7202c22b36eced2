//! Where a task waits.
//!
//! One seat per isolate. It is *parked* when its VM has given its state back and nothing but a wake-up can make it go on; a wake-up that
//! comes before that is remembered, so none is lost.

use super::lock;
use ilu_lang::source::Source;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;

/// What an isolate waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitsFor {
    /// A value in a channel.
    Value,
    /// Room in a channel.
    Room,
    /// The end of a task.
    Task(u32),
    /// Time.
    Time,
}

/// A place in a source.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    /// The source.
    pub source: Arc<Source>,
    /// Where in it.
    pub start: u32,
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.source.name, self.source.line_number(self.start))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parked {
    /// It runs, or is about to.
    No,
    /// A clock will wake it.
    ForTime,
    /// Only others can.
    ForOthers,
}

/// A place to wait at.
#[derive(Debug)]
pub(crate) struct Seat {
    /// The isolate's number in the run; the script itself is 0.
    pub number: u32,
    /// Isolates that others need not wake: shared by all seats of a run.
    awake: Arc<AtomicUsize>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waker: Option<Waker>,
    parked: Parked,
    /// A wake-up came while it was not parked.
    woken: bool,
    waits: Option<(WaitsFor, Spot)>,
    /// All wait for each other: what its wait ends with.
    deadlock: Option<String>,
}

impl Seat {
    /// A seat; its isolate counts as awake.
    pub fn new(number: u32, awake: Arc<AtomicUsize>) -> Arc<Self> {
        awake.fetch_add(1, Ordering::SeqCst);
        let state = State { waker: None, parked: Parked::No, woken: false, waits: None, deadlock: None };
        Arc::new(Self { number, awake, state: Mutex::new(state) })
    }

    /// How to get the isolate run again.
    pub fn set_waker(&self, waker: &Waker) {
        let mut state = lock(&self.state);
        match &state.waker {
            Some(known) if known.will_wake(waker) => {}
            _ => state.waker = Some(waker.clone()),
        }
    }

    /// Parks, unless a wake-up has come: then false. `timed`: a clock will wake it if nobody else does.
    pub fn park(&self, timed: bool, waits: (WaitsFor, Spot)) -> bool {
        let mut state = lock(&self.state);
        if std::mem::take(&mut state.woken) {
            return false;
        }
        state.waits = Some(waits);
        state.parked = if timed { Parked::ForTime } else { Parked::ForOthers };
        if !timed {
            self.awake.fetch_sub(1, Ordering::SeqCst);
        }
        true
    }

    /// Lets the isolate go on.
    pub fn wake(&self) {
        let waker = {
            let mut state = lock(&self.state);
            match state.parked {
                Parked::No => {
                    state.woken = true;
                    return;
                }
                Parked::ForTime => {}
                Parked::ForOthers => {
                    self.awake.fetch_add(1, Ordering::SeqCst);
                }
            }
            state.parked = Parked::No;
            state.waker.clone()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Tells it that all wait for each other.
    pub fn tell_deadlock(&self, text: String) {
        lock(&self.state).deadlock = Some(text);
        self.wake();
    }

    /// What it was told of a deadlock.
    pub fn take_deadlock(&self) -> Option<String> {
        lock(&self.state).deadlock.take()
    }

    /// What it waits for, when nothing but others can end that.
    pub fn stuck(&self) -> Option<(WaitsFor, Spot)> {
        let state = lock(&self.state);
        if state.parked == Parked::ForOthers { state.waits.clone() } else { None }
    }

    /// Whether it is parked.
    pub fn is_parked(&self) -> bool {
        lock(&self.state).parked != Parked::No
    }

    /// Its isolate is no more.
    pub fn leave(&self) {
        self.awake.fetch_sub(1, Ordering::SeqCst);
    }
}
