//! Builtins: functions that work on the heap and reach nothing outside it.
//!
//! One table; a builtin's number in compiled code is its place there. Names that begin with `__` are for the standard library's own
//! sources and no other program can name them. A *pure* builtin gets its arguments and the heap; it may be run twice when a charge is
//! refused, so it checks and charges before it changes anything. A *control* builtin is the VM's own business: it pushes frames, enters
//! sandboxes, or goes through the doorway.

pub mod bytes;
pub mod control;
pub mod core;
mod crypto;
mod csv;
pub mod json;
pub mod list;
pub mod math;
pub mod object;
pub mod pol;
mod regex;
mod support;
pub mod text;

#[cfg(test)]
mod tests;

use crate::heap::{Full, Store};
use crate::value::Value;
pub use control::Control;
use std::collections::HashMap;
use std::sync::OnceLock;

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
    /// Time is up, or the host asked to stop, in the middle of long work.
    Late,
    /// The doorway did not let it through, or what it did failed.
    Stop(ilu_sbx::Stop),
    /// `os.exit`
    Exit(u8),
    /// It can't go on yet, and has changed nothing: the isolate waits and does the instruction again.
    Wait,
    /// The sandbox of the task was revoked.
    Revoked,
    /// The interpreter contradicted itself.
    Broken(&'static str),
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
    /// Pays for work before it is done, while there is time for it.
    #[inline]
    pub fn spend(&mut self, units: usize) -> Result<(), Fault> {
        let before = *self.fuel;
        match i64::try_from(units) {
            Ok(units) if units <= before => *self.fuel -= units,
            _ => return Err(Fault::Fuel),
        }
        if self.heap.watch.is_late(before as u64, *self.fuel as u64) { Err(Fault::Late) } else { Ok(()) }
    }
}

/// A pure builtin.
pub type Builtin = fn(&mut Cx<'_>, &[Value]) -> Result<Value, Fault>;

/// How a builtin runs.
#[derive(Clone, Copy)]
pub enum Run {
    /// On the heap alone.
    Pure(Builtin),
    /// By the VM.
    Control(Control),
}

/// A row of the table.
#[derive(Clone, Copy)]
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

impl BuiltinRow {
    /// Whether so many arguments are right.
    #[inline]
    #[must_use]
    pub fn takes(&self, count: usize) -> bool {
        let (least, most) = self.args;
        count >= least as usize && (count <= most as usize || most == u8::MAX)
    }
}

/// The tables that make up the one.
const PARTS: &[&[BuiltinRow]] = &[
    core::ROWS,
    control::ROWS,
    text::ROWS,
    list::ROWS,
    object::ROWS,
    json::ROWS,
    math::ROWS,
    bytes::ROWS,
    pol::ROWS,
    regex::ROWS,
    crypto::ROWS,
    csv::ROWS,
];

/// All builtins, in the order of their numbers.
#[must_use]
pub fn table() -> &'static [BuiltinRow] {
    static TABLE: OnceLock<Vec<BuiltinRow>> = OnceLock::new();
    TABLE.get_or_init(|| PARTS.iter().copied().flatten().copied().collect())
}

/// The number of a builtin.
#[must_use]
pub fn number(name: &str, trusted: bool) -> Option<u32> {
    static NUMBERS: OnceLock<HashMap<&'static str, u32>> = OnceLock::new();
    let numbers = NUMBERS.get_or_init(|| table().iter().map(|row| row.name).zip(0..).collect());
    let number = *numbers.get(name)?;
    let row = table().get(number as usize)?;
    (trusted || !row.trusted).then_some(number)
}

/// The name of a builtin.
#[must_use]
pub fn name(number: u32) -> &'static str {
    table().get(number as usize).map_or("?", |row| row.name)
}
