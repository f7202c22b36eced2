//! Boundaries: entering a sandbox, `try`, the start of a unit, and what happens when each ends well.

use super::Vm;
use super::frame::{Boundary, CallAt, Ends, Frame};
use super::task::is_to_be_repeated;
use crate::builtin::Fault;
use crate::heap::{Function, Origin, UnitId};
use crate::value::{FunctionId, Value};
use ilu_lang::code::program::Program;
use ilu_sbx::{AccountId, SbxId};
use std::sync::Arc;

/// The part of its bound that a sandbox takes before garbage from outside is collected is one in so many.
const EARLY: usize = 8;

impl Vm {
    /// The first slot above everything the running frame may use.
    pub(super) fn above(&self) -> usize {
        let Some(frame) = self.frames.last() else { return 1 };
        let code = self.heap.units.get(frame.unit).and_then(|unit| unit.program.functions.get(frame.function as usize));
        frame.base as usize + code.map_or(super::WINDOW, |code| code.registers as usize) + 1
    }

    /// Puts a boundary on top, for which there is room; costs above it are charged to `inner`.
    pub(super) fn push_boundary(&mut self, ends: Ends, sandbox: Option<SbxId>, dest: usize, inner: AccountId) {
        let (account, memory, depth) = (self.account, self.memory, self.depth);
        self.boundaries.push(Boundary { frames: self.frames.len(), dest, ends, sandbox, account, memory, depth, inner });
        let newly = inner != account;
        if newly {
            self.settle();
            self.account = inner;
            self.settle();
            self.set_watch();
        }
        if let Some(sandbox) = sandbox {
            self.narrow(sandbox, newly);
        }
    }

    /// Takes the topmost boundary away, and everything above it; what it had changed is as before.
    pub(super) fn pop_boundary(&mut self) -> Option<Boundary> {
        let boundary = self.boundaries.pop()?;
        self.frames.truncate(boundary.frames);
        if self.account != boundary.account {
            self.settle();
            self.account = boundary.account;
            self.settle();
            self.set_watch();
        }
        self.memory = boundary.memory;
        self.depth = boundary.depth;
        self.frame_room = self.frames.capacity().min(self.depth.most);
        self.apply_limit();
        Some(boundary)
    }

    /// Calls a function without arguments above a new boundary.
    pub(super) fn call_above(
        &mut self,
        callee: Value,
        ends: Ends,
        sandbox: Option<SbxId>,
        at: CallAt,
        inner: AccountId,
    ) -> Result<(), Fault> {
        self.above_boundary(ends, sandbox, at.dest, inner, |vm| vm.call_on_top(callee, at))
    }

    /// Does what puts a frame above a new boundary. What it costs is charged inside.
    pub(super) fn above_boundary(
        &mut self,
        ends: Ends,
        sandbox: Option<SbxId>,
        dest: usize,
        inner: AccountId,
        start: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.ready_boundary()?;
        self.push_boundary(ends, sandbox, dest, inner);
        let below = self.boundaries.len();
        // What has run out ends here, before anything of it runs: a function without a checkpoint would never ask.
        let started = if sandbox.is_some() { self.has_something_left().and_then(|()| start(self)) } else { start(self) };
        if started.as_ref().is_err_and(is_to_be_repeated) && self.boundaries.len() == below {
            // It will be tried again from before the boundary.
            self.pop_boundary();
        }
        started
    }

    /// Calls a function without arguments; the topmost boundary takes its result.
    pub(super) fn call_on_top(&mut self, callee: Value, at: CallAt) -> Result<(), Fault> {
        let args = self.above();
        self.ready_stack(args + super::WINDOW)?;
        self.call_value(callee, CallAt { args, count: 0, dest: at.dest, authority: at.authority }, true)
    }

    /// Brings memory and depth within what a sandbox may use from here on. Both come back when the sandbox ends, so a sandbox that was
    /// not charged before ends for the sandbox around it even when it is that one's limit which it hits: the code outside goes on.
    fn narrow(&mut self, sandbox: SbxId, newly: bool) {
        let limits = self.realm.limits(sandbox);
        let size = usize::try_from(limits.memory).unwrap_or(usize::MAX);
        let live = self.heap.live();
        let memory = live.saturating_add(size);
        let levels = limits.depth as usize;
        let depth = self.frames.len().saturating_add(levels);
        if newly || memory < self.memory.most {
            self.memory = self.memory.narrowed(memory, size, sandbox);
            // Of what is held now some may be garbage, which the sandbox could hold instead of its own. Where that could be much, a collection
            // comes as soon as the sandbox has taken a part of its bound, and then there is none of it any more.
            let garbage = live.saturating_sub(self.collected);
            if garbage > size / EARLY && garbage > live / super::collect::PAID {
                self.memory.early = self.memory.early.min(live.saturating_add(size / EARLY));
            }
        }
        if newly || depth < self.depth.most {
            self.depth = self.depth.narrowed(depth, levels, sandbox);
        }
        self.frame_room = self.frames.capacity().min(self.depth.most);
        self.apply_limit();
    }

    /// The account of code that enters a sandbox here. A boundary that has it comes next, and nothing in between that may collect.
    pub(super) fn account_inside(&mut self, sandbox: SbxId) -> Result<AccountId, Fault> {
        let needs = self.realm.account_needs(self.account, sandbox);
        self.heap.charge(needs)?;
        self.realm.account(self.account, sandbox).map_err(|stop| {
            self.heap.release(needs);
            Fault::Stop(stop)
        })
    }

    /// Calls a function inside a sandbox.
    pub(super) fn enter(&mut self, sandbox: SbxId, callee: Value, catch: bool, at: CallAt) -> Result<(), Fault> {
        let authority = self.meet(at.authority, sandbox)?;
        let inner = self.account_inside(sandbox)?;
        let ends = if catch { Ends::EnterTry(sandbox) } else { Ends::Enter(sandbox) };
        self.call_above(callee, ends, Some(sandbox), CallAt { authority, ..at }, inner)
    }

    /// Loads a program as a unit and makes its top level a function at home in `home`.
    pub(super) fn main_function(&mut self, program: &Arc<Program>, origin: Origin, home: SbxId) -> Result<FunctionId, Fault> {
        let unit: UnitId = self.heap.unit_new(Arc::clone(program), home, origin)?;
        let main = Function { unit, function: 0, home, gate: false, captures: Box::default() };
        Ok(self.heap.function_new(main)?)
    }

    /// Starts a unit's top level as the frame of the topmost boundary.
    pub(super) fn push_main(&mut self, main: FunctionId, base: usize, authority: SbxId) -> Result<(), Fault> {
        let callee = self.heap.function(main).ok_or(Fault::Broken("main was collected"))?;
        let (unit, entry) =
            (callee.unit, self.heap.units.get(callee.unit).and_then(|unit| unit.program.functions.first()).map(|main| main.entry));
        let Some(pc) = entry else { return Err(Fault::Broken("a unit without a top level")) };
        self.ready_frame()?;
        self.ready_stack(base + super::WINDOW)?;
        self.frames.push(Frame { pc, base: base as u32, unit, function: 0, closure: main, authority, boundary: true });
        Ok(())
    }

    /// A frame with a boundary returned.
    pub(super) fn returned(&mut self, value: Value) -> Result<(), Fault> {
        self.complete(value)
    }

    /// What is above the topmost boundary ended with a value.
    pub(super) fn complete(&mut self, value: Value) -> Result<(), Fault> {
        let module = match self.boundaries.last() {
            Some(Boundary { ends: Ends::Module(key), .. }) => Some(key.clone()),
            Some(_) => None,
            None => return Err(Fault::Broken("no boundary")),
        };
        if let Some(key) = module {
            // Its variables are still those of the frame on top.
            let names = self.retrying(|vm| vm.names_of_module(&key))?;
            let boundary = self.pop_boundary().ok_or(Fault::Broken("no boundary"))?;
            self.modules.ready(key, names);
            let user = self.frame()?.unit;
            let names = self.retrying(|vm| vm.names_for(user, names))?;
            self.put(boundary.dest, names);
            return Ok(());
        }
        let boundary = self.pop_boundary().ok_or(Fault::Broken("no boundary"))?;
        self.pinned.push(value);
        let result = match boundary.ends {
            Ends::Run => {
                self.finished = Some(value);
                Ok(value)
            }
            Ends::Enter(_) | Ends::Module(_) => Ok(value),
            Ends::Try => self.retrying(|vm| vm.try_result(value, Value::NIL)),
            Ends::EnterTry(sandbox) => self.retrying(|vm| vm.sandbox_result(sandbox, value, Value::NIL)),
        };
        self.pinned.pop();
        self.put(boundary.dest, result?);
        Ok(())
    }

    /// `{val, err}`
    pub(super) fn try_result(&mut self, val: Value, err: Value) -> Result<Value, Fault> {
        let keys = [self.heap.intern("val")?, self.heap.intern("err")?];
        Ok(self.heap.object_with(&keys, &[val, err])?)
    }

    /// `{val, err, used, denied}`
    pub(super) fn sandbox_result(&mut self, sandbox: SbxId, val: Value, err: Value) -> Result<Value, Fault> {
        let used = self.realm.used(sandbox);
        let denied = ilu_sbx::Plain::List(self.realm.denied(sandbox));
        let store = &mut self.heap.store;
        let (used, denied) = (crate::native::value(store, used, "fil")?, crate::native::value(store, denied, "fil")?);
        let keys = [store.intern("val")?, store.intern("err")?, store.intern("used")?, store.intern("denied")?];
        Ok(store.object_with(&keys, &[val, err, used, denied])?)
    }
}
