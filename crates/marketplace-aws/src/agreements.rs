//! Agreements: what notices do not tell, and the seller's wish to cancel. Answered in us-east-1 only.

use app::Error;
use app::ports::{AgreementDetails, AgreementService};
use aws_sdk_marketplaceagreement::Client;
use aws_sdk_marketplaceagreement::types::AgreementCancellationRequestReasonCode;
use domain::ids::AgreementId;
use domain::subscription::CancellationRequest;
use jiff::Timestamp;

use crate::entitlements::HOME_REGION;
use crate::failure::Failure;
use crate::patience;

pub(crate) const SERVICE: &str = "AWS Marketplace agreements";

/// The agreements of the publishing account.
#[derive(Debug, Clone)]
pub struct Agreements {
    pub(crate) client: Client,
    /// The listing's `prod-…` id, which searches are limited to.
    pub(crate) product_id: Option<String>,
}

impl Agreements {
    /// A client in us-east-1, whatever the function's own Region.
    pub fn connect(config: &aws_config::SdkConfig) -> Self {
        let region = aws_config::Region::new(HOME_REGION);
        let config = aws_sdk_marketplaceagreement::config::Builder::from(config)
            .region(region)
            .timeout_config(patience::limits(config))
            .build();
        Self { client: Client::from_conf(config), product_id: None }
    }

    /// Limits searches to one listing, by its `prod-…` id: a seller's agreements do not name the product code.
    #[must_use]
    pub fn of_product(self, product_id: String) -> Self {
        Self { product_id: Some(product_id), ..self }
    }
}

impl AgreementService for Agreements {
    async fn describe(&self, agreement: &AgreementId) -> Result<Option<AgreementDetails>, Error> {
        let answer =
            match self.client.describe_agreement().agreement_id(agreement.as_str()).send().await {
                Ok(answer) => answer,
                Err(error) => {
                    let failure = Failure::of(&error);
                    // A reseller's agreement is not shown to the manufacturer (fact sheet §5.4).
                    return match failure.code.as_str() {
                        "AccessDeniedException" | "ResourceNotFoundException" => Ok(None),
                        _ => Err(failure.into_error(SERVICE)),
                    };
                }
            };
        Ok(Some(AgreementDetails {
            initial: answer.initial_agreement_id.and_then(|id| id.parse().ok()),
            ends: answer.end_time.and_then(|end| Timestamp::from_second(end.secs()).ok()),
        }))
    }

    async fn request_cancellation(
        &self,
        agreement: &AgreementId,
        now: Timestamp,
    ) -> Result<CancellationRequest, Error> {
        let answer = self
            .client
            .send_agreement_cancellation_request()
            .agreement_id(agreement.as_str())
            // The API's caller gives no reason, and the more special ones would claim one.
            .reason_code(AgreementCancellationRequestReasonCode::Other)
            // One wish per agreement: asking again after a lost answer is the same request.
            .client_token(agreement.as_str())
            .send()
            .await
            .map_err(|error| Failure::of(&error).into_error(SERVICE))?;
        let id = answer.agreement_cancellation_request_id.ok_or(Error::Corrupt {
            what: "the answer of SendAgreementCancellationRequest",
            source: "it has no id".into(),
        })?;
        Ok(CancellationRequest { id, at: now })
    }
}
