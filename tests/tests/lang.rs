//! The language suite: every script under `tests/lang/` does what is written beside its lines, and the index names them all.
//!
//! `ILU_CASE=operators/plus cargo test -p ilu-tests --test lang` runs the files whose path contains that text.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests read the repository")]

use ilu_tests::command::root;
use ilu_tests::expect::{Case, cases};
use ilu_tests::inside::{How, run};
use ilu_tests::suite::{FOLDER, check, files, is_helper};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

fn all_cases() -> Vec<Case> {
    let wanted = std::env::var("ILU_CASE").unwrap_or_default();
    let mut found = Vec::new();
    for file in files().iter().filter(|file| !is_helper(file) && file.to_string_lossy().contains(&wanted)) {
        found.extend(cases(file, &std::fs::read(root().join(FOLDER).join(file)).unwrap()));
    }
    found
}

/// Stack of the threads that run the cases: no case may need more than an embedder's thread has.
const STACK: usize = 1 << 20;

fn check_all(how: How, left_out: &[&str]) {
    let all: Vec<Case> = all_cases().into_iter().filter(|case| !left_out.iter().any(|name| case.file.ends_with(name))).collect();
    assert!(!all.is_empty(), "no case has that name");
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let work = || {
                while let Some(case) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let differs = check(case, how);
                    if !differs.is_empty() {
                        failures.lock().unwrap().push(format!("{}\n    {}", case.name(), differs.join("\n    ")));
                    }
                }
            };
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).unwrap();
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    assert!(failures.is_empty(), "{} of {} cases differ\n\n{}\n", failures.len(), all.len(), failures.join("\n"));
}

#[test]
fn every_case_does_what_is_written_beside_its_lines() {
    check_all(How::Usual, &[]);
}

/// Cases that are about limits, or large on purpose.
const LARGE: [&str; 3] = ["strings/ascii_is_constant_time.ilu", "limits/not_caught.ilu", "limits/surface_at_boundary.ilu"];

#[test]
fn every_case_does_the_same_when_the_collector_runs_at_every_growth() {
    check_all(How::CollectAlways, &LARGE);
}

#[test]
fn every_case_does_the_same_as_an_input_of_a_session() {
    check_all(How::Session, &[]);
    check_all(How::SessionCollectAlways, &LARGE);
}

#[test]
fn every_case_does_the_same_at_the_same_cost_when_instructions_are_not_chained() {
    check_all(How::Stepped, &[]);
    // What a clock or a deadline decides may differ; such cases run through the command line, or say so.
    let timed =
        |case: &Case| case.binary || case.flags.iter().any(|flag| flag == "--time") || case.source.windows(4).any(|word| word == b"tim.");
    let mut compared = 0;
    for case in all_cases().iter().filter(|case| !timed(case)) {
        if let (Some(chained), Some(stepped)) = (run(case, How::Usual), run(case, How::Stepped)) {
            assert_eq!(chained.fuel, stepped.fuel, "{}", case.name());
            compared += usize::from(chained.fuel > 0);
        }
    }
    assert!(compared > 100 || std::env::var("ILU_CASE").is_ok(), "{compared} cases used fuel");
}

#[test]
fn the_index_names_every_case_file_and_no_other() {
    let index = std::fs::read_to_string(root().join(FOLDER).join("INDEX.md")).unwrap();
    let named: BTreeSet<&str> = index.split('`').filter(|word| word.ends_with(".ilu") && word.contains('/')).collect();
    let present = files();
    let present: BTreeSet<&str> = present.iter().filter(|file| !is_helper(file)).map(|file| file.to_str().unwrap()).collect();
    let missing: Vec<_> = named.difference(&present).collect();
    let unnamed: Vec<_> = present.difference(&named).collect();
    assert!(missing.is_empty() && unnamed.is_empty(), "named but not there: {missing:?}; there but not named: {unnamed:?}");
}

#[test]
fn every_sentence_of_the_index_has_a_case() {
    let index = std::fs::read_to_string(root().join(FOLDER).join("INDEX.md")).unwrap();
    let rows: Vec<&str> =
        index.lines().filter(|line| line.starts_with("| ") && line.as_bytes().get(2).is_some_and(u8::is_ascii_digit)).collect();
    assert!(rows.len() > 60, "the index has only {} rows", rows.len());
    let bare: Vec<&&str> = rows.iter().filter(|row| !row.contains(".ilu`")).collect();
    assert!(bare.is_empty(), "sentences without a case: {bare:#?}");
}

#[test]
fn every_case_file_opens_with_the_sentence_it_is_about() {
    for file in files() {
        let bytes = std::fs::read(root().join(FOLDER).join(&file)).unwrap();
        let opens = bytes.starts_with(b"# ") && !bytes.starts_with(b"# case: ");
        assert!(opens, "{} does not open with a sentence", Path::new(FOLDER).join(&file).display());
    }
}
