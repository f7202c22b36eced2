//! The language as the engine runs it, each case as it is and with a collection at every growth of the heap.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;
use common::{error, output};

/// Runs each expression and compares what `prn` shows of it.
fn shows(cases: &[(&str, &str)]) {
    let text: String = cases.iter().map(|(expression, _)| format!("prn({expression})\n")).collect();
    let out = output(&text);
    for ((expression, wanted), got) in cases.iter().zip(out.lines()) {
        assert_eq!(&got, wanted, "{expression}");
    }
    assert_eq!(out.lines().count(), cases.len());
}

/// Runs each expression in a `try` and compares the error.
fn fails(cases: &[(&str, &str)]) {
    for (expression, wanted) in cases {
        assert_eq!(output(&format!("prn(try(\\() {expression}).err)\n")), format!("{wanted}\n"), "{expression}");
    }
}

#[test]
fn a_program_runs_and_prints() {
    assert_eq!(output("prn \"hello\", 1 + 2\nprn()\nprn nil, [nil]\n"), "hello 3\n\nnil [nil]\n");
}

#[test]
fn functions_call_each_other_and_themselves() {
    let text = "
fib(n) =
    if n < 2: ret n
    fib(n - 1) + fib(n - 2)
prn fib(15)
even(n) = if n == 0: tru | odd(n - 1)
odd(n) = if n == 0: fls | even(n - 1)
prn even(10), odd(10)
";
    assert_eq!(output(text), "610\ntru fls\n");
}

#[test]
fn arithmetic_gives_finite_numbers() {
    shows(&[
        ("1 + 2 * 3 - 4 / 8", "6.5"),
        ("7 % 3", "1"),
        ("-7 % 3", "2"),
        ("7 % -3", "-2"),
        ("-7 % -3", "-1"),
        ("5.5 % 2", "1.5"),
        ("-5.5 % 2", "0.5"),
        ("6 % 3", "0"),
        ("9007199254740993 % 10", "2"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("1e21 + 1", "1e+21"),
        ("-(3)", "-3"),
        ("0xFF + 1_000", "1255"),
    ]);
    fails(&[
        ("1 / 0", "division by zero"),
        ("1 % 0", "remainder of a division by zero"),
        ("0 / 0", "division by zero"),
        ("1e308 * 10", "number too large: 1e+308 * 10"),
        ("-1e308 - 1e308", "number too large: -1e+308 - 1e+308"),
    ]);
}

#[test]
fn wrong_operands_are_named_by_their_types() {
    fails(&[
        ("1 + nil", "`+` can't join num and nil"),
        ("[1] + 1", "`+` can't join lst and num"),
        ("\"a\" - 1", "`-` needs two numbers, got str and num"),
        ("nil * 2", "`*` needs two numbers, got nil and num"),
        ("-\"a\"", "`-` needs a number, got str"),
        ("1 < \"a\"", "only two numbers or two strings have an order, got num and str"),
        ("[1] < [2]", "only two numbers or two strings have an order, got lst and lst"),
        ("nil.x", "nil has no field `x`"),
        ("(1).x", "the number 1 has no field `x`"),
        ("\"s\".x", "str has no field `x`"),
        ("nil[0]", "can't index nil"),
        ("tru[0]", "can't index tru"),
        ("[1][\"a\"]", "a lst is indexed by a number, got str"),
        ("{a: 1}[0]", "an object is indexed by a string, got the number 0"),
        ("[1, 2][2]", "index 2 is out of range: the lst has length 2"),
        ("[1, 2][-1]", "index -1 is negative: the lst has length 2"),
        ("[1, 2][0.5]", "index 0.5 is not a whole number: the lst has length 2"),
        ("\"ab\"[2]", "index 2 is out of range: the str has length 2"),
        ("b\"ab\"[9]", "index 9 is out of range: the byt has length 2"),
        ("(5)()", "can't call the number 5: it is not a function"),
        ("nil(1)", "can't call nil: it is not a function"),
        ("{a: 1}.b()", "can't call nil: it is not a function"),
        ("len(5)", "`len` takes a str, lst, obj or byt, got num"),
        ("len()", "`len` takes 1 argument, got 0"),
        ("asr(1, 2, 3)", "`asr` takes 1 to 2 arguments, got 3"),
        ("int(\"4.5\")", "\"4.5\" is not a whole number"),
        ("int(\"x\")", "\"x\" is not a whole number"),
        ("num(\"inf\")", "\"inf\" is not a number"),
        ("num(\"1e999\")", "\"1e999\" is not a number"),
        ("int([])", "`int` takes a num or a str, got lst"),
        ("1..\"a\"", "the ends of a range are numbers, got num and str"),
        ("0..1.5", "the ends of a range are whole numbers, got 1.5"),
        ("try(5)", "`try` calls a function, got the number 5"),
    ]);
}

#[test]
fn what_cannot_be_called_is_named_as_it_is_written() {
    let program = |call: &str| {
        format!(
            "use txt\nx = 5\no = {{a: 1, n: nil, in: {{}}, s: \\(v) v}}\nf() = o\nlocal(y) =\n    z = y\n    try(\\() z(1))\nprn try(\\() {call}).err\n"
        )
    };
    for (call, wanted) in [
        ("txt.splt(\"a b\")", "`txt` has no function `splt`: did you mean `txt.split`?"),
        ("txt.frobnicate(str(1))", "`txt` has no function `frobnicate`"),
        ("o.b(1)", "can't call `o.b`: it is nil, not a function"),
        ("o.a(f())", "can't call `o.a`: it is the number 1, not a function"),
        ("o.in.k()", "can't call `o.in.k`: it is nil, not a function"),
        ("x()", "can't call `x`: it is the number 5, not a function"),
        ("f().b()", "can't call nil: it is not a function"),
        ("f().f()", "can't call nil: it is not a function"),
        ("o.s(nil)(1)", "can't call nil: it is not a function"),
        ("o[\"b\"](1)", "can't call nil: it is not a function"),
        ("err(local(7).err)", "can't call `z`: it is the number 7, not a function"),
        ("[1] | o.n", "can't call `o.n`: it is nil, not a function"),
        ("o.b(..[1])", "can't call `o.b`: it is nil, not a function"),
    ] {
        assert_eq!(output(&program(call)), format!("{wanted}\n"), "{call}");
    }
}

#[test]
fn what_plus_joins() {
    shows(&[
        ("\"a\" + \"b\"", "ab"),
        ("\"a\" + 1", "a1"),
        ("1 + \"a\"", "1a"),
        ("[1] + [2, 3]", "[1, 2, 3]"),
        ("b\"a\" + b\"\\xff\" == b\"a\\xff\"", "tru"),
        ("\"0123456789012345678901234567890123456789\" + \"x\"", "0123456789012345678901234567890123456789x"),
        ("\"n\" + 1.5 + \"!\"", "n1.5!"),
    ]);
}

#[test]
fn equality_is_by_structure_and_never_an_error() {
    shows(&[
        ("[1, [2, {a: 3}]] == [1, [2, {a: 3}]]", "tru"),
        ("{a: 1, b: 2} == {b: 2, a: 1}", "tru"),
        ("[1] == [1, 2]", "fls"),
        ("1 == \"1\"", "fls"),
        ("nil == fls", "fls"),
        ("0 == -0", "tru"),
        ("\"abc\" != \"abd\"", "tru"),
        ("prn == prn", "tru"),
        ("(\\() 1) == (\\() 1)", "fls"),
        ("b\"a\" == b\"a\"", "tru"),
        ("\"0123456789012345678901234567890123456789ab\" == \"0123456789012345678901234567890123456789\" + \"ab\"", "tru"),
    ]);
}

#[test]
fn truth_is_decided_by_the_value() {
    shows(&[
        ("[!nil, !fls, !0, !\"\", ![]]", "[tru, tru, tru, tru, tru]"),
        ("[!tru, !1, !\"a\", ![0], !{}, !prn]", "[fls, fls, fls, fls, fls, fls]"),
        ("nil or 5", "5"),
        ("0 and 5", "0"),
        ("\"a\" and \"b\"", "b"),
    ]);
}

#[test]
fn optional_access_gives_nil() {
    shows(&[
        ("nil?.a.b.c", "nil"),
        ("{a: nil}.a?.b", "nil"),
        ("[1]?[5]", "nil"),
        ("[1]?[-1]", "nil"),
        ("nil?[0]", "nil"),
        ("{a: 1}?[\"b\"]", "nil"),
        ("{a: 1}.zzz", "nil"),
        ("{a: 1}[\"zzz\"]", "nil"),
    ]);
}

#[test]
fn text_is_indexed_by_code_points() {
    shows(&[
        ("\"héllo\"[1]", "é"),
        ("\"héllo\"[4]", "o"),
        ("len(\"héllo\")", "5"),
        ("\"abc\"[2]", "c"),
        ("b\"abc\"[0]", "97"),
        ("len(b\"\\x00\\xff\")", "2"),
    ]);
}

#[test]
fn defaults_rest_and_spread() {
    let text = "
f(a, b = a + 1, ..rest) = [a, b, rest]
prn f(1), f(1, 5), f(1, 5, 6, 7), f(..[1, 2, 3]), f(0, ..[9, 8])
g() = 1
prn try(\\() g(1)).err
prn try(\\() f()).err
h(a, b) = a
prn try(\\() h(1)).err
prn try(\\() (\\(x) x)()).err
prn try(\\() h(..5)).err
";
    let wanted = "[1, 2, []] [1, 5, []] [1, 5, [6, 7]] [1, 2, [3]] [0, 9, [8]]
`g` takes 0 arguments, got 1
`f` takes at least 1 argument, got 0
`h` takes 2 arguments, got 1
this function takes 1 argument, got 0
`..` spreads a list, got the number 5
";
    assert_eq!(output(text), wanted);
}

#[test]
fn a_spread_of_too_many_arguments_is_an_error() {
    assert_eq!(
        output("f(..xs) = len(xs)\nprn f(..(0..199))\nprn try(\\() f(..(0..200))).err\n"),
        "200\na call takes at most 200 arguments, got 201\n"
    );
}

#[test]
fn closures_share_variables_and_loops_make_new_ones() {
    let text = "
counter() =
    n = 0
    {inc: \\()
        n = n + 1
        n
    , get: \\() n}
c = counter()
c.inc()
c.inc()
prn c.get()
fs = []
fs2 = []
i <- 0..2:
    fs = fs + [\\() i]
prn fs[0](), fs[1](), fs[2]()
make() =
    loop(n) = if n == 0: \"done\" | loop(n - 1)
    loop
prn make()(50)
";
    assert_eq!(output(text), "2\n0 1 2\ndone\n");
}

#[test]
fn loops_go_over_everything_that_has_elements() {
    let text = "
x <- [1, 2]: prn x
i, x <- [\"a\", \"b\"]: prn i, x
k <- {p: 1, q: 2}: prn k
k, v <- {p: 1, q: 2}: prn k, v
c <- \"aé\": prn c
i, c <- \"éa\": prn i, c
x <- b\"ab\": prn x
n <- 3..1: prn n
n <- 1..<3: prn n
n <- 3..<1: prn n
n <- []: prn n
prn try(\\()
    q <- 5: prn q
).err
prn try(\\()
    q <- nil: prn q
).err
";
    let wanted =
        "1\n2\n0 a\n1 b\np\nq\np 1\nq 2\na\né\n0 é\n1 a\n97\n98\n3\n2\n1\n1\n2\ncan't loop over the number 5\ncan't loop over nil\n";
    assert_eq!(output(text), wanted);
}

#[test]
fn a_list_may_change_while_it_is_looped_over() {
    let text = "
use trl
xs = [1, 2, 3]
x <- xs:
    if x < 3: xs[2] = 9
    prn x
";
    assert_eq!(output(text), "1\n2\n9\n");
}

#[test]
fn try_gives_exactly_what_was_raised() {
    let text = "
e = {code: 7}
r = try(\\() err(e))
prn r.err.code, r.val, r.err == e
prn try(\\() 5)
prn try(\\() err(nil))
prn try(\\() try(\\() err(\"in\")).err + \"!\")
prn try(\\() asr(fls)).err
prn try(\\() asr(nil, \"why\")).err
prn try(\\() asr(1)).err
deep(n) = if n == 0: err(\"bottom\") | deep(n - 1) + 1
prn try(\\() deep(100)).err
";
    let wanted = "7 nil tru\n{val: 5, err: nil}\n{val: nil, err: nil}\n{val: \"in!\", err: nil}\nassertion failed\nwhy\nnil\nbottom\n";
    assert_eq!(output(text), wanted);
}

#[test]
fn patterns_take_apart() {
    let text = "
f(x) =
    mat x:
        0 => \"zero\"
        1..5 => \"small\"
        \"a\" | \"b\" => \"letter\"
        [] => \"empty\"
        [1, ..rest] => $\"one then {rest}\"
        [a, b] => $\"pair {a} {b}\"
        {k: v} => $\"k is {v}\"
        n if typ(n) == \"num\" => \"number\"
        _ => \"other\"
x <- [0, 3, \"b\", [], [1, 2, 3], [8, 9], {k: 5}, 77, nil]: prn f(x)
";
    assert_eq!(output(text), "zero\nsmall\nletter\nempty\none then [2, 3]\npair 8 9\nk is 5\nnumber\nother\n");
}

#[test]
fn values_print_as_the_reference_says() {
    shows(&[
        ("[1, \"a\", nil, tru, {k: \"v\"}]", "[1, \"a\", nil, tru, {k: \"v\"}]"),
        ("{\"a b\": 1, c: 2}", "{\"a b\": 1, c: 2}"),
        ("str([1, \"x\"])", "[1, \"x\"]"),
        ("str(\"x\")", "x"),
        ("$\"{1 + 1}{[2]}{\"t\"}\"", "2[2]t"),
        ("typ(prn)", "bif"),
        ("typ(\\() 1)", "fun"),
        ("typ(b\"\")", "byt"),
    ]);
    assert_eq!(output("xs = [1]\nxs[0] = xs\nprn xs\n"), "[…]\n");
}

#[test]
fn numbers_are_read_from_text() {
    shows(&[
        ("int(\" 42 \")", "42"),
        ("int(-4.9)", "-4"),
        ("int(\"-0\")", "0"),
        ("num(\"-1.5e2\")", "-150"),
        ("num(\"0xff\")", "255"),
        ("num(\"-0x10\")", "-16"),
        ("num(7)", "7"),
    ]);
}

#[test]
fn the_top_level_is_a_scope_and_has_a_value() {
    let (outcome, _) = common::run_with("x = 1\nx + 1\n", ilu_sbx::Limits::default(), |_| {});
    let finished = outcome.result.unwrap();
    assert_eq!(finished.text, "2");
    assert_eq!(finished.value, Some(ilu_sbx::Plain::Num(2.0)));
}

#[test]
fn a_variable_read_before_it_has_a_value_is_an_error() {
    assert_eq!(error("f() = x\nprn f()\nx = 1\n"), "`x` has no value yet");
}

#[test]
fn an_uncaught_error_has_a_place_and_a_trace() {
    let text = "a(n) =\n    n.x\nb() = a(nil)\n\nprn 1\nb()\n";
    let (outcome, _) = common::run_with(text, ilu_sbx::Limits::default(), |_| {});
    let error = outcome.result.unwrap_err();
    assert_eq!(error.message, "nil has no field `x`");
    assert_eq!(error.exit_code(), 1);
    assert_eq!(error.place().unwrap().position().0, 2);
    let rows: Vec<(String, usize)> = error.trace.rows.iter().map(|row| (row.function.clone(), row.position().0)).collect();
    assert_eq!(rows, [("a".to_string(), 2), ("b".to_string(), 3), ("main".to_string(), 6)]);
    assert_eq!(error.trace.left_out, None);
}

#[test]
fn a_long_trace_keeps_both_ends() {
    let text = "f(n) = if n == 0: err(\"x\") | f(n - 1) + 1\nf(500)\n";
    let (outcome, _) = common::run_with(text, ilu_sbx::Limits::default(), |_| {});
    let trace = outcome.result.unwrap_err().trace;
    assert_eq!(trace.rows.len(), 24);
    assert_eq!(trace.left_out, Some((502 - 24, 12)));
    assert_eq!(trace.rows.last().unwrap().function, "main");
}

#[test]
fn an_error_inside_the_library_points_at_the_script() {
    let (outcome, _) = common::run_with("use trl\nprn 1\nprn trl.map(5, \\(x) x)\n", ilu_sbx::Limits::default(), |_| {});
    let error = outcome.result.unwrap_err();
    assert_eq!(error.place().unwrap().source.name, "main.ilu");
    assert_eq!(error.place().unwrap().position().0, 3);
    assert!(error.trace.rows[0].library);
}

#[test]
fn a_collection_at_every_growth_bills_the_same() {
    let text = "
use trl
use sbx
xs = trl.map(0..50, \\(n) {n: n, s: $\"item {n}\"})
sb = sbxmk([])
r = sbxtr(sb, \\() trl.fil(xs, \\(x) x.n % 2 == 0))
f(a, b = 1, ..r) = [a, b, r]
ys = f(..[1, 2, 3])
z = sbxev(sb, \"use trl\\ntrl.sum([1, 2])\")
prn len(r.val), z
";
    let mut bills = Vec::new();
    for stress in [false, true] {
        let (outcome, _) = common::run_with(text, ilu_sbx::Limits::default(), |setup| setup.stress = stress);
        assert!(outcome.result.is_ok(), "{:?}", outcome.result);
        assert!(stress == (outcome.collections > 100), "{}", outcome.collections);
        let ilu_sbx::Plain::Object(used) = outcome.used else { panic!() };
        bills.push(used[0].clone());
    }
    assert_eq!(bills[0], bills[1]);
}
