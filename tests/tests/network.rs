//! The network from outside: the pool is on the way of every connection, and secrets go where they are bound to and show nowhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests reach the system"
)]

use ilu::host::Process;
use ilu::{Engine, Setup};
use ilu_cap::CapSet;
use ilu_sbx::{Grants, Lookup, Outside, Pool};
use ilu_tests::command::{Ran, Scratch, binary, finish, ilu};
use ilu_tests::server::{After, Asked, Server, answer, ok};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::Command;

/// This process, but for the pools that it gives.
struct Pools {
    process: Process,
    empty: bool,
}

impl Outside for Pools {
    fn write_out(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn write_err(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn read_in(&self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
    fn wall_ms(&self) -> f64 {
        self.process.wall_ms()
    }
    fn mono_ms(&self) -> f64 {
        self.process.mono_ms()
    }
    fn sleep(&self, ms: f64) {
        self.process.sleep(ms);
    }
    fn random(&self, into: &mut [u8]) -> io::Result<()> {
        self.process.random(into)
    }
    fn lookup(&self, name: &str) -> io::Result<Lookup> {
        self.process.lookup(name)
    }
    fn pool(&self, addrs: &[SocketAddr]) -> Pool {
        if self.empty { Pool::new() } else { self.process.pool(addrs) }
    }
}

/// The value of a script, or its error, with pools as they are or empty.
fn run(script: &str, empty: bool) -> Result<String, String> {
    let engine = Engine::new();
    let program = engine.compile("net.ilu", script).map_err(|error| format!("{error:?}")).unwrap();
    let grants = Grants { caps: CapSet::all(), net: vec!["127.0.0.1".to_owned()], ..Grants::default() };
    let setup = Setup::new(grants, Box::new(Pools { process: Process::default(), empty }));
    engine.run(&program, setup).result.map(|done| done.text).map_err(|error| error.message)
}

fn said(body: &'static str) -> Server {
    Server::start(move |_, stream| {
        let _ = stream.write_all(&ok(body));
        After::Keep
    })
}

#[test]
fn an_empty_pool_stops_every_connection_whatever_the_rules_say() {
    let server = said("hello");
    let (url, port) = (server.url(), server.addr.port());
    // Free a moment ago, and nobody else's business.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let scripts = [
        format!("c = __sys_tcp_dial(\"127.0.0.1\", {port})\n__sys_tcp_send(c, \"GET / HTTP/1.0\\r\\n\\r\\n\")\ntyp(__sys_tcp_recv(c))"),
        format!("c = __sys_tcp_connect(\"127.0.0.1\", {port})\n__sys_tcp_send(c, \"GET / HTTP/1.0\\r\\n\\r\\n\")\ntyp(__sys_tcp_recv(c))"),
        format!("c = __sys_tcp_dial(\"localhost\", {port})\n__sys_tcp_send(c, \"GET / HTTP/1.0\\r\\n\\r\\n\")\ntyp(__sys_tcp_recv(c))"),
        format!("__sys_http_get(\"{url}\").txt"),
        format!("__sys_http_post(\"{url}\", \"x\").txt"),
        format!("typ(__sys_tcp_listen(\"127.0.0.1\", {other}))"),
    ];
    for script in &scripts {
        let before = server.connections();
        let refused = run(script, true);
        assert!(refused.is_err(), "{script}: {refused:?}");
        assert_eq!(server.connections(), before, "{script}");
        // With what was authorised in it, the same works.
        let allowed = run(script, false);
        assert!(matches!(allowed.as_deref(), Ok("hello" | "byt" | "lsn")), "{script}: {allowed:?}");
    }
    assert!(server.connections() >= 5);
}

const VALUE: &str = "v4lue-hidden-7c1e";

/// Runs a script with the secret KEY, in a directory of its own.
fn with_secret(flags: &[&str], script: &str) -> (Ran, Scratch) {
    let place = Scratch::new("secret");
    place.write("main.ilu", script);
    let mut command = Command::new(binary());
    command.args(["run", "--color", "never"]).args(flags).arg("main.ilu").current_dir(place.path()).env("KEY", VALUE);
    (finish(command, b""), place)
}

#[test]
fn a_secret_is_sent_to_its_host_in_a_header_and_in_a_body() {
    let server = said("ok");
    let at = server.addr.to_string();
    let script = format!(
        "use env\nuse net\nk = env.secret(\"KEY\")\nu = \"http://{at}/\"\n\
         prn net.get(u, {{hdr: {{Authorization: {{pre: \"Bearer \", sec: k}}, \"X-Key\": k}}}}).cod\n\
         prn net.post(u, [\"<\", k, b\">\"]).cod\nprn net.post(u, k).cod\nprn typ(k)"
    );
    let (ran, _) = with_secret(&["--net", &at, "--secret", &format!("KEY={at}")], &script);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "200\n200\n200\nsec\n"), "{}", ran.err);
    let asked = server.asked();
    assert_eq!(asked[0].field("authorization"), Some(format!("Bearer {VALUE}").as_str()));
    assert_eq!(asked[0].field("x-key"), Some(VALUE));
    assert_eq!(asked[1].body, format!("<{VALUE}>").as_bytes());
    assert_eq!(asked[2].body, VALUE.as_bytes());
}

#[test]
fn a_secret_goes_nowhere_else() {
    let (server, other) = (said("ok"), said("leaked"));
    let (at, elsewhere) = (server.addr.to_string(), other.addr.to_string());
    let flags = ["--net", "127.0.0.1", "--secret", &format!("KEY={at}")];
    let get = |url: &str| format!("use env\nuse net\nk = env.secret(\"KEY\")\nnet.get(\"http://{url}/\", {{hdr: {{\"X-Key\": k}}}}).cod");
    let post = |url: &str| format!("use env\nuse net\nk = env.secret(\"KEY\")\nnet.post(\"http://{url}/\", [k]).cod");
    for script in [get(&elsewhere), post(&elsewhere), get("localhost:1"), post("127.0.0.1")] {
        let (ran, _) = with_secret(&flags, &script);
        assert_eq!(ran.code, Some(3), "{script}: {}", ran.err);
        assert!(ran.err.contains("the secret KEY is bound to other hosts") && !ran.err.contains(VALUE), "{}", ran.err);
    }
    assert_eq!((server.connections(), other.connections()), (0, 0));
    // Bound to a host without a port it goes by TLS only, and there is none here.
    let (ran, _) = with_secret(&["--net", "127.0.0.1", "--secret", "KEY=127.0.0.1"], &get(&at));
    assert_eq!((ran.code, server.connections()), (Some(3), 0), "{}", ran.err);
    // A field that goes along with a redirect can't hold it.
    let script = get(&at).replace("X-Key", "User-Agent");
    let (ran, _) = with_secret(&flags, &script);
    assert_eq!((ran.code, server.connections()), (Some(1), 0), "{}", ran.err);
    // The control: to its own host.
    let (ran, _) = with_secret(&flags, &get(&at));
    assert_eq!((ran.code, server.connections()), (Some(0), 1), "{}", ran.err);
}

#[test]
fn a_redirect_to_another_origin_leaves_a_secret_behind() {
    let other = said("leaked");
    let to = other.url();
    let server = Server::start(move |asked: &Asked, stream| {
        let kept = if asked.method == "GET" { "302 Found" } else { "307 Temporary Redirect" };
        let _ = stream.write_all(&answer(kept, &format!("Location: {to}\r\n"), b""));
        After::Close
    });
    let at = server.addr.to_string();
    let flags = ["--net", "127.0.0.1", "--secret", &format!("KEY={at}")];
    let script = format!(
        "use env\nuse net\nk = env.secret(\"KEY\")\nprn net.get(\"http://{at}/\", {{hdr: {{\"X-Key\": k}}}}).txt\n\
         prn try(\\() net.post(\"http://{at}/\", [k])).err != nil"
    );
    let (ran, _) = with_secret(&flags, &script);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "leaked\ntru\n"), "{}", ran.err);
    let asked = other.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked.iter().all(|asked| !asked.head.contains(VALUE) && !String::from_utf8_lossy(&asked.body).contains(VALUE)));
}

#[test]
fn a_secret_has_no_text_no_size_and_no_order() {
    let script = "use env\nuse jsn\nuse txt\nuse enc\nk = env.secret(\"KEY\")\nprn k\nprn [k], {a: k}, str(k), $\"{k}\"\n\
        tries = [\\() len(k), \\() k + \"\", \\() \"\" + k, \\() k < \"a\", \\() k < k, \\() k[0], \\() jsn.enc(k), \\() jsn.enc([k]), \
        \\() txt.upper(k), \\() enc.b64(k), \\() num(k), \\() __sys_write_file(\"/d/x\", k), \\() __sys_stdout(k), \\() err(k), \
        \\() __sys_tcp_send(k, \"x\"), \\() __sys_getenv(\"KEY\"), \\() __obs_log(\"info\", k)]\n\
        t <- tries: prn try(t).val == nil\nprn k == \"v4lue-hidden-7c1e\", k == env.secret(\"KEY\")\nx <- k: prn x";
    let flags = ["--grant", "capall", "--dir", ".:/d:rw", "--secret", "KEY=x.test", "--audit", "-", "--json"];
    let (ran, place) = with_secret(&flags, script);
    for said in [&ran.out, &ran.err] {
        assert!(!said.contains(VALUE) && !said.contains("hidden"), "{said}");
    }
    let lines: Vec<&str> = ran.out.lines().skip(2).collect();
    assert!(lines.len() >= 18, "{ran:?}");
    assert!(lines.iter().take(17).all(|line| *line == "tru"), "{ran:?}");
    assert_eq!(lines.get(17), Some(&"fls fls"), "{ran:?}");
    for entry in std::fs::read_dir(place.path()).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(path.ends_with("main.ilu") || !text.contains(VALUE), "{}", path.display());
    }
}

#[test]
fn a_sandbox_has_the_secrets_it_was_given_by_name() {
    let flags = ["--secret", "KEY=x.test", "--grant", "capio,__sys_secret"];
    for (opts, told) in [("{secret: []}", "tru"), ("{secret: [\"KEY\"]}", "fls"), ("{}", "fls")] {
        let script = format!("use sbx\nprn sbxtr(sbxmk([\"__sys_secret\"], {opts}), \\() __sys_secret(\"KEY\")).err != nil");
        let (ran, _) = with_secret(&flags, &script);
        assert_eq!(ran.out, format!("{told}\n"), "{opts}: {}", ran.err);
    }
    let (ran, _) = with_secret(&flags, "use sbx\nsbxmk([], {secret: [\"KEYS\"]})");
    assert!(ran.err.contains("does not hold secret \"KEYS\" (did you mean \"KEY\"?)"), "{}", ran.err);
    let (ran, _) = with_secret(&[], "use env\nenv.secret(\"KEY\")");
    assert!(ran.code == Some(3) && ran.err.contains("would allow it: --secret KEY=HOST"), "{}", ran.err);
    let (ran, _) = with_secret(&["--secret", "NOT_SET=x.test"], "1");
    assert!(ran.code == Some(2) && ran.err.contains("the variable NOT_SET is not set here"), "{}", ran.err);
    let (ran, _) = with_secret(&["--secret", "KEY=*"], "1");
    assert_eq!(ran.code, Some(2), "{}", ran.err);
}

#[test]
fn explain_tells_of_a_connection_what_a_run_would_hear_and_asks_nobody() {
    let explain = |flags: &[&str], call: &[&str]| {
        let mut args = vec!["explain", "--color", "never"];
        args.extend(flags);
        args.push("--");
        args.extend(call);
        let ran = ilu(&args);
        (ran.code, ran.out.lines().skip(1).collect::<Vec<_>>().join("; "))
    };
    let (allowed, denied) = (Some(0), Some(3));
    for (flags, call, code, told) in [
        (
            &[][..],
            &["__sys_http_get", "https://a.example/x"][..],
            denied,
            "rule: the sandbox does not hold this capability; would allow it: --net a.example",
        ),
        (&["--net", "*.a.example"], &["__sys_http_get", "https://x.a.example/"], allowed, "rule: net *.a.example"),
        (
            &["--net", "*.a.example"],
            &["__sys_tcp_dial", "x.a.example", "22"],
            denied,
            "rule: no network rule allows it; would allow it: --net x.a.example:22",
        ),
        (
            &["--net", "!x.a.example", "--net", "*.a.example"],
            &["__sys_dns", "x.a.example"],
            denied,
            "rule: the network rule !x.a.example denies it; no flag would allow it",
        ),
        (
            &["--net", "*"],
            &["__sys_http_post", "http://169.254.169.254/", "\"x\""],
            denied,
            "rule: the address is special (link-local), and no network rule names it; would allow it: --net 169.254.169.254:80",
        ),
        (
            &["--net", "*"],
            &["__sys_tcp_connect", "0.0.0.0", "80"],
            denied,
            "rule: the address stands for no single host, so nothing connects to it; no flag would allow it",
        ),
        (&["--net", "127.0.0.1:80"], &["__sys_tcp_dial", "localhost", "80"], allowed, "rule: net 127.0.0.1:80"),
    ] {
        assert_eq!(explain(flags, call), (code, told.to_owned()), "{flags:?} {call:?}");
    }
}

#[test]
fn learn_tells_the_rules_that_a_run_needed() {
    let server = said("ok");
    let at = server.addr.to_string();
    let place = Scratch::new("learn");
    place.write("main.ilu", format!("use net\nnet.get(\"http://{at}/\")\nnet.get(\"http://localhost:{}/\")", server.addr.port()));
    let mut command = Command::new(binary());
    command.args(["learn", "--net", "127.0.0.0/8", "--net", "*:*", "main.ilu"]).current_dir(place.path());
    let ran = finish(command, b"");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains(&format!("--net {at} ")) && ran.out.contains(&format!("net = [\"{at}\"]")), "{}", ran.out);
}

#[test]
fn each_way_in_which_a_connection_fails_has_its_words() {
    let mut told = Vec::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let open = format!("c = __sys_tcp_dial(\"127.0.0.1\", {port})\n");
    for (what, script) in [
        ("no rule for the name", "__sys_tcp_dial(\"a.example\", 443)".to_owned()),
        ("a rule denies", "__sys_tcp_dial(\"127.0.0.9\", 443)".to_owned()),
        ("a special address", "__sys_tcp_dial(\"10.0.0.1\", 443)".to_owned()),
        ("nobody's address", "__sys_tcp_dial(\"0.0.0.0\", 443)".to_owned()),
        ("no host", "__sys_tcp_dial(\"a..b\", 443)".to_owned()),
        ("a number read differently", "__sys_tcp_dial(\"010.0.0.1\", 443)".to_owned()),
        ("no port", "__sys_tcp_dial(\"127.0.0.1\", 0)".to_owned()),
        ("a name for an address", "__sys_tcp_connect(\"a.example\", 443)".to_owned()),
        ("nobody listens", format!("__sys_tcp_dial(\"127.0.0.1\", {closed})")),
        ("the address is taken", format!("__sys_tcp_listen(\"127.0.0.1\", {port})")),
        ("not of this machine", format!("__sys_tcp_listen(\"192.0.2.1\", {closed})")),
        ("nothing comes", format!("{open}__sys_tcp_recv(c, 1, 20)")),
        ("closed", format!("{open}__sys_tcp_close(c)\n__sys_tcp_send(c, \"x\")")),
        ("another thing", format!("__sys_tcp_recv(__sys_tcp_listen(\"127.0.0.1\", {other}))")),
    ] {
        let engine = Engine::new();
        let program = engine.compile("net.ilu", script.as_str()).unwrap();
        let net = ["!127.0.0.9", "127.0.0.0/8", "192.0.2.0/24"].map(str::to_owned).to_vec();
        let grants = Grants { caps: CapSet::all(), net, ..Grants::default() };
        let error = engine.run(&program, Setup::new(grants, Box::new(Process::default()))).result.expect_err(&script);
        told.push(format!("{what}: {}", error.message.replace(&closed.to_string(), "PORT").replace(&port.to_string(), "PORT")));
    }
    insta::assert_snapshot!(told.join("\n"));
}
