//! The terminals of the grammar, as the layout hands them to the parser.
//!
//! Some stand for text (`Name`, `Num`, …), some for text in a certain place (`CallOpen` is a `(` glued to the value before it) and some
//! for no text at all (`Newline`, `Indent`, `Dedent`, `Juxt`, `EndIf`). Giving those a terminal of their own is what keeps the grammar LR(1).
//! A token never knows its place; it travels with its offsets.

/// A terminal.
#[derive(Clone, Debug, PartialEq)]
pub enum Tok<'s> {
    /// An identifier.
    Name(&'s str),
    /// A number; finite.
    Num(f64),
    /// A string, escapes resolved.
    Str(Box<str>),
    /// `b"…"`, escapes resolved.
    Bytes(Box<[u8]>),
    /// `$"`
    InterpOpen,
    /// Literal text in an interpolated string, escapes resolved; never empty.
    Text(Box<str>),
    /// `{` in an interpolated string.
    PieceOpen,
    /// `}` that ends a piece of an interpolated string.
    PieceClose,
    /// The quote that ends an interpolated string.
    InterpClose,
    /// What stood here is not a token; the error has been reported.
    Bad,

    /// `tru`
    Tru,
    /// `fls`
    Fls,
    /// `nil`
    Nil,
    /// `if`
    If,
    /// `whl`
    Whl,
    /// `mat`
    Mat,
    /// `use`
    Use,
    /// `as` after the path of a `use`
    As,
    /// `def`
    Def,
    /// `ret`
    Ret,
    /// `brk`
    Brk,
    /// `cnt`
    Cnt,
    /// `and`
    And,
    /// `or`
    Or,
    /// `not`
    Not,
    /// `fn`: reserved, has no meaning
    Fn,

    /// `(` that groups, or that opens a lambda's parameters
    Open,
    /// `(` glued to the value before it
    CallOpen,
    /// `)`
    Close,
    /// `[` of a list
    ListOpen,
    /// `[` glued to the value before it
    IndexOpen,
    /// `?[`
    OptIndexOpen,
    /// `]`
    ListClose,
    /// `{`
    ObjectOpen,
    /// `}`
    ObjectClose,

    /// `.`
    Dot,
    /// `?.`
    OptDot,
    /// `..`
    DotDot,
    /// `..<`
    DotDotLess,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// `\`
    Lambda,
    /// `=`
    Assign,
    /// `=` after the head of a function definition
    FnAssign,
    /// `+=`
    PlusAssign,
    /// `-=`
    MinusAssign,
    /// `*=`
    StarAssign,
    /// `/=`
    SlashAssign,
    /// `<-`
    From,
    /// `=>`, and the `:` that does its work in an arm
    Arrow,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `%`
    Percent,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `==`
    EqEq,
    /// `!=`
    NotEq,
    /// `!`
    Bang,
    /// `|>`, and `|` where it pipes
    Pipe,
    /// `|` between an `if`'s parts
    Else,
    /// `|` between patterns
    Alt,
    /// `if` between a pattern and its guard
    Guard,

    /// The end of a statement.
    Newline,
    /// The first line of a block.
    Indent,
    /// The end of a block.
    Dedent,
    /// Between the name of a command call (or stage) and its arguments, a comma list.
    Juxt,
    /// The same where a comma would belong to what stands around: one argument.
    JuxtOne,
    /// The end of an `if` with an inline last part.
    EndIf,
}

impl<'s> Tok<'s> {
    /// The keyword, or the name, that a word is.
    #[must_use]
    pub fn word(text: &'s str) -> Self {
        match text {
            "tru" => Self::Tru,
            "fls" => Self::Fls,
            "nil" => Self::Nil,
            "if" => Self::If,
            "whl" => Self::Whl,
            "mat" => Self::Mat,
            "use" => Self::Use,
            "def" => Self::Def,
            "ret" => Self::Ret,
            "brk" => Self::Brk,
            "cnt" => Self::Cnt,
            "and" => Self::And,
            "or" => Self::Or,
            "not" => Self::Not,
            "fn" => Self::Fn,
            _ => Self::Name(text),
        }
    }

    /// Whether a `(` or `[` glued to this token calls or indexes it.
    #[must_use]
    pub const fn ends_value(&self) -> bool {
        matches!(
            self,
            Self::Name(_)
                | Self::Num(_)
                | Self::Str(_)
                | Self::Bytes(_)
                | Self::InterpClose
                | Self::Bad
                | Self::Tru
                | Self::Fls
                | Self::Nil
                | Self::Close
                | Self::ListClose
                | Self::ObjectClose
        )
    }

    /// Whether a value must follow this token, and one or a target stands before it.
    #[must_use]
    pub const fn is_infix(&self) -> bool {
        self.is_operator()
            || matches!(self, Self::Assign | Self::PlusAssign | Self::MinusAssign | Self::StarAssign | Self::SlashAssign | Self::From)
    }

    /// Whether this token is an infix operator of expressions.
    #[must_use]
    pub const fn is_operator(&self) -> bool {
        matches!(
            self,
            Self::Plus
                | Self::Minus
                | Self::Star
                | Self::Slash
                | Self::Percent
                | Self::Lt
                | Self::Le
                | Self::Gt
                | Self::Ge
                | Self::EqEq
                | Self::NotEq
                | Self::And
                | Self::Or
                | Self::DotDot
                | Self::DotDotLess
        )
    }

    /// Whether an expression can begin with this token (`-` left out: it depends on the blanks around it).
    #[must_use]
    pub const fn starts_value(&self) -> bool {
        matches!(
            self,
            Self::Name(_)
                | Self::Num(_)
                | Self::Str(_)
                | Self::Bytes(_)
                | Self::InterpOpen
                | Self::Bad
                | Self::Tru
                | Self::Fls
                | Self::Nil
                | Self::If
                | Self::Mat
                | Self::Not
                | Self::Bang
                | Self::Open
                | Self::ListOpen
                | Self::ObjectOpen
                | Self::Lambda
        )
    }
}
