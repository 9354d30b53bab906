//! Who is a member, remembered until somebody says that it changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::counter;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::database::Database;

/// So many are remembered; with more it begins anew.
const MOST: usize = 10_000;

/// What is known of members.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    members: HashMap<String, bool>,
    /// How often something was forgotten: what was looked up before may be what is to be forgotten.
    forgotten: u64,
}

impl Members {
    /// Whether he is one, as far as is known, or else as the database says.
    pub(crate) async fn has(&self, pubkey: &str, database: &Database) -> Result<bool, sqlx::Error> {
        let forgotten = {
            let known = self.known();
            if let Some(is_member) = known.members.get(pubkey) {
                counter!("buzz_membership_cache_hits_total").increment(1);
                return Ok(*is_member);
            }
            known.forgotten
        };
        counter!("buzz_membership_cache_misses_total").increment(1);
        let is_member = database.is_member(pubkey).await?;
        let mut known = self.known();
        if known.forgotten == forgotten {
            if known.members.len() >= MOST {
                known.members.clear();
            }
            known.members.insert(pubkey.to_owned(), is_member);
        }
        Ok(is_member)
    }

    /// Forgets whom it is told to, for as long as there is somebody to tell it.
    pub(crate) async fn forget(self, mut invalidations: Receiver<String>) {
        loop {
            let invalidated = match invalidations.recv().await {
                Ok(pubkey) => Some(pubkey),
                Err(RecvError::Lagged(missed)) => {
                    counter!("buzz_cache_invalidation_lag_total").increment(missed);
                    None
                }
                Err(RecvError::Closed) => return,
            };
            let mut known = self.known();
            known.forgotten += 1;
            match invalidated {
                Some(pubkey) => {
                    known.members.remove(&pubkey);
                }
                // Who was missed is not known.
                None => known.members.clear(),
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
