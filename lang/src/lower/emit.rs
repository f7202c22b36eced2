//! Words, labels and registers of the function being lowered.

use super::{Dst, Label, Lower, number, small};
use crate::ast::{Expr, ExprId, UnOp};
use crate::code::op::{Op, Word};
use crate::code::program::{Constant, MAX_STRAIGHT};
use crate::source::Span;

impl Lower<'_> {
    /// Appends an instruction, with a checkpoint before it where the code would run too long without one.
    pub(super) fn emit(&mut self, op: Op, a: u8, b: u8, c: u8, k: u32, span: Span) -> usize {
        if op.row().checkpoint {
            self.straight = 0;
        } else {
            if self.straight >= MAX_STRAIGHT {
                self.push(Word::new(Op::Check, 0, 0, 0, 0), span);
                self.straight = 0;
            }
            self.straight += 1;
        }
        self.push(Word::new(op, a, b, c, k), span)
    }

    fn push(&mut self, word: Word, span: Span) -> usize {
        self.parts.code.push(word);
        self.parts.spans.push(span);
        self.parts.code.len() - 1
    }

    pub(super) fn label(&mut self) -> Label {
        self.labels.push(Vec::new());
        Label(self.labels.len() - 1)
    }

    /// Appends a forward jump.
    pub(super) fn jump(&mut self, op: Op, a: u8, b: u8, to: Label, span: Span) {
        self.jump3(op, a, b, 0, to, span);
    }

    pub(super) fn jump3(&mut self, op: Op, a: u8, b: u8, c: u8, to: Label, span: Span) {
        let at = self.emit(op, a, b, c, 0, span);
        let straight = self.straight;
        if let Some(jumps) = self.labels.get_mut(to.0) {
            jumps.push((at, straight));
        }
    }

    /// All jumps to the label come here.
    pub(super) fn bind(&mut self, label: Label) {
        let here = self.here();
        let jumps = self.labels.get_mut(label.0).map(std::mem::take).unwrap_or_default();
        for (at, straight) in jumps {
            self.straight = self.straight.max(straight);
            self.bound_at = self.parts.code.len();
            if let Some(word) = self.parts.code.get_mut(at) {
                *word = word.with_k(here);
            }
        }
    }

    pub(super) fn here(&self) -> u32 {
        number(self.parts.code.len())
    }

    /// Ends the function with nil, unless nothing gets here.
    pub(super) fn finish(&mut self, span: Span) {
        let ended = self.parts.code.last().is_some_and(|word| matches!(Op::from_number(word.op()), Some(Op::Return | Op::ReturnNil)));
        if !ended || self.bound_at == self.parts.code.len() {
            self.emit(Op::ReturnNil, 0, 0, 0, 0, span);
        }
    }

    /// Takes the next register. When there is none left the unit is refused at the end, so that the code need not be right any more.
    pub(super) fn alloc(&mut self) -> u8 {
        let register = small(self.next);
        self.next += 1;
        self.top = self.top.max(self.next);
        register
    }

    pub(super) fn mark(&self) -> usize {
        self.next
    }

    pub(super) fn release(&mut self, mark: usize) {
        self.next = mark;
    }

    /// A new register as a destination.
    pub(super) fn temp(&mut self) -> Dst {
        Dst { reg: self.alloc(), scratch: true }
    }

    /// The destination itself when it may hold intermediate values, else a new register.
    pub(super) fn scratch(&mut self, dst: Dst) -> Dst {
        if dst.scratch { dst } else { self.temp() }
    }

    /// Like [`Self::scratch`], and no register above it is in use: where a call can be built.
    pub(super) fn scratch_on_top(&mut self, dst: Dst) -> Dst {
        if dst.scratch && dst.reg as usize + 1 == self.next { dst } else { self.temp() }
    }

    pub(super) fn move_to(&mut self, dst: u8, from: u8, span: Span) {
        if dst != from {
            self.emit(Op::Move, dst, from, 0, 0, span);
        }
    }

    /// Loads a number.
    pub(super) fn load_number(&mut self, value: f64, dst: u8, span: Span) {
        match whole(value) {
            Some(int) => self.emit(Op::Int, dst, 0, 0, int as u32, span),
            None => {
                let constant = self.constant(Constant::Num(value));
                self.emit(Op::Const, dst, 0, 0, constant, span)
            }
        };
    }

    /// How many values may be collected in registers now: fewer when few registers are left.
    pub(super) fn run_length(&self) -> usize {
        (224_usize.saturating_sub(self.next) / 4).clamp(1, super::MAX_RUN)
    }

    /// The expression in any parentheses.
    pub(super) fn bare(&self, mut id: ExprId) -> ExprId {
        while let Expr::Paren(inner) = self.ast.expr(id) {
            id = *inner;
        }
        id
    }

    /// A number literal, sign included.
    pub(super) fn number_literal(&self, id: ExprId) -> Option<f64> {
        match self.ast.expr(self.bare(id)) {
            Expr::Num(value) => Some(*value),
            Expr::Unary(UnOp::Neg, inner) => match self.ast.expr(self.bare(*inner)) {
                Expr::Num(value) => Some(-*value),
                _ => None,
            },
            _ => None,
        }
    }

    /// A literal that fits an immediate.
    pub(super) fn int_literal(&self, id: ExprId) -> Option<i32> {
        self.number_literal(id).and_then(whole)
    }

    /// A literal that fits a byte operand.
    pub(super) fn byte_literal(&self, id: ExprId) -> Option<u8> {
        self.int_literal(id).and_then(|int| i8::try_from(int).ok()).map(|byte| byte as u8)
    }
}

/// A number that an `Int` operand holds exactly (negative zero does not).
fn whole(value: f64) -> Option<i32> {
    let int = value as i32;
    (f64::from(int).to_bits() == value.to_bits()).then_some(int)
}
