//! What a realm tells of its sandboxes: what they used, what was decided, what ran out.

use crate::event::{Event, Log};
use crate::ids::SbxId;
use crate::ledger::Ledger;
use crate::limits::{Budget, Spent};
use crate::plain::Plain;
use crate::realm::Realm;
use crate::record::Sealed;
use std::io::Write;

/// Rows that one look at a log gives; the newest.
const SHOWN_ROWS: usize = 1000;

impl Realm {
    /// How many logs and rows a look for the denials of a sandbox and those made under it goes through.
    #[must_use]
    pub fn denials_kept(&self, s: SbxId) -> usize {
        if self.tree.node(s).was_denied() { self.rows_kept() } else { 0 }
    }

    /// How many logs and rows a look at a log goes through.
    #[must_use]
    pub fn rows_kept(&self) -> usize {
        let recorder = self.run.records.recorder();
        recorder.rows() + recorder.logs()
    }

    /// How a limit that ended a sandbox reads: "fuel ran out (limit 1000)".
    #[must_use]
    pub fn limit_text(&self, budget: Budget, of: SbxId) -> String {
        let unit = match budget {
            Budget::Memory | Budget::Output | Budget::Read | Budget::Written => " bytes",
            Budget::Time => " ms",
            Budget::Fuel | Budget::Depth | Budget::Calls(_) => "",
        };
        match self.tree.node(of).limits.of(budget) {
            crate::limits::NO_LIMIT => format!("{} ran out (all that was left outside the sandbox)", budget.text()),
            limit => format!("{} ran out (limit {limit}{unit})", budget.text()),
        }
    }

    /// What a sandbox and those made under it have used, as `sbxug` shows it.
    #[must_use]
    pub fn used(&self, s: SbxId) -> Plain {
        #[allow(clippy::cast_precision_loss, reason = "counters that are shown")]
        let num = |n: u64| Plain::Num(n as f64);
        let used = &self.tree.node(s).used;
        let calls = used.calls().into_iter().map(|(native, n)| (native.name().to_owned(), num(n))).collect();
        let row = |name: &str, n: u64| (name.to_owned(), num(n));
        Plain::Object(vec![
            row("fuel", used.fuel.get()),
            row("mem", used.memory.get()),
            row("out", used.output.get()),
            row("fds", used.handles.get()),
            row("read", used.read.get()),
            row("written", used.written.get()),
            row("denied", used.denied.get()),
            ("calls".to_owned(), Plain::Object(calls)),
        ])
    }

    /// The newest denials of a sandbox and those made under it.
    #[must_use]
    pub fn denied(&self, s: SbxId) -> Vec<Plain> {
        if self.tree.node(s).was_denied() { self.rows(s, |log| log.denied().collect()) } else { Vec::new() }
    }

    /// The newest rows of the log of a sandbox and those made under it.
    #[must_use]
    pub fn log(&self, s: SbxId) -> Vec<Plain> {
        self.rows(s, |log| log.rows().collect())
    }

    fn rows(&self, s: SbxId, of: impl Fn(&Log) -> Vec<&Event>) -> Vec<Plain> {
        let recorder = self.run.records.recorder();
        let mut rows: Vec<&Event> = recorder.logs_of(self.tree.node(s).number).flat_map(of).collect();
        rows.sort_by_key(|event| event.seq);
        let skip = rows.len().saturating_sub(SHOWN_ROWS);
        rows.into_iter().skip(skip).map(Event::to_plain).collect()
    }

    /// Sends each event, as a line of JSON, to the operator's sink: set it before the first event. When the sink fails nothing more is
    /// allowed.
    pub fn set_sink(&mut self, sink: Box<dyn Write + Send>) {
        self.run.records.recorder().set_sink(sink);
    }

    /// Closes the audit record: the sink gets its last line. Nothing when there is no sink, or when it was closed before.
    ///
    /// # Errors
    /// What the system says, now or at an event that could not be written.
    pub fn close_sink(&mut self) -> std::io::Result<Option<Sealed>> {
        let now = self.run.outside.wall_ms();
        self.run.records.recorder().close(now)
    }

    /// From now on takes note of what is touched and when, for [`Realm::take_ledger`].
    pub fn summarise(&mut self) {
        self.run.records.recorder().ledger.summary = Some(Box::default());
    }

    /// What the operator is told at the end.
    pub fn take_ledger(&mut self) -> Ledger {
        std::mem::take(&mut self.run.records.recorder().ledger)
    }

    /// The budgets of a sandbox that are counted, with what was used of each.
    pub fn spent(&mut self, s: SbxId) -> Vec<Spent> {
        let now = self.run.outside.mono_ms();
        let node = self.tree.node(s);
        let row = |budget| Spent { budget, used: node.used.of(budget), limit: node.limits.of(budget) };
        let mut rows: Vec<Spent> =
            [Budget::Fuel, Budget::Memory, Budget::Output, Budget::Read, Budget::Written].into_iter().map(row).collect();
        rows.extend(node.limits.calls.iter().map(|(native, _)| row(Budget::Calls(*native))));
        if let Some(started) = node.started() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds, not negative")]
            let used = (now - started).max(0.0) as u64;
            rows.push(Spent { budget: Budget::Time, used, limit: node.limits.wall_ms });
        }
        rows
    }
}
