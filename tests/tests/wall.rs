//! What is granted works with all of the second wall raised.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::disallowed_types, reason = "tests")]

use ilu_tests::command::{Scratch, binary, ilu};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

/// Runs a script with all of the wall and these flags; gives what it prints.
fn walled(flags: &[&str], script: &str) -> String {
    let mut args = vec!["run", "--wall", "require"];
    args.extend(flags);
    args.extend(["-e", script]);
    let ran = ilu(&args);
    assert_eq!(ran.code, Some(0), "{script}: {ran:?}");
    ran.out
}

#[test]
fn connections_and_names_that_are_granted_are_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut word = [0; 4];
        stream.read_exact(&mut word).unwrap();
        stream.write_all(b"pong").unwrap();
        word
    });
    let script = format!("c = __sys_tcp_connect(\"127.0.0.1\", {})\n__sys_tcp_send(c, \"ping\")\nprn __sys_tcp_recv(c)", addr.port());
    let out = walled(&["--net", &addr.to_string(), "--grant", "capne,capio"], &script);
    assert_eq!(server.join().unwrap(), *b"ping");
    assert!(!out.is_empty());
}

#[test]
fn a_name_is_looked_up_as_without_the_wall() {
    // Whether the machine has a name server or not: the answer is the same.
    let look = |wall: &str| {
        let ran =
            ilu(&["run", "--wall", wall, "--net", "example.com", "--grant", "capdn,capio", "-e", "prn typ(__sys_dns(\"example.com\"))"]);
        (ran.code, ran.out, ran.err)
    };
    assert_eq!(look("require"), look("off"));
}

#[test]
fn a_listener_that_is_granted_listens() {
    // A port that nobody has: the system chose it a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let script = format!("l = __sys_tcp_listen(\"127.0.0.1\", {port})\nprn __sys_tcp_accept(l, 10)");
    assert_eq!(walled(&["--net", &format!("127.0.0.1:{port}"), "--grant", "capsv,capio"], &script), "nil\n");
}

#[test]
fn files_modules_audit_and_report_work() {
    let scratch = Scratch::new("wall");
    scratch.write("s/helper.ilu", "twice(x) = x * 2\n");
    let script = scratch.write("s/main.ilu", "use \"helper.ilu\"\nuse fs\nfs.wr(\"/out/a\", str(twice(21)))\nprn fs.rd(\"/out/a\")\n");
    scratch.write("out/x", "");
    let (audit, report) = (scratch.at("audit.jsonl"), scratch.at("report.html"));
    let dir = format!("{}:/out:rw", scratch.at("out").display());
    let mut args =
        vec!["run", "--wall", "require", "--dir", &dir, "--audit", audit.to_str().unwrap(), "--report", report.to_str().unwrap()];
    args.push(script.to_str().unwrap());
    let ran = ilu(&args);
    assert!(scratch.read("audit.jsonl").contains("__sys_write_file"), "{ran:?}");
    assert!(scratch.read("report.html").contains("<html"), "{ran:?}");
}

#[test]
fn a_signal_from_the_terminal_ends_a_run() {
    // Whoever started this test may have it ignored, and what is started inherits that.
    let mut command = Command::new("env");
    command.arg("--default-signal=INT").arg(binary());
    command.args(["run", "--wall", "require", "-e", "prn 1\nwhl tru:\n  __sys_sleep(10)\n"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 2]).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    assert!(!child.wait().unwrap().success());
}

/// A file of tests that writes where nothing was granted when the doorway is asked, and one that loads a module beside it.
#[test]
fn tests_run_behind_the_wall_with_their_grants_and_modules() {
    let scratch = Scratch::new("wall");
    scratch.write("s/helper.ilu", "twice(x) = x * 2\n");
    scratch.write(
        "s/a_test.ilu",
        "use \"helper.ilu\"\nuse tst\nuse fs\ntest_one() = tst.eq(twice(21), 42)\ntest_two() = tst.eq(fs.rd(\"/in/x\"), \"x\")\n",
    );
    scratch.write("t/b_test.ilu", "use tst\ntest_three() = tst.eq(1, 1)\n");
    scratch.write("in/x", "x");
    let dir = format!("{}:/in", scratch.at("in").display());
    let (s, t) = (scratch.at("s").display().to_string(), scratch.at("t").display().to_string());
    let ran = ilu(&["test", "--wall", "require", "--dir", &dir, &s, &t]);
    assert!(ran.code == Some(0) && ran.out.contains("3 tests passed"), "{ran:?}");
    // The kernel says that it stands: while a test waits, its process has a filter of calls.
    let status = |wall: &str| {
        scratch.write("w/w_test.ilu", "test_wait() = __sys_sleep(60000)\n");
        let mut command = Command::new(binary());
        command.args(["test", "--wall", wall, "--grant", "captm", scratch.at("w").to_str().unwrap()]).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let mut seccomp = String::new();
        // With the wall off it is never raised: then the wait for it is short.
        while seccomp != "2" && std::time::Instant::now() < end && (wall != "off" || seccomp.is_empty()) {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            seccomp = status.lines().find_map(|line| line.strip_prefix("Seccomp:")).unwrap().trim().to_owned();
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        seccomp
    };
    assert_eq!(status("auto"), "2");
    assert_eq!(status("off"), "0");
}

#[test]
fn what_the_wall_around_programs_lacks_is_told_or_refused() {
    let without_landlock = |flags: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_with-openat2"));
        command.args(["ENOSYS", "--landlock"]).arg(binary()).arg("run").args(flags);
        command.args(["--run", "/bin/true", "-e", "prn __os_run(\"/bin/true\").cod"]).env_clear();
        ilu_tests::command::finish(command, b"")
    };
    let auto = without_landlock(&["--json"]);
    assert!(auto.code == Some(0) && auto.out == "0\n" && auto.err.contains("this kernel has no Landlock"), "{auto:?}");
    let required = without_landlock(&["--wall", "require"]);
    assert!(required.code == Some(5) && required.out.is_empty(), "{required:?}");
    let here = ilu(&["run", "--wall", "require", "--run", "/bin/true", "-e", "prn __os_run(\"/bin/true\").cod"]);
    assert_eq!((here.code, here.out.as_str()), (Some(0), "0\n"), "{here:?}");
}
