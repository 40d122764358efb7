//! A subscription's life over the real HTTP surface, told step by step, and at its end the bill: what AWS would charge
//! beside what is due by the reports that were accepted.

mod bill;
mod outcome;
mod story;
mod usage;

use std::io::{self, Write};

use domain::catalog::PricingModel;
use jiff::Timestamp;
use serde::Serialize;

use crate::client::CallError;
use crate::system::{DriveError, StartError, System, SystemOptions};

pub use outcome::{Outcome, Row};

/// The pricing models, in the order in which they are told.
const MODELS: [PricingModel; 3] =
    [PricingModel::Usage, PricingModel::Contract, PricingModel::ContractWithConsumption];

/// Why a journey broke off.
#[derive(Debug, thiserror::Error)]
pub enum JourneyError {
    /// The system did not start.
    #[error("the system could not be started")]
    Start(#[from] StartError),
    /// A call was not answered as it should.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A delivery failed.
    #[error("the system could not be driven")]
    Drive(#[from] DriveError),
    /// The simulated marketplace refused the buyer.
    #[error("AWS Marketplace refused the buyer: {0}")]
    Buyer(String),
    /// The system did something else than the story says.
    #[error("{0}")]
    OffScript(String),
    /// The report could not be written.
    #[error("the report could not be written")]
    Write(#[from] io::Error),
}

/// How a journey is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line: `{"step": …}` and at the end of each journey `{"outcome": …}`.
    Json,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// When, on the system's clock.
    pub at: Timestamp,
    /// What.
    pub what: String,
}

/// Lives through one pricing model, or all, and writes the report to `out`. Answers whether every bill agreed.
///
/// # Errors
/// When a journey breaks off or the report cannot be written.
pub async fn tell(
    pricing: Option<PricingModel>,
    seed: u64,
    format: Format,
    out: &mut (impl Write + Send),
) -> Result<bool, JourneyError> {
    let mut agrees = true;
    for model in MODELS.into_iter().filter(|model| pricing.is_none_or(|asked| asked == *model)) {
        if format == Format::Text {
            writeln!(out, "Pricing: {model}, seed: {seed}\n")?;
        }
        let mut failed = None;
        let outcome = live(model, seed, &mut |step| {
            if let Err(error) = write_step(out, format, step) {
                failed.get_or_insert(error);
            }
        })
        .await?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        match format {
            Format::Text => writeln!(out, "\n{outcome}")?,
            Format::Json => writeln!(out, "{}", serde_json::json!({ "outcome": outcome }))?,
        }
        agrees &= outcome.agrees;
    }
    Ok(agrees)
}

fn write_step(out: &mut impl Write, format: Format, step: &Step) -> io::Result<()> {
    match format {
        Format::Text => writeln!(out, "{}  {}", step.at.strftime("%Y-%m-%d %H:%M"), step.what)?,
        Format::Json => writeln!(out, "{}", serde_json::json!({ "step": step }))?,
    }
    out.flush()
}

/// Lives through one subscription's life, and tells each step.
///
/// # Errors
/// When the journey breaks off.
pub async fn live(
    pricing: PricingModel,
    seed: u64,
    told: &mut (dyn FnMut(&Step) + Send),
) -> Result<Outcome, JourneyError> {
    let options = SystemOptions {
        clock: crate::ClockChoice::Manual(story::beginning()),
        seed,
        // The outcome says what is unsettled, in more words than a drop.
        settled_on_drop: false,
        ..SystemOptions::of(pricing)
    };
    story::live(System::start(options).await?, seed, told).await
}
