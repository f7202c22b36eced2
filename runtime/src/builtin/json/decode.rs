//! JSON text to values.

use super::MAX_DEPTH;
use crate::builtin::{Cx, Fault};
use crate::heap::Store;
use crate::value::{ListId, ObjectId, StrId, Value};

/// Bytes of text that cost one unit of fuel: the shortest value with its comma takes two or three.
const STEP: usize = 4;

pub(super) fn decode(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let id = cx.text_arg(args, 0, "jsn.dec")?;
    cx.spend(1 + cx.heap.str(id).len() / STEP)?;
    cx.heap.lend(id, |heap, text| Reader { heap, text, at: 0, open: Vec::new() }.document())?
}

/// A list or an object whose end has not come yet.
enum Open {
    List(ListId),
    /// With the key whose value comes next.
    Object(ObjectId, StrId),
}

struct Reader<'a> {
    heap: &'a mut Store,
    text: &'a str,
    at: usize,
    open: Vec<Open>,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Value, Fault> {
        if self.text.starts_with('\u{FEFF}') {
            self.at = '\u{FEFF}'.len_utf8();
        }
        loop {
            let mut value = match self.value()? {
                Some(value) => value,
                None => continue,
            };
            // A finished value goes into the container around it, which may thereby be finished too.
            loop {
                let Some(open) = self.open.last() else { return self.end(value) };
                let finished = match *open {
                    Open::List(list) => {
                        self.heap.list_push(list, value)?;
                        self.list_goes_on()?.then(|| list.into())
                    }
                    Open::Object(object, key) => {
                        self.heap.set(object, key, value)?;
                        self.object_goes_on(object)?.then(|| object.into())
                    }
                };
                match finished {
                    Some(container) => {
                        self.open.pop();
                        value = container;
                    }
                    None => break,
                }
            }
        }
    }
    fn end(&mut self, value: Value) -> Result<Value, Fault> {
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.wrong("the end")),
        }
    }
    /// After an element: true at the list's end, false when another element follows.
    fn list_goes_on(&mut self) -> Result<bool, Fault> {
        match self.peek() {
            Some(b',') => self.at += 1,
            Some(b']') => {
                self.at += 1;
                return Ok(true);
            }
            _ => return Err(self.wrong("`,` or `]`")),
        }
        Ok(false)
    }
    /// After a pair: true at the object's end, false when another key was read.
    fn object_goes_on(&mut self, object: ObjectId) -> Result<bool, Fault> {
        match self.peek() {
            Some(b',') => self.at += 1,
            Some(b'}') => {
                self.at += 1;
                return Ok(true);
            }
            _ => return Err(self.wrong("`,` or `}`")),
        }
        let key = self.key()?;
        if let Some(open) = self.open.last_mut() {
            *open = Open::Object(object, key);
        }
        Ok(false)
    }
    /// A value, or nothing when a container was opened whose first element comes next.
    fn value(&mut self) -> Result<Option<Value>, Fault> {
        match self.peek() {
            Some(b'"') => self.string().map(Some),
            Some(b'-' | b'0'..=b'9') => self.number().map(Some),
            Some(b'n') => self.word("null", Value::NIL),
            Some(b't') => self.word("true", Value::TRUE),
            Some(b'f') => self.word("false", Value::FALSE),
            Some(b'[') => {
                let list = self.heap.list_with_capacity(0)?;
                self.opened(list.into(), b']', |_| Ok(Open::List(list)))
            }
            Some(b'{') => {
                let object = self.heap.object_new()?;
                self.opened(object.into(), b'}', |reader| Ok(Open::Object(object, reader.key()?)))
            }
            _ => Err(self.wrong("a value")),
        }
    }
    fn opened(&mut self, container: Value, end: u8, open: impl FnOnce(&mut Self) -> Result<Open, Fault>) -> Result<Option<Value>, Fault> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.error(&format!("nested deeper than {MAX_DEPTH}")));
        }
        self.at += 1;
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(Some(container));
        }
        let open = open(self)?;
        self.open.push(open);
        Ok(None)
    }
    /// The next byte that is not a blank.
    fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                _ => return Some(byte),
            }
        }
        None
    }
    fn word(&mut self, word: &str, value: Value) -> Result<Option<Value>, Fault> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.wrong("a value"));
        }
        self.at += word.len();
        Ok(Some(value))
    }
    fn digits(&mut self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }
    fn next_is(&self, wanted: &[u8]) -> bool {
        self.text.as_bytes().get(self.at).is_some_and(|byte| wanted.contains(byte))
    }
    fn number(&mut self) -> Result<Value, Fault> {
        let start = self.at;
        self.at += usize::from(self.next_is(b"-"));
        let zero = self.next_is(b"0");
        let whole = self.digits();
        if whole == 0 {
            return Err(self.wrong("a digit"));
        }
        if zero && whole > 1 {
            self.at = start;
            return Err(self.error("a number starts with a superfluous 0"));
        }
        if self.next_is(b".") {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.wrong("a digit"));
            }
        }
        if self.next_is(b"eE") {
            self.at += 1;
            self.at += usize::from(self.next_is(b"+-"));
            if self.digits() == 0 {
                return Err(self.wrong("a digit"));
            }
        }
        let number = self.text.get(start..self.at).and_then(|digits| digits.parse::<f64>().ok()).filter(|number| number.is_finite());
        match number {
            Some(number) => Ok(Value::num(number)),
            None => {
                self.at = start;
                Err(self.error("a number is too large"))
            }
        }
    }
    /// A key and its colon.
    fn key(&mut self) -> Result<StrId, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.wrong("a key in double quotes"));
        }
        let text = self.string()?;
        let key = match text.as_str() {
            Some(id) => self.heap.key(id)?,
            None => return Err(self.wrong("a key")),
        };
        if self.peek() != Some(b':') {
            return Err(self.wrong("`:`"));
        }
        self.at += 1;
        Ok(key)
    }
    fn string(&mut self) -> Result<Value, Fault> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            self.at += rest.iter().take_while(|&&byte| byte != b'"' && byte != b'\\' && byte >= b' ').count();
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    // What is escaped is looked at when the string is put together; here only an escaped quote matters.
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => return Err(self.error("a control character in a string must be escaped")),
                None => {
                    self.at = start - 1;
                    return Err(self.error("a string without an end"));
                }
            }
        }
        let end = self.at;
        let raw = self.text.get(start..end).unwrap_or_default();
        let value = if escaped { self.unescaped(start, raw)? } else { self.heap.string(raw)? };
        self.at = end + 1;
        Ok(value)
    }
    /// A string with escapes, the text of which begins at `start`. It is never longer than its escaped form.
    fn unescaped(&mut self, start: usize, raw: &str) -> Result<Value, Fault> {
        self.heap.charge(raw.len())?;
        let mut text = String::with_capacity(raw.len());
        let mut rest = raw;
        let mut bad = None;
        while let Some(at) = rest.find('\\') {
            text.push_str(rest.get(..at).unwrap_or_default());
            rest = rest.get(at..).unwrap_or_default();
            match escape(rest) {
                Ok((character, length)) => {
                    text.push(character);
                    rest = rest.get(length..).unwrap_or_default();
                }
                Err(what) => {
                    bad = Some((start + raw.len() - rest.len(), what));
                    break;
                }
            }
        }
        self.heap.release(raw.len());
        if let Some((at, what)) = bad {
            self.at = at;
            return Err(self.error(what));
        }
        text.push_str(rest);
        Ok(self.heap.string_owned(text)?)
    }

    fn wrong(&mut self, expected: &str) -> Fault {
        self.peek();
        let got = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => "the end of the text".to_owned(),
            Some(character) if character.is_control() => format!("the control character U+{:04X}", character as u32),
            Some(character) => format!("`{character}`"),
        };
        self.error(&format!("expected {expected}, got {got}"))
    }
    fn error(&self, what: &str) -> Fault {
        let before = self.text.get(..self.at).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.get(line_start..).unwrap_or_default().chars().count();
        Fault::Message(format!("jsn.dec: line {line}, column {column}: {what}"))
    }
}

/// The character an escape at the start of this text stands for, and the escape's length.
fn escape(text: &str) -> Result<(char, usize), &'static str> {
    let simple = match text.as_bytes().get(1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(text),
        _ => return Err("no such escape"),
    };
    Ok((simple, 2))
}

fn unicode(text: &str) -> Result<(char, usize), &'static str> {
    const HALF: &str = "half a surrogate pair is no character";
    let first = unit(text, 0).ok_or("`\\u` takes four hexadecimal digits")?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, 6));
    }
    match unit(text, 6) {
        Some(second @ 0xDC00..=0xDFFF) if first < 0xDC00 => {
            let code = 0x1_0000 + (first - 0xD800) * 0x400 + (second - 0xDC00);
            char::from_u32(code).map(|character| (character, 12)).ok_or(HALF)
        }
        _ => Err(HALF),
    }
}

/// The number of a `\uXXXX` at a place.
fn unit(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    // `from_str_radix` alone would take a sign.
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u32::from_str_radix(digits, 16).ok() } else { None }
}
