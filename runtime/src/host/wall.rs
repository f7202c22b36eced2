//! Raising the second wall around a run: from what the operator granted to what the kernel lets through.
//!
//! A [`Plan`] is made from the same open handles that the root sandbox gets, before it gets them, and raised when everything else is open:
//! after that nothing outside it can be opened any more, by anybody in this process.

use super::Folder;
use ilu_pol::net::{self as pol, Rule};
use ilu_sbx::{Access, Grants, Opened};
use ilu_wall::files::Place;
use ilu_wall::needs::Granted;
use ilu_wall::{Needs, Ports, Rules, Use, calls};
use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;

pub use ilu_wall::files::PROMISES;
pub use ilu_wall::policy::LOST as CALLS_LOST;
pub use ilu_wall::process::{MAX_DESCRIPTORS, POWERS_LOST, PRIVILEGES_LOST};
pub use ilu_wall::{Extent, Gap, Kernel, Report};

/// Files that the C library reads to learn the addresses of a name. Where one is a link to a file elsewhere, that file is meant.
const RESOLVER: [&str; 7] =
    ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/localtime"];

/// A range of more ports than this is let through as all of them: each is a rule of Landlock's.
const MANY_PORTS: u16 = 256;

/// The kernel's own name of its version.
#[must_use]
pub fn kernel_release() -> String {
    let told = rustix::system::uname();
    told.release().to_string_lossy().into_owned()
}

/// Descriptors that were open when the process began, beside its three streams.
static INHERITED: OnceLock<Vec<i32>> = OnceLock::new();

/// Takes note of what whoever started the process left open for it. A flag may name one of them (`/dev/fd/63`), so they stay until the wall of the
/// process is raised; after that nothing but the grants is to be open. A program that embeds ilu has its own, and does not call this.
pub fn note_inherited() {
    let _ = INHERITED.set(open_descriptors().into_iter().filter(|number| *number > 2).collect());
}

fn open_descriptors() -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return Vec::new() };
    let numbers: Vec<i32> = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    // The directory that was just read is among them and closed already.
    numbers.into_iter().filter(|number| std::fs::read_link(format!("/proc/self/fd/{number}")).is_ok()).collect()
}

fn close_inherited() {
    for number in INHERITED.get().into_iter().flatten() {
        let _ = nix::unistd::close(*number);
    }
}

/// Is this process root's? Some bounds of the kernel's are none for root.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What the wall of one run lets through.
#[derive(Debug)]
pub struct Plan {
    needs: Needs,
    places: Vec<(OwnedFd, bool, Use)>,
    connect: Ports,
    listen: Ports,
    open: Option<&'static str>,
}

impl Plan {
    /// For a run with these grants, whose program reads its own modules from this folder.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn new(grants: &Grants, folder: Option<&Folder>) -> io::Result<Plan> {
        let granted = Granted {
            read: grants.mounts.iter().any(|mount| mount.access.reads()),
            write: grants.mounts.iter().any(|mount| mount.access.writes()),
            net: !grants.net.is_empty(),
            program: !grants.programs.is_empty(),
        };
        let mut plan =
            Plan { needs: Needs::of(grants.caps, granted), places: Vec::new(), connect: Ports::None, listen: Ports::None, open: None };
        plan.ports(&grants.net);
        for mount in &grants.mounts {
            plan.mount(&mount.opened, mount.access)?;
        }
        if let Some(folder) = folder {
            plan.needs = plan.needs.with(ilu_cap::Kernel::OpenRead);
            plan.places.push((folder.dir.as_fd().try_clone_to_owned()?, true, Use::READ));
        }
        if plan.needs.has(ilu_cap::Kernel::Resolve) {
            for path in RESOLVER {
                // One that is not there is not read either.
                if let Ok(file) = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
                    plan.places.push((file, false, Use::READ));
                }
            }
        }
        Ok(plan)
    }

    /// The ports of the rules that allow something. Whom they allow it to is the doorway's: Landlock knows ports, not addresses.
    fn ports(&mut self, rules: &[String]) {
        let mut ports = Vec::new();
        for rule in rules {
            match Rule::from_text(rule).map(|rule| (rule.allow, rule.ports)) {
                Ok((false, _)) => {}
                Ok((true, pol::Ports::Web)) => ports.extend([443, 80]),
                Ok((true, pol::Ports::Range(from, to))) if to - from < MANY_PORTS => ports.extend(from..=to),
                // A rule that can't be read is refused where the rules are put in force.
                Ok((true, pol::Ports::Range(..))) | Err(_) => {
                    (self.connect, self.listen) = (Ports::All, Ports::All);
                    return;
                }
            }
        }
        if self.needs.has(ilu_cap::Kernel::Listen) {
            self.listen = Ports::These(ports.clone());
        }
        if self.needs.has(ilu_cap::Kernel::Resolve) {
            // A name server's answer that is too long for a datagram.
            ports.push(53);
        }
        if self.needs.has(ilu_cap::Kernel::Connect) || self.needs.has(ilu_cap::Kernel::Resolve) {
            self.connect = Ports::These(ports);
        }
    }

    fn mount(&mut self, opened: &Opened, access: Access) -> io::Result<()> {
        use ilu_cap::Kernel as Need;
        let for_use = Use {
            read: access.reads() && self.needs.has(Need::OpenRead),
            write: access.writes() && self.needs.has(Need::OpenWrite),
            change: access.writes() && self.needs.has(Need::ChangeNames),
            execute: false,
        };
        match opened {
            Opened::Dir(dir) => self.places.push((dir.as_fd().try_clone_to_owned()?, true, for_use)),
            Opened::File { parent, name } => {
                // Gone since it was granted: then there is nothing to let through.
                if let Ok(file) =
                    rustix::fs::openat(parent, name.as_str(), OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
                {
                    self.places.push((file, false, for_use));
                }
            }
        }
        Ok(())
    }

    /// The operator is asked while the script runs, and may grant any file or connection then: those are held back by the doorway alone.
    #[must_use]
    pub fn asking(mut self) -> Plan {
        use ilu_cap::Kernel as Need;
        self.open = Some("with --ask, more files and connections can be granted while the script runs");
        let any = [Need::OpenRead, Need::OpenWrite, Need::ChangeNames, Need::Resolve, Need::Connect, Need::Listen];
        self.needs = any.into_iter().fold(self.needs.with_terminal(), Needs::with);
        (self.connect, self.listen) = (Ports::All, Ports::All);
        self
    }

    /// The operator types what runs, and may grant more between two inputs: files and connections are held back by the doorway alone. Programs
    /// are not: which there are is settled at the start.
    #[must_use]
    pub fn session(mut self) -> Plan {
        use ilu_cap::Kernel as Need;
        self.open = Some("in a session more files can be granted at any time");
        let needs = [
            Need::OpenRead,
            Need::OpenWrite,
            Need::ChangeNames,
            Need::Resolve,
            Need::Connect,
            Need::Listen,
            Need::Threads,
            Need::Sleep,
            Need::Random,
        ];
        self.needs = needs.into_iter().fold(self.needs.with_editor(), Needs::with);
        (self.connect, self.listen) = (Ports::All, Ports::All);
        self
    }

    /// The folder of another script, or a file that grants are read from, is read too.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn also_reads(&mut self, folder: &Folder) -> io::Result<()> {
        self.needs = std::mem::take(&mut self.needs).with(ilu_cap::Kernel::OpenRead);
        self.places.push((folder.dir.as_fd().try_clone_to_owned()?, true, Use::READ));
        Ok(())
    }

    /// A file of the operator's that is read again while the wall stands. One that is not there is not read.
    pub fn also_reads_file(&mut self, path: &str) {
        if let Ok(file) = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
            self.needs = std::mem::take(&mut self.needs).with(ilu_cap::Kernel::OpenRead);
            self.places.push((file, false, Use::READ));
        }
    }

    /// What was granted is opened by its path again and again while the wall stands: for runs one after the other in one process.
    #[must_use]
    pub fn reopening(mut self) -> Plan {
        self.needs = self.needs.with(ilu_cap::Kernel::OpenRead).with_terminal();
        self
    }

    /// Raises it. There is no way back.
    #[must_use]
    pub fn raise(&self, extent: Extent) -> Report {
        if extent == Extent::Process {
            close_inherited();
        }
        let mut places = Vec::with_capacity(self.places.len());
        for (handle, is_dir, for_use) in &self.places {
            places.push(Place { handle: handle.as_fd(), is_dir: *is_dir, for_use: *for_use });
        }
        let rules = Rules { open: self.open, places, connect: self.connect.clone(), listen: self.listen.clone() };
        ilu_wall::raise(rules, &calls::interpreter(&self.needs), extent)
    }
}
