//! Natives of HTTP. The client, one file per question: what is asked (`request`, `target`, `header`), whom it may reach (`client`, `tls`), how it
//! goes (`exchange`, `body`, `waiting`), why it failed (`failure`). The server: `serve` has its natives, `server` what runs behind them.

mod body;
mod client;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod corpus;
mod exchange;
mod failure;
mod header;
mod request;
pub(crate) mod serve;
mod server;
mod target;
mod tls;
mod waiting;
mod wire;

use hyper::Method;
use ilu_cap::NativeId;
use ilu_sbx::{Arg, Permit, Plain, Stop};
use request::Request;
pub use tls::check_authorities;

/// `__sys_http_get(url[, {hdr, ms, max, bytes, to, red}])` → `{cod, txt, hdr, url}`
pub fn get(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    ask(permit, Method::GET, args)
}

/// `__sys_http_post(url[, body[, {hdr, ms, max, bytes, to, red, from}]])`
pub fn post(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    ask(permit, Method::POST, args)
}

/// `__sys_http_put(url[, body[, opts]])`
pub fn put(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    ask(permit, Method::PUT, args)
}

/// `__sys_http_patch(url[, body[, opts]])`
pub fn patch(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    ask(permit, Method::PATCH, args)
}

/// `__sys_http_delete(url[, opts])`
pub fn delete(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    ask(permit, Method::DELETE, args)
}

fn ask(permit: &mut Permit<'_>, method: Method, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let request = Request::read(permit, method, args)?;
    exchange::run(permit, request)
}

/// The native that sends a method.
fn native_of(method: &Method) -> NativeId {
    other(match *method {
        Method::POST => "__sys_http_post",
        Method::PUT => "__sys_http_put",
        Method::PATCH => "__sys_http_patch",
        Method::DELETE => "__sys_http_delete",
        _ => "__sys_http_get",
    })
}

/// A native by its name in the registry; a name that is not there is held by nobody.
fn other(name: &str) -> NativeId {
    ilu_cap::by_name(name).unwrap_or(NativeId(u16::MAX))
}
