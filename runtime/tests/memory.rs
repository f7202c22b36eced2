//! Memory bounds as scripts meet them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod common;
use common::{output, run_with};
use ilu::Outcome;
use ilu_sbx::{Budget, Limits};

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

/// Bytes that the collector went through for each unit of fuel that was used.
fn collected_per_fuel(text: &str, limits: Limits, held: u64) -> (u64, Outcome) {
    let (outcome, _) = run_with(text, limits, |_| {});
    let fuel = outcome.spent.iter().find(|spent| spent.budget == Budget::Fuel).unwrap().used;
    (outcome.collections * held / fuel.max(1), outcome)
}

/// A host that keeps so many kilobytes and runs this in it.
fn in_a_large_heap(kilobytes: usize, inside: &str) -> String {
    format!(
        "use sbx\nuse txt\nuse trl\nbase = txt.rpt(\"x\", 1000)\nkept = []\ni <- 0..<{kilobytes}: trl.push(kept, base + i)\n\
         small = sbxmk([], {{mem: 16384}})\n{inside}\n"
    )
}

#[test]
fn what_the_collector_does_is_in_proportion_to_fuel_wherever_the_bound_is() {
    const HELD: u64 = 8 << 20;
    let limits = |memory| Limits { memory, fuel: 3_000_000, ..Limits::default() };
    for (name, inside) in [
        ("a small sandbox makes garbage", "sbxtr(small, \\()\n    whl tru: x = [1]\n)"),
        ("in one call after the other", "whl tru: sbxtr(small, \\() 0..<1000)"),
        ("and asks for more than it may have", "whl tru: sbxtr(small, \\() 0..<50000)"),
        ("compiles", "s = txt.rpt(\"x = 1\\n\", 80)\nwhl tru: try(\\() sbxev(small, s))"),
        ("opens more than may be open", "whl tru: try(\\() sbxrn(small, \\() sbxmk([], {dir: {}})))"),
    ] {
        let (each, outcome) = collected_per_fuel(&in_a_large_heap(8000, inside), limits(64 << 20), HELD);
        println!("{name}: {} collections, {each} bytes a unit", outcome.collections);
        assert!(each <= 4096, "{name}: {} collections, {each} bytes a unit of fuel", outcome.collections);
        assert!(outcome.result.is_err() || outcome.collections > 0, "{name}");
    }
    // Next to the root's own bound.
    for kilobytes in (2400..2900).step_by(20) {
        let text = kept_and_dropped(kilobytes).replace("3000", "30000");
        let (each, outcome) = collected_per_fuel(&text, limits(4 << 20), 4 << 20);
        println!("{kilobytes} KB kept: {} collections, {each} bytes a unit", outcome.collections);
        assert!(each <= 4096, "{kilobytes} KB kept: {} collections, {each} bytes a unit of fuel", outcome.collections);
    }
}

#[test]
fn garbage_from_outside_is_no_room_for_a_sandbox() {
    // The host leaves as much garbage as it can without a collection; the sandbox keeps all that it makes.
    let text = |garbage: &str| {
        format!(
            "use sbx\nuse trl\nuse txt\nbase = txt.rpt(\"x\", 1000)\nkeep = 0..<400000\n{garbage}\nsb = sbxmk([], {{mem: 1000000}})\nn = 0\n\
             r = sbxtr(sb, \\()\n    kept = []\n    whl tru:\n        trl.push(kept, base + n)\n        n += 1\n)\nprn n, r.err\n"
        )
    };
    let took = |garbage: &str| {
        let (outcome, written) = run_with(&text(garbage), Limits { memory: 64 << 20, ..Limits::default() }, |_| {});
        assert!(outcome.result.is_ok(), "{:?}", outcome.result);
        let out = written.out();
        assert!(out.ends_with("memory ran out (limit 1000000 bytes)\n"), "{out}");
        out.split(' ').next().unwrap().parse::<u32>().unwrap()
    };
    let clean = took("");
    assert!((700..1000).contains(&clean), "{clean} KB in a million bytes");
    let with_garbage = took("i <- 0..<2500: s = base + i");
    assert!(f64::from(with_garbage) <= f64::from(clean) * 1.25, "{with_garbage} KB with garbage around, {clean} without");
}

#[test]
fn an_exhausted_sandbox_runs_nothing_at_all() {
    let script = "use sbx\nsb = sbxmk([], {fuel: 1000})\nn = 0\nf() =\n    whl tru: 0\nsbxtr(sb, f)\nbefore = sbxug(sb).fuel\n\
                  i <- 0..<100:\n    r = sbxtr(sb, \\()\n        n = n + 1\n    )\nprn n, r.err, sbxug(sb).fuel - before\n\
                  prn try(\\() sbxrn(sb, \\() 1)).err, try(\\() sbxev(sb, \"1\")).err, try(\\() sbxca(sb, \"__sys_time\")).err\n";
    assert_eq!(
        output(script),
        "0 fuel ran out (limit 1000) 0\nfuel ran out (limit 1000) fuel ran out (limit 1000) fuel ran out (limit 1000)\n"
    );
}
