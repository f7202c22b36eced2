//! How a run ended, as data. The command line formats it for people.

use crate::code;
use crate::engine::NOTHING;
pub use crate::task::Failure;
use crate::vm::trace::{Place, Trace};
use ilu_lang::diagnostic::{Diagnostic, codes};
use ilu_lang::source::Source;
use ilu_sbx::plain::Plain;
use ilu_sbx::{Denial, Ledger, Sealed, Spent};
use std::fmt;
use std::sync::Arc;

/// A text that did not compile.
#[derive(Clone, Debug)]
pub struct CompileError {
    /// The text.
    pub source: Arc<Source>,
    /// What is wrong with it; at least one.
    pub diagnostics: Vec<Diagnostic>,
}

impl CompileError {
    /// The first error on one line, with its place and what it advises.
    #[must_use]
    pub fn summary(&self) -> String {
        let Some(first) = self.diagnostics.first() else { return format!("{}: it did not compile", self.source.name) };
        let (line, column) = self.source.position(first.span.start);
        let more = match self.diagnostics.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let help = first.help.as_ref().map(|help| format!("; {help}"));
        format!("{}:{line}:{column}: {}{}{more}", self.source.name, first.message, help.unwrap_or_default())
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())
    }
}

impl std::error::Error for CompileError {}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The value of its last statement, or why it ended before.
    pub result: Result<Finished, ScriptError>,
    /// What was used, as `sbxug` shows it.
    pub used: Plain,
    /// The same by budget, with the limits.
    pub spent: Vec<Spent>,
    /// Each kind of denial once, caught ones included; and what was touched, when that was asked for. For the operator: it names grants.
    pub ledger: Ledger,
    /// How the audit record ended, when there is one and it is whole.
    pub audit: Option<Sealed>,
    /// How often the collector ran.
    pub collections: u64,
    /// What of the grants was needed, when that was to be observed.
    pub observed: Option<ilu_sbx::Observed>,
    /// Tasks that failed and that nobody waited for.
    pub failures: Vec<Failure>,
}

impl Outcome {
    pub(crate) fn broken(what: &str) -> Self {
        let error = ScriptError::bare(Kind::Bug, what);
        Self {
            result: Err(error),
            used: NOTHING,
            spent: Vec::new(),
            ledger: Ledger::default(),
            audit: None,
            collections: 0,
            observed: None,
            failures: Vec::new(),
        }
    }
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        let error = ScriptError::bare(Kind::Refused, why);
        Self {
            result: Err(error),
            used: NOTHING,
            spent: Vec::new(),
            ledger: Ledger::default(),
            audit: None,
            collections: 0,
            observed: None,
            failures: Vec::new(),
        }
    }
}

/// A run's value.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// As `prn` would show it, cut when very long.
    pub text: String,
    /// As data, when it is data and not too large.
    pub value: Option<Plain>,
}

/// Why a run ended early.
#[derive(Debug)]
pub struct ScriptError {
    /// Of which kind.
    pub kind: Kind,
    /// The stable code of what went wrong: `ilu_lang::diagnostic::codes`.
    pub code: &'static str,
    /// What is wrong: for an error of the script, the text of the value raised.
    pub message: String,
    /// What the native was asked for whose failure this is, as the script wrote it: the path of `file not found`.
    pub on: Vec<String>,
    /// Where, and who called.
    pub trace: Trace,
}

impl ScriptError {
    pub(crate) fn bare(kind: Kind, message: impl Into<String>) -> Self {
        let code = if kind == Kind::Refused { codes::REFUSED } else { codes::DEFECT };
        Self { kind, code, message: message.into(), on: Vec::new(), trace: Trace::default() }
    }
    /// What to write instead, when it is a known slip.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        (self.kind == Kind::Error).then(|| code::advice(self.code, &self.message)).flatten()
    }
    /// Where to point: the innermost place in the script's own code.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.trace.place()
    }
    /// The exit code of a command that ends so.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Error => 1,
            Kind::Refused => 2,
            Kind::Denied(_) => 3,
            Kind::Limit | Kind::InnerLimit => 4,
            Kind::Exit(code) => code,
            Kind::Interrupted => 130,
            Kind::Bug => 70,
        }
    }
}

/// The kinds of early ends.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// An error of the script or of a native that nobody caught.
    Error,
    /// A denial that nobody caught.
    Denied(Box<Denial>),
    /// A budget of the root sandbox ran out.
    Limit,
    /// A budget of a sandbox that the script made ran out, and nobody caught that.
    InnerLimit,
    /// `os.exit` with this code.
    Exit(u8),
    /// The host stopped it.
    Interrupted,
    /// The grants were not of a form that can be.
    Refused,
    /// The interpreter contradicted itself: a bug of ours.
    Bug,
}
