//! Turns words and line ends into the grammar's terminals: where statements end, where blocks begin and end, and which of its several
//! meanings a `(`, `[`, `|`, `:`, `if` or blank has in its place.
//!
//! It keeps one stack of *frames*: an open bracket or an open block each. A line end means something only when the top frame is a block. What
//! waits in a frame for a later sign (an `if` for its `:` and `|`, a `mat` for its `:`) is a stack in that frame, so brackets
//! shield what stands in them. Every nesting is counted here and refused above [`MAX_NESTING`]: this pass sees a bomb before the parser does.
//!
//! Each statement ends in exactly one `Newline`, blocks inside it included: `if a:⏎ ⇥b⏎⇤⏎`. A line that starts with `|` or `|>` continues the
//! statement above it. Nothing here builds trees, and nothing recurses.

mod bracket;
mod mark;

use crate::diagnostic::{Diagnostic, Reports, codes, quoted};
use crate::lex::{Lexeme, Lexer, offset};
use crate::source::Span;
use crate::token::Tok;
use std::collections::VecDeque;

/// Most brackets, blocks, `if`s and lambdas inside each other, and most prefix operators in a row. The same as the highest tree
/// ([`crate::ast::MAX_HEIGHT`]), so that this limit's message, which names the place, is the one people see.
pub const MAX_NESTING: usize = crate::ast::MAX_HEIGHT as usize;

/// Most terminals that the parser takes without making a part of the tree of them; text that parses needs a few hundred, at [`MAX_NESTING`].
const MAX_SKIPPED: usize = 10_000;

/// The parse stops; why has been reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop;

/// A terminal between its offsets, or the end of the parse.
pub type Item<'s> = Result<(u32, Tok<'s>, u32), Stop>;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Statements at one column. `arms`: those of a `mat`. `ghost`: a wrongly indented run of lines, treated as part of the block around.
    Block { indent: usize, arms: bool, ghost: bool },
    /// `(…)` that groups
    Group,
    /// `f(…)`. `head`: it stands where a function definition's head would.
    Call { head: bool },
    /// `\(…)`
    Params,
    /// `x[…]`
    Index,
    /// `[…]`
    List,
    /// `{…}`
    Object,
    /// `{…}` in an interpolated string
    Piece,
}

/// What waits in a frame for a later sign of the same frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    /// An `if` for its `:`
    Cond,
    /// An `if` past its `:`, for a `|` that may come
    Then,
    /// An `if` past its `|`; waits for its end
    Otherwise,
    /// The same where another `if` followed at once: later passes walk such a chain in a loop, so it adds nothing to the depth
    Chained,
    /// A `mat` for its `:`
    Mat,
    /// A loop for its `:`
    Loop,
}

impl Pending {
    const fn waits_for_colon(self) -> bool {
        matches!(self, Self::Cond | Self::Mat | Self::Loop)
    }
    const fn past_bar(self) -> bool {
        matches!(self, Self::Otherwise | Self::Chained)
    }
    /// How many of these count for the depth.
    fn levels(pending: &[Self]) -> usize {
        pending.iter().filter(|&&pending| pending != Self::Chained).count()
    }
}

/// What part of an arm is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// None, or its body.
    Body,
    /// Its pattern.
    Pattern,
    /// Its guard.
    Guard,
}

#[derive(Debug)]
struct Frame {
    kind: Kind,
    /// Where it was opened.
    open: Span,
    pending: Vec<Pending>,
    /// Lambdas, functions and loops whose inline bodies are still open, at most.
    inline: usize,
    /// Whether arguments of a command call are being read: a comma is theirs then.
    command: bool,
    mode: Mode,
}

/// Whether the words so far could be the name of a command call or of a pipeline stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    /// They could not.
    No,
    /// A name may come.
    Start { stage: bool },
    /// `a`, or with `dotted` `a.b`.
    Name { stage: bool, dotted: bool },
    /// `a.`
    Dot { stage: bool },
}

/// The token before, as far as the next one's meaning depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// Nothing that matters.
    Other,
    /// A value ended: a glued `(` or `[` belongs to it.
    Value,
    /// `.` or `?.`: a word after it is a field's name.
    Dot,
    /// `{` or `,` in an object: a word before `:` is a key.
    Key,
    /// `:` of a `mat`: arms may follow.
    MatColon,
    /// `:`, `=>`, the `|` of an `if`, `=` of a function: a block may follow, and at a line's end must.
    Opener,
    /// A `:` that nothing waited for: a block may follow.
    StrayColon,
    /// `)` of a lambda's parameters: a block may follow, even inside brackets.
    Lambda,
    /// `)` of what could be the head of a function definition.
    FnHead,
    /// `\`
    Backslash,
}

/// The pass itself: an iterator of terminals.
pub struct Layout<'s, 'r> {
    lexer: Lexer<'s, 'r>,
    reports: &'r Reports,
    text: &'s str,
    queue: VecDeque<(u32, Tok<'s>, u32)>,
    frames: Vec<Frame>,
    /// Inline bodies and pending signs in all frames together.
    waiting: usize,
    /// Prefix operators in a row.
    prefixes: usize,
    before: Before,
    head: Head,
    /// Whether the terminal before was the `|` of an `if`.
    after_bar: bool,
    /// Whether a `use` is being read: `as` is a keyword there.
    using: bool,
    /// Whether the current line holds a token already.
    line_begun: bool,
    /// Offset of the current line's first byte.
    line_start: usize,
    /// Offset past the last token of the text.
    last_end: usize,
    tab_reported: bool,
    /// Parts of the tree at the last look, and terminals since it grew.
    built: usize,
    skipped: usize,
    finished: bool,
}

impl<'s> Iterator for Layout<'s, '_> {
    type Item = Item<'s>;

    fn next(&mut self) -> Option<Item<'s>> {
        loop {
            if self.reports.stopped() {
                return (!std::mem::replace(&mut self.finished, true)).then_some(Err(Stop));
            }
            if let Some(item) = self.queue.pop_front() {
                self.skipped += 1;
                return Some(Ok(item));
            }
            if self.finished {
                return None;
            }
            if self.skips_on() {
                self.finished = true;
                self.put_after(Tok::Newline);
            } else {
                self.advance();
            }
        }
    }
}

impl<'s, 'r> Layout<'s, 'r> {
    /// Starts at the beginning of a text.
    pub fn new(text: &'s str, reports: &'r Reports) -> Self {
        Self {
            lexer: Lexer::new(text, reports),
            reports,
            text,
            queue: VecDeque::new(),
            frames: Vec::new(),
            waiting: 0,
            prefixes: 0,
            before: Before::Other,
            head: Head::No,
            after_bar: false,
            using: false,
            line_begun: false,
            line_start: if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 },
            last_end: 0,
            tab_reported: false,
            built: 0,
            skipped: 0,
            finished: false,
        }
    }

    /// Whether the parser skips text that it cannot read, and has done so for too long: it keeps what it skips. What it found wrong is reported when
    /// the statement ends, so that is ended here; the rest of the text is not worth a word.
    fn skips_on(&mut self) -> bool {
        let built = self.reports.built();
        if built != self.built {
            self.built = built;
            self.skipped = 0;
        }
        let too_long = self.skipped > MAX_SKIPPED;
        if too_long {
            self.reports.cover(Span::new(offset(self.last_end), u32::MAX));
        }
        too_long
    }

    fn advance(&mut self) {
        match self.lexer.next() {
            None => self.finish(),
            Some((_, Lexeme::LineEnd, end)) => {
                self.line_start = end;
                self.line_begun = false;
            }
            Some((start, lexeme, end)) => {
                if !std::mem::replace(&mut self.line_begun, true) {
                    self.start_line(start, &lexeme);
                }
                match lexeme {
                    Lexeme::Tok(tok) => self.place(start, tok, end),
                    _ => self.bar(start, end),
                }
                self.last_end = self.last_end.max(end);
            }
        }
    }

    fn put(&mut self, start: usize, tok: Tok<'s>, end: usize) {
        self.queue.push_back((offset(start), tok, offset(end)));
    }

    /// A terminal that stands for no text, right behind the last token.
    fn put_after(&mut self, tok: Tok<'s>) {
        self.put(self.last_end, tok, self.last_end);
    }

    /// The first token of a line decides what the line end before it meant.
    fn start_line(&mut self, start: usize, first: &Lexeme<'s>) {
        let column = self.column(start);
        let Some(top) = self.frames.last() else {
            // The first line sets the column of the outermost block: text that was cut out of an indented place stays valid.
            return self.push_frame(Kind::Block { indent: column, arms: false, ghost: false }, Span::default(), Mode::Body, true);
        };
        self.using = false;
        if matches!(top.kind, Kind::Block { .. }) {
            return self.block_line(start, column, first);
        }
        if self.before == Before::Lambda {
            if column > self.indent() {
                return self.open_block(start, column, false);
            }
            self.missing_block();
        }
        if self.close_pieces() || self.statement_in_bracket(column, first) {
            self.block_line(start, column, first);
        }
    }

    /// A line begins in a block: it continues the line above, opens a block under it, ends blocks, or is the block's next statement.
    fn block_line(&mut self, start: usize, column: usize, first: &Lexeme<'s>) {
        let continues = matches!(first, Lexeme::Bar | Lexeme::Tok(Tok::Pipe));
        if column > self.indent() {
            match self.before {
                Before::MatColon => return self.open_block(start, column, true),
                Before::Opener | Before::Lambda | Before::StrayColon => return self.open_block(start, column, false),
                _ if continues => return,
                // The `:` was forgotten, which the parser reports.
                _ if self.waits_for_colon() => return self.open_block(start, column, false),
                _ => {}
            }
            let place = Span::new(offset(self.line_start), offset(start));
            let report = Diagnostic::new(codes::UNEXPECTED_INDENT, place, "this line is indented, but no block begins here");
            let help = "a block follows a line that ends in `:`, `=>`, `|`, `f(…) =` or `\\(…)`; to go on with an expression, put it in parentheses";
            self.reports.push(report.help(help));
            self.end_statement();
            let (arms, mode) = self.top_arms();
            self.push_frame(Kind::Block { indent: column, arms, ghost: true }, place, mode, false);
            self.cover_stumble(start, first);
            return self.begin_statement();
        }
        self.missing_block();
        let indent = loop {
            match self.frames.last().map(|frame| frame.kind) {
                Some(Kind::Block { indent, .. }) if column >= indent || self.frames.len() == 1 => break indent,
                Some(Kind::Block { .. }) => self.close_block(),
                _ if self.statement_in_bracket(column, first) => {}
                _ => return,
            }
        };
        if continues {
            return;
        }
        if column != indent {
            let place = Span::new(offset(self.line_start), offset(start));
            let report = Diagnostic::new(codes::BAD_DEDENT, place, "this line's indentation matches no block around it");
            self.reports.push(report.help(format!("the block it falls into is indented by {indent}, this line by {column}")));
        }
        self.end_statement();
        self.begin_statement();
        self.cover_stumble(start, first);
    }

    /// A wrongly indented line that begins with an operator or a `.` was meant to go on with the one above: that it is no statement need not be said.
    fn cover_stumble(&self, start: usize, first: &Lexeme<'s>) {
        let ghost = matches!(self.frames.last(), Some(Frame { kind: Kind::Block { ghost: true, .. }, .. }));
        if ghost && matches!(first, Lexeme::Tok(tok) if tok.is_infix() || matches!(tok, Tok::Dot | Tok::OptDot)) {
            self.reports.cover(Span::new(offset(start), offset(start)));
        }
    }

    /// A line ended in a sign that needs a block under it, and there is none: reports it, and goes on with an empty one.
    fn missing_block(&mut self) {
        if !matches!(self.before, Before::Opener | Before::Lambda | Before::MatColon) {
            return;
        }
        let end = self.last_end;
        let sign = if self.text.get(..end).is_some_and(|before| before.ends_with("=>")) { "=>" } else { ":" };
        let start = end.saturating_sub(sign.len());
        let sign = quoted(self.text.get(start..end).unwrap_or(""));
        let report =
            Diagnostic::new(codes::MISSING_BLOCK, Span::new(offset(start), offset(end)), format!("an indented block must follow {sign}"));
        self.reports.push(report.help("indent the lines under it, or go on behind it on the same line"));
        self.put_after(Tok::Newline);
        self.put_after(Tok::Indent);
        self.put_after(Tok::Dedent);
        self.before = Before::Other;
    }

    fn waits_for_colon(&self) -> bool {
        self.frames.last().is_some_and(|top| top.pending.iter().any(|pending| pending.waits_for_colon()))
    }

    /// Bytes of indentation before an offset; a tab is an error, and counts as four.
    fn column(&mut self, start: usize) -> usize {
        let indentation = self.text.as_bytes().get(self.line_start..start).unwrap_or(&[]);
        let tabs = indentation.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).filter(|&&byte| byte == b'\t').count();
        if tabs > 0 && !std::mem::replace(&mut self.tab_reported, true) {
            let at = self.line_start + indentation.iter().position(|&byte| byte == b'\t').unwrap_or(0);
            let report = Diagnostic::new(codes::TAB, Span::new(offset(at), offset(at + 1)), "a tab stands in indentation");
            self.reports.push(report.help("indent with blanks; further lines with tabs are not reported"));
        }
        indentation.len() + 3 * tabs
    }

    /// The column of the innermost block.
    fn indent(&self) -> usize {
        let block =
            self.frames.iter().rev().find_map(|frame| if let Kind::Block { indent, .. } = frame.kind { Some(indent) } else { None });
        block.unwrap_or(0)
    }

    fn top_arms(&self) -> (bool, Mode) {
        match self.frames.last() {
            Some(Frame { kind: Kind::Block { arms: true, .. }, .. }) => (true, Mode::Pattern),
            _ => (false, Mode::Body),
        }
    }

    fn open_block(&mut self, start: usize, column: usize, arms: bool) {
        self.put_after(Tok::Newline);
        self.put(start, Tok::Indent, start);
        let place = Span::new(offset(start), offset(start));
        self.push_frame(Kind::Block { indent: column, arms, ghost: false }, place, Mode::Body, true);
        self.begin_statement();
    }

    /// Ends the statement and the block that the top frame is in.
    fn close_block(&mut self) {
        self.end_statement();
        if let Some(Frame { kind: Kind::Block { ghost: true, .. }, .. }) = self.pop_frame() {
            // The lines of a ghost were the surrounding block's: that one's statement has ended with them.
            self.queue.pop_back();
        } else {
            self.put_after(Tok::Dedent);
        }
        self.before = Before::Other;
        self.head = Head::No;
    }

    /// Ends the statement of the top frame.
    fn end_statement(&mut self) {
        self.settle();
        self.put_after(Tok::Newline);
    }

    fn begin_statement(&mut self) {
        let (arms, mode) = self.top_arms();
        if let Some(top) = self.frames.last_mut() {
            top.mode = mode;
            top.command = false;
        }
        self.head = if arms { Head::No } else { Head::Start { stage: false } };
        self.before = Before::Other;
    }

    /// What waits in the top frame waits no longer: its `if`s end here.
    fn settle(&mut self) {
        let Some(top) = self.frames.last_mut() else { return };
        let pending = std::mem::take(&mut top.pending);
        self.waiting -= (Pending::levels(&pending) + top.inline).min(self.waiting);
        top.inline = 0;
        top.command = false;
        for each in pending.into_iter().rev() {
            self.end_pending(each);
        }
    }

    fn end_pending(&mut self, pending: Pending) {
        if pending == Pending::Then || pending.past_bar() {
            self.put_after(Tok::EndIf);
        }
    }

    /// The text ends: so does everything that is open.
    fn finish(&mut self) {
        self.finished = true;
        if self.frames.is_empty() {
            return;
        }
        self.close_pieces();
        self.missing_block();
        self.report_unclosed(self.text.len());
        while self.frames.len() > 1 {
            match self.frames.last().map(|frame| frame.kind) {
                Some(Kind::Block { .. }) => self.close_block(),
                _ => self.close_bracket(),
            }
        }
        self.end_statement();
    }

    /// Opens a frame, or refuses to go deeper.
    fn push_frame(&mut self, kind: Kind, open: Span, mode: Mode, statement: bool) {
        self.frames.push(Frame { kind, open, pending: Vec::new(), inline: 0, command: false, mode });
        if statement {
            self.head = Head::Start { stage: false };
        }
        self.check_depth(open);
    }

    fn pop_frame(&mut self) -> Option<Frame> {
        self.settle();
        self.frames.pop()
    }

    fn check_depth(&mut self, at: Span) {
        if self.frames.len() + self.waiting + self.prefixes > MAX_NESTING {
            let report = Diagnostic::new(codes::TOO_DEEP, at, format!("this is nested more than {MAX_NESTING} levels deep"));
            self.reports.stop_with(report.help("move an inner part into a function, or give it a name"));
        }
    }
}
