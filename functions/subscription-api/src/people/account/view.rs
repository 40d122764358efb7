//! The account page, from what was read.

use app::billing::{Bill, BillLine};
use domain::catalog::{Allowance, Catalog, Overage, PricingModel};
use domain::metering::{MeteringRecord, RecordStatus};
use domain::quantity::Quantity;
use domain::subscription::{Access, Hold, LicensePhase, Status, Subscription};
use domain::time::Month;
use jiff::Timestamp;
use maud::{Markup, html};
use pages::chart::{Columns, meter};
use pages::component::{Column, Tone, card, figure, note, status, table};
use pages::{Brand, MARKETPLACE_CONSOLE, Page, Width, format};

use super::usage::{Ledger, UsageOverTime};

/// Records shown on the page; the newest.
const RECORDS: usize = 50;

pub(super) struct Account<'a> {
    pub(super) subscription: Subscription,
    pub(super) bill: Bill,
    pub(super) ledger: Ledger,
    pub(super) usage: Option<UsageOverTime>,
    pub(super) month: Month,
    pub(super) now: Timestamp,
    pub(super) catalog: &'a Catalog,
}

impl Account<'_> {
    pub(super) fn page<'b>(&self, brand: &'b Brand) -> Page<'b> {
        let content = html! {
            (self.standing())
            (self.figures())
            (card(&format!("Usage in {}", format::month(self.month)), &self.meters()))
            (self.over_time())
            div.pair {
                (card("Estimated charges", &self.charges()))
                (card("What your plan includes", &self.plan()))
            }
            (card("What AWS was told", &self.records()))
            (card("Change or cancel", &self.change()))
        };
        let footer = html! {
            p { "Reference " code { (self.subscription.id) } }
        };
        let lead = html! { "Subscribed through AWS Marketplace. All times are UTC." };
        Page { lead, content, footer, ..Page::new(brand, "Your subscription", Width::Middle) }
    }

    fn standing(&self) -> Markup {
        let state = &self.subscription;
        let (tone, text) = match (state.status(self.now), state.access(self.now)) {
            (Status::Active, _) => (Tone::Good, "You can use everything your plan includes."),
            (Status::Pending, Access::NotRegistered) => (
                Tone::Warn,
                "We do not know yet whom to set the account up for. Open the product in AWS Marketplace and choose Set up your account.",
            ),
            (Status::Pending, _) => (
                Tone::Warn,
                "AWS Marketplace is still activating it. This usually takes a few minutes.",
            ),
            (Status::Suspended, _) if state.hold() == Some(Hold::Advisory) => (
                Tone::Bad,
                "AWS has reported a problem with your AWS account. Please ask AWS Support; access comes back when it is solved.",
            ),
            (Status::Suspended, _) => (
                Tone::Bad,
                "Access is withheld for now. Please contact support to have this lifted.",
            ),
            (Status::Cancelling, _) => {
                (Tone::Warn, "It has ended. Usage up to the end is still being reported to AWS.")
            }
            (Status::Cancelled, _) => {
                (Tone::Plain, "It was cancelled. You can subscribe again at any time.")
            }
            (Status::Expired, _) => {
                (Tone::Plain, "Its term is over. You can subscribe again at any time.")
            }
        };
        note(
            tone,
            &html! {
                div.row { (status(state.status(self.now))) b { (sentence(state.status(self.now))) } }
                p { (text) }
                @if let Some(request) = state.cancellation.as_ref().filter(|_| self.goes_on()) {
                    p { "A cancellation was asked for on " (format::day(request.at)) ". It takes effect when you approve it in AWS Marketplace, or after seven days." }
                }
            },
        )
    }

    fn goes_on(&self) -> bool {
        match self.subscription.phase(self.now) {
            LicensePhase::Pending | LicensePhase::Active => true,
            LicensePhase::Closing { .. } | LicensePhase::Ended => false,
        }
    }

    fn figures(&self) -> Markup {
        let plan = self.subscription.plan(self.catalog).map_or("None", |plan| plan.title.as_str());
        let total = self.bill.estimated_total.map(|it| format::money(it, &self.bill.currency));
        let total = html! { (total.as_deref().unwrap_or("As agreed")) };
        let (label, date, hint) = self.end();
        html! {
            div.grid.even {
                (figure("Plan", &html! { (plan) }, &html! { (pricing(self.subscription.pricing)) }))
                (figure("Estimated charges", &total, &html! { (format::month(self.month)) ", so far" }))
                (figure(label, &date, &hint))
            }
        }
    }

    fn end(&self) -> (&'static str, Markup, Markup) {
        let agreements = &self.subscription.agreements;
        let renews = agreements
            .current()
            .and_then(|id| agreements.0.get(id)?.auto_renew)
            .is_some_and(|renews| renews.value);
        match (self.subscription.closing_since(), agreements.current_end()) {
            (Some(since), _) => ("Ended on", format::day(since), html! {}),
            (None, Some(end)) if renews => (
                "Renews on",
                format::day(end),
                html! { "by itself; you can switch that off in AWS Marketplace" },
            ),
            (None, Some(end)) if is_far(end) => {
                ("Runs", html! { "Month to month" }, html! { "until you cancel it" })
            }
            (None, Some(end)) => {
                ("Ends on", format::day(end), html! { "it does not renew by itself" })
            }
            (None, None) => ("Runs", html! { "Month to month" }, html! { "until you cancel it" }),
        }
    }

    fn meters(&self) -> Markup {
        html! {
            div.row.apart {
                p.quiet.small { "Counted from the 1st, 00:00 UTC." }
                (self.months())
            }
            div.meters { @for line in &self.bill.lines { (self.meter(line)) } }
        }
    }

    fn months(&self) -> Markup {
        let previous = self.month.previous();
        let first = Month::of(self.subscription.created_at);
        let next = self.month.next();
        let path = |month: Month| format!("?month={month}");
        html! {
            nav.row aria-label="Month" {
                @if previous >= first { a.button.plain.compact href=(path(previous)) { (format::month(previous)) } }
                @if next <= Month::of(self.now) { a.button.plain.compact href=(path(next)) { (format::month(next)) } }
            }
        }
    }

    fn meter(&self, line: &BillLine) -> Markup {
        let Some(spec) = self.catalog.dimension(&line.dimension) else { return html! {} };
        let (of, beyond) = match line.included {
            Allowance::Unlimited => ("unlimited".to_owned(), Quantity::ZERO),
            Allowance::Limited(included) if included.is_zero() => {
                ("none included".to_owned(), line.used)
            }
            Allowance::Limited(included) => {
                (format!("{} included", format::quantity(included)), line.used.minus(included))
            }
        };
        let blocked = self.subscription.terms(spec, self.catalog).overage == Overage::Blocked;
        html! {
            div.meter {
                div.row.apart {
                    h3 { (spec.title) }
                    span { b { (format::units(line.used, &spec.unit)) } span.quiet { " used, " (of) } }
                }
                (meter(line.used, line.included))
                @if !beyond.is_zero() && !line.due.is_zero() {
                    p.small {
                        (format::units(line.due, &spec.unit)) " beyond what is included: "
                        b { (format::money(line.amount, &self.bill.currency)) }
                    }
                } @else if blocked && !beyond.is_zero() {
                    p.small { "Nothing more can be used this month." }
                }
            }
        }
    }

    fn over_time(&self) -> Markup {
        let Some(usage) = &self.usage else { return html! {} };
        let what = format!("{} ({}s)", usage.spec.title, usage.spec.unit);
        let days = format!("{what} a day in {}", format::month(self.month));
        let title = format!("{} over time", usage.spec.title);
        let daily =
            Columns { title: &days, bucket: "Day", buckets: usage.days.clone(), label_every: 3 };
        let today = format!("{what} an hour, today");
        let hourly = usage.hours.as_ref().map(|hours| Columns {
            title: &today,
            bucket: "Hour",
            buckets: hours.clone(),
            label_every: 3,
        });
        card(
            &title,
            &html! {
                (self.dimensions(usage))
                h3 { "By day" }
                (daily.render())
                @if let Some(hourly) = hourly { h3 { "Today, by hour" } (hourly.render()) }
                @if usage.from_records {
                    p.quiet.small { "There are too many reports to draw each; this shows what AWS was told, hour by hour." }
                }
            },
        )
    }

    fn dimensions(&self, usage: &UsageOverTime) -> Markup {
        html! {
            nav.row aria-label="Which usage is drawn" {
                @for spec in self.catalog.dimensions() {
                    @let current = spec.id == usage.spec.id;
                    a.button.plain.compact href={ "?month=" (self.month) "&dimension=" (spec.id) }
                        aria-current=[current.then_some("true")] {
                        @if current { "● " } (spec.title)
                    }
                }
            }
        }
    }

    fn charges(&self) -> Markup {
        let money = |amount| format::money(amount, &self.bill.currency);
        let rows = html! {
            @match self.bill.base_price {
                Some(base) if !base.is_zero() => {
                    tr { th scope="row" { "Base price" } td.number {} td.number {} td.number { (money(base)) } }
                }
                Some(_) => {}
                None => tr { th scope="row" { "Base price" } td.number {} td.number {} td.number { "as agreed" } }
            }
            @for line in self.bill.lines.iter().filter(|line| !line.due.is_zero()) {
                @if let Some(spec) = self.catalog.dimension(&line.dimension) {
                    tr {
                        th scope="row" { (spec.title) ", beyond the plan" }
                        td.number { (format::count(line.due.floor())) }
                        td.number { (money(line.unit_price)) }
                        td.number { (money(line.amount)) }
                    }
                }
            }
        };
        let footer = html! {
            tr {
                th scope="row" colspan="3" { "Estimated total" }
                td.number {
                    @match self.bill.estimated_total { Some(total) => (money(total)), None => "as agreed, plus the above" }
                }
            }
        };
        let columns = [
            Column::Text("What"),
            Column::Number("Units"),
            Column::Number("Price"),
            Column::Number("Amount"),
        ];
        html! {
            (table(&format!("Charges in {}", format::month(self.month)), &columns, &rows, &footer))
            p.quiet.small { "An estimate, by the list prices. AWS computes the bill, and your agreement in AWS Marketplace decides." }
        }
    }

    fn plan(&self) -> Markup {
        let Some(plan) = self.subscription.plan(self.catalog) else {
            return html! { p { "No plan is in force." } };
        };
        let included = plan
            .features
            .iter()
            .filter_map(|id| self.catalog.features().iter().find(|feature| feature.id == *id));
        html! {
            p { b { (plan.title) } }
            ul { @for feature in included { li { (feature.title) } } }
        }
    }

    fn records(&self) -> Markup {
        let newest: Vec<&MeteringRecord> = self.ledger.records.iter().rev().take(RECORDS).collect();
        if newest.is_empty() {
            return html! {
                p { "Nothing has been reported to AWS for " (format::month(self.month)) ". Only what goes beyond your plan is." }
            };
        }
        let rows = html! {
            @for record in newest {
                tr {
                    td { @if let Some(hour) = record.hour { (format::brief(hour.start())) } @else { "never sent" } }
                    th scope="row" { (self.title(record)) }
                    td.number { (format::count(record.quantity)) }
                    td { (outcome(record)) }
                }
            }
        };
        let columns = [
            Column::Text("Hour (UTC)"),
            Column::Text("What"),
            Column::Number("Units"),
            Column::Text("What became of it"),
        ];
        let all = self.ledger.records.len();
        html! {
            (table(&format!("Usage reported to AWS for {}", format::month(self.month)), &columns, &rows, &html! {}))
            @if all > RECORDS || self.ledger.cut {
                p.quiet.small { "The newest " (RECORDS) " of " (all) @if self.ledger.cut { " and more" } "." }
            }
        }
    }

    fn title(&self, record: &MeteringRecord) -> String {
        let spec = self.catalog.dimension(&record.key.dimension);
        spec.map_or_else(|| record.key.dimension.to_string(), |spec| spec.title.clone())
    }

    fn change(&self) -> Markup {
        let contract = self.subscription.pricing != PricingModel::Usage;
        html! {
            ol.steps {
                li { span { "Open " a href=(MARKETPLACE_CONSOLE) { "Manage subscriptions" } " in AWS Marketplace with the AWS account that subscribed." } }
                li { span { "Choose this product." } }
                li { span {
                    @if contract { "Choose " b { "Modify" } " to upgrade or to switch automatic renewal, or " b { "Cancel subscription" } " where your contract allows it." }
                    @else { "Choose " b { "Cancel subscription" } ". It takes effect at once." }
                } }
            }
            p.quiet { "Access ends when the subscription does. What was used until then is billed within the hour after." }
        }
    }
}

fn sentence(status: Status) -> &'static str {
    match status {
        Status::Pending => "Your subscription is being set up.",
        Status::Active => "Your subscription is active.",
        Status::Suspended => "Your subscription is on hold.",
        Status::Cancelling => "Your subscription is ending.",
        Status::Cancelled | Status::Expired => "Your subscription has ended.",
    }
}

fn pricing(model: PricingModel) -> &'static str {
    match model {
        PricingModel::Usage => "pay as you go",
        PricingModel::Contract => "contract",
        PricingModel::ContractWithConsumption => "contract, and usage beyond it",
    }
}

/// AWS gives pay as you go an end in the year 9999.
fn is_far(end: Timestamp) -> bool {
    end.strftime("%Y").to_string().as_str() > "2200"
}

fn outcome(record: &MeteringRecord) -> &'static str {
    match record.status {
        RecordStatus::Accepted { .. } => "billed by AWS",
        RecordStatus::Parked { .. } => "not billed",
        RecordStatus::Retried { .. } => "sent again",
        RecordStatus::Closed { .. } => "settled otherwise",
    }
}
