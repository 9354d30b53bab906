//! Clients of async-nats.

use std::sync::atomic::Ordering;

use async_nats_0_51::Client;
use async_nats_0_51::connection::State;

use super::{NatsClient, NatsState, NatsStatus};

impl NatsClient for Client {
    fn state(&self) -> NatsState {
        let counted = self.statistics();
        NatsState {
            status: match self.connection_state() {
                State::Pending => NatsStatus::Pending,
                State::Connected => NatsStatus::Connected,
                State::Disconnected => NatsStatus::Disconnected,
            },
            connects: counted.connects.load(Ordering::Relaxed),
            in_messages: counted.in_messages.load(Ordering::Relaxed),
            out_messages: counted.out_messages.load(Ordering::Relaxed),
            in_bytes: counted.in_bytes.load(Ordering::Relaxed),
            out_bytes: counted.out_bytes.load(Ordering::Relaxed),
        }
    }
}
