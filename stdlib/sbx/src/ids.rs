//! Numbers by which the VM names sandboxes and accounts. They mean something in one realm only and scripts never see them.

use std::collections::HashMap;

/// A table by such numbers, or by those of the run: they are given out in order, so nobody can choose them to collide.
pub(crate) type Table<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// A sandbox's place in the table of a realm, and how often that place had been used before. The VM stores one in every function (its home)
/// and every frame (the authority). A place is used again when nothing refers to its sandbox; should something all the same, then it
/// refers to a sandbox that holds nothing, not to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SbxId(pub u32);

/// Bits of a number that are the place.
const PLACE_BITS: u32 = 20;
/// Places in a realm's table.
pub(crate) const MAX_PLACES: usize = 1 << PLACE_BITS;

impl SbxId {
    pub(crate) const fn new(place: usize, generation: u16) -> SbxId {
        SbxId((generation as u32) << PLACE_BITS | place as u32 & (MAX_PLACES as u32 - 1))
    }

    pub(crate) const fn place(self) -> usize {
        self.0 as usize & (MAX_PLACES - 1)
    }

    /// What a place's next number is after this one: after the last the first again.
    pub(crate) const fn next(self) -> SbxId {
        SbxId(self.0.wrapping_add(1 << PLACE_BITS))
    }
}

/// The home of the standard library's own code: it adds no restriction to an authority and holds nothing by itself.
pub const ANY: SbxId = SbxId(0);
/// The sandbox the operator's grants make.
pub const ROOT: SbxId = SbxId(1);
/// A sandbox that holds nothing: what an authority becomes when no further one can be made. Fails closed.
pub const VOID: SbxId = SbxId(2);

/// The number that [`ANY`] has in the run. Numbers, unlike places, are the same in all realms of a run and never used again: records name
/// sandboxes by them.
pub const ANY_NUMBER: u64 = 0;
/// The number that [`ROOT`] has in the run.
pub const ROOT_NUMBER: u64 = 1;
/// The number that [`VOID`] has in the run.
pub const VOID_NUMBER: u64 = 2;

/// An account of a realm: whom costs are charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub u32);

/// The account that a realm's own code is charged to: of a run's first one the root sandbox only.
pub const ROOT_ACCOUNT: AccountId = AccountId(0);
