//! Slips whose cause stands before the token that cannot stand there: a word of another language in the middle of a line, a prefix of a
//! string, a block that was opened with a brace on the line above.

use super::hint::{first_word, is_word};
use crate::token::Tok;

/// What is around a token that cannot stand where it stands.
pub struct Around<'s> {
    /// The line before it.
    pub before: &'s str,
    /// It itself.
    pub here: &'s str,
    /// The text after it.
    pub after: &'s str,
    /// The last line above that is not empty.
    pub above: &'s str,
}

/// What ilu has in place of what was probably meant.
pub fn slip(tok: &Tok<'_>, around: &Around<'_>) -> Option<&'static str> {
    comment(around.before)
        .or_else(|| string(tok, around))
        .or_else(|| middle(tok, around))
        .or_else(|| bracket(tok, around))
        .or_else(|| sign(tok, around))
        .or_else(|| brace_above(around.above))
}

/// Behind two dashes: most likely a comment, for nobody takes a number's negation twice.
pub fn comment(before: &str) -> Option<&'static str> {
    let (left, right) = before.split_once("--")?;
    let apart = left.is_empty() || left.ends_with([' ', '\t']);
    (apart && (right.is_empty() || right.starts_with(' '))).then_some("a comment starts with `#`")
}

/// The word that ends at the end of a text.
fn last_word(text: &str) -> &str {
    text.rsplit(|each| !is_word(each)).next().unwrap_or("")
}

/// Whether a word stands in a line.
fn has_word(line: &str, word: &str) -> bool {
    line.split(|each| !is_word(each)).any(|each| each == word)
}

/// Strings with a prefix, three quotes, or side by side.
fn string(tok: &Tok<'_>, around: &Around<'_>) -> Option<&'static str> {
    let Tok::Str(_) = tok else { return None };
    let before = around.before;
    match last_word(before) {
        "f" | "F" => return Some("text with values in it is `$\"… {x} …\"`"),
        "r" | "R" | "u" | "rb" | "br" => return Some("strings have no prefix but `$` and `b`; a plain backslash is `\\\\`"),
        _ => {}
    }
    if before.ends_with("\"\"") || before.ends_with("''") {
        return Some("a string stands on one line; a line end in it is `\\n`, and lines are joined with `+`");
    }
    before.trim_end().ends_with(['"', '\'']).then_some("strings are joined with `+`")
}

/// Words of other languages in the middle of a line.
fn middle(tok: &Tok<'_>, around: &Around<'_>) -> Option<&'static str> {
    let before = around.before.trim_end();
    if let Tok::Name(word) = tok
        && !before.is_empty()
    {
        match *word {
            "is" => return Some("`==` compares: `x == nil`, `x != nil`"),
            "in" => {
                return Some(
                    "whether a list has an element is `trl.has(xs, x)`, an object a key `obj.has(o, k)`, a text a part `txt.has(s, part)`",
                );
            }
            "for" => return Some("a list is made of another with `xs | map \\(x) …`, and picked from with `xs | fil \\(x) …`"),
            "as" => return Some("only `use \"file.ilu\" as m` has an `as`; a value is given a name with `name = value`"),
            _ => {}
        }
    }
    if *tok == Tok::Not && before.ends_with(is_word) && around.after.trim_start().starts_with("in") {
        return Some("whether a list lacks an element is `not trl.has(xs, x)`");
    }
    Some(match last_word(before) {
        "lambda" | "function" | "func" | "fun" => LAMBDA,
        "new" => "there are no classes: a function that gives an object makes one: `point(x, y) = {x, y}`",
        "await" => "`t.wait()` waits for a task that `syn.run(f)` started; a call of a native waits by itself",
        "async" => "a task is started with `syn.run(f)`, after `use syn`",
        "typeof" => "`typ(x)` names the type of a value",
        _ if first_word(before) == "async" => "a task is started with `syn.run(f)`, after `use syn`",
        _ if first_word(before) == "export" => {
            "there is no `export`: every name at the left edge of a file can be used, but those that begin with `_`"
        }
        _ if before.ends_with(')') && (has_word(before, "function") || has_word(before, "func")) => LAMBDA,
        _ => return None,
    })
}

const LAMBDA: &str = "a function without a name is `\\(a, b) …`";

/// Slices, keys, types, spreads: what stands inside brackets.
fn bracket(tok: &Tok<'_>, around: &Around<'_>) -> Option<&'static str> {
    let before = around.before.trim_end();
    let open = innermost(before);
    Some(match (tok, open) {
        (Tok::Colon, Some('[')) => "a part of a list is `trl.slc(xs, from, to)`, of a text `txt.sub(s, from, to)`",
        (Tok::Colon, Some('(')) if before.ends_with(is_word) && last_word(before).starts_with(|c: char| !c.is_ascii_digit()) => {
            "parameters have no types: `f(a) = …`; `typ(a)` names the type of a value"
        }
        (Tok::Assign, Some('{')) => "a key and its value stand with a `:` between them: `{a: 1}`",
        (Tok::Num(_), Some('{')) if before.ends_with(['{', ',']) => {
            "a key is a name, text, or an expression in brackets: `{[2]: x}`; keys are text, so `{\"2\": x}`"
        }
        (Tok::DotDot | Tok::Star, Some('{')) if before.ends_with(['{', ',']) => {
            "objects are not spread: take the keys over one by one with `k, v <- other: o[k] = v`"
        }
        (Tok::Star, Some('(')) if before.ends_with(['(', ',']) => {
            "a list is spread in a call, and the rest of the arguments is taken, with `..`: `f(..xs)`"
        }
        (Tok::Dot, Some('(' | '[')) if before.ends_with("..") => "a list is spread with two dots: `f(..xs)`",
        _ => return None,
    })
}

/// The bracket that is open at the end of a line. Brackets in strings are taken for brackets: this is advice.
fn innermost(line: &str) -> Option<char> {
    let mut closed = 0_usize;
    for each in line.chars().rev() {
        match each {
            ')' | ']' | '}' => closed += 1,
            '(' | '[' | '{' if closed == 0 => return Some(each),
            '(' | '[' | '{' => closed -= 1,
            _ => {}
        }
    }
    None
}

fn sign(tok: &Tok<'_>, around: &Around<'_>) -> Option<&'static str> {
    let (before, after) = (around.before.trim_end(), around.after);
    Some(match tok {
        Tok::Gt if before.ends_with('<') => "unequal is `!=`",
        Tok::Lt if before.ends_with('<') => NO_BITS,
        Tok::Gt if before.ends_with('>') => NO_BITS,
        Tok::Slash if around.here == "/" && after.starts_with('*') => "a comment starts with `#` and ends with its line",
        Tok::Assign
            if before.contains(',') && innermost(before).is_none() && before.chars().all(|c| is_word(c) || matches!(c, ',' | ' ')) =>
        {
            "`=` binds one name: `x = 1` and `y = 2` on lines of their own"
        }
        Tok::Assign if innermost(before).is_none() && before.contains('=') && !before.contains(['(', '"', '\'']) => {
            "`=` binds one name a line, and is no expression: `y = 1`, then `x = y`; `==` compares"
        }
        Tok::Colon if matches!(Tok::word(before.trim_start()), Tok::Name(_)) && before.trim_start().chars().all(is_word) => {
            match before.trim_start() {
                "do" | "loop" | "begin" | "repeat" => "a loop is `whl c:`, and `whl tru:` with a `brk` where it ends",
                "finally" | "else" | "try" | "catch" | "except" => return None,
                _ => "names have no types: `name = value`; a block follows `if c:`, `whl c:`, `x <- xs:` and `mat x:`",
            }
        }
        Tok::Colon if first_word(before) == "unless" => "what is done unless something holds is `if not c:`",
        Tok::Colon if first_word(before) == "with" => {
            "nothing need be closed by hand: `text = fs.rd(path)`, or `line <- fs.open(path):` a line at a time"
        }
        _ => return None,
    })
}

/// There are none.
pub const NO_BITS: &str = "there are no operators on bits: `mth.pow(2, n)`, `*`, `int(a / b)` and `%` do arithmetic";

/// A block that the line above opened with a brace.
fn brace_above(above: &str) -> Option<&'static str> {
    let above = above.trim_end();
    if !above.ends_with('{') || above.ends_with("= {") || above.ends_with("({") {
        return None;
    }
    Some(match first_word(above) {
        "try" => "a block has no braces, and `r = try(f)` calls `f` and gives `{val, err}`",
        "if" | "else" | "whl" | "do" | "loop" | "mat" => "a block is indented under a `:`, without braces",
        _ => return None,
    })
}
