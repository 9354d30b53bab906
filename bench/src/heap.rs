//! What the heap holds, and how often it is asked.
//!
//! An engine may take its memory from the system and not from the global allocator, so live memory is what the C
//! library says of itself plus the resident pages of mappings; allocations are counted at the global allocator only.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Hands everything on to the system, and counts.
struct Counting;

#[global_allocator]
static HEAP: Counting = Counting;

thread_local! {
    // One per thread, so that counting costs next to nothing; without a destructor, so that it is always there.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[inline]
fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: every method hands its arguments to `System` unchanged, and counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the promises of `alloc`, which are the same there.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above; `block` came from `System`, since all blocks do.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

/// How often this thread asked for memory while `f` ran.
pub(crate) fn allocations(f: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    f();
    ALLOCATIONS.get() - before
}

/// Bytes in use on the heap, plus resident bytes of what is mapped beside it; `None` where it cannot be known.
/// Heaps of other threads would be counted twice, so only one thread may have allocated much.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn live() -> Option<u64> {
    // SAFETY: `mallinfo2` takes nothing, returns a plain value and may be called on any thread.
    let heap = unsafe { libc::mallinfo2() }.uordblks as u64;
    Some(heap + mapped(&std::fs::read_to_string("/proc/self/smaps").ok()?))
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn live() -> Option<u64> {
    None
}

/// Resident bytes of private pages, without those of the heap and the stack: mappings, and the program's own statics
/// that were written to.
#[cfg_attr(not(all(target_os = "linux", target_env = "gnu")), allow(dead_code))]
fn mapped(smaps: &str) -> u64 {
    let mut counts = false;
    let mut bytes = 0;
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("Anonymous:") if counts => {
                let kilobytes = words.next().and_then(|number| number.parse::<u64>().ok());
                bytes += kilobytes.unwrap_or_default() * 1024;
            }
            Some(first) if !first.ends_with(':') => {
                counts = !line.ends_with("[heap]") && !line.ends_with("[stack]");
            }
            _ => {}
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_are_counted() {
        let mut kept = Vec::new();
        assert!(allocations(|| kept = vec![1u64; 100]) >= 1);
        assert_eq!(kept.len(), 100);
    }

    #[test]
    fn mappings_count_and_the_heap_does_not() {
        let smaps = "7f00-7f01 rw-p 0 00:00 0\nSize: 8 kB\nAnonymous: 4 kB\n\
                     5500-5501 rw-p 0 00:00 0   [heap]\nAnonymous: 100 kB\n\
                     5600-5601 rw-p 0 08:01 7   a/program\nAnonymous: 8 kB\n";
        assert_eq!(mapped(smaps), 12 * 1024);
    }
}
