//! The chain behind the signature.

use rcgen::ExtendedKeyUsagePurpose;

use crate::authority::{Authority, Leaf};
use crate::server::{Found, Sns};

/// The code with which a soundly signed message is refused under this certificate, or `believed`.
async fn judged(sns: &Sns, pem: String) -> &'static str {
    sns.put("leaf.pem", Found::Body(pem.into_bytes()));
    match sns.judge(&sns.notification("2").signed()).await {
        Ok(_) => "believed",
        Err(error) => error.code(),
    }
}

#[tokio::test]
async fn only_a_valid_certificate_for_sns_from_a_trusted_root_counts() {
    let root = Authority::root("root");
    let sound = Leaf::default();
    for (what, pem) in [
        ("expired", root.leaf(&Leaf { until: "2026-11-24", ..sound.clone() })),
        ("not valid yet", root.leaf(&Leaf { from: "2026-11-25", ..sound.clone() })),
        ("for another name", root.leaf(&Leaf { name: "sqs.example", ..sound.clone() })),
        (
            "for another purpose",
            root.leaf(&Leaf { purpose: ExtendedKeyUsagePurpose::ClientAuth, ..sound.clone() }),
        ),
        ("signed by itself", sound.self_signed()),
        ("of another root of the same name", Authority::root("root").leaf(&sound)),
        ("the root itself", root.pem.clone()),
        ("no certificate", "hello".to_owned()),
        ("broken", root.leaf(&sound).replacen("MII", "MIJ", 1)),
    ] {
        let sns = Sns::trusting(&root).await;
        assert_eq!(judged(&sns, pem).await, "untrusted_certificate", "{what}");
    }
    let sns = Sns::trusting(&root).await;
    assert_eq!(judged(&sns, root.leaf(&sound)).await, "believed");
}

#[tokio::test]
async fn a_sound_certificate_with_another_key_does_not_fit() {
    let root = Authority::root("root");
    let other_rsa = root.leaf(&Leaf { key: Some(1), ..Leaf::default() });
    let elliptic = root.leaf(&Leaf { key: None, ..Leaf::default() });
    for pem in [other_rsa, elliptic] {
        let sns = Sns::trusting(&root).await;
        assert_eq!(judged(&sns, pem).await, "bad_signature");
    }
}

#[tokio::test]
async fn issuers_in_between_may_come_along_or_are_fetched() {
    let root = Authority::root("root");
    let between = root.intermediate("between");
    let sns = Sns::trusting(&root).await;
    let together = format!("{}{}", between.leaf(&Leaf::default()), between.pem);
    assert_eq!(judged(&sns, together).await, "believed");

    let sns = Sns::trusting(&root).await;
    assert_eq!(judged(&sns, between.leaf(&Leaf::default())).await, "untrusted_certificate");

    let sns = Sns::trusting(&root).await;
    sns.put("between.cer", Found::Body(between.der.clone()));
    let pointing = Leaf { issuer_url: Some(format!("{}between.cer", sns.base)), ..Leaf::default() };
    assert_eq!(judged(&sns, between.leaf(&pointing)).await, "believed");
    assert_eq!(sns.asked(), ["leaf.pem", "between.cer"]);

    let sns = Sns::trusting(&root).await;
    let astray = Leaf { issuer_url: Some("http://169.254.169.254/".to_owned()), ..Leaf::default() };
    assert_eq!(judged(&sns, between.leaf(&astray)).await, "untrusted_certificate");
}

#[tokio::test]
async fn an_issuer_that_is_none_proves_nothing() {
    let root = Authority::root("root");
    let impostor = Authority::root("between");
    let sns = Sns::trusting(&root).await;
    sns.put("between.cer", Found::Body(impostor.der.clone()));
    let pointing = Leaf { issuer_url: Some(format!("{}between.cer", sns.base)), ..Leaf::default() };
    assert_eq!(judged(&sns, impostor.leaf(&pointing)).await, "untrusted_certificate");
}

#[tokio::test]
async fn a_certificate_is_fetched_once_and_judged_at_every_message() {
    let sns = Sns::sound().await;
    for _ in 0..3 {
        sns.judge(&sns.notification("1").signed()).await.unwrap();
    }
    assert_eq!(sns.asked(), ["leaf.pem"]);
    let root = Authority::root("root");
    let sns = Sns::trusting(&root).await;
    let brief = root.leaf(&Leaf { until: "2026-11-25", ..Leaf::default() });
    assert_eq!(judged(&sns, brief).await, "believed");
    let later = sns.notification("2").with("Timestamp", "2026-11-25T07:00:00.000Z").signed();
    let error = sns.judge_at(&later, "2026-11-25T07:00:00Z").await.unwrap_err();
    assert_eq!(error.code(), "untrusted_certificate", "it ran out while it was kept");
    assert_eq!(sns.asked(), ["leaf.pem"]);
}

#[tokio::test]
async fn what_may_pass_is_told_from_what_will_not() {
    for (found, code) in [
        (Found::Status(503), "unavailable"),
        (Found::Status(404), "untrusted_certificate"),
        (Found::Elsewhere, "untrusted_certificate"),
        (Found::Body(vec![b'x'; 65 * 1024]), "untrusted_certificate"),
    ] {
        let sns = Sns::sound().await;
        sns.put("odd.pem", found);
        let odd = sns.notification("2").with("SigningCertURL", &format!("{}odd.pem", sns.base));
        for _ in 0..2 {
            assert_eq!(sns.judge(&odd.clone().signed()).await.unwrap_err().code(), code);
        }
        let asked = if code == "unavailable" { 2 } else { 1 };
        assert_eq!(sns.asked().len(), asked, "what is of no use is left alone for a minute");
    }
}
