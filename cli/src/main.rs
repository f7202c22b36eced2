//! The ilu command.
#![forbid(unsafe_code)]
fn main() {}
