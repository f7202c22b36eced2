//! Header fields, both ways.

use super::failure::Failure;
use super::target::Target;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use ilu_sbx::denial::quote;
use ilu_sbx::{Arg, HandleId, Permit, Plain, Stop};

/// Fields that a script may set in one request.
const MAX_FIELDS: usize = 64;
/// Bytes of all of them.
const MAX_BYTES: usize = 32 << 10;
/// Bytes of all fields of an answer.
pub const MAX_ANSWER_BYTES: usize = 64 << 10;
/// Fields of an answer.
pub const MAX_ANSWER_FIELDS: usize = 100;

/// Fields that say where a message ends and who talks to whom: the client's own to set.
const FRAMING: &[&str] = &[
    "host",
    "connection",
    "content-length",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Fields that say nothing of who asks: all that goes along when a redirect leads to another origin. Any other may be a secret.
const HARMLESS: &[&str] = &["accept", "accept-encoding", "accept-language", "content-language", "content-type", "range", "user-agent"];

/// Gives the value of a secret, or denies it.
pub type Reveal<'r> = dyn FnMut(HandleId) -> Result<String, Stop> + 'r;

/// The fields of option `hdr`.
///
/// # Errors
/// A name or value that can't be sent; too many.
pub fn read(arg: Option<&Arg<'_>>, reveal: &mut Reveal<'_>) -> Result<HeaderMap, Stop> {
    let mut headers = HeaderMap::new();
    let wrong = |why: String| Err(Failure::Request(why).stop(None));
    let fields = match arg {
        None => return Ok(headers),
        Some(Arg::Object(fields)) => fields,
        Some(other) => return wrong(format!("option hdr is an obj of header fields, got {}", other.type_name())),
    };
    let (mut count, mut bytes) = (0, 0);
    for (name, value) in fields {
        let known = HeaderName::from_bytes(name.as_bytes()).ok().filter(|_| name.len() <= 128);
        let Some(field) = known else { return wrong(format!("{} is no name of a header field", quote(name))) };
        if FRAMING.contains(&field.as_str()) {
            return wrong(format!("the header field {field} is not a script's to set"));
        }
        let values = match value {
            Arg::List(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values {
            let secret = match value {
                Arg::Str(_) => None,
                other => Some(secret(reveal, &field, other)?),
            };
            let text = match (&secret, value) {
                (Some(text), _) => text.as_str(),
                (None, Arg::Str(text)) => text,
                _ => "",
            };
            (count, bytes) = (count + 1, bytes + name.len() + text.len());
            if count > MAX_FIELDS || bytes > MAX_BYTES {
                return wrong(format!("a request has at most {MAX_FIELDS} header fields of {MAX_BYTES} bytes together"));
            }
            // The value is not shown: it may be a secret.
            let printable = text.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b));
            let Some(mut value) = HeaderValue::from_str(text).ok().filter(|_| printable) else {
                return wrong(format!("the header field {field} holds a character that can't be sent: printable ASCII only, no line ends"));
            };
            value.set_sensitive(secret.is_some());
            headers.append(field.clone(), value);
        }
    }
    Ok(headers)
}

/// The text of a field that holds a secret: the secret, or `{pre, sec}`.
fn secret(reveal: &mut Reveal<'_>, field: &HeaderName, value: &Arg<'_>) -> Result<String, Stop> {
    let wrong = || {
        let got = value.type_name();
        Failure::Request(format!("the header field {field} is text, a secret, or {{pre: TEXT, sec: SECRET}}, got {got}")).stop(None)
    };
    let (pre, id) = match value {
        Arg::Handle(id) => ("", *id),
        Arg::Object(fields) => {
            let mut found = ("", None);
            for (key, value) in fields {
                match (*key, value) {
                    ("pre", Arg::Str(pre)) => found.0 = pre,
                    ("sec", Arg::Handle(id)) => found.1 = Some(*id),
                    _ => return Err(wrong()),
                }
            }
            (found.0, found.1.ok_or_else(wrong)?)
        }
        _ => return Err(wrong()),
    };
    if HARMLESS.contains(&field.as_str()) {
        // Such a field goes along to wherever a redirect leads.
        return Err(Failure::Request(format!("the header field {field} can't hold a secret")).stop(None));
    }
    Ok(format!("{pre}{}", reveal(id)?))
}

/// The value of a secret, for this target.
pub fn revealed(permit: &mut Permit<'_>, target: &Target, id: HandleId) -> Result<String, Stop> {
    let (host, port, tls) = (target.host(), target.port(), target.is_tls());
    let secret = permit.secret_for(id, host, port, tls)?;
    // Bound to it, or there would be none.
    Ok(secret.value_for_text(host, port, tls).unwrap_or_default().to_owned())
}

/// The default type of a body, unless the script has said one.
pub fn body_type(headers: &mut HeaderMap, text: bool) {
    let kind = if text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
}

/// Drops what is not for another origin.
pub fn strip(headers: &mut HeaderMap) {
    let kept: Vec<(HeaderName, HeaderValue)> =
        headers.iter().filter(|(name, _)| HARMLESS.contains(&name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect();
    headers.clear();
    for (name, value) in kept {
        headers.append(name, value);
    }
}

/// The body goes, and with it what describes it.
pub fn without_body(headers: &mut HeaderMap) {
    for name in ["content-type", "content-language", "content-encoding", "content-location"] {
        headers.remove(name);
    }
}

/// Bytes of all fields.
#[must_use]
pub fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// As scripts see them: lower-case names, repeated ones joined by `, `; `set-cookie`, which can't be joined, is a list.
#[must_use]
pub fn to_plain(headers: &HeaderMap) -> Plain {
    let field = |name: &HeaderName| {
        let mut values = headers.get_all(name).iter().map(text);
        let value = if name == SET_COOKIE {
            Plain::List(values.map(Plain::Str).collect())
        } else {
            let mut all = values.next().unwrap_or_default();
            for more in values {
                all.push_str(", ");
                all.push_str(&more);
            }
            Plain::Str(all)
        };
        (name.as_str().to_owned(), value)
    };
    Plain::Object(headers.keys().map(field).collect())
}

/// UTF-8, or else each byte as the character of that number, so that nothing is lost.
pub fn text(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().map(|b| char::from(*b)).collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn one(name: &str, value: &str) -> Result<HeaderMap, Stop> {
        read(Some(&Arg::Object(vec![(name, Arg::Str(value))])), &mut |_| Ok("hidden".to_owned()))
    }

    #[test]
    fn no_field_breaks_out_of_its_line_or_frames_the_message() {
        for (name, value) in [
            ("X-A", "a\r\nB: c"),
            ("X-A", "a\nb"),
            ("X-A", "a\rb"),
            ("X-A", "a\0"),
            ("X-A", "caf\u{e9}"),
            ("X-A\r\n", "x"),
            ("X A", "x"),
            ("X:A", "x"),
            ("", "x"),
            (" X", "x"),
            ("X\u{e9}", "x"),
            ("Host", "x"),
            ("CONTENT-LENGTH", "5"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "close"),
            ("Upgrade", "x"),
            ("Expect", "100-continue"),
            ("Proxy-Authorization", "x"),
        ] {
            assert!(one(name, value).is_err(), "{name:?}: {value:?}");
        }
        assert!(one(&"x".repeat(200), "x").is_err());
        assert!(one("x", &"x".repeat(1 << 20)).is_err());
        assert_eq!(one("X-A", "a b\tc").unwrap().len(), 1);
        let many: Vec<(&str, Arg<'_>)> = vec![("x", Arg::List(vec![Arg::Str("y"); 40_000]))];
        assert!(read(Some(&Arg::Object(many)), &mut |_| Ok(String::new())).is_err());
        assert!(read(Some(&Arg::Object(vec![("x", Arg::Num(1.0))])), &mut |_| Ok(String::new())).is_err());
        assert!(read(Some(&Arg::List(Vec::new())), &mut |_| Ok(String::new())).is_err());
    }

    #[test]
    fn a_value_that_is_refused_is_not_shown() {
        let Stop::Failed(text) = one("Authorization", "Bearer hunter2\n").unwrap_err() else { return };
        assert!(text.contains("authorization") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn only_what_is_harmless_goes_to_another_origin() {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "cookie", "x-api-key", "api-token", "accept", "content-type", "user-agent", "if-none-match"] {
            headers.insert(name, HeaderValue::from_static("v"));
        }
        strip(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "content-type", "user-agent"]);
    }

    #[test]
    fn fields_of_an_answer_keep_their_bytes() {
        let mut headers = HeaderMap::new();
        headers.append("x", HeaderValue::from_bytes(b"a\xff").unwrap());
        headers.append("x", HeaderValue::from_static("b"));
        headers.append("set-cookie", HeaderValue::from_static("a=1, b"));
        let shown = Plain::Object(vec![
            ("x".to_owned(), Plain::Str("a\u{ff}, b".to_owned())),
            ("set-cookie".to_owned(), Plain::List(vec![Plain::Str("a=1, b".to_owned())])),
        ]);
        assert_eq!(to_plain(&headers), shown);
    }
}
