//! `unguarded WHAT`: programs without the guards that ilu has, on the input that the attack rows give ilu. Each is the twin of a row: what the
//! row asks ilu to survive ends this one, or makes it grow.
//!
//! | WHAT | does with standard input |
//! |---|---|
//! | `nested` | reads brackets by calling itself, as a plain recursive-descent parser does |
//! | `drop` `print` `equal` | makes a list nested a million deep and drops, shows or compares it in the way that comes by itself |
//! | `whole` | reads all of it into memory and tells how many bytes that was |
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "a program for tests")]

use std::io::{Read, Write};
use std::process::ExitCode;

/// A list as a language without an arena would hold it.
#[derive(Debug, PartialEq)]
struct Nested(Option<Box<Nested>>);

fn deep() -> Nested {
    (0..1_000_000).fold(Nested(None), |inner, _| Nested(Some(Box::new(inner))))
}

/// Reads what is inside a bracket, and the bracket's end; gives where it got to.
fn nested(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        at = match byte {
            b'(' | b'[' | b'{' => nested(text, at + 1),
            b')' | b']' | b'}' => return at + 1,
            _ => at + 1,
        };
    }
    at
}

fn main() -> ExitCode {
    let mut text = Vec::new();
    if std::io::stdin().read_to_end(&mut text).is_err() {
        return ExitCode::FAILURE;
    }
    let said = match std::env::args().nth(1).as_deref() {
        Some("nested") => nested(&text, 0).to_string(),
        Some("drop") => {
            drop(deep());
            "dropped".to_owned()
        }
        Some("print") => format!("{:?}", std::mem::ManuallyDrop::new(deep())).len().to_string(),
        Some("equal") => (*std::mem::ManuallyDrop::new(deep()) == *std::mem::ManuallyDrop::new(deep())).to_string(),
        Some("whole") => text.len().to_string(),
        _ => return ExitCode::FAILURE,
    };
    match writeln!(std::io::stdout(), "{said}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
