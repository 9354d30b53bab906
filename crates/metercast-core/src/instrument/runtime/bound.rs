//! One series of an instrument that was made at run time, found beforehand.

use std::fmt;

use super::Instrument;
use crate::definition::Kind;
use crate::held::{Distribution, Held};
use crate::instrument::bound::{Binding, BoundCounter, BoundGauge, BoundHistogram, BoundUpDownCounter};
use crate::label::{LabelRef, Pairs};
use crate::number::Number;
use crate::own::Reason;
use crate::store::GaugeSlot;

/// One series of an [`Instrument`], found beforehand; made by [`bind`](Instrument::bind).
///
/// It is a plain number, `Copy`, and belongs to the store that was current when it was bound: it records there from
/// any scope, and does nothing once that store is gone. What does not fit its kind or number is dropped and counted in
/// `metercast.recordings.dropped`, as are NaN, infinity, and negative amounts for a counter.
#[derive(Clone, Copy)]
pub struct BoundInstrument {
    instrument: Instrument,
    series: Series,
}

/// What it is bound to, by the kind of the instrument.
#[derive(Clone, Copy)]
enum Series {
    Total(Binding<Held>),
    Gauge(Binding<GaugeSlot>),
    Distribution(Binding<Distribution>),
}

impl BoundInstrument {
    pub(super) fn new(instrument: Instrument, labels: &mut [LabelRef<'_>]) -> BoundInstrument {
        let list = instrument.listed(labels);
        let (site, descriptor) = (&instrument.0.site, instrument.descriptor());
        // Callbacks have nothing to record into.
        let pairs: Option<&dyn Pairs> = if descriptor.observable { None } else { Some(&list) };
        let series = match descriptor.kind {
            Kind::Counter | Kind::UpDownCounter => {
                let held = pairs.and_then(|pairs| site.hold_series(pairs).there());
                Series::Total(Binding::new(held, descriptor))
            }
            Kind::Gauge => {
                let slot = pairs.and_then(|pairs| site.bind_series_gauge(pairs));
                Series::Gauge(Binding::new(slot, descriptor))
            }
            Kind::Histogram | Kind::Summary => {
                let distribution = pairs.and_then(|pairs| site.bind_histogram(pairs));
                Series::Distribution(Binding::new(distribution, descriptor))
            }
        };
        BoundInstrument { instrument, series }
    }

    /// The instrument that it is a series of.
    pub fn instrument(self) -> Instrument {
        self.instrument
    }

    /// Adds `amount`, in the metric's unit: to a counter, an up-down counter or a gauge.
    #[inline]
    pub fn add<N: Number>(self, amount: N) {
        match self.series {
            Series::Total(binding) if self.instrument.takes::<N>(Kind::Counter) => {
                BoundCounter::of(binding).add(amount);
            }
            Series::Total(binding) if self.instrument.takes::<N>(Kind::UpDownCounter) => {
                BoundUpDownCounter::of(binding).add(amount);
            }
            Series::Gauge(binding) if self.instrument.takes::<N>(Kind::Gauge) => {
                BoundGauge::of(binding).add(amount);
            }
            _ => self.instrument.dropped(Reason::Definition),
        }
    }

    /// Sets the value, in the metric's unit: of a gauge.
    #[inline]
    pub fn set<N: Number>(self, value: N) {
        match self.series {
            Series::Gauge(binding) if self.instrument.takes::<N>(Kind::Gauge) => {
                BoundGauge::of(binding).set(value);
            }
            _ => self.instrument.dropped(Reason::Definition),
        }
    }

    /// Records one value, in the metric's unit: in a histogram or a summary.
    #[inline]
    pub fn record<N: Number>(self, value: N) {
        let takes = |kind| self.instrument.takes::<N>(kind);
        match self.series {
            Series::Distribution(binding) if takes(Kind::Histogram) || takes(Kind::Summary) => {
                BoundHistogram::of(binding).record(value);
            }
            _ => self.instrument.dropped(Reason::Definition),
        }
    }
}

impl fmt::Debug for BoundInstrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundInstrument").field("instrument", &self.instrument).finish_non_exhaustive()
    }
}
