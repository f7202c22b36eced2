//! The one formatting of a text: `ilu fmt`.
//!
//! Words are taken from the layout, which knows what each sign means where it stands, and written again with the blanks and the indentation
//! that are ours; comments and blank lines are found in the gaps between them. Where a line breaks stays the author's choice. Nothing here
//! looks at the tree: what is written is read again, and is given out only when it is the same sequence of terminals.
//!
//! Settled: four blanks a block; one more step for the lines inside a bracket, and for `|>` and `|` that pipe at a line's beginning; a closing
//! bracket that begins a line stands under the line that opened it; at most one blank line in a row, none at a block's begin; two blanks before
//! a comment that follows code; interpolated strings as they are.

mod print;
mod space;
mod word;

use crate::diagnostic::{Diagnostic, Reports};
use crate::layout::Layout;
use crate::parse;
use crate::source::Source;
use crate::token::Tok;

/// Why a text was not formatted.
#[derive(Debug)]
pub enum Unformatted {
    /// It does not parse.
    Wrong(Vec<Diagnostic>),
    /// What would be written does not read as the same program: a mistake of the formatter's. The text is to be left as it is.
    Unsafe,
}

/// The text as it is to be written. Formatting that again changes nothing.
///
/// # Errors
/// The text does not parse, or formatting it would change what it means (which would be a bug).
pub fn format(source: &Source) -> Result<String, Unformatted> {
    let (_, wrong) = parse::parse(source);
    if !wrong.is_empty() {
        return Err(Unformatted::Wrong(wrong));
    }
    let reports = Reports::default();
    let Some(terminals) = terminals(&source.text, &reports) else { return Err(Unformatted::Unsafe) };
    let formatted = print::print(&source.text, &word::words(&source.text, &terminals));
    let again = Reports::default();
    match self::terminals(&formatted, &again) {
        Some(read) if read.iter().map(|(_, tok, _)| tok).eq(terminals.iter().map(|(_, tok, _)| tok)) => Ok(formatted),
        _ => Err(Unformatted::Unsafe),
    }
}

/// All terminals of a text with their places; nothing when something in it is wrong.
fn terminals<'s>(text: &'s str, reports: &Reports) -> Option<Vec<(u32, Tok<'s>, u32)>> {
    let found = Layout::new(text, reports).collect::<Result<Vec<_>, _>>().ok()?;
    (!reports.any()).then_some(found)
}
