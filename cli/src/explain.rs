//! `ilu explain`: would this call be allowed, by which rule, and the smallest grant that would allow it. The answer is the doorway's own;
//! nothing is done.

use crate::args::{Explain, GrantFlags};
use crate::code;
use crate::config;
use crate::exit::Exit;
use crate::grants;
use crate::report::clean::clean;
use crate::terminal::Terminal;
use crate::widen::widen;
use ilu::foresee::would;
use ilu_cap::{Kind, Native, NativeId, Unknown, by_name, nearest};
use ilu_sbx::denial::quote_all;
use ilu_sbx::{Arg, Denial, Foreseen};
use serde_json::{Value, json};

/// Grants that are added one after the other before it is given up: a capability, then two places, is the most that a native asks for.
const MOST_STEPS: usize = 4;

/// The answer.
struct Answer {
    native: &'static Native,
    foreseen: Foreseen,
    /// Flags that together would allow it; empty when it is allowed, or when none would.
    flags: Vec<String>,
    /// What stands in the way of trying the last of them, when something does.
    untried: Option<String>,
}

/// Runs the command.
pub fn explain(args: &Explain) -> Exit {
    if let Some(word) = &args.code {
        return code::explain(word, &args.output);
    }
    let terminal = Terminal::new(args.output.color);
    let answer = match answer(args, &terminal) {
        Ok(answer) => answer,
        Err(message) => return terminal.usage(&message),
    };
    let text = if args.output.json { format!("{}\n", as_json(&answer)) } else { as_text(&answer) };
    match terminal.print(&text) {
        Exit::Fine if answer.foreseen.denied.is_some() => Exit::Denied,
        exit => exit,
    }
}

fn answer(args: &Explain, terminal: &Terminal) -> Result<Answer, String> {
    let (name, given) = args.call.split_first().ok_or("give a NATIVE behind `--`")?;
    let native = by_name(name).ok_or_else(|| Unknown::new(name, nearest(name)).to_string())?;
    let row = native.row();
    let given = given.iter().enumerate().map(|(n, text)| value(row, n, text)).collect::<Result<Vec<_>, _>>()?;
    let flags = config::apply(&args.grants, None, terminal)?;
    let foreseen = ask(&flags, native, &given)?;
    let (flags, untried) = match &foreseen.denied {
        None => (Vec::new(), None),
        Some(denial) => smallest(&flags, native, &given, denial, &foreseen.on),
    };
    Ok(Answer { native: row, foreseen, flags, untried })
}

/// Widens the grants by what is missing until the call is allowed.
fn smallest(flags: &GrantFlags, native: NativeId, given: &[Value], denial: &Denial, on: &[String]) -> (Vec<String>, Option<String>) {
    let (mut flags, mut found) = (flags.clone(), Vec::new());
    let (mut denial, mut on) = (denial.clone(), on.to_vec());
    for _ in 0..MOST_STEPS {
        let Some(flag) = widen(&mut flags, &denial, native.row(), &on) else { return (Vec::new(), None) };
        // A flag that a later one widens again, or a longer list, stands in its place.
        if flag.starts_with("--grant ") {
            found.retain(|other: &String| !other.starts_with("--grant "));
        }
        found.push(flag);
        let mut trial = flags.clone();
        for (_, value) in &mut trial.env {
            // Whether it is set here does not matter to the question.
            value.get_or_insert_default();
        }
        match ask(&trial, native, given) {
            Err(why) => return (found, Some(why)),
            Ok(Foreseen { denied: None, .. }) => return (found, None),
            Ok(Foreseen { denied: Some(next), on: next_on, .. }) => (denial, on) = (*next, next_on),
        }
    }
    (Vec::new(), None)
}

fn ask(flags: &GrantFlags, native: NativeId, given: &[Value]) -> Result<Foreseen, String> {
    let grants = grants::granting(flags, &[], None)?.grants;
    let params = native.row().params;
    let mut args: Vec<Arg<'_>> = given.iter().enumerate().map(|(n, value)| arg(params.get(n).map(|param| param.kind), value)).collect();
    // What is written is not part of the question.
    while let Some(Kind::Data) = params.get(args.len()).filter(|param| !param.optional).map(|param| param.kind) {
        args.push(Arg::Str(""));
    }
    would(grants, native, &args)
}

/// An argument by what the native takes there: text as it stands, everything else as JSON.
fn value(row: &Native, n: usize, text: &str) -> Result<Value, String> {
    let Some(param) = row.params.get(n) else {
        return Err(format!("{} takes at most {} arguments", row.name, row.params.len()));
    };
    match param.kind {
        Kind::Str | Kind::Data | Kind::Fun | Kind::Handle => Ok(Value::String(text.to_string())),
        Kind::Any => Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_string()))),
        Kind::Num | Kind::List | Kind::Options => serde_json::from_str(text)
            .map_err(|error| format!("{}: {} is {}, written as JSON: {error}", row.name, param.name, param.kind.text())),
    }
}

/// The JSON reader bounds the depth.
fn arg(kind: Option<Kind>, value: &Value) -> Arg<'_> {
    match (kind, value) {
        (Some(Kind::Fun), _) => Arg::Other("fun"),
        (_, Value::Null) => Arg::Nil,
        (_, Value::Bool(truth)) => Arg::Bool(*truth),
        (_, Value::Number(number)) => Arg::Num(number.as_f64().unwrap_or(0.0)),
        (_, Value::String(text)) => Arg::Str(text),
        (_, Value::Array(items)) => Arg::List(items.iter().map(|item| arg(None, item)).collect()),
        (_, Value::Object(fields)) => Arg::Object(fields.iter().map(|(key, value)| (key.as_str(), arg(None, value))).collect()),
    }
}

fn as_text(answer: &Answer) -> String {
    let on = quote_all(&answer.foreseen.on).map(|on| format!(" {on}")).unwrap_or_default();
    let name = answer.native.name;
    let mut lines = Vec::new();
    match &answer.foreseen.denied {
        None => {
            lines.push(format!("allowed: {name}{on}"));
            lines.push(format!("rule: {}", clean(&answer.foreseen.rule)));
        }
        Some(denial) => {
            lines.push(format!("denied: {name}{on}"));
            lines.push(format!("rule: {}", denial.rule.text()));
            match answer.flags.is_empty() {
                true => lines.push("no flag would allow it".to_string()),
                false => lines.push(format!("would allow it: {}", answer.flags.join(" "))),
            }
        }
    }
    if let Some(why) = &answer.foreseen.fails {
        lines.push(format!("and it would fail: {}", clean(why)));
    }
    if let Some(why) = &answer.untried {
        lines.push(format!("not tried: {}", clean(why)));
    }
    lines.join("\n") + "\n"
}

fn as_json(answer: &Answer) -> Value {
    let denied = answer.foreseen.denied.as_ref();
    let rule = denied.map_or_else(|| answer.foreseen.rule.clone(), |denial| denial.rule.code().to_string());
    json!({
        "allowed": denied.is_none(),
        "native": answer.native.name,
        "on": answer.foreseen.on,
        "rule": rule,
        "why": denied.map(|denial| denial.rule.text()),
        "flags": answer.flags,
        "fails": answer.foreseen.fails,
        "untried": answer.untried,
    })
}
