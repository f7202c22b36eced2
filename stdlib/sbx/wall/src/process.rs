//! What a process can give up about itself without any filter.

use crate::{Extent, Report};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::CapabilitySet;

/// Descriptors of a process that runs scripts: what the budgets of handles and of directories allow together is below it.
pub const MAX_DESCRIPTORS: u64 = 4096;

/// What does not hold without `no_new_privs`.
pub const PRIVILEGES_LOST: &str = "a program could be given privileges that the process has not";

/// No new privileges; and for the whole process: no core dumps, nobody of the same user looks into its memory, few resources.
pub fn harden(extent: Extent, report: &mut Report) {
    harden_keeping(extent, KEPT, report);
}

/// The same for a process that keeps other powers of root's.
pub fn harden_keeping(extent: Extent, kept: CapabilitySet, report: &mut Report) {
    if let Err(error) = rustix::thread::set_no_new_privs(true) {
        report.gap(PRIVILEGES_LOST, format!("no_new_privs: {error}"));
    }
    // The rest belongs to the process: an embedder that walls one thread in keeps its own.
    if extent == Extent::Thread {
        return;
    }
    disown(kept, report);
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        report.gap("other processes of the user can look into this one's memory", error.to_string());
    }
    for (resource, most) in [(Resource::Core, 0), (Resource::Msgqueue, 0), (Resource::Nofile, MAX_DESCRIPTORS)] {
        if let Err(error) = lower(resource, most) {
            report.gap("a resource of the process has no bound", format!("{resource:?}: {error}"));
        }
    }
}

/// What root keeps of its powers in a process that runs scripts: to use files as it could before, and to listen where it was granted.
const KEPT: CapabilitySet =
    CapabilitySet::DAC_OVERRIDE.union(CapabilitySet::DAC_READ_SEARCH).union(CapabilitySet::FOWNER).union(CapabilitySet::NET_BIND_SERVICE);

/// What it keeps in a program: to use files, to give them away, and to become somebody else.
pub const KEPT_BY_PROGRAMS: CapabilitySet = CapabilitySet::DAC_OVERRIDE
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::CHOWN)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETGID);

/// What does not hold when they can't be given up.
pub const POWERS_LOST: &str = "a process of root's keeps powers over the machine";

/// Gives up all powers of root's but these, for good: with `no_new_privs` no program gives them back.
pub fn disown(kept: CapabilitySet, report: &mut Report) {
    let given_up = rustix::thread::capabilities(None).and_then(|mut sets| {
        sets.effective &= kept;
        sets.permitted &= kept;
        sets.inheritable = CapabilitySet::empty();
        rustix::thread::set_capabilities(None, sets)
    });
    if let Err(error) = given_up {
        report.gap(POWERS_LOST, error.to_string());
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
