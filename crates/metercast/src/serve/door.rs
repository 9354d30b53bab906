//! What all connections of a listener share: what is served, which a reload swaps, and whether they are to leave.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use tokio::sync::watch;

use super::places::Places;
use super::site::Site;

/// Connections of a listener at once. Of more, those that have waited longest for a request are closed.
const CONNECTIONS: usize = 256;

/// Whom connections are handed to. It lives as long as its listener, whatever is served meanwhile.
pub(super) struct Door {
    site: RwLock<Arc<Site>>,
    pub(super) places: Arc<Places>,
    /// How often the listener had to be started again.
    restarts: AtomicU32,
    leaving: watch::Sender<bool>,
    /// What is accepted on, as long as it is.
    socket: Mutex<Weak<TcpListener>>,
    /// Lets a test see what a panic in the loop does.
    #[cfg(test)]
    pub(super) panics: std::sync::atomic::AtomicBool,
}

impl Door {
    pub(super) fn new(site: Site) -> Arc<Door> {
        Arc::new(Door {
            site: RwLock::new(Arc::new(site)),
            places: Places::new(CONNECTIONS),
            restarts: AtomicU32::default(),
            leaving: watch::Sender::new(false),
            socket: Mutex::default(),
            #[cfg(test)]
            panics: Default::default(),
        })
    }

    /// What is served now. A request is answered by one site from its beginning to its end.
    pub(super) fn site(&self) -> Arc<Site> {
        Arc::clone(&self.site.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves something else from the next request on. Connections stay open.
    pub(super) fn swap(&self, site: Site) {
        let site = Arc::new(site);
        let old = std::mem::replace(&mut *self.site.write().unwrap_or_else(PoisonError::into_inner), site);
        // Dropped where nobody waits for the lock.
        drop(old);
    }

    /// Accepts on this.
    pub(super) fn bound(&self, socket: &Arc<TcpListener>) {
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(socket);
    }

    /// What is accepted on now. It is open for as long as it is held here.
    pub(super) fn socket(&self) -> Option<Arc<TcpListener>> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    pub(super) fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn restarts(&self) -> u32 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Connections finish the request that they have, and close.
    pub(super) fn close(&self) {
        self.leaving.send_replace(true);
    }

    /// Returns when connections are to leave.
    pub(super) async fn closed(&self) {
        // The sender is here, so it cannot be gone.
        let _ = self.leaving.subscribe().wait_for(|leaving| *leaving).await;
    }
}
