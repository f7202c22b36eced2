//! The native of randomness.

use ilu_sbx::options::whole;
use ilu_sbx::{Arg, Permit, Plain, Stop};

/// Random bytes that one call gives: far more than any key or seed takes.
const MOST: u64 = 1 << 20;

/// `__sys_random(n)`
pub fn random(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let n = match args.first() {
        Some(Arg::Num(n)) => whole(*n).filter(|n| *n <= MOST),
        _ => None,
    };
    let n = n.ok_or_else(|| Stop::Failed(format!("{}: n is a whole number from 0 to {MOST}", permit.native())))?;
    permit.room(n)?;
    permit.work(n / 16)?;
    let mut bytes = vec![0; usize::try_from(n).unwrap_or(0)];
    permit.random(&mut bytes)?;
    Ok(Plain::Bytes(bytes))
}
