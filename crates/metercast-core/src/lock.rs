//! Locks as recording threads take them: they do not wait for long, because whoever holds the lock may not be running, or,
//! after a fork, may not be there at all.

use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult};
use std::time::{Duration, Instant};

/// The lock, if it is free or will be in a moment.
pub(crate) fn soon<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    retried(None, || mutex.try_lock())
}

/// The lock, unless it is held for very long. For what has no other way.
pub(crate) fn patiently<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    retried(Some(PATIENCE), || mutex.try_lock())
}

/// [`patiently`], to read.
pub(crate) fn read<T>(lock: &RwLock<T>) -> Option<RwLockReadGuard<'_, T>> {
    retried(Some(PATIENCE), || lock.try_read())
}

/// [`patiently`], to write.
pub(crate) fn write<T>(lock: &RwLock<T>) -> Option<RwLockWriteGuard<'_, T>> {
    retried(Some(PATIENCE), || lock.try_write())
}

/// Less than a microsecond: longer than a lock is held by a thread that runs and makes a series.
const SPINS: u32 = 100;

/// Enough for a holder that was preempted to run again, and to end.
const PATIENCE: Duration = Duration::from_secs(1);

fn retried<G>(patience: Option<Duration>, mut attempt: impl FnMut() -> TryLockResult<G>) -> Option<G> {
    let mut since = None;
    for round in 0u32.. {
        match attempt() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if round < SPINS => std::hint::spin_loop(),
            Err(TryLockError::WouldBlock) => {
                if since.get_or_insert_with(Instant::now).elapsed() >= patience? {
                    return None;
                }
                std::thread::yield_now();
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_held_is_given_up_and_one_that_is_free_is_taken() {
        let mutex = Mutex::new(1);
        let held = soon(&mutex).unwrap();
        assert!(soon(&mutex).is_none());
        drop(held);
        assert_eq!(*patiently(&mutex).unwrap(), 1);
        let lock = RwLock::new(2);
        let reading = read(&lock).unwrap();
        assert_eq!(*read(&lock).unwrap(), 2);
        drop(reading);
        *write(&lock).unwrap() = 3;
        assert_eq!(*read(&lock).unwrap(), 3);
    }

    #[test]
    fn a_thread_that_panicked_with_the_lock_keeps_nobody_out() {
        let mutex = Mutex::new(1);
        let panicked = std::thread::scope(|threads| {
            threads
                .spawn(|| {
                    let _held = mutex.lock().unwrap();
                    panic!("with the lock");
                })
                .join()
        });
        assert!(panicked.is_err() && soon(&mutex).is_some());
    }
}
