//! Asking the operator for what a call lacks, while the run waits.
//!
//! The root sandbox itself never grows: what the operator adds is held by a sandbox beside it that no code can name or enter, and a call of the
//! root's own code that was denied is made again with that one's rights. So nothing that was made before, and nothing that code makes
//! inside, gets any of it.

use crate::denial::{Denial, Rule};
use crate::grants::Mount;
use crate::ids::{ROOT, SbxId};
use crate::limits::Limits;
use crate::path::{GuestPath, GuestPrefix};
use crate::realm::Realm;
use crate::run::lock;
use crate::sandbox::{Holding, Shared};
use ilu_cap::rights::{Budgets, Net, Rights, RuleList, Subjects};
use ilu_cap::{CapSet, NativeId};
use std::sync::Arc;

/// What the operator adds to the grants.
#[derive(Debug, Default)]
pub struct Addition {
    /// Natives.
    pub natives: Vec<NativeId>,
    /// Directories and files; one of a name that is there takes its place.
    pub mounts: Vec<Mount>,
    /// Variables and their values.
    pub env: Vec<(String, String)>,
    /// Network rules.
    pub net: Vec<String>,
}

/// What the operator says.
#[derive(Debug)]
pub enum Answer {
    /// No.
    No,
    /// For this one call.
    Once(Addition),
    /// From now on until the run ends.
    Run(Addition),
}

/// Whoever started the run, and can be asked while it waits.
pub trait Operator: Send + Sync {
    /// A call of the root's own code was denied: may it be made all the same, and with what?
    fn ask(&self, denied: &Denial) -> Answer;
}

/// How often one call is asked about: first for its native, then for each of its operands.
const MAX_QUESTIONS: usize = 4;

/// What was added so far.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// The sandbox that holds the root's rights and what was added for the whole run.
    held: Option<Arc<Shared>>,
    /// The numbers of all that hold something added, and those of mounts.
    numbers: Vec<u64>,
    mounts: u32,
    /// The number of the root's first mount.
    first: u32,
    env: Vec<(String, String)>,
}

impl Asked {
    /// A number that no mount has had: the root's own begin at 0, `count` there are now, and what was added came behind them.
    pub(crate) fn next_mount(&self, count: usize) -> u32 {
        let own = u32::try_from(count).unwrap_or(u32::MAX);
        self.first.saturating_add(own).saturating_add(self.mounts)
    }

    /// Another root holds mounts that are numbered from `first`: what was added to the one before is gone.
    pub(crate) fn begin_anew(&mut self, first: u32) {
        *self = Asked { first, ..Asked::default() };
    }

    /// The value of an added variable. That the caller may read it has been decided.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.env.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

/// The questions about one call.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    asked: usize,
    tried: bool,
    wider: Option<Arc<Shared>>,
    /// What was answered before, when the call is made again because there was no room.
    again: Option<Arc<Shared>>,
}

impl Questions {
    /// About a call that may be one that was told to be made again.
    pub(crate) fn about(native: NativeId, unmet: Option<(NativeId, Arc<Shared>)>) -> Questions {
        Questions { again: unmet.filter(|(known, _)| *known == native).map(|(_, wider)| wider), ..Questions::default() }
    }

    /// With whose rights the call was made at last.
    pub(crate) fn answer(self, native: NativeId) -> Option<(NativeId, Arc<Shared>)> {
        self.wider.map(|wider| (native, wider))
    }
}

/// Is what is missing something that an addition can hold?
const fn may_be_asked(rule: &Rule) -> bool {
    matches!(rule, Rule::NotHeld | Rule::NoGrant | Rule::ReadOnly(_) | Rule::NoVariable | Rule::NoConnection | Rule::SpecialAddress(_))
}

impl Realm {
    /// With whose rights a denied call is to be made again, if at all.
    pub(crate) fn wider(&mut self, authority: SbxId, denied: &Denial, questions: &mut Questions) -> Option<SbxId> {
        let run = Arc::clone(&self.run);
        let operator = run.operator.get()?;
        if authority != ROOT || !may_be_asked(&denied.rule) {
            return None;
        }
        if let Some(again) = questions.again.take() {
            questions.tried = true;
            let wider = self.tree.adopt(&again).ok();
            questions.wider = Some(again);
            return wider;
        }
        if !std::mem::replace(&mut questions.tried, true) {
            questions.wider = lock(&run.asked).held.clone();
            if let Some(held) = &questions.wider {
                return self.tree.adopt(held).ok();
            }
        }
        if questions.asked >= MAX_QUESTIONS || self.tree.node(ROOT).is_revoked() {
            return None;
        }
        questions.asked += 1;
        let (addition, stays) = match operator.ask(denied) {
            Answer::No => return None,
            Answer::Once(addition) => (addition, false),
            Answer::Run(addition) => (addition, true),
        };
        let before = questions.wider.clone().unwrap_or_else(|| Arc::clone(self.tree.node(ROOT)));
        let wider = self.widened(&before, addition)?;
        let sandbox = Arc::clone(self.tree.node(wider));
        let mut asked = lock(&run.asked);
        asked.numbers.push(sandbox.number);
        if stays {
            asked.held = Some(Arc::clone(&sandbox));
        }
        questions.wider = Some(sandbox);
        Some(wider)
    }

    /// A sandbox with the rights of one and something added.
    fn widened(&mut self, before: &Arc<Shared>, addition: Addition) -> Option<SbxId> {
        let mut view = (*before.view()).clone();
        let run = Arc::clone(&self.run);
        let mut asked = lock(&run.asked);
        for mount in addition.mounts {
            let guest = GuestPrefix::new(GuestPath::new(&mount.guest).ok()?);
            let number = asked.next_mount(self.tree.node(ROOT).view().len());
            asked.mounts += 1;
            if !view.put(guest, number, mount.access, mount.opened) {
                return None;
            }
        }
        let env = addition.env.iter().map(|(name, _)| name.as_str()).collect();
        asked.env.extend(addition.env);
        drop(asked);
        let net = if addition.net.is_empty() { Net::default() } else { Net::rules(RuleList::new(addition.net)) };
        let subjects = Subjects { dirs: view.dirs(), env, net, ..Subjects::default() };
        let natives: CapSet = addition.natives.into_iter().collect();
        let rights = before.rights.union(&Rights::new(natives, subjects, Budgets::UNLIMITED));
        // Its places are those of its mounts, and no others.
        let subjects = Subjects { dirs: view.dirs(), ..rights.subjects().clone() };
        let rights = rights.with_subjects(subjects).with_budgets(before.rights.budgets().clone());
        self.tree.make(ROOT, Holding { rights, view: Arc::new(view), limits: Limits::none(), leases: before.leases.clone() }, u64::MAX).ok()
    }

    /// Was this opened, for the root's own code, with something that the operator added?
    pub(crate) fn is_added(&self, authority: SbxId, owner: SbxId) -> bool {
        authority == ROOT && self.run.operator.get().is_some() && lock(&self.run.asked).numbers.contains(&self.tree.node(owner).number)
    }

    /// Lets the operator be asked.
    pub fn set_operator(&mut self, operator: Box<dyn Operator>) {
        // Once for a run: whoever is asked stays the same.
        let _ = self.run.operator.set(operator);
    }
}
