//! What a script asks for: the arguments of the five natives, checked before anything is decided or sent.

use super::failure::Failure;
use super::header;
use super::target::Target;
use hyper::Method;
use hyper::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use ilu_sbx::secret::MAX_SECRET;
use ilu_sbx::{Arg, Options, Permit, Stop};

/// Milliseconds for the whole of a request, redirects included, when the script names none.
const DEFAULT_MS: u64 = 30_000;
/// Longest time a script can name: a day.
const MOST_MS: u64 = 86_400_000;
/// Redirects that are followed when the script names no number.
const DEFAULT_REDIRECTS: u64 = 5;
/// Most redirects of one request.
const MOST_REDIRECTS: u64 = 10;

/// The body that is sent. It may be a secret, so it has no text of its own; nor has the request.
pub enum Outgoing<'a> {
    /// None.
    Nothing,
    /// These bytes.
    Bytes(&'a [u8]),
    /// Parts with a secret among them, joined.
    Parts(Vec<u8>),
    /// A file, by its path.
    File(&'a str),
}

/// A request, before anything is decided.
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// Whom to ask.
    pub target: Target,
    /// The script's fields and the defaults.
    pub headers: HeaderMap,
    /// What is sent.
    pub body: Outgoing<'a>,
    /// Milliseconds for all of it.
    pub ms: u64,
    /// Bytes of the answer's body that are taken at most, when the script says so.
    pub most: Option<u64>,
    /// Is the answer's body wanted as bytes?
    pub bytes: bool,
    /// The file that takes the body of an answer, by its path.
    pub to: Option<&'a str>,
    /// Redirects to follow; 0 gives them as they are.
    pub redirects: u64,
}

/// The options of all natives that send no body, and of those that do.
const OPTIONS: &[&str] = &["hdr", "ms", "max", "bytes", "to", "red"];
const BODY_OPTIONS: &[&str] = &["hdr", "ms", "max", "bytes", "to", "red", "from"];

impl<'a> Request<'a> {
    /// Reads the arguments `(url[, opts])`, or `(url[, body[, opts]])` of a method that has a body.
    ///
    /// # Errors
    /// One of them is not as the page says.
    pub fn read(permit: &mut Permit<'_>, method: Method, args: &[Arg<'a>]) -> Result<Request<'a>, Stop> {
        let wrong = |failure: Failure| failure.stop(None);
        let Some(Arg::Str(url)) = args.first() else { return Err(Stop::failed("a URL is text")) };
        let target = Target::parse(url).map_err(|why| wrong(Failure::Request(why)))?;
        permit.about(&target.to_string());
        let sends = method == Method::POST || method == Method::PUT || method == Method::PATCH;
        let (body, opts) = if sends { (args.get(1), args.get(2)) } else { (None, args.get(1)) };
        let o = Options::new(permit.native(), opts, if sends { BODY_OPTIONS } else { OPTIONS })?;
        let path = |key: &str| match o.get(key) {
            None => Ok(None),
            Some(Arg::Str(path)) => Ok(Some(*path)),
            Some(other) => Err(wrong(Failure::Request(format!("option {key} is a path, got {}", other.type_name())))),
        };
        let (to, from) = (path("to")?, path("from")?);
        let mut headers = header::read(o.get("hdr"), &mut |id| header::revealed(permit, &target, id))?;
        let body = match (body, from) {
            (None | Some(Arg::Nil), None) => Outgoing::Nothing,
            (None | Some(Arg::Nil), Some(path)) => Outgoing::File(path),
            (Some(_), Some(_)) => return Err(wrong(Failure::Request("a body and option from exclude each other".to_owned()))),
            (Some(Arg::Str(text)), None) => Outgoing::Bytes(text.as_bytes()),
            (Some(Arg::Bytes(bytes)), None) => Outgoing::Bytes(bytes),
            (Some(parts @ (Arg::Handle(_) | Arg::List(_))), None) => Outgoing::Parts(joined(permit, &target, parts)?),
            (Some(other), None) => {
                let why = format!(
                    "a body is str or byt, or a secret, or a list of these, got {}: jsn.enc makes text of a value",
                    other.type_name()
                );
                return Err(wrong(Failure::Request(why)));
            }
        };
        match (&body, args.get(1)) {
            (Outgoing::Nothing, _) => {}
            (_, text) => header::body_type(&mut headers, matches!(text, Some(Arg::Str(_)))),
        }
        // What comes is taken as it is: nothing here undoes a compression, so nothing can swell.
        headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        let ms = o.count("ms")?.unwrap_or(DEFAULT_MS);
        if ms == 0 || ms > MOST_MS {
            return Err(wrong(Failure::Request(format!("option ms is from 1 to {MOST_MS}"))));
        }
        let redirects = o.count("red")?.unwrap_or(DEFAULT_REDIRECTS);
        if redirects > MOST_REDIRECTS {
            return Err(wrong(Failure::Request(format!("option red is at most {MOST_REDIRECTS}"))));
        }
        let bytes = o.flag("bytes")?;
        Ok(Request { method, target, headers, body, ms, most: o.count("max")?, bytes, to, redirects })
    }
}

/// A body of parts: texts, bytes and secrets, one after the other.
fn joined(permit: &mut Permit<'_>, target: &Target, parts: &Arg<'_>) -> Result<Vec<u8>, Stop> {
    let parts = match parts {
        Arg::List(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let size = |part: &Arg<'_>| match part {
        Arg::Str(text) => text.len(),
        Arg::Bytes(bytes) => bytes.len(),
        _ => MAX_SECRET,
    };
    permit.room(parts.iter().map(size).sum::<usize>() as u64)?;
    let mut body = Vec::new();
    for part in parts {
        match part {
            Arg::Str(text) => body.extend_from_slice(text.as_bytes()),
            Arg::Bytes(bytes) => body.extend_from_slice(bytes),
            Arg::Handle(id) => body.extend_from_slice(header::revealed(permit, target, *id)?.as_bytes()),
            other => {
                let why = format!(
                    "a body is str or byt, or a secret, or a list of these, got {} in it: jsn.enc makes text of a value",
                    other.type_name()
                );
                return Err(Failure::Request(why).stop(None));
            }
        }
    }
    Ok(body)
}
