//! subscription-api
