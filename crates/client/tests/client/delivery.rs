use client::{Client, Round, SpoolError, Trouble};
use tempfile::tempdir;

use crate::api::{Api, Weather};
use crate::{event, open};

async fn deliver(client: &Client) -> (Round, Vec<(String, String)>) {
    let mut refused = Vec::new();
    let round = client.deliver(|it| refused.push((it.event.key, it.code))).await;
    (round, refused)
}

#[tokio::test]
async fn usage_is_delivered_in_batches_and_counted_once() {
    let (api, folder) = (Api::start().await, tempdir().unwrap());
    let client = open(&api.url, &folder.path().join("spool"));
    let events: Vec<_> = (0..250).map(|n| event(&format!("k{n:03}"))).collect();
    client.report(&events).await.unwrap();
    let (round, refused) = deliver(&client).await;
    assert_eq!((round.accepted, round.waiting, round.trouble), (250, 0, None));
    assert_eq!((refused.len(), api.counted().len()), (0, 250));
    let seen = api.seen.lock().unwrap();
    assert_eq!((seen.requests, seen.largest), (3, 100));
    let sent = &seen.counted["k007"];
    assert_eq!(sent["quantity"], "1.5", "a decimal stays text");
    assert_eq!(sent["at"], "2026-11-24T07:10:00Z");
}

#[tokio::test]
async fn an_outage_keeps_everything_and_the_same_keys_go_out_after_it() {
    let (api, folder) = (Api::start().await, tempdir().unwrap());
    let client = open("http://127.0.0.1:9", &folder.path().join("spool"));
    client.report(&[event("a"), event("b")]).await.unwrap();
    let (round, _) = deliver(&client).await;
    assert!(matches!(round.trouble, Some(Trouble::NoAnswer(_))), "{round:?}");
    assert_eq!(client.waiting(), 2);
    drop(client);

    let client = open(&api.url, &folder.path().join("spool"));
    api.then([Weather::LostAnswer(502)]);
    let (round, _) = deliver(&client).await;
    assert!(matches!(round.trouble, Some(Trouble::Later { status: 502, .. })), "{round:?}");
    assert_eq!((client.waiting(), api.counted()), (2, vec!["a".to_owned(), "b".to_owned()]));
    let (round, _) = deliver(&client).await;
    assert_eq!((round.duplicate, round.waiting), (2, 0), "counted once");
}

#[tokio::test]
async fn the_loop_comes_again_after_429_and_5xx_until_it_is_through() {
    let (api, folder) = (Api::start().await, tempdir().unwrap());
    let client = open(&api.url, &folder.path().join("spool"));
    api.then([429, 500, 503, 401, 408].map(Weather::Status));
    client.report(&[event("a")]).await.unwrap();
    let looping = client.clone();
    let task = tokio::spawn(async move { looping.run(|_| ()).await });
    while client.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    client.report(&[event("b")]).await.unwrap();
    while client.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    task.abort();
    assert_eq!(api.counted(), ["a", "b"]);
    assert_eq!(api.seen.lock().unwrap().requests, 7);
}

#[tokio::test]
async fn a_refused_event_is_told_once_and_not_sent_again() {
    let (api, folder) = (Api::start().await, tempdir().unwrap());
    let client = open(&api.url, &folder.path().join("spool"));
    let mut wrong = event("wrong");
    wrong.metric = Some("nonsense".to_owned());
    client.report(&[event("a"), wrong, event("b")]).await.unwrap();
    let (round, refused) = deliver(&client).await;
    assert_eq!(refused, [("wrong".to_owned(), "unknown_dimension".to_owned())]);
    assert_eq!((round.accepted, round.refused, round.waiting), (2, 1, 0));
    drop(client);
    let client = open(&api.url, &folder.path().join("spool"));
    assert_eq!(deliver(&client).await, (Round::default(), vec![]));
    assert_eq!(api.seen.lock().unwrap().requests, 1);
}

#[tokio::test]
async fn an_event_that_spoils_its_request_is_found_and_the_others_go_through() {
    let (api, folder) = (Api::start().await, tempdir().unwrap());
    let client = open(&api.url, &folder.path().join("spool"));
    api.seen.lock().unwrap().poison = Some("k13".to_owned());
    let events: Vec<_> = (0..40).map(|n| event(&format!("k{n}"))).collect();
    client.report(&events).await.unwrap();
    let (round, refused) = deliver(&client).await;
    assert_eq!(refused, [("k13".to_owned(), "invalid_body".to_owned())]);
    assert_eq!((round.accepted, round.waiting), (39, 0));
    assert!(api.seen.lock().unwrap().requests < 20, "by halves, not one by one");
}

#[tokio::test]
async fn usage_of_a_subscription_that_is_none_does_not_hold_up_the_others() {
    let (api, folder) = (Api::start().await, tempdir().unwrap());
    let client = open(&api.url, &folder.path().join("spool"));
    let mut lost = event("lost");
    lost.subscription = "sub_2/../sub_1".to_owned();
    client.report(&[lost, event("a")]).await.unwrap();
    let (round, refused) = deliver(&client).await;
    assert_eq!(refused, [("lost".to_owned(), "unknown_subscription".to_owned())]);
    assert_eq!((round.accepted, api.counted()), (1, vec!["a".to_owned()]));
}

#[tokio::test]
async fn a_full_spool_says_so_and_keeps_what_it_had() {
    let folder = tempdir().unwrap();
    let spool = folder.path().join("spool");
    let mut options = client::Options::new("http://127.0.0.1:9", String::new, &spool);
    options.spool_limit = 1_000;
    let client = Client::open(options, reqwest::Client::new()).unwrap();
    let mut taken = 0;
    let full = loop {
        match client.report(&[event(&format!("k{taken}"))]).await {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, SpoolError::Full { limit: 1_000 }), "{full:?}");
    assert!(taken > 3);
    assert_eq!(client.waiting(), taken);
}
