//! The virtual machine: one isolate that runs programs.
//!
//! `run` alternates between the fast loop (`chain`) and the general paths; an error, a limit or an exit unwinds to a boundary
//! (`unwind`); nothing here recurses natively, however deep the script goes. Collection happens in one place only, between the two
//! attempts at an operation whose charge was refused, so no operation ever sees an object vanish while it works.
//!
//! The VM knows no native by name but those that `prn` and `use` are made of.

#![allow(clippy::result_large_err, reason = "an ending is made once a run and moved a few times; faults, which are made often, are small")]

mod access;
mod arith;
mod call;
mod callee;
mod chain;
mod collect;
mod control;
mod enter;
mod explain;
pub(crate) mod frame;
mod fuel;
mod import;
mod iterate;
mod make;
pub(crate) mod module;
mod quick;
pub(crate) mod session;
mod share;
mod slow;
mod spawn;
pub(crate) mod task;
pub(crate) mod trace;
mod unwind;
mod window;

use crate::builtin::{BuiltinRow, Fault};
use crate::engine::Engine;
use crate::heap::{Heap, MIN_THRESHOLD, Origin};
use crate::task::{Crew, Failure, Seat};
use crate::value::{FunctionId, Value};
use frame::{Bound, Boundary, Ends, Frame};
use ilu_lang::code::op::Word;
use ilu_lang::code::program::Program;
use ilu_sbx::{AccountId, Lease, Realm, SbxId};
use module::{Modules, SharedLoader};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Wake, Waker};
use task::Went;
pub(crate) use unwind::{Ending, Why};

/// Registers that must exist past a frame's base.
const WINDOW: usize = 256;

/// Least growth of a task's heap between two collections: tasks may be many, and most are small.
const TASK_THRESHOLD: usize = 64 << 10;

/// One isolate.
pub(crate) struct Vm {
    pub heap: Heap,
    pub realm: Realm,
    /// All frames' registers.
    stack: Vec<Value>,
    frames: Vec<Frame>,
    boundaries: Vec<Boundary>,
    /// How many frames fit before the general path must look: room that was charged for, within the depth limit.
    frame_room: usize,
    /// Fuel left of the slice.
    fuel: i64,
    /// Fuel of the slice when it was granted.
    granted: i64,
    /// Fuel left to the account beyond the slice.
    reserve: i64,
    /// Who is charged.
    account: AccountId,
    memory: Bound,
    depth: Bound,
    modules: Modules,
    loader: Option<SharedLoader>,
    engine: Engine,
    builtins: &'static [BuiltinRow],
    interrupt: Arc<AtomicBool>,
    /// Values that must outlive a collection while no register holds them.
    pinned: Vec<Value>,
    /// Sandboxes that the word under way found or made, and that nothing may refer to yet.
    fresh: Vec<SbxId>,
    /// The value the run ended with.
    finished: Option<Value>,
    /// The text of a denial that was caught, and the denial: raised again, it is still one.
    denial: Option<(Value, Box<ilu_sbx::Denial>)>,
    /// The last error of the runtime itself.
    failed: Option<unwind::Failed>,
    /// The text of the limit that last ended an inner sandbox: uncaught further out, it still ends the run as a limit.
    surfaced: Option<Value>,
    /// Bytes held at which the next collection is due.
    collect_at: usize,
    /// Bytes that were held after the last collection.
    collected: usize,
    /// How many operations under way have the real bound on memory in force.
    hard: u32,
    /// Bytes of the realm's buffers that are booked on the heap.
    buffered: usize,
    /// Bytes that are kept of decisions and booked here.
    recorded: usize,
    /// Collect at every growth: for tests of the collector.
    stress: bool,
    /// Return from each instruction: for tests of the fast loop.
    stepped: bool,
    /// Collections so far.
    collections: u64,
    /// The tasks of the run, and where this isolate waits; there from when it is first needed.
    crew: Option<(Arc<Crew>, Arc<Seat>)>,
    /// What ends the run's tasks.
    stop: Arc<AtomicBool>,
    /// The operation that will be done again when somebody wakes this isolate.
    waiting: Option<task::Waiting>,
    /// The instruction that it is part of.
    parked: Option<Word>,
    /// What the run ended with that nobody caught.
    raised: Option<Value>,
    /// Whose task this is: when that is revoked, it ends.
    own: SbxId,
    /// Whether it is charged to nobody but the root.
    in_root: bool,
    /// Memory this isolate may use, once it is not alone.
    lease: Option<Lease>,
    /// Fuel that was taken in advance, once it is not alone, and from whom.
    prepaid: (u64, AccountId),
    /// The names that the inputs of a session have in common.
    session: session::Names,
}

/// What an isolate is made of.
pub(crate) struct Start {
    pub engine: Engine,
    pub realm: Realm,
    pub loader: Option<SharedLoader>,
    pub interrupt: Arc<AtomicBool>,
    /// What ends the run's tasks.
    pub stop: Arc<AtomicBool>,
    pub stress: bool,
    pub stepped: bool,
    /// The crew and the seat of a task; the script's own isolate makes a crew when it first needs one.
    pub crew: Option<(Arc<Crew>, Arc<Seat>)>,
}

impl Vm {
    /// An isolate that has run nothing yet.
    pub fn new(start: Start) -> Self {
        let root = start.realm.root();
        let account = start.realm.root_account();
        let bound = |(most, of)| Bound::new(usize::try_from(most).unwrap_or(usize::MAX), of);
        let (memory, depth) = (bound(start.realm.memory_limit(account)), bound(start.realm.depth_limit(account)));
        let mut heap = Heap::new(memory.most);
        heap.names = crate::heap::Names { builtin: crate::builtin::name, native: native_name };
        let mut vm = Self {
            heap,
            realm: start.realm,
            stack: Vec::new(),
            frames: Vec::new(),
            boundaries: Vec::new(),
            frame_room: 0,
            fuel: 0,
            granted: 0,
            reserve: 0,
            account,
            memory,
            depth,
            modules: Modules::default(),
            loader: start.loader,
            engine: start.engine,
            builtins: crate::builtin::table(),
            interrupt: start.interrupt,
            pinned: Vec::new(),
            fresh: Vec::new(),
            finished: None,
            denial: None,
            failed: None,
            surfaced: None,
            collect_at: if start.crew.is_some() { TASK_THRESHOLD } else { MIN_THRESHOLD },
            collected: 0,
            hard: 0,
            buffered: 0,
            recorded: 0,
            stress: start.stress,
            stepped: start.stepped,
            collections: 0,
            crew: start.crew,
            stop: start.stop,
            waiting: None,
            parked: None,
            raised: None,
            own: root,
            in_root: true,
            lease: None,
            prepaid: (0, account),
            session: session::Names::default(),
        };
        vm.heap.watch.interrupt = Arc::clone(&vm.interrupt);
        vm.lease_heap();
        vm.set_watch();
        // Work may be paid for before the first checkpoint grants a slice.
        vm.settle();
        vm.tighten();
        vm.settle();
        vm
    }

    /// Runs a program's top level with the root's authority, to its end.
    pub fn run_main(&mut self, program: Arc<Program>, origin: Origin) -> Result<Value, Ending> {
        let root = self.realm.root();
        // What there is to spend is known before the first word runs: it may cost something.
        self.settle();
        let outcome = self.retrying(|vm| vm.start(&program, &origin, root));
        if let Err(fault) = outcome {
            return Err(self.ending_of_start(fault));
        }
        self.run()
    }

    fn start(&mut self, program: &Arc<Program>, origin: &Origin, home: SbxId) -> Result<(), Fault> {
        let main = self.main_function(program, origin.clone(), home)?;
        self.start_main(main, home)
    }

    fn start_main(&mut self, main: FunctionId, home: SbxId) -> Result<(), Fault> {
        self.finished = None;
        self.ready_stack(WINDOW + 1)?;
        self.ready_boundary()?;
        self.push_boundary(Ends::Run, None, 0, self.account);
        let entered = self.push_main(main, 1, home);
        if entered.is_err() {
            self.pop_boundary();
        }
        entered
    }

    /// Runs the script's own isolate: where it can't go on, its thread waits.
    fn run(&mut self) -> Result<Value, Ending> {
        loop {
            match self.go(u32::MAX) {
                Went::Done(result) => return self.ended_by_task(result),
                Went::Wait => self.block(),
                Went::Yield => {}
            }
        }
    }

    /// Waits until somebody wakes the script's own isolate.
    fn block(&mut self) {
        let Some((_, seat)) = &self.crew else { return };
        let seat = Arc::clone(seat);
        seat.set_waker(&Waker::from(Arc::new(Unpark(std::thread::current()))));
        if self.park() {
            while seat.is_parked() {
                std::thread::park();
            }
        }
    }

    /// How the run ended, when one of its tasks ended it.
    fn ended_by_task(&mut self, result: Result<Value, Ending>) -> Result<Value, Ending> {
        let Some((crew, _)) = &self.crew else { return result };
        match (crew.ended(), result) {
            ((_, Some(what)), _) => Err(Ending::broken(what)),
            ((Some(code), None), Err(ending @ Ending { why: Why::Interrupted, .. })) => Err(Ending { why: Why::Exit(code), ..ending }),
            (_, result) => result,
        }
    }

    /// The script is over: its tasks end. Those that failed and that nobody waited for.
    pub fn finish_tasks(&mut self) -> Vec<Failure> {
        self.stop_waiting();
        self.settle_up();
        self.crew.as_ref().map_or_else(Vec::new, |(crew, _)| crew.finish())
    }

    /// The running frame. There always is one while code runs.
    fn frame(&self) -> Result<&Frame, Fault> {
        self.frames.last().ok_or(Fault::Broken("no frame"))
    }

    fn base(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.base as usize)
    }

    /// Register `r` of the running frame.
    fn get(&self, r: u8) -> Value {
        self.stack.get(self.base() + r as usize).copied().unwrap_or(Value::NIL)
    }

    fn set(&mut self, r: u8, value: Value) {
        let at = self.base() + r as usize;
        self.put(at, value);
    }

    /// Writes a slot of the stack.
    fn put(&mut self, at: usize, value: Value) {
        if let Some(slot) = self.stack.get_mut(at) {
            *slot = value;
        }
    }

    fn jump(&mut self, target: u32) {
        if let Some(frame) = self.frames.last_mut() {
            frame.pc = target;
        }
    }

    /// How often the collector ran.
    pub fn collections(&self) -> u64 {
        self.collections
    }

    fn authority(&self) -> SbxId {
        self.frames.last().map_or_else(|| self.realm.root(), |frame| frame.authority)
    }
}

fn native_name(number: u32) -> &'static str {
    ilu_cap::NativeId(u16::try_from(number).unwrap_or(u16::MAX)).name()
}

/// Wakes the thread of the script's own isolate.
struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
