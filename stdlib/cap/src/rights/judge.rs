//! The verdict on one call.

use super::Rights;
use super::access::Access;
use super::dirs::Grant;
use super::natives::Bound;
use super::net::RuleList;
use super::place::Place;
use crate::registry::{GrantKind, NativeId};

/// On what a native is called. A call with several operands is allowed when it is on each of them.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    /// Nothing that a grant decides, or nothing yet: may it be called at all?
    None,
    /// A place, which is to be seen or changed.
    Place(&'a Place, Access),
    /// Something below a mount, by a path that begins at the mount. Links on the way may lead anywhere within the mount and nowhere else,
    /// so it is the mount's whole place that is judged, and no more than what is granted *there* counts: a wider grant of a part of it,
    /// under another name, does not.
    Within(&'a Grant, Access),
    /// An environment variable.
    Variable(&'a str),
    /// A secret.
    Secret(&'a str),
    /// A program.
    Program(&'a str),
    /// A connection, by what a list of network rules says of it.
    Connection(&'a dyn Fn(&RuleList) -> bool),
}

/// Why a call is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The native is not held.
    NotHeld,
    /// The native is held, but bound to other arguments.
    Bound,
    /// No grant covers the subject.
    NotGranted,
    /// A grant covers the place, with this access only.
    LessAccess(Access),
}

impl Rights {
    /// The verdict on a call of a native on a subject.
    ///
    /// # Errors
    /// It is refused.
    pub fn judge(&self, native: NativeId, subject: &Subject<'_>) -> Result<(), Refusal> {
        if !self.natives.has(native) {
            return Err(Refusal::NotHeld);
        }
        let (subjects, bound) = (self.subjects(), self.natives.bound(native));
        let (granted, bound) = match (subject, bound) {
            (Subject::None, _) => return Ok(()),
            (Subject::Place(place, want), bound) => (enough(native, subjects.dirs.access(place), *want), within(bound, place)),
            (Subject::Within(mount, want), bound) => (enough(native, subjects.dirs.through(mount), *want), within(bound, &mount.place)),
            (Subject::Variable(name), bound) => (known(subjects.env.contains(name)), named(bound, name)),
            (Subject::Secret(name), bound) => (known(subjects.secrets.contains(name)), named(bound, name)),
            (Subject::Program(name), bound) => (known(subjects.programs.contains(name)), named(bound, name)),
            (Subject::Connection(judge), bound) => (known(subjects.net.allows(*judge)), bound.is_none()),
        };
        granted?;
        if bound { Ok(()) } else { Err(Refusal::Bound) }
    }

    /// Is a call of a native on a subject allowed?
    #[must_use]
    pub fn allows(&self, native: NativeId, subject: &Subject<'_>) -> bool {
        self.judge(native, subject).is_ok()
    }
}

/// Is what is held at a place enough for what is wanted there? A native that is declared to look only never gets to change anything.
fn enough(native: NativeId, held: Option<Access>, want: Access) -> Result<(), Refusal> {
    match held {
        None => Err(Refusal::NotGranted),
        Some(_) if want.writes() && native.row().grant == GrantKind::DirRead => Err(Refusal::LessAccess(Access::Read)),
        Some(held) if held.covers(want) => Ok(()),
        Some(held) => Err(Refusal::LessAccess(held)),
    }
}

const fn known(is: bool) -> Result<(), Refusal> {
    if is { Ok(()) } else { Err(Refusal::NotGranted) }
}

fn within(bound: Option<&Bound>, place: &Place) -> bool {
    match bound {
        None => true,
        Some(Bound::Places(places)) => places.contains(place),
        Some(Bound::Names(_)) => false,
    }
}

fn named(bound: Option<&Bound>, name: &str) -> bool {
    match bound {
        None => true,
        Some(Bound::Names(names)) => names.contains(name),
        Some(Bound::Places(_)) => false,
    }
}
