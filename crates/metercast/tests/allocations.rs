//! What a page costs in memory: nothing for each series.

mod heap;

use metercast::{Format, Log, PageFormat, PrometheusPage, Store, f64_histogram, u64_counter};

/// How often memory is asked for by the second page, in text or protobuf, of what is recorded so often.
fn of_second_page(record: impl Fn(u64)) -> usize {
    const SERIES: u64 = 10_000;
    let store = Store::new();
    store.set_limits(u32::MAX, u32::MAX);
    store.scope(|| (0..SERIES).for_each(record));
    let page = PrometheusPage::new("test", Log::to(|_, _| {}));
    assert!(page.render(&store).lines().count() as u64 > SERIES);
    let before = heap::allocations();
    page.write(&store, &mut |_| {});
    let of_text = heap::allocations() - before;
    let protobuf = PageFormat { format: Format::Protobuf, ..PageFormat::default() };
    page.write_as(&store, protobuf, &mut |_| {});
    let before = heap::allocations();
    page.write_as(&store, protobuf, &mut |_| {});
    of_text.max(heap::allocations() - before)
}

#[test]
fn a_series_of_a_counter_costs_no_allocation() {
    let of = of_second_page(|at| {
        u64_counter!("counted", "", 1, "route" => format!("/{at}"), "status" => at % 7, "ok" => at % 2 == 0);
    });
    assert!(of < 100, "{of}");
}

#[test]
fn a_series_of_a_histogram_costs_no_allocation() {
    let of = of_second_page(
        |at| f64_histogram!("timed", "", 0.3, "route" => format!("/{at}"), "status" => at % 7),
    );
    assert!(of < 100, "{of}");
}

#[test]
fn series_that_might_be_spelled_alike_cost_no_allocation_either() {
    let of = of_second_page(|at| {
        let error = (at % 3 == 0).then_some("timeout");
        u64_counter!("mixed", "", 1, "route" => format!("\"{at}\""), "error" => error);
    });
    assert!(of < 100, "{of}");
}

#[test]
fn long_labels_cost_no_allocation() {
    let of = of_second_page(|at| u64_counter!("long", "", 1, "route" => format!("{at:060}")));
    assert!(of < 100, "{of}");
}
