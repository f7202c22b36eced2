//! The realm of one isolate: its sandboxes, accounts and open resources, and the one doorway out.
//!
//! [`Realm::call`] is the only way from a script to a native. It asks, in order: is the authority revoked, does it hold the native, is
//! the budget of calls left, are the arguments right. Then it hands the native a permit. Whatever happens, one event is recorded.

use crate::account::Accounts;
use crate::attenuate::{TOO_MANY_OPEN, make};
use crate::denial::{Denial, Rule, quote};
use crate::doorway::{Unmet, denial};
use crate::event::Cost;
use crate::grants::Grants;
use crate::handle::{Handles, Resource};
use crate::homes::Homes;
use crate::ids::{ANY, AccountId, ROOT, ROOT_ACCOUNT, SbxId, VOID};
use crate::lease::Leases;
use crate::limits::{Budget, Limits, MAX_MOUNTS};
use crate::outside::Outside;
use crate::path::{GuestPath, GuestPrefix};
use crate::permit::Permit;
use crate::plain::{Arg, HandleId, Plain};
use crate::request::Request;
use crate::run::{Run, lock};
use crate::sandbox::{Holding, Sandbox, Shared};
use crate::secret::Secret;
use crate::stop::Stop;
use crate::tree::Tree;
use crate::view::View;
use crate::watch::Watch;
use ilu_cap::NativeId;
use ilu_cap::rights::{Net, Rights, RuleList, Subjects};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

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

/// What a root sandbox holds, the values of its variables, and its secrets.
type Held = (Holding, Vec<(String, String)>, Vec<Arc<Secret>>);

/// What one isolate knows of the sandboxes of its run: their places, its accounts, what it has open.
pub struct Realm {
    /// What it shares with the other isolates.
    pub(crate) run: Arc<Run>,
    pub(crate) tree: Tree,
    pub(crate) accounts: Accounts,
    pub(crate) handles: Handles,
    /// Its number in the run.
    pub(crate) number: u64,
    /// The number of the task that it is of; 0 is the script itself.
    pub(crate) task: u32,
    /// How many revocations of the run it has heeded.
    heeded: u64,
    /// Bytes that open resources hold of what was read and not yet given.
    pub(crate) held: usize,
    /// A call for which there was no room yet: it will be made again, or given up.
    pub(crate) unmet: Option<Unmet>,
    /// What the operator answered about it.
    pub(crate) unmet_answer: Option<(NativeId, Arc<Shared>)>,
    /// A file with the beginning of a line for which there was no room yet.
    pub(crate) unmet_line: Option<HandleId>,
    /// A resource could not be opened because too many are.
    pub(crate) crowded: bool,
    pub(crate) watch: Watch,
    /// What the native was asked for that failed last, quoted.
    pub(crate) failed_on: Vec<String>,
    /// That native.
    pub(crate) failed: Option<NativeId>,
}

impl std::fmt::Debug for Realm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Realm").field("tree", &self.tree).finish_non_exhaustive()
    }
}

impl Realm {
    /// A realm whose root sandbox holds the grants. Its clock starts now.
    ///
    /// # Errors
    /// A mount has no valid name, a name twice, or there are too many.
    pub fn new(grants: Grants, outside: Box<dyn Outside>, natives: Natives) -> Result<Realm, String> {
        let argv = grants.argv.clone();
        let (holding, variables, secrets) = Realm::holding(grants, 0)?;
        let now = outside.mono_ms();
        Ok(Realm::alone(Run::new(outside, natives, argv, variables, secrets, holding), now))
    }

    /// The first realm of a run that starts now.
    pub(crate) fn alone(run: Run, now: f64) -> Realm {
        let tree = {
            let fixed = lock(&run.fixed);
            let [_, root, _] = &*fixed;
            root.start(now);
            Tree::new(&fixed, &run.records)
        };
        Realm::of(Arc::new(run), tree, vec![ROOT])
    }

    /// What a root sandbox with these grants holds, its mounts numbered from `first`; and the values that it may read and have sent.
    pub(crate) fn holding(grants: Grants, first: u32) -> Result<Held, String> {
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
        let view = Arc::new(View::root(mounts, first));
        let env = grants.env.iter().map(|(name, _)| name.as_str()).collect();
        let net = Net::rules(RuleList::new(grants.net));
        let programs = grants.programs.iter().map(String::as_str).collect();
        let secrets = grants.secrets.iter().map(|secret| secret.name()).collect();
        let subjects = Subjects { dirs: view.dirs(), env, secrets, programs, net };
        let rights = Rights::new(grants.caps, subjects, grants.limits.budgets());
        let holding = Holding { rights, view, limits: grants.limits, leases: Leases::default() };
        Ok((holding, grants.env, grants.secrets.into_iter().map(Arc::new).collect()))
    }

    fn of(run: Arc<Run>, tree: Tree, charged: Vec<SbxId>) -> Realm {
        Realm {
            number: run.next_realm(),
            task: 0,
            heeded: run.revocations.load(Ordering::Acquire),
            run,
            tree,
            accounts: Accounts::new(charged),
            handles: Handles::default(),
            held: 0,
            unmet: None,
            unmet_answer: None,
            unmet_line: None,
            crowded: false,
            watch: Watch::default(),
            failed_on: Vec::new(),
            failed: None,
        }
    }

    /// A realm of the same run for another isolate, on whatever thread: the sandboxes are the same ones, with the same budgets and the same
    /// revocations. What its own code costs is charged to those whom `account` charges. It has no open resources.
    ///
    /// # Errors
    /// There are too many sandboxes.
    pub fn fork(&self, account: AccountId) -> Result<Realm, Stop> {
        let run = Arc::clone(&self.run);
        let mut tree = Tree::new(&lock(&run.fixed), &run.records);
        let charged = self.accounts.of(account).iter().map(|s| tree.adopt(self.tree.node(*s)));
        let mut charged = charged.collect::<Result<Vec<SbxId>, _>>()?;
        charged.sort_unstable_by_key(|s| tree.rank(*s));
        Ok(Realm::of(run, tree, charged))
    }

    /// A sandbox, to be carried to another realm of the run.
    #[must_use]
    pub fn sandbox(&self, s: SbxId) -> Sandbox {
        Sandbox(Arc::clone(self.tree.node(s)))
    }

    /// The place here of a sandbox from another realm of the run.
    ///
    /// # Errors
    /// There are too many sandboxes.
    pub fn adopt(&mut self, sandbox: &Sandbox) -> Result<SbxId, Stop> {
        Ok(self.tree.adopt(&sandbox.0)?)
    }

    /// The number of this realm in its run: 0 is the first one's.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The paths that the native was called on that failed last, once.
    pub fn take_failed_on(&mut self) -> Vec<String> {
        std::mem::take(&mut self.failed_on)
    }

    /// The native that failed last, once.
    pub fn take_failed(&mut self) -> Option<NativeId> {
        self.failed.take()
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
    ///
    /// # Errors
    /// The caller's heap has no room for it.
    pub fn meet(&mut self, a: SbxId, b: SbxId, room: u64) -> Result<SbxId, Stop> {
        Ok(self.tree.meet(a, b, &self.run.mounts, room)?)
    }

    /// Lets go of the sandboxes and accounts that nothing refers to: neither the VM (`homes`, `accounts`) nor anything open. Gives the bytes that
    /// had been booked for them.
    pub fn sweep(&mut self, mut homes: Homes, mut accounts: HashSet<AccountId>) -> usize {
        for open in self.handles.iter() {
            homes.keep(open.owner);
            accounts.insert(open.account);
        }
        if let Some(unmet) = &self.unmet {
            homes.keep(unmet.authority);
            accounts.insert(unmet.account);
        }
        let freed = self.accounts.sweep(&accounts, &mut homes);
        freed + self.tree.sweep(&mut homes)
    }

    /// How many sandboxes this realm knows.
    #[must_use]
    pub fn sandboxes(&self) -> usize {
        self.tree.known()
    }

    /// What finding meetings has cost since this was last asked, in units of fuel: whoever called is to pay it.
    pub const fn take_work(&mut self) -> u64 {
        std::mem::replace(&mut self.tree.work, 0)
    }

    /// Bytes that new sandboxes took since this was last asked: whoever made them is to hold them.
    pub const fn take_grown(&mut self) -> usize {
        std::mem::replace(&mut self.tree.grown, 0)
    }

    /// How many sandboxes revoking this one goes through first.
    #[must_use]
    pub fn below(&self, s: SbxId) -> usize {
        self.tree.node(s).below()
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
            let now = self.run.outside.mono_ms();
            let made = make(&mut self.tree, &self.run.mounts, (site, now), self.accounts.of(site.account), request);
            self.crowded = matches!(&made, Err(Stop::Failed(why)) if why.contains(TOO_MANY_OPEN));
            if let Err(Stop::Room(_)) = made {
                // It will be asked again.
                return made;
            }
            if made.is_ok() {
                self.note_request(site.authority, request);
            }
            made
        };
        let subjects = made.as_ref().ok().map(|s| format!("#{}", self.tree.node(*s).number)).into_iter().collect();
        self.record(site, "sbxmk", subjects, Cow::Borrowed("attenuation"), Cost::default(), made.as_ref().err());
        made
    }

    /// Does a sandbox hold a native, and is it not revoked? The library itself holds none.
    #[must_use]
    pub fn has(&self, s: SbxId, native: NativeId) -> bool {
        self.tree.node(s).has(native)
    }

    /// What a sandbox may do: nothing when it was revoked.
    #[must_use]
    pub fn rights(&self, s: SbxId) -> Rights {
        if s == ANY || self.is_revoked(s) { Rights::none() } else { self.tree.node(s).rights.clone() }
    }

    /// The natives a sandbox holds, in the registry's order.
    #[must_use]
    pub fn caps(&self, s: SbxId) -> Vec<&'static str> {
        if self.is_revoked(s) { Vec::new() } else { self.tree.node(s).rights.caps().names() }
    }

    /// Revokes a sandbox, all made under it, and what they have open: `sbxrv`. Doing it again changes nothing.
    ///
    /// # Errors
    /// It was not made under the sandbox whose authority the caller has.
    pub fn revoke(&mut self, site: &CallSite<'_>, s: SbxId) -> Result<(), Stop> {
        let above = self.tree.is_within(s, site.authority);
        let allowed = self.live(site, "sbxrv").and_then(|()| if above { Ok(()) } else { Err(denial(site, "sbxrv", Rule::NotAbove, None)) });
        if allowed.is_ok() && s != ANY && s != VOID {
            self.tree.node(s).revoke();
            self.run.revocations.fetch_add(1, Ordering::AcqRel);
            self.heed();
        }
        let subjects = vec![format!("#{}", self.tree.node(s).number)];
        let stop = allowed.map_err(|stop| match stop {
            Stop::Denied(denial) => Stop::Denied(Box::new(Denial { on: subjects.clone(), ..*denial })),
            other => other,
        });
        self.record(site, "sbxrv", subjects, Cow::Borrowed("holder"), Cost::default(), stop.as_ref().err());
        stop
    }

    /// Closes what sandboxes opened that were revoked since this was last done, by whatever isolate.
    pub(crate) fn heed(&mut self) {
        let revocations = self.run.revocations.load(Ordering::Acquire);
        if revocations == self.heeded {
            return;
        }
        self.heeded = revocations;
        for handle in self.handles.owned_by(|owner| self.tree.node(owner).is_revoked()) {
            self.let_go(handle);
        }
        self.run.services.heed();
    }

    /// A call passed a gate: code ran with the authority of `site`, which is the gate's, whoever called it.
    pub fn passage(&mut self, site: &CallSite<'_>, function: &str) {
        self.record(site, "sbxgt", vec![function.to_owned()], Cow::Borrowed("gate"), Cost::default(), None);
    }

    /// Was a sandbox, or one it was made under, revoked?
    #[must_use]
    pub fn is_revoked(&self, s: SbxId) -> bool {
        self.tree.node(s).is_revoked()
    }

    /// Who pays for what is open: those charged, and those whose authority opened it.
    pub(crate) fn payers(&self, account: AccountId, authority: SbxId) -> Vec<SbxId> {
        let mut payers = self.accounts.of(account).to_vec();
        payers.extend(self.accounts.owners(&self.tree, account, authority));
        payers
    }

    /// Closes what a handle names; its number stays and answers that it was revoked.
    pub(crate) fn let_go(&mut self, id: HandleId) {
        self.held -= self.handles.size(id);
        let Some(open) = self.handles.get(id) else { return };
        if matches!(open.resource, Resource::Revoked(_)) {
            return;
        }
        open.resource = Resource::Revoked(open.resource.type_name());
        let (account, owner) = (open.account, open.owner);
        self.count_closed(account, owner);
    }

    /// One resource less is open.
    fn count_closed(&self, account: AccountId, owner: SbxId) {
        self.run.handles.fetch_sub(1, Ordering::Relaxed);
        for s in self.payers(account, owner) {
            self.tree.node(s).used.handles.sub(1);
        }
    }

    /// Lets an open resource go, as the VM's collector does when no value names it any more.
    pub fn close_handle(&mut self, id: HandleId) {
        self.held -= self.handles.size(id);
        if let Some(open) = self.handles.remove(id) {
            if matches!(open.resource, Resource::Revoked(_)) {
                return;
            }
            self.count_closed(open.account, open.owner);
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
        let now = self.run.outside.mono_ms();
        self.accounts.enter(&self.tree, from, s, now)
    }

    /// Bytes to be booked on the heap before [`Realm::account`] is asked.
    #[must_use]
    pub fn account_needs(&self, from: AccountId, s: SbxId) -> usize {
        self.accounts.needs(&self.tree, from, s)
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
        self.accounts.spend(&self.tree, account, Budget::Fuel, units);
    }

    /// The outermost sandbox of an account that is out of fuel or time.
    pub fn exhausted(&mut self, account: AccountId) -> Option<(Budget, SbxId)> {
        let now = self.run.outside.mono_ms();
        self.accounts.exhausted(&self.tree, account, now)
    }

    /// When an account's time is up, on the clock that only goes forward, and the sandbox whose time that is.
    #[must_use]
    pub fn deadline(&self, account: AccountId) -> Option<(f64, SbxId)> {
        self.accounts.deadline(&self.tree, account)
    }

    /// The clock that only goes forward, in milliseconds.
    #[must_use]
    pub fn mono_ms(&self) -> f64 {
        self.run.outside.mono_ms()
    }

    /// Was the run interrupted?
    #[must_use]
    pub fn interrupted(&self) -> bool {
        self.run.outside.interrupted()
    }

    /// A sandbox's own limits.
    #[must_use]
    pub fn limits(&self, s: SbxId) -> &Limits {
        &self.tree.node(s).limits
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
            self.tree.node(*s).used.memory.raise(bytes);
        }
    }
}

impl Drop for Realm {
    /// What it has open is open no more, which the other isolates of the run count on.
    fn drop(&mut self) {
        for handle in self.handles.owned_by(|_| true) {
            self.close_handle(handle);
        }
    }
}
