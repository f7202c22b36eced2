//! What is wrong with a source text, as data. Only the command line formats it for people.

pub mod codes;

use crate::source::Span;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};

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

/// Most errors one compilation reports; past that, people fix the first ones first, and a hostile text cannot fill memory with them.
pub const MAX_DIAGNOSTICS: usize = 40;

/// Most characters of script text that one message quotes.
const MAX_QUOTED: usize = 60;

/// Where the passes of one parse put their errors. Shared by the lexer, the layout and the grammar's actions, which run interleaved.
#[derive(Debug, Default)]
pub struct Reports {
    list: RefCell<Vec<Diagnostic>>,
    /// Places where a syntax error would only repeat in other words what has been said.
    covered: RefCell<Vec<Span>>,
    stopped: Cell<bool>,
    /// Parts of the tree made so far: how the layout knows that the parser is still building and not only skipping.
    built: Cell<usize>,
}

impl Reports {
    /// Adds an error; past [`MAX_DIAGNOSTICS`] adds one last word and stops the parse.
    pub fn push(&self, report: Diagnostic) {
        let mut list = self.list.borrow_mut();
        if list.len() < MAX_DIAGNOSTICS {
            list.push(report);
        } else if !self.stopped.replace(true) {
            list.push(Diagnostic::new(codes::TOO_MANY, report.span, "there are more errors; the rest is not shown"));
        }
    }
    /// Adds an error after which going on makes no sense.
    pub fn stop_with(&self, report: Diagnostic) {
        if !self.stopped.get() {
            self.push(report);
            self.stopped.set(true);
        }
    }
    /// Whether the parse is to stop.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.stopped.get()
    }
    /// Whether anything has been reported.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.list.borrow().is_empty()
    }
    /// Notes that one more part of the tree has been made; how many that makes.
    pub fn build(&self) -> usize {
        self.built.set(self.built.get() + 1);
        self.built.get()
    }
    /// How many parts of the tree have been made.
    #[must_use]
    pub fn built(&self) -> usize {
        self.built.get()
    }
    /// Takes back errors of a kind inside a range, for one that explains them.
    pub fn retract(&self, code: &str, range: Span) {
        self.list.borrow_mut().retain(|report| report.code != code || report.span.start < range.start || report.span.end > range.end);
    }
    /// Whether an error has been reported at exactly this place.
    #[must_use]
    pub fn names(&self, place: Span) -> bool {
        self.list.borrow().iter().any(|report| report.span == place)
    }
    /// Whether the same has been said in the range that was covered last and has this place in it.
    #[must_use]
    pub fn says(&self, report: &Diagnostic) -> bool {
        let at = report.span.start;
        let covered = self.covered.borrow();
        let Some(range) = covered.last().filter(|range| range.start <= at && at <= range.end) else { return false };
        let same = |other: &Diagnostic| other.code == report.code && other.message == report.message && other.help == report.help;
        self.list.borrow().iter().rev().take_while(|other| other.span.start >= range.start).any(same)
    }
    /// Keeps syntax errors that begin in this range from being reported.
    pub fn cover(&self, range: Span) {
        let mut covered = self.covered.borrow_mut();
        if covered.len() < MAX_DIAGNOSTICS {
            covered.push(range);
        }
    }
    /// Whether a syntax error at this offset would only repeat another.
    #[must_use]
    pub fn covers(&self, at: u32) -> bool {
        self.covered.borrow().iter().any(|range| range.start <= at && at <= range.end)
    }
    /// All errors, by place.
    #[must_use]
    pub fn into_list(self) -> Vec<Diagnostic> {
        let mut list = self.list.into_inner();
        list.sort_by_key(|report| (report.code == codes::TOO_MANY, report.span.start, report.span.end));
        list
    }
}

/// Script text for a message: in backticks, control and format characters escaped, and shortened.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::from("`");
    let mut chars = text.chars();
    for each in chars.by_ref().take(MAX_QUOTED) {
        if each == '\n' {
            out.push_str("\\n");
        } else if each.is_control() || !each.is_ascii() && !each.is_alphanumeric() {
            out.extend(each.escape_unicode());
        } else {
            out.push(each);
        }
    }
    if chars.next().is_some() {
        out.push('…');
    }
    out.push('`');
    out
}
