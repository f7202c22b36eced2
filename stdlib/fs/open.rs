//! How files are opened: without waiting, regular files only, and none of a special filesystem.
//!
//! A fifo would block for ever, a device may act on being opened, and a file of procfs can be the memory of this very process. All
//! of it is decided on what was opened, not on what a path named a moment before.

use cap_fs_ext::{FollowSymlinks, MetadataExt, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use ilu_sbx::{Permit, Place, Rule, Stop};
use std::os::fd::AsFd;

/// What is to be done with an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Read from its beginning.
    Read,
    /// Write it anew; it need not be there.
    Replace,
    /// Write behind what is there; it need not be there.
    Append,
    /// Write a file that must not be there.
    CreateNew,
}

/// Nobody but the owner sees what a script writes.
pub const FILE_MODE: u32 = 0o600;

/// Opens a regular file at a place.
pub fn regular(permit: &mut Permit<'_>, place: &Place, mode: Mode) -> Result<(File, Metadata), Stop> {
    // What is there is looked at first, because opening a device can do something. What was opened is looked at again below. A file
    // that must not be there yet opens nothing that is.
    match look(place) {
        _ if mode == Mode::CreateNew => {}
        Ok(found) => regular_kind(&found)?,
        Err(error) if mode != Mode::Read && error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(permit.os_error(place, &error)),
    }
    let mut options = OpenOptions::new();
    match mode {
        Mode::Read => options.read(true),
        Mode::Replace => options.write(true).create(true),
        Mode::Append => options.append(true).create(true),
        Mode::CreateNew => options.write(true).create_new(true),
    };
    if mode != Mode::Read {
        use cap_std::fs::OpenOptionsExt;
        options.mode(FILE_MODE);
    }
    options.nonblock(true);
    options.follow(if place.is_single() { FollowSymlinks::No } else { FollowSymlinks::Yes });
    let file = place.dir().open_with(place.path(), &options).map_err(|error| permit.os_error(place, &error))?;
    let found = file.metadata().map_err(|error| permit.os_error(place, &error))?;
    regular_kind(&found)?;
    ordinary(permit, &file)?;
    Ok((file, found))
}

/// Opens a directory at a place.
pub fn directory(permit: &mut Permit<'_>, place: &Place) -> Result<Dir, Stop> {
    if place.is_single() {
        return Err(Stop::failed("not a directory"));
    }
    let dir = place.dir().open_dir(place.path()).map_err(|error| permit.os_error(place, &error))?;
    ordinary(permit, &dir)?;
    Ok(dir)
}

/// What is at a place: after following links, but of a single file's grant its name only.
pub fn look(place: &Place) -> std::io::Result<Metadata> {
    if place.is_single() { place.dir().symlink_metadata(place.path()) } else { place.dir().metadata(place.path()) }
}

/// Refuses a place on a special filesystem that was only looked at: neither what is there nor that nothing is there is told.
pub fn ordinary_place(permit: &mut Permit<'_>, place: &Place, found: Option<&Metadata>, follow: bool) -> Result<(), Stop> {
    let dir = place.dir();
    ordinary(permit, dir)?;
    let base = dir.dir_metadata().map_err(|error| permit.os_error(place, &error))?.dev();
    if place.is_single() || found.is_some_and(|found| found.dev() == base) {
        // On the same filesystem as the grant.
        return Ok(());
    }
    let path = place.path().trim_end_matches('/');
    let mut at = match found {
        Some(found) if found.is_dir() => path.to_owned(),
        // What a link leads to is in a directory of its own.
        Some(_) if follow => dir.canonicalize(path).ok().and_then(|real| Some(parent(real.to_str()?).to_owned())).unwrap_or_default(),
        _ => parent(path).to_owned(),
    };
    // The nearest directory that is there says on which filesystem a name would be.
    loop {
        match dir.open_dir(if at.is_empty() { "." } else { &at }) {
            Ok(open) => return ordinary(permit, &open),
            Err(_) if at.is_empty() => return Ok(()),
            Err(_) => at = parent(&at).to_owned(),
        }
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent.trim_end_matches('/'))
}

fn regular_kind(found: &Metadata) -> Result<(), Stop> {
    if found.is_file() {
        Ok(())
    } else if found.is_dir() {
        Err(Stop::failed("is a directory"))
    } else {
        Err(Stop::failed("not a regular file"))
    }
}

/// Refuses what is open on a special filesystem.
pub fn ordinary(permit: &mut Permit<'_>, open: &impl AsFd) -> Result<(), Stop> {
    let kind = match rustix::fs::fstatfs(open) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the kernel's own number, 32 bits wide")]
        Ok(found) => special(found.f_type as u32),
        // Not to know is to refuse.
        Err(_) => Some("an unknown filesystem"),
    };
    match kind {
        None => Ok(()),
        Some(kind) => Err(permit.deny(Rule::Special(kind), None)),
    }
}

/// Filesystems whose files are doors into the kernel or into processes, by their numbers in `statfs(2)`.
const SPECIAL: &[(u32, &str)] = &[
    (0x9fa0, "procfs"),
    (0x9fa1, "openpromfs"),
    (0x6265_6572, "sysfs"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x0027_e0eb, "cgroupfs"),
    (0x6367_7270, "cgroupfs"),
    (0x7363_6673, "securityfs"),
    (0xf97c_ff8c, "selinuxfs"),
    (0x4341_5d53, "smackfs"),
    (0xcafe_4a11, "bpffs"),
    (0x6165_676c, "pstorefs"),
    (0xde5e_81e4, "efivarfs"),
    (0x1cd1, "devpts"),
    (0x6265_6570, "configfs"),
    (0x4249_4e4d, "binfmt_misc"),
    (0x6e73_6673, "nsfs"),
    (0x5049_5045, "pipefs"),
    (0x534f_434b, "sockfs"),
    (0x6573_5543, "fusectl"),
    (0x1980_0202, "mqueue"),
    (0x6759_6969, "rpc_pipefs"),
    (0x7265_7374, "resctrl"),
];

fn special(number: u32) -> Option<&'static str> {
    SPECIAL.iter().find(|(known, _)| *known == number).map(|(_, kind)| *kind)
}
