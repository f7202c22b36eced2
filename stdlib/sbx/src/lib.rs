//! The sandbox.
#![forbid(unsafe_code)]
pub mod ids;
pub mod plain;
