//! Expressions. The spines that do not count towards a tree's height (left operands, postfix chains, pipelines) are walked in loops.

use super::collect::pattern_names;
use super::hint::shown;
use super::{Ref, Resolver, VarSet};
use crate::ast::{Arg, Arm, BinOp, Expr, ExprId, Key, Name, PatId, Pattern, Piece, Stage};
use crate::diagnostic::{Diagnostic, codes};
use std::collections::HashSet;

impl Resolver<'_> {
    /// Resolves the names in an expression, and notes when it holds an assignment.
    pub(super) fn expr(&mut self, id: ExprId) {
        let writes = self.writes;
        self.expr_parts(id);
        if self.writes != writes {
            self.out.assigning.insert(id);
        }
    }

    fn expr_parts(&mut self, id: ExprId) {
        let ast = self.ast;
        match ast.expr(id) {
            Expr::Nil | Expr::Bool(_) | Expr::Num(_) | Expr::Str(_) | Expr::Bytes(_) | Expr::Hole | Expr::Error => {}
            Expr::Name(name) => self.name(id, *name, false),
            Expr::Interp(pieces) => {
                for piece in pieces {
                    if let Piece::Expr(part) = piece {
                        self.expr(*part);
                    }
                }
            }
            Expr::List(items) => items.iter().for_each(|&item| self.expr(item)),
            Expr::Object(entries) => {
                for entry in entries {
                    if let Key::Computed(key) = entry.key {
                        self.expr(key);
                    }
                    self.expr(entry.value);
                }
            }
            Expr::Paren(inner) | Expr::Unary(_, inner) => self.expr(*inner),
            Expr::Binary(..) => self.binary(id),
            Expr::Range { lo, hi, .. } => {
                self.expr(*lo);
                self.expr(*hi);
            }
            Expr::Call { .. } | Expr::Index { .. } | Expr::Field { .. } => self.chain(id),
            Expr::Pipe { .. } => self.pipe(id),
            Expr::Lambda(function) => self.function(*function, None),
            Expr::If { .. } => self.conditional(id),
            Expr::Match { subject, arms } => self.match_arms(*subject, arms),
        }
    }

    fn name(&mut self, id: ExprId, name: Name, stage: bool) {
        let meaning: Ref = self.read(name, self.ast.span(id), stage);
        if let Some(slot) = self.out.refs.get_mut(id.0 as usize) {
            *slot = meaning;
        }
    }

    /// A chain of `if`s.
    fn conditional(&mut self, id: ExprId) {
        let ast = self.ast;
        let (mut next, mut taken) = (Some(id), None);
        while let Some(id) = next.take() {
            let Expr::If { cond, then, otherwise } = ast.expr(id) else { break };
            self.expr(*cond);
            let before = self.set();
            self.block(*then);
            let set = self.set();
            taken = Some(match taken {
                Some(taken) => set.meet(taken),
                None => set,
            });
            self.set_to(before);
            next = otherwise.and_then(|block| ast.chained_if(block));
            if let (Some(block), None) = (otherwise, next) {
                self.block(*block);
            }
        }
        if let Some(taken) = taken {
            self.set_to(self.set().meet(taken));
        }
    }

    fn binary(&mut self, id: ExprId) {
        let ast = self.ast;
        let mut rights = Vec::new();
        let mut left = id;
        while let Expr::Binary(op, next, right) = ast.expr(left) {
            rights.push((*op, *right));
            left = *next;
        }
        self.expr(left);
        for (op, right) in rights.into_iter().rev() {
            let before = self.set();
            self.expr(right);
            if matches!(op, BinOp::And | BinOp::Or) {
                self.set_to(self.set().meet(before));
            }
        }
    }

    fn chain(&mut self, id: ExprId) {
        let ast = self.ast;
        let mut steps = Vec::new();
        let mut base = id;
        while let Expr::Call { callee: next, .. } | Expr::Index { base: next, .. } | Expr::Field { base: next, .. } = ast.expr(base) {
            steps.push(base);
            base = *next;
        }
        self.expr(base);
        // What comes after the first optional step may be skipped.
        let mut sure = None;
        for step in steps.into_iter().rev() {
            match ast.expr(step) {
                Expr::Call { args, .. } => self.args(args),
                Expr::Index { index, optional, .. } => {
                    if *optional {
                        sure = sure.or(Some(self.set()));
                    }
                    self.expr(*index);
                }
                Expr::Field { optional: true, .. } => sure = sure.or(Some(self.set())),
                _ => {}
            }
        }
        if let Some(sure) = sure {
            self.set_to(self.set().meet(sure));
        }
    }

    fn args(&mut self, args: &[Arg]) {
        args.iter().for_each(|arg| self.expr(arg.expr));
    }

    fn pipe(&mut self, id: ExprId) {
        let ast = self.ast;
        let mut stages = Vec::new();
        let mut value = id;
        while let Expr::Pipe { value: next, stage } = ast.expr(value) {
            stages.push(stage);
            value = *next;
        }
        self.expr(value);
        for stage in stages.into_iter().rev() {
            match stage {
                Stage::Access(chain) => self.expr(*chain),
                Stage::Apply { callee, args } => {
                    match ast.expr(*callee) {
                        Expr::Name(name) => self.name(*callee, *name, true),
                        _ => self.expr(*callee),
                    }
                    self.args(args);
                }
            }
        }
    }

    fn match_arms(&mut self, subject: ExprId, arms: &[Arm]) {
        self.expr(subject);
        let before = self.set();
        let (mut after, mut certain) = (VarSet::ALL, false);
        for arm in arms {
            let names = self.bind_pattern(arm.pattern);
            if let Some(guard) = arm.guard {
                self.expr(guard);
            }
            self.block(arm.body);
            self.unbind(names);
            after = after.meet(self.set());
            self.set_to(before);
            certain |= arm.guard.is_none() && matches!(self.ast.pat(arm.pattern), Pattern::Any | Pattern::Bind(_));
        }
        self.set_to(if certain { after } else { after.meet(before) });
    }

    /// Binds a pattern's names; says how many.
    fn bind_pattern(&mut self, pattern: PatId) -> usize {
        let mut seen = HashSet::new();
        let mut count = 0;
        for (place, name) in pattern_names(self.ast, pattern) {
            if !seen.insert(name) {
                let span = self.ast.pat_spans.get(place.0 as usize).copied().unwrap_or_default();
                let message = format!("the pattern binds `{}` twice", shown(self.ast.name(name)));
                self.error(
                    Diagnostic::new(codes::BOUND_TWICE, span, message).help("bind another name and compare in a guard: `[a, b] if a == b`"),
                );
            }
            let var = self.bind_fresh(name);
            self.out.pat_vars.insert(place, var);
            count += 1;
        }
        count
    }
}
