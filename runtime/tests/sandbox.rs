//! Authority: what code may do depends on where its functions were made, on every way in and out.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;
use common::{output, run_with};
use ilu::Kind;
use ilu_sbx::Limits;

const HEAD: &str = "use sbx\nuse cap\n";

fn out(text: &str) -> String {
    output(&format!("{HEAD}{text}"))
}

const NO_TIME: &str = "denied: __sys_time: the sandbox does not hold this capability";

#[test]
fn a_sandbox_holds_what_it_was_given_and_nothing_else() {
    let text = "
sb = sbxmk(captime())
prn typ(sbxrn(sb, \\() __sys_time()))
prn sbxtr(sb, \\() prn(1)).err
prn sbxha(sb, \"__sys_time\"), sbxha(sb, \"__sys_now\"), sbxha(sb, \"__sys_stdout\")
prn sbxls(sb)
none = sbxmk([])
prn sbxls(none), sbxtr(none, \\() __sys_time()).err
";
    let wanted =
        format!("num\ndenied: __sys_stdout: the sandbox does not hold this capability\ntru tru fls\n[\"__sys_time\"]\n[] {NO_TIME}\n");
    assert_eq!(out(text), wanted);
}

#[test]
fn a_function_made_outside_gains_nothing_for_the_code_that_calls_it_inside() {
    let text = "
helper() = __sys_time()
sb = sbxmk([])
prn sbxtr(sb, \\() helper()).err
prn sbxtr(sb, helper).err
prn sbxtr(sb, __sys_time).err
prn typ(helper())
";
    assert_eq!(out(text), format!("{NO_TIME}\n{NO_TIME}\n{NO_TIME}\nnum\n"));
}

#[test]
fn a_closure_handed_out_keeps_its_limits_when_trusted_code_calls_it() {
    let text = "
sb = sbxmk([])
f = sbxrn(sb, \\() \\() __sys_time())
prn try(f).err
prn typ(__sys_time())
g = sbxev(sb, \"\\\\() __sys_time()\")
prn try(g).err
o = sbxev(sb, \"{get: \\\\() __sys_time()}\")
prn try(\\() o.get()).err
use trl
prn try(\\() trl.map([1], \\(x) g())).err
prn try(\\() trl.map([1], \\(x) f())).err
";
    assert_eq!(out(text), format!("{NO_TIME}\nnum\n{NO_TIME}\n{NO_TIME}\n{NO_TIME}\n{NO_TIME}\n"));
}

#[test]
fn siblings_meet_in_what_both_hold() {
    let text = "
a = sbxmk([\"__sys_time\", \"__sys_mono\"])
b = sbxmk([\"__sys_mono\", \"__sys_sleep\"])
f = sbxrn(a, \\() \\(g) g())
time = \\() __sys_time()
mono = \\() __sys_mono()
inner = sbxrn(b, \\() {t: \\() __sys_time(), m: \\() __sys_mono(), s: \\() __sys_sleep(0)})
prn sbxtr(a, \\() inner.t()).err
prn typ(sbxrn(a, \\() inner.m()))
prn sbxtr(a, \\() inner.s()).err
prn typ(f(mono)), typ(f(time))
prn try(\\() f(inner.s)).err
";
    let sleep = NO_TIME.replace("time", "sleep");
    assert_eq!(out(text), format!("{NO_TIME}\nnum\n{sleep}\nnum num\n{sleep}\n"));
}

#[test]
fn a_sandbox_can_only_hand_on_what_it_holds() {
    let text = "
sb = sbxmk(captime() + [\"__sys_mono\"])
prn sbxtr(sb, \\() sbxls(sbxmk(captime()))).val
prn sbxtr(sb, \\() sbxmk([\"__sys_stdout\"])).err
prn sbxtr(sb, \\() sbxls(sbxmk([\"__sys_stdout\", \"__sys_time\"], {lax: tru}))).val
prn try(\\() sbxmk([\"__sys_tiem\"])).err
caps = captime()
mine = sbxmk(caps)
caps[0] = \"__sys_stdout\"
prn sbxls(mine)
";
    let got = out(text);
    let lines: Vec<&str> = got.lines().collect();
    assert_eq!(lines[0], "[\"__sys_time\"]");
    assert!(lines[1].contains("__sys_stdout"), "{}", lines[1]);
    assert_eq!(lines[2], "[\"__sys_time\"]");
    assert!(lines[3].contains("__sys_time"), "{}", lines[3]);
    assert_eq!(lines[4], "[\"__sys_time\"]");
}

#[test]
fn entering_a_wider_sandbox_from_a_narrower_one_gains_nothing() {
    let text = "
wide = sbxmk(captime())
narrow = sbxmk([])
prn sbxtr(narrow, \\() sbxrn(wide, \\() __sys_time())).err
prn sbxtr(narrow, \\() sbxca(wide, \"__sys_time\")).err
prn sbxtr(narrow, \\() sbxev(wide, \"__sys_time()\")).err
prn typ(sbxca(wide, \"__sys_time\")), typ(sbxev(wide, \"__sys_time()\"))
me = sbxme()
prn sbxtr(narrow, \\() sbxrn(me, \\() __sys_time())).err
prn sbxtr(narrow, \\() sbxrn(sbxme(), \\() __sys_time())).err
prn sbxme() == me, narrow == me
";
    assert_eq!(out(text), format!("{NO_TIME}\n{NO_TIME}\n{NO_TIME}\nnum num\n{NO_TIME}\n{NO_TIME}\ntru fls\n"));
}

#[test]
fn a_gate_hands_in_one_power_and_is_recorded() {
    let text = "
sb = sbxmk([])
clock = sbxgt(\\() typ(__sys_time()))
prn sbxrn(sb, \\() clock())
prn sbxtr(sb, \\() [clock(), __sys_time()]).err
prn sbxtr(sb, \\() sbxgt(\\() __sys_time())()).err
f = sbxrn(sb, \\() \\() __sys_time())
bad = sbxgt(f)
prn try(bad).err
call = sbxgt(\\(g) g())
prn sbxtr(sb, \\() call(\\() __sys_time())).err
seen = 0
row <- sbxlg(sbxme()):
    if row.native == \"sbxgt\": seen += 1
prn seen
";
    let got = out(text);
    assert!(got.starts_with(&format!("num\n{NO_TIME}\n{NO_TIME}\n{NO_TIME}\n{NO_TIME}\n")), "{got}");
    let seen: usize = got.lines().last().unwrap().parse().unwrap();
    assert!(seen >= 3, "{got}");
}

#[test]
fn authority_and_account_come_back_on_every_way_out() {
    let text = "
use os
sb = sbxmk([], {fuel: 2000})
sbxtr(sb, \\() 1)
prn typ(__sys_time())
sbxtr(sb, \\() err(1))
prn typ(__sys_time())
try(\\() sbxrn(sb, \\() err(1)))
prn typ(__sys_time())
prn sbxtr(sb, \\() os.exit(3)).err
prn typ(__sys_time())
try(\\() sbxrn(sb, \\() os.exit(0)))
prn typ(__sys_time())
prn sbxtr(sb, \\()
    whl tru: 1
).err
prn typ(__sys_time())
prn try(\\() sbxrn(sb, \\() 1)).err
n = 0
whl n < 10000: n += 1
prn n, typ(__sys_time())
";
    let wanted = "num\nnum\nnum\nthe sandbox exited with code 3\nnum\nnum\nfuel ran out (limit 2000)\nnum\nnil\n10000 num\n";
    let got = out(text);
    // Once its fuel is gone, a sandbox may still do what costs nothing: the line before the last is nil or the limit's error.
    assert_eq!(got.replace("num\nfuel ran out (limit 2000)\n10000", "num\nnil\n10000"), wanted);
}

#[test]
fn a_revoked_sandbox_does_nothing_more() {
    let text = "
sb = sbxmk(captime())
f = sbxrn(sb, \\() \\() __sys_time())
prn typ(f())
sbxrv(sb)
prn try(f).err
prn sbxtr(sb, \\() __sys_time()).err
";
    assert_eq!(out(text), "num\ndenied: __sys_time: the sandbox was revoked\ndenied: __sys_time: the sandbox was revoked\n");
}

#[test]
fn a_module_loaded_inside_is_at_home_there() {
    let text = "
sb = sbxmk([])
m = sbxus(sb, \"tim\")
use tim
prn typ(tim.now())
prn try(\\() m.tim.now()).err
prn try(\\() m.timms()).err
";
    assert_eq!(out(text), format!("num\n{NO_TIME}\n{NO_TIME}\n"));
}

#[test]
fn the_library_cannot_be_changed() {
    let text = "
use trl
prn try(\\()
    trl.map = \\(xs, f) 0
).err
prn try(\\()
    trl[\"map\"] = 1
).err
prn trl.map([1], \\(x) x + 1)
prn sbxtr(sbxmk([]), \\()
    sbx.run = 1
).err
";
    let wanted = "`trl` belongs to the standard library and can't be changed\n`trl` belongs to the standard library and can't be changed\n[2]\n`sbx` belongs to the standard library and can't be changed\n";
    assert_eq!(out(text), wanted);
}

#[test]
fn evaluated_text_sees_nothing_of_the_program() {
    let text = "
secret = 42
sb = sbxmk([])
prn sbxev(sb, \"x = 1\\nx + 1\")
prn try(\\() sbxev(sb, \"secret\")).err
prn try(\\() sbxev(sb, \"__sbx_make([])\")).err
prn try(\\() sbxev(sb, \"1 +\")).err
prn try(\\() sbxev(sb, 5)).err
prn try(\\() sbxev(5, \"1\")).err
";
    let got = out(text);
    let lines: Vec<&str> = got.lines().collect();
    assert_eq!(lines[0], "2");
    assert!(lines[1].starts_with("<eval>:1:1: ") && lines[1].contains("secret"), "{got}");
    assert!(lines[2].contains("__sbx_make"), "{got}");
    assert!(lines[3].starts_with("<eval>:1:"), "{got}");
    assert_eq!(lines[4], "text was expected, got the number 5");
    assert_eq!(lines[5], "a sandbox was expected, got the number 5");
}

#[test]
fn an_uncaught_denial_is_one_even_when_raised_again() {
    let deny = |text: &str| run_with(&format!("{HEAD}{text}"), Limits::default(), |setup| setup.grants.caps = ilu_cap::CapSet::EMPTY).0;
    let error = deny("prn 1\n").result.unwrap_err();
    assert!(matches!(&error.kind, Kind::Denied(denial) if denial.native == "__sys_stdout" && denial.line == 3), "{error:?}");
    assert_eq!(error.exit_code(), 3);
    let error = deny("r = try(\\() prn(1))\nerr(r.err)\n").result.unwrap_err();
    assert_eq!(error.exit_code(), 3);
    let error = deny("r = try(\\() prn(1))\nerr(\"my own\")\n").result.unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let outcome = deny("r = try(\\() prn(1))\n5\n");
    assert_eq!(outcome.result.unwrap().text, "5");
    assert_eq!(outcome.ledger.denied.len(), 1);
}

#[test]
fn exit_ends_the_run_when_no_sandbox_was_entered() {
    for (text, code) in [("use os\nos.exit(7)\n", 7), ("use os\ntry(\\() os.exit(0))\nprn 1\n", 0), ("use os\nos.exit()\n", 0)] {
        let (outcome, written) = run_with(text, Limits::default(), |_| {});
        let error = outcome.result.unwrap_err();
        assert_eq!((error.kind.clone(), error.exit_code()), (Kind::Exit(code), code));
        assert_eq!(written.out(), "");
    }
    assert_eq!(output("use os\nprn try(\\() os.exit(256)).err\n"), "an exit code is a whole number from 0 to 255\n");
}

#[test]
fn usage_and_denials_come_with_the_result() {
    let text = "
sb = sbxmk(captime(), {fuel: 5000})
r = sbxtr(sb, \\()
    __sys_time()
    try(\\() prn(1))
    __sys_time()
    \"v\"
)
prn r.val, r.err, r.used.calls.__sys_time, r.used.denied, len(r.denied), r.denied[0].native
prn r.used.fuel > 40, r.used.fuel < 200
";
    assert_eq!(out(text), "v nil 2 1 1 __sys_stdout\ntru tru\n");
}

#[test]
fn what_a_sandbox_names_of_the_library_runs_no_wider_when_it_is_handed_out() {
    let text = "
use tim
sb = sbxmk([])
ask(f) = try(\\() f()).err
prn ask(sbxev(sb, \"__sys_time\"))
prn ask(sbxev(sb, \"use tim\\ntimms\"))
prn ask(sbxev(sb, \"use tim\\ntim.ms\"))
prn ask(sbxev(sb, \"use tim\\ntim\").ms)
prn ask(sbxev(sb, \"use tim as t\\nuse tim\\nt.ms\"))
prn ask(sbxus(sb, \"tim\").timms)
prn try(\\() sbxev(sb, \"prn\")(1)).err
prn sbxls(sbxev(sb, \"use sbx\\nsbxme\")())
gate = sbxgt(\\(f) f())
prn sbxtr(sb, \\() gate(__sys_time)).err
prn sbxtr(sb, \\() sbxev(sb, \"\\\\(gate) gate(__sys_time)\")(gate)).err
prn typ(gate(__sys_time)), typ(sbxrn(sb, \\() gate(tim.ms)))
r = try(\\() sbxev(sb, \"use tim\\ntim.ms = 1\"))
prn r.err
prn sbxev(sb, \"use tim\\nuse tim\\ntim.ms == timms\"), sbxev(sb, \"len\") == len, __sys_time == sbxev(sb, \"__sys_time\")
";
    let no_time = format!("{NO_TIME}\n").repeat(6);
    let no_out = "denied: __sys_stdout: the sandbox does not hold this capability";
    let frozen = "`tim` belongs to the standard library and can't be changed";
    let wanted = format!("{no_time}{no_out}\n[]\n{NO_TIME}\n{NO_TIME}\nnum num\n{frozen}\ntru tru tru\n");
    assert_eq!(out(text), wanted);
}

#[test]
fn text_run_in_a_sandbox_is_read_and_compiled_at_its_own_cost() {
    let text = "
text = \"x = 1\\n\"
i <- 0..<14: text = text + text
small = sbxmk([], {mem: 1000000})
poor = sbxmk([], {fuel: 1000})
prn try(\\() sbxev(small, text)).err
before = sbxug(sbxme()).fuel
prn try(\\() sbxev(poor, text)).err
prn sbxtr(poor, \\() len(1..3) + try(\\() 1).val).err
prn sbxug(sbxme()).fuel - before < 2000
";
    let wanted = "memory ran out (limit 1000000 bytes)\nfuel ran out (limit 1000)\nfuel ran out (limit 1000)\ntru\n";
    assert_eq!(out(text), wanted);
}

#[test]
fn each_passage_through_a_gate_is_recorded_also_from_its_own_home() {
    let text = "
g = sbxgt(\\() 1)
g()
[g(), g()]
call(f) = f()
call(g)
n = 0
row <- sbxlg(sbxme()):
    if row.native == \"sbxgt\": n += 1
prn n
plain = \\() 1
plain()
";
    // Equal rows in a row are one: there are three places, one of them called through a function.
    assert_eq!(out(text), "3\n");
}

#[test]
fn what_is_looked_through_is_paid_for() {
    let text = "
cost(f) =
    before = sbxug(sbxme()).fuel
    f()
    sbxug(sbxme()).fuel - before
few = cost(\\() sbxlg(sbxme()))
i <- 0..<500: try(\\() __sys_getenv(\"N\" + i))
many = cost(\\() sbxlg(sbxme()))
prn many > few + 30
kept = []
under = sbxmk([])
none = cost(\\() sbxrv(under))
under = sbxmk([])
i <- 0..<2000: kept = [sbxrn(under, \\() sbxmk([])), kept]
all = cost(\\() sbxrv(under))
prn all > none + 20
";
    assert_eq!(out(text), "tru\ntru\n");
}

#[test]
fn a_gate_does_no_more_than_the_function_that_it_was_made_of() {
    let text = "
none = sbxmk([])
inner = sbxrn(none, \\() (\\() __sys_time()))
g = sbxgt(inner)
prn try(g).err
own = sbxgt(\\() typ(__sys_time()))
prn sbxrn(none, own)
again = sbxrn(none, \\() sbxgt(own))
prn try(again).err
wide = sbxgt(\\() typ(__sys_time()))
prn sbxrn(none, \\() wide()), wide()
";
    assert_eq!(out(text), format!("{NO_TIME}\nnum\n{NO_TIME}\nnum num\n"));
}

#[test]
fn the_shortest_texts_are_run_like_others() {
    let text = "
s = sbxmk([])
texts = [\"\", \"1\", \"-1\", \"!1\", \"[]\", \"1\\n1\\n1\", \"-1\\n-1\\n-1\\n-1\", \"\\\\()1\", \"\\\\()\\\\()\\\\()\\\\()1\", \"if 1:2\", \"x=1\", \"--------1\", \"((((1))))\"]
t <- texts:
    r = try(\\() sbxev(s, t))
    if r.err != nil: prn t, r.err
";
    assert_eq!(out(text), "");
}
