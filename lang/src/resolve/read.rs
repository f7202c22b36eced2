//! Names that are read: what they mean, whether they have a value, and what closures capture.

use super::{Binding, EarlyRead, Place, Ref, Resolver, Slot, Var, VarId};
use crate::ast::Name;
use crate::code::program::ModuleRef;
use crate::diagnostic::{Diagnostic, codes};
use crate::source::Span;

impl Resolver<'_> {
    /// A name that is read; `stage` when it is the bare callee of a pipeline stage.
    pub(super) fn read(&mut self, name: Name, span: Span, stage: bool) -> Ref {
        let text = self.ast.name(name);
        if text == "_" {
            let help = "`_` only stands where a value is thrown away; give the value a name to use it";
            self.error(Diagnostic::new(codes::WILDCARD_READ, span, "`_` has no value").help(help));
            return Ref::default();
        }
        let top = self.frames.len().saturating_sub(1);
        match self.find(name) {
            Some((_, Binding::Global(slot))) => {
                if top == 0 && !self.open {
                    self.check_early(Binding::Global(slot), name, span);
                }
                Ref { place: Place::Global(slot), check: false }
            }
            Some((depth, Binding::Var(var))) if depth == top => {
                let set = self.set();
                let check = self.out.var(var).and_then(Var::bit).is_some_and(|bit| !set.has(bit));
                if check {
                    self.mark(var, |var| var.starts_unset = true);
                    self.check_early(Binding::Var(var), name, span);
                }
                Ref { place: Place::Own(var), check }
            }
            Some((depth, Binding::Var(var))) => self.capture(var, depth),
            None => Ref { place: self.outside(name, span, stage), check: false },
        }
    }

    /// What a name means that is bound nowhere in the text.
    fn outside(&mut self, name: Name, span: Span, stage: bool) -> Place {
        let text = self.ast.name(name);
        if let Some(place) = self.builtin_or_native(text) {
            return place;
        }
        if stage && let Some(slot) = self.stage(name) {
            return Place::Global(slot);
        }
        if self.open {
            let slot = self.open_names.get(&name).copied().unwrap_or_else(|| self.global(text, false, false));
            self.open_names.insert(name, slot);
            return Place::Global(slot);
        }
        self.unknown_name(name, span, stage);
        Place::Nowhere
    }

    /// The hidden variable for `trl`'s function of a name.
    fn stage(&mut self, name: Name) -> Option<Slot> {
        if let Some(&slot) = self.stages.get(&name) {
            return Some(slot);
        }
        let text = self.ast.name(name);
        self.library.exports("trl")?;
        if let Some(known) = self.library.readable("trl")
            && !known.iter().any(|one| one == text)
        {
            return None;
        }
        let slot = self.global(&format!("trl.{text}"), false, false);
        self.stages.insert(name, slot);
        self.out.stages_module = self.module(ModuleRef::Std("trl".into()));
        self.out.stages.push((name, slot));
        Some(slot)
    }

    /// A read with no assignment before it in the text: an error, unless a loop brings it behind one.
    fn check_early(&mut self, binding: Binding, name: Name, span: Span) {
        if self.touched(binding) {
            return;
        }
        match self.frames.last_mut() {
            Some(frame) if frame.loops > 0 => frame.early.push(EarlyRead { binding, name, span }),
            _ => self.early_read(name, span),
        }
    }

    pub(super) fn touched(&self, binding: Binding) -> bool {
        match binding {
            Binding::Var(var) => self.out.var(var).is_none_or(|var| var.touched),
            Binding::Global(slot) => self.global_info.get(slot.0 as usize).is_none_or(|info| info.touched),
        }
    }

    /// A use of an outer function's variable: a capture of every function between.
    pub(super) fn capture(&mut self, var: VarId, depth: usize) -> Ref {
        let Some(owner) = self.frames.get(depth) else { return Ref::default() };
        let unset = self.out.var(var).and_then(Var::bit).is_some_and(|bit| !owner.set.has(bit));
        let unmade = owner.unmade.contains(&var);
        let inner = self.frames.get(depth + 1).map_or(0, |frame| frame.function);
        let itself = self.out.functions.get(inner).is_some_and(|info| info.itself == Some(var));
        self.mark(var, |var| {
            var.captured |= !itself;
            var.recursive |= itself;
            var.needs_cell |= !itself && (unset || unmade);
            var.starts_unset |= unset;
        });
        let mut number = 0;
        for frame in self.frames.iter_mut().skip(depth + 1) {
            let Some(info) = self.out.functions.get_mut(frame.function) else { continue };
            number = *frame.capture_numbers.entry(var).or_insert_with(|| {
                info.captures.push(var);
                u32::try_from(info.captures.len() - 1).unwrap_or(u32::MAX)
            });
        }
        Ref { place: Place::Captured(number, var), check: unset }
    }
}
