//! A task from its start to its end: a future whose poll runs a VM for a few slices of fuel.

use super::task::Went;
use super::trace;
use super::{Ending, Start, Vm, Why};
use crate::builtin::Fault;
use crate::engine::Engine;
use crate::heap::Shared;
use crate::task::{Crew, Failure, Job, Parcel, Seat, Settled};
use crate::value::Value;
use ilu_cap::NativeId;
use ilu_sbx::plain::Arg;
use ilu_sbx::{Realm, Sandbox, SbxId, TaskPlace};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

/// Slices of fuel that a task has before others get their turn: a few milliseconds.
const SLICES: u32 = 4;

/// A task that has not begun.
struct Fresh {
    engine: Engine,
    realm: Realm,
    loader: Option<super::module::SharedLoader>,
    function: Parcel,
    authority: Sandbox,
    stress: bool,
    stepped: bool,
    /// Whether it is charged to nobody but the root.
    in_root: bool,
}

enum State {
    Fresh(Box<Fresh>),
    /// Its isolate is there, and what it is to call.
    Starting(Box<Vm>, Parcel),
    Going(Box<Vm>),
    Over,
}

/// A task.
struct Running {
    state: State,
    crew: Arc<Crew>,
    job: Arc<Job>,
    /// Free before anybody hears that the task is over.
    place: Option<TaskPlace>,
}

impl Vm {
    /// `__sys_spawn`: a task that calls a function without arguments.
    pub(super) fn spawn(&mut self, native: NativeId, function: Value, authority: SbxId) -> Result<Value, Fault> {
        self.callable(function, native.name())?;
        let function = self.packed(function, "the function")?;
        self.plain_through_doorway(native, &[Arg::Other("fun")], authority)?;
        let (crew, _) = self.crew();
        let place = self.realm.task_place(self.account, authority).map_err(Fault::Stop)?;
        let Some(spot) = trace::script_spot(&self.heap, &self.frames) else { return Err(Fault::Broken("no place")) };
        let realm = self.realm.fork(self.account).map_err(Fault::Stop)?;
        let owner = self.realm.sandbox(authority);
        let job = Job::new(crew.seat(), owner.clone(), spot);
        let shared = Shared::Task(Arc::clone(&job));
        let task = match self.received(shared.held(), |store| store.shared_new(shared)) {
            Ok(task) => task,
            Err(fault) => {
                crew.gone(&job.seat, None);
                return Err(fault);
            }
        };
        crew.knows_job(&job);
        let fresh = Fresh {
            engine: self.engine.clone(),
            realm,
            loader: self.loader.clone(),
            function,
            authority: owner,
            stress: self.stress,
            stepped: self.stepped,
            in_root: self.in_root && self.account == self.realm.root_account(),
        };
        crew.start(Running { state: State::Fresh(Box::new(fresh)), crew: Arc::clone(&crew), job, place: Some(place) });
        Ok(task)
    }

    /// The isolate of a task, and what it is to call.
    fn for_task(fresh: Fresh, crew: &Arc<Crew>, seat: &Arc<Seat>) -> (Vm, Parcel) {
        let Fresh { engine, realm, loader, function, authority, stress, stepped, in_root } = fresh;
        let stop = Arc::clone(&crew.stop);
        let crew = Some((Arc::clone(crew), Arc::clone(seat)));
        let mut vm = Vm::new(Start { engine, realm, loader, interrupt: Arc::clone(&stop), stop, stress, stepped, crew });
        // Where there are too many sandboxes it is one that holds nothing.
        vm.own = vm.realm.adopt(&authority).unwrap_or(ilu_sbx::VOID);
        vm.in_root = in_root;
        vm.realm.set_task(seat.number);
        (vm, function)
    }

    /// Calls the function that a task is. When that can't go on it has changed nothing and is to be done again.
    fn begin(&mut self, function: &Parcel) -> Result<(), Fault> {
        self.settle();
        self.look_around()?;
        let authority = self.own;
        let function = self.unpacked(function)?;
        self.pinned.push(function);
        let begun = self.retrying(|vm| {
            vm.ready_stack(super::WINDOW + 1)?;
            vm.ready_boundary()?;
            vm.push_boundary(super::frame::Ends::Run, None, 0, vm.account);
            let at = super::frame::CallAt { args: 1, count: 0, dest: 0, authority };
            let called = vm.call_value(function, at, true);
            if called.as_ref().is_err_and(super::task::is_to_be_repeated) {
                vm.pop_boundary();
            }
            called
        });
        self.pinned.pop();
        begun
    }

    /// What came of this isolate's run, for whoever waits for the task.
    fn settled(&mut self, result: Result<Value, Ending>, crew: &Arc<Crew>) -> (Settled, String) {
        let failed = |text: String, denial| (Settled { parcel: Parcel::text(text.clone()), failed: true, denial }, text);
        let why = match result {
            Ok(value) => match self.handed_over(value, "the result of the task") {
                Ok(parcel) => return (Settled { parcel, failed: false, denial: None }, String::new()),
                Err(why) => return failed(why, None),
            },
            Err(ending) => ending.why,
        };
        match why {
            Why::Error(text, denial) => match self.raised.take().map(|value| self.handed_over(value, "what the task raised")) {
                Some(Ok(parcel)) => (Settled { parcel, failed: true, denial }, text),
                _ => failed(text, denial),
            },
            Why::Limit(text) | Why::InnerLimit(text) => failed(text, None),
            Why::Exit(0) => (Settled { parcel: Parcel::NIL, failed: false, denial: None }, String::new()),
            Why::Exit(code) => failed(format!("the sandbox exited with code {code}"), None),
            Why::Interrupted => failed("interrupted".to_owned(), None),
            Why::Broken(what) => {
                crew.end(None, Some(what));
                failed(what.to_owned(), None)
            }
        }
    }

    fn handed_over(&mut self, value: Value, what: &str) -> Result<Parcel, String> {
        self.pinned.push(value);
        let packed = self.retrying(|vm| vm.packed(value, what));
        self.pinned.pop();
        packed.map_err(|fault| match fault {
            Fault::Message(text) => text,
            _ => format!("there was neither room nor fuel to hand over {what}"),
        })
    }
}

/// What a turn of a task came to.
enum Turn {
    Over,
    Parked,
    /// Others first.
    Again,
}

impl Running {
    fn step(&mut self) -> Turn {
        if let State::Fresh(_) = self.state {
            let State::Fresh(fresh) = std::mem::replace(&mut self.state, State::Over) else { return Turn::Over };
            let (vm, function) = Vm::for_task(*fresh, &self.crew, &self.job.seat);
            self.state = State::Starting(Box::new(vm), function);
        }
        while let State::Starting(vm, function) = &mut self.state {
            let went = match vm.begin(function) {
                Err(Fault::Wait) if vm.park() => return Turn::Parked,
                Err(Fault::Wait) => continue,
                begun => vm.came(begun, None),
            };
            let State::Starting(vm, _) = std::mem::replace(&mut self.state, State::Over) else { return Turn::Over };
            match went {
                Some(Went::Done(result)) => return self.over(*vm, result),
                _ => self.state = State::Going(vm),
            }
        }
        loop {
            let State::Going(vm) = &mut self.state else { return Turn::Over };
            match vm.go(SLICES) {
                Went::Done(result) => {
                    let State::Going(vm) = std::mem::replace(&mut self.state, State::Over) else { return Turn::Over };
                    return self.over(*vm, result);
                }
                Went::Yield => return Turn::Again,
                Went::Wait if vm.park() => return Turn::Parked,
                Went::Wait => {}
            }
        }
    }

    fn over(&mut self, mut vm: Vm, result: Result<Value, Ending>) -> Turn {
        let place = result.as_ref().err().and_then(|ending| ending.trace.place());
        let place = place.map(|place| format!("{}:{}", place.source.name, place.position().0));
        if let Err(Ending { why: Why::Exit(code), .. }) = &result
            && vm.in_root
        {
            self.crew.end(Some(*code), None);
        }
        let (settled, message) = vm.settled(result, &self.crew);
        vm.settle_up();
        let failed = settled.failed && !self.crew.stop.load(Ordering::Relaxed);
        let failure = failed.then(|| Failure { task: self.job.seat.number, started: self.job.started().to_string(), message, place });
        drop(vm);
        self.place = None;
        self.job.settle(settled);
        self.crew.gone(&self.job.seat, failure.map(|failure| (Arc::clone(&self.job), failure)));
        Turn::Over
    }
}

impl Future for Running {
    type Output = ();
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.job.seat.set_waker(cx.waker());
        // Whatever breaks in the interpreter ends this run only. Nothing of the isolate is used afterwards.
        match catch_unwind(AssertUnwindSafe(|| this.step())) {
            Ok(Turn::Over) => Poll::Ready(()),
            Ok(Turn::Parked) => Poll::Pending,
            Ok(Turn::Again) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Err(_) => {
                this.state = State::Over;
                this.place = None;
                this.crew.end(None, Some("the interpreter panicked in a task"));
                this.job.settle(Settled { parcel: Parcel::text("the interpreter panicked"), failed: true, denial: None });
                this.crew.gone(&this.job.seat, None);
                Poll::Ready(())
            }
        }
    }
}
