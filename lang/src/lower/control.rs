//! Blocks, `if`, `mat` and loops.

use super::{Dst, Label, LoopState, Lower, Want, small};
use crate::ast::{Arm, BlockId, Expr, ExprId, Pattern, Stmt, StmtId};
use crate::code::op::Op;
use crate::resolve::LoopVars;
use crate::source::Span;

impl Lower<'_> {
    /// A block; its last statement's value is its own.
    pub(super) fn block(&mut self, id: BlockId, want: Want) {
        let ast = self.ast;
        let hoisted = self.resolved.hoisted.contains(&id);
        if hoisted {
            for &stmt in ast.block(id) {
                if let Stmt::Fn(function) = ast.stmt(stmt) {
                    self.named_function(*function);
                }
            }
        }
        let mut given = false;
        let stmts = ast.block(id);
        for (at, &stmt) in stmts.iter().enumerate() {
            let mark = self.mark();
            match ast.stmt(stmt) {
                Stmt::Expr(expr) if at + 1 == stmts.len() => {
                    self.give(*expr, want);
                    given = true;
                }
                Stmt::Fn(_) if hoisted => {}
                _ => self.stmt(stmt),
            }
            self.release(mark);
        }
        if !given {
            self.nothing(want, stmts.last().map_or_else(Span::default, |&stmt| ast.stmt_span(stmt)));
        }
        if matches!(want, Want::Tail) {
            let span = stmts.last().map_or_else(Span::default, |&stmt| ast.stmt_span(stmt));
            self.finish(span);
        }
    }

    /// The value of what has none.
    fn nothing(&mut self, want: Want, span: Span) {
        match want {
            Want::Value(dst) => _ = self.emit(Op::Nil, dst.reg, 0, 0, 0, span),
            Want::Tail => self.finish(span),
            Want::Effect => {}
        }
    }

    /// A chain of `if`s.
    pub(super) fn if_expr(&mut self, id: ExprId, want: Want) {
        let (mark, end) = (self.mark(), self.label());
        let mut next = Some(id);
        while let Some(id) = next.take() {
            let Expr::If { cond, then, otherwise } = self.ast.expr(id) else { break };
            if let (Want::Effect, None, Some(to)) = (want, otherwise, self.jumps_to(*then)) {
                self.condition(*cond, true, to);
                break;
            }
            let (span, other) = (self.ast.span(id), self.label());
            self.condition(*cond, false, other);
            self.block(*then, want);
            if otherwise.is_none() && matches!(want, Want::Effect) {
                self.bind(other);
                break;
            }
            if !matches!(want, Want::Tail) {
                self.jump(Op::Jump, 0, 0, end, span);
            }
            self.bind(other);
            next = otherwise.and_then(|block| self.ast.chained_if(block));
            match otherwise {
                Some(block) if next.is_none() => self.block(*block, want),
                Some(_) => {}
                None => self.nothing(want, span),
            }
        }
        self.bind(end);
        self.release(mark);
    }

    /// The label that a block goes to when it does nothing else.
    fn jumps_to(&self, block: BlockId) -> Option<Label> {
        let [only] = self.ast.block(block) else { return None };
        let around = self.loops.last()?;
        match self.ast.stmt(*only) {
            Stmt::Brk => Some(around.end),
            Stmt::Cnt => around.head.err(),
            _ => None,
        }
    }

    pub(super) fn match_expr(&mut self, id: ExprId, want: Want) {
        let Expr::Match { subject, arms } = self.ast.expr(id) else { return };
        let (span, mark) = (self.ast.span(id), self.mark());
        // An arm that assigns to the matched variable must not change what later patterns look at, so the value is kept.
        let kept = self.stable(*subject, &[id]);
        let end = self.label();
        let mut certain = false;
        for (at, arm) in arms.iter().enumerate() {
            let next = self.label();
            let inner = self.mark();
            self.arm(arm, kept, want, next);
            self.release(inner);
            certain = arm.guard.is_none() && matches!(self.ast.pat(arm.pattern), Pattern::Any | Pattern::Bind(_));
            if certain {
                break;
            }
            let runs_on = at + 1 == arms.len() && matches!(want, Want::Effect);
            if !runs_on && !matches!(want, Want::Tail) {
                self.jump(Op::Jump, 0, 0, end, span);
            }
            self.bind(next);
        }
        if !certain {
            self.nothing(want, span);
        }
        self.bind(end);
        self.release(mark);
    }

    fn arm(&mut self, arm: &Arm, subject: u8, want: Want, next: Label) {
        self.pattern_registers(arm.pattern);
        self.pattern(arm.pattern, subject, next);
        if let Some(guard) = arm.guard {
            self.condition(guard, false, next);
        }
        self.block(arm.body, want);
    }

    pub(super) fn while_loop(&mut self, cond: ExprId, body: BlockId, span: Span) {
        let (head, end) = (self.here(), self.label());
        if let Some((first, others)) = self.repeated(cond) {
            // Tested before the first round and at the end of each: a round then passes one jump, which is its back edge.
            let next = self.label();
            self.condition(first, false, end);
            let start = self.here();
            for other in others {
                self.condition(other, false, end);
            }
            self.loops.push(LoopState { head: Err(next), end });
            self.block(body, Want::Effect);
            self.loops.pop();
            self.bind(next);
            self.back_edge(first, start, span);
            return self.bind(end);
        }
        // The way back arrives with nothing counted, so the head counts on from what comes from above.
        self.condition(cond, false, end);
        self.loops.push(LoopState { head: Ok(head), end });
        self.block(body, Want::Effect);
        self.loops.pop();
        self.emit(Op::Loop, 0, 0, 0, head, span);
        self.bind(end);
    }

    pub(super) fn for_loop(&mut self, id: StmtId, source: ExprId, body: BlockId) {
        let vars = self.resolved.for_vars.get(&id).map_or(&[][..], LoopVars::as_slice);
        match (self.as_range(source), vars) {
            (Some(range), [_]) => self.count_loop(id, range, body),
            _ => self.iterate(id, source, body),
        }
    }

    /// A loop over a range, without making it.
    fn count_loop(&mut self, id: StmtId, (lo, hi, exclusive): (ExprId, ExprId, bool), body: BlockId) {
        let (mark, span) = (self.mark(), self.ast.span(lo).to(self.ast.span(hi)));
        let state = [self.temp(), self.temp(), self.temp()];
        let [first, last, _] = state;
        self.expr(lo, first);
        self.expr(hi, last);
        let (value, end, next) = (self.alloc(), self.label(), self.label());
        self.jump3(Op::ForPrep, first.reg, value, u8::from(exclusive), end, span);
        let start = self.here();
        self.bind_loop(id, value);
        self.loops.push(LoopState { head: Err(next), end });
        self.block(body, Want::Effect);
        self.loops.pop();
        self.bind(next);
        self.emit(Op::ForLoop, first.reg, value, u8::from(exclusive), start, span);
        self.bind(end);
        self.release(mark);
    }

    fn iterate(&mut self, id: StmtId, source: ExprId, body: BlockId) {
        let (mark, span) = (self.mark(), self.ast.span(source));
        let vars = self.resolved.for_vars.get(&id).map_or(&[][..], LoopVars::as_slice);
        let state: [Dst; 3] = [self.temp(), self.temp(), self.temp()];
        let [first, ..] = state;
        let source = self.any(source);
        self.emit(Op::IterNew, first.reg, source, 0, 0, span);
        let values = self.loop_registers(vars);
        let (count, end, next) = (small(vars.len().max(1)), self.label(), self.label());
        self.jump3(Op::IterNext, first.reg, values, count, end, span);
        let start = self.here();
        self.bind_loop(id, values);
        self.loops.push(LoopState { head: Err(next), end });
        self.block(body, Want::Effect);
        self.loops.pop();
        self.bind(next);
        self.emit(Op::IterLoop, first.reg, values, count, start, span);
        self.bind(end);
        self.release(mark);
    }

    /// The values of a round are in registers from `values` on: makes them the loop's variables.
    fn bind_loop(&mut self, id: StmtId, values: u8) {
        let vars = self.resolved.for_vars.get(&id).map_or(&[][..], LoopVars::as_slice);
        for (var, register) in vars.iter().zip(values..) {
            let Some(var) = var else { continue };
            if self.resolved.var(*var).is_some_and(|var| var.shared) {
                // The loop's own register keeps the plain value; the cell of this round is another one.
                self.fresh_register(*var);
                self.share_fresh(*var, register, self.ast.stmt_span(id));
            } else {
                self.set_register(*var, register);
            }
        }
    }
}
