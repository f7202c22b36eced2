//! Attack row INT-037: every budget of the interpreter runs out at every point it can, under the suite's own scripts. Whatever the point, the
//! run ends with its value, its own error or that limit; never with a bug of ours; and the next run in the same process is as good as new.

use ilu::{Engine, Kind};
use ilu_sbx::Limits;
use ilu_tests::command::root;
use ilu_tests::expect::cases;
use ilu_tests::inside::with_limits;
use ilu_tests::suite::{FOLDER, files, is_helper};
use ilu_tests::tally::{Part, note};

/// Scripts of the suite that run for a while but not for long.
fn corpus() -> Vec<String> {
    let mut found = Vec::new();
    for file in files().iter().filter(|file| !is_helper(file) && !file.starts_with("limits")) {
        let bytes = std::fs::read(root().join(FOLDER).join(file)).unwrap();
        let whole = cases(file, &bytes).into_iter().filter(|case| case.compile.is_empty() && case.flags.is_empty() && !case.binary);
        found.extend(whole.filter_map(|case| String::from_utf8(case.source).ok()));
    }
    assert!(found.len() > 300, "only {} scripts", found.len());
    found
}

/// Runs each script under each limit; gives how many runs ended by it and how many did not.
fn all(limits: &[Limits]) -> (usize, usize) {
    let engine = Engine::new();
    let (mut stopped, mut went_on) = (0, 0);
    for text in corpus() {
        let program = engine.compile("script", text.as_str()).unwrap();
        for limit in limits {
            let outcome = engine.run(&program, with_limits(limit.clone()));
            match outcome.result {
                Err(error) if error.kind == Kind::Limit => stopped += 1,
                Err(error) => {
                    assert_ne!(error.kind, Kind::Bug, "{} under {limit:?}:\n{text}", error.message);
                    went_on += 1;
                }
                Ok(_) => went_on += 1,
            }
        }
    }
    let program = engine.compile("after", "prn [1, 2] | map \\(x) x + 1").unwrap();
    let after = engine.run(&program, with_limits(Limits { fuel: 100_000, ..Limits::default() }));
    assert!(after.result.is_ok(), "the engine is not as it was: {:?}", after.result);
    (stopped, went_on)
}

fn check(limits: &[Limits]) {
    let (stopped, went_on) = all(limits);
    // What a limit stopped, and what the next one up let through.
    note(Part::Refusal);
    note(Part::Twin);
    note(Part::Control);
    assert!(stopped > 100 && went_on > 100, "the limits are not where they bite: {stopped} stopped, {went_on} went on");
}

fn small() -> Limits {
    Limits { fuel: 200_000, memory: 16 << 20, ..Limits::default() }
}

pub fn int_037_memory_may_run_out_anywhere() {
    check(&(0..30).map(|step| Limits { memory: step * step * 96, ..small() }).collect::<Vec<_>>());
}

pub fn int_037_fuel_may_run_out_anywhere() {
    check(&(0..40).map(|fuel| Limits { fuel, ..small() }).collect::<Vec<_>>());
}

pub fn int_037_depth_may_run_out_anywhere() {
    check(&(0..10).map(|depth| Limits { depth, ..small() }).collect::<Vec<_>>());
}

pub fn int_037_output_may_run_out_anywhere() {
    check(&(0..20).map(|output| Limits { output, ..small() }).collect::<Vec<_>>());
}
