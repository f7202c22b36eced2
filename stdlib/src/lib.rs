//! The standard library: every module's source, page and tests, and the natives, one file per class in the module's folder.
//!
//! A module's two halves live in one folder: what scripts see is written in the language, what only the host can do is a native behind the
//! sandbox's doorway. Nothing here knows the VM, and nothing here has authority of its own.
#![forbid(unsafe_code)]

mod modules;

pub use modules::{MODULES, ModuleSource, module};
