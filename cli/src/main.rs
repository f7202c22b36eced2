//! The `ilu` command.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    ilu_cli::main()
}
