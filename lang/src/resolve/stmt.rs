//! Statements and blocks.

use super::hint::shown;
use super::{Binding, LoopVars, Place, Ref, Resolver, UsePlan, VarSet};
use crate::ast::{BlockId, Expr, ExprId, FnId, Module, Name, Stmt, StmtId};
use crate::code::program::ModuleRef;
use crate::diagnostic::{Diagnostic, codes};
use crate::source::Span;
use std::collections::HashMap;

impl Resolver<'_> {
    /// The statements of a block, its functions first when one of them is mentioned before its place.
    pub(super) fn block(&mut self, id: BlockId) {
        self.blocks.push(id);
        self.statements(id);
        self.blocks.pop();
    }

    fn statements(&mut self, id: BlockId) {
        let ast = self.ast;
        let functions: Vec<FnId> = ast.block(id).iter().filter_map(|&stmt| as_function(ast.stmt(stmt))).collect();
        self.check_twice(&functions);
        let start = ast.block(id).first().map_or(0, |&stmt| ast.stmt_span(stmt).start);
        let hoist = !functions.is_empty() && (self.frames.len() == 1 || functions.iter().any(|&function| self.mentioned(function, start)));
        if hoist {
            self.out.hoisted.insert(id);
            self.make_functions(&functions);
        }
        for &stmt in ast.block(id) {
            match as_function(ast.stmt(stmt)) {
                Some(function) if !hoist => self.make_functions(&[function]),
                Some(_) => {}
                None => self.stmt(stmt),
            }
        }
    }

    fn check_twice(&mut self, functions: &[FnId]) {
        let mut seen: HashMap<Name, Span> = HashMap::new();
        for function in functions.iter().filter_map(|&id| self.ast.function(id)) {
            let Some(name) = function.name else { continue };
            if let Some(first) = seen.insert(name, function.name_span) {
                let message = format!("`{}` is defined twice", shown(self.ast.name(name)));
                self.error(Diagnostic::new(codes::DEFINED_TWICE, function.name_span, message).related(first, "the first is here"));
            }
        }
    }

    /// Whether a function's name occurs from `start` on before the function itself.
    fn mentioned(&self, id: FnId, start: u32) -> bool {
        let Some((name, span)) = self.ast.function(id).and_then(|function| Some((function.name?, function.name_span))) else {
            return false;
        };
        let places = self.mentions.get(&name).map_or(&[][..], |places| places);
        places.get(places.partition_point(|&place| place < start)).is_some_and(|&place| place < span.start)
    }

    /// Makes functions that may call each other.
    fn make_functions(&mut self, functions: &[FnId]) {
        let mut bindings = Vec::new();
        for &id in functions {
            let Some(name) = self.ast.function(id).and_then(|function| function.name) else { continue };
            let Some((_, binding)) = self.find(name) else { continue };
            bindings.push((id, name, binding));
            self.touch(binding);
            if let (Binding::Var(var), Some(frame)) = (binding, self.frames.last_mut()) {
                frame.unmade.insert(var);
            }
        }
        for (id, name, binding) in bindings {
            let span = self.ast.function(id).map(|function| function.name_span).unwrap_or_default();
            let place = self.write(name, span);
            self.out.fn_places.insert(id, place);
            let itself = match binding {
                Binding::Var(var) => Some(var),
                Binding::Global(_) => None,
            };
            self.function(id, itself);
            if let (Some(var), Some(frame)) = (itself, self.frames.last_mut()) {
                frame.unmade.remove(&var);
            }
        }
    }

    fn stmt(&mut self, id: StmtId) {
        let ast = self.ast;
        match ast.stmt(id) {
            Stmt::Expr(expr) => self.expr(*expr),
            Stmt::Assign { target, value } => match ast.expr(*target) {
                Expr::Name(name) => {
                    self.expr(*value);
                    self.assign(*target, *name, false);
                }
                _ => {
                    self.expr(*target);
                    self.expr(*value);
                }
            },
            Stmt::Update { target, value, .. } => match ast.expr(*target) {
                Expr::Name(name) => {
                    let check = self.read(*name, ast.span(*target), false).check;
                    self.expr(*value);
                    self.assign(*target, *name, check);
                }
                _ => {
                    self.expr(*target);
                    self.expr(*value);
                }
            },
            Stmt::Def { name, name_span, value } => {
                self.expr(*value);
                let place = self.define(*name, *name_span);
                self.out.def_places.insert(id, place);
            }
            Stmt::Fn(function) => self.make_functions(&[*function]),
            Stmt::Ret(value) => {
                if let Some(value) = value {
                    self.expr(*value);
                }
                if self.frames.len() == 1 {
                    let help = "at the top level the last expression is the program's value; `os.exit(n)` ends a program early";
                    self.error(Diagnostic::new(codes::RET_OUTSIDE, ast.stmt_span(id), "`ret` outside of a function").help(help));
                }
                self.set_to(VarSet::ALL);
            }
            Stmt::Brk | Stmt::Cnt => self.jump(id),
            Stmt::While { cond, body } => {
                self.enter_loop();
                self.expr(*cond);
                let after = self.set();
                self.block(*body);
                self.set_to(after);
                self.leave_loop();
            }
            Stmt::For { vars, source, body } => self.for_loop(id, vars, *source, *body),
            Stmt::Use { module, alias } => self.use_module(id, module, *alias),
            Stmt::Error => {}
        }
    }

    fn assign(&mut self, target: ExprId, name: Name, check: bool) {
        let place = self.write(name, self.ast.span(target));
        if let Some(slot) = self.out.refs.get_mut(target.0 as usize) {
            *slot = Ref { place, check };
        }
    }

    fn jump(&mut self, id: StmtId) {
        if self.frames.last().is_none_or(|frame| frame.loops == 0) {
            let word = if matches!(self.ast.stmt(id), Stmt::Brk) { "brk" } else { "cnt" };
            let mut diagnostic = Diagnostic::new(codes::JUMP_OUTSIDE, self.ast.stmt_span(id), format!("`{word}` outside of a loop"));
            if self.frames.iter().any(|frame| frame.loops > 0) {
                diagnostic = diagnostic.help("the loop is outside of this function, and a function cannot end its caller's loop");
            }
            self.error(diagnostic);
        }
        self.set_to(VarSet::ALL);
    }

    fn for_loop(&mut self, id: StmtId, vars: &[(Name, Span)], source: ExprId, body: BlockId) {
        self.expr(source);
        self.enter_loop();
        let after = self.set();
        let mut bound = LoopVars { vars: [None; 2], count: if vars.len() > 1 { 2 } else { 1 } };
        for (position, &(name, span)) in vars.iter().enumerate() {
            if self.ast.name(name) == "_" {
                continue;
            }
            if vars.get(..position).is_some_and(|before| before.iter().any(|&(other, _)| other == name)) {
                let message = format!("two loop variables are called `{}`", shown(self.ast.name(name)));
                self.error(Diagnostic::new(codes::BOUND_TWICE, span, message));
            }
            let var = self.bind_fresh(name);
            if let Some(place) = bound.vars.get_mut(position) {
                *place = Some(var);
            }
        }
        self.block(body);
        self.unbind(bound.as_slice().iter().flatten().count());
        self.out.for_vars.insert(id, bound);
        self.set_to(after);
        self.leave_loop();
    }

    fn use_module(&mut self, id: StmtId, module: &Module, alias: Option<Name>) {
        let span = self.ast.stmt_span(id);
        let mut fields = Vec::new();
        let reference = match module {
            Module::Path(path) => ModuleRef::Path(path.clone()),
            Module::Std(name) => {
                let text = self.ast.name(*name);
                let Some(exports) = self.library.exports(text) else { return self.unknown_module(*name, span) };
                if alias.is_none() {
                    fields = exports.iter().filter_map(|export| self.names.get(export.as_str()).copied()).collect();
                }
                ModuleRef::Std(text.into())
            }
        };
        let all = matches!(module, Module::Path(_)) && alias.is_none();
        let module = self.module(reference);
        let binds = fields.into_iter().filter_map(|name| self.import(name, span)).collect();
        let alias = alias.map(|name| self.write(name, span));
        self.out.use_plans.insert(id, UsePlan { module, binds, alias, all });
    }

    /// Binds a copied name, unless the function binds that name otherwise.
    fn import(&mut self, name: Name, span: Span) -> Option<(Name, Place)> {
        self.frames.last()?.imported.contains(&name).then(|| (name, self.write(name, span)))
    }
}

fn as_function(stmt: &Stmt) -> Option<FnId> {
    match stmt {
        Stmt::Fn(id) => Some(*id),
        _ => None,
    }
}
