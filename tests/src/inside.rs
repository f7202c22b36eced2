//! Runs a case in this process, through the embedding API: what it printed, and how it ended.

use crate::command::root;
use crate::expect::{At, Case};
use crate::suite::{Ended, FOLDER};
use ilu::{CompileError, Engine, Kind, Loader, Outcome, Page, Session, Setup};
use ilu_sbx::{Budget, Grants, Limits, Outside};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// What a case printed and how it ended.
pub struct Inside {
    /// Standard output.
    pub out: String,
    /// Standard error, as far as the script wrote it.
    pub err: String,
    /// How it ended.
    pub ended: Ended,
    /// Units of fuel it was billed.
    pub fuel: u64,
}

type Shared = Arc<Mutex<Vec<u8>>>;

/// A process that keeps what is printed and has nothing to read.
struct Kept {
    out: Shared,
    err: Shared,
    start: Instant,
}

fn append(to: &Shared, bytes: &[u8]) -> io::Result<()> {
    to.lock().map_err(|_| io::Error::other("a test panicked"))?.extend_from_slice(bytes);
    Ok(())
}

impl Outside for Kept {
    fn write_out(&self, bytes: &[u8]) -> io::Result<()> {
        append(&self.out, bytes)
    }
    fn write_err(&self, bytes: &[u8]) -> io::Result<()> {
        append(&self.err, bytes)
    }
    fn read_in(&self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
    fn wall_ms(&self) -> f64 {
        1_700_000_000_000.0 + self.mono_ms()
    }
    fn mono_ms(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1000.0
    }
    fn sleep(&self, ms: f64) {
        std::thread::sleep(Duration::from_secs_f64(ms.clamp(0.0, 10_000.0) / 1000.0));
    }
    fn random(&self, into: &mut [u8]) -> io::Result<()> {
        into.fill(7);
        Ok(())
    }
}

/// Reads what a case uses from the case's folder.
struct Beside(PathBuf);

impl Loader for Beside {
    fn load(&mut self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(self.0.join(path)).map_err(|error| format!("{path}: {error}"))
    }
}

/// The natives of a script that was started with no flag.
const NO_FLAG: [&str; 12] = [
    "__sys_stdout",
    "__sys_stderr",
    "__sys_argv",
    "__sys_time",
    "__sys_mono",
    "__sys_sleep",
    "__sys_chan_new",
    "__sys_chan_send",
    "__sys_chan_recv",
    "__sys_chan_close",
    "__sys_spawn",
    "__sys_wait",
];

fn number(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..)?;
    let factor = if unit.is_empty() { 1 } else { units.iter().find(|(name, _)| *name == unit)?.1 };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// The budgets that flags name; nothing when a flag is not about budgets.
fn limits(flags: &[String]) -> Option<Limits> {
    let mut limits = Limits::default();
    for pair in flags.chunks(2) {
        let [flag, value] = pair else { return None };
        match flag.as_str() {
            "--fuel" => limits.fuel = number(value, &[])?,
            "--mem" => limits.memory = number(value, &[("K", 1 << 10), ("M", 1 << 20)])?,
            "--out" => limits.output = number(value, &[("K", 1 << 10), ("M", 1 << 20)])?,
            "--time" => limits.wall_ms = number(value, &[("ms", 1), ("s", 1000)])?,
            "--depth" => limits.depth = number(value, &[])?.try_into().ok()?,
            _ => return None,
        }
    }
    Some(limits)
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(Engine::new)
}

/// How a run is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// As ever: the collector runs when it is worth it.
    Usual,
    /// With a collection at every growth of the heap, so that whatever is held by no root is gone at once.
    CollectAlways,
    /// One instruction at a time, where the fast loop chains them.
    Stepped,
    /// As an input of a session, whose top-level names are in cells.
    Session,
    /// The same with a collection at every growth.
    SessionCollectAlways,
}

impl How {
    fn collects(self) -> bool {
        matches!(self, How::CollectAlways | How::SessionCollectAlways)
    }
}

/// What a script gets that is only watched for whether it ends: no native but output, and little of everything.
#[must_use]
pub fn tiny(how: How) -> Setup {
    let limits = Limits { fuel: 30_000, memory: 4 << 20, output: 1 << 20, wall_ms: 10_000, ..Limits::default() };
    Setup { stress: how.collects(), stepped: how == How::Stepped, ..with_limits(limits) }
}

/// No native but output, within these limits.
#[must_use]
pub fn with_limits(limits: Limits) -> Setup {
    let caps = ilu_cap::bundle::natives(["__sys_stdout", "__sys_stderr"]).expect("these natives exist");
    let outside = Kept { out: Shared::default(), err: Shared::default(), start: Instant::now() };
    Setup::new(
        Grants {
            caps,
            mounts: Vec::new(),
            env: Vec::new(),
            programs: Vec::new(),
            secrets: Vec::new(),
            net: Vec::new(),
            argv: Vec::new(),
            limits,
        },
        Box::new(outside),
    )
}

/// Runs a text under what a test grants: how it ended, and what it wrote to standard output and error.
///
/// # Panics
/// When the text does not compile.
#[must_use]
pub fn run_text(text: &str, grants: Grants, change: impl FnOnce(&mut Setup)) -> (Outcome, String, String) {
    let program = engine().compile("main.ilu", text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let (out, err) = (Shared::default(), Shared::default());
    let outside = Kept { out: Arc::clone(&out), err: Arc::clone(&err), start: Instant::now() };
    let mut setup = Setup::new(grants, Box::new(outside));
    change(&mut setup);
    let outcome = engine().run(&program, setup);
    let text = |shared: &Shared| String::from_utf8_lossy(&shared.lock().expect("nothing panics while it is held")).into_owned();
    (outcome, text(&out), text(&err))
}

/// Whether a text compiles.
#[must_use]
pub fn tries_to_compile(text: &str) -> bool {
    engine().compile("main.ilu", text).is_ok()
}

/// A case that did not compile.
fn refused(error: &CompileError) -> Inside {
    let place = |span: ilu_lang::source::Span| error.source.position(span.start).0;
    let errors = error.diagnostics.iter().map(|found| At { line: place(found.span), text: found.message.clone() });
    Inside { out: String::new(), err: String::new(), ended: Ended::Compile(errors.collect()), fuel: 0 }
}

/// Runs a case; nothing when it needs what only the command line can give it.
#[must_use]
pub fn run(case: &Case, how: How) -> Option<Inside> {
    let limits = limits(&case.flags)?;
    let text = String::from_utf8(case.source.clone()).ok()?;
    let name = format!("{FOLDER}/{}", case.file.display());
    let in_session = matches!(how, How::Session | How::SessionCollectAlways);
    let program = if in_session {
        None
    } else {
        match engine().compile(name.as_str(), text.as_str()) {
            Ok(program) => Some(program),
            Err(error) => return Some(refused(&error)),
        }
    };
    let caps = ilu_cap::bundle::natives(NO_FLAG).expect("these natives exist");
    let grants = Grants {
        caps,
        mounts: Vec::new(),
        env: Vec::new(),
        programs: Vec::new(),
        secrets: Vec::new(),
        net: Vec::new(),
        argv: case.args.clone(),
        limits,
    };
    let (out, err) = (Shared::default(), Shared::default());
    let outside = Kept { out: Arc::clone(&out), err: Arc::clone(&err), start: Instant::now() };
    let mut setup = Setup::new(grants, Box::new(outside));
    setup.stress = how.collects();
    setup.stepped = how == How::Stepped;
    let folder = root().join(FOLDER).join(case.file.parent().unwrap_or(&case.file));
    let beside: Box<dyn Loader> = Box::new(Beside(folder));
    let (result, spent) = match program {
        Some(program) => {
            setup.loader = Some(beside);
            let outcome = engine().run(&program, setup);
            (outcome.result.map(|_| ()), outcome.spent)
        }
        None => {
            let mut session = Session::new(engine(), setup, Page { width: 80, lines: 20 }).expect("it can be granted");
            match session.load(&name, &text, Some(beside)) {
                Ok(evaluated) => (evaluated.result.map(|_| ()), evaluated.spent),
                Err(error) => return Some(refused(&error)),
            }
        }
    };
    let fuel = spent.iter().find(|spent| spent.budget == Budget::Fuel).map_or(0, |spent| spent.used);
    let ended = match result {
        Ok(()) => Ended::Fine,
        Err(error) => {
            let code = i32::from(error.exit_code());
            let rows = &error.trace.rows;
            let place = rows.iter().find(|row| row.source.name == name).or(error.place());
            match error.kind {
                Kind::Exit(_) => Ended::Exit(code),
                _ => Ended::Raised(At { line: place.map_or(0, |place| place.position().0), text: error.message }, code),
            }
        }
    };
    let text = |shared: &Shared| String::from_utf8_lossy(&shared.lock().expect("nothing panics while it is held")).into_owned();
    Some(Inside { out: text(&out), err: text(&err), ended, fuel })
}
