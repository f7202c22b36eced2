//! The builtins that are the VM's own business, as rows; `vm::control` runs them.

use super::{BuiltinRow, Run};

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the rows say what each does")]
pub enum Control {
    Print,
    PrintError,
    Try,
    Exit,
    Make,
    Run,
    RunTry,
    Eval,
    Load,
    Use,
    Call,
    Has,
    Explain,
    List,
    Current,
    Gate,
    Revoke,
    Log,
    Used,
    Bundle,
    Text,
    Arity,
    Append,
}

/// The one alias of a native that means more than its native.
pub const APPEND: &str = "__sys_append";

const fn open(name: &'static str, args: (u8, u8), run: Control, doc: &'static str) -> BuiltinRow {
    BuiltinRow { name, trusted: false, args, run: Run::Control(run), doc }
}

const fn inner(name: &'static str, args: (u8, u8), run: Control, doc: &'static str) -> BuiltinRow {
    BuiltinRow { name, trusted: true, args, run: Run::Control(run), doc }
}

/// The rows.
pub const ROWS: &[BuiltinRow] = &[
    open("prn", (0, 255), Control::Print, "Writes its arguments and a newline to standard output."),
    open("eprn", (0, 255), Control::PrintError, "Writes its arguments and a newline to standard error."),
    open("try", (1, 1), Control::Try, "Calls a function; gives {val, err}."),
    // A spelling of `__sys_write_file`; as a mere alias it would empty the file it was asked to extend.
    open(APPEND, (2, 2), Control::Append, "Writes at the end of a file: `__sys_write_file` with {append: tru}."),
    open("str", (1, 1), Control::Text, "A value as text."),
    inner("__fun_arity", (1, 1), Control::Arity, "Fewest and most arguments a function takes."),
    inner("__os_exit", (0, 1), Control::Exit, "Ends the sandbox it is called in."),
    inner("__sbx_make", (1, 2), Control::Make, "A new sandbox: capabilities and options."),
    inner("__sbx_run", (2, 2), Control::Run, "Calls a function inside a sandbox; errors pass through."),
    inner("__sbx_try", (2, 2), Control::RunTry, "Calls a function inside a sandbox; gives {val, err, used, denied}."),
    inner("__sbx_eval", (2, 2), Control::Eval, "Runs source text inside a sandbox."),
    inner("__sbx_load", (2, 2), Control::Load, "Runs a file inside a sandbox, read with its own view."),
    inner("__sbx_use", (2, 2), Control::Use, "A module whose functions are at home in a sandbox."),
    inner("__sbx_call", (3, 3), Control::Call, "Calls one native with a sandbox's authority: name, list of arguments."),
    inner("__sbx_has", (2, 2), Control::Has, "Whether a sandbox holds a native."),
    inner(
        "__pol_explain",
        (2, 2),
        Control::Explain,
        "What a call with a sandbox's authority would come to: list of a native's name and arguments.",
    ),
    inner("__sbx_list", (1, 1), Control::List, "Names of the natives a sandbox holds."),
    inner("__sbx_self", (0, 0), Control::Current, "The current sandbox."),
    inner("__sbx_gate", (1, 1), Control::Gate, "A function through which calls run with the authority of here."),
    inner("__sbx_revoke", (1, 1), Control::Revoke, "Revokes a sandbox and everything under it."),
    inner("__sbx_log", (1, 1), Control::Log, "A sandbox's audit rows."),
    inner("__sbx_used", (1, 1), Control::Used, "What a sandbox has used."),
    inner("__cap_bundle", (1, 1), Control::Bundle, "The natives of a bundle, as a list of names."),
];
