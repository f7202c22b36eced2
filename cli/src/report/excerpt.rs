//! The part of a source text that a message shows: one line, or a window of a long one, with every character safe to print.

use super::clean::clean_char;
use ilu_lang::source::{Source, Span};
use std::ops::Range;

/// Longest part of a source line that is shown, in characters. A generated file may be one line of megabytes.
const WINDOW: usize = 110;
/// Characters kept before the place when a line is cut.
const BEFORE: usize = 50;

/// One shown line and where the place is in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Line number, from 1.
    pub line: usize,
    /// Column of the place in the source, from 1.
    pub column: usize,
    /// What to show.
    pub text: String,
    /// The place, as bytes of `text`.
    pub range: Range<usize>,
    /// Whether the line's start is missing, so that columns of `text` are not the source's.
    pub cut: bool,
}

/// Cuts the line of `span`'s start out of its source. A span over several lines is shown up to the end of the first.
#[must_use]
pub fn excerpt(source: &Source, span: Span) -> Excerpt {
    let (line, column) = source.position(span.start);
    let text = source.line(line);
    let wanted = source
        .text
        .get(span.start as usize..span.end as usize)
        .map_or(1, |place| place.chars().take(WINDOW).take_while(|c| *c != '\n').count())
        .max(1);
    let total = text.chars().count();
    let skip = if total > WINDOW && column > BEFORE { (column - 1).saturating_sub(BEFORE) } else { 0 };
    let mut shown = String::new();
    if skip > 0 {
        shown.push('…');
    }
    let (mut start, mut end) = (None, None);
    for (at, c) in (skip + 1..).zip(text.chars().skip(skip).take(WINDOW)) {
        if at == column {
            start = Some(shown.len());
        }
        if at == column + wanted {
            end = Some(shown.len());
        }
        shown.push(clean_char(c));
    }
    let start = start.unwrap_or(shown.len());
    let end = end.unwrap_or(shown.len()).max(start);
    if total > skip + WINDOW {
        shown.push('…');
    }
    Excerpt { line, column, text: shown, range: start..end, cut: skip > 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, what: &str) -> Excerpt {
        let at = text.find(what).unwrap();
        excerpt(&Source::new("t", text), Span::new(at as u32, (at + what.len()) as u32))
    }

    #[test]
    fn the_place_is_found_behind_wide_characters() {
        let e = place("a = 1\nb = \"äö\" + nope\n", "nope");
        assert_eq!((e.line, e.column, &e.text[e.range.clone()]), (2, 12, "nope"));
    }

    #[test]
    fn control_characters_of_the_source_are_not_shown() {
        let e = place("x = \"\x1b[31m\u{202e}\" + nope", "nope");
        assert_eq!(e.text, "x = \"\u{fffd}[31m\u{fffd}\" + nope");
        assert_eq!(&e.text[e.range.clone()], "nope");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}nope{}", "x".repeat(10_000), "y".repeat(10_000));
        let e = place(&text, "nope");
        assert_eq!(e.column, 10_001);
        assert_eq!(&e.text[e.range.clone()], "nope");
        assert!(e.text.chars().count() <= WINDOW + 2);
    }

    #[test]
    fn a_place_at_the_very_end_is_still_a_place() {
        let e = excerpt(&Source::new("t", "ab"), Span::new(2, 2));
        assert_eq!((e.line, e.column, e.range), (1, 3, 2..2));
        let e = excerpt(&Source::new("t", ""), Span::new(0, 0));
        assert_eq!((e.line, e.column, e.range), (1, 1, 0..0));
        let e = excerpt(&Source::new("t", "ab\ncd"), Span::new(900, 901));
        assert_eq!((e.line, e.column), (2, 3));
    }
}
