//! The `ilu` command as a library: the binary is one call of [`main`], and the whole-system tests run the very same code.
//!
//! A command is a file, a flag is a field. Here arguments become calls of the embedding API, outcomes become text and exit codes. Nothing in
//! this crate opens a file or decides what a script may do.

#![forbid(unsafe_code)]

mod args;
mod ask;
mod audit;
mod caps;
mod check;
mod code;
mod config;
mod doctor;
mod exit;
mod explain;
mod fmt;
mod grants;
mod hint;
mod learn;
mod page;
mod pages;
mod policy;
mod profile;
mod quantity;
mod repl;
mod report;
mod run;
mod source;
mod terminal;
mod testing;
mod widen;

use args::{Audit, Cli, Color, Command};
use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use exit::Exit;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use terminal::Terminal;

/// What is done to a run when all flags are read and its wall is planned, before it begins.
pub type Change = fn(&mut ilu::Setup);

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    main_with(|_| {})
}

/// The same with a hand in what `run` gives its scripts. For tests of the second wall, which is planned from the flags, whatever this changes.
#[must_use]
pub fn main_with(change: Change) -> ExitCode {
    // A process that starts programs, or is about to become one, is none that runs scripts.
    if let Some(code) = ilu::host::child::serve() {
        return code;
    }
    ilu::host::wall::note_inherited();
    // A panic is a bug of ours. The hook's own report (place and message) has gone to standard error by then; what is left is the exit code.
    catch_unwind(AssertUnwindSafe(|| command(change))).unwrap_or(Exit::Bug).into()
}

fn command(change: Change) -> Exit {
    let mut given: Vec<OsString> = std::env::args_os().collect();
    if given.len() == 1 && std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        given.push("repl".into());
    }
    let cli = match Cli::try_parse_from(args::with_command(given.iter().cloned())) {
        Ok(cli) => cli,
        Err(answer) => return told_by_clap(&answer, &given),
    };
    match &cli.command {
        Command::Run(args) => run::run(args, change),
        Command::Repl(args) => repl::repl(args),
        Command::Completions(args) => pages::completions(args, &Terminal::new(Color::Auto)),
        Command::Man(args) => pages::man(args, &Terminal::new(Color::Auto)),
        Command::Learn(args) => learn::learn(args),
        Command::Trust(args) => config::trust(args, &Terminal::new(Color::Auto)),
        Command::Check(args) => check::check(args),
        Command::Fmt(args) => fmt::fmt(args),
        Command::Test(args) => testing::test(args),
        Command::Audit(Audit::Verify(args)) => audit::verify(args),
        Command::Explain(args) => explain::explain(args),
        Command::Doctor(args) => doctor::doctor(args, &Terminal::new(Color::Auto)),
        Command::Caps(args) => caps::caps(args, &Terminal::new(Color::Auto)),
    }
}

/// Help and version go to standard output and are fine; everything else is a usage error.
fn told_by_clap(answer: &clap::Error, given: &[OsString]) -> Exit {
    // There is nobody left to tell that the stream is gone.
    let _ = if answer.use_stderr() {
        let code = ilu_lang::diagnostic::codes::COMMAND_LINE;
        let told = answer.render();
        let told = if Terminal::new(Color::Auto).look.color { told.ansi().to_string() } else { told.to_string() };
        Terminal::new(Color::Auto).tell(&told.replacen("error:", &format!("error[{code}]:"), 1));
        Ok(())
    } else {
        answer.print()
    };
    if let (ErrorKind::UnknownArgument, Some(ContextValue::String(stray))) = (answer.kind(), answer.get(ContextKind::InvalidArg)) {
        for tip in args::tips(given, stray) {
            Terminal::new(Color::Auto).tell(&report::clean::clean(&format!("tip: {tip}")));
        }
    }
    if answer.use_stderr() { Exit::Usage } else { Exit::Fine }
}
