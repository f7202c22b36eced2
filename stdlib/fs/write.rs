//! The native that writes files.

use super::landing::Landing;
use super::open::{Mode, regular};
use super::read::{PIECE, text_arg};
use ilu_sbx::{Arg, Options, Permit, Place, Plain, Stop};
use std::io::Write;

/// `__sys_write_file(path, data[, {append, create_new, atomic}])`
pub fn write_file(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let options = Options::new(permit.native(), args.get(2), &["append", "create_new", "atomic"])?;
    let mode = match (options.flag("append")?, options.flag("create_new")?, options.flag("atomic")?) {
        (false, false, false) => Some(Mode::Replace),
        (true, false, false) => Some(Mode::Append),
        (false, true, false) => Some(Mode::CreateNew),
        (false, false, true) => None,
        _ => return Err(Stop::Failed(format!("{}: append, create_new and atomic exclude each other", permit.native()))),
    };
    let data = data_arg(args, 1)?;
    let place = permit.write(text_arg(args, 0)?)?;
    permit.charge_written(data.len() as u64)?;
    match mode {
        Some(mode) => in_place(permit, &place, mode, data)?,
        None => atomically(permit, &place, data)?,
    }
    Ok(Plain::Nil)
}

pub(crate) fn data_arg<'a>(args: &'a [Arg<'_>], n: usize) -> Result<&'a [u8], Stop> {
    match args.get(n) {
        Some(Arg::Str(text)) => Ok(text.as_bytes()),
        Some(Arg::Bytes(bytes)) => Ok(bytes),
        other => Err(Stop::Failed(format!("a str or byt is needed, got {}", other.map_or("nothing", Arg::type_name)))),
    }
}

fn in_place(permit: &mut Permit<'_>, place: &Place, mode: Mode, data: &[u8]) -> Result<(), Stop> {
    let (mut file, _) = regular(permit, place, mode)?;
    if mode == Mode::Replace {
        // Not by opening with truncation: what was opened had to be looked at first.
        file.set_len(0).map_err(|error| permit.os_error(place, &error))?;
    }
    for piece in data.chunks(PIECE) {
        permit.pulse()?;
        file.write_all(piece).map_err(|error| permit.os_error(place, &error))?;
    }
    Ok(())
}

/// Writes a new file beside the old one and puts it in its place.
fn atomically(permit: &mut Permit<'_>, place: &Place, data: &[u8]) -> Result<(), Stop> {
    let mut landing = Landing::beside(permit, place)?;
    for piece in data.chunks(PIECE) {
        permit.pulse()?;
        landing.write(piece).map_err(|error| permit.os_error(place, &error))?;
    }
    landing.sync().and_then(|()| landing.keep()).map_err(|error| permit.os_error(place, &error))
}
