//! A bound of the kernel's on how many processes there are, where the user's own bound is none: for root.
//!
//! It is a control group with a number of processes, into which the warden goes before it starts anything, so that every program and all it starts are
//! counted together. One group for all, not one for each program: to move a process into a group takes the kernel some ten milliseconds, and what
//! is started by who is inside costs nothing. Where no such group can be made there is none, and `ilu doctor` says so.

use ilu_wall::Use;
use rustix::fs::{AtFlags, Mode, OFlags};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Processes and threads of all programs of a run, and the warden.
pub(super) const MAX_TOGETHER: u64 = 1024;

/// A group of the warden's own.
pub(super) struct Crowd {
    /// The directory it lies in.
    parent: OwnedFd,
    name: String,
    /// What a process writes to so as to be in it, and to be where it was before.
    inside: File,
    outside: File,
}

impl Crowd {
    /// Makes one, if this is root and the system lets it. Nobody is in it yet.
    pub(super) fn make() -> Option<Crowd> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        places().into_iter().find_map(|place| Crowd::make_in(&place))
    }

    fn make_in(place: &PathBuf) -> Option<Crowd> {
        let open =
            |dir: &OwnedFd, path: &str| rustix::fs::openat(dir, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()).map(File::from);
        let parent = rustix::fs::open(place, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let name = format!("ilu-{}", std::process::id());
        rustix::fs::mkdirat(&parent, &name, Mode::from_raw_mode(0o755)).ok()?;
        // Without that controller there is no such file.
        let bounded = open(&parent, &format!("{name}/pids.max")).map(|mut max| max.write_all(MAX_TOGETHER.to_string().as_bytes()).is_ok());
        let streams = (open(&parent, &format!("{name}/cgroup.procs")), open(&parent, "cgroup.procs"));
        match (bounded, streams) {
            (Ok(true), (Ok(inside), Ok(outside))) => Some(Crowd { parent, name, inside, outside }),
            _ => {
                let _ = rustix::fs::unlinkat(&parent, &name, AtFlags::REMOVEDIR);
                None
            }
        }
    }

    /// What a wall has to let through so that the group can be removed.
    pub(super) fn place(&self) -> (BorrowedFd<'_>, Use) {
        (self.parent.as_fd(), Use { read: false, write: false, change: true, execute: false })
    }

    /// Goes into it; everything that is started from now on is in it.
    pub(super) fn enter(&mut self) {
        let _ = self.inside.write_all(b"0");
    }

    /// Leaves it and removes it, as soon as what was ended in it is gone.
    pub(super) fn leave(mut self) {
        let _ = self.outside.write_all(b"0");
        let end = Instant::now() + Duration::from_secs(1);
        while rustix::fs::unlinkat(&self.parent, &self.name, AtFlags::REMOVEDIR).is_err() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Where groups of this process's own may be made: below its own, or beside it.
fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    for line in std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default().lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let below = path.trim_start_matches('/');
        if controllers.split(',').any(|one| one == "pids") {
            places.push(PathBuf::from("/sys/fs/cgroup/pids").join(below));
        } else if controllers.is_empty() {
            let own = PathBuf::from("/sys/fs/cgroup").join(below);
            places.extend(own.parent().filter(|_| !below.is_empty()).map(PathBuf::from));
            places.push(own);
        }
    }
    places
}

/// Can one be made here?
pub(super) fn is_there() -> bool {
    let made = Crowd::make();
    let is = made.is_some();
    if let Some(crowd) = made {
        crowd.leave();
    }
    is
}
