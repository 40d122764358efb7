//! Usage events, meters, and the records that bill them.

mod event;
mod meter;
mod record;
mod settlement;

pub use event::{UsageEvent, UsageRefusal, usage_month};
pub use meter::{Balance, Meter, MeterKey, Pending, QuotaExceeded, Terms};
pub use record::{MeteringRecord, ParkReason, RecordStatus};
pub use settlement::{
    Freeze, LARGEST_RECORD, MeteringPhase, freeze, freeze_heartbeat, pending_fate,
};
