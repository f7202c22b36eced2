//! The examples of the network do their jobs, against servers of the test's own and against nginx where it is installed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, clippy::disallowed_types, reason = "tests")]

use ilu_tests::command::{Ran, Scratch, binary, ilu_in, root};
use ilu_tests::server::{After, NOT_FOUND, Server, answer, ok};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn example(name: &str) -> String {
    root().join("examples").join(name).display().to_string()
}

/// Three pages; page N has N items.
fn page(n: usize) -> Option<String> {
    (1..=3).contains(&n).then(|| {
        let item = |i: usize| {
            format!(
                "{{\"name\": \"item-{n}-{i}\", \"kind\": \"{}\", \"size\": {}}}",
                if i.is_multiple_of(2) { "even" } else { "odd" },
                10 * n + i
            )
        };
        let items: Vec<String> = (0..n).map(item).collect();
        let next = if n < 3 { format!("\"{}.json\"", n + 1) } else { "null".to_owned() };
        format!("{{\"items\": [{}], \"next\": {next}}}", items.join(", "))
    })
}

fn report_of(addr: &str) -> Ran {
    let scratch = Scratch::new("pages");
    std::fs::create_dir(scratch.at("out")).unwrap();
    let first = format!("http://{addr}/items/1.json");
    let ran = ilu_in(scratch.path(), &["run", "--net", addr, "--dir", "out:/out:rw", &example("pages.ilu"), "--", &first], b"");
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(0), "6 items on 3 pages, 144 bytes; largest: item-3-2, item-3-1, item-3-0, item-2-1, item-2-0\n"),
        "{}",
        ran.err
    );
    let told: serde_json::Value = serde_json::from_str(&scratch.read("out/report.json")).unwrap();
    assert_eq!((told["items"].as_u64(), told["size"].as_u64(), told["kinds"]["odd"]["items"].as_u64()), (Some(6), Some(144), Some(2)));
    ran
}

#[test]
fn a_list_is_fetched_page_by_page() {
    let server = Server::start(|asked, stream| {
        let n = asked.path.trim_start_matches("/items/").trim_end_matches(".json").parse().unwrap_or(0);
        let raw =
            page(n).map_or(NOT_FOUND.as_bytes().to_vec(), |page| answer("200 OK", "Content-Type: application/json\r\n", page.as_bytes()));
        let _ = stream.write_all(&raw);
        After::Keep
    });
    report_of(&server.addr.to_string());
    assert_eq!(server.connections(), 1);
}

#[test]
fn pages_that_never_end_do() {
    let server = Server::start(|_, stream| {
        let _ = stream.write_all(&answer("200 OK", "", b"{\"items\": [], \"next\": \"/items/1.json\"}"));
        After::Keep
    });
    let addr = server.addr.to_string();
    let first = format!("http://{addr}/items/1.json");
    let scratch = Scratch::new("endless");
    let ran = ilu_in(scratch.path(), &["run", "--net", &addr, "--dir", ".:/out:rw", &example("pages.ilu"), "--", &first], b"");
    assert!(ran.code == Some(4) || ran.err.contains("calls of `__sys_http_get` ran out"), "{ran:?}");
    assert_eq!(server.asked().len(), 50);
    assert!(!scratch.at("report.json").exists());
}

/// nginx with a configuration of the test's own; none where it is not installed.
struct Nginx {
    child: Child,
    addr: SocketAddr,
    _scratch: Scratch,
}

impl Nginx {
    fn start() -> Option<Nginx> {
        let nginx =
            ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"].into_iter().find(|path| std::path::Path::new(path).exists())?;
        let scratch = Scratch::new("nginx");
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let at = scratch.path().display();
        let config = format!(
            "daemon off; worker_processes 1; pid {at}/pid; error_log {at}/error.log; events {{}}\nhttp {{ access_log off; default_type application/json; gzip on; gzip_min_length 1; gzip_types *;\n\
             client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3; uwsgi_temp_path {at}/t4; scgi_temp_path {at}/t5;\n\
             server {{ listen {addr}; root {at}/www; location /moved {{ return 301 /items/1.json; }} }} }}\n"
        );
        let config = scratch.write("nginx.conf", config);
        for n in 1..=3 {
            scratch.write(&format!("www/items/{n}.json"), page(n).unwrap());
        }
        // A server that changes its user must be able to read them.
        Command::new("chmod").args(["-R", "a+rX"]).arg(scratch.path()).status().unwrap();
        let child = Command::new(nginx).arg("-c").arg(&config).arg("-p").arg(scratch.path()).stderr(Stdio::null()).spawn().unwrap();
        let nginx = Nginx { child, addr, _scratch: scratch };
        let listens = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            TcpStream::connect(addr).is_ok()
        });
        assert!(listens, "nginx does not listen");
        Some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

#[test]
fn nginx_is_read_like_any_other() {
    let Some(nginx) = Nginx::start() else {
        eprintln!("not applicable here: nginx is not installed");
        return;
    };
    let addr = nginx.addr.to_string();
    report_of(&addr);
    let script = format!(
        "use net\nr = net.get(\"http://{addr}/moved\")\nprn r.cod, r.url, len(r.txt) > 50, r.hdr[\"content-encoding\"]\nprn net.get(\"http://{addr}/none\").cod, net.del(\"http://{addr}/items/1.json\").cod"
    );
    let ran = ilu_in(&root(), &["run", "--net", &addr, "-e", &script], b"");
    assert_eq!((ran.code, ran.out), (Some(0), format!("200 http://{addr}/items/1.json tru nil\n404 405\n")), "{}", ran.err);
}

/// A server that ends with its test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_api_serves_its_directory_and_no_more() {
    let scratch = Scratch::new("api");
    scratch.write("data/one.json", "{\"n\": 1}");
    scratch.write("secret.json", "{\"secret\": true}");
    let mut command = Command::new(binary());
    command.args([
        "run",
        "--net",
        "127.0.0.1:0",
        "--dir",
        "data:/data:rw",
        "--grant",
        "capsv,capio,capfs,__sys_argv",
        &example("api.ilu"),
        "--",
        "0",
    ]);
    let child = command.current_dir(scratch.path()).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut serving = Serving(child);
    let mut line = String::new();
    let mut byte = [0];
    while serving.0.stdout.as_mut().unwrap().read(&mut byte).unwrap() == 1 && byte != [b'\n'] {
        line.push(char::from(byte[0]));
    }
    let base = line.trim_end_matches("/items").to_owned();
    let addr = base.trim_start_matches("http://").to_owned();
    // Asked by the same command, in the other direction.
    let ask = |script: &str| {
        let script = format!("use net\nu = \"{base}\"\n{script}");
        let ran = ilu_in(&root(), &["run", "--net", &addr, "-e", &script], b"");
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran.out
    };
    assert_eq!(ask("prn net.jget(u + \"/\"), net.jget(u + \"/items/one\").n"), "[\"one\"] 1\n");
    assert_eq!(
        ask("prn net.put(u + \"/items/two\", {n: 2}).cod, net.put(u + \"/items/two\", {n: 3}).cod, net.jget(u + \"/items/two\").n"),
        "201 200 3\n"
    );
    assert_eq!(ask("prn net.jget(u + \"/items?q=tw\")"), "[\"two\"]\n");
    for path in ["/items/none", "/items/..%2fsecret", "/items/../secret", "/secret"] {
        assert_eq!(ask(&format!("prn net.get(u + \"{path}\").cod")), "404\n", "{path}");
    }
    assert_eq!(
        ask("prn net.put(u + \"/items/a.b\", {}).cod, net.put(u + \"/items/x\", \"{\").cod, net.del(u + \"/items/one\").cod"),
        "400 400 405\n"
    );
    assert_eq!(scratch.read("data/two.json"), "{\"n\":3}");
}

#[test]
fn uptime_asks_side_by_side_and_tells_who_is_down() {
    let slow = Server::start(|_, stream| {
        std::thread::sleep(Duration::from_millis(300));
        let _ = stream.write_all(&ok("x"));
        After::Keep
    });
    let broken = Server::fixed(&[]);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (up, down, none) = (slow.addr.to_string(), broken.addr.to_string(), closed.to_string());
    let urls: Vec<String> = (0..8)
        .map(|n| format!("http://{up}/{n}"))
        .chain([format!("http://{down}/"), format!("http://{none}/"), "http://example.com/".to_owned()])
        .collect();
    let file = example("uptime.ilu");
    let mut args = vec!["run", "--net", &up, "--net", &down, "--net", &none, &file, "--"];
    args.extend(urls.iter().map(String::as_str));
    let ran = ilu_in(&root(), &args, b"");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 12, "{}", ran.out);
    assert!(lines[..8].iter().all(|line| line.starts_with("up  ") && line.ends_with("200")), "{}", ran.out);
    assert!(lines[8].starts_with("DOWN") && lines[8].ends_with("404"), "{}", ran.out);
    assert!(lines[9].ends_with("connection refused") && lines[10].ends_with("no network rule allows it"), "{}", ran.out);
    assert_eq!(lines[11], "8 of 11 up");
    assert!(slow.connections() > 1, "they were asked one after the other");
}
