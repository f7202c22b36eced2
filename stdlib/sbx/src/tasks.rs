//! What tasks and channels ask of a realm beside the doorway.

use crate::denial::Rule;
use crate::doorway::denial;
use crate::event::Cost;
use crate::ids::{AccountId, SbxId};
use crate::limits::Budget;
use crate::purse::Purse;
use crate::realm::{CallSite, Realm};
use crate::sandbox::Shared;
use crate::stop::Stop;
use ilu_cap::NativeId;
use std::borrow::Cow;
use std::sync::Arc;

/// Units of fuel that a value costs which goes through a channel: as any call of a native.
pub const PASS_COST: u64 = crate::doorway::CALL_COST;

/// A task's place in the budgets of the sandboxes that it lives on. It is free again when this is dropped.
#[derive(Debug)]
pub struct TaskPlace(Vec<Arc<Shared>>);

impl TaskPlace {
    /// One in each of them, or the limit of the first that has none left.
    fn take(payers: Vec<Arc<Shared>>) -> Result<TaskPlace, u64> {
        let mut place = TaskPlace(Vec::with_capacity(payers.len()));
        for shared in payers {
            if !shared.used.tasks.take(1, shared.limits.tasks) {
                return Err(shared.limits.tasks);
            }
            place.0.push(shared);
        }
        Ok(place)
    }
}

impl Drop for TaskPlace {
    fn drop(&mut self) {
        self.0.iter().for_each(|shared| shared.used.tasks.sub(1));
    }
}

impl Realm {
    /// A place for a task that the code of a sandbox starts, at the cost of an account.
    ///
    /// # Errors
    /// There are as many as there may be.
    pub fn task_place(&self, account: AccountId, authority: SbxId) -> Result<TaskPlace, Stop> {
        let payers = self.payers(account, authority).into_iter().map(|s| Arc::clone(self.tree.node(s))).collect();
        TaskPlace::take(payers).map_err(|limit| Stop::Failed(format!("too many tasks at a time (limit {limit}): wait for some of them")))
    }

    /// Says that this realm is a task's: its events carry the number.
    pub const fn set_task(&mut self, number: u32) {
        self.task = number;
    }

    /// Whose memory it is that the code of an account takes.
    #[must_use]
    pub fn purse(&self, account: AccountId) -> Purse {
        Purse(self.accounts.of(account).iter().map(|s| Arc::clone(self.tree.node(*s))).collect())
    }

    /// Takes fuel before it is used: as much as was wanted, or what is left. What is not used is to be returned.
    pub fn advance_fuel(&mut self, account: AccountId, want: u64) -> u64 {
        let mut want = want;
        loop {
            want = want.min(self.accounts.left(&self.tree, account, Budget::Fuel));
            if want == 0 || self.accounts.charge(&self.tree, account, Budget::Fuel, want).is_ok() {
                return want;
            }
        }
    }

    /// Gives back fuel that was taken and not used.
    pub fn return_fuel(&mut self, account: AccountId, unused: u64) {
        self.accounts.give_back(&self.tree, account, unused);
    }

    /// The doorway for a value that goes through a channel, up to what it costs: it asks what it asks of any call; but like the lines of an
    /// open file, what goes well is no event. Then [`PASS_COST`] is due, out of what the isolate has taken in advance, and then
    /// [`Realm::passed`]: two isolates that hand values to each other would else fight over one counter at every value.
    ///
    /// # Errors
    /// The call is denied.
    pub fn may_pass(&mut self, site: &CallSite<'_>, native: NativeId) -> Result<(), Stop> {
        self.heed();
        let asked = self.asked_to_pass(site, native);
        self.told(site, native, asked)
    }

    /// Bills the call of a native that a value went through a channel by.
    ///
    /// # Errors
    /// There were as many as there may be.
    pub fn passed(&mut self, site: &CallSite<'_>, native: NativeId) -> Result<(), Stop> {
        let billed = self.bill(site, native);
        self.told(site, native, billed)
    }

    fn told(&mut self, site: &CallSite<'_>, native: NativeId, asked: Result<(), Stop>) -> Result<(), Stop> {
        if asked.is_err() {
            self.record(site, native.name(), Vec::new(), Cow::Borrowed("channel"), Cost::default(), asked.as_ref().err());
        }
        asked
    }

    fn asked_to_pass(&self, site: &CallSite<'_>, native: NativeId) -> Result<(), Stop> {
        self.live(site, native.name())?;
        if !self.has(site.authority, native) {
            return Err(denial(site, native.name(), Rule::NotHeld, Some(self.cap_hint(site.authority, native.row()))));
        }
        self.note_native(native);
        Ok(())
    }

    fn bill(&self, site: &CallSite<'_>, native: NativeId) -> Result<(), Stop> {
        self.accounts.charge(&self.tree, site.account, Budget::Calls(native), 1)?;
        let owners = self.accounts.owners(&self.tree, site.account, site.authority);
        crate::account::take(&self.tree, &owners, Budget::Calls(native), 1)?;
        let leases = &self.tree.node(site.authority).leases;
        if !leases.is_empty() {
            let taken = leases.of(native).take(self.run.outside.mono_ms());
            taken.map_err(|how| denial(site, native.name(), Rule::LeaseOver(how), None))?;
        }
        Ok(())
    }

    /// An operation that has waited finds whose it is, or whose the channel or task is, revoked: the denial, recorded.
    pub fn revoked(&mut self, site: &CallSite<'_>, native: NativeId) -> Stop {
        let stop = denial(site, native.name(), Rule::Revoked, None);
        self.record(site, native.name(), Vec::new(), Cow::Borrowed("handle"), Cost::default(), Some(&stop));
        stop
    }
}
