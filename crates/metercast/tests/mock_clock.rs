//! What depends on time goes by the clock of a test: exporters at an interval, summaries, expiry.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, UNIX_EPOCH};

use metercast::config::Stdout;
use metercast::snapshot::Point;
use metercast::testing::{self, FutureMetricsExt, MockClock};
use metercast::{
    Config, Expiry, InMemoryExporter, InMemoryReader, Kind, Store, Telemetry, Temporality,
    assert_counter_exists, assert_counter_not_exists, assert_histogram_sum, metrics, u64_counter,
};

metrics! {
    /// Quantiles of the last minute.
    static RECENT: Summary<f64> = "mocked.recent" { quantiles: [0.5], window_seconds: 60 };
    /// How much is in it.
    static TANK: ObservableGauge<u64> = "mocked.tank";
    /// Time to settle.
    static SETTLE: Histogram<f64> = "mocked.settle" { unit: "ms" };
}

/// Hands over what is written.
struct Pipe(Sender<String>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_exporter_at_an_interval_goes_by_the_clock_of_its_store() {
    let clock = MockClock::at(UNIX_EPOCH + Duration::from_secs(1_000));
    let store = Store::with_clock(&clock);
    let (sender, printed) = channel();
    let exporter = Stdout::default().interval(Duration::from_secs(3600)).writer(Pipe(sender));
    let config =
        Config::builder().environment(false).self_metrics(false).exporter("out", exporter).build().unwrap();
    let telemetry = Telemetry::builder(config).store(store.clone()).start().unwrap();
    for hour in 1..4 {
        store.scope(|| u64_counter!("mocked.hours", "Hours", 1));
        clock.advance(Duration::from_secs(1800));
        assert!(printed.try_recv().is_err(), "half an hour is not enough");
        clock.advance(Duration::from_secs(1800));
        let line = printed.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!(line.contains(&format!("\"value\":{hour}")), "{line}");
        assert!(line.contains("\"started\":\"1970-01-01T00:16:40"), "{line}");
    }
    telemetry.shutdown().unwrap();
}

#[test]
fn the_window_of_a_summary_moves_with_the_clock() {
    let clock = MockClock::new();
    let store = Store::with_clock(&clock);
    let read = || {
        let snapshot = InMemoryReader::new(store.clone()).collect();
        match &snapshot.family("mocked.recent").unwrap().series[0].point {
            Point::Summary(summary) => (summary.count, summary.quantiles.len()),
            other => panic!("{other:?}"),
        }
    };
    store.scope(|| RECENT.record(1.0));
    assert_eq!(read(), (1, 1));
    for _ in 0..24 {
        clock.advance(Duration::from_secs(5));
        read();
    }
    assert_eq!(read(), (1, 0), "what is older than the window is counted, and in no quantile");
}

#[test]
fn idle_series_expire_by_the_clock() {
    let clock = MockClock::new();
    let scope = testing::scope_in(Store::with_clock(&clock));
    scope.store().set_expiry(Some(Expiry::after(Duration::from_secs(600))));
    let tenant = String::from("acme");
    u64_counter!("mocked.requests", "Requests", 1, "tenant" => tenant);
    for _ in 0..2 {
        scope.store().collect();
        clock.advance(Duration::from_secs(299));
        assert_counter_exists!("mocked.requests", ..);
    }
    clock.advance(Duration::from_secs(601));
    scope.store().collect();
    assert_counter_not_exists!("mocked.requests", ..);
}

#[tokio::test]
async fn a_timer_in_a_future_goes_by_the_clock() {
    let clock = MockClock::new();
    async {
        let timer = SETTLE.start();
        clock.advance(Duration::from_secs(2));
        assert_eq!(timer.elapsed(), Duration::from_secs(2));
        drop(timer);
        assert_histogram_sum!("mocked.settle", 2_000);
    }
    .with_metrics_in(Store::with_clock(&clock))
    .await;
}

#[test]
fn collections_carry_the_time_of_the_clock_and_are_bounded() {
    let clock = MockClock::at(UNIX_EPOCH);
    let store = Store::with_clock(&clock);
    let exporter = InMemoryExporter::new(store.clone())
        .temporality(Kind::Counter, Temporality::Delta)
        .temporality(Kind::Histogram, Temporality::Delta)
        .keep(3);
    for round in 1..=5 {
        clock.advance(Duration::from_secs(10));
        store.scope(|| {
            u64_counter!("mocked.rounds", "Rounds", round, "side" => "buy");
            SETTLE.record(1.0);
        });
        exporter.collect();
    }
    let history = exporter.collections();
    assert_eq!((history.len(), exporter.forgotten()), (3, 2));
    for (collection, round) in history.iter().zip(3u64..) {
        assert_eq!(collection.time, UNIX_EPOCH + Duration::from_secs(10 * round));
        let rounds = collection.metric("mocked.rounds").unwrap();
        assert_eq!((&rounds.series[0].point, rounds.temporality), (&Point::U64(round), Temporality::Delta));
        assert_eq!(rounds.series[0].started, UNIX_EPOCH + Duration::from_secs(10 * (round - 1)));
        let Point::Histogram(buckets) = &collection.metric("mocked.settle").unwrap().series[0].point else {
            panic!()
        };
        assert_eq!((buckets.count(), buckets.sum), (1, 1.0));
    }
    assert!(exporter.collect().metrics.is_empty(), "nothing came since");
}

#[test]
fn two_readings_see_what_changed_between_them_though_the_clock_stands_still() {
    static LEVEL: AtomicU64 = AtomicU64::new(0);
    let store = Store::with_clock(&MockClock::new());
    let _level = store.scope(|| TANK.observe(|seen| seen.set(LEVEL.load(Ordering::Relaxed))));
    for level in 1..=3 {
        LEVEL.store(level, Ordering::Relaxed);
        let page = metercast::PrometheusPage::new("test", metercast::Log::to(|_, _| {})).render(&store);
        assert!(page.contains(&format!("\nmocked_tank {level}\n")), "{page}");
    }
}
