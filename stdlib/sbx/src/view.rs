//! Which directories a sandbox sees, and under which names.
//!
//! A [`View`] is a list of mounts. A child's mounts are opened through its maker's, and the mounts of two sandboxes that act together
//! are opened through the wider one's: what a mount can reach is decided by the kernel, from an open directory, never by comparing
//! the text of paths. Mounts add up; a narrow one inside a wider one takes nothing away from it. Whether a mount may be had at all, and
//! with which access, is decided by [`ilu_cap::rights`]: here the directories are kept open, and opening can only refuse more.

use crate::ids::{ROOT, SbxId};
use crate::lease::Leases;
use crate::limits::{MAX_MOUNTS, MAX_OPEN_MOUNTS};
use crate::path::{GuestPath, GuestPrefix};
use cap_fs_ext::MetadataExt;
use cap_std::fs::Dir;
use ilu_cap::rights::{Dirs, Grant, Place};
use std::sync::{Arc, Weak};

pub use ilu_cap::rights::Access;

/// What a mount is on the host.
#[derive(Debug)]
pub enum Opened {
    /// A directory and all below it.
    Dir(Dir),
    /// One file: the name, in the directory. A link of that name is not followed.
    File {
        /// The directory it is in.
        parent: Dir,
        /// Its name there: one part.
        name: String,
    },
}

/// An open mount.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) opened: Opened,
}

/// One mount of a view.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) guest: GuestPrefix,
    /// Which of the root's mounts it was reached through, by which parts, and what this name of it is for.
    pub(crate) grant: Grant,
    pub(crate) source: Arc<Source>,
    /// What must still run for its use.
    pub(crate) leases: Leases,
}

impl Entry {
    fn is_dir(&self) -> bool {
        matches!(self.source.opened, Opened::Dir(_))
    }
}

/// A part of a view that is asked for under a name of its own.
#[derive(Debug)]
pub(crate) struct Asked<'v> {
    /// The mount it is named through.
    pub(crate) through: &'v Entry,
    /// What is asked for.
    pub(crate) grant: Grant,
}

/// The mounts of one sandbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    entries: Vec<Entry>,
    /// Where relative paths start that name no mount: the first directory.
    first: Option<usize>,
}

/// Directories held open for sandboxes that scripts made.
#[derive(Debug)]
pub(crate) struct OpenMounts {
    held: Vec<Weak<Source>>,
    /// How many there may be, whoever wants one more: what code inside a sandbox fills up, the root's own can still do without.
    most: usize,
}

impl Default for OpenMounts {
    fn default() -> OpenMounts {
        OpenMounts { held: Vec::new(), most: MAX_OPEN_MOUNTS }
    }
}

impl OpenMounts {
    /// For a sandbox that this one makes.
    pub(crate) fn made_by(&mut self, holder: SbxId) -> &mut OpenMounts {
        self.most = if holder == ROOT { MAX_OPEN_MOUNTS } else { MAX_OPEN_MOUNTS / 2 };
        self
    }

    /// For a meeting of sandboxes: somewhat more, for both are there already.
    pub(crate) fn of_meeting(&mut self) -> &mut OpenMounts {
        self.most = MAX_OPEN_MOUNTS / 4 * 3;
        self
    }

    fn hold(&mut self, source: Source) -> Option<Arc<Source>> {
        if self.held.len() >= self.most {
            self.held.retain(|weak| weak.strong_count() > 0);
        }
        if self.held.len() >= self.most {
            return None;
        }
        let source = Arc::new(source);
        self.held.push(Arc::downgrade(&source));
        Some(source)
    }
}

/// Bytes that a text of its own takes, its block's own included.
pub(crate) const fn weight_of(text: &str) -> usize {
    size_of::<String>() + text.len() + 24
}

/// Why a mount for a child can't be had from a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoMount {
    /// Nothing covers it.
    NotCovered,
    /// It is covered, and can't be opened: it isn't there, or leads out, or is neither file nor directory.
    CantOpen,
    /// It has `..` in it.
    Climbs,
    /// Too many are open.
    TooMany,
}

impl View {
    /// The root's view: the operator's mounts in their order.
    pub(crate) fn root(mounts: Vec<(GuestPrefix, Access, Opened)>, number: u32) -> View {
        let entry = |(root, (guest, access, opened))| {
            let grant = Grant { place: Place::root(root), access };
            Entry { guest, grant, source: Arc::new(Source { opened }), leases: Leases::default() }
        };
        let entries: Vec<Entry> = (number..).zip(mounts).map(entry).collect();
        let first = entries.iter().position(Entry::is_dir);
        View { entries, first }
    }

    /// What its mounts grant together.
    pub(crate) fn dirs(&self) -> Dirs {
        self.entries.iter().map(|entry| entry.grant.clone()).collect()
    }

    /// The guest's names of its mounts.
    pub(crate) fn names(&self) -> Vec<String> {
        self.entries.iter().map(|entry| entry.guest.text()).collect()
    }

    /// Bytes that its names take.
    pub(crate) fn weight(&self) -> usize {
        let parts = self.entries.iter().flat_map(|entry| entry.guest.parts().chain(entry.grant.place.parts().iter().map(String::as_str)));
        parts.map(weight_of).sum::<usize>()
            + self.entries.iter().map(|entry| entry.leases.weight()).sum::<usize>()
            + self.entries.len() * size_of::<Entry>()
    }

    /// Its mounts.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The guest's name of where relative paths start.
    pub(crate) fn first_name(&self) -> Option<String> {
        Some(self.entries.get(self.first?)?.guest.text())
    }

    /// How many mounts it has.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds a mount; `false` when its name is taken or there are too many.
    pub(crate) fn add(&mut self, entry: Entry) -> bool {
        if self.entries.len() >= MAX_MOUNTS || self.entries.iter().any(|old| old.guest == entry.guest) {
            return false;
        }
        if self.first.is_none() && entry.is_dir() {
            self.first = Some(self.entries.len());
        }
        self.entries.push(entry);
        true
    }

    /// Puts a mount of the operator's in: a new one, or in place of the one of its name. `false` when there are too many.
    pub(crate) fn put(&mut self, guest: GuestPrefix, root: u32, access: Access, opened: Opened) -> bool {
        let entry = Entry {
            guest,
            grant: Grant { place: Place::root(root), access },
            source: Arc::new(Source { opened }),
            leases: Leases::default(),
        };
        match self.entries.iter_mut().find(|old| old.guest == entry.guest) {
            Some(old) => {
                *old = entry;
                true
            }
            None => self.add(entry),
        }
    }

    /// The mount a path is in, and the rest of the path below it. The longest name wins; a relative path that names no mount starts
    /// at the first directory.
    pub(crate) fn find<'p>(&self, path: GuestPath<'p>) -> Option<(&Entry, &'p str)> {
        let named =
            self.entries.iter().filter_map(|entry| Some((entry, path.below(&entry.guest)?))).max_by_key(|(entry, _)| entry.guest.len());
        named.or_else(|| {
            if path.is_absolute() {
                return None;
            }
            Some((self.entries.get(self.first?)?, path.text()))
        })
    }

    /// What a path asked for by a child stands for.
    pub(crate) fn ask(&self, at: GuestPath<'_>, access: Access) -> Result<Asked<'_>, NoMount> {
        let (through, rest) = self.find(at).ok_or(NoMount::NotCovered)?;
        let place = through.grant.place.below(rest).ok_or(NoMount::Climbs)?;
        Ok(Asked { through, grant: Grant { place, access } })
    }

    /// What two sandboxes acting together see: the overlaps of their mounts. A name that would mean two things means nothing.
    pub(crate) fn meet(&self, other: &View, open: &mut OpenMounts) -> View {
        let mut view = View::default();
        let mut ambiguous: Vec<GuestPrefix> = Vec::new();
        for (n, mine) in self.entries.iter().enumerate() {
            for (m, theirs) in other.entries.iter().enumerate() {
                let Some(entries) = overlap(mine, theirs, open) else { continue };
                for entry in entries {
                    match view.entries.iter().find(|old| old.guest == entry.guest) {
                        Some(old) if same_place(old, &entry) => {}
                        Some(old) => ambiguous.push(old.guest.clone()),
                        None if view.entries.len() < MAX_MOUNTS => {
                            if self.first == Some(n) && other.first == Some(m) && view.first.is_none() {
                                view.first = Some(view.entries.len());
                            }
                            view.entries.push(entry);
                        }
                        None => {}
                    }
                }
            }
        }
        if !ambiguous.is_empty() {
            view.first = None;
            view.entries.retain(|entry| !ambiguous.contains(&entry.guest));
        }
        view
    }
}

impl Asked<'_> {
    /// Opens it for a child that will see it as `guest`.
    pub(crate) fn open(&self, guest: GuestPrefix, access: Access, open: &mut OpenMounts) -> Result<Entry, NoMount> {
        let held = &self.through.source;
        let grant = Grant { place: self.grant.place.clone(), access };
        let parts = self.through.grant.place.path_to(&grant.place).ok_or(NoMount::NotCovered)?;
        // Whoever has a part of it has its leases.
        let leases = self.through.leases.clone();
        let Some((name, parents)) = parts.split_last() else { return Ok(Entry { guest, grant, source: Arc::clone(held), leases }) };
        let Opened::Dir(dir) = &held.opened else { return Err(NoMount::CantOpen) };
        let rest = parts.join("/");
        let kind = dir.metadata(&rest).map_err(|_| NoMount::CantOpen)?;
        let opened = if kind.is_dir() {
            Opened::Dir(dir.open_dir(&rest).map_err(|_| NoMount::CantOpen)?)
        } else if kind.is_file() {
            Opened::File { parent: open_below(dir, parents).ok_or(NoMount::CantOpen)?, name: name.clone() }
        } else {
            return Err(NoMount::CantOpen);
        };
        let source = open.hold(Source { opened }).ok_or(NoMount::TooMany)?;
        Ok(Entry { guest, grant, source, leases })
    }
}

fn open_below(dir: &Dir, parts: &[String]) -> Option<Dir> {
    dir.open_dir(if parts.is_empty() { ".".to_owned() } else { parts.join("/") }).ok()
}

fn same_place(a: &Entry, b: &Entry) -> bool {
    Arc::ptr_eq(&a.source, &b.source) || (a.grant.place == b.grant.place && same_opened(&a.source.opened, &b.source.opened))
}

fn same_opened(a: &Opened, b: &Opened) -> bool {
    match (a, b) {
        (Opened::Dir(a), Opened::Dir(b)) => same_dir(a, b),
        (Opened::File { parent: a, name: left }, Opened::File { parent: b, name: right }) => left == right && same_dir(a, b),
        _ => false,
    }
}

fn same_dir(a: &Dir, b: &Dir) -> bool {
    match (a.dir_metadata(), b.dir_metadata()) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

/// What both mounts grant, opened through the wider; under the names both know it by.
fn overlap(a: &Entry, b: &Entry, open: &mut OpenMounts) -> Option<Vec<Entry>> {
    let grant = a.grant.meet(&b.grant)?;
    let leases = a.leases.and(&b.leases);
    if same_place(a, b) {
        let one = Entry { guest: a.guest.clone(), grant, source: Arc::clone(&a.source), leases };
        let two = Entry { guest: b.guest.clone(), ..one.clone() };
        return Some(if one.guest == two.guest { vec![one] } else { vec![one, two] });
    }
    let (wide, narrow) = if grant.place == b.grant.place { (a, b) } else { (b, a) };
    let parts = wide.grant.place.path_to(&grant.place)?;
    let Opened::Dir(dir) = &wide.source.opened else { return None };
    let (last, parents) = parts.split_last()?;
    // The names said so; the kernel has the last word. What is found through the wider mount must be the very same directory.
    let opened = match &narrow.source.opened {
        Opened::Dir(_) => Opened::Dir(open_below(dir, parts)?),
        Opened::File { name, .. } if last == name => Opened::File { parent: open_below(dir, parents)?, name: name.clone() },
        Opened::File { .. } => return None,
    };
    if !same_opened(&opened, &narrow.source.opened) {
        return None;
    }
    let source = open.hold(Source { opened })?;
    Some(vec![Entry { guest: narrow.guest.clone(), grant, source, leases }])
}
