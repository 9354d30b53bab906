//! What is recorded outside of every scope while somebody watches is noted with its place, and kept as ever.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use metercast_core::reading::Point;
use metercast_core::{
    BoundCounter, BoundHistogram, Noted, Store, StoreFutureExt, Watch, metrics, u64_counter, u64_gauge,
};

metrics! {
    /// Without labels.
    static BARE: Counter<u64> = "watch.bare";
    /// With labels.
    static LABELLED: Counter<u64> = "watch.labelled" { labels: { side: &str } };
    /// Up and down.
    static OPEN: UpDownCounter<i64> = "watch.open";
    /// One cell for all threads.
    static LEVEL: Gauge<i64> = "watch.level";
    /// One cell for each label.
    static LEVELS: Gauge<i64> = "watch.levels" { labels: { side: &str } };
    /// A distribution.
    static WAIT: Histogram<f64> = "watch.wait" { unit: "s" };
    /// Quantiles.
    static RESULT: Summary<f64> = "watch.result";
    /// How often.
    static TRIGGER: Frequency<u64> = "watch.trigger" { labels: { trigger: &str } };
    /// All at once.
    static TASKS: GaugeSet<u64> = "watch.tasks" { labels: { state: &str } };
    /// Said when asked.
    static WAITING: ObservableGauge<u64> = "watch.waiting";
    /// Through a handle.
    static HANDLED: Counter<u64> = "watch.handled";
    /// A handle to a distribution.
    static HANDLED_WAIT: Histogram<f64> = "watch.handled.wait" { labels: { side: &str } };
}

/// There is one global store, so one test at a time records there.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn record_all() -> u32 {
    let line = line!();
    BARE.add(1);
    LABELLED.add(1, ("buy",));
    OPEN.add(1);
    LEVEL.set(1);
    LEVELS.set(1, ("buy",));
    WAIT.record(0.1);
    RESULT.record(1.0);
    TRIGGER.record("timer");
    TASKS.replace([(1, ("busy",))]);
    u64_counter!("watch.call", "A call", 1, "side" => "buy");
    u64_gauge!("watch.call.level", "A call", 1, "side" => "buy");
    drop(OPEN.guard());
    WAIT.start().discard();
    drop(WAITING.observe(|o| o.set(1)));
    line
}

const RECORDED: [&str; 14] = [
    "watch.bare",
    "watch.labelled",
    "watch.open",
    "watch.level",
    "watch.levels",
    "watch.wait",
    "watch.result",
    "watch.trigger",
    "watch.tasks",
    "watch.call",
    "watch.call.level",
    "watch.open",
    "watch.wait",
    "watch.waiting",
];

fn lines(noted: &[Noted]) -> Vec<(&'static str, u32, u64)> {
    noted.iter().map(|noted| (noted.metric, noted.place.line, noted.count)).collect()
}

#[test]
fn every_recording_outside_of_scopes_is_noted_with_its_line_whether_the_thread_recorded_before_or_not() {
    let _alone = alone();
    record_all();
    for round in 1..3 {
        let watch = Watch::begin();
        let first = record_all();
        let expected: Vec<_> =
            RECORDED.iter().zip(first + 1..).map(|(metric, line)| (*metric, line, 1)).collect();
        assert_eq!(lines(&watch.noted()), expected, "round {round}");
        assert_eq!(watch.noted()[0].place.file, file!());
        assert_eq!(watch.noted()[0].thread.as_ref().unwrap().id(), thread::current().id());
        record_all();
        assert!(watch.noted().iter().all(|noted| noted.count == 2));
        drop(watch);
        record_all();
    }
}

#[test]
fn what_belongs_to_a_scope_is_not_noted() {
    let _alone = alone();
    let watch = Watch::begin();
    let store = Store::new();
    store.scope(record_all);
    let entered = store.enter();
    record_all();
    drop(entered);
    let mut future = Box::pin(async { record_all() }.in_store(store));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_ready());
    assert!(watch.noted().is_empty(), "{:?}", watch.noted());
}

#[test]
fn nothing_is_lost_while_watches_come_and_go_and_others_record() {
    let _alone = alone();
    let read = |name: &str| {
        let families = Store::global().collect();
        match families
            .iter()
            .find(|family| family.definition.name() == name)
            .map(|family| &family.series[0].point)
        {
            Some(Point::U64(value)) => *value,
            Some(Point::I64(value)) => *value as u64,
            _ => 0,
        }
    };
    let before = (read("watch.bare"), read("watch.labelled"));
    let each = if cfg!(miri) { 100 } else { 100_000 };
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                for n in 0..each {
                    BARE.add(1);
                    LABELLED.add(1, ("buy",));
                    LEVEL.set(n);
                }
            });
        }
        threads.spawn(|| {
            for _ in 0..each / 100 {
                let watch = Watch::begin();
                assert!(watch.noted().iter().all(|noted| noted.count > 0));
                drop(watch);
            }
        });
    });
    let added = 2 * each as u64;
    assert_eq!((read("watch.bare"), read("watch.labelled")), (before.0 + added, before.1 + added));
    assert_eq!(read("watch.level"), each as u64 - 1);
}

#[test]
fn handles_that_were_bound_outside_are_noted_from_any_scope() {
    static HANDLE: LazyLock<(BoundCounter<u64>, BoundHistogram<f64>)> =
        LazyLock::new(|| (HANDLED.bind(), HANDLED_WAIT.bind(("buy",))));
    let _alone = alone();
    HANDLE.0.add(1);
    let watch = Watch::begin();
    let store = Store::new();
    store.scope(|| HANDLE.0.add(1));
    HANDLE.0.add(1);
    HANDLE.1.record(1.0);
    let line = line!();
    let expected =
        [("watch.handled", line - 3, 1), ("watch.handled", line - 2, 1), ("watch.handled.wait", line - 1, 1)];
    assert_eq!(lines(&watch.noted()), expected);
    assert!(store.collect().is_empty());
}

#[test]
fn each_watch_knows_what_came_since_it_began() {
    let _alone = alone();
    let outer = Watch::begin();
    let record = || BARE.add(1);
    record();
    let inner = Watch::begin();
    record();
    assert_eq!((outer.noted()[0].count, inner.noted()[0].count), (2, 1));
    drop(inner);
    record();
    assert_eq!(outer.noted()[0].count, 3);
    Store::global().set_enabled(false);
    LABELLED.add(1, ("sell",));
    Store::global().set_enabled(true);
    assert_eq!(outer.noted().len(), 1, "what is not kept did not land anywhere");
}
