//! A running simulator and an HTTP client that signs like an AWS SDK.

use std::collections::BTreeMap;

use ciborium::Value as Cbor;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use simulator::{Bought, Clock, Notification, Options, Pricing, Product, Purchase, Simulator};

pub(crate) const BUYER: &str = "111122223333";
pub(crate) const CODE: &str = "abcd1234efgh5678ijkl9012m";
pub(crate) const START: &str = "2026-11-10T10:00:00Z";

/// A simulator on a free port; the clock stands still, and quotas are off.
pub(crate) struct Aws {
    pub(crate) simulator: Simulator,
    pub(crate) url: String,
    client: reqwest::Client,
}

/// An answer over JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The error type without its namespace.
    pub(crate) fn error(&self) -> &str {
        let name = self.body["__type"].as_str().unwrap_or_else(|| panic!("no error: {self:?}"));
        name.rsplit('#').next().unwrap()
    }

    pub(crate) fn statuses(&self) -> Vec<&str> {
        assert_eq!(self.status, 200, "{self:?}");
        let results = self.body["Results"].as_array().unwrap();
        results.iter().map(|it| it["Status"].as_str().unwrap()).collect()
    }

    pub(crate) fn record_id(&self) -> &str {
        self.body["Results"][0]["MeteringRecordId"].as_str().unwrap()
    }
}

pub(crate) fn options(pricing: Pricing) -> Options {
    let mut options = Options {
        product: Product::sample(pricing),
        clock: Clock::manual(at(START)),
        seed: 7,
        ..Options::default()
    };
    options.switches.metering_rps = 0;
    options.switches.entitlement_rps = 0;
    options.switches.agreement_rps = 0;
    options.switches.agreement_detail_rps = 0;
    options
}

impl Aws {
    pub(crate) async fn start(pricing: Pricing) -> Self {
        Self::with(options(pricing)).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let simulator = Simulator::open(options).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = simulator.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { simulator, url, client: reqwest::Client::new() }
    }

    /// An active pay-as-you-go or contract subscription of [`BUYER`].
    pub(crate) fn subscriber(&self, purchase: Purchase) -> Bought {
        let bought = self.simulator.buy(purchase).unwrap();
        self.pass("60s");
        bought
    }

    pub(crate) fn pass(&self, time: &str) {
        self.simulator.clock().advance(time.parse::<SignedDuration>().unwrap());
    }

    pub(crate) fn set(&self, time: &str) {
        self.simulator.clock().set(at(time));
    }

    pub(crate) async fn call(&self, target: &str, body: Value) -> Answer {
        self.signed(target, body, "AKIDSELLER", "us-east-1").await
    }

    pub(crate) async fn signed(
        &self,
        target: &str,
        body: Value,
        key: &str,
        region: &str,
    ) -> Answer {
        let answer = self.request(target, body.to_string(), key, region).send().await.unwrap();
        let status = answer.status().as_u16();
        Answer { status, body: answer.json().await.unwrap() }
    }

    pub(crate) fn request(
        &self,
        target: &str,
        body: String,
        key: &str,
        region: &str,
    ) -> reqwest::RequestBuilder {
        let service = match target.split('.').next().unwrap() {
            "ResolveCustomer" | "BatchMeterUsage" => "AWSMPMeteringService",
            "GetEntitlements" => "AWSMPEntitlementService",
            _ => "AWSMPCommerceService_v20200301",
        };
        let version = if service.starts_with("AWSMPCommerce") { "1.0" } else { "1.1" };
        self.client
            .post(&self.url)
            .header("x-amz-target", format!("{service}.{target}"))
            .header("content-type", format!("application/x-amz-json-{version}"))
            .header("authorization", authorization(key, region))
            .body(body)
    }

    /// A call over rpc-v2-cbor with an indefinite-length request, as the Rust SDK makes it.
    pub(crate) async fn cbor(&self, service: &str, operation: &str, body: &Value) -> (u16, Cbor) {
        let url = format!("{}/service/{service}/operation/{operation}", self.url);
        let answer = self
            .client
            .post(url)
            .header("smithy-protocol", "rpc-v2-cbor")
            .header("content-type", "application/cbor")
            .header("accept", "application/cbor")
            .header("authorization", authorization("AKIDSELLER", "us-east-1"))
            .body(indefinite(body))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()["smithy-protocol"], "rpc-v2-cbor");
        assert_eq!(answer.headers()["content-type"], "application/cbor");
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap();
        (status, ciborium::from_reader(body.as_ref()).unwrap())
    }

    pub(crate) async fn control(&self, path: &str, body: Value) -> Answer {
        let url = format!("{}/_sim/{path}", self.url);
        let request = match body {
            Value::Null => self.client.get(url),
            body => self.client.post(url).body(body.to_string()),
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        Answer { status, body: answer.json().await.unwrap() }
    }

    pub(crate) async fn meter(&self, records: &[Value]) -> Answer {
        self.call("BatchMeterUsage", json!({ "UsageRecords": records })).await
    }

    /// The dues, acknowledged.
    pub(crate) fn take(&self) -> Vec<Notification> {
        let due = self.simulator.due_notifications();
        for notification in &due {
            assert!(self.simulator.acknowledge(notification.id));
        }
        due
    }

    /// Detail types and SNS actions of what is due, acknowledged.
    pub(crate) fn told(&self) -> Vec<String> {
        self.take().iter().map(kind).collect()
    }
}

/// The detail type of an event, the action of a message.
pub(crate) fn kind(notification: &Notification) -> String {
    let body = &notification.body;
    match body["detail-type"].as_str() {
        Some(detail_type) => detail_type.to_owned(),
        None => message(notification)["action"].as_str().unwrap().to_owned(),
    }
}

pub(crate) fn message(notification: &Notification) -> Value {
    serde_json::from_str(notification.body["Message"].as_str().unwrap()).unwrap()
}

pub(crate) fn authorization(key: &str, region: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20261110/{region}/aws-marketplace/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0000"
    )
}

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

pub(crate) fn epoch(time: &str) -> i64 {
    at(time).as_second()
}

/// A usage record of `api_calls` by license.
pub(crate) fn usage(bought: &Bought, time: &str, quantity: i64) -> Value {
    json!({
        "Timestamp": epoch(time),
        "CustomerAWSAccountId": bought.account,
        "LicenseArn": bought.license_arn,
        "Dimension": "api_calls",
        "Quantity": quantity,
    })
}

/// `record` with some members replaced; null removes one.
pub(crate) fn with(record: &Value, members: Value) -> Value {
    let Value::Object(members) = members else { panic!("not an object: {members}") };
    let mut record = record.clone();
    for (name, value) in members {
        match value {
            Value::Null => record.as_object_mut().unwrap().remove(&name),
            value => record.as_object_mut().unwrap().insert(name, value),
        };
    }
    record
}

pub(crate) fn seats(quantity: u32) -> BTreeMap<String, Decimal> {
    BTreeMap::from([("seats".to_owned(), quantity.into())])
}

/// The CBOR member `name`.
pub(crate) fn member<'a>(map: &'a Cbor, name: &str) -> &'a Cbor {
    let members = map.as_map().unwrap_or_else(|| panic!("no map: {map:?}"));
    let found = members.iter().find(|(key, _)| key.as_text() == Some(name));
    found.map_or_else(|| panic!("no {name} in {map:?}"), |(_, value)| value)
}

/// Writes maps and lists with indefinite length.
fn indefinite(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    match value {
        Value::Object(members) => {
            bytes.push(0xbf);
            for (name, value) in members {
                ciborium::into_writer(name, &mut bytes).unwrap();
                bytes.extend(indefinite(value));
            }
            bytes.push(0xff);
        }
        Value::Array(items) => {
            bytes.push(0x9f);
            for item in items {
                bytes.extend(indefinite(item));
            }
            bytes.push(0xff);
        }
        scalar => ciborium::into_writer(scalar, &mut bytes).unwrap(),
    }
    bytes
}
