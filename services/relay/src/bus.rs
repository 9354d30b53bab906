//! Redis: what one node tells the others, and what is counted for all of them.

use std::time::Duration;

use deadpool_redis::redis::{self, AsyncCommands};
use deadpool_redis::{Config, Pool, Runtime, Timeouts};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::message::Event;

const MAX_CONNECTIONS: usize = 4;
const CHANNEL: &str = "relay";

/// How many messages may wait for whoever takes them here.
const WAITING: usize = 1024;

/// How long anybody waits for a connection, or for one to be made or to be found alive.
const WAIT: Duration = Duration::from_secs(2);

/// How long until a subscription that broke is made again.
const AGAIN: Duration = Duration::from_millis(500);

/// The nodes' connection with each other.
#[derive(Clone, Debug)]
pub(crate) struct Bus {
    node: String,
    pool: Pool,
    events: broadcast::Sender<Event>,
    invalidations: broadcast::Sender<String>,
}

/// What one node tells the others.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    node: String,
    what: What,
}

#[derive(Debug, Serialize, Deserialize)]
enum What {
    Event(Event),
    /// What is known of a member may not be true any more.
    Member(String),
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
        let (events, invalidations) = (broadcast::Sender::new(WAITING), broadcast::Sender::new(WAITING));
        let bus = Bus { node, pool, events, invalidations };
        bus.ping().await?;
        let client = redis::Client::open(url)?;
        let mut listening = subscribe(&client).await?;
        tokio::spawn({
            let bus = bus.clone();
            async move {
                loop {
                    bus.listen(listening).await;
                    listening = loop {
                        tokio::time::sleep(AGAIN).await;
                        if let Ok(again) = subscribe(&client).await {
                            break again;
                        }
                    };
                }
            }
        });
        Ok(bus)
    }

    /// Its connections.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Whether it answers.
    pub(crate) async fn ping(&self) -> Result<(), crate::Error> {
        let mut connection = self.pool.get().await?;
        Ok(redis::cmd("PING").exec_async(&mut connection).await?)
    }

    /// Tells the other nodes of an event.
    pub(crate) async fn publish(&self, event: &Event) -> Result<(), crate::Error> {
        self.tell(What::Event(event.clone())).await
    }

    /// Tells all nodes, this one too, that a member is not what he was.
    pub(crate) async fn invalidate(&self, pubkey: &str) -> Result<(), crate::Error> {
        let _ = self.invalidations.send(pubkey.to_owned());
        self.tell(What::Member(pubkey.to_owned())).await
    }

    /// Counts a look at an item on any node, and returns how many there were.
    pub(crate) async fn look(&self, item: &str) -> Result<u64, crate::Error> {
        let mut connection = self.pool.get().await?;
        Ok(connection.incr(format!("relay:item:{item}"), 1).await?)
    }

    /// The events of other nodes from now on.
    pub(crate) fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Members who are not what they were, from now on.
    pub(crate) fn invalidations(&self) -> broadcast::Receiver<String> {
        self.invalidations.subscribe()
    }

    async fn tell(&self, what: What) -> Result<(), crate::Error> {
        let told = serde_json::to_string(&Told { node: self.node.clone(), what })?;
        let mut connection = self.pool.get().await?;
        Ok(connection.publish(CHANNEL, told).await?)
    }

    /// Hands on what other nodes tell, until the connection breaks.
    async fn listen(&self, listening: redis::aio::PubSub) {
        let mut messages = listening.into_on_message();
        while let Some(message) = messages.next().await {
            let told = message.get_payload::<String>().ok().and_then(|text| serde_json::from_str(&text).ok());
            // Without receivers there is nobody to tell.
            match told {
                Some(Told { node, .. }) if node == self.node => {}
                Some(Told { what: What::Event(event), .. }) => drop(self.events.send(event)),
                Some(Told { what: What::Member(pubkey), .. }) => drop(self.invalidations.send(pubkey)),
                None => {}
            }
        }
    }
}

async fn subscribe(client: &redis::Client) -> redis::RedisResult<redis::aio::PubSub> {
    let mut listening = client.get_async_pubsub().await?;
    listening.subscribe(CHANNEL).await?;
    Ok(listening)
}
