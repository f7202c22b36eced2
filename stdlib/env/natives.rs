//! The native of environment variables.

use crate::fs::read::text_arg;
use ilu_sbx::{Arg, Permit, Plain, Stop};

/// `__sys_getenv(name)`
pub fn getenv(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let value = permit.variable(text_arg(args, 0)?)?;
    Ok(value.map_or(Plain::Nil, Plain::Str))
}
