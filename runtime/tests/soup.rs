//! Programs nobody would write: whatever compiles runs to an end that is no bug of ours, and to the same end with a collection at
//! every growth of the heap.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;
use ilu::{Engine, Kind, Setup};
use ilu_cap::CapSet;
use ilu_sbx::{Grants, Limits};
use proptest::prelude::*;

fn leaf() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "0",
        "1",
        "-3",
        "0.5",
        "1e300",
        "nil",
        "tru",
        "fls",
        "\"\"",
        "\"a\"",
        "\"é\"",
        "b\"x\\xff\"",
        "[]",
        "{}",
        "x",
        "y",
        "z",
        "f",
        "prn",
        "len",
        "str",
        "sb",
        "jail",
        "trl",
        "trl.map",
        "typ",
        "try",
        "__sys_time",
        "\"0123456789012345678901234567890123456789abc\"",
        "sbxme()",
    ])
    .prop_map(str::to_owned)
}

fn expression() -> impl Strategy<Value = String> {
    leaf().prop_recursive(4, 24, 3, |inner| {
        let e = inner.clone();
        prop_oneof![
            (e.clone(), prop::sample::select(vec!["+", "-", "*", "/", "%", "<", "<=", "==", "!=", "and", "or", "..", "..<"]), e.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (e.clone(), e.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            (e.clone(), e.clone()).prop_map(|(a, b)| format!("{{k: {a}, \"l m\": {b}}}")),
            (e.clone(), e.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            (e.clone(), e.clone()).prop_map(|(a, b)| format!("({a})?[{b}]")),
            e.clone().prop_map(|a| format!("({a}).k")),
            e.clone().prop_map(|a| format!("({a})?.k.k")),
            (e.clone(), e.clone()).prop_map(|(a, b)| format!("({a})({b})")),
            e.clone().prop_map(|a| format!("({a})()")),
            (e.clone(), e.clone()).prop_map(|(a, b)| format!("({a})(..[{b}])")),
            e.clone().prop_map(|a| format!("try(\\() {a})")),
            e.clone().prop_map(|a| format!("(\\(x, y = 1, ..z) {a})")),
            e.clone().prop_map(|a| format!("sbxtr(jail, \\() {a}).val")),
            e.clone().prop_map(|a| format!("sbxrn(sb, \\() {a})")),
            e.clone().prop_map(|a| format!("$\"<{{{}}}>\"", a.replace('"', "'"))),
            (e.clone(), e.clone(), e).prop_map(|(a, b, c)| format!("(if {a}: {b} | {c})")),
        ]
    })
}

fn statement() -> impl Strategy<Value = String> {
    prop_oneof![
        expression().prop_map(|e| format!("x = {e}\n")),
        expression().prop_map(|e| format!("y = try(\\() {e}).val\n")),
        expression().prop_map(|e| format!("prn({e})\n")),
        (expression(), expression()).prop_map(|(a, b)| format!("try(\\()\n    z[{a}] = {b}\n)\n")),
        expression().prop_map(|e| format!("try(\\()\n    z.k = {e}\n)\n")),
        expression().prop_map(|e| format!("i <- 0..3:\n    z = [z, {e}]\n")),
        expression().prop_map(|e| format!("try(\\()\n    k, v <- {e}:\n        x = v\n)\n")),
        expression().prop_map(|e| format!("whl {e}: brk\n")),
        (expression(), expression()).prop_map(|(a, b)| format!(
            "mat {a}:\n    [p, ..q] => prn(p, q)\n    {{k: p}} => x = p\n    1..5 | \"a\" => y = {b}\n    n if {b} => z = n\n    _ => x = 0\n"
        )),
        expression().prop_map(|e| format!("f = \\(a)\n    x = a\n    {e}\n")),
        expression().prop_map(|e| format!("g(a, b = {e}) =\n    c = [a, b]\n    \\() c\nx = g\n")),
    ]
}

/// How a program ends: its output, and the value or error.
fn end(engine: &Engine, text: &str, stress: bool) -> Option<(String, String)> {
    let program = engine.compile("soup.ilu", text).ok()?;
    let (outside, written) = common::double();
    let limits = Limits { fuel: 50_000, memory: 32 << 20, depth: 100, wall_ms: 20_000, ..Limits::default() };
    // Without the clocks, whose answers differ from run to run.
    let caps: CapSet = CapSet::all().iter().filter(|native| !native.name().contains("time") && !native.name().contains("mono")).collect();
    let mut setup = Setup::new(Grants { caps, limits, ..Grants::default() }, outside);
    setup.stress = stress;
    let outcome = engine.run(&program, setup);
    let ended = match outcome.result {
        Ok(finished) => finished.text,
        Err(error) => {
            assert!(error.kind != Kind::Bug, "{}\n{text}", error.message);
            format!("{:?} {}", error.kind, error.message)
        }
    };
    Some((written.out(), ended))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_compiles_ends_well_and_the_same_under_stress(body in prop::collection::vec(statement(), 1..8)) {
        let text = format!("use trl\nuse sbx\nsb = sbxmk([])\njail = sbxmk([], {{fuel: 3000, mem: 200000, depth: 20}})\nx = 1\ny = [1, 2]\nz = {{}}\nf = \\(a) a\n{}", body.concat());
        let engine = Engine::new();
        let calm = end(&engine, &text, false);
        let stressed = end(&engine, &text, true);
        prop_assert_eq!(calm, stressed, "{}", text);
    }
}
