//! A session: one isolate in which one input runs after the other, with top-level names that all of them have in common.
//!
//! An input is a unit whose module variables of the top level hold cells ([`ilu_lang::code::program::Global::shared`]): the session has one
//! for each name, so what an earlier input's function reads and writes is what the next input sees. Nothing of an input that failed stays
//! behind but what it had assigned by then; what it read is as it was.

use super::Vm;
use super::frame::{Bound, Ends};
use super::module::SharedLoader;
use super::unwind::Ending;
use crate::builtin::Fault;
use crate::heap::{Origin, UnitId};
use crate::task::Failure;
use crate::value::{CellId, FunctionId, Value};
use ilu_lang::code::program::Program;
use ilu_lang::library::Earlier;
use ilu_sbx::Grants;
use indexmap::IndexMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Bytes charged for a name of a session, beside its text and its cell.
const NAME: usize = 64;

/// The names of a session.
#[derive(Default)]
pub(crate) struct Names(IndexMap<Box<str>, Name>);

/// A name of a session: its cell, and whether `def` bound it.
struct Name {
    cell: CellId,
    constant: bool,
}

impl Names {
    /// All cells, for the collector.
    pub(super) fn cells(&self) -> impl Iterator<Item = Value> + '_ {
        self.0.values().map(|name| name.cell.into())
    }
}

impl Vm {
    /// Runs an input's top level with the root's authority, to its end: what it came to, and the tasks that failed and that nobody waited for.
    pub fn run_input(&mut self, program: &Arc<Program>, origin: &Origin) -> (Result<Value, Ending>, Vec<Failure>) {
        let root = self.realm.root();
        self.realm.restart();
        self.renew_bounds();
        self.settle();
        self.set_watch();
        let mut main = None;
        let started = self.retrying(|vm| {
            let function = vm.main_function(program, origin.clone(), root)?;
            // What finds no room is done again from here: the cells that are there by then stay.
            let kept = vm.pinned.len();
            vm.pinned.push(function.into());
            let linked = vm.link(function);
            vm.pinned.truncate(kept);
            linked?;
            vm.start_main(function, root)?;
            main = Some(function);
            Ok(())
        });
        if let Err(fault) = started {
            let ending = self.ending_of_start(fault);
            return (Err(ending), self.clean_up());
        }
        // The unit is looked at once more when nothing runs in it.
        self.pinned.extend(main.map(Value::from));
        let mut result = self.run();
        if let Some(main) = main
            && let Err(fault) = self.retrying(|vm| vm.keep_names(main))
            && result.is_ok()
        {
            result = Err(self.ending_of_start(fault));
        }
        // The result is looked at by whoever asked, before the next collection.
        (result, self.clean_up())
    }

    /// Puts the session's cells into the slots of an input, new ones for new names.
    fn link(&mut self, main: FunctionId) -> Result<(), Fault> {
        let unit = self.unit_of(main)?;
        let program = Arc::clone(&self.heap.units.get(unit).ok_or(Fault::Broken("no unit"))?.program);
        for (slot, global) in program.globals.iter().enumerate().filter(|(_, global)| global.shared) {
            let cell = match self.session.0.get(&global.name) {
                Some(name) => name.cell,
                None => self.new_name(&global.name)?,
            };
            if let Some(place) = self.heap.units.get(unit).and_then(|unit| unit.globals.get(slot)) {
                place.set(cell.into());
            }
        }
        Ok(())
    }

    fn new_name(&mut self, name: &str) -> Result<CellId, Fault> {
        self.heap.charge(NAME + name.len())?;
        let cell = match self.heap.cell_new(Value::UNSET) {
            Ok(cell) => cell,
            Err(full) => {
                self.heap.release(NAME + name.len());
                return Err(full.into());
            }
        };
        self.session.0.insert(name.into(), Name { cell, constant: false });
        Ok(cell)
    }

    fn unit_of(&self, main: FunctionId) -> Result<UnitId, Fault> {
        self.heap.function(main).map(|main| main.unit).ok_or(Fault::Broken("main was collected"))
    }

    /// Takes over what an input defined for good, and the names that it copied from files.
    fn keep_names(&mut self, main: FunctionId) -> Result<(), Fault> {
        let id = self.unit_of(main)?;
        let unit = self.heap.units.get(id).ok_or(Fault::Broken("no unit"))?;
        let program = Arc::clone(&unit.program);
        let copied: Vec<(Box<str>, Value)> = unit.imports.iter().map(|(name, value)| (self.heap.str(*name).into(), *value)).collect();
        for global in program.globals.iter().filter(|global| global.shared && global.constant) {
            if let Some(name) = self.session.0.get_mut(&global.name) {
                name.constant = true;
            }
        }
        for (name, value) in copied {
            let cell = match self.session.0.get_mut(&name) {
                Some(known) => {
                    known.constant = false;
                    known.cell
                }
                None => self.new_name(&name)?,
            };
            self.heap.set_cell(cell, value);
        }
        Ok(())
    }

    /// Leaves nothing behind of an input that has ended, in whatever way; its tasks end with it.
    fn clean_up(&mut self) -> Vec<Failure> {
        self.stop_waiting();
        self.settle_up();
        while let Some(boundary) = self.pop_boundary() {
            if let Ends::Module(key) = &boundary.ends {
                self.module_failed(key);
            }
        }
        self.frames.clear();
        self.pinned.clear();
        self.fresh.clear();
        (self.parked, self.raised, self.denial, self.failed, self.surfaced) = (None, None, None, None, None);
        self.hard = 0;
        let Some((crew, _)) = &self.crew else {
            self.interrupt.store(false, Ordering::Relaxed);
            return Vec::new();
        };
        let (gone, mut failures) = crew.dismiss();
        if !gone {
            // One that does not end keeps what it has; whoever comes next has another crew.
            failures.extend(crew.finish());
            self.crew = None;
            self.lease = None;
            self.apply_limit();
        }
        self.stop.store(false, Ordering::SeqCst);
        self.interrupt.store(false, Ordering::Relaxed);
        failures
    }

    /// The root's bounds on memory and depth, which may be others than before.
    fn renew_bounds(&mut self) {
        let bound = |(most, of)| Bound::new(usize::try_from(most).unwrap_or(usize::MAX), of);
        self.memory = bound(self.realm.memory_limit(self.account));
        self.depth = bound(self.realm.depth_limit(self.account));
        self.frame_room = self.frames.capacity().min(self.depth.most);
        self.apply_limit();
    }

    /// Gives the root other grants: see [`ilu_sbx::Realm::regrant`].
    ///
    /// # Errors
    /// They can't be granted; nothing has changed then.
    pub fn regrant(&mut self, grants: Grants) -> Result<(), String> {
        self.settle_up();
        self.realm.regrant(grants)?;
        // What was leased is the former root's.
        self.lease = None;
        self.lease_heap();
        self.renew_bounds();
        Ok(())
    }

    /// Forgets all names.
    pub fn forget_names(&mut self) {
        let held: usize = self.session.0.keys().map(|name| NAME + name.len()).sum();
        self.session.0.clear();
        self.heap.release(held);
        let bytes = self.modules.forget_program();
        self.heap.release(bytes);
        self.collect();
    }

    /// Has the program's own files read with this from now on. Those of before are read anew.
    pub fn set_loader(&mut self, loader: Option<SharedLoader>) {
        self.loader = loader;
        let bytes = self.modules.forget_program();
        self.heap.release(bytes);
    }

    /// The names that have a value, in the order in which they were bound.
    pub fn earlier(&self) -> Vec<Earlier> {
        let has_value = |name: &Name| self.heap.cell(name.cell) != Value::UNSET;
        let names = self.session.0.iter().filter(|(_, name)| has_value(name));
        names.map(|(text, name)| Earlier { name: text.clone(), constant: name.constant }).collect()
    }

    /// A name's value.
    pub fn value_of(&self, name: &str) -> Option<Value> {
        let name = self.session.0.get(name)?;
        Some(self.heap.cell(name.cell)).filter(|value| *value != Value::UNSET)
    }
}
