//! ResolveCustomer: fact sheet §2.

use app::ports::{RegistrationService, RegistrationToken, ResolveError, ResolvedBuyer};
use marketplace_aws::Metering;
use serde_json::{Value, json};

use crate::harness::{ACCOUNT, AGREEMENT, LICENSE, Line, PRODUCT, printed, refusal};

const TOKEN: &str = "dG9rZW4+b2Y/YnV5ZXI=";

async fn resolve(line: &Line) -> Result<ResolvedBuyer, ResolveError> {
    let metering = Metering::connect(&line.config, "us-east-1");
    metering.resolve(&RegistrationToken::from_form(TOKEN.to_owned()).unwrap()).await
}

async fn refused(status: u16, body: Value) -> ResolveError {
    resolve(&Line::always(status, &body)).await.unwrap_err()
}

#[tokio::test]
async fn a_token_names_its_buyer() {
    let line = Line::answering([(
        200,
        json!({
            "CustomerIdentifier": "", "CustomerAWSAccountId": ACCOUNT, "ProductCode": PRODUCT,
            "LicenseArn": LICENSE, "Metadata": { "AgreementId": AGREEMENT },
        }),
    )]);
    let buyer = resolve(&line).await.unwrap();
    assert_eq!(buyer.product.as_str(), PRODUCT);
    assert_eq!(buyer.account, Some(ACCOUNT.parse().unwrap()));
    assert_eq!(buyer.license, Some(LICENSE.parse().unwrap()));
    assert_eq!(buyer.agreement, Some(AGREEMENT.parse().unwrap()));
    assert_eq!(buyer.customer, None);
    let sent: Value = serde_json::from_str(&line.body()).unwrap();
    assert_eq!(sent, json!({ "RegistrationToken": TOKEN }));
}

#[tokio::test]
async fn an_older_listing_names_its_customer_only() {
    let line = Line::answering([(
        200,
        json!({ "CustomerIdentifier": "X01EXAMPLEX", "ProductCode": PRODUCT }),
    )]);
    let buyer = resolve(&line).await.unwrap();
    assert_eq!(buyer.customer, Some("X01EXAMPLEX".parse().unwrap()));
    assert_eq!((buyer.account, buyer.license, buyer.agreement), (None, None, None));
}

#[tokio::test]
async fn one_name_is_the_buyers_link_or_our_role_by_its_status() {
    let expired = || refusal("ExpiredTokenException", "expired");
    assert!(matches!(refused(400, expired()).await, ResolveError::ExpiredToken));
    assert!(matches!(refused(403, expired()).await, ResolveError::Credentials(_)));
}

#[tokio::test]
async fn a_token_that_aws_does_not_know_or_cannot_read_is_the_buyers() {
    for code in ["InvalidTokenException", "ValidationError", "ValidationException"] {
        let error = refused(400, refusal(code, TOKEN)).await;
        assert!(matches!(error, ResolveError::InvalidToken), "{code}: {error:?}");
    }
}

#[tokio::test]
async fn our_own_trouble_is_never_the_buyers() {
    for (status, code) in [
        (403, "AccessDeniedException"),
        (403, "UnrecognizedClientException"),
        (400, "DisabledApiException"),
    ] {
        let error = refused(status, refusal(code, "no")).await;
        assert!(matches!(error, ResolveError::Credentials(_)), "{code}: {error:?}");
    }
    for (status, body) in [
        (400, refusal("ThrottlingException", "slowly")),
        (500, refusal("InternalServiceErrorException", "oh")),
        (400, refusal("SomethingNewException", "of some day")),
        (200, json!({ "CustomerAWSAccountId": ACCOUNT })),
    ] {
        let error = refused(status, body).await;
        assert!(matches!(error, ResolveError::Unavailable(_)), "{status}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_tried_again() {
    let buyer = json!({ "ProductCode": PRODUCT });
    let line = Line::answering([(400, refusal("ThrottlingException", "slowly")), (200, buyer)]);
    assert!(resolve(&line).await.is_ok());
    assert_eq!(line.calls(), 2);
}

#[tokio::test]
async fn no_error_prints_the_token() {
    for (status, code) in [
        (400, "InvalidTokenException"),
        (400, "ValidationException"),
        (400, "SomethingNewException"),
        (403, "InvalidSignatureException"),
        (500, "InternalServiceErrorException"),
    ] {
        let message = format!("Value '{TOKEN}' at 'registrationToken' is no good");
        let text = printed(&refused(status, refusal(code, &message)).await);
        assert!(!text.contains(TOKEN), "{text}");
    }
}
