//! The newest of values that cannot be added up.

use std::fmt;
use std::marker::PhantomData;

use super::bound::BoundGauge;
use crate::definition::Descriptor;
use crate::label::{Labels, Typed};
use crate::local;
use crate::number::Number;
use crate::site::Site;
use crate::write::Change;

/// The newest value of something that is measured, not counted: a temperature, a limit, the size of a pool. `N` is
/// `u64`, `i64` or `f64`, `L` the tuple of its label types; declare it with [`metrics!`](crate::metrics).
///
/// There is one value per series, whichever threads set it; the last one stays. NaN and infinity are dropped and
/// counted in `metercast.recordings.dropped`. A gauge that was never set is not exported.
///
/// ```
/// use metercast_core::{Store, metrics, reading::Point};
///
/// metrics! {
///     /// Temperature, by room.
///     static TEMPERATURE: Gauge<f64> = "temperature" { unit: "Cel", labels: { room: &str } };
/// }
///
/// let store = Store::new();
/// store.scope(|| {
///     TEMPERATURE.set(20.0, ("cellar",));
///     TEMPERATURE.set(12.5, ("cellar",));
/// });
/// assert_eq!(store.collect()[0].series[0].point, Point::F64(12.5));
/// ```
pub struct Gauge<N: Number, L = ()> {
    site: Site,
    of: PhantomData<fn(N, L)>,
}

impl<N: Number, L> Gauge<N, L> {
    #[doc(hidden)]
    pub const fn new(descriptor: &'static Descriptor) -> Self {
        Gauge { site: Site::new(descriptor), of: PhantomData }
    }
}

impl<N: Number> Gauge<N, ()> {
    /// Sets the value, in the metric's unit.
    #[inline]
    #[track_caller]
    pub fn set(&self, value: N) {
        if !value.is_sound() || !local::set_fixed_gauge(self.site.slot(), value.bits()) {
            self.site.change_fixed_gauge(Change::To(value));
        }
    }

    /// A handle to this gauge in the current store.
    pub fn bind(&'static self) -> BoundGauge<N> {
        BoundGauge::new(self.site.bind_gauge(), self.site.descriptor())
    }

    /// Adds to the value, which counts from zero if it was never set. Integers wrap.
    #[inline]
    #[track_caller]
    pub fn add(&self, amount: N) {
        self.site.change_fixed_gauge(Change::By(amount));
    }
}

impl<N: Number, L: Labels> Gauge<N, L> {
    /// Sets the value, in the metric's unit, of the series with these labels.
    #[inline]
    #[track_caller]
    pub fn set(&self, value: N, labels: L::Values<'_>) {
        self.site.change_gauge(Typed::<L>(labels), Change::To(value));
    }

    /// A handle to the series with these labels in the current store. Recording through it needs no lookup.
    pub fn bind(&'static self, labels: L::Values<'_>) -> BoundGauge<N> {
        let slot = L::spell(labels, |labels| self.site.bind_series_gauge(&self.site.spelled(labels)));
        BoundGauge::new(slot, self.site.descriptor())
    }

    /// Adds to the value of the series with these labels, which counts from zero if it was never set. Integers
    /// wrap.
    #[inline]
    #[track_caller]
    pub fn add(&self, amount: N, labels: L::Values<'_>) {
        self.site.change_gauge(Typed::<L>(labels), Change::By(amount));
    }
}

impl<N: Number, L> fmt::Debug for Gauge<N, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauge").field("name", &self.site.descriptor().name).finish_non_exhaustive()
    }
}
