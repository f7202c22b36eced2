//! The recorder: numbers events, hands them to the operator's sink and ledger and keeps the logs; and the spans scripts have open.

use crate::chain::Chain;
use crate::denial::Denial;
use crate::event::{Cost, Event, Log, Verdict};
use crate::ids::ROOT_NUMBER;
use crate::ledger::Ledger;
use crate::limits::{MAX_REALM_ROWS, MAX_SUBJECT};
use crate::realm::CallSite;
use crate::sandbox::Shared;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

/// Numbers events and hands them on.
#[derive(Default)]
pub(crate) struct Recorder {
    seq: u64,
    sink: Option<Box<dyn Write + Send>>,
    /// What the sink has been given.
    chain: Chain,
    /// What the sink said when it failed.
    broken: Option<std::io::ErrorKind>,
    /// The file of the last event: most events come from the same one.
    file: Option<Arc<str>>,
    /// The logs of sandboxes that have rows.
    logs: HashMap<u64, Kept>,
    /// Rows kept in all logs.
    rows: usize,
    /// The event before which it is no use to make room in the logs: little was to be had the last time.
    next_trim: u64,
    /// For the operator.
    pub(crate) ledger: Ledger,
}

/// The log of one sandbox.
struct Kept {
    log: Log,
    /// What it was made under.
    above: Box<[u64]>,
}

impl Kept {
    fn of(sandbox: &Shared) -> Kept {
        sandbox.note_logged();
        Kept { log: Log::default(), above: sandbox.above().iter().map(|above| above.number).collect() }
    }
}

/// What was decided about one call.
pub(crate) struct Decision {
    pub(crate) native: &'static str,
    pub(crate) subjects: Vec<String>,
    pub(crate) rule: Cow<'static, str>,
    pub(crate) verdict: Verdict,
    pub(crate) cost: Cost,
    pub(crate) denial: Option<Box<Denial>>,
}

/// How an audit record ended, for the operator to note where the record's writer can't reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Events in it.
    pub events: u64,
    /// SHA-256 of its closing line, in hex.
    pub head: String,
}

impl Recorder {
    pub(crate) fn set_sink(&mut self, sink: Box<dyn Write + Send>) {
        self.sink = Some(sink);
    }

    pub(crate) const fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Writes the line that closes the chain; nothing when there is no sink. A sink is closed once.
    pub(crate) fn close(&mut self, when: f64) -> std::io::Result<Option<Sealed>> {
        if let Some(kind) = self.broken {
            // A row was lost: whoever asks at the end must hear of it, even when no later call did.
            return Err(kind.into());
        }
        let Some(mut sink) = self.sink.take() else { return Ok(None) };
        let line = self.chain.closing(self.seq, when);
        sink.write_all(line.as_bytes())?;
        sink.flush()?;
        self.chain.add(&line);
        Ok(Some(Sealed { events: self.seq, head: self.chain.head() }))
    }

    /// Keeps an event in the log of a sandbox.
    pub(crate) fn keep(&mut self, of: &Shared, event: Event) {
        if self.rows >= MAX_REALM_ROWS && self.seq >= self.next_trim {
            self.trim();
        }
        let room = self.rows < MAX_REALM_ROWS;
        let kept = self.logs.entry(of.number).or_insert_with(|| Kept::of(of));
        self.rows += kept.log.push(event, room);
    }

    /// Makes room in the logs: the longest ones lose the older half of their rows, so that what has little keeps it.
    fn trim(&mut self) {
        let longest = self.logs.values().map(|kept| kept.log.len()).max().unwrap_or(0);
        let before = self.rows;
        if longest > 1 {
            self.rows -= self.logs.values_mut().map(|kept| kept.log.trim(longest / 2)).sum::<usize>();
        }
        if before - self.rows < MAX_REALM_ROWS / 16 {
            // Every log was looked at for little; not again for each event.
            self.next_trim = self.seq + (MAX_REALM_ROWS / 4) as u64;
        }
    }

    /// A sandbox is gone: its rows are kept by one it was made under.
    pub(crate) fn inherit(&mut self, gone: u64, heir: &Shared) {
        let Some(gone) = self.logs.remove(&gone) else { return };
        let kept = self.logs.entry(heir.number).or_insert_with(|| Kept::of(heir));
        let before = kept.log.len() + gone.log.len();
        kept.log.absorb(gone.log);
        self.rows = self.rows - before + kept.log.len();
    }

    /// The logs of a sandbox and of those made under it.
    pub(crate) fn logs_of(&self, number: u64) -> impl Iterator<Item = &Log> {
        self.logs.iter().filter(move |(n, kept)| **n == number || kept.above.contains(&number)).map(|(_, kept)| &kept.log)
    }

    /// The log of one sandbox.
    pub(crate) fn log(&self, number: u64) -> Option<&Log> {
        self.logs.get(&number).map(|kept| &kept.log)
    }

    /// How many rows all logs hold together.
    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// How many logs there are.
    pub(crate) fn logs(&self) -> usize {
        self.logs.len()
    }

    /// Makes the event of a decision, hands it to the sink and the ledger, and gives it as a log keeps it.
    pub(crate) fn event(&mut self, site: &CallSite<'_>, (sandbox, task): (u64, u32), decision: Decision, when: f64) -> Event {
        self.seq += 1;
        let cut = site.file.char_indices().map(|(at, _)| at).find(|at| *at >= MAX_SUBJECT);
        let name = cut.and_then(|at| site.file.get(..at)).unwrap_or(site.file);
        let file = match &self.file {
            Some(file) if **file == *name => Arc::clone(file),
            _ => {
                let file: Arc<str> = Arc::from(name);
                self.file = Some(Arc::clone(&file));
                file
            }
        };
        let Decision { native, subjects, rule, verdict, cost, denial } = decision;
        let (seq, line) = (self.seq, site.line);
        let event = Event { seq, when, native, subjects, sandbox, task, file, line, verdict, rule, cost, denial, times: 1 };
        if let Some(sink) = &mut self.sink
            && self.broken.is_none()
        {
            let line = event.to_json(&self.chain);
            match sink.write_all(line.as_bytes()) {
                Ok(()) => self.chain.add(&line),
                Err(error) => self.broken = Some(error.kind()),
            }
        }
        let mut event = event.cut();
        self.ledger.note(&event);
        event.denial = None;
        event
    }
}

/// Spans that one run may have open.
const MAX_SPANS: usize = 1024;
/// The same as far as code inside a sandbox can go: what it fills up, the root's own code can still do without.
const MAX_INNER_SPANS: usize = MAX_SPANS / 2;

/// Spans that were begun and not ended.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    last: u64,
    open: HashMap<u64, (u64, f64)>,
}

impl Spans {
    pub(crate) fn begin(&mut self, owner: u64, now: f64) -> Option<u64> {
        if self.open.len() >= if owner == ROOT_NUMBER { MAX_SPANS } else { MAX_INNER_SPANS } {
            return None;
        }
        self.last += 1;
        self.open.insert(self.last, (owner, now));
        Some(self.last)
    }

    /// Ends a span of this owner's and gives when it began.
    pub(crate) fn end(&mut self, owner: u64, span: u64) -> Option<f64> {
        let (of, start) = *self.open.get(&span)?;
        if of != owner {
            return None;
        }
        self.open.remove(&span);
        Some(start)
    }
}
