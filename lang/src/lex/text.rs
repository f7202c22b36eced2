//! Strings: plain, bytes, and the literal stretches of interpolated ones, with their escapes resolved.

use super::{Stretch, offset};
use crate::diagnostic::{Diagnostic, Reports, codes, quoted};
use crate::source::Span;

/// A string's text after its opening quote: what it says, and how many bytes it takes, closing quote included. `start` is where the literal
/// began, `open` where its text begins.
pub fn string(rest: &str, quote: u8, start: usize, open: usize, reports: &Reports) -> (Box<str>, usize) {
    let mut reader = Reader { rest, open, at: 0, reports };
    let mut out = String::new();
    loop {
        let run = reader.run(|byte| byte == quote || matches!(byte, b'\\' | b'\n' | b'\r'));
        out.push_str(run);
        match reader.peek() {
            Some(b'\\') => match reader.escape(false) {
                Some(Escape::Char(each)) => out.push(each),
                Some(Escape::Byte(byte)) => out.push(char::from(byte)),
                None => {}
            },
            Some(byte) if byte == quote => {
                reader.at += 1;
                break;
            }
            _ => {
                reader.unterminated(start, "string");
                break;
            }
        }
    }
    (out.into_boxed_str(), reader.at)
}

/// The same for `b"…"`.
pub fn bytes(rest: &str, start: usize, open: usize, reports: &Reports) -> (Box<[u8]>, usize) {
    let mut reader = Reader { rest, open, at: 0, reports };
    let mut out = Vec::new();
    loop {
        let run = reader.run(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\r'));
        out.extend_from_slice(run.as_bytes());
        match reader.peek() {
            Some(b'\\') => match reader.escape(true) {
                Some(Escape::Char(each)) => out.extend_from_slice(each.encode_utf8(&mut [0; 4]).as_bytes()),
                Some(Escape::Byte(byte)) => out.push(byte),
                None => {}
            },
            Some(b'"') => {
                reader.at += 1;
                break;
            }
            _ => {
                reader.unterminated(start, "byte string");
                break;
            }
        }
    }
    (out.into_boxed_slice(), reader.at)
}

/// A stretch of an interpolated string: up to and with a `{` that opens an expression, or the closing quote.
pub fn stretch(rest: &str, open: usize, reports: &Reports) -> (Box<str>, usize, Stretch) {
    let mut reader = Reader { rest, open, at: 0, reports };
    let mut out = String::new();
    let end = loop {
        let run = reader.run(|byte| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b'\n' | b'\r'));
        out.push_str(run);
        match reader.peek() {
            Some(b'\\') => match reader.escape(false) {
                Some(Escape::Char(each)) => out.push(each),
                Some(Escape::Byte(byte)) => out.push(char::from(byte)),
                None => {}
            },
            Some(brace @ (b'{' | b'}')) if reader.second() == Some(brace) => {
                out.push(char::from(brace));
                reader.at += 2;
            }
            Some(b'{') => {
                reader.at += 1;
                break Stretch::Piece;
            }
            Some(b'}') => {
                let report = Diagnostic::new(codes::LONE_BRACE, reader.place(1), "a `}` stands alone in an interpolated string");
                reader.refuse(report.help("write `}}` for a literal brace"));
                reader.at += 1;
            }
            Some(b'"') => {
                reader.at += 1;
                break Stretch::End;
            }
            _ => {
                reader.unterminated(open, "interpolated string");
                break Stretch::End;
            }
        }
    };
    (out.into_boxed_str(), reader.at, end)
}

enum Escape {
    Char(char),
    Byte(u8),
}

struct Reader<'s, 'r> {
    rest: &'s str,
    /// Where `rest` begins in the source.
    open: usize,
    at: usize,
    reports: &'r Reports,
}

impl<'s> Reader<'s, '_> {
    fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().get(self.at).copied()
    }

    fn second(&self) -> Option<u8> {
        self.rest.as_bytes().get(self.at + 1).copied()
    }

    /// Everything up to a byte that `stops` (or the end). Only ASCII bytes may stop, so it ends between characters.
    fn run(&mut self, stops: impl Fn(u8) -> bool) -> &'s str {
        let rest = self.rest.get(self.at..).unwrap_or("");
        let length = rest.bytes().position(stops).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or("")
    }

    /// `length` bytes from here.
    fn place(&self, length: usize) -> Span {
        let start = self.open + self.at;
        Span::new(offset(start), offset((start + length).min(self.open + self.rest.len())))
    }

    /// An error inside a literal; the literal still stands, so the parser has nothing to add.
    fn refuse(&self, report: Diagnostic) {
        self.reports.push(report);
    }

    fn unterminated(&self, start: usize, what: &str) {
        let place = Span::new(offset(start), offset(self.open + self.at));
        // The parser's view of the rest of this statement is worth nothing: quotes may pair wrongly.
        self.reports.cover(place.to(self.place(1)));
        let report = Diagnostic::new(codes::UNTERMINATED, place, format!("this {what} is not closed on its line"));
        self.refuse(report.label("starts here").help("a line end in a string is written `\\n`"));
    }

    /// Reads an escape that starts here; nothing when it was refused.
    fn escape(&mut self, in_bytes: bool) -> Option<Escape> {
        let rest = self.rest.get(self.at + 1..).unwrap_or("");
        let Some(letter) = rest.chars().next() else {
            self.at += 1;
            return None;
        };
        let plain = match letter {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '0' => '\0',
            '\\' | '"' | '\'' => letter,
            'x' => return self.hexadecimal(in_bytes),
            'u' => return self.code_point(),
            '\n' | '\r' => {
                // The line ends here, which the caller reports.
                self.at += 1;
                return None;
            }
            _ => {
                let report = Diagnostic::new(
                    codes::BAD_ESCAPE,
                    self.place(1 + letter.len_utf8()),
                    format!("`\\` before {} means nothing", quoted_char(letter)),
                );
                self.refuse(report.help("escapes are \\n \\t \\r \\0 \\\\ \\\" \\' \\xHH \\u{…}; a plain backslash is `\\\\`"));
                self.at += 1 + letter.len_utf8();
                return None;
            }
        };
        self.at += 1 + letter.len_utf8();
        Some(Escape::Char(plain))
    }

    /// `\xHH`: a byte in a byte string, below 0x80 in text (more would be half a character).
    fn hexadecimal(&mut self, in_bytes: bool) -> Option<Escape> {
        let digits = self.rest.get(self.at + 2..self.at + 4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(value) = value else {
            let report = Diagnostic::new(codes::BAD_ESCAPE, self.place(2), "two hexadecimal digits must follow `\\x`");
            self.refuse(report);
            self.at += 2;
            return None;
        };
        if !in_bytes && value >= 0x80 {
            let report = Diagnostic::new(codes::BAD_ESCAPE, self.place(4), format!("`\\x{value:02X}` is no character by itself"));
            self.refuse(report.help(format!("in text write `\\u{{{value:X}}}`; single bytes belong in `b\"…\"`")));
            self.at += 4;
            return None;
        }
        self.at += 4;
        Some(Escape::Byte(value))
    }

    /// `\u{…}`
    fn code_point(&mut self) -> Option<Escape> {
        let rest = self.rest.get(self.at + 2..).unwrap_or("");
        let inner = rest.strip_prefix('{').unwrap_or("");
        let digits = inner.bytes().take(9).take_while(u8::is_ascii_hexdigit).count();
        let closed = inner.as_bytes().get(digits) == Some(&b'}') && digits > 0;
        let value = inner.get(..digits).filter(|_| closed && digits <= 6).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if let Some(each) = value.and_then(char::from_u32) {
            self.at += digits + 4;
            return Some(Escape::Char(each));
        }
        let length = if closed { digits + 4 } else { 2 };
        let words = if closed { "is no character" } else { "must be `\\u{…}` with one to six hexadecimal digits" };
        let written = quoted(self.rest.get(self.at..self.at + length).unwrap_or("\\u"));
        let report = Diagnostic::new(codes::BAD_ESCAPE, self.place(length), format!("{written} {words}"));
        self.refuse(report);
        self.at += length;
        None
    }
}

fn quoted_char(each: char) -> String {
    quoted(each.encode_utf8(&mut [0; 4]))
}
