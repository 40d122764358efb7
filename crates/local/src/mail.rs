//! The mails of the stand-in platform: never sent, only shown. The real platform writes to a buyer who has registered
//! in the same way: the notice says that there is somebody to write to, the API says who.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ids::SubscriptionId;
use jiff::Timestamp;
use serde::Deserialize;

/// Mails that are remembered.
const MOST: usize = 200;

/// A mail with next steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// About which subscription.
    pub subscription: SubscriptionId,
    /// The revision of the notice that asked for it; the same notice again writes no second mail.
    pub revision: u64,
    /// When it was written.
    pub at: Timestamp,
    /// To whom.
    pub to: String,
    /// What it says, a paragraph each.
    pub text: Vec<String>,
}

/// Whom the API names.
#[derive(Deserialize)]
pub(crate) struct Contact {
    company: Option<String>,
    #[serde(rename = "contact")]
    name: Option<String>,
    email: String,
}

/// What was written, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mailbox(Arc<Mutex<Vec<Mail>>>);

impl Mailbox {
    /// Whether a notice was answered with a mail before.
    pub(crate) fn knows(&self, subscription: &SubscriptionId, revision: u64) -> bool {
        let known = |mail: &Mail| mail.subscription == *subscription && mail.revision == revision;
        self.mails().iter().any(known)
    }

    pub(crate) fn write(
        &self,
        subscription: &SubscriptionId,
        revision: u64,
        contact: Contact,
        at: Timestamp,
    ) {
        let mut mails = self.mails();
        if mails.len() >= MOST {
            mails.remove(0);
        }
        mails.push(Mail {
            subscription: subscription.clone(),
            revision,
            at,
            text: next_steps(&contact),
            to: contact.email,
        });
    }

    pub(crate) fn all(&self) -> Vec<Mail> {
        self.mails().clone()
    }

    fn mails(&self) -> MutexGuard<'_, Vec<Mail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn next_steps(contact: &Contact) -> Vec<String> {
    let name = contact.name.as_deref().unwrap_or("Hello");
    let company = contact.company.as_deref().map_or(String::new(), |name| format!(" for {name}"));
    vec![
        format!("{name}, thank you for subscribing{company}."),
        "Your workspace is ready as soon as AWS Marketplace has activated the subscription, usually within minutes. Then \
         sign in with this address and invite your team."
            .to_owned(),
        "What you use and what it costs is on your account page. To change or cancel, use Manage subscriptions in AWS \
         Marketplace."
            .to_owned(),
    ]
}
