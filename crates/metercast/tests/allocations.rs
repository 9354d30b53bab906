//! What a page costs in memory: nothing for each series.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use metercast::{Format, Log, PageFormat, PrometheusPage, Store, f64_histogram, u64_counter};

struct Counting;

thread_local! {
    // One per thread, so that tests do not count each other; without a destructor, so that it is always there.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: it hands everything to the system's allocator, and counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as the caller says.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often memory is asked for by the second page, in text or protobuf, of what is recorded so often.
fn of_second_page(record: impl Fn(u64)) -> u64 {
    const SERIES: u64 = 10_000;
    let store = Store::new();
    store.set_limits(u32::MAX, u32::MAX);
    store.scope(|| (0..SERIES).for_each(record));
    let page = PrometheusPage::new("test", Log::to(|_, _| {}));
    assert!(page.render(&store).lines().count() as u64 > SERIES);
    let before = ALLOCATIONS.get();
    page.write(&store, &mut |_| {});
    let of_text = ALLOCATIONS.get() - before;
    let protobuf = PageFormat { format: Format::Protobuf, ..PageFormat::default() };
    page.write_as(&store, protobuf, &mut |_| {});
    let before = ALLOCATIONS.get();
    page.write_as(&store, protobuf, &mut |_| {});
    of_text.max(ALLOCATIONS.get() - before)
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
