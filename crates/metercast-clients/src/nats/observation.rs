//! A client of NATS that is being measured.

use std::sync::Arc;

use metercast_core::{Observation, labels, metrics};

use super::{NatsClient, NatsStatus};

labels! {
    enum Direction { Receive, Transmit }
}

metrics! {
    /// Whether the client of NATS is in this state: 1 or 0.
    static STATUS: ObservableUpDownCounter<i64> = "nats.client.connection.status" {
        unit: "1", labels: { "nats.client.name": &str, "nats.client.connection.state": NatsStatus }
    };
    /// Connections that the client of NATS got, the first one and each after a loss
    static CONNECTS: ObservableCounter<u64> = "nats.client.connects" {
        unit: "{connection}", labels: { "nats.client.name": &str }
    };
    /// Messages over the connections of the client of NATS
    static MESSAGES: ObservableCounter<u64> = "nats.client.messages" {
        unit: "{message}", labels: { "nats.client.name": &str, "network.io.direction": Direction }
    };
    /// Bytes of messages over the connections of the client of NATS, without what the protocol adds
    static IO: ObservableCounter<u64> = "nats.client.io" {
        unit: "By", labels: { "nats.client.name": &str, "network.io.direction": Direction }
    };
}

/// Measures a client of NATS, at each reading, in the current store: `nats.client.connection.status` by state, 1 for the one that
/// it is in and 0 for the others; and the counters `nats.client.connects`, `.messages` and `.io`, the latter two by
/// `network.io.direction`. There are no semantic conventions for it. `name` is the label `nats.client.name`.
///
/// The client is held until the observation is dropped, and its connection with it.
///
/// ```
/// use metercast::{InMemoryReader, Store, snapshot::Point};
/// use metercast_clients::{NatsState, NatsStatus, observe_nats};
///
/// # let store = Store::new();
/// # store.scope(|| {
/// # let client = || NatsState {
/// #     status: NatsStatus::Connected, connects: 1, in_messages: 5, out_messages: 7, in_bytes: 50, out_bytes: 70,
/// # };
/// // A clone of an async_nats::Client, with the feature of its version.
/// let observation = observe_nats("orders", client);
///
/// let snapshot = InMemoryReader::new(Store::current()).collect();
/// let messages = snapshot.family("nats.client.messages").unwrap();
/// let lines: Vec<_> = messages.series.iter().map(|series| (series.labels.to_string(), &series.point)).collect();
/// assert_eq!(lines[0].0, r#"{nats.client.name="orders",network.io.direction="receive"}"#);
/// assert_eq!(lines[0].1, &Point::U64(5));
/// # drop(observation);
/// # });
/// ```
#[track_caller]
pub fn observe_nats(name: &str, client: impl NatsClient) -> NatsObservation {
    let (name, client): (Arc<str>, _) = (name.into(), Arc::new(client));
    // Each asks for itself, so that one that is dropped by a view costs nothing.
    let each = || (Arc::clone(&name), Arc::clone(&client));
    let status = {
        let (name, client) = each();
        STATUS.observe(move |observer| {
            let now = client.state().status;
            for &status in NatsStatus::ALL {
                observer.set(i64::from(status == now), (&*name, status));
            }
        })
    };
    let connects = {
        let (name, client) = each();
        CONNECTS.observe(move |observer| observer.set(client.state().connects, (&*name,)))
    };
    let messages = {
        let (name, client) = each();
        MESSAGES.observe(move |observer| {
            let state = client.state();
            observer.set(state.in_messages, (&*name, Direction::Receive));
            observer.set(state.out_messages, (&*name, Direction::Transmit));
        })
    };
    let io = {
        let (name, client) = each();
        IO.observe(move |observer| {
            let state = client.state();
            observer.set(state.in_bytes, (&*name, Direction::Receive));
            observer.set(state.out_bytes, (&*name, Direction::Transmit));
        })
    };
    NatsObservation { observations: [status, connects, messages, io] }
}

/// A client of NATS that is measured until this is dropped; from the next reading on its series are gone.
#[must_use = "dropping it ends the measuring at once; keep it, or call `forever`"]
#[derive(Debug)]
pub struct NatsObservation {
    observations: [Observation; 4],
}

impl NatsObservation {
    /// Measures for as long as the store lives.
    pub fn forever(self) {
        self.observations.into_iter().for_each(Observation::forever);
    }
}
