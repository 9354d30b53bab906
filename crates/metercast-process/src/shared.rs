//! One reading for several metrics: whoever comes first in a reading of the store reads, and the others take what is there.

use std::sync::{Mutex, PoisonError};

/// What several callbacks take their values from. Each of them has a number, below 64.
pub(crate) struct Shared<T> {
    read: Box<dyn Fn() -> Option<T> + Send + Sync>,
    last: Mutex<Last<T>>,
}

struct Last<T> {
    value: Option<T>,
    /// Who has taken it, one bit each. Every callback is run once in a reading of the store: who comes again is in another.
    taken: u64,
}

impl<T: Clone> Shared<T> {
    pub(crate) fn new(read: impl Fn() -> Option<T> + Send + Sync + 'static) -> Shared<T> {
        Shared { read: Box::new(read), last: Mutex::new(Last { value: None, taken: u64::MAX }) }
    }

    /// What is there in this reading of the store, to the callback of that number.
    pub(crate) fn read(&self, callback: usize) -> Option<T> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let bit = 1 << callback;
        if last.taken & bit != 0 {
            *last = Last { value: (self.read)(), taken: 0 };
        }
        last.taken |= bit;
        last.value.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    #[test]
    fn it_is_read_once_for_all_who_ask_and_again_when_one_asks_again() {
        let times = AtomicUsize::new(0);
        let shared = Shared::new(move || Some(times.fetch_add(1, Relaxed)));
        assert_eq!([0, 1, 63].map(|callback| shared.read(callback)), [Some(0); 3]);
        // One of them is late, and comes in the next reading.
        assert_eq!([1, 0, 2, 63].map(|callback| shared.read(callback)), [Some(1); 4]);
        assert_eq!(shared.read(2), Some(2));
    }
}
