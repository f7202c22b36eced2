//! The `ilu` command as a library: the binary is one call of [`main`], and the whole-system tests run the very same code.
//!
//! A command is a file, a flag is a field. Here arguments become calls of the embedding API, outcomes become text and exit codes. Nothing in
//! this crate opens a file or decides what a script may do.

#![forbid(unsafe_code)]

mod args;
mod quantity;
mod report;

use std::process::ExitCode;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
