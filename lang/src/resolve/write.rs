//! Names that are written: assignments and constants.

use super::hint::shown;
use super::{Binding, Constant, Place, Resolver, Var, VarId};
use crate::ast::Name;
use crate::diagnostic::{Diagnostic, codes};
use crate::source::Span;

impl Resolver<'_> {
    /// A name that is assigned to.
    pub(super) fn write(&mut self, name: Name, span: Span) -> Place {
        if self.ast.name(name) == "_" {
            return Place::Nowhere;
        }
        let Some((depth, binding)) = self.find(name) else { return Place::Nowhere };
        if let Some(&Constant { span: first, .. }) = self.constants.get(&binding) {
            let message = format!("`{}` is a constant", shown(self.ast.name(name)));
            let error = Diagnostic::new(codes::CONSTANT, span, message).label("assigned again here");
            self.error(match first {
                Some(first) => error.related(first, "defined here").help("bind it without `def`, or use another name"),
                None => error.help("an earlier input defined it; `def` defines it anew"),
            });
        }
        self.write_binding(depth, binding)
    }

    fn write_binding(&mut self, depth: usize, binding: Binding) -> Place {
        self.writes += 1;
        match binding {
            Binding::Global(slot) => {
                if let Some(info) = self.global_info.get_mut(slot.0 as usize) {
                    info.touched = true;
                }
                Place::Global(slot)
            }
            Binding::Var(var) if depth + 1 == self.frames.len() => {
                self.write_own(var);
                Place::Own(var)
            }
            Binding::Var(var) => {
                let place = self.capture(var, depth).place;
                self.mark(var, |var| {
                    (var.assigns, var.touched, var.captured, var.needs_cell) = (var.assigns.saturating_add(1), true, true, true);
                });
                place
            }
        }
    }

    fn write_own(&mut self, var: VarId) {
        let loops = self.frames.last().map_or(0, |frame| frame.loops);
        self.mark(var, |var| {
            var.assigns = var.assigns.saturating_add(1);
            var.touched = true;
            var.assigned_in_loop |= loops > 0;
        });
        self.make_set(var);
    }

    /// From here on a variable of the innermost function has a value.
    pub(super) fn make_set(&mut self, var: VarId) {
        if let Some(bit) = self.out.var(var).and_then(Var::bit)
            && let Some(frame) = self.frames.last_mut()
        {
            frame.set.add(bit);
        }
    }

    /// `def`: binds once, and for good.
    pub(super) fn define(&mut self, name: Name, span: Span) -> Place {
        let Some((depth, binding)) = self.find(name) else { return Place::Nowhere };
        let text = shown(self.ast.name(name));
        match self.constants.get(&binding).copied() {
            Some(first) if first.block.is_some_and(|block| self.blocks.contains(&block)) => {
                let diagnostic = Diagnostic::new(codes::CONSTANT, span, format!("the constant `{text}` is defined twice"));
                let diagnostic = diagnostic.label("defined again here");
                self.error(match first.span {
                    Some(first) => diagnostic.related(first, "defined here"),
                    None => diagnostic,
                });
            }
            None if self.touched(binding) && !self.earlier.values().any(|slot| Binding::Global(*slot) == binding) => {
                let diagnostic = Diagnostic::new(codes::ALREADY_BOUND, span, format!("`{text}` is bound already"));
                self.error(diagnostic.help("`def` binds a name that this function does not bind otherwise"));
            }
            _ => {}
        }
        let place = self.write_binding(depth, binding);
        if let Binding::Global(slot) = binding
            && let Some(global) = self.out.globals.get_mut(slot.0 as usize)
        {
            global.constant = true;
        }
        self.constants.insert(binding, Constant { span: Some(span), block: self.blocks.last().copied() });
        place
    }
}
