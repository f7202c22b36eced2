//! The PRC group, continued: ways out that a program could try for itself, the ports it may have, and the memory it may not.

use crate::lane;
use ilu_pol::net::special;
use ilu_tests::command::{Ran, Scratch, finish, ilu};
use ilu_tests::tally::{Part, note};
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

const PYTHON: &str = "/usr/bin/python3";

fn run(flags: &[&str], script: &str) -> Ran {
    let mut args = vec!["run"];
    args.extend(lane::flags());
    args.extend(flags);
    args.extend(["-e", script]);
    ilu(&args)
}

/// Is there a Python to try things with?
fn has_python() -> bool {
    let there = Path::new(PYTHON).exists();
    if !there {
        println!("not applicable here: there is no {PYTHON}");
    }
    there
}

/// Each prints its name when it came through.
const WAYS: &str = r#"
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def way(name, f):
    try:
        r = f()
        if not (isinstance(r, int) and r < 0): print(name, flush=True)
    except BaseException: pass
parent = os.getppid()
def memfd():
    n = os.memfd_create("x")
    os.write(n, open("/bin/true", "rb").read())
    return os.spawnv(os.P_WAIT, "/proc/self/fd/%d" % n, ["x"])
def double():
    p = os.fork()
    if p == 0:
        try: os.setsid(); os._exit(0)
        except OSError: os._exit(1)
    return 0 if os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) == 0 else -1
def group():
    p = os.fork()
    if p == 0:
        try: os.setpgid(0, 0); os._exit(0)
        except OSError: os._exit(1)
    return 0 if os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) == 0 else -1
def child_of(call, *args):
    p = os.fork()
    if p == 0: os._exit(0 if libc.syscall(call, *args) >= 0 else 1)
    return 0 if os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) == 0 else -1
way("setsid", double)
way("setpgid", group)
way("kill parent", lambda: os.kill(parent, 0))
way("pidfd of the parent", lambda: os.pidfd_open(parent))
way("memory of the parent", lambda: open("/proc/%d/mem" % parent, "rb") and 0)
way("environment of the parent", lambda: open("/proc/%d/environ" % parent, "rb").read() and 0)
way("descriptors of the parent", lambda: os.listdir("/proc/%d/fd" % parent) and 0)
way("own descriptors", lambda: os.listdir("/proc/self/fd") and 0)
way("memfd", lambda: os.memfd_create("x"))
way("memfd exec", memfd)
way("ptrace", lambda: child_of(101, 0, 0, 0, 0))
way("subreaper", lambda: libc.prctl(36, 1, 0, 0, 0))
way("no death signal", lambda: libc.prctl(1, 0, 0, 0, 0))
way("user namespace", lambda: child_of(272, 0x10000000))
way("abstract socket", lambda: __import__("socket").socket(1, 1).bind("\0ilu-abstract") or 0)
way("a terminal", lambda: os.open("/dev/ptmx", os.O_RDWR))
way("shared memory", lambda: open("/dev/shm/ilu-%d" % os.getpid(), "w") and os.unlink("/dev/shm/ilu-%d" % os.getpid()) or 0)
way("io_uring", lambda: child_of(425, 1, ctypes.create_string_buffer(120)))
way("a file of the machine", lambda: open("/etc/passwd").read() and 0)
way("raise a limit", lambda: __import__("resource").setrlimit(7, (1025, 1025)) or 0)
"#;

pub fn prc_017_prc_021_prc_027_ways_out_that_a_program_could_try() {
    if !has_python() {
        return;
    }
    let scratch = Scratch::new("prc");
    let file = scratch.write("ways.py", WAYS);
    let dir = format!("{}:/g", scratch.path().display());
    note(Part::Refusal);
    let flags = ["--run", PYTHON, "--dir", &dir];
    let ran = run(&flags, &format!("r = __os_run({PYTHON:?}, [\"-I\", \"ways.py\"])\nprn r.cod\nprn r.out\nprn r.er"));
    assert!(ran.code == Some(0) && ran.out.trim() == "0", "something came through: {ran:?}");
    note(Part::Twin);
    let mut command = Command::new(PYTHON);
    command.arg("-I").arg(&file);
    let open = finish(command, b"").out;
    // What no user may do anywhere is not among these.
    for way in [
        "setsid",
        "setpgid",
        "kill parent",
        "memfd",
        "ptrace",
        "subreaper",
        "no death signal",
        "own descriptors",
        "abstract socket",
        "a file of the machine",
    ] {
        assert!(open.lines().any(|line| line == way), "{way} is no attack here: {open}");
    }
    note(Part::Control);
    let fine = "import os; p = os.fork(); os._exit(0) if p == 0 else print(os.waitpid(p, 0)[1] == 0)";
    assert_eq!(run(&flags, &format!("prn __os_run({PYTHON:?}, [\"-I\", \"-c\", {fine:?}]).out")).out, "True\n\n");
}

/// Rules that allow a port at every address there is, the special ones too.
fn everywhere(port: u16) -> Vec<String> {
    let v4 = special::V4.iter().map(|(first, prefix, _)| format!("{first}/{prefix}:{port}"));
    let v6 = special::V6.iter().map(|(first, prefix, _)| format!("[{first}/{prefix}]:{port}"));
    let all = [format!("0.0.0.0/0:{port}"), format!("[::/0]:{port}")];
    all.into_iter().chain(v4).chain(v6).flat_map(|rule| ["--net".to_owned(), rule]).collect()
}

pub fn prc_019_a_program_has_the_ports_that_are_granted_at_every_address() {
    if !has_python() {
        return;
    }
    let listener = |words: &'static str| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let _ = stream.and_then(|mut stream| stream.write_all(words.as_bytes()));
            }
        });
        port
    };
    let (granted, other) = (listener("granted"), listener("other"));
    let ask = |port: u16| {
        let code = format!("import socket\nprint(socket.create_connection(('127.0.0.1', {port}), 10).recv(20).decode())");
        format!("r = __os_run({PYTHON:?}, [\"-I\", \"-c\", {code:?}])\nprn r.out, r.er, r.note")
    };
    let rules = everywhere(granted);
    let mut flags = vec!["--run", PYTHON];
    flags.extend(rules.iter().map(String::as_str));
    note(Part::Control);
    let reached = run(&flags, &ask(granted));
    assert!(reached.out.contains("granted"), "{reached:?}");
    note(Part::Refusal);
    let refused = run(&flags, &ask(other));
    assert!(refused.out.contains("Permission denied") && !refused.out.contains("other"), "{refused:?}");
    // A rule about one address is none that the kernel can be told: no network, and the script hears why.
    let (one, name) = (format!("127.0.0.1:{granted}"), "example.com:443".to_owned());
    for rule in [&one, &name] {
        note(Part::Refusal);
        let none = run(&["--run", PYTHON, "--net", rule], &ask(granted));
        assert!(none.out.contains("not permitted") && none.out.contains("the program had no network"), "{rule}: {none:?}");
    }
    // Nor does a sandbox that may not connect give a program what it has not itself.
    let mut narrow = flags.clone();
    narrow.extend(["--grant", "__os_run,capio"]);
    note(Part::Refusal);
    assert!(run(&narrow, &ask(granted)).out.contains("not permitted"));
    note(Part::Twin);
    let mut command = Command::new(PYTHON);
    command.args(["-I", "-c", &format!("import socket; print(socket.create_connection(('127.0.0.1', {other}), 10).recv(20).decode())")]);
    assert_eq!(finish(command, b"").out, "other\n");
}

pub fn prc_025_the_memory_of_a_program_and_all_it_starts_has_a_bound() {
    if !has_python() {
        return;
    }
    let program = |code: &str, mem: u64| {
        run(&["--run", PYTHON], &format!("r = __os_run({PYTHON:?}, [\"-I\", \"-c\", {code:?}], {{mem: {mem}}})\nprn r.out, r.er"))
    };
    // One process: the kernel says no. Several, or memory that is shared: the warden ends them.
    let alone = "x = bytearray(400 << 20); print('had it')";
    let several = "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n        x = bytearray(60 << 20)\n        time.sleep(20)\n        os._exit(0)\nos.wait()\nprint('had it')";
    let shared =
        "import mmap, time\nm = mmap.mmap(-1, 400 << 20)\nfor i in range(0, len(m), 4096): m[i] = 1\ntime.sleep(2)\nprint('had it')";
    for (code, says) in [(alone, "MemoryError"), (several, "bytes of memory"), (shared, "bytes of memory")] {
        note(Part::Refusal);
        let ran = program(code, 160 << 20);
        assert!(!ran.out.contains("had it") && (ran.out.contains(says) || ran.err.contains(says)), "{code}: {ran:?}");
    }
    note(Part::Control);
    assert!(program(alone, 1 << 30).out.contains("had it"));
    note(Part::Twin);
    let mut command = Command::new(PYTHON);
    command.args(["-I", "-c", shared]);
    assert_eq!(finish(command, b"").out, "had it\n");
}

/// The numbers of processes with this in their command line.
fn running(mark: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let has = |entry: &std::fs::DirEntry| {
        std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(mark))
    };
    entries.filter(has).filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

pub fn prc_025_programs_of_root_are_counted_by_the_kernel_where_it_lets_them() {
    if !rustix::process::geteuid().is_root() {
        println!("not applicable here: for others than root there is a limit of the user's own");
        return;
    }
    let doctor = ilu(&["doctor"]).out;
    if !doctor.contains("a control group of 1024") {
        println!("not applicable here: root can make no control group that counts processes");
        return;
    }
    let mut command = Command::new(ilu_tests::command::binary());
    command.args(["run", "--run", "/bin/sleep", "-e", "prn __os_run(\"/bin/sleep\", [\"33025\"])"]);
    let mut child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let mark = "/bin/sleep\x0033025";
    let number = loop {
        assert!(std::time::Instant::now() < end, "it does not start");
        // The command's own line has it too, in another form; so has the helper's none.
        if let Some(number) = running(mark).into_iter().next() {
            break number;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    let groups = std::fs::read_to_string(format!("/proc/{number}/cgroup")).unwrap();
    let line = groups.lines().find(|line| line.contains("/ilu-")).unwrap_or_else(|| panic!("in no group: {groups}"));
    let path = line.rsplit(':').next().unwrap();
    let places = [format!("/sys/fs/cgroup/pids{path}"), format!("/sys/fs/cgroup{path}")];
    let place = places.iter().find(|place| Path::new(place).join("pids.max").exists()).unwrap();
    note(Part::Attempt);
    assert_eq!(std::fs::read_to_string(format!("{place}/pids.max")).unwrap().trim(), "1024");
    let inside = std::fs::read_to_string(format!("{place}/cgroup.procs")).unwrap();
    assert!(inside.lines().any(|line| line == number), "{inside}");
    // It goes with the run, however that ends.
    child.kill().unwrap();
    child.wait().unwrap();
    while Path::new(place).exists() {
        assert!(std::time::Instant::now() < end, "{place} is left");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
