//! Who wants which events, on this node.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metercast_metrics::GaugeGuard;
use metrics::{counter, gauge, histogram};
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, Sender};
use tracing::info_span;

use crate::filter::Filter;
use crate::message::{self, Event};

/// So many a client may have.
const MOST: usize = 64;

/// The subscriptions of all clients.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subscriptions(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    next: AtomicU64,
    clients: Mutex<HashMap<u64, Wanted>>,
}

struct Wanted {
    client: Client,
    by_name: HashMap<String, (Filter, GaugeGuard)>,
}

/// Where a client's messages go.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    number: u64,
    queue: Sender<String>,
    dropped: Arc<Notify>,
}

impl Client {
    /// Sends a message soon. A client who does not keep up is dropped.
    pub(crate) fn send(&self, message: String) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(message) {
            self.dropped.notify_one();
        }
    }

    /// Comes when the client did not keep up.
    pub(crate) async fn dropped(&self) {
        self.dropped.notified().await;
        counter!("buzz_ws_backpressure_disconnects_total").increment(1);
    }
}

impl Subscriptions {
    /// A client without subscriptions.
    pub(crate) fn enter(&self, queue: Sender<String>) -> Client {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let client = Client { number, queue, dropped: Arc::default() };
        self.clients().insert(number, Wanted { client: client.clone(), by_name: HashMap::new() });
        client
    }

    /// The client is gone, and his subscriptions are.
    pub(crate) fn leave(&self, client: &Client) {
        self.clients().remove(&client.number);
    }

    /// From now on the client gets what the filter takes. `false` if he has too many subscriptions.
    pub(crate) fn add(&self, client: &Client, name: String, filter: Filter) -> bool {
        let mut clients = self.clients();
        let Some(wanted) = clients.get_mut(&client.number) else { return false };
        if wanted.by_name.len() >= MOST && !wanted.by_name.contains_key(&name) {
            return false;
        }
        wanted.by_name.insert(name, (filter, GaugeGuard::new(gauge!("buzz_subscriptions_active"))));
        true
    }

    pub(crate) fn remove(&self, client: &Client, name: &str) {
        if let Some(wanted) = self.clients().get_mut(&client.number) {
            wanted.by_name.remove(name);
        }
    }

    /// Hands an event to all who want it.
    pub(crate) fn fan_out(&self, event: &Event) {
        let span = info_span!("fan_out", recipients = tracing::field::Empty).entered();
        let mut recipients = 0_u32;
        for Wanted { client, by_name } in self.clients().values() {
            for (name, _) in by_name.iter().filter(|(_, (filter, _))| filter.takes(event)) {
                client.send(message::event(name, event));
                recipients += 1;
            }
        }
        span.record("recipients", recipients);
        histogram!("buzz_fanout_recipients").record(recipients);
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<u64, Wanted>> {
        self.0.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wanted").field("subscriptions", &self.by_name.len()).finish_non_exhaustive()
    }
}
