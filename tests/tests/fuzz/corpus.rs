//! The examples: what `events/` and `config/` hold, and what is in `tests/corpus/<target>/`.

use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The examples of a target, with others that are made elsewhere.
pub(crate) fn examples(target: &str, others: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let own = files(&root().join("tests/corpus").join(target));
    let all: Vec<_> = own.into_iter().map(|(_, bytes)| bytes).chain(others).collect();
    assert!(!all.is_empty(), "{target} has no examples");
    all
}

/// The example events of a function, as JSON.
pub(crate) fn events(function: &str) -> Vec<Value> {
    files(&root().join("events"))
        .into_iter()
        .filter(|(name, _)| name.starts_with(&format!("{function}.")))
        .map(|(_, bytes)| serde_json::from_slice(&bytes).unwrap())
        .collect()
}

/// The HTTP bodies in the example events of a function.
pub(crate) fn bodies(function: &str) -> Vec<Vec<u8>> {
    let body = |event: &Value| event["body"].as_str().map(|body| body.as_bytes().to_vec());
    events(function).iter().filter_map(body).collect()
}

pub(crate) fn plan_file() -> Vec<u8> {
    std::fs::read(root().join("config/plans.toml")).unwrap()
}
