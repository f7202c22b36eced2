//! The one file with ambient authority: it opens what the operator named, before a script runs.
//!
//! Everything here takes the operator's words (flags, the script's path) and gives handles or bounded data. Nothing here is called on
//! behalf of a script: scripts reach files through the handles only, and the process's streams and clocks through [`Process`].

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "turning the operator's flags into handles is what this file is for"
)]

pub mod ask;
mod captured;
pub mod child;
pub mod edit;
pub mod history;
mod net;
mod process;
mod screen;
mod trust;
pub mod wall;

pub use captured::Captured;
pub use process::Process;
use trust::state_file;
pub use trust::{Trusted, apart_from_trust, trust, trusted};

use crate::vm::module::Loader;
use cap_fs_ext::OpenOptionsSyncExt;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use ilu_lang::source::MAX_SOURCE_BYTES;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why the operator's words could not be turned into a handle.
#[derive(Debug)]
#[non_exhaustive]
pub enum HostError {
    /// What the system says about a path.
    Io {
        /// The path as the operator wrote it.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// A name that is not UTF-8, which scripts could not write.
    Name(String),
    /// A source text that is not UTF-8: its name and the offset of the first wrong byte.
    NotText(String, usize),
    /// A source text above [`MAX_SOURCE_BYTES`].
    TooLong(String),
    /// A directory where a script was expected.
    Directory(String),
    /// A file that the command reads its grants from or writes, in a place that the script may change.
    Exposed(String),
    /// There is no place for the list of trusted files, or a path that it can't hold.
    NoTrust(String),
    /// There is no place for a file of ours.
    NoPlace(String),
    /// A writable grant from which the list of trusted files could be changed.
    HoldsTrust(String),
    /// A file that is to take two things.
    Shared(String),
    /// A report with another ending than `.html`.
    NotAPage(String),
    /// Something else than a regular file.
    Special(String),
    /// A file of certificates, and what is wrong with it.
    Certificates(String, String),
    /// An environment variable that is not set, or is no UTF-8.
    Variable(String),
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostError::Io { path, error } => write!(f, "{path}: {}", plain_words(error)),
            HostError::Name(path) => write!(f, "{path}: its real name is not UTF-8"),
            HostError::NotText(path, at) => write!(f, "{path}: not UTF-8 text: byte {at} is wrong"),
            HostError::TooLong(path) => write!(f, "{path}: longer than {} MiB, the most a source text can be", MAX_SOURCE_BYTES >> 20),
            HostError::Directory(path) => write!(f, "{path}: a directory, not a script"),
            HostError::Exposed(path) => write!(f, "{path}: it lies where the script may write, so the script could change it"),
            HostError::NoTrust(path) => {
                write!(
                    f,
                    "{path}: can't be trusted: neither XDG_STATE_HOME nor HOME names a place for the list, or the path is not plain text"
                )
            }
            HostError::NoPlace(what) => write!(f, "{what} has no place: neither XDG_STATE_HOME nor HOME names a directory"),
            HostError::HoldsTrust(path) => write!(f, "{path}: the list of trusted files lies in it, so the script could trust files"),
            HostError::Shared(path) => write!(f, "{path}: the audit is written there"),
            HostError::NotAPage(path) => write!(f, "{path}: a report's name ends with .html"),
            HostError::Certificates(path, why) => write!(f, "{path}: {why}"),
            HostError::Special(path) => write!(f, "{path}: not a regular file"),
            HostError::Variable(name) => write!(f, "the variable {name} is not set here, or is not UTF-8; {name}=VALUE gives it a value"),
        }
    }
}

impl std::error::Error for HostError {}

/// The common answers of the system in plain words, the others as they come.
fn plain_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_string(),
        io::ErrorKind::PermissionDenied => "the system does not permit it".to_string(),
        io::ErrorKind::NotADirectory => "a part of the path is not a directory".to_string(),
        io::ErrorKind::IsADirectory => "it is a directory".to_string(),
        _ => error.to_string(),
    }
}

fn says(path: &str) -> impl FnOnce(io::Error) -> HostError {
    let path = path.to_string();
    move |error| HostError::Io { path, error }
}

/// A host directory or file that the operator granted, opened.
#[derive(Debug)]
pub enum Granted {
    /// A directory and all below it.
    Dir {
        /// Its handle.
        dir: Dir,
        /// Where it really is: to compare grants with each other, never to show.
        real: PathBuf,
    },
    /// One file: its name in its directory.
    File {
        /// The directory it is in.
        parent: Dir,
        /// Its name there.
        name: String,
        /// Where it really is: to compare grants with each other, never to show.
        real: PathBuf,
    },
}

impl Granted {
    /// Where it really is.
    #[must_use]
    pub fn real(&self) -> &Path {
        match self {
            Granted::Dir { real, .. } | Granted::File { real, .. } => real,
        }
    }
}

/// Opens a directory or a file that the operator named. Links in the path are the operator's: they are followed now, once.
///
/// # Errors
/// What the system says, or a real name that is not UTF-8.
pub fn open(path: &str) -> Result<Granted, HostError> {
    let real = std::fs::canonicalize(path).map_err(says(path))?;
    if std::fs::metadata(&real).map_err(says(path))?.is_dir() {
        let dir = Dir::open_ambient_dir(&real, ambient_authority()).map_err(says(path))?;
        return Ok(Granted::Dir { dir, real });
    }
    let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else { return Err(HostError::Name(path.to_string())) };
    let name = name.to_str().ok_or_else(|| HostError::Name(path.to_string()))?.to_string();
    let parent = Dir::open_ambient_dir(parent, ambient_authority()).map_err(says(path))?;
    Ok(Granted::File { parent, name, real })
}

/// The folder of a script, from which its own modules are read.
#[derive(Debug)]
pub struct Folder {
    /// Its handle.
    pub dir: Dir,
    /// Where it really is: to compare it with writable grants, never to show.
    pub real: PathBuf,
}

impl Folder {
    /// Whether a file of the folder could be changed through a grant of this place, or the place lies in the folder.
    #[must_use]
    pub fn overlaps(&self, granted: &Granted) -> bool {
        self.real.starts_with(granted.real()) || granted.real().starts_with(&self.real)
    }
}

impl Loader for Folder {
    /// Reads a regular `.ilu` file beneath the folder. What it opens is by the kernel's own resolution below the handle.
    fn load(&mut self, path: &str) -> Result<String, String> {
        if !path.ends_with(".ilu") {
            return Err("a module's file name ends with .ilu".to_string());
        }
        let mut options = cap_std::fs::OpenOptions::new();
        // A pipe of that name must not block, nor be read.
        options.read(true).nonblock(true);
        let file = self.dir.open_with(path, &options).map_err(|error| plain_words(&error))?;
        if !file.metadata().map_err(|error| plain_words(&error))?.is_file() {
            return Err("it is not a regular file".to_string());
        }
        read_text(path, file).map_err(|error| match error {
            HostError::NotText(_, at) => format!("not UTF-8 text: byte {at} is wrong"),
            HostError::Io { error, .. } => plain_words(&error),
            other => other.to_string(),
        })
    }
}

/// A source text that the operator named, and the folder it lies in; a pipe lies in none.
///
/// # Errors
/// What the system says; a directory; text that is too long or not UTF-8.
pub fn read_script(path: &str) -> Result<(String, Option<Folder>), HostError> {
    let file = std::fs::File::open(path).map_err(says(path))?;
    let found = file.metadata().map_err(says(path))?;
    if found.is_dir() {
        return Err(HostError::Directory(path.to_string()));
    }
    let text = read_text(path, file)?;
    if !found.is_file() {
        return Ok((text, None));
    }
    let real = std::fs::canonicalize(path).map_err(says(path))?;
    let real = real.parent().unwrap_or(Path::new("/")).to_path_buf();
    let dir = Dir::open_ambient_dir(&real, ambient_authority()).map_err(says(path))?;
    Ok((text, Some(Folder { dir, real })))
}

/// A source text from standard input.
///
/// # Errors
/// What the system says; text that is too long or not UTF-8.
pub fn read_stdin() -> Result<String, HostError> {
    read_text("standard input", io::stdin().lock())
}

/// The text of a source: bounded, and valid.
///
/// # Errors
/// What the system says; text that is too long or not UTF-8.
pub fn read_text(name: &str, from: impl Read) -> Result<String, HostError> {
    let mut bytes = Vec::new();
    from.take(MAX_SOURCE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(says(name))?;
    if bytes.len() > MAX_SOURCE_BYTES {
        return Err(HostError::TooLong(name.to_string()));
    }
    String::from_utf8(bytes).map_err(|wrong| HostError::NotText(name.to_string(), wrong.utf8_error().valid_up_to()))
}

/// The process's own value of a variable.
///
/// # Errors
/// It is not set, or not UTF-8.
pub fn variable(name: &str) -> Result<String, HostError> {
    std::env::var(name).map_err(|_| HostError::Variable(name.to_string()))
}

/// A file of grants that the operator named, and where it really is.
///
/// # Errors
/// What the system says; text that is too long or not UTF-8.
pub fn read_config(path: &str) -> Result<(String, PathBuf), HostError> {
    let real = std::fs::canonicalize(path).map_err(says(path))?;
    let file = std::fs::File::open(&real).map_err(says(path))?;
    if !file.metadata().map_err(says(path))?.is_file() {
        return Err(HostError::Directory(path.to_string()));
    }
    Ok((read_text(path, file)?, real))
}

/// Makes or empties the file that takes the audit; `-` is standard error.
///
/// # Errors
/// What the system says; a file in one of the places (as they really are) that the script may change.
pub fn audit_sink(path: &str, writable: &[PathBuf], process: &Process) -> Result<Box<dyn Write + Send>, HostError> {
    if path == "-" {
        return Ok(Box::new(BesideTheScript { unfinished: process.unfinished() }));
    }
    Ok(Box::new(output(path, writable)?))
}

/// Refuses a file that decides what a run may do, or is to tell what it did, in one of the places (as they really are) that the script may change.
///
/// # Errors
/// It lies in one; what the system says.
pub fn apart(path: &str, writable: &[PathBuf]) -> Result<(), HostError> {
    let real = std::fs::canonicalize(path).map_err(says(path))?;
    if writable.iter().any(|place| real.starts_with(place)) { Err(HostError::Exposed(path.to_string())) } else { Ok(()) }
}

/// Makes or empties a file that the command writes itself.
fn output(path: &str, writable: &[PathBuf]) -> Result<std::fs::File, HostError> {
    // The file may be there or be made now; where it really is follows from itself or from its folder.
    let folder = Path::new(path).parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let real = std::fs::canonicalize(path).or_else(|_| std::fs::canonicalize(folder)).map_err(says(path))?;
    if writable.iter().any(|place| real.starts_with(place)) {
        return Err(HostError::Exposed(path.to_string()));
    }
    std::fs::File::create(path).map_err(says(path))
}

/// The file that takes the report. It is there before the run, so that a run whose report can't be written does not begin.
#[derive(Debug)]
pub struct ReportFile {
    file: std::fs::File,
    path: String,
}

/// Makes or empties the file that takes the report.
///
/// # Errors
/// What the system says; another ending than `.html`; a file in one of the places (as they really are) that the script may change, or the
/// one that takes the audit.
pub fn report_file(path: &str, writable: &[PathBuf], audit: Option<&str>) -> Result<ReportFile, HostError> {
    if !Path::new(path).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("html")) {
        return Err(HostError::NotAPage(path.to_string()));
    }
    if let (Some(audit), Ok(real)) = (audit, std::fs::canonicalize(path))
        && std::fs::canonicalize(audit).is_ok_and(|audit| audit == real)
    {
        return Err(HostError::Shared(path.to_string()));
    }
    Ok(ReportFile { file: output(path, writable)?, path: path.to_string() })
}

impl ReportFile {
    /// Writes the page.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(mut self, page: &str) -> Result<(), HostError> {
        self.file.write_all(page.as_bytes()).and_then(|()| self.file.flush()).map_err(says(&self.path))
    }
}

/// Opens an audit file that the operator named, to be checked.
///
/// # Errors
/// What the system says, or it is no regular file.
pub fn open_record(path: &str) -> Result<impl BufRead + Seek + use<>, HostError> {
    // A pipe would have to be read twice, and might never end.
    if !std::fs::metadata(path).map_err(says(path))?.is_file() {
        return Err(HostError::Special(path.to_string()));
    }
    Ok(BufReader::new(std::fs::File::open(path).map_err(says(path))?))
}

/// Standard error, where the script may write too: each row begins a line of its own.
struct BesideTheScript {
    unfinished: Arc<AtomicBool>,
}

impl Write for BesideTheScript {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut err = io::stderr().lock();
        if self.unfinished.swap(false, Ordering::Relaxed) {
            err.write_all(b"\n")?;
        }
        err.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_text_within_its_bound() {
        assert_eq!(read_text("t", "prn 1".as_bytes()).unwrap(), "prn 1");
        assert!(matches!(read_text("t", &b"ab\xffc"[..]), Err(HostError::NotText(_, 2))));
        let endless = io::repeat(b'x');
        assert!(matches!(read_text("t", endless), Err(HostError::TooLong(_))));
    }

    #[test]
    fn what_is_granted_is_opened_where_it_really_is() {
        let here = open(".").unwrap();
        assert!(matches!(here, Granted::Dir { .. }));
        assert!(here.real().is_absolute());
        let Granted::File { name, real, .. } = open("./Cargo.toml").unwrap() else { panic!("a file") };
        assert_eq!(name, "Cargo.toml");
        assert!(real.ends_with("runtime/Cargo.toml"));
        let missing = open("no/such/thing").unwrap_err();
        assert_eq!(missing.to_string(), "no/such/thing: no such file or directory");
    }

    #[test]
    fn a_script_comes_with_its_folder_and_a_directory_is_none() {
        let (text, folder) = read_script("./Cargo.toml").unwrap();
        assert!(text.contains("[package]") && folder.unwrap().real.ends_with("runtime"));
        assert_eq!(read_script(".").unwrap_err().to_string(), ".: a directory, not a script");
    }
}
