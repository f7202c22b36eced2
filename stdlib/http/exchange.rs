//! One request to its end: hop by hop, each with a decision of its own, under one deadline.
//!
//! The order at each hop: the URL is made canonical and recorded, the doorway decides on its host and port (which is where a name is looked
//! up), a client is found for exactly the addresses that passed, and only then is anything sent. While it waits, deadlines and interrupts
//! are looked at every few milliseconds. Bytes are charged as they go, and what would be too much is never taken in.

use super::body::{Upload, Uploading};
use super::client::{Http, Timer};
use super::failure::Failure;
use super::header;
use super::request::{Outgoing, Request};
use super::target::Target;
use crate::fs::landing::Landing;
use crate::fs::open::{Mode, regular};
use bytes::Bytes;
use ilu_sbx::{Permit, Place, Plain, Stop};
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, Method, Response, StatusCode};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

/// Milliseconds between two looks at deadlines and interrupts.
const NAP_MS: f64 = 20.0;
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

/// When the time for the whole request is over.
#[derive(Clone, Copy)]
struct Deadline {
    at: f64,
    ms: u64,
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
    #[allow(clippy::cast_precision_loss, reason = "at most a day")]
    let deadline = Deadline { at: permit.mono_ms() + request.ms as f64, ms: request.ms };
    let mut sink = sink(permit, &request)?;
    let Request { mut method, mut target, mut headers, mut body, redirects, bytes, .. } = request;
    let mut upload = upload(permit, &body)?;
    let http = permit.service::<Http>();
    let mut hops = 0;
    loop {
        let mut at = Some(&target);
        let hop = (|| -> Result<(Next, HeaderMap), Broken> {
            let route = permit.connect(target.host(), target.port())?;
            let found = http.client(permit, &target, &route)?;
            let idempotent = is_idempotent(&method) && upload.is_none();
            let message = Message { method: &method, target: &target, headers: &headers, body: &body };
            http.runtime()?.block_on(async {
                let mut timer = http.timer(nap(permit, deadline));
                if !(idempotent && found.fresh) {
                    // What happened to open connections while nobody looked is seen first: one that the other side has closed is not
                    // written to. What may be asked twice needs that only when there was time for something to happen.
                    for _ in 0..2 {
                        tokio::task::yield_now().await;
                    }
                }
                let mut answer = send(permit, &found.client, &message, upload.as_mut(), deadline, &mut timer).await;
                if let Err(Broken::Failed(Failure::Dropped(_))) = &answer
                    && found.used
                    && idempotent
                {
                    // The other side may have closed an idle connection just as it was used: what may be asked twice is, once.
                    let client = http.without_open_connections(permit, &target, &route)?;
                    answer = send(permit, &client, &message, None, deadline, &mut timer).await;
                }
                let mut answer = answer?;
                let size = header::size(answer.headers());
                if size > header::MAX_ANSWER_BYTES {
                    let most = header::MAX_ANSWER_BYTES;
                    return Err(Failure::TooLarge(format!("the answer's header has {size} bytes, at most {most} are taken")).into());
                }
                permit.charge_read(size as u64)?;
                if redirects > 0
                    && let Some(next) = redirect(&target, &method, answer.status(), answer.headers())?
                {
                    return Ok((Next::Hop(next), HeaderMap::new()));
                }
                let headers = std::mem::take(answer.headers_mut());
                take(permit, answer, &mut sink, bytes, deadline, &mut timer).await.map(|answer| (Next::End(answer), headers))
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
        } else if let Some(upload) = &mut upload {
            upload.rewind().map_err(|error| Stop::Failed(ilu_sbx::permit::os_text(&error)))?;
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

/// Sends one request and waits for the head of its answer.
async fn send(
    permit: &mut Permit<'_>,
    client: &Client,
    message: &Message<'_>,
    upload: Option<&mut Upload>,
    deadline: Deadline,
    timer: &mut Timer<'_>,
) -> Result<Response, Broken> {
    let request = client.request(message.method.clone(), message.target.url().clone()).headers(message.headers.clone());
    let head = message.target.url().as_str().len() + header::size(message.headers);
    permit.charge_sent(head as u64)?;
    let (request, mut feeding) = match (message.body, upload) {
        (Outgoing::Bytes(bytes), _) => {
            permit.charge_sent(bytes.len() as u64)?;
            (request.body(Bytes::copy_from_slice(bytes)), None)
        }
        (Outgoing::Parts(bytes), _) => {
            permit.charge_sent(bytes.len() as u64)?;
            (request.body(Bytes::copy_from_slice(bytes)), None)
        }
        (Outgoing::File(_), Some(upload)) => {
            let (body, feeding) = upload.start();
            (request.body(reqwest::Body::wrap(body)), Some(feeding))
        }
        _ => (request, None),
    };
    let mut sending = pin!(request.send());
    loop {
        tokio::select! {
            biased;
            answer = &mut sending => return answer.map_err(|error| Failure::of_client(&error).into()),
            slot = Uploading::ready(&mut feeding) => if let Some(feeding) = feeding.as_mut() { feeding.feed(permit, slot)? },
            () = timer.over() => {
                look(permit, deadline)?;
                timer.no_later_than(nap(permit, deadline));
            }
        }
    }
}

/// Takes the body.
async fn take(
    permit: &mut Permit<'_>,
    mut answer: Response,
    sink: &mut Sink,
    bytes: bool,
    deadline: Deadline,
    timer: &mut Timer<'_>,
) -> Result<(StatusCode, Vec<(String, Plain)>), Broken> {
    let status = answer.status();
    let announced = answer.content_length();
    if let Sink::File { place, most, .. } = sink
        && status.is_success()
    {
        let len = to_file(permit, &mut answer, place, *most, deadline, timer).await?;
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
    while let Some(piece) = wait(permit, deadline, timer, answer.chunk()).await? {
        let piece = piece.map_err(|error| Failure::of_client(&error))?;
        if (body.len() + piece.len()) as u64 > most {
            return Err(too_large());
        }
        permit.charge_read(piece.len() as u64)?;
        body.extend_from_slice(&piece);
    }
    let body = if bytes { ("byt", Plain::Bytes(body)) } else { ("txt", Plain::Str(text(body))) };
    Ok((status, vec![(body.0.to_owned(), body.1)]))
}

/// Writes the body to a file, piece by piece; a part of it never stands under the file's name.
async fn to_file(
    permit: &mut Permit<'_>,
    answer: &mut Response,
    place: &Place,
    most: Option<u64>,
    deadline: Deadline,
    timer: &mut Timer<'_>,
) -> Result<u64, Broken> {
    let mut landing = Landing::begin(permit, place)?;
    let mut len = 0u64;
    while let Some(piece) = wait(permit, deadline, timer, answer.chunk()).await? {
        let piece = piece.map_err(|error| Failure::of_client(&error))?;
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

/// Waits for the next piece, and looks at deadlines and interrupts meanwhile.
async fn wait<T, E>(
    permit: &mut Permit<'_>,
    deadline: Deadline,
    timer: &mut Timer<'_>,
    next: impl Future<Output = Result<Option<T>, E>>,
) -> Result<Option<Result<T, E>>, Broken> {
    look(permit, deadline)?;
    let mut next = pin!(next);
    loop {
        tokio::select! {
            biased;
            done = next.as_mut() => return Ok(done.transpose()),
            () = timer.over() => {
                look(permit, deadline)?;
                timer.no_later_than(nap(permit, deadline));
            }
        }
    }
}

fn nap(permit: &mut Permit<'_>, deadline: Deadline) -> Duration {
    let left = (deadline.at - permit.mono_ms()).clamp(0.5, NAP_MS);
    Duration::try_from_secs_f64(left / 1000.0).unwrap_or(Duration::from_millis(1))
}

fn look(permit: &mut Permit<'_>, deadline: Deadline) -> Result<(), Broken> {
    permit.pulse()?;
    if permit.mono_ms() >= deadline.at { Err(Failure::TimedOut(deadline.ms).into()) } else { Ok(()) }
}
