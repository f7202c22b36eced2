//! Strings: immutable, each with its count of code points; short ones and object keys interned.
//!
//! Interning makes equal short strings the same `StrId`, so that comparing two is comparing two numbers, and keys of objects always
//! are. The table holds its strings weakly: the sweep takes dead ones out. Text that a script chose is hashed with a seed of this
//! heap, so that no list of colliding keys can be prepared.

use super::account::{Account, Full, block};
use super::growing::{self, Growing};
use super::slab::{Marks, Slab};
use crate::value::{StrId, Value};
use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;

/// Strings up to this many bytes are interned when they are made.
pub const INTERN_MAX: usize = 40;

/// What the compiler takes for short is interned here.
const _: () = assert!(ilu_lang::code::program::MAX_SHORT <= INTERN_MAX);

pub(super) struct Text {
    text: Box<str>,
    /// Code points. Equal to the length in bytes exactly when the text is ASCII.
    chars: u32,
    /// Zero: not interned. [`ADDED`]: not interned, made by adding to another. Odd: its hash with the lowest bit set. Even: it is a piece of a buffer, and `text` is empty; see [`piece`].
    tag: u32,
}

/// Where in a string that is not ASCII the last `char_at` looked, so that a loop over its indexes does not start over each time.
#[derive(Clone, Copy)]
struct LastLook {
    id: StrId,
    index: usize,
    offset: usize,
}

const NOWHERE: LastLook = LastLook { id: StrId(u32::MAX), index: 0, offset: 0 };

pub(super) struct Strings {
    slab: Slab<Text>,
    table: HashTable<u32>,
    /// What the table is charged.
    table_held: usize,
    state: SeedableRandomState,
    /// The strings of one ASCII character, kept for good once made.
    single: [u32; 128],
    last: LastLook,
    growing: Growing,
}

/// The tag of a text that was made by adding to another one. Adding to it again looks like a loop, for which a buffer pays; what is made
/// once gets exactly the room it needs.
const ADDED: u32 = 2;

/// The piece of a buffer that a tag names.
fn piece(tag: u32) -> Option<u32> {
    if tag & 1 == 0 { (tag >> 1).checked_sub(2) } else { None }
}

/// What a table of so many places holds in memory, control bytes included.
fn table_bytes(capacity: usize) -> usize {
    let buckets = (capacity.saturating_mul(8) / 7).max(4).next_power_of_two();
    block(buckets.saturating_mul(size_of::<u32>() + 1) + 32)
}

fn spread(tag: u32) -> u64 {
    u64::from(tag) << 32 | u64::from(tag)
}

/// Two texts joined, when that is short enough to be interned. Two texts joined are a text.
fn short_joined(head: &str, tail: &str) -> Option<([u8; INTERN_MAX], usize)> {
    let length = head.len() + tail.len();
    let mut room = [0u8; INTERN_MAX];
    let (front, back) = room.get_mut(..length)?.split_at_mut(head.len());
    front.copy_from_slice(head.as_bytes());
    back.copy_from_slice(tail.as_bytes());
    Some((room, length))
}

fn joined(account: &mut Account, length: usize, head: &str, tail: &str) -> Result<Box<str>, Full> {
    if length > u32::MAX as usize {
        return Err(Full { needs: length });
    }
    account.charge(block(length))?;
    let mut text = String::with_capacity(length);
    text.push_str(head);
    text.push_str(tail);
    Ok(text.into_boxed_str())
}

impl Strings {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            slab: Slab::new(),
            table: HashTable::new(),
            table_held: 0,
            state: SeedableRandomState::with_seed(seed, SharedSeed::global_random()),
            single: [u32::MAX; 128],
            last: NOWHERE,
            growing: Growing::new(),
        }
    }
    fn tag(&self, text: &str) -> u32 {
        let mut hasher = self.state.build_hasher();
        hasher.write(text.as_bytes());
        let hash = hasher.finish();
        (hash >> 32) as u32 ^ hash as u32 | 1
    }
    pub(super) fn slab(&self) -> &Slab<Text> {
        &self.slab
    }
    #[inline]
    pub(super) fn text(&self, id: StrId) -> &str {
        match self.slab.get(id.0) {
            Some(entry) if entry.tag <= ADDED || entry.tag & 1 == 1 => &entry.text,
            Some(entry) => self.growing.text(piece(entry.tag).unwrap_or(u32::MAX)),
            None => "",
        }
    }
    #[inline]
    pub(super) fn chars(&self, id: StrId) -> usize {
        self.slab.get(id.0).map_or(0, |entry| entry.chars as usize)
    }
    #[inline]
    pub(super) fn is_ascii(&self, id: StrId) -> bool {
        self.slab.get(id.0).is_none_or(|entry| entry.chars as usize == self.text(id).len())
    }
    #[inline]
    pub(super) fn is_interned(&self, id: StrId) -> bool {
        self.slab.get(id.0).is_some_and(|entry| entry.tag & 1 == 1)
    }
    /// Whether a string is a piece of a buffer.
    pub(super) fn is_piece(&self, id: StrId) -> bool {
        self.piece_of(id).is_some()
    }
    fn piece_of(&self, id: StrId) -> Option<u32> {
        piece(self.slab.get(id.0)?.tag)
    }
    /// Whether adding so much to a string should begin or extend a buffer.
    fn wants_buffer(&self, id: StrId, more: usize) -> bool {
        let added = self.slab.get(id.0).is_some_and(|entry| entry.tag != 0 && entry.tag & 1 == 0);
        added && (self.grows(id) || growing::worth_it(self.text(id).len(), more))
    }
    /// Whether a string can be added to in place.
    pub(super) fn grows(&self, id: StrId) -> bool {
        self.piece_of(id).is_some_and(|piece| self.growing.is_end(piece))
    }
    fn lookup(&self, text: &str, tag: u32) -> Option<StrId> {
        let same = |&index: &u32| self.slab.get(index).is_some_and(|entry| entry.tag == tag && *entry.text == *text);
        self.table.find(spread(tag), same).copied().map(StrId)
    }
    /// The interned string of this text, when there is one.
    pub(super) fn find(&self, text: &str) -> Option<StrId> {
        self.lookup(text, self.tag(text))
    }
    pub(super) fn intern(&mut self, account: &mut Account, text: &str) -> Result<StrId, Full> {
        let tag = self.tag(text);
        if let Some(id) = self.lookup(text, tag) {
            return Ok(id);
        }
        self.table_ready(account)?;
        let id = self.store(account, text.len(), tag, || Box::from(text))?;
        self.enter(id.0, tag);
        Ok(id)
    }
    /// The interned string equal to this one: itself, when there is no other.
    pub(super) fn intern_id(&mut self, account: &mut Account, id: StrId) -> Result<StrId, Full> {
        let Some(entry) = self.slab.get(id.0) else { return self.intern(account, "") };
        if entry.tag & 1 == 1 {
            return Ok(id);
        }
        let shared = piece(entry.tag).is_some();
        let text = self.text(id);
        let tag = self.tag(text);
        if let Some(other) = self.lookup(text, tag) {
            return Ok(other);
        }
        self.table_ready(account)?;
        let mut own = None;
        if shared {
            account.charge(block(self.text(id).len()))?;
            own = Some(Box::from(self.text(id)));
        }
        if let Some(entry) = self.slab.get_mut(id.0) {
            entry.tag = tag;
            if let Some(own) = own {
                entry.text = own;
            }
        }
        self.enter(id.0, tag);
        Ok(id)
    }
    pub(super) fn make(&mut self, account: &mut Account, text: &str) -> Result<StrId, Full> {
        if text.len() <= INTERN_MAX { self.intern(account, text) } else { self.store(account, text.len(), 0, || Box::from(text)) }
    }
    pub(super) fn make_owned(&mut self, account: &mut Account, text: String) -> Result<StrId, Full> {
        if text.len() <= INTERN_MAX { self.intern(account, &text) } else { self.store(account, text.len(), 0, || text.into_boxed_str()) }
    }
    pub(super) fn part(&mut self, account: &mut Account, id: StrId, range: Range<usize>) -> Result<StrId, Full> {
        let whole = self.text(id);
        let text = whole.get(range).unwrap_or_default();
        let (length, short) = (text.len(), text.len() <= INTERN_MAX);
        if length == whole.len() {
            return Ok(id);
        }
        let tag = if short { self.tag(text) } else { 0 };
        if short && let Some(found) = self.lookup(text, tag) {
            return Ok(found);
        }
        account.charge(block(length))?;
        let copy = Box::<str>::from(text);
        account.release(block(length));
        if short {
            self.table_ready(account)?;
        }
        let made = self.store(account, length, tag, || copy)?;
        if short {
            self.enter(made.0, tag);
        }
        Ok(made)
    }
    /// Replaces the text of a string; its other facts stay as they were.
    pub(super) fn swap(&mut self, id: StrId, text: Box<str>) -> Box<str> {
        self.slab.get_mut(id.0).map_or_else(Box::default, |entry| std::mem::replace(&mut entry.text, text))
    }
    pub(super) fn concat(&mut self, account: &mut Account, a: StrId, b: StrId) -> Result<StrId, Full> {
        let (head, tail) = (self.text(a), self.text(b));
        let length = head.len() + tail.len();
        if let Some((joined, length)) = short_joined(head, tail) {
            return self.intern(account, std::str::from_utf8(joined.get(..length).unwrap_or_default()).unwrap_or_default());
        }
        let chars = (self.chars(a) + self.chars(b)) as u32;
        if self.wants_buffer(a, tail.len()) {
            // What is added may lie in the very buffer that grows.
            account.charge(block(tail.len()))?;
            let tail: Box<str> = Box::from(tail);
            let grown = self.grow(account, a, &tail, chars);
            account.release(block(tail.len()));
            return grown;
        }
        self.slab.ready(account)?;
        let text = joined(account, length, self.text(a), self.text(b))?;
        Ok(StrId(self.slab.put(Text { text, chars, tag: ADDED })))
    }
    /// A string with `tail` added, as a piece of a buffer.
    fn grow(&mut self, account: &mut Account, a: StrId, tail: &str, chars: u32) -> Result<StrId, Full> {
        let length = self.text(a).len() + tail.len();
        if length > u32::MAX as usize {
            return Err(Full { needs: length });
        }
        self.slab.ready(account)?;
        let piece = match self.piece_of(a) {
            Some(piece) if self.growing.is_end(piece) => self.growing.add(account, piece, tail)?,
            Some(piece) => {
                let copied = block(length - tail.len());
                account.charge(copied)?;
                let head = self.growing.text(piece).to_owned();
                let started = self.growing.start(account, &head, tail);
                account.release(copied);
                started?
            }
            None => self.growing.start(account, self.slab.get(a.0).map_or("", |entry| &entry.text), tail)?,
        };
        match piece.checked_add(2).and_then(|number| number.checked_mul(2)) {
            Some(tag) => Ok(StrId(self.slab.put(Text { text: Box::default(), chars, tag }))),
            None => Err(Full { needs: length }),
        }
    }
    pub(super) fn concat_text(&mut self, account: &mut Account, a: StrId, b: &str) -> Result<StrId, Full> {
        let head = self.text(a);
        let length = head.len() + b.len();
        if let Some((joined, length)) = short_joined(head, b) {
            return self.intern(account, std::str::from_utf8(joined.get(..length).unwrap_or_default()).unwrap_or_default());
        }
        let chars = (self.chars(a) + b.chars().count()) as u32;
        if self.wants_buffer(a, b.len()) {
            return self.grow(account, a, b, chars);
        }
        self.slab.ready(account)?;
        let text = joined(account, length, self.text(a), b)?;
        Ok(StrId(self.slab.put(Text { text, chars, tag: ADDED })))
    }
    fn store(&mut self, account: &mut Account, length: usize, tag: u32, make: impl FnOnce() -> Box<str>) -> Result<StrId, Full> {
        if length > u32::MAX as usize {
            return Err(Full { needs: length });
        }
        self.slab.ready(account)?;
        account.charge(block(length))?;
        let text = make();
        let chars = if text.is_ascii() { text.len() } else { text.chars().count() } as u32;
        Ok(StrId(self.slab.put(Text { text, chars, tag })))
    }
    fn table_ready(&mut self, account: &mut Account) -> Result<(), Full> {
        let (len, capacity) = (self.table.len(), self.table.capacity());
        if len < capacity {
            return Ok(());
        }
        let (table, slab) = (&mut self.table, &self.slab);
        let rehash = |index: &u32| spread(slab.get(*index).map_or(0, |entry| entry.tag));
        let booked = table_bytes(len.max(4) * 2);
        account.moving(self.table_held, booked, || table.try_reserve(1, rehash).is_ok())?;
        // Places of removed strings can make it rehash in place instead of growing: the books follow what it did.
        self.table_held = booked;
        self.settle(account);
        Ok(())
    }
    fn settle(&mut self, account: &mut Account) {
        let real = block(self.table.allocation_size());
        account.release(self.table_held.saturating_sub(real));
        self.table_held = self.table_held.min(real);
    }
    fn enter(&mut self, index: u32, tag: u32) {
        let slab = &self.slab;
        self.table.insert_unique(spread(tag), index, |index| spread(slab.get(*index).map_or(0, |entry| entry.tag)));
    }
    fn single(&mut self, account: &mut Account, byte: u8) -> Result<StrId, Full> {
        match self.single.get(byte as usize) {
            Some(&index) if index != u32::MAX => Ok(StrId(index)),
            _ => {
                let id = self.intern(account, (byte as char).encode_utf8(&mut [0; 4]))?;
                if let Some(place) = self.single.get_mut(byte as usize) {
                    *place = id.0;
                }
                Ok(id)
            }
        }
    }
    fn one(&mut self, account: &mut Account, character: char) -> Result<Value, Full> {
        let id = match u8::try_from(character) {
            Ok(byte) if byte < 128 => self.single(account, byte)?,
            _ => self.intern(account, character.encode_utf8(&mut [0; 4]))?,
        };
        Ok(id.into())
    }
    pub(super) fn char_at(&mut self, account: &mut Account, id: StrId, index: usize) -> Result<Option<Value>, Full> {
        let Some(entry) = self.slab.get(id.0) else { return Ok(None) };
        let text = self.text(id);
        if entry.chars as usize == text.len() {
            return match text.as_bytes().get(index) {
                Some(&byte) => self.single(account, byte).map(|id| Some(id.into())),
                None => Ok(None),
            };
        }
        let from = if self.last.id == id && self.last.index <= index { self.last } else { LastLook { id, ..NOWHERE } };
        let rest = text.get(from.offset..).unwrap_or_default();
        let Some((offset, character)) = rest.char_indices().nth(index - from.index) else { return Ok(None) };
        self.last = LastLook { id, index, offset: from.offset + offset };
        self.one(account, character).map(Some)
    }
    pub(super) fn char_from(&mut self, account: &mut Account, id: StrId, offset: usize) -> Result<Option<(Value, usize)>, Full> {
        let Some(character) = self.text(id).get(offset..).and_then(|rest| rest.chars().next()) else { return Ok(None) };
        Ok(Some((self.one(account, character)?, offset + character.len_utf8())))
    }
    /// Strings that live whether or not anything names them.
    pub(super) fn keep(&self, marks: &mut Marks) {
        for &index in self.single.iter().filter(|index| **index != u32::MAX) {
            marks.set(index);
        }
    }
    pub(super) fn sweep(&mut self, marks: &Marks, account: &mut Account) {
        self.last = NOWHERE;
        self.table.retain(|index| marks.has(*index as usize));
        self.slab.sweep(marks, account, |account, entry| account.release(block(entry.text.len())));
        self.growing.sweep(self.slab.iter().filter_map(|entry| piece(entry.tag)), account);
        if self.table.len() < self.table.num_buckets() / 8 {
            let slab = &self.slab;
            self.table.shrink_to(self.table.len() * 2, |index| spread(slab.get(*index).map_or(0, |entry| entry.tag)));
            self.settle(account);
        }
    }
}
