//! Attack rows INT-R: scripts that want to crash, hang or exhaust the interpreter, or to escape a limit. Each test is named by its row and
//! has controls that must work; where a guard can be widened, the twin shows that it is the guard that stopped the row.

use ilu_tests::tally::{Part, note};
use ilu_tests::watched::{Row, check_all, watch_unguarded};

/// A script that must run.
fn runs<'a>(name: &'a str, script: impl Into<String>, prints: &'a str) -> Row<'a> {
    Row::new(name, script, 0, prints)
}
/// A script that a budget must end.
fn limit<'a>(name: &'a str, script: impl Into<String>, says: &'a str) -> Row<'a> {
    Row::new(name, script, 4, says)
}
/// A script that must end with an error of its own.
fn fails<'a>(name: &'a str, script: impl Into<String>, says: &'a str) -> Row<'a> {
    Row::new(name, script, 1, says)
}

pub fn int_011_recursion_ends_with_its_depth_whatever_it_goes_through() {
    const DEEP: &[&str] = &["--depth", "100000", "--fuel", "100000000"];
    let count = "f(n) = if n == 0: 0 | f(n - 1) + 1\n";
    check_all(&[
        runs("control: within the depth", format!("{count}prn f(100)"), "100"),
        limit("beyond a small depth", format!("{count}prn f(100)"), "depth").flags(&["--depth", "50"]),
        runs("twin: with a greater depth", format!("{count}prn f(20000)"), "20000").flags(DEEP),
        limit("itself", "f(n) = f(n + 1) + 1\nf(0)", "depth"),
        limit("each other", "f() = g() + 1\ng() = f() + 1\nf()", "depth"),
        limit("through map", "f(x) = [x] | map f\nf(1)", "depth"),
        limit("through fil", "f(x) = [x] | fil f\nf(1)", "depth"),
        limit("through a comparator", "f(a, b) =\n  [2, 1, 3] | srt f\n  0\nf(1, 2)", "depth"),
        limit("through try", "f() = try(f)\nf()", "depth"),
        limit("through a pipeline", "f(x) = x | f | f\nf(1)", "depth"),
        limit("through a field", "o = {}\no.f = \\() o.f() + 1\no.f()", "depth"),
        limit("through a sandbox", "use sbx\nf() = sbxrn(sbxme(), f)\nf()", "depth"),
        limit(
            "through another sandbox, which ends for the one around it",
            "use sbx\ns = sbxmk(sbxls(sbxme()))\nf() = sbxrn(s, f)\nf()",
            "depth",
        ),
    ]);
}

pub fn int_013_endless_loops_end_within_twice_their_time() {
    const FLAGS: &[&str] = &["--time", "400ms", "--fuel", "1000000000000"];
    let endless: [(&str, &str); 8] = [
        ("whl", "whl tru: 0"),
        ("empty lists", "whl tru:\n  x <- []: 0"),
        ("a range", "i <- 0..1e15: 0"),
        ("mat", "n = 0\nwhl tru:\n  mat n:\n    0 => n = 1\n    _ => n = 0"),
        ("calls", "f(x) = x\nwhl tru: f(1)"),
        ("try", "whl tru: try(\\() err(1))"),
        ("strings", "whl tru: \"a\" + 1"),
        ("map", "whl tru: [1, 2, 3] | map \\(x) x"),
    ];
    let long = "n = 0\nwhl n < 1000000: n += 1\nprn \"ok\"";
    let mut rows = vec![
        runs("control: a short loop", "i <- 0..10: 0\nprn \"ok\"", "ok").flags(FLAGS),
        limit("a long one", long, "fuel").flags(&["--fuel", "200000"]),
        runs("twin: a long one with more fuel", long, "ok").flags(&["--fuel", "20000000"]),
        limit("a pause", "use tim\ntim.slp(5)\nprn \"ok\"", "time").flags(&["--time", "100ms"]).within(2_500),
        runs("twin: a pause with more time", "use tim\ntim.slp(0.2)\nprn \"ok\"", "ok").flags(&["--time", "20s"]),
    ];
    for (name, script) in endless {
        rows.push(limit(name, script, "time").flags(FLAGS).within(2_500));
        rows.push(limit(name, script, "fuel").flags(&["--fuel", "200000", "--time", "60s"]));
    }
    check_all(&rows);
}

pub fn int_014_a_long_builtin_is_charged_before_it_works() {
    const FUEL: &[&str] = &["--fuel", "20000", "--time", "60s", "--mem", "64M"];
    const ENOUGH: &[&str] = &["--fuel", "1000000000", "--time", "60s", "--mem", "64M"];
    let big = "s = \"0123456789abcdef\"\ni <- 1..14: s += s\n";
    let two = format!("{big}t = s + \"x\"\nu = s + \"x\"\n");
    let lists = "xs = 0..<50000\nys = 0..<50000\n".to_string();
    let using = |module: &str| format!("use {module}\n{big}");
    // What is done again and again, each time one step of the language and a long one.
    let steps: [(&str, String, &str); 16] = [
        ("joins", big.into(), "s + s"),
        ("comparisons", two.clone(), "t == u"),
        ("orders", two.clone(), "t < u"),
        ("texts", format!("{big}xs = [s, s]\n"), "str(xs)"),
        ("searches", using("txt"), "txt.find(s, \"zz\")"),
        ("splits", using("txt"), "txt.split(s, \"a\")"),
        ("replacements", using("txt"), "txt.rep(s, \"a\", \"b\")"),
        ("sorts", lists.clone(), "xs | srt"),
        ("equality of lists", lists.clone(), "xs == ys"),
        ("lists joined", lists.clone(), "xs + ys"),
        ("base64", using("enc"), "enc.ub64(enc.b64(s))"),
        ("hex", using("enc"), "enc.uhx(enc.hex(s))"),
        ("URLs", format!("{}b = enc.uhx(s)\n", using("enc")), "enc.ue(b)"),
        ("URLs read", using("enc"), "enc.ud(s)"),
        ("JSON", format!("use jsn\n{lists}"), "jsn.enc(xs)"),
        ("JSON read", format!("use jsn\n{lists}j = jsn.enc(xs)\n"), "jsn.dec(j)"),
    ];
    let mut rows = vec![runs("control: a few", format!("{big}prn len(s)"), "262144").flags(FUEL)];
    for (name, made, step) in &steps {
        let script = format!("{made}i <- 0..<25: r = {step}\nprn \"done\"");
        rows.push(limit(name, script.clone(), "fuel").flags(FUEL).within(5_000));
        rows.push(runs("twin: with enough fuel", script, "done").flags(ENOUGH));
    }
    check_all(&rows);
}

pub fn int_015_a_limit_cannot_be_swallowed() {
    const FUEL: &[&str] = &["--fuel", "100000"];
    check_all(&[
        runs("control: an ordinary error can", "prn try(\\() err(1)).err", "1").flags(FUEL),
        limit("a loop that would end", "r = try(\\()\n  i <- 0..<300000: 0\n)\nprn \"swallowed\"", "fuel").flags(FUEL),
        runs("twin: with more fuel it ends", "r = try(\\()\n  i <- 0..<300000: 0\n)\nprn \"swallowed\"", "swallowed")
            .flags(&["--fuel", "1000000"]),
        runs("twin: raised as an error it is caught", "r = try(\\() err(\"fuel ran out (limit 100000)\"))\nprn \"swallowed\"", "swallowed")
            .flags(FUEL),
        limit("try", "r = try(\\()\n  whl tru: 0\n)\nprn \"swallowed\"", "fuel").flags(FUEL),
        limit("try in try", "try(\\() try(\\() try(\\()\n  whl tru: 0\n)))\nprn \"swallowed\"", "fuel").flags(FUEL),
        limit("a retry", "whl tru: try(\\()\n  whl tru: 0\n)", "fuel").flags(FUEL),
        limit("a loop in the handler", "r = try(\\() err(1))\nwhl r.err: 0", "fuel").flags(FUEL),
        limit("depth", "f() = f() + 1\nr = try(f)\nprn \"swallowed\"", "depth"),
        limit("memory", "r = try(\\()\n  s = \"x\"\n  whl tru: s += s\n)\nprn \"swallowed\"", "memory"),
        limit("in a callback", "r = try(\\() [1] | map \\(x)\n  whl tru: 0\n)\nprn \"swallowed\"", "fuel").flags(FUEL),
    ]);
    let inside = "use sbx\nsb = sbxmk([\"__sys_stdout\"], {fuel: 20000})\n";
    check_all(&[
        runs(
            "at a sandbox's boundary it is an error of the outer code",
            format!("{inside}r = sbxtr(sb, \\()\n  whl tru: 0\n)\nprn typ(r.err)"),
            "str",
        ),
        runs(
            "a try inside that sandbox is not the boundary",
            format!("{inside}r = sbxtr(sb, \\()\n  try(\\()\n    whl tru: 0\n  )\n  prn \"swallowed\"\n)\nprn r.val"),
            "nil",
        ),
        runs(
            "an exhausted sandbox stays so",
            format!("{inside}f() =\n  whl tru: 0\nsbxtr(sb, f)\nr = sbxtr(sb, \\()\n  i <- 0..10000: 0\n  1\n)\nprn r.val"),
            "nil",
        ),
        limit(
            "an inner sandbox cannot have more than the outer has",
            "use sbx\nsb = sbxmk([], {fuel: 1000000000, lax: tru})\nsbxtr(sb, \\()\n  whl tru: 0\n)\nprn \"on\"",
            "fuel",
        )
        .flags(FUEL),
    ]);
}

pub fn int_016_what_grows_ends_with_its_memory() {
    const FLAGS: &[&str] = &["--mem", "64M", "--fuel", "1000000000000", "--time", "60s"];
    let bombs: [(&str, &str); 7] = [
        ("strings doubled", "s = \"x\"\nwhl tru: s += s"),
        ("lists doubled", "xs = [1]\nwhl tru: xs += xs"),
        ("keys", "o = {}\ni = 0\nwhl tru:\n  o[$\"{i}\"] = i\n  i += 1"),
        ("copies", "xs = 0..<1000\nall = nil\nwhl tru: all = [xs + [], all]"),
        ("closures", "fs = nil\nk(a, b) = \\() [a, b]\nwhl tru: fs = k(fs, 1)"),
        ("small strings", "all = nil\ni = 0\nwhl tru:\n  all = [$\"{i} of many\", all]\n  i += 1"),
        ("mapped", "xs = [1]\nwhl tru: xs = (xs + xs) | map \\(x) [x]"),
    ];
    let mut rows = vec![
        runs("control: within the memory", "xs = 0..<1000000\nprn len(xs)", "1000000").flags(FLAGS),
        runs("twin: with more", "xs = 0..<1000000\nprn len(xs)", "1000000").flags(&["--mem", "64M"]),
        limit("the same with less", "xs = 0..<1000000\nprn len(xs)", "memory").flags(&["--mem", "4M"]),
        runs("garbage is not held against it", "i <- 0..2000:\n  s = 0..<10000\nprn \"ok\"", "ok").flags(FLAGS),
    ];
    rows.extend(bombs.iter().map(|(name, script)| limit(name, *script, "memory").flags(FLAGS)));
    check_all(&rows);
}

pub fn int_017_amplifiers_are_refused_before_they_allocate() {
    check_all(&[
        runs("control: small", "use txt\nprn txt.pad(\"a\", 3), 0..2", "[0, 1, 2]"),
        limit("more than there is room for", "use txt\nprn len(txt.pad(\"a\", 6e6)), len(0..<600000)", "memory").flags(&["--mem", "2M"]),
        runs("twin: with room for it", "use txt\nprn len(txt.pad(\"a\", 6e6)), len(0..<600000)", "6000000 600000"),
        fails("a range beyond exact whole numbers", "xs = 0..1e18", "1000000000000000000").within(3_000),
        limit("a range of 1e15", "xs = 0..1e15", "ran out").within(3_000),
        fails("a range from end to end", "xs = -1e308..1e308", "1e+308").within(3_000),
        Row::new("pad 1e12", "use txt\nx = txt.pad(\"a\", 1e12)", 4, "").within(3_000),
        Row::new("pad beyond whole numbers", "use txt\nx = txt.pad(\"a\", 1e300)", 4, "").within(3_000),
        Row::new("replace every gap", "use txt\ns = \"x\"\ni <- 1..20: s += s\nt = txt.rep(s, \"x\", s)", 4, "").within(5_000),
        Row::new("join with a long separator", "use txt\ns = \"x\"\ni <- 1..20: s += s\nt = txt.join(0..100000, s)", 4, "").within(5_000),
    ]);
}

pub fn int_018_cycles_that_are_dropped_are_collected() {
    check_all(&[
        runs("a million cycles", "i <- 0..<300000:\n  a = [nil]\n  a[0] = a\n  o = {a}\n  o.me = o\nprn \"ok\"", "ok").flags(&[
            "--mem",
            "8M",
            "--fuel",
            "1000000000",
        ]),
        runs("closures in cycles", "k() =\n  o = {}\n  o.f = \\() o\n  nil\ni <- 0..<100000: k()\nprn \"ok\"", "ok").flags(&[
            "--mem",
            "8M",
            "--fuel",
            "1000000000",
        ]),
        runs(
            "twin: cycles that are kept, with room",
            "all = nil\nn = 0\nwhl n < 100000:\n  a = [nil, all]\n  a[0] = a\n  all = a\n  n += 1\nprn \"ok\"",
            "ok",
        )
        .flags(&["--mem", "64M", "--fuel", "1000000000"]),
        limit("cycles that are kept", "all = nil\nwhl tru:\n  a = [nil, all]\n  a[0] = a\n  all = a", "memory").flags(&[
            "--mem",
            "8M",
            "--fuel",
            "1000000000",
        ]),
    ]);
}

/// A list of lists that share: sixty levels, 2^60 leaves.
const DAG: &str = "d = []\ni <- 1..60: d = [d, d]\ne = []\ni <- 1..60: e = [e, e]\n";

pub fn int_019_shared_structure_costs_no_more_than_the_limit() {
    const FLAGS: &[&str] = &["--mem", "64M", "--fuel", "1500000", "--time", "20s"];
    check_all(&[
        runs("control: made and dropped", format!("{DAG}prn len(d)"), "2").flags(FLAGS),
        runs("control: few levels", "d = []\ni <- 1..3: d = [d, d]\nprn d", "[[[[], []], [[], []]], [[[], []], [[], []]]]").flags(FLAGS),
        limit("eighteen levels", format!("{}prn len(str(d))", DAG.replace("60", "18")), "fuel").flags(&["--fuel", "100000"]),
        runs("twin: eighteen levels, with enough fuel", format!("{}prn len(str(d))", DAG.replace("60", "18")), "1572860"),
        Row::new("printed", format!("{DAG}prn d"), 4, "").flags(FLAGS),
        Row::new("as text", format!("{DAG}s = str(d)"), 4, "").flags(FLAGS),
        Row::new("interpolated", format!("{DAG}s = $\"{{d}}\""), 4, "").flags(FLAGS),
        Row::new("as JSON", format!("use jsn\n{DAG}s = jsn.enc(d)"), 4, "").flags(FLAGS),
        Row::new("raised", format!("{DAG}err(d)"), 1, "").flags(FLAGS),
    ]);
}

pub fn int_019_equality_of_shared_structure_ends() {
    // Either an answer, found with the sharing, or the limit: never 2^60 comparisons.
    let row = Row::new("compared", format!("{DAG}prn d == e"), 0, "tru").flags(&["--fuel", "50000000", "--time", "20s"]);
    let limited = Row { code: 4, says: "", ..row.clone() };
    let (answered, ended) = (row.check(), limited.check());
    assert!(answered.is_empty() || ended.is_empty(), "{answered:?} {ended:?}");
}

pub fn int_020_a_million_levels_overflow_nothing() {
    const FLAGS: &[&str] = &["--mem", "256M", "--fuel", "1000000000", "--time", "60s", "--out", "64M"];
    let deep = "x = 1\ni <- 0..<1000000: x = [x]\ny = 1\ni <- 0..<1000000: y = [y]\n";
    let row = |name, script: String, code, says| Row { memory: 256 + 32, ..Row::new(name, script, code, says).flags(FLAGS) };
    check_all(&[
        row("made and dropped", format!("{deep}x = nil\ny = nil\nprn \"ok\""), 0, "ok"),
        row("compared", format!("{deep}prn x == y"), 0, "tru"),
        row("printed", format!("{deep}s = str(x)\nprn len(s)"), 0, "2000001"),
        row("raised", format!("{deep}err(x)"), 1, ""),
        row("as JSON", format!("use jsn\n{deep}r = try(\\() jsn.enc(x))\nprn typ(r.err)"), 0, "str"),
        row(
            "in a loop of objects",
            "o = nil\ni <- 0..<300000: o = {o}\np = nil\ni <- 0..<300000: p = {o: p}\nprn typ(o == p), len(str(o)) > 0".to_string(),
            0,
            "bol tru",
        ),
    ]);
    // In a program that drops, shows and compares as it comes, by calling itself, each of these ends by a signal.
    for what in ["drop", "print", "equal"] {
        let ran = watch_unguarded(what, b"");
        assert!(ran.code.is_none(), "{what}: {ran:?}");
        note(Part::Twin);
    }
}

pub fn int_021_values_that_contain_themselves_end() {
    let cyclic = "a = [nil, 1]\na[0] = a\nb = [nil, 1]\nb[0] = b\no = {}\no.me = o\no.f = \\() o\n";
    check_all(&[
        runs("printed", format!("{cyclic}prn a"), "[\u{2026}, 1]"),
        runs("an object printed", "o = {}\no.me = o\nprn o", "{me: \u{2026}}"),
        runs("compared", format!("{cyclic}prn a == b, a == a, o == o"), "tru tru tru"),
        runs("as JSON", format!("use jsn\n{cyclic}r = try(\\() jsn.enc(a))\nprn typ(r.err)"), "str"),
        runs("sorted", format!("{cyclic}r = try(\\() [a, b, a] | srt)\nprn typ(r.err)"), "str"),
        runs("unique", format!("{cyclic}prn len([a, b, a] | unq)"), "1"),
        fails("raised", format!("{cyclic}err(a)"), "[\u{2026}, 1]"),
    ]);
}

pub fn int_022_arithmetic_at_its_edges_is_defined() {
    check_all(&[
        runs("beyond 2^53", "prn 9007199254740992 + 1, -9007199254740992 - 1", "9007199254740992 -9007199254740992"),
        fails("largest plus itself", "x = 1.7976931348623157e308\nprn x + x", "too large"),
        fails("product", "x = 1e308\nprn x * -x", "too large"),
        fails("division by zero", "x = 0\nprn 1 / x", "zero"),
        fails("remainder by zero", "x = 0\nprn 1 % x", "zero"),
        runs("power too large", "use mth\nprn typ(try(\\() mth.pow(10, 1e9)).err)", "str"),
        runs("root of a negative", "use mth\nprn typ(try(\\() mth.sqrt(0 - 1)).err)", "str"),
        runs("logarithm of zero", "use mth\nprn typ(try(\\() mth.log(0)).err)", "str"),
        runs("a sum too large", "prn typ(try(\\() [1.7e308, 1.7e308] | sum).err)", "str"),
        runs(
            "whole numbers as text",
            "prn int(\"-9223372036854775808\"), int(\"18446744073709551616\")",
            "-9223372036854776000 18446744073709552000",
        ),
        fails("a number too large as text", "prn num(\"1e400\")", "1e400"),
    ]);
}

pub fn int_023_odd_numbers_are_no_keys_and_make_no_difference() {
    check_all(&[
        runs("zeros are equal", "prn 0 == -0, [0] == [-0], {a: 0} == {a: -0}", "tru tru tru"),
        runs("zeros print alike", "prn 0, -0, str(-0) == str(0)", "0 0 tru"),
        runs("whole and fractional spelling", "prn 1 == 1.0, [1, 2][1.0]", "tru 2"),
        runs("2^53 + 1", "prn 9007199254740993 == 9007199254740992", "tru"),
        runs("no NaN from text", "prn typ(try(\\() num(\"nan\")).err)", "str"),
        runs("no NaN from JSON", "use jsn\nprn typ(try(\\() jsn.dec(\"NaN\")).err), typ(try(\\() jsn.dec(\"1e999\")).err)", "str str"),
        runs("sleep of nonsense", "use tim\nprn typ(try(\\() tim.slp(-1)).err) != \"num\"", "tru"),
    ]);
}

pub fn int_024_indexes_out_of_range_are_errors() {
    let mut rows = vec![runs("control", "prn [1, 2, 3][2], \"abc\"[0]", "3 a")];
    for index in ["-1", "3", "1e18", "-1e18", "9007199254740993", "0.5", "1e-300", "\"0\"", "nil", "tru", "[]", "4294967296", "4294967297"]
    {
        rows.push(fails(index, format!("i = {index}\nprn [1, 2, 3][i]"), ""));
        rows.push(fails(index, format!("i = {index}\nprn \"abc\"[i]"), ""));
        rows.push(fails(index, format!("i = {index}\nprn b\"abc\"[i]"), ""));
        rows.push(fails(index, format!("i = {index}\nxs = [1, 2, 3]\nxs[i] = 1"), ""));
    }
    rows.push(runs("empty patterns", "use txt\nr = try(\\() txt.split(\"abc\", \"\"))\ns = try(\\() txt.rep(\"abc\", \"\", \"x\"))\nf = try(\\() txt.find(\"abc\", \"\"))\nprn \"ok\"", "ok").within(3_000));
    rows.push(
        runs("reversed slices", "r = try(\\() [1, 2, 3] | slc(2, 1))\ns = try(\\() [1, 2, 3] | slc(-5, 1e18))\nprn \"ok\"", "ok")
            .within(3_000),
    );
    check_all(&rows);
}

pub fn int_026_keys_chosen_to_collide_cost_no_more_than_others() {
    let fill = |key: &str| format!("o = {{}}\ni <- 0..<100000: o[{key}] = i\nprn len(o)");
    check_all(&[
        runs("plain keys", fill("$\"key{i}\""), "100000").flags(&["--fuel", "100000000"]).within(10_000),
        runs("keys like whole numbers", fill("$\"{i * 4294967296}\""), "100000").flags(&["--fuel", "100000000"]).within(10_000),
    ]);
}

pub fn int_029_json_depth_and_oddities_are_errors() {
    let decode = |text: &str| format!("use jsn\nprn jsn.dec({text})");
    let nest = |n: u32| format!("s = \"[\"\ni <- 1..{n}: s += s\nuse jsn\nr = try(\\() jsn.dec(s))\nprn typ(r.err)");
    check_all(&[
        runs("control", decode("'{\"a\": [1, 2.5, \"x\", null, true]}'"), "{a: [1, 2.5, \"x\", nil, tru]}"),
        runs("the last of equal keys", decode("'{\"a\": 1, \"a\": 2}'"), "{a: 2}"),
        runs("names that mean something elsewhere", decode("'{\"__proto__\": 1}'"), "{__proto__: 1}"),
        runs("a hundred thousand levels", nest(17), "str"),
        runs("a million levels", nest(20), "str"),
        fails("NaN", decode("'NaN'"), ""),
        fails("a trailing comma", decode("'[1,]'"), ""),
        fails("a leading zero", decode("'01'"), ""),
        fails("a lone quote", decode("'\"'"), ""),
        fails("nothing", decode("''"), ""),
        fails("two values", decode("'1 2'"), ""),
        fails("a control character", decode("'\"a\\nb\"'"), ""),
    ]);
    let deep = watch_unguarded("nested", "[".repeat(1 << 20).as_bytes());
    assert!(deep.code.is_none(), "{deep:?}");
    note(Part::Twin);
}

pub fn int_030_json_of_what_is_no_data_is_an_error_without_insides() {
    let encode = |value: &str| format!("use jsn\nuse sbx\nf(x) = x\nr = try(\\() jsn.enc({value}))\nprn typ(r.err), r.val\nprn r.err");
    let rows: Vec<Row<'_>> =
        ["f", "len", "sbxme()", "[f]", "{a: {b: f}}", "b\"x\""].iter().map(|value| runs(value, encode(value), "str nil")).collect();
    check_all(&rows);
}

pub fn int_032_a_comparator_may_say_anything() {
    let sort = |comparator: &str| {
        format!("n = 0\nxs = 0..<200\nr = try(\\() xs | srt({comparator}))\nif r.val: prn len(r.val), r.val |> sum\nprn \"ok\"")
    };
    let rows: Vec<Row<'_>> = [
        ("always true", "\\(a, b) tru"),
        ("always false", "\\(a, b) fls"),
        ("always one", "\\(a, b) 1"),
        ("nil", "\\(a, b) nil"),
        ("text", "\\(a, b) \"x\""),
        ("by turns", "\\(a, b)\n    n += 1\n    n % 2 - 0.5\n  "),
        ("raises", "\\(a, b) err(\"no\")"),
        ("sorts", "\\(a, b)\n    [2, 1] | srt\n    a - b\n  "),
        ("changes the list", "\\(a, b)\n    xs[0] = 7\n    a - b\n  "),
    ]
    .iter()
    .map(|(name, comparator)| runs(name, sort(comparator), "ok"))
    .collect();
    check_all(&rows);
    check_all(&[runs("control: an honest one", "prn [3, 1, 2] | srt(\\(a, b) b - a)", "[3, 2, 1]")]);
}

pub fn int_033_changing_what_is_looped_over_is_safe() {
    check_all(&[
        runs("a list's elements", "xs = [1, 2, 3]\nx <- xs:\n  xs[2] = 9\nprn xs", "[1, 2, 9]"),
        runs("a list bound anew", "xs = [1, 2]\nx <- xs: xs = xs + [x]\nprn xs", "[1, 2, 1, 2]"),
        runs("keys added", "o = {a: 1}\nn = 0\nk <- o:\n  n += 1\n  if n > 1000: brk\n  o[$\"k{n}\"] = n\nprn \"ok\"", "ok"),
        runs("keys removed", "use obj\no = {a: 1, b: 2, c: 3}\nk <- o: obj.del(o, k)\nprn \"ok\"", "ok"),
        runs("in map", "xs = [1, 2, 3]\nys = xs | map \\(x)\n  xs[0] = 7\n  x\nprn len(ys)", "3"),
        runs("in fil", "xs = [1, 2, 3]\nys = xs | fil \\(x)\n  xs[2] = 0\n  tru\nprn len(ys)", "3"),
    ]);
}

pub fn int_035_names_without_a_value_are_never_read() {
    let refused = |name, script: &str, says| Row::new(name, script, 2, says);
    check_all(&[
        refused("undefined", "prn nobody", "nobody"),
        refused("before its binding", "prn x\nx = 1", "x"),
        refused("a constant twice", "def a = 1\ndef a = 2", "a"),
        refused("after its scope", "i <- [1]: 0\nprn i", "i"),
        fails("a function runs before a binding", "f() = later\nf()\nlater = 1", "later"),
        runs("a builtin hidden", "len = 1\nprn len", "1"),
        runs("a native's name hidden", "__sys_time = 1\nprn __sys_time", "1"),
        fails("a module's object changed", "use fs\nfs.rd = nil", "fs"),
        runs("each round its variable", "fs = [0, 0]\ni <- 0..1: fs[i] = \\() i\nprn fs[0](), fs[1]()", "0 1"),
        runs("a branch not taken leaves nil or is refused", "f(c) =\n  if c: x = 1\n  try(\\() x).val\nprn f(0)", "nil"),
    ]);
}

pub fn int_036_every_builtin_takes_every_kind_of_value_without_harm() {
    // Each call has a sandbox of its own: a budget that one call uses up is not the next one's.
    const SCRIPT: &str = r#"
use sbx
use obj
cyc = [1]
cyc[0] = cyc
values = [nil, tru, fls, 0, -1, 0.5, 1e308, 9007199254740993, "", "text", b"", b"\xff", [], [1], {}, {k: 1}, len, \(x) x, cyc, sbxmk([])]
caps = sbxls(sbxme())
calls = 0
safe = \(f)
  calls += 1
  sbxtr(sbxmk(caps, {fuel: 100000, mem: 8000000, ms: 2000}), f)
f <- FUNCTIONS:
  if typ(f) == "fun" or typ(f) == "bif":
    safe(\() f())
    a <- values:
      safe(\() f(a))
      b <- values: safe(\() f(a, b))
      safe(\() f(a, a, a))
      safe(\() f(a, "t", -1, a))
prn "calls", calls > 400
"#;
    const FLAGS: &[&str] = &["--fuel", "10000000000", "--time", "100s", "--out", "64M", "--mem", "128M"];
    let row = |name, script: String| Row { memory: 128 + 32, ..runs(name, script, "calls tru") }.flags(FLAGS).within(100_000);
    let module = |name: &'static str| row(name, format!("use {name}\n{}", SCRIPT.replace("FUNCTIONS", &format!("obj.vals({name})"))));
    let mut rows = vec![row("builtins", SCRIPT.replace("FUNCTIONS", "[len, str, int, num, typ, try, err, asr, prn, eprn]"))];
    rows.extend(["txt", "trl", "jsn", "obj", "mth", "pol", "cap", "fs", "env", "obs", "tim", "sbx", "enc", "rnd", "set"].map(module));
    check_all(&rows);
}

pub fn int_041_a_run_leaves_nothing_behind_for_the_next() {
    let one = "len = 1\nuse trl\nsum = nil\n_x = 5\nprn \"done\"";
    check_all(&[
        runs("first", one, "done"),
        runs("second", "prn len([1, 2]), [1, 2] | sum", "2 3"),
        Row::new("nor its names", "prn _x", 2, "_x"),
        runs(
            "evaluated text neither",
            "use sbx\nsb = sbxmk([])\nsbxev(sb, \"leak = 1\")\nr = try(\\() sbxev(sb, \"leak\"))\nprn r.val, typ(r.err)",
            "nil str",
        ),
    ]);
}

pub fn int_043_exit_ends_the_script_only_with_its_code() {
    check_all(&[
        Row::new("from the top", "use os\nprn \"before\"\nos.exit(7)\nprn \"after\"", 7, "before"),
        Row::new("through try", "use os\ntry(\\() os.exit(7))\nprn \"after\"", 7, ""),
        Row::new("from a callback", "use os\n[1] | map \\(x) os.exit(5)\nprn \"after\"", 5, ""),
        Row::new("zero", "use os\nos.exit(0)\nerr(\"never\")", 0, ""),
        runs("inside a sandbox it ends that sandbox", "use os\nuse sbx\nr = sbxtr(sbxmk([]), \\() os.exit(9))\nprn \"on\"", "on"),
    ]);
}

pub fn int_044_the_same_script_prints_the_same() {
    let script = "o = {}\ni <- 0..<500: o[$\"{(i * 7919) % 500} k\"] = i\nprn o\nprn [3, 1, 2] | srt, {b: 1, a: 2}, str(o) == str(o)";
    let first = ilu_tests::watched::watch(&["run", "-"], script.as_bytes());
    assert_eq!(first.code, Some(0), "{}", first.err);
    for _ in 0..10 {
        let again = ilu_tests::watched::watch(&["run", "-"], script.as_bytes());
        assert_eq!(again.out, first.out);
    }
}

pub fn int_046_evaluated_text_has_the_sandboxs_powers_only() {
    const DIR: &[&str] = &["--dir", "tests/lang/errors/granted:/in:ro"];
    let inside = "use sbx\nsb = sbxmk([\"__sys_stdout\"])\n";
    check_all(&[
        runs("control: it runs", format!("{inside}prn sbxev(sb, \"1 + 2\")"), "3"),
        runs("control: the outer code may read", "use fs\nprn fs.rd(\"/in/readme.txt\")", "a granted file").flags(DIR),
        runs(
            "the evaluated may not",
            format!("{inside}r = sbxtr(sb, \\() sbxev(sb, \"use fs\\nfs.rd('/in/readme.txt')\"))\nprn r.val, typ(r.err)"),
            "nil str",
        )
        .flags(DIR),
        runs(
            "nor by the native's name",
            format!("{inside}r = try(\\() sbxev(sb, \"__sys_read_file('/in/readme.txt')\"))\nprn r.val, typ(r.err)"),
            "nil str",
        )
        .flags(DIR),
        runs(
            "nor by hiding the name",
            format!("{inside}r = try(\\() sbxev(sb, \"__sys_read_file = 1\\n__sys_read_file\"))\nprn r.val"),
            "1",
        )
        .flags(DIR),
        runs("it sees no outer name", format!("{inside}secret = 5\nr = try(\\() sbxev(sb, \"secret\"))\nprn r.val, typ(r.err)"), "nil str"),
        runs("what does not compile is an error", format!("{inside}r = try(\\() sbxev(sb, \"1 +\"))\nprn typ(r.err)"), "str"),
        runs(
            "twin: evaluated in a sandbox that may",
            "use sbx\nprn sbxev(sbxme(), \"use fs\\nfs.rd('/in/readme.txt')\")",
            "a granted file",
        )
        .flags(DIR),
        limit("a depth that ends", format!("{inside}prn sbxev(sb, \"f(n) = if n: f(n - 1) + 1 | 0\\nf(20000)\")"), "depth"),
        runs("twin: with a greater depth", format!("{inside}prn sbxev(sb, \"f(n) = if n: f(n - 1) + 1 | 0\\nf(20000)\")"), "20000")
            .flags(&["--depth", "100000"]),
        limit("its depth is the sandbox's", format!("{inside}sbxev(sb, \"f() = f() + 1\\nf()\")"), "depth"),
        limit("text that evaluates text", "use sbx\nsb = sbxmk(sbxls(sbxme()))\ng() = sbxev(sb, \"\\\\(g) g()\")(g)\ng()", "depth"),
    ]);
}

pub fn int_047_random_bytes_of_odd_counts_are_errors_or_limits() {
    const GRANT: &[&str] = &["--grant", "capio,caprn", "--time", "20s"];
    let count = |n: &str| format!("r = try(\\() __sys_random({n}))\nprn r.val, typ(r.err)");
    let mut rows = vec![
        runs("control", "prn len(__sys_random(8)), typ(__sys_random(0))", "8 byt").flags(GRANT),
        runs("two draws differ", "prn __sys_random(16) == __sys_random(16)", "fls").flags(GRANT),
        Row::new("without the native", "__sys_random(8)", 3, "__sys_random"),
        runs("twin: with it", "prn len(__sys_random(8))", "8").flags(GRANT),
        runs("many draws", "n = 0\nwhl n < 20000:\n  __sys_random(1)\n  n += 1\nprn n", "20000").flags(GRANT),
        limit("draws without end", "whl tru: __sys_random(1000)", "fuel").flags(&["--grant", "capio,caprn", "--fuel", "100000"]),
    ];
    rows.extend(["-1", "0.5", "nil", "\"8\"", "1e300", "-1e300"].map(|n| runs(n, count(n), "nil str").flags(GRANT).within(3_000)));
    rows.push(Row::new("a terabyte", "__sys_random(1e12)\nprn \"never\"", 1, "").flags(GRANT).within(3_000));
    check_all(&rows);
}

pub fn int_046_large_text_is_compiled_within_the_memory_and_the_time_there_is() {
    // Text that a script can afford, of the kinds that cost the compiler most for each byte.
    let kinds: [(&str, &str, u32); 12] = [
        ("mixed", "x=[1,2,3,[],[],{},\\\\(a) a]\\n", 16),
        ("functions", "f(a) = a\\n", 17),
        ("strings", "x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'\\n", 17),
        ("blanks", "                                   \\n", 18),
        ("comments", "# cccccccccccccccccccccccccccccccc\\n", 18),
        ("assignments", "x=1\\n", 18),
        ("mistakes", "x=1 2\\n", 18),
        ("empty lists", "[],", 19),
        ("names", "aaaa ", 18),
        ("unknown names", "x1\\n", 18),
        ("calls", "()", 20),
        ("fields", ".a", 20),
    ];
    let rows: Vec<Row<'_>> = kinds
        .iter()
        .map(|(name, piece, doublings)| {
            let script = format!("use sbx\nsb = sbxmk([])\ns = \"{piece}\"\ni <- 1..{doublings}: s += s\nr = sbxtr(sb, \\() sbxev(sb, \"y = 0\\nx = [1]\\n\" + s))\nprn \"on\"");
            runs(name, script, "on").within(10_000)
        })
        .collect();
    check_all(&rows);
    const FUEL: &[&str] = &["--fuel", "1000000", "--time", "60s"];
    let again = "use sbx\nsb = sbxmk([])\ns = \"x=1\\n\"\ni <- 1..14: s += s\nwhl tru: sbxev(sb, s)";
    check_all(&[limit("again and again", again, "fuel").flags(FUEL).within(10_000)]);
}
