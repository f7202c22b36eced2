//! Numbers by which the VM names sandboxes and accounts. They mean something in one realm only and scripts never see them.

/// A sandbox's place in the table of a realm. The VM stores one in every function (its home) and every frame (the authority).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SbxId(pub u32);

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
