//! The doorway: the one way from a script to a native, and the record of every passage.

use crate::ask::Questions;
use crate::denial::{Denial, Rule};
use crate::event::{Cost, Verdict};
use crate::ids::{AccountId, ROOT, SbxId};
use crate::lease::Leases;
use crate::limits::Budget;
use crate::permit::Permit;
use crate::plain::{Arg, Plain};
use crate::realm::{CallSite, NativeFn, Realm};
use crate::record::Decision;
use crate::stop::Stop;
use ilu_cap::{Class, GrantKind, Kind, Native, NativeId, by_name};
use std::borrow::Cow;

/// Units of fuel that any call of a native costs.
pub(crate) const CALL_COST: u64 = 20;

/// A call for which there was no room yet.
pub(crate) struct Unmet {
    pub(crate) authority: SbxId,
    pub(crate) account: AccountId,
    file: String,
    line: u32,
    native: NativeId,
    subjects: Vec<String>,
    rule: Cow<'static, str>,
    cost: Cost,
}

/// What came of one attempt.
struct Passage {
    result: Result<Plain, Stop>,
    /// Calls that began.
    began: u64,
    /// Other natives that were called with it.
    besides: Vec<NativeId>,
    owners: Vec<SbxId>,
    worked: u64,
    subjects: Vec<String>,
    rule: Cow<'static, str>,
    cost: Cost,
}

impl Realm {
    /// The doorway.
    ///
    /// # Errors
    /// The call was denied, failed, or a budget ran out.
    pub fn call(&mut self, site: CallSite<'_>, native: NativeId, args: &[Arg<'_>]) -> Result<Plain, Stop> {
        self.unmet = None;
        self.heed();
        let mut questions = Questions::about(native, self.unmet_answer.take());
        let mut passage = self.attempt(&site, native, args);
        while let Err(Stop::Denied(denied)) = &passage.result
            // What has sent or read something already, as a request that is led elsewhere, is not done from the beginning again.
            && passage.cost.is_nothing()
            && let Some(authority) = self.wider(site.authority, denied, &mut questions)
        {
            let wider = CallSite { authority, ..site };
            passage = self.attempt(&wider, native, args);
            passage.rule = Cow::Borrowed("asked");
        }
        let Passage { result, began, besides, owners, worked, subjects, rule, cost } = passage;
        if matches!(result, Err(Stop::Room(_))) {
            // Nothing has happened: the VM makes room and calls again, and that call is the one that counts. Unless it can't. Nor is it billed,
            // or what a script costs would depend on when the collector ran.
            self.accounts.give_back(&self.tree, site.account, worked);
            let (authority, account, file, line) = (site.authority, site.account, site.file.to_owned(), site.line);
            self.unmet_answer = questions.answer(native);
            self.unmet = Some(Unmet { authority, account, file, line, native, subjects, rule, cost });
            return result;
        }
        if matches!(result, Err(Stop::Failed(_))) {
            self.failed = Some(native);
            self.failed_on = match native.row().grant {
                GrantKind::DirRead | GrantKind::DirWrite => subjects.clone(),
                _ => Vec::new(),
            };
        }
        for (native, times) in std::iter::once((native, began)).chain(besides.into_iter().map(|native| (native, 1))) {
            self.accounts.spend(&self.tree, site.account, Budget::Calls(native), times);
            for s in &owners {
                self.tree.node(*s).used.add(Budget::Calls(native), times);
            }
        }
        self.record(&site, native.name(), subjects, rule, cost, result.as_ref().err());
        result
    }

    /// One call, up to its result; nothing is recorded yet.
    fn attempt(&mut self, site: &CallSite<'_>, native: NativeId, args: &[Arg<'_>]) -> Passage {
        let owners = self.accounts.owners(&self.tree, site.account, site.authority);
        let (subjects, rule) = (Vec::new(), Cow::Borrowed("capability"));
        let (cost, leased, besides) = (Cost::default(), Leases::default(), Vec::new());
        let mut permit = Permit { realm: self, site, native, owners, worked: 0, subjects, rule, cost, leased, besides };
        let (result, began) = match permit.decide(args) {
            Ok(function) => {
                permit.realm.note_native(native);
                (function(&mut permit, args), 1)
            }
            Err(stop) => (Err(stop), 0),
        };
        let Permit { owners, worked, subjects, rule, cost, leased, besides, .. } = permit;
        if matches!(result, Err(Stop::Denied(_) | Stop::Room(_))) {
            // Nothing was done.
            leased.give_back();
        }
        Passage { result, began, besides, owners, worked, subjects, rule, cost }
    }

    /// The call that was last told to be made again has no room and ends with the sandbox whose memory ran out: it, too, was decided and is
    /// recorded, or it would be a way to learn of files that leaves no trace.
    pub fn gave_up(&mut self) {
        self.lose_line();
        let Some(unmet) = self.unmet.take() else { return };
        let Unmet { authority, account, file, line, native, subjects, rule, cost } = unmet;
        let site = CallSite { authority, account, file: &file, line, room: 0 };
        self.accounts.spend(&self.tree, account, Budget::Calls(native), 1);
        let stop = Stop::Limit { budget: Budget::Memory, of: authority };
        self.record(&site, native.name(), subjects, rule, cost, Some(&stop));
    }

    pub(crate) fn live(&self, site: &CallSite<'_>, native: &'static str) -> Result<(), Stop> {
        if self.run.records.is_broken() {
            return Err(denial(site, native, Rule::AuditBroken, None));
        }
        if self.is_revoked(site.authority) {
            return Err(denial(site, native, Rule::Revoked, None));
        }
        Ok(())
    }

    pub(crate) fn cap_hint(&self, authority: SbxId, row: &Native) -> String {
        if authority != ROOT && by_name(row.name).is_some_and(|id| self.tree.node(ROOT).rights.caps().has(id)) {
            return format!("\"{}\" in the list given to sbxmk", row.name);
        }
        format!("--grant {}", row.name)
    }

    pub(crate) fn record(
        &mut self,
        site: &CallSite<'_>,
        native: &'static str,
        subjects: Vec<String>,
        rule: Cow<'static, str>,
        cost: Cost,
        stop: Option<&Stop>,
    ) {
        let (verdict, rule) = match stop {
            None => (Verdict::Allowed, rule),
            Some(Stop::Denied(denial)) => (Verdict::Denied, Cow::Borrowed(denial.rule.code())),
            Some(Stop::Limit { budget, .. }) => (Verdict::Limit, Cow::Owned(budget.text())),
            Some(Stop::Failed(_) | Stop::Room(_) | Stop::Interrupted) => (Verdict::Failed, rule),
        };
        let denial = stop.and_then(|stop| if let Stop::Denied(denial) = stop { Some(&**denial) } else { None });
        let node = self.tree.node(site.authority);
        if verdict == Verdict::Denied {
            for s in self.accounts.of(site.account) {
                self.tree.node(*s).used.denied.add(1);
            }
            node.note_denied();
        }
        let when = self.run.outside.wall_ms();
        let records = &self.run.records;
        let mut recorder = records.recorder();
        let event = recorder.event(site, (node.number, self.task), Decision { native, subjects, rule, verdict, cost, denial }, when);
        records.keep(&mut recorder, node, event);
    }
}

impl Permit<'_> {
    /// The questions that come before the native's own.
    fn decide(&mut self, args: &[Arg<'_>]) -> Result<NativeFn, Stop> {
        let (site, row) = (self.site, self.native.row());
        if let (false, Some(Arg::Str(text))) = (row.grant == GrantKind::None, args.first()) {
            // What a refused call was about is known only when it is the first argument.
            match args.get(1) {
                Some(Arg::Num(port)) if row.grant == GrantKind::Net => self.about(&format!("{text}:{port}")),
                _ if row.class == Class::Http => self.about(&without_credentials(text)),
                _ => self.about(text),
            }
        }
        if let Err(Stop::Denied(mut denied)) = self.realm.live(site, row.name) {
            denied.on.clone_from(&self.subjects);
            return Err(Stop::Denied(denied));
        }
        if !self.native.exists() || !self.realm.has(site.authority, self.native) {
            let hint = self.realm.cap_hint(site.authority, row);
            return Err(self.deny(Rule::NotHeld, Some(hint)));
        }
        // From here on the native itself says what it is about.
        self.subjects.clear();
        check_args(row, args)?;
        let Some(function) = self.realm.run.natives.get(self.native) else {
            return Err(Stop::Failed(format!("`{}` is not in this build", row.name)));
        };
        if self.left(Budget::Calls(self.native)) == 0 {
            self.charge(Budget::Calls(self.native), 1)?;
        }
        let node = self.realm.tree.node(site.authority);
        if !node.leases.is_empty() {
            let leases = node.leases.of(self.native);
            self.lease(&leases)?;
        }
        self.work(CALL_COST)?;
        Ok(function)
    }
}

pub(crate) fn denial(site: &CallSite<'_>, native: &'static str, rule: Rule, grant: Option<String>) -> Stop {
    Stop::Denied(Box::new(Denial { native, on: Vec::new(), rule, grant, retry: false, file: site.file.to_owned(), line: site.line }))
}

/// A text that may be a URL without what stands before an `@` in front of its path: that may be a password, and nobody has read the URL yet.
fn without_credentials(text: &str) -> Cow<'_, str> {
    let start = text.find(':').map_or(0, |at| at + 1);
    let rest = text.get(start..).unwrap_or_default();
    let authority = rest.trim_start_matches(['/', '\\']);
    let slashes = rest.len() - authority.len();
    let end = authority.find(['/', '?', '#']).unwrap_or(authority.len());
    match authority.get(..end).and_then(|authority| authority.rfind('@')) {
        None => Cow::Borrowed(text),
        Some(at) => Cow::Owned(format!("{}…{}", text.get(..start + slashes).unwrap_or_default(), authority.get(at..).unwrap_or_default())),
    }
}

/// Are there as many arguments as the row says, each of its kind?
fn check_args(row: &Native, args: &[Arg<'_>]) -> Result<(), Stop> {
    let least = row.params.iter().filter(|param| !param.optional).count();
    if args.len() < least || args.len() > row.params.len() {
        let most = row.params.len();
        let takes = if least == most { format!("{most}") } else { format!("{least} to {most}") };
        let s = if takes == "1" { "" } else { "s" };
        return Err(Stop::Failed(format!("{} takes {takes} argument{s}, got {}", row.name, args.len())));
    }
    for (param, arg) in row.params.iter().zip(args) {
        let fits = match param.kind {
            Kind::Str => matches!(arg, Arg::Str(_)),
            Kind::Num => matches!(arg, Arg::Num(_)),
            Kind::Data => matches!(arg, Arg::Str(_) | Arg::Bytes(_)),
            Kind::List => matches!(arg, Arg::List(_)),
            Kind::Options => matches!(arg, Arg::Object(_)),
            Kind::Handle => matches!(arg, Arg::Handle(_)),
            Kind::Fun => matches!(arg, Arg::Other("fun" | "bif")),
            Kind::Any => true,
        };
        if !(fits || param.optional && matches!(arg, Arg::Nil)) {
            let (name, kind) = (param.name, param.kind.text());
            return Err(Stop::Failed(format!("{}: {name} is {kind}, got {}", row.name, arg.type_name())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_an_at_sign_is_not_shown() {
        for (url, shown) in [
            ("http://u:p@a.test/x", "http://…@a.test/x"),
            ("http://p@p@a.test", "http://…@a.test"),
            ("u:p@a.test", "u:…@a.test"),
            ("http:\\\\p@a.test", "http:\\\\…@a.test"),
            ("https://a.test/@name?x@y", "https://a.test/@name?x@y"),
            ("", ""),
        ] {
            assert_eq!(without_credentials(url), shown);
        }
    }
}
