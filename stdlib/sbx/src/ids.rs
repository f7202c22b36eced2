//! Numbers by which the VM names sandboxes and accounts. They mean something in one realm only and scripts never see them.

/// A sandbox of a realm. The VM stores one in every function (its home) and every frame (the authority).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SbxId(pub u32);

/// The home of the standard library's own code: it adds no restriction to an authority and holds nothing by itself.
pub const ANY: SbxId = SbxId(0);
/// The sandbox the operator's grants make.
pub const ROOT: SbxId = SbxId(1);
/// A sandbox that holds nothing: what an authority becomes when no further one can be made. Fails closed.
pub const VOID: SbxId = SbxId(2);

/// An account of a realm: whom costs are charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub u32);

/// The account that charges the root sandbox only.
pub const ROOT_ACCOUNT: AccountId = AccountId(0);
