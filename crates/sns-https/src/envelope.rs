//! The envelope and its string to sign.

use serde::Deserialize;

use crate::error::SnsError;

/// What an envelope is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Kind {
    /// It carries a message.
    Notification,
    /// SNS asks whether this address really wants the topic's messages.
    SubscriptionConfirmation,
    /// This address has been unsubscribed.
    UnsubscribeConfirmation,
}

impl Kind {
    /// As SNS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}

/// An envelope as it came; nothing in it is believed. A member that is there twice makes it unreadable, so that the one
/// that is proved is also the one that is read later.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Envelope {
    #[serde(rename = "Type")]
    pub(crate) kind: Kind,
    pub(crate) message: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) subject: Option<String>,
    #[serde(rename = "SubscribeURL")]
    pub(crate) subscribe_url: Option<String>,
    pub(crate) timestamp: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) topic_arn: Option<String>,
    pub(crate) signature: Option<String>,
    pub(crate) signature_version: Option<String>,
    #[serde(rename = "SigningCertURL")]
    pub(crate) signing_cert_url: Option<String>,
}

/// A message that SNS signed, of an allowed topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What it is for.
    pub kind: Kind,
    /// Its id, the same at every delivery.
    pub message_id: String,
    /// Its topic.
    pub topic: String,
    /// Where a subscription is confirmed.
    pub(crate) subscribe_url: Option<String>,
}

pub(crate) fn need<'a>(value: Option<&'a String>, name: &'static str) -> Result<&'a str, SnsError> {
    value.map(String::as_str).ok_or(SnsError::Missing(name))
}

impl Envelope {
    pub(crate) fn read(raw: &[u8]) -> Result<Self, SnsError> {
        serde_json::from_slice(raw).map_err(SnsError::Unreadable)
    }

    /// Name and value of each signed member, a line each, in SNS's order. A line feed follows the last value as well,
    /// whatever the prose of AWS's guide says: its validators sign so.
    pub(crate) fn string_to_sign(&self) -> Result<String, SnsError> {
        let message = Some(("Message", need(self.message.as_ref(), "Message")?));
        let id = Some(("MessageId", need(self.message_id.as_ref(), "MessageId")?));
        let at = Some(("Timestamp", need(self.timestamp.as_ref(), "Timestamp")?));
        let topic = Some(("TopicArn", need(self.topic_arn.as_ref(), "TopicArn")?));
        let kind = Some(("Type", self.kind.as_str()));
        let parts = match self.kind {
            Kind::Notification => {
                let subject = self.subject.as_deref().map(|subject| ("Subject", subject));
                vec![message, id, subject, at, topic, kind]
            }
            Kind::SubscriptionConfirmation | Kind::UnsubscribeConfirmation => {
                let url =
                    Some(("SubscribeURL", need(self.subscribe_url.as_ref(), "SubscribeURL")?));
                let token = Some(("Token", need(self.token.as_ref(), "Token")?));
                vec![message, id, url, at, token, topic, kind]
            }
        };
        let lines = parts.into_iter().flatten().flat_map(|(name, value)| [name, "\n", value, "\n"]);
        Ok(lines.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to_sign(json: &str) -> String {
        Envelope::read(json.as_bytes()).unwrap().string_to_sign().unwrap()
    }

    #[test]
    fn a_notification_is_signed_in_the_documented_order_whatever_the_order_of_its_members() {
        let json = r#"{"Type":"Notification","TopicArn":"t","Timestamp":"at","Subject":"s","MessageId":"id",
            "Message":"a\nb","MessageAttributes":{"n":{"Type":"String","Value":"v"}},"UnsubscribeURL":"u"}"#;
        assert_eq!(
            to_sign(json),
            "Message\na\nb\nMessageId\nid\nSubject\ns\nTimestamp\nat\nTopicArn\nt\nType\nNotification\n"
        );
    }

    #[test]
    fn an_absent_or_null_subject_has_no_line() {
        let wanted = "Message\nm\nMessageId\nid\nTimestamp\nat\nTopicArn\nt\nType\nNotification\n";
        let absent = r#"{"Type":"Notification","Message":"m","MessageId":"id","Timestamp":"at","TopicArn":"t"}"#;
        assert_eq!(to_sign(absent), wanted);
        assert_eq!(to_sign(&absent.replace("\"Message\"", "\"Subject\":null,\"Message\"")), wanted);
    }

    #[test]
    fn a_confirmation_signs_its_token_and_its_url() {
        for kind in ["SubscriptionConfirmation", "UnsubscribeConfirmation"] {
            let json = format!(
                r#"{{"Type":"{kind}","Message":"m","MessageId":"id","SubscribeURL":"u","Timestamp":"at",
                    "Token":"k","TopicArn":"t"}}"#
            );
            assert_eq!(
                to_sign(&json),
                format!(
                    "Message\nm\nMessageId\nid\nSubscribeURL\nu\nTimestamp\nat\nToken\nk\nTopicArn\nt\nType\n{kind}\n"
                )
            );
        }
    }

    #[test]
    fn a_member_that_is_there_twice_makes_it_unreadable() {
        let twice = r#"{"Type":"Notification","Message":"a","Message":"b"}"#;
        assert!(Envelope::read(twice.as_bytes()).is_err());
        assert!(Envelope::read(br#"{"Type":"Advertisement"}"#).is_err());
    }
}
