//! Which remedy each failure of BatchMeterUsage calls for: fact sheet §2.4, §3.6.

use app::ports::{MeteringService, OutgoingRecord, SubmitError};
use aws_config::SdkConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use domain::ids::LicenseRef;
use marketplace_aws::Metering;
use serde_json::{Value, json};

use crate::harness::{ACCOUNT, LICENSE, Line, PRODUCT, Silence, printed, refusal};

async fn failing(config: &SdkConfig) -> SubmitError {
    let record = OutgoingRecord {
        license: LicenseRef::License { arn: LICENSE.parse().unwrap() },
        account: Some(ACCOUNT.parse().unwrap()),
        dimension: "scans".parse().unwrap(),
        hour: "2026-11-24T07Z".parse().unwrap(),
        quantity: 17,
        allocations: Vec::new(),
    };
    let metering = Metering::connect(config, "us-east-1");
    metering.submit(&PRODUCT.parse().unwrap(), &[record]).await.unwrap_err()
}

/// The remedy of an answer, which is made once whatever it is: trying again belongs to the caller.
async fn remedy(status: u16, body: Value) -> String {
    let line = Line::always(status, &body);
    let error = failing(&line.config).await;
    assert_eq!(line.calls(), 1, "{status} {body}");
    match error {
        SubmitError::Retry(_) => "retry".to_owned(),
        SubmitError::BadRecord { code, .. } => format!("bad record: {code}"),
        SubmitError::Credentials { code, .. } => format!("mend: {code}"),
    }
}

#[tokio::test]
async fn what_may_pass_is_for_the_caller_to_try_again() {
    for (status, code) in [
        (500, "InternalServiceErrorException"),
        (400, "ThrottlingException"),
        (429, "ThrottlingException"),
        (503, "ServiceUnavailable"),
        (504, "GatewayTimeout"),
    ] {
        assert_eq!(remedy(status, refusal(code, "later")).await, "retry", "{code}");
    }
    assert_eq!(remedy(502, json!("<html>Bad gateway</html>")).await, "retry");
    assert_eq!(remedy(400, json!({})).await, "retry", "nobody of AWS's said that");
    assert_eq!(remedy(200, json!("not an answer")).await, "retry", "it may have taken effect");
}

#[tokio::test]
async fn a_bad_record_is_named_by_awss_code() {
    for (status, code) in [
        (400, "TimestampOutOfBoundsException"),
        (400, "InvalidUsageDimensionException"),
        (400, "InvalidLicenseException"),
        (400, "InvalidCustomerIdentifierException"),
        (400, "InvalidTagException"),
        (400, "InvalidUsageAllocationsException"),
        (400, "ValidationException"),
        (400, "ValidationError"),
        (413, "RequestEntityTooLargeException"),
    ] {
        let expected = format!("bad record: {code}");
        assert_eq!(remedy(status, refusal(code, "no")).await, expected);
    }
}

#[tokio::test]
async fn what_only_a_human_can_mend_is_named_by_awss_code() {
    for (status, code) in [
        (403, "ExpiredTokenException"),
        (403, "AccessDeniedException"),
        (400, "AccessDeniedException"),
        (403, "UnrecognizedClientException"),
        (403, "MissingAuthenticationTokenException"),
        (403, "InvalidSignatureException"),
        (400, "DisabledApiException"),
        (400, "InvalidProductCodeException"),
        (404, "UnknownOperationException"),
    ] {
        assert_eq!(remedy(status, refusal(code, "no")).await, format!("mend: {code}"));
    }
}

#[tokio::test]
async fn a_broken_line_may_have_carried_the_batch() {
    let line = Line::answering([]);
    assert!(matches!(failing(&line.config).await, SubmitError::Retry(_)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_is_given_up() {
    let config = Line::answering([]).config.into_builder().http_client(Silence).build();
    let error = failing(&config).await;
    assert!(matches!(error, SubmitError::Retry(_)), "{error:?}");
    assert!(printed(&error).contains("operation attempt timeout"), "{error:?}");
}

#[derive(Debug)]
struct NoCredentials;

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("nowhere to be found")))
    }
}

#[tokio::test]
async fn without_credentials_nothing_is_sent_and_a_human_is_needed() {
    let line = Line::answering([]);
    let config = line.config.clone().into_builder();
    let provider = aws_credential_types::provider::SharedCredentialsProvider::new(NoCredentials);
    let error = failing(&config.credentials_provider(provider).build()).await;
    assert!(matches!(error, SubmitError::Credentials { .. }), "{error:?}");
    assert_eq!(line.calls(), 0);
}

#[tokio::test]
async fn an_error_says_which_and_never_prints_what_was_answered() {
    let secret = "x-amz-security-token:SESSION";
    let line = Line::always(403, &refusal("InvalidSignatureException", secret));
    let text = printed(&failing(&line.config).await);
    assert!(text.contains("InvalidSignatureException") && !text.contains("SESSION"), "{text}");
    let line = Line::always(403, &refusal("AccessDeniedException", "User: arn is not authorized"));
    let text = printed(&failing(&line.config).await);
    assert!(text.contains("User: arn is not authorized"), "{text}");
    let line = Line::always(200, &json!({ "Results": "SESSION" }));
    let text = printed(&failing(&line.config).await);
    assert!(!text.contains("SESSION"), "{text}");
}
