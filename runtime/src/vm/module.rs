//! Modules: what `use` loads, once, and where from.
//!
//! A module of the standard library is at home in `ANY`; one instance serves the isolate, and what it exports is frozen; a sandbox's code
//! gets copies of the exports that are at home in the sandbox ([`super::import`]). A file of the
//! program is at home where it is loaded; its own folder is read through a [`Loader`] by the root sandbox alone, every other sandbox
//! reads files through the doorway like any other file. An instance belongs to a place and a home.

use super::Vm;
use super::frame::{CallAt, Ends};
use super::task::is_to_be_repeated;
use crate::builtin::{self, Fault};
use crate::heap::{Marker, Origin};
use crate::value::{StrId, Value};
use ilu_lang::code::op::{Op, Word};
use ilu_lang::code::program::{ModuleRef, Program};
use ilu_lang::compile::BYTES_PER_PART;
use ilu_lang::diagnostic::codes;
use ilu_lang::source::{MAX_SOURCE_BYTES, Source};
use ilu_sbx::{ANY, Homes, ROOT, SbxId};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Parts that a text may have beside one for each of its bytes: its last statement is no byte's.
const PARTS_BESIDE_TEXT: usize = 16;

/// Reads files of the program itself, from the folder of its main script and nowhere else.
pub trait Loader: Send {
    /// The text of a file. `path` is relative, its parts are separated by `/`, and it has no `.` or `..` in it. The error is what the script sees.
    ///
    /// # Errors
    /// There is no such file, or it may not be loaded.
    fn load(&mut self, path: &str) -> Result<String, String>;
}

/// A loader, for all isolates of a run.
pub(crate) type SharedLoader = Arc<Mutex<Box<dyn Loader>>>;

/// A module's identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// Of the standard library, at home in a sandbox (`ANY` for all but `sbxus`).
    Std(Box<str>, SbxId),
    /// A file of the program.
    Program(Box<str>),
    /// A file that a sandbox reads by itself.
    File(Box<str>, SbxId),
}

impl Key {
    fn name(&self) -> &str {
        match self {
            Key::Std(name, _) | Key::Program(name) | Key::File(name, _) => name,
        }
    }
    /// The sandbox that a module of its own belongs to.
    pub(super) fn home(&self) -> SbxId {
        match self {
            Key::Std(_, home) | Key::File(_, home) => *home,
            Key::Program(_) => ROOT,
        }
    }
    fn origin(&self) -> Origin {
        match self {
            Key::Std(name, _) => Origin::Std(name.clone()),
            Key::Program(path) => Origin::Program(path.clone()),
            Key::File(path, _) => Origin::File(path.clone()),
        }
    }
}

enum State {
    Loading,
    Ready(Value),
}

/// The modules of an isolate.
#[derive(Default)]
pub(crate) struct Modules {
    states: HashMap<Key, State>,
    /// Objects the standard library exports, for messages: their bits and their names.
    names: HashMap<u64, String>,
}

impl Modules {
    /// Keeps the modules of the library and the program, and those of sandboxes that are kept: one that is kept for the sake of a module
    /// can keep others.
    pub(super) fn roots(&self, marker: &mut Marker<'_>) {
        marker.home(ANY);
        marker.home(ROOT);
        let mut left: Vec<(&Key, Value)> = Vec::new();
        left.extend(self.states.iter().filter_map(|(key, state)| if let State::Ready(names) = state { Some((key, *names)) } else { None }));
        loop {
            marker.follow_all();
            let before = left.len();
            left.retain(|(key, names)| {
                let kept = marker.has_home(key.home());
                if kept {
                    marker.value(*names);
                }
                !kept
            });
            if left.len() == before {
                return;
            }
        }
    }
    /// Forgets the modules of sandboxes that are no more, and gives the bytes that had been booked for them.
    pub(super) fn forget(&mut self, homes: &Homes) -> usize {
        let before = self.states.len();
        self.states.retain(|key, _| homes.has(key.home()));
        (before - self.states.len()) * ENTRY
    }
    /// Forgets the program's own files, and gives the bytes that had been booked for them.
    pub(super) fn forget_program(&mut self) -> usize {
        let before = self.states.len();
        self.states.retain(|key, _| !matches!(key, Key::Program(_)));
        (before - self.states.len()) * ENTRY
    }
    pub(super) fn ready(&mut self, key: Key, names: Value) {
        self.states.insert(key, State::Ready(names));
    }
    /// The names of a module of the standard library, when it has been loaded.
    pub(super) fn library_names(&self, name: &str) -> Option<Value> {
        match self.states.get(&Key::Std(name.into(), ANY)) {
            Some(State::Ready(names)) => Some(*names),
            _ => None,
        }
    }
    /// What the standard library calls one of its objects.
    pub(super) fn name_of(&self, value: Value) -> Option<&str> {
        self.names.get(&value.bits()).map(String::as_str)
    }
}

/// Bytes of text that one unit of fuel compiles.
const TEXT_PER_FUEL: usize = 8;
/// Bytes charged for an entry of the table of modules.
const ENTRY: usize = 256;

impl Vm {
    /// `Use` and `UseAll`.
    pub(super) fn use_module(&mut self, op: Op, word: Word) -> Result<(), Fault> {
        if op == Op::UseAll {
            return self.copy_names(self.get(word.a()));
        }
        let frame = *self.frame()?;
        let unit = self.heap.units.get(frame.unit).ok_or(Fault::Broken("no unit"))?;
        let program = Arc::clone(&unit.program);
        let key = match program.uses.get(word.k() as usize).ok_or(Fault::Broken("use"))? {
            ModuleRef::Std(name) => Key::Std(name.clone(), ANY),
            ModuleRef::Path(path) => {
                let own = frame.authority == self.realm.root();
                match &unit.origin {
                    Origin::Program(from) if own => Key::Program(relative_to(from, path)?),
                    Origin::Program(from) | Origin::File(from) => Key::File(joined(from, path), frame.authority),
                    _ if own => Key::Program(relative_to("", path)?),
                    _ => Key::File(joined("", path), frame.authority),
                }
            }
        };
        let dest = self.base() + word.a() as usize;
        let at = CallAt { args: 0, count: 0, dest, authority: frame.authority };
        self.load_module(key, at, None)
    }

    /// A name that nothing in the text binds, and that no file brought which was used: what may be meant.
    pub(super) fn nothing_brings(name: &str, uses: &[ModuleRef]) -> String {
        if name.starts_with('_') {
            return format!("`{name}` has no value yet; a file that is used keeps its names with `_` in front to itself");
        }
        let called = |path: &str| path.rsplit('/').next().and_then(|file| file.strip_suffix(".ilu")) == Some(name);
        let file = uses.iter().find_map(|used| match used {
            ModuleRef::Path(path) if called(path) => Some(path),
            _ => None,
        });
        let help = file.map(|path| format!("; `use \"{path}\" as {name}` makes an object of the file's names"));
        format!("`{name}` has no value: it is not bound here, and no used file gives it{}", help.unwrap_or_default())
    }

    /// Puts a module's names at `dest`, now or when its top level has run. Inside `sandbox`, when there is one, its home is that.
    pub(super) fn load_module(&mut self, key: Key, at: CallAt, sandbox: Option<SbxId>) -> Result<(), Fault> {
        match self.modules.states.get(&key) {
            Some(State::Ready(names)) => {
                let names = *names;
                let names = self.names_for(self.frame()?.unit, names)?;
                self.put(at.dest, names);
                return Ok(());
            }
            Some(State::Loading) => {
                return Err(Fault::Message(format!("modules use each other in a circle: `{}` is still being loaded", key.name())));
            }
            None => {}
        }
        let home = if let Key::Std(_, home) = key { home } else { at.authority };
        let inner = match sandbox {
            Some(sandbox) => self.account_inside(sandbox)?,
            None => self.account,
        };
        self.heap.charge(ENTRY)?;
        self.modules.states.insert(key.clone(), State::Loading);
        let started = self.above_boundary(Ends::Module(key.clone()), sandbox, at.dest, inner, |vm| {
            let program = vm.program_of(&key, at.authority)?;
            // A module of the standard library starts with no authority at all, whoever is the first to use it.
            let at = CallAt { authority: home, ..at };
            // Tried again from here when room is lacking: what was read and compiled is not done twice.
            vm.retrying(|vm| {
                let main = vm.main_function(&program, key.origin(), home)?;
                vm.call_on_top(main.into(), at)
            })
        });
        if started.as_ref().is_err_and(is_to_be_repeated) {
            // Its boundary is gone again, and with it nobody who would say that it failed.
            self.module_failed(&key);
        }
        started
    }

    /// A module's top level failed: what failed halfway may be tried again.
    pub(super) fn module_failed(&mut self, key: &Key) {
        self.modules.states.remove(key);
        self.heap.release(ENTRY);
    }

    fn program_of(&mut self, key: &Key, authority: SbxId) -> Result<Arc<Program>, Fault> {
        let text = match key {
            Key::Std(name, _) => return self.engine.std_program(name).map_err(Fault::Message),
            Key::Program(path) => match &mut self.loader {
                Some(loader) => loader
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .load(path)
                    .map_err(|why| Fault::Message(format!("can't use `{path}`: {why}")))?,
                None => return Err(Fault::Message(format!("can't use `{path}`: this program has no files of its own"))),
            },
            Key::File(path, _) => self.read_source(path, authority).map_err(|fault| match fault {
                Fault::Stop(ilu_sbx::Stop::Failed(why)) => {
                    Fault::Message(format!("can't use `{}`: {why}", ilu_sbx::denial::escape(path, 80)))
                }
                other => other,
            })?,
        };
        self.compile(key.name(), text)
    }

    /// A file's text, read through the doorway.
    pub(super) fn read_source(&mut self, path: &str, authority: SbxId) -> Result<String, Fault> {
        let native = ilu_cap::by_name("__sys_read_file").ok_or(Fault::Broken("no read native"))?;
        match self.plain_through_doorway(native, &[ilu_sbx::plain::Arg::Str(path)], authority)? {
            ilu_sbx::plain::Plain::Str(text) => Ok(text),
            _ => Err(Fault::Broken("a file that is not text")),
        }
    }

    /// Compiles text a script may have chosen: paid for in fuel and memory before.
    pub(super) fn compile(&mut self, name: &str, text: String) -> Result<Arc<Program>, Fault> {
        if text.len() > MAX_SOURCE_BYTES {
            return Err(Fault::Message(format!("`{name}` is longer than {MAX_SOURCE_BYTES} bytes")));
        }
        let work = text.len() / TEXT_PER_FUEL;
        self.spend(work)?;
        // The room is asked for and given back: the compiler's own memory is not on the heap. A part takes a byte of text at least, apart from the
        // last statement, which no line's end need follow, so this is enough; where there is less, what there is counts the parts.
        let enough = text.len().saturating_add(PARTS_BESIDE_TEXT).saturating_mul(BYTES_PER_PART);
        if enough as u64 > self.room() {
            self.collect_for_fuel()?;
        }
        let room = usize::try_from(self.room()).unwrap_or(usize::MAX);
        let bytes = enough.min(room.saturating_sub(text.len()));
        self.retrying(|vm| Ok(vm.heap.charge(bytes)?))?;
        let compiled = self.engine.compile_parts(Source::new(name, text), bytes / BYTES_PER_PART);
        self.heap.release(bytes);
        match compiled {
            Err(error) if bytes < enough && error.diagnostics.iter().any(|found| found.code == codes::TOO_LONG) => Err(self.memory_limit()),
            compiled => compiled.map_err(|error| Fault::Message(error.summary())),
        }
    }

    /// The exported names of the module whose top level just ended, as a frozen object.
    pub(super) fn names_of_module(&mut self, key: &Key) -> Result<Value, Fault> {
        let unit = self.heap.units.get(self.frame()?.unit).ok_or(Fault::Broken("no unit"))?;
        let program = Arc::clone(&unit.program);
        let exported: Vec<(usize, Value)> = program
            .globals
            .iter()
            .enumerate()
            .filter(|(_, global)| global.exported)
            .filter_map(|(at, _)| unit.globals.get(at).map(|value| (at, value.get())))
            .filter(|(_, value)| *value != Value::UNSET)
            .collect();
        let names = self.heap.object_new()?;
        for &(at, value) in &exported {
            let name = program.globals.get(at).map_or("", |global| &global.name);
            let name: StrId = self.heap.intern(name)?;
            self.heap.set(names, name, value)?;
        }
        self.heap.freeze(names.into());
        if matches!(key, Key::Std(..)) {
            for (at, value) in exported {
                if value.as_object().is_some() || value.as_list().is_some() {
                    self.heap.freeze(value);
                    self.modules
                        .names
                        .insert(value.bits(), program.globals.get(at).map_or_else(String::new, |global| global.name.to_string()));
                }
            }
        }
        Ok(names.into())
    }

    /// Copies a module's names into the running unit.
    fn copy_names(&mut self, names: Value) -> Result<(), Fault> {
        let unit = self.frame()?.unit;
        let Some(names) = names.as_object() else { return Err(Fault::Broken("not a module's names")) };
        let program = Arc::clone(&self.heap.units.get(unit).ok_or(Fault::Broken("no unit"))?.program);
        // Names that the standard library brought already, and those that pipelines took from `trl` for want of another.
        let imported: HashSet<&str> = program.globals.iter().filter(|global| global.imported).map(|global| &*global.name).collect();
        let stages: HashMap<&str, usize> =
            program.globals.iter().enumerate().filter_map(|(slot, global)| Some((global.name.strip_prefix("trl.")?, slot))).collect();
        let entries: Vec<(StrId, Value)> = self.heap.entries(names).collect();
        for (name, value) in entries {
            let text = self.heap.str(name);
            if builtin::number(text, false).is_some() {
                return Err(Fault::Message(format!("`{text}` is a builtin's name and can't be copied: use the file `as` a name")));
            }
            let (clash, stage) = (imported.contains(text), stages.get(text).copied());
            let there = self.heap.units.get(unit).and_then(|unit| unit.imports.get(&name).copied());
            match there {
                Some(other) if other == value && !clash => {}
                None if !clash => self.heap.import(unit, name, value)?,
                _ => {
                    let name = self.heap.str(name);
                    return Err(Fault::Message(format!("two modules both give `{name}`: use one of them `as` a name")));
                }
            }
            if let Some(slot) = stage
                && let Some(place) = self.heap.units.get(unit).and_then(|unit| unit.globals.get(slot))
            {
                place.set(value);
            }
        }
        Ok(())
    }
}

/// A path written in the file `from`, as a path from the program's folder: no `.` or `..` is left in it.
pub(crate) fn relative_to(from: &str, path: &str) -> Result<Box<str>, Fault> {
    let bad = |why: &str| Err(Fault::Message(format!("can't use \"{}\": {why}", ilu_sbx::denial::escape(path, 80))));
    if path.starts_with('/') || path.contains(['\\', '\0']) {
        return bad("a program's file is named by its path from the file that uses it");
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return bad("it is outside the program's folder");
                }
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/").into())
}

/// A path written in the file `from`, as the sandbox's own view has it, in the one spelling that a file is known by: a `..` is taken back as far
/// as there is something to take back. What the path means is for the doorway.
pub(super) fn joined(from: &str, path: &str) -> Box<str> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (root, mut parts) = match (path.starts_with('/'), from.starts_with('/')) {
        (true, _) => ("/", Vec::new()),
        (false, true) => ("/", folder.split('/').collect()),
        (false, false) => ("", folder.split('/').collect::<Vec<_>>()),
    };
    parts.retain(|part| !part.is_empty());
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("{root}{}", parts.join("/")).into()
}
