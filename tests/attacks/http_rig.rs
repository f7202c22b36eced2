//! The rig of the HTTP rows: a server that is allowed, one that is forbidden, and the real command between them.
//!
//! Both servers are on loopback, at two addresses of it. An attempt is a script that prints what it got; that it was refused is seen by its exit
//! code, and that nothing went out by what the forbidden server counted.

use crate::lane::{self, Lane};
use ilu_tests::command::{Ran, finish};
use ilu_tests::server::{After, Asked, Server};
use ilu_tests::tally::{self, Part};
use std::net::TcpStream;
use std::process::Command;

/// How an attempt must end.
#[derive(Clone, Copy, Debug)]
pub enum Want<'a> {
    /// A denial.
    Deny,
    /// A denial, or an error before that.
    DenyOrError,
    /// An error whose text contains this.
    Error(&'a str),
    /// Success that prints exactly this, the line end apart.
    Prints(&'a str),
    /// Success, or an error: no harm.
    NoHarm,
}

/// The natives that rows of HTTP hold.
pub const NATIVES: &str = "capht,capio,capfs";

/// Two servers.
pub struct Rig {
    /// What rules allow.
    pub good: Server,
    /// What none allows.
    pub bad: Server,
}

impl Rig {
    /// The allowed server answers so; the forbidden one says `leaked` to everybody.
    pub fn new(answer: impl Fn(&Asked, &mut TcpStream) -> After + Send + Sync + 'static) -> Rig {
        let bad = Server::at("127.0.0.2:0", |_, stream| {
            let _ = std::io::Write::write_all(stream, &ilu_tests::server::ok("leaked"));
            After::Keep
        });
        Rig { good: Server::start(answer), bad }
    }

    /// One whose allowed server has fixed answers by path; `GOOD` and `BAD` in them are the two addresses.
    pub fn fixed(answers: &[(&str, &str)]) -> Rig {
        let bad = Server::at("127.0.0.2:0", |_, stream| {
            let _ = std::io::Write::write_all(stream, &ilu_tests::server::ok("leaked"));
            After::Keep
        });
        let forbidden = bad.addr.to_string();
        let answers: Vec<(String, String)> =
            answers.iter().map(|(path, raw)| ((*path).to_owned(), raw.replace("BAD", &forbidden))).collect();
        let good = Server::start(move |asked, stream| {
            let raw = answers.iter().find(|(path, _)| *path == asked.path).map_or(ilu_tests::server::NOT_FOUND, |(_, raw)| raw);
            let _ = std::io::Write::write_all(stream, raw.as_bytes());
            After::Keep
        });
        Rig { good, bad }
    }

    /// A script with `GOOD` and `BAD` put in, run with the allowed server granted and these rules besides.
    pub fn run(&self, rules: &[&str], script: &str) -> Ran {
        let good = self.good.addr.to_string();
        let mut flags = vec!["--net", good.as_str()];
        let rules: Vec<String> = rules.iter().map(|rule| self.fill(rule)).collect();
        for rule in &rules {
            flags.extend(["--net", rule]);
        }
        run(&flags, &[], &self.fill(script))
    }

    /// Puts the addresses in.
    pub fn fill(&self, text: &str) -> String {
        text.replace("GOOD", &self.good.addr.to_string()).replace("BAD", &self.bad.addr.to_string())
    }

    /// An attack: it ends as it must and the forbidden server saw nobody.
    pub fn attack(&self, script: &str, want: Want<'_>) {
        if lane::current() == Lane::Kernel {
            return self.attack_on_the_kernel(script, want);
        }
        let before = self.bad.connections();
        let ran = self.run(&[], script);
        tally::note(if matches!(want, Want::Deny) { Part::Refusal } else { Part::Attempt });
        check(script, &ran, want);
        assert_eq!(self.bad.connections(), before, "{}: the forbidden server was reached by: {script}", tally::current());
        assert!(!ran.out.contains("leaked"), "{}: {script}: {ran:?}", tally::current());
    }

    /// An attack that nobody but the kernel refuses: the forbidden server's port is named by no rule.
    fn attack_on_the_kernel(&self, script: &str, want: Want<'_>) {
        let before = self.bad.connections();
        let refusal = matches!(want, Want::Deny | Want::DenyOrError);
        tally::note(if refusal { Part::Refusal } else { Part::Attempt });
        let ran = self.run(&[], script);
        let held = self.bad.connections() == before && !ran.out.contains("leaked");
        assert!(held, "{}: the forbidden server was reached by: {script}: {ran:?}", tally::current());
        if !refusal {
            return;
        }
        lane::judged(held, script);
        lane::bare(|| self.run(&[], script));
        if self.bad.connections() > before {
            tally::note(Part::Twin);
            lane::succeeds_bare();
        }
    }

    /// The same where it is allowed.
    pub fn control(&self, script: &str, prints: &str) {
        tally::note(Part::Control);
        check(script, &self.run(&[], script), Want::Prints(prints));
    }

    /// The attack with the guard off: with the forbidden server granted too, it is reached.
    pub fn twin(&self, script: &str) {
        let before = self.bad.connections();
        tally::note(Part::Twin);
        let ran = self.run(&["BAD"], script);
        assert!(self.bad.connections() > before && ran.out.contains("leaked"), "{}: the twin: {script}: {ran:?}", tally::current());
    }
}

/// Runs a script with flags and variables of the environment.
pub fn run(flags: &[&str], env: &[(&str, &str)], script: &str) -> Ran {
    let mut command = Command::new(lane::binary());
    command.args(["run", "--color", "never"]).args(lane::flags());
    if !flags.contains(&"--grant") {
        command.args(["--grant", NATIVES]);
    }
    command.args(flags).arg("-").env_clear().envs(env.iter().copied());
    finish(command, script.as_bytes())
}

/// Holds an outcome against what it must be.
pub fn check(script: &str, ran: &Ran, want: Want<'_>) {
    let fits = match want {
        Want::Deny => ran.code == Some(3),
        Want::DenyOrError => matches!(ran.code, Some(1 | 3)),
        Want::Error(text) => ran.code == Some(1) && ran.err.contains(text),
        Want::Prints(text) => ran.code == Some(0) && ran.out.trim_end_matches('\n') == text,
        Want::NoHarm => matches!(ran.code, Some(0 | 1 | 3)),
    };
    // What an answer means is no business of the kernel's.
    let fits = fits || lane::current() == Lane::Kernel && !matches!(want, Want::Prints(_));
    assert!(fits, "{}: wanted {want:?}\n  script: {script}\n  got: {ran:?}", tally::current());
    assert!(!ran.err.contains("panicked"), "{}: {script}: {ran:?}", tally::current());
}
