//! What the running kernel has of the wall: tried on a thread that then ends.

use crate::calls::interpreter;
use crate::{Extent, Needs, Report, Rules, raise};

/// What there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// What a wall that lets nothing through would hold.
    pub wall: Report,
    /// `openat2`: paths are resolved below a directory by the kernel itself.
    pub openat2: bool,
    /// Handles of processes: a child is waited for and ended without a race on its number.
    pub pidfd: bool,
}

impl Kernel {
    /// Tries it.
    #[must_use]
    pub fn running() -> Kernel {
        let openat2 = rustix::fs::openat2(
            rustix::fs::CWD,
            ".",
            rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
            rustix::fs::ResolveFlags::BENEATH,
        );
        let pidfd = rustix::process::pidfd_open(rustix::process::getpid(), rustix::process::PidfdFlags::empty());
        let tried = std::thread::spawn(|| raise(Rules::default(), &interpreter(&Needs::default()), Extent::Thread)).join();
        let wall = tried.unwrap_or_else(|_| {
            let mut report = Report::default();
            report.gap("nothing of the wall could be tried", "the thread that tried it broke");
            report
        });
        Kernel { wall, openat2: openat2.is_ok(), pidfd: pidfd.is_ok() }
    }
}
