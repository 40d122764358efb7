use app::Listing;
use domain::catalog::PricingModel;

use super::*;

const PRODUCT: (&str, &str) = ("MARKETPLACE_PRODUCT_CODE", "abcd1234efgh5678ijkl9012m");
const SECRET: &str = "a-secret-that-has-32-characters!";

/// A function's configuration, as functions write theirs.
#[derive(Debug)]
struct Config {
    listing: ListingConfig,
    tables: TablesConfig,
    secrets: Secrets,
}

impl Configuration for Config {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let listing = ListingConfig::read(vars);
        let tables = TablesConfig::read(vars);
        let secrets = Secrets::read(vars);
        Some(Self { listing: listing?, tables: tables?, secrets: secrets? })
    }
}

const TABLES: [(&str, &str); 4] = [
    ("CUSTOMER_TABLE", "customers"),
    ("SUBSCRIPTION_TABLE", "subscriptions"),
    ("USAGE_TABLE", "usage"),
    ("AUDIT_TABLE", "audit"),
];

fn problems<C: Configuration>(vars: &[(&str, &str)]) -> Vec<String> {
    match C::from_vars(&Vars::of(vars.iter().copied())) {
        Ok(_) => Vec::new(),
        Err(invalid) => invalid.problems().to_vec(),
    }
}

#[test]
fn every_problem_is_told_at_once_and_names_its_variable() {
    let told = problems::<Config>(&[
        ("MARKETPLACE_PRODUCT_CODE", "prod-abcdefghijklm"),
        ("LATE_USAGE_DAYS", "32"),
        ("CUSTOMER_TABLE", "customers"),
        ("SUBSCRIPTION_TABLE", "no spaces"),
        ("USAGE_TABLE", ""),
        ("MARKETPLACE_SECRET_TOKEN", "short"),
    ]);
    assert_eq!(
        told,
        [
            "MARKETPLACE_PRODUCT_CODE must be the listing's product code (not the prod-… product id)",
            "LATE_USAGE_DAYS must be a number of days from 0 to 31",
            "SUBSCRIPTION_TABLE must be a DynamoDB table name: 3 to 255 letters, digits, - _ or .",
            "USAGE_TABLE is not set and must be a DynamoDB table name: 3 to 255 letters, digits, - _ or .",
            "AUDIT_TABLE is not set and must be a DynamoDB table name: 3 to 255 letters, digits, - _ or .",
            "MARKETPLACE_SECRET_TOKEN must be a secret of at least 32 characters, or several of them separated by commas",
        ]
    );
}

#[test]
fn what_may_be_absent_has_the_documented_value() {
    let config = ListingConfig::from_vars(&Vars::of([PRODUCT])).unwrap();
    let listing = Listing::from(config);
    assert_eq!(listing.pricing, PricingModel::ContractWithConsumption);
    assert_eq!(listing.late_usage_days, 7);
    assert!(!listing.heartbeat);
    let plans: Vec<_> = listing.catalog.plans().iter().map(|plan| plan.id.as_str()).collect();
    assert_eq!(plans, ["BASIC", "STANDARD", "PREMIUM", "ENTERPRISE"]);
}

#[test]
fn what_is_set_is_taken() {
    let set = [PRODUCT, ("PRICING_MODEL", "usage"), ("LATE_USAGE_DAYS", "0"), ("HEARTBEAT", "on")];
    let listing = Listing::from(ListingConfig::from_vars(&Vars::of(set)).unwrap());
    assert_eq!(listing.product.as_str(), PRODUCT.1);
    assert_eq!(listing.pricing, PricingModel::Usage);
    assert_eq!(listing.late_usage_days, 0);
    assert!(listing.heartbeat);
}

#[test]
fn a_catalog_file_that_is_missing_or_wrong_is_told_with_its_reason() {
    let told = problems::<ListingConfig>(&[PRODUCT, ("PLAN_CATALOG_FILE", "/nowhere/plans.toml")]);
    assert!(
        told[0].starts_with("PLAN_CATALOG_FILE names a file that cannot be read: "),
        "{told:?}"
    );
    let not_a_catalog = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let told = problems::<ListingConfig>(&[PRODUCT, ("PLAN_CATALOG_FILE", not_a_catalog)]);
    assert!(told[0].starts_with("PLAN_CATALOG_FILE is not a plan catalog: "), "{told:?}");
}

#[test]
fn a_group_tells_which_variables_it_asks_for() {
    assert_eq!(
        Config::variables(),
        [
            "AUDIT_TABLE",
            "CUSTOMER_TABLE",
            "HEARTBEAT",
            "LATE_USAGE_DAYS",
            "MARKETPLACE_PRODUCT_CODE",
            "MARKETPLACE_SECRET_TOKEN",
            "PLAN_CATALOG_FILE",
            "PRICING_MODEL",
            "SUBSCRIPTION_TABLE",
            "USAGE_TABLE",
        ]
    );
}

#[test]
fn there_is_no_secret_unless_one_is_set_and_none_is_shown() {
    assert_eq!(problems::<Secrets>(&[]).len(), 1);
    for weak in
        [&SECRET[1..], &format!("{SECRET},"), &format!("{SECRET},short"), &format!(",{SECRET}")]
    {
        assert_eq!(problems::<Secrets>(&[("MARKETPLACE_SECRET_TOKEN", weak)]).len(), 1, "{weak:?}");
    }
    let mut vars = vec![PRODUCT, ("MARKETPLACE_SECRET_TOKEN", SECRET)];
    vars.extend(TABLES);
    let config = Config::from_vars(&Vars::of(vars)).unwrap();
    assert!(!format!("{config:?}").contains(SECRET));
    assert_eq!(Listing::from(config.listing).product.as_str(), PRODUCT.1);
    assert_eq!(config.tables.audit, "audit");
    assert_eq!(config.secrets.verifying().len(), 1);
}

#[test]
fn metering_stays_in_the_functions_region_unless_told() {
    let region = |vars: &[(&str, &str)]| {
        MeteringRegion::from_vars(&Vars::of(vars.iter().copied())).unwrap().0
    };
    assert_eq!(region(&[("AWS_REGION", "eu-west-1")]), "eu-west-1");
    assert_eq!(
        region(&[("AWS_REGION", "eu-west-1"), ("METERING_REGION", "us-east-1")]),
        "us-east-1"
    );
    assert_eq!(problems::<MeteringRegion>(&[("METERING_REGION", "Frankfurt")]).len(), 1);
}

#[test]
fn a_variable_that_two_groups_share_is_told_once() {
    #[derive(Debug)]
    struct Both;
    impl Configuration for Both {
        fn read(vars: &mut Reader<'_>) -> Option<Self> {
            let service = ServiceConfig::read(vars);
            let metering = MeteringRegion::read(vars);
            service.and(metering).map(|_| Self)
        }
    }
    assert_eq!(
        problems::<Both>(&[]),
        ["AWS_REGION is not set and must be an AWS Region such as us-east-1"]
    );
}

#[test]
fn the_webhook_path_begins_with_a_slash_and_is_no_pattern() {
    let path = |vars: &[(&str, &str)]| WebhookEndpoint::from_vars(&Vars::of(vars.iter().copied()));
    assert_eq!(path(&[]).unwrap().as_str(), "/marketplace/webhook");
    assert_eq!(path(&[("WEBHOOK_ENDPOINT", "/hooks/aws")]).unwrap().as_str(), "/hooks/aws");
    for wrong in ["hooks", "/{id}", "/a b", "https://example.com/hook"] {
        assert!(path(&[("WEBHOOK_ENDPOINT", wrong)]).is_err(), "{wrong}");
    }
}

#[test]
fn the_log_level_is_a_level_or_a_list() {
    let ok = |level: &str| {
        let vars = [("AWS_REGION", "us-east-1"), ("LOG_LEVEL", level)];
        ServiceConfig::from_vars(&Vars::of(vars)).is_ok()
    };
    assert!(ok("DEBUG") && ok("info,webhook=trace"));
    assert!(!ok("loud"));
}

#[test]
fn neighbours_are_named_by_url_and_arn() {
    assert!(
        problems::<SettlementQueueUrl>(&[("SETTLEMENT_QUEUE_URL", "http://127.0.0.1:1/queue")])
            .is_empty()
    );
    assert_eq!(
        problems::<SettlementQueueUrl>(&[("SETTLEMENT_QUEUE_URL", "arn:aws:sqs:x")]).len(),
        1
    );
    assert!(
        problems::<TenantTopicArn>(&[("TENANT_TOPIC_ARN", "arn:aws:sns:us-east-1:1:t")]).is_empty()
    );
    assert_eq!(problems::<TenantTopicArn>(&[("TENANT_TOPIC_ARN", "tenants")]).len(), 1);
}

#[test]
fn the_secret_is_here_or_in_secrets_manager_and_exactly_one_of_them() {
    let here = ("MARKETPLACE_SECRET_TOKEN", SECRET);
    let kept = ("MARKETPLACE_SECRET_ID", "marketplace-prod/webhook");
    let read = |vars: &[(&str, &str)]| SecretsConfig::from_vars(&Vars::of(vars.iter().copied()));
    assert!(matches!(read(&[here]), Ok(SecretsConfig::Given(_))));
    let Ok(SecretsConfig::Kept(secret)) = read(&[kept, ("SECRET_ROTATION_HOURS", "2")]) else {
        panic!("it is kept")
    };
    assert_eq!((secret.id.as_str(), secret.rotation.as_hours()), (kept.1, 2));
    for (vars, told) in [
        (
            &[][..],
            "MARKETPLACE_SECRET_TOKEN is not set, nor is MARKETPLACE_SECRET_ID: set one of them",
        ),
        (
            &[here, kept][..],
            "MARKETPLACE_SECRET_TOKEN and MARKETPLACE_SECRET_ID are both set: set one of them",
        ),
        (
            &[kept, ("SECRET_ROTATION_HOURS", "0")][..],
            "SECRET_ROTATION_HOURS must be a number of hours from 1 to 168",
        ),
    ] {
        assert_eq!(problems::<SecretsConfig>(vars), [told]);
    }
}
