//! Writes words again: lines, indentation, comments.

use super::space::{Last, blank};
use super::word::Word;
use crate::token::Tok;

/// Blanks of one step of indentation.
const STEP: usize = 4;

/// What a line can stand in.
#[derive(Clone, Copy, Debug)]
enum Frame {
    /// A block. `from`: its column in the source; `line`: the indentation of its last line.
    Block { from: usize, column: usize, line: usize },
    /// A bracket. `line`: the indentation of the line that opened it; `params`: it holds a lambda's parameters.
    Bracket { line: usize, params: bool },
}

struct Printer<'s> {
    text: &'s str,
    out: String,
    frames: Vec<Frame>,
    /// Indentation of the line being written.
    indent: usize,
}

/// The formatted text.
pub fn print(text: &str, words: &[Word<'_, '_>]) -> String {
    let mut printer = Printer { text, out: String::with_capacity(text.len() + 16), frames: Vec::new(), indent: 0 };
    let mut last = None;
    let mut end = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    for (at, word) in words.iter().enumerate() {
        let params = printer.word(at, words, last, end);
        last = Some(Last::of(word, last, params));
        end = word.end;
    }
    let closed = std::mem::take(&mut printer.frames);
    printer.comments(text.get(end..).unwrap_or_default(), end, &closed, 0, false);
    if !printer.out.is_empty() {
        printer.out.push('\n');
    }
    printer.out
}

impl Printer<'_> {
    /// Writes a word; whether it closes a lambda's parameters.
    fn word(&mut self, at: usize, words: &[Word<'_, '_>], last: Option<Last<'_, '_>>, end: usize) -> bool {
        let Some(word) = words.get(at) else { return false };
        let gap = self.text.get(end..word.start).unwrap_or_default();
        let closed = self.close(word.closes);
        if self.frames.is_empty() {
            self.frames.push(Frame::Block { from: self.column(word.start), column: 0, line: 0 });
        } else if word.opens {
            let column = self.block_column(word.after.and_then(|after| words.get(after)));
            self.frames.push(Frame::Block { from: self.column(word.start), column, line: column });
        }
        match last {
            Some(last) if !gap.contains('\n') => {
                if blank(last, word) {
                    self.out.push(' ');
                }
            }
            _ => {
                let indent = self.line_indent(word, &closed);
                // No blank line where a block or a bracket begins, nor before what ends one.
                let inner = match self.frames.last() {
                    Some(Frame::Bracket { line, .. }) => line + STEP,
                    _ => indent,
                };
                let begins =
                    word.opens || last.is_some_and(|last| matches!(last.tok, Tok::Open | Tok::CallOpen | Tok::ListOpen | Tok::ObjectOpen));
                let blank = self.comments(gap, end, &closed, inner, begins);
                self.break_line(blank && !word.is_closer() && *word.tok != Tok::Else, indent);
                self.indent = indent;
            }
        }
        self.out.push_str(word.text);
        if word.is_opener() {
            let params = last.is_some_and(|last| matches!(last.tok, Tok::Lambda));
            self.frames.push(Frame::Bracket { line: self.indent, params });
        } else if word.is_closer() {
            return matches!(self.frames.pop(), Some(Frame::Bracket { params: true, .. }));
        }
        false
    }

    /// Leaves blocks; innermost first.
    fn close(&mut self, blocks: usize) -> Vec<Frame> {
        let kept = self.frames.len().saturating_sub(blocks);
        self.frames.drain(kept..).collect()
    }

    /// The column of a block that begins now. What follows it in the same bracket, on a line of its own, must stand further left.
    fn block_column(&self, after: Option<&Word<'_, '_>>) -> usize {
        match self.frames.last() {
            Some(Frame::Block { line, .. }) => line + STEP,
            Some(Frame::Bracket { line, .. }) => match after {
                Some(after) if !after.is_closer() => (self.indent + STEP).max(line + 2 * STEP),
                _ => self.indent + STEP,
            },
            None => 0,
        }
    }

    /// The indentation of a line that begins with this word.
    fn line_indent(&mut self, word: &Word<'_, '_>, closed: &[Frame]) -> usize {
        match self.frames.last_mut() {
            Some(Frame::Block { column, line, .. }) => {
                let left = closed.first().map(|frame| if let Frame::Block { column, .. } = frame { *column } else { 0 });
                *line = match word.tok {
                    // Right under a block, a pipe one step in would stand in it.
                    Tok::Pipe if left.is_none_or(|left| left > *column + STEP) => *column + STEP,
                    _ => *column,
                };
                *line
            }
            Some(Frame::Bracket { line, .. }) if word.is_closer() => *line,
            Some(Frame::Bracket { line, .. }) => *line + STEP,
            None => 0,
        }
    }

    /// Writes the comments of a gap; whether a blank line stands before what follows. A comment further right than what follows stays with the
    /// block it stands in. `begins`: a block or a bracket begins, so no blank line comes first.
    fn comments(&mut self, gap: &str, start: usize, closed: &[Frame], indent: usize, mut begins: bool) -> bool {
        let mut blank = false;
        let mut offset = start;
        for (number, line) in gap.split('\n').enumerate() {
            let comment = line.trim_matches([' ', '\t', '\r', '\u{FEFF}']);
            let column = self.column(offset + (line.len() - line.trim_start().len()));
            offset += line.len() + 1;
            if comment.is_empty() {
                // The first is the rest of a line that has been written, the last the indentation of what follows.
                blank |= number > 0 && offset <= start + gap.len();
                continue;
            }
            let trailing = number == 0 && !self.out.is_empty();
            if trailing {
                self.out.push_str("  ");
            } else {
                let inside = |frame: &&Frame| matches!(frame, Frame::Block { from, .. } if column >= *from);
                let column = match closed.iter().rev().find(inside) {
                    Some(Frame::Block { column, .. }) => *column,
                    _ => indent,
                };
                self.break_line(blank && !begins, column);
                begins = false;
            }
            blank = false;
            self.out.push_str(comment);
        }
        blank && !begins
    }

    fn break_line(&mut self, blank: bool, indent: usize) {
        if !self.out.is_empty() {
            self.out.push('\n');
            if blank {
                self.out.push('\n');
            }
        }
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// Bytes from the beginning of its line to an offset.
    fn column(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        before.len() - before.rfind('\n').map_or(0, |end| end + 1)
    }
}
