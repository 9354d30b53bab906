//! An instrument as the holder of an OpenTelemetry instrument has it: what is measured goes to a store.

use std::marker::PhantomData;

use metercast_core::{BoundInstrument, Instrument, LabelRef, Number};

use crate::odd::Odd;
use crate::target::Target;

/// Records what is measured in one way: the way of a counter, of a gauge or of a histogram.
#[derive(Debug)]
pub(crate) struct Recorder<W> {
    target: Target,
    instrument: Instrument,
    way: PhantomData<fn(W)>,
}

/// The same, of one series.
#[derive(Debug)]
pub(crate) struct BoundRecorder<W> {
    instrument: BoundInstrument,
    way: PhantomData<fn(W)>,
}

/// Takes what is measured and drops it: there is no such instrument.
#[derive(Debug)]
pub(crate) struct Nothing;

/// What a measurement does to its series.
pub(crate) trait Way: Send + Sync + 'static {
    fn record<'a, N: Number>(
        instrument: Instrument,
        value: N,
        labels: impl IntoIterator<Item = LabelRef<'a>>,
    );

    fn record_bound<N: Number>(instrument: BoundInstrument, value: N);
}

macro_rules! ways {
    ($($(#[$doc:meta])* $way:ident $method:ident),*) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $way;

        impl Way for $way {
            #[inline]
            fn record<'a, N: Number>(
                instrument: Instrument,
                value: N,
                labels: impl IntoIterator<Item = LabelRef<'a>>,
            ) {
                instrument.$method(value, labels);
            }

            #[inline]
            fn record_bound<N: Number>(instrument: BoundInstrument, value: N) {
                instrument.$method(value);
            }
        }
    )* };
}

ways! {
    /// It is added: counters and up-down counters.
    Added add,
    /// It stands in place of what was measured before: gauges.
    Set set,
    /// It is one of many: histograms.
    Recorded record
}

impl<W: Way> Recorder<W> {
    pub(crate) fn new(target: Target, instrument: Instrument) -> Recorder<W> {
        Recorder { target, instrument, way: PhantomData }
    }

    #[inline]
    pub(crate) fn record<'a, N: Number>(&self, value: N, labels: impl IntoIterator<Item = LabelRef<'a>>) {
        self.target.within(|| W::record(self.instrument, value, labels));
    }

    /// The same with attributes that are no labels as they are.
    #[cold]
    pub(crate) fn record_odd<N: Number>(&self, value: N, odd: &Odd<'_>) {
        self.target.within(|| {
            odd.report(self.instrument.name());
            W::record(self.instrument, value, odd.labels());
        });
    }

    /// One series of the store that is current, or was given.
    pub(crate) fn bind<'a>(&self, labels: impl IntoIterator<Item = LabelRef<'a>>) -> BoundRecorder<W> {
        let instrument = self.target.within(|| self.instrument.bind(labels));
        BoundRecorder { instrument, way: PhantomData }
    }

    /// The same with attributes that are no labels as they are.
    pub(crate) fn bind_odd(&self, odd: &Odd<'_>) -> BoundRecorder<W> {
        self.target.within(|| odd.report(self.instrument.name()));
        self.bind(odd.labels())
    }
}

impl<W: Way> BoundRecorder<W> {
    #[inline]
    pub(crate) fn record<N: Number>(&self, value: N) {
        W::record_bound(self.instrument, value);
    }
}
