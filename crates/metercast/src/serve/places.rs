//! How many connections there may be, and who has to go when there are more: who has waited longest without a request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The places of a listener. A client that keeps silent cannot keep others out: its place is given to the next one.
pub(super) struct Places {
    most: usize,
    state: Mutex<State>,
    /// A place has become free, or can be made free.
    freed: Notify,
}

#[derive(Default)]
struct State {
    taken: usize,
    /// Those of them that have been told to go.
    leaving: usize,
    /// Connections without a request, by the number that they drew when the wait began.
    waiting: BTreeMap<u64, Arc<Evicted>>,
    next: u64,
}

/// Tells a connection to go.
#[derive(Default)]
struct Evicted {
    notify: Notify,
    /// Written under the lock only.
    is_told: AtomicBool,
}

/// The place of one connection, until this is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    evicted: Arc<Evicted>,
    /// Written under the lock only.
    number: AtomicU64,
}

/// A request of a connection, until this is dropped. Meanwhile the connection keeps its place.
pub(super) struct Busy(Arc<Place>);

impl Places {
    pub(super) fn new(most: usize) -> Arc<Places> {
        Arc::new(Places { most, state: Mutex::default(), freed: Notify::new() })
    }

    /// A place, which another connection may have to leave. Waits as long as all others have requests.
    pub(super) async fn take(self: &Arc<Places>) -> Arc<Place> {
        loop {
            if let Some(place) = self.try_take() {
                return place;
            }
            if self.state().leaving == 0 {
                self.evict(1);
            }
            self.freed.notified().await;
        }
    }

    /// Returns when nobody has a place any more. Whoever takes one meanwhile is waited for too.
    pub(super) async fn are_free(&self) {
        while self.state().taken > 0 {
            self.freed.notified().await;
        }
    }

    fn try_take(self: &Arc<Places>) -> Option<Arc<Place>> {
        let mut state = self.state();
        if state.taken >= self.most {
            return None;
        }
        state.taken += 1;
        let evicted = Arc::default();
        let number = AtomicU64::new(state.wait(&evicted));
        Some(Arc::new(Place { places: Arc::clone(self), evicted, number }))
    }

    /// Sends half of the connections away that wait, those that have waited longest.
    pub(super) fn evict_half(&self) {
        let waiting = self.state().waiting.len();
        self.evict(waiting.div_ceil(2));
    }

    fn evict(&self, count: usize) {
        let mut state = self.state();
        for _ in 0..count {
            let Some((_, evicted)) = state.waiting.pop_first() else { return };
            state.leaving += 1;
            evicted.is_told.store(true, Ordering::Relaxed);
            evicted.notify.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait(&mut self, evicted: &Arc<Evicted>) -> u64 {
        self.next += 1;
        self.waiting.insert(self.next, Arc::clone(evicted));
        self.next
    }
}

impl Place {
    /// Returns when the place is needed for another.
    pub(super) async fn evicted(&self) {
        self.evicted.notify.notified().await;
    }

    /// A request has come.
    pub(super) fn busy(self: &Arc<Place>) -> Busy {
        let number = self.number.load(Ordering::Relaxed);
        self.places.state().waiting.remove(&number);
        Busy(Arc::clone(self))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let place = &self.0;
        let mut state = place.places.state();
        if !place.evicted.is_told.load(Ordering::Relaxed) {
            let number = state.wait(&place.evicted);
            place.number.store(number, Ordering::Relaxed);
        }
        drop(state);
        place.places.freed.notify_one();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.places.state();
        state.waiting.remove(self.number.get_mut());
        state.taken -= 1;
        state.leaving -= usize::from(self.evicted.is_told.load(Ordering::Relaxed));
        drop(state);
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Whether the connection is told to go.
    async fn has_to_go(place: &Place) -> bool {
        timeout(Duration::from_millis(1), place.evicted()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_waited_longest_makes_place_for_the_next() {
        let places = Places::new(2);
        let (first, second) = (places.take().await, places.take().await);
        // A request makes the first one younger.
        drop(first.busy());
        let next = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take().await }
        });
        tokio::task::yield_now().await;
        assert!(!has_to_go(&first).await);
        assert!(has_to_go(&second).await);
        assert!(!next.is_finished(), "it is not gone yet");
        drop(second);
        let third = next.await.unwrap();
        assert!(!has_to_go(&first).await && !has_to_go(&third).await);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_a_request_keeps_the_place() {
        let places = Places::new(1);
        let only = places.take().await;
        let request = only.busy();
        assert!(timeout(Duration::from_secs(60), places.take()).await.is_err());
        assert!(!has_to_go(&only).await);
        drop(request);
        assert!(timeout(Duration::from_millis(1), places.take()).await.is_err());
        assert!(has_to_go(&only).await);
        drop(only);
        drop(places.take().await);
        let state = places.state();
        assert_eq!((state.taken, state.leaving, state.waiting.len()), (0, 0, 0));
    }
}
