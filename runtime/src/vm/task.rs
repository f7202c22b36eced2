//! Tasks and channels as the VM sees them: the natives that it finishes itself once the doorway let them through, and parking.
//!
//! Such an operation either has its result at once, or changes nothing, leaves word who is to be woken, and says [`Fault::Wait`]: the
//! run then gives its state back ([`Went::Wait`]) and does the whole instruction again when it is woken. The doorway is asked, and the
//! operation billed, only the first time.

use super::Vm;
use super::chain::Exit;
use super::trace;
use crate::builtin::Fault;
use crate::heap::{Bound, Method, Shared};
use crate::task::{Channel, Crew, Job, MAX_CAPACITY, Parcel, Refused, Seat, Sent, Took, WaitsFor, pack, unpack};
use crate::value::{HandleRef, Kind, StrId, Value};
use ilu_cap::{Class, NativeId};
use ilu_lang::code::op::Word;
use ilu_sbx::plain::{Arg, HandleId};
use ilu_sbx::{PASS_COST, Sandbox, SbxId, Stop};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// A native that the VM finishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskOp {
    New,
    Send,
    Receive,
    Close,
    Spawn,
    Wait,
    Sleep,
}

/// Natives and the operations they are.
const OPS: [(&str, TaskOp); 7] = [
    ("__sys_chan_new", TaskOp::New),
    ("__sys_chan_send", TaskOp::Send),
    ("__sys_chan_recv", TaskOp::Receive),
    ("__sys_chan_close", TaskOp::Close),
    ("__sys_spawn", TaskOp::Spawn),
    ("__sys_wait", TaskOp::Wait),
    ("__sys_sleep", TaskOp::Sleep),
];

/// The methods of channels and tasks.
pub(crate) const METHODS: [(&str, &str, TaskOp); 8] = [
    ("chn", "snd", TaskOp::Send),
    ("chn", "send", TaskOp::Send),
    ("chn", "rcv", TaskOp::Receive),
    ("chn", "recv", TaskOp::Receive),
    ("chn", "cls", TaskOp::Close),
    ("chn", "close", TaskOp::Close),
    ("tsk", "wai", TaskOp::Wait),
    ("tsk", "wait", TaskOp::Wait),
];

impl TaskOp {
    fn table() -> &'static [Option<TaskOp>] {
        static TABLE: OnceLock<Vec<Option<TaskOp>>> = OnceLock::new();
        let op = |native: NativeId| OPS.iter().find(|(name, _)| *name == native.name()).map(|(_, op)| *op);
        TABLE.get_or_init(|| NativeId::all().map(op).collect())
    }

    /// The operation that a native is.
    pub(super) fn of(native: NativeId) -> Option<TaskOp> {
        Self::table().get(usize::from(native.0)).copied().flatten()
    }

    pub(crate) fn native(self) -> Result<NativeId, Fault> {
        let name = OPS.iter().find(|(_, op)| *op == self).map_or("", |(name, _)| *name);
        ilu_cap::by_name(name).ok_or(Fault::Broken("a native of tasks is not in the registry"))
    }
}

/// How far a run came.
pub(crate) enum Went<T> {
    /// To its end.
    Done(T),
    /// To where it can't go on by itself.
    Wait,
    /// As far as it may before others get their turn.
    Yield,
}

/// An operation that will be tried again.
pub(crate) struct Waiting {
    what: WaitsFor,
    on: On,
    /// When it ends by itself.
    until: Option<Instant>,
    /// The clock's key.
    timer: Option<(Instant, u64)>,
}

/// What an operation that waits has left word with.
enum On {
    Taking(Arc<Channel>, u64),
    Giving(Arc<Channel>, u64, Option<Parcel>),
    Job(Arc<Job>, u64),
    Clock,
}

/// Stands for a channel or task where the doorway sees arguments: it decides by the native and by whose the resource is.
const SOME_HANDLE: Arg<'static> = Arg::Handle(HandleId { index: u32::MAX, generation: u32::MAX });

/// Longest wait that a script can ask for: a hundred years.
const LONGEST_MS: f64 = 3.2e12;

impl Vm {
    /// Does what a native of tasks and channels is for.
    pub(super) fn task_op(&mut self, op: TaskOp, native: NativeId, args: &[Value], authority: SbxId) -> Result<Value, Fault> {
        let arg = |n: usize| args.get(n).copied().unwrap_or(Value::NIL);
        let most = native.row().params.len();
        let least = native.row().params.iter().filter(|param| !param.optional).count();
        if args.len() < least || args.len() > most {
            // The doorway words it.
            return self.plain_through_doorway(native, &vec![Arg::Nil; args.len()], authority).map(|_| Value::NIL);
        }
        // What is not held is denied, whatever it is called with.
        if !self.realm.has(authority, native) {
            return self.plain_through_doorway(native, &vec![Arg::Nil; args.len()], authority).map(|_| Value::NIL);
        }
        match op {
            TaskOp::New => self.channel_new(native, arg(0), authority),
            TaskOp::Send => self.send(native, arg(0), arg(1), authority),
            TaskOp::Receive => Ok(self.receive(native, arg(0), arg(1), authority)?.unwrap_or(Value::NIL)),
            TaskOp::Close => {
                let channel = self.channel(native, arg(0))?;
                self.admit(native, &[SOME_HANDLE], authority, channel.owner())?;
                channel.close();
                Ok(Value::NIL)
            }
            TaskOp::Spawn => self.spawn(native, arg(0), authority),
            TaskOp::Wait => self.wait_for(native, arg(0), authority),
            TaskOp::Sleep => self.sleep(native, arg(0), authority),
        }
    }

    /// A field of a channel or task: its method, at home where it is taken.
    pub(super) fn method(&mut self, of: HandleRef, name: StrId, home: SbxId) -> Result<Option<Value>, Fault> {
        let (kind, name) = (self.heap.type_name(of.into()), self.heap.str(name));
        let Some((_, _, op)) = METHODS.iter().find(|(of, method, _)| *of == kind && *method == name) else { return Ok(None) };
        let native = op.native()?;
        Ok(Some(self.heap.method_new(Method { of, native, home })?))
    }

    /// The names of the methods of what `typ` calls so.
    pub(super) fn methods_of(kind: &str) -> Vec<&'static str> {
        METHODS.iter().filter(|(of, _, _)| *of == kind).map(|(_, name, _)| *name).collect()
    }

    /// Asks the doorway, unless that was done before the operation waited. Whose the resource is must not have been revoked either way.
    fn admit(&mut self, native: NativeId, args: &[Arg<'_>], authority: SbxId, owner: &Sandbox) -> Result<(), Fault> {
        self.plain_through_doorway(native, args, authority)?;
        self.still(native, authority, owner)
    }

    /// Asks the doorway about a value that goes through a channel.
    fn pass(&mut self, native: NativeId, authority: SbxId, owner: &Sandbox) -> Result<(), Fault> {
        let room = self.room();
        {
            let Self { heap, realm, frames, account, .. } = self;
            let (file, line) = trace::script_place(heap, frames);
            realm.may_pass(&ilu_sbx::CallSite { authority, account: *account, file, line, room }, native).map_err(Fault::Stop)?;
        }
        self.spend(PASS_COST as usize)?;
        let Self { heap, realm, frames, account, .. } = self;
        let (file, line) = trace::script_place(heap, frames);
        let passed = realm.passed(&ilu_sbx::CallSite { authority, account: *account, file, line, room }, native);
        passed.map_err(Fault::Stop)?;
        self.still(native, authority, owner)
    }

    /// Neither who asks nor whose the resource is was revoked meanwhile.
    fn still(&mut self, native: NativeId, authority: SbxId, owner: &Sandbox) -> Result<(), Fault> {
        if !owner.is_revoked() && !self.realm.is_revoked(authority) {
            return Ok(());
        }
        let room = self.room();
        let Self { heap, realm, frames, account, .. } = self;
        let (file, line) = trace::script_place(heap, frames);
        Err(Fault::Stop(realm.revoked(&ilu_sbx::CallSite { authority, account: *account, file, line, room }, native)))
    }

    fn shared(&self, value: Value) -> Option<&Shared> {
        if let Kind::Handle(id) = value.kind() { self.heap.shared(id) } else { None }
    }

    fn channel(&self, native: NativeId, value: Value) -> Result<Arc<Channel>, Fault> {
        match self.shared(value) {
            Some(Shared::Channel(channel)) => Ok(Arc::clone(channel)),
            _ => Err(Fault::Message(format!("{}: a channel was expected, got {}", native.name(), self.given(value)))),
        }
    }

    /// The crew of the run, and the seat of this isolate.
    pub(super) fn crew(&mut self) -> (Arc<Crew>, Arc<Seat>) {
        if let Some((crew, seat)) = &self.crew {
            return (Arc::clone(crew), Arc::clone(seat));
        }
        let (crew, seat) = Crew::new(Arc::clone(&self.interrupt), Arc::clone(&self.stop));
        self.settle();
        self.reserve = 0;
        self.crew = Some((Arc::clone(&crew), Arc::clone(&seat)));
        self.settle();
        self.lease_heap();
        self.set_watch();
        (crew, seat)
    }

    /// The seat of this isolate.
    fn seat(&mut self) -> Arc<Seat> {
        match &self.crew {
            Some((_, seat)) => Arc::clone(seat),
            None => self.crew().1,
        }
    }

    fn channel_new(&mut self, native: NativeId, size: Value, authority: SbxId) -> Result<Value, Fault> {
        let capacity = match size.kind() {
            Kind::Nil => Some(0),
            Kind::Num(size) if size.fract() == 0.0 && (0.0..=MAX_CAPACITY as f64).contains(&size) => Some(size as usize),
            _ => None,
        };
        let Some(capacity) = capacity else {
            let given = self.given(size);
            return Err(Fault::Message(format!("{}: size is a whole number from 0 to {MAX_CAPACITY}, got {given}", native.name())));
        };
        self.plain_through_doorway(native, &[Arg::Num(capacity as f64)], authority)?;
        let channel = Channel::new(capacity, self.realm.sandbox(authority));
        self.crew().0.knows_channel(&channel);
        let shared = Shared::Channel(channel);
        self.received(shared.held(), |store| store.shared_new(shared))
    }

    /// A value that belongs to no heap, paid for. `what`: how an error calls it.
    pub(super) fn packed(&mut self, value: Value, what: &str) -> Result<Parcel, Fault> {
        let bound = Bound { work: u64::try_from(self.fuel + self.reserve).unwrap_or(0), bytes: self.heap.room() };
        let realm = &self.realm;
        match pack(&self.heap, value, bound, &|home| realm.sandbox(home)) {
            Ok((parcel, work)) => {
                self.spend(usize::try_from(work).unwrap_or(usize::MAX) / STEPS_PER_FUEL)?;
                if parcel.bytes() == 0 {
                    return Ok(parcel);
                }
                // On its way it is memory of the sender's.
                let purse = self.realm.purse(self.realm.root_account());
                let lease = purse.take(parcel.bytes() as u64).ok_or(crate::heap::Full { needs: parcel.bytes() })?;
                Ok(parcel.leased(lease))
            }
            Err(Refused::Overrun(overrun)) => Err(super::control::fault_of(overrun)),
            Err(Refused::Bound(kind)) => Err(Fault::Message(format!(
                "{what} can't go to another task: it holds an open resource ({kind}), which stays where it was opened; open it there"
            ))),
            Err(Refused::Broken(what)) => Err(Fault::Broken(what)),
        }
    }

    /// What came from another isolate, on this heap.
    pub(super) fn unpacked(&mut self, parcel: &Parcel) -> Result<Value, Fault> {
        if let Some(value) = parcel.now() {
            return Ok(value);
        }
        if parcel.bytes() > self.heap.room() && !self.lease_more(parcel.bytes()) {
            self.collect_for_fuel()?;
        }
        self.lease_to_receive(parcel.bytes());
        let made = self.unbounded(|vm| {
            let realm = &mut vm.realm;
            unpack(&mut vm.heap, parcel, &mut |sandbox| realm.adopt(sandbox).unwrap_or(ilu_sbx::VOID))
        });
        self.hold_sandboxes();
        made.map_err(|_| self.memory_limit())
    }

    fn send(&mut self, native: NativeId, channel: Value, value: Value, authority: SbxId) -> Result<Value, Fault> {
        let channel = self.channel(native, channel)?;
        let (key, parcel) = match self.waiting.take() {
            Some(Waiting { on: On::Giving(_, key, Some(parcel)), .. }) => {
                self.still_or(native, authority, channel.owner(), |_| channel.leave(key, false))?;
                (Some(key), parcel)
            }
            _ => {
                let parcel = self.packed(value, "the value")?;
                self.pass(native, authority, channel.owner())?;
                (None, parcel)
            }
        };
        let seat = self.seat();
        match channel.give(parcel, &seat, key) {
            Sent::Done => Ok(Value::NIL),
            Sent::Closed => Err(Fault::message("the channel is closed: nothing can be sent on it any more")),
            Sent::Wait(key, parcel) => {
                if let Some(text) = seat.take_deadlock() {
                    channel.leave(key, false);
                    return Err(Fault::Message(text));
                }
                self.wait(WaitsFor::Room, On::Giving(channel, key, Some(parcel)), None, None)
            }
        }
    }

    /// The next value of a channel; nothing when it is closed and empty. Nil when none came in time.
    pub(super) fn receive(&mut self, native: NativeId, channel: Value, ms: Value, authority: SbxId) -> Result<Option<Value>, Fault> {
        let channel = self.channel(native, channel)?;
        let (key, until, timer) = match self.waiting.take() {
            Some(Waiting { on: On::Taking(_, key), until, timer, .. }) => {
                self.still_or(native, authority, channel.owner(), |vm| {
                    channel.leave(key, true);
                    vm.cancel(timer);
                })?;
                (Some(key), until, timer)
            }
            _ => {
                let until = self.until(native, ms)?;
                self.pass(native, authority, channel.owner())?;
                (None, until, None)
            }
        };
        let seat = self.seat();
        match channel.take(&seat, key) {
            Took::Value(parcel) => {
                self.cancel(timer);
                seat.take_deadlock();
                self.unpacked(&parcel).map(Some)
            }
            Took::Closed => {
                self.cancel(timer);
                Ok(None)
            }
            Took::Wait(key) => {
                if until.is_some_and(|until| until <= Instant::now()) {
                    self.cancel(timer);
                    channel.leave(key, true);
                    return Ok(Some(Value::NIL));
                }
                if let Some(text) = seat.take_deadlock() {
                    channel.leave(key, true);
                    return Err(Fault::Message(text));
                }
                self.wait(WaitsFor::Value, On::Taking(channel, key), until, timer)
            }
        }
    }

    fn wait_for(&mut self, native: NativeId, task: Value, authority: SbxId) -> Result<Value, Fault> {
        let Some(Shared::Task(job)) = self.shared(task) else {
            return Err(Fault::Message(format!("{}: a task was expected, got {}", native.name(), self.given(task))));
        };
        let job = Arc::clone(job);
        let key = match self.waiting.take() {
            Some(Waiting { on: On::Job(_, key), .. }) => {
                self.still_or(native, authority, job.owner(), |_| job.leave(key))?;
                Some(key)
            }
            _ => {
                self.admit(native, &[SOME_HANDLE], authority, job.owner())?;
                None
            }
        };
        let seat = self.crew().1;
        if Arc::ptr_eq(&seat, &job.seat) {
            return Err(Fault::message("a task can't wait for itself: it would never end"));
        }
        match job.settled(&seat, key) {
            Ok(settled) => {
                seat.take_deadlock();
                let value = self.unpacked(&settled.parcel)?;
                self.pinned.push(value);
                let (val, err) = if settled.failed { (Value::NIL, value) } else { (value, Value::NIL) };
                if let Some(denial) = &settled.denial {
                    // Raised again, it is still the denial that it was.
                    self.denial = Some((value, denial.clone()));
                }
                let result = self.retrying(|vm| vm.try_result(val, err));
                self.pinned.pop();
                result
            }
            Err(key) => {
                if let Some(text) = seat.take_deadlock() {
                    job.leave(key);
                    return Err(Fault::Message(text));
                }
                let number = job.seat.number;
                self.wait(WaitsFor::Task(number), On::Job(job, key), None, None)
            }
        }
    }

    /// Waiting is parking in a task; the script's own isolate has its thread for itself.
    fn sleep(&mut self, native: NativeId, ms: Value, authority: SbxId) -> Result<Value, Fault> {
        let until = match self.waiting.take() {
            Some(Waiting { on: On::Clock, until, timer, .. }) => {
                if until.is_some_and(|until| until > Instant::now()) {
                    return self.wait(WaitsFor::Time, On::Clock, until, timer);
                }
                self.cancel(timer);
                return Ok(Value::NIL);
            }
            _ => match ms.kind() {
                Kind::Num(ms) if self.is_task() && ms.is_finite() && ms >= 0.0 => {
                    self.plain_through_doorway(native, &[Arg::Num(0.0)], authority)?;
                    later(ms)
                }
                _ => {
                    let ms = ms.as_num().map_or(Arg::Other(self.type_name(ms)), Arg::Num);
                    return self.plain_through_doorway(native, &[ms], authority).map(|_| Value::NIL);
                }
            },
        };
        self.wait(WaitsFor::Time, On::Clock, until, None)
    }

    /// What `ms` milliseconds from now are; nothing for nil.
    fn until(&self, native: NativeId, ms: Value) -> Result<Option<Instant>, Fault> {
        match ms.kind() {
            Kind::Nil => Ok(None),
            Kind::Num(ms) if ms >= 0.0 => Ok(later(ms)),
            _ => Err(Fault::Message(format!("{}: ms is a number from 0, got {}", native.name(), self.given(ms)))),
        }
    }

    fn still_or(&mut self, native: NativeId, authority: SbxId, owner: &Sandbox, leave: impl FnOnce(&mut Self)) -> Result<(), Fault> {
        let still = self.still(native, authority, owner);
        if still.is_err() {
            leave(self);
        }
        still
    }

    fn cancel(&mut self, timer: Option<(Instant, u64)>) {
        if let (Some(timer), Some((crew, _))) = (timer, &self.crew) {
            crew.cancel(timer);
        }
    }

    /// Leaves word that the operation is to be done again.
    fn wait<T>(&mut self, what: WaitsFor, on: On, until: Option<Instant>, timer: Option<(Instant, u64)>) -> Result<T, Fault> {
        self.waiting = Some(Waiting { what, on, until, timer });
        Err(Fault::Wait)
    }

    /// An operation that waited will not be done again.
    pub(super) fn stop_waiting(&mut self) {
        let Some(waiting) = self.waiting.take() else { return };
        self.cancel(waiting.timer);
        match waiting.on {
            On::Taking(channel, key) => channel.leave(key, true),
            On::Giving(channel, key, _) => channel.leave(key, false),
            On::Job(job, key) => job.leave(key),
            On::Clock => {}
        }
    }

    /// Parks, unless it was woken meanwhile; says whether it did.
    pub(crate) fn park(&mut self) -> bool {
        let (crew, seat) = self.crew();
        let Some(spot) = trace::script_spot(&self.heap, &self.frames) else { return false };
        let Some(waiting) = &mut self.waiting else { return false };
        if let Some(timer) = waiting.timer.take() {
            crew.cancel(timer);
        }
        let (parked, timer) = crew.park(&seat, waiting.until, (waiting.what, spot));
        waiting.timer = timer;
        parked
    }

    /// Whether this isolate is a task.
    pub(super) fn is_task(&self) -> bool {
        self.crew.as_ref().is_some_and(|(_, seat)| seat.number > 0)
    }

    /// The crew, when this is a task and a native may keep its thread waiting.
    pub(super) fn crew_of_blocking(&self, native: NativeId) -> Option<Arc<Crew>> {
        let (row, (crew, seat)) = (native.row(), self.crew.as_ref()?);
        (seat.number > 0 && (!row.kernel.is_empty() || row.class == Class::Stdio)).then(|| Arc::clone(crew))
    }

    /// Runs until it is done, can't go on, or has had so many slices of fuel.
    pub(crate) fn go(&mut self, slices: u32) -> Went<Result<Value, super::Ending>> {
        let mut slices = slices;
        if let Some(word) = self.parked.take() {
            self.settle();
            let outcome = self.look_around().and_then(|()| self.retrying(|vm| vm.slow(word)));
            if let Some(went) = self.came(outcome, Some(word)) {
                return went;
            }
        }
        loop {
            self.fresh.clear();
            let (outcome, word) = match self.fast() {
                Exit::Slow(word) => (self.retrying(|vm| vm.slow(word)), Some(word)),
                Exit::Fuel => {
                    let outcome = self.refuel();
                    slices = slices.saturating_sub(1);
                    if outcome.is_ok() && slices == 0 {
                        return Went::Yield;
                    }
                    (outcome, None)
                }
                Exit::Return(value) => (self.returned(value), None),
                Exit::Broken(what) => return Went::Done(Err(super::Ending::broken(what))),
            };
            if let Some(went) = self.came(outcome, word) {
                return went;
            }
        }
    }

    /// What an instruction's outcome means for the run; nothing when it goes on.
    pub(super) fn came(&mut self, outcome: Result<(), Fault>, word: Option<Word>) -> Option<Went<Result<Value, super::Ending>>> {
        match outcome {
            Ok(()) => {}
            Err(Fault::Wait) => {
                self.parked = word;
                self.settle_up();
                return Some(if word.is_some() { Went::Wait } else { Went::Done(Err(super::Ending::broken("a wait of no instruction"))) });
            }
            Err(fault) => {
                self.stop_waiting();
                if let Err(ending) = self.handle(fault) {
                    return Some(Went::Done(Err(ending)));
                }
            }
        }
        let value = self.finished.take()?;
        self.settle();
        Some(Went::Done(Ok(value)))
    }
}

/// Steps of copying that one unit of fuel pays for.
const STEPS_PER_FUEL: usize = 8;

/// So many milliseconds from now. A time that no clock shows does not come.
fn later(ms: f64) -> Option<Instant> {
    let wait = Duration::try_from_secs_f64(ms.min(LONGEST_MS) / 1e3).unwrap_or_default();
    Some(Instant::now().checked_add(wait).unwrap_or_else(|| Instant::now() + Duration::from_secs(3600)))
}

/// A refusal that is to be tried again from before what it interrupted: what lacked room, or can't go on yet.
pub(super) const fn is_to_be_repeated(fault: &Fault) -> bool {
    matches!(fault, Fault::Full(_) | Fault::Wait | Fault::Stop(Stop::Room(_)))
}
