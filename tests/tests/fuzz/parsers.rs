//! Parsers that are called directly.

use domain::audit::Line;
use domain::catalog::Catalog;
use domain::quantity::Quantity;
use jiff::Timestamp;
use lambda_shell::config::{Configuration, OutgoingWebhooks, Secrets, Vars};
use lambda_shell::signature::{self, standard};
use marketplace_aws::notices::{from_event_bridge, from_sns, from_sqs_body};

use crate::corpus::{bodies, events, examples, plan_file};
use crate::run::fuzz;

fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}

#[test]
fn notices_of_every_channel() {
    let listener = events("entitlement-listener");
    let queued = listener.iter().filter_map(|event| event["Records"][0]["body"].as_str());
    let queued: Vec<_> = queued.map(|body| body.as_bytes().to_vec()).collect();
    let direct = listener.iter().map(|event| event.to_string().into_bytes());
    let all = examples("notices", queued.into_iter().chain(direct).chain(bodies("webhook")));
    fuzz("notices", &all, |input| {
        let read = [from_event_bridge(input), from_sns(input), from_sqs_body(input)];
        read.iter().any(Result::is_ok)
    });
}

#[test]
fn the_plan_file() {
    fuzz("plan file", &examples("plan-file", [plan_file()]), |input| {
        text(input).is_some_and(|text| Catalog::from_toml(text).is_ok())
    });
}

/// Header lines, then an empty line, then the body.
fn request(input: &[u8]) -> (http::HeaderMap, &[u8]) {
    let at = input.windows(2).position(|pair| pair == b"\n\n").unwrap_or(input.len());
    let (head, body) = input.split_at(at);
    let mut headers = http::HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = http::HeaderName::from_bytes(&line[..colon]);
        let value = http::HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    (headers, body.get(2..).unwrap_or_default())
}

#[test]
fn signatures_of_both_forms() {
    let secrets = Secrets::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let now = Timestamp::from_second(1_614_265_330).unwrap();
    let key = standard::Key::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let lines = |headers: &[(&str, String)]| {
        let line = |(name, value): &(&str, String)| format!("{name}: {value}\n");
        let head = headers.iter().map(line).collect::<Vec<_>>().concat();
        format!("{head}\n{{}}").into_bytes()
    };
    let ours = lines(&signature::sign(&secrets, b"{}", now));
    let theirs = lines(&standard::sign(&[key], "msg_1", b"{}", now));
    // Only the very same bytes may be believed; a change that is believed must have left the signed part alone.
    fuzz("signatures", &examples("signatures", [ours, theirs]), |input| {
        let (headers, body) = request(input);
        let ours = signature::verify(&secrets, &headers, body, now).is_ok();
        let theirs = standard::verify(&secrets, &headers, body, now).is_ok();
        assert!(!(ours || theirs) || body == b"{}", "a body that nobody signed is believed");
        ours || theirs
    });
}

#[test]
fn lines_of_an_audit_export() {
    fuzz("audit lines", &examples("audit", []), |input| {
        let read = text(input).map(|text| text.lines().map(Line::read).collect::<Vec<_>>());
        read.is_some_and(|lines| lines.iter().any(Option::is_some))
    });
}

#[test]
fn configured_endpoints_and_quantities() {
    let example = br#"[{"name":"crm","url":"https://crm.example/hook","keys":["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}]"#;
    fuzz("small texts", &examples("small", [example.to_vec(), b"12.125".to_vec()]), |input| {
        let Some(text) = text(input) else { return false };
        let vars = Vars::of([("OUTGOING_WEBHOOKS", text)]);
        let quantity = text.parse::<Quantity>();
        if let Ok(quantity) = &quantity {
            assert_eq!(quantity.to_string().parse::<Quantity>().as_ref(), Ok(quantity), "{text}");
        }
        OutgoingWebhooks::from_vars(&vars).is_ok() || quantity.is_ok()
    });
}
