//! The native that writes files.

use super::open::{FILE_MODE, Mode, ordinary, regular};
use super::read::{PIECE, text_arg};
use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt};
use ilu_sbx::{Arg, Options, Permit, Place, Plain, Stop};
use std::fmt::Write as _;
use std::io::{self, Write};

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

/// Writes a new file beside the old one and puts it in its place: a reader sees the old content or the new, never a part. A link of
/// that name is replaced, not followed.
fn atomically(permit: &mut Permit<'_>, place: &Place, data: &[u8]) -> Result<(), Stop> {
    if place.is_single() {
        return Err(Stop::failed("atomic writing needs a grant of the directory, not of the file alone"));
    }
    let (parent, name) = place.path().rsplit_once('/').unwrap_or((".", place.path()));
    if matches!(name, "" | "." | "..") {
        return Err(Stop::failed("is a directory"));
    }
    let parent = if parent.is_empty() { "." } else { parent };
    let dir = place.dir().open_dir(parent).map_err(|error| permit.os_error(place, &error))?;
    ordinary(permit, &dir)?;
    if let Ok(found) = dir.symlink_metadata(name) {
        if found.is_dir() {
            return Err(Stop::failed("is a directory"));
        }
        if !found.is_file() && !found.is_symlink() {
            return Err(Stop::failed("not a regular file"));
        }
    }
    let (temporary, file) = temporary(permit, place, &dir)?;
    let done = fill(permit, file, data).and_then(|written| {
        let renamed = written.and_then(|()| dir.rename(&temporary, &dir, name));
        renamed.map_err(|error| permit.os_error(place, &error))
    });
    if done.is_err() {
        // The name is this call's own; what it holds is not wanted by anybody.
        let _ = dir.remove_file(&temporary);
    }
    done
}

fn fill(permit: &mut Permit<'_>, mut file: File, data: &[u8]) -> Result<io::Result<()>, Stop> {
    for piece in data.chunks(PIECE) {
        permit.pulse()?;
        if let Err(error) = file.write_all(piece) {
            return Ok(Err(error));
        }
    }
    Ok(file.sync_all())
}

/// Makes a file under a name nobody can have guessed.
fn temporary(permit: &mut Permit<'_>, place: &Place, dir: &Dir) -> Result<(String, File), Stop> {
    let mut random = [0u8; 16];
    permit.random(&mut random)?;
    let mut name = String::from(".ilu-");
    for byte in random {
        let _ = write!(name, "{byte:02x}");
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(FILE_MODE);
    let file = dir.open_with(&name, &options).map_err(|error| permit.os_error(place, &error))?;
    Ok((name, file))
}
