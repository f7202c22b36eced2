//! Natives of the network that move bytes: connections made and taken, and names looked up. One file per class; `dial` is the one place that
//! connects a socket, through the pool of a route that the permit gave.

pub(crate) mod dial;
pub(crate) mod dns;
pub(crate) mod serve;
pub(crate) mod tcp;

use ilu_sbx::options::whole;
use ilu_sbx::{Arg, HandleId, Permit, Stop};

/// An open connection.
pub(crate) const CONNECTION: &str = "con";
/// What listens.
pub(crate) const LISTENER: &str = "lsn";

fn text<'a>(permit: &Permit<'_>, args: &[Arg<'a>], n: usize) -> Result<&'a str, Stop> {
    match args.get(n) {
        Some(Arg::Str(text)) => Ok(text),
        other => Err(Stop::Failed(format!("{}: a str is needed, got {}", permit.native(), other.map_or("nothing", Arg::type_name)))),
    }
}

fn port(permit: &Permit<'_>, args: &[Arg<'_>], n: usize) -> Result<u16, Stop> {
    let number = match args.get(n) {
        Some(Arg::Num(number)) => ilu_pol::net::port_number(*number).filter(|port| *port > 0),
        _ => None,
    };
    number.ok_or_else(|| Stop::Failed(format!("{}: a port is a whole number from 1 to 65535", permit.native())))
}

fn handle(permit: &Permit<'_>, args: &[Arg<'_>], n: usize) -> Result<HandleId, Stop> {
    match args.get(n) {
        Some(Arg::Handle(id)) => Ok(*id),
        other => {
            Err(Stop::Failed(format!("{}: an open resource is needed, got {}", permit.native(), other.map_or("nothing", Arg::type_name))))
        }
    }
}

/// A count that may be left out.
fn count(permit: &Permit<'_>, args: &[Arg<'_>], n: usize, name: &str) -> Result<Option<u64>, Stop> {
    match args.get(n) {
        None | Some(Arg::Nil) => Ok(None),
        Some(Arg::Num(number)) => {
            whole(*number).map(Some).ok_or_else(|| Stop::Failed(format!("{}: {name} is a whole number from 0", permit.native())))
        }
        Some(other) => Err(Stop::Failed(format!("{}: {name} is a whole number, got {}", permit.native(), other.type_name()))),
    }
}

/// When so many milliseconds will have passed.
#[allow(clippy::cast_precision_loss, reason = "milliseconds that a script named")]
fn after(permit: &mut Permit<'_>, ms: u64) -> f64 {
    permit.mono_ms() + ms as f64
}
