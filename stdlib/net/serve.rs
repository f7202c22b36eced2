//! Natives of connections that others make.

use super::tcp::Connection;
use super::{CONNECTION, LISTENER, after, count, handle, port, text};
use cap_net_ext::{AddressFamily, Blocking, PoolExt, TcpListenerExt};
use cap_std::net::TcpListener;
use ilu_sbx::permit::os_text;
use ilu_sbx::{Arg, Listening, Permit, Plain, Ready, Stop};
use std::io;
use std::sync::Arc;

/// Connections that wait to be accepted; the system turns others away.
const BACKLOG: i32 = 128;
/// Milliseconds after which it is looked whether the listener was revoked.
const MOMENT: u64 = 50;

/// What listens. It does not block.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
}

/// `__sys_tcp_listen(ip, port)`
pub fn listen(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let (ip, port) = (text(permit, args, 0)?, port(permit, args, 1)?);
    let listening = permit.listen(ip, port)?;
    let socket = bind(&listening).map_err(|error| Stop::Failed(format!("can't listen on {}: {}", listening.addr(), os_text(&error))))?;
    permit.open_shared(Arc::new(Listener { socket }), LISTENER).map(Plain::Handle)
}

/// Binds through the pool of what was authorised. The socket does not block.
///
/// # Errors
/// What the system says.
pub fn bind(listening: &Listening) -> io::Result<TcpListener> {
    let socket = TcpListener::new(AddressFamily::of_socket_addr(listening.addr()), Blocking::No)?;
    listening.pool().bind_existing_tcp_listener(&socket, listening.addr())?;
    socket.listen(Some(BACKLOG))?;
    Ok(socket)
}

/// `__sys_tcp_accept(listener[, ms])`: a connection; nil when none came in that time.
pub fn accept(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let id = handle(permit, args, 0)?;
    let until = match count(permit, args, 1, "ms")? {
        Some(ms) => after(permit, ms),
        None => f64::INFINITY,
    };
    loop {
        permit.pulse()?;
        let listener: Arc<Listener> = permit.shared(id, "listener")?;
        match listener.socket.accept_with(Blocking::No) {
            Ok((stream, peer)) => {
                let peer = peer.to_string();
                permit.about(&peer);
                stream.set_nodelay(true).map_err(|error| Stop::Failed(format!("can't accept: {}", os_text(&error))))?;
                return permit.open_shared(Arc::new(Connection { stream, peer }), CONNECTION).map(Plain::Handle);
            }
            // Whoever called has gone again, or there is nobody yet.
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let soon = after(permit, MOMENT).min(until);
                if !permit.wait(&listener.socket, Ready::Read, soon)? && permit.mono_ms() >= until {
                    return Ok(Plain::Nil);
                }
            }
            Err(error) => return Err(Stop::Failed(format!("can't accept: {}", os_text(&error)))),
        }
    }
}
