//! What the compiler asks about the world: builtins, natives, modules of the standard library.

use crate::builtin;
use crate::engine::Engine;
use ilu_lang::library::Library;

/// An engine's names.
pub(crate) struct Names<'e>(pub &'e Engine);

impl Library for Names<'_> {
    fn builtin(&self, name: &str, trusted: bool) -> Option<u32> {
        builtin::number(name, trusted)
    }
    fn native(&self, name: &str) -> Option<u32> {
        ilu_cap::by_name(name).map(|native| u32::from(native.0))
    }
    fn exports(&self, module: &str) -> Option<Vec<String>> {
        // A module that does not compile is our own mistake; to a program it is as if it were not there, and a test compiles them all.
        let program = self.0.std_program(module).ok()?;
        Some(program.globals.iter().filter(|global| global.exported).map(|global| global.name.to_string()).collect())
    }
    fn readable(&self, module: &str) -> Option<Vec<String>> {
        ilu_std::module(module).map(|module| module.readable().into_iter().map(str::to_owned).collect())
    }
    fn modules(&self) -> Vec<String> {
        ilu_std::MODULES.iter().map(|module| module.name.to_owned()).collect()
    }
    fn names(&self) -> Vec<String> {
        let natives = ilu_cap::NATIVES.iter().map(|native| native.name.to_owned());
        builtin::table().iter().filter(|row| !row.trusted).map(|row| row.name.to_owned()).chain(natives).collect()
    }
}
