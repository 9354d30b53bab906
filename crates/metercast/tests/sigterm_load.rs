//! What is recorded while SIGTERM comes, under full load, arrives: each thread's last unit, and each once.
#![cfg(unix)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use metercast::config::{Otlp, TemporalityPreference};
use metercast::{Config, Log, Telemetry, metrics, u64_counter};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use support::child::{ENDPOINT, child, say, terminate};
use support::{Receiver, Reply};

metrics! {
    static WORK: Counter<u64> = "work" { labels: { thread: u32 } };
    static ALL: Counter<u64> = "all";
    static OPEN: UpDownCounter<i64> = "open";
    static LOAD: Counter<f64> = "load" { labels: { thread: u32 } };
    static TOOK: Histogram<f64> = "took" { unit: "s", buckets: [0.25, 0.5, 0.75], labels: { thread: u32 } };
}

/// Threads that record all the time. One more starts others, which end after a few records.
const THREADS: u32 = 3;

/// Short, so that the signal comes into the middle of a push as often as not.
const INTERVAL: Duration = Duration::from_millis(2);

/// What was recorded of each series, by name and labels. Doubles are eighths, so that all sums are exact.
type Totals = BTreeMap<String, f64>;

/// Long soaks run at a twentieth unless they are asked for in full.
fn rounds() -> u64 {
    if std::env::var_os("METERCAST_LONG").is_some() { 100 } else { 5 }
}

/// A small generator, so that a failure can be repeated as far as threads can be.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// In the child: records as fast as it can until it is `done`, and tells what.
fn record(thread: u32, done: impl Fn(u64) -> bool) -> Totals {
    let mut work = 0;
    let mut open = 0;
    let mut load = 0.0;
    let mut took = [0_u64; 4];
    let mut named = [0_u64; 5];
    let mut sum = 0.0;
    let mut n = 0;
    while !done(n) {
        WORK.add(1 + n % 3, (thread,));
        work += 1 + n % 3;
        ALL.add(1);
        OPEN.add(1 - (n % 3) as i64);
        open += 1 - (n % 3) as i64;
        let eighths = (n % 8) as f64 / 8.0;
        LOAD.add(eighths, (thread,));
        load += eighths;
        TOOK.record(eighths, (thread,));
        // A bucket holds its upper bound.
        took[[0.25, 0.5, 0.75].iter().filter(|bound| eighths > **bound).count()] += 1;
        sum += eighths;
        u64_counter!("named", "", 2, "thread" => thread, "code" => n % 5);
        named[(n % 5) as usize] += 2;
        n += 1;
    }
    let mut totals = Totals::from([
        (format!("work {thread}"), work as f64),
        ("all".to_owned(), n as f64),
        ("open".to_owned(), open as f64),
        (format!("load {thread}"), load),
        (format!("took {thread} sum"), sum),
    ]);
    totals.extend((0..).zip(took).map(|(at, count)| (format!("took {thread} bucket {at}"), count as f64)));
    totals.extend((0..).zip(named).map(|(code, count)| (format!("named {code} {thread}"), count as f64)));
    totals
}

fn add(totals: &mut Totals, more: Totals) {
    for (series, value) in more {
        *totals.entry(series).or_default() += value;
    }
}

/// The child: says that it is ready, records until the signal, shuts down, and says what it has recorded.
fn work(endpoint: &str, temporality: TemporalityPreference) {
    let done = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&done)).unwrap();
    let push = Otlp::to(endpoint).interval(INTERVAL).temporality(temporality);
    let config = Config::builder().environment(false).exporter("push", push).build().unwrap();
    let telemetry = Telemetry::builder(config).log(Log::to(|_, _| {})).start().unwrap();
    // So that a fault in what is tested cannot leave a process behind.
    let end = Instant::now() + Duration::from_secs(60);
    let is_done = || done.load(Ordering::Relaxed) || Instant::now() > end;
    say("ready");
    let mut totals = Totals::new();
    thread::scope(|scope| {
        let mut threads: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || record(thread, |n| n >= 200 && is_done())))
            .collect();
        threads.push(scope.spawn(|| {
            let mut totals = Totals::new();
            while !is_done() {
                let short = thread::spawn(|| record(THREADS, |n| n == 200));
                add(&mut totals, short.join().unwrap());
            }
            totals
        }));
        for thread in threads {
            add(&mut totals, thread.join().unwrap());
        }
    });
    telemetry.shutdown().unwrap();
    for (series, value) in totals {
        say(&format!("{series} = {value}"));
    }
}

/// What a receiver holds.
#[derive(Default)]
struct Held {
    totals: Totals,
    /// Until when each series of deltas was told.
    until: BTreeMap<String, u64>,
    last: Option<ExportMetricsServiceRequest>,
    /// Messages that were the one before once more.
    repeated: usize,
}

const DELTA: i32 = 1;

impl Held {
    /// Totals may come twice. Deltas that come twice are known by their times, and are not added again.
    fn take(&mut self, message: ExportMetricsServiceRequest, temporality: TemporalityPreference) {
        let is_repeated = self.last.as_ref() == Some(&message);
        self.repeated += usize::from(is_repeated);
        if !is_repeated || temporality == TemporalityPreference::Cumulative {
            self.add(&message);
        }
        self.last = Some(message);
    }

    fn add(&mut self, message: &ExportMetricsServiceRequest) {
        let scopes = message.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        for metric in scopes.flat_map(|scope| &scope.metrics) {
            let name = &metric.name;
            match &metric.data {
                Some(Data::Sum(sum)) if !name.contains('.') => {
                    for point in &sum.data_points {
                        let value = match point.value.unwrap() {
                            Value::AsInt(value) => value as f64,
                            Value::AsDouble(value) => value,
                        };
                        let window = (point.start_time_unix_nano, point.time_unix_nano);
                        let is_delta = sum.aggregation_temporality == DELTA;
                        self.put(&series(name, &point.attributes), is_delta, window, &[("", value)]);
                    }
                }
                Some(Data::Histogram(histogram)) if !name.contains('.') => {
                    for point in &histogram.data_points {
                        assert_eq!(point.explicit_bounds, [0.25, 0.5, 0.75]);
                        assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
                        let [a, b, c, d] = point.bucket_counts[..] else { panic!("{point:?}") };
                        let values = [
                            (" sum", point.sum.unwrap()),
                            (" bucket 0", a as f64),
                            (" bucket 1", b as f64),
                            (" bucket 2", c as f64),
                            (" bucket 3", d as f64),
                        ];
                        let window = (point.start_time_unix_nano, point.time_unix_nano);
                        let is_delta = histogram.aggregation_temporality == DELTA;
                        self.put(&series(name, &point.attributes), is_delta, window, &values);
                    }
                }
                // metercast's own.
                _ => {}
            }
        }
    }

    fn put(&mut self, series: &str, is_delta: bool, (start, time): (u64, u64), values: &[(&str, f64)]) {
        if is_delta {
            let until = self.until.insert(series.to_owned(), time).unwrap_or(start);
            assert!(until <= start && start <= time, "{series}: {until} {start} {time}");
        }
        for (part, value) in values {
            let total = self.totals.entry(format!("{series}{part}")).or_default();
            *total = if is_delta { *total + value } else { *value };
        }
    }
}

/// A name and the values of its labels, sorted by their keys.
fn series(name: &str, attributes: &[KeyValue]) -> String {
    let mut labels: Vec<_> = attributes
        .iter()
        .map(|attribute| match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(any_value::Value::IntValue(number)) => (attribute.key.as_str(), *number),
            other => panic!("a label of {name} is {other:?}"),
        })
        .collect();
    labels.sort_unstable();
    labels.iter().fold(name.to_owned(), |series, (_, number)| format!("{series} {number}"))
}

/// One process: the signal comes when the receiver has seen a few messages and a moment has passed.
fn round(test: &str, temporality: TemporalityPreference, random: &mut Random, faults: &[Reply]) {
    // Each at a message of its own, before or after the signal.
    let mut script = [Reply::Taken; 20];
    for fault in faults {
        let free: Vec<_> = (0..script.len()).filter(|at| script[*at] == Reply::Taken).collect();
        script[free[random.below(free.len() as u64) as usize]] = *fault;
    }
    let mut replies = script.into_iter();
    let receiver = Receiver::replying(move || replies.next().unwrap_or(Reply::Taken));
    let (mut child, output) = child(test, &receiver.endpoint);
    for _ in 0..random.below(20) {
        receiver.replies.recv_timeout(Duration::from_secs(60)).expect("a message comes");
    }
    thread::sleep(Duration::from_micros(random.below(10_000)));
    terminate(&child);
    let recorded: Totals = output
        .map_while(Result::ok)
        .filter_map(|line| {
            let (series, value) = line.split_once(" = ")?;
            Some((series.to_owned(), value.parse().unwrap()))
        })
        .collect();
    assert!(child.wait().unwrap().success());
    let mut held = Held::default();
    receiver.messages.try_iter().for_each(|message| held.take(message, temporality));
    let lost = faults.iter().filter(|fault| **fault == Reply::Lost { taken: true }).count();
    assert!(held.repeated <= lost, "{} messages came again, after {lost} lost answers", held.repeated);
    assert!(recorded["all"] >= 600.0, "{recorded:?}");
    // A series of which nothing was recorded, or a bucket, is nothing.
    let some = |totals: Totals| -> Totals { totals.into_iter().filter(|(_, value)| *value != 0.0).collect() };
    assert_eq!(some(held.totals), some(recorded), "{script:?}");
}

/// As many processes as are asked for, in each of which some of the `faults` come in turn.
fn rounds_of(test: &str, temporality: TemporalityPreference, faults: &[Reply]) {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        return work(&endpoint, temporality);
    }
    let mut random = Random(1);
    let mut faults_in_turn = faults.iter().copied().cycle();
    for _ in 0..rounds() {
        let faults: Vec<_> = faults_in_turn.by_ref().take(2).collect();
        round(test, temporality, &mut random, &faults);
    }
}

const FAULTS: [Reply; 5] = [
    Reply::Busy,
    // Allowed: such a message comes twice. The exporter cannot know that it was taken, and sends the same bytes again before
    // anything else, by which a receiver can tell. One that does not look adds these deltas twice, as OTLP warns.
    Reply::Lost { taken: true },
    Reply::Slow(Duration::from_millis(50)),
    Reply::Lost { taken: false },
    Reply::Busy,
];

#[test]
fn under_sigterm_deltas_add_up_to_what_was_recorded() {
    let test = "under_sigterm_deltas_add_up_to_what_was_recorded";
    rounds_of(test, TemporalityPreference::Delta, &[]);
}

#[test]
fn under_sigterm_the_last_totals_are_what_was_recorded() {
    let test = "under_sigterm_the_last_totals_are_what_was_recorded";
    rounds_of(test, TemporalityPreference::Cumulative, &[]);
}

#[test]
fn under_sigterm_deltas_add_up_though_the_receiver_falters() {
    let test = "under_sigterm_deltas_add_up_though_the_receiver_falters";
    rounds_of(test, TemporalityPreference::Delta, &FAULTS);
}

#[test]
fn under_sigterm_the_last_totals_arrive_though_the_receiver_falters() {
    let test = "under_sigterm_the_last_totals_arrive_though_the_receiver_falters";
    rounds_of(test, TemporalityPreference::Cumulative, &FAULTS);
}
