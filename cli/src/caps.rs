//! `ilu caps`: what bundles of natives hold. All of it comes from the registry.

use self::expression::Answer;
use crate::args::Caps;
use crate::exit::Exit;
use crate::terminal::Terminal;
use ilu_cap::{BUNDLES, CapSet, Native, bundle, bundle::lookup};
use serde_json::{Value, json};
use std::fmt::Write;

mod expression;

/// One named group of natives.
struct Group {
    name: &'static str,
    doc: &'static str,
    holds: CapSet,
}

/// Runs the command.
pub fn caps(args: &Caps, terminal: &Terminal) -> Exit {
    let words: Vec<&str> = args.names.iter().map(String::as_str).collect();
    if words.iter().any(|word| expression::is_operator(word)) {
        return match expression::answer(&words) {
            Ok(answer) => show(&answer, args.json, terminal),
            Err(message) => terminal.usage(&message),
        };
    }
    let mut groups = Vec::new();
    let names: Vec<&str> = if words.is_empty() { BUNDLES.iter().map(|bundle| bundle.name).collect() } else { words };
    for name in names {
        match group(name) {
            Ok(group) => groups.push(group),
            Err(message) => return terminal.usage(&message),
        }
    }
    let text = if args.json {
        format!("{}\n", Value::Array(groups.iter().map(as_json).collect()))
    } else if args.names.is_empty() {
        overview(&groups)
    } else {
        groups.iter().map(as_text).collect::<Vec<_>>().join("\n")
    };
    terminal.print(&text)
}

/// Prints the answer to an expression. A subset that does not hold is not a success, so that scripts can ask.
fn show(answer: &Answer, json: bool, terminal: &Terminal) -> Exit {
    let (text, exit) = match answer {
        Answer::Set(set) if json => (format!("{}\n", json!({"natives": natives_json(*set)})), Exit::Fine),
        Answer::Set(set) if set.is_empty() => ("nothing\n".to_string(), Exit::Fine),
        Answer::Set(set) => (natives_text(*set, ""), Exit::Fine),
        Answer::Subset(missing) => {
            let exit = if missing.is_empty() { Exit::Fine } else { Exit::Error };
            let text = match (json, missing.is_empty()) {
                (true, holds) => format!("{}\n", json!({"subset": holds, "missing": natives_json(*missing)})),
                (false, true) => "yes\n".to_string(),
                (false, false) => format!("no: these are missing\n{}", natives_text(*missing, "  ")),
            };
            (text, exit)
        }
    };
    match terminal.print(&text) {
        Exit::Fine => exit,
        other => other,
    }
}

fn group(name: &str) -> Result<Group, String> {
    let holds = lookup(name).map_err(|unknown| unknown.to_string())?;
    let (name, doc) = match (bundle(name), holds.iter().next()) {
        (Some(bundle), _) => (bundle.name, bundle.doc),
        (None, Some(native)) => (native.row().name, native.row().doc),
        (None, None) => return Err("it holds nothing".to_string()),
    };
    Ok(Group { name, doc, holds })
}

/// One line per bundle.
fn overview(groups: &[Group]) -> String {
    let width = groups.iter().map(|group| group.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for group in groups {
        let missing = group.holds.iter().filter(|id| !ilu::is_built(*id)).count();
        let note = match missing {
            0 => String::new(),
            all if all == group.holds.len() => " (not in this build)".to_string(),
            some => format!(" ({some} not in this build)"),
        };
        let _ = writeln!(out, "{:width$}  {:>2}  {}{note}", group.name, group.holds.len(), group.doc);
    }
    out.push_str("\nilu caps BUNDLE shows its natives.\n");
    out
}

fn as_text(group: &Group) -> String {
    format!("{}: {}\n{}", group.name, group.doc, natives_text(group.holds, "  "))
}

/// One line per native.
fn natives_text(set: CapSet, indent: &str) -> String {
    let name = set.iter().map(|id| id.row().name.len()).max().unwrap_or(0);
    let class = set.iter().map(|id| id.row().class.text().len()).max().unwrap_or(0);
    let mut out = String::new();
    for id in set.iter() {
        let (row, note) = (id.row(), if ilu::is_built(id) { "" } else { " (not in this build)" });
        let _ = writeln!(out, "{indent}{:name$}  {:class$}  {}{note}", row.name, row.class.text(), row.doc);
    }
    out
}

fn as_json(group: &Group) -> Value {
    json!({"name": group.name, "doc": group.doc, "natives": natives_json(group.holds)})
}

fn natives_json(set: CapSet) -> Vec<Value> {
    let row = |row: &Native, built: bool| json!({"name": row.name, "aliases": row.aliases, "class": row.class.text(), "doc": row.doc, "built": built});
    set.iter().map(|id| row(id.row(), ilu::is_built(id))).collect()
}
