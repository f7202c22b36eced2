//! `--ask`: a denied call of the script is put to the operator, on the terminal, with the smallest grant that would allow it.
//!
//! What can't be shown whole and plain is not asked about, and stays denied: a name that is cut or has a character in it that a terminal obeys
//! could be taken for another. What is granted was opened before the question, so that it is what the question named.

use crate::args::Run;
use crate::hint::{folder, net_rule};
use crate::quantity::DirSpec;
use crate::report::clean::clean;
use crate::widen;
use ilu::host::ask::{can_ask, question, real};
use ilu::host::{self, Folder, Granted};
use ilu_cap::{GrantKind, NativeId, by_name};
use ilu_sbx::denial::shell_word;
use ilu_sbx::path::{GuestPath, GuestPrefix};
use ilu_sbx::{Access, Addition, Answer, Denial, Mount, Opened, Operator, Rule};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

/// Longest name that is asked about, in bytes.
const MAX_NAME: usize = 300;
/// Questions in one run: who asks more often wears its operator down.
const MAX_QUESTIONS: usize = 30;

/// Asks on the terminal.
pub struct Asker {
    dirs: Vec<DirSpec>,
    /// What the script must not be able to write: its own folder, and what we write.
    kept: Vec<PathBuf>,
    interrupt: Arc<AtomicBool>,
    /// How many questions are left; none after `never`.
    left: Mutex<usize>,
}

/// What would allow a call, opened, and in words.
struct Offer {
    addition: Addition,
    words: Vec<String>,
}

impl Asker {
    /// Nothing when there is no terminal: then nobody is asked.
    pub fn new(args: &Run, folder: Option<&Folder>, interrupt: Arc<AtomicBool>) -> Option<Asker> {
        if !can_ask() {
            return None;
        }
        let ours = [&args.grants.audit, &args.grants.report, &args.grants.config];
        let mut kept: Vec<PathBuf> = ours.into_iter().flatten().filter_map(|path| real(path)).collect();
        kept.extend(folder.map(|folder| folder.real.clone()));
        Some(Asker { dirs: args.grants.dir.clone(), kept, interrupt, left: Mutex::new(MAX_QUESTIONS) })
    }

    /// The smallest addition that would allow the call; nothing when there is none, or it can't be told plainly.
    fn offer(&self, denied: &Denial, native: NativeId) -> Option<Offer> {
        let mut offer = Offer { addition: Addition::default(), words: Vec::new() };
        let row = native.row();
        let last = denied.on.last().map(String::as_str);
        if denied.rule == Rule::NotHeld {
            offer.addition.natives.push(native);
            offer.words.push(format!("--grant {}", row.name));
        }
        match (&denied.rule, row.grant) {
            (Rule::NotHeld, GrantKind::DirRead) => self.directory(&mut offer, last?, false)?,
            (Rule::NotHeld, GrantKind::DirWrite) => self.directory(&mut offer, last?, true)?,
            (Rule::NotHeld, GrantKind::Env) => variable(&mut offer, last?)?,
            (Rule::NotHeld, GrantKind::Net) => network(&mut offer, last?)?,
            (Rule::NotHeld, _) => {}
            (Rule::NoGrant, _) => {
                // The doorway says what was wanted there.
                let writes = denied.grant.as_ref().is_some_and(|hint| hint.trim_end_matches('\'').ends_with(":rw"));
                self.directory(&mut offer, last?, writes)?;
            }
            (Rule::ReadOnly(_), _) => self.directory(&mut offer, last?, true)?,
            (Rule::NoVariable, _) => variable(&mut offer, last?)?,
            (Rule::NoConnection | Rule::SpecialAddress(_), _) => network(&mut offer, last?)?,
            _ => return None,
        }
        Some(offer)
    }

    /// A file or directory to read, or the directory in which something is to be written.
    fn directory(&self, offer: &mut Offer, path: &str, writes: bool) -> Option<()> {
        if path.split('/').any(|part| part == "..") {
            return None;
        }
        let covering = self.dirs.iter().filter_map(|spec| {
            let prefix = GuestPrefix::new(GuestPath::new(&spec.guest).ok()?);
            let rest = GuestPath::new(path).ok()?.below(&prefix)?;
            Some((prefix.len(), spec, rest))
        });
        let covering = covering.max_by_key(|(length, _, _)| *length);
        if covering.as_ref().is_some_and(|(_, spec, _)| spec.writable || !writes) {
            // The place is granted; only the native was missing.
            return Some(());
        }
        if covering.is_none() && !path.starts_with('/') && !self.dirs.is_empty() {
            // It means a place in the script's own current directory, which is not ours.
            return None;
        }
        let guest = if writes { folder(path) } else { path };
        // Below a directory that is granted to be read, the place is where that one has it.
        let place = match covering {
            Some((_, spec, ".")) => spec.host.clone(),
            Some((_, spec, rest)) => format!("{}/{}", spec.host, if writes { folder(rest) } else { rest }),
            None => guest.to_owned(),
        };
        let guest = if covering.is_some_and(|(_, _, rest)| rest == ".") { path } else { guest };
        let granted = host::open(&place).ok()?;
        if writes && (host::apart_from_trust(&place, &granted).is_err() || self.kept.iter().any(|kept| touches(kept, &granted))) {
            return None;
        }
        if writes && matches!(granted, Granted::File { .. }) && guest != path {
            return None;
        }
        let really = plain(granted.real().to_str()?)?;
        let spec = DirSpec { host: plain(&place)?, guest: plain(guest)?, writable: writes };
        offer.words.push(format!("{}\n             which is {really}", widen::text(&spec)));
        let opened = match granted {
            Granted::Dir { dir, .. } => Opened::Dir(dir),
            Granted::File { parent, name, .. } => Opened::File { parent, name },
        };
        let access = if writes { Access::ReadWrite } else { Access::Read };
        offer.addition.mounts.push(Mount { guest: spec.guest, opened, access });
        Some(())
    }
}

fn touches(kept: &std::path::Path, granted: &Granted) -> bool {
    kept.starts_with(granted.real()) || granted.real().starts_with(kept)
}

fn variable(offer: &mut Offer, name: &str) -> Option<()> {
    let value = host::variable(name).ok()?;
    offer.words.push(format!("--env {}", plain(name)?));
    offer.addition.env.push((name.to_owned(), value));
    Some(())
}

/// A rule for the host and port that a call is about, and for nothing else.
fn network(offer: &mut Offer, on: &str) -> Option<()> {
    let rule = net_rule(on)?.to_string();
    offer.words.push(format!("--net {}", plain(&shell_word(&rule))?));
    offer.addition.net.push(rule);
    Some(())
}

/// A name, when all of it can be shown as it is.
fn plain(name: &str) -> Option<String> {
    let as_it_is = name.len() <= MAX_NAME && clean(name) == name && !name.starts_with(' ') && !name.ends_with(' ') && !name.contains("  ");
    as_it_is.then(|| name.to_owned())
}

impl Operator for Asker {
    fn ask(&self, denied: &Denial) -> Answer {
        // One question at a time, whichever task asks.
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(rest) = left.checked_sub(1) else { return Answer::No };
        let Some(native) = by_name(denied.native) else { return Answer::No };
        let on: Option<Vec<String>> = denied.on.iter().map(|on| plain(on)).collect();
        let (Some(on), Some(file)) = (on, plain(&denied.file)) else { return Answer::No };
        let Some(offer) = self.offer(denied, native) else { return Answer::No };
        *left = rest;
        let on: Vec<String> = on.iter().map(|on| format!("{on:?}")).collect();
        let text = format!(
            "--- ilu asks: {file}:{} wants {} {}\n    it needs {}\n    [o]nce, for this [r]un, [n]ever ask again; anything else is no > ",
            denied.line,
            denied.native,
            on.join(", "),
            offer.words.join("\n    and      ")
        );
        match question(&text, &self.interrupt).as_deref() {
            Some("o" | "once") => Answer::Once(offer.addition),
            Some("r" | "run") => Answer::Run(offer.addition),
            Some("n" | "never") => {
                *left = 0;
                Answer::No
            }
            _ => Answer::No,
        }
    }
}
