//! Natives of files and directories. One file per class; `open` holds the rules that every open file passes.

pub(crate) mod manage;
mod open;
pub(crate) mod read;
pub(crate) mod write;
