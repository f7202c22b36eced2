//! The sandbox: what a script may touch, and the one doorway through which it touches it.
//!
//! A [`Realm`] belongs to one isolate. It holds the sandboxes (what each may call and on what), the accounts (who pays), the open
//! resources and the event record. The VM asks it three things: the [`Realm::meet`] of two authorities, the fuel of an account, and
//! [`Realm::call`]. This crate knows nothing of the VM's values and opens nothing by itself: directories, clocks and streams are
//! handed to it.
#![forbid(unsafe_code)]

mod account;
pub mod ask;
mod attenuate;
pub mod chain;
mod counter;
pub mod denial;
mod doorway;
pub mod event;
pub mod grants;
pub mod handle;
pub mod homes;
pub mod ids;
pub mod lease;
pub mod ledger;
pub mod limits;
mod lines;
pub mod net;
pub mod options;
pub mod outside;
pub mod path;
pub mod permit;
pub mod plain;
pub mod process;
pub mod purse;
pub mod realm;
mod record;
pub mod request;
mod run;
pub mod sandbox;
pub mod secret;
pub mod service;
mod session;
mod show;
mod stdin;
pub mod stop;
mod tasks;
mod tree;
pub mod view;
pub mod watch;

pub use ask::{Addition, Answer, Operator};
pub use denial::{Denial, Rule};
pub use event::{Cost, Event, Verdict};
pub use grants::{Grants, Mount};
pub use homes::Homes;
pub use ids::{ANY, AccountId, ROOT, ROOT_ACCOUNT, ROOT_NUMBER, SbxId, VOID};
pub use ledger::{Counts, Ledger, Scale, Summary, Touched, What};
pub use limits::{Budget, Limits, NO_LIMIT, Spent};
pub use net::{Listening, Lookup, Pool, Ready, Route};
pub use options::Options;
pub use outside::Outside;
pub use permit::{Permit, Place};
pub use plain::{Arg, HandleId, Plain};
pub use process::{Ended, Launch, Reach, Running, Wanted};
pub use purse::{Lease, Purse};
pub use realm::{CallSite, NativeFn, Natives, Realm};
pub use record::Sealed;
pub use request::{DirRequest, Request};
pub use sandbox::Sandbox;
pub use secret::Secret;
pub use stop::Stop;
pub use tasks::{PASS_COST, TaskPlace};
pub use view::{Access, Opened};
pub use watch::{Foreseen, Observed, Touch};
