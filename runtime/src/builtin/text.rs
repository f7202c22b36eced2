//! Text. Positions and lengths count code points.

use super::support::{arg, row};
use super::{BuiltinRow, Cx, Fault};
use crate::value::{Kind, StrId, Value};
use memchr::memmem::{self, Finder};

/// The rows.
pub const ROWS: &[BuiltinRow] = &[
    row("__txt_split", (2, 2), split, "The parts of a text between separators."),
    row("__txt_lines", (1, 1), lines, "The lines of a text, without their ends."),
    row("__txt_join", (2, 2), join, "The texts of a list's elements, with a separator between."),
    row("__txt_trim", (1, 1), trim, "A text without blanks at both ends."),
    row("__txt_upper", (1, 1), upper, "A text in capital letters."),
    row("__txt_lower", (1, 1), lower, "A text in small letters."),
    row("__txt_sub", (3, 3), sub, "The code points from one position up to, without, another."),
    row("__txt_rep", (3, 3), replace, "A text with every occurrence of one text replaced by another."),
    row("__txt_find", (3, 3), find, "The position of a text in another from a position on, or nil."),
    row("__txt_has", (2, 2), has, "Whether a text stands in another."),
    row("__txt_starts", (2, 2), starts, "Whether a text starts with another."),
    row("__txt_ends", (2, 2), ends, "Whether a text ends with another."),
    row("__txt_pad", (4, 4), pad, "A text brought to a width with a filling, on the right or on the left."),
    row("__txt_repeat", (2, 2), repeat, "A text several times over."),
];

fn split(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (id, separator) = (cx.text_arg(args, 0, "txt.split")?, cx.text_arg(args, 1, "txt.split")?);
    if cx.heap.str(separator).is_empty() {
        return Err(Fault::message("txt.split takes a separator that is not empty"));
    }
    cx.spend_text(cx.heap.str(id).len())?;
    let width = cx.heap.str(separator).len();
    let finder = Finder::new(cx.heap.str(separator).as_bytes()).into_owned();
    let count = 1 + finder.find_iter(cx.heap.str(id).as_bytes()).count();
    cx.spend(count)?;
    let parts = cx.heap.list_with_capacity(count)?;
    let mut start = 0;
    for _ in 1..count {
        let rest = cx.heap.str(id).as_bytes().get(start..).unwrap_or_default();
        let end = start + finder.find(rest).unwrap_or(rest.len());
        let part = cx.heap.substring(id, start..end)?;
        cx.heap.list_push(parts, part)?;
        start = end + width;
    }
    let part = cx.heap.substring(id, start..cx.heap.str(id).len())?;
    cx.heap.list_push(parts, part)?;
    Ok(parts.into())
}

fn lines(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let id = cx.text_arg(args, 0, "txt.lines")?;
    let length = cx.heap.str(id).len();
    cx.spend_text(length)?;
    let count = cx.heap.str(id).lines().count();
    cx.spend(count)?;
    let found = cx.heap.list_with_capacity(count)?;
    let mut start = 0;
    while start < length {
        let rest = cx.heap.str(id).as_bytes().get(start..).unwrap_or_default();
        let next = memchr::memchr(b'\n', rest).map_or(length, |at| start + at + 1);
        let line = cx.heap.str(id).get(start..next).unwrap_or_default();
        let line = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
        let part = cx.heap.substring(id, start..start + line.len())?;
        cx.heap.list_push(found, part)?;
        start = next;
    }
    Ok(found.into())
}

fn join(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (list, separator) = (cx.list_arg(args, 0, "txt.join")?, cx.text_arg(args, 1, "txt.join")?);
    let count = cx.heap.list(list).len();
    cx.spend(1 + count)?;
    let mut bytes = cx.heap.str(separator).len().saturating_mul(count.saturating_sub(1));
    for &item in cx.heap.list(list) {
        let length = match item.kind() {
            Kind::Str(id) => cx.heap.str(id).len(),
            Kind::Num(number) => ryu_js::Buffer::new().format(number).len(),
            Kind::Bool(_) | Kind::Nil => 3,
            _ => return Err(cx.wrong("txt.join", "a list of strings or numbers", item)),
        };
        bytes = bytes.saturating_add(length);
    }
    cx.build(bytes, |heap, out| {
        for (at, &item) in heap.list(list).iter().enumerate() {
            if at > 0 {
                out.push_str(heap.str(separator));
            }
            match item.kind() {
                Kind::Str(id) => out.push_str(heap.str(id)),
                Kind::Num(number) => out.push_str(ryu_js::Buffer::new().format(number)),
                Kind::Bool(truth) => out.push_str(if truth { "tru" } else { "fls" }),
                _ => out.push_str("nil"),
            }
        }
    })
}

fn trim(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let id = cx.text_arg(args, 0, "txt.trim")?;
    cx.spend_text(cx.heap.str(id).len())?;
    let text = cx.heap.str(id);
    let start = text.len() - text.trim_start().len();
    let end = start + text.trim().len();
    Ok(cx.heap.substring(id, start..end)?)
}

/// Changes the case of a text. Outside ASCII a letter may become up to three, of up to three times the bytes.
fn recase(cx: &mut Cx<'_>, id: StrId, ascii: fn(&mut str), any: fn(&str) -> String) -> Result<Value, Fault> {
    let length = cx.heap.str(id).len();
    if cx.heap.is_ascii(id) {
        return cx.build(length, |heap, out| {
            out.push_str(heap.str(id));
            ascii(out);
        });
    }
    cx.spend(length)?;
    let booked = length.saturating_mul(6);
    cx.heap.charge(booked)?;
    let text = any(cx.heap.str(id));
    cx.heap.release(booked);
    Ok(cx.heap.string_owned(text)?)
}

fn upper(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let id = cx.text_arg(args, 0, "txt.upper")?;
    recase(cx, id, str::make_ascii_uppercase, str::to_uppercase)
}

fn lower(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let id = cx.text_arg(args, 0, "txt.lower")?;
    recase(cx, id, str::make_ascii_lowercase, str::to_lowercase)
}

/// The byte offset of a position; the end for one beyond it.
fn offset(cx: &Cx<'_>, id: StrId, position: usize) -> usize {
    let text = cx.heap.str(id);
    if cx.heap.is_ascii(id) { position.min(text.len()) } else { text.char_indices().nth(position).map_or(text.len(), |(offset, _)| offset) }
}

/// Pays for finding positions in a text: free of charge in ASCII.
fn spend_positions(cx: &mut Cx<'_>, id: StrId) -> Result<(), Fault> {
    if cx.heap.is_ascii(id) { cx.spend(1) } else { cx.spend_text(cx.heap.str(id).len()) }
}

fn sub(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let id = cx.text_arg(args, 0, "txt.sub")?;
    let (from, to) = (cx.count_arg(args, 1, "txt.sub")?, cx.count_arg(args, 2, "txt.sub")?);
    spend_positions(cx, id)?;
    let (start, end) = (offset(cx, id, from), offset(cx, id, to));
    cx.spend_text(end.saturating_sub(start))?;
    Ok(cx.heap.substring(id, start..end.max(start))?)
}

fn replace(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (id, old, new) = (cx.text_arg(args, 0, "txt.rep")?, cx.text_arg(args, 1, "txt.rep")?, cx.text_arg(args, 2, "txt.rep")?);
    if cx.heap.str(old).is_empty() {
        return Err(Fault::message("txt.rep takes a text to replace that is not empty"));
    }
    let length = cx.heap.str(id).len();
    cx.spend_text(length)?;
    let count = memmem::find_iter(cx.heap.str(id).as_bytes(), cx.heap.str(old).as_bytes()).count();
    if count == 0 {
        return Ok(id.into());
    }
    cx.spend(count)?;
    let kept = length - count * cx.heap.str(old).len();
    let bytes = kept.saturating_add(count.saturating_mul(cx.heap.str(new).len()));
    cx.build(bytes, |heap, out| {
        let (text, old, new) = (heap.str(id), heap.str(old), heap.str(new));
        let mut start = 0;
        for at in memmem::find_iter(text.as_bytes(), old.as_bytes()) {
            out.push_str(text.get(start..at).unwrap_or_default());
            out.push_str(new);
            start = at + old.len();
        }
        out.push_str(text.get(start..).unwrap_or_default());
    })
}

fn find(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (id, what) = (cx.text_arg(args, 0, "txt.find")?, cx.text_arg(args, 1, "txt.find")?);
    let from = cx.count_arg(args, 2, "txt.find")?;
    cx.spend_text(cx.heap.str(id).len())?;
    if from > cx.heap.chars(id) {
        return Ok(Value::NIL);
    }
    let start = offset(cx, id, from);
    let text = cx.heap.str(id);
    let rest = text.get(start..).unwrap_or_default();
    let Some(at) = memmem::find(rest.as_bytes(), cx.heap.str(what).as_bytes()) else { return Ok(Value::NIL) };
    let before = if cx.heap.is_ascii(id) { at } else { rest.get(..at).unwrap_or_default().chars().count() };
    Ok(Value::num((from + before) as f64))
}

/// The bytes of two texts, once the work of going through the first is paid.
fn two<'a>(cx: &'a mut Cx<'_>, args: &[Value], who: &str) -> Result<(&'a [u8], &'a [u8]), Fault> {
    let (id, part) = (cx.text_arg(args, 0, who)?, cx.text_arg(args, 1, who)?);
    cx.spend_text(cx.heap.str(id).len())?;
    Ok((cx.heap.str(id).as_bytes(), cx.heap.str(part).as_bytes()))
}

fn has(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (text, part) = two(cx, args, "txt.has")?;
    Ok(Value::bool(memmem::find(text, part).is_some()))
}

fn starts(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (text, part) = two(cx, args, "txt.start")?;
    Ok(Value::bool(text.starts_with(part)))
}

fn ends(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (text, part) = two(cx, args, "txt.ends")?;
    Ok(Value::bool(text.ends_with(part)))
}

fn pad(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (id, fill) = (cx.text_arg(args, 0, "txt.pad")?, cx.text_arg(args, 2, "txt.pad")?);
    let width = cx.count_arg(args, 1, "txt.pad")?;
    let left = cx.heap.truthy(arg(args, 3));
    let missing = width.saturating_sub(cx.heap.chars(id));
    let fill_chars = cx.heap.chars(fill);
    if fill_chars == 0 {
        return Err(Fault::message("txt.pad takes a filling that is not empty"));
    }
    if missing == 0 {
        return Ok(id.into());
    }
    // The filling goes round as often as it fits, and once in part.
    let fill_length = cx.heap.str(fill).len();
    let (rounds, part) = (missing / fill_chars, offset(cx, fill, missing % fill_chars));
    let bytes = rounds.saturating_mul(fill_length).saturating_add(part).saturating_add(cx.heap.str(id).len());
    cx.spend(rounds)?;
    cx.build(bytes, |heap, out| {
        let (text, fill) = (heap.str(id), heap.str(fill));
        if !left {
            out.push_str(text);
        }
        for _ in 0..rounds {
            out.push_str(fill);
        }
        out.push_str(fill.get(..part).unwrap_or_default());
        if left {
            out.push_str(text);
        }
    })
}

fn repeat(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (id, count) = (cx.text_arg(args, 0, "txt.rpt")?, cx.count_arg(args, 1, "txt.rpt")?);
    let bytes = cx.heap.str(id).len().saturating_mul(count);
    // An empty text any number of times is empty, and no work.
    let rounds = if bytes == 0 { 0 } else { count };
    cx.spend(rounds)?;
    cx.build(bytes, |heap, out| {
        for _ in 0..rounds {
            out.push_str(heap.str(id));
        }
    })
}
