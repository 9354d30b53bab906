//! An address that is bound before start returns, and the thread that accepts on it until it is told to stop.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::{self, Runtime};
use tokio::sync::Notify;

use super::accept::Door;
use super::site::Site;
#[cfg(feature = "tls")]
use super::tls::Tls;
use crate::config::PrometheusConfig;
use crate::log::Level;
use crate::scrape::Scrape;

/// A running listener; it stops when this is dropped.
pub(crate) struct Listener {
    address: SocketAddr,
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
    /// The process that has the thread: a forked child has none to wait for.
    process: u32,
    #[cfg(test)]
    door: Arc<Door>,
}

/// How long it pauses before it starts again after it has died: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(60);

/// How long a page that is being written when the listener stops is waited for.
const LAST_PAGE: Duration = Duration::from_millis(250);

/// Pages are written one after the other, while the one before is packed; more threads would only wait.
const WRITERS: usize = 2;

/// Connections that wait to be accepted; the system may allow fewer.
const QUEUE: i32 = 4096;

impl Listener {
    /// Binds the address of `config` and serves `scrape` there.
    ///
    /// # Errors
    ///
    /// What is wrong and how to mend it, to be put behind the name of the exporter.
    pub(crate) fn start(
        exporter: &str,
        config: &PrometheusConfig,
        scrape: Scrape,
    ) -> Result<Listener, String> {
        #[cfg(feature = "tls")]
        let tls = config.listener().tls().map(|files| Tls::start(files.clone())).transpose()?;
        let listen = config.listen();
        let cannot_listen = |error: io::Error| {
            format!(
                "cannot listen on {listen}: {error}; free the address, or set telemetry.exporters.{exporter}.listen or \
                 OTEL_EXPORTER_PROMETHEUS_PORT to another"
            )
        };
        let listener = bind(listen).map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        let log = scrape.log().clone();
        let door = Arc::new(Door {
            exporter: exporter.to_owned(),
            site: Arc::new(Site::new(config.path(), config.listener().clone(), scrape)),
            log,
            #[cfg(feature = "tls")]
            tls,
            #[cfg(test)]
            panics: Default::default(),
        });
        let stop = Arc::new(Stop::default());
        let runtime = build_runtime().map_err(|error| format!("cannot start its runtime: {error}"))?;
        let thread = std::thread::Builder::new()
            .name(format!("metercast-{exporter}"))
            .spawn({
                let (door, stop) = (Arc::clone(&door), Arc::clone(&stop));
                move || keep_running(listener, address, runtime, &door, &stop)
            })
            .map_err(|error| format!("cannot start its thread: {error}"))?;
        Ok(Listener {
            address,
            stop,
            thread: Some(thread),
            process: std::process::id(),
            #[cfg(test)]
            door,
        })
    }

    /// Where it listens; with the port that was chosen if 0 was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.now();
        if let Some(thread) = self.thread.take()
            && std::process::id() == self.process
        {
            let _ = thread.join();
        }
    }
}

/// Tells the thread to stop, whatever it waits for.
#[derive(Default)]
struct Stop {
    is_over: Mutex<bool>,
    changed: Condvar,
    notify: Notify,
}

impl Stop {
    fn now(&self) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
        self.notify.notify_one();
    }

    /// Whether it is to stop, which is waited for at most so long.
    fn within(&self, pause: Duration) -> bool {
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(is_over, pause, |is_over| !*is_over);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

fn build_runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_io().enable_time().max_blocking_threads(WRITERS).build()
}

/// Accepts until it is told to stop. If that dies it is started again, after a pause that grows.
fn keep_running(listener: TcpListener, address: SocketAddr, runtime: Runtime, door: &Arc<Door>, stop: &Stop) {
    let (mut listener, mut runtime) = (Some(listener), Some(runtime));
    let mut pause = FIRST_PAUSE;
    loop {
        let began = Instant::now();
        let Err(cause) = run(&mut listener, address, runtime.take(), door, stop) else { return };
        if began.elapsed() > LAST_PAUSE {
            pause = FIRST_PAUSE;
        }
        door.site.state.restarts.fetch_add(1, Ordering::Relaxed);
        let line = format!("exporter {:?} has died: {cause}; it starts again in {pause:?}", door.exporter);
        door.log.write(Level::Error, &line);
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
    listener: &mut Option<TcpListener>,
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
        None => bind(&address.to_string()).map_err(|error| format!("cannot listen on {address}: {error}"))?,
    };
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

/// The first address of the name that can be bound.
fn bind(listen: &str) -> io::Result<TcpListener> {
    let mut error = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
    for address in listen.to_socket_addrs()? {
        match TcpListener::bind(address) {
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                // The queue that the standard library asks for is full of 128, and whoever comes then waits for a second. Not
                // everywhere can it be had longer.
                let _ = socket2::SockRef::from(&listener).listen(QUEUE);
                return Ok(listener);
            }
            Err(refused) => error = refused,
        }
    }
    Err(error)
}

#[cfg(test)]
mod tests;
