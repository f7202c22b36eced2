//! Which code an error of a run has, and what it advises. Errors are values of the script and carry nothing but themselves, so the code is told from
//! the words: those that the runtime itself raised, never those of a script. `MESSAGES` has all of its words; a test reads the sources
//! for one that is missing.

use ilu_cap::{Class, NativeId};
use ilu_lang::diagnostic::codes;
use ilu_sbx::Rule;

/// The words of each kind of error; `*` stands for anything. The first that fits decides.
const MESSAGES: &[(&str, &str)] = &[
    ("assertion failed", codes::ASSERTION),
    ("`*` needs two numbers, got *", codes::OPERAND),
    ("`-` needs a number, got *", codes::OPERAND),
    ("`+` can't join *", codes::OPERAND),
    ("only two numbers or two strings have an order, *", codes::OPERAND),
    ("the ends of a range are *", codes::NO_ELEMENTS),
    ("`..` spreads a list, got *", codes::NO_ELEMENTS),
    ("can't loop over *", codes::NO_ELEMENTS),
    ("division by zero", codes::ARITHMETIC),
    ("remainder of a division by zero", codes::ARITHMETIC),
    ("number too large: *", codes::ARITHMETIC),
    ("*(*) is not a finite number", codes::ARITHMETIC),
    ("*: the sum is too large for a number", codes::ARITHMETIC),
    ("a call takes at most * arguments, got *", codes::ARGUMENT_COUNT),
    ("* takes no argument*, got *", codes::ARGUMENT_COUNT),
    ("* takes * argument, got *", codes::ARGUMENT_COUNT),
    ("* takes * arguments, got *", codes::ARGUMENT_COUNT),
    ("can't call *", codes::NOT_A_FUNCTION),
    ("`*` has no function `*", codes::NO_FIELD),
    ("* has no field `*", codes::NO_FIELD),
    ("can't set field `*", codes::NO_FIELD),
    ("index * is *: the * has length *", codes::INDEX),
    ("*: index * is out of range for a list of length *", codes::INDEX),
    ("can't index *", codes::INDEX),
    ("* is indexed by a *, got *", codes::INDEX),
    ("`*` has no value *", codes::NO_VALUE_YET),
    ("`*` has no value*", codes::NO_VALUE_YET),
    ("* can't be changed*", codes::UNCHANGEABLE),
    ("*: this * is frozen", codes::UNCHANGEABLE),
    ("modules use each other in a circle: *", codes::MODULE),
    ("can't use *", codes::MODULE),
    ("two modules both give *", codes::MODULE),
    ("`*` is a builtin's name and can't be copied: *", codes::MODULE),
    ("`*` is longer than * bytes", codes::MODULE),
    ("a module is named by a str, got *", codes::MODULE),
    ("\"*\" is not *", codes::UNREADABLE_TEXT),
    ("jsn.dec: *", codes::UNREADABLE_TEXT),
    ("enc.*: *", codes::UNREADABLE_TEXT),
    ("not UTF-8 text at byte *", codes::UNREADABLE_TEXT),
    ("csv takes one ASCII character *", codes::ARGUMENT),
    ("csv.*: *", codes::UNREADABLE_TEXT),
    ("*: bad pattern: *", codes::UNREADABLE_TEXT),
    ("*: a pattern has at most * bytes, got *", codes::ARGUMENT),
    ("*: there is no flag *", codes::ARGUMENT),
    ("*: a pattern matches whole characters", codes::ARGUMENT),
    ("*: a match of * bytes is too long *", codes::ARGUMENT),
    ("jsn.enc*", codes::ARGUMENT),
    ("sbx*: *", codes::NO_SANDBOX),
    ("a sandbox was expected, got *", codes::NO_SANDBOX),
    ("the sandbox exited with code *", codes::NO_SANDBOX),
    ("unknown bundle *", codes::NO_SANDBOX),
    ("there is no native *", codes::NO_SANDBOX),
    ("deadlock: *", codes::TASKS),
    ("the channel is closed: *", codes::TASKS),
    ("there are * tasks already: *", codes::TASKS),
    ("a task can't wait for itself: *", codes::TASKS),
    ("* can't go to another task: *", codes::TASKS),
    ("*: a channel was expected, got *", codes::TASKS),
    ("*: a task was expected, got *", codes::TASKS),
    ("* takes *", codes::ARGUMENT),
    ("* was expected, got *", codes::ARGUMENT),
    ("* is named by a str*", codes::ARGUMENT),
    ("`*` calls a function, got *", codes::ARGUMENT),
    ("a gate is made of a function of the script, got *", codes::ARGUMENT),
    ("an exit code is *", codes::ARGUMENT),
    ("an argument has more than * elements", codes::ARGUMENT),
    ("trl.srt can't order *", codes::ARGUMENT),
    ("*: * is a * number from *", codes::ARGUMENT),
    ("*: * is a number from 0, got *", codes::ARGUMENT),
    ("*: no option *", codes::ARGUMENT),
    ("*: option * is *", codes::ARGUMENT),
    ("*: options are an obj, got *", codes::ARGUMENT),
    ("*: * is *, got *", codes::ARGUMENT),
    ("enc.chr: *", codes::ARGUMENT),
    ("polex explains a call: *", codes::ARGUMENT),
    ("this can't be asked here: *", codes::ARGUMENT),
];

/// Whether a text is as a pattern says, whose `*` stand for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(before) = last.replace(part) {
            let Some(at) = rest.find(before) else { return false };
            rest = rest.get(at + before.len()..).unwrap_or("");
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

/// The code of an error whose words are the runtime's; `native` is the one that failed.
#[must_use]
pub fn of_message(text: &str, native: Option<NativeId>) -> &'static str {
    if let Some((_, code)) = MESSAGES.iter().find(|(pattern, _)| fits(pattern, text)) {
        return code;
    }
    match native.map(|native| native.row().class) {
        Some(Class::FsRead | Class::FsWrite | Class::FsManage) => codes::FILE_FAILED,
        Some(Class::Http | Class::Tcp | Class::Serve | Class::Dns) => codes::NETWORK_FAILED,
        Some(Class::Exec) => codes::PROGRAM_FAILED,
        Some(Class::Task | Class::Channel) => codes::TASKS,
        Some(_) => codes::NATIVE_FAILED,
        None => codes::RUNTIME,
    }
}

/// The code of a denial by this rule.
#[must_use]
pub const fn of_rule(rule: &Rule) -> &'static str {
    match rule {
        Rule::NotHeld => codes::NOT_HELD,
        Rule::NotHeldToo(_) => codes::NOT_HELD_TOO,
        Rule::Revoked => codes::REVOKED,
        Rule::Bound => codes::BOUND,
        Rule::NoGrant => codes::NO_GRANT,
        Rule::LeadsOut(_) => codes::LEADS_OUT,
        Rule::ReadOnly(_) => codes::READ_ONLY,
        Rule::WriteOnly(_) => codes::WRITE_ONLY,
        Rule::Special(_) => codes::SPECIAL_FILESYSTEM,
        Rule::AbsoluteLink => codes::ABSOLUTE_LINK,
        Rule::NoVariable => codes::NO_VARIABLE,
        Rule::NoProgram => codes::NO_PROGRAM,
        Rule::NoSecret => codes::NO_SECRET,
        Rule::SecretElsewhere(_) => codes::SECRET_ELSEWHERE,
        Rule::NoConnection => codes::NO_NET_RULE,
        Rule::NetDenied(_) => codes::NET_DENIED,
        Rule::SpecialAddress(_) => codes::SPECIAL_ADDRESS,
        Rule::LeadsToSpecial(_) => codes::LEADS_TO_SPECIAL,
        Rule::NobodyThere => codes::NOBODY_THERE,
        Rule::LeaseOver(_) => codes::LEASE_OVER,
        Rule::NotAbove => codes::NOT_ABOVE,
        Rule::AuditBroken => codes::AUDIT_BROKEN,
    }
}

/// The code of a budget that ran out, from how its message begins; what else ends a task that way is that its sandbox was revoked.
#[must_use]
pub fn of_limit(text: &str) -> &'static str {
    [
        ("fuel ", codes::FUEL),
        ("memory ", codes::MEMORY),
        ("time ", codes::TIME),
        ("output ", codes::OUTPUT),
        ("call depth ", codes::DEPTH),
        ("reading ", codes::READING),
        ("writing ", codes::WRITING),
        ("calls of ", codes::CALLS),
    ]
    .into_iter()
    .find(|(begins, _)| text.starts_with(begins))
    .map_or(codes::REVOKED, |(_, code)| code)
}

/// What to write instead, where an error of the runtime is a known slip.
#[must_use]
pub fn advice(code: &str, text: &str) -> Option<String> {
    let fixed = match code {
        codes::OPERAND if text.starts_with("`+` can't join") => {
            "`str(x)` gives the text of a value; a string and a number are joined as they are"
        }
        codes::OPERAND => "`num(text)` reads a number, `typ(x)` names the type of a value",
        codes::NO_ELEMENTS if text.starts_with("the ends of a range are numbers, got str") => {
            "strings are joined with `+`; `a..b` is a range of numbers"
        }
        codes::NO_ELEMENTS if text.starts_with("can't loop over") && text.contains("num") => "a loop over numbers is `i <- 0..<n:`",
        codes::INDEX if fits("index -* is negative: *", text) => {
            "the last element is `xs[len(xs) - 1]`, a part of a list `trl.slc(xs, from, to)`"
        }
        codes::INDEX if fits("index * is out of range: *", text) => {
            "`xs?[i]` is nil where there is no element; the last index is `len(xs) - 1`"
        }
        codes::INDEX if text.contains("indexed by a string, got num") => "keys are text: `o[str(n)]`",
        codes::INDEX if text.starts_with("can't index nil") => "`x?[i]` is nil for nil",
        codes::ARITHMETIC if text.contains("by zero") => "test the right side first: `if b != 0: a / b`",
        codes::NO_FIELD => return method(text),
        _ => return None,
    };
    Some(fixed.to_owned())
}

/// What other languages write as a method or a property of a value is a function here.
fn method(text: &str) -> Option<String> {
    let (what, name) = text.split_once(" has no field `")?;
    if what == "nil" {
        return Some("`x?.k` is nil for nil".to_owned());
    }
    let name = name.split('`').next()?;
    let of_list = what.starts_with("lst");
    Some(
        match name {
            "length" | "size" | "len" | "count" => "`len(x)` counts elements, keys, characters or bytes",
            "push" | "append" | "add" | "insert" => "`trl.push(xs, x)` appends to a list, after `use trl`; `xs + [x]` is a new one",
            "pop" => "`trl.pop(xs)` takes the last element off, after `use trl`",
            "map" => "a list is mapped with `xs | map \\(x) …`, or `trl.map(xs, f)`",
            "filter" => "elements are picked with `xs | fil \\(x) …`, or `trl.fil(xs, f)`",
            "reduce" => "a list is folded with `xs | fld(0, \\(acc, x) acc + x)`, or `trl.fld(xs, init, f)`",
            "forEach" | "each" => "a loop over values is `x <- xs:`",
            "sort" | "sorted" => "a list is sorted with `xs | srt`, or `trl.srt(xs)`",
            "reverse" => "a list is turned round with `xs | rev`, or `trl.rev(xs)`",
            "join" => "`txt.join(xs, sep)` joins the texts of a list, after `use txt`",
            "slice" | "substring" | "substr" if of_list => "a part of a list is `trl.slc(xs, from, to)`, after `use trl`",
            "slice" | "substring" | "substr" | "sub" => "a part of a text is `txt.sub(s, from, to)`, after `use txt`",
            "includes" | "contains" | "has" | "indexOf" | "index" if of_list => {
                "`trl.has(xs, x)` tells whether an element is there, `trl.idx(xs, \\(y) y == x)` where, after `use trl`"
            }
            "includes" | "contains" | "has" => "`txt.has(s, part)` tells whether a part is there, after `use txt`",
            "indexOf" | "find" | "index" => "`txt.find(s, part)` tells where a part is, after `use txt`",
            "upper" | "toUpperCase" => "`txt.upper(s)` is in capitals, after `use txt`",
            "lower" | "toLowerCase" => "`txt.lower(s)` is in small letters, after `use txt`",
            "trim" | "strip" => "`txt.trim(s)` is without blanks at its ends, after `use txt`",
            "split" => "`txt.split(s, sep)` splits a text, after `use txt`",
            "replace" | "gsub" => "`txt.rep(s, old, new)` replaces a part, after `use txt`",
            "startsWith" | "startswith" => "`txt.start(s, part)` tells whether a text begins so, after `use txt`",
            "endsWith" | "endswith" => "`txt.ends(s, part)` tells whether a text ends so, after `use txt`",
            "toString" => "`str(x)` gives the text of a value",
            "format" => "text with values in it is `$\"… {x} …\"`",
            "keys" => "`obj.keys(o)` lists the keys, after `use obj`",
            "toFixed" | "floor" | "round" | "abs" => "numbers are the work of module `mth`: `mth.floor(x)`, after `use mth`",
            _ => return None,
        }
        .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_from_end_to_end() {
        for (pattern, text, does) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("*b", "abc", false),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, text), does, "{pattern} {text}");
        }
    }

    #[test]
    fn every_budget_has_a_code_of_its_own() {
        use ilu_sbx::Budget;
        let native = ilu_cap::by_name("__sys_stdout").unwrap();
        let budgets = [
            Budget::Fuel,
            Budget::Memory,
            Budget::Time,
            Budget::Output,
            Budget::Depth,
            Budget::Read,
            Budget::Written,
            Budget::Calls(native),
        ];
        let codes: Vec<_> = budgets.into_iter().map(|budget| of_limit(&format!("{} ran out (limit 1)", budget.text()))).collect();
        let wanted = [codes::FUEL, codes::MEMORY, codes::TIME, codes::OUTPUT, codes::DEPTH, codes::READING, codes::WRITING, codes::CALLS];
        assert_eq!(codes, wanted);
    }
}
