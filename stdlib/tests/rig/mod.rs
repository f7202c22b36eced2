//! A realm over a real directory tree, with a canary beside it.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests set the scene with the ambient file system that natives never see"
)]

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use ilu_cap::{CapSet, by_name};
use ilu_sbx::{
    Access, AccountId, Arg, CallSite, Denial, Grants, Launch, Limits, Lookup, Mount, Natives, Opened, Outside, Plain, Pool, Realm, Request,
    SbxId, Stop,
};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

pub mod attacks;
pub mod races;

/// Standard streams in memory, clocks of the system, and a kernel that only the tests can break.
#[derive(Clone, Default)]
pub struct Streams {
    pub out: Arc<Mutex<Vec<u8>>>,
    pub err: Arc<Mutex<Vec<u8>>>,
    pub input: Arc<Mutex<Vec<u8>>>,
    /// Whether the run is interrupted.
    pub interrupted: Arc<AtomicBool>,
    /// Milliseconds that the clocks are ahead.
    pub ahead: Arc<AtomicU64>,
    /// What names lead to; of others no address is known.
    pub names: Arc<Mutex<HashMap<String, Name>>>,
    /// Names that were asked for.
    pub asked: Arc<Mutex<Vec<String>>>,
    /// What pool a connection is given.
    pub pools: Arc<Mutex<Pools>>,
    /// Programs that were started.
    pub started: Arc<Mutex<Vec<Launch>>>,
    /// How often somebody slept.
    pub naps: Arc<AtomicU64>,
}

/// The pools that the double gives.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Pools {
    /// One that lets nothing be connected.
    #[default]
    Empty,
    /// One of exactly the addresses that passed.
    Exact,
    /// One of another address.
    Wider,
}

/// An address that nothing leads to.
pub const BESIDE: &str = "93.184.216.77:443";

/// A program that has ended before it began, unless it is called `slow`: then it never ends, and the clocks are a minute ahead.
struct Over(Option<Arc<AtomicU64>>);

impl ilu_sbx::Running for Over {
    fn step(&mut self, _: f64) -> Result<Option<ilu_sbx::Ended>, String> {
        if let Some(clock) = &self.0 {
            clock.fetch_add(60_000, Ordering::Relaxed);
            return Ok(None);
        }
        Ok(Some(ilu_sbx::Ended { code: 3, out: b"out".to_vec(), err: b"er".to_vec() }))
    }
}

/// What the double's resolver does about a name.
#[derive(Clone)]
pub enum Name {
    /// It answers.
    At(Vec<IpAddr>),
    /// It says that it can't.
    Fails(io::ErrorKind),
    /// It never answers, and the clocks are that much ahead a moment after it was asked.
    Silent(u64),
    /// It never answers, and the run is interrupted once it was asked.
    Interrupts,
}

struct Double {
    streams: Streams,
    start: Instant,
}

impl Outside for Double {
    fn write_out(&self, bytes: &[u8]) -> io::Result<()> {
        self.streams.out.lock().unwrap().extend(bytes);
        Ok(())
    }
    fn write_err(&self, bytes: &[u8]) -> io::Result<()> {
        self.streams.err.lock().unwrap().extend(bytes);
        Ok(())
    }
    fn read_in(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut input = self.streams.input.lock().unwrap();
        let n = into.len().min(input.len()).min(5);
        into[..n].copy_from_slice(&input[..n]);
        input.drain(..n);
        Ok(n)
    }
    fn wall_ms(&self) -> f64 {
        1_700_000_000_000.0
    }
    fn mono_ms(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1000.0 + self.streams.ahead.load(Ordering::Relaxed) as f64
    }
    fn interrupted(&self) -> bool {
        self.streams.interrupted.load(Ordering::Relaxed)
    }
    fn sleep(&self, ms: f64) {
        self.streams.naps.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(std::time::Duration::from_secs_f64(ms / 1000.0));
    }
    fn lookup(&self, name: &str) -> io::Result<Lookup> {
        self.streams.asked.lock().unwrap().push(name.to_owned());
        let (sender, lookup) = Lookup::new();
        let known = self.streams.names.lock().unwrap().get(name).cloned();
        let answer = match known {
            None => Err(io::ErrorKind::NotFound.into()),
            Some(Name::At(addresses)) => Ok(addresses),
            Some(Name::Fails(kind)) => return Err(kind.into()),
            Some(Name::Silent(ahead)) => {
                let clock = Arc::clone(&self.streams.ahead);
                std::thread::spawn(move || {
                    std::thread::sleep(std::time::Duration::from_millis(30));
                    clock.store(ahead, Ordering::Relaxed);
                });
                std::mem::forget(sender);
                return Ok(lookup);
            }
            Some(Name::Interrupts) => {
                self.streams.interrupted.store(true, Ordering::Relaxed);
                std::mem::forget(sender);
                return Ok(lookup);
            }
        };
        Ok(Lookup::ready(answer))
    }
    fn pool(&self, addrs: &[SocketAddr]) -> Pool {
        let mut pool = Pool::new();
        match *self.streams.pools.lock().unwrap() {
            Pools::Empty => {}
            Pools::Exact => addrs.iter().for_each(|addr| pool.insert_socket_addr(*addr, ambient_authority())),
            Pools::Wider => pool.insert_socket_addr(BESIDE.parse::<SocketAddr>().unwrap(), ambient_authority()),
        }
        pool
    }
    fn start(&self, launch: Launch) -> Result<Box<dyn ilu_sbx::Running>, String> {
        let clock = (launch.program == "slow").then(|| Arc::clone(&self.streams.ahead));
        self.streams.started.lock().unwrap().push(launch);
        Ok(Box::new(Over(clock)))
    }
    fn random(&self, into: &mut [u8]) -> io::Result<()> {
        rustix::rand::getrandom(into, rustix::rand::GetRandomFlags::empty()).map(|_| ()).map_err(Into::into)
    }
}

pub const TOKEN: &str = "canary-5f0c1b";

pub struct Rig {
    pub base: PathBuf,
    pub realm: Realm,
    pub streams: Streams,
    pub authority: SbxId,
    pub account: AccountId,
    pub room: u64,
    before: Vec<(PathBuf, u64, i64, u32, u64)>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        // A tree that a failed test left may be too deep for it; the system's own tool copes.
        if fs::remove_dir_all(&self.base).is_ok() {
            return;
        }
        let _ = std::process::Command::new("rm").arg("-rf").arg(&self.base).status();
    }
}

impl Rig {
    /// `R/` granted as `/r` with everything held.
    pub fn new(access: Access) -> Rig {
        Rig::with(|base| vec![mount(&base.join("R"), "/r", access)], Limits::default())
    }

    pub fn with(mounts: impl FnOnce(&Path) -> Vec<Mount>, limits: Limits) -> Rig {
        Rig::with_net(mounts, &[], limits)
    }

    /// With network rules; the kernel behind them reaches nobody.
    pub fn with_net(mounts: impl FnOnce(&Path) -> Vec<Mount>, net: &[&str], limits: Limits) -> Rig {
        Rig::holding(CapSet::all(), mounts, net, limits)
    }

    /// In a build that has no function behind any native.
    pub fn without_functions() -> Rig {
        let mut rig = Rig::new(Access::ReadWrite);
        let double = Double { streams: rig.streams.clone(), start: Instant::now() };
        let grants = Grants { caps: CapSet::all(), ..Grants::default() };
        rig.realm = Realm::new(grants, Box::new(double), ilu_sbx::Natives::new(&[])).unwrap();
        rig
    }

    /// With these natives only.
    pub fn holding(caps: CapSet, mounts: impl FnOnce(&Path) -> Vec<Mount>, net: &[&str], limits: Limits) -> Rig {
        Rig::built(ilu_std::natives(), caps, mounts, net, limits)
    }

    /// In a build with these functions.
    pub fn built(natives: Natives, caps: CapSet, mounts: impl FnOnce(&Path) -> Vec<Mount>, net: &[&str], limits: Limits) -> Rig {
        let env = vec![("LANG".to_owned(), "C".to_owned()), ("SECRET".to_owned(), "v-secret".to_owned())];
        let net = net.iter().map(|rule| (*rule).to_owned()).collect();
        Rig::granted(natives, |base| Grants {
            caps,
            mounts: mounts(base),
            env,
            net,
            argv: vec!["one".to_owned()],
            limits,
            ..Grants::default()
        })
    }

    /// With these grants.
    pub fn granted(natives: Natives, grants: impl FnOnce(&Path) -> Grants) -> Rig {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // In memory where there is such a place: these tests make and remove tens of thousands of names.
        let memory = PathBuf::from("/dev/shm");
        let scratch = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let base = scratch.join(format!("ilu-rig-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(base.join("R/d/e")).unwrap();
        fs::write(base.join("R/a.txt"), "alpha\n").unwrap();
        fs::write(base.join("R/d/e/f.txt"), "eff\n").unwrap();
        for beside in ["outside", "R-evil"] {
            fs::create_dir(base.join(beside)).unwrap();
            fs::write(base.join(beside).join("secret.txt"), TOKEN).unwrap();
        }
        let grants = grants(&base);
        let streams = Streams::default();
        let double = Double { streams: streams.clone(), start: Instant::now() };
        let realm = Realm::new(grants, Box::new(double), natives).unwrap();
        let (authority, account) = (realm.root(), realm.root_account());
        let mut rig = Rig { base, realm, streams, authority, account, room: 64 << 20, before: Vec::new() };
        rig.before = rig.canaries();
        rig
    }

    /// A build in which no native has a function.
    pub fn bare() -> Rig {
        let mut rig = Rig::new(Access::ReadWrite);
        let double = Double { streams: rig.streams.clone(), start: Instant::now() };
        let grants = Grants { caps: CapSet::all(), ..Grants::default() };
        rig.realm = Realm::new(grants, Box::new(double), ilu_sbx::Natives::new(&[])).unwrap();
        rig
    }

    pub fn abs(&self, path: &str) -> String {
        self.base.join(path).to_str().unwrap().to_owned()
    }

    pub fn link(&self, target: impl AsRef<Path>, at: &str) {
        std::os::unix::fs::symlink(target, self.base.join("R").join(at)).unwrap();
    }

    pub fn site(&self) -> CallSite<'static> {
        CallSite { authority: self.authority, account: self.account, file: "main.ilu", line: 1, room: self.room }
    }

    pub fn call(&mut self, native: &str, args: &[Arg<'_>]) -> Result<Plain, Stop> {
        let result = self.realm.call(self.site(), by_name(native).unwrap(), args);
        // Whatever comes back says nothing of the host.
        let shown = match &result {
            Err(Stop::Denied(denial)) => denial.lines().join("\n") + &denial.to_string(),
            other => format!("{other:?}"),
        };
        let said_by_the_script = format!("{args:?}");
        if !said_by_the_script.contains(self.base.to_str().unwrap()) {
            assert!(!shown.contains(self.base.to_str().unwrap()), "{native} {args:?} shows a host path: {shown}");
        }
        assert!(!shown.contains(TOKEN), "{native} {args:?} shows the canary: {shown}");
        result
    }

    #[track_caller]
    pub fn ok(&mut self, native: &str, args: &[Arg<'_>]) -> Plain {
        match self.call(native, args) {
            Ok(value) => value,
            Err(stop) => panic!("{native} {args:?}: {stop:?}"),
        }
    }

    #[track_caller]
    pub fn denied(&mut self, native: &str, args: &[Arg<'_>]) -> Denial {
        match self.call(native, args) {
            Err(Stop::Denied(denial)) => *denial,
            other => panic!("{native} {args:?} should be denied: {other:?}"),
        }
    }

    #[track_caller]
    pub fn fails(&mut self, native: &str, args: &[Arg<'_>]) -> String {
        match self.call(native, args) {
            Err(Stop::Failed(text)) => text,
            other => panic!("{native} {args:?} should fail: {other:?}"),
        }
    }

    #[track_caller]
    pub fn reads(&mut self, path: &str, content: &str) {
        assert_eq!(self.ok("__sys_read_file", &[Arg::Str(path)]), Plain::Str(content.to_owned()), "{path}");
    }

    /// The attack as it would go without a sandbox: proves that a denial has something to deny.
    #[track_caller]
    pub fn twin_reads_canary(&self, path: &str) {
        assert_eq!(fs::read_to_string(self.base.join("R").join(path)).unwrap(), TOKEN, "without the guard {path} must reach the canary");
    }

    fn canaries(&self) -> Vec<(PathBuf, u64, i64, u32, u64)> {
        let mut found = Vec::new();
        for dir in ["outside", "R-evil"] {
            for entry in fs::read_dir(self.base.join(dir)).unwrap() {
                let path = entry.unwrap().path();
                let meta = fs::symlink_metadata(&path).unwrap();
                found.push((path, meta.size(), meta.mtime_nsec(), meta.mode(), meta.nlink()));
            }
        }
        found.sort();
        found
    }

    /// What must hold after every attack.
    #[track_caller]
    pub fn unharmed(&mut self) {
        assert_eq!(self.canaries(), self.before, "something outside changed");
        assert_eq!(fs::read_to_string(self.base.join("outside/secret.txt")).unwrap(), TOKEN);
        assert_eq!(self.call("__sys_exists", &[Arg::Str("/r/a.txt/none")]), Ok(Plain::Bool(false)), "the realm must go on working");
    }

    pub fn make(&mut self, caps: &[&str], opts: Arg<'_>) -> Result<SbxId, Stop> {
        let caps = Arg::List(caps.iter().map(|name| Arg::Str(name)).collect());
        let request = Request::from_args(&caps, Some(&opts))?;
        let site = self.site();
        self.realm.make(&site, &request)
    }

    pub fn enter(&mut self, s: SbxId) {
        self.account = self.realm.account(self.account, s).unwrap();
        self.authority = s;
    }

    pub fn leave(&mut self) {
        self.account = self.realm.root_account();
        self.authority = self.realm.root();
    }
}

pub fn mount(host: &Path, guest: &str, access: Access) -> Mount {
    let opened = if host.is_dir() {
        Opened::Dir(Dir::open_ambient_dir(host, ambient_authority()).unwrap())
    } else {
        let parent = Dir::open_ambient_dir(host.parent().unwrap(), ambient_authority()).unwrap();
        Opened::File { parent, name: host.file_name().unwrap().to_str().unwrap().to_owned() }
    };
    Mount { guest: guest.to_owned(), opened, access }
}

pub fn obj<'a>(fields: &[(&'a str, Arg<'a>)]) -> Arg<'a> {
    Arg::Object(fields.to_vec())
}

pub fn on(key: &str) -> Arg<'_> {
    Arg::Object(vec![(key, Arg::Bool(true))])
}
