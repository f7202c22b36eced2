//! What the operator is told of a run when it has ended: every kind of denial, and, when asked for, what was touched and when.
//!
//! A reader of the event record like the log and the audit file, with room for a fixed number of rows. It is the operator's alone:
//! it names the grants that would have allowed a call, which code inside a sandbox must not learn.

use crate::denial::Denial;
use crate::event::{Event, Verdict};
use crate::limits::{MAX_DENIAL_KINDS, MAX_TIMELINE_ROWS, MAX_TOUCHED};
use ilu_cap::{GrantKind, by_name};
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;

/// Denials of a run, each kind once, and the summary of a run that has one.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The first of each kind of denial, in order, with how often it happened.
    pub denied: Vec<Event>,
    /// Denials of kinds that there was no room for.
    pub denied_more: u64,
    kinds: HashMap<u64, usize>,
    /// Bytes of the denials' texts.
    texts: usize,
    hasher: RandomState,
    /// What the run touched, when that was asked for.
    pub summary: Option<Box<Summary>>,
}

impl Ledger {
    /// Takes note of an event, as a log keeps it.
    pub(crate) fn note(&mut self, event: &Event, denial: &dyn Fn() -> Option<Box<Denial>>) {
        if event.verdict == Verdict::Denied {
            self.note_denial(event, denial);
        }
        if let Some(summary) = &mut self.summary {
            summary.note(event);
        }
    }

    /// Bytes that the denials hold. A summary, which only an operator asks for, has room for a fixed number of rows and is not counted.
    pub(crate) fn held(&self) -> usize {
        self.denied.capacity() * size_of::<Event>() + self.texts + self.kinds.capacity() * 20
    }

    fn note_denial(&mut self, event: &Event, denial: &dyn Fn() -> Option<Box<Denial>>) {
        let kind = self.hasher.hash_one((event.native, event.line, event.sandbox, &event.subjects, &event.rule, &event.file));
        if let Some(known) = self.kinds.get(&kind).and_then(|at| self.denied.get_mut(*at)) {
            known.times += 1;
        } else if self.denied.len() < MAX_DENIAL_KINDS {
            self.kinds.insert(kind, self.denied.len());
            let event = Event { denial: denial(), ..event.clone() };
            self.texts += event.texts();
            self.denied.push(event);
        } else {
            self.denied_more += 1;
        }
    }
}

/// What a run touched and when, in bounded room.
#[derive(Debug, Default)]
pub struct Summary {
    /// Events in all.
    pub total: u64,
    /// Events by verdict.
    pub verdicts: Counts,
    /// The first rows; equal ones in a row are one.
    pub first: Vec<Event>,
    /// The last rows, as far as they are not among the first.
    pub last: VecDeque<Event>,
    /// Rows between them that were not kept.
    pub left_out: u64,
    /// What was touched, in the order in which it first was.
    pub touched: Vec<Touched>,
    /// Events about things that there was no room for.
    pub touched_more: u64,
    /// Where in `touched` a thing is.
    known: HashMap<(What, String), usize>,
    /// Calls by native and verdict, in the order of the first.
    pub natives: Vec<(&'static str, Counts)>,
    /// Calls by the rule that allowed them, in the order of the first.
    pub rules: Vec<(String, u64)>,
    /// How many events when.
    pub scale: Scale,
}

/// Kinds of things that are touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// A path.
    File,
    /// A program.
    Program,
    /// An address or a URL.
    Host,
    /// An environment variable.
    Variable,
}

/// One thing that was touched, or that a call tried to touch.
#[derive(Clone, Debug)]
pub struct Touched {
    /// Of which kind.
    pub what: What,
    /// As the script wrote it, cut when long.
    pub subject: String,
    /// By which natives, and how often.
    pub natives: Vec<(&'static str, u64)>,
    /// Calls by verdict.
    pub verdicts: Counts,
    /// Bytes read.
    pub read: u64,
    /// Bytes written.
    pub written: u64,
    /// When first, milliseconds since 1970.
    pub first: f64,
    /// When last.
    pub last: f64,
    /// The rule of the last call.
    pub rule: String,
}

/// Rules that are counted: there is one for each of the operator's grants, and one for each that a script derives from them.
const MAX_RULES: usize = 256;

/// How many events came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Allowed, and it worked.
    pub allowed: u64,
    /// Allowed, and it failed.
    pub failed: u64,
    /// Not allowed.
    pub denied: u64,
    /// Ended by a budget.
    pub limit: u64,
}

impl Counts {
    fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Allowed => self.allowed += 1,
            Verdict::Failed => self.failed += 1,
            Verdict::Denied => self.denied += 1,
            Verdict::Limit => self.limit += 1,
        }
    }

    fn join(self, other: Counts) -> Counts {
        Counts {
            allowed: self.allowed + other.allowed,
            failed: self.failed + other.failed,
            denied: self.denied + other.denied,
            limit: self.limit + other.limit,
        }
    }

    /// All of them.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.allowed + self.failed + self.denied + self.limit
    }
}

impl Summary {
    fn note(&mut self, event: &Event) {
        self.total += 1;
        self.verdicts.add(event.verdict);
        self.scale.note(event.when, event.verdict);
        let native = match self.natives.iter().position(|(name, _)| *name == event.native) {
            Some(at) => at,
            None => {
                self.natives.push((event.native, Counts::default()));
                self.natives.len() - 1
            }
        };
        if let Some((_, counts)) = self.natives.get_mut(native) {
            counts.add(event.verdict);
        }
        if event.verdict == Verdict::Allowed {
            self.note_rule(&event.rule);
        }
        let what = match by_name(event.native).map(|id| id.row().grant) {
            Some(GrantKind::DirRead | GrantKind::DirWrite) => Some(What::File),
            Some(GrantKind::Run) => Some(What::Program),
            Some(GrantKind::Net) => Some(What::Host),
            Some(GrantKind::Env | GrantKind::Secret) => Some(What::Variable),
            Some(GrantKind::None) | None => None,
        };
        if let Some(what) = what {
            for (n, subject) in event.subjects.iter().enumerate() {
                // Of two operands the first is what is read and the last what is written.
                let (first, last) = (n == 0, n + 1 == event.subjects.len());
                self.touch(what, subject, event, if first { event.cost.read } else { 0 }, if last { event.cost.written } else { 0 });
            }
        }
        self.row(event);
    }

    fn note_rule(&mut self, rule: &str) {
        if let Some((_, n)) = self.rules.iter_mut().find(|(known, _)| known == rule) {
            *n += 1;
        } else if self.rules.len() < MAX_RULES {
            self.rules.push((rule.to_owned(), 1));
        }
    }

    fn touch(&mut self, what: What, subject: &str, event: &Event, read: u64, written: u64) {
        let key = (what, subject.to_owned());
        let at = match self.known.get(&key) {
            Some(at) => *at,
            None if self.touched.len() >= MAX_TOUCHED => {
                self.touched_more += 1;
                return;
            }
            None => {
                self.touched.push(Touched {
                    what,
                    subject: subject.to_owned(),
                    natives: Vec::new(),
                    verdicts: Counts::default(),
                    read: 0,
                    written: 0,
                    first: event.when,
                    last: event.when,
                    rule: String::new(),
                });
                self.known.insert(key, self.touched.len() - 1);
                self.touched.len() - 1
            }
        };
        let Some(touched) = self.touched.get_mut(at) else { return };
        match touched.natives.iter_mut().find(|(name, _)| *name == event.native) {
            Some((_, n)) => *n += 1,
            None => touched.natives.push((event.native, 1)),
        }
        touched.verdicts.add(event.verdict);
        touched.read = touched.read.saturating_add(read);
        touched.written = touched.written.saturating_add(written);
        touched.last = event.when;
        if touched.rule != event.rule {
            touched.rule.clear();
            touched.rule.push_str(&event.rule);
        }
    }

    fn row(&mut self, event: &Event) {
        let newest = if self.last.is_empty() { self.first.last_mut() } else { self.last.back_mut() };
        if let Some(newest) = newest
            && newest.repeat(event)
        {
            return;
        }
        if self.first.len() < MAX_TIMELINE_ROWS {
            self.first.push(event.clone());
            return;
        }
        if self.last.len() >= MAX_TIMELINE_ROWS {
            self.last.pop_front();
            self.left_out += 1;
        }
        self.last.push_back(event.clone());
    }
}

/// Pieces of time that a [`Scale`] has.
pub const SLOTS: usize = 96;

/// Events over time: a fixed number of equal pieces, which double in length whenever the run outlasts them.
#[derive(Clone, Debug)]
pub struct Scale {
    /// When the first event was, milliseconds since 1970.
    pub start: f64,
    /// Milliseconds of one piece.
    pub width: f64,
    /// In each piece, events by verdict.
    pub slots: Vec<Counts>,
}

impl Default for Scale {
    fn default() -> Scale {
        Scale { start: 0.0, width: 1.0, slots: Vec::new() }
    }
}

/// Milliseconds between two readings of the wall clock beyond which it was set, not waited for: some thirty years.
const LONGEST_RUN: f64 = 1e12;

impl Scale {
    fn note(&mut self, when: f64, verdict: Verdict) {
        if self.slots.is_empty() {
            self.start = when;
            self.slots.push(Counts::default());
        }
        // The wall clock can be set while a run goes on: what would lie before the start counts there.
        let since = (when - self.start).clamp(0.0, LONGEST_RUN);
        while since / self.width >= SLOTS as f64 {
            self.double();
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to below SLOTS")]
        let at = (since / self.width) as usize;
        if at >= self.slots.len() {
            self.slots.resize(at + 1, Counts::default());
        }
        if let Some(counts) = self.slots.get_mut(at) {
            counts.add(verdict);
        }
    }

    fn double(&mut self) {
        self.width *= 2.0;
        let halves = self.slots.chunks(2).map(|pair| pair.iter().copied().fold(Counts::default(), Counts::join));
        self.slots = halves.collect();
    }
}
