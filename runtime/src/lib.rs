//! The ilu runtime.
#![forbid(unsafe_code)]
pub mod value;
