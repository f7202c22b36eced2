//! The book: its table of contents has every page, a page's links lead to pages of the book and to headings that are there, and where there is an mdBook it is
//! built without a complaint. (That links lead to files at all is `tidy.rs`.)

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read the repository and start mdbook"
)]

use ilu_tests::command::{Scratch, root};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// The pages of the table of contents, in order.
fn listed() -> Vec<String> {
    let summary = std::fs::read_to_string(root().join("book/SUMMARY.md")).unwrap();
    summary.lines().filter_map(|line| Some(line.split_once("](")?.1.split(')').next()?.to_string())).collect()
}

fn pages_below(folder: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().display());
        if entry.path().is_dir() {
            pages_below(&name, found);
        } else if name.ends_with(".md") {
            found.insert(name);
        }
    }
}

#[test]
fn the_table_of_contents_has_every_page_once() {
    let mut wanted = BTreeSet::new();
    pages_below("docs", &mut wanted);
    for entry in std::fs::read_dir(root().join("stdlib")).unwrap() {
        let name = entry.unwrap().file_name().display().to_string();
        let page = format!("stdlib/{name}/{name}.md");
        if root().join(&page).exists() {
            wanted.insert(page);
        }
    }
    wanted.extend(["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"].map(str::to_string));
    let listed = listed();
    let once: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(once.len(), listed.len(), "a page is listed twice");
    let (lacks, strays): (Vec<_>, Vec<_>) = (wanted.difference(&once).collect(), once.difference(&wanted).collect());
    assert!(lacks.is_empty() && strays.is_empty(), "book/SUMMARY.md lacks {lacks:?} and has {strays:?}");
    for page in &listed {
        assert!(root().join("book").join(page).exists(), "book/{page} leads nowhere");
    }
}

/// A path without its `.` and `..`.
fn plain(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            _ => {}
        }
    }
    parts.join("/")
}

/// What a heading is called in a link.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The lines of a page that are no code.
fn prose(text: &str) -> String {
    let mut code = false;
    let mut out = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            code = !code;
        } else if !code {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[test]
fn links_lead_to_pages_of_the_book_and_to_headings() {
    let pages: BTreeMap<String, String> =
        listed().into_iter().map(|page| (page.clone(), prose(&std::fs::read_to_string(root().join(&page)).unwrap()))).collect();
    let headings = |page: &str| -> BTreeSet<String> {
        pages[page].lines().filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_start_matches('#'))).collect()
    };
    let (mut links, mut wrong) = (0, Vec::new());
    for (page, text) in &pages {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.contains(' ') {
                continue;
            }
            links += 1;
            let (path, place) = link.split_once('#').unwrap_or((link, ""));
            let folder = Path::new(page).parent().unwrap_or(Path::new(""));
            let target = if path.is_empty() { page.clone() } else { plain(&folder.join(path)) };
            if target.ends_with(".md") && !pages.contains_key(&target) {
                wrong.push(format!("{page}: {link} is no page of the book"));
            } else if !root().join(&target).exists() {
                wrong.push(format!("{page}: {link} leads nowhere"));
            } else if !place.is_empty() && target.ends_with(".md") && !headings(&target).contains(place) {
                wrong.push(format!("{page}: {link}: there is no such heading"));
            }
        }
    }
    assert!(links >= 60, "only {links} links found: the search looks in the wrong place");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_about_embedding_has_the_example_as_it_is() {
    let page = std::fs::read_to_string(root().join("docs/embedding.md")).unwrap();
    let example = std::fs::read_to_string(root().join("runtime/examples/embed.rs")).unwrap();
    assert!(page.contains(&format!("```rust\n{example}```\n")), "docs/embedding.md differs from runtime/examples/embed.rs");
}

#[test]
fn mdbook_builds_it_without_a_complaint_where_there_is_one() {
    let named = std::env::var_os("ILU_MDBOOK").map_or_else(|| PathBuf::from("mdbook"), PathBuf::from);
    if Command::new(&named).arg("--version").output().is_err() {
        println!("there is no mdbook here: the book was NOT built (cargo install mdbook)");
        return;
    }
    let scratch = Scratch::new("book");
    let built = Command::new(&named).arg("build").arg("--dest-dir").arg(scratch.path()).current_dir(root()).output().unwrap();
    let said = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(built.status.success() && !said.contains("WARN") && !said.contains("ERROR"), "{said}");
    for page in listed() {
        let html = page.replace(".md", ".html");
        assert!(scratch.at(&html).exists(), "{html} was not made");
    }
}
