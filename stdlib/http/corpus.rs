//! The URL rows of web-platform-tests: each has one verdict here, and what is taken is what the corpus says it is, in one spelling.

use super::target::Target;
use serde_json::Value;
use url::Url;

const ROWS: &str = include_str!("../tests/data/urls.json");

/// A row: what was read and against what, and what the corpus says came out.
struct Row {
    input: String,
    base: Option<String>,
    /// The URL and its host; none when it can't be read.
    reads: Option<(String, String)>,
    has_credentials: bool,
}

fn rows() -> Vec<Row> {
    let all: Vec<Value> = serde_json::from_str(ROWS).unwrap();
    let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
    all.iter()
        .map(|row| Row {
            input: text(row, "input").unwrap(),
            base: text(row, "base"),
            reads: text(row, "href").zip(text(row, "hostname")),
            has_credentials: ["username", "password"].iter().any(|key| text(row, key).is_some_and(|text| !text.is_empty())),
        })
        .collect()
}

/// What the corpus calls a URL, as it is here: no fragment, no dot at the end of a name, an IPv4 address as such.
fn as_here(href: &str) -> String {
    let mut url = url::Url::parse(href).unwrap();
    url.set_fragment(None);
    match url.host().map(|host| host.to_owned()) {
        Some(url::Host::Domain(name)) if name.ends_with('.') => url.set_host(Some(name.strip_suffix('.').unwrap())).unwrap(),
        Some(url::Host::Ipv6(ip)) if ip.to_ipv4_mapped().is_some() => url.set_ip_host(ip.to_ipv4_mapped().unwrap().into()).unwrap(),
        _ => {}
    }
    url.to_string()
}

#[test]
fn every_url_has_one_verdict_and_one_spelling() {
    let (mut taken, mut refused, mut stricter) = (0, 0, 0);
    for row in rows() {
        let base = row.base.as_deref().map(Target::parse);
        let got = match &base {
            None => Target::parse(&row.input),
            Some(Ok(base)) => base.join(&row.input),
            // What is relative to something else than a page of the web is never asked for.
            Some(Err(_)) => continue,
        };
        let wanted = row.reads.as_ref().filter(|(href, _)| href.starts_with("http://") || href.starts_with("https://"));
        match (got, wanted) {
            (Ok(target), Some((href, _))) => {
                taken += 1;
                assert!(!row.has_credentials, "{:?} was taken with its credentials", row.input);
                assert_eq!(target.to_string(), as_here(href), "{:?}", row.input);
                // What is judged is the host of what is sent, and reading that again changes nothing.
                assert_eq!(Target::parse(&target.to_string()).as_ref(), Ok(&target), "{:?}", row.input);
                let sent = Url::parse(target.as_str()).unwrap().host_str().unwrap().trim_matches(['[', ']']).to_owned();
                assert_eq!(sent, target.host(), "{:?}", row.input);
                assert!(hyper::http::uri::PathAndQuery::try_from(target.path()).is_ok(), "{:?}", row.input);
            }
            (Ok(target), None) => panic!("{:?} was taken as {target}; the corpus says it is none", row.input),
            (Err(_), Some(_)) => stricter += 1,
            (Err(_), None) => refused += 1,
        }
    }
    // Of 819: a change of any of these is a change of what scripts may write.
    assert_eq!((taken, refused, stricter), (138, 474, 78));
}
