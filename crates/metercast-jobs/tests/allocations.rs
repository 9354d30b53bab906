//! What jobs cost in memory: nothing, once their series are there, and nothing at all where recording is off.

#[path = "../../metercast-core/tests/heap/mod.rs"]
mod heap;

use std::time::{Duration, SystemTime};

use metercast::Store;
use metercast_jobs::{Delivery, Heartbeat, JobMetrics, Workers};

metercast::labels! {
    enum Kind { Import }
    enum Reason { Timeout }
}

/// How often memory is asked for by a job and all that is said of it.
fn of_a_job(store: &Store) -> u64 {
    store.scope(|| {
        let jobs = JobMetrics::prefixed("free").build().unwrap().with("kind", Kind::Import);
        let worker = jobs.worker("w1");
        let workers = Workers::within(Duration::from_secs(60)).observe("free.workers").unwrap();
        let heartbeat = Heartbeat::observe("free.heartbeat").unwrap();
        let made = SystemTime::now();
        let job = || {
            jobs.created();
            assert!(!worker.begin(Delivery::nth(1).of(2).created_at(made)).because(Reason::Timeout).fail());
            worker.begin(Delivery::nth(2).of(2)).complete();
            worker.begin(Delivery::first()).skip();
            drop(worker.begin(Delivery::first()));
            workers.heard("w1");
            heartbeat.beat();
        };
        job();
        heap::allocations(|| (0..100).for_each(|_| job()))
    })
}

#[test]
fn a_job_asks_for_no_memory_whether_it_is_recorded_or_not() {
    let store = Store::new();
    assert_eq!(of_a_job(&store), 0);
    assert!(!store.collect().is_empty());
    let off = Store::new();
    off.set_enabled(false);
    assert_eq!(of_a_job(&off), 0);
    assert!(off.collect().is_empty());
}
