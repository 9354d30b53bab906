//! What a recording costs in instructions does not depend on how many exporters there are, and what they make of it.
#![cfg(target_os = "linux")]

mod support;

use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use metercast::config::{Otlp, Prometheus, TemporalityPreference};
use metercast::view::View;
use metercast::{Config, Telemetry, metrics};
use support::Receiver;

metrics! {
    /// Without labels.
    static BARE: Counter<u64> = "cost.bare";
    /// With labels.
    static ORDERS: Counter<u64> = "cost.orders" { labels: { side: &str, region: &str } };
    /// Up and down.
    static OPEN: UpDownCounter<i64> = "cost.open";
    /// What was set last.
    static PRICE: Gauge<f64> = "cost.price" { labels: { region: &str } };
    /// With the buckets of all exporters.
    static WAIT: Histogram<f64> = "cost.wait" { unit: "s", buckets: [0.25, 0.5, 1.0, 2.5, 5.0], labels: { side: &str } };
}

const ROUNDS: u64 = 1_000;

/// How many exporters the child has; it is a child if this is set.
const EXPORTERS: &str = "METERCAST_TEST_EXPORTERS";

/// What callgrind counts, by this name.
#[inline(never)]
fn counted_records(rounds: u64) {
    records(rounds);
}

#[inline(never)]
fn records(rounds: u64) {
    for round in 0..black_box(rounds) {
        let (side, region) = if round % 2 == 0 { ("buy", "eu") } else { ("sell", "us") };
        BARE.add(1);
        ORDERS.add(1, (side, region));
        OPEN.add(1);
        PRICE.set(1.5, (region,));
        WAIT.record(0.75, (side,));
    }
}

/// Records with so many exporters at work, each of which has read before.
fn child(exporters: usize) {
    let receiver = Receiver::start();
    let hour = Duration::from_secs(3600);
    let push = || Otlp::to(&receiver.endpoint).interval(hour);
    let mut config = Config::builder().environment(false).exporter("page", Prometheus::listen("127.0.0.1:0"));
    if exporters > 1 {
        let views = push()
            .temporality(TemporalityPreference::Delta)
            .view(View::of("cost.*").drop_labels(["region"]))
            .view(View::of("cost.orders").rename("shop.orders"))
            .view(View::of("cost.wait").unit("ms").buckets([250.0, 1000.0]));
        config = config.exporter("delta", views);
    }
    if exporters > 2 {
        let views = push()
            .view(View::of("cost.*").keep_labels(["side"]))
            .view(View::of("cost.orders").alias("also.orders").drop_labels(["*"]))
            .view(View::of("cost.wait").buckets([0.5, 0.75, 3.0]));
        config = config.exporter("totals", views);
    }
    let telemetry = Telemetry::builder(config.build().unwrap()).log(support::log().0).start().unwrap();
    for _ in 0..2 {
        records(4);
        telemetry.flush(Duration::from_secs(60)).unwrap();
        support::scrape(telemetry.scrape_address().unwrap());
    }
    counted_records(ROUNDS);
    telemetry.shutdown().unwrap();
}

/// Runs this test again as a child under callgrind: how many instructions its records took.
fn instructions(exporters: usize, test: &str) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .arg("--toggle-collect=*counted_records*")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(EXPORTERS, exporters.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    collected.unwrap_or_else(|| panic!("{said}")).1.trim().parse().unwrap()
}

#[test]
fn a_record_takes_the_same_instructions_with_one_two_and_three_exporters() {
    const TEST: &str = "a_record_takes_the_same_instructions_with_one_two_and_three_exporters";
    if let Ok(exporters) = std::env::var(EXPORTERS) {
        return child(exporters.parse().unwrap());
    }
    if !conformance::use_programs(TEST, "valgrind") {
        return;
    }
    let with = [1, 2, 3].map(|exporters| instructions(exporters, TEST));
    assert!(with[0] > 5 * ROUNDS, "{with:?}");
    assert_eq!([with[0]; 3], with);
}
