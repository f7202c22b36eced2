//! Functions and their variables: entering a function, declaring what it binds, finding what a name is bound to.

use super::collect::{Found, Why, bound_names};
use super::hint::shown;
use super::{Binding, Constant, Frame, FunctionInfo, GlobalInfo, Place, Ref, Resolved, Resolver, Slot, Var, VarId, VarSet};
use crate::ast::{Ast, Expr, FnId, Module, Name, Stmt};
use crate::code::program::{Global, ModuleRef};
use crate::diagnostic::{Diagnostic, codes};
use crate::library::Library;
use crate::source::Span;
use std::collections::{HashMap, HashSet};

impl<'a> Resolver<'a> {
    pub(super) fn new(ast: &'a Ast, library: &'a dyn Library, trusted: bool) -> Self {
        let functions = ast.fns.iter().filter_map(|function| function.name);
        let mut mentions: HashMap<Name, Vec<u32>> = functions.map(|name| (name, Vec::new())).collect();
        for (expr, span) in ast.exprs.iter().zip(&ast.expr_spans) {
            if let Expr::Name(name) = expr
                && let Some(places) = mentions.get_mut(name)
            {
                places.push(span.start);
            }
        }
        mentions.values_mut().for_each(|places| places.sort_unstable());
        let names = ast.names.iter().zip(0..).map(|(text, index)| (&**text, Name(index))).collect();
        let open = ast.stmts.iter().any(|stmt| matches!(stmt, Stmt::Use { module: Module::Path(_), alias: None }));
        let mut out = Resolved { refs: vec![Ref::default(); ast.exprs.len()], ..Resolved::default() };
        out.functions.resize_with(ast.fns.len() + 1, FunctionInfo::default);
        Self {
            ast,
            library,
            trusted,
            out,
            errors: Vec::new(),
            open_names: HashMap::new(),
            global_info: Vec::new(),
            frames: Vec::new(),
            names,
            mentions,
            open,
            writes: 0,
            blocks: Vec::new(),
            stages: HashMap::new(),
            constants: HashMap::new(),
            earlier: HashMap::new(),
            compared: 0,
        }
    }

    /// The whole unit.
    pub(super) fn unit(&mut self) {
        let Some(root) = self.ast.root else { return };
        self.out.push = self.library.builtin("__lst_push", self.trusted);
        let found = bound_names(self, root, None);
        self.frames.push(Frame::new(0, false));
        self.know_earlier();
        self.declare(&found, &HashSet::new());
        self.bind_earlier();
        self.block(root);
        self.frames.pop();
        for var in &mut self.out.vars {
            let changes = if var.fresh { var.assigns > 0 } else { var.assigns != 1 || var.assigned_in_loop };
            // A function that calls itself reaches itself without its variable, unless something else is assigned to that too.
            var.shared = (var.captured || var.recursive && var.assigns > 1) && (var.needs_cell || changes);
        }
    }

    /// Gives the names of earlier inputs that the text mentions their slots.
    fn know_earlier(&mut self) {
        let library = self.library;
        for one in library.earlier().unwrap_or_default() {
            let Some(&name) = self.names.get(&*one.name) else { continue };
            let slot = self.global(&one.name, false, false);
            if let Some(info) = self.global_info.get_mut(slot.0 as usize) {
                info.touched = true;
            }
            if one.constant {
                self.constants.insert(Binding::Global(slot), Constant { span: None, block: None });
            }
            self.earlier.insert(name, slot);
        }
    }

    /// Binds those of them that the text itself does not bind.
    fn bind_earlier(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        for (&name, &slot) in &self.earlier {
            frame.bound.entry(name).or_insert(Binding::Global(slot));
        }
        if self.library.earlier().is_some() {
            let bound: Vec<Slot> =
                frame.bound.values().filter_map(|binding| if let Binding::Global(slot) = binding { Some(*slot) } else { None }).collect();
            for slot in bound {
                if let Some(global) = self.out.globals.get_mut(slot.0 as usize) {
                    global.shared = true;
                }
            }
        }
    }

    /// A function's parameters and body. `itself` is the variable a named local function is bound to.
    pub(super) fn function(&mut self, id: FnId, itself: Option<VarId>) {
        let Some(function) = self.ast.function(id) else { return };
        let number = id.0 as usize + 1;
        let (writes, params) = (self.writes, function.params.iter().map(|param| param.name).collect());
        let found = bound_names(self, function.body, Some(id));
        self.frames.push(Frame::new(number, function.name.is_some()));
        self.declare(&found, &params);
        if let Some(info) = self.out.functions.get_mut(number) {
            info.itself = itself;
        }
        let mut seen: HashMap<Name, Span> = HashMap::new();
        for param in &function.params {
            if let Some(default) = param.default {
                let before = self.set();
                self.expr(default);
                self.set_to(before);
            }
            let wild = self.ast.name(param.name) == "_";
            if let Some(&first) = seen.get(&param.name).filter(|_| !wild) {
                let message = format!("two parameters are called `{}`", shown(self.ast.name(param.name)));
                self.error(Diagnostic::new(codes::BOUND_TWICE, param.span, message).related(first, "the first is here"));
            }
            seen.insert(param.name, param.span);
            let var = (!wild).then(|| self.bind_fresh(param.name));
            if let Some(info) = self.out.functions.get_mut(number) {
                info.params.push(var);
            }
        }
        self.block(function.body);
        self.frames.pop();
        self.writes = writes;
    }

    /// Makes the variables of the innermost function.
    fn declare(&mut self, found: &[Found], params: &HashSet<Name>) {
        let named = self.frames.last().is_some_and(|frame| frame.named);
        for one in found.iter().filter(|one| matches!(one.why, Why::Own | Why::Alias)) {
            self.declare_one(one, params);
        }
        for one in found.iter().filter(|one| one.why == Why::Assign) {
            // A lambda rebinds what it sees; its own names are found there too, so this also skips those.
            if self.frames.len() == 1 || named || self.find(one.name).is_none() {
                self.declare_one(one, params);
            }
        }
        let mut imported: HashMap<Name, (Name, Span)> = HashMap::new();
        for one in found {
            let Why::Import(module) = one.why else { continue };
            match imported.get(&one.name) {
                Some(&(other, span)) if other != module => {
                    let text = shown(self.ast.name(one.name));
                    let message = format!("`{text}` comes from both `{}` and `{}`", self.ast.name(other), self.ast.name(module));
                    self.error(Diagnostic::new(codes::IMPORT_CLASH, one.span, message).related(span, "the first is loaded here"));
                }
                Some(_) => {}
                None => {
                    let taken = params.contains(&one.name) || self.frames.last().is_some_and(|frame| frame.bound.contains_key(&one.name));
                    if !taken {
                        self.declare_one(one, params);
                        self.frames.last_mut().into_iter().for_each(|frame| _ = frame.imported.insert(one.name));
                    }
                    imported.insert(one.name, (module, one.span));
                }
            }
        }
    }

    fn declare_one(&mut self, found: &Found, params: &HashSet<Name>) {
        let Some(frame) = self.frames.last() else { return };
        if params.contains(&found.name) || frame.bound.contains_key(&found.name) {
            return;
        }
        let binding = if frame.function == 0 {
            let exported = matches!(found.why, Why::Own | Why::Assign) && !self.ast.name(found.name).starts_with('_');
            let imported = matches!(found.why, Why::Import(_));
            let earlier = self.earlier.get(&found.name).copied();
            Binding::Global(earlier.unwrap_or_else(|| self.global(self.ast.name(found.name), exported, imported)))
        } else {
            let owner = frame.function;
            let index = self.out.functions.get(owner).map_or(0, |info| info.locals.len());
            let var = self.new_var(found.name, owner, Some(index));
            if let Some(info) = self.out.functions.get_mut(owner) {
                info.locals.push(var);
            }
            Binding::Var(var)
        };
        if let Some(frame) = self.frames.last_mut() {
            frame.bound.insert(found.name, binding);
        }
    }

    pub(super) fn global(&mut self, name: &str, exported: bool, imported: bool) -> Slot {
        let slot = Slot(u32::try_from(self.out.globals.len()).unwrap_or(u32::MAX));
        self.out.globals.push(Global { name: name.into(), exported, imported, shared: false, constant: false });
        self.global_info.push(GlobalInfo::default());
        slot
    }

    fn new_var(&mut self, name: Name, owner: usize, index: Option<usize>) -> VarId {
        let id = VarId(u32::try_from(self.out.vars.len()).unwrap_or(u32::MAX));
        self.out.vars.push(Var {
            name,
            owner: u32::try_from(owner).unwrap_or(u32::MAX),
            fresh: index.is_none(),
            shared: false,
            starts_unset: false,
            index: index.and_then(|index| u16::try_from(index).ok()).unwrap_or(u16::MAX),
            assigns: 0,
            assigned_in_loop: false,
            captured: false,
            recursive: false,
            needs_cell: false,
            touched: index.is_none(),
        });
        id
    }

    /// Binds a parameter's, loop's or pattern's name in the innermost function.
    pub(super) fn bind_fresh(&mut self, name: Name) -> VarId {
        let owner = self.frames.last().map_or(0, |frame| frame.function);
        let var = self.new_var(name, owner, None);
        if let Some(frame) = self.frames.last_mut() {
            let before = frame.bound.insert(name, Binding::Var(var));
            frame.hidden.push((name, before));
        }
        var
    }

    /// Ends the scope of the names bound last by [`Self::bind_fresh`].
    pub(super) fn unbind(&mut self, count: usize) {
        let Some(frame) = self.frames.last_mut() else { return };
        for _ in 0..count {
            match frame.hidden.pop() {
                Some((name, Some(before))) => _ = frame.bound.insert(name, before),
                Some((name, None)) => _ = frame.bound.remove(&name),
                None => {}
            }
        }
    }

    /// The innermost binding of a name, and the function it is in.
    pub(super) fn find(&self, name: Name) -> Option<(usize, Binding)> {
        let frames = self.frames.iter().enumerate().rev();
        frames.filter_map(|(depth, frame)| Some((depth, *frame.bound.get(&name)?))).next()
    }

    pub(super) fn builtin_or_native(&self, text: &str) -> Option<Place> {
        let builtin = self.library.builtin(text, self.trusted).map(Place::Builtin);
        builtin.or_else(|| self.library.native(text).map(Place::Native))
    }

    pub(super) fn module(&mut self, module: ModuleRef) -> u32 {
        let at = self.out.uses.iter().position(|one| *one == module).unwrap_or_else(|| {
            self.out.uses.push(module);
            self.out.uses.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    pub(super) fn enter_loop(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.loops += 1;
        }
    }

    pub(super) fn leave_loop(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        frame.loops = frame.loops.saturating_sub(1);
        if frame.loops > 0 {
            return;
        }
        for early in std::mem::take(&mut frame.early) {
            if !self.touched(early.binding) {
                self.early_read(early.name, early.span);
            }
        }
    }

    /// From here on a binding counts as assigned in the text: a function of a block can be called before its place.
    pub(super) fn touch(&mut self, binding: Binding) {
        match binding {
            Binding::Var(var) => {
                self.mark(var, |var| var.touched = true);
                self.make_set(var);
            }
            Binding::Global(slot) => {
                if let Some(info) = self.global_info.get_mut(slot.0 as usize) {
                    info.touched = true;
                }
            }
        }
    }

    pub(super) fn mark(&mut self, var: VarId, change: impl FnOnce(&mut Var)) {
        if let Some(var) = self.out.vars.get_mut(var.0 as usize) {
            change(var);
        }
    }

    /// Own variables that have a value here.
    pub(super) fn set(&self) -> VarSet {
        self.frames.last().map_or(VarSet::NONE, |frame| frame.set)
    }
    pub(super) fn set_to(&mut self, set: VarSet) {
        if let Some(frame) = self.frames.last_mut() {
            frame.set = set;
        }
    }
}

impl Frame {
    fn new(function: usize, named: bool) -> Self {
        Self {
            function,
            named,
            bound: HashMap::new(),
            hidden: Vec::new(),
            capture_numbers: HashMap::new(),
            set: VarSet::NONE,
            loops: 0,
            early: Vec::new(),
            unmade: HashSet::new(),
            imported: HashSet::new(),
        }
    }
}
