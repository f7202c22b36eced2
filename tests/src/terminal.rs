//! Running the `ilu` command on a terminal: a pseudo-terminal whose other side is the test.

use crate::command::{binary, root};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::process::{Command, Stdio};

/// Runs `ilu` with its three streams on a terminal; gives the exit code and every byte that the terminal was sent. The terminal's own line
/// discipline makes `\n` to `\r\n`; that is undone.
///
/// # Panics
/// When there is no pseudo-terminal to be had.
#[must_use]
pub fn on_terminal(arguments: &[&str]) -> (Option<i32>, Vec<u8>) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("it can be unlocked");
    let name = ptsname(&ours, Vec::new()).expect("it has a name").into_string().expect("a plain name");
    let theirs = || OpenOptions::new().read(true).write(true).open(&name).expect("its other side");
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(root()).env_clear().env("TERM", "xterm");
    command.stdin(Stdio::from(theirs())).stdout(Stdio::from(theirs())).stderr(Stdio::from(theirs()));
    let mut child = command.spawn().expect("the command starts");
    // The test's own copies of the other side go with the command: reading ends when the last is closed.
    drop(command);
    let mut sent = Vec::new();
    let mut ours = File::from(ours);
    let mut piece = [0; 4096];
    // When nobody holds the other side any more, reading is an error (EIO): the end.
    while let Ok(read) = ours.read(&mut piece) {
        if read == 0 {
            break;
        }
        sent.extend_from_slice(piece.get(..read).unwrap_or_default());
    }
    let status = child.wait().expect("the command ends");
    let text = String::from_utf8_lossy(&sent).replace("\r\n", "\n");
    (status.code(), text.into_bytes())
}
