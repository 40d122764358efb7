//! What each port method needs of AWS.

use std::collections::BTreeSet;

use Target::{Anything, Index, Resource, Table};

/// What an action is allowed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A table, by its resource in the template.
    Table(&'static str),
    /// An index of a table.
    Index(&'static str, &'static str),
    /// Another resource of the template.
    Resource(&'static str),
    /// AWS offers nothing narrower.
    Anything,
}

/// An action, as a policy spells it, and what it is on.
pub type Need = (&'static str, Target);

const SUBSCRIPTION: &str = "SubscriptionTable";
const CUSTOMER: &str = "CustomerTable";
const USAGE: &str = "UsageTable";
const AUDIT: &str = "AuditTable";

const GET: &str = "dynamodb:GetItem";
const GET_ALL: &str = "dynamodb:BatchGetItem";
const QUERY: &str = "dynamodb:Query";
const PUT: &str = "dynamodb:PutItem";
const CHECK: &str = "dynamodb:ConditionCheckItem";
const DELETE: &str = "dynamodb:DeleteItem";

/// Every port method of the adapters, and what it needs. A transaction needs what its parts need: there is no action for
/// it. A method that makes another call of the store by itself needs what that needs, too.
const NEEDS: &[(&str, &[Need])] = &[
    ("Subscriptions.subscription", &[(GET, Table(SUBSCRIPTION))]),
    ("Subscriptions.view", &[(GET_ALL, Table(SUBSCRIPTION))]),
    (
        "Subscriptions.commit",
        &[
            (PUT, Table(SUBSCRIPTION)),
            (PUT, Table(AUDIT)),
            (PUT, Table(USAGE)),
            (PUT, Table(CUSTOMER)),
            (CHECK, Table(USAGE)),
        ],
    ),
    (
        "Subscriptions.list",
        &[(QUERY, Index(SUBSCRIPTION, "by_status")), (QUERY, Index(SUBSCRIPTION, "by_customer"))],
    ),
    ("Subscriptions.due", &[(QUERY, Index(SUBSCRIPTION, "due"))]),
    ("Subscriptions.audit", &[(QUERY, Table(AUDIT))]),
    ("Subscriptions.customer", &[(GET, Table(CUSTOMER))]),
    ("Usage.read_usage", &[(GET_ALL, Table(SUBSCRIPTION)), (GET_ALL, Table(USAGE))]),
    ("Usage.meters", &[(QUERY, Table(USAGE))]),
    (
        "Usage.record_usage",
        &[
            (PUT, Table(USAGE)),
            (PUT, Table(SUBSCRIPTION)),
            (CHECK, Table(SUBSCRIPTION)),
            (GET, Table(USAGE)),
        ],
    ),
    ("Usage.event", &[(GET, Table(USAGE))]),
    ("Usage.release_event", &[(PUT, Table(USAGE))]),
    ("Usage.save_meter", &[(PUT, Table(USAGE))]),
    ("Usage.book", &[(PUT, Table(USAGE))]),
    ("Usage.give_up", &[(PUT, Table(USAGE)), (CHECK, Table(SUBSCRIPTION))]),
    ("Usage.unsettled", &[(QUERY, Index(USAGE, "unsettled"))]),
    ("Usage.keep_event", &[(PUT, Table(USAGE))]),
    ("Usage.lapsed", &[(QUERY, Index(USAGE, "held"))]),
    ("Usage.record", &[(GET, Table(USAGE))]),
    ("Usage.parked", &[(QUERY, Index(USAGE, "parked"))]),
    ("Memos.memo", &[(GET, Table(SUBSCRIPTION))]),
    ("Memos.save_memo", &[(PUT, Table(SUBSCRIPTION))]),
    ("Usage.records", &[(QUERY, Table(USAGE))]),
    ("Usage.events", &[(QUERY, Table(USAGE))]),
    ("Idempotency.begin", &[(PUT, Table(SUBSCRIPTION))]),
    ("Idempotency.finish", &[(PUT, Table(SUBSCRIPTION))]),
    ("Idempotency.abandon", &[(DELETE, Table(SUBSCRIPTION))]),
    ("Outbox.unpublished", &[(QUERY, Index(SUBSCRIPTION, "unpublished"))]),
    ("Outbox.published", &[(DELETE, Table(SUBSCRIPTION))]),
    ("MeteringService.submit", &[("aws-marketplace:BatchMeterUsage", Anything)]),
    ("RegistrationService.resolve", &[("aws-marketplace:ResolveCustomer", Anything)]),
    ("EntitlementService.entitlements", &[("aws-marketplace:GetEntitlements", Anything)]),
    ("AgreementService.describe", &[("aws-marketplace:DescribeAgreement", Anything)]),
    (
        "AgreementService.request_cancellation",
        &[("aws-marketplace:SendAgreementCancellationRequest", Anything)],
    ),
    ("AgreementDirectory.search", &[("aws-marketplace:SearchAgreements", Anything)]),
    ("AgreementDirectory.provisioned", &[("aws-marketplace:GetAgreementEntitlements", Anything)]),
    ("Deliveries.add_delivery", &[(PUT, Table(SUBSCRIPTION))]),
    ("Deliveries.save_delivery", &[(PUT, Table(SUBSCRIPTION))]),
    (
        "Deliveries.due_deliveries",
        &[(QUERY, Index(SUBSCRIPTION, "due")), (GET_ALL, Table(SUBSCRIPTION))],
    ),
    ("Deliveries.deliveries", &[(QUERY, Table(SUBSCRIPTION))]),
    ("Deliveries.endpoint", &[(GET, Table(SUBSCRIPTION))]),
    ("Deliveries.save_endpoint", &[(PUT, Table(SUBSCRIPTION))]),
    ("WakeUp.wake_in", &[("sqs:SendMessage", Resource("WebhooksQueue"))]),
    ("TenantTopic.publish", &[("sns:Publish", Resource("TenantTopic"))]),
    ("SettlementQueue.send", &[("sqs:SendMessage", Resource("SettlementQueue"))]),
    ("Secrets.read", &[("secretsmanager:GetSecretValue", Resource("WebhookSecret"))]),
];

/// What a port method needs; `None` when the table does not know it.
pub fn needs(method: &str) -> Option<&'static [Need]> {
    NEEDS.iter().find(|(known, _)| *known == method).map(|(_, needs)| *needs)
}

/// Everything that any method needs of the tables, for the test that watches the wire.
pub fn table_needs() -> BTreeSet<Need> {
    let all = NEEDS.iter().flat_map(|(_, needs)| needs.iter().copied());
    all.filter(|(_, target)| matches!(target, Table(_) | Index(..))).collect()
}

/// The actions of an SDK call, such as `dynamodb:put_item`; `None` when it is not known.
pub(crate) fn actions(call: &str) -> Option<Vec<String>> {
    let (service, operation) = call.split_once(':')?;
    let camel: String = operation
        .split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
                .collect::<String>()
        })
        .collect();
    match (service, camel.as_str()) {
        ("dynamodb", "TransactWriteItems") => Some(vec![PUT.to_owned(), CHECK.to_owned()]),
        ("dynamodb" | "sns" | "sqs" | "secretsmanager", _) => {
            Some(vec![format!("{service}:{camel}")])
        }
        ("marketplacemetering" | "marketplaceentitlement" | "marketplaceagreement", _) => {
            Some(vec![format!("aws-marketplace:{camel}")])
        }
        // The SDK's chain of credentials can assume the role of a laptop's profile; in Lambda it has credentials already.
        ("sts", _) => Some(Vec::new()),
        _ => None,
    }
}
