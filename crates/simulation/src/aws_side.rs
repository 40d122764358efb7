//! What AWS starts: deliveries to the functions, and what comes of them.

use std::sync::atomic::{AtomicU64, Ordering};

use app::ports::Store;
use app::settlement::Budget;
use domain::time::Hour;
use jiff::Timestamp;
use reconciler::{Answer, Task};
use serde_json::{Value, json};

use crate::bug::Bug;
use crate::core::Letter;
use crate::dice::Dice;
use crate::laws;
use crate::task::After;
use crate::world::World;

impl<S: Store> World<S> {
    /// Gives a listener one to three notifications that are due, in any order; now and then one that another listener
    /// is at already.
    pub(crate) fn deliver(&mut self, dice: &mut Dice) {
        let (ignored, due): (Vec<_>, Vec<_>) =
            self.simulator.due_notifications().into_iter().partition(|it| self.ignores(&it.body));
        for notification in ignored {
            self.simulator.acknowledge(notification.id);
        }
        let twice = dice.one_in(8);
        let mut free: Vec<_> =
            due.into_iter().filter(|it| twice || !self.in_flight.contains(&it.id)).collect();
        if free.is_empty() {
            return;
        }
        let mut picked = Vec::new();
        for _ in 0..dice.between(1, 3) {
            if !free.is_empty() {
                picked.push(free.remove(dice.place(free.len())));
            }
        }
        let stale = self.core.is(Bug::TakeAStaleNotice).then(|| self.core.now());
        let messages = picked.iter().map(|it| {
            let body = stale.map_or_else(|| it.body.clone(), |now| arrived(&it.body, now));
            (it.id, body.to_string())
        });
        let event = sqs("notices", messages);
        let ids: Vec<u64> = picked.iter().map(|it| it.id).collect();
        self.in_flight.extend(&ids);
        self.taken.extend(picked);
        let deps = entitlement_listener::Deps {
            context: self.context.clone(),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
        };
        let name = format!("listener({})", list(&ids));
        self.start(&name, async move {
            let again = match entitlement_listener::handle(&deps, event).await {
                Ok(response) => numbers(response.failures()),
                Err(_) => ids.clone(),
            };
            After::Delivered { ids, again }
        });
    }

    /// The bugs: a notification that is acknowledged and not taken.
    fn ignores(&self, body: &Value) -> bool {
        let about = |action: &str| {
            let message = body.get("Message").and_then(Value::as_str).unwrap_or_default();
            message.contains(&format!("\"{action}\""))
        };
        (self.core.is(Bug::IgnoreSubscribeSuccess) && about("subscribe-success"))
            || (self.core.is(Bug::IgnoreUnsubscribePending) && about("unsubscribe-pending"))
    }

    /// The schedule fires, on time or out of it.
    pub(crate) fn schedule(&mut self, _dice: &mut Dice) {
        self.start_schedule();
    }

    pub(crate) fn start_schedule(&mut self) {
        let hour = Hour::of(self.core.now());
        self.run_scheduler(&format!("scheduler({hour})"), schedule(), Vec::new());
    }

    /// Gives a scheduler one or two letters of its queue.
    pub(crate) fn flush(&mut self, dice: &mut Dice) {
        let now = self.core.now();
        let visible: Vec<Letter> = {
            let inner = self.core.lock();
            let free = inner.letters.iter().filter(|letter| {
                letter.visible <= now && !self.letters_in_flight.contains(&letter.id)
            });
            free.take(usize::from(dice.one_in(2)).saturating_add(1)).cloned().collect()
        };
        if visible.is_empty() {
            return;
        }
        let bodies = visible
            .iter()
            .map(|letter| (letter.id, serde_json::to_string(&letter.request).unwrap_or_default()));
        let event = sqs("settlements", bodies);
        let ids: Vec<u64> = visible.iter().map(|letter| letter.id).collect();
        self.letters_in_flight.extend(&ids);
        self.run_scheduler(&format!("scheduler(letter {})", list(&ids)), event, ids);
    }

    fn run_scheduler(&mut self, name: &str, event: Value, ids: Vec<u64>) {
        let deps = metering_scheduler::Deps {
            context: self.context.clone(),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
        };
        // Some runs have little time, and hand the rest over to their queue.
        let patience = if self.started.is_multiple_of(5) { 6 } else { u64::MAX };
        let core = self.core.clone();
        self.start(name, async move {
            let left = AtomicU64::new(patience);
            let spent = move || {
                left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                    .is_err()
            };
            let pace = move || {
                let mut inner = core.lock();
                inner.allowed = inner.allowed.saturating_add(1);
            };
            let budget = Budget::paced(pace, spent);
            let again = match metering_scheduler::handle(&deps, event, &budget).await {
                Ok(metering_scheduler::Answer::Queue(response)) => numbers(response.failures()),
                Ok(metering_scheduler::Answer::Run(_)) => Vec::new(),
                Err(_) => ids.clone(),
            };
            After::Served { ids, again }
        });
    }

    /// Starts the notifier, from the stream or on its schedule.
    pub(crate) async fn notify(&mut self, dice: &mut Dice) {
        if dice.one_in(3) {
            let event = schedule();
            self.run_notifier("notifier(schedule)", event);
        } else {
            self.notify_stream(dice).await;
        }
    }

    /// Starts the notifier with what the stream shows of the outbox.
    pub(crate) async fn notify_stream(&mut self, dice: &mut Dice) {
        let Ok(page) = self.store.unpublished(None, 100).await else { return };
        if page.items.is_empty() {
            return;
        }
        let most = usize::try_from(dice.between(1, 5)).unwrap_or(1);
        let records = page.items.iter().take(most).enumerate().map(|(place, item)| {
            let image = store_dynamodb::stream_image(item).ok();
            let image = image.and_then(|image| serde_json::to_value(image).ok());
            json!({
                "eventID": place.to_string(),
                "eventName": "INSERT",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "us-east-1",
                "dynamodb": {
                    "Keys": {},
                    "NewImage": image,
                    "SequenceNumber": place.to_string(),
                    "StreamViewType": "NEW_IMAGE",
                    "SizeBytes": 1,
                    "ApproximateCreationDateTime": 0,
                },
            })
        });
        let event = json!({ "Records": records.collect::<Vec<_>>() });
        self.run_notifier("notifier(stream)", event);
    }

    fn run_notifier(&mut self, name: &str, event: Value) {
        let deps = tenant_notifier::Deps {
            context: self.context.clone(),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
        };
        self.start(name, async move {
            // What was not published stays in the outbox, and comes again from there.
            let _ = tenant_notifier::handle(&deps, event).await;
            After::Nothing
        });
    }

    /// Starts the reconciler for one of its tasks.
    pub(crate) fn reconcile(&mut self, task: Task) {
        if task == Task::Notices && !self.setup.reconciles {
            return;
        }
        let deps = reconciler::Deps {
            context: self.context.clone(),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
        };
        let task = task.as_str();
        self.start(&format!("reconciler({task})"), async move {
            let event = json!({ "task": task });
            match reconciler::handle(&deps, event, &Budget::endless()).await {
                Ok(Answer::Conservation(report)) => After::Weighed { broken: report.broken },
                // What failed is looked at again by the next run.
                Ok(_) | Err(_) => After::Nothing,
            }
        });
    }

    /// Acts on what a piece of work came to.
    pub(crate) fn finish(&mut self, work: &str, after: After) {
        match after {
            After::Delivered { ids, again } => {
                for id in ids {
                    self.in_flight.remove(&id);
                    if !again.contains(&id) {
                        self.simulator.acknowledge(id);
                        self.acknowledged.insert(id);
                    }
                }
            }
            After::Served { ids, again } => {
                let mut inner = self.core.lock();
                inner
                    .letters
                    .retain(|letter| !ids.contains(&letter.id) || again.contains(&letter.id));
                drop(inner);
                self.letters_in_flight.retain(|id| !ids.contains(id));
            }
            After::Reported { events, answers } => self.answered(&events, answers),
            After::Reserved { event, counts } => self.reserved(event, counts),
            After::Released { event, done, keeps } => self.gave_back(event, done, keeps),
            After::Registered { agreement, done } => {
                let known = self.registrations.entry(agreement).or_default();
                *known |= done;
            }
            After::Confirmed { subscription, done } => {
                if let Some(workspace) = self.core.lock().workspaces.get_mut(&subscription) {
                    workspace.to_confirm = !done;
                }
            }
            After::Kept { event, answer } => self.kept(event, answer),
            After::Weighed { broken } => {
                self.core
                    .hold(broken == 0, laws::THE_PRODUCT_AGREES, || format!("{broken} accused"));
            }
            After::Held { subscription, how } => {
                if let Some(hold) = self.holds.get_mut(&subscription) {
                    hold.end(work, how);
                }
            }
            After::Nothing => {}
        }
    }

    /// Starts the reconciler out of turn.
    pub(crate) fn look(&mut self, dice: &mut Dice) {
        if let Some(task) = dice.pick(&Task::ALL).copied() {
            self.reconcile(task);
        }
    }
}

fn schedule() -> Value {
    json!({ "detail-type": "Scheduled Event", "source": "aws.events", "detail": {} })
}

/// The bug: the notice's own time is lost, that of its arrival counts.
fn arrived(body: &Value, now: Timestamp) -> Value {
    let mut body = body.clone();
    if let Some(time) = body.get_mut("time") {
        *time = json!(now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    }
    body
}

fn sqs(queue: &str, messages: impl Iterator<Item = (u64, String)>) -> Value {
    let records = messages.map(|(id, body)| {
        json!({
            "messageId": id.to_string(),
            "receiptHandle": format!("receipt-{id}"),
            "body": body,
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:us-east-1:444455556666:{queue}"),
            "awsRegion": "us-east-1",
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

fn numbers<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<u64> {
    ids.filter_map(|id| id.parse().ok()).collect()
}

fn list(ids: &[u64]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
