//! The listener that serves the Prometheus page, on a thread of its own.

mod connection;
mod listener;

pub(crate) use listener::Listener;
