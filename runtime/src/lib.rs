//! The ilu runtime.
#![forbid(unsafe_code)]
pub mod builtin;
pub mod heap;
pub mod host;
pub mod value;
