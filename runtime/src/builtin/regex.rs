//! Regular expressions for `rex`, on the automata of `regex-automata`: matching takes time in proportion to the text, whatever the pattern; there is
//! nothing to backtrack into.
//!
//! The search walks the text by steps of its own, so that fuel and the clock are looked at on the way, however long the text. What a pattern compiles
//! to is bounded. Compiled ones are kept for the thread, a few of them, because the same few are used again and again; what a use costs a script does not
//! depend on whether it was there. Places are told in characters, as everywhere in the language.

mod compile;
mod search;

use super::support::{arg, row};
use super::{BuiltinRow, Cx, Fault};
use crate::value::{StrId, Value};
use compile::{Pattern, compiled};
use search::{BYTES_PER_FUEL, groups, next};
use std::rc::Rc;

/// The rows.
pub const ROWS: &[BuiltinRow] = &[
    row("__rex_find", (3, 4), find, "The matches of a pattern in a text, at most so many, 0 for all: `{txt, at, end, grp, nam}`."),
    row("__rex_has", (2, 3), has, "Whether a pattern matches somewhere in a text."),
    row(
        "__rex_split",
        (3, 5),
        split,
        "A text cut where a pattern matches, into at most so many pieces, 0 for all; also where nothing is cut out.",
    ),
    row("__rex_escape", (1, 1), escape, "A text as a pattern that matches it and nothing else."),
];

/// A pattern as an argument, with the flags behind it.
fn pattern(cx: &mut Cx<'_>, args: &[Value], flags: usize, who: &str) -> Result<Rc<Pattern>, Fault> {
    let id = cx.text_arg(args, 1, who)?;
    let flags = match arg(args, flags) {
        Value::NIL => String::new(),
        given => match given.as_str() {
            Some(flags) => cx.heap.str(flags).chars().take(8).collect(),
            None => return Err(cx.wrong(who, "flags as a string", given)),
        },
    };
    compiled(cx, id, &flags, who)
}

fn has(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let text = cx.text_arg(args, 0, "rex.ha")?;
    let pattern = pattern(cx, args, 2, "rex.ha")?;
    Ok(Value::bool(next(cx, text, &pattern, 0, "rex.ha")?.is_some()))
}

/// Walks over the matches: each where the one before ended, an empty one not right behind another.
struct Matches {
    from: usize,
    last: Option<usize>,
    left: usize,
}

impl Matches {
    fn new(most: usize) -> Self {
        Self { from: 0, last: None, left: most }
    }
    fn next(&mut self, cx: &mut Cx<'_>, text: StrId, pattern: &Pattern, who: &str) -> Result<Option<(usize, usize)>, Fault> {
        while self.left > 0 && self.from <= cx.heap.str(text).len() {
            let Some((start, end)) = next(cx, text, pattern, self.from, who)? else { break };
            if start == end && self.last == Some(end) {
                self.from = end + cx.heap.str(text).get(end..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
                continue;
            }
            (self.from, self.last) = (end, Some(end));
            self.left -= 1;
            return Ok(Some((start, end)));
        }
        Ok(None)
    }
}

/// How many at most: 0 is no bound.
fn most(cx: &Cx<'_>, args: &[Value], who: &str) -> Result<usize, Fault> {
    Ok(match cx.count_arg(args, 2, who)? {
        0 => usize::MAX,
        most => most,
    })
}

fn split(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let text = cx.text_arg(args, 0, "rex.sp")?;
    let pattern = pattern(cx, args, 3, "rex.sp")?;
    let mut matches = Matches::new(most(cx, args, "rex.sp")?.saturating_sub(1));
    let everywhere = cx.heap.truthy(arg(args, 4));
    let pieces = cx.heap.list_with_capacity(0)?;
    let mut from = 0;
    while let Some((start, end)) = matches.next(cx, text, &pattern, "rex.sp")? {
        // An empty match cuts between characters, not in front of the first or behind the last.
        if !everywhere && start == end && (start == 0 || end == cx.heap.str(text).len()) {
            continue;
        }
        push_piece(cx, pieces, text, from, start)?;
        from = end;
    }
    let end = cx.heap.str(text).len();
    push_piece(cx, pieces, text, from, end)?;
    Ok(pieces.into())
}

fn push_piece(cx: &mut Cx<'_>, list: crate::value::ListId, text: StrId, start: usize, end: usize) -> Result<(), Fault> {
    let piece = piece(cx, text, start, end)?;
    cx.heap.list_push(list, piece)?;
    Ok(())
}

/// A part of a text as a string of its own, paid for.
fn piece(cx: &mut Cx<'_>, text: StrId, start: usize, end: usize) -> Result<Value, Fault> {
    cx.spend_text(end.saturating_sub(start))?;
    Ok(cx.heap.substring(text, start..end)?)
}

fn escape(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let text = cx.text_arg(args, 0, "rex.esc")?;
    let special = |c: char| regex_syntax::is_meta_character(c);
    let length = cx.heap.str(text).len();
    cx.spend_text(length)?;
    let more = cx.heap.str(text).chars().filter(|c| special(*c)).count();
    cx.build(length + more, |heap, out| {
        for c in heap.str(text).chars() {
            if special(c) {
                out.push('\\');
            }
            out.push(c);
        }
    })
}

fn find(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let who = "rex.al";
    let text = cx.text_arg(args, 0, who)?;
    let pattern = pattern(cx, args, 3, who)?;
    let mut matches = Matches::new(most(cx, args, who)?);
    let found = cx.heap.list_with_capacity(0)?;
    // Characters up to a place that was told before: places only go on.
    let mut told = (0, 0);
    while let Some((start, end)) = matches.next(cx, text, &pattern, who)? {
        let groups = groups(cx, text, &pattern, (start, end), who)?;
        let (first, behind) = (chars_to(cx, text, &mut told, start)?, chars_to(cx, text, &mut told, end)?);
        let one = one_match(cx, text, &pattern, (start, end), (first, behind), &groups)?;
        cx.heap.list_push(found, one)?;
    }
    Ok(found.into())
}

/// How many characters stand before a place.
fn chars_to(cx: &mut Cx<'_>, text: StrId, told: &mut (usize, usize), at: usize) -> Result<usize, Fault> {
    cx.spend(1 + at.saturating_sub(told.0) / BYTES_PER_FUEL)?;
    let more = cx.heap.str(text).get(told.0..at).map_or(0, |between| between.chars().count());
    *told = (at, told.1 + more);
    Ok(told.1)
}

/// `{txt, at, end, grp, nam}`
fn one_match(
    cx: &mut Cx<'_>,
    text: StrId,
    pattern: &Pattern,
    (start, end): (usize, usize),
    (first, behind): (usize, usize),
    groups: &[Option<(usize, usize)>],
) -> Result<Value, Fault> {
    let grp = cx.heap.list_with_capacity(groups.len())?;
    let nam = cx.heap.object_new()?;
    for (group, name) in groups.iter().zip(&pattern.names) {
        let value = match group {
            Some((start, end)) => piece(cx, text, *start, *end)?,
            None => Value::NIL,
        };
        cx.heap.list_push(grp, value)?;
        if let Some(name) = name {
            let key = cx.heap.intern(name)?;
            cx.heap.set(nam, key, value)?;
        }
    }
    let txt = piece(cx, text, start, end)?;
    #[allow(clippy::cast_precision_loss, reason = "places in a text")]
    let (at, to) = (Value::num(first as f64), Value::num(behind as f64));
    let keys = [cx.heap.intern("txt")?, cx.heap.intern("at")?, cx.heap.intern("end")?, cx.heap.intern("grp")?, cx.heap.intern("nam")?];
    Ok(cx.heap.object_with(&keys, &[txt, at, to, grp.into(), nam.into()])?)
}
