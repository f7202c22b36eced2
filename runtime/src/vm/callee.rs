//! How an error names what could not be called: from the instructions before the call and the source text. It never decides anything, and
//! looks at a bounded number of instructions and characters, since a script can make such errors in a loop.

use super::Vm;
use crate::builtin::Fault;
use crate::value::{ObjectId, Value};
use ilu_lang::code::op::Op;
use ilu_lang::similar::nearest;

/// Instructions before a call that are looked at for where the callee came from.
const LOOK_BACK: usize = 64;
/// Longest callee that is named.
const MAX_CALLEE: usize = 80;

impl Vm {
    /// The error of a call of something that is no function.
    pub(super) fn not_a_function(&self, callee: Value) -> Fault {
        let what = self.given(callee);
        let Some(name) = self.callee_name() else {
            return Fault::Message(format!("can't call {what}: it is not a function"));
        };
        if callee == Value::NIL
            && let Some((module, field)) = name.split_once('.')
            && let Some(object) = self.library_object(module)
        {
            let known: Vec<&str> = self.heap.entries(object).map(|(key, _)| self.heap.str(key)).collect();
            if !known.contains(&field) {
                let near = nearest(field, known.iter().copied()).map(|near| format!(": did you mean `{module}.{near}`?"));
                return Fault::Message(format!("`{module}` has no function `{field}`{}", near.unwrap_or_default()));
            }
        }
        Fault::Message(format!("can't call `{name}`: it is {what}, not a function"))
    }

    /// The object of a module of the standard library that has been loaded.
    fn library_object(&self, module: &str) -> Option<ObjectId> {
        let names = self.modules.library_names(module)?.as_object()?;
        self.heap.get(names, self.heap.store.known_key(module)?)?.as_object()
    }

    /// The callee as it is written, when it is a name or names with dots between them.
    fn callee_name(&self) -> Option<&str> {
        let frame = self.frames.last()?;
        let unit = self.heap.units.get(frame.unit)?;
        let program = &unit.program;
        let at = (frame.pc as usize).checked_sub(1)?;
        let start = program.spans.get(at)?.start as usize;
        let text = program.source.text.get(start..)?;
        let end = text.bytes().take(MAX_CALLEE + 1).position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')))?;
        let (name, behind) = text.split_at_checked(end)?;
        if matches!(name, "" | "nil" | "tru" | "fls")
            || name.starts_with(|c: char| !c.is_ascii_alphabetic() && c != '_')
            || behind.starts_with('[')
        {
            return None;
        }
        let callee = program.code.get(at)?.a();
        let before = program.code.get(at.saturating_sub(LOOK_BACK)..at)?;
        // The register of a callee is written last by what finds it: its arguments are above it.
        let found = before.iter().rev().find(|word| word.a() == callee && Op::from_number(word.op()).is_some_and(finds))?;
        match (Op::from_number(found.op())?, name.rsplit_once('.')) {
            (Op::GetField, Some((_, last))) => {
                let key = unit.sites.get(found.k() as usize)?.key;
                (self.heap.str(key) == last).then_some(name)
            }
            (Op::Move | Op::GetGlobal | Op::GetCapture | Op::CellGet, None) => Some(name),
            _ => None,
        }
    }
}

/// Whether an instruction writes its first register with something that may be called afterwards.
const fn finds(op: Op) -> bool {
    matches!(
        op,
        Op::GetField
            | Op::Move
            | Op::GetGlobal
            | Op::GetCapture
            | Op::GetShared
            | Op::CellGet
            | Op::GetIndex
            | Op::GetIndexI
            | Op::GetIndexOr
            | Op::Call
            | Op::CallSpread
            | Op::CallBuiltin
            | Op::CallNative
    )
}
