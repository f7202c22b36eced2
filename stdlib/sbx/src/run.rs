//! What all isolates of one run share besides the sandboxes themselves.

use crate::ask::{Asked, Operator};
use crate::event::Event;
use crate::handle::Cutter;
use crate::net::ReadRules;
use crate::outside::Outside;
use crate::realm::Natives;
use crate::record::{Recorder, Spans};
use crate::sandbox::{Holding, Shared};
use crate::secret::Secret;
use crate::service::Services;
use crate::view::OpenMounts;
use crate::watch::Observed;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What a panic left behind is looked at all the same: each of these is whole between any two statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One run.
pub(crate) struct Run {
    pub(crate) outside: Box<dyn Outside>,
    pub(crate) argv: Vec<String>,
    /// The granted variables' values; which of the names a sandbox may read is among its rights.
    pub(crate) variables: Mutex<Vec<(String, String)>>,
    /// Which of them a sandbox may have sent is among its rights.
    pub(crate) secrets: Mutex<Vec<Arc<Secret>>>,
    pub(crate) natives: Natives,
    pub(crate) services: Services,
    /// Network rules, read.
    pub(crate) read_rules: ReadRules,
    pub(crate) records: Arc<Records>,
    pub(crate) input: Input,
    pub(crate) spans: Mutex<Spans>,
    /// Directories held open for sandboxes.
    pub(crate) mounts: Mutex<OpenMounts>,
    /// What the run needs of its grants, when somebody wants to know.
    pub(crate) observed: Mutex<Option<Box<Observed>>>,
    pub(crate) is_observed: AtomicBool,
    /// How often something was revoked: who sees it change closes what it has open.
    pub(crate) revocations: AtomicU64,
    /// Who can be asked for what a call lacks, and what was added.
    pub(crate) operator: OnceLock<Box<dyn Operator>>,
    pub(crate) asked: Mutex<Asked>,
    /// Resources open in all realms.
    pub(crate) handles: AtomicUsize,
    /// Realms there were.
    realms: AtomicU64,
    /// The sandboxes that every realm begins with.
    pub(crate) fixed: Mutex<[Arc<Shared>; 3]>,
    /// Those in whose place others are now.
    pub(crate) retired: Mutex<Vec<Arc<Shared>>>,
}

impl Run {
    pub(crate) fn new(
        outside: Box<dyn Outside>,
        natives: Natives,
        argv: Vec<String>,
        variables: Vec<(String, String)>,
        secrets: Vec<Arc<Secret>>,
        root: Holding,
    ) -> Run {
        let records = Arc::new(Records::new(root.limits.memory));
        let fixed = Shared::fixed(&records, root);
        Run {
            outside,
            argv,
            variables: Mutex::new(variables),
            secrets: Mutex::new(secrets),
            natives,
            services: Services::default(),
            read_rules: ReadRules::default(),
            records,
            input: Input::default(),
            spans: Mutex::default(),
            mounts: Mutex::default(),
            observed: Mutex::default(),
            is_observed: AtomicBool::new(false),
            revocations: AtomicU64::new(0),
            operator: OnceLock::new(),
            asked: Mutex::default(),
            handles: AtomicUsize::new(0),
            realms: AtomicU64::new(0),
            fixed: Mutex::new(fixed),
            retired: Mutex::default(),
        }
    }

    /// A number for a realm.
    pub(crate) fn next_realm(&self) -> u64 {
        self.realms.fetch_add(1, Ordering::Relaxed)
    }
}

/// Standard input, of which lines are cut: one reader at a time.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) cutter: Mutex<Cutter>,
    /// Bytes that it holds, and the realm that read last: they are memory of that one.
    size: AtomicUsize,
    reader: AtomicU64,
}

impl Input {
    /// Takes note of what it holds, and for whom.
    pub(crate) fn book(&self, size: usize, realm: u64) {
        self.size.store(size, Ordering::Relaxed);
        self.reader.store(realm, Ordering::Relaxed);
    }

    /// Bytes that it holds for a realm.
    pub(crate) fn held(&self, realm: u64) -> usize {
        if self.reader.load(Ordering::Relaxed) == realm { self.size.load(Ordering::Relaxed) } else { 0 }
    }
}

/// The record of the run, and the count of its sandboxes.
#[derive(Default)]
pub(crate) struct Records {
    /// Sandboxes that were made.
    made: AtomicU64,
    /// Those that are there.
    alive: AtomicUsize,
    recorder: Mutex<Recorder>,
    /// What the recorder holds.
    held: AtomicUsize,
    is_broken: AtomicBool,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("alive", &self.alive).finish_non_exhaustive()
    }
}

impl Records {
    fn new(memory: u64) -> Records {
        Records { recorder: Mutex::new(Recorder::new(memory)), ..Records::default() }
    }

    /// Bytes that are kept of what was decided.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    pub(crate) fn recorder(&self) -> MutexGuard<'_, Recorder> {
        lock(&self.recorder)
    }

    /// The number of the next sandbox; the first three are fixed.
    pub(crate) fn next_number(&self) -> u64 {
        self.made.fetch_add(1, Ordering::Relaxed) + 3
    }

    pub(crate) fn born(&self) {
        self.alive.fetch_add(1, Ordering::Relaxed);
    }

    /// A sandbox is no more; its rows go to its heir.
    pub(crate) fn gone(&self, number: u64, heir: Option<&Arc<Shared>>) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
        if let Some(heir) = heir {
            self.recorder().inherit(number, heir);
        }
    }

    /// Sandboxes there are in the run.
    pub(crate) fn alive(&self) -> usize {
        self.alive.load(Ordering::Relaxed)
    }

    /// Could a row not be written?
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    /// Hands an event to a log.
    pub(crate) fn keep(&self, recorder: &mut Recorder, of: &Arc<Shared>, event: Event) {
        if recorder.is_broken() {
            self.is_broken.store(true, Ordering::Release);
        }
        recorder.keep(of, event);
        self.held.store(recorder.held(), Ordering::Relaxed);
    }
}
