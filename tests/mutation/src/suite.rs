//! The tests, which checks each reaches, and the verdict on each check.

use crate::Options;
use crate::report::Argued;
use crate::scratch::{Program, control, set};
use crate::sites::Check;
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write as _;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Programs whose tests are about the sources' text or the machine's speed, which the switches change.
const LEFT_OUT: &[&str] = &["tidy", "bench", "int_long"];
/// Seconds of tests that a check gets which is argued for.
const BRIEF: f64 = 3.0;
/// A test that takes longer than this, in seconds, is not asked.
const TOO_SLOW: f64 = 15.0;

/// What a test runs under: a mutant that lacks a bound must not take the machine's memory along, and a lane beside the first has its own
/// answer to which check is off where everybody looks for it.
const LANE: &str = r#"ulimit -v 12582912
[ "$1" = "$2" ] || mount --bind "$1" "$2" || exit 99
shift 2; exec "$@""#;
/// The same where what the test starts may outlive it without the check: it is all in a number space of its own, which ends with the shell.
const APART: &str = r#"ulimit -v 12582912
[ "$1" = "$2" ] || mount --bind "$1" "$2" || exit 99
shift 2; "$@""#;
/// Files whose checks hold programs that were started.
const STARTS: &[&str] = &["runtime/src/host/child/", "stdlib/os/", "stdlib/sbx/src/process.rs"];

/// One test.
#[derive(Debug)]
struct Test {
    program: usize,
    /// Its name, or nothing where a program is one test.
    name: Option<String>,
    seconds: f64,
    reaches: HashSet<u32>,
    kills: AtomicUsize,
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
    /// The checks of files that speak for others.
    speakers: HashMap<&'static str, HashSet<u32>>,
}

/// Files of programs that close what they inherited, and so can't say what they reach; whoever starts them speaks for them.
const SPOKEN_FOR: &[(&str, &str)] = &[
    ("runtime/src/host/child/helper.rs", "runtime/src/host/child/client.rs"),
    ("runtime/src/host/child/system.rs", "runtime/src/host/child/client.rs"),
    ("runtime/src/host/child/warden.rs", "runtime/src/host/child/client.rs"),
    ("runtime/src/host/child/wire.rs", "runtime/src/host/child/client.rs"),
];

/// Which tests found something, where: they are asked first about what is near.
#[derive(Default)]
struct Memory {
    /// By file.
    killers: BTreeMap<String, BTreeMap<usize, usize>>,
    /// The latest, by function.
    last: BTreeMap<String, usize>,
}

enum End {
    Passed,
    Failed(Vec<String>),
    TimedOut,
}

impl Suite {
    /// Runs every test by itself with all checks on, and takes note of what it reaches.
    pub fn new(scratch: &Path, programs: Vec<Program>, checks: &[Check], options: &Options) -> Suite {
        let lanes = options.lanes;
        let mut suite = Suite { scratch: scratch.to_path_buf(), programs, tests: Vec::new(), speakers: HashMap::new() };
        for check in checks {
            if let Some((_, speaker)) = SPOKEN_FOR.iter().find(|(_, speaker)| *speaker == check.file) {
                suite.speakers.entry(speaker).or_default().insert(check.number);
            }
        }
        let kept = scratch.join("tests.json");
        let numbers: HashMap<&str, u32> = checks.iter().map(|check| (check.key.as_str(), check.number)).collect();
        if options.resume {
            suite.tests = suite.recall(&std::fs::read_to_string(&kept).unwrap_or_default(), &numbers);
            println!("{} tests as they were", suite.tests.len());
        }
        (0..lanes).for_each(|lane| set(scratch, lane, "0"));
        let mut listed = Vec::new();
        for (n, program) in suite.programs.iter().enumerate().filter(|(_, program)| !LEFT_OUT.contains(&program.name.as_str())) {
            let output = command(scratch, 0, program, false).args(["--list", "--format", "terse"]).output();
            let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
            let names: Vec<String> = text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect();
            // What answers with anything else than a list has a harness of its own.
            if names.is_empty() && !text.trim().is_empty() {
                listed.push((n, None));
            }
            listed.extend(names.into_iter().map(|name| (n, Some(name))));
        }
        let known: HashSet<(usize, Option<String>)> = suite.tests.iter().map(|test| (test.program, test.name.clone())).collect();
        listed.retain(|test| !known.contains(test));
        println!("{} tests to look at in {} programs", listed.len(), suite.programs.len());
        let next = AtomicUsize::new(0);
        let passed = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for lane in 0..lanes {
                let (suite, listed, next, passed) = (&suite, &listed, &next, &passed);
                scope.spawn(move || {
                    while let Some((program, name)) = listed.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Some(test) = suite.look(lane, *program, name.clone()) {
                            passed.lock().unwrap().push(test);
                        }
                    }
                });
            }
        });
        suite.tests.extend(passed.into_inner().unwrap());
        suite.tests.sort_by(|a, b| (a.program, &a.name).cmp(&(b.program, &b.name)));
        (0..lanes).for_each(|lane| set(scratch, lane, "0"));
        let all: f64 = suite.tests.iter().map(|test| test.seconds).sum();
        println!("{} tests pass, in {all:.0} s one after another", suite.tests.len());
        let keys: HashMap<u32, &str> = checks.iter().map(|check| (check.number, check.key.as_str())).collect();
        let row = |test: &Test| {
            let reaches: Vec<&str> = test.reaches.iter().filter_map(|n| keys.get(n).copied()).collect();
            serde_json::json!({"program": suite.place(test.program), "name": test.name, "seconds": test.seconds, "reaches": reaches})
        };
        std::fs::write(kept, serde_json::Value::from(suite.tests.iter().map(row).collect::<Vec<_>>()).to_string()).unwrap();
        suite
    }

    /// One test with all checks on: what it reaches. Nothing when it fails, or takes too long.
    fn look(&self, lane: usize, program: usize, name: Option<String>) -> Option<Test> {
        let reached = self.scratch.join(format!("reached{lane}"));
        let _ = std::fs::remove_file(&reached);
        set(&self.scratch, lane, &format!("0 {}", reached.display()));
        let mut test = Test { program, name, seconds: 0.0, reaches: HashSet::new(), kills: AtomicUsize::new(0) };
        let began = Instant::now();
        let end = self.run(lane, program, test.name.as_slice(), Duration::from_secs_f64(3.0 * TOO_SLOW), false);
        test.seconds = began.elapsed().as_secs_f64();
        test.reaches = std::fs::read_to_string(&reached).unwrap_or_default().lines().filter_map(|line| line.parse().ok()).collect();
        match end {
            End::Failed(_) => println!("left out: {} fails with all checks on", self.label(&test)),
            End::TimedOut => println!("left out: {} takes too long", self.label(&test)),
            End::Passed if test.seconds > TOO_SLOW => println!("left out: {} takes {:.0} s", self.label(&test), test.seconds),
            End::Passed => return Some(test),
        }
        None
    }

    /// What was noted of tests before: checks keep their names when other lines change.
    fn recall(&self, text: &str, numbers: &HashMap<&str, u32>) -> Vec<Test> {
        let rows: Vec<serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
        let test = |row: &serde_json::Value| {
            let program = (0..self.programs.len()).find(|n| Some(self.place(*n).as_str()) == row["program"].as_str())?;
            let reaches = row["reaches"].as_array()?.iter().filter_map(|key| numbers.get(key.as_str()?).copied()).collect();
            let name = row["name"].as_str().map(str::to_owned);
            Some(Test { program, name, seconds: row["seconds"].as_f64()?, reaches, kills: AtomicUsize::new(0) })
        };
        rows.iter().filter_map(test).collect()
    }

    /// Which program it is, wherever it was built: several folders have one of the same name.
    fn place(&self, program: usize) -> String {
        let Program { name, folder, .. } = &self.programs[program];
        folder.strip_prefix(&self.scratch).unwrap_or(folder).join(name).display().to_string()
    }

    fn label(&self, test: &Test) -> String {
        format!("{}::{}", self.programs[test.program].name, test.name.as_deref().unwrap_or("all"))
    }

    fn run(&self, lane: usize, program: usize, names: &[String], most: Duration, apart: bool) -> End {
        let mut command = command(&self.scratch, lane, &self.programs[program], apart);
        if !names.is_empty() {
            command.arg("--exact").args(names);
        }
        let log = self.scratch.join(format!("output{lane}"));
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
    pub fn judge_all(self, checks: &[Check], options: &Options) -> Vec<Verdict> {
        let path = self.scratch.join("verdicts.jsonl");
        let before = self.scratch.join("verdicts.before");
        if !options.resume && path.is_file() {
            let _ = std::fs::rename(&path, &before);
        }
        // What an earlier run found is asked first; only what this run found counts.
        let (known, hints) = (known(&path), known(&before));
        let mut chosen: Vec<&Check> = checks.iter().filter(|c| options.numbers.is_empty() || options.numbers.contains(&c.number)).collect();
        // The sandbox first.
        chosen.sort_by_key(|check| (!check.file.starts_with("stdlib/sbx"), !check.file.starts_with("stdlib"), check.number));
        let file = Mutex::new(std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap());
        let (verdicts, memory, next) = (Mutex::new(Vec::new()), Mutex::new(Memory::default()), AtomicUsize::new(0));
        let argued = Argued::read();
        let judge_on = |lane: usize| {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let Some(check) = chosen.get(n).copied() else { break };
                if let Some(killer) = known.get(&check.key) {
                    verdicts.lock().unwrap().push(Verdict { check: check.clone(), killer: Some(killer.clone()), reached_by: 1, asked: 1 });
                    continue;
                }
                // What no test can miss need not be shown to all of them.
                let patience = if argued.has(check) { options.patience.min(BRIEF) } else { options.patience };
                let verdict = self.judge(lane, check, patience, &memory, hints.get(&check.key));
                let row = serde_json::json!({ "check": check.to_string(), "key": check.key, "killer": verdict.killer, "reached_by": verdict.reached_by, "asked": verdict.asked });
                writeln!(file.lock().unwrap(), "{row}").unwrap();
                match &verdict.killer {
                    Some(_) if n % 50 != 0 => {}
                    Some(killer) => println!("{n}/{} … {killer}", chosen.len()),
                    None => println!("SURVIVES ({}/{} tests) {check}", verdict.asked, verdict.reached_by),
                }
                verdicts.lock().unwrap().push(verdict);
            }
            set(&self.scratch, lane, "0");
        };
        std::thread::scope(|scope| {
            for lane in 1..options.lanes {
                let judge_on = &judge_on;
                scope.spawn(move || judge_on(lane));
            }
            judge_on(0);
        });
        let mut verdicts = verdicts.into_inner().unwrap();
        verdicts.sort_by_key(|verdict| verdict.check.number);
        verdicts
    }

    /// The tests that reach a check, those that are likely to miss it first: what missed it before, or its neighbour; then what is quick, what
    /// missed much in this file, and what is about little else.
    fn order(&self, check: &Check, memory: &Memory, before: Option<&String>) -> Vec<usize> {
        let speaker = SPOKEN_FOR.iter().find(|(file, _)| *file == check.file).and_then(|(_, speaker)| self.speakers.get(speaker));
        let reaches = |test: &Test| test.reaches.contains(&check.number) || speaker.is_some_and(|said| !said.is_disjoint(&test.reaches));
        let mut order: Vec<usize> = (0..self.tests.len()).filter(|n| reaches(&self.tests[*n])).collect();
        let recent = memory.last.get(&place(check)).copied();
        let near = memory.killers.get(&check.file);
        let parts: Vec<&str> = check.file.rsplit('/').take(2).map(|part| part.trim_end_matches(".rs")).collect();
        let about = |n: usize| {
            let label = self.label(&self.tests[n]);
            parts.iter().any(|part| label.contains(part)) || TOPICS.iter().any(|(part, rows)| parts.contains(part) && label.contains(rows))
        };
        let cost = |n: usize| {
            let test = &self.tests[n];
            let kills = near.and_then(|near| near.get(&n)).copied().unwrap_or(0).min(4) as f64;
            (test.seconds + 0.02) * (0.2 + test.reaches.len() as f64 / 600.0) / (1.0 + 2.0 * kills) / if about(n) { 5.0 } else { 1.0 }
        };
        let was = |n: usize| before.is_some_and(|label| label.strip_prefix(TIMED_OUT).unwrap_or(label) == self.label(&self.tests[n]));
        let mut keyed: Vec<(bool, bool, f64, usize)> = order.iter().map(|n| (!was(*n), Some(*n) != recent, cost(*n), *n)).collect();
        keyed.sort_by(|a, b| a.partial_cmp(b).unwrap());
        order.clear();
        order.extend(keyed.into_iter().map(|(_, _, _, n)| n));
        order
    }

    fn judge(&self, lane: usize, check: &Check, patience: f64, memory: &Mutex<Memory>, before: Option<&String>) -> Verdict {
        let mut order = self.order(check, &memory.lock().unwrap(), before);
        let reached_by = order.len();
        set(&self.scratch, lane, &check.number.to_string());
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
            // Who failed; where nobody says so, because they did not end or took the program down, any of them.
            let (suspects, sure) = match self.run(lane, program, &names, most(seconds), apart(check)) {
                End::Passed => continue,
                End::TimedOut => (batch.clone(), false),
                End::Failed(failed) => {
                    let named = |n: &usize| self.tests[*n].name.as_ref().is_some_and(|name| failed.contains(name));
                    let told: Vec<usize> = batch.iter().copied().filter(named).collect();
                    (if told.is_empty() { batch.clone() } else { told }, batch.len() == 1)
                }
            };
            let found = suspects.into_iter().find_map(|found| Some((found, self.confirm(lane, found, check, sure)?)));
            if let Some((found, label)) = found {
                let mut memory = memory.lock().unwrap();
                memory.last.insert(place(check), found);
                *memory.killers.entry(check.file.clone()).or_default().entry(found).or_default() += 1;
                killer = Some(label);
            }
        }
        Verdict { check: check.clone(), killer, reached_by, asked }
    }

    /// Is it this check that the test misses? By itself it fails without it, and passes with all checks on. What to call it, if so.
    fn confirm(&self, lane: usize, found: usize, check: &Check, sure: bool) -> Option<String> {
        let test = &self.tests[found];
        let names: Vec<String> = test.name.iter().cloned().collect();
        let mut label = self.label(test);
        if !sure {
            match self.run(lane, test.program, &names, most(test.seconds), apart(check)) {
                End::Passed => return None,
                End::TimedOut => label.insert_str(0, TIMED_OUT),
                End::Failed(_) => {}
            }
        }
        if test.kills.load(Ordering::Relaxed) < 3 {
            set(&self.scratch, lane, "0");
            let end = self.run(lane, test.program, &names, Duration::from_secs(600), apart(check));
            set(&self.scratch, lane, &check.number.to_string());
            if !matches!(end, End::Passed) {
                println!("{label} fails by itself");
                return None;
            }
        }
        test.kills.fetch_add(1, Ordering::Relaxed);
        Some(label)
    }
}

/// Before the name of a test that did not end.
const TIMED_OUT: &str = "time ran out in ";

/// Rows of attacks that are about a folder or file of another name.
const TOPICS: &[(&str, &str)] = &[("http", "net_"), ("child", "prc_"), ("os", "prc_"), ("process", "prc_"), ("rights", "cap_")];

/// How long tests get that take so many seconds with all checks on.
fn most(seconds: f64) -> Duration {
    Duration::from_secs_f64(20.0 + 8.0 * seconds)
}

/// Is it better tried where nothing that it lets loose stays?
fn apart(check: &Check) -> bool {
    STARTS.iter().any(|part| check.file.starts_with(part))
}

fn place(check: &Check) -> String {
    format!("{} {}", check.file, check.function)
}

fn command(scratch: &Path, lane: usize, program: &Program, apart: bool) -> Command {
    let mut command = Command::new(if lane == 0 && !apart { "sh" } else { "unshare" });
    match (lane, apart) {
        (_, true) => command.args(["-m", "-p", "-f", "--kill-child", "--mount-proc", "sh"]),
        (0, false) => &mut command,
        (_, false) => command.args(["-m", "sh"]),
    };
    command.args(["-c", if apart { APART } else { LANE }, "lane"]).args([control(scratch, lane), control(scratch, 0)]).arg(&program.path);
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
