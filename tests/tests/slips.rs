//! What people write who come from Python, JavaScript and Lua: each slip gets a hint that names the form of ilu, and that form runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

use ilu_tests::command::{Scratch, ilu_in};

/// The slip, what the hint has to name, and the right form.
type Slip = (&'static str, &'static str, &'static str);

const BLOCKS: &[Slip] = &[
    ("x = 2\nif x == 1:\n    prn 1\nelif x == 2:\n    prn 2", "`| if c:`", "x = 2\nif x == 1:\n    prn 1\n| if x == 2:\n    prn 2"),
    ("x = 2\nif x == 1:\n    prn 1\nelse if x == 2:\n    prn 2", "`| if c:`", "x = 2\nif x == 1:\n    prn 1\n| if x == 2:\n    prn 2"),
    ("x = 2\nif x == 1:\n    prn 1\nelse:\n    prn 2", "begins with `|`", "x = 2\nif x == 1:\n    prn 1\n|\n    prn 2"),
    ("x = 1\nif (x == 1) { prn 1 }", "indented under a `:`", "x = 1\nif x == 1:\n    prn 1"),
    ("x = 1\nif x == 1 then prn 1 end", "follows a `:`", "x = 1\nif x == 1: prn 1"),
    ("x = 1\nif x == 1:\n\tprn 1", "indent with blanks", "x = 1\nif x == 1:\n    prn 1"),
    ("x = 1\nunless x == 2: prn 1", "`if not c:`", "x = 1\nif not (x == 2): prn 1"),
    ("for x in [1, 2]:\n    prn x", "`x <- xs:`", "x <- [1, 2]:\n    prn x"),
    ("for (i = 0; i < 3; i++) {\n    prn i\n}", "own line", "i <- 0..<3:\n    prn i"),
    ("i <- range(3): prn i", "`a..<b`", "i <- 0..<3: prn i"),
    ("i, c <- enumerate([1]): prn i, c", "`i, x <- xs:`", "i, c <- [1]: prn i, c"),
    ("k, v <- pairs({a: 1}): prn k, v", "`k, v <- o:`", "k, v <- {a: 1}: prn k, v"),
    ("x = 3\nwhile x > 1:\n    x -= 1", "`whl c:`", "x = 3\nwhl x > 1:\n    x -= 1"),
    ("repeat\n    prn 1\nuntil x", "`whl tru:`", "whl tru:\n    prn 1\n    brk"),
    ("whl tru:\n    break", "`brk`", "whl tru:\n    brk"),
    ("i <- 1..3:\n    continue", "`cnt`", "i <- 1..3:\n    cnt"),
    ("if tru:\n    pass", "is `nil`", "if tru:\n    nil"),
    ("x = 1\nswitch (x) {\n    case 1: prn 1\n}", "`mat x:`", "x = 1\nmat x:\n    1 => prn 1"),
    ("x = 1\nmatch x:\n    case 1: prn 1", "`pattern => value`", "x = 1\nmat x:\n    1 => prn 1"),
    ("try:\n    prn 1\nexcept:\n    prn 2", "`r = try(f)`", "r = try(\\() 1)\nprn if r.err == nil: r.val | 2"),
    ("try {\n    prn 1\n} catch (e) {\n    prn 2\n}", "`r = try(f)`", "r = try(\\() 1)\nprn r.val, r.err"),
    ("with x as f:\n    prn 1", "has an `as`", "use txt as words\nprn words.upper(\"a\")"),
];

const NAMES: &[Slip] = &[
    ("let x = 1", "`name = value`", "x = 1"),
    ("var x = 1", "`name = value`", "x = 1"),
    ("local x = 1", "`name = value`", "x = 1"),
    ("const x = 1", "`def name = value`", "def x = 1"),
    ("x: int = 1", "`name = value`", "x = 1"),
    ("x := 1", "write `=`", "x = 1"),
    ("x, y = 1, 2", "binds one name", "x = 1\ny = 2"),
    ("x = y = 1", "one name a line", "y = 1\nx = y"),
    ("[a, b] = [1, 2]", "`a = xs[0]`", "xs = [1, 2]\na = xs[0]\nb = xs[1]"),
    ("{a, b} = {a: 1, b: 2}", "takes nothing apart", "o = {a: 1, b: 2}\na = o.a\nb = o.b"),
    ("x = 1\nx++", "`+= 1`", "x = 1\nx += 1"),
    ("x = null", "`nil`", "x = nil"),
    ("x = None", "`nil`", "x = nil"),
    ("x = undefined", "`nil`", "x = nil"),
    ("x = true", "`tru`", "x = tru"),
    ("x = True", "`tru`", "x = tru"),
    ("x = False", "`fls`", "x = fls"),
    ("prnt 1", "did you mean `prn`", "prn 1"),
    ("total = 3\nprn totl", "did you mean `total`", "total = 3\nprn total"),
    ("total = 0\nadd(n) =\n    total += n\nadd(1)", "use a lambda", "total = 0\nadd = \\(n)\n    total += n\nadd(1)"),
    ("global x", "a lambda changes the variable outside", "x = 1\nset = \\()\n    x = 2\nset()"),
    ("this.x = 1", "takes the object as a parameter", "o = {set: \\(self)\n    self.x = 1\n}\no.set(o)"),
    ("class Foo:\n    prn 1", "does the work of a class", "foo() = {name: \"n\"}\nprn foo().name"),
    ("o = new Foo()", "a function that gives an object", "point(x, y) = {x, y}\no = point(1, 2)"),
];

const FUNCTIONS: &[Slip] = &[
    ("def f(a):\n    return a", "`name(a, b) = …`", "f(a) = a\nf(1)"),
    ("function f(a) {\n    return a\n}", "`name(a, b) = …`", "f(a) = a\nf(1)"),
    ("function f(a)\n    return a\nend", "`name(a, b) = …`", "f(a) =\n    a\nf(1)"),
    ("fn f(a):\n    a", "`name(a, b) = …`", "f(a) =\n    a\nf(1)"),
    ("f(a: num) = a", "parameters have no types", "f(a) = a\nf(1)"),
    ("f(a) =\n    return a\nf(1)", "`ret value`", "f(a) =\n    ret a\nf(1)"),
    ("f = lambda a: a + 1", "`\\(a, b) …`", "f = \\(a) a + 1\nf(1)"),
    ("f = a => a + 1", "`\\(a) …`", "f = \\(a) a + 1\nf(1)"),
    ("f = (a) => a + 1", "`\\(a) …`", "f = \\(a) a + 1\nf(1)"),
    ("f = function(a) return a end", "`\\(a, b) …`", "f = \\(a) a\nf(1)"),
    ("f(xs) = xs\nf(*[1])", "`f(..xs)`", "f(x) = x\nf(..[1])"),
    ("f(xs) = xs\nf(...[1])", "`f(..xs)`", "f(x) = x\nf(..[1])"),
    ("f(w) = w\nf(w = 1)", "give the value alone", "f(w) = w\nf(1)"),
    ("async f(a) = a", "`syn.run(f)`", "use syn\nf(a) = a\nprn syn.run(\\() f(1)).wai().val"),
    ("f(a) = a\nprn await f(1)", "`t.wait()`", "use syn\nprn syn.run(\\() 1).wait().val"),
    ("import fs", "`use name`", "use fs"),
    ("from fs import rd", "`use name`", "use fs"),
    ("fs = require(\"fs\")", "`use name`", "use fs"),
    ("export x = 1", "every name at the left edge", "x = 1"),
    ("throw \"x\"", "`err(value)`", "try(\\() err(\"x\"))"),
    ("raise \"x\"", "`err(value)`", "try(\\() err(\"x\"))"),
    ("assert 1 == 1", "`asr(c)`", "asr 1 == 1"),
];

const OPERATORS: &[Slip] = &[
    ("x = 1\nif x == 1 && x == 1: prn 1", "write `and`", "x = 1\nif x == 1 and x == 1: prn 1"),
    ("x = 1\nif x == 1 || x == 2: prn 1", "write `or`", "x = 1\nif x == 1 or x == 2: prn 1"),
    ("x = 1\nif x = 1: prn 1", "`==` compares", "x = 1\nif x == 1: prn 1"),
    ("x = 1\nif x === 1: prn 1", "write `==`", "x = 1\nif x == 1: prn 1"),
    ("x = 1\nif x !== 1: prn 1", "write `!=`", "x = 1\nif x != 1: prn 1"),
    ("x = 1\nif x ~= 1: prn 1", "write `!=`", "x = 1\nif x != 1: prn 1"),
    ("x = 1\nif x <> 1: prn 1", "`!=`", "x = 1\nif x != 1: prn 1"),
    ("x = 1\nif x is nil: prn 1", "`x == nil`", "x = 1\nif x == nil: prn 1"),
    ("x = 1\nif x in [1]: prn 1", "`trl.has(xs, x)`", "use trl\nx = 1\nif trl.has([1], x): prn 1"),
    ("x = 1\nif x not in [1]: prn 1", "`not trl.has(xs, x)`", "use trl\nx = 1\nif not trl.has([1], x): prn 1"),
    ("x = nil ?? 1", "`x or y`", "x = nil or 1"),
    ("a = 1 == 1 ? 2 : 3", "`if c: a | b`", "a = if 1 == 1: 2 | 3"),
    ("a = 2 if 1 == 1 else 3", "`if c: a | b`", "a = if 1 == 1: 2 | 3"),
    ("x = 2 ** 3", "`mth.pow`", "use mth\nx = mth.pow(2, 3)"),
    ("x = 7 // 2", "`int(a / b)`", "x = int(7 / 2)"),
    ("x = 5 & 3", "`and`", "x = 5 and 3"),
    ("x = 5 | 3", "`or`", "x = 5 or 3"),
    ("x = 5 ^ 3", "`mth.pow(a, b)`", "use mth\nx = mth.pow(5, 3)"),
    ("x = 1 << 2", "`mth.pow(2, n)`", "use mth\nx = 1 * mth.pow(2, 2)"),
    ("x = 2\nprn (1 < x < 3)", "`a < b and b < c`", "x = 2\nprn (1 < x and x < 3)"),
    ("x = 1;", "own line", "x = 1"),
    ("// comment", "`#`", "# comment"),
    ("-- a comment", "`#`", "# a comment"),
    ("x = 1 -- comment", "`#`", "x = 1  # comment"),
    ("/* comment */", "`#`", "# comment"),
];

const VALUES: &[Slip] = &[
    ("print(\"a\")", "`prn x`", "prn(\"a\")"),
    ("console.log(\"a\")", "`prn x`", "prn \"a\""),
    ("x = 1\ns = f\"a {x}\"", "`$\"… {x} …\"`", "x = 1\ns = $\"a {x}\""),
    ("x = 1\ns = `a ${x}`", "`$\"… {x} …\"`", "x = 1\ns = $\"a {x}\""),
    ("s = \"a\" .. \"b\"", "joined with `+`", "s = \"a\" + \"b\""),
    ("s = \"a\" + nil", "`str(x)`", "s = \"a\" + str(nil)"),
    ("s = \"\"\"abc\"\"\"", "one line", "s = \"abc\""),
    ("s = r\"\\n\"", "`\\\\`", "s = \"\\\\n\""),
    ("s = \"abc", "`\\n`", "s = \"abc\\n\""),
    ("s = \"abc'", "`\\n`", "s = \"abc\""),
    ("xs = [1]\nprn xs.length", "`len(x)`", "xs = [1]\nprn len(xs)"),
    ("xs = [1]\nprn length(xs)", "`len(x)`", "xs = [1]\nprn len(xs)"),
    ("xs = [1]\nprn xs[0:1]", "`trl.slc(xs, from, to)`", "use trl\nxs = [1]\nprn trl.slc(xs, 0, 1)"),
    ("xs = [1]\nprn xs[-1]", "`xs[len(xs) - 1]`", "xs = [1]\nprn xs[len(xs) - 1]"),
    ("xs = [1]\nprn xs.map(\\(x) x)", "`xs | map \\(x) …`", "xs = [1]\nprn (xs | map \\(x) x)"),
    ("xs = [1]\nprn xs.filter(\\(x) x)", "`xs | fil \\(x) …`", "xs = [1]\nprn (xs | fil \\(x) x)"),
    ("xs = [1]\nxs.push(2)", "`trl.push(xs, x)`", "use trl\nxs = [1]\ntrl.push(xs, 2)"),
    ("xs = [1]\nxs.append(2)", "`trl.push(xs, x)`", "use trl\nxs = [1]\ntrl.push(xs, 2)"),
    ("xs = [a * 2 for a in 1..3]", "`xs | map \\(x) …`", "xs = 1..3 | map \\(a) a * 2"),
    ("s = \"a\".upper()", "`txt.upper(s)`", "use txt\ns = txt.upper(\"a\")"),
    ("o = {a = 1}", "`{a: 1}`", "o = {a: 1}"),
    ("o = {1: 2}", "a key is", "o = {[str(1)]: 2}"),
    ("y = {a: 1}\no = {...y}", "objects are not spread", "y = {a: 1}\no = {}\nk, v <- y: o[k] = v"),
    ("prn typeof(1)", "`typ(x)`", "prn typ(1)"),
    ("prn JSON.stringify(1)", "`jsn.enc(v)`", "use jsn\nprn jsn.enc(1)"),
    ("prn Math.floor(1.5)", "`mth.floor(x)`", "use mth\nprn mth.floor(1.5)"),
    ("prn tostring(1), tonumber(\"1\")", "`str(x)`", "prn str(1), num(\"1\")"),
];

/// The hints of a report, joined.
fn hints(report: &str) -> String {
    report.lines().filter_map(|line| line.split_once("= help: ").map(|(_, help)| format!("{help}\n"))).collect()
}

fn wrong(slips: &[Slip]) -> Vec<String> {
    let scratch = Scratch::new("slips");
    let run = |text: &str| {
        scratch.write("slip.ilu", format!("{text}\n"));
        ilu_in(scratch.path(), &["run", "slip.ilu"], b"")
    };
    let mut wrong = Vec::new();
    for (slip, names, right) in slips {
        let ran = run(slip);
        if ran.code == Some(0) || !hints(&ran.err).contains(names) {
            wrong.push(format!("== {slip}\nno hint names {names}:\n{}", ran.err));
        }
        let ran = run(right);
        if ran.code != Some(0) {
            wrong.push(format!("== {right}\nthe right form does not run:\n{}", ran.err));
        }
    }
    wrong
}

#[test]
fn a_slip_gets_a_hint_that_names_the_right_form() {
    let all = [BLOCKS, NAMES, FUNCTIONS, OPERATORS, VALUES];
    let count: usize = all.iter().map(|slips| slips.len()).sum();
    assert!(count >= 100, "only {count} slips");
    let wrong: Vec<String> = all.into_iter().flat_map(wrong).collect();
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Hints are for what is wrong: what is right gets none.
#[test]
fn hints_do_not_take_what_is_meant_for_a_slip() {
    let scratch = Scratch::new("slips");
    for text in ["x = 1 - -1\nprn x", "else_ = 1\nprn else_", "o = {for: 1, new: 2}\nprn o.for, o.new", "is = 1\nprn is"] {
        scratch.write("fine.ilu", text);
        let ran = ilu_in(scratch.path(), &["run", "fine.ilu"], b"");
        assert!(ran.code == Some(0) && ran.err.is_empty(), "{text}: {}", ran.err);
    }
}
