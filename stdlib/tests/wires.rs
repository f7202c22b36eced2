//! What natives of connections ask of their permit while bytes move: who pays, what is recorded, what a second native is needed for.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests have peers of their own"
)]

mod rig;

use ilu_cap::CapSet;
use ilu_sbx::{Access, Arg, Budget, HandleId, Limits, Plain, SbxId, Stop};
use rig::{Pools, Rig, mount, obj};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::Ordering;
#[cfg(feature = "http")]
use std::sync::{Arc, Mutex};
use std::time::Duration;

const DIAL: &str = "__sys_tcp_connect";
const SEND: &str = "__sys_tcp_send";
const RECV: &str = "__sys_tcp_recv";
const LISTEN: &str = "__sys_tcp_listen";
const ACCEPT: &str = "__sys_tcp_accept";

fn num(n: impl Into<f64>) -> Arg<'static> {
    Arg::Num(n.into())
}

fn rig() -> Rig {
    let granted = |base: &std::path::Path| {
        std::fs::create_dir(base.join("R/out")).unwrap();
        std::fs::write(base.join("R/up"), "u".repeat(3000)).unwrap();
        vec![mount(&base.join("R"), "/r", Access::Read), mount(&base.join("R/out"), "/out", Access::ReadWrite)]
    };
    let rig = Rig::built(ilu_std::natives(), CapSet::all(), granted, &["127.0.0.0/8", "[::1]"], Limits::default());
    *rig.streams.pools.lock().unwrap() = Pools::Exact;
    rig
}

fn spent(rig: &mut Rig, s: SbxId, budget: Budget) -> u64 {
    rig.realm.spent(s).iter().find(|row| row.budget == budget).map_or(0, |row| row.used)
}

/// Fresh sandbox with everything, to count in.
fn enter(rig: &mut Rig, options: Arg<'_>) -> SbxId {
    rig.leave();
    let all: Vec<&str> = ilu_cap::NATIVES.iter().map(|row| row.name).collect();
    let s = rig.make(&all, options).unwrap();
    rig.enter(s);
    s
}

fn last(rig: &Rig, s: SbxId) -> String {
    format!("{:?}", rig.realm.log(s).last())
}

fn handle(value: Plain) -> HandleId {
    match value {
        Plain::Handle(id) => id,
        other => panic!("a handle: {other:?}"),
    }
}

/// A connection and its other end.
fn connected(rig: &mut Rig) -> (HandleId, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let id = handle(rig.ok(DIAL, &[Arg::Str("127.0.0.1"), num(port)]));
    (id, listener.accept().unwrap().0)
}

/// A listener on a port that was free.
fn listening(rig: &mut Rig) -> (HandleId, u16) {
    loop {
        // Somebody else may have it by now.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        match rig.call(LISTEN, &[Arg::Str("127.0.0.1"), num(port)]) {
            Ok(listener) => return (handle(listener), port),
            Err(Stop::Failed(why)) if why.contains("in use") => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn bytes_of_a_connection_are_paid_for_and_recorded() {
    let mut rig = rig();
    let s = enter(&mut rig, obj(&[("read", num(7)), ("written", num(5))]));
    let (id, mut peer) = connected(&mut rig);
    rig.ok(SEND, &[Arg::Handle(id), Arg::Str("abc")]);
    assert!(last(&rig, s).contains("127.0.0.1:"), "{}", last(&rig, s));
    assert_eq!(rig.call(SEND, &[Arg::Handle(id), Arg::Str("abc")]), Err(Stop::Limit { budget: Budget::Written, of: s }));
    assert_eq!(spent(&mut rig, s, Budget::Written), 3);
    peer.write_all(b"0123456789").unwrap();
    let got = |rig: &mut Rig, max: Arg<'_>| match rig.ok(RECV, &[Arg::Handle(id), max]) {
        Plain::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(got(&mut rig, num(4)), "0123");
    assert!(last(&rig, s).contains("127.0.0.1:"), "{}", last(&rig, s));
    assert_eq!(spent(&mut rig, s, Budget::Read), 4);
    assert_eq!(got(&mut rig, Arg::Nil), "456", "not more than may be read");
    assert_eq!(rig.call(RECV, &[Arg::Handle(id)]), Err(Stop::Limit { budget: Budget::Read, of: s }));
    // Its control: with more to read, the rest is there.
    rig.leave();
    assert_eq!(got(&mut rig, Arg::Nil), "789");
    assert!(rig.fails(RECV, &[Arg::Handle(id), num(0)]).contains("max is a whole number from 1"));
    rig.room = 3;
    assert_eq!(rig.call(RECV, &[Arg::Handle(id), num(4)]), Err(Stop::Room(4)));
    rig.room = 64 << 20;
    assert!(rig.fails(RECV, &[Arg::Handle(id), num(4), num(30)]).contains("nothing came within 30 ms"));
    let mut came = [0; 3];
    peer.read_exact(&mut came).unwrap();
    assert_eq!(&came, b"abc");
    // As much as comes, up to a bound.
    let writer = std::thread::spawn(move || peer.write_all(&vec![b'x'; 3 << 20]).map(|()| peer));
    std::thread::sleep(Duration::from_millis(200));
    let size = got(&mut rig, num(1_e9)).len();
    assert!(size <= 1 << 20, "{size}");
    rig.ok("__sys_tcp_close", &[Arg::Handle(id)]);
    let _ = writer.join();
    for (native, args) in [(RECV, vec![Arg::Handle(id)]), (SEND, vec![Arg::Handle(id), Arg::Str("a")])] {
        assert!(rig.fails(native, &args).contains("the connection is closed"));
    }
}

#[test]
fn an_interrupt_is_seen_before_bytes_move() {
    let mut rig = rig();
    let (id, mut peer) = connected(&mut rig);
    peer.write_all(b"there").unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let (listener, _) = listening(&mut rig);
    rig.streams.interrupted.store(true, Ordering::Relaxed);
    for (native, args) in
        [(RECV, vec![Arg::Handle(id)]), (SEND, vec![Arg::Handle(id), Arg::Str("a")]), (ACCEPT, vec![Arg::Handle(listener), num(0)])]
    {
        assert_eq!(rig.call(native, &args), Err(Stop::Interrupted), "{native}");
    }
    rig.streams.interrupted.store(false, Ordering::Relaxed);
    assert_eq!(rig.ok(RECV, &[Arg::Handle(id)]), Plain::Bytes(b"there".to_vec()));
    assert_eq!(rig.ok(ACCEPT, &[Arg::Handle(listener), num(30)]), Plain::Nil, "nobody calls");
}

#[test]
fn who_calls_is_recorded_and_another_kind_of_handle_is_none() {
    let mut rig = rig();
    let s = enter(&mut rig, obj(&[]));
    let (listener, free) = listening(&mut rig);
    let caller = TcpStream::connect(("127.0.0.1", free)).unwrap();
    let accepted = handle(rig.ok(ACCEPT, &[Arg::Handle(listener), num(10_000)]));
    let from = caller.local_addr().unwrap().to_string();
    assert!(last(&rig, s).contains(&from), "{}", last(&rig, s));
    assert!(rig.fails(RECV, &[Arg::Handle(listener)]).contains("this is not a connection"));
    assert!(rig.fails(ACCEPT, &[Arg::Handle(accepted)]).contains("this is not a listener"));
    assert!(rig.fails(DIAL, &[Arg::Str("a.test"), num(1)]).contains("takes an address"));
    assert!(last(&rig, s).contains("a.test"), "{}", last(&rig, s));
}

/// A server that answers by path and keeps what it was asked, on all of this machine's addresses.
#[cfg(feature = "http")]
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

#[cfg(feature = "http")]
impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(stream.unwrap(), port, &kept));
            }
        });
        Server { port, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn last(&self) -> String {
        self.asked.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

/// Answers requests on one connection.
#[cfg(feature = "http")]
fn serve(mut stream: TcpStream, port: u16, kept: &Mutex<Vec<String>>) {
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let head = loop {
            if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            match stream.read(&mut piece) {
                Ok(got @ 1..) => read.extend_from_slice(&piece[..got]),
                _ => return,
            }
        };
        let text = String::from_utf8_lossy(&read[..head]).to_lowercase();
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok()).unwrap_or(0_usize);
        while read.len() < head + length {
            match stream.read(&mut piece) {
                Ok(got @ 1..) => read.extend_from_slice(&piece[..got]),
                _ => return,
            }
        }
        read.drain(..head + length);
        let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
        kept.lock().unwrap().push(text);
        let to = |host: &str| format!("HTTP/1.1 302 Found\r\nlocation: http://{host}:{port}/n\r\ncontent-length: 0\r\n\r\n");
        let answer = match path.as_str() {
            "/same" => to("127.0.0.1"),
            "/other" => to("127.0.0.2"),
            "/two" => "HTTP/1.1 302 Found\r\nlocation: /n\r\nlocation: /m\r\ncontent-length: 0\r\n\r\n".to_owned(),
            _ => format!("HTTP/1.1 200 OK\r\nx-long: {}\r\ncontent-length: 1000\r\n\r\n{}", "h".repeat(200), "b".repeat(1000)),
        };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

#[cfg(feature = "http")]
mod http {
    use super::*;
    use ilu_sbx::Rule;
    use std::net::SocketAddr;

    const GET: &str = "__sys_http_get";
    const POST: &str = "__sys_http_post";
    const SERVE: &str = "__sys_http_serve";
    const TAKE: &str = "__sys_http_take";
    const REPLY: &str = "__sys_http_reply";
    const READ: &str = "__sys_read_file";
    const WRITE: &str = "__sys_write_file";

    #[test]
    fn what_is_sent_and_what_comes_is_paid_for() {
        let (server, mut rig) = (Server::start(), rig());
        let url = server.url("/n");
        let to = obj(&[("to", Arg::Str("/out/x"))]);
        let from = obj(&[("from", Arg::Str("/r/up"))]);
        let parts = || Arg::List(vec![Arg::Str("12"), Arg::Bytes(b"345")]);
        // What is called, the least and the most that is read and written: bodies, and heads of some hundred bytes.
        type Range = std::ops::Range<u64>;
        let cases: [(&str, Vec<Arg<'_>>, Range, Range); 5] = [
            (GET, vec![Arg::Str(&url)], 1200..1600, 20..400),
            (GET, vec![Arg::Str(&url), to], 1200..1600, 1020..1400),
            (POST, vec![Arg::Str(&url), Arg::Str("12345")], 1200..1600, 25..400),
            (POST, vec![Arg::Str(&url), parts()], 1200..1600, 25..400),
            (POST, vec![Arg::Str(&url), Arg::Nil, from], 4200..4700, 3020..3500),
        ];
        for (native, args, read, written) in cases {
            let s = enter(&mut rig, obj(&[]));
            rig.ok(native, &args);
            let (r, w) = (spent(&mut rig, s, Budget::Read), spent(&mut rig, s, Budget::Written));
            assert!(read.contains(&r) && written.contains(&w), "{native} {args:?}: {r} read, {w} written");
            // Exactly that is enough, and one byte less is not.
            let limit = |r: u64, w: u64| obj(&[("read", num(r as f64)), ("written", num(w as f64))]);
            enter(&mut rig, limit(r, w));
            rig.ok(native, &args);
            let s = enter(&mut rig, limit(r - 1, w));
            assert_eq!(rig.call(native, &args), Err(Stop::Limit { budget: Budget::Read, of: s }), "{native} {args:?}");
            let s = enter(&mut rig, limit(r, w - 1));
            assert_eq!(rig.call(native, &args), Err(Stop::Limit { budget: Budget::Written, of: s }), "{native} {args:?}");
        }
        // The body is paid for by itself: of two that differ in it only, the longer costs as much more.
        let cost = |rig: &mut Rig, body: &str| {
            let s = enter(rig, obj(&[]));
            rig.ok(POST, &[Arg::Str(&url), Arg::Str(body)]);
            spent(rig, s, Budget::Written)
        };
        assert_eq!(cost(&mut rig, "123456789") - cost(&mut rig, "1"), 8);
    }

    #[test]
    fn files_take_their_own_natives_and_grants() {
        let (server, mut rig) = (Server::start(), rig());
        let url = server.url("/n");
        let get = |path: &'static str| vec![Arg::Str(&url), obj(&[("to", Arg::Str(path))])];
        let post = |path: &'static str| vec![Arg::Str(&url), Arg::Nil, obj(&[("from", Arg::Str(path))])];
        assert_eq!(rig.denied(GET, &get("/r/x")).rule, Rule::ReadOnly("/r".to_owned()));
        assert_eq!(rig.denied(GET, &get("/else/x")).rule, Rule::NoGrant);
        assert_eq!(rig.denied(POST, &post("/else/x")).rule, Rule::NoGrant);
        assert!(!rig.base.join("R/x").exists());
        let s = rig.make(&[GET, POST], obj(&[])).unwrap();
        rig.enter(s);
        assert_eq!(rig.denied(GET, &get("/out/x")).rule, Rule::NotHeldToo(WRITE));
        assert_eq!(rig.denied(POST, &post("/r/up")).rule, Rule::NotHeldToo(READ));
        assert!(server.asked.lock().unwrap().is_empty(), "nobody was asked");
        rig.leave();
        rig.ok(GET, &get("/out/x"));
        rig.ok(POST, &post("/r/up"));
        assert_eq!(std::fs::metadata(rig.base.join("R/out/x")).unwrap().len(), 1000);
    }

    #[test]
    fn a_hop_is_recorded_and_takes_credentials_to_their_own_origin_only() {
        let (server, mut rig) = (Server::start(), rig());
        let with = || obj(&[("hdr", obj(&[("authorization", Arg::Str("secret-word"))]))]);
        let s = enter(&mut rig, obj(&[]));
        rig.ok(GET, &[Arg::Str(&server.url("/same")), with()]);
        assert!(server.last().starts_with("get /n ") && server.last().contains("secret-word"), "its control: {}", server.last());
        assert!(last(&rig, s).contains("/same") && last(&rig, s).contains("/n"), "{}", last(&rig, s));
        rig.ok(GET, &[Arg::Str(&server.url("/other")), with()]);
        assert!(server.last().contains("host: 127.0.0.2") && !server.last().contains("secret-word"), "{}", server.last());
        assert!(last(&rig, s).contains("127.0.0.2"), "{}", last(&rig, s));
        assert!(server.last().contains("accept-encoding: identity"), "{}", server.last());
        assert!(rig.fails(GET, &[Arg::Str(&server.url("/two"))]).contains("two places to go to"));
        let asked = server.asked.lock().unwrap().len();
        let options = |key: &'static str, n: f64| obj(&[(key, num(n))]);
        for (option, why) in [
            (options("ms", 0.0), "option ms is from 1 to 86400000"),
            (options("ms", 86_400_001.0), "option ms is from 1 to 86400000"),
            (options("red", 11.0), "option red is at most 10"),
        ] {
            let told = rig.fails(GET, &[Arg::Str(&server.url("/n")), option]);
            assert!(told.contains(why), "{told}");
        }
        for (size, room) in [(1000.0, 999), (999.0, 64 << 20)] {
            rig.room = room;
            let got = rig.call(GET, &[Arg::Str(&server.url("/n")), options("max", size)]);
            assert!(matches!(&got, Err(Stop::Room(_))) || matches!(&got, Err(Stop::Failed(why)) if why.contains("999")), "{size}: {got:?}");
        }
        assert_eq!(server.asked.lock().unwrap().len(), asked + 1, "only the last of them was sent");
    }

    /// What a client gets that sends this and then closes.
    fn client(port: u16, raw: &'static str) -> std::thread::JoinHandle<String> {
        std::thread::spawn(move || {
            let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            stream.write_all(raw.as_bytes()).unwrap();
            let mut got = String::new();
            let _ = stream.read_to_string(&mut got);
            got
        })
    }

    fn field(value: &Plain, key: &str) -> Plain {
        let Plain::Object(fields) = value else { panic!("{value:?}") };
        fields.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone()).unwrap()
    }

    fn request(rig: &mut Rig, server: HandleId) -> HandleId {
        handle(field(&rig.ok(TAKE, &[Arg::Handle(server), num(30_000)]), "req"))
    }

    #[test]
    fn a_server_pays_for_what_it_takes_and_gives_and_reads_files_as_others_do() {
        let mut rig = rig();
        let s = enter(&mut rig, obj(&[]));
        for (option, why) in [("conns", "option conns is from 1 to 256"), ("body", "option body is from 1 to 16777216")] {
            for n in [0.0, 1e9] {
                let told = rig.fails(SERVE, &[Arg::Str("127.0.0.1"), num(0), obj(&[(option, num(n))])]);
                assert!(told.contains(why), "{told}");
            }
        }
        let made = rig.ok(SERVE, &[Arg::Str("127.0.0.1"), num(0), obj(&[("body", num(2000))])]);
        let (server, Plain::Num(port)) = (handle(field(&made, "srv")), field(&made, "port")) else { panic!("{made:?}") };
        let port = port as u16;
        assert_eq!(rig.ok(TAKE, &[Arg::Handle(server), num(1)]), Plain::Nil);
        rig.room = 2000;
        assert!(matches!(rig.call(TAKE, &[Arg::Handle(server), num(1)]), Err(Stop::Room(_))), "a request must have room");
        rig.room = 64 << 20;
        rig.streams.interrupted.store(true, Ordering::Relaxed);
        assert_eq!(rig.call(TAKE, &[Arg::Handle(server), num(1)]), Err(Stop::Interrupted));
        rig.streams.interrupted.store(false, Ordering::Relaxed);
        let raw = "POST /some HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0123456789";
        // A text.
        let (read, written) = (spent(&mut rig, s, Budget::Read), spent(&mut rig, s, Budget::Written));
        let waiting = client(port, raw);
        let id = request(&mut rig, server);
        assert!(last(&rig, s).contains("POST /some"), "{}", last(&rig, s));
        assert!(spent(&mut rig, s, Budget::Read) - read >= 10 + 5);
        for code in [199.0, 600.0] {
            assert!(rig.fails(REPLY, &[Arg::Handle(id), obj(&[("cod", num(code))])]).contains("option cod is from 200 to 599"));
        }
        rig.room = 4;
        assert_eq!(rig.call(REPLY, &[Arg::Handle(id), obj(&[("txt", Arg::Str("hello"))])]), Err(Stop::Room(5)));
        rig.room = 64 << 20;
        assert_eq!(rig.ok(REPLY, &[Arg::Handle(id), obj(&[("txt", Arg::Str("hello"))])]), Plain::Bool(true));
        let got = waiting.join().unwrap();
        assert!(got.ends_with("\r\n\r\nhello") && got.contains("content-type: text/plain"), "{got}");
        assert!(spent(&mut rig, s, Budget::Written) - written >= 5);
        assert!(rig.fails(REPLY, &[Arg::Handle(id), obj(&[])]).contains("the request is closed"));
        // Nothing at all has no type.
        let waiting = client(port, raw);
        let id = request(&mut rig, server);
        rig.ok(REPLY, &[Arg::Handle(id), obj(&[])]);
        let got = waiting.join().unwrap();
        assert!(!got.contains("content-type"), "{got}");
        // A file, with the native that reads it and a grant.
        let waiting = client(port, raw);
        let id = request(&mut rig, server);
        let file = |path: &'static str| obj(&[("file", Arg::Str(path))]);
        assert_eq!(rig.denied(REPLY, &[Arg::Handle(id), file("/else")]).rule, Rule::NoGrant);
        let narrow = rig.make(&[REPLY], obj(&[])).unwrap();
        let outer = rig.authority;
        rig.authority = narrow;
        assert_eq!(rig.denied(REPLY, &[Arg::Handle(id), file("/r/up")]).rule, Rule::NotHeldToo(READ));
        rig.authority = outer;
        let read = spent(&mut rig, s, Budget::Read);
        assert_eq!(rig.ok(REPLY, &[Arg::Handle(id), file("/r/up")]), Plain::Bool(true));
        assert!(waiting.join().unwrap().ends_with(&"u".repeat(3000)));
        assert_eq!(spent(&mut rig, s, Budget::Read) - read, 3000);
        // What was taken can't be given for less than it costs.
        let poor = rig.make(&[REPLY, READ], obj(&[("written", num(4)), ("read", num(2999))])).unwrap();
        let waiting = client(port, raw);
        let id = request(&mut rig, server);
        rig.enter(poor);
        let told = rig.call(REPLY, &[Arg::Handle(id), obj(&[("txt", Arg::Str("hello"))])]);
        assert_eq!(told, Err(Stop::Limit { budget: Budget::Written, of: poor }));
        rig.account = rig.realm.root_account();
        rig.authority = outer;
        rig.ok(REPLY, &[Arg::Handle(id), obj(&[("txt", Arg::Str("x"))])]);
        assert!(waiting.join().unwrap().ends_with('x'));
        rig.ok("__sys_http_stop", &[Arg::Handle(server)]);
        assert!(rig.fails(TAKE, &[Arg::Handle(server), num(1)]).contains("closed"));
    }
}
