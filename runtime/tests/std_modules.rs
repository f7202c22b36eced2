//! The standard library's own tests: every function `test_…` of every module's test file, each run by itself.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, missing_docs)]

mod common;

use common::{double, double_that_draws};
use ilu::{Engine, Setup};
use ilu_cap::CapSet;
use ilu_sbx::{Access, Grants, Limits, Mount, Opened};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// An empty directory of this process, gone when the value is.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ilu-std-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A root sandbox with every capability, an empty directory at `/w`, a variable and two arguments.
fn grants(directory: &Path) -> Grants {
    let opened = cap_std::fs::Dir::open_ambient_dir(directory, cap_std::ambient_authority()).unwrap();
    Grants {
        caps: CapSet::all(),
        mounts: vec![Mount { guest: "/w".into(), opened: Opened::Dir(opened), access: Access::ReadWrite }],
        env: vec![("ILU_TEST_SET".into(), "value".into())],
        programs: Vec::new(),
        secrets: Vec::new(),
        net: Vec::new(),
        argv: vec!["one".into(), "two words".into()],
        limits: Limits { wall_ms: 60_000, ..Limits::default() },
    }
}

fn test_names(source: &str) -> Vec<&str> {
    source.lines().filter(|line| line.starts_with("test_")).filter_map(|line| line.split_once('(')).map(|(name, _)| name).collect()
}

/// What is wrong with a module; nothing when all its tests pass.
fn failures(module: &ilu_std::ModuleSource, stress: bool) -> Vec<String> {
    let engine = Engine::new();
    let mut failed = Vec::new();
    let names = test_names(module.tests);
    assert!(!names.is_empty(), "{} has no tests", module.name);
    for name in names {
        // With a collection at every growth, much data takes hours and shows nothing that little data does not.
        if stress && name.starts_with("test_many_") {
            continue;
        }
        let scratch = Scratch::new();
        let program = match engine.compile(format!("{}_test.ilu", module.name), format!("{}\n{name}()\n", module.tests)) {
            Ok(program) => program,
            Err(error) => return vec![format!("{}: {error}", module.name)],
        };
        let (outside, _) = double();
        let mut setup = Setup::new(grants(&scratch.0), outside);
        setup.stress = stress;
        if let Err(error) = engine.run(&program, setup).result {
            let place = error.place().map_or_else(String::new, |place| format!("at line {}", place.source.position(place.span.start).0));
            failed.push(format!("{}.{name}: {:?} {} {place}", module.name, error.kind, error.message));
        }
    }
    failed
}

#[test]
fn every_test_of_every_module_passes() {
    let failed: Vec<String> = ilu_std::MODULES.iter().flat_map(|module| failures(module, false)).collect();
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn they_pass_with_a_collection_at_every_growth() {
    let failed: Vec<String> = ilu_std::MODULES.iter().flat_map(|module| failures(module, true)).collect();
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn a_draw_of_the_incomplete_last_round_is_drawn_again() {
    // Of 2^53 draws, a choice among 2^52 + 1 numbers can use the first 2^52 + 1 and no more.
    const TEXT: &str = "use rnd\nprn rnd.int(0, 4503599627370496)\n";
    let cases: [(&[u8], &str); 5] = [
        (&[0, 0, 0, 0, 0, 0, 5], "5"),
        (&[0, 0, 0, 0, 0, 1, 5], "261"),
        (&[16, 0, 0, 0, 0, 0, 0], "4503599627370496"),
        (&[16, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 9], "9"),
        (&[255, 255, 255, 255, 255, 255, 255, 31, 0, 0, 0, 0, 0, 0, 224, 0, 0, 0, 0, 0, 2], "2"),
    ];
    let engine = Engine::new();
    let program = engine.compile("main.ilu", TEXT).unwrap();
    for (bytes, expected) in cases {
        let (outside, written) = double_that_draws(bytes);
        let setup = Setup::new(Grants { caps: CapSet::all(), ..Grants::default() }, outside);
        assert!(engine.run(&program, setup).result.is_ok());
        assert_eq!(written.out(), format!("{expected}\n"), "{bytes:?}");
    }
}
