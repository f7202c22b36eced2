//! The table of natives this build has. The functions are in the folders of their modules.

use crate::{env, fs, io, net, obs, os, rnd, syn, tim};
use ilu_sbx::{NativeFn, Natives};

/// Canonical names and functions.
const ROWS: &[(&str, NativeFn)] = &[
    ("__sys_stdout", io::stdout),
    ("__sys_stderr", io::stderr),
    ("__sys_stdin", io::stdin),
    ("__sys_time", tim::time),
    ("__sys_mono", tim::mono),
    ("__sys_sleep", tim::sleep),
    ("__sys_read_file", fs::read::read_file),
    ("__sys_read_dir", fs::read::read_dir),
    ("__sys_stat", fs::read::stat),
    ("__sys_exists", fs::read::exists),
    ("__sys_open_read", fs::read::open_read),
    ("__sys_write_file", fs::write::write_file),
    ("__sys_mkdir", fs::manage::mkdir),
    ("__sys_remove", fs::manage::remove),
    ("__sys_rename", fs::manage::rename),
    ("__sys_copy", fs::manage::copy),
    ("__sys_symlink", fs::manage::symlink),
    ("__sys_tcp_dial", net::tcp::dial),
    ("__sys_tcp_connect", net::tcp::connect_ip),
    ("__sys_tcp_send", net::tcp::send),
    ("__sys_tcp_recv", net::tcp::recv),
    ("__sys_tcp_close", net::tcp::close),
    ("__sys_tcp_listen", net::serve::listen),
    ("__sys_tcp_accept", net::serve::accept),
    ("__sys_dns", net::dns::dns),
    ("__sys_chan_new", syn::passed),
    ("__sys_chan_send", syn::passed),
    ("__sys_chan_recv", syn::passed),
    ("__sys_chan_close", syn::passed),
    ("__sys_spawn", syn::passed),
    ("__sys_wait", syn::passed),
    ("__sys_getenv", env::getenv),
    ("__sys_secret", env::secret),
    ("__sys_argv", os::argv),
    ("__os_run", os::run::run),
    ("__obs_log", obs::log),
    ("__obs_span_begin", obs::span_begin),
    ("__obs_span_end", obs::span_end),
    ("__sys_random", rnd::random),
];

/// Those that only a build with HTTP has.
#[cfg(feature = "http")]
const HTTP_ROWS: &[(&str, NativeFn)] = &[
    ("__sys_http_get", crate::http::get),
    ("__sys_http_post", crate::http::post),
    ("__sys_http_put", crate::http::put),
    ("__sys_http_patch", crate::http::patch),
    ("__sys_http_delete", crate::http::delete),
    ("__sys_http_serve", crate::http::serve::serve),
    ("__sys_http_take", crate::http::serve::take),
    ("__sys_http_reply", crate::http::serve::reply),
    ("__sys_http_stop", crate::http::serve::stop),
];
#[cfg(not(feature = "http"))]
const HTTP_ROWS: &[(&str, NativeFn)] = &[];

/// The functions behind the registry's rows. A row without one answers that it is not in this build.
#[must_use]
pub fn natives() -> Natives {
    Natives::new(&[ROWS, HTTP_ROWS].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_function_is_behind_a_canonical_name() {
        let mut seen = HashSet::new();
        for (name, _) in ROWS.iter().chain(HTTP_ROWS) {
            let id = ilu_cap::by_name(name);
            assert_eq!(id.map(|id| id.name()), Some(*name));
            assert!(seen.insert(name), "{name} twice");
        }
    }
}
