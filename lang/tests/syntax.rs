//! What text means: each rule of the grammar as text and tree.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod dump;

use dump::tree;

#[test]
fn a_statement_of_each_kind() {
    assert_eq!(tree("prn x, -1\nx = 1\nf(a, b = 2, ..r) = a\n"), "(call prn x (- 1))\n(= x 1)\n(fn f(a b=2 ..r) {a})\n");
}
