//! NET rows on redirects: each hop is decided on like a request of its own, and takes nothing along that was not meant for where it leads.

use crate::http_rig::{Rig, Want, check, run};
use crate::lane::{self, Lane};
use ilu_tests::server::{After, Server, answer, ok};
use ilu_tests::tally::{self, Part};
use std::io::Write;

const CODES: [u16; 5] = [301, 302, 303, 307, 308];

/// `/CODE/…` redirects to what stands behind it, once the forbidden server's address is put in; anything else is 200 with the path.
fn leading(location: &'static str) -> Rig {
    let bad = Server::at("127.0.0.2:0", |_, stream| {
        let _ = stream.write_all(&ok("leaked"));
        After::Keep
    });
    let forbidden = bad.addr.to_string();
    let good = Server::start(move |asked, stream| {
        let code: u16 = asked.path.trim_start_matches('/').parse().unwrap_or(200);
        let port = forbidden.rsplit(':').next().unwrap_or_default();
        let location = location.replace("BAD", &forbidden).replace("PORT", port);
        let raw =
            if code == 200 { ok(&asked.path) } else { answer(&format!("{code} Moved"), &format!("Location: {location}\r\n"), b"body") };
        let _ = stream.write_all(&raw);
        After::Keep
    });
    Rig { good, bad }
}

fn get(path: &str) -> String {
    format!("prn __sys_http_get(\"http://GOOD/{path}\").txt")
}

pub fn net_046_a_redirect_to_a_forbidden_address_is_denied_at_the_hop() {
    let rig = leading("http://BAD/");
    for code in CODES {
        rig.attack(&get(&code.to_string()), Want::Deny);
        rig.attack(
            &format!("prn __sys_http_post(\"http://GOOD/{code}\", \"secret\").txt"),
            if code < 304 { Want::Deny } else { Want::Error("the body is not sent on") },
        );
    }
    rig.twin(&get("302"));
    let rig = leading("/ok");
    rig.control(&get("302"), "/ok");
}

pub fn net_047_however_the_redirect_is_spelled() {
    for location in [
        "http://2130706434:PORT/",
        "http://0x7f000002:PORT/",
        "http://127.2:PORT/",
        "http://[::ffff:127.0.0.2]:PORT/",
        "//BAD/",
        "http://%31%32%37.0.0.2:PORT/",
        "http://169.254.169.254/latest/",
        "//169.254.169.254/",
    ] {
        leading(location).attack(&get("302"), Want::Deny);
    }
    for location in [
        "\\\\BAD/",
        "/\\BAD/",
        "http:\\\\BAD/",
        "http:/\\BAD",
        "http://GOOD@BAD/",
        "http://u:p@BAD/",
        "http:///BAD",
        "http:BAD",
        "http://0177.0.0.2:PORT/",
    ] {
        leading(location).attack(&get("302"), Want::Error("http: redirect:"));
    }
    let rig = leading("//BAD/");
    rig.twin(&get("302"));
    leading("/ok?x").control(&get("302"), "/ok?x");
}

pub fn net_048_a_redirect_to_another_scheme_is_an_error() {
    for location in
        ["file:///etc/passwd", "ftp://BAD/", "data:text/plain,leaked", "javascript:1", "unix:/run/x", "gopher://BAD/", "about:blank"]
    {
        leading(location).attack(&get("302"), Want::Error("http: redirect:"));
    }
    leading("/ok").control(&get("302"), "/ok");
}

pub fn net_049_another_port_is_another_decision() {
    // The same host on a port that no rule allows.
    let other = Server::start(|_, stream| {
        let _ = stream.write_all(&ok("leaked"));
        After::Keep
    });
    let to = other.addr.to_string();
    let good = Server::start(move |asked, stream| {
        let raw = if asked.path == "/" { answer("302 Found", &format!("Location: http://{to}/\r\n"), b"") } else { ok("fine") };
        let _ = stream.write_all(&raw);
        After::Keep
    });
    let rig = Rig { good, bad: other };
    rig.attack(&get(""), Want::Deny);
    rig.twin(&get(""));
    rig.control(&get("x"), "fine");
}

pub fn net_050_a_circle_of_redirects_ends() {
    let rig = leading("/302");
    rig.attack(&get("302"), Want::Error("more than 5 redirects"));
    assert_eq!(rig.good.asked().len(), 6);
    let rig = leading("/302");
    rig.attack("prn __sys_http_get(\"http://GOOD/302\", {red: 10}).txt", Want::Error("more than 10 redirects"));
    assert_eq!(rig.good.asked().len(), 11);
    rig.attack("prn __sys_http_get(\"http://GOOD/302\", {red: 11}).txt", Want::Error("at most 10"));
    rig.control("r = __sys_http_get(\"http://GOOD/302\", {red: 0})\nprn r.cod, r.hdr.location, r.txt", "302 /302 body");
}

pub fn net_051_odd_locations_split_nothing() {
    let long = format!("/{}", "x".repeat(1 << 20));
    let cases: Vec<(String, Want<'_>)> = vec![
        ("Location: /a b\r\n".to_owned(), Want::Error("http: redirect:")),
        ("Location: /ok\r\nLocation: /other\r\n".to_owned(), Want::Error("two places")),
        ("Location: /a\rb\r\n".to_owned(), Want::Error("http:")),
        ("Location: \u{e9}\r\n".to_owned(), Want::NoHarm),
        (format!("Location: {long}\r\n"), Want::Error("http: too large:")),
        ("Location: /x\0y\r\n".to_owned(), Want::Error("http:")),
        ("Location: \r\n".to_owned(), Want::Error("more than 5 redirects")),
        ("Location: #frag\r\n".to_owned(), Want::Error("more than 5 redirects")),
    ];
    for (fields, want) in cases {
        let rig = Rig::new(move |asked, stream| {
            let raw = if asked.path == "/" { answer("302 Found", &fields, b"") } else { ok(&asked.path) };
            let _ = stream.write_all(&raw);
            After::Keep
        });
        rig.attack(&get(""), want);
        for asked in rig.good.asked() {
            assert_eq!(asked.head.matches("HTTP/1.1").count(), 1, "{asked:?}");
        }
    }
    let raw = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n";
    Rig::fixed(&[("/", raw)]).control("prn __sys_http_get(\"http://GOOD/\").cod", "302");
    leading("/ok?x").control(&get("302"), "/ok?x");
}

/// Two allowed servers, the first of which redirects to the second.
fn pair(code: u16) -> (Server, Server) {
    let second = Server::start(|asked, stream| {
        let _ = stream.write_all(&ok(&format!("{} {}", asked.method, asked.body.len())));
        After::Keep
    });
    let to = second.addr.to_string();
    let first = Server::start(move |asked, stream| {
        let raw = match asked.path.as_str() {
            "/out" => answer(&format!("{code} Moved"), &format!("Location: http://{to}/in\r\n"), b""),
            "/here" => answer(&format!("{code} Moved"), "Location: /in\r\n", b""),
            _ => ok(&format!("{} {}", asked.method, asked.body.len())),
        };
        let _ = stream.write_all(&raw);
        After::Keep
    });
    (first, second)
}

fn fields(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{name}\": \"hunter2\"")).collect::<Vec<_>>().join(", ")
}

fn secrets(names: &[&str]) {
    for code in CODES {
        let (first, second) = pair(code);
        let (one, two) = (first.addr.to_string(), second.addr.to_string());
        let script = format!("prn __sys_http_get(\"http://{one}/out\", {{hdr: {{{}, accept: \"a/b\"}}}}).txt", fields(names));
        tally::note(Part::Refusal);
        check(&script, &run(&["--net", &one, "--net", &two], &[], &script), Want::Prints("GET 0"));
        let asked = second.asked();
        assert_eq!(asked.len(), 1);
        assert!(!asked[0].head.contains("hunter2"), "{}: {:?}", tally::current(), asked[0].head);
        assert_eq!(asked[0].field("accept"), Some("a/b"));
        // To the same origin they go along.
        tally::note(Part::Control);
        let script = script.replace("/out", "/here");
        check(&script, &run(&["--net", &one], &[], &script), Want::Prints("GET 0"));
        assert_eq!(first.asked()[2].head.matches("hunter2").count(), names.len());
        // Asked without the hop, the second server is sent what the script gives it.
        tally::note(Part::Twin);
        let script = script.replace(&format!("{one}/here"), &format!("{two}/in"));
        check(&script, &run(&["--net", &two], &[], &script), Want::Prints("GET 0"));
        assert_eq!(second.asked()[1].head.matches("hunter2").count(), names.len());
    }
}

pub fn net_052_credentials_stay_with_their_origin() {
    secrets(&["Authorization", "Cookie", "cookie2"]);
    // A proxy's are not for a script to set at all.
    let (first, _) = pair(302);
    let one = first.addr.to_string();
    let script = format!("prn __sys_http_get(\"http://{one}/x\", {{hdr: {{\"Proxy-Authorization\": \"hunter2\"}}}}).txt");
    tally::note(Part::Attempt);
    check(&script, &run(&["--net", &one], &[], &script), Want::Error("not a script's to set"));
}

pub fn net_053_so_does_every_field_that_may_be_a_secret() {
    secrets(&["X-API-Key", "Api-Token", "x-anything", "If-Match"]);
}

pub fn net_055_the_method_is_decided_on_at_each_hop() {
    for (code, method, becomes) in [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "DELETE", "GET"),
        (307, "DELETE", "DELETE"),
        (308, "PUT", "PUT"),
        (302, "DELETE", "DELETE"),
    ] {
        let (first, _second) = pair(code);
        let one = first.addr.to_string();
        let native = format!("__sys_http_{}", method.to_lowercase());
        let body = if method == "DELETE" { "" } else { ", \"abc\"" };
        let script = format!("prn {native}(\"http://{one}/here\"{body}).txt");
        let sent = if becomes == "GET" || method == "DELETE" { 0 } else { 3 };
        tally::note(Part::Control);
        check(&script, &run(&["--net", &one], &[], &script), Want::Prints(&format!("{becomes} {sent}")));
        // What is said on a connection is no business of the kernel's.
        if becomes != method && lane::current() != Lane::Kernel {
            // Who may only send it may not be led to get.
            let before = first.asked().len();
            tally::note(Part::Refusal);
            check(&script, &run(&["--net", &one, "--grant", &format!("capio,{native}")], &[], &script), Want::Deny);
            assert_eq!(first.asked().len(), before + 1);
            tally::note(Part::Twin);
            check(
                &script,
                &run(&["--net", &one, "--grant", &format!("capio,{native},__sys_http_get")], &[], &script),
                Want::Prints("GET 0"),
            );
        }
    }
}

pub fn net_056_nothing_but_a_location_is_followed() {
    let rig = Rig::fixed(&[
        (
            "/meta",
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 70\r\n\r\n<meta http-equiv=\"refresh\" content=\"0; url=http://127.0.0.2:1/\"> 12345",
        ),
        ("/refresh", "HTTP/1.1 200 OK\r\nRefresh: 0; url=http://BAD/\r\nContent-Length: 1\r\n\r\nr"),
        (
            "/link",
            "HTTP/1.1 200 OK\r\nLink: <http://BAD/>; rel=preload\r\nContent-Location: http://BAD/\r\nLocation: http://BAD/\r\nContent-Length: 1\r\n\r\nl",
        ),
        ("/alt", "HTTP/1.1 200 OK\r\nAlt-Svc: http/1.1=\"BAD\"; ma=9999, h2=\"BAD\"\r\nContent-Length: 1\r\n\r\na"),
        ("/again", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"),
        ("/hints", "HTTP/1.1 103 Early Hints\r\nLink: <http://BAD/>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nh"),
        ("/300", "HTTP/1.1 300 Choices\r\nLocation: http://BAD/\r\nContent-Length: 1\r\n\r\nc"),
        ("/304", "HTTP/1.1 304 Not Modified\r\nLocation: http://BAD/\r\n\r\n"),
        ("/305", "HTTP/1.1 305 Use Proxy\r\nLocation: http://BAD/\r\nContent-Length: 1\r\n\r\np"),
        ("/201", "HTTP/1.1 201 Created\r\nLocation: http://BAD/\r\nContent-Length: 1\r\n\r\nn"),
    ]);
    for path in ["meta", "refresh", "link", "hints", "300", "304", "305", "201"] {
        rig.attack(&format!("prn __sys_http_get(\"http://GOOD/{path}\").cod > 0"), Want::Prints("tru"));
    }
    rig.attack("__sys_http_get(\"http://GOOD/alt\")\ni <- 0..9: __sys_http_get(\"http://GOOD/again\")\nprn __sys_http_get(\"http://GOOD/again\").txt", Want::Prints("b"));
}
