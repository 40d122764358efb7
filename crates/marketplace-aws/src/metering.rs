//! The metering service: BatchMeterUsage and ResolveCustomer.

mod answers;
mod wire;

use app::ports::{
    MeteringService, OutgoingRecord, RecordAnswer, RegistrationService, RegistrationToken,
    ResolveError, ResolvedBuyer, SubmitError,
};
use aws_sdk_marketplacemetering::Client;
use aws_sdk_marketplacemetering::config::retry::RetryConfig;
use domain::ids::{InvalidId, ProductCode};

use crate::failure::{Failure, Remedy};
use crate::patience;

/// Metering in one Region: AWS deduplicates per Region, so a deployment must use one only (fact sheet §3.3).
#[derive(Debug, Clone)]
pub struct Metering {
    client: Client,
}

impl Metering {
    /// A client for a Region.
    pub fn connect(config: &aws_config::SdkConfig, region: &str) -> Self {
        let region = aws_config::Region::new(region.to_owned());
        let config = aws_sdk_marketplacemetering::config::Builder::from(config)
            .region(region)
            .timeout_config(patience::limits(config))
            .build();
        Self { client: Client::from_conf(config) }
    }
}

impl MeteringService for Metering {
    async fn submit(
        &self,
        product: &ProductCode,
        records: &[OutgoingRecord],
    ) -> Result<Vec<RecordAnswer>, SubmitError> {
        let usage = wire::usage_records(records)?;
        let call = self
            .client
            .batch_meter_usage()
            // New listings are known by the license; a product code beside it would bill twice (fact sheet §3.3).
            .set_product_code(wire::is_legacy(records).then(|| product.to_string()))
            .set_usage_records(Some(usage))
            .customize()
            .config_override(
                aws_sdk_marketplacemetering::config::Builder::new()
                    .retry_config(RetryConfig::disabled()),
            )
            .mutate_request(wire::strip_empty_identifiers);
        match call.send().await {
            Ok(answer) => Ok(answers::read(records, &answer)),
            Err(error) => Err(submit_error(Failure::of(&error))),
        }
    }
}

fn submit_error(failure: Failure) -> SubmitError {
    let Failure { code, remedy, source } = failure;
    match remedy {
        Remedy::Retry => SubmitError::Retry(source),
        Remedy::Mend => SubmitError::Credentials { code, source },
        Remedy::Request => SubmitError::BadRecord { code, source },
    }
}

impl RegistrationService for Metering {
    async fn resolve(&self, token: &RegistrationToken) -> Result<ResolvedBuyer, ResolveError> {
        let answer = self
            .client
            .resolve_customer()
            .registration_token(token.expose())
            .send()
            .await
            .map_err(|error| resolve_error(Failure::of(&error)))?;
        let license = given(answer.license_arn.as_deref());
        let agreement =
            given(answer.metadata.as_ref().and_then(|metadata| metadata.agreement_id.as_deref()));
        let unreadable = |error: InvalidId| ResolveError::Unavailable(Box::new(error));
        Ok(ResolvedBuyer {
            product: answer.product_code.unwrap_or_default().parse().map_err(unreadable)?,
            account: given(answer.customer_aws_account_id.as_deref())
                .map(str::parse)
                .transpose()
                .map_err(unreadable)?,
            license: license.map(str::parse).transpose().map_err(unreadable)?,
            agreement: agreement.map(str::parse).transpose().map_err(unreadable)?,
            customer: given(answer.customer_identifier.as_deref())
                .map(str::parse)
                .transpose()
                .map_err(unreadable)?,
        })
    }
}

/// AWS sends empty texts for what a listing does not have.
fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn resolve_error(failure: Failure) -> ResolveError {
    let Failure { code, remedy, source } = failure;
    match (remedy, code.as_str()) {
        (Remedy::Mend, _) => ResolveError::Credentials(source),
        (Remedy::Request, "ExpiredTokenException") => ResolveError::ExpiredToken,
        (
            Remedy::Request,
            "InvalidTokenException"
            | "ValidationError"
            | "ValidationException"
            | "RequestEntityTooLargeException",
        ) => ResolveError::InvalidToken,
        // A refusal that AWS adds one day is not known to be the buyer's.
        (Remedy::Retry | Remedy::Request, _) => ResolveError::Unavailable(source),
    }
}
