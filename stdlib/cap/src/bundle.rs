//! Bundles: named lists of capabilities, and lists of them as text.

use crate::registry::{NativeId, Unknown, by_name, near};
use crate::set::CapSet;
use crate::table::NATIVES;

/// A named list of capabilities. Its order is part of its contract.
#[derive(Clone, Copy, Debug)]
pub struct Bundle {
    /// Flat name: `capfs`.
    pub name: &'static str,
    /// Name as a field of `cap`: `fs`.
    pub field: &'static str,
    /// What it is for, in one line.
    pub doc: &'static str,
    parts: &'static [&'static [&'static str]],
}

impl Bundle {
    /// Canonical names of its natives, in order, each once.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for name in self.parts.iter().copied().flatten() {
            if !names.contains(name) {
                names.push(*name);
            }
        }
        names
    }

    /// The same as a set.
    #[must_use]
    pub fn set(&self) -> CapSet {
        self.names().into_iter().filter_map(by_name).collect()
    }
}

type Part = &'static [&'static str];

const EXEC: Part = &["__os_run"];
const HTTP: Part = &["__sys_http_get", "__sys_http_post", "__sys_http_put", "__sys_http_patch", "__sys_http_delete"];
const TCP: Part = &["__sys_tcp_dial", "__sys_tcp_connect", "__sys_tcp_send", "__sys_tcp_recv", "__sys_tcp_close"];
const FS_READ: Part = &["__sys_read_file", "__sys_read_dir", "__sys_stat", "__sys_exists", "__sys_open_read"];
const WRITE_FILE: Part = &["__sys_write_file"];
const TIME: Part = &["__sys_time"];
const CHANNEL: Part = &["__sys_chan_new", "__sys_chan_send", "__sys_chan_recv", "__sys_chan_close"];
const TASK: Part = &["__sys_spawn", "__sys_wait"];
const OBSERVE: Part = &["__obs_log", "__obs_span_begin", "__obs_span_end"];
const STDOUT: Part = &["__sys_stdout"];

const fn row(name: &'static str, field: &'static str, parts: &'static [Part], doc: &'static str) -> Bundle {
    Bundle { name, field, doc, parts }
}

/// Every bundle, in the order of the documentation.
pub const BUNDLES: &[Bundle] = &[
    row("capex", "ex", &[EXEC], "run programs: with no other layer this is the host's whole authority"),
    row("capht", "ht", &[HTTP], "HTTP requests"),
    row("captc", "tc", &[TCP], "TCP connections as a client"),
    row("capfsro", "fsro", &[FS_READ], "read files and directories"),
    row("capfs", "fs", &[FS_READ, WRITE_FILE], "read files and directories, write files"),
    row("capfsrwt", "fsrwt", &[FS_READ, WRITE_FILE, TIME], "capfs and the time"),
    row("capch", "ch", &[CHANNEL], "channels"),
    row("capsp", "sp", &[TASK], "tasks"),
    row("capai", "ai", &[&["__sys_getenv", "__sys_write_file", "__sys_remove", "__os_run", "__sys_time"]], "what agents' tools ask for"),
    row("capne", "ne", &[HTTP, TCP], "network as a client"),
    row("capob", "ob", &[OBSERVE], "log lines and spans"),
    row("cappr", "pr", &[&["__sys_argv", "__sys_getenv"]], "arguments and environment"),
    row("capde", "de", &[FS_READ, WRITE_FILE, TIME, HTTP, TCP, CHANNEL], "the default: files, time, network, channels"),
    row(
        "captr",
        "tr",
        &[FS_READ, WRITE_FILE, TIME, HTTP, TCP, CHANNEL, TASK, EXEC, OBSERVE],
        "trusted code: the default and tasks, programs, log",
    ),
    row("captime", "time", &[TIME], "the time"),
    row("capstdout", "stdout", &[STDOUT], "standard output"),
    row("capio", "io", &[STDOUT, &["__sys_stderr", "__sys_stdin"]], "standard output, error and input"),
    row("captm", "tm", &[&["__sys_time", "__sys_mono", "__sys_sleep"]], "both clocks and waiting"),
    row("capfm", "fm", &[&["__sys_mkdir", "__sys_remove", "__sys_rename", "__sys_copy", "__sys_symlink"]], "manage files and directories"),
    row(
        "capsv",
        "sv",
        &[&["__sys_tcp_listen", "__sys_tcp_accept", "__sys_http_serve", "__sys_http_take", "__sys_http_reply", "__sys_http_stop"]],
        "serve",
    ),
    row("capdn", "dn", &[&["__sys_dns"]], "look names up"),
    row("caprn", "rn", &[&["__sys_random"]], "random bytes"),
    Bundle { name: "capall", field: "all", doc: "every native there is", parts: &[&ALL] },
];

const ALL: [&str; NATIVES.len()] = {
    let mut names = [""; NATIVES.len()];
    let mut n = 0;
    while n < names.len() {
        names[n] = NATIVES[n].name;
        n += 1;
    }
    names
};

/// The bundle of a flat name.
#[must_use]
pub fn bundle(name: &str) -> Option<&'static Bundle> {
    BUNDLES.iter().find(|bundle| bundle.name == name)
}

/// What one item of a list names: a native, an alias of one, or a bundle.
///
/// # Errors
/// The name is neither; the error has the nearest one that is.
pub fn lookup(name: &str) -> Result<CapSet, Unknown> {
    if let Some(id) = by_name(name) {
        return Ok(std::iter::once(id).collect());
    }
    if let Some(bundle) = bundle(name) {
        return Ok(bundle.set());
    }
    let known = NATIVES.iter().flat_map(|row| std::iter::once(row.name).chain(row.aliases.iter().copied()));
    Err(Unknown::new(name, near(name, known.chain(BUNDLES.iter().map(|bundle| bundle.name)))))
}

/// Reads a list such as `capde,capio,__sys_getenv`. There are no wildcards, and an empty item of a list is an error like any other
/// unknown name: a typing slip must never widen what was granted. The empty text alone is the empty set.
///
/// # Errors
/// The first item that names nothing.
pub fn parse_list(text: &str) -> Result<CapSet, Unknown> {
    // Empty means nothing, never "unrestricted"; it is how a script is started with no capability at all.
    if text.is_empty() {
        return Ok(CapSet::EMPTY);
    }
    text.split(',').try_fold(CapSet::EMPTY, |set, item| Ok(set.union(lookup(item)?)))
}

/// Natives by canonical names or aliases, bundles not among them: what `sbxmk` takes.
///
/// # Errors
/// The first name that is not a native's.
pub fn natives<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<CapSet, Unknown> {
    names
        .into_iter()
        .map(|name| by_name(name).ok_or_else(|| Unknown::new(name, crate::registry::nearest(name))))
        .collect::<Result<Vec<NativeId>, Unknown>>()
        .map(|ids| ids.into_iter().collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn every_bundle_is_as_documented() {
        let mut text = String::new();
        for bundle in BUNDLES {
            text += &format!("{}: {}\n", bundle.name, bundle.names().join(" "));
        }
        assert_eq!(text, include_str!("bundles.golden"));
    }

    #[test]
    fn every_name_in_a_bundle_is_a_canonical_one() {
        for bundle in BUNDLES {
            for name in bundle.names() {
                assert_eq!(by_name(name).unwrap().name(), name, "{}", bundle.name);
            }
            assert_eq!(bundle.set().len(), bundle.names().len());
            assert_eq!(format!("cap{}", bundle.field), bundle.name);
        }
        assert_eq!(bundle("capall").unwrap().set(), CapSet::all());
    }

    #[test]
    fn bundles_hold_what_they_must_not_grow_beyond() {
        let manage = bundle("capfm").unwrap().set().union(natives(["__sys_write_file"]).unwrap());
        assert!(bundle("capfsro").unwrap().set().intersection(manage).is_empty());
        assert!(bundle("capne").unwrap().set().intersection(bundle("capsv").unwrap().set()).is_empty());
        let exec = natives(["__os_run"]).unwrap();
        for row in BUNDLES {
            let expected = ["capex", "capai", "captr", "capall"].contains(&row.name);
            assert_eq!(exec.is_subset(row.set()), expected, "{}", row.name);
        }
    }

    #[test]
    fn a_list_is_read_exactly_or_not_at_all() {
        assert_eq!(parse_list("__sys_env,capstdout").unwrap().names(), ["__sys_stdout", "__sys_getenv"]);
        assert_eq!(parse_list("").unwrap(), CapSet::EMPTY);
        for wrong in [",", "capde,", "capde, capio", "*", "__sys_*", "CAPDE", "capde\0", " capde", "__os_run\n", "cap"] {
            assert!(parse_list(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(parse_list("capde,capoi").unwrap_err().to_string(), "unknown capability `capoi` (did you mean `capio`?)");
        assert!(natives(["capde"]).is_err(), "a bundle is not a native");
        assert!(natives([]).unwrap().is_empty());
    }
}
