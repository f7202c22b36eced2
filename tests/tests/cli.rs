//! The command line as a contract: every flag, every exit code, and how messages read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the command"
)]

use ilu_tests::command::{Ran, Scratch, binary, finish, ilu, ilu_in};
use insta::assert_snapshot;
use std::process::{Command, Stdio};

/// Runs text with these flags.
fn text(flags: &[&str], program: &str) -> Ran {
    let mut args = vec!["run"];
    args.extend(flags);
    args.extend(["-e", program]);
    ilu(&args)
}

/// Standard error of a run, with the exit code in front of it.
fn told(ran: &Ran) -> String {
    assert_eq!(ran.out, "");
    format!("exit {:?}\n{}", ran.code, ran.err)
}

// ---- exit codes

#[test]
fn exit_codes_are_what_the_contract_says() {
    for (flags, program, code) in [
        (&[][..], "1 + 1", 0),
        (&[], "err(\"no\")", 1),
        (&[], "[1][2]", 1),
        (&[], "x = = 1", 2),
        (&[], "prn nope", 2),
        (&["--no-such-flag"], "1", 2),
        (&[], "use fs\nfsrd(\"/etc/passwd\")", 3),
        (&["--fuel", "1000"], "whl tru: 1", 4),
        (&["--time", "50ms"], "whl tru: 1", 4),
        (&["--mem", "1M"], "s = \"x\"\nwhl tru: s = s + s", 4),
        (&["--depth", "50"], "f(n) = f(n + 1) + 1\nf(0)", 4),
        (&["--out", "100"], "whl tru: prn \"0123456789\"", 4),
        (&[], "use os\nos.exit(7)\nprn 1", 7),
        (&[], "use os\nos.exit(0)\nerr(1)", 0),
        (&[], "try(\\() err(\"no\"))", 0),
        (&[], "use fs\ntry(\\() fsrd(\"/etc/passwd\"))", 0),
    ] {
        let ran = text(flags, program);
        assert_eq!(ran.code, Some(code), "{flags:?} {program:?}\n{}{}", ran.out, ran.err);
    }
}

#[test]
fn a_denial_that_is_caught_and_raised_again_is_still_a_denial() {
    let ran = text(&[], "use fs\nr = try(\\() fsrd(\"/etc/passwd\"))\nerr(r.err)");
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    // and a text that only looks like one is not
    assert_eq!(text(&[], "err(\"denied: __sys_read_file\")").code, Some(1));
}

// ---- where the script comes from

#[test]
fn a_script_comes_from_a_file_standard_input_or_the_command_line() {
    let scratch = Scratch::new("cli");
    scratch.write("a.ilu", "prn \"file\"");
    for args in [&["run", "a.ilu"][..], &["a.ilu"], &["--color", "never", "a.ilu"]] {
        let ran = ilu_in(scratch.path(), args, b"");
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), "file\n"), "{args:?}\n{}", ran.err);
    }
    let ran = ilu_in(scratch.path(), &["run", "-"], b"prn \"input\"");
    assert_eq!(ran.out, "input\n", "{}", ran.err);
    let ran = ilu_in(scratch.path(), &["-"], b"prn \"input\"");
    assert_eq!(ran.out, "input\n", "{}", ran.err);
    // A pipe has a name, too, and lies in no folder.
    let ran = ilu_in(scratch.path(), &["/dev/stdin"], b"prn \"pipe\"");
    assert_eq!(ran.out, "pipe\n", "{}", ran.err);
    assert_eq!(text(&[], "prn \"text\"").out, "text\n");
    assert_eq!(ilu(&["-e", "prn \"text\""]).out, "text\n");
}

#[test]
fn arguments_after_two_dashes_reach_the_script() {
    let ran = ilu(&["-e", "use os\nprn os.argv()", "--", "a b", "--fuel", "-", ""]);
    assert_eq!(ran.out, "[\"a b\", \"--fuel\", \"-\", \"\"]\n", "{}", ran.err);
    assert_eq!(ilu(&["-e", "use os\nprn os.argv()"]).out, "[]\n");
}

#[test]
fn sources_that_cannot_be_read_are_usage_errors() {
    let scratch = Scratch::new("cli");
    scratch.write("bytes.ilu", b"prn 1\nprn \"\xff\"");
    scratch.write("nul.ilu", b"prn 1\0");
    for (args, says) in [
        (&["missing.ilu"][..], "missing.ilu"),
        (&["."], "."),
        (&["bytes.ilu"], "UTF-8"),
        (&["nul.ilu"], "NUL"),
        (&["run"], "FILE"),
        (&["run", "a.ilu", "b.ilu"], "b.ilu"),
    ] {
        let ran = ilu_in(scratch.path(), args, b"");
        assert_eq!(ran.code, Some(2), "{args:?}\n{}{}", ran.out, ran.err);
        assert!(ran.err.contains(says), "{args:?}\n{}", ran.err);
    }
}

// ---- grants

#[test]
fn without_flags_a_script_has_output_arguments_the_clock_channels_and_tasks() {
    let ran = text(&[], "use sbx\nprn sbxls(sbxme())");
    let held: Vec<&str> = ran.out.split('"').skip(1).step_by(2).collect();
    let mut held = held;
    held.sort_unstable();
    assert_eq!(
        held,
        [
            "__sys_argv",
            "__sys_chan_close",
            "__sys_chan_new",
            "__sys_chan_recv",
            "__sys_chan_send",
            "__sys_mono",
            "__sys_sleep",
            "__sys_spawn",
            "__sys_stderr",
            "__sys_stdout",
            "__sys_time",
            "__sys_wait",
        ],
        "{}",
        ran.err
    );
}

#[test]
fn a_grant_list_is_exact() {
    let scratch = Scratch::new("cli");
    scratch.write("d/a.txt", "A");
    let run = |flags: &[&str]| {
        let mut args = vec!["run", "--dir", "d:/d"];
        args.extend(flags);
        args.extend(["-e", "use fs\nuse sbx\n__sys_stdout(str(len(sbxls(sbxme()))) + fsrd(\"/d/a.txt\"))"]);
        ilu_in(scratch.path(), &args, b"")
    };
    assert_eq!(run(&["--grant", "capstdout,capfsro"]).out, "6A");
    assert_eq!(run(&["--grant", "capstdout,__sys_read"]).out, "2A");
    assert_eq!(run(&["--grant", "capstdout"]).code, Some(3));
    assert_eq!(run(&["--grant", "capfsro"]).code, Some(3));
    for (list, says) in [
        ("capfsr", "capfsro"),
        ("__sys_raed_file", "__sys_read_file"),
        ("*", "*"),
        ("capio,,capde", "unknown"),
        (" capio", "capio"),
        ("CAPIO", "capio"),
    ] {
        let ran = run(&["--grant", list]);
        assert_eq!(ran.code, Some(2), "{list:?} {}", ran.err);
        assert!(ran.err.contains(says), "{list:?} {}", ran.err);
    }
}

#[test]
fn directories_are_granted_by_name_and_access() {
    let scratch = Scratch::new("cli");
    scratch.write("d/a.txt", "A");
    scratch.write("one.txt", "1");
    std::os::unix::fs::symlink("d", scratch.at("link")).unwrap();
    for (flags, program, code, out) in [
        (&["--dir", "d"][..], "prn fsrd(\"d/a.txt\")", 0, "A\n"),
        (&["--dir", "d"], "prn fsrd(\"a.txt\")", 0, "A\n"),
        (&["--dir", "d:/in"], "prn fsrd(\"/in/a.txt\")", 0, "A\n"),
        (&["--dir", "d:/in"], "prn fsrd(\"a.txt\")", 0, "A\n"),
        (&["--dir", "d:/in"], "prn fsrd(\"/in2/a.txt\")", 3, ""),
        (&["--dir", "d:/in"], "prn fsrd(\"d/a.txt\")", 1, ""),
        (&["--dir", "d:/in:ro"], "fswr(\"/in/b.txt\", \"B\")", 3, ""),
        (&["--dir", "d:/in:rw"], "fswr(\"/in/b.txt\", \"B\")\nprn fsrd(\"/in/b.txt\")", 0, "B\n"),
        (&["--dir", "one.txt:/x/one"], "prn fsrd(\"/x/one\")", 0, "1\n"),
        (&["--dir", "one.txt:/x/one"], "prn fsrd(\"/x/two\")", 3, ""),
        (&["--dir", "link:/in"], "prn fsrd(\"/in/a.txt\")", 0, "A\n"),
        (&["--dir", "."], "prn fsrd(\"one.txt\")", 0, "1\n"),
        (&["--dir", "missing:/in"], "prn 1", 2, ""),
        (&["--dir", "d:/in", "--dir", ".:/in"], "prn 1", 2, ""),
        (&["--dir", "d::rw"], "prn 1", 2, ""),
    ] {
        let mut args = vec!["run"];
        args.extend(flags);
        let program = format!("use fs\n{program}");
        args.extend(["-e", &program]);
        let ran = ilu_in(scratch.path(), &args, b"");
        assert_eq!((ran.code, ran.out.as_str()), (Some(code), out), "{flags:?} {program:?}\n{}", ran.err);
    }
}

#[test]
fn variables_are_granted_one_by_one() {
    let run = |flags: &[&str], program: &str| {
        let mut command = Command::new(binary());
        command.env_clear().env("GREETING", "hi").env("SECRET", "s3cret").arg("run").args(flags).args(["-e", program]);
        finish(command, b"")
    };
    assert_eq!(run(&["--env", "GREETING"], "use env\nprn env.get(\"GREETING\")").out, "hi\n");
    assert_eq!(run(&["--env", "GREETING=there"], "use env\nprn env.get(\"GREETING\")").out, "there\n");
    assert_eq!(run(&["--env", "MADE=up"], "use env\nprn env.get(\"MADE\")").out, "up\n");
    for (flags, program) in [(&[][..], "use env\nenv.get(\"SECRET\")"), (&["--env", "GREETING"], "use env\nenv.get(\"SECRET\")")] {
        let ran = run(flags, program);
        assert_eq!(ran.code, Some(3), "{flags:?} {}", ran.err);
        assert!(!ran.err.contains("s3cret"));
    }
    assert_eq!(run(&["--env", "=x"], "1").code, Some(2));
}

#[test]
fn budgets_are_checked_for_their_form() {
    for flags in [
        &["--fuel", "many"][..],
        &["--fuel", "-1"],
        &["--mem", "64X"],
        &["--mem", "1.5G"],
        &["--time", "5"],
        &["--time", "-1s"],
        &["--out", ""],
        &["--depth", "1e3"],
        &["--color", "green"],
    ] {
        let ran = text(flags, "prn 1");
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{flags:?} {}", ran.err);
        assert!(ran.err.contains(flags[0]), "{flags:?} {}", ran.err);
    }
    for flags in [&["--fuel", "1_000_000"][..], &["--mem", "64MiB"], &["--time", "2s"], &["--out", "1k"], &["--depth", "100"]] {
        assert_eq!(text(flags, "prn 1").out, "1\n", "{flags:?}");
    }
}

// ---- messages

#[test]
fn an_uncaught_error_shows_message_place_source_and_stack() {
    let scratch = Scratch::new("cli");
    scratch.write("a.ilu", "pick(xs, n) =\n    xs[n]\n\nouter(xs) =\n    pick(xs, 5) + 1\n\nprn outer([1, 2, 3])\n");
    assert_snapshot!(told(&ilu_in(scratch.path(), &["a.ilu"], b"")));
}

#[test]
fn a_raised_value_that_is_no_text_is_shown_as_prn_shows_it() {
    assert_snapshot!(told(&text(&[], "err({code: 7, why: \"because\"})")));
}

#[test]
fn a_failure_of_a_native_says_on_what() {
    let scratch = Scratch::new("cli");
    std::fs::create_dir(scratch.at("d")).unwrap();
    let run = |flags: &[&str], program: &str| {
        let mut args = vec!["run", "--dir", "d:/in"];
        args.extend(flags);
        args.extend(["-e", program]);
        ilu_in(scratch.path(), &args, b"")
    };
    assert_snapshot!(told(&run(&[], "use fs\npart = \"a\"\nprn fs.rd(\"/in/\" + part)")));
    let ran = run(&["--json"], "use fs\nfs.rd(\"/in/a\\x1b\")");
    let outcome: serde_json::Value = serde_json::from_str(ran.err.lines().last().unwrap()).unwrap();
    assert_eq!(outcome["error"]["on"], serde_json::json!(["/in/a\u{1b}"]));
    // Raised again it is still that failure; another error is not.
    assert!(run(&[], "use fs\nr = try(\\() fs.rd(\"/in/a\"))\nerr(r.err)").err.contains("on: \"/in/a\"\n"));
    assert!(!run(&[], "use fs\nr = try(\\() fs.rd(\"/in/a\"))\nerr(\"other\")").err.contains("on: "));
    assert!(!run(&[], "err(\"file not found\")").err.contains("on: "));
}

#[test]
fn a_directory_that_was_granted_for_reading_is_the_one_to_grant_for_writing() {
    let scratch = Scratch::new("cli");
    std::fs::create_dir(scratch.at("d")).unwrap();
    for (flags, flag) in [
        (&["--dir", "d:/in"][..], "--dir HOST:/in:rw, where HOST is what /in is granted from"),
        (&["--dir", "d:/in", "--grant", "capall"], "--dir HOST:/in:rw, where HOST is what /in is granted from"),
        (&["--dir", "d:/in", "--grant", "capio"], "--grant capio,__sys_write_file"),
    ] {
        let mut args = vec!["run"];
        args.extend(flags);
        args.extend(["-e", "use fs\nfs.wr(\"/in/a\", \"b\")"]);
        let ran = ilu_in(scratch.path(), &args, b"");
        assert_eq!(ran.code, Some(3), "{flags:?}\n{}", ran.err);
        assert!(ran.err.contains(&format!("would allow it: {flag}\n")), "{flags:?}\n{}", ran.err);
    }
}

#[test]
fn a_script_that_asks_for_more_than_it_holds_is_told_who_can_give_it() {
    let ran = text(&[], "use cap\nuse sbx\nsbxmk(capdn())");
    let says = "sbxmk: this sandbox does not hold `__sys_dns`; --grant, --dir, --env, --run and --net give a script more; with {lax: tru} it makes do";
    assert!(ran.err.contains(says), "{}", ran.err);
    let ran = text(&[], "use cap\nuse sbx\nsbxrn(sbxmk([]), \\() sbxmk(captime()))");
    assert!(ran.err.contains("`__sys_time`; with {lax: tru} it makes do") && !ran.err.contains("--grant"), "{}", ran.err);
}

#[test]
fn mistakes_on_the_command_line_get_advice() {
    let scratch = Scratch::new("cli");
    scratch.write("a.ilu", "1");
    for (args, says) in [
        (&["a.ilu", "b"][..], "tip: the script's own arguments stand behind `--`: ilu run FILE -- b"),
        (&["tset", "a.ilu"], "tip: `tset` is no command"),
        (&["tset"], "`ilu --help` lists them"),
        (&["run", "--dir", ".:/in:rx", "a.ilu"], "`rx` was taken for the script's name of it: an access is `ro` or `rw`"),
        (&["run", "--env", "NO_SUCH_THING", "a.ilu"], "--env: the variable NO_SUCH_THING is not set here"),
        (&["run", "--dir", ".:/in", "--dir", ".:/in", "a.ilu"], "a directory can't be granted as \"/in\": another one is called that"),
    ] {
        let ran = ilu_in(scratch.path(), args, b"");
        assert_eq!(ran.code, Some(2), "{args:?}\n{}{}", ran.out, ran.err);
        assert!(ran.err.contains(says), "{args:?}\n{}", ran.err);
    }
}

#[test]
fn source_errors_are_shown_together() {
    let scratch = Scratch::new("cli");
    scratch.write("a.ilu", "x = 2 +\nz = 0x\nfor i in x:\n    prn i\nprn \"é\", \"\\q\"\n");
    assert_snapshot!(told(&ilu_in(scratch.path(), &["run", "a.ilu"], b"")));
}

#[test]
fn a_denial_takes_four_lines_and_names_its_page() {
    assert_snapshot!(told(&text(&[], "use fs\nfsrd(\"/etc/passwd\")")));
}

#[test]
fn a_budget_that_ran_out_is_named_with_its_flag() {
    assert_snapshot!(told(&text(&["--fuel", "1000"], "whl tru: 1")));
}

#[test]
fn a_budget_of_a_sandbox_is_told_with_whoever_set_it() {
    let ran = text(&[], "use sbx\nsbxrn(sbxmk([], {fuel: 100}), \\()\n    whl tru: 1\n)");
    assert_eq!(ran.code, Some(4), "{}", ran.err);
    assert!(ran.err.contains("in the options of sbxmk") && !ran.err.contains("--fuel"), "{}", ran.err);
    let ran = text(&["--depth", "50"], "use sbx\ns = sbxmk([])\nf() = f() + 1\nsbxrn(s, f)");
    assert_eq!(ran.code, Some(4), "{}", ran.err);
    assert!(ran.err.contains("--depth"), "{}", ran.err);
}

#[test]
fn a_deep_stack_is_shown_by_its_ends() {
    let ran = text(&[], "f(n) = if n == 0: err(\"deep\") | f(n - 1) + 1\nf(1000)");
    assert!(ran.err.lines().count() < 60, "{}", ran.err);
    assert_snapshot!(told(&ran));
}

#[test]
fn hostile_text_in_an_error_reaches_no_terminal() {
    for (program, code) in [
        ("err(\"a\\x1b[2J\\u{9b}31m\\u{202e}b\")", 1),
        ("use fs\nfsrd(\"/\\x1b]0;t\\x07\")", 3),
        ("o = {}\no[\"\\x1b[31m\"](1)", 1),
        ("x = \"\u{1b}[31m\"\nerr(x)", 1),
        ("prn \u{1b}[31m", 2),
    ] {
        let ran = text(&[], program);
        assert_eq!(ran.code, Some(code), "{program:?}: {}", ran.err);
        assert!(!ran.err.is_empty());
        assert!(ran.err.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{program:?}: {:?}", ran.err);
    }
}

#[test]
fn colours_are_there_when_asked_for_and_not_on_a_pipe() {
    let colored = |ran: &Ran| ran.err.contains("\u{1b}[");
    assert!(!colored(&text(&[], "err(1)")));
    assert!(!colored(&text(&["--color", "never"], "err(1)")));
    assert!(colored(&text(&["--color", "always"], "err(1)")));
}

#[test]
fn the_outcome_as_json_is_the_last_line_of_standard_error() {
    let outcome = |flags: &[&str], program: &str| -> serde_json::Value {
        let mut all = vec!["--json"];
        all.extend(flags);
        let ran = text(&all, program);
        serde_json::from_str(ran.err.lines().last().unwrap_or_else(|| panic!("nothing told: {ran:?}"))).unwrap()
    };
    let fine = outcome(&[], "eprn \"noise\"\n{a: [1, tru, nil, \"x\"]}");
    assert_eq!(fine["value"], serde_json::json!({"a": [1, true, null, "x"]}));
    assert_eq!(fine["error"], serde_json::Value::Null);
    assert!(fine["usage"]["fuel"].as_u64().unwrap() > 0);
    assert_eq!(fine["denials"], serde_json::json!([]));

    assert_eq!(outcome(&[], "__sys_stderr(\"{\")\n7")["value"], 7);

    let failed = outcome(&[], "x = 1\nerr(\"no\")");
    assert_eq!(failed["error"]["kind"], "error");
    assert_eq!(failed["error"]["message"], "no");
    assert_eq!(failed["error"]["line"], 2);

    let denied = outcome(&[], "use fs\nfsrd(\"/etc/passwd\")");
    assert_eq!(denied["error"]["kind"], "denied");
    assert_eq!(denied["denials"][0]["native"], "__sys_read_file");

    assert_eq!(outcome(&["--fuel", "1000"], "whl tru: 1")["error"]["kind"], "limit");
    assert_eq!(outcome(&[], "prn nope")["error"]["kind"], "source");
}

#[test]
fn a_reader_that_goes_away_is_no_error_of_the_script() {
    let mut child = Command::new(binary())
        .args(["-e", "i = 0\nwhl i < 100000:\n    i += 1\n    prn i"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn waiting_for_input_that_never_comes_ends_with_the_time() {
    for program in ["__sys_stdin()", "__sys_stdin({all: tru})"] {
        let mut child = Command::new(binary())
            .args(["run", "--grant", "capio", "--time", "300ms", "-e", program])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Somebody holds the other end and says nothing.
        let silent = child.stdin.take().unwrap();
        let start = std::time::Instant::now();
        while child.try_wait().unwrap().is_none() && start.elapsed().as_secs() < 20 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        drop(silent);
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(4), "{program}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    let program = "prn __sys_stdin()\nprn __sys_stdin({all: tru})\nprn __sys_stdin()";
    let ran = ilu_in(std::path::Path::new("/"), &["run", "--grant", "capio", "-e", program], b"one\ntwo\nthree");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "one\ntwo\nthree\nnil\n"), "{}", ran.err);
}

// ---- the other commands

#[test]
fn check_compiles_every_file_and_runs_none() {
    let scratch = Scratch::new("cli");
    scratch.write("good.ilu", "prn \"ran\"");
    scratch.write("bad.ilu", "prn nope\nprn also_nope\n");
    let ran = ilu_in(scratch.path(), &["check", "good.ilu"], b"");
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), "", ""));
    assert_snapshot!(told(&ilu_in(scratch.path(), &["check", "bad.ilu", "good.ilu", "missing.ilu"], b"")));

    let ran = ilu_in(scratch.path(), &["check", "--json", "bad.ilu", "good.ilu"], b"");
    assert_eq!(ran.code, Some(2));
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told[0]["file"], "bad.ilu");
    assert_eq!(told[0]["errors"].as_array().unwrap().len(), 2);
    assert_eq!(told[0]["errors"][1]["line"], 2);
    assert_eq!(told[1]["errors"], serde_json::json!([]));
}

#[test]
fn caps_works_out_unions_differences_and_subsets() {
    let names = |out: &str| out.lines().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect::<Vec<_>>();
    for (words, expected) in [
        (vec!["capfs", "-", "capfsro"], vec!["__sys_write_file"]),
        (vec!["capstdout", "+", "captime"], vec!["__sys_stdout", "__sys_time"]),
        (vec!["capai", "and", "capfs"], vec!["__sys_write_file"]),
        (vec!["capfs", "-", "capall"], vec!["nothing"]),
    ] {
        let ran = ilu(&[vec!["caps"], words.clone()].concat());
        assert_eq!(
            (ran.code, names(&ran.out)),
            (Some(0), expected.iter().map(|name| (*name).to_owned()).collect()),
            "{words:?} {}",
            ran.err
        );
    }
    let yes = ilu(&["caps", "capfs", "in", "capde"]);
    assert_eq!((yes.code, yes.out.as_str(), yes.err.as_str()), (Some(0), "yes\n", ""));
    let no = ilu(&["caps", "capfs", "+", "__sys_argv", "in", "capde"]);
    assert_eq!((no.code, no.err.as_str()), (Some(1), ""));
    assert_eq!(no.out, "no: these are missing\n  __sys_argv  env  the script's arguments\n");
    let told: serde_json::Value = serde_json::from_str(&ilu(&["caps", "--json", "capex", "in", "capde"]).out).unwrap();
    assert_eq!((&told["subset"], &told["missing"][0]["name"]), (&serde_json::json!(false), &serde_json::json!("__os_run")));
    let told: serde_json::Value = serde_json::from_str(&ilu(&["caps", "--json", "capfs", "-", "capfsro"]).out).unwrap();
    assert_eq!(told["natives"][0]["name"], "__sys_write_file");
    for wrong in [&["caps", "capfs", "-"][..], &["caps", "in", "capde"], &["caps", "capfs", "in", "capnee"]] {
        let ran = ilu(wrong);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{wrong:?}");
        assert!(!ran.err.is_empty());
    }
}

#[test]
fn caps_tells_what_a_bundle_holds() {
    let ran = ilu(&["caps", "capfs"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_snapshot!(ran.out);
    let all = ilu(&["caps"]);
    assert!(all.out.lines().count() >= 20 && all.out.contains("capde"), "{}", all.out);

    let ran = ilu(&["caps", "--json", "capstdout", "__sys_ls"]);
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told[0]["natives"][0]["name"], "__sys_stdout");
    assert_eq!(told[0]["natives"][0]["built"], true);
    assert_eq!(told[1]["natives"][0]["name"], "__sys_read_dir");

    let ran = ilu(&["caps", "capfss"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("capfs"), "{}", ran.err);
}

#[test]
fn help_and_version_are_answers_and_no_arguments_are_a_question() {
    for args in [&["--help"][..], &["run", "--help"], &["check", "--help"], &["caps", "--help"], &["help", "run"]] {
        let ran = ilu(args);
        assert_eq!(ran.code, Some(0), "{args:?}");
        assert!(ran.out.contains("Usage: ilu"), "{args:?} {}", ran.out);
    }
    assert!(ilu(&["run", "--help"]).out.contains("Examples:"));
    assert!(ilu(&["check", "--help"]).out.contains("as one JSON list on standard output"));
    assert!(ilu(&["--version"]).out.starts_with("ilu "));
    assert_eq!(ilu::<&str>(&[]).code, Some(2));
}

#[test]
fn an_empty_grant_list_is_no_capability_at_all() {
    assert_eq!(ilu(&["run", "--grant", "", "-e", "x = 1 + 1"]).code, Some(0));
    assert_eq!(ilu(&["run", "--grant", "", "-e", "prn 1"]).code, Some(3));
    assert_eq!(ilu(&["run", "--grant", "capio,", "-e", "prn 1"]).code, Some(2));
}

#[test]
fn the_doctor_says_what_is_kept_and_what_is_missing() {
    let told = ilu(&["doctor", "--json"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    let promises = told["promises"].as_array().unwrap();
    assert!(promises.len() > 10);
    for promise in promises {
        assert_eq!(promise["kept"].as_bool().unwrap(), promise["missing"].is_null(), "{promise}");
    }
    // The page's table is the command's.
    let page = std::fs::read_to_string(ilu_tests::command::root().join("docs/wall.md")).unwrap();
    let by_others = ["language and doorway", "openat2", "prctl, rlimits"];
    for promise in promises.iter().filter(|one| !by_others.contains(&one["layer"].as_str().unwrap())) {
        let (what, linux) = (promise["promise"].as_str().unwrap(), promise["linux"].as_str().unwrap());
        let row = page.lines().find(|line| line.starts_with(&format!("| {what} |")));
        assert!(row.is_some_and(|row| row.ends_with(&format!("| {linux} |"))), "the page has no row for {what:?} since {linux}");
    }
    assert!(told["budgets"].as_array().unwrap().iter().all(|budget| budget["value"].is_u64()));
    let words = ilu(&["doctor"]);
    assert!(words.out.contains("Budgets of a run") && words.out.contains("Limits that no flag changes"), "{words:?}");
}

#[test]
fn shells_and_man_get_what_they_need_from_the_definition() {
    for (shell, words) in [("bash", "complete -F"), ("zsh", "#compdef ilu"), ("fish", "complete -c ilu")] {
        let ran = ilu(&["completions", shell]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{shell}");
        for part in [words, "repl", "no-history", "grant"] {
            assert!(ran.out.contains(part), "{shell}: {part}");
        }
    }
    assert_eq!(ilu(&["completions", "tcsh"]).code, Some(2));
    let ran = ilu(&["man", "repl"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.starts_with(".ie") && ran.out.contains(".TH ilu-repl 1") && ran.out.contains("no\\-history"), "{}", ran.out);
    assert!(ilu(&["man"]).out.contains(".TH ilu 1"));
    let ran = ilu(&["man", "nothing"]);
    assert!(ran.code == Some(2) && ran.err.contains("the commands are run, repl"), "{}", ran.err);
}

#[test]
fn a_script_that_bash_completes_with_is_one() {
    let script = ilu(&["completions", "bash"]).out;
    let scratch = Scratch::new("completions");
    scratch.write("ilu.bash", &script);
    let ask = "source ./ilu.bash; COMP_WORDS=(ilu rep); COMP_CWORD=1; _ilu ilu rep ilu; echo \"${COMPREPLY[@]}\"";
    let told = Command::new("bash").args(["-c", ask]).current_dir(scratch.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), "repl", "{}", String::from_utf8_lossy(&told.stderr));
}

#[test]
fn every_command_shows_examples() {
    for command in ["run", "repl", "learn", "check", "fmt", "test", "explain", "trust", "completions", "man"] {
        let ran = ilu(&[command, "--help"]);
        assert!(ran.code == Some(0) && ran.out.contains("Examples:\n  ilu "), "{command}: {}", ran.out);
    }
}
