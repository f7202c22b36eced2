//! Sandboxes that nothing refers to are let go of; those that something refers to are not, whatever refers to them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::run_with;
use ilu::{Kind, Outcome};
use ilu_sbx::Limits;

fn within(memory: u64, text: &str) -> (Outcome, String) {
    let (outcome, written) = run_with(text, Limits { memory, ..Limits::default() }, |_| {});
    (outcome, written.out())
}

fn prints(memory: u64, text: &str, expected: &str) {
    let (outcome, out) = within(memory, text);
    assert!(outcome.result.is_ok(), "{:?}\n{out}\n{text}", outcome.result.map_err(|error| error.message));
    assert_eq!(out, expected, "{text}");
}

/// Makes enough garbage that every place that is free is used again, by sandboxes that hold more.
const CHURN: &str = "
churn() =
    i <- 0..3500: sbxrn(sbxmk([\"__sys_mono\", \"__sys_time\"]), \\() 1)
";

#[test]
fn sandboxes_made_and_dropped_in_a_loop_take_no_more_room_than_a_few() {
    for round in [
        "sbxmk([])",
        "sbxrn(sbxmk([\"__sys_time\"]), \\() 1)",
        "sbxtr(sbxmk([], {fuel: 100}), \\() 1)",
        "sbxev(sbxmk([]), \"1\")",
        "sbxrn(sbxmk([]), \\() sbxmk([]))",
        // Their meeting, too.
        "sbxrn(sbxmk([]), \\() sbxrn(other, \\() 1))",
    ] {
        let text = format!("use sbx\nother = sbxmk([])\ni <- 0..9000: {round}\nprn \"done\"\n");
        prints(6 << 20, &text, "done\n");
    }
    // Its control: kept, they are what the memory is for.
    let (outcome, _) = within(6 << 20, "use sbx\nuse trl\nxs = []\ni <- 0..20000: trl.push(xs, sbxmk([]))\n");
    assert_eq!(outcome.result.unwrap_err().kind, Kind::Limit);
}

#[test]
fn modules_of_sandboxes_that_are_gone_are_forgotten() {
    prints(12 << 20, "use sbx\ni <- 0..400: sbxus(sbxmk([]), \"txt\")\nprn \"done\"\n", "done\n");
    prints(
        24 << 20,
        &format!(
            "use sbx\n{CHURN}sb = sbxmk([])\nm = sbxus(sb, \"txt\")\nchurn()\nprn sbxus(sb, \"txt\") == m\nprn sbxtr(sb, \\() 1).val\n"
        ),
        "tru\n1\n",
    );
}

#[test]
fn whatever_refers_to_a_sandbox_keeps_it_what_it_is() {
    // Each makes something at home in a sandbox that holds the clock alone, and lets go of the sandbox itself.
    for made in [
        // A function; one in an object; one that another captured.
        "f = sbxrn(sbxmk([\"__sys_time\"]), \\() (\\() __sys_time() > 0))",
        "f = sbxrn(sbxmk([\"__sys_time\"]), \\() {f: [\\() __sys_time() > 0]}).f[0]",
        "g = sbxrn(sbxmk([\"__sys_time\"]), \\() (\\() __sys_time() > 0))\nf() = g()",
        // A gate.
        "f = sbxrn(sbxmk([\"__sys_time\"]), \\() sbxgt(\\() __sys_time() > 0))",
        // A native that was named in it.
        "g = sbxrn(sbxmk([\"__sys_time\"]), \\() __sys_time)\nf() = g() > 0",
        // The value.
        "sb = sbxmk([\"__sys_time\"])\nf() = sbxrn(sb, \\() __sys_time() > 0)",
        "g = sbxrn(sbxmk([\"__sys_time\"]), \\() sbxme())\nf() = sbxca(g, \"__sys_time\") > 0",
        // A unit of its own, and a module.
        "f = sbxev(sbxmk([\"__sys_time\"]), \"f() = __sys_time() > 0\\nf\")",
        // Where two meet, which nothing names.
        "a = sbxmk([\"__sys_time\", \"__sys_stderr\"])\nb = sbxmk([\"__sys_time\", \"__sys_stdout\"])\n\
         f = sbxrn(a, \\() sbxrn(b, \\() (\\() __sys_time() > 0)))\na = nil\nb = nil",
    ] {
        let held = format!("use sbx\n{CHURN}{made}\nchurn()\nprn f()\n");
        prints(4 << 20, &held, "tru\n");
        // What it did not hold it does not hold now, although the places around it are those of sandboxes that do.
        let made = made.replace("__sys_time() > 0", "__sys_mono() > 0").replace("sbxca(g, \"__sys_time\")", "sbxca(g, \"__sys_mono\")");
        let made = made.replace("() __sys_time)", "() __sys_mono)");
        let text = format!("use sbx\n{CHURN}{made}\nchurn()\nr = try(\\() f())\nprn r.err\n");
        let (outcome, out) = within(4 << 20, &text);
        assert!(outcome.result.is_ok() && out.contains("denied: __sys_mono"), "{out}\n{text}");
    }
}

#[test]
fn what_runs_in_a_sandbox_stays_in_it_while_others_come_and_go() {
    prints(
        4 << 20,
        &format!(
            "use sbx\n{CHURN}r = sbxtr(sbxmk([\"__sys_time\"], {{fuel: 3000000}}), \\()
    sbxtr(sbxmk([\"__sys_time\"]), \\()
        i <- 0..3500: sbxrn(sbxmk([\"__sys_time\"]), \\() 1)
        t = try(\\() __sys_stdout(\"x\"))
        [__sys_time() > 0, t.err]
    ).val
)
prn r.val[0], r.val[1]
prn r.used.fuel > 50000
"
        ),
        "tru denied: __sys_stdout: the sandbox does not hold this capability\ntru\n",
    );
}

#[test]
fn rows_of_a_sandbox_that_is_gone_are_its_makers() {
    let text = "
use sbx
use trl
outer = sbxmk([\"__sys_time\"])
sbxrn(outer, \\() sbxtr(sbxmk([]), \\() __sys_time()))
i <- 0..3500: sbxmk([])
rows = sbxlg(outer) |> fil(\\(r) r.native == \"__sys_time\" and r.verdict == \"denied\")
prn len(rows)
prn len(sbxtr(outer, \\() 1).denied)
";
    prints(6 << 20, text, "1\n1\n");
}

#[test]
fn the_bill_is_the_same_however_often_sandboxes_are_collected() {
    let text = "use sbx\nuse trl\nxs = []\ni <- 0..150: trl.push(xs, sbxrn(sbxmk([]), \\() sbxmk([])))\n\
                i <- 0..100: sbxrn(xs[i], \\() sbxrn(sbxmk([]), \\() 1))\nprn \"done\"\n";
    let [(usual, few), (stressed, many)] = [false, true].map(|stress| {
        let (outcome, written) = run_with(text, Limits::default(), |setup| setup.stress = stress);
        assert_eq!(written.out(), "done\n", "{:?}", outcome.result.map_err(|error| error.message));
        (outcome.spent.iter().find(|row| row.budget == ilu_sbx::Budget::Fuel).unwrap().used, outcome.collections)
    });
    assert!(many > few + 100, "{many} {few}");
    assert_eq!(usual, stressed);
}
