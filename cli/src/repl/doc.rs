//! `?name`: what is known of a name, from where it is known: the session, a module's page, the tables of natives, bundles and builtins.

use ilu::{Described, Session};
use ilu_cap::{bundle, by_name};
use ilu_lang::source::Source;
use ilu_std::{MODULES, ModuleSource, module};
use std::fmt::Write;

/// Lines of a page that are shown at most.
const MAX_LINES: usize = 24;
/// Lines of a function's own text.
const MAX_SOURCE: usize = 16;

/// What is known of a name; an error that says that nothing is.
///
/// # Errors
/// Nothing is known.
pub fn doc(name: &str, session: &Session) -> Result<String, String> {
    if name.is_empty() {
        return Err("say of what: `?trl.map`, `?prn`, `?__sys_time`, `?capde`".to_string());
    }
    let path: Vec<&str> = name.split('.').collect();
    let mut out = String::new();
    let found = session.describe(&path);
    let page = of_module(name, found.as_ref());
    if let Some(described) = &found {
        let _ = writeln!(out, "{name}: {}{}", described.kind, shown(described, page.is_some()));
        if page.is_none()
            && let Some((source, span)) = &described.written
        {
            out.push_str(&written(source, span.start as usize, span.end as usize));
        }
    }
    if let (None, Some(bundle)) = (&found, bundle(name)) {
        let _ = writeln!(out, "{}: {}\n  {}", bundle.name, bundle.doc, bundle.names().join(" "));
    } else if let Some(page) = page {
        out.push_str(&page);
    } else if found.is_none() {
        out.push_str(&of_tables(name).ok_or_else(|| format!("nothing is known of `{name}`{}", hint(name, session)))?);
    }
    Ok(out)
}

/// The value, when it says more than its type.
fn shown(described: &Described, has_page: bool) -> String {
    match described.kind {
        "fun" | "bif" => String::new(),
        "obj" if has_page => String::new(),
        _ => format!(", {}", described.text),
    }
}

fn hint(name: &str, session: &Session) -> String {
    let names = session.names().into_iter().map(|bound| bound.name);
    let known: Vec<String> = names.chain(MODULES.iter().map(|module| module.name.to_owned())).collect();
    ilu_lang::similar::nearest(name, known.iter().map(String::as_str)).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// The page of a module, or what it says of one of its functions, by its readable name or its flat one.
fn of_module(name: &str, found: Option<&Described>) -> Option<String> {
    let from = found.and_then(|described| described.written.as_ref()).map(|(source, _)| source.name.trim_end_matches(".ilu"));
    if let Some((owner, function)) = name.split_once('.') {
        let known = module(owner).or_else(|| module(from?))?;
        return on_page(known, &format!("{}.{function}", known.name));
    }
    if let Some(known) = module(name) {
        return Some(beginning(known));
    }
    let flat = |module: &&ModuleSource| name.strip_prefix(module.name).is_some_and(|rest| !rest.is_empty());
    let known = MODULES.iter().find(flat).filter(|known| from.is_none_or(|from| from == known.name))?;
    on_page(known, name)
}

/// The beginning of a page, without its examples.
fn beginning(module: &ModuleSource) -> String {
    let mut out = String::new();
    for line in module.page.lines().take_while(|line| !line.starts_with("```")).take(MAX_LINES) {
        let _ = writeln!(out, "{}", plain(line));
    }
    let names: Vec<String> = module.readable().into_iter().map(|name| format!("{}.{name}", module.name)).collect();
    let _ = writeln!(out, "It has {}.", names.join(" "));
    out
}

/// What a page says of a call: its row of a table, or its paragraph.
fn on_page(module: &ModuleSource, call: &str) -> Option<String> {
    let names = |line: &str| {
        line.match_indices(call).any(|(at, _)| {
            let before = line.get(..at).and_then(|before| before.chars().next_back());
            let behind = line.get(at + call.len()..).and_then(|behind| behind.chars().next());
            !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
                && !behind.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    };
    let mut in_code = false;
    let mut text = Vec::new();
    for line in module.page.lines() {
        in_code ^= line.starts_with("```");
        text.push(if in_code || line.starts_with("```") { "" } else { line });
    }
    let rows: Vec<String> = text.iter().filter(|line| line.starts_with('|') && names(line)).map(|line| row(line)).collect();
    if !rows.is_empty() {
        return Some(format!("{}\n", rows.join("\n")));
    }
    let at = text.iter().position(|line| names(line))?;
    let start = text.get(..at)?.iter().rposition(|line| line.is_empty()).map_or(0, |blank| blank + 1);
    let lines = text.get(start..)?.iter().take_while(|line| !line.is_empty()).take(MAX_LINES);
    Some(lines.map(|line| format!("{}\n", plain(line))).collect())
}

/// A row of a table: `call  what it gives`.
fn row(line: &str) -> String {
    let cells: Vec<String> = line.trim_matches('|').split(" | ").map(|cell| plain(cell.trim_matches(['|', ' ']))).collect();
    cells.join("  —  ")
}

/// Markdown without what only a page shows.
fn plain(line: &str) -> String {
    line.trim_start_matches('#').trim().replace("\\|", "|").replace("**", "").replace('`', "")
}

/// A function's own text, with the comment above it.
fn written(source: &Source, start: usize, end: usize) -> String {
    let text = &source.text;
    let line_start = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let comment: Vec<&str> =
        text.get(..line_start).unwrap_or_default().lines().rev().take_while(|line| line.starts_with('#')).take(MAX_SOURCE).collect();
    let mut lines: Vec<&str> = comment.into_iter().rev().collect();
    lines.extend(text.get(line_start..end).unwrap_or_default().lines());
    let more = lines.len().saturating_sub(MAX_SOURCE);
    let mut out: String = lines.iter().take(MAX_SOURCE).map(|line| format!("  {line}\n")).collect();
    if more > 0 {
        let _ = writeln!(out, "  … {more} more lines");
    }
    out
}

/// A native or a builtin.
fn of_tables(name: &str) -> Option<String> {
    if let Some(native) = by_name(name) {
        let row = native.row();
        let params: Vec<String> =
            row.params.iter().map(|param| if param.optional { format!("[{}]", param.name) } else { param.name.to_owned() }).collect();
        return Some(format!("{}({}): {}\nclass {}; --grant {}\n", row.name, params.join(", "), row.doc, row.class.text(), row.name));
    }
    let row = ilu::builtin::table().iter().find(|row| row.name == name && !row.trusted)?;
    Some(format!("{name}: builtin, {}\n", row.doc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_of_its_functions() {
        let trl = module("trl").unwrap();
        assert_eq!(on_page(trl, "trl.map").unwrap(), "trl.map(xs, f)  —  trlma  —  f(x) of each element\n");
        assert!(on_page(trl, "trl.drop").unwrap().contains("all but the first n"));
        assert!(on_page(trl, "trlma").unwrap().starts_with("trl.map"));
        assert!(on_page(trl, "trl.nope").is_none() && on_page(trl, "trl.ma").is_none());
        assert!(beginning(trl).contains("trl.map") && !beginning(trl).contains("```"));
    }

    #[test]
    fn every_function_of_every_module_is_told_of() {
        for module in MODULES {
            for name in module.readable() {
                let call = format!("{}.{name}", module.name);
                let flat = format!("{}{name}", module.name);
                assert!(on_page(module, &call).or_else(|| on_page(module, &flat)).is_some(), "{call}");
            }
        }
    }

    #[test]
    fn natives_and_builtins_are_known() {
        assert!(of_tables("__sys_read_file").unwrap().starts_with("__sys_read_file(path, [opts]): a file's text"));
        assert!(of_tables("prn").is_some() && of_tables("__lst_push").is_none() && of_tables("nope").is_none());
    }
}
