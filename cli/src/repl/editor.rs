//! The line editor: what rustyline asks of us, answered by the grammar, the tokens and the session.

use super::complete::{World, complete};
use super::unfinished::is_unfinished;
use ilu::Session;
use ilu_cap::{BUNDLES, NATIVES};
use ilu_lang::highlight::{Class, pieces};
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper, Result};
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

/// Answers the editor.
pub struct Aid {
    /// The session, of which nothing runs while a line is edited.
    pub session: Rc<RefCell<Session>>,
}

impl Helper for Aid {}

impl Hinter for Aid {
    type Hint = String;
}

impl Validator for Aid {
    fn validate(&self, context: &mut ValidationContext<'_>) -> Result<ValidationResult> {
        Ok(if is_unfinished(context.input()) { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Completer for Aid {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> Result<(usize, Vec<Pair>)> {
        let head = line.get(..pos).unwrap_or_default().trim_start();
        if let Some(path) = head.strip_prefix(":load ") {
            return Ok(files(path, pos));
        }
        let Ok(session) = self.session.try_borrow() else { return Ok((pos, Vec::new())) };
        let (start, offers) = complete(line, pos, &Known(&session));
        Ok((start, offers.into_iter().map(|offer| Pair { display: offer.shown, replacement: offer.text }).collect()))
    }
}

/// Files that the operator may mean.
fn files(path: &str, pos: usize) -> (usize, Vec<Pair>) {
    let (_, last) = path.rsplit_once('/').unwrap_or(("", path));
    let offers =
        ilu::host::edit::names_like(path).into_iter().map(|name| Pair { display: crate::report::clean::clean(&name), replacement: name });
    (pos - last.len(), offers.collect())
}

impl Highlighter for Aid {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if line.trim_start().starts_with([':', '?']) {
            return Cow::Borrowed(line);
        }
        Cow::Owned(coloured(line))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(format!("\x1b[1;32m{prompt}\x1b[0m"))
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        true
    }
}

/// A text with its pieces in colours.
fn coloured(line: &str) -> String {
    let mut out = String::with_capacity(line.len() * 2);
    let mut at = 0;
    for (span, class) in pieces(line) {
        let (start, end) = (span.start as usize, span.end as usize);
        let (Some(before), Some(piece)) = (line.get(at..start), line.get(start..end)) else { continue };
        out.push_str(before);
        let colour = match class {
            Class::Keyword => "\x1b[35m",
            Class::Literal => "\x1b[36m",
            Class::Text => "\x1b[32m",
            Class::Comment => "\x1b[90m",
            Class::Name | Class::Sign => "",
        };
        out.push_str(colour);
        out.push_str(piece);
        if !colour.is_empty() {
            out.push_str("\x1b[0m");
        }
        at = end;
    }
    out.push_str(line.get(at..).unwrap_or_default());
    out
}

/// A session and the tables, to complete with.
struct Known<'s>(&'s Session);

impl World for Known<'_> {
    fn names(&self) -> Vec<String> {
        self.0.names().into_iter().map(|bound| bound.name).collect()
    }
    fn fields(&self, path: &[&str]) -> Vec<String> {
        self.0.fields(path).into_iter().map(|bound| bound.name).collect()
    }
    fn builtins(&self) -> Vec<String> {
        ilu::builtin::table().iter().filter(|row| !row.trusted).map(|row| row.name.to_owned()).collect()
    }
    fn modules(&self) -> Vec<String> {
        ilu_std::MODULES.iter().map(|module| module.name.to_owned()).collect()
    }
    fn natives(&self) -> (Vec<String>, Vec<String>) {
        let held = self.0.caps();
        let all = NATIVES.iter().map(|row| row.name);
        let (held, others): (Vec<&str>, Vec<&str>) = all.partition(|name| held.contains(name));
        (held.into_iter().map(str::to_owned).collect(), others.into_iter().map(str::to_owned).collect())
    }
    fn bundles(&self) -> Vec<String> {
        BUNDLES.iter().map(|bundle| bundle.name.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_change_no_character() {
        let line = "if x: \"a\" | 12 # é";
        let shown = coloured(line);
        assert!(shown.contains("\x1b[35mif\x1b[0m x: \x1b[32m\"a\"\x1b[0m") && shown.contains("\x1b[90m# é\x1b[0m"), "{shown:?}");
        let mut plain = shown;
        for colour in ["\x1b[35m", "\x1b[36m", "\x1b[32m", "\x1b[90m", "\x1b[0m"] {
            plain = plain.replace(colour, "");
        }
        assert_eq!(plain, line);
    }
}
