//! What of a native's arguments a grant decides. Derived from the registry's rows.

use super::access::Access;
use crate::registry::{Class, GrantKind, Kind, NativeId};

/// What an argument is to the rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A path, and what is done there.
    Path(Access),
    /// The name of an environment variable.
    Variable,
    /// The name of a secret.
    Secret,
    /// The name of a program.
    Program,
    /// Part of the address of a connection.
    Address,
    /// Nothing that a grant decides: data, options, a handle (which its sandbox answers for), the text of a link's target.
    Data,
}

/// What each parameter of a native is to the rights, in order.
#[must_use]
pub fn operands(native: NativeId) -> Vec<Operand> {
    let row = native.row();
    let operand = |place: usize, name: &str, kind: Kind| match (row.grant, kind) {
        (GrantKind::DirRead, Kind::Str) => Operand::Path(Access::Read),
        // What is copied is seen only, and a link's target is text: where it leads is asked when it is followed.
        (GrantKind::DirWrite, Kind::Str) if row.kernel.contains(&crate::Kernel::OpenRead) && name == "from" => Operand::Path(Access::Read),
        (GrantKind::DirWrite, Kind::Str) if name != "target" => Operand::Path(Access::Write),
        (GrantKind::Env, Kind::Str) => Operand::Variable,
        (GrantKind::Secret, Kind::Str) => Operand::Secret,
        (GrantKind::Run, Kind::Str) => Operand::Program,
        (GrantKind::Net, Kind::Str) if place == 0 => Operand::Address,
        (GrantKind::Net, Kind::Num) if matches!(row.class, Class::Tcp | Class::Serve) && name == "port" => Operand::Address,
        _ => Operand::Data,
    };
    row.params.iter().enumerate().map(|(place, param)| operand(place, param.name, param.kind)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::registry::by_name;

    #[test]
    fn each_argument_is_what_its_row_says() {
        use Operand::{Address, Data, Path, Program, Variable};
        let (ro, wo) = (Path(Access::Read), Path(Access::Write));
        for (name, expected) in [
            ("__sys_read_file", vec![ro, Data]),
            ("__sys_write_file", vec![wo, Data, Data]),
            ("__sys_copy", vec![ro, wo]),
            ("__sys_rename", vec![wo, wo]),
            ("__sys_symlink", vec![Data, wo]),
            ("__sys_getenv", vec![Variable]),
            ("__os_run", vec![Program, Data, Data]),
            ("__sys_tcp_dial", vec![Address, Address]),
            ("__sys_tcp_send", vec![Data, Data]),
            ("__sys_http_post", vec![Address, Data, Data]),
            ("__sys_stdout", vec![Data]),
        ] {
            assert_eq!(operands(by_name(name).unwrap()), expected, "{name}");
        }
    }

    #[test]
    fn every_native_with_a_grant_has_an_argument_that_it_decides_or_a_handle() {
        for native in NativeId::all() {
            let row = native.row();
            let decided = operands(native).iter().any(|operand| *operand != Operand::Data);
            let handle = row.params.iter().any(|param| param.kind == Kind::Handle);
            assert_eq!(decided, row.grant != GrantKind::None && !handle, "{}", row.name);
        }
    }
}
