//! JSON, strictly as RFC 8259 has it, straight between text and the heap.
//!
//! Not `serde_json`, because every size here is a script's choice: values are charged before they are made, in place, without a second tree in
//! between; depth is counted, not recursed; fuel is paid per byte; errors name line and column.
//!
//! Where the RFC leaves a choice: a byte order mark at the start is skipped; of equal keys the last wins, in the place of the first; half a
//! surrogate pair is an error, because no string can hold it, and so is a number beyond the range of a double.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use super::BuiltinRow;
use super::support::row;

/// Deepest nesting read or written: what is written can be read.
pub const MAX_DEPTH: usize = 1000;

/// The rows.
pub const ROWS: &[BuiltinRow] = &[
    row("__jsn_enc", (2, 2), encode::encode, "A value as JSON text, on one line, or indented by a number of blanks."),
    row("__jsn_dec", (1, 1), decode::decode, "The value of a JSON text."),
];
