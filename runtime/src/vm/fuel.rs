//! Fuel and the clock.
//!
//! The fast loop counts a slice down; here the slice is settled with the realm's accounts, and the interrupt flag and deadlines are
//! looked at. A unit of fuel is a call or a round of a loop, so a slice is well under a millisecond of running.

use super::Vm;
use crate::builtin::{Cx, Fault};
use ilu_sbx::{Budget, Stop};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Units granted at a time. At 20 to 100 ns a unit, a limit on time is looked at at least once a millisecond.
const SLICE: i64 = 8192;

impl Vm {
    /// Pays for work of the VM before it is done.
    #[inline]
    pub(super) fn spend(&mut self, units: usize) -> Result<(), Fault> {
        let before = self.fuel + self.reserve;
        match i64::try_from(units) {
            Ok(units) if units <= before => self.fuel -= units,
            _ => return Err(Fault::Fuel),
        }
        if self.heap.watch.is_late(before as u64, (self.fuel + self.reserve) as u64) { Err(Fault::Late) } else { Ok(()) }
    }

    /// Pays for work that a unit of fuel says little of, and has the clock looked at before the next unit.
    pub(super) fn look_soon(&mut self, units: usize) -> Result<(), Fault> {
        self.settle();
        self.spend(units)
    }

    /// Runs a piece of work that counts its own fuel.
    pub(super) fn counted<T>(&mut self, work: impl FnOnce(&mut Cx<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut left = self.fuel + self.reserve;
        let done = work(&mut Cx { heap: &mut self.heap.store, fuel: &mut left });
        self.fuel = left - self.reserve;
        done
    }

    /// Books what was used of the slice. The next checkpoint asks for a new one.
    pub(super) fn settle(&mut self) {
        if self.crew.is_some() {
            self.settle_beside();
            return;
        }
        let used = u64::try_from(self.granted - self.fuel).unwrap_or(0);
        self.realm.spend_fuel(self.account, used);
        self.realm.note_memory(self.account, self.heap.take_high() as u64);
        self.granted = 0;
        self.fuel = 0;
        self.reserve = i64::try_from(self.realm.fuel_left(self.account)).unwrap_or(i64::MAX / 2).min(i64::MAX / 2);
    }

    /// Settles the slice and grants the next, unless something has run out.
    pub(super) fn refuel(&mut self) -> Result<(), Fault> {
        self.settle();
        let outcome = self.look_around();
        if outcome.is_err()
            && let Some(frame) = self.frames.last_mut()
        {
            // The word that asked has not run; a place is always the word before `pc`.
            frame.pc += 1;
        }
        outcome
    }

    /// Ends the sandbox that was just entered when it, or one around it, has nothing left to run on.
    pub(super) fn has_something_left(&mut self) -> Result<(), Fault> {
        match self.realm.exhausted(self.account) {
            // The last of it is in hand.
            Some((Budget::Fuel, _)) if self.fuel + self.reserve > 0 => Ok(()),
            Some((budget, of)) => Err(Fault::Stop(Stop::Limit { budget, of })),
            None => Ok(()),
        }
    }

    pub(super) fn look_around(&mut self) -> Result<(), Fault> {
        if self.interrupt.load(Ordering::Relaxed) || self.realm.interrupted() {
            return Err(Fault::Stop(Stop::Interrupted));
        }
        if let Some((crew, seat)) = &self.crew {
            if seat.number == 0 && crew.is_ending() {
                return Err(Fault::Stop(Stop::Interrupted));
            }
            if seat.number > 0 && self.realm.is_revoked(self.own) {
                return Err(Fault::Revoked);
            }
        }
        match self.realm.exhausted(self.account) {
            // The last of it is in hand.
            Some((Budget::Fuel, _)) if self.crew.is_some() && self.reserve > 0 => {
                let now = self.realm.mono_ms();
                if let Some((_, of)) = self.realm.deadline(self.account).filter(|(deadline, _)| now >= *deadline) {
                    return Err(Fault::Stop(Stop::Limit { budget: Budget::Time, of }));
                }
            }
            Some((budget, of)) => return Err(Fault::Stop(Stop::Limit { budget, of })),
            None => {}
        }
        let grant = self.reserve.min(SLICE);
        self.granted = grant;
        self.fuel = grant;
        self.reserve -= grant;
        Ok(())
    }

    /// Tells long work when to stop: to be called when who is charged has changed.
    pub(super) fn set_watch(&mut self) {
        let now = self.realm.mono_ms();
        let left =
            self.realm.deadline(self.account).and_then(|(deadline, _)| Duration::try_from_secs_f64((deadline - now).max(0.0) / 1e3).ok());
        self.heap.watch.deadline = left.and_then(|left| Instant::now().checked_add(left));
        if let (Some((crew, _)), Some(deadline)) = (&self.crew, self.heap.watch.deadline) {
            // Whoever waits then must look at his own account's time.
            crew.alarm(deadline);
        }
    }

    /// Long work was told to stop: by the host, or because somebody's time is up.
    pub(super) fn late(&mut self) -> Stop {
        self.settle();
        if self.interrupt.load(Ordering::Relaxed) || self.realm.interrupted() {
            return Stop::Interrupted;
        }
        let of = self.realm.deadline(self.account).map_or(self.realm.root(), |(_, of)| of);
        Stop::Limit { budget: Budget::Time, of }
    }

    /// Work was asked for that costs more than is left: whoever is charged has run out.
    pub(super) fn drain(&mut self) -> Stop {
        self.settle();
        self.forfeit();
        let left = self.realm.fuel_left(self.account);
        self.realm.spend_fuel(self.account, left);
        let (budget, of) = self.realm.exhausted(self.account).unwrap_or((Budget::Fuel, self.realm.root()));
        Stop::Limit { budget, of }
    }
}
