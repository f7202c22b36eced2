//! `ilu doctor`: each promise, the layer that keeps it on this machine, and what is missing. The wall is not looked up but tried, on a thread
//! that then ends.

mod limits;

use crate::args::Doctor;
use crate::exit::Exit;
use crate::terminal::Terminal;
use ilu::host::wall::{Kernel, PROMISES, Report};
use serde_json::{Value, json};
use std::fmt::Write;

/// One promise.
struct Line {
    promise: &'static str,
    layer: &'static str,
    /// The first kernel that has what is needed for it.
    linux: &'static str,
    /// Why it is not kept; nothing when it is.
    missing: Option<String>,
}

/// Runs the command. It is fine whatever it finds.
pub fn doctor(args: &Doctor, terminal: &Terminal) -> Exit {
    let kernel = Kernel::running();
    let lines = lines(&kernel);
    if args.json { terminal.print(&format!("{}\n", as_json(&kernel, &lines))) } else { terminal.print(&as_text(&kernel, &lines)) }
}

fn lines(kernel: &Kernel) -> Vec<Line> {
    const DOORWAY: &str = "language and doorway";
    const SECCOMP: &str = "seccomp";
    let always = |promise, layer| Line { promise, layer, linux: "any", missing: None };
    let gap = |lost: &str| kernel.wall.gaps.iter().find(|gap| gap.lost == lost).map(|gap| gap.why.clone());
    let filtered = |promise, linux| Line { promise, layer: SECCOMP, linux, missing: gap(ilu::host::wall::CALLS_LOST) };
    let mut lines = vec![
        always("a script calls the natives it holds, on what it was granted, and nothing else", DOORWAY),
        always("budgets end a script at its boundary, and the host lives on", DOORWAY),
        Line {
            promise: "a path stays below its grant, in one step of the kernel's",
            layer: "openat2",
            linux: "5.6",
            missing: (!kernel.openat2)
                .then(|| "the kernel refuses openat2: paths are walked part by part (cap-std), which is slower".to_owned()),
        },
    ];
    lines.extend(PROMISES.iter().map(|promise| Line {
        promise: promise.kept,
        layer: "Landlock",
        linux: promise.linux,
        missing: gap(promise.lost),
    }));
    lines.extend([
        filtered("system calls that the grants never need are refused", "3.17"),
        filtered("memory that was written is never run, and no program is started by the interpreter", "3.17"),
        filtered("tracing, loading code into the kernel and io_uring end the process", "3.17"),
        Line {
            promise: "no program that it starts has more privileges",
            layer: "no_new_privs",
            linux: "3.5",
            missing: gap(ilu::host::wall::PRIVILEGES_LOST),
        },
        Line {
            promise: "root's powers over the machine are given up, in programs too",
            layer: "capabilities",
            linux: "2.6.26",
            missing: gap(ilu::host::wall::POWERS_LOST),
        },
        always("no core dump is written, and its user's other processes can't look into it", "prctl, rlimits"),
    ]);
    lines.extend(programs(kernel));
    lines
}

/// What holds a program that a script starts.
fn programs(kernel: &Kernel) -> Vec<Line> {
    let gap = |lost: &str| kernel.wall.gaps.iter().find(|gap| gap.lost == lost).map(|gap| gap.why.clone());
    // The kernel does not count root's processes.
    let counted = match (ilu::host::wall::is_root(), ilu::host::child::counts_together()) {
        (true, true) => "the warden; a control group of 1024 for all programs",
        (true, false) => "the warden, which looks every 4 ms",
        (false, _) => "rlimit, the warden",
    };
    let files = PROMISES.first().map_or("", |promise| promise.lost);
    vec![
        Line {
            promise: "a program opens what its sandbox was granted and a fixed set, and no more",
            layer: "Landlock",
            linux: "5.13",
            missing: gap(files),
        },
        Line {
            promise: "a program has no network, but TCP to ports that are granted at every address",
            layer: "seccomp, Landlock",
            linux: "6.7",
            missing: gap(ilu::host::wall::CALLS_LOST),
        },
        Line {
            promise: "a program and all that it started end with it, with its time and with ilu",
            layer: "process group, seccomp, the warden",
            linux: "5.3",
            missing: gap(ilu::host::wall::CALLS_LOST)
                .or_else(|| (!kernel.pidfd).then(|| "the kernel has no handles of processes: programs can't be started".to_owned())),
        },
        Line { promise: "a program has at most 128 processes at a time", layer: counted, linux: "any", missing: None },
        Line {
            promise: "the memory of a program and all that it started has a bound",
            layer: "rlimit, the warden",
            linux: "4.7",
            missing: None,
        },
    ]
}

fn as_json(kernel: &Kernel, lines: &[Line]) -> Value {
    let promises: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!({"promise": line.promise, "layer": line.layer, "linux": line.linux, "kept": line.missing.is_none(), "missing": line.missing})
        })
        .collect();
    let Report { landlock, seccomp, .. } = kernel.wall;
    json!({
        "linux": ilu::host::wall::kernel_release(),
        "landlock": landlock,
        "seccomp": seccomp,
        "openat2": kernel.openat2,
        "pidfd": kernel.pidfd,
        "whole": kernel.wall.gaps.is_empty(),
        "promises": promises,
        "budgets": limits::budgets_as_json(),
        "limits": limits::limits_as_json(),
    })
}

fn as_text(kernel: &Kernel, lines: &[Line]) -> String {
    let mut text = String::new();
    let abi = kernel.wall.landlock.map_or_else(|| "none".to_owned(), |abi| format!("ABI {abi}"));
    let there = |is: bool| if is { "yes" } else { "no" };
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "Linux {}: Landlock {abi}, seccomp {}, openat2 {}, pidfd {}\n",
        ilu::host::wall::kernel_release(),
        there(kernel.wall.seccomp),
        there(kernel.openat2),
        there(kernel.pidfd)
    );
    for line in lines {
        let mark = if line.missing.is_some() { "NO " } else { "yes" };
        let _ = writeln!(text, "{mark}  {} ({}, Linux {})", line.promise, line.layer, line.linux);
        if let Some(missing) = &line.missing {
            let _ = writeln!(text, "       {missing}");
        }
    }
    let _ = match kernel.wall.gaps.is_empty() {
        true => writeln!(text, "\nAll of the second wall can be had: `--wall require` runs."),
        false => writeln!(text, "\nA part of the second wall is missing: `--wall require` refuses to run, `--wall auto` runs without it."),
    };
    text.push_str(&limits::as_text());
    text
}
