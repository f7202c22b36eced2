//! The process around a realm: its standard streams, clocks and entropy.

use crate::net::Lookup;
use crate::process::{Launch, Running};
use cap_std::net::Pool;
use std::io;
use std::net::SocketAddr;

/// What the doorway asks of the process. The runtime's host file implements it, tests have doubles. Natives never see it: they reach
/// it through a permit.
pub trait Outside: Send + Sync {
    /// Writes all of it to standard output.
    ///
    /// # Errors
    /// What the system says.
    fn write_out(&self, bytes: &[u8]) -> io::Result<()>;
    /// Writes all of it to standard error.
    ///
    /// # Errors
    /// What the system says.
    fn write_err(&self, bytes: &[u8]) -> io::Result<()>;
    /// Waits until something of standard input, or its end, is there to be read, at most so many milliseconds; tells whether it is.
    ///
    /// # Errors
    /// What the system says.
    fn wait_in(&self, _ms: f64) -> io::Result<bool> {
        Ok(true)
    }
    /// Reads some of standard input; 0 is its end.
    ///
    /// # Errors
    /// What the system says.
    fn read_in(&self, into: &mut [u8]) -> io::Result<usize>;
    /// Milliseconds since 1970.
    fn wall_ms(&self) -> f64;
    /// Milliseconds of a clock that only goes forward.
    fn mono_ms(&self) -> f64;
    /// Waits that long, or less when the run is interrupted.
    fn sleep(&self, ms: f64);
    /// Was the run interrupted?
    fn interrupted(&self) -> bool {
        false
    }
    /// Begins to look up the addresses of a name, which is asked for exactly as it stands. Asked by the one function that authorises
    /// connections, of names that a rule allows.
    ///
    /// # Errors
    /// There is no resolver, or too many lookups are under way.
    fn lookup(&self, _name: &str) -> io::Result<Lookup> {
        Err(io::ErrorKind::NotFound.into())
    }
    /// A pool that holds exactly these addresses. One that holds none lets nothing connect.
    fn pool(&self, _addrs: &[SocketAddr]) -> Pool {
        Pool::new()
    }
    /// Starts a program, confined to what it is given. Asked by the doorway, of programs that are granted.
    ///
    /// # Errors
    /// It can't, in words for the script.
    fn start(&self, _launch: Launch) -> Result<Box<dyn Running>, String> {
        Err("this host starts no programs: it was built without the helper that confines them".to_owned())
    }
    /// Certificates in PEM whose signatures HTTPS trusts, besides those it has.
    fn authorities(&self) -> &str {
        ""
    }
    /// Fills with random bytes fit for keys.
    ///
    /// # Errors
    /// The system has none.
    fn random(&self, into: &mut [u8]) -> io::Result<()>;
}
