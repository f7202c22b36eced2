//! Is an input whole? The grammar says: one whose bracket is open, or whose last line needs a block, is not; and a block goes on until a blank line.

use ilu_lang::diagnostic::codes;
use ilu_lang::parse::parse;
use ilu_lang::source::Source;

/// Whether more lines are to be read before a text is evaluated.
#[must_use]
pub fn is_unfinished(text: &str) -> bool {
    let rest = text.trim_start();
    if rest.is_empty() || rest.starts_with([':', '?']) {
        return false;
    }
    let source = Source::new("input", text);
    let (_, found) = parse(&source);
    let last = text.rsplit('\n').next().unwrap_or_default();
    let blank = last.trim().is_empty();
    if found.is_empty() {
        // A block that could go on.
        return !blank && text.contains('\n') && last.starts_with([' ', '\t']);
    }
    if found.iter().any(|one| !matches!(one.code, codes::UNCLOSED | codes::MISSING_BLOCK)) {
        // More of it would not make it right.
        return false;
    }
    // A blank line ends the waiting for a block, not for a bracket.
    found.iter().any(|one| one.code == codes::UNCLOSED) || !blank
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_blocks_want_more() {
        for text in [
            "f(1,",
            "xs = [1,\n2",
            "{a: 1,\n\n",
            "if x:",
            "f(a, b) =",
            "whl tru:",
            "x <- xs:",
            "mat x:",
            "f(\\(a)",
            "f(a) =\n    a",
            "if x:\n    if y:",
            "if x:\n    1\n|",
            "f(a) =\n    g([\n",
        ] {
            assert!(is_unfinished(text), "{text:?}");
        }
    }

    #[test]
    fn whole_statements_wrong_ones_and_blank_lines_do_not() {
        for text in [
            "",
            "  ",
            "1 + 1",
            "x = 5",
            "f(a) = a",
            "if x: 1 | 2",
            "f(a) =\n    a\n",
            "if x:\n    1\n| 2",
            "f(a) =\n",
            "x = 2 +",
            "\"open",
            "a b c ]",
            ":grant (",
            "?map",
            "# f(",
            "x = [1, }",
        ] {
            assert!(!is_unfinished(text), "{text:?}");
        }
    }
}
