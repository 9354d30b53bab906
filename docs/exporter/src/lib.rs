//! An exporter for Graphite: what is recorded, as lines of text over TCP.

mod format;
mod transport;

use std::error::Error;
use std::time::Duration;

use metercast::{CustomExporter, Export};

use transport::Connection;

/// Hands over to a Graphite server. [`metercast::config::Custom`] runs it.
pub struct Graphite {
    connection: Connection,
}

impl Graphite {
    /// To the server at `address`, a `host:port`, which need not be there yet.
    pub fn to(address: &str) -> Graphite {
        Graphite { connection: Connection::to(address) }
    }
}

impl CustomExporter for Graphite {
    fn export(&mut self, export: &Export<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
        let lines = format::lines(export.collection());
        let limit = export.deadline().map(|until| until.saturating_duration_since(std::time::Instant::now()));
        self.connection.send(lines.as_bytes(), limit.unwrap_or(Duration::from_secs(10)))?;
        Ok(())
    }
}
