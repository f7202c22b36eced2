//! The sandbox.
#![forbid(unsafe_code)]
pub mod plain;
