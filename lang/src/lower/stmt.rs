//! Statements.

use super::{Lower, Want};
use crate::ast::{BinOp, Expr, ExprId, Stmt, StmtId};
use crate::code::op::Op;
use crate::code::program::ModuleRef;
use crate::source::Span;

impl Lower<'_> {
    pub(super) fn stmt(&mut self, id: StmtId) {
        let (ast, span) = (self.ast, self.ast.stmt_span(id));
        match ast.stmt(id) {
            Stmt::Expr(expr) => self.give(*expr, Want::Effect),
            Stmt::Assign { target, value } => self.assign_to(*target, *value),
            Stmt::Update { op, target, value } => self.update(*op, *target, *value, span),
            Stmt::Def { name_span, value, .. } => {
                let place = self.resolved.def_places.get(&id).copied().unwrap_or_default();
                self.assign(place, *value, *name_span);
            }
            Stmt::Fn(function) => self.named_function(*function),
            Stmt::Ret(Some(value)) => self.give(*value, Want::Tail),
            Stmt::Ret(None) => _ = self.emit(Op::ReturnNil, 0, 0, 0, 0, span),
            Stmt::Brk => {
                if let Some(end) = self.loops.last().map(|state| state.end) {
                    self.jump(Op::Jump, 0, 0, end, span);
                }
            }
            Stmt::Cnt => match self.loops.last().map(|state| state.head) {
                Some(Ok(head)) => _ = self.emit(Op::Loop, 0, 0, 0, head, span),
                Some(Err(next)) => self.jump(Op::Jump, 0, 0, next, span),
                None => {}
            },
            Stmt::While { cond, body } => self.while_loop(*cond, *body, span),
            Stmt::For { source, body, .. } => self.for_loop(id, *source, *body),
            Stmt::Use { .. } => self.use_module(id, span),
            Stmt::Error => {}
        }
    }

    fn assign_to(&mut self, target: ExprId, value: ExprId) {
        let (ast, span) = (self.ast, self.ast.span(target));
        match ast.expr(target) {
            Expr::Name(_) => self.assign(self.resolved.name(target).place, value, span),
            Expr::Index { base, index, .. } => {
                let span = self.step_span(*base, target);
                let base = self.stable(*base, &[*index, value]);
                let index = self.stable(*index, &[value]);
                let value = self.any(value);
                self.emit(Op::SetIndex, base, index, value, 0, span);
            }
            Expr::Field { base, name, .. } => {
                let span = self.step_span(*base, target);
                let base = self.stable(*base, &[value]);
                let value = self.any(value);
                let site = self.site(ast.name(*name));
                self.emit(Op::SetField, base, value, 0, site, span);
            }
            _ => self.give(value, Want::Effect),
        }
    }

    /// `target op= value`: the target's base and index are evaluated once, its old value before the right operand.
    fn update(&mut self, op: BinOp, target: ExprId, value: ExprId, span: Span) {
        let (ast, whole) = (self.ast, self.ast.span(target));
        let operator = self.between(whole.end, ast.span(value).start, span);
        match ast.expr(target) {
            Expr::Name(_) => {
                let meaning = self.resolved.name(target);
                if let Some(register) = self.any_plain(target, &[value]) {
                    return self.operator(op, register, register, value, operator);
                }
                let own = self.temp();
                self.read(target, own.reg);
                self.operator(op, own.reg, own.reg, value, operator);
                self.store(meaning.place, own.reg, whole);
            }
            Expr::Index { base, index, .. } => {
                let step = self.step_span(*base, target);
                let base = self.stable(*base, &[*index, value]);
                let index = self.stable(*index, &[value]);
                let own = self.temp();
                self.emit(Op::GetIndex, own.reg, base, index, 0, step);
                self.operator(op, own.reg, own.reg, value, operator);
                self.emit(Op::SetIndex, base, index, own.reg, 0, step);
            }
            Expr::Field { base, name, .. } => {
                let step = self.step_span(*base, target);
                let base = self.stable(*base, &[value]);
                let own = self.temp();
                let (read, write) = (self.site(ast.name(*name)), self.site(ast.name(*name)));
                self.emit(Op::GetField, own.reg, base, 0, read, step);
                self.operator(op, own.reg, own.reg, value, operator);
                self.emit(Op::SetField, base, own.reg, 0, write, step);
            }
            _ => self.give(value, Want::Effect),
        }
    }

    fn use_module(&mut self, id: StmtId, span: Span) {
        let Some(plan) = self.resolved.use_plans.get(&id) else { return };
        let module = self.temp();
        self.emit(Op::Use, module.reg, 0, 0, plan.module, span);
        if let Some(place) = plan.alias {
            // Of a standard module it is the object that the module is called after: `use txt as t` makes `t.trim`.
            if let Some(ModuleRef::Std(name)) = self.resolved.uses.get(plan.module as usize) {
                let site = self.site(name);
                self.emit(Op::GetField, module.reg, module.reg, 0, site, span);
            }
            self.store(place, module.reg, span);
        }
        if plan.all {
            self.emit(Op::UseAll, module.reg, 0, 0, plan.module, span);
        }
        let field = self.temp();
        for &(name, place) in &plan.binds {
            let site = self.site(self.ast.name(name));
            match self.plain_register(place) {
                Some(register) => _ = self.emit(Op::GetField, register, module.reg, 0, site, span),
                None => {
                    self.emit(Op::GetField, field.reg, module.reg, 0, site, span);
                    self.store(place, field.reg, span);
                }
            }
        }
    }
}
