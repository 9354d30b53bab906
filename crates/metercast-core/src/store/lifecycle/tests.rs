//! Series that end by themselves, at made-up times.

use std::cell::Cell;
use std::time::{Duration, Instant, UNIX_EPOCH};

use super::Expiry;
use crate::reading::Point;
use crate::store::Store;
use crate::store::layout::Layout;
use crate::store::region::Region;
use crate::{KeyValue, f64_histogram, u64_counter};

crate::labels! { enum Side { Buy, Sell } }

crate::metrics! {
    /// Without labels.
    static BARE: Counter<u64> = "lifecycle.bare";
    /// With labels that the types bound.
    static TYPED: Counter<u64> = "lifecycle.typed" { labels: { side: Side } };
    /// Counts.
    static COUNTED: Counter<u64> = "lifecycle.counted" { labels: { key: &str } };
    /// The same in doubles.
    static SECONDS: Counter<f64> = "lifecycle.seconds" { labels: { key: &str } };
    /// Up and down.
    static ACTIVE: UpDownCounter<i64> = "lifecycle.active" { labels: { key: &str } };
    /// Up and down in doubles.
    static WEIGHT: UpDownCounter<f64> = "lifecycle.weight" { labels: { key: &str } };
    /// A level.
    static LEVEL: Gauge<i64> = "lifecycle.level" { labels: { key: &str } };
    /// A distribution.
    static SIZES: Histogram<f64> = "lifecycle.sizes" { buckets: [1, 2, 3], labels: { key: &str } };
    /// Quantiles.
    static RESULTS: Summary<f64> = "lifecycle.results" { labels: { key: &str } };
    /// Two labels, which another site gives in the other order.
    static PAIRED: Histogram<f64> = "lifecycle.paired" { buckets: [1, 2, 3], labels: { a: &str, b: &str } };
    /// More labels than a line holds as words.
    static WIDE: Counter<u64> = "lifecycle.wide" { labels: { a: &str, b: &str, c: &str, d: &str, e: &str } };
}

const LONG: Duration = Duration::from_secs(80);

/// A store, and a clock that moves when it is told to. Readings look at the true time, which is long before, and so end nothing.
struct Timed {
    store: Store,
    now: Cell<Instant>,
}

impl Timed {
    fn new(expiry: Expiry) -> Timed {
        let store = Store::new();
        store.set_expiry(Some(expiry));
        Timed { store, now: Cell::new(Instant::now() + Duration::from_secs(1_000_000)) }
    }

    /// Lets time pass, and looks what has been idle for too long.
    fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + time);
        let inner = self.store.inner();
        self.store.scope(|| inner.settle_plan());
        inner.lifecycle.tidy(inner, || self.now.get());
    }

    /// Long enough for everything that is idle to end.
    fn pass_long(&self) {
        self.pass(LONG);
        self.pass(LONG);
    }

    /// Records `f` in the store.
    fn record(&self, f: impl FnOnce()) {
        self.store.scope(f);
    }

    /// The series, a line each: `name{labels} value`.
    fn lines(&self) -> Vec<String> {
        lines(&self.store)
    }
}

fn lines(store: &Store) -> Vec<String> {
    let families = store.collect();
    let series = families.iter().flat_map(|family| family.series.iter().map(move |series| (family, series)));
    series
        .map(|(family, series)| {
            let point = match &series.point {
                Point::U64(value) => value.to_string(),
                Point::I64(value) => value.to_string(),
                Point::F64(value) => format!("{value:?}"),
                Point::Histogram(buckets) => format!("{:?} sum {}", buckets.counts, buckets.sum),
                Point::Exponential(buckets) => format!("{} sum {}", buckets.count(), buckets.sum),
                Point::Summary(summary) => format!("{} sum {}", summary.count, summary.sum),
            };
            format!("{}{} {point}", family.definition.name(), series.labels)
        })
        .collect()
}

/// What a thread has that finds a series before it ends, and has not written yet.
struct Late<'a> {
    region: &'a Region,
    begun: u64,
}

/// Begins an operation of some other thread.
fn late(store: &Store) -> Late<'_> {
    let (region, _) = store.inner().regions.lease(false);
    Late { region, begun: region.begin() }
}

impl Late<'_> {
    /// Writes to the cell, and ends the operation.
    fn add(self, slot: u32, amount: u64) {
        crate::local::map_series(self.region, slot);
        assert!(crate::local::add_series(self.region, slot, amount));
        self.end();
    }

    fn end(self) {
        self.region.end(self.begun);
        self.region.release();
    }
}

/// The first slot of the only series of a metric.
fn slot_of(store: &Store, metric: &str) -> u32 {
    let definition = crate::registry::definitions().iter().copied().find(|d| d.name == metric).unwrap();
    let mut lines = store.inner().dictionary.lines_of(definition);
    lines.next().unwrap().1.cell().slot()
}

#[test]
fn what_nobody_records_into_ends_when_its_time_has_come_and_no_sooner() {
    let timed = Timed::new(Expiry::after(LONG));
    timed.record(|| {
        COUNTED.add(1, ("k",));
        SECONDS.add(0.5, ("k",));
        SIZES.record(2.0, ("k",));
        RESULTS.record(2.0, ("k",));
        ACTIVE.add(1, ("k",));
        ACTIVE.add(-1, ("k",));
        LEVEL.set(7, ("k",));
    });
    timed.pass(Duration::ZERO);
    let all = timed.lines();
    assert_eq!(all.len(), 6);
    for _ in 0..7 {
        timed.pass(LONG / 8);
        assert_eq!(timed.lines(), all);
    }
    timed.pass(LONG / 8);
    assert_eq!(timed.lines(), ["lifecycle.level{key=\"k\"} 7"], "gauges stay unless they are asked for");
}

#[test]
fn gauges_end_too_if_that_is_asked_for_and_setting_the_same_value_again_keeps_them() {
    let timed = Timed::new(Expiry::after(LONG).with_gauges());
    timed.record(|| LEVEL.set(7, ("idle",)));
    for _ in 0..24 {
        timed.record(|| LEVEL.set(7, ("busy",)));
        timed.pass(LONG / 8);
        timed.store.collect();
    }
    assert_eq!(timed.lines(), ["lifecycle.level{key=\"busy\"} 7"]);
    timed.record(|| LEVEL.add(1, ("idle",)));
    assert_eq!(timed.lines()[1], "lifecycle.level{key=\"idle\"} 1", "it counts from zero again");
}

#[test]
fn what_is_recorded_into_stays() {
    let timed = Timed::new(Expiry::after(LONG));
    timed.record(|| COUNTED.add(1, ("idle",)));
    for _ in 0..24 {
        timed.record(|| {
            COUNTED.add(1, ("busy",));
            SIZES.record(1.0, ("busy",));
            RESULTS.record(1.0, ("busy",));
            drop(ACTIVE.guard(("busy",)));
        });
        timed.pass(LONG / 8);
    }
    assert_eq!(
        timed.lines(),
        [
            "lifecycle.active{key=\"busy\"} 0",
            "lifecycle.counted{key=\"busy\"} 24",
            "lifecycle.results{key=\"busy\"} 24 sum 24",
            "lifecycle.sizes{key=\"busy\"} [24, 0, 0, 0] sum 24"
        ]
    );
}

#[test]
fn what_is_held_or_not_at_zero_or_named_by_the_program_text_stays() {
    let timed = Timed::new(Expiry::after(LONG).with_gauges());
    let held = timed.store.scope(|| {
        COUNTED.add(1, ("goes",));
        BARE.add(1);
        TYPED.add(1, (Side::Sell,));
        u64_counter!("lifecycle.literal", "Literal", 1, "key" => "k");
        ACTIVE.add(2, ("up",));
        ACTIVE.add(-2, ("down",));
        WEIGHT.add(0.25, ("up",));
        LEVEL.bind(("bound",)).set(3);
        (ACTIVE.guard(("guarded",)), SIZES.start(("timed",)), RESULTS.start(("timed",)))
    });
    let bound =
        timed.store.scope(|| (COUNTED.bind(("bound",)), SIZES.bind(("bound",)), ACTIVE.bind(("bound",))));
    let all = timed.lines();
    assert_eq!(all.len(), 14);
    timed.pass_long();
    timed.pass_long();
    let stayed: Vec<_> = all.into_iter().filter(|line| !line.contains("goes")).collect();
    assert_eq!(timed.lines(), stayed);

    drop(held);
    bound.0.add(1);
    bound.1.record(1.0);
    timed.record(|| ACTIVE.add(2, ("down",)));
    timed.pass_long();
    assert_eq!(
        timed.lines(),
        [
            "lifecycle.active{key=\"bound\"} 0",
            "lifecycle.active{key=\"up\"} 2",
            "lifecycle.bare 1",
            "lifecycle.counted{key=\"bound\"} 1",
            "lifecycle.level{key=\"bound\"} 3",
            "lifecycle.literal{key=\"k\"} 1",
            "lifecycle.sizes{key=\"bound\"} [1, 0, 0, 0] sum 1",
            "lifecycle.typed{side=\"sell\"} 1",
            "lifecycle.weight{key=\"up\"} 0.25"
        ]
    );
}

#[test]
fn a_series_that_ended_begins_at_zero_with_a_new_start() {
    let timed = Timed::new(Expiry::after(LONG));
    let key = String::from("k");
    let long = "x".repeat(40);
    let record = || {
        COUNTED.add(5, (&key,));
        SIZES.record(1.0, (&key,));
        RESULTS.record(1.0, (&key,));
        WIDE.add(5, ("a", "b", "c", "d", &key));
        u64_counter!("lifecycle.long", "Long", 5, "key" => &long);
    };
    timed.record(record);
    let before = timed.store.collect();
    timed.pass_long();
    assert_eq!(timed.lines(), [] as [&str; 0]);
    timed.record(record);
    let after = timed.store.collect();
    assert_eq!(before.len(), 5);
    for (before, after) in before.iter().zip(&after) {
        let (before, after) = (&before.series[0], &after.series[0]);
        assert_eq!((&before.labels, &before.point), (&after.labels, &after.point));
        assert!(before.started < after.started, "{:?}", before.labels);
    }
}

#[test]
fn all_orders_of_the_labels_of_a_series_end_with_it_and_make_one_again() {
    let timed = Timed::new(Expiry::after(LONG));
    let (a, b) = (String::from("1"), String::from("2"));
    let record = || {
        PAIRED.record(1.0, (&a, &b));
        f64_histogram!("lifecycle.paired", "Paired", 2.0, "b" => &b, "a" => &a);
        f64_histogram!(
            "lifecycle.paired",
            "Paired",
            3.0,
            vec![KeyValue::new("b", b.clone()), KeyValue::new("a", a.clone())]
        );
    };
    for _ in 0..3 {
        timed.record(record);
        timed.record(record);
        assert_eq!(timed.lines(), ["lifecycle.paired{a=\"1\",b=\"2\"} [2, 2, 2, 0] sum 12"]);
        timed.pass_long();
        assert_eq!(timed.lines(), [] as [&str; 0]);
    }
}

#[test]
fn what_is_recorded_at_the_last_moment_brings_the_series_back() {
    let timed = Timed::new(Expiry::after(LONG));
    timed.record(|| COUNTED.add(10, ("k",)));
    timed.pass(Duration::ZERO);
    let before = timed.store.collect();
    let late = late(&timed.store);
    let slot = slot_of(&timed.store, "lifecycle.counted");
    timed.pass(LONG);
    assert_eq!(timed.lines(), [] as [&str; 0], "it is on its way out");
    late.add(slot, 1);
    let after = timed.store.collect();
    assert_eq!(timed.lines(), ["lifecycle.counted{key=\"k\"} 11"]);
    assert_eq!(before[0].series[0].started, after[0].series[0].started);
    timed.record(|| COUNTED.add(1, ("k",)));
    assert_eq!(timed.lines(), ["lifecycle.counted{key=\"k\"} 12"]);
}

#[test]
fn a_reading_says_which_series_may_come_back_until_none_can() {
    let timed = Timed::new(Expiry::after(LONG));
    let leaving = || {
        timed.store.read(|reading| {
            let family = reading.families().find(|family| family.definition().name() == "lifecycle.counted");
            family.map_or(Vec::new(), |family| family.leaving().collect())
        })
    };
    timed.record(|| COUNTED.add(10, ("k",)));
    timed.pass(Duration::ZERO);
    let before = timed.store.collect();
    assert_eq!(leaving(), []);
    // One that comes back, and one that does not.
    for comes_back in [true, false] {
        let late = late(&timed.store);
        let slot = slot_of(&timed.store, "lifecycle.counted");
        timed.pass_long();
        assert_eq!(timed.lines(), [] as [&str; 0]);
        let started = UNIX_EPOCH + Duration::from_nanos(leaving()[0].1);
        assert_eq!((started, leaving().len()), (before[0].series[0].started, 1));
        if comes_back {
            late.add(slot, 1);
        } else {
            late.end();
        }
        assert_eq!(timed.store.collect().len(), usize::from(comes_back));
        assert_eq!(leaving(), []);
    }
}

#[test]
fn an_operation_that_has_begun_to_write_has_not_ended() {
    let store = Store::new();
    let late = late(&store);
    let moment = late.region.moment();
    assert!(!late.region.has_moved_on(moment));
    late.region
        .at_once(|| assert!(!late.region.has_moved_on(moment), "it is about to write to what it found"));
    let region = late.region;
    late.end();
    assert!(region.has_moved_on(moment));
}

#[test]
fn what_a_late_operation_might_still_write_to_is_not_used_again() {
    let timed = Timed::new(Expiry::after(LONG));
    timed.record(|| COUNTED.add(10, ("k",)));
    timed.pass(Duration::ZERO);
    let late = late(&timed.store);
    let slot = slot_of(&timed.store, "lifecycle.counted");
    timed.pass(LONG);
    timed.record(|| (0..600).for_each(|n| COUNTED.add(1, (&format!("other {n}"),))));
    late.add(slot, 1);
    let lines = timed.lines();
    assert_eq!(lines.len(), 601);
    assert_eq!(lines[0], "lifecycle.counted{key=\"k\"} 11");
    assert!(lines[1..].iter().all(|line| line.ends_with(" 1")));
}

#[test]
fn a_store_that_goes_before_everybody_has_moved_on_leaves_nothing_behind() {
    let timed = Timed::new(Expiry::after(LONG));
    // Enough for the table to grow, and to leave something that somebody might still be reading.
    timed.record(|| (0..300).for_each(|n| COUNTED.add(1, (&format!("k {n}"),))));
    let late = late(&timed.store);
    timed.pass(Duration::ZERO);
    late.end();
    drop(timed);
}

#[test]
fn what_ended_while_a_new_one_began_counts_once_and_in_full() {
    let timed = Timed::new(Expiry::after(LONG));
    timed.record(|| COUNTED.add(10, ("k",)));
    timed.pass(Duration::ZERO);
    let seen = timed.store.collect();
    let late = late(&timed.store);
    let slot = slot_of(&timed.store, "lifecycle.counted");
    timed.pass(LONG);
    timed.record(|| COUNTED.add(5, ("k",)));
    late.add(slot, 1);
    timed.store.collect();
    let now = timed.store.collect();
    assert_eq!(now[0].series.len(), 1);
    let Point::U64(now_at) = now[0].series[0].point else { panic!() };
    // A reader that knows series by their start counts both.
    let before = if seen[0].series[0].started == now[0].series[0].started { 0 } else { 10 };
    assert_eq!(before + now_at, 16);
}

#[test]
fn what_is_held_by_the_labels_in_another_order_stays_although_a_new_one_could_begin() {
    let timed = Timed::new(Expiry::after(LONG));
    let (a, b) = (String::from("1"), String::from("2"));
    let bound = timed.store.scope(|| {
        f64_histogram!("lifecycle.paired", "Paired", 1.0, "b" => &b, "a" => &a);
        // The second finds the series by its own order, which is another than that in which it was made.
        PAIRED.record(1.0, (&a, &b));
        PAIRED.bind((&a, &b))
    });
    timed.pass(Duration::ZERO);
    let late = late(&timed.store);
    timed.pass(LONG);
    timed.record(|| PAIRED.record(1.0, (&a, &b)));
    late.end();
    bound.record(1.0);
    timed.store.collect();
    let lines = timed.lines();
    assert!(lines.len() == 1 && lines[0].ends_with("sum 4"), "{lines:?}");
}

#[test]
fn a_late_value_of_a_summary_is_kept_although_a_new_one_began() {
    let timed = Timed::new(Expiry::after(LONG));
    timed.record(|| RESULTS.record(1.0, ("k",)));
    timed.pass(Duration::ZERO);
    timed.store.collect();
    let late = late(&timed.store);
    let definition =
        crate::registry::definitions().iter().copied().find(|d| d.name == "lifecycle.results").unwrap();
    let cell = timed.store.inner().dictionary.lines_of(definition).next().unwrap().1.cell();
    timed.pass(LONG);
    timed.record(|| RESULTS.record(1.0, ("k",)));
    crate::local::map_series(late.region, cell.slot());
    let layout = timed.store.inner().dictionary.layout(cell);
    assert!(crate::local::record_series(late.region, cell.slot(), layout, 1.0));
    // Recording ended the operation.
    late.region.release();
    for _ in 0..3 {
        timed.store.collect();
    }
    assert_eq!(timed.lines(), ["lifecycle.results{key=\"k\"} 2 sum 2"]);
    let departures = timed.store.inner().lifecycle.departures();
    assert_eq!(
        departures.as_ref().map_or(0, |departures| departures.waiting.len()),
        0,
        "none waits for ever"
    );
}

#[test]
fn a_series_on_a_line_that_was_used_before_is_not_idle_for_longer_than_it_lives() {
    let timed = Timed::new(Expiry::after(LONG));
    timed.record(|| COUNTED.add(1, ("old",)));
    timed.pass(Duration::ZERO);
    for _ in 0..7 {
        timed.pass(LONG / 8);
    }
    assert!(timed.store.remove("lifecycle.counted", [KeyValue::new("key", "old")]));
    timed.store.collect();
    timed.record(|| COUNTED.add(1, ("new",)));
    timed.pass(LONG / 8);
    assert_eq!(timed.lines(), ["lifecycle.counted{key=\"new\"} 1"]);
}

#[test]
fn a_series_that_the_program_text_names_never_counts_down_when_its_dynamic_twin_was_idle() {
    let timed = Timed::new(Expiry::after(LONG));
    let key = String::from("k");
    timed.record(|| {
        u64_counter!("lifecycle.twins", "Twins", 5, "key" => "k");
        u64_counter!("lifecycle.twins", "Twins", 10, "key" => key);
    });
    let all = timed.lines();
    assert_eq!(all, ["lifecycle.twins{key=\"k\"} 15"]);
    timed.pass_long();
    assert_eq!(timed.lines(), all);
    assert!(!timed.store.remove("lifecycle.twins", [KeyValue::new("key", "k")]));
    assert_eq!(timed.lines(), all);
}

#[test]
fn histograms_and_gauges_that_the_program_text_names_stay_too() {
    crate::metrics! {
        /// Without labels.
        static BARE_SIZES: Histogram<f64> = "lifecycle.named.bare" { buckets: [1] };
        /// With closed labels.
        static CLOSED_SIZES: Histogram<f64> = "lifecycle.named.closed" { buckets: [1], labels: { side: Side }, zeroes: true };
        /// With closed labels.
        static CLOSED_LEVEL: Gauge<i64> = "lifecycle.named.level" { labels: { side: Side } };
    }
    let timed = Timed::new(Expiry::after(LONG).with_gauges());
    timed.record(|| {
        BARE_SIZES.record(1.0);
        CLOSED_SIZES.record(1.0, (Side::Buy,));
        CLOSED_LEVEL.set(1, (Side::Buy,));
        f64_histogram!("lifecycle.named.literal", "Literal", 1.0, "key" => "k");
    });
    let all = timed.lines();
    assert_eq!(all.len(), 5);
    timed.pass_long();
    assert_eq!(timed.lines(), all);
}

/// The highest line and the highest slot that are in use.
fn highest(store: &Store) -> (u32, u32) {
    let dictionary = &store.inner().dictionary;
    let all = crate::registry::definitions();
    let lines = all.iter().flat_map(|definition| dictionary.lines_of(definition));
    lines.fold((0, 0), |(number, slot), (n, line, _)| (number.max(n), slot.max(line.cell().slot())))
}

#[test]
fn lines_cells_and_labels_are_used_again() {
    let timed = Timed::new(Expiry::after(LONG).with_gauges());
    let long = "x".repeat(40);
    let mut used = None;
    for round in 0..50 {
        timed.record(|| {
            for n in 0..40 {
                // Of one length, so that they take as many words each time.
                let key = format!("round {round:2} number {n:2}");
                COUNTED.add(1, (&key,));
                SIZES.record(1.0, (&key,));
                LEVEL.set(1, (&key,));
                PAIRED.record(1.0, (&key, "b"));
                f64_histogram!("lifecycle.paired", "Paired", 2.0, "b" => "b", "a" => &key);
                WIDE.add(1, (&key, "b", "c", "d", &long));
            }
        });
        assert_eq!(timed.lines().len(), 200);
        let (line, slot) = highest(&timed.store);
        assert!(line < 280, "{line} in round {round}: there is one for each order of labels");
        let long = timed.store.inner().dictionary.words_of_long();
        assert_eq!(*used.get_or_insert((slot, long)), (slot, long), "in round {round}");
        timed.pass_long();
        assert_eq!(timed.lines().len(), 0);
    }
}

#[test]
fn an_up_down_counter_that_goes_up_while_it_is_removed_comes_down_to_zero() {
    let timed = Timed::new(Expiry::after(LONG));
    timed.record(|| drop(ACTIVE.guard(("k",))));
    let late = late(&timed.store);
    let slot = slot_of(&timed.store, "lifecycle.active");
    assert!(timed.store.remove("lifecycle.active", [KeyValue::new("key", "k")]));
    late.add(slot, 1);
    // Another thread takes away what it saw go up.
    timed.record(|| ACTIVE.add(-1, ("k",)));
    timed.store.collect();
    assert_eq!(timed.lines(), ["lifecycle.active{key=\"k\"} 0"]);
}

#[test]
fn what_is_recorded_while_a_series_leaves_is_not_lost_though_its_successor_has_other_buckets() {
    let timed = Timed::new(Expiry::after(LONG));
    timed.record(|| SIZES.record(1.0, ("k",)));
    timed.pass(Duration::ZERO);
    timed.store.collect();
    let (slot, layout) = (slot_of(&timed.store, "lifecycle.sizes"), Layout::of(&[1.0, 2.0, 3.0]).unwrap());
    let late = late(&timed.store);
    timed.pass(LONG);
    let wanted = timed.store.want_bounds("lifecycle.sizes", &[2.5]).unwrap();
    assert!(!wanted.restarted(), "there is none that could begin anew");
    timed.record(|| SIZES.record(1.0, ("k",)));
    crate::local::map_series(late.region, slot);
    assert!(crate::local::record_series(late.region, slot, layout, 2.75));
    late.end();
    (0..3).for_each(|_| drop(timed.store.collect()));
    // What a reading saw of the one that left has ended with it.
    assert_eq!(timed.lines(), ["lifecycle.sizes{key=\"k\"} [1, 0, 1, 0] sum 3.75"]);
    // Readers that remember what each stage was at can tell them apart.
    let mut stages = Vec::new();
    timed.store.read(|reading| {
        reading.families().for_each(|family| {
            family.each(|series| {
                for stage in series.parts().flat_map(|part| part.stages().collect::<Vec<_>>()) {
                    let counts = stage.buckets.map(|(_, counts)| counts.to_vec());
                    stages.push((stage.started_unix_nanos, stage.number, counts));
                }
            });
        });
    });
    let [(first, 1, Some(all)), (second, 0, Some(without))] = &stages[..] else { panic!("{stages:?}") };
    assert_eq!((first, &all[..], &without[..]), (second, &[1, 0, 1, 0][..], &[1, 0, 0, 0, 0][..]));
    let departures = timed.store.inner().lifecycle.departures();
    assert!(
        departures.as_ref().is_none_or(|departures| departures.waiting.is_empty()),
        "none waits for ever"
    );
}
