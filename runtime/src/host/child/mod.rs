//! Programs that scripts start.
//!
//! ```text
//! ilu, behind its wall ──request──► warden ──request──► helper: Landlock, seccomp, limits ── becomes ──► the program
//!   pipes: input, output, error ◄──────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! The process that runs scripts can't start anything: its wall forbids it. Before that is raised it starts the *warden*, a process of the same
//! file that runs no script and opens nothing that a script names. The warden has a wall of its own, of all that was granted to the root
//! sandbox, so that no request, whoever made it, gets more than that. For each request it starts a *helper*, which confines itself to what the
//! calling sandbox holds and then becomes the program. What the program starts stays in its process group, which it has no way to leave, and
//! is ended with it: when it ends, when the requester lets go, and when the requester is gone, however it went.

mod client;
mod crowd;
mod helper;
mod system;
mod warden;
mod watch;
mod wire;

pub use client::{Program, Warden, find};

/// Does the kernel bound the number of processes of all programs together, whoever the user is?
#[must_use]
pub fn counts_together() -> bool {
    crowd::is_there()
}

use std::process::ExitCode;

/// The first argument of a process that is a warden.
const WARDEN: &str = "--ilu-warden";
/// The first argument of a process that becomes a program.
const HELPER: &str = "--ilu-helper";

/// Does the work of a warden or a helper, when that is what this process was started for. A program that embeds ilu and wants its scripts to
/// start programs calls it first thing in `main`; nothing means: go on.
#[must_use]
pub fn serve() -> Option<ExitCode> {
    let mut args = std::env::args_os();
    match args.nth(1)?.to_str()? {
        WARDEN => Some(warden::serve()),
        HELPER => Some(helper::serve()),
        _ => None,
    }
}
