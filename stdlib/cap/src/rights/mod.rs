//! Rights as values: what a sandbox may call, on what, and how much of it.
//!
//! A [`Rights`] is three answers side by side. *Which* natives, each perhaps bound to some arguments ([`Natives`]); *on what*: directories
//! ([`Dirs`]), environment names, programs, network rules ([`Subjects`]); *how much* ([`Budgets`]). A call is allowed when the first
//! two say yes ([`Rights::judge`]); who pays for it, and so whose budget ends it, is a matter of accounts and not decided here.
//!
//! All parts are kept in normal form, so `==` is equality of rights, and each is a distributive lattice under union and intersection:
//! both are associative, commutative and idempotent, absorb each other and distribute over each other. `a ⊆ b` is `a ∪ b = b`. The
//! difference is the least value for which `a ∖ b ⊆ c` exactly when `a ⊆ b ∪ c`: exact on natives and names; of whole trees, bounds and
//! network rules it keeps all that is not covered whole. What an intersection allows both sides allow, so attenuation by intersection
//! can never add anything: nothing a child may do is refused to its parent. A union is component by component and may allow a call
//! that neither side does: this one's native on that one's directory.
//!
//! Paths are compared as names. Which file a name leads to only the kernel knows: what is allowed here is still opened through a
//! directory's handle, which can refuse it, never widen it. This module does no I/O and never will: the tests of its laws need none.

mod access;
mod budgets;
mod dirs;
mod judge;
#[cfg(test)]
mod laws;
mod names;
mod natives;
mod net;
mod operand;
mod place;
#[cfg(test)]
mod tests;
mod weight;

pub use access::Access;
pub use budgets::{Budgets, Quantity};
pub use dirs::{Dirs, Grant};
pub use judge::{Refusal, Subject};
pub use names::Names;
pub use natives::{Bound, Natives};
pub use net::{Net, RuleList};
pub use operand::{Operand, operands};
pub use place::{Place, Places};

use crate::registry::NativeId;
use crate::set::CapSet;
use std::sync::Arc;

/// On what natives may act.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Subjects {
    /// Directories and files.
    pub dirs: Dirs,
    /// Environment variables.
    pub env: Names,
    /// Secrets.
    pub secrets: Names,
    /// Programs.
    pub programs: Names,
    /// Connections.
    pub net: Net,
}

impl Subjects {
    /// By one or the other.
    #[must_use]
    pub fn union(&self, other: &Subjects) -> Subjects {
        Subjects {
            dirs: self.dirs.union(&other.dirs),
            env: self.env.union(&other.env),
            secrets: self.secrets.union(&other.secrets),
            programs: self.programs.union(&other.programs),
            net: self.net.union(&other.net),
        }
    }

    /// By both.
    #[must_use]
    pub fn intersection(&self, other: &Subjects) -> Subjects {
        Subjects {
            dirs: self.dirs.intersection(&other.dirs),
            env: self.env.intersection(&other.env),
            secrets: self.secrets.intersection(&other.secrets),
            programs: self.programs.intersection(&other.programs),
            net: self.net.intersection(&other.net),
        }
    }

    /// What of this the other does not cover.
    #[must_use]
    pub fn difference(&self, other: &Subjects) -> Subjects {
        Subjects {
            dirs: self.dirs.difference(&other.dirs),
            env: self.env.difference(&other.env),
            secrets: self.secrets.difference(&other.secrets),
            programs: self.programs.difference(&other.programs),
            net: self.net.difference(&other.net),
        }
    }

    /// Is all of this in the other?
    #[must_use]
    pub fn is_subset(&self, other: &Subjects) -> bool {
        self.dirs.is_subset(&other.dirs)
            && self.env.is_subset(&other.env)
            && self.secrets.is_subset(&other.secrets)
            && self.programs.is_subset(&other.programs)
            && self.net.is_subset(&other.net)
    }
}

/// What a sandbox may do. The subjects are shared: most sandboxes have their maker's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    natives: Natives,
    subjects: Arc<Subjects>,
    budgets: Budgets,
}

impl Rights {
    /// No native, on nothing, nothing of it.
    #[must_use]
    pub fn none() -> Rights {
        Rights { natives: Natives::default(), subjects: Arc::default(), budgets: Budgets::none() }
    }

    /// From the three answers.
    #[must_use]
    pub fn new(natives: impl Into<Natives>, subjects: impl Into<Arc<Subjects>>, budgets: Budgets) -> Rights {
        Rights { natives: natives.into(), subjects: subjects.into(), budgets }
    }

    /// Which natives.
    #[must_use]
    pub const fn natives(&self) -> &Natives {
        &self.natives
    }

    /// Their set.
    #[must_use]
    pub const fn caps(&self) -> CapSet {
        self.natives.set()
    }

    /// On what.
    #[must_use]
    pub fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    /// On which directories.
    #[must_use]
    pub fn dirs(&self) -> &Dirs {
        &self.subjects.dirs
    }

    /// How much.
    #[must_use]
    pub const fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    /// The same with other natives.
    #[must_use]
    pub fn with_natives(mut self, natives: impl Into<Natives>) -> Rights {
        self.natives = natives.into();
        self
    }

    /// The same on other subjects.
    #[must_use]
    pub fn with_subjects(mut self, subjects: impl Into<Arc<Subjects>>) -> Rights {
        self.subjects = subjects.into();
        self
    }

    /// The same with other budgets.
    #[must_use]
    pub fn with_budgets(mut self, budgets: Budgets) -> Rights {
        self.budgets = budgets;
        self
    }

    /// All that either has. May allow what neither does: see the module.
    #[must_use]
    pub fn union(&self, other: &Rights) -> Rights {
        Rights {
            natives: self.natives.union(&other.natives),
            subjects: self.shared(other, Subjects::union),
            budgets: self.budgets.union(&other.budgets),
        }
    }

    /// What both have: allows a call exactly when both do.
    #[must_use]
    pub fn intersection(&self, other: &Rights) -> Rights {
        Rights {
            natives: self.natives.intersection(&other.natives),
            subjects: self.shared(other, Subjects::intersection),
            budgets: self.budgets.intersection(&other.budgets),
        }
    }

    /// What of this the other does not cover: the least value that, together with the other, gives all of this again.
    #[must_use]
    pub fn difference(&self, other: &Rights) -> Rights {
        let same = Arc::ptr_eq(&self.subjects, &other.subjects);
        Rights {
            natives: self.natives.difference(&other.natives),
            subjects: if same { Arc::default() } else { Arc::new(self.subjects.difference(&other.subjects)) },
            budgets: self.budgets.difference(&other.budgets),
        }
    }

    /// Has the other all that this has?
    #[must_use]
    pub fn is_subset(&self, other: &Rights) -> bool {
        self.natives.is_subset(&other.natives)
            && (Arc::ptr_eq(&self.subjects, &other.subjects) || self.subjects.is_subset(&other.subjects))
            && self.budgets.is_subset(&other.budgets)
    }

    /// The same, one native bound to some arguments. `None` when that native takes no such argument.
    #[must_use]
    pub fn narrow(&self, native: NativeId, bound: &Bound) -> Option<Rights> {
        Some(self.clone().with_natives(self.natives.narrow(native, bound)?))
    }

    /// Two that share their subjects have the union and the intersection of them in hand.
    fn shared(&self, other: &Rights, op: fn(&Subjects, &Subjects) -> Subjects) -> Arc<Subjects> {
        if Arc::ptr_eq(&self.subjects, &other.subjects) {
            return Arc::clone(&self.subjects);
        }
        Arc::new(op(&self.subjects, &other.subjects))
    }
}
