//! Whether a blank stands between two words of a line.

use super::word::Word;
use crate::token::Tok;

/// The word before, with what it was there.
#[derive(Clone, Copy, Debug)]
pub struct Last<'t, 's> {
    /// What it is.
    pub tok: &'t Tok<'s>,
    /// A sign before its value, not between two.
    pub prefix: bool,
    /// It ends a value. The `)` of a lambda's parameters does not.
    pub value: bool,
}

impl<'t, 's> Last<'t, 's> {
    /// What a word is after another; `params`: it closes a lambda's parameters.
    pub fn of(word: &Word<'t, 's>, last: Option<Last<'t, 's>>, params: bool) -> Last<'t, 's> {
        let after_value = last.is_some_and(|last| last.value) && !word.argument && !word.begins;
        Last { tok: word.tok, prefix: !after_value, value: word.tok.ends_value() && !params }
    }
}

/// Does a blank stand between them?
pub fn blank(last: Last<'_, '_>, word: &Word<'_, '_>) -> bool {
    if word.argument {
        return true;
    }
    match (last.tok, word.tok) {
        (Tok::Open | Tok::CallOpen | Tok::ListOpen | Tok::IndexOpen | Tok::OptIndexOpen | Tok::ObjectOpen, _)
        | (Tok::Dot | Tok::OptDot | Tok::Bang | Tok::Lambda | Tok::DotDot | Tok::DotDotLess, _)
        | (_, Tok::Comma | Tok::Close | Tok::ListClose | Tok::ObjectClose)
        | (_, Tok::CallOpen | Tok::IndexOpen | Tok::OptIndexOpen | Tok::OptDot | Tok::Colon) => false,
        (_, Tok::Arrow) => word.text != ":",
        (Tok::Minus, _) => !last.prefix,
        // `1.k` would be read as a number.
        (Tok::Num(_), Tok::Dot) => true,
        (_, Tok::Dot | Tok::DotDot | Tok::DotDotLess) => !last.value,
        _ => true,
    }
}
