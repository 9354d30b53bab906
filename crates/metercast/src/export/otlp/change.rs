//! What an exporter goes on with after a reload, prepared while the old settings still hold.

use std::io;

use metercast_core::Value;

use super::settings::Settings;
use super::transport::Transport;

/// New settings, and what can fail of them done already.
pub(crate) struct Change {
    pub(super) settings: Settings,
    pub(super) transport: Transport,
    pub(super) resource: Vec<(String, Value)>,
}

impl Change {
    /// # Errors
    ///
    /// As those of [`Push::prepare`](super::Push::prepare), but for the thread, which there is already.
    pub(crate) fn prepare(settings: Settings, resource: &[(String, Value)]) -> io::Result<Change> {
        let transport = Transport::new(&settings)?;
        Ok(Change { settings, transport, resource: resource.to_vec() })
    }
}
