//! The small kinds: bytes, shared variables, functions, handles, sandboxes.

use super::Store;
use super::account::{Full, block};
use super::unit::UnitId;
use crate::value::{BytesId, CellId, FunctionId, HandleRef, SandboxRef, Value};
use ilu_sbx::ids::SbxId;
use ilu_sbx::plain::HandleId;

/// A function a script made.
#[derive(Clone, Debug)]
pub struct Function {
    /// The unit its code is in.
    pub unit: UnitId,
    /// Its number among the unit's functions.
    pub function: u32,
    /// The sandbox that was current where it was made.
    pub home: SbxId,
    /// Whether a call runs with its home's authority instead of the meet with the caller's: a gate.
    pub gate: bool,
    /// What it closed over: values, and cells for shared variables.
    pub captures: Box<[Value]>,
}

impl Function {
    pub(super) fn held(&self) -> usize {
        block(size_of_val::<[Value]>(&self.captures))
    }
}

/// An open resource, as the heap holds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle {
    pub(super) id: HandleId,
    pub(super) kind: &'static str,
}

impl Store {
    /// New bytes.
    pub fn bytes_new(&mut self, bytes: Vec<u8>) -> Result<Value, Full> {
        self.bytes.ready(&mut self.account)?;
        self.account.charge(block(bytes.len()))?;
        Ok(BytesId(self.bytes.put(bytes.into_boxed_slice())).into())
    }
    /// The bytes; of a stale id, none.
    #[must_use]
    pub fn bytes(&self, id: BytesId) -> &[u8] {
        self.bytes.get(id.0).map_or(&[], |bytes| bytes)
    }
    /// A new shared variable.
    pub fn cell_new(&mut self, value: Value) -> Result<CellId, Full> {
        self.cells.ready(&mut self.account)?;
        Ok(CellId(self.cells.put(value)))
    }
    /// What a shared variable holds.
    #[inline]
    #[must_use]
    pub fn cell(&self, id: CellId) -> Value {
        self.cells.get(id.0).copied().unwrap_or(Value::NIL)
    }
    /// Changes what a shared variable holds.
    #[inline]
    pub fn set_cell(&mut self, id: CellId, value: Value) {
        if let Some(place) = self.cells.get_mut(id.0) {
            *place = value;
        }
    }
    /// A new function.
    pub fn function_new(&mut self, function: Function) -> Result<FunctionId, Full> {
        self.functions.ready(&mut self.account)?;
        self.account.charge(function.held())?;
        Ok(FunctionId(self.functions.put(function)))
    }
    /// A function, unless the id is stale.
    #[inline]
    #[must_use]
    pub fn function(&self, id: FunctionId) -> Option<&Function> {
        self.functions.get(id.0)
    }
    /// Sets a capture of a function after it was made (a local function that closes over itself). False when there is no such capture.
    pub fn set_capture(&mut self, id: FunctionId, index: usize, value: Value) -> bool {
        match self.functions.get_mut(id.0).and_then(|function| function.captures.get_mut(index)) {
            Some(place) => {
                *place = value;
                true
            }
            None => false,
        }
    }
    /// A new reference to an open resource; `kind` is what `typ` says of it. When the last reference to it is collected, it is among
    /// [`Store::take_dropped_handles`].
    pub fn handle_new(&mut self, id: HandleId, kind: &'static str) -> Result<Value, Full> {
        self.handles.ready(&mut self.account)?;
        Ok(HandleRef(self.handles.put(Handle { id, kind })).into())
    }
    /// An open resource and its kind, unless the reference is stale.
    #[must_use]
    pub fn handle(&self, id: HandleRef) -> Option<(HandleId, &'static str)> {
        self.handles.get(id.0).map(|handle| (handle.id, handle.kind))
    }
    /// A new reference to a sandbox.
    pub fn sandbox_new(&mut self, id: SbxId) -> Result<Value, Full> {
        self.sandboxes.ready(&mut self.account)?;
        Ok(SandboxRef(self.sandboxes.put(id)).into())
    }
    /// A sandbox, unless the reference is stale.
    #[must_use]
    pub fn sandbox(&self, id: SandboxRef) -> Option<SbxId> {
        self.sandboxes.get(id.0).copied()
    }
    /// Open resources that nothing refers to any more, since the last time this was asked: to be closed.
    pub fn take_dropped_handles(&mut self) -> Vec<HandleId> {
        std::mem::take(&mut self.dropped)
    }
}
