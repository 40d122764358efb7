//! What a seed decides before anything happens: the listing, the time, the weather, and what AWS is like today.

use std::collections::BTreeMap;
use std::sync::Arc;

use app::Listing;
use domain::catalog::{Catalog, PricingModel};
use domain::time::MeteringWindow;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use simulator::{Dimension, Pricing, Product, Rate, Switches};

use crate::bug::Bug;
use crate::dice::Dice;
use crate::plan::Weather;

/// What a world is made of.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) bug: Option<Bug>,
    pub(crate) weather: Weather,
    pub(crate) starts: Timestamp,
    pub(crate) listing: Listing,
    pub(crate) product: Product,
    pub(crate) switches: Switches,
    /// Most rows that the store puts on a page.
    pub(crate) page: u16,
    /// Whether somebody may meter by hand.
    pub(crate) strays: bool,
    /// Whether the platform reports with the buyer's tags.
    pub(crate) tags: bool,
    /// Whether the reconciler runs: its repairs make states that no order of notices alone would make.
    pub(crate) reconciles: bool,
}

/// The catalog that is sold.
const CATALOG: &str = include_str!("../../../config/plans.toml");

/// Times near which something ends: months, years, leap and common Februaries, and nothing in particular.
const TURNS: [&str; 7] = [
    "2026-12-01T00:00:00Z",
    "2027-01-01T00:00:00Z",
    "2028-02-29T00:00:00Z",
    "2028-03-01T00:00:00Z",
    "2027-03-01T00:00:00Z",
    "2026-11-14T00:00:00Z",
    "2027-05-01T00:00:00Z",
];

impl Setup {
    /// Draws a setup.
    ///
    /// # Errors
    /// Never with the built-in catalog and switches.
    pub(crate) fn draw(
        seed: u64,
        bug: Option<Bug>,
        dice: &mut Dice,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let weather = match dice.below(10) {
            0..=2 => Weather::Calm,
            3..=6 => Weather::Windy,
            _ => Weather::Stormy,
        };
        let pricing = match dice.below(5) {
            0 | 1 => PricingModel::Usage,
            2 => PricingModel::Contract,
            _ => PricingModel::ContractWithConsumption,
        };
        let turn: Timestamp = dice.pick(&TURNS).copied().unwrap_or(TURNS[0]).parse()?;
        let before = i64::try_from(dice.below(30 * 60))?;
        let starts = turn.checked_sub(SignedDuration::from_mins(before))?;
        let catalog = Catalog::from_toml(CATALOG)?;
        let product = listed(&catalog, pricing);
        let strays = dice.one_in(3);
        let tags = dice.one_in(3);
        let reconciles = dice.one_in(4);
        let mut switches = switches(dice, strays)?;
        if reconciles && dice.one_in(2) {
            switches.event_drop_rate = Rate::permille(60);
        }
        Ok(Self {
            seed,
            bug,
            weather,
            starts,
            switches,
            listing: Listing {
                product: product.code.parse()?,
                pricing,
                catalog: Arc::new(catalog),
                window: window(bug),
                late_usage_days: 7,
                heartbeat: dice.one_in(4),
            },
            product,
            page: if dice.one_in(2) { 1 } else { 100 },
            strays,
            tags,
            reconciles,
        })
    }
}

fn window(bug: Option<Bug>) -> MeteringWindow {
    let told = MeteringWindow::default();
    if bug == Some(Bug::SkipTheMonthCut) {
        let never = SignedDuration::from_hours(24);
        MeteringWindow { month_end_grace: never, month_end_hold: never, ..told }
    } else {
        told
    }
}

/// The catalog as AWS lists it: plans and amounts are bought up front, amounts beyond them metered.
fn listed(catalog: &Catalog, pricing: PricingModel) -> Product {
    let (pricing, listed) = match pricing {
        PricingModel::Usage => (Pricing::Usage, Dimension::metered()),
        PricingModel::Contract => (Pricing::Contract, Dimension::contract()),
        PricingModel::ContractWithConsumption => {
            (Pricing::ContractWithConsumption, Dimension::both())
        }
    };
    let mut dimensions: BTreeMap<String, Dimension> =
        catalog.dimensions().iter().map(|spec| (spec.id.to_string(), listed.clone())).collect();
    if pricing.has_contract() {
        let plans = catalog.plans().iter();
        dimensions.extend(plans.map(|plan| (plan.entitlement.clone(), Dimension::contract())));
    }
    Product { title: "Compliance scanning".to_owned(), pricing, dimensions, ..Product::default() }
}

/// The doubts of the fact sheet (§14) that the product must live with, each with its other values. Which one AWS shows
/// tomorrow nobody knows.
const DOUBTS: [(&str, &[&str]); 35] = [
    ("token_ttl", &["1h", "30m"]),
    ("token_reuse", &["single_use"]),
    ("token_supersede", &["expire_older"]),
    ("resolve_license_arn", &["after_license_updated", "absent_first_call"]),
    ("wrong_account", &["access_denied"]),
    ("extra_form_fields", &["all"]),
    ("identical_resend", &["duplicate"]),
    ("identical_resend_id", &["new"]),
    ("resend_after_window", &["as_before"]),
    ("same_key_in_batch", &["reject"]),
    ("result_order", &["shuffled"]),
    ("echo_timestamp", &["hour"]),
    ("mixed_path", &["reject"]),
    ("empty_customer_identifier", &["reject"]),
    ("both_identifiers", &["prefer_account"]),
    ("validation_code", &["ValidationError"]),
    ("before_start", &["out_of_bounds", "accept"]),
    ("before_active", &["success_unbilled"]),
    ("after_window", &["invalid_license"]),
    ("final_hour_opener", &["ended", "deprovisioned"]),
    ("deprovision_delay", &["5s", "20m", "90m"]),
    ("license_updated_delay", &["5s", "10m", "2h"]),
    ("license_on_renew", &["new"]),
    ("license_on_replace", &["same"]),
    ("license_on_resubscribe", &["same"]),
    ("renewal_created_event", &["off"]),
    ("future_dated_created", &["sign"]),
    ("event_license_arn", &["doc_form"]),
    ("ended_offer", &["include"]),
    ("payg_event_end_time", &["omit"]),
    ("ended_on_chain", &["off"]),
    ("license_event_role", &["both"]),
    ("spend_threshold", &["on"]),
    ("entitlement_visible", &["at_agreement"]),
    ("sns_payload_quirks", &["on"]),
];

fn switches(
    dice: &mut Dice,
    strays: bool,
) -> Result<Switches, Box<dyn std::error::Error + Send + Sync>> {
    // Quotas run on real time; the pace is judged by the laws instead.
    let mut switches = Switches {
        metering_rps: 0,
        entitlement_rps: 0,
        agreement_rps: 0,
        agreement_detail_rps: 0,
        ..Switches::default()
    };
    for (name, others) in DOUBTS {
        let draw = dice.next();
        let mut own = Dice::of(draw);
        if own.permille(250)
            && let Some(other) = own.pick(others)
        {
            switches.set(name, other)?;
        }
    }
    // Not `sns_raw_delivery`: that is ours to choose, and the template does.
    for (name, on) in [("sns_account_id", "present"), ("empty_pages", "on")] {
        if dice.one_in(4) {
            switches.set(name, on)?;
        }
    }
    if dice.one_in(2) {
        switches.event_duplicate_rate = Rate::permille(200);
        switches.event_reorder = simulator::switches::OnOff::On;
    }
    if dice.one_in(3) {
        switches.unprocessed_rate = Rate::permille(150);
    }
    if dice.one_in(3) {
        switches.lost_response_rate = Rate::permille(50);
        if dice.one_in(2) {
            switches.set("lost_response", "internal_error")?;
        }
    }
    if strays && dice.one_in(2) {
        // The other half shows of a duplicate what was sent, as AWS documents it.
        let told = Value::String("held".to_owned());
        switches.merge([("duplicate_echo".to_owned(), told)].into_iter().collect())?;
    }
    Ok(switches)
}

/// The switches that are not as the fact sheet has them.
pub(crate) fn told(switches: &Switches) -> String {
    let of = |switches: &Switches| match serde_json::to_value(switches) {
        Ok(Value::Object(all)) => all,
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    let usual = of(&Switches::default());
    let told = of(switches).into_iter().filter(|(name, value)| usual.get(name) != Some(value));
    let told = told.filter(|(name, _)| !name.ends_with("_rps"));
    told.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
}
