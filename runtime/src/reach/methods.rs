//! Natives that no name in the text stands for: the methods of channels and tasks, and loops over channels.
//!
//! What an unknown value's field is, or what a loop over one asks for, can't be seen; but there is a channel or a task only where the program can
//! make one. So these are noted aside, and count when the walk is over and has found that.

use super::value::What;
use super::{Fun, Node, Walk};
use crate::vm::task::METHODS;
use ilu_cap::{Class, NativeId};

impl Walk<'_> {
    /// A field of something is read: it may be a method.
    pub(super) fn method(&mut self, from: Fun, line: usize, of: &What, name: Option<&str>) {
        if !of.any {
            return;
        }
        for (_, _, op) in METHODS.iter().filter(|(_, method, _)| name.is_none_or(|name| name == *method)) {
            self.methods.extend(op.native().ok().map(|native| (from, native, line)));
        }
    }

    /// A loop begins: over a channel, perhaps.
    pub(super) fn loop_over(&mut self, from: Fun, line: usize, source: &What) {
        if source.any {
            self.methods.extend(ilu_cap::by_name("__sys_chan_recv").map(|native| (from, native, line)));
        }
    }

    /// The walk is over: what was noted counts, if there can be what it is about.
    pub(super) fn take_methods(&mut self) {
        let makes = |name: &str| {
            let native = ilu_cap::by_name(name);
            native.is_some_and(|native| self.edges.values().flatten().any(|(to, _)| *to == Node::Native(native)))
        };
        let (channels, tasks) = (makes("__sys_chan_new"), makes("__sys_spawn"));
        let is_there = |native: NativeId| match native.row().class {
            Class::Channel => channels,
            Class::Task => tasks,
            _ => true,
        };
        for (from, native, line) in std::mem::take(&mut self.methods) {
            if is_there(native) {
                self.native(from, native, line);
            }
        }
    }
}
