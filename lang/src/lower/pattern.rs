//! Patterns: tests that jump away, and values put into the arm's variables.

use super::{Label, Lower, small};
use crate::ast::{ExprId, PatId, Pattern};
use crate::code::op::Op;
use crate::diagnostic::{Diagnostic, codes};
use crate::resolve::Place;
use crate::source::Span;

/// Most elements a list pattern names: the instruction counts in a byte.
const MAX_PATTERN_ITEMS: usize = 200;

impl Lower<'_> {
    fn pattern_span(&self, id: PatId) -> Span {
        self.ast.pat_spans.get(id.0 as usize).copied().unwrap_or_default()
    }

    /// Gives the variables of a pattern their registers.
    pub(super) fn pattern_registers(&mut self, id: PatId) {
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            if let Some(&var) = self.resolved.pat_vars.get(&id) {
                self.fresh_register(var);
            }
            match self.ast.pat(id) {
                Pattern::List { items, .. } => todo.extend(items.iter().rev()),
                Pattern::Object(fields) => todo.extend(fields.iter().rev().map(|&(_, pattern)| pattern)),
                // Alternatives bind nothing.
                Pattern::Or(_) | Pattern::Any | Pattern::Literal(_) | Pattern::Bind(_) | Pattern::Range { .. } => {}
            }
        }
    }

    /// Goes on when the value in `subject` fits, else jumps to `fail`.
    pub(super) fn pattern(&mut self, id: PatId, subject: u8, fail: Label) {
        let (mark, span) = (self.mark(), self.pattern_span(id));
        match self.ast.pat(id) {
            Pattern::Any => {}
            Pattern::Bind(_) => self.bind_variable(id, subject),
            Pattern::Literal(literal) => self.literal_pattern(*literal, subject, fail),
            Pattern::Range { lo, hi, exclusive } => {
                self.jump(Op::MatchNum, subject, 0, fail, span);
                self.bound(*lo, subject, (Op::JumpLtI, Op::JumpLt), false, fail);
                let ops = if *exclusive { (Op::JumpGeI, Op::JumpLe) } else { (Op::JumpGtI, Op::JumpLt) };
                self.bound(*hi, subject, ops, true, fail);
            }
            Pattern::List { items, rest } => self.list_pattern(id, items, rest.is_some(), subject, fail),
            Pattern::Object(fields) => {
                self.jump(Op::MatchObject, subject, 0, fail, span);
                for (key, pattern) in fields {
                    let inner = self.mark();
                    let value = self.part_register(*pattern);
                    let (constant, site) = (self.text(key), self.site(key));
                    self.emit(Op::HasKey, value, subject, 0, constant, span);
                    self.jump(Op::JumpFalse, value, 0, fail, span);
                    self.emit(Op::GetField, value, subject, 0, site, span);
                    self.pattern(*pattern, value, fail);
                    self.release(inner);
                }
            }
            Pattern::Or(options) => {
                let fits = self.label();
                for (at, option) in options.iter().enumerate() {
                    if at + 1 == options.len() {
                        self.pattern(*option, subject, fail);
                    } else {
                        let next = self.label();
                        self.pattern(*option, subject, next);
                        self.jump(Op::Jump, 0, 0, fits, span);
                        self.bind(next);
                    }
                }
                self.bind(fits);
            }
        }
        self.release(mark);
    }

    /// Where a part of the subject goes: into the variable that the part's pattern binds, when it only binds.
    fn part_register(&mut self, pattern: PatId) -> u8 {
        let var = self.resolved.pat_vars.get(&pattern).copied();
        match var.and_then(|var| self.plain_register(Place::Own(var))) {
            Some(register) => register,
            None => self.alloc(),
        }
    }

    fn bind_variable(&mut self, id: PatId, from: u8) {
        if let Some(&var) = self.resolved.pat_vars.get(&id) {
            self.share_fresh(var, from, self.pattern_span(id));
        }
    }

    fn list_pattern(&mut self, id: PatId, items: &[PatId], open: bool, subject: u8, fail: Label) {
        let span = self.pattern_span(id);
        if items.len() > MAX_PATTERN_ITEMS {
            let message = format!("a list pattern with {} elements, and {MAX_PATTERN_ITEMS} is the most", items.len());
            self.errors.push(
                Diagnostic::new(codes::LONG_PATTERN, span, message).help("match the first elements and take the others with `..rest`"),
            );
            return;
        }
        self.jump3(Op::MatchList, subject, small(items.len()), u8::from(open), fail, span);
        for (item, index) in items.iter().zip(0_u32..) {
            if matches!(self.ast.pat(*item), Pattern::Any) {
                continue;
            }
            let inner = self.mark();
            let value = self.part_register(*item);
            self.emit(Op::GetIndexI, value, subject, 0, index, span);
            self.pattern(*item, value, fail);
            self.release(inner);
        }
        if self.resolved.pat_vars.contains_key(&id) {
            let tail = self.part_register(id);
            self.emit(Op::ListTail, tail, subject, small(items.len()), 0, span);
            self.bind_variable(id, tail);
        }
    }

    fn literal_pattern(&mut self, literal: ExprId, subject: u8, fail: Label) {
        let span = self.ast.span(literal);
        if let Some(byte) = self.byte_literal(literal) {
            return self.jump(Op::JumpNeI, subject, byte, fail, span);
        }
        let value = self.any(literal);
        self.jump(Op::JumpNe, subject, value, fail, span);
    }

    /// One end of a range pattern: to `fail` when the subject lies beyond it. `above` says which side that is.
    fn bound(&mut self, end: ExprId, subject: u8, (byte_op, op): (Op, Op), above: bool, fail: Label) {
        let span = self.ast.span(end);
        if let Some(byte) = self.byte_literal(end) {
            return self.jump(byte_op, subject, byte, fail, span);
        }
        let mark = self.mark();
        let value = self.any(end);
        let (a, b) = if above { (value, subject) } else { (subject, value) };
        self.jump(op, a, b, fail, span);
        self.release(mark);
    }

    /// A string that stands where a site is wanted.
    pub(super) fn site_of(&mut self, constant: u32) -> u32 {
        self.parts.sites.push(constant);
        super::number(self.parts.sites.len() - 1)
    }
}
