//! NET rows on hostile answers: whatever a server sends, and however slowly, it ends with an answer within its bounds or with an error.

use crate::http_rig::{Rig, Want, check, run};
use ilu_tests::server::{After, Server, answer, ok};
use ilu_tests::tally::{self, Part};
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Sends a piece over and over, with a pause, until nobody listens.
fn drip(stream: &mut TcpStream, piece: &[u8], pause: u64) -> After {
    while stream.write_all(piece).is_ok() {
        std::thread::sleep(Duration::from_millis(pause));
    }
    After::Close
}

fn slow() -> Rig {
    Rig::new(|asked, stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
        match asked.path.as_str() {
            "/status" => {
                for byte in "HTTP/1.1 200 OK and more of it".bytes() {
                    if stream.write_all(&[byte]).is_err() {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(300));
                }
                After::Close
            }
            "/header" => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
                drip(stream, b"X: 1\r\n", 200)
            }
            "/informational" => drip(stream, b"HTTP/1.1 100 Continue\r\n\r\n", 1),
            "/body" => {
                let _ = stream.write_all(head.as_bytes());
                drip(stream, b"x", 100)
            }
            "/chunks" => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                drip(stream, b"1\r\nx\r\n", 100)
            }
            "/nothing" => {
                std::thread::sleep(Duration::from_secs(20));
                After::Close
            }
            "/hop" => {
                std::thread::sleep(Duration::from_millis(600));
                let _ = stream.write_all(&answer("302 Found", "Location: /hop\r\n", b""));
                After::Keep
            }
            _ => {
                let _ = stream.write_all(&ok("fine"));
                After::Keep
            }
        }
    })
}

pub fn net_076_the_time_is_for_all_of_a_request() {
    let rig = slow();
    for path in ["status", "header", "informational", "body", "chunks", "nothing", "hop"] {
        let start = Instant::now();
        rig.attack(&format!("prn __sys_http_get(\"http://GOOD/{path}\", {{ms: 1000}}).cod"), Want::Error("http: timed out:"));
        let took = start.elapsed();
        assert!(took < Duration::from_secs(8), "{path} took {took:?}");
        // The time of the run counts as well, and is no error that a script could catch.
        tally::note(Part::Attempt);
        let script = format!(
            "use sbx\nr = sbxtr(sbxmk([\"__sys_http_get\"], {{ms: 700}}), \\() try(\\() __sys_http_get(\"http://GOOD/{path}\")))\nprn r.err"
        );
        check(&script, &rig.run(&[], &script), Want::Prints("time ran out (limit 700 ms)"));
    }
    rig.control("prn __sys_http_get(\"http://GOOD/x\", {ms: 5000}).txt", "fine");
}

/// Ten MiB of zeros as a gzip stream would unpack a thousandfold: here only its name matters, since nothing unpacks.
fn bomb() -> Rig {
    Rig::new(|asked, stream| {
        let kind = asked.path.trim_start_matches('/');
        if kind == "endless" || kind == "endless-chunks" {
            let chunked = kind == "endless-chunks";
            let head = if chunked { "Transfer-Encoding: chunked" } else { "Connection: close" };
            let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes());
            let piece = if chunked { [b"10000\r\n".to_vec(), vec![b'x'; 65536], b"\r\n".to_vec()].concat() } else { vec![b'x'; 65536] };
            return drip(stream, &piece, 0);
        }
        if kind == "announced" {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n");
            return drip(stream, &[b'x'; 65536], 0);
        }
        let body = vec![0u8; 1 << 20];
        let _ = stream.write_all(&answer("200 OK", &format!("Content-Encoding: {kind}\r\n"), &body));
        After::Keep
    })
}

pub fn net_077_what_is_too_large_is_not_taken() {
    let rig = bomb();
    for path in ["endless", "endless-chunks", "announced"] {
        for native in ["__sys_http_get(u).cod", "__sys_http_get(u, {bytes: tru}).cod", "__sys_http_get(u, {max: 100000}).cod"] {
            rig.attack(&format!("u = \"http://GOOD/{path}\"\nprn {native}"), Want::Error("http: too large:"));
        }
        rig.attack(&format!("use net\nprn net.jget(\"http://GOOD/{path}\")"), Want::Error("http: too large:"));
        // Small sandboxes take less without being told to.
        tally::note(Part::Attempt);
        let script = format!(
            "use sbx\nr = sbxtr(sbxmk([\"__sys_http_get\"], {{mem: 8000000}}), \\() __sys_http_get(\"http://GOOD/{path}\").cod)\nprn r.err"
        );
        let ran = rig.run(&[], &script);
        assert!(ran.code == Some(0) && ran.out.contains("http: too large:"), "{ran:?}");
        let scratch = ilu_tests::command::Scratch::new("bomb");
        scratch.write("kept", "old");
        let (good, dir) = (rig.good.addr.to_string(), format!("{}:/d:rw", scratch.path().display()));
        let script = format!("prn __sys_http_get(\"http://{good}/{path}\", {{to: \"/d/kept\", max: 3000000}}).len");
        tally::note(Part::Attempt);
        check(&script, &run(&["--net", &good, "--dir", &dir], &[], &script), Want::Error("http: too large:"));
        let script = format!(
            "use sbx\nr = sbxtr(sbxmk([\"__sys_http_get\", \"__sys_write_file\"], {{written: 3000000}}), \\() __sys_http_get(\"http://{good}/{path}\", {{to: \"/d/kept\"}}).len)\nprn r.err"
        );
        tally::note(Part::Attempt);
        check(&script, &run(&["--net", &good, "--dir", &dir], &[], &script), Want::Prints("writing ran out (limit 3000000 bytes)"));
        assert_eq!(scratch.read("kept"), "old", "a part of an answer stands under the file's name");
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1, "something was left behind");
    }
    for kind in ["gzip", "br", "zstd", "deflate", "gzip, gzip", "x"] {
        rig.attack(
            &format!("r = __sys_http_get(\"http://GOOD/{kind}\", {{bytes: tru}})\nprn len(r.byt)"),
            if kind.contains(' ') { Want::Error("blanks") } else { Want::Prints("1048576") },
        );
    }
    rig.control("r = __sys_http_get(\"http://GOOD/gzip\", {bytes: tru})\nprn len(r.byt), r.hdr[\"content-encoding\"]", "1048576 gzip");
    assert!(rig.good.asked().iter().all(|asked| asked.field("accept-encoding") == Some("identity")));
}

/// One raw answer per case; afterwards the server is asked again, and must not have kept the connection when it can't be trusted.
fn raw(cases: &[(&str, Want<'_>)]) {
    for (raw, want) in cases {
        let text = (*raw).to_owned();
        let rig = Rig::new(move |asked, stream| {
            if asked.path == "/next" {
                let _ = stream.write_all(&ok("next"));
                return After::Keep;
            }
            let _ = stream.write_all(text.as_bytes());
            std::thread::sleep(Duration::from_millis(30));
            After::Close
        });
        rig.attack("prn __sys_http_get(\"http://GOOD/\", {ms: 3000}).txt", *want);
        rig.control("try(\\() __sys_http_get(\"http://GOOD/\", {ms: 3000}))\nprn __sys_http_get(\"http://GOOD/next\").txt", "next");
    }
}

pub fn net_079_lengths_that_contradict_each_other_are_errors() {
    let protocol = Want::Error("http: protocol:");
    raw(&[
        ("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nab", Want::Error("http: too large:")),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nab", protocol),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab", protocol),
        ("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nabcde", protocol),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nabcde", protocol),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5,6\r\n\r\nabcde", protocol),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", protocol),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", Want::NoHarm),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nabcde", Want::NoHarm),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", protocol),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", Want::Prints("ab")),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", Want::NoHarm),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n1\r\na\r\n0\r\n\r\n", Want::NoHarm),
    ]);
}

pub fn net_080_chunks_of_any_shape_end() {
    let protocol = Want::Error("http: protocol:");
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let long = format!("{head}1;{}\r\na\r\n0\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("{head}{}0\r\n\r\n", "1\r\na\r\n".repeat(200_000));
    let trailers = format!("{head}1\r\na\r\n0\r\n{}\r\n", "x: y\r\n".repeat(1_000_000));
    let cases = [
        (format!("{head}ffffffffffffffff1\r\na\r\n0\r\n\r\n"), protocol),
        (format!("{head}fffffffffffffff1\r\na\r\n0\r\n\r\n"), Want::Error("http:")),
        (format!("{head}-1\r\na\r\n0\r\n\r\n"), protocol),
        (format!("{head}zz\r\na\r\n0\r\n\r\n"), protocol),
        (format!("{head}1\na\n0\n\n"), protocol),
        (format!("{head}1\r\nabc\r\n0\r\n\r\n"), protocol),
        (format!("{head}1\r\na\r\n"), protocol),
        (long, protocol),
        (trailers, Want::Error("http:")),
    ];
    let cases: Vec<(&str, Want<'_>)> = cases.iter().map(|(raw, want)| (raw.as_str(), *want)).collect();
    raw(&cases);
    tally::note(Part::Attempt);
    let rig = Rig::new(move |_, stream| {
        let _ = stream.write_all(many.as_bytes());
        After::Keep
    });
    rig.control("prn len(__sys_http_get(\"http://GOOD/\").txt)", "200000");
}

pub fn net_081_a_header_has_bounds_and_keeps_its_bytes() {
    let fields = |n: usize| (0..n).map(|i| format!("x{i}: y\r\n")).collect::<String>();
    let with = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nab");
    let many = with(&fields(101));
    let just = with(&fields(99));
    let long = with(&format!("x: {}\r\n", "y".repeat(1 << 20)));
    let longer = with(&format!("x: {}\r\n", "y".repeat(70_000)));
    let line = format!("HTTP/1.1 200 {}\r\nContent-Length: 2\r\n\r\nab", "y".repeat(1 << 20));
    let bad = Want::Error("http:");
    raw(&[
        (&many, bad),
        (&just, Want::Prints("ab")),
        (&long, Want::Error("http: too large:")),
        (&longer, Want::Error("http: too large:")),
        (&line, bad),
        (&with("no colon\r\n"), bad),
        (&with("x: a\0b\r\n"), bad),
        (&with("x: a\r\n folded\r\n"), bad),
        (&with(": empty\r\n"), bad),
        (&with("x y: z\r\n"), bad),
        (&with("x : z\r\n"), bad),
        (&with("\u{e9}: z\r\n"), bad),
    ]);
    let rig = Rig::new(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Latin: caf\xe9\r\nX-Utf: caf\xc3\xa9\r\nContent-Length: 0\r\n\r\n");
        After::Keep
    });
    rig.control("h = __sys_http_get(\"http://GOOD/\").hdr\nprn h[\"x-latin\"], h[\"x-utf\"]", "caf\u{e9} caf\u{e9}");
}

pub fn net_082_odd_statuses_end_well() {
    let bad = Want::Error("http:");
    raw(&[
        ("HTTP/1.1 000 Zero\r\nContent-Length: 2\r\n\r\nab", bad),
        ("HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\nab", bad),
        ("HTTP/1.1 600 High\r\nContent-Length: 2\r\n\r\nab", Want::NoHarm),
        ("HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nab", Want::NoHarm),
        ("HTTP/1.1 1000 Long\r\nContent-Length: 2\r\n\r\nab", bad),
        ("HTTP/1.1 2 0\r\n\r\n", bad),
        ("hello there\r\n\r\n", bad),
        ("HTTP/0.9 200 OK\r\n\r\nab", bad),
        ("HTTP/2.0 200 OK\r\n\r\nab", bad),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", Want::Prints("ab")),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw", Want::NoHarm),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nab", Want::Prints("")),
        ("HTTP/1.1 304 Not Modified\r\n\r\n", Want::Prints("")),
        ("", bad),
        ("\r\n\r\n\r\n", bad),
    ]);
}

pub fn net_085_text_of_any_bytes_is_text() {
    let rig = Rig::new(|asked, stream| {
        let (kind, body): (&str, Vec<u8>) = match asked.path.as_str() {
            "/lies" => ("text/plain; charset=utf-16", b"plain".to_vec()),
            "/invalid" => ("text/plain; charset=utf-8", b"a\xff\xfe\xc3b".to_vec()),
            "/utf16" => ("text/plain", b"\xff\xfea\0b\0".to_vec()),
            "/bom" => ("text/plain", b"\xef\xbb\xbfx".to_vec()),
            "/deep" => ("application/json", "[".repeat(100_000).into_bytes()),
            "/line" => ("text/plain", vec![b'x'; 20 << 20]),
            _ => ("application/json", b"{\"a\": [1, 2]}".to_vec()),
        };
        let _ = stream.write_all(&answer("200 OK", &format!("Content-Type: {kind}\r\n"), &body));
        After::Keep
    });
    rig.attack("prn __sys_http_get(\"http://GOOD/lies\").txt", Want::Prints("plain"));
    rig.attack("prn __sys_http_get(\"http://GOOD/invalid\").txt", Want::Prints("a\u{fffd}\u{fffd}\u{fffd}b"));
    rig.attack("r = __sys_http_get(\"http://GOOD/utf16\", {bytes: tru})\nprn len(r.byt), r.byt[0]", Want::Prints("6 255"));
    rig.attack("prn len(__sys_http_get(\"http://GOOD/bom\").txt)", Want::Prints("2"));
    rig.attack("use net\nprn net.jget(\"http://GOOD/deep\")", Want::Error("deep"));
    rig.attack("prn __sys_http_get(\"http://GOOD/line\").txt", Want::Error("http: too large:"));
    rig.attack("use net\nprn net.jget(\"http://GOOD/lies\")", Want::Error(""));
    rig.control("use net\nprn net.jget(\"http://GOOD/json\").a[1]", "2");
}

/// A server that closes connections: what was sent on one is not lost, and nothing that may not be is sent twice.
pub fn net_060_a_connection_that_was_closed_meanwhile_is_made_anew() {
    let server = Server::start(|asked, stream| {
        let _ = stream.write_all(&ok(&asked.method));
        After::Close
    });
    let good = server.addr.to_string();
    let script = format!(
        "i <- 0..<20:\n    __sys_http_post(\"http://{good}/\", str(i))\n    __sys_sleep(30)\nprn __sys_http_get(\"http://{good}/\").txt"
    );
    tally::note(Part::Control);
    check(&script, &run(&["--net", &good, "--grant", "capht,captm,capio"], &[], &script), Want::Prints("GET"));
    let asked = server.asked();
    let bodies: Vec<String> = asked.iter().take(20).map(|asked| String::from_utf8_lossy(&asked.body).into_owned()).collect();
    assert_eq!(bodies, (0..20).map(|i| i.to_string()).collect::<Vec<_>>());
    assert_eq!(asked.len(), 21);
    // One that closes a connection without a word when it is first asked the second time by each method.
    let dropped = std::sync::Mutex::new(Vec::new());
    let server = Server::start(move |asked, stream| {
        let mut dropped = dropped.lock().unwrap();
        if asked.path == "/second" && !dropped.contains(&asked.method) {
            dropped.push(asked.method.clone());
            return After::Close;
        }
        let _ = stream.write_all(&ok(&asked.method));
        After::Keep
    });
    let good = server.addr.to_string();
    for (native, body, ends) in
        [("get", "", Want::Prints("GET")), ("put", ", \"x\"", Want::Prints("PUT")), ("post", ", \"x\"", Want::Error("http: protocol:"))]
    {
        tally::note(Part::Attempt);
        let script = format!("__sys_http_get(\"http://{good}/first\")\nprn __sys_http_{native}(\"http://{good}/second\"{body}).txt");
        check(&script, &run(&["--net", &good], &[], &script), ends);
    }
    let seconds = server.asked().iter().filter(|asked| asked.path == "/second").count();
    assert_eq!(seconds, 5, "get and put twice, post once");
}
