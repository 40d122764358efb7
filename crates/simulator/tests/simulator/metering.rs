//! `BatchMeterUsage`: what it takes, what it refuses, what it bills (F§3).

use rust_decimal::Decimal;
use serde_json::{Value, json};
use simulator::switches::{
    AfterWindow, BeforeActive, BeforeStart, BothIdentifiers, EmptyCustomerIdentifier,
    EmptyTagValue, MixedPath, TagLimit, ValidationCode,
};
use simulator::{Pricing, Product, Purchase};

use crate::harness::{Aws, BUYER, CODE, options, usage, with};

const HOUR: &str = "2026-11-10T10:00:00Z";

async fn metered() -> (Aws, Value) {
    let aws = Aws::start(Pricing::Usage).await;
    let record = usage(&aws.subscriber(Purchase::default()), HOUR, 17);
    (aws, record)
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_record_is_billed_once_and_echoed_as_it_was_sent() {
    let (aws, record) = metered().await;
    let answer = aws.meter(std::slice::from_ref(&record)).await;
    assert_eq!(answer.statuses(), ["Success"]);
    assert_eq!(answer.body["Results"][0]["UsageRecord"], record);
    assert_eq!(answer.body["UnprocessedRecords"], json!([]));
    let invoice = aws.simulator.invoice();
    assert_eq!(invoice.len(), 1);
    assert_eq!(invoice[0].quantity, decimal("17"));
    assert_eq!(invoice[0].month, "2026-11");
    assert_eq!(invoice[0].records[0].id, answer.record_id());
}

#[tokio::test]
async fn decimals_are_billed_exactly() {
    let (aws, record) = metered().await;
    let decimals = with(&record, json!({ "Quantity": null, "QuantityAsDecimal": "0.000001" }));
    assert_eq!(aws.meter(&[decimals]).await.statuses(), ["Success"]);
    assert_eq!(aws.simulator.invoice()[0].quantity, decimal("0.000001"));
}

#[tokio::test]
async fn no_quantity_is_zero_and_zero_locks_the_hour() {
    let (aws, record) = metered().await;
    let silent = with(&record, json!({ "Quantity": null }));
    assert_eq!(aws.meter(&[silent]).await.statuses(), ["Success"]);
    assert_eq!(aws.meter(&[record]).await.statuses(), ["DuplicateRecord"]);
    assert_eq!(aws.simulator.invoice()[0].quantity, Decimal::ZERO);
}

#[tokio::test]
async fn one_poison_record_fails_the_whole_request_and_nothing_is_billed() {
    let (aws, record) = metered().await;
    let arn = "arn:aws:license-manager::294406891311:license:l-00000000000000000000000000000000";
    let poisons = [
        (json!({ "Dimension": "API_CALLS" }), "InvalidUsageDimensionException"),
        (json!({ "LicenseArn": arn }), "InvalidLicenseException"),
        (json!({ "CustomerAWSAccountId": "999988887777" }), "InvalidLicenseException"),
        (json!({ "CustomerAWSAccountId": null }), "ValidationException"),
        (json!({ "Timestamp": null }), "ValidationException"),
        (json!({ "Timestamp": 1 }), "TimestampOutOfBoundsException"),
        (json!({ "Quantity": -1 }), "ValidationException"),
        (json!({ "Quantity": 2_147_483_648_i64 }), "SerializationException"),
        (json!({ "Quantity": "17" }), "SerializationException"),
        (json!({ "QuantityAsDecimal": "17" }), "ValidationException"),
        (json!({ "Quantity": null, "QuantityAsDecimal": "017" }), "ValidationException"),
        (json!({ "CustomerIdentifier": "X01" }), "ValidationException"),
    ];
    for (change, error) in poisons {
        let answer = aws.meter(&[record.clone(), with(&record, change.clone())]).await;
        assert_eq!((answer.status, answer.error()), (400, error), "{change}");
    }
    assert_eq!(aws.simulator.invoice(), []);
}

#[tokio::test]
async fn twenty_five_records_are_the_most() {
    let (aws, record) = metered().await;
    assert_eq!(aws.meter(&vec![record.clone(); 25]).await.statuses().len(), 25);
    assert_eq!(aws.meter(&vec![record; 26]).await.error(), "ValidationException");
    assert_eq!(aws.meter(&[]).await.statuses(), Vec::<&str>::new());
}

#[tokio::test]
async fn allocations_add_up_to_the_quantity_and_have_distinct_tags() {
    let (aws, record) = metered().await;
    let tag = |value: &str| json!([{ "Key": "Unit", "Value": value }]);
    let part = |quantity: i64, tags: Value| {
        with(&json!({ "AllocatedUsageQuantity": quantity }), json!({ "Tags": tags }))
    };
    let tags = |count: usize| -> Value {
        (0..count).map(|n| json!({ "Key": format!("k{n}"), "Value": "v" })).collect()
    };
    let cases = [
        (json!([part(10, tag("Ops")), part(7, Value::Null)]), None),
        (json!([part(10, tag("Ops"))]), Some("InvalidUsageAllocationsException")),
        (
            json!([part(10, tag("Ops")), part(7, tag("Ops"))]),
            Some("InvalidUsageAllocationsException"),
        ),
        (
            json!([part(10, Value::Null), part(7, Value::Null)]),
            Some("InvalidUsageAllocationsException"),
        ),
        (
            json!([{ "AllocatedUsageQuantityAsDecimal": "17" }]),
            Some("InvalidUsageAllocationsException"),
        ),
        (json!([part(17, tags(6))]), Some("InvalidTagException")),
        (json!([part(17, tag(""))]), Some("InvalidTagException")),
        (json!([part(17, tag("\u{e4}"))]), Some("InvalidTagException")),
        (json!([]), Some("ValidationException")),
        (json!([{}]), Some("ValidationException")),
    ];
    for (allocations, error) in cases {
        let record = with(&record, json!({ "UsageAllocations": allocations }));
        let answer = aws.meter(std::slice::from_ref(&record)).await;
        match error {
            Some(error) => assert_eq!(answer.error(), error, "{record}"),
            None => assert_eq!(answer.statuses(), ["Success"], "{record}"),
        }
    }
    let many = with(
        &record,
        json!({ "UsageAllocations": [part(10, tags(4)), part(7, tag("Ops")), part(0, tag("Dev"))] }),
    );
    assert_eq!(aws.meter(std::slice::from_ref(&many)).await.statuses(), ["Success"]);
    aws.simulator.switches(|it| it.tag_limit = TagLimit::WholeList);
    assert_eq!(aws.meter(&[many]).await.error(), "InvalidTagException");
    aws.simulator.switches(|it| it.empty_tag_value = EmptyTagValue::Accept);
    let empty = with(&record, json!({ "UsageAllocations": [part(17, tag(""))] }));
    assert_eq!(aws.meter(&[empty]).await.statuses(), ["Success"]);
}

#[tokio::test]
async fn an_empty_customer_identifier_is_none_unless_switched() {
    let (aws, record) = metered().await;
    let record = with(&record, json!({ "CustomerIdentifier": "" }));
    assert_eq!(aws.meter(std::slice::from_ref(&record)).await.statuses(), ["Success"]);
    aws.simulator.switches(|it| {
        it.empty_customer_identifier = EmptyCustomerIdentifier::Reject;
        it.validation_code = ValidationCode::ValidationError;
    });
    assert_eq!(aws.meter(std::slice::from_ref(&record)).await.error(), "ValidationError");
    aws.simulator.switches(|it| it.both_identifiers = BothIdentifiers::PreferAccount);
    let both = with(&record, json!({ "CustomerIdentifier": "X01" }));
    assert_eq!(aws.meter(&[both]).await.statuses(), ["Success"]);
}

#[tokio::test]
async fn licenses_of_two_products_do_not_go_together() {
    let mut options = options(Pricing::Usage);
    let other =
        Product { code: "other".into(), id: "prod-other".into(), ..options.product.clone() };
    options.more_products.push(other);
    let aws = Aws::with(options).await;
    let one = aws.subscriber(Purchase::default());
    let two =
        aws.subscriber(Purchase { product_code: Some("other".into()), ..Purchase::default() });
    let (one, two) = (usage(&one, HOUR, 1), usage(&two, HOUR, 1));
    assert_eq!(aws.meter(&[one.clone(), two.clone()]).await.error(), "InvalidLicenseException");
    assert_eq!(aws.meter(&[one]).await.statuses(), ["Success"]);
    assert_eq!(aws.meter(&[two]).await.statuses(), ["Success"]);
}

#[tokio::test]
async fn metering_opens_with_license_updated() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.simulator.buy(Purchase::default()).unwrap();
    let record = usage(&bought, HOUR, 5);
    aws.pass("59s");
    let early = aws.meter(std::slice::from_ref(&record)).await;
    assert_eq!(early.statuses(), ["CustomerNotSubscribed"]);
    aws.simulator.switches(|it| it.before_active = BeforeActive::SuccessUnbilled);
    assert_eq!(aws.meter(std::slice::from_ref(&record)).await.statuses(), ["Success"]);
    assert_eq!(aws.simulator.invoice(), []);
    aws.pass("1s");
    assert_eq!(aws.meter(&[record]).await.statuses(), ["Success"]);
    assert_eq!(aws.simulator.invoice().len(), 1);
}

#[tokio::test]
async fn metering_closes_an_hour_after_the_end() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase::default());
    aws.simulator.cancel(&bought.agreement_id).unwrap();
    aws.pass("59m 59s");
    assert_eq!(aws.meter(&[usage(&bought, HOUR, 1)]).await.statuses(), ["Success"]);
    aws.pass("1s");
    let late = usage(&bought, "2026-11-10T11:00:00Z", 1);
    assert_eq!(aws.meter(std::slice::from_ref(&late)).await.statuses(), ["CustomerNotSubscribed"]);
    aws.simulator.switches(|it| it.after_window = AfterWindow::InvalidLicense);
    assert_eq!(aws.meter(&[late]).await.error(), "InvalidLicenseException");
}

#[tokio::test]
async fn the_final_hour_counts_from_the_switched_event() {
    let aws = Aws::start(Pricing::Usage).await;
    aws.simulator.switches(|it| {
        it.set("deprovision_delay", "2h").unwrap();
        it.set("final_hour_opener", "deprovisioned").unwrap();
    });
    let bought = aws.subscriber(Purchase::default());
    aws.simulator.cancel(&bought.agreement_id).unwrap();
    aws.pass("2h 59m");
    assert_eq!(aws.meter(&[usage(&bought, HOUR, 1)]).await.statuses(), ["Success"]);
    aws.pass("1m");
    let late = usage(&bought, "2026-11-10T11:00:00Z", 1);
    assert_eq!(aws.meter(&[late]).await.statuses(), ["CustomerNotSubscribed"]);
}

#[tokio::test]
async fn usage_from_before_the_first_hour_is_refused() {
    let (aws, record) = metered().await;
    let before = with(&record, json!({ "Timestamp": crate::harness::epoch(HOUR) - 1 }));
    let before = std::slice::from_ref(&before);
    assert_eq!(aws.meter(before).await.error(), "InvalidLicenseException");
    aws.simulator.switches(|it| it.before_start = BeforeStart::OutOfBounds);
    assert_eq!(aws.meter(before).await.error(), "TimestampOutOfBoundsException");
    aws.simulator.switches(|it| it.before_start = BeforeStart::Accept);
    assert_eq!(aws.meter(before).await.statuses(), ["Success"]);
}

#[tokio::test]
async fn a_legacy_customer_is_metered_by_product_code() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase { legacy: true, ..Purchase::default() });
    let identifier = bought.customer_identifier.clone().unwrap();
    let record = |identifier: &str| {
        let members = json!({ "CustomerIdentifier": identifier,
            "LicenseArn": null, "CustomerAWSAccountId": null });
        with(&usage(&bought, HOUR, 4), members)
    };
    let send = |code: &str, record: Value| {
        let body = json!({ "ProductCode": code, "UsageRecords": [record] });
        let aws = &aws;
        async move { aws.call("BatchMeterUsage", body).await }
    };
    assert_eq!(send(CODE, record(&identifier)).await.statuses(), ["Success"]);
    let line = &aws.simulator.invoice()[0];
    assert_eq!((&line.license_arn, &line.customer_identifier), (&None, &Some(identifier.clone())));
    let unknown = send(CODE, record("nobody")).await;
    assert_eq!(unknown.error(), "InvalidCustomerIdentifierException");
    let wrong = send("prod-abcdefghijklm", record(&identifier)).await;
    assert_eq!(wrong.error(), "InvalidProductCodeException");
    let stranger = with(
        &record(&identifier),
        json!({ "CustomerIdentifier": null, "CustomerAWSAccountId": "999988887777" }),
    );
    assert_eq!(send(CODE, stranger).await.statuses(), ["CustomerNotSubscribed"]);
}

#[tokio::test]
async fn both_paths_in_one_hour_bill_twice_unless_switched() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase { legacy: true, ..Purchase::default() });
    let by_license = usage(&bought, HOUR, 4);
    let by_code = with(&by_license, json!({ "LicenseArn": null }));
    let body = json!({ "ProductCode": CODE, "UsageRecords": [by_code] });
    assert_eq!(aws.meter(std::slice::from_ref(&by_license)).await.statuses(), ["Success"]);
    aws.simulator.switches(|it| it.mixed_path = MixedPath::Reject);
    let refused = aws.call("BatchMeterUsage", body.clone()).await;
    assert_eq!(refused.error(), "ValidationException");
    aws.simulator.switches(|it| it.mixed_path = MixedPath::DoubleBill);
    assert_eq!(aws.call("BatchMeterUsage", body).await.statuses(), ["Success"]);
    assert_eq!(aws.simulator.invoice().len(), 2);
}

#[tokio::test]
async fn a_contract_never_meters_and_its_consumption_does() {
    for (pricing, expected) in [(Pricing::Contract, 400), (Pricing::ContractWithConsumption, 200)] {
        let aws = Aws::start(pricing).await;
        let bought = aws
            .subscriber(Purchase { entitlements: crate::harness::seats(3), ..Purchase::default() });
        assert_eq!(aws.meter(&[usage(&bought, HOUR, 1)]).await.status, expected, "{pricing:?}");
    }
}

#[tokio::test]
async fn a_trial_is_metered_and_marked() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase {
        account: BUYER.into(),
        free_trial: Some(7),
        ..Purchase::default()
    });
    assert_eq!(aws.meter(&[usage(&bought, HOUR, 1)]).await.statuses(), ["Success"]);
    aws.set("2026-11-17T11:00:00Z");
    assert_eq!(
        aws.meter(&[usage(&bought, "2026-11-17T10:00:00Z", 1)]).await.statuses(),
        ["Success"]
    );
    let invoice = aws.simulator.invoice();
    let trial: Vec<bool> = invoice[0].records.iter().map(|it| it.free_trial).collect();
    assert_eq!(trial, [true, false]);
}
