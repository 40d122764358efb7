//! `docs/openapi.json`, made from the routes of the three functions that speak HTTP.

use lambda_shell::contract::{Info, Route, document};
use marketplace_aws::{Aws, SettlementSqsQueue};
use serde_json::{Value, json};
use store_dynamodb::DynamoStore;

use crate::compare;

type Deployed = Aws<SettlementSqsQueue>;

/// The routes as they are deployed.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = registration::described::<DynamoStore, Deployed>();
    routes.extend(webhook::described::<DynamoStore, Deployed>("/marketplace/webhook"));
    routes.extend(api_routes());
    routes
}

/// The routes whose callers have a role.
pub(crate) fn api_routes() -> Vec<Route> {
    subscription_api::described::<DynamoStore, Deployed>()
}

/// The document of the code.
pub(crate) fn contract() -> Value {
    let bearer = json!({
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "API Gateway verifies the token; its claims sub, role and tenantId say who may what.",
    });
    let signature = json!({
        "type": "apiKey", "in": "header", "name": "x-marketplace-signature",
        "description": "v1=<hex> of HMAC-SHA256 over `timestamp.body`, beside x-marketplace-timestamp.",
    });
    let info = Info {
        title: "Subscriptions sold through AWS Marketplace",
        version: "1.0.0",
        description: "Conventions, problem codes and the deprecation policy: docs/http-api.md.",
        security: &[("bearer", bearer), ("signature", signature)],
    };
    document(&info, &routes())
}

#[test]
fn the_committed_document_is_what_the_code_says() {
    let mut text = serde_json::to_string_pretty(&contract()).unwrap();
    text.push('\n');
    compare("docs/openapi.json", &text);
}

#[test]
fn every_shape_that_is_named_exists_and_every_one_that_exists_is_named() {
    let contract = contract();
    let text = contract.to_string();
    for (name, _) in contract["components"]["schemas"].as_object().unwrap() {
        assert!(text.contains(&format!("\"#/components/schemas/{name}\"")), "{name} is not used");
    }
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(contract["components"]["schemas"].get(name).is_some(), "{name} is not there");
    }
}
