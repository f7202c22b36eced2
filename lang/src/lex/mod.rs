//! From text to words: numbers, strings, names, signs and line ends, each with its place.
//!
//! logos finds where a token begins and what it is; numbers and strings are then read by hand, because their errors deserve better words
//! than a failed pattern. Blanks and comments vanish here. Nothing here knows lines, brackets or blocks: that is `layout`'s work. An error is
//! reported into [`Reports`] and a stand-in token is returned, so the parser never sees it twice.

mod number;
mod text;

use crate::diagnostic::{Diagnostic, Reports, codes, quoted};
use crate::source::Span;
use crate::token::Tok;
use logos::Logos;

#[derive(Logos, Clone, Copy, Debug, PartialEq)]
#[logos(skip r"[ \t]+")]
#[logos(skip(r"#[^\n]*", allow_greedy = true))]
enum Raw {
    #[token("\n")]
    #[token("\r\n")]
    LineEnd,
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Word,
    #[regex(r"[0-9]")]
    Digit,
    #[token("\"")]
    #[token("'")]
    Quote,
    #[token("b\"")]
    ByteQuote,
    #[token("$\"")]
    InterpQuote,
    #[token("(")]
    Open,
    #[token(")")]
    Close,
    #[token("[")]
    ListOpen,
    #[token("?[")]
    OptIndexOpen,
    #[token("]")]
    ListClose,
    #[token("{")]
    ObjectOpen,
    #[token("}")]
    ObjectClose,
    #[token(".")]
    Dot,
    #[token("?.")]
    OptDot,
    #[token("..")]
    DotDot,
    #[token("..<")]
    DotDotLess,
    #[token(",")]
    Comma,
    #[token(":")]
    Colon,
    #[token("\\")]
    Lambda,
    #[token("=")]
    Assign,
    #[token("+=")]
    PlusAssign,
    #[token("-=")]
    MinusAssign,
    #[token("*=")]
    StarAssign,
    #[token("/=")]
    SlashAssign,
    #[token("<-")]
    From,
    #[token("=>")]
    Arrow,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("%")]
    Percent,
    #[token("<")]
    Lt,
    #[token("<=")]
    Le,
    #[token(">")]
    Gt,
    #[token(">=")]
    Ge,
    #[token("==")]
    EqEq,
    #[token("!=")]
    NotEq,
    #[token("!")]
    Bang,
    #[token("|")]
    Bar,
    #[token("|>")]
    BarGreater,
    // Signs of other languages, known only to be named in an error.
    #[token("&&")]
    AndAnd,
    #[token("||")]
    BarBar,
    #[token("===")]
    EqEqEq,
    #[token("!==")]
    NotEqEq,
    #[token(":=")]
    ColonAssign,
    #[token("//")]
    SlashSlash,
    #[token("++")]
    PlusPlus,
    #[token("**")]
    StarStar,
}

/// What the lexer hands to the layout: a token of the grammar in a first guess (`|` is always `Pipe`, `(` always `Open`), or a line end.
#[derive(Debug, PartialEq)]
pub enum Lexeme<'s> {
    /// A token.
    Tok(Tok<'s>),
    /// `|`, whose meaning depends on where it stands.
    Bar,
    /// `\n` or `\r\n`
    LineEnd,
}

/// The next stretch of an interpolated string.
#[derive(Debug, PartialEq, Eq)]
pub enum Stretch {
    /// A `{` follows: an expression.
    Piece,
    /// The string ends, or the line does (reported).
    End,
}

/// Reads tokens one after the other.
pub struct Lexer<'s, 'r> {
    inner: logos::Lexer<'s, Raw>,
    text: &'s str,
    reports: &'r Reports,
}

/// An offset as spans hold it. Sources are refused long before it could overflow.
pub fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn span(start: usize, end: usize) -> Span {
    Span::new(offset(start), offset(end))
}

impl<'s, 'r> Lexer<'s, 'r> {
    /// Starts at the beginning of a text, past a byte order mark.
    pub fn new(text: &'s str, reports: &'r Reports) -> Self {
        let mut inner = Raw::lexer(text);
        if text.starts_with('\u{FEFF}') {
            inner.bump('\u{FEFF}'.len_utf8());
        }
        Self { inner, text, reports }
    }

    /// The next token with its place; nothing at the end of the text, or when there are too many errors.
    pub fn next(&mut self) -> Option<(usize, Lexeme<'s>, usize)> {
        while !self.reports.stopped() {
            let raw = self.inner.next()?;
            let start = self.inner.span().start;
            let lexeme = match raw {
                Ok(raw) => self.cook(raw, start),
                Err(()) => self.stray(start),
            };
            if let Some(lexeme) = lexeme {
                return Some((start, lexeme, self.at()));
            }
        }
        None
    }

    /// Where reading goes on.
    fn at(&self) -> usize {
        self.inner.span().end
    }

    /// The byte at an offset.
    pub fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Whether the next thing after blanks, from here, is `wanted`.
    pub fn followed_by(&self, wanted: u8) -> bool {
        self.inner.remainder().bytes().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(wanted)
    }

    /// Text pieces of an interpolated string up to an expression or the end; the piece, its place, and what follows it.
    pub fn stretch(&mut self) -> (Box<str>, Span, Stretch) {
        let start = self.at();
        let (value, length, end) = text::stretch(self.inner.remainder(), start, self.reports);
        self.inner.bump(length);
        (value, span(start, start + length), end)
    }

    fn cook(&mut self, raw: Raw, start: usize) -> Option<Lexeme<'s>> {
        let tok = match raw {
            Raw::LineEnd => return Some(Lexeme::LineEnd),
            Raw::Bar => return Some(Lexeme::Bar),
            Raw::Word => Tok::word(self.inner.slice()),
            Raw::Digit => self.number(start),
            Raw::Quote => self.string(start),
            Raw::ByteQuote => self.bytes(start),
            Raw::InterpQuote => Tok::InterpOpen,
            Raw::Open => Tok::Open,
            Raw::Close => Tok::Close,
            Raw::ListOpen => Tok::ListOpen,
            Raw::OptIndexOpen => Tok::OptIndexOpen,
            Raw::ListClose => Tok::ListClose,
            Raw::ObjectOpen => Tok::ObjectOpen,
            Raw::ObjectClose => Tok::ObjectClose,
            Raw::Dot => self.dot(start),
            Raw::OptDot => Tok::OptDot,
            Raw::DotDot => Tok::DotDot,
            Raw::DotDotLess => Tok::DotDotLess,
            Raw::Comma => Tok::Comma,
            Raw::Colon => Tok::Colon,
            Raw::Lambda => Tok::Lambda,
            Raw::Assign => Tok::Assign,
            Raw::PlusAssign => Tok::PlusAssign,
            Raw::MinusAssign => Tok::MinusAssign,
            Raw::StarAssign => Tok::StarAssign,
            Raw::SlashAssign => Tok::SlashAssign,
            Raw::From => Tok::From,
            Raw::Arrow => Tok::Arrow,
            Raw::Plus => Tok::Plus,
            Raw::Minus => Tok::Minus,
            Raw::Star => Tok::Star,
            Raw::Slash => Tok::Slash,
            Raw::Percent => Tok::Percent,
            Raw::Lt => Tok::Lt,
            Raw::Le => Tok::Le,
            Raw::Gt => Tok::Gt,
            Raw::Ge => Tok::Ge,
            Raw::EqEq => Tok::EqEq,
            Raw::NotEq => Tok::NotEq,
            Raw::Bang => Tok::Bang,
            Raw::BarGreater => Tok::Pipe,
            Raw::AndAnd => self.foreign(start, "and", Some(Tok::And))?,
            Raw::BarBar => self.foreign(start, "or", Some(Tok::Or))?,
            Raw::EqEqEq => self.foreign(start, "==", Some(Tok::EqEq))?,
            Raw::NotEqEq => self.foreign(start, "!=", Some(Tok::NotEq))?,
            Raw::ColonAssign => self.foreign(start, "=", Some(Tok::Assign))?,
            Raw::PlusPlus => self.foreign(start, "+= 1", None)?,
            Raw::StarStar => self.foreign(start, "mth.pow", None)?,
            Raw::SlashSlash => self.slashes(start)?,
        };
        Some(Lexeme::Tok(tok))
    }

    /// A sign of other languages: says what it is here, and goes on as if that had been written.
    fn foreign(&self, start: usize, ours: &str, tok: Option<Tok<'s>>) -> Option<Tok<'s>> {
        let sign = self.inner.slice();
        let report = Diagnostic::new(codes::FOREIGN_SIGN, span(start, self.at()), format!("`{sign}` is not a sign of ilu"));
        self.refuse(report.help(format!("write `{ours}`")));
        tok
    }

    /// `//`: most likely a comment, so the rest of the line is left out.
    fn slashes(&mut self, start: usize) -> Option<Tok<'s>> {
        let report = Diagnostic::new(codes::FOREIGN_SIGN, span(start, self.at()), "`//` is not a sign of ilu");
        self.refuse(report.help("a comment starts with `#`; whole-number division is `int(a / b)`"));
        let rest = self.inner.remainder();
        self.inner.bump(rest.find(['\n', '\r']).unwrap_or(rest.len()));
        None
    }

    /// `.5` is most likely meant as a number.
    fn dot(&mut self, start: usize) -> Tok<'s> {
        let before = start.checked_sub(1).and_then(|at| self.byte(at));
        let value = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b')' | b']' | b'}' | b'"' | b'\''));
        if value || !self.byte(start + 1).is_some_and(|byte| byte.is_ascii_digit()) {
            return Tok::Dot;
        }
        let length = 1 + number::length(self.text.get(start + 1..).unwrap_or(""));
        self.inner.bump(length - 1);
        let written = quoted(self.text.get(start..start + length).unwrap_or(""));
        let report = Diagnostic::new(
            codes::BAD_NUMBER,
            span(start, start + length),
            format!("{written} is not a number: a digit must stand before the point"),
        );
        self.refuse(report);
        Tok::Bad
    }

    fn number(&mut self, start: usize) -> Tok<'s> {
        let text = self.text.get(start..).unwrap_or("");
        let length = number::length(text);
        let end = start + length;
        self.inner.bump(end.saturating_sub(self.at()));
        match number::value(text.get(..length).unwrap_or("")) {
            Ok(value) => Tok::Num(value),
            Err(flaw) => {
                let written = quoted(text.get(..length).unwrap_or(""));
                let report = Diagnostic::new(codes::BAD_NUMBER, span(start, end), format!("{written} is not a number: {}", flaw.words));
                self.refuse(if flaw.help.is_empty() { report } else { report.help(flaw.help) });
                Tok::Bad
            }
        }
    }

    fn string(&mut self, start: usize) -> Tok<'s> {
        let quote = self.byte(start).unwrap_or(b'"');
        let open = self.at();
        let (value, length) = text::string(self.inner.remainder(), quote, start, open, self.reports);
        self.inner.bump(length);
        Tok::Str(value)
    }

    fn bytes(&mut self, start: usize) -> Tok<'s> {
        let open = self.at();
        let (value, length) = text::bytes(self.inner.remainder(), start, open, self.reports);
        self.inner.bump(length);
        Tok::Bytes(value)
    }

    /// A character that begins no token. A run of foreign letters is one error. `@`, `;` and kin get their own words.
    fn stray(&mut self, start: usize) -> Option<Lexeme<'s>> {
        let rest = self.text.get(start..).unwrap_or("");
        let first = rest.chars().next()?;
        let glued = start > 0 && self.byte(start - 1).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let run: usize = rest.chars().take_while(|&each| is_foreign(each)).map(char::len_utf8).sum();
        let end = start + run.max(first.len_utf8());
        self.inner.bump(end.saturating_sub(self.at()));
        let place = span(start, end);
        let named = format!("U+{:04X}", u32::from(first));
        let report = match first {
            ';' => Diagnostic::new(codes::STRAY, place, "`;` is not a sign of ilu")
                .help("each statement stands on its own line, and ends with it"),
            '&' => Diagnostic::new(codes::STRAY, place, "`&` is not a sign of ilu")
                .help("the logical operator is `and`; there are no operators on bits"),
            '~' if rest.starts_with("~=") => Diagnostic::new(codes::FOREIGN_SIGN, place, "`~=` is not a sign of ilu").help("write `!=`"),
            '~' | '^' => Diagnostic::new(codes::STRAY, place, format!("`{first}` is not a sign of ilu"))
                .help("there are no operators on bits; `mth.pow(a, b)` is a power, `not` the logical negation"),
            '`' => Diagnostic::new(codes::STRAY, place, "a backtick is not a sign of ilu")
                .help("strings stand in `\"` or `'`; text with values in it is `$\"… {x} …\"`"),
            '$' => Diagnostic::new(codes::STRAY, place, "`$` stands alone")
                .help("`$` begins a string with values in it, `$\"… {x} …\"`; a variable is its name alone"),
            '@' => Diagnostic::new(codes::STRAY, place, "`@` is not a sign of ilu")
                .help("there are no decorators: `f = wrap(f)` does it; an element is `xs[i]`, a field `x.k`"),
            '?' if rest.starts_with("??") || self.text.get(..start).is_some_and(|before| before.ends_with('?')) => {
                Diagnostic::new(codes::STRAY, place, "`??` is not a sign of ilu").help("`x or y` is `y` when `x` is nil or false")
            }
            '?' => Diagnostic::new(codes::STRAY, place, "`?` stands alone")
                .help("a choice is `if c: a | b`; `x?.k` and `x?[i]` look into a value that may be nil"),
            '\u{0C}' | '\u{0B}' => Diagnostic::new(codes::STRAY, place, format!("the control character {named} cannot stand in a script")),
            _ if glued || first.is_alphanumeric() => {
                let word = quoted(rest.get(..end - start).unwrap_or(""));
                Diagnostic::new(codes::FOREIGN_NAME, place, format!("{named} ({word}) cannot stand in a name"))
                    .help("names are made of the letters a-z, A-Z, digits and `_`; other text belongs in a string")
            }
            _ if first.is_whitespace() || is_invisible(first) => {
                Diagnostic::new(codes::STRAY, place, format!("the invisible character {named} cannot stand here"))
                    .help("use a plain blank, or write it in a string as an escape")
            }
            _ => Diagnostic::new(
                codes::STRAY,
                place,
                format!("{named} ({}) is not a sign of ilu", quoted(rest.get(..end - start).unwrap_or(""))),
            ),
        };
        self.refuse(report);
        (!glued && first.is_alphanumeric()).then_some(Lexeme::Tok(Tok::Bad))
    }

    /// Reports, and keeps the parser from reporting what follows from it on the same line.
    ///
    /// The same said twice of one line is said once.
    fn refuse(&self, report: Diagnostic) {
        if self.reports.says(&report) {
            return;
        }
        self.reports.cover(line_around(self.text, report.span.start as usize));
        self.reports.push(report);
    }
}

/// How far the end of a line is looked for; keeps an error in a very long line cheap.
const LINE_LOOK: usize = 4096;

/// The line around an offset, as far as [`LINE_LOOK`] to either side.
pub fn line_around(text: &str, at: usize) -> Span {
    let bytes = text.as_bytes();
    let from = at.saturating_sub(LINE_LOOK);
    let to = (at + LINE_LOOK).min(bytes.len());
    let start =
        bytes.get(from..at).and_then(|before| before.iter().rposition(|&byte| byte == b'\n')).map_or(from, |found| from + found + 1);
    let end = bytes.get(at..to).and_then(|after| after.iter().position(|&byte| byte == b'\n')).map_or(to, |found| at + found);
    span(start, end)
}

fn is_foreign(each: char) -> bool {
    !each.is_ascii() && (each.is_alphanumeric() || is_invisible(each))
}

/// Zero-width and format characters people cannot see.
fn is_invisible(each: char) -> bool {
    matches!(each, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{180E}' | '\u{FE00}'..='\u{FE0F}' | '\u{2028}' | '\u{2029}')
}
