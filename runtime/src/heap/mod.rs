//! The heap: everything a script makes, in typed slabs, counted and collected.
//!
//! A value names an object by kind and place ([`crate::value`]); a slab per kind holds them. Each growth passes [`Store::charge`] first, and when
//! it is refused ([`Full`]) nothing has changed: the VM collects at its safepoint and tries once more. Nothing here collects by itself, so
//! builtins may hold ids in Rust variables for as long as they run. A stale id reads as empty; nothing here panics, recurses, or does I/O.
//!
//! [`Heap`] is two parts that can be borrowed apart: [`Store`], the objects, and [`Units`], the loaded programs. `Heap` dereferences to
//! its store.

mod account;
mod equal;
mod growing;
mod list;
mod mark;
mod object;
mod other;
pub(crate) mod path;
mod prefix;
mod pretty;
mod slab;
mod string;
mod text;
mod unit;
mod watch;

#[cfg(test)]
mod growing_tests;
#[cfg(test)]
mod prefix_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unit_tests;

pub use account::{Full, MIN_THRESHOLD};
pub use equal::{compare, equal};
pub use mark::Marker;
pub use object::{FLAT_MAX, IdHasher, IdState};
pub use other::Function;
pub(crate) use other::{Method, Shared};
pub use pretty::{Page, pretty};
pub use string::INTERN_MAX;
pub use text::{Bound, Digits, Names, Overrun, STEP_BYTES, number, short_text, text};
pub use unit::{Origin, Site, Unit, UnitId, Units};
pub use watch::Watch;

use crate::value::{Kind, StrId, Value};
use account::{Account, block};
use ilu_sbx::Homes;
use ilu_sbx::ids::SbxId;
use ilu_sbx::plain::HandleId;
use object::Object;
use other::Handle;
use prefix::Prefixes;
use slab::Slab;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use string::Strings;

/// A script's objects and loaded programs.
pub struct Heap {
    /// The objects.
    pub store: Store,
    /// The loaded programs.
    pub units: Units,
}

/// The objects.
pub struct Store {
    account: Account,
    strings: Strings,
    bytes: Slab<Box<[u8]>>,
    lists: Slab<list::List>,
    prefixes: Prefixes,
    objects: Slab<Object>,
    cells: Slab<Value>,
    functions: Slab<Function>,
    handles: Slab<Handle>,
    sandboxes: Slab<SbxId>,
    methods: Slab<Method>,
    dropped: Vec<HandleId>,
    ids: IdState,
    /// What builtins and natives are called where values are shown.
    pub names: Names,
    /// When long work must stop.
    pub watch: Watch,
}

impl std::ops::Deref for Heap {
    type Target = Store;
    #[inline]
    fn deref(&self) -> &Store {
        &self.store
    }
}

impl std::ops::DerefMut for Heap {
    #[inline]
    fn deref_mut(&mut self) -> &mut Store {
        &mut self.store
    }
}

impl Heap {
    /// An empty heap that may hold so many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        // The standard library's keys for its own hash maps are random per process and distinct per call.
        let random = RandomState::new();
        let store = Store {
            account: Account::new(limit),
            strings: Strings::new(random.hash_one(1)),
            bytes: Slab::new(),
            lists: Slab::new(),
            prefixes: Prefixes::new(),
            objects: Slab::new(),
            cells: Slab::new(),
            functions: Slab::new(),
            handles: Slab::new(),
            sandboxes: Slab::new(),
            methods: Slab::new(),
            dropped: Vec::new(),
            ids: IdState::new(random.hash_one(2)),
            names: Names::default(),
            watch: Watch::default(),
        };
        Self { store, units: Units::new() }
    }

    /// Frees what the roots don't reach. `roots` gives every root to the marker. Gives the sandboxes that are referred to.
    pub fn collect(&mut self, roots: &mut dyn FnMut(&mut Marker<'_>)) -> Homes {
        let mut marker = Marker::new(&self.store, &self.units);
        roots(&mut marker);
        let (marks, homes) = marker.finish();
        let store = &mut self.store;
        let account = &mut store.account;
        store.strings.sweep(&marks.strings, account);
        store.bytes.sweep(&marks.bytes, account, |account, bytes| account.release(block(bytes.len())));
        store.lists.sweep(&marks.lists, account, |account, list| account.release(list.held()));
        store.prefixes.sweep(&store.lists, account);
        store.objects.sweep(&marks.objects, account, |account, object| account.release(object.held()));
        store.cells.sweep(&marks.cells, account, |_, _| {});
        store.functions.sweep(&marks.functions, account, |account, function| account.release(function.held()));
        store.sandboxes.sweep(&marks.sandboxes, account, |_, _| {});
        store.methods.sweep(&marks.methods, account, |_, _| {});
        let dropped = &mut store.dropped;
        let before = dropped.len();
        store.handles.sweep(&marks.handles, account, |account, handle| match handle {
            Handle::Open { id, .. } => dropped.push(id),
            Handle::Shared(shared) => account.release(shared.held()),
        });
        if dropped.len() > before {
            // A resource may have several references: it is dropped with the last one.
            let live: std::collections::HashSet<HandleId> = store.handles.iter().filter_map(Handle::open).collect();
            dropped.retain(|id| !live.contains(id));
            dropped.sort_unstable_by_key(|id| (id.index, id.generation));
            dropped.dedup();
        }
        self.units.sweep(&marks.units, account);
        account.collected();
        homes
    }
}

impl Store {
    /// Takes bytes from the budget. Everything that grows calls it first; so does whoever holds memory for the script elsewhere.
    #[inline]
    pub fn charge(&mut self, bytes: usize) -> Result<(), Full> {
        self.account.charge(bytes)
    }
    /// Counts bytes that are held whether there is room for them or not.
    pub fn hold(&mut self, bytes: usize) {
        self.account.hold(bytes);
    }
    /// Gives bytes back.
    #[inline]
    pub fn release(&mut self, bytes: usize) {
        self.account.release(bytes);
    }
    /// Bytes held.
    #[must_use]
    pub fn live(&self) -> usize {
        self.account.live()
    }
    /// Takes note of bytes that work held for a moment, within [`Store::room`].
    pub(crate) fn note(&mut self, bytes: usize) {
        self.account.note(bytes);
    }
    /// The most bytes that were held since this was last asked.
    pub fn take_high(&mut self) -> usize {
        self.account.take_high()
    }
    /// Charges for a block that moves from `old` to `new` bytes, both of which exist meanwhile; `grow` says whether the allocator could.
    pub(crate) fn moving(&mut self, old: usize, new: usize, grow: impl FnOnce() -> bool) -> Result<(), Full> {
        self.account.moving(old, new, grow)
    }
    /// Bytes that may be held.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.account.limit()
    }
    /// Bytes that may still be taken.
    #[must_use]
    pub fn room(&self) -> usize {
        self.account.limit().saturating_sub(self.account.live())
    }
    /// Changes how many bytes may be held.
    pub fn set_limit(&mut self, limit: usize) {
        self.account.set_limit(limit);
    }
    /// Whether so much was taken since the last collection that the next one is due.
    #[inline]
    #[must_use]
    pub fn should_collect(&self) -> bool {
        self.account.should_collect()
    }

    /// A string.
    #[inline]
    pub fn string(&mut self, text: &str) -> Result<Value, Full> {
        self.strings.make(&mut self.account, text).map(Value::from)
    }
    /// A string, from text that is owned already.
    pub fn string_owned(&mut self, text: String) -> Result<Value, Full> {
        self.strings.make_owned(&mut self.account, text).map(Value::from)
    }
    /// Two strings joined.
    #[inline]
    pub fn concat(&mut self, a: StrId, b: StrId) -> Result<StrId, Full> {
        self.strings.concat(&mut self.account, a, b)
    }
    /// How many bytes are moved to add so many to a string: fewer than it has when it can be added to in place.
    #[must_use]
    pub fn joining(&self, a: StrId, more: usize) -> usize {
        if self.strings.grows(a) { more } else { self.str(a).len() + more }
    }
    /// A string and a text joined.
    pub fn concat_text(&mut self, a: StrId, b: &str) -> Result<StrId, Full> {
        self.strings.concat_text(&mut self.account, a, b)
    }
    /// Part of a string, as bytes; the empty string when the range does not fit it.
    #[inline]
    pub fn substring(&mut self, id: StrId, range: Range<usize>) -> Result<Value, Full> {
        self.strings.part(&mut self.account, id, range).map(Value::from)
    }
    /// Lends a string's text to work that changes the heap, and takes it back. Meanwhile the string reads as empty, so `work` must not
    /// look at it by its id. An interned one or a piece of a buffer is copied instead: others may look for it.
    pub(crate) fn lend<R>(&mut self, id: StrId, work: impl FnOnce(&mut Self, &str) -> R) -> Result<R, Full> {
        if self.strings.is_interned(id) || self.strings.is_piece(id) {
            let length = self.str(id).len();
            self.charge(block(length))?;
            let copy = self.str(id).to_owned();
            let result = work(self, &copy);
            self.release(block(length));
            return Ok(result);
        }
        let text = self.strings.swap(id, Box::default());
        let result = work(self, &text);
        self.strings.swap(id, text);
        Ok(result)
    }
    /// Whether a string is interned: two interned ones are equal only when they are the same.
    #[inline]
    #[must_use]
    pub fn is_interned(&self, id: StrId) -> bool {
        self.strings.is_interned(id)
    }
    /// A string as a key of objects: interned whatever its length.
    pub fn intern(&mut self, text: &str) -> Result<StrId, Full> {
        self.strings.intern(&mut self.account, text)
    }
    /// The key equal to a string: the string itself when it is interned, which short ones are.
    #[inline]
    pub fn key(&mut self, id: StrId) -> Result<StrId, Full> {
        if self.strings.is_interned(id) { Ok(id) } else { self.strings.intern_id(&mut self.account, id) }
    }
    /// The key of this text, when some object or short string has it; otherwise no object can have such a key.
    #[must_use]
    pub fn known_key(&self, text: &str) -> Option<StrId> {
        self.strings.find(text)
    }
    /// The key equal to a string, as [`Store::known_key`] does.
    #[inline]
    #[must_use]
    pub fn known_key_of(&self, id: StrId) -> Option<StrId> {
        if self.strings.is_interned(id) { Some(id) } else { self.strings.find(self.str(id)) }
    }
    /// A string's text; of a stale id, the empty text.
    #[inline]
    #[must_use]
    pub fn str(&self, id: StrId) -> &str {
        self.strings.text(id)
    }
    /// Whether a string is ASCII: then indexing is O(1), else O(length) in the worst case, for which the caller charges.
    #[inline]
    #[must_use]
    pub fn is_ascii(&self, id: StrId) -> bool {
        self.strings.is_ascii(id)
    }
    /// A string's code points.
    #[inline]
    #[must_use]
    pub fn chars(&self, id: StrId) -> usize {
        self.strings.chars(id)
    }
    /// The code point at an index, as a string.
    #[inline]
    pub fn char_at(&mut self, id: StrId, index: usize) -> Result<Option<Value>, Full> {
        self.strings.char_at(&mut self.account, id, index)
    }
    /// The code point at a byte offset, as a string, and the offset after it: a loop over a string. Nothing at the end.
    pub fn char_from(&mut self, id: StrId, offset: usize) -> Result<Option<(Value, usize)>, Full> {
        self.strings.char_from(&mut self.account, id, offset)
    }

    /// Makes a list or an object refuse changes from now on (whoever writes asks [`Store::is_frozen`]).
    pub fn freeze(&mut self, value: Value) {
        match value.kind() {
            Kind::List(id) => {
                if let Some(list) = self.lists.get_mut(id.0) {
                    list.frozen = true;
                }
            }
            Kind::Object(id) => {
                if let Some(object) = self.objects.get_mut(id.0) {
                    object.frozen = true;
                }
            }
            _ => {}
        }
    }
    /// Whether a list or an object refuses changes.
    #[inline]
    #[must_use]
    pub fn is_frozen(&self, value: Value) -> bool {
        match value.kind() {
            Kind::List(id) => self.lists.get(id.0).is_some_and(|list| list.frozen),
            Kind::Object(id) => self.objects.get(id.0).is_some_and(|object| object.frozen),
            _ => false,
        }
    }
    /// Whether a value counts as true: all but `fls`, `nil`, `0`, `""` and `[]`.
    #[inline]
    #[must_use]
    pub fn truthy(&self, value: Value) -> bool {
        match value.kind() {
            Kind::Num(number) => number != 0.0,
            Kind::Nil | Kind::Unset => false,
            Kind::Bool(truth) => truth,
            Kind::Str(id) => !self.str(id).is_empty(),
            Kind::List(id) => !self.list(id).is_empty(),
            _ => true,
        }
    }
    /// What `typ` says of a value.
    #[must_use]
    pub fn type_name(&self, value: Value) -> &'static str {
        match value.kind() {
            Kind::Num(_) => "num",
            Kind::Nil | Kind::Unset | Kind::Cell(_) => "nil",
            Kind::Bool(_) => "bol",
            Kind::Str(_) => "str",
            Kind::List(_) => "lst",
            Kind::Object(_) => "obj",
            Kind::Function(_) => "fun",
            Kind::Bytes(_) => "byt",
            Kind::Handle(id) => self.handles.get(id.0).map_or("nil", Handle::type_name),
            Kind::Sandbox(_) => "sbx",
            Kind::Builtin(_) | Kind::Native(_) | Kind::Method(_) => "bif",
        }
    }
}
