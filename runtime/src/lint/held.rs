//! Code for a sandbox that calls what the sandbox does not hold, where both stand in the text: the sandbox is made once, of a list that is written out, and what it runs is
//! a lambda that is written out. What a function of the library asks for is found as `ilu check --caps` finds it.

use super::{Text, Warning};
use crate::engine::Engine;
use crate::reach::reach;
use ilu_cap::bundle::lookup;
use ilu_cap::{CapSet, NativeId};
use ilu_lang::ast::{Arg, BinOp, Expr, ExprId, Module, Name, Stmt};
use ilu_lang::diagnostic::{Diagnostic, codes};
use ilu_lang::source::Span;
use std::collections::HashMap;

/// Functions that make a sandbox, and that run code in one: flat, and in the object `sbx`.
const MAKES: [&str; 2] = ["sbxmk", "mk"];
const RUNS: [&str; 4] = ["sbxrn", "sbxtr", "run", "try"];

/// Most functions of the library that are looked into for one text.
const MAX_LOOKED_INTO: usize = 100;

/// Points out calls that will be denied.
pub(super) fn look(engine: &Engine, text: &Text<'_>, found: &mut Vec<Warning>) {
    let held = sandboxes(text);
    if held.is_empty() {
        return;
    }
    let mut asks = Asks { engine, known: HashMap::new(), modules: modules(text) };
    for expr in &text.ast.exprs {
        let Expr::Call { callee, args } = expr else { continue };
        let [sandbox, code, ..] = args.as_slice() else { continue };
        if !is_one_of(text, *callee, &RUNS) {
            continue;
        }
        let (Expr::Name(name), Expr::Lambda(function)) = (text.ast.expr(sandbox.expr), text.ast.expr(code.expr)) else { continue };
        let (Some(holds), Some(function)) = (held.get(name), text.ast.function(*function)) else { continue };
        inside(text, (*name, *holds), function.span, &mut asks, found);
    }
}

/// Calls in a range of the text whose natives a sandbox lacks.
fn inside(text: &Text<'_>, (sandbox, holds): (Name, CapSet), range: Span, asks: &mut Asks<'_>, found: &mut Vec<Warning>) {
    for (id, expr) in (0..).map(ExprId).zip(&text.ast.exprs) {
        let span = text.ast.span(id);
        let Expr::Call { callee, .. } = expr else { continue };
        if span.start < range.start || span.end > range.end {
            continue;
        }
        // A sandbox within the sandbox is a matter of its own.
        if is_one_of(text, *callee, &RUNS) {
            continue;
        }
        let Some(call) = called(text, *callee) else { continue };
        if let Some(native) = asks.of(&call).iter().find(|native| !holds.has(**native)) {
            let sandbox = text.ast.name(sandbox);
            let message = format!("`{sandbox}` does not hold `{}`, which `{call}` asks for", native.name());
            let report = Diagnostic::new(codes::NATIVE_UNHELD, text.ast.span(*callee), message);
            found.push(report.help(format!("this is denied there: give it to `sbxmk`, or let `{sandbox}` do without")).into());
        }
    }
}

/// Sandboxes that are bound once, each with what the list it is made of holds.
fn sandboxes(text: &Text<'_>) -> HashMap<Name, CapSet> {
    let mut made: HashMap<Name, Option<CapSet>> = HashMap::new();
    for stmt in &text.ast.stmts {
        let (name, value) = match stmt {
            Stmt::Assign { target, value } => match text.ast.expr(*target) {
                Expr::Name(name) => (*name, Some(*value)),
                _ => continue,
            },
            Stmt::Def { name, value, .. } => (*name, Some(*value)),
            Stmt::For { vars, .. } => {
                vars.iter().for_each(|(name, _)| _ = made.insert(*name, None));
                continue;
            }
            _ => continue,
        };
        let set = value.and_then(|value| match text.ast.expr(value) {
            Expr::Call { callee, args } if is_one_of(text, *callee, &MAKES) => args.first().and_then(|list| set(text, list, 0)),
            _ => None,
        });
        made.entry(name).and_modify(|old| *old = None).or_insert(set);
    }
    for param in text.ast.fns.iter().flat_map(|function| &function.params) {
        made.insert(param.name, None);
    }
    made.into_iter().filter_map(|(name, set)| Some((name, set?))).collect()
}

/// How deep sums of lists are looked into.
const MAX_DEEP: usize = 20;

/// What a list of capabilities holds that is written out.
fn set(text: &Text<'_>, arg: &Arg, depth: usize) -> Option<CapSet> {
    if arg.spread || depth > MAX_DEEP {
        return None;
    }
    let plain = |id: ExprId| Arg { expr: id, spread: false };
    match text.ast.expr(arg.expr) {
        Expr::List(items) => {
            let mut all = CapSet::default();
            for item in items {
                let Expr::Str(name) = text.ast.expr(*item) else { return None };
                all = all.union(lookup(name).ok()?);
            }
            Some(all)
        }
        Expr::Binary(BinOp::Add, left, right) => Some(set(text, &plain(*left), depth + 1)?.union(set(text, &plain(*right), depth + 1)?)),
        Expr::Call { callee, args } => match called(text, *callee)?.as_str() {
            "capcat" | "cap.cat" => args.iter().try_fold(CapSet::default(), |all, arg| Some(all.union(set(text, arg, depth + 1)?))),
            bundle if args.is_empty() => ilu_cap::bundle(&bundle.replace('.', "")).map(ilu_cap::Bundle::set),
            _ => None,
        },
        Expr::Paren(inner) => set(text, &plain(*inner), depth + 1),
        _ => None,
    }
}

/// A callee that is a name, or a field of one: `fswr`, `fs.wr`.
fn called(text: &Text<'_>, callee: ExprId) -> Option<String> {
    match text.ast.expr(callee) {
        Expr::Name(name) => Some(text.ast.name(*name).to_owned()),
        Expr::Field { base, name, optional: false } => match text.ast.expr(*base) {
            Expr::Name(base) => Some(format!("{}.{}", text.ast.name(*base), text.ast.name(*name))),
            _ => None,
        },
        _ => None,
    }
}

fn is_one_of(text: &Text<'_>, callee: ExprId, names: &[&str]) -> bool {
    match called(text, callee) {
        Some(name) => names.iter().any(|one| if one.starts_with("sbx") { name == *one } else { name.strip_prefix("sbx.") == Some(one) }),
        None => false,
    }
}

/// Modules of the library that the text loads.
fn modules(text: &Text<'_>) -> Vec<String> {
    let module = |stmt: &Stmt| match stmt {
        Stmt::Use { module: Module::Std(name), alias: None } => Some(text.ast.name(*name).to_owned()),
        _ => None,
    };
    text.ast.stmts.iter().filter_map(module).collect()
}

/// What functions of the library ask for.
struct Asks<'e> {
    engine: &'e Engine,
    known: HashMap<String, Vec<NativeId>>,
    modules: Vec<String>,
}

impl Asks<'_> {
    /// The natives that a call asks for that nothing but the library has a say in.
    fn of(&mut self, call: &str) -> &[NativeId] {
        if !self.known.contains_key(call) {
            let natives = if self.known.len() < MAX_LOOKED_INTO { self.ask(call) } else { Vec::new() };
            self.known.insert(call.to_owned(), natives);
        }
        self.known.get(call).map_or(&[], Vec::as_slice)
    }

    fn ask(&self, call: &str) -> Vec<NativeId> {
        if let Some(native) = ilu_cap::by_name(call) {
            return vec![native];
        }
        let module = self.modules.iter().find(|module| match call.split_once('.') {
            Some((base, _)) => *module == base,
            None => call.len() > module.len() && call.starts_with(module.as_str()),
        });
        let text = match module {
            Some(module) => format!("use {module}\n{call}()\n"),
            None if matches!(call, "prn" | "eprn") => format!("{call}()\n"),
            None => return Vec::new(),
        };
        let Ok(program) = self.engine.compile("asked", text) else { return Vec::new() };
        let reach = reach(self.engine, &program, None);
        // One that may do one thing or the other is not said to do both.
        if reach.natives.len() == 1 { reach.natives.iter().map(|reached| reached.native).collect() } else { Vec::new() }
    }
}
