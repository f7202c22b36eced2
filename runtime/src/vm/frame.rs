//! Frames and boundaries: what is running, as plain data.
//!
//! A *frame* is a call of a function of some unit. A *boundary* is a place where something more than a return happens when the frame
//! above it ends: a `try`, an entered sandbox, a module being loaded, the run itself. Boundaries stand in a stack of their own, each
//! knowing how many frames lie below it, so that ordinary frames stay small. Neither refers to the native stack.

use crate::value::{FunctionId, Value};
use ilu_sbx::{AccountId, SbxId};

use crate::heap::UnitId;

/// A running call. Its size is a power of two: frames are found by their number.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(crate) struct Frame {
    /// Where it goes on: the word after the one it executes.
    pub pc: u32,
    /// First register on the stack; the slot before it receives the result of an ordinary call.
    pub base: u32,
    /// Whose code, constants and module variables.
    pub unit: UnitId,
    /// Which function of the unit.
    pub function: u32,
    /// Whose captures.
    pub closure: FunctionId,
    /// The meet of the homes on the call stack up to here.
    pub authority: SbxId,
    /// Whether its end is the topmost boundary's business.
    pub boundary: bool,
}

/// A bound on memory or depth, and the sandbox that ends when it is hit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// The most there may be.
    pub most: usize,
    /// How much of it must be free after a collection that was made for lack of room, or it counts as hit: next to the bound every few
    /// allocations would cost a collection of everything.
    pub spare: usize,
    /// Where a collection comes sooner, because much of what was held when the sandbox was entered may be garbage.
    pub early: usize,
    /// Whose bound it is.
    pub of: SbxId,
}

impl Bound {
    /// The bound of the outermost sandbox.
    pub fn new(most: usize, of: SbxId) -> Self {
        Self { most, spare: most / Self::SPARE, early: usize::MAX, of }
    }
    /// A bound within this one: at `most`, of which `size` is the sandbox's own.
    pub fn narrowed(self, most: usize, size: usize, of: SbxId) -> Self {
        Self { most: most.min(self.most), spare: self.spare.min(size / Self::SPARE), early: self.early, of }
    }
    /// The part of a bound that is kept free is one in so many.
    const SPARE: usize = 32;
}

/// What a boundary does when the code above it ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ends {
    /// The run is over.
    Run,
    /// `try`: `{val, err}`.
    Try,
    /// An entered sandbox: the value or the error passes through.
    Enter(SbxId),
    /// An entered sandbox whose errors end here: `{val, err, used, denied}`.
    EnterTry(SbxId),
    /// A module's top level: its names become a frozen object.
    Module(super::module::Key),
}

/// A place in the frame stack where more than a return happens.
#[derive(Clone, Debug)]
pub(crate) struct Boundary {
    /// Frames below it.
    pub frames: usize,
    /// Slot of the stack that receives the result.
    pub dest: usize,
    /// What it does.
    pub ends: Ends,
    /// The sandbox that is entered here, when one is.
    pub sandbox: Option<SbxId>,
    /// Who was charged outside.
    pub account: AccountId,
    /// Bound on the heap outside.
    pub memory: Bound,
    /// Bound on the frames outside.
    pub depth: Bound,
    /// Who is charged inside; tells whether an exhausted sandbox is charged from here on.
    pub inner: AccountId,
}

impl Boundary {
    /// The sandboxes it refers to.
    pub fn sandboxes(&self, keep: &mut dyn FnMut(SbxId)) {
        self.sandbox.into_iter().chain([self.memory.of, self.depth.of]).for_each(&mut *keep);
        match &self.ends {
            Ends::Enter(sandbox) | Ends::EnterTry(sandbox) => keep(*sandbox),
            Ends::Module(key) => keep(key.home()),
            Ends::Run | Ends::Try => {}
        }
    }
}

/// Where a call finds its arguments and leaves its result: slots of the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallAt {
    /// First argument.
    pub args: usize,
    /// How many.
    pub count: usize,
    /// Where the result goes.
    pub dest: usize,
    /// With whose authority the call is made.
    pub authority: SbxId,
}

/// What ends a run before its last statement.
#[derive(Debug)]
pub(crate) enum Thrown {
    /// An error that `try` catches.
    Error(Value),
    /// A budget of a sandbox ran out.
    Limit(ilu_sbx::Budget, SbxId),
    /// `os.exit`.
    Exit(u8),
    /// The sandbox of a task was revoked.
    Revoked,
    /// The host asked to stop.
    Interrupted,
    /// The interpreter contradicted itself.
    Broken(&'static str),
}
