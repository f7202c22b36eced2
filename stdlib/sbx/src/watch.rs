//! Asking without doing, and learning from what is done.
//!
//! *Would a call be allowed?* is answered by the doorway itself: the native runs with its permit, and every place that a grant gives it lies
//! nowhere, so that nothing can be reached through it ([`Realm::would`]). *What does a run need?* is what its allowed calls asked for, told in
//! terms of the root's own mounts, whatever names a sandbox inside gave them ([`Observed`]).

use crate::denial::{Denial, Rule};
use crate::ids::{ROOT, SbxId};
use crate::lease::Leases;
use crate::limits::Limits;
use crate::outside::Outside;
use crate::path::{GuestPath, GuestPrefix};
use crate::permit::{Permit, Place as Spot, is_escape};
use crate::plain::Arg;
use crate::realm::{CallSite, Realm};
use crate::request::Request;
use crate::run::{Run, lock};
use crate::sandbox::Holding;
use crate::stop::Stop;
use crate::view::{Access, Opened, Source, View};
use cap_std::fs::Dir;
use ilu_cap::rights::Place;
use ilu_cap::{NativeId, by_name};
use ilu_pol::net::{Host, Rule as NetRule};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

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
    /// Programs that it ran, and those that sandboxes were made with.
    pub programs: BTreeSet<String>,
    /// Secrets that it asked for.
    pub secrets: BTreeSet<String>,
    /// Network rules for the connections that it made, and those that sandboxes were made with.
    pub net: BTreeSet<String>,
    /// The most that one sandbox was made with of each budget that it named: who makes it must have as much left.
    pub asked: Asked,
    /// Where the first path of a call that moves lies: both must be in one grant.
    moved: Option<Place>,
}

/// Budgets named in requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Units of fuel.
    pub fuel: u64,
    /// Bytes of heap.
    pub memory: u64,
    /// Milliseconds.
    pub wall_ms: u64,
    /// Bytes to standard output and error.
    pub output: u64,
    /// Frames on the stack.
    pub depth: u64,
}

/// A place that must be granted: the file or directory itself, which was there before the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// Which of the root's mounts, by its number in the grants, and the parts of the path below it; none is the mount itself.
    pub place: Place,
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
}

impl Watch {
    /// Is nothing only asked?
    pub(crate) const fn is_idle(&self) -> bool {
        self.nowhere.is_none()
    }

    /// Is a call only asked about? Then it ends here: what comes after has no bearing on whether it is allowed.
    pub(crate) const fn only_asks(&mut self) -> bool {
        if self.nowhere.is_some() {
            self.given += 1;
        }
        self.nowhere.is_some()
    }
}

/// Something open that is no directory: nothing is found below it, whatever the path. Of what can be that, every run's wall lets this through.
fn nowhere() -> io::Result<Arc<Source>> {
    let file = rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC)?;
    Ok(Arc::new(Source { opened: Opened::Dir(Dir::from(file)) }))
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
        let recorder = self.run.records.recorder();
        let event = recorder.log(self.tree.node(site.authority).number).and_then(|log| log.rows().last());
        let (on, rule) = event.map(|event| (event.subjects.clone(), event.rule.to_string())).unwrap_or_default();
        drop(recorder);
        let (denied, fails) = match result {
            Err(Stop::Denied(denial)) => (Some(denial), None),
            // What comes after the places is about files that are not there.
            Err(Stop::Failed(why)) if given == 0 => (None, Some(why)),
            Err(Stop::Limit { budget, of }) => (None, Some(self.limit_text(budget, of))),
            Ok(_) | Err(_) => (leads_out, None),
        };
        Ok(Foreseen { denied, on, rule, fails })
    }

    /// Asks what a call with the authority of a sandbox would come to, while the run goes on: the doorway of a run that is made for the question,
    /// in which the same rights are held over the same places and nothing can happen. Budgets are no part of the answer. `outside` is one that
    /// does nothing.
    ///
    /// # Errors
    /// The system gives no file that could stand for the places.
    pub fn foresee(&self, s: SbxId, outside: Box<dyn Outside>, native: NativeId, args: &[Arg<'_>]) -> io::Result<Foreseen> {
        let node = self.tree.node(s);
        let late = node.leases.of(native).late(self.run.outside.mono_ms());
        let ended = if node.is_revoked() { Some(Rule::Revoked) } else { late.map(Rule::LeaseOver) };
        if let Some(rule) = ended {
            let code = rule.code().to_owned();
            let denial = Denial { native: native.name(), on: Vec::new(), rule, grant: None, retry: false, file: String::new(), line: 0 };
            return Ok(Foreseen { denied: Some(Box::new(denial)), on: Vec::new(), rule: code, fails: None });
        }
        let holding = Holding { rights: node.rights.clone(), view: node.view(), limits: Limits::none(), leases: Leases::default() };
        let variables = lock(&self.run.variables).iter().map(|(name, _)| (name.clone(), String::new())).collect();
        let run = Run::new(outside, self.run.natives.clone(), Vec::new(), variables, lock(&self.run.secrets).clone(), holding);
        let mut realm = Realm::alone(run, 0.0);
        let site = CallSite { authority: ROOT, account: realm.root_account(), file: "", line: 0, room: u64::MAX };
        realm.would(site, native, args)
    }

    /// From now on takes note of what is needed, by all isolates of the run.
    pub fn observe(&mut self) {
        *lock(&self.run.observed) = Some(Box::default());
        self.run.is_observed.store(true, Ordering::Release);
    }

    /// What was needed since [`Realm::observe`].
    pub fn observed(&mut self) -> Option<Observed> {
        self.run.is_observed.store(false, Ordering::Release);
        lock(&self.run.observed).take().map(|observed| *observed)
    }

    /// Does nobody want to know what is needed?
    pub(crate) fn is_unobserved(&self) -> bool {
        !self.run.is_observed.load(Ordering::Acquire)
    }

    fn note(&self, note: impl FnOnce(&mut Observed)) {
        if !self.is_unobserved()
            && let Some(observed) = lock(&self.run.observed).as_deref_mut()
        {
            note(observed);
        }
    }

    pub(crate) fn note_native(&self, native: NativeId) {
        self.note(|observed| {
            observed.natives.insert(native);
        });
    }

    pub(crate) fn note_variable(&self, name: &str) {
        self.note(|observed| {
            observed.env.insert(name.to_owned());
        });
    }

    pub(crate) fn note_program(&self, name: &str) {
        self.note(|observed| {
            observed.programs.insert(name.to_owned());
        });
    }

    pub(crate) fn note_secret(&self, name: &str) {
        self.note(|observed| {
            observed.secrets.insert(name.to_owned());
        });
    }

    /// A connection was allowed.
    pub(crate) fn note_net(&self, host: &Host, port: Option<u16>) {
        self.note(|observed| {
            let text = port.map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
            observed.net.insert(NetRule::from_text(&text).map_or(text, |rule| rule.to_string()));
        });
    }

    /// A sandbox was made: its maker had to hold what it was made with.
    pub(crate) fn note_request(&self, holder: SbxId, request: &Request) {
        let view = self.tree.node(holder).view();
        self.note(|observed| observed.request(&view, request));
    }
}

impl Observed {
    fn request(&mut self, view: &View, request: &Request) {
        let observed = self;
        if !request.lax {
            observed.natives.extend(request.caps.iter().filter_map(|name| by_name(name)));
        }
        observed.env.extend(request.env.iter().flatten().cloned());
        observed.programs.extend(request.programs.iter().flatten().cloned());
        observed.secrets.extend(request.secrets.iter().flatten().cloned());
        if !request.lax {
            observed.net.extend(request.net.iter().flatten().filter(|rule| !rule.starts_with('!')).cloned());
        }
        let asked = &mut observed.asked;
        for (most, named) in [
            (&mut asked.fuel, request.fuel),
            (&mut asked.memory, request.memory),
            (&mut asked.wall_ms, request.wall_ms),
            (&mut asked.output, request.output),
            (&mut asked.depth, request.depth),
        ] {
            *most = (*most).max(named.unwrap_or(0));
        }
        for dir in request.dirs.iter().flatten() {
            let Some(asked) = GuestPath::new(&dir.at).ok().and_then(|at| view.ask(at, dir.access).ok()) else { continue };
            let place = asked.grant.place;
            let is_dir = match (&asked.through.source.opened, asked.through.grant.place.path_to(&place)) {
                (Opened::File { .. }, _) => false,
                (Opened::Dir(_), None | Some([])) => true,
                (Opened::Dir(held), Some(below)) => held.metadata(below.join("/")).is_ok_and(|found| found.is_dir()),
            };
            observed.touches.insert(Touch { place, dir: is_dir, writes: dir.access.writes() });
        }
    }
}

impl Permit<'_> {
    /// A place that a grant gave, while the realm watches: nowhere when it only asks. `through_first` is a path that names no mount.
    pub(crate) fn watched(&mut self, place: Spot, base: &Place, want: Access, through_first: bool, follow: bool) -> Result<Spot, Stop> {
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
        let (moves, first) = (self.native() == "__sys_rename", self.subjects.len() == 1);
        let mut observed = lock(&self.realm.run.observed);
        if let Some(observed) = observed.as_deref_mut() {
            let at = observed.touch(&place, base, want.writes(), through_first);
            match (moves, first, observed.moved.take()) {
                (true, true, _) => observed.moved = Some(at),
                (true, false, Some(from)) => observed.shared(&from, at),
                _ => {}
            }
        }
        drop(observed);
        Ok(place)
    }
}

impl Observed {
    /// Takes note of a place that was given; `base` is where its mount lies.
    fn touch(&mut self, spot: &Spot, base: &Place, writes: bool, through_first: bool) -> Place {
        if spot.is_single() {
            return self.add(base.clone(), false, writes);
        }
        // Where a `..` leads is the kernel's to say; and where paths start that name no mount is the mount itself.
        let Some(place) = base.below(spot.path()).filter(|_| !through_first) else {
            return self.add(base.clone(), true, writes);
        };
        let below = base.path_to(&place).unwrap_or_default();
        let is_dir = |count: usize| {
            let path = below.get(..count).unwrap_or_default().join("/");
            spot.dir().metadata(if path.is_empty() { "." } else { &path }).ok().map(|found| found.is_dir())
        };
        let mut depth = below.len();
        let is_file = !writes && is_dir(depth) == Some(false);
        if is_file {
            return self.add(place, false, writes);
        }
        // What is not there yet needs the directory that it is to be in. What the run itself made lies in one that it may write.
        if writes {
            depth = depth.saturating_sub(1);
        }
        while depth > 0 && is_dir(depth) != Some(true) {
            depth -= 1;
        }
        let at = base.below(&below.get(..depth).unwrap_or_default().join("/")).unwrap_or_else(|| base.clone());
        self.add(at, true, writes)
    }

    fn add(&mut self, place: Place, dir: bool, writes: bool) -> Place {
        self.touches.insert(Touch { place: place.clone(), dir, writes });
        place
    }

    /// A file was moved from one directory to another: the directory that holds both.
    fn shared(&mut self, from: &Place, mut to: Place) {
        while !to.contains(from) && !to.parts().is_empty() {
            to = parent(&to);
        }
        if to.contains(from) {
            self.add(to, true, true);
        }
    }
}

/// The directory a place is in; of a mount, itself.
#[must_use]
pub fn parent(place: &Place) -> Place {
    let root = Place::root(place.root_number());
    let parts = place.parts();
    let above = parts.get(..parts.len().saturating_sub(1)).unwrap_or_default().join("/");
    root.below(&above).unwrap_or(root)
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
