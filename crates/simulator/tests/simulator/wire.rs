//! Protocol details that every operation shares (F§11).

use serde_json::json;
use simulator::{Pricing, Purchase};

use crate::harness::{Aws, authorization, member, usage};

#[tokio::test]
async fn an_unsigned_call_is_refused() {
    let aws = Aws::start(Pricing::Usage).await;
    let answer = reqwest::Client::new()
        .post(&aws.url)
        .header("x-amz-target", "AWSMPMeteringService.BatchMeterUsage")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
    assert!(answer.text().await.unwrap().contains("#MissingAuthenticationToken"));
}

#[tokio::test]
async fn a_wrong_scope_is_refused() {
    let aws = Aws::start(Pricing::Usage).await;
    let scope = authorization("AKID", "us-east-1").replace("aws-marketplace", "dynamodb");
    let answer = aws.request("BatchMeterUsage", "{}".into(), "AKID", "us-east-1");
    let mut request = answer.build().unwrap();
    request.headers_mut().insert("authorization", scope.parse().unwrap());
    let answer = reqwest::Client::new().execute(request).await.unwrap();
    assert_eq!(answer.status(), 403);
    let nowhere = aws.signed("BatchMeterUsage", json!({}), "AKID", "mars-north-1").await;
    assert_eq!(nowhere.error(), "InvalidSignatureException");
}

#[tokio::test]
async fn an_unknown_operation_is_not_found() {
    let aws = Aws::start(Pricing::Usage).await;
    let unknown = aws.call("DeleteEverything", json!({})).await;
    assert_eq!((unknown.status, unknown.error()), (404, "UnknownOperationException"));
    let (status, error) = aws.cbor("NoSuchService", "Op", &json!({})).await;
    assert_eq!(status, 404);
    assert!(member(&error, "message").is_text());
}

#[tokio::test]
async fn a_request_of_a_megabyte_is_too_large() {
    let aws = Aws::start(Pricing::Usage).await;
    let body = "x".repeat(1024 * 1024);
    let request = aws.request("BatchMeterUsage", body, "AKID", "us-east-1");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 413);
    assert!(answer.text().await.unwrap().contains("#RequestEntityTooLargeException"));
}

#[tokio::test]
async fn what_is_not_json_is_a_serialization_error() {
    let aws = Aws::start(Pricing::Usage).await;
    for body in ["", "[]", "{"] {
        let request = aws.request("BatchMeterUsage", body.into(), "AKID", "us-east-1");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400);
        assert!(answer.text().await.unwrap().contains("#SerializationException"), "{body}");
    }
}

#[tokio::test]
async fn answers_carry_a_request_id_the_content_type_and_the_namespace() {
    let aws = Aws::start(Pricing::Usage).await;
    for (operation, kind) in [
        ("ResolveCustomer", "application/x-amz-json-1.1"),
        ("DescribeAgreement", "application/x-amz-json-1.0"),
    ] {
        let request = aws.request(operation, "{}".into(), "AKID", "us-east-1");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], kind);
        assert_eq!(answer.headers()["x-amzn-requestid"].len(), 36);
    }
    let error = aws.call("ResolveCustomer", json!({ "RegistrationToken": "t" })).await;
    let expected = "com.amazonaws.marketplacemeteringservice#InvalidTokenException";
    assert_eq!(error.body["__type"], expected);
    assert!(error.body["message"].is_string());
    aws.simulator.switches(|it| it.error_namespace = "elsewhere".into());
    let error = aws.call("ResolveCustomer", json!({ "RegistrationToken": "t" })).await;
    assert_eq!(error.body["__type"], "elsewhere#InvalidTokenException");
}

#[tokio::test]
async fn metering_speaks_cbor_as_well() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase::default());
    let service = "AWSMPMeteringService";
    let body = json!({ "UsageRecords": [usage(&bought, "2026-11-10T10:00:00Z", 3)] });
    let (status, answer) = aws.cbor(service, "BatchMeterUsage", &body).await;
    assert_eq!(status, 200);
    let result = &member(&answer, "Results").as_array().unwrap()[0];
    assert_eq!(member(result, "Status").as_text(), Some("Success"));
    assert!(member(member(result, "UsageRecord"), "Timestamp").is_tag());
    let token = aws.simulator.fulfilment_form(&bought.agreement_id).unwrap()[0].1.clone();
    let body = json!({ "RegistrationToken": token });
    assert_eq!(aws.cbor(service, "ResolveCustomer", &body).await.0, 200);
}

#[tokio::test]
async fn the_log_keeps_the_last_thousand_calls() {
    let aws = Aws::start(Pricing::Usage).await;
    for number in 0..1001 {
        aws.call("ResolveCustomer", json!({ "RegistrationToken": number.to_string() })).await;
    }
    let calls = aws.simulator.calls();
    assert_eq!(calls.len(), 1000);
    assert_eq!(calls[0].request["RegistrationToken"], "1");
}
