//! Random schedules of threads, kinds, scopes and readers: all that was recorded is read, to the last unit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use metercast_core::reading::Point;
use metercast_core::{
    BoundCounter, BoundHistogram, BoundUpDownCounter, Guard, KeyValue, Store, f64_counter,
    i64_up_down_counter, labels, metrics, u64_counter,
};

labels! { enum Side { Buy, Sell } }

metrics! {
    /// Without labels.
    static BARE: Counter<u64> = "exact.bare";
    /// In doubles.
    static SECONDS: Counter<f64> = "exact.seconds";
    /// With labels that the types bound.
    static TYPED: Counter<u64> = "exact.typed" { labels: { side: Side, hot: bool } };
    /// With labels that they do not.
    static DYNAMIC: Counter<u64> = "exact.dynamic" { labels: { name: &str, code: i64 } };
    /// In doubles.
    static DYNAMIC_SECONDS: Counter<f64> = "exact.dynamic.seconds" { labels: { name: &str } };
    /// Up and down.
    static ACTIVE: UpDownCounter<i64> = "exact.active";
    /// Up and down, by side.
    static ACTIVE_TYPED: UpDownCounter<f64> = "exact.active.typed" { labels: { side: Side } };
    /// Up and down, by name.
    static ACTIVE_DYNAMIC: UpDownCounter<i64> = "exact.active.dynamic" { labels: { name: &str } };
    /// The value decides the bucket, so the sum is a function of the counts.
    static SIZES: Histogram<f64> = "exact.sizes" { buckets: [1, 2, 3] };
    /// The same by name.
    static SIZES_DYNAMIC: Histogram<u64> = "exact.sizes.dynamic" { buckets: [1, 2, 3], labels: { name: &str } };
    /// Quantiles.
    static RESULTS: Summary<f64> = "exact.results" { labels: { name: &str } };
    /// How often.
    static NAMES: Frequency<u64> = "exact.names" { labels: { name: &str } };
}

/// Long soaks run at a tenth unless they are asked for in full.
fn rounds(all: u64) -> u64 {
    if std::env::var_os("METERCAST_LONG").is_some() { all } else { all / 10 }
}

/// A small generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// What a store holds: of counters the total, of distributions count and sum; doubles in eighths, so that all sums are exact.
type Truth = BTreeMap<String, (i64, i64)>;

fn eighths(value: f64) -> i64 {
    assert_eq!(value * 8.0, (value * 8.0).trunc(), "{value} is not a sum of eighths");
    (value * 8.0) as i64
}

/// What a reading finds. Of histograms the sum must fit the counts.
fn read(store: &Store) -> Truth {
    let mut found = Truth::new();
    for family in store.collect() {
        // Recordings that are dropped while locks are out of reach are counted in whichever store is read next.
        if family.definition.name() == "metercast.recordings.dropped" {
            continue;
        }
        for series in family.series {
            let name = format!("{}{}", family.definition.name(), series.labels);
            let value = match series.point {
                Point::U64(value) => (value as i64, 0),
                Point::I64(value) => (value, 0),
                Point::F64(value) => (eighths(value), 0),
                Point::Histogram(buckets) => {
                    let sum: u64 = buckets.counts.iter().zip(1..).map(|(count, value)| count * value).sum();
                    assert_eq!(sum as f64, buckets.sum, "{name} {buckets:?}");
                    (buckets.count() as i64, sum as i64)
                }
                Point::Summary(summary) => {
                    assert_eq!(summary.sum, summary.count as f64, "{name} {summary:?}");
                    (summary.count as i64, summary.count as i64)
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(found.insert(name, value), None, "no two series have equal labels");
        }
    }
    found
}

/// What one thread recorded in each store.
struct Recorded(Vec<Truth>);

impl Recorded {
    fn add(&mut self, store: usize, name: String, value: i64, sum: i64) {
        let there = self.0[store].entry(name).or_default();
        *there = (there.0 + value, there.1 + sum);
    }
}

/// Handles into one store.
#[derive(Clone, Copy)]
struct Handles {
    bare: BoundCounter<u64>,
    typed: BoundCounter<u64>,
    dynamic: BoundCounter<u64>,
    active: BoundUpDownCounter<i64>,
    sizes: BoundHistogram<u64>,
}

impl Handles {
    fn of(store: &Store) -> Handles {
        store.scope(|| Handles {
            bare: BARE.bind(),
            typed: TYPED.bind((Side::Sell, true)),
            dynamic: DYNAMIC.bind(("name 1", 1)),
            active: ACTIVE_DYNAMIC.bind(("name 1",)),
            sizes: SIZES_DYNAMIC.bind(("name 1",)),
        })
    }
}

/// One recording in the store with this number, which is the current one; guards that are to live longer come back.
fn record(random: &mut Random, recorded: &mut Recorded, store: usize) -> Option<Guard> {
    let at = random.below(6);
    let name = if at == 5 {
        format!("a name that is too long for a line, number {at}")
    } else {
        format!("name {at}")
    };
    let size = random.below(4) as u64 + 1;
    let mut note = |name: String, value: i64, sum: i64| recorded.add(store, name, value, sum);
    match random.below(20) {
        0 | 1 => {
            BARE.add(size);
            note("exact.bare".into(), size as i64, 0);
        }
        2 => {
            SECONDS.add(0.125);
            note("exact.seconds".into(), 1, 0);
        }
        3 => {
            let (side, hot) = ([Side::Buy, Side::Sell][at % 2], at > 2);
            TYPED.add(1, (side, hot));
            note(format!("exact.typed{{hot={hot},side={:?}}}", side.as_str()), 1, 0);
        }
        4 | 5 => {
            DYNAMIC.add(size, (&name, 1));
            note(format!("exact.dynamic{{code=1,name={name:?}}}"), size as i64, 0);
        }
        6 => {
            u64_counter!("exact.dynamic", "With labels that they do not.", size, "code" => 1, "name" => &name);
            note(format!("exact.dynamic{{code=1,name={name:?}}}"), size as i64, 0);
        }
        7 => {
            let list = vec![KeyValue::new("name", name.clone()), KeyValue::new("code", 1)];
            u64_counter!("exact.dynamic", "With labels that they do not.", size, list);
            note(format!("exact.dynamic{{code=1,name={name:?}}}"), size as i64, 0);
        }
        8 => {
            DYNAMIC_SECONDS.add(0.375, (&name,));
            f64_counter!("exact.dynamic.seconds", "In doubles.", 0.25, "name" => "name 2");
            note(format!("exact.dynamic.seconds{{name={name:?}}}"), 3, 0);
            note("exact.dynamic.seconds{name=\"name 2\"}".into(), 2, 0);
        }
        9 => {
            ACTIVE.add(3 - size as i64);
            note("exact.active".into(), 3 - size as i64, 0);
        }
        10 => {
            let side = [Side::Buy, Side::Sell][at % 2];
            ACTIVE_TYPED.add(-0.125, (side,));
            note(format!("exact.active.typed{{side={:?}}}", side.as_str()), -1, 0);
        }
        11 => {
            ACTIVE_DYNAMIC.add(-2, (&name,));
            i64_up_down_counter!("exact.active.dynamic", "Up and down, by name.", 1, "name" => &name);
            note(format!("exact.active.dynamic{{name={name:?}}}"), -1, 0);
        }
        12 => {
            note(format!("exact.active.dynamic{{name={name:?}}}"), 0, 0);
            return Some(ACTIVE_DYNAMIC.guard((&name,)));
        }
        13 => {
            note("exact.active".into(), 0, 0);
            return Some(ACTIVE.guard());
        }
        14 | 15 => {
            SIZES.record(size as f64);
            note("exact.sizes".into(), 1, size as i64);
        }
        16 | 17 => {
            SIZES_DYNAMIC.record(size, (&name,));
            note(format!("exact.sizes.dynamic{{name={name:?}}}"), 1, size as i64);
        }
        18 => {
            RESULTS.record(1.0, (&name,));
            note(format!("exact.results{{name={name:?}}}"), 1, 1);
        }
        _ => {
            NAMES.record(&name);
            u64_counter!("exact.literal", "Literal", 2, "name" => "a");
            note(format!("exact.names{{name={name:?}}}"), 1, 0);
            note("exact.literal{name=\"a\"}".into(), 2, 0);
        }
    }
    None
}

/// Records through the handles of any store, whichever is the current one.
fn record_bound(random: &mut Random, recorded: &mut Recorded, handles: &[Handles]) {
    let store = random.below(handles.len());
    let handles = handles[store];
    handles.bare.add(1);
    handles.typed.add(2);
    handles.dynamic.add(3);
    handles.active.add(-1);
    handles.sizes.record(4);
    recorded.add(store, "exact.bare".into(), 1, 0);
    recorded.add(store, "exact.typed{hot=true,side=\"sell\"}".into(), 2, 0);
    recorded.add(store, "exact.dynamic{code=1,name=\"name 1\"}".into(), 3, 0);
    recorded.add(store, "exact.active.dynamic{name=\"name 1\"}".into(), -1, 0);
    recorded.add(store, "exact.sizes.dynamic{name=\"name 1\"}".into(), 1, 4);
}

/// What one thread does: recordings in scopes that change and nest.
fn write(mut random: Random, stores: &[Store], handles: &[Handles], times: u64) -> Recorded {
    let mut recorded = Recorded(vec![Truth::new(); stores.len()]);
    let mut guards = Vec::new();
    let mut left = times;
    while left > 0 {
        let outer = random.below(stores.len());
        stores[outer].scope(|| {
            for _ in 0..random.below(200) + 1 {
                left = left.saturating_sub(1);
                guards.extend(record(&mut random, &mut recorded, outer));
                match random.below(40) {
                    0 => {
                        let inner = random.below(stores.len());
                        stores[inner].scope(|| guards.extend(record(&mut random, &mut recorded, inner)));
                    }
                    1 => record_bound(&mut random, &mut recorded, handles),
                    2 => guards.clear(),
                    _ => {}
                }
            }
        });
        if random.below(4) == 0 {
            thread::yield_now();
        }
    }
    recorded
}

/// Reads until it is told to stop; no total may ever go down, and no histogram be torn.
fn keep_reading(store: &Store, done: &AtomicBool) {
    let mut last = Truth::new();
    while !done.load(Ordering::Relaxed) {
        let now = read(store);
        for (name, before) in last {
            let now = now.get(&name).unwrap_or_else(|| panic!("{name} is gone"));
            assert!(
                name.contains("active") || (now.0 >= before.0 && now.1 >= before.1),
                "{name} {before:?} {now:?}"
            );
        }
        last = now;
    }
}

fn run_schedule(seed: u64) {
    let mut random = Random(seed);
    let stores: Vec<Store> = (0..1 + random.below(3)).map(|_| Store::new()).collect();
    let handles: Vec<Handles> = stores.iter().map(Handles::of).collect();
    let (writers, readers) = (1 + random.below(6), random.below(3));
    let times = 500 + random.below(4_000) as u64;
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..readers)
        .map(|_| {
            let (store, done) = (stores[random.below(stores.len())].clone(), Arc::clone(&done));
            thread::spawn(move || keep_reading(&store, &done))
        })
        .collect();
    let writers: Vec<_> = (0..writers as u64)
        .map(|writer| {
            let (stores, handles) = (stores.clone(), handles.clone());
            thread::spawn(move || write(Random(seed * 100 + writer), &stores, &handles, times))
        })
        .collect();
    // What is bound is there from then on.
    let bound = [
        "exact.active.dynamic{name=\"name 1\"}",
        "exact.bare",
        "exact.dynamic{code=1,name=\"name 1\"}",
        "exact.sizes.dynamic{name=\"name 1\"}",
        "exact.typed{hot=true,side=\"sell\"}",
    ];
    let bound: Truth = bound.into_iter().map(|name| (name.to_owned(), (0, 0))).collect();
    let mut truth = vec![bound; stores.len()];
    for writer in writers {
        for (all, of_one) in truth.iter_mut().zip(writer.join().unwrap().0) {
            for (name, (value, sum)) in of_one {
                let there = all.entry(name).or_default();
                *there = (there.0 + value, there.1 + sum);
            }
        }
    }
    done.store(true, Ordering::Relaxed);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    for (store, truth) in stores.iter().zip(truth) {
        let found = read(store);
        let wrong: Vec<_> = truth.iter().filter(|(name, value)| found.get(*name) != Some(value)).collect();
        assert!(wrong.is_empty(), "seed {seed}: {wrong:?} in {found:?}");
        assert_eq!(found.len(), truth.len(), "seed {seed}");
        assert!(store.problems().is_empty(), "{:?}", store.problems());
    }
}

#[test]
fn whatever_threads_do_in_whatever_stores_all_of_it_is_read() {
    (0..rounds(300)).for_each(run_schedule);
}

#[test]
fn threads_by_the_thousand_lose_nothing() {
    let store = Store::new();
    let threads = rounds(20_000);
    for batch in 0..threads / 10 {
        let batch: Vec<_> = (0..10)
            .map(|thread| {
                let store = store.clone();
                thread::spawn(move || {
                    store.scope(|| {
                        BARE.add(1);
                        SECONDS.add(0.125);
                        TYPED.add(1, (Side::Buy, true));
                        DYNAMIC.add(1, ("name", (batch % 7 * 10 + thread) as i64));
                        drop(ACTIVE_DYNAMIC.guard(("name",)));
                        SIZES.record((thread % 4 + 1) as f64);
                        SIZES_DYNAMIC.record(thread % 4 + 1, ("name",));
                    });
                    // Some record in the store of the process, which they hold a region of until they end.
                    if thread == 0 {
                        NAMES.record("thread");
                    }
                })
            })
            .collect();
        batch.into_iter().for_each(|thread| thread.join().unwrap());
    }
    let (found, sizes) = (read(&store), threads as i64 / 10 * 23);
    assert_eq!(found["exact.bare"], (threads as i64, 0));
    assert_eq!(found["exact.seconds"], (threads as i64, 0));
    assert_eq!(found["exact.typed{hot=true,side=\"buy\"}"], (threads as i64, 0));
    assert_eq!(found["exact.active.dynamic{name=\"name\"}"], (0, 0));
    let dynamic = found.iter().filter(|(name, _)| name.starts_with("exact.dynamic{"));
    assert_eq!(dynamic.map(|(_, value)| value.0).sum::<i64>(), threads as i64);
    assert_eq!(
        (found["exact.sizes"], found["exact.sizes.dynamic{name=\"name\"}"]),
        ((threads as i64, sizes), (threads as i64, sizes))
    );
    assert_eq!(read(&Store::global())["exact.names{name=\"thread\"}"], (threads as i64 / 10, 0));
}

#[test]
fn a_pool_of_512_threads_loses_nothing() {
    let store = Store::new();
    let times = rounds(2_000);
    let threads: Vec<_> = (0..512)
        .map(|thread| {
            let store = store.clone();
            let pool = thread::Builder::new().stack_size(128 * 1024);
            let work = move || {
                for n in 0..times {
                    // A thread of a pool enters and leaves the scope with each task.
                    store.scope(|| {
                        BARE.add(1);
                        DYNAMIC.add(1, ("name", (n % 5) as i64));
                        SIZES_DYNAMIC.record(thread % 4 + 1, ("name",));
                        drop(ACTIVE.guard());
                    });
                    thread::yield_now();
                }
            };
            pool.spawn(work).unwrap()
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let (found, all) = (read(&store), 512 * times as i64);
    assert_eq!((found["exact.bare"], found["exact.active"]), ((all, 0), (0, 0)));
    let dynamic = found.iter().filter(|(name, _)| name.starts_with("exact.dynamic{"));
    assert_eq!(dynamic.map(|(_, value)| value.0).sum::<i64>(), all);
    assert_eq!(found["exact.sizes.dynamic{name=\"name\"}"], (all, all / 4 * 10));
}

#[test]
fn a_thread_that_records_and_then_reads_finds_what_it_recorded_while_others_make_series() {
    let store = Store::new();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let store = store.clone();
            thread::spawn(move || {
                store.scope(|| {
                    for n in 0..rounds(2_000) as i64 {
                        let name = format!("of {thread}");
                        DYNAMIC.add(1, (&name, n % 100));
                        SECONDS.add(0.125);
                        ACTIVE.add(1);
                        NAMES.record(&format!("{thread} {}", n % 100));
                        if n < 100 {
                            let found = read(&store);
                            let ours = format!("exact.dynamic{{code={n},name={name:?}}}");
                            assert_eq!(found.get(&ours), Some(&(1, 0)), "{ours}");
                        }
                    }
                });
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn sites_that_are_used_for_the_first_time_by_many_threads_at_once_make_one_series_and_lose_nothing() {
    /// Three sites that give the labels of one metric differently.
    type Sites = [fn(&str, &str); 3];
    macro_rules! race {
        ($name:literal) => {
            [
                |a: &str, b: &str| u64_counter!($name, "Race", 1, "a" => a, "b" => b),
                |a: &str, b: &str| u64_counter!($name, "Race", 1, "b" => b, "a" => a),
                |a: &str, b: &str| {
                    let list = [KeyValue::new("a", a.to_owned()), KeyValue::new("b", b.to_owned())];
                    u64_counter!($name, "Race", 1, list)
                },
            ]
        };
    }
    macro_rules! races {
        ($($name:literal)*) => { [$( ($name, race!($name)) ),*] };
    }
    let races: [(&str, Sites); 64] = races! {
        "race.00" "race.01" "race.02" "race.03" "race.04" "race.05" "race.06" "race.07"
        "race.10" "race.11" "race.12" "race.13" "race.14" "race.15" "race.16" "race.17"
        "race.20" "race.21" "race.22" "race.23" "race.24" "race.25" "race.26" "race.27"
        "race.30" "race.31" "race.32" "race.33" "race.34" "race.35" "race.36" "race.37"
        "race.40" "race.41" "race.42" "race.43" "race.44" "race.45" "race.46" "race.47"
        "race.50" "race.51" "race.52" "race.53" "race.54" "race.55" "race.56" "race.57"
        "race.60" "race.61" "race.62" "race.63" "race.64" "race.65" "race.66" "race.67"
        "race.70" "race.71" "race.72" "race.73" "race.74" "race.75" "race.76" "race.77"
    };
    let store = Store::new();
    let at = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let threads: Vec<_> = (0..3)
        .map(|thread| {
            let (store, at) = (store.clone(), Arc::clone(&at));
            thread::spawn(move || {
                store.scope(|| {
                    for (race, (_, sites)) in races.iter().enumerate() {
                        // All three begin at once.
                        at.fetch_add(1, Ordering::SeqCst);
                        while at.load(Ordering::SeqCst) < 3 * (race + 1) {
                            thread::yield_now();
                        }
                        (0..3).for_each(|n| sites[(thread + n) % 3]("1", "2"));
                    }
                });
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let found = read(&store);
    for (name, _) in races {
        assert_eq!(found.get(&format!("{name}{{a=\"1\",b=\"2\"}}")), Some(&(9, 0)), "{name} in {found:?}");
    }
    assert_eq!(found.len(), 64, "{found:?}");
}
