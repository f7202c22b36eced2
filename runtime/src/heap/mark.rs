//! Marking: what can be reached from the roots.
//!
//! No recursion: a container that gets its mark goes on a work list once. The list's room was paid for slot by slot when the slabs
//! grew, and is taken in one piece before marking starts, so that a collection in a full heap takes no more than was booked.

use super::Store;
use super::slab::Marks;
use super::unit::{UnitId, Units};
use crate::value::{Kind, StrId, Value};
use ilu_sbx::{Homes, SbxId};

/// What the roots are given to.
pub struct Marker<'heap> {
    store: &'heap Store,
    units: &'heap Units,
    work: Vec<Value>,
    unit_work: Vec<UnitId>,
    pub(super) marks: AllMarks,
    /// Sandboxes that something refers to.
    homes: Homes,
}

/// The marks of every slab.
pub(super) struct AllMarks {
    pub(super) strings: Marks,
    pub(super) bytes: Marks,
    pub(super) lists: Marks,
    /// How far each buffer of lists is kept.
    pub(super) reach: Vec<u32>,
    pub(super) objects: Marks,
    pub(super) cells: Marks,
    pub(super) functions: Marks,
    pub(super) handles: Marks,
    pub(super) sandboxes: Marks,
    pub(super) methods: Marks,
    pub(super) units: Marks,
}

impl<'heap> Marker<'heap> {
    pub(super) fn new(store: &'heap Store, units: &'heap Units) -> Self {
        let containers = store.lists.used() + store.objects.used() + store.cells.used() + store.functions.used() + store.methods.used();
        Self {
            store,
            units,
            work: Vec::with_capacity(containers),
            unit_work: Vec::with_capacity(units.slab.used()),
            marks: AllMarks {
                strings: Marks::for_slots(store.strings.slab().slots()),
                bytes: Marks::for_slots(store.bytes.slots()),
                lists: Marks::for_slots(store.lists.slots()),
                reach: store.prefixes.unmarked(),
                objects: Marks::for_slots(store.objects.slots()),
                cells: Marks::for_slots(store.cells.slots()),
                functions: Marks::for_slots(store.functions.slots()),
                handles: Marks::for_slots(store.handles.slots()),
                sandboxes: Marks::for_slots(store.sandboxes.slots()),
                methods: Marks::for_slots(store.methods.slots()),
                units: Marks::for_slots(units.slab.slots()),
            },
            homes: Homes::default(),
        }
    }

    /// Keeps a value and what it reaches. A stale one, whose slot is free, is skipped.
    #[inline]
    pub fn value(&mut self, value: Value) {
        if value.is_num() {
            return;
        }
        let (store, marks) = (self.store, &mut self.marks);
        let (new, has_parts) = match value.kind() {
            Kind::Num(_) | Kind::Nil | Kind::Bool(_) | Kind::Unset => (false, false),
            Kind::Builtin(_) | Kind::Native(_) => {
                self.homes.keep(SbxId(value.home()));
                (false, false)
            }
            Kind::Str(id) => (store.strings.slab().mark(&mut marks.strings, id.0), false),
            Kind::Bytes(id) => (store.bytes.mark(&mut marks.bytes, id.0), false),
            Kind::Handle(id) => (store.handles.mark(&mut marks.handles, id.0), false),
            Kind::Sandbox(id) => {
                if let Some(sandbox) = store.sandbox(id) {
                    self.homes.keep(sandbox);
                }
                (store.sandboxes.mark(&mut marks.sandboxes, id.0), false)
            }
            Kind::List(id) => (store.lists.mark(&mut marks.lists, id.0), true),
            Kind::Object(id) => (store.objects.mark(&mut marks.objects, id.0), true),
            Kind::Cell(id) => (store.cells.mark(&mut marks.cells, id.0), true),
            Kind::Function(id) => (store.functions.mark(&mut marks.functions, id.0), true),
            Kind::Method(id) => (store.methods.mark(&mut marks.methods, id.0), true),
        };
        if new && has_parts {
            self.work.push(value);
        }
    }
    /// Keeps several values.
    pub fn values(&mut self, values: &[Value]) {
        for &value in values {
            self.value(value);
        }
    }
    /// Keeps a string.
    #[inline]
    pub fn string(&mut self, id: StrId) {
        self.store.strings.slab().mark(&mut self.marks.strings, id.0);
    }
    /// Keeps a sandbox.
    pub fn home(&mut self, home: SbxId) {
        self.homes.keep(home);
    }
    /// Was a sandbox kept, so far?
    pub fn has_home(&self, home: SbxId) -> bool {
        self.homes.has(home)
    }
    /// Keeps a unit: its constants, its variables, its names.
    #[inline]
    pub fn unit(&mut self, id: UnitId) {
        if self.units.slab.mark(&mut self.marks.units, id.0) {
            self.unit_work.push(id);
        }
    }

    /// Follows everything kept so far to its end.
    pub(super) fn finish(mut self) -> (AllMarks, Homes) {
        self.store.strings.keep(&mut self.marks.strings);
        self.follow_all();
        (self.marks, self.homes)
    }
    /// The same, and goes on marking.
    pub fn follow_all(&mut self) {
        loop {
            if let Some(value) = self.work.pop() {
                self.follow(value);
            } else if let Some(unit) = self.unit_work.pop() {
                self.follow_unit(unit);
            } else {
                return;
            }
        }
    }
    fn follow(&mut self, value: Value) {
        let store = self.store;
        match value.kind() {
            Kind::List(id) => {
                self.values(store.list_near(id));
                if let Some(piece) = store.list_piece(id) {
                    let unmarked = store.prefixes.to_mark(piece, &mut self.marks.reach);
                    self.values(unmarked);
                }
            }
            Kind::Object(id) => {
                for (key, value) in store.entries(id) {
                    self.string(key);
                    self.value(value);
                }
            }
            Kind::Cell(id) => self.value(store.cell(id)),
            Kind::Method(id) => {
                if let Some(method) = store.method(id) {
                    self.homes.keep(method.home);
                    self.value(method.of.into());
                }
            }
            Kind::Function(id) => {
                if let Some(function) = store.function(id) {
                    self.homes.keep(function.home);
                    self.values(&function.captures);
                    self.unit(function.unit);
                }
            }
            _ => {}
        }
    }
    fn follow_unit(&mut self, id: UnitId) {
        let units = self.units;
        let Some(unit) = units.get(id) else { return };
        self.homes.keep(unit.home);
        self.values(&unit.constants);
        for global in &unit.globals {
            self.value(global.get());
        }
        for site in &unit.sites {
            self.string(site.key);
        }
        for &key in unit.templates.iter().flatten() {
            self.string(key);
        }
        for &(own, copy) in &unit.used {
            self.value(own);
            self.value(copy);
        }
        for (&name, &value) in &unit.imports {
            self.string(name);
            self.value(value);
        }
    }
}
