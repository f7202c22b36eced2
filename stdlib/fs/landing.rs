//! A file that is written beside its name and takes it when it is complete: a reader sees the old content or the new, never a part.

use super::open::{FILE_MODE, Mode, ordinary, regular};
use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt};
use ilu_sbx::{Permit, Place, Stop};
use std::fmt::Write as _;
use std::io::{self, Write};

/// A file on its way. Dropped before it was kept, it leaves nothing behind.
pub struct Landing {
    file: File,
    /// Where it goes, when it does not stand there already.
    pending: Option<Pending>,
}

struct Pending {
    dir: Dir,
    temporary: String,
    name: String,
}

impl Landing {
    /// Begins a file that is to take the place's name. A link of that name is replaced, not followed.
    pub fn beside(permit: &mut Permit<'_>, place: &Place) -> Result<Landing, Stop> {
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
        Ok(Landing { file, pending: Some(Pending { dir, temporary, name: name.to_owned() }) })
    }

    /// The same, but where only the file itself is granted it is written in place.
    pub fn begin(permit: &mut Permit<'_>, place: &Place) -> Result<Landing, Stop> {
        if !place.is_single() {
            return Landing::beside(permit, place);
        }
        let (file, _) = regular(permit, place, Mode::Replace)?;
        file.set_len(0).map_err(|error| permit.os_error(place, &error))?;
        Ok(Landing { file, pending: None })
    }

    /// Writes more of it.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Waits until what was written is on the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// It is complete: it takes its name.
    pub fn keep(mut self) -> io::Result<()> {
        let Some(Pending { dir, temporary, name }) = self.pending.take() else { return Ok(()) };
        let renamed = dir.rename(&temporary, &dir, name);
        if renamed.is_err() {
            self.pending = Some(Pending { dir, temporary, name: String::new() });
        }
        renamed
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        if let Some(Pending { dir, temporary, .. }) = &self.pending {
            // The name is this call's own; what it holds is not wanted by anybody.
            let _ = dir.remove_file(temporary);
        }
    }
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
