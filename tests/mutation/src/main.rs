//! Takes each permission check away in turn and sees whether a test notices.
//!
//! A copy of the tree is rewritten so that every check asks a switch first whether it is the one that is off ([`sites`] finds the checks by
//! syntax, [`rewrite`] puts the switches in), built once ([`scratch`]), and its tests are run once per check ([`suite`]): those that reach the
//! check, the quickest first, until one fails. A check that no test misses is a survivor; [`report`] lists them. Nothing here touches the
//! tree itself.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a tool for developers that copies, builds and runs; when it can't, it says so and stops"
)]

mod report;
mod rewrite;
mod scope;
mod scratch;
mod sites;
mod suite;

use std::path::PathBuf;

/// What to do, from the command line.
struct Options {
    /// Where the copy lies.
    scratch: PathBuf,
    /// Where cargo builds it.
    target: PathBuf,
    /// Only checks in files whose path contains one of these.
    only: Vec<String>,
    /// Only these checks.
    numbers: Vec<u32>,
    /// Only find the checks.
    list: bool,
    /// Keep the verdicts of an earlier run with the same checks.
    resume: bool,
    /// Seconds of tests that one check gets at most.
    patience: f64,
    /// Only tests of these programs; what they miss is told, what the others would have missed stays open.
    programs: Vec<String>,
    /// How many checks are judged at a time. More than one takes the right to mount.
    lanes: usize,
}

const USAGE: &str = "usage: ilu-mutation [--scratch DIR] [--target DIR] [--only PATH-PART]… [--number N]… [--list] [--resume] [--patience SECONDS] [--lanes N] [--program NAME]…";

fn options() -> Options {
    let root = scratch::repository();
    let mut options = Options {
        scratch: root.join("target/mutation/tree"),
        target: root.join("target/mutation/build"),
        only: Vec::new(),
        numbers: Vec::new(),
        list: false,
        resume: false,
        patience: 25.0,
        programs: Vec::new(),
        lanes: 1,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().unwrap_or_else(|| panic!("{arg} needs a value\n{USAGE}"));
        match arg.as_str() {
            "--scratch" => options.scratch = value().into(),
            "--target" => options.target = value().into(),
            "--only" => options.only.push(value()),
            "--number" => options.numbers.push(value().parse().expect("--number takes a number")),
            "--patience" => options.patience = value().parse().expect("--patience takes seconds"),
            "--lanes" => options.lanes = value().parse::<usize>().expect("--lanes takes a number").max(1),
            "--program" => options.programs.push(value()),
            "--list" => options.list = true,
            "--resume" => options.resume = true,
            _ => panic!("unknown argument {arg}\n{USAGE}"),
        }
    }
    options
}

fn main() {
    let options = options();
    let files = scope::files(&scratch::repository());
    let mut checks = sites::find(&files);
    checks.retain(|check| options.only.is_empty() || options.only.iter().any(|part| check.file.contains(part.as_str())));
    println!("{} checks in {} files", checks.len(), files.len());
    if options.list {
        for check in &checks {
            println!("{check}");
        }
        return;
    }
    scratch::copy(&options.scratch);
    let (mut built, left) = scratch::build(&options.scratch, &options.target, &files, checks);
    println!("{} checks can be switched off, {} can't without breaking the build", left.checks.len(), left.dropped);
    built.retain(|program| options.programs.is_empty() || options.programs.contains(&program.name));
    let suite = suite::Suite::new(&options.scratch, built, &left.checks, &options);
    let verdicts = suite.judge_all(&left.checks, &options);
    report::write(&options.scratch, &verdicts, left.dropped);
}
