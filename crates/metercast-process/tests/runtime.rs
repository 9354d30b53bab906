//! Runtimes of Tokio: what is known of each, by its name.
#![cfg(feature = "tokio")]

use std::collections::BTreeMap;

use metercast::snapshot::{Point, Series};
use metercast::{InMemoryReader, Store};
use metercast_process::{Observe, RuntimeObservation};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

fn values(store: &Store, name: &str) -> BTreeMap<String, f64> {
    let snapshot = InMemoryReader::new(store.clone()).collect();
    let Some(family) = snapshot.family(name) else { return BTreeMap::new() };
    let value = |series: &Series| match series.point {
        Point::F64(value) => value,
        Point::I64(value) => value as f64,
        Point::U64(value) => value as f64,
        ref other => panic!("{other:?}"),
    };
    family.series.iter().map(|series| (series.labels.to_string(), value(series))).collect()
}

fn of(name: &str) -> String {
    format!("{{tokio.runtime.name={name:?}}}")
}

#[test]
fn each_runtime_is_known_by_its_name_and_its_tasks_are_counted() {
    let store = Store::new();
    let main = Builder::new_multi_thread().worker_threads(3).build().unwrap();
    let side = Builder::new_current_thread().build().unwrap();
    let [of_main, of_side] = [("main", &main), ("side", &side)]
        .map(|(name, runtime)| store.scope(|| RuntimeObservation::start(name, runtime.handle())));
    assert_eq!(
        values(&store, "tokio.runtime.workers"),
        BTreeMap::from([(of("main"), 3.0), (of("side"), 1.0)])
    );
    let (ends, tasks): (Vec<_>, Vec<_>) = (0..5)
        .map(|_| {
            let (end, ended) = oneshot::channel::<()>();
            (end, side.spawn(async move { _ = ended.await }))
        })
        .unzip();
    assert_eq!(values(&store, "tokio.runtime.alive_tasks")[&of("side")], 5.0);
    assert_eq!(values(&store, "tokio.runtime.global_queue.depth")[&of("main")], 0.0);
    drop(ends);
    side.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(values(&store, "tokio.runtime.alive_tasks")[&of("side")], 0.0);
    let parks = values(&store, "tokio.runtime.worker.park_unparks");
    assert_eq!(parks.len(), 4, "three workers and one: {parks:?}");
    assert!(parks.contains_key("{tokio.runtime.name=\"main\",tokio.worker.index=2}"), "{parks:?}");
    assert_eq!(values(&store, "tokio.runtime.worker.busy_duration").len(), 4);
    assert_eq!(values(&store, "tokio.runtime.worker.parks").len(), 4);

    drop(side);
    assert_eq!(values(&store, "tokio.runtime.workers")[&of("side")], 1.0, "as it was at its end");
    drop((of_main, of_side));
    assert!(store.collect().is_empty());
}

#[tokio::test]
async fn the_current_runtime_is_observed_by_one_line_and_none_where_there_is_none() {
    let store = Store::new();
    let observed = store.scope(|| Observe::new().without_panics().start());
    assert_eq!(values(&store, "tokio.runtime.workers"), BTreeMap::from([(of("main"), 1.0)]));
    drop(observed);
    let without = store.clone();
    std::thread::spawn(move || without.scope(|| Observe::new().without_panics().start().forever()))
        .join()
        .unwrap();
    assert!(values(&store, "tokio.runtime.workers").is_empty());
}

#[cfg(tokio_unstable)]
#[test]
fn what_tokio_calls_unstable_is_there_too() {
    let store = Store::new();
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_io()
        .enable_metrics_poll_time_histogram()
        .build()
        .unwrap();
    let observation = store.scope(|| RuntimeObservation::start("main", runtime.handle()));
    runtime.block_on(async {
        for _ in 0..10 {
            tokio::spawn(async {}).await.unwrap();
        }
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    });
    assert_eq!(values(&store, "tokio.runtime.spawned_tasks")[&of("main")], 10.0);
    assert_eq!(values(&store, "tokio.runtime.blocking.threads")[&of("main")], 1.0);
    assert_eq!(values(&store, "tokio.runtime.worker.polls").len(), 2);
    assert!(values(&store, "tokio.runtime.io_driver.registered").contains_key(&of("main")));
    let snapshot = InMemoryReader::new(store.clone()).collect();
    let polls = &snapshot.family("tokio.runtime.task.poll.duration").unwrap().series[0];
    let Point::Histogram(buckets) = &polls.point else { panic!("{polls:?}") };
    assert!((1..=11).contains(&buckets.counts.iter().sum::<u64>()), "{buckets:?}");
    drop(observation);
}
