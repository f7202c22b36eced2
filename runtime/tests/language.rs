//! The language as the engine runs it, each case as it is and with a collection at every growth of the heap.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;
use common::output;

#[test]
fn a_program_runs_and_prints() {
    assert_eq!(output("prn \"hello\", 1 + 2\n"), "hello 3\n");
}

#[test]
fn functions_call_each_other_and_themselves() {
    let text = "fib(n) =\n    if n < 2: ret n\n    fib(n - 1) + fib(n - 2)\nprn fib(20)\neven(n) = if n == 0: tru | odd(n - 1)\nodd(n) = if n == 0: fls | even(n - 1)\nprn even(10), odd(10)\n";
    assert_eq!(output(text), "6765\ntru fls\n");
}
