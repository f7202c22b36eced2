//! Text that is added to at its end, again and again: without this, `s = s + x` in a loop would copy all of `s` each time.
//!
//! A *buffer* has room beyond its text. Strings made by adding to one another are *pieces* of one buffer: each is its first so many bytes.
//! Only the piece that reaches to the buffer's end can be added to in place; adding to a shorter one makes a text of its own. So no string
//! ever sees another one change. A buffer is charged with all its room, and goes when the last string that is a piece of it does.

use super::account::{Account, Full, block, next_capacity};
use super::slab::{Marks, Slab};

/// Shortest text that is given a buffer.
const MIN_HEAD: usize = 128;

/// The first `len` bytes of a buffer.
#[derive(Clone, Copy)]
struct Piece {
    buffer: u32,
    len: u32,
}

/// All buffers of a heap and the pieces of them.
pub(super) struct Growing {
    buffers: Slab<String>,
    pieces: Slab<Piece>,
}

/// Whether adding `tail` bytes to a text of `head` bytes looks like one step of many.
pub(super) fn worth_it(head: usize, tail: usize) -> bool {
    head >= MIN_HEAD && head / 2 >= tail
}

impl Growing {
    pub(super) const fn new() -> Self {
        Self { buffers: Slab::new(), pieces: Slab::new() }
    }
    /// A piece's text.
    pub(super) fn text(&self, piece: u32) -> &str {
        let text = self.pieces.get(piece).and_then(|piece| self.buffers.get(piece.buffer)?.get(..piece.len as usize));
        text.unwrap_or_default()
    }
    /// Whether a piece reaches to its buffer's end.
    pub(super) fn is_end(&self, piece: u32) -> bool {
        let Some(piece) = self.pieces.get(piece) else { return false };
        self.buffers.get(piece.buffer).is_some_and(|buffer| buffer.len() == piece.len as usize)
    }
    /// A new buffer of two texts joined; its whole text as a piece.
    pub(super) fn start(&mut self, account: &mut Account, head: &str, tail: &str) -> Result<u32, Full> {
        let length = head.len() + tail.len();
        self.pieces.ready(account)?;
        self.buffers.ready(account)?;
        let mut text = String::new();
        let capacity = next_capacity(length, length, 1);
        account.moving(0, block(capacity), || text.try_reserve_exact(capacity).is_ok())?;
        text.push_str(head);
        text.push_str(tail);
        let buffer = self.buffers.put(text);
        Ok(self.pieces.put(Piece { buffer, len: length as u32 }))
    }
    /// Adds to the buffer of a piece that reaches to its end; the longer text as another piece.
    pub(super) fn add(&mut self, account: &mut Account, piece: u32, tail: &str) -> Result<u32, Full> {
        self.pieces.ready(account)?;
        let Some(&Piece { buffer, len }) = self.pieces.get(piece) else { return Err(Full { needs: 0 }) };
        let length = len as usize + tail.len();
        if let Some(text) = self.buffers.get_mut(buffer) {
            let room = text.capacity();
            if length > room {
                let new = next_capacity(room, length, 1);
                account.moving(block(room), block(new), || text.try_reserve_exact(new - text.len()).is_ok())?;
            }
            text.push_str(tail);
        }
        Ok(self.pieces.put(Piece { buffer, len: length as u32 }))
    }
    /// Keeps the pieces that are given, and their buffers.
    pub(super) fn sweep(&mut self, kept: impl Iterator<Item = u32>, account: &mut Account) {
        let (mut pieces, mut buffers) = (Marks::for_slots(self.pieces.slots()), Marks::for_slots(self.buffers.slots()));
        for piece in kept {
            pieces.set(piece);
            if let Some(piece) = self.pieces.get(piece) {
                buffers.set(piece.buffer);
            }
        }
        self.pieces.sweep(&pieces, account, |_, _| {});
        self.buffers.sweep(&buffers, account, |account, text| account.release(block(text.capacity())));
    }
}
