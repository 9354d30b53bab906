//! One key of the facade: its instrument, and the labels that it records under.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use metercast_core::{Instrument, Kind, LabelRef, PreparedLabels, Store, ValueRef};
use metrics::{CounterFn, GaugeFn, HistogramFn, Key};

use crate::same::same;

/// What the handles of one key share. Its series is looked up with each recording, in the store that is current then or in the one
/// of the recorder, so that it can end and come back as every series can.
pub(crate) struct Series {
    key: Key,
    instrument: Instrument,
    /// `None` if they have no such form.
    prepared: Option<PreparedLabels>,
    /// With its number; `None` follows the current one.
    store: Option<(u64, Store)>,
    /// The store where the series was last made to appear.
    appeared: AtomicU64,
}

/// The most labels of a key.
pub(crate) const MOST: usize = 128;

/// Whether a key has so many labels that its series is not told from others of this sort.
pub(crate) fn has_too_many(key: &Key) -> bool {
    key.labels().len() > MOST
}

/// The labels of such a series: those of what is over a limit of series.
const OVERFLOW: [LabelRef<'static>; 1] = [("otel.metric.overflow", ValueRef::Bool(true))];

/// No store has this number.
const NOWHERE: u64 = u64::MAX;

impl Series {
    pub(crate) fn new(key: &Key, instrument: Instrument, store: Option<Store>) -> Series {
        let (key, appeared) = (key.to_retained(), AtomicU64::new(NOWHERE));
        let store = store.map(|store| (store.scope(Store::current_id), store));
        let mut series = Series { key, instrument, prepared: None, store, appeared };
        // A counter or a gauge without labels has a place of its own.
        if !matches!(instrument.kind(), Kind::Counter | Kind::Gauge) || series.key.labels().len() > 0 {
            series.prepared = instrument.prepare(series.labels());
        }
        series
    }

    #[inline]
    pub(crate) fn is(&self, key: &Key) -> bool {
        same(&self.key, key)
    }

    /// Shows the series at zero, as all recorders of the facade do with what is registered, unless that was done in this store.
    #[inline]
    pub(crate) fn appear(&self, kind: Kind) {
        let store = if self.store.is_some() { 0 } else { Store::current_id() };
        if self.appeared.load(Relaxed) != store {
            self.appear_in(store, kind);
        }
    }

    #[cold]
    fn appear_in(&self, store: u64, kind: Kind) {
        self.within(|| match kind {
            Kind::Counter => self.instrument.add(0u64, self.labels()),
            Kind::Gauge => self.instrument.add(0.0, self.labels()),
            _ => self.instrument.record_many(0.0, 0, self.labels()),
        });
        self.appeared.store(store, Relaxed);
    }

    #[inline]
    fn labels(&self) -> impl Iterator<Item = LabelRef<'_>> {
        let (own, instead) = if has_too_many(&self.key) { (0, &OVERFLOW[..]) } else { (MOST, &[][..]) };
        let own = self.key.labels().take(own).map(|label| (label.key(), ValueRef::String(label.value())));
        own.chain(instead.iter().copied())
    }

    #[inline]
    fn within(&self, record: impl FnOnce()) {
        match &self.store {
            Some((id, store)) if *id != Store::current_id() => elsewhere(store, record),
            _ => record(),
        }
    }
}

#[inline(never)]
fn elsewhere(store: &Store, record: impl FnOnce()) {
    store.scope(record);
}

impl CounterFn for Series {
    fn increment(&self, value: u64) {
        self.within(|| self.instrument.add_at(value, self.prepared.as_ref(), || self.labels()));
    }

    fn absolute(&self, value: u64) {
        self.within(|| self.instrument.raise(value, self.labels()));
    }
}

impl GaugeFn for Series {
    fn increment(&self, value: f64) {
        self.within(|| self.instrument.add_at(value, self.prepared.as_ref(), || self.labels()));
    }

    fn decrement(&self, value: f64) {
        self.within(|| self.instrument.add_at(-value, self.prepared.as_ref(), || self.labels()));
    }

    fn set(&self, value: f64) {
        self.within(|| self.instrument.set_at(value, self.prepared.as_ref(), || self.labels()));
    }
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        self.within(|| self.instrument.record_at(value, self.prepared.as_ref(), || self.labels()));
    }

    fn record_many(&self, value: f64, count: usize) {
        self.within(|| self.instrument.record_many(value, count as u64, self.labels()));
    }
}
