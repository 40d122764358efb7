//! What is sold: one listing, its catalog and its rules of time.

use std::sync::Arc;

use domain::catalog::{Catalog, PricingModel};
use domain::ids::ProductCode;
use domain::time::MeteringWindow;

/// The listing that this deployment serves.
#[derive(Debug, Clone)]
pub struct Listing {
    /// AWS's product code.
    pub product: ProductCode,
    /// How it charges.
    pub pricing: PricingModel,
    /// Its plans.
    pub catalog: Arc<Catalog>,
    /// AWS's metering window.
    pub window: MeteringWindow,
    /// How many days old reported usage may be.
    pub late_usage_days: u16,
    /// Whether an idle subscription gets one zero record per complete hour, as AWS recommends.
    pub heartbeat: bool,
}

/// What a use case works with: the listing, the store, and the parts of AWS it needs (`()` where it needs none).
#[derive(Debug, Clone)]
pub struct Context<S, A = ()> {
    /// The listing.
    pub listing: Listing,
    /// The store.
    pub store: S,
    /// AWS.
    pub aws: A,
}
