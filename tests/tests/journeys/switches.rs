//! AWS's open questions (fact sheet §14): the seller's code must behave under every answer.

use simulator::Purchase;

use crate::story::{ContractWithConsumption, PayAsYouGo, Story};

/// The same life under one answer: two licenses, usage, cancellation of one within an hour of use.
async fn under(name: &str, value: &str) {
    for pricing in [PayAsYouGo, ContractWithConsumption] {
        let story = Story::begin(pricing).await;
        story.system.simulator().switches(|switches| switches.set(name, value)).unwrap();
        let first = story.buy("111122223333");
        story.minutes(3).await;
        story.register_until_it_works(&first).await;
        let second = story
            .system
            .simulator()
            .buy(Purchase { account: "999988887777".into(), ..story.purchase("") });
        let second = second.unwrap();
        story.minutes(90).await;
        story.register_until_it_works(&second).await;
        assert_eq!(story.status(&first).await, "ACTIVE", "{name} = {value}");
        assert_eq!(story.status(&second).await, "ACTIVE", "{name} = {value}");
        for quantity in ["504", "3.25", "0.75"] {
            story.uses(&first, "scans", quantity).await;
            story.uses(&second, "scans", quantity).await;
            story.hours(1).await;
        }
        story.uses(&first, "scans", "2").await;
        story.system.simulator().cancel(&first.agreement_id).unwrap();
        story.hours(5).await;
        assert_eq!(story.status(&first).await, "CANCELLED", "{name} = {value}");
        assert!(story.has_access(&second).await, "{name} = {value}");
        let included = if pricing == PayAsYouGo { 0 } else { 500 };
        assert_eq!(story.invoiced(&first, "scans", "2026-11"), 510 - included, "{name} = {value}");
        assert_eq!(story.invoiced(&second, "scans", "2026-11"), 508 - included, "{name} = {value}");
        story.end().await;
    }
}

macro_rules! answers {
    ($($test:ident: $name:literal = $($value:literal)|+;)+) => {$(
        #[tokio::test]
        async fn $test() {
            for value in [$($value),+] {
                under($name, value).await;
            }
        }
    )+};
}

answers! {
    a_token_lives_for_half_an_hour: "token_ttl" = "30m";
    a_token_works_once: "token_reuse" = "single_use";
    a_newer_token_ends_older_ones: "token_supersede" = "expire_older";
    the_license_is_not_resolved_at_first: "resolve_license_arn" = "after_license_updated" | "absent_first_call";
    the_form_has_further_fields: "extra_form_fields" = "all";
    an_identical_resend_is_called_a_duplicate: "identical_resend" = "duplicate";
    an_identical_resend_gets_another_id: "identical_resend_id" = "new";
    results_come_in_any_order: "result_order" = "shuffled";
    the_echoed_time_is_the_hour: "echo_timestamp" = "hour";
    one_key_twice_in_a_batch_is_refused: "same_key_in_batch" = "reject";
    both_paths_in_one_hour_are_refused: "mixed_path" = "reject";
    an_empty_customer_identifier_is_refused: "empty_customer_identifier" = "reject";
    what_is_not_valid_has_another_name: "validation_code" = "ValidationError";
    usage_before_the_start_is_out_of_bounds: "before_start" = "out_of_bounds" | "accept";
    a_record_after_the_window_is_an_invalid_license: "after_window" = "invalid_license";
    the_final_hour_opens_with_one_event_only: "final_hour_opener" = "ended" | "deprovisioned";
    the_deprovisioning_comes_an_hour_later: "deprovision_delay" = "1h";
    events_carry_the_documented_license_form: "event_license_arn" = "doc_form";
    an_ended_event_names_its_offer: "ended_offer" = "include";
    an_endless_agreement_has_no_end_time: "payg_event_end_time" = "omit";
    license_events_come_in_both_roles: "license_event_role" = "both";
    spend_thresholds_are_told: "spend_threshold" = "on";
    entitlements_are_visible_at_once: "entitlement_visible" = "at_agreement";
    entitlement_pages_are_empty_now_and_then: "empty_pages" = "on";
    chains_do_not_end: "ended_on_chain" = "off";
}
