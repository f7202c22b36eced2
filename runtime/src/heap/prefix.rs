//! Lists that are added to with `+`, again and again: without this, `xs = xs + [x]` in a loop would copy all of `xs` each time.
//!
//! A *buffer* has room beyond its elements. Lists made by adding to one another are *pieces* of one buffer: each is its first so many
//! elements. Only a piece that reaches to the buffer's end is added to in place. Lists may change, so one that is written to is first given
//! elements of its own ([`Store::list_own`]): no list ever sees another one change. A buffer is charged with all its room, and goes when the
//! last list that is a piece of it does.

use super::Store;
use super::account::{Account, Full};
use super::list::{List, bytes, grow};
use super::slab::{Marks, Slab};
use crate::value::{ListId, Value};

/// Of a list that is no piece.
pub(super) const OWN: u32 = u32::MAX;

/// Shortest list that becomes a piece.
const MIN_HEAD: usize = 32;

/// The first `len` elements of a buffer.
#[derive(Clone, Copy)]
struct Piece {
    buffer: u32,
    len: u32,
}

/// All buffers of a heap and the pieces of them.
pub(super) struct Prefixes {
    buffers: Slab<Vec<Value>>,
    pieces: Slab<Piece>,
}

impl Prefixes {
    pub(super) const fn new() -> Self {
        Self { buffers: Slab::new(), pieces: Slab::new() }
    }
    /// A piece's elements.
    pub(super) fn items(&self, piece: u32) -> &[Value] {
        let items = self.pieces.get(piece).and_then(|piece| self.buffers.get(piece.buffer)?.get(..piece.len as usize));
        items.unwrap_or_default()
    }
    fn is_end(&self, piece: u32) -> bool {
        let Some(piece) = self.pieces.get(piece) else { return false };
        self.buffers.get(piece.buffer).is_some_and(|buffer| buffer.len() == piece.len as usize)
    }
    /// Cuts a piece to at most so many elements. What is beyond stays in the buffer.
    pub(super) fn truncate(&mut self, piece: u32, length: usize) {
        if let Some(piece) = self.pieces.get_mut(piece) {
            piece.len = piece.len.min(length.min(u32::MAX as usize) as u32);
        }
    }
    /// Makes a buffer of a list's own elements, all of which are a piece then.
    fn adopt(&mut self, account: &mut Account, list: &mut List) -> Result<(), Full> {
        self.pieces.ready(account)?;
        self.buffers.ready(account)?;
        let items = std::mem::take(&mut list.items);
        let len = items.len() as u32;
        list.piece = self.pieces.put(Piece { buffer: self.buffers.put(items), len });
        Ok(())
    }
    /// A longer piece of the buffer of one that reaches to its end, `more` elements of which are yet to be put in.
    fn extend(&mut self, account: &mut Account, piece: u32, more: &[Value]) -> Result<u32, Full> {
        self.pieces.ready(account)?;
        let Some(&Piece { buffer, len }) = self.pieces.get(piece) else { return Err(Full { needs: 0 }) };
        if let Some(items) = self.buffers.get_mut(buffer) {
            grow(items, account, more.len())?;
            items.extend_from_slice(more);
        }
        Ok(self.pieces.put(Piece { buffer, len: len + more.len() as u32 }))
    }

    /// How far each buffer is marked: nowhere yet.
    pub(super) fn unmarked(&self) -> Vec<u32> {
        vec![0; self.buffers.slots()]
    }
    /// The elements of a piece that no shorter one has marked already, so that many pieces of one buffer cost no more than the longest.
    pub(super) fn to_mark(&self, piece: u32, reach: &mut [u32]) -> &[Value] {
        let Some(piece) = self.pieces.get(piece) else { return &[] };
        let (Some(items), Some(reach)) = (self.buffers.get(piece.buffer), reach.get_mut(piece.buffer as usize)) else { return &[] };
        let from = std::mem::replace(reach, (*reach).max(piece.len));
        items.get(from as usize..piece.len as usize).unwrap_or_default()
    }
    /// Keeps what the lists that were kept are pieces of. Nothing else changes: whether a list is added to in place, and so what that
    /// costs, must not depend on when the collector ran.
    pub(super) fn sweep(&mut self, lists: &Slab<List>, account: &mut Account) {
        if self.pieces.used() == 0 {
            return;
        }
        let (mut pieces, mut buffers) = (Marks::for_slots(self.pieces.slots()), Marks::for_slots(self.buffers.slots()));
        for list in lists.iter() {
            if let Some(piece) = self.pieces.get(list.piece) {
                pieces.set(list.piece);
                buffers.set(piece.buffer);
            }
        }
        self.pieces.sweep(&pieces, account, |_, _| {});
        self.buffers.sweep(&buffers, account, |account, items| account.release(bytes(items.capacity())));
    }
}

impl Store {
    /// How many elements are moved to make `a + b`: fewer than they have when `a` can be added to in place.
    #[must_use]
    pub fn list_joining(&self, a: ListId, b: ListId) -> usize {
        let (head, tail) = (self.list(a).len(), self.list(b).len());
        if self.grows(a, tail) { tail } else { head + tail }
    }
    /// Whether a list was made by adding to another, and is to be added to in place.
    fn grows(&self, id: ListId, more: usize) -> bool {
        let Some(list) = self.lists.get(id.0) else { return false };
        let (fits, head) = (self.list(id).len() + more < OWN as usize, self.list(id).len());
        fits && if list.piece == OWN { list.added && head >= MIN_HEAD && more <= head / 2 } else { self.prefixes.is_end(list.piece) }
    }
    /// A new list of the elements of two.
    pub fn list_concat(&mut self, a: ListId, b: ListId) -> Result<ListId, Full> {
        let more = self.list(b).len();
        if !self.grows(a, more) {
            let made = self.list_with_capacity(self.list(a).len() + more)?;
            self.list_extend_from(made, a)?;
            self.list_extend_from(made, b)?;
            if let Some(made) = self.lists.get_mut(made.0) {
                made.added = true;
            }
            return Ok(made);
        }
        self.lists.ready(&mut self.account)?;
        // `b` may be `a`, or a piece of the same buffer: then what is added is within what moves.
        self.account.charge(bytes(more))?;
        let tail = self.list(b).to_vec();
        let joined = self.joined(a, &tail);
        self.account.release(bytes(more));
        let piece = joined?;
        Ok(ListId(self.lists.put(List { items: Vec::new(), piece, frozen: false, added: true })))
    }
    fn joined(&mut self, a: ListId, tail: &[Value]) -> Result<u32, Full> {
        let Some(list) = self.lists.get_mut(a.0) else { return Err(Full { needs: 0 }) };
        if list.piece == OWN {
            self.prefixes.adopt(&mut self.account, list)?;
        }
        self.prefixes.extend(&mut self.account, list.piece, tail)
    }
    /// The piece of a buffer that a list is.
    pub(super) fn list_piece(&self, id: ListId) -> Option<u32> {
        self.lists.get(id.0).map(|list| list.piece).filter(|piece| *piece != OWN)
    }
    /// How many elements writing to a list copies first.
    #[inline]
    #[must_use]
    pub fn list_borrowed(&self, id: ListId) -> usize {
        match self.lists.get(id.0) {
            Some(list) if list.piece != OWN => self.prefixes.items(list.piece).len(),
            _ => 0,
        }
    }
    /// Gives a list elements of its own, as whoever writes to one needs. Who asks pays for [`Store::list_borrowed`] first.
    #[inline]
    pub fn list_own(&mut self, id: ListId) -> Result<(), Full> {
        match self.lists.get_mut(id.0) {
            Some(list) if list.piece != OWN => {
                let shared = self.prefixes.items(list.piece);
                let mut items = Vec::new();
                self.account.moving(0, bytes(shared.len()), || items.try_reserve_exact(shared.len()).is_ok())?;
                items.extend_from_slice(shared);
                (list.items, list.piece, list.added) = (items, OWN, false);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
