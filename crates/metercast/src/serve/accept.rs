//! The loop that accepts connections, which nothing that clients do can end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::connection;
use super::places::{Place, Places};
use super::site::Site;
#[cfg(feature = "tls")]
use super::tls::Tls;
use crate::log::{Level, Log};

/// Connections at once. Of more, those that have waited longest for a request are closed.
const CONNECTIONS: usize = 256;

/// How long accepting pauses when the system refuses, for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// How often in a row accepting may fail before the listener is opened anew, unless descriptors or memory are wanting: a
/// listener more would not help there.
const FAILURES: u32 = 50;

/// Whom connections are handed to.
pub(super) struct Door {
    pub(super) exporter: String,
    pub(super) site: Arc<Site>,
    pub(super) log: Log,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Tls>,
    /// Lets a test see what a panic in the loop does.
    #[cfg(test)]
    pub(super) panics: std::sync::atomic::AtomicBool,
}

impl Door {
    /// Accepts as long as that is possible. Returns why it is not any more.
    pub(super) async fn accept(&self, listener: &TcpListener) -> io::Error {
        let places = Places::new(CONNECTIONS);
        let mut failures = 0;
        loop {
            let accepted = listener.accept().await;
            #[cfg(test)]
            assert!(!self.panics.swap(false, std::sync::atomic::Ordering::Relaxed), "the test says so");
            match accepted {
                Ok((stream, _)) => {
                    failures = 0;
                    let place = places.take().await;
                    self.begin(stream, place);
                }
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => {
                    failures += 1;
                    if failures >= FAILURES && !is_want(&error) {
                        return error;
                    }
                    let line = format!(
                        "exporter {:?} cannot accept connections: {error}; it tries again, check the limit of open files",
                        self.exporter
                    );
                    self.log.write_rarely(Level::Error, &format!("accept {}", self.exporter), &line);
                    // Whoever has no request may have the descriptor that is wanting.
                    places.evict_half();
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Serves a connection, in a task of its own: should that panic, the others do not notice.
    fn begin(&self, stream: TcpStream, place: Arc<Place>) {
        let _ = stream.set_nodelay(true);
        let site = Arc::clone(&self.site);
        #[cfg(feature = "tls")]
        let acceptor = self.tls.as_ref().map(|tls| tls.acceptor(&self.exporter, &self.log));
        tokio::spawn(async move {
            let served = async {
                #[cfg(feature = "tls")]
                if let Some(acceptor) = acceptor {
                    let handshake = tokio::time::timeout(connection::HEAD, acceptor.accept(stream));
                    if let Ok(Ok(stream)) = handshake.await {
                        connection::serve(stream, site, Arc::clone(&place)).await;
                    }
                    return;
                }
                connection::serve(stream, site, Arc::clone(&place)).await;
            };
            tokio::select! {
                () = served => {}
                () = place.evicted() => {}
            }
        });
    }
}

/// Whether the client went away before it was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | WouldBlock)
}

/// Whether descriptors (of the process, of the system) or memory are wanting.
fn is_want(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const WSAEMFILE: i32 = 10_024;
    error.kind() == io::ErrorKind::OutOfMemory
        || matches!(error.raw_os_error(), Some(ENFILE | EMFILE | WSAEMFILE))
}
