//! Lists: growable arrays of values. Who writes asks [`Store::is_frozen`](super::Store::is_frozen) first, and gives the list elements of its own
//! ([`Store::list_own`](super::Store::list_own)): one that `+` made may share them with others.

use super::Store;
use super::account::{Account, Full, block, next_capacity};
use super::prefix::OWN;
use crate::value::{ListId, Value};

pub(super) struct List {
    /// Its own elements.
    pub(super) items: Vec<Value>,
    /// The piece of a buffer that it is; then it has no elements of its own.
    pub(super) piece: u32,
    pub(super) frozen: bool,
    /// Made by adding to another list. Adding to it again looks like a loop, for which a buffer pays.
    pub(super) added: bool,
}

impl Default for List {
    fn default() -> Self {
        Self { items: Vec::new(), piece: OWN, frozen: false, added: false }
    }
}

const ITEM: usize = size_of::<Value>();

pub(super) fn bytes(capacity: usize) -> usize {
    block(capacity.saturating_mul(ITEM))
}

impl List {
    pub(super) fn held(&self) -> usize {
        bytes(self.items.capacity())
    }
    #[inline]
    fn ready(&mut self, account: &mut Account, more: usize) -> Result<(), Full> {
        if self.items.capacity() - self.items.len() >= more { Ok(()) } else { grow(&mut self.items, account, more) }
    }
}

/// Makes room for so many more elements.
#[cold]
pub(super) fn grow(items: &mut Vec<Value>, account: &mut Account, more: usize) -> Result<(), Full> {
    let (len, old) = (items.len(), items.capacity());
    if old - len >= more {
        return Ok(());
    }
    let new = next_capacity(old, len.saturating_add(more), ITEM);
    account.moving(bytes(old), bytes(new), || items.try_reserve_exact(new - len).is_ok())
}

impl Store {
    /// A new list of these elements.
    pub fn list_new(&mut self, items: &[Value]) -> Result<Value, Full> {
        let id = self.list_with_capacity(items.len())?;
        if let Some(list) = self.lists.get_mut(id.0) {
            list.items.extend_from_slice(items);
        }
        Ok(id.into())
    }
    /// A new list of as many elements as there are.
    pub fn list_of(&mut self, items: impl ExactSizeIterator<Item = Value>) -> Result<Value, Full> {
        let id = self.list_with_capacity(items.len())?;
        if let Some(list) = self.lists.get_mut(id.0) {
            list.items.extend(items);
        }
        Ok(id.into())
    }
    /// A new empty list with room for `n` elements.
    pub fn list_with_capacity(&mut self, n: usize) -> Result<ListId, Full> {
        self.lists.ready(&mut self.account)?;
        let mut items = Vec::new();
        self.account.moving(0, bytes(n), || items.try_reserve_exact(n).is_ok())?;
        Ok(ListId(self.lists.put(List { items, ..List::default() })))
    }
    /// A list's elements; of a stale id, none.
    #[inline]
    #[must_use]
    pub fn list(&self, id: ListId) -> &[Value] {
        match self.lists.get(id.0) {
            Some(list) if list.piece == OWN => &list.items,
            Some(list) => self.prefixes.items(list.piece),
            None => &[],
        }
    }
    /// A list's own elements: none where it shares them, so nothing found here means nothing.
    #[inline]
    #[must_use]
    pub fn list_near(&self, id: ListId) -> &[Value] {
        self.lists.get(id.0).map_or(&[], |list| &list.items)
    }
    /// A list's own elements, to be changed in place.
    #[inline]
    pub fn list_mut(&mut self, id: ListId) -> &mut [Value] {
        self.lists.get_mut(id.0).map_or(&mut [], |list| &mut list.items)
    }
    /// Appends an element.
    #[inline]
    pub fn list_push(&mut self, id: ListId, value: Value) -> Result<(), Full> {
        self.list_own(id)?;
        if let Some(list) = self.lists.get_mut(id.0) {
            list.ready(&mut self.account, 1)?;
            list.items.push(value);
        }
        Ok(())
    }
    /// Appends an element to a list that has room for it and is not frozen; says whether.
    #[inline]
    pub fn list_put(&mut self, id: ListId, value: Value) -> bool {
        match self.lists.get_mut(id.0) {
            // One that shares its elements has no room of its own.
            Some(list) if !list.frozen && list.items.len() < list.items.capacity() => {
                list.items.push(value);
                true
            }
            _ => false,
        }
    }
    /// Appends an element when there is room and the list is not frozen; says whether.
    #[inline]
    pub fn list_append(&mut self, id: ListId, value: Value) -> bool {
        let Some(list) = self.lists.get_mut(id.0) else { return false };
        let fits = !list.frozen && list.piece == OWN && list.ready(&mut self.account, 1).is_ok();
        if fits {
            list.items.push(value);
        }
        fits
    }
    /// Replaces an element of a list that is not frozen; says whether there was one.
    #[inline]
    pub fn list_store(&mut self, id: ListId, index: usize, value: Value) -> bool {
        match self.lists.get_mut(id.0) {
            Some(list) if !list.frozen => match list.items.get_mut(index) {
                Some(place) => {
                    *place = value;
                    true
                }
                None => false,
            },
            _ => false,
        }
    }
    /// Appends elements.
    pub fn list_extend(&mut self, id: ListId, values: &[Value]) -> Result<(), Full> {
        self.list_own(id)?;
        if let Some(list) = self.lists.get_mut(id.0) {
            list.ready(&mut self.account, values.len())?;
            list.items.extend_from_slice(values);
        }
        Ok(())
    }
    /// Appends the elements of another list, or of the same one.
    pub fn list_extend_from(&mut self, id: ListId, from: ListId) -> Result<(), Full> {
        self.list_own(id)?;
        if id == from {
            if let Some(list) = self.lists.get_mut(id.0) {
                list.ready(&mut self.account, list.items.len())?;
                list.items.extend_from_within(..);
            }
            return Ok(());
        }
        let Some(mut list) = self.lists.get_mut(id.0).map(std::mem::take) else { return Ok(()) };
        let others = match self.lists.get(from.0) {
            Some(list) if list.piece != OWN => self.prefixes.items(list.piece),
            Some(list) => &list.items,
            None => &[],
        };
        let result = list.ready(&mut self.account, others.len());
        if result.is_ok() {
            list.items.extend_from_slice(others);
        }
        if let Some(place) = self.lists.get_mut(id.0) {
            *place = list;
        }
        result
    }
    /// Replaces an element of a list's own; false when there is none at `index`.
    #[inline]
    pub fn list_set(&mut self, id: ListId, index: usize, value: Value) -> bool {
        match self.list_mut(id).get_mut(index) {
            Some(place) => {
                *place = value;
                true
            }
            None => false,
        }
    }
    /// Inserts an element before `index`, which is at most the length; moves what follows. False when it is beyond.
    pub fn list_insert(&mut self, id: ListId, index: usize, value: Value) -> Result<bool, Full> {
        self.list_own(id)?;
        match self.lists.get_mut(id.0) {
            Some(list) if index <= list.items.len() => {
                list.ready(&mut self.account, 1)?;
                list.items.insert(index, value);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
    /// Takes the element at `index` out of a list's own; moves what follows.
    pub fn list_remove(&mut self, id: ListId, index: usize) -> Option<Value> {
        match self.lists.get_mut(id.0) {
            Some(list) if index < list.items.len() => Some(list.items.remove(index)),
            _ => None,
        }
    }
    /// Takes the last element out.
    pub fn list_pop(&mut self, id: ListId) -> Option<Value> {
        let list = self.lists.get_mut(id.0)?;
        if list.piece == OWN {
            return list.items.pop();
        }
        let (&last, rest) = self.prefixes.items(list.piece).split_last()?;
        let length = rest.len();
        self.prefixes.truncate(list.piece, length);
        Some(last)
    }
    /// Cuts a list to at most `length` elements.
    pub fn list_truncate(&mut self, id: ListId, length: usize) {
        if let Some(list) = self.lists.get_mut(id.0) {
            list.items.truncate(length);
            self.prefixes.truncate(list.piece, length);
        }
    }
    /// Empties a list and gives its room back.
    pub fn list_clear(&mut self, id: ListId) {
        if let Some(list) = self.lists.get_mut(id.0) {
            self.account.release(list.held());
            (list.items, list.piece) = (Vec::new(), OWN);
        }
    }
}
