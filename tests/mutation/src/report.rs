//! The outcome: how many checks are missed when they are gone, and which are not.

use crate::scratch::repository;
use crate::sites::Check;
use crate::suite::Verdict;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Survivors that are argued for, one by one: file, function, what is done, the beginning of its text, and why no test can miss it.
const TABLE: &str = "tests/mutation/equivalent.md";

/// The rows of the table as keys.
fn argued() -> Vec<[String; 4]> {
    let text = std::fs::read_to_string(repository().join(TABLE)).unwrap_or_default();
    let row = |line: &str| {
        let cells: Vec<String> =
            line.trim().trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`').replace("\\|", "|")).collect();
        let [file, function, what, text, _] = cells.try_into().ok()?;
        Some([file, function, what, text])
    };
    text.lines().filter(|line| line.starts_with("| `")).filter_map(row).collect()
}

/// Which checks are argued for.
pub struct Argued(Vec<[String; 4]>);

impl Argued {
    pub fn read() -> Argued {
        Argued(argued())
    }

    pub fn has(&self, check: &Check) -> bool {
        let fits = |row: &[String; 4]| {
            let text = row[3].trim_end_matches('…');
            check.file.ends_with(&row[0]) && check.function == row[1] && check.what == row[2] && check.text.starts_with(text)
        };
        self.0.iter().any(fits)
    }
}

pub fn write(scratch: &Path, verdicts: &[Verdict], dropped: usize) {
    let argued = Argued::read();
    let is_argued = |verdict: &&Verdict| argued.has(&verdict.check);
    let survivors: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.killer.is_none()).collect();
    let (same, open): (Vec<&Verdict>, Vec<&Verdict>) = survivors.iter().copied().partition(|verdict| is_argued(verdict));
    let killed = verdicts.len() - survivors.len();
    let mut files: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for verdict in verdicts {
        let row = files.entry(&verdict.check.file).or_default();
        row.0 += usize::from(verdict.killer.is_some());
        row.1 += 1;
    }
    let mut text = String::new();
    let _ = writeln!(
        text,
        "killed {killed} of {} ({} more argued to change nothing, {} open); {dropped} more would not compile without",
        verdicts.len(),
        same.len(),
        open.len()
    );
    for (file, (killed, all)) in files {
        let _ = writeln!(text, "  {killed:4}/{all:<4} {file}");
    }
    for verdict in open {
        let why = if verdict.reached_by == 0 {
            "no test reaches it".to_owned()
        } else {
            format!("{}/{} tests asked", verdict.asked, verdict.reached_by)
        };
        let _ = writeln!(text, "open: {} ({why})", verdict.check);
    }
    print!("{text}");
    std::fs::write(scratch.join("report.txt"), text).unwrap();
}
