//! entitlement-listener
