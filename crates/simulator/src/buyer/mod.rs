//! The buyer's side of the marketplace: what people do in the AWS console.

mod cancellation;
mod change;
mod purchase;
mod sign;
mod token;

pub use self::change::ChangeError;
pub(crate) use self::purchase::quantities;
pub use self::purchase::{Bought, BuyError, Purchase};
