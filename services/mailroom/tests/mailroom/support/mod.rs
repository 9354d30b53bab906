//! The mailroom as a running program, and what stands around it.

mod client;
mod collector;
mod program;

use std::time::{Duration, Instant};

pub(crate) use conformance::authority::Authority;

pub(crate) use client::Client;
pub(crate) use collector::{Collector, Got};
pub(crate) use program::{Mailroom, run, settings};

/// Waits for something that others do.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
