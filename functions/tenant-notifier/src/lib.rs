//! tenant-notifier
