//! A compact S-expression of a syntax tree, for tests.

#![allow(dead_code, reason = "each test binary uses its part")]

use ilu_lang::ast::*;
use ilu_lang::diagnostic::Diagnostic;
use ilu_lang::parse::parse;
use ilu_lang::source::Source;
use std::fmt::Write;

/// A snapshot without the expression it came from, which would repeat the test.
#[allow(unused_macros, reason = "each test binary uses its part")]
macro_rules! snapshot {
    ($text:expr) => {
        insta::with_settings!({omit_expression => true}, { insta::assert_snapshot!($text) })
    };
}
#[allow(unused_imports, reason = "each test binary uses its part")]
pub(crate) use snapshot;

/// The tree of a text that parses, one statement a line.
pub fn tree(text: &str) -> String {
    let (ast, errors) = parse(&Source::new("test", text));
    assert!(errors.is_empty(), "unexpected errors in:\n{text}\n{}", errors_of(text, &errors));
    dump(&ast)
}

/// The errors of a text: place, code, message and help, one a line.
pub fn errors(text: &str) -> String {
    let (_, errors) = parse(&Source::new("test", text));
    errors_of(text, &errors)
}

pub fn errors_of(text: &str, errors: &[Diagnostic]) -> String {
    let source = Source::new("test", text);
    let mut out = String::new();
    for error in errors {
        let (line, column) = source.position(error.span.start);
        write!(out, "{line}:{column} {} {}", error.code, error.message).unwrap();
        for (span, words) in &error.related {
            let (line, column) = source.position(span.start);
            write!(out, " [{line}:{column} {words}]").unwrap();
        }
        if let Some(help) = &error.help {
            write!(out, " ({help})").unwrap();
        }
        out.push('\n');
    }
    out
}

pub fn dump(ast: &Ast) -> String {
    let mut d = Dumper { ast, out: String::new() };
    for &stmt in ast.block(ast.root.unwrap()) {
        d.stmt(stmt);
        d.out.push('\n');
    }
    d.out
}

struct Dumper<'a> {
    ast: &'a Ast,
    out: String,
}

impl Dumper<'_> {
    fn s(&mut self, text: &str) {
        self.out.push_str(text);
    }
    fn name(&mut self, name: Name) {
        let text = self.ast.name(name).to_owned();
        self.s(&text);
    }
    fn block(&mut self, block: BlockId) {
        self.s("{");
        for (index, &stmt) in self.ast.block(block).iter().enumerate() {
            if index > 0 {
                self.s("; ");
            }
            self.stmt(stmt);
        }
        self.s("}");
    }
    fn node(&mut self, head: &str, exprs: &[ExprId]) {
        write!(self.out, "({head}").unwrap();
        for &expr in exprs {
            self.s(" ");
            self.expr(expr);
        }
        self.s(")");
    }
    fn args(&mut self, args: &[Arg]) {
        for arg in args {
            self.s(if arg.spread { " .." } else { " " });
            self.expr(arg.expr);
        }
    }
    fn function(&mut self, id: FnId) {
        let function = self.ast.function(id).unwrap().clone();
        self.s("(");
        for (index, param) in function.params.iter().enumerate() {
            self.s(if index > 0 { " " } else { "" });
            self.s(if param.rest { ".." } else { "" });
            self.name(param.name);
            if let Some(default) = param.default {
                self.s("=");
                self.expr(default);
            }
        }
        self.s(") ");
        self.block(function.body);
    }
    fn expr(&mut self, id: ExprId) {
        match self.ast.expr(id).clone() {
            Expr::Nil => self.s("nil"),
            Expr::Bool(value) => self.s(if value { "tru" } else { "fls" }),
            Expr::Num(value) => write!(self.out, "{value}").unwrap(),
            Expr::Str(text) => write!(self.out, "{text:?}").unwrap(),
            Expr::Bytes(bytes) => write!(self.out, "b{bytes:?}").unwrap(),
            Expr::Interp(pieces) => {
                self.s("($");
                for piece in pieces {
                    self.s(" ");
                    match piece {
                        Piece::Text(text) => write!(self.out, "{text:?}").unwrap(),
                        Piece::Expr(expr) => self.expr(expr),
                    }
                }
                self.s(")");
            }
            Expr::Name(name) => self.name(name),
            Expr::List(items) => self.node("list", &items),
            Expr::Object(entries) => {
                self.s("(obj");
                for entry in entries {
                    self.s(" ");
                    match entry.key {
                        Key::Name(name) => self.name(name),
                        Key::Text(text) => write!(self.out, "{text:?}").unwrap(),
                        Key::Computed(key) => self.node("key", &[key]),
                    }
                    self.s(":");
                    self.expr(entry.value);
                }
                self.s(")");
            }
            Expr::Paren(inner) => self.node("()", &[inner]),
            Expr::Unary(op, inner) => self.node(if op == UnOp::Not { "!" } else { "-" }, &[inner]),
            Expr::Binary(op, left, right) => self.node(sign(op), &[left, right]),
            Expr::Range { lo, hi, exclusive } => self.node(if exclusive { "..<" } else { ".." }, &[lo, hi]),
            Expr::Call { callee, args } => {
                self.s("(call ");
                self.expr(callee);
                self.args(&args);
                self.s(")");
            }
            Expr::Index { base, index, optional } => self.node(if optional { "?[]" } else { "[]" }, &[base, index]),
            Expr::Field { base, name, optional } => {
                self.s(if optional { "(?. " } else { "(. " });
                self.expr(base);
                self.s(" ");
                self.name(name);
                self.s(")");
            }
            Expr::Pipe { value, stage } => {
                self.s("(| ");
                self.expr(value);
                match stage {
                    Stage::Apply { callee, args } => {
                        self.s(" ");
                        self.expr(callee);
                        self.args(&args);
                    }
                    Stage::Access(chain) => {
                        self.s(" access ");
                        self.expr(chain);
                    }
                }
                self.s(")");
            }
            Expr::Hole => self.s("_"),
            Expr::Lambda(function) => {
                self.s("(\\ ");
                self.function(function);
                self.s(")");
            }
            Expr::If { cond, then, otherwise } => {
                self.s("(if ");
                self.expr(cond);
                self.s(" ");
                self.block(then);
                if let Some(otherwise) = otherwise {
                    self.s(" else ");
                    self.block(otherwise);
                }
                self.s(")");
            }
            Expr::Match { subject, arms } => {
                self.s("(mat ");
                self.expr(subject);
                for arm in arms {
                    self.s(" [");
                    self.pat(arm.pattern);
                    if let Some(guard) = arm.guard {
                        self.s(" if ");
                        self.expr(guard);
                    }
                    self.s(" => ");
                    self.block(arm.body);
                    self.s("]");
                }
                self.s(")");
            }
            Expr::Error => self.s("ERROR"),
        }
    }
    fn pat(&mut self, id: PatId) {
        match self.ast.pat(id).clone() {
            Pattern::Any => self.s("_"),
            Pattern::Literal(expr) => self.expr(expr),
            Pattern::Bind(name) => {
                self.s("bind:");
                self.name(name);
            }
            Pattern::List { items, rest } => {
                self.s("(list");
                for item in items {
                    self.s(" ");
                    self.pat(item);
                }
                if let Some(rest) = rest {
                    self.s(" ..");
                    if let Some(name) = rest {
                        self.name(name);
                    }
                }
                self.s(")");
            }
            Pattern::Object(fields) => {
                self.s("(obj");
                for (key, pat) in fields {
                    write!(self.out, " {key}:").unwrap();
                    self.pat(pat);
                }
                self.s(")");
            }
            Pattern::Range { lo, hi, exclusive } => self.node(if exclusive { "..<" } else { ".." }, &[lo, hi]),
            Pattern::Or(pats) => {
                self.s("(or");
                for pat in pats {
                    self.s(" ");
                    self.pat(pat);
                }
                self.s(")");
            }
        }
    }
    fn stmt(&mut self, id: StmtId) {
        match self.ast.stmt(id).clone() {
            Stmt::Expr(expr) => self.expr(expr),
            Stmt::Assign { target, value } => self.node("=", &[target, value]),
            Stmt::Update { op, target, value } => self.node(&format!("{}=", sign(op)), &[target, value]),
            Stmt::Def { name, value, .. } => {
                self.s("(def ");
                self.name(name);
                self.s(" ");
                self.expr(value);
                self.s(")");
            }
            Stmt::Fn(function) => {
                self.s("(fn ");
                self.name(self.ast.function(function).unwrap().name.unwrap());
                self.function(function);
                self.s(")");
            }
            Stmt::Ret(value) => self.node("ret", value.as_slice()),
            Stmt::Brk => self.s("brk"),
            Stmt::Cnt => self.s("cnt"),
            Stmt::While { cond, body } => {
                self.s("(whl ");
                self.expr(cond);
                self.s(" ");
                self.block(body);
                self.s(")");
            }
            Stmt::For { vars, source, body } => {
                self.s("(for");
                for (name, _) in vars {
                    self.s(" ");
                    self.name(name);
                }
                self.s(" <- ");
                self.expr(source);
                self.s(" ");
                self.block(body);
                self.s(")");
            }
            Stmt::Use { module, alias } => {
                self.s("(use ");
                match module {
                    Module::Std(name) => self.name(name),
                    Module::Path(path) => write!(self.out, "{path:?}").unwrap(),
                }
                if let Some(alias) = alias {
                    self.s(" as ");
                    self.name(alias);
                }
                self.s(")");
            }
            Stmt::Error => self.s("ERROR"),
        }
    }
}

fn sign(op: BinOp) -> &'static str {
    match op {
        BinOp::Add => "+",
        BinOp::Sub => "-",
        BinOp::Mul => "*",
        BinOp::Div => "/",
        BinOp::Rem => "%",
        BinOp::Lt => "<",
        BinOp::Le => "<=",
        BinOp::Gt => ">",
        BinOp::Ge => ">=",
        BinOp::Eq => "==",
        BinOp::Ne => "!=",
        BinOp::And => "and",
        BinOp::Or => "or",
    }
}
