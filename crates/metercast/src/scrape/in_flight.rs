//! How many requests are under way, and which of them may be ended because its client reads no more.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
#[cfg(not(feature = "serve"))]
use std::time::Instant;

// So that tests can let it pass; otherwise it is the same.
#[cfg(feature = "serve")]
use tokio::time::Instant;

use super::{Inner, ScrapeBody};

/// How long a client may take nothing of its answer while others wait for its place. The kernel takes a slow client's answer
/// in pieces of up to a megabyte, which takes a while on a bad line.
const SILENCE: Duration = Duration::from_secs(30);

/// The places of a scrape.
#[derive(Default)]
pub(super) struct Places {
    taken: AtomicUsize,
    /// Pages that are sent in parts; those that are no more are dropped when the next comes.
    sending: Mutex<Vec<Weak<Sending>>>,
}

/// A request whose answer was not sent yet.
pub(super) struct InFlight(Arc<Inner>);

impl InFlight {
    /// Takes a place, if need be of a client that reads no more.
    pub(super) fn begin(inner: &Arc<Inner>, most: usize) -> Option<InFlight> {
        let more = |now: usize| (now < most).then_some(now + 1);
        let places = &inner.places;
        while places.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
            drop(places.longest_silent()?);
        }
        Some(InFlight(Arc::clone(inner)))
    }

    /// Whose place it is.
    pub(super) fn scrape(&self) -> Arc<Inner> {
        Arc::clone(&self.0)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.places.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Places {
    /// How many are taken.
    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// From now on its place is another's if nothing of the page is taken for too long.
    pub(super) fn watch(&self, sending: &Arc<Sending>) {
        let mut all = locked(&self.sending);
        all.retain(|sending| sending.strong_count() > 0);
        all.push(Arc::downgrade(sending));
    }

    /// The page of which nothing was taken for longest, and for too long. It is nobody else's now.
    fn longest_silent(&self) -> Option<ScrapeBody> {
        let now = Instant::now();
        let sending: Vec<Arc<Sending>> = locked(&self.sending).iter().filter_map(Weak::upgrade).collect();
        let silent = sending.iter().filter_map(|sending| Some((sending.silence(now)?, sending)));
        let (_, longest) =
            silent.filter(|(silence, _)| *silence >= SILENCE).max_by_key(|(silence, _)| *silence)?;
        locked(&longest.0).page.take()
    }
}

/// A page on its way to a client, shared by all that know of it.
pub(super) struct Sending(Mutex<State>);

struct State {
    /// None if another needed its place.
    page: Option<ScrapeBody>,
    /// When something was taken of it last.
    taken: Instant,
}

impl Sending {
    pub(super) fn new(page: ScrapeBody) -> Sending {
        Sending(Mutex::new(State { page: Some(page), taken: Instant::now() }))
    }

    /// Some of the page is taken: what `read` makes of it. None if it is another's by now.
    pub(super) fn take<T>(&self, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let mut state = locked(&self.0);
        state.taken = Instant::now();
        state.page.as_ref().map(|page| read(page.as_ref()))
    }

    /// For how long nothing was taken of it; None if there is nothing left to lose.
    fn silence(&self, now: Instant) -> Option<Duration> {
        let state = locked(&self.0);
        state.page.as_ref().map(|_| now.saturating_duration_since(state.taken))
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
