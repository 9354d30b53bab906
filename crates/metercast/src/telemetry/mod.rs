//! Everything that runs: started from one configuration, made that of another, flushed and shut down together.
//!
//! ```text
//! mod -> running (the transaction) -> prepare (what can fail) -> step (for one of them) -> exporter
//!  |        |                            |
//!  watch    retire (what is gone)        difference -> reloaded (what there is to say)
//! ```

mod all;
mod difference;
mod error;
mod exporter;
mod prepare;
mod reloaded;
mod retire;
mod running;
mod said;
mod step;
#[cfg(feature = "otlp")]
mod told;
#[cfg(feature = "config")]
mod watch;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metercast_core::Store;

use crate::config::{Config, ExporterConfig};
use crate::health::Health;
use crate::log::Log;
use crate::reader::Reader;
#[cfg(all(unix, any(feature = "otlp", feature = "config")))]
use crate::signal::Hangup;
pub use error::{FlushError, ReloadError, StartError};
pub use reloaded::{ExporterChange, Reloaded};
pub(crate) use running::Running;
use running::{Next, Then};
#[cfg(feature = "config")]
use watch::Watch;

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
    running: Arc<Running>,
    /// Taken apart when it is shut down.
    sources: Option<Sources>,
    store: Store,
    log: Log,
}

/// Who reloads beside the program.
struct Sources {
    #[cfg(feature = "config")]
    _watch: Option<Watch>,
    #[cfg(all(unix, any(feature = "otlp", feature = "config")))]
    _hangup: Option<Hangup>,
}

/// How to start: from which configuration, over which store, with which log.
#[must_use = "nothing runs until `start`"]
pub struct TelemetryBuilder {
    config: Config,
    store: Store,
    log: Log,
    health: Option<Health>,
    next: Option<Next>,
    #[cfg(feature = "config")]
    watch: Option<Duration>,
    #[cfg(all(unix, any(feature = "otlp", feature = "config")))]
    on_sighup: bool,
}

impl fmt::Debug for TelemetryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TelemetryBuilder { config, store, .. } = self;
        f.debug_struct("TelemetryBuilder")
            .field("config", config)
            .field("store", store)
            .finish_non_exhaustive()
    }
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

    /// What this health says is what listeners answer at their readiness path, also after a reload. When a check fails, and when it
    /// is up again, the log says so.
    pub fn health(mut self, health: Health) -> Self {
        self.health = Some(health);
        self
    }

    /// Whoever reloads takes what `next` makes, in place of the same files read again: for programs whose own part of the configuration
    /// stands in those files too. What `next` says against it is what became of this reload, in the log and in the metrics too.
    /// The function beside the configuration is called once that holds, and before another reload begins; if it cannot be used, the
    /// function is dropped. Where one of the two panics, the log and the metrics say so, and the panic goes on to whoever reloads.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use metercast::config::Config;
    /// use metercast::{Log, Store, Telemetry};
    ///
    /// let upstreams = Arc::new(Mutex::new(vec!["accounts"]));
    /// let (read, served) = (Arc::new(Mutex::new(vec!["accounts", "products"])), Arc::clone(&upstreams));
    /// let file = Arc::clone(&read);
    /// let config = || Config::builder().environment(false).without_exporter("prometheus").build();
    /// let telemetry = Telemetry::builder(config()?).store(Store::new()).log(Log::to(|_, _| {})).reread_by(move || {
    ///     let (next, served) = (file.lock().unwrap().clone(), Arc::clone(&served));
    ///     if next.is_empty() {
    ///         return Err("upstreams: there are none".into());
    ///     }
    ///     Ok((config()?, move || *served.lock().unwrap() = next))
    /// });
    /// let telemetry = telemetry.start()?;
    /// telemetry.reread()?;
    /// assert_eq!(*upstreams.lock().unwrap(), ["accounts", "products"]);
    /// read.lock().unwrap().clear();
    /// assert_eq!(telemetry.reread().unwrap_err().to_string(), "upstreams: there are none");
    /// assert_eq!(*upstreams.lock().unwrap(), ["accounts", "products"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reread_by<T: FnOnce() + 'static>(
        mut self,
        next: impl Fn() -> Result<(Config, T), Box<dyn std::error::Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.next = Some(Box::new(move || {
            let (config, then) = next().map_err(ReloadError::program)?;
            Ok((config, Box::new(then) as Then))
        }));
        self
    }

    /// Looks at the files of the configuration so often, for example every second, on a thread of its own, and reloads as
    /// [`Telemetry::reread`] does when one of them has another length, time, inode or content than before; also if it was
    /// replaced by another file, or is behind a link that leads elsewhere now, as in a volume of Kubernetes. A file is read
    /// when two looks in a row have found it the same, so that one that is being written is not.
    ///
    /// What cannot be used is logged once and tried again when a file changes again, also one that was missed, such as a secret
    /// or a certificate that comes after the file that names it; until then the configuration that there was goes on. A file
    /// that said something and is empty now is not used either, as it may be about to be written: whoever means it writes a
    /// comment, or reloads in another way. Time is at least 10 milliseconds.
    #[cfg(feature = "config")]
    pub fn watch(mut self, every: Duration) -> Self {
        self.watch = Some(every);
        self
    }

    /// Reloads, as [`Telemetry::reread`] does, when the process gets SIGHUP, which would end it otherwise. What the program
    /// itself does on SIGHUP it does all the same.
    ///
    /// The handler stays for as long as the process lives; when nothing is left to reload, SIGHUP does what it did before.
    #[cfg(all(unix, any(feature = "otlp", feature = "config")))]
    pub fn reload_on_sighup(mut self) -> Self {
        self.on_sighup = true;
        self
    }

    /// Starts all exporters. Listeners are bound when this returns.
    ///
    /// # Errors
    ///
    /// Every exporter that cannot start; then none runs. With `on_error = "degrade"`
    /// ([`OnError`](crate::config::OnError)) the others run, and [`failures`](Telemetry::failures) has these.
    pub fn start(self) -> Result<Telemetry, StartError> {
        let is_reloadable = self.is_reloadable();
        let reader = Reader::new(self.store.clone(), self.log.clone());
        let running = Running::start(self.config, reader, self.health, self.next)?;
        let sources = Sources {
            #[cfg(all(unix, any(feature = "otlp", feature = "config")))]
            _hangup: match self.on_sighup {
                true => Some(Hangup::start(&running).map_err(StartError::sighup)?),
                false => None,
            },
            #[cfg(feature = "config")]
            _watch: match self.watch {
                Some(every) => Some(Watch::start(&running, every).map_err(StartError::watch)?),
                None => None,
            },
        };
        if is_reloadable {
            running.say_reloadable();
        }
        Ok(Telemetry { running, sources: Some(sources), store: self.store, log: self.log })
    }

    /// Whether anybody else than the program may reload.
    fn is_reloadable(&self) -> bool {
        #[cfg(feature = "config")]
        if self.watch.is_some() {
            return true;
        }
        #[cfg(all(unix, any(feature = "otlp", feature = "config")))]
        if self.on_sighup {
            return true;
        }
        self.config.exporters().any(|(_, exporter)| match exporter {
            ExporterConfig::Prometheus(prometheus) => prometheus.listener().reload(),
            _ => false,
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
        TelemetryBuilder {
            config,
            store: Store::global(),
            log: Log::default(),
            health: None,
            next: None,
            #[cfg(feature = "config")]
            watch: None,
            #[cfg(all(unix, any(feature = "otlp", feature = "config")))]
            on_sighup: false,
        }
    }

    /// The store that the exporters read.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The address of the first Prometheus listener, in the order of exporter names; with the port that was chosen
    /// if the configuration left it open.
    pub fn scrape_address(&self) -> Option<SocketAddr> {
        self.running.scrape_address()
    }

    /// The URL of the first Prometheus page, in the order of exporter names.
    pub fn scrape_url(&self) -> Option<String> {
        self.running.scrape_url()
    }

    /// The URL of the first page for people, in the order of exporter names; `None` where all are switched off.
    ///
    /// ```
    /// use metercast::config::{Config, Prometheus};
    /// use metercast::{Log, Store, Telemetry};
    ///
    /// let page = Prometheus::listen("127.0.0.1:0");
    /// let config = Config::builder().environment(false).exporter("scrape", page).build()?;
    /// let telemetry = Telemetry::builder(config).store(Store::new()).log(Log::to(|_, _| {})).start()?;
    /// let address = telemetry.scrape_address().unwrap();
    /// assert_eq!(telemetry.live_url(), Some(format!("http://{address}/")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "live")]
    pub fn live_url(&self) -> Option<String> {
        self.running.live_url()
    }

    /// What could not start and still does not run, each exporter with its cause; there are such only with
    /// `on_error = "degrade"` ([`OnError`](crate::config::OnError)).
    pub fn failures(&self) -> Vec<(String, String)> {
        self.running.failed()
    }

    /// Goes on with another configuration. Blocks this thread while files are read and addresses are bound, not for any push.
    /// Another reload that is under way is waited for.
    ///
    /// It is a transaction: if anything cannot be had, nothing changes. Only what differs is touched, and nothing that was
    /// recorded is lost or begins anew, however often it is done:
    ///
    /// * A page keeps its listener and its connections as long as its address stays, also under another exporter's name, and
    ///   port 0 stays the port that was chosen. On another address the new listener is there before the old one closes, which
    ///   answers what it was asked. Of metrics that get the same name, the one that had it first keeps it.
    /// * A push keeps its thread. What there is goes out with the old settings first, for as long as the `shutdown_timeout`
    ///   allows; then the new ones hold, and soon there is a push with them. What had not arrived goes with it: a request that
    ///   may have been taken is sent again as it was if endpoint, protocol and compression are the same. Otherwise its content
    ///   is read anew, and may arrive twice, at one place each.
    /// * An exporter that is gone hands over what it has in the background, for as long as the new `shutdown_timeout` allows,
    ///   and ends. If a push of deltas comes back under its name it goes on where it was, once it has ended: nothing is told twice,
    ///   and what was recorded meanwhile comes with the first. One whose name is new counts from then on.
    ///   What series that have ended had counted stays in the sums of its views too, whatever it reads for: that is kept of all that
    ///   there are and of the last 16 names that are gone.
    /// * All that holds for everything (`enabled`, `exemplars`, `self_metrics`, `on_sigterm`, ...) follows the new
    ///   configuration.
    /// * A [private exporter](crate::config::ConfigBuilder::private_exporter) is touched only if its own settings differ, or it
    ///   is switched off.
    ///
    /// There is one line in the log, and `metercast.config.last_reload_successful` (0 or 1) and
    /// `metercast.config.last_reload_success_timestamp` say what became of the last reload, whoever asked for it: this, a
    /// [watched](TelemetryBuilder::watch) file, [SIGHUP](TelemetryBuilder::reload_on_sighup), or a
    /// [request](crate::config::Prometheus::reload).
    ///
    /// # Errors
    ///
    /// Every exporter that cannot be started or changed; then all is as before. After the shutdown, that it is over.
    ///
    /// ```
    /// use metercast::config::{Config, Prometheus};
    /// use metercast::{Store, Telemetry};
    ///
    /// let config = |token: &str| {
    ///     let page = Prometheus::listen("127.0.0.1:0").bearer(token);
    ///     Config::builder().environment(false).exporter("scrape", page).build()
    /// };
    /// let telemetry = Telemetry::builder(config("old")?).store(Store::new()).start()?;
    /// let url = telemetry.scrape_url();
    /// assert_eq!(telemetry.reload(config("new")?)?.to_string(), "scrape: auth changed");
    /// assert_eq!(telemetry.scrape_url(), url);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reload(&self, config: Config) -> Result<Reloaded, ReloadError> {
        self.running.reload("the program", |_| Ok::<_, ReloadError>(config))
    }

    /// Reads file and environment again ([`Config::reread`]), or what the program [reads itself](TelemetryBuilder::reread_by), and
    /// [reloads](Self::reload) what they say now.
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration, with file, line and key; and as [`reload`](Self::reload).
    pub fn reread(&self) -> Result<Reloaded, ReloadError> {
        self.running.reread("the program")
    }

    /// What [`reload`](Self::reload) would do. Everything that can fail is tried: new addresses are bound for a moment, and
    /// certificates are read.
    ///
    /// # Errors
    ///
    /// As [`reload`](Self::reload).
    pub fn plan_reload(&self, config: &Config) -> Result<Reloaded, ReloadError> {
        self.running.plan(config.clone())
    }

    /// What [`reread`](Self::reread) would do, tried as far as [`plan_reload`](Self::plan_reload) does. What a program [reads
    /// itself](TelemetryBuilder::reread_by) is read, and what is to be done once it holds is not done.
    ///
    /// # Errors
    ///
    /// As [`reread`](Self::reread).
    pub fn plan_reread(&self) -> Result<Reloaded, ReloadError> {
        self.running.plan_reread()
    }

    /// Pushes what there is now, all exporters at once, and waits at most `timeout`. Blocks this thread.
    ///
    /// # Errors
    ///
    /// The exporters that could not push in time, and why. Nothing is lost: the next push has it.
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.running.flush(deadline(timeout))
    }

    /// Pushes for the last time and stops, within the time that the configuration gives (`shutdown_timeout`, 5 s).
    /// Blocks this thread.
    ///
    /// # Errors
    ///
    /// The exporters that could not push in time, and why; what they did not push is lost to them.
    pub fn shutdown(self) -> Result<(), FlushError> {
        let timeout = self.shutdown_timeout();
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
        // Once only.
        if self.sources.take().is_none() {
            return Ok(());
        }
        self.running.shutdown(deadline(timeout))
    }

    fn shutdown_timeout(&self) -> Duration {
        self.running.config().map_or(Duration::ZERO, |config| config.shutdown_timeout())
    }
}

/// The moment when a time from now is over; for one without end, a year ahead.
pub(crate) fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now + Duration::from_secs(365 * 24 * 3600))
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Err(error) = self.stop(self.shutdown_timeout()) {
            error.log(&self.log);
        }
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("scrape_url", &self.scrape_url()).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "serve", feature = "config"))]
mod tests;
