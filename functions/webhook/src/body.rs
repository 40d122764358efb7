//! What a believed body is.

use domain::ids::NoticeId;
use domain::notice::{Channel, Notice, NoticeBody};
use jiff::Timestamp;
use lambda_shell::extract::json;
use lambda_shell::problem::Problem;
use marketplace_aws::notices::{from_event_bridge, from_sns};
use serde::Deserialize;

use crate::usage::UsageReported;

/// A body, read.
#[derive(Debug)]
pub(crate) enum Body {
    /// A marketplace notification, or an event of a kind that nothing acts on.
    Notice(Notice),
    /// Usage.
    Usage(UsageReported),
    /// SNS asks to confirm a subscription, or tells that one ended: nothing for the marketplace. Holds what became of it.
    Handshake(&'static str),
}

/// The members by which the kinds of bodies differ.
#[derive(Deserialize)]
struct Outline {
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    #[serde(rename = "Type")]
    sns_type: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    id: NoticeId,
}

impl Body {
    /// Reads a body that arrived at `now`.
    ///
    /// # Errors
    /// 400: it is not JSON, not one of ours, or lacks something.
    pub(crate) fn read(raw: &[u8], now: Timestamp) -> Result<Self, Problem> {
        let outline: Outline = read(raw)?;
        match outline {
            Outline { detail_type: Some(_), .. } => {
                from_event_bridge(raw).map(Self::Notice).map_err(|error| unreadable(&error))
            }
            Outline { sns_type: Some(kind), .. } if kind == "Notification" => {
                from_sns(raw).map(Self::Notice).map_err(|error| unreadable(&error))
            }
            Outline { sns_type: Some(_), .. } => {
                tracing::warn!("somebody relays a handshake of SNS; SNS itself must send it");
                Ok(Self::Handshake("ignored"))
            }
            Outline { kind: Some(kind), .. } if kind == "usage.reported" => {
                read(raw).and_then(UsageReported::checked).map(Self::Usage)
            }
            Outline { kind: Some(kind), .. } if kind.starts_with("usage.") => Err(
                Problem::bad_request("unknown_type", "Usage is sent with the type usage.reported."),
            ),
            Outline { kind: Some(kind), .. } => {
                let Event { id } = read(raw)?;
                let body = NoticeBody::Unknown { kind };
                Ok(Self::Notice(Notice { channel: Channel::Platform, id, at: now, body }))
            }
            Outline { detail_type: None, sns_type: None, kind: None } => Err(Problem::bad_request(
                "unknown_body",
                "The body is no EventBridge event, no SNS message and has no type.",
            )),
        }
    }
}

impl Body {
    /// Reads a notification that SNS signed. Nothing but the members of the envelope is looked at: only they are proved.
    ///
    /// # Errors
    /// 400: its message is not one of the marketplace's.
    pub(crate) fn of_sns(raw: &[u8]) -> Result<Self, Problem> {
        from_sns(raw).map(Self::Notice).map_err(|error| unreadable(&error))
    }
}

/// Everything unreadable is a 400 here: senders treat all of them alike.
fn read<T: serde::de::DeserializeOwned>(raw: &[u8]) -> Result<T, Problem> {
    json(raw).map_err(|problem| Problem { status: http::StatusCode::BAD_REQUEST, ..problem })
}

fn unreadable(error: &dyn std::error::Error) -> Problem {
    Problem::bad_request("unreadable_notice", format!("The notification cannot be read: {error}."))
}
