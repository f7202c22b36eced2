//! What a script asks for when it makes a sandbox. What it gets of that is settled in `attenuate`.

use crate::attenuate::unknown;
use crate::denial::quote;
use crate::limits::{MAX_LIST, MAX_MOUNTS, MAX_NAME, MAX_PATH};
use crate::options::Options;
use crate::path::GuestPath;
use crate::plain::Arg;
use crate::stop::Stop;
use crate::view::Access;

/// One directory asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirRequest {
    /// Its name in the new sandbox.
    pub guest: String,
    /// Its path in the maker's.
    pub at: String,
    /// With which access.
    pub access: Access,
}

/// What is asked for. What is left out is as the maker has it; an empty list is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Natives, by name or alias.
    pub caps: Vec<String>,
    /// Directories.
    pub dirs: Option<Vec<DirRequest>>,
    /// Environment variables.
    pub env: Option<Vec<String>>,
    /// Units of fuel.
    pub fuel: Option<u64>,
    /// Bytes of heap.
    pub memory: Option<u64>,
    /// Milliseconds.
    pub wall_ms: Option<u64>,
    /// Bytes of output.
    pub output: Option<u64>,
    /// Open handles.
    pub handles: Option<u64>,
    /// Frames.
    pub depth: Option<u64>,
    /// Bytes read.
    pub read: Option<u64>,
    /// Bytes written.
    pub written: Option<u64>,
    /// Calls of single natives.
    pub calls: Vec<(String, u64)>,
    /// Take what is held of what is asked, instead of refusing when something is missing.
    pub lax: bool,
}

/// The keys of `sbxmk`'s options.
const KEYS: &[&str] = &["dir", "env", "fuel", "mem", "ms", "out", "fds", "depth", "read", "written", "calls", "lax"];
/// Keys that are documented and that nothing would enforce yet.
const LATER: &[&str] = &["net", "run", "pol", "tasks", "log"];

pub(crate) fn wrong(text: impl std::fmt::Display) -> Stop {
    Stop::Failed(format!("sbxmk: {text}"))
}

impl Request {
    /// Reads the arguments of `sbxmk(caps[, opts])`. Everything is copied.
    ///
    /// # Errors
    /// An argument is not of the documented form.
    pub fn from_args(caps: &Arg<'_>, opts: Option<&Arg<'_>>) -> Result<Request, Stop> {
        let caps = texts(caps, "the capabilities are a list of names", unknown)?;
        if let Some(Arg::Object(fields)) = opts
            && let Some((key, _)) = fields.iter().find(|(key, _)| LATER.contains(key))
        {
            return Err(wrong(format_args!("option {key} is not in this build")));
        }
        let o = Options::new("sbxmk", opts, KEYS)?;
        let calls = match o.get("calls") {
            None => Vec::new(),
            Some(Arg::Object(fields)) if fields.len() > MAX_LIST => {
                return Err(wrong(format_args!("option calls names at most {MAX_LIST} natives")));
            }
            Some(Arg::Object(fields)) => {
                let fields = fields.iter().map(|(name, n)| match n {
                    Arg::Num(n) => crate::options::whole(*n).map(|n| ((*name).to_owned(), n)),
                    _ => None,
                });
                fields.collect::<Option<Vec<_>>>().ok_or_else(|| wrong("option calls gives each native a whole number"))?
            }
            Some(other) => return Err(wrong(format_args!("option calls is an obj, got {}", other.type_name()))),
        };
        Ok(Request {
            caps,
            dirs: o.get("dir").map(dirs).transpose()?,
            env: o.get("env").map(|env| texts(env, "option env is a list of names", long_variable)).transpose()?,
            fuel: o.count("fuel")?,
            memory: o.count("mem")?,
            wall_ms: o.count("ms")?,
            output: o.count("out")?,
            handles: o.count("fds")?,
            depth: o.count("depth")?,
            read: o.count("read")?,
            written: o.count("written")?,
            calls,
            lax: o.flag("lax")?,
        })
    }
}

fn texts(arg: &Arg<'_>, what: &str, too_long: fn(&str) -> Stop) -> Result<Vec<String>, Stop> {
    let Arg::List(items) = arg else { return Err(wrong(format_args!("{what}, got {}", arg.type_name()))) };
    if items.len() > MAX_LIST {
        return Err(wrong(format_args!("{what}, at most {MAX_LIST}")));
    }
    let text = |item: &Arg<'_>| match item {
        // Each is copied, and one text may be named many times.
        Arg::Str(text) if text.len() > MAX_NAME => Err(too_long(text)),
        Arg::Str(text) => Ok((*text).to_owned()),
        other => Err(wrong(format_args!("{what}, got {} in it", other.type_name()))),
    };
    items.iter().map(text).collect()
}

fn long_variable(name: &str) -> Stop {
    wrong(format_args!("option env: {} is too long a name", quote(name)))
}

fn dirs(arg: &Arg<'_>) -> Result<Vec<DirRequest>, Stop> {
    let Arg::Object(fields) = arg else { return Err(wrong(format_args!("option dir is an obj, got {}", arg.type_name()))) };
    if fields.len() > MAX_MOUNTS {
        return Err(wrong(format_args!("option dir takes at most {MAX_MOUNTS} directories")));
    }
    fields.iter().map(|(guest, value)| dir(guest, value)).collect()
}

/// `path: access`, or `path: {at, acc}`: the path is the maker's, and the new sandbox's too unless `at` gives it another.
fn dir(path: &str, value: &Arg<'_>) -> Result<DirRequest, Stop> {
    // Looked at before it is copied.
    GuestPath::new(path).map_err(|bad| wrong(format_args!("option dir: {}", bad.text())))?;
    let form = || wrong(format_args!("option dir gives {} \"ro\", \"rw\", \"wo\" or {{at, acc}}", quote(path)));
    let access = |text: &str| Access::from_text(text).ok_or_else(form);
    match value {
        Arg::Str(text) => Ok(DirRequest { guest: path.to_owned(), at: path.to_owned(), access: access(text)? }),
        Arg::Object(_) => {
            let o = Options::new("sbxmk", Some(value), &["at", "acc"])?;
            let guest = match o.get("at") {
                None => path,
                Some(Arg::Str(guest)) if guest.len() <= MAX_PATH => guest,
                Some(_) => return Err(form()),
            };
            let access = match o.get("acc") {
                None => Access::Read,
                Some(Arg::Str(text)) => access(text)?,
                Some(_) => return Err(form()),
            };
            Ok(DirRequest { guest: guest.to_owned(), at: path.to_owned(), access })
        }
        _ => Err(form()),
    }
}
