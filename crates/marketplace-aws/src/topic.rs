//! The tenant topic: notices to the platform over SNS.

use app::Error;
use app::ports::TenantTopic;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::MessageAttributeValue;
use domain::subscription::TenantNotice;

use crate::failure::Failure;
use crate::patience;

const SERVICE: &str = "SNS";

/// The topic that the platform subscribes to. Filter by the attribute `type`; drop revisions that were passed.
#[derive(Debug, Clone)]
pub struct TenantSnsTopic {
    client: Client,
    arn: String,
}

impl TenantSnsTopic {
    /// A topic by its ARN.
    pub fn connect(config: &aws_config::SdkConfig, arn: String) -> Self {
        let config = aws_sdk_sns::config::Builder::from(config)
            .timeout_config(patience::limits(config))
            .build();
        Self { client: Client::from_conf(config), arn }
    }
}

impl TenantTopic for TenantSnsTopic {
    async fn publish(&self, notice: &TenantNotice) -> Result<(), Error> {
        let corrupt = |source: app::BoxError| Error::Corrupt { what: "a tenant notice", source };
        let message = serde_json::to_string(notice).map_err(|error| corrupt(error.into()))?;
        let unbuildable = |error: BuildError| corrupt(error.into());
        self.client
            .publish()
            .topic_arn(&self.arn)
            .message(message)
            .message_attributes(
                "type",
                attribute("String", notice.kind.as_str()).map_err(unbuildable)?,
            )
            .message_attributes(
                "subscriptionId",
                attribute("String", notice.subscription_id.as_str()).map_err(unbuildable)?,
            )
            .message_attributes(
                "revision",
                attribute("Number", &notice.revision.to_string()).map_err(unbuildable)?,
            )
            .send()
            .await
            .map_err(|error| Failure::of(&error).into_error(SERVICE))?;
        Ok(())
    }
}

fn attribute(kind: &str, value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type(kind).string_value(value).build()
}
