//! The SNS topics that may deliver to us over HTTPS.

use super::{Configuration, Reader};

/// `SNS_TOPIC_ARNS`: a comma-separated list; without it no message of SNS is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnsTopics(pub Vec<String>);

impl Configuration for SnsTopics {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let rule = "ARNs of SNS topics, separated by commas";
        vars.or("SNS_TOPIC_ARNS", rule, Self::default(), |text| {
            let arns: Vec<_> = text.split(',').map(|arn| arn.trim().to_owned()).collect();
            arns.iter().all(|arn| is_topic(arn)).then_some(Self(arns))
        })
    }
}

/// `arn:aws:sns:us-east-1:111122223333:name`, and no more parts: one more is a subscription.
fn is_topic(arn: &str) -> bool {
    let parts: Vec<_> = arn.split(':').collect();
    matches!(parts.as_slice(), ["arn", partition, "sns", region, account, name]
        if [partition, region, account, name].iter().all(|part| !part.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Vars;

    fn read(text: &str) -> Option<Vec<String>> {
        SnsTopics::from_vars(&Vars::of([("SNS_TOPIC_ARNS", text)])).ok().map(|topics| topics.0)
    }

    #[test]
    fn topics_are_listed_by_their_whole_arn() {
        let (one, two) = ("arn:aws:sns:us-east-1:1:a", "arn:aws:sns:us-east-1:1:b");
        assert_eq!(read(&format!("{one}, {two}")).unwrap(), [one, two]);
        assert_eq!(read("").unwrap(), Vec::<String>::new());
        for bad in
            ["*", "arn:aws:sns:us-east-1:1:a:subscription", "arn:aws:sqs:us-east-1:1:a", "a,"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
