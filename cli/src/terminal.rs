//! Where messages go: standard error with or without colours, standard output for what was asked for. A reader that went away is no error.

use crate::args::Color;
use crate::code;
use crate::exit::Exit;
use crate::report::{self, Look};
use anstream::ColorChoice;
use ilu_lang::diagnostic::codes;
use std::io::{ErrorKind, IsTerminal, Write};

/// The two streams of this process, and how to write on them.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// How to draw messages.
    pub look: Look,
}

impl Terminal {
    /// Decides about colours: as told, else only on a terminal, unless `NO_COLOR` is set.
    #[must_use]
    pub fn new(color: Color) -> Self {
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => !matches!(anstream::AutoStream::choice(&std::io::stderr()), ColorChoice::Never),
        };
        Self { look: Look { color } }
    }

    /// Writes what the command was asked for.
    pub fn print(&self, text: &str) -> Exit {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => Exit::Fine,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Fine,
            Err(error) => self.fail(codes::CANNOT_WRITE, &format!("standard output: {error}"), Exit::Error),
        }
    }

    /// Writes a finished message, with a line end.
    pub fn tell(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        // There is nobody left to tell that standard error is gone.
        let _ = writeln!(err, "{}", text.trim_end_matches('\n'));
    }

    /// Whether somebody looks at standard error.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        std::io::stderr().is_terminal()
    }

    /// Writes a line in the place of the one before; an empty one takes it away.
    pub fn over(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "\r\x1b[K{text}").and_then(|()| err.flush());
    }

    /// Says what went wrong, and that it was this.
    pub fn fail(&self, code: &str, message: &str, exit: Exit) -> Exit {
        self.tell(&report::message(code, message, self.look));
        exit
    }

    /// Says what is wrong with the command line.
    pub fn usage(&self, message: &str) -> Exit {
        self.fail(code::of_usage(message), message, Exit::Usage)
    }
}
