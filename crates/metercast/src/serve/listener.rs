//! An address that is bound before start returns, and the thread that accepts on it.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::{Semaphore, oneshot};

use super::connection::{self, Site};
use crate::export::prometheus::PrometheusPage;
use crate::log::Level;
use crate::reader::Reader;

/// A running listener; it stops when this is dropped.
pub(crate) struct Listener {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// The process that has the thread: a forked child has none to wait for.
    process: u32,
}

/// Connections served at once; more wait in the accept queue of the system.
const CONNECTIONS: usize = 64;

/// How long accepting pauses when the system refuses, for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

impl Listener {
    /// Binds `listen` (`host:port`) and serves the page of `reader` at `path`.
    pub(crate) fn start(exporter: &str, listen: &str, path: &str, reader: Reader) -> io::Result<Listener> {
        let listener = bind(listen)?;
        let address = listener.local_addr()?;
        let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (stop, stopped) = oneshot::channel();
        let page = PrometheusPage::new(exporter, reader.log().clone());
        let site = Arc::new(Site::new(path, page, reader));
        let exporter = exporter.to_owned();
        let thread = std::thread::Builder::new().name(format!("metercast-{exporter}")).spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, &exporter, site) => {}
                }
            });
            // Connections that are still open are closed, not waited for.
            runtime.shutdown_background();
        })?;
        Ok(Listener { address, stop: Some(stop), thread: Some(thread), process: std::process::id() })
    }

    /// Where it listens; with the port that was chosen if 0 was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // The thread waits for either of both; without a receiver it has ended already.
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take()
            && std::process::id() == self.process
        {
            let _ = thread.join();
        }
    }
}

/// The first address of the name that can be bound.
fn bind(listen: &str) -> io::Result<TcpListener> {
    let mut error = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
    for address in listen.to_socket_addrs()? {
        match TcpListener::bind(address) {
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                return Ok(listener);
            }
            Err(refused) => error = refused,
        }
    }
    Err(error)
}

async fn accept(listener: TcpListener, exporter: &str, site: Arc<Site>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            let line = format!("exporter {exporter:?} has stopped: the listener cannot be used: {error}");
            return site.reader.log().write(Level::Error, &line);
        }
    };
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let site = Arc::clone(&site);
                tokio::spawn(async move {
                    connection::serve(stream, site).await;
                    drop(place);
                });
            }
            Err(error) => {
                let line = format!(
                    "exporter {exporter:?} cannot accept connections: {error}; it tries again, check the limit of \
                     open files"
                );
                site.reader.log().write_rarely(Level::Error, &format!("accept {exporter}"), &line);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
