//! Memory bounds as scripts meet them.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;
use common::run_with;
use ilu_sbx::Limits;

/// A script that keeps so many kilobytes and then makes three thousand strings of a kilobyte, one after the other.
fn kept_and_dropped(kilobytes: usize) -> String {
    format!(
        "use txt\nuse trl\nbase = txt.rpt(\"x\", 1000)\nkept = []\ni <- 0..<{kilobytes}: trl.push(kept, base + i)\n\
         i <- 0..<3000: s = base + i\nprn len(kept)\n"
    )
}

#[test]
fn next_to_its_bound_a_script_ends_instead_of_collecting_at_every_step() {
    let (mut fits, mut fits_not) = (0, 4096);
    while fits_not - fits > 1 {
        let kilobytes = usize::midpoint(fits, fits_not);
        let (outcome, _) = run_with(&kept_and_dropped(kilobytes), Limits { memory: 4 << 20, ..Limits::default() }, |_| {});
        assert!(outcome.collections < 100, "{} collections with {kilobytes} KB kept", outcome.collections);
        if outcome.result.is_ok() { fits = kilobytes } else { fits_not = kilobytes }
    }
    assert!(fits > 2600, "{fits} KB fit in 4 MiB");
}
