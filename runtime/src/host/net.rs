//! What the process gives to connections: lookups of names, and pools of addresses that were authorised.
//!
//! A name is asked for exactly as it stands, as an absolute one: no search list of the system's is put behind it, so the name that was judged
//! is the name that is asked for, and no other. The file of hosts goes first, as everywhere.

use cap_std::ambient_authority;
use cap_std::net::Pool;
use ilu_sbx::Lookup;
use ilu_sbx::limits::{MAX_ADDRESSES, MAX_LOOKUPS};
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads that wait for the system's resolver, which can't be told to stop.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// Most bytes of the file of hosts that are read.
const MAX_HOSTS: u64 = 1 << 20;

/// One of the lookups under way, until it is dropped.
struct Place;

impl Place {
    fn take() -> Option<Place> {
        let one_more = |n: usize| (n < MAX_LOOKUPS).then_some(n + 1);
        UNDER_WAY.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok().map(|_| Place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Looks a name up on a thread of its own.
pub(super) fn lookup(name: &str) -> io::Result<Lookup> {
    let place = Place::take().ok_or(io::ErrorKind::WouldBlock)?;
    let (answer, lookup) = Lookup::new();
    let name = name.to_owned();
    std::thread::Builder::new().name("lookup".to_owned()).spawn(move || {
        let _place = place;
        // Whoever asked may have gone.
        let _ = answer.send(addresses(&name));
    })?;
    Ok(lookup)
}

fn addresses(name: &str) -> io::Result<Vec<IpAddr>> {
    let known = std::fs::File::open("/etc/hosts").map(|file| in_file_of_hosts(file, name)).unwrap_or_default();
    if !known.is_empty() {
        return Ok(known);
    }
    // The dot at its end makes it absolute.
    match (format!("{name}."), 0).to_socket_addrs() {
        Ok(found) => Ok(found.take(MAX_ADDRESSES).map(|addr| addr.ip()).collect()),
        // The resolver says in words of its own that there is none, or that nobody who was asked could tell.
        Err(error) if error.raw_os_error().is_none() => {
            let words = error.to_string();
            let untold = ["Temporary failure", "Try again", "Non-recoverable"].iter().any(|said| words.contains(said));
            Err(if untold { io::ErrorKind::TimedOut } else { io::ErrorKind::NotFound }.into())
        }
        Err(error) => Err(error),
    }
}

/// The addresses that stand before a name: `ADDRESS NAME…`, a line each.
fn in_file_of_hosts(file: impl Read, name: &str) -> Vec<IpAddr> {
    let mut text = String::new();
    if file.take(MAX_HOSTS).read_to_string(&mut text).is_err() {
        return Vec::new();
    }
    let line = |line: &str| -> Option<IpAddr> {
        let mut words = line.split('#').next()?.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word.trim_end_matches('.').eq_ignore_ascii_case(name)).then_some(address)
    };
    text.lines().filter_map(line).take(MAX_ADDRESSES).collect()
}

/// A pool of exactly these addresses.
pub(super) fn pool(addrs: &[SocketAddr]) -> Pool {
    let mut pool = Pool::new();
    for addr in addrs {
        pool.insert_socket_addr(*addr, ambient_authority());
    }
    pool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_hosts_is_read_as_it_is_written() {
        let text = b"127.0.0.1 localhost\n# 10.0.0.9 db\n10.0.0.1\tDB.test. db # the database\nfe80::1%lo0 db\n10.0.0.2 db\nrubbish db\n"
            .as_slice();
        let all = |name| in_file_of_hosts(text, name).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(all("db"), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(all("db.test"), ["10.0.0.1"]);
        assert!(all("the").is_empty() && all("d").is_empty());
    }

    #[test]
    fn a_pool_holds_what_was_put_in_and_nothing_else() {
        let addr: SocketAddr = ([127, 0, 0, 1], 65535).into();
        let pool = pool(&[addr]);
        assert!(pool._pool().check_addr(&addr).is_ok());
        for other in [([127, 0, 0, 1], 65534), ([127, 0, 0, 1], 0), ([127, 0, 0, 2], 65535)] {
            assert!(pool._pool().check_addr(&other.into()).is_err(), "{other:?}");
        }
    }
}
