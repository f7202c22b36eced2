//! Natives of the program itself, and of others.

pub mod run;

use ilu_sbx::{Arg, Permit, Plain, Stop};

/// `__sys_argv()`
pub fn argv(permit: &mut Permit<'_>, _: &[Arg<'_>]) -> Result<Plain, Stop> {
    Ok(Plain::List(permit.argv().iter().cloned().map(Plain::Str).collect()))
}
