//! Redis: what one node tells the others, and what is counted for all of them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use deadpool_redis::{Config, Pool, Runtime, Timeouts};
use metercast_tracing::propagation::{self, RemoteParent};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, IntoConnectionInfo, Msg, ProtocolVersion, PushInfo};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::hearing::Hearing;
use crate::message::Event;

const MAX_CONNECTIONS: usize = 4;
const CHANNEL: &str = "relay";

/// How many messages may wait for whoever takes them here.
const WAITING: usize = 1024;

/// How long anybody waits for a connection, or for one to be made or to be found alive.
const WAIT: Duration = Duration::from_secs(2);

/// How long until a subscription that broke is made again, at most.
const AGAIN: Duration = Duration::from_millis(500);

/// The nodes' connection with each other.
#[derive(Clone, Debug)]
pub(crate) struct Bus {
    pool: Pool,
    heard: Heard,
    /// It hears as long as this is there, and connects again on its own.
    _listening: ConnectionManager,
}

/// What other nodes tell this one.
#[derive(Clone, Debug)]
struct Heard {
    /// Who this one is.
    node: String,
    events: broadcast::Sender<(Event, RemoteParent)>,
    invalidations: broadcast::Sender<String>,
}

/// What one node tells the others.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    node: String,
    what: What,
    /// The trace that it belongs to, as W3C says it in headers. Nodes without traces say nothing of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    trace: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
enum What {
    Event(Event),
    /// What is known of somebody may not be true any more.
    Person(String),
}

impl Bus {
    /// Connects, and listens to the other nodes from when this returns.
    pub(crate) async fn connect(url: &str, node: String) -> Result<Bus, crate::Error> {
        let pool = Config::from_url(url)
            .builder()?
            .max_size(MAX_CONNECTIONS)
            .timeouts(Timeouts { wait: Some(WAIT), create: Some(WAIT), recycle: Some(WAIT) })
            .runtime(Runtime::Tokio1)
            .build()?;
        // Whoever listens tries for ever, so it is found out here whether there is a Redis.
        ping(&pool).await?;
        let (events, invalidations) = (broadcast::Sender::new(WAITING), broadcast::Sender::new(WAITING));
        let heard = Heard { node, events, invalidations };
        let hearing = heard.clone();
        let to_redis = url.into_connection_info()?;
        let pushes = to_redis.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(usize::MAX)
            .set_max_delay(AGAIN)
            .set_automatic_resubscription()
            .set_push_sender(move |push| {
                hearing.hear(push);
                Ok::<_, Infallible>(())
            });
        let client = redis::Client::open(to_redis.set_redis_settings(pushes))?;
        let mut listening = ConnectionManager::new_with_config(client, config).await?;
        listening.subscribe(CHANNEL).await?;
        Ok(Bus { pool, heard, _listening: listening })
    }

    /// Its connections.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Whether it answers.
    pub(crate) async fn ping(&self) -> Result<(), crate::Error> {
        ping(&self.pool).await
    }

    /// Tells the other nodes of an event.
    pub(crate) async fn publish(&self, event: &Event) -> Result<(), crate::Error> {
        self.tell(What::Event(event.clone())).await
    }

    /// Tells all nodes, this one too, that somebody is not what he was.
    pub(crate) async fn invalidate(&self, pubkey: &str) -> Result<(), crate::Error> {
        let _ = self.heard.invalidations.send(pubkey.to_owned());
        self.tell(What::Person(pubkey.to_owned())).await
    }

    /// Counts a look at an item on any node, and returns how many there were.
    pub(crate) async fn look(&self, item: &str) -> Result<u64, crate::Error> {
        let mut connection = self.pool.get().await?;
        Ok(connection.incr(format!("relay:item:{item}"), 1).await?)
    }

    /// The events of other nodes from now on, each with the span that it was told in.
    pub(crate) fn events(&self) -> Hearing<(Event, RemoteParent)> {
        Hearing::new(self.heard.events.subscribe(), "buzz_multinode_fanout_lag_total")
    }

    /// People who are not what they were, from now on.
    pub(crate) fn invalidations(&self) -> Hearing<String> {
        Hearing::new(self.heard.invalidations.subscribe(), "buzz_cache_invalidation_lag_total")
    }

    async fn tell(&self, what: What) -> Result<(), crate::Error> {
        let mut trace = BTreeMap::new();
        propagation::inject(|name, value| _ = trace.insert(name.to_owned(), value.to_owned()));
        let told = serde_json::to_string(&Told { node: self.heard.node.clone(), what, trace })?;
        let mut connection = self.pool.get().await?;
        Ok(connection.publish(CHANNEL, told).await?)
    }
}

impl Heard {
    /// Hands on what another node told.
    fn hear(&self, push: PushInfo) {
        let text = Msg::from_push_info(push).and_then(|message| message.get_payload::<String>().ok());
        // Without receivers there is nobody to tell.
        match text.and_then(|text| serde_json::from_str(&text).ok()) {
            Some(Told { node, .. }) if node == self.node => {}
            Some(Told { what: What::Event(event), trace, .. }) => {
                drop(self.events.send((event, propagation::extract(&trace))));
            }
            Some(Told { what: What::Person(pubkey), .. }) => drop(self.invalidations.send(pubkey)),
            None => {}
        }
    }
}

async fn ping(pool: &Pool) -> Result<(), crate::Error> {
    let mut connection = pool.get().await?;
    Ok(redis::cmd("PING").exec_async(&mut connection).await?)
}
