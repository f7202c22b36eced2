//! Why a run ended before its end, for people and as JSON.

use super::clean::clean;
use super::{Look, message, message_at};
use ilu::{Place, Trace};
use ilu_sbx::Denial;
use serde_json::{Value, json};
use std::fmt::Write;

/// The kinds of failures, as their exit codes tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An error that nobody caught.
    Error,
    /// A budget ran out.
    Limit,
    /// The host ended the run.
    Interrupted,
    /// A bug of ours.
    Bug,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Kind::Error => "error",
            Kind::Limit => "limit",
            Kind::Interrupted => "interrupted",
            Kind::Bug => "bug",
        }
    }
}

/// A failure of a run.
#[derive(Debug)]
pub struct Failure<'a> {
    /// What kind.
    pub kind: Kind,
    /// In the words of the runtime, or of the script.
    pub message: &'a str,
    /// The denial it was, when it was one.
    pub denial: Option<&'a Denial>,
    /// Where, and who called.
    pub trace: &'a Trace,
}

/// The message, its place, the source line, the call stack.
#[must_use]
pub fn failure(failure: &Failure<'_>, look: Look) -> String {
    let mut out = match (failure.denial, failure.trace.place()) {
        // These four lines are a contract: what and where, the rule, the flag, whether to try again.
        (Some(denial), _) => denial.lines().iter().map(|line| clean(line)).collect::<Vec<_>>().join("\n"),
        (None, Some(place)) => message_at(failure.message, &place.source, place.span, look),
        (None, None) => message(failure.message, look),
    };
    out.push('\n');
    if failure.trace.rows.len() > 1 {
        out.push_str("call stack, innermost first:\n");
        out.push_str(&stack(failure.trace));
    }
    match failure.kind {
        Kind::Limit => {
            if let Some(flag) = flag_of(failure.message) {
                let _ = writeln!(out, "{flag} changes this budget");
            }
        }
        Kind::Bug => out.push_str("this is a bug in ilu, not in the script: please report it with the script\n"),
        Kind::Error | Kind::Interrupted => {}
    }
    out
}

/// The flag that sets the budget a message begins with.
fn flag_of(message: &str) -> Option<&'static str> {
    [("fuel", "--fuel"), ("memory", "--mem"), ("time", "--time"), ("output", "--out"), ("call depth", "--depth")]
        .into_iter()
        .find(|(budget, _)| message.starts_with(budget))
        .map(|(_, flag)| flag)
}

fn stack(trace: &Trace) -> String {
    let width = trace.rows.iter().map(|row| name(row).chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (at, row) in trace.rows.iter().enumerate() {
        if let Some((count, after)) = trace.left_out
            && after == at
        {
            let _ = writeln!(out, "  … {count} more calls");
        }
        let (line, column) = row.position();
        let _ = writeln!(out, "  {:width$}  {}:{line}:{column}", name(row), clean(&row.source.name));
    }
    out
}

fn name(row: &Place) -> String {
    if row.function == "\\" { "(lambda)".to_string() } else { clean(&row.function) }
}

/// The same as data.
#[must_use]
pub fn as_json(failure: &Failure<'_>) -> Value {
    let kind = if failure.denial.is_some() { "denied" } else { failure.kind.word() };
    let mut object = json!({"kind": kind, "message": failure.message});
    if let Some(place) = failure.trace.place() {
        let (line, column) = place.position();
        object["file"] = json!(place.source.name);
        object["line"] = json!(line);
        object["column"] = json!(column);
    }
    let rows = failure.trace.rows.iter().map(|row| {
        let (line, column) = row.position();
        json!({"function": row.function, "file": row.source.name, "line": line, "column": column})
    });
    object["stack"] = Value::Array(rows.collect());
    object
}
