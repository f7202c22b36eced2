//! Tasks and channels: isolates that run side by side, and what they hand each other.
//!
//! ```text
//! spawn(f) ─ pack ─► Parcel ─ crew ─► a worker: Vm::for_task ─ unpack ─ go … wait … go ─► result ─ pack ─► Job ─► wait(t)
//! ```
//!
//! A task is an isolate: its own heap, VM and realm, on whatever thread has time for it. No value is ever seen by two isolates; what
//! crosses is copied into a [`Parcel`], which is plain data, and out of it again. A VM that can't go on (an empty channel, a task
//! that is not done, a clock) gives its state back as it is and is *parked* at its [`Seat`]; whoever makes it able to go on wakes it.
//! Nothing here decides what is allowed: every use of a task or channel went through the doorway before.

mod channel;
mod crew;
mod job;
mod pack;
mod parcel;
mod seat;
mod stoppable;
mod unpack;

#[cfg(test)]
mod tests;

pub use channel::Channel;
pub(crate) use channel::{MAX_CAPACITY, Sent, Took};
pub(crate) use crew::Crew;
pub use crew::Failure;
pub use job::Job;
pub(crate) use job::Settled;
pub(crate) use pack::{Refused, pack};
pub(crate) use parcel::Parcel;
pub(crate) use seat::{Seat, Spot, WaitsFor};
pub(crate) use stoppable::Stoppable;
pub(crate) use unpack::unpack;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a panic left behind is looked at all the same: each of these is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
