//! Reports of usage as callers write them, and the answers they get: the same at every door that takes usage.
//!
//! ```json
//! {"key": "scan-4711", "dimension": "scans", "quantity": "1", "at": "2026-11-24T07:30:00Z"}
//! {"key": "scan-4711", "status": "accepted", "month": "2026-11", "carriedOver": false}
//! {"key": "scan-4712", "status": "refused", "code": "future_hour", "detail": "…"}
//! ```

use std::collections::BTreeMap;

use app::usage::{Report, ReportAnswer};
use domain::time::Month;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::shapes;
use crate::metrics::{self, Metrics};
use crate::number::NumberText;

/// One report. Only its shape is checked here; what it says is judged one by one, so that a bad report does not stop
/// the others.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageItem {
    /// The caller's key.
    pub key: String,
    /// The listing's dimension, or under `metric` the platform's name for it.
    #[serde(alias = "metric")]
    pub dimension: String,
    /// A decimal, as a number or as a string; it keeps its digits.
    pub quantity: NumberText,
    /// An RFC 3339 instant.
    pub at: String,
    /// For the buyer's cost allocation: at most 5, by key.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl From<UsageItem> for Report {
    fn from(item: UsageItem) -> Self {
        Self {
            key: item.key,
            name: item.dimension,
            quantity: item.quantity.into_string(),
            at: item.at,
            tags: item.tags,
        }
    }
}

crate::words! {
    UsageResultWord ["accepted", "duplicate", "refused", "failed"]
}

/// What became of one report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageAnswer {
    /// The caller's key.
    pub key: String,
    /// What became of it.
    #[serde(rename = "status")]
    #[schemars(with = "UsageResultWord")]
    pub result: UsageResult,
    /// The month that counts it, where it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shapes::Month>")]
    pub month: Option<Month>,
    /// Whether that is later than its own month, where it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carried_over: Option<bool>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What can become of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum UsageResult {
    /// It is counted.
    Accepted,
    /// The same report was counted before.
    Duplicate,
    /// The key belongs to another report; this one is not counted. Callers see `refused` with the code `key_conflict`.
    #[serde(rename = "refused")]
    Conflict,
    /// It will never be counted.
    Refused,
    /// It is not counted because something failed; report it again.
    Failed,
}

impl UsageAnswer {
    /// Puts an answer into the caller's words.
    pub fn new(key: String, answer: ReportAnswer) -> Self {
        let with = |result| Self {
            key,
            result,
            month: None,
            carried_over: None,
            code: None,
            detail: None,
        };
        match answer {
            ReportAnswer::Accepted { month, carried_over } => Self {
                month: Some(month),
                carried_over: Some(carried_over),
                ..with(UsageResult::Accepted)
            },
            ReportAnswer::Duplicate => with(UsageResult::Duplicate),
            ReportAnswer::Conflict => Self {
                code: Some("key_conflict"),
                detail: Some("the key was used for another report".to_owned()),
                ..with(UsageResult::Conflict)
            },
            ReportAnswer::Refused(refusal) => Self {
                code: Some(refusal.code()),
                detail: Some(refusal.to_string()),
                ..with(UsageResult::Refused)
            },
            ReportAnswer::Failed => Self {
                code: Some("unavailable"),
                detail: Some("report it again".to_owned()),
                ..with(UsageResult::Failed)
            },
        }
    }
}

/// Emits how many reports met which end.
pub fn count(metrics: &Metrics, now: Timestamp, answers: &[UsageAnswer]) {
    let of = |result| {
        let count = answers.iter().filter(|answer| answer.result == result).count();
        u64::try_from(count).unwrap_or(u64::MAX)
    };
    let values = [
        (metrics::USAGE_ACCEPTED, of(UsageResult::Accepted)),
        (metrics::USAGE_DUPLICATE, of(UsageResult::Duplicate)),
        (metrics::USAGE_FAILED, of(UsageResult::Failed)),
    ];
    let counted: Vec<_> = values.into_iter().filter(|(_, value)| *value > 0).collect();
    metrics.emit(now, &counted);
    for answer in answers {
        if let (UsageResult::Conflict | UsageResult::Refused, Some(code)) =
            (answer.result, answer.code)
        {
            metrics.emit_by(now, metrics::USAGE_REFUSED, code, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use app::usage::Refusal;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_names_a_dimension_or_a_metric_and_not_both() {
        let read = |json: &str| serde_json::from_str::<UsageItem>(json).map(Report::from);
        let report =
            read(r#"{"key":"a","metric":"totalScans","quantity":1.50,"at":"now"}"#).unwrap();
        let wanted = Report {
            key: "a".to_owned(),
            name: "totalScans".to_owned(),
            quantity: "1.50".to_owned(),
            at: "now".to_owned(),
            tags: BTreeMap::new(),
        };
        assert_eq!(report, wanted);
        let both =
            r#"{"key":"a","metric":"totalScans","dimension":"scans","quantity":1,"at":"now"}"#;
        assert!(read(both).is_err());
        assert!(read(r#"{"key":"a","quantity":1,"at":"now"}"#).is_err());
    }

    #[test]
    fn each_end_has_its_own_word() {
        let word = |answer| serde_json::to_value(UsageAnswer::new("k".to_owned(), answer)).unwrap();
        let accepted =
            ReportAnswer::Accepted { month: "2026-12".parse().unwrap(), carried_over: true };
        assert_eq!(
            word(accepted),
            json!({"key": "k", "status": "accepted", "month": "2026-12", "carriedOver": true})
        );
        assert_eq!(word(ReportAnswer::Duplicate), json!({"key": "k", "status": "duplicate"}));
        assert_eq!(
            word(ReportAnswer::Refused(Refusal::TooLate { days: 7 })),
            json!({"key": "k", "status": "refused", "code": "too_late", "detail": "the usage is older than 7 days"})
        );
        assert_eq!(word(ReportAnswer::Conflict)["code"], "key_conflict");
        assert_eq!(word(ReportAnswer::Failed)["status"], "failed");
    }

    #[test]
    fn what_was_not_counted_is_measured_with_its_reason() {
        let lines = Arc::new(Mutex::new(Vec::<serde_json::Value>::new()));
        let sink = lines.clone();
        let metrics =
            Metrics::to(move |line| sink.lock().unwrap().push(serde_json::from_str(line).unwrap()));
        let answers: Vec<_> = [
            ReportAnswer::Duplicate,
            ReportAnswer::Refused(Refusal::FutureHour),
            ReportAnswer::Duplicate,
        ]
        .into_iter()
        .map(|answer| UsageAnswer::new("k".to_owned(), answer))
        .collect();
        count(&metrics, Timestamp::UNIX_EPOCH, &answers);
        let lines = lines.lock().unwrap();
        assert_eq!(lines[0]["UsageDuplicate"], 2);
        assert_eq!(
            (&lines[1]["UsageRefused"], &lines[1]["Reason"]),
            (&json!(1), &json!("future_hour"))
        );
        assert_eq!(lines.len(), 2);
    }
}
