//! What natives keep between calls, for the life of a run: a cache of connections, a server's loop.
//!
//! A service is found by its type. It knows which sandbox each thing it keeps is for, and lets go of it when that sandbox is revoked; it
//! never serves one sandbox with what another left.

use crate::denial::Rule;
use crate::limits::Budget;
use crate::permit::Permit;
use crate::sandbox::Owner;
use crate::stop::Stop;
use ilu_cap::NativeId;
use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

/// Something that natives keep.
pub trait Service: Any + Send + Sync {
    /// Something was revoked: what is kept for owners that are gone is to be closed.
    fn heed(&self);
}

/// The services of a run; clones are the same ones.
#[derive(Clone, Default)]
pub struct Services {
    all: Arc<Mutex<Vec<Arc<dyn Service>>>>,
}

impl Services {
    /// The one of this type, made when it is first asked for.
    #[must_use]
    pub fn get<T: Service + Default>(&self) -> Arc<T> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        for known in all.iter() {
            let known: Arc<dyn Any + Send + Sync> = Arc::clone(known) as _;
            if let Ok(found) = known.downcast::<T>() {
                return found;
            }
        }
        let made = Arc::new(T::default());
        all.push(Arc::clone(&made) as _);
        made
    }

    pub(crate) fn heed(&self) {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.iter().for_each(|service| service.heed());
    }
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

impl Permit<'_> {
    /// What natives of this kind keep between calls.
    #[must_use]
    pub fn service<T: Service + Default>(&self) -> Arc<T> {
        self.realm.run.services.get()
    }

    /// The sandbox whose authority the call has: the owner of what is kept.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner::of(self.realm.tree.node(self.site.authority))
    }

    /// Bytes of heap that the caller's tightest sandbox may have.
    #[must_use]
    pub fn memory_limit(&self) -> u64 {
        self.realm.memory_limit(self.site.account).0
    }

    /// Certificates in PEM that the operator trusts besides those that are built in.
    #[must_use]
    pub fn authorities(&self) -> &str {
        self.realm.run.outside.authorities()
    }

    /// Asks that the caller hold another native too: what this one is about to do is that one's work. It counts as a call of that one, and
    /// the path that is named next is one of that one's as well.
    ///
    /// # Errors
    /// It does not, or not any more.
    pub fn also(&mut self, native: NativeId) -> Result<(), Stop> {
        if !self.realm.has(self.site.authority, native) {
            let hint = self.realm.cap_hint(self.site.authority, native.row());
            return Err(self.deny(Rule::NotHeldToo(native.name()), Some(hint)));
        }
        if self.left(Budget::Calls(native)) == 0 {
            self.charge(Budget::Calls(native), 1)?;
        }
        let leases = self.realm.tree.node(self.site.authority).leases.of_besides(native, self.native);
        self.lease(&leases)?;
        self.besides.push(native);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Counter(Mutex<usize>);

    impl Service for Counter {
        fn heed(&self) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        }
    }

    #[derive(Default)]
    struct Other;

    impl Service for Other {
        fn heed(&self) {}
    }

    #[test]
    fn a_service_is_one_for_the_run_and_hears_of_revocation() {
        let services = Services::default();
        let first = services.get::<Counter>();
        let _ = services.get::<Other>();
        assert!(Arc::ptr_eq(&first, &services.clone().get::<Counter>()));
        services.heed();
        assert_eq!(*first.0.lock().unwrap_or_else(PoisonError::into_inner), 1);
    }
}
