//! Names of what the realm keeps: small numbers, meaningless outside it.

/// A sandbox's place in the realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SbxId(pub u32);
