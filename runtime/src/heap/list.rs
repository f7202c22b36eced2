//! Lists: growable arrays of values. Who writes asks [`Store::is_frozen`](super::Store::is_frozen) first.

use super::Store;
use super::account::{Account, Full, block, next_capacity};
use crate::value::{ListId, Value};

#[derive(Default)]
pub(super) struct List {
    pub(super) items: Vec<Value>,
    pub(super) frozen: bool,
}

const ITEM: usize = size_of::<Value>();

fn bytes(capacity: usize) -> usize {
    block(capacity.saturating_mul(ITEM))
}

impl List {
    pub(super) fn held(&self) -> usize {
        bytes(self.items.capacity())
    }
    #[inline]
    fn ready(&mut self, account: &mut Account, more: usize) -> Result<(), Full> {
        if self.items.capacity() - self.items.len() >= more { Ok(()) } else { self.grow(account, more) }
    }
    #[cold]
    fn grow(&mut self, account: &mut Account, more: usize) -> Result<(), Full> {
        let (len, old) = (self.items.len(), self.items.capacity());
        let new = next_capacity(old, len.saturating_add(more), ITEM);
        let items = &mut self.items;
        account.moving(bytes(old), bytes(new), || items.try_reserve_exact(new - len).is_ok())
    }
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
        Ok(ListId(self.lists.put(List { items, frozen: false })))
    }
    /// A list's elements; of a stale id, none.
    #[inline]
    #[must_use]
    pub fn list(&self, id: ListId) -> &[Value] {
        self.lists.get(id.0).map_or(&[], |list| &list.items)
    }
    /// A list's elements, to be changed in place.
    #[inline]
    pub fn list_mut(&mut self, id: ListId) -> &mut [Value] {
        self.lists.get_mut(id.0).map_or(&mut [], |list| &mut list.items)
    }
    /// Appends an element.
    #[inline]
    pub fn list_push(&mut self, id: ListId, value: Value) -> Result<(), Full> {
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
        let fits = !list.frozen && list.ready(&mut self.account, 1).is_ok();
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
        if let Some(list) = self.lists.get_mut(id.0) {
            list.ready(&mut self.account, values.len())?;
            list.items.extend_from_slice(values);
        }
        Ok(())
    }
    /// Appends the elements of another list, or of the same one.
    pub fn list_extend_from(&mut self, id: ListId, from: ListId) -> Result<(), Full> {
        if id == from {
            if let Some(list) = self.lists.get_mut(id.0) {
                list.ready(&mut self.account, list.items.len())?;
                list.items.extend_from_within(..);
            }
            return Ok(());
        }
        let Some(mut list) = self.lists.get_mut(id.0).map(std::mem::take) else { return Ok(()) };
        let others = self.lists.get(from.0).map_or(&[] as &[Value], |list| &list.items);
        let result = list.ready(&mut self.account, others.len());
        if result.is_ok() {
            list.items.extend_from_slice(others);
        }
        if let Some(place) = self.lists.get_mut(id.0) {
            *place = list;
        }
        result
    }
    /// Replaces an element; false when there is none at `index`.
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
        match self.lists.get_mut(id.0) {
            Some(list) if index <= list.items.len() => {
                list.ready(&mut self.account, 1)?;
                list.items.insert(index, value);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
    /// Takes the element at `index` out; moves what follows.
    pub fn list_remove(&mut self, id: ListId, index: usize) -> Option<Value> {
        match self.lists.get_mut(id.0) {
            Some(list) if index < list.items.len() => Some(list.items.remove(index)),
            _ => None,
        }
    }
    /// Takes the last element out.
    pub fn list_pop(&mut self, id: ListId) -> Option<Value> {
        self.lists.get_mut(id.0).and_then(|list| list.items.pop())
    }
    /// Cuts a list to at most `length` elements.
    pub fn list_truncate(&mut self, id: ListId, length: usize) {
        if let Some(list) = self.lists.get_mut(id.0) {
            list.items.truncate(length);
        }
    }
    /// Empties a list and gives its room back.
    pub fn list_clear(&mut self, id: ListId) {
        if let Some(list) = self.lists.get_mut(id.0) {
            self.account.release(list.held());
            list.items = Vec::new();
        }
    }
}
