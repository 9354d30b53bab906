//! What becomes of cells that were replaced.

use crate::local;
use crate::reading::{PointView, interned_bounds};
use crate::store::Store;
use crate::store::past::History;
use crate::store::region::Region;

crate::metrics! {
    /// A distribution.
    static SIZES: Histogram<f64> = "replace.sizes" { buckets: [10], labels: { key: &str } };
    /// Exponential.
    static WIDTHS: Histogram<f64> = "replace.widths" { unit: "s", exponential: true, labels: { key: &str } };
    /// Quantiles.
    static RESULTS: Summary<f64> = "replace.results" { labels: { key: &str } };
}

/// Cells of the store that there ever were, in words; how many are free; and what is kept of the past, in stages and cells.
fn memory(store: &Store) -> (u32, usize, usize, usize) {
    let inner = store.inner();
    let (used, free) = inner.dictionary.cells();
    let (mut stages, mut cells) = (0, 0);
    for line in 0..100 {
        let mut count = |history: &mut History| {
            stages += history.stages.len();
            cells += history.cells.len();
        };
        inner.past.of(line, &mut count);
    }
    (used, free, stages, cells)
}

/// Counts and sum over these bounds, all series added up.
fn total(store: &Store, bounds: &[f64]) -> (Vec<u64>, f64) {
    let bounds = interned_bounds(bounds).unwrap();
    let (mut all, mut sum) = (vec![0; bounds.len() + 1], 0.0);
    let mut counts = Vec::new();
    store.read(|reading| {
        for family in reading.families() {
            family.each(|series| {
                let Some(series) = series.at(bounds, &mut counts) else { return };
                let PointView::Histogram(buckets) = series.value else { panic!("{series:?}") };
                all.iter_mut().zip(buckets.counts).for_each(|(all, count)| *all += count);
                sum += buckets.sum;
            });
        }
    });
    (all, sum)
}

#[test]
fn a_thousand_wishes_that_come_and_go_leave_no_more_memory_in_use_than_a_few() {
    for is_read in [true, false] {
        let store = Store::new();
        let record = || store.scope(|| ["a", "b", "c"].into_iter().for_each(|key| SIZES.record(3.0, (key,))));
        record();
        total(&store, &[10.0]);
        let _lasting = store.want_bounds("replace.sizes", &[5.0]).unwrap();
        let mut after_few = None;
        for round in 0..1_000u32 {
            let wanted = store.want_bounds("replace.sizes", &[f64::from(round % 7) + 20.0]).unwrap();
            let exponential = (round % 5 == 0).then(|| store.want_exponential(Some("replace.sizes")));
            record();
            drop((wanted, exponential));
            if is_read || round % 100 == 99 {
                let expected = u64::from(round) * 3 + 6;
                assert_eq!(total(&store, &[10.0]), (vec![expected, 0], 3.0 * expected as f64));
                assert_eq!(total(&store, &[5.0]), (vec![expected - 3, 0], 3.0 * (expected - 3) as f64));
            }
            if round == 99 {
                after_few = Some(memory(&store));
            }
        }
        total(&store, &[10.0]);
        let (used, free, stages, cells) = memory(&store);
        let (used_by_few, free_of_few, ..) = after_few.unwrap();
        assert_eq!(used, used_by_few);
        assert!(free <= free_of_few + 3, "{free} after {free_of_few}");
        assert!(stages <= 3 * 3, "{stages} stages of three series");
        assert_eq!(cells, 0);
    }
}

/// Some other thread, which found the cell of the only series before it was replaced, and has not written yet.
struct Late<'a> {
    store: &'a Store,
    region: &'a Region,
    begun: u64,
    cell: crate::store::line::CellWord,
}

impl<'a> Late<'a> {
    fn begin(store: &'a Store) -> Late<'a> {
        let (region, _) = store.inner().regions.lease(false);
        let begun = region.begin();
        let cell = store.inner().dictionary.line(0).unwrap().cell();
        Late { store, region, begun, cell }
    }

    fn write(self, value: f64) {
        let layout = self.store.inner().dictionary.layout(self.cell);
        local::map_series(self.region, self.cell.slot());
        assert!(local::record_series(self.region, self.cell.slot(), layout, value));
        self.region.end(self.begun);
        self.region.release();
    }
}

#[test]
fn what_is_written_into_a_cell_that_was_just_replaced_counts_where_it_belongs() {
    let store = Store::new();
    let record = |value| store.scope(|| SIZES.record(value, ("a",)));
    record(1.0);
    total(&store, &[10.0]);
    let late = Late::begin(&store);
    let _five = store.want_bounds("replace.sizes", &[5.0]).unwrap();
    record(2.0);
    let also_late = Late::begin(&store);
    let _seven = store.want_bounds("replace.sizes", &[7.0]).unwrap();
    record(3.0);
    let all = |ten: &[u64], five: &[u64], seven: &[u64]| {
        for _ in 0..3 {
            assert_eq!(total(&store, &[10.0]).0, ten);
            assert_eq!(total(&store, &[5.0]).0, five);
            assert_eq!(total(&store, &[7.0]).0, seven);
        }
    };
    all(&[3, 0], &[2, 0], &[1, 0]);
    also_late.write(6.0);
    all(&[4, 0], &[2, 1], &[1, 0]);
    late.write(6.0);
    // It found a cell without the bound of 5, so that nobody can say on which side it is.
    all(&[5, 0], &[2, 1], &[1, 0]);
    assert_eq!(memory(&store).3, 0);
    assert_eq!(total(&store, &[10.0]).1, 18.0);
}

#[test]
fn a_series_that_ends_leaves_nothing_of_its_past() {
    let store = Store::new();
    for _ in 0..10 {
        store.scope(|| SIZES.record(1.0, ("a",)));
        total(&store, &[10.0]);
        let wanted = store.want_bounds("replace.sizes", &[5.0]).unwrap();
        assert!(store.remove("replace.sizes", [crate::KeyValue::new("key", "a")]));
        drop(wanted);
        assert_eq!(total(&store, &[10.0]).0, [0, 0]);
        total(&store, &[10.0]);
        let (used, _, stages, cells) = memory(&store);
        assert!(used < 20 && stages == 0 && cells == 0, "{used} words, {stages} stages, {cells} cells");
    }
}

/// More values than are kept as they are, and more than can wait, while somebody is putting them into buckets.
#[test]
fn nothing_is_dropped_while_values_are_put_into_buckets() {
    use crate::store::unplanned::MOST;

    let store = Store::new();
    let values = 3 * u64::from(MOST);
    std::thread::scope(|threads| {
        let (store, bound) = (&store, store.scope(|| SIZES.bind(("a",))));
        let departures = store.inner().lifecycle.departures();
        let recording: Vec<_> = [0, 1]
            .into_iter()
            .map(|thread| {
                threads.spawn(move || {
                    store.scope(|| {
                        for _ in 0..values {
                            if thread == 0 { SIZES.record(3.0, ("a",)) } else { bound.record(3.0) }
                        }
                    });
                })
            })
            .collect();
        // Until nothing goes on without it.
        while !store.inner().unplanned.is_full() || !store.inner().deferred.wait() {
            std::thread::yield_now();
        }
        (0..10).for_each(|_| std::thread::yield_now());
        drop(departures);
        recording.into_iter().for_each(|thread| thread.join().unwrap());
    });
    assert_eq!(total(&store, &[10.0]), (vec![2 * values, 0], 6.0 * values as f64));
}

#[test]
fn nothing_is_dropped_when_there_are_more_buckets_than_can_be_told_apart() {
    use crate::store::unplanned::MOST;

    let store = Store::new();
    let values = u64::from(MOST) + 100;
    store.scope(|| {
        // One of the first layouts is that of a summary.
        RESULTS.record(1.0, ("a",));
        RESULTS.record(1.0, ("b",));
        SIZES.record(1.0, ("early",));
    });
    store.inner().dictionary.use_up_layouts();
    let bound = store.scope(|| SIZES.bind(("late",)));
    store.scope(|| (0..values).for_each(|_| SIZES.record(3.0, ("early",))));
    (0..values).for_each(|_| bound.record(3.0));
    store.collect();
    // What comes later has buckets from the start, and what has some keeps them whatever is wanted.
    let _wanted = store.want_bounds("replace.sizes", &[5.5]).unwrap();
    store.scope(|| {
        (0..10).for_each(|n| WIDTHS.record(f64::from(n), (["a", "b"][n as usize % 2],)));
        SIZES.record(3.0, ("latest",));
        RESULTS.record(1.0, ("c",));
    });
    let mut all = Vec::new();
    store.read(|reading| {
        for family in reading.families() {
            family.each(|series| {
                let (what, count) = match series.value {
                    PointView::Histogram(buckets) => (buckets.bounds.len(), buckets.counts.iter().sum()),
                    PointView::Summary(summary) => (0, summary.count),
                    _ => panic!("{series:?}"),
                };
                all.push((family.definition().name(), what, count));
            });
        }
    });
    all.sort();
    let sizes = [(15, 1), (15, values), (15, values + 1)].map(|(what, count)| ("replace.sizes", what, count));
    let others = [("replace.widths", 14, 5), ("replace.widths", 14, 5)];
    let results = [("replace.results", 0, 1); 3];
    assert_eq!(all, results.into_iter().chain(sizes).chain(others).collect::<Vec<_>>());
}
