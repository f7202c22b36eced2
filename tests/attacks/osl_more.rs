//! The OSL group, continued: what was open before, walls upon walls, other kinds of calls, limits, and less than all privileges.

use ilu_tests::command::{Ran, Scratch, binary, finish};
use ilu_tests::tally::{Part, note};
use ilu_tests::tls::{Authority, TlsServer};
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

const ACCES: &str = "Permission denied (os error 13)";
const PERM: &str = "Operation not permitted (os error 1)";

fn ilu(flags: &[&str], script: &str) -> Ran {
    let mut command = Command::new(binary());
    command.arg("run").args(flags).args(["-e", script]).env_clear();
    finish(command, b"")
}

fn layered(walls: usize, flags: &[&str], script: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-openat2"));
    command.args(["--layers", &walls.to_string()]).arg(binary()).arg("run").args(flags).args(["-e", script]).env_clear();
    finish(command, b"")
}

fn compromised(wall: &str, folder: &Path, attempt: &str, target: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_compromised"));
    command.arg(wall).arg(folder).arg(attempt).arg(target).env_clear();
    finish(command, b"")
}

/// All of FS, NET and PRC runs with `--wall off` besides (`…_doorway_alone`). Here: that the flag does take the wall away, and nothing else.
pub fn osl_002_without_the_wall_the_doorway_refuses_all_the_same() {
    let scratch = Scratch::new("osl");
    scratch.write("R/a.txt", "alpha");
    scratch.write("secret.txt", "the canary");
    let dir = format!("{}:/g", scratch.at("R").display());
    for script in ["prn __sys_read_file(\"../secret.txt\")", "prn __sys_tcp_dial(\"127.0.0.1\", 1)", "prn __os_run(\"/bin/sh\")"] {
        note(Part::Refusal);
        let ran = ilu(&["--wall", "off", "--dir", &dir], script);
        assert!(ran.code == Some(3) && !ran.out.contains("canary"), "{script}: {ran:?}");
    }
    note(Part::Control);
    assert_eq!(ilu(&["--wall", "off", "--dir", &dir], "prn __sys_read_file(\"a.txt\")").out, "alpha\n");
    // Twins: what the doorway refused is there to be had, and with the wall off nothing else is in the way.
    note(Part::Twin);
    let wider = format!("{}:/g", scratch.path().display());
    assert_eq!(ilu(&["--wall", "off", "--dir", &wider], "prn __sys_read_file(\"secret.txt\")").out, "the canary\n");
    assert_eq!(compromised("off", &scratch.at("R"), "read", scratch.at("secret.txt").to_str().unwrap()).out, "done\n");
}

pub fn osl_005_ports_are_held_whatever_is_spoken() {
    let (granted, other) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let [granted, other] = [&granted, &other].map(|listener| listener.local_addr().unwrap().to_string());
    let scratch = Scratch::new("osl");
    let rule = format!("net={granted}");
    note(Part::Control);
    assert_eq!(compromised(&rule, scratch.path(), "connect", &granted).out, "done\n");
    for attempt in ["mptcp", "fastopen"] {
        for whom in [&granted, &other] {
            note(Part::Refusal);
            let walled = compromised(&rule, scratch.path(), attempt, whom);
            assert!(walled.code == Some(0) && walled.out.contains(PERM), "{attempt}: {walled:?}");
        }
        let open = compromised("off", scratch.path(), attempt, &other);
        if open.out == "done\n" {
            note(Part::Twin);
        } else {
            println!("not applicable here: {attempt} is not spoken by this kernel: {}", open.out);
        }
    }
    note(Part::Twin);
    assert_eq!(compromised("off", scratch.path(), "connect", &other).out, "done\n");
}

/// What the descriptors of a waiting run are of, its three streams apart.
fn open_in(command: &mut Command) -> Vec<String> {
    let mut child = command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 2]).unwrap();
    // As root, and as the same user before the process says that it is not to be looked into.
    let entries = std::fs::read_dir(format!("/proc/{}/fd", child.id()));
    let open = entries.map(|entries| {
        let numbers = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(|n| n.parse::<i32>().unwrap_or(0) > 2));
        numbers.filter_map(|entry| Some(std::fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned())).collect()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    open.unwrap_or_default()
}

pub fn osl_007_nothing_that_was_open_before_is_open_behind_the_wall() {
    if !rustix::process::geteuid().is_root() {
        println!("not applicable here: only root may look at the descriptors of such a process");
        return;
    }
    let scratch = Scratch::new("osl");
    scratch.write("R/a.txt", "alpha");
    scratch.write("s/main.ilu", "prn 1\ntry(\\() __sys_stdin())\n");
    scratch.write("left-open.txt", "the canary");
    let real = std::fs::canonicalize(scratch.path()).unwrap().display().to_string();
    let run = |wall: &str| {
        // Whoever started ilu left a file open for it.
        let script = format!(
            "exec 7<{real}/left-open.txt; exec {} run --wall {wall} --dir {real}/R:/g --audit {real}/audit.jsonl --grant capio,capfs {real}/s/main.ilu",
            binary().display()
        );
        open_in(Command::new("/bin/sh").args(["-c", &script]))
    };
    note(Part::Refusal);
    let walled = run("require");
    let known = [format!("{real}/R"), format!("{real}/s"), format!("{real}/audit.jsonl")];
    let others: Vec<_> =
        walled.iter().filter(|of| !known.contains(of) && !of.starts_with("anon_inode:") && !of.starts_with("pipe:")).collect();
    assert!(others.is_empty(), "open behind the wall: {others:?}, of {walled:?}");
    note(Part::Control);
    assert!(known.iter().all(|of| walled.contains(of)), "{walled:?}");
    note(Part::Twin);
    assert!(run("off").contains(&format!("{real}/left-open.txt")));
}

pub fn osl_008_one_wall_too_many_is_an_error_and_no_open_door() {
    // Landlock takes sixteen around a process.
    note(Part::Control);
    let few = layered(3, &["--wall", "require"], "prn 1");
    if few.err.contains("no Landlock here") {
        println!("not applicable here: {}", few.err);
        return;
    }
    assert_eq!((few.code, few.out.as_str()), (Some(0), "1\n"), "{few:?}");
    for wall in ["auto", "require"] {
        note(Part::Refusal);
        let full = layered(16, &["--wall", wall], "prn 1");
        assert!(full.code == Some(5) && full.out.is_empty(), "{wall}: {full:?}");
        assert!(full.err.contains("Landlock could not be raised") || full.err.contains("could not be raised"), "{full:?}");
    }
    note(Part::Twin);
    assert_eq!(layered(16, &["--wall", "off"], "prn 1").out, "1\n");
    // A program has two more around it: the warden's and its own.
    let script = "prn __os_run(\"/bin/true\").cod";
    note(Part::Control);
    assert_eq!(layered(14, &["--run", "/bin/true"], script).out, "0\n");
    note(Part::Refusal);
    let program = layered(15, &["--run", "/bin/true"], script);
    assert!(program.code == Some(1) && program.err.contains("can't be confined here"), "{program:?}");
}

pub fn osl_010_https_works_with_the_least_that_it_needs() {
    let (authority, scratch) = (Authority::new(), Scratch::new("osl"));
    scratch.write("ca.pem", &authority.pem);
    let here = [rcgen::SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)), rcgen::SanType::DnsName("localhost".try_into().unwrap())];
    let server = TlsServer::start(authority.sign(&here, |_| {}), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfine");
    let (net, ca) = (server.addr.to_string(), scratch.at("ca.pem").display().to_string());
    for host in ["127.0.0.1", "localhost"] {
        note(Part::Control);
        let script = format!("prn __sys_http_get(\"https://{host}:{}/\", {{ms: 20000}}).txt", server.addr.port());
        let ran = ilu(&["--wall", "require", "--net", &net, "--ca", &ca, "--grant", "capht,capio"], &script);
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), "fine\n"), "{host}: {ran:?}");
    }
    // What the resolver reads, and nothing beside it.
    let rule = format!("net={net}");
    for file in ["/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf"].into_iter().filter(|file| std::fs::read(file).is_ok()) {
        note(Part::Control);
        assert_eq!(compromised(&rule, scratch.path(), "read", file).out, "done\n", "{file}");
    }
    for file in ["/etc/passwd", "/etc/group", "/etc/machine-id", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/dev/urandom"] {
        if std::fs::metadata(file).is_err() {
            continue;
        }
        let attempt = if Path::new(file).is_dir() { "list" } else { "open" };
        note(Part::Refusal);
        let ran = compromised(&rule, scratch.path(), attempt, file);
        assert!(ran.out.contains(ACCES), "{file}: {ran:?}");
        note(Part::Twin);
        assert_eq!(compromised("off", scratch.path(), attempt, file).out, "done\n", "{file}");
    }
}

/// A program of these instructions and nothing else.
fn elf(code: &[u8]) -> Vec<u8> {
    let (base, header) = (0x40_0000_u64, 120_u64);
    let size = header + code.len() as u64;
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // An executable for x86-64; it begins behind the headers.
    file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    for word in [base + header, 64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    // One segment, to be read and run.
    file.extend([1, 0, 0, 0, 5, 0, 0, 0]);
    for word in [0, base, base, size, size, 0x1000] {
        file.extend(word.to_le_bytes());
    }
    file.extend(code);
    file
}

pub fn osl_012_calls_of_another_kind_end_the_process() {
    if std::env::consts::ARCH != "x86_64" {
        println!("not applicable here: the other kinds of calls are those of x86");
        return;
    }
    // exit(0): mov eax, 60; xor edi, edi; syscall.
    const EXIT: [u8; 9] = [0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05];
    let kinds: [(&str, &[u8]); 3] = [
        // getpid: mov eax, 39; syscall.
        ("native", &[0xb8, 39, 0, 0, 0, 0x0f, 0x05]),
        // getpid of 32 bits: mov eax, 20; int 0x80.
        ("int80", &[0xb8, 20, 0, 0, 0, 0xcd, 0x80]),
        // getpid of x32: mov eax, 0x40000000 + 39; syscall.
        ("x32", &[0xb8, 39, 0, 0, 0x40, 0x0f, 0x05]),
    ];
    let scratch = Scratch::new("osl");
    for (name, code) in kinds {
        let program = scratch.write(name, elf(&[code, &EXIT].concat()));
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let program = program.to_str().unwrap();
        let confined = ilu(&["--run", program], &format!("prn __os_run({program:?}).cod"));
        if name == "native" {
            note(Part::Control);
            assert_eq!(confined.out, "0\n", "{confined:?}");
            continue;
        }
        let direct = Command::new(program).status().unwrap();
        if direct.code() != Some(0) {
            println!("not applicable here: this kernel does not answer {name}: {direct:?}");
            continue;
        }
        note(Part::Twin);
        note(Part::Refusal);
        // Ended by SIGSYS, which is 31.
        assert_eq!(confined.out, "159\n", "{name}: {confined:?}");
    }
}

pub fn osl_017_root_keeps_no_powers_that_a_run_does_not_need() {
    if !rustix::process::geteuid().is_root() {
        println!("not applicable here: who is not root has no powers to give up");
        return;
    }
    let status = |flags: &[&str]| {
        let mut command = Command::new(binary());
        command.arg("run").args(flags).args(["-e", "prn 1\ntry(\\() __sys_stdin())"]).env_clear();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0; 2]).unwrap();
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let field =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(|hex| u64::from_str_radix(hex.trim(), 16).unwrap());
        (field("CapEff:").unwrap(), field("CapPrm:").unwrap())
    };
    // Use of files whoever they belong to (1, 2, 3), and listening where only root may (10).
    let kept = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 10;
    note(Part::Attempt);
    let (effective, permitted) = status(&["--grant", "capio"]);
    assert!(effective & !kept == 0 && permitted & !kept == 0, "{effective:x} {permitted:x}");
    assert!(status(&["--grant", "capio", "--wall", "off"]).0 & !kept != 0, "root has no more than that here");
}

pub fn osl_019_each_limit_ends_in_an_error_and_stays_where_it_is() {
    let sh = |text: &str, opts: &str| format!("r = __os_run(\"/bin/sh\", [\"-c\", {text:?}], {opts})\nprn r.cod, r.out");
    let scratch = Scratch::new("osl");
    let dir = format!("{}:/g:rw", scratch.path().display());
    let flags = ["--run", "/bin/sh", "--run", "/usr/bin/head", "--run", "/usr/bin/tail", "--run", "/bin/cat", "--dir", &dir];
    let run = |text: &str, opts: &str| ilu(&flags, &sh(text, opts));
    let direct = |text: &str| {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", text]).current_dir(scratch.path());
        finish(command, b"")
    };
    // Memory: of one process by the kernel, of all together by the warden. `tail` keeps all of a line.
    let hungry = "head -c 300000000 /dev/zero | tail -n 1 | head -c 1; echo";
    note(Part::Refusal);
    let ended = run(hungry, "{mem: 67108864}");
    assert!(ended.err.contains("bytes of memory") || ended.out.ends_with(" \n\n") || ended.out == "0 \n\n", "{ended:?}");
    assert!(!ended.out.contains('\0'), "{ended:?}");
    note(Part::Control);
    assert!(run(hungry, "{}").out.contains('\0'));
    note(Part::Twin);
    assert!(direct(hungry).out.contains('\0'));
    // Files, descriptors, cores: where they are, and not to be raised again, not by root either.
    for (what, text) in [("core", "ulimit -c unlimited"), ("descriptors", "ulimit -n 2048"), ("memory", "ulimit -d unlimited")] {
        note(Part::Refusal);
        let raised = run(&format!("{text} 2>/dev/null && echo raised"), "{}");
        assert!(!raised.out.contains("raised"), "{what}: {raised:?}");
        if rustix::process::geteuid().is_root() {
            note(Part::Twin);
            assert!(direct(&format!("ulimit -S -c 0; {text} && echo raised")).out.contains("raised"), "{what}");
        }
    }
    note(Part::Control);
    assert_eq!(run("ulimit -n 100 && echo lowered", "{}").out, "0 lowered\n\n");
    // What it writes: the budget of the sandbox.
    let script = "use cap\nuse sbx\ns = sbxmk(capcat(capfs(), [\"__os_run\"]), {run: [\"/bin/sh\", \"/usr/bin/head\"], dir: {\"/g\": \"rw\"}, written: 100000})\n\
                  r = sbxrn(s, \\() __os_run(\"/bin/sh\", [\"-c\", \"head -c 1000000 /dev/zero > big; echo $?\"]))\nprn r.out";
    note(Part::Refusal);
    let big = ilu(&flags, script);
    assert!(big.code == Some(0) && big.out != "0\n\n", "{big:?}");
    assert!(std::fs::metadata(scratch.at("big")).unwrap().len() <= 100_000);
    note(Part::Control);
    assert_eq!(run("head -c 1000000 /dev/zero > big; echo $?", "{}").out, "0 0\n\n");
}

pub fn osl_020_without_privileges_it_starts_and_says_what_holds() {
    let doctor = |command: &mut Command| {
        let done = command.arg(binary()).args(["doctor", "--json"]).output().unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    let layer = |told: &serde_json::Value, words: &str| {
        let lines = told["promises"].as_array().unwrap().iter();
        let line = lines.clone().find(|line| line["promise"].as_str().unwrap().contains(words));
        line.unwrap_or_else(|| panic!("no promise about {words}: {told}"))["layer"].as_str().unwrap().to_owned()
    };
    note(Part::Attempt);
    let here = doctor(&mut Command::new("env"));
    assert!(layer(&here, "processes at a time").contains("warden"), "{here}");
    if !rustix::process::geteuid().is_root() || !Path::new("/usr/bin/setpriv").exists() {
        println!("not applicable here: only root can give up what it has for this");
        return;
    }
    // Somebody who is nobody: the same promises, and the kernel counts processes too, which it does not do for root.
    let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let as_nobody = || {
        let mut command = Command::new("/usr/bin/setpriv");
        command.args(nobody);
        command
    };
    let reachable = as_nobody().arg(binary()).arg("--version").output().is_ok_and(|done| done.status.success());
    if !reachable {
        println!("not applicable here: the command lies where nobody else may look");
        return;
    }
    note(Part::Attempt);
    let there = doctor(&mut as_nobody());
    assert_eq!(there["whole"], here["whole"], "{there}");
    assert!(layer(&there, "processes at a time").contains("rlimit") && !layer(&here, "processes at a time").contains("rlimit"));
    let mut command = as_nobody();
    command.arg(binary()).args([
        "run",
        "--wall",
        "auto",
        "--run",
        "/bin/sh",
        "-e",
        "prn __os_run(\"/bin/sh\", [\"-c\", \"ulimit -u; echo fine\"]).out",
    ]);
    note(Part::Attempt);
    let ran = finish(command, b"");
    assert!(ran.code == Some(0) && ran.out.contains("fine"), "{ran:?}");
}
