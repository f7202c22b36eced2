//! `ilu run`: compiles a script, runs it with what the flags grant, tells how it ended.

use crate::args::Run;
use crate::exit::Exit;
use crate::grants::{self, Granting, NoModules};
use crate::hint;
use crate::report;
use crate::report::data;
use crate::source::{self, Script};
use crate::terminal::Terminal;
use ilu::host::{self, Process};
use ilu::{CompileError, Engine, Kind, Loader, Outcome, ScriptError, Setup};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs the command.
pub fn run(args: &Run) -> Exit {
    let terminal = Terminal::new(args.output.color);
    let told = Told { terminal, json: args.output.json };
    let prepared = script(args).and_then(|script| {
        let granting = grants::granting(&args.grants, &args.args, script.folder.as_ref())?;
        Ok((script, granting))
    });
    let (script, granting) = match prepared {
        Ok(prepared) => prepared,
        Err(message) => return told.usage(&message),
    };
    let engine = Engine::new();
    let program = match engine.compile(script.name.as_str(), script.text.as_str()) {
        Ok(program) => program,
        Err(error) => return told.wrong_source(&error),
    };
    let (setup, reader_gone) = match setup(args, granting, script) {
        Ok(setup) => setup,
        Err(message) => return told.usage(&message),
    };
    let mut outcome = engine.run(&program, setup);
    if reader_gone.load(Ordering::Relaxed) {
        // Whoever read our output has seen enough.
        return Exit::Fine;
    }
    if let Err(ScriptError { kind: Kind::Denied(denial), .. }) = &mut outcome.result {
        hint::for_this_command_line(denial, &args.grants);
    }
    told.outcome(&outcome)
}

fn script(args: &Run) -> Result<Script, String> {
    match (&args.eval, &args.file) {
        (Some(text), _) => Ok(source::from_text(text)),
        (None, Some(path)) => source::from_file(path).map_err(|message| match path.chars().all(|c| c.is_ascii_alphanumeric()) {
            true => format!("{message}; nor is there such a command: `ilu --help` lists them"),
            false => message,
        }),
        (None, None) => Err("give a FILE, `-` or `-e SRC`".to_string()),
    }
}

/// Everything the run is given, and the flag that tells whether its reader went away.
fn setup(args: &Run, granting: Granting, script: Script) -> Result<(Setup, Arc<AtomicBool>), String> {
    let interrupt = Arc::new(AtomicBool::new(false));
    let process = Process::new(Arc::clone(&interrupt));
    let reader_gone = process.reader_gone();
    let mut setup = Setup::new(granting.grants, Box::new(process));
    setup.interrupt = interrupt;
    setup.loader = script.folder.map(|folder| -> Box<dyn Loader> {
        if granting.folder_is_writable { Box::new(NoModules) } else { Box::new(folder) }
    });
    if let Some(path) = &args.grants.audit {
        setup.sink = Some(host::audit_sink(path, &granting.writable).map_err(|error| format!("--audit {error}"))?);
    }
    Ok((setup, reader_gone))
}

/// Where and in which form the outcome is told.
struct Told {
    terminal: Terminal,
    json: bool,
}

impl Told {
    fn usage(&self, message: &str) -> Exit {
        if self.json {
            self.object(Value::Null, json!({"kind": "usage", "message": message}), Value::Null, &[]);
            return Exit::Usage;
        }
        self.terminal.usage(message)
    }

    fn wrong_source(&self, error: &CompileError) -> Exit {
        if self.json {
            let errors = report::diagnostics_as_json(&error.source, &error.diagnostics);
            let told = json!({"kind": "source", "message": error.summary(), "file": error.source.name, "errors": errors});
            self.object(Value::Null, told, Value::Null, &[]);
        } else {
            self.terminal.tell(&report::diagnostics(&error.source, &error.diagnostics, self.terminal.look));
        }
        Exit::Usage
    }

    fn outcome(&self, outcome: &Outcome) -> Exit {
        let exit = exit_of(outcome);
        let silent = matches!(exit, Exit::Own(_));
        if self.json {
            let value = outcome.result.as_ref().ok().and_then(|done| done.value.as_ref()).map_or(Value::Null, data::as_json);
            let error = outcome.result.as_ref().err().filter(|_| !silent).map_or(Value::Null, report::failure::as_json);
            self.object(value, error, data::as_json(&outcome.used), &outcome.denied);
        } else if let Err(error) = &outcome.result
            && !silent
        {
            self.terminal.tell(&report::failure::failure(error, self.terminal.look));
        }
        exit
    }

    fn object(&self, value: Value, error: Value, usage: Value, denials: &[ilu_sbx::Plain]) {
        let denials: Vec<Value> = denials.iter().map(data::as_json).collect();
        self.terminal.tell(&json!({"value": value, "error": error, "usage": usage, "denials": denials}).to_string());
    }
}

fn exit_of(outcome: &Outcome) -> Exit {
    match outcome.result.as_ref().map_err(|error| &error.kind) {
        Ok(_) => Exit::Fine,
        Err(Kind::Error) => Exit::Error,
        Err(Kind::Refused) => Exit::Usage,
        Err(Kind::Denied(_)) => Exit::Denied,
        Err(Kind::Limit | Kind::InnerLimit) => Exit::Limit,
        Err(Kind::Exit(code)) => Exit::Own(*code),
        Err(Kind::Interrupted) => Exit::Own(130),
        Err(_) => Exit::Bug,
    }
}
