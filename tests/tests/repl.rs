//! The interactive session, driven on a terminal of its own: what an operator sees is what a terminal makes of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests make files and run the command on a terminal"
)]

use ilu_tests::command::{Scratch, binary, ilu_in};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// High enough that nothing scrolls away.
const ROWS: u16 = 400;
const COLUMNS: u16 = 90;
const PATIENCE: Duration = Duration::from_secs(120);

/// A session on a terminal.
struct Desk {
    child: Child,
    keys: File,
    screen: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
}

impl Desk {
    fn open(scratch: &Scratch, args: &[&str]) -> Desk {
        Desk::open_with(scratch, args, &[("NO_COLOR", "1")])
    }

    fn open_with(scratch: &Scratch, args: &[&str], env: &[(&str, &str)]) -> Desk {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        tcsetwinsize(&master, Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = || OwnedFd::from(OpenOptions::new().read(true).write(true).open(&name).unwrap());
        // Ctrl-C reaches only whom the terminal belongs to.
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).arg(binary()).args(args).current_dir(scratch.path()).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("TERM", "xterm").env("HOME", scratch.at("home")).env("SECRET", "of the process");
        command.envs(env.iter().copied()).stdin(slave()).stdout(slave()).stderr(slave());
        let child = command.spawn().unwrap();
        drop(command);
        let keys = File::from(master);
        let mut read = keys.try_clone().unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let (shown, kept) = (Arc::clone(&screen), Arc::clone(&raw));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(got @ 1..) = read.read(&mut piece) {
                shown.lock().unwrap().process(&piece[..got]);
                kept.lock().unwrap().extend_from_slice(&piece[..got]);
            }
        });
        let mut desk = Desk { child, keys, screen, raw };
        desk.wait("the first prompt", |desk| desk.at_prompt());
        desk
    }

    /// All that is on the screen, without what differs from one run to the next.
    fn seen(&self) -> String {
        let contents = self.screen.lock().unwrap().screen().contents();
        let version = format!("ilu {}", env!("CARGO_PKG_VERSION"));
        contents.replace(&version, "ilu VERSION").lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    /// The line of the cursor, and which it is.
    fn line(&self) -> (u16, String) {
        let screen = self.screen.lock().unwrap();
        let (row, _) = screen.screen().cursor_position();
        let text = screen.screen().rows(0, COLUMNS).nth(usize::from(row)).unwrap_or_default();
        (row, text.trim_end().to_owned())
    }

    /// Nothing is typed and something can be.
    fn at_prompt(&self) -> bool {
        self.line().1 == "ilu>"
    }

    fn wait(&mut self, what: &str, is_so: impl Fn(&Desk) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(began.elapsed() < PATIENCE, "{what} does not come:\n{}", self.seen());
            assert!(self.child.try_wait().unwrap().is_none(), "it has ended before {what}:\n{}", self.seen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a line and waits for the next prompt; gives what came in between.
    fn say(&mut self, line: &str) -> String {
        let (before, _) = self.line();
        self.press(line);
        self.press("\r");
        self.wait(&format!("the prompt after {line:?}"), |desk| desk.line().0 > before && desk.at_prompt());
        let seen = self.screen.lock().unwrap().screen().rows(0, COLUMNS).collect::<Vec<_>>();
        let (end, _) = self.line();
        let came = &seen[usize::from(before) + line.matches(['\r', '\n']).count() + 1..usize::from(end)];
        came.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
    }

    /// Types keys and waits for the line to be so.
    fn press_until(&mut self, keys: &str, line: &str) {
        self.press(keys);
        self.wait(&format!("the line {line:?}"), |desk| desk.line().1 == line);
    }

    fn end(&mut self) -> (Option<i32>, String) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                std::thread::sleep(Duration::from_millis(100));
                return (status.code(), self.seen());
            }
            if began.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("it does not end: {}", self.seen());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn scene() -> Scratch {
    let scratch = Scratch::new("repl");
    std::fs::create_dir(scratch.at("home")).unwrap();
    scratch.write("data/a.txt", "text of a\n");
    scratch.write("data/b.txt", "text of b\n");
    scratch
}

#[test]
fn inputs_of_one_and_more_lines_share_their_names() {
    let scratch = scene();
    let mut desk = Desk::open(&scratch, &["repl"]);
    desk.say("x = 40");
    desk.say("x + 2");
    desk.say("area(w, h) =\r    a = w * h\r    a\r");
    desk.say("area(x, 2)");
    desk.say("[1,\r2,\r3]");
    desk.say("if x > 3:\r    \"big\"\r| \"small\"");
    desk.say("use trl");
    desk.say("1..5 | map \\(n) n * x");
    desk.say("people = [{name: \"Ada\", born: 1815, field: \"mathematics\"}, {name: \"Grace\", born: 1906, field: \"computing\"}]");
    desk.say("people");
    desk.say("0..100000");
    desk.say("nil");
    insta::assert_snapshot!("inputs", desk.seen());
    desk.press("\x04");
    assert_eq!(desk.end().0, Some(0));
}

#[test]
fn errors_are_underlined_and_leave_the_session_as_it_was() {
    let scratch = scene();
    let mut desk = Desk::open(&scratch, &["repl"]);
    desk.say("total = 1");
    desk.say("totl + 1");
    desk.say("total = = 2");
    desk.say("f(n) =\r    n.x.y\r");
    desk.say("f({x: nil})");
    desk.say("__sys_read_file(\"data/a.txt\")");
    desk.say("def limit = 5");
    desk.say("limit = 6");
    desk.say("total");
    desk.say(":nothing");
    insta::assert_snapshot!("errors", desk.seen());
}

#[test]
fn tab_completes_names_fields_modules_natives_and_commands() {
    let scratch = scene();
    let mut desk = Desk::open(&scratch, &["repl"]);
    desk.say("configuration = {hostname: \"h\", port: 80}");
    desk.press_until("conf\t", "ilu> configuration");
    desk.press_until(".ho\t", "ilu> configuration.hostname");
    assert_eq!(desk.say(""), "\"h\"");
    desk.press_until("use ob\t", "ilu> use ob");
    desk.press("\t");
    desk.wait("the list", |desk| desk.seen().contains("obj") && desk.seen().contains("obs"));
    desk.press_until("s\x15", "ilu>");
    desk.press_until("use tx\t", "ilu> use txt");
    desk.say("");
    desk.press_until("txt.tri\t", "ilu> txt.trim");
    assert_eq!(desk.say("(\" a \")"), "\"a\"");
    // Natives that are held come first, and the others are marked.
    desk.press("__sys_st\t\t");
    desk.wait("the list of natives", |desk| desk.seen().contains("__sys_stdin (not held)"));
    let seen = desk.seen();
    let at = |what: &str| seen.rfind(what).unwrap_or_else(|| panic!("{what}: {seen}"));
    assert!(at("__sys_stderr") < at("__sys_stat (not held)") && at("__sys_stdout") < at("__sys_stdin (not held)"), "{seen}");
    desk.press_until("\x15", "ilu>");
    desk.press_until(":gra\t", "ilu> :grant");
    desk.press_until(" --di\t", "ilu> :grant --dir");
    desk.press_until("\x15", "ilu>");
    desk.press_until(":load data/a\t", "ilu> :load data/a.txt");
    desk.press_until("\x15", "ilu>");
}

#[test]
fn a_question_mark_shows_what_is_known_of_a_name() {
    let scratch = scene();
    let mut desk = Desk::open(&scratch, &["repl"]);
    desk.say("use trl");
    // Pasted: nothing is evaluated before the end.
    desk.say("\x1b[200~# twice as much\ndouble(n) = n * 2\x1b[201~");
    desk.say("?double");
    desk.say("?trl.map");
    desk.say("?prn");
    desk.say("?__sys_time");
    desk.say("?capio");
    desk.say("?trk");
    desk.say("x = {a: 1}");
    desk.say("?x");
    insta::assert_snapshot!("help", desk.seen());
    assert!(desk.say("?txt").contains("It has txt."));
    assert!(desk.say(":help").contains(":grant WHAT"));
}

#[test]
fn grants_come_and_go_at_the_prompt() {
    let scratch = scene();
    let mut desk = Desk::open(&scratch, &["repl", "--dir", "data:/in", "--fuel", "5000000"]);
    desk.say("use fs");
    desk.say("fs.rd(\"/in/a.txt\")");
    desk.say("__sys_getenv(\"SECRET\")");
    desk.say(":grant --env SECRET");
    desk.say("__sys_getenv(\"SECRET\")");
    desk.say(":grant --dir data:/out:rw");
    desk.say("fs.wr(\"/out/new.txt\", \"n\")");
    desk.say(":drop --dir /in");
    desk.say("fs.rd(\"/in/a.txt\")");
    desk.say(":drop --env SECRET");
    desk.say("try(\\() __sys_getenv(\"SECRET\")).err");
    desk.say(":drop capfs,capfm");
    desk.say(":caps");
    desk.say(":audit 4");
    desk.say(":grant --run /bin/ls");
    desk.say(":grant capfoo");
    insta::assert_snapshot!("grants", desk.seen());
    assert_eq!(std::fs::read_to_string(scratch.at("data/new.txt")).unwrap(), "n");
    // Nothing that a script does is a command.
    desk.say("prn \":grant capall\"");
    desk.say("f() = \":grant capall\"");
    desk.say("f()");
    assert!(desk.say("try(\\() fs.rd(\"/out/new.txt\")).err").contains("denied"));
}

#[test]
fn what_was_used_and_how_long_it_took_can_be_asked_for() {
    let scratch = scene();
    scratch.write("lib.ilu", "half(n) = n / 2\n");
    scratch.write("job.ilu", "use \"lib.ilu\"\nanswer = half(84)\nprn \"loaded\"\n");
    let mut desk = Desk::open(&scratch, &["repl", "--fuel", "100000", "--mem", "16M"]);
    assert_eq!(desk.say(":load job.ilu"), "loaded");
    assert_eq!(desk.say("answer + half(2)"), "43");
    assert!(desk.say(":load nothing.ilu").contains("no such file"));
    desk.say("i = 0");
    desk.say("whl i < 1000: i += 1");
    let used = desk.say(":used");
    assert!(used.contains("fuel") && used.contains("of 100000") && used.contains("of 16777216 bytes"), "{used}");
    let timed = desk.say(":time i + 1");
    assert!(timed.starts_with("1001\n") && timed.contains(" ms, fuel "), "{timed}");
    // Each input has its budget for itself.
    for _ in 0..3 {
        assert_eq!(desk.say("n <- 0..<60000: i += 1"), "");
    }
    assert!(desk.say("whl tru: i += 1").contains("fuel ran out (limit 100000)"));
    assert_eq!(desk.say("i > 181000"), "tru");
    desk.say(":drop all");
    assert!(desk.say("prn 1").contains("denied"));
    assert!(desk.say(":reset").contains("forgotten"));
    assert!(desk.say("answer").contains("unknown name `answer`"));
    assert_eq!(desk.say("prn 1"), "1");
    desk.press(":quit\r");
    assert_eq!(desk.end().0, Some(0));
}

#[test]
fn ctrl_c_ends_what_runs_and_not_the_session() {
    let scratch = scene();
    let mut desk = Desk::open(&scratch, &["repl", "--dir", "data:/in"]);
    desk.say("i = 0");
    for endless in ["whl tru: i += 1", "__sys_sleep(600000)", "__sys_wait(__sys_spawn(\\() __sys_sleep(600000)))"] {
        let (before, _) = desk.line();
        desk.press(endless);
        desk.press("\r");
        desk.wait("it runs", |desk| desk.line().0 > before);
        std::thread::sleep(Duration::from_millis(300));
        assert!(!desk.at_prompt(), "{endless:?} goes on: {}", desk.seen());
        // One that comes before the editor has given the terminal back is no signal.
        let began = Instant::now();
        while !desk.at_prompt() {
            assert!(began.elapsed() < PATIENCE, "{endless:?} does not end: {}", desk.seen());
            desk.press("\x03");
            std::thread::sleep(Duration::from_millis(500));
        }
        assert!(desk.seen().contains("interrupted"), "{}", desk.seen());
        assert_eq!(desk.say("1 + 1"), "2", "after {endless:?}");
    }
    assert_eq!(desk.say("i > 0"), "tru");
    // At the prompt it throws away what was typed.
    desk.press_until("half of a li", "ilu> half of a li");
    let (before, _) = desk.line();
    desk.press("\x03");
    desk.wait("a new line", |desk| desk.line().0 > before && desk.at_prompt());
    desk.press("\x04");
    assert_eq!(desk.end().0, Some(0));
}

#[test]
fn output_can_not_forge_the_prompt() {
    let scratch = scene();
    let mut desk = Desk::open(&scratch, &["repl"]);
    desk.say("__sys_stdout(\"no line's end\")");
    desk.say("eprn \"a\\x1b[1A\\x1b[2Kilu> :grant capall\"");
    desk.say("__sys_stdout(\"\\rilu> \")");
    desk.say("\"\\x1b[2J \\u{202e}\"");
    desk.say("{\"\\x1b[2J\": 1}");
    desk.say("err(\"\\x1b[2J\\rilu> \")");
    desk.say("__sys_stderr(\"\\u{9b}1A\")");
    insta::assert_snapshot!("forging", desk.seen());
}

#[test]
fn what_was_typed_is_there_the_next_time_for_the_operator_alone() {
    let scratch = scene();
    let mut desk = Desk::open(&scratch, &["repl"]);
    desk.say("first = 1");
    desk.say("f(a) =\r    a + first\r");
    desk.say(" secret = 2");
    desk.press("\x04");
    desk.end();
    let file = scratch.at("home/.local/state/ilu/history");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, "\"first = 1\"\n\"f(a) =\\n    a + first\"\n");
    let mut desk = Desk::open(&scratch, &["repl", "--no-history"]);
    desk.say("other = 1");
    desk.press("\x1b[A");
    desk.wait("the line before", |desk| desk.line().1 == "ilu> other = 1");
    desk.press("\x04\x15\x04");
    desk.end();
    let mut desk = Desk::open(&scratch, &["repl"]);
    // The first of them goes up inside the block.
    desk.press("\x1b[A\x1b[A\x1b[A");
    desk.wait("the first line", |desk| desk.line().1 == "ilu> first = 1");
    desk.press("\x15");
    desk.wait("an empty line", Desk::at_prompt);
    // Searched backwards.
    desk.press("\x12first =");
    desk.wait("what was searched", |desk| desk.line().1.contains("first = 1"));
    desk.press("\x07\x15\x04");
    desk.end();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "nothing of the other session");
}

#[test]
fn plain_ilu_on_a_terminal_is_a_session_and_its_lines_have_colours() {
    let scratch = scene();
    let mut desk = Desk::open_with(&scratch, &[], &[]);
    assert_eq!(desk.say("if tru: \"a\" | 2"), "\"a\"");
    let raw = String::from_utf8_lossy(&desk.raw.lock().unwrap()).into_owned();
    assert!(raw.contains("\x1b[35mif\x1b[0m") && raw.contains("\x1b[32m\"a\"\x1b[0m"), "{raw:?}");
    let mut plain = Desk::open(&scratch, &[]);
    plain.say("if tru: \"a\" | 2");
    let raw = String::from_utf8_lossy(&plain.raw.lock().unwrap()).into_owned();
    assert!(!raw.contains("\x1b[35m") && !raw.contains("\x1b[1;32m"), "{raw:?}");
}

#[test]
fn without_a_terminal_lines_are_read_as_they_come_and_no_command_is_help() {
    let scratch = scene();
    let ran = ilu_in(scratch.path(), &["repl", "--no-history"], b"x = 20\nx * 2 + 2\nprn \"out\"\n");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("42\n") && ran.out.contains("out\n"), "{}", ran.out);
    let ran = ilu_in::<&str>(scratch.path(), &[], b"");
    assert_eq!(ran.code, Some(2));
    let ran = ilu_in(scratch.path(), &["repl", "--wall", "require"], b"");
    assert_eq!((ran.code, ran.err.contains("exclude each other")), (Some(2), true), "{}", ran.err);
}

#[test]
fn the_record_and_the_report_are_of_the_whole_session() {
    let scratch = scene();
    std::fs::create_dir(scratch.at("logs")).unwrap();
    let mut desk = Desk::open(&scratch, &["repl", "--dir", "data:/in", "--audit", "logs/audit.jsonl", "--report", "page.html"]);
    desk.say("use fs");
    desk.say("fs.rd(\"/in/a.txt\")");
    desk.say(":grant --env SECRET");
    desk.say("__sys_getenv(\"SECRET\")");
    assert!(desk.say(":grant --dir logs:/logs:rw").contains("audit.jsonl: it lies"), "{}", desk.seen());
    desk.say(":drop all");
    desk.say("try(\\() fs.rd(\"/in/a.txt\")).val");
    desk.press("\x04");
    assert_eq!(desk.end().0, Some(0));
    let verified = ilu_in(scratch.path(), &["audit", "verify", "logs/audit.jsonl"], b"");
    assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
    let audit = std::fs::read_to_string(scratch.at("logs/audit.jsonl")).unwrap();
    assert!(audit.contains("__sys_read_file") && audit.contains("__sys_getenv") && audit.contains("\"verdict\":\"denied\""), "{audit}");
    let page = std::fs::read_to_string(scratch.at("page.html")).unwrap();
    assert!(page.contains("/in/a.txt") && page.contains("&lt;repl&gt;"), "{page}");
}

#[test]
fn what_is_open_ends_with_the_grants_and_tasks_with_their_input() {
    let scratch = scene();
    let mut desk = Desk::open(&scratch, &["repl", "--dir", "data:/in"]);
    desk.say("use fs");
    desk.say("f = fs.open(\"/in/a.txt\")");
    assert_eq!(desk.say("typ(f)"), "\"fil\"");
    desk.say(":drop --env NOTHING");
    assert_eq!(desk.say("x <- f: prn x"), "text of a", "nothing was dropped, so nothing has ended");
    desk.say("f = fs.open(\"/in/a.txt\")");
    desk.say(":grant caprn");
    assert!(desk.say("x <- f: prn x").contains("the file is closed"), "{}", desk.seen());
    assert!(
        desk.say("\x1b[200~t = __sys_spawn(\\() err(\"alone\"))\n__sys_sleep(500)\x1b[201~").contains("task"),
        "what nobody saw is told"
    );
    desk.say("use os");
    assert!(desk.say("os.exit(3)").contains("os.exit(3)"), "the session goes on");
    assert_eq!(desk.say("1 + 1"), "2");
}

#[test]
fn what_is_missing_can_be_asked_for() {
    let scratch = scene();
    let mut desk = Desk::open(&scratch, &["repl", "--ask"]);
    desk.say("use fs");
    let (before, _) = desk.line();
    desk.press("fs.rd(\"data/a.txt\")\r");
    desk.wait("the question", |desk| desk.seen().contains("anything else is no >"));
    desk.press("r\r");
    desk.wait("the prompt", |desk| desk.line().0 > before && desk.at_prompt());
    assert!(desk.seen().contains("\"text of a\\n\""), "{}", desk.seen());
    assert_eq!(desk.say("fs.rd(\"data/a.txt\")"), "\"text of a\\n\"", "not asked again");
}

#[test]
fn the_history_is_no_link_and_no_other_file_is_written() {
    let scratch = scene();
    scratch.write("precious", "kept\n");
    std::fs::create_dir_all(scratch.at("home/.local/state/ilu")).unwrap();
    std::os::unix::fs::symlink(scratch.at("precious"), scratch.at("home/.local/state/ilu/history")).unwrap();
    let mut desk = Desk::open(&scratch, &["repl"]);
    assert!(desk.seen().contains("no history is kept"), "{}", desk.seen());
    desk.say("typed = 1");
    desk.press("\x04");
    desk.end();
    assert_eq!(std::fs::read_to_string(scratch.at("precious")).unwrap(), "kept\n");
    // Nor can a script be given the place it lies in.
    let ran = ilu_in(scratch.path(), &["repl", "--no-history", "--dir", "home:/home:rw"], b"");
    assert_eq!(ran.code, Some(0), "without a home there is no such place: {}", ran.err);
    std::fs::remove_file(scratch.at("home/.local/state/ilu/history")).unwrap();
    let mut desk = Desk::open(&scratch, &["repl"]);
    assert!(desk.say(":grant --dir home:/home:rw").contains("the list of trusted"), "{}", desk.seen());
}
