//! The small kinds: bytes, shared variables, functions, handles, methods of handles, sandboxes.

use super::Store;
use super::account::{Full, block};
use super::unit::UnitId;
use crate::task::{Channel, Job};
use crate::value::{BytesId, CellId, FunctionId, HandleRef, MethodRef, SandboxRef, Value};
use ilu_cap::NativeId;
use ilu_sbx::ids::SbxId;
use ilu_sbx::plain::HandleId;
use std::sync::Arc;

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

/// What several isolates can refer to.
#[derive(Clone, Debug)]
pub(crate) enum Shared {
    /// A channel.
    Channel(Arc<Channel>),
    /// A task.
    Task(Arc<Job>),
}

impl Shared {
    /// What each isolate that refers to it is charged for it, though it is there once.
    pub(crate) const fn held(&self) -> usize {
        match self {
            Shared::Channel(_) => block(size_of::<Channel>() + 16),
            Shared::Task(_) => block(size_of::<Job>() + 16),
        }
    }
    /// Whether two are the same one.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Shared::Channel(a), Shared::Channel(b)) => Arc::ptr_eq(a, b),
            (Shared::Task(a), Shared::Task(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// An open resource, as the heap holds it.
#[derive(Debug)]
pub(super) enum Handle {
    /// Its entry is in the realm.
    Open {
        /// Where.
        id: HandleId,
        /// What `typ` says of it.
        kind: &'static str,
    },
    /// Other isolates may refer to it, too.
    Shared(Shared),
}

impl Handle {
    /// Its place in the realm, when it has one.
    pub(super) fn open(&self) -> Option<HandleId> {
        match self {
            Handle::Open { id, .. } => Some(*id),
            Handle::Shared(_) => None,
        }
    }
    /// What `typ` says of it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Handle::Open { kind, .. } => kind,
            Handle::Shared(Shared::Channel(_)) => "chn",
            Handle::Shared(Shared::Task(_)) => "tsk",
        }
    }
}

/// A method of an open resource, taken as a value: `chan.rcv`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Method {
    /// The resource: the native's first argument.
    pub of: HandleRef,
    /// The native.
    pub native: NativeId,
    /// The sandbox that was current where it was taken.
    pub home: SbxId,
}

impl Store {
    /// New bytes.
    pub fn bytes_new(&mut self, bytes: Vec<u8>) -> Result<Value, Full> {
        self.bytes.ready(&mut self.account)?;
        self.account.charge(block(bytes.len()))?;
        Ok(BytesId(self.bytes.put(bytes.into_boxed_slice())).into())
    }
    /// New bytes, copied.
    pub(crate) fn bytes_copied(&mut self, bytes: &[u8]) -> Result<Value, Full> {
        self.bytes.ready(&mut self.account)?;
        self.account.charge(block(bytes.len()))?;
        Ok(BytesId(self.bytes.put(bytes.into())).into())
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
        Ok(HandleRef(self.handles.put(Handle::Open { id, kind })).into())
    }
    /// An open resource and its kind, unless the reference is stale.
    #[must_use]
    pub fn handle(&self, id: HandleRef) -> Option<(HandleId, &'static str)> {
        match self.handles.get(id.0) {
            Some(Handle::Open { id, kind }) => Some((*id, kind)),
            _ => None,
        }
    }
    /// A new reference to something that several isolates share.
    pub(crate) fn shared_new(&mut self, shared: Shared) -> Result<Value, Full> {
        self.handles.ready(&mut self.account)?;
        self.account.charge(shared.held())?;
        Ok(HandleRef(self.handles.put(Handle::Shared(shared))).into())
    }
    /// What several isolates share, if that is what a reference is to.
    pub(crate) fn shared(&self, id: HandleRef) -> Option<&Shared> {
        match self.handles.get(id.0) {
            Some(Handle::Shared(shared)) => Some(shared),
            _ => None,
        }
    }
    /// Whether two references are to the same open resource.
    pub(crate) fn same_handle(&self, a: HandleRef, b: HandleRef) -> bool {
        match (self.handles.get(a.0), self.handles.get(b.0)) {
            (Some(Handle::Shared(a)), Some(Handle::Shared(b))) => a.same(b),
            (Some(Handle::Open { id: a, .. }), Some(Handle::Open { id: b, .. })) => a == b,
            _ => false,
        }
    }
    /// A method of an open resource as a value.
    pub(crate) fn method_new(&mut self, method: Method) -> Result<Value, Full> {
        self.methods.ready(&mut self.account)?;
        Ok(MethodRef(self.methods.put(method)).into())
    }
    /// A method, unless the reference is stale.
    pub(crate) fn method(&self, id: MethodRef) -> Option<Method> {
        self.methods.get(id.0).copied()
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
