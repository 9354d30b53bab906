//! Whether the program can do its work: checks at an interval, whose last answers are gauges and the readiness of the listener.
//!
//! ```text
//! check (what is asked, by a thread of its own) -> mod (all of them) -> readiness (what is answered), component.up, subsystem.up
//!   |
//!   drive (a check that is a future)
//! ```

mod check;
mod drive;
mod readiness;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use metercast_core::{Observation, Store, metrics};

pub use check::{Check, Checking};
pub use readiness::Readiness;

use crate::log::{Level, Log};
use check::{Entry, Status};

metrics! {
    /// Whether the component is ready: 1 or 0, by the last answers of its checks.
    static COMPONENT_UP: ObservableGauge<u64> = "component.up";
    /// Whether a part of it is up: 1 or 0, by the last answer of its check.
    static SUBSYSTEM_UP: ObservableGauge<u64> = "subsystem.up" { labels: { subsystem: &str } };
}

/// How long it is from the end of a check to the next, unless said.
const INTERVAL: Duration = Duration::from_secs(15);

/// How long a check may take, unless said.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Whether a component can do its work, as its checks say: each is made at an interval by a thread of its own, and what it said last
/// is what a scrape and a probe are told. So neither waits for a check, and one that hangs, panics or fails harms nobody: it is
/// down, and says so in the readiness and in the log.
///
/// It is two gauges of the store that was current where it was made: `component.up`, whether all checks that are not
/// [optional](Check::optional) are up, and `subsystem.up` with the name of each check as `subsystem`. Given to
/// [`TelemetryBuilder::health`](crate::TelemetryBuilder::health), it decides what the listener answers at its
/// [`readiness_path`](crate::config::Prometheus::readiness_path). Programs with a server of their own answer with
/// [`readiness`](Health::readiness).
///
/// Clones are the same health. When the last one is gone the checks end, and so do the gauges.
///
/// ```
/// use metercast::{Health, Log, PrometheusPage, Store};
///
/// # let store = Store::new();
/// # store.scope(|| {
/// let health = Health::new();
/// let database = health.check("database").run(|| Ok::<(), &str>(()));
/// let queue = health.check("queue").run(|| Err("connection refused"));
///
/// let readiness = health.check_now();
/// assert_eq!(readiness.status(), 503);
/// assert_eq!(readiness.json(), "{\"status\":\"not_ready\",\"error\":\"queue: connection refused\"}\n");
///
/// let page = PrometheusPage::new("p", Log::default()).render(&Store::current());
/// assert!(page.contains("\ncomponent_up 0\n"));
/// assert!(page.contains("\nsubsystem_up{subsystem=\"database\"} 1\nsubsystem_up{subsystem=\"queue\"} 0\n"));
/// # drop((database, queue));
/// # });
/// ```
#[derive(Clone)]
pub struct Health(Arc<Shared>);

/// How a [`Health`] is to be.
#[derive(Debug, Clone, Default)]
#[must_use = "there is no health before `build`"]
pub struct HealthBuilder {
    requires_checks: bool,
}

/// What all clones share. Checks hold it weakly.
struct Shared {
    store: Store,
    requires_checks: bool,
    entries: Mutex<Vec<Arc<Entry>>>,
    /// Why it is not ready whatever its checks say.
    withdrawn: Mutex<Option<String>>,
    log: OnceLock<Log>,
    gauges: OnceLock<[Observation; 2]>,
}

impl HealthBuilder {
    /// Not ready as long as there is no check at all; otherwise a component without checks is ready.
    pub fn requires_checks(mut self) -> Self {
        self.requires_checks = true;
        self
    }

    /// The health of a component, with its gauges in the current store.
    pub fn build(self) -> Health {
        let shared = Arc::new(Shared {
            store: Store::current(),
            requires_checks: self.requires_checks,
            entries: Mutex::default(),
            withdrawn: Mutex::default(),
            log: OnceLock::new(),
            gauges: OnceLock::new(),
        });
        let of = Arc::downgrade(&shared);
        let component = COMPONENT_UP.observe(move |gauge| {
            if let Some(shared) = of.upgrade() {
                gauge.set(u64::from(shared.readiness().is_ready()));
            }
        });
        let of = Arc::downgrade(&shared);
        let subsystems = SUBSYSTEM_UP.observe(move |gauge| {
            let Some(shared) = of.upgrade() else { return };
            for (name, is_up) in shared.subsystems() {
                gauge.set(u64::from(is_up), (&name,));
            }
        });
        let _ = shared.gauges.set([component, subsystems]);
        Health(shared)
    }
}

impl Health {
    /// The health of a component, with its gauges in the current store. It has no checks yet, and is ready.
    #[expect(clippy::new_without_default, reason = "it registers gauges, and two are not equal")]
    pub fn new() -> Health {
        Health::builder().build()
    }

    /// With more to be said.
    pub fn builder() -> HealthBuilder {
        HealthBuilder::default()
    }

    /// A check to be described and [run](Check::run), of this part of the component. Of two of one name both must be up. Names are cut at
    /// 128 bytes.
    ///
    /// A check can be added at any time, such as when a connection is there. Until it has answered for the first time it is down.
    pub fn check(&self, subsystem: &str) -> Check<'_> {
        Check::new(self, subsystem)
    }

    /// Whether the component is ready, by the last answers of its checks. Does not wait.
    pub fn readiness(&self) -> Readiness {
        self.0.readiness()
    }

    /// Makes every check now, and waits until each has answered or its time is over, in all as long as the slowest may take, twice that if it
    /// was under way. Blocks this thread.
    pub fn check_now(&self) -> Readiness {
        let entries = self.0.entries().clone();
        let asked: Vec<_> = entries.iter().map(|entry| (entry, entry.ask())).collect();
        for (entry, round) in asked {
            entry.answered(round);
        }
        self.readiness()
    }

    /// Not ready from now on, whatever the checks say, for this reason: a program that is about to end takes itself out of the
    /// rotation before it closes what it has. It stays alive, and the checks go on.
    ///
    /// ```
    /// let health = metercast::Health::new();
    /// assert!(health.readiness().is_ready());
    /// health.withdraw("shutting down");
    /// assert_eq!(health.readiness().error(), Some("shutting down"));
    /// ```
    pub fn withdraw(&self, reason: &str) {
        let reason = check::bounded(&reason);
        *self.0.withdrawn.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    /// Says in this log when a check fails and when it is up again. The first one stays.
    pub(crate) fn log_to(&self, log: &Log) {
        let _ = self.0.log.set(log.clone());
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.entries().iter().map(|entry| entry.name.clone()).collect();
        f.debug_struct("Health").field("checks", &names).field("readiness", &self.readiness()).finish()
    }
}

impl Shared {
    fn entries(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn readiness(&self) -> Readiness {
        let withdrawn = self.withdrawn.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(reason) = withdrawn {
            return Readiness::not(reason);
        }
        let entries = self.entries().clone();
        if entries.is_empty() && self.requires_checks {
            return Readiness::not("no check is set".to_owned());
        }
        let failures = entries.iter().filter(|entry| !entry.is_optional).filter_map(|entry| {
            let Status::Down(error) = self.status(entry) else { return None };
            Some(format!("{}: {error}", entry.name))
        });
        match failures.collect::<Vec<_>>() {
            failures if failures.is_empty() => Readiness::ready(),
            failures => Readiness::not(failures.join("; ")),
        }
    }

    /// The parts by name. One is up if all checks of that name are.
    fn subsystems(&self) -> BTreeMap<String, bool> {
        let mut subsystems = BTreeMap::new();
        for entry in self.entries().clone() {
            let is_up = matches!(self.status(&entry), Status::Up);
            *subsystems.entry(entry.name.clone()).or_insert(true) &= is_up;
        }
        subsystems
    }

    /// How a check stands. Whoever sees first that it has changed says so.
    fn status(&self, entry: &Entry) -> Status {
        let (status, is_news) = entry.status();
        if let (true, Some(log)) = (is_news, self.log.get()) {
            match &status {
                Status::Up => log.write(Level::Info, &format!("check {:?} is up again", entry.name)),
                Status::Down(error) => {
                    log.write(Level::Warn, &format!("check {:?} is down: {error}", entry.name));
                }
            }
        }
        status
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.entries().drain(..).for_each(|entry| entry.end());
    }
}

#[cfg(test)]
mod tests;
