//! The standard library: every module's source, page and tests, and the natives, one file per class in the module's folder.
//!
//! A module's two halves live in one folder: what scripts see is written in the language, what only the host can do is a native behind the
//! sandbox's doorway. Nothing here knows the VM, and nothing here has authority of its own: a native is a function that takes a permit and
//! names every subject through it.
#![forbid(unsafe_code)]

mod modules;
mod natives;

pub use modules::{MODULES, ModuleSource, module};
pub use natives::natives;
