//! A global allocator that counts: what is live in the process, and how often a thread asked for memory.

// Each test binary takes its part.
#![allow(dead_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::AtomicIsize;
use std::sync::atomic::Ordering::Relaxed;

/// Hands everything on to the system, and counts.
struct Counting;

#[global_allocator]
static HEAP: Counting = Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

thread_local! {
    // Without a destructor, so that it is there for as long as the thread.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn took(bytes: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    LIVE.fetch_add(bytes as isize, Relaxed);
}

fn gave_back(bytes: usize) {
    LIVE.fetch_sub(bytes as isize, Relaxed);
}

// SAFETY: every method hands its arguments to `System` unchanged, and counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller keeps the promises of `alloc`, which are the same there.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        gave_back(layout.size());
        took(size);
        // SAFETY: as above; `block` came from `System`, since all blocks do.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        gave_back(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Bytes that are live, of all threads, as asked of the global allocator. The cells of the engine come from the system.
pub(crate) fn live() -> isize {
    LIVE.load(Relaxed)
}

/// Bytes that are live as the C library knows them, whoever asked; `None` where it cannot be known, as under a sanitizer, which
/// brings a heap of its own. What the library keeps for threads counts as live, so that a few kibibytes say nothing.
pub(crate) fn system() -> Option<isize> {
    static KNOWS: OnceLock<bool> = OnceLock::new();
    let knows = || {
        let before = in_use()?;
        let large = vec![0u8; 1 << 16];
        let grown = in_use()? - before;
        Some(grown >= large.len() as isize)
    };
    if *KNOWS.get_or_init(|| knows() == Some(true)) { in_use() } else { None }
}

#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
fn in_use() -> Option<isize> {
    /// `struct mallinfo2` of the GNU C library: ten sizes, of which the fifth is what is in mappings, and the eighth what is in
    /// use elsewhere.
    #[repr(C)]
    struct Information([usize; 10]);
    unsafe extern "C" {
        fn mallinfo2() -> Information;
    }
    // SAFETY: it takes nothing, returns a plain value and may be called on any thread.
    let Information(sizes) = unsafe { mallinfo2() };
    Some((sizes[4] + sizes[7]) as isize)
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64")))]
fn in_use() -> Option<isize> {
    None
}

/// By how much what is live grows while `f` runs: as asked of the global allocator, and in all.
pub(crate) fn growth(f: impl FnOnce()) -> (isize, isize) {
    let (before, system_before) = (live(), system());
    f();
    let in_all = system_before.and_then(|before| Some(system()? - before));
    (live() - before, in_all.unwrap_or(0))
}

/// How often this thread asked for memory while `f` ran.
pub(crate) fn allocations(f: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    f();
    ALLOCATIONS.get() - before
}
