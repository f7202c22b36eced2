//! The copy of the tree with a switch in every check, and its build.

use crate::rewrite::{self, Put};
use crate::scope::Source;
use crate::sites::Check;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(Path::parent).expect("the crate lies two folders deep").to_path_buf()
}

/// The crate that all switches ask. Which check is off stands in a file, not in a variable: tests start programs with an empty environment.
/// In a tree of its own only a program that can't read the file any more has all checks on.
const SWITCH: &str = r#"//! Which check is off.
use std::cell::Cell;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};

const CONTROL: &str = CONTROL_FILE;
const MOST: usize = 20_000;

struct State { off: u32, seen: Option<Mutex<std::fs::File>> }

static STATE: LazyLock<State> = LazyLock::new(|| {
    let text = std::fs::read_to_string(CONTROL).unwrap_or_default();
    let mut words = text.split_whitespace();
    let off = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
    let open = |path: &str| std::fs::OpenOptions::new().append(true).create(true).open(path).ok().map(Mutex::new);
    State { off, seen: words.next().and_then(open) }
});
static NOTED: [AtomicBool; MOST] = [const { AtomicBool::new(false) }; MOST];
thread_local! { static UNGUARDED: Cell<u32> = const { Cell::new(0) }; }

fn note(check: u32, state: &State) {
    if let Some(file) = &state.seen {
        if NOTED.get(check as usize).is_some_and(|noted| !noted.swap(true, Ordering::Relaxed)) {
            if let Ok(mut file) = file.lock() { let _ = file.write_all(format!("{check}\n").as_bytes()); }
        }
    }
}

/// Is this check off?
#[inline]
pub fn on(check: u32) -> bool {
    let state = &*STATE;
    note(check, state);
    state.off == check && check != 0
}

/// Until it is dropped, the judge of rights looks away when this check is off.
pub struct Bypass(u32);
impl Drop for Bypass {
    fn drop(&mut self) { UNGUARDED.with(|cell| cell.set(self.0)); }
}
pub fn bypass(check: u32) -> Bypass { Bypass(UNGUARDED.with(|cell| cell.replace(check))) }
pub fn bypassed() -> bool {
    let check = UNGUARDED.with(Cell::get);
    check != 0 && on(check)
}
"#;

/// Copies what belongs to the repository; files that are as they were stay untouched, so that little is built again.
pub fn copy(scratch: &Path) {
    let root = repository();
    let listed = Command::new("git").args(["ls-files", "-co", "--exclude-standard", "-z"]).current_dir(&root).output().expect("git lists");
    let names: BTreeSet<String> =
        String::from_utf8(listed.stdout).unwrap().split('\0').filter(|n| !n.is_empty()).map(str::to_owned).collect();
    assert!(!names.is_empty(), "git lists no files");
    for name in &names {
        let (from, to) = (root.join(name), scratch.join(name));
        let Ok(content) = std::fs::read(&from) else { continue };
        let is_source = ["stdlib/", "runtime/src/", "cli/src/"].iter().any(|folder| name.starts_with(folder)) && name.ends_with(".rs");
        // Sources get their switches, and are written, later; so do the manifests.
        if !is_source && !name.ends_with("Cargo.toml") {
            put(&to, &content);
            if let Ok(meta) = from.metadata() {
                let _ = std::fs::set_permissions(&to, meta.permissions());
            }
        }
    }
    let mut open = vec![scratch.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(scratch).unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                open.push(path);
            } else if name.ends_with(".rs") && !names.contains(&name) && !name.starts_with("switch/") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
    let control = control(scratch, 0);
    put(&scratch.join("switch/src/lib.rs"), SWITCH.replace("CONTROL_FILE", &format!("{control:?}")).as_bytes());
    put(
        &scratch.join("switch/Cargo.toml"),
        b"[package]\nname = \"ilu-mutant\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lints]\nworkspace = true\n",
    );
    set(scratch, 0, "0");
}

/// The file that says which check is off. Lanes beside the first mount theirs over the first's.
pub fn control(scratch: &Path, lane: usize) -> PathBuf {
    scratch.join(if lane == 0 { "control".to_owned() } else { format!("control{lane}") })
}

/// Which check is off, and where to note the checks that are reached.
pub fn set(scratch: &Path, lane: usize, text: &str) {
    std::fs::write(control(scratch, lane), text).unwrap();
}

fn put(path: &Path, content: &[u8]) {
    if std::fs::read(path).is_ok_and(|old| old == content) {
        return;
    }
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// The checks that are left, and how many could not be switched off.
pub struct Left {
    pub checks: Vec<Check>,
    pub dropped: usize,
}

/// One test program.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: PathBuf,
    pub name: String,
    pub folder: PathBuf,
}

/// Writes the sources with their switches.
fn write(scratch: &Path, sources: &[Source], checks: &[Check]) -> BTreeMap<String, (Vec<u32>, Vec<Put>)> {
    let root = repository();
    let mut where_they_are = BTreeMap::new();
    let mut crates = BTreeSet::new();
    for source in sources {
        let own: Vec<&Check> = checks.iter().filter(|check| check.file == source.path).collect();
        let (text, puts) = rewrite::apply(&source.text, &rewrite::edits(&own));
        put(&scratch.join(&source.path), text.as_bytes());
        let manifest = root.join(&source.path).ancestors().find(|folder| folder.join("Cargo.toml").is_file()).unwrap().join("Cargo.toml");
        crates.insert(manifest);
        where_they_are.insert(source.path.clone(), (own.iter().map(|check| check.number).collect(), puts));
    }
    let mut open = vec![root.join("stdlib"), root.join("runtime/src"), root.join("cli/src")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                open.push(path);
            } else if name.ends_with(".rs") && !sources.iter().any(|source| source.path == name) {
                let mut text = std::fs::read_to_string(&path).unwrap();
                if name == "cli/src/lib.rs" {
                    // Before anything can take the file out of reach.
                    let at =
                        text.find("pub fn main() -> ").and_then(|at| Some(at + text[at..].find('{')? + 1)).expect("the command's main");
                    text.insert_str(at, " ::ilu_mutant::on(0);");
                }
                put(&scratch.join(&name), text.as_bytes());
            }
        }
    }
    crates.insert(root.join("cli/Cargo.toml"));
    let listed = Command::new("git").args(["ls-files", "-co", "--exclude-standard", "*Cargo.toml"]).current_dir(&root).output().unwrap();
    for name in String::from_utf8(listed.stdout).unwrap().lines() {
        let path = root.join(name);
        let mut text = std::fs::read_to_string(&path).unwrap();
        if crates.contains(&path) {
            let line = format!("[dependencies]\nilu-mutant = {{ path = {:?} }}\n", scratch.join("switch"));
            text = text.replace("[dependencies]\n", &line);
        }
        put(&scratch.join(name), text.as_bytes());
    }
    where_they_are
}

/// Builds, leaving out what does not compile.
pub fn build(scratch: &Path, target: &Path, sources: &[Source], mut checks: Vec<Check>) -> (Vec<Program>, Left) {
    let all = checks.len();
    // What did not compile before is not tried again.
    let list = scratch.join("dropped");
    let mut dropped: BTreeSet<String> = std::fs::read_to_string(&list).unwrap_or_default().lines().map(str::to_owned).collect();
    checks.retain(|check| !dropped.contains(&check.key));
    for round in 1.. {
        let puts = write(scratch, sources, &checks);
        let errors = errors(&cargo(scratch, target, &["check", "-p", "ilu-cli"]));
        if errors.is_empty() {
            break;
        }
        let mut doomed: BTreeSet<u32> = BTreeSet::new();
        for error in &errors {
            doomed.extend(error.blames(&puts, &checks));
        }
        println!("round {round}: {} errors, {} checks left out", errors.len(), doomed.len());
        assert!(!doomed.is_empty() && round < 40, "the copy does not build: {:?}", errors.first());
        dropped.extend(checks.iter().filter(|check| doomed.contains(&check.number)).map(|check| check.key.clone()));
        std::fs::write(&list, dropped.iter().map(|key| format!("{key}\n")).collect::<String>()).unwrap();
        checks.retain(|check| !doomed.contains(&check.number));
    }
    let messages = cargo(scratch, target, &["test", "--no-run", "--workspace", "--exclude", "ilu-mutation"]);
    assert!(errors(&messages).is_empty(), "the tests of the copy do not build: {:?}", errors(&messages));
    assert!(
        messages.iter().any(|message| message["reason"] == "build-finished" && message["success"] == true),
        "the build of the copy did not end well"
    );
    let program = |message: &Value| {
        let is_test = message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
        let path = message["executable"].as_str().filter(|_| is_test)?;
        let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_path_buf();
        Some(Program { path: path.into(), name: message["target"]["name"].as_str()?.to_owned(), folder })
    };
    let programs: Vec<Program> = messages.iter().filter_map(program).collect();
    assert!(!programs.is_empty(), "no test programs were built");
    let dropped = all - checks.len();
    (programs, Left { checks, dropped })
}

fn cargo(scratch: &Path, target: &Path, args: &[&str]) -> Vec<Value> {
    let output = Command::new("cargo")
        .args(args)
        .args(["--offline", "--message-format=json", "--quiet"])
        .current_dir(scratch)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_INCREMENTAL", "0")
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A compiler's error.
#[derive(Debug)]
struct Refused {
    text: String,
    /// File, and from where to where in it.
    spans: Vec<(String, usize, usize)>,
}

fn errors(messages: &[Value]) -> Vec<Refused> {
    let is_error = |message: &&Value| message["reason"] == "compiler-message" && message["message"]["level"] == "error";
    let refused = |message: &Value| {
        let spans = message["message"]["spans"].as_array()?;
        let span = |span: &Value| {
            let at = |key: &str| usize::try_from(span[key].as_u64()?).ok();
            Some((straight(span["file_name"].as_str()?), at("byte_start")?, at("byte_end")?))
        };
        // What the compiler points at first comes first.
        let mut spans: Vec<&Value> = spans.iter().collect();
        spans.sort_by_key(|span| span["is_primary"] != true);
        Some(Refused { text: message["message"]["message"].as_str()?.to_owned(), spans: spans.into_iter().filter_map(span).collect() })
    };
    messages.iter().filter(is_error).filter_map(refused).filter(|error| !error.spans.is_empty()).collect()
}

/// A path without `folder/..` in it.
fn straight(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

impl Refused {
    /// The checks whose switch is to blame.
    fn blames(&self, puts: &BTreeMap<String, (Vec<u32>, Vec<Put>)>, checks: &[Check]) -> Vec<u32> {
        if self.text.contains("non-const") {
            let named = self.text.split('`').nth(1).and_then(|name| name.rsplit("::").next()).unwrap_or_default();
            return checks.iter().filter(|check| check.function.rsplit("::").next() == Some(named)).map(|check| check.number).collect();
        }
        for (file, start, end) in &self.spans {
            let Some((numbers, puts)) = puts.get(file) else { continue };
            let own = || puts.iter().filter(|put| put.edit < numbers.len());
            let touched = own().filter(|put| put.open.start < *end && put.open.end > *start).min_by_key(|put| put.whole.len());
            let around = || own().filter(|put| put.whole.start <= *start && put.whole.end >= *end).min_by_key(|put| put.whole.len());
            if let Some(put) = touched.or_else(around) {
                return numbers.get(put.edit).copied().into_iter().collect();
            }
        }
        Vec::new()
    }
}
