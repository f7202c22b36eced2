//! Every error about names: what it says, where it points, what it advises.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{code, compiled, errors};

/// A test for each error: its name, then a source that has it.
macro_rules! refuses {
    ($($name:ident: $source:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(format!("{}\n---\n{}", $source.trim_end(), errors($source)));
        }
    )*};
}

refuses! {
    an_unknown_name: "prn totl\n";
    an_unknown_name_near_a_known_one: "total = 1\nprn totl\nprnt 5\n";
    a_name_of_a_module_not_loaded: "prn fs.rd(\"x\")\nprn fscwd()\n";
    an_unknown_stage: "x = [1] | mapp \\(x) x\n";
    names_of_other_languages: "print(\"hi\")\nx = true\nassert x\nreturn 1\nxs = [1] | filter \\(x) x\n";
    a_function_of_a_module_without_the_module: "xs = [1]\nprn map(xs, \\(x) x), split(\"a b\")\n";
    an_unknown_module: "use fz\nuse mylib\n";
    a_wildcard_that_is_read: "prn _\nf(_) = _\n";
    a_module_variable_that_a_named_function_assigns: "total = 0\nadd(x) =\n  total += x\n  total\n";
    an_outer_variable_that_a_named_function_assigns: "f() =\n  n = 0\n  g() =\n    n += 1\n    n\n  g()\n";
    a_builtin_that_a_function_hides: "f(x) =\n  str = str(x)\n  str\n";
    a_local_read_before_its_value: "f() =\n  y = z\n  z = 1\n  y\n";
    a_module_variable_read_before_its_value: "prn x\nx = 1\n";
    a_local_read_in_a_loop_that_never_sets_it_before: "f(xs) =\n  x <- xs: prn last\n  last = 1\n";
    parameters_of_one_name: "f(a, b, a) = a\n";
    loop_variables_of_one_name: "i, i <- [1]: prn i\n";
    a_pattern_that_binds_twice: "mat [1, 2]:\n  [p, p] => p\n";
    functions_of_one_name: "f(a) = a\nf(b) = b\n";
    a_constant_that_is_assigned: "def k = 1\nk = 2\nk += 1\nf = \\()\n  k = 3\nf()\n";
    a_constant_defined_twice: "def k = 1\ndef k = 2\nif k: def k = 3\n";
    a_constant_of_a_name_already_bound: "k = 1\ndef k = 2\n";
    names_that_two_modules_bring: "use fs\nuse fss\nprn fscwd()\n";
    ret_at_the_top: "ret 1\n";
    jumps_outside_of_loops: "brk\nf() =\n  cnt\nwhl tru:\n  g = \\()\n    brk\n  g()\n";
}

#[test]
fn a_function_with_too_many_variables() {
    let source = format!("f() =\n{}  x0\n", (0..300).map(|i| format!("  x{i} = {i}\n")).collect::<String>());
    insta::assert_snapshot!(errors(&source));
}

#[test]
fn names_in_every_scope_are_found() {
    for source in [
        "f() = later\nlater = 1\nf()\n",
        "f() = g()\ng() = 1\nf()\n",
        "x <- [1]: prn x\nx = 2\nprn x\n",
        "f(xs) =\n  seen = nil\n  x <- xs:\n    if seen: prn last\n    last = x\n    seen = tru\n",
        "mat 1:\n  n => prn n\n",
        "len = 3\nprn len\n",
        "use \"lib.ilu\"\nprn from_lib\n",
        "use fs\nfscwd = 1\nprn fscwd\n",
        "i <- [1]:\n  def k = i\n  prn k\nj <- [1]:\n  def k = j\n  prn k\n",
    ] {
        assert!(compiled(source).is_ok(), "{source}{}", errors(source));
    }
}

#[test]
fn the_librarys_own_sources_see_more_builtins() {
    use ilu_lang::compile::compile;
    use ilu_lang::source::Source;
    let source = Source::new("txt.ilu", "f(s) = __txt_split(s, \",\")\n");
    assert!(compile(&source, &common::Names, true).is_ok());
    assert_eq!(compile(&source, &common::Names, false).unwrap_err()[0].code, "E0301");
}

#[test]
fn a_lambda_rebinds_what_it_sees_and_a_named_function_does_not() {
    let lambda = code("n = 0\nf = \\()\n  n = 1\nf()\n");
    assert!(lambda.contains("SetGlobal   r0 $n\n") && lambda.matches("$n").count() == 2, "{lambda}");
    let named = code("n = 0\nf() =\n  n = 1\n  n\nf()\n");
    assert_eq!(named.matches("$n").count(), 1, "{named}");
}

#[test]
fn errors_are_limited() {
    let source: String = (0..500).map(|i| format!("prn unknown{i}\n")).collect();
    assert_eq!(compiled(&source).unwrap_err().len(), ilu_lang::resolve::MAX_ERRORS);
}

#[test]
fn only_the_modules_own_names_are_exported() {
    let program = compiled(
        "use fs\na = fs\n_b = 2\ndef c = 3\nf(x) = x\ni <- [1]: d = i\nuse \"l.ilu\" as m\nprn unknown | map \\(x) x\nuse \"k.ilu\"\n",
    )
    .unwrap();
    let exported: Vec<&str> = program.globals.iter().filter(|global| global.exported).map(|global| &*global.name).collect();
    assert_eq!(exported, ["c", "f", "a", "d"]);
}
