//! What each token means where it stands.

use super::{Before, Frame, Head, Kind, Layout, Mode, Pending};
use crate::diagnostic::{Diagnostic, codes};
use crate::lex::offset;
use crate::source::Span;
use crate::token::Tok;

impl<'s> Layout<'s, '_> {
    /// A token of the source other than `|`.
    pub(super) fn place(&mut self, start: usize, tok: Tok<'s>, end: usize) {
        let tok = self.as_word(start, tok, end);
        let glued = start == self.last_end && matches!(self.before, Before::Value | Before::FnHead);
        let open_head = self.open_head();
        if !glued {
            self.juxtapose(start, &tok, end);
        }
        self.count_prefixes(start, &tok, end);
        match tok {
            Tok::Name(_) => self.name(start, tok, end),
            Tok::Dot | Tok::OptDot => {
                let head = match self.head {
                    Head::Name { stage, .. } | Head::Start { stage: stage @ true } => Head::Dot { stage },
                    _ => Head::No,
                };
                self.plain(start, tok, end, Before::Dot, head);
            }
            Tok::Open if self.before == Before::Backslash => self.open_bracket(start, tok, Kind::Params, end),
            Tok::Open if glued => self.open_bracket(start, Tok::CallOpen, Kind::Call { head: open_head }, end),
            Tok::Open => self.open_bracket(start, tok, Kind::Group, end),
            Tok::ListOpen if glued => self.open_bracket(start, Tok::IndexOpen, Kind::Index, end),
            Tok::ListOpen => self.open_bracket(start, tok, Kind::List, end),
            Tok::OptIndexOpen => self.open_bracket(start, tok, Kind::Index, end),
            Tok::ObjectOpen => self.open_bracket(start, tok, Kind::Object, end),
            Tok::Close | Tok::ListClose | Tok::ObjectClose => self.closing(start, tok, end),
            Tok::InterpOpen => {
                self.plain(start, tok, end, Before::Other, Head::No);
                self.text_stretch();
            }
            Tok::Comma => self.comma(start, end),
            Tok::Colon => self.colon(start, end),
            Tok::Arrow => self.arrow(start, end),
            Tok::If => self.conditional(start, end),
            Tok::Mat => self.wait(start, tok, end, Pending::Mat),
            Tok::Whl | Tok::From => self.wait(start, tok, end, Pending::Loop),
            Tok::Lambda => self.lambda(start, end),
            Tok::Pipe => self.pipe(start, end),
            Tok::Assign if self.before == Before::FnHead => {
                self.deeper(start, end);
                self.plain(start, Tok::FnAssign, end, Before::Opener, Head::Start { stage: false });
            }
            Tok::Use => {
                self.using = true;
                self.plain(start, tok, end, Before::Other, Head::No);
            }
            _ => {
                let before = if tok.ends_value() { Before::Value } else { Before::Other };
                self.plain(start, tok, end, before, Head::No);
            }
        }
    }

    fn plain(&mut self, start: usize, tok: Tok<'s>, end: usize, before: Before, head: Head) {
        self.after_bar = tok == Tok::Else;
        self.put(start, tok, end);
        self.before = before;
        self.head = head;
    }

    /// Words that are names here though they are keywords elsewhere, and the other way round.
    fn as_word(&self, start: usize, tok: Tok<'s>, end: usize) -> Tok<'s> {
        let text = self.text.get(start..end).unwrap_or("");
        if self.using && self.before == Before::Value && text == "as" {
            return Tok::As;
        }
        let keyword = !matches!(tok, Tok::Name(_)) && text.starts_with(|first: char| first.is_ascii_lowercase()) && tok == Tok::word(text);
        let field = self.before == Before::Dot || self.before == Before::Key && self.lexer.followed_by(b':');
        if keyword && field { Tok::Name(text) } else { tok }
    }

    fn name(&mut self, start: usize, tok: Tok<'s>, end: usize) {
        let head = match self.head {
            Head::Start { stage } => Head::Name { stage, dotted: false },
            Head::Dot { stage } => Head::Name { stage, dotted: true },
            _ => Head::No,
        };
        self.plain(start, tok, end, Before::Value, head);
    }

    /// Whether a `(` here would open what may be the head of a function definition.
    fn open_head(&self) -> bool {
        self.head == Head::Name { stage: false, dotted: false } && self.in_block()
    }

    fn in_block(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { kind: Kind::Block { .. }, .. }))
    }

    /// A name, a blank, and a token that can start an expression: a command call, or a stage with its arguments.
    fn juxtapose(&mut self, start: usize, tok: &Tok<'s>, end: usize) {
        let Head::Name { stage, .. } = self.head else { return };
        let starts = match tok {
            Tok::Minus | Tok::DotDot => !matches!(self.lexer.byte(end), None | Some(b' ' | b'\t' | b'\r' | b'\n')),
            _ => tok.starts_value(),
        };
        if !starts || start == self.last_end {
            return;
        }
        let Some(top) = self.frames.last_mut() else { return };
        let list = matches!(top.kind, Kind::Block { .. } | Kind::Group) && !top.command;
        top.command |= !stage;
        self.put(start, if list { Tok::Juxt } else { Tok::JuxtOne }, start);
        self.before = Before::Other;
        self.head = Head::No;
    }

    fn count_prefixes(&mut self, start: usize, tok: &Tok<'s>, end: usize) {
        if matches!(tok, Tok::Minus | Tok::Bang | Tok::Not) {
            self.prefixes += 1;
            self.check_depth(Span::new(offset(start), offset(end)));
        } else {
            self.prefixes = 0;
        }
    }

    fn wait(&mut self, start: usize, tok: Tok<'s>, end: usize, pending: Pending) {
        if let Some(top) = self.frames.last_mut() {
            top.pending.push(pending);
            self.waiting += 1;
        }
        self.check_depth(Span::new(offset(start), offset(end)));
        self.plain(start, tok, end, Before::Other, Head::No);
    }

    /// A function begins whose body may be inline.
    fn deeper(&mut self, start: usize, end: usize) {
        if let Some(top) = self.frames.last_mut() {
            top.inline += 1;
            self.waiting += 1;
        }
        self.check_depth(Span::new(offset(start), offset(end)));
    }

    fn lambda(&mut self, start: usize, end: usize) {
        self.deeper(start, end);
        self.plain(start, Tok::Lambda, end, Before::Backslash, Head::No);
    }

    fn conditional(&mut self, start: usize, end: usize) {
        if self.in_block()
            && let Some(top) = self.frames.last_mut()
            && top.mode == Mode::Pattern
        {
            top.mode = Mode::Guard;
            return self.plain(start, Tok::Guard, end, Before::Other, Head::No);
        }
        if self.after_bar
            && let Some(outer) = self.frames.last_mut().and_then(|top| top.pending.last_mut())
        {
            *outer = Pending::Chained;
            self.waiting -= 1.min(self.waiting);
        }
        self.wait(start, Tok::If, end, Pending::Cond);
    }

    fn comma(&mut self, start: usize, end: usize) {
        let object = match self.frames.last() {
            Some(Frame { kind: Kind::Block { .. }, .. }) | None => false,
            Some(frame) => {
                let object = frame.kind == Kind::Object;
                self.settle();
                object
            }
        };
        self.plain(start, Tok::Comma, end, if object { Before::Key } else { Before::Other }, Head::No);
    }

    /// `:` belongs to the innermost sign of its frame that waits for one; else, in an arm, it ends the pattern.
    fn colon(&mut self, start: usize, end: usize) {
        let Some(top) = self.frames.last_mut() else { return };
        let block = matches!(top.kind, Kind::Block { .. });
        let Some(at) = top.pending.iter().rposition(|pending| pending.waits_for_colon()) else {
            if top.mode != Mode::Body && block {
                return self.arrow(start, end);
            }
            return self.plain(start, Tok::Colon, end, Before::StrayColon, Head::No);
        };
        let inner = top.pending.split_off(at + 1);
        let waiting = top.pending.pop();
        // What was waiting still counts for the depth: its body may be inline.
        match waiting {
            Some(Pending::Cond) => top.pending.push(Pending::Then),
            _ => top.inline += 1,
        }
        self.waiting -= Pending::levels(&inner).min(self.waiting);
        if block {
            top.command = false;
        }
        for each in inner.into_iter().rev() {
            self.end_pending(each);
        }
        let before = if waiting == Some(Pending::Mat) { Before::MatColon } else { Before::Opener };
        let head = if block { Head::Start { stage: false } } else { Head::No };
        self.plain(start, Tok::Colon, end, before, head);
    }

    /// `=>`, or the `:` that stands for it.
    fn arrow(&mut self, start: usize, end: usize) {
        let arm = self.in_block();
        if arm {
            self.settle();
        }
        if let Some(top) = self.frames.last_mut()
            && arm
        {
            top.mode = Mode::Body;
        }
        self.plain(start, Tok::Arrow, end, Before::Opener, if arm { Head::Start { stage: false } } else { Head::No });
    }

    fn pipe(&mut self, start: usize, end: usize) {
        if let Some(top) = self.frames.last_mut() {
            self.waiting -= top.inline.min(self.waiting);
            top.inline = 0;
        }
        self.plain(start, Tok::Pipe, end, Before::Other, Head::Start { stage: true });
    }

    /// `|`: between patterns an alternative; after an `if`'s first part its other part; else a pipe.
    pub(super) fn bar(&mut self, start: usize, end: usize) {
        self.prefixes = 0;
        let place = Span::new(offset(start), offset(end));
        let Some(top) = self.frames.last_mut() else { return };
        if top.mode == Mode::Pattern {
            return self.plain(start, Tok::Alt, end, Before::Other, Head::No);
        }
        let ended = top.pending.iter().rev().take_while(|pending| pending.past_bar()).count();
        let rest = top.pending.len() - ended;
        match rest.checked_sub(1).and_then(|at| top.pending.get(at)) {
            Some(Pending::Then) => {
                let levels = Pending::levels(top.pending.get(rest..).unwrap_or_default());
                top.pending.truncate(rest - 1);
                top.pending.push(Pending::Otherwise);
                top.command = false;
                let inline = std::mem::take(&mut top.inline);
                let block = matches!(top.kind, Kind::Block { .. });
                self.waiting -= (levels + inline).min(self.waiting);
                for _ in 0..ended {
                    self.end_pending(Pending::Otherwise);
                }
                let head = if block { Head::Start { stage: false } } else { Head::No };
                return self.plain(start, Tok::Else, end, Before::Opener, head);
            }
            Some(Pending::Cond) => {
                let report = Diagnostic::new(codes::BAR_IN_CONDITION, place, "a `|` in a condition could be read as the `if`'s other part");
                self.reports.push(report.help("write `|>`, or put the pipeline in parentheses"));
            }
            _ if ended > 0 => {
                let report = Diagnostic::new(codes::BAR_AFTER_ELSE, place, "this `if` has its other part already");
                self.reports.push(report.help("to pipe that part on write `|>`; to pipe the whole, put the `if` in parentheses"));
            }
            _ => {}
        }
        self.pipe(start, end);
    }
}
