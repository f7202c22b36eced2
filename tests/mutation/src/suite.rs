//! The tests, which checks each reaches, and the verdict on each check.

use crate::Options;
use crate::scratch::{Program, set};
use crate::sites::Check;
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Programs whose tests are about the sources' text or the machine's speed, which the switches change.
const LEFT_OUT: &[&str] = &["tidy", "bench", "int_long"];
/// A test that takes longer than this, in seconds, is not asked.
const TOO_SLOW: f64 = 10.0;

/// One test.
#[derive(Clone, Debug)]
struct Test {
    program: usize,
    /// Its name, or nothing where a program is one test.
    name: Option<String>,
    seconds: f64,
    reaches: HashSet<u32>,
    kills: usize,
}

/// What became of a check.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub check: Check,
    /// The test that fails without it; nothing when none does.
    pub killer: Option<String>,
    /// How many tests reach it, and how many of them were asked.
    pub reached_by: usize,
    pub asked: usize,
}

pub struct Suite {
    scratch: PathBuf,
    programs: Vec<Program>,
    tests: Vec<Test>,
}

enum End {
    Passed,
    Failed(Vec<String>),
    TimedOut,
}

impl Suite {
    /// Runs every test by itself with all checks on, and takes note of what it reaches.
    pub fn new(scratch: &Path, programs: Vec<Program>, resume: bool) -> Suite {
        let mut suite = Suite { scratch: scratch.to_path_buf(), programs, tests: Vec::new() };
        let (reached, kept) = (scratch.join("reached"), scratch.join("tests.json"));
        let newest = suite.programs.iter().filter_map(|program| program.path.metadata().ok()?.modified().ok()).max();
        if resume && kept.metadata().ok().and_then(|meta| meta.modified().ok()) > newest {
            suite.tests = suite.recall(&std::fs::read_to_string(&kept).unwrap());
            println!("{} tests as they were", suite.tests.len());
            return suite;
        }
        set(scratch, "0");
        let mut listed = Vec::new();
        for (n, program) in suite.programs.iter().enumerate().filter(|(_, program)| !LEFT_OUT.contains(&program.name.as_str())) {
            let output = command(program).args(["--list", "--format", "terse"]).output();
            let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
            let names: Vec<String> = text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect();
            // What answers with anything else than a list has a harness of its own.
            if names.is_empty() && !text.trim().is_empty() {
                listed.push((n, None));
            }
            listed.extend(names.into_iter().map(|name| (n, Some(name))));
        }
        println!("{} tests in {} programs", listed.len(), suite.programs.len());
        set(scratch, &format!("0 {}", reached.display()));
        for (program, name) in listed {
            let _ = std::fs::remove_file(&reached);
            let mut test = Test { program, name, seconds: 0.0, reaches: HashSet::new(), kills: 0 };
            let began = Instant::now();
            let end = suite.run(program, test.name.as_slice(), Duration::from_secs_f64(3.0 * TOO_SLOW));
            test.seconds = began.elapsed().as_secs_f64();
            test.reaches = std::fs::read_to_string(&reached).unwrap_or_default().lines().filter_map(|line| line.parse().ok()).collect();
            match end {
                End::Failed(_) => println!("left out: {} fails with all checks on", suite.label(&test)),
                End::TimedOut => println!("left out: {} takes too long", suite.label(&test)),
                End::Passed if test.seconds > TOO_SLOW => println!("left out: {} takes {:.0} s", suite.label(&test), test.seconds),
                End::Passed => suite.tests.push(test),
            }
        }
        set(scratch, "0");
        let all: f64 = suite.tests.iter().map(|test| test.seconds).sum();
        println!("{} tests pass, in {all:.0} s one after another", suite.tests.len());
        let row = |test: &Test| {
            let path = &suite.programs[test.program].path;
            serde_json::json!({"path": path, "name": test.name, "seconds": test.seconds, "reaches": test.reaches})
        };
        std::fs::write(kept, serde_json::Value::from(suite.tests.iter().map(row).collect::<Vec<_>>()).to_string()).unwrap();
        suite
    }

    /// What was noted of tests before.
    fn recall(&self, text: &str) -> Vec<Test> {
        let rows: Vec<serde_json::Value> = serde_json::from_str(text).expect("a list");
        let test = |row: &serde_json::Value| {
            let program = self
                .programs
                .iter()
                .position(|program| Some(program.path.as_os_str()) == row["path"].as_str().map(std::ffi::OsStr::new))?;
            let reaches = row["reaches"].as_array()?.iter().filter_map(|n| u32::try_from(n.as_u64()?).ok()).collect();
            Some(Test { program, name: row["name"].as_str().map(str::to_owned), seconds: row["seconds"].as_f64()?, reaches, kills: 0 })
        };
        rows.iter().filter_map(test).collect()
    }

    fn label(&self, test: &Test) -> String {
        format!("{}::{}", self.programs[test.program].name, test.name.as_deref().unwrap_or("all"))
    }

    fn run(&self, program: usize, names: &[String], most: Duration) -> End {
        let mut command = command(&self.programs[program]);
        if !names.is_empty() {
            command.arg("--exact").args(names);
        }
        let log = self.scratch.join("output");
        let file = std::fs::File::create(&log).unwrap();
        let mut child =
            command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file).process_group(0).spawn().expect("a test starts");
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > most {
                // What it started goes with it.
                if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                    let _ = kill_process_group(group, Signal::KILL);
                }
                let _ = child.wait();
                return End::TimedOut;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        if status.success() {
            return End::Passed;
        }
        let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap_or_default()).into_owned();
        let failed = |line: &str| Some(line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?.to_owned());
        End::Failed(text.lines().filter_map(failed).collect())
    }

    /// The verdict on each check, told as it comes.
    pub fn judge_all(mut self, checks: &[Check], options: &Options) -> Vec<Verdict> {
        let path = self.scratch.join("verdicts.jsonl");
        let known = if options.resume { known(&path) } else { BTreeMap::new() };
        if !options.resume {
            let _ = std::fs::remove_file(&path);
        }
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        let mut verdicts = Vec::new();
        let mut last: BTreeMap<String, usize> = BTreeMap::new();
        let mut chosen: Vec<&Check> = checks.iter().filter(|c| options.numbers.is_empty() || options.numbers.contains(&c.number)).collect();
        // The sandbox first.
        chosen.sort_by_key(|check| (!check.file.starts_with("stdlib/sbx"), !check.file.starts_with("stdlib"), check.number));
        for (n, check) in chosen.iter().enumerate() {
            if let Some(killer) = known.get(&check.key) {
                verdicts.push(Verdict { check: (*check).clone(), killer: Some(killer.clone()), reached_by: 1, asked: 1 });
                continue;
            }
            let verdict = self.judge(check, options.patience, &mut last);
            let row = serde_json::json!({ "check": check.to_string(), "key": check.key, "killer": verdict.killer, "reached_by": verdict.reached_by, "asked": verdict.asked });
            writeln!(file, "{row}").unwrap();
            match &verdict.killer {
                Some(_) if n % 50 != 0 => {}
                Some(killer) => println!("{n}/{} … {killer}", chosen.len()),
                None => println!("SURVIVES ({}/{} tests) {check}", verdict.asked, verdict.reached_by),
            }
            verdicts.push(verdict);
        }
        set(&self.scratch, "0");
        verdicts
    }

    fn judge(&mut self, check: &Check, patience: f64, last: &mut BTreeMap<String, usize>) -> Verdict {
        let mut order: Vec<usize> = (0..self.tests.len()).filter(|n| self.tests[*n].reaches.contains(&check.number)).collect();
        let reached_by = order.len();
        let place = format!("{} {}", check.file, check.function);
        let recent = last.get(&place).copied();
        // What missed a neighbour may miss this one; then what is quick, and what has missed much.
        let cost = |n: usize| self.tests[n].seconds + 0.02 - 0.01 * (self.tests[n].kills.min(50) as f64) / 50.0;
        order.sort_by(|a, b| (Some(*a) != recent, cost(*a)).partial_cmp(&(Some(*b) != recent, cost(*b))).unwrap());
        set(&self.scratch, &check.number.to_string());
        let (mut asked, mut spent) = (0, 0.0);
        let mut killer = None;
        while asked < order.len() && spent < patience && killer.is_none() {
            // A handful of one program's tests at a time.
            let program = self.tests[order[asked]].program;
            let size = if asked == 0 { 1 } else { 24 };
            let mut batch: Vec<usize> = Vec::new();
            let mut seconds = 0.0;
            let mut rest = order.split_off(asked);
            rest.retain(|n| {
                let takes =
                    self.tests[*n].program == program && batch.len() < size && (batch.is_empty() || seconds + self.tests[*n].seconds < 4.0);
                if takes {
                    batch.push(*n);
                    seconds += self.tests[*n].seconds;
                }
                !takes
            });
            order.extend(&batch);
            order.extend(rest);
            asked += batch.len();
            spent += seconds;
            let names: Vec<String> = batch.iter().filter_map(|n| self.tests[*n].name.clone()).collect();
            let (found, label) = match self.run(program, &names, Duration::from_secs_f64(40.0 + 10.0 * seconds)) {
                End::Passed => continue,
                End::TimedOut => (batch[0], format!("time ran out in {}", self.label(&self.tests[batch[0]]))),
                End::Failed(failed) => {
                    let named = |n: &&usize| self.tests[**n].name.as_ref().is_some_and(|name| failed.contains(name));
                    let first = batch.iter().find(named).copied().unwrap_or(batch[0]);
                    (first, self.label(&self.tests[first]))
                }
            };
            // A test that fails with all checks on as well has shown nothing.
            set(&self.scratch, "0");
            let trusted = self.tests[found].kills >= 3;
            let names: Vec<String> = self.tests[found].name.iter().cloned().collect();
            if trusted || matches!(self.run(program, &names, Duration::from_secs(600)), End::Passed) {
                self.tests[found].kills += 1;
                last.insert(place.clone(), found);
                killer = Some(label);
            } else {
                println!("{label} fails by itself");
                set(&self.scratch, &check.number.to_string());
            }
        }
        Verdict { check: check.clone(), killer, reached_by, asked }
    }
}

fn command(program: &Program) -> Command {
    let mut command = Command::new(&program.path);
    command
        .current_dir(&program.folder)
        .env("CARGO_MANIFEST_DIR", &program.folder)
        .env("INSTA_UPDATE", "no")
        .env("INSTA_WORKSPACE_ROOT", program.folder.ancestors().find(|f| f.join("Cargo.lock").is_file()).unwrap_or(&program.folder))
        .env("RUST_BACKTRACE", "0");
    command
}

/// Checks that a test has been found for.
fn known(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let row = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).ok()?;
        Some((row["key"].as_str()?.to_owned(), row["killer"].as_str()?.to_owned()))
    };
    text.lines().filter_map(row).collect()
}
