//! A runtime of Tokio: its workers, its tasks and its queues.

#[cfg(tokio_unstable)]
mod unstable;

use std::fmt;

use metercast_core::{Observation, metrics};
use tokio::runtime::{Handle, RuntimeMetrics};

metrics! {
    /// Threads that run tasks.
    static WORKERS: ObservableUpDownCounter<i64> = "tokio.runtime.workers" {
        unit: "{worker}", labels: { "tokio.runtime.name": &str }
    };
    /// Tasks that have begun and not ended.
    static ALIVE_TASKS: ObservableUpDownCounter<i64> = "tokio.runtime.alive_tasks" {
        unit: "{task}", labels: { "tokio.runtime.name": &str }
    };
    /// Tasks that wait for any worker.
    static QUEUE_DEPTH: ObservableUpDownCounter<i64> = "tokio.runtime.global_queue.depth" {
        unit: "{task}", labels: { "tokio.runtime.name": &str }
    };
}

#[cfg(target_has_atomic = "64")]
metrics! {
    /// Time that a worker was busy.
    static BUSY: ObservableCounter<f64> = "tokio.runtime.worker.busy_duration" {
        unit: "s", labels: { "tokio.runtime.name": &str, "tokio.worker.index": u64 }
    };
    /// How often a worker had nothing to do and parked.
    static PARKS: ObservableCounter<u64> = "tokio.runtime.worker.parks" {
        unit: "{park}", labels: { "tokio.runtime.name": &str, "tokio.worker.index": u64 }
    };
    /// How often a worker parked or was woken: odd while it is parked.
    static PARK_UNPARKS: ObservableCounter<u64> = "tokio.runtime.worker.park_unparks" {
        unit: "{event}", labels: { "tokio.runtime.name": &str, "tokio.worker.index": u64 }
    };
}

/// A runtime of Tokio, observed in the store where that started, until this is dropped.
///
/// | metric | unit | |
/// | --- | --- | --- |
/// | `tokio.runtime.workers` | `{worker}` | threads that run tasks |
/// | `tokio.runtime.alive_tasks` | `{task}` | tasks that have begun and not ended |
/// | `tokio.runtime.global_queue.depth` | `{task}` | tasks that wait for any worker |
/// | `tokio.runtime.worker.busy_duration` | `s` | of each worker: how long it was busy |
/// | `tokio.runtime.worker.parks`, `.park_unparks` | | of each worker: how often it parked, and how often it parked or was woken |
///
/// All have the name of the runtime in `tokio.runtime.name`, and those of workers the number of the worker in `tokio.worker.index`. What
/// Tokio calls unstable is there in a build with `--cfg tokio_unstable`: blocking threads, polls, steals, local queues, drivers, and
/// histograms of polls and of the time that tasks wait, where the runtime has them (sums of which are near, as Tokio keeps none).
/// Once the runtime has ended, it is shown as it was at its end.
///
/// ```
/// use metercast::{InMemoryReader, Store, snapshot::Point};
/// use metercast_process::RuntimeObservation;
///
/// # let store = Store::new();
/// # store.scope(|| {
/// let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
/// let observation = RuntimeObservation::start("background", runtime.handle());
///
/// let snapshot = InMemoryReader::new(Store::current()).collect();
/// let workers = &snapshot.family("tokio.runtime.workers").unwrap().series[0];
/// assert_eq!(workers.labels.to_string(), r#"{tokio.runtime.name="background"}"#);
/// assert_eq!(workers.point, Point::I64(2));
/// # drop(observation);
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "dropping it ends the observation at once; keep it, or call `forever`"]
pub struct RuntimeObservation {
    name: String,
    observations: Vec<Observation>,
}

impl RuntimeObservation {
    /// Observes this runtime in the current store under a name, which tells it from others.
    #[track_caller]
    pub fn start(name: &str, runtime: &Handle) -> RuntimeObservation {
        let metrics = runtime.metrics();
        let of_all = |value: fn(&RuntimeMetrics) -> usize| {
            let (metrics, name) = (metrics.clone(), name.to_owned());
            move || (value(&metrics) as i64, name.clone())
        };
        let (workers, tasks, queue) = (
            of_all(RuntimeMetrics::num_workers),
            of_all(RuntimeMetrics::num_alive_tasks),
            of_all(RuntimeMetrics::global_queue_depth),
        );
        #[cfg_attr(not(target_has_atomic = "64"), allow(unused_mut, reason = "there is nothing more"))]
        let mut observations = vec![
            WORKERS.observe(move |total| {
                let (value, name) = workers();
                total.set(value, (&name,));
            }),
            ALIVE_TASKS.observe(move |total| {
                let (value, name) = tasks();
                total.set(value, (&name,));
            }),
            QUEUE_DEPTH.observe(move |total| {
                let (value, name) = queue();
                total.set(value, (&name,));
            }),
        ];
        #[cfg(target_has_atomic = "64")]
        {
            let of = (metrics.clone(), name.to_owned());
            observations.push(BUSY.observe(move |total| {
                for (worker, name, metrics) in workers_of(&of) {
                    total
                        .set(metrics.worker_total_busy_duration(worker).as_secs_f64(), (name, worker as u64));
                }
            }));
            let of = (metrics.clone(), name.to_owned());
            observations.push(PARKS.observe(move |total| {
                for (worker, name, metrics) in workers_of(&of) {
                    total.set(metrics.worker_park_count(worker), (name, worker as u64));
                }
            }));
            let of = (metrics.clone(), name.to_owned());
            observations.push(PARK_UNPARKS.observe(move |total| {
                for (worker, name, metrics) in workers_of(&of) {
                    total.set(metrics.worker_park_unpark_count(worker), (name, worker as u64));
                }
            }));
        }
        #[cfg(tokio_unstable)]
        observations.push(unstable::observe(name, &metrics));
        RuntimeObservation { name: name.to_owned(), observations }
    }

    /// Observes it for as long as the store lives.
    pub fn forever(self) {
        self.observations.into_iter().for_each(Observation::forever);
    }
}

impl fmt::Debug for RuntimeObservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeObservation").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Each worker of a runtime, with the name of the runtime.
#[cfg(target_has_atomic = "64")]
fn workers_of(
    (metrics, name): &(RuntimeMetrics, String),
) -> impl Iterator<Item = (usize, &str, &RuntimeMetrics)> {
    (0..metrics.num_workers()).map(move |worker| (worker, name.as_str(), metrics))
}
