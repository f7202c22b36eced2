//! Landlock: which files a process can open, which TCP ports it can use, whom it can signal.
//!
//! A rule is an open handle and what may be done below it: the place is what the handle is of, whatever becomes of its name. Directories
//! that were opened before count like any others, so each that is to be used needs its rule. Landlock does not see everything: looking at
//! a name without opening it (`stat`, `readlink`, `chdir`) and changing modes and times pass; so do UDP and files that are open already.

use crate::Report;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort, PathBeneath, RestrictionStatus, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, make_bitflags,
};
use std::os::fd::BorrowedFd;

/// The newest Landlock that was looked at: what it can hold is held where the kernel has it.
const KNOWN: ABI = ABI::V9;

/// What may be done at a place and below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Read files, list directories.
    pub read: bool,
    /// Write files, make new ones, replace them.
    pub write: bool,
    /// Make, remove and move any name.
    pub change: bool,
    /// Start programs.
    pub execute: bool,
}

impl Use {
    /// Looking only.
    pub const READ: Use = Use { read: true, write: false, change: false, execute: false };
    /// Looking, and starting what is there.
    pub const EXECUTE: Use = Use { read: true, write: false, change: false, execute: true };

    fn access(self, is_dir: bool) -> BitFlags<AccessFs> {
        let mut access = BitFlags::EMPTY;
        if self.read {
            access |= make_bitflags!(AccessFs::{ReadFile | ReadDir});
        }
        if self.write {
            // The directory itself is opened to make a file in it.
            access |= make_bitflags!(AccessFs::{ReadDir | WriteFile | Truncate | MakeReg | RemoveFile});
        }
        if self.change {
            access |= make_bitflags!(AccessFs::{ReadDir | RemoveDir | RemoveFile | MakeDir | MakeReg | MakeSym | Refer});
        }
        if self.execute {
            access |= AccessFs::Execute;
        }
        if is_dir { access } else { access & AccessFs::from_file(KNOWN) }
    }
}

/// TCP ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ports {
    /// None.
    #[default]
    None,
    /// These.
    These(Vec<u16>),
    /// Any.
    All,
}

/// A place and what may be done there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'f> {
    /// What it is.
    pub handle: BorrowedFd<'f>,
    /// Is it a directory?
    pub is_dir: bool,
    /// What may be done.
    pub for_use: Use,
}

/// What is let through.
#[derive(Clone, Debug, Default)]
pub struct Rules<'f> {
    /// Why files are not held back at all, when they are not.
    pub open: Option<&'static str>,
    /// Files and directories.
    pub places: Vec<Place<'f>>,
    /// Ports that may be connected to.
    pub connect: Ports,
    /// Ports that may be listened on.
    pub listen: Ports,
}

/// A promise that Landlock keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The first ABI that keeps it.
    pub abi: u32,
    /// The first kernel that has this ABI.
    pub linux: &'static str,
    /// What holds with it.
    pub kept: &'static str,
    /// What holds no more without it.
    pub lost: &'static str,
    /// Is it about files?
    pub of_files: bool,
}

const fn promise(abi: u32, linux: &'static str, kept: &'static str, lost: &'static str) -> Promise {
    Promise { abi, linux, kept, lost, of_files: matches!(abi, 1 | 3 | 5) }
}

/// All of them, by ABI.
pub const PROMISES: [Promise; 5] = [
    promise(
        1,
        "5.13",
        "files outside the grants can't be opened, listed, made or removed",
        "files outside the grants are kept by the doorway alone",
    ),
    promise(3, "6.2", "files outside the grants can't be cut short", "a file outside the grants can be cut short"),
    promise(4, "6.7", "TCP ports that no rule names are shut", "TCP ports are kept by the doorway and the filter of system calls alone"),
    promise(5, "6.10", "devices opened from now on take no commands", "device files can be controlled"),
    promise(
        6,
        "6.12",
        "no signal and no abstract socket goes to a process outside",
        "signals to other processes and abstract sockets are not held back",
    ),
];

/// Puts the rules in force for the calling thread and those it starts.
pub fn enclose(rules: Rules<'_>, report: &mut Report) {
    let open = rules.open;
    match restrict(rules) {
        Ok(status) => tell(&status, open, report),
        Err(error) => {
            // What the kernel has not is passed over in there: this is something else.
            report.broken = true;
            PROMISES.iter().for_each(|promise| report.gap(promise.lost, format!("Landlock could not be raised: {}", cause(&error))));
        }
    }
}

/// The innermost reason that the system gave.
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    last.to_string()
}

fn restrict(rules: Rules<'_>) -> Result<RestrictionStatus, RulesetError> {
    let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::BestEffort);
    if rules.open.is_none() {
        ruleset = ruleset.handle_access(AccessFs::from_all(KNOWN))?;
    }
    // A right that is handled and has no rule is shut; one that is open to all is not handled.
    if rules.connect != Ports::All {
        ruleset = ruleset.handle_access(AccessNet::ConnectTcp)?;
    }
    if rules.listen != Ports::All {
        ruleset = ruleset.handle_access(AccessNet::BindTcp)?;
    }
    let mut created = ruleset.scope(Scope::from_all(KNOWN))?.create()?;
    for place in rules.places.iter().filter(|_| rules.open.is_none()) {
        let access = place.for_use.access(place.is_dir);
        if !access.is_empty() {
            created = created.add_rule(PathBeneath::new(place.handle, access))?;
        }
    }
    for (ports, access) in [(&rules.connect, AccessNet::ConnectTcp), (&rules.listen, AccessNet::BindTcp)] {
        if let Ports::These(ports) = ports {
            for port in ports {
                created = created.add_rule(NetPort::new(*port, access))?;
            }
        }
    }
    created.restrict_self()
}

fn tell(status: &RestrictionStatus, open: Option<&str>, report: &mut Report) {
    let abi = abi(status.landlock).unwrap_or(0);
    if status.ruleset != RulesetStatus::NotEnforced && abi > 0 {
        report.landlock = Some(abi);
    }
    for promise in PROMISES {
        if report.landlock.unwrap_or(0) < promise.abi {
            report.gap(promise.lost, why(status.landlock, promise.abi));
        } else if let Some(open) = open.filter(|_| promise.of_files) {
            report.gap(promise.lost, open);
        }
    }
}

fn why(status: LandlockStatus, since: u32) -> String {
    match status {
        LandlockStatus::NotImplemented => "this kernel has no Landlock".to_owned(),
        LandlockStatus::NotEnabled => "Landlock is switched off: it is not in the kernel's list of security modules (lsm=)".to_owned(),
        LandlockStatus::Available { .. } => {
            format!("Landlock ABI {since} is needed, this kernel has {}", abi(status).unwrap_or(0))
        }
    }
}

/// The ABI's number.
pub(crate) fn abi(status: LandlockStatus) -> Option<u32> {
    match status {
        LandlockStatus::Available { effective_abi, .. } => u32::try_from(effective_abi as i32).ok(),
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => None,
    }
}
