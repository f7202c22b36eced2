//! `with-openat2 ENOSYS|EPERM|EACCES [--landlock] PROGRAM ARGS…`: runs a program in which the kernel's `openat2` answers that error; with
//! `--landlock` it is the calls of Landlock that do, as in a kernel that was built without it. `with-openat2 --layers N PROGRAM ARGS…`: runs one around
//! which N walls of Landlock's stand already, each of which forbids nothing but to make devices.
//!
//! cap-std walks paths by hand when `openat2` is missing (ENOSYS) or refused (EPERM); the attack rows must come out the same then. The
//! filter stays across `exec`, so the program itself needs no test hook.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a launcher for tests")]

use landlock::RulesetAttr;
use seccompiler::{SeccompAction, SeccompFilter, apply_filter};
use std::os::unix::process::CommandExt;

/// Number of `openat2`, the same on every architecture since it came with Linux 5.6.
const OPENAT2: i64 = 437;

/// The three of Landlock, from Linux 5.13.
const LANDLOCK: [i64; 3] = [444, 445, 446];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = std::env::args_os().skip(1);
    let mut args = args.peekable();
    if args.next_if(|word| word == "--layers").is_some() {
        let count: usize = args.next().and_then(|n| n.to_str()?.parse().ok()).ok_or("how many?")?;
        for _ in 0..count {
            let walled = landlock::Ruleset::default().handle_access(landlock::AccessFs::MakeBlock)?.create()?.restrict_self()?;
            if walled.ruleset == landlock::RulesetStatus::NotEnforced {
                return Err("no Landlock here".into());
            }
        }
        let program = args.next().ok_or("which program?")?;
        return Err(std::process::Command::new(program).args(args).exec().into());
    }
    let errno = match args.next().as_deref().and_then(|name| name.to_str()) {
        Some("EPERM") => 1,
        Some("EACCES") => 13,
        Some("ENOSYS") => 38,
        _ => return Err("usage: with-openat2 ENOSYS|EPERM|EACCES PROGRAM ARGS…".into()),
    };
    let landlock = args.next_if(|word| word == "--landlock").is_some();
    let calls = if landlock { LANDLOCK.to_vec() } else { vec![OPENAT2] };
    let program = args.next().ok_or("which program?")?;
    let filter = SeccompFilter::new(
        calls.into_iter().map(|call| (call, vec![])).collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno),
        std::env::consts::ARCH.try_into()?,
    )?;
    let program_bpf: seccompiler::BpfProgram = filter.try_into()?;
    apply_filter(&program_bpf)?;
    Err(std::process::Command::new(program).args(args).exec().into())
}
