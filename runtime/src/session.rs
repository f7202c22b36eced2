//! A session: one isolate for many inputs, with names that live from one to the next. What an interactive prompt is made of.
//!
//! ```text
//! Engine ─ Session::new(setup) ─► eval(text) ─► Evaluated … eval(text) ─► Evaluated …
//! ```
//!
//! Each input has the root's budgets for itself, memory apart, which is of the whole session. Tasks end with the input that started them.
//! A text that does not compile, or an input that fails, changes no name that it had not assigned by then.

use crate::engine::{Engine, Setup, closed, error_of, isolate};
use crate::heap::{Origin, Page, pretty};
use crate::library::Names;
use crate::outcome::{CompileError, Finished, Kind, Outcome, ScriptError};
use crate::task::Failure;
use crate::value::{self, Value};
use crate::vm::Vm;
use crate::vm::module::Loader;
use ilu_lang::code::program::Program;
use ilu_lang::compile::{BYTES_PER_PART, compile_within};
use ilu_lang::library::{Earlier, Library};
use ilu_lang::source::Source;
use ilu_sbx::plain::Plain;
use ilu_sbx::{Grants, Spent};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

/// One isolate and its names.
pub struct Session {
    engine: Engine,
    vm: Vm,
    memory: u64,
    page: Page,
    /// The interpreter contradicted itself: nothing of the isolate is used any more.
    broken: bool,
}

/// What an input came to.
#[derive(Debug)]
pub struct Evaluated {
    /// The text of the value of its last statement, nothing for `nil`; or why it ended before.
    pub result: Result<Option<String>, ScriptError>,
    /// What it used.
    pub spent: Vec<Spent>,
    /// Tasks that failed and that nobody waited for.
    pub failures: Vec<Failure>,
}

/// A name that has a value, as completion and help show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The name.
    pub name: String,
    /// What `typ` says of its value.
    pub kind: &'static str,
    /// Whether it can be called.
    pub is_function: bool,
}

impl Session {
    /// A session that holds what the setup grants.
    ///
    /// # Errors
    /// What can't be granted.
    pub fn new(engine: &Engine, setup: Setup, page: Page) -> Result<Self, String> {
        let memory = setup.grants.limits.memory;
        let (vm, _) = isolate(engine, setup)?;
        Ok(Self { engine: engine.clone(), vm, memory, page, broken: false })
    }

    /// Compiles and runs an input.
    ///
    /// # Errors
    /// What is wrong with the text; nothing has run.
    pub fn eval(&mut self, name: &str, text: &str) -> Result<Evaluated, CompileError> {
        let program = self.compile(name, text)?;
        Ok(self.run(&program, &Origin::Text))
    }

    /// Compiles and runs a file as an input; its own modules are read with this loader.
    ///
    /// # Errors
    /// What is wrong with the text; nothing has run.
    pub fn load(&mut self, name: &str, text: &str, loader: Option<Box<dyn Loader>>) -> Result<Evaluated, CompileError> {
        let program = self.compile(name, text)?;
        let origin = match &loader {
            Some(_) => Origin::Program(name.rsplit('/').next().unwrap_or_default().into()),
            None => Origin::Text,
        };
        self.vm.set_loader(loader.map(|loader| Arc::new(Mutex::new(loader))));
        Ok(self.run(&program, &origin))
    }

    fn compile(&self, name: &str, text: &str) -> Result<Arc<Program>, CompileError> {
        let source = Source::new(name, text);
        let parts = usize::try_from(self.memory).unwrap_or(usize::MAX) / BYTES_PER_PART;
        let earlier = if self.broken { Vec::new() } else { self.vm.earlier() };
        let compiled = compile_within(&source, &SessionNames { world: Names(&self.engine), earlier }, false, parts).map(Arc::new);
        compiled.map_err(|diagnostics| CompileError { source, diagnostics })
    }

    fn run(&mut self, program: &Arc<Program>, origin: &Origin) -> Evaluated {
        let broken = |why: &str| Evaluated { result: Err(ScriptError::bare(Kind::Bug, why)), spent: Vec::new(), failures: Vec::new() };
        if self.broken {
            return broken("the interpreter failed before in this session: begin anew");
        }
        let (vm, page) = (&mut self.vm, self.page);
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let (result, failures) = vm.run_input(program, origin);
            let result = match result {
                Ok(value) => Ok(shown(vm, value, page)),
                Err(ending) => Err(error_of(ending)),
            };
            let root = vm.realm.root();
            Evaluated { result, spent: vm.realm.spent(root), failures }
        }));
        match ran {
            Ok(evaluated) => {
                self.broken = matches!(&evaluated.result, Err(error) if error.kind == Kind::Bug);
                evaluated
            }
            Err(_) => {
                self.broken = true;
                broken("the interpreter panicked")
            }
        }
    }

    /// Gives it other grants than it had: sandboxes that it made, and what is open, end with the old ones. Its programs and arguments stay.
    ///
    /// # Errors
    /// What can't be granted; nothing has changed then.
    pub fn regrant(&mut self, grants: Grants) -> Result<(), String> {
        let memory = grants.limits.memory;
        self.vm.regrant(grants)?;
        self.memory = memory;
        Ok(())
    }

    /// How many columns and lines a result takes from now on.
    pub fn set_page(&mut self, page: Page) {
        self.page = page;
    }

    /// The names that have a value, in the order in which they were bound.
    #[must_use]
    pub fn names(&self) -> Vec<Bound> {
        let bound = |earlier: Earlier| {
            let value = self.vm.value_of(&earlier.name)?;
            Some(self.bound(earlier.name.into(), value))
        };
        self.vm.earlier().into_iter().filter_map(bound).collect()
    }

    /// The fields of the object that a name with dots stands for: `cfg.host` is the path `["cfg", "host"]`.
    #[must_use]
    pub fn fields(&self, path: &[&str]) -> Vec<Bound> {
        let Some(value::Kind::Object(object)) = self.at(path).map(Value::kind) else { return Vec::new() };
        let entries = self.vm.heap.entries(object).take(MAX_FIELDS);
        entries.map(|(key, value)| self.bound(self.vm.heap.str(key).to_owned(), value)).collect()
    }

    /// What a name with dots stands for: its type, its text, and for a function of the session's own where it was written.
    #[must_use]
    pub fn describe(&self, path: &[&str]) -> Option<Described> {
        let value = self.at(path)?;
        let heap = &self.vm.heap;
        let code = value.as_function().and_then(|id| heap.function(id)).and_then(|function| {
            let unit = heap.units.get(function.unit)?;
            let code = unit.program.functions.get(function.function as usize)?;
            Some((Arc::clone(&unit.program.source), code.span))
        });
        Some(Described { kind: heap.type_name(value), text: pretty(heap, value, self.page), written: code })
    }

    fn at(&self, path: &[&str]) -> Option<Value> {
        let (first, rest) = path.split_first()?;
        let heap = &self.vm.heap;
        rest.iter().try_fold(self.vm.value_of(first)?, |value, field| {
            let value::Kind::Object(object) = value.kind() else { return None };
            heap.known_key(field).and_then(|key| heap.get(object, key))
        })
    }

    fn bound(&self, name: String, value: Value) -> Bound {
        let kind = self.vm.heap.type_name(value);
        Bound { name, kind, is_function: matches!(kind, "fun" | "bif") }
    }

    /// The newest decisions about natives, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Plain> {
        self.vm.realm.log(self.vm.realm.root())
    }

    /// What the last input has used, budget by budget.
    pub fn spent(&mut self) -> Vec<Spent> {
        let root = self.vm.realm.root();
        self.vm.realm.spent(root)
    }

    /// The natives it holds.
    #[must_use]
    pub fn caps(&self) -> Vec<&'static str> {
        self.vm.realm.caps(self.vm.realm.root())
    }

    /// Forgets all names, and the program's own files that were read.
    pub fn forget(&mut self) {
        if !self.broken {
            self.vm.forget_names();
        }
    }

    /// Ends it: what there is to say of the whole.
    #[must_use]
    pub fn close(mut self) -> Outcome {
        let failures = if self.broken { Vec::new() } else { self.vm.finish_tasks() };
        let ended = Ok(Finished { text: String::new(), value: None });
        Outcome { failures, ..closed(&mut self.vm, ended) }
    }
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub struct Described {
    /// What `typ` says.
    pub kind: &'static str,
    /// The value.
    pub text: String,
    /// The text that a function is from, and where it stands there.
    pub written: Option<(Arc<Source>, ilu_lang::source::Span)>,
}

/// Most fields of an object that are offered.
const MAX_FIELDS: usize = 1_000;

fn shown(vm: &Vm, value: Value, page: Page) -> Option<String> {
    (value != Value::NIL).then(|| pretty(&vm.heap, value, page))
}

/// The engine's names, and those of the session.
struct SessionNames<'e> {
    world: Names<'e>,
    earlier: Vec<Earlier>,
}

impl Library for SessionNames<'_> {
    fn builtin(&self, name: &str, trusted: bool) -> Option<u32> {
        self.world.builtin(name, trusted)
    }
    fn native(&self, name: &str) -> Option<u32> {
        self.world.native(name)
    }
    fn exports(&self, module: &str) -> Option<Vec<String>> {
        self.world.exports(module)
    }
    fn readable(&self, module: &str) -> Option<Vec<String>> {
        self.world.readable(module)
    }
    fn earlier(&self) -> Option<&[Earlier]> {
        Some(&self.earlier)
    }
    fn modules(&self) -> Vec<String> {
        self.world.modules()
    }
    fn names(&self) -> Vec<String> {
        let mut names = self.world.names();
        names.extend(self.earlier.iter().map(|earlier| earlier.name.to_string()));
        names
    }
}

#[cfg(test)]
#[path = "session/tests.rs"]
mod tests;
