//! Events of source `aws.agreement-marketplace`.

use domain::ids::NoticeId;
use domain::notice::{
    AgreementChange, Channel, EndStatus, Intent, LicenseChange, Notice, NoticeBody,
};
use jiff::Timestamp;
use serde_json::Value;

use super::{Unreadable, id, object, optional, text};

const SOURCE: &str = "aws.agreement-marketplace";

/// Agreements without an end carry this year in events (fact sheet §6.4).
const ENDLESS_YEAR: i16 = 9999;

/// Reads an EventBridge event.
///
/// # Errors
/// When it is not an event of the agreement marketplace, or a known kind lacks what it must say.
pub fn from_event_bridge(event: &[u8]) -> Result<Notice, Unreadable> {
    read(&object(event)?)
}

pub(super) fn read(event: &Value) -> Result<Notice, Unreadable> {
    if text(event, "/source")? != SOURCE {
        return Err(Unreadable::ForeignSource);
    }
    let kind = text(event, "/detail-type")?;
    // "License Updated - Manufacturer": the role says who is told, not what happened.
    let news = kind.rsplit_once(" - ").map_or(kind, |(news, _role)| news);
    let at = text(event, "/time")?.parse().map_err(|_| Unreadable::Missing("/time"))?;
    Ok(Notice {
        channel: Channel::EventBridge,
        id: notice_id(event, news)?,
        at,
        body: body(event, kind, news)?,
    })
}

/// `detail.requestId` is AWS's key for telling repeats (fact sheet §6.1); the envelope's id stands in where it is
/// missing. The news is part of the id: two kinds of news are never taken for one, while the copies of one kind for
/// manufacturer and proposer are.
fn notice_id(event: &Value, news: &str) -> Result<NoticeId, Unreadable> {
    let request = optional(event, "/detail/requestId").or_else(|| optional(event, "/id"));
    let request = request.ok_or(Unreadable::Missing("/detail/requestId"))?;
    format!("{}/{request}", news.replace(' ', "-"))
        .parse()
        .map_err(|source| Unreadable::Invalid { member: "/detail/requestId", source })
}

fn body(event: &Value, kind: &str, news: &str) -> Result<NoticeBody, Unreadable> {
    match news {
        "Purchase Agreement Created" => agreement(event, created(event)?),
        "Purchase Agreement Amended" => agreement(
            event,
            AgreementChange::Amended {
                auto_renew: event
                    .pointer("/detail/agreement/autoRenewalEnabled")
                    .and_then(Value::as_bool),
                ends: ends(event),
            },
        ),
        "Purchase Agreement Ended" => {
            agreement(event, AgreementChange::Ended { how: end_status(event)? })
        }
        "Purchase Agreement Advisory Issued" => agreement(event, AgreementChange::AdvisoryIssued),
        "Purchase Agreement Advisory Resolved" => {
            agreement(event, AgreementChange::AdvisoryResolved)
        }
        "License Updated" => license(event, LicenseChange::Updated),
        "License Deprovisioned" => license(event, LicenseChange::Deprovisioned),
        _ => Ok(NoticeBody::Unknown { kind: kind.to_owned() }),
    }
}

fn agreement(event: &Value, change: AgreementChange) -> Result<NoticeBody, Unreadable> {
    Ok(NoticeBody::Agreement {
        agreement: id(event, "/detail/agreement/id")?,
        account: optional(event, "/detail/acceptor/accountId")
            .and_then(|account| account.parse().ok()),
        change,
    })
}

fn license(event: &Value, change: LicenseChange) -> Result<NoticeBody, Unreadable> {
    Ok(NoticeBody::License {
        license: id(event, "/detail/license/arn")?,
        agreement: id(event, "/detail/agreement/id")?,
        product: id(event, "/detail/product/code")?,
        account: id(event, "/detail/acceptor/accountId")?,
        change,
    })
}

fn created(event: &Value) -> Result<AgreementChange, Unreadable> {
    let previous = optional(event, "/detail/agreement/previousAgreementId");
    Ok(AgreementChange::Created {
        intent: match text(event, "/detail/agreement/intent")? {
            "AMEND" => Intent::Amend,
            "RENEW" => Intent::Renew,
            "REPLACE" => Intent::Replace,
            // Whatever else AWS calls it, nothing is known to go on in it.
            _ => Intent::New,
        },
        previous: previous.and_then(|previous| previous.parse().ok()),
        offer: optional(event, "/detail/offer/id").and_then(|offer| offer.parse().ok()),
        ends: ends(event),
    })
}

fn ends(event: &Value) -> Option<Timestamp> {
    let ends: Timestamp = optional(event, "/detail/agreement/endTime")?.parse().ok()?;
    let year = jiff::tz::TimeZone::UTC.to_datetime(ends).year();
    (year < ENDLESS_YEAR).then_some(ends)
}

fn end_status(event: &Value) -> Result<EndStatus, Unreadable> {
    Ok(match text(event, "/detail/agreement/status")? {
        "CANCELLED" => EndStatus::Cancelled,
        "EXPIRED" => EndStatus::Expired,
        "TERMINATED" => EndStatus::Terminated,
        "RENEWED" => EndStatus::Renewed,
        "REPLACED" => EndStatus::Replaced,
        _ => EndStatus::Other,
    })
}
