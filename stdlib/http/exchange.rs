//! One request to its end: hop by hop, each with a decision of its own, under one deadline.
//!
//! The order at each hop: the URL is made canonical and recorded, the doorway decides on its host and port (which is where a name is looked
//! up), a client is found for exactly the addresses that passed, and only then is anything sent. While it waits, deadlines and interrupts
//! are looked at every few milliseconds. Bytes are charged as they go, and what would be too much is never taken in.

use super::body::{Sent, Upload, Uploading};
use super::client::{self, Http, Key, Line};
use super::failure::Failure;
use super::header;
use super::request::{Outgoing, Request};
use super::target::Target;
use super::waiting::{Clock, Timer};
use crate::fs::landing::Landing;
use crate::fs::open::{Mode, regular};
use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, HOST, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use hyper::http::uri::PathAndQuery;
use hyper::{Method, Response, StatusCode};
use ilu_sbx::{Permit, Place, Plain, Route, Stop};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

/// Who asks, unless the script says otherwise.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("ilu/", env!("CARGO_PKG_VERSION")));
/// What is taken, unless the script says otherwise.
const ANYTHING: HeaderValue = HeaderValue::from_static("*/*");
/// Bytes of an answer's body when the script names no number; of a small heap, an eighth.
const DEFAULT_MOST: u64 = 16 << 20;
/// Room for what an answer has besides its body.
const HEAD_ROOM: u64 = 2 * header::MAX_ANSWER_BYTES as u64;

/// Why a hop ended early.
pub enum Broken {
    /// A denial, a limit, an interrupt.
    Stop(Stop),
    /// The request failed.
    Failed(Failure),
}

impl From<Stop> for Broken {
    fn from(stop: Stop) -> Broken {
        Broken::Stop(stop)
    }
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Broken {
        Broken::Failed(failure)
    }
}

/// Where the answer's body goes.
enum Sink {
    /// To the script, at most so many bytes.
    Script(u64),
    /// To a file; of an answer that is no success, to the script.
    File { place: Place, most: Option<u64>, script: u64 },
}

/// Asks, and gives the answer as scripts see it.
pub fn run(permit: &mut Permit<'_>, request: Request<'_>) -> Result<Plain, Stop> {
    let clock = Clock::start(permit, request.ms);
    let mut sink = sink(permit, &request)?;
    let Request { mut method, mut target, mut headers, mut body, redirects, bytes, .. } = request;
    let mut upload = upload(permit, &body)?;
    let http = permit.service::<Http>();
    let mut hops = 0;
    loop {
        let mut at = Some(&target);
        let hop = (|| -> Result<(Next, HeaderMap), Broken> {
            let route = permit.connect(target.host(), target.port())?;
            let key = client::key(permit, &target, &route)?;
            let message = Message { method: &method, target: &target, headers: &headers, body: &body };
            http.runtime()?.block_on(async {
                let mut timer = Timer::new(&http, clock.nap(permit));
                let way = Way { http: &http, key: &key, route: &route, clock };
                let (mut answer, line) = ask(permit, &way, &mut timer, &message, upload.as_mut()).await?;
                let size = header::size(answer.headers());
                if size > header::MAX_ANSWER_BYTES {
                    let most = header::MAX_ANSWER_BYTES;
                    return Err(Failure::TooLarge(format!("the answer's header has {size} bytes, at most {most} are taken")).into());
                }
                permit.charge_read(size as u64)?;
                if redirects > 0
                    && let Some(next) = redirect(&target, &method, answer.status(), answer.headers())?
                {
                    // Its body says nothing, and is not waited for; a short one has come already, and the connection is as good as before.
                    if poll_immediately(answer.body_mut()).await {
                        http.keep(line);
                    }
                    return Ok((Next::Hop(next), HeaderMap::new()));
                }
                let headers = std::mem::take(answer.headers_mut());
                let taken = take(permit, answer, &mut sink, bytes, (clock, &mut timer)).await?;
                http.keep(line);
                Ok((Next::End(taken), headers))
            })
        })();
        let next = match hop {
            Ok((Next::Hop(next), _)) => next,
            Ok((Next::End((code, rest)), fields)) => return Ok(answer(code, rest, &fields, &target)),
            Err(Broken::Stop(stop)) => return Err(stop),
            Err(Broken::Failed(failure)) => return Err(failure.stop(at.take())),
        };
        hops += 1;
        if hops > redirects {
            let why = format!("more than {redirects} redirects (option red)");
            return Err(Failure::Redirect(why).stop(Some(&target)));
        }
        permit.about(&next.target.to_string());
        if next.method != method {
            // Another method is another native, and has to be held like any other.
            permit.also(super::native_of(&next.method))?;
        }
        if !next.target.same_origin(&target) {
            header::strip(&mut headers);
        }
        if next.drops_body {
            header::without_body(&mut headers);
            (body, upload) = (Outgoing::Nothing, None);
        } else if !matches!(body, Outgoing::Nothing) && !next.target.same_origin(&target) {
            let why = format!("the body is not sent on to another origin, {}", next.target.place());
            return Err(Failure::Redirect(why).stop(Some(&target)));
        }
        (method, target) = (next.method, next.target);
    }
}

/// May it be asked twice? RFC 9110, section 9.2.2.
fn is_idempotent(method: &Method) -> bool {
    method == Method::GET || method == Method::PUT || method == Method::DELETE
}

/// What a hop leads to.
enum Next {
    Hop(Hop),
    End((StatusCode, Vec<(String, Plain)>)),
}

/// A redirect that is to be followed.
struct Hop {
    method: Method,
    target: Target,
    drops_body: bool,
}

/// Where an answer leads, when it is a redirect.
fn redirect(from: &Target, method: &Method, status: StatusCode, headers: &HeaderMap) -> Result<Option<Hop>, Failure> {
    let keeps = match status.as_u16() {
        301 | 302 => *method != Method::POST,
        303 => false,
        307 | 308 => true,
        _ => return Ok(None),
    };
    let mut locations = headers.get_all(LOCATION).iter();
    let Some(location) = locations.next() else { return Ok(None) };
    if locations.next().is_some() {
        return Err(Failure::Redirect("the answer names two places to go to".to_owned()));
    }
    let unreadable = || Failure::Redirect("the place to go to is not plain text".to_owned());
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| unreadable())?;
    let target = from.join(location).map_err(|why| Failure::Redirect(format!("the place to go to is not taken: {why}")))?;
    if from.is_tls() && !target.is_tls() {
        return Err(Failure::Redirect(format!("from https to http, {}, is not followed", target.place())));
    }
    Ok(Some(Hop { method: if keeps { method.clone() } else { Method::GET }, target, drops_body: !keeps }))
}

/// What is sent at one hop.
struct Message<'a> {
    method: &'a Method,
    target: &'a Target,
    headers: &'a HeaderMap,
    body: &'a Outgoing<'a>,
}

impl Message<'_> {
    /// Bytes of what comes before the body.
    fn head_size(&self) -> usize {
        self.target.as_str().len() + header::size(self.headers)
    }

    /// The request as it goes to the connection.
    fn request(&self, body: Sent) -> Result<hyper::Request<Sent>, Failure> {
        let wrong = |what: &str| Failure::Request(format!("the URL's {what} can't be sent"));
        let path = PathAndQuery::from_maybe_shared(Bytes::copy_from_slice(self.target.path().as_bytes())).map_err(|_| wrong("path"))?;
        let mut request = hyper::Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = path.into();
        let host = HeaderValue::from_str(self.target.authority()).map_err(|_| wrong("host"))?;
        let fields = request.headers_mut();
        fields.reserve(self.headers.len() + 3);
        fields.insert(HOST, host);
        fields.insert(USER_AGENT, AGENT);
        fields.insert(ACCEPT, ANYTHING);
        let mut last = None;
        for (name, value) in self.headers {
            // The first of a name takes the place of what stands there by itself; any more stand beside it.
            if last == Some(name) {
                fields.append(name, value.clone());
            } else {
                fields.insert(name, value.clone());
            }
            last = Some(name);
        }
        Ok(request)
    }
}

/// Where the body goes; asked before anything is sent.
fn sink(permit: &mut Permit<'_>, request: &Request<'_>) -> Result<Sink, Stop> {
    let eighth = permit.memory_limit() / 8;
    let script = request.most.filter(|_| request.to.is_none()).unwrap_or(DEFAULT_MOST.min(eighth));
    let sink = match request.to {
        None => Sink::Script(script),
        Some(path) => {
            permit.also(super::other("__sys_write_file"))?;
            Sink::File { place: permit.write(path)?, most: request.most, script }
        }
    };
    // Nothing can be asked for again once the request is out: the room for the answer is there before.
    let sent = match &request.body {
        Outgoing::Bytes(bytes) => bytes.len() as u64,
        Outgoing::Parts(bytes) => bytes.len() as u64,
        _ => 0,
    };
    permit.room(script.saturating_add(sent).saturating_add(HEAD_ROOM.min(eighth)))?;
    Ok(sink)
}

/// The file that is sent, open.
fn upload(permit: &mut Permit<'_>, body: &Outgoing<'_>) -> Result<Option<Upload>, Stop> {
    let Outgoing::File(path) = body else { return Ok(None) };
    permit.also(super::other("__sys_read_file"))?;
    let place = permit.read(path)?;
    let (file, found) = regular(permit, &place, Mode::Read)?;
    Ok(Some(Upload::new(file, found.len())))
}

/// How a hop goes: by which connections, and until when.
struct Way<'a> {
    http: &'a Http,
    key: &'a Key,
    route: &'a Route,
    clock: Clock,
}

/// Sends one request by a connection that is open, or by a new one, and waits for the head of its answer.
async fn ask(
    permit: &mut Permit<'_>,
    way: &Way<'_>,
    timer: &mut Timer<'_>,
    message: &Message<'_>,
    mut upload: Option<&mut Upload>,
) -> Result<(Response<Incoming>, Line), Broken> {
    let idempotent = is_idempotent(message.method) && upload.is_none();
    while let Some(mut line) = way.http.kept(way.key, permit.mono_ms()) {
        match send(permit, &mut line, way.clock, timer, message, upload.as_deref_mut()).await {
            Ok(Some(answer)) => return Ok((answer, line)),
            Ok(None) => {}
            // The other side may have closed it just as it was used: what may be asked twice is, once.
            Err(Broken::Failed(Failure::Dropped(_))) if idempotent => way.http.let_go(way.key),
            Err(broken) => return Err(broken),
        }
    }
    let mut line = way.http.connect(permit, way.key, way.route, (way.clock, &mut *timer)).await?;
    let answer = send(permit, &mut line, way.clock, timer, message, upload).await?;
    let answer = answer.ok_or_else(|| Failure::Dropped("the connection was closed before there was an answer".to_owned()))?;
    Ok((answer, line))
}

/// Sends one request by a connection and waits for the head of its answer; none when the connection was closed before anything was sent.
async fn send(
    permit: &mut Permit<'_>,
    line: &mut Line,
    clock: Clock,
    timer: &mut Timer<'_>,
    message: &Message<'_>,
    upload: Option<&mut Upload>,
) -> Result<Option<Response<Incoming>>, Broken> {
    match clock.wait_until(permit, timer, f64::INFINITY, line.sender().ready()).await? {
        Some(Ok(())) => {}
        _ => return Ok(None),
    }
    permit.charge_sent(message.head_size() as u64)?;
    let (body, mut feeding) = match (message.body, upload) {
        (Outgoing::Bytes(bytes), _) => {
            permit.charge_sent(bytes.len() as u64)?;
            (Sent::All(Bytes::copy_from_slice(bytes)), None)
        }
        (Outgoing::Parts(bytes), _) => {
            permit.charge_sent(bytes.len() as u64)?;
            (Sent::All(Bytes::copy_from_slice(bytes)), None)
        }
        (Outgoing::File(_), Some(upload)) => {
            // A piece may have been read for a connection that turned out to be closed.
            upload.rewind().map_err(|error| Stop::Failed(ilu_sbx::permit::os_text(&error)))?;
            let (body, feeding) = upload.start();
            (Sent::File(body), Some(feeding))
        }
        _ => (Sent::Nothing, None),
    };
    let mut sending = pin!(line.sender().try_send_request(message.request(body)?));
    loop {
        tokio::select! {
            biased;
            answer = &mut sending => return match answer {
                Ok(answer) => Ok(Some(answer)),
                // What is given back never left.
                Err(mut error) => match error.take_message() {
                    Some(_) => Ok(None),
                    None => Err(Failure::of_hyper(error.error()).into()),
                },
            },
            slot = Uploading::ready(&mut feeding) => if let Some(feeding) = feeding.as_mut() { feeding.feed(permit, slot)? },
            () = timer.over() => {
                clock.look(permit)?;
                timer.no_later_than(clock.nap(permit));
            }
        }
    }
}

/// Is a body at its end without anybody waiting for it?
async fn poll_immediately(body: &mut Incoming) -> bool {
    poll_fn(|context| {
        loop {
            match Pin::new(&mut *body).poll_frame(context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(None) => return Poll::Ready(true),
                Poll::Ready(Some(Err(_))) | Poll::Pending => return Poll::Ready(false),
            }
        }
    })
    .await
}

/// The next piece of a body; none at its end.
async fn piece(body: &mut Incoming) -> Option<Result<Bytes, Failure>> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await? {
            Err(error) => return Some(Err(Failure::of_hyper(&error))),
            // What comes behind a body is no part of it.
            Ok(frame) => {
                if let Ok(data) = frame.into_data() {
                    return Some(Ok(data));
                }
            }
        }
    }
}

/// Takes the body.
async fn take(
    permit: &mut Permit<'_>,
    mut answer: Response<Incoming>,
    sink: &mut Sink,
    bytes: bool,
    (clock, timer): (Clock, &mut Timer<'_>),
) -> Result<(StatusCode, Vec<(String, Plain)>), Broken> {
    let status = answer.status();
    let announced = answer.body().size_hint().exact();
    if let Sink::File { place, most, .. } = sink
        && status.is_success()
    {
        let len = to_file(permit, answer.body_mut(), place, *most, (clock, timer)).await?;
        #[allow(clippy::cast_precision_loss, reason = "a size as scripts see it")]
        return Ok((status, vec![("len".to_owned(), Plain::Num(len as f64))]));
    }
    let most = match sink {
        Sink::Script(most) | Sink::File { script: most, .. } => *most,
    };
    let too_large = || Broken::Failed(Failure::TooLarge(format!("the answer's body is longer than {most} bytes (option max)")));
    if announced.is_some_and(|announced| announced > most) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(piece) = next(permit, clock, timer, answer.body_mut()).await? {
        if (body.len() + piece.len()) as u64 > most {
            return Err(too_large());
        }
        permit.charge_read(piece.len() as u64)?;
        body.extend_from_slice(&piece);
    }
    let body = if bytes { ("byt", Plain::Bytes(body)) } else { ("txt", Plain::Str(text(body))) };
    Ok((status, vec![(body.0.to_owned(), body.1)]))
}

/// Waits for the next piece, and looks at deadlines and interrupts before.
async fn next(permit: &mut Permit<'_>, clock: Clock, timer: &mut Timer<'_>, body: &mut Incoming) -> Result<Option<Bytes>, Broken> {
    clock.look(permit)?;
    let next = clock.wait_until(permit, timer, f64::INFINITY, piece(body)).await?;
    Ok(next.flatten().transpose()?)
}

/// Writes the body to a file, piece by piece; a part of it never stands under the file's name.
async fn to_file(
    permit: &mut Permit<'_>,
    answer: &mut Incoming,
    place: &Place,
    most: Option<u64>,
    (clock, timer): (Clock, &mut Timer<'_>),
) -> Result<u64, Broken> {
    let mut landing = Landing::begin(permit, place)?;
    let mut len = 0u64;
    while let Some(piece) = next(permit, clock, timer, answer).await? {
        len += piece.len() as u64;
        if let Some(most) = most.filter(|most| len > *most) {
            return Err(Failure::TooLarge(format!("the answer's body is longer than {most} bytes (option max)")).into());
        }
        permit.charge_read(piece.len() as u64)?;
        permit.charge_written(piece.len() as u64)?;
        landing.write(&piece).map_err(|error| permit.os_error(place, &error))?;
    }
    landing.keep().map_err(|error| permit.os_error(place, &error))?;
    Ok(len)
}

/// As text: what is not UTF-8 becomes the replacement character.
fn text(body: Vec<u8>) -> String {
    String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// `{cod, txt | byt | len, hdr, url}`
fn answer(code: StatusCode, rest: Vec<(String, Plain)>, headers: &HeaderMap, target: &Target) -> Plain {
    let mut fields = vec![("cod".to_owned(), Plain::Num(f64::from(code.as_u16())))];
    fields.extend(rest);
    fields.push(("hdr".to_owned(), header::to_plain(headers)));
    fields.push(("url".to_owned(), Plain::Str(target.to_string())));
    Plain::Object(fields)
}
