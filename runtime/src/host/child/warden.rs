//! The warden: starts programs for the process that runs scripts, and ends them.
//!
//! One thread, one loop: it waits for requests, for programs that end, and for requesters that let go. It reads nothing of what programs
//! write: the pipes are the requester's.

use super::HELPER;
use super::crowd::Crowd;
use super::system::{self, Held};
use super::watch::{Census, MAX_PROCESSES, everything};
use super::wire::{self, Message, Reader};
use ilu_wall::files::Place;
use ilu_wall::{Extent, Ports, Report, Rules, Use, files, process};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, waitid};
use rustix::thread::CapabilitySet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Programs at a time.
const MAX_PROGRAMS: usize = 64;
/// Nanoseconds between two looks at how many processes there are.
const COUNT_NS: i64 = 4_000_000;
/// How often memory is looked at.
const WEIGH: Duration = Duration::from_millis(100);
/// So many more in the whole system than at the last count, and they are counted by programs: looking at each takes its time.
const MORE: u64 = 48;

/// A program that may be started.
struct Program {
    name: String,
    path: String,
    file: OwnedFd,
}

/// One that runs.
struct Job {
    /// The requester: gone when it does not want it any more.
    requester: OwnedFd,
    child: Child,
    /// Ready when it has ended.
    ended: OwnedFd,
    /// What the helper says when it could not become the program.
    helper: OwnedFd,
    group: Pid,
    /// Most bytes of memory.
    memory: u64,
}

pub(super) fn serve() -> ExitCode {
    close_others();
    match serve_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What whoever started ilu left open for it is not for programs.
fn close_others() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|n| *n > 2).collect();
    for number in open {
        // The directory that was just read is among them and closed already.
        let _ = nix::unistd::close(number);
    }
}

fn serve_all() -> io::Result<()> {
    let socket = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let first = wire::receive(&socket, RecvFlags::empty())?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut read = Reader::new(first);
    let programs = read.many(|read| Ok(Program { name: read.text()?, path: read.text()?, file: read.handle()? }))?;
    let (walled, required) = (read.number()? == 1, read.number()? == 1);
    let ports = read.many(port)?;
    let granted = read.many(|read| {
        let bits = read.number()?;
        Ok((read.handle()?, bits & 4 == 4, system::use_of(bits)))
    })?;
    let mut crowd = Crowd::make();
    let report = if walled { enclose(&programs, &granted, ports, crowd.as_ref())? } else { Report::default() };
    wire::send(&socket, &wire::told(&report), &[])?;
    // It takes a moment, in which the run begins.
    crowd.iter_mut().for_each(Crowd::enter);
    let ended = House { programs, required }.serve(&socket);
    if let Some(crowd) = crowd {
        crowd.leave();
    }
    ended
}

/// The warden's own wall: all that was granted to the root, what programs need to start, the programs, and itself.
fn enclose(programs: &[Program], granted: &[Held], ports: Vec<u16>, crowd: Option<&Crowd>) -> io::Result<Report> {
    let mut fixed = system::places();
    let own = rustix::fs::open("/proc/self/exe", rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC, rustix::fs::Mode::empty())?;
    fixed.push((own, false, Use::EXECUTE));
    // To count processes. A program's own wall has no such place.
    fixed.extend(system::handle("/proc").ok().map(|(handle, is_dir)| (handle, is_dir, Use::READ)));
    let mut places = Vec::new();
    for (handle, is_dir, for_use) in granted.iter().chain(&fixed) {
        places.push(Place { handle: handle.as_fd(), is_dir: *is_dir, for_use: *for_use });
    }
    places.extend(programs.iter().map(|program| Place { handle: program.file.as_fd(), is_dir: false, for_use: Use::EXECUTE }));
    if let Some((handle, for_use)) = crowd.map(Crowd::place) {
        places.push(Place { handle, is_dir: true, for_use });
    }
    let mut report = Report::default();
    process::harden_keeping(Extent::Process, process::KEPT_BY_PROGRAMS | CapabilitySet::KILL, &mut report);
    let connect = if ports.is_empty() { Ports::None } else { Ports::These(ports) };
    files::enclose(Rules { open: None, places, connect, listen: Ports::None }, &mut report);
    Ok(report)
}

/// A port in a message.
fn port(read: &mut Reader) -> io::Result<u16> {
    u16::try_from(read.number()?).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Waits until something is to be done: 0 is a request, nothing is that only time has passed.
fn wait(socket: &OwnedFd, jobs: &[Job]) -> io::Result<Option<usize>> {
    let mut asked = vec![PollFd::new(socket, PollFlags::IN)];
    for job in jobs {
        asked.push(PollFd::new(&job.ended, PollFlags::IN));
        asked.push(PollFd::new(&job.requester, PollFlags::IN));
    }
    let nap = (!jobs.is_empty()).then_some(Timespec { tv_sec: 0, tv_nsec: COUNT_NS });
    match poll(&mut asked, nap.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(asked.iter().position(|one| !one.revents().is_empty())),
        Err(error) => Err(error.into()),
    }
}

/// What all programs have in common.
struct House {
    programs: Vec<Program>,
    /// Is none to be started that can't be confined in every way?
    required: bool,
}

impl House {
    /// Serves until nobody is there any more.
    fn serve(&self, socket: &OwnedFd) -> io::Result<()> {
        let mut jobs: Vec<Job> = Vec::new();
        let mut known = 0;
        let (mut counted, mut weighed) = (Instant::now(), Instant::now());
        loop {
            if wait(socket, &jobs)? == Some(0) {
                match wire::receive(socket, RecvFlags::DONTWAIT) {
                    Ok(Some(message)) => jobs.extend(self.begin(message, jobs.len())),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    // Nobody is there any more for whom anything could run.
                    Ok(None) | Err(_) => {
                        jobs.iter_mut().for_each(end);
                        return Ok(());
                    }
                }
            }
            // By the clock, and not when there is nothing else to do: whoever keeps the warden busy is watched as well.
            if counted.elapsed() >= Duration::from_nanos(COUNT_NS.unsigned_abs()) {
                counted = Instant::now();
                known = known.min(everything());
                // What can't be read is always too many.
                let all = everything();
                if all == u64::MAX || all > known.saturating_add(MORE) {
                    crowded(&mut jobs);
                    known = everything();
                }
            }
            weigh(&mut jobs, &mut weighed);
            settle(&mut jobs);
        }
    }

    /// Starts what a request asks for, or answers why not.
    fn begin(&self, message: Message, running: usize) -> Option<Job> {
        let mut read = Reader::new(message);
        let requester = read.handle().ok()?;
        let refuse = |why: &str| {
            let _ = wire::answer(&requester, &[b"failed".to_vec(), why.as_bytes().to_vec()], &[]);
        };
        if running >= MAX_PROGRAMS {
            refuse(&format!("{MAX_PROGRAMS} programs run already"));
            return None;
        }
        match self.start(&mut read) {
            Ok(Started { child, ended, helper, group, memory }) => Some(Job { requester, child, ended, helper, group, memory }),
            Err(error) => {
                refuse(&super::client::words(&error));
                None
            }
        }
    }

    fn known(&self, name: &str) -> io::Result<&Program> {
        self.programs.iter().find(|program| program.name == name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn start(&self, read: &mut Reader) -> io::Result<Started> {
        let name = read.text()?;
        let program = self.known(&name)?;
        let (written, memory) = (read.bytes()?, read.number()?);
        let ports = read.many(port)?;
        let streams = [read.handle()?, read.handle()?, read.handle()?];
        let cwd = if read.number()? == 1 { Some(read.handle()?) } else { None };
        let places = read.many(|read| Ok((read.bytes()?, read.handle()?)))?;
        let others = read.many(Reader::text)?;
        let args = read.many(Reader::bytes)?;
        let env = read.many(|read| Ok((read.bytes()?, read.bytes()?)))?;

        let mut fields = vec![program.path.clone().into_bytes(), name.into_bytes(), wire::number(std::process::id()), written];
        // A bound of the kernel's on the user's processes, where there is one: all there are now, and as many more as a program may have.
        let processes = everything().saturating_add(MAX_PROCESSES as u64);
        fields.extend([wire::number(memory), wire::number(processes), wire::number(u8::from(self.required)), wire::number(ports.len())]);
        fields.extend(ports.into_iter().map(wire::number));
        let mut handles: Vec<BorrowedFd<'_>> = vec![program.file.as_fd()];
        handles.extend(streams.iter().map(AsFd::as_fd));
        fields.push(wire::number(u8::from(cwd.is_some())));
        handles.extend(cwd.iter().map(AsFd::as_fd));
        fields.push(wire::number(places.len()));
        for (bits, handle) in &places {
            fields.push(bits.clone());
            handles.push(handle.as_fd());
        }
        let others: Vec<&Program> = others.iter().map(|name| self.known(name)).collect::<Result<_, _>>()?;
        fields.push(wire::number(others.len()));
        handles.extend(others.iter().map(|program| program.file.as_fd()));
        fields.push(wire::number(args.len()));
        fields.extend(args);
        fields.push(wire::number(env.len()));
        for (name, value) in env {
            fields.extend([name, value]);
        }
        let (helper, theirs) = wire::pair()?;
        wire::send(&helper, &fields, &handles)?;
        let mut command = Command::new("/proc/self/exe");
        command.arg(HELPER).env_clear().stdin(Stdio::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let child = command.spawn()?;
        let group = Pid::from_child(&child);
        let ended = rustix::process::pidfd_open(group, PidfdFlags::empty())?;
        Ok(Started { child, ended, helper, group, memory })
    }
}

/// A program that was just started.
struct Started {
    child: Child,
    ended: OwnedFd,
    helper: OwnedFd,
    group: Pid,
    memory: u64,
}

/// Ends a program and all that it started: none of it can have left the group.
fn end(job: &mut Job) {
    let _ = rustix::process::kill_process_group(job.group, Signal::KILL);
}

/// Tells of programs that have ended, and ends those that nobody wants any more.
fn settle(jobs: &mut Vec<Job>) {
    jobs.retain_mut(|job| {
        if is_gone(&job.requester) {
            end(job);
            let _ = job.child.wait();
            return false;
        }
        // Looked at without taking it away: as long as it is there, its number, which is the group's, is nobody else's.
        let over = waitid(WaitId::PidFd(job.ended.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT);
        if !matches!(over, Ok(Some(_))) {
            return true;
        }
        end(job);
        let Ok(status) = job.child.wait() else { return false };
        let answer = match wire::receive(&job.helper, RecvFlags::DONTWAIT) {
            Ok(Some(failed)) => {
                let why = failed.fields.get(1).map_or_else(|| b"it can't be started".to_vec(), |why| why.clone());
                vec![b"failed".to_vec(), why]
            }
            _ => vec![b"ended".to_vec(), wire::number(status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255))],
        };
        let _ = wire::answer(&job.requester, &answer, &[]);
        false
    });
}

/// Has the other end been closed? It never sends anything.
fn is_gone(requester: &OwnedFd) -> bool {
    let mut asked = [PollFd::new(requester, PollFlags::IN)];
    matches!(poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(n) if n > 0)
}

/// Ends programs that have too many processes.
fn crowded(jobs: &mut [Job]) {
    let census = Census::take();
    for job in jobs.iter_mut().filter(|job| census.is_crowded(job.group)) {
        stop(job, &format!("it had more than {MAX_PROCESSES} processes at a time, and was ended"));
    }
}

/// Ends programs that have too much memory, at most so often.
fn weigh(jobs: &mut [Job], last: &mut Instant) {
    if last.elapsed() < WEIGH {
        return;
    }
    *last = Instant::now();
    let census = Census::take();
    for job in jobs.iter_mut() {
        let has = census.memory(job.group);
        if has > job.memory {
            stop(job, &format!("it had {has} bytes of memory, and was ended: at most {} (option mem allows more)", job.memory));
        }
    }
}

/// Ends a program for what it did.
fn stop(job: &mut Job, why: &str) {
    end(job);
    let _ = wire::answer(&job.requester, &[b"failed".to_vec(), why.as_bytes().to_vec()], &[]);
}
