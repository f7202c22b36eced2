//! What is not ilu: texts and what is said about them. The messages are in `snapshots/`; each is read by people, so each change is read too.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod dump;

use dump::errors;

fn reports(texts: &[&str]) -> String {
    let shown = |text: &&str| {
        let said = errors(text);
        assert!(!said.is_empty(), "no error in {text:?}");
        format!("{}\n{}", text.lines().map(|line| format!("| {}\n", line.escape_debug())).collect::<String>().trim_end(), said.trim_end())
    };
    texts.iter().map(shown).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn characters() {
    dump::snapshot!(reports(&[
        "a\0b",
        "a\rb",
        "x = \"a\rb\"",
        "a\u{202E}b",
        "# a \u{2066}b",
        "x = \"\u{202A}\"",
        "größe = 1",
        "prn\u{200D} \"x\"",
        "\u{0440}rn \"x\"",
        "x = 1\u{2028}",
        "x =\u{A0}1",
        "x = 1\u{0C}",
        "a\u{FEFF}",
        "x; y",
        "x @ y",
        "$a = 1",
        "x = a ? b : c",
        "x = a & b",
        "x = 😀",
    ]));
}

#[test]
fn signs_of_other_languages() {
    dump::snapshot!(reports(&[
        "x = a && b || c",
        "x = a === b",
        "x = a !== b",
        "x := 1",
        "x++",
        "x = 2 ** 3",
        "x = 1 // a ( comment",
        "x = a ? b",
        "a -> b",
        "f = x => x",
        "mat 1:\n    1 -> 2",
        "f = \\() n += 1",
        "f = \\(a) n = a",
        "if a: prn 1 else: prn 2",
    ]));
}

#[test]
fn numbers_and_strings() {
    dump::snapshot!(reports(&[
        "x = 0x",
        "x = 0b2",
        "x = 0o8",
        "x = 1__0",
        "x = 1_",
        "x = 9e",
        "x = 1.2.3",
        "x = 1e999",
        "x = 0x20000000000001",
        "x = 12ab",
        "x = .5",
        "x = 5.",
        "x = １２",
        "x = \"abc",
        "x = 'abc\"",
        "x = b\"abc",
        "x = \"a\\qb\"",
        "x = \"\\x4\"",
        "x = \"\\xff\"",
        "x = \"\\u0041\"",
        "x = \"\\u{}\"",
        "x = \"\\u{d800}\"",
        "x = \"\\u{1234567}\"",
        "x = \"\\",
        "x = $\"abc",
        "x = $\"a{b",
        "x = $\"a{b\"",
        "x = $\"a{\"",
        "x = $\"a{f(b}c\"",
        "x = $\"a}b\"",
        "x = $\"a{}b\"",
        "x = $\"a{b c}d\"",
        "x = b'abc'",
    ]));
}

#[test]
fn indentation() {
    dump::snapshot!(reports(&[
        "if a:\n\tb\n\tc",
        "a\n  b\nc",
        "if a:\n    b\n  c\nd",
        "if a:\nb",
        "if a:",
        "f() =\nb",
        "f = \\(a)\nb",
        "m(\\(a)\n)",
        "mat x:\nb",
        "if a:\n  b\n|\nc",
        "whl a:\n",
        "mat x:\n  1 =>\n  2 => a",
        "if a\n  b\nc",
        "else:\n  b",
        "x =\n  1",
        "x = 1 +\n  2",
        "x = a\n  .b()\n  .c()",
        "x = a\n  + b\ny",
    ]));
}

#[test]
fn brackets() {
    dump::snapshot!(reports(&[
        "x = (1 + 2",
        "x = [1, 2\ny = 3",
        "f(a,\n  b\ndef c = 1\nd e f",
        "f(\\(x)\n  a\ndef b = 1",
        "x = (1]",
        "f(a, [b)",
        "x = 1)",
        "}",
        "[,]",
        "[1,,2]",
        "f(,)",
        "{1: 2}",
        "{a b}",
        "{a: }",
        "x[]",
        "x[1, 2]",
        "()",
    ]));
}

#[test]
fn expressions() {
    dump::snapshot!(reports(&[
        "a < b < c",
        "a == b != c",
        "0..1..2",
        "x = ",
        "x = 1 2",
        "x = a b",
        "x = prn (a)",
        "x = a [0]",
        "x = * 2",
        "x = a +",
        "x = (a +)",
        "a or",
        "xs | sum + 1",
        "xs |",
        "xs | 5",
        "xs | \"a\"",
        "xs | [f]",
        "xs |> ",
        "f(b = 1)",
        "x = f(1, b = 1).c",
        "a.1",
        "a.",
        "\\x x",
        "\\(x)",
        "\\(1) x",
        "x = not",
        "x = fn",
        "[..xs]",
    ]));
}

#[test]
fn statements() {
    dump::snapshot!(reports(&[
        "1 = 2",
        "f(a)(b) = 1",
        "a.f(x) = 1",
        "f(1) = 2",
        "f(a + b) = 2",
        "(a) = 1",
        "[a, b] = c",
        "a?.b = 1",
        "a?.b.c += 1",
        "a + b = c",
        "x = y = 3",
        "if x = 5: y",
        "whl x = 5: y",
        "f (a) = a",
        "f(a, b = 1, c) = a",
        "f(..a, b) = a",
        "f(..a, ..b) = a",
        "f(..a = 1) = a",
        "\\(a = 1, b) a",
        "def",
        "def f(a) = 1",
        "def a.b = 1",
        "use",
        "use 1",
        "use a.b",
        "use fs as",
        "brk 1",
        "a, b = 1",
        "a, b, c <- d: e",
        "x <- : y",
        "x.y <- z: w",
        "ret = 1",
        "x = whl a: b",
        "a <- b",
    ]));
}

#[test]
fn conditions_and_matches() {
    dump::snapshot!(reports(&[
        "if a | b: c",
        "if a: b | c | d",
        "xs | map \\(x) if x: 1 | 2 | sum",
        "| a",
        "a = 1\n| b = 2",
        "whl a:\n  b\n| c",
        "if a:\n  b\n| c\n| d",
        "if a: | b",
        "if : b",
        "x = y if c",
        "mat x: 1 => 2",
        "mat x:\n  a + b => c",
        "mat x:\n  5..1 => c",
        "mat x:\n  5..<5 => c",
        "mat x:\n  [..a, b] => c",
        "mat x:\n  a | 1 => c",
        "mat x:\n  [1, b] | 2 => c",
        "mat x:\n  1 2 => c\n  2 => d e f",
        "mat x y:\n  1 => 2\n  a | b => 3\n  n if n => 4",
        "mat x:\n  1\n  2 => a",
        "f(mat x: 1)",
    ]));
}

#[test]
fn words_of_other_languages() {
    dump::snapshot!(reports(&[
        "if a:\n  b\nelse:\n  c",
        "if a:\n  b\nelif c:\n  d",
        "for x in xs:\n  prn x",
        "for (i = 0; i < 3; i++) {",
        "while a:\n  b",
        "while (a) {\n  b\n}",
        "function f(a) {",
        "fn f(a):\n  b",
        "def f(a):\n  b",
        "f(a):\n  b",
        "let x = 1",
        "var x = 1",
        "const x = 1",
        "return 1 2",
        "match x:\n  1 => 2",
        "class A:\n  b",
        "try:\n  a",
        "if a then b",
        "if a {\n  b\n}",
    ]));
}

#[test]
fn several_errors_are_reported_in_one_run_each_once() {
    dump::snapshot!(reports(&[
        "a b c\nx = \nif d:\n  1 2\n  e\n  f(]\ng\nh = [1, 2\nret 3\nmat i:\n  1 2 => 3\n  j => k l m\nn(o p,\n  \\(q)\n    r s t\n    u\n)\nv w x"
    ]));
}

#[test]
fn every_code_of_the_front_end_has_a_text_that_gives_it() {
    use ilu_lang::parse::parse;
    use ilu_lang::source::{MAX_SOURCE_BYTES, Source};
    let too_large = " ".repeat(MAX_SOURCE_BYTES + 1);
    let too_deep = "(".repeat(300);
    let too_long = "brk\n".repeat(1_000_001);
    let too_many = "1 2\n".repeat(100);
    let cases = [
        ("E0001", too_large.as_str()),
        ("E0002", "\0"),
        ("E0003", "\r"),
        ("E0004", "\u{202E}"),
        ("E0005", "@"),
        ("E0006", "é"),
        ("E0007", "a && b"),
        ("E0008", "0x"),
        ("E0009", "\""),
        ("E0010", "\"\\q\""),
        ("E0011", "$\"}\""),
        ("E0020", "if a:\n\tb"),
        ("E0021", "a\n b"),
        ("E0022", "if a:\n  b\n c"),
        ("E0023", "("),
        ("E0024", ")"),
        ("E0025", &too_deep),
        ("E0026", &too_long),
        ("E0027", "if a | b: c"),
        ("E0028", "if a: b | c | d"),
        ("E0029", "$\"{"),
        ("E0030", "if a:"),
        ("E0040", "1 2"),
        ("E0041", "1 < 2 < 3"),
        ("E0042", "1 = 2"),
        ("E0043", "f(1) = 2"),
        ("E0044", "f(a = 1, b) = 2"),
        ("E0045", "f(a = 1)"),
        ("E0046", "mat x:\n  5..1 => 2"),
        ("E0047", "a | 5"),
        ("E0099", &too_many),
    ];
    for (code, text) in cases {
        let (_, errors) = parse(&Source::new("test", text));
        assert!(errors.iter().any(|error| error.code == code), "{code}: {errors:?}");
    }
    let table = ilu_lang::diagnostic::codes::TABLE.iter().map(|(code, _)| *code).filter(|code| *code < "E0300");
    assert_eq!(table.collect::<Vec<_>>(), cases.map(|(code, _)| code));
}
