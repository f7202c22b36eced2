//! Syntax errors in people's words.

use super::hint::hint;
use crate::diagnostic::{Diagnostic, Reports, codes, quoted};
use crate::layout::Stop;
use crate::source::Span;
use crate::token::Tok;
use lalrpop_util::ParseError;

/// Reports a syntax error, unless it only repeats another one.
pub fn syntax(text: &str, reports: &Reports, error: ParseError<u32, Tok<'_>, Stop>) {
    let (start, tok, end, expected) = match error {
        ParseError::User { error: Stop } => return,
        ParseError::UnrecognizedToken { token: (start, tok, end), expected } => (start, Some(tok), end, expected),
        ParseError::ExtraToken { token: (start, tok, end) } => (start, Some(tok), end, Vec::new()),
        ParseError::UnrecognizedEof { location, expected } => (location, None, location, expected),
        ParseError::InvalidToken { location } => (location, None, location, Vec::new()),
    };
    // These follow from a statement's beginning; when that was refused, they mean nothing.
    let follows = matches!(tok, Some(Tok::Indent | Tok::Dedent | Tok::Else | Tok::EndIf | Tok::Arrow | Tok::Guard | Tok::Alt));
    if reports.covers(start) || follows && reports.any() {
        return;
    }
    let place = Span::new(start, end);
    let found = tok.as_ref().map_or_else(|| "the end of the text".to_owned(), |tok| found(tok, text, place));
    let after_ret = text.get(..start as usize).is_some_and(|before| before.trim_end_matches([' ', '\t']).ends_with("ret"));
    let wanted = wanted(&expected, after_ret);
    let message = if wanted.is_empty() { format!("{found} cannot stand here") } else { format!("expected {wanted}, found {found}") };
    let mut report = Diagnostic::new(codes::SYNTAX, place, message);
    if let Some(help) = tok.and_then(|tok| hint(&tok, text, place)) {
        report = report.help(help);
    }
    reports.push(report);
}

/// What was found, in words.
fn found(tok: &Tok<'_>, text: &str, place: Span) -> String {
    match tok {
        Tok::Newline | Tok::EndIf => "the end of the line".to_owned(),
        Tok::Indent => "an indented block".to_owned(),
        Tok::Dedent => "the end of the block".to_owned(),
        Tok::Str(_) | Tok::Bytes(_) => "a string".to_owned(),
        Tok::InterpOpen | Tok::Text(_) | Tok::InterpClose => "an interpolated string".to_owned(),
        Tok::Juxt | Tok::JuxtOne => "a further value".to_owned(),
        _ => quoted(text.get(place.start as usize..place.end as usize).unwrap_or("")),
    }
}

/// What would have been right, in words: classes first, then single signs.
fn wanted(expected: &[String], after_ret: bool) -> String {
    let has = |name: &str| expected.iter().any(|each| each == name);
    let mut words: Vec<String> = Vec::new();
    if has("NUM") && has("\"whl\"") {
        words.push("a statement".to_owned());
    } else if has("NUM") && has("\"(\"") {
        words.push("an expression".to_owned());
    } else if has("NAME") {
        words.push("a name".to_owned());
    }
    if has("\"+\"") {
        words.push("an operator".to_owned());
    }
    for sign in ["\"=\"", "\":\"", "\"=>\"", "\")\"", "\"]\"", "\"}\"", "\",\"", "\"(\"", "\"<-\""] {
        if sign == "\"=\"" && has("\")\"") {
            continue;
        }
        let operand = words.first().is_some_and(|first| first.ends_with("expression") || first.ends_with("statement"));
        if has(sign) && !(sign == "\"(\"" && operand) && words.len() < 4 {
            words.push(sign.replace('"', "`"));
        }
    }
    if has("PIECE_CLOSE") {
        words.push("`}`".to_owned());
    }
    if has("INDENT") && !has("NUM") || has("NEWLINE") && has("NUM") && !after_ret {
        words.push("an indented block".to_owned());
    } else if (has("NEWLINE") || has("END_IF")) && words.len() < 3 {
        words.push("the end of the line".to_owned());
    }
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., last] => format!("{} or {last}", init.join(", ")),
    }
}
