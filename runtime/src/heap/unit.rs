//! Units: loaded programs of one isolate.
//!
//! A [`Program`] is shared and immutable; what belongs to one run of it (constants as values, module variables, what access sites remember)
//! is here. A unit lives as long as a function made from it, or a running frame, does.

use super::account::{Account, Full, block};
use super::object::IdState;
use super::slab::Slab;
use super::{Heap, Store};
use crate::value::{StrId, Value};
use ilu_lang::code::op::Word;
use ilu_lang::code::program::{Capture, Constant, FunctionCode, Global, ModuleRef, Parts, Program};
use ilu_lang::source::{Source, Span};
use ilu_sbx::ids::SbxId;
use indexmap::IndexMap;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A loaded program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitId(pub u32);

/// Where a unit came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A module of the standard library, by name; its program is shared by all isolates and charged to none.
    Std(Box<str>),
    /// A file of the program itself, by its path from the main script's folder.
    Program(Box<str>),
    /// A file, by the guest path it was read from.
    File(Box<str>),
    /// Text that came from no file: standard input, `-e`, `sbxev`.
    Text,
}

/// What an access site remembers: its field, and where in an object it last was.
#[derive(Clone, Debug)]
pub struct Site {
    /// The field's name.
    pub key: StrId,
    /// The position to try first ([`Store::entry`]).
    pub position: Cell<u32>,
}

/// A program's state in this isolate. Running code of several units changes `globals` and `sites` while all of them can be looked up; `imports` only by [`Heap::import`].
#[derive(Debug)]
pub struct Unit {
    /// The program.
    pub program: Arc<Program>,
    /// What its copies in other isolates have in common with it.
    pub(crate) key: u64,
    /// Its constants.
    pub constants: Vec<Value>,
    /// Its module variables, `UNSET` until assigned.
    pub globals: Vec<Cell<Value>>,
    /// Its access sites.
    pub sites: Vec<Site>,
    /// Keys of its object literals.
    pub templates: Vec<Box<[StrId]>>,
    /// Names that `use` copied into it.
    pub imports: IndexMap<StrId, Value, IdState>,
    /// Objects of the standard library that it has copies of, and the copies.
    pub used: Vec<(Value, Value)>,
    /// The sandbox current where it was loaded.
    pub home: SbxId,
    /// Where it came from.
    pub origin: Origin,
    held: usize,
}

impl Unit {
    /// Bytes it was charged beside its slot and its constants' values.
    pub(crate) const fn held(&self) -> usize {
        self.held
    }
}

/// All units of an isolate.
pub struct Units {
    pub(super) slab: Slab<Unit>,
    keys: HashMap<u64, UnitId>,
}

impl Units {
    pub(super) fn new() -> Self {
        Self { slab: Slab::new(), keys: HashMap::new() }
    }
    /// A unit, unless the id is stale.
    #[inline]
    #[must_use]
    pub fn get(&self, id: UnitId) -> Option<&Unit> {
        self.slab.get(id.0)
    }
    /// This isolate's copy of a unit.
    pub(crate) fn of_key(&self, key: u64) -> Option<UnitId> {
        self.keys.get(&key).copied()
    }
    /// A unit, to change its variables and sites.
    #[inline]
    pub fn get_mut(&mut self, id: UnitId) -> Option<&mut Unit> {
        self.slab.get_mut(id.0)
    }
    pub(super) fn sweep(&mut self, marks: &super::slab::Marks, account: &mut Account) {
        let keys = &mut self.keys;
        self.slab.sweep(marks, account, |account, unit| {
            keys.remove(&unit.key);
            account.release(unit.held);
        });
    }
}

/// Bytes per copy of an object of the standard library.
const USED: usize = 2 * size_of::<(Value, Value)>();
/// Bytes per copied name: entry and table of the map, with its spare room.
const IMPORT: usize = 64;

/// What a program itself and its source take, with what the allocator adds to each of their parts.
const PROGRAM: usize = block(size_of::<Program>() + 16) + block(size_of::<Source>() + 16) + 12 * 16;

/// Bytes that finding a unit by its key takes.
const KEYED: usize = 48;

/// What a unit holds beside its slot. A program of the standard library is the engine's.
fn held(program: &Parts, origin: &Origin) -> usize {
    let values = (program.constants.len() + program.globals.len()) * size_of::<Value>();
    let sites = program.sites.len() * size_of::<Site>();
    let keys = |keys: &Vec<u32>| block(keys.len() * size_of::<StrId>());
    let templates: usize = program.templates.iter().map(|template| keys(template) + size_of::<Box<[StrId]>>()).sum();
    let own = values + sites + templates + 128 + KEYED;
    if matches!(origin, Origin::Std(_)) {
        return own;
    }
    let constants: usize = program.constants.iter().map(|constant| size_of::<Constant>() + constant_bytes(constant)).sum();
    let words = program.code.len() * (size_of::<Word>() + size_of::<Span>());
    let function =
        |code: &FunctionCode| size_of::<FunctionCode>() + block(code.name.len()) + block(size_of_val::<[Capture]>(&code.captures));
    let functions: usize = program.functions.iter().map(function).sum();
    let fields = program.sites.len() * size_of::<u32>();
    let literals: usize = program.templates.iter().map(|template| keys(template) + size_of::<Vec<u32>>()).sum();
    let names: usize = program.globals.iter().map(|global| size_of::<Global>() + block(global.name.len())).sum();
    let uses: usize = program.uses.iter().map(|module| size_of::<ModuleRef>() + block(module_name(module).len())).sum();
    own + PROGRAM + constants + words + functions + fields + literals + names + uses + program.source.held()
}

fn module_name(module: &ModuleRef) -> &str {
    match module {
        ModuleRef::Std(name) | ModuleRef::Path(name) => name,
    }
}

fn constant_bytes(constant: &Constant) -> usize {
    match constant {
        Constant::Num(_) => 0,
        Constant::Str(text) => block(text.len()),
        Constant::Bytes(bytes) => block(bytes.len()),
    }
}

impl Store {
    fn constant(&mut self, constant: &Constant) -> Result<Value, Full> {
        match constant {
            Constant::Num(number) => Ok(Value::num(*number)),
            Constant::Str(text) => self.string(text),
            Constant::Bytes(bytes) => self.bytes_new(bytes.to_vec()),
        }
    }
    fn key_of(&mut self, program: &Parts, constant: u32) -> Result<StrId, Full> {
        match program.constants.get(constant as usize) {
            Some(Constant::Str(text)) => self.intern(text),
            _ => self.intern(""),
        }
    }
}

impl Heap {
    /// Loads a program: constants become values, its variables are unset.
    pub fn unit_new(&mut self, program: Arc<Program>, home: SbxId, origin: Origin) -> Result<UnitId, Full> {
        static KEYS: AtomicU64 = AtomicU64::new(0);
        self.unit_copied(KEYS.fetch_add(1, Ordering::Relaxed), program, home, origin)
    }
    /// Loads the program of a unit of another isolate: constants become values, its variables are unset.
    pub(crate) fn unit_copied(&mut self, key: u64, program: Arc<Program>, home: SbxId, origin: Origin) -> Result<UnitId, Full> {
        let held = held(&program, &origin);
        self.units.slab.ready(&mut self.store.account)?;
        self.store.charge(held)?;
        match self.store.load(key, program, home, origin, held) {
            Ok(unit) => {
                let id = UnitId(self.units.slab.put(unit));
                self.units.keys.insert(key, id);
                Ok(id)
            }
            Err(full) => {
                self.store.release(held);
                Err(full)
            }
        }
    }
    /// Remembers a unit's own copy of an object of the standard library.
    pub fn used(&mut self, unit: UnitId, own: Value, copy: Value) -> Result<(), Full> {
        let Some(unit) = self.units.get_mut(unit) else { return Ok(()) };
        self.store.charge(USED)?;
        unit.held += USED;
        unit.used.push((own, copy));
        Ok(())
    }
    /// Copies a name into a unit; a name that is there gets the new value.
    pub fn import(&mut self, unit: UnitId, name: StrId, value: Value) -> Result<(), Full> {
        let Some(unit) = self.units.get_mut(unit) else { return Ok(()) };
        if !unit.imports.contains_key(&name) {
            self.store.charge(IMPORT)?;
            unit.held += IMPORT;
        }
        unit.imports.insert(name, value);
        Ok(())
    }
}

impl Store {
    fn load(&mut self, key: u64, program: Arc<Program>, home: SbxId, origin: Origin, held: usize) -> Result<Unit, Full> {
        let constants = program.constants.iter().map(|constant| self.constant(constant)).collect::<Result<Vec<_>, _>>()?;
        let mut sites = Vec::with_capacity(program.sites.len());
        for &site in &program.sites {
            sites.push(Site { key: self.key_of(&program, site)?, position: Cell::new(0) });
        }
        let mut templates = Vec::with_capacity(program.templates.len());
        for template in &program.templates {
            templates.push(template.iter().map(|&key| self.key_of(&program, key)).collect::<Result<Box<[_]>, _>>()?);
        }
        let globals = vec![Cell::new(Value::UNSET); program.globals.len()];
        let imports = IndexMap::with_hasher(self.ids);
        Ok(Unit { program, key, constants, globals, sites, templates, imports, used: Vec::new(), home, origin, held })
    }
}
