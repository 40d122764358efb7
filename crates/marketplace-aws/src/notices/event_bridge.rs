//! Agreement and license events.

use domain::ids::NoticeId;
use domain::notice::{
    AgreementChange, Channel, EndStatus, Intent, LicenseChange, Notice, NoticeBody,
};
use jiff::Timestamp;
use serde_json::Value;

use super::{Sources, Unreadable, id, optional, text};

/// Agreements without an end carry this year in events (fact sheet §6.4).
const ENDLESS_YEAR: i16 = 9999;

pub(super) fn read(event: &Value, sources: &Sources) -> Result<Notice, Unreadable> {
    if !sources.allow(text(event, "/source")?) {
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
/// missing. What happened and to what are part of the id: should one request cause several kinds of news, or news of
/// several licenses, none is taken for another, while the copies for manufacturer and proposer are one.
fn notice_id(event: &Value, news: &str) -> Result<NoticeId, Unreadable> {
    let request = optional(event, "/detail/requestId").or_else(|| optional(event, "/id"));
    let request = request.ok_or(Unreadable::Missing("/detail/requestId"))?;
    let license = optional(event, "/detail/license/arn").and_then(|arn| arn.rsplit(':').next());
    let subject = license.or_else(|| optional(event, "/detail/agreement/id")).unwrap_or_default();
    format!("{}/{}/{request}", short(news), short(subject))
        .parse()
        .map_err(|source| Unreadable::Invalid { member: "/detail/requestId", source })
}

/// A text of any kind as part of an id.
fn short(text: &str) -> String {
    let readable = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    text.chars().take(64).map(readable).collect()
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
