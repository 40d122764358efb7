//! The open questions of the fact sheet as switches, each with the fact sheet's default (F§14).

mod choices;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::choices::*;
use crate::rate::Rate;

/// Every switch. Names and values are those of the fact sheet, section 14.
///
/// A switch is read when the thing it governs happens: delays and terms at the purchase or the
/// end, everything else at the call. Switches are not stored; they are set anew at each start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Life of a registration token.
    #[serde(serialize_with = "friendly")]
    pub token_ttl: SignedDuration,
    /// Life of the token that `GetAgreementEntitlements` gives the acceptor.
    #[serde(serialize_with = "friendly")]
    pub acceptor_token_ttl: SignedDuration,
    /// How often a token can be resolved.
    pub token_reuse: TokenReuse,
    /// Whether a newer token kills the older ones of its agreement.
    pub token_supersede: TokenSupersede,
    /// When `ResolveCustomer` names the license.
    pub resolve_license_arn: ResolveLicenseArn,
    /// How calls from an account that does not publish the product fail.
    pub wrong_account: WrongAccount,
    /// `ResolveCustomer` calls per second; 0 is unlimited.
    pub resolve_rps: u32,
    /// Fields beside the token in the fulfilment form.
    pub extra_form_fields: ExtraFormFields,
    /// Whether `ResolveCustomer` names the license of a legacy customer (not in the fact sheet).
    pub legacy_license_arn: LegacyLicenseArn,
    /// Channels that tell of a legacy customer (not in the fact sheet).
    pub legacy_events: LegacyEvents,
    /// Status of a record sent again with the same quantity.
    pub identical_resend: IdenticalResend,
    /// Metering record id of such a record.
    pub identical_resend_id: IdenticalResendId,
    /// The quantity that the echo of a duplicate shows (not in the fact sheet).
    pub duplicate_echo: DuplicateEcho,
    /// A resend of an accepted record after the final window (not in the fact sheet).
    pub resend_after_window: ResendAfterWindow,
    /// Two records with one key in one request.
    pub same_key_in_batch: SameKeyInBatch,
    /// Order of the results.
    pub result_order: ResultOrder,
    /// The echoed timestamp.
    pub echo_timestamp: EchoTimestamp,
    /// One customer metered by product code and by license in one hour.
    pub mixed_path: MixedPath,
    /// An empty `CustomerIdentifier`.
    pub empty_customer_identifier: EmptyCustomerIdentifier,
    /// Customer identifier and account id in one record.
    pub both_identifiers: BothIdentifiers,
    /// What the limit of five tags counts.
    pub tag_limit: TagLimit,
    /// A tag with an empty value.
    pub empty_tag_value: EmptyTagValue,
    /// Error code of constraint violations.
    pub validation_code: ValidationCode,
    /// How old a record may be; this age itself is too old.
    #[serde(serialize_with = "friendly")]
    pub metering_window: SignedDuration,
    /// How long into a month the previous one can be metered.
    #[serde(serialize_with = "friendly")]
    pub month_end_grace: SignedDuration,
    /// How far in the future a record may lie.
    #[serde(serialize_with = "friendly")]
    pub future_tolerance: SignedDuration,
    /// Usage from before the agreement's first hour.
    pub before_start: BeforeStart,
    /// Metering before `License Updated`.
    pub before_active: BeforeActive,
    /// Metering after the final window.
    pub after_window: AfterWindow,
    /// Which event opens the final window.
    pub final_hour_opener: FinalHourOpener,
    /// Length of the final window.
    #[serde(serialize_with = "friendly")]
    pub final_window: SignedDuration,
    /// From the end of the agreement to `License Deprovisioned`.
    #[serde(serialize_with = "friendly")]
    pub deprovision_delay: SignedDuration,
    /// From the start of the agreement to `License Updated`.
    #[serde(serialize_with = "friendly")]
    pub license_updated_delay: SignedDuration,
    /// The license after a renewal.
    pub license_on_renew: LicenseOnRenew,
    /// The license after a replacement.
    pub license_on_replace: LicenseOnReplace,
    /// The license after the buyer left and came back.
    pub license_on_resubscribe: LicenseOnResubscribe,
    /// Whether a renewal is told as `Created`.
    pub renewal_created_event: RenewalCreatedEvent,
    /// When a future-dated agreement is told as `Created`.
    pub future_dated_created: FutureDatedCreated,
    /// Share of notifications delivered twice.
    pub event_duplicate_rate: Rate,
    /// Holds every notification back by a random 1 to 120 s, so that neighbours change places.
    pub event_reorder: OnOff,
    /// Share of notifications that never come.
    pub event_drop_rate: Rate,
    /// Holds every notification back.
    #[serde(serialize_with = "friendly")]
    pub event_delay: SignedDuration,
    /// Form of the license ARN in events.
    pub event_license_arn: EventLicenseArn,
    /// `offer` in `Ended` events.
    pub ended_offer: EndedOffer,
    /// `endTime` of an agreement without end in events.
    pub payg_event_end_time: PaygEventEndTime,
    /// Whether a renewed or replaced agreement is told as `Ended`.
    pub ended_on_chain: EndedOnChain,
    /// Role suffixes of license events.
    pub license_event_role: LicenseEventRole,
    /// `Spend Threshold Reached` when a pay-as-you-go license is first metered.
    pub spend_threshold: OnOff,
    /// License events for the products in `free_products`.
    pub free_product_license_events: FreeProductLicenseEvents,
    /// Product codes that cost nothing.
    pub free_products: Vec<String>,
    /// Value type per dimension, where the product does not say; `integer` if not listed.
    pub entitlement_value_type: BTreeMap<String, EntitlementValueType>,
    /// When an entitlement can be seen.
    pub entitlement_visible: EntitlementVisible,
    /// Answers an empty page with a `NextToken` before every page that holds something.
    pub empty_pages: OnOff,
    /// What the manufacturer sees of a reseller's agreements.
    pub cppo_visibility: CppoVisibility,
    /// Leading space in ids of legacy messages, as in AWS's samples.
    pub sns_payload_quirks: OnOff,
    /// Account id in legacy messages.
    pub sns_account_id: SnsAccountId,
    /// Bare messages instead of the notification envelope.
    pub sns_raw_delivery: OnOff,
    /// `SignatureVersion` in the envelope; the signature itself is a placeholder.
    pub sns_signature_version: SnsSignatureVersion,
    /// Replaces the namespace before `#` in error types; empty keeps it.
    pub error_namespace: String,
    /// `BatchMeterUsage` calls per second, account and Region; 0 is unlimited.
    pub metering_rps: u32,
    /// `GetEntitlements` calls per second and account; 0 is unlimited.
    pub entitlement_rps: u32,
    /// Calls per second of each of `DescribeAgreement`, `SearchAgreements` and cancellation
    /// requests; 0 is unlimited.
    pub agreement_rps: u32,
    /// Calls per second of each of `GetAgreementTerms` and `GetAgreementEntitlements`; 0 is
    /// unlimited.
    pub agreement_detail_rps: u32,
    /// Share of valid records that come back unprocessed.
    pub unprocessed_rate: Rate,
    /// Share of calls whose response is lost after their effect is committed.
    pub lost_response_rate: Rate,
    /// What the caller sees of a lost response (not in the fact sheet).
    pub lost_response: LostResponse,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            token_ttl: SignedDuration::from_hours(4),
            acceptor_token_ttl: SignedDuration::from_mins(30),
            token_reuse: TokenReuse::default(),
            token_supersede: TokenSupersede::default(),
            resolve_license_arn: ResolveLicenseArn::default(),
            wrong_account: WrongAccount::default(),
            resolve_rps: 0,
            extra_form_fields: ExtraFormFields::default(),
            legacy_license_arn: LegacyLicenseArn::default(),
            legacy_events: LegacyEvents::default(),
            identical_resend: IdenticalResend::default(),
            identical_resend_id: IdenticalResendId::default(),
            duplicate_echo: DuplicateEcho::default(),
            resend_after_window: ResendAfterWindow::default(),
            same_key_in_batch: SameKeyInBatch::default(),
            result_order: ResultOrder::default(),
            echo_timestamp: EchoTimestamp::default(),
            mixed_path: MixedPath::default(),
            empty_customer_identifier: EmptyCustomerIdentifier::default(),
            both_identifiers: BothIdentifiers::default(),
            tag_limit: TagLimit::default(),
            empty_tag_value: EmptyTagValue::default(),
            validation_code: ValidationCode::default(),
            metering_window: SignedDuration::from_hours(24),
            month_end_grace: SignedDuration::from_hours(6),
            future_tolerance: SignedDuration::ZERO,
            before_start: BeforeStart::default(),
            before_active: BeforeActive::default(),
            after_window: AfterWindow::default(),
            final_hour_opener: FinalHourOpener::default(),
            final_window: SignedDuration::from_hours(1),
            deprovision_delay: SignedDuration::from_secs(30),
            license_updated_delay: SignedDuration::from_secs(60),
            license_on_renew: LicenseOnRenew::default(),
            license_on_replace: LicenseOnReplace::default(),
            license_on_resubscribe: LicenseOnResubscribe::default(),
            renewal_created_event: RenewalCreatedEvent::default(),
            future_dated_created: FutureDatedCreated::default(),
            event_duplicate_rate: Rate::ZERO,
            event_reorder: OnOff::default(),
            event_drop_rate: Rate::ZERO,
            event_delay: SignedDuration::ZERO,
            event_license_arn: EventLicenseArn::default(),
            ended_offer: EndedOffer::default(),
            payg_event_end_time: PaygEventEndTime::default(),
            ended_on_chain: EndedOnChain::default(),
            license_event_role: LicenseEventRole::default(),
            spend_threshold: OnOff::default(),
            free_product_license_events: FreeProductLicenseEvents::default(),
            free_products: Vec::new(),
            entitlement_value_type: BTreeMap::new(),
            entitlement_visible: EntitlementVisible::default(),
            empty_pages: OnOff::default(),
            cppo_visibility: CppoVisibility::default(),
            sns_payload_quirks: OnOff::default(),
            sns_account_id: SnsAccountId::default(),
            sns_raw_delivery: OnOff::default(),
            sns_signature_version: SnsSignatureVersion::default(),
            error_namespace: String::new(),
            metering_rps: 10,
            entitlement_rps: 20,
            agreement_rps: 5,
            agreement_detail_rps: 10,
            unprocessed_rate: Rate::ZERO,
            lost_response_rate: Rate::ZERO,
            lost_response: LostResponse::default(),
        }
    }
}

impl Switches {
    /// Sets one switch from text, as `--switch name=value` does.
    ///
    /// # Errors
    /// When there is no such switch, or it has no such value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), BadSwitch> {
        let mut patch = serde_json::Map::new();
        patch.insert(name.to_owned(), Value::String(value.to_owned()));
        // Numbers, lists and maps are JSON on the command line; everything else is plain text.
        self.merge(patch.clone()).or_else(|refusal| {
            let parsed = serde_json::from_str(value).map_err(|_| refusal)?;
            patch.insert(name.to_owned(), parsed);
            self.merge(patch)
        })
    }

    /// Sets the switches that `patch` names and leaves the others as they are.
    ///
    /// # Errors
    /// When a name or a value is unknown; then nothing is changed.
    pub fn merge(&mut self, patch: serde_json::Map<String, Value>) -> Result<(), BadSwitch> {
        let mut all = serde_json::to_value(&*self)?;
        if let Value::Object(all) = &mut all {
            all.extend(patch);
        }
        *self = serde_json::from_value(all)?;
        Ok(())
    }
}

/// A switch that does not exist, or a value it does not have.
#[derive(Debug, thiserror::Error)]
#[error("no such switch or value: {0}")]
pub struct BadSwitch(#[from] serde_json::Error);

fn friendly<S: serde::Serializer>(
    duration: &SignedDuration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{duration:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_set_by_the_fact_sheets_names_and_values() {
        let mut switches = Switches::default();
        for (name, value) in [
            ("token_ttl", "30m"),
            ("token_reuse", "single_use"),
            ("validation_code", "ValidationError"),
            ("metering_window", "24h"),
            ("event_drop_rate", "0.05"),
            ("metering_rps", "0"),
            ("empty_pages", "on"),
            ("sns_signature_version", "2"),
            ("entitlement_value_type", r#"{"seats":"double"}"#),
        ] {
            switches.set(name, value).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        assert_eq!(switches.token_ttl, SignedDuration::from_mins(30));
        assert_eq!(switches.metering_rps, 0);
        assert_eq!(switches.event_drop_rate, Rate::permille(50));
    }

    #[test]
    fn the_readme_names_every_switch() {
        let readme = include_str!("../../README.md");
        let all = serde_json::to_value(Switches::default()).unwrap();
        for name in all.as_object().unwrap().keys() {
            assert!(readme.contains(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn an_unknown_switch_or_value_is_refused_and_changes_nothing() {
        let mut switches = Switches::default();
        assert!(switches.set("no_such_switch", "on").is_err());
        assert!(switches.set("token_reuse", "twice").is_err());
        assert_eq!(switches, Switches::default());
    }
}
