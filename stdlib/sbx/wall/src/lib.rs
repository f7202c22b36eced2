//! The second wall: what the kernel holds a process to, whatever the interpreter in it does.
//!
//! The first wall is the doorway: a script reaches nothing but through natives that ask. This one is for the case that the doorway, the
//! interpreter or a library under it has a fault. Before the first instruction of a script the process gives up, for good, all that the
//! grants of the root sandbox can never need:
//!
//! - [`files`]: Landlock. Files are opened below the granted directories only, with the granted access; TCP ports that no rule names are
//!   shut; signals and abstract sockets end at the wall.
//! - [`calls`] and [`child`]: seccomp. A table says which system calls there are and with which arguments; what honest work needs is
//!   derived from the registry's column of kernel needs ([`needs`]). [`policy`] is the table's form, [`bpf`] compiles it.
//! - [`process`]: no new privileges, no core dumps, not to be looked into, few resources.
//!
//! Nothing here decides what a script may do, opens a path or starts a process: what is let through comes in as open handles. What the
//! kernel lacks is said in the [`Report`], never passed over. The wall stands around threads, and threads share their memory: it stops
//! a fault from becoming an escape from the process, and is no boundary between two scripts of one process.
#![forbid(unsafe_code)]

pub mod bpf;
pub mod calls;
pub mod child;
pub mod files;
pub mod kernel;
pub mod needs;
pub mod policy;
pub mod process;

use std::borrow::Cow;

pub use files::{Ports, Rules, Use};
pub use kernel::Kernel;
pub use needs::Needs;
pub use policy::{Answer, Policy};

/// Which threads are to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The calling one, and those it starts from now on.
    Thread,
    /// All of the process. Landlock takes the calling thread only, so there should be no other yet.
    Process,
}

/// A promise that is not kept here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What does not hold.
    pub lost: Cow<'static, str>,
    /// Why.
    pub why: String,
}

/// What stands after a wall was raised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The Landlock ABI in force.
    pub landlock: Option<u32>,
    /// Is the filter of system calls in force?
    pub seccomp: bool,
    /// What was to hold and does not.
    pub gaps: Vec<Gap>,
    /// The kernel has what was asked for, and yet it could not be raised: walls of Landlock's stand around this process up to their number, say.
    /// Nothing is to be run then, however little was required.
    pub broken: bool,
}

impl Report {
    fn gap(&mut self, lost: &'static str, why: impl Into<String>) {
        self.gaps.push(Gap { lost: Cow::Borrowed(lost), why: why.into() });
    }

    /// Takes over what another wall of the same run lacks, once.
    pub fn join(&mut self, other: Report) {
        self.broken |= other.broken;
        for gap in other.gaps {
            if !self.gaps.iter().any(|known| known.lost == gap.lost) {
                self.gaps.push(gap);
            }
        }
    }
}

/// Raises the wall around the calling thread, or the process. There is no way back.
#[must_use]
pub fn raise(rules: Rules<'_>, policy: &Policy, extent: Extent) -> Report {
    let mut report = Report::default();
    process::harden(extent, &mut report);
    files::enclose(rules, &mut report);
    // Last: raising the rest takes calls that the filter does not let through.
    policy::enclose(policy, extent, &mut report);
    report
}
