//! Running the `ilu` command the way people do: as a process, with arguments, files and exit codes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository").to_path_buf()
}

/// The command itself. It lies beside the directory of the running test, and cargo builds it before any test of this crate.
#[must_use]
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let folder = test.parent().and_then(Path::parent).expect("tests lie in target/<profile>/deps");
    folder.join(format!("ilu-under-test{}", std::env::consts::EXE_SUFFIX))
}

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; nothing when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs `ilu` with these arguments in the repository's root, with nothing on standard input and an empty environment.
#[must_use]
pub fn ilu<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Ran {
    ilu_in(&root(), args, b"")
}

/// Runs `ilu` in a directory with this on standard input.
#[must_use]
pub fn ilu_in<S: AsRef<std::ffi::OsStr>>(directory: &Path, args: &[S], input: &[u8]) -> Ran {
    let mut command = Command::new(binary());
    command.args(args).current_dir(directory).env_clear();
    finish(command, input)
}

/// Starts a prepared command, feeds it, waits for it.
#[must_use]
pub fn finish(mut command: Command, input: &[u8]) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    let input = input.to_vec();
    // The child may end without reading: a closed pipe is its right.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the command ends");
    feeder.join().expect("the feeder ends");
    Ran { code: status.code(), out: String::from_utf8_lossy(&stdout).into_owned(), err: String::from_utf8_lossy(&stderr).into_owned() }
}

/// A directory of this test's own, removed at the end.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one.
    #[must_use]
    pub fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ilu-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a scratch directory can be made");
        Self(path)
    }
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
    /// A path in it.
    #[must_use]
    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
    /// Writes a file in it, with the directories it needs.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().expect("a file lies in a directory")).expect("directories can be made");
        std::fs::write(&path, contents).expect("a file can be written");
        path
    }
    /// Reads a file in it.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).expect("the file can be read")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
