//! What a script asks for when it makes a sandbox. What it gets of that is settled in `attenuate`.

use crate::attenuate::unknown;
use crate::denial::quote;
use crate::lease::Terms;
use crate::limits::{MAX_LIST, MAX_MOUNTS, MAX_NAME, MAX_PATH};
use crate::options::Options;
use crate::path::GuestPath;
use crate::plain::Arg;
use crate::stop::Stop;
use crate::view::Access;
use ilu_pol::Data;
use ilu_pol::net::{MAX_RULES, Rules};
use std::borrow::Cow;

/// One directory asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirRequest {
    /// Its name in the new sandbox.
    pub guest: String,
    /// Its path in the maker's.
    pub at: String,
    /// With which access.
    pub access: Access,
    /// For how long, and for how many paths.
    pub lease: Terms,
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
    /// Secrets.
    pub secrets: Option<Vec<String>>,
    /// Network rules, canonical, in their order.
    pub net: Option<Vec<String>>,
    /// Programs.
    pub programs: Option<Vec<String>>,
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
    /// Tasks at a time.
    pub tasks: Option<u64>,
    /// Calls of single natives.
    pub calls: Vec<(String, u64)>,
    /// Arguments to which natives are bound.
    pub args: Vec<(String, Vec<String>)>,
    /// Leases: on every call where the name is empty, on `env` or `net`, or on a native.
    pub leases: Vec<(String, Terms)>,
    /// Take what is held of what is asked, instead of refusing when something is missing.
    pub lax: bool,
}

/// The keys of one directory.
const DIR_KEYS: &[&str] = &["at", "acc", "ms", "uses"];
/// Natives that one option names.
const MAX_NAMED: usize = 128;
/// The keys of `sbxmk`'s options.
const KEYS: &[&str] = &[
    "dir", "env", "run", "secret", "net", "pol", "fuel", "mem", "ms", "out", "fds", "depth", "read", "written", "tasks", "calls", "args",
    "lease", "lax",
];
/// Keys that are documented and that nothing would enforce yet.
const LATER: &[&str] = &["log"];

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
            programs: o.get("run").map(|names| texts(names, "option run is a list of names", long_program)).transpose()?,
            env: o.get("env").map(|env| texts(env, "option env is a list of names", long_variable)).transpose()?,
            secrets: o.get("secret").map(|names| texts(names, "option secret is a list of names", long_variable)).transpose()?,
            net: net_rules(o.get("pol"), o.get("net"))?,
            fuel: o.count("fuel")?,
            memory: o.count("mem")?,
            wall_ms: o.count("ms")?,
            output: o.count("out")?,
            handles: o.count("fds")?,
            depth: o.count("depth")?,
            read: o.count("read")?,
            written: o.count("written")?,
            tasks: o.count("tasks")?,
            calls,
            args: args(o.get("args"))?,
            leases: leases(o.get("lease"))?,
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

/// Those of `pol` stand before those of `net`. An empty list allows nothing.
fn net_rules(pol: Option<&Arg<'_>>, net: Option<&Arg<'_>>) -> Result<Option<Vec<String>>, Stop> {
    if pol.is_none() && net.is_none() {
        return Ok(None);
    }
    let mut rules = Vec::new();
    for (option, list) in [("pol", pol), ("net", net)] {
        let Some(list) = list else { continue };
        let read = Rules::from_data(&data(list)).map_err(|error| wrong(format_args!("option {option}: {error}")))?;
        rules.extend(read.texts());
    }
    if rules.len() > MAX_RULES {
        return Err(wrong(format_args!("options pol and net have at most {MAX_RULES} rules together")));
    }
    Ok(Some(rules))
}

/// An argument nests no deeper than arguments do, so neither does this.
fn data<'a>(arg: &Arg<'a>) -> Data<'a> {
    match arg {
        Arg::Nil => Data::Nil,
        Arg::Bool(truth) => Data::Bool(*truth),
        Arg::Num(n) => Data::Num(*n),
        Arg::Str(text) => Data::text(text),
        Arg::List(items) => Data::List(items.iter().map(data).collect()),
        Arg::Object(fields) => Data::Object(fields.iter().map(|(key, value)| (Cow::Borrowed(*key), data(value))).collect()),
        other => Data::Other(Cow::Borrowed(other.type_name())),
    }
}

fn long_program(name: &str) -> Stop {
    wrong(format_args!("option run: {} is too long a name", quote(name)))
}

/// `{native: [names]}`
fn args(option: Option<&Arg<'_>>) -> Result<Vec<(String, Vec<String>)>, Stop> {
    let Some(option) = option else { return Ok(Vec::new()) };
    let Arg::Object(fields) = option else { return Err(wrong(format_args!("option args is an obj, got {}", option.type_name()))) };
    if fields.len() > MAX_NAMED {
        return Err(wrong(format_args!("option args names at most {MAX_NAMED} natives")));
    }
    let bound = |(name, list): &(&str, Arg<'_>)| {
        Ok(((*name).to_owned(), texts(list, "option args gives each native a list of texts", long_argument)?))
    };
    fields.iter().map(bound).collect()
}

/// `{ms, uses, env: {ms, uses}, net: {ms, uses}, native: {ms, uses}}`
fn leases(option: Option<&Arg<'_>>) -> Result<Vec<(String, Terms)>, Stop> {
    let Some(option) = option else { return Ok(Vec::new()) };
    let Arg::Object(fields) = option else { return Err(wrong(format_args!("option lease is an obj, got {}", option.type_name()))) };
    if fields.len() > MAX_NAMED {
        return Err(wrong(format_args!("option lease names at most {MAX_NAMED} natives")));
    }
    let is_term = |key: &str| matches!(key, "ms" | "uses");
    let whole: Vec<(&str, Arg<'_>)> = fields.iter().filter(|(key, _)| is_term(key)).cloned().collect();
    let mut leases = vec![(String::new(), terms(&Arg::Object(whole), &["ms", "uses"])?)];
    for (key, value) in fields.iter().filter(|(key, _)| !is_term(key)) {
        leases.push(((*key).to_owned(), terms(value, &["ms", "uses"])?));
    }
    leases.retain(|(_, terms)| !terms.is_endless());
    Ok(leases)
}

fn terms(value: &Arg<'_>, keys: &[&'static str]) -> Result<Terms, Stop> {
    let o = Options::new("sbxmk", Some(value), keys)?;
    Ok(Terms { ms: o.count("ms")?, uses: o.count("uses")? })
}

fn long_argument(name: &str) -> Stop {
    wrong(format_args!("option args: {} is too long", quote(name)))
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
    let form = || wrong(format_args!("option dir gives {} \"ro\", \"rw\", \"wo\" or {{at, acc, ms, uses}}", quote(path)));
    let access = |text: &str| Access::from_text(text).ok_or_else(form);
    match value {
        Arg::Str(text) => Ok(DirRequest { guest: path.to_owned(), at: path.to_owned(), access: access(text)?, lease: Terms::default() }),
        Arg::Object(_) => {
            let o = Options::new("sbxmk", Some(value), DIR_KEYS)?;
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
            Ok(DirRequest { guest: guest.to_owned(), at: path.to_owned(), access, lease: terms(value, DIR_KEYS)? })
        }
        _ => Err(form()),
    }
}
