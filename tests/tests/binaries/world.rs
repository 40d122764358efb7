//! The world around a function's process, and its run through the examples.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;
use local::runtime_api::Function;
use local::{ClockChoice, System, SystemOptions};
use serde_json::Value;
use simulator::Purchase;

use crate::example;
use crate::neighbours::Neighbours;

/// What the examples are signed with.
const SECRET: &str = "an-example-secret-that-is-never-used";

pub(crate) struct World {
    system: System,
    pub(crate) neighbours: Neighbours,
    tried: BTreeSet<String>,
}

/// A function's answers to its examples, by the example's name.
pub(crate) struct Answers(BTreeMap<String, Value>);

impl Answers {
    pub(crate) fn answer(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or_else(|| panic!("there is no example {name}"))
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        let options = SystemOptions {
            clock: ClockChoice::Wall,
            settled_on_drop: false,
            ..SystemOptions::default()
        };
        let system = System::start(options).await.unwrap();
        Self { system, neighbours: Neighbours::start().await, tried: BTreeSet::new() }
    }

    /// Starts a function, tells what that took, and hands it each of its examples in the order of a buyer's life.
    pub(crate) async fn run(&mut self, function: &str) -> Answers {
        let variables = self.variables();
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let binary = binary(function);
        let begun = Instant::now();
        let mut running = Function::start(&binary, &variables).await.unwrap();
        let started = begun.elapsed();
        let mut answers = BTreeMap::new();
        let mut cookie = None;
        for (name, text) in examples(function) {
            let event = self.made_current(function, &name, &text, cookie.as_deref());
            let answer = running.invoke(&event).await;
            let answer = answer.unwrap_or_else(|error| {
                panic!("{function} {name}: {error}\n{}", running.output().unwrap())
            });
            cookie = cookie_of(&answer).or(cookie);
            self.tried.insert(format!("{function}.{name}"));
            answers.insert(name, answer);
        }
        let size = std::fs::metadata(&binary).unwrap().len();
        let memory = running.process_id().and_then(peak_memory).unwrap_or_default();
        println!("{function}: {size} bytes, first poll after {started:?}, peak memory {memory}");
        Answers(answers)
    }

    /// Fails when an example in `events/` was not tried.
    pub(crate) fn every_event_was_tried(&self) {
        let all: BTreeSet<String> = functions()
            .iter()
            .flat_map(|function| {
                examples(function).into_iter().map(move |(name, _)| format!("{function}.{name}"))
            })
            .collect();
        assert_eq!(self.tried, all);
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let tables = self.system.tables();
        vec![
            ("MARKETPLACE_PRODUCT_CODE", simulator::Product::default().code),
            ("MARKETPLACE_PRODUCT_ID", simulator::Product::default().id),
            ("MARKETPLACE_SECRET_TOKEN", SECRET.to_owned()),
            ("CUSTOMER_TABLE", tables.customer.clone()),
            ("SUBSCRIPTION_TABLE", tables.subscription.clone()),
            ("USAGE_TABLE", tables.usage.clone()),
            ("AUDIT_TABLE", tables.audit.clone()),
            ("SETTLEMENT_QUEUE_URL", format!("{}/settlements", self.neighbours.url())),
            ("WEBHOOK_QUEUE_URL", format!("{}/webhooks", self.neighbours.url())),
            ("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt".to_owned()),
            // Nobody is there, and nobody may be asked: it is tried again later.
            (
                "OUTGOING_WEBHOOKS",
                r#"[{"name":"nobody","url":"https://169.254.169.254/","keys":["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}]"#
                    .to_owned(),
            ),
            ("TENANT_TOPIC_ARN", "arn:aws:sns:us-east-1:444455556666:tenants".to_owned()),
            ("AWS_ENDPOINT_URL", self.system.marketplace_url()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.system.database_url()),
            ("AWS_ENDPOINT_URL_SQS", self.neighbours.url()),
            ("AWS_ENDPOINT_URL_SNS", self.neighbours.url()),
        ]
    }

    fn made_current(&self, function: &str, name: &str, text: &str, cookie: Option<&str>) -> Value {
        let now = example::a_while_ago(Timestamp::now());
        let mut event = example::current(text, now);
        match (function, name) {
            ("registration", "land") => {
                let token = self.token();
                example::change_body(&mut event, |_| format!("x-amzn-marketplace-token={token}"));
            }
            ("registration", "complete") => {
                event["cookies"] = vec![cookie.expect("the landing set a cookie")].into();
            }
            ("webhook", _) => {
                example::change_body(&mut event, |body| example::current(&body, now).to_string());
                example::sign(&mut event, SECRET, Timestamp::now());
            }
            _ => {}
        }
        event
    }

    /// A token as the marketplace's form would carry it, in form encoding.
    fn token(&self) -> String {
        let bought = self.system.simulator().buy(Purchase::default()).unwrap();
        let form = self.system.simulator().fulfilment_form(&bought.agreement_id).unwrap();
        let token =
            form.into_iter().find(|(name, _)| name == "x-amzn-marketplace-token").unwrap().1;
        token.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
    }
}

/// Every function, by its directory.
pub(crate) fn functions() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("functions")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A function's examples and their texts, in the order in which they happen.
fn examples(function: &str) -> Vec<(String, String)> {
    let mut examples = Vec::new();
    for entry in std::fs::read_dir(root().join("events")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if let Some((of, name)) = file.split_once('.')
            && of == function
        {
            examples.push((name.to_owned(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    let order = |name: &str| match name {
        "land" | "event" => 0,
        _ => 1,
    };
    examples.sort_by_key(|(name, _)| (order(name), name.clone()));
    examples
}

/// What a function says when it is started with nothing but what Lambda itself sets.
pub(crate) async fn start_without_variables(function: &str) -> String {
    let failed = Function::start(&binary(function), &[]).await.map(drop).unwrap_err();
    let mut told = failed.to_string();
    let mut source = std::error::Error::source(&failed);
    while let Some(error) = source {
        told = format!("{told}: {error}");
        source = error.source();
    }
    told
}

/// Starts a function with nothing but the variables of `docs/sam-local.json`, which must be enough.
pub(crate) async fn start_with_variables_of_sam_local(function: &str) {
    let file = std::fs::read_to_string(root().join("docs/sam-local.json")).unwrap();
    let file: Value = serde_json::from_str(&file).unwrap();
    let variables = file["Parameters"].as_object().unwrap();
    let variables: Vec<_> =
        variables.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    let started = Function::start(&binary(function), &variables).await;
    started.unwrap_or_else(|error| panic!("{function}: {error:?}"));
}

/// Where a function's binary is: beside this test's own, unless told otherwise.
fn binary(function: &str) -> PathBuf {
    let directory = std::env::var_os("FUNCTION_BINARIES").map_or_else(
        || std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_owned(),
        |directory| root().join(directory),
    );
    let as_cargo = directory.join(function);
    let binary = if as_cargo.is_dir() { as_cargo.join("bootstrap") } else { as_cargo };
    assert!(binary.is_file(), "{} is not built; cargo build --workspace --bins", binary.display());
    binary
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn cookie_of(answer: &Value) -> Option<String> {
    let cookie = answer["cookies"][0].as_str()?;
    cookie.split(';').next().map(ToOwned::to_owned)
}

/// The most memory the process has had, as the kernel tells it.
fn peak_memory(process: u32) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}
