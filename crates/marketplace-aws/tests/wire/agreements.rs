//! DescribeAgreement and SendAgreementCancellationRequest: fact sheet §5.

use app::Error;
use app::ports::{AgreementDetails, AgreementService};
use domain::ids::AgreementId;
use jiff::Timestamp;
use marketplace_aws::Agreements;
use serde_json::{Value, json};

use crate::harness::{AGREEMENT, Line, cbor, refusal};

fn agreement() -> AgreementId {
    AGREEMENT.parse().unwrap()
}

fn line(status: u16, body: &Value) -> Line {
    Line::answering_in_cbor((0..9).map(|_| (status, cbor(body))))
}

async fn describe(line: &Line) -> Result<Option<AgreementDetails>, Error> {
    Agreements::connect(&line.config).describe(&agreement()).await
}

#[tokio::test]
async fn an_agreement_tells_its_chain_and_its_end() {
    let line = line(
        200,
        &json!({
            "agreementId": AGREEMENT, "initialAgreementId": "agmt-first",
            "endTime": "2027-05-30T21:36:03Z", "status": "ACTIVE",
        }),
    );
    let details = describe(&line).await.unwrap().unwrap();
    assert_eq!(details.initial, Some("agmt-first".parse().unwrap()));
    assert_eq!(details.ends, Some("2027-05-30T21:36:03Z".parse().unwrap()));
    assert_eq!(line.host(), "agreement-marketplace.us-east-1.amazonaws.com");
    assert_eq!(line.cbor_bodies(), [json!({ "agreementId": AGREEMENT })]);
}

#[tokio::test]
async fn pay_as_you_go_has_no_end() {
    let details = describe(&line(200, &json!({ "agreementId": AGREEMENT }))).await.unwrap();
    assert_eq!(details, Some(AgreementDetails::default()));
}

#[tokio::test(start_paused = true)]
async fn an_agreement_that_is_not_shown_is_no_failure_and_every_other_refusal_is() {
    for (status, code) in [(403, "AccessDeniedException"), (404, "ResourceNotFoundException")] {
        let answer = describe(&line(status, &refusal(code, "no"))).await.unwrap();
        assert_eq!(answer, None, "{code}");
    }
    for (status, code, transient) in [
        (429, "ThrottlingException", true),
        (500, "InternalServerException", true),
        (403, "ExpiredTokenException", false),
        (400, "ValidationException", false),
    ] {
        let error = describe(&line(status, &refusal(code, "no"))).await.unwrap_err();
        assert_eq!(error.is_transient(), transient, "{code}: {error:?}");
    }
}

#[tokio::test]
async fn a_cancellation_is_asked_without_claiming_a_reason_and_once_however_often_it_is_sent() {
    let now: Timestamp = "2026-11-24T07:00:00Z".parse().unwrap();
    let line = line(
        200,
        &json!({ "agreementCancellationRequestId": "acr-abcdefghijklm", "status": "PENDING_APPROVAL" }),
    );
    let agreements = Agreements::connect(&line.config);
    let first = agreements.request_cancellation(&agreement(), now).await.unwrap();
    agreements.request_cancellation(&agreement(), now).await.unwrap();
    assert_eq!((first.id.as_str(), first.at), ("acr-abcdefghijklm", now));
    let body = json!({ "agreementId": AGREEMENT, "reasonCode": "OTHER", "clientToken": AGREEMENT });
    assert_eq!(line.cbor_bodies(), [body.clone(), body]);
}

#[tokio::test]
async fn a_cancellation_that_cannot_be_named_again_is_an_error() {
    let agreements = Agreements::connect(&line(200, &json!({})).config);
    let now = Timestamp::UNIX_EPOCH;
    let error = agreements.request_cancellation(&agreement(), now).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn aws_may_refuse_a_cancellation_and_says_why() {
    let agreements =
        Agreements::connect(&line(409, &refusal("ConflictException", "asked already")).config);
    let now = Timestamp::UNIX_EPOCH;
    let error = agreements.request_cancellation(&agreement(), now).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    assert!(app::Chain(&error).to_string().contains("asked already"), "{error:?}");
}
