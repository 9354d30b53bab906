//! A total that only grows.

use std::fmt;
use std::marker::PhantomData;

use super::bound::BoundCounter;
use crate::definition::{Descriptor, Kind};
use crate::label::{Labels, Typed, ValueRef};
use crate::local;
use crate::number::Number;
use crate::own::{self, Reason};
use crate::registry::is_fixed;
use crate::site::{FixedAt, Site};

/// A total that only grows: orders placed, bytes sent, seconds worked. `N` is `u64` or `f64`, `L` the tuple of its
/// label types; declare it with [`metrics!`](crate::metrics).
///
/// A `u64` wraps at 2^64. A negative, NaN or infinite amount is dropped and counted in
/// `metercast.recordings.dropped`. Adding zero makes the series appear. Recording works before any exporter is
/// started and after all have stopped.
///
/// ```
/// use metercast_core::{Store, labels, metrics};
///
/// labels! { enum Side { Buy, Sell } }
/// metrics! {
///     /// Orders accepted.
///     static ORDERS: Counter<u64> = "orders";
///     /// Volume traded, by side. One label is a tuple of one: mind the comma.
///     static VOLUME: Counter<f64> = "volume" { unit: "EUR", labels: { side: Side } };
/// }
///
/// let store = Store::new();
/// store.scope(|| {
///     ORDERS.add(1);
///     VOLUME.add(12.5, (Side::Buy,));
/// });
/// assert_eq!(store.collect().len(), 2);
/// ```
pub struct Counter<N: Number, L = ()> {
    site: Site,
    of: PhantomData<fn(N, L)>,
}

impl<N: Number, L> Counter<N, L> {
    #[doc(hidden)]
    pub const fn new(descriptor: &'static Descriptor) -> Self {
        Counter { site: Site::new(descriptor), of: PhantomData }
    }
}

impl<N: Number> Counter<N, ()> {
    /// Adds `amount`, in the metric's unit.
    #[inline]
    #[track_caller]
    pub fn add(&self, amount: N) {
        self.add_at(0, amount, FixedAt::BARE);
    }

    /// A handle to this counter in the current store.
    pub fn bind(&'static self) -> BoundCounter<N> {
        BoundCounter::new(self.site.bind(FixedAt::BARE), self.site.descriptor())
    }
}

impl<N: Number, L: Labels> Counter<N, L> {
    /// Adds `amount`, in the metric's unit, to the series with these labels.
    // Always: with the labels handed over in memory, a recording takes two nanoseconds more.
    #[inline(always)]
    #[track_caller]
    pub fn add(&self, amount: N, labels: L::Values<'_>) {
        if const { is_fixed::<L>(Kind::Counter) } {
            let index = L::index(labels);
            let spell = |f: &mut dyn FnMut(&[ValueRef<'_>])| L::spell(labels, |l| f(l));
            self.add_at(index, amount, FixedAt { each: L::each, index, spell: &spell });
        } else if amount.is_negative() {
            own::dropped_if_enabled(self.site.descriptor(), Reason::Negative);
        } else {
            self.site.add(Typed::<L>(labels), 0, amount);
        }
    }

    /// A handle to the series with these labels in the current store, which is there from now on. Recording through it
    /// needs no lookup.
    ///
    /// ```
    /// use metercast_core::{Store, metrics, reading::Point};
    ///
    /// metrics! {
    ///     /// Requests, by tenant.
    ///     static REQUESTS: Counter<u64> = "requests" { labels: { tenant: &str } };
    /// }
    ///
    /// let store = Store::new();
    /// let of_a = store.scope(|| REQUESTS.bind(("a",)));
    /// of_a.add(2);
    /// store.scope(|| REQUESTS.add(1, ("a",)));
    /// assert_eq!(store.collect()[0].series[0].point, Point::U64(3));
    /// ```
    pub fn bind(&'static self, labels: L::Values<'_>) -> BoundCounter<N> {
        let held = if const { is_fixed::<L>(Kind::Counter) } {
            let spell = |f: &mut dyn FnMut(&[ValueRef<'_>])| L::spell(labels, |l| f(l));
            self.site.bind(FixedAt { each: L::each, index: L::index(labels), spell: &spell })
        } else {
            L::spell(labels, |labels| self.site.hold_series(&self.site.spelled(labels))).there()
        };
        BoundCounter::new(held, self.site.descriptor())
    }
}

impl<N: Number, L> Counter<N, L> {
    #[inline(always)]
    #[track_caller]
    fn add_at(&self, index: usize, amount: N, series: FixedAt<'_>) {
        if amount.is_negative() {
            return own::dropped_if_enabled(self.site.descriptor(), Reason::Negative);
        }
        let slot = self.site.slot() + index as u32;
        if amount == N::ZERO || !amount.is_sound() || !local::add_fixed(slot, amount) {
            self.site.add_slow(series, 0, amount);
        }
    }
}

impl<N: Number, L> fmt::Debug for Counter<N, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter").field("name", &self.site.descriptor().name).finish_non_exhaustive()
    }
}
