//! The one canonical URL of a request: what is judged is what is dialled, sent as `Host` and recorded.
//!
//! The text is read once, by one parser. Before that, spellings are refused in which readers are known to disagree about where the host
//! begins or what it is: credentials, backslashes, blanks, missing slashes, ports and addresses with leading zeros.

use std::net::IpAddr;
use url::{Host, Position, Url};

/// Bytes of a URL: as much as common servers take.
pub const MAX_URL: usize = 8192;

/// An http or https URL in its canonical form, without fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    url: Url,
    host: String,
    port: u16,
}

impl Target {
    /// Reads a URL that a script wrote.
    ///
    /// # Errors
    /// What is wrong with it; never more of the text than its scheme, since it may hold a password.
    pub fn parse(text: &str) -> Result<Target, String> {
        plain(text)?;
        let scheme = scheme(text).ok_or("a URL starts with https:// or http://")?;
        authority(text, scheme)?;
        Target::of(Url::parse(text).map_err(|error| error.to_string())?)
    }

    /// Where a `Location` header of an answer from here leads.
    ///
    /// # Errors
    /// It is no URL that could be asked.
    pub fn join(&self, location: &str) -> Result<Target, String> {
        plain(location)?;
        match scheme(location) {
            Some(scheme) => authority(location, scheme)?,
            None if location.starts_with("//") => spelled(authority_of(location.get(2..).unwrap_or_default()))?,
            None => {}
        }
        Target::of(self.url.join(location).map_err(|error| error.to_string())?)
    }

    fn of(mut url: Url) -> Result<Target, String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(unsupported(url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NO_CREDENTIALS.to_owned());
        }
        url.set_fragment(None);
        // `example.com.` is the same host; only one spelling goes on.
        if let Some(Host::Domain(name)) = url.host()
            && let Some(shorter) = name.strip_suffix('.').map(str::to_owned)
        {
            url.set_host(Some(&shorter)).map_err(|error| error.to_string())?;
        }
        // An IPv4 address in the dress of IPv6 is that IPv4 address: nothing later has to know that there are two.
        if let Some(Host::Ipv6(ip)) = url.host()
            && let Some(ip) = ip.to_ipv4_mapped()
        {
            url.set_ip_host(ip.into()).map_err(|()| "the URL has no host")?;
        }
        let host = match url.host() {
            Some(Host::Domain(name)) if name.split('.').all(|part| !part.is_empty()) => name.to_owned(),
            Some(Host::Ipv4(ip)) => ip.to_string(),
            Some(Host::Ipv6(ip)) => ip.to_string(),
            _ => return Err("the URL has no host, or one with an empty part".to_owned()),
        };
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or("port 0 is no port")?;
        Ok(Target { url, host, port })
    }

    /// The host as it is judged: lower case, without brackets, without a dot at the end.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port that is dialled.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Is it https?
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The host, when it is an address.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self.url.host()? {
            Host::Domain(_) => None,
            Host::Ipv4(ip) => Some(ip.into()),
            Host::Ipv6(ip) => Some(ip.into()),
        }
    }

    /// Are scheme, host and port the same?
    #[must_use]
    pub fn same_origin(&self, other: &Target) -> bool {
        self.is_tls() == other.is_tls() && self.host == other.host && self.port == other.port
    }

    /// All of it, as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Path and query, as they stand in the request.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// Host and port as they stand in the field `Host`: the port only when it is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// `host:port`, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        if self.host.contains(':') { format!("[{}]:{}", self.host, self.port) } else { format!("{}:{}", self.host, self.port) }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.url.as_str())
    }
}

const NO_CREDENTIALS: &str = "a URL with a user name or password is not taken: put them into an Authorization header";

fn unsupported(scheme: &str) -> String {
    format!("the scheme {} is not supported: http or https", ilu_sbx::denial::quote(scheme))
}

/// Nothing in it that readers skip or turn into something else.
fn plain(text: &str) -> Result<(), String> {
    if text.len() > MAX_URL {
        return Err(format!("the URL is longer than {MAX_URL} bytes"));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("a URL has no blanks, line ends or control characters: write them as %20 and so on".to_owned());
    }
    if text.contains('\\') {
        return Err("a URL has no backslashes: write / or %5C".to_owned());
    }
    Ok(())
}

/// The text before the first colon, when it can be a scheme.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(fits)).then_some(scheme)
}

fn authority(text: &str, scheme: &str) -> Result<(), String> {
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(unsupported(&scheme.to_ascii_lowercase()));
    }
    let rest = text.get(scheme.len() + 1..).unwrap_or_default();
    let rest = rest.strip_prefix("//").ok_or_else(|| format!("a URL starts with {}://", scheme.to_ascii_lowercase()))?;
    spelled(authority_of(rest))
}

fn authority_of(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Host and port in a spelling that everybody reads alike.
fn spelled(authority: &str) -> Result<(), String> {
    if authority.is_empty() {
        return Err("the URL has no host: exactly two slashes stand before it".to_owned());
    }
    if authority.contains('@') {
        return Err(NO_CREDENTIALS.to_owned());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if let Some(port) = port
        && (port.is_empty() || port.starts_with('0') || !port.bytes().all(|b| b.is_ascii_digit()))
    {
        return Err("the port of a URL is a number from 1 to 65535, without leading zeros".to_owned());
    }
    let octal = |part: &str| part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit());
    if host.split('.').any(octal) && host.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b'x' | b'X')) {
        return Err("an address with leading zeros is read in two ways: write each part as a plain decimal number".to_owned());
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_comes_out() {
        for (text, url, host, port) in [
            ("http://Example.COM", "http://example.com/", "example.com", 80),
            ("HTTPS://example.com.:443/a?b#c", "https://example.com/a?b", "example.com", 443),
            ("http://127.1/", "http://127.0.0.1/", "127.0.0.1", 80),
            ("http://0x7f000001:8080/", "http://127.0.0.1:8080/", "127.0.0.1", 8080),
            ("http://[::FFFF:127.0.0.1]/", "http://127.0.0.1/", "127.0.0.1", 80),
            ("http://%6c%6f%63alhost/", "http://localhost/", "localhost", 80),
            ("http://b\u{fc}cher.example/", "http://xn--bcher-kva.example/", "xn--bcher-kva.example", 80),
            ("http://a.test/%zz/../x\u{e9}", "http://a.test/x%C3%A9", "a.test", 80),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!((target.to_string().as_str(), target.host(), target.port()), (url, host, port), "{text}");
        }
    }

    #[test]
    fn what_readers_disagree_about_is_refused() {
        for text in [
            "",
            "example.com",
            "//example.com",
            "///example.com",
            "http:example.com",
            "http:/example.com",
            "http:///example.com",
            "http://",
            "http://?x",
            "http://user@example.com/",
            "http://a:b@example.com/",
            "http://@example.com/",
            "http://good.test\\@127.0.0.1/",
            "http:\\\\127.0.0.1",
            " http://a.test",
            "http://a.test/ x",
            "http://a.test/\r\nX: y",
            "http://a.test:/",
            "http://a.test:00443/",
            "http://a.test:+443/",
            "http://a.test:0/",
            "http://a.test:65536/",
            "http://a.test:\u{ff14}\u{ff14}\u{ff13}/",
            "http://a.test:https/",
            "http://010.0.0.1/",
            "http://127.000.000.001/",
            "http://256.0.0.1/",
            "http://4294967297/",
            "http://1.2.3.4.5/",
            "http://a.test%00.b/",
            "http://[::1/",
            "http://::1/",
            "http://[a.test]/",
            "file:///etc/passwd",
            "ftp://a.test/",
            "javascript:x",
            "unix:/x",
            "ws://a.test/",
            "data:,x",
            "view-source:http://a.test/",
            "http+unix://a/",
            "jar:http://a.test!/x",
        ] {
            assert!(Target::parse(text).is_err(), "{text:?} became {:?}", Target::parse(text));
        }
        assert!(Target::parse(&format!("http://a.test/{}", "x".repeat(1 << 20))).is_err());
    }

    #[test]
    fn a_refused_url_is_not_repeated() {
        for text in ["http://u:hunter2@a.test/", "http://hunter2@a.test", "ftp://u:hunter2@a.test/"] {
            assert!(!Target::parse(text).unwrap_err().contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn a_redirect_is_read_by_the_same_rules() {
        let from = Target::parse("https://a.test/x/y?q").unwrap();
        for (location, to) in [
            ("", "https://a.test/x/y?q"),
            ("?z", "https://a.test/x/y?z"),
            ("#f", "https://a.test/x/y?q"),
            ("../up", "https://a.test/up"),
            ("//b.test/", "https://b.test/"),
            ("http://b.test:8080/", "http://b.test:8080/"),
            ("/a:b@c", "https://a.test/a:b@c"),
        ] {
            assert_eq!(from.join(location).unwrap().to_string(), to, "{location}");
        }
        for location in [
            "//u@b.test/",
            "\\\\127.0.0.1",
            "/\\127.0.0.1",
            "file:///etc/passwd",
            "javascript:1",
            "http:b.test",
            "http:///b.test",
            "//",
            "unix:/x",
            "data:,x",
            "https://b.test:0/",
        ] {
            assert!(from.join(location).is_err(), "{location:?} became {:?}", from.join(location));
        }
    }
}
