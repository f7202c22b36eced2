//! What a run wrote, kept instead of shown.

use std::io;
use std::sync::{Mutex, PoisonError};

/// Most bytes that are kept; the rest is counted only.
const MOST: usize = 64 << 10;

/// The two streams of a run as one text, in the order in which they were written.
#[derive(Debug, Default)]
pub struct Captured(Mutex<(Vec<u8>, u64)>);

impl Captured {
    pub(super) fn take(&self, bytes: &[u8]) -> io::Result<()> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST - kept.0.len().min(MOST);
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        kept.0.extend_from_slice(first);
        kept.1 += rest.len() as u64;
        Ok(())
    }

    /// As text, with a last line that says how much was left out.
    #[must_use]
    pub fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::from_utf8_lossy(&kept.0).into_owned();
        if kept.1 > 0 {
            text.push_str(&format!("\n… and {} bytes more", kept.1));
        }
        text
    }
}
