//! The metering window over the wire (F§3.4).

use simulator::{Pricing, Purchase};

use crate::harness::{Aws, options, usage};

/// A license that started long before the checked usage.
async fn old_customer() -> (Aws, simulator::Bought) {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase::default());
    (aws, bought)
}

#[tokio::test]
async fn a_day_old_to_the_second_is_too_old() {
    let (aws, bought) = old_customer().await;
    aws.set("2026-11-20T12:00:00Z");
    let refused = aws.meter(&[usage(&bought, "2026-11-19T12:00:00Z", 1)]).await;
    assert_eq!((refused.status, refused.error()), (400, "TimestampOutOfBoundsException"));
    let taken = aws.meter(&[usage(&bought, "2026-11-19T12:00:01Z", 1)]).await;
    assert_eq!(taken.statuses(), ["Success"]);
}

#[tokio::test]
async fn the_last_month_closes_at_six_in_the_morning_of_the_first() {
    let (aws, bought) = old_customer().await;
    aws.set("2026-12-01T05:59:59Z");
    let last_hour = usage(&bought, "2026-11-30T23:00:00Z", 1);
    assert_eq!(aws.meter(&[last_hour]).await.statuses(), ["Success"]);
    aws.set("2026-12-01T06:00:00Z");
    let other_hour = usage(&bought, "2026-11-30T22:00:00Z", 1);
    assert_eq!(aws.meter(&[other_hour]).await.error(), "TimestampOutOfBoundsException");
    let this_month = usage(&bought, "2026-12-01T00:00:00Z", 1);
    assert_eq!(aws.meter(&[this_month]).await.statuses(), ["Success"]);
    let months: Vec<String> = aws.simulator.invoice().into_iter().map(|it| it.month).collect();
    assert_eq!(months, ["2026-11", "2026-12"]);
}

#[tokio::test]
async fn the_future_is_refused() {
    let (aws, bought) = old_customer().await;
    let refused = aws.meter(&[usage(&bought, "2026-11-10T10:01:01Z", 1)]).await;
    assert_eq!(refused.error(), "TimestampOutOfBoundsException");
    let now = aws.meter(&[usage(&bought, "2026-11-10T10:01:00Z", 1)]).await;
    assert_eq!(now.statuses(), ["Success"]);
}

#[tokio::test]
async fn the_window_is_a_switch() {
    let mut options = options(Pricing::Usage);
    options.switches.set("metering_window", "6h").unwrap();
    let aws = Aws::with(options).await;
    let bought = aws.subscriber(Purchase::default());
    aws.set("2026-11-20T12:00:00Z");
    let refused = aws.meter(&[usage(&bought, "2026-11-20T06:00:00Z", 1)]).await;
    assert_eq!(refused.error(), "TimestampOutOfBoundsException");
}
