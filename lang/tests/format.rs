//! The formatter: what it writes, that writing again changes nothing, and that what it writes means the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests read the scripts of the project"
)]

mod generate;

use ilu_lang::format::{Unformatted, format};
use ilu_lang::source::Source;
use std::fs;
use std::path::{Path, PathBuf};

fn formatted(text: &str) -> String {
    match format(&Source::new("t.ilu", text)) {
        Ok(text) => text,
        Err(Unformatted::Wrong(wrong)) => panic!("does not parse: {wrong:?}\n{text}"),
        Err(Unformatted::Unsafe) => panic!("would not mean the same:\n{text}"),
    }
}

/// Formats, and holds that doing it again changes nothing.
fn settled(text: &str) -> String {
    let once = formatted(text);
    assert_eq!(formatted(&once), once, "formatting again changes\n{text}");
    once
}

#[test]
fn what_it_writes() {
    insta::assert_snapshot!(settled(include_str!("untidy.ilu")));
}

#[test]
fn nothing_is_nothing_and_comments_are_kept() {
    assert_eq!(settled(""), "");
    assert_eq!(settled("\n\n  \n"), "");
    assert_eq!(settled("\r\n#  a\r\n\r\n\r\n #b"), "#  a\n\n#b\n");
    assert_eq!(settled("\u{FEFF}  a = 1 # one"), "a = 1  # one\n");
}

#[test]
fn what_does_not_parse_is_refused() {
    assert!(matches!(format(&Source::new("t.ilu", "a = (1")), Err(Unformatted::Wrong(_))));
    assert!(matches!(format(&Source::new("t.ilu", "if a:\n\tb")), Err(Unformatted::Wrong(_))));
}

fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
            scripts(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "ilu") {
            found.push(path);
        }
    }
}

#[test]
fn every_script_of_the_project_keeps_its_meaning_and_settles() {
    let mut found = Vec::new();
    scripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut found);
    let mut count = 0;
    for path in &found {
        let Ok(text) = fs::read_to_string(path) else { continue };
        match format(&Source::new("t.ilu", &text)) {
            // Some are wrong on purpose.
            Err(Unformatted::Wrong(_)) => continue,
            Err(Unformatted::Unsafe) => panic!("would not mean the same: {}", path.display()),
            Ok(_) => {}
        }
        settled(&text);
        count += 1;
    }
    assert!(count > 100, "only {count} scripts were looked at");
}

/// The same program with other blanks: indented by `width` a step, comments and blank lines between.
fn respelled(text: &str, width: usize, seed: usize) -> String {
    let mut out = String::new();
    for (number, line) in text.lines().enumerate() {
        let inner = line.trim_start();
        out += &" ".repeat((line.len() - inner.len()) / 4 * width);
        out += inner;
        out += ["", "", " ", "   # x"][(number * 7 + seed) % 4];
        out += ["\n", "\n", "\r\n"][(number + seed) % 3];
    }
    out
}

/// How many programs are made: `ILU_FORMAT_PROGRAMS`, or enough for a short run.
fn programs() -> u64 {
    std::env::var("ILU_FORMAT_PROGRAMS").ok().and_then(|count| count.parse().ok()).unwrap_or(400)
}

#[test]
fn generated_programs_keep_their_meaning_and_settle() {
    for seed in 1..=programs() {
        let once = settled(&generate::program(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        for width in [1, 2, 7] {
            let again = settled(&respelled(&once, width, seed as usize));
            assert_eq!(again.replace("  # x", ""), once, "seed {seed}, {width} blanks a step");
        }
    }
}
