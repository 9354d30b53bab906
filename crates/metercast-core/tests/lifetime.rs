//! Series that are removed, or end because nobody records into them, take nothing with them but what they counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use metercast_core::reading::{Family, Point, Series};
use metercast_core::{Expiry, KeyValue, Store, Value, f64_histogram, labels, metrics, u64_counter};

labels! { enum Side { Buy, Sell } }

metrics! {
    /// Without labels.
    static BARE: Counter<u64> = "lifetime.bare";
    /// With labels that the types bound.
    static TYPED: Counter<u64> = "lifetime.typed" { labels: { side: Side } };
    /// Counts.
    static COUNTED: Counter<u64> = "lifetime.counted" { labels: { key: &str } };
    /// In doubles.
    static SECONDS: Counter<f64> = "lifetime.seconds" { labels: { key: &str } };
    /// Up and down.
    static ACTIVE: UpDownCounter<i64> = "lifetime.active" { labels: { key: &str } };
    /// A level.
    static LEVEL: Gauge<i64> = "lifetime.level" { labels: { key: &str } };
    /// A distribution: the value decides the bucket.
    static SIZES: Histogram<f64> = "lifetime.sizes" { buckets: [1, 2, 3], labels: { key: &str } };
    /// Two labels, which other sites give in the other order.
    static PAIRED: Counter<u64> = "lifetime.paired" { labels: { a: &str, b: &str } };
    /// More labels than are packed.
    static WIDE: Counter<u64> = "lifetime.wide" { labels: { a: &str, b: &str, c: &str, d: &str, key: &str } };
}

/// Long soaks run at a tenth unless they are asked for in full.
fn rounds(all: usize) -> usize {
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

fn family<'a>(families: &'a [Family], metric: &str) -> &'a [Series] {
    let family = families.iter().find(|family| family.definition.name() == metric);
    family.map(|family| &family.series[..]).unwrap_or_default()
}

/// The series of a metric, a line each: `{labels} value`.
fn lines(store: &Store, metric: &str) -> Vec<String> {
    let line = |series: &Series| {
        let point = match &series.point {
            Point::U64(value) => value.to_string(),
            Point::I64(value) => value.to_string(),
            Point::F64(value) => format!("{value:?}"),
            Point::Histogram(buckets) => format!("{:?} sum {}", buckets.counts, buckets.sum),
            other => panic!("{other:?}"),
        };
        format!("{} {point}", series.labels)
    };
    family(&store.collect(), metric).iter().map(line).collect()
}

fn key(key: impl Into<Value>) -> [KeyValue; 1] {
    [KeyValue::new("key", key)]
}

#[test]
fn a_series_of_any_kind_that_is_removed_is_gone_and_begins_at_zero_with_a_new_start() {
    let store = Store::new();
    let (name, long) = (String::from("k"), "x".repeat(40));
    let record = || {
        COUNTED.add(5, (&name,));
        COUNTED.add(5, (&long,));
        SECONDS.add(0.5, (&name,));
        SIZES.record(2.0, (&name,));
        LEVEL.set(3, (&name,));
        ACTIVE.add(1, (&name,));
        ACTIVE.add(-1, (&name,));
        WIDE.add(5, ("a", "b", "c", "d", &name));
    };
    let remove = || {
        for metric in ["counted", "seconds", "sizes", "level", "active"] {
            assert!(store.remove(&format!("lifetime.{metric}"), key(name.clone())), "{metric}");
        }
        assert!(store.remove("lifetime.counted", key(long.clone())));
        let wide = [("d", "d"), ("a", "a"), ("key", &name), ("c", "c"), ("b", "b")];
        assert!(store.remove("lifetime.wide", wide.map(|(key, value)| KeyValue::new(key, value.to_owned()))));
    };
    store.scope(record);
    let before = store.collect();
    assert_eq!(before.len(), 6);
    remove();
    assert!(store.collect().is_empty());
    store.scope(record);
    let after = store.collect();
    for (before, after) in before.iter().zip(&after) {
        for (before, after) in before.series.iter().zip(&after.series) {
            assert_eq!((&before.labels, &before.point), (&after.labels, &after.point));
            assert!(before.started < after.started, "{:?}", before.labels);
        }
    }
    // Nobody looks in between.
    remove();
    store.scope(record);
    remove();
    store.scope(record);
    let again = store.collect();
    let points = |families: &[Family]| -> Vec<_> {
        families.iter().flat_map(|family| family.series.iter().map(|series| series.point.clone())).collect()
    };
    assert_eq!(points(&again), points(&after));
}

#[test]
fn what_is_not_there_held_not_at_zero_or_named_by_the_program_text_is_not_removed() {
    let store = Store::new();
    let mut held = Some(store.scope(|| {
        BARE.add(1);
        TYPED.add(1, (Side::Sell,));
        u64_counter!("lifetime.literal", "Literal", 1, "key" => "k");
        ACTIVE.add(1, ("up",));
        (ACTIVE.guard(("guarded",)), SIZES.start(("timed",)))
    }));
    let bound = store.scope(|| (COUNTED.bind(("bound",)), SIZES.bind(("bound",)), LEVEL.bind(("bound",))));
    bound.2.set(1);
    store.scope(|| ACTIVE.add(0, ("guarded",)));
    let remove = |metric: &str, name: &'static str| store.remove(&format!("lifetime.{metric}"), key(name));
    assert!(!store.remove("lifetime.bare", []));
    assert!(!store.remove("lifetime.typed", [KeyValue::new("side", "sell")]));
    assert!(!store.remove("no.such.metric", []));
    for (metric, name) in [
        ("literal", "k"),
        ("counted", "no such key"),
        ("active", "up"),
        ("active", "guarded"),
        ("sizes", "timed"),
        ("counted", "bound"),
        ("sizes", "bound"),
        ("level", "bound"),
    ] {
        assert!(!remove(metric, name), "{metric} {name}");
    }
    assert_eq!(lines(&store, "lifetime.active"), ["{key=\"guarded\"} 1", "{key=\"up\"} 1"]);
    bound.0.add(1);
    assert_eq!(lines(&store, "lifetime.counted"), ["{key=\"bound\"} 1"]);

    held.take();
    store.scope(|| ACTIVE.add(-1, ("up",)));
    assert!(remove("active", "up") && remove("active", "guarded") && remove("sizes", "timed"));
    assert!(!remove("active", "up"), "it is gone already");
    assert!(lines(&store, "lifetime.active").is_empty());
    assert_eq!(lines(&store, "lifetime.sizes"), ["{key=\"bound\"} [0, 0, 0, 0] sum 0"]);
}

#[test]
fn a_series_is_removed_from_all_orders_of_its_labels_and_comes_back_as_one() {
    let store = Store::new();
    let (a, b) = (String::from("1"), String::from("2"));
    let record = || {
        PAIRED.add(1, (&a, &b));
        u64_counter!("lifetime.paired", "Two labels, which other sites give in the other order.", 1, "b" => &b, "a" => &a);
        let list = [KeyValue::new("b", b.clone()), KeyValue::new("a", a.clone())];
        u64_counter!("lifetime.paired", "Two labels, which other sites give in the other order.", 1, list);
    };
    for round in 0..6 {
        store.scope(|| (0..3).for_each(|_| record()));
        if round % 2 == 0 {
            assert_eq!(lines(&store, "lifetime.paired"), ["{a=\"1\",b=\"2\"} 9"]);
        }
        let labels = [KeyValue::new("b", b.clone()), KeyValue::new("a", a.clone())];
        assert!(store.remove("lifetime.paired", labels));
        if round % 3 == 0 {
            assert!(lines(&store, "lifetime.paired").is_empty());
        }
    }
}

#[test]
fn what_is_recorded_in_another_order_after_the_removal_is_not_lost() {
    let store = Store::new();
    let (a, b) = (String::from("1"), String::from("2"));
    let backwards = || u64_counter!("lifetime.paired", "Two labels, which other sites give in the other order.", 1, "b" => &b, "a" => &a);
    store.scope(|| {
        PAIRED.add(1, (&a, &b));
        backwards();
        backwards();
        assert!(
            store.remove("lifetime.paired", [KeyValue::new("a", a.clone()), KeyValue::new("b", b.clone())])
        );
        backwards();
        PAIRED.add(1, (&a, &b));
    });
    assert_eq!(lines(&store, "lifetime.paired"), ["{a=\"1\",b=\"2\"} 2"]);
}

#[test]
fn there_is_room_again_for_as_many_as_were_removed() {
    let store = Store::new();
    let add = |n: usize| store.scope(|| COUNTED.add(1, (&n.to_string(),)));
    let count = |store: &Store| lines(store, "lifetime.counted").len();
    add(0);
    store.set_limit("lifetime.counted", 3);
    (1..3).for_each(add);
    for n in 3..20 {
        assert!(store.remove("lifetime.counted", key((n - 3).to_string())));
        assert_eq!(count(&store), 2);
        add(n);
        assert_eq!(count(&store), 3, "{:?}", lines(&store, "lifetime.counted"));
    }
    assert!(store.problems().is_empty());
}

#[test]
fn after_an_overflow_there_is_room_again_for_as_many_as_were_removed() {
    let store = Store::new();
    let add = |n: usize| store.scope(|| COUNTED.add(1, (&n.to_string(),)));
    add(0);
    store.set_limit("lifetime.counted", 3);
    (1..5).for_each(add);
    let over = "{otel.metric.overflow=true} 2";
    assert_eq!(lines(&store, "lifetime.counted"), ["{key=\"0\"} 1", "{key=\"1\"} 1", "{key=\"2\"} 1", over]);
    assert!(!store.remove("lifetime.counted", [KeyValue::new("otel.metric.overflow", true)]));
    assert!(store.remove("lifetime.counted", key("0")));
    assert_eq!(lines(&store, "lifetime.counted"), ["{key=\"1\"} 1", "{key=\"2\"} 1", over]);
    add(5);
    add(6);
    let over = "{otel.metric.overflow=true} 3";
    assert_eq!(lines(&store, "lifetime.counted"), ["{key=\"1\"} 1", "{key=\"2\"} 1", "{key=\"5\"} 1", over]);
}

#[test]
fn a_limit_that_is_raised_makes_room_for_exactly_as_many_more() {
    let store = Store::new();
    let add = |n: usize| store.scope(|| COUNTED.add(1, (&n.to_string(),)));
    store.set_limits(3, 1_000);
    (0..10).for_each(add);
    assert_eq!(lines(&store, "lifetime.counted").len(), 4);
    store.set_limit("lifetime.counted", 5);
    (10..20).for_each(add);
    let lines = lines(&store, "lifetime.counted");
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert!(lines.contains(&"{otel.metric.overflow=true} 15".to_owned()), "{lines:?}");
    assert_eq!(store.problems().len(), 2, "{:?}", store.problems());
}

#[test]
fn a_limit_that_is_lowered_keeps_what_is_there() {
    let store = Store::new();
    let add = |n: usize| store.scope(|| COUNTED.add(1, (&n.to_string(),)));
    (0..10).for_each(add);
    store.set_limits(3, 1_000);
    (0..12).for_each(add);
    let lines = lines(&store, "lifetime.counted");
    assert_eq!(lines.len(), 11);
    assert!(lines[..10].iter().all(|line| line.ends_with(" 2")), "{lines:?}");
    assert_eq!(lines[10], "{otel.metric.overflow=true} 2");
}

#[test]
fn the_limit_of_the_store_counts_the_series_of_all_metrics_and_clears_as_well() {
    let store = Store::new();
    store.set_limits(1_000, 10);
    let add = |n: usize| {
        store.scope(|| {
            COUNTED.add(1, (&n.to_string(),));
            SECONDS.add(0.5, (&n.to_string(),));
        });
    };
    (0..5).for_each(add);
    assert_eq!(store.problems(), []);
    (5..9).for_each(add);
    assert_eq!(lines(&store, "lifetime.counted").len(), 6);
    assert_eq!(lines(&store, "lifetime.counted")[5], "{otel.metric.overflow=true} 4");
    assert_eq!(lines(&store, "lifetime.seconds")[5], "{otel.metric.overflow=true} 2.0");
    for n in 0..5 {
        assert!(store.remove("lifetime.counted", key(n.to_string())));
    }
    store.collect();
    store.scope(|| PAIRED.add(1, ("a", "b")));
    assert_eq!(lines(&store, "lifetime.paired"), ["{a=\"a\",b=\"b\"} 1"]);
}

#[test]
fn what_the_program_text_names_is_there_although_the_store_is_full() {
    metrics! {
        /// Without labels.
        static BARE_SIZES: Histogram<f64> = "lifetime.named.bare" { buckets: [1] };
        /// With labels that the types bound.
        static CLOSED_SIZES: Histogram<f64> = "lifetime.named.closed" { buckets: [1], labels: { side: Side } };
        /// The same.
        static CLOSED_LEVEL: Gauge<i64> = "lifetime.named.level" { labels: { side: Side } };
    }
    let store = Store::new();
    store.set_limits(1_000, 10);
    store.scope(|| {
        (0..20).for_each(|n| COUNTED.add(1, (&n.to_string(),)));
        BARE.add(1);
        TYPED.add(1, (Side::Sell,));
        BARE_SIZES.record(1.0);
        CLOSED_SIZES.record(1.0, (Side::Buy,));
        CLOSED_LEVEL.set(1, (Side::Buy,));
    });
    assert_eq!(lines(&store, "lifetime.bare"), [" 1"]);
    assert_eq!(lines(&store, "lifetime.typed"), ["{side=\"sell\"} 1"]);
    assert_eq!(lines(&store, "lifetime.named.bare"), [" [1, 0] sum 1"]);
    assert_eq!(lines(&store, "lifetime.named.closed"), ["{side=\"buy\"} [1, 0] sum 1"]);
    assert_eq!(lines(&store, "lifetime.named.level"), ["{side=\"buy\"} 1"]);
}

#[test]
fn a_store_whose_series_may_end_at_once_loses_nothing_that_was_read() {
    let store = Store::new();
    store.set_expiry(Some(Expiry::after(Duration::from_nanos(1))));
    let guard = store.scope(|| {
        COUNTED.add(1, ("k",));
        ACTIVE.guard(("k",))
    });
    assert_eq!(lines(&store, "lifetime.counted"), ["{key=\"k\"} 1"]);
    assert!(lines(&store, "lifetime.counted").is_empty());
    assert_eq!(lines(&store, "lifetime.active"), ["{key=\"k\"} 1"]);
    drop(guard);
    assert_eq!(lines(&store, "lifetime.active"), ["{key=\"k\"} 0"]);
    assert!(lines(&store, "lifetime.active").is_empty());
    store.set_expiry(None);
    store.scope(|| COUNTED.add(2, ("k",)));
    (0..3).for_each(|_| assert_eq!(lines(&store, "lifetime.counted"), ["{key=\"k\"} 2"]));
}

/// Keys of the stress tests. What is recorded for a key tells it from all others.
const KEYS: usize = 200;

/// Every third is too long to be packed.
fn name_of(key: usize) -> String {
    let tail = if key.is_multiple_of(3) { "-and-so-on".repeat(4) } else { String::new() };
    format!("{key}{tail}")
}

fn key_of(name: &str) -> usize {
    name.split('-').next().and_then(|digits| digits.parse().ok()).unwrap()
}

/// Odd and large: what many recordings of another key add up to cannot be divided by it.
fn amount_of(key: usize) -> u64 {
    (1 << 20) + 2 * key as u64 + 1
}

fn size_of(key: usize) -> f64 {
    (key % 4 + 1) as f64
}

/// What was recorded for each key: how often in each metric.
type Truth = BTreeMap<(&'static str, usize), u64>;

/// The metrics of the stress tests; those of up-down counters come to zero.
const METRICS: [&str; 5] =
    ["lifetime.counted", "lifetime.seconds", "lifetime.sizes", "lifetime.wide", "lifetime.paired"];

/// Records at random, mostly into a few keys that change, so that there are always some that nobody uses.
fn write(mut random: Random, times: usize) -> Truth {
    let names: Vec<_> = (0..KEYS).map(name_of).collect();
    let mut truth = Truth::new();
    for at in 0..times {
        let key = (at / 50 * 7 + random.below(20)) % KEYS;
        let (name, amount) = (&names[key], amount_of(key));
        let metric = random.below(METRICS.len());
        match (METRICS[metric], random.below(4)) {
            ("lifetime.counted", 0) => u64_counter!("lifetime.counted", "Counts.", amount, "key" => name),
            ("lifetime.counted", 1) => {
                let list = [KeyValue::new("key", name.clone())];
                u64_counter!("lifetime.counted", "Counts.", amount, list);
            }
            ("lifetime.counted", _) => COUNTED.add(amount, (name,)),
            ("lifetime.seconds", _) => SECONDS.add(amount as f64, (name,)),
            ("lifetime.sizes", 0) => {
                f64_histogram!("lifetime.sizes", "A distribution: the value decides the bucket.", size_of(key), "key" => name);
            }
            ("lifetime.sizes", _) => SIZES.record(size_of(key), (name,)),
            ("lifetime.wide", _) => WIDE.add(amount, ("a", "b", "c", "d", name)),
            (_, 0) => {
                u64_counter!("lifetime.paired", "Two labels, which other sites give in the other order.", amount, "b" => "b", "a" => name);
            }
            (_, _) => PAIRED.add(amount, (name, "b")),
        }
        *truth.entry((METRICS[metric], key)).or_default() += 1;
        if random.below(8) == 0 {
            drop(ACTIVE.guard((name,)));
        }
    }
    truth
}

/// How often a series was recorded into; fails if it holds what is another's.
fn times(metric: &str, series: &Series) -> (usize, u64) {
    let label = if metric == "lifetime.paired" { "a" } else { "key" };
    let Some(Value::String(name)) = series.labels.get(label) else { panic!("{:?}", series.labels) };
    let key = key_of(name);
    assert_eq!(*name, name_of(key));
    let divided = |value: u64| {
        assert_eq!(value % amount_of(key), 0, "{metric}{} holds {value}", series.labels);
        value / amount_of(key)
    };
    let times = match &series.point {
        Point::U64(value) => divided(*value),
        Point::F64(value) => divided(*value as u64),
        Point::Histogram(buckets) => {
            let count = buckets.counts[key % 4];
            assert_eq!(buckets.count(), count, "{metric}{} holds {buckets:?}", series.labels);
            assert_eq!(
                buckets.sum,
                count as f64 * size_of(key),
                "{metric}{} holds {buckets:?}",
                series.labels
            );
            count
        }
        other => panic!("{other:?}"),
    };
    (key, times)
}

/// What was last seen of each series, by metric, key and start.
#[derive(Default)]
struct Seen(BTreeMap<(&'static str, usize, Duration), u64>);

impl Seen {
    fn read(&mut self, store: &Store) {
        let families = store.collect();
        for metric in METRICS {
            let mut keys = BTreeSet::new();
            for series in family(&families, metric) {
                let (key, times) = times(metric, series);
                assert!(keys.insert(key), "{metric}{} is there twice", series.labels);
                let started = series.started.duration_since(std::time::UNIX_EPOCH).unwrap();
                let before = self.0.insert((metric, key, started), times).unwrap_or(0);
                assert!(times >= before, "{metric}{} went from {before} to {times}", series.labels);
            }
        }
        for series in family(&families, "lifetime.active") {
            let Point::I64(active) = series.point else { panic!() };
            assert!((0..=3).contains(&active), "{active}");
        }
    }

    fn by_key(&self) -> Truth {
        let mut all = Truth::new();
        self.0.iter().for_each(|((metric, key, _), times)| *all.entry((metric, *key)).or_default() += times);
        all
    }
}

/// Three threads write, and `meanwhile` is done again and again on this one; what was recorded.
fn while_three_write(store: &Store, times: usize, mut meanwhile: impl FnMut()) -> Truth {
    // The first site that records into a histogram chooses its buckets.
    store.scope(|| SIZES.start((&name_of(0),)).discard());
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..3)
        .map(|seed| {
            let store = store.clone();
            thread::spawn(move || store.scope(|| write(Random(seed), times)))
        })
        .collect();
    let waits = thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let truths: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
            done.store(true, Ordering::Release);
            truths
        }
    });
    while !done.load(Ordering::Acquire) {
        meanwhile();
    }
    let mut all = Truth::new();
    for truth in waits.join().unwrap() {
        truth.into_iter().for_each(|(of, times)| *all.entry(of).or_default() += times);
    }
    all
}

#[test]
fn of_series_that_end_while_they_are_recorded_nothing_is_lost_and_no_two_are_mixed() {
    let store = Store::new();
    store.set_expiry(Some(Expiry::after(Duration::from_nanos(1))));
    let mut seen = Seen::default();
    let truth = while_three_write(&store, rounds(1_000_000), || seen.read(&store));
    (0..4).for_each(|_| seen.read(&store));
    let by_key = seen.by_key();
    let wrong = |of: &(&'static str, usize)| by_key.get(of).unwrap_or(&0) != truth.get(of).unwrap_or(&0);
    let wrong: Vec<_> = truth
        .keys()
        .filter(|of| wrong(of))
        .map(|of| format!("{of:?}: {:?} instead of {}", by_key.get(of), truth[of]))
        .collect();
    assert_eq!(lines(&store, "metercast.recordings.dropped"), [] as [&str; 0]);
    assert!(wrong.is_empty(), "{} of {}: {wrong:?}", wrong.len(), truth.len());
    let ended = seen.0.len().saturating_sub(truth.len());
    assert!(ended > 0, "some have ended and come again");
    assert!(store.problems().is_empty(), "{:?}", store.problems());
}

#[test]
fn of_series_that_are_removed_while_they_are_recorded_no_two_are_mixed_and_none_counts_twice() {
    let store = Store::new();
    let mut seen = Seen::default();
    let (mut random, mut removed) = (Random(99), 0);
    let truth = while_three_write(&store, rounds(500_000), || {
        for _ in 0..20 {
            let name = name_of(random.below(KEYS));
            let metric = METRICS[random.below(METRICS.len())];
            let labels = match metric {
                "lifetime.paired" => vec![KeyValue::new("b", "b"), KeyValue::new("a", name)],
                "lifetime.wide" => {
                    let four = ["a", "b", "c", "d"].map(|label| KeyValue::new(label, label));
                    four.into_iter().chain(key(name)).collect()
                }
                _ => key(name).to_vec(),
            };
            removed += usize::from(store.remove(metric, labels));
            store.remove("lifetime.active", key(name_of(random.below(KEYS))));
        }
        seen.read(&store);
    });
    seen.read(&store);
    let by_key = seen.by_key();
    for (of, seen) in &by_key {
        assert!(truth.get(of).is_some_and(|times| times >= seen), "{of:?}: {seen} of {:?}", truth.get(of));
    }
    assert!(removed > 20, "{removed} were removed");
    // What is left after the last removal is all there.
    store.scope(|| (0..KEYS).for_each(|key| COUNTED.add(amount_of(key), (&name_of(key),))));
    assert_eq!(family(&store.collect(), "lifetime.counted").len(), KEYS);
    assert!(store.problems().is_empty(), "{:?}", store.problems());
}

#[test]
fn a_limit_counts_though_it_is_set_before_the_first_use() {
    metrics! {
        /// Used after its limit is set.
        static LATER: Counter<u64> = "lifetime.later" { labels: { key: &str } };
    }
    let store = Store::new();
    store.set_limit("lifetime.later", 1);
    store.scope(|| ["a", "b", "c"].into_iter().for_each(|key| LATER.add(1, (key,))));
    assert_eq!(lines(&store, "lifetime.later"), ["{key=\"a\"} 1", "{otel.metric.overflow=true} 2"]);
}
