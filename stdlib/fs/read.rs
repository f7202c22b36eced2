//! Natives that look: file contents, names in a directory, kinds and sizes.

use super::open::{Mode, directory, look, ordinary_place, regular};
use cap_fs_ext::MetadataExt;
use cap_std::fs::{File, Metadata};
use ilu_sbx::permit::is_escape;
use ilu_sbx::{Arg, Options, Permit, Plain, Stop};
use std::io::{ErrorKind, Read, Seek, SeekFrom};

/// Bytes asked of the system at a time; between two pieces deadlines are looked at.
pub(crate) const PIECE: usize = 1 << 20;

pub(crate) fn text_arg<'a>(args: &[Arg<'a>], n: usize) -> Result<&'a str, Stop> {
    match args.get(n) {
        Some(Arg::Str(text)) => Ok(text),
        other => Err(Stop::Failed(format!("a str is needed, got {}", other.map_or("nothing", Arg::type_name)))),
    }
}

/// `__sys_read_file(path[, {bytes, from, len}])`
pub fn read_file(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let options = Options::new(permit.native(), args.get(1), &["bytes", "from", "len"])?;
    let (bytes, from, len) = (options.flag("bytes")?, options.count("from")?.unwrap_or(0), options.count("len")?);
    let place = permit.read(text_arg(args, 0)?)?;
    let (mut file, found) = regular(permit, &place, Mode::Read)?;
    // The size now is the most that is read: what another program adds meanwhile is not part of the answer.
    let most = found.len().saturating_sub(from).min(len.unwrap_or(u64::MAX));
    permit.room(most)?;
    permit.charge_read(most)?;
    if from > 0 && most > 0 {
        file.seek(SeekFrom::Start(from)).map_err(|error| permit.os_error(&place, &error))?;
    }
    let content = take(permit, &mut file, most)?.map_err(|error| permit.os_error(&place, &error))?;
    if bytes { Ok(Plain::Bytes(content)) } else { text(content, from).map(Plain::Str) }
}

/// Reads at most that many bytes.
fn take(permit: &mut Permit<'_>, file: &mut File, most: u64) -> Result<std::io::Result<Vec<u8>>, Stop> {
    let mut content = Vec::new();
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if content.try_reserve_exact(most).is_err() {
        return Err(Stop::Room(most as u64));
    }
    while content.len() < most {
        permit.pulse()?;
        let old = content.len();
        content.resize(old + PIECE.min(most - old), 0);
        let got = loop {
            match file.read(content.get_mut(old..).unwrap_or_default()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Ok(Err(error)),
                Ok(got) => break got,
            }
        };
        content.truncate(old + got);
        if got == 0 {
            break;
        }
    }
    Ok(Ok(content))
}

/// Bytes as text; `from` is where they began in the file.
pub(crate) fn text(bytes: Vec<u8>, from: u64) -> Result<String, Stop> {
    String::from_utf8(bytes).map_err(|error| {
        let at = from.saturating_add(error.utf8_error().valid_up_to() as u64);
        Stop::Failed(format!("not UTF-8 text at byte {at} (use fs.rdb)"))
    })
}

/// Bytes of a heap that one name in a list takes besides its text.
const NAME_COST: u64 = 64;

/// `__sys_read_dir(path)`: sorted by code point. Names that are not UTF-8 are left out: no path of a script could name them.
pub fn read_dir(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let place = permit.read(text_arg(args, 0)?)?;
    let dir = directory(permit, &place)?;
    let entries = dir.entries().map_err(|error| permit.os_error(&place, &error))?;
    let mut names = Vec::new();
    let mut size = 0u64;
    for (n, entry) in entries.enumerate() {
        let entry = entry.map_err(|error| permit.os_error(&place, &error))?;
        permit.work(1)?;
        if n % 1024 == 0 {
            permit.pulse()?;
        }
        if let Ok(name) = entry.file_name().into_string() {
            size += name.len() as u64 + NAME_COST;
            permit.room(size)?;
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(Plain::List(names.into_iter().map(Plain::Str).collect()))
}

/// `__sys_stat(path[, {nofollow}])` → `{kind, size, mtime}`
pub fn stat(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let nofollow = Options::new(permit.native(), args.get(1), &["nofollow"])?.flag("nofollow")?;
    let place = permit.read(text_arg(args, 0)?)?;
    let found = if nofollow { place.dir().symlink_metadata(place.path()) } else { look(&place) };
    if !found.as_ref().is_err_and(is_escape) {
        ordinary_place(permit, &place, found.as_ref().ok(), !nofollow)?;
    }
    let found = found.map_err(|error| permit.os_error(&place, &error))?;
    #[allow(clippy::cast_precision_loss, reason = "sizes and times as scripts see them")]
    Ok(Plain::Object(vec![
        ("kind".to_owned(), Plain::Str(kind(&found).to_owned())),
        ("size".to_owned(), Plain::Num(found.len() as f64)),
        ("mtime".to_owned(), Plain::Num(mtime(&found))),
    ]))
}

fn kind(found: &Metadata) -> &'static str {
    if found.is_file() {
        "file"
    } else if found.is_dir() {
        "dir"
    } else if found.is_symlink() {
        "link"
    } else {
        "other"
    }
}

/// Milliseconds since 1970; 0 for times that the system's own clock type can't hold.
fn mtime(found: &Metadata) -> f64 {
    let Ok(time) = found.modified() else { return 0.0 };
    let time = time.into_std();
    let ms = match time.duration_since(std::time::UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64() * 1000.0,
        Err(before) => before.duration().as_secs_f64() * -1000.0,
    };
    ms.floor()
}

/// `__sys_exists(path)`
pub fn exists(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let place = permit.read(text_arg(args, 0)?)?;
    let found = look(&place);
    if !found.as_ref().is_err_and(is_escape) {
        ordinary_place(permit, &place, found.as_ref().ok(), true)?;
    }
    match found {
        Ok(_) => Ok(Plain::Bool(true)),
        Err(error) if is_absence(&error) => Ok(Plain::Bool(false)),
        Err(error) => Err(permit.os_error(&place, &error)),
    }
}

/// Does an error say that nothing is there?
fn is_absence(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// `__sys_open_read(path)`
pub fn open_read(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let place = permit.read(text_arg(args, 0)?)?;
    let (file, _) = regular(permit, &place, Mode::Read)?;
    permit.open_lines(file).map(Plain::Handle)
}

/// The device and number of an open file: two handles on one file have the same.
pub(crate) fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}
