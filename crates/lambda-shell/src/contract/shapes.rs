//! The shapes of values that have a type of their own elsewhere: name them with `#[schemars(with = "…")]`.

use std::borrow::Cow;

use domain::subscription::Status;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

macro_rules! texts {
    ($($(#[doc = $about:literal])* $name:ident { $($rule:tt)* })*) => {
        $(
            $(#[doc = $about])*
            #[derive(Debug)]
            pub enum $name {}

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    let about = [$($about),*].join("\n");
                    json_schema!({ "type": "string", "description": about.trim(), $($rule)* })
                }
            }
        )*
    };
}

texts! {
    /// An exact decimal of at least zero, as text: it never passes through a float.
    Decimal { "pattern": r"^[0-9]+(\.[0-9]+)?$", "examples": ["17.42"] }
    /// An instant, RFC 3339 in UTC.
    Instant { "format": "date-time", "examples": ["2026-11-24T07:30:00Z"] }
    /// A billing month, UTC.
    Month { "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])$", "examples": ["2026-11"] }
    /// An hour, UTC.
    Hour { "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}Z$", "examples": ["2026-11-24T07Z"] }
    /// A subscription: stable, opaque, derived from its license.
    SubscriptionId { "pattern": "^sub_[0-9a-f]{32}$", "examples": ["sub_0123456789abcdef0123456789abcdef"] }
    /// A license ARN. Two are the same when their last parts are.
    LicenseArn { "maxLength": 2048, "pattern": r"^[!-~]*license-manager:[!-~]*:l-[A-Za-z0-9]{1,128}$" }
    /// An AWS account.
    AccountId { "pattern": "^[0-9]{12}$" }
    /// An agreement of AWS Marketplace.
    AgreementId { "pattern": "^[A-Za-z0-9/_-]{1,64}$" }
    /// A plan of the catalog.
    PlanId { "pattern": "^[A-Za-z0-9_-]{1,64}$" }
    /// A feature of the catalog.
    FeatureId { "pattern": "^[A-Za-z0-9_-]{1,64}$" }
    /// A workspace of the platform.
    TenantId { "pattern": "^[A-Za-z0-9._:-]{1,128}$" }
    /// A pricing dimension of the listing, case-sensitive.
    Dimension { "maxLength": 255, "pattern": "^[!-\"$-~]+$" }
    /// The caller's key of one event or request.
    Key { "minLength": 1, "maxLength": 128, "pattern": "^[!-\"$-~]+$" }
    /// A SHA-256 digest.
    Hash { "pattern": "^[0-9a-f]{64}$" }
    /// How a listing charges.
    PricingModel { "enum": ["usage", "contract", "contract-with-consumption"] }
    /// How reports add up over a month.
    Aggregation { "enum": ["sum", "peak"] }
    /// What happens beyond what is included.
    Overage { "enum": ["billed", "blocked"] }
    /// Whether the buyer may use the product, and if not, why.
    Access { "enum": ["granted", "not-active", "not-registered", "on-hold", "ended"] }
    /// Who withholds access.
    Hold { "enum": ["seller", "advisory"] }
    /// Where a subscription stands.
    SubscriptionStatus { "enum": Status::ALL.map(Status::as_str).to_vec() }
}

/// Tags of a usage event, by key.
#[derive(Debug)]
pub enum Tags {}

impl JsonSchema for Tags {
    fn schema_name() -> Cow<'static, str> {
        "Tags".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // AWS's pattern, whose ` -=` is a range that holds digits, + - . : and / too.
        let of = |longest| json_schema!({ "type": "string", "pattern": format!("^[a-zA-Z_@ -=]{{1,{longest}}}$") });
        json_schema!({
            "type": "object",
            "description": "For the buyer's cost allocation, by key.",
            "maxProperties": 5,
            "propertyNames": of(100),
            "additionalProperties": of(256),
            "examples": [{ "CostCenter": "4711" }],
        })
    }
}

/// Any JSON.
#[derive(Debug)]
pub enum Anything {}

impl JsonSchema for Anything {
    fn schema_name() -> Cow<'static, str> {
        "Anything".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}

/// For a field whose text is one of some words.
#[macro_export]
macro_rules! words {
    ($($name:ident [$($word:literal),+ $(,)?])*) => {
        $(
            /// One of some words.
            #[derive(Debug)]
            pub(crate) enum $name {}

            impl schemars::JsonSchema for $name {
                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn inline_schema() -> bool {
                    true
                }

                fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    schemars::json_schema!({ "type": "string", "enum": [$($word),+] })
                }
            }
        )*
    };
}
