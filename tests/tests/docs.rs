//! Every ```` ```ilu ```` block of the README, the docs and the modules' pages is a program that runs. A ```` ```text ```` block right after it is
//! what it prints.
//!
//! ```` ```file PATH ```` blocks above a program are files that it finds. A block marked ```` ```ilu files ```` is run with an empty directory at `/data` that it may change; ```` ```ilu exit=N ```` is expected to
//! end with that code, ```` ```ilu net=RULE ```` has that network rule. One marked ```` ```ilu server ```` may reach a server that answers
//! `/hello` and `/echo`: what it calls `127.0.0.1:8080` is that server's port. From the first mark with `--` on they are flags. Everything else holds what
//! a script with no flags holds. Blocks marked `wrong` and `made` are errors, and `codes.rs` runs them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "tests read the repository")]

use ilu_tests::command::{Ran, Scratch, ilu_in, root};
use ilu_tests::server::of_the_pages;
use std::path::PathBuf;

/// One program in a page.
struct Example {
    /// `page:line`.
    place: String,
    marks: Vec<String>,
    program: String,
    /// Path and text of files that are there when it begins.
    files: Vec<(String, String)>,
    prints: Option<String>,
}

fn pages() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    let mut open = vec![root().join("docs"), root().join("stdlib")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Blocks of a page, in order: the words after the fence, the first line's number, the text.
fn blocks(page: &str) -> Vec<(String, usize, usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(String, usize, String)> = None;
    for (at, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some((info.trim().to_string(), at + 1, String::new())),
            (Some(_), Some("")) => {
                let (info, start, text) = open.take().unwrap();
                found.push((info, start, at + 1, text));
            }
            (Some((_, _, text)), _) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

fn examples() -> Vec<Example> {
    let mut found = Vec::new();
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = page.lines().collect();
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let all = blocks(&page);
        for (number, (info, start, end, text)) in all.iter().enumerate() {
            let mut words = info.split_whitespace();
            if words.next() != Some("ilu") || words.clone().any(|mark| mark == "wrong" || mark == "made") {
                continue;
            }
            let next = all
                .get(number + 1)
                .filter(|(info, next, _, _)| info == "text" && lines[*end..next - 1].iter().all(|l| l.trim().is_empty()));
            found.push(Example {
                place: format!("{name}:{start}"),
                marks: words.map(str::to_string).collect(),
                program: text.clone(),
                files: all[..number]
                    .iter()
                    .rev()
                    .take_while(|(info, ..)| info.starts_with("file "))
                    .map(|(info, _, _, text)| (info["file ".len()..].to_string(), text.clone()))
                    .collect(),
                prints: next.map(|(_, _, _, text)| text.clone()),
            });
        }
    }
    found
}

/// The address of the examples' server, as the pages write it.
const SERVER: &str = "127.0.0.1:8080";

fn run(example: &Example) -> Ran {
    let scratch = Scratch::new("docs");
    let mut args = vec!["run".to_string()];
    let server = example.marks.iter().any(|mark| mark == "server").then(of_the_pages);
    let addr = server.as_ref().map_or_else(|| SERVER.to_string(), |server| server.addr.to_string());
    scratch.write("example.ilu", example.program.replace(SERVER, &addr));
    for (path, text) in &example.files {
        scratch.write(path, text);
    }
    if server.is_some() {
        args.extend(["--net".to_string(), addr.clone()]);
    }
    if example.marks.iter().any(|mark| mark == "files") {
        std::fs::create_dir_all(scratch.at("data")).unwrap();
        args.extend(["--dir".to_string(), "data:/data:rw".to_string()]);
    }
    for rule in example.marks.iter().filter_map(|mark| mark.strip_prefix("net=")) {
        args.extend(["--net".to_string(), rule.to_string()]);
    }
    args.extend(example.marks.iter().skip_while(|mark| !mark.starts_with("--")).cloned());
    args.push("example.ilu".to_string());
    let ran = ilu_in(scratch.path(), &args, b"");
    Ran { out: ran.out.replace(&addr, SERVER), ..ran }
}

#[test]
fn the_budgets_in_the_page_are_the_ones_a_run_gets() {
    let usual = ilu_sbx::Limits::default();
    let page = std::fs::read_to_string(root().join("docs/cli.md")).unwrap().replace('\n', " ");
    let grouped = |number: u64| {
        let digits = number.to_string();
        let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
        groups.join("_")
    };
    let says = format!(
        "fuel {}, memory {}M, time {}m, output {}M, depth {}; and, with no flag as yet, {}G read, {}G written, {} handles",
        grouped(usual.fuel),
        usual.memory >> 20,
        usual.wall_ms / 60_000,
        usual.output >> 20,
        grouped(u64::from(usual.depth)),
        usual.read >> 30,
        usual.written >> 30,
        usual.handles
    );
    assert!(page.contains(&says), "docs/cli.md does not say: {says}");
}

#[test]
fn every_example_in_the_pages_runs_and_prints_what_its_page_says() {
    let all = examples();
    assert!(all.len() >= 10, "only {} examples found: the search looks in the wrong place", all.len());
    let mut failures = Vec::new();
    for example in &all {
        let expected: i32 = example.marks.iter().find_map(|mark| mark.strip_prefix("exit=")).map_or(0, |code| code.parse().unwrap());
        let ran = run(example);
        let prints_right = example.prints.as_ref().is_none_or(|wanted| *wanted == ran.out);
        if ran.code != Some(expected) || !prints_right {
            failures.push(format!(
                "== {}: exit {:?}\n-- wanted\n{}-- got\n{}{}",
                example.place,
                ran.code,
                example.prints.as_deref().unwrap_or(""),
                ran.out,
                ran.err
            ));
        }
    }
    assert!(failures.is_empty(), "{} of {} examples are wrong:\n{}", failures.len(), all.len(), failures.join("\n"));
}

/// A page for a model is read whole, each time: 6,000 tokens at most. A token of such text has more than three bytes.
#[test]
fn the_page_for_models_is_short() {
    let page = std::fs::read_to_string(root().join("docs/llm.md")).unwrap();
    assert!(page.len() <= 3 * 6_000, "docs/llm.md has {} bytes", page.len());
}

#[test]
fn the_cookbook_has_twenty_tasks_that_run_and_its_index_names_them() {
    let index = std::fs::read_to_string(root().join("docs/cookbook/README.md")).unwrap();
    let all = examples();
    let mut tasks = 0;
    for path in pages().iter().filter(|path| path.parent().is_some_and(|folder| folder.ends_with("docs/cookbook"))) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "README.md" {
            continue;
        }
        tasks += 1;
        let place = format!("docs/cookbook/{name}:");
        assert!(index.contains(&format!("({name})")), "{name} is not in the index");
        assert!(
            all.iter().any(|example| example.place.starts_with(&place) && example.prints.is_some()),
            "{name} has no script with its output"
        );
    }
    assert!(tasks >= 20, "only {tasks} tasks");
}

/// The names in a module's object, each with the function it stands for.
fn names(module: &str, source: &str) -> Vec<(String, String)> {
    let start = format!("\n{module} = {{");
    let Some(object) = source.split(&start).nth(1).and_then(|rest| rest.split("\n}").next()) else { return Vec::new() };
    let pairs = object.split(',').filter_map(|pair| pair.split_once(':'));
    pairs.map(|(name, function)| (name.trim().trim_matches('"').to_string(), function.trim().to_string())).collect()
}

/// Is the word itself in the text?
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |(at, _): (usize, &str)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part);
    text.match_indices(word).any(whole)
}

#[test]
fn every_function_of_a_module_is_in_its_page_and_of_the_modules_about_rights_in_an_example() {
    let (mut modules, mut lacking) = (0, Vec::new());
    for entry in std::fs::read_dir(root().join("stdlib")).unwrap() {
        let folder = entry.unwrap().path();
        let module = folder.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(source) = std::fs::read_to_string(folder.join(format!("{module}.ilu"))) else { continue };
        let page = std::fs::read_to_string(folder.join(format!("{module}.md"))).unwrap_or_default();
        let programs: String = blocks(&page).into_iter().filter(|block| block.0.starts_with("ilu")).map(|block| block.3).collect();
        modules += 1;
        for (name, function) in names(&module, &source) {
            let is_in = |text: &str| has_word(text, &format!("{module}.{name}")) || has_word(text, &function);
            if !is_in(&page) {
                lacking.push(format!("{module}.md does not have {module}.{name}"));
            }
            if ["cap", "sbx", "pol"].contains(&module.as_str()) && !is_in(&programs) {
                lacking.push(format!("no example in {module}.md has {module}.{name}"));
            }
        }
    }
    assert!(modules >= 15, "only {modules} modules found: the search looks in the wrong place");
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}
