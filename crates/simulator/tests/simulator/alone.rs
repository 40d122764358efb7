//! The simulator as a program.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Ends the program with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_simulator"))
}

#[tokio::test]
async fn a_taken_port_is_a_clear_error() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = command().args(["--port", &port]).output().unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains(&format!("port {port} is taken")), "{message}");
}

#[test]
fn a_bad_switch_is_a_clear_error() {
    for switch in ["token_ttl", "no_such=on", "token_reuse=twice"] {
        let output = command().args(["--port", "0", "--switch", switch]).output().unwrap();
        assert!(!output.status.success());
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(switch), "{message}");
    }
}

#[tokio::test]
async fn a_killed_program_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("simulator.db");
    let start = || {
        let mut child = command()
            .args(["--port", "0", "--clock", "2026-11-10T10:00:00Z", "--data"])
            .arg(&data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        (Program(child), greeting.trim().rsplit(' ').next().unwrap().to_owned())
    };
    let client = reqwest::Client::new();
    let (program, address) = start();
    client.post(format!("{address}/_sim/purchases")).body("{}").send().await.unwrap();
    let clock = client.post(format!("{address}/_sim/clock")).body(r#"{"advance":"1h"}"#);
    clock.send().await.unwrap();
    let read = async |address: &str, path: &str| -> Value {
        client.get(format!("{address}/_sim/{path}")).send().await.unwrap().json().await.unwrap()
    };
    let before = (read(&address, "agreements").await, read(&address, "notifications").await);
    drop(program);
    let (_program, address) = start();
    assert_eq!(read(&address, "clock").await["now"], "2026-11-10T11:00:00Z");
    let after = (read(&address, "agreements").await, read(&address, "notifications").await);
    assert_eq!(before, after);
    assert_eq!(after.1.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn notifications_are_posted_until_they_are_taken() {
    let (sender, mut received) = mpsc::unbounded_channel();
    let refusals = Arc::new(AtomicU32::new(1));
    let receive = move |body: String| {
        let first = refusals.swap(0, Ordering::SeqCst) > 0;
        let status = if first { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        let event: Value = serde_json::from_str(&body).unwrap();
        sender.send((status, event["id"].clone())).unwrap();
        async move { status }
    };
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", target.local_addr().unwrap());
    let router = axum::Router::new().route("/", axum::routing::post(receive));
    tokio::spawn(async move { axum::serve(target, router).await.unwrap() });

    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("simulator.toml");
    std::fs::write(&config, "seed = 3\n[switches]\nlicense_updated_delay = \"24h\"\n").unwrap();
    let mut child = command()
        .args(["--port", "0", "--deliver-to", &url, "--clock", "2026-11-10T10:00:00Z"])
        .args(["--switch", "token_ttl=1h", "--pricing", "usage", "--product-code", "mine"])
        .arg("--data")
        .arg(directory.path().join("simulator.db"))
        .arg("--config")
        .arg(config)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut greeting = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
    let _program = Program(child);
    let address = greeting.trim().rsplit(' ').next().unwrap().to_owned();

    let purchase = json!({ "account": "111122223333", "product_code": "mine" }).to_string();
    let client = reqwest::Client::new();
    let bought =
        client.post(format!("{address}/_sim/purchases")).body(purchase).send().await.unwrap();
    assert_eq!(bought.status(), 200);
    let (refused, first) = received.recv().await.unwrap();
    let (taken, again) = received.recv().await.unwrap();
    assert_eq!((refused, taken), (StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK));
    assert_eq!(first, again);
    let switches = client.get(format!("{address}/_sim/switches")).send().await.unwrap();
    let switches: Value = switches.json().await.unwrap();
    assert_eq!(switches["token_ttl"], "1h");
    assert_eq!(switches["license_updated_delay"], "24h");
}
