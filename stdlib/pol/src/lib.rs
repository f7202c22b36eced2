//! Policy as data: roles, access lists, ordered rules, canonical text and seals.
//!
//! Pure functions over plain data. They decide; they never act, never do I/O, never look at a clock and know nothing of sandboxes. What
//! they say is worth something because whoever holds the power (the sandbox, a host) asks them.
//!
//! Three rules run through all of it:
//! - **Default deny.** No row, no list, no document: the answer is `false`.
//! - **A malformed policy is an error, never a row that is skipped.** Skipping a malformed *deny* row would allow what it was to deny.
//! - **Bytes, not spellings.** Texts are compared byte by byte. Whoever asks brings paths and names in canonical form.
//!
//! Every function's work is linear in the size of its arguments (times a logarithm where keys are sorted), so a caller can charge by size.
#![forbid(unsafe_code)]

mod acl;
mod call;
mod canon;
mod data;
mod error;
pub mod net;
mod role;
mod rules;
mod seal;
mod set;
mod wild;

pub use acl::{Row, acl, acl_document};
pub use call::{FUNCTIONS, FunctionRow, call};
pub use canon::canonical;
pub use data::{Data, MAX_DEPTH};
pub use error::{PolError, PolErrorKind};
pub use role::{Roles, role, roles};
pub use rules::{Rule, rules};
pub use seal::{seal, seal_ok};
pub use set::subset;
pub use wild::{lint, wild};
