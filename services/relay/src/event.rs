//! What becomes of an event: kept, handed to clients here, and told to the other nodes.

use std::time::Instant;

use metrics::{counter, histogram};
use tracing::{Instrument, info_span, warn};

use crate::message::Event;
use crate::metrics::kind_label;
use crate::relay::Relay;

/// The longest content, in bytes.
const LONGEST: usize = 64 << 10;

/// Why an event is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    Unauthenticated,
    /// The channel is for others.
    Restricted,
    Invalid,
    TooLarge,
    Duplicate,
    Database,
}

impl Rejected {
    /// As a label, and as clients are told.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Rejected::Unauthenticated => "unauthenticated",
            Rejected::Restricted => "restricted",
            Rejected::Invalid => "invalid",
            Rejected::TooLarge => "too_large",
            Rejected::Duplicate => "duplicate",
            Rejected::Database => "database",
        }
    }
}

/// Takes an event, measured from beginning to end, from a sender who has a public key if he said who he is.
pub(crate) async fn take(relay: &Relay, event: &Event, sender: Option<&str>) -> Result<(), Rejected> {
    let begun = Instant::now();
    counter!("buzz_events_received_total", "kind" => kind_label(event.kind)).increment(1);
    let taken = match sender {
        Some(sender) => keep(relay, event, sender).await,
        None => Err(Rejected::Unauthenticated),
    };
    if let Err(rejected) = taken {
        counter!("buzz_events_rejected_total", "reason" => rejected.as_str()).increment(1);
    }
    histogram!("buzz_event_processing_seconds").record(begun.elapsed());
    taken
}

async fn keep(relay: &Relay, event: &Event, sender: &str) -> Result<(), Rejected> {
    let texts = [Some(&event.id), Some(&event.content), event.channel.as_ref()];
    if event.id.is_empty() || texts.into_iter().flatten().any(|text| text.contains('\0')) {
        return Err(Rejected::Invalid);
    }
    if event.content.len() > LONGEST || event.id.len() > 128 {
        return Err(Rejected::TooLarge);
    }
    if let Some(channel) = &event.channel {
        match relay.people.channels(sender).await {
            Ok(channels) if channels.contains(channel) => {}
            Ok(_) => return Err(Rejected::Restricted),
            Err(_) => return Err(Rejected::Database),
        }
    }
    match relay.database.insert(event).await {
        Ok(true) => {}
        Ok(false) => return Err(Rejected::Duplicate),
        Err(_) => return Err(Rejected::Database),
    }
    counter!("buzz_events_stored_total", "kind" => kind_label(event.kind)).increment(1);
    relay.audit.log(format!("event {}", event.id));
    relay.subscriptions.fan_out(event);
    let publish = info_span!("bus.publish", otel.kind = "producer", messaging.system = "redis");
    match relay.bus.publish(event).instrument(publish).await {
        Ok(()) => counter!("buzz_multinode_fanout_total").increment(1),
        // It is kept, and clients here have it; those of other nodes find it when they ask next.
        Err(error) => warn!("other nodes were not told of an event: {error}"),
    }
    Ok(())
}
