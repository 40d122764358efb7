//! Why a message is not believed, or could not be judged.

use std::error::Error;

/// Why a message is not believed. Says which check failed and nothing else.
#[derive(Debug, thiserror::Error)]
pub enum SnsError {
    /// It is no envelope of SNS.
    #[error("the body is no message of SNS")]
    Unreadable(#[source] serde_json::Error),
    /// It lacks a member that is signed or proves the signature.
    #[error("the message has no {0}")]
    Missing(&'static str),
    /// Its topic is not ours.
    #[error("the topic is not one of the allowed ones")]
    UnknownTopic,
    /// One of its URLs is not SNS's.
    #[error("the {0} is not one of SNS in the topic's Region")]
    ForeignUrl(&'static str),
    /// A version of signatures that nobody knows.
    #[error("the SignatureVersion is neither 1 nor 2")]
    UnknownVersion,
    /// The signature is not base64, or the time is none.
    #[error("the {0} is malformed")]
    Malformed(&'static str),
    /// It is more than a day old, or from the future.
    #[error("the message was not signed within the last day")]
    Stale,
    /// The certificate is not one that a trusted authority issued for SNS, or not valid now.
    #[error("the certificate is not trusted")]
    Untrusted(#[source] Box<dyn Error + Send + Sync>),
    /// The signature does not fit.
    #[error("the signature does not fit the message")]
    NoMatch,
    /// The certificate, or the confirmation, cannot be had now.
    #[error("SNS cannot be reached")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl SnsError {
    /// A stable name, for metrics and problems.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable_notice",
            Self::Missing(_) => "missing_signature",
            Self::UnknownTopic => "unknown_topic",
            Self::ForeignUrl(_) => "foreign_url",
            Self::UnknownVersion | Self::Malformed(_) => "malformed_signature",
            Self::Stale => "stale_signature",
            Self::Untrusted(_) => "untrusted_certificate",
            Self::NoMatch => "bad_signature",
            Self::Unavailable(_) => "unavailable",
        }
    }
}
