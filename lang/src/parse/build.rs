//! What the grammar's rules make: nodes of the arena, their heights, and the errors that a rule alone cannot see.
//!
//! Children always exist before their parents, so a node's height is known when it is made and a tree that is too high is never built: the
//! node that would go over becomes [`Expr::Error`], reported once.

use super::report;
use crate::ast::{
    Arg, Ast, BinOp, BlockId, Entry, Expr, ExprId, FnId, Function, Key, MAX_HEIGHT, Module, Name, Param, PatId, Piece, Stage, Stmt, StmtId,
};
use crate::diagnostic::{Diagnostic, Reports, codes};
use crate::layout::Stop;
use crate::source::Span;
use crate::token::Tok;
use lalrpop_util::ErrorRecovery;
use std::collections::HashMap;

/// Most parts (expressions, statements, patterns) of a text, unless its memory is counted otherwise.
pub const MAX_NODES: usize = 1_000_000;

/// What stands between the parentheses of a call, or of a function definition's head.
#[derive(Debug)]
pub struct Argument {
    expr: ExprId,
    kind: Given,
    span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Given {
    /// `e`
    Plain,
    /// `..e`
    Spread,
    /// `name = e`
    Named(ExprId),
}

impl Argument {
    /// `e`
    pub fn new(l: u32, r: u32, expr: ExprId) -> Self {
        Self { expr, kind: Given::Plain, span: Span::new(l, r) }
    }
    /// `..e`
    pub fn spread(l: u32, r: u32, expr: ExprId) -> Self {
        Self { expr, kind: Given::Spread, span: Span::new(l, r) }
    }
    /// `name = e`
    pub fn named(l: u32, r: u32, name: ExprId, value: ExprId) -> Self {
        Self { expr: name, kind: Given::Named(value), span: Span::new(l, r) }
    }
}

/// What stands between the brackets of a list pattern.
#[derive(Debug)]
pub enum Element {
    /// `p`
    One(PatId),
    /// `..`, `..rest`
    Rest(Option<Name>, Span),
}

/// The arena in the making.
pub struct Builder<'b> {
    pub(super) ast: Ast,
    text: &'b str,
    pub(super) reports: &'b Reports,
    interned: HashMap<Box<str>, Name>,
    stmt_heights: Vec<u16>,
    block_heights: Vec<u16>,
    fn_heights: Vec<u16>,
    pub(super) pat_heights: Vec<u16>,
    /// Calls that name an argument: a definition's head if a `=` follows, else an error.
    named_calls: HashMap<ExprId, Vec<(usize, ExprId, Span)>>,
    height_reported: bool,
    /// Most parts.
    most: usize,
}

fn id(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl<'b> Builder<'b> {
    /// An empty arena for a text.
    pub fn new(text: &'b str, reports: &'b Reports, most: usize) -> Self {
        Self {
            ast: Ast::default(),
            text,
            reports,
            interned: HashMap::new(),
            stmt_heights: Vec::new(),
            block_heights: Vec::new(),
            fn_heights: Vec::new(),
            pat_heights: Vec::new(),
            named_calls: HashMap::new(),
            height_reported: false,
            most,
        }
    }

    /// The finished tree.
    pub fn finish(mut self, root: Option<BlockId>) -> Ast {
        let mut named: Vec<_> = std::mem::take(&mut self.named_calls).into_values().flatten().map(|(_, _, span)| span).collect();
        named.sort_by_key(|span| span.start);
        for span in named {
            let report = Diagnostic::new(codes::NAMED_ARGUMENT, span, "a call does not name its arguments");
            self.reports.push(report.help("give the value alone; a function with many options takes an object: `f({name: value})`"));
        }
        self.ast.root = Some(match root {
            Some(root) => root,
            None => self.block(Vec::new()),
        });
        self.ast
    }

    /// Interns a name.
    pub fn name(&mut self, text: &str) -> Name {
        if let Some(&name) = self.interned.get(text) {
            return name;
        }
        let name = Name(id(self.ast.names.len()));
        self.ast.names.push(text.into());
        self.interned.insert(text.into(), name);
        name
    }

    /// A name with its place.
    pub fn named(&mut self, l: u32, text: &str, r: u32) -> (Name, Span) {
        (self.name(text), Span::new(l, r))
    }

    pub(super) fn height(&self, expr: ExprId) -> u16 {
        self.ast.expr_heights.get(expr.0 as usize).copied().unwrap_or(0)
    }

    fn block_height(&self, block: BlockId) -> u16 {
        self.block_heights.get(block.0 as usize).copied().unwrap_or(0)
    }

    fn fn_height(&self, function: FnId) -> u16 {
        self.fn_heights.get(function.0 as usize).copied().unwrap_or(0)
    }

    fn args_height(&self, args: &[Arg]) -> u16 {
        args.iter().map(|arg| self.height(arg.expr) + 1).max().unwrap_or(0)
    }

    /// How high a node over these children is. What does not add to the height is what later passes walk in a loop.
    fn height_of(&self, expr: &Expr) -> u16 {
        match expr {
            Expr::Nil | Expr::Bool(_) | Expr::Num(_) | Expr::Str(_) | Expr::Bytes(_) | Expr::Name(_) | Expr::Hole | Expr::Error => 0,
            Expr::Interp(pieces) => {
                let heights = pieces.iter().map(|piece| if let Piece::Expr(expr) = piece { self.height(*expr) + 1 } else { 0 });
                heights.max().unwrap_or(0)
            }
            Expr::List(items) => items.iter().map(|item| self.height(*item) + 1).max().unwrap_or(0),
            Expr::Object(entries) => {
                let heights = entries.iter().map(|entry| {
                    let key = if let Key::Computed(key) = entry.key { self.height(key) } else { 0 };
                    key.max(self.height(entry.value)) + 1
                });
                heights.max().unwrap_or(0)
            }
            Expr::Paren(inner) | Expr::Unary(_, inner) => self.height(*inner) + 1,
            Expr::Binary(_, left, right) => self.height(*left).max(self.height(*right) + 1),
            Expr::Range { lo, hi, .. } => self.height(*lo).max(self.height(*hi)) + 1,
            Expr::Call { callee, args } => self.height(*callee).max(self.args_height(args)),
            Expr::Index { base, index, .. } => self.height(*base).max(self.height(*index) + 1),
            Expr::Field { base, .. } => self.height(*base),
            Expr::Pipe { value, stage } => self.height(*value).max(match stage {
                Stage::Apply { callee, args } => (self.height(*callee) + 1).max(self.args_height(args)),
                Stage::Access(chain) => self.height(*chain) + 1,
            }),
            Expr::Lambda(function) => self.fn_height(*function) + 1,
            Expr::If { cond, then, otherwise } => {
                let own = self.height(*cond).max(self.block_height(*then)) + 1;
                own.max(match otherwise {
                    // A chain of `if`s is walked in a loop.
                    Some(block) => self.block_height(*block) + u16::from(self.ast.chained_if(*block).is_none()),
                    None => 0,
                })
            }
            Expr::Match { subject, arms } => {
                let parts = arms.iter().map(|arm| {
                    let pattern = self.pat_heights.get(arm.pattern.0 as usize).copied().unwrap_or(0);
                    pattern.max(arm.guard.map_or(0, |guard| self.height(guard))).max(self.block_height(arm.body))
                });
                self.height(*subject).max(parts.max().unwrap_or(0)) + 1
            }
        }
    }

    /// Whether a height is acceptable; reports the first that is not.
    pub(super) fn allowed(&mut self, height: u16, span: Span) -> bool {
        if height <= MAX_HEIGHT {
            return true;
        }
        if !std::mem::replace(&mut self.height_reported, true) {
            let report = Diagnostic::new(codes::TOO_DEEP, span, format!("this is nested more than {MAX_HEIGHT} levels deep"));
            self.reports.push(report.help("move an inner part into a function, or give it a name"));
        }
        false
    }

    /// Counts a node, and stops the parse at the first too many.
    pub(super) fn count(&mut self, span: Span) {
        if self.reports.build() > self.most {
            let report = Diagnostic::new(codes::TOO_LONG, span, format!("this text has more than {} parts", self.most));
            let help = "read large data from a file instead of writing it into the script, or give it more memory: as many parts are taken as that has room for";
            self.reports.stop_with(report.help(help));
        }
    }

    /// Adds an expression.
    pub fn expr(&mut self, l: u32, r: u32, expr: Expr) -> ExprId {
        let span = Span::new(l, r);
        let height = self.height_of(&expr);
        let (expr, height) = if self.allowed(height, span) { (expr, height) } else { (Expr::Error, 0) };
        self.count(span);
        self.ast.exprs.push(expr);
        self.ast.expr_spans.push(span);
        self.ast.expr_heights.push(height);
        ExprId(id(self.ast.exprs.len() - 1))
    }

    /// Adds a statement.
    pub fn stmt(&mut self, l: u32, r: u32, stmt: Stmt) -> StmtId {
        let height = match &stmt {
            Stmt::Expr(expr) | Stmt::Def { value: expr, .. } | Stmt::Ret(Some(expr)) => self.height(*expr),
            Stmt::Assign { target, value } | Stmt::Update { target, value, .. } => self.height(*target).max(self.height(*value)),
            Stmt::Fn(function) => self.fn_height(*function) + 1,
            Stmt::While { cond: part, body } | Stmt::For { source: part, body, .. } => self.height(*part).max(self.block_height(*body)) + 1,
            Stmt::Ret(None) | Stmt::Brk | Stmt::Cnt | Stmt::Use { .. } | Stmt::Error => 0,
        };
        let span = Span::new(l, r);
        let (stmt, height) = if self.allowed(height, span) { (stmt, height) } else { (Stmt::Error, 0) };
        self.count(span);
        self.ast.stmts.push(stmt);
        self.ast.stmt_spans.push(span);
        self.stmt_heights.push(height);
        StmtId(id(self.ast.stmts.len() - 1))
    }

    /// Adds a block.
    pub fn block(&mut self, stmts: Vec<StmtId>) -> BlockId {
        let height = stmts.iter().filter_map(|stmt| self.stmt_heights.get(stmt.0 as usize)).copied().max().unwrap_or(0);
        self.ast.blocks.push(stmts);
        self.block_heights.push(height);
        BlockId(id(self.ast.blocks.len() - 1))
    }

    /// A block of one expression.
    pub fn value_block(&mut self, l: u32, r: u32, expr: ExprId) -> BlockId {
        let stmt = self.stmt(l, r, Stmt::Expr(expr));
        self.block(vec![stmt])
    }

    /// What did not parse: reports it.
    pub fn broken<'s>(&mut self, l: u32, r: u32, error: ErrorRecovery<u32, Tok<'s>, Stop>) -> StmtId {
        report::syntax(self.text, self.reports, error.error);
        self.stmt(l, r, Stmt::Error)
    }

    // ---- Statements

    /// `f a, b`
    pub fn command(&mut self, l: u32, r: u32, callee: ExprId, args: Vec<Arg>) -> StmtId {
        let call = self.expr(l, r, Expr::Call { callee, args });
        self.stmt(l, r, Stmt::Expr(call))
    }

    /// `target = value`
    pub fn assign(&mut self, l: u32, r: u32, target: ExprId, value: ExprId) -> StmtId {
        let stmt = if self.target(target) { Stmt::Assign { target, value } } else { Stmt::Error };
        self.stmt(l, r, stmt)
    }

    /// `target += value`
    pub fn update(&mut self, l: u32, r: u32, op: BinOp, target: ExprId, value: ExprId) -> StmtId {
        let stmt = if self.target(target) { Stmt::Update { op, target, value } } else { Stmt::Error };
        self.stmt(l, r, stmt)
    }

    /// Whether an expression can be assigned to; reports it if not.
    fn target(&mut self, target: ExprId) -> bool {
        let words = match self.ast.expr(target) {
            Expr::Name(_) => return true,
            Expr::Index { .. } | Expr::Field { .. } => match self.optional_in_chain(target) {
                false => return true,
                true => "a `?.` or `?[` chain may lead nowhere and cannot be assigned to",
            },
            Expr::Error => return false,
            Expr::Call { .. } => "the result of a call cannot be assigned to",
            Expr::Num(_) | Expr::Str(_) | Expr::Bytes(_) | Expr::Interp(_) | Expr::Nil | Expr::Bool(_) => "a literal cannot be assigned to",
            Expr::List(_) | Expr::Object(_) => "a list or object literal cannot be assigned to",
            Expr::Paren(_) => "an expression in parentheses cannot be assigned to",
            _ => "this cannot be assigned to",
        };
        let report = Diagnostic::new(codes::BAD_TARGET, self.ast.span(target), words);
        self.reports.push(report.help(match self.ast.expr(target) {
            Expr::List(_) | Expr::Object(_) => "`=` takes nothing apart: `a = xs[0]` and `b = xs[1]`, or a pattern of `mat xs:`",
            _ => "left of `=` stands a name, `x[i]` or `x.k`; `==` compares",
        }));
        false
    }

    fn optional_in_chain(&self, mut expr: ExprId) -> bool {
        loop {
            match self.ast.expr(expr) {
                Expr::Index { optional: true, .. } | Expr::Field { optional: true, .. } => return true,
                Expr::Index { base, .. } | Expr::Field { base, .. } => expr = *base,
                Expr::Call { callee, .. } => expr = *callee,
                _ => return false,
            }
        }
    }

    /// `def name = value`
    pub fn constant(&mut self, l: u32, r: u32, name: &str, place: (u32, u32), value: ExprId) -> StmtId {
        let name = self.name(name);
        self.stmt(l, r, Stmt::Def { name, name_span: Span::new(place.0, place.1), value })
    }

    /// `use module`, `use module as name`
    pub fn import(&mut self, l: u32, r: u32, module: Module, alias: Option<&str>) -> StmtId {
        let alias = alias.map(|alias| self.name(alias));
        self.stmt(l, r, Stmt::Use { module, alias })
    }

    // ---- Functions

    /// `head = body`, where the head has been read as a call.
    pub fn function(&mut self, l: u32, r: u32, head: ExprId, body: BlockId) -> StmtId {
        let named = self.named_calls.remove(&head).unwrap_or_default();
        let Expr::Call { callee, args } = self.ast.expr(head).clone() else { return self.stmt(l, r, Stmt::Error) };
        let Expr::Name(name) = *self.ast.expr(callee) else {
            self.target(head);
            return self.stmt(l, r, Stmt::Error);
        };
        let name_span = self.ast.span(callee);
        let mut params = Vec::with_capacity(args.len());
        for (index, arg) in args.iter().enumerate() {
            let default = named.iter().find(|(at, ..)| *at == index).map(|(_, value, _)| *value);
            let span = self.ast.span(arg.expr);
            match *self.ast.expr(arg.expr) {
                Expr::Name(name) => params.push(Param { name, span, default, rest: arg.spread }),
                Expr::Error => {}
                _ => {
                    let report = Diagnostic::new(codes::BAD_PARAMETER, span, "a parameter is a name, `name = value` or `..name`");
                    self.reports
                        .push(report.help(format!("to compare the result of a call, write `==`: `{}(…) == …`", self.ast.name(name))));
                }
            }
        }
        let function = self.add_function(Some(name), name_span, params, body, Span::new(l, r));
        self.stmt(l, r, Stmt::Fn(function))
    }

    /// `\(params) body`
    pub fn lambda(&mut self, l: u32, r: u32, (sign_end, params): (u32, Vec<Param>), body: BlockId) -> ExprId {
        let function = self.add_function(None, Span::new(l, sign_end), params, body, Span::new(l, r));
        self.expr(l, r, Expr::Lambda(function))
    }

    /// A parameter.
    pub fn param(&mut self, l: u32, r: u32, name: &str, default: Option<ExprId>, rest: bool) -> Param {
        self.count(Span::new(l, r));
        Param { name: self.name(name), span: Span::new(l, r), default, rest }
    }

    fn add_function(&mut self, name: Option<Name>, name_span: Span, mut params: Vec<Param>, body: BlockId, span: Span) -> FnId {
        let mut ordered = Vec::with_capacity(params.len());
        for param in params.drain(..) {
            let words = match ordered.last() {
                Some(Param { rest: true, .. }) => "nothing can stand after the rest parameter",
                Some(Param { default: Some(_), .. }) if param.default.is_none() && !param.rest => {
                    "a parameter without a default cannot stand after one with a default"
                }
                _ => {
                    ordered.push(param);
                    continue;
                }
            };
            let report = Diagnostic::new(codes::PARAMETER_ORDER, param.span, words);
            self.reports.push(report.help("the order is: plain, with defaults, `..rest`"));
        }
        let defaults = ordered.iter().filter_map(|param| param.default).map(|default| self.height(default)).max().unwrap_or(0);
        let height = self.block_height(body).max(defaults);
        self.ast.fns.push(Function { name, name_span, params: ordered, body, span });
        self.fn_heights.push(height);
        FnId(id(self.ast.fns.len() - 1))
    }

    // ---- Expressions

    /// A name that is read.
    pub fn read(&mut self, l: u32, r: u32, name: &str) -> ExprId {
        let name = self.name(name);
        self.expr(l, r, Expr::Name(name))
    }

    /// `base.name`, `base?.name`
    pub fn field(&mut self, l: u32, r: u32, base: ExprId, name: &str, optional: bool) -> ExprId {
        let name = self.name(name);
        self.expr(l, r, Expr::Field { base, name, optional })
    }

    /// `callee(args)`
    pub fn call(&mut self, l: u32, r: u32, callee: ExprId, arguments: Vec<Argument>) -> ExprId {
        let mut named = Vec::new();
        let mut args = Vec::with_capacity(arguments.len());
        for (index, argument) in arguments.into_iter().enumerate() {
            if let Given::Named(value) = argument.kind {
                named.push((index, value, argument.span.to(self.ast.span(value))));
            }
            args.push(Arg { expr: argument.expr, spread: argument.kind == Given::Spread });
        }
        let call = self.expr(l, r, Expr::Call { callee, args });
        if !named.is_empty() {
            self.named_calls.insert(call, named);
        }
        call
    }

    /// `value | stage`
    pub fn pipe(&mut self, l: u32, r: u32, value: ExprId, stage: Stage) -> ExprId {
        self.expr(l, r, Expr::Pipe { value, stage })
    }

    /// A stage that calls: `f`, `f(a)`, `f a`. Arguments in parentheses join those of the stage.
    pub fn stage(&mut self, callee: ExprId, given: Option<Vec<Arg>>) -> Stage {
        let span = self.ast.span(callee);
        match self.ast.expr(callee) {
            Expr::Call { callee, args } if given.is_none() => Stage::Apply { callee: *callee, args: args.clone() },
            Expr::Num(_)
            | Expr::Str(_)
            | Expr::Bytes(_)
            | Expr::Interp(_)
            | Expr::Nil
            | Expr::Bool(_)
            | Expr::List(_)
            | Expr::Object(_) => {
                let report = Diagnostic::new(codes::BAD_STAGE, span, "a value cannot be piped into a literal");
                self.reports.push(report.help("right of `|` stands a function, a call with its further arguments, or `.field`; the logical operator is `or`, and there are none on bits"));
                Stage::Apply { callee, args: Vec::new() }
            }
            _ => Stage::Apply { callee, args: given.unwrap_or_default() },
        }
    }

    /// `a + b`, `a and b`, …
    pub fn binary(&mut self, l: u32, r: u32, op: BinOp, left: ExprId, right: ExprId) -> ExprId {
        self.expr(l, r, Expr::Binary(op, left, right))
    }

    /// `a < b`, `a == b`; comparisons of one level do not chain.
    pub fn compare(&mut self, l: u32, r: u32, op: BinOp, left: ExprId, right: ExprId) -> ExprId {
        let equality = |op: BinOp| matches!(op, BinOp::Eq | BinOp::Ne);
        let order = |op: BinOp| matches!(op, BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge);
        if let Expr::Binary(before, ..) = *self.ast.expr(left)
            && (equality(before) && equality(op) || order(before) && order(op))
        {
            let report = Diagnostic::new(codes::CHAINED, Span::new(l, r), "comparisons do not chain");
            self.reports.push(report.help("compare twice: `a < b and b < c`"));
            return self.expr(l, r, Expr::Error);
        }
        self.expr(l, r, Expr::Binary(op, left, right))
    }

    /// `a..b`, `a..<b`
    pub fn range(&mut self, l: u32, r: u32, exclusive: bool, lo: ExprId, hi: ExprId) -> ExprId {
        if let Expr::Range { .. } = self.ast.expr(lo) {
            let report = Diagnostic::new(codes::CHAINED, Span::new(l, r), "ranges do not chain");
            self.reports.push(report.help("a range has two ends: `a..b`"));
            return self.expr(l, r, Expr::Error);
        }
        self.expr(l, r, Expr::Range { lo, hi, exclusive })
    }

    /// `key: value`
    pub fn entry(&mut self, l: u32, r: u32, key: Key, value: ExprId) -> Entry {
        Entry { key, value, span: Span::new(l, r) }
    }

    /// `{name}`
    pub fn short_entry(&mut self, l: u32, r: u32, name: &str) -> Entry {
        let value = self.read(l, r, name);
        let key = Key::Name(self.name(name));
        Entry { key, value, span: Span::new(l, r) }
    }
}
