//! What tasks and channels ask of a realm beside the doorway.

use crate::denial::Rule;
use crate::doorway::{CALL_COST, denial};
use crate::event::Cost;
use crate::limits::Budget;
use crate::realm::{CallSite, Realm};
use crate::stop::Stop;
use ilu_cap::NativeId;
use std::borrow::Cow;

impl Realm {
    /// Says that this realm is a task's: its events carry the number.
    pub const fn set_task(&mut self, number: u32) {
        self.task = number;
    }

    /// The doorway for a value that goes through a channel. It asks what it asks of any call, and bills the same; but like the lines of an
    /// open file, what goes well is no event.
    ///
    /// # Errors
    /// The call is denied, or a budget ran out.
    pub fn pass(&mut self, site: &CallSite<'_>, native: NativeId) -> Result<(), Stop> {
        self.heed();
        let asked = self.may_pass(site, native);
        if asked.is_err() {
            self.record(site, native.name(), Vec::new(), Cow::Borrowed("channel"), Cost::default(), asked.as_ref().err());
        }
        asked
    }

    fn may_pass(&self, site: &CallSite<'_>, native: NativeId) -> Result<(), Stop> {
        self.live(site, native.name())?;
        if !self.has(site.authority, native) {
            return Err(denial(site, native.name(), Rule::NotHeld, Some(self.cap_hint(site.authority, native.row()))));
        }
        self.note_native(native);
        self.accounts.charge(&self.tree, site.account, Budget::Fuel, CALL_COST)?;
        self.accounts.charge(&self.tree, site.account, Budget::Calls(native), 1)?;
        let owners = self.accounts.owners(&self.tree, site.account, site.authority);
        crate::account::take(&self.tree, &owners, Budget::Calls(native), 1)
    }

    /// An operation that has waited finds whose it is, or whose the channel or task is, revoked: the denial, recorded.
    pub fn revoked(&mut self, site: &CallSite<'_>, native: NativeId) -> Stop {
        let stop = denial(site, native.name(), Rule::Revoked, None);
        self.record(site, native.name(), Vec::new(), Cow::Borrowed("handle"), Cost::default(), Some(&stop));
        stop
    }
}
