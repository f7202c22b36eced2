//! What tasks and channels ask of a realm beside the doorway.

use crate::denial::Rule;
use crate::doorway::denial;
use crate::event::Cost;
use crate::realm::{CallSite, Realm};
use crate::stop::Stop;
use ilu_cap::NativeId;
use std::borrow::Cow;

impl Realm {
    /// An operation that has waited finds whose it is, or whose the channel or task is, revoked: the denial, recorded.
    pub fn revoked(&mut self, site: &CallSite<'_>, native: NativeId) -> Stop {
        let stop = denial(site, native.name(), Rule::Revoked, None);
        self.record(site, native.name(), Vec::new(), Cow::Borrowed("handle"), Cost::default(), Some(&stop));
        stop
    }
}
