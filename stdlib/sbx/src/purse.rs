//! Memory that several isolates, and what is on its way between them, take out of one budget.
//!
//! An isolate that is not alone holds a lease for what its heap may grow to; a value on its way holds one for itself. What all of a
//! sandbox hold together never exceeds its budget.

use crate::limits::Budget;
use crate::sandbox::Shared;
use std::sync::Arc;

/// Whose memory it is: every sandbox that an account charges.
#[derive(Clone, Debug)]
pub struct Purse(pub(crate) Arc<[Arc<Shared>]>);

/// Bytes that were taken. They go back when it is dropped.
#[derive(Debug)]
pub struct Lease {
    purse: Purse,
    bytes: u64,
}

impl Purse {
    /// Takes so many bytes, or none.
    #[must_use]
    pub fn take(&self, bytes: u64) -> Option<Lease> {
        self.grab(bytes).then(|| Lease { purse: self.clone(), bytes })
    }

    fn grab(&self, bytes: u64) -> bool {
        for (n, shared) in self.0.iter().enumerate() {
            if !shared.used.leased.take(bytes, shared.limits.of(Budget::Memory)) {
                for taken in self.0.iter().take(n) {
                    taken.used.leased.sub(bytes);
                }
                return false;
            }
        }
        for shared in self.0.iter() {
            // Alone, an isolate says what it holds; beside others, what all of them took counts.
            shared.used.memory.raise(shared.used.leased.get());
        }
        true
    }

    fn put_back(&self, bytes: u64) {
        for shared in self.0.iter() {
            shared.used.leased.sub(bytes);
        }
    }
}

impl Lease {
    /// How many.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes it so many; when there are not so many it stays as it is, and says so.
    pub fn set(&mut self, bytes: u64) -> bool {
        if bytes <= self.bytes {
            self.purse.put_back(self.bytes - bytes);
        } else if !self.purse.grab(bytes - self.bytes) {
            return false;
        }
        self.bytes = bytes;
        true
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.purse.put_back(self.bytes);
    }
}
