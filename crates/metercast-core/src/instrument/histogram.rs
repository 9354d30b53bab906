//! The distribution of values over buckets.

use std::fmt;
use std::marker::PhantomData;

use super::bound::BoundHistogram;
use super::timer::Timer;
use crate::definition::Descriptor;
use crate::label::{Labels, Typed};
use crate::number::Number;
use crate::site::Site;

/// The distribution of values: how long, how large. `N` is `u64` or `f64`, `L` the tuple of its label types; declare
/// it with [`metrics!`](crate::metrics).
///
/// Buckets are those declared, else those that fit the unit (`s`: 5 ms to 10 s). A value on a bound belongs to the
/// bucket below. A reading never shows counts and sum of different moments of one thread. NaN and infinity are
/// dropped and counted in `metercast.recordings.dropped`.
///
/// ```
/// use metercast_core::{Store, metrics, reading::Point};
///
/// metrics! {
///     /// Size of request bodies.
///     static BODY_SIZE: Histogram<u64> = "body.size" { unit: "By", buckets: [100, 1000] };
///     /// Time to answer.
///     static DURATION: Histogram<f64> = "answer.duration" { unit: "s" };
/// }
///
/// let store = Store::new();
/// store.scope(|| {
///     let _timer = DURATION.start();
///     BODY_SIZE.record(512);
/// });
/// let families = store.collect();
/// let Point::Histogram(duration) = &families[0].series[0].point else { panic!() };
/// let Point::Histogram(size) = &families[1].series[0].point else { panic!() };
/// assert_eq!(duration.count(), 1);
/// assert_eq!((size.counts.as_slice(), size.sum), (&[0, 1, 0][..], 512.0));
/// ```
pub struct Histogram<N: Number, L = ()> {
    site: Site,
    of: PhantomData<fn(N, L)>,
}

impl<N: Number, L> Histogram<N, L> {
    #[doc(hidden)]
    pub const fn new(descriptor: &'static Descriptor) -> Self {
        Histogram { site: Site::new(descriptor), of: PhantomData }
    }
}

impl<N: Number> Histogram<N, ()> {
    /// Records one value, in the metric's unit.
    #[inline]
    #[track_caller]
    pub fn record(&self, value: N) {
        self.site.record([], value);
    }

    /// A handle to this histogram in the current store, whose series is there from now on.
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

impl<N: Number, L: Labels> Histogram<N, L> {
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

impl<N: Number, L> fmt::Debug for Histogram<N, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram").field("name", &self.site.descriptor().name).finish_non_exhaustive()
    }
}
