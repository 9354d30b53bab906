//! An address that is bound before start returns, and the thread that accepts on it until it is told to stop.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::{self, Runtime};
use tokio::sync::Notify;

use super::door::Door;
use super::port::{Bound, bind, listen_beside};
use super::site::Site;
#[cfg(all(feature = "otlp", feature = "tls"))]
use super::tls::Tls;
#[cfg(feature = "otlp")]
use crate::config::PrometheusConfig;
use crate::log::Level;

/// A listener; it stops when this is dropped, and connections that are still open are closed.
pub(crate) struct Listener {
    address: SocketAddr,
    /// Who has the port too. If there is anybody, it listens only once it is open: until then all connections are theirs.
    beside: Vec<Weak<TcpListener>>,
    stop: Arc<Stop>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// The process that has the thread: a forked child has none to wait for.
    process: u32,
    door: Arc<Door>,
}

/// How long it pauses before it starts again after it has died: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(60);

/// How long a page that is being written when the listener stops is waited for.
const LAST_PAGE: Duration = Duration::from_millis(250);

/// Pages are written one after the other, while the one before is packed; more threads would only wait.
const WRITERS: usize = 2;

impl Listener {
    /// Binds `listen`, beside those listeners of ours that are about to close. Nothing is accepted before
    /// [`open`](Listener::open), and nothing is taken from those. `mend` says how to listen elsewhere, and `taken` who of ours listens
    /// where.
    ///
    /// # Errors
    ///
    /// What is wrong and how to mend it, to be put behind the name of the exporter.
    pub(crate) fn bind(
        listen: &str,
        mend: &str,
        site: Site,
        beside: &[Arc<Listener>],
        taken: &[(String, SocketAddr)],
    ) -> Result<Listener, String> {
        let exporter = site.exporter().to_owned();
        let cannot_listen = |error: io::Error| match taken
            .iter()
            .find(|(_, theirs)| is_kept_out(listen, &error, *theirs))
        {
            Some((name, theirs)) => format!(
                "cannot listen on {listen}: exporter {name:?} listens on {theirs}, and has the port; {mend}"
            ),
            None => refusal(listen, &error, mend),
        };
        let others: Vec<_> = beside.iter().filter_map(|other| other.door.socket()).collect();
        let Bound { socket: listener, beside } = bind(listen, &others).map_err(cannot_listen)?;
        drop(others);
        let address = listener.local_addr().map_err(cannot_listen)?;
        let door = Door::new(site);
        door.bound(&listener);
        let stop = Arc::new(Stop::default());
        let runtime = build_runtime().map_err(|error| format!("cannot start its runtime: {error}"))?;
        let thread = std::thread::Builder::new()
            .name(format!("metercast-{exporter}"))
            .spawn({
                let (door, stop) = (Arc::clone(&door), Arc::clone(&stop));
                move || {
                    if stop.opened() {
                        keep_running(listener, address, runtime, &door, &stop);
                    }
                }
            })
            .map_err(|error| format!("cannot start its thread: {error}"))?;
        let thread = Mutex::new(Some(thread));
        Ok(Listener { address, beside, stop, thread, process: std::process::id(), door })
    }

    /// Begins to accept.
    pub(crate) fn open(&self) {
        if !self.beside.is_empty()
            && let Some(socket) = self.door.socket()
        {
            // If somebody was quicker the thread says so, and tries again and again.
            self.stop.is_deaf.store(listen_beside(&socket, &self.beside).is_err(), Ordering::Relaxed);
        }
        self.stop.open();
    }

    /// Serves something else from the next request on. Connections stay open.
    pub(crate) fn serve(&self, site: Site) {
        self.door.swap(site);
    }

    /// Where it listens; with the port that was chosen if 0 was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether that is where `listen` is, by number or by name.
    pub(crate) fn is_at(&self, listen: &str) -> bool {
        listen.to_socket_addrs().is_ok_and(|mut addresses| addresses.any(|one| one == self.address))
    }

    /// Stops accepting at once, and ends when the requests that are under way were answered, at the latest at `deadline`.
    /// Blocks until then.
    pub(crate) fn close(&self, deadline: Instant) {
        self.stop.by(deadline);
        self.join();
    }

    fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && std::process::id() == self.process
        {
            let _ = thread.join();
        }
    }
}

/// Listens as `page` says, for a moment.
///
/// # Errors
///
/// As [`Listener::bind`], and what is wrong with the certificate.
#[cfg(feature = "otlp")]
pub(crate) fn try_to_listen(page: &PrometheusConfig, mend: &str) -> Result<(), String> {
    #[cfg(feature = "tls")]
    page.listener().tls().map(|files| Tls::start(files.clone())).transpose()?;
    bind(page.listen(), &[]).map(drop).map_err(|error| refusal(page.listen(), &error, mend))
}

/// Why an address cannot be had, and how to mend that.
fn refusal(listen: &str, error: &io::Error, mend: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("cannot listen on {listen}: {error}; free the address, or {mend}")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("cannot listen on {listen}: {error}; this machine does not have the address: {mend}")
        }
        _ => format!("cannot listen on {listen}: {error}; {mend}"),
    }
}

/// Whether it is who listens there that keeps others from listening.
fn is_kept_out(listen: &str, error: &io::Error, theirs: SocketAddr) -> bool {
    let has_port =
        |mut addresses: std::vec::IntoIter<SocketAddr>| addresses.any(|one| one.port() == theirs.port());
    error.kind() == io::ErrorKind::AddrInUse && listen.to_socket_addrs().is_ok_and(has_port)
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.now();
        self.join();
    }
}

/// Tells the thread to begin and to stop, whatever it waits for.
#[derive(Default)]
struct Stop {
    phase: Mutex<Phase>,
    changed: Condvar,
    notify: Notify,
    /// Whether the socket that was bound cannot listen. Said before it is open.
    is_deaf: AtomicBool,
}

/// How far the life of a listener is. It goes on only.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    #[default]
    Bound,
    Open,
    /// Until then requests may take that are under way.
    Closing(Instant),
    Over,
}

impl Stop {
    fn now(&self) {
        self.go_to(Phase::Over);
    }

    fn by(&self, deadline: Instant) {
        self.go_to(Phase::Closing(deadline));
    }

    fn open(&self) {
        self.go_to(Phase::Open);
    }

    fn go_to(&self, next: Phase) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        *phase = next.max(*phase);
        drop(phase);
        self.changed.notify_all();
        if next > Phase::Open {
            self.notify.notify_one();
        }
    }

    fn phase(&self) -> Phase {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it may begin; false if it is to stop before that.
    fn opened(&self) -> bool {
        let phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_while(phase, |phase| *phase == Phase::Bound);
        *waited.unwrap_or_else(PoisonError::into_inner) == Phase::Open
    }

    /// Whether it is to stop, which is waited for at most so long.
    fn within(&self, pause: Duration) -> bool {
        let phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(phase, pause, |phase| *phase <= Phase::Open);
        *waited.unwrap_or_else(PoisonError::into_inner).0 > Phase::Open
    }

    /// Returns when the requests that are under way need not be waited for any more, though they are.
    async fn patience(&self) {
        while let Phase::Closing(deadline) = self.phase() {
            tokio::select! {
                () = tokio::time::sleep_until(deadline.into()) => return,
                () = self.notify.notified() => {}
            }
        }
    }
}

fn build_runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_io().enable_time().max_blocking_threads(WRITERS).build()
}

/// Accepts until it is told to stop. If that dies it is started again, after a pause that grows.
fn keep_running(
    listener: Arc<TcpListener>,
    address: SocketAddr,
    runtime: Runtime,
    door: &Arc<Door>,
    stop: &Stop,
) {
    let (mut listener, mut runtime) = (Some(listener), Some(runtime));
    if stop.is_deaf.load(Ordering::Relaxed) {
        listener = None;
    }
    let mut pause = FIRST_PAUSE;
    loop {
        let began = Instant::now();
        let Err(cause) = run(&mut listener, address, runtime.take(), door, stop) else { return };
        if began.elapsed() > LAST_PAUSE {
            pause = FIRST_PAUSE;
        }
        door.restarted();
        let site = door.site();
        let line = format!("exporter {:?} has died: {cause}; it starts again in {pause:?}", site.exporter());
        site.log().write(Level::Error, &line);
        drop(site);
        if stop.within(pause) {
            return;
        }
        pause = (2 * pause).min(LAST_PAUSE);
    }
}

/// Accepts until it is told to stop, on the listener that there is or a new one.
///
/// # Errors
///
/// Of what it died. The listener is closed then if that was its fault.
fn run(
    listener: &mut Option<Arc<TcpListener>>,
    address: SocketAddr,
    runtime: Option<Runtime>,
    door: &Arc<Door>,
    stop: &Stop,
) -> Result<(), String> {
    let runtime = runtime
        .map_or_else(build_runtime, Ok)
        .map_err(|error| format!("its runtime cannot be started: {error}"))?;
    let bound = match listener.take() {
        Some(bound) => bound,
        None => {
            let bound = bind(&address.to_string(), &[]);
            bound.map_err(|error| format!("cannot listen on {address}: {error}"))?.socket
        }
    };
    door.bound(&bound);
    let ran = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let unusable = |error| Some(format!("the listener cannot be used: {error}"));
            let accepting = match bound.try_clone().and_then(tokio::net::TcpListener::from_std) {
                Ok(accepting) => accepting,
                Err(error) => return unusable(error),
            };
            tokio::select! {
                () = stop.notify.notified() => None,
                error = door.accept(&accepting) => unusable(error),
            }
        })
    }));
    if matches!(ran, Ok(None)) {
        // From now on somebody else may have the address.
        drop(bound);
        door.close();
        runtime.block_on(async {
            tokio::select! {
                () = stop.patience() => {}
                () = door.places.are_free() => {}
            }
        });
        runtime.shutdown_timeout(LAST_PAGE);
        return Ok(());
    }
    // Connections that are still open are closed, not waited for; threads that write pages are, if they come to an end.
    runtime.shutdown_timeout(LAST_PAGE);
    match ran {
        Ok(None) => Ok(()),
        Ok(Some(cause)) => Err(cause),
        Err(_) => {
            // Kept, so that nobody else can have the address meanwhile.
            *listener = Some(bound);
            Err("of a panic, whose message stands before this".to_owned())
        }
    }
}

#[cfg(test)]
mod tests;
