//! Natives that make, remove and move names.

use super::open::{Mode, ordinary, regular};
use super::read::{PIECE, identity, text_arg};
use cap_fs_ext::{DirExt, MetadataExt};
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt};
use ilu_sbx::permit::is_escape;
use ilu_sbx::{Arg, Options, Permit, Place, Plain, Rule, Stop};
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};

/// Nobody but the owner looks into a directory that a script makes.
const DIR_MODE: u32 = 0o700;

/// A path without the slashes at its end, and whether it had any: then it must name a directory.
fn trimmed(place: &Place) -> (&str, bool) {
    let path = place.path().trim_end_matches('/');
    (path, path.len() != place.path().len())
}

/// The directory that holds the last name of a path, open, and that name. What is made, removed or moved is that name in that directory, so
/// what was checked of it holds: in a special filesystem names are doors into the kernel.
fn holder<'p>(permit: &mut Permit<'_>, place: &'p Place, path: &'p str) -> Result<(Dir, &'p str), Stop> {
    let (parent, name) = path.rsplit_once('/').unwrap_or((".", path));
    let dir = place.dir().open_dir(if parent.is_empty() { "." } else { parent }).map_err(|error| permit.os_error(place, &error))?;
    ordinary(permit, &dir)?;
    Ok((dir, name))
}

/// Refuses a path that ends in a slash and does not name a directory itself.
fn must_be_dir(permit: &mut Permit<'_>, place: &Place) -> Result<(), Stop> {
    let found = place.dir().symlink_metadata(trimmed(place).0).map_err(|error| permit.os_error(place, &error))?;
    if found.is_dir() { Ok(()) } else { Err(Stop::failed("not a directory")) }
}

/// `__sys_mkdir(path[, {parents}])`
pub fn mkdir(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let parents = Options::new(permit.native(), args.get(1), &["parents"])?.flag("parents")?;
    let place = permit.manage(text_arg(args, 0)?)?;
    let mut builder = DirBuilder::new();
    builder.mode(DIR_MODE);
    let (path, _) = trimmed(&place);
    if !parents {
        let (dir, name) = holder(permit, &place, path)?;
        dir.create_dir_with(name, &builder).map_err(|error| permit.os_error(&place, &error))?;
        return Ok(Plain::Nil);
    }
    // From the top down, one name at a time; each is resolved anew beneath the grant, so a link put in between leads nowhere else.
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    for end in ends {
        permit.work(10)?;
        let prefix = path.get(..end).unwrap_or(path);
        if prefix.is_empty() || prefix.ends_with('/') {
            continue;
        }
        let (dir, name) = holder(permit, &place, prefix)?;
        if let Err(error) = dir.create_dir_with(name, &builder) {
            match place.dir().metadata(prefix) {
                Ok(found) if found.is_dir() => {}
                Err(outside) if is_escape(&outside) => return Err(permit.os_error(&place, &outside)),
                _ => return Err(permit.os_error(&place, &error)),
            }
        }
    }
    Ok(Plain::Nil)
}

/// `__sys_remove(path[, {recursive}])`
pub fn remove(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let recursive = Options::new(permit.native(), args.get(1), &["recursive"])?.flag("recursive")?;
    let place = permit.manage(text_arg(args, 0)?)?;
    let (path, needs_dir) = trimmed(&place);
    if needs_dir {
        must_be_dir(permit, &place)?;
    }
    let (parent, name) = holder(permit, &place, path)?;
    let found = parent.symlink_metadata(name).map_err(|error| permit.os_error(&place, &error))?;
    if !found.is_dir() {
        parent.remove_file(name).map_err(|error| permit.os_error(&place, &error))?;
    } else if recursive {
        remove_tree(permit, &place, &parent, name.into())?;
    } else {
        parent.remove_dir(name).map_err(|error| permit.os_error(&place, &error))?;
    }
    Ok(Plain::Nil)
}

/// Directories held open on the way down; below that a directory is first moved up to the top.
const MAX_HELD: usize = 32;
/// Names looked at before what they name is removed.
const BATCH: usize = 256;

/// A directory that is being emptied.
struct Level {
    dir: Dir,
    /// Its name in the level above.
    name: OsString,
    /// Names in it that are still to be removed.
    batch: Vec<OsString>,
}

/// Empties a directory and removes it, without recursion, without following a link, and with few directories open however deep it is:
/// every step takes one name in a directory that is held open, so nothing outside can be reached by swapping names meanwhile.
fn remove_tree(permit: &mut Permit<'_>, place: &Place, parent: &Dir, name: OsString) -> Result<(), Stop> {
    let os = |permit: &mut Permit<'_>, error: io::Error| permit.os_error(place, &error);
    let top = parent.open_dir_nofollow(&name).map_err(|error| os(permit, error))?;
    let device = device(&top);
    let mut levels = vec![Level { dir: top, name, batch: Vec::new() }];
    let mut moved = 0u64;
    while let Some(mut level) = levels.pop() {
        permit.work(10)?;
        permit.pulse()?;
        if level.batch.is_empty() {
            level.batch = batch(&level.dir).map_err(|error| os(permit, error))?;
        }
        let Some(name) = level.batch.pop() else {
            let above = levels.last().map_or(parent, |above| &above.dir);
            let Level { dir, name, .. } = level;
            drop(dir);
            match above.remove_dir(&name) {
                Ok(()) => {}
                // Somebody took it away, or put something in again; what is new is looked at once more with the level above.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(os(permit, error)),
            }
            continue;
        };
        match level.dir.remove_file(&name) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if !matches!(error.kind(), ErrorKind::IsADirectory | ErrorKind::PermissionDenied) => return Err(os(permit, error)),
            Err(error) => match level.dir.open_dir_nofollow(&name) {
                Ok(dir) if self::device(&dir) != device => return Err(Stop::failed("another filesystem is mounted in it")),
                Ok(dir) if levels.len() < MAX_HELD => {
                    levels.push(level);
                    levels.push(Level { dir, name, batch: Vec::new() });
                    continue;
                }
                Ok(dir) => {
                    drop(dir);
                    let top = levels.first().map_or(&level.dir, |top| &top.dir);
                    moved = move_up(&level.dir, &name, top, moved).map_err(|error| os(permit, error))?;
                }
                Err(_) => return Err(os(permit, error)),
            },
        }
        levels.push(level);
    }
    Ok(())
}

fn device(dir: &Dir) -> Option<u64> {
    dir.dir_metadata().ok().map(|found| found.dev())
}

fn batch(dir: &Dir) -> io::Result<Vec<OsString>> {
    dir.entries()?.take(BATCH).map(|entry| entry.map(|entry| entry.file_name())).collect()
}

/// Moves a directory that lies too deep up to the top of what is being removed, under a name that is free there.
fn move_up(from: &Dir, name: &OsString, top: &Dir, moved: u64) -> io::Result<u64> {
    let mut n = moved;
    loop {
        n += 1;
        match from.rename(name, top, format!(".ilu-removed-{n}")) {
            Ok(()) => return Ok(n),
            Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(error),
        }
    }
}

/// `__sys_rename(from, to)`
pub fn rename(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let from = permit.manage(text_arg(args, 0)?)?;
    let to = permit.manage(text_arg(args, 1)?)?;
    if !from.shares_grant(&to) {
        // What is moved to another grant is seen through that one afterwards: so it must be open to view in both.
        permit.read_again(text_arg(args, 0)?)?;
        permit.read_again(text_arg(args, 1)?)?;
    }
    if trimmed(&from).1 || trimmed(&to).1 {
        must_be_dir(permit, &from)?;
    }
    let (here, old) = holder(permit, &from, trimmed(&from).0)?;
    let (there, new) = holder(permit, &to, trimmed(&to).0)?;
    here.rename(old, &there, new).map_err(|error| permit.os_error(&from, &error))?;
    Ok(Plain::Nil)
}

/// `__sys_copy(from, to)`
pub fn copy(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let from = permit.read(text_arg(args, 0)?)?;
    let to = permit.write(text_arg(args, 1)?)?;
    let (mut source, found) = regular(permit, &from, Mode::Read)?;
    let size = found.len();
    permit.charge_read(size)?;
    permit.charge_written(size)?;
    let (mut target, there) = regular(permit, &to, Mode::Append)?;
    if identity(&found) == identity(&there) {
        return Err(Stop::failed("both paths name the same file"));
    }
    target.set_len(0).map_err(|error| permit.os_error(&to, &error))?;
    let mut left = usize::try_from(size).unwrap_or(usize::MAX);
    let mut piece = vec![0; PIECE.min(left)];
    while left > 0 {
        permit.pulse()?;
        let most = piece.len().min(left);
        let got = match source.read(piece.get_mut(..most).unwrap_or_default()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.map_err(|error| permit.os_error(&from, &error))?,
        };
        if got == 0 {
            break;
        }
        target.write_all(piece.get(..got).unwrap_or_default()).map_err(|error| permit.os_error(&to, &error))?;
        left -= got;
    }
    Ok(Plain::Nil)
}

/// `__sys_symlink(target, path)`
pub fn symlink(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let target = text_arg(args, 0)?;
    let checked = ilu_sbx::path::GuestPath::new(target).map_err(|bad| Stop::failed(bad.text()))?;
    if checked.is_absolute() {
        permit.about(target);
        return Err(permit.deny(Rule::AbsoluteLink, None));
    }
    let place = permit.manage(text_arg(args, 1)?)?;
    let (dir, name) = holder(permit, &place, trimmed(&place).0)?;
    dir.symlink(target, name).map_err(|error| permit.os_error(&place, &error))?;
    Ok(Plain::Nil)
}
