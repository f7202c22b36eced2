//! What a script asks for when it makes a sandbox, and what it gets: never more than its own sandbox holds.

use crate::denial::quote;
use crate::ids::{ROOT, SbxId};
use crate::limits::{Budget, Limits, MAX_LIST, MAX_MOUNTS, NO_LIMIT};
use crate::options::Options;
use crate::path::{GuestPath, GuestPrefix};
use crate::plain::Arg;
use crate::stop::Stop;
use crate::tree::{Holding, Tree, Variables};
use crate::view::{Access, NoMount, View};
use ilu_cap::{CapSet, NativeId, Unknown, by_name, nearest};
use std::sync::Arc;

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

fn wrong(text: impl std::fmt::Display) -> Stop {
    Stop::Failed(format!("sbxmk: {text}"))
}

impl Request {
    /// Reads the arguments of `sbxmk(caps[, opts])`. Everything is copied.
    ///
    /// # Errors
    /// An argument is not of the documented form.
    pub fn from_args(caps: &Arg<'_>, opts: Option<&Arg<'_>>) -> Result<Request, Stop> {
        let caps = texts(caps, "the capabilities are a list of names")?;
        if let Some(Arg::Object(fields)) = opts
            && let Some((key, _)) = fields.iter().find(|(key, _)| LATER.contains(key))
        {
            return Err(wrong(format_args!("option {key} is not in this build")));
        }
        let o = Options::new("sbxmk", opts, KEYS)?;
        let calls = match o.get("calls") {
            None => Vec::new(),
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
            env: o.get("env").map(|env| texts(env, "option env is a list of names")).transpose()?,
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

fn texts(arg: &Arg<'_>, what: &str) -> Result<Vec<String>, Stop> {
    let Arg::List(items) = arg else { return Err(wrong(format_args!("{what}, got {}", arg.type_name()))) };
    if items.len() > MAX_LIST {
        return Err(wrong(format_args!("{what}, at most {MAX_LIST}")));
    }
    let text = |item: &Arg<'_>| match item {
        Arg::Str(text) => Ok((*text).to_owned()),
        other => Err(wrong(format_args!("{what}, got {} in it", other.type_name()))),
    };
    items.iter().map(text).collect()
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
    let form = || wrong(format_args!("option dir gives {} \"ro\", \"rw\", \"wo\" or {{at, acc}}", quote(path)));
    let access = |text: &str| Access::from_text(text).ok_or_else(form);
    match value {
        Arg::Str(text) => Ok(DirRequest { guest: path.to_owned(), at: path.to_owned(), access: access(text)? }),
        Arg::Object(_) => {
            let o = Options::new("sbxmk", Some(value), &["at", "acc"])?;
            let guest = match o.get("at") {
                None => path,
                Some(Arg::Str(guest)) => guest,
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

/// Makes a sandbox under `holder`. Budgets are drawn from what those who pay have left, so asking for more gets the rest of it.
pub(crate) fn make(tree: &mut Tree, holder: SbxId, payers: &[SbxId], request: &Request) -> Result<SbxId, Stop> {
    let mut missing = Vec::new();
    let caps = caps(tree, holder, request, &mut missing)?;
    let env = variables(tree, holder, request, &mut missing);
    let view = view(tree, holder, request, &mut missing)?;
    if !missing.is_empty() && !request.lax {
        let more = if holder == ROOT { "; --grant, --dir and --env give a script more" } else { "" };
        let missing = missing.join(", ");
        return Err(wrong(format_args!("this sandbox does not hold {missing}{more}; with {{lax: tru}} it makes do with what is held")));
    }
    let left = |asked: Option<u64>, budget| match asked {
        None => NO_LIMIT,
        Some(n) => payers.iter().map(|s| tree.left(*s, budget)).min().unwrap_or(NO_LIMIT).min(n),
    };
    let mut calls = Vec::new();
    for (name, n) in &request.calls {
        let id = by_name(name).ok_or_else(|| unknown(name))?;
        if calls.iter().any(|(known, _)| *known == id) {
            return Err(wrong(format_args!("option calls names `{}` twice", id.name())));
        }
        calls.push((id, left(Some(*n), Budget::Calls(id))));
    }
    let limits = Limits {
        fuel: left(request.fuel, Budget::Fuel),
        memory: request.memory.unwrap_or(NO_LIMIT),
        wall_ms: request.wall_ms.unwrap_or(NO_LIMIT),
        output: left(request.output, Budget::Output),
        handles: request.handles.unwrap_or(NO_LIMIT),
        depth: request.depth.map_or(u32::MAX, |n| u32::try_from(n).unwrap_or(u32::MAX)),
        read: left(request.read, Budget::Read),
        written: left(request.written, Budget::Written),
        calls,
    };
    tree.make(holder, Holding { caps, view, env, limits }).map_err(wrong)
}

fn unknown(name: &str) -> Stop {
    wrong(Unknown::new(name, nearest(name)))
}

fn caps(tree: &Tree, holder: SbxId, request: &Request, missing: &mut Vec<String>) -> Result<CapSet, Stop> {
    let asked: Vec<NativeId> = request.caps.iter().map(|name| by_name(name).ok_or_else(|| unknown(name))).collect::<Result<_, _>>()?;
    let asked: CapSet = asked.into_iter().collect();
    let held = tree.node(holder).caps;
    missing.extend(asked.difference(held).iter().map(|id| format!("`{}`", id.name())));
    Ok(asked.intersection(held))
}

fn variables(tree: &Tree, holder: SbxId, request: &Request, missing: &mut Vec<String>) -> Variables {
    let held = &tree.node(holder).env;
    let Some(names) = &request.env else { return Arc::clone(held) };
    missing.extend(names.iter().filter(|name| !held.iter().any(|(known, _)| known == *name)).map(|name| format!("env {}", quote(name))));
    held.iter().filter(|(name, _)| names.contains(name)).cloned().collect()
}

fn view(tree: &mut Tree, holder: SbxId, request: &Request, missing: &mut Vec<String>) -> Result<Arc<View>, Stop> {
    let held = Arc::clone(&tree.node(holder).view);
    let Some(dirs) = &request.dirs else { return Ok(held) };
    let mut view = View::default();
    for dir in dirs {
        let path = |text| GuestPath::new(text).map_err(|bad| wrong(format_args!("option dir: {}", bad.text())));
        let guest = GuestPrefix::new(path(&dir.guest)?);
        if guest.climbs() {
            return Err(wrong(format_args!("option dir: {} can't have `..` in it", quote(&dir.guest))));
        }
        let (mut access, at) = (dir.access, quote(&dir.at));
        let mut found = held.derive(guest.clone(), path(&dir.at)?, access, &mut tree.open);
        if let Err(NoMount::LessAccess(less)) = found {
            missing.push(format!("{at} {} (it is {})", access.text(), less.text()));
            if let (true, Some(both)) = (request.lax, access.meet(less)) {
                access = both;
                found = held.derive(guest, path(&dir.at)?, access, &mut tree.open);
            }
        }
        match found {
            Ok(entry) => {
                if !view.add(entry) {
                    return Err(wrong(format_args!("option dir: {} twice, or too many directories", quote(&dir.guest))));
                }
            }
            Err(NoMount::LessAccess(_)) => {}
            Err(NoMount::NotCovered) => missing.push(format!("{at} {}", access.text())),
            Err(NoMount::CantOpen) => return Err(wrong(format_args!("option dir: {at} can't be opened within what this sandbox holds"))),
            Err(NoMount::Climbs) => return Err(wrong(format_args!("option dir: {at} can't have `..` in it"))),
            Err(NoMount::TooMany) => return Err(wrong("too many directories are open for sandboxes; revoke some")),
        }
    }
    Ok(Arc::new(view))
}
