//! Reading an open file line by line, as a loop over it does.

use crate::denial::Rule;
use crate::doorway::denial;
use crate::event::Cost;
use crate::handle::{Open, READ_AHEAD, Resource};
use crate::limits::Budget;
use crate::permit::{BYTES_PER_UNIT, os_text};
use crate::plain::HandleId;
use crate::realm::{CallSite, Realm};
use crate::stop::Stop;
use std::borrow::Cow;

impl Realm {
    /// The next line of an open file; nothing at its end.
    ///
    /// # Errors
    /// The handle was closed or revoked, the caller does not hold its native, a budget ran out, or the file can't be read.
    pub fn read_line(&mut self, site: CallSite<'_>, id: HandleId) -> Result<Option<String>, Stop> {
        self.unmet_line = None;
        self.heed();
        let before = self.handles.size(id);
        let result = self.line(&site, id, before);
        self.held = self.held - before + self.handles.size(id);
        if matches!(result, Err(Stop::Room(_))) {
            self.unmet_line = Some(id);
        }
        if let Err(Stop::Denied(denial)) = &result {
            let native = denial.native;
            self.record(&site, native, Vec::new(), Cow::Borrowed("handle"), Cost::default(), result.as_ref().err());
        }
        result
    }

    /// Bytes read and not yet given: what open resources and standard input hold. They are memory of whoever has them open.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held + self.run.input.held(self.number)
    }

    /// Bytes that are kept of what was decided in the run: rows of logs, and denials for the operator. They are the run's, not a sandbox's.
    #[must_use]
    pub fn recorded_bytes(&self) -> usize {
        self.run.records.held()
    }

    /// `booked`: what of the resource's size the site's room has been counted without.
    fn line(&mut self, site: &CallSite<'_>, id: HandleId, booked: usize) -> Result<Option<String>, Stop> {
        self.live(site, "reading an open file")?;
        let Some(open) = self.handles.get(id) else { return Err(Stop::failed("the file is closed")) };
        let (native, owner) = (open.native, open.owner);
        if self.tree.node(owner).is_revoked() {
            return Err(denial(site, native.name(), Rule::Revoked, None));
        }
        if let Some(how) = open.leased.late(self.run.outside.mono_ms()) {
            return Err(denial(site, native.name(), Rule::LeaseOver(how), None));
        }
        if !self.has(site.authority, native) && !self.is_added(site.authority, owner) {
            return Err(denial(site, native.name(), Rule::NotHeld, Some(self.cap_hint(site.authority, native.row()))));
        }
        let owners = self.accounts.owners(&self.tree, site.account, site.authority);
        loop {
            let Some(open) = self.handles.get(id) else { return Err(Stop::failed("the file is closed")) };
            let Resource::Lines(reader) = &mut open.resource else { return Err(Stop::failed("the file is closed")) };
            if reader.is_lost() {
                return Err(Stop::failed("a line of this file was longer than there was memory for; open it anew"));
            }
            let (cutter, mut read) = reader.split();
            let taken = cutter.taken();
            if let Some(line) = cutter.line() {
                return text(line, taken).map(Some);
            }
            if cutter.has_ended() {
                return Ok(None);
            }
            let needs = cutter.held().saturating_sub(booked) as u64 + READ_AHEAD;
            if needs > site.room {
                return Err(Stop::Room(needs));
            }
            let spare = owners.iter().map(|s| (self.tree.node(*s).left(Budget::Read), *s)).min();
            if let Some((0, of)) = spare {
                return Err(Stop::Limit { budget: Budget::Read, of });
            }
            let most = self.accounts.left(&self.tree, site.account, Budget::Read).min(spare.map_or(u64::MAX, |(left, _)| left));
            let got = if most == 0 { 1 } else { cutter.fill(most, &mut read).map_err(|error| Stop::Failed(os_text(&error)))? as u64 };
            self.accounts.charge(&self.tree, site.account, Budget::Read, got)?;
            for s in &owners {
                self.tree.node(*s).used.add(Budget::Read, got);
            }
            self.accounts.spend(&self.tree, site.account, Budget::Fuel, got / BYTES_PER_UNIT);
        }
    }

    /// Nobody will ask again for the line that there was no room for: what was read of it is let go, or whoever has the file would hold it.
    pub(crate) fn lose_line(&mut self) {
        let Some(id) = self.unmet_line.take() else { return };
        self.held -= self.handles.size(id);
        if let Some(Open { resource: Resource::Lines(reader), .. }) = self.handles.get(id) {
            reader.lose();
        }
    }
}

fn text(bytes: Vec<u8>, before: u64) -> Result<String, Stop> {
    String::from_utf8(bytes).map_err(|error| {
        let at = before + error.utf8_error().valid_up_to() as u64;
        Stop::Failed(format!("not UTF-8 text at byte {at} (use fs.rdb)"))
    })
}
