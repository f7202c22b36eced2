//! The builtins that are the VM's business: output, `try`, everything about sandboxes, `os.exit`.

use super::Vm;
use super::frame::{CallAt, Ends};
use super::module::Key;
use super::task::is_to_be_repeated;
use crate::builtin::{Control, Fault, control::APPEND};
use crate::heap::{Bound, Function, Origin, Overrun};
use crate::native;
use crate::value::{Kind, Value};
use ilu_cap::NativeId;
use ilu_sbx::plain::{Arg, Plain};
use ilu_sbx::{CallSite, Request, SbxId, Stop};

/// Units of fuel that making a sandbox costs, as much as a native's call, and what opening one directory for it costs.
const MAKING: usize = 20;
/// See [`MAKING`].
const OPENING: usize = 50;
/// Sandboxes that one unit of fuel looks through for rows of their logs.
const SANDBOXES_PER_FUEL: usize = 64;
/// Rows of logs that one unit of fuel sorts.
const ROWS_PER_FUEL: usize = 8;

impl Vm {
    /// Runs a control builtin: its result is at `dest`, or a frame was pushed whose end puts it there.
    pub(super) fn control(&mut self, which: Control, at: CallAt) -> Result<(), Fault> {
        let args = self.arguments(at);
        let arg = |n: usize| args.get(n).copied().unwrap_or(Value::NIL);
        let value = match which {
            Control::Print => self.print(&args, "__sys_stdout", at.authority)?,
            Control::PrintError => self.print(&args, "__sys_stderr", at.authority)?,
            Control::Try => {
                self.callable(arg(0), "try")?;
                return self.call_above(arg(0), Ends::Try, None, at, self.account);
            }
            Control::Exit => return Err(exit(arg(0))),
            Control::Make => match self.make_sandbox(arg(0), arg(1), at.authority) {
                Err(Fault::Stop(Stop::Failed(_))) if self.realm.take_crowded() => {
                    // Directories are open for sandboxes that nothing refers to any more.
                    self.collect_for_fuel()?;
                    self.make_sandbox(arg(0), arg(1), at.authority)?
                }
                made => made?,
            },
            Control::Run | Control::RunTry => {
                let sandbox = self.sandbox(arg(0))?;
                let tries = which == Control::RunTry;
                self.callable(arg(1), if tries { "sbxtr" } else { "sbxrn" })?;
                if tries {
                    // Its denials will be looked for.
                    self.spend(self.realm.denials_kept(sandbox) / ROWS_PER_FUEL)?;
                }
                return self.enter(sandbox, arg(1), tries, at);
            }
            Control::Eval | Control::Load => return self.run_source(which, arg(0), arg(1), at),
            Control::Use => return self.use_inside(arg(0), arg(1), at),
            Control::Call => return self.call_inside(arg(0), arg(1), arg(2), at),
            Control::Has => {
                let sandbox = self.sandbox(arg(0))?;
                let native = self.native_named(arg(1))?;
                Value::bool(self.realm.has(sandbox, native))
            }
            Control::Explain => self.explain(arg(0), arg(1), at.authority)?,
            Control::List => {
                let names = self.realm.caps(self.sandbox(arg(0))?);
                self.heap_list(&names)?
            }
            Control::Current => self.heap.sandbox_new(at.authority)?,
            Control::Gate => self.gate(arg(0), at.authority)?,
            Control::Revoke => {
                let sandbox = self.sandbox(arg(0))?;
                self.look_through(sandbox)?;
                let room = self.room();
                let Self { heap, realm, frames, account, .. } = self;
                let (file, line) = super::trace::script_place(heap, frames);
                realm.revoke(&CallSite { authority: at.authority, account: *account, file, line, room }, sandbox).map_err(Fault::Stop)?;
                if let Some((crew, _)) = &self.crew {
                    crew.shake();
                }
                Value::NIL
            }
            Control::Log => {
                let sandbox = self.sandbox(arg(0))?;
                self.spend(self.realm.rows_kept() / ROWS_PER_FUEL)?;
                let rows = Plain::List(self.realm.log(sandbox));
                self.received(native::size(&rows), |store| native::value(store, rows, "fil"))?
            }
            Control::Used => {
                self.settle();
                let used = self.realm.used(self.sandbox(arg(0))?);
                self.received(native::size(&used), |store| native::value(store, used, "fil"))?
            }
            Control::Bundle => {
                let Some(name) = arg(0).as_str() else { return Err(Fault::message("a bundle is named by a str")) };
                let name = self.heap.str(name);
                let Some(bundle) = ilu_cap::bundle(name) else {
                    return Err(Fault::Message(format!("unknown bundle `{}`", ilu_sbx::denial::escape(name, 40))));
                };
                self.heap_list(&bundle.names())?
            }
            Control::Text => {
                if arg(0).as_str().is_some() {
                    arg(0)
                } else {
                    let text = self.text_of(&args, "")?;
                    self.heap.string_owned(text)?
                }
            }
            Control::Arity => self.arity(arg(0))?,
            Control::Append => {
                let native = self.native_named(Value::builtin(crate::builtin::number(APPEND, false).unwrap_or(u32::MAX)))?;
                let args = [arg(0), arg(1), self.append_option()?];
                self.through_doorway(native, &args, at.authority)?
            }
        };
        self.put(at.dest, value);
        Ok(())
    }

    /// The texts of values, joined. Paid for in fuel, and within the room there is.
    pub(super) fn text_of(&mut self, values: &[Value], between: &str) -> Result<String, Fault> {
        let mut out = String::new();
        for (n, &value) in values.iter().enumerate() {
            if n > 0 {
                out.push_str(between);
            }
            let bound = Bound { work: u64::try_from(self.fuel + self.reserve).unwrap_or(0), bytes: self.heap.room() };
            let told = crate::heap::text(&self.heap, value, &mut out, bound);
            // It was moved when it last grew, by half as much again.
            self.heap.note(out.capacity() + out.capacity() / 3 * 2);
            match told {
                Ok(work) => self.spend(usize::try_from(work).unwrap_or(usize::MAX))?,
                Err(overrun) => return Err(fault_of(overrun)),
            }
            if out.len() > self.heap.room() {
                return Err(crate::heap::Full { needs: out.len() }.into());
            }
        }
        Ok(out)
    }

    /// Structural equality where contents must be compared.
    pub(super) fn deep_equal(&mut self, x: Value, y: Value) -> Result<bool, Fault> {
        let bound = Bound { work: u64::try_from(self.fuel + self.reserve).unwrap_or(0), bytes: self.heap.room() };
        let (same, work) = crate::heap::equal(&self.heap.store, x, y, bound).map_err(fault_of)?;
        self.spend(usize::try_from(work).unwrap_or(usize::MAX))?;
        Ok(same)
    }

    fn print(&mut self, args: &[Value], native: &str, authority: SbxId) -> Result<Value, Fault> {
        let mut text = self.text_of(args, " ")?;
        text.push('\n');
        let native = ilu_cap::by_name(native).ok_or(Fault::Broken("no output native"))?;
        self.plain_through_doorway(native, &[Arg::Str(&text)], authority)?;
        Ok(Value::NIL)
    }

    /// Calls a native on plain data that is not on the heap.
    pub(super) fn plain_through_doorway(&mut self, native: NativeId, args: &[Arg<'_>], authority: SbxId) -> Result<Plain, Fault> {
        self.settle_up();
        let room = self.room();
        let Self { heap, realm, frames, account, .. } = self;
        let (file, line) = super::trace::script_place(heap, frames);
        realm.call(CallSite { authority, account: *account, file, line, room }, native, args).map_err(Fault::Stop)
    }

    pub(super) fn callable(&self, value: Value, who: &str) -> Result<(), Fault> {
        if super::make::is_callable(value) {
            return Ok(());
        }
        let what = self.given(value);
        Err(Fault::Message(format!("`{who}` calls a function, got {what}")))
    }

    pub(super) fn sandbox(&self, value: Value) -> Result<SbxId, Fault> {
        let Kind::Sandbox(id) = value.kind() else {
            let what = self.given(value);
            return Err(Fault::Message(format!("a sandbox was expected, got {what}")));
        };
        self.heap.sandbox(id).ok_or(Fault::Broken("sandbox"))
    }

    pub(super) fn native_named(&self, value: Value) -> Result<NativeId, Fault> {
        match value.kind() {
            Kind::Native(number) => Ok(NativeId(u16::try_from(number).unwrap_or(u16::MAX))),
            Kind::Builtin(number) if crate::builtin::name(number) == APPEND => {
                ilu_cap::by_name(APPEND).ok_or(Fault::Broken("no such alias"))
            }
            Kind::Str(id) => {
                let name = self.heap.str(id);
                ilu_cap::by_name(name).ok_or_else(|| Fault::Message(ilu_cap::Unknown::new(name, ilu_cap::nearest(name)).to_string()))
            }
            _ => {
                let what = self.given(value);
                Err(Fault::Message(format!("a native's name was expected, got {what}")))
            }
        }
    }

    /// `{append: tru}`
    fn append_option(&mut self) -> Result<Value, Fault> {
        let key = self.heap.intern("append")?;
        Ok(self.heap.object_with(&[key], &[Value::TRUE])?)
    }

    fn heap_list(&mut self, names: &[&str]) -> Result<Value, Fault> {
        let list = self.heap.list_with_capacity(names.len())?;
        for name in names {
            let name = self.heap.string(name)?;
            self.heap.list_push(list, name)?;
        }
        Ok(list.into())
    }

    /// Pays for a look at everything made under a sandbox.
    fn look_through(&mut self, sandbox: SbxId) -> Result<(), Fault> {
        match self.realm.below(sandbox) / SANDBOXES_PER_FUEL {
            0 => Ok(()),
            units => self.look_soon(units),
        }
    }

    fn make_sandbox(&mut self, caps: Value, opts: Value, authority: SbxId) -> Result<Value, Fault> {
        self.look_soon(MAKING)?;
        // What is left before a collection is due: what is made comes with memory of its own.
        let room = self.heap.room() as u64;
        let Self { heap, realm, frames, account, .. } = self;
        let args = native::arguments(heap, &[caps, opts])?;
        let (Some(caps), opts) = (args.first(), args.get(1)) else { return Err(Fault::Broken("arguments")) };
        let request = Request::from_args(caps, opts).map_err(Fault::Stop)?;
        // Each directory is opened. A request has few.
        let opening = request.dirs.as_ref().map_or(0, Vec::len) * OPENING;
        self.fuel -= opening as i64;
        let (file, line) = super::trace::script_place(heap, frames);
        let made = realm.make(&CallSite { authority, account: *account, file, line, room }, &request);
        if let Err(Stop::Room(_)) = made {
            // It will be done again, and what is billed must not depend on when the collector ran.
            self.fuel += (MAKING + opening) as i64;
        }
        let made = made.map_err(Fault::Stop)?;
        self.hold_sandboxes();
        self.fresh.push(made);
        self.received(size_of::<SbxId>(), |store| store.sandbox_new(made))
    }

    /// `sbxev` and `sbxld`: a fresh unit at home in the sandbox.
    fn run_source(&mut self, which: Control, sandbox: Value, source: Value, at: CallAt) -> Result<(), Fault> {
        let sandbox = self.sandbox(sandbox)?;
        let Some(id) = source.as_str() else {
            let what = self.given(source);
            return Err(Fault::Message(format!("text was expected, got {what}")));
        };
        let given = self.heap.str(id).to_owned();
        let home = self.meet(at.authority, sandbox)?;
        let at = CallAt { authority: home, ..at };
        let inner = self.account_inside(sandbox)?;
        // Reading and compiling, too, is paid by the sandbox: the text may be anybody's.
        self.above_boundary(Ends::Enter(sandbox), Some(sandbox), at.dest, inner, |vm| {
            let (name, text, origin) = if which == Control::Eval {
                ("<eval>".to_owned(), given, Origin::Text)
            } else {
                let text = vm.read_source(&given, home)?;
                (given.clone(), text, Origin::File(given.into()))
            };
            let program = vm.compile(&name, text)?;
            // Tried again from here when room is lacking: what was read and compiled is not done twice.
            vm.retrying(|vm| {
                let main = vm.main_function(&program, origin.clone(), home)?;
                vm.call_on_top(main.into(), at)
            })
        })
    }

    /// `sbxus`: a module's names, its functions at home in the sandbox.
    fn use_inside(&mut self, sandbox: Value, name: Value, at: CallAt) -> Result<(), Fault> {
        let sandbox = self.sandbox(sandbox)?;
        let Some(id) = name.as_str() else {
            let what = self.given(name);
            return Err(Fault::Message(format!("a module is named by a str, got {what}")));
        };
        let name: Box<str> = self.heap.str(id).into();
        let home = self.meet(at.authority, sandbox)?;
        let key = if name.ends_with(".ilu") { Key::File(super::module::joined("", &name), home) } else { Key::Std(name, home) };
        self.load_module(key, CallAt { authority: home, ..at }, Some(sandbox))
    }

    /// `sbxca`: one native with the sandbox's authority, charged to it.
    fn call_inside(&mut self, sandbox: Value, native: Value, list: Value, at: CallAt) -> Result<(), Fault> {
        let sandbox = self.sandbox(sandbox)?;
        let Some(mut args) = list.as_list().map(|id| self.heap.list(id).to_vec()) else { return Err(Fault::Broken("arguments")) };
        if args.len() == 2 && native.as_str().is_some_and(|name| self.heap.str(name) == APPEND) {
            args.push(self.append_option()?);
        }
        let native = self.native_named(native)?;
        let authority = self.meet(at.authority, sandbox)?;
        self.ready_boundary()?;
        let inner = self.account_inside(sandbox)?;
        self.push_boundary(Ends::Enter(sandbox), Some(sandbox), at.dest, inner);
        self.has_something_left()?;
        match self.through_doorway(native, &args, authority) {
            Ok(value) => self.complete(value),
            Err(fault) if is_to_be_repeated(&fault) => {
                self.pop_boundary();
                Err(fault)
            }
            Err(fault) => Err(fault),
        }
    }

    /// A function like another, but calls through it run with the authority of here, as far as the function itself may.
    fn gate(&mut self, value: Value, authority: SbxId) -> Result<Value, Fault> {
        let Some(function) = value.as_function().and_then(|id| self.heap.function(id)).cloned() else {
            let what = self.given(value);
            return Err(Fault::Message(format!("a gate is made of a function of the script, got {what}")));
        };
        let home = if function.gate { function.home } else { self.meet(authority, function.home)? };
        let home = self.meet(authority, home)?;
        Ok(self.heap.function_new(Function { home, gate: true, ..function })?.into())
    }

    /// How many arguments a function takes at least, and at most (nil: any number).
    fn arity(&mut self, value: Value) -> Result<Value, Fault> {
        let (least, most) = match value.kind() {
            Kind::Function(id) => {
                let function = self.heap.function(id).ok_or(Fault::Broken("function"))?;
                let unit = self.heap.units.get(function.unit).ok_or(Fault::Broken("no unit"))?;
                let code = unit.program.functions.get(function.function as usize).ok_or(Fault::Broken("function"))?;
                let most = usize::from(code.required) + usize::from(code.optional);
                (usize::from(code.required), if code.rest { None } else { Some(most) })
            }
            Kind::Builtin(number) => {
                let (least, most) = self.builtins.get(number as usize).map_or((0, 0), |row| row.args);
                (least as usize, if most == u8::MAX { None } else { Some(most as usize) })
            }
            Kind::Native(number) => {
                let row = NativeId(u16::try_from(number).unwrap_or(u16::MAX)).row();
                (row.params.iter().filter(|param| !param.optional).count(), Some(row.params.len()))
            }
            Kind::Method(id) => {
                let row = self.heap.method(id).ok_or(Fault::Broken("method"))?.native.row();
                let least = row.params.iter().filter(|param| !param.optional).count();
                (least.saturating_sub(1), Some(row.params.len().saturating_sub(1)))
            }
            _ => {
                let what = self.given(value);
                return Err(Fault::Message(format!("a function was expected, got {what}")));
            }
        };
        let most = most.map_or(Value::NIL, |most| Value::num(most as f64));
        Ok(self.heap.list_new(&[Value::num(least as f64), most])?)
    }
}

pub(super) fn fault_of(overrun: Overrun) -> Fault {
    match overrun {
        Overrun::Work => Fault::Fuel,
        Overrun::Late => Fault::Late,
        Overrun::Bytes(needs) => crate::heap::Full { needs }.into(),
    }
}

fn exit(code: Value) -> Fault {
    let number = if code == Value::NIL { Some(0.0) } else { code.as_num() };
    match number {
        Some(number) if number.fract() == 0.0 && (0.0..=255.0).contains(&number) => Fault::Exit(number as u8),
        _ => Fault::message("an exit code is a whole number from 0 to 255"),
    }
}
