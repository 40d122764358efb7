//! Keys, and what can be read back from them.

use app::ports::{OutboxKey, RequestKey, Task};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::delivery::EndpointName;
use domain::ids::{AgreementId, IdempotencyKey, NoticeId, SubscriptionId};
use domain::metering::{Line, MeterKey, RecordKey};
use domain::notice::Channel;
use domain::subscription::{TenantNotice, TenantNoticeKind};
use domain::time::Month;

use super::{CUSTOMER_ID, Item, PK, SK, text};

const OUTBOX: &str = "OUTBOX#";

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// Partition and sort key.
    Pair(String, String),
    /// The customer table's.
    Customer(String),
}

impl Key {
    pub(crate) fn into_item(self) -> Item {
        let mut item = Item::new();
        match self {
            Self::Pair(pk, sk) => {
                item.insert(PK.to_owned(), AttributeValue::S(pk));
                item.insert(SK.to_owned(), AttributeValue::S(sk));
            }
            Self::Customer(id) => {
                item.insert(CUSTOMER_ID.to_owned(), text(id));
            }
        }
        item
    }
}

fn pair(pk: String, sk: impl Into<String>) -> Key {
    Key::Pair(pk, sk.into())
}

fn subscription_partition(id: &SubscriptionId) -> String {
    format!("SUB#{id}")
}

pub(crate) fn state_key(id: &SubscriptionId) -> Key {
    pair(subscription_partition(id), "STATE")
}

/// The subscription that an item of the subscription table belongs to.
pub(crate) fn subscription_of_key(pk: &str) -> Option<SubscriptionId> {
    pk.strip_prefix("SUB#")?.parse().ok()
}

pub(crate) fn agreement_key(id: &AgreementId) -> Key {
    pair(format!("AGREEMENT#{id}"), "LINK")
}

pub(crate) fn notice_key(channel: Channel, id: &NoticeId) -> Key {
    pair(format!("NOTICE#{channel}#{id}"), "SEEN")
}

pub(crate) fn idempotency_key(request: &RequestKey) -> Key {
    pair(format!("KEY#{}#{}", request.scope, request.key), "RESPONSE")
}

/// What to do with the workspace is named by the state's revision, a registration too, beside it; a quota warning by what
/// it warns of, since no state change makes it.
pub(crate) fn outbox_key(notice: &TenantNotice) -> Key {
    let name = match &notice.kind {
        TenantNoticeKind::QuotaReached { dimension, percent } => {
            format!("{OUTBOX}QUOTA#{}#{dimension}#{percent}", Month::of(notice.at))
        }
        TenantNoticeKind::Registered => format!("{OUTBOX}REGISTERED#{:020}", notice.revision),
        TenantNoticeKind::Provision
        | TenantNoticeKind::PlanChanged
        | TenantNoticeKind::Suspend
        | TenantNoticeKind::Resume
        | TenantNoticeKind::Revoke { .. } => format!("{OUTBOX}{:020}", notice.revision),
    };
    pair(subscription_partition(&notice.subscription_id), name)
}

pub(crate) fn outbox_key_named(key: &OutboxKey) -> Key {
    pair(subscription_partition(&key.subscription), key.name.clone())
}

/// Whether a sort key of the subscription table is one of the outbox.
pub fn is_outbox_key(sk: &str) -> bool {
    sk.starts_with(OUTBOX)
}

pub(crate) fn customer_key(id: &str) -> Key {
    Key::Customer(id.to_owned())
}

pub(crate) fn usage_partition(id: &SubscriptionId, month: Month) -> String {
    format!("SUB#{id}#{month}")
}

pub(crate) fn meter_prefix() -> &'static str {
    "METER#"
}

pub(crate) fn meter_key(key: &MeterKey) -> Key {
    pair(usage_partition(&key.subscription, key.month), format!("METER#{}", key.dimension))
}

/// The subscription that an item of the usage table belongs to.
pub(crate) fn subscription_of_usage(pk: &str) -> Option<SubscriptionId> {
    pk.strip_prefix("SUB#")?.rsplit_once('#')?.0.parse().ok()
}

/// The meter that an item of the usage table is.
pub(crate) fn meter_of_keys(pk: &str, sk: &str) -> Option<MeterKey> {
    let (subscription, month) = pk.strip_prefix("SUB#")?.rsplit_once('#')?;
    Some(MeterKey {
        subscription: subscription.parse().ok()?,
        month: month.parse().ok()?,
        dimension: sk.strip_prefix("METER#")?.parse().ok()?,
    })
}

pub(crate) fn event_prefix() -> &'static str {
    "EVENT#"
}

/// `month` is the event's own, whichever meter took it.
pub(crate) fn event_key(id: &SubscriptionId, month: Month, key: &IdempotencyKey) -> Key {
    pair(usage_partition(id, month), format!("EVENT#{key}"))
}

pub(crate) fn record_prefix() -> &'static str {
    "RECORD#"
}

/// A record that was sent is named by its hour, which carries only one; units that were never sent by when they were
/// given up.
pub(crate) fn record_key(record: &RecordKey) -> Key {
    let partition = usage_partition(&record.meter.subscription, record.meter.month);
    let dimension = &record.meter.dimension;
    match record.line {
        Line::Hour(hour) => pair(partition, format!("RECORD#{hour}#{dimension}")),
        Line::NeverSent(at) => pair(partition, format!("RECORD#never-sent#{at}#{dimension}")),
    }
}

pub(crate) fn memo_key(task: Task) -> Key {
    pair(format!("TASK#{}", task.as_str()), "MEMO")
}

pub(crate) fn endpoint_partition(name: &EndpointName) -> String {
    format!("HOOK#{name}")
}

pub(crate) fn endpoint_key(name: &EndpointName) -> Key {
    pair(endpoint_partition(name), "ENDPOINT")
}

pub(crate) fn delivery_prefix() -> &'static str {
    "DELIVERY#"
}

/// `at` is sortable, so that deliveries are in the order of what they tell.
pub(crate) fn delivery_key(endpoint: &EndpointName, at: &str, id: &str) -> Key {
    pair(endpoint_partition(endpoint), format!("DELIVERY#{at}#{id}"))
}

pub(crate) fn audit_partition(id: &SubscriptionId) -> String {
    subscription_partition(id)
}

pub(crate) fn audit_key(id: &SubscriptionId, sequence: u64) -> Key {
    pair(audit_partition(id), format!("{sequence:020}"))
}
