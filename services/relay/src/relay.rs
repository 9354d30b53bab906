//! The relay: what all connections share.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use metrics::counter;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::watch;

use crate::audit::{self, Audit, Auditing};
use crate::bus::Bus;
use crate::database::Database;
use crate::members::Members;
use crate::message::Event;
use crate::open::Open;
use crate::routes::Uploads;
use crate::settings::Settings;
use crate::subscriptions::Subscriptions;

/// What all connections share.
#[derive(Clone, Debug)]
pub(crate) struct Relay(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    database: Database,
    bus: Bus,
    audit: Audit,
    members: Members,
    subscriptions: Subscriptions,
    uploads: Uploads,
    connections: Open,
    is_draining: AtomicBool,
    is_closing: watch::Sender<bool>,
}

impl Relay {
    /// Connects to everything, and hands on what other nodes tell.
    pub(crate) async fn start(settings: &Settings) -> Result<(Relay, Auditing), crate::Error> {
        let database = Database::connect(&settings.database_url)
            .await
            .map_err(|error| format!("PostgreSQL: {error}; correct DATABASE_URL"))?;
        let bus = Bus::connect(&settings.redis_url, random())
            .await
            .map_err(|error| format!("Redis: {error}; correct REDIS_URL"))?;
        let (audit, auditing) = audit::start(database.clone());
        let relay = Relay(Arc::new(Inner {
            settings: settings.clone(),
            database,
            bus,
            audit,
            members: Members::default(),
            subscriptions: Subscriptions::default(),
            uploads: Uploads::new(settings.media_per_minute),
            connections: Open::new(),
            is_draining: AtomicBool::new(false),
            is_closing: watch::Sender::new(false),
        }));
        tokio::spawn(hand_on(relay.bus().events(), relay.subscriptions().clone()));
        tokio::spawn(relay.members().clone().forget(relay.bus().invalidations()));
        Ok((relay, auditing))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    pub(crate) fn bus(&self) -> &Bus {
        &self.0.bus
    }

    pub(crate) fn audit(&self) -> &Audit {
        &self.0.audit
    }

    pub(crate) fn members(&self) -> &Members {
        &self.0.members
    }

    pub(crate) fn subscriptions(&self) -> &Subscriptions {
        &self.0.subscriptions
    }

    pub(crate) fn uploads(&self) -> &Uploads {
        &self.0.uploads
    }

    pub(crate) fn connections(&self) -> &Open {
        &self.0.connections
    }

    /// From now on it is not ready for more.
    pub(crate) fn drain(&self) {
        self.0.is_draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.is_draining.load(Ordering::Relaxed)
    }

    /// Ends all connections.
    pub(crate) fn close(&self) {
        self.0.is_closing.send_replace(true);
    }

    /// Comes when all connections are to end.
    pub(crate) async fn closing(&self) {
        // It fails only if the sender is gone, and there is one here.
        let _ = self.0.is_closing.subscribe().wait_for(|closing| *closing).await;
    }
}

/// Something that nobody has had before.
pub(crate) fn random() -> String {
    // The keys of each hasher are random, and differ from one to the next.
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

/// Hands the events of other nodes to the clients of this one.
async fn hand_on(mut events: Receiver<Event>, subscriptions: Subscriptions) {
    loop {
        match events.recv().await {
            Ok(event) => subscriptions.fan_out(&event),
            Err(RecvError::Lagged(missed)) => counter!("buzz_multinode_fanout_lag_total").increment(missed),
            Err(RecvError::Closed) => return,
        }
    }
}
