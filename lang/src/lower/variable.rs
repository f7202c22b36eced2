//! Reading, writing and starting variables.

use super::{Dst, Lower, small};
use crate::ast::ExprId;
use crate::code::op::Op;
use crate::resolve::{Place, Ref, Slot, Var, VarId};
use crate::source::Span;

impl<'a> Lower<'a> {
    pub(super) fn register(&self, var: VarId) -> u8 {
        self.registers.get(var.0 as usize).copied().unwrap_or_default()
    }

    pub(super) fn set_register(&mut self, var: VarId, register: u8) {
        if let Some(slot) = self.registers.get_mut(var.0 as usize) {
            *slot = register;
        }
    }

    /// The name of a module variable whose slot holds the cell that a session has for it.
    fn session_name(&self, slot: Slot) -> Option<&'a str> {
        let resolved = self.resolved;
        resolved.globals.get(slot.0 as usize).filter(|global| global.shared).map(|global| &*global.name)
    }

    fn is_shared(&self, var: VarId) -> bool {
        self.resolved.var(var).is_some_and(|var| var.shared)
    }

    /// Gives a function's own variable its register, and its cell or the unset mark where reads look for it.
    pub(super) fn start_variable(&mut self, var: VarId, span: Span) {
        let register = self.alloc();
        self.set_register(var, register);
        let Some(&Var { shared, starts_unset, .. }) = self.resolved.var(var) else { return };
        if shared || starts_unset {
            self.emit(Op::Unset, register, 0, 0, 0, span);
        }
        if shared {
            self.emit(Op::CellNew, register, register, 0, 0, span);
        }
    }

    /// Takes a register for a loop's or pattern's variable.
    pub(super) fn fresh_register(&mut self, var: VarId) -> u8 {
        let register = self.alloc();
        self.set_register(var, register);
        register
    }

    /// A fresh variable's value stands in `from`; puts it where the variable lives.
    pub(super) fn share_fresh(&mut self, var: VarId, from: u8, span: Span) {
        let register = self.register(var);
        if self.is_shared(var) {
            self.emit(Op::CellNew, register, from, 0, 0, span);
        } else {
            self.move_to(register, from, span);
        }
    }

    /// The register that holds a variable's value as it is, when there is one.
    pub(super) fn plain_register(&self, place: Place) -> Option<u8> {
        match place {
            Place::Own(var) if !self.is_shared(var) => Some(self.register(var)),
            _ => None,
        }
    }

    /// A name's value.
    pub(super) fn read(&mut self, name: ExprId, dst: u8) {
        let (meaning, span) = (self.resolved.name(name), self.ast.span(name));
        if let Some(register) = self.plain_register(meaning.place) {
            self.check_set(meaning, register, span);
            return self.move_to(dst, register, span);
        }
        match meaning.place {
            Place::Global(slot) => {
                self.emit(Op::GetGlobal, dst, 0, 0, slot.0, span);
                if let Some(name) = self.session_name(slot) {
                    self.emit(Op::CellGet, dst, dst, 0, 0, span);
                    let constant = self.text(name);
                    self.emit(Op::NeedSet, dst, 0, 0, constant, span);
                }
            }
            Place::Own(var) => {
                let register = self.register(var);
                self.emit(Op::CellGet, dst, register, 0, 0, span);
                self.check_set(meaning, dst, span);
            }
            Place::Captured(number, var) => {
                let op = if self.is_shared(var) { Op::GetShared } else { Op::GetCapture };
                self.emit(op, dst, 0, 0, number, span);
                self.check_set(meaning, dst, span);
            }
            Place::Builtin(number) => _ = self.emit(Op::Builtin, dst, 0, 0, number, span),
            Place::Native(number) => _ = self.emit(Op::Native, dst, 0, 0, number, span),
            Place::Nowhere => _ = self.emit(Op::Nil, dst, 0, 0, 0, span),
        }
    }

    pub(super) fn check_set(&mut self, meaning: Ref, register: u8, span: Span) {
        let var = match meaning.place {
            Place::Own(var) | Place::Captured(_, var) if meaning.check => var,
            _ => return,
        };
        let name = self.resolved.var(var).map_or("", |var| self.ast.name(var.name));
        let constant = self.text(name);
        self.emit(Op::NeedSet, register, 0, 0, constant, span);
    }

    /// Stores a register's value in a variable.
    pub(super) fn store(&mut self, place: Place, from: u8, span: Span) {
        if let Some(register) = self.plain_register(place) {
            return self.move_to(register, from, span);
        }
        match place {
            Place::Global(slot) if self.session_name(slot).is_some() => {
                let mark = self.mark();
                let cell = self.alloc();
                self.emit(Op::GetGlobal, cell, 0, 0, slot.0, span);
                self.emit(Op::CellSet, cell, from, 0, 0, span);
                self.release(mark);
            }
            Place::Global(slot) => _ = self.emit(Op::SetGlobal, from, 0, 0, slot.0, span),
            Place::Own(var) => {
                let register = self.register(var);
                self.emit(Op::CellSet, register, from, 0, 0, span);
            }
            Place::Captured(number, _) => _ = self.emit(Op::SetShared, from, 0, 0, number, span),
            Place::Builtin(_) | Place::Native(_) | Place::Nowhere => {}
        }
    }

    /// Evaluates an expression into a variable.
    pub(super) fn assign(&mut self, place: Place, value: ExprId, span: Span) {
        match self.plain_register(place) {
            Some(register) => self.expr(value, Dst { reg: register, scratch: false }),
            None => {
                let mark = self.mark();
                let register = self.any(value);
                self.store(place, register, span);
                self.release(mark);
            }
        }
    }

    /// A parameter's default, for a call that left it out.
    pub(super) fn default_value(&mut self, register: u8, value: ExprId, span: Span) {
        let given = self.label();
        self.jump(Op::JumpSet, register, 0, given, span);
        self.expr(value, Dst { reg: register, scratch: false });
        self.bind(given);
    }

    /// At the start of the unit: the functions of `trl` that pipelines name.
    pub(super) fn load_stages(&mut self) {
        let (resolved, span) = (self.resolved, Span::default());
        if resolved.stages.is_empty() {
            return;
        }
        let mark = self.mark();
        let (names, field) = (self.alloc(), self.alloc());
        self.emit(Op::Use, names, 0, 0, resolved.stages_module, span);
        let site = self.site("trl");
        self.emit(Op::GetField, names, names, 0, site, span);
        for &(name, slot) in &resolved.stages {
            let site = self.site(self.ast.name(name));
            self.emit(Op::GetField, field, names, 0, site, span);
            self.emit(Op::SetGlobal, field, 0, 0, slot.0, span);
        }
        self.release(mark);
    }

    /// Puts a function over its captures into a register.
    pub(super) fn closure(&mut self, function: crate::ast::FnId, dst: u8, span: Span) {
        let index = function.0 as usize + 1;
        let captures = self.captures(index);
        let number = self.enqueue(index);
        if let Some(code) = self.parts.functions.get_mut(number as usize) {
            code.captures = captures;
        }
        self.emit(Op::Closure, dst, 0, 0, number, span);
    }

    /// Makes a named function and binds it.
    pub(super) fn named_function(&mut self, id: crate::ast::FnId) {
        let place = self.resolved.fn_places.get(&id).copied().unwrap_or_default();
        let span = self.ast.function(id).map(|function| function.name_span).unwrap_or_default();
        match self.plain_register(place) {
            Some(register) => self.closure(id, register, span),
            None => {
                let mark = self.mark();
                let register = self.alloc();
                self.closure(id, register, span);
                self.store(place, register, span);
                self.release(mark);
            }
        }
    }

    /// Registers of a pattern's or loop's variables, in order; `None` takes one too, for a value nobody reads.
    pub(super) fn loop_registers(&mut self, vars: &[Option<VarId>]) -> u8 {
        let first = small(self.next);
        for _ in vars {
            self.alloc();
        }
        first
    }
}
