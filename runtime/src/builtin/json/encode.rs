//! Values to JSON text.

use super::MAX_DEPTH;
use crate::builtin::support::arg;
use crate::builtin::{Cx, Fault};
use crate::heap::path::Path;
use crate::heap::{self, Full, STEP_BYTES};
use crate::value::{Kind, StrId, Value};
use std::fmt::Write;

/// Most blanks per level.
const MAX_INDENT: usize = 16;

pub(super) fn encode(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let indent = if arg(args, 1) == Value::NIL { 0 } else { cx.count_arg(args, 1, "jsn.enc")? };
    if indent > MAX_INDENT {
        return Err(Fault::Message(format!("jsn.enc takes an indent of at most {MAX_INDENT}, got {indent}")));
    }
    let mut writer = Writer { cx, out: String::new(), charged: 0, stack: Vec::new(), path: Path::default(), indent };
    let result = writer.value(arg(args, 0)).and_then(|()| writer.finish());
    let Writer { out, charged, .. } = writer;
    // Booked until the string has been cut to its length: the allocator may hold both for a moment.
    let made = result.and_then(|()| Ok(cx.heap.string_owned(out)?));
    cx.heap.release(charged);
    made
}

/// A list or an object being written, and the next element.
struct Frame {
    container: Value,
    next: usize,
}

struct Writer<'a, 'b> {
    cx: &'a mut Cx<'b>,
    out: String,
    charged: usize,
    stack: Vec<Frame>,
    path: Path,
    indent: usize,
}

impl Writer<'_, '_> {
    fn room(&mut self, more: usize) -> Result<(), Fault> {
        let needed = self.out.len().saturating_add(more);
        if needed <= self.out.capacity() {
            return Ok(());
        }
        let grown = needed.max(self.out.capacity().saturating_add(self.out.capacity() / 2)).max(64);
        self.cx.heap.charge(grown)?;
        if self.out.try_reserve_exact(grown - self.out.len()).is_err() {
            self.cx.heap.release(grown);
            return Err(Full { needs: grown }.into());
        }
        self.cx.heap.release(self.charged);
        self.charged = grown;
        Ok(())
    }
    fn push(&mut self, text: &str) -> Result<(), Fault> {
        self.room(text.len())?;
        self.out.push_str(text);
        Ok(())
    }
    fn finish(&mut self) -> Result<(), Fault> {
        while let Some(frame) = self.stack.last_mut() {
            let (container, at) = (frame.container, frame.next);
            frame.next += 1;
            match container.kind() {
                Kind::List(id) => match self.cx.heap.list(id).get(at) {
                    Some(&item) => {
                        self.separate(at)?;
                        self.value(item)?;
                    }
                    None => self.close("]")?,
                },
                Kind::Object(id) => match self.cx.heap.entry(id, at) {
                    Some((key, value)) => {
                        self.separate(at)?;
                        self.string(key)?;
                        self.push(if self.indent > 0 { ": " } else { ":" })?;
                        self.value(value)?;
                    }
                    None => self.close("}")?,
                },
                _ => self.close("")?,
            }
        }
        Ok(())
    }
    fn separate(&mut self, at: usize) -> Result<(), Fault> {
        if at > 0 {
            self.push(",")?;
        }
        self.line()
    }
    /// A new line as far in as the nesting is deep, when the text is indented at all.
    fn line(&mut self) -> Result<(), Fault> {
        if self.indent == 0 {
            return Ok(());
        }
        let blanks = self.indent * self.stack.len();
        self.cx.spend(blanks / STEP_BYTES)?;
        self.room(blanks + 1)?;
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', blanks));
        Ok(())
    }
    fn close(&mut self, bracket: &str) -> Result<(), Fault> {
        let wrote = self.stack.pop().is_some_and(|frame| frame.next > 1);
        self.path.leave();
        if wrote {
            self.line()?;
        }
        self.push(bracket)
    }
    fn value(&mut self, value: Value) -> Result<(), Fault> {
        self.cx.spend(1)?;
        match value.kind() {
            Kind::Num(number) if number.is_finite() => self.push(ryu_js::Buffer::new().format(number)),
            Kind::Nil => self.push("null"),
            Kind::Bool(truth) => self.push(if truth { "true" } else { "false" }),
            Kind::Str(id) => self.string(id),
            Kind::List(_) => self.open(value, "["),
            Kind::Object(_) => self.open(value, "{"),
            _ => {
                let what = format!("JSON has no {}", self.cx.heap.type_name(value));
                Err(self.refused(&what))
            }
        }
    }
    fn open(&mut self, container: Value, bracket: &str) -> Result<(), Fault> {
        if self.path.has(container) {
            return Err(self.refused("the value contains itself"));
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(self.refused(&format!("nested deeper than {MAX_DEPTH}")));
        }
        self.push(bracket)?;
        self.path.enter(container);
        self.stack.push(Frame { container, next: 0 });
        Ok(())
    }
    fn string(&mut self, id: StrId) -> Result<(), Fault> {
        let length = self.cx.heap.str(id).len();
        self.cx.spend(length / STEP_BYTES)?;
        let extra: usize = self.cx.heap.str(id).bytes().map(extra).sum();
        self.room(length + extra + 2)?;
        let text = self.cx.heap.str(id);
        self.out.push('"');
        if extra == 0 {
            self.out.push_str(text);
        } else {
            text.chars().for_each(|character| escape(&mut self.out, character));
        }
        self.out.push('"');
        Ok(())
    }
    fn refused(&self, what: &str) -> Fault {
        Fault::Message(format!("jsn.enc: {what} (at {})", self.place()))
    }
    /// The way from the top to the element being written, as one would write it in code: `$.users[3].name`.
    fn place(&self) -> String {
        const LONGEST: usize = 120;
        let mut place = "$".to_owned();
        for frame in &self.stack {
            let at = frame.next.saturating_sub(1);
            match frame.container.kind() {
                Kind::Object(id) => {
                    let key = self.cx.heap.entry(id, at).map_or("", |pair| self.cx.heap.str(pair.0));
                    let shown: String = key.chars().take(LONGEST).collect();
                    let _ = write!(place, ".{}", shown.escape_debug());
                }
                _ => {
                    let _ = write!(place, "[{}]", heap::number(at as f64));
                }
            }
            if place.len() > LONGEST {
                place.push('…');
                break;
            }
        }
        place
    }
}

/// How many bytes more than itself a byte takes when it is escaped.
fn extra(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | 8 | 9 | 10 | 12 | 13 => 1,
        0..=31 => 5,
        _ => 0,
    }
}

fn escape(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '\0'..='\u{1f}' => {
            let _ = write!(out, "\\u{:04x}", character as u32);
        }
        _ => out.push(character),
    }
}
