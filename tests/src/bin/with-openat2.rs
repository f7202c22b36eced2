//! `with-openat2 ENOSYS|EPERM|EACCES PROGRAM ARGS…`: runs a program in which the kernel's `openat2` answers that error.
//!
//! cap-std walks paths by hand when `openat2` is missing (ENOSYS) or refused (EPERM); the attack rows must come out the same then. The
//! filter stays across `exec`, so the program itself needs no test hook.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a launcher for tests")]

use seccompiler::{SeccompAction, SeccompFilter, apply_filter};
use std::os::unix::process::CommandExt;

/// Number of `openat2`, the same on every architecture since it came with Linux 5.6.
const OPENAT2: i64 = 437;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let errno = match args.next().as_deref().and_then(|name| name.to_str()) {
        Some("EPERM") => 1,
        Some("EACCES") => 13,
        Some("ENOSYS") => 38,
        _ => return Err("usage: with-openat2 ENOSYS|EPERM|EACCES PROGRAM ARGS…".into()),
    };
    let program = args.next().ok_or("which program?")?;
    let filter = SeccompFilter::new(
        [(OPENAT2, vec![])].into_iter().collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno),
        std::env::consts::ARCH.try_into()?,
    )?;
    let program_bpf: seccompiler::BpfProgram = filter.try_into()?;
    apply_filter(&program_bpf)?;
    Err(std::process::Command::new(program).args(args).exec().into())
}
