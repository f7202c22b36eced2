//! AGT-O: what a script writes, and what is told about it: floods, terminals, logs, secrets.

use ilu_tests::command::{Scratch, binary, ilu};
use ilu_tests::tally::{Part, note};
use ilu_tests::terminal::on_terminal;
use ilu_tests::watched::{Row, check_all};
use serde_json::Value;
use std::process::Command;

pub fn agt_001_a_flood_ends_at_its_bound() {
    const FLAGS: &[&str] = &["--out", "256K", "--fuel", "100000000000", "--grant", "capio,capob"];
    // What they wrote hides the message: of a stream the start is kept.
    let flood = |script: &'static str| Row::new(script, script, 4, "").flags(FLAGS).within(20_000);
    let bounded = "use txt\nline = txt.rpt(\"x\", 1000)\ni <- 0..<2000: prn line";
    check_all(&[
        Row::new("control: within the bound", "prn \"ok\"", 0, "ok").flags(FLAGS),
        flood("whl tru: prn \"a line of text\""),
        flood("whl tru: prn \"\""),
        flood("whl tru: eprn \"a line of text\""),
        flood("s = \"x\"\ni <- 0..<24: s += s\nprn s"),
        flood("s = \"x\"\ni <- 0..<24: s += s\nwhl tru: __sys_stderr(s)"),
        flood("use enc\ns = enc.uhx(\"00ff\")\nwhl tru: __sys_stdout(s)"),
        Row::new("two megabytes", bounded, 4, "output").flags(FLAGS),
        Row::new("twin: two megabytes with room for them", bounded, 0, "xxx").flags(&["--out", "4M"]),
        // Rows of a log are no output: the log is bounded by its rows, the run by its fuel.
        Row::new("log rows", "whl tru: __obs_log(\"info\", \"a line of text\")", 4, "fuel")
            .flags(&["--fuel", "2000000", "--grant", "capob"])
            .within(20_000),
    ]);
}

/// What a terminal would obey, as escapes of the language.
const COMMANDS: [&str; 16] = [
    "\\x1b[2J",
    "\\x1b[1A\\x1b[2Kforged",
    "\\x1b]0;title\\x07",
    "\\x1b]8;;http://evil.test\\x1b\\\\link\\x1b]8;;\\x1b\\\\",
    "\\x1b]52;c;ZXZpbA==\\x07",
    "\\x1bPq#0\\x1b\\\\",
    "\\x1b[c",
    "\\x1b[6n",
    "\\x1b[>0q",
    "\\x07",
    "\\x08\\x08\\x08",
    "\\rforged",
    "\\u{9b}2J",
    "\\x1b[?1049h",
    "\\x1bc",
    "\\u{202e}txt.exe",
];

/// Whether a terminal that is sent this does anything but show it.
fn obeyed(sent: &[u8]) -> bool {
    let text = String::from_utf8_lossy(sent);
    text.chars().any(|c| c != '\n' && c != '\t' && (c.is_control() || c == '\u{202e}'))
}

pub fn agt_002_a_terminal_is_sent_text_and_no_commands() {
    let plain = on_terminal(&["run", "--color", "never", "-e", "prn \"grüße\", [1]\neprn \"tab\\there\""]);
    assert_eq!((plain.0, String::from_utf8(plain.1).unwrap().as_str()), (Some(0), "grüße [1]\ntab\there\n"));
    note(Part::Control);
    for command in COMMANDS {
        for writes in ["prn", "eprn", "__sys_stdout", "err"] {
            let script = format!("{writes}(\"a{command}b\")");
            let (code, sent) = on_terminal(&["run", "--color", "never", "-e", &script]);
            assert!(matches!(code, Some(0 | 1)) && !sent.is_empty() && !obeyed(&sent), "{script}: {:?}", String::from_utf8_lossy(&sent));
            note(Part::Refusal);
        }
        // Asked for, the terminal gets the script's own bytes; and so does what is no terminal.
        let script = format!("prn(\"a{command}b\")");
        assert!(obeyed(&on_terminal(&["run", "--raw", "-e", &script]).1), "{script}");
        assert!(obeyed(ilu(&["run", "-e", &script]).out.as_bytes()), "{script}");
        note(Part::Twin);
    }
    let halves = "__sys_stdout(b\"\\xc2\")\n__sys_stdout(b\"\\x9b2J\")";
    let (code, sent) = on_terminal(&["run", "-e", halves]);
    assert!(code == Some(0) && !obeyed(&sent) && String::from_utf8(sent).is_ok(), "a command in two writes");
    note(Part::Refusal);
}

/// Texts that want to be more than one row of a record, or another's.
const FORGED: [&str; 9] = [
    "two\\nlines",
    "2026-01-01T00:00:00Z ERROR forged",
    "a\\\", \\\"verdict\\\": \\\"allowed",
    "{\\\"seq\\\": 1, \\\"verdict\\\": \\\"denied\\\"}",
    "a\\u{2028}b\\u{2029}c",
    "\\x1b[2J\\x07",
    "\\u{202e}desrever",
    "a\\0b",
    "a\\r\\nb",
];

pub fn agt_004_one_event_is_one_row_whatever_it_says() {
    let scratch = Scratch::new("log");
    let rows: String = FORGED
        .iter()
        .map(|text| format!("__obs_log(\"{text}\", \"{text}\", {{\"{text}\": \"{text}\", seq: 9, verdict: \"denied\"}})\n"))
        .collect();
    let big = "use txt\nbig = txt.rpt(\"x\", 1048576)\n__obs_log(big, big, {k: big})\n";
    let script = format!("{rows}{big}prn len(sbxlg(sbxme()))").replacen("use txt", "use txt\nuse sbx", 1);
    let file = scratch.at("audit.jsonl").display().to_string();
    let ran = ilu(&["run", "--audit", &file, "--grant", "capob,capio", "-e", &script]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    note(Part::Attempt);
    let record = scratch.read("audit.jsonl");
    let events: Vec<Value> = record.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let logged: Vec<&Value> = events.iter().filter(|event| event["native"] == "__obs_log").collect();
    assert_eq!(logged.len(), FORGED.len() + 1, "an event for each call and none else");
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], at + 1, "no row chose its number: {event}");
        assert!(event["native"].is_null() || event["verdict"] == "allowed", "no row chose its verdict: {event}");
    }
    let raw = record.chars().filter(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202e}')).count();
    assert_eq!(raw, record.lines().count(), "no character of a row ends a line but its last");
    assert!(record.lines().all(|line| line.len() < 32 << 10), "a mebibyte is cut");
    let whole = ilu(&["audit", "verify", &file]);
    assert_eq!(whole.code, Some(0), "{}", whole.err);
    note(Part::Control);
}

pub fn agt_005_a_million_denials_are_counted_and_the_first_is_kept() {
    let script = "use sbx\nask() = __sys_random(1)\ntry(\\() __sys_getenv(\"FIRST\"))\ni <- 0..<200000: try(ask)\nprn sbxug(sbxme()).denied, len(sbxlg(sbxme())) < 2000";
    let json = |grant: &str| {
        let ran = ilu(&["run", "--json", "--grant", grant, "-e", script]);
        (ran.out, serde_json::from_str::<Value>(ran.err.lines().last().unwrap()).unwrap())
    };
    let (out, told) = json("capio");
    assert_eq!(out, "200001 tru\n");
    let denials = told["denials"].as_array().unwrap();
    assert_eq!(denials.len(), 2, "each kind once");
    assert_eq!((&denials[0]["native"], &denials[0]["times"]), (&Value::from("__sys_getenv"), &Value::from(1)), "{denials:?}");
    assert_eq!(
        (&denials[1]["native"], &denials[1]["times"], &denials[1]["line"]),
        (&Value::from("__sys_random"), &Value::from(200_000), &Value::from(2))
    );
    note(Part::Refusal);
    let (out, told) = json("capio,caprn,cappr");
    assert!(out.starts_with("1 tru") && told["denials"].as_array().unwrap().len() == 1, "{out} {told}");
    note(Part::Twin);
    // As many kinds as a script can think of: the first 256, the others counted.
    let kinds = "i <- 0..<3000: try(\\() __sys_getenv($\"V{i}\"))";
    let ran = ilu(&["run", "--json", "--grant", "cappr", "-e", kinds]);
    let told: Value = serde_json::from_str(ran.err.lines().last().unwrap()).unwrap();
    assert_eq!((told["denials"].as_array().unwrap().len(), &told["denials_left_out"]), (256, &Value::from(3000 - 256)));
    note(Part::Refusal);
    let ran = ilu(&["run", "--json", "--grant", "cappr", "--env", "V0=x", "-e", "prn __sys_getenv(\"V0\")"]);
    assert_eq!(ran.code, Some(3), "what it prints with is not granted");
    let ran = ilu(&["run", "--grant", "cappr,capio", "--env", "V0=x", "-e", "prn __sys_getenv(\"V0\")"]);
    assert_eq!(ran.out, "x\n");
    note(Part::Control);
}

/// What the process around a run knows and no message may show.
const SECRET: &str = "s3cr3t-9d2e";
const USER: &str = "zaphod-user";
const HOST: &str = "heartofgold-host";

/// Runs a script file in a folder with a telling name, in an environment that is full of secrets; gives the exit code and all that was said.
fn among_secrets(scratch: &Scratch, flags: &[&str], script: &str) -> (Option<i32>, String) {
    scratch.write(&format!("{USER}/job.ilu"), script);
    let mut command = Command::new(binary());
    command.current_dir(scratch.at(USER)).arg("run").args(["--color", "never"]).args(flags).arg("job.ilu").env_clear();
    let home = scratch.at(USER).display().to_string();
    command.envs([("HOME", home.as_str()), ("USER", USER), ("LOGNAME", USER), ("HOSTNAME", HOST), ("TOKEN", SECRET), ("PATH", "/usr/bin")]);
    let done = ilu_tests::command::finish(command, b"");
    (done.code, done.out + &done.err)
}

pub fn agt_007_no_message_tells_where_or_for_whom_it_runs() {
    let scratch = Scratch::new("leak");
    scratch.write(&format!("{USER}/in/a.txt"), "alpha");
    scratch.write(&format!("{USER}/in/m.ilu"), "err(\"in a module\")");
    scratch.write(&format!("{USER}/lib.ilu"), "f() = nil()\n");
    let dir: &[&str] = &["--dir", "in:/in:rw", "--grant", "capio,capfs,capfm,cappr,captm"];
    let here = scratch.path().display().to_string();
    let cases: &[(&str, &str, Option<i32>)] = &[
        ("does not compile", "prn nobody", Some(2)),
        ("does not parse", "prn (", Some(2)),
        ("raises", "err({a: 1})", Some(1)),
        ("in a function", "f(x) = x()\nf(nil)", Some(1)),
        ("of a native", "__sys_read_file(\"/in/none\")", Some(1)),
        ("of a native with a long path", "use txt\n__sys_read_file(\"/in/\" + txt.rpt(\"a/\", 3000))", Some(1)),
        ("denied", "__sys_read_file(\"/etc/passwd\")", Some(3)),
        ("denied above", "__sys_read_file(\"../job.ilu\")", Some(3)),
        ("denied a variable", "__sys_getenv(\"TOKEN\")", Some(3)),
        ("fuel", "whl tru: nil", Some(4)),
        ("depth", "f() = f() + 1\nf()", Some(4)),
        ("a module that is not there", "use \"none.ilu\"", Some(1)),
        ("a module that fails", "use \"lib.ilu\" as m\nm.f()", Some(1)),
        ("a module in a sandbox", "use sbx\nsbxus(sbxme(), \"/in/m.ilu\")", Some(1)),
        ("a file in a sandbox", "use sbx\nsbxld(sbxme(), \"/in/none.ilu\")", Some(1)),
        ("what is listed", "prn __sys_read_dir(\"/in\"), __sys_stat(\"/in/a.txt\").kind, __sys_argv()", Some(0)),
        ("written over a directory", "__sys_mkdir(\"/in/d\")\n__sys_write_file(\"/in/d\", \"x\")", Some(1)),
        ("renamed across", "__sys_rename(\"/in/a.txt\", \"/in/a.txt/b\")", Some(1)),
        ("its exit code", "use os\nos.exit(9)", Some(9)),
        ("values of the language", "use sbx\nprn str(len), str(sbxme()), str(\\(x) x), str(__sys_time)", Some(0)),
    ];
    for (name, script, code) in cases {
        let flags: Vec<&str> = [dir, &["--fuel", "3000000"]].concat();
        let (ended, said) = among_secrets(&scratch, &flags, script);
        assert_eq!(ended, *code, "{name}: {said}");
        for secret in [here.as_str(), USER, HOST, SECRET] {
            assert!(!said.contains(secret), "{name} shows {secret}: {said}");
        }
        note(if matches!(code, Some(3 | 4)) { Part::Refusal } else { Part::Attempt });
    }
    let (_, said) = among_secrets(&scratch, &["--env", "TOKEN", "--grant", "capio,cappr"], "prn __sys_getenv(\"TOKEN\")");
    assert_eq!(said, format!("{SECRET}\n"), "granted, the value is the script's");
    note(Part::Twin);
    let (_, said) = among_secrets(&scratch, dir, "prn __sys_read_file(\"/in/a.txt\")");
    assert_eq!(said, "alpha\n");
    note(Part::Control);
}

pub fn agt_008_nothing_around_a_run_makes_it_tell_more() {
    let scripts = ["nil()", "__sys_read_file(\"/etc/passwd\")", "whl tru: nil", "prn nobody", "prn 1"];
    for script in scripts {
        let run = |loud: bool| {
            let mut command = Command::new(binary());
            command.args(["run", "--color", "never", "--fuel", "100000", "-e", script]).env_clear();
            if loud {
                let debug = [
                    ("RUST_BACKTRACE", "full"),
                    ("RUST_LOG", "trace"),
                    ("ILU_DEBUG", "1"),
                    ("ILU_TRACE", "1"),
                    ("DEBUG", "*"),
                    ("RUST_LIB_BACKTRACE", "1"),
                ];
                command.envs(debug).env("MALLOC_CONF", "stats_print:true").env("ILU_GRANT", "capall");
            }
            let done = ilu_tests::command::finish(command, b"");
            (done.code, done.out, done.err)
        };
        assert_eq!(run(false), run(true), "{script}");
        note(Part::Attempt);
    }
    // The script has nothing to turn such a thing on with: no native or builtin is called so.
    for name in ["debug", "trace", "profile", "dump", "abort", "panic", "backtrace", "loglevel"] {
        let ran = ilu(&["run", "--color", "never", "-e", &format!("{name}()")]);
        assert_eq!(ran.code, Some(2), "{name}: {}", ran.err);
        assert!(ilu_cap::NATIVES.iter().all(|native| !native.name.contains(name)), "{name}");
        note(Part::Attempt);
    }
    note(Part::Control);
}
