//! The budgets a run has when no flag names them, and the limits that no flag changes: value, unit, reason.

use ilu_sbx::limits as sbx;
use ilu_sbx::{Limits, NO_LIMIT};
use serde_json::{Value, json};
use std::fmt::Write;

/// One limit.
struct Limit {
    name: &'static str,
    value: u64,
    unit: &'static str,
    reason: &'static str,
}

const fn limit(name: &'static str, value: usize, unit: &'static str, reason: &'static str) -> Limit {
    Limit { name, value: value as u64, unit, reason }
}

/// Those that no grant changes.
const LIMITS: &[Limit] = &[
    limit("source text", ilu_lang::source::MAX_SOURCE_BYTES, "bytes", "compiling takes memory in proportion"),
    limit("nesting of code", ilu_lang::ast::MAX_HEIGHT as usize, "levels", "what comes after the parser walks trees"),
    limit("nodes of a syntax tree", ilu_lang::parse::build::MAX_NODES, "nodes", "memory of the compiler"),
    limit("registers of a function", ilu_lang::code::program::MAX_REGISTERS, "registers", "an operand is one byte"),
    limit("arguments of a call", ilu_lang::code::program::MAX_ARGUMENTS, "values", "they lie in registers"),
    limit("directories of a sandbox", sbx::MAX_MOUNTS, "directories", "each path is looked for among them"),
    limit("directories open for sandboxes", sbx::MAX_OPEN_MOUNTS, "directories", "each is a descriptor of the process"),
    limit("open handles of a run", sbx::MAX_HANDLES, "handles", "each is a descriptor of the process"),
    limit("descriptors of the process", ilu::host::wall::MAX_DESCRIPTORS as usize, "descriptors", "the wall's bound above all of these"),
    limit("a path", sbx::MAX_PATH, "bytes", "the kernel's own bound"),
    limit("one part of a path", sbx::MAX_PART, "bytes", "the kernel's own bound"),
    limit("capabilities in one list", sbx::MAX_LIST, "names", "each is copied"),
    limit("rows of a sandbox's log", sbx::MAX_LOG_ROWS, "rows", "older ones are dropped and counted"),
];

/// The budgets by their flags; those without one in words.
fn budgets() -> [(&'static str, u64, &'static str); 9] {
    let usual = Limits::default();
    [
        ("--fuel", usual.fuel, "units"),
        ("--mem", usual.memory, "bytes"),
        ("--time", usual.wall_ms, "ms"),
        ("--out", usual.output, "bytes"),
        ("--depth", u64::from(usual.depth), "calls"),
        ("bytes read", usual.read, "bytes"),
        ("bytes written to files", usual.written, "bytes"),
        ("handles open at a time", usual.handles, "handles"),
        ("tasks at a time", usual.tasks, "tasks"),
    ]
}

pub fn budgets_as_json() -> Value {
    budgets()
        .iter()
        .map(|(name, value, unit)| json!({"name": name, "value": (*value != NO_LIMIT).then_some(value), "unit": unit}))
        .collect()
}

pub fn limits_as_json() -> Value {
    LIMITS.iter().map(|one| json!({"name": one.name, "value": one.value, "unit": one.unit, "reason": one.reason})).collect()
}

pub fn as_text() -> String {
    let mut text = String::from("\nBudgets of a run, where no flag says otherwise:\n");
    for (name, value, unit) in budgets() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name}: {value} {unit}");
    }
    text.push_str("\nLimits that no flag changes:\n");
    for one in LIMITS {
        let _ = writeln!(text, "  {}: {} {} ({})", one.name, one.value, one.unit, one.reason);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_budget_is_finite_and_every_limit_has_its_reason() {
        assert!(budgets().iter().all(|(_, value, _)| *value != NO_LIMIT && *value > 0));
        assert!(LIMITS.iter().all(|one| one.value > 0 && one.reason.len() > 10 && !one.unit.is_empty()));
    }
}
