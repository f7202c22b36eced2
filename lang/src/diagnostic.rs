//! What is wrong with a source text, as data. Only the command line formats it for people.

use crate::source::Span;
use std::borrow::Cow;

/// A compile-time error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code of its kind, such as `E0012`; the table in [`crate::diagnostic::codes`] says what each stands for.
    pub code: &'static str,
    /// What is wrong, in the reader's words; one line, script text in it escaped and shortened.
    pub message: String,
    /// Where.
    pub span: Span,
    /// A few words under the caret; may be empty.
    pub label: Cow<'static, str>,
    /// Other places that matter, with a few words each.
    pub related: Vec<(Span, String)>,
    /// What to do next.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error with no label, no help.
    #[must_use]
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, label: Cow::Borrowed(""), related: Vec::new(), help: None }
    }
    /// Puts a few words under the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<Cow<'static, str>>) -> Self {
        self.label = label.into();
        self
    }
    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
    /// Points at another place.
    #[must_use]
    pub fn related(mut self, span: Span, words: impl Into<String>) -> Self {
        self.related.push((span, words.into()));
        self
    }
}
