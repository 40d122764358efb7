//! What the reconciler is invoked for.

use app::BoxError;
use serde_json::Value;

/// A task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Weigh every open meter.
    Conservation,
    /// Read from AWS what notifications should have told.
    Notices,
    /// Measure what is at risk.
    Risk,
    /// Release reservations whose time is over.
    Reservations,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Conservation, Self::Notices, Self::Risk, Self::Reservations];

    /// Its name in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conservation => "conservation",
            Self::Notices => "notices",
            Self::Risk => "risk",
            Self::Reservations => "reservations",
        }
    }

    /// Reads `{"task": "…"}`, the whole input of a schedule or the detail of its event.
    ///
    /// # Errors
    /// An event of another kind.
    pub(crate) fn read(event: &Value) -> Result<Self, BoxError> {
        let named = event.get("task").or_else(|| event.pointer("/detail/task"));
        let name = named.and_then(Value::as_str).ok_or("the event names no task")?;
        let task = Self::ALL.into_iter().find(|task| task.as_str() == name);
        task.ok_or_else(|| format!("there is no task {name:?}").into())
    }
}
