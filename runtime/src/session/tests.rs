//! A session as its host sees it: inputs in, texts out.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::host::{Captured, Process};
use ilu_cap::parse_list;
use ilu_sbx::Limits;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const PAGE: Page = Page { width: 40, lines: 8 };

struct Bench {
    session: Session,
    written: Arc<Captured>,
    interrupt: Arc<AtomicBool>,
}

fn setup(grants: Grants, interrupt: &Arc<AtomicBool>, written: &Arc<Captured>) -> Setup {
    let mut setup = Setup::new(grants, Box::new(Process::capturing(Arc::clone(interrupt), Arc::clone(written))));
    setup.interrupt = Arc::clone(interrupt);
    setup
}

fn grants(list: &str) -> Grants {
    Grants { caps: parse_list(list).unwrap(), ..Grants::default() }
}

fn with(grants: Grants) -> Bench {
    let (written, interrupt) = (Arc::new(Captured::default()), Arc::new(AtomicBool::new(false)));
    let session = Session::new(&Engine::new(), setup(grants, &interrupt, &written), PAGE).unwrap();
    Bench { session, written, interrupt }
}

fn bench() -> Bench {
    with(grants("capstdout,captm,capch,capsp"))
}

impl Bench {
    /// The result as it would be shown, or the message of what went wrong.
    fn say(&mut self, text: &str) -> String {
        match self.session.eval("in", text) {
            Err(error) => format!("{}: {}", error.diagnostics[0].code, error.summary()),
            Ok(Evaluated { result: Ok(value), .. }) => value.unwrap_or_default(),
            Ok(Evaluated { result: Err(error), .. }) => format!("error: {}", error.message),
        }
    }
    fn dialogue(&mut self, rows: &[(&str, &str)]) {
        for (said, heard) in rows {
            assert_eq!(self.say(said), *heard, "{said}");
        }
    }
}

#[test]
fn names_live_from_one_input_to_the_next() {
    bench().dialogue(&[
        ("x = 40", ""),
        ("x + 2", "42"),
        ("x += 1\nx", "41"),
        ("f(n) = n * x", ""),
        ("f(2)", "82"),
        // What an earlier input's function reads is what the next one has put there.
        ("x = 100\nf(2)", "200"),
        ("put = \\(n)\n    x = n", ""),
        ("put(7)\nx", "7"),
        ("x", "7"),
        ("f(n) = n + 0.5", ""),
        ("f(1)", "1.5"),
        ("xs = [1, 2]\nuse trl", ""),
        ("trl.push(xs, 3)\nxs | map \\(n) n * 10", "[10, 20, 30]"),
        ("use txt as t", ""),
        ("t.upper(\"a\")", "\"A\""),
        ("n <- 1..3: x += n\nx", "13"),
        ("loc() =\n  x = 1\n  x\nloc() + x", "14"),
        ("a() = b()\nb() = 5\na()", "5"),
        ("b() = 6\na()", "6"),
        ("\"text\"", "\"text\""),
        ("nil", ""),
    ]);
}

#[test]
fn a_failed_input_leaves_earlier_names_alone() {
    bench().dialogue(&[
        ("x = 1\nk = {a: 1}", ""),
        ("x = 2 +", "E0040: in:1:8: expected an expression, found the end of the line; an expression over several lines stands in parentheses; a line that begins with `|` continues the one above"),
        ("x = nope", "E0301: in:1:5: unknown name `nope`"),
        ("x", "1"),
        ("y = 5\nx = [][3]\nz = 1", "error: index 3 is out of range: the lst has length 0"),
        ("x", "1"),
        // What it had done by then is done, as in a script.
        ("y", "5"),
        ("z", "E0301: in:1:1: unknown name `z`"),
        ("z = 3\nz", "3"),
    ]);
}

#[test]
fn a_constant_is_one_in_later_inputs_too_unless_it_is_defined_anew() {
    bench().dialogue(&[
        ("def k = 1", ""),
        ("k = 2", "E0307: in:1:1: `k` is a constant; an earlier input defined it; `def` defines it anew"),
        ("def k = 3\nk", "3"),
        ("k += 1", "E0307: in:1:1: `k` is a constant; an earlier input defined it; `def` defines it anew"),
        ("v = 1", ""),
        ("def v = 2\nv", "2"),
        ("v = 3", "E0307: in:1:1: `v` is a constant; an earlier input defined it; `def` defines it anew"),
    ]);
}

#[test]
fn budgets_are_of_each_input_and_memory_of_the_session() {
    let limits = Limits { fuel: 200_000, memory: 8 << 20, output: 100, ..Limits::default() };
    let mut bench = with(Grants { limits, ..grants("capstdout") });
    let round = "i = 0\nwhl i < 90000: i += 1\ni";
    for _ in 0..5 {
        assert_eq!(bench.say(round), "90000");
    }
    assert_eq!(bench.say("whl tru: i += 1"), "error: fuel ran out (limit 200000)");
    assert_eq!(bench.say("i > 90000"), "tru");
    for _ in 0..3 {
        assert_eq!(bench.say("prn \"0123456789012345678901234567890123456789012345678901234567890123456789\""), "");
    }
    assert_eq!(bench.say("keep = \"x\"\nwhl len(keep) < 3000000: keep = keep + keep\nlen(keep)"), "4194304");
    // What the session holds counts in every input; let go of, it does not.
    assert_eq!(bench.say("more = keep + \"y\"\nlen(more)"), "error: memory ran out (limit 8388608 bytes)");
    assert_eq!(bench.say("keep = nil\nmore = 5\nmore"), "5");
}

#[test]
fn what_the_session_holds_survives_collections() {
    let (written, interrupt) = (Arc::new(Captured::default()), Arc::new(AtomicBool::new(false)));
    let mut setup = setup(grants("capstdout"), &interrupt, &written);
    setup.stress = true;
    let session = Session::new(&Engine::new(), setup, PAGE).unwrap();
    Bench { session, written, interrupt }.dialogue(&[
        ("use trl\nxs = [\"a\" + \"b\"]", ""),
        ("f() = xs + [$\"{len(xs)}\"]", ""),
        ("f() | map \\(s) s + \"!\"", "[\"ab!\", \"1!\"]"),
        ("xs = f()\nxs", "[\"ab\", \"1\"]"),
    ]);
}

#[test]
fn an_interrupt_ends_the_input_and_not_the_session() {
    let mut bench = bench();
    bench.say("i = 0");
    for endless in ["whl tru: i += 1", "use tim\ntim.slp(1000)", "c = __sys_chan_new()\n__sys_chan_recv(c)"] {
        let flag = Arc::clone(&bench.interrupt);
        let stopper = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            flag.store(true, Ordering::Relaxed);
        });
        let said = bench.say(endless);
        stopper.join().unwrap();
        assert!(said == "error: interrupted" || said.contains("deadlock"), "{said}");
        bench.interrupt.store(false, Ordering::Relaxed);
        assert_eq!(bench.say("1 + 1"), "2", "after {endless}");
    }
    assert_eq!(bench.say("i > 0"), "tru");
}

#[test]
fn tasks_end_with_their_input_and_channels_live_on() {
    bench().dialogue(&[
        ("use syn", ""),
        ("t = syn.run(\\() 6 * 7)\nt.wai().val", "42"),
        ("x = 5\nt = syn.run(\\() x + 1)\nt.wai().val", "6"),
        ("x = 50\nt = syn.run(\\() x + 1)\nt.wai().val", "51"),
        ("c = syn.chan(2)\nc.snd(1)", ""),
        ("c.rcv()", "1"),
        ("t = syn.run(\\() c.rcv())", ""),
        ("c.snd(3)\nc.rcv()", "3"),
        ("1 + 1", "2"),
    ]);
}

#[test]
fn grants_change_between_inputs_and_what_was_made_before_ends() {
    let mut bench = with(grants("capstdout,__sys_time"));
    bench.dialogue(&[
        ("use sbx\nbox = sbxmk([\"__sys_time\"])\nsee() = __sys_time() > 0", ""),
        ("see() and sbxrn(box, \\() __sys_time() > 0)", "tru"),
        ("__sys_random(1)", "error: denied: __sys_random: the sandbox does not hold this capability"),
    ]);
    bench.session.regrant(grants("capstdout,__sys_random,__sys_time")).unwrap();
    bench.dialogue(&[("typ(__sys_random(1))", "\"byt\""), ("see()", "tru")]);
    // The sandbox was made under other grants.
    assert!(bench.say("sbxrn(box, \\() __sys_time())").contains("revoked"));
    bench.session.regrant(grants("capstdout")).unwrap();
    assert!(bench.say("see()").contains("denied: __sys_time"), "a function of before has what the session has");
    assert_eq!(bench.session.caps(), ["__sys_stdout"]);
    let bad = Grants { mounts: Vec::new(), ..grants("capall") };
    bench.session.regrant(bad).unwrap();
    assert_eq!(bench.say("sbxrn(sbxmk([\"__sys_time\"]), \\() __sys_time() > 0)"), "tru");
}

#[test]
fn results_are_laid_out_and_have_an_end() {
    let mut bench = bench();
    for text in [
        "{name: \"Ada\", born: 1815, works: [\"Notes\", \"Sketch of the Analytical Engine\"]}",
        "xs = []\nn <- 0..<5000: xs = xs + [n]\nxs",
        "o = {}\no.me = o\no.text = \"long enough for a line of its own, surely\"\no",
        "s = \"ab\"\nn <- 1..12: s = s + s\ns",
        "deep = []\nn <- 1..100000: deep = [deep]\ndeep",
        "\\(x) x",
        "b\"\\x00\\x01\"",
    ] {
        let shown = bench.say(text);
        insta::assert_snapshot!(format!("{text}\n---\n{shown}"));
        assert!(shown.lines().count() <= PAGE.lines + 3, "{shown}");
    }
}

#[test]
fn names_fields_and_functions_can_be_asked_for() {
    let mut bench = bench();
    bench.say("cfg = {host: \"h\", net: {port: 1}}\nuse trl\nadd(a, b) = a + b");
    let names: Vec<String> = bench.session.names().into_iter().map(|bound| bound.name).collect();
    assert!(names.contains(&"cfg".to_owned()) && names.contains(&"trl".to_owned()) && names.contains(&"add".to_owned()));
    let fields = |path: &[&str]| bench.session.fields(path).into_iter().map(|bound| bound.name).collect::<Vec<_>>();
    assert_eq!(fields(&["cfg"]), ["host", "net"]);
    assert_eq!(fields(&["cfg", "net"]), ["port"]);
    assert!(fields(&["trl"]).contains(&"map".to_owned()));
    assert!(fields(&["cfg", "host"]).is_empty() && fields(&["nope"]).is_empty());
    let add = bench.session.describe(&["add"]).unwrap();
    let (source, span) = add.written.unwrap();
    assert!(source.text.get(span.start as usize..span.end as usize).is_some_and(|text| text.contains("add")), "{span:?}");
    assert!(bench.written.text().is_empty());
}
