//! Objects: pairs in the order they were put in. Keys are interned, so a key is compared and hashed as a number.
//!
//! Up to [`FLAT_MAX`] pairs are searched in line; above that an `IndexMap` with a seed of this heap (its keys' numbers can be steered
//! by a script, their hashes can't). Each access site may remember a position: [`Store::entry`] and [`Store::set_entry`] are O(1).

use super::Store;
use super::account::{Account, Full, block};
use crate::value::{ObjectId, StrId, Value};
use indexmap::IndexMap;
use std::hash::{BuildHasher, Hasher};

/// Most pairs that are searched one after the other.
pub const FLAT_MAX: usize = 8;

pub(super) struct Object {
    pairs: Pairs,
    pub(super) frozen: bool,
}

enum Pairs {
    Flat(Vec<(StrId, Value)>),
    Map(Box<Indexed>),
}

/// A map, and what it is charged: its own `capacity` shrinks as entries are removed, though its memory doesn't.
struct Indexed {
    map: Map,
    held: usize,
}

type Map = IndexMap<StrId, Value, IdState>;

/// Hashes the number of an interned string with a seed.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdState {
    seed: u64,
}

impl IdState {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed }
    }
}

impl BuildHasher for IdState {
    type Hasher = IdHasher;
    fn build_hasher(&self) -> IdHasher {
        IdHasher(self.seed)
    }
}

/// See [`IdState`].
#[derive(Debug)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    #[inline]
    fn write_u32(&mut self, id: u32) {
        // The two halves of one wide product: every bit of the number and the seed reaches every bit of the result.
        let product = u128::from(self.0 ^ u64::from(id)) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

const PAIR: usize = size_of::<(StrId, Value)>();
/// An `IndexMap` entry: hash, value, key.
const ENTRY: usize = 24;
/// First capacity of a map: what a table of 16 places takes. It doubles from there, in step with the table.
const MAP_FIRST: usize = 14;

fn flat_bytes(capacity: usize) -> usize {
    block(capacity.saturating_mul(PAIR))
}

fn map_bytes(capacity: usize) -> usize {
    // The table of positions is charged one and a half times: with removed entries in it, it may be twice as large as its contents need.
    let table = (capacity.saturating_mul(8) / 7).next_power_of_two().saturating_mul(size_of::<usize>() + 1);
    block(size_of::<Indexed>()) + block(capacity.saturating_mul(ENTRY)) + block(table.saturating_add(table / 2))
}

impl Object {
    fn new(capacity: usize) -> Self {
        Self { pairs: Pairs::Flat(Vec::with_capacity(capacity)), frozen: false }
    }
    pub(super) fn held(&self) -> usize {
        match &self.pairs {
            Pairs::Flat(pairs) => flat_bytes(pairs.capacity()),
            Pairs::Map(indexed) => indexed.held,
        }
    }
    pub(super) fn len(&self) -> usize {
        match &self.pairs {
            Pairs::Flat(pairs) => pairs.len(),
            Pairs::Map(indexed) => indexed.map.len(),
        }
    }
    #[inline]
    fn position(&self, key: StrId) -> Option<usize> {
        match &self.pairs {
            Pairs::Flat(pairs) => pairs.iter().position(|pair| pair.0 == key),
            Pairs::Map(indexed) => indexed.map.get_index_of(&key),
        }
    }
    #[inline]
    pub(super) fn entry(&self, position: usize) -> Option<(StrId, Value)> {
        match &self.pairs {
            Pairs::Flat(pairs) => pairs.get(position).copied(),
            Pairs::Map(indexed) => indexed.map.get_index(position).map(|(key, value)| (*key, *value)),
        }
    }
    #[inline]
    fn value_mut(&mut self, position: usize) -> Option<&mut Value> {
        match &mut self.pairs {
            Pairs::Flat(pairs) => pairs.get_mut(position).map(|pair| &mut pair.1),
            Pairs::Map(indexed) => indexed.map.get_index_mut(position).map(|(_, value)| value),
        }
    }
    fn set(&mut self, account: &mut Account, state: IdState, key: StrId, value: Value) -> Result<usize, Full> {
        if let Some(position) = self.position(key) {
            if let Some(place) = self.value_mut(position) {
                *place = value;
            }
            return Ok(position);
        }
        self.ready(account, state)?;
        match &mut self.pairs {
            Pairs::Flat(pairs) => {
                pairs.push((key, value));
                Ok(pairs.len() - 1)
            }
            Pairs::Map(indexed) => Ok(indexed.map.insert_full(key, value).0),
        }
    }
    /// Makes room for one more pair.
    fn ready(&mut self, account: &mut Account, state: IdState) -> Result<(), Full> {
        let old = self.held();
        match &mut self.pairs {
            Pairs::Flat(pairs) if pairs.len() < pairs.capacity() => Ok(()),
            Pairs::Flat(pairs) if pairs.len() < FLAT_MAX => {
                let capacity = if pairs.len() < 4 { 4 } else { FLAT_MAX };
                account.moving(old, flat_bytes(capacity), || pairs.try_reserve_exact(capacity - pairs.len()).is_ok())
            }
            Pairs::Flat(pairs) => {
                account.charge(map_bytes(MAP_FIRST))?;
                let mut map = Map::with_capacity_and_hasher(MAP_FIRST, state);
                map.extend(pairs.drain(..));
                self.pairs = Pairs::Map(Box::new(Indexed { map, held: map_bytes(MAP_FIRST) }));
                account.release(old);
                Ok(())
            }
            Pairs::Map(indexed) if indexed.map.len() < indexed.map.capacity() => Ok(()),
            Pairs::Map(indexed) => {
                let map = &mut indexed.map;
                let capacity = (map.len() + 1).max(map.capacity() * 2).max(MAP_FIRST);
                let booked = map_bytes(capacity).max(old);
                account.moving(old, booked, || map.try_reserve_exact(capacity - map.len()).is_ok())?;
                indexed.held = booked;
                Ok(())
            }
        }
    }
    fn remove(&mut self, key: StrId) -> Option<Value> {
        let position = self.position(key)?;
        match &mut self.pairs {
            Pairs::Flat(pairs) => Some(pairs.remove(position).1),
            Pairs::Map(indexed) => indexed.map.shift_remove_index(position).map(|(_, value)| value),
        }
    }
}

impl Store {
    /// A new empty object.
    pub fn object_new(&mut self) -> Result<ObjectId, Full> {
        self.objects.ready(&mut self.account)?;
        Ok(ObjectId(self.objects.put(Object::new(0))))
    }
    /// A new object of these pairs; of a key that comes twice, the later value in the earlier place.
    pub fn object_with(&mut self, keys: &[StrId], values: &[Value]) -> Result<Value, Full> {
        self.object_of(keys, values.iter().copied())
    }
    /// The same of values that come one by one.
    pub fn object_of(&mut self, keys: &[StrId], values: impl Iterator<Item = Value>) -> Result<Value, Full> {
        self.objects.ready(&mut self.account)?;
        if keys.len() > FLAT_MAX {
            let mut object = Object::new(0);
            for (key, value) in keys.iter().zip(values) {
                if let Err(full) = object.set(&mut self.account, self.ids, *key, value) {
                    self.account.release(object.held());
                    return Err(full);
                }
            }
            return Ok(ObjectId(self.objects.put(object)).into());
        }
        self.account.charge(flat_bytes(keys.len()))?;
        let mut pairs: Vec<(StrId, Value)> = Vec::with_capacity(keys.len());
        for (key, value) in keys.iter().zip(values) {
            match pairs.iter_mut().find(|pair| pair.0 == *key) {
                Some(pair) => pair.1 = value,
                None => pairs.push((*key, value)),
            }
        }
        Ok(ObjectId(self.objects.put(Object { pairs: Pairs::Flat(pairs), frozen: false })).into())
    }
    /// The value of a key.
    #[inline]
    #[must_use]
    pub fn get(&self, id: ObjectId, key: StrId) -> Option<Value> {
        let object = self.objects.get(id.0)?;
        match &object.pairs {
            Pairs::Flat(pairs) => pairs.iter().find(|pair| pair.0 == key).map(|pair| pair.1),
            Pairs::Map(indexed) => indexed.map.get(&key).copied(),
        }
    }
    /// Where a key's pair stands.
    #[inline]
    #[must_use]
    pub fn position(&self, id: ObjectId, key: StrId) -> Option<usize> {
        self.objects.get(id.0)?.position(key)
    }
    /// The pair at a position.
    #[inline]
    #[must_use]
    pub fn entry(&self, id: ObjectId, position: usize) -> Option<(StrId, Value)> {
        self.objects.get(id.0)?.entry(position)
    }
    /// Replaces the value at a position, when there is a pair.
    #[inline]
    pub fn set_entry(&mut self, id: ObjectId, position: usize, value: Value) {
        if let Some(place) = self.objects.get_mut(id.0).and_then(|object| object.value_mut(position)) {
            *place = value;
        }
    }
    /// The pairs of an object that is small enough to have them in line.
    #[inline]
    #[must_use]
    pub fn flat(&self, id: ObjectId) -> Option<&[(StrId, Value)]> {
        match self.objects.get(id.0)?.pairs {
            Pairs::Flat(ref pairs) => Some(pairs),
            Pairs::Map(_) => None,
        }
    }
    /// The same, to have values replaced, of an object that is not frozen.
    #[inline]
    pub fn flat_mut(&mut self, id: ObjectId) -> Option<&mut [(StrId, Value)]> {
        let object = self.objects.get_mut(id.0)?;
        match object.pairs {
            Pairs::Flat(ref mut pairs) if !object.frozen => Some(pairs),
            _ => None,
        }
    }
    /// Replaces the value at a position when the pair there has this key and the object is not frozen; says whether.
    #[inline]
    pub fn store_at(&mut self, id: ObjectId, position: usize, key: StrId, value: Value) -> bool {
        let Some(object) = self.objects.get_mut(id.0) else { return false };
        if object.frozen {
            return false;
        }
        let (found, place) = match &mut object.pairs {
            Pairs::Flat(pairs) => match pairs.get_mut(position) {
                Some((found, place)) => (*found, place),
                None => return false,
            },
            Pairs::Map(indexed) => match indexed.map.get_index_mut(position) {
                Some((found, place)) => (*found, place),
                None => return false,
            },
        };
        if found != key {
            return false;
        }
        *place = value;
        true
    }
    /// Sets a key and tells its position. The key is interned ([`Store::intern`], [`Store::key`]).
    pub fn set(&mut self, id: ObjectId, key: StrId, value: Value) -> Result<usize, Full> {
        match self.objects.get_mut(id.0) {
            Some(object) => object.set(&mut self.account, self.ids, key, value),
            None => Ok(0),
        }
    }
    /// Takes a pair out; the pairs after it ([`Store::object_len`] less [`Store::position`] less one of them) move up, and whoever asks
    /// pays for that first.
    pub fn remove(&mut self, id: ObjectId, key: StrId) -> Option<Value> {
        self.objects.get_mut(id.0)?.remove(key)
    }
    /// How many pairs an object has.
    #[inline]
    #[must_use]
    pub fn object_len(&self, id: ObjectId) -> usize {
        self.objects.get(id.0).map_or(0, Object::len)
    }
    /// An object's pairs, in order.
    pub fn entries(&self, id: ObjectId) -> impl Iterator<Item = (StrId, Value)> + '_ {
        (0..self.object_len(id)).filter_map(move |position| self.entry(id, position))
    }
}
