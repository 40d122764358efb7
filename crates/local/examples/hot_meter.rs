//! How many usage events one hot meter takes: batches of 100 for one dimension of one subscription, over HTTP, against the
//! whole running system; then what the meter holds.
//!
//! ```sh
//! cargo run --release -p local --example hot_meter
//! ```

#![allow(clippy::print_stdout, reason = "it tells what it measured")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use jiff::SignedDuration;
use local::client::Client;
use local::{ClockChoice, System, SystemOptions};
use rust_decimal::Decimal;
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const BATCH: u64 = 100;

#[derive(Debug, Parser)]
struct Args {
    /// How long to report.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Senders at the same time, all at the same meter.
    #[arg(long, default_value_t = 1)]
    senders: u64,
    /// Keep the data in a new directory; by default in memory.
    #[arg(long)]
    data: Option<PathBuf>,
}

/// What a sender saw.
#[derive(Debug, Default)]
struct Sent {
    batches: u64,
    accepted: u64,
    /// Answers that ask for the same request again, as the meter was too busy.
    repeated: u64,
    slowest: Duration,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let options =
        SystemOptions { clock: ClockChoice::Wall, data: args.data, ..SystemOptions::default() };
    let mut system = System::start(options).await?;
    system.may_stay_unsettled();
    let client = Client::new(system.url(), Some(system.secrets().api_key.clone()));
    let subscription = subscribe(&system, &client).await?;

    system.round_trips().reset();
    let began = Instant::now();
    let until = began + Duration::from_secs(args.seconds);
    let senders = (0..args.senders).map(|sender| {
        let path = format!("/marketplace/subscriptions/{subscription}/meter");
        let at = system.now().to_string();
        tokio::spawn(send(client.clone(), path, sender, at, until))
    });
    let mut all = Sent::default();
    for sender in senders.collect::<Vec<_>>() {
        let sent = sender.await??;
        all.batches += sent.batches;
        all.accepted += sent.accepted;
        all.repeated += sent.repeated;
        all.slowest = all.slowest.max(sent.slowest);
    }
    let took = began.elapsed();
    let trips = system.round_trips().by_operation();

    println!("{} senders, batches of {BATCH}, {} ms", args.senders, took.as_millis());
    println!("{} batches, {} asked to repeat", all.batches, all.repeated);
    println!("{} events accepted", all.accepted);
    println!("{} events/s", per_second(all.accepted, took));
    println!("slowest batch {} ms", all.slowest.as_millis());
    for (operation, count) in trips {
        println!("{operation}: {} a batch", ratio(count, all.batches));
    }
    let path = format!("/marketplace/subscriptions/{subscription}/usage");
    let usage = client.get(&path).await?.ok()?;
    let lines = usage.get("dimensions").and_then(Value::as_array).into_iter().flatten();
    let scans = lines.filter(|line| line.get("dimension") == Some(&json!("scans")));
    let used: Vec<Value> = scans.filter_map(|line| line.get("used").cloned()).collect();
    println!("the meter holds {used:?}");
    if used != [json!(all.accepted.to_string())] {
        return Err("the meter holds another sum than was accepted".into());
    }
    Ok(())
}

/// How many a second.
fn per_second(count: u64, took: Duration) -> u128 {
    u128::from(count) * 1_000 / took.as_millis().max(1)
}

/// With two places.
fn ratio(count: u64, of: u64) -> Decimal {
    (Decimal::from(count) / Decimal::from(of.max(1))).round_dp(2)
}

fn accepted(body: &Value) -> u64 {
    body.get("accepted").and_then(Value::as_u64).unwrap_or(0)
}

/// Buys, registers and activates.
async fn subscribe(system: &System, client: &Client) -> Result<String, Failure> {
    let purchase = json!({"entitlements": {"standard": "1"}});
    let bought = client.post("/_sim/purchases", &purchase).await?.ok()?;
    let agreement = bought.get("agreement_id").and_then(Value::as_str).unwrap_or_default();
    let form = format!("/_sim/agreements/{agreement}/fulfilment-form");
    let form = client.post(&form, &json!({})).await?.ok()?;
    let fields = form.as_object().into_iter().flatten();
    let fields: Vec<(String, String)> = fields
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let (_, cookie) = client.land(&fields).await?;
    let profile = [("company", "Acme"), ("contact", "Jo"), ("email", "jo@example.com")];
    client.complete(&cookie, &profile).await?.ok()?;
    system.advance(SignedDuration::from_mins(10)).await?;
    let list = client.get("/marketplace/subscriptions").await?.ok()?;
    Ok(list.pointer("/items/0/id").and_then(Value::as_str).ok_or("no subscription")?.to_owned())
}

/// Reports new events until the time is over; a batch that was too much for the meter is sent again.
async fn send(
    client: Client,
    path: String,
    sender: u64,
    at: String,
    until: Instant,
) -> Result<Sent, Failure> {
    let mut sent = Sent::default();
    while Instant::now() < until {
        let number = sent.batches;
        let events: Vec<Value> = (0..BATCH)
            .map(|n| json!({"key": format!("s{sender}-{number}-{n}"), "metric": "totalScans", "quantity": "1", "at": at}))
            .collect();
        let body = json!({ "events": events });
        sent.batches += 1;
        loop {
            let asked = Instant::now();
            let answer = client.post(&path, &body).await?;
            sent.slowest = sent.slowest.max(asked.elapsed());
            if answer.status == 503 {
                sent.accepted += accepted(&answer.body);
                sent.repeated += 1;
                continue;
            }
            sent.accepted += accepted(&answer.ok()?);
            break;
        }
    }
    Ok(sent)
}
