//! From grant flags to what the root sandbox holds. The host file opens, the registry names; this only says which flag means what.

use crate::args::GrantFlags;
use crate::policy;
use crate::quantity::DirSpec;
use ilu::Loader;
use ilu::host::child::{self, Program};
use ilu::host::{self, Folder, Granted};
use ilu_cap::{CapSet, parse_list};
use ilu_pol::net::MAX_RULES;
use ilu_sbx::{Access, Grants, Limits, Mount, Opened, Secret};
use std::path::PathBuf;

/// What every script holds: output, its arguments, the clock, channels, tasks; as a list for `--grant`.
pub const AT_FIRST: [&str; 6] = ["capstdout", "__sys_stderr", "__sys_argv", "captm", "capch", "capsp"];

/// What a network rule brings: to connect and to look names up. To listen is asked for by name.
pub const NET: [&str; 3] = ["capht", "captc", "capdn"];

/// What the flags grant, and whether the script may load files of its own.
#[derive(Debug)]
pub struct Granting {
    /// For the root sandbox.
    pub grants: Grants,
    /// Whether the script's folder lies in a place it may write, or has one in it: code is not loaded from there.
    pub folder_is_writable: bool,
    /// Where its writable grants really are.
    pub writable: Vec<PathBuf>,
    /// The programs that it may run.
    pub programs: Vec<Program>,
}

/// Answers a script whose folder it may write.
#[derive(Debug)]
pub struct NoModules;

impl Loader for NoModules {
    fn load(&mut self, _: &str) -> Result<String, String> {
        Err("the program's folder overlaps a directory that the program may write".to_string())
    }
}

/// Opens and names everything the flags grant.
///
/// # Errors
/// The first flag that can't be granted, in words for the operator.
pub fn granting(flags: &GrantFlags, argv: &[String], folder: Option<&Folder>) -> Result<Granting, String> {
    let mut grants = Grants { caps: caps(flags)?, argv: argv.to_vec(), limits: limits(flags), ..Grants::default() };
    let mut folder_is_writable = false;
    let mut writable = Vec::new();
    for spec in &flags.dir {
        let opened = host::open(&spec.host).map_err(|error| format!("--dir {error}{}", reading(spec)))?;
        if spec.writable {
            host::apart_from_trust(&spec.host, &opened).map_err(|error| format!("--dir {error}"))?;
            folder_is_writable |= folder.is_some_and(|folder| folder.overlaps(&opened));
            writable.push(opened.real().to_path_buf());
        }
        grants.mounts.push(mount(spec, opened));
    }
    grants.net = net(flags)?;
    grants.secrets = secrets(flags)?;
    // What grants something must not be the script's to change, or the next run would be granted more.
    for (flag, path) in flags.config.iter().map(|path| ("--config", path)).chain(flags.pol.iter().map(|path| ("--pol", path))) {
        host::apart(path, &writable).map_err(|error| format!("{flag} {error}"))?;
    }
    for (name, value) in &flags.env {
        let value = match value {
            Some(value) => value.clone(),
            None => host::variable(name).map_err(|error| format!("--env: {error}"))?,
        };
        // The last of two flags for one name holds, as in a shell.
        grants.env.retain(|(other, _)| other != name);
        grants.env.push((name.clone(), value));
    }
    let programs = programs(flags, &writable)?;
    grants.programs = programs.iter().map(|program| program.name.clone()).collect();
    Ok(Granting { grants, folder_is_writable, writable, programs })
}

/// Most programs of one run: each is a handle that goes with a message.
const MAX_PROGRAMS: usize = 32;

/// The programs, as the files they are now. What the script may write it can't run.
fn programs(flags: &GrantFlags, writable: &[PathBuf]) -> Result<Vec<Program>, String> {
    let mut found: Vec<Program> = Vec::new();
    for name in &flags.run {
        let program = child::find(name).map_err(|why| format!("--run {why}"))?;
        if program.lies_in(writable) {
            return Err(format!("--run {name}: it lies where the script may write, so the script could change it"));
        }
        if !found.iter().any(|known| known.name == program.name) {
            found.push(program);
        }
    }
    if found.len() > MAX_PROGRAMS {
        return Err(format!("--run: at most {MAX_PROGRAMS} programs"));
    }
    Ok(found)
}

/// Each name once, with all its hosts.
fn secrets(flags: &GrantFlags) -> Result<Vec<Secret>, String> {
    let mut names: Vec<&str> = flags.secret.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let secret = |name: &str| {
        let value = host::variable(name).map_err(|_| format!("--secret: the variable {name} is not set here, or is not UTF-8"))?;
        let hosts: Vec<String> = flags.secret.iter().filter(|(of, _)| of == name).map(|(_, host)| host.clone()).collect();
        Secret::new(name, value, &hosts).map_err(|why| format!("--secret {name}: {why}"))
    };
    names.into_iter().map(secret).collect()
}

/// The rules of the files, then those of the flags.
fn net(flags: &GrantFlags) -> Result<Vec<String>, String> {
    let mut rules = Vec::new();
    for path in &flags.pol {
        let (text, _) = host::read_config(path).map_err(|error| format!("--pol {error}"))?;
        rules.extend(policy::read(&text).map_err(|why| format!("--pol {path}: {why}"))?);
    }
    rules.extend(flags.net.iter().cloned());
    if rules.len() > MAX_RULES {
        return Err(format!("at most {MAX_RULES} network rules, got {}", rules.len()));
    }
    Ok(rules)
}

/// How a flag was read whose HOST has a colon in it: most likely its last part was meant to be an access.
fn reading(spec: &DirSpec) -> String {
    if !spec.host.contains(':') {
        return String::new();
    }
    format!("; `{}` was taken for the script's name of it: an access is `ro` or `rw`", spec.guest)
}

fn mount(spec: &DirSpec, opened: Granted) -> Mount {
    let opened = match opened {
        Granted::Dir { dir, .. } => Opened::Dir(dir),
        Granted::File { parent, name, .. } => Opened::File { parent, name },
    };
    Mount { guest: spec.guest.clone(), opened, access: if spec.writable { Access::ReadWrite } else { Access::Read } }
}

/// An exact list when there is one; else what every script holds and what the resource flags need.
pub fn caps(flags: &GrantFlags) -> Result<CapSet, String> {
    if let Some(list) = &flags.grant {
        // Exactly nothing.
        if list.is_empty() {
            return Ok(CapSet::EMPTY);
        }
        return parse_list(list).map_err(|unknown| format!("--grant: {unknown}"));
    }
    let mut list = AT_FIRST.to_vec();
    if !flags.dir.is_empty() {
        list.push("capfsro");
    }
    if flags.dir.iter().any(|spec| spec.writable) {
        list.extend(["capfs", "capfm"]);
    }
    if !flags.run.is_empty() {
        list.push("__os_run");
    }
    if !flags.env.is_empty() {
        list.push("__sys_getenv");
    }
    if !flags.secret.is_empty() {
        list.push("__sys_secret");
    }
    if !flags.net.is_empty() || !flags.pol.is_empty() {
        list.extend(NET);
    }
    parse_list(&list.join(",")).map_err(|unknown| unknown.to_string())
}

fn limits(flags: &GrantFlags) -> Limits {
    let usual = Limits::default();
    Limits {
        fuel: flags.fuel.unwrap_or(usual.fuel),
        memory: flags.mem.unwrap_or(usual.memory),
        wall_ms: flags.time.map_or(usual.wall_ms, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        output: flags.out.unwrap_or(usual.output),
        depth: flags.depth.map_or(usual.depth, |depth| u32::try_from(depth).unwrap_or(u32::MAX)),
        ..usual
    }
}
