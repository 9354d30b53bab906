//! Alone in its process: a program that links metercast and has not started it.

mod support;

use std::fs;
use std::net::TcpStream;

use metercast::config::Prometheus;
use metercast::{Config, Telemetry, f64_histogram_with_unit, metrics, u64_counter};

metrics! {
    /// Before and after.
    static EARLY: Counter<u64> = "early";
    /// In progress when metercast starts.
    static ACTIVE: UpDownCounter<i64> = "active";
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

fn sockets() -> usize {
    fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

#[test]
fn an_unstarted_program_opens_no_socket_and_starts_no_thread_and_what_it_recorded_is_there_once_started() {
    let before = (threads(), sockets());
    EARLY.add(3);
    let guard = ACTIVE.guard();
    for kind in ["a", "b"] {
        u64_counter!("early.by.kind", "Early, by kind", 2, "kind" => kind);
        f64_histogram_with_unit!("early.duration", "How early", "s", 0.25, "kind" => kind);
    }
    std::thread::spawn(|| EARLY.add(1)).join().unwrap();
    assert_eq!((threads(), sockets()), before);

    let config = Config::builder()
        .environment(false)
        .exporter("prometheus", Prometheus::listen("127.0.0.1:0"))
        .build()
        .unwrap();
    let telemetry = Telemetry::start(config).unwrap();
    let address = telemetry.scrape_address().unwrap();
    EARLY.add(10);
    let page = support::scrape(address);
    assert_eq!(support::value(&page, "early_total"), Some(14.0));
    assert_eq!(support::value(&page, "active"), Some(1.0));
    assert_eq!(support::value(&page, "early_by_kind_total{kind=\"b\"}"), Some(2.0));
    assert_eq!(support::value(&page, "early_duration_seconds_bucket{kind=\"a\",le=\"0.25\"}"), Some(1.0));
    drop(guard);
    assert_eq!(support::value(&support::scrape(address), "active"), Some(0.0));

    telemetry.shutdown().unwrap();
    assert_eq!(threads(), before.0, "no thread is left when it has stopped");
    assert!(TcpStream::connect(address).is_err(), "nor does anything listen");
    EARLY.add(1);
}
