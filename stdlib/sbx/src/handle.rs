//! Open resources of a realm.
//!
//! A handle remembers the sandbox that opened it and the accounts that pay for it. Its number is a slot and a generation, so that a
//! closed one's is never taken for a newer one's; scripts hold it only inside an opaque value.

use crate::ids::{AccountId, SbxId};
use crate::lease::Leases;
use crate::limits::MAX_HANDLES;
use crate::plain::HandleId;
use cap_std::fs::File;
use ilu_cap::NativeId;
use std::any::Any;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

/// What can be open.
#[derive(Debug)]
pub enum Resource {
    /// A file read line by line.
    Lines(LineReader),
    /// Something of a native's own; what `typ` says of it.
    Shared(Arc<dyn Any + Send + Sync>, &'static str),
    /// Let go when its sandbox was revoked, so that using it is answered as that and not as a closed file; what `typ` said of it.
    Revoked(&'static str),
}

impl Resource {
    /// What `typ` says of it.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Resource::Lines(_) => "fil",
            Resource::Shared(_, name) | Resource::Revoked(name) => name,
        }
    }
}

/// A handle's entry.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) resource: Resource,
    /// The sandbox that opened it: revoked with it.
    pub(crate) owner: SbxId,
    /// Who pays for it.
    pub(crate) account: AccountId,
    /// The native a caller must hold to use it.
    pub(crate) native: NativeId,
    /// What had to run for it to be opened, and must for its use.
    pub(crate) leased: Leases,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    open: Option<Open>,
}

/// All open resources of a realm.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    slots: Vec<Slot>,
    free: VecDeque<u32>,
}

impl Handles {
    /// Puts one in; nothing when there are too many.
    pub(crate) fn insert(&mut self, open: Open) -> Option<HandleId> {
        let index = match self.free.pop_front() {
            Some(index) => index,
            None if self.slots.len() < MAX_HANDLES => {
                self.slots.push(Slot::default());
                u32::try_from(self.slots.len() - 1).ok()?
            }
            None => return None,
        };
        let slot = self.slots.get_mut(index as usize)?;
        slot.open = Some(open);
        Some(HandleId { index, generation: slot.generation })
    }

    pub(crate) fn get(&mut self, id: HandleId) -> Option<&mut Open> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation == id.generation { slot.open.as_mut() } else { None }
    }

    pub(crate) fn remove(&mut self, id: HandleId) -> Option<Open> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation != id.generation {
            return None;
        }
        let open = slot.open.take()?;
        // A slot whose generations are used up is never used again.
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            self.free.push_back(id.index);
        }
        Some(open)
    }

    /// Bytes that a resource holds besides the descriptor.
    pub(crate) fn size(&mut self, id: HandleId) -> usize {
        match self.get(id) {
            Some(Open { resource: Resource::Lines(reader), .. }) => reader.size(),
            _ => 0,
        }
    }

    /// All that is open.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Open> {
        self.slots.iter().filter_map(|slot| slot.open.as_ref())
    }

    /// The handles whose owner is such a one.
    pub(crate) fn owned_by(&self, is: impl Fn(SbxId) -> bool) -> Vec<HandleId> {
        let owned = |slot: &Slot| slot.open.as_ref().is_some_and(|open| is(open.owner));
        let number = |(n, slot): (usize, &Slot)| Some(HandleId { index: u32::try_from(n).ok()?, generation: slot.generation });
        self.slots.iter().enumerate().filter(|(_, slot)| owned(slot)).filter_map(number).collect()
    }
}

/// Bytes asked of the system at a time; a reader holds about this much besides the line it is in.
const CHUNK: usize = 16 << 10;

/// Cuts a stream of bytes into lines.
#[derive(Debug)]
pub struct LineReader {
    file: Option<File>,
    cutter: Cutter,
    /// A line was begun and let go again for want of room: what comes next is not a line.
    lost: bool,
}

impl LineReader {
    /// Reads a file's lines from where it is.
    #[must_use]
    pub fn new(file: File) -> LineReader {
        LineReader { file: Some(file), cutter: Cutter::default(), lost: false }
    }

    /// Bytes it holds.
    pub(crate) fn size(&self) -> usize {
        self.cutter.size()
    }

    /// Lets the beginning of a line go for which there is no room.
    pub(crate) fn lose(&mut self) {
        self.cutter = Cutter::default();
        self.lost = true;
    }

    /// Was it made to?
    pub(crate) const fn is_lost(&self) -> bool {
        self.lost
    }

    pub(crate) fn split(&mut self) -> (&mut Cutter, impl FnMut(&mut [u8]) -> io::Result<usize> + '_) {
        let file = &mut self.file;
        (&mut self.cutter, move |into: &mut [u8]| file.as_mut().map_or(Ok(0), |file| file.read(into)))
    }
}

/// The bytes that were read and not yet taken.
#[derive(Debug, Default)]
pub(crate) struct Cutter {
    buffer: Vec<u8>,
    /// Where the untaken ones begin.
    start: usize,
    /// Up to where a newline has been looked for.
    looked: usize,
    ended: bool,
    /// Bytes taken, for errors.
    taken: u64,
}

impl Cutter {
    /// The next line without its end, when all of it is here.
    pub(crate) fn line(&mut self) -> Option<Vec<u8>> {
        let fresh = self.buffer.get(self.looked..).unwrap_or_default();
        if let Some(n) = fresh.iter().position(|b| *b == b'\n') {
            let end = self.looked + n;
            let mut line = if end - self.start > CHUNK {
                // A long line is moved out, not copied, and leaves no room behind that nobody counts.
                let tail = self.buffer.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.buffer, tail);
                line.truncate(end);
                line.drain(..self.start);
                self.start = 0;
                line
            } else {
                let line = self.buffer.get(self.start..end).unwrap_or_default().to_vec();
                self.start = end + 1;
                line
            };
            self.taken += line.len() as u64 + 1;
            self.looked = self.start;
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Some(line);
        }
        self.looked = self.buffer.len();
        if self.ended && self.start < self.buffer.len() {
            return Some(self.rest());
        }
        None
    }

    /// All that is here.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let rest = self.buffer.split_off(self.start);
        self.taken += rest.len() as u64;
        self.buffer = Vec::new();
        self.start = 0;
        self.looked = 0;
        rest
    }

    /// Has the stream ended?
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Bytes it holds, those included that were taken and not yet let go.
    pub(crate) fn size(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes that are here.
    pub(crate) fn held(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Bytes taken so far.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Reads a chunk more; gives its size.
    pub(crate) fn fill(&mut self, most: u64, read: &mut dyn FnMut(&mut [u8]) -> io::Result<usize>) -> io::Result<usize> {
        self.buffer.drain(..self.start);
        self.looked -= self.start;
        self.start = 0;
        let size = usize::try_from(most).unwrap_or(CHUNK).min(CHUNK);
        let old = self.buffer.len();
        self.buffer.resize(old + size, 0);
        let got = loop {
            match read(self.buffer.get_mut(old..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(old + got.as_ref().copied().unwrap_or(0).min(size));
        if size > 0 && matches!(got, Ok(0)) {
            self.ended = true;
        }
        got
    }
}

/// Bytes a line reader may read beyond the line it is asked for.
pub(crate) const READ_AHEAD: u64 = CHUNK as u64;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn lines(text: &[u8], step: usize) -> Vec<Vec<u8>> {
        let mut cutter = Cutter::default();
        let mut at = 0;
        let mut found = Vec::new();
        loop {
            if let Some(line) = cutter.line() {
                found.push(line);
            } else if cutter.has_ended() {
                return found;
            } else {
                let mut read = |into: &mut [u8]| {
                    let n = step.min(into.len()).min(text.len() - at);
                    into[..n].copy_from_slice(&text[at..at + n]);
                    at += n;
                    Ok(n)
                };
                cutter.fill(u64::MAX, &mut read).unwrap();
            }
        }
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_come() {
        for step in [1, 2, 3, 7, 100] {
            assert_eq!(lines(b"a\nbc\r\n\nlast", step), [&b"a"[..], b"bc", b"", b"last"]);
            assert_eq!(lines(b"", step), Vec::<Vec<u8>>::new());
            assert_eq!(lines(b"\n", step), [b""]);
            assert_eq!(lines(b"x\r", step), [b"x\r"]);
        }
    }
}
