//! The audit file and the JSON outcome, as the command writes them, and `ilu audit verify`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the command"
)]

use ilu_tests::command::{Ran, Scratch, ilu, ilu_in, root};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn the_audit_has_a_line_for_each_decision_and_no_contents() {
    let scratch = Scratch::new("audit");
    scratch.write("d/a.txt", "the contents");
    let program = "use fs\nfsrd(\"/d/a.txt\")\ntry(\\() fsrd(\"/etc/passwd\"))";
    let ran = ilu_in(scratch.path(), &["run", "--dir", "d:/d", "--audit", "audit.jsonl", "-e", program], b"");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let audit = scratch.read("audit.jsonl");
    let rows: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (closing, rows) = rows.split_last().unwrap();
    assert_eq!((closing["events"].as_u64(), closing["seq"].as_u64()), (Some(2), Some(3)));
    let told: Vec<(&str, &str)> = rows.iter().map(|row| (row["native"].as_str().unwrap(), row["verdict"].as_str().unwrap())).collect();
    assert_eq!(told, [("__sys_read_file", "allowed"), ("__sys_read_file", "denied")], "{audit}");
    assert!(!audit.contains("the contents"));

    let ran = ilu_in(scratch.path(), &["run", "--dir", "d:/d", "--audit", "-", "-e", program], b"");
    assert_eq!(ran.err.lines().count(), 3, "{}", ran.err);
    let program = "use tim\n__sys_stderr(\"{\\\"seq\\\":\")\ntim.ms()\n__sys_stderr(\"x\")\nerr(1)";
    let ran = ilu_in(scratch.path(), &["run", "--audit", "-", "-e", program], b"");
    let rows = ran.err.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count();
    assert!(rows >= 4 && ran.err.contains("\nerror[E0601]: 1\n"), "{}", ran.err);
    let ran = ilu_in(scratch.path(), &["run", "--audit", "no/such/place", "-e", "prn 1"], b"");
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
}

#[cfg(target_os = "linux")]
#[test]
fn an_audit_that_cannot_be_written_ends_the_run_and_allows_nothing_more() {
    let ran = ilu(&["run", "--audit", "/dev/full", "-e", "use tim\ntim.ms()"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("audit"), "{}", ran.err);
    let ran = ilu(&["run", "--audit", "/dev/full", "-e", "use tim\ntim.ms()\nprn \"more\""]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{}", ran.err);
}

#[test]
fn an_audit_that_the_script_could_change_is_refused() {
    let scratch = Scratch::new("audit");
    scratch.write("d/old.jsonl", "old");
    std::os::unix::fs::symlink("d/old.jsonl", scratch.at("link.jsonl")).unwrap();
    for (dir, audit, code) in [
        ("d:/d:rw", "d/audit.jsonl", 2),
        ("d:/d:rw", "d/old.jsonl", 2),
        ("d:/d:rw", "link.jsonl", 2),
        ("d/old.jsonl:/f:rw", "d/old.jsonl", 2),
        (".:/d:rw", "audit.jsonl", 2),
        ("d:/d:ro", "d/audit.jsonl", 0),
        ("d:/d:rw", "audit.jsonl", 0),
    ] {
        let ran = ilu_in(scratch.path(), &["run", "--dir", dir, "--audit", audit, "-e", "prn 1"], b"");
        assert_eq!(ran.code, Some(code), "{dir} {audit}: {}", ran.err);
    }
    assert_eq!(scratch.read("d/old.jsonl"), "old");
}

// ---- `ilu audit verify`

/// A program with four decisions, one of them a denial.
const PROGRAM: &str =
    "use fs\nuse sbx\nfsrd(\"/d/a.txt\")\nsb = sbxmk([], {fuel: 1000})\ntry(\\() sbxrn(sb, \\() prn(1)))\nfsrd(\"/d/a.txt\")";

/// A record of that program, and how its outcome was told.
fn record(scratch: &Scratch) -> Value {
    scratch.write("d/a.txt", "the contents");
    let ran = ilu_in(scratch.path(), &["run", "--dir", "d:/d", "--audit", "a.jsonl", "--json", "-e", PROGRAM], b"");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    serde_json::from_str(ran.err.lines().last().unwrap()).unwrap()
}

fn verify(scratch: &Scratch, flags: &[&str]) -> Ran {
    let mut args = vec!["audit", "verify", "a.jsonl"];
    args.extend(flags);
    ilu_in(scratch.path(), &args, b"")
}

#[test]
fn a_record_verifies_and_its_head_is_the_one_that_was_told() {
    let scratch = Scratch::new("audit");
    let told = record(&scratch);
    let head = told["audit"]["head"].as_str().unwrap().to_string();
    assert_eq!(told["audit"]["events"], 4);
    let ran = verify(&scratch, &[]);
    assert_eq!((ran.code, ran.out), (Some(0), format!("a.jsonl: whole, 4 events, head {head}\n")), "{}", ran.err);
    assert_eq!(verify(&scratch, &["--head", &head]).code, Some(0));
    let ran = verify(&scratch, &["--json"]);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(found, json!({"file": "a.jsonl", "whole": true, "events": 4, "head": head}));
    // A record written anew is whole; only the head tells.
    record(&scratch);
    let other = verify(&scratch, &["--head", &head.replace(['a', 'b', 'c'], "0")]);
    assert_eq!(other.code, Some(1));
    assert!(other.err.contains("written anew"), "{}", other.err);
}

#[test]
fn a_changed_record_is_told_with_its_first_changed_line() {
    let scratch = Scratch::new("audit");
    record(&scratch);
    let whole = scratch.read("a.jsonl");
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    assert_eq!(lines.len(), 5, "{whole}");
    let denied = lines.iter().position(|line| line.contains("\"denied\"")).unwrap();
    let edited: Vec<String> = lines.iter().map(|line| line.replace("\"denied\"", "\"allowed\"")).collect();
    let without = |at: usize| lines.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, line)| *line).collect::<String>();
    for (text, line, how) in [
        (edited.concat(), denied + 1, "edited"),
        (without(denied), denied + 1, "cut"),
        (without(0), 1, "cut"),
        (without(4), 5, "cut"),
        (whole[..whole.len() - 1].to_string(), 5, "cut"),
        (String::new(), 1, "cut"),
        ([lines[0], lines[2], lines[1], lines[3], lines[4]].concat(), 2, "reordered"),
        ([lines[0], lines[1], "{\"v\":1}\n", lines[2], lines[3], lines[4]].concat(), 3, "inserted"),
        (whole.clone() + lines[1], 6, "inserted"),
    ] {
        scratch.write("a.jsonl", &text);
        let ran = verify(&scratch, &["--json"]);
        let found: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
        assert_eq!(
            (ran.code, &found["line"], &found["how"], &found["whole"]),
            (Some(1), &json!(line), &json!(how), &json!(false)),
            "{found}"
        );
        let ran = verify(&scratch, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
        assert!(ran.err.contains(&format!("line {line}")), "{}", ran.err);
    }
}

#[test]
fn what_is_no_audit_file_is_a_usage_error() {
    let scratch = Scratch::new("audit");
    scratch.write("d/a.txt", "x");
    for file in ["missing.jsonl", "d", "/dev/null"] {
        let ran = ilu_in(scratch.path(), &["audit", "verify", file], b"");
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{file} {}", ran.err);
        assert!(ran.err.contains(file), "{}", ran.err);
        let ran = ilu_in(scratch.path(), &["audit", "verify", "--json", file], b"");
        let told: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((ran.code, told["file"].as_str()), (Some(2), Some(file)));
    }
    for args in [&["audit"][..], &["audit", "verify"], &["audit", "check", "a"]] {
        assert_eq!(ilu(args).code, Some(2), "{args:?}");
    }
}

#[test]
fn a_run_that_was_killed_leaves_a_record_without_its_end() {
    let scratch = Scratch::new("audit");
    let program = "use tim\nwhl tru: tim.ms()";
    let mut command = std::process::Command::new(ilu_tests::command::binary());
    command.args(["run", "--audit", "a.jsonl", "-e", program]).current_dir(scratch.path()).env_clear();
    let mut child = command.spawn().unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::fs::metadata(scratch.at("a.jsonl")).map_or(0, |meta| meta.len()) < 1000 && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let ran = verify(&scratch, &["--json"]);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &found["how"]), (Some(1), &json!("cut")), "{found}");
    assert_eq!(
        found["line"].as_u64().unwrap() as usize,
        scratch.read("a.jsonl").split_inclusive('\n').count() + usize::from(scratch.read("a.jsonl").ends_with('\n'))
    );
}

// ---- the schema

/// Names in the first column of the table under a heading of `docs/audit.md`.
fn fields(page: &str, heading: &str) -> BTreeSet<String> {
    let section = page.split_once(heading).unwrap_or_else(|| panic!("no {heading}")).1;
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2).map(str::to_string).collect::<Vec<_>>()).collect()
}

#[test]
fn the_page_names_the_fields_that_the_lines_have() {
    let scratch = Scratch::new("audit");
    let told = record(&scratch);
    let page = std::fs::read_to_string(root().join("docs/audit.md")).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let rows: Vec<Value> = scratch.read("a.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (closing, events) = rows.split_last().unwrap();
    let only_of_denials = BTreeSet::from(["grant".to_string(), "retry".to_string()]);
    let event_fields = fields(&page, "## A line");
    for event in events {
        let expected = if event["verdict"] == "denied" { event_fields.clone() } else { &event_fields - &only_of_denials };
        assert_eq!(keys(event), expected, "{event}");
    }
    assert!(events.iter().any(|event| event["verdict"] == "denied"));
    assert_eq!(keys(closing), fields(&page, "## The last line"));
    assert_eq!(keys(&told["denials"][0]), fields(&page, "## Denials in the outcome"));
}

// ---- denials as fields

#[test]
fn the_outcome_says_of_each_denial_what_a_program_needs_to_know() {
    let scratch = Scratch::new("audit");
    scratch.write("d/a.txt", "x");
    let program = "use fs\nuse env\ni = 0\nwhl i < 3:\n    try(\\() fsrd(\"/etc/pa\\u{202e}sswd\"))\n    i = i + 1\ntry(\\() fswr(\"/d/x\", \"x\"))\nenv.get(\"HOME\")";
    let ran = ilu_in(scratch.path(), &["run", "--dir", "d:/d", "--json", "-e", program], b"");
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(!ran.err.contains('\u{202e}'), "{}", ran.err);
    let told: Value = serde_json::from_str(ran.err.lines().last().unwrap()).unwrap();
    assert_eq!(
        told["denials"],
        json!([
            {"native": "__sys_read_file", "on": ["/etc/pa\u{202e}sswd"], "rule": "no-grant", "code": "E0705", "why": "no directory grant covers this path",
             "grant": "--dir '/etc/pa\\u{202e}sswd:ro'", "retry": false, "file": "<eval>", "line": 5, "seq": 1, "times": 3},
            {"native": "__sys_write_file", "on": ["/d/x"], "rule": "not-held", "code": "E0701", "why": "the sandbox does not hold this capability",
             "grant": "--dir HOST:/d:rw, where HOST is what /d is granted from", "retry": false, "file": "<eval>", "line": 7, "seq": 4, "times": 1},
            {"native": "__sys_getenv", "on": ["HOME"], "rule": "not-held", "code": "E0701", "why": "the sandbox does not hold this capability",
             "grant": "--env HOME", "retry": false, "file": "<eval>", "line": 8, "seq": 5, "times": 1},
        ])
    );
    let error = &told["error"];
    assert_eq!(
        (&error["kind"], &error["native"], &error["on"], &error["rule"], &error["grant"], &error["retry"]),
        (&json!("denied"), &json!("__sys_getenv"), &json!(["HOME"]), &json!("not-held"), &json!("--env HOME"), &json!(false))
    );
    assert_eq!(told["usage"]["denied"], 5);
}

/// The fields that a table of the page names.
fn documented(page: &str, heading: &str) -> BTreeSet<String> {
    let section = page.split(&format!("\n## {heading}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let names = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    names.flat_map(|cell| cell.split('`').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn the_page_has_every_field_and_every_rule_and_no_other() {
    let page = std::fs::read_to_string(root().join("docs/audit.md")).unwrap();
    let scratch = Scratch::new("audit");
    scratch.write("d/a.txt", "text");
    let program = "use cap\nuse fs\nuse sbx\nfs.rd(\"/d/a.txt\")\ntry(\\() fs.rd(\"/d/none\"))\ntry(\\() fs.wr(\"/d/a.txt\", \"\"))\n\
                   sb = sbxmk(captime(), {calls: {__sys_time: 0}})\nsbxtr(sb, \\() __sys_time())\nsbxrv(sb)\ng = sbxgt(\\() 1)\ng()";
    let ran = ilu_in(scratch.path(), &["run", "--dir", "d:/d", "--grant", "capall", "--audit", "audit.jsonl", "-e", program], b"");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let rows: Vec<Value> = scratch.read("audit.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (closing, rows) = rows.split_last().unwrap();
    let fields = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let all: BTreeSet<String> = rows.iter().flat_map(fields).collect();
    assert_eq!(documented(&page, "A line of the audit"), all);
    assert_eq!(documented(&page, "The last line"), fields(closing));
    let only_denied: BTreeSet<String> = ["grant", "retry"].into_iter().map(str::to_owned).collect();
    for row in rows {
        let expected = if row["verdict"] == "denied" { all.clone() } else { &all - &only_denied };
        assert_eq!(fields(row), expected, "{row}");
    }
    let verdicts: BTreeSet<&str> = rows.iter().map(|row| row["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, BTreeSet::from(["allowed", "denied", "failed", "limit"]), "the program has one of each");
    // The rules' words, from where they are.
    let source = std::fs::read_to_string(root().join("stdlib/sbx/src/denial.rs")).unwrap();
    let codes = source.split("fn code(").nth(1).unwrap().split("\n    }\n").next().unwrap();
    let codes: Vec<&str> = codes.lines().filter_map(|line| line.split_once("=> \"")?.1.split('"').next()).collect();
    assert!(codes.len() > 10, "{codes:?}");
    for code in codes {
        assert!(page.contains(&format!("`{code}`")), "docs/audit.md does not have the rule `{code}`");
    }
}
