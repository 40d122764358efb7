//! One bad record in a full call: it is found by halving, parked with AWS's reason, and the other 24 are billed in the
//! same run. The calls are counted: AWS allows ten a second.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use app::Context;
use app::ports::{
    EntitlementService, MeteringService, OutgoingRecord, RecordAnswer, SettlementQueue,
    SettlementRequest, SubmitError, Usage,
};
use app::settlement::Budget;
use app::usage::{Report, report};
use domain::catalog::PricingModel;
use domain::entitlement::EntitledValue;
use domain::ids::{LicenseRef, ProductCode, SubscriptionId};
use domain::metering::{ParkReason, RecordStatus};
use domain::notice::LicenseChange;
use domain::subscription::{LicenseFacts, Subscription};
use jiff::Timestamp;
use lambda_shell::fakes::{FakeStore, clock, context};
use lambda_shell::metrics::Metrics;
use metering_scheduler::{Deps, handle};
use serde_json::json;

const NOW: &str = "2026-11-24T08:10:00Z";

/// ⌈log2 25⌉ levels of halving, two calls each, after the first call.
const MOST_CALLS: usize = 1 + 2 * 5;

/// AWS, which refuses every call that holds a bad license's record.
#[derive(Clone, Default)]
struct Poisoned {
    bad: Vec<LicenseRef>,
    calls: Arc<Mutex<Vec<usize>>>,
}

impl MeteringService for Poisoned {
    async fn submit(
        &self,
        _product: &ProductCode,
        records: &[OutgoingRecord],
    ) -> Result<Vec<RecordAnswer>, SubmitError> {
        self.calls.lock().unwrap().push(records.len());
        if records.iter().any(|record| self.bad.contains(&record.license)) {
            let code = "InvalidUsageDimensionException".to_owned();
            return Err(SubmitError::BadRecord { code, source: "no such dimension".into() });
        }
        Ok(records.iter().map(|_| RecordAnswer::Accepted(None)).collect())
    }
}

impl EntitlementService for Poisoned {
    async fn entitlements(
        &self,
        _product: &ProductCode,
        _license: &LicenseRef,
    ) -> Result<(BTreeMap<String, EntitledValue>, Option<Timestamp>), app::Error> {
        Ok((BTreeMap::new(), None))
    }
}

impl SettlementQueue for Poisoned {
    async fn send(&self, _request: &SettlementRequest, _delay: u16) -> Result<(), app::Error> {
        Ok(())
    }
}

async fn used(context: &Context<FakeStore, Poisoned>, n: usize) -> (SubscriptionId, LicenseRef) {
    let arn = format!("arn:aws:license-manager::294406891311:license:l-{n:032x}");
    let license = LicenseRef::License { arn: arn.parse().unwrap() };
    let begun = "2026-11-24T06:00:00Z".parse().unwrap();
    let listing = &context.listing;
    let mut state =
        Subscription::new(license.clone(), listing.product.clone(), listing.pricing, begun);
    state.account = Some("111122223333".parse().unwrap());
    state.license_facts = LicenseFacts::of(LicenseChange::Updated, begun);
    let id = state.id.clone();
    context.store.put_state(state);
    let calls = Report {
        key: "calls".to_owned(),
        name: "apiCalls".to_owned(),
        quantity: "3".to_owned(),
        at: "2026-11-24T07:30:00Z".to_owned(),
        tags: BTreeMap::new(),
    };
    let at = "2026-11-24T07:40:00Z".parse().unwrap();
    let answered = report(context, &id, &[calls], at).await.unwrap();
    assert!(format!("{answered:?}").contains("Accepted"), "{answered:?}");
    (id, license)
}

#[tokio::test]
async fn wherever_it_stands_one_bad_record_is_parked_and_the_other_24_are_billed_in_the_same_run() {
    for place in 0..25 {
        let fake = context();
        let mut listing = fake.listing;
        listing.pricing = PricingModel::Usage;
        let aws = Poisoned::default();
        let mut context = Context { listing, store: fake.store, aws: aws.clone() };
        let mut all = Vec::new();
        for n in 0..25 {
            all.push(used(&context, n).await);
        }
        let (bad, license) = all[place].clone();
        context.aws.bad = vec![license];
        let deps = Deps { context, clock: clock(NOW), metrics: Metrics::discard() };
        let event = json!({"detail-type": "Scheduled Event"});
        let answer = handle(&deps, event, &Budget::endless()).await.unwrap();
        let answer = serde_json::to_value(&answer).unwrap();
        assert_eq!((&answer["accepted"], &answer["parked"]), (&json!(24), &json!(1)), "{answer}");
        assert_eq!(answer["parkedBecause"], json!({"rejected": 1}));

        let calls = aws.calls.lock().unwrap().clone();
        assert_eq!(calls[0], 25, "one full call first");
        assert!(calls.len() <= MOST_CALLS, "{} calls: {calls:?}", calls.len());
        let month = "2026-11".parse().unwrap();
        let records = deps.context.store.records(&bad, month, None, 10).await.unwrap().items;
        let code = match &records[0].status {
            RecordStatus::Parked { reason: ParkReason::Rejected, code } => code.as_deref(),
            other => panic!("{other:?}"),
        };
        assert_eq!(code, Some("InvalidUsageDimensionException"));
        assert_eq!(records.len(), 1);
    }
}
