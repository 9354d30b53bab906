//! Everything that runs: started from one configuration, flushed and shut down together.

mod error;
mod running;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metercast_core::Store;

use crate::config::Config;
use crate::log::{Level, Log};
use crate::observer;
use crate::reader::Reader;
pub use error::{FlushError, StartError};
pub(crate) use running::Running;

/// Starts what the environment asks for; without any configuration the Prometheus page on
/// `http://127.0.0.1:9464/metrics` and nothing else.
///
/// Keep what is returned for as long as the program runs. [`Config`] says which variables there are, and how to
/// configure from code or a file.
///
/// # Errors
///
/// What is wrong with the configuration, and each exporter that cannot start: where, why, and how to mend it.
///
/// ```no_run
/// fn main() -> Result<(), metercast::StartError> {
///     let _telemetry = metercast::start()?;
///     metercast::u64_counter!("orders.placed", "Orders accepted", 1);
///     Ok(())
/// }
/// ```
pub fn start() -> Result<Telemetry, StartError> {
    Telemetry::start(Config::builder().build()?)
}

/// Exporters at work. Dropping it flushes and stops them, which blocks the thread for up to the configuration's
/// `shutdown_timeout` (5 s) if a collector is slow; [`shutdown`](Telemetry::shutdown) does so with a result.
///
/// The store knows nothing of it: recording works before, while and after it lives.
#[must_use = "dropping it stops all exporters"]
pub struct Telemetry {
    running: Option<Arc<Running>>,
    /// Whether the configuration switched the store off, which ends with this.
    disabled: bool,
    #[cfg(all(unix, feature = "otlp"))]
    signals: Option<crate::signal::Signals>,
    store: Store,
    shutdown_timeout: Duration,
    log: Log,
}

/// How to start: from which configuration, over which store, with which log.
#[derive(Debug)]
#[must_use = "nothing runs until `start`"]
pub struct TelemetryBuilder {
    config: Config,
    store: Store,
    log: Log,
}

impl TelemetryBuilder {
    /// Reads this store instead of the global one.
    pub fn store(mut self, store: Store) -> Self {
        self.store = store;
        self
    }

    /// Writes what there is to say here instead of to standard error.
    pub fn log(mut self, log: Log) -> Self {
        self.log = log;
        self
    }

    /// Starts all exporters. Listeners are bound when this returns.
    ///
    /// # Errors
    ///
    /// Every exporter that cannot start; then none runs.
    pub fn start(self) -> Result<Telemetry, StartError> {
        let TelemetryBuilder { config, store, log } = self;
        for warning in config.warnings() {
            log.write(Level::Warn, warning);
        }
        let shutdown_timeout = config.shutdown_timeout();
        if !config.is_enabled() {
            store.set_enabled(false);
            return Ok(Telemetry {
                running: None,
                disabled: true,
                #[cfg(all(unix, feature = "otlp"))]
                signals: None,
                store,
                shutdown_timeout,
                log,
            });
        }
        observer::install(&store);
        store.set_exemplars(config.exemplars());
        let reader = Reader::new(store.clone(), log.clone()).measured(config.self_metrics());
        let running = Arc::new(Running::start(&config, &reader)?);
        log.write(Level::Info, &running.summary(&config));
        #[cfg(all(unix, feature = "otlp"))]
        let signals = crate::signal::Signals::start(config.on_sigterm(), shutdown_timeout, &running, &log)
            .map_err(StartError::signals)?;
        Ok(Telemetry {
            running: Some(running),
            disabled: false,
            #[cfg(all(unix, feature = "otlp"))]
            signals,
            store,
            shutdown_timeout,
            log,
        })
    }
}

impl Telemetry {
    /// Starts the exporters of `config` over the global store.
    ///
    /// # Errors
    ///
    /// Every exporter that cannot start; then none runs.
    ///
    /// ```
    /// use metercast::config::{Config, Prometheus};
    /// use metercast::Telemetry;
    ///
    /// let config = Config::builder().exporter("scrape", Prometheus::listen("127.0.0.1:0")).build()?;
    /// let telemetry = Telemetry::start(config)?;
    /// assert!(telemetry.scrape_url().unwrap().starts_with("http://127.0.0.1:"));
    /// telemetry.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start(config: Config) -> Result<Telemetry, StartError> {
        Telemetry::builder(config).start()
    }

    /// Starts with more than a configuration: another store, another log.
    pub fn builder(config: Config) -> TelemetryBuilder {
        TelemetryBuilder { config, store: Store::global(), log: Log::default() }
    }

    /// The store that the exporters read.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The address of the first Prometheus listener, in the order of exporter names; with the port that was chosen
    /// if the configuration left it open.
    pub fn scrape_address(&self) -> Option<SocketAddr> {
        self.running.as_ref()?.scrape_address()
    }

    /// The URL of the first Prometheus page, in the order of exporter names.
    pub fn scrape_url(&self) -> Option<String> {
        self.running.as_ref()?.scrape_url()
    }

    /// Pushes what there is now, all exporters at once, and waits at most `timeout`. Blocks this thread.
    ///
    /// # Errors
    ///
    /// The exporters that could not push in time, and why. Nothing is lost: the next push has it.
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        match &self.running {
            Some(running) => running.flush(deadline(timeout)),
            None => Ok(()),
        }
    }

    /// Pushes for the last time and stops, within the time that the configuration gives (`shutdown_timeout`, 5 s).
    /// Blocks this thread.
    ///
    /// # Errors
    ///
    /// The exporters that could not push in time, and why; what they did not push is lost to them.
    pub fn shutdown(self) -> Result<(), FlushError> {
        let timeout = self.shutdown_timeout;
        self.shutdown_within(timeout)
    }

    /// [`shutdown`](Telemetry::shutdown) within a time of your own.
    ///
    /// # Errors
    ///
    /// As [`shutdown`](Telemetry::shutdown).
    pub fn shutdown_within(mut self, timeout: Duration) -> Result<(), FlushError> {
        self.stop(timeout)
    }

    fn stop(&mut self, timeout: Duration) -> Result<(), FlushError> {
        if self.disabled {
            self.store.set_enabled(true);
        }
        let result = match self.running.take() {
            Some(running) => running.shutdown(deadline(timeout)),
            None => Ok(()),
        };
        // Last, so that a signal that comes meanwhile finds that the program is still ending.
        #[cfg(all(unix, feature = "otlp"))]
        drop(self.signals.take());
        result
    }
}

/// The moment when a time from now is over; for one without end, a year ahead.
pub(crate) fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now + Duration::from_secs(365 * 24 * 3600))
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Err(error) = self.stop(self.shutdown_timeout) {
            self.log.write(Level::Error, &error.to_string());
        }
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("scrape_url", &self.scrape_url()).finish_non_exhaustive()
    }
}
