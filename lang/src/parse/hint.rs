//! Advice for slips that people bring from other languages. It looks at the source line only, so it can be wrong about what was meant and says
//! what ilu has instead, nothing more.

use super::slip::{Around, slip};
use crate::source::Span;
use crate::token::Tok;

/// What to do about a token that cannot stand where it stands, if there is a likely slip.
pub fn hint(tok: &Tok<'_>, text: &str, place: Span) -> Option<String> {
    let at = place.start as usize;
    let line_start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let line = line_before(text, at);
    let here = text.get(at..place.end as usize).unwrap_or("");
    let after = text.get(place.end as usize..).unwrap_or("");
    let first = first_word(if line.trim().is_empty() { here } else { line });
    let around = Around { before: line, here, after, above: above(text, line_start) };
    foreign_word(first, line, tok)
        .or_else(|| slip(tok, &around))
        .or_else(|| sign(tok, first, line, (here, after)))
        .map(str::to_owned)
        .or_else(|| neighbours(tok, line))
}

/// What to do about a line that is indented though no block can begin: what the line above has in place of what ilu needs there.
pub fn hint_above(text: &str, line_start: usize) -> Option<&'static str> {
    let above = above(text, line_start).trim_end();
    let first = first_word(above);
    if above.trim_start() == first {
        return match first {
            "do" | "repeat" | "loop" | "begin" => Some("a loop is `whl c:`, and `whl tru:` with a `brk` where it ends"),
            "try" | "else" => foreign_word(first, above, &Tok::Colon),
            _ => None,
        };
    }
    foreign_word(first, above, &Tok::Newline)
}

/// The last line before an offset that is not empty, as far as hints look.
fn above(text: &str, line_start: usize) -> &str {
    let before = text.get(..line_start).unwrap_or("");
    let before = before.get(tail(before)..).unwrap_or("").trim_end();
    before.rsplit('\n').next().unwrap_or("")
}

/// The line before an offset, as far as hints look.
pub fn line_before(text: &str, at: usize) -> &str {
    let line_start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let line = text.get(line_start..at).unwrap_or("");
    line.get(tail(line)..).unwrap_or("")
}

/// Hints look at no more of a line than people write.
const LOOK: usize = 400;

fn tail(line: &str) -> usize {
    let mut from = line.len().saturating_sub(LOOK);
    while !line.is_char_boundary(from) {
        from += 1;
    }
    from
}

pub fn is_word(each: char) -> bool {
    each.is_ascii_alphanumeric() || each == '_'
}

pub fn first_word(line: &str) -> &str {
    line.trim_start().split(|each| !is_word(each)).next().unwrap_or("")
}

/// A statement that begins with another language's keyword.
fn foreign_word(first: &str, line: &str, tok: &Tok<'_>) -> Option<&'static str> {
    let behind = line.trim_start().get(first.len()..).unwrap_or("");
    let used = match behind.chars().next() {
        None => true,
        Some('(') => matches!(tok, Tok::Colon | Tok::ObjectOpen),
        Some(each) => each.is_whitespace(),
    };
    if !used {
        return None;
    }
    Some(match first {
        "else" if behind.trim_start().starts_with("if") => "a chained condition begins with `|` in the column of its `if`: `| if c:`",
        "else" => "the other part of an `if` begins with `|` in its column: `| x`",
        "elif" | "elsif" | "elseif" => "a chained condition begins with `|` in the column of its `if`: `| if c:`",
        "for" | "foreach" => "a loop over values is `x <- xs:`",
        "while" | "loop" | "until" => "a loop with a condition is `whl c:`",
        "function" | "func" | "fun" | "fn" | "proc" | "lambda" => "a function is `name(a, b) = …`, one without a name `\\(a, b) …`",
        "let" | "var" | "local" | "mut" => "a variable needs no word before it: `name = value`",
        "const" => "a constant is `def name = value`",
        "return" => "a function returns its last value, or early with `ret value`",
        "import" | "from" | "require" | "include" => "a module is loaded with `use name`",
        "match" | "switch" | "case" => "matching is `mat x:` with an arm `pattern => value` on each line",
        "class" | "struct" => "an object with functions in it does the work of a class: `{name: \"n\", greet: \\(self) …}`",
        "try" | "catch" | "except" if *tok == Tok::Colon || *tok == Tok::ObjectOpen => "`r = try(f)` calls `f` and gives `{val, err}`",
        "def" if *tok == Tok::CallOpen => "a function is `name(a, b) = …`; `def name = value` binds a constant",
        _ => return None,
    })
}

/// A sign that means something else, or nothing.
fn sign(tok: &Tok<'_>, first: &str, line: &str, (here, after): (&str, &str)) -> Option<&'static str> {
    let before = line.trim_end();
    Some(match tok {
        Tok::Assign if matches!(first, "if" | "whl") => "`==` compares, `=` binds",
        Tok::Assign if before.ends_with(')') => "the `(` of a function's head stands directly behind its name: `f(a) = …`",
        Tok::Assign | Tok::PlusAssign | Tok::MinusAssign | Tok::StarAssign | Tok::SlashAssign if line.contains("\\(") => {
            "behind `\\(…)` on its line stands an expression; an assignment goes into a block indented under it"
        }
        Tok::Assign if !before.is_empty() => "`=` binds, and stands once in a statement, behind a name, `x[i]` or `x.k`; `==` compares",
        Tok::Num(_) if before.ends_with('.') => "an element is `x[1]`; after `.` stands a key",
        Tok::DotDot if before.ends_with(['[', ',']) => "`..` spreads arguments of calls only; lists are joined with `+`",
        _ if first == "mat" && before.ends_with(':') => "the arms of a `mat` stand indented under it, each on its own line",
        Tok::And | Tok::Or if before.is_empty() => "to go on with an expression on a new line, put it in parentheses",
        Tok::Fn => "a function is `name(a, b) = …`, one without a name `\\(a, b) …`",
        Tok::ObjectOpen if !before.is_empty() => "a block is indented under a `:`, without braces",
        Tok::If | Tok::Guard => "a choice is `if c: a | b`",
        Tok::Arrow => "a function without a name is `\\(a) …`; `=>` belongs to the arms of a `mat`",
        Tok::Minus if after.starts_with('>') => "an arm of a `mat` is `pattern => value`; a function without a name is `\\(a) …`",
        Tok::Gt if before.ends_with('-') => "a function without a name is `\\(a) …`",
        Tok::Colon if before.ends_with(')') => "the body of a function follows a `=`: `f(a) = …`",
        Tok::Name(_) if before.ends_with('\\') => "the parameters of a lambda stand in parentheses: `\\(x) …`",
        Tok::Name("else" | "elif") => "the other part of an `if` follows a `|`: `if c: a | b`",
        Tok::Name("then" | "do") => "what an `if` or a loop does follows a `:`",
        Tok::Open | Tok::ListOpen if line.ends_with(' ') && before.ends_with(is_word) => {
            "the bracket of a call or an index stands directly behind the name"
        }
        Tok::Newline
            if before.ends_with(['+', '-', '*', '/', '%', '|', '>', ',', '=', '('])
                || before.ends_with("and")
                || before.ends_with("or") =>
        {
            "an expression over several lines stands in parentheses; a line that begins with `|` continues the one above"
        }
        _ if tok.is_operator() && line.contains('|') => {
            "right of `|` stands a call, no more: put the pipeline in parentheses, `(xs | sum) + 1`, or the function, `xs | (f or g)`"
        }
        Tok::Else => "an `if` stands before the `|` of its other part, in the same column",
        Tok::Pipe if here == "|" && before.is_empty() => {
            "a line that begins with `|` continues the one above: after an `if` its other part, else a pipeline"
        }
        _ => return None,
    })
}

/// Two values side by side: most likely a call without its parentheses.
fn neighbours(tok: &Tok<'_>, line: &str) -> Option<String> {
    if !tok.starts_value() || !line.ends_with(' ') {
        return None;
    }
    let before = line.trim_end();
    let word = before.rsplit(|each| !is_word(each)).next().unwrap_or("");
    if word.is_empty() || !word.starts_with(|each: char| each.is_ascii_alphabetic() || each == '_') {
        return None;
    }
    matches!(Tok::word(word), Tok::Name(_))
        .then(|| format!("to call `{word}` write `{word}(…)`: only where a statement begins can the parentheses be left out"))
}
