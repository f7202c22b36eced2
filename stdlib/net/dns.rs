//! The native that looks names up.

use super::text;
use ilu_sbx::{Arg, Permit, Plain, Stop};

/// `__sys_dns(host)`: the addresses that rules allow on some port, as texts.
pub fn dns(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let found = permit.look_up(text(permit, args, 0)?)?;
    Ok(Plain::List(found.into_iter().map(|address| Plain::Str(address.to_string())).collect()))
}
