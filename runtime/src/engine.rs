//! The embedding API: compile, then run as often as wanted, each run in an isolate of its own.

use crate::heap::Origin;
use crate::library::Names;
use crate::native;
use crate::outcome::{CompileError, Finished, Kind, Outcome, ScriptError};
use crate::task::Stoppable;
use crate::vm::module::Loader;
use crate::vm::{Ending, Start, Vm, Why};
use ilu_lang::code::program::Program;
use ilu_lang::compile::{BYTES_PER_PART, compile_within};
use ilu_lang::diagnostic::codes;
use ilu_lang::source::Source;
use ilu_sbx::plain::Plain;
use ilu_sbx::{Grants, Natives, Operator, Outside, Realm};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};

/// A module of the standard library, compiled when first used.
type Compiled = OnceLock<Result<Arc<Program>, String>>;

/// What all runs share: the standard library's programs, compiled when first used.
#[derive(Clone)]
pub struct Engine {
    std: Arc<[Compiled]>,
}

/// What one run is given.
pub struct Setup {
    /// What the root sandbox holds.
    pub grants: Grants,
    /// The process around the run: streams, clocks, entropy.
    pub outside: Box<dyn Outside>,
    /// Set by the host to stop the run; looked at about once a millisecond.
    pub interrupt: Arc<AtomicBool>,
    /// Reads the program's own files, when it has some.
    pub loader: Option<Box<dyn Loader>>,
    /// Takes the audit record, one line of JSON per event.
    pub sink: Option<Box<dyn Write + Send>>,
    /// Whether to take note of what the run touches and when, for a report.
    pub summarise: bool,
    /// Collect at every growth of the heap. For tests of the collector: everything becomes very slow.
    pub stress: bool,
    /// Have each instruction's handler return before the next one's is called. For tests of the fast loop.
    pub stepped: bool,
    /// Take note of what of the grants is needed.
    pub observe: bool,
    /// Who is asked for what a call of the root's own code lacks.
    pub operator: Option<Box<dyn Operator>>,
    /// Functions in place of the library's natives. For tests of the second wall: what stands when a native asks nobody.
    pub natives: Option<Natives>,
}

impl Setup {
    /// With these grants and this process, and nothing else.
    #[must_use]
    pub fn new(grants: Grants, outside: Box<dyn Outside>) -> Self {
        Self {
            grants,
            outside,
            interrupt: Arc::new(AtomicBool::new(false)),
            loader: None,
            sink: None,
            summarise: false,
            stress: false,
            stepped: false,
            observe: false,
            operator: None,
            natives: None,
        }
    }
}

/// Bytes of an uncaught error's or a result's text that are kept.
const MAX_TEXT: usize = 64 << 10;

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine {
    /// An engine. It has no authority; that comes with each run's grants.
    #[must_use]
    pub fn new() -> Self {
        Self { std: ilu_std::MODULES.iter().map(|_| OnceLock::new()).collect() }
    }

    /// Compiles a program.
    ///
    /// # Errors
    /// What is wrong with the text, as far as it could be told.
    pub fn compile(&self, name: impl Into<String>, text: impl Into<String>) -> Result<Arc<Program>, CompileError> {
        self.compile_source(Source::new(name, text))
    }

    /// Compiles a program; what the compiler holds meanwhile is at most so many bytes beside the text and what is the same for every text.
    ///
    /// # Errors
    /// What is wrong with the text, as far as it could be told; a text that needs more is.
    pub fn compile_within(&self, name: impl Into<String>, text: impl Into<String>, memory: u64) -> Result<Arc<Program>, CompileError> {
        let parts = usize::try_from(memory).unwrap_or(usize::MAX) / BYTES_PER_PART;
        self.compile_parts(Source::new(name, text), parts)
    }

    /// Compiles a source text of at most so many parts.
    pub(crate) fn compile_parts(&self, source: Arc<Source>, parts: usize) -> Result<Arc<Program>, CompileError> {
        let compiled = compile_within(&source, &Names(self), false, parts).map(Arc::new);
        compiled.map_err(|diagnostics| CompileError { source, diagnostics })
    }

    /// Compiles a source text.
    ///
    /// # Errors
    /// What is wrong with the text, as far as it could be told.
    pub fn compile_source(&self, source: Arc<Source>) -> Result<Arc<Program>, CompileError> {
        compiled(Arc::clone(&source), self, false).map_err(|diagnostics| CompileError { source, diagnostics })
    }

    /// A module of the standard library.
    pub(crate) fn std_program(&self, name: &str) -> Result<Arc<Program>, String> {
        let at = ilu_std::MODULES.iter().position(|module| module.name == name);
        let (Some(cell), Some(module)) = (at.and_then(|at| self.std.get(at)), ilu_std::module(name)) else {
            return Err(format!("there is no module `{}`", ilu_sbx::denial::escape(name, 60)));
        };
        let program = cell.get_or_init(|| {
            let source = Source::new(format!("{name}.ilu"), module.source);
            compiled(Arc::clone(&source), self, true).map_err(|diagnostics| CompileError { source, diagnostics }.summary())
        });
        program.clone()
    }

    /// Runs a program to its end.
    #[must_use]
    pub fn run(&self, program: &Arc<Program>, setup: Setup) -> Outcome {
        // Whatever breaks in the interpreter ends this run only. Nothing of the isolate is used afterwards.
        match catch_unwind(AssertUnwindSafe(|| self.run_isolate(program, setup))) {
            Ok(outcome) => outcome,
            Err(_) => Outcome::broken("the interpreter panicked"),
        }
    }

    fn run_isolate(&self, program: &Arc<Program>, setup: Setup) -> Outcome {
        let (mut vm, has_files) = match isolate(self, setup) {
            Ok(isolate) => isolate,
            Err(why) => return Outcome::refused(why),
        };
        let origin =
            if has_files { Origin::Program(program.source.name.rsplit('/').next().unwrap_or_default().into()) } else { Origin::Text };
        let result = match vm.run_main(Arc::clone(program), origin) {
            Ok(value) => Ok(Finished { text: crate::heap::short_text(&vm.heap, value, MAX_TEXT), value: native::plain(&vm.heap, value) }),
            Err(ending) => Err(error_of(ending)),
        };
        let failures = vm.finish_tasks();
        Outcome { failures, ..closed(&mut vm, result) }
    }
}

/// What there is to say of an isolate that has ended, its tasks' failures apart.
pub(crate) fn closed(vm: &mut Vm, result: Result<Finished, ScriptError>) -> Outcome {
    let root = vm.realm.root();
    let (used, spent) = (vm.realm.used(root), vm.realm.spent(root));
    let (result, audit) = match (result, vm.realm.close_sink()) {
        (Ok(_), Err(error)) => {
            let broken = ScriptError::bare(Kind::Error, format!("the audit record could not be written: {error}"));
            (Err(ScriptError { code: codes::AUDIT_BROKEN, ..broken }), None)
        }
        (result, sealed) => (result, sealed.ok().flatten()),
    };
    let ledger = vm.realm.take_ledger();
    Outcome { result, used, spent, ledger, audit, collections: vm.collections(), observed: vm.realm.observed(), failures: Vec::new() }
}

/// An isolate that has run nothing yet, and whether its program has files of its own.
pub(crate) fn isolate(engine: &Engine, setup: Setup) -> Result<(Vm, bool), String> {
    let stop = Arc::new(AtomicBool::new(false));
    let outside = Box::new(Stoppable { outside: setup.outside, stop: Arc::clone(&stop) });
    let mut realm = Realm::new(setup.grants, outside, setup.natives.unwrap_or_else(ilu_std::natives))?;
    if let Some(sink) = setup.sink {
        realm.set_sink(sink);
    }
    if let Some(operator) = setup.operator {
        realm.set_operator(operator);
    }
    if setup.observe {
        realm.observe();
    }
    if setup.summarise {
        realm.summarise();
    }
    let has_files = setup.loader.is_some();
    let start = Start {
        engine: engine.clone(),
        realm,
        loader: setup.loader.map(|loader| Arc::new(Mutex::new(loader))),
        interrupt: setup.interrupt,
        stop,
        stress: setup.stress,
        stepped: setup.stepped,
        crew: None,
    };
    Ok((Vm::new(start), has_files))
}

pub(crate) fn error_of(ending: Ending) -> ScriptError {
    let (kind, message) = match ending.why {
        Why::Error(text, None) => (Kind::Error, text),
        Why::Error(text, Some(denial)) => (Kind::Denied(denial), text),
        Why::Limit(text) => (Kind::Limit, text),
        Why::InnerLimit(text) => (Kind::InnerLimit, text),
        Why::Exit(code) => (Kind::Exit(code), String::new()),
        Why::Interrupted => (Kind::Interrupted, "interrupted".to_owned()),
        Why::Broken(what) => (Kind::Bug, what.to_owned()),
    };
    ScriptError { kind, code: ending.code, message, on: ending.on, trace: ending.trace }
}

fn compiled(source: Arc<Source>, engine: &Engine, trusted: bool) -> Result<Arc<Program>, Vec<ilu_lang::diagnostic::Diagnostic>> {
    ilu_lang::compile::compile(&source, &Names(engine), trusted).map(Arc::new)
}

/// What `used` shows when nothing was.
pub(crate) const NOTHING: Plain = Plain::Nil;
