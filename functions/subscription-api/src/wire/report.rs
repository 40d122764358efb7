//! Reports of usage, and what became of each.

use std::collections::BTreeMap;

use app::usage::{LARGEST_BATCH, Report, ReportAnswer};
use domain::time::Month;
use http::StatusCode;
use jiff::SignedDuration;
use lambda_shell::contract::shapes;
use lambda_shell::extract::json;
use lambda_shell::number::NumberText;
use lambda_shell::problem::Problem;
use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{dimension_name, invalid_body};

/// Seconds that a reservation may be held: a day at most.
const HOLD: std::ops::RangeInclusive<i64> = 1..=86_400;

/// One report: `{key, dimension | metric, quantity, at}`. The quantity keeps its digits, number or text.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UsageReport")]
pub(crate) struct EventBody {
    /// The caller's key: the same report again counts nothing, another report under it is refused.
    #[schemars(with = "shapes::Key")]
    key: String,
    /// The listing's dimension; or give the platform's metric.
    #[schemars(with = "Option<shapes::Dimension>")]
    dimension: Option<String>,
    /// The platform's name of a dimension.
    metric: Option<String>,
    /// How much: an addition for a sum, a level for a peak.
    quantity: NumberText,
    /// When it was used.
    #[schemars(with = "shapes::Instant")]
    at: String,
    /// For the buyer's cost allocation: at most 5, by key.
    #[serde(default)]
    #[schemars(with = "shapes::Tags")]
    tags: BTreeMap<String, String>,
}

impl EventBody {
    /// The report; `prefix` is where it stands in the body, e.g. `events[3].`.
    pub(crate) fn report(self, prefix: &str) -> Result<Report, Problem> {
        let Self { key, dimension, metric, quantity, at, tags } = self;
        let name = dimension_name(dimension, metric, prefix)?.ok_or_else(|| {
            invalid_body(format!("{prefix}dimension"), "name a dimension or a metric")
        })?;
        Ok(Report { key, name, quantity: quantity.into_string(), at, tags })
    }
}

/// `POST …/entitlements/consume`: a report, and for how long it is held.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "ReservationRequest")]
pub(crate) struct ConsumeBody {
    /// The caller's key: the same reservation again counts nothing, another under it is refused.
    #[schemars(with = "shapes::Key")]
    key: String,
    /// The listing's dimension; or give the platform's metric.
    #[schemars(with = "Option<shapes::Dimension>")]
    dimension: Option<String>,
    /// The platform's name of a dimension.
    metric: Option<String>,
    /// How much: an addition for a sum, a level for a peak.
    quantity: NumberText,
    /// When it is used.
    #[schemars(with = "shapes::Instant")]
    at: String,
    /// For the buyer's cost allocation: at most 5, by key.
    #[serde(default)]
    #[schemars(with = "shapes::Tags")]
    tags: BTreeMap<String, String>,
    /// For how many seconds it is held unless it is kept; without it, it counts for good.
    #[schemars(range(min = 1, max = 86_400))]
    hold_seconds: Option<i64>,
}

impl ConsumeBody {
    /// The report and how long it is held.
    pub(crate) fn read(self) -> Result<(Report, Option<SignedDuration>), Problem> {
        let Self { key, dimension, metric, quantity, at, tags, hold_seconds } = self;
        if hold_seconds.is_some_and(|seconds| !HOLD.contains(&seconds)) {
            return Err(invalid_body("holdSeconds", "is a number from 1 to 86400"));
        }
        let report = EventBody { key, dimension, metric, quantity, at, tags }.report("")?;
        Ok((report, hold_seconds.map(SignedDuration::from_secs)))
    }
}

/// `{"events": [1 to 100 reports]}`, or one report by itself.
#[derive(Debug)]
pub(crate) struct ReportBody(pub(crate) Vec<Report>);

/// The body, as the contract shows it.
#[derive(Debug, JsonSchema)]
#[schemars(untagged, rename = "UsageReports")]
#[expect(dead_code, reason = "only its shape is of use")]
pub(crate) enum ReportShape {
    /// 1 to 100 reports.
    Batch {
        #[schemars(length(min = 1, max = 100))]
        events: Vec<EventBody>,
    },
    /// One report by itself.
    One(EventBody),
}

/// What a problem tells of the reports, where it is about them.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "UsageProblem")]
#[expect(dead_code, reason = "only its shape is of use")]
pub(crate) struct ResultsShape {
    #[schemars(skip_serializing_if = "Option::is_none")]
    accepted: Option<u64>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    duplicate: Option<u64>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    refused: Option<u64>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    failed: Option<u64>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<ResultBody>>,
}

#[derive(Deserialize)]
struct Shape {
    events: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    events: Vec<EventBody>,
}

impl TryFrom<&RawValue> for ReportBody {
    type Error = Problem;

    fn try_from(body: &RawValue) -> Result<Self, Problem> {
        let body = body.get().as_bytes();
        if json::<Shape>(body)?.events.is_none() {
            return Ok(Self(vec![json::<EventBody>(body)?.report("")?]));
        }
        let events = json::<Batch>(body)?.events;
        if events.is_empty() {
            return Err(Problem::unprocessable("empty_batch", "A batch has at least one event."));
        }
        if events.len() > LARGEST_BATCH {
            let detail = format!("A batch has at most {LARGEST_BATCH} events.");
            return Err(Problem::unprocessable("batch_too_large", detail));
        }
        let read = |(place, event): (usize, EventBody)| event.report(&format!("events[{place}]."));
        events.into_iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
    }
}

lambda_shell::words! {
    ReportState ["accepted", "duplicate", "refused", "failed"]
}

/// What became of one report.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "UsageResult")]
struct ResultBody {
    key: String,
    /// `accepted`, `duplicate`, `refused`, or `failed`: report that one again.
    #[schemars(with = "ReportState")]
    status: &'static str,
    /// The month it is counted in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shapes::Month>")]
    month: Option<Month>,
    /// Whether that is later than its own, because its own is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    carried_over: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// What became of all, in the order given, and how many of each.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsageResults")]
pub(crate) struct Results {
    pub(crate) accepted: u64,
    pub(crate) duplicate: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    #[serde(rename = "results")]
    each: Vec<ResultBody>,
}

/// [`Results`] of a request of which nothing was counted, or not all could be: a problem with an extension member.
#[derive(Debug, Serialize)]
pub(crate) struct ProblemWithResults {
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'static str,
    #[serde(flatten)]
    results: Results,
}

impl Results {
    pub(crate) fn of(reports: &[Report], answers: Vec<ReportAnswer>) -> Self {
        let mut all = Self { accepted: 0, duplicate: 0, refused: 0, failed: 0, each: Vec::new() };
        for (report, answer) in reports.iter().zip(answers) {
            let mut result = ResultBody {
                key: report.key.clone(),
                status: "accepted",
                month: None,
                carried_over: None,
                code: None,
                detail: None,
            };
            let mut refused = |code, detail| {
                result.status = "refused";
                result.code = Some(code);
                result.detail = Some(detail);
            };
            let count = match answer {
                ReportAnswer::Accepted { month, carried_over } => {
                    result.month = Some(month);
                    result.carried_over = Some(carried_over);
                    &mut all.accepted
                }
                ReportAnswer::Duplicate => {
                    result.status = "duplicate";
                    &mut all.duplicate
                }
                ReportAnswer::Conflict => {
                    refused(
                        "key_conflict",
                        "the key belongs to another report of usage".to_owned(),
                    );
                    &mut all.refused
                }
                ReportAnswer::Refused(refusal) => {
                    refused(refusal.code(), refusal.to_string());
                    &mut all.refused
                }
                ReportAnswer::Failed => {
                    result.status = "failed";
                    &mut all.failed
                }
            };
            *count = count.saturating_add(1);
            all.each.push(result);
        }
        all
    }

    /// The codes of refused reports, one each.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = &'static str> {
        self.each.iter().filter_map(|result| result.code)
    }

    /// The code that all refusals share.
    pub(crate) fn common_code(&self) -> Option<&'static str> {
        let mut codes = self.refusals();
        let first = codes.next()?;
        codes.all(|code| code == first).then_some(first)
    }

    pub(crate) fn into_problem(
        self,
        status: StatusCode,
        code: &'static str,
        detail: &'static str,
    ) -> ProblemWithResults {
        ProblemWithResults {
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail,
            results: self,
        }
    }
}
