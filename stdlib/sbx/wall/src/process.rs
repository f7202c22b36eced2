//! What a process can give up about itself without any filter.

use crate::{Extent, Report};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Descriptors of a process that runs scripts: what the budgets of handles and of directories allow together is below it.
pub const MAX_DESCRIPTORS: u64 = 4096;

/// What does not hold without `no_new_privs`.
pub const PRIVILEGES_LOST: &str = "a program could be given privileges that the process has not";

/// No new privileges; and for the whole process: no core dumps, nobody of the same user looks into its memory, few resources.
pub fn harden(extent: Extent, report: &mut Report) {
    if let Err(error) = rustix::thread::set_no_new_privs(true) {
        report.gap(PRIVILEGES_LOST, format!("no_new_privs: {error}"));
    }
    // The rest belongs to the process: an embedder that walls one thread in keeps its own.
    if extent == Extent::Thread {
        return;
    }
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        report.gap("other processes of the user can look into this one's memory", error.to_string());
    }
    for (resource, most) in [(Resource::Core, 0), (Resource::Msgqueue, 0), (Resource::Nofile, MAX_DESCRIPTORS)] {
        if let Err(error) = lower(resource, most) {
            report.gap("a resource of the process has no bound", format!("{resource:?}: {error}"));
        }
    }
}

/// Lowers a limit, for good. One that is lower already stays.
///
/// # Errors
/// What the system says.
pub fn lower(resource: Resource, most: u64) -> rustix::io::Result<()> {
    let now = getrlimit(resource);
    let least = |now: Option<u64>| Some(now.map_or(most, |now| now.min(most)));
    setrlimit(resource, Rlimit { current: least(now.current), maximum: least(now.maximum) })
}
