//! The listener that serves the Prometheus page, on a thread of its own.

mod accept;
mod body;
mod connection;
mod door;
mod listener;
mod places;
mod port;
mod reload;
mod site;
mod stalled;
#[cfg(feature = "tls")]
mod tls;

pub(crate) use listener::Listener;
#[cfg(feature = "otlp")]
pub(crate) use listener::try_to_listen;
pub(crate) use reload::{Reload, Reloading, Wish};
pub(crate) use site::{Calls, Site};
