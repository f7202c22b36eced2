//! Why a run ended before its end, for people and as JSON.

use super::clean::clean;
use super::{Look, message, message_at};
use ilu::{Failure, Kind, Place, ScriptError, Trace};
use ilu_sbx::denial::quote_all;
use ilu_sbx::{Denial, Event};
use serde_json::{Value, json};
use std::fmt::Write;

/// The message, its place, the source line, the call stack, and what to do next.
#[must_use]
pub fn failure(error: &ScriptError, look: Look) -> String {
    let mut out = match (&error.kind, error.place()) {
        // These four lines are a contract: what and where, the rule, the flag, whether to try again.
        (Kind::Denied(denial), _) => denial.lines().iter().map(|line| clean(line)).collect::<Vec<_>>().join("\n"),
        (_, Some(place)) => message_at(error.code, &error.message, error.advice().as_deref(), &place.source, place.span, look),
        (_, None) => message(error.code, &error.message, look),
    };
    out.push('\n');
    if let Some(on) = quote_all(&error.on) {
        let _ = writeln!(out, "on: {}", clean(&on));
    }
    if error.trace.rows.len() > 1 {
        out.push_str("call stack, innermost first:\n");
        out.push_str(&stack(&error.trace));
    }
    // A sandbox without a limit of its own ran into what was left around it: that is the operator's to set.
    let made_by_the_script = matches!(error.kind, Kind::InnerLimit) && error.message.contains("(limit ");
    match &error.kind {
        Kind::InnerLimit if made_by_the_script => out.push_str("whoever made the sandbox set this budget, in the options of sbxmk\n"),
        Kind::Limit | Kind::InnerLimit => {
            if let Some(flag) = flag_of(&error.message) {
                let _ = writeln!(out, "{flag} sets this budget");
            }
        }
        Kind::Denied(_) => {
            let _ = writeln!(out, "`ilu explain {}` says more", error.code);
        }
        Kind::Bug => out.push_str("this is a bug in ilu, not in the script: please report it, with the script\n"),
        _ => {}
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
pub fn as_json(error: &ScriptError) -> Value {
    let mut object = json!({"kind": word(&error.kind), "code": error.code, "message": error.message});
    if let Some(help) = error.advice() {
        object["help"] = json!(help);
    }
    if let Kind::Denied(denial) = &error.kind {
        decided(&mut object, denial, &denial.on);
    }
    if !error.on.is_empty() {
        object["on"] = json!(error.on);
    }
    if let Some(place) = error.place() {
        let (line, column) = place.position();
        object["file"] = json!(place.source.name);
        object["line"] = json!(line);
        object["column"] = json!(column);
    }
    let rows = error.trace.rows.iter().map(|row| {
        let (line, column) = row.position();
        json!({"function": row.function, "file": row.source.name, "line": line, "column": column})
    });
    object["stack"] = Value::Array(rows.collect());
    object
}

/// What a program needs to know of a denial: which call, on what, by which rule, what would allow it, whether to try again.
fn decided(object: &mut Value, denial: &Denial, on: &[String]) {
    object["code"] = json!(ilu::code::of_rule(&denial.rule));
    object["native"] = json!(denial.native);
    object["on"] = json!(on);
    object["rule"] = json!(denial.rule.code());
    object["why"] = json!(denial.rule.text());
    object["grant"] = json!(denial.grant);
    object["retry"] = json!(denial.retry);
}

/// A denial of the record, caught or not.
#[must_use]
pub fn denial_as_json(event: &Event) -> Value {
    let mut object = json!({});
    if let Some(denial) = &event.denial {
        decided(&mut object, denial, &event.subjects);
    }
    object["file"] = json!(*event.file);
    object["line"] = json!(event.line);
    object["seq"] = json!(event.seq);
    object["times"] = json!(event.times);
    object
}

/// A task that failed and that nobody waited for.
#[must_use]
pub fn unseen(failure: &Failure) -> String {
    let place = failure.place.as_ref().map_or_else(String::new, |place| format!(" at {}", clean(place)));
    let (task, started, message) = (failure.task, clean(&failure.started), clean(&failure.message));
    format!("note: task {task}, started at {started}, failed{place} and nobody waited for it: {message}")
}

/// The same as an object.
#[must_use]
pub fn unseen_as_json(failure: &Failure) -> Value {
    json!({"task": failure.task, "started": failure.started, "message": failure.message, "place": failure.place})
}

fn word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Error | Kind::Exit(_) => "error",
        Kind::Denied(_) => "denied",
        Kind::Limit | Kind::InnerLimit => "limit",
        Kind::Interrupted => "interrupted",
        Kind::Refused => "usage",
        _ => "bug",
    }
}
