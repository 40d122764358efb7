//! What the linker kept of the adapters in a function's binary.

use std::collections::BTreeSet;
use std::path::Path;

use object::{Object, ObjectSymbol};

/// What a binary can do, as its symbols tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linked {
    /// Port methods of the adapters, such as `Subscriptions.commit`.
    pub methods: BTreeSet<String>,
    /// SDK calls, such as `dynamodb:put_item`.
    pub calls: BTreeSet<String>,
}

/// Reads the symbols of a binary that is not stripped and was built without optimisation: inlining hides calls.
///
/// # Errors
/// When there is no such binary, or it has no symbols.
pub fn linked(binary: &Path) -> Result<Linked, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", binary.display());
    let data = std::fs::read(binary).map_err(|error| told(&error))?;
    let file = object::File::parse(&*data).map_err(|error| told(&error))?;
    let mut linked = Linked::default();
    for symbol in file.symbols().filter_map(|symbol| symbol.name().ok()) {
        let name = format!("{:#}", rustc_demangle::demangle(symbol));
        linked.methods.extend(port_method(&name));
        linked.calls.extend(sdk_call(&name));
    }
    if linked.calls.is_empty() {
        return Err(told(&"it makes no SDK call, so its symbols were stripped"));
    }
    Ok(linked)
}

/// Both spellings: `<T as app::ports::p::Port>::method` and `m::<impl app::ports::p::Port for T>::method`.
fn port_method(symbol: &str) -> Option<String> {
    if symbol.starts_with("lambda_shell::secrets::read") {
        return Some("Secrets.read".to_owned());
    }
    let (before, port) = symbol.split_once("app::ports::")?;
    let end = port.find(['>', ' '])?;
    let (path, after) = port.split_at(end);
    let implementor = if after.starts_with(" for ") { after } else { before };
    let ours = ["store_dynamodb::", "marketplace_aws::"];
    if !ours.iter().any(|adapter| implementor.contains(adapter)) {
        return None;
    }
    let method = after.split_once(">::")?.1;
    let method = method
        .split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))
        .next()?;
    if method.is_empty() {
        return None;
    }
    Some(format!("{}.{method}", path.rsplit("::").next()?))
}

/// `aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder::send`.
fn sdk_call(symbol: &str) -> Option<String> {
    let (service, rest) = symbol.strip_prefix("aws_sdk_")?.split_once("::operation::")?;
    let (operation, rest) = rest.split_once("::")?;
    rest.contains("FluentBuilder::send").then(|| format!("{service}:{operation}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_method_is_known_by_either_spelling() {
        let by_impl = "store_dynamodb::usage::<impl app::ports::usage::Usage for store_dynamodb::DynamoStore>::book";
        assert_eq!(port_method(by_impl).as_deref(), Some("Usage.book"));
        let qualified = "<marketplace_aws::topic::TenantSnsTopic as app::ports::marketplace::TenantTopic>::publish::{{closure}}";
        assert_eq!(port_method(qualified).as_deref(), Some("TenantTopic.publish"));
        let ours = "<local::bus::LocalTopic as app::ports::marketplace::TenantTopic>::publish";
        assert_eq!(port_method(ours), None, "not an adapter's");
    }

    #[test]
    fn an_sdk_call_is_known_by_its_sending() {
        let send = "aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder::send::{{closure}}";
        assert_eq!(sdk_call(send).as_deref(), Some("sqs:send_message"));
        assert_eq!(sdk_call("aws_sdk_sqs::operation::send_message::SendMessage::new"), None);
    }
}
