//! What a call would come to, with the authority of a sandbox: asked of the doorway, and nothing is done.

use super::Vm;
use crate::builtin::Fault;
use crate::foresee::Still;
use crate::native;
use crate::value::{Kind, Value};
use ilu_sbx::SbxId;
use ilu_sbx::plain::{Arg, Plain};

/// Units of fuel that a question costs: a run is made for it.
const ASKING: usize = 500;
/// Bytes that it takes while it lasts.
const ROOM: usize = 64 << 10;

impl Vm {
    /// `{eff, native, on, rule, why, need, fails}` of a call `[native, ..args]` with the authority of a sandbox as far as that of here goes.
    pub(super) fn explain(&mut self, sandbox: Value, call: Value, authority: SbxId) -> Result<Value, Fault> {
        let sandbox = self.sandbox(sandbox)?;
        let words = match call.kind() {
            Kind::List(id) => self.heap.list(id).to_vec(),
            _ => vec![call],
        };
        let Some((name, args)) = words.split_first() else {
            return Err(Fault::message("polex explains a call: a native's name, or a list of its name and its arguments"));
        };
        let native = self.native_named(*name)?;
        let authority = self.meet(authority, sandbox)?;
        self.spend(ASKING)?;
        self.heap.charge(ROOM)?;
        let args = native::arguments(&self.heap, args);
        let asked = args.map(|args| {
            let open = args.iter().any(|arg| matches!(arg, Arg::Handle(_)));
            (self.realm.foresee(authority, Box::new(Still), native, &args), open)
        });
        self.heap.release(ROOM);
        let (foreseen, open) = asked?;
        let foreseen =
            foreseen.map_err(|error| Fault::Message(format!("this can't be asked here: {}", ilu_sbx::permit::os_text(&error))))?;
        let text = |text: Option<String>| text.map_or(Plain::Nil, Plain::Str);
        let denied = foreseen.denied;
        let on = denied.as_ref().filter(|denial| !denial.on.is_empty()).map_or(foreseen.on, |denial| denial.on.clone());
        let answer = Plain::Object(vec![
            ("eff".to_owned(), Plain::Bool(denied.is_none())),
            ("native".to_owned(), Plain::Str(native.name().to_owned())),
            ("on".to_owned(), Plain::List(on.into_iter().map(Plain::Str).collect())),
            ("rule".to_owned(), Plain::Str(denied.as_ref().map_or(foreseen.rule, |denial| denial.rule.code().to_owned()))),
            ("why".to_owned(), text(denied.as_ref().map(|denial| denial.rule.text()))),
            ("need".to_owned(), text(denied.and_then(|denial| denial.grant))),
            // What is open here is not open in the run that was asked.
            ("fails".to_owned(), text(foreseen.fails.filter(|_| !open))),
        ]);
        self.received(native::size(&answer), |store| native::value(store, answer, "fil"))
    }
}
