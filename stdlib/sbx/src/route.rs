//! Where a connection may go: what was decided, and the pool that holds it. (Stand-in until the network's own code is there.)

use crate::permit::Permit;
use crate::stop::Stop;
use cap_std::net::Pool;
use std::net::SocketAddr;

/// Where an allowed connection may go.
pub struct Route {
    /// The canonical host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What passed.
    pub addrs: Vec<SocketAddr>,
    /// What the operator's side lets through.
    pub pool: Pool,
}

impl Route {
    /// Does the pool hold this address?
    #[must_use]
    pub fn lets(&self, _addr: &SocketAddr) -> bool {
        true
    }
}

impl Permit<'_> {
    /// Decides.
    ///
    /// # Errors
    /// Never yet.
    pub fn connect(&mut self, host: &str, port: u16) -> Result<Route, Stop> {
        use std::net::ToSocketAddrs;
        let addrs = (host, port).to_socket_addrs().map_err(|_| Stop::failed("no such host"))?.collect();
        Ok(Route { host: host.to_owned(), port, addrs, pool: Pool::new() })
    }
}
