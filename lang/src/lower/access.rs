//! Postfix chains (fields, elements, calls) and pipelines, each walked from its base outwards in a loop.

use super::{Dst, Lower, MAX_DIRECT_ARGS, small};
use crate::ast::{Arg, Expr, ExprId, Stage};
use crate::code::op::Op;
use crate::resolve::Place;
use crate::source::Span;

impl Lower<'_> {
    /// `x.a[b]?.c(d)…`
    pub(super) fn chain(&mut self, id: ExprId, dst: Dst) {
        let ast = self.ast;
        let (mut steps, mut base, mut calls, mut optional) = (Vec::new(), id, false, false);
        loop {
            let next = match ast.expr(base) {
                Expr::Call { callee, .. } => {
                    calls = true;
                    *callee
                }
                Expr::Index { base, optional: skips, .. } | Expr::Field { base, optional: skips, .. } => {
                    optional |= skips;
                    *base
                }
                _ => break,
            };
            steps.push((base, next));
            base = next;
        }
        steps.reverse();
        if let ([(step, _)], Expr::Call { args, .. }) = (&steps[..], ast.expr(id))
            && self.known_call(base, None, args, dst.reg, ast.span(*step))
        {
            return;
        }
        let direct = steps.len() == 1 && !calls && !optional;
        let own = match direct {
            true => dst,
            false if calls => self.scratch_on_top(dst),
            false => self.scratch(dst),
        };
        let (mut at, mut current) = self.chain_base(base, &steps, own, optional);
        let end = self.label();
        while let Some(&(step, before)) = steps.get(at) {
            at += 1;
            let span = self.step_span(before, step);
            let out = if at == steps.len() && !optional && !matches!(ast.expr(step), Expr::Call { .. }) { dst.reg } else { own.reg };
            let mark = self.mark();
            match ast.expr(step) {
                Expr::Field { name, optional: skips, .. } => {
                    if *skips {
                        self.jump(Op::JumpNil, current, 0, end, span);
                    }
                    let site = self.site(ast.name(*name));
                    self.emit(Op::GetField, out, current, 0, site, span);
                }
                Expr::Index { index, optional: skips, .. } => {
                    if *skips {
                        self.jump(Op::JumpNil, current, 0, end, span);
                    }
                    self.index(out, current, *index, *skips, span);
                    if *skips && at < steps.len() {
                        // A missing element ends the chain like a nil receiver does.
                        self.jump(Op::JumpNil, out, 0, end, span);
                    }
                }
                Expr::Call { args, .. } => {
                    self.move_to(own.reg, current, span);
                    self.call(own.reg, None, args, ast.span(step));
                }
                _ => {}
            }
            self.release(mark);
            current = out;
        }
        self.bind(end);
        self.move_to(dst.reg, current, ast.span(id));
    }

    /// Evaluates a chain's base, and its first step too when that is a call of a builtin or native. Gives the number of steps done and
    /// where the value is.
    fn chain_base(&mut self, base: ExprId, steps: &[(ExprId, ExprId)], own: Dst, optional: bool) -> (usize, u8) {
        let ast = self.ast;
        let first = steps.first().map_or(&Expr::Error, |&(step, _)| ast.expr(step));
        match first {
            Expr::Call { args, .. } => {
                let whole = steps.first().map_or_else(Span::default, |&(step, _)| ast.span(step));
                if self.known_call(base, None, args, own.reg, whole) {
                    return (1, own.reg);
                }
            }
            Expr::Index { index, .. } if !optional => {
                if let Some(register) = self.any_plain(base, &[*index]) {
                    return (0, register);
                }
            }
            _ if !optional => {
                if let Some(register) = self.any_plain(base, &[]) {
                    return (0, register);
                }
            }
            _ => {}
        }
        if steps.len() == 1 && !own.scratch {
            let other = self.temp();
            self.expr(base, other);
            return (0, other.reg);
        }
        self.expr(base, own);
        (0, own.reg)
    }

    /// `out = base[index]`
    pub(super) fn index(&mut self, out: u8, base: u8, index: ExprId, optional: bool, span: Span) {
        match self.int_literal(index) {
            Some(int) if !optional => _ = self.emit(Op::GetIndexI, out, base, 0, int as u32, span),
            _ => {
                let index = self.any(index);
                self.emit(if optional { Op::GetIndexOr } else { Op::GetIndex }, out, base, index, 0, span);
            }
        }
    }

    /// A call of a builtin or native by its name. `piped` is the register of a first argument that is there already, with nothing in use above it.
    fn known_call(&mut self, callee: ExprId, piped: Option<u8>, args: &[Arg], out: u8, span: Span) -> bool {
        let Expr::Name(_) = self.ast.expr(self.bare(callee)) else { return false };
        let (op, number) = match self.resolved.name(self.bare(callee)).place {
            Place::Builtin(number) => (Op::CallBuiltin, number),
            Place::Native(number) => (Op::CallNative, number),
            _ => return false,
        };
        if !self.in_registers(args) {
            return false;
        }
        let mark = self.mark();
        // What is called may use the registers from the first argument's on, so there is one even when there is no argument.
        let first = match piped {
            Some(register) => register,
            None if args.is_empty() => self.alloc(),
            None => small(self.next),
        };
        for arg in args {
            let dst = self.temp();
            self.expr(arg.expr, dst);
        }
        let count = small(args.len() + usize::from(piped.is_some()));
        self.emit(op, out, first, count, number, span);
        self.release(mark);
        true
    }

    /// A call, made for its effect only, of the builtin that appends to a list.
    pub(super) fn appends(&mut self, id: ExprId) -> bool {
        let Expr::Call { callee, args } = self.ast.expr(self.bare(id)) else { return false };
        let (Some(number), [list, item]) = (self.resolved.push, &args[..]) else { return false };
        if self.resolved.name(self.bare(*callee)).place != Place::Builtin(number) || list.spread || item.spread {
            return false;
        }
        let to = self.stable(list.expr, &[item.expr]);
        let from = self.any(item.expr);
        self.emit(Op::Push, to, from, 0, number, self.ast.span(id));
        true
    }

    /// Whether arguments can be passed one by one.
    fn in_registers(&self, args: &[Arg]) -> bool {
        args.len() <= MAX_DIRECT_ARGS && args.iter().all(|arg| !arg.spread)
    }

    /// Calls what is in register `callee`, the highest in use (but for `piped`, the first argument, right above it); the result replaces it.
    fn call(&mut self, callee: u8, piped: Option<u8>, args: &[Arg], span: Span) {
        if self.in_registers(args) {
            for arg in args {
                let dst = self.temp();
                self.expr(arg.expr, dst);
            }
            let count = small(args.len() + usize::from(piped.is_some()));
            self.emit(Op::Call, callee, count, 0, 0, span);
            return;
        }
        let items: Vec<(ExprId, bool)> = args.iter().map(|arg| (arg.expr, arg.spread)).collect();
        let list = match piped {
            Some(value) => {
                self.emit(Op::List, value, value, 1, 0, span);
                self.push_items(value, &items, span);
                value
            }
            None => {
                let list = self.alloc();
                self.collect(list, &items, span);
                list
            }
        };
        debug_assert_eq!(list, callee.wrapping_add(1));
        self.emit(Op::CallSpread, callee, 1, 0, 0, span);
    }

    /// `value | stage | stage …`
    pub(super) fn pipe(&mut self, id: ExprId, dst: Dst) {
        let ast = self.ast;
        let (mut stages, mut value) = (Vec::new(), id);
        while let Expr::Pipe { value: next, stage } = ast.expr(value) {
            stages.push((value, stage));
            value = *next;
        }
        // The callee's register, and the piped value's right above it: where a call wants them.
        let callee = self.scratch_on_top(dst);
        let piped = self.temp();
        self.expr(value, piped);
        let hole = self.hole;
        for (at, (whole, stage)) in stages.iter().enumerate().rev() {
            let span = ast.span(*whole);
            match stage {
                Stage::Access(chain) => {
                    self.hole = piped.reg;
                    self.expr(*chain, piped);
                    self.hole = hole;
                }
                Stage::Apply { callee: name, args } => {
                    let span = args.last().map_or(ast.span(*name), |arg| ast.span(*name).to(ast.span(arg.expr)));
                    if !self.known_call(*name, Some(piped.reg), args, piped.reg, span) {
                        self.expr(*name, callee);
                        let mark = self.mark();
                        self.call(callee.reg, Some(piped.reg), args, span);
                        self.release(mark);
                        if at == 0 {
                            return self.move_to(dst.reg, callee.reg, span);
                        }
                        self.move_to(piped.reg, callee.reg, span);
                    }
                }
            }
            if at == 0 {
                self.move_to(dst.reg, piped.reg, span);
            }
        }
    }
}
