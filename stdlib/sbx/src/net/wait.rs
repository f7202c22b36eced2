//! Waiting for a descriptor without missing the deadline, an interrupt or a revocation.

use crate::permit::{LONGEST_NAP, Permit, os_text};
use crate::stop::Stop;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::os::fd::AsFd;
use std::time::Duration;

/// What a descriptor is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Something is to be read, or the end.
    Read,
    /// Something can be written, or a connection stands.
    Write,
}

impl Permit<'_> {
    /// Waits until a descriptor is ready, or until a time on the clock that only goes forward; tells whether it is. An error on the
    /// descriptor counts as ready: using it tells which.
    ///
    /// # Errors
    /// The time of the run ran out, or it was interrupted.
    pub fn wait(&mut self, fd: &impl AsFd, what: Ready, until: f64) -> Result<bool, Stop> {
        let flags = match what {
            Ready::Read => PollFlags::IN,
            Ready::Write => PollFlags::OUT,
        };
        loop {
            self.pulse()?;
            let nap = Duration::try_from_secs_f64(self.nap(until) / 1000.0).unwrap_or_default();
            let nap = Timespec::try_from(nap).map_err(|_| Stop::failed("the wait is too long"))?;
            match poll(&mut [PollFd::new(fd, flags)], Some(&nap)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(Stop::Failed(os_text(&error.into()))),
            }
            if self.mono_ms() >= until {
                return Ok(false);
            }
        }
    }

    /// Milliseconds to wait before the next look around: short, and not past `until` or the run's deadline.
    pub(super) fn nap(&mut self, until: f64) -> f64 {
        let now = self.mono_ms();
        let deadline = self.realm.accounts.deadline(&self.realm.tree, self.site.account).map_or(f64::INFINITY, |(deadline, _)| deadline);
        (until.min(deadline) - now).clamp(0.0, LONGEST_NAP)
    }
}
