//! What a session does between two inputs: budgets begin anew, and the operator can change what the root sandbox holds.
//!
//! A sandbox never changes, so neither does the root's: with other grants there is another one in its place. What was made under the one before
//! ends with it, and so does what that had opened; otherwise a sandbox could keep what the operator has taken back. Nothing here is reached
//! by scripts.

use crate::grants::Grants;
use crate::ids::ROOT;
use crate::realm::Realm;
use crate::run::lock;
use crate::sandbox::Shared;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Realm {
    /// Begins the root's budgets anew, those of what is open and of memory apart. To be called when nothing runs.
    pub fn restart(&mut self) {
        let root = self.tree.node(ROOT);
        root.used.restart();
        root.restart(self.run.outside.mono_ms());
    }

    /// Puts another sandbox in the root's place, with these grants: the one before is revoked, with all that was made under it and all that is
    /// open. To be called when nothing runs, in the only realm there is. Programs stay as they are, and so do arguments.
    ///
    /// # Errors
    /// A mount has no valid name, a name twice, or there are too many; then nothing has changed.
    pub fn regrant(&mut self, grants: Grants) -> Result<(), String> {
        let before = Arc::clone(self.tree.node(ROOT));
        // No number of a mount is used again: what a sandbox of before may do can't be mistaken for something in a new one.
        let first = lock(&self.run.asked).next_mount(before.view().len());
        let (holding, variables, secrets) = Realm::holding(grants, first)?;
        let fixed = Shared::fixed(&self.run.records, holding);
        let [_, root, _] = &fixed;
        root.start(self.run.outside.mono_ms());
        before.revoke();
        self.run.revocations.fetch_add(1, Ordering::AcqRel);
        // The handles of the root's own, and of what was made under it.
        self.heed();
        let owned = self.handles.owned_by(|_| true);
        owned.into_iter().for_each(|handle| self.let_go(handle));
        *lock(&self.run.variables) = variables;
        *lock(&self.run.secrets) = secrets;
        lock(&self.run.asked).begin_anew(first);
        self.tree.replace_fixed(&fixed);
        let old = std::mem::replace(&mut *lock(&self.run.fixed), fixed);
        // Its rows in the record are still the root's.
        lock(&self.run.retired).extend(old);
        Ok(())
    }
}
