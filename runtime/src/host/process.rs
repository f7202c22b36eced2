//! The process around a run: its streams, clocks and entropy, as scripts reach them through the doorway.

use super::{Captured, HostError, child, net, read_config, screen};
use ilu_sbx::{Launch, Outside, Running};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The streams, clocks and entropy of this process.
#[derive(Debug)]
pub struct Process {
    started: Instant,
    interrupt: Arc<AtomicBool>,
    reader_gone: Arc<AtomicBool>,
    unfinished: Arc<AtomicBool>,
    mid_line: Arc<AtomicBool>,
    captured: Option<Arc<Captured>>,
    /// Certificates in PEM that HTTPS trusts besides those it has.
    authorities: String,
    screen: screen::Screen,
    warden: Option<child::Warden>,
}

impl Default for Process {
    /// With a flag that only it knows.
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl Process {
    /// With the flag that ends its run. It is set when nobody reads standard output any more: there is no one left to run for.
    #[must_use]
    pub fn new(interrupt: Arc<AtomicBool>) -> Self {
        Self {
            started: Instant::now(),
            interrupt,
            reader_gone: Arc::default(),
            unfinished: Arc::default(),
            mid_line: Arc::default(),
            captured: None,
            authorities: String::new(),
            screen: screen::Screen::new(),
            warden: None,
        }
    }

    /// With the flag that ends its run; what is written on its two streams is kept instead, and its standard input is empty.
    #[must_use]
    pub fn capturing(interrupt: Arc<AtomicBool>, captured: Arc<Captured>) -> Self {
        Self { captured: Some(captured), ..Self::new(interrupt) }
    }

    /// Lets HTTPS trust the certificates in a file, besides those of the authorities that are built in.
    ///
    /// # Errors
    /// What the system says; there is no certificate in it; this build has no HTTP.
    pub fn trust_authorities(&mut self, path: &str) -> Result<(), HostError> {
        let (text, _) = read_config(path)?;
        ilu_std::check_authorities(&text).map_err(|why| HostError::Certificates(path.to_string(), why))?;
        self.authorities.push_str(&text);
        self.authorities.push('\n');
        Ok(())
    }

    /// What the script writes goes to a terminal as it is: its control characters are obeyed.
    #[must_use]
    pub fn raw(self) -> Self {
        Self { screen: screen::Screen::raw(), ..self }
    }

    /// Programs are started by this warden; without one none is.
    #[must_use]
    pub fn with_warden(self, warden: child::Warden) -> Self {
        Self { warden: Some(warden), ..self }
    }

    /// A flag that tells, after the run, whether it was ended because nobody read standard output any more.
    #[must_use]
    pub fn reader_gone(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.reader_gone)
    }

    /// A flag that tells whether what the script last wrote on standard error left its line unfinished: what others write there begins a new
    /// one, or the script could make a part of it.
    #[must_use]
    pub fn unfinished(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.unfinished)
    }
}

impl Process {
    /// A flag that tells whether what was last written on a terminal left its line unfinished.
    #[must_use]
    pub fn mid_line(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.mid_line)
    }

    fn note_end(&self, on_terminal: bool, bytes: &[u8]) {
        if let (true, Some(last)) = (on_terminal, bytes.last()) {
            self.mid_line.store(*last != b'\n', Ordering::Relaxed);
        }
    }
}

impl Outside for Process {
    fn write_out(&self, bytes: &[u8]) -> io::Result<()> {
        if let Some(captured) = &self.captured {
            return captured.take(bytes);
        }
        self.note_end(self.screen.shows_out(), bytes);
        let mut out = io::stdout().lock();
        let written = out.write_all(&self.screen.out(bytes)).and_then(|()| out.flush());
        if written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            self.reader_gone.store(true, Ordering::Relaxed);
            self.interrupt.store(true, Ordering::Relaxed);
        }
        written
    }

    fn write_err(&self, bytes: &[u8]) -> io::Result<()> {
        if let Some(captured) = &self.captured {
            return captured.take(bytes);
        }
        if let Some(last) = bytes.last() {
            self.unfinished.store(*last != b'\n', Ordering::Relaxed);
        }
        self.note_end(self.screen.shows_err(), bytes);
        io::stderr().lock().write_all(&self.screen.err(bytes))
    }

    fn wait_in(&self, ms: f64) -> io::Result<bool> {
        if self.captured.is_some() {
            return Ok(true);
        }
        let wait = Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default();
        let wait = Timespec::try_from(wait).map_err(|_| io::ErrorKind::InvalidInput)?;
        let stdin = io::stdin();
        let mut asked = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut asked, Some(&wait)) {
            // An error or a hang-up is for the reading to find.
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn read_in(&self, into: &mut [u8]) -> io::Result<usize> {
        if self.captured.is_some() {
            return Ok(0);
        }
        // Not through the library's own buffer: what that held would not be seen by the waiting.
        Ok(rustix::io::read(io::stdin(), into)?)
    }

    fn wall_ms(&self) -> f64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1000.0)
    }

    fn mono_ms(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * 1000.0
    }

    fn sleep(&self, ms: f64) {
        if let Ok(length) = Duration::try_from_secs_f64(ms / 1000.0) {
            std::thread::sleep(length);
        }
    }

    fn lookup(&self, name: &str) -> io::Result<ilu_sbx::Lookup> {
        net::lookup(name)
    }

    fn authorities(&self) -> &str {
        &self.authorities
    }

    fn pool(&self, addrs: &[std::net::SocketAddr]) -> cap_std::net::Pool {
        net::pool(addrs)
    }

    fn interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }

    fn start(&self, launch: Launch) -> Result<Box<dyn Running>, String> {
        match &self.warden {
            Some(warden) => warden.launch(launch),
            None => Err("this host starts no programs: it has no warden for them".to_owned()),
        }
    }

    fn random(&self, into: &mut [u8]) -> io::Result<()> {
        let mut filled = 0;
        while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty()) {
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn clocks_go_forward_and_entropy_differs() {
        let process = Process::new(Arc::default());
        let before = process.mono_ms();
        process.sleep(2.0);
        assert!(process.mono_ms() - before >= 2.0);
        process.sleep(f64::NAN);
        process.sleep(-1.0);
        assert!(process.wall_ms() > 1.6e12);
        let (mut a, mut b) = ([0_u8; 300], [0_u8; 300]);
        process.random(&mut a).unwrap();
        process.random(&mut b).unwrap();
        assert_ne!(a, b);
    }
}
