//! Natives of environment variables and of secrets.

use crate::fs::read::text_arg;
use ilu_sbx::{Arg, Permit, Plain, Stop};

/// `__sys_getenv(name)`
pub fn getenv(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let value = permit.variable(text_arg(args, 0)?)?;
    Ok(value.map_or(Plain::Nil, Plain::Str))
}

/// `__sys_secret(name)`: not its value, but something that a request can carry to the hosts it is bound to.
pub fn secret(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    permit.secret(text_arg(args, 0)?).map(Plain::Handle)
}
