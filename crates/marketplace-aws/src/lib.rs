//! marketplace-aws
