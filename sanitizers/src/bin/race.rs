//! Wrong on purpose: publishes a value with too weak an order. ThreadSanitizer must say so.

use std::cell::UnsafeCell;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

struct Published {
    value: UnsafeCell<u64>,
    there: AtomicBool,
}

// SAFETY: none, which is the point: `Relaxed` orders nothing.
unsafe impl Sync for Published {}

static PUBLISHED: Published = Published { value: UnsafeCell::new(0), there: AtomicBool::new(false) };

fn main() {
    let writer = thread::spawn(|| {
        // SAFETY: nobody reads before `there` is set. The store that sets it should be `Release`.
        unsafe { *PUBLISHED.value.get() = 7 };
        PUBLISHED.there.store(true, Relaxed);
    });
    while !PUBLISHED.there.load(Relaxed) {
        thread::yield_now();
    }
    // SAFETY: nobody writes once `there` is set. The load that saw it should be `Acquire`.
    println!("{}", unsafe { *PUBLISHED.value.get() });
    writer.join().unwrap();
}
