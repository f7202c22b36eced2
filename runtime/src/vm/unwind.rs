//! Unwinding: an error, an exhausted budget or an exit looks for the boundary that takes it.
//!
//! Whatever the way out, each boundary that is passed restores who is charged and how much may be held; authority comes back with the
//! frames. When no boundary takes it, the run is over and the frames are still there for the trace.

use super::Vm;
use super::frame::{Ends, Thrown};
use super::trace::{self, Trace};
use crate::builtin::Fault;
use crate::code;
use crate::value::Value;
use ilu_cap::NativeId;
use ilu_lang::diagnostic::codes;
use ilu_sbx::{Budget, Denial, SbxId, Stop};

/// How a run ended that did not reach its end.
#[derive(Debug)]
pub(crate) struct Ending {
    /// Why.
    pub why: Why,
    /// Its code.
    pub code: &'static str,
    /// What the native was asked for whose failure this is.
    pub on: Vec<String>,
    /// Where, and who called.
    pub trace: Trace,
}

/// Why a run ended.
#[derive(Debug)]
pub(crate) enum Why {
    /// An error nobody caught: its text, the value's type, and the denial it was.
    Error(String, Option<Box<Denial>>),
    /// A budget of the root ran out: the message.
    Limit(String),
    /// A budget of an inner sandbox ran out and nobody caught it: the message.
    InnerLimit(String),
    /// `os.exit`
    Exit(u8),
    /// The host asked.
    Interrupted,
    /// A bug of the interpreter.
    Broken(&'static str),
}

impl Ending {
    pub fn broken(what: &'static str) -> Self {
        Self { why: Why::Broken(what), code: codes::DEFECT, on: Vec::new(), trace: Trace::default() }
    }
}

/// An error of the runtime, remembered in case nobody catches it: a value alone does not say whose it is.
#[derive(Debug)]
pub(super) struct Failed {
    /// Its words.
    text: String,
    /// The native that failed, when it was one.
    native: Option<NativeId>,
    /// What that was asked for.
    on: Vec<String>,
}

/// Longest text of an uncaught error.
const MAX_MESSAGE: usize = 4096;

impl Vm {
    /// Takes a fault to its boundary, or ends the run.
    #[cold]
    pub(super) fn handle(&mut self, fault: Fault) -> Result<(), Ending> {
        let mut thrown = self.thrown(fault);
        loop {
            thrown = match thrown {
                Thrown::Error(value) => match self.find(|ends| matches!(ends, Ends::Try | Ends::EnterTry(_))) {
                    Some(at) => match self.catch(at, value) {
                        Ok(()) => return Ok(()),
                        Err(fault) => self.thrown(fault),
                    },
                    None => return Err(self.uncaught(value)),
                },
                Thrown::Limit(budget, of) => {
                    let text = self.realm.limit_text(budget, of);
                    match self.boundary_of(of) {
                        Some(at) => match self.end_sandbox(at, &text) {
                            Ok(()) => return Ok(()),
                            Err(fault) => {
                                let thrown = self.thrown(fault);
                                if let Thrown::Error(value) = thrown {
                                    self.surfaced = Some(value);
                                }
                                thrown
                            }
                        },
                        // Code of a sandbox that was handed out, called from outside: it ends there, the caller goes on.
                        None if !self.realm.charges(self.realm.root_account(), of) => {
                            let thrown = self.thrown(Fault::Message(text));
                            if let Thrown::Error(value) = thrown {
                                self.surfaced = Some(value);
                            }
                            thrown
                        }
                        None => return Err(self.ending(Why::Limit(text))),
                    }
                }
                Thrown::Exit(code) => match self.boundaries.iter().rposition(|boundary| boundary.sandbox.is_some()) {
                    Some(at) => match self.end_by_exit(at, code) {
                        Ok(()) => return Ok(()),
                        Err(fault) => self.thrown(fault),
                    },
                    None => return Err(self.ending(Why::Exit(code))),
                },
                Thrown::Revoked => return Err(self.ending(Why::Limit("the sandbox that this task belongs to was revoked".to_owned()))),
                Thrown::Interrupted => return Err(self.ending(Why::Interrupted)),
                Thrown::Broken(what) => return Err(self.ending(Why::Broken(what))),
            };
        }
    }

    /// What a fault means for the boundaries.
    fn thrown(&mut self, fault: Fault) -> Thrown {
        match fault {
            Fault::Raise(value) => Thrown::Error(value),
            Fault::Stop(Stop::Failed(text)) => {
                let (native, on) = (self.realm.take_failed(), self.realm.take_failed_on());
                self.raise_text(Failed { text, native, on })
            }
            Fault::Message(text) => self.raise_text(Failed { text, native: None, on: Vec::new() }),
            Fault::Stop(Stop::Denied(denial)) => match self.retrying(|vm| Ok(vm.heap.string(&denial.to_string())?)) {
                Ok(value) => {
                    self.denial = Some((value, denial));
                    Thrown::Error(value)
                }
                Err(_) => Thrown::Limit(Budget::Memory, self.memory.of),
            },
            Fault::Full(_) | Fault::Stop(Stop::Room(_)) => Thrown::Limit(Budget::Memory, self.memory.of),
            Fault::Fuel => match self.drain() {
                Stop::Limit { budget, of } => Thrown::Limit(budget, of),
                _ => Thrown::Broken("drain"),
            },
            Fault::Late => match self.late() {
                Stop::Limit { budget, of } => Thrown::Limit(budget, of),
                _ => Thrown::Interrupted,
            },
            Fault::Stop(Stop::Limit { budget, of }) => Thrown::Limit(budget, of),
            Fault::Stop(Stop::Interrupted) => Thrown::Interrupted,
            Fault::Exit(code) => Thrown::Exit(code),
            Fault::Wait => Thrown::Broken("a wait of no instruction"),
            Fault::Revoked => Thrown::Revoked,
            Fault::Broken(what) => Thrown::Broken(what),
        }
    }

    fn raise_text(&mut self, failed: Failed) -> Thrown {
        let raised = self.retrying(|vm| Ok(vm.heap.string(&failed.text)?));
        self.failed = Some(failed);
        raised.map_or(Thrown::Limit(Budget::Memory, self.memory.of), Thrown::Error)
    }

    /// The topmost boundary that ends in one of these ways.
    fn find(&self, takes: impl Fn(&Ends) -> bool) -> Option<usize> {
        self.boundaries.iter().rposition(|boundary| takes(&boundary.ends))
    }

    /// The boundary at which a sandbox began to be charged: the lowest above which it is.
    fn boundary_of(&self, of: SbxId) -> Option<usize> {
        self.boundaries.iter().position(|boundary| self.realm.charges(boundary.inner, of) && !self.realm.charges(boundary.account, of))
    }

    /// Takes boundary `at` and everything above it away.
    fn unwind_to(&mut self, at: usize) -> Option<super::frame::Boundary> {
        loop {
            let boundary = self.pop_boundary()?;
            if let Ends::Module(key) = &boundary.ends {
                self.module_failed(key);
            }
            if self.boundaries.len() <= at {
                return Some(boundary);
            }
        }
    }

    fn catch(&mut self, at: usize, value: Value) -> Result<(), Fault> {
        let Some(boundary) = self.unwind_to(at) else { return Err(Fault::Broken("no boundary")) };
        self.pinned.push(value);
        let result = match boundary.ends {
            Ends::EnterTry(sandbox) => self.retrying(|vm| vm.sandbox_result(sandbox, Value::NIL, value)),
            _ => self.retrying(|vm| vm.try_result(Value::NIL, value)),
        };
        self.pinned.pop();
        self.put(boundary.dest, result?);
        Ok(())
    }

    /// Ends the sandbox of boundary `at`: its result says why, or the code outside gets it as an error.
    fn end_sandbox(&mut self, at: usize, why: &str) -> Result<(), Fault> {
        let Some(boundary) = self.unwind_to(at) else { return Err(Fault::Broken("no boundary")) };
        let Ends::EnterTry(sandbox) = boundary.ends else { return Err(Fault::message(why)) };
        let result = self.retrying(|vm| {
            let text = vm.heap.string(why)?;
            vm.sandbox_result(sandbox, Value::NIL, text)
        })?;
        self.put(boundary.dest, result);
        Ok(())
    }

    fn end_by_exit(&mut self, at: usize, code: u8) -> Result<(), Fault> {
        if code != 0 {
            return self.end_sandbox(at, &format!("the sandbox exited with code {code}"));
        }
        let Some(boundary) = self.unwind_to(at) else { return Err(Fault::Broken("no boundary")) };
        let result = match boundary.ends {
            Ends::EnterTry(sandbox) => self.retrying(|vm| vm.sandbox_result(sandbox, Value::NIL, Value::NIL))?,
            _ => Value::NIL,
        };
        self.put(boundary.dest, result);
        Ok(())
    }

    fn uncaught(&mut self, value: Value) -> Ending {
        self.raised = Some(value);
        let text = crate::heap::short_text(&self.heap, value, MAX_MESSAGE);
        if self.surfaced == Some(value) {
            return self.ending(Why::InnerLimit(text));
        }
        let denial = self.denial.take().and_then(|(marked, denial)| (marked == value).then_some(denial));
        let failed = self.failed.take().filter(|failed| failed.text == text);
        let code = match (&denial, &failed) {
            (Some(denial), _) => code::of_rule(&denial.rule),
            (None, Some(failed)) => code::of_message(&text, failed.native),
            (None, None) => codes::RAISED,
        };
        let ending = self.ending(Why::Error(text, denial));
        // The library raises with `err`, as scripts do, and mostly because of what it was given.
        let of_library = code == codes::RAISED && ending.trace.rows.first().is_some_and(|row| row.library);
        Ending { on: failed.map(|failed| failed.on).unwrap_or_default(), code: if of_library { codes::ARGUMENT } else { code }, ..ending }
    }

    fn ending(&mut self, why: Why) -> Ending {
        self.settle();
        let code = match &why {
            Why::Limit(text) | Why::InnerLimit(text) => code::of_limit(text),
            Why::Interrupted => codes::INTERRUPTED,
            Why::Broken(_) => codes::DEFECT,
            Why::Error(..) | Why::Exit(_) => codes::RAISED,
        };
        Ending { why, code, on: Vec::new(), trace: trace::of(&self.heap, &self.frames) }
    }

    /// A run that failed before its first frame was there.
    pub(super) fn ending_of_start(&mut self, fault: Fault) -> Ending {
        match self.handle(fault) {
            Err(ending) => ending,
            Ok(()) => Ending::broken("the start of a run was caught"),
        }
    }
}
