//! Every function, composed as its `main` composes it: configuration from variables, the real adapters. Only SQS and SNS
//! are the bus.

use app::ports::OutboxItem;
use app::{Clock, Context, Listing};
use axum::Router;
use domain::catalog::PricingModel;
use guarded_http::{Networks, NoTls};
use lambda_shell::batch::BatchResponse;
use lambda_shell::config::{self, Configuration, InvalidConfig, Vars};
use lambda_shell::failure::Failure;
use lambda_shell::logs::Chain;
use lambda_shell::metrics::Metrics;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use store_dynamodb::DynamoStore;
use webhook_sender::HttpPostman;

use crate::aws::LocalAws;
use crate::bus::{Answer, Bus, LocalTopic, Queue};
use crate::secrets::Secrets;
use crate::tables::Tables;
use crate::webhooks::{Inbox, LocalWakeUp};

/// What an invocation of the metering scheduler may take; Lambda's longest.
const SCHEDULER_TIME: Duration = Duration::from_mins(15);

/// Why the functions could not be composed.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A function's configuration.
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] NoTls),
}

/// What the functions are composed of.
pub(crate) struct Parts {
    pub(crate) store: DynamoStore,
    pub(crate) tables: Tables,
    /// The simulator's address.
    pub(crate) marketplace: String,
    pub(crate) bus: Bus,
    pub(crate) sns: crate::sns::Sns,
    pub(crate) clock: simulator::Clock,
    pub(crate) secrets: Secrets,
    pub(crate) pricing: PricingModel,
    pub(crate) heartbeat: bool,
    pub(crate) platform: bool,
    /// The address of the endpoint that is told by webhooks, if there is one.
    pub(crate) webhook_url: Option<String>,
    pub(crate) inbox: Inbox,
    pub(crate) brand: Option<String>,
    pub(crate) metrics: Metrics,
}

impl Parts {
    /// Who listens to the tenant topic.
    fn subscribers(&self) -> Vec<Queue> {
        let platform = self.platform.then_some(Queue::Platform);
        platform.into_iter().chain(self.webhook_url.as_ref().map(|_| Queue::Webhooks)).collect()
    }

    /// The variables that the template would set.
    fn vars(&self) -> Vars {
        let webhooks = self.webhook_url.as_deref().map(|url| self.inbox.configuration(url));
        let heartbeat = if self.heartbeat { "on" } else { "off" };
        let brand = match &self.brand {
            Some(file) => vec![("BRAND_FILE", file.as_str())],
            None => vec![
                ("PRODUCT_NAME", "AI Compliance Shepherd"),
                ("SUPPORT_EMAIL", "support@example.com"),
                ("LOGIN_URL", "https://app.example.com/sign-in"),
            ],
        };
        let (product, pricing) = (simulator::Product::default(), self.pricing.to_string());
        let vars = [
            ("AWS_REGION", "us-east-1"),
            ("MARKETPLACE_PRODUCT_CODE", product.code.as_str()),
            ("MARKETPLACE_PRODUCT_ID", product.id.as_str()),
            ("PRICING_MODEL", pricing.as_str()),
            ("HEARTBEAT", heartbeat),
            ("CUSTOMER_TABLE", &self.tables.customer),
            ("SUBSCRIPTION_TABLE", &self.tables.subscription),
            ("USAGE_TABLE", &self.tables.usage),
            ("AUDIT_TABLE", &self.tables.audit),
            ("MARKETPLACE_SECRET_TOKEN", &self.secrets.marketplace),
            ("SNS_TOPIC_ARNS", &crate::sns::topics()),
            ("SETTLEMENT_QUEUE_URL", "http://127.0.0.1/settlements"),
            ("TENANT_TOPIC_ARN", "arn:aws:sns:us-east-1:444455556666:tenants"),
            ("OUTGOING_WEBHOOKS", webhooks.as_deref().unwrap_or_default()),
            ("WEBHOOK_QUEUE_URL", "http://127.0.0.1/webhooks"),
        ];
        Vars::of(vars.into_iter().chain(brand))
    }
}

type Webhook = webhook::Deps<DynamoStore, LocalAws>;
type Listener = entitlement_listener::Deps<DynamoStore, LocalAws>;
type Scheduler = metering_scheduler::Deps<DynamoStore, LocalAws>;
type Reconciler = reconciler::Deps<DynamoStore, LocalAws>;
type Notifier = tenant_notifier::Deps<DynamoStore, LocalTopic>;
type Sender = webhook_sender::Deps<DynamoStore, HttpPostman, LocalWakeUp>;

/// The functions.
pub(crate) struct Functions {
    listing: Listing,
    subscription_table: String,
    registration: registration::Deps<DynamoStore, LocalAws>,
    webhook: Webhook,
    subscription_api: subscription_api::Deps<DynamoStore, LocalAws>,
    listener: Listener,
    scheduler: Scheduler,
    reconciler: Reconciler,
    notifier: Notifier,
    sender: Sender,
}

impl Functions {
    /// Composes all of them.
    ///
    /// # Errors
    /// When a function does not take its variables.
    pub(crate) fn compose(parts: &Parts) -> Result<Self, ComposeError> {
        let vars = parts.vars();
        let aws = crate::aws::connect(parts);
        let system_clock = parts.clock.clone();
        let clock = Clock::new(move || system_clock.now());
        let metrics = parts.metrics.clone();
        let context =
            |listing: Listing| Context { listing, store: parts.store.clone(), aws: aws.clone() };

        let secrets = config::Secrets::from_vars(&vars)?;
        let registration = registration::Config::from_vars(&vars)?;
        let webhook = webhook::Config::from_vars(&vars)?;
        let api = subscription_api::Config::from_vars(&vars)?;
        let listener = entitlement_listener::Config::from_vars(&vars)?;
        let scheduler = metering_scheduler::Config::from_vars(&vars)?;
        let reconciler = reconciler::Config::from_vars(&vars)?;
        let notifier = tenant_notifier::Config::from_vars(&vars)?;
        let sender = webhook_sender::Config::from_vars(&vars)?;
        Ok(Self {
            listing: listener.listing.clone().into(),
            subscription_table: listener.tables.subscription.clone(),
            registration: registration::Deps {
                context: context(registration.listing.into()),
                clock: clock.clone(),
                secrets: secrets.clone(),
                brand: registration.brand,
                metrics: metrics.clone(),
            },
            webhook: Webhook {
                context: context(webhook.listing.into()),
                clock: clock.clone(),
                secrets: secrets.clone(),
                sns: parts.sns.verifier(webhook.sns_topics),
                endpoint: webhook.endpoint,
                metrics: metrics.clone(),
            },
            subscription_api: subscription_api::Deps {
                context: context(api.listing.into()),
                clock: clock.clone(),
                version: api.service.version,
                secrets: secrets.clone(),
                brand: api.brand,
                metrics: metrics.clone(),
            },
            listener: Listener {
                context: context(listener.listing.into()),
                clock: clock.clone(),
                metrics: metrics.clone(),
            },
            scheduler: Scheduler {
                context: context(scheduler.listing.into()),
                clock: clock.clone(),
                metrics: metrics.clone(),
            },
            reconciler: Reconciler {
                context: Context {
                    listing: reconciler.listing.into(),
                    store: parts.store.clone(),
                    aws: aws.clone().of_product(reconciler.product_id.0),
                },
                clock: clock.clone(),
                metrics: metrics.clone(),
            },
            notifier: Notifier {
                context: Context {
                    listing: notifier.listing.into(),
                    store: parts.store.clone(),
                    aws: LocalTopic::new(
                        parts.bus.clone(),
                        parts.clock.clone(),
                        parts.subscribers(),
                    ),
                },
                clock: clock.clone(),
                metrics: metrics.clone(),
            },
            sender: Sender {
                store: parts.store.clone(),
                endpoints: sender.webhooks.names(),
                postman: HttpPostman::new(sender.webhooks, Networks::Any)?,
                wake_up: LocalWakeUp { bus: parts.bus.clone(), clock: parts.clock.clone() },
                clock,
                metrics,
            },
        })
    }

    /// The listing that all of them serve.
    pub(crate) fn listing(&self) -> &Listing {
        &self.listing
    }

    /// The name of the table whose stream feeds the tenant notifier.
    pub(crate) fn subscription_table(&self) -> &str {
        &self.subscription_table
    }

    /// The routes that anyone may call: each proves its caller by itself.
    pub(crate) fn public_router(&self) -> Router {
        registration::router(self.registration.clone())
            .reset_fallback()
            .merge(webhook::router(self.webhook.clone()).reset_fallback())
    }

    /// The routes that need a verified caller.
    pub(crate) fn api_router(&self) -> Router {
        subscription_api::router(self.subscription_api.clone()).reset_fallback()
    }

    pub(crate) async fn entitlement_listener(&self, event: Value) -> Answer {
        batch(entitlement_listener::handle(&self.listener, event).await)
    }

    pub(crate) async fn metering_scheduler(&self, event: Value) -> Answer {
        let deadline =
            SystemTime::now().checked_add(SCHEDULER_TIME).unwrap_or_else(SystemTime::now);
        let budget = metering_scheduler::budget(deadline);
        match Box::pin(metering_scheduler::handle(&self.scheduler, event, &budget)).await {
            Ok(metering_scheduler::Answer::Run(_)) => Ok(Vec::new()),
            Ok(metering_scheduler::Answer::Queue(response)) => batch(Ok(response)),
            Err(failure) => batch(Err(failure)),
        }
    }

    /// The answer of the metering scheduler to its schedule, as JSON.
    pub(crate) async fn metering_report(&self, event: Value) -> Result<Value, String> {
        let deadline =
            SystemTime::now().checked_add(SCHEDULER_TIME).unwrap_or_else(SystemTime::now);
        let budget = metering_scheduler::budget(deadline);
        let answer = Box::pin(metering_scheduler::handle(&self.scheduler, event, &budget)).await;
        let answer = answer.map_err(|failure| Chain(&failure).to_string())?;
        serde_json::to_value(answer).map_err(|error| error.to_string())
    }

    pub(crate) async fn webhook_sender(&self, event: Value) -> Answer {
        match webhook_sender::handle(&self.sender, event).await {
            Ok(webhook_sender::Answer::Queue(response)) => batch(Ok(response)),
            Ok(webhook_sender::Answer::Report(_)) => Ok(Vec::new()),
            Err(failure) => batch(Err(failure)),
        }
    }

    /// The answer of the webhook sender to an operator's command, as JSON.
    pub(crate) async fn webhook_command(&self, event: Value) -> Result<Value, String> {
        let answer = webhook_sender::handle(&self.sender, event).await;
        let answer = answer.map_err(|failure| Chain(&failure).to_string())?;
        serde_json::to_value(answer).map_err(|error| error.to_string())
    }

    /// The answer of the reconciler to one of its schedules, as JSON.
    pub(crate) async fn reconciler(&self, event: Value) -> Result<Value, String> {
        let deadline =
            SystemTime::now().checked_add(SCHEDULER_TIME).unwrap_or_else(SystemTime::now);
        let budget = lambda_shell::budget::budget(deadline);
        let answer = Box::pin(reconciler::handle(&self.reconciler, event, &budget)).await;
        let answer = answer.map_err(|failure| Chain(&failure).to_string())?;
        serde_json::to_value(answer).map_err(|error| error.to_string())
    }

    pub(crate) async fn tenant_notifier(&self, event: Value) -> Answer {
        batch(tenant_notifier::handle(&self.notifier, event).await)
    }
}

/// The store over a client, as every function has it.
pub(crate) fn store(client: &aws_sdk_dynamodb::Client, tables: &Tables) -> DynamoStore {
    DynamoStore::new(client.clone(), tables.clone())
}

/// What the table's stream would tell of a new outbox item: the `dynamodb` part of its record.
///
/// # Errors
/// Never for an item that was read from the store.
pub(crate) fn stream_change(item: &OutboxItem) -> Result<Value, app::Error> {
    let image = serde_json::to_value(store_dynamodb::stream_image(item)?)
        .map_err(|source| app::Error::Corrupt { what: "a tenant notice", source: source.into() })?;
    Ok(json!({
        "Keys": { "pk": image.get("pk"), "sk": image.get("sk") },
        "SizeBytes": image.to_string().len(),
        "NewImage": image,
    }))
}

fn batch(answer: Result<BatchResponse, Failure>) -> Answer {
    match answer {
        Ok(response) => Ok(response.failures().map(ToOwned::to_owned).collect()),
        Err(failure) => Err(Chain(&failure).to_string()),
    }
}
