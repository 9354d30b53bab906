//! How often each value came.

use std::fmt;

use super::bound::BoundCounter;
use super::counter::Counter;
use crate::definition::Descriptor;
use crate::label::Label;
use crate::number::Number;

/// How often each value came: triggers by their kind, answers by their status. `N` is `u64`, `L` the tuple of its label
/// types, of which the first is that of the values; up to three others may follow. Declare it with
/// [`metrics!`](crate::metrics).
///
/// It is a [`Counter`] with these labels, here and for whoever reads it. Values that come from outside want a label type
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
///
/// With other labels beside the one whose values are counted:
///
/// ```
/// use metercast_core::{Store, metrics};
///
/// metrics! {
///     /// Runs of the executor, by what made it run and whose they are.
///     static TRIGGERS: Frequency<u64> = "executor.triggers" { labels: { trigger: &str, tenant: Option<&str> } };
/// }
///
/// let store = Store::new();
/// store.scope(|| TRIGGERS.record("manual", (Some("acme"),)));
/// let series = &store.collect()[0].series;
/// assert_eq!(series[0].labels.to_string(), r#"{tenant="acme",trigger="manual"}"#);
/// ```
pub struct Frequency<N: Number, L> {
    counter: Counter<N, L>,
}

impl<L> Frequency<u64, L> {
    #[doc(hidden)]
    pub const fn new(descriptor: &'static Descriptor) -> Self {
        Frequency { counter: Counter::new(descriptor) }
    }
}

impl<L: Label> Frequency<u64, (L,)> {
    /// Counts that `value` came once.
    #[inline]
    #[track_caller]
    pub fn record(&self, value: L::Value<'_>) {
        self.counter.add(1, (value,));
    }

    /// A handle to the count of `value` in the current store, which is there from now on; adding 1 to it is what
    /// [`record`](Frequency::record) does.
    pub fn bind(&'static self, value: L::Value<'_>) -> BoundCounter<u64> {
        self.counter.bind((value,))
    }
}

/// For each number of other labels.
macro_rules! with_others {
    ($($other:ident),+) => {
        impl<L: Label, $($other: Label),+> Frequency<u64, (L, $($other),+)> {
            /// Counts that `value` came once, with the other labels.
            #[inline]
            #[allow(non_snake_case, reason = "values are called as their types")]
            #[track_caller]
            pub fn record<'v>(&self, value: L::Value<'v>, ($($other,)+): ($($other::Value<'v>,)+)) {
                self.counter.add(1, (value, $($other),+));
            }

            /// A handle to the count of `value` with the other labels in the current store, which is there from now on.
            #[allow(non_snake_case, reason = "values are called as their types")]
            pub fn bind<'v>(
                &'static self,
                value: L::Value<'v>,
                ($($other,)+): ($($other::Value<'v>,)+),
            ) -> BoundCounter<u64> {
                self.counter.bind((value, $($other),+))
            }
        }
    };
}

with_others!(A);
with_others!(A, B);
with_others!(A, B, C);

impl<N: Number, L> fmt::Debug for Frequency<N, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frequency").field("of", &self.counter).finish()
    }
}
