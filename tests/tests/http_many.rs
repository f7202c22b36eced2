//! Many requests, and large ones: what they leave open, how much is open at once, and how much memory a body takes.
//!
//! `ILU_FULL=1` does it at full size: 10,000 requests one after the other, 1,000 side by side, 1 GiB.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, clippy::disallowed_types, reason = "tests")]

use ilu_tests::command::{Scratch, binary};
use ilu_tests::server::{After, Server, of_the_pages};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn full() -> bool {
    std::env::var_os("ILU_FULL").is_some()
}

/// A run that can be looked at: it says something on standard error when it is where it is to be looked at, and goes on after a line.
struct Run {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
}

impl Run {
    fn start(flags: &[&str], script: &str) -> (Run, Scratch) {
        let scratch = Scratch::new("many");
        let file = scratch.write("main.ilu", script);
        let mut command = Command::new(binary());
        command.args(["run", "--grant", "capht,capio,capsp,captm,__sys_write_file"]).args(flags).arg(&file).env_clear();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        (Run { child, said }, scratch)
    }

    /// Waits until it says this.
    fn until(&mut self, what: &str) {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        if line.trim_end() != what {
            let mut rest = String::new();
            let _ = self.child.kill();
            let _ = self.said.read_to_string(&mut rest);
            panic!("wanted {what}, got {line}{rest}");
        }
    }

    fn go_on(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }

    /// Descriptors that are open.
    fn open(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    /// The most memory that it had, in bytes.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

#[test]
fn requests_one_after_the_other_leave_nothing_open() {
    let count = if full() { 10_000 } else { 1_500 };
    let server = of_the_pages();
    let close = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
        After::Close
    });
    let (addr, second) = (server.addr.to_string(), close.addr.to_string());
    // One that is kept alive, one that is closed, one that is broken off.
    let script = format!(
        "use net\nround() =\n    net.get(\"http://{addr}/hello\")\n    net.get(\"http://{second}/\")\n    try(\\() net.get(\"http://{addr}/hello\", {{max: 1}}))\n\
         round()\neprn \"few\"\n__sys_stdin()\ni <- 0..<{}: round()\neprn \"many\"\n__sys_stdin()",
        count / 3
    );
    let (mut run, _scratch) = Run::start(&["--net", &addr, "--net", &second], &script);
    run.until("few");
    let few = run.open();
    run.go_on();
    run.until("many");
    let many = run.open();
    println!("{count} requests one after the other: {few} descriptors open after 3, {many} after all");
    run.end();
    assert_eq!(server.asked().len() + close.asked().len(), count / 3 * 3 + 3);
    assert!(many <= few + 1, "{few} descriptors after 3 requests, {many} after {count}");
}

#[test]
fn requests_side_by_side_leave_nothing_open() {
    let count = if full() { 1_000 } else { 100 };
    let server = Server::start(|_, stream| {
        // So that they meet.
        std::thread::sleep(Duration::from_millis(50));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine");
        After::Keep
    });
    let addr = server.addr.to_string();
    let script = format!(
        "use syn\nask(n) = __sys_http_get(\"http://{addr}/\" + str(n), {{ms: 300000, max: 1000}}).txt\nask(0)\neprn \"few\"\n__sys_stdin()\n\
         ts = []\ni <- 0..<{count}: ts = ts + [syn.run(\\() ask(i))]\ngood = 0\nt <- ts: if t.wai().val == \"fine\": good = good + 1\n\
         if good != {count}: err($\"{{good}} of {count}\")\nts = nil\nask(0)\neprn \"many\"\n__sys_stdin()"
    );
    let (mut run, _scratch) = Run::start(&["--net", &addr, "--mem", "1G"], &script);
    run.until("few");
    let few = run.open();
    let id = run.child.id();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let watcher = std::thread::spawn(move || {
        let mut most = 0;
        while stopped.recv_timeout(Duration::from_millis(5)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            most = most.max(std::fs::read_dir(format!("/proc/{id}/fd")).map_or(0, Iterator::count));
        }
        most
    });
    run.go_on();
    run.until("many");
    let many = run.open();
    drop(stop);
    let most = watcher.join().unwrap();
    println!(
        "{count} requests side by side: {few} descriptors open before, {most} at the most, {many} after; {} connections",
        server.connections()
    );
    run.end();
    assert_eq!(server.asked().len(), count + 2);
    // Connections that may stay open, and what the executor of tasks has for itself.
    assert!(many <= few + 16, "{few} descriptors before, {many} after {count} tasks");
    assert!(most > few, "they were not seen side by side");
}

/// The most memory of a run that gets a body of so many pieces of 64 KiB into a file.
fn peak_of_a_file(pieces: usize) -> u64 {
    let server = Server::start(move |_, stream| {
        let piece = vec![b'x'; 64 << 10];
        let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", pieces * piece.len()).as_bytes());
        for _ in 0..pieces {
            if stream.write_all(&piece).is_err() {
                break;
            }
        }
        After::Close
    });
    let (addr, place) = (server.addr.to_string(), Scratch::new("large"));
    let dir = format!("{}:/d:rw", place.path().display());
    let script = format!("r = __sys_http_get(\"http://{addr}/\", {{to: \"/d/file\", ms: 3000000}})\neprn r.len\n__sys_stdin()");
    let (mut run, _scratch) = Run::start(&["--net", &addr, "--dir", &dir, "--time", "1h"], &script);
    run.until(&(pieces * (64 << 10)).to_string());
    let peak = run.peak();
    run.end();
    assert_eq!(std::fs::metadata(place.at("file")).unwrap().len(), (pieces * (64 << 10)) as u64);
    peak
}

#[test]
fn a_large_body_goes_to_a_file_in_little_memory() {
    let pieces = if full() { 16 << 10 } else { 1 << 10 };
    let (small, large) = (peak_of_a_file(1), peak_of_a_file(pieces));
    let more = large.saturating_sub(small);
    println!("{} MiB to a file: {} KiB more memory at the peak than for 64 KiB", pieces / 16, more >> 10);
    assert!(more < 8 << 20, "{more} bytes more for {} MiB", pieces / 16);
}
