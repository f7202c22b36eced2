//! `ilu learn`: runs a script within the grants given and tells the smallest grants that it needed of them, as flags and as a profile.
//!
//! Nothing is granted that the flags do not grant; what was denied was not needed by this run. The rules by which places become
//! directories are in [`fold`].

use crate::args::{GrantFlags, Run};
use crate::exit::Exit;
use crate::grants;
use crate::quantity::DirSpec;
use crate::report::clean::{clean, clean_char};
use crate::run::{self, Prepared, Told};
use crate::terminal::Terminal;
use crate::widen::text as dir_flag;
use ilu::{Engine, Outcome};
use ilu_cap::rights::Place;
use ilu_sbx::denial::shell_word;
use ilu_sbx::watch::{below, parent};
use ilu_sbx::{Launch, Lookup, Observed, Outside, Plain, Pool, Running, Touch};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Files of one directory that are told one by one; with more it is the directory.
const MOST_FILES: usize = 7;
/// Memory below which a bound would only be in the way of what compiling needs for a moment.
const LEAST_MEMORY: u64 = 4 << 20;

/// What a script writes on standard output goes to standard error: standard output is for the grants.
struct Aside(Box<dyn Outside>);

// What is left out would be the trait's own answer instead of the process's.
#[deny(clippy::missing_trait_methods)]
impl Outside for Aside {
    fn write_out(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_err(bytes)
    }
    fn write_err(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_err(bytes)
    }
    fn wait_in(&self, ms: f64) -> io::Result<bool> {
        self.0.wait_in(ms)
    }
    fn read_in(&self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_in(into)
    }
    fn wall_ms(&self) -> f64 {
        self.0.wall_ms()
    }
    fn mono_ms(&self) -> f64 {
        self.0.mono_ms()
    }
    fn sleep(&self, ms: f64) {
        self.0.sleep(ms);
    }
    fn lookup(&self, name: &str) -> io::Result<Lookup> {
        self.0.lookup(name)
    }
    fn pool(&self, addrs: &[SocketAddr]) -> Pool {
        self.0.pool(addrs)
    }
    fn interrupted(&self) -> bool {
        self.0.interrupted()
    }
    fn start(&self, launch: Launch) -> Result<Box<dyn Running>, String> {
        self.0.start(launch)
    }
    fn authorities(&self) -> &str {
        self.0.authorities()
    }
    fn random(&self, into: &mut [u8]) -> io::Result<()> {
        self.0.random(into)
    }
}

/// The smallest grants, as the flags say them.
struct Learned {
    natives: Vec<&'static str>,
    dirs: Vec<DirSpec>,
    run: Vec<String>,
    env: Vec<String>,
    secret: Vec<String>,
    net: Vec<String>,
    fuel: u64,
    memory: u64,
    output: u64,
    seconds: u64,
}

/// Runs the command.
pub fn learn(args: &Run) -> Exit {
    let terminal = Terminal::new(args.output.color);
    let mut told = Told::new(terminal, args.output.json);
    if args.ask {
        return told.usage("`ilu learn` tells what a run needed of its grants: give it the widest as flags, not by --ask");
    }
    let prepared = run::script(args).and_then(|script| {
        let args = run::with_profile(args, &script, &terminal)?;
        let granting = grants::granting(&args.grants, &args.args, script.folder.as_ref())?;
        Ok((script, granting, args))
    });
    let (script, granting, args) = match prepared {
        Ok(prepared) => prepared,
        Err(message) => return told.usage(&message),
    };
    let engine = Engine::new();
    let program = match engine.compile(script.name.as_str(), script.text.as_str()) {
        Ok(program) => program,
        Err(error) => return told.wrong_source(&error),
    };
    let Prepared { mut setup, unfinished, plan, around_programs, .. } = match run::prepare(&args, granting, script) {
        Ok(prepared) => prepared,
        Err(message) => return told.usage(&message),
    };
    if let Err(exit) = told.raise(plan.as_ref(), around_programs, args.wall) {
        return exit;
    }
    setup.observe = true;
    setup.outside = Box::new(Aside(setup.outside));
    let started = Instant::now();
    let outcome = engine.run(&program, setup);
    let took = started.elapsed();
    told.unfinished = unfinished.load(std::sync::atomic::Ordering::Relaxed);
    let exit = told.outcome(&outcome);
    let Some(observed) = &outcome.observed else { return exit };
    let learned = learned(&args.grants, observed, &outcome, took);
    match terminal.print(&as_text(&args, &learned, &outcome)) {
        Exit::Fine => exit,
        lost => lost,
    }
}

fn learned(flags: &GrantFlags, observed: &Observed, outcome: &Outcome, took: Duration) -> Learned {
    let used = |name: &str| match &outcome.used {
        Plain::Object(fields) => fields.iter().find_map(|(key, value)| match value {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter")]
            Plain::Num(n) if key == name => Some(*n as u64),
            _ => None,
        }),
        _ => None,
    };
    let twice = |name: &str| used(name).unwrap_or(0).saturating_mul(2);
    let asked = &observed.asked;
    let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).saturating_mul(2);
    Learned {
        natives: observed.natives.iter().map(|native| native.name()).collect(),
        dirs: fold(&flags.dir, observed.touches.iter().cloned()),
        run: flags.run.iter().filter(|name| observed.programs.contains(*name)).cloned().collect(),
        env: flags
            .env
            .iter()
            .filter(|(name, _)| observed.env.contains(name))
            .map(|(name, value)| value.as_ref().map_or_else(|| name.clone(), |value| format!("{name}={value}")))
            .collect(),
        secret: flags
            .secret
            .iter()
            .filter(|(name, _)| observed.secrets.contains(name))
            .map(|(name, host)| format!("{name}={host}"))
            .collect(),
        net: observed.net.iter().cloned().collect(),
        fuel: two_digits(twice("fuel").saturating_add(asked.fuel).max(1000)),
        memory: twice("mem").max(asked.memory).max(LEAST_MEMORY).div_ceil(1 << 20),
        output: twice("out").saturating_add(asked.output).max(1).div_ceil(1 << 10),
        seconds: took.max(asked.wall_ms).max(1).div_ceil(1000),
    }
}

/// Rounded up to two digits and zeros.
fn two_digits(n: u64) -> u64 {
    let mut unit: u64 = 1;
    while n / unit >= 100 {
        unit = unit.saturating_mul(10);
    }
    n.div_ceil(unit).saturating_mul(unit)
}

/// The grants for the places a run used, out of those the operator gave, in their order.
///
/// - A file that was read is that file; when more than [`MOST_FILES`] of one directory were read, it is the directory.
/// - A directory that was listed, looked at, or asked for a sandbox is that directory.
/// - What was made, written, moved or removed is its directory, with the right to write; one that the run itself made is the one it was made in.
/// - What was looked for and not there is the nearest directory above that is there.
/// - Nothing is above what the operator gave; a path with `..`, or one that names no grant and starts at the first, is all that was given.
fn fold(given: &[DirSpec], touches: impl Iterator<Item = Touch>) -> Vec<DirSpec> {
    let mut places: BTreeMap<Place, (bool, bool)> = BTreeMap::new();
    for Touch { place, dir, writes } in touches {
        let entry = places.entry(place).or_default();
        *entry = (entry.0 | dir, entry.1 | writes);
    }
    let mut siblings: BTreeMap<Place, Vec<Place>> = BTreeMap::new();
    for (place, _) in places.iter().filter(|(place, (dir, _))| !dir && !place.parts().is_empty()) {
        siblings.entry(parent(place)).or_default().push(place.clone());
    }
    for (directory, files) in siblings.into_iter().filter(|(_, files)| files.len() > MOST_FILES) {
        let writes = files.iter().any(|file| places.remove(file).is_some_and(|(_, writes)| writes));
        let entry = places.entry(directory).or_default();
        *entry = (true, entry.1 | writes);
    }
    let covered = |place: &Place, writes: bool| {
        places.iter().any(|(other, (dir, more))| *dir && other != place && other.contains(place) && (*more || !writes))
    };
    let least = places.iter().filter(|(place, (_, writes))| !covered(place, *writes));
    let spec = |(place, (_, writes)): (&Place, &(bool, bool))| {
        let of = given.get(usize::try_from(place.root_number()).ok()?)?;
        let host = match place.parts() {
            [] => of.host.clone(),
            parts if of.host == "." => parts.join("/"),
            parts => format!("{}/{}", of.host.trim_end_matches('/'), parts.join("/")),
        };
        let guest = if place.parts().is_empty() { of.guest.clone() } else { below(&of.guest, place.parts()) };
        Some(DirSpec { host, guest, writable: *writes })
    };
    least.filter_map(spec).collect()
}

fn as_text(args: &Run, learned: &Learned, outcome: &Outcome) -> String {
    let mut out = String::new();
    if outcome.result.is_err() {
        out.push_str("# the run did not end well: it may need more than this\n");
    }
    for event in &outcome.ledger.denied {
        let on = event.subjects.iter().map(|subject| format!(" {subject}")).collect::<String>();
        let _ = writeln!(out, "# denied: {}{}", event.native, clean(&on));
    }
    let script = args.file.as_deref().unwrap_or("-");
    let mut words = vec![format!("--grant {}", shell_word(&learned.natives.join(",")))];
    words.extend(learned.dirs.iter().map(dir_flag));
    words.extend(learned.run.iter().map(|name| format!("--run {}", shell_word(name))));
    words.extend(learned.env.iter().map(|env| format!("--env {}", shell_word(env))));
    words.extend(learned.secret.iter().map(|secret| format!("--secret {}", shell_word(secret))));
    words.extend(learned.net.iter().map(|rule| format!("--net {}", shell_word(rule))));
    words.push(format!("--fuel {} --mem {}M --out {}K --time {}s", learned.fuel, learned.memory, learned.output, learned.seconds));
    words.push(shell_word(script));
    // Whole, however long: it is there to be used.
    let line: String = words.join(" ").chars().map(clean_char).collect();
    let _ = writeln!(out, "# ilu run {line}\n");
    out.push_str(&crate::profile::write(&profile_name(script), learned));
    out
}

/// The script's name without its folder and ending, as far as a bare key can hold it.
fn profile_name(script: &str) -> String {
    let name = script.rsplit('/').next().unwrap_or_default();
    let name = name.strip_suffix(".ilu").unwrap_or(name);
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    if name.chars().all(|c| c == '-') { "default".to_string() } else { name }
}

impl crate::profile::Source for Learned {
    fn lists(&self) -> [(&'static str, Vec<String>); 6] {
        let dir = |spec: &DirSpec| format!("{}:{}:{}", spec.host, spec.guest, if spec.writable { "rw" } else { "ro" });
        [
            ("grant", self.natives.iter().map(ToString::to_string).collect()),
            ("dir", self.dirs.iter().map(dir).collect()),
            ("run", self.run.clone()),
            ("env", self.env.clone()),
            ("secret", self.secret.clone()),
            ("net", self.net.clone()),
        ]
    }
    fn budgets(&self) -> [(&'static str, String); 4] {
        [
            ("fuel", self.fuel.to_string()),
            ("mem", format!("{}M", self.memory)),
            ("out", format!("{}K", self.output)),
            ("time", format!("{}s", self.seconds)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(given: &[&str], touches: &[(u32, &str, bool, bool)]) -> Vec<String> {
        let given: Vec<DirSpec> = given.iter().map(|text| crate::quantity::dir_spec(text).unwrap()).collect();
        let touch = |(root, path, dir, writes): &(u32, &str, bool, bool)| Touch {
            place: Place::root(*root).below(path).unwrap(),
            dir: *dir,
            writes: *writes,
        };
        fold(&given, touches.iter().map(touch)).iter().map(dir_flag).collect()
    }

    #[test]
    fn files_stay_files_until_there_are_many_of_one_directory() {
        let names: Vec<String> = (0..8).map(|n| format!("d/{n}")).collect();
        let touches: Vec<_> = names.iter().map(|name| (0, name.as_str(), false, false)).collect();
        assert_eq!(folded(&["data:/in"], &touches[..7]).len(), 7);
        assert_eq!(folded(&["data:/in"], &touches), ["--dir data/d:/in/d:ro"]);
        assert_eq!(folded(&["data:/in"], &touches[..1]), ["--dir data/d/0:/in/d/0:ro"]);
    }

    #[test]
    fn a_place_within_a_directory_is_not_told_again_unless_it_needs_more() {
        let touches = [(0, "d", true, false), (0, "d/a", false, false), (0, "d/out", true, true), (0, "d/out/x", false, false)];
        assert_eq!(folded(&["data:/in:rw"], &touches), ["--dir data/d:/in/d:ro", "--dir data/d/out:/in/d/out:rw"]);
    }

    #[test]
    fn names_are_those_of_the_operators_grants_and_in_their_order() {
        let touches = [(1, "", true, true), (0, "a", false, false)];
        assert_eq!(folded(&[".", "out:/out:rw"], &touches), ["--dir a:ro", "--dir out:/out:rw"]);
        assert_eq!(folded(&["/:/", "x"], &[(0, "etc/hosts", false, false)]), ["--dir /etc/hosts:ro"]);
        assert!(folded(&["data:/in"], &[]).is_empty());
    }

    #[test]
    fn budgets_are_rounded_up() {
        for (n, up) in [(0, 0), (99, 99), (100, 100), (101, 110), (12_345, 13_000), (u64::MAX, u64::MAX)] {
            assert_eq!(two_digits(n), up);
        }
    }
}
