//! What all requests of a mailroom have in common.

use std::time::Duration;

use metercast_periods::UniqueCount;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::id::Id;
use crate::mailboxes::Mailboxes;
use crate::settings::Settings;
use crate::tunnels::Tunnels;

/// A mailroom; clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Mailroom {
    pub(crate) mailboxes: Mailboxes,
    pub(crate) tunnels: Tunnels,
    pub(crate) timeout: Duration,
    pub(crate) panics: bool,
    /// For what has to end before the mailroom does.
    pub(crate) ending: CancellationToken,
    ids: Option<UniqueCount>,
}

impl Mailroom {
    /// One that ends when it is told.
    ///
    /// # Errors
    ///
    /// The storage cannot be used.
    pub(crate) fn new(settings: &Settings, ids: Option<UniqueCount>) -> Result<Mailroom, Error> {
        let mailboxes = Mailboxes::open(settings.storage.join("mailboxes"));
        let mailboxes = mailboxes.map_err(|error| settings.of_storage(&error))?;
        let ending = CancellationToken::new();
        let tunnels = Tunnels::new(settings.tunnels, &settings.gateways, ending.clone());
        let timeout = Duration::from_secs(settings.timeout);
        Ok(Mailroom { mailboxes, tunnels, timeout, panics: settings.panics, ending, ids })
    }

    /// Counts a mailbox that somebody asks for.
    pub(crate) fn see(&self, id: &Id) {
        if let Some(ids) = &self.ids {
            ids.record(id.as_str());
        }
    }

    /// Ends whatever would go on.
    pub(crate) fn end(&self) {
        self.ending.cancel();
    }
}
