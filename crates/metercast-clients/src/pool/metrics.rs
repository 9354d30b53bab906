//! What a pool's metrics are called: as the semantic conventions say, or in the user's own way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use metercast_core::{Instrument, InstrumentError, Kind, NumberType, ValueRef};

use super::observation::{Part, PoolObservation, Read, Series};
use super::{ConnectionEnd, Pool, PoolState};
use crate::sampler::Sampler;

/// The label of a pool's name.
const POOL_NAME: &str = "db.client.connection.pool.name";

/// Which metrics tell of a pool, and what they are called: those of the [semantic conventions](PoolMetrics::semantic), or gauges
/// with names of one's own.
///
/// ```
/// use metercast::{Log, PrometheusPage, Store};
/// use metercast_clients::{PoolMetrics, PoolState};
///
/// # let store = Store::new();
/// # store.scope(|| {
/// PoolMetrics::new()
///     .size("app_db_pool_size")
///     .used("app_db_pool_active")
///     .label("pool", "writes")
///     .observe(|| PoolState::new(4, 3))?
///     .forever();
///
/// let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
/// assert!(page.ends_with("app_db_pool_size{pool=\"writes\"} 4\n"));
/// assert!(page.contains("\napp_db_pool_active{pool=\"writes\"} 1\n"));
/// # Ok::<(), metercast_core::InstrumentError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is measured until `observe` or `sample`"]
pub struct PoolMetrics {
    names: Vec<Name>,
    labels: Vec<(String, String)>,
}

/// A metric to be made.
#[derive(Clone, Debug)]
struct Name {
    name: String,
    kind: Kind,
    number: NumberType,
    unit: &'static str,
    description: &'static str,
    series: Vec<Series>,
}

impl PoolMetrics {
    /// None yet.
    pub fn new() -> PoolMetrics {
        PoolMetrics::default()
    }

    /// Those of the semantic conventions, with this name of the pool in `db.client.connection.pool.name`: up-down counters
    /// `db.client.connection.count` by `db.client.connection.state`, `.max`, `.idle.min`, `.idle.max` and
    /// `.pending_requests`, of which a pool has those that it says. [`PoolTimes`](crate::PoolTimes) has those that
    /// take time, and `.timeouts`.
    pub fn semantic(pool: &str) -> PoolMetrics {
        let connections = |name: &str, description, series| Name {
            name: format!("db.client.connection.{name}"),
            kind: Kind::UpDownCounter,
            number: NumberType::I64,
            unit: "{connection}",
            description,
            series,
        };
        let state = |state, read| Series {
            label: Some(("db.client.connection.state", state)),
            read: Read::Count(read),
        };
        let whole = |read| vec![Series { label: None, read: Read::Count(read) }];
        let names = vec![
            connections(
                "count",
                "Connections by their state",
                vec![state("idle", |state| Some(state.idle)), state("used", |state| Some(state.used()))],
            ),
            connections("max", "The most connections allowed", whole(|state| state.max)),
            connections("idle.min", "The fewest idle connections allowed", whole(|state| state.idle_min)),
            connections("idle.max", "The most idle connections allowed", whole(|state| state.idle_max)),
            Name {
                unit: "{request}",
                ..connections(
                    "pending_requests",
                    "Requests that wait for a connection",
                    whole(|state| state.waiting),
                )
            },
        ];
        PoolMetrics { names, labels: Vec::new() }.label(POOL_NAME, pool)
    }

    /// A gauge of this name with the connections that are open.
    pub fn size(self, name: &str) -> PoolMetrics {
        self.gauge(name, "Connections that are open", |state| Some(state.size))
    }

    /// A gauge of this name with those that are idle, also called available.
    pub fn idle(self, name: &str) -> PoolMetrics {
        self.gauge(name, "Connections that are idle", |state| Some(state.idle))
    }

    /// A gauge of this name with those in use, also called active.
    pub fn used(self, name: &str) -> PoolMetrics {
        self.gauge(name, "Connections that are in use", |state| Some(state.used()))
    }

    /// A gauge of this name with the most that may be open.
    pub fn max(self, name: &str) -> PoolMetrics {
        self.gauge(name, "The most connections allowed", |state| state.max)
    }

    /// A gauge of this name with the callers that wait for one.
    pub fn waiting(self, name: &str) -> PoolMetrics {
        self.gauge(name, "Callers that wait for a connection", |state| state.waiting)
    }

    /// A counter of this name of how often a connection was asked for.
    pub fn gets(self, name: &str) -> PoolMetrics {
        self.counter(name, "{request}", "Requests for a connection", |state| state.totals.gets)
    }

    /// A counter of this name of requests that had to wait, and got a connection.
    pub fn waits(self, name: &str) -> PoolMetrics {
        self.counter(name, "{request}", "Requests that waited for a connection", |state| state.totals.waits)
    }

    /// A counter of this name of requests that were given up after the time that they may take, as the pool itself counts them.
    /// [`PoolTimes`](crate::PoolTimes) counts those that it sees as `db.client.connection.timeouts`: choose another name beside it.
    pub fn timeouts(self, name: &str) -> PoolMetrics {
        let description = "Waits for a connection that were given up";
        self.counter(name, "{timeout}", description, |state| state.totals.timeouts)
    }

    /// A counter of this name of the seconds that all requests together have waited.
    pub fn wait_time(mut self, name: &str) -> PoolMetrics {
        let series = vec![Series { label: None, read: Read::Time(|state| state.totals.wait_time) }];
        self.names.push(Name {
            name: name.to_owned(),
            kind: Kind::Counter,
            number: NumberType::F64,
            unit: "s",
            description: "Time that all requests have waited for a connection",
            series,
        });
        self
    }

    /// A counter of this name of connections that were opened.
    pub fn created(self, name: &str) -> PoolMetrics {
        self.counter(name, "{connection}", "Connections that were opened", |state| state.totals.created)
    }

    /// A counter of this name of connections that were closed, by `reason`: `broken`, `invalid`, `max_lifetime` or `idle_timeout`.
    pub fn closed(mut self, name: &str) -> PoolMetrics {
        const BROKEN: usize = ConnectionEnd::Broken as usize;
        const INVALID: usize = ConnectionEnd::Invalid as usize;
        const MAX_LIFETIME: usize = ConnectionEnd::MaxLifetime as usize;
        const IDLE_TIMEOUT: usize = ConnectionEnd::IdleTimeout as usize;
        let reason = |reason, read| Series { label: Some(("reason", reason)), read: Read::Count(read) };
        let series = vec![
            reason("broken", |state| state.totals.closed[BROKEN]),
            reason("invalid", |state| state.totals.closed[INVALID]),
            reason("max_lifetime", |state| state.totals.closed[MAX_LIFETIME]),
            reason("idle_timeout", |state| state.totals.closed[IDLE_TIMEOUT]),
        ];
        self.names.push(Name {
            name: name.to_owned(),
            kind: Kind::Counter,
            number: NumberType::U64,
            unit: "{connection}",
            description: "Connections that were closed",
            series,
        });
        self
    }

    /// All counters of what a pool has done, for those that count it, as bb8 does: `gets`, `waits`, `timeouts`, `wait_time`, `created`
    /// and `closed`, each with this prefix and a dot before it.
    ///
    /// ```
    /// use metercast::{InMemoryReader, Store, snapshot::Point};
    /// use metercast_clients::{PoolMetrics, PoolState, PoolTotals};
    ///
    /// # let store = Store::new();
    /// # store.scope(|| {
    /// let pool = || PoolState::new(4, 3).totals(PoolTotals::new().gets(100).waits(7));
    /// PoolMetrics::semantic("orders").totals("app.pool").observe(pool)?.forever();
    ///
    /// let snapshot = InMemoryReader::new(Store::current()).collect();
    /// let waits = &snapshot.family("app.pool.waits").unwrap().series[0];
    /// assert_eq!(waits.point, Point::U64(7));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// # }).unwrap();
    /// ```
    pub fn totals(self, prefix: &str) -> PoolMetrics {
        let name = |name| format!("{prefix}.{name}");
        self.gets(&name("gets"))
            .waits(&name("waits"))
            .timeouts(&name("timeouts"))
            .wait_time(&name("wait_time"))
            .created(&name("created"))
            .closed(&name("closed"))
    }

    /// With this label on all of them.
    pub fn label(mut self, key: &str, value: &str) -> PoolMetrics {
        self.labels.push((key.to_owned(), value.to_owned()));
        self
    }

    fn gauge(
        self,
        name: &str,
        description: &'static str,
        read: fn(&PoolState) -> Option<u64>,
    ) -> PoolMetrics {
        self.one(name, Kind::Gauge, "{connection}", description, read)
    }

    fn counter(
        self,
        name: &str,
        unit: &'static str,
        description: &'static str,
        read: fn(&PoolState) -> Option<u64>,
    ) -> PoolMetrics {
        self.one(name, Kind::Counter, unit, description, read)
    }

    /// A metric of whole numbers with one series.
    fn one(
        mut self,
        name: &str,
        kind: Kind,
        unit: &'static str,
        description: &'static str,
        read: fn(&PoolState) -> Option<u64>,
    ) -> PoolMetrics {
        let (name, series) = (name.to_owned(), vec![Series { label: None, read: Read::Count(read) }]);
        self.names.push(Name { name, kind, number: NumberType::U64, unit, description, series });
        self
    }

    /// Asks the pool at each reading, in the current store. Each metric asks for itself, so that between two of them the pool may
    /// have gone on.
    ///
    /// # Errors
    ///
    /// If a name is not valid, or the process has as many instruments as it may.
    #[track_caller]
    pub fn observe(&self, pool: impl Pool) -> Result<PoolObservation, InstrumentError> {
        let pool = Arc::new(pool);
        self.register(&Arc::new(move || Some(pool.state())))
    }

    /// Asks the pool when the sampler says so, and shows at each reading how it stood then. All metrics are of one moment, and none of
    /// them is there while it is [not this process's turn](Sampler::only_if).
    ///
    /// # Errors
    ///
    /// If a name is not valid, or the process has as many instruments as it may.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime, or in one without timers.
    #[track_caller]
    pub fn sample(&self, sampler: Sampler, pool: impl Pool) -> Result<PoolObservation, InstrumentError> {
        let last = Arc::new(Mutex::new(None));
        let observation = self.register(&Arc::new({
            let last = Arc::clone(&last);
            move || *last.lock().unwrap_or_else(PoisonError::into_inner)
        }))?;
        let sampling = sampler.run(move |is_turn| {
            // Of a pool that panics nothing is said; what it said before is old.
            let ask = || catch_unwind(AssertUnwindSafe(|| pool.state())).ok();
            let state = if is_turn { ask() } else { None };
            *last.lock().unwrap_or_else(PoisonError::into_inner) = state;
        });
        Ok(observation.with(sampling))
    }

    #[track_caller]
    fn register(
        &self,
        state: &Arc<impl Fn() -> Option<PoolState> + Send + Sync + 'static>,
    ) -> Result<PoolObservation, InstrumentError> {
        let mut parts = Vec::new();
        // All are made before one is observed: an error leaves nothing behind.
        for Name { name, kind, number, unit, description, series } in &self.names {
            let instrument = Instrument::builder(*kind, *number, name.clone())
                .unit(*unit)
                .description(*description)
                .observable()
                .build()?;
            parts.push(Part { instrument, series: series.clone() });
        }
        let observations = parts.into_iter().map(|part| {
            let (state, labels) = (Arc::clone(state), self.labels.clone());
            part.instrument.observe(move |observer| {
                let Some(state) = state() else { return };
                for Series { label, read } in &part.series {
                    let own =
                        labels.iter().map(|(key, value)| (key.as_str(), ValueRef::from(value.as_str())));
                    let labels: Vec<_> =
                        own.chain(label.map(|(key, value)| (key, ValueRef::from(value)))).collect();
                    match (read, part.instrument.number()) {
                        (Read::Time(read), _) => {
                            if let Some(time) = read(&state) {
                                observer.set(time.as_secs_f64(), labels);
                            }
                        }
                        (Read::Count(read), NumberType::I64) => {
                            if let Some(count) = read(&state) {
                                observer.set(i64::try_from(count).unwrap_or(i64::MAX), labels);
                            }
                        }
                        (Read::Count(read), _) => {
                            if let Some(count) = read(&state) {
                                observer.set(count, labels);
                            }
                        }
                    }
                }
            })
        });
        Ok(PoolObservation::new(observations.collect()))
    }
}
