//! HTTP as a script uses it: what it sends, what it gets, files either way, how each failure reads, what it leaves behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, clippy::disallowed_types, reason = "tests")]

use ilu_tests::command::{Ran, Scratch, binary, ilu_in, root};
use ilu_tests::server::{After, Server, answer, of_the_pages, ok};
use ilu_tests::tls::{Authority, Identity, TlsServer};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs a script with a server granted, whose address stands for `GOOD`.
fn with(server: &Server, flags: &[&str], script: &str) -> Ran {
    let addr = server.addr.to_string();
    let mut args = vec!["run", "--color", "never", "--net", &addr];
    args.extend(flags);
    args.push("-");
    ilu_in(&root(), &args, script.replace("GOOD", &addr).as_bytes())
}

fn prints(ran: &Ran, wanted: &str) {
    assert_eq!((ran.code, ran.out.trim_end_matches('\n')), (Some(0), wanted), "{}", ran.err);
}

#[test]
fn every_method_sends_what_it_says() {
    let server = of_the_pages();
    let script = "use net\nu = \"http://GOOD/echo\"\nprn net.get(u).txt, net.del(u).cod\nprn net.post(u, \"a\").txt, net.put(u, b\"b\").txt, net.patch(u, {c: 1}).txt, net.post(u).txt\n\
                  prn net.jpost(u, [1, {a: nil}])[1].a, net.get_hdr(u, {\"x-a\": \"1\"}).cod";
    prints(&with(&server, &[], script), " 200\na b {\"c\":1} \nnil 200");
    let asked = server.asked();
    let sent: Vec<(&str, Option<&str>)> = asked.iter().map(|asked| (asked.method.as_str(), asked.field("content-type"))).collect();
    let (text, json) = (Some("text/plain; charset=utf-8"), Some("application/json"));
    let bytes = Some("application/octet-stream");
    assert_eq!(
        sent,
        [("GET", None), ("DELETE", None), ("POST", text), ("PUT", bytes), ("PATCH", json), ("POST", None), ("POST", json), ("GET", None)]
    );
    assert!(asked.iter().all(|asked| asked.field("host") == Some(&server.addr.to_string())));
    assert!(asked.iter().all(|asked| asked.field("user-agent").is_some_and(|agent| agent.starts_with("ilu/"))));
    assert_eq!(server.connections(), 1, "one connection serves them all");
}

/// One message of each kind, with what differs from run to run put in fixed form.
#[test]
fn each_failure_says_what_failed() {
    let server = Server::start(|asked, stream| {
        let raw: Vec<u8> = match asked.path.as_str() {
            "/loop" => answer("302 Found", "Location: /loop\r\n", b""),
            "/ftp" => answer("302 Found", "Location: ftp://example.com/\r\n", b""),
            "/away" => answer("307 Away", "Location: http://localhost:1/\r\n", b""),
            "/large" => answer("200 OK", "", &[b'x'; 5000]),
            "/fields" => answer("200 OK", &format!("x: {}\r\n", "y".repeat(70_000)), b""),
            "/length" => b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n".to_vec(),
            "/status" => b"HTTP/1.1 abc OK\r\n\r\n".to_vec(),
            "/short" => b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc".to_vec(),
            "/nothing" => Vec::new(),
            _ => {
                std::thread::sleep(Duration::from_secs(3));
                ok("late")
            }
        };
        let _ = stream.write_all(&raw);
        if matches!(asked.path.as_str(), "/short" | "/nothing") { After::Close } else { After::Keep }
    });
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let script = "use net\nu = \"http://GOOD\"\nshow(what, f) = prn what + \": \" + str(try(f).err)\n\
        show(\"name refused\", \\() net.get(\"http://example.com/\"))\n\
        show(\"address refused\", \\() net.get(\"http://169.254.169.254/latest\"))\n\
        show(\"native refused\", \\() net.get(\"http://user:secret@example.com/\"))\n\
        show(\"connect\", \\() net.get(\"http://CLOSED/\"))\n\
        show(\"TLS\", \\() net.get(\"https://GOOD/length\", {ms: 2000}))\n\
        show(\"timeout\", \\() net.get(u + \"/late\", {ms: 300}))\n\
        show(\"too large\", \\() net.get(u + \"/large\", {max: 4999}))\n\
        show(\"header too large\", \\() net.get(u + \"/fields\"))\n\
        show(\"length\", \\() net.get(u + \"/length\"))\n\
        show(\"status\", \\() net.get(u + \"/status\"))\n\
        show(\"cut short\", \\() net.get(u + \"/short\"))\n\
        show(\"nothing\", \\() net.get(u + \"/nothing\"))\n\
        show(\"too many redirects\", \\() net.get(u + \"/loop\", {red: 2}))\n\
        show(\"redirect to a scheme\", \\() net.get(u + \"/ftp\"))\n\
        show(\"redirect with a body\", \\() net.put(u + \"/away\", \"x\"))\n\
        show(\"header field\", \\() net.get(u, {hdr: {a: \"b\\n\"}}))\n\
        show(\"no JSON\", \\() net.jget(u + \"/large\"))\n\
        show(\"status of JSON\", \\() net.jget(u + \"/large\", {red: 0, max: 1}))"
        .replace("CLOSED", &closed.to_string());
    let closed = closed.to_string();
    let ran = with(&server, &["--net", &closed], &script);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let shown = ran.out.replace(&server.addr.to_string(), "SERVER").replace(&closed, "CLOSED");
    insta::assert_snapshot!("failures", shown);
}

/// A script's errors, one a line, with what differs from run to run put in fixed form.
fn shown(flags: &[&str], tries: &[(&str, String)], fixed: &[(&str, &str)]) -> String {
    let mut script = "use net\nshow(what, f) = prn what + \": \" + str(try(f).err)\n".to_owned();
    for (what, call) in tries {
        script.push_str(&format!("show(\"{what}\", \\() {call})\n"));
    }
    let mut args = vec!["run", "--color", "never"];
    args.extend(flags);
    args.push("-");
    let ran = ilu_in(&root(), &args, script.as_bytes());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    fixed.iter().fold(ran.out, |text, (what, name)| text.replace(what, name))
}

#[test]
fn each_stall_ends_with_the_time_that_was_given() {
    let server = Server::start(|asked, stream| {
        let sent = match asked.path.as_str() {
            "/line" => "HTTP/1.1 2",
            "/header" => "HTTP/1.1 200 OK\r\nX: y\r\n",
            "/body" => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            "/chunks" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            _ => "",
        };
        let _ = stream.write_all(sent.as_bytes());
        std::thread::sleep(Duration::from_secs(2));
        After::Close
    });
    // Nobody takes what connects, and there is room for one only: the system answers no more.
    let full = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
    rustix::net::bind(&full, &"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap()).unwrap();
    rustix::net::listen(&full, 0).unwrap();
    let full = TcpListener::from(full);
    let unanswered = full.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&unanswered, Duration::from_millis(300)) {
        held.push(stream);
        assert!(held.len() < 100, "the queue has no end");
    }
    let (addr, unanswered) = (server.addr.to_string(), unanswered.to_string());
    let get = |url: String| format!("net.get(\"{url}\", {{ms: 400}})");
    let tries = [
        ("no connection", get(format!("http://{unanswered}/"))),
        ("no greeting", get(format!("https://{addr}/"))),
        ("nothing", get(format!("http://{addr}/nothing"))),
        ("in the status line", get(format!("http://{addr}/line"))),
        ("in the header", get(format!("http://{addr}/header"))),
        ("in the body", get(format!("http://{addr}/body"))),
        ("in a body of chunks", get(format!("http://{addr}/chunks"))),
    ];
    let fixed = [(addr.as_str(), "SERVER"), (&unanswered, "FULL")];
    insta::assert_snapshot!("stalls", shown(&["--net", &addr, "--net", &unanswered], &tries, &fixed));
}

#[test]
fn each_failure_of_tls_says_what_is_wrong() {
    let authority = Authority::new();
    let place = Scratch::new("tls-words");
    place.write("ca.pem", &authority.pem);
    let ca = place.at("ca.pem").display().to_string();
    let here = || rcgen::SanType::IpAddress("127.0.0.1".parse().unwrap());
    let day = |year| rcgen::date_time_ymd(year, 1, 1);
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let servers = [
        ("nobody has signed it", Identity::of_itself(&[here()])),
        ("signed by another authority of the same name", Authority::new().sign(&[here()], |_| {})),
        ("expired", authority.sign(&[here()], |params| (params.not_before, params.not_after) = (day(2001), day(2002)))),
        ("not yet valid", authority.sign(&[here()], |params| params.not_before = day(2200))),
        ("for another host", authority.sign(&[rcgen::SanType::DnsName("other.test".try_into().unwrap())], |_| {})),
    ]
    .map(|(what, identity)| (what, TlsServer::start(identity, ok)));
    let answers: [(&str, &[u8]); 4] = [
        ("not TLS", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        ("an alert", b"\x15\x03\x01\x00\x02\x02\x46"),
        (
            "an old version",
            &[
                22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
                7, 7, 7, 0, 0, 47, 0,
            ],
        ),
        ("closed", b""),
    ];
    let raw = answers.map(|(what, answer)| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer);
            }
        });
        (what, addr)
    });
    let all: Vec<(&str, String)> = servers.iter().map(|(what, server)| (*what, server.addr.to_string())).chain(raw).collect();
    let tries: Vec<(&str, String)> =
        all.iter().map(|(what, addr)| (*what, format!("net.get(\"https://{addr}/\", {{ms: 20000}})"))).collect();
    let fixed: Vec<(&str, &str)> = all.iter().map(|(_, addr)| (addr.as_str(), "SERVER")).collect();
    insta::assert_snapshot!("failures_of_tls", shown(&["--net", "127.0.0.1", "--ca", &ca], &tries, &fixed));
}

#[test]
fn each_wrong_url_says_what_is_wrong_with_it() {
    let urls = [
        "",
        "a.example",
        "//a.example/",
        "http:a.example",
        "http:///",
        "ftp://a.example/",
        "file:///etc/passwd",
        "http://u:p@a.example/",
        "http://a.example\\\\@b.example/",
        "http://a.example/ b",
        "http://a.example:0/",
        "http://a.example:66000/",
        "http://a.example:080/",
        "http://010.0.0.1/",
        "http://256.0.0.1/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://a..example/",
        "http://a%00.example/",
    ];
    let tries: Vec<(&str, String)> = urls.iter().map(|url| (*url, format!("net.get(\"{url}\")"))).collect();
    insta::assert_snapshot!("wrong_urls", shown(&["--net", "*:*"], &tries, &[]));
}

#[test]
fn what_is_sent_is_counted_and_bounded() {
    let server = Server::start(|asked, stream| {
        let _ = stream.write_all(&ok(&asked.body.len().to_string()));
        After::Keep
    });
    // A kilobyte each: by HTTP, and by a connection.
    let port = server.addr.port();
    let script = format!(
        "use sbx\nuse txt\nk = txt.rpt(\"x\", 1024)\n\
         r = sbxtr(sbxmk([\"__sys_http_post\"]), \\() __sys_http_post(\"http://GOOD/\", k).txt)\nprn r.val, r.used.written >= 1024, r.used.written < 1400\n\
         r = sbxtr(sbxmk([\"__sys_tcp_dial\", \"__sys_tcp_send\"]), \\() __sys_tcp_send(__sys_tcp_dial(\"127.0.0.1\", {port}), k))\nprn r.used.written"
    );
    prints(&with(&server, &["--grant", "capne,capio"], &script), "1024 tru tru\n1024");
}

#[test]
fn what_comes_between_two_requests_is_no_answer() {
    let server = Server::start(|asked, stream| {
        let _ = stream.write_all(&ok(&asked.path));
        match asked.path.as_str() {
            // An answer to nothing, a moment later.
            "/early" => {
                std::thread::sleep(Duration::from_millis(50));
                let _ = stream.write_all(&ok("poison"));
                After::Keep
            }
            "/gone" => After::Close,
            _ => After::Keep,
        }
    });
    let ask = |first: &str, second: &str| {
        let before = server.connections();
        let script = format!("use tim\nprn __sys_http_get(\"http://GOOD/{first}\").txt\ntim.slp(0.5)\nprn {second}.txt");
        prints(&with(&server, &["--grant", "capht,capio,captm"], &script), &format!("/{first}\n/next"));
        server.connections() - before
    };
    // Neither what may be asked twice nor what may not goes through a connection that has changed.
    for next in ["__sys_http_get(\"http://GOOD/next\")", "__sys_http_post(\"http://GOOD/next\", \"x\")"] {
        assert_eq!(ask("early", next), 2, "{next}");
        assert_eq!(ask("gone", next), 2, "{next}");
        // The control: one that is as it was left is used again.
        assert_eq!(ask("kept", next), 1, "{next}");
    }
    let asked = server.asked();
    assert_eq!(asked.iter().filter(|asked| asked.path == "/next").count(), 6, "each was asked once");
}

#[test]
fn files_go_both_ways_piece_by_piece() {
    const SIZE: usize = 24 << 20;
    let content: Vec<u8> = (0..SIZE).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let served = content.clone();
    let server = Server::start(move |asked, stream| {
        let raw = if asked.method == "GET" {
            answer("200 OK", "", &served)
        } else {
            ok(&format!("{} {}", asked.body.len(), asked.body == served))
        };
        let _ = stream.write_all(&raw);
        After::Keep
    });
    let scratch = Scratch::new("http-files");
    scratch.write("up", &content);
    scratch.write("down", "old");
    let dir = format!("{}:/d:rw", scratch.path().display());
    // Neither fits into the memory that the run has.
    let script = "use net\nr = net.get(\"http://GOOD/\", {to: \"/d/down\"})\nprn r.cod, r.len, r.txt\nprn net.post(\"http://GOOD/\", nil, {from: \"/d/up\"}).txt";
    prints(&with(&server, &["--dir", &dir, "--mem", "4M"], script), "200 25165824 nil\n25165824 true");
    assert!(std::fs::read(scratch.at("down")).unwrap() == content);
    // What is no success is no file.
    let script = "use net\nr = net.get(\"http://GOOD/\", {to: \"/d/down\", red: 0})\nprn r.cod, r.txt, r.len";
    let missing = Server::fixed(&[]);
    prints(&with(&missing, &["--dir", &dir], script), "404  nil");
    assert_eq!(std::fs::metadata(scratch.at("down")).unwrap().len(), SIZE as u64);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 2);
}

#[test]
fn a_file_can_be_written_where_only_it_is_granted() {
    let server = of_the_pages();
    let scratch = Scratch::new("http-single");
    scratch.write("one", "something longer than what comes");
    let dir = format!("{}:/one:rw", scratch.at("one").display());
    prints(&with(&server, &["--dir", &dir], "use net\nprn net.get(\"http://GOOD/hello\", {to: \"/one\"}).len"), "5");
    assert_eq!(scratch.read("one"), "hello");
    // Both natives are needed: the one that asks and the one that writes.
    let ran = with(&server, &["--dir", &dir, "--grant", "capht,capio"], "__sys_http_get(\"http://GOOD/hello\", {to: \"/one\"})");
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    insta::assert_snapshot!("a_file_needs_both", ran.err.replace(&server.addr.to_string(), "SERVER"));
}

#[test]
fn an_interrupt_ends_a_request_at_once() {
    let server = Server::start(|_, _| {
        std::thread::sleep(Duration::from_secs(30));
        After::Close
    });
    let addr = server.addr.to_string();
    // Whoever started this test may have it ignored, and what is started inherits that.
    let mut command = Command::new("env");
    command.arg("--default-signal=INT").arg(binary()).args(["run", "--net", &addr, "-e", &format!("__sys_http_get(\"http://{addr}/\")")]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    while server.asked().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let start = Instant::now();
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let status = child.wait().unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(!status.success());
}

#[test]
fn what_a_call_would_reach_is_told_without_reaching_it() {
    let server = of_the_pages();
    let (addr, url) = (server.addr.to_string(), format!("{}/hello", server.url()));
    let ran = ilu_in(&root(), &["explain", "--net", &addr, "--", "__sys_http_get", &url], b"");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = ilu_in(&root(), &["explain", "--net", "example.com", "--", "__sys_http_get", &url], b"");
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.out.contains(&format!("--net {addr}")), "{ran:?}");
    assert_eq!(server.connections(), 0);
}

/// A running server of a script, ended with it.
struct Serving {
    child: std::process::Child,
    addr: String,
}

impl Serving {
    /// Runs a script whose server says its port on standard output.
    fn start(flags: &[&str], script: &str) -> Serving {
        let mut command = Command::new(binary());
        command.args(["run", "--net", "127.0.0.1:0", "--color", "never"]).args(flags).args(["-e", script]).env_clear();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut line = String::new();
        let out = child.stdout.as_mut().unwrap();
        let mut byte = [0];
        while out.read(&mut byte).unwrap() == 1 && byte != [b'\n'] {
            line.push(char::from(byte[0]));
        }
        Serving { child, addr: format!("127.0.0.1:{line}") }
    }

    /// Sends bytes on a connection of its own and gives what comes until it is closed.
    fn send(&self, raw: &str) -> String {
        let mut stream = std::net::TcpStream::connect(&self.addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(raw.as_bytes()).unwrap();
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        String::from_utf8_lossy(&all).into_owned()
    }

    fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const API: &str = "use web\nuse fs\nroutes = {\n    \"GET /hi/:name\": \\(q) web.txt(\"hi \" + q.par.name),\n    \"POST /echo\": \\(q) web.jsn({got: q.txt, len: len(q.byt), q: q.qry}),\n    \
    \"GET /file/*path\": \\(q) web.file(\"/d/\" + q.par.path, \"text/plain\"),\n    \"GET /old\": \\(q) web.red(\"/hi/you\"),\n    \"GET /fails\": \\(q) err(\"secret reason\"),\n    \
    \"GET /odd\": \\(q) web.hdr(web.txt(\"x\"), \"x-a\", \"b\\nc\")\n}\n";

#[test]
fn a_script_serves_what_its_routes_say() {
    let scratch = Scratch::new("web");
    scratch.write("a/b.txt", "from a file");
    scratch.write("large", "x".repeat(3 << 20));
    let dir = format!("{}:/d", scratch.path().display());
    let serving =
        Serving::start(&["--dir", &dir, "--grant", "capsv,capio,capfs"], &format!("{API}web.run(0, routes, {{on: \\(port) prn(port)}})"));
    let body = |answer: &str| answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    let got = serving.get("/hi/Ada%20L");
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.contains("content-length: 8\r\n") && body(&got) == "hi Ada L", "{got}");
    let post = "POST /echo?a=1&b=%26 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(body(&serving.send(post)), "{\"got\":\"hello\",\"len\":5,\"q\":{\"a\":\"1\",\"b\":\"&\"}}");
    let chunked = "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    assert!(serving.send(chunked).contains("\"got\":\"abc\""));
    assert_eq!(body(&serving.get("/file/a/b.txt")), "from a file");
    assert_eq!(body(&serving.get("/file/large")).len(), 3 << 20);
    assert!(serving.get("/old").contains("303 See Other\r\n"));
    assert!(serving.get("/none").starts_with("HTTP/1.1 404"));
    assert!(serving.send("DELETE /old HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").contains("405 Method Not Allowed"));
    let failed = serving.get("/fails");
    assert!(failed.starts_with("HTTP/1.1 500") && !failed.contains("secret"), "{failed}");
    // A file that is not there, a path out of the grant, a field that can't be sent: failures of the handler, and the server goes on.
    for path in ["/file/none", "/file/%2e%2e/x", "/odd"] {
        let got = serving.get(path);
        assert!(got.starts_with("HTTP/1.1 500") || got.starts_with("HTTP/1.1 404"), "{path}: {got}");
    }
    let head = serving.send("HEAD /hi/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200") && body(&head).is_empty(), "{head}");
    // Several on one connection.
    let two = "GET /hi/1 HTTP/1.1\r\nHost: x\r\n\r\nGET /hi/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let got = serving.send(two);
    assert!(got.contains("hi 1") && got.ends_with("hi 2"), "{got}");
}

#[test]
fn what_a_server_is_sent_has_bounds() {
    let serving =
        Serving::start(&["--grant", "capsv,capio"], &format!("{API}web.run(0, routes, {{on: \\(port) prn(port), body: 1000, conns: 8}})"));
    let post = |length: &str, body: &str| format!("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{length}\r\n\r\n{body}");
    assert!(serving.send(&post("Content-Length: 1000", &"x".repeat(1000))).starts_with("HTTP/1.1 200"));
    assert!(serving.send(&post("Content-Length: 1001", &"x".repeat(1001))).starts_with("HTTP/1.1 413"));
    let chunk = "64\r\n".to_owned() + &"x".repeat(100) + "\r\n";
    let chunks = format!("{chunk}0\r\n\r\n");
    assert!(serving.send(&post("Transfer-Encoding: chunked", &chunks)).starts_with("HTTP/1.1 200"));
    let many = chunk.repeat(11) + "0\r\n\r\n";
    assert!(serving.send(&post("Transfer-Encoding: chunked", &many)).starts_with("HTTP/1.1 413"));
    for (raw, code) in [
        (post("Content-Length: 5\r\nContent-Length: 6", "hello"), "400"),
        (post("Content-Length: -1", "hello"), "400"),
        ("GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n".to_owned(), "400"),
        (format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(100_000)), "4"),
        (format!("GET / HTTP/1.1\r\nHost: x\r\nx: {}\r\n\r\n", "y".repeat(100_000)), "431"),
        (format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "x: y\r\n".repeat(200)), "431"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
    ] {
        let got = serving.send(&raw);
        assert!(got.starts_with(&format!("HTTP/1.1 {code}")) || got.is_empty(), "{:.60}: {got}", raw);
    }
    // Connections that say nothing take places, and only their own.
    let idle: Vec<_> = (0..7).map(|_| std::net::TcpStream::connect(&serving.addr).unwrap()).collect();
    assert!(serving.get("/hi/x").ends_with("hi x"));
    drop(idle);
    assert!(serving.get("/hi/x").ends_with("hi x"));
}

#[test]
fn a_server_ends_when_it_is_to() {
    let serving =
        Serving::start(&["--grant", "capsv,capio"], &format!("{API}web.run(0, routes, {{on: \\(port) prn(port), n: 2}})\nprn \"ended\""));
    assert!(serving.get("/hi/1").ends_with("hi 1") && serving.get("/hi/2").ends_with("hi 2"));
    let mut serving = serving;
    let mut rest = String::new();
    serving.child.stdout.as_mut().unwrap().read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "ended\n");
    assert!(std::net::TcpStream::connect(&serving.addr).is_err(), "the port is still open");
}

#[test]
fn a_port_is_closed_with_its_server() {
    let script = "use web\ns = __sys_http_serve(\"127.0.0.1\", 0)\nprn s.port\n__sys_http_take(s.srv, 500)\n__sys_http_stop(s.srv)\n__sys_http_stop(s.srv)\nprn try(\\() __sys_http_take(s.srv, 10)).err\n__sys_sleep(2000)";
    let serving = Serving::start(&["--grant", "capsv,capio,captm"], script);
    assert!(std::net::TcpStream::connect(&serving.addr).is_ok());
    std::thread::sleep(Duration::from_millis(1200));
    assert!(std::net::TcpStream::connect(&serving.addr).is_err(), "the port is still open");
    // Revoking the sandbox that opened it does the same.
    let script = "use sbx\nc = sbxmk([\"__sys_http_serve\"])\ns = sbxrn(c, \\() __sys_http_serve(\"127.0.0.1\", 0))\nprn s.port\n__sys_http_take(s.srv, 500)\nsbxrv(c)\n__sys_sleep(2000)";
    let serving = Serving::start(&["--grant", "capsv,capio,captm"], script);
    assert!(std::net::TcpStream::connect(&serving.addr).is_ok());
    std::thread::sleep(Duration::from_millis(1200));
    assert!(std::net::TcpStream::connect(&serving.addr).is_err(), "the port of a revoked sandbox is still open");
}

#[test]
fn a_request_that_nobody_answers_gets_an_answer() {
    // The value that stands for the request is dropped, and the collector lets it go.
    let script = "s = __sys_http_serve(\"127.0.0.1\", 0)\nprn s.port\ng() =\n    __sys_http_take(s.srv)\n    nil\ng()\nx = []\ni <- 0..2000000: x = [i]\n__sys_http_take(s.srv, 3000)";
    let serving = Serving::start(&["--grant", "capsv,capio", "--mem", "8M"], script);
    let got = serving.get("/x");
    assert!(got.starts_with("HTTP/1.1 500"), "{got}");
}

#[test]
fn revoking_ends_a_request_that_waits() {
    let server = Server::start(|_, _| {
        std::thread::sleep(Duration::from_secs(30));
        After::Close
    });
    let script = "use sbx\nuse syn\nuse tim\nc = sbxmk([\"__sys_http_get\"])\nt = syn.run(\\() sbxrn(c, \\() __sys_http_get(\"http://GOOD/\")))\ntim.slp(0.3)\n\
                  start = tim.ms()\nsbxrv(c)\nr = t.wai()\nprn r.err, tim.ms() - start < 5000";
    let ran = with(&server, &[], script);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("the sandbox was revoked") && ran.out.ends_with(" tru\n"), "{}", ran.out);
    assert_eq!(server.connections(), 1);
}
