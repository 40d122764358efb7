//! Notices: what each tells, whatever was known before.

mod agreements;
mod licenses;
mod older_listings;
mod plans;

use app::notices::{NoticeOutcome, take_notice};
use app::ports::Subscriptions;
use domain::ids::SubscriptionId;
use domain::notice::{
    AgreementChange, Channel, EndStatus, Intent, LegacyChange, LicenseChange, Notice, NoticeBody,
};
use domain::subscription::Subscription;

use crate::{World, at};

fn notice(id: &str, when: &str, body: NoticeBody) -> Notice {
    let channel = match &body {
        NoticeBody::Legacy { .. } => Channel::Sns,
        NoticeBody::Agreement { .. } | NoticeBody::License { .. } | NoticeBody::Unknown { .. } => {
            Channel::EventBridge
        }
    };
    Notice { channel, id: id.parse().unwrap(), at: at(when), body }
}

fn of_license(agreement: &str, change: LicenseChange) -> NoticeBody {
    NoticeBody::License {
        license: "arn:aws:license-manager::294406891311:license:l-1".parse().unwrap(),
        agreement: agreement.parse().unwrap(),
        product: "product".parse().unwrap(),
        account: "111122223333".parse().unwrap(),
        change,
    }
}

fn of_agreement(agreement: &str, change: AgreementChange) -> NoticeBody {
    let account = Some("111122223333".parse().unwrap());
    NoticeBody::Agreement { agreement: agreement.parse().unwrap(), account, change }
}

fn of_older(change: LegacyChange) -> NoticeBody {
    let (product, customer) = ("product".parse().unwrap(), "customer-1".parse().unwrap());
    NoticeBody::Legacy { product, customer, change }
}

fn created(intent: Intent) -> AgreementChange {
    AgreementChange::Created { intent, previous: None, offer: None, ends: None }
}

fn ended(how: EndStatus) -> AgreementChange {
    AgreementChange::Ended { how }
}

/// Delivers a notice a few seconds after it happened.
async fn told(world: &World, id: &str, when: &str, body: NoticeBody) -> NoticeOutcome {
    let now = at(when) + jiff::SignedDuration::from_secs(10);
    take_notice(world, &notice(id, when, body), now).await.unwrap()
}

/// The only subscription there is.
fn only(world: &World) -> Subscription {
    let mut states = world.store.states();
    assert_eq!(states.len(), 1);
    states.pop().unwrap()
}

/// What was done to a subscription, oldest first.
async fn actions(world: &World, id: &SubscriptionId) -> Vec<String> {
    let page = world.store.audit(id, None, 100).await.unwrap();
    page.items.into_iter().map(|entry| entry.action).collect()
}
