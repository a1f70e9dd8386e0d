//! For tests of programs that use caches, and of backends for them (feature `testing`).
//!
//! * [`FakeCache`]: a cache whose server is not there, with a clock that a test moves, a log of what it was asked, and
//!   [`Faults`] on request; `aio::FakeCache` is the same for tasks.
//! * [`contract`]: the promises of every backend, to be run on yours; `aio::contract` has them for tasks.
//! * [`BackendHandle::backend`](crate::BackendHandle::backend): a built-in backend as what it is, a
//!   [`Backend`](crate::Backend).
//! * [`Clock::hand`](crate::Clock::hand): a clock for [`Memory`](crate::Memory) that stands still until it is
//!   moved.

mod fake;

pub(crate) use self::fake::{Fake, Fault};
pub use self::fake::{FakeCall, Faults, Op};
pub use crate::blocking::{FakeCache, contract};

/// Hands the names of all promises of [`contract`] to a macro: `callback! { (args) name, name, .. }`.
///
/// ```
/// use lexigram_cache::{Memory, for_each_promise, testing::contract::{self, Subject}};
///
/// // In a test file each of them would be a `#[test] fn $promise() { .. }`.
/// macro_rules! keep_all {
///     (($subject:expr) $($promise:ident),*) => { $( contract::$promise(&$subject); )* };
/// }
/// for_each_promise!(keep_all, (Subject::new(Memory::default())));
/// ```
#[macro_export]
macro_rules! for_each_promise {
    ($callback:ident, $arguments:tt) => {
        $callback! {
            $arguments
            a_stored_value_is_read_back,
            a_stored_none_is_a_hit,
            an_empty_value_is_a_hit,
            a_miss_is_none,
            a_text_needs_no_string,
            the_last_write_counts,
            all_reads_agree,
            a_value_can_be_read_as_a_kindred_type,
            a_value_of_another_type_is_a_counted_miss,
            strict_decoding_tells,
            a_value_of_another_type_is_loaded_anew,
            delete_tells_whether_there_was_a_value,
            a_large_value_comes_back_whole,
            add_stores_only_over_nothing,
            of_many_adds_one_wins,
            replace_stores_only_over_a_value,
            replace_never_resurrects,
            take_returns_and_removes,
            of_many_takes_one_gets_it,
            update_sees_what_is_there,
            no_update_is_lost,
            a_counter_begins_at_zero_and_goes_both_ways,
            no_count_is_lost,
            counters_are_integers,
            an_overflow_is_refused,
            a_text_does_not_count,
            an_integer_beyond_the_range_does_not_count,
            later_counts_keep_the_lifetime,
            an_expired_value_is_gone_for_every_verb,
            a_value_lives_as_long_as_it_was_given,
            the_remaining_lifetime_is_told,
            touch_gives_a_new_lifetime,
            a_write_replaces_the_lifetime,
            the_default_lifetime_is_the_caches_own,
            a_lifetime_of_zero_is_refused,
            many_values_are_read_back_by_key,
            a_key_named_twice_counts_once,
            delete_many_counts_what_was_there,
            a_bad_key_writes_nothing,
            no_keys_are_no_work,
            exported_bytes_are_the_same_value_elsewhere,
            one_undecodable_value_does_not_spoil_the_rest,
            an_empty_key_is_refused,
            hostile_keys_are_keys_like_others,
            prefixes_keep_apart,
            a_key_is_the_text_it_joins_to,
            clear_removes_its_own_prefix_only,
            delete_prefix_is_literal,
            delete_pattern_is_a_glob,
            keys_are_listed_as_they_were_given,
            only_values_are_listed,
            a_miss_loads_and_a_hit_does_not,
            a_shared_value_is_loaded_and_read_as_any_other,
            many_callers_share_one_load,
            a_removal_beats_a_load_that_began_before,
            a_loaders_error_is_returned_and_not_cached,
            a_loader_cannot_wait_for_itself,
            a_batch_loads_exactly_what_is_missing,
            a_batchs_error_is_not_cached,
            state_is_read_back,
            state_of_another_type_is_an_error,
            state_is_kept_apart,
            state_has_a_lifetime,
            compare_and_set_compares,
            of_many_compare_and_sets_one_wins,
            no_update_of_state_is_lost,
            a_revoked_session_stays_revoked,
            a_limit_admits_exactly_its_quota,
            a_permit_is_back_when_the_refusal_said,
            several_permits_are_taken_together_or_not_at_all,
            limits_are_counted_apart,
            a_look_at_a_limit_takes_nothing,
            a_reset_gives_all_permits_back,
            a_limit_that_makes_no_sense_is_refused,
            a_lock_has_one_holder,
            of_many_callers_one_gets_a_lock,
            locks_keep_apart_by_name_and_namespace,
            a_lock_ends_with_its_time,
            only_its_holder_releases_a_lock,
            an_extended_lock_outlives_its_first_time,
            a_dropped_guard_releases,
            a_lock_goes_on_by_its_token,
            fencing_numbers_rise,
            a_lock_is_had_in_turn,
            a_semaphore_has_so_many_holders,
            a_period_begins_once,
            a_backend_that_answers_is_up,
            what_happened_is_counted,
            a_closed_cache_refuses_every_call
        }
    };
}
