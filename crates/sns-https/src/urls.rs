//! Which URLs are SNS's.

use http::Uri;
use http::uri::Scheme;

/// Whose URLs are visited, and which names its certificate may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// SNS, in the Region of the message's topic.
    Aws,
    /// A stand-in: everything that begins with `base`. For tests and the local system.
    StandIn {
        /// What its URLs begin with.
        base: String,
        /// The name in its certificate.
        name: String,
    },
}

impl Hosts {
    /// Whether a certificate may be fetched there.
    pub(crate) fn may_fetch(&self, url: &str, topic: &str) -> bool {
        match self {
            Self::Aws => sns(url, topic)
                .is_some_and(|uri| is_certificate(uri.path()) && uri.query().is_none()),
            Self::StandIn { base, .. } => url.starts_with(base.as_str()),
        }
    }

    /// Whether a subscription to `topic` may be confirmed there.
    pub(crate) fn may_confirm(&self, url: &str, topic: &str) -> bool {
        let query = match self {
            Self::Aws => sns(url, topic)
                .filter(|uri| uri.path() == "/")
                .and_then(|uri| uri.query().map(str::to_owned)),
            Self::StandIn { base, .. } => url
                .starts_with(base.as_str())
                .then(|| url.split_once('?').map(|(_, query)| query.to_owned()))
                .flatten(),
        };
        query.is_some_and(|query| {
            let has = |wanted: &str| query.split('&').any(|part| part == wanted);
            let escaped = topic.replace(':', "%3A");
            has("Action=ConfirmSubscription")
                && (has(&format!("TopicArn={topic}")) || has(&format!("TopicArn={escaped}")))
        })
    }

    /// Whether an issuer's certificate may be fetched there.
    pub(crate) fn may_fetch_issuer(&self, url: &str) -> bool {
        match self {
            Self::Aws => url.parse::<Uri>().is_ok_and(|uri| {
                let trust_services = uri.host().is_some_and(|host| {
                    host.strip_prefix("crt.").is_some_and(|host| host.ends_with(".amazontrust.com"))
                });
                trust_services && uri.port().is_none() && plain_authority(&uri)
            }),
            Self::StandIn { base, .. } => url.starts_with(base.as_str()),
        }
    }

    /// The names that the certificate of a topic's messages may have.
    pub(crate) fn names(&self, topic: &str) -> Vec<String> {
        match self {
            Self::Aws => {
                let (Some(region), Some(suffix)) = (region(topic), suffix(topic)) else {
                    return Vec::new();
                };
                vec![
                    format!("sns.{suffix}"),
                    format!("sns.{region}.{suffix}"),
                    format!("sns-signing.{region}.{suffix}"),
                ]
            }
            Self::StandIn { name, .. } => vec![name.clone()],
        }
    }
}

/// The URL, when it is https at exactly SNS's host in the topic's Region: a mere "ends with amazonaws.com" would let in
/// everybody who has a bucket.
fn sns(url: &str, topic: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let host = format!("sns.{}.{}", region(topic)?, suffix(topic)?);
    let right = uri.scheme() == Some(&Scheme::HTTPS)
        && uri.host() == Some(host.as_str())
        && uri.port().is_none()
        && plain_authority(&uri);
    right.then_some(uri)
}

fn plain_authority(uri: &Uri) -> bool {
    uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
}

/// `arn:aws:sns:us-east-1:…`.
fn region(topic: &str) -> Option<&str> {
    let region = topic.split(':').nth(3)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (region.len() >= 3 && region.chars().all(plain)).then_some(region)
}

fn suffix(topic: &str) -> Option<&'static str> {
    match topic.split(':').nth(1)? {
        "aws" | "aws-us-gov" => Some("amazonaws.com"),
        "aws-cn" => Some("amazonaws.com.cn"),
        _ => None,
    }
}

/// `/SimpleNotificationService-<hash>.pem`.
fn is_certificate(path: &str) -> bool {
    path.strip_prefix("/SimpleNotificationService-")
        .and_then(|rest| rest.strip_suffix(".pem"))
        .is_some_and(|hash| {
            (1..=64).contains(&hash.len()) && hash.chars().all(|c| c.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-abcd";

    #[test]
    fn a_certificate_is_fetched_from_sns_in_the_topics_region_only() {
        let may = |url: &str| Hosts::Aws.may_fetch(url, TOPIC);
        assert!(may("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abcd.pem"));
        for bad in [
            "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abcd.pem",
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abcd.pem",
            "https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-0123abcd.pem",
            "https://evil.example/sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abcd.pem",
            "https://sns.us-east-1.amazonaws.com@evil.example/SimpleNotificationService-0123abcd.pem",
            "https://bucket.s3.amazonaws.com/SimpleNotificationService-0123abcd.pem",
            "https://sns.us-east-1.amazonaws.com:8443/SimpleNotificationService-0123abcd.pem",
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abcd.pem?x=.pem",
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-../x.pem",
            "https://sns.us-east-1.amazonaws.com/other.pem",
            "https://169.254.169.254/SimpleNotificationService-0123abcd.pem",
            "file:///SimpleNotificationService-0123abcd.pem",
            "",
        ] {
            assert!(!may(bad), "{bad}");
        }
        let china = "arn:aws-cn:sns:cn-north-1:1:t";
        let url = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-a.pem";
        assert!(Hosts::Aws.may_fetch(url, china));
        assert!(!Hosts::Aws.may_fetch(url, TOPIC));
    }

    #[test]
    fn only_the_topics_own_subscription_is_confirmed() {
        let may = |url: &str| Hosts::Aws.may_confirm(url, TOPIC);
        let at = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription";
        assert!(may(&format!("{at}&TopicArn={TOPIC}&Token=t")));
        assert!(may(&format!("{at}&TopicArn={}&Token=t", TOPIC.replace(':', "%3A"))));
        assert!(!may(&format!("{at}&TopicArn={TOPIC}x&Token=t")));
        assert!(!may(&format!("{at}&Token=t")));
        let delete = at.replace("ConfirmSubscription", "DeleteTopic");
        assert!(!may(&format!("{delete}&TopicArn={TOPIC}&Token=t")));
        assert!(!may(&format!(
            "https://evil.example/?Action=ConfirmSubscription&TopicArn={TOPIC}"
        )));
    }

    #[test]
    fn issuers_are_fetched_from_amazon_trust_services_only() {
        let may = |url: &str| Hosts::Aws.may_fetch_issuer(url);
        assert!(may("http://crt.r2m02.amazontrust.com/r2m02.cer"));
        assert!(!may("http://crt.evilamazontrust.com/r2m02.cer"));
        assert!(!may("http://crt.r2m02.amazontrust.com.evil.example/r2m02.cer"));
        assert!(!may("http://crt.r2m02.amazontrust.com:81/r2m02.cer"));
        assert!(!may("http://169.254.169.254/"));
    }
}
