//! Whole-system tests live in `tests/`; this crate holds what they share.
#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test support reaches the system directly, and a failed expectation is a failed test"
)]

pub mod command;
pub mod expect;
pub mod inside;
pub mod learned;
pub mod name_server;
pub mod server;
pub mod suite;
pub mod tally;
pub mod terminal;
pub mod tls;
pub mod watched;
