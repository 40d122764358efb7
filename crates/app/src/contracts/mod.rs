//! What every store must promise, as tests that any implementation can be put to: call [`all`] with a store that holds
//! nothing else of the same names. Each promise makes rows of its own, so they may share one store.
//!
//! A broken promise panics with its sentence.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    clippy::indexing_slicing,
    reason = "a contract is a test"
)]

pub mod deliveries;
mod idempotency;
mod operations;
mod sample;
mod subscriptions;
mod usage;

use crate::ports::Store;

/// Puts a store to every promise.
pub async fn all<S: Store>(store: &S) {
    subscriptions::a_state_is_created_once(store).await;
    subscriptions::of_two_changes_of_one_revision_one_wins(store).await;
    subscriptions::a_notice_is_processed_once_whatever_else_changed(store).await;
    subscriptions::one_failing_guard_leaves_nothing_behind(store).await;
    subscriptions::a_meter_that_must_not_exist_stops_the_change(store).await;
    subscriptions::a_view_finds_state_links_and_mark_at_once(store).await;
    subscriptions::lists_are_complete_page_by_page(store).await;
    subscriptions::what_is_due_is_listed_until_it_is_done(store).await;
    subscriptions::the_audit_trail_keeps_its_order_and_its_entries(store).await;
    subscriptions::a_cursor_of_another_list_is_refused(store).await;
    subscriptions::a_buyer_is_written_with_the_change_or_not_at_all(store).await;
    subscriptions::the_outbox_holds_a_notice_until_it_is_published(store).await;
    usage::a_meter_is_created_with_its_events_or_not_at_all(store).await;
    usage::events_that_are_there_are_told_whatever_else_failed(store).await;
    usage::a_meter_is_not_created_on_terms_that_have_changed(store).await;
    usage::of_two_reports_at_once_both_are_counted(store).await;
    usage::ninety_events_go_into_one_write(store).await;
    usage::a_key_is_its_own_in_another_month(store).await;
    usage::a_meter_is_unsettled_exactly_while_money_waits(store).await;
    usage::unsettled_meters_come_oldest_first(store).await;
    usage::a_freeze_and_a_booking_are_refused_when_they_are_repeated(store).await;
    usage::what_waits_is_given_up_only_by_a_state_that_is_current(store).await;
    usage::a_reservation_is_released_once(store).await;
    usage::records_and_events_are_listed_page_by_page(store).await;
    operations::a_parked_line_is_listed_until_a_human_takes_it_up_once(store).await;
    operations::a_retried_line_is_booked_once_more_and_only_then(store).await;
    operations::a_held_event_lapses_at_its_time_unless_it_is_kept_or_released(store).await;
    operations::of_two_invocations_one_writes_the_memo(store).await;
    idempotency::a_request_is_claimed_once_and_answered_the_same(store).await;
    idempotency::a_key_of_another_request_is_refused(store).await;
    idempotency::a_claim_that_was_given_up_or_ran_out_is_free(store).await;
    idempotency::an_answer_is_kept_for_a_day(store).await;
}
