//! Would a call be allowed? Asks a realm with the grants, and does nothing.

use ilu_sbx::{Arg, CallSite, Foreseen, Grants, Outside, Realm};
use std::io;

/// A process in which nothing happens and no time passes.
pub(crate) struct Still;

impl Outside for Still {
    fn write_out(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn write_err(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn read_in(&self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
    fn wall_ms(&self) -> f64 {
        0.0
    }
    fn mono_ms(&self) -> f64 {
        0.0
    }
    fn sleep(&self, _: f64) {}
    fn interrupted(&self) -> bool {
        // So that waiting ends: there is no time for it to last.
        true
    }
    fn random(&self, into: &mut [u8]) -> io::Result<()> {
        into.fill(0);
        Ok(())
    }
}

/// What would a program that holds these grants hear if it called a native like this?
///
/// # Errors
/// The grants make no sandbox, or the system has nothing to stand for files.
pub fn would(grants: Grants, native: ilu_cap::NativeId, args: &[Arg<'_>]) -> Result<Foreseen, String> {
    let mut realm = Realm::new(grants, Box::new(Still), ilu_std::natives())?;
    let site = CallSite { authority: realm.root(), account: realm.root_account(), file: "", line: 0, room: u64::MAX };
    realm.would(site, native, args).map_err(|error| format!("this can't be asked here: {error}"))
}
