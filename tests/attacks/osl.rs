//! The OSL group: the second wall alone, around a process whose first layer is gone.
//!
//! `compromised` raises the wall as a run does and then asks the kernel directly: what a script could do when interpreter, doorway and
//! natives were all broken. Each attempt is made with the wall and must fail, and without it and must succeed.
use ilu_tests::command::{Ran, Scratch, binary, finish};
use ilu_tests::tally::{Part, note};
use std::net::TcpListener;
use std::process::Command;

/// Runs the process that has been taken over.
fn compromised(wall: &str, folder: &Scratch, attempt: &str, target: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_compromised"));
    command.arg(wall).arg(folder.at("R")).arg(attempt).arg(target).env_clear();
    finish(command, b"")
}

fn tree() -> Scratch {
    let tree = Scratch::new("osl");
    tree.write("R/a.txt", "alpha");
    tree.write("outside/secret.txt", "the canary");
    tree
}

/// Fails under the wall and succeeds without it.
fn is_walled(attempt: &str, target: &str) -> Ran {
    let tree = tree();
    let target = target.replace("$OUT", tree.at("outside").to_str().unwrap());
    note(Part::Refusal);
    let walled = compromised("on", &tree, attempt, &target);
    assert_ne!(walled.out, "done\n", "{attempt}: {walled:?}");
    assert_eq!(tree.read("outside/secret.txt"), "the canary", "{attempt}");
    note(Part::Twin);
    let open = compromised("off", &tree, attempt, &target);
    assert_eq!(open.out, "done\n", "{attempt} is no attack here: it fails without the wall too: {open:?}");
    walled
}

/// Answered with an error, and the process goes on.
fn is_refused(attempt: &str, target: &str, words: &str) {
    let walled = is_walled(attempt, target);
    assert!(walled.code == Some(0) && walled.out.contains(words), "{attempt}: {walled:?}");
}

/// Ends the process: no code, a signal.
fn is_killed(attempt: &str) {
    let walled = is_walled(attempt, "");
    assert_eq!(walled.code, None, "{attempt}: {walled:?}");
}

const ACCES: &str = "Permission denied (os error 13)";
const PERM: &str = "Operation not permitted (os error 1)";

pub fn osl_001_files_outside_the_grants_stay_shut_when_the_doorway_is_gone() {
    for (attempt, target) in [
        ("read", "$OUT/secret.txt"),
        ("read", "/etc/passwd"),
        ("write", "$OUT/new.txt"),
        ("write", "$OUT/secret.txt"),
        ("list", "$OUT"),
        ("truncate", "$OUT/secret.txt"),
        ("remove", "$OUT/secret.txt"),
    ] {
        is_refused(attempt, target, ACCES);
    }
    works();
}

/// What is granted works under the wall.
fn works() {
    let tree = tree();
    let inside = |name: &str| tree.at(name).to_str().unwrap().to_owned();
    for (attempt, target) in [("read", "R/a.txt"), ("list", "R"), ("write", "R/new.txt"), ("truncate", "R/a.txt"), ("remove", "R/a.txt")] {
        note(Part::Control);
        let ran = compromised("on", &tree, attempt, &inside(target));
        assert_eq!(ran.out, "done\n", "{attempt} {target}: {ran:?}");
    }
    assert_eq!(tree.read("R/new.txt"), "gone");
}

pub fn osl_001_no_connection_no_program_no_signal() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    is_refused("connect", &listener.local_addr().unwrap().to_string(), PERM);
    is_refused("bind", "", PERM);
    is_refused("execute", "/bin/true", PERM);
    is_refused("signal", &std::process::id().to_string(), PERM);
}

pub fn osl_005_landlock_shuts_the_ports_that_no_rule_names() {
    let (granted, other) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let [granted, other] = [granted, other].map(|listener| (listener.local_addr().unwrap().to_string(), listener));
    let tree = tree();
    let rule = format!("net={}", granted.0);
    note(Part::Control);
    assert_eq!(compromised(&rule, &tree, "connect", &granted.0).out, "done\n");
    note(Part::Refusal);
    let refused = compromised(&rule, &tree, "connect", &other.0);
    assert!(refused.out.contains(ACCES), "{refused:?}");
    note(Part::Twin);
    assert_eq!(compromised("off", &tree, "connect", &other.0).out, "done\n");
    // Nothing is listened on where only connecting is granted.
    note(Part::Refusal);
    assert!(compromised(&rule, &tree, "bind", "").out.contains(ACCES));
}

pub fn osl_011_calls_that_no_grant_needs_are_refused() {
    for attempt in ["udp", "unix", "memfd", "limits"] {
        is_refused(attempt, "", PERM);
    }
    works();
}

pub fn osl_011_osl_015_calls_that_no_honest_run_makes_end_the_process() {
    for attempt in ["ptrace", "io_uring"] {
        is_killed(attempt);
    }
    // Who may not load modules is refused by the kernel without the wall too.
    if rustix::process::geteuid().is_root() {
        is_killed("module");
    }
    works();
}

pub fn osl_006_threads_are_held_whenever_they_were_started() {
    is_refused("thread", "/etc/passwd", ACCES);
    let walled = is_walled("older", "/bin/true");
    assert!(walled.out.contains("the older thread could not"), "{walled:?}");
    works();
}

pub fn osl_016_a_panic_is_told_under_the_wall() {
    for wall in ["on", "off"] {
        note(Part::Attempt);
        let ran = compromised(wall, &tree(), "panic", "");
        assert_eq!(ran.out, "done\n", "{ran:?}");
        assert!(ran.err.contains("attempt to divide by zero"), "{ran:?}");
    }
}

/// What the kernel says of a running script.
fn status_of(flags: &[&str]) -> (String, String) {
    let mut command = Command::new(binary());
    command.arg("run").args(flags).args(["-e", "prn 1\ntry(\\() __sys_stdin())"]).env_clear();
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = [0; 2];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap();
    let told = (read("status"), read("limits"));
    child.kill().unwrap();
    child.wait().unwrap();
    told
}

pub fn osl_017_the_kernel_says_that_the_wall_stands() {
    let field = |status: &str, name: &str| status.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned())).unwrap();
    note(Part::Attempt);
    let (status, limits) = status_of(&["--grant", "capio,captm"]);
    assert_eq!(field(&status, "NoNewPrivs:"), "1");
    assert_eq!(field(&status, "Seccomp:"), "2");
    assert_eq!(field(&status, "Seccomp_filters:"), "1");
    let core: Vec<&str> = limits.lines().find(|line| line.starts_with("Max core")).unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "{limits}");
    let (status, _) = status_of(&["--grant", "capio,captm", "--wall", "off"]);
    assert_eq!((field(&status, "NoNewPrivs:"), field(&status, "Seccomp:")), ("0".to_owned(), "0".to_owned()));
}

pub fn osl_004_a_kernel_without_landlock_is_told_of_and_refused_when_all_is_required() {
    let run = |flags: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_with-openat2"));
        command.args(["ENOSYS", "--landlock"]).arg(binary()).arg("run").args(flags).args(["-e", "prn 1"]).env_clear();
        finish(command, b"")
    };
    note(Part::Attempt);
    let auto = run(&["--json"]);
    assert_eq!((auto.code, auto.out.as_str()), (Some(0), "1\n"), "{auto:?}");
    assert!(auto.err.contains(r#""landlock":null,"seccomp":true"#) && auto.err.contains("this kernel has no Landlock"), "{auto:?}");
    let required = run(&["--wall", "require"]);
    assert_eq!((required.code, required.out.as_str()), (Some(5), ""), "{required:?}");
    assert!(required.err.contains("this kernel has no Landlock"), "{required:?}");
    let required = run(&["--wall", "require", "--json"]);
    assert!(required.code == Some(5) && required.err.contains(r#""kind":"wall""#), "{required:?}");
    assert_eq!(run(&["--wall", "off"]).code, Some(0));
    // The control: with Landlock there, all of it is had.
    let whole = ilu_tests::command::ilu(&["run", "--wall", "require", "--json", "-e", "prn 1"]);
    assert!(whole.code == Some(0) && whole.err.contains(r#""missing":[]"#), "{whole:?}");
}
