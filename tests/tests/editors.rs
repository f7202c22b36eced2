//! The editor's grammar knows every word of the language: keywords, builtins, modules; and what the extension names is there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "tests read the repository")]

use ilu_lang::token::Tok;
use ilu_tests::command::root;
use serde_json::Value;
use std::collections::BTreeSet;

fn json(path: &str) -> Value {
    let text = std::fs::read_to_string(root().join("editors/vscode").join(path)).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The words of the lists `(?:a|b)` in a part of the grammar.
fn words(part: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let text = part.to_string();
    for list in text.split("(?:").skip(1) {
        let list = list.split(')').next().unwrap();
        found.extend(
            list.split('|')
                .filter(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
                .map(str::to_string),
        );
    }
    found
}

/// Every word of two to four small letters that the lexer does not take for a name.
fn keywords() -> BTreeSet<String> {
    let letters: Vec<char> = ('a'..='z').collect();
    let mut all: Vec<String> = letters.iter().map(ToString::to_string).collect();
    let mut found = BTreeSet::new();
    for _ in 0..3 {
        all = all.iter().flat_map(|word| letters.iter().map(move |letter| format!("{word}{letter}"))).collect();
        found.extend(all.iter().filter(|word| !matches!(Tok::word(word), Tok::Name(_))).cloned());
    }
    found
}

#[test]
fn the_grammar_has_every_word_of_the_lexer_and_no_other() {
    let grammar = json("syntaxes/ilu.tmLanguage.json");
    let parts = &grammar["repository"];
    let mut known = BTreeSet::new();
    for part in ["keywords", "word-operators", "constants", "reserved"] {
        known.extend(words(&parts[part]));
    }
    let of_language = keywords();
    assert!(of_language.len() >= 15, "{of_language:?}");
    assert_eq!(known, of_language);
}

#[test]
fn the_grammar_has_every_builtin_and_every_module() {
    let parts = &json("syntaxes/ilu.tmLanguage.json")["repository"];
    let builtins: BTreeSet<String> =
        ilu::builtin::table().iter().filter(|row| !row.trusted && !row.name.starts_with("__")).map(|row| row.name.to_string()).collect();
    assert!(builtins.len() >= 10, "{builtins:?}");
    assert_eq!(words(&parts["builtins"]), builtins);
    let folders = std::fs::read_dir(root().join("stdlib")).unwrap().map(|entry| entry.unwrap().path());
    let is_module = |path: &std::path::PathBuf| path.join(format!("{}.ilu", path.file_name().unwrap().display())).exists();
    let modules: BTreeSet<String> = folders.filter(is_module).map(|path| path.file_name().unwrap().display().to_string()).collect();
    assert!(modules.len() >= 20, "{modules:?}");
    let lacking: Vec<&String> = modules.iter().filter(|module| !words(&parts["modules"]).contains(*module)).collect();
    assert!(lacking.is_empty(), "the grammar lacks the modules {lacking:?}");
}

#[test]
fn every_part_that_is_included_is_there_and_every_pattern_is_closed() {
    let grammar = json("syntaxes/ilu.tmLanguage.json");
    let text = grammar.to_string();
    let parts = grammar["repository"].as_object().unwrap();
    for included in text.split("\"include\":\"#").skip(1) {
        let name = included.split('"').next().unwrap();
        assert!(parts.contains_key(name), "#{name} is included and not there");
    }
    for name in parts.keys().filter(|name| *name != "all") {
        assert!(text.contains(&format!("\"include\":\"#{name}\"")), "#{name} is there and not included");
    }
}

#[test]
fn what_the_extension_names_is_there() {
    let package = json("package.json");
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
    let language = &package["contributes"]["languages"][0];
    let grammar = &package["contributes"]["grammars"][0];
    assert_eq!((&language["id"], &grammar["language"]), (&"ilu".into(), &"ilu".into()));
    for path in [&language["configuration"], &grammar["path"]] {
        json(path.as_str().unwrap().trim_start_matches("./"));
    }
    assert_eq!(json("syntaxes/ilu.tmLanguage.json")["scopeName"], grammar["scopeName"]);
    for file in ["README.md", "LICENSE"] {
        assert!(root().join("editors/vscode").join(file).exists(), "{file}");
    }
}
