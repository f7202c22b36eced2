//! Names that nothing uses, and names that hide others.

use super::{Text, Warning};
use crate::builtin;
use ilu_lang::ast::{Expr, ExprId, FnId, Module, Name, PatId, Pattern, Stmt, StmtId};
use ilu_lang::diagnostic::{Diagnostic, codes, quoted};
use ilu_lang::resolve::{Place, Resolved, Slot, VarId};
use ilu_lang::source::Span;
use std::collections::{HashMap, HashSet};

/// What a name is bound to: a variable of a function, or one of the module.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Bound {
    Var(VarId),
    Global(Slot),
}

fn bound(place: Place) -> Option<Bound> {
    match place {
        Place::Own(var) | Place::Captured(_, var) => Some(Bound::Var(var)),
        Place::Global(slot) => Some(Bound::Global(slot)),
        _ => None,
    }
}

/// Expressions that are assigned to: they name a variable and do not read it.
fn targets(text: &Text<'_>) -> HashSet<ExprId> {
    let target = |stmt: &Stmt| match stmt {
        Stmt::Assign { target, .. } | Stmt::Update { target, .. } => Some(*target),
        _ => None,
    };
    text.ast.stmts.iter().filter_map(target).collect()
}

/// Everything that is read somewhere.
fn reads(text: &Text<'_>, resolved: &Resolved) -> HashSet<Bound> {
    let targets = targets(text);
    let names = (0..).map(ExprId).zip(&text.ast.exprs).filter(|(id, expr)| matches!(expr, Expr::Name(_)) && !targets.contains(id));
    names.filter_map(|(id, _)| bound(resolved.name(id).place)).collect()
}

/// A name that begins so is meant not to be used.
fn silent(text: &str) -> bool {
    text.starts_with('_')
}

fn unused_one(what: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(codes::UNUSED, span, format!("{what} {} is not used", quoted(name)))
}

/// Points out what nothing uses. Names at the left edge are for whoever loads the file, but for those that begin with `_`.
pub(super) fn unused(text: &Text<'_>, resolved: &Resolved, found: &mut Vec<Warning>) {
    let read = reads(text, resolved);
    modules(text, resolved, &read, found);
    variables(text, resolved, &read, found);
    functions(text, resolved, &read, found);
    loops(text, resolved, &read, found);
    patterns(text, resolved, &read, found);
}

fn modules(text: &Text<'_>, resolved: &Resolved, read: &HashSet<Bound>, found: &mut Vec<Warning>) {
    for (id, stmt) in (0..).map(StmtId).zip(&text.ast.stmts) {
        let (Stmt::Use { module, alias }, Some(plan)) = (stmt, resolved.use_plans.get(&id)) else { continue };
        let is_read = |place: &Place| bound(*place).is_some_and(|bound| read.contains(&bound));
        let used = match (module, &plan.alias) {
            (_, Some(place)) => is_read(place),
            // Stages of pipelines come from `trl` without being bound.
            (Module::Std(name), None) => {
                plan.binds.iter().any(|(_, place)| is_read(place)) || text.ast.name(*name) == "trl" && !resolved.stages.is_empty()
            }
            // What a file does when it is loaded may be what it is loaded for.
            (Module::Path(_), None) => true,
        };
        if used {
            continue;
        }
        let span = text.ast.stmt_span(id);
        let name = match (module, alias) {
            (_, Some(alias)) | (Module::Std(alias), None) => text.ast.name(*alias),
            (Module::Path(path), None) => path,
        };
        let alone = text.before_on_line(span.start).trim().is_empty() && text.rest_of_line(span.end).trim().is_empty();
        let only = text.ast.blocks.iter().any(|block| block.as_slice() == [id]);
        // A file may do something when it is loaded; a module of the library does not.
        let fix = (alone && !only && matches!(module, Module::Std(_))).then(|| (whole_line(text, span), String::new()));
        found.push(Warning { diagnostic: unused_one("the module", name, span).help("take the `use` away"), fix });
    }
}

/// The lines of a span, with the end of the last one.
fn whole_line(text: &Text<'_>, span: Span) -> Span {
    let before = u32::try_from(text.before_on_line(span.start).len()).unwrap_or(0);
    let after = u32::try_from(text.rest_of_line(span.end).len() + 1).unwrap_or(0);
    let end = (span.end + after).min(u32::try_from(text.source.text.len()).unwrap_or(u32::MAX));
    Span::new(span.start - before, end)
}

/// Variables that are assigned and never read, each at its first assignment.
fn variables(text: &Text<'_>, resolved: &Resolved, read: &HashSet<Bound>, found: &mut Vec<Warning>) {
    let mut first: HashMap<Bound, (Span, Name)> = HashMap::new();
    let mut note = |place: Place, span: Span, name: Name| {
        if let Some(bound) = bound(place) {
            let entry = first.entry(bound).or_insert((span, name));
            if span.start < entry.0.start {
                *entry = (span, name);
            }
        }
    };
    for (id, stmt) in (0..).map(StmtId).zip(&text.ast.stmts) {
        match stmt {
            Stmt::Assign { target, .. } | Stmt::Update { target, .. } => {
                if let Expr::Name(name) = text.ast.expr(*target) {
                    note(resolved.name(*target).place, text.ast.span(*target), *name);
                }
            }
            Stmt::Def { name, name_span, .. } => {
                if let Some(place) = resolved.def_places.get(&id) {
                    note(*place, *name_span, *name);
                }
            }
            _ => {}
        }
    }
    for (bound, (span, name)) in first {
        let name = text.ast.name(name);
        let own = match bound {
            Bound::Var(var) => resolved.var(var).is_some_and(|var| !var.fresh) && !silent(name),
            Bound::Global(slot) => private(resolved, slot, name),
        };
        if own && !read.contains(&bound) {
            let help = "take it away, or let its name begin with `_`";
            found.push(
                unused_one("the variable", name, span).help(if matches!(bound, Bound::Global(_)) { "take it away" } else { help }).into(),
            );
        }
    }
}

/// A name of the module that no other file can see.
fn private(resolved: &Resolved, slot: Slot, name: &str) -> bool {
    let global = resolved.globals.get(slot.0 as usize);
    name.len() > 1 && silent(name) && global.is_some_and(|global| !global.exported && !global.imported)
}

fn functions(text: &Text<'_>, resolved: &Resolved, read: &HashSet<Bound>, found: &mut Vec<Warning>) {
    for (at, function) in (0..).zip(&text.ast.fns) {
        let id = FnId(at);
        if let (Some(name), Some(bound)) = (function.name, resolved.fn_places.get(&id).and_then(|place| bound(*place))) {
            let name = text.ast.name(name);
            let own = match bound {
                Bound::Var(_) => !silent(name),
                Bound::Global(slot) => private(resolved, slot, name),
            };
            if own && !read.contains(&bound) {
                found.push(unused_one("the function", name, function.name_span).help("take it away").into());
            }
        }
        // What calls a lambda decides how many arguments it gets, so it often has some that it does not need.
        if function.name.is_none() {
            continue;
        }
        let Some(info) = resolved.functions.get(at as usize + 1) else { continue };
        for (param, var) in function.params.iter().zip(&info.params) {
            let name = text.ast.name(param.name);
            let Some(var) = var else { continue };
            if silent(name) || read.contains(&Bound::Var(*var)) || reassigned(text, resolved, *var) {
                continue;
            }
            let place = Span::new(param.span.start, param.span.start);
            let starts = text.of(param.span).starts_with(name);
            let fix = starts.then(|| (place, "_".to_owned()));
            found.push(Warning {
                diagnostic: unused_one("the parameter", name, param.span).help(format!("call it `_{name}` when it has to be there")),
                fix,
            });
        }
    }
}

/// Whether something is assigned to a parameter: its name is then in more places than one.
fn reassigned(text: &Text<'_>, resolved: &Resolved, var: VarId) -> bool {
    targets(text).into_iter().any(|target| bound(resolved.name(target).place) == Some(Bound::Var(var)))
}

fn loops(text: &Text<'_>, resolved: &Resolved, read: &HashSet<Bound>, found: &mut Vec<Warning>) {
    for (id, stmt) in (0..).map(StmtId).zip(&text.ast.stmts) {
        let (Stmt::For { vars, .. }, Some(bound)) = (stmt, resolved.for_vars.get(&id)) else { continue };
        for ((name, span), var) in vars.iter().zip(bound.as_slice()) {
            let name = text.ast.name(*name);
            let Some(var) = var else { continue };
            if !silent(name) && !read.contains(&Bound::Var(*var)) && !reassigned(text, resolved, *var) {
                let fix = (text.of(*span) == name).then(|| (*span, "_".to_owned()));
                found.push(Warning { diagnostic: unused_one("the loop variable", name, *span).help("write `_`"), fix });
            }
        }
    }
}

fn patterns(text: &Text<'_>, resolved: &Resolved, read: &HashSet<Bound>, found: &mut Vec<Warning>) {
    let mut unread: Vec<(PatId, VarId)> = resolved.pat_vars.iter().map(|(pat, var)| (*pat, *var)).collect();
    unread.retain(|(_, var)| !read.contains(&Bound::Var(*var)));
    for (pat, var) in unread {
        let Pattern::Bind(name) = text.ast.pat(pat) else { continue };
        let name = text.ast.name(*name);
        if !silent(name) && !reassigned(text, resolved, var) {
            let span = text.ast.pat_spans.get(pat.0 as usize).copied().unwrap_or_default();
            found.push(unused_one("the name", name, span).help("write `_` in its place").into());
        }
    }
}

/// Points out names that hide a builtin, a module that is loaded, or a variable of the same function.
pub(super) fn shadowed(text: &Text<'_>, resolved: &Resolved, found: &mut Vec<Warning>) {
    let modules: HashSet<&str> = text
        .ast
        .stmts
        .iter()
        .filter_map(|stmt| match stmt {
            Stmt::Use { module: Module::Std(name), alias: None } => Some(text.ast.name(*name)),
            _ => None,
        })
        .collect();
    let mut seen = HashSet::new();
    for (name, span) in bindings(text) {
        let shown = text.ast.name(name);
        let hides = if is_builtin(shown) {
            "the builtin"
        } else if modules.contains(shown) {
            "the module"
        } else {
            continue;
        };
        if seen.insert(name) {
            let message = format!("this hides {hides} `{shown}`");
            found.push(Diagnostic::new(codes::SHADOWED, span, message).help("give it another name").into());
        }
    }
    loops_over_variables(text, resolved, found);
}

fn is_builtin(name: &str) -> bool {
    builtin::number(name, false).is_some()
}

/// Every name that something binds, in the order of the tree's tables.
fn bindings(text: &Text<'_>) -> Vec<(Name, Span)> {
    let mut all = Vec::new();
    for stmt in &text.ast.stmts {
        match stmt {
            Stmt::Assign { target, .. } => {
                if let Expr::Name(name) = text.ast.expr(*target) {
                    all.push((*name, text.ast.span(*target)));
                }
            }
            Stmt::Def { name, name_span, .. } => all.push((*name, *name_span)),
            Stmt::For { vars, .. } => all.extend(vars),
            _ => {}
        }
    }
    for function in &text.ast.fns {
        all.extend(function.name.map(|name| (name, function.name_span)));
        all.extend(function.params.iter().map(|param| (param.name, param.span)));
    }
    for (pat, span) in text.ast.pats.iter().zip(&text.ast.pat_spans) {
        if let Pattern::Bind(name) = pat {
            all.push((*name, *span));
        }
    }
    all.sort_by_key(|(_, span)| span.start);
    all
}

/// Loop variables that hide one of an outer loop, a parameter, or a variable that was assigned before.
fn loops_over_variables(text: &Text<'_>, resolved: &Resolved, found: &mut Vec<Warning>) {
    // Name and function, of everything that lasts as long as the function, with where it begins.
    let mut known: HashMap<(Name, u32), Span> = HashMap::new();
    for (function, info) in text.ast.fns.iter().zip(resolved.functions.iter().skip(1)) {
        for (param, var) in function.params.iter().zip(&info.params) {
            if let Some(var) = var.and_then(|var| resolved.var(var)) {
                known.insert((param.name, var.owner), param.span);
            }
        }
    }
    for stmt in &text.ast.stmts {
        let Stmt::Assign { target, .. } = stmt else { continue };
        let Expr::Name(name) = text.ast.expr(*target) else { continue };
        let owner = match resolved.name(*target).place {
            Place::Own(var) => resolved.var(var).filter(|var| !var.fresh).map(|var| var.owner),
            Place::Global(_) => Some(0),
            _ => None,
        };
        let span = text.ast.span(*target);
        if let Some(owner) = owner {
            known.entry((*name, owner)).and_modify(|first| *first = if span.start < first.start { span } else { *first }).or_insert(span);
        }
    }
    let mut open: Vec<(Name, u32, Span, Span)> = Vec::new();
    let mut all: Vec<(StmtId, Span)> = (0..).map(StmtId).zip(&text.ast.stmt_spans).map(|(id, span)| (id, *span)).collect();
    all.sort_by_key(|(_, span)| (span.start, std::cmp::Reverse(span.end)));
    for (id, whole) in all {
        let (Stmt::For { vars, .. }, Some(bound)) = (text.ast.stmt(id), resolved.for_vars.get(&id)) else { continue };
        open.retain(|(_, _, around, _)| around.end > whole.start);
        for ((name, span), var) in vars.iter().zip(bound.as_slice()) {
            let Some(owner) = var.and_then(|var| resolved.var(var)).map(|var| var.owner) else { continue };
            let before = known.get(&(*name, owner)).filter(|first| first.start < whole.start).copied();
            let around = open.iter().find(|(other, of, _, _)| other == name && *of == owner).map(|(_, _, _, at)| *at);
            if let Some(first) = around.or(before) {
                let message = format!("the loop variable `{}` hides the variable of that name", text.ast.name(*name));
                let report = Diagnostic::new(codes::SHADOWED, *span, message).related(first, "this one");
                found.push(report.help("give it another name: the loop does not change the one outside").into());
            }
            open.push((*name, owner, whole, *span));
        }
    }
}
