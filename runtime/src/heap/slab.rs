//! A typed slab: the storage of one kind of heap object.
//!
//! An object is named by its `u32` place. Free places form a list through the slots themselves. A place may be named after it was
//! freed (a stale register): reading it gives nothing, or whatever lives there now; never anything of another kind.

use super::account::{Account, Full, next_capacity};

/// A slot: an object, or a link of the free list. `T` is chosen so that the two share the object's own bytes.
enum Slot<T> {
    Free(u32),
    Used(T),
}

const NONE: u32 = u32::MAX;

/// What each slot is charged beside its own bytes: its place on the collector's work list (8) and its mark (1).
const PER_SLOT: usize = 9;

pub(super) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: u32,
    used: usize,
}

impl<T> Slab<T> {
    const SLOT: usize = size_of::<Slot<T>>() + PER_SLOT;

    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: NONE, used: 0 }
    }
    #[inline]
    pub(super) fn get(&self, index: u32) -> Option<&T> {
        match self.slots.get(index as usize) {
            Some(Slot::Used(item)) => Some(item),
            _ => None,
        }
    }
    #[inline]
    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        match self.slots.get_mut(index as usize) {
            Some(Slot::Used(item)) => Some(item),
            _ => None,
        }
    }
    /// Sets an object's mark; true when it had none. A free slot gets none.
    #[inline]
    pub(super) fn mark(&self, marks: &mut Marks, index: u32) -> bool {
        self.get(index).is_some() && marks.set(index)
    }
    /// Makes sure that one more object fits.
    #[inline]
    pub(super) fn ready(&mut self, account: &mut Account) -> Result<(), Full> {
        if self.free != NONE || self.slots.len() < self.slots.capacity() { Ok(()) } else { self.grow(account) }
    }
    #[cold]
    fn grow(&mut self, account: &mut Account) -> Result<(), Full> {
        let (len, old) = (self.slots.len(), self.slots.capacity());
        let new = next_capacity(old, len + 1, size_of::<Slot<T>>());
        if new >= NONE as usize {
            return Err(Full { needs: new.saturating_mul(Self::SLOT) });
        }
        let slots = &mut self.slots;
        account.moving(old * Self::SLOT, new.saturating_mul(Self::SLOT), || slots.try_reserve_exact(new - len).is_ok())
    }
    /// Stores an object; [`Slab::ready`] came before.
    #[inline]
    pub(super) fn put(&mut self, item: T) -> u32 {
        self.used += 1;
        let index = self.free;
        match self.slots.get_mut(index as usize) {
            Some(slot) => {
                if let Slot::Free(next) = *slot {
                    self.free = next;
                }
                *slot = Slot::Used(item);
                index
            }
            None => {
                self.slots.push(Slot::Used(item));
                (self.slots.len() - 1) as u32
            }
        }
    }
    /// Objects in it.
    pub(super) fn used(&self) -> usize {
        self.used
    }
    /// Slots in it, free ones included.
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| if let Slot::Used(item) = slot { Some(item) } else { None })
    }

    /// Frees every object without a mark, gives it to `dropped`, and gives back slots at the end when most are free.
    pub(super) fn sweep(&mut self, marks: &Marks, account: &mut Account, mut dropped: impl FnMut(&mut Account, T)) {
        self.free = NONE;
        self.used = 0;
        let mut tail = true;
        // From the end, so that the free list begins with the lowest places and the end has a chance to become empty.
        for (index, slot) in self.slots.iter_mut().enumerate().rev() {
            if marks.has(index) {
                self.used += 1;
                tail = false;
                continue;
            }
            if let Slot::Used(item) = std::mem::replace(slot, Slot::Free(self.free)) {
                dropped(account, item);
            }
            if !tail {
                self.free = index as u32;
            }
        }
        let end = self.slots.iter().rposition(|slot| matches!(slot, Slot::Used(_))).map_or(0, |last| last + 1);
        self.slots.truncate(end);
        let old = self.slots.capacity();
        if end < old / 4 {
            self.slots.shrink_to(end * 2);
            account.release((old - self.slots.capacity()) * Self::SLOT);
        }
    }
}

/// One mark per slot of a slab.
#[derive(Default)]
pub(super) struct Marks(Vec<u64>);

impl Marks {
    pub(super) fn for_slots(slots: usize) -> Self {
        Self(vec![0; slots.div_ceil(64)])
    }
    /// Sets a mark; true when it was not set.
    #[inline]
    pub(super) fn set(&mut self, index: u32) -> bool {
        let bit = 1u64 << (index & 63);
        match self.0.get_mut(index as usize >> 6) {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                true
            }
            _ => false,
        }
    }
    #[inline]
    pub(super) fn has(&self, index: usize) -> bool {
        self.0.get(index >> 6).is_some_and(|word| word >> (index & 63) & 1 == 1)
    }
}
