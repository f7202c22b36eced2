//! What each construct becomes: snapshots of disassembly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod common;

use common::{code, compiled};

/// A test for each construct: its name, then its source. Local variables live in registers only inside of functions, so most sources are one.
macro_rules! lowers {
    ($($name:ident: $source:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(format!("{}\n---\n{}", $source.trim_end(), code($source)));
        }
    )*};
}

lowers! {
    literals: "f() = [nil, tru, fls, 0, -0, -7, 2.5, 1e300, \"s\", b\"\\xff\", []]\n";
    arithmetic_with_registers_and_immediates: "f(a, b) = (a + b) * 2 - b / 3 % 7 + 1.5\n";
    a_result_goes_where_it_is_wanted: "f(a, b) =\n  c = a + b\n  c = c * a - b\n  c += 1\n  c\n";
    comparisons_as_values: "f(a, b) = [a < b, a <= b, a > b, a >= b, a == b, a != b, !a, not a == b]\n";
    comparisons_as_conditions: "f(a, b) =\n  if a < 3: ret 1\n  if a >= b: ret 2\n  if !(a == 1000) and (a or b != nil): ret 3\n";
    and_or_as_values: "f(a, b, c) =\n  d = a and b or c\n  d = d or a\n  d\n";
    if_as_value_and_as_statement: "f(a) =\n  b = if a: 1 | if a == 2: 3 | nil\n  if b: prn b\n  if b: prn 1 | prn 2\n  b\n";
    an_if_at_the_end_returns_from_both_branches: "f(n) = if n < 2: n | f(n - 1) + f(n - 2)\n";
    whl_with_brk_and_cnt: "f(a) =\n  whl a:\n    a -= 1\n    if a == 5: cnt\n    if a == 2: brk\n    prn a\n";
    whl_tru_tests_nothing: "f() =\n  whl tru:\n    prn 1\n";
    counting_makes_no_list: "f(n) =\n  s = 0\n  i <- 0..n:\n    if i == 3: cnt\n    s += i\n  _ <- 0..<2: prn s\n  s\n";
    loops_over_one_and_two_names: "f(xs) =\n  x <- xs: prn x\n  k, v <- {a: 1}: prn k, v\n  _, v <- xs: prn v\n";
    a_loop_variable_in_a_closure_has_a_cell_only_when_assigned: "f(xs) =\n  x <- xs: xs[0] = \\() x\n  y <- xs:\n    y += 1\n    xs[1] = \\() y\n";
    fields_and_elements: "f(o, i) =\n  o.a.b[i].c[0] = o[i][-1].d\n  o.n += 1\n  o[i] *= 2\n";
    optional_chains: "f(o) = [o?.a.b, o?[1].c, (o?.a).b, o.a?.b(1)?.c, o?.a]\n";
    calls: "f(g, h) = g(1, h(2), g())\n";
    builtins_and_natives_are_called_directly: "f(xs) =\n  n = len(xs)\n  __sys_stdout(str(n))\n";
    builtins_as_values: "f() = [len, __sys_time]\n";
    spread_and_rest: "f(a, ..r) = f(1, ..r, a, ..r)\ng(xs) = prn(..xs)\n";
    defaults: "f(a, b = 2, c = a + b) = c\n";
    pipelines: "f(xs, g) = xs | map(\\(x) x * 2) | g(1) | .k[0] | len |> g\n";
    interpolation: "f(a) = $\"a is {a}, {a + 1}{a}\"\n";
    objects: "f(a) = {a, b: 1, \"c d\": 2, [a]: 3, e: 4}\n";
    ranges_as_values: "f(a) = [0..a, 0..<a]\n";
    patterns: "f(x) =\n  mat x:\n    1 => \"one\"\n    1000 | \"s\" | nil => \"literal\"\n    1..5 => \"range\"\n    0..<300 => \"wide\"\n    [a, 2, ..t] if a > 1 => t\n    [_, _] => 2\n    {k: [a], n} => a + n\n    y => y\n";
    mat_as_value_and_without_arm: "f(x) =\n  y = mat x:\n    1 => 2\n  mat x:\n    1 => prn 1\n  y\n";
    module_variables: "a = 1\ndef b = a\na += b\nf() = a + b\nf()\n";
    captures_by_value: "f(a) =\n  b = a + 1\n  \\(c) a + b + c\n";
    captures_by_cell: "f(a) =\n  n = 0\n  g = \\()\n    n += a\n  g()\n  n\n";
    captures_through_functions: "f(a) = \\() \\() \\() a\n";
    a_local_function_that_calls_itself: "f(n) =\n  g(k) = if k == 0: 0 | g(k - 1)\n  g(n)\n";
    local_functions_that_call_each_other: "f(n) =\n  e(k) = if k == 0: tru | o(k - 1)\n  o(k) = if k == 0: fls | e(k - 1)\n  e(n)\n";
    a_variable_that_may_have_no_value_is_checked: "f(a) =\n  if a: b = 1\n  b\n";
    a_variable_a_closure_reads_early_is_checked: "f() =\n  g = \\() n\n  n = 1\n  g()\n";
    an_operand_is_kept_when_a_later_one_assigns: "f(a) = a + (if a: a = 5 | 2)\n";
    use_of_a_module_binds_what_is_mentioned: "use fs\nprn fs.rd(fscwd())\n";
    use_of_a_file: "use \"lib.ilu\"\nuse \"other.ilu\" as o\nprn helper(1), o.k\n";
    use_in_a_function: "f() =\n  use fs\n  fscwd()\n";
    ret_in_the_middle: "f(a) =\n  if a: ret\n  whl a:\n    ret a\n  prn a\n";
    the_last_value_is_the_programs: "x = 1\nx + 1\n";
}

#[test]
fn long_literals_and_calls_are_made_in_chunks() {
    let list = format!("f(a) = [{}]\n", vec!["a"; 130].join(", "));
    let call = format!("f(a) = a({})\n", vec!["a"; 70].join(", "));
    let text = format!("f(a) = $\"{}\"\n", "{a} ".repeat(60));
    let object = format!("f(a) = {{{}}}\n", (0..60).map(|i| format!("k{i}: a")).collect::<Vec<_>>().join(", "));
    let counts: Vec<String> = [&list, &call, &text, &object]
        .map(|source| {
            let code = code(source);
            let count = |op: &str| code.lines().filter(|line| line.split_whitespace().nth(1) == Some(op)).count();
            ["List", "ListPush", "CallSpread", "Concat", "Object", "SetField"].map(|op| format!("{op} {}", count(op))).join(", ")
        })
        .to_vec();
    insta::assert_snapshot!(counts.join("\n"));
}

#[test]
fn long_straight_code_has_checkpoints() {
    let source = format!("f(a) =\n{}  a\n", "  a = a + a\n".repeat(200));
    assert_eq!(code(&source).matches("Check").count(), 3);
}

#[test]
fn spines_of_any_length_compile() {
    let many = 20_000;
    for source in [
        format!("x = 1\nprn {}\n", vec!["x"; many].join(" + ")),
        format!("x = 1\nprn {}\n", vec!["x"; many].join(" and ")),
        format!("x = 1\nif {}: prn x\n", vec!["x"; many].join(" or ")),
        format!("x = 1\ny = x{}\n", ".a".repeat(many)),
        format!("x = 1\ny = x{}\n", "?.a[1](2)".repeat(many)),
        format!("x = 1\ny = x{}\n", " | str".repeat(many)),
        format!("x = 1\ny = x{}\n", " | .a".repeat(many)),
    ] {
        assert!(compiled(&source).is_ok());
    }
}

#[test]
fn the_deepest_tree_compiles_on_a_small_stack() {
    let deep = 190;
    let sources = [
        format!("x = {}{}\n", "[".repeat(deep), "]".repeat(deep)),
        format!("x = {}1{}\n", "str(".repeat(deep), ")".repeat(deep)),
        format!("x = {}1\n", "\\() ".repeat(deep)),
        format!("a = 1\nx = {}1{}\n", "(if a: ".repeat(deep / 3), ")".repeat(deep / 3)),
        format!("a = 1\nx = {}1{}\n", "a[".repeat(deep), "]".repeat(deep)),
    ];
    let work = move || sources.iter().map(|source| compiled(source).is_ok()).collect::<Vec<_>>();
    let done = std::thread::Builder::new().stack_size(1 << 20).spawn(work).unwrap().join().unwrap();
    assert_eq!(done, [true; 5]);
}

#[test]
fn an_error_can_point_at_the_operator_the_field_and_the_call() {
    let source = "f(a) = a.b + g(a)[1] * -a\ng(x) = x\n";
    let program = compiled(source).unwrap();
    let spots: Vec<String> = program
        .code
        .iter()
        .zip(&program.spans)
        .map(|(word, span)| format!("{:?}: {}", word, &source[span.start as usize..span.end as usize]))
        .collect();
    insta::assert_snapshot!(spots.join("\n"));
}
