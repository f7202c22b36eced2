//! The PRC group: programs that scripts start. What a program can't do is shown with a program that can: the twin runs the same one directly.

use crate::lane;
use ilu_tests::command::{Ran, Scratch, binary, finish, ilu};
use ilu_tests::tally::{Part, note};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SH: &str = "/bin/sh";
const PYTHON: &str = "/usr/bin/python3";

/// Four mebibytes of text.
const LONG: &str = "s = \"x\"\ni = 0\nwhl i < 22:\n  s = s + s\n  i += 1\n";

/// A script that runs `sh -c` with this text and prints a field of the result.
fn shell(text: &str, field: &str) -> String {
    format!("prn __os_run({SH:?}, [\"-c\", {text:?}]){field}")
}

fn run(flags: &[&str], script: &str) -> Ran {
    let mut args = vec!["run"];
    args.extend(lane::flags());
    args.extend(flags);
    args.extend(["-e", script]);
    ilu(&args)
}

fn with_shell(flags: &[&str], text: &str) -> Ran {
    let mut all = vec!["--run", SH];
    all.extend(flags);
    run(&all, &shell(text, ".out"))
}

/// The same program, started by nobody but us.
fn directly(text: &str) -> String {
    note(Part::Twin);
    let mut command = Command::new(SH);
    command.args(["-c", text]);
    finish(command, b"").out
}

fn denied(flags: &[&str], script: &str) {
    note(Part::Refusal);
    let ran = run(flags, script);
    assert_eq!(ran.code, Some(3), "{flags:?} {script}: {ran:?}");
}

fn fails(flags: &[&str], script: &str, words: &str) {
    note(Part::Attempt);
    let ran = run(flags, script);
    assert!(ran.code == Some(1) && ran.err.contains(words), "{flags:?} {script}: {ran:?}");
}

fn prints(flags: &[&str], script: &str, out: &str) {
    note(Part::Control);
    let ran = run(flags, script);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), out), "{flags:?} {script}: {ran:?}");
}

pub fn prc_001_without_the_native_nothing_is_started() {
    for call in ["__os_run(\"/bin/sh\")", "__sys_run_command(\"/bin/sh\")", "__sys_exec(\"/bin/sh\")", "(\"/bin/sh\" | __os_run)"] {
        denied(&["--grant", "capio"], &format!("prn {call}"));
    }
    denied(&["--grant", "capio"], "use os\nprn os.run(\"/bin/sh\")");
    prints(&["--run", SH], &shell("echo hi", ".out"), "hi\n\n");
    note(Part::Twin);
    assert_eq!(run(&["--run", SH, "--grant", "capio,__os_run"], &shell("exit 3", ".cod")).out, "3\n");
}

pub fn prc_002_prc_011_a_program_is_its_granted_name_and_nothing_like_it() {
    let names =
        ["/tmp/sort", "./sort", "../bin/sort", "sort/../sh", "SORT", "sort ", "/bin/sort", "/proc/self/exe", "/dev/fd/3", "/bin/sh"];
    for name in names {
        denied(&["--run", "/usr/bin/sort"], &format!("prn __os_run({name:?})"));
    }
    fails(&["--run", "/usr/bin/sort"], "prn __os_run(\"/usr/bin/sort\\0\")", "no name of a program");
    fails(&["--run", "/usr/bin/sort"], "prn __os_run(\"\")", "no name of a program");
    prints(&["--run", "/usr/bin/sort"], "prn __os_run(\"/usr/bin/sort\", [], {in: \"b\\na\\n\"}).out", "a\nb\n\n");
    note(Part::Twin);
    assert_eq!(run(&["--run", "/bin/sort"], "prn __os_run(\"/bin/sort\").cod").out, "0\n");
    // A sandbox inside has what it was given, and no more than its maker.
    denied(&["--run", SH], &format!("use sbx\nsb = sbxmk([\"__os_run\"], {{run: []}})\nsbxrn(sb, \\() __os_run({SH:?}))"));
    fails(&["--run", SH], "use sbx\nsbxmk([\"__os_run\"], {run: [\"git\"]})", "does not hold run \"git\"");
    prints(
        &["--run", SH],
        &format!("use sbx\nsb = sbxmk([\"__os_run\"], {{run: [{SH:?}]}})\nprn sbxrn(sb, \\() __os_run({SH:?}).cod)"),
        "0\n",
    );
}

pub fn prc_003_the_file_is_the_one_of_the_grant_whatever_path_says() {
    let scratch = Scratch::new("prc");
    let bad = scratch.write("R/sort", "#!/bin/sh\necho evil\n");
    make_executable(&bad);
    let mut command = Command::new(binary());
    command.args(["run", "--run", "sort", "--dir"]).arg(scratch.at("R")).args(["--env", &format!("PATH={}", scratch.at("R").display())]);
    command.args(["-e", "prn __os_run(\"sort\", [], {in: \"x\\n\"}).out"]).env_clear().env("PATH", "/usr/bin");
    note(Part::Attempt);
    assert_eq!(finish(command, b"").out, "x\n\n");
    // A name that is in no directory of PATH, a directory, and what can't be run are refused before anything starts.
    for none in ["no-such-program", "/usr/bin", "/etc/passwd", "/nowhere/x"] {
        let ran = run(&["--run", none], "prn 1");
        assert!(ran.code == Some(2) && ran.out.is_empty(), "{none}: {ran:?}");
    }
}

fn make_executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

pub fn prc_005_what_may_be_written_is_never_run() {
    let scratch = Scratch::new("prc");
    let tool = scratch.write("R/tool", "#!/bin/sh\necho ran\n");
    make_executable(&tool);
    let (tool, dir) = (tool.to_str().unwrap(), scratch.at("R"));
    let (rw, ro) = (format!("{}:/g:rw", dir.display()), format!("{}:/g:ro", dir.display()));
    note(Part::Refusal);
    assert_eq!(run(&["--run", tool, "--dir", &rw], "prn 1").code, Some(2));
    // Nor by a program: what it can write it can't start.
    note(Part::Refusal);
    assert_eq!(with_shell(&["--dir", &rw], "./tool; echo $?").out, "126\n\n");
    prints(&["--run", tool, "--run", SH, "--dir", &ro], &format!("prn __os_run({tool:?}).out"), "ran\n\n");
    assert_eq!(directly(tool), "ran\n");
}

pub fn prc_006_prc_019_a_program_is_confined_to_the_sandbox_that_starts_it() {
    let scratch = Scratch::new("prc");
    scratch.write("R/a.txt", "alpha");
    let secret = scratch.write("outside/secret.txt", "canary");
    let rw = format!("{}:/g:rw", scratch.at("R").display());
    let ro = format!("{}:/g:ro", scratch.at("R").display());
    for text in [
        format!("cat {} && echo LEAK", secret.display()),
        "cat /etc/passwd > /dev/null && echo LEAK".to_owned(),
        format!("echo x > {} && echo LEAK", scratch.at("outside/new").display()),
        format!("echo x > /tmp/ilu-prc-{} && echo LEAK", std::process::id()),
        "ls /proc/$PPID > /dev/null && echo LEAK".to_owned(),
    ] {
        note(Part::Refusal);
        let ran = run(&["--run", SH, "--run", "/bin/cat", "--run", "/bin/ls", "--dir", &rw], &shell(&text, ".out"));
        assert!(ran.code == Some(0) && !ran.out.contains("LEAK"), "{text}: {ran:?}");
        assert!(directly(&text).contains("LEAK"), "{text} does nothing");
    }
    let _ = std::fs::remove_file(format!("/tmp/ilu-prc-{}", std::process::id()));
    assert!(!with_shell(&["--dir", &ro], "echo x > a.txt && echo LEAK").out.contains("LEAK"));
    prints(&["--run", SH, "--dir", &rw], &shell("echo new > b.txt; read x < a.txt; echo $x", ".out"), "alpha\n\n");
    assert_eq!(scratch.read("R/b.txt"), "new\n");
    // The sandbox's own directories, not the run's.
    let inside = format!("use sbx\nsb = sbxmk([\"__os_run\", \"__sys_stdout\"], {{dir: {{}}, run: [{SH:?}]}})\n");
    let ran = run(
        &["--run", SH, "--dir", &rw],
        &format!(
            "{inside}prn sbxrn(sb, \\() __os_run({SH:?}, [\"-c\", \"read x < {}; echo got $x\"]).out)",
            scratch.at("R/a.txt").display()
        ),
    );
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "got\n\n"), "{ran:?}");
    network_and_privileges();
}

/// No socket of any kind, and no new privileges.
fn network_and_privileges() {
    if !Path::new(PYTHON).exists() {
        return;
    }
    for (family, kind) in [
        ("AF_INET", "SOCK_STREAM"),
        ("AF_INET", "SOCK_DGRAM"),
        ("AF_INET6", "SOCK_STREAM"),
        ("AF_UNIX", "SOCK_STREAM"),
        ("AF_NETLINK", "SOCK_RAW"),
    ] {
        let code = format!("import socket\nsocket.socket(socket.{family}, socket.{kind})\nprint('LEAK')");
        note(Part::Refusal);
        let ran = run(&["--run", PYTHON], &format!("prn __os_run({PYTHON:?}, [\"-c\", {code:?}])"));
        assert!(ran.code == Some(0) && !ran.out.contains("LEAK\\n") && ran.out.contains("not permitted"), "{family}: {ran:?}");
    }
    note(Part::Control);
    let code = "import ctypes; print(ctypes.CDLL(None).prctl(39, 0, 0, 0, 0))";
    assert_eq!(run(&["--run", PYTHON], &format!("prn __os_run({PYTHON:?}, [\"-c\", {code:?}]).out")).out, "1\n\n");
}

pub fn prc_007_arguments_come_as_they_are() {
    let odd = ["a b", "\"'", ";", "$(id)", "`id`", "\n", "*", "-n", "&& id", "\\"];
    let list: Vec<String> = odd.iter().map(|arg| format!("{arg:?}")).collect();
    let expected: String = odd.iter().map(|arg| format!("<{arg}>")).collect();
    note(Part::Attempt);
    let script = format!("prn __os_run(\"/usr/bin/printf\", [\"<%s>\", {}]).out", list.join(", "));
    assert_eq!(run(&["--run", "/usr/bin/printf"], &script).out, format!("{expected}\n"));
}

pub fn prc_008_prc_009_what_is_no_list_of_arguments_is_an_error() {
    for bad in ["[[\"a\"]]", "[1]", "[nil]"] {
        fails(&["--run", SH], &format!("prn __os_run({SH:?}, {bad})"), "a list of str");
    }
    for bad in ["\"-c id\"", "{a: 1}", "7"] {
        fails(&["--run", SH], &format!("prn __os_run({SH:?}, {bad})"), "args is lst");
    }
    fails(&["--run", SH], &format!("prn __os_run({SH:?}, [\"a\\0b\"])"), "zero byte");
    fails(&["--run", SH], &format!("{LONG}prn __os_run({SH:?}, [s])"), "at most 131072");
    let many = vec!["\"aaaa\""; 12_000].join(", ");
    fails(&["--run", SH], &format!("prn __os_run({SH:?}, [{many}])"), "at most 131072");
    fails(&["--run", SH], &format!("prn __os_run({SH:?}, [], {{shell: tru}})"), "no option");
}

pub fn prc_012_prc_013_the_environment_is_what_was_granted() {
    let printenv = "/usr/bin/env";
    let mut command = Command::new(binary());
    command.args(["run", "--run", printenv, "-e", &format!("prn __os_run({printenv:?})")]).env_clear().env("SECRET_CANARY", "canary");
    note(Part::Refusal);
    assert_eq!(finish(command, b"").out.split(", ms").next(), Some("{cod: 0, out: \"\", er: \"\""));
    prints(
        &["--run", printenv, "--env", "A=1", "--env", "B=2"],
        &format!("prn __os_run({printenv:?}, [], {{env: [\"B\"]}}).out"),
        "B=2\n\n",
    );
    for name in
        ["LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GCONV_PATH", "BASH_ENV", "PYTHONPATH", "PERL5OPT", "GIT_SSH_COMMAND", "PAGER", "IFS"]
    {
        denied(&["--run", printenv, "--env", "A=1"], &format!("prn __os_run({printenv:?}, [], {{env: [{name:?}]}})"));
    }
    fails(&["--run", printenv], &format!("prn __os_run({printenv:?}, [], {{env: {{LD_PRELOAD: \"/x.so\"}}}})"), "list of names");
    note(Part::Twin);
    let mut command = Command::new(printenv);
    command.env_clear().env("SECRET_CANARY", "canary");
    assert!(finish(command, b"").out.contains("canary"));
}

pub fn prc_017_a_program_has_three_descriptors() {
    let look = "for i in 3 4 5 6 7 8 9; do (: <&$i) 2>/dev/null && echo open $i; done; echo looked";
    // Somebody left one open for ilu itself, and all that it starts.
    let outer = format!("exec 5</etc/hostname; {} run --run {SH} -e \"$0\"", binary().display());
    note(Part::Refusal);
    let mut command = Command::new(SH);
    command.args(["-c", &outer, &shell(look, ".out")]);
    assert_eq!(finish(command, b"").out, "looked\n\n");
    note(Part::Control);
    assert_eq!(with_shell(&[], "echo out; echo err >&2; read x && echo in").out, "out\n\n");
    assert_eq!(directly(&format!("exec 5</etc/hostname; {look}")), "open 5\nlooked\n");
}

pub fn prc_018_a_program_runs_in_a_granted_directory() {
    let scratch = Scratch::new("prc");
    scratch.write("R/d/x", "");
    scratch.write("outside/x", "");
    std::os::unix::fs::symlink("../outside", scratch.at("R/out")).unwrap();
    let dir = format!("{}:/g", scratch.at("R").display());
    let at = |cwd: &str| format!("prn __os_run({SH:?}, [\"-c\", \"pwd -P\"], {{cwd: {cwd:?}}}).out");
    for cwd in ["/", "/tmp", "/g/..", "..", "/g/out", "/g/d/../.."] {
        denied(&["--run", SH, "--dir", &dir], &at(cwd));
    }
    fails(&["--run", SH, "--dir", &dir], &at("/g\0"), "");
    fails(&["--run", SH, "--dir", &dir], &at("/g/d/x"), "not a directory");
    let real = std::fs::canonicalize(scratch.at("R")).unwrap();
    prints(&["--run", SH, "--dir", &dir], &at("/g/d"), &format!("{}/d\n\n", real.display()));
    prints(&["--run", SH, "--dir", &dir], &shell("pwd -P", ".out"), &format!("{}\n\n", real.display()));
    prints(&["--run", SH], &shell("pwd -P", ".out"), "/\n\n");
    assert!(!directly("cd /tmp && pwd -P").is_empty());
}

pub fn prc_021_prc_023_no_signal_leaves_and_no_terminal_is_there() {
    for text in ["kill -0 $PPID && echo LEAK", "kill -0 1 && echo LEAK", "echo x > /dev/tty && echo LEAK", "read x && echo LEAK"] {
        note(Part::Refusal);
        let ran = with_shell(&[], text);
        assert!(ran.code == Some(0) && !ran.out.contains("LEAK"), "{text}: {ran:?}");
    }
    prints(&["--run", SH], &shell("kill -0 $$ && echo own", ".out"), "own\n\n");
    assert_eq!(directly("kill -0 $PPID && echo LEAK"), "LEAK\n");
}

pub fn prc_025_a_program_that_multiplies_is_ended() {
    // Some at a time are fine, and one after the other as many as it likes.
    prints(&["--run", SH], &shell("i=0; while [ $i -lt 50 ]; do (:) & i=$((i+1)); done; wait; echo fine", ".out"), "fine\n\n");
    prints(&["--run", "/bin/true"], "n = 0\nwhl n < 300:\n  n += 1 - __os_run(\"/bin/true\").cod\nprn n", "300\n");
    // Many at a time, but not without end: a bomb that is let go must not take the machine with it.
    let crowd = "i=0; while [ $i -lt 400 ]; do sleep 3 & i=$((i+1)); done; wait; echo fine";
    note(Part::Refusal);
    let ran = run(&["--run", SH, "--run", "/bin/sleep"], &shell(crowd, ".out"));
    assert!(ran.code == Some(1) && ran.err.contains("more than 128 processes"), "{ran:?}");
    note(Part::Twin);
    assert_eq!(directly(crowd), "fine\n");
}

/// Are there processes with this in their command line?
fn survivors(mark: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let line =
        |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).ok().map(|line| String::from_utf8_lossy(&line).into_owned());
    entries.filter_map(line).filter(|line| line.contains(mark)).count()
}

fn nothing_is_left(mark: &str) {
    let end = Instant::now() + Duration::from_secs(5);
    while survivors(mark) > 0 {
        assert!(Instant::now() < end, "{mark}: {} processes are left", survivors(mark));
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn prc_026_all_of_a_program_ends_with_its_time() {
    let tries = [
        ("31071", "sleep 31071"),
        ("31072", "trap '' TERM INT HUP; sleep 31072"),
        ("31073", "sleep 31073 & kill -STOP $$"),
        ("31074", "(trap '' HUP; sleep 31074 & sleep 31074) & wait"),
    ];
    for (mark, text) in tries {
        note(Part::Refusal);
        let began = Instant::now();
        let ran = run(&["--run", SH, "--run", "/bin/sleep", "--time", "1s"], &shell(text, ""));
        assert!(ran.code == Some(4) && began.elapsed() < Duration::from_secs(10), "{text}: {ran:?}");
        nothing_is_left(mark);
    }
    // Its own time, which the script may catch; and the program that goes and leaves others behind.
    fails(
        &["--run", SH, "--run", "/bin/sleep"],
        &format!("prn __os_run({SH:?}, [\"-c\", \"sleep 31075\"], {{ms: 200}})"),
        "did not end within 200 ms",
    );
    prints(&["--run", SH, "--run", "/bin/sleep"], &shell("sleep 31076 > /dev/null 2>&1 & echo gone", ".out"), "gone\n\n");
    nothing_is_left("31075");
    nothing_is_left("31076");
    note(Part::Twin);
    let mut left = Command::new("/bin/sleep").arg("31077").spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(5);
    while survivors("31077") == 0 {
        assert!(Instant::now() < end, "a process that is there is not seen");
        std::thread::sleep(Duration::from_millis(20));
    }
    left.kill().unwrap();
    left.wait().unwrap();
}

pub fn prc_027_no_program_outlives_its_run() {
    for how in [rustix::process::Signal::KILL, rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        let mark = format!("3208{}", how.as_raw());
        // Whoever started this test may have the interrupt ignored, and what is started inherits that.
        let mut command = Command::new("env");
        let text = format!("sleep {mark} & sleep {mark}");
        command.arg("--default-signal=INT").arg(binary()).args(["run", "--run", SH, "--run", "/bin/sleep", "-e", &shell(&text, "")]);
        note(Part::Attempt);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while survivors(&format!("sleep\0{mark}")) < 2 {
            assert!(Instant::now() < end, "it does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), how).unwrap();
        child.wait().unwrap();
        nothing_is_left(&format!("sleep\0{mark}"));
    }
}

pub fn prc_028_prc_029_prc_030_outputs_and_input_of_any_size_and_kind() {
    for text in ["yes", "yes >&2", "while :; do echo a; echo b >&2; done"] {
        note(Part::Refusal);
        let ran = run(&["--run", SH, "--run", "/usr/bin/yes", "--mem", "16M"], &shell(text, ""));
        assert!(ran.code == Some(1) && ran.err.contains("wrote more than 1048576 bytes"), "{text}: {ran:?}");
    }
    note(Part::Twin);
    assert_eq!(directly("yes | head -c 2000000 | wc -c"), "2000000\n");
    let long = |program: &str, args: &str| format!("{LONG}prn len(__os_run({program:?}, {args}, {{in: s, max: 5000000}}).out)");
    // One that reads nothing, one that stops early, one that reads all.
    prints(&["--run", "/bin/true"], &long("/bin/true", "[]"), "0\n");
    prints(&["--run", "/usr/bin/head"], &long("/usr/bin/head", "[\"-c\", \"10\"]"), "10\n");
    prints(&["--run", "/bin/cat"], &long("/bin/cat", "[]"), "4194304\n");
    prints(&["--run", "/usr/bin/printf"], "prn __os_run(\"/usr/bin/printf\", [\"a\\\\377b\\\\0\"]).out == \"a\\u{fffd}b\\0\"", "tru\n");
    prints(&["--run", "/usr/bin/printf"], "prn len(__os_run(\"/usr/bin/printf\", [\"a\\\\377b\"], {bytes: tru}).out)", "3\n");
}

/// Programs that people use, as far as they are here.
pub fn prc_031_programs_work_where_their_grants_allow_it() {
    let scratch = Scratch::new("prc");
    scratch.write("repo/a.c", "#include <stddef.h>\nint main(void) { return 7; }\n");
    let dir = format!("{}:/g:rw", scratch.at("repo").display());
    if Path::new("/usr/bin/git").exists() {
        let mut init = Command::new("/usr/bin/git");
        init.args(["-C", scratch.at("repo").to_str().unwrap(), "init", "-q"]);
        assert!(init.status().unwrap().success());
        let git = |args: &str| format!("prn __os_run(\"/usr/bin/git\", {args})");
        let flags = ["--run", "/usr/bin/git", "--dir", &dir, "--env", "GIT_CONFIG_NOSYSTEM=1"];
        let commit = "[\"-c\", \"user.name=a\", \"-c\", \"user.email=b\", \"commit\", \"-q\", \"--allow-empty\", \"-m\", \"first\"]";
        note(Part::Control);
        assert!(run(&flags, &git(commit)).out.starts_with("{cod: 0,"), "{:?}", run(&flags, &git(commit)));
        let log = run(&flags, &git("[\"log\", \"--oneline\"]"));
        assert!(log.out.starts_with("{cod: 0,") && log.out.contains("first"), "{log:?}");
    }
    if Path::new(PYTHON).exists() {
        prints(&["--run", PYTHON], &format!("prn __os_run({PYTHON:?}, [\"-c\", \"print(6 * 7)\"]).out"), "42\n\n");
    }
    prints(&["--run", "/bin/ls", "--dir", &dir], "prn __os_run(\"/bin/ls\", []).out", "a.c\n\n");
    prints(&["--run", "/usr/bin/sort", "--dir", &dir], "prn len(__os_run(\"/usr/bin/sort\", [\"a.c\"]).out)", "49\n");
    if Path::new("/usr/bin/cc").exists() {
        let script = "prn __os_run(\"/usr/bin/cc\", [\"-o\", \"a.out\", \"a.c\"])";
        let flags = [
            "--run",
            "/usr/bin/cc",
            "--run",
            "/usr/bin/as",
            "--run",
            "/usr/bin/ld",
            "--dir",
            &dir,
            "--dir",
            "/usr/include",
            "--env",
            "TMPDIR=.",
            "--env",
            "PATH=/usr/bin",
        ];
        note(Part::Control);
        let ran = run(&flags, script);
        assert!(ran.out.starts_with("{cod: 0,") && scratch.at("repo/a.out").exists(), "{ran:?}");
    }
}
