//! What each piece of a text is, for showing it in colours and for knowing where a cursor stands. Text that does not compile has pieces too.
//!
//! Works on tokens alone, so it is right about strings and comments and knows nothing of what names mean.

use crate::diagnostic::Reports;
use crate::lex::{Lexeme, Lexer, Stretch};
use crate::source::Span;
use crate::token::Tok;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A word of the language.
    Keyword,
    /// `tru`, `fls`, `nil`, a number.
    Literal,
    /// A string, or text in one that is interpolated.
    Text,
    /// A comment.
    Comment,
    /// A name.
    Name,
    /// A sign.
    Sign,
}

/// The pieces of a text in order, each with its place; blanks are none.
#[must_use]
pub fn pieces(text: &str) -> Vec<(Span, Class)> {
    let reports = Reports::default();
    let mut lexer = Lexer::new(text, &reports);
    let mut found: Vec<(Span, Class)> = Vec::new();
    // Braces that are open inside each expression of an interpolated string.
    let mut inside: Vec<u32> = Vec::new();
    let mut end = 0;
    let at = |from: usize, to: usize| Span::new(crate::lex::offset(from), crate::lex::offset(to));
    while let Some((start, lexeme, next)) = lexer.next() {
        comments(text, end, start, &mut found);
        end = next;
        let class = match &lexeme {
            Lexeme::LineEnd => continue,
            Lexeme::Bar => Class::Sign,
            Lexeme::Tok(tok) => class_of(tok),
        };
        let reads_text = match (&lexeme, inside.last_mut()) {
            (Lexeme::Tok(Tok::InterpOpen), _) => {
                inside.push(0);
                true
            }
            (Lexeme::Tok(Tok::ObjectClose), Some(0)) => true,
            (Lexeme::Tok(Tok::ObjectOpen), Some(depth)) => {
                *depth += 1;
                false
            }
            (Lexeme::Tok(Tok::ObjectClose), Some(depth)) => {
                *depth -= 1;
                false
            }
            _ => false,
        };
        found.push((at(start, next), if reads_text { Class::Text } else { class }));
        if reads_text {
            let (_, span, stretch) = lexer.stretch();
            if stretch == Stretch::End {
                inside.pop();
            }
            end = span.end as usize;
            if end > next {
                found.push((at(next, end), Class::Text));
            }
        }
    }
    comments(text, end, text.len(), &mut found);
    found
}

/// Comments between two tokens.
fn comments(text: &str, from: usize, to: usize, found: &mut Vec<(Span, Class)>) {
    let Some(between) = text.get(from..to) else { return };
    let mut at = from;
    for line in between.split_inclusive('\n') {
        if let Some(start) = line.find('#') {
            let end = at + line.trim_end_matches(['\n', '\r']).len();
            found.push((Span::new(crate::lex::offset(at + start), crate::lex::offset(end)), Class::Comment));
        }
        at += line.len();
    }
}

const fn class_of(tok: &Tok<'_>) -> Class {
    match tok {
        Tok::Name(_) => Class::Name,
        Tok::Num(_) | Tok::Tru | Tok::Fls | Tok::Nil => Class::Literal,
        Tok::Str(_) | Tok::Bytes(_) | Tok::InterpOpen | Tok::Text(_) | Tok::InterpClose => Class::Text,
        Tok::If
        | Tok::Whl
        | Tok::Mat
        | Tok::Use
        | Tok::As
        | Tok::Def
        | Tok::Ret
        | Tok::Brk
        | Tok::Cnt
        | Tok::And
        | Tok::Or
        | Tok::Not
        | Tok::Fn => Class::Keyword,
        _ => Class::Sign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let letter = |class| match class {
            Class::Keyword => 'K',
            Class::Literal => 'L',
            Class::Text => 'T',
            Class::Comment => 'C',
            Class::Name => 'N',
            Class::Sign => 'S',
        };
        let mut letters: Vec<char> = text.bytes().map(|_| '.').collect();
        for (span, class) in pieces(text) {
            letters[span.start as usize..span.end as usize].fill(letter(class));
        }
        letters.into_iter().collect()
    }

    #[test]
    fn every_piece_has_its_class() {
        for (text, classes) in [
            ("x = 12 + nil # c", "N.S.LL.S.LLL.CCC"),
            ("if a: \"s\" | b", "KK.NS.TTT.S.N"),
            ("# a\nx # b", "CCC.N.CCC"),
            (r#"$"a{x}b""#, "TTTTNTTT"),
            (r#"$"{ {k: 1}.k }!" + y"#, "TTT.SNS.LSSN.TTT.S.N"),
            ("\"open", "TTTTT"),
            ("$\"open {x", "TTTTTTTTN"),
            ("a.b(\\x) | map", "NSNSSNS.S.NNN"),
        ] {
            assert_eq!(shown(text), classes, "{text}");
        }
    }

    #[test]
    fn pieces_lie_in_the_text_and_in_order_whatever_it_is() {
        let parts = ["$\"", "{", "}", "\"", "#", "\n", "x", "é", "'", "\\", "b\"", "{{", " ", "0x", "\u{0}"];
        let mut state = 1_u64;
        for _ in 0..5_000 {
            let mut text = String::new();
            for _ in 0..8 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push_str(parts[(state >> 33) as usize % parts.len()]);
            }
            let mut end = 0;
            for (span, _) in pieces(&text) {
                assert!(span.start >= end && span.end >= span.start, "{text:?} {span:?}");
                assert!(text.get(span.start as usize..span.end as usize).is_some(), "{text:?} {span:?}");
                end = span.end;
            }
        }
    }
}
