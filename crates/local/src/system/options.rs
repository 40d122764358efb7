//! What a system is started with.

use std::path::PathBuf;

use domain::catalog::PricingModel;
use jiff::Timestamp;
use lambda_shell::metrics::Metrics;
use simulator::{Clock, Switches};

/// Whose time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockChoice {
    /// The machine's, which can still be advanced.
    Wall,
    /// Stands still until it is advanced. With a data directory it goes on where it stood.
    Manual(Timestamp),
}

impl ClockChoice {
    pub(super) fn clock(self) -> Clock {
        match self {
            Self::Wall => Clock::wall(),
            Self::Manual(start) => Clock::manual(start),
        }
    }
}

/// What a system is started with. The default is for tests: everything in memory, a clock that stands still, a loopback
/// port of its own, and the demand that nothing is left unsettled when it is dropped.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct SystemOptions {
    /// How the listing charges; `None` is what the data directory was made for, else a contract with consumption.
    pub pricing: Option<PricingModel>,
    /// Where everything is kept; `None` is in memory.
    pub data: Option<PathBuf>,
    /// Whose time it is.
    pub clock: ClockChoice,
    /// What the simulator's ids, tokens and random faults follow from.
    pub seed: u64,
    /// The loopback port of the HTTP functions; 0 is any.
    pub port: u16,
    /// AWS's open questions, answered.
    pub switches: Switches,
    /// Whether idle subscriptions get zero records.
    pub heartbeat: bool,
    /// Whether a stand-in for the platform confirms every tenant that is asked for.
    pub platform: bool,
    /// Whether an endpoint of the system itself is told by webhooks what the tenant topic tells.
    pub webhooks: bool,
    /// The brand of the pages: a TOML file.
    pub brand: Option<PathBuf>,
    /// Whether the reconciler runs on its schedules; without it nothing repairs what a lost notification left.
    pub reconciles: bool,
    /// Where metrics go.
    pub metrics: Metrics,
    /// Whether dropping the system fails the test when something is left unsettled.
    pub settled_on_drop: bool,
}

impl Default for SystemOptions {
    fn default() -> Self {
        Self {
            pricing: None,
            data: None,
            clock: ClockChoice::Manual(start()),
            seed: 0,
            port: 0,
            switches: Switches {
                metering_rps: 0,
                entitlement_rps: 0,
                agreement_rps: 0,
                agreement_detail_rps: 0,
                ..Switches::default()
            },
            heartbeat: false,
            platform: true,
            webhooks: false,
            brand: None,
            reconciles: true,
            metrics: Metrics::discard(),
            settled_on_drop: true,
        }
    }
}

impl SystemOptions {
    /// The default with a pricing model.
    pub fn of(pricing: PricingModel) -> Self {
        Self { pricing: Some(pricing), ..Self::default() }
    }
}

/// A working day in the middle of a month.
fn start() -> Timestamp {
    Timestamp::new(1_794_297_600, 0).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_begins_on_a_tuesday_morning() {
        assert_eq!(start().to_string(), "2026-11-10T08:00:00Z");
    }
}
