//! Builtins: functions that work on the heap and reach nothing outside it.
//!
//! Names that begin with `__` are for the standard library's own sources and no other program can name them. A *pure* builtin gets its
//! arguments and the heap; it may be run twice when a charge is refused, so it checks and charges before it changes anything.

pub mod bytes;
pub mod json;
pub mod list;
pub mod math;
pub mod object;
mod support;
pub mod text;

#[cfg(test)]
mod tests;

use crate::heap::{Full, Store};
use crate::value::Value;

/// Why an operation of the VM or a builtin did not give a value.
#[derive(Debug)]
pub enum Fault {
    /// The script raised this.
    Raise(Value),
    /// An error of the runtime: its text becomes the value that is raised.
    Message(String),
    /// A charge was refused: collect, try once more, then it is the memory limit.
    Full(Full),
    /// The work would cost more fuel than is left.
    Fuel,
}

impl From<Full> for Fault {
    fn from(full: Full) -> Self {
        Fault::Full(full)
    }
}

impl Fault {
    /// A catchable error of the runtime.
    pub fn message(text: impl Into<String>) -> Self {
        Fault::Message(text.into())
    }
}

/// What a pure builtin works with.
pub struct Cx<'a> {
    /// The objects.
    pub heap: &'a mut Store,
    /// Fuel that is left to the account.
    pub fuel: &'a mut i64,
}

impl Cx<'_> {
    /// Pays for work before it is done.
    #[inline]
    pub fn spend(&mut self, units: usize) -> Result<(), Fault> {
        match i64::try_from(units) {
            Ok(units) if units <= *self.fuel => {
                *self.fuel -= units;
                Ok(())
            }
            _ => Err(Fault::Fuel),
        }
    }
}

/// A pure builtin.
pub type Builtin = fn(&mut Cx<'_>, &[Value]) -> Result<Value, Fault>;

/// How a builtin runs.
#[derive(Clone, Copy)]
pub enum Run {
    /// On the heap alone.
    Pure(Builtin),
}

/// A row of the table.
pub struct BuiltinRow {
    /// Its name.
    pub name: &'static str,
    /// Only sources of the standard library can name it.
    pub trusted: bool,
    /// Fewest and most arguments; 255 is any number.
    pub args: (u8, u8),
    /// How it runs.
    pub run: Run,
    /// One line for the pages.
    pub doc: &'static str,
}
