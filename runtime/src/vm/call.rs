//! Calls: any callee, any number of arguments, another unit, another home.

use super::Vm;
use super::frame::{CallAt, Frame};
use super::task::{TaskOp, is_to_be_repeated};
use crate::builtin::{BuiltinRow, Fault, Run};
use crate::native;
use crate::value::{FunctionId, Kind, Value};
use ilu_cap::NativeId;
use ilu_lang::code::op::{Op, Word};
use ilu_lang::code::program::{FunctionCode, MAX_ARGUMENTS};
use ilu_sbx::{ANY, CallSite, SbxId, Stop};

/// What a function's parameters take.
#[derive(Clone, Copy)]
struct Takes {
    /// Fewest arguments.
    required: usize,
    /// Parameters that are no rest.
    named: usize,
    /// Whether there is a rest.
    rest: bool,
    /// Registers of the function.
    registers: usize,
}

impl Takes {
    fn of(code: &FunctionCode) -> Self {
        let required = code.required as usize;
        Self { required, named: required + code.optional as usize, rest: code.rest, registers: code.registers as usize }
    }
    fn fits(self, count: usize) -> bool {
        count >= self.required && (count <= self.named || self.rest)
    }
}

impl Vm {
    /// The call instructions.
    pub(super) fn call(&mut self, op: Op, word: Word) -> Result<(), Fault> {
        let (a, b, c, k) = (word.a(), word.b(), word.c(), word.k());
        let (base, authority) = (self.base(), self.authority());
        let at = base + a as usize;
        if self.fuel + self.reserve < 1 {
            return Err(Fault::Fuel);
        }
        match op {
            Op::Call => self.call_value(self.get(a), CallAt { args: at + 1, count: b as usize, dest: at, authority }, false)?,
            Op::CallSpread => self.call_spread(self.get(a), self.get(a.wrapping_add(1)), at)?,
            Op::CallBuiltin => self.call_builtin(k, CallAt { args: base + b as usize, count: c as usize, dest: at, authority })?,
            _ => self.call_native(k, CallAt { args: base + b as usize, count: c as usize, dest: at, authority })?,
        }
        // Billed only now: what lacked room is done again, and the bill must not depend on when the collector ran.
        self.fuel -= 1;
        Ok(())
    }

    /// `Push` of anything that it takes more for than room in a list: the builtin decides.
    pub(super) fn push(&mut self, word: Word) -> Result<(), Fault> {
        if self.fuel + self.reserve < 1 {
            return Err(Fault::Fuel);
        }
        let Some(BuiltinRow { run: Run::Pure(run), .. }) = self.builtins.get(word.k() as usize) else {
            return Err(Fault::Broken("builtin"));
        };
        let args = [self.get(word.a()), self.get(word.b())];
        self.counted(|cx| run(cx, &args))?;
        self.fuel -= 1;
        Ok(())
    }

    fn call_spread(&mut self, callee: Value, list: Value, at: usize) -> Result<(), Fault> {
        let Some(id) = list.as_list() else {
            let what = self.given(list);
            return Err(Fault::Message(format!("`..` spreads a list, got {what}")));
        };
        let count = self.heap.list(id).len();
        if count > MAX_ARGUMENTS {
            return Err(Fault::Message(format!("a call takes at most {MAX_ARGUMENTS} arguments, got {count}")));
        }
        self.ready_stack(at + 1 + count + super::WINDOW)?;
        if let Some(slots) = self.stack.get_mut(at + 1..at + 1 + count) {
            slots.copy_from_slice(self.heap.list(id));
        }
        let done = self.call_value(callee, CallAt { args: at + 1, count, dest: at, authority: self.authority() }, false);
        if done.as_ref().is_err_and(is_to_be_repeated) {
            // The call will be made again, from the list.
            self.put(at, callee);
            self.put(at + 1, list);
        }
        done
    }

    /// Calls anything. With `boundary`, the topmost boundary takes the result, whenever it comes.
    pub(super) fn call_value(&mut self, callee: Value, at: CallAt, boundary: bool) -> Result<(), Fault> {
        match callee.kind() {
            Kind::Function(id) => return self.push_call(id, at, boundary),
            Kind::Builtin(number) => {
                let at = self.where_named(callee, at)?;
                self.call_builtin(number, at)?;
            }
            Kind::Native(number) => {
                let at = self.where_named(callee, at)?;
                self.call_native(number, at)?;
            }
            Kind::Method(id) => {
                let method = self.heap.method(id).ok_or(Fault::Broken("a called method was collected"))?;
                let authority = self.authority_of_call(at.authority, method.home, false)?;
                let mut args = self.arguments(at);
                args.insert(0, method.of.into());
                let value = self.through_doorway(method.native, &args, authority)?;
                self.put(at.dest, value);
            }
            _ => return Err(self.not_a_function(callee)),
        }
        if boundary {
            let value = self.stack.get(at.dest).copied().unwrap_or(Value::NIL);
            self.complete(value)?;
        }
        Ok(())
    }

    /// A builtin or native that was named in a sandbox does no more than that sandbox may, whoever calls it.
    fn where_named(&mut self, callee: Value, at: CallAt) -> Result<CallAt, Fault> {
        let authority = self.authority_of_call(at.authority, SbxId(callee.home()), false)?;
        Ok(CallAt { authority, ..at })
    }

    /// The authority of a call: the meet of the current one and the callee's home; for a gate, its maker's.
    fn authority_of_call(&mut self, current: SbxId, home: SbxId, gate: bool) -> Result<SbxId, Fault> {
        if gate || current == ANY {
            Ok(home)
        } else if home == current || home == ANY {
            Ok(current)
        } else {
            self.meet(current, home)
        }
    }

    /// Books new sandboxes on the heap: there is room, or they would not have been made.
    pub(super) fn hold_sandboxes(&mut self) {
        let bytes = self.realm.take_grown();
        self.heap.hold(bytes);
    }

    /// The authority of code that both answer for. Where they meet is found once, which costs something.
    pub(super) fn meet(&mut self, a: SbxId, b: SbxId) -> Result<SbxId, Fault> {
        let met = self.realm.meet(a, b, self.heap.room() as u64).map_err(|lacking| {
            // It will be looked for again: that is when it is paid.
            self.realm.take_work();
            Fault::Stop(lacking)
        })?;
        if met != a && met != b {
            self.fresh.push(met);
        }
        let work = self.realm.take_work();
        if work > 0 {
            self.hold_sandboxes();
            self.look_soon(usize::try_from(work).unwrap_or(usize::MAX))?;
        }
        Ok(met)
    }

    /// Starts a call of a script's function. Its registers begin where the arguments are.
    pub(super) fn push_call(&mut self, id: FunctionId, at: CallAt, boundary: bool) -> Result<(), Fault> {
        let callee = self.heap.function(id).ok_or(Fault::Broken("a called function was collected"))?;
        let (unit, number, home, gate) = (callee.unit, callee.function, callee.home, callee.gate);
        let loaded = self.heap.units.get(unit).ok_or(Fault::Broken("a called unit was collected"))?;
        let code = loaded.program.functions.get(number as usize).ok_or(Fault::Broken("function"))?;
        let (entry, takes) = (code.entry, Takes::of(code));
        if !takes.fits(at.count) {
            return Err(wrong_count(&code.name, takes.required, if takes.rest { None } else { Some(takes.named) }, at.count));
        }
        self.ready_frame()?;
        self.ready_stack(at.args + super::WINDOW)?;
        self.bind(takes, at)?;
        let authority = self.authority_of_call(at.authority, home, gate)?;
        if gate {
            let room = self.room();
            let Self { heap, realm, frames, account, .. } = self;
            let (file, line) = super::trace::script_place(heap, frames);
            let program = heap.units.get(unit).map(|unit| &unit.program);
            let name = program.and_then(|program| program.functions.get(number as usize)).map_or("", |code| &code.name);
            realm.passage(&CallSite { authority, account: *account, file, line, room }, name);
        }
        self.frames.push(Frame { pc: entry, base: at.args as u32, unit, function: number, closure: id, authority, boundary });
        Ok(())
    }

    /// Puts arguments where a function expects them: unset marks for omitted ones, a list for surplus ones.
    fn bind(&mut self, takes: Takes, at: CallAt) -> Result<(), Fault> {
        let named = takes.named;
        let rest = if takes.rest {
            let surplus = self.stack.get(at.args + named..at.args + at.count.max(named)).unwrap_or_default().to_vec();
            Some(self.heap.list_new(&surplus)?)
        } else {
            None
        };
        let mut first_free = at.count;
        if let Some(omitted) = self.stack.get_mut(at.args + at.count.min(named)..at.args + named) {
            omitted.fill(Value::UNSET);
            first_free = named;
        }
        if let Some(list) = rest {
            self.put(at.args + named, list);
            first_free = named + 1;
        }
        // The verifier sees to it that a register is written before it is read; this only lets go of what other calls left here.
        if let Some(others) = self.stack.get_mut(at.args + first_free..at.args + takes.registers.max(first_free)) {
            others.fill(Value::NIL);
        }
        Ok(())
    }

    /// Calls a builtin; its result, unless it pushed a frame, is at `dest` afterwards.
    pub(super) fn call_builtin(&mut self, number: u32, at: CallAt) -> Result<(), Fault> {
        let Some(row) = self.builtins.get(number as usize) else { return Err(Fault::Broken("builtin")) };
        if !row.takes(at.count) {
            let (least, most) = row.args;
            return Err(wrong_count(row.name, least as usize, if most == u8::MAX { None } else { Some(most as usize) }, at.count));
        }
        match row.run {
            Run::Pure(run) => {
                let args = self.arguments(at);
                let value = self.counted(|cx| run(cx, &args))?;
                self.put(at.dest, value);
                Ok(())
            }
            Run::Control(which) => self.control(which, at),
        }
    }

    pub(super) fn arguments(&self, at: CallAt) -> Vec<Value> {
        self.stack.get(at.args..at.args + at.count).unwrap_or_default().to_vec()
    }

    fn call_native(&mut self, number: u32, at: CallAt) -> Result<(), Fault> {
        let args = self.arguments(at);
        let native = NativeId(u16::try_from(number).unwrap_or(u16::MAX));
        let value = self.through_doorway(native, &args, at.authority)?;
        self.put(at.dest, value);
        Ok(())
    }

    /// Calls a native with an authority, on values.
    pub(super) fn through_doorway(&mut self, native: NativeId, args: &[Value], authority: SbxId) -> Result<Value, Fault> {
        if let Some(op) = TaskOp::of(native) {
            return self.task_op(op, native, args, authority);
        }
        let plain = match self.called(native, args, authority) {
            Err(Fault::Stop(Stop::Failed(_))) if self.realm.take_crowded() => {
                // Resources that no value names any more are closed by the collector, which otherwise runs for memory only.
                let pinned = self.pinned.len();
                self.pinned.extend_from_slice(args);
                let collected = self.collect_for_fuel();
                self.pinned.truncate(pinned);
                collected?;
                self.called(native, args, authority)?
            }
            called => called?,
        };
        let bytes = native::size(&plain);
        let opened = if let ilu_sbx::Plain::Handle(id) = plain { Some(id) } else { None };
        let kind = opened.map_or("nil", |id| self.realm.handle_type(id));
        let value = self.received(bytes, |store| native::value(store, plain, kind));
        if let (Err(_), Some(id)) = (&value, opened) {
            // No value names it, so nothing else would ever close it.
            self.realm.close_handle(id);
        }
        value
    }

    fn called(&mut self, native: NativeId, args: &[Value], authority: SbxId) -> Result<ilu_sbx::Plain, Fault> {
        self.settle_up();
        let room = self.room();
        let crew = self.crew_of_blocking(native);
        let Self { heap, realm, frames, account, .. } = self;
        let args = native::arguments(heap, args)?;
        let (file, line) = super::trace::script_place(heap, frames);
        let site = CallSite { authority, account: *account, file, line, room };
        let result = match crew {
            // Its worker will be busy with nothing else: others may need another.
            Some(crew) => crew.blocking(|| realm.call(site, native, &args)),
            None => realm.call(site, native, &args),
        };
        drop(args);
        self.settle();
        self.book_buffers();
        result.map_err(Fault::Stop)
    }
}

/// A wrong argument count, in words.
fn wrong_count(name: &str, least: usize, most: Option<usize>, got: usize) -> Fault {
    let takes = match most {
        Some(most) if most == least => format!("{least}"),
        Some(most) => format!("{least} to {most}"),
        None => format!("at least {least}"),
    };
    let noun = if takes == "1" || takes == "at least 1" { "argument" } else { "arguments" };
    let name = if name == "\\" { "this function".to_owned() } else { format!("`{name}`") };
    Fault::Message(format!("{name} takes {takes} {noun}, got {got}"))
}
