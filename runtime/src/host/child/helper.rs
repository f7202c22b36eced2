//! The helper: a process that confines itself and becomes the program.
//!
//! It has one thread and runs ordinary code; there is nothing between its last restriction and the program but `exec`.

use super::system::{self, Held};
use super::wire::{self, Reader};
use ilu_wall::files::Place;
use ilu_wall::process::KEPT_BY_PROGRAMS;
use ilu_wall::{Extent, Ports, Report, Rules, Use, child};
use rustix::net::RecvFlags;
use rustix::process::{Resource, Signal};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

/// Descriptors that a program may have open.
const MAX_DESCRIPTORS: u64 = 1024;

/// What it is told.
struct Order {
    path: String,
    name: String,
    args: Vec<Vec<u8>>,
    env: Vec<(Vec<u8>, Vec<u8>)>,
    streams: [OwnedFd; 3],
    cwd: Option<OwnedFd>,
    places: Vec<Held>,
    program: OwnedFd,
    written: u64,
    /// Most bytes of memory; of one process, and of all together, which is the warden's to watch.
    memory: u64,
    /// Most processes of the user.
    processes: u64,
    warden: u64,
    ports: Vec<u16>,
    /// Is it not to be started unless it is confined in every way?
    required: bool,
}

pub(super) fn serve() -> ExitCode {
    let Ok(tell) = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3) else { return ExitCode::FAILURE };
    let error = match order().and_then(become_it) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    // The program was not started: the warden hears why, and nobody else is there yet to hear it.
    let _ = wire::send(&tell, &[wire::number(error.raw_os_error().unwrap_or(0)), error.to_string().into_bytes()], &[]);
    ExitCode::FAILURE
}

fn order() -> io::Result<Order> {
    let message = wire::receive(rustix::stdio::stdin(), RecvFlags::empty())?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut read = Reader::new(message);
    let (path, name, warden, written) = (read.text()?, read.text()?, read.number()?, read.number()?);
    let (memory, processes, required) = (read.number()?, read.number()?, read.number()? == 1);
    let ports = read.many(|read| u16::try_from(read.number()?).map_err(|_| io::ErrorKind::InvalidData.into()))?;
    let program = read.handle()?;
    let streams = [read.handle()?, read.handle()?, read.handle()?];
    let cwd = if read.number()? == 1 { Some(read.handle()?) } else { None };
    let mut places = read.many(|read| {
        let bits = read.number()?;
        Ok((read.handle()?, bits & 4 == 4, system::use_of(bits)))
    })?;
    places.extend(read.many(|read| Ok((read.handle()?, false, Use::EXECUTE)))?);
    let args = read.many(Reader::bytes)?;
    let env = read.many(|read| Ok((read.bytes()?, read.bytes()?)))?;
    Ok(Order { path, name, args, env, streams, cwd, places, program, written, memory, processes, warden, ports, required })
}

enum Never {}

/// Does not return when all goes well.
fn become_it(order: Order) -> io::Result<Never> {
    use std::os::unix::ffi::OsStringExt;
    // Whoever started this must not be outlived.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    if rustix::process::getppid().map(|parent| parent.as_raw_nonzero().get().unsigned_abs().into()) != Some(order.warden) {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    let same = |a: &rustix::fs::Stat, b: &rustix::fs::Stat| (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino);
    if !same(&rustix::fs::fstat(&order.program)?, &rustix::fs::stat(order.path.as_str())?) {
        return Err(io::Error::other("the program's file is not the one that was granted any more"));
    }
    for (resource, most) in [
        (Resource::Core, 0),
        (Resource::Nofile, MAX_DESCRIPTORS),
        (Resource::Fsize, order.written),
        (Resource::Data, order.memory),
        (Resource::Nproc, order.processes),
    ] {
        ilu_wall::process::lower(resource, most)?;
    }
    match &order.cwd {
        Some(cwd) => rustix::process::fchdir(cwd)?,
        None => rustix::process::chdir("/")?,
    }
    let [input, output, errors] = order.streams;
    let text = std::ffi::OsString::from_vec;
    let mut command = Command::new(&order.path);
    command.arg0(&order.name).args(order.args.into_iter().map(text)).env_clear();
    command.envs(order.env.into_iter().map(|(name, value)| (text(name), text(value))));
    command.stdin(Stdio::from(input)).stdout(Stdio::from(output)).stderr(Stdio::from(errors));
    let fixed = system::places();
    let mut places = Vec::new();
    for (handle, is_dir, for_use) in order.places.iter().chain(&fixed) {
        places.push(Place { handle: handle.as_fd(), is_dir: *is_dir, for_use: *for_use });
    }
    places.push(Place { handle: order.program.as_fd(), is_dir: false, for_use: Use::EXECUTE });
    let policy = child::program(!order.ports.is_empty());
    let connect = if order.ports.is_empty() { Ports::None } else { Ports::These(order.ports) };
    let rules = Rules { open: None, places, connect, listen: Ports::None };
    let mut report = Report::default();
    ilu_wall::process::disown(KEPT_BY_PROGRAMS, &mut report);
    report.join(ilu_wall::raise(rules, &policy, Extent::Thread));
    // What this kernel has not is missing around the warden too, and was told by it; what it has and does not give is no wall.
    if let Some(gap) = report.gaps.first().filter(|_| report.broken || order.required) {
        return Err(io::Error::other(format!("it can't be confined here: {} ({})", gap.lost, gap.why)));
    }
    Err(command.exec())
}
