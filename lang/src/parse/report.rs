//! Syntax errors in people's words.

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
    let wanted = wanted(&expected);
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
fn wanted(expected: &[String]) -> String {
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
        let operand = words.first().is_some_and(|first| first.ends_with("expression") || first.ends_with("statement"));
        if has(sign) && !(sign == "\"(\"" && operand) && words.len() < 4 {
            words.push(sign.replace('"', "`"));
        }
    }
    if has("PIECE_CLOSE") {
        words.push("`}`".to_owned());
    }
    if has("INDENT") || has("NEWLINE") && has("NUM") {
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

/// Advice for slips that people bring from other languages.
fn hint(tok: &Tok<'_>, text: &str, place: Span) -> Option<String> {
    let at = place.start as usize;
    let line_start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let line = text.get(line_start..at).unwrap_or("");
    let first = line.trim_start().split(|each: char| !each.is_ascii_alphanumeric() && each != '_').next().unwrap_or("");
    let first = if first.is_empty() { text.get(at..place.end as usize).unwrap_or("") } else { first };
    let help = match first {
        "else" => "the other part of an `if` begins with `|` in its column: `| x`",
        "elif" | "elsif" | "elseif" => "a chained condition begins with `|` in the column of its `if`: `| if c:`",
        "for" | "foreach" => "a loop over values is `x <- xs:`",
        "while" | "loop" | "until" => "a loop with a condition is `whl c:`",
        "function" | "func" | "fun" | "fn" | "proc" => "a function is `name(a, b) = …`, one without a name `\\(a, b) …`",
        "let" | "var" | "local" | "mut" => "a variable needs no word before it: `name = value`",
        "const" => "a constant is `def name = value`",
        "return" => "a function returns its last value, or early with `ret value`",
        "import" | "from" | "require" | "include" => "a module is loaded with `use name`",
        "match" | "switch" | "case" => "matching is `mat x:` with an arm `pattern => value` on each line",
        "break" => "a loop is left with `brk`",
        "continue" => "the next round begins with `cnt`",
        "class" | "struct" => "an object with functions in it does the work of a class: `{name: \"n\", greet: \\(self) …}`",
        "try" | "catch" | "except" => "`r = try(f)` calls `f` and gives `{val, err}`",
        "and" | "or" if line.trim().is_empty() => "to go on with an expression on a new line, put it in parentheses",
        "if" | "whl" if *tok == Tok::Assign => "`==` compares, `=` binds",
        _ => match tok {
            Tok::Fn => "a function is `name(a, b) = …`, one without a name `\\(a, b) …`",
            Tok::Open if line.ends_with(' ') => "the `(` of a call stands directly behind the function",
            Tok::Newline if line.trim_end().ends_with(['+', '-', '*', '/', '%', '|', ',', '=']) => {
                "an expression over several lines stands in parentheses; a line that begins with `|` continues the one above"
            }
            Tok::Else => "an `if` stands before the `|` of its other part, in the same column",
            _ => return None,
        },
    };
    Some(help.to_owned())
}
