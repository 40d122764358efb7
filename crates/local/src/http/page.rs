//! The page for people: what this is, where everything is, and what to try.

use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;

use crate::guide;
use crate::system::Handle;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;\
color:#1b1f24}code,pre{font:14px/1.5 ui-monospace,monospace}pre{background:#f4f5f7;padding:.75rem;overflow-x:auto;\
white-space:pre-wrap;word-break:break-all}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}";

pub(super) fn router(system: &Handle) -> Router {
    Router::new().route("/", get(index)).with_state(system.clone())
}

async fn index(State(system): State<Handle>) -> Html<String> {
    let links = [
        ("/_local/state", "state of the queues and the clock"),
        ("/_local/reconciliation", "invoice beside what is due"),
        ("/_local/tenant-notices", "what the platform was told"),
        ("/_local/dead-letters", "messages that were set aside"),
        ("/_sim/agreements", "agreements, as AWS sees them"),
        ("/_sim/invoice", "what AWS would bill"),
        ("/marketplace/register", "the registration page, as seen without a token"),
        ("/marketplace/health", "health of the API"),
    ];
    let links = links
        .map(|(path, what)| format!("<li><a href=\"{path}\"><code>{path}</code></a> {what}</li>"))
        .concat();
    let steps: Vec<String> = guide::steps(&system)
        .iter()
        .map(|step| {
            let commands = escape(&step.commands.join("\n"));
            format!("<h2>{}</h2><pre>{commands}</pre>", escape(step.title))
        })
        .collect();
    let steps = steps.concat();
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>AWS Marketplace on a laptop</title>\
         <style>{STYLE}</style><h1>AWS Marketplace integration, on a laptop</h1>\
         <p>All functions, an embedded DynamoDB and a simulated AWS Marketplace run in this process. The listing charges \
         by <code>{}</code>; it is {} here.</p><ul>{links}</ul>{steps}</html>",
        system.pricing(),
        system.now().strftime("%Y-%m-%d %H:%M UTC"),
    ))
}

/// AWS's side of *Set up your account*: a form that the browser posts to the seller.
pub(super) fn fulfilment(fields: &[(String, String)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| {
            format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
        })
        .collect();
    let fields = fields.concat();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Simulated AWS Marketplace</title>\
         <style>{STYLE}</style><h1>Simulated AWS Marketplace</h1><p>You have subscribed.</p>\
         <form method=\"post\" action=\"/marketplace/register\">{fields}<button>Set up your account</button></form></html>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
