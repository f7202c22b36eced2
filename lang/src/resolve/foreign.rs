//! Names that other languages have and ilu does not: what to write here.

/// Advice about an unknown name, when it is another language's.
pub(super) fn foreign(name: &str) -> Option<&'static str> {
    Some(match name {
        "else" | "elif" | "elsif" | "elseif" => {
            "the other part of an `if` begins with `|` in its column: `| x`, and a chained condition `| if c:`"
        }
        "end" => "a block ends where its lines are no longer indented",
        "pass" => "a block that does nothing is `nil`",
        "goto" => "there is no `goto`: `brk` leaves a loop, `cnt` goes on with its next round, `ret` leaves a function",
        "self" | "this" | "super" => {
            "a function in an object takes the object as a parameter: `greet: \\(self) self.name`, called `o.greet(o)`"
        }
        "new" | "class" => "there are no classes: a function that gives an object makes one: `point(x, y) = {x, y}`",
        "global" | "nonlocal" => "a lambda changes the variable outside; a named function has its own, so it returns the new value",
        "yield" | "generator" => "there are no generators: a list is made with `xs | map f`, a task sends on a channel of `syn`",
        "async" | "setTimeout" | "Promise" | "Thread" | "coroutine" => "a task is started with `syn.run(f)`, after `use syn`",
        "await" => "`t.wait()` waits for a task that `syn.run(f)` started; a call of a native waits by itself",
        "lambda" | "function" | "func" | "fun" | "proc" => "a function is `name(a, b) = …`, one without a name `\\(a, b) …`",
        "enumerate" | "ipairs" => "an index and its element are `i, x <- xs:`",
        "pairs" | "items" | "entries" => "a key and its value are `k, v <- o:`",
        "unless" => "what is done unless something holds is `if not c:`",
        "until" | "loop" | "repeat" | "do" => "a loop is `whl c:`, and `whl tru:` with a `brk` where it ends",
        "isinstance" | "instanceof" => "the type of a value is its name: `typ(x) == \"num\"`",
        "pcall" | "xpcall" => "`r = try(f)` calls `f` and gives `{val, err}`",
        "catch" | "except" | "finally" | "rescue" | "ensure" => "`r = try(f)` calls `f` and gives `{val, err}`",
        "push" => "`trl.push(xs, x)` appends to a list; `xs + [x]` is a new one",
        "Math" | "math" => "numbers are the work of module `mth`: `mth.floor(x)`, after `use mth`",
        "JSON" | "json" => "JSON is read and written with `jsn.dec(s)` and `jsn.enc(v)`, after `use jsn`",
        "random" => "`rnd.int(lo, hi)` draws a number, after `use rnd`",
        "Object" | "dict" => "an object is `{k: v}`; its keys are `obj.keys(o)`, after `use obj`",
        "Array" | "list" | "array" | "tuple" => "a list is `[a, b]`",
        "bool" | "Boolean" => "`not not x` is the truth of a value",
        "zip" => "two lists are walked together by index: `i, x <- xs: prn x, ys[i]`",
        "format" | "sprintf" => "text with values in it is `$\"… {x} …\"`",
        "del" | "delete" => "a key is taken out with `obj.del(o, k)`, after `use obj`",
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
        "string" | "String" | "toString" | "tostring" | "repr" => "`str(x)` gives the text of a value",
        "float" | "double" | "Number" | "number" | "parseFloat" | "tonumber" => "`num(text)` reads a number",
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
