//! The loop that accepts connections, which nothing that clients do can end.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::connection::{self, Line};
use super::door::Door;
use super::places::Place;
use crate::log::Level;

/// How long accepting pauses when the system refuses, for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// How often in a row accepting may fail before the listener is opened anew, unless descriptors or memory are wanting: a
/// listener more would not help there.
const FAILURES: u32 = 50;

impl Door {
    /// Accepts as long as that is possible. Returns why it is not any more.
    pub(super) async fn accept(self: &Arc<Door>, listener: &TcpListener) -> io::Error {
        let places = &self.places;
        let mut failures = 0;
        loop {
            let accepted = listener.accept().await;
            #[cfg(test)]
            assert!(!self.panics.swap(false, std::sync::atomic::Ordering::Relaxed), "the test says so");
            match accepted {
                Ok((stream, peer)) => {
                    failures = 0;
                    let place = places.take().await;
                    self.begin(stream, peer.ip(), place);
                }
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => {
                    failures += 1;
                    if failures >= FAILURES && !is_want(&error) {
                        return error;
                    }
                    let site = self.site();
                    let exporter = site.exporter();
                    let line = format!(
                        "exporter {exporter:?} cannot accept connections: {error}; it tries again, check the limit of open files",
                    );
                    site.log().write_rarely(Level::Error, &format!("accept {exporter}"), &line);
                    // Whoever has no request may have the descriptor that is wanting.
                    places.evict_half();
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Serves a connection, in a task of its own: should that panic, the others do not notice.
    fn begin(self: &Arc<Door>, stream: TcpStream, peer: IpAddr, place: Arc<Place>) {
        let _ = stream.set_nodelay(true);
        let door = Arc::clone(self);
        #[cfg(feature = "tls")]
        let acceptor = self.site().acceptor();
        tokio::spawn(async move {
            let served = async {
                #[cfg(feature = "tls")]
                if let Some(acceptor) = acceptor {
                    let handshake = tokio::time::timeout(connection::HEAD, acceptor.accept(stream));
                    if let Ok(Ok(stream)) = handshake.await {
                        let line = Line { is_encrypted: true, peer };
                        connection::serve(stream, line, door, Arc::clone(&place)).await;
                    }
                    return;
                }
                let line = Line { is_encrypted: false, peer };
                connection::serve(stream, line, door, Arc::clone(&place)).await;
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
