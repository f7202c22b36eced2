//! Asking without doing, and learning from what is done.
//!
//! *Would a call be allowed?* is answered by the doorway itself: the native runs with its permit, and every place that a grant gives it lies
//! nowhere, so that nothing can be reached through it ([`Realm::would`]). *What does a run need?* is what its allowed calls asked for, told in
//! terms of the root's own mounts, whatever names a sandbox inside gave them ([`Observed`]).

use crate::denial::Denial;
use crate::ids::SbxId;
use crate::path::{GuestPath, GuestPrefix};
use crate::permit::{Permit, Place, is_escape};
use crate::plain::Arg;
use crate::realm::{CallSite, Realm};
use crate::request::Request;
use crate::stop::Stop;
use crate::view::{Access, Opened, Source};
use cap_std::fs::Dir;
use ilu_cap::{NativeId, by_name};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

/// What a call would come to.
#[derive(Debug)]
pub struct Foreseen {
    /// The denial, when it would be denied.
    pub denied: Option<Box<Denial>>,
    /// What it is about, as written.
    pub on: Vec<String>,
    /// The rule that decides, as the record names it.
    pub rule: String,
    /// Why it would fail although it is allowed, as far as that follows from its arguments.
    pub fails: Option<String>,
}

/// What a run needed of what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Natives that it called, and those that sandboxes were made with.
    pub natives: BTreeSet<NativeId>,
    /// Places that it used.
    pub touches: BTreeSet<Touch>,
    /// Environment variables that it asked for.
    pub env: BTreeSet<String>,
    /// Directories that it made, as mount and path: they were not there before.
    made: BTreeSet<(usize, Vec<String>)>,
}

/// A place that must be granted: the file or directory itself, which was there before the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// Which of the root's mounts, by its number in the grants.
    pub mount: usize,
    /// The parts of the path below it; none is the mount itself.
    pub path: Vec<String>,
    /// Must it be a directory, with all below it?
    pub dir: bool,
    /// Was something changed?
    pub writes: bool,
}

/// What a realm does besides: nothing, as a rule.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    nowhere: Option<Arc<Source>>,
    given: usize,
    /// The denial of a place that leads out of its grant: a real call hears it once it acts, after all its places were named.
    leads_out: Option<Box<Denial>>,
    observed: Option<Box<Observed>>,
}

impl Watch {
    pub(crate) const fn is_idle(&self) -> bool {
        self.nowhere.is_none() && self.observed.is_none()
    }
}

/// An open file that is no directory: nothing is found below it, whatever the path.
fn nowhere() -> io::Result<Arc<Source>> {
    let file = rustix::fs::memfd_create("nowhere", rustix::fs::MemfdFlags::CLOEXEC)?;
    Ok(Arc::new(Source::new(Opened::Dir(Dir::from(file)))))
}

impl Realm {
    /// Asks the doorway about a call, and does nothing. The realm's own [`crate::Outside`] is asked for clocks, streams and entropy as in a
    /// real call: give it one that does nothing.
    ///
    /// # Errors
    /// The system gives no file that could stand for the places.
    pub fn would(&mut self, site: CallSite<'_>, native: NativeId, args: &[Arg<'_>]) -> io::Result<Foreseen> {
        self.watch = Watch { nowhere: Some(nowhere()?), ..Watch::default() };
        let result = self.call(site, native, args);
        let Watch { given, leads_out, .. } = std::mem::take(&mut self.watch);
        let event = self.tree.node(site.authority).log.rows().last();
        let (on, rule) = event.map(|event| (event.subjects.clone(), event.rule.clone())).unwrap_or_default();
        let (denied, fails) = match result {
            Err(Stop::Denied(denial)) => (Some(denial), None),
            // What comes after the places is about files that are not there.
            Err(Stop::Failed(why)) if given == 0 => (None, Some(why)),
            Err(Stop::Limit { budget, of }) => (None, Some(self.limit_text(budget, of))),
            Ok(_) | Err(_) => (leads_out, None),
        };
        Ok(Foreseen { denied, on, rule, fails })
    }

    /// From now on takes note of what is needed.
    pub fn observe(&mut self) {
        self.watch.observed = Some(Box::default());
    }

    /// What was needed since [`Realm::observe`].
    pub fn observed(&mut self) -> Option<Observed> {
        self.watch.observed.take().map(|observed| *observed)
    }

    pub(crate) fn note_native(&mut self, native: NativeId) {
        if let Some(observed) = &mut self.watch.observed {
            observed.natives.insert(native);
        }
    }

    pub(crate) fn note_variable(&mut self, name: &str) {
        if let Some(observed) = &mut self.watch.observed {
            observed.env.insert(name.to_owned());
        }
    }

    /// A sandbox was made: its maker had to hold what it was made with.
    pub(crate) fn note_request(&mut self, holder: SbxId, request: &Request) {
        let Some(observed) = &mut self.watch.observed else { return };
        if !request.lax {
            observed.natives.extend(request.caps.iter().filter_map(|name| by_name(name)));
        }
        observed.env.extend(request.env.iter().flatten().cloned());
        let view = &self.tree.node(holder).view;
        for dir in request.dirs.iter().flatten() {
            let Some((entry, rest)) = GuestPath::new(&dir.at).ok().and_then(|at| view.find(at)) else { continue };
            let below = parts(rest);
            let is_dir = match &entry.source.opened {
                Opened::File { .. } => false,
                Opened::Dir(held) => below.is_empty() || held.metadata(below.join("/")).is_ok_and(|found| found.is_dir()),
            };
            let path = [entry.source.trail.clone(), below].concat();
            observed.touches.insert(Touch { mount: entry.source.origin, path, dir: is_dir, writes: dir.access.writes() });
        }
    }
}

impl Permit<'_> {
    /// A place that a grant gave, while the realm watches: nowhere when it only asks. `through_first` is a path that names no mount.
    pub(crate) fn watched(&mut self, place: Place, want: Access, through_first: bool, follow: bool) -> Result<Place, Stop> {
        if let Some(nowhere) = self.realm.watch.nowhere.clone() {
            let found = if follow { place.dir().metadata(place.path()) } else { place.dir().symlink_metadata(place.path()) };
            if let Err(error) = found
                && is_escape(&error)
                && let Stop::Denied(denial) = self.os_error(&place, &error)
            {
                self.realm.watch.leads_out.get_or_insert(denial);
            }
            self.realm.watch.given += 1;
            return Ok(place.at(nowhere));
        }
        let makes = self.native() == "__sys_mkdir";
        if let Some(observed) = &mut self.realm.watch.observed {
            observed.touch(&place, want.writes(), through_first, makes);
        }
        Ok(place)
    }
}

/// The parts of a path that name something.
fn parts(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
}

impl Observed {
    fn touch(&mut self, place: &Place, writes: bool, through_first: bool, makes: bool) {
        let (mount, trail) = (place.source().origin, &place.source().trail);
        if place.is_single() {
            return self.add(mount, trail.clone(), false, writes);
        }
        let below = parts(place.path());
        // Where a `..` leads is the kernel's to say; and where paths start that name no mount is the mount itself.
        if through_first || below.iter().any(|part| part == "..") {
            return self.add(mount, trail.clone(), true, writes);
        }
        let there = |count: usize| {
            let path = below.get(..count).unwrap_or_default().join("/");
            place.dir().metadata(if path.is_empty() { "." } else { &path }).ok().map(|found| found.is_dir())
        };
        let full = [trail.clone(), below.clone()].concat();
        let mut depth = below.len();
        let is_file = !writes && there(depth) == Some(false);
        if is_file && !self.lies_in_made(mount, &full) {
            return self.add(mount, full, false, writes);
        }
        if writes || is_file {
            depth = depth.saturating_sub(1);
        }
        while depth > 0 && there(depth) != Some(true) {
            depth -= 1;
        }
        if makes {
            for end in trail.len() + depth + 1..=full.len() {
                self.made.insert((mount, full.get(..end).unwrap_or_default().to_vec()));
            }
        }
        let mut at = full.get(..trail.len() + depth).unwrap_or_default().to_vec();
        while !at.is_empty() && self.lies_in_made(mount, &at) {
            at.pop();
        }
        self.add(mount, at, true, writes);
    }

    fn add(&mut self, mount: usize, path: Vec<String>, dir: bool, writes: bool) {
        self.touches.insert(Touch { mount, path, dir, writes });
    }

    /// Is this, or a directory it is in, one that the run made?
    fn lies_in_made(&self, mount: usize, path: &[String]) -> bool {
        (1..=path.len()).any(|end| self.made.contains(&(mount, path.get(..end).unwrap_or_default().to_vec())))
    }
}

/// The names of a mount and of what lies below it, as a script would write it.
#[must_use]
pub fn below(guest: &str, path: &[String]) -> String {
    let prefix = GuestPath::new(guest).map_or_else(|_| guest.to_owned(), |guest| GuestPrefix::new(guest).text());
    match (prefix.as_str(), path.is_empty()) {
        (_, true) => prefix,
        (".", false) => path.join("/"),
        ("/", false) => format!("/{}", path.join("/")),
        (prefix, false) => format!("{prefix}/{}", path.join("/")),
    }
}
