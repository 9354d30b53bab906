//! Clients of NATS: whether they are connected, and what went over their connections.

#[cfg(feature = "async_nats_0_51")]
mod async_nats;
mod observation;
mod state;

pub use observation::{NatsObservation, observe_nats};
pub use state::{NatsState, NatsStatus};

/// A client of NATS that can be asked how it stands, at once and without waiting.
///
/// Those of async-nats are such, with the feature of their version. Of any other a closure says it.
pub trait NatsClient: Send + Sync + 'static {
    /// How it stands now.
    fn state(&self) -> NatsState;
}

impl<F: Fn() -> NatsState + Send + Sync + 'static> NatsClient for F {
    fn state(&self) -> NatsState {
        self()
    }
}
