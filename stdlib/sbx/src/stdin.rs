//! Reading standard input: one isolate at a time, and never past a deadline.

use crate::handle::{Cutter, READ_AHEAD};
use crate::limits::Budget;
use crate::permit::{LONGEST_NAP, Permit, os_text};
use crate::run::Input;
use crate::stop::Stop;
use std::sync::{Arc, MutexGuard, TryLockError};

impl Permit<'_> {
    /// The next line of standard input without its end, or with `all` the rest of it; nothing at its end.
    ///
    /// # Errors
    /// A budget would not last, the heap has no room, or the system refuses.
    pub fn read_in(&mut self, all: bool) -> Result<Option<Vec<u8>>, Stop> {
        let run = Arc::clone(&self.realm.run);
        let mut input = self.input(&run.input)?;
        // That much is booked as held already; the room is what is left beside it.
        let booked = run.input.held(self.realm.number);
        let read = self.read_from(&mut input, all, booked);
        run.input.book(input.size(), self.realm.number);
        read
    }

    /// Standard input, once no other isolate reads it.
    fn input<'i>(&mut self, input: &'i Input) -> Result<MutexGuard<'i, Cutter>, Stop> {
        loop {
            match input.cutter.try_lock() {
                Ok(cutter) => return Ok(cutter),
                Err(TryLockError::Poisoned(left)) => return Ok(left.into_inner()),
                Err(TryLockError::WouldBlock) => self.sleep(1.0)?,
            }
        }
    }

    fn read_from(&mut self, input: &mut Cutter, all: bool, booked: usize) -> Result<Option<Vec<u8>>, Stop> {
        loop {
            if !all && let Some(line) = input.line() {
                return Ok(Some(line));
            }
            if input.has_ended() {
                return Ok((input.held() > 0).then(|| input.rest()));
            }
            let needs = input.held().saturating_sub(booked) as u64 + READ_AHEAD;
            self.room(needs)?;
            let most = self.left(Budget::Read);
            if most == 0 {
                self.charge_read(1)?;
            }
            self.wait_in()?;
            let outside = &self.realm.run.outside;
            let got = input.fill(most, &mut |into| outside.read_in(into));
            let got = got.map_err(|error| Stop::Failed(format!("standard input: {}", os_text(&error))))?;
            self.charge_read(got as u64)?;
        }
    }

    /// Waits for standard input, but not past the deadline: whoever is at its other end may never write.
    fn wait_in(&mut self) -> Result<(), Stop> {
        loop {
            self.pulse()?;
            let now = self.mono_ms();
            let deadline = self.realm.accounts.deadline(&self.realm.tree, self.site.account);
            let nap = deadline.map_or(LONGEST_NAP, |(deadline, _)| (deadline - now).clamp(0.0, LONGEST_NAP));
            match self.realm.run.outside.wait_in(nap) {
                Ok(false) => {}
                Ok(true) => return Ok(()),
                Err(error) => return Err(Stop::Failed(format!("standard input: {}", os_text(&error)))),
            }
        }
    }
}
