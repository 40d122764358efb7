//! Answers of POST requests.

use app::Error;
use app::ports::{Begun, Idempotency, RequestKey, SavedResponse};
use domain::time::after;
use jiff::{SignedDuration, Timestamp};

use crate::MemoryStore;
use crate::rows::RequestRow;

/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

impl Idempotency for MemoryStore {
    async fn begin(
        &self,
        request: &RequestKey,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Begun, Error> {
        let mut rows = self.up()?;
        let fresh = RequestRow {
            fingerprint: request.fingerprint.clone(),
            until,
            expires: after(now, KEPT),
            response: None,
        };
        let Some(row) = rows.requests.get(&place(request)).filter(|row| now < row.expires) else {
            rows.requests.insert(place(request), fresh);
            return Ok(Begun::Started);
        };
        if row.fingerprint != request.fingerprint {
            return Ok(Begun::OtherRequest);
        }
        match &row.response {
            Some(response) => Ok(Begun::Finished(response.clone())),
            None if now < row.until => Ok(Begun::InProgress { until: row.until }),
            None => {
                rows.requests.insert(place(request), fresh);
                Ok(Begun::Started)
            }
        }
    }

    async fn finish(
        &self,
        request: &RequestKey,
        response: &SavedResponse,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut rows = self.up()?;
        let held = rows.requests.get(&place(request));
        if held.is_some_and(|row| row.fingerprint != request.fingerprint) {
            let source = "the request belongs to another by now".into();
            return Err(Error::Unavailable { dependency: "the store", source });
        }
        let row = RequestRow {
            fingerprint: request.fingerprint.clone(),
            until: now,
            expires: after(now, KEPT),
            response: Some(response.clone()),
        };
        rows.requests.insert(place(request), row);
        Ok(())
    }

    async fn abandon(&self, request: &RequestKey) -> Result<(), Error> {
        let mut rows = self.up()?;
        let is_ours =
            |row: &RequestRow| row.response.is_none() && row.fingerprint == request.fingerprint;
        if rows.requests.get(&place(request)).is_some_and(is_ours) {
            rows.requests.remove(&place(request));
        }
        Ok(())
    }
}

fn place(request: &RequestKey) -> (String, String) {
    (request.scope.clone(), request.key.clone())
}
