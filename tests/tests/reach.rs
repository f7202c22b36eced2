//! `ilu check --caps`: no run uses a native that the check did not list, and what it lists is what can be reached.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read the repository and run the command"
)]

use ilu::host::{self, Granted};
use ilu::reach::{Reach, reach};
use ilu::{Engine, Loader, Setup};
use ilu_cap::NativeId;
use ilu_sbx::{Access, Grants, Limits, Mount, Opened, Outside};
use ilu_tests::command::{Scratch, ilu, ilu_in, root};
use ilu_tests::expect::cases;
use ilu_tests::suite;
use insta::assert_snapshot;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A process that keeps nothing and waits for nothing.
struct Quiet(Instant, Mutex<f64>);

impl Outside for Quiet {
    fn write_out(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn write_err(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn read_in(&self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
    fn wall_ms(&self) -> f64 {
        self.mono_ms()
    }
    fn mono_ms(&self) -> f64 {
        // What waits in other threads wakes by it: it must go on by itself.
        self.0.elapsed().as_secs_f64() * 1000.0 + *self.1.lock().unwrap()
    }
    fn sleep(&self, ms: f64) {
        *self.1.lock().unwrap() += ms;
    }
    fn interrupted(&self) -> bool {
        false
    }
    fn random(&self, into: &mut [u8]) -> io::Result<()> {
        into.fill(7);
        Ok(())
    }
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn names(reach: &Reach) -> BTreeSet<&'static str> {
    reach.natives.iter().map(|reached| reached.native.name()).collect()
}

/// Natives that a run asked for, whether it got them or not. It holds every native and a directory of its own.
fn used(engine: &Engine, name: &str, text: &str, folder: Option<&Path>) -> BTreeSet<&'static str> {
    let Ok(program) = engine.compile(name, text) else { return BTreeSet::new() };
    // What is there to be measured runs long and does the same all the time.
    let fuel = if folder.is_some_and(|folder| folder.ends_with("bench/programs")) { 1_000_000 } else { 50_000_000 };
    let scratch = Scratch::new("reach");
    let Granted::Dir { dir, .. } = host::open(scratch.path().to_str().unwrap()).unwrap() else { panic!("a directory") };
    let mount = Mount { guest: "/tmp".to_owned(), opened: Opened::Dir(dir), access: Access::ReadWrite };
    let grants = Grants {
        caps: NativeId::all().collect(),
        mounts: vec![mount],
        limits: Limits { fuel, memory: 64 << 20, wall_ms: 20_000, ..Limits::default() },
        ..Grants::default()
    };
    let kept = Kept::default();
    let mut setup = Setup::new(grants, Box::new(Quiet(Instant::now(), Mutex::default())));
    setup.sink = Some(Box::new(kept.clone()));
    setup.loader = folder.map(|folder| -> Box<dyn Loader> { Box::new(loader(folder)) });
    drop(engine.run(&program, setup));
    let rows = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let native = |row: &str| serde_json::from_str::<serde_json::Value>(row).unwrap()["native"].as_str().and_then(ilu_cap::by_name);
    rows.lines().filter_map(native).map(NativeId::name).collect()
}

fn loader(folder: &Path) -> host::Folder {
    let Granted::Dir { dir, real } = host::open(folder.to_str().unwrap()).unwrap() else { panic!("a directory") };
    host::Folder { dir, real }
}

fn reached(engine: &Engine, name: &str, text: &str, folder: Option<&Path>) -> Option<Reach> {
    let program = engine.compile(name, text).ok()?;
    let mut folder = folder.map(loader);
    Some(reach(engine, &program, folder.as_mut().map(|folder| folder as &mut dyn Loader)))
}

/// Files of the repository with this ending, without what is built and the library's own modules.
fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !["target", "out", ".git"].contains(&name.as_str()) {
                open.push(path);
            } else if path.extension().is_some_and(|is| is == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn scripts_below(folder: &Path) -> Vec<PathBuf> {
    files_below(folder, "ilu").into_iter().filter(|path| !path.starts_with(root().join("stdlib"))).collect()
}

/// Every script of the repository: its name, its text and its folder. Test files call their tests.
fn scripts() -> Vec<(String, String, PathBuf)> {
    let mut found = Vec::new();
    for file in suite::files() {
        let path = root().join(suite::FOLDER).join(&file);
        for case in cases(&file, &std::fs::read(&path).unwrap()) {
            let Ok(text) = String::from_utf8(case.source.clone()) else { continue };
            found.push((file.file_name().unwrap().to_string_lossy().into_owned(), text, path.parent().unwrap().to_path_buf()));
        }
    }
    for folder in std::fs::read_dir(root().join("stdlib")).unwrap() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(mut text) = std::fs::read_to_string(folder.join(format!("{name}_test.ilu"))) else { continue };
        let tests: Vec<String> =
            text.lines().filter(|line| line.starts_with("test_")).map(|line| line.split_once('(').unwrap().0.to_owned()).collect();
        for test in tests {
            text.push_str(&format!("\ntry({test})"));
        }
        text.push('\n');
        found.push((format!("{name}_test.ilu"), text, folder));
    }
    // All others: examples, benchmarks, modules of tests.
    let known: BTreeSet<PathBuf> = suite::files().into_iter().map(|file| root().join(suite::FOLDER).join(file)).collect();
    for path in scripts_below(&root()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if known.contains(&path) || name.ends_with("_test.ilu") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        found.push((name, text, path.parent().unwrap().to_path_buf()));
    }
    // And the programs in the pages.
    for page in files_below(&root(), "md") {
        let text = std::fs::read_to_string(&page).unwrap();
        for block in text.split("\n```ilu").skip(1) {
            let program = block.split_once('\n').map_or("", |(_, rest)| rest.split("\n```").next().unwrap_or(""));
            found.push(("page.ilu".to_owned(), format!("{program}\n"), page.parent().unwrap().to_path_buf()));
        }
    }
    found
}

#[test]
fn no_run_uses_a_native_that_the_check_did_not_list() {
    let engine = Engine::new();
    let (mut compared, mut untold, mut seen) = (0, 0, BTreeSet::new());
    let mut failures = Vec::new();
    for (name, text, folder) in scripts() {
        let Some(reach) = reached(&engine, &name, &text, Some(&folder)) else { continue };
        let used = used(&engine, &name, &text, Some(&folder));
        seen.extend(used.iter().copied());
        if reach.unknown.is_empty() {
            compared += 1;
        } else {
            untold += 1;
            continue;
        }
        let listed = names(&reach);
        let missed: Vec<_> = used.difference(&listed).collect();
        if !missed.is_empty() {
            failures.push(format!("{}/{name}: used {missed:?}, listed {listed:?}", folder.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(compared > 150 && untold * 4 < compared, "{compared} compared, {untold} can't be told");
    // The runs did use natives of every kind that this build has, so there was something to miss.
    assert!(seen.len() >= 15, "{seen:?}");
}

/// Programs, and exactly the natives that can be reached: a way of a function that is lost would miss one, one that is not followed would
/// list `__sys_random`, which none of them can reach.
const EXACT: &[(&str, &str)] = &[
    ("1 + 1", ""),
    ("prn 1", "__sys_stdout"),
    ("use fs\nx = 1", ""),
    ("use fs\nfs.rd(\"a\")", "__sys_read_file"),
    ("use fs\nfsrd(\"a\")", "__sys_read_file"),
    ("use fs as files\nfiles.rd(\"a\")", "__sys_read_file"),
    ("use trl\nunused() = trl.shuf([1])\n1", ""),
    ("use trl\nf() = trl.shuf([1])\ng() = __sys_time()\nprn g()", "__sys_stdout __sys_time"),
    ("f = __sys_time\nf()", "__sys_time"),
    ("fs = [__sys_time]\nfs[0]()", "__sys_time"),
    ("o = {f: __sys_time, g: __sys_random}\no.f()", "__sys_time"),
    ("o = {}\no.f = __sys_time\no.f()", "__sys_time"),
    ("apply(f) = f()\napply(\\() __sys_time())", "__sys_time"),
    ("make() = \\() __sys_time()\nmake()()", "__sys_time"),
    ("f(g = __sys_time) = g()\nf()", "__sys_time"),
    ("f(..gs) = gs[0]()\nf(__sys_time)", "__sys_time"),
    ("f(g) = g()\nf(..[__sys_time])", "__sys_time"),
    ("try(__sys_time)", "__sys_time"),
    ("err(\\() __sys_time())", "__sys_time"),
    ("k = \"f\"\no = {f: \\() __sys_time()}\no[k]()", "__sys_time"),
    ("f(k) =\n    o = {f: \\() __sys_time()}\n    o[k + \"\"]()\nf(\"f\")", "__sys_time"),
    ("use fs\np = fs\np.rd(\"a\")", "__sys_read_file"),
    ("f() =\n    g() = __sys_time()\n    h() = g()\n    h()\nf()", "__sys_time"),
    ("x = {f: nil}\nset(f) =\n    x.f = f\n    nil\nset(__sys_time)\nx.f()", "__sys_time"),
    // An assignment in a function makes a variable of the function's own.
    ("x = nil\nset(f) =\n    x = f\n    nil\nset(__sys_random)\nif x != nil: x()", ""),
    ("f() =\n    x = [nil]\n    set(g) =\n        x[0] = g\n        nil\n    set(__sys_time)\n    x[0]()\nf()", "__sys_time"),
    ("use trl\n[1] | map \\(n) __sys_sleep(n)", "__sys_sleep"),
    ("use fs\nname, f <- {rd: fs.rd}: f(name)", "__sys_read_file"),
    ("__sys_append(\"a\", \"b\")", "__sys_write_file"),
    ("f = __sys_append\nf(\"a\", \"b\")", "__sys_write_file"),
    ("eprn 1", "__sys_stderr"),
    ("f = prn\nf(1)", "__sys_stdout"),
    ("use sbx\nsbxev(sbxme(), \"use os\\nos.argv()\")", "__sys_argv"),
    ("use sbx\nsbxev(sbxme(), \"\\\\() __sys_time()\")()", "__sys_time"),
    ("use sbx\nrun(t) = sbxev(sbxme(), t)\nrun(\"__sys_time()\")\nrun(\"prn 1\")", "__sys_stdout __sys_time"),
    ("use sbx\nsbxev(sbxme(), \"= not a program\")", ""),
    ("use sbx\nsbxca(sbxme(), \"__sys_mono\")", "__sys_mono"),
    ("use sbx\nsbxca(sbxme(), __sys_mono)", "__sys_mono"),
    ("use sbx\nm = sbxus(sbxme(), \"fs\")\nm.fs.rd(\"a\")", "__sys_read_file"),
    ("use sbx\nsbxrn(sbxme(), \\() __sys_time())", "__sys_time"),
    ("use sbx\ng = sbxgt(\\() __sys_time())\ng()", "__sys_time"),
    ("use sbx\nsb = sbxmk([\"__sys_random\"])\nsbxha(sb, \"__sys_random\")", ""),
    ("mat 1:\n    1 => __sys_time()\n    _ => __sys_mono()", "__sys_mono __sys_time"),
];

#[test]
fn exactly_what_can_be_reached_is_listed() {
    let engine = Engine::new();
    for (text, expected) in EXACT {
        let reach = reached(&engine, "a.ilu", text, None).unwrap_or_else(|| panic!("{text:?} does not compile"));
        let expected: BTreeSet<&str> = expected.split_whitespace().collect();
        assert_eq!(names(&reach), expected, "{text}");
        assert_eq!(reach.unknown, [], "{text}");
        assert!(reach.natives.iter().all(|reached| reached.path.first().is_some_and(|step| step.function == "main")), "{text}");
    }
}

#[test]
fn it_says_where_it_can_not_tell() {
    let engine = Engine::new();
    for (text, why, line) in [
        ("use sbx\nx = 1 + 1\nsbxev(sbxme(), str(x))", "text that is not a literal", 3),
        ("use sbx\nsbxld(sbxme(), \"a.ilu\")", "runs a file", 2),
        ("use sbx\nsbxus(sbxme(), str(1))", "module whose name is computed", 2),
        ("use sbx\nsbxus(sbxme(), \"a.ilu\")", "uses a file", 2),
        ("use sbx\nsbxca(sbxme(), str(1))", "by a name that is computed", 2),
        ("use sbx\n[\"1\"]\nrun = sbxev\nrun(sbxme(), [\"prn 1\"][0])", "text that is not a literal", 4),
        ("use sbx\nfs = [sbxev]\nfs[0](sbxme(), \"prn 1\")", "text that is not a literal", 2),
        ("use sbx\nsbxev(sbxme(), \"use \\\"a.ilu\\\"\")", "may be read by a sandbox", 2),
        ("use \"a.ilu\"", "no folder", 1),
    ] {
        let reach = reached(&engine, "main.ilu", text, None).unwrap_or_else(|| panic!("{text:?} does not compile"));
        let [unknown] = &reach.unknown[..] else { panic!("{text}: {:?}", reach.unknown) };
        assert!(unknown.why.contains(why), "{text}: {}", unknown.why);
        assert_eq!(unknown.path[0].line, line, "{text}: {:?}", unknown.path);
    }
}

#[test]
fn a_scripts_own_modules_are_followed() {
    let scratch = Scratch::new("modules");
    scratch.write("lib/a.ilu", "use \"b.ilu\" as b\ntick() = b.now()\nother() = __sys_random(1)\n");
    scratch.write("lib/b.ilu", "now() = __sys_time()\nprn \"loaded\"\n");
    let engine = Engine::new();
    for text in ["use \"lib/a.ilu\"\ntick()", "use \"lib/a.ilu\" as a\na.tick()"] {
        let reach = reached(&engine, "main.ilu", text, Some(scratch.path())).unwrap();
        assert_eq!(names(&reach), BTreeSet::from(["__sys_stdout", "__sys_time"]), "{text}");
        assert_eq!(reach.unknown, []);
    }
    let reach = reached(&engine, "main.ilu", "use \"lib/none.ilu\"", Some(scratch.path())).unwrap();
    assert!(reach.unknown[0].why.contains("no such file"), "{:?}", reach.unknown);
}

/// Examples that run what they are given: there it is right that it can't be told.
const RUNS_WHAT_IT_IS_GIVEN: [&str; 1] = ["untrusted.ilu"];

#[test]
fn the_page_states_how_often_it_can_not_tell_on_the_examples() {
    let (mut right, mut wrong) = (0, 0);
    for entry in std::fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".ilu") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let unknown = reached(&Engine::new(), &name, &text, Some(&root().join("examples"))).unwrap().unknown.len();
        if RUNS_WHAT_IT_IS_GIVEN.contains(&name.as_str()) { right += unknown } else { wrong += unknown }
    }
    let page = std::fs::read_to_string(root().join("docs/cli.md")).unwrap();
    let stated = format!(
        "On the scripts of `examples/` it says so {} time{}, and {wrong} of them {} without reason",
        right + wrong,
        if right + wrong == 1 { "" } else { "s" },
        if wrong == 1 { "is" } else { "are" }
    );
    assert!(page.contains(&stated), "docs/cli.md should say: {stated}");
}

#[test]
fn the_command_shows_each_native_with_a_way_to_it() {
    let scratch = Scratch::new("caps");
    scratch.write("job.ilu", "use fs\nuse sbx\n\nload(path) = fs.rd(path)\n\nprn load(\"a\")\nsbxev(sbxme(), load(\"b\"))\n");
    scratch.write("calm.ilu", "1 + 1\n");
    let ran = ilu_in(scratch.path(), &["check", "--caps", "job.ilu", "calm.ilu"], b"");
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_snapshot!("caps_text", ran.out);
    let ran = ilu_in(scratch.path(), &["check", "--caps", "--json", "job.ilu"], b"");
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_snapshot!("caps_json", serde_json::to_string_pretty(&told).unwrap());
}

#[test]
fn what_does_not_compile_is_reported_as_without_the_flag() {
    let scratch = Scratch::new("caps");
    scratch.write("wrong.ilu", "prn nope\n");
    let with = ilu_in(scratch.path(), &["check", "--caps", "wrong.ilu"], b"");
    let without = ilu_in(scratch.path(), &["check", "wrong.ilu"], b"");
    assert_eq!((with.code, &with.err, with.out.as_str()), (without.code, &without.err, ""));
    assert_eq!(with.code, Some(2));
    assert_eq!(ilu(&["check", "--caps", "no-such-file.ilu"]).code, Some(2));
}
