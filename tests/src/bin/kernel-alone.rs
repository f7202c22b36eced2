//! The `ilu` command without its first and its third layer: what the kernel refuses when nobody else asks anything.
//!
//! Flags are read and the wall is planned as ever. Then the run is given all natives, every place of the network, and natives of files that take a
//! path to be what the system takes it for, links, `..` and all. What is refused after that is refused by the second wall alone, which the attack
//! rows hold to what it promises. Nothing of this is in the command that people use.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it stands for natives that ask nobody")]

use ilu::{Loader, Setup};
use ilu_cap::CapSet;
use ilu_pol::net::special;
use ilu_sbx::{Arg, NativeFn, Natives, Opened, Options, Permit, Plain, Stop};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What scripts call a place, and where it is.
static PLACES: OnceLock<Vec<(String, PathBuf)>> = OnceLock::new();

/// Nothing is read beyond this: a device has no end.
const MOST: u64 = 1 << 20;

type Given = Result<Plain, Stop>;

fn main() -> std::process::ExitCode {
    ilu_cli::main_with(widen)
}

fn widen(setup: &mut Setup) {
    let mut places = Vec::new();
    for mount in &setup.grants.mounts {
        let (handle, below) = match &mount.opened {
            Opened::Dir(dir) => (dir, ""),
            Opened::File { parent, name } => (parent, name.as_str()),
        };
        let link = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&handle.as_fd()));
        let Ok(real) = std::fs::read_link(link) else { continue };
        places.push((mount.guest.clone(), if below.is_empty() { real } else { real.join(below) }));
    }
    let _ = PLACES.set(places);
    setup.grants.caps = CapSet::all();
    let v4 = special::V4.iter().map(|(first, prefix, _)| format!("{first}/{prefix}:*"));
    let v6 = special::V6.iter().map(|(first, prefix, _)| format!("[{first}/{prefix}]:*"));
    setup.grants.net = ["*:*", "0.0.0.0/0:*", "[::/0]:*"].map(str::to_owned).into_iter().chain(v4).chain(v6).collect();
    if setup.loader.is_some() {
        setup.loader = Some(Box::new(AnyFile));
    }
    let standard = ilu_std::natives();
    let mut rows: Vec<(&str, NativeFn)> =
        ilu_cap::NativeId::all().filter_map(|native| Some((native.name(), standard.get(native)?))).collect();
    for (name, function) in RAW {
        rows.retain(|(other, _)| other != name);
        rows.push((name, *function));
    }
    setup.natives = Some(Natives::new(&rows));
}

/// A loader that takes a path to be what the system takes it for.
struct AnyFile;

impl Loader for AnyFile {
    fn load(&mut self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|error| error.to_string())
    }
}

const RAW: &[(&str, NativeFn)] = &[
    ("__sys_read_file", read_file),
    ("__sys_open_read", lines),
    ("__sys_read_dir", read_dir),
    ("__sys_stat", stat),
    ("__sys_exists", exists),
    ("__sys_write_file", write_file),
    ("__sys_mkdir", mkdir),
    ("__sys_remove", remove),
    ("__sys_rename", rename),
    ("__sys_copy", copy),
    ("__sys_symlink", symlink),
];

/// Where a script's path leads.
fn real(path: &str) -> PathBuf {
    let places = PLACES.get().map_or(&[][..], Vec::as_slice);
    for (guest, real) in places {
        if let Some(rest) = path.strip_prefix(guest.as_str())
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return PathBuf::from(format!("{}{rest}", real.display()));
        }
    }
    match places.first() {
        Some((_, first)) if !path.starts_with('/') => first.join(path),
        _ => PathBuf::from(path),
    }
}

fn path(args: &[Arg<'_>], n: usize) -> Result<PathBuf, Stop> {
    match args.get(n) {
        Some(Arg::Str(text)) => Ok(real(text)),
        _ => Err(Stop::failed("a str is needed")),
    }
}

fn flag(permit: &Permit<'_>, args: &[Arg<'_>], n: usize, known: &[&'static str], which: &str) -> Result<bool, Stop> {
    Options::new(permit.native(), args.get(n), known)?.flag(which)
}

fn said(error: impl Into<io::Error>) -> Stop {
    Stop::failed(match error.into().kind() {
        io::ErrorKind::NotFound => "file not found",
        io::ErrorKind::PermissionDenied => "the kernel does not permit it",
        _ => "the system says no",
    })
}

/// Opens without waiting for whoever is at the other end.
fn open(path: &Path, flags: OFlags) -> Result<File, Stop> {
    rustix::fs::openat(CWD, path, flags | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::from_raw_mode(0o644)).map(File::from).map_err(said)
}

fn content(path: &Path) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    open(path, OFlags::RDONLY)?.take(MOST).read_to_end(&mut bytes).map_err(said)?;
    Ok(bytes)
}

fn read_file(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Given {
    let bytes = flag(permit, args, 1, &["bytes", "from", "len"], "bytes")?;
    let content = content(&path(args, 0)?)?;
    if bytes {
        return Ok(Plain::Bytes(content));
    }
    String::from_utf8(content).map(Plain::Str).map_err(|_| Stop::failed("not UTF-8 text"))
}

fn lines(_: &mut Permit<'_>, args: &[Arg<'_>]) -> Given {
    let content = content(&path(args, 0)?)?;
    Ok(Plain::List(String::from_utf8_lossy(&content).lines().map(|line| Plain::Str(line.to_owned())).collect()))
}

fn read_dir(_: &mut Permit<'_>, args: &[Arg<'_>]) -> Given {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path(args, 0)?).map_err(said)? {
        names.extend(entry.map_err(said)?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(Plain::List(names.into_iter().map(Plain::Str).collect()))
}

fn look(permit: &Permit<'_>, args: &[Arg<'_>]) -> Result<Metadata, Stop> {
    let nofollow = flag(permit, args, 1, &["nofollow"], "nofollow")?;
    let path = path(args, 0)?;
    if nofollow { std::fs::symlink_metadata(path) } else { std::fs::metadata(path) }.map_err(said)
}

fn stat(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Given {
    let found = look(permit, args)?;
    let kind = if found.is_dir() { "dir" } else { "file" };
    #[allow(clippy::cast_precision_loss, reason = "sizes of small files")]
    let size = found.len() as f64;
    Ok(Plain::Object(vec![("kind".into(), Plain::Str(kind.into())), ("size".into(), Plain::Num(size))]))
}

fn exists(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Given {
    Ok(Plain::Bool(look(permit, args).is_ok()))
}

fn write_file(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Given {
    let known = ["append", "atomic", "create_new"];
    let option = |which| flag(permit, args, 2, &known, which);
    let (append, atomic, new) = (option("append")?, option("atomic")?, option("create_new")?);
    let bytes = match args.get(1) {
        Some(Arg::Str(text)) => text.as_bytes(),
        Some(Arg::Bytes(bytes)) => bytes,
        _ => return Err(Stop::failed("text or bytes")),
    };
    let at = path(args, 0)?;
    let made = OFlags::WRONLY | OFlags::CREATE;
    if atomic {
        let beside = at.with_extension("new");
        open(&beside, made | OFlags::EXCL)?.write_all(bytes).map_err(said)?;
        rustix::fs::renameat(CWD, &beside, CWD, &at).map_err(said)?;
        return Ok(Plain::Nil);
    }
    let how = if append { OFlags::APPEND } else { OFlags::TRUNC };
    let how = if new { OFlags::EXCL } else { how };
    open(&at, made | how)?.write_all(bytes).map_err(said)?;
    Ok(Plain::Nil)
}

fn mkdir(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Given {
    let parents = flag(permit, args, 1, &["parents"], "parents")?;
    let at = path(args, 0)?;
    let make = |at: &Path| rustix::fs::mkdirat(CWD, at, Mode::from_raw_mode(0o755));
    if parents && let Some(parent) = at.parent() {
        let _ = make(parent);
    }
    make(&at).map_err(said)?;
    Ok(Plain::Nil)
}

fn remove(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Given {
    let recursive = flag(permit, args, 1, &["recursive"], "recursive")?;
    remove_all(&path(args, 0)?, recursive)?;
    Ok(Plain::Nil)
}

/// Removes a file or a directory; trees of these tests are a few levels deep.
fn remove_all(at: &Path, recursive: bool) -> Result<(), Stop> {
    let mut below = vec![at.to_owned()];
    while let Some(last) = below.last().cloned() {
        let found = std::fs::symlink_metadata(&last).map_err(said)?;
        if !found.is_dir() {
            rustix::fs::unlinkat(CWD, &last, AtFlags::empty()).map_err(said)?;
            below.pop();
            continue;
        }
        match recursive.then(|| std::fs::read_dir(&last).ok()?.next()).flatten() {
            Some(entry) => below.push(entry.map_err(said)?.path()),
            None => {
                rustix::fs::unlinkat(CWD, &last, AtFlags::REMOVEDIR).map_err(said)?;
                below.pop();
            }
        }
    }
    Ok(())
}

fn rename(_: &mut Permit<'_>, args: &[Arg<'_>]) -> Given {
    rustix::fs::renameat(CWD, path(args, 0)?, CWD, path(args, 1)?).map_err(said)?;
    Ok(Plain::Nil)
}

fn copy(_: &mut Permit<'_>, args: &[Arg<'_>]) -> Given {
    let bytes = content(&path(args, 0)?)?;
    open(&path(args, 1)?, OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC)?.write_all(&bytes).map_err(said)?;
    Ok(Plain::Nil)
}

fn symlink(_: &mut Permit<'_>, args: &[Arg<'_>]) -> Given {
    let Some(Arg::Str(target)) = args.first() else { return Err(Stop::failed("a str is needed")) };
    rustix::fs::symlinkat(*target, CWD, path(args, 1)?).map_err(said)?;
    Ok(Plain::Nil)
}
