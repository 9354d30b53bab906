//! What ThreadSanitizer is told of the standard library, whose precompiled code it cannot see into.
//!
//! A lock that is taken at once is inlined and so seen. Where a thread has to wait, or a `OnceLock` is filled, code of the
//! library does it, and the order that it makes between threads would be missed: every value behind a lock would look
//! like a race. The linker puts these functions in front of those of the library (`--wrap`); each calls the real one and
//! says what it has ordered. `xtask/src/sanitizers.rs` finds the names and compiles this file.

#![crate_type = "lib"]

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::{BarrierWaitResult, OnceState};
use std::time::Duration;

unsafe extern "C" {
    fn __tsan_acquire(address: *const c_void);
    fn __tsan_release(address: *const c_void);
}

unsafe extern "Rust" {
    #[link_name = env!("REAL_MUTEX_LOCK")]
    safe fn mutex_lock(lock: *const c_void);
    #[link_name = env!("REAL_RWLOCK_READ")]
    safe fn rwlock_read(lock: *const c_void);
    #[link_name = env!("REAL_RWLOCK_WRITE")]
    safe fn rwlock_write(lock: *const c_void);
    #[link_name = env!("REAL_CONDVAR_WAIT")]
    safe fn condvar_wait(condvar: *const c_void, lock: *const c_void);
    #[link_name = env!("REAL_CONDVAR_WAIT_TIMEOUT")]
    safe fn condvar_wait_timeout(condvar: *const c_void, lock: *const c_void, timeout: Duration) -> bool;
    #[link_name = env!("REAL_BARRIER_WAIT")]
    safe fn barrier_wait(barrier: *const c_void) -> BarrierWaitResult;
    #[link_name = env!("REAL_SCOPED_THREAD_END")]
    safe fn scoped_thread_end(scope: *const c_void, panicked: bool);
    #[link_name = env!("REAL_ONCE_CALL")]
    #[track_caller]
    safe fn once_call(once: *const c_void, ignore_poison: bool, fill: &mut dyn FnMut(&OnceState));
}

/// What was released at this address before, by whichever thread, is before what this thread does next.
fn acquire(address: *const c_void) {
    // SAFETY: only the address is looked at.
    unsafe { __tsan_acquire(address) }
}

/// What this thread has done is before what follows an `acquire` of this address.
fn release(address: *const c_void) {
    // SAFETY: only the address is looked at.
    unsafe { __tsan_release(address) }
}

#[unsafe(export_name = env!("WRAP_MUTEX_LOCK"))]
fn ordered_mutex_lock(lock: *const c_void) {
    mutex_lock(lock);
    acquire(lock);
}

#[unsafe(export_name = env!("WRAP_RWLOCK_READ"))]
fn ordered_rwlock_read(lock: *const c_void) {
    rwlock_read(lock);
    acquire(lock);
}

#[unsafe(export_name = env!("WRAP_RWLOCK_WRITE"))]
fn ordered_rwlock_write(lock: *const c_void) {
    rwlock_write(lock);
    acquire(lock);
}

/// The lock is free while the thread waits.
#[unsafe(export_name = env!("WRAP_CONDVAR_WAIT"))]
fn ordered_condvar_wait(condvar: *const c_void, lock: *const c_void) {
    release(lock);
    condvar_wait(condvar, lock);
    acquire(lock);
}

#[unsafe(export_name = env!("WRAP_CONDVAR_WAIT_TIMEOUT"))]
fn ordered_condvar_wait_timeout(condvar: *const c_void, lock: *const c_void, timeout: Duration) -> bool {
    release(lock);
    let woken = condvar_wait_timeout(condvar, lock, timeout);
    acquire(lock);
    woken
}

#[unsafe(export_name = env!("WRAP_BARRIER_WAIT"))]
fn ordered_barrier_wait(barrier: *const c_void) -> BarrierWaitResult {
    release(barrier);
    let result = barrier_wait(barrier);
    acquire(barrier);
    result
}

/// Whoever opened the scope reads the number of threads in it, which is one of the three words there.
#[unsafe(export_name = env!("WRAP_SCOPED_THREAD_END"))]
fn ordered_scoped_thread_end(scope: *const c_void, panicked: bool) {
    for word in 0..3 {
        release(scope.wrapping_byte_add(8 * word));
    }
    scoped_thread_end(scope, panicked);
}

/// The release stands inside of `fill`: once the library has said that the value is there, others read it.
#[unsafe(export_name = env!("WRAP_ONCE_CALL"))]
#[track_caller]
fn ordered_once_call(once: *const c_void, ignore_poison: bool, fill: &mut dyn FnMut(&OnceState)) {
    once_call(once, ignore_poison, &mut |state| {
        fill(state);
        release(once);
    });
    acquire(once);
}

thread_local! {
    /// The counter from which this thread has last taken one.
    static COUNTED_DOWN: Cell<*const c_void> = const { Cell::new(ptr::null()) };
}

unsafe extern "C" {
    #[link_name = "__real___tsan_atomic64_fetch_sub"]
    fn fetch_sub(counter: *mut u64, amount: u64, order: i32) -> u64;
}

/// `Arc` counts down with `Release`, and whoever comes to zero follows it up with a fence. ThreadSanitizer knows no fences,
/// so what the fence orders is said here.
///
/// # Safety
///
/// Called by instrumented code alone, with a counter of its own.
#[unsafe(export_name = "__wrap___tsan_atomic64_fetch_sub")]
unsafe extern "C" fn ordered_fetch_sub(counter: *mut u64, amount: u64, order: i32) -> u64 {
    COUNTED_DOWN.set(counter.cast());
    // SAFETY: as the caller promises.
    unsafe { fetch_sub(counter, amount, order) }
}

#[unsafe(export_name = "__wrap___tsan_atomic_thread_fence")]
extern "C" fn ordered_fence(_order: i32) {
    let counter = COUNTED_DOWN.get();
    if !counter.is_null() {
        acquire(counter);
    }
}
