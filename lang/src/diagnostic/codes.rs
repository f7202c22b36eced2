//! The stable code of every kind of compile-time error.
//!
//! E0001–E0299 are about text and syntax, E0300–E0499 about names, E0500 and up about what cannot be compiled. A code is never used again
//! for something else.

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
