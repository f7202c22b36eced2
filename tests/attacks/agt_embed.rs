//! AGT-E: hosts: tenants beside each other, what a run leaves for the next, files of grants, runs without end, quotas.

use crate::bout::bout;
use ilu_sbx::{Grants, Limits};
use ilu_tests::command::{Ran, Scratch, ilu, root};
use ilu_tests::inside::run_text;
use ilu_tests::tally::{Part, note};
use ilu_tests::watched::watch_beside;
use std::io::Write;
use std::sync::{Arc, Mutex};

/// A sink of audit lines that a test reads afterwards.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a tenant's run does after it has filled its heap, log and names with its own marker: it ends in one of these ways.
const FAULTS: [&str; 8] = [
    "prn len(all)",
    "err(all)",
    "nil()",
    "whl tru: nil",
    "f() = f() + 1\nf()",
    "__sys_time()",
    "use os\nos.exit(3)",
    "s = \"x\"\nwhl tru: s += s",
];

pub fn agt_019_tenants_of_one_engine_see_nothing_of_each_other() {
    let run = |tenant: usize, turn: usize, look: &str| {
        let marker = format!("marker{tenant}x");
        let text = format!(
            "use sbx\nuse obs\nuse txt\nname_{marker} = \"{marker}\"\nall = 0..<20 | map \\(i) \"{marker}\" + str(i)\no = {{\"{marker}\": 1}}\n\
             obs.info(\"{marker}\")\ntry(\\() __sys_getenv(\"{marker}\"))\nsbxtr(sbxmk([], {{fuel: 500}}), \\() sbxev(sbxme(), \"x = '{marker}'\"))\n{look}\n{}",
            FAULTS[(turn * 5 + tenant) % FAULTS.len()]
        );
        let lines = Lines::default();
        let grants = Grants {
            caps: ilu_cap::parse_list("capio,capob,cappr").unwrap(),
            env: vec![(format!("OF{tenant}"), marker)],
            limits: Limits { fuel: 20_000, memory: 1 << 20, ..Limits::default() },
            ..Grants::default()
        };
        let sink = lines.clone();
        let (outcome, out, err) = run_text(&text, grants, |setup| {
            setup.sink = Some(Box::new(sink));
            setup.summarise = true;
        });
        let record = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
        (out + &err + &record + &format!("{:?} {:?} {:?}", outcome.result, outcome.used, outcome.ledger), record)
    };
    std::thread::scope(|scope| {
        for first in 0..2 {
            scope.spawn(move || {
                for turn in 0..400 {
                    let tenant = (turn + first) % 2;
                    let look = "prn sbxls(sbxme()), len(sbxlg(sbxme())), str(sbxug(sbxme())), txt.pad(\"\", 50)";
                    let (told, record) = run(tenant, turn, look);
                    assert!(!told.contains(&format!("marker{}x", 1 - tenant)), "tenant {tenant}, turn {turn}: {told}");
                    assert!(record.contains(&format!("marker{tenant}x")), "it would be seen: {record}");
                }
            });
        }
    });
    note(Part::Refusal);
    note(Part::Control);
    // What both were given, both see.
    let shared = |text: &str| {
        let env = vec![("SHARED".to_owned(), "of both".to_owned())];
        let caps = ilu_cap::parse_list("capio,cappr").unwrap();
        run_text(text, Grants { caps, env, ..Grants::default() }, |_| {}).1
    };
    assert_eq!((shared("prn __sys_getenv(\"SHARED\")"), shared("prn __sys_getenv(\"SHARED\")")), ("of both\n".into(), "of both\n".into()));
    note(Part::Twin);
}

/// Files that something else trusts once they are there.
const TRUSTED_BY_OTHERS: [&str; 14] = [
    ".git/hooks/pre-commit",
    ".git/config",
    ".gitmodules",
    ".bashrc",
    ".profile",
    ".zshrc",
    ".mcp.json",
    ".vscode/settings.json",
    ".idea/workspace.xml",
    ".envrc",
    "app.desktop",
    "crontab",
    ".config/helix/languages.toml",
    "Makefile",
];

pub fn agt_020_what_others_trust_is_safe_outside_a_writable_grant_and_only_there() {
    bout(|b| {
        for name in TRUSTED_BY_OTHERS {
            b.file(name, "before");
            let text = format!(
                "s = sbxmk(capfs(), {{dir: {{\"HELD\": \"rw\"}}}})\nsbxrn(s, \\() __sys_write_file(\"/g/{name}\", \"evil\"))\nprn __sys_read_file(\"/g/{name}\")"
            );
            b.duel(name, "__sys_write_file", ("/g/d", "/g"), &text, "evil");
        }
        b.control("its own directory", "s = sbxmk(capfs(), {dir: {\"/g/d\": \"rw\"}})\nsbxrn(s, \\() __sys_write_file(\"/g/d/x\", \"fine\"))\nprn __sys_read_file(\"/g/d/x\")", "fine");
    });
    let page = std::fs::read_to_string(root().join("docs/authority.md")).unwrap();
    assert!(page.contains("A writable directory is writable whole") && page.contains(".git/hooks"), "the boundary is documented");
    // What ilu itself trusts is never in a writable grant.
    let scratch = Scratch::new("trusts");
    scratch.write("work/ilu.toml", "[profile.default]\ngrant = \"capio\"\n");
    scratch.write("work/rules.json", "[]");
    scratch.write("work/lib.ilu", "word = 1\n");
    scratch.write("work/job.ilu", "use \"lib.ilu\"\nprn word\n");
    scratch.write("other/x", "");
    let at = |name: &str| scratch.at(name).display().to_string();
    let run = |flags: &[&str], access: &str, dir: &str| {
        let grant = format!("{}:/w:{access}", at(dir));
        let mut args = vec!["run", "--color", "never", "--dir", &grant];
        args.extend(flags);
        let job = at("work/job.ilu");
        args.push(&job);
        ilu(&args)
    };
    let audit = at("work/audit.jsonl");
    let report = at("work/report.html");
    let config = at("work/ilu.toml");
    let rules = at("work/rules.json");
    for (name, flags, code, says) in [
        ("modules", vec![], 1, "overlaps a directory that the program may write"),
        ("the audit", vec!["--audit", audit.as_str()], 2, "the script could change it"),
        ("the report", vec!["--report", report.as_str()], 2, "the script could change it"),
        ("the file of network rules", vec!["--grant", "capio", "--pol", rules.as_str()], 2, "the script could change it"),
        ("the file of grants", vec!["--config", config.as_str()], 2, "the script could change it"),
    ] {
        let ran = run(&flags, "rw", "work");
        assert!(ran.code == Some(code) && ran.err.contains(says), "{name}: {ran:?}");
        note(Part::Refusal);
        for (access, dir) in [("ro", "work"), ("rw", "other")] {
            let ran = run(&flags, access, dir);
            assert_eq!((ran.code, ran.out.as_str()), (Some(0), "1\n"), "{name} {access} {dir}: {}", ran.err);
            note(Part::Twin);
        }
    }
}

/// Runs a job in a folder, with a home of its own.
fn at_home(scratch: &Scratch, args: &[&str]) -> Ran {
    let mut command = std::process::Command::new(ilu_tests::command::binary());
    command.args(args).current_dir(scratch.at("work")).env_clear().env("HOME", scratch.at("home"));
    ilu_tests::command::finish(command, b"")
}

pub fn agt_021_what_a_run_wrote_gives_a_later_one_nothing() {
    let scratch = Scratch::new("steps");
    scratch.write("home/x", "");
    scratch.write("work/out/x", "");
    let job = "prn __sys_read_file(\"secret\")\n";
    scratch.write("work/secret", "the secret");
    scratch.write("work/job.ilu", job);
    let wide = "[profile.default]\ngrant = \"capfs,capio\"\ndir = \".:.\"\n";
    let narrow = "[profile.default]\ngrant = \"capio\"\n";
    // First step: a script with the folder granted leaves a file of grants beside the other, later run.
    let plant = |text: &str| {
        let quoted = text.replace('\n', "\\n").replace('"', "\\\"");
        let ran = at_home(&scratch, &["run", "--dir", ".:/w:rw", "-e", &format!("__sys_write_file(\"/w/ilu.toml\", \"{quoted}\")")]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    };
    plant(wide);
    let ran = at_home(&scratch, &["run", "job.ilu"]);
    assert!(ran.code == Some(3) && !ran.out.contains("the secret"), "nobody trusted it: {ran:?}");
    note(Part::Refusal);
    // It is trusted as it is, and then changed.
    plant(narrow);
    assert_eq!(at_home(&scratch, &["trust", "ilu.toml"]).code, Some(0));
    let ran = at_home(&scratch, &["run", "job.ilu"]);
    assert!(ran.code == Some(3), "it grants little: {ran:?}");
    note(Part::Control);
    plant(wide);
    let ran = at_home(&scratch, &["run", "job.ilu"]);
    assert!(ran.code == Some(3) && ran.err.contains("changed since it was trusted") && !ran.out.contains("the secret"), "{ran:?}");
    note(Part::Refusal);
    assert_eq!(at_home(&scratch, &["trust", "ilu.toml"]).code, Some(0));
    let ran = at_home(&scratch, &["run", "job.ilu"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "the secret\n"), "trusted as it is, it counts: {}", ran.err);
    note(Part::Twin);
    // A list of trusted files that the script could write is no list.
    let ran = at_home(&scratch, &["run", "--dir", "../home:/h:rw", "-e", "prn 1"]);
    assert!(ran.code == Some(2) && ran.err.contains("could trust files"), "{ran:?}");
    note(Part::Refusal);
    // A module that a run wrote is loaded by a run that may not write it, and runs with that run's rights: the boundary is the grant.
    let ran =
        at_home(&scratch, &["run", "--dir", "out:/o:rw", "-e", "__sys_write_file(\"/o/m.ilu\", \"prn __sys_read_file('secret')\\n\")"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    std::fs::remove_file(scratch.at("work/ilu.toml")).unwrap();
    scratch.write("work/uses.ilu", "use \"out/m.ilu\"\n");
    let ran = at_home(&scratch, &["run", "uses.ilu"]);
    assert!(ran.code == Some(3) && !ran.out.contains("the secret"), "{ran:?}");
    note(Part::Refusal);
    let ran = at_home(&scratch, &["run", "--dir", "out:/o:rw", "uses.ilu"]);
    assert!(ran.code == Some(1) && ran.err.contains("may write"), "the run that could have written it does not load it: {ran:?}");
    note(Part::Refusal);
}

pub fn agt_023_a_file_of_grants_is_right_or_an_error_that_names_what_is_wrong() {
    let scratch = Scratch::new("config");
    scratch.write("in/a", "alpha");
    scratch.write("job.ilu", "prn 1\n");
    let run = |text: &[u8]| {
        let config = scratch.write("grants.toml", text).display().to_string();
        ilu(&["run", "--color", "never", "--config", &config, &scratch.at("job.ilu").display().to_string()])
    };
    let good = "[profile.default]\ngrant = \"capio\"\n";
    let bomb = format!("[profile.default]\ngrant = {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    let long = format!("[profile.default]\ngrant = \"{}\"\n", "x".repeat(3 << 20));
    let many: String = (0..20_000).map(|n| format!("[profile.p{n}]\ngrant = \"capio\"\n")).collect();
    for (name, text, says) in [
        ("an unknown key", "[profile.default]\ngrants = \"capall\"\n", "unknown key `grants` (did you mean `grant`?)"),
        ("an unknown table", "[profiles.default]\n", "unknown key `profiles` (did you mean `profile`?)"),
        ("a key twice", "[profile.default]\ngrant = \"capio\"\ngrant = \"capall\"\n", "duplicate"),
        ("a profile twice", "[profile.default]\n[profile.default]\n", "duplicate"),
        ("a key of another case", "[profile.default]\nGrant = \"capall\"\n", "unknown key `Grant`"),
        ("a list for a number", "[profile.default]\nfuel = [1]\n", "`fuel`"),
        ("a negative number", "[profile.default]\nfuel = -1\n", "fuel"),
        ("a number beyond all", "[profile.default]\nfuel = 99999999999999999999\n", "fuel"),
        ("not a number", "[profile.default]\nfuel = nan\n", "fuel"),
        ("a table for a list", "[profile.default.dir]\nx = 1\n", "`dir` is a list of texts"),
        ("an unknown native", "[profile.default]\ngrant = \"__os_rum\"\n", "__os_run"),
        ("a star", "[profile.default]\ngrant = \"*\"\n", "*"),
        ("an environment's variable", "[profile.default]\ndir = \"$HOME:/h\"\n", "$HOME"),
        ("another's form of it", "[profile.default]\ndir = \"${HOME}/x:/h\"\n", "${HOME}"),
        ("a tilde", "[profile.default]\ndir = \"~:/h\"\n", "~"),
        ("no such directory", "[profile.default]\ndir = \"none:/h\"\n", "none"),
        ("no such profile", "[profile.other]\n", "there is no profile `default`"),
        ("nothing", "", "there is no profile `default`"),
        ("not TOML", "{\"profile\": {}}", "grants.toml"),
        ("YAML", "a: &a [x]\nb: [*a, *a]\n", "grants.toml"),
        ("cut off", "[profile.default]\ngrant = \"cap", "grants.toml"),
        ("nested deep", &bomb, "grants.toml"),
        ("a name of three mebibytes", &long, ""),
    ] {
        let ran = run(text.as_bytes());
        assert!(
            ran.code == Some(2) && ran.err.contains(says) && ran.err.len() < 8_000,
            "{name}: {:?} {}",
            ran.code,
            ran.err.chars().take(500).collect::<String>()
        );
        note(Part::Refusal);
    }
    let ran = run(b"[profile.default]\ngrant = \"\xff\"\n");
    assert!(ran.code == Some(2) && ran.err.contains("UTF-8"), "{ran:?}");
    note(Part::Refusal);
    for (name, text) in [
        ("as it should be", good.to_string()),
        ("with a mark of byte order", format!("\u{feff}{good}")),
        ("many profiles", format!("{many}{good}")),
    ] {
        let ran = run(text.as_bytes());
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), "1\n"), "{name}: {}", ran.err);
        note(Part::Twin);
    }
    // Paths in it are relative to it, wherever the command is run.
    scratch.write("reads.ilu", "prn __sys_read_file(\"/in/a\")\n");
    let config = scratch.write("grants.toml", "[profile.default]\ngrant = \"capfs,capio\"\ndir = \"in:/in\"\n").display().to_string();
    let ran = ilu(&["run", "--config", &config, &scratch.at("reads.ilu").display().to_string()]);
    assert_eq!(ran.out, "alpha\n", "{}", ran.err);
    note(Part::Control);
}

pub fn agt_024_a_process_that_runs_everything_again_and_again_does_not_grow() {
    let ran = watch_beside("soak", "4", b"");
    assert_eq!(ran.code, Some(0), "{} {}", ran.out, ran.err);
    let runs =
        |word: &str| ran.out.lines().find(|line| line.starts_with(word)).and_then(|line| line.split(' ').nth(1)?.parse::<u32>().ok());
    assert!(runs("late:") > runs("early:") && runs("early:").is_some(), "{}", ran.out);
    note(Part::Attempt);
    note(Part::Control);
}

pub fn agt_025_what_costs_money_is_counted_by_the_call() {
    // No native costs money here; whichever will, its calls are counted as these are.
    bout(|b| {
        for (name, body) in [
            ("a loop", "  i <- 0..<10: __sys_time()"),
            ("recursion", "  f(n) =\n    __sys_time()\n    if n: f(n - 1)\n  f(9)"),
            ("siblings", "  i <- 0..<10: sbxrn(sbxmk(captime(), {lax: tru}), \\() __sys_time())"),
            ("callbacks", "  0..<10 | map \\(x) __sys_time()"),
            ("retries", "  n = 0\n  whl n < 10:\n    try(\\() __sys_time())\n    n += 1"),
            ("other names for it", "  i <- 0..<5:\n    __sys_now()\n    __sys_get_time()"),
            ("the library", "  use tim\n  i <- 0..<10: tim.ms()"),
            ("evaluated text", "  i <- 0..<10: sbxev(sbxme(), \"__sys_time()\")"),
        ] {
            let text = format!(
                "s = sbxmk(captime(), {{calls: {{__sys_time: HELD}}}})\nr = sbxtr(s, \\()\n{body}\n)\nprn r.err, sbxug(s).calls.__sys_time"
            );
            note(Part::Refusal);
            let got = b.run(name, &text.replace("HELD", "3"));
            b.check(
                name,
                got.out == "calls of `__sys_time` ran out (limit 3) 3\n" || got.out.contains("not hold"),
                &(got.out.clone(), got.message.clone()),
            );
            b.twin(name, &text.replace("HELD", "10"), "nil 10");
        }
        b.control("three", "s = sbxmk(captime(), {calls: {__sys_time: 3}})\nprn sbxtr(s, \\() typ(__sys_time())).val", "num");
    });
}
