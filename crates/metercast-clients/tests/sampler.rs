//! When samples are taken, and when they are not. Time is Tokio's own, which stands still while nobody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metercast::{InMemoryReader, Store, StoreFutureExt, snapshot::Point};
use metercast_clients::{Sampler, Sampling};
use tokio::time::{Instant, advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// How many samples were taken, and a sampler's function that takes them.
fn counted() -> (Arc<AtomicU64>, impl FnMut() + Send + 'static) {
    let samples = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&samples);
    let sample = move || {
        count.fetch_add(1, Ordering::Relaxed);
    };
    (samples, sample)
}

fn taken(samples: &AtomicU64) -> u64 {
    samples.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn the_first_sample_is_there_when_sampling_has_started_and_the_next_after_each_interval() {
    let (samples, sample) = counted();
    let _sampling = Sampler::every(10 * SECOND).start(sample);
    assert_eq!(taken(&samples), 1);
    sleep(9 * SECOND).await;
    assert_eq!(taken(&samples), 1);
    sleep(2 * SECOND).await;
    assert_eq!(taken(&samples), 2);
    sleep(30 * SECOND).await;
    assert_eq!(taken(&samples), 5);
}

#[tokio::test(start_paused = true)]
async fn an_interval_of_nothing_is_a_second() {
    let (samples, sample) = counted();
    let sampler = Sampler::every(Duration::ZERO);
    assert_eq!(sampler.interval(), SECOND);
    let _sampling = sampler.start(sample);
    sleep(Duration::from_millis(3500)).await;
    assert_eq!(taken(&samples), 4);
}

#[tokio::test(start_paused = true)]
async fn samples_that_were_missed_are_not_made_up_for() {
    let (samples, sample) = counted();
    let _sampling = Sampler::every(10 * SECOND).start(sample);
    // The task waits before time goes on without it.
    tokio::task::yield_now().await;
    advance(95 * SECOND).await;
    tokio::task::yield_now().await;
    assert_eq!(taken(&samples), 2);
    // As if none had been missed: at 100 seconds.
    sleep(6 * SECOND).await;
    assert_eq!(taken(&samples), 3);
}

#[tokio::test(start_paused = true)]
async fn after_a_machine_slept_for_years_one_sample_is_taken_and_all_is_as_before() {
    let (samples, sample) = counted();
    let _sampling = Sampler::every(SECOND).start(sample);
    tokio::task::yield_now().await;
    advance(3 * 365 * 24 * 3600 * SECOND).await;
    tokio::task::yield_now().await;
    assert_eq!(taken(&samples), 2);
    sleep(3 * SECOND + SECOND / 2).await;
    assert_eq!(taken(&samples), 5);
}

#[tokio::test(start_paused = true)]
async fn no_interval_and_no_jitter_is_too_long() {
    let (samples, sample) = counted();
    let _sampling = Sampler::every(Duration::MAX).start(sample);
    let (jittered, sample) = counted();
    let _other = Sampler::every(Duration::MAX).jitter(Duration::MAX).start(sample);
    let (futures, mut sample) = counted();
    let _third = Sampler::every(Duration::MAX).start_async(move || {
        sample();
        std::future::ready(())
    });
    sleep(3600 * SECOND).await;
    assert_eq!((taken(&samples), taken(&jittered), taken(&futures)), (1, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn with_jitter_the_first_sample_comes_at_some_time_within_it() {
    let begun = Instant::now();
    let mut firsts = Vec::new();
    let (sender, mut first) = tokio::sync::mpsc::unbounded_channel();
    let samplings: Vec<Sampling> = (0..50)
        .map(|_| {
            let sender = sender.clone();
            Sampler::every(1000 * SECOND)
                .jitter(100 * SECOND)
                .start(move || sender.send(begun.elapsed()).expect("somebody listens"))
        })
        .collect();
    for _ in 0..samplings.len() {
        firsts.push(first.recv().await.expect("a sample"));
    }
    firsts.sort();
    // A millisecond is what Tokio's clock tells apart.
    assert!(firsts[49] <= 101 * SECOND, "{firsts:?}");
    assert!(firsts[49] - firsts[0] > 10 * SECOND, "{firsts:?}");
}

#[tokio::test(start_paused = true)]
async fn only_the_leader_samples_whoever_that_is_each_time() {
    let leader = Arc::new(AtomicU64::new(0));
    let (samples, sample) = counted();
    let is_leader = {
        let leader = Arc::clone(&leader);
        move || leader.load(Ordering::Relaxed) == 1
    };
    let _sampling = Sampler::every(SECOND).only_if(is_leader).start(sample);
    sleep(10 * SECOND + SECOND / 2).await;
    assert_eq!(taken(&samples), 0);
    leader.store(1, Ordering::Relaxed);
    sleep(3 * SECOND).await;
    assert_eq!(taken(&samples), 3);
    leader.store(2, Ordering::Relaxed);
    sleep(3 * SECOND).await;
    assert_eq!(taken(&samples), 3);
}

#[tokio::test(start_paused = true)]
async fn a_sample_that_panics_is_left_out_and_the_next_one_comes() {
    let (samples, mut sample) = counted();
    let mut calls = 0;
    let _sampling = Sampler::every(SECOND).start(move || {
        calls += 1;
        assert!(calls % 2 == 0, "on purpose");
        sample();
    });
    let (futures, sample) = counted();
    let count = Arc::new(std::sync::Mutex::new(sample));
    let mut calls = 0;
    let _other = Sampler::every(SECOND).start_async(move || {
        calls += 1;
        let (call, count) = (calls, Arc::clone(&count));
        async move {
            tokio::task::yield_now().await;
            assert!(call % 2 == 0, "on purpose");
            count.lock().expect("nobody panics with it")();
        }
    });
    sleep(3 * SECOND + SECOND / 2).await;
    assert_eq!((taken(&samples), taken(&futures)), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_sampling_takes_no_more_and_drops_what_waits() {
    let (samples, sample) = counted();
    let sampling = Sampler::every(SECOND).start(sample);
    drop(sampling);
    sleep(10 * SECOND).await;
    assert_eq!(taken(&samples), 1);

    let held = Arc::new(());
    let within = Arc::clone(&held);
    let sampling = Sampler::every(SECOND).start_async(move || {
        let within = Arc::clone(&within);
        async move {
            std::future::pending::<()>().await;
            drop(within);
        }
    });
    sleep(5 * SECOND).await;
    assert_eq!(Arc::strong_count(&held), 3, "one sample waits, and no other has begun");
    drop(sampling);
    sleep(SECOND).await;
    assert_eq!(Arc::strong_count(&held), 1);
}

metercast::metrics! {
    /// Samples
    static SAMPLES: Counter<u64> = "clients.samples";
}

#[tokio::test(start_paused = true)]
async fn samples_are_recorded_where_sampling_started() {
    let store = Store::new();
    let _sampling = store.scope(|| Sampler::every(SECOND).start(|| SAMPLES.add(1)));
    async {
        let _other = Sampler::every(SECOND).start_async(|| async { SAMPLES.add(1) });
        sleep(2 * SECOND + SECOND / 2).await;
    }
    .in_store(store.clone())
    .await;
    let snapshot = InMemoryReader::new(store).collect();
    assert_eq!(snapshot.family("clients.samples").expect("it was recorded").series[0].point, Point::U64(6));
}
