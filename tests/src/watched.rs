//! Running the command while watching what it costs: peak memory, time, and whether it ended by itself.
//!
//! Memory is the process's own high-water mark (`VmHWM`), read again and again while it runs: the mark never falls, so only growth in
//! the last moment before the end can be missed.

use crate::command::{binary, root};
use crate::tally::{self, Part};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a watched run left behind.
#[derive(Debug)]
pub struct Watched {
    /// The exit code; nothing when a signal ended it.
    pub code: Option<i32>,
    /// The start of standard output.
    pub out: String,
    /// The start of standard error.
    pub err: String,
    /// Highest resident memory seen, in bytes.
    pub peak: u64,
    /// How long it took.
    pub took: Duration,
    /// Whether it had to be killed because it went on for too long.
    pub killed: bool,
}

/// Longest output that is kept.
const KEPT: u64 = 1 << 20;
/// No run of a test takes this long unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(120);

fn keep(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        drop((&mut pipe).take(KEPT).read_to_end(&mut kept));
        drop(std::io::copy(&mut pipe, &mut std::io::sink()));
        String::from_utf8_lossy(&kept).into_owned()
    })
}

fn high_water(process: u32) -> Option<u64> {
    // A process that is about to become another program still has, for a moment, the memory of the one that started it.
    let program = |of: &str| std::fs::read_link(format!("/proc/{of}/exe")).ok();
    if program(&process.to_string())? == program("self")? {
        return None;
    }
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Runs `ilu` with these arguments and this on standard input.
#[must_use]
pub fn watch(arguments: &[&str], input: &[u8]) -> Watched {
    let mut command = Command::new(binary());
    command.args(arguments);
    watch_command(command, input)
}

/// Runs `unguarded`, the program without ilu's guards, with this on standard input.
#[must_use]
pub fn watch_unguarded(what: &str, input: &[u8]) -> Watched {
    watch_beside("unguarded", what, input)
}

/// Runs a program of this crate that lies beside the command.
#[must_use]
pub fn watch_beside(program: &str, argument: &str, input: &[u8]) -> Watched {
    let mut command = Command::new(binary().with_file_name(format!("{program}{}", std::env::consts::EXE_SUFFIX)));
    command.arg(argument);
    watch_command(command, input)
}

fn watch_command(mut command: Command, input: &[u8]) -> Watched {
    command.current_dir(root()).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().expect("the command starts");
    let (out, err) = (keep(child.stdout.take().expect("a pipe")), keep(child.stderr.take().expect("a pipe")));
    let mut stdin = child.stdin.take().expect("a pipe");
    let (mut peak, mut killed) = (0, false);
    let status = std::thread::scope(|scope| {
        // The child may end without reading: a closed pipe is its right.
        scope.spawn(move || drop(stdin.write_all(input)));
        loop {
            peak = peak.max(high_water(child.id()).unwrap_or(0));
            if let Some(status) = child.try_wait().expect("the child can be waited for") {
                break status;
            }
            if start.elapsed() > PATIENCE && !killed {
                killed = true;
                child.kill().expect("the child can be killed");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let took = start.elapsed();
    Watched { code: status.code(), out: out.join().expect("read"), err: err.join().expect("read"), peak, took, killed }
}

/// A script, how it runs and how it must end.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// What it is.
    pub name: &'a str,
    /// Flags of `ilu run`.
    pub flags: &'a [&'a str],
    /// The script.
    pub script: String,
    /// Exit code.
    pub code: i32,
    /// What the report must hold.
    pub says: &'a str,
    /// Most memory, in MiB.
    pub memory: u64,
    /// Longest time, in milliseconds.
    pub time: u64,
}

/// Memory of scripts in these tests, as a flag; above it a run may use [`SLACK`] for itself.
pub const MEMORY_FLAG: &str = "64M";
/// The same in MiB.
pub const MEMORY: u64 = 64;
/// What the process itself may use, in MiB.
pub const SLACK: u64 = 32;

impl<'a> Row<'a> {
    /// A script under the memory cap of these tests.
    #[must_use]
    pub fn new(name: &'a str, script: impl Into<String>, code: i32, says: &'a str) -> Self {
        Self { name, flags: &[], script: script.into(), code, says, memory: MEMORY + SLACK, time: 20_000 }
    }
    /// With these flags.
    #[must_use]
    pub fn flags(mut self, flags: &'a [&'a str]) -> Self {
        self.flags = flags;
        self
    }
    /// Within this many milliseconds.
    #[must_use]
    pub fn within(mut self, milliseconds: u64) -> Self {
        self.time = milliseconds;
        self
    }

    /// Which part of an attack row it is: its name begins with `control` or `twin`, else it is what is attempted, and refused when a
    /// denial or a budget is to end it.
    #[must_use]
    pub fn part(&self) -> Part {
        match self.name {
            name if name.starts_with("control") => Part::Control,
            name if name.starts_with("twin") => Part::Twin,
            _ if matches!(self.code, 3 | 4) => Part::Refusal,
            _ => Part::Attempt,
        }
    }

    /// Runs it and lists what differs.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        tally::note(self.part());
        let mut arguments = vec!["run", "--color", "never"];
        if !self.flags.contains(&"--mem") {
            arguments.extend(["--mem", MEMORY_FLAG]);
        }
        arguments.extend(self.flags);
        arguments.push("-");
        let ran = watch(&arguments, self.script.as_bytes());
        let mut differs = Vec::new();
        let mut fail = |what: String| differs.push(format!("{}: {what}", self.name));
        let start: String = ran.err.chars().take(600).collect();
        if ran.killed {
            fail(format!("still running after {PATIENCE:?}"));
        }
        if ran.code != Some(self.code) {
            fail(format!("exit code {:?} and not {}: {start}", ran.code, self.code));
        }
        if !ran.err.contains(self.says) && !ran.out.contains(self.says) {
            fail(format!("nothing says {:?}: {start}", self.says));
        }
        if ran.err.contains("panicked") || ran.err.contains("overflowed its stack") {
            fail(format!("it panicked: {start}"));
        }
        if ran.peak > self.memory << 20 {
            fail(format!("{} MiB of memory, at most {}", ran.peak >> 20, self.memory));
        }
        if ran.took > Duration::from_millis(self.time) {
            fail(format!("took {:?}, at most {} ms", ran.took, self.time));
        }
        differs
    }
}

/// Runs all rows and fails with every difference at once.
///
/// # Panics
/// When a row differs.
pub fn check_all(rows: &[Row<'_>]) {
    let differs: Vec<String> = rows.iter().flat_map(Row::check).collect();
    assert!(differs.is_empty(), "{} differences:\n{}", differs.len(), differs.join("\n"));
}
