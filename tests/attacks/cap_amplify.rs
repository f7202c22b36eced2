//! CAP-A: getting more out of a sandbox than it holds: by making others, forging, handing over, breaking off, waiting for a better moment.

use crate::bout::bout;
use ilu_cap::{CapSet, NATIVES};
use ilu_sbx::{Grants, Limits};
use ilu_tests::inside::run_text;
use ilu_tests::tally::{Part, note};

pub fn cap_020_what_is_made_inside_holds_no_more_than_its_maker() {
    let both = "[\"__sys_time\", \"__sys_argv\"]";
    let ways = ("[\"__sys_time\"]", both);
    bout(|b| {
        b.refused(
            "asked for",
            "__sys_argv",
            ways,
            &format!("s = sbxmk(HELD)\nprn sbxrn(s, \\() typ(sbxca(sbxmk({both}), \"__sys_argv\")))"),
            "lst",
        );
        b.refused(
            "asked for by a bundle",
            "__os_run",
            ("capfs()", "sbxls(sbxme())"),
            "s = sbxmk(HELD)\nprn sbxrn(s, \\() len(sbxls(sbxmk(captr())))) > 9",
            "tru",
        );
        b.refused(
            "by evaluated text",
            "__sys_argv",
            ways,
            &format!("s = sbxmk(HELD)\nprn len(sbxev(s, \"use sbx\\nsbxls(sbxmk({}))\"))", both.replace('"', "'")),
            "2",
        );
        b.refused(
            "in a callback of the library",
            "__sys_argv",
            ways,
            &format!("s = sbxmk(HELD)\nprn sbxrn(s, \\() len(([1] | map \\(x) sbxls(sbxmk({both})))[0]))"),
            "2",
        );
        b.refused(
            "by a helper of the outer code",
            "__sys_argv",
            ways,
            &format!("mk(c) = sbxmk(c)\ns = sbxmk(HELD)\nprn sbxrn(s, \\() len(sbxls(mk({both}))))"),
            "2",
        );
        let lax = format!("s = sbxmk(HELD)\nt = sbxrn(s, \\() sbxmk({both}, {{lax: tru}}))\nprn typ(sbxca(t, \"__sys_argv\"))");
        b.duel("with lax it is left out", "__sys_argv", ways, &lax, "lst");
        b.file("grow.ilu", "use sbx\nn = len(sbxls(sbxmk([\"__sys_time\", \"__sys_argv\"])))\n");
        b.refused(
            "at the top of a module",
            "__sys_argv",
            ("capfsro() + captime()", "sbxls(sbxme())"),
            "prn sbxus(sbxmk(HELD), \"/g/grow.ilu\").n",
            "2",
        );
        let nest = format!(
            "nest(n) = if n == 0: typ(sbxca(sbxmk({both}, {{lax: tru}}), \"__sys_argv\")) | sbxrn(sbxmk(sbxls(sbxme())), \\() nest(n - 1))\nprn sbxrn(sbxmk(HELD), \\() nest(100))"
        );
        b.duel("a hundred levels down", "__sys_argv", ways, &nest, "lst");
        b.refused(
            "a wider directory",
            "\"/g\" rw",
            ("ro", "rw"),
            "s = sbxmk(capfs(), {dir: {\"/g\": \"HELD\"}})\nprn typ(sbxrn(s, \\() sbxmk(capfs(), {dir: {\"/g\": \"rw\"}})))",
            "sbx",
        );
        b.refused(
            "a directory above",
            "\"/g\" ro",
            ("/g/d", "/g"),
            "s = sbxmk(capfs(), {dir: {\"HELD\": \"ro\"}})\nprn typ(sbxrn(s, \\() sbxmk(capfs(), {dir: {\"/g\": \"ro\"}})))",
            "sbx",
        );
        b.refused(
            "a variable",
            "LANG",
            ("[]", "[\"LANG\"]"),
            "s = sbxmk(cappr(), {env: HELD})\nprn typ(sbxrn(s, \\() sbxmk(cappr(), {env: [\"LANG\"]})))",
            "sbx",
        );
        b.refused(
            "more fuel",
            "fuel",
            ("1000", "1000000"),
            "s = sbxmk([], {fuel: HELD})\nprn typ(sbxrn(s, \\() sbxmk([], {fuel: 5000})))",
            "sbx",
        );
        b.duel(
            "the outer sandbox entered again",
            "__sys_argv",
            ways,
            "me = sbxme()\ns = sbxmk(HELD)\nprn typ(sbxrn(s, \\() sbxca(me, \"__sys_argv\")))",
            "lst",
        );
        b.duel(
            "one's own entered",
            "__sys_argv",
            ways,
            "s = sbxmk(HELD)\nprn typ(sbxrn(s, \\() sbxrn(sbxme(), \\() __sys_argv())))",
            "lst",
        );
        b.control("as much as is held", &format!("s = sbxmk({both})\nprn sbxrn(s, \\() len(sbxls(sbxmk({both}))))"), "2");
    });
}

pub fn cap_022_nothing_that_is_data_is_a_sandbox() {
    let forged = [
        "{}",
        "{caps: [\"__os_run\"], id: 0, typ: \"sbx\"}",
        "{id: 1}",
        "0",
        "1",
        "-1",
        "4294967296",
        "\"sbx\"",
        "\"#1\"",
        "str(sbxme())",
        "[sbxme()]",
        "nil",
        "tru",
        "b\"\\0\\0\\0\\0\"",
        "\\() sbxme()",
        "sbxls(sbxme())",
        "sbxug(sbxme())",
        "jsn.dec(\"{\\\"sbx\\\": 1}\")",
        "sbx",
        "sbxgt(\\() 1)",
    ];
    bout(|b| {
        for odd in forged {
            for call in [
                "sbxrn(HELD, \\() 1)",
                "sbxev(HELD, \"1\")",
                "sbxls(HELD)",
                "sbxrv(HELD)",
                "sbxca(HELD, \"__sys_time\")",
                "sbxlg(HELD)",
                "sbxug(HELD)",
            ] {
                b.error(odd, "a sandbox was expected", &format!("use jsn\n{}", call.replace("HELD", odd)));
            }
        }
        for call in ["prn sbxrn(HELD, \\() 1)", "prn sbxev(HELD, \"1\")", "prn typ(sbxls(HELD)) != nil"] {
            b.twin("a sandbox", &call.replace("HELD", "sbxmk([])"), if call.contains("ls") { "tru" } else { "1" });
        }
        b.error("it is no JSON", "", "use jsn\njsn.enc(sbxme())");
        b.error("nor inside something", "", "use jsn\njsn.enc({a: [sbxmk([])]})");
        b.error("no number", "", "int(sbxme())");
        b.error("no field to read", "", "sbxme().caps");
        b.error("no index", "", "sbxme()[0]");
        b.error("nothing to write to", "", "s = sbxme()\ns.caps = []");
        b.error("no order that would tell when it was made", "", "sbxme() < sbxmk([])");
        b.ok(
            "all print alike, without a number",
            "a = str(sbxmk([]))\nb = str(sbxmk(captime()))\nprn a == b, a == str(sbxme())",
            "tru tru",
        );
        b.ok(
            "equal only to itself",
            "a = sbxmk([])\nb = sbxmk([])\nprn a == b, a == a, a == str(a), [a] == [a], {k: a} == {k: b}",
            "fls tru fls tru fls",
        );
        b.control("made anew it is another", "prn typ(sbxmk([])), sbxme() == sbxme()", "sbx tru");
    });
}

pub fn cap_023_what_is_handed_to_weak_code_brings_no_rights_along() {
    bout(|b| {
        let read = ("[]", "capfsro()");
        b.duel("a native", "__sys_read_file", read, "s = sbxmk(HELD)\nprn sbxev(s, \"\\\\(f) f('/g/a.txt')\")(__sys_read_file)", "alpha");
        b.duel(
            "a closure",
            "__sys_read_file",
            read,
            "s = sbxmk(HELD)\nf = \\() __sys_read_file(\"/g/a.txt\")\nprn sbxev(s, \"\\\\(f) f()\")(f)",
            "alpha",
        );
        b.duel(
            "a function of the library",
            "__sys_read_file",
            read,
            "use fs\ns = sbxmk(HELD)\nprn sbxev(s, \"\\\\(f) f('/g/a.txt')\")(fs.rd)",
            "alpha",
        );
        b.duel(
            "a module's object",
            "__sys_read_file",
            read,
            "use fs\ns = sbxmk(HELD)\nprn sbxev(s, \"\\\\(m) m.rd('/g/a.txt')\")(fs)",
            "alpha",
        );
        b.duel(
            "an object with functions in it",
            "__sys_read_file",
            read,
            "s = sbxmk(HELD)\no = {go: [\\() __sys_read_file(\"/g/a.txt\")]}\nprn sbxev(s, \"\\\\(o) o.go[0]()\")(o)",
            "alpha",
        );
        b.duel(
            "a sandbox",
            "__sys_read_file",
            read,
            "s = sbxmk(HELD)\nw = sbxmk(capfsro())\nprn sbxev(s, \"use sbx\\n\\\\(w) sbxca(w, '__sys_read_file', '/g/a.txt')\")(w)",
            "alpha",
        );
        // An open file is bound to who opened it and to who may open: reading it takes the native, too.
        let lines = "h = __sys_open_read(\"/g/a.txt\")\ns = sbxmk(HELD)\nf = sbxev(s, \"\\\\(h)\\n  out = nil\\n  x <- h: out = x\\n  out\")\nprn f(h)";
        b.duel("an open file", "__sys_open_read", read, lines, "alpha");
        let revoked = "w = sbxmk(capfsro())\nh = sbxrn(w, \\() __sys_open_read(\"/g/a.txt\"))\nHELD\nx <- h: prn x";
        b.duel("an open file of a sandbox that was revoked", "__sys_open_read", ("sbxrv(w)", "nil"), revoked, "alpha");
        b.control("data is data", "s = sbxmk([])\nprn sbxev(s, \"\\\\(x) x + 1\")(1)", "2");
    });
}

pub fn cap_024_a_function_of_weak_code_keeps_its_limits_when_the_strong_call_it() {
    bout(|b| {
        let ways = ("[]", "captime()");
        for (name, call) in [
            ("called", "f()"),
            ("to compute a value", "1 + f()"),
            ("as a comparator", "len([2, 1] | srt \\(a, b) f())"),
            ("by the library", "([1] | map \\(x) f())[0]"),
            ("by the library itself", "len([1] | map f)"),
            ("kept and called later", "kept.late()"),
            ("in a gate of the strong", "sbxgt(\\() f())()"),
            ("made a gate by the strong", "sbxgt(f)()"),
            ("in a stronger sandbox", "sbxrn(sbxmk(captime()), f)"),
            ("called natively there", "sbxrn(sbxmk(captime()), \\() f())"),
        ] {
            let text = format!("f = sbxev(sbxmk(HELD), \"\\\\(..x) __sys_time()\")\nkept = {{late: f}}\nprn typ({call})");
            b.duel(name, "__sys_time", ways, &text, "num");
        }
        b.control("one that needs nothing works", "f = sbxev(sbxmk([]), \"\\\\(x) x + 1\")\nprn f(1), [1] | map f", "2 [2]");
    });
}

pub fn cap_025_an_error_is_plain_data() {
    bout(|b| {
        for (name, f) in [
            ("of a native", "__sys_read_file(\"/g/none\")"),
            ("of a denial", "__sys_read_file(\"/etc/passwd\")"),
            ("of the interpreter", "nil()"),
            ("of a limit inside", "sbxrn(sbxmk([], {fuel: 100}), \\()\n    whl tru: nil\n  )"),
            ("of text that does not compile", "sbxev(sbxmk([]), \"1 +\")"),
            ("of a module that is not there", "sbxus(sbxmk(capfsro()), \"/g/none.ilu\")"),
            ("of making", "sbxmk([\"__none\"])"),
        ] {
            b.ok(name, &format!("e = try(\\()\n  {f}\n).err\nprn typ(e), typ(try(\\() e()).err), e == str(e)"), "str str tru");
            b.error(
                &format!("{name}, called"),
                "not a function",
                &format!("e = try(\\()\n  {f}\n).err\ne.retry()").replace("e.retry()", "e()"),
            );
        }
        b.control("what is raised on purpose arrives as it is", "prn try(\\() err({a: [1]})).err", "{a: [1]}");
        b.twin("a function raised on purpose can be called", "prn try(\\() err(\\() 5)).err()", "5");
        b.duel(
            "and has its maker's rights only",
            "__sys_time",
            ("[]", "captime()"),
            "e = try(\\() sbxev(sbxmk(HELD), \"err(\\\\() __sys_time())\")).err\nprn typ(e())",
            "num",
        );
    });
}

/// Ways in which a call into a sandbox ends, as statements.
const ENDS: [&str; 9] = [
    "sbxtr(s, \\() 1)",
    "sbxtr(s, \\() err(1))",
    "try(\\() sbxrn(s, \\() err({a: 1})))",
    "sbxtr(s, \\() __sys_time())",
    "try(\\() sbxev(s, \"1 +\"))",
    "sbxtr(sbxmk([], {fuel: 50}), \\()\n    whl tru: nil\n  )",
    "sbxtr(s, \\() os.exit(3))",
    "sbxtr(s, \\() sbxtr(s, \\() sbxrn(sbxmk([]), \\() err(2))))",
    "try(\\() [1, 2] | map \\(x) sbxrn(s, \\() nil()))",
];

pub fn cap_027_whatever_ends_a_call_the_rights_come_back() {
    let arms: String = ENDS.iter().enumerate().map(|(at, end)| format!("  if r == {at}: {end}\n")).collect();
    let walk = format!(
        "use os\ns = sbxmk([])\nr = 1\nin = 0\nout = 0\nn <- 0..<2000:\n  r = (r * 7 + n * n + 3) % 9\n{arms}\
         \n  if try(\\() __sys_time()).err == nil: out += 1\n  if sbxtr(s, \\() __sys_time()).err: in += 1\nprn out, in"
    );
    bout(|b| {
        b.ok("two thousand calls, each ended some way", &walk, "2000 2000");
        for end in ENDS {
            b.ok(
                end,
                &format!("use os\ns = sbxmk([])\n{}\nprn typ(__sys_time())", end.replace("\n    ", "\n  ").replace("\n  )", "\n)")),
                "num",
            );
            b.denied(
                end,
                "__sys_time",
                &format!("use os\ns = sbxmk([])\n{}\nsbxrn(s, \\() __sys_time())", end.replace("\n    ", "\n  ").replace("\n  )", "\n)")),
            );
        }
        b.control("the native outside", "prn typ(__sys_time())", "num");
        b.twin("the native inside, held", "s = sbxmk(captime())\nsbxtr(s, \\() err(1))\nprn typ(sbxrn(s, \\() __sys_time()))", "num");
        // The next text on this thread begins with its own rights.
        b.grant("capio");
        b.denied("the next run", "__sys_time", "sbxtr(sbxmk([]), \\() err(1))\n__sys_time()");
    });
}

pub fn cap_028_runs_beside_each_other_share_no_rights() {
    // Two threads, one engine, a thousand runs in turns of narrow and wide. (Tasks of one run have rows of their own.)
    let text = "use sbx\ns = sbxmk([])\nsbxtr(s, \\() __sys_time())\nprn typ(__sys_time())";
    let run = |caps: &str| {
        let grants = Grants { caps: ilu_cap::parse_list(caps).unwrap(), limits: Limits::default(), ..Grants::default() };
        run_text(text, grants, |_| {})
    };
    std::thread::scope(|scope| {
        for first in [0, 1] {
            scope.spawn(move || {
                for n in 0..300 {
                    let wide = (n + first) % 2 == 0;
                    let (outcome, out, _) = run(if wide { "capio,captime" } else { "capio" });
                    match outcome.result {
                        Ok(_) => assert!(wide && out == "num\n", "{out}"),
                        Err(error) => assert!(!wide && error.exit_code() == 3 && out.is_empty(), "{error:?} {out}"),
                    }
                }
            });
        }
    });
    for part in [Part::Refusal, Part::Twin, Part::Control] {
        note(part);
    }
}

pub fn cap_030_revoking_ends_everything_made_under_a_sandbox() {
    let revoke = ("sbxrv(s)", "nil");
    bout(|b| {
        b.control("before it", "s = sbxmk(capfsro())\nprn sbxrn(s, \\() __sys_read_file(\"/g/a.txt\"))", "alpha");
        for (name, native, text, prints) in [
            ("entered again", "__sys_time", "HELD\nprn typ(sbxrn(s, \\() __sys_time()))", "num"),
            ("a native by name", "__sys_time", "HELD\nprn typ(sbxca(s, \"__sys_time\"))", "num"),
            ("evaluated text", "__sys_time", "HELD\nprn typ(sbxev(s, \"__sys_time()\"))", "num"),
            ("a function handed out before", "__sys_time", "f = sbxev(s, \"\\\\() __sys_time()\")\nHELD\nprn typ(f())", "num"),
            ("a module loaded before", "__sys_time", "m = sbxus(s, \"tim\")\nHELD\nprn typ(m.timms())", "num"),
            (
                "a sandbox made in it before",
                "__sys_time",
                "c = sbxrn(s, \\() sbxmk(captime()))\nHELD\nprn typ(sbxca(c, \"__sys_time\"))",
                "num",
            ),
            (
                "a sandbox made in that",
                "__sys_time",
                "c = sbxrn(s, \\() sbxrn(sbxmk(captime()), \\() sbxmk(captime())))\nHELD\nprn typ(sbxca(c, \"__sys_time\"))",
                "num",
            ),
            ("a gate made in it", "__sys_time", "g = sbxrn(s, \\() sbxgt(\\() __sys_time()))\nHELD\nprn typ(g())", "num"),
            ("in the middle of it", "__sys_time", "prn typ(sbxrn(s, \\()\n  __sys_time()\n  go()\n  __sys_time()\n))", "num"),
            (
                "a file opened in it",
                "__sys_open_read",
                "h = sbxrn(s, \\() __sys_open_read(\"/g/a.txt\"))\nHELD\nx <- h: prn \"num\"",
                "num",
            ),
        ] {
            b.duel(name, native, revoke, &format!("s = sbxmk(captime() + capfsro())\ngo = sbxgt(\\() HELD)\n{text}"), prints);
        }
        for native in NATIVES.iter().filter(|native| native.params.is_empty()) {
            b.denied(native.name, native.name, &format!("s = sbxmk([\"{0}\"])\nsbxrv(s)\nsbxrn(s, \\() {0}())", native.name));
        }
        b.duel(
            "what it makes later",
            "sbxmk",
            revoke,
            "s = sbxmk(captime())\nHELD\nc = sbxrn(s, \\() sbxmk(captime()))\nprn typ(sbxca(c, \"__sys_time\"))",
            "num",
        );
        b.ok("twice is once", "s = sbxmk([])\nsbxrv(s)\nsbxrv(s)\nprn sbxrn(s, \\() 5)", "5");
        b.ok(
            "others go on",
            "s = sbxmk(captime())\nt = sbxmk(captime())\nsbxrv(s)\nprn typ(sbxca(t, \"__sys_time\")), typ(__sys_time())",
            "num num",
        );
    });
}

pub fn cap_032_children_draw_from_their_parent_however_many_there_are() {
    let many = "made = 0\nr = sbxtr(sbxmk([\"__sys_stdout\"], {PARENT}), \\()\n  i <- 0..<10000:\n    c = sbxmk([\"__sys_stdout\"], {CHILD, lax: tru})\n    sbxtr(c, \\() work())\n    made += 1\n)\nprn r.err";
    bout(|b| {
        for (name, parent, child, work, says, wider) in [
            ("fuel", "fuel: 300000", "fuel: 300000", "(0..<100) | map \\(x) x", "fuel ran out (limit 300000)", "fuel: 100000000"),
            ("output", "out: 1000", "out: 1000", "prn(\"\")", "output ran out (limit 1000 bytes)", "out: 1000000"),
        ] {
            let text = format!("work() = {work}\n{}", many.replace("CHILD", child));
            note(Part::Refusal);
            let got = b.run(name, &text.replace("PARENT", parent));
            b.check(name, got.out.trim().ends_with(says), &(got.out.trim(), &got.message));
            note(Part::Twin);
            let got = b.run(name, &text.replace("PARENT", wider));
            b.check(&format!("twin: {name} with more"), got.out.trim().ends_with("nil"), &(got.out.trim(), &got.message));
        }
        let calls = "r = sbxtr(sbxmk(captime(), {calls: {__sys_time: HELD}}), \\()\n  n = 0\n  i <- 0..<50:\n    c = sbxmk(captime(), {lax: tru})\n    if sbxtr(c, \\() __sys_time()).err == nil: n += 1\n  n\n)\nprn r.val, r.err";
        note(Part::Refusal);
        let got = b.run("calls", &calls.replace("HELD", "20"));
        b.check("calls", got.out.contains("calls of `__sys_time` ran out (limit 20)") || got.out.starts_with("20 "), &got.out);
        b.twin("calls with more", &calls.replace("HELD", "100"), "50 nil");
        let memory = "r = sbxtr(sbxmk([], {mem: HELD}), \\()\n  all = []\n  i <- 0..<40:\n    all = all + [sbxrn(sbxmk([], {lax: tru}), \\() 0..<10000)]\n  len(all)\n)\nprn r.val";
        b.ok("memory", &memory.replace("HELD", "1000000"), "nil");
        b.twin("memory with more", &memory.replace("HELD", "30000000"), "40");
        b.control("one child", "r = sbxtr(sbxmk([], {fuel: 10000}), \\() sbxrn(sbxmk([]), \\() 7))\nprn r.val", "7");
    });
}

pub fn cap_033_the_library_touches_nothing_that_its_caller_does_not_hold() {
    // Every function of every module, with arguments of every kind, in a sandbox that holds nothing: not one call of a native goes through.
    let script = |module: &str, held: &str| {
        format!(
            "use {module}\nuse obj\nvalues = [nil, 0, 1, \"a\", \"/g/a.txt\", [], [\"a\"], {{}}, {{k: 1}}, \\(..x) 1]\nthrough = 0\ntried = 0\n\
             go(f) =\n  r = sbxtr(sbxmk({held}, {{fuel: 20000, mem: 2000000}}), f)\n  tried += 1\n  n <- obj.vals(r.used.calls): through += n\n\
             f <- obj.vals({module}):\n  if typ(f) == \"fun\" or typ(f) == \"bif\":\n    go(\\() f())\n    a <- values:\n      go(\\() f(a))\n      go(\\() f(a, \"x\"))\n      go(\\() f(\"/g/a.txt\", a))\n\
             prn tried > 0, through"
        )
        .replace("  tried += 1\n", "  counts.tried += 1\n")
        .replace("through += n", "counts.through += n")
        .replace("through = 0\ntried = 0\n", "counts = {through: 0, tried: 0}\n")
        .replace("prn tried > 0, through", "prn counts.tried > 0, counts.through > 0")
    };
    bout(|b| {
        for module in ilu_std_modules() {
            b.ok(module, &script(module, "[]"), "tru fls");
        }
        for (module, held) in
            [("tim", "captm()"), ("fs", "capfs() + capfm()"), ("env", "cappr()"), ("os", "cappr()"), ("obs", "capob()"), ("rnd", "caprn()")]
        {
            b.twin(module, &script(module, held), "tru tru");
        }
        for (call, native) in [("prn(1)", "__sys_stdout"), ("eprn(1)", "__sys_stderr")] {
            b.duel(
                call,
                native,
                ("[]", "capio()"),
                &format!("s = sbxmk(HELD)\nsbxrn(s, \\() {call})\nsbxrn(sbxme(), \\() nil)"),
                if call == "prn(1)" { "1" } else { "" },
            );
        }
        b.control("what needs nothing works", "use txt\nprn sbxrn(sbxmk([]), \\() txt.upper(\"a\"))", "A");
    });
}

/// The modules of the standard library whose functions can all be called blindly.
fn ilu_std_modules() -> Vec<&'static str> {
    vec!["args", "cap", "enc", "env", "fs", "jsn", "mth", "obj", "obs", "os", "pol", "rnd", "sbx", "set", "tim", "trl", "tst", "txt"]
}

pub fn cap_035_what_is_noted_is_bounded_and_stays_the_noters() {
    bout(|b| {
        let held = "s = sbxmk(HELD)\n";
        b.duel("a log row", "__obs_log", ("[]", "capob()"), &format!("{held}sbxrn(s, \\() __obs_log(\"info\", \"x\"))\nprn \"ok\""), "ok");
        b.duel("a span", "__obs_span_begin", ("[]", "capob()"), &format!("{held}prn typ(sbxrn(s, \\() __obs_span_begin(\"x\")))"), "num");
        b.control("a span that ends", "use obs\nprn obs.span(\"a\", \\() 3)", "3");
        for forged in ["1", "0", "-1", "1e15", "0.5", "999999"] {
            b.error(
                &format!("a span of others, {forged}"),
                "",
                &format!("use obs\na = __obs_span_begin(\"mine\")\nsbxrn(sbxmk(capob()), \\() __obs_span_end({forged}))"),
            );
        }
        b.error("one's own ended twice", "", "a = __obs_span_begin(\"mine\")\n__obs_span_end(a)\n__obs_span_end(a)");
        b.twin("one's own", "a = __obs_span_begin(\"mine\")\n__obs_span_end(a)\nprn \"ok\"", "ok");
        let rows = "s = sbxmk(capob())\nsbxrn(s, \\() __obs_log(\"info\", \"a\\n{\\\"seq\\\": 99}\\u{2028}\\x1b[2J\", {native: \"__os_run\", verdict: \"allowed\", seq: 1}))\nrows = sbxlg(s)\nprn len(rows), rows[0].native, rows[0].verdict";
        b.ok("a row that looks like another is one row", rows, "1 __obs_log allowed");
        b.ok(
            "a flood keeps the newest",
            "s = sbxmk(capob())\nsbxrn(s, \\()\n  i <- 0..<20000: __obs_log(\"info\", str(i))\n)\nprn len(sbxlg(s)) <= 1000",
            "tru",
        );
        b.ok("a field of a mebibyte", "use txt\ns = sbxmk(capob())\nbig = txt.rpt(\"x\", 1000000)\nsbxtr(s, \\() __obs_log(\"info\", big, {k: big}))\nprn len(str(sbxlg(s))) < 10000", "tru");
        b.error("spans without end", "too many open spans", "whl tru: __obs_span_begin(\"x\")");
    });
}

pub fn cap_037_memory_of_one_sandbox_is_never_seen_by_another() {
    let secret = "secret-77c1";
    let a = format!(
        "use txt\nuse enc\na = sbxmk([])\nsbxrn(a, \\()\n  xs = 0..<2000 | map \\(x) \"{secret}\" + str(x)\n  ys = txt.rpt(\"{secret}\", 100000)\n  zs = enc.uhx(enc.hex(ys))\n  nil\n)\ni <- 0..<30: 0..<50000\n"
    );
    let look = "b = sbxmk([])\nseen = sbxrn(b, \\()\n  out = []\n  out = out + [txt.pad(\"\", 5000), txt.rpt(\" \", 5000), str(0..<2000)]\n  out = out + [str(enc.uhx(txt.rpt(\"00\", 3000))), txt.join(0..<500 | map \\(x) nil, \"\")]\n  str(out)\n)\n";
    bout(|b| {
        b.file("short", "ab");
        b.ok("padded, repeated, made empty", &format!("{a}{look}prn txt.has(seen, \"secret\"), len(seen) > 10000"), "fls tru");
        b.ok("a short read is short", &format!("{a}d = __sys_read_file(\"/g/short\", {{bytes: tru, from: 1, len: 100000}})\nprn len(d), __sys_read_file(\"/g/short\", {{from: 5, len: 10}})"), "1 ");
        b.ok("no list has room that was not filled", &format!("{a}prn try(\\() [1, 2][2]).val, try(\\() (0..<10)[10]).val"), "nil nil");
        b.twin(
            "what is handed over is seen",
            &format!("{look}kept = txt.rpt(\"{secret}\", 3)\nprn txt.has(seen + kept, \"secret\")")
                .replace("b = sbxmk", "use txt\nuse enc\nb = sbxmk"),
            "tru",
        );
        b.control("texts", "use txt\nprn txt.pad(\"a\", 3) + \"|\"", "a  |");
    });
}

pub fn cap_038_a_native_without_a_row_does_not_exist() {
    // What the table has is what there is: each native is in the bundle of all, each class has one, each name means one native.
    let mut names = std::collections::BTreeSet::new();
    for native in NATIVES {
        assert!(!native.doc.is_empty() && names.insert(native.name), "{}", native.name);
        assert!(native.aliases.iter().all(|alias| names.insert(alias)), "{}", native.name);
        assert!(CapSet::all().has(ilu_cap::by_name(native.name).unwrap()));
        note(Part::Attempt);
    }
    bout(|b| {
        b.error("asked for", "unknown capability", "sbxmk([\"__sys_new\"])");
        b.error("called by name", "__sys_new", "sbxca(sbxme(), \"__sys_new\")");
        b.error("in text", "__sys_new", "sbxev(sbxme(), \"__sys_new()\")");
        b.twin("one with a row", "prn typ(sbxca(sbxmk([\"__sys_time\"]), \"__sys_time\"))", "num");
        b.control("held, all of them", &format!("prn len(capall()) == {}", NATIVES.len()), "tru");
        // The runtime's own default: a set that was made without a native does not hold it.
        b.grant("capio");
        b.denied("not granted", "__sys_random", "__sys_random(1)");
    });
}
