//! The story. It begins on a Saturday, so that the end of a month and of a term come soon.

use std::collections::BTreeMap;

use domain::catalog::{Allowance, Catalog, Overage, PricingModel};
use domain::ids::{LicenseRef, SubscriptionId};
use domain::time::Month;
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use simulator::{Bought, Purchase};

use super::bill::{Books, Line, Terms, TermsOf};
use super::usage::{Platform, UsageReport};
use super::{JourneyError, Outcome, Step};
use crate::client::{Answer, Client};
use crate::system::System;

/// The buyer.
const ACCOUNT: &str = "111122223333";

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

pub(super) fn beginning() -> Timestamp {
    Timestamp::new(1_795_856_400, 0).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The `l-…` part of a license ARN, or a legacy customer as it is.
pub(super) fn tail(license: &str) -> &str {
    license.rsplit(':').next().unwrap_or(license)
}

/// What was bought.
struct License {
    agreement: String,
    tail: String,
    id: SubscriptionId,
    activated: Timestamp,
}

struct Story<'a> {
    system: System,
    client: Client,
    catalog: Catalog,
    platform: Platform,
    books: Books,
    told: &'a mut (dyn FnMut(&Step) + Send),
}

pub(super) async fn live(
    system: System,
    seed: u64,
    told: &mut (dyn FnMut(&Step) + Send),
) -> Result<Outcome, JourneyError> {
    let mut story = Story {
        client: Client::new(system.url(), Some(system.secrets().api_key.clone())),
        catalog: (*system.listing().catalog).clone(),
        platform: Platform::new(seed),
        books: Books::default(),
        system,
        told,
    };
    Box::pin(story.run()).await?;
    let unsettled = story.system.unsettled().await;
    let invoice = story.system.simulator().invoice();
    Ok(Outcome::new(story.system.pricing(), seed, &story.books, &invoice, unsettled))
}

impl Story<'_> {
    async fn run(&mut self) -> Result<(), JourneyError> {
        let mut first = self.buy("The buyer accepts the offer")?;
        Box::pin(self.register(&first)).await?;
        self.activated(&mut first, "STANDARD").await?;
        self.use_for(&[&first], 18).await?;
        self.upgrade(&first).await?;
        self.use_for(&[&first], 6).await?;

        let mut second = self.buy("The same account buys again, a second license")?;
        self.activated_unregistered(&mut second).await?;
        Box::pin(self.register(&second)).await?;
        self.is(&second, "ACTIVE").await?;
        if self.system.pricing() == PricingModel::Contract {
            self.consume_to_the_limit(&second).await?;
        }
        self.use_for(&[&first, &second], 24).await?;

        self.end_of_month(&first).await?;
        self.use_for(&[&first, &second], 6).await?;
        self.end_of_term(&first, &second).await?;
        self.use_for(&[&first, &second], 6).await?;

        self.cancel(&first).await?;
        self.use_for(&[&second], 3).await?;
        self.system.advance(HOUR.saturating_mul(2)).await?;
        self.bill(&second).await
    }

    /// The entitlements a buyer of a contract takes.
    fn entitlements(&self, plan: &str) -> BTreeMap<String, Decimal> {
        if self.system.pricing().has_entitlements() {
            BTreeMap::from([(plan.to_owned(), Decimal::ONE)])
        } else {
            BTreeMap::new()
        }
    }

    fn buy(&mut self, what: &str) -> Result<License, JourneyError> {
        let contract = self.system.pricing().has_entitlements();
        let term = SignedDuration::from_hours(5 * 24);
        let now = self.system.now();
        let purchase = Purchase {
            account: ACCOUNT.to_owned(),
            entitlements: self.entitlements("standard"),
            ends: contract.then(|| crate::bus::later(now, term)),
            auto_renew: contract,
            ..Purchase::default()
        };
        let Bought { agreement_id, license_arn, .. } = self
            .system
            .simulator()
            .buy(purchase)
            .map_err(|error| JourneyError::Buyer(error.to_string()))?;
        let arn = license_arn
            .parse()
            .map_err(|error: domain::ids::InvalidId| off_script(error.to_string()))?;
        let license = License {
            agreement: agreement_id,
            tail: tail(&license_arn).to_owned(),
            id: LicenseRef::License { arn }.subscription_id(),
            activated: now,
        };
        self.say(format!("{what}: agreement {}, license {}", license.agreement, license.tail));
        self.books.agree(&license.tail, self.terms("STANDARD"));
        Ok(license)
    }

    /// The click on *Set up your account*, and the form.
    async fn register(&mut self, license: &License) -> Result<(), JourneyError> {
        let form = self
            .system
            .simulator()
            .fulfilment_form(&license.agreement)
            .map_err(|error| JourneyError::Buyer(error.to_string()))?;
        let (landing, cookie) = self.client.land(&form).await?;
        let known = landing.body.pointer("/subscription/status").and_then(Value::as_str);
        let known = known.unwrap_or("not known yet").to_owned();
        let profile = [("company", "Acme"), ("contact", "Jo"), ("email", "jo@example.com")];
        let completed = self.client.complete(&cookie, &profile).await?.ok()?;
        if completed.get("registered") != Some(&Value::Bool(true)) {
            return Err(off_script(format!("the registration was answered {completed}")));
        }
        self.say(format!(
            "The token is posted to the registration page ({known}) and the form is completed"
        ));
        self.system.deliver().await?;
        Ok(())
    }

    async fn activated(&mut self, license: &mut License, plan: &str) -> Result<(), JourneyError> {
        self.is(license, "PENDING").await?;
        self.system.advance(MINUTE.saturating_mul(2)).await?;
        license.activated = self.system.now();
        let state = self.is(license, "ACTIVE").await?;
        let workspace = state.pointer("/tenant/id").and_then(Value::as_str);
        let workspace =
            workspace.ok_or_else(|| off_script(format!("there is no tenant: {state}")))?;
        let workspace = workspace.to_owned();
        if self.system.pricing().has_entitlements() {
            expect(&state, "/plan/id", plan)?;
        }
        self.say(format!("AWS activates the license; the platform makes {workspace}"));
        Ok(())
    }

    async fn activated_unregistered(&mut self, license: &mut License) -> Result<(), JourneyError> {
        self.system.advance(MINUTE.saturating_mul(2)).await?;
        license.activated = self.system.now();
        let state = self.is(license, "PENDING").await?;
        expect(&state, "/access/reason", "not-registered")?;
        self.say("AWS activates the license before the buyer registers".to_owned());
        Ok(())
    }

    async fn upgrade(&mut self, license: &License) -> Result<(), JourneyError> {
        if self.system.pricing().has_entitlements() {
            self.system
                .simulator()
                .amend(&license.agreement, self.entitlements("premium"))
                .map_err(|error| JourneyError::Buyer(error.to_string()))?;
            self.system.advance(MINUTE.saturating_mul(2)).await?;
            self.say("The buyer amends the agreement to PREMIUM".to_owned());
        } else {
            let change = json!({ "plan": "PREMIUM" });
            self.client.put(&Self::path(license, ""), Some("*"), &change).await?.ok()?;
            self.system.deliver().await?;
            self.say("The seller sets the plan to PREMIUM".to_owned());
        }
        let state = self.is(license, "ACTIVE").await?;
        expect(&state, "/plan/id", "PREMIUM")?;
        self.books.agree(&license.tail, self.terms("PREMIUM"));
        Ok(())
    }

    /// A contract blocks beyond what was bought.
    async fn consume_to_the_limit(&mut self, license: &License) -> Result<(), JourneyError> {
        let mut ends = Vec::new();
        for quantity in [400, 200, 100] {
            let report = self.platform.report("scans", Decimal::from(quantity), self.system.now());
            let path = Self::path(license, "/entitlements/consume");
            let answer = self.client.post(&path, &report).await?;
            ends.push(match (answer.status, answer.code()) {
                (StatusCode::OK, _) => {
                    self.accept(license, &report, Month::of(report.at));
                    format!("{quantity} reserved")
                }
                (StatusCode::CONFLICT, Some("quota_exceeded")) => format!("{quantity} refused"),
                (_, _) => return Err(unexpected("a reservation", &answer)),
            });
        }
        if ends != ["400 reserved", "200 refused", "100 reserved"] {
            return Err(off_script(format!("of 500 scans: {}", ends.join(", "))));
        }
        self.say(format!("Of 500 scans bought up front: {}", ends.join(", ")));
        Ok(())
    }

    /// Lets hours pass, with reports every two of them.
    async fn use_for(&mut self, licenses: &[&License], hours: u32) -> Result<(), JourneyError> {
        let (mut accepted, mut duplicates) = (0, 0);
        for passed in 0..hours {
            self.system.advance(HOUR).await?;
            for license in licenses.iter().filter(|_| passed % 2 == 0) {
                let now = self.system.now();
                let batch = self.platform.batch(&self.catalog, license.activated, now);
                let (new, known) = self.report(license, &batch).await?;
                accepted += new;
                duplicates += known;
            }
        }
        self.say(format!(
            "{hours} hours pass: {accepted} reports of usage are counted, {duplicates} repeats are not"
        ));
        Ok(())
    }

    /// Reports of November's last day at half past one on the first of December, and again after the cut.
    async fn end_of_month(&mut self, license: &License) -> Result<(), JourneyError> {
        let month = Month::of(self.system.now());
        let first = month.end();
        let late = crate::bus::later(month.last_hour().start(), MINUTE.saturating_mul(30));
        self.system.advance_to(crate::bus::later(first, MINUTE.saturating_mul(90))).await?;
        let at_half_past_one = self.platform.report("scans", Decimal::from(11), late);
        let counted = self.report_one(license, &at_half_past_one).await?;
        self.say(format!("A report from the last hour of {month} comes at half past one on the first: it counts in {counted}"));
        self.system.advance_to(crate::bus::later(first, HOUR.saturating_mul(4))).await?;
        let at_four = self.platform.report("scans", Decimal::from(13), late);
        let carried = self.report_one(license, &at_four).await?;
        self.say(format!("Another comes at four, after the cut: it is carried over to {carried}"));
        if (counted, carried) == (month, month.next()) {
            Ok(())
        } else {
            Err(off_script(format!("they were counted in {counted} and {carried}")))
        }
    }

    /// Contracts renew at the end of their term, under the same license; pay as you go has no term.
    async fn end_of_term(&mut self, first: &License, second: &License) -> Result<(), JourneyError> {
        if !self.system.pricing().has_entitlements() {
            return Ok(());
        }
        let agreements = self.system.simulator().agreements();
        let ends = agreements.iter().filter_map(|agreement| agreement.ends).max();
        let ends = ends.ok_or_else(|| off_script("no agreement has an end"))?;
        self.system.advance_to(crate::bus::later(ends, MINUTE.saturating_mul(2))).await?;
        for license in [first, second] {
            let state = self.is(license, "ACTIVE").await?;
            if state.pointer("/agreement/id").and_then(Value::as_str) == Some(&license.agreement) {
                return Err(off_script(format!("the agreement was not renewed: {state}")));
            }
        }
        self.say(
            "Both agreements end and are renewed; licenses, tenants and meters go on".to_owned(),
        );
        Ok(())
    }

    async fn cancel(&mut self, license: &License) -> Result<(), JourneyError> {
        let agreements = self.system.simulator().agreements();
        let current = agreements.iter().find(|agreement| {
            tail(&agreement.license_arn) == license.tail
                && agreement.status == simulator::AgreementStatus::Active
        });
        let current = current.ok_or_else(|| off_script("the license has no active agreement"))?;
        self.system
            .simulator()
            .cancel(&current.id)
            .map_err(|error| JourneyError::Buyer(error.to_string()))?;
        self.system.advance(MINUTE.saturating_mul(20)).await?;
        self.is(license, "CANCELLING").await?;
        self.say("The first agreement is cancelled; the final hour runs".to_owned());
        let last = self.platform.report("scans", Decimal::from(17), self.system.now());
        self.report_one(license, &last).await?;
        self.say("The platform reports the last usage".to_owned());
        self.system.advance(HOUR).await?;
        self.is(license, "CANCELLED").await?;
        let too_late = self.platform.report("scans", Decimal::ONE, self.system.now());
        let answer = self.client.post(&Self::path(license, "/meter"), &too_late).await?;
        if answer.code() != Some("subscription_ended") {
            return Err(unexpected("usage after the end", &answer));
        }
        self.say("The final hour is over; usage after it is refused".to_owned());
        Ok(())
    }

    async fn bill(&mut self, license: &License) -> Result<(), JourneyError> {
        let bill = self.client.get(&Self::path(license, "/billing")).await?.ok()?;
        let text = |name: &str| {
            bill.get(name).and_then(Value::as_str).unwrap_or("agreed in private").to_owned()
        };
        self.say(format!(
            "The second license's estimate for {}: base {}, overage {}, total {} {}",
            text("month"),
            text("basePrice"),
            text("overageTotal"),
            text("estimatedTotal"),
            text("currency"),
        ));
        Ok(())
    }

    /// Reports a batch; answers how many were new and how many were not.
    async fn report(
        &mut self,
        license: &License,
        batch: &[UsageReport],
    ) -> Result<(u64, u64), JourneyError> {
        let body = json!({ "events": batch });
        let answer = self.client.post(&Self::path(license, "/meter"), &body).await?;
        let results = answer.body.get("results").and_then(Value::as_array);
        let results = results.filter(|_| answer.status.is_success()).cloned();
        let results = results.ok_or_else(|| unexpected("a batch of usage", &answer))?;
        let (mut new, mut known) = (0, 0);
        for (report, result) in batch.iter().zip(&results) {
            let month = result.get("month").and_then(Value::as_str).and_then(|it| it.parse().ok());
            match (result.get("status").and_then(Value::as_str), month) {
                (Some("accepted"), Some(month)) => {
                    self.accept(license, report, month);
                    new += 1;
                }
                (Some("duplicate"), _) => known += 1,
                (_, _) => return Err(off_script(format!("a report was answered {result}"))),
            }
        }
        Ok((new, known))
    }

    /// Reports one that must be counted, and answers where.
    async fn report_one(
        &mut self,
        license: &License,
        report: &UsageReport,
    ) -> Result<Month, JourneyError> {
        let body = json!({ "events": [report] });
        let answer = self.client.post(&Self::path(license, "/meter"), &body).await?;
        let month = answer.body.pointer("/results/0/month").and_then(Value::as_str);
        let month: Option<Month> = month.and_then(|month| month.parse().ok());
        let month = month.ok_or_else(|| unexpected("a report of usage", &answer))?;
        self.accept(license, report, month);
        Ok(month)
    }

    fn accept(&mut self, license: &License, report: &UsageReport, month: Month) {
        let Some(spec) = self.catalog.dimension_named(&report.dimension) else { return };
        let line = Line {
            license: license.tail.clone(),
            month: month.to_string(),
            dimension: spec.id.to_string(),
        };
        self.books.accept(line, spec.aggregation, report.quantity());
    }

    /// What the buyer and the seller have agreed, by the catalog and the pricing model.
    fn terms(&self, plan: &str) -> TermsOf {
        let plan = self.catalog.plans().iter().find(|known| known.id.as_str() == plan);
        let rules = plan.into_iter().flat_map(|plan| &plan.dimensions);
        rules
            .map(|(dimension, rule)| {
                let terms = match (self.system.pricing(), rule.included, rule.overage) {
                    (PricingModel::Usage, _, _) => Terms::BilledBeyond(Decimal::ZERO),
                    (PricingModel::Contract, _, _)
                    | (_, Allowance::Unlimited, _)
                    | (_, _, Overage::Blocked) => Terms::Free,
                    (
                        PricingModel::ContractWithConsumption,
                        Allowance::Limited(included),
                        Overage::Billed,
                    ) => Terms::BilledBeyond(included.as_decimal()),
                };
                (dimension.to_string(), terms)
            })
            .collect()
    }

    /// Reads a subscription that must have a status.
    async fn is(&self, license: &License, status: &str) -> Result<Value, JourneyError> {
        let state = self.client.get(&Self::path(license, "")).await?.ok()?;
        expect(&state, "/status", status)?;
        Ok(state)
    }

    fn path(license: &License, rest: &str) -> String {
        format!("/marketplace/subscriptions/{}{rest}", license.id)
    }

    fn say(&mut self, what: String) {
        (self.told)(&Step { at: self.system.now(), what });
    }
}

fn expect(state: &Value, pointer: &str, wanted: &str) -> Result<(), JourneyError> {
    match state.pointer(pointer).and_then(Value::as_str) {
        Some(found) if found == wanted => Ok(()),
        found => Err(off_script(format!("{pointer} should be {wanted} and is {found:?}: {state}"))),
    }
}

fn unexpected(what: &str, answer: &Answer) -> JourneyError {
    off_script(format!("{what} was answered {answer}"))
}

fn off_script(what: impl Into<String>) -> JourneyError {
    JourneyError::OffScript(what.into())
}
