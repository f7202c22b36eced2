//! The index of rows (README.md) against the tests, and the last words of a run.

use crate::catalogue;
use ilu_tests::command::root;
use ilu_tests::tally;
use libtest_mimic::Conclusion;
use std::collections::BTreeSet;

/// Groups of the catalogue that the index lists.
const GROUPS: [&str; 8] = ["FS-", "INT-", "CAP-", "NET-", "POL-", "AGT-", "PRC-", "OSL-"];

/// The rows of the index: id, and `test` or why there is none.
fn listed() -> Vec<(String, String)> {
    let index = std::fs::read_to_string(root().join("tests/attacks/README.md")).unwrap();
    let rows = index.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let (id, how) = (*cells.get(1)?, *cells.get(2)?);
        GROUPS.iter().any(|group| id.starts_with(group)).then(|| (id.to_owned(), how.to_owned()))
    });
    rows.collect()
}

pub fn every_row_of_the_index_is_a_test_or_says_why_not() {
    let tested: BTreeSet<String> = catalogue::tested().into_iter().collect();
    let mut seen = BTreeSet::new();
    for (id, how) in listed() {
        match how.as_str() {
            "test" => assert!(tested.contains(&id), "{id} is said to be a test and is none"),
            reason => assert!(!tested.contains(&id) && reason.len() > 20, "{id}: a row is `test`, or gives its reason"),
        }
        assert!(seen.insert(id.clone()), "{id} stands in the index twice");
    }
    // Some tables hold rows of our own beside the catalogue's, with a word in place of the number.
    let of_the_catalogue = |id: &str| id.rsplit('-').next().is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()));
    let unlisted: Vec<_> = tested.iter().filter(|id| of_the_catalogue(id) && !seen.contains(*id)).collect();
    assert!(unlisted.is_empty(), "tests of rows that the index does not list: {unlisted:?}");
    assert!(seen.len() > 90, "{} rows", seen.len());
}

/// Tells what was tried, and each row that does not apply with its reason. Gives whether a row lacks its control or its twin.
pub fn summary(conclusion: &Conclusion) -> bool {
    let rows = tally::all();
    let tried = rows.iter().filter(|(id, _)| !id.is_empty());
    let (mut attempts, mut refusals, mut controls, mut twins) = (0, 0, 0, 0);
    let mut lacking = Vec::new();
    for (id, counts) in tried.clone() {
        attempts += counts.attempts;
        refusals += counts.refusals;
        controls += counts.controls;
        twins += counts.twins;
        if counts.refusals > 0 && (counts.controls == 0 || counts.twins == 0) {
            lacking
                .push(format!("{id}: it refuses {} times, with {} controls and {} twins", counts.refusals, counts.controls, counts.twins));
        }
    }
    // A part of the catalogue says nothing about the whole of it.
    let whole = conclusion.num_filtered_out == 0 && !conclusion.has_failed();
    let none: Vec<_> = listed().into_iter().filter(|(_, how)| how != "test").collect();
    if whole {
        none.iter().for_each(|(id, why)| println!("not applicable: {id}: {why}"));
    }
    for (time, test) in tally::slowest(if conclusion.num_filtered_out == 0 { 5 } else { 0 }) {
        println!("slow: {test}: {} ms", time.as_millis());
    }
    println!(
        "attacks: {} rows tried ({attempts} attempts, {refusals} of them to be refused; {controls} controls; {twins} twins), {} tests passed, {} failed, {} filtered out; {} rows not applicable",
        tried.count(),
        conclusion.num_passed,
        conclusion.num_failed,
        conclusion.num_filtered_out,
        none.len(),
    );
    lacking.iter().for_each(|row| println!("error: {row}"));
    whole && !lacking.is_empty()
}
