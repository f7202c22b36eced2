//! The side of the process that runs scripts: it asks the warden for a program, and moves what the program reads and writes.

use super::WARDEN;
use super::wire;
use ilu_sbx::{Access, Ended, Launch, Mount, Opened, Running};
use ilu_wall::Report;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use rustix::pipe::{PipeFlags, pipe_with};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Bytes moved at a time: what a pipe holds.
const CHUNK: usize = 64 << 10;

/// A program that the operator granted, as the file that it was then.
#[derive(Debug)]
pub struct Program {
    /// What scripts call it.
    pub name: String,
    /// Where it really is.
    pub real: PathBuf,
    file: OwnedFd,
}

/// Finds a program: a path as it stands, or a name in the directories of `PATH`.
///
/// # Errors
/// There is none, or it is no file that can be run.
pub fn find(name: &str) -> Result<Program, String> {
    let candidates: Vec<PathBuf> = match name.contains('/') {
        true => vec![PathBuf::from(name)],
        false => std::env::var_os("PATH")
            .iter()
            .flat_map(std::env::split_paths)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join(name))
            .collect(),
    };
    for candidate in candidates {
        let Ok(real) = std::fs::canonicalize(&candidate) else { continue };
        let executable = rustix::fs::access(&real, rustix::fs::Access::EXEC_OK).is_ok() && real.is_file();
        if !executable {
            continue;
        }
        let file = rustix::fs::open(&real, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(|error| format!("{name}: {error}"))?;
        if real.to_str().is_none() {
            return Err(format!("{name}: its real name is not UTF-8"));
        }
        return Ok(Program { name: name.to_owned(), real, file });
    }
    Err(format!("{name}: there is no such program that can be run"))
}

impl Program {
    /// Does it lie in one of these places?
    #[must_use]
    pub fn lies_in(&self, places: &[PathBuf]) -> bool {
        places.iter().any(|place| self.real.starts_with(place))
    }
}

/// The warden of this process. It ends, and ends all programs, when this is dropped or the process is gone.
#[derive(Debug)]
pub struct Warden {
    socket: OwnedFd,
    child: Mutex<Option<Child>>,
    /// What its own wall lacks.
    report: Report,
}

impl Warden {
    /// Starts one, before the wall is raised. With `walled`, no program gets more of the filesystem than these mounts, nor more of the network than
    /// these rules say of every address. With `required`, no program is started that can't be confined in every way.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(programs: &[Program], mounts: &[Mount], net: &[String], (walled, required): (bool, bool)) -> io::Result<Warden> {
        let (ours, theirs) = wire::pair()?;
        let mut command = Command::new("/proc/self/exe");
        command.arg(WARDEN).env_clear().current_dir("/").process_group(0);
        command.stdin(Stdio::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn()?;
        let mut warden = Warden { socket: ours, child: Mutex::new(Some(child)), report: Report::default() };
        let (mut fields, mut handles) = (vec![wire::number(programs.len())], Vec::new());
        for program in programs {
            fields.extend([program.name.clone().into_bytes(), program.real.to_string_lossy().into_owned().into_bytes()]);
            handles.push(program.file.as_fd());
        }
        fields.extend([wire::number(u8::from(walled)), wire::number(u8::from(required))]);
        let ports = ilu_pol::net::Rules::from_texts(net).map(|rules| rules.ports_everywhere()).unwrap_or_default();
        fields.push(wire::number(ports.len()));
        fields.extend(ports.into_iter().map(wire::number));
        let mut places: Vec<(OwnedFd, u8)> = Vec::new();
        for mount in mounts {
            match &mount.opened {
                Opened::Dir(dir) => places.push((dir.as_fd().try_clone_to_owned()?, bits(true, mount.access))),
                Opened::File { parent, name } => {
                    let file = rustix::fs::openat(parent, name.as_str(), OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
                    places.extend(file.map(|file| (file, bits(false, mount.access))));
                }
            }
        }
        fields.push(wire::number(places.len()));
        for (handle, bits) in &places {
            fields.push(wire::number(bits));
            handles.push(handle.as_fd());
        }
        wire::send(&warden.socket, &fields, &handles)?;
        let answer = wire::receive(&warden.socket, RecvFlags::empty())?.ok_or(io::ErrorKind::BrokenPipe)?;
        warden.report = wire::report(&mut wire::Reader::new(answer))?;
        Ok(warden)
    }

    /// What the wall around it lacks.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// Asks for a program.
    ///
    /// # Errors
    /// It can't be asked for, in words for the script.
    pub fn launch(&self, launch: Launch) -> Result<Box<dyn Running>, String> {
        self.request(launch)
            .map(|program| -> Box<dyn Running> { Box::new(program) })
            .map_err(|error| format!("the program can't be started: {}", words(&error)))
    }

    fn request(&self, launch: Launch) -> io::Result<Pipes> {
        let (ours, theirs) = wire::pair()?;
        let [(their_in, input), (out, their_out), (err, their_err)] =
            [pipe_with(PipeFlags::CLOEXEC)?, pipe_with(PipeFlags::CLOEXEC)?, pipe_with(PipeFlags::CLOEXEC)?];
        for end in [&input, &out, &err] {
            rustix::io::ioctl_fionbio(end, true)?;
        }
        let mut handles: Vec<BorrowedFd<'_>> = vec![theirs.as_fd(), their_in.as_fd(), their_out.as_fd(), their_err.as_fd()];
        let mut fields = vec![launch.program.into_bytes(), wire::number(launch.written), wire::number(launch.memory)];
        fields.push(wire::number(launch.ports.len()));
        fields.extend(launch.ports.into_iter().map(wire::number));
        fields.push(wire::number(u8::from(launch.cwd.is_some())));
        handles.extend(launch.cwd.iter().map(AsFd::as_fd));
        fields.push(wire::number(launch.reaches.len()));
        for reach in &launch.reaches {
            fields.push(wire::number(bits(reach.is_dir, reach.access)));
            handles.push(reach.handle.as_fd());
        }
        fields.push(wire::number(launch.others.len()));
        fields.extend(launch.others.into_iter().map(String::into_bytes));
        fields.push(wire::number(launch.args.len()));
        fields.extend(launch.args.into_iter().map(String::into_bytes));
        fields.push(wire::number(launch.env.len()));
        for (name, value) in launch.env {
            fields.extend([name.into_bytes(), value.into_bytes()]);
        }
        wire::send(&self.socket, &fields, &handles)?;
        let most = usize::try_from(launch.most).unwrap_or(usize::MAX);
        let input = (!launch.input.is_empty()).then_some(input);
        Ok(Pipes {
            warden: ours,
            input,
            unsent: launch.input,
            sent: 0,
            out: Output { pipe: Some(out), bytes: Vec::new(), most },
            err: Output { pipe: Some(err), bytes: Vec::new(), most },
            ended: None,
        })
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        // The end of the connection is what it waits for.
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
        if let Some(mut child) = self.child.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = child.wait();
        }
    }
}

fn bits(is_dir: bool, access: Access) -> u8 {
    u8::from(access.reads()) | u8::from(access.writes()) << 1 | u8::from(is_dir) << 2
}

/// What the system says, in plain words without paths.
pub(super) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::Other => error.to_string(),
        _ => ilu_sbx::permit::os_text(error),
    }
}

/// A program that was asked for. Dropping it closes its connection, which is what the warden ends programs by.
struct Pipes {
    warden: OwnedFd,
    input: Option<OwnedFd>,
    unsent: Vec<u8>,
    sent: usize,
    out: Output,
    err: Output,
    ended: Option<i32>,
}

/// One of its outputs.
struct Output {
    pipe: Option<OwnedFd>,
    bytes: Vec<u8>,
    most: usize,
}

impl Output {
    /// Takes what is there. An error is that it is too much.
    fn take(&mut self) -> Result<(), String> {
        let mut piece = vec![0; CHUNK];
        while let Some(pipe) = &self.pipe {
            match rustix::io::read(pipe, &mut piece) {
                Ok(0) => self.pipe = None,
                Ok(got) => {
                    if self.bytes.len() + got > self.most {
                        return Err(format!(
                            "the program wrote more than {} bytes on one of its outputs, and was ended (option max allows more)",
                            self.most
                        ));
                    }
                    self.bytes.extend_from_slice(piece.get(..got).unwrap_or_default());
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(_) => self.pipe = None,
            }
        }
        Ok(())
    }
}

impl Pipes {
    fn give(&mut self) {
        while let Some(input) = &self.input {
            match rustix::io::write(input, self.unsent.get(self.sent..).unwrap_or_default()) {
                Ok(got) => self.sent += got,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return,
                // It does not read any more: that is its right.
                Err(_) => self.input = None,
            }
            if self.sent >= self.unsent.len() {
                self.input = None;
            }
        }
    }

    fn hear(&mut self) -> Result<(), String> {
        let message = match wire::receive(&self.warden, RecvFlags::DONTWAIT) {
            Ok(Some(message)) => message,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Ok(None) | Err(_) => return Err("the program was ended: what watched over it is gone".to_owned()),
        };
        let field = |n: usize| message.fields.get(n).map(|field| String::from_utf8_lossy(field).into_owned()).unwrap_or_default();
        match field(0).as_str() {
            "ended" => {
                self.ended = Some(field(1).parse().unwrap_or(255));
                Ok(())
            }
            _ => Err(format!("the program can't be run: {}", field(1))),
        }
    }
}

impl Running for Pipes {
    fn step(&mut self, ms: f64) -> Result<Option<Ended>, String> {
        let nothing = || Timespec { tv_sec: 0, tv_nsec: 0 };
        let wait = std::time::Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default();
        let wait = Timespec::try_from(wait).unwrap_or_else(|_| nothing());
        let mut asked = vec![PollFd::new(&self.warden, PollFlags::IN)];
        asked.extend(self.input.iter().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        asked.extend(self.out.pipe.iter().chain(&self.err.pipe).map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        match poll(&mut asked, Some(&wait)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(format!("the program can't be waited for: {error}")),
        }
        drop(asked);
        self.give();
        self.out.take()?;
        self.err.take()?;
        self.hear()?;
        let Some(code) = self.ended else { return Ok(None) };
        // Nothing of its group is left, so what the pipes hold now is all there will be.
        self.out.take()?;
        self.err.take()?;
        Ok(Some(Ended { code, out: std::mem::take(&mut self.out.bytes), err: std::mem::take(&mut self.err.bytes) }))
    }
}
