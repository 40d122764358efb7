//! The real SDKs against AWS Marketplace as the simulator knows it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed expectation fails the test, also in the functions that tests share"
)]

use std::collections::BTreeMap;

use app::ports::{
    AgreementService, EntitlementService, MeteringService, OutgoingRecord, RecordAnswer,
    RegistrationService, RegistrationToken, ResolveError, SettlementQueue, SettlementRequest,
    SubmitError,
};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use domain::entitlement::EntitledValue;
use domain::ids::LicenseRef;
use domain::notice::NoticeBody;
use domain::quantity::Quantity;
use jiff::SignedDuration;
use marketplace_aws::{Aws, notices};
use simulator::switches::{
    CppoVisibility, EchoTimestamp, EmptyCustomerIdentifier, EntitlementValueType, IdenticalResend,
    OnOff, ResultOrder,
};
use simulator::{Bought, Clock, Fault, Options, Pricing, Product, Purchase, Simulator};

const HOUR: &str = "2026-11-10T10Z";

/// No settlement is ever asked for here.
#[derive(Debug, Clone)]
struct NoQueue;

impl SettlementQueue for NoQueue {
    async fn send(&self, request: &SettlementRequest, _: u16) -> Result<(), app::Error> {
        panic!("{request:?}")
    }
}

struct World {
    simulator: Simulator,
    product: domain::ids::ProductCode,
    aws: Aws<NoQueue>,
}

impl World {
    async fn of(pricing: Pricing) -> Self {
        let mut options = Options {
            product: Product::sample(pricing),
            clock: Clock::manual("2026-11-10T10:00:00Z".parse().unwrap()),
            seed: 7,
            ..Options::default()
        };
        // The strictest reading: what the SDK adds by itself would fail every call.
        options.switches.empty_customer_identifier = EmptyCustomerIdentifier::Reject;
        options.switches.metering_rps = 0;
        let simulator = Simulator::open(options).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = simulator.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(url)
            .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let product = Product::sample(pricing).code.parse().unwrap();
        Self { simulator, product, aws: Aws::connect(&config, "eu-west-1", NoQueue) }
    }

    fn buys(&self, purchase: Purchase) -> Bought {
        let bought = self.simulator.buy(purchase).unwrap();
        self.pass(60);
        bought
    }

    fn pass(&self, seconds: i64) {
        self.simulator.clock().advance(SignedDuration::from_secs(seconds));
    }

    fn token(&self, bought: &Bought) -> RegistrationToken {
        let form = self.simulator.fulfilment_form(&bought.agreement_id).unwrap();
        let token = form.into_iter().find(|(name, _)| name == "x-amzn-marketplace-token").unwrap();
        RegistrationToken::from_form(token.1).unwrap()
    }

    async fn submit(&self, records: &[OutgoingRecord]) -> Result<Vec<RecordAnswer>, SubmitError> {
        self.aws.submit(&self.product, records).await
    }

    fn billed(&self) -> String {
        self.simulator
            .invoice()
            .iter()
            .map(|line| line.quantity)
            .sum::<rust_decimal::Decimal>()
            .to_string()
    }

    fn calls_of(&self, operation: &str) -> usize {
        self.simulator.calls().iter().filter(|call| call.operation == operation).count()
    }
}

fn license(bought: &Bought) -> LicenseRef {
    LicenseRef::License { arn: bought.license_arn.parse().unwrap() }
}

fn record(bought: &Bought, dimension: &str, quantity: u64) -> OutgoingRecord {
    OutgoingRecord {
        license: license(bought),
        account: Some(bought.account.parse().unwrap()),
        dimension: dimension.parse().unwrap(),
        hour: HOUR.parse().unwrap(),
        quantity,
        allocations: Vec::new(),
    }
}

fn is_accepted(answer: &RecordAnswer) -> bool {
    matches!(answer, RecordAnswer::Accepted(Some(_)))
}

#[tokio::test]
async fn a_token_resolves_to_the_license_that_was_bought() {
    let world = World::of(Pricing::Usage).await;
    let bought = world.buys(Purchase::default());
    let token = world.token(&bought);
    let buyer = world.aws.resolve(&token).await.unwrap();
    assert_eq!(buyer.product, world.product);
    assert_eq!(buyer.license, license(&bought).arn().cloned());
    assert_eq!(buyer.account, Some(bought.account.parse().unwrap()));
    assert_eq!(buyer.agreement, Some(bought.agreement_id.parse().unwrap()));
    assert_eq!(buyer.customer, None);
    world.simulator.faults(|it| it.expired_credentials = Fault::next(1));
    let ours = world.aws.resolve(&token).await;
    assert!(matches!(ours, Err(ResolveError::Credentials(_))), "{ours:?}");
    world.pass(4 * 3600);
    let late = world.aws.resolve(&token).await;
    assert!(matches!(late, Err(ResolveError::ExpiredToken)), "{late:?}");
    let forged = RegistrationToken::from_form("forged".to_owned()).unwrap();
    let forged = world.aws.resolve(&forged).await;
    assert!(matches!(forged, Err(ResolveError::InvalidToken)), "{forged:?}");
}

#[tokio::test]
async fn a_batch_is_billed_once_each_whatever_the_order_and_the_echo() {
    let world = World::of(Pricing::Usage).await;
    world.simulator.switches(|it| {
        it.result_order = ResultOrder::Shuffled;
        it.echo_timestamp = EchoTimestamp::Hour;
    });
    let buyers: Vec<Bought> = (0..12)
        .map(|n| {
            let account = format!("1111222233{n:02}");
            world.buys(Purchase { account, ..Purchase::default() })
        })
        .collect();
    let records: Vec<_> = buyers
        .iter()
        .zip(1..)
        .flat_map(|(buyer, n)| [record(buyer, "api_calls", n), record(buyer, "storage_gb", 100)])
        .collect();
    let first = world.submit(&records).await.unwrap();
    assert!(first.iter().all(is_accepted), "{first:?}");
    let ids: std::collections::BTreeSet<_> = first.iter().map(|it| format!("{it:?}")).collect();
    assert_eq!(ids.len(), records.len(), "every record has its own answer");
    assert_eq!(world.submit(&records).await.unwrap(), first, "in the same order again");
    assert_eq!(world.billed(), "1278");
    assert_eq!(world.calls_of("BatchMeterUsage"), 2);
    let regions = world.simulator.calls().into_iter().filter_map(|call| call.region);
    assert!(regions.into_iter().all(|region| region == "eu-west-1"));
}

#[tokio::test]
async fn an_identical_resend_is_ours_although_aws_calls_it_a_duplicate() {
    let world = World::of(Pricing::Usage).await;
    world.simulator.switches(|it| it.identical_resend = IdenticalResend::Duplicate);
    let records = [record(&world.buys(Purchase::default()), "api_calls", 17)];
    assert!(is_accepted(&world.submit(&records).await.unwrap()[0]));
    assert_eq!(world.submit(&records).await.unwrap(), [RecordAnswer::AlreadyHeld]);
    assert_eq!(world.billed(), "17");
}

/// The simulator echoes what was sent, as AWS documents it: nothing in the answer tells this duplicate from an identical
/// resend. That a frozen record never changes is what keeps the two apart, not the answer (fact sheet §3.3).
#[tokio::test]
async fn another_quantity_under_one_key_is_never_billed_and_its_answer_does_not_tell() {
    for identical in [IdenticalResend::Success, IdenticalResend::Duplicate] {
        let world = World::of(Pricing::Usage).await;
        world.simulator.switches(|it| it.identical_resend = identical);
        let bought = world.buys(Purchase::default());
        assert!(is_accepted(&world.submit(&[record(&bought, "api_calls", 17)]).await.unwrap()[0]));
        let other = world.submit(&[record(&bought, "api_calls", 18)]).await.unwrap();
        assert_eq!(other, [RecordAnswer::AlreadyHeld]);
        assert_eq!(world.billed(), "17", "the first write wins");
    }
}

#[tokio::test]
async fn a_poison_record_sinks_its_batch_by_name_and_nothing_is_billed() {
    let world = World::of(Pricing::Usage).await;
    let bought = world.buys(Purchase::default());
    let good = record(&bought, "api_calls", 17);
    let too_old = OutgoingRecord { hour: "2026-11-09T10Z".parse().unwrap(), ..good.clone() };
    let unknown_license = OutgoingRecord {
        license: LicenseRef::License {
            arn: "arn:aws:license-manager::294406891311:license:l-00".parse().unwrap(),
        },
        ..good.clone()
    };
    for (poison, expected) in [
        (record(&bought, "no_such_dimension", 1), "InvalidUsageDimensionException"),
        (too_old, "TimestampOutOfBoundsException"),
        (unknown_license, "InvalidLicenseException"),
    ] {
        match world.submit(&[good.clone(), poison]).await {
            Err(SubmitError::BadRecord { code, .. }) => assert_eq!(code, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    assert_eq!(world.billed(), "0");
    assert!(is_accepted(&world.submit(&[good]).await.unwrap()[0]));
}

#[tokio::test]
async fn a_lost_response_may_have_taken_effect_and_the_same_record_finds_out() {
    let world = World::of(Pricing::Usage).await;
    let records = [record(&world.buys(Purchase::default()), "api_calls", 17)];
    world.simulator.faults(|it| it.lost_response = Fault::next(1).only("BatchMeterUsage"));
    let lost = world.submit(&records).await;
    assert!(matches!(lost, Err(SubmitError::Retry(_))), "{lost:?}");
    assert_eq!(world.calls_of("BatchMeterUsage"), 1, "resending belongs to the caller");
    assert_eq!(world.billed(), "17");
    assert!(is_accepted(&world.submit(&records).await.unwrap()[0]));
    assert_eq!(world.billed(), "17");
}

#[tokio::test]
async fn what_aws_leaves_or_does_not_take_now_is_told_record_by_record() {
    let world = World::of(Pricing::Usage).await;
    let bought = world.buys(Purchase::default());
    let early = world.simulator.buy(Purchase::default()).unwrap();
    world.simulator.faults(|it| it.unprocessed = Fault::next(1));
    let records = [record(&bought, "api_calls", 1), record(&early, "api_calls", 2)];
    let answers = world.submit(&records).await.unwrap();
    assert_eq!(answers, [RecordAnswer::Unprocessed, RecordAnswer::NotSubscribed]);
    world.pass(60);
    let answers = world.submit(&records).await.unwrap();
    assert!(answers.iter().all(is_accepted), "{answers:?}");
}

#[tokio::test]
async fn throttling_and_expired_credentials_call_for_different_remedies() {
    let world = World::of(Pricing::Usage).await;
    let records = [record(&world.buys(Purchase::default()), "api_calls", 17)];
    world.simulator.faults(|it| it.throttle = Fault::next(1));
    assert!(matches!(world.submit(&records).await, Err(SubmitError::Retry(_))));
    world.simulator.faults(|it| it.expired_credentials = Fault::next(1));
    assert!(matches!(world.submit(&records).await, Err(SubmitError::Credentials { .. })));
    assert_eq!((world.calls_of("BatchMeterUsage"), world.billed().as_str()), (2, "0"));
}

#[tokio::test]
async fn an_older_customer_is_resolved_and_metered_under_its_product() {
    let world = World::of(Pricing::Usage).await;
    let bought = world.buys(Purchase { legacy: true, ..Purchase::default() });
    let buyer = world.aws.resolve(&world.token(&bought)).await.unwrap();
    assert_eq!(buyer.license, None);
    let customer = buyer.customer.unwrap();
    let legacy = OutgoingRecord {
        license: LicenseRef::Legacy { product: world.product.clone(), customer },
        ..record(&bought, "api_calls", 5)
    };
    assert!(is_accepted(&world.submit(&[legacy]).await.unwrap()[0]));
    assert_eq!(world.billed(), "5");
}

#[tokio::test]
async fn entitlements_are_read_through_empty_pages_and_for_one_license_only() {
    let world = World::of(Pricing::Contract).await;
    world.simulator.switches(|it| {
        it.empty_pages = OnOff::On;
        it.entitlement_value_type.insert("projects".to_owned(), EntitlementValueType::Double);
    });
    let bought = |seats: u32| {
        let entitlements = BTreeMap::from([
            ("seats".to_owned(), seats.into()),
            ("projects".to_owned(), "2.5".parse().unwrap()),
        ]);
        world.buys(Purchase { entitlements, ..Purchase::default() })
    };
    let (first, second) = (bought(10), bought(20));
    for (license_of, seats) in [(&first, 10), (&second, 20)] {
        let (values, expires) =
            world.aws.entitlements(&world.product, &license(license_of)).await.unwrap();
        let expected = BTreeMap::from([
            ("seats".to_owned(), EntitledValue::Amount(Quantity::whole(seats))),
            ("projects".to_owned(), EntitledValue::Amount("2.5".parse().unwrap())),
        ]);
        assert_eq!(values, expected);
        assert!(expires.is_some_and(|expires| expires > world.simulator.clock().now()));
    }
    world.simulator.expire(&first.agreement_id).unwrap();
    world.pass(7200);
    let over = world.aws.entitlements(&world.product, &license(&first)).await.unwrap();
    assert_eq!(over, (BTreeMap::new(), None));
}

#[tokio::test]
async fn an_entitlement_is_read_in_whichever_type_aws_gives_it() {
    let world = World::of(Pricing::Contract).await;
    let entitlements = BTreeMap::from([("seats".to_owned(), 10.into())]);
    let bought = world.buys(Purchase { entitlements, ..Purchase::default() });
    for (kind, expected) in [
        (EntitlementValueType::Integer, EntitledValue::Amount(Quantity::whole(10))),
        (EntitlementValueType::Double, EntitledValue::Amount(Quantity::whole(10))),
        (EntitlementValueType::Boolean, EntitledValue::Flag(true)),
        (EntitlementValueType::String, EntitledValue::Text("10".to_owned())),
    ] {
        world.simulator.switches(|it| it.entitlement_value_type.insert("seats".to_owned(), kind));
        let (values, _) = world.aws.entitlements(&world.product, &license(&bought)).await.unwrap();
        assert_eq!(values, BTreeMap::from([("seats".to_owned(), expected)]));
    }
}

#[tokio::test]
async fn a_license_known_only_from_awss_malformed_form_has_its_entitlements() {
    let world = World::of(Pricing::Contract).await;
    let seats = |n: u32| BTreeMap::from([("seats".to_owned(), n.into())]);
    world.buys(Purchase { entitlements: seats(20), ..Purchase::default() });
    let bought = world.buys(Purchase { entitlements: seats(10), ..Purchase::default() });
    let tail = bought.license_arn.rsplit(':').next().unwrap();
    let part = format!("aws:license-manager:us-east-1:444455556666:{tail}");
    let part = LicenseRef::License { arn: part.parse().unwrap() };
    let (values, _) = world.aws.entitlements(&world.product, &part).await.unwrap();
    assert_eq!(values.get("seats"), Some(&EntitledValue::Amount(Quantity::whole(10))));
}

#[tokio::test]
async fn an_agreement_is_described_unless_it_is_a_resellers() {
    let world = World::of(Pricing::Contract).await;
    let entitlements = BTreeMap::from([("seats".to_owned(), 10.into())]);
    let own = Purchase { entitlements, ..Purchase::default() };
    let first = world.buys(own.clone());
    let renewed = world.simulator.renew(&first.agreement_id).unwrap();
    let describe = async |bought: &Bought| {
        world.aws.describe(&bought.agreement_id.parse().unwrap()).await.unwrap()
    };
    let details = describe(&renewed).await.unwrap();
    assert_eq!(details.initial, Some(first.agreement_id.parse().unwrap()));
    assert!(details.ends.is_some());
    world.simulator.switches(|it| it.cppo_visibility = CppoVisibility::Denied);
    let resold = Purchase { reseller: Some("777788889999".to_owned()), ..own };
    assert_eq!(describe(&world.buys(resold)).await, None);
    let unknown = world.aws.describe(&"agmt-unknown".parse().unwrap()).await.unwrap();
    assert_eq!(unknown, None);
}

#[tokio::test]
async fn a_cancellation_is_asked_for_and_the_buyer_ends_the_agreement() {
    let world = World::of(Pricing::Usage).await;
    let bought = world.buys(Purchase::default());
    let now = world.simulator.clock().now();
    let agreement = bought.agreement_id.parse().unwrap();
    let request = world.aws.request_cancellation(&agreement, now).await.unwrap();
    assert!(request.id.starts_with("acr-"), "{request:?}");
    world.simulator.approve_cancellation(&bought.agreement_id).unwrap();
    world.pass(60);
    let told: Vec<NoticeBody> = world
        .simulator
        .due_notifications()
        .iter()
        .map(|it| notices::from_sqs_body(it.body.to_string().as_bytes()).unwrap().body)
        .collect();
    let ended = |body: &&NoticeBody| {
        let NoticeBody::Agreement { agreement: told, change, .. } = body else { return false };
        *told == agreement && matches!(change, domain::notice::AgreementChange::Ended { .. })
    };
    assert_eq!(told.iter().filter(ended).count(), 1, "{told:?}");
}

#[tokio::test]
async fn a_cancellation_asked_for_twice_is_one_request() {
    let world = World::of(Pricing::Usage).await;
    let bought = world.buys(Purchase::default());
    let agreement = bought.agreement_id.parse().unwrap();
    world.simulator.due_notifications();
    let now = world.simulator.clock().now();
    world.aws.request_cancellation(&agreement, now).await.unwrap();
    // One that is still pending is a conflict, which is never taken for a second request.
    let again = world.aws.request_cancellation(&agreement, now).await;
    assert!(matches!(again, Err(app::Error::Refused { .. })), "{again:?}");
    assert_eq!(world.calls_of("SendAgreementCancellationRequest"), 2);
    world.pass(60);
    let told = world.simulator.due_notifications();
    let pending = told.iter().filter(|it| it.body.to_string().contains("Pending Approval"));
    assert_eq!(pending.count(), 1);
}
