//! Values from outside as labels, and a store that nobody reads: bounded memory, and nothing lost.

mod heap;

use std::sync::Mutex;
use std::thread;

use metercast_core::reading::{Family, Point, Series};
use metercast_core::{Store, metrics};

metrics! {
    /// By a value from outside.
    static BY_PATH: Counter<u64> = "attack.by.path" { labels: { path: &str, status: u16 } };
    /// By a value from outside that does not fit a line.
    static BY_AGENT: Counter<u64> = "attack.by.agent" { labels: { agent: &str } };
    /// By a value from outside.
    static DURATION: Histogram<f64> = "attack.duration" { buckets: [1, 2, 3], labels: { path: &str } };
    /// Values.
    static SIZES: Histogram<u64> = "attack.sizes";
    /// By place.
    static SIZES_BY: Histogram<f64> = "attack.sizes.by" { buckets: [1, 2, 3], labels: { place: &str } };
}

/// What is measured is of the whole process, so one test at a time runs.
static ALONE: Mutex<()> = Mutex::new(());

/// Long soaks run at a tenth unless they are asked for in full.
fn rounds(all: u64) -> u64 {
    if std::env::var_os("METERCAST_LONG").is_some() { all } else { all / 10 }
}

/// A small generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 20
    }
}

fn series<'a>(families: &'a [Family], metric: &str) -> &'a [Series] {
    let family = families.iter().find(|family| family.definition.name() == metric);
    family.map(|family| &family.series[..]).unwrap_or_default()
}

fn count(series: &Series) -> u64 {
    match &series.point {
        Point::U64(value) => *value,
        Point::Histogram(buckets) => buckets.count(),
        other => panic!("{other:?}"),
    }
}

/// Whether the metric has so many series and one for what is beyond, and all that was recorded.
fn assert_bounded(families: &[Family], metric: &str, limit: usize, recorded: u64) {
    let series = series(families, metric);
    assert!(series.len() <= limit + 1, "{metric} has {} series", series.len());
    let beyond = series.iter().filter(|series| series.labels.get("otel.metric.overflow").is_some()).count();
    assert_eq!(beyond, 1, "{metric}");
    assert_eq!(series.iter().map(count).sum::<u64>(), recorded, "{metric}");
}

/// What could not be kept because something was out of reach. Only one test at a time runs, so that it is of this store.
fn dropped(families: &[Family]) -> Vec<String> {
    let dropped = series(families, "metercast.recordings.dropped").iter();
    dropped.map(|series| format!("{} {:?}", series.labels, series.point)).collect()
}

/// Records random values as labels on four threads.
fn attack(store: &Store, seed: u64, values: u64) {
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let store = store.clone();
            thread::spawn(move || {
                store.scope(|| {
                    let mut random = Random(seed + thread);
                    for _ in 0..values {
                        let value = random.next();
                        BY_PATH.add(1, (&format!("/{value:x}"), (value % 600) as u16));
                        if value.is_multiple_of(4) {
                            BY_AGENT.add(1, (&format!("{value:060}"),));
                            DURATION.record((value % 8 / 4 + 1) as f64, (&format!("/{value:x}"),));
                        }
                    }
                });
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_million_random_values_on_four_threads_are_at_most_the_limit_of_series_and_one_problem_each() {
    let _alone = ALONE.lock();
    let store = Store::new();
    let values = rounds(1_000_000);
    attack(&store, 1, values / 2);
    let (grown, in_all) = heap::growth(|| attack(&store, 1_000, values - values / 2));
    assert!(grown < 64 * 1024, "{grown} bytes");
    assert!(in_all < 512 * 1024, "{in_all} bytes in all");

    let families = store.collect();
    assert_eq!(dropped(&families), [] as [&str; 0]);
    assert_bounded(&families, "attack.by.path", 2_000, 4 * values);
    let quarter = count_of_quarter(values);
    assert_bounded(&families, "attack.by.agent", 2_000, quarter);
    assert_bounded(&families, "attack.duration", 2_000, quarter);
    for series in series(&families, "attack.duration") {
        let Point::Histogram(buckets) = &series.point else { panic!() };
        let sum: u64 = buckets.counts.iter().zip(1..).map(|(count, value)| count * value).sum();
        assert_eq!(buckets.sum, sum as f64, "{}", series.labels);
    }
    let mut problems: Vec<_> = store.problems().into_iter().map(|problem| problem.metric).collect();
    problems.sort();
    assert_eq!(problems, ["attack.by.agent", "attack.by.path", "attack.duration"]);
    assert_eq!(series(&families, "metercast.series.limits_reached").iter().map(count).sum::<u64>(), 3);
}

/// How many of the values can be divided by four.
fn count_of_quarter(values: u64) -> u64 {
    let of = |seed: u64, values: u64| {
        let mut random = Random(seed);
        (0..values).filter(|_| random.next().is_multiple_of(4)).count() as u64
    };
    (0..4).map(|thread| of(1 + thread, values / 2) + of(1_000 + thread, values - values / 2)).sum()
}

#[test]
fn series_that_four_threads_make_at_once_lose_nothing() {
    let _alone = ALONE.lock();
    let store = Store::new();
    store.set_limits(1_000_000, 10_000_000);
    let values = rounds(200_000);
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let store = store.clone();
            thread::spawn(move || {
                store.scope(|| {
                    for value in 0..values {
                        // Half of them are made by all, half by one.
                        let of = if value.is_multiple_of(2) { 4 } else { thread };
                        BY_PATH.add(1, (&format!("/{of}/{value}"), 200));
                    }
                });
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let families = store.collect();
    assert_eq!(dropped(&families), [] as [&str; 0]);
    let series = series(&families, "attack.by.path");
    assert_eq!(series.len() as u64, values / 2 + 4 * (values / 2));
    assert_eq!(series.iter().map(count).sum::<u64>(), 4 * values);
    assert!(store.problems().is_empty(), "{:?}", store.problems());
}

#[test]
fn records_that_nobody_reads_take_no_memory() {
    let _alone = ALONE.lock();
    let store = Store::new();
    let records = rounds(100_000_000) / 4;
    let record = |times: u64| {
        store.scope(|| {
            let sizes = SIZES.bind();
            for n in 0..times {
                SIZES.record(n % 1_000);
                SIZES_BY.record((n % 4 + 1) as f64, ("here",));
                sizes.record(n % 1_000);
                SIZES_BY.record((n % 4 + 1) as f64, (if n % 2 == 0 { "here" } else { "there" },));
            }
        });
    };
    record(1_000);
    let (grown, in_all) = heap::growth(|| record(records));
    assert!(grown < 64 * 1024, "{grown} bytes");
    assert!(in_all < 64 * 1024, "{in_all} bytes in all");
    let families = store.collect();
    assert_eq!(count(&series(&families, "attack.sizes")[0]), 2 * (records + 1_000));
    assert_eq!(series(&families, "attack.sizes.by").iter().map(count).sum::<u64>(), 2 * (records + 1_000));
}
