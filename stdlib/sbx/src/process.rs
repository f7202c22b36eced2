//! What it takes to start a program, and a program that runs.
//!
//! The doorway decides which program and on what ([`crate::Permit::launch`]); what starts it, confines it to that and ends it with all it
//! started is the process around the realm ([`crate::Outside::start`]).

use crate::denial::{Rule, quote, shell_word};
use crate::ids::{ROOT, SbxId};
use crate::limits::{Budget, MAX_SUBJECT};
use crate::net::ports_of_programs;
use crate::permit::{Permit, os_text};
use crate::run::lock;
use crate::stop::Stop;
use crate::view::{Access, Opened};
use ilu_cap::rights::{Refusal, Subject};
use std::borrow::Cow;
use std::io;
use std::os::fd::OwnedFd;

/// A directory or file that a program may use.
#[derive(Debug)]
pub struct Reach {
    /// What it is.
    pub handle: OwnedFd,
    /// Is it a directory?
    pub is_dir: bool,
    /// For what.
    pub access: Access,
}

/// A program to be started, with everything it will have.
#[derive(Debug)]
pub struct Launch {
    /// The name that it was granted by.
    pub program: String,
    /// Others that it may start.
    pub others: Vec<String>,
    /// Its arguments, without its name.
    pub args: Vec<String>,
    /// Its whole environment.
    pub env: Vec<(String, String)>,
    /// Its standard input.
    pub input: Vec<u8>,
    /// Where it runs; the root of the filesystem, which it can't see, when there is no such directory.
    pub cwd: Option<OwnedFd>,
    /// What of the filesystem it can use.
    pub reaches: Vec<Reach>,
    /// Most bytes of its standard output, and again of its standard error.
    pub most: u64,
    /// Most bytes of one file that it writes.
    pub written: u64,
    /// Most bytes of memory that it and all it starts have together.
    pub memory: u64,
    /// TCP ports that it may connect to, at any address.
    pub ports: Vec<u16>,
}

/// How a program ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// Its exit code; of one that a signal ended, 128 and the signal's number.
    pub code: i32,
    /// What it wrote on standard output.
    pub out: Vec<u8>,
    /// What it wrote on standard error.
    pub err: Vec<u8>,
}

/// A program that runs. Dropping it ends it, and all that it started.
pub trait Running: Send {
    /// Moves its input and output for at most so many milliseconds. Nothing when it still runs.
    ///
    /// # Errors
    /// It can't be started or went on, in words for the script.
    fn step(&mut self, ms: f64) -> Result<Option<Ended>, String>;
}

/// What a script says of a program besides its name and arguments.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    /// Where it is to run.
    pub cwd: Option<&'a str>,
    /// The variables that it is to have; all that are granted when nothing is said.
    pub env: Option<Vec<&'a str>>,
    /// Its standard input.
    pub input: Vec<u8>,
    /// Most bytes of each output.
    pub most: u64,
    /// Most bytes of its memory.
    pub memory: u64,
}

/// Most bytes of arguments and environment together: what one message holds with room to spare.
pub const MAX_ARGUMENTS: usize = 128 << 10;

/// Natives that open connections to any port.
const CONNECTING: [&str; 2] = ["__sys_tcp_dial", "__sys_tcp_connect"];

impl Permit<'_> {
    /// Starts a program, confined to what the caller's sandbox holds.
    ///
    /// # Errors
    /// It is not granted, or what is wanted with it is not; it can't be started.
    pub fn launch(&mut self, program: &str, args: Vec<String>, wanted: Wanted<'_>) -> Result<Box<dyn Running>, Stop> {
        self.program(program)?;
        if args.iter().any(|arg| arg.contains('\0')) {
            return Err(Stop::failed("an argument of a program can't have a zero byte in it"));
        }
        let env = self.environment(wanted.env)?;
        let size = args.iter().map(|arg| arg.len() + 8).sum::<usize>()
            + env.iter().map(|(name, value)| name.len() + value.len() + 16).sum::<usize>();
        if size > MAX_ARGUMENTS {
            return Err(Stop::Failed(format!(
                "arguments and environment of a program take {size} bytes, at most {MAX_ARGUMENTS}; give it a file or standard input"
            )));
        }
        let cwd = self.working_directory(wanted.cwd)?;
        self.realm.note_program(program);
        // Which of them it reads nobody sees.
        env.iter().for_each(|(name, _)| self.realm.note_variable(name));
        if self.realm.watch.only_asks() {
            return Err(Stop::failed("only asked"));
        }
        let (reaches, others) = self.reaches()?;
        let written = self.left(Budget::Written);
        let ports = self.program_ports().0;
        let (program, most, memory) = (program.to_owned(), wanted.most, wanted.memory);
        let launch = Launch { program, others, args, env, input: wanted.input, cwd, reaches, most, written, memory, ports };
        self.realm.run.outside.start(launch).map_err(Stop::Failed)
    }

    /// TCP ports that a program started here may connect to, and whether it gets less than the sandbox's rules allow: a kernel knows ports, and rules
    /// that speak of names or of some addresses can't be told to it.
    #[must_use]
    pub fn program_ports(&self) -> (Vec<u16>, bool) {
        let rights = &self.realm.tree.node(self.site.authority).rights;
        let connects = rights.caps().iter().any(|native| CONNECTING.contains(&native.name()));
        if !connects {
            return (Vec::new(), false);
        }
        let (ports, any) = ports_of_programs(&rights.subjects().net);
        let less = any && ports.is_empty();
        (ports, less)
    }

    /// May it be run?
    fn program(&mut self, program: &str) -> Result<(), Stop> {
        self.about(program);
        if program.is_empty() || program.len() > MAX_SUBJECT || program.contains('\0') {
            return Err(Stop::failed("that is no name of a program"));
        }
        let judge = |s: SbxId| self.realm.tree.node(s).rights.judge(self.native, &Subject::Program(program));
        match judge(self.site.authority) {
            Ok(()) => {
                self.rule = Cow::Borrowed("run");
                Ok(())
            }
            Err(Refusal::NotHeld) => Err(self.deny(Rule::NotHeld, Some(self.realm.cap_hint(self.site.authority, self.native.row())))),
            Err(Refusal::Bound) => Err(self.deny(Rule::Bound, None)),
            Err(Refusal::NotGranted | Refusal::LessAccess(_)) => {
                let hint = if self.site.authority != ROOT && judge(ROOT).is_ok() {
                    format!("{{run: [{}]}} in the options of sbxmk", quote(program))
                } else {
                    format!("--run {}", shell_word(program))
                };
                Err(self.deny(Rule::NoProgram, Some(hint)))
            }
        }
    }

    /// The variables that a program has: of those that are granted, with the values that were granted.
    fn environment(&mut self, names: Option<Vec<&str>>) -> Result<Vec<(String, String)>, Stop> {
        let node = self.realm.tree.node(self.site.authority);
        let granted = &node.rights.subjects().env;
        let names: Vec<String> = match names {
            None => granted.iter().map(str::to_owned).collect(),
            Some(names) => {
                if let Some(missing) = names.iter().find(|name| !granted.contains(name)) {
                    let (text, hint) = ((*missing).to_owned(), format!("--env {}", shell_word(missing)));
                    self.about(&text);
                    return Err(self.deny(Rule::NoVariable, Some(hint)));
                }
                names.into_iter().map(str::to_owned).collect()
            }
        };
        let value = |name: &String| lock(&self.realm.run.variables).iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        Ok(names.iter().filter_map(|name| Some((name.clone(), value(name)?))).collect())
    }

    /// A directory in a grant; the first one's own when none is named.
    fn working_directory(&mut self, path: Option<&str>) -> Result<Option<OwnedFd>, Stop> {
        let first = self.realm.tree.node(self.site.authority).view().first_name();
        let Some(path) = path.map(str::to_owned).or(first) else { return Ok(None) };
        let place = self.read(&path)?;
        if place.is_single() {
            return Err(Stop::failed("a program runs in a directory, and that is a file"));
        }
        if !self.realm.watch.is_idle() {
            return Ok(None);
        }
        let dir = place.dir().open_dir(place.path()).map_err(|error| self.os_error(&place, &error))?;
        Ok(Some(dir.into()))
    }

    /// All that the sandbox's directories and programs let a program do.
    fn reaches(&self) -> Result<(Vec<Reach>, Vec<String>), Stop> {
        let node = self.realm.tree.node(self.site.authority);
        let mut reaches = Vec::new();
        for entry in node.view().entries() {
            let Some(access) = node.rights.dirs().through(&entry.grant) else { continue };
            let failed = |error: io::Error| Stop::Failed(format!("a directory for the program can't be opened: {}", os_text(&error)));
            let reach = match &entry.source.opened {
                Opened::Dir(dir) => Reach { handle: dir.try_clone().map_err(failed)?.into(), is_dir: true, access },
                Opened::File { parent, name } => {
                    use rustix::fs::{Mode, OFlags};
                    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                    let handle = rustix::fs::openat(parent, name.as_str(), flags, Mode::empty()).map_err(|error| failed(error.into()))?;
                    Reach { handle, is_dir: false, access }
                }
            };
            reaches.push(reach);
        }
        Ok((reaches, node.rights.subjects().programs.iter().map(str::to_owned).collect()))
    }
}
