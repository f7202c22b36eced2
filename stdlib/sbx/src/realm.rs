//! The realm of one isolate: its sandboxes, accounts and open resources, and the one doorway out.
//!
//! [`Realm::call`] is the only way from a script to a native. It asks, in order: is the authority revoked, does it hold the native, is
//! the budget of calls left, are the arguments right. Then it hands the native a permit. Whatever happens, one event is recorded.

use crate::account::Accounts;
use crate::attenuate::make;
use crate::denial::{Rule, quote};
use crate::doorway::{Unmet, denial};
use crate::event::{Cost, Event};
use crate::grants::Grants;
use crate::handle::{Cutter, Handles, Open, READ_AHEAD, Resource};
use crate::ids::{ANY, AccountId, ROOT, ROOT_ACCOUNT, SbxId};
use crate::ledger::Ledger;
use crate::limits::{Budget, Limits, MAX_MOUNTS, Spent};
use crate::outside::Outside;
use crate::path::{GuestPath, GuestPrefix};
use crate::permit::{BYTES_PER_UNIT, Permit, os_text};
use crate::plain::{Arg, HandleId, Plain};
use crate::record::{Recorder, Sealed, Spans};
use crate::request::Request;
use crate::service::Services;
use crate::stop::Stop;
use crate::tree::{Holding, Tree};
use crate::view::View;
use crate::watch::Watch;
use ilu_cap::NativeId;
use ilu_cap::rights::{Net, Rights, RuleList, Subjects};
use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

/// A native: what it does with a permit.
pub type NativeFn = fn(&mut Permit<'_>, &[Arg<'_>]) -> Result<Plain, Stop>;

/// The functions behind the registry's rows; a row may have none in a build.
#[derive(Clone, Debug)]
pub struct Natives {
    table: Vec<Option<NativeFn>>,
}

impl Natives {
    /// From canonical names. A name that is not in the registry is left out: it could not be called.
    #[must_use]
    pub fn new(rows: &[(&str, NativeFn)]) -> Natives {
        let function = |id: NativeId| rows.iter().find(|(name, _)| *name == id.name()).map(|(_, function)| *function);
        Natives { table: NativeId::all().map(function).collect() }
    }

    /// The function of a native.
    #[must_use]
    pub fn get(&self, native: NativeId) -> Option<NativeFn> {
        self.table.get(usize::from(native.0)).copied().flatten()
    }
}

/// Where a call comes from and who answers for it.
#[derive(Clone, Copy, Debug)]
pub struct CallSite<'a> {
    /// The meet of the homes on the call stack.
    pub authority: SbxId,
    /// Who pays.
    pub account: AccountId,
    /// Source file.
    pub file: &'a str,
    /// Line, from 1.
    pub line: u32,
    /// Bytes the caller's heap still has room for.
    pub room: u64,
}

/// Sandboxes, accounts, open resources and the record of one isolate.
pub struct Realm {
    pub(crate) tree: Tree,
    pub(crate) accounts: Accounts,
    pub(crate) handles: Handles,
    pub(crate) spans: Spans,
    pub(crate) outside: Box<dyn Outside>,
    pub(crate) argv: Vec<String>,
    /// The granted variables' values; which of the names a sandbox may read is among its rights.
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) input: Cutter,
    /// Bytes that open resources hold of what was read and not yet given.
    held: usize,
    /// A call for which there was no room yet: it will be made again, or given up.
    pub(crate) unmet: Option<Unmet>,
    /// A file with the beginning of a line for which there was no room yet.
    pub(crate) unmet_line: Option<HandleId>,
    /// A resource could not be opened because too many are.
    pub(crate) crowded: bool,
    pub(crate) natives: Natives,
    pub(crate) services: Services,
    pub(crate) recorder: Recorder,
    pub(crate) watch: Watch,
    /// What the native was asked for that failed last, quoted.
    pub(crate) failed_on: Vec<String>,
}

impl std::fmt::Debug for Realm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Realm").field("tree", &self.tree).finish_non_exhaustive()
    }
}

/// Rows that one look at a log gives; the newest.
const SHOWN_ROWS: usize = 1000;

impl Realm {
    /// A realm whose root sandbox holds the grants. Its clock starts now.
    ///
    /// # Errors
    /// A mount has no valid name, a name twice, or there are too many.
    pub fn new(grants: Grants, mut outside: Box<dyn Outside>, natives: Natives) -> Result<Realm, String> {
        if grants.mounts.len() > MAX_MOUNTS {
            return Err(format!("at most {MAX_MOUNTS} directories can be granted"));
        }
        let mut mounts: Vec<(GuestPrefix, _, _)> = Vec::new();
        for mount in grants.mounts {
            let bad = |why: &str| format!("a directory can't be granted as {}: {why}", quote(&mount.guest));
            let guest = GuestPrefix::new(GuestPath::new(&mount.guest).map_err(|path| bad(path.text()))?);
            if mounts.iter().any(|(known, _, _)| *known == guest) {
                return Err(bad("another one is called that"));
            }
            mounts.push((guest, mount.access, mount.opened));
        }
        let view = Arc::new(View::root(mounts));
        let env = grants.env.iter().map(|(name, _)| name.as_str()).collect();
        let net = Net::rules(RuleList::new(grants.net));
        let subjects = Subjects { dirs: view.dirs(), env, net, ..Subjects::default() };
        let rights = Rights::new(grants.caps, subjects, grants.limits.budgets());
        let mut tree = Tree::new(Holding { rights, view, limits: grants.limits });
        tree.start(ROOT, outside.mono_ms());
        Ok(Realm {
            tree,
            accounts: Accounts::new(),
            handles: Handles::default(),
            spans: Spans::default(),
            outside,
            argv: grants.argv,
            variables: grants.env,
            input: Cutter::default(),
            held: 0,
            unmet: None,
            unmet_line: None,
            crowded: false,
            natives,
            services: Services::default(),
            recorder: Recorder::default(),
            watch: Watch::default(),
            failed_on: Vec::new(),
        })
    }

    /// The paths that the native was called on that failed last, once.
    pub fn take_failed_on(&mut self) -> Vec<String> {
        std::mem::take(&mut self.failed_on)
    }

    /// The sandbox of the operator's grants.
    #[must_use]
    pub const fn root(&self) -> SbxId {
        ROOT
    }

    /// Its account.
    #[must_use]
    pub const fn root_account(&self) -> AccountId {
        ROOT_ACCOUNT
    }

    /// The authority of code that both answer for.
    pub fn meet(&mut self, a: SbxId, b: SbxId) -> SbxId {
        self.tree.meet(a, b)
    }

    /// What finding meetings has cost since this was last asked, in units of fuel: whoever called is to pay it.
    pub const fn take_work(&mut self) -> u64 {
        std::mem::replace(&mut self.tree.work, 0)
    }

    /// Bytes that new sandboxes took since this was last asked: whoever made them is to hold them.
    pub const fn take_grown(&mut self) -> usize {
        std::mem::replace(&mut self.tree.grown, 0)
    }

    /// How many sandboxes a look at all that were made under this one goes through.
    #[must_use]
    pub fn below(&self, s: SbxId) -> usize {
        self.tree.after(s)
    }

    /// How many rows all logs hold together.
    #[must_use]
    pub const fn rows_kept(&self) -> usize {
        self.recorder.rows
    }

    /// Makes a sandbox under the one whose authority the caller has: `sbxmk`.
    ///
    /// # Errors
    /// It asks for more than is held, or for what does not exist.
    pub fn make(&mut self, site: &CallSite<'_>, request: &Request) -> Result<SbxId, Stop> {
        let made = if let Err(denied) = self.live(site, "sbxmk") {
            Err(denied)
        } else if site.authority == ANY {
            Err(Stop::failed("sbxmk: the standard library holds nothing itself"))
        } else {
            let payers = self.accounts.of(site.account).to_vec();
            let made = make(&mut self.tree, site.authority, &payers, request);
            if made.is_ok() {
                self.note_request(site.authority, request);
            }
            made
        };
        let subjects = made.as_ref().ok().map(|s| format!("#{}", s.0)).into_iter().collect();
        self.record(site, "sbxmk", subjects, Cow::Borrowed("attenuation"), Cost::default(), made.as_ref().err());
        made
    }

    /// Does a sandbox hold a native, and is it not revoked?
    #[must_use]
    pub fn has(&self, s: SbxId, native: NativeId) -> bool {
        s != ANY && self.tree.has(s, native)
    }

    /// What a sandbox may do: nothing when it was revoked.
    #[must_use]
    pub fn rights(&self, s: SbxId) -> Rights {
        if s == ANY || self.tree.is_revoked(s) { Rights::none() } else { self.tree.node(s).rights.clone() }
    }

    /// The natives a sandbox holds, in the registry's order.
    #[must_use]
    pub fn caps(&self, s: SbxId) -> Vec<&'static str> {
        if self.tree.is_revoked(s) { Vec::new() } else { self.tree.node(s).rights.caps().names() }
    }

    /// Revokes a sandbox, all made under it, and what they have open: `sbxrv`. Doing it again changes nothing.
    pub fn revoke(&mut self, site: &CallSite<'_>, s: SbxId) {
        let doomed = self.tree.within(s);
        self.tree.revoke(s);
        for handle in self.handles.owned_by(&doomed) {
            self.let_go(handle);
        }
        self.services.revoked(&doomed);
        let subjects = vec![format!("#{}", s.0)];
        self.record(site, "sbxrv", subjects, Cow::Borrowed("holder"), Cost::default(), None);
    }

    /// A call passed a gate: code ran with the authority of `site`, which is the gate's, whoever called it.
    pub fn passage(&mut self, site: &CallSite<'_>, function: &str) {
        self.record(site, "sbxgt", vec![function.to_owned()], Cow::Borrowed("gate"), Cost::default(), None);
    }

    /// Was a sandbox, or one it was made under, revoked?
    #[must_use]
    pub fn is_revoked(&self, s: SbxId) -> bool {
        self.tree.is_revoked(s)
    }

    /// The next line of an open file; nothing at its end.
    ///
    /// # Errors
    /// The handle was closed or revoked, the caller does not hold its native, a budget ran out, or the file can't be read.
    pub fn read_line(&mut self, site: CallSite<'_>, id: HandleId) -> Result<Option<String>, Stop> {
        self.unmet_line = None;
        let before = self.handles.size(id);
        let result = self.line(&site, id, before);
        self.held = self.held - before + self.handles.size(id);
        if matches!(result, Err(Stop::Room(_))) {
            self.unmet_line = Some(id);
        }
        if let Err(Stop::Denied(denial)) = &result {
            let native = denial.native;
            self.record(&site, native, Vec::new(), Cow::Borrowed("handle"), Cost::default(), result.as_ref().err());
        }
        result
    }

    /// Bytes read and not yet given: what open resources and standard input hold. They are memory of whoever has them open.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held + self.input.size()
    }

    /// `booked`: what of the resource's size the site's room has been counted without.
    fn line(&mut self, site: &CallSite<'_>, id: HandleId, booked: usize) -> Result<Option<String>, Stop> {
        self.live(site, "reading an open file")?;
        let Some(open) = self.handles.get(id) else { return Err(Stop::failed("the file is closed")) };
        let native = open.native;
        if self.tree.is_revoked(open.owner) {
            return Err(denial(site, native.name(), Rule::Revoked, None));
        }
        if !self.has(site.authority, native) {
            return Err(denial(site, native.name(), Rule::NotHeld, Some(self.cap_hint(site.authority, native.row()))));
        }
        let owners = self.accounts.owners(&self.tree, site.account, site.authority);
        loop {
            let Some(open) = self.handles.get(id) else { return Err(Stop::failed("the file is closed")) };
            let Resource::Lines(reader) = &mut open.resource else { return Err(Stop::failed("the file is closed")) };
            if reader.is_lost() {
                return Err(Stop::failed("a line of this file was longer than there was memory for; open it anew"));
            }
            let (cutter, mut read) = reader.split();
            let taken = cutter.taken();
            if let Some(line) = cutter.line() {
                return text(line, taken).map(Some);
            }
            if cutter.has_ended() {
                return Ok(None);
            }
            let needs = cutter.held().saturating_sub(booked) as u64 + READ_AHEAD;
            if needs > site.room {
                return Err(Stop::Room(needs));
            }
            let spare = owners.iter().map(|s| (self.tree.left(*s, Budget::Read), *s)).min();
            if let Some((0, of)) = spare {
                return Err(Stop::Limit { budget: Budget::Read, of });
            }
            let most = self.accounts.left(&self.tree, site.account, Budget::Read).min(spare.map_or(u64::MAX, |(left, _)| left));
            let got = if most == 0 { 1 } else { cutter.fill(most, &mut read).map_err(|error| Stop::Failed(os_text(&error)))? as u64 };
            self.accounts.charge(&mut self.tree, site.account, Budget::Read, got)?;
            for s in &owners {
                self.tree.add(*s, Budget::Read, got);
            }
            self.accounts.spend(&mut self.tree, site.account, Budget::Fuel, got / BYTES_PER_UNIT);
        }
    }

    /// Nobody will ask again for the line that there was no room for: what was read of it is let go, or whoever has the file would hold it.
    pub(crate) fn lose_line(&mut self) {
        let Some(id) = self.unmet_line.take() else { return };
        self.held -= self.handles.size(id);
        if let Some(Open { resource: Resource::Lines(reader), .. }) = self.handles.get(id) {
            reader.lose();
        }
    }

    /// Who pays for what is open: those charged, and those whose authority opened it.
    pub(crate) fn payers(&self, account: AccountId, authority: SbxId) -> Vec<SbxId> {
        let mut payers = self.accounts.of(account).to_vec();
        payers.extend(self.accounts.owners(&self.tree, account, authority));
        payers
    }

    /// Closes what a handle names; its number stays and answers that it was revoked.
    fn let_go(&mut self, id: HandleId) {
        self.held -= self.handles.size(id);
        let Some(open) = self.handles.get(id) else { return };
        if matches!(open.resource, Resource::Revoked(_)) {
            return;
        }
        open.resource = Resource::Revoked(open.resource.type_name());
        let (account, owner) = (open.account, open.owner);
        for s in self.payers(account, owner) {
            self.tree.add_handles(s, false);
        }
    }

    /// Lets an open resource go, as the VM's collector does when no value names it any more.
    pub fn close_handle(&mut self, id: HandleId) {
        self.held -= self.handles.size(id);
        if let Some(open) = self.handles.remove(id) {
            if matches!(open.resource, Resource::Revoked(_)) {
                return;
            }
            for s in self.payers(open.account, open.owner) {
                self.tree.add_handles(s, false);
            }
        }
    }

    /// Whether, since this was last asked, a resource could not be opened because too many are: a collection may close some that no value
    /// names any more.
    pub fn take_crowded(&mut self) -> bool {
        std::mem::take(&mut self.crowded)
    }

    /// What `typ` says of an open resource.
    pub fn handle_type(&mut self, id: HandleId) -> &'static str {
        self.handles.get(id).map_or("fil", |open| open.resource.type_name())
    }

    /// The account of code that enters a sandbox from code of another account. The first entry starts the sandbox's clock.
    ///
    /// # Errors
    /// There are too many already.
    pub fn account(&mut self, from: AccountId, s: SbxId) -> Result<AccountId, Stop> {
        let now = self.outside.mono_ms();
        self.accounts.enter(&mut self.tree, from, s, now)
    }

    /// Whether an account charges a sandbox.
    #[must_use]
    pub fn charges(&self, account: AccountId, s: SbxId) -> bool {
        self.accounts.of(account).contains(&s)
    }

    /// Fuel that an account has left.
    #[must_use]
    pub fn fuel_left(&self, account: AccountId) -> u64 {
        self.accounts.left(&self.tree, account, Budget::Fuel)
    }

    /// Counts fuel that was used.
    pub fn spend_fuel(&mut self, account: AccountId, units: u64) {
        self.accounts.spend(&mut self.tree, account, Budget::Fuel, units);
    }

    /// The outermost sandbox of an account that is out of fuel or time.
    pub fn exhausted(&mut self, account: AccountId) -> Option<(Budget, SbxId)> {
        let now = self.outside.mono_ms();
        self.accounts.exhausted(&self.tree, account, now)
    }

    /// When an account's time is up, on the clock that only goes forward, and the sandbox whose time that is.
    #[must_use]
    pub fn deadline(&self, account: AccountId) -> Option<(f64, SbxId)> {
        self.accounts.deadline(&self.tree, account)
    }

    /// The clock that only goes forward, in milliseconds.
    pub fn mono_ms(&mut self) -> f64 {
        self.outside.mono_ms()
    }

    /// Was the run interrupted?
    #[must_use]
    pub fn interrupted(&self) -> bool {
        self.outside.interrupted()
    }

    /// A sandbox's own limits.
    #[must_use]
    pub fn limits(&self, s: SbxId) -> &Limits {
        self.tree.limits(s)
    }

    /// The least limit of heap bytes among those an account charges, and whose it is.
    #[must_use]
    pub fn memory_limit(&self, account: AccountId) -> (u64, SbxId) {
        self.accounts.least(&self.tree, account, Budget::Memory)
    }

    /// The least limit of frames among those an account charges, and whose it is.
    #[must_use]
    pub fn depth_limit(&self, account: AccountId) -> (u64, SbxId) {
        self.accounts.least(&self.tree, account, Budget::Depth)
    }

    /// Takes note of how many bytes the heap holds while an account pays.
    pub fn note_memory(&mut self, account: AccountId, bytes: u64) {
        for s in self.accounts.of(account) {
            if let Some(node) = self.tree.node_mut(*s) {
                node.used.memory = node.used.memory.max(bytes);
            }
        }
    }

    /// How a limit that ended a sandbox reads: "fuel ran out (limit 1000)".
    #[must_use]
    pub fn limit_text(&self, budget: Budget, of: SbxId) -> String {
        let unit = match budget {
            Budget::Memory | Budget::Output | Budget::Read | Budget::Written => " bytes",
            Budget::Time => " ms",
            Budget::Fuel | Budget::Depth | Budget::Calls(_) => "",
        };
        match self.tree.limits(of).of(budget) {
            crate::limits::NO_LIMIT => format!("{} ran out (all that was left outside the sandbox)", budget.text()),
            limit => format!("{} ran out (limit {limit}{unit})", budget.text()),
        }
    }

    /// What a sandbox and those made under it have used, as `sbxug` shows it.
    #[must_use]
    pub fn used(&self, s: SbxId) -> Plain {
        #[allow(clippy::cast_precision_loss, reason = "counters that are shown")]
        let num = |n: u64| Plain::Num(n as f64);
        let used = &self.tree.node(s).used;
        let calls = used.calls.iter().map(|(id, n)| (NativeId(*id).name().to_owned(), num(*n))).collect();
        let row = |name: &str, n: u64| (name.to_owned(), num(n));
        Plain::Object(vec![
            row("fuel", used.fuel),
            row("mem", used.memory),
            row("out", used.output),
            row("fds", used.handles),
            row("read", used.read),
            row("written", used.written),
            row("denied", used.denied),
            ("calls".to_owned(), Plain::Object(calls)),
        ])
    }

    /// The newest denials of a sandbox and those made under it.
    #[must_use]
    pub fn denied(&self, s: SbxId) -> Vec<Plain> {
        self.rows(s, |s| self.tree.node(s).log.denied().collect())
    }

    /// The newest rows of the log of a sandbox and those made under it.
    #[must_use]
    pub fn log(&self, s: SbxId) -> Vec<Plain> {
        self.rows(s, |s| self.tree.node(s).log.rows().collect())
    }

    fn rows<'a>(&'a self, s: SbxId, of: impl Fn(SbxId) -> Vec<&'a Event>) -> Vec<Plain> {
        let mut rows: Vec<&Event> = self.tree.within(s).into_iter().flat_map(of).collect();
        rows.sort_by_key(|event| event.seq);
        let skip = rows.len().saturating_sub(SHOWN_ROWS);
        rows.into_iter().skip(skip).map(Event::to_plain).collect()
    }

    /// Sends each event, as a line of JSON, to the operator's sink: set it before the first event. When the sink fails nothing more is
    /// allowed.
    pub fn set_sink(&mut self, sink: Box<dyn Write + Send>) {
        self.recorder.set_sink(sink);
    }

    /// Closes the audit record: the sink gets its last line. Nothing when there is no sink, or when it was closed before.
    ///
    /// # Errors
    /// What the system says, now or at an event that could not be written.
    pub fn close_sink(&mut self) -> std::io::Result<Option<Sealed>> {
        let now = self.outside.wall_ms();
        self.recorder.close(now)
    }

    /// From now on takes note of what is touched and when, for [`Realm::take_ledger`].
    pub fn summarise(&mut self) {
        self.recorder.ledger.summary = Some(Box::default());
    }

    /// What the operator is told at the end.
    pub fn take_ledger(&mut self) -> Ledger {
        std::mem::take(&mut self.recorder.ledger)
    }

    /// The budgets of a sandbox that are counted, with what was used of each.
    pub fn spent(&mut self, s: SbxId) -> Vec<Spent> {
        let now = self.outside.mono_ms();
        let node = self.tree.node(s);
        let row = |budget| Spent { budget, used: node.used.of(budget), limit: node.limits.of(budget) };
        let mut rows: Vec<Spent> =
            [Budget::Fuel, Budget::Memory, Budget::Output, Budget::Read, Budget::Written].into_iter().map(row).collect();
        rows.extend(node.limits.calls.iter().map(|(native, _)| row(Budget::Calls(*native))));
        if let Some(started) = self.tree.started(s) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds, not negative")]
            let used = (now - started).max(0.0) as u64;
            rows.push(Spent { budget: Budget::Time, used, limit: node.limits.wall_ms });
        }
        rows
    }
}

fn text(bytes: Vec<u8>, before: u64) -> Result<String, Stop> {
    String::from_utf8(bytes).map_err(|error| {
        let at = before + error.utf8_error().valid_up_to() as u64;
        Stop::Failed(format!("not UTF-8 text at byte {at} (use fs.rdb)"))
    })
}
