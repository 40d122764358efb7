//! The endpoints that are told by webhooks, and the queue that feeds their sender.

use std::collections::BTreeSet;

use domain::delivery::EndpointName;
use serde::Deserialize;

use super::{Configuration, Reader};
use crate::signature::standard::Key;

/// An endpoint. `Debug` shows no key.
#[derive(Debug, Clone)]
pub struct OutgoingWebhook {
    /// Its name in logs, metrics and commands.
    pub name: EndpointName,
    /// Where it is.
    pub url: String,
    /// What its messages are signed with: one key, or two while they are rotated.
    pub keys: Vec<Key>,
}

/// `OUTGOING_WEBHOOKS`: a JSON list of `{"name", "url", "keys"}`; none by default.
#[derive(Debug, Clone, Default)]
pub struct OutgoingWebhooks(pub Vec<OutgoingWebhook>);

/// Has no `Debug`: it holds keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: EndpointName,
    url: String,
    keys: Vec<String>,
}

impl OutgoingWebhooks {
    /// The names.
    pub fn names(&self) -> Vec<EndpointName> {
        self.0.iter().map(|endpoint| endpoint.name.clone()).collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let rows: Vec<Row> = serde_json::from_str(text).ok()?;
        let endpoints: Option<Vec<_>> = rows.into_iter().map(endpoint).collect();
        let endpoints = endpoints?;
        let names: BTreeSet<_> = endpoints.iter().map(|endpoint| &endpoint.name).collect();
        (names.len() == endpoints.len()).then_some(Self(endpoints))
    }
}

fn endpoint(Row { name, url, keys }: Row) -> Option<OutgoingWebhook> {
    let uri: http::Uri = url.parse().ok()?;
    let plain = uri.scheme_str() == Some("http") && uri.host() == Some("127.0.0.1");
    let fits = (uri.scheme_str() == Some("https") || plain) && uri.host().is_some();
    let keys: Option<Vec<_>> = keys.iter().map(|key| Key::parse(key)).collect();
    let keys = keys.filter(|keys| (1..=2).contains(&keys.len()))?;
    fits.then_some(OutgoingWebhook { name, url, keys })
}

impl Configuration for OutgoingWebhooks {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let rule = "a JSON list of {\"name\", \"url\", \"keys\"} with https URLs and one or two keys whsec_… each";
        vars.or("OUTGOING_WEBHOOKS", rule, Self::default(), Self::parse)
    }
}

/// `WEBHOOK_QUEUE_URL`: the queue of the webhook sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookQueueUrl(pub String);

impl Configuration for WebhookQueueUrl {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        vars.required("WEBHOOK_QUEUE_URL", "the URL of an SQS queue", |text| {
            let url = text.starts_with("https://") || text.starts_with("http://");
            url.then(|| Self(text.to_owned()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn row(name: &str, url: &str, keys: &[&str]) -> String {
        serde_json::json!({ "name": name, "url": url, "keys": keys }).to_string()
    }

    #[test]
    fn endpoints_have_names_of_their_own_https_and_one_or_two_keys() {
        let names = |rows: &[String]| {
            let parsed = OutgoingWebhooks::parse(&format!("[{}]", rows.join(",")))?;
            Some(parsed.names().iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let one = row("crm", "https://crm.example/hook", &[KEY]);
        let two = row("erp", "https://erp.example/hook", &[KEY, KEY]);
        assert_eq!(names(&[one.clone(), two]).unwrap(), ["crm", "erp"]);
        assert_eq!(names(&[]).unwrap(), Vec::<String>::new());
        for bad in [
            row("CRM", "https://crm.example", &[KEY]),
            row("crm", "http://crm.example", &[KEY]),
            row("crm", "crm.example", &[KEY]),
            row("crm", "https://crm.example", &[]),
            row("crm", "https://crm.example", &[KEY, KEY, KEY]),
            row("crm", "https://crm.example", &["secret"]),
        ] {
            assert_eq!(names(std::slice::from_ref(&bad)), None, "{bad}");
        }
        assert_eq!(names(&[one.clone(), one]), None, "one name twice");
    }

    #[test]
    fn no_key_is_shown() {
        let text = format!("[{}]", row("crm", "https://crm.example/hook", &[KEY]));
        let shown = format!("{:?}", OutgoingWebhooks::parse(&text).unwrap());
        assert!(shown.contains("crm.example") && !shown.contains("MfKQ"), "{shown}");
    }
}
