//! Who may come, and who may read what.

use std::sync::Arc;

use crate::cache::Cache;
use crate::database::Database;
use crate::hearing::{Hearing, Next};

/// What is known of people, each by his public key.
#[derive(Debug)]
pub(crate) struct People {
    database: Database,
    members: Cache<bool>,
    channels: Cache<Arc<[String]>>,
}

impl People {
    pub(crate) fn new(database: Database) -> People {
        People {
            database,
            members: Cache::new("buzz_membership_cache_hits_total", "buzz_membership_cache_misses_total"),
            channels: Cache::new(
                "buzz_accessible_channels_cache_hits_total",
                "buzz_accessible_channels_cache_misses_total",
            ),
        }
    }

    /// Whether he is a member.
    pub(crate) async fn is_member(&self, pubkey: &str) -> Result<bool, sqlx::Error> {
        self.members.get(pubkey, self.database.is_member(pubkey)).await
    }

    /// The channels that he may read, and write to.
    pub(crate) async fn channels(&self, pubkey: &str) -> Result<Arc<[String]>, sqlx::Error> {
        self.channels.get(pubkey, self.database.channels(pubkey)).await
    }

    /// Forgets whom it is told to, for as long as there is somebody to tell it.
    pub(crate) async fn forget(&self, mut invalidations: Hearing<String>) {
        while let Some(next) = invalidations.next().await {
            let pubkey = match &next {
                Next::Told(pubkey) => Some(&**pubkey),
                // Who was missed is not known.
                Next::Missed => None,
            };
            self.members.forget(pubkey);
            self.channels.forget(pubkey);
        }
    }
}
