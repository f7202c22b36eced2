//! A question to the operator on the terminal, which no script can forge or answer.
//!
//! While it stands nothing else is written: both standard streams are held. What a script has done to the terminal before (colours, cursor, an
//! unfinished command) is undone, and what was typed before the question does not answer it. Nothing but a line that is typed whole does:
//! a terminal's own answer to something that a script printed begins with an escape.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcflush};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The end of any command that was begun; attributes, character set, cursor, whole screen and scrolling as they are at first.
const AS_AT_FIRST: &str = "\x18\x1b\\\x1b[!p\x1b[0m\x1b(B\x0f\x1b[?1049l\x1b[?25h\x1b[?7h\x1b[r\r\n";

/// Longest line that is an answer.
const MAX_ANSWER: usize = 64;

/// How long it is waited between two looks at the flag that ends the run.
const NAP_NS: i64 = 50_000_000;

/// Is there a terminal on which to ask?
#[must_use]
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks, and gives the line that was typed; nothing when there was none, or something else than plain text came.
#[must_use]
pub fn question(text: &str, interrupt: &Arc<AtomicBool>) -> Option<String> {
    if !can_ask() {
        return None;
    }
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    out.flush().ok()?;
    write!(err, "{AS_AT_FIRST}").and_then(|()| err.flush()).ok()?;
    tcflush(io::stdin(), QueueSelector::IFlush).ok()?;
    write!(err, "{text}").and_then(|()| err.flush()).ok()?;
    let mut line = Vec::new();
    loop {
        if interrupt.load(Ordering::Relaxed) {
            return None;
        }
        let stdin = io::stdin();
        let mut asked = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: NAP_NS })) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(_) => return None,
        }
        let mut piece = [0_u8; MAX_ANSWER];
        let got = match rustix::io::read(&stdin, &mut piece) {
            Ok(0) => return None,
            Ok(got) => got,
            Err(Errno::INTR) => continue,
            Err(_) => return None,
        };
        line.extend_from_slice(piece.get(..got)?);
        if line.len() > MAX_ANSWER {
            // The rest of it is no answer to the next question.
            let _ = tcflush(io::stdin(), QueueSelector::IFlush);
            return None;
        }
        if line.ends_with(b"\n") {
            let line = String::from_utf8(line).ok()?;
            let line = line.trim_end_matches(['\n', '\r']);
            return line.chars().all(|c| !c.is_control()).then(|| line.trim().to_owned());
        }
    }
}

/// Where a file or directory really is: to compare it with what would be granted, never to show to a script.
#[must_use]
pub fn real(path: &str) -> Option<PathBuf> {
    if let Ok(real) = std::fs::canonicalize(path) {
        return Some(real);
    }
    // A file that is still to be made.
    let path = Path::new(path);
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(std::fs::canonicalize(folder).ok()?.join(path.file_name()?))
}
