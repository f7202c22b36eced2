//! What `:caps`, `:used`, `:time` and `:audit` show.

use crate::args::GrantFlags;
use crate::report::clean::clean;
use ilu_cap::{Class, by_name};
use ilu_sbx::{Budget, Plain, Spent};
use std::fmt::Write;
use std::time::Duration;

/// Decisions that `:audit` shows when it is not told how many.
pub const AUDIT_ROWS: usize = 20;

/// What the session may touch.
#[must_use]
pub fn caps(flags: &GrantFlags, natives: &[&'static str], spent: &[Spent]) -> String {
    let mut out = String::new();
    let mut classes: Vec<(Class, Vec<&str>)> = Vec::new();
    for name in natives {
        let Some(class) = by_name(name).map(|native| native.row().class) else { continue };
        match classes.iter_mut().find(|(known, _)| *known == class) {
            Some((_, names)) => names.push(name),
            None => classes.push((class, vec![name])),
        }
    }
    if classes.is_empty() {
        out.push_str("no natives\n");
    }
    let width = classes.iter().map(|(class, _)| class.text().len()).max().unwrap_or(0);
    for (class, names) in classes {
        let _ = writeln!(out, "{:width$}  {}", class.text(), names.join(" "));
    }
    for spec in &flags.dir {
        let access = if spec.writable { "read and write" } else { "read" };
        let _ = writeln!(out, "directory {} as {} ({access})", clean(&spec.host), clean(&spec.guest));
    }
    for (name, _) in &flags.env {
        let _ = writeln!(out, "variable {}", clean(name));
    }
    for (name, host) in &flags.secret {
        let _ = writeln!(out, "secret {} for {}", clean(name), clean(host));
    }
    for rule in &flags.net {
        let _ = writeln!(out, "network {}", clean(rule));
    }
    for path in &flags.pol {
        let _ = writeln!(out, "network rules of {}", clean(path));
    }
    for program in &flags.run {
        let _ = writeln!(out, "program {}", clean(program));
    }
    let limits: Vec<String> = spent.iter().map(|row| format!("{} {}", row.budget.text(), amount(row.budget, row.limit))).collect();
    let _ = writeln!(out, "each input: {}", limits.join(", "));
    out
}

/// What the last input used.
#[must_use]
pub fn used(spent: &[Spent]) -> String {
    let rows: Vec<(String, String, String)> =
        spent.iter().map(|row| (row.budget.text(), amount(row.budget, row.used), amount(row.budget, row.limit))).collect();
    let width = |of: fn(&(String, String, String)) -> &String| rows.iter().map(|row| of(row).len()).max().unwrap_or(0);
    let (names, amounts) = (width(|row| &row.0), width(|row| &row.1));
    let mut out = String::new();
    for (name, used, limit) in &rows {
        let _ = writeln!(out, "{name:names$}  {used:>amounts$} of {limit}");
    }
    out
}

/// How long an input took.
#[must_use]
pub fn time(took: Duration, spent: &[Spent]) -> String {
    let fuel = spent.iter().find(|row| row.budget == Budget::Fuel).map_or(0, |row| row.used);
    format!("{:.1} ms, fuel {fuel}\n", took.as_secs_f64() * 1e3)
}

fn amount(budget: Budget, n: u64) -> String {
    if n == ilu_sbx::limits::NO_LIMIT {
        return "no limit".to_string();
    }
    match budget {
        Budget::Time => format!("{n} ms"),
        Budget::Memory | Budget::Output | Budget::Read | Budget::Written => format!("{n} bytes"),
        _ => n.to_string(),
    }
}

/// The newest rows of the log.
#[must_use]
pub fn audit(log: &[Plain], most: usize) -> String {
    let mut out = String::new();
    let skip = log.len().saturating_sub(most);
    for row in log.iter().skip(skip) {
        let Plain::Object(fields) = row else { continue };
        let field = |name: &str| match fields.iter().find(|(key, _)| key == name).map(|(_, value)| value) {
            Some(Plain::Str(text)) => clean(text),
            Some(Plain::Num(number)) => number.to_string(),
            _ => String::new(),
        };
        let (on, times) = (field("on"), field("times"));
        let on = if on.is_empty() { on } else { format!(" {on}") };
        let times = if times.is_empty() { times } else { format!(" ×{times}") };
        let _ = writeln!(
            out,
            "{} {} {}{on} ({}){times} {}:{}",
            field("seq"),
            field("verdict"),
            field("native"),
            field("rule"),
            field("file"),
            field("line")
        );
    }
    if out.is_empty() {
        out.push_str("no native was called\n");
    }
    out
}
