//! CAP-N: whether a native can be reached by anything but being held.

use crate::bout::{Bout, Ended, bout};
use ilu::Kind;
use ilu_cap::{NATIVES, Native};
use ilu_sbx::Rule;
use ilu_tests::command::ilu;
use ilu_tests::tally::{Part, note};

/// Arguments that fit a native's row, as text of the language, so that only the capability can be what is missing.
fn fitting(native: &Native) -> String {
    let fit = |param: &ilu_cap::Param| match param.kind {
        ilu_cap::Kind::Str | ilu_cap::Kind::Data => "\"a.txt\"",
        ilu_cap::Kind::Num => "1",
        ilu_cap::Kind::List => "[]",
        ilu_cap::Kind::Options => "{}",
        ilu_cap::Kind::Fun => "(\\() 1)",
        ilu_cap::Kind::Handle | ilu_cap::Kind::Any => "nil",
    };
    native.params.iter().filter(|param| !param.optional).map(fit).collect::<Vec<_>>().join(", ")
}

fn not_held(ended: &Ended) -> Option<String> {
    match &ended.outcome.result {
        Err(error) => match &error.kind {
            Kind::Denied(denial) if denial.rule == Rule::NotHeld => Some(denial.native.to_string()),
            _ => None,
        },
        Ok(_) => None,
    }
}

pub fn cap_001_a_native_that_is_not_held_is_denied_by_all_its_names() {
    bout(|b| {
        b.control("one that is held works", "prn sbxrn(sbxmk(capfsro()), \\() __sys_read_file(\"/g/a.txt\"))", "alpha");
        for native in NATIVES {
            let args = fitting(native);
            let others = NATIVES.iter().map(|row| format!("\"{}\"", row.name)).filter(|name| *name != format!("\"{}\"", native.name));
            let others = format!("[{}]", others.collect::<Vec<_>>().join(", "));
            for name in [native.name].iter().chain(native.aliases) {
                for held in ["[]", &others] {
                    note(Part::Refusal);
                    let got = b.run(name, &format!("s = sbxmk({held})\nsbxrn(s, \\() {name}({args}))"));
                    b.check(name, not_held(&got).as_deref() == Some(native.name) && got.out.is_empty(), &got.message);
                }
                note(Part::Refusal);
                let comma = if args.is_empty() { "" } else { ", " };
                let got = b.run(name, &format!("sbxca(sbxmk([]), \"{name}\"{comma}{args})"));
                b.check(name, not_held(&got).as_deref() == Some(native.name), &got.message);
                // With the native held the same call gets past that question, whatever its grants say then.
                note(Part::Twin);
                let got = b.run(name, &format!("s = sbxmk([\"{name}\"])\nsbxrn(s, \\() {name}({args}))"));
                b.check(&format!("twin {name}"), not_held(&got).is_none(), &got.message);
            }
        }
    });
}

pub fn cap_002_nothing_asked_for_is_nothing_held() {
    const TRY: &str = "typ(sbxrn(s, \\() __sys_time()))";
    bout(|b| {
        b.duel("an empty list", "__sys_time", ("[]", "captime()"), &format!("s = sbxmk(HELD)\nprn {TRY}"), "num");
        b.duel(
            "an empty list made by code",
            "__sys_time",
            ("capcat([], [])", "capcat([], captime())"),
            &format!("s = sbxmk(HELD)\nprn {TRY}"),
            "num",
        );
        for (name, says, nothing) in [
            ("no argument", "argument", "sbxmk()"),
            ("nil", "nil", "sbxmk(nil)"),
            ("a text", "a list of names", "sbxmk(\"__sys_time\")"),
            ("an object", "", "sbxmk({__sys_time: tru})"),
            ("a number", "", "sbxmk(1)"),
            ("true", "", "sbxmk(tru)"),
            ("a list of nil", "", "sbxmk([nil])"),
        ] {
            b.error(name, says, &format!("s = {nothing}\nprn {TRY}"));
        }
        b.twin("the list that these stood for", &format!("s = sbxmk([\"__sys_time\"])\nprn {TRY}"), "num");
        let read = "prn sbxrn(s, \\() __sys_read_file(\"/g/a.txt\"))";
        b.duel(
            "no directories",
            "__sys_read_file",
            ("{dir: {}}", "{dir: {\"/g\": \"ro\"}}"),
            &format!("s = sbxmk(capfs(), HELD)\n{read}"),
            "alpha",
        );
        let variable = "s = sbxmk(cappr(), HELD)\nprn sbxrn(s, \\() __sys_getenv(\"LANG\"))";
        b.duel("no variables", "__sys_getenv", ("{env: []}", "{env: [\"LANG\"]}"), variable, "C");
        let call = "s = sbxmk(captime(), {calls: {__sys_time: HELD}})\nprn typ(sbxtr(s, \\() __sys_time()).val)";
        b.ok("no calls", &call.replace("HELD", "0"), "nil");
        b.twin("one call", &call.replace("HELD", "1"), "num");
        b.control("without an option the maker's", &format!("s = sbxmk(capfs())\n{read}"), "alpha");
    });
    // The command with no flag: what is always held, and nothing else.
    let first = ["__sys_stdout", "__sys_stderr", "__sys_argv", "__sys_time", "__sys_mono", "__sys_sleep"];
    let mut scripts = Vec::new();
    for native in NATIVES.iter().filter(|native| !first.contains(&native.name)) {
        let class = native.class;
        if matches!(class, ilu_cap::Class::Channel | ilu_cap::Class::Task) {
            continue;
        }
        scripts.push(format!("r = try(\\() {}({}))\nprn \"{}\", r.err", native.name, fitting(native), native.name));
    }
    let ran = ilu(&["run", "--color", "never", "-e", &scripts.join("\n")]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.out.lines().count(), scripts.len());
    for line in ran.out.lines() {
        note(Part::Refusal);
        assert!(line.contains("denied: ") && line.contains("does not hold this capability"), "{line}");
    }
    note(Part::Twin);
    let granted = ilu(&["run", "--color", "never", "--grant", "capall", "-e", &scripts.join("\n")]);
    assert!(!granted.out.contains("does not hold this capability"), "{}", granted.out);
}

/// What each bundle holds, in the order in which scripts see it.
const BUNDLES: [(&str, &str); 15] = [
    ("capex", "__os_run"),
    ("capht", "__sys_http_get __sys_http_post __sys_http_put __sys_http_patch __sys_http_delete"),
    ("captc", "__sys_tcp_dial __sys_tcp_connect __sys_tcp_send __sys_tcp_recv __sys_tcp_close"),
    ("capfsro", "__sys_read_file __sys_read_dir __sys_stat __sys_exists __sys_open_read"),
    ("capfs", "__sys_read_file __sys_read_dir __sys_stat __sys_exists __sys_open_read __sys_write_file"),
    ("capch", "__sys_chan_new __sys_chan_send __sys_chan_recv __sys_chan_close"),
    ("capsp", "__sys_spawn __sys_wait"),
    ("capai", "__sys_getenv __sys_write_file __sys_remove __os_run __sys_time"),
    (
        "capne",
        "__sys_http_get __sys_http_post __sys_http_put __sys_http_patch __sys_http_delete __sys_tcp_dial __sys_tcp_connect __sys_tcp_send __sys_tcp_recv __sys_tcp_close",
    ),
    ("capob", "__obs_log __obs_span_begin __obs_span_end"),
    ("cappr", "__sys_argv __sys_getenv"),
    (
        "capde",
        "__sys_read_file __sys_read_dir __sys_stat __sys_exists __sys_open_read __sys_write_file __sys_time __sys_http_get __sys_http_post __sys_http_put __sys_http_patch __sys_http_delete __sys_tcp_dial __sys_tcp_connect __sys_tcp_send __sys_tcp_recv __sys_tcp_close __sys_chan_new __sys_chan_send __sys_chan_recv __sys_chan_close",
    ),
    (
        "captr",
        "__sys_read_file __sys_read_dir __sys_stat __sys_exists __sys_open_read __sys_write_file __sys_time __sys_http_get __sys_http_post __sys_http_put __sys_http_patch __sys_http_delete __sys_tcp_dial __sys_tcp_connect __sys_tcp_send __sys_tcp_recv __sys_tcp_close __sys_chan_new __sys_chan_send __sys_chan_recv __sys_chan_close __sys_spawn __sys_wait __os_run __obs_log __obs_span_begin __obs_span_end",
    ),
    ("capstdout", "__sys_stdout"),
    ("captime", "__sys_time"),
];

/// One native for each right that a bundle may be thought to bring and must not.
const RIGHTS: [(&str, &str); 6] = [
    ("__os_run", "\"true\""),
    ("__sys_write_file", "\"/g/new\", \"x\""),
    ("__sys_remove", "\"/g/a.txt\""),
    ("__sys_tcp_listen", "\"127.0.0.1\", 0"),
    ("__sys_getenv", "\"LANG\""),
    ("__sys_time", ""),
];

pub fn cap_003_bundles_hold_what_their_page_says_and_no_more() {
    bout(|b| {
        b.control("what a bundle holds works", "prn sbxrn(sbxmk(capfsro()), \\() __sys_read_file(\"/g/a.txt\"))", "alpha");
        for (bundle, natives) in BUNDLES {
            b.ok(bundle, &format!("use trl\nuse txt\nprn txt.join({bundle}(), \" \")"), natives);
            let held: Vec<_> = natives.split(' ').collect();
            for (native, args) in RIGHTS {
                let script = format!("s = sbxmk({bundle}())\nsbxrn(s, \\() {native}({args}))");
                let held = held.contains(&native);
                note(if held { Part::Twin } else { Part::Refusal });
                let got = b.run(bundle, &script);
                b.check(&format!("{bundle} and {native}"), not_held(&got).is_some() != held, &got.message);
            }
        }
    });
}

pub fn cap_004_the_file_bundle_is_one_thing_by_every_way_to_it() {
    bout(|b| {
        b.ok("by its names", "prn capfs() == cap.fs(), cap[\"fs\"]() == capfs(), len(capfs())", "tru tru 6");
        b.ok("loaded again", "a = capfs()\nuse cap\nuse cap as c\nprn a == capfs(), c.fs() == a, cap.fs() == a", "tru tru tru");
        b.ok("the wider one has the time and a name of its own", "prn capfsrwt() == capfs() + captime()", "tru");
        b.error("with an argument", "argument", "capfs(tru)");
        b.error("with two", "argument", "cap.fs(\"time\", 1)");
        let time = "s = sbxmk(HELD)\nprn typ(sbxrn(s, \\() __sys_time()))";
        b.duel("no silent time", "__sys_time", ("capfs()", "capfsrwt()"), time, "num");
        b.duel("by the readable name", "__sys_time", ("cap.fs()", "cap.fsrwt()"), time, "num");
        b.control("it reads", "prn sbxrn(sbxmk(cap.fs()), \\() __sys_read_file(\"/g/a.txt\"))", "alpha");
    });
    note(Part::Attempt);
    let before = ilu(&["run", "--color", "never", "-e", "x = capfs()\nuse cap"]);
    assert_eq!(before.code, Some(2), "a bundle's name before its `use` means nothing: {}", before.err);
}

/// Ways to call a native that was bound to a name outside.
const ROUNDABOUT: [(&str, &str); 19] = [
    ("the name", "typ(sbxrn(s, \\() f()))"),
    ("the native itself as the thunk", "typ(sbxrn(s, f))"),
    ("an element of a list", "typ(sbxrn(s, \\() [f][0]()))"),
    ("an element of an object", "typ(sbxrn(s, \\() {k: f}.k()))"),
    ("a computed element", "typ(sbxrn(s, \\() {k: f}[\"k\"]()))"),
    ("a closure", "typ(sbxrn(s, \\() (\\() f())()))"),
    ("a closure made outside", "typ(sbxrn(s, made))"),
    ("a parameter", "typ(sbxrn(s, \\() (\\(g) g())(f)))"),
    ("a partial application", "typ(sbxrn(s, \\() (\\(g) \\() g())(f)()))"),
    ("a pipeline", "typ(sbxrn(s, \\() nil |> \\(x) f()))"),
    ("a pipeline through a named function", "typ(sbxrn(s, \\() nil | taking))"),
    ("map", "typ(sbxrn(s, \\() ([1] | map \\(x) f())[0]))"),
    ("fil", "typ(sbxrn(s, \\() len([1] | fil \\(x) f())))"),
    ("fld", "typ(sbxrn(s, \\() [1] | fld(0, \\(a, x) f())))"),
    ("a comparator", "typ(len(sbxrn(s, \\() [2, 1] | srt(\\(a, b) f()))))"),
    ("a default argument", "typ(sbxrn(s, \\() default()))"),
    ("an interpolated text", "typ(int(sbxrn(s, \\() $\"{f()}\")))"),
    ("try", "typ(err_or_value(sbxrn(s, \\() try(f))))"),
    ("an element of an outer object", "typ(sbxrn(s, \\() kept.k[0]()))"),
];

pub fn cap_005_a_native_bound_to_a_name_is_judged_where_it_is_called() {
    let head = "use trl\nf = __sys_time\nmade = \\() f()\nkept = {k: [f]}\ntaking(x) = __sys_time()\ndefault(x = __sys_time()) = x\n\
                err_or_value(r) =\n  if r.err: err(r.err)\n  r.val\ns = sbxmk(HELD)\n";
    bout(|b| {
        for (name, form) in ROUNDABOUT {
            b.duel(name, "__sys_time", ("[]", "captime()"), &format!("{head}prn {form}"), "num");
        }
        b.control("outside it works", "f = __sys_time\nprn typ(f())", "num");
    });
}

pub fn cap_006_a_closure_of_privileged_code_lends_nothing_but_a_gate_does() {
    let head = "save(x) = __sys_write_file(\"/g/\" + x, x)\nread() = __sys_read_file(\"/g/a.txt\")\nobject = {read}\ns = sbxmk(HELD)\n";
    let ways = ("[]", "capfs()");
    bout(|b| {
        b.duel("a named function", "__sys_read_file", ways, &format!("{head}prn sbxrn(s, read)"), "alpha");
        b.duel("called in a closure", "__sys_read_file", ways, &format!("{head}prn sbxrn(s, \\() read())"), "alpha");
        b.duel("a method", "__sys_read_file", ways, &format!("{head}prn sbxrn(s, \\() object.read())"), "alpha");
        b.duel(
            "with an argument of the inner code",
            "__sys_write_file",
            ways,
            &format!("{head}sbxrn(s, \\() save(\"n\"))\nprn __sys_read_file(\"/g/n\")"),
            "n",
        );
        b.duel("given to evaluated text", "__sys_read_file", ways, &format!("{head}prn sbxev(s, \"\\\\(f) f()\")(read)"), "alpha");
        b.duel(
            "through map of the library",
            "__sys_read_file",
            ways,
            &format!("{head}use trl\nprn sbxrn(s, \\() trl.map([1], \\(x) read()))[0]"),
            "alpha",
        );
        b.duel(
            "a library function of the outer code",
            "__sys_read_file",
            ways,
            &format!("{head}use fs\nprn sbxrn(s, \\() fs.rd(\"/g/a.txt\"))"),
            "alpha",
        );
        let gated = "read = sbxgt(\\() __sys_read_file(\"/g/a.txt\"))\ns = sbxmk([])\n";
        b.control("a gate is the one exception", &format!("{gated}prn sbxrn(s, \\() read())"), "alpha");
        b.denied(
            "and is one for nothing else",
            "__sys_read_file",
            &format!("{gated}sbxrn(s, \\() [read(), __sys_read_file(\"/g/a.txt\")])"),
        );
        b.denied(
            "nor for what it is handed",
            "__sys_read_file",
            "call = sbxgt(\\(f) f())\ns = sbxmk([])\nsbxev(s, \"\\\\(call) call(\\\\() __sys_read_file('/g/a.txt'))\")(call)",
        );
    });
}

pub fn cap_008_values_of_a_weak_sandbox_have_no_hooks_for_the_host_to_run() {
    let names = [
        "str",
        "__str__",
        "toString",
        "repr",
        "to_str",
        "eq",
        "__eq__",
        "cmp",
        "__lt__",
        "hash",
        "__hash__",
        "iter",
        "__iter__",
        "next",
        "get",
        "__index__",
        "__call__",
        "len",
        "json",
        "toJSON",
        "typ",
        "drop",
        "close",
        "__add__",
        "add",
        "not",
        "bool",
    ];
    let fields: Vec<_> = names.iter().map(|name| format!("'{name}': \\\\(..x) prn('hook')")).collect();
    let make = format!("use jsn\nuse trl\nuse obj\nuse set\ns = sbxmk(HELD)\no = sbxev(s, \"{{{}}}\")\n", fields.join(", "));
    let uses = "a = str(o)\nb = $\"{o}\"\nc = o == o\nd = o == {}\ne = [o] == [o]\nf = len(o)\ng = typ(o)\nh = !o\n\
                k <- o: nil\ni = [o, o] | unq\nj = trl.has([o], o)\nl = try(\\() [o, o] | srt)\nm = try(\\() jsn.enc(o))\n\
                n = try(\\() o + 1)\np = try(\\() o())\nq = try(\\() o < o)\nr = o?.nothing\nt = {[\"k\"]: o}\nu = try(\\() t[o])\n\
                v = mat o:\n  {x: 1} => 1\n  _ => 2\nw = try(\\() err(o))\n";
    bout(|b| {
        b.ok(
            "shown, compared, sorted, hashed, walked, encoded",
            &format!("{}{uses}prn \"done\"", make.replace("HELD", "capstdout()")),
            "done",
        );
        b.denied(
            "and when one is called it has the weak sandbox's rights",
            "__sys_stdout",
            &format!("{}o.str()", make.replace("HELD", "[]")),
        );
        b.twin("called by name they do run", &format!("{}o.str()\no.hash()", make.replace("HELD", "capstdout()")), "hook\nhook");
        b.control(
            "plain objects do all that",
            "use jsn\no = {a: 1}\nprn str(o), o == {a: 1}, len(o), jsn.enc(o)",
            "{a: 1} tru 1 {\"a\":1}",
        );
        let spend = "s = sbxmk([], {fuel: HELD})\nf = sbxev(s, \"\\\\(a, b)\\n  i <- 0..<100000: nil\\n  a - b\")\nprn sbxtr(s, \\() [2, 1] | srt(f)).err";
        b.ok("a comparator of its spends its budget", &spend.replace("HELD", "1000"), "fuel ran out (limit 1000)");
        b.twin("with enough it ends", &spend.replace("HELD", "10000000"), "nil");
    });
}

/// Texts that want a native by anything but its plain name: run inside a sandbox that may hold the time.
fn by_text(b: &mut Bout) {
    let inside = "s = sbxmk(HELD)\n";
    for (name, text) in [
        ("evaluated", "prn typ(sbxev(s, \"__sys_time()\"))"),
        ("evaluated by another name", "prn typ(sbxev(s, \"__sys_now()\"))"),
        ("built", "prn typ(sbxev(s, \"__sys_\" + \"time\" + \"()\"))"),
        ("interpolated", "w = \"time\"\nprn typ(sbxev(s, $\"__sys_{w}()\"))"),
        ("called by its name", "prn typ(sbxca(s, \"__sys_time\"))"),
        ("called by a built name", "prn typ(sbxca(s, \"__sys_\" + \"time\"))"),
        ("called inside by its name", "prn typ(sbxrn(s, \\() sbxca(sbxme(), \"__sys_time\")))"),
        ("by the library", "use tim\nprn typ(sbxrn(s, tim.ms))"),
        ("by a field of the library named in text", "use tim\nprn typ(sbxrn(s, tim[\"m\" + \"s\"]))"),
        ("by evaluated text's own use", "prn typ(sbxev(s, \"use tim\\ntim.ms()\"))"),
        ("by a module", "prn typ(sbxus(s, \"tim\").timms())"),
        ("by a module's object", "prn typ(sbxus(s, \"tim\").tim.ms())"),
    ] {
        b.duel(name, "__sys_time", ("[]", "captime()"), &format!("{inside}{text}"), "num");
    }
}

pub fn cap_010_no_text_reaches_a_native_that_is_not_held() {
    bout(|b| {
        by_text(b);
        b.control("the native by its plain name", "prn typ(__sys_time())", "num");
        b.ok(
            "no object of the library holds one by its name",
            "use fs\nuse os\nprn cap[\"__os_run\"], sbx[\"__os_run\"], os[\"__os_run\"], fs[\"__sys_read_file\"]",
            "nil nil nil nil",
        );
        b.ok(
            "what is listed is what is held",
            "s = sbxmk(captime())\nprn sbxls(s), sbxrn(s, \\() sbxls(sbxme()))",
            "[\"__sys_time\"] [\"__sys_time\"]",
        );
        b.ok(
            "a wider sandbox is listed no wider inside",
            "w = sbxme()\ns = sbxmk(captime())\nprn sbxrn(s, \\() sbxha(sbxme(), \"__os_run\"))",
            "fls",
        );
        for typo in ["__sys_tiem", "__sys_time ", "__SYS_TIME", "sys_time", "__sys_time\\0", ""] {
            b.error(typo, "", &format!("sbxca(sbxme(), \"{typo}\")"));
        }
        for module in ["sys", "std", "internal", "__sys", "__sys_time", "core", "cap.rs", "natives", "prelude"] {
            b.error(module, "", &format!("sbxev(sbxmk(sbxls(sbxme())), \"use '{module}'\")"));
        }
        for builtin in ["__sbx_make", "__sbx_run", "__cap_bundle", "__lst_push", "__os_exit", "__pol_seal"] {
            b.error(builtin, builtin, &format!("sbxev(sbxme(), \"{builtin}\")"));
        }
    });
}

pub fn cap_011_the_top_of_a_module_runs_with_the_rights_it_is_loaded_under() {
    bout(|b| {
        b.file("m.ilu", "word = typ(__sys_time())\nask() = typ(__sys_time())\n");
        b.file("lazy.ilu", "ask() = typ(__sys_time())\n");
        let wide = "capcat(capfsro(), captime())";
        let ways = ("capfsro()", wide);
        b.duel("at its top", "__sys_time", ways, "prn sbxus(sbxmk(HELD), \"/g/m.ilu\").word", "num");
        b.duel("in its functions", "__sys_time", ways, "prn sbxus(sbxmk(HELD), \"/g/lazy.ilu\").ask()", "num");
        b.duel("evaluated text that uses it", "__sys_time", ways, "prn sbxev(sbxmk(HELD), \"use '/g/m.ilu'\\nword\")", "num");
        b.duel("a file run", "__sys_time", ways, "sbxld(sbxmk(HELD), \"/g/m.ilu\")\nprn \"num\"", "num");
        let first = format!("wide = sbxmk({wide})\nm = sbxus(wide, \"/g/m.ilu\")\ns = sbxmk(HELD)\n");
        b.duel("loaded first by privileged code, called inside", "__sys_time", ways, &format!("{first}prn sbxrn(s, m.ask)"), "num");
        b.duel(
            "loaded first by privileged code, loaded again inside",
            "__sys_time",
            ways,
            &format!("{first}prn sbxus(s, \"/g/m.ilu\").word"),
            "num",
        );
        b.duel(
            "a module of the library that the outer code uses",
            "__sys_time",
            ways,
            "use tim\ns = sbxmk(HELD)\nprn typ(sbxrn(s, tim.ms))",
            "num",
        );
        b.control("loaded by code that may", &format!("prn sbxus(sbxmk({wide}), \"/g/m.ilu\").ask()"), "num");
    });
}
