//! The lock that makes metrics and keys, which a program that records does not wait for without end.

use std::cell::Cell;
use std::sync::{Mutex, TryLockError};
use std::time::{Duration, Instant};

thread_local! {
    static HELD: Cell<bool> = const { Cell::new(false) };
}

/// Enough for a holder that was preempted to run again, and to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs `f` under the lock; `None` if this thread is in there already, as when the program's allocator records, or if whoever
/// holds it is gone, as after a fork.
pub(crate) fn within<R>(mutex: &Mutex<()>, f: impl FnOnce() -> R) -> Option<R> {
    struct Before;
    impl Drop for Before {
        fn drop(&mut self) {
            HELD.set(false);
        }
    }
    if HELD.replace(true) {
        return None;
    }
    let _before = Before;
    let begun = Instant::now();
    let _guard = loop {
        match mutex.try_lock() {
            Ok(guard) => break guard,
            Err(TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => std::thread::yield_now(),
            Err(TryLockError::WouldBlock) => return None,
        }
    };
    Some(f())
}
