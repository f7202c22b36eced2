//! No text makes the front end panic, recurse, hang or lose track: every outcome is a tree or an error with a place.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use ilu_lang::ast::{Ast, Expr, MAX_HEIGHT, Stmt};
use ilu_lang::diagnostic::{Diagnostic, MAX_DIAGNOSTICS};
use ilu_lang::parse::parse;
use ilu_lang::source::Source;
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// Parses on a small stack and checks what must hold of every result.
fn check(text: &str) -> (Ast, Vec<Diagnostic>) {
    let source = Source::new("test", text);
    let (ast, errors) = parse(&source);
    assert!(errors.len() <= MAX_DIAGNOSTICS + 1);
    for error in &errors {
        let span = error.span;
        assert!(span.start <= span.end && span.end as usize <= text.len(), "{error:?} in {text:?}");
        assert!(text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize), "{error:?} in {text:?}");
        assert!(error.message.len() < 500, "{error:?}");
        assert!(!error.message.chars().any(char::is_control), "{error:?}");
    }
    assert!(ast.expr_heights.iter().all(|&height| height <= MAX_HEIGHT));
    assert_eq!(ast.exprs.len(), ast.expr_spans.len());
    assert_eq!(ast.exprs.len(), ast.expr_heights.len());
    assert_eq!(ast.stmts.len(), ast.stmt_spans.len());
    for span in ast.expr_spans.iter().chain(&ast.stmt_spans).chain(&ast.pat_spans) {
        assert!(span.start <= span.end && span.end as usize <= text.len(), "{span:?} in {text:?}");
        assert!(text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize), "{span:?} in {text:?}");
    }
    if errors.is_empty() {
        assert!(!ast.exprs.contains(&Expr::Error) && !ast.stmts.contains(&Stmt::Error), "an error node without an error in {text:?}");
        for expr in &ast.exprs {
            assert!(!matches!(expr, Expr::Num(value) if !value.is_finite()));
        }
    }
    (ast, errors)
}

fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(1 << 20).spawn(work).unwrap().join().unwrap()
}

/// Runs and requires an end within a time that only linear work keeps on a slow debug build.
fn within(limit: Duration, name: &str, text: String) -> Vec<Diagnostic> {
    let begun = Instant::now();
    let errors = on_small_stack(move || check(&text).1);
    assert!(begun.elapsed() < limit, "{name} took {:?}", begun.elapsed());
    errors
}

const MILLION: usize = 1_000_000;
const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_million_levels_of_anything_are_one_error_about_depth() {
    let indents: String = (0..2000).map(|level| format!("{}if a:\n", " ".repeat(level))).collect();
    let cases = [
        ("parentheses", "(".repeat(MILLION)),
        ("parentheses, closed", "(".repeat(MILLION) + &")".repeat(MILLION)),
        ("calls", "f(".repeat(MILLION)),
        ("lists", "[".repeat(MILLION)),
        ("lists, closed", "[".repeat(MILLION) + &"]".repeat(MILLION)),
        ("indexes", "a[".repeat(MILLION)),
        ("objects", "{a:".repeat(MILLION)),
        ("objects, closed", "{a:".repeat(MILLION) + "1" + &"}".repeat(MILLION)),
        ("computed keys", "{[".repeat(MILLION)),
        ("lambdas", "\\(x) ".repeat(MILLION) + "x"),
        ("lambdas in calls", "f(\\(x) ".repeat(MILLION)),
        ("conditions", "if a: ".repeat(MILLION) + "b"),
        ("conditions in conditions", "if ".repeat(MILLION) + "b"),
        ("loops", "whl a: ".repeat(MILLION) + "b"),
        ("loops over values", "a <- b: ".repeat(MILLION) + "c"),
        ("matches", "mat ".repeat(MILLION) + "c"),
        ("functions", "f(a) = ".repeat(MILLION) + "c"),
        ("negations", "!".repeat(MILLION) + "a"),
        ("minus signs", "x = ".to_owned() + &"- ".repeat(MILLION) + "a"),
        ("nots", "not ".repeat(MILLION) + "a"),
        ("interpolations", "$\"{".repeat(MILLION)),
        ("patterns", "mat x:\n    ".to_owned() + &"[".repeat(MILLION)),
        ("object patterns", "mat x:\n    ".to_owned() + &"{a: ".repeat(MILLION)),
        ("indentation", indents),
        ("stages", "a | b (".repeat(MILLION)),
    ];
    for (name, text) in cases {
        let errors = within(SOON, name, text);
        assert_eq!(errors.len(), 1, "{name}: {errors:?}");
        assert_eq!(errors[0].code, "E0025", "{name}: {errors:?}");
    }
}

#[test]
fn what_is_long_but_not_deep_is_no_error() {
    let cases = [
        ("a sum", "x = 1".to_owned() + &"+1".repeat(450_000)),
        ("a chain of fields", "x = a".to_owned() + &".b".repeat(MILLION / 2)),
        ("a chain of calls", "x = a".to_owned() + &"()".repeat(MILLION / 2)),
        ("a pipeline", "x = a".to_owned() + &" | b".repeat(450_000)),
        ("a pipeline of lambdas", "x = a".to_owned() + &" | f \\(x) x".repeat(100_000)),
        ("and", "x = a".to_owned() + &" and a".repeat(450_000)),
        ("nots", "x = a".to_owned() + &" and not a".repeat(100_000)),
        ("a list", "x = [".to_owned() + &"1,".repeat(900_000) + "]"),
        ("a list of lambdas", "x = [".to_owned() + &"\\(x) if x: 1 | 2,".repeat(50_000) + "]"),
        ("statements", "x = 1\n".repeat(200_000)),
        ("empty lines", "\n".repeat(MILLION)),
        ("comments", "# c\n".repeat(MILLION)),
        ("one blank line", " ".repeat(10 * MILLION)),
        ("one comment", "#".to_owned() + &"x".repeat(10 * MILLION)),
        ("a string", "x = \"".to_owned() + &"y".repeat(10 * MILLION) + "\""),
        ("escapes", "x = \"".to_owned() + &"\\n".repeat(MILLION) + "\""),
        ("bytes", "x = b\"".to_owned() + &"\\xff".repeat(MILLION) + "\""),
        ("pieces", "x = $\"".to_owned() + &"{a}b".repeat(100_000) + "\""),
        ("an identifier", "x".repeat(MILLION) + " = 1"),
        ("digits after the point", "x = 0.".to_owned() + &"1".repeat(MILLION)),
        ("alternatives", "x = ".to_owned() + &"if a: b | ".repeat(100_000) + "c"),
        ("arms", "mat x:\n".to_owned() + &"    1 | 2 => 3\n".repeat(50_000)),
    ];
    for (name, text) in cases {
        let errors = within(SOON, name, text);
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn a_text_of_errors_ends_in_a_few() {
    let cases = [
        ("bad statements", "1 2\n".repeat(100_000)),
        ("bad characters", "€ ".repeat(MILLION)),
        ("bad numbers", "1__0 ".repeat(100_000)),
        ("open strings", "\"\n".repeat(100_000)),
        ("closers", ")".repeat(MILLION)),
        ("closers and openers", "(]".repeat(MILLION)),
        ("escapes", "\"".to_owned() + &"\\q".repeat(MILLION) + "\""),
        ("huge identifier in an error", "a ".to_owned() + &"x".repeat(MILLION) + " b"),
        ("huge stray text", "ж".repeat(MILLION)),
        ("huge digits", "9".repeat(MILLION)),
        ("ghosts", "a\n  b\n".repeat(100_000)),
        ("dedents", "if a:\n    b\n  c\n".repeat(100_000)),
        ("tabs", "if a:\n\tb\n".repeat(100_000)),
        ("chained comparisons", "a".to_owned() + &" < a".repeat(100_000)),
        ("unclosed", "f(\nret 1\n".repeat(100_000)),
        ("named arguments", "f(a = 1)\n".repeat(100_000)),
        ("a long line after an error", (0..MILLION).map(|name| format!("a{name},")).collect()),
        ("a long bracket after an error", "f(a b, ".to_owned() + &"[c], ".repeat(MILLION)),
        ("broken arms", "mat x:\n".to_owned() + &"    1 2 => 3\n".repeat(100_000)),
    ];
    for (name, text) in cases {
        let errors = within(SOON, name, text);
        assert!(!errors.is_empty(), "{name}");
    }
}

#[test]
fn a_text_that_is_too_large_is_refused_before_it_is_read() {
    let errors = within(SOON, "large", " ".repeat(ilu_lang::source::MAX_SOURCE_BYTES + 1));
    assert_eq!(errors.iter().map(|error| error.code).collect::<Vec<_>>(), ["E0001"]);
}

#[test]
fn more_parts_than_a_compilation_accepts_are_one_error() {
    let cases = [
        "x = 1".to_owned() + &"+1".repeat(10 * MILLION),
        "brk\n".repeat(2 * MILLION),
        "x = \\(".to_owned() + &"a,".repeat(2 * MILLION) + ") a",
        "mat x:\n    ".to_owned() + &"1|".repeat(2 * MILLION) + "2: 3",
    ];
    for text in cases {
        let errors = within(SOON, "long", text);
        assert_eq!(errors.iter().map(|error| error.code).collect::<Vec<_>>(), ["E0026"]);
    }
}

/// A text with every construct, for mutations.
const SAMPLE: &str = include_str!("sample.ilu");

#[test]
fn the_sample_parses() {
    let (_, errors) = check(SAMPLE);
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn every_prefix_and_every_suffix_ends_well() {
    for (at, _) in SAMPLE.char_indices() {
        check(&SAMPLE[..at]);
        check(&SAMPLE[at..]);
    }
}

#[test]
fn every_single_deletion_ends_well() {
    for (at, each) in SAMPLE.char_indices() {
        let mut text = SAMPLE.to_owned();
        text.replace_range(at..at + each.len_utf8(), "");
        check(&text);
    }
}

#[test]
fn every_single_insertion_ends_well() {
    for sign in ["(", ")", "{", "}", "\"", "\n", "|", ":", "\\", "\t", "é", "if ", "=", "\u{202E}", "\0"] {
        for (at, _) in SAMPLE.char_indices() {
            let mut text = SAMPLE.to_owned();
            text.insert_str(at, sign);
            check(&text);
        }
    }
}

const WORDS: &[&str] = &[
    "tru",
    "fls",
    "nil",
    "if",
    "whl",
    "mat",
    "use",
    "def",
    "ret",
    "brk",
    "cnt",
    "and",
    "or",
    "not",
    "fn",
    "as",
    "x",
    "y",
    "f",
    "_",
    "1",
    "2.5",
    "0x",
    "1__",
    "\"s\"",
    "'",
    "\"",
    "b\"q\"",
    "$\"a{",
    "$\"",
    "}\"",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "?.",
    "?[",
    ".",
    "..",
    "..<",
    ",",
    ":",
    "\\",
    "\\(x)",
    "\\(x)\n    ",
    "=",
    "+=",
    "<-",
    "=>",
    "+",
    "-",
    " -",
    "- ",
    "*",
    "/",
    "%",
    "<",
    "<=",
    ">",
    ">=",
    "==",
    "!=",
    "!",
    "|",
    "|>",
    "&&",
    "||",
    "//",
    "#",
    "\n",
    "\n    ",
    "\n  ",
    "\n        ",
    "\n\t",
    " ",
    "  ",
    ";",
    "é",
    "\u{feff}",
    "\r\n",
    "f(",
    "x[",
    "if x:",
    "mat x:\n    ",
    "x <- y:",
    "f(a) =",
    "if x:\n    y\n| ",
    "| if y:",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_soup_of_tokens_panics(words in prop::collection::vec(prop::sample::select(WORDS), 0..60), spaced in any::<bool>()) {
        check(&words.join(if spaced { " " } else { "" }));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,80}") {
        check(&text);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        check(&String::from_utf8_lossy(&bytes));
    }
}
