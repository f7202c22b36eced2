//! The text of values, as `prn` and `str` show it.
//!
//! Iterative, because a list may be nested a million deep, and bounded in work and bytes, because sixty lists that each hold the one before
//! twice have a text of 2^60 characters. Shows no address, no number of a handle or sandbox.

use super::account::next_capacity;
use super::path::{LEVEL_BYTES, Path};
use super::{Heap, Store, Units};
use crate::value::{Kind, StrId, Value};

/// How far a walk over values may go.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Steps: one per value, one per [`STEP_BYTES`] of text. Fuel pays for them.
    pub work: u64,
    /// Bytes the walk may hold itself, its result included.
    pub bytes: usize,
}

/// Bytes of text that count as one step.
pub const STEP_BYTES: usize = 16;

/// A walk would go past its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overrun {
    /// More work than allowed: out of fuel.
    Work,
    /// Time is up.
    Late,
    /// More memory than allowed: so many bytes would be needed, at least.
    Bytes(usize),
}

/// What builtins and natives are called, by number.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// A builtin's name.
    pub builtin: fn(u32) -> &'static str,
    /// A native's name.
    pub native: fn(u32) -> &'static str,
}

impl Default for Names {
    fn default() -> Self {
        Self { builtin: |_| "builtin", native: |_| "native" }
    }
}

/// A number's text: the shortest that reads back as the same number, without a fraction when there is none.
#[must_use]
pub fn number(number: f64) -> String {
    Digits::default().of(number).to_owned()
}

/// Room for a number's text.
pub struct Digits {
    general: ryu_js::Buffer,
    whole: [u8; 20],
}

impl Default for Digits {
    fn default() -> Self {
        Self { general: ryu_js::Buffer::new(), whole: [0; 20] }
    }
}

impl Digits {
    /// The text of [`number`].
    pub fn of(&mut self, number: f64) -> &str {
        /// Below it every whole number is written digit by digit.
        const PLAIN: f64 = 9_007_199_254_740_992.0;
        let whole = number as i64;
        if whole as f64 != number || number.abs() >= PLAIN {
            return self.general.format(number);
        }
        let (mut rest, mut first) = (whole.unsigned_abs(), self.whole.len());
        for (at, place) in self.whole.iter_mut().enumerate().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
            first = at;
            if rest == 0 {
                break;
            }
        }
        if whole < 0 {
            first = first.saturating_sub(1);
            if let Some(place) = self.whole.get_mut(first) {
                *place = b'-';
            }
        }
        self.whole.get(first..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
    }
}

/// Appends a value's text to `out` and tells the work it took. At the top a string is bare; inside a list or an object it is quoted.
/// After an overrun, `out` holds the beginning of the text.
pub fn text(heap: &Heap, value: Value, out: &mut String, bound: Bound) -> Result<u64, Overrun> {
    let mut writer = Writer { store: &heap.store, units: &heap.units, out, stack: Vec::new(), path: Path::default(), work: 0, bound };
    writer.value(value, false)?;
    writer.finish()?;
    Ok(writer.work)
}

/// The beginning of a value's text for messages: at most about `max` bytes, a `…` when there is more.
#[must_use]
pub fn short_text(heap: &Heap, value: Value, max: usize) -> String {
    let mut out = String::new();
    // Room for brackets on the way as well as for the text; whatever the value, the work stays in proportion to `max`.
    let bound = Bound { work: max as u64 * 4 + 64, bytes: max.saturating_mul(64) + 4096 };
    let complete = match value.kind() {
        Kind::Str(id) => {
            let text = heap.str(id);
            out.push_str(text.get(..text.floor_char_boundary(max)).unwrap_or_default());
            text.len() <= max
        }
        _ => text(heap, value, &mut out, bound).is_ok(),
    };
    if !complete || out.len() > max {
        out.truncate(out.floor_char_boundary(max));
        out.push('…');
    }
    out
}

/// A value's text as it stands inside a list, when it is at most so long and nothing in it takes more lines.
#[must_use]
pub(super) fn on_one_line(heap: &Heap, value: Value, max: usize) -> Option<String> {
    let mut out = String::new();
    let bound = Bound { work: max as u64 * 4 + 64, bytes: max.saturating_mul(64) + 4096 };
    let mut writer =
        Writer { store: &heap.store, units: &heap.units, out: &mut out, stack: Vec::new(), path: Path::default(), work: 0, bound };
    writer.value(value, true).and_then(|()| writer.finish()).ok()?;
    (out.chars().count() <= max).then_some(out)
}

/// The beginning of it, when there is more.
#[must_use]
pub(super) fn beginning(heap: &Heap, value: Value, max: usize) -> String {
    let mut out = String::new();
    let bound = Bound { work: max as u64 * 4 + 64, bytes: max.saturating_mul(64) + 4096 };
    let mut writer =
        Writer { store: &heap.store, units: &heap.units, out: &mut out, stack: Vec::new(), path: Path::default(), work: 0, bound };
    let text = match value.kind() {
        Kind::Str(id) => heap.str(id),
        _ => "",
    };
    let written = match text.char_indices().nth(max) {
        // So much of a text is written that what is left out can't change it.
        Some((at, _)) => writer.quote(text.get(..at).unwrap_or_default()),
        None => writer.value(value, true).and_then(|()| writer.finish()),
    };
    let is_whole = written.is_ok() && out.chars().count() <= max;
    if !is_whole {
        let end = out.char_indices().nth(max).map_or(out.len(), |(at, _)| at);
        out.truncate(end);
        out.push('…');
    }
    out
}

/// A list or an object being written, and the next element.
struct Frame {
    container: Value,
    next: usize,
}

struct Writer<'a> {
    store: &'a Store,
    units: &'a Units,
    out: &'a mut String,
    stack: Vec<Frame>,
    path: Path,
    work: u64,
    bound: Bound,
}

impl Writer<'_> {
    fn spend(&mut self, work: u64) -> Result<(), Overrun> {
        let before = self.work;
        self.work += work;
        if self.work > self.bound.work {
            return Err(Overrun::Work);
        }
        if self.store.watch.is_late(before, self.work) { Err(Overrun::Late) } else { Ok(()) }
    }
    fn push(&mut self, text: &str) -> Result<(), Overrun> {
        let needed = self.out.len().saturating_add(text.len());
        if needed > self.out.capacity() {
            let capacity = next_capacity(self.out.capacity(), needed, 1);
            let peak = self.out.capacity().saturating_add(capacity).saturating_add(self.stack.len() * LEVEL_BYTES);
            if peak > self.bound.bytes {
                return Err(Overrun::Bytes(peak));
            }
            self.out.reserve_exact(capacity - self.out.len());
        }
        self.out.push_str(text);
        Ok(())
    }
    fn finish(&mut self) -> Result<(), Overrun> {
        while let Some(frame) = self.stack.last_mut() {
            let (container, at) = (frame.container, frame.next);
            frame.next += 1;
            match container.kind() {
                Kind::List(id) => match self.store.list(id).get(at) {
                    Some(&item) => {
                        self.separate(at)?;
                        self.value(item, true)?;
                    }
                    None => self.close("]")?,
                },
                Kind::Object(id) => match self.store.entry(id, at) {
                    Some((key, value)) => {
                        self.separate(at)?;
                        self.key(key)?;
                        self.value(value, true)?;
                    }
                    None => self.close("}")?,
                },
                _ => self.close("")?,
            }
        }
        Ok(())
    }
    fn separate(&mut self, at: usize) -> Result<(), Overrun> {
        if at > 0 { self.push(", ") } else { Ok(()) }
    }
    fn close(&mut self, bracket: &str) -> Result<(), Overrun> {
        self.stack.pop();
        self.path.leave();
        self.push(bracket)
    }
    fn open(&mut self, container: Value, empty: &str) -> Result<(), Overrun> {
        if self.path.has(container) {
            return self.push("…");
        }
        self.push(empty.get(..1).unwrap_or_default())?;
        let held = self.out.capacity().saturating_add(self.stack.len() * LEVEL_BYTES);
        if held > self.bound.bytes {
            return Err(Overrun::Bytes(held));
        }
        self.path.enter(container);
        self.stack.push(Frame { container, next: 0 });
        Ok(())
    }
    fn value(&mut self, value: Value, quoted: bool) -> Result<(), Overrun> {
        self.spend(1)?;
        match value.kind() {
            Kind::Num(number) => self.push(ryu_js::Buffer::new().format(number)),
            Kind::Nil | Kind::Unset => self.push("nil"),
            Kind::Bool(truth) => self.push(if truth { "tru" } else { "fls" }),
            Kind::Str(id) if quoted => self.quote(self.store.str(id)),
            Kind::Str(id) => {
                let text = self.store.str(id);
                self.spend((text.len() / STEP_BYTES) as u64)?;
                self.push(text)
            }
            Kind::List(_) => self.open(value, "[]"),
            Kind::Object(_) => self.open(value, "{}"),
            Kind::Bytes(id) => self.bytes(self.store.bytes(id)),
            Kind::Function(id) => {
                let function = self.store.function(id);
                let unit = function.and_then(|function| self.units.get(function.unit).map(|unit| (unit, function.function)));
                let code = unit.and_then(|(unit, number)| unit.program.functions.get(number as usize));
                self.named("fun", code.map_or("\\", |code| &code.name))
            }
            Kind::Builtin(number) => self.named("bif", (self.store.names.builtin)(number)),
            Kind::Native(number) => self.named("bif", (self.store.names.native)(number)),
            Kind::Method(id) => {
                let native = self.store.method(id).map_or(u32::MAX, |method| u32::from(method.native.0));
                self.named("bif", (self.store.names.native)(native))
            }
            Kind::Handle(_) | Kind::Sandbox(_) => {
                self.push("<")?;
                self.push(self.store.type_name(value))?;
                self.push(">")
            }
            Kind::Cell(_) => self.push("nil"),
        }
    }
    fn named(&mut self, kind: &str, name: &str) -> Result<(), Overrun> {
        for part in ["<", kind, " ", name, ">"] {
            self.push(part)?;
        }
        Ok(())
    }
    fn key(&mut self, key: StrId) -> Result<(), Overrun> {
        let text = self.store.str(key);
        if is_name(text) {
            self.push(text)?
        } else {
            self.quote(text)?
        }
        self.push(": ")
    }
    /// Text in double quotes. What would not show, or would act on a terminal, is escaped.
    fn quote(&mut self, text: &str) -> Result<(), Overrun> {
        self.spend((text.len() / STEP_BYTES) as u64)?;
        self.push("\"")?;
        let mut plain = 0;
        for (at, character) in text.char_indices() {
            let escape = match character {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\t' => "\\t",
                '\r' => "\\r",
                '\0' => "\\0",
                _ if character.is_control() => "",
                _ => continue,
            };
            self.push(text.get(plain..at).unwrap_or_default())?;
            plain = at + character.len_utf8();
            if escape.is_empty() {
                self.push(&format!("\\u{{{:x}}}", character as u32))?;
            } else {
                self.push(escape)?;
            }
        }
        self.push(text.get(plain..).unwrap_or_default())?;
        self.push("\"")
    }
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Overrun> {
        self.spend((bytes.len() / STEP_BYTES) as u64)?;
        self.push("b\"")?;
        for &byte in bytes {
            match byte {
                b'"' => self.push("\\\"")?,
                b'\\' => self.push("\\\\")?,
                b'\n' => self.push("\\n")?,
                b'\t' => self.push("\\t")?,
                b'\r' => self.push("\\r")?,
                b' '..=b'~' => self.push((byte as char).encode_utf8(&mut [0; 4]))?,
                _ => self.push(&format!("\\x{byte:02x}"))?,
            }
        }
        self.push("\"")
    }
}

/// Words that can't stand as a bare key: the language's own.
const RESERVED: &[&str] = &["tru", "fls", "nil", "if", "whl", "mat", "use", "def", "ret", "brk", "cnt", "and", "or", "not", "fn"];

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !RESERVED.contains(&text)
}

/// A key as it stands in an object's text, cut when it is long.
pub(super) fn key_text(key: &str) -> String {
    const MOST: usize = 60;
    let short: String = key.chars().take(MOST).collect();
    let more = if short.len() < key.len() { "…" } else { "" };
    if is_name(key) { format!("{short}{more}") } else { format!("\"{}\"{more}", ilu_sbx::denial::escape(&short, MOST)) }
}
