//! The text of a value for somebody who looks at it: what fits on a line stands on one, what does not is broken up, and there is an end to it.
//!
//! Iterative and bounded by lines and columns, whatever the value: each line costs work in proportion to its width.

use super::text::{beginning, on_one_line};
use super::{Heap, Store};
use crate::value::{Kind, Value};

/// How much is shown.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Columns of a line.
    pub width: usize,
    /// Lines.
    pub lines: usize,
}

/// Columns by which what is inside stands further right.
const STEP: usize = 2;
/// Containers that are broken up inside each other; further in, each is cut at the end of its line.
const DEEPEST: usize = 12;
/// Least columns that are used, however far right.
const LEAST: usize = 16;

/// A container that is being written, and its next element.
struct Open {
    container: Value,
    next: usize,
}

/// A value as a text of some lines, without a last line's end. What is left out is counted.
#[must_use]
pub fn pretty(heap: &Heap, value: Value, page: Page) -> String {
    if let Some(line) = on_one_line(heap, value, page.width) {
        return line;
    }
    let mut lines: Vec<String> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    match brackets(heap, value) {
        Some((first, _)) => {
            lines.push(first.to_owned());
            open.push(Open { container: value, next: 0 });
        }
        None => return broken_text(heap, value, page),
    }
    while let Some(top) = open.last_mut() {
        let (container, at) = (top.container, top.next);
        top.next += 1;
        let depth = open.len();
        let Some((key, item)) = element(&heap.store, container, at) else {
            open.pop();
            let (_, last) = brackets(heap, container).unwrap_or_default();
            let comma = if open.is_empty() { "" } else { "," };
            lines.push(format!("{}{last}{comma}", " ".repeat(STEP * (depth - 1))));
            continue;
        };
        if lines.len() + depth >= page.lines && at > 0 {
            let left = length(heap, container) - at;
            lines.push(format!("{}… {left} more", " ".repeat(STEP * depth)));
            top_is_done(&mut open, length(heap, container));
            continue;
        }
        let indent = " ".repeat(STEP * depth);
        let key = key.map_or_else(String::new, |key| format!("{key}: "));
        let room = page.width.saturating_sub(indent.len() + key.chars().count() + 1).max(LEAST);
        let is_open = open.iter().any(|one| one.container == item);
        let may_open = depth < DEEPEST && lines.len() + 2 * depth + 2 < page.lines;
        if is_open {
            lines.push(format!("{indent}{key}…,"));
        } else if let Some(line) = on_one_line(heap, item, room) {
            match lines.last_mut().filter(|last| at > 0 && key.is_empty() && packs(last, &line, page)) {
                Some(last) => last.push_str(&format!(" {line},")),
                None => lines.push(format!("{indent}{key}{line},")),
            }
        } else if let (Some((first, _)), true) = (brackets(heap, item), may_open) {
            lines.push(format!("{indent}{key}{first}"));
            open.push(Open { container: item, next: 0 });
        } else {
            lines.push(format!("{indent}{key}{},", beginning(heap, item, room)));
        }
    }
    lines.join("\n")
}

/// Whether an element of a list stands beside the one before: short ones do.
fn packs(before: &str, line: &str, page: Page) -> bool {
    let is_short = |text: &str| text.len() <= page.width / 4 && !text.starts_with(['[', '{']);
    let last = before.rsplit(", ").next().unwrap_or_default().trim();
    is_short(line) && is_short(last) && !last.starts_with([']', '}']) && before.chars().count() + line.len() + 2 <= page.width
}

fn top_is_done(open: &mut [Open], length: usize) {
    if let Some(top) = open.last_mut() {
        top.next = length;
    }
}

/// A text that is longer than a line: as much of it as fits the page, on lines of its own breaking.
fn broken_text(heap: &Heap, value: Value, page: Page) -> String {
    let cells = page.width.saturating_mul(page.lines);
    let mut line = beginning(heap, value, cells);
    if let (Kind::Str(id), true) = (value.kind(), line.ends_with('…')) {
        line.push_str(&format!(" ({} characters)", heap.str(id).chars().count()));
    }
    line
}

fn brackets(heap: &Heap, value: Value) -> Option<(&'static str, &'static str)> {
    match value.kind() {
        Kind::List(id) if !heap.list(id).is_empty() => Some(("[", "]")),
        Kind::Object(id) if heap.object_len(id) > 0 => Some(("{", "}")),
        _ => None,
    }
}

fn length(heap: &Heap, container: Value) -> usize {
    match container.kind() {
        Kind::List(id) => heap.list(id).len(),
        Kind::Object(id) => heap.object_len(id),
        _ => 0,
    }
}

fn element(store: &Store, container: Value, at: usize) -> Option<(Option<String>, Value)> {
    match container.kind() {
        Kind::List(id) => store.list(id).get(at).map(|item| (None, *item)),
        Kind::Object(id) => store.entry(id, at).map(|(key, value)| (Some(super::text::key_text(store.str(key))), value)),
        _ => None,
    }
}
