//! The stable code of every kind of error and warning, whoever reports it.
//!
//! E0001–E0299 are about text and syntax, E0300–E0499 about names, E0500–E0599 about what cannot be compiled, E0600–E0699 about what goes wrong in a
//! run, E0700–E0799 about calls that are denied, E0800–E0899 about budgets, E0900–E0999 about the command line; W0001 and up are warnings. A code
//! is never used again for something else. Each has a page: `docs/errors/`, see [`chapter`].

macro_rules! codes {
    ($($name:ident = $code:literal $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: &str = $code;)*
        /// Every code with its meaning, in order.
        pub const TABLE: &[(&str, &str)] = &[$(($code, $meaning)),*];
    };
}

codes! {
    SOURCE_TOO_LARGE = "E0001" "The source text is larger than a compilation accepts.";
    NUL = "E0002" "The source text holds a NUL character.";
    CARRIAGE_RETURN = "E0003" "A carriage return stands without a line feed after it.";
    BIDI = "E0004" "A character that reverses the direction of text could make the source look like another program.";
    STRAY = "E0005" "A character has no meaning in the language.";
    FOREIGN_NAME = "E0006" "A name holds a character other than ASCII letters, digits and `_`.";
    FOREIGN_SIGN = "E0007" "A sign of another language stands where ilu has its own.";
    BAD_NUMBER = "E0008" "A number literal is malformed or too large.";
    UNTERMINATED = "E0009" "A string is not closed on its line.";
    BAD_ESCAPE = "E0010" "An escape in a string means nothing.";
    LONE_BRACE = "E0011" "A `}` stands alone in an interpolated string.";

    TAB = "E0020" "A tab stands in indentation.";
    UNEXPECTED_INDENT = "E0021" "A line is indented where no block can begin.";
    BAD_DEDENT = "E0022" "A line's indentation matches no block around it.";
    UNCLOSED = "E0023" "A bracket is never closed.";
    UNOPENED = "E0024" "A closing bracket has no opening one, or another kind of it.";
    TOO_DEEP = "E0025" "Brackets, blocks, conditions or operators are nested too deep.";
    TOO_LONG = "E0026" "The program has more parts than a compilation accepts.";
    BAR_IN_CONDITION = "E0027" "A `|` in a condition could be read as the `if`'s other part.";
    BAR_AFTER_ELSE = "E0028" "An `if` has a third part.";
    UNCLOSED_PIECE = "E0029" "An expression in an interpolated string is not closed on its line.";
    MISSING_BLOCK = "E0030" "A line ends in a sign that needs an indented block under it, and none follows.";

    SYNTAX = "E0040" "The text does not follow the grammar.";
    CHAINED = "E0041" "Comparisons or ranges are chained.";
    BAD_TARGET = "E0042" "What stands left of `=` cannot be assigned to.";
    BAD_PARAMETER = "E0043" "What stands between a function's parentheses is not a parameter.";
    PARAMETER_ORDER = "E0044" "Parameters stand in an order that cannot work.";
    NAMED_ARGUMENT = "E0045" "A call names an argument.";
    BAD_PATTERN = "E0046" "A pattern cannot match anything, or is malformed.";
    BAD_STAGE = "E0047" "What a value is piped into cannot be called.";
    TOO_MANY = "E0099" "There are more errors than are shown.";

    UNKNOWN_NAME = "E0301" "A name is bound nowhere in sight.";
    UNKNOWN_MODULE = "E0302" "`use` names a module that does not exist.";
    EARLY_READ = "E0303" "A variable is read before anything is assigned to it.";
    WILDCARD_READ = "E0304" "`_` is read.";
    BOUND_TWICE = "E0305" "Parameters, loop variables or names of a pattern are bound twice at once.";
    IMPORT_CLASH = "E0306" "Two modules bring the same name.";
    CONSTANT = "E0307" "A constant is assigned to.";
    ALREADY_BOUND = "E0308" "`def` names something that is bound already.";
    DEFINED_TWICE = "E0309" "Two functions of one block have the same name.";
    RET_OUTSIDE = "E0310" "`ret` stands outside of a function.";
    JUMP_OUTSIDE = "E0311" "`brk` or `cnt` stands outside of a loop.";

    REGISTERS = "E0501" "A function needs more registers than there are.";
    LONG_PATTERN = "E0502" "A list pattern has more elements than an instruction can count.";
    UNVERIFIED = "E0599" "The compiler made code that does not verify: a defect of ours.";

    RAISED = "E0601" "The script raised an error that nobody caught.";
    ASSERTION = "E0602" "What `asr` was given does not hold.";
    OPERAND = "E0603" "An operator stands between values that it is not for.";
    ARGUMENT = "E0604" "A function was given a value that it does not take.";
    ARGUMENT_COUNT = "E0605" "A function was called with more or fewer arguments than it takes.";
    NOT_A_FUNCTION = "E0606" "Something that is no function was called.";
    INDEX = "E0607" "An index has no element, or the value has no elements.";
    NO_FIELD = "E0608" "A value has no such field.";
    ARITHMETIC = "E0609" "The result is no finite number.";
    NO_ELEMENTS = "E0610" "A loop, a range or a spread was given something without elements.";
    NO_VALUE_YET = "E0611" "A name is read before it has a value, or nothing gives it one.";
    UNCHANGEABLE = "E0612" "Something that cannot be changed was to be changed.";
    MODULE = "E0613" "A module cannot be loaded.";
    UNREADABLE_TEXT = "E0614" "A text does not say what it should: a number, JSON, base64, a rule.";
    NO_SANDBOX = "E0615" "A sandbox cannot be made, or entered, as was asked.";
    TASKS = "E0616" "A task or a channel cannot go on.";
    FILE_FAILED = "E0617" "The system refused something about a file.";
    NETWORK_FAILED = "E0618" "A connection, a lookup or a request failed.";
    PROGRAM_FAILED = "E0619" "A program could not be run to its end.";
    NATIVE_FAILED = "E0620" "A native could not do what it is for.";
    RUNTIME = "E0699" "Another error of the runtime.";

    NOT_HELD = "E0701" "The sandbox does not hold the native.";
    NOT_HELD_TOO = "E0702" "What the call would do is the work of another native, which the sandbox does not hold.";
    REVOKED = "E0703" "The sandbox, or one above it, was revoked.";
    BOUND = "E0704" "The sandbox holds the native for other subjects only.";
    NO_GRANT = "E0705" "No directory grant covers the path.";
    LEADS_OUT = "E0706" "The path leads out of its grant.";
    READ_ONLY = "E0707" "The grant is read-only.";
    WRITE_ONLY = "E0708" "The grant is write-only.";
    SPECIAL_FILESYSTEM = "E0709" "The path is on a special filesystem.";
    ABSOLUTE_LINK = "E0710" "A link would have an absolute target.";
    NO_VARIABLE = "E0711" "The environment variable is not granted.";
    NO_PROGRAM = "E0712" "The program is not granted.";
    NO_SECRET = "E0713" "The secret is not granted.";
    SECRET_ELSEWHERE = "E0714" "The secret is bound to other hosts.";
    NO_NET_RULE = "E0715" "No network rule allows the connection.";
    NET_DENIED = "E0716" "A network rule denies the connection.";
    SPECIAL_ADDRESS = "E0717" "The address is special, and no rule names it.";
    LEADS_TO_SPECIAL = "E0718" "The name leads to a special address.";
    NOBODY_THERE = "E0719" "The address stands for no single host.";
    LEASE_OVER = "E0720" "What was granted for a time, or for so many uses, has ended.";
    NOT_ABOVE = "E0721" "A sandbox can be revoked by itself and by those it was made under only.";
    AUDIT_BROKEN = "E0722" "The audit record cannot be written.";

    FUEL = "E0801" "The fuel ran out.";
    MEMORY = "E0802" "The memory ran out.";
    TIME = "E0803" "The time ran out.";
    OUTPUT = "E0804" "The output budget ran out.";
    DEPTH = "E0805" "Calls are nested too deep.";
    READING = "E0806" "The budget for reading ran out.";
    WRITING = "E0807" "The budget for writing ran out.";
    CALLS = "E0808" "A native was called as often as it may be.";
    INTERRUPTED = "E0810" "The run was interrupted.";

    COMMAND_LINE = "E0901" "The command line is not one that `ilu` takes.";
    UNREADABLE = "E0902" "A file that the command line names cannot be read.";
    CANNOT_GRANT = "E0903" "Something cannot be granted as a flag asks.";
    UNKNOWN_NATIVE = "E0904" "There is no native, bundle or code of this name.";
    PROFILE = "E0905" "A profile cannot be used.";
    NET_POLICY = "E0906" "A file of network rules cannot be used.";
    RECORD = "E0907" "An audit file or a report cannot be written or does not hold.";
    WALL = "E0908" "A layer of the second wall that was required is missing.";
    NOTHING_TO_DO = "E0909" "There is nothing to run, test, check or format.";
    CANNOT_WRITE = "E0910" "What the command has to say or to write cannot be written.";
    REFUSED = "E0911" "The run was refused before it began.";
    DEFECT = "E0999" "The interpreter contradicts itself: a defect of ours.";

    PATTERN = "W0001" "A pattern of `pol` covers more than it seems to.";
    RULE = "W0002" "A rule never decides.";
    UNUSED = "W0003" "A variable, parameter, function or module is not used.";
    SHADOWED = "W0004" "A name hides another one.";
    UNREACHABLE = "W0005" "Code that is never reached.";
    RANGE_TO_LENGTH = "W0006" "A range that runs to `len(x) - 1` counts down when there is nothing.";
    NO_LAST_ARM = "W0007" "A `mat` has no arm for everything else.";
    NATIVE_UNHELD = "W0008" "A sandbox is given code that calls what it does not hold.";
}

/// What a code stands for.
#[must_use]
pub fn meaning(code: &str) -> Option<&'static str> {
    TABLE.iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning)
}

/// The chapter of `docs/errors/` in which a code has its page.
#[must_use]
pub fn chapter(code: &str) -> &'static str {
    match code.get(..3) {
        Some("E00" | "E01" | "E02") => "text",
        Some("E03" | "E04" | "E05") => "names",
        Some("E06") => "running",
        Some("E07") => "denials",
        Some("E08") => "budgets",
        Some("E09") => "command",
        _ => "warnings",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_in_order_and_none_is_used_twice() {
        for pair in super::TABLE.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{pair:?}");
        }
    }
}
