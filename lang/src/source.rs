//! Source text and places in it.
//!
//! A [`Source`] is one piece of text with the name people know it by. A [`Span`] is a half-open byte range in it. Both are plain
//! data: nothing here reads a file.

use std::sync::Arc;

/// A half-open range of bytes in one source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset just past the last byte.
    pub end: u32,
}

impl Span {
    /// The range from `start` up to and without `end`.
    #[must_use]
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// Text to compile, and the name that errors give it.
#[derive(Debug)]
pub struct Source {
    /// What errors call it: a path as the operator wrote it, `<stdin>`, `<eval>`, `fs.ilu`. Never a host path the script was not given.
    pub name: String,
    /// The text; byte offsets of every [`Span`] point into it.
    pub text: String,
    /// Offset of each line's first byte.
    line_starts: Vec<u32>,
}

/// Sources above this many bytes are refused before they are read: offsets are `u32`, and memory for compiling grows with the text.
pub const MAX_SOURCE_BYTES: usize = 64 << 20;

impl Source {
    /// Takes text that is known to be UTF-8.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        let (mut name, mut text): (String, String) = (name.into(), text.into());
        name.shrink_to_fit();
        text.shrink_to_fit();
        // Counted first: a text may be nothing but line ends, and the list is kept as long as the text.
        let mut line_starts = Vec::with_capacity(1 + text.bytes().filter(|&byte| byte == b'\n').count());
        line_starts.push(0);
        for (at, byte) in text.bytes().enumerate() {
            if byte == b'\n' {
                line_starts.push(u32::try_from(at + 1).unwrap_or(u32::MAX));
            }
        }
        Arc::new(Self { name, text, line_starts })
    }

    /// Bytes it holds beside itself.
    #[must_use]
    pub fn held(&self) -> usize {
        self.name.capacity() + self.text.capacity() + self.line_starts.capacity() * size_of::<u32>()
    }

    /// Line and column (both from 1; the column counts code points) of a byte offset. An offset past the end gives the end.
    #[must_use]
    pub fn position(&self, offset: u32) -> (usize, usize) {
        let offset = offset.min(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        let line = self.line_number(offset);
        let start = self.line_starts.get(line - 1).map_or(0, |&at| at as usize);
        let column = self.text.get(start..offset as usize).map_or(0, |before| before.chars().count()) + 1;
        (line, column)
    }

    /// The line (from 1) of a byte offset, without looking for the column.
    #[must_use]
    pub fn line_number(&self, offset: u32) -> usize {
        self.line_starts.partition_point(|&start| start <= offset).max(1)
    }

    /// The text of a line (from 1) without its line end; empty when there is no such line.
    #[must_use]
    pub fn line(&self, line: usize) -> &str {
        let Some(&start) = line.checked_sub(1).and_then(|index| self.line_starts.get(index)) else { return "" };
        let end = self.line_starts.get(line).map_or(self.text.len(), |&at| at as usize);
        self.text.get(start as usize..end).unwrap_or("").trim_end_matches(['\n', '\r'])
    }
}
