//! What the page says, and that nothing in it is markup but what this crate wrote.

#![allow(clippy::field_reassign_with_default, reason = "some fields are the type's own")]

use super::*;
use ilu::outcome::{Finished, ScriptError};
use ilu_sbx::{Budget, Cost, Denial, Event, Ledger, Plain, ROOT_NUMBER, Rule, Scale, Spent, Summary, Touched, Verdict, What};
use std::borrow::Cow;

const START: f64 = 1_700_000_000_000.0;

fn event(seq: u64, native: &'static str, on: &[&str], verdict: Verdict, rule: &'static str) -> Event {
    Event {
        seq,
        when: START + seq as f64 * 250.0,
        native,
        subjects: on.iter().map(ToString::to_string).collect(),
        sandbox: ROOT_NUMBER,
        file: "job.ilu".into(),
        line: seq as u32,
        verdict,
        rule: Cow::Borrowed(rule),
        cost: Cost { read: 6, written: 0 },
        denial: None,
        task: 0,
        times: 1,
    }
}

fn denied(seq: u64, native: &'static str, on: &[&str], rule: Rule, grant: Option<&str>) -> Event {
    let mut event = event(seq, native, on, Verdict::Denied, rule.code());
    let (file, line) = (event.file.to_string(), event.line);
    event.denial = Some(Box::new(Denial { native, on: Vec::new(), rule, grant: grant.map(str::to_string), retry: false, file, line }));
    event
}

fn counts(allowed: u64, denied: u64) -> Counts {
    Counts { allowed, denied, ..Counts::default() }
}

fn touched(what: What, subject: &str, native: &'static str, verdicts: Counts, rule: &str) -> Touched {
    let natives = vec![(native, verdicts.total())];
    Touched {
        what,
        subject: subject.to_string(),
        natives,
        verdicts,
        read: 2048,
        written: 0,
        first: START,
        last: START + 500.0,
        rule: rule.to_string(),
    }
}

/// A run that read a file, was denied two things, and ended.
fn outcome(name: &str) -> Outcome {
    let read = event(1, "__sys_read_file", &["/in/a.txt"], Verdict::Allowed, "dir /in ro");
    let mut write = denied(2, "__sys_write_file", &[name], Rule::ReadOnly("/in".to_string()), Some("--dir HOST:/in:rw"));
    write.times = 3;
    let mut inner = denied(3, "__sys_getenv", &["SECRET"], Rule::NoVariable, None);
    inner.sandbox = 5;
    let slots = vec![counts(0, 0), counts(1, 0), counts(0, 3), counts(0, 1)];
    let mut summary = Summary::default();
    summary.total = 5;
    summary.verdicts = counts(1, 4);
    summary.first = vec![read, write.clone(), inner.clone()];
    summary.left_out = 2;
    summary.touched = vec![
        touched(What::File, "/in/a.txt", "__sys_read_file", counts(1, 0), "dir /in ro"),
        touched(What::File, name, "__sys_write_file", counts(0, 3), "read-only"),
        touched(What::Variable, "SECRET", "__sys_getenv", counts(0, 1), "no-variable"),
    ];
    summary.natives = vec![("__sys_read_file", counts(1, 0)), ("__sys_write_file", counts(0, 3)), ("__sys_getenv", counts(0, 1))];
    summary.rules = vec![("dir /in ro".to_string(), 1)];
    summary.scale = Scale { start: START, width: 256.0, slots };
    let mut ledger = Ledger::default();
    ledger.denied = vec![write, inner];
    ledger.summary = Some(Box::new(summary));
    Outcome {
        result: Ok(Finished { text: "nil".to_string(), value: Some(Plain::Nil) }),
        used: Plain::Nil,
        spent: vec![
            Spent { budget: Budget::Fuel, used: 1_234_567, limit: 20_000_000_000 },
            Spent { budget: Budget::Memory, used: 240 << 20, limit: 256 << 20 },
            Spent { budget: Budget::Output, used: 100, limit: 100 },
            Spent { budget: Budget::Read, used: 0, limit: ilu_sbx::NO_LIMIT },
            Spent { budget: Budget::Time, used: 1500, limit: 600_000 },
        ],
        ledger,
        audit: None,
        failures: Vec::new(),
        observed: None,
        collections: 0,
    }
}

fn of(script: &str, outcome: &Outcome) -> String {
    let granted = Granted {
        dirs: vec![("/in".to_string(), "ro"), ("/spare/".to_string(), "rw")],
        env: vec!["LANG".to_string()],
        natives: vec!["__sys_read_file", "__sys_stat"],
    };
    page(&Subject { script, granted: &granted, outcome })
}

/// What a reader sees: the page without its tags, a line for each piece.
fn seen(page: &str) -> String {
    let body = page.split_once("<body>").unwrap().1;
    let mut out = String::new();
    for piece in body.split('<').skip(1) {
        let text = piece.split_once('>').unwrap().1.trim();
        if !text.is_empty() {
            out.push_str(text);
            out.push('\n');
        }
    }
    out
}

#[test]
fn the_page_reads_from_the_denials_down() {
    insta::assert_snapshot!(seen(&of("job.ilu", &outcome("/in/new.txt"))));
}

#[test]
fn text_that_a_script_chose_is_never_markup() {
    let plain = of("job.ilu", &outcome("/in/new.txt"));
    let tags = |page: &str| page.matches('<').count();
    for name in [
        "</code><script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style><style>body{display:none}",
        "--><!--",
        "]]>",
        "&lt;script&gt;",
        "javascript:alert(1)",
        "\u{202e}gpj.exe\u{2066}",
        "a\nb\r\u{0}\u{1b}[2J\u{9b}\u{7f}",
        "`${alert(1)}`",
    ] {
        let hostile = of(name, &outcome(name));
        assert_eq!(tags(&hostile), tags(&plain), "{name:?}");
        assert_eq!(hostile.matches('"').count(), plain.matches('"').count(), "{name:?}");
        assert!(
            !hostile.chars().any(|c| c != '\n' && c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')),
            "{name:?}"
        );
    }
}

#[test]
fn every_end_of_a_run_has_a_page() {
    for (kind, says) in [
        (Kind::Error, "uncaught error"),
        (Kind::Limit, "a budget ran out"),
        (Kind::InnerLimit, "a budget ran out"),
        (Kind::Exit(7), "os.exit 7"),
        (Kind::Interrupted, "interrupted"),
        (Kind::Bug, "a bug of ilu"),
    ] {
        let mut outcome = outcome("/in/new.txt");
        outcome.result = Err(ScriptError {
            kind,
            code: "E0601",
            message: "what <b>it</b> says".to_string(),
            on: Vec::new(),
            trace: ilu::Trace::default(),
        });
        let page = of("job.ilu", &outcome);
        assert!(page.contains(says), "{says}");
        assert_eq!(page.contains("what &lt;b&gt;it&lt;/b&gt; says"), says != "os.exit 7");
        outcome.ledger = Ledger::default();
        assert!(of("job.ilu", &outcome).contains("The run left no record"));
    }
}

#[test]
fn the_page_needs_nothing_beside_it_and_allows_no_script() {
    let page = of("job.ilu", &outcome("/in/new.txt"));
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
    let (head, body) = page.split_once("<style>").unwrap();
    for outside in ["http:", "https:", "src=", "<script", "<link", "@import", "url(", " style=", "<iframe", "<form"] {
        assert!(!head.contains(outside) && !body.contains(outside), "{outside}");
    }
    assert_eq!(base64(b"any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
    assert_eq!(base64(b"any carnal pleasu"), "YW55IGNhcm5hbCBwbGVhc3U=");
    assert_eq!(base64(b"any carnal pleasur"), "YW55IGNhcm5hbCBwbGVhc3Vy");
}
