//! Sockets as a program meets them.

mod connections;
#[cfg(all(feature = "axum_0_8", feature = "tungstenite_0_29"))]
mod sockets;

use metercast::{Log, PrometheusPage, Store};

/// The lines of a store's page that begin so, sorted.
fn lines_of(store: &Store, name: &str) -> Vec<String> {
    let page = PrometheusPage::new("own", Log::default()).render(store);
    let mut lines: Vec<_> = page.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect();
    lines.sort();
    lines
}

metercast::labels! {
    /// What a client says.
    enum Said { Event, Request }
}
