//! The third gate: each record by itself is billed, a duplicate, or not subscribed (F§3.2, 3.3).

use jiff::Timestamp;
use rand::seq::SliceRandom;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

use super::admit::Admitted;
use crate::records::{Metered, Metering};
use crate::state::State;
use crate::switches::{
    BeforeActive, DuplicateEcho, EchoTimestamp, IdenticalResend, IdenticalResendId, OnOff,
    ResendAfterWindow, ResultOrder,
};
use crate::wire::{ApiError, Caller, Shape};

/// What became of a record.
enum Outcome {
    Success { record_id: String },
    Duplicate { record_id: String },
    NotSubscribed,
    Unprocessed,
}

impl State {
    pub(crate) fn batch_meter_usage(
        &mut self,
        caller: &Caller,
        request: &Value,
        now: Timestamp,
    ) -> Result<Shape, ApiError> {
        let batch = self.read_batch(request)?;
        let admitted = self.admit(caller, batch, now)?;
        let (mut results, mut unprocessed) = (Vec::new(), Vec::new());
        for one in admitted {
            let held = self.held_instead(&one);
            let mut echo = self.echo(&one, None);
            let held_echo = held.map(|held| self.echo(&one, Some(held)));
            let (record_id, status) = match self.settle(one, now) {
                Outcome::Success { record_id } => (Some(record_id), "Success"),
                Outcome::Duplicate { record_id } => {
                    echo = held_echo.unwrap_or(echo);
                    (Some(record_id), "DuplicateRecord")
                }
                Outcome::NotSubscribed => (None, "CustomerNotSubscribed"),
                Outcome::Unprocessed => {
                    unprocessed.push(echo);
                    continue;
                }
            };
            results.push(Shape::map([
                ("UsageRecord", echo),
                ("MeteringRecordId", record_id.into()),
                ("Status", status.into()),
            ]));
        }
        if self.switches.result_order == ResultOrder::Shuffled {
            results.shuffle(&mut self.random);
        }
        Ok(Shape::map([
            ("Results", Shape::List(results)),
            ("UnprocessedRecords", Shape::List(unprocessed)),
        ]))
    }

    fn settle(&mut self, one: Admitted, now: Timestamp) -> Outcome {
        let rate = self.switches.unprocessed_rate;
        if self.faults.unprocessed.strikes("BatchMeterUsage", rate, &mut self.random) {
            return Outcome::Unprocessed;
        }
        let row = one.key.row();
        let before = self.ledger.get(&row).map(|it| (it.quantity, it.record_id.clone()));
        let resend_counts =
            before.is_some() && self.switches.resend_after_window == ResendAfterWindow::AsBefore;
        match one.metering {
            Metering::Open => {}
            Metering::Closed if resend_counts => {}
            Metering::Closed => return Outcome::NotSubscribed,
            Metering::TooEarly => {
                return match self.switches.before_active {
                    BeforeActive::NotSubscribed => Outcome::NotSubscribed,
                    BeforeActive::SuccessUnbilled => {
                        Outcome::Success { record_id: self.ids.uuid("metering-record") }
                    }
                };
            }
        }
        if let Some((quantity, record_id)) = before {
            return self.settle_resend(&one, quantity == one.record.quantity, record_id);
        }
        let record_id = self.ids.uuid("metering-record");
        let agreement = self.agreements.get(&one.agreement_id).cloned();
        if self.switches.spend_threshold == OnOff::On
            && !self.ledger.values().any(|it| it.key.path == one.key.path)
            && let Some(agreement) = agreement.as_ref().filter(|it| it.ends.is_none())
        {
            self.tell_spend_threshold(agreement, now);
        }
        let metered = Metered {
            key: one.key,
            product_code: one.product_code,
            customer_identifier: one.customer_identifier,
            record_id: record_id.clone(),
            timestamp: one.record.timestamp,
            received: now,
            quantity: one.record.quantity,
            free_trial: agreement.is_some_and(|it| it.in_free_trial(one.record.timestamp)),
        };
        self.ledger.insert(row, metered);
        Outcome::Success { record_id }
    }

    /// The first write has won already (F§3.3).
    fn settle_resend(&mut self, one: &Admitted, identical: bool, first_id: String) -> Outcome {
        if !identical {
            return Outcome::Duplicate { record_id: first_id };
        }
        let record_id = match self.switches.identical_resend_id {
            IdenticalResendId::Same => first_id,
            IdenticalResendId::New => self.ids.uuid("metering-record"),
        };
        tracing::debug!(usage.dimension = one.key.dimension, "the same usage was sent again");
        match self.switches.identical_resend {
            IdenticalResend::Success => Outcome::Success { record_id },
            IdenticalResend::Duplicate => Outcome::Duplicate { record_id },
        }
    }

    /// The quantity that AWS holds under a record's key, where it shows that of a duplicate.
    fn held_instead(&self, one: &Admitted) -> Option<Decimal> {
        let held = self.ledger.get(&one.key.row()).map(|it| it.quantity);
        held.filter(|_| self.switches.duplicate_echo == DuplicateEcho::Held)
    }

    /// The record as it was sent, member by member; with `held`, the quantity is that.
    fn echo(&self, one: &Admitted, held: Option<Decimal>) -> Shape {
        let sent = one.record.timestamp;
        let timestamp = match self.switches.echo_timestamp {
            EchoTimestamp::Verbatim => sent,
            EchoTimestamp::Hour => {
                Timestamp::from_second(one.key.hour.saturating_mul(3600)).unwrap_or(sent)
            }
        };
        let members = one.record.sent.as_object().into_iter().flatten();
        let members = members.map(|(name, value)| match name.as_str() {
            "Timestamp" => (name.clone(), Shape::Time(timestamp)),
            "Quantity" | "QuantityAsDecimal" => {
                let held = held.map(|held| match (name.as_str(), held.to_u64()) {
                    ("Quantity", Some(whole)) => Value::from(whole),
                    _ => Value::from(held.to_string()),
                });
                (name.clone(), Shape::Json(held.unwrap_or_else(|| value.clone())))
            }
            _ => (name.clone(), Shape::Json(value.clone())),
        });
        Shape::Map(members.collect())
    }
}
