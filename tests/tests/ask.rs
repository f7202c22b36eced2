//! `--ask`: on a terminal, and only there, what a script lacks is asked for; nothing that a script does can forge the question or answer it.

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
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The command on a terminal of its own.
struct OnTerminal {
    child: Child,
    keys: File,
    seen: Arc<Mutex<Vec<u8>>>,
}

const QUESTION: &str = "--- ilu asks:";

impl OnTerminal {
    fn run(scratch: &Scratch, args: &[&str]) -> OnTerminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = || OwnedFd::from(OpenOptions::new().read(true).write(true).open(&name).unwrap());
        let mut command = Command::new(binary());
        command.args(args).current_dir(scratch.path()).env_clear().env("SECRET", "of the process");
        command.env("HOME", scratch.at("home")).stdin(slave()).stdout(slave()).stderr(slave());
        let child = command.spawn().unwrap();
        // The command holds the terminal open; when it ends, so does what is read here.
        drop(command);
        let keys = File::from(master);
        let (mut screen, seen) = (keys.try_clone().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(got @ 1..) = screen.read(&mut piece) {
                kept.lock().unwrap().extend_from_slice(&piece[..got]);
            }
        });
        OnTerminal { child, keys, seen }
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).replace("\r\n", "\n")
    }

    /// How often something was asked.
    fn asked(&self) -> usize {
        self.screen().matches(QUESTION).count()
    }

    /// Waits for something on the screen.
    fn wait(&mut self, what: &str, times: usize) -> String {
        let began = Instant::now();
        while self.screen().matches(what).count() < times {
            assert!(began.elapsed() < Duration::from_secs(60), "{what:?} does not come: {}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.screen()
    }

    /// Waits for a question, the so-manieth, to be whole, and answers it.
    fn answer(&mut self, times: usize, answer: &str) {
        self.wait("anything else is no > ", times);
        self.keys.write_all(answer.as_bytes()).unwrap();
    }

    fn end(&mut self) -> (Option<i32>, String) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What it wrote last is still on its way.
                std::thread::sleep(Duration::from_millis(100));
                return (status.code(), self.screen());
            }
            if began.elapsed() > Duration::from_secs(60) {
                self.child.kill().unwrap();
                panic!("it does not end: {}", self.screen());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn scene(script: &str) -> Scratch {
    let scratch = Scratch::new("ask");
    scratch.write("data/a", "text of a");
    scratch.write("data/b", "text of b");
    std::fs::create_dir(scratch.at("home")).unwrap();
    scratch.write("scripts/job.ilu", script);
    scratch
}

const JOB: &str = "scripts/job.ilu";

#[test]
fn nobody_is_asked_where_there_is_no_terminal() {
    let scratch = scene("use fs\nprn fs.rd(\"data/a\")\n");
    let ran = ilu_in(scratch.path(), &["run", "--ask", JOB], b"r\nr\nr\n");
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""));
    assert!(!ran.err.contains(QUESTION), "{}", ran.err);
    // And on a terminal, not without the flag.
    let mut on = OnTerminal::run(&scratch, &["run", JOB]);
    let (code, screen) = on.end();
    assert!(code == Some(3) && !screen.contains(QUESTION), "{screen}");
}

#[test]
fn once_is_for_one_call_and_never_is_for_all_that_come() {
    let scratch =
        scene("use fs\nprn fs.rd(\"data/a\")\nprn try(\\() fs.rd(\"data/a\")).val\nprn try(\\() fs.rd(\"data/b\")).val\nprn \"end\"\n");
    let mut on = OnTerminal::run(&scratch, &["run", "--ask", JOB]);
    let screen = on.wait("anything else is no > ", 1);
    for part in ["scripts/job.ilu:2 wants __sys_read_file \"data/a\"", "--grant __sys_read_file", "--dir data/a:ro"] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    assert!(screen.contains(scratch.at("data/a").canonicalize().unwrap().to_str().unwrap()), "where it really is: {screen}");
    on.answer(1, "o\n");
    on.answer(2, "never\n");
    let (code, screen) = on.end();
    assert_eq!((code, on.asked()), (Some(0), 2), "{screen}");
    assert!(screen.contains("text of a\n") && screen.contains("nil\nnil\nend\n"), "{screen}");
}

#[test]
fn what_is_granted_for_the_run_is_not_asked_for_again_and_is_the_scripts_own_only() {
    let scratch = scene(
        "use cap\nuse fs\nuse sbx\nprn fs.rd(\"data/a\")\nprn fs.rd(\"data/a\")\nx <- fs.open(\"data/a\"): prn \"line\", x\n\
         prn try(\\() sbxmk(capfsro())).err != nil\nnone = sbxmk([])\nprn sbxtr(none, \\() fs.rd(\"data/a\")).denied[0].rule\nprn \"end\"\n",
    );
    let mut on = OnTerminal::run(&scratch, &["run", "--ask", "--audit", "audit.jsonl", JOB]);
    on.answer(1, "run\n");
    // Another native of that file is another question, its place is there already.
    on.wait("wants __sys_open_read", 1);
    on.answer(2, "o\n");
    let (code, screen) = on.end();
    assert_eq!((code, on.asked()), (Some(0), 2), "{screen}");
    assert!(screen.contains("text of a\ntext of a\n") && screen.contains("line text of a\ntru\nnot-held\nend\n"), "{screen}");
    let audit = std::fs::read_to_string(scratch.at("audit.jsonl")).unwrap();
    assert_eq!(audit.matches("\"rule\":\"asked\"").count(), 3, "{audit}");
    assert_eq!(audit.matches("\"verdict\":\"denied\"").count(), 1, "of the sandbox inside: {audit}");
}

#[test]
fn anything_but_a_plain_answer_is_no() {
    let script = "use fs\nn <- 0..6:\n    prn try(\\() fs.rd(\"data/a\")).val\nprn \"end\"\n";
    let scratch = scene(script);
    let mut on = OnTerminal::run(&scratch, &["run", "--ask", JOB]);
    let long = format!("{}\n", "o".repeat(200));
    let answers = ["\n", "yes\n", "\x1b[24;80Ro\n", "O\n", "on\n", &long, "o\n"];
    for (n, answer) in answers.iter().enumerate() {
        on.answer(n + 1, answer);
    }
    let (code, screen) = on.end();
    assert_eq!((code, on.asked()), (Some(0), 7), "{screen}");
    assert_eq!((screen.matches("nil\n").count(), screen.matches("text of a\n").count()), (6, 1), "{screen}");
}

#[test]
fn what_was_typed_before_a_question_does_not_answer_it() {
    let script = "use fs\nprn \"ready\"\n__sys_sleep(700)\nprn try(\\() fs.rd(\"data/a\")).val\n";
    let scratch = scene(script);
    let mut on = OnTerminal::run(&scratch, &["run", "--ask", JOB]);
    on.wait("ready", 1);
    on.keys.write_all(b"r\nr\n").unwrap();
    on.wait("anything else is no > ", 1);
    std::thread::sleep(Duration::from_millis(500));
    assert!(on.child.try_wait().unwrap().is_none(), "it still waits: {}", on.screen());
    on.answer(1, "\n");
    assert!(on.end().1.contains("nil\n"));
}

#[test]
fn a_name_that_could_be_taken_for_another_is_not_asked_about() {
    let names = ["data/a\\u{1b}[2K", "data/\\u{202e}a", "data/a\\nit needs nothing", "data/a ", "data/../data/a"];
    let mut script = String::from("use fs\nuse txt\n");
    for name in names {
        script.push_str(&format!("prn try(\\() fs.rd(\"{name}\")).val\n"));
    }
    script.push_str("prn try(\\() fs.rd(txt.rep(\"x/\", 200))).val\nprn try(\\() fs.rd(\"data/a\")).val\nprn \"end\"\n");
    let scratch = scene(&script);
    for name in ["data/a\x1b[2K", "data/\u{202e}a", "data/a\nit needs nothing", "data/a "] {
        scratch.write(name, "odd");
    }
    let mut on = OnTerminal::run(&scratch, &["run", "--ask", JOB]);
    // The control: a plain name is asked about.
    on.answer(1, "o\n");
    let (_, screen) = on.end();
    assert_eq!((on.asked(), screen.matches("nil\n").count()), (1, 6), "{screen}");
    assert!(screen.contains("text of a\nend\n"), "{screen}");
}

#[test]
fn what_a_script_has_done_to_the_terminal_is_undone_before_the_question() {
    // A command to the terminal that never ends would swallow the question.
    let script = "use fs\nprn \"\\x1b]0;\"\nprn \"--- ilu asks: nothing > \\x1b[8m\"\ntry(\\() fs.rd(\"data/a\"))\n";
    let scratch = scene(script);
    let mut on = OnTerminal::run(&scratch, &["run", "--ask", JOB]);
    let screen = on.wait("anything else is no > ", 1);
    let before = screen.rfind(QUESTION).unwrap();
    let undone = &screen[..before];
    let last = undone.rfind("\x1b[8m").map_or(0, |at| at);
    for undo in ["\x18", "\x1b\\", "\x1b[!p", "\x1b[0m", "\x1b[?25h"] {
        assert!(undone[last..].contains(undo), "{undo:?}: {undone:?}");
    }
    assert!(undone.ends_with('\n'), "the question begins a line");
    on.answer(1, "n\n");
    on.end();
}

#[test]
fn variables_and_places_to_write_are_asked_for_and_what_must_stay_out_of_reach_is_not() {
    let script = "use env\nuse fs\nprn env.get(\"SECRET\")\nfs.wr(\"/in/new/f\", \"written\")\nprn fs.rd(\"/in/new/f\")\n\
                  prn try(\\() fs.wr(\"scripts/lib.ilu\", \"\")).err != nil\nprn try(\\() fs.wr(\"/in/f\", \"\")).err != nil\nprn \"end\"\n";
    let scratch = scene(script);
    std::fs::create_dir(scratch.at("data/new")).unwrap();
    let mut on = OnTerminal::run(&scratch, &["run", "--ask", "--dir", "data:/in", "--audit", "data/audit.jsonl", JOB]);
    on.answer(1, "o\n");
    let screen = on.wait("anything else is no > ", 2);
    assert!(screen.contains("--env SECRET") && screen.contains("--dir data/new:/in/new:rw"), "{screen}");
    on.answer(2, "r\n");
    let (code, screen) = on.end();
    // The script's own folder, and the one that the audit is written to.
    assert_eq!((code, on.asked()), (Some(0), 2), "{screen}");
    assert!(screen.contains("of the process\n") && screen.contains("written\ntru\ntru\nend\n"), "{screen}");
    assert_eq!(std::fs::read_to_string(scratch.at("data/new/f")).unwrap(), "written");
}

#[test]
fn a_flood_of_questions_ends() {
    let mut script = String::from("use fs\n");
    for n in 0..40 {
        script.push_str(&format!("try(\\() fs.rd(\"data/{n}\"))\n"));
    }
    script.push_str("prn \"end\"\n");
    let scratch = scene(&script);
    for n in 0..40 {
        scratch.write(&format!("data/{n}"), "");
    }
    let mut on = OnTerminal::run(&scratch, &["run", "--ask", JOB]);
    for n in 0..30 {
        on.answer(n + 1, "\n");
    }
    let (code, screen) = on.end();
    assert_eq!((code, on.asked()), (Some(0), 30), "{screen}");
}

#[test]
fn a_connection_is_asked_for_by_its_host_and_port() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(Mutex::new(0));
    let count = Arc::clone(&taken);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            *count.lock().unwrap() += 1;
            let mut some = [0; 4096];
            let _ = stream.read(&mut some);
            // The one that a redirect leads to is not asked about: the request would have to be sent again.
            let head =
                if some.starts_with(b"POST") { "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.9:1/\r\n" } else { "HTTP/1.1 200 OK\r\n" };
            let _ = stream.write_all(format!("{head}Connection: close\r\nContent-Length: 4\r\n\r\nfine").as_bytes());
        }
    });
    let script = format!(
        "use net\nu = \"http://127.0.0.1:{port}/\"\nprn try(\\() net.get(u)).err != nil\nprn net.get(u).txt\nprn net.get(u).txt\n\
         prn try(\\() net.get(\"http://127.0.0.8:{port}/\")).err != nil\nprn try(\\() __sys_http_post(u, \"x\")).err\nprn \"end\"\n"
    );
    let scratch = scene(&script);
    let mut on = OnTerminal::run(&scratch, &["run", "--ask", "--grant", "capht,capio", "--net", "!127.0.0.8", JOB]);
    let screen = on.wait("anything else is no > ", 1);
    assert!(screen.contains(&format!("it needs --net 127.0.0.1:{port}\n")), "{screen}");
    assert_eq!(*taken.lock().unwrap(), 0, "nobody was reached before the answer");
    on.answer(1, "\n");
    on.answer(2, "r\n");
    // Once it holds for the run it is not asked for again; what a rule denies never is.
    let (code, screen) = on.end();
    assert_eq!((code, on.asked(), *taken.lock().unwrap()), (Some(0), 2, 3), "{screen}");
    assert!(screen.contains("> r\nfine\nfine\ntru\ndenied: __sys_http_post") && screen.contains("\nend\n"), "{screen}");
}
