//! `ilu caps`: what bundles of natives hold. All of it comes from the registry.

use crate::args::Caps;
use crate::exit::Exit;
use crate::terminal::Terminal;
use ilu_cap::{BUNDLES, CapSet, NativeId, bundle, bundle::lookup};
use serde_json::{Value, json};
use std::fmt::Write;

/// One named group of natives.
struct Group {
    name: &'static str,
    doc: &'static str,
    holds: CapSet,
}

/// Runs the command.
pub fn caps(args: &Caps, terminal: &Terminal) -> Exit {
    let mut groups = Vec::new();
    let names: Vec<&str> = if args.names.is_empty() {
        BUNDLES.iter().map(|bundle| bundle.name).collect()
    } else {
        args.names.iter().map(String::as_str).collect()
    };
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

fn group(name: &str) -> Result<Group, String> {
    let holds = lookup(name).map_err(|unknown| unknown.to_string())?;
    let (name, doc) = match (bundle(name), holds.iter().next()) {
        (Some(bundle), _) => (bundle.name, bundle.doc),
        (None, Some(native)) => (native.row().name, native.row().doc),
        (None, None) => return Err("it holds nothing".to_string()),
    };
    Ok(Group { name, doc, holds })
}

/// Natives in the registry's order.
fn rows(group: &Group) -> Vec<NativeId> {
    NativeId::all().filter(|id| group.holds.has(*id)).collect()
}

/// One line per bundle.
fn overview(groups: &[Group]) -> String {
    let width = groups.iter().map(|group| group.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for group in groups {
        let rows = rows(group);
        let missing = rows.iter().filter(|id| !ilu::is_built(**id)).count();
        let note = match missing {
            0 => String::new(),
            all if all == rows.len() => " (not in this build)".to_string(),
            some => format!(" ({some} not in this build)"),
        };
        let _ = writeln!(out, "{:width$}  {:>2}  {}{note}", group.name, rows.len(), group.doc);
    }
    out.push_str("\nilu caps BUNDLE shows its natives.\n");
    out
}

fn as_text(group: &Group) -> String {
    let rows = rows(group);
    let name = rows.iter().map(|id| id.row().name.len()).max().unwrap_or(0);
    let class = rows.iter().map(|id| id.row().class.text().len()).max().unwrap_or(0);
    let mut out = format!("{}: {}\n", group.name, group.doc);
    for id in rows {
        let (row, note) = (id.row(), if ilu::is_built(id) { "" } else { " (not in this build)" });
        let _ = writeln!(out, "  {:name$}  {:class$}  {}{note}", row.name, row.class.text(), row.doc);
    }
    out
}

fn as_json(group: &Group) -> Value {
    let natives: Vec<Value> = rows(group)
        .iter()
        .map(|id| (id.row(), ilu::is_built(*id)))
        .map(|(row, built)| json!({"name": row.name, "aliases": row.aliases, "class": row.class.text(), "doc": row.doc, "built": built}))
        .collect();
    json!({"name": group.name, "doc": group.doc, "natives": natives})
}
