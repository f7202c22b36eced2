//! Waiting in the loop: whatever is waited for, deadlines, interrupts and revocations are looked at every few milliseconds.

use super::client::Http;
use super::exchange::Broken;
use super::failure::Failure;
use ilu_sbx::Permit;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Milliseconds between two looks at deadlines and interrupts.
const NAP_MS: f64 = 20.0;
/// Timers kept for requests to come.
const MAX_TIMERS: usize = 32;

/// When the time for a whole request is over.
#[derive(Clone, Copy)]
pub struct Clock {
    /// On the clock that only goes forward.
    pub at: f64,
    /// The milliseconds that were given.
    pub ms: u64,
    /// Is there no connection yet?
    pub connecting: bool,
}

impl Clock {
    /// From now on.
    pub fn start(permit: &mut Permit<'_>, ms: u64) -> Clock {
        #[allow(clippy::cast_precision_loss, reason = "at most a day")]
        let at = permit.mono_ms() + ms as f64;
        Clock { at, ms, connecting: false }
    }

    /// Has anything happened that ends the request?
    ///
    /// # Errors
    /// It has.
    pub fn look(self, permit: &mut Permit<'_>) -> Result<(), Broken> {
        permit.pulse()?;
        if permit.mono_ms() < self.at {
            return Ok(());
        }
        Err(if self.connecting { Failure::NoConnection(self.ms) } else { Failure::TimedOut(self.ms) }.into())
    }

    /// How long to wait until the next look.
    pub fn nap(self, permit: &mut Permit<'_>) -> Duration {
        let left = (self.at - permit.mono_ms()).clamp(0.5, NAP_MS);
        Duration::try_from_secs_f64(left / 1000.0).unwrap_or(Duration::from_millis(1))
    }

    /// What comes of something, or none when it has not come until then.
    ///
    /// # Errors
    /// The request is to end.
    pub async fn wait_until<T>(
        self,
        permit: &mut Permit<'_>,
        timer: &mut Timer<'_>,
        until: f64,
        next: impl Future<Output = T>,
    ) -> Result<Option<T>, Broken> {
        let mut next = pin!(next);
        loop {
            tokio::select! {
                biased;
                done = next.as_mut() => return Ok(Some(done)),
                () = timer.over() => {
                    self.look(permit)?;
                    if permit.mono_ms() >= until {
                        return Ok(None);
                    }
                    timer.no_later_than(self.nap(permit));
                }
            }
        }
    }
}

/// A timer that outlives its request, since to set one up for each piece costs more than the piece. It may go off early.
pub struct Timer<'h> {
    http: &'h Http,
    /// There until it is given back.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer<'_> {
    /// One for a request, due within so long. To be made in the loop.
    pub fn new(http: &Http, within: Duration) -> Timer<'_> {
        let kept = http.timers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut timer = Timer { http, sleep: Some(kept.unwrap_or_else(|| Box::pin(tokio::time::sleep(within)))) };
        timer.no_later_than(within);
        timer
    }

    /// Waits until it goes off, once for each time that it is set.
    pub async fn over(&mut self) {
        if let Some(sleep) = &mut self.sleep {
            sleep.as_mut().await;
        }
    }

    /// Sets it to go off after so long, or earlier when it would anyway.
    pub fn no_later_than(&mut self, within: Duration) {
        let until = Instant::now() + within;
        if let Some(sleep) = self.sleep.as_mut().filter(|sleep| sleep.is_elapsed() || sleep.deadline() > until) {
            sleep.as_mut().reset(until);
        }
    }
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        let mut timers = self.http.timers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sleep) = self.sleep.take().filter(|_| timers.len() < MAX_TIMERS) {
            timers.push(sleep);
        }
    }
}
