//! What text means: for each rule of the grammar, texts and their trees. The trees are in `snapshots/`; a change there is a change of the language.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod dump;

use dump::tree;

/// Each text with its tree below it.
fn trees(texts: &[&str]) -> String {
    let shown = |text: &str| text.lines().map(|line| format!("{line}\n")).collect::<String>();
    let with_tree =
        |text: &&str| format!("{}=> {}", shown(text), tree(text).lines().map(|line| format!("{line}\n   ")).collect::<String>().trim_end());
    texts.iter().map(with_tree).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn literals() {
    dump::snapshot!(trees(&[
        "[42, 3.14, 0xFF, 1e9, 1_000, 2.5e-3]",
        r#"["a", 'b', "it's", 'say "x"', "\n\t\r\0\\\"\'", "\x41", "\u{1F600}", "é"]"#,
        r#"[b"a\xff", b"\u{e9}", b""]"#,
        "[tru, fls, nil]",
        "0..3",
        "1.5..2.5",
        r#"$"""#,
        r#"$"text""#,
        r#"$"a {x} b""#,
        r#"$"{x}{y}""#,
        r#"$"{{literal}} {x}\n""#,
        r#"$"{f("a", $"in {g("}")} side")}""#,
        r#"$"{ {a: 1}.a } {xs | map \(x) x * 2} {if c: 1 | 2}""#,
        "[]",
        "[1, \"two\", nil,]",
        "[\n  1,\n\n  # comment\n  2\n]",
        "[[], [[1]]]",
        "{}",
        "{k: v, \"any text\": 1, [e + 1]: 2, name}",
        "{if: 1, nil: 2, def: 3}",
        "{\n  a: 1,\n  b: {c: 2},\n}",
        "{a: \\(x) x, b: if c: 1 | 2, d: x}",
    ]));
}

#[test]
fn precedence_is_as_the_table_says() {
    dump::snapshot!(trees(&[
        "-x.y(1)[2]",
        "!f(x)",
        "not a == b",
        "- - x",
        "-1 * -2",
        "a * b / c % d",
        "a + b * c - d",
        "a - -b",
        "0..n - 1",
        "0..<len(xs)",
        "a..b < c..d",
        "a < b == c < d",
        "a == b and c != d or e",
        "a or b and c",
        "!a and not b or -c",
        "a and b | f",
        "a or b |> f | g",
        "(a + b) * c",
        "(f)(x)",
        "f(x)(y)[z].w",
        "x?.k?[i].m",
        "a.if.nil",
        "[1, 2][0]",
        "\"abc\"[1]",
        "{a: 1}.a",
    ]));
}

#[test]
fn pipelines() {
    dump::snapshot!(trees(&[
        "xs | f",
        "xs | f(a)",
        "xs | m.f(a, b)",
        "xs | m.f",
        "xs | map \\(x) x * 2",
        "xs | map \\(x) x * 2 | sum",
        "xs | fld 0, \\(a, b) a + b",
        "xs | take -1",
        "xs | f ..ys",
        "cfg | .host",
        "cfg | ?.host?[0].b",
        "cfg | .items(1).x",
        "x | \\(v) v + 1",
        "x | (f)",
        "x | f(1)(2)",
        "x | fs[0]",
        "a |> f |> g",
        "y = xs | map f | sum",
        "prn xs | map f",
        "prn xs | take 2, y",
        "(xs | fld 0, f)",
        "f(xs | take 2, y)",
        "[xs | take 2, y]",
        "f(a, b | g)",
        "xs\n| map f\n|> sum",
        "xs\n    | map f\n    | sum",
        "xs | map(\\(x)\n    y = x\n    y\n) | sum",
        "xs | map \\(x)\n    y = x\n    y\n| sum",
        "f = \\(xs) xs | map g | sum",
        "f = \\(xs) xs | fld 0, g",
        "m(\\(x) x | f, 1)",
        "xs | map(\\(x) x | f)",
        "xs | map \\(x) \\(y) x | f",
        "prn \\(x) x | f",
        "f = \\(x)\n  a\n| g",
        "xs | \\(x)\n  a\n| g",
        "ret a | f",
        "whl xs | any f: a",
        "x <- xs | take 2: prn x",
        "x <- xs | fil \\(y) y > 2: prn x",
        "if xs |> any \\(y) y > 2: prn x",
        "x = (xs\n  .a()\n  | b\n)",
    ]));
}

#[test]
fn command_calls() {
    dump::snapshot!(trees(&[
        "prn x",
        "prn a, b",
        "prn [1]",
        "prn -1",
        "prn - 1",
        "prn-1",
        "prn (a) + b",
        "prn(a) + b",
        "prn (a), b",
        "prn a + b, c or d",
        "prn a, ..xs",
        "prn ..xs",
        "prn .. xs",
        "prn {a: 1}",
        "prn \"x\"",
        "prn not a",
        "prn !a",
        "prn \\(x) x",
        "prn if a: b | c",
        "prn $\"{a}\"",
        "obs.info \"x\", 1",
        "a.b.c d",
        "if c: prn 1, 2 | prn 3, 4",
        "whl c: prn 1, 2",
        "x <- xs: prn x, 1",
        "f(x) = prn x, 1",
        "main() =\n  prn 1\n  prn 2",
        "syn.run(\\()\n    prn 1, 2\n    prn 3\n)",
        "mat x:\n  1: prn 1, 2\n  _ => prn 3",
        "y = x -1",
        "y = x - 1",
        "n -1",
        "ret x -1",
        "prn x -1",
        "prn x - 1",
    ]));
}

#[test]
fn statements() {
    dump::snapshot!(trees(&[
        "x = 1",
        "x[i] = 1",
        "x.k = 1",
        "x.a[0].b = y.c",
        "f(x).y = 1",
        "x += 1\nx -= 1\nx *= 2\nx /= y.z",
        "x.k += 1",
        "def limit = 10",
        "ret\nret 1\nbrk\ncnt",
        "whl c: cnt",
        "whl c:\n  a\n  b",
        "x <- xs: x",
        "k, v <- obj:\n  prn k\n  prn v",
        "i <- 0..3: prn i",
        "use fs",
        "use \"lib/a.ilu\"",
        "use \"a.ilu\" as m",
        "use fs as f",
        "as = 1",
        "f() =\n  use fs\n  fs.rd(\"x\")",
        "",
        "# nothing\n\n   # at all",
        "a # comment\n# comment\nb",
        "a\r\nb\r\n",
        "\u{feff}a",
        "  a\n  b",
        "if a:\n    b\nc",
        "if a:\n  b\n\n# c\n      # d\n  e\nf",
    ]));
}

#[test]
fn functions() {
    dump::snapshot!(trees(&[
        "f() = 1",
        "f(a, b) = a + b",
        "f(a, b = 2, ..xs) = xs",
        "f(a, b = a + 1) = b",
        "f(..xs) = xs",
        "f(_, x) = x",
        "f(a) =\n  b = a\n  b",
        "f(a) = if a: 1 | 2",
        "f(a) = ret a",
        "f(\n  a,\n  b,\n) = a",
        "f(a) = g(b) = a + b",
        "f(..xs)\ng(1, ..xs, 2)",
        "\\() 1",
        "g = \\(a, b) a + b",
        "g = \\(a, b = 2, ..r) r",
        "g = \\(a) \\(b) a + b",
        "g = \\(a)\n  b = a\n  b",
        "g = \\(a) if a: 1 | 2",
        "m(\\(x)\n  a\n  b\n, 2)",
        "m(1, \\(x)\n  a\n  b)",
        "m(\\(x)\n      a\n      m(\\(y)\n        b\n      )\n  )",
        "m(\n  \\(x)\n    a\n  , \\(y)\n    b\n)",
        "{f: \\(x)\n  a\n  b\n, g: 2}",
        "[\\(x) x, \\(y) y]",
        "m(\\(x) x, \\(y) y | f)",
        "(\\(x) x)(1)",
        "t = m(\\(x)\n  a\n).wai().val",
        "m(\\(x)\n  if x:\n    a\n  | b\n)[0] | f",
    ]));
}

#[test]
fn conditions() {
    dump::snapshot!(trees(&[
        "if c: a",
        "if c: a | b",
        "if c: a | if d: e | f",
        "if c: if d: e | f",
        "if c: if d: e | f | g",
        "if c:\n  a\n| b",
        "if c:\n  a\n|\n  b\n  d",
        "if c:\n  a\n| if d:\n  b\n| if e: f\n| g",
        "if c: a\n| b",
        "if c:\n  if d:\n    a\n  | b\n| e",
        "if c: if d:\n  a\n| b\n| e",
        "x = if c: 1 | 2",
        "x = if c:\n  1\n| 2",
        "x = if c:\n        1\n    | 2",
        "f(if c: 1 | 2, 3)",
        "[if a: 1, if b: 2 | 3]",
        "{a: if b: c | d, e: f}",
        "if c: a = 1 | a = 2",
        "if c: ret 1 | brk",
        "if a |> f: b |> g | c |> h",
        "if (a | f): (b | g) | (c | h)",
        "(if c: a | b) | f",
        "1 + if c: 2 | 3",
        "if a == 1 and b: c",
        "ret if c: a | b",
        "if c: whl d: e | g",
        "if c: x <- xs: prn x | prn 2",
        "whl if a: b | c: d",
        "if if a: b | c: d | e",
        "\\(x) if x: 1 | 2",
        "if a: \\(x) x | b",
    ]));
}

#[test]
fn matches() {
    dump::snapshot!(trees(&[
        "mat x:\n  1 => a\n  \"s\": b\n  _ => c",
        "y = mat x:\n  1: a",
        "mat x:\n  1 | 2 | 3 => a | f",
        "mat x:\n  n if n > 1 => n\n  n if n < 0 and n > -5: n",
        "mat x:\n  n if xs |> any f => n",
        "mat x:\n  [] => 0\n  [a] => a\n  [a, [b, _], ..rest] => rest\n  [..] => 1\n  [.._] => 2",
        "mat x:\n  {} => 0\n  {a, b: [c], \"d e\": 1, if: 2} => a",
        "mat x:\n  -1 => a\n  1..5 => b\n  -5..<-1: c",
        "mat x:\n  nil | tru | fls => a\n  b\"q\" => b",
        "mat x:\n  [1 | 2, {k: 3 | 4}] => a",
        "mat x:\n  (1 | 2) => a",
        "mat x:\n  1 =>\n    a\n    b\n  2:\n    c\n  _ => d",
        "mat x:\n  1 => if a: b | c\n  2 => mat y:\n    3 => d",
        "mat x:\n  1 => if a:\n    b\n  | c\n  2 => d",
        "mat f(x) | g:\n  1 => a",
        "f(x) = mat x:\n  1 => a\n  _ => b",
        "if c: mat x:\n  1 => a\n| b",
        "r = mat x:\n  1 => a = 2\n  2 => ret 3\n  3 => {a: 1}",
        "m(\\(x)\n  mat x:\n    1 => 2\n)",
    ]));
}
