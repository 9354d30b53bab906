//! What the database said of people, remembered until somebody says that it changed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use metrics::counter;

/// So many people are remembered; with more it begins anew.
const MOST: usize = 10_000;

/// What is known of people, and how often it was asked for.
#[derive(Debug)]
pub(crate) struct Cache<V> {
    hits: &'static str,
    misses: &'static str,
    known: Mutex<Known<V>>,
}

#[derive(Debug)]
struct Known<V> {
    by_pubkey: HashMap<String, V>,
    /// How often something was forgotten: what was looked up before may be what is to be forgotten.
    forgotten: u64,
}

impl<V: Clone> Cache<V> {
    /// One that counts under these names what it knew, and what it did not.
    pub(crate) fn new(hits: &'static str, misses: &'static str) -> Cache<V> {
        Cache { hits, misses, known: Mutex::new(Known { by_pubkey: HashMap::new(), forgotten: 0 }) }
    }

    /// What is known, or else what `look_up` finds.
    pub(crate) async fn get<E>(
        &self,
        pubkey: &str,
        look_up: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let forgotten = {
            let known = self.known();
            if let Some(value) = known.by_pubkey.get(pubkey) {
                counter!(self.hits).increment(1);
                return Ok(value.clone());
            }
            known.forgotten
        };
        counter!(self.misses).increment(1);
        let value = look_up.await?;
        let mut known = self.known();
        if known.forgotten == forgotten {
            if known.by_pubkey.len() >= MOST {
                known.by_pubkey.clear();
            }
            known.by_pubkey.insert(pubkey.to_owned(), value.clone());
        }
        Ok(value)
    }

    /// Forgets somebody; everybody if it is not known whom.
    pub(crate) fn forget(&self, pubkey: Option<&str>) {
        let mut known = self.known();
        known.forgotten += 1;
        match pubkey {
            Some(pubkey) => drop(known.by_pubkey.remove(pubkey)),
            None => known.by_pubkey.clear(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known<V>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    async fn get(cache: &Cache<u8>, value: u8, meanwhile: impl FnOnce()) -> u8 {
        let look_up = async {
            meanwhile();
            Ok::<_, Infallible>(value)
        };
        cache.get("ann", look_up).await.unwrap_or_else(|never| match never {})
    }

    #[tokio::test]
    async fn what_changed_while_it_was_looked_up_is_not_remembered() {
        let cache = Cache::new("hits", "misses");
        assert_eq!(get(&cache, 1, || {}).await, 1);
        assert_eq!(get(&cache, 2, || panic!("it is known")).await, 1);
        cache.forget(Some("bob"));
        assert_eq!(get(&cache, 2, || panic!("it is known")).await, 1);
        cache.forget(Some("ann"));
        assert_eq!(get(&cache, 2, || cache.forget(Some("ann"))).await, 2);
        assert_eq!(get(&cache, 3, || {}).await, 3, "it may have been looked up before it changed");
        cache.forget(None);
        assert_eq!(get(&cache, 4, || {}).await, 4);
    }
}
