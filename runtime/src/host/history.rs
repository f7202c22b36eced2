//! The file in which an interactive session keeps what was typed, for the next one: the operator's alone, and of a bounded length.
//!
//! It is opened before anything runs, and not again. An input is a line of JSON's string syntax, so that one of several lines is one row.

use super::{HostError, read_text, says, state_file};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

/// Inputs that are kept.
pub const MAX_ENTRIES: usize = 1_000;
/// Longest file that is read; of a longer one nothing is.
const MAX_BYTES: u64 = 4 << 20;
/// Longest input that is kept, in bytes.
const MAX_ENTRY: usize = 16 << 10;

/// The open file.
#[derive(Debug)]
pub struct History {
    file: File,
    entries: Vec<String>,
}

impl History {
    /// Opens the operator's file, or makes it; nobody else may read it. What is too old goes.
    ///
    /// # Errors
    /// What the system says; there is no place for it.
    pub fn open() -> Result<History, HostError> {
        let path = state_file("history").ok_or_else(|| HostError::NoPlace("the history".to_string()))?;
        let name = path.display().to_string();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(says(&name))?;
        }
        let no_link = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
        let options = OpenOptions::new().read(true).append(true).create(true).mode(0o600).custom_flags(no_link).clone();
        let mut file = options.open(&path).map_err(says(&name))?;
        let found = file.metadata().map_err(says(&name))?;
        if !found.is_file() {
            return Err(HostError::Special(name));
        }
        if found.permissions().mode() & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(says(&name))?;
        }
        let text = if found.len() > MAX_BYTES { String::new() } else { read_text(&name, Read::by_ref(&mut file)).unwrap_or_default() };
        let mut entries: Vec<String> = text.lines().filter_map(unquoted).collect();
        let all = entries.len();
        entries.drain(..all.saturating_sub(MAX_ENTRIES));
        let mut history = History { file, entries };
        if all > MAX_ENTRIES || found.len() > MAX_BYTES {
            history.rewrite().map_err(says(&name))?;
        }
        Ok(history)
    }

    /// What was typed, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[String] {
        &self.entries
    }

    /// Keeps an input. That it can't be written is no reason to stop.
    pub fn add(&mut self, entry: &str) {
        if entry.len() > MAX_ENTRY || self.entries.last().is_some_and(|last| last == entry) {
            return;
        }
        self.entries.push(entry.to_string());
        let _ = if self.entries.len() > 2 * MAX_ENTRIES {
            self.entries.drain(..MAX_ENTRIES);
            self.rewrite()
        } else {
            self.file.write_all(quoted(entry).as_bytes())
        };
    }

    fn rewrite(&mut self) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        let text: String = self.entries.iter().map(|entry| quoted(entry)).collect();
        self.file.write_all(text.as_bytes())
    }
}

fn quoted(entry: &str) -> String {
    let mut out = String::from("\"");
    for c in entry.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push_str("\"\n");
    out
}

fn unquoted(line: &str) -> Option<String> {
    let inside = line.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                'u' => {
                    let digits: String = chars.by_ref().take(4).collect();
                    if digits.len() != 4 {
                        return None;
                    }
                    out.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                c @ ('"' | '\\') => out.push(c),
                _ => return None,
            },
            '"' => return None,
            c => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_of_any_text_is_one_line_that_reads_back() {
        for text in ["", "x = 1", "f(a) =\n    a\n", "\"\\ \u{1b}[2J \t é 世界"] {
            let line = quoted(text);
            assert_eq!((line.matches('\n').count(), line.chars().any(|c| c.is_control() && c != '\n')), (1, false));
            assert_eq!(unquoted(line.trim_end_matches('\n')).as_deref(), Some(text));
        }
        for wrong in ["", "x", "\"", "\"a", "\"\\x\"", "\"\\u12\"", "\"a\"b\""] {
            assert_eq!(unquoted(wrong), None, "{wrong}");
        }
    }
}
