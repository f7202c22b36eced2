//! `ilu repl`: what is typed is run in one session whose names live on; what it may touch is what the flags grant, and what the operator adds at
//! the prompt.
//!
//! Only what is typed grants anything: what a script prints has its control characters written out, so it can't move the cursor, and leaves the
//! prompt on a line of its own.

mod change;
mod command;
mod complete;
mod doc;
mod editor;
mod show;
mod unfinished;

use crate::args::{GrantFlags, Repl, Run, Wall};
use crate::code;
use crate::config;
use crate::exit::Exit;
use crate::grants::{self, NoModules};
use crate::hint;
use crate::report::{self, clean::clean, failure};
use crate::run::{self, Prepared, Told};
use crate::source::{self, Script};
use crate::terminal::Terminal;
use command::Input;
use editor::Aid;
use ilu::host::history::{History, MAX_ENTRIES};
use ilu::host::{self, ReportFile};
use ilu::{CompileError, Engine, Evaluated, Kind, Loader, Page, ScriptError, Session};
use ilu_lang::diagnostic::codes;
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::{History as _, MemHistory};
use rustyline::{ColorMode, CompletionType, Config, Editor};
use signal_hook::consts::SIGINT;
use std::cell::RefCell;
use std::io::IsTerminal;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What stands before what is typed.
const PROMPT: &str = "ilu> ";
/// Lines of a result.
const PAGE_LINES: usize = 24;
/// Columns of a result where there is no terminal to ask.
const COLUMNS: usize = 100;

/// The session and what is known of it outside.
struct Shell {
    session: Rc<RefCell<Session>>,
    terminal: Terminal,
    /// The grants as they are now, and as they were at the start.
    flags: GrantFlags,
    at_start: GrantFlags,
    /// Set by Ctrl-C while something runs.
    interrupt: Arc<AtomicBool>,
    /// What was written last left its line unfinished.
    mid_line: Arc<AtomicBool>,
    inputs: usize,
}

/// What an input asks of the loop.
#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Quit,
    Broken,
}

/// Runs the command.
pub fn repl(args: &Repl) -> Exit {
    let terminal = Terminal::new(args.color);
    if args.wall == Wall::Require {
        return terminal.usage("--wall require and a session exclude each other: what you may grant at the prompt can't be walled off now");
    }
    let history = match args.no_history || !std::io::stdin().is_terminal() {
        true => None,
        false => match History::open() {
            Ok(history) => Some(history),
            Err(error) => {
                terminal.tell(&format!("no history is kept: {}", clean(&error.to_string())));
                None
            }
        },
    };
    let (mut shell, report) = match start(args, &terminal) {
        Ok(started) => started,
        Err(Stopped::Usage(message)) => return terminal.usage(&message),
        Err(Stopped::Exit(exit)) => return exit,
    };
    let exit = shell.dialogue(history);
    shell.end(report, exit)
}

/// Why there is no session.
enum Stopped {
    Usage(String),
    Exit(Exit),
}

impl From<String> for Stopped {
    fn from(message: String) -> Stopped {
        Stopped::Usage(message)
    }
}

/// Opens what the flags name, and raises the wall.
fn start(args: &Repl, terminal: &Terminal) -> Result<(Shell, Option<ReportFile>), Stopped> {
    let flags = config::apply(&args.grants, None, terminal)?;
    let run = Run::of_text(flags.clone(), args.args.clone(), args.wall, args.ask, args.color);
    let granting = grants::granting(&flags, &args.args, None)?;
    let script = Script { name: "<repl>".to_string(), text: String::new(), folder: None };
    let Prepared { setup, mid_line, report, plan, around_programs, .. } = run::prepare(&run, granting, script)?;
    let interrupt = Arc::clone(&setup.interrupt);
    // Before the wall: what it lets through then is for what runs.
    signal_hook::flag::register(SIGINT, Arc::clone(&interrupt)).map_err(|error| format!("Ctrl-C can't be taken: {error}"))?;
    Told::new(*terminal, false)
        .raise(plan.map(ilu::host::wall::Plan::session).as_ref(), around_programs, args.wall)
        .map_err(Stopped::Exit)?;
    let session = Session::new(&Engine::new(), setup, Page { width: COLUMNS, lines: PAGE_LINES })?;
    let session = Rc::new(RefCell::new(session));
    Ok((Shell { session, terminal: *terminal, at_start: flags.clone(), flags, interrupt, mid_line, inputs: 0 }, report))
}

impl Shell {
    /// Reads and evaluates until somebody has enough.
    fn dialogue(&mut self, mut history: Option<History>) -> Exit {
        let color = if self.terminal.look.color { ColorMode::Enabled } else { ColorMode::Disabled };
        let config = Config::builder().history_ignore_space(true).completion_type(CompletionType::List).color_mode(color).build();
        let kept = MemHistory::with_config(&config);
        let mut editor: Editor<Aid, MemHistory> = match Editor::with_history(config, kept) {
            Ok(editor) => editor,
            Err(error) => return self.terminal.fail(codes::COMMAND_LINE, &format!("the terminal can't be used: {error}"), Exit::Error),
        };
        // Bounds of ours are within what it takes.
        let _ = editor.set_max_history_size(MAX_ENTRIES);
        for entry in history.iter().flat_map(History::entries) {
            let _ = editor.history_mut().add(entry);
        }
        editor.set_helper(Some(Aid { session: Rc::clone(&self.session) }));
        if std::io::stdin().is_terminal() {
            self.terminal.tell(&format!("ilu {}; :help says what there is, Ctrl-D ends", env!("CARGO_PKG_VERSION")));
        }
        loop {
            self.own_line();
            if let Some((columns, _)) = editor.dimensions() {
                self.session
                    .borrow_mut()
                    .set_page(Page { width: usize::from(columns).saturating_sub(1).clamp(20, 200), lines: PAGE_LINES });
            }
            let text = match editor.readline(PROMPT) {
                Ok(text) => text,
                Err(ReadlineError::Interrupted) => continue,
                Err(ReadlineError::Eof) => return Exit::Fine,
                Err(error) => return self.terminal.fail(codes::COMMAND_LINE, &format!("the terminal: {error}"), Exit::Error),
            };
            let entry = text.trim_end();
            if !entry.is_empty() {
                let is_kept = editor.add_history_entry(entry).unwrap_or(false);
                if let (true, Some(history)) = (is_kept, &mut history) {
                    history.add(entry);
                }
            }
            match self.input(&text) {
                Next::Go => {}
                Next::Quit => return Exit::Fine,
                Next::Broken => return Exit::Bug,
            }
        }
    }

    /// What we write begins a line, whatever was written before.
    fn own_line(&self) {
        if self.mid_line.swap(false, Ordering::Relaxed) {
            self.terminal.print("\n");
        }
    }

    fn say(&self, text: &str) {
        self.own_line();
        self.terminal.print(text);
    }

    fn input(&mut self, text: &str) -> Next {
        match command::input(text) {
            Input::Nothing => {}
            Input::Ask(name) => match doc::doc(name, &self.session.borrow()) {
                Ok(text) => self.say(&lines(&text)),
                Err(message) => self.refuse(&message),
            },
            Input::Unknown(name) => self.refuse(&format!("there is no command `:{}`; `:help` lists them", clean(name))),
            Input::Command("quit", _) => return Next::Quit,
            Input::Command("time", "") => self.refuse("say what: `:time f(1000)`"),
            Input::Command("time", text) => {
                let (next, took) = self.evaluate(text);
                let spent = self.session.borrow_mut().spent();
                self.say(&show::time(took, &spent));
                return next;
            }
            Input::Command("load", path) => return self.load(path),
            Input::Command(name, rest) => self.command(name, rest),
            Input::Text(text) => return self.evaluate(text).0,
        }
        Next::Go
    }

    /// A command that runs nothing.
    fn command(&mut self, name: &str, rest: &str) {
        match name {
            "help" => self.say(&command::help()),
            "used" => {
                let spent = self.session.borrow_mut().spent();
                self.say(&show::used(&spent));
            }
            "caps" => {
                let caps = self.session.borrow().caps();
                let spent = self.session.borrow_mut().spent();
                self.say(&show::caps(&self.flags, &caps, &spent));
            }
            "audit" => match if rest.is_empty() { Ok(show::AUDIT_ROWS) } else { rest.parse() } {
                Ok(most) => self.say(&show::audit(&self.session.borrow().log(), most)),
                Err(_) => self.refuse("say how many: `:audit 50`"),
            },
            "grant" => self.change(change::grant(&self.flags, rest), "granted"),
            "drop" => self.change(change::drop(&self.flags, rest), "dropped"),
            "reset" => {
                self.session.borrow_mut().forget();
                self.change(Ok(self.at_start.clone()), "all names are forgotten; the grants are those of the start");
            }
            _ => {}
        }
    }

    /// Has the session hold what these flags grant.
    fn change(&mut self, flags: Result<GrantFlags, String>, done: &str) {
        let changed = flags.and_then(|flags| {
            let granting = grants::granting(&flags, &[], None)?;
            for (flag, path) in [("--audit", &flags.audit), ("--report", &flags.report)] {
                if let Some(path) = path.as_ref().filter(|path| *path != "-") {
                    host::apart(path, &granting.writable).map_err(|error| format!("{flag} {error}"))?;
                }
            }
            self.session.borrow_mut().regrant(granting.grants)?;
            Ok(flags)
        });
        match changed {
            Ok(flags) => {
                self.flags = flags;
                self.say(&format!("{done}\n"));
            }
            Err(message) => self.refuse(&clean(&message)),
        }
    }

    fn load(&mut self, path: &str) -> Next {
        if path.is_empty() || path == "-" {
            self.refuse("say which file: `:load job.ilu`");
            return Next::Go;
        }
        let script = match source::from_file(path) {
            Ok(script) => script,
            Err(message) => {
                self.refuse(&clean(&message));
                return Next::Go;
            }
        };
        let writable = grants::granting(&self.flags, &[], script.folder.as_ref()).map(|granting| granting.folder_is_writable);
        let loader = script.folder.map(|folder| -> Box<dyn Loader> {
            if writable.unwrap_or(true) { Box::new(NoModules) } else { Box::new(folder) }
        });
        let result = self.session.borrow_mut().load(&script.name, &script.text, loader);
        self.tell(result)
    }

    fn evaluate(&mut self, text: &str) -> (Next, Duration) {
        self.inputs += 1;
        let name = format!("<{}>", self.inputs);
        // A Ctrl-C that came too late for the input before is not for this one.
        self.interrupt.store(false, Ordering::Relaxed);
        let began = Instant::now();
        let result = self.session.borrow_mut().eval(&name, text);
        let took = began.elapsed();
        (self.tell(result), took)
    }

    /// What an input came to.
    fn tell(&self, result: Result<Evaluated, CompileError>) -> Next {
        let evaluated = match result {
            Ok(evaluated) => evaluated,
            Err(error) => {
                self.own_line();
                self.terminal.tell(&report::diagnostics(&error.source, &error.diagnostics, self.terminal.look));
                return Next::Go;
            }
        };
        let mut next = Next::Go;
        match evaluated.result {
            Ok(None) => {}
            Ok(Some(text)) => self.say(&lines(&text)),
            Err(ScriptError { kind: Kind::Exit(code), .. }) => self.say(&format!("os.exit({code})\n")),
            Err(ScriptError { kind: Kind::Interrupted, .. }) => self.say("interrupted\n"),
            Err(mut error) => {
                if let Kind::Denied(denial) = &mut error.kind {
                    let on = denial.on.clone();
                    hint::for_this_command_line(denial, &on, &self.flags);
                }
                if error.kind == Kind::Bug {
                    next = Next::Broken;
                }
                self.own_line();
                self.terminal.tell(&failure::failure(&error, self.terminal.look));
                // A list of the sandbox's maker is no flag: that is for the text to change.
                if let Kind::Denied(denial) = &error.kind
                    && let Some(flag) = denial.grant.as_ref().filter(|grant| grant.starts_with("--") && !grant.starts_with("--run"))
                {
                    self.terminal.tell(&format!("here: :grant {}", clean(flag)));
                }
            }
        }
        for failed in &evaluated.failures {
            self.own_line();
            self.terminal.tell(&failure::unseen(failed));
        }
        next
    }

    fn refuse(&self, message: &str) {
        self.own_line();
        self.terminal.tell(&report::message(code::of_usage(message), message, self.terminal.look));
    }

    /// Closes the record and writes the report.
    fn end(self, report: Option<ReportFile>, exit: Exit) -> Exit {
        self.own_line();
        let Shell { session, terminal, flags, .. } = self;
        let Some(session) = Rc::into_inner(session).map(RefCell::into_inner) else { return exit };
        let natives = session.caps();
        let outcome = session.close();
        if let Err(error) = &outcome.result {
            return terminal.fail(error.code, &error.message, Exit::Error);
        }
        if let Some(file) = report {
            let granted = run::granted_by(&flags, flags.env.iter().map(|(name, _)| name.clone()).collect(), natives);
            let page = crate::page::page(&crate::page::Subject { script: "<repl>", granted: &granted, outcome: &outcome });
            if let Err(error) = file.write(&page) {
                return terminal.fail(codes::RECORD, &format!("--report {error}"), Exit::Error);
            }
        }
        exit
    }
}

/// A text of some lines for a terminal: each made harmless.
fn lines(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", clean(line))).collect()
}
