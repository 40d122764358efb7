//! No secret shows in any `Debug` output, and none can slip in unnoticed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::fmt::Debug;
use std::path::Path;

use app::ports::{Customer, RegistrationToken};
use lambda_shell::config::{Configuration, Secrets, Vars};
use lambda_shell::signature::standard::Key;

/// Told apart from everything else.
const TOKEN: &str = "MARKER-a-secret-that-nobody-may-ever-see";
const KEY: &str = "whsec_TUFSS0VSLWEta2V5LXRoYXQtbm9ib2R5LW1heS1zZWU=";

fn vars() -> Vars {
    let webhooks = format!(r#"[{{"name":"crm","url":"https://crm.example","keys":["{KEY}"]}}]"#);
    Vars::of([
        ("AWS_REGION", "us-east-1"),
        ("MARKETPLACE_PRODUCT_CODE", "abcd1234efgh5678ijkl9012m"),
        ("MARKETPLACE_PRODUCT_ID", "prod-abcd1234efgh5"),
        ("CUSTOMER_TABLE", "customers"),
        ("SUBSCRIPTION_TABLE", "subscriptions"),
        ("USAGE_TABLE", "usage"),
        ("AUDIT_TABLE", "audit"),
        ("MARKETPLACE_SECRET_TOKEN", TOKEN),
        ("OUTGOING_WEBHOOKS", &webhooks),
        ("WEBHOOK_QUEUE_URL", "https://sqs.example/1"),
        ("SETTLEMENT_QUEUE_URL", "https://sqs.example/2"),
        ("TENANT_TOPIC_ARN", "arn:aws:sns:us-east-1:444455556666:tenants"),
    ])
}

/// The marker, in any form in which it might be shown.
fn hides(what: &str, value: &impl Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        let bytes = format!("{:?}", b"MARKER").trim_matches(['[', ']']).to_owned();
        for marker in ["MARKER", "TUFSS0VS", "4d41524b4552", bytes.as_str()] {
            assert!(!shown.contains(marker), "{what} shows its secret: {shown}");
        }
        assert!(!shown.is_empty());
    }
}

fn config<C: Configuration + Debug>(function: &str) {
    let config = C::from_vars(&vars()).unwrap_or_else(|error| panic!("{function}: {error}"));
    hides(function, &config);
}

#[test]
fn no_functions_configuration_shows_one() {
    config::<registration::Config>("registration");
    config::<webhook::Config>("webhook");
    config::<subscription_api::Config>("subscription-api");
    config::<entitlement_listener::Config>("entitlement-listener");
    config::<metering_scheduler::Config>("metering-scheduler");
    config::<tenant_notifier::Config>("tenant-notifier");
    config::<webhook_sender::Config>("webhook-sender");
    config::<reconciler::Config>("reconciler");
    hides("the environment", &vars());
}

#[test]
fn nor_does_anything_else_that_has_one() {
    let secrets = Secrets::parse(TOKEN).unwrap();
    hides("secrets", &secrets);
    hides("a key", &Key::parse(KEY).unwrap());
    let local = local::Secrets { api_key: TOKEN.to_owned(), marketplace: TOKEN.to_owned() };
    hides("the laptop's secrets", &local);
    hides("a registration token", &RegistrationToken::from_form(TOKEN.to_owned()).unwrap());
    let customer = Customer {
        id: "111122223333".to_owned(),
        account: None,
        customer_identifier: None,
        company: TOKEN.to_owned(),
        contact: TOKEN.to_owned(),
        email: TOKEN.to_owned(),
        extra: std::collections::BTreeMap::new(),
        updated_at: jiff::Timestamp::UNIX_EPOCH,
    };
    hides("a customer", &customer);
}

#[test]
fn an_error_about_the_environment_shows_none() {
    let bad = Vars::of([("MARKETPLACE_SECRET_TOKEN", "MARKER"), ("OUTGOING_WEBHOOKS", "MARKER")]);
    hides("registration", &registration::Config::from_vars(&bad).unwrap_err());
    hides("webhook-sender", &webhook_sender::Config::from_vars(&bad).unwrap_err());
}

/// A type that derives `Debug` must not hold a secret as a plain text.
#[test]
fn no_type_that_shows_itself_holds_a_secret_as_a_plain_text() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut looked_at = 0;
    for folder in ["crates", "functions"] {
        for (path, text) in sources(&root.join(folder)) {
            // The simulator's tokens are AWS's, made up; it never sees a real one.
            if path.contains("crates/simulator") {
                continue;
            }
            looked_at += 1;
            for block in text.split("#[derive(").skip(1) {
                let Some((derived, rest)) = block.split_once(")]") else { continue };
                if !derived.contains("Debug") {
                    continue;
                }
                let body = rest.split("\n}").next().unwrap_or_default();
                for line in body.lines().map(str::trim) {
                    let Some((name, kind)) = line.trim_start_matches("pub ").split_once(": ")
                    else {
                        continue;
                    };
                    let named =
                        ["secret", "password", "api_key", "signing_key", "registration_token"];
                    let plain = kind.starts_with("String")
                        || kind.starts_with("Vec<u8>")
                        || kind.starts_with("Option<String>");
                    assert!(
                        !(plain && named.iter().any(|word| name.contains(word))),
                        "{path}: {line}"
                    );
                }
            }
        }
    }
    assert!(looked_at > 100, "{looked_at}");
}

fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    found
}
