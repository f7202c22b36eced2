//! The threads that tasks run on, the clock that wakes them, and who notices that all of them wait for each other.
//!
//! Tasks are futures of an executor whose queue a few threads serve: as many as there are processors, and a bounded number more while
//! some of them are inside a native that blocks. The script's own isolate stays on the thread of whoever runs it. A second thread keeps the
//! time: it wakes who waited long enough, and everybody when something happened that each must look at for itself (the host's wish to
//! stop, a revoked sandbox, a sandbox whose time is up).

use super::channel::Channel;
use super::job::Job;
use super::lock;
use super::seat::{Seat, Spot, WaitsFor};
use async_executor::Executor;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// Threads that may be started beyond one per processor, while others are inside natives that block.
const MOST_EXTRA: usize = 64;
/// How often the clock looks for what nobody tells it of.
const TICK: Duration = Duration::from_millis(20);
/// Times at which everybody looks around lie so far apart at least.
const GRAIN: Duration = Duration::from_millis(10);
/// How long the end of a run waits for natives that block in tasks.
const PATIENCE: Duration = Duration::from_secs(1);
/// Tasks of a run that failed and that nobody waited for, as they are kept for the end; more are counted.
const MOST_FAILURES: usize = 20;
/// Tasks that an error about a deadlock names.
const MOST_NAMED: usize = 8;

/// A task that failed and that nobody waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its number in the run.
    pub task: u32,
    /// File and line where it was started.
    pub started: String,
    /// What it raised.
    pub message: String,
    /// File and line where.
    pub place: Option<String>,
}

/// The tasks of a run.
pub(crate) struct Crew {
    executor: Executor<'static>,
    /// Isolates that others need not wake.
    awake: Arc<AtomicUsize>,
    /// Ends every task; the script's own isolate has the host's.
    pub stop: Arc<AtomicBool>,
    /// Set by the host.
    host: Arc<AtomicBool>,
    /// The script's own isolate is to end, because a task said so.
    ending: AtomicBool,
    /// Everybody is to look around.
    shaken: AtomicBool,
    /// Tasks there are.
    tasks: AtomicUsize,
    processors: usize,
    began: Instant,
    state: Mutex<State>,
    /// Rung when the clock has something to do.
    bell: Condvar,
    /// Rung when a task has ended.
    left: Condvar,
}

#[derive(Default)]
struct State {
    seats: BTreeMap<u32, Arc<Seat>>,
    numbers: u32,
    timers: BTreeMap<(Instant, u64), Arc<Seat>>,
    timer_keys: u64,
    alarms: BTreeSet<Instant>,
    channels: Vec<Weak<Channel>>,
    jobs: Vec<Weak<Job>>,
    /// How long each of the two lists may get before what is gone is taken out.
    tidy_at: usize,
    workers: usize,
    /// Workers inside natives that block.
    blocked: usize,
    has_clock: bool,
    over: bool,
    leaving: Vec<Waker>,
    exit: Option<u8>,
    broken: Option<&'static str>,
    failures: Vec<(Arc<Job>, Failure)>,
}

impl std::fmt::Debug for Crew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crew").field("awake", &self.awake).field("tasks", &self.tasks).finish_non_exhaustive()
    }
}

impl Crew {
    /// A crew without threads, and the seat of the script's own isolate. `stop` will be set when tasks are to end.
    pub fn new(host: Arc<AtomicBool>, stop: Arc<AtomicBool>) -> (Arc<Self>, Arc<Seat>) {
        let awake = Arc::new(AtomicUsize::new(0));
        let main = Seat::new(0, Arc::clone(&awake));
        let mut state = State { tidy_at: 64, ..State::default() };
        state.seats.insert(0, Arc::clone(&main));
        let crew = Self {
            executor: Executor::new(),
            awake,
            stop,
            host,
            ending: AtomicBool::new(false),
            shaken: AtomicBool::new(false),
            tasks: AtomicUsize::new(0),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            began: Instant::now(),
            state: Mutex::new(state),
            bell: Condvar::new(),
            left: Condvar::new(),
        };
        (Arc::new(crew), main)
    }

    /// Tasks there are.
    pub fn tasks(&self) -> usize {
        self.tasks.load(Ordering::Relaxed)
    }

    /// A seat for a new task. It is to be given to [`Crew::start`], or to [`Crew::gone`].
    pub fn seat(&self) -> Arc<Seat> {
        self.tasks.fetch_add(1, Ordering::Relaxed);
        let mut state = lock(&self.state);
        state.numbers += 1;
        let seat = Seat::new(state.numbers, Arc::clone(&self.awake));
        state.seats.insert(seat.number, Arc::clone(&seat));
        seat
    }

    /// Lets a task run.
    pub fn start(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        self.executor.spawn(task).detach();
        let mut state = lock(&self.state);
        if state.workers < (self.processors + state.blocked).min(self.tasks()) {
            self.hire(&mut state);
        }
        self.wind(&mut state);
    }

    /// Starts one more worker. When the system has no thread for it the others do the work; should there be none, the run's own thread does.
    fn hire(self: &Arc<Self>, state: &mut State) {
        let crew = Arc::clone(self);
        let body = move || futures_lite::future::block_on(crew.executor.run(crew.closing()));
        if std::thread::Builder::new().name("ilu-task".into()).spawn(body).is_ok() {
            state.workers += 1;
        }
    }

    /// Starts the clock, unless it runs.
    fn wind(self: &Arc<Self>, state: &mut State) {
        if state.has_clock {
            return;
        }
        let crew = Arc::downgrade(self);
        let body = move || {
            while let Some(crew) = crew.upgrade()
                && crew.tick()
            {}
        };
        state.has_clock = std::thread::Builder::new().name("ilu-clock".into()).stack_size(256 << 10).spawn(body).is_ok();
    }

    async fn closing(&self) {
        poll_fn(|cx| {
            let mut state = lock(&self.state);
            if state.over {
                return Poll::Ready(());
            }
            state.leaving.retain(|waker| !waker.will_wake(cx.waker()));
            state.leaving.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Does something that may block, on a worker: meanwhile another may be needed.
    pub fn blocking<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        {
            let mut state = lock(&self.state);
            state.blocked += 1;
            let most = self.processors + MOST_EXTRA;
            if state.workers < most && state.workers < (self.processors + state.blocked).min(self.tasks()) {
                self.hire(&mut state);
            }
        }
        let done = work();
        let mut state = lock(&self.state);
        state.blocked = state.blocked.saturating_sub(1);
        done
    }

    /// One round of the clock; false when the run is over.
    fn tick(&self) -> bool {
        let mut state = lock(&self.state);
        if state.over {
            return false;
        }
        let now = Instant::now();
        let mut due = Vec::new();
        while let Some(entry) = state.timers.first_entry().filter(|entry| entry.key().0 <= now) {
            due.push(entry.remove());
        }
        let mut all = self.shaken.swap(false, Ordering::SeqCst);
        while state.alarms.first().is_some_and(|at| *at <= now) {
            state.alarms.pop_first();
            all = true;
        }
        if self.host.load(Ordering::Relaxed) && !self.stop.swap(true, Ordering::SeqCst) {
            all = true;
        }
        if all {
            due.extend(state.seats.values().cloned());
        }
        if due.is_empty() {
            let next = state.timers.first_key_value().map(|((at, _), _)| *at).into_iter().chain(state.alarms.first().copied()).min();
            let wait = next.map_or(TICK, |at| at.saturating_duration_since(now).min(TICK));
            let _ = self.bell.wait_timeout(state, wait);
        } else {
            drop(state);
            due.iter().for_each(|seat| seat.wake());
        }
        true
    }

    /// Parks an isolate, unless it was woken before: then it is to try again. `until`: its wait then ends by itself; the key is to be given to
    /// [`Crew::cancel`] when it ended before.
    pub fn park(self: &Arc<Self>, seat: &Arc<Seat>, until: Option<Instant>, waits: (WaitsFor, Spot)) -> (bool, Option<(Instant, u64)>) {
        let timer = {
            let mut state = lock(&self.state);
            self.wind(&mut state);
            until.map(|at| {
                state.timer_keys += 1;
                let key = (at, state.timer_keys);
                if state.timers.first_key_value().is_none_or(|(first, _)| key < *first) {
                    self.bell.notify_one();
                }
                state.timers.insert(key, Arc::clone(seat));
                key
            })
        };
        let parked = seat.park(until.is_some(), waits);
        if parked && until.is_none() {
            self.look_for_deadlock();
        }
        (parked, timer)
    }

    /// A timer is not needed any more.
    pub fn cancel(&self, timer: (Instant, u64)) {
        lock(&self.state).timers.remove(&timer);
    }

    /// Everybody is to look around at this time, or a moment later.
    pub fn alarm(&self, at: Instant) {
        // Times that differ by little are one: each wakes everybody.
        let grain = GRAIN.as_millis();
        let since = at.saturating_duration_since(self.began).as_millis().div_ceil(grain) * grain;
        let Some(at) = u64::try_from(since).ok().and_then(|ms| self.began.checked_add(Duration::from_millis(ms))) else { return };
        let mut state = lock(&self.state);
        if state.alarms.insert(at) && state.alarms.first() == Some(&at) {
            self.bell.notify_one();
        }
    }

    /// Everybody is to look around soon: something was revoked.
    pub fn shake(&self) {
        self.shaken.store(true, Ordering::SeqCst);
    }

    /// When nobody is left who could wake another, the script is told.
    fn look_for_deadlock(&self) {
        if self.awake.load(Ordering::SeqCst) != 0 {
            return;
        }
        let state = lock(&self.state);
        let Some(main) = state.seats.get(&0).filter(|_| !state.over) else { return };
        let mut text = "deadlock: nothing can go on, every task waits for another".to_owned();
        for (n, seat) in state.seats.values().enumerate() {
            // One that was woken meanwhile goes on.
            let Some((what, spot)) = seat.stuck() else { return };
            if n < MOST_NAMED {
                let who = if seat.number == 0 { "the script".to_owned() } else { format!("task {}", seat.number) };
                let what = match what {
                    WaitsFor::Value => "to receive from a channel".to_owned(),
                    WaitsFor::Room => "to send on a channel".to_owned(),
                    WaitsFor::Task(task) => format!("for task {task}"),
                    WaitsFor::Time => "for time to pass".to_owned(),
                };
                let _ = write!(text, "; {who} waits {what} at {spot}");
            }
        }
        if let more @ 1.. = state.seats.len().saturating_sub(MOST_NAMED) {
            let _ = write!(text, "; and {more} more");
        }
        main.tell_deadlock(text);
    }

    /// Remembers a channel, to empty it at the end.
    pub fn knows_channel(&self, channel: &Arc<Channel>) {
        let mut state = lock(&self.state);
        state.channels.push(Arc::downgrade(channel));
        state.tidy();
    }

    /// Remembers a task, to empty it at the end.
    pub fn knows_job(&self, job: &Arc<Job>) {
        let mut state = lock(&self.state);
        state.jobs.push(Arc::downgrade(job));
        state.tidy();
    }

    /// A task is no more. What it failed with is kept for the end, should nobody look.
    pub fn gone(&self, seat: &Seat, failed: Option<(Arc<Job>, Failure)>) {
        let mut state = lock(&self.state);
        state.seats.remove(&seat.number);
        if let Some(failed) = failed {
            if state.failures.len() >= MOST_FAILURES {
                state.failures.retain(|(job, _)| job.failed_unseen());
            }
            if state.failures.len() < MOST_FAILURES {
                state.failures.push(failed);
            }
        }
        drop(state);
        self.tasks.fetch_sub(1, Ordering::Relaxed);
        seat.leave();
        self.left.notify_all();
        self.look_for_deadlock();
    }

    /// A task ends the whole script: by `os.exit`, or because the interpreter contradicted itself in it.
    pub fn end(&self, exit: Option<u8>, broken: Option<&'static str>) {
        let mut state = lock(&self.state);
        state.exit = state.exit.or(exit);
        state.broken = state.broken.or(broken);
        let main = state.seats.get(&0).cloned();
        drop(state);
        self.ending.store(true, Ordering::SeqCst);
        if let Some(main) = main {
            main.wake();
        }
    }

    /// Whether the script's own isolate is to end.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// Why a task ended the script.
    pub fn ended(&self) -> (Option<u8>, Option<&'static str>) {
        let state = lock(&self.state);
        (state.exit, state.broken)
    }

    /// An input of a session is over: its tasks end, and channels stay as they are. Whether all of them have ended; and the failures that nobody
    /// saw.
    pub fn dismiss(&self) -> (bool, Vec<Failure>) {
        let mut state = lock(&self.state);
        if state.seats.len() > 1 {
            self.stop.store(true, Ordering::SeqCst);
            let seats: Vec<_> = state.seats.values().cloned().collect();
            drop(state);
            seats.iter().for_each(|seat| seat.wake());
            state = self.wait_for_tasks();
        }
        let failures = std::mem::take(&mut state.failures);
        (state.exit, state.broken) = (None, None);
        let gone = state.seats.len() <= 1;
        drop(state);
        self.ending.store(false, Ordering::SeqCst);
        (gone, failures.into_iter().filter(|(job, _)| job.failed_unseen()).map(|(_, failure)| failure).collect())
    }

    /// Until all tasks have ended, or for as long as that is worth waiting for.
    fn wait_for_tasks(&self) -> MutexGuard<'_, State> {
        let patience = Instant::now() + PATIENCE;
        let mut state = lock(&self.state);
        while state.seats.len() > 1 && Instant::now() < patience {
            let wait = patience.saturating_duration_since(Instant::now());
            state = self.left.wait_timeout(state, wait).map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
        state
    }

    /// The script is over: its tasks end, what they hold goes, and the failures that nobody saw are told.
    pub fn finish(&self) -> Vec<Failure> {
        self.stop.store(true, Ordering::SeqCst);
        let mut state = lock(&self.state);
        let seats: Vec<_> = state.seats.values().cloned().collect();
        drop(state);
        seats.iter().for_each(|seat| seat.wake());
        state = self.wait_for_tasks();
        state.over = true;
        let failures = std::mem::take(&mut state.failures);
        let channels: Vec<_> = state.channels.iter().filter_map(Weak::upgrade).collect();
        let jobs: Vec<_> = state.jobs.iter().filter_map(Weak::upgrade).collect();
        let leaving = std::mem::take(&mut state.leaving);
        drop(state);
        self.bell.notify_all();
        leaving.into_iter().for_each(Waker::wake);
        let failures = failures.into_iter().filter(|(job, _)| job.failed_unseen()).map(|(_, failure)| failure).collect();
        channels.iter().for_each(|channel| channel.empty());
        jobs.iter().for_each(|job| job.empty());
        failures
    }
}

impl State {
    fn tidy(&mut self) {
        if self.channels.len() + self.jobs.len() > self.tidy_at {
            self.channels.retain(|channel| channel.strong_count() > 0);
            self.jobs.retain(|job| job.strong_count() > 0);
            self.tidy_at = 2 * (self.channels.len() + self.jobs.len()) + 64;
        }
    }
}
