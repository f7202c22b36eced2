//! The names a function makes its own, found before its body is walked, so that a closure sees those assigned further down too.
//!
//! Goes through the body with an explicit stack and does not enter nested functions.

use super::Resolver;
use crate::ast::{Ast, BlockId, Expr, ExprId, FnId, Key, Module, Name, PatId, Pattern, Piece, Stage, Stmt, StmtId};
use crate::source::Span;
use std::collections::{HashMap, HashSet};

/// How a name comes to be bound in a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// `name = e`: makes a variable only when none is visible (in a named function: unless it has its own).
    Assign,
    /// `def`, a named function: always makes its own.
    Own,
    /// `use … as m`
    Alias,
    /// A name that `use` of this standard module copies.
    Import(Name),
}

/// A name bound in a function's own code.
pub(super) struct Found {
    pub name: Name,
    pub span: Span,
    pub why: Why,
}

enum Item {
    Expr(ExprId),
    /// A block from a statement on.
    Block(BlockId, usize),
    Hide(Vec<Name>),
    Show(Vec<Name>),
}

/// All names that a body binds for its function, in textual order; those that mean a loop's or pattern's own variable are left out.
pub(super) fn bound_names(resolver: &Resolver<'_>, body: BlockId, function: Option<FnId>) -> Vec<Found> {
    let ast = resolver.ast;
    let mut found = Vec::new();
    let mut hidden: HashMap<Name, u32> = HashMap::new();
    let mut assigned = HashSet::new();
    let mut todo = vec![Item::Block(body, 0)];
    for param in function.and_then(|id| ast.function(id)).map_or(&[][..], |function| &function.params) {
        todo.extend(param.default.map(Item::Expr));
    }
    while let Some(item) = todo.pop() {
        match item {
            Item::Hide(names) => names.into_iter().for_each(|name| *hidden.entry(name).or_default() += 1),
            Item::Show(names) => {
                for name in names {
                    if let Some(count) = hidden.get_mut(&name) {
                        *count = count.saturating_sub(1);
                    }
                }
            }
            Item::Expr(id) => push_parts(ast, id, &mut todo),
            Item::Block(block, at) => {
                let Some(&stmt) = ast.block(block).get(at) else { continue };
                todo.push(Item::Block(block, at + 1));
                let start = found.len();
                push_stmt(resolver, stmt, &mut todo, &mut found);
                keep_new(ast, &mut found, start, &hidden, &mut assigned);
            }
        }
    }
    found
}

/// Of what a statement binds, keeps what is not a loop's or pattern's own variable, `_`, or assigned before.
fn keep_new(ast: &Ast, found: &mut Vec<Found>, start: usize, hidden: &HashMap<Name, u32>, assigned: &mut HashSet<Name>) {
    let mut at = start;
    while let Some(one) = found.get(at) {
        let again = one.why == Why::Assign && (hidden.get(&one.name).is_some_and(|&count| count > 0) || !assigned.insert(one.name));
        if again || ast.name(one.name) == "_" {
            found.remove(at);
        } else {
            at += 1;
        }
    }
}

fn push_stmt(resolver: &Resolver<'_>, id: StmtId, todo: &mut Vec<Item>, found: &mut Vec<Found>) {
    let ast = resolver.ast;
    match ast.stmt(id) {
        Stmt::Expr(expr) | Stmt::Ret(Some(expr)) => todo.push(Item::Expr(*expr)),
        Stmt::Assign { target, value } | Stmt::Update { target, value, .. } => {
            if let Expr::Name(name) = ast.expr(*target) {
                found.push(Found { name: *name, span: ast.span(*target), why: Why::Assign });
            }
            todo.extend([Item::Expr(*value), Item::Expr(*target)]);
        }
        Stmt::Def { name, name_span, value } => {
            found.push(Found { name: *name, span: *name_span, why: Why::Own });
            todo.push(Item::Expr(*value));
        }
        Stmt::Fn(id) => {
            if let Some((name, span)) = ast.function(*id).and_then(|function| Some((function.name?, function.name_span))) {
                found.push(Found { name, span, why: Why::Own });
            }
        }
        Stmt::While { cond, body } => todo.extend([Item::Block(*body, 0), Item::Expr(*cond)]),
        Stmt::For { vars, source, body } => {
            let names: Vec<Name> = vars.iter().map(|&(name, _)| name).collect();
            todo.extend([Item::Show(names.clone()), Item::Block(*body, 0), Item::Hide(names), Item::Expr(*source)]);
        }
        Stmt::Use { module, alias } => push_use(resolver, id, module, *alias, found),
        Stmt::Ret(None) | Stmt::Brk | Stmt::Cnt | Stmt::Error => {}
    }
}

fn push_use(resolver: &Resolver<'_>, id: StmtId, module: &Module, alias: Option<Name>, found: &mut Vec<Found>) {
    let span = resolver.ast.stmt_span(id);
    match (alias, module) {
        (Some(name), _) => found.push(Found { name, span, why: Why::Alias }),
        (None, Module::Std(module)) => {
            for export in resolver.library.exports(resolver.ast.name(*module)).unwrap_or_default() {
                // A name that occurs nowhere in the text needs no variable.
                if let Some(&name) = resolver.names.get(export.as_str()) {
                    found.push(Found { name, span, why: Why::Import(*module) });
                }
            }
        }
        (None, Module::Path(_)) => {}
    }
}

/// Pushes what an expression consists of, the first part on top.
fn push_parts(ast: &Ast, id: ExprId, todo: &mut Vec<Item>) {
    let start = todo.len();
    match ast.expr(id) {
        Expr::Interp(pieces) => todo.extend(pieces.iter().filter_map(|piece| match piece {
            Piece::Expr(id) => Some(Item::Expr(*id)),
            Piece::Text(_) => None,
        })),
        Expr::List(items) => todo.extend(items.iter().map(|&id| Item::Expr(id))),
        Expr::Object(entries) => {
            for entry in entries {
                if let Key::Computed(key) = entry.key {
                    todo.push(Item::Expr(key));
                }
                todo.push(Item::Expr(entry.value));
            }
        }
        Expr::Paren(inner) | Expr::Unary(_, inner) | Expr::Field { base: inner, .. } => todo.push(Item::Expr(*inner)),
        Expr::Binary(_, left, right) | Expr::Range { lo: left, hi: right, .. } | Expr::Index { base: left, index: right, .. } => {
            todo.extend([Item::Expr(*left), Item::Expr(*right)]);
        }
        Expr::Call { callee, args } => {
            todo.push(Item::Expr(*callee));
            todo.extend(args.iter().map(|arg| Item::Expr(arg.expr)));
        }
        Expr::Pipe { value, stage } => {
            todo.push(Item::Expr(*value));
            match stage {
                Stage::Access(chain) => todo.push(Item::Expr(*chain)),
                Stage::Apply { callee, args } => {
                    todo.push(Item::Expr(*callee));
                    todo.extend(args.iter().map(|arg| Item::Expr(arg.expr)));
                }
            }
        }
        Expr::If { cond, then, otherwise } => {
            todo.extend([Item::Expr(*cond), Item::Block(*then, 0)]);
            todo.extend(otherwise.map(|block| Item::Block(block, 0)));
        }
        Expr::Match { subject, arms } => {
            todo.push(Item::Expr(*subject));
            for arm in arms {
                let names: Vec<Name> = pattern_names(ast, arm.pattern).into_iter().map(|(_, name)| name).collect();
                todo.push(Item::Hide(names.clone()));
                todo.extend(arm.guard.map(Item::Expr));
                todo.extend([Item::Block(arm.body, 0), Item::Show(names)]);
            }
        }
        Expr::Nil | Expr::Bool(_) | Expr::Num(_) | Expr::Str(_) | Expr::Bytes(_) | Expr::Name(_) => {}
        Expr::Hole | Expr::Lambda(_) | Expr::Error => {}
    }
    if let Some(parts) = todo.get_mut(start..) {
        parts.reverse();
    }
}

/// The names a pattern binds, each with the pattern that binds it (a list pattern binds its rest).
pub(super) fn pattern_names(ast: &Ast, id: PatId) -> Vec<(PatId, Name)> {
    let mut names = Vec::new();
    let mut todo = vec![id];
    while let Some(id) = todo.pop() {
        match ast.pat(id) {
            Pattern::Bind(name) => names.push((id, *name)),
            Pattern::List { items, rest } => {
                todo.extend(items.iter().rev());
                names.extend(rest.flatten().map(|name| (id, name)));
            }
            Pattern::Object(fields) => todo.extend(fields.iter().rev().map(|&(_, pattern)| pattern)),
            Pattern::Or(options) => todo.extend(options.iter().rev()),
            Pattern::Any | Pattern::Literal(_) | Pattern::Range { .. } => {}
        }
    }
    names.retain(|&(_, name)| ast.name(name) != "_");
    names
}
