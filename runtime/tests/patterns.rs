//! Regular expressions, digests and tables within budgets: whatever the pattern and the text, a script ends when its fuel, memory or time is up.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;
use common::run_with;
use ilu::Kind;
use ilu_sbx::Limits;
use std::time::{Duration, Instant};

/// A text of `a` and `b` in no order, of twice as many characters as the fuel of a round pays for.
const MIXED: &str = "use rex\nuse trl\nuse txt\nx = 1\nparts = []\nn <- 0..<60000:\n    x = (x * 1103515245 + 12345) % 2147483648\n    \
    trl.push(parts, if x > 1073741824: \"a\" | \"b\")\ntext = txt.join(parts)\nwhl len(text) < 8000000: text = text + text\n";

fn message(text: &str, limits: Limits) -> String {
    let error = run_with(text, limits, |_| {}).0.result.unwrap_err();
    assert_eq!(error.kind, Kind::Limit, "{}", error.message);
    error.message
}

#[test]
fn a_search_that_takes_long_ends_when_time_is_up() {
    // Every byte of such a text makes the automaton work out a state that it has not seen.
    for search in ["rex.ha(text, \"a[ab]{300}c\")", "rex.al(text, \"(?:a|b)*?a(?:a|b){300}c\")", "rex.sp(text, \"b[ab]{250}c\")"] {
        let began = Instant::now();
        // Its control: the same with time enough does not end so, for a shorter text.
        let text = format!("{MIXED}{search}\n");
        assert_eq!(message(&text, Limits { wall_ms: 1_500, ..Limits::default() }), "time ran out (limit 1500 ms)", "{search}");
        assert!(began.elapsed() < Duration::from_secs(30), "{search}: {:?}", began.elapsed());
        let short = format!("{}text = \"ab\"\n{search}\n", MIXED.lines().take(3).map(|line| format!("{line}\n")).collect::<String>());
        assert!(run_with(&short, Limits { wall_ms: 60_000, ..Limits::default() }, |_| {}).0.result.is_ok(), "{search}");
    }
}

#[test]
fn searches_digests_and_tables_are_paid_for_in_fuel() {
    let many = "use rex\nuse cry\nuse csv\nuse txt\ntext = txt.rpt(\"a,b\\n\", 100000)\n";
    let spent = |what: &str| {
        let outcome = run_with(&format!("{many}{what}\n"), Limits::default(), |_| {}).0;
        assert!(outcome.result.is_ok(), "{what}");
        outcome.spent.iter().find(|row| row.budget == ilu_sbx::Budget::Fuel).unwrap().used
    };
    let nothing = spent("1");
    for (what, least) in [
        ("rex.ha(text, \"c\")", 25_000),
        ("rex.al(text, \"a\")", 100_000),
        ("rex.al(text, \"(a)\")", 100_000),
        ("rex.re(text, \"a\", \"b\")", 100_000),
        ("rex.sp(text, \",\")", 100_000),
        ("cry.sha256(text)", 25_000),
        ("cry.hmac(\"k\", text)", 25_000),
        ("csv.dec(text)", 200_000),
    ] {
        let used = spent(what) - nothing;
        assert!(used >= least, "{what}: {used}");
        let limits = Limits { fuel: nothing + least / 2, ..Limits::default() };
        assert!(message(&format!("{many}{what}\n"), limits).starts_with("fuel ran out"), "{what}");
    }
    // Whether a pattern was compiled before does not show in the bill.
    assert_eq!(spent("rex.ha(text, \"kept?\")"), spent("rex.ha(text, \"kept?\")"));
}

#[test]
fn what_they_make_is_held_within_memory() {
    let small = Limits { memory: 5 << 20, ..Limits::default() };
    for what in ["rex.al(text, \".\")", "rex.sp(text, \"\")", "rex.re(text, \"\", text)", "csv.dec(text)"] {
        let text = format!("use rex\nuse csv\nuse txt\ntext = txt.rpt(\"a,\", 300000)\nx = {what}\n");
        assert!(message(&text, small.clone()).starts_with("memory ran out"), "{what}");
    }
    // A sandbox with less room than a compiled pattern may take has none for one.
    let error = message("use rex\nrex.ha(\"a\", \"a\")\n", Limits { memory: 1 << 20, ..Limits::default() });
    assert!(error.starts_with("memory ran out"), "{error}");
}
