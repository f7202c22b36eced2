//! The verifier takes what the compiler makes, refuses what breaks its rules, and survives anything.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod generate;

use common::compiled;
use ilu_lang::code::op::{OPS, Op, Word};
use ilu_lang::code::program::{Capture, Constant, Parts};
use ilu_lang::code::verify::verify;
use proptest::prelude::*;

/// A program that has a bit of everything.
const PROGRAM: &str = r#"
use fs
f(a, b = 2, ..r) =
  n = a
  g(x) = if x == 0: n | g(x - 1) + b
  h = \()
    n += 1
  i <- 0..10: if i > 3: brk
  k, v <- {a: 1}: prn k, v
  whl n < 3: n += 1
  whl tru: if n == "three" or n == nil: ret n * 2 + 1 | brk
  g(..r)
x = mat [1, 2]:
  [a, ..t] if a == 1 => t
  {k: 1..5} => "k"
  _ => nil
y = x?.a[0] | str | map \(e) e
prn $"{x} and {y}", {a: 1, ["b"]: b"c"}, f(1), 0.5..<3, -x.a, !y
o = {}
o.a = 1
o.b[0] += 2
"#;

fn parts() -> Parts {
    Parts::clone(&compiled(PROGRAM).unwrap())
}

fn refused(change: impl FnOnce(&mut Parts)) -> &'static str {
    let mut parts = parts();
    change(&mut parts);
    verify(parts).expect_err("refused").what
}

/// Puts a word where the first instruction of a kind stands.
fn replace(parts: &mut Parts, op: Op, change: impl FnOnce(Word) -> Word) {
    let at = parts.code.iter().position(|word| word.op() == op as u8).expect("the program has such an instruction");
    parts.code[at] = change(parts.code[at]);
}

#[test]
fn a_program_verifies_again_as_it_is() {
    assert!(verify(parts()).is_ok());
}

type Change = fn(&mut Parts);

#[test]
fn every_broken_rule_is_refused() {
    let cases: &[(&str, Change)] = &[
        ("no such instruction", |parts| parts.code[0] = Word(255)),
        ("a register beyond the function's", |parts| replace(parts, Op::Add, |word| Word::new(Op::Add, word.a(), 250, word.c(), 0))),
        ("a register is read before it is written", |parts| {
            parts.functions[0].registers = 256;
            parts.code[0] = Word::new(Op::Move, 0, 200, 0, 0);
        }),
        ("an unused operand that is not zero", |parts| replace(parts, Op::Add, |word| Word::new(Op::Add, word.a(), word.b(), word.c(), 1))),
        ("no such constant", |parts| replace(parts, Op::Const, |word| word.with_k(u32::MAX))),
        ("no such access site", |parts| replace(parts, Op::GetField, |word| word.with_k(u32::MAX))),
        ("no such object template", |parts| replace(parts, Op::Object, |word| word.with_k(1000))),
        ("no such function", |parts| replace(parts, Op::Closure, |word| word.with_k(0))),
        ("no such module variable", |parts| replace(parts, Op::GetGlobal, |word| word.with_k(1000))),
        ("no such capture", |parts| replace(parts, Op::GetCapture, |word| word.with_k(9))),
        ("no such module", |parts| replace(parts, Op::Use, |word| word.with_k(9))),
        ("a jump out of the function", |parts| replace(parts, Op::JumpNil, |word| word.with_k(0xFFFF))),
        ("a jump that does not go forwards", |parts| replace(parts, Op::JumpNil, |word| word.with_k(0))),
        ("a back edge that does not go back", |parts| replace(parts, Op::Loop, |word| word.with_k(word.k() + 1000))),
        ("a back edge that does not go back", |parts| replace(parts, Op::LoopLtI, |word| word.with_k(word.k() + 1000))),
        ("a back edge that does not go back", |parts| replace(parts, Op::IterLoop, |word| word.with_k(word.k() + 1000))),
        ("a text that is not a short string", |parts| {
            parts.constants.push(Constant::Str("long".repeat(11).into()));
            let long = u8::try_from(parts.constants.len() - 1).unwrap();
            replace(parts, Op::JumpEqS, |word| Word::new(Op::JumpEqS, word.a(), long, 0, word.k()));
        }),
        ("a value that is neither nil nor a boolean", |parts| {
            replace(parts, Op::JumpIsNot, |word| Word::new(Op::JumpIsNot, word.a(), 3, 0, word.k()));
        }),
        ("a text that is not a short string", |parts| {
            parts.constants.push(Constant::Num(1.0));
            let number = u8::try_from(parts.constants.len() - 1).unwrap();
            replace(parts, Op::JumpEqS, |word| Word::new(Op::JumpEqS, word.a(), number, 0, word.k()));
        }),
        ("a flag that is neither 0 nor 1", |parts| replace(parts, Op::MulI, |word| Word::new(Op::MulI, word.a(), word.b(), 2, word.k()))),
        ("a flag that is neither 0 nor 1", |parts| {
            replace(parts, Op::ForPrep, |word| Word::new(Op::ForPrep, word.a(), word.b(), 2, word.k()))
        }),
        ("a loop with neither one nor two variables", |parts| {
            replace(parts, Op::IterNext, |word| Word::new(Op::IterNext, word.a(), word.b(), 3, word.k()));
        }),
        ("a loop with neither one nor two variables", |parts| {
            replace(parts, Op::IterLoop, |word| Word::new(Op::IterLoop, word.a(), word.b(), 0, word.k()));
        }),
        ("too many arguments", |parts| replace(parts, Op::Call, |word| Word::new(Op::Call, word.a(), 255, 0, 0))),
        ("an access site without a name", |parts| parts.sites[0] = u32::MAX),
        ("an object template without a name", |parts| parts.templates[0].push(u32::MAX)),
        ("a constant that is not a finite number", |parts| parts.constants.push(Constant::Num(f64::NAN))),
        ("not one source range for each word", |parts| _ = parts.spans.pop()),
        ("functions that do not follow each other", |parts| parts.functions[1].entry += 1),
        ("code outside of functions", |parts| {
            parts.code.push(Word::new(Op::ReturnNil, 0, 0, 0, 0));
            parts.spans.push(parts.spans[0]);
        }),
        ("too many registers", |parts| parts.functions[0].registers = 257),
        ("parameters without a register", |parts| parts.functions[1].required = 200),
        ("no function to begin with", |parts| parts.functions[0].captures.push(Capture::This)),
        ("no function to begin with", |parts| *parts = Parts { code: vec![], spans: vec![], functions: vec![], ..parts.clone() }),
        ("a function that runs off its end", |parts| {
            let last = parts.code.len() - 1;
            parts.code[last] = Word::new(Op::Check, 0, 0, 0, 0);
        }),
        ("too far from a checkpoint", |parts| {
            let mut code = vec![Word::new(Op::Nil, 0, 0, 0, 0); 65];
            code.push(Word::new(Op::ReturnNil, 0, 0, 0, 0));
            parts.spans = vec![parts.spans[0]; code.len()];
            parts.functions.truncate(1);
            (parts.functions[0].entry, parts.functions[0].end) = (0, code.len() as u32);
            parts.code = code;
        }),
    ];
    for (wanted, change) in cases {
        assert_eq!(refused(change), *wanted);
    }
}

#[test]
fn what_a_call_leaves_behind_cannot_be_read() {
    let word = |op, a, b, c, k| Word::new(op, a, b, c, k);
    let mut parts = parts();
    parts.functions.truncate(1);
    parts.code = vec![
        word(Op::Nil, 0, 0, 0, 0),
        word(Op::Nil, 1, 0, 0, 0),
        word(Op::Nil, 2, 0, 0, 0),
        word(Op::Call, 1, 0, 0, 0),
        word(Op::Return, 2, 0, 0, 0),
    ];
    parts.spans = vec![parts.spans[0]; parts.code.len()];
    (parts.functions[0].entry, parts.functions[0].end, parts.functions[0].registers) = (0, 5, 3);
    assert_eq!(verify(parts.clone()).expect_err("refused").what, "a register is read before it is written");
    for kept in [0, 1] {
        parts.code[4] = word(Op::Return, kept, 0, 0, 0);
        assert!(verify(parts.clone()).is_ok());
    }
}

#[test]
fn a_loop_may_not_rely_on_what_its_own_calls_overwrite() {
    let word = |op, a, b, c, k| Word::new(op, a, b, c, k);
    let mut parts = parts();
    parts.functions.truncate(1);
    parts.code = vec![
        word(Op::Nil, 0, 0, 0, 0),
        word(Op::Nil, 2, 0, 0, 0),
        word(Op::JumpTrue, 2, 0, 0, 6),
        word(Op::Nil, 1, 0, 0, 0),
        word(Op::Call, 1, 0, 0, 0),
        word(Op::Loop, 0, 0, 0, 2),
        word(Op::ReturnNil, 0, 0, 0, 0),
    ];
    parts.spans = vec![parts.spans[0]; parts.code.len()];
    (parts.functions[0].entry, parts.functions[0].end, parts.functions[0].registers) = (0, 7, 3);
    assert_eq!(verify(parts.clone()).expect_err("refused").what, "a register is read before it is written");
    parts.code[2] = word(Op::JumpTrue, 0, 0, 0, 6);
    assert!(verify(parts).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// No panic, whatever the words say; that nothing wrong is let through is for the tests above.
    #[test]
    fn any_words_are_checked_without_a_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u64>(), 0_u8..8), 1..6)) {
        let mut parts = parts();
        for (index, value, how) in changes {
            let length = parts.code.len();
            let at = index.index(length);
            let word = parts.code[at];
            match how {
                0 => parts.code[at] = Word(value),
                1 => parts.code[at] = Word((word.0 & !0xFF) | (value % OPS.len() as u64)),
                2 => parts.code[at] = word.with_k(value as u32 % length as u32),
                3 => parts.code[at] = Word(word.0 ^ 1 << (value % 64)),
                4 => _ = parts.code.remove(at),
                5 => { let other = value as usize % length; parts.code.swap(at, other) }
                6 => { let function = value as usize % parts.functions.len(); parts.functions[function].registers = (value >> 32) as u16 % 300 }
                _ => { let function = value as usize % parts.functions.len(); parts.functions[function].end = (value >> 32) as u32 % 400 }
            }
        }
        let _ = verify(parts);
    }

    /// The lowering and the verifier agree on every program that the generator can think of.
    #[test]
    fn what_compiles_verifies(seed in any::<u64>()) {
        let text = generate::program(seed);
        if let Err(errors) = compiled(&text) {
            for error in errors {
                prop_assert!(error.code != "E0599" && !error.code.starts_with("E00"), "{error:?}\n{text}");
            }
        }
    }
}
