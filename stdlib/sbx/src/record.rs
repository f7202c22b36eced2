//! The recorder: numbers events and hands them to the operator's sink; and the spans scripts have open.

use crate::event::{Cost, Event, Verdict};
use crate::ids::{ROOT, SbxId};
use crate::limits::MAX_SUBJECT;
use crate::realm::CallSite;
use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

/// Numbers events and hands them on.
#[derive(Default)]
pub(crate) struct Recorder {
    seq: u64,
    sink: Option<Box<dyn Write + Send>>,
    /// What the sink said when it failed.
    broken: Option<std::io::ErrorKind>,
    /// The file of the last event: most events come from the same one.
    file: Option<Arc<str>>,
    /// Rows kept in all logs.
    pub(crate) rows: usize,
}

impl Recorder {
    pub(crate) fn set_sink(&mut self, sink: Box<dyn Write + Send>) {
        self.sink = Some(sink);
        self.broken = None;
    }

    pub(crate) const fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    pub(crate) fn flush(&mut self) -> std::io::Result<()> {
        match (self.broken, &mut self.sink) {
            // A row was lost: whoever asks at the end must hear of it, even when no later call did.
            (Some(kind), _) => Err(kind.into()),
            (None, Some(sink)) => sink.flush(),
            (None, None) => Ok(()),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one record")]
    pub(crate) fn event(
        &mut self,
        site: &CallSite<'_>,
        native: &'static str,
        subjects: Vec<String>,
        rule: String,
        verdict: Verdict,
        cost: Cost,
        when: f64,
    ) -> Event {
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
        let event =
            Event { seq: self.seq, when, native, subjects, sandbox: site.authority, file, line: site.line, verdict, rule, cost, times: 1 };
        if let Some(sink) = &mut self.sink
            && self.broken.is_none()
            && let Err(error) = sink.write_all(event.to_json().as_bytes())
        {
            self.broken = Some(error.kind());
        }
        event.cut()
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
