//! `net-yard`: a network of its own in which scripts are tried: every address is here, every name is answered by a script, and whoever connects is
//! noted.
//!
//! Started in fresh user, network and mount namespaces (`unshare -rnm`). The first line of standard input is `{"zone": […], "hosts": TEXT,
//! "addresses": […]}`; each further line is one thing to do, answered by one line:
//!
//! | line | does |
//! |---|---|
//! | `{"run": [PROGRAM, ARG…]}` | runs a program; `{code, out, err, connects, queries, udp, handshakes}`; the last two are what a packet socket saw too |
//! | `{"dial": [HOST, PORT]}` | connects as a program without any guard does |
//!
//! A zone's line is `NAME ANSWER`, or `NAME ANSWER | ANSWER` for one query after the other (the last stays); an answer is addresses, or one of
//! `NX`, `SERVFAIL`, `SILENT`, `CNAME OTHER`, `MANY COUNT`, `TXT SIZE`. All answers may be kept for no time at all.
#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a program for tests"
)]

use ilu_tests::name_server::{Log, Zone};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Ports on which every address listens.
const PORTS: [u16; 8] = [22, 80, 443, 8080, 8081, 8443, 65534, 65535];

fn must(program: &str, args: &[&str]) {
    let done = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(done.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Puts a file of ours where the system looks.
fn in_place_of(path: &str, text: &str) {
    let file = std::env::temp_dir().join(format!("net-yard-{}-{}", std::process::id(), path.rsplit('/').next().unwrap()));
    std::fs::write(&file, text).unwrap();
    must("mount", &["--bind", file.to_str().unwrap(), path]);
    std::fs::remove_file(&file).unwrap();
}

fn texts(value: &Value) -> Vec<String> {
    let text = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
    value.as_array().into_iter().flatten().map(text).collect()
}

/// Answers whoever says something with the address that was connected to.
fn answer(mut stream: TcpStream) {
    let here = stream.local_addr().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut some = [0; 4096];
    if stream.read(&mut some).is_ok_and(|got| got > 0) {
        let body = here.to_string();
        let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    }
}

fn listen(connects: &Arc<Mutex<Vec<String>>>) {
    for port in PORTS {
        // One for both families would note IPv4 addresses in their IPv6 form.
        for any in ["0.0.0.0", "::"] {
            let Ok(listener) = bind(any, port) else { continue };
            let connects = Arc::clone(connects);
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    // The handshake is all it takes to be noted.
                    connects.lock().unwrap().push(stream.local_addr().unwrap().to_string());
                    std::thread::spawn(move || answer(stream));
                }
            });
        }
    }
}

fn bind(any: &str, port: u16) -> std::io::Result<TcpListener> {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket, sockopt};
    let addr: std::net::SocketAddr = format!("{}:{port}", if any == "::" { "[::]" } else { any }).parse().unwrap();
    let family = if addr.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let fd = socket(family, SocketType::STREAM, None)?;
    if addr.is_ipv6() {
        sockopt::set_ipv6_v6only(&fd, true)?;
    }
    bind(&fd, &addr)?;
    listen(&fd, 1024)?;
    Ok(fd.into())
}

/// What is on the wire of this network: everything that is sent in it goes over its one interface, and this sees all of that.
struct Wire {
    seen: Arc<Mutex<Seen>>,
    /// From where marks are sent.
    marks: std::net::UdpSocket,
}

#[derive(Default)]
struct Seen {
    /// Where somebody began to connect to: `ADDRESS:PORT`.
    handshakes: BTreeSet<String>,
    /// Packets to name servers.
    questions: u64,
    /// Marks that came by.
    marks: u64,
}

/// Where marks are sent: nobody is there.
const MARKS: &str = "127.9.9.9:9";

impl Wire {
    fn open() -> Wire {
        use rustix::net::{AddressFamily, RecvFlags, SocketType, eth, recv, socket};
        let tap = socket(AddressFamily::PACKET, SocketType::DGRAM, Some(eth::ALL)).expect("a packet socket");
        let _ = rustix::net::sockopt::set_socket_recv_buffer_size(&tap, 8 << 20);
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let into = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut packet = vec![0; 1 << 16];
            loop {
                let size = recv(&tap, &mut packet[..], RecvFlags::empty()).map_or(0, |(size, _)| size);
                note(&packet[..size], &mut into.lock().unwrap());
            }
        });
        Wire { seen, marks: std::net::UdpSocket::bind("127.0.0.1:0").unwrap() }
    }

    /// Waits until all that was sent before is seen.
    fn settle(&self) {
        let before = self.seen.lock().unwrap().marks;
        for _ in 0..500 {
            let _ = self.marks.send_to(b"mark", MARKS);
            std::thread::sleep(Duration::from_millis(2));
            if self.seen.lock().unwrap().marks > before {
                return;
            }
        }
        panic!("packets are not seen");
    }
}

/// Takes note of one packet. What is not of the internet is nobody's here.
fn note(packet: &[u8], seen: &mut Seen) {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
    let Some(first) = packet.first() else { return };
    let (protocol, to, rest) = match first >> 4 {
        4 if packet.len() >= 20 => {
            let to = <[u8; 4]>::try_from(&packet[16..20]).unwrap();
            (packet[9], IpAddr::from(Ipv4Addr::from(to)), packet.get(usize::from(first & 15) * 4..))
        }
        6 if packet.len() >= 40 => {
            let to = <[u8; 16]>::try_from(&packet[24..40]).unwrap();
            (packet[6], IpAddr::from(Ipv6Addr::from(to)), packet.get(40..))
        }
        _ => return,
    };
    let Some(rest) = rest.filter(|rest| rest.len() >= 8) else { return };
    let to = SocketAddr::new(to, u16::from_be_bytes([rest[2], rest[3]]));
    match protocol {
        // The first packet of a connection: SYN without ACK.
        6 if rest.get(13).is_some_and(|flags| flags & 0x12 == 2) => {
            if to.port() == 53 {
                seen.questions += 1;
            } else {
                seen.handshakes.insert(to.to_string());
            }
        }
        17 if to.to_string() == MARKS => seen.marks += 1,
        17 if to.port() == 53 => seen.questions += 1,
        _ => {}
    }
}

/// Datagrams that left any socket of this network.
fn datagrams() -> u64 {
    let of = |path: &str, find: fn(&str) -> Option<u64>| std::fs::read_to_string(path).ok().and_then(|text| find(&text)).unwrap_or(0);
    let v4 =
        of("/proc/net/snmp", |text| text.lines().filter(|line| line.starts_with("Udp:")).nth(1)?.split_whitespace().nth(4)?.parse().ok());
    let v6 = of("/proc/net/snmp6", |text| {
        text.lines().find(|line| line.starts_with("Udp6OutDatagrams"))?.split_whitespace().nth(1)?.parse().ok()
    });
    v4 + v6
}

fn run(words: &[String]) -> Value {
    let Some((program, args)) = words.split_first() else { return json!({"error": "no program"}) };
    let mut command = Command::new(program);
    let done = command.args(args).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null()).output();
    match done {
        Ok(done) => json!({
            "code": done.status.code(),
            "out": String::from_utf8_lossy(&done.stdout),
            "err": String::from_utf8_lossy(&done.stderr),
        }),
        Err(error) => json!({"error": error.to_string()}),
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, dial, host, port] = args.as_slice()
        && dial == "dial"
    {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let mut stream = TcpStream::connect((host, port.parse::<u16>().unwrap())).unwrap();
        stream.write_all(b"hello\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        print!("{text}");
        return;
    }
    let mut lines = std::io::stdin().lock().lines().map_while(Result::ok);
    let first: Value = serde_json::from_str(&lines.next().expect("a first line")).unwrap();
    must("ip", &["link", "set", "lo", "up"]);
    for address in texts(&first["addresses"]) {
        let prefix = if address.contains(':') { "128" } else { "32" };
        let mut args = vec!["addr", "add"];
        let at = format!("{address}/{prefix}");
        args.extend([at.as_str(), "dev", "lo"]);
        if address.contains(':') {
            args.push("nodad");
        }
        must("ip", &args);
    }
    in_place_of("/etc/resolv.conf", "nameserver 127.0.0.53\nsearch search.test\noptions timeout:1 attempts:1\n");
    in_place_of("/etc/hosts", first["hosts"].as_str().unwrap_or("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"));
    let (connects, queries) = (Arc::default(), Log::default());
    Zone::read(&texts(&first["zone"])).serve("127.0.0.53:53", &queries);
    listen(&connects);
    let wire = Wire::open();
    wire.settle();
    println!("ready");
    let me = args.first().cloned().unwrap_or_default();
    for line in lines {
        let job: Value = serde_json::from_str(&line).unwrap();
        connects.lock().unwrap().clear();
        queries.lock().unwrap().clear();
        wire.settle();
        *wire.seen.lock().unwrap() = Seen::default();
        let before = datagrams();
        let mut done = if job["dial"].is_array() {
            run(&[vec![me.clone(), "dial".to_owned()], texts(&job["dial"])].concat())
        } else {
            run(&texts(&job["run"]))
        };
        let sent = datagrams() - before;
        // What was begun is noted by then.
        std::thread::sleep(Duration::from_millis(10));
        wire.settle();
        done["connects"] = json!(*connects.lock().unwrap());
        done["queries"] = json!(*queries.lock().unwrap());
        let seen = wire.seen.lock().unwrap();
        done["udp"] = json!(sent.max(seen.questions));
        done["handshakes"] = json!(seen.handshakes);
        println!("{done}");
    }
}
