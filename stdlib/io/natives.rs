//! Natives of the standard streams.

use crate::fs::read::text;
use crate::fs::write::data_arg;
use ilu_sbx::{Arg, Options, Permit, Plain, Stop};

/// `__sys_stdout(data)`
pub fn stdout(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    permit.write_out(data_arg(args, 0)?)?;
    Ok(Plain::Nil)
}

/// `__sys_stderr(data)`
pub fn stderr(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    permit.write_err(data_arg(args, 0)?)?;
    Ok(Plain::Nil)
}

/// `__sys_stdin([{all, bytes}])`
pub fn stdin(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let options = Options::new(permit.native(), args.first(), &["all", "bytes"])?;
    let (all, bytes) = (options.flag("all")?, options.flag("bytes")?);
    match permit.read_in(all)? {
        None => Ok(Plain::Nil),
        Some(content) if bytes => Ok(Plain::Bytes(content)),
        Some(content) => text(content, 0).map(Plain::Str),
    }
}
