//! Why a call ended without a result.

use crate::denial::Denial;
use crate::ids::SbxId;
use crate::limits::Budget;

/// Why a call ended without a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// It was not allowed: an error that scripts can catch, marked as a denial.
    Denied(Box<Denial>),
    /// It was allowed and failed, or its arguments were wrong: an error that scripts can catch, with this text.
    Failed(String),
    /// A budget of a sandbox ran out: ends that sandbox at its boundary.
    Limit {
        /// Which.
        budget: Budget,
        /// Whose.
        of: SbxId,
    },
    /// The caller's heap must have this many bytes free. Nothing has happened yet: the VM collects and calls again, and when that
    /// does not help it is the memory limit.
    Room(u64),
    /// The operator interrupted the run.
    Interrupted,
}

impl Stop {
    /// An ordinary failure.
    pub fn failed(text: impl Into<String>) -> Stop {
        Stop::Failed(text.into())
    }
}
