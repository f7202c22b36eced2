//! Every test of the catalogue by its name.

use crate::lane::{self, Lane};
use crate::rig::{MODES, Openat2};
use crate::{fs_lexical, fs_rights, fs_special, fs_symlink, row};
use ilu_tests::tally;
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeSet;
use std::time::Instant;

/// A test and its name.
type Named = (&'static str, fn());

macro_rules! named {
    ($($file:ident: $($test:ident),+ $(,)?;)+) => {
        /// The tests that are functions, by file.
        const TESTS: &[Named] = &[$($((stringify!($test), crate::$file::$test)),+),+];
    };
}

named! {
    tasks:
        prc_032_tasks_of_code_without_rights_have_none_and_no_crowd_stops_the_host,
        prc_032_ten_thousand_tasks_that_wait_are_cheap,
        cap_028_tasks_of_two_sandboxes_that_take_turns_share_no_rights,
        cap_030_revoking_ends_tasks_that_run_and_tasks_that_wait,
        cap_032_tasks_draw_from_one_budget_however_many_there_are,
        int_039_channels_used_wrongly_are_errors_and_end_nothing_else;
    cap_tasks:
        cap_017_another_task_changes_a_list_of_its_own,
        cap_020_a_task_makes_no_more_than_its_sandbox_holds,
        cap_023_what_comes_through_a_channel_brings_no_rights_along,
        cap_024_what_a_weak_task_sends_keeps_its_limits_when_the_strong_call_it,
        int_011_recursion_in_a_task_ends_the_task;
    pol_net:
        pol_019_a_file_of_rules_that_is_not_right_stops_the_run,
        pol_020_address_rules_are_exact_or_errors;
    net_address:
        net_001_loopback_in_dotted_spellings,
        net_002_net_003_one_number_and_hexadecimal,
        net_005_net_006_numbers_that_are_read_differently_or_wrap,
        net_007_short_forms_of_the_unspecified_address,
        net_008_net_009_ipv6_loopback_and_mapped_addresses,
        net_010_net_011_net_012_addresses_that_carry_another,
        net_014_net_016_edges_of_the_special_blocks,
        net_015_where_clouds_answer_their_machines,
        net_018_names_of_this_machine,
        net_019_escapes_are_decoded_once_by_the_one_parser,
        net_021_brackets;
    net_names:
        net_022_a_name_that_leads_to_this_machine,
        net_023_the_port_that_is_meant_is_the_port_that_is_judged,
        net_024_of_several_addresses_only_those_that_pass,
        net_025_a_name_that_changes_its_mind,
        net_027_answers_that_are_hostile_themselves,
        net_029_a_name_that_no_rule_allows_is_not_even_asked_for,
        net_030_net_032_names_that_are_none,
        net_033_names_in_other_scripts,
        net_035_patterns_match_whole_labels,
        net_036_patterns_that_mean_nothing_are_refused_when_they_are_read,
        net_037_net_038_ports,
        pol_019_pol_020_files_of_rules_are_whole_or_nothing_starts;
    net_sockets:
        net_063_no_socket_that_is_a_file,
        net_064_to_connect_is_not_to_listen,
        net_066_peers_that_say_nothing_or_too_much,
        net_067_counts_that_are_none,
        net_068_many_sockets;
    agt_output:
        agt_001_a_flood_ends_at_its_bound,
        agt_002_a_terminal_is_sent_text_and_no_commands,
        agt_004_one_event_is_one_row_whatever_it_says,
        agt_005_a_million_denials_are_counted_and_the_first_is_kept,
        agt_007_no_message_tells_where_or_for_whom_it_runs,
        agt_008_nothing_around_a_run_makes_it_tell_more;
    agt_embed:
        agt_019_tenants_of_one_engine_see_nothing_of_each_other,
        agt_020_what_others_trust_is_safe_outside_a_writable_grant_and_only_there,
        agt_021_what_a_run_wrote_gives_a_later_one_nothing,
        agt_023_a_file_of_grants_is_right_or_an_error_that_names_what_is_wrong,
        agt_024_a_process_that_runs_everything_again_and_again_does_not_grow,
        agt_025_what_costs_money_is_counted_by_the_call;
    pol_rows:
        pol_001_a_star_covers_every_text_and_nothing_else,
        pol_002_a_prefix_is_one_of_bytes_and_its_trap_is_pointed_out,
        pol_003_no_other_character_widens_a_pattern,
        pol_005_spellings_that_look_alike_are_different_texts,
        pol_007_large_policies_are_judged_in_time_that_grows_with_their_size,
        pol_008_deny_wins_however_specific_the_rows_are,
        pol_009_nothing_said_is_a_no,
        pol_010_the_order_and_the_number_of_rows_change_nothing,
        pol_011_names_that_stand_for_several_functions_never_guess,
        pol_012_the_first_rule_that_applies_decides,
        pol_013_only_true_allows,
        pol_014_no_rule_applies_by_accident,
        pol_015_a_question_about_sets_takes_sets,
        pol_017_a_role_is_what_its_list_says,
        pol_022_why_it_was_denied_is_told_without_secrets_and_as_it_was_decided;
    pol_seal:
        pol_023_no_two_ways_of_cutting_text_share_a_seal,
        pol_024_no_two_kinds_of_value_share_a_seal,
        pol_025_different_bytes_have_different_seals_and_what_is_no_data_has_none,
        pol_026_nothing_but_the_exact_seal_passes,
        pol_027_the_comparison_takes_as_long_wherever_it_differs,
        pol_028_the_seal_is_hmac_sha_256,
        pol_030_a_seal_says_what_its_parts_say,
        pol_031_guessing_costs_and_the_key_is_not_to_be_had;
    cap_patch:
        cap_013_the_library_is_the_same_for_everybody_whoever_patches_it,
        cap_014_decisions_are_made_where_no_script_can_patch_them,
        cap_015_a_helper_of_the_host_is_what_it_was_whatever_weak_code_did,
        cap_016_a_sandbox_is_made_from_what_the_list_held_then,
        cap_017_nothing_of_the_callers_runs_while_a_list_is_read,
        cap_019_only_exact_names_are_capabilities;
    cap_amplify:
        cap_020_what_is_made_inside_holds_no_more_than_its_maker,
        cap_022_nothing_that_is_data_is_a_sandbox,
        cap_023_what_is_handed_to_weak_code_brings_no_rights_along,
        cap_024_a_function_of_weak_code_keeps_its_limits_when_the_strong_call_it,
        cap_025_an_error_is_plain_data,
        cap_027_whatever_ends_a_call_the_rights_come_back,
        cap_028_runs_beside_each_other_share_no_rights,
        cap_030_revoking_ends_everything_made_under_a_sandbox,
        cap_032_children_draw_from_their_parent_however_many_there_are,
        cap_033_the_library_touches_nothing_that_its_caller_does_not_hold,
        cap_035_what_is_noted_is_bounded_and_stays_the_noters,
        cap_037_memory_of_one_sandbox_is_never_seen_by_another,
        cap_038_a_native_without_a_row_does_not_exist;
    cap_natives:
        cap_001_a_native_that_is_not_held_is_denied_by_all_its_names,
        cap_002_nothing_asked_for_is_nothing_held,
        cap_003_bundles_hold_what_their_page_says_and_no_more,
        cap_004_the_file_bundle_is_one_thing_by_every_way_to_it,
        cap_005_a_native_bound_to_a_name_is_judged_where_it_is_called,
        cap_006_a_closure_of_privileged_code_lends_nothing_but_a_gate_does,
        cap_008_values_of_a_weak_sandbox_have_no_hooks_for_the_host_to_run,
        cap_010_no_text_reaches_a_native_that_is_not_held,
        cap_011_the_top_of_a_module_runs_with_the_rights_it_is_loaded_under;
    cap_sandbox:
        cap_032_what_open_files_hold_is_memory_of_the_script,
        cap_032_entering_sandboxes_from_within_each_other_costs_no_memory_and_little_time,
        cap_032_time_is_looked_at_however_little_fuel_the_work_costs,
        cap_032_records_and_messages_are_bounded_whatever_names_are_chosen,
        cap_032_what_a_sandbox_fills_up_is_there_for_others,
        cap_032_code_that_was_handed_out_uses_up_its_own_sandboxs_budgets,
        cap_035_a_call_that_ends_for_lack_of_room_is_recorded,
        cap_025_a_name_that_a_script_chose_is_shown_harmless;
    fs_machine:
        fs_060_fs_061_fs_066_fs_075_a_right_on_one_grant_is_none_on_another,
        fs_077_fs_078_fs_079_fs_083_places_of_the_machine_stay_shut_even_inside_a_grant;
    int_source:
        int_001_a_million_brackets_are_an_error_of_depth,
        int_002_nested_functions_and_blocks_are_an_error_of_depth,
        int_002_long_chains_that_do_not_nest_are_fine,
        int_004_large_sources_end_well_or_with_a_short_message,
        int_004_one_enormous_line_is_refused_before_it_is_read,
        int_005_hostile_numbers_are_errors_in_linear_time,
        int_007_bytes_that_are_no_text_are_errors_with_a_place,
        int_008_deceiving_characters_never_make_a_known_name;
    int_mutants:
        int_010_every_beginning_of_a_script_is_a_program_or_an_error,
        int_010_a_missing_piece_leaves_a_program_or_an_error,
        int_010_a_changed_piece_leaves_a_program_or_an_error,
        int_010_mixed_lines_of_different_scripts_are_a_program_or_an_error;
    int_budgets:
        int_037_memory_may_run_out_anywhere,
        int_037_fuel_may_run_out_anywhere,
        int_037_depth_may_run_out_anywhere,
        int_037_output_may_run_out_anywhere;
    int_long:
        int_014_a_single_long_step_ends_with_its_time,
        int_014_many_texts_are_sorted_right,
        int_027_patterns_take_linear_time_and_bounded_room,
        int_016_calls_that_wait_are_held_within_the_memory,
        int_017_a_text_named_many_times_is_copied_by_no_request,
        int_018_open_files_that_nobody_names_are_closed,
        int_046_a_file_is_loaded_once_however_it_is_spelled;
    int_runtime:
        int_011_recursion_ends_with_its_depth_whatever_it_goes_through,
        int_013_endless_loops_end_within_twice_their_time,
        int_014_a_long_builtin_is_charged_before_it_works,
        int_015_a_limit_cannot_be_swallowed,
        int_016_what_grows_ends_with_its_memory,
        int_017_amplifiers_are_refused_before_they_allocate,
        int_018_cycles_that_are_dropped_are_collected,
        int_019_shared_structure_costs_no_more_than_the_limit,
        int_019_equality_of_shared_structure_ends,
        int_020_a_million_levels_overflow_nothing,
        int_021_values_that_contain_themselves_end,
        int_022_arithmetic_at_its_edges_is_defined,
        int_023_odd_numbers_are_no_keys_and_make_no_difference,
        int_024_indexes_out_of_range_are_errors,
        int_026_keys_chosen_to_collide_cost_no_more_than_others,
        int_029_json_depth_and_oddities_are_errors,
        int_030_json_of_what_is_no_data_is_an_error_without_insides,
        int_032_a_comparator_may_say_anything,
        int_033_changing_what_is_looped_over_is_safe,
        int_035_names_without_a_value_are_never_read,
        int_036_every_builtin_takes_every_kind_of_value_without_harm,
        int_041_a_run_leaves_nothing_behind_for_the_next,
        int_043_exit_ends_the_script_only_with_its_code,
        int_044_the_same_script_prints_the_same,
        int_046_evaluated_text_has_the_sandboxs_powers_only,
        int_046_large_text_is_compiled_within_the_memory_and_the_time_there_is,
        int_047_random_bytes_of_odd_counts_are_errors_or_limits;
    prc:
        prc_001_without_the_native_nothing_is_started,
        prc_002_prc_011_a_program_is_its_granted_name_and_nothing_like_it,
        prc_003_the_file_is_the_one_of_the_grant_whatever_path_says,
        prc_005_what_may_be_written_is_never_run,
        prc_006_prc_019_a_program_is_confined_to_the_sandbox_that_starts_it,
        prc_007_arguments_come_as_they_are,
        prc_008_prc_009_what_is_no_list_of_arguments_is_an_error,
        prc_012_prc_013_the_environment_is_what_was_granted,
        prc_017_a_program_has_three_descriptors,
        prc_018_a_program_runs_in_a_granted_directory,
        prc_021_prc_023_no_signal_leaves_and_no_terminal_is_there,
        prc_025_a_program_that_multiplies_is_ended,
        prc_026_all_of_a_program_ends_with_its_time,
        prc_027_no_program_outlives_its_run,
        prc_028_prc_029_prc_030_outputs_and_input_of_any_size_and_kind,
        prc_031_programs_work_where_their_grants_allow_it;
    prc_more:
        prc_017_prc_021_prc_027_ways_out_that_a_program_could_try,
        prc_019_a_program_has_the_ports_that_are_granted_at_every_address,
        prc_025_the_memory_of_a_program_and_all_it_starts_has_a_bound,
        prc_025_programs_of_root_are_counted_by_the_kernel_where_it_lets_them;
    osl:
        osl_001_files_outside_the_grants_stay_shut_when_the_doorway_is_gone,
        osl_001_no_connection_no_program_no_signal,
        osl_004_a_kernel_without_landlock_is_told_of_and_refused_when_all_is_required,
        osl_005_landlock_shuts_the_ports_that_no_rule_names,
        osl_006_threads_are_held_whenever_they_were_started,
        osl_011_calls_that_no_grant_needs_are_refused,
        osl_011_osl_015_calls_that_no_honest_run_makes_end_the_process,
        osl_016_a_panic_is_told_under_the_wall,
        osl_017_the_kernel_says_that_the_wall_stands;
    osl_more:
        osl_002_without_the_wall_the_doorway_refuses_all_the_same,
        osl_005_ports_are_held_whatever_is_spoken,
        osl_007_nothing_that_was_open_before_is_open_behind_the_wall,
        osl_008_one_wall_too_many_is_an_error_and_no_open_door,
        osl_010_https_works_with_the_least_that_it_needs,
        osl_012_calls_of_another_kind_end_the_process,
        osl_017_root_keeps_no_powers_that_a_run_does_not_need,
        osl_019_each_limit_ends_in_an_error_and_stays_where_it_is,
        osl_020_without_privileges_it_starts_and_says_what_holds;
    net_url:
        net_039_the_host_is_what_stands_behind_the_last_at_sign,
        net_040_a_backslash_is_no_part_of_a_url,
        net_042_two_slashes_and_nothing_before_them,
        net_043_no_scheme_but_http_and_https,
        net_044_credentials_of_a_url_are_shown_nowhere,
        net_045_long_and_odd_urls_end_well;
    net_redirect:
        net_046_a_redirect_to_a_forbidden_address_is_denied_at_the_hop,
        net_047_however_the_redirect_is_spelled,
        net_048_a_redirect_to_another_scheme_is_an_error,
        net_049_another_port_is_another_decision,
        net_050_a_circle_of_redirects_ends,
        net_051_odd_locations_split_nothing,
        net_052_credentials_stay_with_their_origin,
        net_053_so_does_every_field_that_may_be_a_secret,
        net_055_the_method_is_decided_on_at_each_hop,
        net_056_nothing_but_a_location_is_followed;
    net_ambient:
        net_057_no_variable_of_the_environment_names_a_proxy,
        net_059_no_cookie_is_kept_or_shared,
        net_060_a_connection_left_open_serves_its_sandbox_only,
        net_060_revoking_closes_what_was_left_open,
        net_062_no_credentials_are_found_lying_about;
    net_request:
        net_070_a_field_stays_on_its_line,
        net_071_a_request_line_is_one_line,
        net_073_fields_without_end_are_refused,
        net_074_a_body_is_bytes_that_are_there,
        net_075_a_time_is_a_whole_number_of_milliseconds;
    net_tls:
        net_084_only_a_proven_host_is_asked,
        net_084_what_is_not_tls_from_1_2_on_is_refused,
        net_084_old_versions_are_neither_offered_nor_taken,
        net_084_a_signature_by_sha_1_proves_nothing,
        net_049_a_redirect_never_leaves_tls;
    net_answer:
        net_076_the_time_is_for_all_of_a_request,
        net_077_what_is_too_large_is_not_taken,
        net_079_lengths_that_contradict_each_other_are_errors,
        net_080_chunks_of_any_shape_end,
        net_081_a_header_has_bounds_and_keeps_its_bytes,
        net_082_odd_statuses_end_well,
        net_085_text_of_any_bytes_is_text,
        net_060_a_connection_that_was_closed_meanwhile_is_made_anew;
    rig_itself:
        the_openat2_launcher_really_blocks_it;
    index:
        every_row_of_the_index_is_a_test_or_says_why_not;
}

/// The ids that a test's name begins with: `cap_001_cap_002_words` is of CAP-001 and CAP-002.
pub fn ids(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut parts = name.split(['_', ' ']);
    while let (Some(group), Some(number)) = (parts.next(), parts.next()) {
        if number.len() != 3 || !number.chars().all(|c| c.is_ascii_digit()) {
            break;
        }
        found.push(format!("{}-{number}", group.to_uppercase()));
    }
    found
}

/// The file rows: tables, run in each of the three ways.
fn file_rows() -> Vec<row::Row> {
    [fs_lexical::rows(), fs_symlink::rows(), fs_rights::rows(), fs_special::rows()].into_iter().flatten().collect()
}

/// The rows that are tried in the same test as this one.
pub fn beside(id: &str) -> Vec<String> {
    let tests = TESTS.iter().map(|(name, _)| ids(name)).filter(|ids| ids.iter().any(|each| each == id));
    tests.flatten().filter(|each| each != id).collect()
}

/// The ids of all tests.
pub fn tested() -> Vec<String> {
    let tables = file_rows().into_iter().map(|row| row.id.to_owned());
    TESTS.iter().flat_map(|(name, _)| ids(name)).chain(tables).collect()
}

/// Rows about requests and answers.
const SAID: [&str; 10] =
    ["net_070", "net_073", "net_075", "net_076", "net_077", "net_079", "net_08", "net_060_a_connection_that_was", "net_056", "net_044"];

/// The lanes of a test that is a function: those about files, the network and programs run with the kernel's layer taken away, and those about
/// files and the network with the kernel's alone.
fn lanes_of(name: &str) -> Vec<Lane> {
    match name.split('_').next() {
        // What is said on a connection that is granted: nothing that the kernel could refuse.
        Some("net") if SAID.iter().any(|row| name.starts_with(row)) => vec![Lane::Both, Lane::Doorway],
        Some("fs" | "net") => vec![Lane::Both, Lane::Doorway, Lane::Kernel],
        Some("prc") if !name.contains("task") => vec![Lane::Both, Lane::Doorway],
        _ => vec![Lane::Both],
    }
}

const fn suffix(lane: Lane) -> &'static str {
    match lane {
        Lane::Both => "",
        Lane::Doorway => "_doorway_alone",
        Lane::Kernel => "_kernel_alone",
    }
}

/// All tests.
pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for &(name, test) in TESTS {
        for lane in lanes_of(name) {
            trials.push(Trial::test(format!("{name}{}", suffix(lane)), move || {
                if lane == Lane::Kernel && !lane::kernel_has_it() {
                    println!("not applicable here: {name}: the kernel lacks a part of the wall");
                    return Ok(());
                }
                let start = Instant::now();
                lane::within(lane, || {
                    tally::begin("");
                    for id in ids(name).iter().rev() {
                        lane::begin(id);
                    }
                    test();
                    lane::shared(&ids(name));
                });
                tally::took(name, start.elapsed());
                Ok(())
            }));
        }
    }
    for id in file_rows().iter().map(|row| row.id).collect::<BTreeSet<_>>() {
        for lane in [Lane::Doorway, Lane::Kernel] {
            let name = id.to_lowercase().replace('-', "_");
            trials.push(Trial::test(format!("{name}{}", suffix(lane)), move || {
                if lane == Lane::Kernel && !lane::kernel_has_it() {
                    return Ok(());
                }
                lane::within(lane, || {
                    lane::begin(id);
                    let rows: Vec<_> = file_rows().into_iter().filter(|row| row.id == id).collect();
                    let run = |row| if lane == Lane::Kernel { row::run_kernel_alone(row) } else { row::run(row, Openat2::Kernel) };
                    rows.iter().try_for_each(run).map_err(Failed::from)
                })
            }));
        }
    }
    for mode in MODES {
        for row in file_rows() {
            let way = match mode {
                Openat2::Kernel => "with_openat2",
                Openat2::Enosys => "with_openat2_missing",
                _ => "with_openat2_refused",
            };
            let name = format!("{}_{way}", row.id.to_lowercase().replace('-', "_"));
            trials.push(Trial::test(name, move || {
                tally::begin(row.id);
                row::run(&row, mode).map_err(Failed::from)
            }));
        }
    }
    trials
}
