//! A network for rows about the network: every address is local, every name has the answers that the row gives it, every handshake and every
//! question is noted. It is a process in namespaces of its own (`src/bin/net-yard.rs`), so nothing here touches the machine's network.

use crate::lane::{self, Lane};
use ilu_tests::tally::{Part, note};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Where scripts of rows listen themselves.
pub const OWN: &str = "127.0.0.1:9000";

/// An address that is nothing special.
pub const PUBLIC: &str = "93.184.216.34";
/// Another one.
pub const OTHER: &str = "93.184.216.35";

/// Addresses that a yard has beside 127.0.0.0/8 and ::1.
pub const ADDRESSES: &[&str] = &[
    PUBLIC,
    OTHER,
    "8.8.8.8",
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "192.0.0.192",
    "10.0.0.1",
    "10.1.2.3",
    "192.168.0.1",
    "192.168.1.1",
    "172.16.0.1",
    "168.63.129.16",
    "fd00:ec2::254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "64:ff9c::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2001:0:808:808::3f57:fffe",
    "2001:4860:4860::8888",
    "2a00::5efe:7f00:1",
    "fec0::1",
    "fc00::1",
    "100::1",
    "2001:db8::1",
];

/// The running yard, and what has gone wrong in it.
pub struct Yard {
    child: Child,
    jobs: ChildStdin,
    answers: BufReader<ChildStdout>,
    failures: Vec<String>,
}

/// What came of a job.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i64>,
    pub out: String,
    pub err: String,
    /// Local addresses of connections that were taken, in their order; then, after `SYN `, of those that were begun and not taken.
    pub connects: Vec<String>,
    /// Questions to the name server.
    pub queries: Vec<String>,
    /// Datagrams that were sent by anybody.
    pub udp: u64,
}

/// Tries rows in a yard whose names have these answers. Where the system allows no namespaces nothing is tried, and that is said.
pub fn yard(zone: &[&str], row: impl FnOnce(&mut Yard)) {
    yard_with(zone, None, row);
}

/// The same with a file of hosts.
pub fn yard_with(zone: &[&str], hosts: Option<&str>, row: impl FnOnce(&mut Yard)) {
    let mut yard = match Yard::open(zone, hosts) {
        Ok(yard) => yard,
        Err(why) => {
            println!("not applicable here: no network namespace can be had: {why}");
            return;
        }
    };
    row(&mut yard);
    let failures = std::mem::take(&mut yard.failures);
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

impl Yard {
    fn open(zone: &[&str], hosts: Option<&str>) -> Result<Yard, String> {
        let probe = Command::new("unshare").args(["-rnm", "ip", "link", "set", "lo", "up"]).output().map_err(|error| error.to_string())?;
        if !probe.status.success() {
            return Err(String::from_utf8_lossy(&probe.stderr).into_owned());
        }
        let mut command = Command::new("unshare");
        command.args(["-rnm", "--kill-child", "--fork", env!("CARGO_BIN_EXE_net-yard")]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        let (Some(jobs), Some(answers)) = (child.stdin.take(), child.stdout.take()) else { return Err("no pipes".to_owned()) };
        let mut yard = Yard { child, jobs, answers: BufReader::new(answers), failures: Vec::new() };
        yard.say(&json!({"zone": zone, "hosts": hosts, "addresses": ADDRESSES}));
        assert_eq!(yard.hear(), "ready", "the yard does not open");
        Ok(yard)
    }

    fn say(&mut self, job: &Value) {
        writeln!(self.jobs, "{job}").unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn job(&mut self, job: &Value) -> Done {
        self.say(job);
        let line = self.hear();
        let done: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{job}: {error}: {line:?}"));
        assert!(done["error"].is_null(), "{job}: {done}");
        let texts = |key: &str| done[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect();
        let text = |key: &str| done[key].as_str().unwrap().to_owned();
        let mut connects: Vec<String> = texts("connects");
        // Who began to connect and was taken by nobody was on the wire all the same. Where scripts listen themselves it is their own affair.
        let missed: Vec<String> =
            texts("handshakes").into_iter().filter(|at| !connects.contains(at) && at != OWN).map(|at| format!("SYN {at}")).collect();
        connects.extend(missed);
        Done {
            code: done["code"].as_i64(),
            out: text("out"),
            err: text("err"),
            connects,
            queries: texts("queries"),
            udp: done["udp"].as_u64().unwrap(),
        }
    }

    /// Runs a script under these flags, with all natives of the network and of output.
    pub fn run(&mut self, flags: &[&str], script: &str) -> Done {
        self.run_with("capne,capdn,capsv,capio,captm", flags, script)
    }

    /// The same with other natives.
    pub fn run_with(&mut self, grant: &str, flags: &[&str], script: &str) -> Done {
        let ilu = lane::binary().display().to_string();
        let mut words = vec![ilu.as_str(), "run", "--color", "never", "--grant", grant];
        words.extend(lane::flags());
        words.extend(flags);
        words.extend(["-e", script]);
        self.job(&json!({ "run": words }))
    }

    /// What is wrong, when something is. With the kernel alone the doorway's answers are not there to be looked at.
    pub fn expect(&mut self, name: &str, holds: bool, got: &Done) {
        if lane::current() != Lane::Kernel {
            self.check(name, holds, got);
        }
    }

    fn check(&mut self, name: &str, holds: bool, got: &Done) {
        if !holds {
            self.failures.push(format!("{name}: {got:?}"));
        }
    }

    /// Any other thing that went wrong.
    pub fn fail(&mut self, what: String) {
        self.failures.push(what);
    }

    /// A script that must end with one of these exit codes (3 is a denial, 1 an error, 4 a limit) and reach nobody.
    pub fn refused(&mut self, name: &str, flags: &[&str], script: &str, codes: &[i64]) -> Done {
        note(Part::Refusal);
        if lane::current() == Lane::Kernel {
            return self.refused_by_the_kernel(name, flags, script);
        }
        let done = self.run(flags, script);
        let fine = done.code.is_some_and(|code| codes.contains(&code)) && done.connects.is_empty() && !done.err.contains("panicked");
        self.check(&format!("refused {name}, expected {codes:?}"), fine, &done);
        done
    }

    /// The kernel knows ports, and whether there is to be any network. Nobody is reached on a port that no rule names; who is reached on one
    /// that is named was let through.
    fn refused_by_the_kernel(&mut self, name: &str, flags: &[&str], script: &str) -> Done {
        let rules = flags.iter().filter(|flag| !flag.starts_with("--")).count();
        let done = self.run(flags, script);
        lane::judged(done.connects.is_empty(), &format!("{name}: {flags:?} {script}"));
        let silent = done.connects.is_empty() && done.queries.is_empty() && done.udp == 0;
        self.check(&format!("{name}: no rule, and yet something is sent"), silent || rules > 0, &done);
        // The same where no rule allows anything: whoever is meant, nothing leaves.
        let mut without: Vec<&str> = Vec::new();
        let mut pairs = flags.iter();
        while let Some(flag) = pairs.next() {
            match *flag {
                "--net" | "--pol" => drop(pairs.next()),
                other => without.push(other),
            }
        }
        if rules > 0 {
            note(Part::Refusal);
            let none = self.run(&without, script);
            let silent = none.connects.is_empty() && none.queries.is_empty() && none.udp == 0;
            self.check(&format!("{name}: without a rule something is sent"), silent, &none);
        }
        if done.connects.is_empty() && !lane::bare(|| self.run(flags, script)).connects.is_empty() {
            note(Part::Twin);
            lane::succeeds_bare();
        }
        done
    }

    /// The same, and not one packet leaves: no name is asked for.
    pub fn unasked(&mut self, name: &str, flags: &[&str], script: &str, codes: &[i64]) {
        let done = self.refused(name, flags, script, codes);
        // Once a name may be asked for the kernel does not see which one is.
        let silent = done.queries.is_empty() && done.udp == 0 || lane::current() == Lane::Kernel;
        self.check(&format!("unasked {name}"), silent, &done);
    }

    /// A script that must end well, having connected to these and nobody else.
    pub fn reaches(&mut self, part: Part, name: &str, flags: &[&str], script: &str, connects: &[&str]) {
        note(part);
        let done = self.run(flags, script);
        // Of several addresses the kernel can't say which are meant: any that is reached is one.
        let same = if lane::current() == Lane::Kernel { done.connects.len() == connects.len() } else { done.connects == connects };
        self.check(&format!("{part:?} {name}"), done.code == Some(0) && same, &done);
    }

    /// A program without any guard tries in vain: the wire shows that, and so does it when a script does.
    pub fn shows(&mut self, host: &str, port: u16, connects: &[&str]) {
        note(Part::Control);
        let done = self.job(&json!({"dial": [host, port]}));
        self.check(&format!("shows {host}:{port}"), done.code != Some(0) && done.connects == connects, &done);
    }

    /// A program without any guard does what a script was refused.
    pub fn twin(&mut self, name: &str, host: &str, port: u16, connects: &[&str]) {
        note(Part::Twin);
        let done = self.job(&json!({"dial": [host, port]}));
        self.check(&format!("twin {name}"), done.code == Some(0) && done.connects == connects, &done);
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        // `--kill-child` ends what runs in it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A script that dials, says something and prints what it hears.
pub fn dial(host: &str, port: u16) -> String {
    format!("c = __sys_tcp_dial({}, {port})\n__sys_tcp_send(c, \"hello\\n\")\nprn len(__sys_tcp_recv(c)) > 0", quoted(host))
}

/// A text as a literal of the language.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
