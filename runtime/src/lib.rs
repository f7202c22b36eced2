//! The ilu runtime: embed the language, grant it what it may touch, run it.
//!
//! ```text
//! Engine::new ─ compile ─► Program ─ run(program, Setup { grants, outside, … }) ─► Outcome
//! ```
//!
//! ```
//! use ilu::{Engine, Kind, Setup, host};
//! use ilu_sbx::Grants;
//!
//! let engine = Engine::new();
//! let program = engine.compile("sum.ilu", "use trl\ntrl.sum([1, 2, 3])")?;
//! let nothing = || Setup::new(Grants::default(), Box::new(host::Process::default()));
//! assert_eq!(engine.run(&program, nothing()).result.expect("it adds up").text, "6");
//!
//! // Nothing is granted, so nothing is reached: not even standard output.
//! let program = engine.compile("hello.ilu", "prn \"hello\"")?;
//! let error = engine.run(&program, nothing()).result.expect_err("it is denied");
//! assert!(matches!(error.kind, Kind::Denied(denial) if denial.native == "__sys_stdout"));
//! # Ok::<(), ilu::CompileError>(())
//! ```
//!
//! An [`Engine`] holds what all runs share and nothing else; each run is an isolate of its own, with its own heap, realm and budgets.
//! Nothing here touches files, the clock or the environment but `host`, which opens what an operator granted.

#![forbid(unsafe_code)]

pub mod builtin;
pub mod code;
pub mod engine;
pub mod foresee;
pub mod heap;
pub mod host;
mod library;
pub mod lint;
mod native;
pub mod outcome;
pub mod reach;
pub mod session;
mod task;
pub mod value;
mod vm;

pub use engine::{Engine, Setup};
pub use heap::Page;
pub use ilu_lang::code::program::Program;
pub use outcome::{CompileError, Failure, Finished, Kind, Outcome, ScriptError};
/// Whether this build can do what a native is for. One that it can't can be held; a call of it is an error.
#[must_use]
pub fn is_built(native: ilu_cap::NativeId) -> bool {
    ilu_std::natives().get(native).is_some()
}

pub use session::{Bound, Described, Evaluated, Session};
pub use vm::module::Loader;
pub use vm::trace::{Place, Trace};
