//! The `ilu` command, built as part of this crate, so that its tests always run a binary of the code they were built with.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    ilu_cli::main()
}
