//! Budgets: what a sandbox may use, what it has used, and the limits that are the same for all.

use ilu_cap::NativeId;
use ilu_cap::rights::{Budgets, Quantity};

/// What can run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Budget {
    /// Work of the VM and of natives.
    Fuel,
    /// Bytes of the heap.
    Memory,
    /// Time on the wall.
    Time,
    /// Bytes written to standard output and error.
    Output,
    /// Frames on the stack.
    Depth,
    /// Bytes read from files and standard input.
    Read,
    /// Bytes written to files.
    Written,
    /// Calls of one native.
    Calls(NativeId),
}

impl Budget {
    /// Its name in messages: "fuel ran out".
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Budget::Fuel => "fuel".to_owned(),
            Budget::Memory => "memory".to_owned(),
            Budget::Time => "time".to_owned(),
            Budget::Output => "output".to_owned(),
            Budget::Depth => "call depth".to_owned(),
            Budget::Read => "reading".to_owned(),
            Budget::Written => "writing".to_owned(),
            Budget::Calls(native) => format!("calls of `{}`", native.name()),
        }
    }
}

/// What a sandbox may use. [`NO_LIMIT`] means that only the sandboxes around it limit it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Units of fuel.
    pub fuel: u64,
    /// Bytes of heap.
    pub memory: u64,
    /// Milliseconds from the first entry.
    pub wall_ms: u64,
    /// Bytes to standard output and error.
    pub output: u64,
    /// Handles open at a time.
    pub handles: u64,
    /// Frames on the stack.
    pub depth: u32,
    /// Bytes read.
    pub read: u64,
    /// Bytes written to files.
    pub written: u64,
    /// Tasks at a time.
    pub tasks: u64,
    /// Calls of single natives.
    pub calls: Vec<(NativeId, u64)>,
}

/// No limit of its own.
pub const NO_LIMIT: u64 = u64::MAX;

impl Default for Limits {
    /// The limits of a root sandbox whose operator named none: finite, and wide enough for a long batch job.
    fn default() -> Limits {
        Limits {
            fuel: 20_000_000_000,
            memory: 256 << 20,
            wall_ms: 600_000,
            output: 256 << 20,
            handles: 64,
            depth: 10_000,
            read: 16 << 30,
            written: 4 << 30,
            tasks: MAX_TASKS,
            calls: Vec::new(),
        }
    }
}

impl Limits {
    /// Those of a sandbox that is limited only by what is around it.
    #[must_use]
    pub fn none() -> Limits {
        Limits {
            fuel: NO_LIMIT,
            memory: NO_LIMIT,
            wall_ms: NO_LIMIT,
            output: NO_LIMIT,
            handles: NO_LIMIT,
            depth: u32::MAX,
            read: NO_LIMIT,
            written: NO_LIMIT,
            tasks: NO_LIMIT,
            calls: Vec::new(),
        }
    }

    /// The same as a part of rights.
    #[must_use]
    pub fn budgets(&self) -> Budgets {
        let most = |quantity| match quantity {
            Quantity::Fuel => self.fuel,
            Quantity::Memory => self.memory,
            Quantity::Time => self.wall_ms,
            Quantity::Output => self.output,
            Quantity::Handles => self.handles,
            Quantity::Depth => self.of(Budget::Depth),
            Quantity::Read => self.read,
            Quantity::Written => self.written,
            Quantity::Tasks => self.tasks,
        };
        let set = |budgets: Budgets, quantity| budgets.with(quantity, Some(most(quantity)));
        let budgets = Quantity::ALL.into_iter().fold(Budgets::UNLIMITED, set);
        self.calls.iter().fold(budgets, |budgets, (native, n)| budgets.with_calls(*native, Some(*n)))
    }

    /// The limit of one budget.
    #[must_use]
    pub fn of(&self, budget: Budget) -> u64 {
        match budget {
            Budget::Fuel => self.fuel,
            Budget::Memory => self.memory,
            Budget::Time => self.wall_ms,
            Budget::Output => self.output,
            Budget::Depth if self.depth == u32::MAX => NO_LIMIT,
            Budget::Depth => u64::from(self.depth),
            Budget::Read => self.read,
            Budget::Written => self.written,
            Budget::Calls(native) => self.calls.iter().find(|(id, _)| *id == native).map_or(NO_LIMIT, |(_, n)| *n),
        }
    }
}

/// One budget: what was used of it, of how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Which.
    pub budget: Budget,
    /// What was used; of memory and depth the most at a time.
    pub used: u64,
    /// The limit; [`NO_LIMIT`] for none of its own.
    pub limit: u64,
}

// Limits that no grant changes. Each is here with its unit and its reason.

/// Tasks of a run at a time.
pub const MAX_TASKS: u64 = 1 << 16;
/// Sandboxes of one run at a time, combined authorities included. Each is booked on the heap of whoever made it, so this is only where numbers
/// end.
pub const MAX_SANDBOXES: usize = crate::ids::MAX_PLACES;
/// How deep sandboxes nest: the walk up from the innermost is paid at every charge.
pub const MAX_NESTING: u32 = 128;
/// Sandboxes that one account charges: every charge goes through all of them.
pub const MAX_CHARGED: usize = 256;
/// Sandboxes that can act together: each was made apart from the others. More together may do nothing.
pub const MAX_TOGETHER: usize = 64;
/// Directories of one sandbox.
pub const MAX_MOUNTS: usize = 64;
/// Directories held open for sandboxes that scripts made: each is a descriptor of the process.
/// Half of them is the root's alone.
pub const MAX_OPEN_MOUNTS: usize = 256;
/// Rows of one sandbox's log; older ones are dropped and counted.
pub const MAX_LOG_ROWS: usize = 512;
/// Denials of one sandbox kept beside its log, so that a flood of allowed calls can't wash them out.
pub const MAX_DENIED_ROWS: usize = 64;
/// Log rows of all sandboxes together; one that is new then displaces its own sandbox's oldest.
pub const MAX_REALM_ROWS: usize = 32_768;
/// Kinds of denials that are kept for the operator, the first of each; the others are counted.
pub const MAX_DENIAL_KINDS: usize = 256;
/// Rows of a run's beginning, and again of its end, that are kept for the report: as many as a page can show.
pub const MAX_TIMELINE_ROWS: usize = 400;
/// Files, programs, hosts and variables that are kept for the report; events about others are counted.
pub const MAX_TOUCHED: usize = 2_000;
/// Milliseconds that a name's lookup may take.
pub const LOOKUP_MS: f64 = 10_000.0;
/// Addresses of a name that are looked at; more are left out.
pub const MAX_ADDRESSES: usize = 64;
/// Lookups under way in the process at a time: each is a thread until the system's resolver gives up.
pub const MAX_LOOKUPS: usize = 64;
/// Bytes of a subject as it is recorded.
pub const MAX_SUBJECT: usize = 256;
/// Bytes of a path: the kernel's own bound.
pub const MAX_PATH: usize = 4096;
/// Bytes of one part of a path: the kernel's own bound.
pub const MAX_PART: usize = 255;
/// Capabilities in the list given to `sbxmk`, repeats included.
pub const MAX_LIST: usize = 4096;
/// Bytes of the name of a capability or a variable in such a list.
pub const MAX_NAME: usize = 1024;
/// Open handles of a realm, whatever the budgets say: each is a descriptor of the process.
pub const MAX_HANDLES: usize = 512;
