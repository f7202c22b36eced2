//! Brackets: opening and closing them, and what to do about those that do not pair.

use super::{Before, Frame, Head, Kind, Layout, Mode};
use crate::diagnostic::{Diagnostic, codes, quoted};
use crate::lex::{Lexeme, Stretch, line_around, offset};
use crate::source::Span;
use crate::token::Tok;

impl Kind {
    /// The sign that closes it; nothing for a block.
    fn closer<'s>(self) -> Option<Tok<'s>> {
        match self {
            Self::Block { .. } => None,
            Self::Group | Self::Call { .. } | Self::Params => Some(Tok::Close),
            Self::Index | Self::List => Some(Tok::ListClose),
            Self::Object => Some(Tok::ObjectClose),
            Self::Piece => Some(Tok::PieceClose),
        }
    }

    /// Whether a closing sign of the source closes it.
    fn is_closed_by(self, tok: &Tok<'_>) -> bool {
        match self {
            Self::Piece => *tok == Tok::ObjectClose,
            _ => self.closer().as_ref() == Some(tok),
        }
    }
}

impl<'s> Layout<'s, '_> {
    /// Opens a bracket.
    pub(super) fn open_bracket(&mut self, start: usize, tok: Tok<'s>, kind: Kind, end: usize) {
        let mode = match self.frames.last() {
            Some(Frame { mode: Mode::Pattern, .. }) => Mode::Pattern,
            _ => Mode::Body,
        };
        self.put(start, tok, end);
        self.push_frame(kind, Span::new(offset(start), offset(end)), mode, false);
        self.before = if kind == Kind::Object { Before::Key } else { Before::Other };
        self.head = Head::No;
    }

    /// A closing sign of the source.
    pub(super) fn closing(&mut self, start: usize, tok: Tok<'s>, end: usize) {
        let depth = self.frames.iter().rposition(|frame| frame.kind.is_closed_by(&tok));
        let innermost = self.frames.iter().rposition(|frame| frame.kind.closer().is_some());
        let Some(innermost) = innermost else {
            let sign = quoted(self.text.get(start..end).unwrap_or(""));
            let place = Span::new(offset(start), offset(end));
            self.cover_line(start);
            return self.reports.push(Diagnostic::new(codes::UNOPENED, place, format!("{sign} closes nothing")));
        };
        let depth = match depth {
            Some(depth) if depth == innermost => depth,
            Some(depth) => {
                self.report_unclosed(end);
                depth
            }
            None => {
                self.mismatch(innermost, start, end);
                innermost
            }
        };
        while self.frames.len() > depth + 1 {
            match self.frames.last().map(|frame| frame.kind) {
                Some(Kind::Block { .. }) => self.close_block(),
                _ => self.close_bracket(),
            }
        }
        let Some(frame) = self.pop_frame() else { return };
        let Some(closer) = frame.kind.closer() else { return };
        self.put(start, closer, end);
        self.head = Head::No;
        self.before = match frame.kind {
            Kind::Params => Before::Lambda,
            Kind::Call { head: true } => Before::FnHead,
            _ => Before::Value,
        };
        if frame.kind == Kind::Piece {
            self.text_stretch();
        }
    }

    /// Closes the top bracket though nothing in the source does.
    pub(super) fn close_bracket(&mut self) {
        let Some(frame) = self.pop_frame() else { return };
        if let Some(closer) = frame.kind.closer() {
            self.put_after(closer);
        }
        if frame.kind == Kind::Piece {
            self.put_after(Tok::InterpClose);
        }
        self.head = Head::No;
        self.before = Before::Value;
    }

    fn mismatch(&mut self, innermost: usize, start: usize, end: usize) {
        let Some(frame) = self.frames.get(innermost) else { return };
        let opener = self.text.get(frame.open.start as usize..frame.open.end as usize).unwrap_or("");
        let sign = quoted(self.text.get(start..end).unwrap_or(""));
        let place = Span::new(offset(start), offset(end));
        let report = Diagnostic::new(codes::UNOPENED, place, format!("{sign} does not close {}", quoted(opener)));
        self.reports.push(report.related(frame.open, "opened here"));
        self.cover_line(start);
    }

    /// Reports the innermost open bracket, if any; what follows from it up to `end` is not worth a word.
    pub(super) fn report_unclosed(&mut self, end: usize) {
        let Some(frame) = self.frames.iter().rev().find(|frame| frame.kind.closer().is_some()) else { return };
        self.reports.cover(Span::new(frame.open.start, offset(end)));
        if self.reports.names(frame.open) {
            // The parser did not want this bracket at all.
            return;
        }
        let opener = quoted(self.text.get(frame.open.start as usize..frame.open.end as usize).unwrap_or(""));
        let report = Diagnostic::new(codes::UNCLOSED, frame.open, format!("{opener} is never closed"));
        self.reports.push(report.label("opened here"));
    }

    /// A line that can only be a statement, no further right than the statement around: an unclosed bracket must have swallowed it. Whether the
    /// bracket was given up.
    pub(super) fn statement_in_bracket(&mut self, column: usize, first: &Lexeme<'s>) -> bool {
        let begins = matches!(first, Lexeme::Tok(Tok::Def | Tok::Use | Tok::Ret | Tok::Whl | Tok::Brk | Tok::Cnt));
        if !begins || column > self.indent() {
            return false;
        }
        self.report_unclosed(self.last_end);
        while self.frames.last().is_some_and(|frame| frame.kind.closer().is_some()) {
            self.close_bracket();
        }
        true
    }

    /// A line end in an interpolated string's expression: closes it with all that is open in it. Whether the line now is one of a block.
    pub(super) fn close_pieces(&mut self) -> bool {
        let block = self.frames.iter().rposition(|frame| frame.kind.closer().is_none()).unwrap_or(0);
        let Some(piece) = self.frames.iter().skip(block).position(|frame| frame.kind == Kind::Piece) else { return false };
        let piece = piece + block;
        let Some(open) = self.frames.get(piece).map(|frame| frame.open) else { return false };
        let swallowed = Span::new(open.start, offset(self.last_end));
        // The quote that should have ended the string has been taken for the beginning of another one.
        self.reports.retract(codes::UNTERMINATED, swallowed);
        let report = Diagnostic::new(codes::UNCLOSED_PIECE, open, "this `{` of an interpolated string is not closed on its line");
        self.reports.push(report.help("write `{{` for a literal brace"));
        self.reports.cover(swallowed);
        while self.frames.len() > piece {
            self.close_bracket();
        }
        matches!(self.frames.last().map(|frame| frame.kind), Some(Kind::Block { .. }))
    }

    /// The text of an interpolated string up to the next expression or its end.
    pub(super) fn text_stretch(&mut self) {
        let (value, place, follows) = self.lexer.stretch();
        let (start, end) = (place.start as usize, place.end as usize);
        let sign = end.saturating_sub(1).max(start);
        if !value.is_empty() {
            self.put(start, Tok::Text(value), sign);
        }
        self.last_end = end;
        match follows {
            Stretch::Piece => self.open_bracket(sign, Tok::PieceOpen, Kind::Piece, end),
            Stretch::End => {
                self.put(sign, Tok::InterpClose, end);
                self.before = Before::Value;
                self.head = Head::No;
            }
        }
    }

    /// Keeps the parser quiet about a line that has an error.
    pub(super) fn cover_line(&self, start: usize) {
        self.reports.cover(line_around(self.text, start));
    }
}
