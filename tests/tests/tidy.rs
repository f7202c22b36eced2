//! The house rules that a reader of text can check: `ARCHITECTURE.md` and `CONTRIBUTING.md` name them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "tests read the repository")]

use ilu_tests::command::root;
use std::path::{Path, PathBuf};

/// Files that are mostly one table may be longer.
const LONG_BY_NAME: [&str; 1] = ["lang/src/code/op.rs"];
const MAX_LINES: usize = 600;

/// All files of the repository with this ending, without build output.
fn files(ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() && !["target", "out", ".git"].contains(&name.as_str()) {
                open.push(path);
            } else if path.is_file() && name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no {ending} files: the walk looks in the wrong place");
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

/// Fails with every offence at once.
fn report(offences: &[String]) {
    assert!(offences.is_empty(), "{} offences:\n{}", offences.len(), offences.join("\n"));
}

#[test]
fn no_source_file_is_longer_than_a_reader_can_hold() {
    let mut offences = Vec::new();
    for path in files(".rs") {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        let name = relative(&path);
        if lines > MAX_LINES && !LONG_BY_NAME.contains(&name.as_str()) {
            offences.push(format!("{name}: {lines} lines, at most {MAX_LINES}"));
        }
    }
    report(&offences);
}

#[test]
fn every_module_opens_with_what_it_is_for() {
    let mut offences = Vec::new();
    for path in files(".rs") {
        let text = std::fs::read_to_string(&path).unwrap();
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
        if !first.starts_with("//! ") || first.trim_end() == "//! Skeleton." {
            offences.push(format!("{}: the first line is {first:?}", relative(&path)));
        }
    }
    report(&offences);
}

/// The word itself, in code, apart from the lines that forbid it.
#[test]
fn there_is_no_unsafe_code() {
    let word = concat!("un", "safe");
    let mut offences = Vec::new();
    for path in files(".rs") {
        for (at, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            let says = code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word);
            if says {
                offences.push(format!("{}:{}: {line}", relative(&path), at + 1));
            }
        }
    }
    report(&offences);
}

#[test]
fn every_crate_forbids_what_the_table_of_crates_says() {
    let mut offences = Vec::new();
    for manifest in files("Cargo.toml") {
        let folder = manifest.parent().unwrap();
        for entry in ["src/lib.rs", "src/main.rs"] {
            let path = folder.join(entry);
            if path.is_file() && !std::fs::read_to_string(&path).unwrap().contains(concat!("#![forbid(un", "safe_code)]")) {
                offences.push(relative(&path));
            }
        }
        if folder != root() && !std::fs::read_to_string(&manifest).unwrap().contains("[lints]\nworkspace = true") {
            offences.push(format!("{}: does not take the workspace's lints", relative(&manifest)));
        }
    }
    report(&offences);
}

#[test]
fn ambient_authority_is_taken_in_one_module() {
    let mut offences = Vec::new();
    for path in files(".rs") {
        let name = relative(&path);
        let is_test = name.split('/').any(|part| part == "tests") || name.ends_with("tests.rs") || name.ends_with("_test.rs");
        // One module: `host.rs` and the files below it.
        if name == "runtime/src/host.rs" || name.starts_with("runtime/src/host/") || is_test {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        for (at, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or("");
            for banned in
                [concat!("ambient_", "authority"), "std::fs", "std::net::Tcp", "std::env::var", "process::Command", "open_ambient"]
            {
                // `cap_std::fs` is what takes the place of `std::fs`.
                if line.replace("cap_std::", "").contains(banned) {
                    offences.push(format!("{name}:{}: {banned}", at + 1));
                }
            }
        }
    }
    report(&offences);
}

#[test]
fn no_test_is_switched_off() {
    let mut offences = Vec::new();
    for path in files(".rs") {
        for (at, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            if line.trim_start().starts_with(concat!("#[ig", "nore")) {
                offences.push(format!("{}:{}", relative(&path), at + 1));
            }
        }
    }
    report(&offences);
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut offences = Vec::new();
    for path in files(".md") {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or("");
            if target.is_empty() || target.contains("://") || target.contains(' ') {
                continue;
            }
            if !path.parent().unwrap().join(target).exists() {
                offences.push(format!("{}: {link}", relative(&path)));
            }
        }
    }
    report(&offences);
}
