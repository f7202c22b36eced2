//! The event record: one row for each decision, and the logs that keep rows.
//!
//! A row says who asked for what, where in the source, and which rule decided. It never holds contents, values of variables or
//! anything else that passed through the call.

use crate::chain::Chain;
use crate::denial::{Denial, escape, is_invisible};
use crate::limits::{MAX_DENIED_ROWS, MAX_LOG_ROWS, MAX_SUBJECT};
use crate::plain::Plain;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;

/// How a call came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed, and it worked.
    Allowed,
    /// Allowed, and it failed: the file was not there, an argument was wrong.
    Failed,
    /// Not allowed.
    Denied,
    /// A budget ran out.
    Limit,
}

impl Verdict {
    /// The word for it in logs and records.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Verdict::Allowed => "allowed",
            Verdict::Failed => "failed",
            Verdict::Denied => "denied",
            Verdict::Limit => "limit",
        }
    }
}

/// What a call cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Bytes read.
    pub read: u64,
    /// Bytes written, output included.
    pub written: u64,
}

impl Cost {
    /// Was nothing read and nothing written?
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.read == 0 && self.written == 0
    }
}

/// One decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Number in the run, from 1.
    pub seq: u64,
    /// Milliseconds since 1970.
    pub when: f64,
    /// The native, or `sbxmk`, `sbxrv`.
    pub native: &'static str,
    /// On what: each operand as the script wrote it.
    pub subjects: Vec<String>,
    /// Whose authority was asked: the sandbox's number in the run.
    pub sandbox: u64,
    /// The task in which it was; 0 is the script itself.
    pub task: u32,
    /// Source file.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// How it came out.
    pub verdict: Verdict,
    /// The rule that decided; of a denial its code.
    pub rule: Cow<'static, str>,
    /// What it cost.
    pub cost: Cost,
    /// The denial, with the grant that would allow the call. Only the operator's readers have it: a log that code inside a sandbox can read
    /// must not say what is granted outside.
    pub denial: Option<Box<Denial>>,
    /// How many calls in a row this row stands for (in logs; a sink gets each).
    pub times: u64,
}

impl Event {
    /// Does the other only repeat this one?
    fn is_repeated_by(&self, other: &Event) -> bool {
        self.native == other.native
            && self.line == other.line
            && self.verdict == other.verdict
            && self.sandbox == other.sandbox
            && self.task == other.task
            && self.subjects == other.subjects
            && self.rule == other.rule
            && self.file == other.file
    }

    /// Counts an event that only repeats this one; false when it does not.
    pub(crate) fn repeat(&mut self, other: &Event) -> bool {
        if !self.is_repeated_by(other) {
            return false;
        }
        self.times += other.times;
        self.cost.read = self.cost.read.saturating_add(other.cost.read);
        self.cost.written = self.cost.written.saturating_add(other.cost.written);
        true
    }

    /// The row as a log keeps it: long subjects cut.
    #[must_use]
    pub(crate) fn cut(mut self) -> Event {
        for subject in &mut self.subjects {
            let at = subject.ceil_char_boundary(MAX_SUBJECT);
            if at < subject.len() {
                // A new text: one cut short would keep the room of the whole.
                *subject = subject.get(..at).unwrap_or_default().to_owned() + "…";
            }
        }
        self
    }

    /// Bytes that it takes besides its own size: texts that are its own, as an allocator gives them.
    pub(crate) fn texts(&self) -> usize {
        const BLOCK: usize = 24;
        let subjects = self.subjects.iter().map(|subject| subject.capacity() + BLOCK).sum::<usize>();
        let rule = if let Cow::Owned(rule) = &self.rule { rule.capacity() + BLOCK } else { 0 };
        let denial = self.denial.as_ref().map_or(0, |denial| size_of::<Denial>() + BLOCK + denial.texts());
        subjects + rule + denial + if self.subjects.is_empty() { 0 } else { self.subjects.capacity() * size_of::<String>() + BLOCK }
    }

    /// The operands on one line, for people and scripts.
    #[must_use]
    pub fn shown_subject(&self) -> Option<String> {
        let shown: Vec<String> = self.subjects.iter().map(|subject| escape(subject, 2 * MAX_SUBJECT)).collect();
        (!shown.is_empty()).then(|| shown.join(" -> "))
    }

    /// As scripts see it in `sbxlg`.
    #[must_use]
    pub fn to_plain(&self) -> Plain {
        let num = |n: u64| {
            #[allow(clippy::cast_precision_loss, reason = "a counter that is shown")]
            Plain::Num(n as f64)
        };
        let mut fields = vec![
            ("seq".to_owned(), num(self.seq)),
            ("ms".to_owned(), Plain::Num(self.when.floor())),
            ("native".to_owned(), Plain::Str(self.native.to_owned())),
            ("on".to_owned(), self.shown_subject().map_or(Plain::Nil, Plain::Str)),
            ("verdict".to_owned(), Plain::Str(self.verdict.text().to_owned())),
            ("rule".to_owned(), Plain::Str(self.rule.to_string())),
            ("file".to_owned(), Plain::Str(self.file.to_string())),
            ("line".to_owned(), num(u64::from(self.line))),
        ];
        for (name, n) in [("read", self.cost.read), ("written", self.cost.written)] {
            if n > 0 {
                fields.push((name.to_owned(), num(n)));
            }
        }
        if self.task > 0 {
            fields.push(("task".to_owned(), num(u64::from(self.task))));
        }
        if self.times > 1 {
            fields.push(("times".to_owned(), num(self.times)));
        }
        Plain::Object(fields)
    }

    /// One line of JSON, with the newline, as the next link of a chain. The schema is in `docs/audit.md`.
    #[must_use]
    pub(crate) fn to_json(&self, chain: &Chain) -> String {
        let mut out = String::with_capacity(320);
        chain.begin(&mut out, self.seq);
        let _ = write!(out, ",\"ms\":{:.0},\"sandbox\":{},\"task\":{},\"native\":", self.when, self.sandbox, self.task);
        json_text(&mut out, self.native);
        out.push_str(",\"on\":[");
        for (n, subject) in self.subjects.iter().enumerate() {
            if n > 0 {
                out.push(',');
            }
            json_text(&mut out, subject);
        }
        out.push_str("],\"verdict\":");
        json_text(&mut out, self.verdict.text());
        out.push_str(",\"rule\":");
        json_text(&mut out, &self.rule);
        if let Some(denial) = &self.denial {
            out.push_str(",\"grant\":");
            match &denial.grant {
                Some(grant) => json_text(&mut out, grant),
                None => out.push_str("null"),
            }
            let _ = write!(out, ",\"retry\":{}", denial.retry);
        }
        out.push_str(",\"file\":");
        json_text(&mut out, &self.file);
        let _ = writeln!(out, ",\"line\":{},\"read\":{},\"written\":{}}}", self.line, self.cost.read, self.cost.written);
        out
    }
}

fn json_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Valid either way; escaped, because records are read on terminals too.
            c if c.is_control() || is_invisible(c) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Puts rows among others, of which there may be so many; the oldest make room. Gives how many did.
fn merge(rows: &mut VecDeque<Event>, more: VecDeque<Event>, most: usize) -> u64 {
    let mut dropped = 0;
    // The newest first: once one is too old, so are all that are left.
    for (left, event) in (1_u64..=more.len() as u64).rev().zip(more.into_iter().rev()) {
        let at = rows.partition_point(|row| row.seq < event.seq);
        if rows.len() >= most {
            if at == 0 {
                return dropped + left;
            }
            rows.pop_front();
            dropped += 1;
            rows.insert(at - 1, event);
        } else {
            rows.insert(at, event);
        }
    }
    dropped
}

/// Adds a row; room for more is made little by little, because most logs stay short, and never for more than there may be.
fn add(rows: &mut VecDeque<Event>, event: Event, most: usize) {
    if rows.len() == rows.capacity() {
        rows.reserve_exact((rows.len() / 2 + 1).min(most.saturating_sub(rows.len()).max(1)));
    }
    rows.push_back(event);
}

/// The rows one sandbox keeps.
#[derive(Debug, Default)]
pub(crate) struct Log {
    rows: VecDeque<Event>,
    denied: VecDeque<Event>,
    /// Bytes of their texts.
    texts: usize,
    /// Rows that had to make room.
    pub(crate) dropped: u64,
}

impl Log {
    /// Keeps an event. `room` is whether the realm as a whole has room for one more; the answer is how many more rows are kept now.
    pub(crate) fn push(&mut self, event: Event, room: bool) -> usize {
        if let Some(last) = self.rows.back_mut()
            && last.repeat(&event)
        {
            return 0;
        }
        let before = self.len();
        if event.verdict == Verdict::Denied && (room || !self.denied.is_empty()) {
            if (self.denied.len() >= MAX_DENIED_ROWS || !room)
                && let Some(gone) = self.denied.pop_front()
            {
                self.texts -= gone.texts();
            }
            let event = event.clone();
            self.texts += event.texts();
            add(&mut self.denied, event, MAX_DENIED_ROWS);
        }
        if self.rows.len() >= MAX_LOG_ROWS || !room {
            self.dropped += 1;
            match self.rows.pop_front() {
                Some(gone) => self.texts -= gone.texts(),
                None => return self.len().saturating_sub(before),
            }
        }
        self.texts += event.texts();
        add(&mut self.rows, event, MAX_LOG_ROWS);
        self.len().saturating_sub(before)
    }

    /// Bytes that it holds, room that is not used included.
    pub(crate) fn held(&self) -> usize {
        (self.rows.capacity() + self.denied.capacity()) * size_of::<Event>() + self.texts
    }

    /// Counts its texts anew.
    fn count(&mut self) {
        self.texts = self.rows.iter().chain(&self.denied).map(Event::texts).sum();
    }

    /// Takes over the rows of another, each at its place in time.
    pub(crate) fn absorb(&mut self, other: Log) {
        self.dropped += other.dropped + merge(&mut self.rows, other.rows, MAX_LOG_ROWS);
        merge(&mut self.denied, other.denied, MAX_DENIED_ROWS);
        self.count();
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len() + self.denied.len()
    }

    /// Lets rows go until no more than that many are left, denials last; gives how many went.
    pub(crate) fn trim(&mut self, most: usize) -> usize {
        let before = self.len();
        let rows = (before.saturating_sub(most)).min(self.rows.len());
        self.rows.drain(..rows);
        self.dropped += rows as u64;
        self.denied.drain(..self.len().saturating_sub(most));
        self.rows.shrink_to(2 * self.rows.len());
        self.denied.shrink_to(2 * self.denied.len());
        self.count();
        before - self.len()
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &Event> {
        self.rows.iter()
    }

    pub(crate) fn denied(&self) -> impl Iterator<Item = &Event> {
        self.denied.iter()
    }
}
