//! Fetching an export from the API.

use std::io::{self, Write};

use domain::audit::Line;
use serde::Deserialize;

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The API cannot be reached.
    #[error("the API cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    /// It refused.
    #[error("the API answered {0}")]
    Refused(u16),
    /// It answered something else.
    #[error("the API answered a line that is none of an export")]
    Unreadable,
    /// The export cannot be written.
    #[error("the export cannot be written")]
    Unwritable(#[from] io::Error),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<serde_json::Value>,
    next_cursor: Option<String>,
}

fn write_line(output: &mut impl Write, line: &Line) -> io::Result<()> {
    let text = serde_json::to_string(line).map_err(io::Error::from)?;
    writeln!(output, "{text}")
}

/// Writes all chains of a deployment, and answers how many chains and entries that is.
///
/// # Errors
/// When the API or the output fails: what was written is no export then, as it has no end.
pub async fn export(
    url: &str,
    key: &str,
    output: &mut impl Write,
) -> Result<(u64, u64), ExportError> {
    let client = reqwest::Client::new();
    let address = format!("{}/marketplace/audit", url.trim_end_matches('/'));
    let (mut subscriptions, mut entries) = (0_u64, 0_u64);
    let mut cursor: Option<String> = None;
    loop {
        let mut request = client.get(&address).bearer_auth(key);
        if let Some(cursor) = &cursor {
            request = request.query(&[("cursor", cursor)]);
        }
        let answer = request.send().await?;
        if !answer.status().is_success() {
            return Err(ExportError::Refused(answer.status().as_u16()));
        }
        let page: Page = answer.json().await?;
        for written in page.items {
            let line = Line::of(&written).ok_or(ExportError::Unreadable)?;
            match line {
                Line::Entry(_) => entries = entries.saturating_add(1),
                Line::Head { .. } => subscriptions = subscriptions.saturating_add(1),
                Line::End { .. } => return Err(ExportError::Unreadable),
            }
            write_line(output, &line)?;
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            write_line(output, &Line::End { subscriptions, entries })?;
            output.flush()?;
            return Ok((subscriptions, entries));
        }
    }
}
