//! What stands between the functions: queues with redelivery and dead letters, the tenant topic, and the event shapes
//! in which AWS would hand messages over.

mod delivery;
mod envelope;
mod ports;
mod queue;

pub use delivery::Answer;
pub use envelope::{scheduled_event, sqs_event, stream_event};
pub use ports::{LocalQueue, LocalTopic};
pub use queue::{
    BATCH, Bus, BusError, DeadLetter, Depth, Letter, MOST_RECEIVES, Queue, UnknownQueue, VISIBILITY,
};

pub(crate) use envelope::message_id;
pub(crate) use queue::later;
