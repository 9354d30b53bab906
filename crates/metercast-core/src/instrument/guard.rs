//! One that is taken away again when it ends.

use std::fmt;

use crate::held::Held;
use crate::number::NumberType;
use crate::store::Store;

/// Holds an up-down counter up by one; made by [`UpDownCounter::guard`](crate::UpDownCounter::guard).
///
/// It remembers the store and the series that it went up in, so it may be moved into a task or another thread, may
/// be dropped in another scope, and may outlive every exporter.
#[must_use = "dropping the guard takes the one away again at once"]
pub struct Guard {
    held: Held,
    number: NumberType,
    store: Store,
}

impl Guard {
    pub(crate) fn up(held: Held, number: NumberType) -> Guard {
        let guard = Guard { held, number, store: Store::current() };
        guard.add(0);
        guard
    }

    fn add(&self, word: u32) {
        match self.number {
            NumberType::F64 => self.held.add(word, 1.0f64),
            NumberType::I64 | NumberType::U64 => self.held.add(word, 1u64),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.store.scope(|| {
            self.add(1);
            self.held.let_go();
        });
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("store", &self.store).finish_non_exhaustive()
    }
}
