//! The standard library: each module's ilu source, and the natives behind the registry's rows.
//!
//! A native is one function that takes a permit; it sees no ambient API and names every subject through the permit.
#![forbid(unsafe_code)]

mod natives;

pub use natives::natives;
