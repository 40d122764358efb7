//! A stand-in for the seller's platform: it makes a workspace when asked for one, confirms it over the API as the real
//! one would, and writes to buyers who have registered.

use domain::subscription::{TenantNotice, TenantNoticeKind};
use serde_json::json;

use crate::bus::{Answer, Letter};
use crate::system::Handle;

/// Does what tenant notices ask for, and answers the ids of those to deliver again.
pub(crate) async fn serve(system: &Handle, letters: Vec<Letter>) -> Answer {
    let mut failed = Vec::new();
    for letter in letters {
        let notice: TenantNotice =
            serde_json::from_str(&letter.body).map_err(|error| error.to_string())?;
        if !serve_one(system, &notice).await? {
            failed.push(crate::bus::message_id(&letter));
        }
    }
    Ok(failed)
}

async fn serve_one(system: &Handle, notice: &TenantNotice) -> Result<bool, String> {
    match notice.kind {
        TenantNoticeKind::Registered => write_to_buyer(system, notice).await,
        TenantNoticeKind::Provision => confirm(system, notice).await,
        TenantNoticeKind::PlanChanged
        | TenantNoticeKind::Suspend
        | TenantNoticeKind::Resume
        | TenantNoticeKind::Revoke { .. }
        | TenantNoticeKind::QuotaReached { .. } => Ok(true),
    }
}

/// Confirms a workspace. A subscription that has ended meanwhile needs none.
async fn confirm(system: &Handle, notice: &TenantNotice) -> Result<bool, String> {
    let id = &notice.subscription_id;
    let tail: String = id.as_str().chars().skip(4).take(8).collect();
    let answer = reqwest::Client::new()
        .put(format!("{}/marketplace/subscriptions/{id}/tenant", system.url()))
        .bearer_auth(&system.secrets().api_key)
        .json(&json!({ "tenantId": format!("workspace-{tail}") }))
        .send()
        .await
        .map_err(|error| error.to_string())?;
    Ok(answer.status().is_success() || answer.status() == reqwest::StatusCode::CONFLICT)
}

/// Writes to the contact that the API names, once for each notice.
async fn write_to_buyer(system: &Handle, notice: &TenantNotice) -> Result<bool, String> {
    let (id, revision) = (&notice.subscription_id, notice.revision);
    if system.mailbox().knows(id, revision) {
        return Ok(true);
    }
    let answer = reqwest::Client::new()
        .get(format!("{}/marketplace/subscriptions/{id}/contact", system.url()))
        .bearer_auth(&system.secrets().api_key)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    if !answer.status().is_success() {
        return Ok(false);
    }
    let contact = answer.json().await.map_err(|error| error.to_string())?;
    system.mailbox().write(id, revision, contact, system.now());
    Ok(true)
}
