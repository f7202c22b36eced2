//! The attack catalogue as tests, by the catalogue's ids: each file row with the kernel's `openat2`, without it (ENOSYS) and with it refused
//! (EPERM), each refusal with a control that must succeed and a twin in which, the guard off, the attack succeeds.
//!
//! A harness of its own, so that each row has its name (`cargo test -p ilu-tests --test attacks cap_005`) and the last words are a count of what
//! was tried. A new row is a function in the file of its group, named by its id, and its name in [`catalogue`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    missing_docs,
    reason = "tests"
)]

mod agt_embed;
mod agt_output;
mod bout;
mod cap_amplify;
mod cap_natives;
mod cap_patch;
mod cap_sandbox;
mod cap_tasks;
mod catalogue;
mod fs_lexical;
mod fs_machine;
mod fs_rights;
mod fs_special;
mod fs_symlink;
mod http_rig;
mod index;
mod int_budgets;
mod int_long;
mod int_mutants;
mod int_runtime;
mod int_source;
mod lane;
mod net_address;
mod net_ambient;
mod net_answer;
mod net_names;
mod net_redirect;
mod net_request;
mod net_sockets;
mod net_tls;
mod net_url;
mod osl;
mod osl_more;
mod pol_net;
mod pol_rows;
mod pol_seal;
mod prc;
mod prc_more;
mod rig;
mod rig_itself;
mod row;
mod tasks;
mod yard;

use libtest_mimic::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let conclusion = libtest_mimic::run(&arguments, catalogue::trials());
    if arguments.list {
        return ExitCode::SUCCESS;
    }
    let lacking = index::summary(&conclusion);
    if conclusion.has_failed() || lacking { ExitCode::from(101) } else { ExitCode::SUCCESS }
}
