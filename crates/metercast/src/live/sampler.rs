//! The thread that reads the store every second, as long as somebody may look.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use metercast_core::MockClock;

use super::Inner;
use crate::export::Work;

/// From one reading to the next.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// What the thread does.
pub(super) struct Sampler {
    /// It does not keep alive what it is kept by.
    live: Weak<Inner>,
    clock: Option<MockClock>,
}

impl Sampler {
    pub(super) fn new(live: &Arc<Inner>) -> Sampler {
        Sampler { live: Arc::downgrade(live), clock: live.reader.store().clock().cloned() }
    }
}

impl Work for Sampler {
    fn work(&mut self, _: Option<Instant>) -> Result<(), String> {
        if let Some(live) = self.live.upgrade() {
            live.read();
        }
        Ok(())
    }

    fn clock(&self) -> Option<MockClock> {
        self.clock.clone()
    }
}
