//! Every code of an error has a page in `docs/errors/`, with a wrong example that gives that code and a right one that runs, and what the wrong one says is
//! snapshotted. No message comes without a code.
//!
//! A block marked `wrong` is an ```` ```ilu ```` script, with its flags behind the mark, or an ```` ```sh ```` command line. They run in a folder
//! with `a.ilu`, `data/in.txt` and `out/`. One marked `made` is made here, because a page can't show it, or is shown by the test that is named here.
//! The right ```` ```ilu ```` blocks are run by `docs.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read the repository"
)]

use ilu_lang::diagnostic::codes;
use ilu_tests::command::{Ran, Scratch, binary, finish, ilu_in, root};
use std::fmt::Write;
use std::path::Path;

/// A block of a page.
struct Block {
    language: String,
    marks: Vec<String>,
    text: String,
}

/// Codes that no example can give, each with what holds it.
const SHOWN_ELSEWHERE: [(&str, &str); 8] = [
    ("E0099", "lang/tests/errors.rs"),
    ("E0306", "lang/tests/names.rs"),
    ("E0599", "lang/tests/verifier.rs"),
    ("E0699", "this file: no message of the sources has this code"),
    ("E0718", "tests/attacks/net_names.rs"),
    ("E0810", "runtime/tests/limits.rs"),
    ("E0908", "tests/tests/wall.rs"),
    ("E0999", "runtime/src/outcome.rs"),
];

/// Texts that are too long, or not fit, for a page.
fn made(code: &str) -> Option<String> {
    Some(match code {
        "E0001" => " ".repeat(ilu_lang::source::MAX_SOURCE_BYTES + 1),
        "E0002" => "prn \"a\0b\"\n".to_string(),
        "E0003" => "prn 1\rprn 2\n".to_string(),
        "E0004" => "prn \"\u{202e}\"\n".to_string(),
        "E0025" => format!("x = {}1{}\n", "(".repeat(300), ")".repeat(300)),
        "E0026" => "prn 1\n".repeat(40_000),
        "E0501" => {
            let assigned: String = (0..300).map(|n| format!("    v{n} = {n}\n")).collect();
            format!("f() =\n{assigned}    v0\nf()\n")
        }
        "E0502" => format!("mat []:\n    [{}] => 1\n", vec!["_"; 300].join(", ")),
        _ => return None,
    })
}

/// The blocks of each code's page.
fn pages() -> Vec<(&'static str, String, Vec<Block>)> {
    let mut found = Vec::new();
    for (code, _) in codes::TABLE {
        let path = root().join(format!("docs/errors/{}.md", codes::chapter(code)));
        let chapter = std::fs::read_to_string(&path).unwrap();
        let from = chapter.find(&format!("\n## {code}: ")).unwrap_or_else(|| panic!("{code} has no page in {}", path.display())) + 1;
        let page = &chapter[from..];
        let page = &page[..page[1..].find("\n## ").map_or(page.len(), |at| at + 1)];
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for line in page.lines() {
            match (&mut open, line.strip_prefix("```")) {
                (None, Some(info)) => {
                    let mut words = info.split_whitespace().map(str::to_string);
                    open = Some(Block { language: words.next().unwrap_or_default(), marks: words.collect(), text: String::new() });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        found.push((*code, page.to_string(), blocks));
    }
    found
}

fn folder() -> Scratch {
    let scratch = Scratch::new("codes");
    scratch.write("a.ilu", "prn 1\n");
    scratch.write("data/in.txt", "3\n4\n");
    std::fs::create_dir(scratch.at("out")).unwrap();
    scratch
}

fn run(code: &str, block: &Block, text: &str) -> Ran {
    let scratch = folder();
    if code == codes::CANNOT_WRITE && block.marks.first().is_some_and(|mark| mark == "made") {
        let mut command = std::process::Command::new(binary());
        command.args(["caps", "capfs"]).current_dir(scratch.path()).env_clear();
        command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let output = command.output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        return Ran { code: output.status.code(), out: String::new(), err };
    }
    if block.language == "sh" {
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words.first(), Some(&"ilu"), "{code}");
        return ilu_in(scratch.path(), &words[1..], b"");
    }
    scratch.write("example.ilu", text);
    if code.starts_with('W') {
        return ilu_in(scratch.path(), &["check", "example.ilu"], b"");
    }
    let mut args = vec!["run".to_string()];
    args.extend(block.marks.iter().skip(1).cloned());
    args.push("example.ilu".to_string());
    let mut command = std::process::Command::new(binary());
    command.args(&args).current_dir(scratch.path()).env_clear().env("KEY", "hunter2");
    finish(command, b"")
}

/// Whether a run said that code.
fn says(ran: &Ran, code: &str) -> bool {
    ran.err.contains(&format!("error[{code}]"))
        || ran.err.contains(&format!("warning[{code}]"))
        || ran.err.contains(&format!("`ilu explain {code}`"))
}

/// What a run said, without what differs from machine to machine.
fn steady(ran: &Ran, place: &Path) -> String {
    let said = ran.err.replace(&*place.to_string_lossy(), "FOLDER");
    said.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(|line| line.chars().take(240).collect::<String>() + "\n").collect()
}

#[test]
fn every_code_has_a_page_whose_wrong_example_gives_it() {
    let (mut told, mut wrong) = (std::collections::BTreeMap::<&str, String>::new(), Vec::new());
    for (code, page, blocks) in pages() {
        let elsewhere = SHOWN_ELSEWHERE.iter().find(|(shown, _)| *shown == code);
        if let Some((_, place)) = elsewhere {
            let named = place.split(':').next().unwrap();
            assert!(named == "this file" || root().join(named).exists(), "{code}: {place} is not there");
        }
        let shown = blocks.iter().find(|block| block.marks.first().is_some_and(|mark| mark == "wrong" || mark == "made"));
        let Some(shown) = shown else {
            assert!(elsewhere.is_some() && page.contains("defect of ours"), "{code} has no wrong example");
            continue;
        };
        assert!(
            blocks.iter().any(|block| !block.marks.iter().any(|mark| mark == "wrong" || mark == "made")),
            "{code} has no right example"
        );
        if elsewhere.is_some() {
            continue;
        }
        let text = if shown.marks[0] == "made" && code != codes::CANNOT_WRITE {
            made(code).unwrap_or_else(|| panic!("{code}: nothing is made"))
        } else {
            shown.text.clone()
        };
        let ran = run(code, shown, &text);
        if !says(&ran, code) {
            wrong.push(format!("{code}: exit {:?}\n{}{}", ran.code, ran.out, ran.err));
        }
        let _ = write!(told.entry(codes::chapter(code)).or_default(), "== {code}\n{}", steady(&ran, &std::env::temp_dir()));
    }
    assert!(wrong.is_empty(), "{} wrong examples do not give their code:\n{}", wrong.len(), wrong.join("\n"));
    for (chapter, said) in told {
        insta::with_settings!({omit_expression => true}, { insta::assert_snapshot!(format!("of_{chapter}"), said) });
    }
}

#[test]
fn the_right_command_lines_of_the_pages_are_right() {
    let mut tried = 0;
    for (code, _, blocks) in pages() {
        for block in blocks.iter().filter(|block| block.language == "sh" && block.marks.is_empty()) {
            let ran = run(code, block, &block.text);
            assert_eq!(ran.code, Some(0), "{code}: {}{}", block.text, ran.err);
            tried += 1;
        }
    }
    assert!(tried >= 10, "only {tried} command lines found");
}

#[test]
fn a_right_script_gives_no_warning_of_its_page() {
    for (code, _, blocks) in pages().iter().filter(|(code, ..)| code.starts_with('W')) {
        for block in blocks.iter().filter(|block| block.language == "ilu" && block.marks.first().is_none_or(|mark| mark != "wrong")) {
            let ran = run(code, block, &block.text);
            assert!(ran.code == Some(0) && !says(&ran, code), "{code}: {}", ran.err);
        }
    }
}

#[test]
fn the_page_of_each_code_is_printed_and_a_wrong_code_gets_a_tip() {
    let scratch = folder();
    for (code, meaning) in codes::TABLE {
        let ran = ilu_in(scratch.path(), &["explain", code], b"");
        assert!(ran.code == Some(0) && ran.out.starts_with(&format!("{code}: {}\n\n", meaning.trim_end_matches('.'))), "{code}: {ran:?}");
    }
    let ran = ilu_in(scratch.path(), &["explain", "e0301", "--json"], b"");
    let page: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((page["code"].as_str(), page["title"].as_str()), (Some("E0301"), codes::meaning("E0301")));
    let ran = ilu_in(scratch.path(), &["explain", "E0300"], b"");
    assert!(ran.code == Some(2) && ran.err.contains("error[E0904]: there is no code `E0300` (did you mean"), "{ran:?}");
}

/// The fields of the outcome as one object that name a code.
#[test]
fn the_json_of_every_kind_of_error_has_its_code() {
    let scratch = folder();
    scratch.write("wrong.ilu", "x = nobody\n");
    for (args, code) in [
        (&["run", "--json", "wrong.ilu"][..], "E0301"),
        (&["run", "--json", "-e", "err(1)"], "E0601"),
        (&["run", "--json", "-e", "[1][3]"], "E0607"),
        (&["run", "--json", "-e", "use fs\nfs.rd(\"/x\")"], "E0701"),
        (&["run", "--json", "--fuel", "1000", "-e", "whl tru: nil"], "E0801"),
        (&["run", "--json", "--dir", "nowhere", "a.ilu"], "E0903"),
    ] {
        let ran = ilu_in(scratch.path(), args, b"");
        let told: serde_json::Value = serde_json::from_str(ran.err.lines().last().unwrap()).unwrap();
        assert_eq!(told["error"]["code"], code, "{args:?}: {told}");
    }
    let ran = ilu_in(scratch.path(), &["run", "--json", "-e", "use fs\ntry(\\() fs.rd(\"/x\"))"], b"");
    let told: serde_json::Value = serde_json::from_str(ran.err.lines().last().unwrap()).unwrap();
    assert_eq!(told["denials"][0]["code"], "E0701", "{told}");
    let ran = ilu_in(scratch.path(), &["check", "--json", "wrong.ilu", "nowhere.ilu"], b"");
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&told[0]["errors"][0]["code"], &told[1]["errors"][0]["code"]), (&"E0301".into(), &"E0902".into()), "{told}");
}

/// The words of errors that stand in a source: the text of each literal behind one of these, `x` for what is put into it.
fn words(source: &str, begins: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for begin in begins {
        for (at, _) in source.match_indices(begin) {
            let rest = source[at + begin.len()..].trim_start();
            let rest = rest.strip_prefix("format!(").unwrap_or(rest).trim_start();
            let Some(rest) = rest.strip_prefix('"') else { continue };
            let (mut text, mut chars, mut depth) = (String::new(), rest.chars(), 0);
            while let Some(each) = chars.next() {
                match each {
                    '\\' if depth == 0 => text.extend(chars.next()),
                    '"' => break,
                    '{' => depth += 1,
                    '}' => {
                        depth -= 1;
                        text.push('x');
                    }
                    _ if depth == 0 => text.push(each),
                    _ => {}
                }
            }
            found.push(text);
        }
    }
    found
}

fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") && !path.to_string_lossy().contains("tests") {
            found.push(path);
        }
    }
}

#[test]
fn every_message_of_the_runtime_has_a_code_of_its_own() {
    let mut files = Vec::new();
    sources(&root().join("runtime/src"), &mut files);
    let (mut seen, mut lacking) = (0, Vec::new());
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for message in words(&text, &["Fault::message(", "Fault::Message("]) {
            seen += 1;
            if ilu::code::of_message(&message, None) == codes::RUNTIME {
                lacking.push(format!("{}: {message}", path.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(seen >= 60, "only {seen} messages found: the search looks in the wrong place");
    assert!(lacking.is_empty(), "no code in runtime/src/code.rs for\n{}", lacking.join("\n"));
}

#[test]
fn every_error_of_the_front_end_takes_its_code_from_the_table() {
    let mut files = Vec::new();
    for folder in ["lang/src", "runtime/src", "cli/src"] {
        sources(&root().join(folder), &mut files);
    }
    let mut seen = 0;
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for (at, _) in text.match_indices("Diagnostic::new(") {
            let rest = text[at + "Diagnostic::new(".len()..].trim_start();
            seen += 1;
            assert!(!rest.starts_with('"'), "{}: a code that is not in the table: {}", path.display(), &rest[..40]);
        }
    }
    assert!(seen >= 40, "only {seen} errors found: the search looks in the wrong place");
}
