//! Attack rows INT-P: source text that wants to crash, hang, exhaust or deceive the front end. Each test is named by its row and has a
//! control that must work.

use ilu_tests::tally::{Part, note};
use ilu_tests::watched::{Row, check_all, watch, watch_unguarded};
use std::time::Duration;

const MILLION: usize = 1_000_000;

/// A script the compiler must refuse.
fn refused<'a>(name: &'a str, script: impl Into<String>, says: &'a str) -> Row<'a> {
    Row::new(name, script, 2, says).within(10_000)
}
/// A script that must run.
fn runs<'a>(name: &'a str, script: impl Into<String>, prints: &'a str) -> Row<'a> {
    Row::new(name, script, 0, prints).within(10_000)
}
fn nested(open: &str, inside: &str, close: &str, times: usize) -> String {
    format!("x = {}{inside}{}\nprn \"ok\"", open.repeat(times), close.repeat(times))
}

pub fn int_001_a_million_brackets_are_an_error_of_depth() {
    let mut rows = Vec::new();
    for (open, inside, close) in [("(", "1", ")"), ("[", "1", "]"), ("{a:", "1", "}")] {
        rows.push(runs("control: fifty", nested(open, inside, close, 50), "ok"));
        rows.push(refused("closed", nested(open, inside, close, MILLION), "deep"));
        rows.push(refused("unclosed", format!("x = {}", open.repeat(MILLION)), "deep"));
    }
    rows.push(refused("only closed", format!("x = {}", ")".repeat(MILLION)), ")"));
    rows.push(refused("mixed", format!("x = {}", "([{a:".repeat(MILLION / 3)), "deep"));
    check_all(&rows);
    twin_overflows(&nested("(", "1", ")", MILLION));
    twin_overflows(&"([{a:".repeat(MILLION / 3));
}

/// The twin of what is refused for its depth: a parser that calls itself for each bracket ends by a signal on the same text, and reads a shallow
/// one.
fn twin_overflows(text: &str) {
    let shallow = watch_unguarded("nested", nested("(", "1", ")", 50).as_bytes());
    assert_eq!(shallow.code, Some(0), "{shallow:?}");
    let deep = watch_unguarded("nested", text.as_bytes());
    assert!(deep.code.is_none(), "without a guard this depth is survived, so the row proves nothing: {deep:?}");
    note(Part::Twin);
}

pub fn int_002_nested_functions_and_blocks_are_an_error_of_depth() {
    let deep = 100_000;
    let blocks = |word: &str, times: usize| -> String {
        (0..times).map(|at| format!("{}{word}:\n", " ".repeat(at))).collect::<String>() + &" ".repeat(times) + "prn \"ok\"\n"
    };
    check_all(&[
        runs("control: lambdas", format!("f = {}1\nprn \"ok\"", "\\(x) ".repeat(30)), "ok"),
        runs("control: blocks", blocks("if 1", 30), "ok"),
        refused("lambdas", format!("f = {}1", "\\(x) ".repeat(deep)), "deep"),
        refused("ifs on a line", format!("x = {}1", "if 1: ".repeat(deep)), "deep"),
        runs("else ifs: a chain and no nest", format!("x = if 1: 1 {}\nprn x", "| if 1: 1 ".repeat(deep)), "1"),
        refused("blocks of if", blocks("if 1", 3_000), "deep"),
        refused("blocks of whl", blocks("whl 1", 3_000), "deep"),
        refused("blocks of a loop", blocks("i <- [1]", 3_000), "deep"),
        refused("mat in mat", blocks("mat 1", 3_000), ""),
        refused("signs", format!("x = {}1", "-".repeat(deep)), "deep"),
        refused("interpolation in itself", format!("x = {}1{}", "$\"{".repeat(deep), "}\"".repeat(deep)), "deep"),
        refused("patterns", format!("mat 1:\n  {}a{} => 1", "[".repeat(deep), "]".repeat(deep)), "deep"),
        refused("calls", format!("f = len\nx = {}1{}", "f(".repeat(deep), ")".repeat(deep)), "deep"),
        refused("targets", format!("x = []\n{}0{} = 1", "x[".repeat(deep), "]".repeat(deep)), "deep"),
    ]);
    twin_overflows(&format!("f = len\nx = {}1{}", "f(".repeat(deep), ")".repeat(deep)));
}

pub fn int_002_long_chains_that_do_not_nest_are_fine() {
    let long = 20_000;
    check_all(&[
        runs("a sum", format!("x = 0{}\nprn x", "+1".repeat(long)), "20000"),
        runs("calls in a row", format!("f = \\(x = 0) f\nx = f{}\nprn \"ok\"", "()".repeat(long)), "ok"),
        runs("fields in a row", format!("o = {{}}\no.a = o\nx = o{}\nprn x.a == o", ".a".repeat(long)), "tru"),
        runs("pipeline", format!("inc(x) = x + 1\nprn 0{}", " | inc".repeat(long)), "20000"),
        runs("ands", format!("prn 1{}", " and 2".repeat(long)), "2"),
        runs("many statements", "x = 1\n".repeat(100_000) + "prn x", "1"),
        runs("many functions", (0..5_000).map(|n| format!("f{n}(x) = x\n")).collect::<String>() + "prn f4999(7)", "7"),
    ]);
}

pub fn int_004_large_sources_end_well_or_with_a_short_message() {
    let big = 10 << 20;
    let rows = [
        runs("control", "prn \"ok\"", "ok"),
        runs("a string of 10 MiB", format!("x = \"{}\"\nprn len(x)", "a".repeat(big)), "10485760"),
        runs("a name of a million", format!("{0} = 1\nprn {0}", "a".repeat(MILLION)), "1"),
        runs("a million lines", "\n".repeat(MILLION) + "prn \"ok\"", "ok"),
        refused("four mebibytes of mistakes", "@".repeat(4 << 20), "more errors").within(3_000),
        refused("a mebibyte of lines with a mistake each", "1 2\n".repeat(1 << 18), "more errors").within(3_000),
        runs("a million comments", "# c\n".repeat(MILLION) + "prn \"ok\"", "ok"),
    ];
    check_all(&rows);
    for script in [format!("prn {}", "a".repeat(MILLION)), format!("x = \"{}", "a".repeat(big)), format!("x = \"\\q{}\"", "a".repeat(big))]
    {
        let ran = watch(&["run", "--color", "never", "-"], script.as_bytes());
        assert_eq!(ran.code, Some(2), "{}", ran.err.chars().take(500).collect::<String>());
        assert!(ran.err.len() < 4_000, "a message of {} bytes", ran.err.len());
    }
}

pub fn int_004_one_enormous_line_is_refused_before_it_is_read() {
    let line = "1+".repeat(80 << 20);
    let ran = watch(&["run", "--color", "never", "-"], format!("x = {line}1").as_bytes());
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.len() < 4_000 && ran.took < Duration::from_secs(10), "{} bytes in {:?}", ran.err.len(), ran.took);
    // A buffer that doubles to the most that a text may have is held one and a half times when it has to move.
    assert!(ran.peak < 112 << 20, "{} MiB for a text that is not read", ran.peak >> 20);
    note(Part::Refusal);
    // Without a bound on what is read, it is held.
    let whole = watch_unguarded("whole", line.as_bytes());
    // What is sampled of a process can be a page or two short of what it held.
    assert!(whole.code == Some(0) && whole.peak > 140 << 20, "{} MiB", whole.peak >> 20);
    note(Part::Twin);
}

pub fn int_005_hostile_numbers_are_errors_in_linear_time() {
    let mut rows = vec![
        runs("control: forms", "prn 0xFF, 1e9, 1_000, 3.14", "255 1000000000 1000 3.14"),
        runs("too small is zero", "prn 1e-999999999", "0"),
        runs("many zeros", format!("prn 0.{}1e400000", "0".repeat(400_000)), "0.1"),
        refused("a million digits", format!("x = {}", "9".repeat(MILLION)), "9999"),
        refused("a million hexadecimal digits", format!("x = 0x{}", "f".repeat(MILLION)), "0xffff"),
        refused("a million underscores", format!("x = 1{}1", "_".repeat(MILLION)), "1__"),
    ];
    for bad in ["1e999999999", "0x", "0b2", "1__0", "1.2.3", "9e", "\u{ff11}\u{ff12}", "0o8", "1e", "1e+", "0xg", "1_", "0x_1", "1_.5"] {
        rows.push(refused(bad, format!("x = {bad}"), ""));
    }
    rows.push(refused(".", "x = .", ""));
    check_all(&rows);
}

pub fn int_007_bytes_that_are_no_text_are_errors_with_a_place() {
    let cases: [(&str, &[u8], i32); 12] = [
        ("control", "prn \"é\"".as_bytes(), 0),
        ("control: a BOM at the start", b"\xef\xbb\xbfprn 1", 0),
        ("invalid UTF-8", b"prn 1\nprn \"\xff\"", 2),
        ("a lone continuation", b"prn \"\x80\"", 2),
        ("overlong", b"prn \"\xc0\xaf\"", 2),
        ("a surrogate", b"prn \"\xed\xa0\x80\"", 2),
        ("cut off", b"prn \"\xe4\xb8", 2),
        ("NUL", b"prn 1\0", 2),
        ("carriage returns alone", b"prn 1\rprn 2", 2),
        ("a form feed", b"prn 1\x0cprn 2", 2),
        ("an unterminated string", b"prn \"abc", 2),
        ("U+2028 as a line's end", "prn 1\u{2028}prn 2".as_bytes(), 2),
    ];
    for (name, script, code) in cases {
        let ran = watch(&["run", "--color", "never", "-"], script);
        assert_eq!(ran.code, Some(code), "{name}: {}", ran.err);
        assert!(code == 0 || ran.err.contains(':') && !ran.err.contains("panicked"), "{name}: {}", ran.err);
    }
}

pub fn int_008_deceiving_characters_never_make_a_known_name() {
    check_all(&[
        runs("control: in strings and comments any letter goes", "# \u{43f}\u{440}\u{438}\nprn \"\u{440}rn\"", "\u{440}rn"),
        refused("a Cyrillic letter", "\u{440}rn \"x\"", "U+0440"),
        refused("a zero-width joiner", "pr\u{200d}n \"x\"", "U+200D"),
        refused("a full-width name", "\u{ff50}rn 1", "U+FF50"),
        refused("bidi override in code", "x = 1 \u{202e}+ 2", "U+202E"),
        refused("a no-break space", "prn\u{a0}1", "U+00A0"),
        refused("a combining mark", "prn\u{301} 1", "U+0301"),
    ]);
    let ran = watch(&["run", "--color", "never", "-"], "prn nobody # \u{202e}evil\u{1b}[2J".as_bytes());
    assert_eq!(ran.code, Some(2));
    assert!(!ran.err.contains(['\u{202e}', '\u{1b}']), "a message carries the source's control characters: {:?}", ran.err);
}
