//! `compromised on|off|net=RULE FOLDER ATTEMPT [TARGET]`: raises the second wall as `ilu run --dir FOLDER:/g:rw` would (with `net=` as with
//! `--net RULE` beside it), or does not, and then does
//! what no native would: asks the kernel directly. Prints `done` when the kernel did it, else what the kernel said.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it stands for code that has left all rules behind")]

use ilu::host::{self, Granted, wall};
use ilu_cap::parse_list;
use ilu_sbx::{Access, Grants, Mount, Opened};
use std::io::Write;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [wall, folder, attempt, rest @ ..] = args.as_slice() else { return Err("compromised on|off FOLDER ATTEMPT [TARGET]".into()) };
    // A thread that is older than the wall, and does the attempt when told to.
    let target = rest.first().cloned().unwrap_or_default();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let older = (attempt == "older").then(|| {
        let target = target.clone();
        std::thread::spawn(move || wait.recv().is_ok() && std::process::Command::new(target).status().is_ok())
    });
    if wall != "off" {
        let report = plan(folder, wall.strip_prefix("net="))?.raise(wall::Extent::Process);
        for gap in &report.gaps {
            eprintln!("{}: {}", gap.lost, gap.why);
        }
    }
    if let Some(older) = older {
        go.send(())?;
        return tell(if older.join().unwrap_or(false) { Ok(()) } else { Err("the older thread could not".into()) });
    }
    if attempt == "thread" {
        let tried = std::thread::spawn(move || std::fs::read(target).map(|_| ()).map_err(|error| error.to_string()));
        return tell(tried.join().unwrap_or_else(|_| Err("broken".into())).map_err(Into::into));
    }
    tell(attack(attempt, &target))
}

fn tell(tried: Result<()>) -> Result<()> {
    let mut out = std::io::stdout();
    match tried {
        Ok(()) => writeln!(out, "done")?,
        Err(error) => writeln!(out, "{error}")?,
    }
    Ok(())
}

/// The wall of a run that may read and write below the folder, and nothing else.
fn plan(folder: &str, net: Option<&str>) -> Result<wall::Plan> {
    let Granted::Dir { dir, .. } = host::open(folder)? else { return Err("a folder is needed".into()) };
    let mount = Mount { guest: "/g".to_owned(), opened: Opened::Dir(dir), access: Access::ReadWrite };
    let caps = parse_list("capfs,capfm,capio,captm,capch,capsp,capne,capdn").map_err(|unknown| unknown.to_string())?;
    let net = net.map(str::to_owned).into_iter().collect();
    let grants = Grants { caps, net, mounts: vec![mount], ..Grants::default() };
    Ok(wall::Plan::new(&grants, None)?)
}

fn attack(attempt: &str, target: &str) -> Result<()> {
    match attempt {
        "read" => drop(std::fs::read(target)?),
        // A device has no end.
        "open" => drop(std::fs::File::open(target)?),
        "write" => std::fs::write(target, "gone")?,
        "list" => drop(std::fs::read_dir(target)?),
        // Not the library's own way, which is an older call that nothing here makes.
        "remove" => rustix::fs::unlinkat(rustix::fs::CWD, target, rustix::fs::AtFlags::empty())?,
        "truncate" => std::fs::OpenOptions::new().write(true).open(target)?.set_len(0)?,
        "connect" => drop(std::net::TcpStream::connect(target)?),
        "fastopen" => fast_open(target)?,
        "mptcp" => {
            use rustix::net::{AddressFamily, SocketType, connect, socket};
            let socket = socket(AddressFamily::INET, SocketType::STREAM, Some(MPTCP))?;
            connect(&socket, &target.parse::<std::net::SocketAddrV4>()?)?;
        }
        "bind" => drop(std::net::TcpListener::bind("127.0.0.1:0")?),
        "udp" => drop(std::net::UdpSocket::bind("127.0.0.1:0")?),
        "unix" => drop(std::os::unix::net::UnixDatagram::unbound()?),
        "execute" => drop(std::process::Command::new(target).status()?),
        "signal" => {
            let whom = rustix::process::Pid::from_raw(target.parse()?).ok_or("whom?")?;
            rustix::process::test_kill_process(whom)?;
        }
        "ptrace" => nix::sys::ptrace::traceme()?,
        "io_uring" => drop(io_uring::IoUring::new(4)?),
        "module" => match nix::kmod::delete_module(c"no-such-module", nix::kmod::DeleteModuleFlags::empty()) {
            // The kernel looked for it, or has no modules: the call itself came through.
            Err(nix::errno::Errno::ENOENT | nix::errno::Errno::ENOSYS) => {}
            other => other?,
        },
        "memfd" => drop(rustix::fs::memfd_create("x", rustix::fs::MemfdFlags::CLOEXEC)?),
        "limits" => {
            let now = rustix::process::getrlimit(rustix::process::Resource::Nofile);
            rustix::process::setrlimit(rustix::process::Resource::Nofile, now)?;
        }
        "panic" => {
            let broken =
                std::panic::catch_unwind(|| std::hint::black_box(&[0_u8; 0][..]).iter().next().copied().map_or_else(overflow, u32::from));
            return if broken.is_err() { Ok(()) } else { Err("no panic".into()) };
        }
        other => return Err(format!("no such attempt: {other}").into()),
    }
    Ok(())
}

/// Panics in the way that arithmetic does.
fn overflow() -> u32 {
    let none = std::hint::black_box(0_u32);
    #[allow(clippy::arithmetic_side_effects, reason = "the panic is what is wanted")]
    let broken = 1 / none;
    broken
}

/// TCP over several paths, which Landlock does not take for TCP.
const MPTCP: rustix::net::Protocol = rustix::net::ipproto::MPTCP;

/// Connects in the act of sending.
fn fast_open(target: &str) -> Result<()> {
    use rustix::net::{AddressFamily, SendFlags, SocketType, sendto, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    sendto(&socket, b"x", SendFlags::from_bits_retain(0x2000_0000), &target.parse::<std::net::SocketAddrV4>()?)?;
    Ok(())
}
