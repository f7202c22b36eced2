//! Natives of files and directories. One file per class; `open` holds the rules that every open file passes.

#[cfg_attr(not(feature = "http"), allow(dead_code, reason = "what HTTP downloads lands by it too"))]
pub(crate) mod landing;
pub(crate) mod manage;
pub(crate) mod open;
pub(crate) mod read;
pub(crate) mod write;
