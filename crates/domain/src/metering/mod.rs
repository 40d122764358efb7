//! Usage events, meters, and the records that bill them.

mod allocation;
mod conservation;
mod event;
mod meter;
mod record;
mod retry;
mod settlement;

pub use allocation::{
    Allocation, Allocations, Bucket, InvalidTags, MOST_TAG_SETS, MOST_TAGS, Tags,
};
pub use conservation::{BrokenLaw, Imbalance, Ingested, Ledger, weigh};
pub use event::{UsageEvent, UsageRefusal, usage_month};
pub use meter::{Balance, Lost, Meter, MeterKey, Pending, QuotaExceeded, Terms};
pub use record::{Closing, Line, MeteringRecord, ParkReason, RecordKey, RecordStatus};
pub use retry::{Retry, RetryRefusal, retry};
pub use settlement::{
    Freeze, LARGEST_RECORD, MeteringPhase, freeze, freeze_heartbeat, pending_fate,
};
