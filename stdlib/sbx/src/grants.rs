//! What the operator hands to a root sandbox.

use crate::limits::Limits;
use crate::secret::Secret;
use crate::view::{Access, Opened};
use ilu_cap::CapSet;

/// One directory or file of the host, already opened, and the guest's name for it.
#[derive(Debug)]
pub struct Mount {
    /// The path by which scripts name it.
    pub guest: String,
    /// What it is.
    pub opened: Opened,
    /// What may be done below it.
    pub access: Access,
}

/// Everything a root sandbox holds. The empty value holds nothing.
#[derive(Debug, Default)]
pub struct Grants {
    /// Which natives may be called.
    pub caps: CapSet,
    /// On which directories.
    pub mounts: Vec<Mount>,
    /// Environment variables, already read.
    pub env: Vec<(String, String)>,
    /// Programs, by the names that scripts use; the host knows which files they are.
    pub programs: Vec<String>,
    /// Secrets, each bound to its hosts.
    pub secrets: Vec<Secret>,
    /// Network rules, canonical, in their order.
    pub net: Vec<String>,
    /// The script's arguments.
    pub argv: Vec<String>,
    /// Budgets.
    pub limits: Limits,
}
