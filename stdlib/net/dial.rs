//! The one place that connects a socket.
//!
//! A route holds addresses that passed and a pool of exactly these; the pool makes the connection, so an address that did not pass can't be
//! connected to even by mistake here. The socket does not block: whoever waits looks at the deadline between.

use cap_net_ext::{AddressFamily, Blocking, PoolExt, TcpListenerExt};
use cap_std::net::{TcpListener, TcpStream};
use ilu_sbx::permit::os_text;
use ilu_sbx::{Permit, Ready, Route, Stop};
use rustix::io::Errno;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

/// Milliseconds that connecting to one address may take.
const CONNECT_MS: f64 = 10_000.0;
/// Milliseconds for all addresses of a name together.
const ALL_MS: f64 = 30_000.0;

/// Connects to the first address of a route that answers. The stream does not block.
///
/// # Errors
/// None answers, or the run's time ran out.
pub fn dial(permit: &mut Permit<'_>, route: &Route) -> Result<TcpStream, Stop> {
    let end = permit.mono_ms() + ALL_MS;
    let mut last = None;
    for addr in route.addrs() {
        let until = (permit.mono_ms() + CONNECT_MS).min(end);
        match attempt(permit, route, *addr, until)? {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
        if permit.mono_ms() >= end {
            break;
        }
    }
    let why = last.map_or_else(|| "there is no address".to_owned(), |error| os_text(&error));
    Err(Stop::Failed(format!("no connection to {}:{}: {why}", route.host(), route.port())))
}

/// Begins to connect to an address through the pool of a decision; nothing is waited for. The socket is ready to be written to when the
/// connection stands, or has failed: then its pending error says why.
///
/// # Errors
/// The address is not in the pool, or the system has no socket for it.
pub fn begin(route: &Route, addr: SocketAddr) -> io::Result<OwnedFd> {
    // A socket that is not yet anything; the library calls all of them listeners.
    let socket = TcpListener::new(AddressFamily::of_socket_addr(addr), Blocking::No)?;
    match route.pool().connect_existing_tcp_listener(&socket, addr) {
        Ok(()) => Ok(socket.into()),
        Err(error) if error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error()) => Ok(socket.into()),
        Err(error) => Err(error),
    }
}

fn attempt(permit: &mut Permit<'_>, route: &Route, addr: SocketAddr, until: f64) -> Result<io::Result<TcpStream>, Stop> {
    let socket = match begin(route, addr) {
        Ok(socket) => socket,
        Err(error) => return Ok(Err(error)),
    };
    if !permit.wait(&socket, Ready::Write, until)? {
        return Ok(Err(Errno::TIMEDOUT.into()));
    }
    match rustix::net::sockopt::socket_error(&socket) {
        Ok(Ok(())) => {}
        Ok(Err(error)) | Err(error) => return Ok(Err(error.into())),
    }
    let stream = TcpStream::from(socket);
    Ok(stream.set_nodelay(true).map(|()| stream))
}
