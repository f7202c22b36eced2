//! The rig of the file rows: a standard tree with a canary, one attempt per process, and what must hold after every attempt.
//!
//! An attempt is a one-line script run by the real command: exit code 3 is a denial, 1 an ordinary error, 0 success, 4 a limit. So no
//! attempt can talk its way round the check, and nothing inside the interpreter is trusted to report on itself.

use crate::lane::{self, Lane};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// What the kernel answers to `openat2` while a row runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Openat2 {
    /// As it is.
    Kernel,
    /// Not there: the walker of cap-std does the work.
    Enosys,
    /// Refused, as by somebody's seccomp filter: the walker again.
    Eperm,
    /// Refused in the one way after which nothing else is tried: no row runs so, the rig tests itself with it.
    Eacces,
}

/// The three ways every file row is run.
pub const MODES: [Openat2; 3] = [Openat2::Kernel, Openat2::Enosys, Openat2::Eperm];

/// How an attempt must end.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// Refused as a denial (exit code 3).
    Deny,
    /// An ordinary error (exit code 1).
    Error,
    /// An ordinary error whose text contains this.
    ErrorSaying(&'static str),
    /// Refused one way or the other.
    DenyOrError,
    /// Success that prints exactly this (the line end apart).
    Ok(String),
    /// Success, whatever it prints.
    Fine,
    /// Anything but a crash: the row only asks that nothing leaks and nothing breaks.
    NoHarm,
}

/// What came out of an attempt.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A temporary tree: `R/` is what is granted, `outside/` holds the canary, `R-evil/` shares R's name as a prefix.
pub struct Tree {
    top: PathBuf,
    token: String,
    before: Vec<String>,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl Tree {
    pub fn new() -> Self {
        let unique = format!("ilu-attack-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let top = std::env::temp_dir().join(unique);
        let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        let token = format!("CANARY{nanos:x}");
        for dir in ["R/d/e", "outside", "R-evil"] {
            fs::create_dir_all(top.join(dir)).unwrap();
        }
        fs::write(top.join("R/a.txt"), "alpha").unwrap();
        fs::write(top.join("R/d/e/f.txt"), "deep").unwrap();
        fs::write(top.join("outside/secret.txt"), &token).unwrap();
        fs::write(top.join("R-evil/secret.txt"), &token).unwrap();
        let mut tree = Self { top, token, before: Vec::new() };
        tree.seal();
        tree
    }

    /// Takes the picture of everything outside `R/` that attempts are compared with.
    pub fn seal(&mut self) {
        self.before = self.picture_outside();
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.top.join(relative)
    }

    /// The absolute parent as text, which no message may show.
    pub fn abs(&self) -> String {
        self.top.to_string_lossy().into_owned()
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn link(&self, at: &str, target: &str) {
        std::os::unix::fs::symlink(target.replace("$ABS", &self.abs()), self.path("R").join(at)).unwrap();
    }

    fn picture_outside(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for place in ["outside", "R-evil"] {
            picture(&self.path(place), &mut rows);
        }
        for entry in fs::read_dir(&self.top).unwrap() {
            rows.push(format!("top {}", entry.unwrap().file_name().to_string_lossy()));
        }
        rows.sort();
        rows
    }

    /// A picture of `R/` itself, for rows that demand that nothing in it changed either.
    pub fn picture_inside(&self) -> Vec<String> {
        let mut rows = Vec::new();
        picture(&self.path("R"), &mut rows);
        rows.sort();
        rows
    }

    /// Runs `script` with `R/` granted as `/g` with the given access, under one answer of `openat2`.
    pub fn run(&self, access: &str, script: &str, mode: Openat2) -> Outcome {
        let grant = format!("{}:/g:{access}", self.path("R").display());
        self.run_with(&["--dir", &grant, "--grant", ALL_FILE_NATIVES], script, mode)
    }

    /// Runs `script` with these flags.
    pub fn run_with(&self, flags: &[&str], script: &str, mode: Openat2) -> Outcome {
        // In a folder of its own: where a script lies its modules may lie, and so the wall lets that be read.
        let folder = self.top.with_extension("script");
        fs::create_dir_all(&folder).unwrap();
        let file = if lane::current() == Lane::Kernel { folder.join("main.ilu") } else { self.top.with_extension("ilu") };
        fs::write(&file, script).unwrap();
        let ilu = lane::binary();
        let mut command = match mode {
            Openat2::Kernel => Command::new(&ilu),
            blocked => {
                let mut launcher = Command::new(env!("CARGO_BIN_EXE_with-openat2"));
                launcher.arg(format!("{blocked:?}").to_uppercase()).arg(&ilu);
                launcher
            }
        };
        let done = command.arg("run").args(lane::flags()).args(flags).arg(&file).output().unwrap();
        fs::remove_file(&file).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        Outcome {
            code: done.status.code(),
            out: String::from_utf8_lossy(&done.stdout).into_owned(),
            err: String::from_utf8_lossy(&done.stderr).into_owned(),
        }
    }

    /// Whether anything that matters is otherwise than it should be after an attempt: in words.
    pub fn harm(&self, got: &Outcome) -> Option<&'static str> {
        if got.out.contains(&self.token) || got.err.contains(&self.token) {
            return Some("the canary leaked");
        }
        (self.picture_outside() != self.before).then_some("something outside changed")
    }

    /// One attempt with everything that must hold afterwards. Gives what went wrong, in words, or nothing.
    pub fn attempt(&self, id: &str, access: &str, script: &str, expect: &Expect, mode: Openat2) -> Result<(), String> {
        let got = self.run(access, script, mode);
        let complain = |what: &str| Err(format!("{id} [{mode:?}, {access}] {what}\n  script: {script}\n  got: {got:?}"));
        let ended_well = match expect {
            Expect::Deny => got.code == Some(3),
            Expect::Error => got.code == Some(1),
            Expect::ErrorSaying(text) => got.code == Some(1) && got.err.contains(text),
            Expect::DenyOrError => matches!(got.code, Some(1 | 3)),
            Expect::Ok(text) => got.code == Some(0) && got.out.trim_end_matches('\n') == text,
            Expect::Fine => got.code == Some(0),
            Expect::NoHarm => matches!(got.code, Some(0 | 1 | 3 | 4)),
        };
        if !ended_well {
            return complain(&format!("expected {expect:?}"));
        }
        if got.out.contains(&self.token) || got.err.contains(&self.token) {
            return complain("the canary leaked");
        }
        // The script quotes its own text in errors, so only rows whose script does not spell the host path can be held to this.
        if !script.contains(&self.abs())
            && (got.out.contains(&self.abs()) || got.err.replace(&format!("{}.ilu", self.abs()), "").contains(&self.abs()))
        {
            return complain("a host path leaked");
        }
        let after = self.picture_outside();
        if after != self.before {
            return complain(&format!("something outside changed\n  before: {:?}\n  after: {after:?}", self.before));
        }
        Ok(())
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.top);
    }
}

/// Everything that touches files, and what prints.
pub const ALL_FILE_NATIVES: &str = "capfs,capfm,capio";

fn picture(place: &Path, rows: &mut Vec<String>) {
    let Ok(meta) = fs::symlink_metadata(place) else { return };
    let content = if meta.is_file() { fs::read(place).unwrap_or_default() } else { Vec::new() };
    // A directory's mtime moves when an entry comes or goes; reading a file moves only its atime, which is not in the picture.
    rows.push(format!(
        "{} {:o} {} {} {}.{} {content:?}",
        place.display(),
        meta.mode(),
        meta.nlink(),
        meta.len(),
        meta.mtime(),
        meta.mtime_nsec()
    ));
    if meta.is_dir() {
        let mut entries: Vec<_> = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for entry in entries {
            picture(&entry, rows);
        }
    }
}
