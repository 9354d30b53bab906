//! The relay: what all connections share.

use std::sync::Arc;

use metercast_tracing::propagation::RemoteParent;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info_span;
use uuid::Uuid;

use crate::audit::{self, Audit, Auditing};
use crate::bus::Bus;
use crate::database::Database;
use crate::hearing::{Hearing, Next};
use crate::message::Event;
use crate::people::People;
use crate::routes::Uploads;
use crate::settings::Settings;
use crate::subscriptions::Subscriptions;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) settings: Settings,
    pub(crate) database: Database,
    pub(crate) bus: Bus,
    pub(crate) audit: Audit,
    pub(crate) people: People,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) uploads: Uploads,
    /// Those that are open.
    pub(crate) connections: TaskTracker,
    /// It is not ready for more.
    pub(crate) draining: CancellationToken,
    /// All connections are to end.
    pub(crate) closing: CancellationToken,
}

impl Relay {
    /// Connects to everything, and hands on what other nodes tell.
    pub(crate) async fn start(settings: &Settings) -> Result<(Arc<Relay>, Auditing), crate::Error> {
        let database = Database::connect(&settings.database_url)
            .await
            .map_err(|error| format!("PostgreSQL: {error}; correct DATABASE_URL"))?;
        let bus = Bus::connect(&settings.redis_url, random())
            .await
            .map_err(|error| format!("Redis: {error}; correct REDIS_URL"))?;
        let (audit, auditing) = audit::start(database.clone(), settings.audit_queue);
        let relay = Arc::new(Relay {
            settings: settings.clone(),
            people: People::new(database.clone()),
            database,
            bus,
            audit,
            subscriptions: Subscriptions::default(),
            uploads: Uploads::new(settings.media_per_minute),
            connections: TaskTracker::new(),
            draining: CancellationToken::new(),
            closing: CancellationToken::new(),
        });
        tokio::spawn(hand_on(relay.bus.events(), relay.subscriptions.clone()));
        let (forgetful, invalidations) = (Arc::clone(&relay), relay.bus.invalidations());
        tokio::spawn(async move { forgetful.people.forget(invalidations).await });
        Ok((relay, auditing))
    }
}

/// Something that nobody has had before.
pub(crate) fn random() -> String {
    Uuid::new_v4().simple().to_string()
}

/// Hands the events of other nodes to the clients of this one.
async fn hand_on(mut events: Hearing<(Event, RemoteParent)>, subscriptions: Subscriptions) {
    while let Some(next) = events.next().await {
        if let Next::Told((event, publisher)) = next {
            let span = info_span!("bus.receive", otel.kind = "consumer", messaging.system = "redis");
            publisher.parent_of(&span);
            span.in_scope(|| subscriptions.fan_out(&event));
        }
    }
}
