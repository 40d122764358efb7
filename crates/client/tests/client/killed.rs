use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::tempdir;

use crate::api::Api;
use crate::{event, open};

/// The test below.
const ITSELF: &str = "killed::what_was_promised_before_a_kill_is_delivered_after_it";

/// Where the child reports to.
const SPOOL: &str = "REPORT_FOR_EVER_TO";

/// Reports for ever, and says so after each.
async fn report_for_ever(spool: &Path) {
    let client = open("http://127.0.0.1:9", spool);
    for n in 0.. {
        client.report(&[event(&format!("k{n:06}"))]).await.unwrap();
        println!("reported k{n:06}");
    }
}

/// Runs itself once more in a process of its own, which reports until it is killed.
#[tokio::test]
async fn what_was_promised_before_a_kill_is_delivered_after_it() {
    if let Some(spool) = std::env::var_os(SPOOL) {
        return report_for_ever(spool.as_ref()).await;
    }
    let (api, folder) = (Api::start().await, tempdir().unwrap());
    let spool = folder.path().join("spool");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", ITSELF, "--nocapture"])
        .env(SPOOL, &spool)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let promised: Vec<String> = lines
        .map_while(Result::ok)
        .filter_map(|line| line.split_once("reported ").map(|(_, key)| key.to_owned()))
        .take(25)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(promised.len(), 25);

    let client = open(&api.url, &spool);
    let round = client.deliver(|_| ()).await;
    assert_eq!((round.waiting, client.damaged()), (0, 0));
    let counted = api.counted();
    for key in promised {
        assert!(counted.contains(&key), "{key} was promised and is lost");
    }
}
