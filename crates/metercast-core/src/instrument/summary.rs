//! Quantiles of the values that came of late.

use std::fmt;
use std::marker::PhantomData;

use super::bound::BoundHistogram;
use super::timer::Timer;
use crate::definition::Descriptor;
use crate::label::{Labels, Typed};
use crate::number::Number;
use crate::site::Site;

/// Quantiles of the values that came of late, beside the count and the sum of all: the size of results, the time that a
/// job took. `N` is `u64` or `f64`, `L` the tuple of its label types; declare it with [`metrics!`](crate::metrics).
///
/// Quantiles are those declared, else 0.5, 0.9, 0.95 and 0.99, over a window of 60 seconds or as many as `window_seconds`
/// says. The window ends with the reading, and reaches back by its width and up to a sixth of it, or one reading, more.
/// If nothing came within it there are no quantiles. They are off by half a percent at most if all values since the start of
/// the series lie within a factor of 60, by 1.1 % within 4,000, by 2.2 % within 16 million; of values below zero by 2.2 %
/// within a factor of 170, and 4.5 % within 30,000. Summaries of several processes cannot be added up: where that
/// is wanted, use a [`Histogram`](crate::Histogram). NaN and infinity are dropped and counted in `metercast.recordings.dropped`.
///
/// ```
/// use metercast_core::{Store, metrics, reading::Point};
///
/// metrics! {
///     /// Size of results.
///     static RESULT_SIZE: Summary<u64> = "result.size" { unit: "By", quantiles: [0.5, 0.99], window_seconds: 300 };
/// }
///
/// let store = Store::new();
/// store.scope(|| (1..=100).for_each(|size| RESULT_SIZE.record(size)));
/// let Point::Summary(sizes) = store.collect()[0].series[0].point.clone() else { panic!() };
/// assert_eq!((sizes.count, sizes.sum), (100, 5050.0));
/// let (quantile, median) = sizes.quantiles[0];
/// assert!(quantile == 0.5 && (median - 50.0).abs() < 1.0);
/// ```
pub struct Summary<N: Number, L = ()> {
    site: Site,
    of: PhantomData<fn(N, L)>,
}

impl<N: Number, L> Summary<N, L> {
    #[doc(hidden)]
    pub const fn new(descriptor: &'static Descriptor) -> Self {
        Summary { site: Site::new(descriptor), of: PhantomData }
    }
}

impl<N: Number> Summary<N, ()> {
    /// Records one value, in the metric's unit.
    #[inline]
    #[track_caller]
    pub fn record(&self, value: N) {
        self.site.record([], value);
    }

    /// A handle to this summary in the current store, whose series is there from now on.
    pub fn bind(&'static self) -> BoundHistogram<N> {
        BoundHistogram::new(self.site.bind_histogram(&self.site.spelled(&[])), self.site.descriptor())
    }

    /// Starts the clock; the time that passed is recorded when the timer is dropped, so that work that is
    /// cancelled or panics is measured too.
    #[must_use = "dropping the timer records the time at once"]
    #[track_caller]
    pub fn start(&self) -> Timer {
        self.site.note_beginning();
        Timer::start(&self.site, &[], N::TYPE)
    }
}

impl<N: Number, L: Labels> Summary<N, L> {
    /// Records one value, in the metric's unit, in the series with these labels.
    #[inline]
    #[track_caller]
    pub fn record(&self, value: N, labels: L::Values<'_>) {
        self.site.record(Typed::<L>(labels), value);
    }

    /// A handle to the series with these labels in the current store, which is there from now on. Recording through it
    /// needs no lookup.
    pub fn bind(&'static self, labels: L::Values<'_>) -> BoundHistogram<N> {
        let cell = L::spell(labels, |labels| self.site.bind_histogram(&self.site.spelled(labels)));
        BoundHistogram::new(cell, self.site.descriptor())
    }

    /// Starts the clock for the series with these labels; the time that passed is recorded when the timer is
    /// dropped, so that work that is cancelled or panics is measured too.
    #[must_use = "dropping the timer records the time at once"]
    #[track_caller]
    pub fn start(&self, labels: L::Values<'_>) -> Timer {
        self.site.note_beginning();
        L::spell(labels, |labels| Timer::start(&self.site, labels, N::TYPE))
    }
}

impl<N: Number, L> fmt::Debug for Summary<N, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Summary").field("name", &self.site.descriptor().name).finish_non_exhaustive()
    }
}
