//! Attenuation: a new sandbox gets what is asked for *and* held, and what is asked for and not held is told by name.
//!
//! What is asked becomes [`Rights`], and the algebra of rights settles the rest. Only directories are asked one by one: a path is a name
//! in the maker's view, and what a name is worth is what its mount is granted.

use crate::denial::quote;
use crate::ids::{ROOT, SbxId};
use crate::lease::{Lease, Leases, On, Terms};
use crate::limits::{Budget, Limits, NO_LIMIT};
use crate::path::{GuestPath, GuestPrefix};
use crate::realm::CallSite;
use crate::request::{Request, wrong};
use crate::run::lock;
use crate::sandbox::Holding;
use crate::stop::Stop;
use crate::tree::{NoPlace, Tree};
use crate::view::{Access, NoMount, OpenMounts, View};
use ilu_cap::rights::{Bound, Budgets, Names, Net, Quantity, Rights, RuleList, Subjects};
use ilu_cap::{CapSet, GrantKind, Unknown, by_name, near, nearest};
use ilu_pol::net::Rules;
use std::sync::{Arc, Mutex};

/// What is said when no more directories can be opened: letting go of sandboxes may help.
pub(crate) const TOO_MANY_OPEN: &str = "too many directories are open for sandboxes; revoke some";
/// Of how many missing names the nearest held one is looked for: each search looks at all that is held.
const MAX_NEAREST: usize = 16;

/// What was asked for and is not held, in words.
#[derive(Default)]
struct Missing {
    texts: Vec<String>,
}

impl Missing {
    fn add(&mut self, text: String) {
        self.texts.push(text);
    }

    /// With the nearest of the held names.
    fn add_name<'a>(&mut self, text: String, name: &str, held: impl Iterator<Item = &'a str>) {
        let known = if self.texts.len() < MAX_NEAREST { near(name, held) } else { None };
        self.add(known.map_or_else(|| text.clone(), |known| format!("{text} (did you mean {}?)", quote(known))));
    }
}

/// Makes a sandbox under `holder`; its costs will be drawn from what `payers` have left.
pub(crate) fn make(
    tree: &mut Tree,
    mounts: &Mutex<OpenMounts>,
    (site, now): (&CallSite<'_>, f64),
    payers: &[SbxId],
    request: &Request,
) -> Result<SbxId, Stop> {
    let holder = site.authority;
    let node = tree.node(holder);
    let (held, view) = (node.rights.clone(), node.view());
    let asked = asked(&held, &view, request)?;
    let spendable = spendable(tree, holder, payers, request, held.budgets())?;
    let mut missing = Missing::default();
    // A native is asked for by its name, and given bound as its holder's is.
    asked.caps().difference(held.caps()).iter().for_each(|id| missing.add(format!("`{}`", id.name())));
    let shares_subjects = std::ptr::eq(asked.subjects(), held.subjects());
    let names_missing = |asked: &Names, held: &Names| if shares_subjects { Names::default() } else { asked.difference(held) };
    for name in names_missing(&asked.subjects().env, &held.subjects().env).iter() {
        missing.add_name(format!("env {}", quote(name)), name, held.subjects().env.iter());
    }
    for name in names_missing(&asked.subjects().programs, &held.subjects().programs).iter() {
        missing.add_name(format!("run {}", quote(name)), name, held.subjects().programs.iter());
    }
    for name in names_missing(&asked.subjects().secrets, &held.subjects().secrets).iter() {
        missing.add_name(format!("secret {}", quote(name)), name, held.subjects().secrets.iter());
    }
    if let Some(rules) = &request.net {
        let rules = Rules::from_texts(rules).map_err(wrong)?;
        crate::net::missing(&held.subjects().net, &rules).into_iter().for_each(|text| missing.add(text));
    }
    let (asked, view) = match request.dirs {
        // As the maker has them, and shared with it.
        None => (asked, view),
        Some(_) => {
            let opened = open_dirs(lock(mounts).made_by(holder), (&held, &view), request, &mut missing, now)?;
            let subjects = Subjects { dirs: opened.dirs(), ..asked.subjects().clone() };
            (asked.with_subjects(subjects), Arc::new(opened))
        }
    };
    let by_flags = !missing.texts.is_empty();
    budgets_missing(asked.budgets(), &spendable, &mut missing);
    if !missing.texts.is_empty() && !request.lax {
        let more = if holder == ROOT && by_flags { "; --grant, --dir, --env, --run and --net give a script more" } else { "" };
        let missing = missing.texts.join(", ");
        return Err(wrong(format_args!("this sandbox does not hold {missing}{more}; with {{lax: tru}} it makes do with what is held")));
    }
    let rights = asked.intersection(&held.with_budgets(spendable));
    let limits = limits(request, rights.budgets());
    let leases = leases(request, now)?;
    tree.make(holder, Holding { rights, view, limits, leases }, site.room).map_err(|no| match no {
        NoPlace::Because(why) => wrong(why),
        NoPlace::Room(bytes) => Stop::Room(bytes),
    })
}

/// What is asked for, directories aside: what is left out is as the maker has it.
fn asked(held: &Rights, view: &View, request: &Request) -> Result<Rights, Stop> {
    let native = |name: &String| by_name(name).ok_or_else(|| unknown(name));
    let natives = request.caps.iter().map(native).collect::<Result<CapSet, Stop>>()?;
    let mut budgets = held.budgets().clone();
    for (quantity, most) in quantities(request) {
        if most.is_some() {
            budgets = budgets.with(quantity, most);
        }
    }
    for (name, n) in &request.calls {
        budgets = budgets.with_calls(native(name)?, Some(*n));
    }
    let asked = held.clone().with_natives(natives).with_budgets(budgets);
    let asked = bound(asked, view, request)?;
    if request.env.is_none() && request.programs.is_none() && request.net.is_none() && request.secrets.is_none() {
        return Ok(asked);
    }
    let mut subjects = held.subjects().clone();
    if let Some(names) = &request.secrets {
        subjects.secrets = names.iter().cloned().collect::<Names>();
    }
    if let Some(names) = &request.env {
        subjects.env = names.iter().cloned().collect::<Names>();
    }
    if let Some(names) = &request.programs {
        subjects.programs = names.iter().cloned().collect::<Names>();
    }
    if let Some(rules) = &request.net {
        subjects.net = Net::rules(RuleList::new(rules.iter().cloned()));
    }
    Ok(asked.with_subjects(subjects))
}

/// The natives of option `args` bound to what it names: environment variables and programs by their names, places by paths of the maker's.
fn bound(mut asked: Rights, view: &View, request: &Request) -> Result<Rights, Stop> {
    for (name, args) in &request.args {
        let native = by_name(name).ok_or_else(|| unknown(name))?;
        if !asked.natives().has(native) {
            return Err(wrong(format_args!("option args names `{}`, which is not among the capabilities asked for", native.name())));
        }
        let bound = match native.row().grant {
            GrantKind::DirRead | GrantKind::DirWrite => {
                let place = |path: &String| {
                    let guest = GuestPath::new(path).map_err(|bad| wrong(format_args!("option args: {}", bad.text())))?;
                    let asked = view.ask(guest, Access::Read).ok();
                    asked
                        .map(|asked| asked.grant.place)
                        .ok_or_else(|| wrong(format_args!("option args: no directory covers {}", quote(path))))
                };
                Bound::Places(args.iter().map(place).collect::<Result<_, Stop>>()?)
            }
            _ => Bound::Names(args.iter().cloned().collect::<Names>()),
        };
        asked = asked.narrow(native, &bound).ok_or_else(|| {
            let name = native.name();
            wrong(format_args!(
                "option args: `{name}` can't be bound; natives on directories, variables and programs can (addresses: option net)"
            ))
        })?;
    }
    Ok(asked)
}

/// The leases asked for, directories aside.
fn leases(request: &Request, now: f64) -> Result<Leases, Stop> {
    let lease = |(key, terms): &(String, Terms)| {
        let on = match key.as_str() {
            "" => On::All,
            "env" => On::Env,
            "net" => On::Net,
            name => On::Native(by_name(name).ok_or_else(|| unknown(name))?),
        };
        Ok(Lease::new(on, *terms, now))
    };
    request.leases.iter().map(lease).collect()
}

pub(crate) fn unknown(name: &str) -> Stop {
    wrong(Unknown::new(name, nearest(name)))
}

fn quantities(request: &Request) -> [(Quantity, Option<u64>); Quantity::ALL.len()] {
    [
        (Quantity::Fuel, request.fuel),
        (Quantity::Memory, request.memory),
        (Quantity::Time, request.wall_ms),
        (Quantity::Output, request.output),
        (Quantity::Handles, request.handles),
        (Quantity::Depth, request.depth),
        (Quantity::Read, request.read),
        (Quantity::Written, request.written),
        (Quantity::Tasks, request.tasks),
    ]
}

/// What the maker can give of the budgets asked for: of what is used up, what those who will pay have left; of the others (heap, time,
/// depth, open files, tasks: they come back or go by the clock), their limits.
fn spendable(tree: &Tree, holder: SbxId, payers: &[SbxId], request: &Request, held: &Budgets) -> Result<Budgets, Stop> {
    if request.calls.is_empty() && quantities(request).iter().all(|(_, most)| most.is_none()) {
        return Ok(held.clone());
    }
    let mut all = tree.ancestors(holder);
    all.extend(payers);
    let least = |of: &dyn Fn(SbxId) -> u64| Some(all.iter().map(|s| of(*s)).min().unwrap_or(NO_LIMIT));
    let mut budgets = held.clone();
    for (quantity, _) in quantities(request).into_iter().filter(|(_, most)| most.is_some()) {
        let most = least(&|s| match quantity {
            Quantity::Fuel => tree.node(s).left(Budget::Fuel),
            Quantity::Output => tree.node(s).left(Budget::Output),
            Quantity::Read => tree.node(s).left(Budget::Read),
            Quantity::Written => tree.node(s).left(Budget::Written),
            Quantity::Memory => tree.node(s).limits.memory,
            Quantity::Time => tree.node(s).limits.wall_ms,
            Quantity::Handles => tree.node(s).limits.handles,
            Quantity::Tasks => tree.node(s).limits.tasks,
            Quantity::Depth => tree.node(s).limits.of(Budget::Depth),
        });
        budgets = budgets.with(quantity, most);
    }
    let mut seen = CapSet::EMPTY;
    for (name, _) in &request.calls {
        let id = by_name(name).ok_or_else(|| unknown(name))?;
        if seen.has(id) {
            return Err(wrong(format_args!("option calls names `{}` twice", id.name())));
        }
        seen.insert(id);
        budgets = budgets.with_calls(id, least(&|s| tree.node(s).left(Budget::Calls(id))));
    }
    Ok(budgets)
}

fn budgets_missing(asked: &Budgets, spendable: &Budgets, missing: &mut Missing) {
    if asked.is_subset(spendable) {
        return;
    }
    let lost = asked.difference(spendable);
    for quantity in Quantity::ALL {
        if let (Some(asked @ 1..), Some(most)) = (lost.of(quantity), spendable.of(quantity)) {
            missing.add(format!("{} {asked} (at most {most})", quantity.text()));
        }
    }
    for (native, asked) in lost.all_calls().filter(|(_, asked)| *asked > 0) {
        let most = spendable.calls(native).unwrap_or(NO_LIMIT);
        missing.add(format!("{asked} calls of `{}` (at most {most})", native.name()));
    }
}

/// The limits that the new sandbox has beside those around it: of what was asked for.
fn limits(request: &Request, granted: &Budgets) -> Limits {
    let of = |quantity, asked: Option<u64>| asked.and(granted.of(quantity)).unwrap_or(NO_LIMIT);
    let calls = request.calls.iter().filter_map(|(name, _)| by_name(name));
    Limits {
        fuel: of(Quantity::Fuel, request.fuel),
        memory: of(Quantity::Memory, request.memory),
        wall_ms: of(Quantity::Time, request.wall_ms),
        output: of(Quantity::Output, request.output),
        handles: of(Quantity::Handles, request.handles),
        depth: u32::try_from(of(Quantity::Depth, request.depth)).unwrap_or(u32::MAX),
        read: of(Quantity::Read, request.read),
        written: of(Quantity::Written, request.written),
        tasks: of(Quantity::Tasks, request.tasks),
        calls: calls.map(|id| (id, granted.calls(id).unwrap_or(NO_LIMIT))).collect(),
    }
}

/// Opens the directories asked for, each through the mount it is named by.
fn open_dirs(
    open: &mut OpenMounts,
    (held, view): (&Rights, &View),
    request: &Request,
    missing: &mut Missing,
    now: f64,
) -> Result<View, Stop> {
    let mut opened = View::default();
    for dir in request.dirs.iter().flatten() {
        let path = |text| GuestPath::new(text).map_err(|bad| wrong(format_args!("option dir: {}", bad.text())));
        let (guest, at) = (GuestPrefix::new(path(&dir.guest)?), quote(&dir.at));
        let climbs = |path: &str| wrong(format_args!("option dir: {path} can't have `..` in it"));
        if guest.climbs() {
            return Err(climbs(&quote(&dir.guest)));
        }
        let asked = match view.ask(path(&dir.at)?, dir.access) {
            Err(NoMount::Climbs) => return Err(climbs(&at)),
            asked => asked,
        };
        let covered = asked.as_ref().ok().and_then(|asked| held.dirs().through(&asked.through.grant));
        let (Ok(asked), Some(covered)) = (asked, covered) else {
            let names = view.names();
            missing.add_name(format!("{at} {}", dir.access.text()), &dir.at, names.iter().map(String::as_str));
            continue;
        };
        if !covered.covers(dir.access) {
            missing.add(format!("{at} {} (it is {})", dir.access.text(), covered.text()));
        }
        let Some(access) = covered.meet(dir.access) else { continue };
        if access != dir.access && !request.lax {
            continue;
        }
        match asked.open(guest, access, open) {
            Ok(mut entry) => {
                if !dir.lease.is_endless() {
                    entry.leases = entry.leases.with(Lease::new(On::Mount, dir.lease, now));
                }
                if !opened.add(entry) {
                    return Err(wrong(format_args!("option dir: {} twice, or too many directories", quote(&dir.guest))));
                }
            }
            Err(NoMount::TooMany) => return Err(wrong(TOO_MANY_OPEN)),
            Err(_) => return Err(wrong(format_args!("option dir: {at} can't be opened within what this sandbox holds"))),
        }
    }
    Ok(opened)
}
