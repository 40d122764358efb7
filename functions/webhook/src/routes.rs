//! The route, and what the contract says of it.

use app::ports::{AgreementService, EntitlementService, SettlementQueue, Store};
use lambda_shell::contract::{Routes, shapes};
use schemars::JsonSchema;

use crate::Deps;
use crate::receive::{self, Taken};
use crate::usage::Answered;

/// Every route of this function.
pub(crate) fn all<S, A>(endpoint: &str) -> Routes<Deps<S, A>>
where
    S: Store,
    A: EntitlementService + AgreementService + SettlementQueue + Clone + Send + Sync + 'static,
{
    Routes::new().post(endpoint, receive::receive::<S, A>, |it| {
        it.named("notify", "webhook", "Takes a signed notification or report of usage")
            .explained(
                "The body is an EventBridge event, an SNS envelope, or a message of the platform: \
                 `{id, type, …}`, of which `usage.reported` carries `subscriptionId` and 1 to 100 `events`. The proof \
                 is checked over the raw body before anything of it is read. It is one of three: \
                 `x-marketplace-signature`, the headers of Standard Webhooks, or SNS's own signature.",
            )
            .secured("signature", &[])
            .takes::<shapes::Anything>("application/json")
            .answers::<Outcome>(200, "Done, or done before; reports of usage are answered one by one")
            .refuses(400, &["malformed_json", "invalid_body", "unknown_type", "unknown_body"])
            .refuses(400, &["unreadable_notice", "invalid_batch"])
            .refuses(401, &["missing_signature", "malformed_signature", "stale_signature"])
            .refuses(401, &["bad_signature", "unknown_topic", "foreign_url"])
            .refuses(401, &["untrusted_certificate"])
            .refuses(404, &["not_found"])
            .refuses(500, &["internal_error"])
            .answers::<Answered>(503, "Some reports may be counted: send the same again")
            .refuses(503, &["unavailable"]);
    })
}

/// What became of a body.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "WebhookOutcome")]
#[expect(dead_code, reason = "only its shape is of use")]
enum Outcome {
    Usage(Answered),
    Notice(Taken),
}
