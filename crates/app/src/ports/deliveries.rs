//! Deliveries of tenant notices to webhook endpoints, and the way there.

use std::future::Future;

use domain::delivery::{Delivery, EndpointHealth, EndpointName};
use jiff::{SignedDuration, Timestamp};

use super::{Cursor, Page, Saved};
use crate::Error;

/// The store of deliveries. It forgets a delivery 30 days after what it tells of.
pub trait Deliveries {
    /// Keeps a new delivery. One with its endpoint, time and id that is there already MUST be left as it is; the answer
    /// is then [`Saved::Overtaken`].
    fn add_delivery(
        &self,
        delivery: &Delivery,
    ) -> impl Future<Output = Result<Saved, Error>> + Send;

    /// Writes a delivery over the revision it was read with; MUST refuse any other.
    fn save_delivery(
        &self,
        delivery: &Delivery,
        expected: u64,
    ) -> impl Future<Output = Result<Saved, Error>> + Send;

    /// Lists what is due at or before `now`, of all endpoints, the longest due first.
    fn due_deliveries(
        &self,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u16,
    ) -> impl Future<Output = Result<Page<Delivery>, Error>> + Send;

    /// Lists an endpoint's deliveries of what happened at or after `from`, oldest first.
    fn deliveries(
        &self,
        endpoint: &EndpointName,
        from: Timestamp,
        after: Option<&Cursor>,
        limit: u16,
    ) -> impl Future<Output = Result<Page<Delivery>, Error>> + Send;

    /// How an endpoint does; unknown when nothing was kept.
    fn endpoint(
        &self,
        name: &EndpointName,
    ) -> impl Future<Output = Result<EndpointHealth, Error>> + Send;

    /// Writes how it does over the revision it was read with, 0 to create.
    fn save_endpoint(
        &self,
        health: &EndpointHealth,
        expected: u64,
    ) -> impl Future<Output = Result<Saved, Error>> + Send;
}

/// What an endpoint made of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// It took it.
    Taken {
        /// Its answer, in a few words.
        told: String,
    },
    /// It did not, or could not be reached.
    NotTaken {
        /// Why, in a few words.
        told: String,
        /// Whether it wants nothing more.
        gone: bool,
        /// How long it wants to be left alone, if it says so.
        patience: Option<SignedDuration>,
    },
}

/// The way to the endpoints.
pub trait Postman {
    /// Posts a delivery, signed at `now`. Never an error: whatever goes wrong is the endpoint's answer.
    fn post(&self, delivery: &Delivery, now: Timestamp) -> impl Future<Output = Posted> + Send;
}

/// What calls the sender back before its schedule would.
pub trait WakeUp {
    /// Asks to be called in `delay`. May do nothing for a delay that the schedule serves as well.
    fn wake_in(&self, delay: SignedDuration) -> impl Future<Output = Result<(), Error>> + Send;
}
