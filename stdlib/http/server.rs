//! An HTTP server: connections are taken and requests read to their end before a script hears of them; every size and every wait is bounded.
//!
//! A script takes one request at a time and answers it; natives never call back into it. The server's loop runs while the script waits for
//! a request or for an answer to be sent, and only then: a script that does neither serves nobody.

use super::body::{FileBody, Upload, Uploading};
use super::client::Http;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// Bytes of a request's line and header.
const MAX_HEAD: usize = 16 << 10;
/// Header fields of a request.
const MAX_FIELDS: usize = 100;
/// How long a request's header may take, and a connection may be idle.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a request's body may take.
const BODY_TIME: Duration = Duration::from_secs(20);
/// Bodies that are held at a time, read or being read.
const BODIES: usize = 4;
/// Requests that wait for the script.
const WAITING: usize = 16;

/// What a server takes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at a time; others wait in the system's queue.
    pub connections: usize,
    /// Bytes of a request's body.
    pub body: usize,
}

/// A request that waits for its answer.
pub struct Asked {
    /// Its method.
    pub method: Method,
    /// Its target.
    pub uri: Uri,
    /// Its fields.
    pub headers: HeaderMap,
    /// All of its body.
    pub body: Bytes,
    /// Who asks.
    pub peer: String,
    reply: oneshot::Sender<Response<Reply>>,
    _held: Option<tokio::sync::OwnedSemaphorePermit>,
}

/// A server. When it is dropped it takes no more connections and those it has are closed.
pub struct Server {
    http: Arc<Http>,
    asked: Mutex<mpsc::Receiver<Asked>>,
    /// Its end is the server's: all its tasks listen for it.
    open: Option<watch::Sender<()>>,
    /// What it takes.
    pub bounds: Bounds,
    /// The port it listens on.
    pub port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its tasks see it when they next run; that may be never, and the port must not stay open.
        self.open = None;
        self.http.turn();
    }
}

impl Server {
    /// Serves on a listener that does not block.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(http: Arc<Http>, listener: std::os::fd::OwnedFd, bounds: Bounds) -> io::Result<Server> {
        let runtime = http.runtime().map_err(|_| io::ErrorKind::Unsupported)?;
        let (open, closed) = watch::channel(());
        let (give, asked) = mpsc::channel(WAITING);
        let inside = runtime.enter();
        let listener = TcpListener::from_std(listener.into())?;
        drop(inside);
        let port = listener.local_addr()?.port();
        let serving = Serving { give, closed, bounds, bodies: Arc::new(Semaphore::new(BODIES)) };
        runtime.spawn(serve(listener, serving));
        Ok(Server { http, asked: Mutex::new(asked), open: Some(open), bounds, port })
    }

    /// The loop it runs in.
    #[must_use]
    pub const fn http(&self) -> &Arc<Http> {
        &self.http
    }

    /// The next request that is here.
    pub async fn next(&self, nap: Duration) -> Option<Asked> {
        let waiting = tokio::time::timeout(
            nap,
            std::future::poll_fn(|context| self.asked.lock().unwrap_or_else(PoisonError::into_inner).poll_recv(context)),
        );
        waiting.await.ok().flatten()
    }
}

/// What each connection knows.
#[derive(Clone)]
struct Serving {
    give: mpsc::Sender<Asked>,
    closed: watch::Receiver<()>,
    bounds: Bounds,
    bodies: Arc<Semaphore>,
}

async fn serve(listener: TcpListener, serving: Serving) {
    let places = Arc::new(Semaphore::new(serving.bounds.connections));
    let mut closed = serving.closed.clone();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            loop {
                match listener.accept().await {
                    Ok((stream, peer)) => return Some((place, stream, peer)),
                    // Out of descriptors, or whoever called has gone again: after a moment there may be one.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        let accepted = tokio::select! {
            _ = closed.changed() => return,
            accepted = next => accepted,
        };
        let Some((place, stream, peer)) = accepted else { return };
        let serving = serving.clone();
        tokio::spawn(async move {
            connection(stream, peer.ip().to_string(), serving).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, peer: String, serving: Serving) {
    // Small answers go out at once.
    let _ = stream.set_nodelay(true);
    let mut closed = serving.closed.clone();
    let service = service_fn(move |request| {
        let (serving, peer) = (serving.clone(), peer.clone());
        async move { Ok::<_, Infallible>(answer(request, peer, &serving).await) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_headers(MAX_FIELDS).max_buf_size(MAX_HEAD);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // What went wrong is the client's to see.
        _ = serving.as_mut() => {}
        _ = closed.changed() => {}
    }
}

/// Reads a request to its end, hands it to the script and waits for the answer.
async fn answer(request: Request<Incoming>, peer: String, serving: &Serving) -> Response<Reply> {
    let (head, body) = request.into_parts();
    if body.size_hint().lower() > serving.bounds.body as u64 {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let mut held = None;
    let mut bytes = Vec::new();
    if !body.is_end_stream() {
        let Ok(place) = Arc::clone(&serving.bodies).acquire_owned().await else { return refuse(StatusCode::SERVICE_UNAVAILABLE) };
        held = Some(place);
        match tokio::time::timeout(BODY_TIME, read(body, &mut bytes, serving.bounds.body)).await {
            Ok(Ok(())) => {}
            Ok(Err(code)) => return refuse(code),
            Err(_) => return refuse(StatusCode::REQUEST_TIMEOUT),
        }
    }
    let (reply, replied) = oneshot::channel();
    let asked = Asked { method: head.method, uri: head.uri, headers: head.headers, body: bytes.into(), peer, reply, _held: held };
    if serving.give.send(asked).await.is_err() {
        return refuse(StatusCode::SERVICE_UNAVAILABLE);
    }
    replied.await.unwrap_or_else(|_| refuse(StatusCode::INTERNAL_SERVER_ERROR))
}

async fn read(body: Incoming, into: &mut Vec<u8>, most: usize) -> Result<(), StatusCode> {
    let mut body = pin!(body);
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        if let Ok(piece) = frame.into_data() {
            if into.len() + piece.len() > most {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            into.extend_from_slice(&piece);
        }
    }
    Ok(())
}

/// An answer of the server's own; the connection ends with it, since the rest of the request may not have been read.
fn refuse(code: StatusCode) -> Response<Reply> {
    let mut response = Response::new(Reply::of(Bytes::from_static(b"")).0);
    *response.status_mut() = code;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

impl Asked {
    /// Sends the head of the answer on its way; `None` when nobody waits for it any more.
    #[must_use]
    pub fn send(self, code: StatusCode, headers: HeaderMap, body: Reply) -> Option<()> {
        let mut response = Response::new(body);
        *response.status_mut() = code;
        *response.headers_mut() = headers;
        self.reply.send(response).ok()
    }
}

/// The body of an answer. That it is dropped tells that it was sent, or never will be.
pub struct Reply {
    content: Content,
    _gone: Option<oneshot::Sender<()>>,
}

enum Content {
    Bytes(Option<Bytes>),
    File(FileBody),
}

impl Reply {
    /// These bytes, and what tells when they are gone.
    #[must_use]
    pub fn of(bytes: Bytes) -> (Reply, oneshot::Receiver<()>) {
        Reply::with(Content::Bytes(Some(bytes).filter(|bytes| !bytes.is_empty())))
    }

    /// A file, what tells when it is gone, and the end that feeds it.
    #[must_use]
    pub fn file(upload: &mut Upload) -> (Reply, oneshot::Receiver<()>, Uploading<'_>) {
        let (body, feeding) = upload.start();
        let (reply, gone) = Reply::with(Content::File(body));
        (reply, gone, feeding)
    }

    fn with(content: Content) -> (Reply, oneshot::Receiver<()>) {
        let (tell, gone) = oneshot::channel();
        (Reply { content, _gone: Some(tell) }, gone)
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.content {
            Content::Bytes(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::File(file) => Pin::new(file).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Bytes(bytes) => bytes.is_none(),
            Content::File(file) => file.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Bytes(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::File(file) => file.size_hint(),
        }
    }
}
