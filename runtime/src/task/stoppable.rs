//! The process as the isolates of a run see it: it is as good as interrupted, for natives that block, when the run's tasks are to end.

use ilu_sbx::{Launch, Lookup, Outside, Pool, Running};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A process, and the wish that tasks end.
pub(crate) struct Stoppable {
    /// The process.
    pub outside: Box<dyn Outside>,
    /// Set when the script is over.
    pub stop: Arc<AtomicBool>,
}

// What is left out would be the trait's own answer instead of the process's.
#[deny(clippy::missing_trait_methods)]
impl Outside for Stoppable {
    fn write_out(&self, bytes: &[u8]) -> io::Result<()> {
        self.outside.write_out(bytes)
    }
    fn write_err(&self, bytes: &[u8]) -> io::Result<()> {
        self.outside.write_err(bytes)
    }
    fn wait_in(&self, ms: f64) -> io::Result<bool> {
        self.outside.wait_in(ms)
    }
    fn read_in(&self, into: &mut [u8]) -> io::Result<usize> {
        self.outside.read_in(into)
    }
    fn wall_ms(&self) -> f64 {
        self.outside.wall_ms()
    }
    fn mono_ms(&self) -> f64 {
        self.outside.mono_ms()
    }
    fn sleep(&self, ms: f64) {
        self.outside.sleep(ms);
    }
    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.outside.interrupted()
    }
    fn lookup(&self, name: &str) -> io::Result<Lookup> {
        self.outside.lookup(name)
    }
    fn pool(&self, addrs: &[SocketAddr]) -> Pool {
        self.outside.pool(addrs)
    }
    fn authorities(&self) -> &str {
        self.outside.authorities()
    }
    fn start(&self, launch: Launch) -> Result<Box<dyn Running>, String> {
        self.outside.start(launch)
    }
    fn random(&self, into: &mut [u8]) -> io::Result<()> {
        self.outside.random(into)
    }
}
