//! NET rows on URLs: whatever a URL looks like, one host is judged and that one is dialled.

use crate::http_rig::{Rig, Want, check, run};
use ilu_tests::server::{After, ok};
use ilu_tests::tally::{self, Part};
use std::io::Write;

fn get(url: &str) -> String {
    format!("prn __sys_http_get({}).txt", crate::row::quote(url))
}

fn plain() -> Rig {
    Rig::new(|asked, stream| {
        let _ = stream.write_all(&ok(&asked.path));
        After::Keep
    })
}

/// Each URL is refused and nobody is reached; what a reader without the rule would dial is the forbidden server.
fn refused(rig: &Rig, urls: &[&str], want: Want<'_>) {
    for url in urls {
        rig.attack(&get(&rig.fill(url)), want);
    }
}

pub fn net_039_the_host_is_what_stands_behind_the_last_at_sign() {
    let rig = plain();
    refused(
        &rig,
        &[
            "http://GOOD@BAD/",
            "http://good.test@BAD/",
            "http://good.test:80@BAD/",
            "http://a:b@BAD/",
            "http://@BAD/",
            "http://GOOD%40BAD/",
            "http://GOOD:80%40BAD/",
            "http://a@b@BAD/",
            "https://GOOD@BAD/",
        ],
        Want::DenyOrError,
    );
    refused(&rig, &["http://BAD/@GOOD/", "http://BAD/?@GOOD", "http://BAD#@GOOD", "http://BAD?GOOD"], Want::Deny);
    rig.control(&get(&rig.fill("http://GOOD/@BAD")), &rig.fill("/@BAD"));
    rig.twin(&get(&rig.fill("http://BAD/@GOOD/")));
}

pub fn net_040_a_backslash_is_no_part_of_a_url() {
    let rig = plain();
    refused(
        &rig,
        &[
            "http://GOOD\\@BAD/",
            "http:\\\\BAD",
            "http://BAD\\.good.test/",
            "http://127.1.1.1:80\\@BAD:80/",
            "http://GOOD\\BAD",
            "http:/\\BAD",
        ],
        Want::Error("backslash"),
    );
    rig.control(&get(&rig.fill("http://GOOD/a%5Cb")), "/a%5Cb");
}

pub fn net_042_two_slashes_and_nothing_before_them() {
    let rig = plain();
    refused(
        &rig,
        &[
            "http:BAD",
            "http:/BAD",
            "///BAD",
            "//BAD",
            " http://BAD",
            "http:///GOOD@BAD",
            "http:////BAD",
            "\thttp://BAD",
            "ht\ntp://BAD",
            "http://\tBAD",
        ],
        Want::Error("http: bad request:"),
    );
    refused(&rig, &["HTTP://BAD", "hTTp://BAD/"], Want::Deny);
    rig.control(&get(&rig.fill("HTTP://GOOD/x")), "/x");
    rig.twin(&get("HTTP://BAD"));
}

pub fn net_043_no_scheme_but_http_and_https() {
    let rig = plain();
    for scheme in [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "file://localhost/etc/passwd",
        "ftp://BAD/",
        "gopher://BAD/_x",
        "dict://BAD/x",
        "ldap://BAD/",
        "jar:http://BAD!/x",
        "data:text/plain,leaked",
        "javascript:1",
        "unix:/run/x.sock",
        "http+unix://%2frun%2fx.sock/",
        "ws://BAD/",
        "wss://BAD/",
        "view-source:http://BAD/",
        "about:blank",
        "blob:http://BAD/x",
        "httpx://BAD/",
        "",
    ] {
        rig.attack(&get(&rig.fill(scheme)), Want::Error("http: bad request:"));
    }
    rig.control(&get(&rig.fill("http://GOOD/x")), "/x");
}

pub fn net_044_credentials_of_a_url_are_shown_nowhere() {
    let rig = plain();
    let scratch = ilu_tests::command::Scratch::new("cred");
    let audit = scratch.at("audit.jsonl").display().to_string();
    for url in ["http://user:hunter2@GOOD/x", "http://hunter2@GOOD/", "https://user:hunter2@BAD/"] {
        tally::note(Part::Attempt);
        let script = format!("u = \"{}\"\nr = try(\\() __sys_http_get(u))\nprn r.err", rig.fill(url));
        let good = rig.good.addr.to_string();
        let ran = run(&["--net", &good, "--audit", &audit, "--json"], &[], &script);
        check(
            &script,
            &ran,
            Want::Prints("http: bad request: a URL with a user name or password is not taken: put them into an Authorization header"),
        );
        let record = std::fs::read_to_string(&audit).unwrap();
        assert!(record.contains("__sys_http_get") && !record.contains("hunter2"), "{record}");
        assert!(!(ran.out + &ran.err).contains("hunter2"));
        // Without the native it is refused before the URL is read: what it was about is shown without them all the same.
        let ran = run(&["--grant", "capio", "--audit", &audit, "--json"], &[], &script);
        let record = std::fs::read_to_string(&audit).unwrap();
        assert!(!(ran.out.clone() + &ran.err + &record).contains("hunter2"), "{ran:?} {record}");
    }
    assert!(rig.good.asked().is_empty());
    // Asked for, a password is sent; and only a header field can ask.
    rig.control(&get(&rig.fill("http://GOOD/x")).replace(").txt", ", {hdr: {authorization: \"Basic aHVudGVyMg==\"}}).txt"), "/x");
    let asked = rig.good.asked();
    assert_eq!(asked[0].field("authorization"), Some("Basic aHVudGVyMg=="));
    assert_eq!(asked[0].field("referer"), None);
}

pub fn net_045_long_and_odd_urls_end_well() {
    let rig = plain();
    let long = "use txt\nu = \"http://GOOD/\" + txt.rpt(\"x\", 67108864)\nprn __sys_http_get(u).cod";
    rig.attack(&rig.fill(long), Want::Error("the URL is longer than 8192 bytes"));
    let many = "use txt\nu = \"http://GOOD/?\" + txt.rpt(\"a=b&\", 100000)\nprn __sys_http_get(u).cod";
    rig.attack(&rig.fill(many), Want::Error("the URL is longer than 8192 bytes"));
    for (path, sent) in [
        ("a/../../../../b", "/b"),
        ("%zz", "/%zz"),
        ("%", "/%"),
        ("%u0041", "/%u0041"),
        ("\u{e9}", "/%C3%A9"),
        ("a;b=c,d", "/a;b=c,d"),
        ("?q=\u{e9}", "/?q=%C3%A9"),
        ("%2e%2e/x", "/x"),
    ] {
        tally::note(Part::Attempt);
        rig.control(&get(&rig.fill(&format!("http://GOOD/{path}"))), sent);
    }
}
