//! The recorder: numbers events, hands them to the operator's sink and ledger and keeps the logs; and the spans scripts have open.

use crate::chain::Chain;
use crate::denial::Denial;
use crate::event::{Cost, Event, Log, Verdict};
use crate::ids::{ROOT_NUMBER, Table};
use crate::ledger::Ledger;
use crate::limits::{MAX_DENIED_ROWS, MAX_REALM_ROWS, MAX_SUBJECT};
use crate::realm::CallSite;
use crate::sandbox::Shared;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Write;
use std::sync::Arc;

/// The part of a run's memory that rows are meant to take, and bytes of a row, about.
const LOG_PART: u64 = 16;
const ROW_BYTES: u64 = 256;

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
    logs: Table<u64, Kept>,
    /// Rows kept in all logs, and the most there may be.
    rows: usize,
    most_rows: usize,
    /// Bytes that the logs hold.
    bytes: usize,
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

/// Bytes of a log's place in the table, which may be half full.
const PLACE: usize = 2 * (size_of::<(u64, Kept)>() + 8);

impl Kept {
    fn held(&self) -> usize {
        PLACE + size_of_val(&*self.above) + self.log.held()
    }
    fn of(sandbox: &Shared) -> Kept {
        sandbox.note_logged();
        Kept { log: Log::default(), above: sandbox.above().iter().map(|above| above.number).collect() }
    }
}

/// What was decided about one call.
pub(crate) struct Decision<'a> {
    pub(crate) native: &'static str,
    pub(crate) subjects: Vec<String>,
    pub(crate) rule: Cow<'static, str>,
    pub(crate) verdict: Verdict,
    pub(crate) cost: Cost,
    /// For the operator's readers, who alone get it: copied when one of them keeps it.
    pub(crate) denial: Option<&'a Denial>,
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
    /// The recorder of a run whose root may hold so many bytes: what is kept takes a small part of them.
    pub(crate) fn new(memory: u64) -> Recorder {
        let rows = usize::try_from(memory / LOG_PART / ROW_BYTES).unwrap_or(usize::MAX);
        Recorder { most_rows: rows.clamp(MAX_DENIED_ROWS, MAX_REALM_ROWS), ..Recorder::default() }
    }

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
        if self.rows >= self.most_rows && self.seq >= self.next_trim {
            self.trim();
        }
        let room = self.rows < self.most_rows;
        let kept = match self.logs.entry(of.number) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if !room => return,
            Entry::Vacant(new) => {
                let kept = new.insert(Kept::of(of));
                self.bytes += kept.held();
                kept
            }
        };
        self.bytes -= kept.held();
        self.rows += kept.log.push(event, room);
        self.bytes += kept.held();
    }

    /// Bytes that are kept of what was decided.
    pub(crate) fn held(&self) -> usize {
        self.bytes + self.ledger.held()
    }

    /// Makes room in the logs: the longest ones lose the older half of their rows, so that what has little keeps it.
    fn trim(&mut self) {
        let longest = self.logs.values().map(|kept| kept.log.len()).max().unwrap_or(0);
        let before = self.rows;
        if longest > 1 {
            self.rows -= self.logs.values_mut().map(|kept| kept.log.trim(longest / 2)).sum::<usize>();
        }
        self.bytes = self.logs.values().map(Kept::held).sum();
        if before - self.rows < self.most_rows / 16 {
            // Every log was looked at for little; not again for each event.
            self.next_trim = self.seq + (self.most_rows / 4) as u64;
        }
    }

    /// A sandbox is gone: its rows are kept by one it was made under.
    pub(crate) fn inherit(&mut self, gone: u64, heir: &Shared) {
        let Some(gone) = self.logs.remove(&gone) else { return };
        let is_new = !self.logs.contains_key(&heir.number);
        let kept = self.logs.entry(heir.number).or_insert_with(|| Kept::of(heir));
        let before = kept.log.len() + gone.log.len();
        self.bytes = self.bytes.saturating_sub(gone.held() + if is_new { 0 } else { kept.held() });
        kept.log.absorb(gone.log);
        self.rows = self.rows - before + kept.log.len();
        self.bytes += kept.held();
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
    pub(crate) fn event(&mut self, site: &CallSite<'_>, (sandbox, task): (u64, u32), decision: Decision<'_>, when: f64) -> Event {
        self.seq += 1;
        let name = site.file.get(..site.file.ceil_char_boundary(MAX_SUBJECT)).unwrap_or(site.file);
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
        // The event has the operands already.
        let copy = |denial: &Denial| Box::new(Denial { on: Vec::new(), ..denial.clone() });
        let is_read = self.sink.is_some() || self.ledger.summary.is_some();
        let kept = denial.filter(|_| is_read).map(copy);
        let event = Event { seq, when, native, subjects, sandbox, task, file, line, verdict, rule, cost, denial: kept, times: 1 };
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
        self.ledger.note(&event, &|| denial.map(copy));
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
