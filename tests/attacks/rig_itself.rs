//! The rig's own guards: were they not in force, rows would prove nothing.

use crate::rig::{Openat2, Tree};

pub fn the_openat2_launcher_really_blocks_it() {
    // EACCES is the one answer after which cap-std does not walk by hand: so under it nothing opens, and without it the same read works. Were
    // the launcher's filter not in force, the rows under ENOSYS and EPERM would prove nothing.
    let tree = Tree::new();
    let read = |mode| tree.run("ro", "prn __sys_read_file(\"a.txt\")", mode);
    assert_eq!(read(Openat2::Kernel).out, "alpha\n");
    assert_eq!(read(Openat2::Enosys).out, "alpha\n");
    assert_eq!(read(Openat2::Eperm).out, "alpha\n");
    let refused = read(Openat2::Eacces);
    assert!(refused.code != Some(0) && refused.out.is_empty(), "{refused:?}");
}
