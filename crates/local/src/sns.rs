//! SNS over HTTPS on a laptop: the simulator is its host, and its root is the trusted one.

use std::time::Duration;

use guarded_http::{Client, Limits, Networks};
use lambda_shell::config::SnsTopics;
use simulator::{SNS_NAME, Simulator};
use sns_https::{Hosts, Roots, Rules, Verifier};

const LIMITS: Limits = Limits { time: Duration::from_secs(4), body: 64 * 1024 };

/// Where the simulated SNS is.
pub(crate) struct Sns {
    pub(crate) url: String,
    pub(crate) simulator: Simulator,
}

/// The two legacy topics of the listing.
pub(crate) fn topics() -> String {
    let code = simulator::Product::default().code;
    let arn = |kind: &str| {
        format!("arn:aws:sns:us-east-1:287250355862:aws-mp-{kind}-notification-{code}")
    };
    [arn("subscription"), arn("entitlement")].join(",")
}

impl Sns {
    /// The webhook's judge, who believes the simulated SNS and nobody else.
    pub(crate) fn verifier(&self, SnsTopics(topics): SnsTopics) -> Option<Verifier> {
        let hosts = Hosts::StandIn { base: self.url.clone(), name: SNS_NAME.to_owned() };
        let roots = Roots::from_pem(self.simulator.sns_root().as_bytes()).ok()?;
        let client = Client::new(Networks::Any, LIMITS).ok()?;
        Some(Verifier::new(Rules { topics, hosts, roots }, client))
    }
}
