//! The registry of natives and the algebra of capability sets.
//!
//! A *native* is a call that leaves the script; a *capability* is its name. One table ([`NATIVES`]) declares each native once: its
//! name, aliases, class, parameters, what it needs from the kernel, which grant it asks for and one line of documentation. Bundles,
//! sets, hints, the checker and the pages are derived from it. [`rights`] is the algebra of all that a sandbox may do. This crate is pure: it
//! does no I/O and knows no sandboxes.
#![forbid(unsafe_code)]

pub mod bundle;
pub mod registry;
pub mod rights;
pub mod set;
mod table;

pub use bundle::{BUNDLES, Bundle, bundle, parse_list};
pub use registry::{Class, GrantKind, Kernel, Kind, Native, NativeId, Param, Unknown, by_name, near, nearest};
pub use rights::Rights;
pub use set::CapSet;
pub use table::NATIVES;
