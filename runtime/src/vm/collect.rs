//! Room on the heap: when to collect, what the roots are, and what happens when there is none.
//!
//! The heap's own limit is set below the sandbox's bound, at what the last collection left plus as much again: a growth past it is
//! refused, the operation is undone, everything unreachable is freed, and the operation is tried once more with the real bound in
//! force. So the fast loop never asks whether to collect, and a bound is hit exactly where it is.

use super::Vm;
use crate::builtin::Fault;
use crate::heap::{Full, Store};
use crate::value::Value;
use ilu_sbx::{Budget, Stop};

/// A collection costs nothing when one byte in so many of what is held was taken since the last one.
pub(super) const PAID: usize = 8;
/// Bytes that a unit of fuel pays for when it comes sooner: some objects are marked or freed in the time of a call.
const BYTES_PER_FUEL: usize = 128;

impl Vm {
    /// Does an operation; when it lacks room, collects and does it again. An operation that lacked room must have changed nothing.
    pub(super) fn retrying<T>(&mut self, mut operation: impl FnMut(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        match self.getting_more(&mut operation) {
            Err(Fault::Full(_) | Fault::Stop(Stop::Room(_))) => {}
            done => return done,
        }
        self.collect_for_fuel()?;
        if self.heap.live().saturating_add(self.memory.spare) > self.memory.most {
            self.gave_up();
            return Err(self.memory_limit());
        }
        let done = self.unbounded(|vm| vm.getting_more(&mut operation));
        match done {
            Err(Fault::Full(_) | Fault::Stop(Stop::Room(_))) => {
                self.gave_up();
                Err(self.memory_limit())
            }
            done => done,
        }
    }

    /// Does an operation, and again as long as it lacks memory or fuel that this isolate has only not taken yet.
    fn getting_more<T>(&mut self, operation: &mut impl FnMut(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        loop {
            let (fuel, granted) = (self.fuel, self.granted);
            let done = operation(self);
            let again = match &done {
                Err(Fault::Full(full)) => self.lease_more(full.needs),
                Err(Fault::Stop(Stop::Room(needs))) => self.lease_more(usize::try_from(*needs).unwrap_or(usize::MAX)),
                Err(Fault::Fuel) => self.advance_more(),
                _ => return done,
            };
            if self.granted == granted {
                // What is billed must not depend on when the collector ran.
                self.fuel = fuel;
            }
            if !again {
                return done;
            }
        }
    }

    /// What was to be done again for room will not be.
    fn gave_up(&mut self) {
        self.realm.gave_up();
        self.book_buffers();
    }

    /// Does something with the real bound in force instead of where the next collection is due.
    pub(super) fn unbounded<T>(&mut self, operation: impl FnOnce(&mut Self) -> T) -> T {
        self.hard += 1;
        self.apply_limit();
        let done = operation(self);
        self.hard -= 1;
        self.tighten();
        done
    }

    /// Tells the heap its limit.
    pub(super) fn apply_limit(&mut self) {
        let most = self.memory.most.min(self.leased());
        self.heap.set_limit(if self.hard > 0 { most } else { self.collect_at.min(self.memory.early).min(most) });
    }

    pub(super) fn memory_limit(&self) -> Fault {
        Fault::Stop(Stop::Limit { budget: Budget::Memory, of: self.memory.of })
    }

    /// Sets the heap's limit to where the next collection is due.
    pub(super) fn tighten(&mut self) {
        let live = self.heap.live();
        if self.stress {
            self.collect_at = live;
        } else if live > self.collect_at {
            self.collect_at = live.saturating_add(live.max(self.threshold()));
        }
        self.apply_limit();
    }

    /// Bytes that the running sandbox may still take.
    pub(super) fn room(&self) -> u64 {
        let most = if self.lease.is_some() { self.heap.limit().max(self.leased()).min(self.memory.most) } else { self.memory.most };
        most.saturating_sub(self.heap.live()) as u64
    }

    /// Puts something on the heap whose size is known, in a place where nothing may be done twice.
    pub(super) fn received(&mut self, bytes: usize, make: impl FnOnce(&mut Store) -> Result<Value, Full>) -> Result<Value, Fault> {
        if bytes > self.heap.room() && !self.lease_more(bytes) {
            self.collect_for_fuel()?;
        }
        self.lease_to_receive(bytes);
        let made = self.unbounded(|vm| make(&mut vm.heap.store));
        made.map_err(|_| self.memory_limit())
    }

    /// Collects, and has that paid for when it comes too soon. A collection costs what is held, whoever holds it; as a rule as much was taken
    /// since the last one, and that was paid for. Next to a bound, or in a small sandbox within a large heap, each one may come after little.
    pub(super) fn collect_for_fuel(&mut self) -> Result<(), Fault> {
        let live = self.heap.live();
        let taken = live.saturating_sub(self.collected);
        // For tests a collection may come at any growth, which changes no bill.
        if !self.stress {
            let unpaid = live.saturating_sub(taken.saturating_mul(PAID));
            self.getting_more(&mut |vm| vm.spend(unpaid / BYTES_PER_FUEL))?;
        }
        self.collect();
        Ok(())
    }

    /// Frees what nothing reaches.
    pub(super) fn collect(&mut self) {
        self.collections += 1;
        // A frame's registers may lie above the running frame's: a caller keeps what it has beyond its call's arguments.
        let units = &self.heap.units;
        let ends = self.frames.iter().map(|frame| {
            let code = units.get(frame.unit).and_then(|unit| unit.program.functions.get(frame.function as usize));
            frame.base as usize + code.map_or(super::WINDOW, |code| code.registers as usize)
        });
        let top = ends.max().unwrap_or(0).min(self.stack.len());
        let Self { heap, stack, frames, boundaries, pinned, modules, denial, surfaced, fresh, memory, depth, own, session, .. } = self;
        let homes = heap.collect(&mut |marker| {
            marker.values(stack.get(..top).unwrap_or_default());
            marker.values(pinned);
            session.cells().for_each(|cell| marker.value(cell));
            for frame in frames.iter() {
                marker.unit(frame.unit);
                marker.value(frame.closure.into());
                marker.home(frame.authority);
            }
            for boundary in boundaries.iter() {
                boundary.sandboxes(&mut |sandbox| marker.home(sandbox));
            }
            for &sandbox in fresh.iter().chain([&memory.of, &depth.of, &*own]) {
                marker.home(sandbox);
            }
            if let Some((text, _)) = denial {
                marker.value(*text);
            }
            marker.values(surfaced.as_slice());
            // Last: a module of a sandbox's own is kept as long as something else refers to the sandbox.
            modules.roots(marker);
        });
        let gone = self.modules.forget(&homes);
        self.heap.release(gone);
        for handle in self.heap.take_dropped_handles() {
            self.realm.close_handle(handle);
        }
        let accounts = self.boundaries.iter().flat_map(|boundary| [boundary.account, boundary.inner]).chain([self.account]);
        let freed = self.realm.sweep(homes, accounts.collect());
        self.heap.release(freed);
        self.book_buffers();
        let live = self.heap.live();
        self.collected = live;
        // What was garbage when a sandbox was entered is no longer there for it to use instead.
        for bound in self.boundaries.iter_mut().map(|boundary| &mut boundary.memory).chain([&mut self.memory]) {
            let own = usize::try_from(self.realm.limits(bound.of).memory).unwrap_or(usize::MAX);
            bound.most = bound.most.min(live.saturating_add(own));
            bound.early = usize::MAX;
        }
        self.collect_at = if self.stress { live } else { live.saturating_add(live.max(self.threshold())) };
        self.trim_lease();
        self.apply_limit();
    }

    /// Makes sure that the stack has so many slots.
    pub(super) fn ready_stack(&mut self, slots: usize) -> Result<(), Fault> {
        let old = self.stack.len();
        if slots <= old {
            return Ok(());
        }
        let new = slots.max(old + old / 2).max(if self.is_task() { 0 } else { 4 * super::WINDOW });
        let (stack, bytes) = (&mut self.stack, |slots: usize| slots * size_of::<Value>());
        self.heap.moving(bytes(old), bytes(new), || stack.try_reserve_exact(new - old).is_ok())?;
        stack.resize(new, Value::NIL);
        Ok(())
    }

    /// Makes sure that one more boundary fits.
    pub(super) fn ready_boundary(&mut self) -> Result<(), Fault> {
        if self.boundaries.len() >= self.depth.most {
            return Err(Fault::Stop(Stop::Limit { budget: Budget::Depth, of: self.depth.of }));
        }
        let old = self.boundaries.capacity();
        if self.boundaries.len() < old {
            return Ok(());
        }
        let more = old.max(if self.is_task() { 1 } else { 8 });
        let (boundaries, bytes) = (&mut self.boundaries, |count: usize| count * size_of::<super::frame::Boundary>());
        self.heap.moving(bytes(old), bytes(old + more), || boundaries.try_reserve_exact(more).is_ok())?;
        Ok(())
    }

    /// Makes sure that one more frame fits.
    pub(super) fn ready_frame(&mut self) -> Result<(), Fault> {
        if self.frames.len() < self.frame_room {
            return Ok(());
        }
        if self.frames.len() >= self.depth.most {
            return Err(Fault::Stop(Stop::Limit { budget: Budget::Depth, of: self.depth.of }));
        }
        let (len, old) = (self.frames.len(), self.frames.capacity());
        if len == old {
            let more = old.max(if self.is_task() { 4 } else { 32 });
            let (frames, bytes) = (&mut self.frames, |count: usize| count * size_of::<super::frame::Frame>());
            self.heap.moving(bytes(old), bytes(old + more), || frames.try_reserve_exact(more).is_ok())?;
        }
        self.frame_room = self.frames.capacity().min(self.depth.most);
        Ok(())
    }
}
