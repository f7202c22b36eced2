//! `soak SECONDS`: one process, one engine, texts of every kind again and again: what runs, what is denied, what a budget ends, what breaks off, what
//! does not compile. Prints, after a tenth of the time and at its end, how many runs there were, and how many descriptors, threads and kibibytes the
//! process holds; ends with 1 when it holds more at the end.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used, reason = "a program for tests")]

use ilu_sbx::{Grants, Limits};
use ilu_tests::inside::{run_text, tries_to_compile};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const TEXTS: [&str; 10] = [
    "prn [1, 2, 3] | map \\(x) x + 1",
    "use sbx\ns = sbxmk([])\ni <- 0..<50: sbxtr(s, \\() __sys_time())",
    "use sbx\ni <- 0..<200: sbxtr(sbxmk([], {fuel: 100}), \\()\n  whl tru: nil\n)",
    "whl tru: nil",
    "s = \"x\"\nwhl tru: s += s",
    "f() = f() + 1\nf()",
    "nil()",
    "__sys_read_file(\"/etc/passwd\")",
    "use jsn\nxs = 0..<2000\nprn len(jsn.dec(jsn.enc(xs)))",
    "a = [nil]\ni <- 0..<3000:\n  b = [a]\n  b[0] = b",
];

/// Descriptors, threads, kibibytes.
#[derive(Debug)]
struct Held([u64; 3]);

fn held() -> Held {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let number = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).expect("Linux tells it");
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
    Held([descriptors as u64, number("Threads:"), number("VmRSS:")])
}

fn main() -> ExitCode {
    let seconds: f64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1.0);
    let whole = Duration::from_secs_f64(seconds);
    let start = Instant::now();
    let (mut runs, mut early) = (0, None);
    while start.elapsed() < whole {
        for text in TEXTS {
            let limits = Limits { fuel: 30_000, memory: 2 << 20, ..Limits::default() };
            let caps = ilu_cap::parse_list("capio,captm").unwrap();
            drop(run_text(text, Grants { caps, limits, ..Grants::default() }, |_| {}));
            runs += 1;
        }
        assert!(!tries_to_compile("1 +"), "it is no program");
        if early.is_none() && start.elapsed() > whole / 10 {
            early = Some(held());
            println!("early: {runs} runs, {early:?}");
        }
    }
    let late = held();
    println!("late: {runs} runs, {late:?}");
    let Some(Held(early)) = early else { return ExitCode::FAILURE };
    let Held(late) = late;
    // Descriptors and threads are the same; memory has room for what the allocator keeps back.
    let flat = late[0] <= early[0] && late[1] <= early[1] && late[2] <= early[2] + 8 * 1024;
    if flat { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
