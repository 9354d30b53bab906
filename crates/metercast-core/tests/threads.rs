//! Many threads, no count lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use metercast_core::reading::Point;
use metercast_core::{Store, labels, metrics};

labels! { enum Kind { A, B } }

metrics! {
    /// Total.
    static TOTAL: Counter<u64> = "threads.total";
    /// Total of doubles.
    static SECONDS: Counter<f64> = "threads.seconds" { labels: { kind: Kind } };
    /// By number.
    static BY_NUMBER: Counter<u64> = "threads.by.number" { labels: { number: i64, name: &str } };
    /// Passed from hand to hand.
    static TOKENS: UpDownCounter<i64> = "threads.tokens";
    /// The value decides the bucket, so the sum is a function of the counts.
    static VALUES: Histogram<f64> = "threads.values" { buckets: [1, 2, 3] };
}

fn point(store: &Store, name: &str) -> Option<Point> {
    store.collect().into_iter().find(|f| f.definition.name() == name).map(|f| f.series[0].point.clone())
}

#[test]
fn ten_million_increments_over_a_hundred_series_by_eight_threads_are_all_there() {
    let store = Store::new();
    let done = Arc::new(AtomicBool::new(false));
    let reader = thread::spawn({
        let (store, done) = (store.clone(), Arc::clone(&done));
        move || {
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                if let Some(Point::U64(now)) = point(&store, "threads.total") {
                    assert!(now >= last, "a counter went from {last} to {now}");
                    last = now;
                }
            }
        }
    });
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            thread::spawn(move || {
                store.scope(|| {
                    let names: Vec<_> = (0..100).map(|n| format!("name {n}")).collect();
                    for n in 0..1_250_000 {
                        BY_NUMBER.add(1, (n % 100, &names[n as usize % 100]));
                        TOTAL.add(1);
                        SECONDS.add(0.5, (Kind::B,));
                    }
                });
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    done.store(true, Ordering::Relaxed);
    reader.join().unwrap();
    assert_eq!(point(&store, "threads.total"), Some(Point::U64(10_000_000)));
    assert_eq!(point(&store, "threads.seconds"), Some(Point::F64(5_000_000.0)));
    let families = store.collect();
    let family = families.iter().find(|f| f.definition.name() == "threads.by.number").unwrap();
    assert_eq!(family.series.len(), 100);
    assert!(family.series.iter().all(|series| series.point == Point::U64(100_000)));
}

#[test]
fn threads_that_come_and_go_lose_nothing() {
    let store = Store::new();
    for round in 0..250 {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let store = store.clone();
                thread::spawn(move || store.scope(|| TOTAL.add(1)))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(point(&store, "threads.total"), Some(Point::U64((round + 1) * 4)));
    }
}

#[test]
fn more_threads_than_regions_at_once_lose_nothing() {
    let store = Store::new();
    let barrier = Arc::new(std::sync::Barrier::new(64));
    let threads: Vec<_> = (0..64)
        .map(|_| {
            let (store, barrier) = (store.clone(), Arc::clone(&barrier));
            thread::spawn(move || {
                store.scope(|| {
                    TOTAL.add(1);
                    barrier.wait();
                    for _ in 0..1000 {
                        TOTAL.add(1);
                        VALUES.record(1.0);
                    }
                    barrier.wait();
                });
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(point(&store, "threads.total"), Some(Point::U64(64 * 1001)));
    let Some(Point::Histogram(buckets)) = point(&store, "threads.values") else { panic!() };
    assert_eq!((buckets.count(), buckets.sum), (64_000, 64_000.0));
}

#[test]
fn a_token_that_is_passed_on_is_never_less_than_nothing() {
    let store = Store::new();
    let done = Arc::new(AtomicBool::new(false));
    let (to, from) = std::sync::mpsc::channel();
    let ups = thread::spawn({
        let store = store.clone();
        move || {
            store.scope(|| {
                for _ in 0..200_000 {
                    to.send(TOKENS.guard()).unwrap();
                }
            });
        }
    });
    let downs = thread::spawn(move || from.into_iter().for_each(drop));
    let reader = thread::spawn({
        let (store, done) = (store.clone(), Arc::clone(&done));
        move || {
            while !done.load(Ordering::Relaxed) {
                if let Some(Point::I64(now)) = point(&store, "threads.tokens") {
                    assert!(now >= 0, "{now} tokens");
                }
            }
        }
    });
    ups.join().unwrap();
    downs.join().unwrap();
    done.store(true, Ordering::Relaxed);
    reader.join().unwrap();
    assert_eq!(point(&store, "threads.tokens"), Some(Point::I64(0)));
}

#[test]
fn a_histogram_that_is_read_while_it_is_written_is_never_torn() {
    let store = Store::new();
    let done = Arc::new(AtomicBool::new(false));
    let writer = thread::spawn({
        let (store, done) = (store.clone(), Arc::clone(&done));
        move || {
            store.scope(|| {
                let mut n = 0u64;
                while !done.load(Ordering::Relaxed) {
                    VALUES.record((n % 4 + 1) as f64);
                    n += 1;
                }
            });
        }
    });
    for _ in 0..2_000 {
        if let Some(Point::Histogram(buckets)) = point(&store, "threads.values") {
            let sum: u64 = buckets.counts.iter().zip(1..).map(|(count, value)| count * value).sum();
            assert_eq!(sum as f64, buckets.sum, "{buckets:?}");
        }
    }
    done.store(true, Ordering::Relaxed);
    writer.join().unwrap();
}

#[test]
fn recording_in_the_destructor_of_a_thread_local_is_kept() {
    struct Late;
    impl Drop for Late {
        fn drop(&mut self) {
            LATE_TOTAL.add(1);
        }
    }
    metrics! {
        /// Recorded late.
        static LATE_TOTAL: Counter<u64> = "threads.late";
    }
    thread_local! { static LATE: Late = const { Late }; }
    for early in [false, true] {
        thread::spawn(move || {
            // Whichever of the two thread-locals goes first.
            if early {
                LATE_TOTAL.add(1);
            }
            LATE.with(|_| ());
            LATE_TOTAL.add(1);
        })
        .join()
        .unwrap();
    }
    assert_eq!(point(&Store::global(), "threads.late"), Some(Point::U64(5)));
}
