//! The fulfilment form and `ResolveCustomer` (F§2).

use serde_json::{Value, json};
use simulator::switches::{
    ExtraFormFields, LegacyLicenseArn, ResolveLicenseArn, TokenReuse, TokenSupersede, WrongAccount,
};
use simulator::{Bought, Pricing, Purchase};

use crate::harness::{Answer, Aws, BUYER, CODE, options};

async fn bought() -> (Aws, Bought, String) {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase::default());
    let token = token(&aws, &bought);
    (aws, bought, token)
}

fn token(aws: &Aws, bought: &Bought) -> String {
    let form = aws.simulator.fulfilment_form(&bought.agreement_id).unwrap();
    assert_eq!(form[0].0, "x-amzn-marketplace-token");
    form[0].1.clone()
}

async fn resolve(aws: &Aws, token: &str) -> Answer {
    aws.call("ResolveCustomer", json!({ "RegistrationToken": token })).await
}

#[tokio::test]
async fn a_token_resolves_to_the_same_customer_until_it_expires() {
    let (aws, bought, token) = bought().await;
    let expected = json!({
        "CustomerIdentifier": "",
        "CustomerAWSAccountId": BUYER,
        "ProductCode": CODE,
        "LicenseArn": bought.license_arn,
        "Metadata": { "AgreementId": bought.agreement_id },
    });
    for _ in 0..2 {
        let answer = resolve(&aws, &token).await;
        assert_eq!((answer.status, &answer.body), (200, &expected));
    }
    aws.pass("3h 59m 59s");
    assert_eq!(resolve(&aws, &token).await.status, 200);
    aws.pass("1s");
    let expired = resolve(&aws, &token).await;
    assert_eq!((expired.status, expired.error()), (400, "ExpiredTokenException"));
}

#[tokio::test]
async fn a_token_that_was_never_minted_or_is_missing_is_refused() {
    let (aws, _, token) = bought().await;
    let decoded_twice = token.replace('+', " ");
    assert_eq!(resolve(&aws, &decoded_twice).await.error(), "InvalidTokenException");
    assert_eq!(resolve(&aws, "").await.error(), "ValidationException");
    let missing = aws.call("ResolveCustomer", json!({})).await;
    assert_eq!(missing.error(), "ValidationException");
    let number = aws.call("ResolveCustomer", json!({ "RegistrationToken": 1 })).await;
    assert_eq!(number.error(), "SerializationException");
}

#[tokio::test]
async fn single_use_and_supersede_are_switches() {
    let (aws, bought, old) = bought().await;
    aws.simulator.switches(|it| it.token_reuse = TokenReuse::SingleUse);
    assert_eq!(resolve(&aws, &old).await.status, 200);
    assert_eq!(resolve(&aws, &old).await.error(), "InvalidTokenException");
    aws.simulator.switches(|it| {
        it.token_reuse = TokenReuse::UntilExpiry;
        it.token_supersede = TokenSupersede::ExpireOlder;
    });
    let new = token(&aws, &bought);
    assert_eq!(resolve(&aws, &old).await.error(), "ExpiredTokenException");
    assert_eq!(resolve(&aws, &new).await.status, 200);
}

#[tokio::test]
async fn only_the_publishing_account_resolves() {
    let mut options = options(Pricing::Usage);
    options.accounts.insert("AKIDOTHER".into(), "999988887777".into());
    let aws = Aws::with(options).await;
    let bought = aws.subscriber(Purchase::default());
    let body = json!({ "RegistrationToken": token(&aws, &bought) });
    let call = || aws.signed("ResolveCustomer", body.clone(), "AKIDOTHER", "us-east-1");
    assert_eq!(call().await.error(), "InvalidTokenException");
    aws.simulator.switches(|it| it.wrong_account = WrongAccount::AccessDenied);
    let denied = call().await;
    assert_eq!((denied.status, denied.error()), (403, "AccessDeniedException"));
    let elsewhere = aws.signed("ResolveCustomer", body.clone(), "AKIDSELLER", "eu-west-1").await;
    assert_eq!(elsewhere.status, 200);
}

#[tokio::test]
async fn the_license_may_be_missing_at_first() {
    let aws = Aws::start(Pricing::Usage).await;
    aws.simulator.switches(|it| it.resolve_license_arn = ResolveLicenseArn::AfterLicenseUpdated);
    let bought = aws.simulator.buy(Purchase::default()).unwrap();
    let early = token(&aws, &bought);
    assert_eq!(resolve(&aws, &early).await.body.get("LicenseArn"), None);
    aws.pass("60s");
    assert_eq!(resolve(&aws, &early).await.body["LicenseArn"], json!(bought.license_arn));
    aws.simulator.switches(|it| it.resolve_license_arn = ResolveLicenseArn::AbsentFirstCall);
    let fresh = token(&aws, &bought);
    assert_eq!(resolve(&aws, &fresh).await.body.get("LicenseArn"), None);
    assert_eq!(resolve(&aws, &fresh).await.body["LicenseArn"], json!(bought.license_arn));
}

#[tokio::test]
async fn a_legacy_customer_has_an_identifier_and_a_license_only_if_switched() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase { legacy: true, ..Purchase::default() });
    let token = token(&aws, &bought);
    let answer = resolve(&aws, &token).await.body;
    assert_eq!(answer["CustomerIdentifier"], json!(bought.customer_identifier));
    assert_eq!(answer.get("LicenseArn"), None);
    aws.simulator.switches(|it| it.legacy_license_arn = LegacyLicenseArn::Present);
    assert_eq!(resolve(&aws, &token).await.body["LicenseArn"], json!(bought.license_arn));
}

#[tokio::test]
async fn the_form_tells_of_a_trial_and_more_if_switched() {
    let aws = Aws::start(Pricing::Usage).await;
    let trial = Purchase { free_trial: Some(14), ..Purchase::default() };
    let bought = aws.simulator.buy(trial).unwrap();
    let form = aws.simulator.fulfilment_form(&bought.agreement_id).unwrap();
    let names = |form: &[(String, String)]| -> Vec<String> {
        form.iter().map(|(name, _)| name.trim_start_matches("x-amzn-marketplace-").into()).collect()
    };
    assert_eq!(names(&form), ["token", "offer-type"]);
    assert_eq!(form[1].1, "free-trial");
    aws.simulator.switches(|it| it.extra_form_fields = ExtraFormFields::All);
    let form = aws.simulator.fulfilment_form(&bought.agreement_id).unwrap();
    let expected = ["token", "offer-type", "agreement-id", "product-id", "fulfillment-url"];
    assert_eq!(names(&form), expected);
    assert!(aws.simulator.fulfilment_form("agmt-none").is_err());
}

#[tokio::test]
async fn an_acceptors_token_lives_half_an_hour() {
    let mut options = options(Pricing::Usage);
    options.accounts.insert("AKIDBUYER".into(), BUYER.into());
    let aws = Aws::with(options).await;
    let bought = aws.subscriber(Purchase::default());
    let body = json!({ "agreementId": bought.agreement_id });
    let seller = aws.call("GetAgreementEntitlements", body.clone()).await.body;
    assert_eq!(seller["agreementEntitlements"][0].get("registrationToken"), None::<&Value>);
    let buyer = aws.signed("GetAgreementEntitlements", body, "AKIDBUYER", "us-east-1").await.body;
    let token = buyer["agreementEntitlements"][0]["registrationToken"].as_str().unwrap();
    aws.pass("29m");
    assert_eq!(resolve(&aws, token).await.status, 200);
    aws.pass("1m");
    assert_eq!(resolve(&aws, token).await.error(), "ExpiredTokenException");
}
