//! Lists, objects and interpolated strings: values collected in registers, stored away in chunks when there are many.

use super::{Dst, Lower, small};
use crate::ast::{Entry, Expr, ExprId, Key, Piece};
use crate::code::op::Op;
use crate::source::Span;

impl Lower<'_> {
    pub(super) fn list(&mut self, items: &[ExprId], dst: Dst, span: Span) {
        if items.len() <= self.run_length() {
            let first = self.run(items.iter().copied());
            self.emit(Op::List, dst.reg, first, small(items.len()), 0, span);
            return;
        }
        let own = self.scratch(dst);
        let items: Vec<(ExprId, bool)> = items.iter().map(|&item| (item, false)).collect();
        self.collect(own.reg, &items, span);
        self.move_to(dst.reg, own.reg, span);
    }

    /// Evaluates into consecutive new registers.
    fn run(&mut self, items: impl Iterator<Item = ExprId>) -> u8 {
        let first = small(self.next);
        for item in items {
            let dst = self.temp();
            self.expr(item, dst);
        }
        first
    }

    /// A new list of single elements and, where marked, of all elements of a list.
    pub(super) fn collect(&mut self, list: u8, items: &[(ExprId, bool)], span: Span) {
        self.emit(Op::List, list, list, 0, 0, span);
        self.push_items(list, items, span);
    }

    pub(super) fn push_items(&mut self, list: u8, items: &[(ExprId, bool)], span: Span) {
        let mut at = 0;
        while let Some(&(item, spread)) = items.get(at) {
            let mark = self.mark();
            if spread {
                let other = self.any(item);
                self.emit(Op::ListSpread, list, other, 0, 0, self.ast.span(item));
                at += 1;
            } else {
                let most = self.run_length();
                let run = items.get(at..).unwrap_or_default().iter().take(most).take_while(|item| !item.1).map(|item| item.0);
                let run: Vec<ExprId> = run.collect();
                let first = self.run(run.iter().copied());
                self.emit(Op::ListPush, list, first, small(run.len()), 0, span);
                at += run.len();
            }
            self.release(mark);
        }
    }

    /// The leading entries with constant keys are made at once, the rest are set one by one.
    pub(super) fn object(&mut self, entries: &[Entry], dst: Dst, span: Span) {
        let most = self.run_length();
        let leading = entries.iter().take(most).take_while(|entry| !matches!(entry.key, Key::Computed(_))).count();
        let own = if leading < entries.len() { self.scratch(dst) } else { dst };
        let mark = self.mark();
        let (head, tail) = entries.split_at_checked(leading).unwrap_or((entries, &[]));
        if head.is_empty() {
            self.emit(Op::ObjectNew, own.reg, 0, 0, 0, span);
        } else {
            let keys = head.iter().map(|entry| self.constant_key(&entry.key)).collect();
            let first = self.run(head.iter().map(|entry| entry.value));
            let template = self.template(keys);
            self.emit(Op::Object, own.reg, first, 0, template, span);
        }
        self.release(mark);
        for entry in tail {
            self.set_entry(own.reg, entry);
            self.release(mark);
        }
        self.move_to(dst.reg, own.reg, span);
    }

    fn constant_key(&mut self, key: &Key) -> u32 {
        match key {
            Key::Name(name) => self.text(self.ast.name(*name)),
            Key::Text(text) => self.text(text),
            Key::Computed(_) => self.text(""),
        }
    }

    fn set_entry(&mut self, object: u8, entry: &Entry) {
        match &entry.key {
            Key::Computed(key) => {
                let key = self.stable(*key, &[entry.value]);
                let value = self.any(entry.value);
                self.emit(Op::SetIndex, object, key, value, 0, entry.span);
            }
            Key::Name(_) | Key::Text(_) => {
                let value = self.any(entry.value);
                let constant = self.constant_key(&entry.key);
                let site = self.site_of(constant);
                self.emit(Op::SetField, object, value, 0, site, entry.span);
            }
        }
    }

    /// `$"text {e} text"`
    pub(super) fn interpolation(&mut self, pieces: &[Piece], dst: Dst, span: Span) {
        if pieces.is_empty() {
            let constant = self.text("");
            self.emit(Op::Const, dst.reg, 0, 0, constant, span);
            return;
        }
        let most = self.run_length().max(2);
        let mark = self.mark();
        let first = small(self.next);
        let mut count = 0;
        for (at, piece) in pieces.iter().enumerate() {
            let own = self.temp();
            match piece {
                Piece::Text(text) => {
                    let constant = self.text(text);
                    self.emit(Op::Const, own.reg, 0, 0, constant, span);
                }
                Piece::Expr(part) => self.expr(*part, own),
            }
            count += 1;
            let last = at + 1 == pieces.len();
            if last || count == most {
                self.emit(Op::Concat, if last { dst.reg } else { first }, first, small(count), 0, span);
                self.release(mark);
                self.alloc();
                count = 1;
            }
        }
        self.release(mark);
    }

    /// Whether an expression is a range that a loop can count through.
    pub(super) fn as_range(&self, id: ExprId) -> Option<(ExprId, ExprId, bool)> {
        match self.ast.expr(self.bare(id)) {
            Expr::Range { lo, hi, exclusive } => Some((*lo, *hi, *exclusive)),
            _ => None,
        }
    }
}
