//! What a script writes to a terminal: text, and nothing that the terminal would obey.
//!
//! A terminal takes commands in the same stream as text: to clear and overwrite what others wrote, to set titles and the clipboard, to answer as if
//! somebody typed. So what goes to a terminal has its control characters written out, those apart that lines need, and so do characters that turn the
//! direction of text. What goes to a file or a pipe is the script's own bytes.

use std::borrow::Cow;
use std::io::{self, IsTerminal};

/// Which of the two streams show text on a terminal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    out: bool,
    err: bool,
}

impl Screen {
    /// As the process was started.
    pub(super) fn new() -> Self {
        Self { out: io::stdout().is_terminal(), err: io::stderr().is_terminal() }
    }
    /// Nothing is written out: the operator asked for the script's own bytes.
    pub(super) fn raw() -> Self {
        Self { out: false, err: false }
    }
    /// Does a terminal show standard output?
    pub(super) fn shows_out(self) -> bool {
        self.out
    }
    /// Does one show standard error?
    pub(super) fn shows_err(self) -> bool {
        self.err
    }
    /// What is to be written to standard output.
    pub(super) fn out(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if self.out { tame(bytes) } else { Cow::Borrowed(bytes) }
    }
    /// What is to be written to standard error.
    pub(super) fn err(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if self.err { tame(bytes) } else { Cow::Borrowed(bytes) }
    }
}

/// Whether a character may reach a terminal as it is. Joiners and variants belong to how people write.
fn is_tame(c: char) -> bool {
    matches!(c, '\n' | '\t') || !(c.is_control() || turns_text(c))
}

/// Characters that end lines or turn the direction of text, and those that repeat ASCII invisibly.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text with everything written out that a terminal would obey. Bytes that are no text are written out, too: two writes could put together what
/// neither holds.
fn tame(bytes: &[u8]) -> Cow<'_, [u8]> {
    let plain = std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_tame));
    if plain {
        return Cow::Borrowed(bytes);
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut chars = chunk.valid().chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                // A line's end of another system.
                '\r' if chars.peek() == Some(&'\n') => {}
                c if is_tame(c) => out.push(c),
                c if c.is_ascii() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
                c => out.extend(c.escape_unicode()),
            }
        }
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    }
    Cow::Owned(out.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_as_it_was_and_what_a_terminal_obeys_is_written_out() {
        for (bytes, shown) in [
            (&b"plain\n\ttext\n"[..], "plain\n\ttext\n"),
            ("grüße 世界 👋🏽 ❤\u{fe0f} 👩\u{200d}🚀".as_bytes(), "grüße 世界 👋🏽 ❤\u{fe0f} 👩\u{200d}🚀"),
            (b"a\r\nb\r", "a\nb\\x0d"),
            (b"\x1b[2J\x07\x7f\0", "\\x1b[2J\\x07\\x7f\\x00"),
            ("\u{9b}31m\u{202e}\u{2028}\u{e0041}".as_bytes(), "\\u{9b}31m\\u{202e}\\u{2028}\\u{e0041}"),
            (b"\xc2", "\\xc2"),
            (b"\x9b31m\xff", "\\x9b31m\\xff"),
        ] {
            assert_eq!(String::from_utf8_lossy(&tame(bytes)), shown);
        }
    }
}
