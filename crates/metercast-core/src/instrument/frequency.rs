//! How often each value came.

use std::fmt;

use super::bound::BoundCounter;
use super::counter::Counter;
use crate::definition::Descriptor;
use crate::label::Label;
use crate::number::Number;

/// How often each value came: triggers by their kind, answers by their status. `N` is `u64`, `L` the type of its one
/// label; declare it with [`metrics!`](crate::metrics).
///
/// It is a [`Counter`] with that label, here and for whoever reads it. Values that come from outside want a label type
/// with a fallback, see [`labels!`](crate::labels): each value that is let through is a series.
///
/// ```
/// use metercast_core::{Store, labels, metrics, reading::Point};
///
/// labels! {
///     /// What made the executor run.
///     one_of Trigger { "manual", "timer" } else "other"
/// }
/// metrics! {
///     /// Runs of the executor, by what made it run.
///     static TRIGGERS: Frequency<u64> = "executor.triggers" { labels: { trigger: Trigger } };
/// }
///
/// let store = Store::new();
/// store.scope(|| {
///     TRIGGERS.record("manual");
///     TRIGGERS.record("timer");
///     TRIGGERS.record("manual");
///     TRIGGERS.record("'; drop table");
/// });
/// let counts: Vec<_> = store.collect()[0]
///     .series
///     .iter()
///     .map(|series| (series.labels.to_string(), series.point.clone()))
///     .collect();
/// assert_eq!(
///     counts,
///     [
///         (r#"{trigger="manual"}"#.to_owned(), Point::U64(2)),
///         (r#"{trigger="other"}"#.to_owned(), Point::U64(1)),
///         (r#"{trigger="timer"}"#.to_owned(), Point::U64(1)),
///     ]
/// );
/// ```
pub struct Frequency<N: Number, L> {
    counter: Counter<N, (L,)>,
}

impl<L: Label> Frequency<u64, L> {
    #[doc(hidden)]
    pub const fn new(descriptor: &'static Descriptor) -> Self {
        Frequency { counter: Counter::new(descriptor) }
    }

    /// Counts that `value` came once.
    #[inline]
    pub fn record(&self, value: L::Value<'_>) {
        self.counter.add(1, (value,));
    }

    /// A handle to the count of `value` in the current store, which is there from now on; adding 1 to it is what
    /// [`record`](Frequency::record) does.
    pub fn bind(&'static self, value: L::Value<'_>) -> BoundCounter<u64> {
        self.counter.bind((value,))
    }
}

impl<N: Number, L> fmt::Debug for Frequency<N, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frequency").field("of", &self.counter).finish()
    }
}
