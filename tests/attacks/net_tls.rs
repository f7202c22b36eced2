//! NET rows on TLS: who is not proven to be the host that was asked for is told nothing.

use crate::http_rig::{Want, check, run};
use ilu_tests::command::Scratch;
use ilu_tests::server::{After, Server};
use ilu_tests::tally::{self, Part};
use ilu_tests::tls::{Authority, Identity, OpenSsl, OpenSslServer, TlsServer};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfine";

fn here() -> rcgen::SanType {
    rcgen::SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

fn name(text: &str) -> Option<rcgen::SanType> {
    text.try_into().ok().map(rcgen::SanType::DnsName)
}

/// Asks a server over TLS under a name, with an authority trusted or none.
fn ask(host: &str, server: &TlsServer, ca: Option<&str>, want: Want<'_>) {
    let addr = server.addr.to_string();
    let mut flags = vec!["--net", &addr];
    if let Some(ca) = ca {
        flags.extend(["--ca", ca]);
    }
    let script = format!(
        "prn __sys_http_get(\"https://{host}:{}/secret\", {{ms: 5000, hdr: {{authorization: \"hunter2\"}}}}).txt",
        server.addr.port()
    );
    check(&script, &run(&flags, &[], &script), want);
}

pub fn net_084_only_a_proven_host_is_asked() {
    let authority = Authority::new();
    let scratch = Scratch::new("tls");
    scratch.write("ca.pem", &authority.pem);
    scratch.write("other.pem", Authority::new().pem);
    let (ca, other) = (scratch.at("ca.pem").display().to_string(), scratch.at("other.pem").display().to_string());
    let day = |year, month| rcgen::date_time_ymd(year, month, 1);
    let good = TlsServer::start(authority.sign(&[here()], |_| {}), OK);
    tally::note(Part::Control);
    ask("127.0.0.1", &good, Some(&ca), Want::Prints("fine"));
    // The same server with its authority not among the trusted: the operator's choice and nobody else's.
    for trusted in [None, Some(other.as_str())] {
        tally::note(Part::Refusal);
        ask("127.0.0.1", &good, trusted, Want::Error("http: TLS: 127.0.0.1"));
    }
    assert_eq!(good.asked(), 1);
    tally::note(Part::Twin);
    ask("127.0.0.1", &good, Some(&ca), Want::Prints("fine"));
    let cases = [
        ("nobody that is trusted", Identity::of_itself(&[here()])),
        ("has expired", authority.sign(&[here()], |params| (params.not_before, params.not_after) = (day(2001, 1), day(2002, 1)))),
        ("not valid yet", authority.sign(&[here()], |params| params.not_before = day(2200, 1))),
        ("another host", authority.sign(&[name("other.test").unwrap()], |_| {})),
        ("another host", authority.sign(&[name("127.0.0.1").unwrap()], |_| {})),
        ("another host", authority.sign(&[name("*.0.0.1").unwrap()], |_| {})),
        ("another host", authority.sign(&[], |params| params.distinguished_name.push(rcgen::DnType::CommonName, "127.0.0.1"))),
    ];
    for (why, identity) in cases {
        let server = TlsServer::start(identity, OK);
        tally::note(Part::Refusal);
        ask("127.0.0.1", &server, Some(&ca), Want::Error(why));
        assert_eq!(server.asked(), 0, "{why}: the request was sent");
    }
    // A name that ends early for whoever reads it as C does.
    for odd in ["localhost\0.evil.test", "localhost.evil.test", "*.localhost", "*"] {
        let Some(odd) = name(odd) else { continue };
        let server = TlsServer::start(authority.sign(&[odd], |_| {}), OK);
        tally::note(Part::Refusal);
        ask("localhost", &server, Some(&ca), Want::Error("http: TLS:"));
        assert_eq!(server.asked(), 0);
    }
    let server = TlsServer::start(authority.sign(&[name("localhost").unwrap()], |_| {}), OK);
    tally::note(Part::Control);
    ask("localhost", &server, Some(&ca), Want::Prints("fine"));
}

pub fn net_084_what_is_not_tls_from_1_2_on_is_refused() {
    let hello_1_0 = {
        let body = [&[2, 0, 0, 38, 3, 1][..], &[7; 32], &[0, 0, 0x2f, 0]].concat();
        [&[22, 3, 1, 0, u8::try_from(body.len()).unwrap()][..], &body].concat()
    };
    for (what, why) in [
        (hello_1_0, "no version of TLS"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "not TLS"),
        (b"\x15\x03\x01\x00\x02\x02\x46".to_vec(), "refused the handshake"),
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let _ = stream.write_all(&what);
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
        });
        let script = format!("prn __sys_http_get(\"https://{addr}/\", {{ms: 5000}}).txt");
        tally::note(Part::Attempt);
        check(&script, &run(&["--net", &addr], &[], &script), Want::Error(why));
    }
    // No option of a request looks away.
    for option in ["insecure", "verify", "tls", "ca", "k"] {
        let script = format!("prn __sys_http_get(\"https://127.0.0.1:1/\", {{{option}: fls}})");
        tally::note(Part::Attempt);
        check(
            &script,
            &run(&["--net", "127.0.0.1:1"], &[("SSL_CERT_FILE", "/x"), ("NODE_TLS_REJECT_UNAUTHORIZED", "0")], &script),
            Want::Error("no option"),
        );
    }
}

/// The versions that a greeting offers (RFC 8446, 4.2.1); the one of its record when it names none.
fn offered(hello: &[u8]) -> Vec<u16> {
    let u16_at = |at: usize| u16::from_be_bytes([hello[at], hello[at + 1]]);
    // Record, kind, length, version, random.
    let mut at = 5 + 4 + 2 + 32;
    at += 1 + usize::from(hello[at]);
    at += 2 + usize::from(u16_at(at));
    at += 1 + usize::from(hello[at]);
    let end = at + 2 + usize::from(u16_at(at));
    at += 2;
    while at + 4 <= end {
        let (kind, size) = (u16_at(at), usize::from(u16_at(at + 2)));
        if kind == 43 {
            return (at + 5..at + 4 + size).step_by(2).map(u16_at).collect();
        }
        at += 4 + size;
    }
    vec![u16_at(9)]
}

pub fn net_084_old_versions_are_neither_offered_nor_taken() {
    // What is offered, and that nobody comes back with less when it was refused.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let (tell, told) = std::sync::mpsc::channel::<Vec<u8>>();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut hello = vec![0; 4096];
            let size = std::io::Read::read(&mut stream, &mut hello).unwrap_or(0);
            hello.truncate(size);
            let _ = tell.send(hello);
            // A fatal alert: protocol_version.
            let _ = stream.write_all(b"\x15\x03\x01\x00\x02\x02\x46");
        }
    });
    let script = format!("prn __sys_http_get(\"https://{addr}/\", {{ms: 5000}}).txt");
    tally::note(Part::Refusal);
    check(&script, &run(&["--net", &addr], &[], &script), Want::Error("refused the handshake"));
    assert_eq!(offered(&told.recv().unwrap()), [0x0304, 0x0303]);
    assert!(told.try_recv().is_err(), "it came back");
    let Some(openssl) = OpenSsl::new() else {
        println!("not applicable here: servers of old versions of TLS, since openssl is not installed");
        return;
    };
    let ca = openssl.ca();
    let asks = |server: &OpenSslServer, want: Want<'_>| {
        let script = format!("prn __sys_http_get(\"https://{}/\", {{ms: 20000}}).cod", server.addr);
        check(&script, &run(&["--net", &server.addr, "--ca", &ca], &[], &script), want);
    };
    for version in ["tls1", "tls1_1"] {
        let server = openssl.serve(version);
        tally::note(Part::Refusal);
        asks(&server, Want::Error("http: TLS:"));
        tally::note(Part::Twin);
        assert!(openssl.takes(&server.addr, Some(version)), "a careless client does not speak {version}");
    }
    tally::note(Part::Control);
    asks(&openssl.serve("tls1_2"), Want::Prints("200"));
}

pub fn net_084_a_signature_by_sha_1_proves_nothing() {
    let Some(openssl) = OpenSsl::new() else {
        println!("not applicable here: certificates signed by SHA-1, since openssl is not installed");
        return;
    };
    let weak = TlsServer::start(openssl.sign("sha1"), OK);
    tally::note(Part::Refusal);
    ask("127.0.0.1", &weak, Some(&openssl.ca()), Want::Error("http: TLS: 127.0.0.1"));
    assert_eq!(weak.asked(), 0);
    tally::note(Part::Twin);
    assert!(openssl.takes(&weak.addr.to_string(), None), "a careless client does not take it");
    assert_eq!(weak.asked(), 1);
    let strong = TlsServer::start(openssl.sign("sha256"), OK);
    tally::note(Part::Control);
    ask("127.0.0.1", &strong, Some(&openssl.ca()), Want::Prints("fine"));
}

pub fn net_049_a_redirect_never_leaves_tls() {
    let authority = Authority::new();
    let scratch = Scratch::new("down");
    scratch.write("ca.pem", &authority.pem);
    let ca = scratch.at("ca.pem").display().to_string();
    let open = Server::start(|_, stream| {
        let _ = stream.write_all(OK.as_bytes());
        After::Close
    });
    let open_addr = open.addr.to_string();
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: http://{open_addr}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let server = TlsServer::start(authority.sign(&[here()], |_| {}), &answer);
    let addr = server.addr.to_string();
    let script = format!("prn __sys_http_get(\"https://{addr}/\", {{ms: 5000}}).txt");
    tally::note(Part::Refusal);
    check(&script, &run(&["--net", &addr, "--net", &open_addr, "--ca", &ca], &[], &script), Want::Error("from https to http"));
    assert_eq!(open.connections(), 0);
    tally::note(Part::Control);
    let script = format!("r = __sys_http_get(\"https://{addr}/\", {{red: 0}})\nprn r.hdr.location");
    check(&script, &run(&["--net", &addr, "--ca", &ca], &[], &script), Want::Prints(&format!("http://{open_addr}/")));
    tally::note(Part::Twin);
    let script = format!("prn __sys_http_get(\"http://{open_addr}/\").txt");
    check(&script, &run(&["--net", &open_addr], &[], &script), Want::Prints("fine"));
}
