//! The index of rows (README.md) against the tests, and the last words of a run.

use crate::catalogue;
use crate::lane::{self, Lane, Verdict};
use ilu_tests::command::root;
use ilu_tests::tally;
use libtest_mimic::Conclusion;
use std::collections::BTreeSet;

/// Groups of the catalogue that the index lists.
const GROUPS: [&str; 8] = ["FS-", "INT-", "CAP-", "NET-", "POL-", "AGT-", "PRC-", "OSL-"];

/// What stands above the rows that the kernel can't express.
const INEXPRESSIBLE: &str = "## What the kernel alone can't express";

/// The rows of the index: id, and `test` or why there is none.
fn listed() -> Vec<(String, String)> {
    table(|index| index.split_once(INEXPRESSIBLE).unwrap().0)
}

/// The rows in which the kernel alone refuses nothing, or not everything: id, and why.
fn inexpressible() -> Vec<(String, String)> {
    table(|index| index.split_once(INEXPRESSIBLE).unwrap().1)
}

fn table(part: impl FnOnce(&str) -> &str) -> Vec<(String, String)> {
    let index = std::fs::read_to_string(root().join("tests/attacks/README.md")).unwrap();
    let rows = part(&index).lines().filter_map(|line| {
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

/// With the kernel alone: every attack of the row failed, and one at least succeeds when the kernel does not refuse it either.
const fn is_held(verdict: &Verdict) -> bool {
    verdict.held > 0 && verdict.through.is_empty() && verdict.bare > 0
}

/// It is about what a path or an answer means: nothing in it is an attack that anybody refuses.
const fn has_nothing_to_refuse(verdict: &Verdict) -> bool {
    verdict.held == 0 && verdict.through.is_empty()
}

/// Rows that are held and said not to be, and the other way round.
fn wrongly_told_of_the_kernel() -> Vec<String> {
    let (told, verdicts) = (inexpressible(), lane::verdicts());
    let mut wrong = Vec::new();
    for (noted, _) in tally::all() {
        let (id, lane) = lane::split(&noted);
        let said = told.iter().any(|(row, _)| row == id);
        let verdict = verdicts.get(id).cloned().unwrap_or_default();
        if lane != Lane::Kernel || said != is_held(&verdict) || !said && has_nothing_to_refuse(&verdict) {
            continue;
        }
        // Rows of one test have one verdict, which is that of the row that the test was at.
        if said && catalogue::beside(id).iter().any(|other| told.iter().any(|(row, _)| row == other)) {
            continue;
        }
        wrong.push(if said {
            format!("{id}: the kernel alone refuses it, and the README says that it can't")
        } else {
            format!("{id}: the kernel alone does not hold it, and the README gives no reason: {verdict:?}")
        });
    }
    for (id, why) in told {
        if why.len() < 20
            || verdicts.get(&id).is_none_or(has_nothing_to_refuse)
            || !verdicts.contains_key(&id) && !tally::all().contains_key(&format!("{id} kernel alone"))
        {
            wrong.push(format!("{id}: it is no row of the kernel's lane, or its reason is none"));
        }
    }
    wrong
}

/// Tells what was tried, and each row that does not apply with its reason. Gives whether a row lacks its control or its twin.
pub fn summary(conclusion: &Conclusion) -> bool {
    let rows = tally::all();
    let of = |wanted: Lane| rows.iter().filter(move |(id, _)| !id.is_empty() && lane::split(id).1 == wanted);
    let tried = of(Lane::Both);
    let (mut attempts, mut refusals, mut controls, mut twins) = (0, 0, 0, 0);
    // A part of the catalogue says nothing about the whole of it.
    let whole = conclusion.num_filtered_out == 0 && !conclusion.has_failed();
    // Run by themselves, the rows of the kernel's lane are held against their table as well.
    let all_of_the_kernel = inexpressible().iter().all(|(id, _)| rows.contains_key(&format!("{id} kernel alone")));
    let mut lacking =
        if !conclusion.has_failed() && all_of_the_kernel && lane::kernel_has_it() { wrongly_told_of_the_kernel() } else { Vec::new() };
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
    let none: Vec<_> = listed().into_iter().filter(|(_, how)| how != "test").collect();
    if whole {
        none.iter().for_each(|(id, why)| println!("not applicable: {id}: {why}"));
    }
    for (time, test) in tally::slowest(if conclusion.num_filtered_out == 0 { 5 } else { 0 }) {
        println!("slow: {test}: {} ms", time.as_millis());
    }
    let verdicts = lane::verdicts();
    let held = verdicts.values().filter(|verdict| is_held(verdict)).count();
    for (lane, words) in [(Lane::Doorway, "the doorway alone"), (Lane::Kernel, "the kernel alone")] {
        let (rows, refusals) = (of(lane).count(), of(lane).map(|(_, counts)| counts.refusals).sum::<usize>());
        let kept = match lane {
            Lane::Kernel => {
                format!("; {held} rows held by it, {} it can't express, the others have nothing to refuse", inexpressible().len())
            }
            _ => String::new(),
        };
        println!("attacks with {words}: {rows} rows tried ({refusals} attempts to be refused){kept}");
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
    (whole || all_of_the_kernel) && !lacking.is_empty()
}
