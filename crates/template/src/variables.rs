//! A function's variables beside what its `Config` reads.

use crate::read::Template;

/// Read by functions and not set by the template.
const LEFT_OUT: &[&str] = &[
    // Lambda sets it.
    "AWS_REGION",
    // The catalog is built in, and the usual brand has variables; a file would have to be packed with the binary.
    "BRAND_FILE",
    "PLAN_CATALOG_FILE",
    // The secret itself is for a laptop; deployed, Secrets Manager keeps it.
    "MARKETPLACE_SECRET_TOKEN",
];

/// Set by the template and read by what the functions are made of.
const OF_LIBRARIES: &[&str] = &[
    // The TLS library's trusted roots.
    "SSL_CERT_FILE",
];

/// What is wrong with a function's variables, a sentence each; `read` is what its `Config` asks for.
///
/// # Errors
/// When the template cannot be read.
pub fn variable_problems(function: &str, read: &[&str]) -> Result<Vec<String>, String> {
    let set = Template::read()?.variables(function)?;
    let missing = read.iter().filter(|name| !set.contains(**name) && !LEFT_OUT.contains(name));
    let plain =
        read.contains(&"MARKETPLACE_SECRET_TOKEN") && !read.contains(&"MARKETPLACE_SECRET_ID");
    let plain = plain.then(|| {
        format!("{function} takes its secret from the environment only: read it as SecretsConfig, as the webhook does")
    });
    let used = |name: &str| read.contains(&name) || OF_LIBRARIES.contains(&name);
    let surplus = set.iter().filter(|name| !used(name));
    Ok(missing
        .map(|name| format!("{function} reads {name}: set it in template.yaml"))
        .chain(plain)
        .chain(surplus.map(|name| {
            format!("{function} is given {name} and does not read it: remove it from template.yaml")
        }))
        .collect())
}
