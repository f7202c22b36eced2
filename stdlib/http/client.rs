//! The clients: one for each sandbox and each address that was decided on.
//!
//! A client can reach nothing but the addresses it was made with. It never looks a name up; an address in a URL is compared with what
//! passed before the client is made; and the peer of every new connection is looked at again before a byte of the request leaves. What it
//! keeps alive is found again only by the same sandbox, with the same decision. It reads no variable of the environment, keeps no cookies,
//! follows no redirect and undoes no compression.

use super::failure::Failure;
use super::header::MAX_ANSWER_FIELDS;
use super::target::Target;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpInfo};
use ilu_sbx::sandbox::Owner;
use ilu_sbx::service::Service;
use ilu_sbx::{Permit, Route};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, redirect, retry};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, Sleep};

/// Clients kept for their open connections; the one used longest ago goes first.
const MAX_CLIENTS: usize = 32;
/// Idle connections of one client.
const MAX_IDLE: usize = 4;
/// Rounds of the loop in which everything that was woken has run, and what that woke.
const TURNS: usize = 3;
/// How long a connection stays open without use.
const IDLE: Duration = Duration::from_secs(30);
/// Milliseconds since its last request in which a client's connections are taken to be as they were left.
const FRESH_MS: f64 = 20.0;
/// Timers kept for requests to come.
const MAX_TIMERS: usize = 32;

/// What a client is for. Two that differ in any of it share nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    owner: Owner,
    tls: bool,
    host: String,
    port: u16,
    addrs: Vec<SocketAddr>,
}

/// What the natives of HTTP keep for a run.
#[derive(Default)]
pub struct Http {
    runtime: OnceLock<Option<Runtime>>,
    tls: OnceLock<Option<ClientConfig>>,
    clients: Mutex<Vec<Kept>>,
    timers: Mutex<Vec<Pin<Box<Sleep>>>>,
}

/// A client that is kept.
struct Kept {
    key: Key,
    client: Client,
    /// When it was last asked for.
    asked: f64,
    /// The other side closed a connection between two requests without saying so: to be expected again.
    surprised: bool,
}

/// A client that was found.
pub struct Found {
    /// The client.
    pub client: Client,
    /// Was it used before? Then the other side may have closed what it has open.
    pub used: bool,
    /// Was it used a moment ago, by a side that has never closed anything unsaid?
    pub fresh: bool,
}

impl Service for Http {
    fn heed(&self) {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).retain(|kept| !kept.key.owner.is_gone());
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

    /// The client for what was decided.
    ///
    /// # Errors
    /// No address passed.
    pub fn client(&self, permit: &mut Permit<'_>, target: &Target, route: &Route) -> Result<Found, Failure> {
        let (key, now) = (key(permit, target, route)?, permit.mono_ms());
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = clients.iter().position(|kept| kept.key == key) {
            // Last used, last in line.
            clients.get_mut(at..).unwrap_or_default().rotate_left(1);
            let kept = clients.last_mut().ok_or_else(unusable)?;
            let fresh = !kept.surprised && now - kept.asked < FRESH_MS;
            kept.asked = now;
            return Ok(Found { client: kept.client.clone(), used: true, fresh });
        }
        drop(clients);
        let client = self.anew(key, permit.authorities(), now, false)?;
        Ok(Found { client, used: false, fresh: true })
    }

    /// Another client in place of the one for what was decided: the connections of that one are let go.
    ///
    /// # Errors
    /// No address passed.
    pub fn without_open_connections(&self, permit: &mut Permit<'_>, target: &Target, route: &Route) -> Result<Client, Failure> {
        let (key, now) = (key(permit, target, route)?, permit.mono_ms());
        self.anew(key, permit.authorities(), now, true)
    }

    fn anew(&self, key: Key, authorities: &str, asked: f64, surprised: bool) -> Result<Client, Failure> {
        let tls = self.tls.get_or_init(|| tls(authorities)).as_ref().ok_or_else(unusable)?;
        let client = build(&key, tls.clone())?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|kept| kept.key != key);
        if clients.len() >= MAX_CLIENTS {
            clients.remove(0);
        }
        clients.push(Kept { key, client: client.clone(), asked, surprised });
        Ok(client)
    }

    /// A timer for one request, due within so long. To be called in the loop.
    pub fn timer(&self, within: Duration) -> Timer<'_> {
        let kept = self.timers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut timer = Timer { http: self, sleep: Some(kept.unwrap_or_else(|| Box::pin(tokio::time::sleep(within)))) };
        timer.no_later_than(within);
        timer
    }
}

/// A timer that outlives its request, since to set one up for each piece costs more than the piece. It may go off early.
pub struct Timer<'h> {
    http: &'h Http,
    /// There until it is given back.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer<'_> {
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

fn key(permit: &Permit<'_>, target: &Target, route: &Route) -> Result<Key, Failure> {
    let addrs = checked(target, route)?;
    Ok(Key { owner: permit.owner(), tls: target.is_tls(), host: target.host().to_owned(), port: target.port(), addrs })
}

fn unusable() -> Failure {
    Failure::Connect("the client can't be made".to_owned())
}

/// The addresses that the pool of the decision lets through, and never another than the one that stands in the URL.
fn checked(target: &Target, route: &Route) -> Result<Vec<SocketAddr>, Failure> {
    let fits = |addr: &&SocketAddr| addr.port() == target.port() && target.address().is_none_or(|ip| addr.ip() == ip) && route.holds(addr);
    let addrs: Vec<SocketAddr> = route.addrs().iter().filter(fits).copied().collect();
    if addrs.is_empty() { Err(Failure::Connect("no address of it may be reached".to_owned())) } else { Ok(addrs) }
}

fn build(key: &Key, tls: ClientConfig) -> Result<Client, Failure> {
    let client = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        .http1_only()
        .http1_max_headers(MAX_ANSWER_FIELDS)
        .pool_max_idle_per_host(MAX_IDLE)
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("ilu/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(Never)
        .resolve_to_addrs(&key.host, &key.addrs)
        .connector_layer(Checking { addrs: key.addrs.as_slice().into() })
        .tls_backend_preconfigured(tls);
    client.build().map_err(|_| unusable())
}

/// Looks whether a text in PEM has certificates that could be trusted.
///
/// # Errors
/// What is wrong with it.
pub fn check_authorities(pem: &str) -> Result<(), String> {
    let mut store = RootCertStore::empty();
    add(&mut store, pem)?;
    if store.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(()) }
}

fn add(store: &mut RootCertStore, pem: &str) -> Result<(), String> {
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| "it is not PEM")?;
        store.add(certificate).map_err(|_| "one of its certificates can't be read")?;
    }
    Ok(())
}

/// TLS 1.2 and 1.3, certificates checked against the roots that are built in and the operator's; no session is resumed, so none is shared.
fn tls(authorities: &str) -> Option<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    add(&mut roots, authorities).ok()?;
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(config)
}

/// Looks nothing up: the addresses are known before there is a client.
struct Never;

impl Resolve for Never {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async { Err::<Addrs, _>(Box::from("the name was not looked up before")) })
    }
}

/// A connection to an address that was not decided on.
#[derive(Debug)]
pub struct NotChecked;

impl fmt::Display for NotChecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection went to an address that was not checked")
    }
}

impl std::error::Error for NotChecked {}

/// Looks at the peer of every new connection.
#[derive(Clone)]
struct Checking {
    addrs: Arc<[SocketAddr]>,
}

impl<S> tower::Layer<S> for Checking {
    type Service = Checked<S>;

    fn layer(&self, inner: S) -> Checked<S> {
        Checked { inner, addrs: Arc::clone(&self.addrs) }
    }
}

#[derive(Clone)]
struct Checked<S> {
    inner: S,
    addrs: Arc<[SocketAddr]>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<S, R> tower::Service<R> for Checked<S>
where
    S: tower::Service<R, Error = BoxError>,
    S::Response: Connection + Send,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let (connecting, addrs) = (self.inner.call(request), Arc::clone(&self.addrs));
        Box::pin(async move {
            let connection = connecting.await?;
            match peer(&connection.connected()) {
                Some(peer) if addrs.contains(&peer) => Ok(connection),
                _ => Err(Box::new(NotChecked) as BoxError),
            }
        })
    }
}

/// Whom a connection is to.
fn peer(connected: &Connected) -> Option<SocketAddr> {
    let mut extras = hyper::http::Extensions::new();
    connected.get_extras(&mut extras);
    extras.get::<HttpInfo>().map(HttpInfo::remote_addr)
}
