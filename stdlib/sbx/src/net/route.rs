//! What an authorised connection is: where to, and the pool through which alone it can be made.

use cap_std::net::Pool;
use ilu_pol::net::Host;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// A connection that was authorised: made by [`crate::Permit::connect`] and nowhere else.
#[derive(Clone)]
pub struct Route {
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) addrs: Vec<SocketAddr>,
    pub(super) pool: Pool,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Route").field("host", &self.host).field("port", &self.port).field("addrs", &self.addrs).finish_non_exhaustive()
    }
}

impl Route {
    /// The host, canonical.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The addresses that passed, in the resolver's order.
    #[must_use]
    pub fn addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    /// The pool that holds exactly those.
    #[must_use]
    pub const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Is a connection to this address one of those that passed? For code that connects by other means than the pool: asked of the address
    /// that the system says the peer has.
    #[must_use]
    pub fn holds(&self, addr: &SocketAddr) -> bool {
        self.pool._pool().check_addr(addr).is_ok() && self.addrs.contains(addr)
    }
}

/// An address to listen on that was authorised: made by [`crate::Permit::listen`] and nowhere else.
#[derive(Clone)]
pub struct Listening {
    pub(super) addr: SocketAddr,
    pub(super) pool: Pool,
}

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listening").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Listening {
    /// The address.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The pool that holds it.
    #[must_use]
    pub const fn pool(&self) -> &Pool {
        &self.pool
    }
}

/// A lookup under way. The process does it beside the run, so that whoever waits can look at the deadline.
#[derive(Debug)]
pub struct Lookup {
    answer: Receiver<io::Result<Vec<IpAddr>>>,
}

impl Lookup {
    /// A lookup, and where its answer is to be put.
    #[must_use]
    pub fn new() -> (Sender<io::Result<Vec<IpAddr>>>, Lookup) {
        let (sender, answer) = channel();
        (sender, Lookup { answer })
    }

    /// One whose answer is there.
    #[must_use]
    pub fn ready(answer: io::Result<Vec<IpAddr>>) -> Lookup {
        let (sender, lookup) = Lookup::new();
        // The other end is held here.
        let _ = sender.send(answer);
        lookup
    }

    /// The answer, when it comes within so many milliseconds.
    pub(super) fn wait(&self, ms: f64) -> Option<io::Result<Vec<IpAddr>>> {
        match self.answer.recv_timeout(Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()) {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(io::ErrorKind::NotFound.into())),
        }
    }
}
