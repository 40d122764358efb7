//! The shape of the workspace, held by a test: which crate may know which, and what the pure core may not name.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

const FUNCTIONS: [&str; 8] = [
    "entitlement-listener",
    "metering-scheduler",
    "reconciler",
    "registration",
    "subscription-api",
    "tenant-notifier",
    "webhook",
    "webhook-sender",
];

/// What each of our packages may depend on among our packages. A package that is not listed fails the test.
fn allowed() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut allowed = BTreeMap::from([
        ("domain", BTreeSet::new()),
        ("app", BTreeSet::from(["domain"])),
        ("store-dynamodb", BTreeSet::from(["app", "domain"])),
        ("marketplace-aws", BTreeSet::from(["app", "domain"])),
        ("store-memory", BTreeSet::from(["app", "domain"])),
        // The store in memory only with the feature `fakes`, which no released binary enables.
        ("lambda-shell", BTreeSet::from(["app", "domain", "store-memory"])),
        ("pages", BTreeSet::from(["domain", "lambda-shell"])),
        ("simulator", BTreeSet::new()),
        ("audit", BTreeSet::from(["domain"])),
        ("template", BTreeSet::new()),
        ("client", BTreeSet::new()),
        ("guarded-http", BTreeSet::new()),
        ("sns-https", BTreeSet::from(["guarded-http"])),
    ]);
    for function in FUNCTIONS {
        allowed.insert(
            function,
            BTreeSet::from(["app", "domain", "lambda-shell", "marketplace-aws", "store-dynamodb"]),
        );
    }
    for (function, also) in
        [("webhook", &["guarded-http", "sns-https"][..]), ("webhook-sender", &["guarded-http"])]
    {
        allowed.entry(function).or_default().extend(also);
    }
    for function in ["registration", "subscription-api"] {
        allowed.entry(function).or_default().insert("pages");
    }
    let everything: BTreeSet<&str> = allowed.keys().copied().collect();
    allowed.insert("simulation", everything.clone());
    let everything: BTreeSet<&str> = everything.into_iter().chain(["simulation"]).collect();
    allowed.insert("local", everything.clone());
    allowed.insert("journeys", everything.into_iter().chain(["local"]).collect());
    allowed
}

fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
    // Packages for other platforms are not on this machine, and need not be.
    command.other_options(["--locked".to_owned(), "--filter-platform".to_owned(), host()]);
    command.no_deps();
    command.exec().unwrap()
}

/// The platform that the compiler builds for by default.
fn host() -> String {
    let said = std::process::Command::new("rustc").arg("-vV").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

#[test]
fn arrows_between_packages_point_inward_only() {
    let metadata = metadata();
    let ours: BTreeSet<String> =
        metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let allowed = allowed();
    for package in &metadata.packages {
        let may = allowed
            .get(package.name.as_str())
            .unwrap_or_else(|| panic!("{} is not in the table", package.name));
        for dependency in &package.dependencies {
            if dependency.kind == DependencyKind::Normal && ours.contains(&dependency.name) {
                assert!(
                    may.contains(dependency.name.as_str()),
                    "{} must not know {}",
                    package.name,
                    dependency.name
                );
            }
        }
    }
}

#[test]
fn nothing_that_is_released_reaches_the_simulator_or_the_local_system() {
    for function in FUNCTIONS {
        let seen = released_with(function);
        for never in [
            "simulator",
            "simulation",
            "local",
            "store-memory",
            "template",
            "dynoxide-rs",
            "rusqlite",
        ] {
            assert!(!seen.contains(never), "{function} reaches {never}");
        }
        assert!(seen.contains("domain"), "the walk saw the graph");
    }
}

/// Every package in a function's binary. Asked of `cargo tree` and not of the metadata, in which the features that tests
/// want are enabled as well.
fn released_with(function: &str) -> BTreeSet<String> {
    let tree = std::process::Command::new(env!("CARGO"))
        // Whoever builds with the features of the whole workspace, to build it once, does not release so.
        .env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .args(["tree", "--locked", "--package", function, "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}", "--target", &host()])
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let lines = String::from_utf8(tree.stdout).unwrap();
    lines.lines().filter_map(|line| line.split(' ').next()).map(ToOwned::to_owned).collect()
}

#[test]
fn the_domain_names_no_sdk_runtime_clock_or_environment() {
    let metadata = metadata();
    let domain =
        metadata.packages.iter().find(|package| package.name.as_str() == "domain").unwrap();
    let may = ["hex", "jiff", "rust_decimal", "serde", "serde_json", "sha2", "thiserror", "toml"];
    for dependency in domain.dependencies.iter().filter(|dep| dep.kind == DependencyKind::Normal) {
        assert!(
            may.contains(&dependency.name.as_str()),
            "domain must not depend on {}",
            dependency.name
        );
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/domain/src");
    for (path, text) in sources(&source) {
        for never in
            ["async fn", ".await", "std::env", "std::fs", "std::net", "::now()", "f64", "f32"]
        {
            assert!(!text.contains(never), "{path} says {never}");
        }
    }
}

#[test]
fn every_package_inherits_the_lints_and_has_a_readme_as_its_doc() {
    let metadata = metadata();
    for package in &metadata.packages {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} does not inherit the lints",
            package.name
        );
        let root = package.manifest_path.parent().unwrap();
        assert!(root.join("README.md").exists(), "{} has no README.md", package.name);
        let lib = std::fs::read_to_string(root.join("src/lib.rs")).unwrap();
        assert!(
            lib.contains("include_str!(\"../README.md\")"),
            "{} does not show its README",
            package.name
        );
    }
}

#[test]
fn every_function_has_a_directory_and_events_to_try_it_with() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let names = |folder: &str| -> Vec<String> {
        std::fs::read_dir(root.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    let mut functions = names("functions");
    functions.sort();
    assert_eq!(functions, FUNCTIONS);
    let events = names("events");
    for function in FUNCTIONS {
        let found = events.iter().any(|event| event.starts_with(function));
        assert!(found, "events/ has nothing for {function}");
    }
}

fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(!found.is_empty(), "{} has sources", folder.display());
    found
}
