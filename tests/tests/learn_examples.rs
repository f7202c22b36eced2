//! `ilu learn` on every script of `examples/`: what it tells is enough for the script to do its job again, and without any one grant of it the
//! script does not. Those of the network talk to servers of the test's own, on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests make files and run the command"
)]

use ilu_tests::command::{Ran, Scratch, binary, finish, root};
use ilu_tests::learned::{each_one_less, list, unhurried};
use ilu_tests::server::{After, NOT_FOUND, Server, answer, ok};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The examples, each with the test that is about it; a new one must be added.
const KNOWN: [&str; 9] =
    ["api.ilu", "changes.ilu", "lockfile.ilu", "packages.ilu", "pages.ilu", "pipeline.ilu", "untrusted.ilu", "uptime.ilu", "wordcount.ilu"];

#[test]
fn each_example_has_a_test_here() {
    let mut found: Vec<String> = std::fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".ilu"))
        .collect();
    found.sort();
    assert_eq!(found, KNOWN);
}

/// One example and what it is run with.
struct Job<'a> {
    name: &'a str,
    /// The widest grants.
    flags: &'a [&'a str],
    /// What comes after `--`.
    args: &'a [&'a str],
    input: &'a [u8],
    /// Files and directories that are there before each run.
    scene: &'a dyn Fn(&Scratch),
    /// Did it do its job?
    done: &'a dyn Fn(&Ran, &Scratch) -> bool,
}

impl Job<'_> {
    fn script(&self) -> String {
        format!("examples/{}.ilu", self.name)
    }

    fn scratch(&self) -> Scratch {
        let scratch = Scratch::new("learn");
        scratch.write(&self.script(), std::fs::read_to_string(root().join(self.script())).unwrap());
        (self.scene)(&scratch);
        scratch
    }

    fn command(&self, at: &Path, first: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(first).arg(self.script());
        if !self.args.is_empty() {
            command.arg("--").args(self.args);
        }
        command.current_dir(at).env_clear().env("PATH", "/usr/bin:/bin");
        command
    }

    fn run(&self, first: &[&str]) -> (Ran, Scratch) {
        let scratch = self.scratch();
        (finish(self.command(scratch.path(), first), self.input), scratch)
    }

    /// What is learned, after all that is said of it was tried.
    fn is_enough_and_least(&self) -> String {
        let first: Vec<&str> = ["learn"].iter().chain(self.flags).copied().collect();
        let (ran, _) = self.run(&first);
        assert_eq!(ran.code, Some(0), "{}: {}{}", self.name, ran.out, ran.err);
        let learned = unhurried(&ran.out);
        let with = |profile: &str| {
            let scratch = self.scratch();
            scratch.write("learned.toml", profile);
            let command = self.command(scratch.path(), &["run", "--config", "learned.toml", "--profile", self.name]);
            let ran = finish(command, self.input);
            ((self.done)(&ran, &scratch), ran)
        };
        let (done, ran) = with(&learned);
        assert!(done, "{} with\n{learned}\n{ran:?}", self.name);
        let all = each_one_less(&learned);
        assert!(!all.is_empty(), "{learned}");
        for (gone, less) in all {
            assert!(!with(&less).0, "{} does as well without {gone} of\n{learned}", self.name);
        }
        learned
    }
}

fn went_well(ran: &Ran, _: &Scratch) -> bool {
    ran.code == Some(0)
}

#[test]
fn of_files() {
    let scene = |scratch: &Scratch| {
        scratch.write("Cargo.lock", std::fs::read_to_string(root().join("Cargo.lock")).unwrap());
        scratch.write("dpkg/status", "Package: a\nStatus: install ok installed\nSection: x\nInstalled-Size: 5\n");
        scratch.write("dpkg/other", "");
        std::fs::create_dir(scratch.at("out")).unwrap();
    };
    let job = |name, flags| Job { name, flags, args: &[], input: b"", scene: &scene, done: &went_well };
    let learned =
        job("lockfile", &["--dir", "Cargo.lock:/in/Cargo.lock", "--dir", "out:/out:rw", "--grant", "capall"]).is_enough_and_least();
    assert_eq!(list(&learned, "dir"), ["Cargo.lock:/in/Cargo.lock:ro", "out:/out:rw"]);
    let learned =
        job("packages", &["--dir", "dpkg:/in", "--dir", "out:/out:rw", "--grant", "capall", "--env", "LANG=C"]).is_enough_and_least();
    assert_eq!(list(&learned, "env"), Vec::<String>::new());
    let learned = job("untrusted", &["--dir", ".", "--grant", "capall"]).is_enough_and_least();
    assert_eq!(list(&learned, "dir"), Vec::<String>::new());
}

#[test]
fn of_tasks() {
    let scene = |scratch: &Scratch| {
        scratch.write("text/a.md", "one two two");
        scratch.write("text/sub/b.txt", "two three");
        scratch.write("other/c.md", "four");
    };
    let counted = |ran: &Ran, _: &Scratch| ran.code == Some(0) && ran.out.starts_with("5 words, 3 different\n");
    let learned = Job {
        name: "wordcount",
        flags: &["--dir", "text:/text", "--dir", "other:/other", "--grant", "capall"],
        args: &["2", "1"],
        input: b"",
        scene: &scene,
        done: &counted,
    }
    .is_enough_and_least();
    assert_eq!(list(&learned, "dir"), ["text:/text:ro"]);
    let summed = |ran: &Ran, _: &Scratch| ran.code == Some(0) && ran.out == "a 42\nb 2.5\nleft out: 2\n";
    let learned = Job {
        name: "pipeline",
        flags: &["--dir", ".", "--grant", "capall"],
        args: &[],
        input: b"a 1\nb 2.5\nwhat\na 41\nb x\n",
        scene: &|_| {},
        done: &summed,
    }
    .is_enough_and_least();
    assert_eq!(list(&learned, "dir"), Vec::<String>::new());
}

#[test]
fn of_a_program() {
    let git = Path::new("/usr/bin/git");
    if !git.exists() {
        println!("there is no {}: nothing was checked", git.display());
        return;
    }
    let scene = |scratch: &Scratch| {
        scratch.write("repo/x", "");
        let run = |args: &[&str]| {
            let done = Command::new(git).arg("-C").arg(scratch.at("repo")).args(args).env_clear().output().unwrap();
            assert!(done.status.success(), "{done:?}");
        };
        run(&["init", "-q"]);
        run(&["-c", "user.name=c", "-c", "user.email=c@x", "commit", "-q", "--allow-empty", "-m", "m", "--author", "Ada <a@x>"]);
    };
    let told = |ran: &Ran, _: &Scratch| ran.code == Some(0) && ran.out == "1 Ada\n";
    let learned = Job {
        name: "changes",
        flags: &[
            "--run",
            "git",
            "--run",
            "sh",
            "--dir",
            "repo:/repo",
            "--dir",
            "examples:/e",
            "--env",
            "GIT_CONFIG_NOSYSTEM=1",
            "--grant",
            "capall",
        ],
        args: &[],
        input: b"",
        scene: &scene,
        done: &told,
    }
    .is_enough_and_least();
    assert_eq!((list(&learned, "run"), list(&learned, "dir")), (vec!["git".to_owned()], vec!["repo:/repo:ro".to_owned()]));
    assert_eq!(list(&learned, "env"), ["GIT_CONFIG_NOSYSTEM=1"], "what a program is given counts as needed");
}

#[test]
fn of_a_client() {
    let server = Server::start(|asked, stream| {
        let body = |next: &str| format!("{{\"items\": [{{\"name\": \"i\", \"kind\": \"k\", \"size\": 1}}], \"next\": {next}}}");
        let raw = match asked.path.as_str() {
            "/items/1.json" => answer("200 OK", "Content-Type: application/json\r\n", body("\"2.json\"").as_bytes()),
            "/items/2.json" => answer("200 OK", "Content-Type: application/json\r\n", body("null").as_bytes()),
            "/up" => ok("x"),
            _ => NOT_FOUND.as_bytes().to_vec(),
        };
        let _ = stream.write_all(&raw);
        After::Keep
    });
    let (addr, first, up) = (server.addr.to_string(), format!("{}/items/1.json", server.url()), format!("{}/up", server.url()));
    let made = |_: &Ran, scratch: &Scratch| std::fs::read_to_string(scratch.at("out/report.json")).is_ok_and(|told| told.contains("\"k\""));
    let both = |ran: &Ran, scratch: &Scratch| ran.code == Some(0) && made(ran, scratch);
    let learned = Job {
        name: "pages",
        flags: &["--net", &addr, "--net", "example.com:80", "--dir", "out:/out:rw", "--dir", "examples:/e", "--grant", "capall"],
        args: &[&first],
        input: b"",
        scene: &|scratch| std::fs::create_dir(scratch.at("out")).unwrap(),
        done: &both,
    }
    .is_enough_and_least();
    assert_eq!((list(&learned, "net"), list(&learned, "dir")), (vec![addr.clone()], vec!["out:/out:rw".to_owned()]));
    let learned = Job {
        name: "uptime",
        flags: &["--net", &addr, "--net", "example.com:80", "--dir", ".", "--grant", "capall"],
        args: &[&up],
        input: b"",
        scene: &|_| {},
        done: &|ran, _| ran.code == Some(0) && ran.out.ends_with("1 of 1 up\n"),
    }
    .is_enough_and_least();
    assert_eq!((list(&learned, "net"), list(&learned, "dir")), (vec![addr], Vec::new()));
}

/// One request over a connection of its own: the status and the body.
fn ask(addr: &str, request: &str, body: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(addr).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let raw = format!("{request} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(raw.as_bytes()).ok()?;
    let mut told = String::new();
    stream.read_to_string(&mut told).ok()?;
    let (head, body) = told.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.to_owned(), body.to_owned()))
}

/// Starts the server, asks it for all that it does, and ends it, or waits for its time to be over when it is learned of: whether each answer was
/// right, and standard output.
fn served(job: &Job<'_>, first: &[&str], scratch: &Scratch, learns: bool) -> (bool, String) {
    let mut command = job.command(scratch.path(), first);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut out, mut err) = (BufReader::new(child.stdout.take().unwrap()), BufReader::new(child.stderr.take().unwrap()));
    let mut line = String::new();
    if learns { err.read_line(&mut line) } else { out.read_line(&mut line) }.unwrap();
    let addr = line.trim_end().strip_suffix("/items").and_then(|url| url.strip_prefix("http://")).map(str::to_owned);
    let right = addr.is_some_and(|addr| {
        let is = |request, body, status: &str, told: &str| {
            ask(&addr, request, body).is_some_and(|(code, body)| code == status && body.contains(told))
        };
        is("GET /items", "", "200", "[\"one\"]")
            && is("GET /items/one", "", "200", "{\"n\": 1}")
            && is("PUT /items/two", "{\"n\": 2}", "201", "two")
            && std::fs::read_to_string(scratch.at("data/two.json")).is_ok_and(|text| text == "{\"n\":2}")
    });
    if !learns {
        // It may have ended by itself, which is one way of not doing its job.
        let _ = child.kill();
    }
    let reader = std::thread::spawn(move || {
        let mut rest = String::new();
        err.read_to_string(&mut rest).unwrap();
    });
    let mut told = String::new();
    out.read_to_string(&mut told).unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    (right, told)
}

#[test]
fn of_a_server() {
    let job = Job {
        name: "api",
        flags: &[],
        args: &["0"],
        input: b"",
        scene: &|scratch| {
            scratch.write("data/one.json", "{\"n\": 1}");
            scratch.write("other/secret", "");
        },
        done: &went_well,
    };
    let widest = [
        "learn",
        "--time",
        "20s",
        "--net",
        "127.0.0.1:0",
        "--net",
        "example.com:80",
        "--dir",
        "data:/data:rw",
        "--dir",
        "other:/other",
        "--grant",
        "capall",
    ];
    let (right, learned) = served(&job, &widest, &job.scratch(), true);
    assert!(right, "{learned}");
    let learned = unhurried(&learned);
    let with = |profile: &str| {
        let scratch = job.scratch();
        scratch.write("learned.toml", profile);
        served(&job, &["run", "--config", "learned.toml", "--profile", "api"], &scratch, false).0
    };
    assert!(with(&learned), "{learned}");
    assert_eq!((list(&learned, "net"), list(&learned, "dir")), (vec!["127.0.0.1:0".to_owned()], vec!["data:/data:rw".to_owned()]));
    for (gone, less) in each_one_less(&learned) {
        assert!(!with(&less), "api does as well without {gone} of\n{learned}");
    }
}
