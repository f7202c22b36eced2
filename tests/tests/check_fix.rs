//! `ilu check --fix` on the scripts of this repository and on files that it must leave alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "tests read the repository")]

use ilu::Engine;
use ilu::lint::{fixed, lint};
use ilu_lang::source::Source;
use ilu_tests::command::{Scratch, ilu, ilu_in, root};
use std::path::{Path, PathBuf};

fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scripts(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "ilu") {
            found.push(path);
        }
    }
}

/// What stands behind the first `#` of each line: comments, and parts of strings.
fn comments(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.find('#').map(|at| line[at..].trim_end())).collect()
}

#[test]
fn what_is_put_right_compiles_keeps_its_comments_and_needs_it_once() {
    let engine = Engine::new();
    let mut all = Vec::new();
    ["examples", "stdlib", "tests/lang", "bench"].iter().for_each(|folder| scripts(&root().join(folder), &mut all));
    let (mut looked, mut changed) = (0, 0);
    for path in &all {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        // The suite's files are several scripts each.
        for part in text.split("# case:").map(|part| format!("# {part}")) {
            let part = part.as_str();
            let source = Source::new("a.ilu", part);
            if engine.compile("a.ilu", part).is_err() {
                assert!(lint(&engine, &source).is_empty(), "{}: warnings of what does not compile", path.display());
                assert_eq!(fixed(&engine, &source), (part.to_string(), 0), "{}", path.display());
                continue;
            }
            let (once, count) = fixed(&engine, &source);
            assert_eq!((once == part, comments(&once)), (count == 0, comments(part)), "{}", path.display());
            assert!(engine.compile("a.ilu", once.clone()).is_ok(), "{}", path.display());
            let again = Source::new("a.ilu", once.clone());
            assert_eq!(fixed(&engine, &again), (once, 0), "{}", path.display());
            looked += 1;
            changed += usize::from(count > 0);
        }
    }
    assert!(looked >= 300 && changed >= 5, "{looked} scripts, {changed} changed: the search looks in the wrong place");
}

#[test]
fn the_examples_have_no_warnings() {
    let mut all = Vec::new();
    scripts(&root().join("examples"), &mut all);
    let engine = Engine::new();
    for path in all {
        let source = Source::new("a.ilu", std::fs::read_to_string(&path).unwrap());
        let found: Vec<String> = lint(&engine, &source).into_iter().map(|one| one.diagnostic.message).collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}

#[test]
fn a_file_is_written_in_place_and_others_are_left_alone() {
    let scratch = Scratch::new("fix");
    scratch.write("a.ilu", "use fs\n# counts\n_ <- 1..3: prn 1  # one\n");
    scratch.write("broken.ilu", "use fs\nprn (\n");
    scratch.write("fine.ilu", "prn 1\n");
    let ran = ilu_in(scratch.path(), &["check", "--fix", "a.ilu", "broken.ilu", "fine.ilu", "nowhere.ilu"], b"");
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.starts_with("a.ilu: put right in 1 place\n") && !ran.err.contains("W0003"), "{}", ran.err);
    assert!(ran.err.contains("broken.ilu: 1 error") && ran.err.contains("error[E0902]: nowhere.ilu"), "{}", ran.err);
    assert_eq!(scratch.read("a.ilu"), "# counts\n_ <- 1..3: prn 1  # one\n");
    assert_eq!(scratch.read("broken.ilu"), "use fs\nprn (\n");
    assert_eq!(scratch.read("fine.ilu"), "prn 1\n");
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 3, "nothing is left lying about");
    let ran = ilu_in(scratch.path(), &["check", "--fix", "a.ilu"], b"");
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let ran = ilu_in(scratch.path(), &["check", "--fix", "-"], b"use fs\nprn 1\n");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "prn 1\n"), "{}", ran.err);
}

#[test]
fn a_warning_changes_no_exit_code_and_is_in_the_json() {
    let scratch = Scratch::new("fix");
    let path = scratch.write("a.ilu", "use fs\nprn 1\n").display().to_string();
    let ran = ilu(&["check", &path]);
    assert!(ran.code == Some(0) && ran.err.contains("warning[W0003]: the module `fs` is not used"), "{ran:?}");
    let ran = ilu(&["check", "--json", &path]);
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&told[0]["warnings"][0]["code"], &told[0]["warnings"][0]["line"]), (&"W0003".into(), &1.into()), "{told}");
}
