//! The order service: a small real one, over an SQLite file, with a queue and a worker behind it.
//!
//! ```text
//! request -> visitors (not measured) -> metercast_tower::server() -> orders -> store -> book
//!                                                                      \-> worker -> store -> book
//! ```

mod book;
mod folder;
mod metrics;
mod order;
mod orders;
mod store;
mod visitors;
mod waiting;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Router, middleware};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) use book::CREDIT_LIMIT;
pub(crate) use order::{NewOrder, Order, Outcome, Refusal, Region, Side};
pub(crate) use visitors::LOAD;
pub(crate) use waiting::WaitingRoom;

use super::tally::SharedTally;
use folder::TemporaryFolder;
use orders::Orders;
use store::Store;
use worker::Queue;

/// The running service.
#[derive(Debug)]
pub(crate) struct Service {
    address: SocketAddr,
    waiting: WaitingRoom,
    doors: Option<(oneshot::Sender<()>, JoinHandle<io::Result<()>>)>,
    worker: JoinHandle<()>,
    store: Store,
    thread: std::thread::JoinHandle<()>,
    _folder: TemporaryFolder,
}

/// How long a request may take that is being answered when the service is stopped.
const GRACE: Duration = Duration::from_secs(2);

impl Service {
    /// Listens on `listen`, and counts who comes without being the load generator.
    ///
    /// # Errors
    ///
    /// What cannot be had: the address, or the folder for the order book.
    pub(crate) async fn start(listen: &str, visitors: Arc<SharedTally>) -> Result<Service, String> {
        let mend = "free the address, or choose another with --listen";
        let taken = |error: io::Error| format!("cannot listen on {listen}: {error}; {mend}");
        let listener = TcpListener::bind(listen).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let no_folder =
            |error| format!("cannot make a folder for the order book: {error}; set TMPDIR to another place");
        let folder = TemporaryFolder::new("metercast-demo").map_err(no_folder)?;
        let (store, thread) = Store::open(folder.path())
            .map_err(|error| format!("{}: {error}; set TMPDIR to another place", folder.path().display()))?;

        metrics::CREDIT_LIMIT.set(CREDIT_LIMIT);
        let waiting = WaitingRoom::default();
        let (queue, work) = Queue::new(store.clone(), waiting.clone());
        let worker = tokio::spawn(work);
        let orders = Orders { store: store.clone(), queue, waiting: waiting.clone() };
        let app = Router::new()
            .route("/orders", post(orders::place))
            .route("/orders/{id}", get(orders::show))
            .route("/orders/{id}/settle", post(orders::settle))
            .route("/orders/{id}/wait", get(orders::wait))
            .route("/health", get(orders::health))
            .with_state(orders)
            .layer(metercast_tower::server())
            .layer(middleware::from_fn_with_state(visitors, visitors::count));

        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let (close, closed) = oneshot::channel::<()>();
        let served = axum::serve(listener, app).with_graceful_shutdown(async {
            let _ = closed.await;
        });
        let server = tokio::spawn(async { served.await });
        Ok(Service { address, waiting, doors: Some((close, server)), worker, store, thread, _folder: folder })
    }

    /// Where it listens; with the port that was chosen if 0 was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where requests wait for their orders to be settled.
    pub(crate) fn waiting(&self) -> &WaitingRoom {
        &self.waiting
    }

    /// Takes no more requests, and answers those that it has. Orders are settled as before.
    pub(crate) async fn close_doors(&mut self) {
        let Some((close, mut server)) = self.doors.take() else { return };
        let _ = close.send(());
        if tokio::time::timeout(GRACE, &mut server).await.is_err() {
            server.abort();
        }
    }

    /// Stops everything, and removes the order book.
    pub(crate) async fn stop(mut self) {
        self.close_doors().await;
        self.worker.abort();
        self.store.close();
        let thread = self.thread;
        let _ = tokio::task::spawn_blocking(|| thread.join()).await;
    }
}
