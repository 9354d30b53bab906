//! A program whose allocator counts what it hands out: nothing is lost, and nobody waits for itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use metercast_core::reading::Point;
use metercast_core::{Store, labels, metrics};

labels! { enum Size { Small, Large } }
metrics! {
    /// Allocations.
    static ALLOCATIONS: Counter<u64> = "allocations";
    /// Memory in use.
    static IN_USE: UpDownCounter<i64> = "memory.in_use" { unit: "By" };
    /// Allocations by their size.
    static BY_SIZE: Counter<u64> = "allocations.by_size" { labels: { size: Size } };
    /// What the program does meanwhile.
    static ORDERS: Counter<u64> = "orders" { labels: { tenant: &str } };
}

struct Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

// SAFETY: it hands everything to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Relaxed);
        BYTES.fetch_add(layout.size() as u64, Relaxed);
        ALLOCATIONS.add(1);
        IN_USE.add(layout.size() as i64);
        BY_SIZE.add(1, (if layout.size() < 1024 { Size::Small } else { Size::Large },));
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size() as u64, Relaxed);
        IN_USE.add(-(layout.size() as i64));
        // SAFETY: as the caller says.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn read(name: &str) -> Vec<u64> {
    let families = Store::global().collect();
    let family = families.iter().find(|family| family.definition.name() == name);
    let value = |point: &Point| match *point {
        Point::U64(value) => value,
        Point::I64(value) => value as u64,
        _ => panic!("{point:?}"),
    };
    family.map(|family| family.series.iter().map(|series| value(&series.point)).collect()).unwrap_or_default()
}

/// What was counted while nothing else runs: reading allocates, so the truth is taken before and after.
fn between(name: &str, truth: &AtomicU64) -> (u64, u64, u64) {
    let before = truth.load(Relaxed);
    let counted = read(name)[0];
    (before, counted, truth.load(Relaxed))
}

#[test]
fn every_allocation_is_counted_from_the_first_on() {
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            std::thread::spawn(move || {
                for n in 0..500 {
                    ORDERS.add(1, (&format!("tenant {thread} {}", n % 50),));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    // What was counted early arrives with a reading.
    read("allocations");
    let (before, counted, after) = between("allocations", &COUNT);
    assert!((before..=after).contains(&counted), "{counted} of {before} to {after} allocations");
    let orders: u64 = read("orders").iter().sum();
    assert_eq!(orders, 4000);
    // By size, what an allocation within our own work recorded with labels may be out of reach, which is counted.
    let by_size: u64 = read("allocations.by_size").iter().sum();
    let dropped: u64 = read("metercast.recordings.dropped").iter().sum();
    let count = COUNT.load(Relaxed);
    assert!(by_size + dropped + 1000 > counted && by_size <= count, "{by_size} + {dropped} of {count}");
}
