//! The ilu runtime: embed the language, grant it what it may touch, run it.
//!
//! ```text
//! Engine::new ─ compile ─► Program ─ run(program, Setup { grants, outside, … }) ─► Outcome
//! ```
//!
//! An [`Engine`] holds what all runs share and nothing else; each run is an isolate of its own, with its own heap, realm and budgets.
//! Nothing here touches files, the clock or the environment but `host`, which opens what an operator granted.

#![forbid(unsafe_code)]

pub mod builtin;
pub mod engine;
pub mod heap;
pub mod host;
mod library;
mod native;
pub mod outcome;
pub mod value;
mod vm;

pub use engine::{Engine, Setup};
pub use outcome::{CompileError, Finished, Kind, Outcome, ScriptError};
pub use vm::module::Loader;
pub use vm::trace::{Place, Trace};
