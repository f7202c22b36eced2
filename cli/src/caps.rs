//! `ilu caps`: what bundles of natives hold. All of it comes from the registry.

use crate::args::Caps;
use crate::exit::Exit;
use crate::terminal::Terminal;
use ilu_cap::{BUNDLES, CapSet, Native, NativeId, bundle, bundle::lookup};
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
fn rows(group: &Group) -> Vec<&'static Native> {
    NativeId::all().filter(|id| group.holds.has(*id)).map(NativeId::row).collect()
}

/// One line per bundle.
fn overview(groups: &[Group]) -> String {
    let width = groups.iter().map(|group| group.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for group in groups {
        let _ = writeln!(out, "{:width$}  {:>2}  {}", group.name, rows(group).len(), group.doc);
    }
    out
}

fn as_text(group: &Group) -> String {
    let rows = rows(group);
    let name = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let class = rows.iter().map(|row| row.class.text().len()).max().unwrap_or(0);
    let mut out = format!("{}: {}\n", group.name, group.doc);
    for row in rows {
        let _ = writeln!(out, "  {:name$}  {:class$}  {}", row.name, row.class.text(), row.doc);
    }
    out
}

fn as_json(group: &Group) -> Value {
    let natives: Vec<Value> = rows(group)
        .iter()
        .map(|row| json!({"name": row.name, "aliases": row.aliases, "class": row.class.text(), "doc": row.doc}))
        .collect();
    json!({"name": group.name, "doc": group.doc, "natives": natives})
}
