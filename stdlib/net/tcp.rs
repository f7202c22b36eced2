//! Natives of connections that a script makes, and of moving bytes on any.

use super::{CONNECTION, after, count, dial, handle, port, text};
use cap_std::net::TcpStream;
use ilu_pol::net::Host;
use ilu_sbx::permit::os_text;
use ilu_sbx::{Arg, HandleId, Permit, Plain, Ready, Stop};
use std::io::{self, Read, Write};
use std::sync::Arc;

/// Most bytes that one call receives; more come with the next.
const MAX_RECEIVED: u64 = 1 << 20;
/// What a call receives at most when it names no number.
const USUAL_RECEIVED: u64 = 64 << 10;
/// Milliseconds without a byte after which receiving gives up, when it names no number.
const USUAL_MS: u64 = 30_000;
/// Milliseconds in which the other side must take something of what is sent.
const SEND_MS: u64 = 30_000;
/// Bytes sent between two looks at the deadline.
const PIECE: usize = 64 << 10;

/// A connection. Its stream does not block.
#[derive(Debug)]
pub struct Connection {
    pub(super) stream: TcpStream,
    /// Whom it is with, for the record.
    pub(super) peer: String,
}

/// `__sys_tcp_dial(host, port)`
pub fn dial(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let (host, port) = (text(permit, args, 0)?, port(permit, args, 1)?);
    connect(permit, host, port)
}

/// `__sys_tcp_connect(ip, port)`: no name is looked up.
pub fn connect_ip(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let (ip, port) = (text(permit, args, 0)?, port(permit, args, 1)?);
    if let Ok(Host::Name(_)) = Host::parse(ip) {
        permit.about(ip);
        return Err(Stop::Failed(format!("{} takes an address; __sys_tcp_dial takes a name", permit.native())));
    }
    connect(permit, ip, port)
}

fn connect(permit: &mut Permit<'_>, host: &str, port: u16) -> Result<Plain, Stop> {
    let route = permit.connect(host, port)?;
    let stream = dial::dial(permit, &route)?;
    let peer = format!("{}:{}", route.host(), route.port());
    permit.open_shared(Arc::new(Connection { stream, peer }), CONNECTION).map(Plain::Handle)
}

/// The connection a handle names, unless it was revoked meanwhile.
fn connection(permit: &mut Permit<'_>, id: HandleId) -> Result<Arc<Connection>, Stop> {
    permit.shared(id, "connection")
}

/// `__sys_tcp_send(conn, data)`: all of it, or an error.
pub fn send(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let id = handle(permit, args, 0)?;
    let data: &[u8] = match args.get(1) {
        Some(Arg::Str(text)) => text.as_bytes(),
        Some(Arg::Bytes(bytes)) => bytes,
        other => {
            return Err(Stop::Failed(format!(
                "{}: a str or byt is needed, got {}",
                permit.native(),
                other.map_or("nothing", Arg::type_name)
            )));
        }
    };
    let peer = connection(permit, id)?;
    permit.about(&peer.peer);
    drop(peer);
    permit.charge_sent(data.len() as u64)?;
    let mut rest = data;
    let mut until = after(permit, SEND_MS);
    while !rest.is_empty() {
        permit.pulse()?;
        let connection = connection(permit, id)?;
        let piece = rest.get(..PIECE.min(rest.len())).unwrap_or_default();
        match (&connection.stream).write(piece) {
            Ok(0) => return Err(failed("send", &io::ErrorKind::WriteZero.into())),
            Ok(sent) => {
                rest = rest.get(sent..).unwrap_or_default();
                until = after(permit, SEND_MS);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let soon = soon(permit, until);
                if !permit.wait(&connection.stream, Ready::Write, soon)? && permit.mono_ms() >= until {
                    return Err(Stop::Failed(format!("the other side took nothing for {SEND_MS} ms")));
                }
            }
            Err(error) => return Err(failed("send", &error)),
        }
    }
    Ok(Plain::Nil)
}

/// `__sys_tcp_recv(conn[, max[, ms]])`: the bytes that are there, at least one and at most `max`; nil at the end of the stream.
pub fn recv(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let id = handle(permit, args, 0)?;
    let max = count(permit, args, 1, "max")?.unwrap_or(USUAL_RECEIVED).min(MAX_RECEIVED);
    if max == 0 {
        return Err(Stop::Failed(format!("{}: max is a whole number from 1", permit.native())));
    }
    let ms = count(permit, args, 2, "ms")?.unwrap_or(USUAL_MS);
    let until = after(permit, ms);
    let peer = connection(permit, id)?;
    permit.about(&peer.peer);
    drop(peer);
    let most = max.min(permit.readable());
    if most == 0 {
        permit.charge_read(1)?;
    }
    permit.room(most)?;
    let mut bytes = vec![0; usize::try_from(most).unwrap_or_default()];
    loop {
        permit.pulse()?;
        let connection = connection(permit, id)?;
        match (&connection.stream).read(&mut bytes) {
            Ok(0) => return Ok(Plain::Nil),
            Ok(got) => {
                permit.charge_read(got as u64)?;
                bytes.truncate(got);
                bytes.shrink_to_fit();
                return Ok(Plain::Bytes(bytes));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let soon = soon(permit, until);
                if !permit.wait(&connection.stream, Ready::Read, soon)? && permit.mono_ms() >= until {
                    return Err(Stop::Failed(format!("nothing came within {ms} ms")));
                }
            }
            Err(error) => return Err(failed("receive", &error)),
        }
    }
}

/// `__sys_tcp_close(conn)`: of a listener, too. Closing twice is no error.
pub fn close(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let id = handle(permit, args, 0)?;
    permit.close(id);
    Ok(Plain::Nil)
}

/// Not longer than a moment: whether the connection was revoked is asked between.
fn soon(permit: &mut Permit<'_>, until: f64) -> f64 {
    /// Milliseconds.
    const MOMENT: u64 = 50;
    after(permit, MOMENT).min(until)
}

fn failed(what: &str, error: &io::Error) -> Stop {
    Stop::Failed(format!("can't {what}: {}", os_text(error)))
}
