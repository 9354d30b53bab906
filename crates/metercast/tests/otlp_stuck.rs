//! An exporter that is stuck keeps nobody else: threads record as ever, without an allocation and without waiting.

mod heap;
mod support;

use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use metercast::config::Otlp;
use metercast::{Config, Log, Store, Telemetry, metrics, u64_counter};
use support::{Receiver, Reply};

metrics! {
    static WORK: Counter<u64> = "work";
    static BY_NAME: Counter<u64> = "by_name" { labels: { name: &str } };
    static LEVEL: Gauge<f64> = "level" { labels: { name: &str } };
    static OPEN: UpDownCounter<i64> = "open";
    static TOOK: Histogram<f64> = "took" { unit: "s", labels: { name: &str, code: u32 } };
    static ASKED: ObservableGauge<f64> = "asked";
}

const RECORDS: u32 = 20_000;

/// So long that only a failure takes it.
const PATIENCE: Duration = Duration::from_secs(60);

fn record(n: u32) {
    let name = ["a", "b", "a name that is a little longer than the others"][n as usize % 3];
    WORK.add(1);
    BY_NAME.add(1, (name,));
    LEVEL.set(f64::from(n), (name,));
    OPEN.add(1 - (n % 3) as i64);
    TOOK.record(f64::from(n % 100) / 100.0, (name, n % 5));
}

/// Lets a thread record while the exporter is stuck, and says how many allocations it made. It has recorded each series before
/// it waits for `stuck`, and new ones afterwards.
fn allocations_once(store: &Store, stuck: impl FnOnce()) -> usize {
    let (begin, begins) = mpsc::channel();
    let (done, is_done) = mpsc::channel();
    let recording = store.clone();
    thread::spawn(move || {
        recording.scope(|| {
            (0..15).for_each(record);
            begins.recv().unwrap();
            let before = heap::allocations();
            (0..RECORDS).for_each(record);
            let allocations = heap::allocations() - before;
            // Neither does what is new wait: a metric, a series, a thread.
            u64_counter!("new", "", 1, "name" => "a");
            BY_NAME.add(1, ("new",));
            let other = recording.clone();
            thread::spawn(move || other.scope(|| record(0))).join().unwrap();
            done.send(allocations).unwrap();
        });
    });
    stuck();
    begin.send(()).unwrap();
    is_done.recv_timeout(PATIENCE).expect("recording does not wait for the exporter")
}

/// An exporter that pushes the store at once, and again and again.
fn pushing(store: &Store, endpoint: &str) -> Telemetry {
    let push = Otlp::to(endpoint).interval(Duration::from_millis(1)).timeout(Duration::ZERO);
    let config = Config::builder().environment(false).exporter("push", push).build().unwrap();
    Telemetry::builder(config).store(store.clone()).log(Log::to(|_, _| {})).start().unwrap()
}

#[test]
fn recording_neither_waits_nor_allocates_whatever_the_receiver_does() {
    for fault in [Reply::Hang, Reply::Trickle, Reply::Endless, Reply::Lost { taken: false }, Reply::Busy] {
        let store = Store::new();
        let receiver = Receiver::replying(move || fault);
        let telemetry = pushing(&store, &receiver.endpoint);
        let allocations = allocations_once(&store, || {
            receiver.replies.recv_timeout(PATIENCE).expect("a message comes");
        });
        assert_eq!(allocations, 0, "{fault:?}");
        if matches!(fault, Reply::Hang | Reply::Trickle) {
            assert!(receiver.replies.try_recv().is_err(), "all this was during the first push");
        }
        let _ = telemetry.shutdown_within(Duration::from_millis(10));
    }
}

#[test]
fn recording_neither_waits_nor_allocates_while_a_callback_keeps_the_exporter() {
    let store = Store::new();
    let (asked, is_asked) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let _asked = store.scope(|| {
        ASKED.observe(move |gauge| {
            let _ = asked.send(());
            let _ = released.lock().unwrap().recv();
            gauge.set(1.0);
        })
    });
    let receiver = Receiver::start();
    let telemetry = pushing(&store, &receiver.endpoint);
    let allocations = allocations_once(&store, || {
        is_asked.recv_timeout(PATIENCE).expect("the exporter reads");
    });
    assert_eq!(allocations, 0);
    assert!(receiver.messages.try_recv().is_err(), "all this was during the first reading");
    drop(release);
    receiver.messages.recv_timeout(PATIENCE).expect("then it is pushed");
    telemetry.shutdown().unwrap();
}
