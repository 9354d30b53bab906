//! A reader whose readings stay in the process: for tests, and for programs that look at their own metrics.

use metercast_core::Store;

use crate::snapshot::Snapshot;

/// Reads a store on demand. It needs no start, and disturbs no other reader.
///
/// ```
/// use metercast::{InMemoryReader, Store, snapshot::Point, u64_counter};
///
/// let store = Store::new();
/// store.scope(|| u64_counter!("orders", "Orders placed", 2, "side" => "buy"));
///
/// let snapshot = InMemoryReader::new(store).collect();
/// let orders = snapshot.family("orders").unwrap();
/// assert_eq!(orders.series[0].labels.to_string(), "{side=\"buy\"}");
/// assert_eq!(orders.series[0].point, Point::U64(2));
/// ```
#[derive(Clone, Debug)]
pub struct InMemoryReader {
    store: Store,
}

impl InMemoryReader {
    /// A reader of `store`.
    pub fn new(store: Store) -> InMemoryReader {
        InMemoryReader { store }
    }

    /// Everything that was recorded until now, cumulatively.
    pub fn collect(&self) -> Snapshot {
        Snapshot::of(&self.store)
    }
}
