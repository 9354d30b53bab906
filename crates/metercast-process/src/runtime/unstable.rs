//! What Tokio may call otherwise in its next version, in builds that ask for it with `--cfg tokio_unstable`.

use std::ops::Range;
use std::time::Duration;

use metercast_core::{Kind, NumberType, Observation, Produced, Producer, Store};
use tokio::runtime::RuntimeMetrics;

/// A value of the whole runtime.
struct OfRuntime(&'static str, Kind, &'static str, &'static str, fn(&RuntimeMetrics) -> u64);

/// A value of each worker.
struct OfWorker(&'static str, Kind, &'static str, &'static str, fn(&RuntimeMetrics, usize) -> u64);

const OF_RUNTIME: &[OfRuntime] = &[
    OfRuntime("blocking.threads", Kind::UpDownCounter, "{thread}", "Threads for blocking work.", |of| {
        of.num_blocking_threads() as u64
    }),
    OfRuntime(
        "blocking.idle_threads",
        Kind::UpDownCounter,
        "{thread}",
        "Those of them that have none.",
        |of| of.num_idle_blocking_threads() as u64,
    ),
    OfRuntime("blocking.queue.depth", Kind::UpDownCounter, "{task}", "Blocking work that waits.", |of| {
        of.blocking_queue_depth() as u64
    }),
    OfRuntime(
        "spawned_tasks",
        Kind::Counter,
        "{task}",
        "Tasks that were spawned.",
        RuntimeMetrics::spawned_tasks_count,
    ),
    OfRuntime(
        "remote_schedules",
        Kind::Counter,
        "{schedule}",
        "Tasks that were scheduled from outside of the runtime.",
        RuntimeMetrics::remote_schedule_count,
    ),
    OfRuntime(
        "budget_forced_yields",
        Kind::Counter,
        "{yield}",
        "How often a task was made to give others a turn.",
        RuntimeMetrics::budget_forced_yield_count,
    ),
];

const OF_WORKER: &[OfWorker] = &[
    OfWorker(
        "noops",
        Kind::Counter,
        "{wakeup}",
        "How often a worker was woken for nothing.",
        RuntimeMetrics::worker_noop_count,
    ),
    OfWorker(
        "steals",
        Kind::Counter,
        "{task}",
        "Tasks that a worker took from another.",
        RuntimeMetrics::worker_steal_count,
    ),
    OfWorker(
        "steal_operations",
        Kind::Counter,
        "{operation}",
        "How often a worker took tasks from another.",
        RuntimeMetrics::worker_steal_operations,
    ),
    OfWorker(
        "polls",
        Kind::Counter,
        "{poll}",
        "Tasks that a worker polled.",
        RuntimeMetrics::worker_poll_count,
    ),
    OfWorker(
        "local_schedules",
        Kind::Counter,
        "{schedule}",
        "Tasks that were scheduled on a worker.",
        RuntimeMetrics::worker_local_schedule_count,
    ),
    OfWorker(
        "overflows",
        Kind::Counter,
        "{overflow}",
        "How often the queue of a worker was full.",
        RuntimeMetrics::worker_overflow_count,
    ),
    OfWorker(
        "local_queue.depth",
        Kind::UpDownCounter,
        "{task}",
        "Tasks that wait for a worker.",
        |of, worker| of.worker_local_queue_depth(worker) as u64,
    ),
];

#[track_caller]
pub(super) fn observe(name: &str, metrics: &RuntimeMetrics) -> Observation {
    let (name, metrics) = (name.to_owned(), metrics.clone());
    Store::current().produce("the runtime of Tokio", move |producer| say(producer, &name, &metrics))
}

fn say(producer: &mut Producer<'_>, name: &str, metrics: &RuntimeMetrics) {
    let of_runtime = ("tokio.runtime.name", name.into());
    for OfRuntime(metric, kind, unit, description, value) in OF_RUNTIME {
        let metric = format!("tokio.runtime.{metric}");
        set(producer, &metric, *kind, unit, description, &[(&[of_runtime], value(metrics))]);
    }
    for OfWorker(metric, kind, unit, description, value) in OF_WORKER {
        let metric = format!("tokio.runtime.worker.{metric}");
        for worker in 0..metrics.num_workers() {
            let labels = [of_runtime, ("tokio.worker.index", (worker as u64).into())];
            set(producer, &metric, *kind, unit, description, &[(&labels, value(metrics, worker))]);
        }
    }
    #[cfg(all(
        any(target_os = "linux", target_os = "macos", target_os = "windows"),
        target_has_atomic = "64"
    ))]
    drivers(producer, &of_runtime, metrics);
    if metrics.poll_time_histogram_enabled() {
        let buckets = metrics.poll_time_histogram_num_buckets();
        histogram(
            producer,
            "tokio.runtime.task.poll.duration",
            "How long polls of tasks took.",
            &of_runtime,
            (0..buckets).map(|bucket| metrics.poll_time_histogram_bucket_range(bucket)),
            |bucket| sum(metrics, |worker| metrics.poll_time_histogram_bucket_count(worker, bucket)),
        );
    }
    if metrics.schedule_latency_histogram_enabled() {
        let buckets = metrics.schedule_latency_histogram_num_buckets();
        histogram(
            producer,
            "tokio.runtime.task.schedule.duration",
            "How long tasks waited to be polled once they were woken.",
            &of_runtime,
            (0..buckets).map(|bucket| metrics.schedule_latency_histogram_bucket_range(bucket)),
            |bucket| sum(metrics, |worker| metrics.schedule_latency_histogram_bucket_count(worker, bucket)),
        );
    }
}

/// What the driver of the runtime's input and output has done.
#[cfg(all(any(target_os = "linux", target_os = "macos", target_os = "windows"), target_has_atomic = "64"))]
fn drivers(producer: &mut Producer<'_>, of_runtime: &metercast_core::LabelRef<'_>, metrics: &RuntimeMetrics) {
    for (metric, description, value) in [
        ("registered", "Descriptors that were registered.", metrics.io_driver_fd_registered_count()),
        ("deregistered", "Descriptors that were given back.", metrics.io_driver_fd_deregistered_count()),
        ("ready", "Events that were handled.", metrics.io_driver_ready_count()),
    ] {
        let metric = format!("tokio.runtime.io_driver.{metric}");
        set(producer, &metric, Kind::Counter, "{event}", description, &[(&[*of_runtime], value)]);
    }
}

fn set(
    producer: &mut Producer<'_>,
    metric: &str,
    kind: Kind,
    unit: &str,
    description: &str,
    series: &[(&[metercast_core::LabelRef<'_>], u64)],
) {
    let number = if kind == Kind::Counter { NumberType::U64 } else { NumberType::I64 };
    let family = Produced::new(metric, kind).number(number).unit(unit).description(description);
    let mut family = producer.family(&family);
    for (labels, value) in series {
        match number {
            NumberType::U64 => family.series(labels).set(*value),
            _ => family.series(labels).set(i64::try_from(*value).unwrap_or(i64::MAX)),
        }
    }
}

fn sum(metrics: &RuntimeMetrics, of: impl Fn(usize) -> u64) -> u64 {
    (0..metrics.num_workers()).map(of).sum()
}

/// A histogram of times. Tokio keeps no sum: each is taken for the middle of its bucket, and in the last for its beginning.
fn histogram(
    producer: &mut Producer<'_>,
    metric: &str,
    description: &str,
    of_runtime: &metercast_core::LabelRef<'_>,
    ranges: impl Iterator<Item = Range<Duration>>,
    count: impl Fn(usize) -> u64,
) {
    let ranges: Vec<_> = ranges.collect();
    let counts: Vec<_> = (0..ranges.len()).map(count).collect();
    let Some((last, others)) = ranges.split_last() else { return };
    let bounds: Vec<_> = others.iter().map(|range| range.end.as_secs_f64()).collect();
    let middles = others.iter().map(|range| (range.start + range.end).as_secs_f64() / 2.0);
    let values = middles.chain([last.start.as_secs_f64()]);
    let sum = values.zip(&counts).map(|(value, count)| value * *count as f64).sum();
    let family = Produced::new(metric, Kind::Histogram).unit("s").description(description);
    producer.family(&family).series(&[*of_runtime]).histogram(&bounds, &counts, sum);
}
