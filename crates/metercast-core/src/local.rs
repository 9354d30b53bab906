//! What a thread knows: the store that its scope selects, and the region that it writes to.
//!
//! The hot path is here: a slot number, the region of this thread, one plain load and one plain store.

use std::cell::Cell;
use std::fmt;
use std::ptr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::{Arc, Mutex};

use crate::definition::Definition;
use crate::label::{Long, LongBuffer, ValueRef};
use crate::lock;
use crate::number::Number;
use crate::own;
use crate::store::barrier;
use crate::store::deferred::What;
use crate::store::dictionary::Sought;
use crate::store::exponential::{Exponential, Shape};
use crate::store::layout::Layout;
use crate::store::line::CellWord;
use crate::store::region::{EMPTY, Region};
use crate::store::{Found, GLOBAL, GaugeSlot, Inner, Store};

thread_local! {
    /// The region that this thread holds in the current store, or `EMPTY`. Without a destructor, so that it can
    /// be used in the destructors of other thread-locals.
    static REGION: Cell<*const Region> = const { Cell::new(&raw const EMPTY) };
    /// The current store.
    static STORE: Cell<*const Inner> = const { Cell::new(&raw const GLOBAL) };
    /// The number of the innermost scope that is open, `OUTSIDE` if there is none: then a region is held until the thread ends.
    static SCOPE: Cell<u64> = const { Cell::new(OUTSIDE) };
    /// The number of the newest scope.
    static NEWEST_SCOPE: Cell<u64> = const { Cell::new(OUTSIDE) };
    /// Whether this thread is just registering `AT_EXIT`.
    static REGISTERING: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread is where it takes locks and memory.
    static SLOW: Cell<bool> = const { Cell::new(false) };
    /// Returns the region when the thread ends.
    static AT_EXIT: AtExit = const { AtExit };
}

/// The number of no scope.
const OUTSIDE: u64 = 0;

struct AtExit;

impl Drop for AtExit {
    fn drop(&mut self) {
        // Scopes return what they leased; this is the region that was leased outside of all.
        if SCOPE.get() == OUTSIDE {
            give_back(REGION.replace(&raw const EMPTY));
        }
    }
}

fn give_back(region: *const Region) {
    if !ptr::eq(region, &raw const EMPTY) {
        // SAFETY: what REGION holds is leased to this thread, and its store is alive: it is the global one, or its
        // scope, which holds the store, has not ended.
        unsafe { &*region }.release();
    }
}

/// Adds to a word of this thread's region. Only this thread writes there, so that load and store need not be one step.
/// Release costs nothing on x86, and lets a reader that sees a down see the up before it.
#[inline(always)]
fn add_to<N: Number>(word: &AtomicU64, amount: N) {
    word.store(N::from_bits(word.load(Relaxed)).plus(amount).bits(), Release);
}

/// Adds to a fixed cell if this thread has it mapped.
#[inline(always)]
pub(crate) fn add_fixed<N: Number>(slot: u32, amount: N) -> bool {
    // SAFETY: REGION is `EMPTY` or leased to this thread in a store that is alive (see `give_back`).
    let chunk = unsafe { &*REGION.get() }.fixed_for_owner(slot);
    if chunk.is_null() {
        return false;
    }
    // SAFETY: mapped chunks live as long as their region.
    add_to(in_a_register(unsafe { &*chunk }.word(slot)), amount);
    true
}

/// The same reference, as an address in one register. Intel processors pass what was stored on to the next load of the same
/// word at no cost if the address is a register, and in five cycles if it is a sum; left alone, the compiler folds the
/// sum into the addition, and a counter in a loop takes five times as long.
#[inline(always)]
fn in_a_register(word: &AtomicU64) -> &AtomicU64 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let mut address = std::ptr::from_ref(word);
        // SAFETY: no instruction: the address stays what it is.
        #[allow(clippy::pointers_in_nomem_asm_block, reason = "what it points at is not looked at")]
        unsafe {
            std::arch::asm!("/* {0} */", inout(reg) address, options(pure, nomem, nostack, preserves_flags));
        }
        // SAFETY: what came in.
        unsafe { &*address }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    word
}

/// Adds to a fixed cell, mapping it first. `slot` is a real one.
pub(crate) fn map_and_add_fixed<N: Number>(slot: u32, amount: N) {
    with_region(|region| {
        let is_watched = || with_store(Inner::is_watched);
        // SAFETY: `with_region` gives a region that this thread holds, and real slots are not in chunk 0.
        add_to(unsafe { region.map_fixed(slot, is_watched) }.word(slot), amount);
    });
}

/// Adds to a cell of a dynamic series that is held, so that it stays what it is.
#[inline(always)]
pub(crate) fn add_held<N: Number>(slot: u32, amount: N) {
    with_region(|region| {
        if !add_series(region, slot, amount) {
            map_series(region, slot);
            add_series(region, slot, amount);
        }
    });
}

/// Records into the histogram of a line that is held.
#[inline(always)]
pub(crate) fn record_held(number: u32, definition: &'static Definition, value: f64) {
    let region = REGION.get();
    if !ptr::eq(region, &raw const EMPTY) {
        // SAFETY: REGION is leased to this thread in a store that is alive (see `give_back`), which is the current one.
        let (store, region) = unsafe { (&*STORE.get(), &*region) };
        if record_at_first_lines(store, region, number, value) {
            return;
        }
    }
    record_held_elsewhere(number, definition, value);
}

/// [`record_at_line`] where each of the things that it needs is among the first of its kind, as nearly always; if not, nothing
/// is done. There is no call in it, so that whoever records has nothing to put aside.
#[inline(always)]
fn record_at_first_lines(store: &Inner, region: &Region, number: u32, value: f64) -> bool {
    look_and_write(region, || {
        let Some(line) = store.dictionary.line_among_first(number) else { return false };
        let cell = line.cell();
        let Some(chunk) = region.series_among_first(cell.slot()) else { return false };
        let Some(layout) = store.dictionary.layout_among_first(cell) else { return false };
        layout.record_usual(chunk, cell.slot(), value)
    })
}

/// The same wherever they are.
#[inline(never)]
fn record_held_elsewhere(number: u32, definition: &'static Definition, value: f64) {
    with_region(|region| {
        with_store(|store| {
            if !record_at_line(store, region, number, value) {
                record_held_slow(store, region, (number, definition), value);
            }
        });
    });
}

/// Records into the cell that the series of a line has just now, which does not become another's before that is done.
#[inline(always)]
fn record_at_line(store: &Inner, region: &Region, number: u32, value: f64) -> bool {
    look_and_write(region, || {
        let Some(line) = store.dictionary.line(number) else { return false };
        let cell = line.cell();
        let Some(chunk) = region.series(cell.slot()) else { return false };
        store.dictionary.layout(cell).record(chunk, cell.slot(), value)
    })
}

#[cold]
#[inline(never)]
fn record_held_slow(
    store: &Inner,
    region: &Region,
    (number, definition): (u32, &'static Definition),
    value: f64,
) {
    // Its cell would have to change each time in between.
    let mut looks = 0;
    while looks < 64 {
        looks += 1;
        let Some(cell) = store.dictionary.line(number).map(|line| line.cell()) else { break };
        if !matches!(store.dictionary.layout(cell), Layout::Unplanned) {
            map_series(region, cell.slot());
        } else if store.unplanned.push(number, value) {
            return;
        } else {
            match slowly(|| store.give_buckets(definition, number, cell)) {
                Some(true) => {}
                // Waiting is not looking.
                Some(false) if store.will_be_free() => looks -= 1,
                _ => break,
            }
        }
        if record_at_line(store, region, number, value) {
            return;
        }
    }
    own::unable();
}

/// Records into a histogram that has buckets, of a store that need not be the current one.
pub(crate) fn record_in(store: &Inner, number: u32, value: f64) {
    let record = |region: &Region| {
        if !record_at_line(store, region, number, value)
            && let Some(line) = store.dictionary.line(number)
        {
            map_series(region, line.cell().slot());
            record_at_line(store, region, number, value);
        }
    };
    if with_store(|current| ptr::eq(current, store)) {
        return with_region(record);
    }
    let (region, _) = store.regions.lease(false);
    record(Lease(region).0);
}

/// Adds to a cell of a dynamic series of a store that need not be the current one.
pub(crate) fn add_in<N: Number>(store: &Inner, slot: u32, amount: N) {
    let (region, _) = store.regions.lease(false);
    let region = Lease(region);
    map_series(region.0, slot);
    add_series(region.0, slot, amount);
}

/// Adds to an exponential cell of a dynamic series of a store that need not be the current one.
pub(crate) fn merge_in(store: &Inner, slot: u32, shape: Shape, other: &Exponential) {
    let (region, _) = store.regions.lease(false);
    let region = Lease(region);
    map_series(region.0, slot);
    if let Some(chunk) = region.0.series(slot) {
        region.0.at_once(|| shape.add(chunk.words(slot, shape.words()), other));
    }
}

/// Adds to a cell of a dynamic series; false if the region does not have its chunk yet.
#[inline(always)]
pub(crate) fn add_series<N: Number>(region: &Region, slot: u32, amount: N) -> bool {
    let Some(chunk) = region.series(slot) else { return false };
    add_to(chunk.word(slot), amount);
    true
}

/// Counts `value` in its bucket and adds it to the sum, so that a reader sees both or none; false if the region does not have
/// the chunk yet, or the series no buckets.
#[inline(always)]
pub(crate) fn record_series(region: &Region, slot: u32, layout: &'static Layout, value: f64) -> bool {
    let Some(chunk) = region.series(slot) else { return false };
    region.at_once(|| layout.record(chunk, slot, value))
}

/// Looks at a line and writes to its cell, as one operation.
#[inline(always)]
fn look_and_write(region: &Region, write: impl FnOnce() -> bool) -> bool {
    region.at_once(|| {
        // As in `Region::begin`: the line is looked at after that can be seen.
        barrier::light();
        write()
    })
}

/// Gives a region the chunk of a dynamic slot.
#[cold]
pub(crate) fn map_series(region: &Region, slot: u32) {
    // SAFETY: regions are handed out by `with_region` and `write_at`, to the thread that holds them.
    unsafe { region.map_series(slot) };
}

/// What is to be done at a series. A trait, not a closure, because closures cannot be made to be inlined.
pub(crate) trait Write {
    /// Does it; false if the region, or the store for gauges, does not have the chunk yet.
    fn write(&self, store: &Inner, region: &Region, cell: CellWord) -> bool;

    /// Does it where more is known of the series.
    fn write_at(&self, found: &Found<'_>) -> bool {
        self.write(found.store, found.region, found.cell)
    }

    /// Does it at the gauge without labels, which has a place of its own in the store; nothing else has.
    fn write_fixed_gauge(&self, _store: &Inner, _slot: u32) {}

    /// What is measured, if that can be an exemplar.
    fn measured(&self) -> Option<f64> {
        None
    }

    /// What is to be done, for another thread to do it; `None` if this thread cannot go on without.
    fn later(&self) -> Option<What>;
}

/// Runs `f`, which may take locks and memory, unless this thread is in the middle of that already: then it would wait for
/// itself. That is so when the program's allocator records.
pub(crate) fn slowly<R>(f: impl FnOnce() -> R) -> Option<R> {
    struct Before;
    impl Drop for Before {
        fn drop(&mut self) {
            SLOW.set(false);
        }
    }
    if SLOW.replace(true) {
        return None;
    }
    let _before = Before;
    Some(f())
}

/// Whether this thread is in the middle of something [`slow`](slowly).
pub(crate) fn is_slow() -> bool {
    SLOW.get()
}

/// Runs `f`, which records for ourselves where we hold nothing that it could wait for.
pub(crate) fn for_ourselves<R>(f: impl FnOnce() -> R) -> R {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            SLOW.set(self.0);
        }
    }
    let _before = Before(SLOW.replace(false));
    f()
}

/// Writes at the series with these labels, if it is there and this thread holds a region.
#[inline(always)]
pub(crate) fn write_at(labels: &impl Sought, write: &(impl Write + ?Sized)) -> bool {
    let region = REGION.get();
    if ptr::eq(region, &raw const EMPTY) {
        return false;
    }
    // SAFETY: REGION is leased to this thread in a store that is alive (see `give_back`), which is the current one.
    let (store, region) = unsafe { (&*STORE.get(), &*region) };
    if !store.is_plain() {
        return false;
    }
    let begun = region.begin();
    let done = match labels.cell_in(&store.dictionary) {
        Some(cell) => write.write(store, region, cell),
        None => false,
    };
    region.end(begun);
    done
}

/// The same for labels that are not packed.
#[inline(always)]
pub(crate) fn write_at_long<'a>(
    shape: u32,
    values: impl Iterator<Item = &'a ValueRef<'a>>,
    write: &dyn Write,
) -> bool {
    Long::of(&LongBuffer::new(), shape, values).is_some_and(|long| write_at(&long, write))
}

/// Sets a fixed gauge of the current store if it is mapped.
#[inline]
pub(crate) fn set_fixed_gauge(slot: u32, bits: u64) -> bool {
    with_store(|store| store.set_gauge(GaugeSlot::Fixed(slot), bits))
}

/// Runs `f` with the current store.
#[inline(always)]
pub(crate) fn with_store<R>(f: impl FnOnce(&Inner) -> R) -> R {
    // SAFETY: STORE is the global store or that of the innermost scope, which holds it until the scope ends.
    f(unsafe { &*STORE.get() })
}

/// Whether the current store takes recordings.
#[inline(always)]
pub(crate) fn is_enabled() -> bool {
    with_store(Inner::is_enabled)
}

/// The current store, unless it is the global one.
pub(crate) fn current() -> Option<Arc<Inner>> {
    let store = STORE.get();
    if ptr::eq(store, &raw const GLOBAL) {
        return None;
    }
    // SAFETY: `within` put it here from `Arc::as_ptr` (the only other `Inner` is GLOBAL), and the `Arc` lives until
    // the scope ends, and we are in the scope.
    unsafe {
        Arc::increment_strong_count(store);
        Some(Arc::from_raw(store))
    }
}

/// Runs `f` with a region that this thread alone writes to.
#[inline(always)]
pub(crate) fn with_region<R>(f: impl FnOnce(&Region) -> R) -> R {
    let region = REGION.get();
    if ptr::eq(region, &raw const EMPTY) {
        return with_leased_region(f);
    }
    // SAFETY: REGION is leased to this thread in a store that is alive (see `give_back`).
    f(unsafe { &*region })
}

#[cold]
fn with_leased_region<R>(f: impl FnOnce(&Region) -> R) -> R {
    // A lease that lasts ends with the scope, or with the thread. The guard that ends it is registered first; while
    // the thread's destructors run it cannot be any more, and each operation leases for itself.
    let may_last = SCOPE.get() != OUTSIDE || will_see_the_end();
    with_store(|store| {
        store.started();
        let (region, lasts) = store.regions.lease(may_last);
        if lasts {
            REGION.set(region);
            return f(region);
        }
        f(Lease(region).0)
    })
}

/// Whether something can be done when this thread ends, because its destructors do not run yet.
pub(crate) fn will_see_the_end() -> bool {
    // Registering takes memory, so an allocator that records comes here again: it leases for its operation.
    if REGISTERING.replace(true) {
        return false;
    }
    let is_registered = AT_EXIT.try_with(|_| ()).is_ok();
    REGISTERING.set(false);
    is_registered
}

/// A region for one operation.
struct Lease<'a>(&'a Region);

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// Runs `f` with `store` as the current one. Restores what was before even if `f` panics.
pub(crate) fn within<R>(store: &Store, f: impl FnOnce() -> R) -> R {
    struct Closure(Before);
    impl Drop for Closure {
        fn drop(&mut self) {
            // What was opened inside and is still open ends here too.
            self.0.restore();
        }
    }
    if ptr::eq(STORE.get(), store.as_ptr()) {
        return f();
    }
    let _closure = Closure(Before::open(store));
    f()
}

/// What was current before a scope.
struct Before {
    scope: u64,
    store: *const Inner,
    region: *const Region,
}

impl Before {
    /// Opens a scope of `store`, which lives until it has ended.
    fn open(store: &Store) -> Before {
        let newest = NEWEST_SCOPE.get() + 1;
        NEWEST_SCOPE.set(newest);
        Before {
            scope: SCOPE.replace(newest),
            store: STORE.replace(store.as_ptr()),
            region: REGION.replace(&raw const EMPTY),
        }
    }

    fn restore(&self) {
        SCOPE.set(self.scope);
        STORE.set(self.store);
        give_back(REGION.replace(self.region));
    }
}

/// A scope that is open until this is dropped; made by [`Store::enter`].
pub struct Entered {
    scope: u64,
    before: Before,
    /// Taken when it ends.
    store: Option<Store>,
}

impl Entered {
    pub(crate) fn into(store: &Store) -> Entered {
        let before = Before::open(store);
        Entered { scope: SCOPE.get(), before, store: Some(store.clone()) }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if SCOPE.get() == self.scope {
            // What was current before is still open: whatever was opened before and ends takes this scope with it, or, if it is
            // one of these, keeps its store.
            self.before.restore();
        } else {
            // The scope of somebody else, opened in this one, may come back to this store.
            if let Some(store) = self.store.take() {
                keep(store);
            }
        }
    }
}

/// Keeps a store for ever.
fn keep(store: Store) {
    static KEPT: Mutex<Vec<Store>> = Mutex::new(Vec::new());
    match lock::patiently(&KEPT) {
        Some(kept) if kept.iter().any(|kept| kept.is(&store)) => {}
        Some(mut kept) => kept.push(store),
        None => std::mem::forget(store),
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").field("store", &self.store).finish_non_exhaustive()
    }
}
