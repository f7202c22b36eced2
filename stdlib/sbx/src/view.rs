//! Which directories a sandbox sees, and under which names.
//!
//! A [`View`] is a list of mounts. A child's mounts are opened through its maker's, and the mounts of two sandboxes that act together
//! are opened through the wider one's: what a mount can reach is decided by the kernel, from an open directory, never by comparing
//! the text of paths. Mounts add up; a narrow one inside a wider one takes nothing away from it.

use crate::limits::{MAX_MOUNTS, MAX_OPEN_MOUNTS};
use crate::path::{GuestPath, GuestPrefix};
use cap_fs_ext::MetadataExt;
use cap_std::fs::Dir;
use std::sync::{Arc, Weak};

/// What may be done below a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `ro`: look, but change nothing.
    Read,
    /// `rw`: look and change.
    ReadWrite,
    /// `wo`: change, but see no contents, names or sizes.
    Write,
}

impl Access {
    /// The access of a short name: `ro`, `rw`, `wo`.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Access> {
        match text {
            "ro" => Some(Access::Read),
            "rw" => Some(Access::ReadWrite),
            "wo" => Some(Access::Write),
            _ => None,
        }
    }

    /// Its short name.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Access::Read => "ro",
            Access::ReadWrite => "rw",
            Access::Write => "wo",
        }
    }

    /// May contents, names and sizes be seen?
    #[must_use]
    pub const fn reads(self) -> bool {
        matches!(self, Access::Read | Access::ReadWrite)
    }

    /// May anything be changed?
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Access::Write | Access::ReadWrite)
    }

    /// What both allow, if anything.
    #[must_use]
    pub const fn meet(self, other: Access) -> Option<Access> {
        match (self.reads() && other.reads(), self.writes() && other.writes()) {
            (true, true) => Some(Access::ReadWrite),
            (true, false) => Some(Access::Read),
            (false, true) => Some(Access::Write),
            (false, false) => None,
        }
    }

    /// Does this allow all that the other does?
    #[must_use]
    pub fn covers(self, other: Access) -> bool {
        self.meet(other) == Some(other)
    }
}

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

/// An open mount and where it came from.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) opened: Opened,
    /// Which of the root's mounts it was reached through.
    origin: usize,
    /// The parts by which it was reached from there.
    trail: Vec<String>,
}

/// One mount of a view.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) guest: GuestPrefix,
    pub(crate) access: Access,
    pub(crate) source: Arc<Source>,
}

impl Entry {
    fn is_dir(&self) -> bool {
        matches!(self.source.opened, Opened::Dir(_))
    }
}

/// The mounts of one sandbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    entries: Vec<Entry>,
    /// Where relative paths start that name no mount: the first directory.
    first: Option<usize>,
}

/// Directories held open for sandboxes that scripts made.
#[derive(Debug, Default)]
pub(crate) struct OpenMounts {
    held: Vec<Weak<Source>>,
}

impl OpenMounts {
    fn hold(&mut self, source: Source) -> Option<Arc<Source>> {
        if self.held.len() >= MAX_OPEN_MOUNTS {
            self.held.retain(|weak| weak.strong_count() > 0);
        }
        if self.held.len() >= MAX_OPEN_MOUNTS {
            return None;
        }
        let source = Arc::new(source);
        self.held.push(Arc::downgrade(&source));
        Some(source)
    }
}

/// Why a mount for a child can't be had from a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoMount {
    /// Nothing covers it.
    NotCovered,
    /// It is covered, with less access than asked for.
    LessAccess(Access),
    /// It is covered, and can't be opened: it isn't there, or leads out, or is neither file nor directory.
    CantOpen,
    /// It has `..` in it.
    Climbs,
    /// Too many are open.
    TooMany,
}

impl View {
    /// The root's view: the operator's mounts in their order.
    pub(crate) fn root(mounts: Vec<(GuestPrefix, Access, Opened)>) -> View {
        let entries: Vec<Entry> = mounts
            .into_iter()
            .enumerate()
            .map(|(origin, (guest, access, opened))| Entry {
                guest,
                access,
                source: Arc::new(Source { opened, origin, trail: Vec::new() }),
            })
            .collect();
        let first = entries.iter().position(Entry::is_dir);
        View { entries, first }
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

    /// Opens a part of this view for a child that will see it as `guest`.
    pub(crate) fn derive(&self, guest: GuestPrefix, at: GuestPath<'_>, access: Access, open: &mut OpenMounts) -> Result<Entry, NoMount> {
        let (held, rest) = self.find(at).ok_or(NoMount::NotCovered)?;
        let parts = GuestPrefix::new(GuestPath::new(rest).map_err(|_| NoMount::NotCovered)?);
        if parts.climbs() {
            return Err(NoMount::Climbs);
        }
        if !held.access.covers(access) {
            return Err(NoMount::LessAccess(held.access));
        }
        if parts.is_empty() {
            return Ok(Entry { guest, access, source: Arc::clone(&held.source) });
        }
        let rest = parts.text();
        let Opened::Dir(dir) = &held.source.opened else { return Err(NoMount::CantOpen) };
        let kind = dir.metadata(&rest).map_err(|_| NoMount::CantOpen)?;
        let opened = if kind.is_dir() {
            Opened::Dir(dir.open_dir(&rest).map_err(|_| NoMount::CantOpen)?)
        } else if kind.is_file() {
            let (parent, name) = rest.rsplit_once('/').unwrap_or((".", &rest));
            Opened::File { parent: dir.open_dir(parent).map_err(|_| NoMount::CantOpen)?, name: name.to_owned() }
        } else {
            return Err(NoMount::CantOpen);
        };
        let mut trail = held.source.trail.clone();
        trail.extend(rest.split('/').map(str::to_owned));
        let source = open.hold(Source { opened, origin: held.source.origin, trail }).ok_or(NoMount::TooMany)?;
        Ok(Entry { guest, access, source })
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
                        Some(old) if same_place(&old.source, &entry.source) => {}
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

fn same_place(a: &Arc<Source>, b: &Arc<Source>) -> bool {
    Arc::ptr_eq(a, b) || (a.origin == b.origin && a.trail == b.trail && same_opened(&a.opened, &b.opened))
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

/// The narrower of two mounts when it lies within the wider, opened through the wider; under the names both know it by.
fn overlap(a: &Entry, b: &Entry, open: &mut OpenMounts) -> Option<Vec<Entry>> {
    let access = a.access.meet(b.access)?;
    if a.source.origin != b.source.origin {
        return None;
    }
    if same_place(&a.source, &b.source) {
        let one = Entry { guest: a.guest.clone(), access, source: Arc::clone(&a.source) };
        let two = Entry { guest: b.guest.clone(), access, source: Arc::clone(&a.source) };
        return Some(if one.guest == two.guest { vec![one] } else { vec![one, two] });
    }
    let (wide, narrow) = if a.source.trail.len() < b.source.trail.len() { (a, b) } else { (b, a) };
    let suffix = narrow.source.trail.strip_prefix(wide.source.trail.as_slice())?;
    let Opened::Dir(dir) = &wide.source.opened else { return None };
    // The names said so; the kernel has the last word. What is found through the wider mount must be the very same directory.
    let opened = match &narrow.source.opened {
        Opened::Dir(_) => Opened::Dir(dir.open_dir(suffix.join("/")).ok()?),
        Opened::File { name, .. } => {
            let (last, parents) = suffix.split_last()?;
            if last != name {
                return None;
            }
            let parent = if parents.is_empty() { ".".to_owned() } else { parents.join("/") };
            Opened::File { parent: dir.open_dir(parent).ok()?, name: name.clone() }
        }
    };
    if !same_opened(&opened, &narrow.source.opened) {
        return None;
    }
    let source = open.hold(Source { opened, origin: narrow.source.origin, trail: narrow.source.trail.clone() })?;
    Some(vec![Entry { guest: narrow.guest.clone(), access, source }])
}
