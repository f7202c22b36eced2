//! Open resources that natives bring with them: sockets and the like. What they are is the natives' business; whose they are is kept here.

use crate::denial::Rule;
use crate::handle::Resource;
use crate::permit::Permit;
use crate::plain::HandleId;
use crate::stop::Stop;
use std::any::Any;
use std::sync::Arc;

impl Permit<'_> {
    /// Opens a resource of the native's own; `kind` is what `typ` says of it.
    ///
    /// # Errors
    /// Too many are open.
    pub fn open_shared(&mut self, resource: Arc<dyn Any + Send + Sync>, kind: &'static str) -> Result<HandleId, Stop> {
        self.open(Resource::Shared(resource, kind))
    }

    /// An open resource of one type; `what` names that in errors. Ask again after waiting: it may have been revoked.
    ///
    /// # Errors
    /// It was closed or revoked, or is something else.
    pub fn shared<T: Any + Send + Sync>(&mut self, id: HandleId, what: &str) -> Result<Arc<T>, Stop> {
        let native = self.native.name();
        let Some(open) = self.realm.handles.get(id) else { return Err(Stop::Failed(format!("{native}: the {what} is closed"))) };
        let (owner, late) = (open.owner, open.leased.late(self.realm.run.outside.mono_ms()));
        if let Some(how) = late {
            return Err(self.deny(Rule::LeaseOver(how), None));
        }
        let Some(open) = self.realm.handles.get(id) else { return Err(Stop::Failed(format!("{native}: the {what} is closed"))) };
        let found = match &open.resource {
            Resource::Revoked(_) => None,
            Resource::Shared(resource, _) => match Arc::clone(resource).downcast::<T>() {
                Ok(found) => Some(found),
                Err(_) => return Err(Stop::Failed(format!("{native}: this is not a {what}"))),
            },
            Resource::Lines(_) => return Err(Stop::Failed(format!("{native}: this is not a {what}"))),
        };
        match found {
            Some(found) if !self.realm.is_revoked(owner) => Ok(found),
            _ => Err(self.deny(Rule::Revoked, None)),
        }
    }

    /// Closes an open resource; doing it again changes nothing.
    pub fn close(&mut self, id: HandleId) {
        self.realm.close_handle(id);
    }

    /// Charges bytes about to be sent.
    ///
    /// # Errors
    /// The budget would not last.
    pub fn charge_sent(&mut self, bytes: u64) -> Result<(), Stop> {
        self.charge_written(bytes)
    }

    /// Bytes that may still be read.
    #[must_use]
    pub fn readable(&self) -> u64 {
        self.left(crate::limits::Budget::Read)
    }
}
