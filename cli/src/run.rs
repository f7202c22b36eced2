//! `ilu run`: compiles a script, runs it with what the flags grant, tells how it ended.

use crate::args::{GrantFlags, Run, Wall};
use crate::ask::Asker;
use crate::code;
use crate::config;
use crate::exit::Exit;
use crate::grants::{self, Granting, NoModules};
use crate::hint;
use crate::page::{self, Granted, Subject};
use crate::report;
use crate::report::data;
use crate::source::{self, Script};
use crate::terminal::Terminal;
use ilu::host::child::Warden;
use ilu::host::wall::{Extent, Plan, Report};
use ilu::host::{self, Process, ReportFile};
use ilu::{CompileError, Engine, Kind, Loader, Outcome, ScriptError, Setup};
use ilu_lang::diagnostic::codes;
use ilu_sbx::Operator;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs the command.
pub fn run(args: &Run, change: crate::Change) -> Exit {
    let terminal = Terminal::new(args.output.color);
    let mut told = Told::new(terminal, args.output.json);
    let prepared = script(args).and_then(|script| {
        let args = with_profile(args, &script, &terminal)?;
        let granting = grants::granting(&args.grants, &args.args, script.folder.as_ref())?;
        Ok((script, granting, args))
    });
    let (script, granting, args) = match prepared {
        Ok(prepared) => prepared,
        Err(message) => return told.usage(&message),
    };
    let args = &args;
    let engine = Engine::new();
    let program = match engine.compile_within(script.name.as_str(), script.text.as_str(), granting.grants.limits.memory) {
        Ok(program) => program,
        Err(error) => return told.wrong_source(&error),
    };
    let granted = granted(args, &granting);
    let name = script.name.clone();
    let Prepared { mut setup, reader_gone, unfinished, report, plan, around_programs, .. } = match prepare(args, granting, script) {
        Ok(prepared) => prepared,
        Err(message) => return told.usage(&message),
    };
    change(&mut setup);
    if let Err(exit) = told.raise(plan.as_ref(), around_programs, args.wall) {
        return exit;
    }
    let mut outcome = engine.run(&program, setup);
    told.unfinished = unfinished.load(Ordering::Relaxed);
    for_this_command_line(&mut outcome, args);
    let reported = report.map_or(Ok(()), |file| {
        let page = page::page(&Subject { script: &name, granted: &granted, outcome: &outcome });
        file.write(&page).map_err(|error| format!("--report {error}"))
    });
    if let Err(message) = &reported {
        told.begin_line();
        told.terminal.fail(codes::RECORD, message, Exit::Error);
    }
    if reader_gone.load(Ordering::Relaxed) {
        // Whoever read our output has seen enough.
        return Exit::Fine;
    }
    match told.outcome(&outcome) {
        Exit::Fine if reported.is_err() => Exit::Error,
        exit => exit,
    }
}

/// The command line with the grants of a profile among its own.
pub fn with_profile(args: &Run, script: &Script, terminal: &Terminal) -> Result<Run, String> {
    Ok(Run { grants: config::apply(&args.grants, script.folder.as_ref(), terminal)?, ..args.clone() })
}

/// Says in every denial which flag of this command line would have allowed it.
fn for_this_command_line(outcome: &mut Outcome, args: &Run) {
    if let Err(ScriptError { kind: Kind::Denied(denial), .. }) = &mut outcome.result {
        let on = denial.on.clone();
        hint::for_this_command_line(denial, &on, &args.grants);
    }
    for event in &mut outcome.ledger.denied {
        if let Some(denial) = &mut event.denial {
            hint::for_this_command_line(denial, &event.subjects, &args.grants);
        }
    }
}

/// What the report says of the grants.
fn granted(args: &Run, granting: &Granting) -> Granted {
    granted_by(&args.grants, granting.grants.env.iter().map(|(name, _)| name.clone()).collect(), granting.grants.caps.names())
}

/// The same of grants that are in force already.
pub fn granted_by(flags: &GrantFlags, env: Vec<String>, natives: Vec<&'static str>) -> Granted {
    let dirs = flags.dir.iter().map(|spec| (spec.guest.clone(), if spec.writable { "rw" } else { "ro" })).collect();
    Granted { dirs, env, natives }
}

/// The script that the command line names.
pub fn script(args: &Run) -> Result<Script, String> {
    match (&args.eval, &args.file) {
        (Some(text), _) => Ok(source::from_text(text)),
        (None, Some(path)) => source::from_file(path).map_err(|message| match path.chars().all(|c| c.is_ascii_alphanumeric()) {
            true => format!("{message}; nor is there such a command: `ilu --help` lists them"),
            false => message,
        }),
        (None, None) => Err("give a FILE, `-` or `-e SRC`".to_string()),
    }
}

/// Everything the run is given, and what the command looks at when it has ended.
pub struct Prepared {
    /// What the engine takes.
    pub setup: Setup,
    /// Whether its reader went away.
    pub reader_gone: Arc<AtomicBool>,
    /// Whether its last line on standard error is unfinished.
    pub unfinished: Arc<AtomicBool>,
    /// Whether what it last wrote on a terminal left its line unfinished.
    pub mid_line: Arc<AtomicBool>,
    /// Where the report goes.
    pub report: Option<ReportFile>,
    /// What the second wall lets through, when there is to be one.
    pub plan: Option<Plan>,
    /// What the wall around programs lacks.
    pub around_programs: Report,
}

/// Opens what the flags name.
pub fn prepare(args: &Run, granting: Granting, script: Script) -> Result<Prepared, String> {
    let interrupt = Arc::new(AtomicBool::new(false));
    let asker = args.ask.then(|| Asker::new(args, script.folder.as_ref(), Arc::clone(&interrupt))).flatten();
    let process = Process::new(Arc::clone(&interrupt));
    let mut process = if args.raw { process.raw() } else { process };
    for path in &args.grants.ca {
        process.trust_authorities(path).map_err(|error| format!("--ca {error}"))?;
    }
    let (reader_gone, unfinished, mid_line) = (process.reader_gone(), process.unfinished(), process.mid_line());
    let sink = match &args.grants.audit {
        Some(path) => Some(host::audit_sink(path, &granting.writable, &process).map_err(|error| format!("--audit {error}"))?),
        None => None,
    };
    let mut around_programs = Report::default();
    let process = match granting.programs.as_slice() {
        [] => process,
        programs => {
            let walls = (args.wall != Wall::Off, args.wall == Wall::Require);
            let warden = Warden::start(programs, &granting.grants.mounts, &granting.grants.net, walls)
                .map_err(|error| format!("--run: programs can't be started here: {error}"))?;
            around_programs = warden.report().clone();
            process.with_warden(warden)
        }
    };
    let plan = match args.wall {
        Wall::Off => None,
        Wall::Auto | Wall::Require => {
            let folder = script.folder.as_ref().filter(|_| !granting.folder_is_writable);
            let plan = Plan::new(&granting.grants, folder).map_err(|error| format!("--wall: {error}"))?;
            match (args.wall, asker.is_some()) {
                (Wall::Require, true) => {
                    return Err("--wall require and --ask exclude each other: what you may grant later can't be walled off now".to_owned());
                }
                (_, asks) => Some(if asks { plan.asking() } else { plan }),
            }
        }
    };
    let mut setup = Setup::new(granting.grants, Box::new(process));
    setup.interrupt = interrupt;
    setup.operator = asker.map(|asker| -> Box<dyn Operator> { Box::new(asker) });
    setup.loader = script.folder.map(|folder| -> Box<dyn Loader> {
        if granting.folder_is_writable { Box::new(NoModules) } else { Box::new(folder) }
    });
    setup.sink = sink;
    let report = match &args.grants.report {
        None => None,
        Some(path) => {
            let file = host::report_file(path, &granting.writable, args.grants.audit.as_deref());
            Some(file.map_err(|error| format!("--report {error}"))?)
        }
    };
    setup.summarise = report.is_some();
    Ok(Prepared { setup, reader_gone, unfinished, mid_line, report, plan, around_programs })
}

/// Where and in which form the outcome is told.
pub struct Told {
    /// Where.
    pub terminal: Terminal,
    /// As one object?
    pub json: bool,
    /// Whether the script left its last line on standard error unfinished.
    pub unfinished: bool,
    /// What stands of the second wall.
    pub wall: Option<Report>,
}

impl Told {
    /// Before a run.
    pub const fn new(terminal: Terminal, json: bool) -> Told {
        Told { terminal, json, unfinished: false, wall: None }
    }

    /// Raises the second wall: the last thing before the first instruction.
    pub fn raise(&mut self, plan: Option<&Plan>, around_programs: Report, wall: Wall) -> Result<(), Exit> {
        let Some(plan) = plan else { return Ok(()) };
        let mut report = plan.raise(Extent::Process);
        report.join(around_programs);
        if report.broken || wall == Wall::Require && !report.gaps.is_empty() {
            return Err(self.missing(&report));
        }
        self.wall = Some(report);
        Ok(())
    }

    /// Not all of the wall could be had that was required.
    fn missing(&self, report: &Report) -> Exit {
        let message = match report.broken {
            true => "the second wall could not be raised, although this kernel has it; `--wall off` runs without it",
            false => "--wall require: this kernel lacks a part of the second wall; `ilu doctor` says which promises are kept without it",
        };
        if self.json {
            let error = json!({"kind": "wall", "code": codes::WALL, "message": message});
            let mut told = object(Value::Null, error, Value::Null, Vec::new());
            told["wall"] = data::wall(report);
            self.terminal.tell(&data::one_line(&told));
            return Exit::Missing;
        }
        let exit = self.terminal.fail(codes::WALL, message, Exit::Missing);
        report.gaps.iter().for_each(|gap| self.terminal.tell(&format!("  {}: {}", gap.lost, gap.why)));
        exit
    }

    /// What we tell begins a line, or a reader of lines could be given a part of the script's for ours.
    fn begin_line(&mut self) {
        if std::mem::take(&mut self.unfinished) {
            self.terminal.tell("");
        }
    }

    /// A mistake on the command line.
    pub fn usage(&self, message: &str) -> Exit {
        if self.json {
            let error = json!({"kind": "usage", "code": code::of_usage(message), "message": message});
            self.terminal.tell(&data::one_line(&object(Value::Null, error, Value::Null, Vec::new())));
            return Exit::Usage;
        }
        self.terminal.usage(message)
    }

    /// A mistake in the source.
    pub fn wrong_source(&self, error: &CompileError) -> Exit {
        if self.json {
            let errors = report::diagnostics_as_json(&error.source, &error.diagnostics);
            let told = json!({"kind": "source", "code": error.diagnostics.first().map(|first| first.code), "message": error.summary(), "file": error.source.name, "errors": errors});
            self.terminal.tell(&data::one_line(&object(Value::Null, told, Value::Null, Vec::new())));
        } else {
            self.terminal.tell(&report::diagnostics(&error.source, &error.diagnostics, self.terminal.look));
        }
        Exit::Usage
    }

    /// How the run ended.
    pub fn outcome(&mut self, outcome: &Outcome) -> Exit {
        let exit = exit_of(outcome);
        let silent = matches!(exit, Exit::Own(_));
        if self.json || outcome.result.is_err() && !silent {
            self.begin_line();
        }
        if self.json {
            let value = outcome.result.as_ref().ok().and_then(|done| done.value.as_ref()).map_or(Value::Null, data::as_json);
            let error = outcome.result.as_ref().err().filter(|_| !silent).map_or(Value::Null, report::failure::as_json);
            let denials = outcome.ledger.denied.iter().map(report::failure::denial_as_json).collect();
            let mut told = object(value, error, data::as_json(&outcome.used), denials);
            if outcome.ledger.denied_more > 0 {
                told["denials_left_out"] = json!(outcome.ledger.denied_more);
            }
            if !outcome.failures.is_empty() {
                told["tasks"] = outcome.failures.iter().map(report::failure::unseen_as_json).collect();
            }
            if let Some(wall) = &self.wall {
                told["wall"] = data::wall(wall);
            }
            if let Some(sealed) = &outcome.audit {
                told["audit"] = json!({"events": sealed.events, "head": sealed.head});
            }
            self.terminal.tell(&data::one_line(&told));
        } else {
            if let Err(error) = &outcome.result
                && !silent
            {
                self.terminal.tell(&report::failure::failure(error, self.terminal.look));
            }
            for failure in &outcome.failures {
                self.begin_line();
                self.terminal.tell(&report::failure::unseen(failure));
            }
        }
        exit
    }
}

/// The four fields of every outcome.
fn object(value: Value, error: Value, usage: Value, denials: Vec<Value>) -> Value {
    json!({"value": value, "error": error, "usage": usage, "denials": denials})
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
