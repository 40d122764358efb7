use super::*;

fn event(key: &str) -> Event {
    Event::of_metric("sub_1", key, "totalScans", "1", "2026-11-24T07:10:00Z".parse().unwrap())
}

fn keys(spool: &Spool) -> Vec<&str> {
    spool.waiting().values().map(|event| event.key.as_str()).collect()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usage.spool");
    (folder, path)
}

#[test]
fn what_was_taken_is_there_after_a_kill() {
    let (_folder, path) = folder();
    let mut spool = Spool::open(&path, 1 << 20).unwrap();
    spool.take(&[event("a"), event("b")]).unwrap();
    spool.take(&[event("c")]).unwrap();
    spool.done(&BTreeSet::from([1])).unwrap();
    drop(spool);
    let mut spool = Spool::open(&path, 1 << 20).unwrap();
    assert_eq!(keys(&spool), ["a", "c"]);
    spool.take(&[event("d")]).unwrap();
    assert_eq!(keys(&spool), ["a", "c", "d"]);
    assert_eq!(spool.damaged(), 0);
}

#[test]
fn a_torn_last_line_is_cut_off_wherever_it_broke() {
    let (_folder, path) = folder();
    let mut spool = Spool::open(&path, 1 << 20).unwrap();
    spool.take(&[event("a")]).unwrap();
    let whole = spool.size;
    spool.take(&[event("b")]).unwrap();
    drop(spool);
    let bytes = fs::read(&path).unwrap();
    for end in usize::try_from(whole).unwrap()..bytes.len() {
        fs::write(&path, &bytes[..end]).unwrap();
        let mut spool = Spool::open(&path, 1 << 20).unwrap();
        assert_eq!((keys(&spool), spool.damaged()), (vec!["a"], 0), "torn at {end}");
        spool.take(&[event("c")]).unwrap();
        drop(spool);
        assert_eq!(keys(&Spool::open(&path, 1 << 20).unwrap()), ["a", "c"]);
    }
}

#[test]
fn a_damaged_line_costs_itself_only_and_is_counted() {
    let (_folder, path) = folder();
    let mut spool = Spool::open(&path, 1 << 20).unwrap();
    spool.take(&[event("a"), event("b"), event("c")]).unwrap();
    drop(spool);
    let mut bytes = fs::read(&path).unwrap();
    let second = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 20;
    bytes[second] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let spool = Spool::open(&path, 1 << 20).unwrap();
    assert_eq!((keys(&spool), spool.damaged()), (vec!["a", "c"], 1));
}

#[test]
fn a_full_spool_takes_nothing_of_a_call_and_takes_again_when_there_is_room() {
    let (_folder, path) = folder();
    let mut spool = Spool::open(&path, 600).unwrap();
    spool.take(&[event("a"), event("b"), event("c")]).unwrap();
    let full = spool.take(&[event("d"), event("e")]);
    assert!(matches!(full, Err(SpoolError::Full { limit: 600 })), "{full:?}");
    assert_eq!(keys(&spool), ["a", "b", "c"]);
    spool.done(&BTreeSet::from([0, 1])).unwrap();
    spool.take(&[event("d"), event("e")]).unwrap();
    assert!(fs::metadata(&path).unwrap().len() <= 600, "it was written anew");
    drop(spool);
    assert_eq!(keys(&Spool::open(&path, 600).unwrap()), ["c", "d", "e"]);
}

#[test]
fn a_spool_of_which_everything_is_done_is_empty() {
    let (_folder, path) = folder();
    let mut spool = Spool::open(&path, 1 << 20).unwrap();
    spool.take(&[event("a"), event("b")]).unwrap();
    spool.done(&BTreeSet::from([0, 1])).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[test]
fn two_processes_do_not_share_a_spool() {
    let (_folder, path) = folder();
    let _first = Spool::open(&path, 1 << 20).unwrap();
    assert!(matches!(Spool::open(&path, 1 << 20), Err(SpoolError::InUse(_))));
}
