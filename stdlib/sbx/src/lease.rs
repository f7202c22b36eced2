//! Leases: grants that end, after a time or after so many uses.
//!
//! A sandbox, or one mount of its view, has a set of leases, and each of them must still run. A child has those of its maker and its own,
//! a meeting those of both: so sets are joined, never thinned, and what a child may still do its maker may too. A use is taken from
//! each before anything is done, and given back when the call is denied after all or made again for room.

use crate::counter::Counter;
use crate::limits::NO_LIMIT;
use ilu_cap::{GrantKind, NativeId};
use std::sync::Arc;

/// How long and how often; what is left out does not end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Milliseconds from when it was given.
    pub ms: Option<u64>,
    /// Uses.
    pub uses: Option<u64>,
}

impl Terms {
    /// Does it never end?
    #[must_use]
    pub const fn is_endless(&self) -> bool {
        self.ms.is_none() && self.uses.is_none()
    }
}

/// What is leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Every call of a native.
    All,
    /// Calls on environment variables.
    Env,
    /// Calls on the network.
    Net,
    /// Calls of one native.
    Native(NativeId),
    /// Paths through one mount.
    Mount,
}

impl On {
    fn is_for(self, native: NativeId) -> bool {
        match self {
            On::All => true,
            On::Env => native.row().grant == GrantKind::Env,
            On::Net => native.row().grant == GrantKind::Net,
            On::Native(leased) => leased == native,
            On::Mount => false,
        }
    }
}

/// A lease that was given.
#[derive(Debug)]
pub(crate) struct Lease {
    on: On,
    terms: Terms,
    /// When it ends, on the clock that only goes forward.
    until: f64,
    used: Counter,
}

impl Lease {
    pub(crate) fn new(on: On, terms: Terms, now: f64) -> Arc<Lease> {
        #[allow(clippy::cast_precision_loss, reason = "milliseconds")]
        let until = terms.ms.map_or(f64::INFINITY, |ms| now + ms as f64);
        Arc::new(Lease { on, terms, until, used: Counter::default() })
    }

    /// Its terms in words, when its time is up.
    fn late(&self, now: f64) -> Option<String> {
        (now >= self.until).then(|| format!("{} ms are over", self.terms.ms.unwrap_or_default()))
    }

    fn take(&self, now: f64) -> Result<(), String> {
        if let Some(late) = self.late(now) {
            return Err(late);
        }
        let most = self.terms.uses.unwrap_or(NO_LIMIT);
        if self.used.take(1, most) {
            return Ok(());
        }
        Err(if most == 1 { "1 use was made".to_owned() } else { format!("{most} uses were made") })
    }
}

/// Leases that must all run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leases(Box<[Arc<Lease>]>);

impl Leases {
    /// These and those of the other.
    pub(crate) fn and(&self, other: &Leases) -> Leases {
        if other.0.is_empty() {
            return self.clone();
        }
        self.0.iter().chain(&other.0).cloned().collect()
    }

    /// These and one more.
    pub(crate) fn with(&self, lease: Arc<Lease>) -> Leases {
        self.and(&Leases(Box::new([lease])))
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes that it takes; those of its leases are counted with who gave them.
    pub(crate) fn weight(&self) -> usize {
        size_of_val(&*self.0) + if self.0.is_empty() { 0 } else { size_of::<Lease>() + 32 }
    }

    /// Takes a use from each, or from none; the error says which has ended, in words. Gives what was taken.
    pub(crate) fn take(&self, now: f64) -> Result<Leases, String> {
        let mut taken = Taken::default();
        for lease in &self.0 {
            // Dropped on the way out, it gives back what was taken.
            lease.take(now)?;
            taken.0.push(Arc::clone(lease));
        }
        Ok(taken.keep())
    }

    /// All of both, each as often as it is in them.
    pub(crate) fn joined(self, other: Leases) -> Leases {
        Leases(self.0.into_iter().chain(other.0).collect())
    }

    /// Those of a native.
    pub(crate) fn of(&self, native: NativeId) -> Leases {
        self.0.iter().filter(|lease| lease.on.is_for(native)).cloned().collect()
    }

    /// Those of a native that are not another's as well.
    pub(crate) fn of_besides(&self, native: NativeId, other: NativeId) -> Leases {
        self.0.iter().filter(|lease| lease.on.is_for(native) && !lease.on.is_for(other)).cloned().collect()
    }

    /// Which has run out of time, in words.
    pub(crate) fn late(&self, now: f64) -> Option<String> {
        self.0.iter().find_map(|lease| lease.late(now))
    }

    /// Gives a use back to each.
    pub(crate) fn give_back(&self) {
        self.0.iter().for_each(|lease| lease.used.sub(1));
    }
}

impl FromIterator<Arc<Lease>> for Leases {
    fn from_iter<I: IntoIterator<Item = Arc<Lease>>>(leases: I) -> Leases {
        let mut all: Vec<Arc<Lease>> = leases.into_iter().collect();
        all.sort_unstable_by_key(|lease| Arc::as_ptr(lease).addr());
        all.dedup_by(|a, b| Arc::ptr_eq(a, b));
        Leases(all.into_boxed_slice())
    }
}

/// Uses that are given back unless they are kept.
#[derive(Default)]
struct Taken(Vec<Arc<Lease>>);

impl Taken {
    fn keep(mut self) -> Leases {
        Leases(std::mem::take(&mut self.0).into_boxed_slice())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.iter().for_each(|lease| lease.used.sub(1));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn given() -> impl Strategy<Value = Vec<(Terms, u8)>> {
        let most = || prop::option::of(0u64..4);
        prop::collection::vec(((most(), most()).prop_map(|(ms, uses)| Terms { ms, uses }), 0u8..3), 0..5)
    }

    /// Three sets that have leases in common.
    fn sets(given: &[(Terms, u8)]) -> [Leases; 3] {
        let all: Vec<(Arc<Lease>, u8)> = given.iter().map(|(terms, of)| (Lease::new(On::All, *terms, 0.0), *of)).collect();
        [0, 1, 2].map(|n| all.iter().filter(|(_, of)| *of == n || *of == 2).map(|(lease, _)| Arc::clone(lease)).collect())
    }

    fn same(a: &Leases, b: &Leases) -> bool {
        a.0.len() == b.0.len() && a.0.iter().zip(&b.0).all(|(a, b)| Arc::ptr_eq(a, b))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_meets_has_the_leases_of_both(given in given(), now in 0u8..4, rounds in 0usize..4) {
            let [a, b, c] = sets(&given);
            prop_assert!(same(&a.and(&b), &b.and(&a)));
            prop_assert!(same(&a.and(&a), &a));
            prop_assert!(same(&a.and(&b).and(&c), &a.and(&b.and(&c))));
            // Monotone: what the meeting may do each may; and what both may, it may.
            for _ in 0..rounds {
                let _ = c.take(f64::from(now));
            }
            let may = |leases: &Leases| leases.take(f64::from(now)).map(|taken| taken.give_back()).is_ok();
            prop_assert_eq!(may(&a.and(&b)), may(&a) && may(&b));
        }

        #[test]
        fn a_use_is_taken_from_all_or_from_none(given in given(), now in 0u8..4) {
            let [a, _, _] = sets(&given);
            let before: Vec<u64> = a.0.iter().map(|lease| lease.used.get()).collect();
            let taken = a.take(f64::from(now));
            let added = u64::from(taken.is_ok());
            for (lease, before) in a.0.iter().zip(before) {
                prop_assert_eq!(lease.used.get(), before + added);
            }
            if let Ok(taken) = taken {
                prop_assert!(given.iter().all(|(terms, of)| *of == 1 || terms.uses != Some(0) && terms.ms.is_none_or(|ms| u64::from(now) < ms)));
                taken.give_back();
                prop_assert!(a.0.iter().all(|lease| lease.used.get() == 0));
            }
        }
    }
}
