//! Natives of time.

use ilu_sbx::{Arg, Permit, Plain, Stop};

/// `__sys_time()`
pub fn time(permit: &mut Permit<'_>, _: &[Arg<'_>]) -> Result<Plain, Stop> {
    Ok(Plain::Num(permit.wall_ms().floor()))
}

/// `__sys_mono()`
pub fn mono(permit: &mut Permit<'_>, _: &[Arg<'_>]) -> Result<Plain, Stop> {
    Ok(Plain::Num(permit.mono_ms()))
}

/// `__sys_sleep(ms)`
pub fn sleep(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    match args.first() {
        Some(Arg::Num(ms)) if ms.is_finite() && *ms >= 0.0 => permit.sleep(*ms)?,
        _ => return Err(Stop::Failed(format!("{}: ms is a number from 0", permit.native()))),
    }
    Ok(Plain::Nil)
}
