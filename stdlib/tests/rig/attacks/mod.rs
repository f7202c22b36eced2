//! The attack catalogue's file system rows on lexical paths, links, names, rights, special files and roots, by their ids.
//!
//! Each row is a function that panics when it fails. The three test binaries run all of them: with openat2, and with openat2 answering
//! ENOSYS and EPERM, which makes cap-std walk paths by hand.

mod links;
mod paths;
mod rights;

use super::on;
use ilu_sbx::Arg;
use links::*;
use paths::*;
use rights::*;

pub const ROWS: &[(&str, fn())] = &[
    ("FS-001", fs_001_a_path_that_climbs_out_is_denied),
    ("FS-003", fs_003_absolute_host_paths_are_denied),
    ("FS-005", fs_005_leaving_and_coming_back_is_denied),
    ("FS-006", fs_006_climbing_within_the_grant_works),
    ("FS-007", fs_007_every_native_refuses_the_parent),
    ("FS-008", fs_008_every_native_refuses_the_hosts_root),
    ("FS-009", fs_009_a_file_is_no_directory),
    ("FS-010", fs_010_an_empty_path_is_not_found),
    ("FS-011", fs_011_nul_is_invalid_everywhere),
    ("FS-012", fs_012_long_names_are_errors),
    ("FS-014", fs_014_many_steps_end_quickly),
    ("FS-015", fs_015_names_that_are_not_utf8),
    ("FS-017", fs_017_nothing_is_decoded_or_expanded),
    ("FS-022", fs_022_control_characters_are_literal_and_shown_escaped),
    ("FS-023", fs_023_a_path_of_another_type_is_an_error),
    ("FS-025", fs_025_a_sibling_with_the_same_prefix_is_denied),
    ("FS-026", fs_026_the_grants_own_root),
    ("FS-027", fs_027_links_within_the_grant_work),
    ("FS-028", fs_028_links_out_are_denied),
    ("FS-031", fs_031_nothing_is_made_through_a_directory_link),
    ("FS-034", fs_034_long_chains_of_links_end_in_an_error),
    ("FS-035", fs_035_links_to_the_parent_are_denied),
    ("FS-038", fs_038_dots_are_resolved_after_links),
    ("FS-039", fs_039_loops_of_links_end_in_an_error),
    ("FS-041", fs_041_dangling_links_out_create_nothing),
    ("FS-044", fs_044_appending_through_a_link_out_is_denied),
    ("FS-045", fs_045_removing_a_link_removes_the_link),
    ("FS-046", fs_046_removing_a_tree_follows_no_link),
    ("FS-048", fs_048_moving_a_link_moves_the_link),
    ("FS-049", fs_049_copying_onto_a_link_out_writes_nothing_outside),
    ("FS-051", fs_051_links_can_be_made_only_relative),
    ("FS-053", fs_053_looking_through_links_out_is_denied),
    ("FS-054", fs_054_what_exists_outside_can_not_be_told),
    ("FS-061", fs_061_moving_across_rights_is_denied),
    ("FS-062", fs_062_a_hard_link_made_before_is_within_the_grant),
    ("FS-065", fs_065_odd_renames_are_errors),
    ("FS-066", fs_066_moving_across_grants_needs_rights_on_both),
    ("FS-067", fs_067_read_only_is_read_only),
    ("FS-075", fs_075_write_only_shows_nothing),
    ("FS-077", fs_077_procfs_is_refused),
    ("FS-077", fs_077_nothing_is_told_of_procfs_below_a_wide_grant),
    ("FS-081", fs_081_fifos_and_devices_do_not_block),
    ("FS-087", fs_087_unknown_options_are_errors),
    ("FS-089", fs_089_a_huge_file_is_refused_before_anything_is_read),
    ("FS-093", fs_093_odd_numbers_are_errors),
    ("FS-096", fs_096_a_deep_tree_is_removed),
    ("FS-098", fs_098_what_is_made_is_private),
    ("FS-115", fs_115_a_grants_root_can_not_be_removed),
];

/// Runs every row and reports all that failed.
pub fn run_all() {
    let mut failed = Vec::new();
    for (id, row) in ROWS {
        if std::panic::catch_unwind(row).is_err() {
            failed.push(*id);
        }
    }
    assert!(failed.is_empty(), "failed: {failed:?}");
}

type Op = (&'static str, Box<dyn Fn(&str) -> Vec<Arg<'_>>>);

/// Every native that takes a path, once for each operand and option that changes what it does.
fn path_ops() -> Vec<Op> {
    fn row(native: &'static str, args: impl Fn(&str) -> Vec<Arg<'_>> + 'static) -> Op {
        (native, Box::new(args))
    }
    vec![
        row("__sys_read_file", |p| vec![Arg::Str(p)]),
        row("__sys_read_dir", |p| vec![Arg::Str(p)]),
        row("__sys_stat", |p| vec![Arg::Str(p)]),
        row("__sys_stat", |p| vec![Arg::Str(p), on("nofollow")]),
        row("__sys_exists", |p| vec![Arg::Str(p)]),
        row("__sys_open_read", |p| vec![Arg::Str(p)]),
        row("__sys_write_file", |p| vec![Arg::Str(p), Arg::Str("x")]),
        row("__sys_write_file", |p| vec![Arg::Str(p), Arg::Str("x"), on("append")]),
        row("__sys_write_file", |p| vec![Arg::Str(p), Arg::Str("x"), on("create_new")]),
        row("__sys_mkdir", |p| vec![Arg::Str(p)]),
        row("__sys_mkdir", |p| vec![Arg::Str(p), on("parents")]),
        row("__sys_remove", |p| vec![Arg::Str(p)]),
        row("__sys_remove", |p| vec![Arg::Str(p), on("recursive")]),
        row("__sys_rename", |p| vec![Arg::Str(p), Arg::Str("b")]),
        row("__sys_rename", |p| vec![Arg::Str("a.txt"), Arg::Str(p)]),
        row("__sys_copy", |p| vec![Arg::Str(p), Arg::Str("b")]),
        row("__sys_copy", |p| vec![Arg::Str("a.txt"), Arg::Str(p)]),
        row("__sys_symlink", |p| vec![Arg::Str("a.txt"), Arg::Str(p)]),
    ]
}

const READ: &str = "__sys_read_file";
