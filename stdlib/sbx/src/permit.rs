//! What a native may do, for the time of one call.
//!
//! A permit is made by the doorway only, after it has decided that the call is allowed at all. The native names its subjects through
//! it; that is where grants decide, budgets are charged and the event record learns what the call was about.

use crate::account::take;
use crate::denial::{Denial, Rule, escape, quote, shell_word};
use crate::event::Cost;
use crate::handle::{LineReader, Open, Resource};
use crate::ids::{ROOT, SbxId};
use crate::lease::Leases;
use crate::limits::{Budget, MAX_HANDLES, MAX_PATH, MAX_SUBJECT};
use crate::path::GuestPath;
use crate::plain::HandleId;
use crate::realm::{CallSite, Realm};
use crate::run::lock;
use crate::stop::Stop;
use crate::view::{Access, Opened, Source};
use cap_std::fs::Dir;
use ilu_cap::rights::{Refusal, Subject};
use ilu_cap::{GrantKind, NativeId};
use rustix::io::Errno;
use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a path came to: a directory of a grant, open, and a path below it.
#[derive(Clone, Debug)]
pub struct Place {
    source: Arc<Source>,
    rest: String,
    guest: String,
}

impl Place {
    /// The directory all is relative to.
    #[must_use]
    pub fn dir(&self) -> &Dir {
        match &self.source.opened {
            Opened::Dir(dir) => dir,
            Opened::File { parent, .. } => parent,
        }
    }

    /// The path below it, never absolute; as the script wrote it, so `..` and slashes at the end are still there.
    #[must_use]
    pub fn path(&self) -> &str {
        match &self.source.opened {
            Opened::Dir(_) => &self.rest,
            Opened::File { name, .. } => name,
        }
    }

    /// The same path below another directory.
    pub(crate) fn at(self, source: Arc<Source>) -> Place {
        Place { source, ..self }
    }

    /// Is only this one name granted, so that a link of that name must not be followed?
    #[must_use]
    pub fn is_single(&self) -> bool {
        matches!(self.source.opened, Opened::File { .. })
    }

    /// The guest's name of the grant.
    #[must_use]
    pub fn grant(&self) -> &str {
        &self.guest
    }

    /// Are both in the same grant?
    #[must_use]
    pub fn shares_grant(&self, other: &Place) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
    }
}

/// One allowed call.
pub struct Permit<'r> {
    pub(crate) realm: &'r mut Realm,
    pub(crate) site: &'r CallSite<'r>,
    pub(crate) native: NativeId,
    /// Who pays for what is used besides the account.
    pub(crate) owners: Vec<SbxId>,
    /// Fuel charged for work that is done again when the call is made again.
    pub(crate) worked: u64,
    pub(crate) subjects: Vec<String>,
    pub(crate) rule: Cow<'static, str>,
    pub(crate) cost: Cost,
    /// Uses of leases that this call took.
    pub(crate) leased: Leases,
    /// Other natives whose work this call does besides its own: see [`Permit::also`].
    pub(crate) besides: Vec<NativeId>,
}

impl Permit<'_> {
    /// The canonical name of the native that runs.
    #[must_use]
    pub fn native(&self) -> &'static str {
        self.native.name()
    }

    /// A path whose contents, names or sizes are to be seen.
    ///
    /// # Errors
    /// It is no path, or no grant allows it.
    pub fn read(&mut self, path: &str) -> Result<Place, Stop> {
        self.place(path, Access::Read)
    }

    /// A path to a file that is to be written.
    ///
    /// # Errors
    /// It is no path, or no grant allows it.
    pub fn write(&mut self, path: &str) -> Result<Place, Stop> {
        self.place(path, Access::Write)
    }

    /// A path whose name is to be made, removed or moved. A grant's own root is never among them, nor is a path that ends in `.` or
    /// `..`: what such a path names is not what it says.
    ///
    /// # Errors
    /// It is no path, no grant allows it, or it is the root of one.
    pub fn manage(&mut self, path: &str) -> Result<Place, Stop> {
        self.about(path);
        let place = self.resolve(path, Access::Write, false)?;
        let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(".");
        // Of a grant of one file there is nothing else.
        if place.rest == "." || matches!(last, "." | "..") {
            // A path that leads out is a denial even so.
            if let Err(error) = place.dir().metadata(place.path())
                && is_escape(&error)
            {
                return Err(self.os_error(&place, &error));
            }
            return Err(Stop::failed("the root of a grant, and a path that ends in `.` or `..`, can't be made, removed or renamed"));
        }
        Ok(place)
    }

    /// Asks that a path already named may also be looked at.
    ///
    /// # Errors
    /// No grant allows it.
    pub fn read_again(&mut self, path: &str) -> Result<(), Stop> {
        self.resolve(path, Access::Read, true).map(|_| ())
    }

    /// Takes a use from each of these leases.
    pub(crate) fn lease(&mut self, leases: &Leases) -> Result<(), Stop> {
        let now = self.mono_ms();
        match leases.take(now) {
            Ok(taken) => {
                // Twice through one lease are two uses.
                let both = std::mem::take(&mut self.leased);
                self.leased = both.joined(taken);
                Ok(())
            }
            Err(how) => Err(self.deny(Rule::LeaseOver(how), None)),
        }
    }

    fn place(&mut self, path: &str, want: Access) -> Result<Place, Stop> {
        self.about(path);
        self.resolve(path, want, true)
    }

    /// `follow`: a link of that name is what it leads to.
    fn resolve(&mut self, path: &str, want: Access, follow: bool) -> Result<Place, Stop> {
        let guest = GuestPath::new(path).map_err(|bad| Stop::failed(bad.text()))?;
        let node = self.realm.tree.node(self.site.authority);
        let view = node.view();
        let Some((entry, rest)) = view.find(guest) else {
            let hint = self.dir_hint(path, want, None);
            return Err(self.deny(Rule::NoGrant, Some(hint)));
        };
        // A name that a script may have chosen: shown in messages and kept in records.
        let name = escape(&entry.guest.text(), MAX_SUBJECT);
        let subject = Subject::Within(&entry.grant, want);
        if let Some(other) = self.besides.last().copied()
            && node.rights.judge(other, &subject) == Err(Refusal::Bound)
        {
            return Err(self.deny_to(other, Rule::Bound, None));
        }
        if let Err(refusal) = node.rights.judge(self.native, &subject) {
            let less = if want.writes() { Rule::ReadOnly(name.clone()) } else { Rule::WriteOnly(name.clone()) };
            return Err(match refusal {
                Refusal::NotHeld => self.deny(Rule::NotHeld, Some(self.realm.cap_hint(self.site.authority, self.native.row()))),
                Refusal::Bound => self.deny(Rule::Bound, None),
                Refusal::NotGranted => self.deny(Rule::NoGrant, Some(self.dir_hint(path, want, None))),
                Refusal::LessAccess(_) => self.deny(less, Some(self.dir_hint(path, want, Some(&entry.guest.text())))),
            });
        }
        if !entry.leases.is_empty() {
            self.lease(&entry.leases)?;
        }
        self.rule = Cow::Owned(format!("dir {name} {}", entry.grant.access.text()));
        if matches!(entry.source.opened, Opened::File { .. }) && (rest != "." || path_ends_in_dir(path)) {
            return Err(Stop::failed("not a directory"));
        }
        let through_first = guest.below(&entry.guest).is_none();
        let place = Place { source: Arc::clone(&entry.source), rest: rest.to_owned(), guest: name };
        if self.realm.watch.is_idle() && self.realm.is_unobserved() {
            Ok(place)
        } else {
            self.watched(place, &entry.grant.place, want, through_first, follow)
        }
    }

    /// The smallest grant that would allow a path: the path itself, or where `held` is granted already, that with more access.
    fn dir_hint(&self, path: &str, want: Access, held: Option<&str>) -> String {
        let root = self.realm.tree.node(ROOT);
        let view = root.view();
        let found = GuestPath::new(path).ok().and_then(|path| view.find(path));
        let root_holds = found.and_then(|(entry, _)| root.rights.dirs().through(&entry.grant)).is_some_and(|held| held.covers(want));
        let parent = || path.trim_end_matches('/').rsplit_once('/').map_or(".", |(parent, _)| if parent.is_empty() { "/" } else { parent });
        let (what, access) = match (held, want.writes()) {
            (Some(guest), _) => (guest, "rw"),
            (None, true) => (parent(), "rw"),
            (None, false) => (path, "ro"),
        };
        if self.site.authority != ROOT && root_holds {
            return format!("{{dir: {{{}: \"{access}\"}}}} in the options of sbxmk", quote(what));
        }
        match held {
            Some(guest) => format!(
                "--dir {}, where HOST is what {} is granted from",
                shell_word(&format!("HOST:{guest}:{access}")),
                escape(guest, MAX_SUBJECT)
            ),
            None => format!("--dir {}", shell_word(&format!("{what}:{access}"))),
        }
    }

    /// The value of an environment variable; nothing when the operator granted the name and it is not set.
    ///
    /// # Errors
    /// It is not granted.
    pub fn variable(&mut self, name: &str) -> Result<Option<String>, Stop> {
        self.about(name);
        if name.is_empty() || name.len() > MAX_SUBJECT || name.contains(['=', '\0']) {
            return Err(Stop::failed("that is no name of an environment variable"));
        }
        let judge = |s: SbxId| self.realm.tree.node(s).rights.judge(self.native, &Subject::Variable(name));
        match judge(self.site.authority) {
            Ok(()) => {
                self.rule = Cow::Borrowed("env");
                self.realm.note_variable(name);
                let run = &self.realm.run;
                let granted = lock(&run.variables).iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
                return Ok(granted.or_else(|| lock(&run.asked).variable(name)));
            }
            Err(Refusal::NotHeld) => {
                return Err(self.deny(Rule::NotHeld, Some(self.realm.cap_hint(self.site.authority, self.native.row()))));
            }
            Err(Refusal::Bound) => return Err(self.deny(Rule::Bound, None)),
            Err(Refusal::NotGranted | Refusal::LessAccess(_)) => {}
        }
        let hint = if self.site.authority != ROOT && judge(ROOT).is_ok() {
            format!("{{env: [{}]}} in the options of sbxmk", quote(name))
        } else {
            format!("--env {}", shell_word(name))
        };
        Err(self.deny(Rule::NoVariable, Some(hint)))
    }

    /// The script's arguments.
    #[must_use]
    pub fn argv(&self) -> &[String] {
        &self.realm.run.argv
    }

    /// Names what the call is about, for the record: an operand, or a text of the script's own making.
    pub fn about(&mut self, what: &str) {
        let cut = what.ceil_char_boundary(MAX_PATH);
        self.subjects.push(what.get(..cut).unwrap_or_default().to_owned());
    }

    /// A denial of this call.
    pub fn deny(&mut self, rule: Rule, grant: Option<String>) -> Stop {
        self.deny_to(self.native, rule, grant)
    }

    fn deny_to(&self, native: NativeId, rule: Rule, grant: Option<String>) -> Stop {
        Stop::Denied(Box::new(Denial {
            native: native.name(),
            on: self.subjects.clone(),
            rule,
            grant,
            retry: false,
            file: self.site.file.to_owned(),
            line: self.site.line,
        }))
    }

    /// What an error of the system means for the script: a denial when the path led out of its grant, else plain words without any
    /// path of the host.
    pub fn os_error(&mut self, place: &Place, error: &io::Error) -> Stop {
        if is_escape(error) {
            let grant = match self.native.row().grant {
                GrantKind::DirWrite => "--dir with the directory it leads to, as rw",
                _ => "--dir with the directory it leads to",
            };
            return self.deny(Rule::LeadsOut(place.guest.clone()), Some(grant.to_owned()));
        }
        Stop::failed(os_text(error))
    }

    /// Asks that the caller's heap have room for a result; before anything is read.
    ///
    /// # Errors
    /// It has not.
    pub fn room(&self, bytes: u64) -> Result<(), Stop> {
        if bytes > self.site.room { Err(Stop::Room(bytes)) } else { Ok(()) }
    }

    /// Bytes the caller's heap has room for.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.site.room
    }

    /// Charges work before it is done.
    ///
    /// # Errors
    /// The fuel would not last.
    pub fn work(&mut self, units: u64) -> Result<(), Stop> {
        self.charge(Budget::Fuel, units)?;
        self.worked = self.worked.saturating_add(units);
        Ok(())
    }

    /// Looks at the deadline and at interrupts, between two pieces of a long piece of work.
    ///
    /// # Errors
    /// The time ran out, or the run was interrupted.
    pub fn pulse(&mut self) -> Result<(), Stop> {
        if self.realm.run.outside.interrupted() {
            return Err(Stop::Interrupted);
        }
        self.realm.heed();
        if self.realm.is_revoked(self.site.authority) {
            return Err(self.deny(Rule::Revoked, None));
        }
        let now = self.mono_ms();
        match self.realm.accounts.deadline(&self.realm.tree, self.site.account) {
            Some((deadline, of)) if now >= deadline => Err(Stop::Limit { budget: Budget::Time, of }),
            _ => Ok(()),
        }
    }

    /// Charges bytes about to be read.
    ///
    /// # Errors
    /// The budget would not last.
    pub fn charge_read(&mut self, bytes: u64) -> Result<(), Stop> {
        self.charge(Budget::Read, bytes)?;
        self.charge(Budget::Fuel, bytes / BYTES_PER_UNIT)?;
        self.cost.read = self.cost.read.saturating_add(bytes);
        Ok(())
    }

    /// Charges bytes about to be written to a file.
    ///
    /// # Errors
    /// The budget would not last.
    pub fn charge_written(&mut self, bytes: u64) -> Result<(), Stop> {
        self.charge(Budget::Written, bytes)?;
        self.charge(Budget::Fuel, bytes / BYTES_PER_UNIT)?;
        self.cost.written = self.cost.written.saturating_add(bytes);
        Ok(())
    }

    pub(crate) fn charge(&mut self, budget: Budget, amount: u64) -> Result<(), Stop> {
        // Work is the caller's; what it does to the world is also theirs whose authority it has.
        let owners = if budget == Budget::Fuel { &[][..] } else { &self.owners };
        take(&self.realm.tree, owners, budget, amount)?;
        let charged = self.realm.accounts.charge(&self.realm.tree, self.site.account, budget, amount);
        if charged.is_err() {
            owners.iter().for_each(|s| self.realm.tree.node(*s).used.sub(budget, amount));
        }
        charged
    }

    /// What is left of a budget for all who pay.
    pub(crate) fn left(&self, budget: Budget) -> u64 {
        let owners = self.owners.iter().map(|s| self.realm.tree.node(*s).left(budget)).min().unwrap_or(u64::MAX);
        self.realm.accounts.left(&self.realm.tree, self.site.account, budget).min(owners)
    }

    /// Writes to standard output.
    ///
    /// # Errors
    /// The output budget would not last, or the system refuses.
    pub fn write_out(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.charge_output(bytes)?;
        self.realm.run.outside.write_out(bytes).map_err(|error| Stop::Failed(format!("standard output: {}", os_text(&error))))
    }

    /// Writes to standard error.
    ///
    /// # Errors
    /// The output budget would not last, or the system refuses.
    pub fn write_err(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.charge_output(bytes)?;
        self.realm.run.outside.write_err(bytes).map_err(|error| Stop::Failed(format!("standard error: {}", os_text(&error))))
    }

    fn charge_output(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let n = bytes.len() as u64;
        self.charge(Budget::Output, n)?;
        self.charge(Budget::Fuel, n / BYTES_PER_UNIT)?;
        self.cost.written = self.cost.written.saturating_add(n);
        Ok(())
    }

    /// Milliseconds since 1970.
    pub fn wall_ms(&mut self) -> f64 {
        self.realm.run.outside.wall_ms()
    }

    /// Milliseconds of the clock that only goes forward.
    pub fn mono_ms(&mut self) -> f64 {
        self.realm.run.outside.mono_ms()
    }

    /// Waits that long, or until the deadline, which then is the limit.
    ///
    /// # Errors
    /// The time ran out, or the run was interrupted.
    pub fn sleep(&mut self, ms: f64) -> Result<(), Stop> {
        let start = self.mono_ms();
        let deadline = self.realm.accounts.deadline(&self.realm.tree, self.site.account);
        loop {
            self.pulse()?;
            let now = self.mono_ms();
            let left = start + ms - now;
            if left <= 0.0 {
                return Ok(());
            }
            let until_deadline = deadline.map_or(left, |(deadline, _)| deadline - now);
            self.realm.run.outside.sleep(left.min(until_deadline).min(LONGEST_NAP));
        }
    }

    /// Fills with random bytes fit for keys.
    ///
    /// # Errors
    /// The system has none.
    pub fn random(&mut self, into: &mut [u8]) -> Result<(), Stop> {
        self.realm.run.outside.random(into).map_err(|error| Stop::Failed(format!("no random bytes: {}", os_text(&error))))
    }

    /// Opens a resource for the script.
    ///
    /// # Errors
    /// Too many are open.
    pub fn open(&mut self, resource: Resource) -> Result<HandleId, Stop> {
        let account = self.site.account;
        let payers = self.realm.payers(account, self.site.authority);
        let tree = &self.realm.tree;
        let full = payers.iter().position(|s| !tree.node(*s).used.handles.take(1, tree.node(*s).limits.handles));
        let none = full.is_none() && self.realm.run.handles.fetch_add(1, Ordering::Relaxed) >= MAX_HANDLES;
        let open = Open { resource, owner: self.site.authority, account, native: self.native, leased: self.leased.clone() };
        let opened = if full.is_some() || none { None } else { self.realm.handles.insert(open) };
        if let Some(id) = opened {
            return Ok(id);
        }
        payers.iter().take(full.unwrap_or(payers.len())).for_each(|s| self.realm.tree.node(*s).used.handles.sub(1));
        if full.is_none() {
            self.realm.run.handles.fetch_sub(1, Ordering::Relaxed);
        }
        let limit = full.and_then(|at| payers.get(at)).map_or(MAX_HANDLES as u64, |s| self.realm.tree.node(*s).limits.handles);
        self.realm.crowded = true;
        Err(Stop::Failed(format!("too many open files (limit {limit})")))
    }

    /// Opens a file for reading by lines.
    ///
    /// # Errors
    /// Too many are open.
    pub fn open_lines(&mut self, file: cap_std::fs::File) -> Result<HandleId, Stop> {
        self.open(Resource::Lines(LineReader::new(file)))
    }

    /// Begins a span and gives its number.
    ///
    /// # Errors
    /// Too many are open.
    pub fn begin_span(&mut self) -> Result<u64, Stop> {
        let (now, owner) = (self.mono_ms(), self.realm.tree.node(self.site.authority).number);
        lock(&self.realm.run.spans).begin(owner, now).ok_or_else(|| Stop::failed("too many open spans"))
    }

    /// Ends a span and gives its milliseconds.
    ///
    /// # Errors
    /// There is none of that number in this sandbox.
    pub fn end_span(&mut self, span: u64) -> Result<f64, Stop> {
        let (now, owner) = (self.mono_ms(), self.realm.tree.node(self.site.authority).number);
        let start = lock(&self.realm.run.spans).end(owner, span).ok_or_else(|| Stop::failed("no such span is open"))?;
        Ok(now - start)
    }
}

/// Bytes read or written for one unit of fuel.
pub const BYTES_PER_UNIT: u64 = 64;
/// Milliseconds of waiting after which interrupts are looked at.
pub(crate) const LONGEST_NAP: f64 = 20.0;

/// Does a path's text say that it names a directory?
fn path_ends_in_dir(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("" | "." | ".."))
}

/// Is this what cap-std answers when a path leads out of its directory? Such an error has no number of the system's.
#[must_use]
pub fn is_escape(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

/// An error of the system in plain words; no path, no user, nothing of the host.
#[must_use]
pub fn os_text(error: &io::Error) -> String {
    let Some(number) = error.raw_os_error() else {
        return match error.kind() {
            io::ErrorKind::NotFound => "file not found",
            io::ErrorKind::InvalidInput => "not allowed here",
            io::ErrorKind::WriteZero | io::ErrorKind::UnexpectedEof => "input or output ended early",
            io::ErrorKind::BrokenPipe => "the reader has gone",
            _ => "the system refused",
        }
        .to_owned();
    };
    let text = match Errno::from_raw_os_error(number) {
        Errno::NOENT => "file not found",
        Errno::NOTDIR => "not a directory",
        Errno::ISDIR => "is a directory",
        Errno::ACCESS | Errno::PERM => "permission denied by the system",
        Errno::EXIST => "already exists",
        Errno::NOTEMPTY => "directory not empty",
        Errno::LOOP => "too many links in the path",
        Errno::NAMETOOLONG => "name too long",
        Errno::NOSPC | Errno::DQUOT => "no space left",
        Errno::ROFS => "the filesystem is read-only",
        Errno::MFILE | Errno::NFILE => "too many open files",
        Errno::XDEV => "can't move between filesystems",
        Errno::BUSY | Errno::TXTBSY => "busy",
        Errno::FBIG => "file too large",
        Errno::INVAL => "not possible with this path",
        Errno::NXIO | Errno::NODEV => "not a regular file",
        Errno::IO => "input or output error",
        Errno::CONNREFUSED => "the connection was refused",
        Errno::CONNRESET | Errno::CONNABORTED => "the connection was reset",
        Errno::TIMEDOUT => "the connection timed out",
        Errno::HOSTUNREACH | Errno::NETUNREACH => "no way to the host",
        Errno::ADDRINUSE => "the address is in use",
        Errno::ADDRNOTAVAIL => "not an address of this machine",
        Errno::PIPE => "the reader has gone",
        _ => return format!("the system refused (error {number})"),
    };
    text.to_owned()
}
