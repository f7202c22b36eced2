//! Natives of the HTTP server: one that listens, one that takes a request, one that answers it.

use super::body::{Upload, Uploading};
use super::client::Http;
use super::exchange::Broken;
use super::header;
use super::server::{Asked, Bounds, Reply, Server};
use crate::fs::open::{Mode, regular};
use bytes::Bytes;
use hyper::StatusCode;
use ilu_sbx::{Arg, HandleId, Options, Permit, Plain, Stop};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// What `typ` says of a server, and of a request that waits.
const SERVER: &str = "srv";
const REQUEST: &str = "req";
/// Connections at a time, when the script names no number, and at most.
const CONNECTIONS: (u64, u64) = (64, 256);
/// Bytes of a request's body, when the script names no number, and at most.
const BODY: (u64, u64) = (1 << 20, 16 << 20);
/// Between two looks at deadlines and interrupts.
const NAP: Duration = Duration::from_millis(20);
/// Milliseconds in which the other side must take something of an answer.
const SEND_MS: f64 = 30_000.0;
/// Room for what a request has besides its body.
const HEAD_ROOM: u64 = 64 << 10;

/// A request that waits for its answer, until it has one.
struct Waiting {
    server: Arc<Server>,
    asked: Mutex<Option<Asked>>,
}

/// `__sys_http_serve(ip, port[, {conns, body}])` → `{srv, port}`
pub fn serve(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let (Some(Arg::Str(ip)), Some(Arg::Num(port))) = (args.first(), args.get(1)) else { return Err(Stop::failed("an address and a port")) };
    let port = ilu_sbx::options::whole(*port).and_then(|port| u16::try_from(port).ok());
    let port = port.ok_or_else(|| Stop::failed("a port is a whole number from 0 to 65535"))?;
    let o = Options::new(permit.native(), args.get(2), &["conns", "body"])?;
    let connections = bounded(permit, "conns", o.count("conns")?, CONNECTIONS)?;
    let body = bounded(permit, "body", o.count("body")?, BODY)?;
    let listening = permit.listen(ip, port)?;
    let failed =
        |error: &std::io::Error| Stop::Failed(format!("can't listen on {}: {}", listening.addr(), ilu_sbx::permit::os_text(error)));
    let listener = crate::net::serve::bind(&listening).map_err(|error| failed(&error))?;
    let http = permit.service::<Http>();
    let server = Server::start(http, OwnedFd::from(listener), Bounds { connections, body }).map_err(|error| failed(&error))?;
    let port = f64::from(server.port);
    let handle = permit.open_shared(Arc::new(server), SERVER)?;
    Ok(Plain::Object(vec![("srv".to_owned(), Plain::Handle(handle)), ("port".to_owned(), Plain::Num(port))]))
}

fn bounded(permit: &Permit<'_>, name: &str, asked: Option<u64>, (usual, most): (u64, u64)) -> Result<usize, Stop> {
    let n = asked.unwrap_or(usual);
    if n == 0 || n > most {
        return Err(Stop::Failed(format!("{}: option {name} is from 1 to {most}", permit.native())));
    }
    usize::try_from(n).map_err(|_| Stop::failed("too large"))
}

/// `__sys_http_take(server[, ms])` → `{req, met, path, qry, hdr, byt, ip}`; nil when none came in that time
pub fn take(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let id = handle(args)?;
    #[allow(clippy::cast_precision_loss, reason = "milliseconds that a script named")]
    let until = match args.get(1) {
        None | Some(Arg::Nil) => f64::INFINITY,
        Some(Arg::Num(ms)) => {
            let ms = ilu_sbx::options::whole(*ms).ok_or_else(|| Stop::failed("ms is a whole number from 0"))?;
            permit.mono_ms() + ms as f64
        }
        Some(other) => return Err(Stop::Failed(format!("ms is a whole number, got {}", other.type_name()))),
    };
    loop {
        permit.pulse()?;
        let server: Arc<Server> = permit.shared(id, "server")?;
        // A request that was taken must have room: asked before.
        permit.room(server.bounds.body as u64 + HEAD_ROOM)?;
        let runtime = server.http().runtime().map_err(|failure| failure.stop(None))?;
        if let Some(asked) = runtime.block_on(server.next(NAP)) {
            return taken(permit, Arc::clone(&server), asked);
        }
        if permit.mono_ms() >= until {
            return Ok(Plain::Nil);
        }
    }
}

fn taken(permit: &mut Permit<'_>, server: Arc<Server>, asked: Asked) -> Result<Plain, Stop> {
    let path = asked.uri.path().to_owned();
    permit.about(&format!("{} {path}", asked.method));
    let size = asked.body.len() + header::size(&asked.headers) + path.len();
    permit.charge_read(size as u64)?;
    let query = asked.uri.query().unwrap_or_default().to_owned();
    let mut fields = vec![
        ("met".to_owned(), Plain::Str(asked.method.as_str().to_owned())),
        ("path".to_owned(), Plain::Str(path)),
        ("qry".to_owned(), Plain::Str(query)),
        ("hdr".to_owned(), header::to_plain(&asked.headers)),
        ("byt".to_owned(), Plain::Bytes(asked.body.to_vec())),
        ("ip".to_owned(), Plain::Str(asked.peer.clone())),
    ];
    let waiting = Waiting { server, asked: Mutex::new(Some(asked)) };
    let handle = permit.open_shared(Arc::new(waiting), REQUEST)?;
    fields.insert(0, ("req".to_owned(), Plain::Handle(handle)));
    Ok(Plain::Object(fields))
}

/// `__sys_http_reply(req, {cod, hdr, txt | byt | file})` → whether somebody was there to hear it
pub fn reply(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let id = handle(args)?;
    let waiting: Arc<Waiting> = permit.shared(id, "request")?;
    let o = Options::new(permit.native(), args.get(1), &["cod", "hdr", "txt", "byt", "file"])?;
    let code = o.count("cod")?.unwrap_or(200);
    let code = u16::try_from(code).ok().filter(|code| (200..600).contains(code)).and_then(|code| StatusCode::from_u16(code).ok());
    let code = code.ok_or_else(|| Stop::Failed(format!("{}: option cod is from 200 to 599", permit.native())))?;
    let mut headers = header::read(o.get("hdr"), &mut |_| Err(Stop::failed("an answer can't hold a secret")))?;
    let (bytes, path): (&[u8], Option<&str>) = match (o.get("txt"), o.get("byt"), o.get("file")) {
        (None, None, None) => (b"", None),
        (Some(Arg::Str(text)), None, None) => (text.as_bytes(), None),
        (None, Some(Arg::Bytes(bytes)), None) => (bytes, None),
        (None, None, Some(Arg::Str(path))) => (b"", Some(path)),
        _ => return Err(Stop::Failed(format!("{}: the body is one of txt (str), byt (byt) and file (a path)", permit.native()))),
    };
    if path.is_some() || !bytes.is_empty() {
        header::body_type(&mut headers, o.get("txt").is_some());
    }
    let mut upload = match path {
        None => None,
        Some(path) => {
            permit.also(super::other("__sys_read_file"))?;
            let place = permit.read(path)?;
            let (file, found) = regular(permit, &place, Mode::Read)?;
            Some(Upload::new(file, found.len()))
        }
    };
    permit.room(bytes.len() as u64)?;
    permit.charge_sent((bytes.len() + header::size(&headers)) as u64)?;
    let Some(asked) = waiting.asked.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return Err(Stop::failed("the request has been answered"));
    };
    let runtime = waiting.server.http().runtime().map_err(|failure| failure.stop(None))?;
    let heard = match &mut upload {
        None => {
            let (body, gone) = Reply::of(Bytes::copy_from_slice(bytes));
            asked.send(code, headers, body).map(|()| runtime.block_on(sent(permit, gone, None)))
        }
        Some(upload) => {
            let (body, gone, feeding) = Reply::file(upload);
            asked.send(code, headers, body).map(|()| runtime.block_on(sent(permit, gone, Some(feeding))))
        }
    };
    permit.close(id);
    match heard {
        None => Ok(Plain::Bool(false)),
        Some(Ok(heard)) => Ok(Plain::Bool(heard)),
        Some(Err(Broken::Stop(stop))) => Err(stop),
        Some(Err(Broken::Failed(failure))) => Err(failure.stop(None)),
    }
}

/// `__sys_http_stop(server)`: it takes no more requests; doing it again changes nothing.
pub fn stop(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let id = handle(args)?;
    // Only a server: other things that are open have natives of their own to close them.
    if permit.shared::<Server>(id, "server").is_ok() {
        permit.close(id);
    }
    Ok(Plain::Nil)
}

/// Waits until an answer was sent, and feeds it meanwhile; tells whether it was taken.
async fn sent(permit: &mut Permit<'_>, mut gone: oneshot::Receiver<()>, mut feeding: Option<Uploading<'_>>) -> Result<bool, Broken> {
    let mut until = permit.mono_ms() + SEND_MS;
    loop {
        tokio::select! {
            biased;
            _ = &mut gone => break,
            slot = Uploading::ready(&mut feeding) => if let Some(feeding) = feeding.as_mut() {
                feeding.feed(permit, slot)?;
                until = permit.mono_ms() + SEND_MS;
            },
            () = tokio::time::sleep(NAP) => {
                permit.pulse()?;
                if permit.mono_ms() >= until {
                    return Ok(false);
                }
            }
        }
    }
    // The connection's task has the last bytes and sends them when it next runs.
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    Ok(true)
}

fn handle(args: &[Arg<'_>]) -> Result<HandleId, Stop> {
    match args.first() {
        Some(Arg::Handle(id)) => Ok(*id),
        other => Err(Stop::Failed(format!("an open resource is needed, got {}", other.map_or("nothing", Arg::type_name)))),
    }
}
