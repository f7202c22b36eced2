//! The recorder: numbers events and hands them to the operator's sink and ledger; and the spans scripts have open.

use crate::chain::Chain;
use crate::denial::Denial;
use crate::event::{Cost, Event, Verdict};
use crate::ids::{ROOT, SbxId};
use crate::ledger::Ledger;
use crate::limits::MAX_SUBJECT;
use crate::realm::CallSite;
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
    /// Rows kept in all logs.
    pub(crate) rows: usize,
    /// For the operator.
    pub(crate) ledger: Ledger,
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
        self.chain = Chain::default();
        self.broken = None;
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

    /// Makes the event of a decision, hands it to the sink and the ledger, and gives it as a log keeps it.
    pub(crate) fn event(&mut self, site: &CallSite<'_>, decision: Decision, when: f64) -> Event {
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
        let (seq, sandbox, line) = (self.seq, site.authority, site.line);
        let event = Event { seq, when, native, subjects, sandbox, file, line, verdict, rule, cost, denial, times: 1 };
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

/// Spans that one realm may have open.
const MAX_SPANS: usize = 1024;
/// The same as far as code inside a sandbox can go: what it fills up, the root's own code can still do without.
const MAX_INNER_SPANS: usize = MAX_SPANS / 2;

/// Spans that were begun and not ended.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    last: u64,
    open: HashMap<u64, (SbxId, f64)>,
}

impl Spans {
    pub(crate) fn begin(&mut self, owner: SbxId, now: f64) -> Option<u64> {
        if self.open.len() >= if owner == ROOT { MAX_SPANS } else { MAX_INNER_SPANS } {
            return None;
        }
        self.last += 1;
        self.open.insert(self.last, (owner, now));
        Some(self.last)
    }

    /// Ends a span of this owner's and gives when it began.
    pub(crate) fn end(&mut self, owner: SbxId, span: u64) -> Option<f64> {
        let (of, start) = *self.open.get(&span)?;
        if of != owner {
            return None;
        }
        self.open.remove(&span);
        Some(start)
    }
}
