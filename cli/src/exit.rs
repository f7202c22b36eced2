//! Exit codes: the contract that scripts around `ilu` rely on.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0
    Fine,
    /// 1: an error that nobody caught.
    Error,
    /// 2: a mistake in the source or on the command line.
    Usage,
    /// 3: a denial that nobody caught.
    Denied,
    /// 4: a budget ran out.
    Limit,
    /// 5: a layer that was required is missing.
    Missing,
    /// 70: a bug of ours.
    Bug,
    /// The script's own `os.exit(n)`.
    Own(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::Error => 1,
            Exit::Usage => 2,
            Exit::Denied => 3,
            Exit::Limit => 4,
            Exit::Missing => 5,
            Exit::Bug => 70,
            Exit::Own(code) => code,
        })
    }
}
