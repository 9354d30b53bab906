//! Stores come and go by the thousand and leave nothing behind.

mod heap;

use std::fs;
use std::sync::Mutex;

use metercast_core::{
    KeyValue, Store, f64_gauge, f64_histogram, i64_up_down_counter, labels, metrics, u64_counter,
};

labels! { enum Side { Buy, Sell } }

metrics! {
    /// Without labels.
    static BARE: Counter<u64> = "stores.bare";
    /// By side.
    static TYPED: Counter<f64> = "stores.typed" { labels: { side: Side } };
    /// By name.
    static DYNAMIC: Counter<u64> = "stores.dynamic" { labels: { name: &str } };
    /// In flight.
    static ACTIVE: UpDownCounter<i64> = "stores.active";
    /// In flight, by name.
    static ACTIVE_BY: UpDownCounter<f64> = "stores.active.by" { labels: { name: &str } };
    /// A level.
    static LEVEL: Gauge<i64> = "stores.level";
    /// A level, by name.
    static LEVEL_BY: Gauge<f64> = "stores.level.by" { labels: { name: &str } };
    /// A distribution.
    static SIZES: Histogram<u64> = "stores.sizes" { labels: { name: &str } };
    /// Quantiles.
    static RESULTS: Summary<f64> = "stores.results";
    /// How often.
    static NAMES: Frequency<u64> = "stores.names" { labels: { name: &str } };
    /// Asked for.
    static OBSERVED: ObservableGauge<u64> = "stores.observed" { labels: { name: &str } };
    /// Set at once.
    static USAGE: GaugeSet<u64> = "stores.usage" { labels: { tenant: &str } };
}

/// What is measured is of the whole process, so one test at a time runs.
static ALONE: Mutex<()> = Mutex::new(());

/// Every kind of instrument, and every way to hold one.
fn use_everything(store: &Store, n: u32) {
    let name = format!("name {n}");
    let long = "x".repeat(50);
    store.set_limits(50, 1_000);
    let (guard, handles, observation) = store.scope(|| {
        BARE.add(1);
        BARE.add(0);
        TYPED.add(0.5, (Side::Buy,));
        TYPED.add(-0.5, (Side::Sell,));
        for label in [&name, "b", &long] {
            DYNAMIC.add(1, (label,));
            ACTIVE_BY.add(0.5, (label,));
            LEVEL_BY.set(0.5, (label,));
            SIZES.record(7, (label,));
            NAMES.record(label);
        }
        ACTIVE.add(1);
        LEVEL.set(1);
        RESULTS.record(0.5);
        u64_counter!("stores.site", "Site", 1, "a" => &name, "b" => &long);
        u64_counter!("stores.site", "Site", 1, "b" => &long, "a" => &name);
        u64_counter!(
            "stores.site",
            "Site",
            1,
            [KeyValue::new("a", 1), KeyValue::new("a", 2), KeyValue::new("", 3)]
        );
        u64_counter!("stores.literal", "Literal", 1, "a" => "b");
        i64_up_down_counter!("stores.site.active", "Active", 1, "a" => &name);
        f64_gauge!("stores.site.level", "Level", 0.5, "a" => &name);
        f64_histogram!("stores.site.sizes", "Sizes", 0.5, "a" => &name);
        u64_counter!("stores.twice", "Twice", 1);
        f64_gauge!("stores.twice", "Twice", 1.0);
        USAGE.replace([(1, ("a",)), (2, (&name,))]);
        let observation = OBSERVED.observe(move |o| o.set(1, (&long,)));
        ((ACTIVE.guard(), SIZES.start((&name,))), (BARE.bind(), DYNAMIC.bind((&name,))), observation)
    });
    store.collect();
    handles.1.add(1);
    store.remove("stores.dynamic", [KeyValue::new("name", "b")]);
    store.collect();
    drop((guard, observation));
    store.collect();
}

/// Long soaks run at a tenth unless they are asked for in full.
fn rounds(all: u32) -> u32 {
    if std::env::var_os("METERCAST_LONG").is_some() { all } else { all / 10 }
}

/// How many mappings the process has, and how many kibibytes of it are resident; `None` where the system does not say.
fn mappings() -> Option<(usize, u64)> {
    // A sanitizer keeps what is freed.
    heap::system()?;
    let maps = fs::read_to_string("/proc/self/maps").ok()?.lines().count();
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some((maps, resident.trim().trim_end_matches(" kB").parse().ok()?))
}

#[test]
fn ten_thousand_stores_that_are_used_read_and_dropped_leave_memory_and_mappings_flat() {
    let _alone = ALONE.lock();
    let half = rounds(10_000) / 2;
    let store = Store::new();
    use_everything(&store, 0);
    assert!(store.collect().len() > 15);
    let use_many = |from: u32| (from..from + half).for_each(|n| use_everything(&Store::new(), n));
    use_many(0);
    let mapped = mappings();
    let (grown, in_all) = heap::growth(|| use_many(half));
    assert!(grown.abs() < 16 * 1024, "{grown} bytes for {half} stores");
    assert!(in_all.abs() < 256 * 1024, "{in_all} bytes in all for {half} stores");
    if let (Some(before), Some(after)) = (mapped, mappings()) {
        assert!(after.0 <= before.0 + 10, "from {} to {} mappings", before.0, after.0);
        assert!(after.1 <= before.1 + 4 * 1024, "from {} to {} KiB resident", before.1, after.1);
    }
}

#[test]
fn a_store_that_records_nothing_takes_less_than_four_kibibytes() {
    let _alone = ALONE.lock();
    drop(Store::new());
    let mut stores = Vec::with_capacity(1_000);
    let (grown, in_all) = heap::growth(|| stores.extend((0..1_000).map(|_| Store::new())));
    assert!(grown > 256 * 1_000, "the heap that counts sees the engine");
    assert!(grown.max(in_all) < 4 * 1024 * 1_000, "{grown} bytes, {in_all} in all");
    let read = || stores.iter().for_each(|store| assert!(store.collect().is_empty()));
    let (more, more_in_all) = heap::growth(read);
    assert!(
        (grown + more).max(in_all + more_in_all) < 4 * 1024 * 1_000,
        "{more} and {more_in_all} once read"
    );
}

#[test]
fn stores_that_are_used_by_many_threads_are_freed_with_the_last_of_them() {
    let _alone = ALONE.lock();
    let round = || {
        let stores: Vec<Store> = (0..50).map(|_| Store::new()).collect();
        let threads: Vec<_> = (0..4)
            .map(|of| {
                let stores = stores.clone();
                std::thread::spawn(move || {
                    for (n, store) in stores.iter().enumerate() {
                        use_everything(store, (of * 100 + n) as u32);
                    }
                })
            })
            .collect();
        drop(stores);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    };
    round();
    let (grown, in_all) = heap::growth(|| (0..5).for_each(|_| round()));
    assert!(grown.abs() < 16 * 1024, "{grown} bytes for 250 stores");
    assert!(in_all.abs() < 256 * 1024, "{in_all} bytes in all for 250 stores");
}

#[test]
fn a_reading_has_the_metrics_that_were_used_in_its_store_by_name() {
    let (store, other) = (Store::new(), Store::new());
    let names = |store: &Store| {
        store.read(|reading| {
            let names = reading.families().map(|family| family.definition().name().to_owned());
            names.filter(|name| name.starts_with("used.")).collect::<Vec<_>>()
        })
    };
    other.scope(|| {
        metercast_core::u64_counter!("used.elsewhere", "", 1);
        metercast_core::f64_gauge!("used.elsewhere.too", "", 1.0, "a" => "b");
    });
    store.scope(|| metercast_core::u64_counter!("used.zero", "", 0));
    assert_eq!(names(&store), ["used.zero"]);
    // What comes later has its place by its name as well.
    store.scope(|| {
        metercast_core::i64_up_down_counter!("used.back", "", 1);
        metercast_core::i64_up_down_counter!("used.back", "", -1);
        metercast_core::f64_gauge!("used.gauge", "", 0.0);
        metercast_core::u64_histogram!("used.histogram", "", 1);
        metercast_core::u64_counter!("used.by.text", "", 1, "a" => String::from("b"));
    });
    let used = ["used.back", "used.by.text", "used.gauge", "used.histogram", "used.zero"];
    assert_eq!(names(&store), used);
    assert_eq!(names(&other), ["used.elsewhere", "used.elsewhere.too"]);
}
