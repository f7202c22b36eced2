//! The ilu runtime.
#![forbid(unsafe_code)]
pub mod heap;
pub mod host;
pub mod value;
