//! The standard library: every module's source, page and tests, and the natives, one file per class in the module's folder.
//!
//! A module's two halves live in one folder: what scripts see is written in the language, what only the host can do is a native behind the
//! sandbox's doorway. Nothing here knows the VM, and nothing here has authority of its own: a native is a function that takes a permit and
//! names every subject through it.
#![forbid(unsafe_code)]

#[path = "../env/natives.rs"]
mod env;
#[path = "../fs/natives.rs"]
mod fs;
#[cfg(feature = "http")]
#[path = "../http/natives.rs"]
mod http;
#[path = "../io/natives.rs"]
mod io;
mod modules;
mod natives;
#[path = "../net/natives.rs"]
mod net;
#[path = "../obs/natives.rs"]
mod obs;
#[path = "../os/natives.rs"]
mod os;
#[path = "../rnd/natives.rs"]
mod rnd;
#[path = "../syn/natives.rs"]
mod syn;
#[path = "../tim/natives.rs"]
mod tim;

#[cfg(feature = "http")]
pub use http::check_authorities;
pub use modules::{MODULES, ModuleSource, module};
pub use natives::natives;

/// Looks whether a text in PEM has certificates that HTTPS could trust.
///
/// # Errors
/// This build has no HTTP.
#[cfg(not(feature = "http"))]
pub fn check_authorities(_: &str) -> Result<(), String> {
    Err("this build has no HTTP".to_owned())
}
