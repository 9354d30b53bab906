//! What a pool's metrics are called: as the semantic conventions say, or in the user's own way.

use std::sync::{Arc, Mutex, PoisonError};

use metercast_core::{Instrument, InstrumentError, Kind, NumberType, ValueRef};

use super::observation::{Part, PoolObservation, Read, Series};
use super::{Pool, PoolState};
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
    /// `.pending_requests`, of which a pool has those that it says. [`PoolWaits`](crate::PoolWaits) has those that
    /// take time.
    pub fn semantic(pool: &str) -> PoolMetrics {
        let connections = |name: &str, description, series| Name {
            name: format!("db.client.connection.{name}"),
            kind: Kind::UpDownCounter,
            unit: "{connection}",
            description,
            series,
        };
        let state = |state, read| Series { label: Some(("db.client.connection.state", state)), read };
        let whole = |read| vec![Series { label: None, read }];
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

    /// With this label on all of them.
    pub fn label(mut self, key: &str, value: &str) -> PoolMetrics {
        self.labels.push((key.to_owned(), value.to_owned()));
        self
    }

    fn gauge(mut self, name: &str, description: &'static str, read: Read) -> PoolMetrics {
        let (name, series) = (name.to_owned(), vec![Series { label: None, read }]);
        self.names.push(Name { name, kind: Kind::Gauge, unit: "{connection}", description, series });
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
            let state = is_turn.then(|| pool.state());
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
        for Name { name, kind, unit, description, series } in &self.names {
            let number = if *kind == Kind::Gauge { NumberType::U64 } else { NumberType::I64 };
            let instrument = Instrument::builder(*kind, number, name.clone())
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
                    let Some(value) = read(&state) else { continue };
                    let own =
                        labels.iter().map(|(key, value)| (key.as_str(), ValueRef::from(value.as_str())));
                    let labels: Vec<_> =
                        own.chain(label.map(|(key, value)| (key, ValueRef::from(value)))).collect();
                    match part.instrument.number() {
                        NumberType::I64 => observer.set(i64::try_from(value).unwrap_or(i64::MAX), labels),
                        _ => observer.set(value, labels),
                    }
                }
            })
        });
        Ok(PoolObservation::new(observations.collect()))
    }
}
