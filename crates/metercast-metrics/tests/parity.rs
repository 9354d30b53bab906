//! One program, by the recorder of metrics-exporter-prometheus and by ours: the pages are line for line the same.

#[allow(dead_code, reason = "made for more than this")]
#[path = "../../metercast/tests/support/random.rs"]
mod random;

use std::collections::BTreeMap;

use metercast::{Log, PageOptions, Profile, PrometheusPage, Store};
use metercast_metrics::{Matcher, MetricsRecorder};
use metrics::{
    Key, Label, Recorder, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram, with_local_recorder,
};
use metrics_exporter_prometheus as theirs;

use random::Random;

const SECONDS: [f64; 5] = [0.001, 0.01, 0.125, 1.0, 10.0];
const SIZES: [f64; 3] = [0.0, 100.0, 1e6];
const ONE: [f64; 1] = [3.0];

/// What a program does, one step after the other.
#[derive(Clone, Debug)]
enum Step {
    Increment(Key, u64),
    Absolute(Key, u64),
    Set(Key, f64),
    GaugeBy(Key, f64),
    Record(Key, f64),
    RecordMany(Key, f64, usize),
    Touch(Key, Kind),
    Describe(&'static str, Kind, &'static str),
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

const COUNTERS: [&str; 4] = ["http_requests_total", "ws.connections", "bytes-sent", "größe of things"];
const GAUGES: [&str; 3] = ["pool.size", "pool_active", "depth/now"];
const HISTOGRAMS: [&str; 7] = [
    "request_seconds",
    "db.query.seconds",
    "fanout_recipients",
    "special.request_seconds",
    "special",
    "sizes.body",
    "other",
];
const DESCRIBED: [Step; 5] = [
    Step::Describe(COUNTERS[0], Kind::Counter, "Plain"),
    Step::Describe(COUNTERS[3], Kind::Counter, "é"),
    Step::Describe(GAUGES[0], Kind::Gauge, "With \"quotes\"\nand a second line"),
    Step::Describe(HISTOGRAMS[0], Kind::Histogram, "Plain"),
    Step::Describe(HISTOGRAMS[4], Kind::Histogram, "A fanout"),
];

fn key(random: &mut Random, names: &[&'static str]) -> Key {
    let keys = ["method", "path", "a.b", "z"];
    // None is empty: a label without a value is none to Prometheus, which theirs writes nonetheless.
    let values = ["GET", "/a\"b\nc", "é", "17", "a value that is far longer than thirty-two bytes", "x"];
    let mut labels = Vec::new();
    for key in keys {
        if random.below(2) == 0 {
            labels.push(Label::new(key, random.pick(&values)));
        }
    }
    // Which order is shown is that of the first use, so each set has one here.
    Key::from_parts(random.pick(names), labels)
}

fn number(random: &mut Random) -> f64 {
    match random.below(6) {
        0 => random.below(10) as f64,
        1 => random.below(1_000_000) as f64 / 1000.0,
        2 => -(random.below(1000) as f64),
        3 => 1e-7 * random.below(100) as f64,
        4 => 1e18 + random.below(1_000_000) as f64,
        _ => random.pick(&SECONDS),
    }
}

/// A number that adds up with others to the same sum in any order: theirs come to their sum newest first.
fn amount(random: &mut Random) -> f64 {
    match random.below(4) {
        0 => random.below(20) as f64,
        1 => random.pick(&SECONDS[2..]),
        2 => random.below(1 << 24) as f64,
        _ => random.below(1 << 20) as f64 / 1024.0,
    }
}

fn program(random: &mut Random) -> Vec<Step> {
    (0..2_000)
        .map(|_| match random.below(14) {
            0..3 => Step::Increment(key(random, &COUNTERS), random.below(1000) as u64),
            3 => Step::Absolute(key(random, &COUNTERS), random.below(20_000) as u64),
            4..6 => Step::Set(key(random, &GAUGES), number(random)),
            6 => Step::GaugeBy(key(random, &GAUGES), number(random)),
            7..10 => Step::Record(key(random, &HISTOGRAMS), amount(random)),
            10 => Step::RecordMany(key(random, &HISTOGRAMS), amount(random), random.below(20)),
            11 => Step::Touch(key(random, &COUNTERS), Kind::Counter),
            12 => match random.below(2) {
                0 => Step::Touch(key(random, &GAUGES), Kind::Gauge),
                _ => Step::Touch(key(random, &HISTOGRAMS), Kind::Histogram),
            },
            _ => DESCRIBED[random.below(DESCRIBED.len())].clone(),
        })
        // A description is for the whole process, and so for the programs of this test that come after: each has all.
        .chain(DESCRIBED)
        .collect()
}

fn run(step: &Step) {
    let metadata = metrics::Metadata::new("parity", metrics::Level::INFO, None);
    metrics::with_recorder(|recorder: &dyn Recorder| match step {
        Step::Increment(key, by) => recorder.register_counter(key, &metadata).increment(*by),
        Step::Absolute(key, to) => recorder.register_counter(key, &metadata).absolute(*to),
        Step::Set(key, to) => recorder.register_gauge(key, &metadata).set(*to),
        Step::GaugeBy(key, by) if *by < 0.0 => recorder.register_gauge(key, &metadata).decrement(-by),
        Step::GaugeBy(key, by) => recorder.register_gauge(key, &metadata).increment(*by),
        Step::Record(key, value) => recorder.register_histogram(key, &metadata).record(*value),
        Step::RecordMany(key, value, count) => {
            recorder.register_histogram(key, &metadata).record_many(*value, *count);
        }
        Step::Touch(key, Kind::Counter) => drop(recorder.register_counter(key, &metadata)),
        Step::Touch(key, Kind::Gauge) => drop(recorder.register_gauge(key, &metadata)),
        Step::Touch(key, Kind::Histogram) => drop(recorder.register_histogram(key, &metadata)),
        Step::Describe(name, Kind::Counter, text) => describe_counter!(*name, Unit::Count, *text),
        Step::Describe(name, Kind::Gauge, text) => describe_gauge!(*name, *text),
        Step::Describe(name, Kind::Histogram, text) => describe_histogram!(*name, Unit::Bytes, *text),
    });
}

fn page(store: &Store) -> String {
    let options = PageOptions::new().profile(Profile::MetricsRs);
    PrometheusPage::with("test", options, &[], Log::to(|_, line| panic!("{line}"))).render(store)
}

/// Fails unless both pages have the same lines; theirs come in no order.
#[track_caller]
fn assert_equal_lines(ours: &str, theirs: &str, seed: u64) {
    let sorted = |page: &str| {
        let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let (ours, theirs) = (sorted(ours), sorted(theirs));
    let only = |these: &[String], others: &[String]| {
        let lines = these.iter().filter(|line| others.binary_search(line).is_err());
        lines.take(10).cloned().collect::<Vec<_>>()
    };
    assert!(
        ours == theirs,
        "METERCAST_SEED={seed}: only ours has {:#?} and only theirs has {:#?}",
        only(&ours, &theirs),
        only(&theirs, &ours)
    );
}

/// The same rules in both.
fn recorders() -> (theirs::PrometheusRecorder, MetricsRecorder) {
    let suffix = "_seconds".to_owned();
    let full = "special request_seconds".to_owned();
    let prefix = "special".to_owned();
    let recipients = "fanout_recipients".to_owned();
    let theirs = theirs::PrometheusBuilder::new()
        .set_buckets_for_metric(theirs::Matcher::Suffix(suffix.clone()), &SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(theirs::Matcher::Full(full.clone()), &ONE))
        .and_then(|builder| builder.set_buckets_for_metric(theirs::Matcher::Prefix(prefix.clone()), &SIZES))
        .and_then(|builder| builder.set_buckets_for_metric(theirs::Matcher::Full(recipients.clone()), &SIZES))
        .and_then(|builder| builder.set_buckets_for_metric(theirs::Matcher::Prefix("s".to_owned()), &SIZES))
        .unwrap()
        .build_recorder();
    let ours = MetricsRecorder::builder()
        .summaries()
        .buckets_for(Matcher::Suffix(suffix), &SECONDS)
        .buckets_for(Matcher::Full(full), &ONE)
        .buckets_for(Matcher::Prefix(prefix), &SIZES)
        .buckets_for(Matcher::Full(recipients), &SIZES)
        .buckets_for(Matcher::Prefix("s".to_owned()), &SIZES)
        .build()
        .unwrap();
    (theirs, ours)
}

#[test]
fn counters_gauges_and_histograms_of_any_program_give_the_same_lines() {
    let seed = Random::seed();
    for round in 0..5 {
        let steps = program(&mut Random::new(seed + round));
        let steps = steps.iter().filter(|step| !is_of(step, "other"));
        let (theirs, ours) = recorders();
        let handle = theirs.handle();
        with_local_recorder(&theirs, || steps.clone().for_each(run));
        let store = Store::new();
        store.scope(|| with_local_recorder(&ours, || steps.for_each(run)));
        let (theirs, ours) = (handle.render(), page(&store));
        assert_equal_lines(&ours, &theirs, seed + round);
    }
}

/// Whether a step is of this metric.
fn is_of(step: &Step, metric: &str) -> bool {
    match step {
        Step::Increment(key, _)
        | Step::Absolute(key, _)
        | Step::Set(key, _)
        | Step::GaugeBy(key, _)
        | Step::Record(key, _)
        | Step::RecordMany(key, _, _)
        | Step::Touch(key, _) => key.name() == metric,
        Step::Describe(name, ..) => *name == metric,
    }
}

/// The samples of a page whose lines begin like this: of each the value.
fn samples<'a>(page: &'a str, begin: &str) -> BTreeMap<&'a str, f64> {
    let lines = page.lines().filter(|line| line.starts_with(begin));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(series, value)| (series, value.parse().unwrap()))
        .collect()
}

#[test]
fn histograms_without_a_rule_become_summaries_with_quantiles_as_near_as_both_sketches_are() {
    let mut random = Random::new(Random::seed());
    let (theirs, ours) = recorders();
    let (handle, store) = (theirs.handle(), Store::new());
    for at in 0..2_000 {
        let kind = random.pick(&["query", "store"]);
        // Theirs puts what is 700 times smaller than the greatest together.
        let value = (random.below(950_000) + 50_000) as f64 / 1000.0;
        let record = || histogram!("other", "kind" => kind).record(value);
        with_local_recorder(&theirs, record);
        store.scope(|| with_local_recorder(&ours, record));
        if at % 32 == 0 {
            // What they have to look through at once is taken newest first, and of that the older part gets lost.
            handle.run_upkeep();
        }
    }
    let (theirs, ours) = (handle.render(), page(&store));
    assert!(ours.contains("# TYPE other summary\n") && theirs.contains("# TYPE other summary\n"), "{ours}");
    let (mine, others) = (samples(&ours, "other"), samples(&theirs, "other"));
    assert!(mine.keys().eq(others.keys()), "{ours}\n{theirs}");
    assert_eq!(mine.len(), 2 * (7 + 2));
    for (series, value) in mine {
        let other = others[series];
        let error = if series.starts_with("other_count") {
            0.0
        } else if series.starts_with("other_sum") {
            1e-12
        } else {
            // Ours is off by half a percent at most over a range as wide as this, theirs by 0.01 %, and of two values that are next
            // to each other each may take the other one.
            0.01
        };
        assert!((value - other).abs() <= error * other, "{series}: {value} rather than {other}");
    }
}

#[test]
fn what_is_described_with_a_recording_is_described() {
    let (theirs, ours) = recorders();
    let (handle, store) = (theirs.handle(), Store::new());
    let program = || {
        for _ in 0..3 {
            counter!(description: "Orders", unit: Unit::Count, "orders", "side" => "buy").increment(1);
            gauge!(description: "Depth", "queue").set(3);
        }
    };
    with_local_recorder(&theirs, program);
    store.scope(|| with_local_recorder(&ours, program));
    let (theirs, ours) = (handle.render(), page(&store));
    assert_equal_lines(&ours, &theirs, 0);
}
