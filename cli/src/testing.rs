//! `ilu test`: runs the `test_…` functions of `*_test.ilu` files, each in an isolate and a sandbox of its own, and tells which failed and why.
//!
//! A test holds what the grant flags say and nothing of what another one did: it is the file's whole text, run anew, and then the one call. What
//! it prints is kept, and shown when it failed.

use crate::args::{Test, Wall};
use crate::code;
use crate::exit::Exit;
use crate::grants::{self, NoModules};
use crate::report::{self, clean::clean, failure};
use crate::source;
use crate::terminal::Terminal;
use ilu::host::wall::{Extent, Plan};
use ilu::host::{Captured, Process, edit};
use ilu::{Engine, Kind, Loader, ScriptError, Setup};
use ilu_lang::diagnostic::codes;
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the name of a test begins with.
const PREFIX: &str = "test_";
/// What the name of a file of tests ends with.
const SUFFIX: &str = "_test.ilu";

/// One test: a function of a file.
struct Case {
    file: String,
    name: String,
}

/// How one went that failed.
struct Failed {
    at: usize,
    told: String,
    output: String,
}

/// Runs the command: 0 when all passed, 1 when one failed, 2 when a file can't be read or there is nothing to run.
pub fn test(args: &Test) -> Exit {
    let terminal = Terminal::new(args.color);
    let cases = match cases(args) {
        Ok(cases) => cases,
        Err(message) => return terminal.usage(&message),
    };
    let report = match wall(&cases, args) {
        Ok(plan) => plan.map(|plan| plan.raise(Extent::Process)).unwrap_or_default(),
        Err(message) => return terminal.usage(&message),
    };
    if report.broken || args.wall == Wall::Require && !report.gaps.is_empty() {
        let exit = terminal.fail(
            codes::WALL,
            "the second wall can't be raised as it was required; `ilu doctor` says what is missing",
            Exit::Missing,
        );
        report.gaps.iter().for_each(|gap| terminal.tell(&format!("  {}: {}", gap.lost, gap.why)));
        return exit;
    }
    let started = Instant::now();
    let engine = Engine::new();
    let progress = Progress::new(&terminal, cases.len());
    let failed = run_all(&engine, &cases, args, &progress);
    progress.end();
    let mut told = String::new();
    for one in &failed {
        let Some(case) = cases.get(one.at) else { continue };
        let _ = writeln!(told, "FAILED {}: {}\n{}", clean(&case.file), clean(&case.name), one.told.trim_end());
        for line in one.output.lines() {
            let _ = writeln!(told, "  | {}", clean(line));
        }
        told.push('\n');
    }
    let (passed, s) = (cases.len() - failed.len(), if cases.len() == 1 { "" } else { "s" });
    let took = took(started.elapsed());
    let _ = match failed.len() {
        0 => writeln!(told, "{passed} test{s} passed, {took}"),
        more => writeln!(told, "{more} of {} test{s} failed, {took}", cases.len()),
    };
    match terminal.print(&told) {
        Exit::Fine if failed.is_empty() => Exit::Fine,
        Exit::Fine => Exit::Error,
        other => other,
    }
}

/// The wall around all tests: what the flags grant, the folders that the files lie in, and what is read again for each.
fn wall(cases: &[Case], args: &Test) -> Result<Option<Plan>, String> {
    let Some(first) = cases.first().filter(|_| args.wall != Wall::Off) else { return Ok(None) };
    let none = |error: std::io::Error| format!("--wall: {error}");
    let granting = grants::granting(&args.grants, &[], source::from_file(&first.file)?.folder.as_ref())?;
    let mut plan = Plan::new(&granting.grants, None).map_err(none)?;
    let mut files: Vec<&str> = cases.iter().map(|case| case.file.as_str()).collect();
    files.dedup();
    let mut known: Vec<std::path::PathBuf> = Vec::new();
    for file in files {
        let Some(folder) = source::from_file(file)?.folder.filter(|folder| !known.contains(&folder.real)) else { continue };
        plan.also_reads(&folder).map_err(none)?;
        known.push(folder.real);
    }
    args.grants.config.iter().chain(&args.grants.pol).for_each(|path| plan.also_reads_file(path));
    Ok(Some(plan.reopening()))
}

fn took(time: Duration) -> String {
    if time < Duration::from_secs(10) { format!("{} ms", time.as_millis()) } else { format!("{:.1} s", time.as_secs_f64()) }
}

/// The tests that the command line names, in order.
fn cases(args: &Test) -> Result<Vec<Case>, String> {
    let here = [".".to_string()];
    let mut found = Vec::new();
    let mut files = 0;
    for path in if args.paths.is_empty() { &here[..] } else { &args.paths } {
        for file in edit::scripts(path).map_err(|error| error.to_string())? {
            // A file that was named by itself is run whatever it is called.
            if !file.ends_with(SUFFIX) && file != *path {
                continue;
            }
            files += 1;
            let script = source::from_file(&file)?;
            let named = tests_of(&script.text).filter(|name| args.filter.as_ref().is_none_or(|part| name.contains(part.as_str())));
            found.extend(named.map(|name| Case { file: file.clone(), name: name.to_string() }));
        }
    }
    match (files, found.len(), &args.filter) {
        (0, _, _) => Err(format!("there is no file whose name ends in {SUFFIX}")),
        (_, 0, Some(part)) => Err(format!("no test has {} in its name", clean(&format!("{part:?}")))),
        (_, 0, None) => Err(format!("no function here has a name that begins with {PREFIX}")),
        _ => Ok(found),
    }
}

/// Names of functions without parameters that stand at the left edge and begin with `test_`.
fn tests_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (name, rest) = line.split_once('(')?;
        let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let defines = rest.trim_start().strip_prefix(')').is_some_and(|rest| {
            let rest = rest.trim_start();
            rest.starts_with('=') && !rest.starts_with("==")
        });
        (name.starts_with(PREFIX) && word && defines).then_some(name)
    })
}

/// Runs them on as many threads as there are processors; what failed, in the order of the tests.
fn run_all(engine: &Engine, cases: &[Case], args: &Test, progress: &Progress<'_>) -> Vec<Failed> {
    let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..cases.len()).collect());
    let failed: Mutex<Vec<Failed>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(cases.len());
    let work = || {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some((at, case)) = next.and_then(|at| Some((at, cases.get(at)?))) else { return };
            let captured = Arc::new(Captured::default());
            if let Err(told) = run_one(engine, case, args, &captured, progress.terminal) {
                let output = captured.text();
                failed.lock().unwrap_or_else(PoisonError::into_inner).push(Failed { at, told, output });
            }
            progress.step();
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let mut failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.sort_by_key(|one| one.at);
    failed
}

/// Runs a test; why it failed.
fn run_one(engine: &Engine, case: &Case, args: &Test, captured: &Arc<Captured>, terminal: &Terminal) -> Result<(), String> {
    let told = |message: String| report::message(code::of_usage(&message), &message, terminal.look);
    let script = source::from_file(&case.file).map_err(told)?;
    let granting = grants::granting(&args.grants, &[], script.folder.as_ref()).map_err(told)?;
    let text = format!("{}\n{}()\n", script.text, case.name);
    let program = engine
        .compile(script.name.as_str(), text)
        .map_err(|error| report::diagnostics(&error.source, &error.diagnostics, terminal.look))?;
    let interrupt = Arc::new(AtomicBool::new(false));
    let mut setup = Setup::new(granting.grants, Box::new(Process::capturing(Arc::clone(&interrupt), Arc::clone(captured))));
    setup.interrupt = interrupt;
    setup.loader = script.folder.map(|folder| -> Box<dyn Loader> {
        if granting.folder_is_writable { Box::new(NoModules) } else { Box::new(folder) }
    });
    match engine.run(&program, setup).result {
        Ok(_) | Err(ScriptError { kind: Kind::Exit(0), .. }) => Ok(()),
        Err(ScriptError { kind: Kind::Exit(code), .. }) => {
            Err(report::message(codes::RAISED, &format!("it ended the run with os.exit({code})"), terminal.look))
        }
        Err(error) => Err(failure::failure(&error, terminal.look)),
    }
}

/// How far it is, on a terminal only: one line of standard error, written over and over.
struct Progress<'t> {
    terminal: &'t Terminal,
    done: AtomicUsize,
    all: usize,
    shown: bool,
}

impl<'t> Progress<'t> {
    fn new(terminal: &'t Terminal, all: usize) -> Progress<'t> {
        Progress { terminal, done: AtomicUsize::new(0), all, shown: terminal.is_terminal() }
    }

    fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.shown {
            let width = 30;
            let full = done * width / self.all.max(1);
            self.terminal.over(&format!("[{}{}] {done}/{}", "=".repeat(full), " ".repeat(width - full.min(width)), self.all));
        }
    }

    fn end(&self) {
        if self.shown {
            self.terminal.over("");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_functions_at_the_left_edge_without_parameters() {
        let text = "use tst\ntest_a() =\n    1\n  test_b() = 1\ntest_c(x) = 1\ntest_d() == 2\ntest_e()=1\nmy_test_f() = 1\ntest_g ()=1\n";
        assert_eq!(tests_of(text).collect::<Vec<_>>(), ["test_a", "test_e"]);
    }
}
