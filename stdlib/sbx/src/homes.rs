//! Which sandboxes something still refers to, as a collection finds them.

use crate::ids::SbxId;

/// Places of sandboxes in a realm's table, each named or not.
#[derive(Clone, Debug, Default)]
pub struct Homes {
    words: Vec<u64>,
}

impl Homes {
    /// Names a sandbox; true when it was not named before.
    #[inline]
    pub fn keep(&mut self, s: SbxId) -> bool {
        let place = s.place();
        let bit = 1 << (place % 64);
        if self.words.len() <= place / 64 {
            self.words.resize(place / 64 + 1, 0);
        }
        match self.words.get_mut(place / 64) {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                true
            }
            _ => false,
        }
    }

    /// Was it named?
    #[must_use]
    pub fn has(&self, s: SbxId) -> bool {
        let place = s.place();
        self.words.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }
}
