//! The AWS wire protocols (F§11): JSON 1.0 and 1.1 at `POST /`, rpc-v2-cbor at
//! `POST /service/<Service>/operation/<Op>`.

mod caller;
mod cbor;
mod dispatch;
mod error;
mod float;
mod http;
mod log;
mod shape;

pub(crate) use self::caller::Caller;
pub(crate) use self::error::{ApiError, Service};
pub(crate) use self::http::router;
pub use self::log::{Call, Protocol};
pub(crate) use self::shape::Shape;
