//! Names that other languages have and ilu does not: what to write here.

/// Advice about an unknown name, when it is another language's.
pub(super) fn foreign(name: &str) -> Option<&'static str> {
    Some(match name {
        "print" | "println" | "printf" | "puts" | "echo" | "say" | "console" => "output is `prn x`; `eprn x` writes to standard error",
        "true" | "True" | "TRUE" => "true is `tru`",
        "false" | "False" | "FALSE" => "false is `fls`",
        "null" | "Null" | "NULL" | "None" | "none" | "undefined" | "void" => "no value is `nil`",
        "return" => "a function returns its last value, or early with `ret value`",
        "raise" | "throw" | "error" | "panic" | "die" => "`err(value)` raises an error",
        "assert" => "`asr(c)` raises an error unless `c`",
        "break" => "a loop is left with `brk`",
        "continue" | "next" => "`cnt` goes on with the next round of a loop",
        "import" | "require" | "include" | "from" => "a module is loaded with `use name`, a file with `use \"file.ilu\"`",
        "filter" | "select" | "where" => "elements are picked with `xs | fil \\(x) c`, or `trl.fil(xs, f)`",
        "reduce" | "fold" | "foldl" | "inject" => "a list is folded with `xs | fld(0, \\(acc, x) acc + x)`, or `trl.fld(xs, init, f)`",
        "each" | "forEach" | "foreach" => "a loop over values is `x <- xs:`",
        "sort" | "sorted" => "a list is sorted with `xs | srt`, or `trl.srt(xs)`",
        "reverse" | "reversed" => "a list is turned round with `xs | rev`, or `trl.rev(xs)`",
        "append" => "`trl.push(xs, x)` appends to a list; `xs + [x]` is a new one",
        "length" | "size" | "count" => "`len(x)` counts elements, keys, characters or bytes",
        "type" | "typeof" => "`typ(x)` names the type of a value",
        "string" | "String" | "toString" | "repr" => "`str(x)` gives the text of a value",
        "float" | "double" | "Number" | "number" | "parseFloat" => "`num(text)` reads a number",
        "integer" | "Integer" | "parseInt" => "`int(x)` cuts a number, or reads a whole one from text",
        "range" => "a range is `a..b`, or `a..<b` without its end",
        "input" | "readline" | "read_line" | "gets" => {
            "`__sys_stdin()` gives the next line of standard input; it has to be granted: `--grant capio`"
        }
        "exit" | "quit" => "`os.exit(code)` ends the program, after `use os`",
        "sleep" => "`tim.slp(seconds)` waits, after `use tim`",
        "switch" | "match" | "case" => "matching is `mat x:` with an arm `pattern => value` on each line",
        _ => return None,
    })
}
