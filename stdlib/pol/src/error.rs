//! What can be wrong with a policy or a question to it.

use std::fmt;

/// Kinds of errors, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolErrorKind {
    /// No function of that name.
    UnknownFunction,
    /// Wrong number of arguments.
    Arity,
    /// A value of the wrong type.
    Type,
    /// A row, rule or role that lacks something or says nothing sensible.
    Malformed,
    /// A role that the map does not have.
    UnknownRole,
    /// A value that has no canonical text.
    Unsealable,
    /// A key that protects nothing.
    EmptyKey,
}

impl PolErrorKind {
    /// A stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownFunction => "pol-function",
            Self::Arity => "pol-arity",
            Self::Type => "pol-type",
            Self::Malformed => "pol-malformed",
            Self::UnknownRole => "pol-role",
            Self::Unsealable => "pol-unsealable",
            Self::EmptyKey => "pol-key",
        }
    }
}

/// An error, in words that name the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolError {
    kind: PolErrorKind,
    message: String,
}

impl PolError {
    pub(crate) fn new(kind: PolErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
    pub(crate) fn wrong_type(what: impl fmt::Display, expected: &str, got: &str) -> Self {
        Self::new(PolErrorKind::Type, format!("{what} must be {expected}, got {got}"))
    }
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> PolErrorKind {
        self.kind
    }
}

impl fmt::Display for PolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PolError {}
