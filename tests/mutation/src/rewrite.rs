//! Putting switches into a source text: insertions only, so that lines stay where they are.

use crate::sites::Check;
use std::ops::Range;

/// Text put around a part of a source, or, where the part is empty, at a place in it.
#[derive(Clone, Debug)]
pub struct Edit {
    /// What is wrapped.
    pub range: Range<usize>,
    /// Before it.
    pub open: String,
    /// Behind it.
    pub close: String,
}

/// A piece at a place: what closes there goes first, the innermost before the others; then what only stands there; then what opens,
/// the outermost first.
struct Piece {
    at: usize,
    kind: u8,
    rank: (usize, usize),
    text: String,
}

/// Where an edit ended up: from its opening to its closing, and what it put there.
#[derive(Clone, Debug)]
pub struct Put {
    /// Which edit.
    pub edit: usize,
    /// All of it.
    pub whole: Range<usize>,
    /// The text it put before.
    pub open: Range<usize>,
}

/// The text with all edits in it, and where they are.
pub fn apply(text: &str, edits: &[Edit]) -> (String, Vec<Put>) {
    let mut pieces = Vec::new();
    for (n, edit) in edits.iter().enumerate() {
        let size = edit.range.len();
        if size == 0 {
            pieces.push((Piece { at: edit.range.start, kind: 1, rank: (n, 0), text: edit.open.clone() }, n, true));
            continue;
        }
        pieces.push((Piece { at: edit.range.start, kind: 2, rank: (usize::MAX - size, n), text: edit.open.clone() }, n, true));
        pieces.push((Piece { at: edit.range.end, kind: 0, rank: (size, usize::MAX - n), text: edit.close.clone() }, n, false));
    }
    pieces.sort_by_key(|(piece, _, _)| (piece.at, piece.kind, piece.rank));
    let (mut out, mut from) = (String::with_capacity(text.len() * 2), 0);
    let mut puts: Vec<Put> = (0..edits.len()).map(|edit| Put { edit, whole: 0..0, open: 0..0 }).collect();
    for (piece, n, opens) in pieces {
        out.push_str(&text[from..piece.at]);
        let start = out.len();
        out.push_str(&piece.text);
        from = piece.at;
        if opens {
            puts[n].open = start..out.len();
            puts[n].whole = start..out.len();
        } else {
            puts[n].whole.end = out.len();
        }
    }
    out.push_str(&text[from..]);
    (out, puts)
}

/// The edits of one file: those of its checks, and what lets them stand where only constants may.
pub fn edits(checks: &[&Check]) -> Vec<Edit> {
    let mut edits: Vec<Edit> = checks.iter().map(|check| check.edit.clone()).collect();
    let mut words: Vec<Range<usize>> = checks.iter().filter_map(|check| check.constant.clone()).collect();
    words.sort_by_key(|word| word.start);
    words.dedup();
    edits.extend(words.into_iter().map(|range| Edit { range, open: "/*".to_owned(), close: "*/".to_owned() }));
    edits
}
