//! The relay as a running program, and what stands around it.

mod client;
mod page;
mod program;
mod services;

use std::time::{Duration, Instant};

pub(crate) use client::Client;
pub(crate) use page::{Page, TABLE};
pub(crate) use program::Relay;
pub(crate) use services::Services;

/// Waits for something that other processes do.
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
