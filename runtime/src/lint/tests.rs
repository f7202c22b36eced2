//! What is pointed out and what is not, what is put right and how, code by code.

use super::*;
use ilu_lang::diagnostic::codes;

fn warnings(text: &str) -> Vec<(&'static str, usize)> {
    let source = Source::new("t.ilu", text);
    lint(&Engine::new(), &source).into_iter().map(|one| (one.diagnostic.code, source.position(one.diagnostic.span.start).0)).collect()
}

fn put_right(text: &str) -> String {
    fixed(&Engine::new(), &Source::new("t.ilu", text)).0
}

#[test]
fn what_nothing_uses_is_pointed_out() {
    for (text, line) in [
        ("use fs\nprn 1", 1),
        ("use txt as t\nprn 1", 1),
        ("f(a) = 1\nprn f(2)", 1),
        ("f() =\n    x = 1\n    2\nf()", 2),
        ("f() =\n    def x = 1\n    2\nf()", 2),
        ("f() =\n    g() = 1\n    2\nf()", 2),
        ("i <- 1..3: prn 1", 1),
        ("k, v <- {a: 1}: prn k", 1),
        ("_help() = 1\nprn 1", 1),
        ("_limit = 1\nprn 1", 1),
        ("mat 1:\n    x => prn 1", 2),
        ("f() =\n    n = 0\n    n += 1\n    2\nf()", 2),
    ] {
        assert_eq!(warnings(text), [(codes::UNUSED, line)], "{text}");
    }
}

#[test]
fn what_is_used_somehow_is_not_pointed_out() {
    for text in [
        "use fs\nprn fsrd(\"x\")",
        "use fs\nprn fs.rd(\"x\")",
        "use trl\nprn [1] | sum",
        "use \"x.ilu\"",
        "limit = 1\nhelp() = 2",
        "f(_a) = 1\nprn f(2)",
        "_ <- 1..3: prn 1",
        "f() =\n    x = 1\n    \\() x\nf()",
        "f() =\n    n = 0\n    g = \\()\n        n += 1\n        n\n    g\nf()",
        "f(n) =\n    g(m) = if m > 0: g(m - 1) | 0\n    g(n)\nf(1)",
        "xs = [1] | map \\(x) 1\nprn xs",
        "mat [1, 2]:\n    [a, b] => prn a, b\n    _ => nil",
        "name = 1\no = {name}\nprn o",
        "x = 1\nprn $\"{x}\"",
    ] {
        assert_eq!(warnings(text), [], "{text}");
    }
}

#[test]
fn what_hides_something_is_pointed_out() {
    for (text, line) in [
        ("len = 3\nprn len", 1),
        ("f(str) = str + 1\nprn f(1)", 1),
        ("use fs\nf(fs) = fs + 1\nprn f(fsrd(\"x\"))", 2),
        ("i = 5\ni <- 1..3: prn i\nprn i", 2),
        ("f(x) =\n    x <- [x]: prn x\nf(1)", 2),
        ("i <- 1..3:\n    i <- 1..i: prn i", 2),
    ] {
        assert_eq!(warnings(text), [(codes::SHADOWED, line)], "{text}");
    }
    for text in
        ["i <- 1..3: prn i\ni <- 1..3: prn i", "i <- 1..3: prn i\ni = 5\nprn i", "x = 1\nf(x) = x\nprn f(x)", "o = {len: 1}\nprn o.len"]
    {
        assert_eq!(warnings(text), [], "{text}");
    }
}

#[test]
fn what_is_never_reached_is_pointed_out() {
    for (text, line) in [
        ("f() =\n    ret 1\n    prn 2\nf()", 3),
        ("i <- 1..3:\n    brk\n    prn i", 3),
        ("i <- 1..3:\n    cnt\n    prn i", 3),
        ("err(\"x\")\nprn 2", 2),
        ("mat 1:\n    _ => prn 1\n    2 => prn 2", 3),
        ("mat 1:\n    n => prn n\n    2 => prn 2", 3),
    ] {
        assert_eq!(warnings(text), [(codes::UNREACHABLE, line)], "{text}");
    }
    for text in [
        "f(x) =\n    if x: ret 1\n    2\nf(1)",
        "f() =\n    ret g()\n    g() = 1\nf()",
        "mat 1:\n    n if n > 2 => prn n\n    _ => prn 2",
        "err(x) = x\nerr(1)\nprn 1",
    ] {
        assert!(!warnings(text).iter().any(|(code, _)| *code == codes::UNREACHABLE), "{text}");
    }
}

#[test]
fn ranges_to_the_last_index_and_open_matches_are_pointed_out() {
    assert_eq!(warnings("xs = [1]\ni <- 0..len(xs)-1: prn xs[i]"), [(codes::RANGE_TO_LENGTH, 2)]);
    assert_eq!(warnings("mat 1:\n    1 => prn 1"), [(codes::NO_LAST_ARM, 1)]);
    for text in [
        "xs = [1]\ni <- 0..<len(xs): prn xs[i]",
        "xs = [1]\ni <- 1..len(xs)-1: prn xs[i]",
        "xs = [1]\ni <- 0..len(xs)-2: prn xs[i]",
        "mat 1:\n    1 => prn 1\n    _ => nil",
        "mat 1 == 1:\n    tru => prn 1\n    fls => prn 2",
        "mat 1:\n    n => prn n",
    ] {
        assert_eq!(warnings(text), [], "{text}");
    }
}

#[test]
fn a_call_that_its_sandbox_does_not_hold_is_pointed_out() {
    let head = "use cap\nuse fs\nuse sbx\n";
    for (text, line) in [
        ("sb = sbxmk(capfsro(), {})\nsbxrn(sb, \\() fs.wr(\"/a\", \"x\"))", 5),
        ("sb = sbx.mk(cap.fsro(), {})\nsbx.run(sb, \\() fswr(\"/a\", fs.rd(\"/b\")))", 5),
        ("sb = sbxmk([\"__sys_time\"] + capfsro(), {})\nsbxtr(sb, \\()\n    fs.rd(\"/a\")\n    __sys_stdout(\"x\"))", 7),
        ("sb = sbxmk(capcat(capfsro(), capch()), {})\nsbxrn(sb, \\() prn(fs.rd(\"/a\")))", 5),
    ] {
        assert_eq!(warnings(&format!("{head}{text}")), [(codes::NATIVE_UNHELD, line)], "{text}");
    }
    for text in [
        "sb = sbxmk(capfs(), {})\nsbxrn(sb, \\() fs.wr(\"/a\", \"x\"))",
        "sb = sbxmk(list(), {})\nlist() = capfsro()\nsbxrn(sb, \\() fs.wr(\"/a\", \"x\"))",
        "sb = sbxmk(capfsro(), {})\nsb = sbxmk(capfs(), {})\nsbxrn(sb, \\() fs.wr(\"/a\", \"x\"))",
        "sb = sbxmk(capfsro(), {})\nsbxrn(sb, \\() fs.rd(\"/a\"))\nfs.wr(\"/a\", \"x\")",
    ] {
        assert!(!warnings(&format!("{head}{text}")).iter().any(|(code, _)| *code == codes::NATIVE_UNHELD), "{text}");
    }
}

#[test]
fn what_can_be_put_right_is_and_comments_stay() {
    for (text, right) in [
        ("use fs\nuse txt\n# head\nprn txt.upper(\"a\")  # end\n", "use txt\n# head\nprn txt.upper(\"a\")  # end\n"),
        ("xs = [1]\ni <- 0..len(xs) - 1: prn xs[i]  # all\n", "xs = [1]\ni <- 0..<len(xs): prn xs[i]  # all\n"),
        ("f(a, b) = b\nprn f(1, 2)\n", "f(_a, b) = b\nprn f(1, 2)\n"),
        ("i <- 1..3: prn 1\n", "_ <- 1..3: prn 1\n"),
        ("mat 1:\n    1 => prn 1  # one\nprn 2\n", "mat 1:\n    1 => prn 1  # one\n    _ => nil\nprn 2\n"),
        ("mat 1:\n    1 =>\n        prn 1\nprn 2", "mat 1:\n    1 =>\n        prn 1\n    _ => nil\nprn 2"),
        ("f() =\n    use fs\n    1\nprn f()", "f() =\n    1\nprn f()"),
        ("use fs", ""),
    ] {
        let now = put_right(text);
        let wanted = if text == "use fs" { text } else { right };
        assert_eq!(now, wanted, "{text}");
        assert_eq!(put_right(&now), now, "once more: {text}");
    }
}

#[test]
fn what_can_not_be_put_right_without_judgement_stays() {
    for text in [
        "len = 3\nprn len\n",
        "f() =\n    x = 1\n    2\nf()\n",
        "f() =\n    ret 1\n    prn 2\nf()\n",
        "use fs  # for later\nprn 1\n",
        "prn (mat 1:\n    1 => 2)\n",
        "x = nobody\nuse fs\n",
        "prn (\n",
    ] {
        assert_eq!(put_right(text), text);
    }
}

#[test]
fn a_text_that_does_not_compile_has_errors_and_no_warnings() {
    assert_eq!(warnings("use pol\npolwi(\"/a*\", 1\n"), []);
    assert_eq!(warnings("use fs\nx = nobody\n"), []);
}
