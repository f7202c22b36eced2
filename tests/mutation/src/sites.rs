//! Finding the checks, by syntax.
//!
//! What counts: a condition that leads to a refusal, an operand of one, a call that decides, a step whose refusal ends the function, a step
//! that revokes, charges or records, a narrowing of rights, and a native's naming of its subject.

use crate::rewrite::Edit;
use crate::scope::{AUTHORITY, Scope, Source};
use proc_macro2::Span;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Stmt};

/// One check.
#[derive(Clone, Debug)]
pub struct Check {
    pub number: u32,
    /// Its name, which stays when other lines change.
    pub key: String,
    pub file: String,
    pub line: usize,
    pub function: String,
    /// What is done to it.
    pub what: String,
    /// Its text, on one line.
    pub text: String,
    pub edit: Edit,
    /// The word `const` of the function it is in.
    pub constant: Option<Range<usize>>,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:4} {}:{} {} [{}] {}", self.number, self.file, self.line, self.function, self.what, self.text)
    }
}

/// Names of functions that decide, by what they answer.
#[derive(Default)]
struct Deciders {
    /// A boolean.
    yes_or_no: HashSet<String>,
    /// Nothing, or a refusal.
    refusal: HashSet<String>,
}

impl<'a> Visit<'a> for Deciders {
    fn visit_signature(&mut self, signature: &'a syn::Signature) {
        match answer(&signature.output).as_str() {
            "bool" => drop(self.yes_or_no.insert(signature.ident.to_string())),
            text if text.starts_with("Result < ()") => drop(self.refusal.insert(signature.ident.to_string())),
            _ => {}
        }
    }
}

fn answer(output: &syn::ReturnType) -> String {
    match output {
        syn::ReturnType::Default => "()".to_owned(),
        syn::ReturnType::Type(_, answer) => tokens(answer),
    }
}

fn tokens(part: &impl Spanned) -> String {
    part.span().source_text().unwrap_or_default().replace('<', " < ").replace('>', " > ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// All checks of these files, numbered from 1.
pub fn find(sources: &[Source]) -> Vec<Check> {
    let trees: Vec<syn::File> =
        sources.iter().map(|source| syn::parse_file(&source.text).unwrap_or_else(|e| panic!("{}: {e}", source.path))).collect();
    let mut deciders = Deciders::default();
    trees.iter().for_each(|tree| deciders.visit_file(tree));
    let mut checks = Vec::new();
    for (source, tree) in sources.iter().zip(&trees) {
        let mut finder =
            Finder { source, deciders: &deciders, checks: Vec::new(), functions: Vec::new(), seen: HashSet::new(), kept: None };
        finder.visit_file(tree);
        checks.extend(finder.checks);
    }
    let mut times: HashMap<String, usize> = HashMap::new();
    for (number, check) in (1..).zip(&mut checks) {
        check.number = number;
        let name = format!("{} {} [{}] {}", check.file, check.function, check.what, check.text);
        let time = times.entry(name.clone()).or_default();
        *time += 1;
        check.key = format!("{name} #{time}");
        check.edit.open = check.edit.open.replace("SWITCH", &format!("::ilu_mutant::on({number})"));
        check.edit.open = check.edit.open.replace("BYPASS", &format!("::ilu_mutant::bypass({number})"));
    }
    checks
}

struct Function {
    name: String,
    constant: Option<Range<usize>>,
    answer: String,
}

struct Finder<'s> {
    source: &'s Source,
    deciders: &'s Deciders,
    checks: Vec<Check>,
    functions: Vec<Function>,
    /// Where a switch with this effect is already.
    seen: HashSet<(usize, usize, String)>,
    /// The type whose methods these are.
    kept: Option<String>,
}

const NEVER: &str = "(!SWITCH && (";
const ALWAYS: &str = "(SWITCH || (";
const YES: &str = "(if SWITCH { Ok(()) } else { ";

/// What a branch does that refuses.
const REFUSES: &[&str] =
    &["Err(", "deny(", "denial(", "false", "None", "VOID", "none()", "continue", "missing", "revoked", "default()", "Vec::new()"];
/// Functions that narrow.
const NARROWS: &[&str] = &["meet", "intersection", "authority_of_call", "narrow", "narrowed"];
/// Questions about form, of which no permission hangs.
const ABOUT_FORM: &[&str] =
    &["is_empty", "is_dir", "is_file", "is_absolute", "add", "push", "insert", "is_idle", "has_ended", "wait_in", "flag"];
/// Steps that only keep something.
const KEEPS: &[&str] = &[
    "push",
    "push_str",
    "push_back",
    "insert",
    "extend",
    "sort",
    "sort_unstable",
    "dedup",
    "truncate",
    "drain",
    "resize",
    "clone_from",
    "add_name",
];
/// Types that cut bytes into lines and the like.
const NO_CHECKS: &[&str] = &["Cutter", "LineReader", "Options < 'a, 'b >"];
/// Natives' calls that name a subject.
const WEAKER: &[(&str, &str)] = &[("write", "read"), ("manage", "write")];
/// Calls of a permit that name no subject: nothing that the judge of rights is asked.
const NO_SUBJECT: &[&str] = &[
    "native",
    "os_error",
    "deny",
    "about",
    "argv",
    "wall_ms",
    "mono_ms",
    "free",
    "room",
    "work",
    "pulse",
    "random",
    "sleep",
    "wait",
    "also",
    "decide",
    "lease",
    "owner",
    "service",
    "authorities",
    "memory_limit",
    "readable",
    "charge_read",
    "charge_written",
    "charge_sent",
    "open_lines",
    "open_shared",
    "shared",
    "close",
];

fn bytes(span: Span) -> Range<usize> {
    span.byte_range()
}

impl Finder<'_> {
    fn text(&self, range: &Range<usize>) -> &str {
        &self.source.text[range.clone()]
    }

    fn is_about(&self, range: &Range<usize>) -> bool {
        let text = self.text(range);
        self.source.scope == Scope::All || AUTHORITY.iter().any(|word| text.contains(word))
    }

    fn add(&mut self, range: Range<usize>, what: &str, open: &str, close: &str) {
        if !self.seen.insert((range.start, range.end, open.to_owned())) {
            return;
        }
        let line = |at: usize| self.source.text[..at].matches('\n').count() + 1;
        let function = self.functions.last();
        let text: String = self.text(&range).split_whitespace().collect::<Vec<_>>().join(" ").chars().take(110).collect();
        self.checks.push(Check {
            number: 0,
            key: String::new(),
            file: self.source.path.clone(),
            line: line(range.start),
            function: self.functions.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join("::"),
            what: what.to_owned(),
            text,
            constant: function.and_then(|function| function.constant.clone()),
            edit: Edit { range, open: open.to_owned(), close: close.to_owned() },
        });
    }

    fn never(&mut self, range: Range<usize>) {
        self.same_turned(&range, ALWAYS);
        self.add(range, "never", NEVER, "))");
    }

    fn always(&mut self, range: Range<usize>) {
        self.same_turned(&range, NEVER);
        self.add(range, "always", ALWAYS, "))");
    }

    /// Of `!x`, never is the same as always of `x`: one of them is enough.
    fn same_turned(&mut self, range: &Range<usize>, open: &str) {
        if self.text(range).starts_with('!') {
            self.seen.insert((range.start + 1, range.end, open.to_owned()));
        }
    }

    fn refuses(&self, range: &Range<usize>) -> bool {
        let text = self.text(range);
        REFUSES.iter().any(|word| text.contains(word))
    }

    fn function(&mut self, constant: Option<Range<usize>>, signature: &syn::Signature, block: &syn::Block, attributes: &[syn::Attribute]) {
        if attributes.iter().any(is_test) {
            return;
        }
        let name = signature.ident.to_string();
        let answer = answer(&signature.output);
        self.functions.push(Function { name: name.clone(), constant, answer: answer.clone() });
        let inside = bytes(block.brace_token.span.open()).end;
        let narrows = NARROWS.contains(&name.as_str());
        let asks = !ABOUT_FORM.contains(&name.as_str());
        if self.source.scope == Scope::All && asks || narrows || AUTHORITY.iter().any(|word| name.contains(word)) {
            let mut instead = |what: &str, value: &str| {
                self.add(inside..inside, what, &format!(" if SWITCH {{ return {value}; }}"), "");
                if let Some(check) = self.checks.last_mut() {
                    check.text.clone_from(&name);
                }
            };
            match answer.as_str() {
                "bool" => {
                    instead("says yes", "true");
                    instead("says no", "false");
                }
                text if text.starts_with("Result < ()") => instead("says yes", "Ok(())"),
                _ => {}
            }
            if narrows {
                let fallible = answer.strip_prefix("Result < ").and_then(|rest| rest.split(',').next()).map(str::trim);
                let optional = answer.strip_prefix("Option < ").and_then(|rest| rest.split('>').next()).map(str::trim);
                let wanted = fallible.or(optional).unwrap_or(&answer);
                for input in &signature.inputs {
                    let (text, ty) = match input {
                        syn::FnArg::Receiver(_) => ("self".to_owned(), self.kept.clone().unwrap_or_default()),
                        syn::FnArg::Typed(typed) => (tokens(&typed.pat), tokens(&typed.ty)),
                    };
                    let ty = ty.trim_start_matches('&').trim();
                    if ty == wanted || wanted == "Self" && Some(ty) == self.kept.as_deref() {
                        let value = match (fallible, optional) {
                            (Some(_), _) => format!("Ok({text}.clone())"),
                            (_, Some(_)) => format!("Some({text}.clone())"),
                            _ => format!("{text}.clone()"),
                        };
                        self.add(inside..inside, &format!("gives {text}"), &format!(" if SWITCH {{ return {value}; }}"), "");
                    }
                }
            }
        }
        if name == "judge" {
            self.add(inside..inside, "bypass of judge", " if ::ilu_mutant::bypassed() || SWITCH { return Ok(()); }", "");
        }
        visit::visit_block(self, block);
        self.functions.pop();
    }

    /// The operands of a chain of `&&` or `||`.
    fn operands(&mut self, part: &Expr, and: bool) {
        match part {
            Expr::Binary(binary) if matches!((&binary.op, and), (BinOp::And(_), true) | (BinOp::Or(_), false)) => {
                self.operands(&binary.left, and);
                self.operands(&binary.right, and);
            }
            Expr::Let(_) => {}
            other => {
                let range = bytes(other.span());
                if self.is_about(&range) {
                    if and { self.always(range) } else { self.never(range) }
                }
            }
        }
    }
}

fn is_test(attribute: &syn::Attribute) -> bool {
    let text = tokens(&attribute.meta);
    text == "test" || text.starts_with("cfg(test") || text.starts_with("cfg(all(test") || text.starts_with("cfg(not")
}

fn has_let(part: &Expr) -> bool {
    match part {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

impl<'a> Visit<'a> for Finder<'_> {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if !item.attrs.iter().any(is_test) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_const(&mut self, _: &'a syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'a syn::ItemStatic) {}

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        if item.attrs.iter().any(is_test) {
            return;
        }
        let text = tokens(&item.self_ty);
        // How a value is shown or compared is no decision.
        let shows = item.trait_.as_ref().is_some_and(|(_, path, _)| ["Debug", "Display"].iter().any(|name| tokens(path).ends_with(name)));
        if !shows && !NO_CHECKS.contains(&text.as_str()) {
            let before = self.kept.replace(text);
            visit::visit_item_impl(self, item);
            self.kept = before;
        }
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.function(item.sig.constness.map(|word| bytes(word.span)), &item.sig, &item.block, &item.attrs);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.function(item.sig.constness.map(|word| bytes(word.span)), &item.sig, &item.block, &item.attrs);
    }

    fn visit_expr_if(&mut self, item: &'a syn::ExprIf) {
        let whole = bytes(item.cond.span());
        let then = bytes(item.then_branch.span());
        if self.is_about(&whole) || self.is_about(&then) {
            if self.refuses(&then) {
                if has_let(&item.cond) {
                    self.add(whole.clone(), "never", "!SWITCH && ", "");
                } else {
                    self.never(whole.clone());
                }
            }
            let otherwise = item.else_branch.as_ref().map(|(_, part)| bytes(part.span()));
            if !has_let(&item.cond) && otherwise.is_some_and(|part| self.refuses(&part)) {
                self.always(whole);
            }
        }
        visit::visit_expr_if(self, item);
    }

    fn visit_arm(&mut self, arm: &'a syn::Arm) {
        let body = bytes(arm.body.span());
        if let Some((_, guard)) = &arm.guard
            && self.refuses(&body)
            && (self.is_about(&body) || self.is_about(&bytes(guard.span())))
            && !has_let(guard)
        {
            self.never(bytes(guard.span()));
        }
        visit::visit_arm(self, arm);
    }

    fn visit_expr_binary(&mut self, item: &'a syn::ExprBinary) {
        match item.op {
            BinOp::And(_) => {
                self.operands(&item.left, true);
                self.operands(&item.right, true);
            }
            BinOp::Or(_) => {
                self.operands(&item.left, false);
                self.operands(&item.right, false);
            }
            _ => {}
        }
        visit::visit_expr_binary(self, item);
    }

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if let Stmt::Expr(expr, Some(_)) = stmt {
            let range = bytes(stmt.span());
            let inner = if let Expr::Try(tried) = expr { &tried.expr } else { expr };
            let is_step = match inner {
                Expr::Call(_) => true,
                Expr::MethodCall(call) => !KEEPS.contains(&call.method.to_string().as_str()),
                Expr::Assign(assign) => matches!(*assign.left, Expr::Field(_)),
                Expr::Binary(binary) => {
                    matches!(binary.op, BinOp::AddAssign(_) | BinOp::SubAssign(_)) && matches!(*binary.left, Expr::Field(_))
                }
                _ => false,
            };
            if is_step && self.is_about(&range) {
                let called = bytes(inner.span());
                self.seen.insert((called.start, called.end, YES.to_owned()));
                self.add(range, "left out", "if !SWITCH { ", " }");
            }
        }
        visit::visit_stmt(self, stmt);
    }

    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        let (range, name) = (bytes(call.span()), call.method.to_string());
        let receiver = bytes(call.receiver.span());
        if self.is_about(&range) {
            let own = self.text(&receiver).to_owned();
            if matches!(name.as_str(), "intersection" | "meet") || name == "min" && call.args.len() == 1 {
                let kept = if name == "min" { own.clone() } else { format!("({own}).clone()") };
                self.add(range.clone(), "keeps", &format!("(if SWITCH {{ {kept} }} else {{ "), " })");
                if name != "min" {
                    self.add(range.clone(), "keeps", &format!("(if SWITCH {{ Some({own}) }} else {{ "), " })");
                    for arg in &call.args {
                        let other = self.text(&bytes(arg.span())).to_owned();
                        self.add(range.clone(), "gives", &format!("(if SWITCH {{ ({other}).clone() }} else {{ "), " })");
                    }
                }
            }
            if let (true, [Expr::Closure(closure)]) = (call.args.len() == 1, call.args.iter().collect::<Vec<_>>().as_slice()) {
                match name.as_str() {
                    "filter" | "retain" | "take_while" | "all" | "find" | "is_some_and" | "is_none_or" => {
                        self.always(bytes(closure.body.span()))
                    }
                    "any" => self.never(bytes(closure.body.span())),
                    _ => {}
                }
            }
            if own == "permit" && !NO_SUBJECT.contains(&name.as_str()) {
                self.add(range.clone(), "unguarded", "{ let _unguarded = BYPASS; ", " }");
                if let Some((_, weaker)) = WEAKER.iter().find(|(strong, _)| *strong == name) {
                    let args = self.text(&(bytes(call.paren_token.span.open()).start..range.end)).to_owned();
                    self.add(range.clone(), "weaker", &format!("(if SWITCH {{ permit.{weaker}{args} }} else {{ "), " })");
                }
            }
            self.decider(&name, range);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        if let Expr::Path(path) = &*call.func
            && let Some(last) = path.path.segments.last()
        {
            let range = bytes(call.span());
            if self.is_about(&range) {
                self.decider(&last.ident.to_string(), range);
            }
        }
        visit::visit_expr_call(self, call);
    }
}

impl Finder<'_> {
    fn decider(&mut self, name: &str, range: Range<usize>) {
        let own = self.functions.last().is_some_and(|function| function.answer == "bool" && function.name == name);
        if self.deciders.yes_or_no.contains(name) && !own && !ABOUT_FORM.contains(&name) {
            self.always(range.clone());
            self.never(range.clone());
        }
        // In the runtime most that may fail is no refusal.
        if self.source.scope == Scope::All && self.deciders.refusal.contains(name) && !["Ok", "Err"].contains(&name) {
            self.add(range, "says yes", YES, " })");
        }
    }
}
