//! metering-scheduler
