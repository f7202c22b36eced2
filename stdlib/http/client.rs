//! The connections: each for one sandbox and exactly the addresses that were decided on.
//!
//! A connection is made through the pool of the decision, as every other, and its peer is compared with what passed before a byte of the
//! request leaves. What is kept open is found again only by the same sandbox, with the same decision. Here nothing is looked up, no variable of
//! the environment is read, no cookie is kept, no redirect followed and no compression undone.

use super::body::Sent;
use super::exchange::Broken;
use super::failure::{Failure, of_connecting};
use super::header::MAX_ANSWER_FIELDS;
use super::target::Target;
use super::tls::{self, ClientConfig};
use super::waiting::{Clock, Timer};
use super::wire::{Look, Wire};
use crate::net::dial::begin;
use hyper::client::conn::http1::{Builder as Http1, SendRequest};
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use ilu_sbx::sandbox::Owner;
use ilu_sbx::service::Service;
use ilu_sbx::{Permit, Route};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Sleep;
use tokio_rustls::TlsConnector;

/// Connections kept open for requests to come; the one used longest ago goes first.
const MAX_KEPT: usize = 64;
/// Those of them that are for the same.
const MAX_ALIKE: usize = 4;
/// Rounds of the loop in which everything that was woken has run, and what that woke.
const TURNS: usize = 3;
/// Milliseconds that a connection stays open without use.
const IDLE_MS: f64 = 30_000.0;
/// Milliseconds that connecting to one address may take.
const CONNECT_MS: f64 = 10_000.0;

/// What a connection is for. Two that differ in any of it share nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    owner: Owner,
    tls: bool,
    host: String,
    port: u16,
    addrs: Vec<SocketAddr>,
}

/// A connection on which a request can be sent.
pub struct Line {
    key: Key,
    sender: SendRequest<Sent>,
    look: Look,
    /// When it was last asked for.
    asked: f64,
}

impl Line {
    /// What requests are sent by.
    pub const fn sender(&mut self) -> &mut SendRequest<Sent> {
        &mut self.sender
    }
}

/// What the natives of HTTP keep for a run.
#[derive(Default)]
pub struct Http {
    runtime: OnceLock<Option<Runtime>>,
    tls: OnceLock<Option<Arc<ClientConfig>>>,
    kept: Mutex<Vec<Line>>,
    pub(super) timers: Mutex<Vec<Pin<Box<Sleep>>>>,
}

impl Service for Http {
    fn heed(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).retain(|line| !line.key.owner.is_gone());
        self.turn();
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        // Not by waiting: nothing of this run is to go on.
        if let Some(Some(runtime)) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Http {
    /// The loop that all connections of the run live in. It runs only while a native waits.
    ///
    /// # Errors
    /// The system gives none, or the thread is another loop's.
    pub fn runtime(&self) -> Result<&Runtime, Failure> {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err(Failure::Request(
                "the host runs the script on a thread of an async runtime; it needs a thread of its own".to_owned(),
            ));
        }
        let made = self.runtime.get_or_init(|| Builder::new_current_thread().enable_io().enable_time().build().ok());
        made.as_ref().ok_or_else(|| Failure::Connect("the system has no room for network events".to_owned()))
    }

    /// Lets what lives in the loop see what has happened: a connection that nobody holds any more closes when it next runs.
    pub fn turn(&self) {
        if let Some(Some(runtime)) = self.runtime.get()
            && tokio::runtime::Handle::try_current().is_err()
        {
            runtime.block_on(async {
                for _ in 0..TURNS {
                    tokio::task::yield_now().await;
                }
            });
        }
    }

    /// A connection that is open and quiet, for what was decided.
    pub fn kept(&self, key: &Key, now: f64) -> Option<Line> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|line| now - line.asked < IDLE_MS && !line.sender.is_closed());
        loop {
            let at = kept.iter().rposition(|line| line.key == *key)?;
            let mut line = kept.remove(at);
            if line.look.is_quiet() {
                line.asked = now;
                return Some(line);
            }
        }
    }

    /// Keeps a connection whose answer was read to its end.
    pub fn keep(&self, line: Line) {
        if line.sender.is_closed() || line.key.owner.is_gone() {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.iter().filter(|other| other.key == line.key).count() >= MAX_ALIKE {
            return;
        }
        if kept.len() >= MAX_KEPT {
            kept.remove(0);
        }
        kept.push(line);
    }

    /// Lets go of what is open for what was decided.
    pub fn let_go(&self, key: &Key) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).retain(|line| line.key != *key);
    }

    /// Another connection; to be waited for in the loop.
    ///
    /// # Errors
    /// None of the addresses answers, or not as what was promised; the time is over.
    pub async fn connect(
        &self,
        permit: &mut Permit<'_>,
        key: &Key,
        route: &Route,
        (clock, timer): (Clock, &mut Timer<'_>),
    ) -> Result<Line, Broken> {
        let connecting = Clock { connecting: true, ..clock };
        let config = if key.tls {
            Some(Arc::clone(self.tls.get_or_init(|| tls::config(permit.authorities())).as_ref().ok_or_else(unusable)?))
        } else {
            None
        };
        let mut last = None;
        for (n, addr) in key.addrs.iter().enumerate() {
            #[allow(clippy::cast_precision_loss, reason = "a few addresses")]
            let share = (clock.at - permit.mono_ms()) / (key.addrs.len() - n) as f64;
            let until = permit.mono_ms() + share.min(CONNECT_MS);
            match connecting.wait_until(permit, timer, until, reach(route, *addr)).await? {
                Some(Ok(stream)) => {
                    let asked = permit.mono_ms();
                    let shaken = connecting.wait_until(permit, timer, clock.at, shake(stream, config, &key.host)).await?;
                    let (sender, look) = shaken.unwrap_or_else(|| Err(Failure::NoConnection(clock.ms)))?;
                    return Ok(Line { key: key.clone(), sender, look, asked });
                }
                Some(Err(error)) => last = Some(of_connecting(&error)),
                // Only this address's share of the time is over, unless all of it is: then waiting says so.
                None => last = Some(of_connecting(&io::ErrorKind::TimedOut.into())),
            }
            connecting.look(permit)?;
        }
        Err(last.unwrap_or_else(unusable).into())
    }
}

/// What a connection for a target is for, after a decision.
///
/// # Errors
/// No address passed.
pub fn key(permit: &Permit<'_>, target: &Target, route: &Route) -> Result<Key, Failure> {
    let addrs = checked(target, route)?;
    Ok(Key { owner: permit.owner(), tls: target.is_tls(), host: target.host().to_owned(), port: target.port(), addrs })
}

fn unusable() -> Failure {
    Failure::Connect("no connection can be made".to_owned())
}

/// The addresses that the pool of the decision lets through, and never another than the one that stands in the URL.
fn checked(target: &Target, route: &Route) -> Result<Vec<SocketAddr>, Failure> {
    let fits = |addr: &&SocketAddr| addr.port() == target.port() && target.address().is_none_or(|ip| addr.ip() == ip) && route.holds(addr);
    let addrs: Vec<SocketAddr> = route.addrs().iter().filter(fits).copied().collect();
    if addrs.is_empty() { Err(Failure::Connect("no address of it may be reached".to_owned())) } else { Ok(addrs) }
}

/// Connects to one address through the pool.
async fn reach(route: &Route, addr: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::from_std(begin(route, addr)?.into())?;
    stream.writable().await?;
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    if !route.holds(&stream.peer_addr()?) {
        return Err(io::Error::other("the connection went to an address that was not checked"));
    }
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Makes sure who is there, when TLS is asked for, and begins with HTTP.
async fn shake(stream: TcpStream, config: Option<Arc<ClientConfig>>, host: &str) -> Result<(SendRequest<Sent>, Look), Failure> {
    let wire = Wire::new(stream);
    let look = wire.look();
    let sender = match config {
        None => speak(TokioIo::new(wire)).await?,
        Some(config) => {
            let name = host.to_owned().try_into().map_err(|_| Failure::Tls("the host's name can't be in a certificate".to_owned()))?;
            let stream = TlsConnector::from(config).connect(name, wire).await.map_err(|error| of_connecting(&error))?;
            speak(TokioIo::new(stream)).await?
        }
    };
    Ok((sender, look))
}

async fn speak(stream: impl Read + Write + Unpin + Send + 'static) -> Result<SendRequest<Sent>, Failure> {
    let (sender, connection) =
        Http1::new().max_headers(MAX_ANSWER_FIELDS).handshake(stream).await.map_err(|error| Failure::of_hyper(&error))?;
    tokio::spawn(async move {
        // What goes wrong with it is told to whoever waits for an answer.
        let _ = connection.await;
    });
    Ok(sender)
}
