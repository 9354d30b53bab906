//! The call-site pattern of seed 004: every call upgrades a weak reference to an instrument that hands the
//! measurement on to several providers, so that a reload can take all instruments away.

use std::sync::{Arc, OnceLock, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, MeterProvider};
use parking_lot::Mutex;

use super::otel::{Sdk, attributes, histogram, typed};
use super::{Offer, Recording, Subject, What, bound, picked, plain};
use crate::inputs::{Combination, Labels};

pub(crate) struct Seed004;

/// What a call site keeps of its instrument.
type Site<I> = OnceLock<Mutex<Weak<I>>>;

impl Subject for Seed004 {
    fn name(&self) -> &'static str {
        "seed-004-pattern"
    }

    fn recording(&self, what: What, exporters: usize) -> Offer<Box<dyn Recording>> {
        if exporters > 1 {
            return Offer::No;
        }
        let providers = Providers::new();
        Offer::Yes(match what {
            What::Counter => {
                static SITE: Site<FanCounter> = Site::new();
                let total = enter(&SITE, providers, Providers::counter);
                plain(|| call(&SITE, |counter| counter.add(&[])), total).boxed()
            }
            What::CounterDynamic => {
                static SITE: Site<FanCounter> = Site::new();
                let total = enter(&SITE, providers, Providers::counter);
                let op = |labels: &Labels, _| call(&SITE, |counter| counter.add(&attributes(labels)));
                picked(op, total).boxed()
            }
            What::CounterTyped => {
                static SITE: Site<FanCounter> = Site::new();
                let total = enter(&SITE, providers, Providers::counter);
                let op = |at: &Combination, _| call(&SITE, |counter| counter.add(&typed(*at)));
                bound(Combination::all().collect(), op, total).boxed()
            }
            What::HistogramDynamic => {
                static SITE: Site<FanHistogram> = Site::new();
                let total = enter(&SITE, providers, Providers::histogram);
                let op = |labels: &Labels, amount| {
                    call(&SITE, |histogram| histogram.record(amount, &attributes(labels)));
                };
                picked(op, total).boxed()
            }
            _ => return Offer::No,
        })
    }
}

/// Four providers, of which two have a reader: what is public, and what goes to the vendor. Two are empty.
struct Providers {
    read: Vec<Sdk>,
    empty: Sdk,
}

impl Providers {
    fn new() -> Providers {
        Providers { read: vec![Sdk::new(1), Sdk::new(1)], empty: Sdk::new(0) }
    }

    fn meters(&self) -> Vec<Meter> {
        let noop = opentelemetry::metrics::noop::NoopMeterProvider::new();
        let read = self.read.iter().map(Sdk::meter);
        read.chain([noop.meter("bench"), self.empty.meter()]).collect()
    }

    fn counter(&self) -> FanCounter {
        FanCounter(self.meters().iter().map(|meter| meter.u64_counter("requests").build()).collect())
    }

    fn histogram(&self) -> FanHistogram {
        FanHistogram(self.meters().iter().map(|meter| histogram(meter, "duration")).collect())
    }
}

/// One counter of each provider.
struct FanCounter(Vec<Counter<u64>>);

impl FanCounter {
    fn add(&self, attributes: &[KeyValue]) {
        self.0.iter().for_each(|counter| counter.add(1, attributes));
    }
}

/// One histogram of each provider.
struct FanHistogram(Vec<Histogram<f64>>);

impl FanHistogram {
    fn record(&self, amount: f64, attributes: &[KeyValue]) {
        self.0.iter().for_each(|histogram| histogram.record(amount, attributes));
    }
}

/// Makes the instrument of a call site, if this is the first case that uses it; the result reads its total, and
/// keeps it alive, as the registry of the providers does.
fn enter<I: Send + Sync + 'static>(
    site: &'static Site<I>,
    providers: Providers,
    make: impl FnOnce(&Providers) -> I,
) -> impl Fn() -> u64 + Send + Sync + 'static {
    let instrument = Arc::new(make(&providers));
    *site.get_or_init(Mutex::default).lock() = Arc::downgrade(&instrument);
    move || {
        let _registered = &instrument;
        let totals: Vec<_> = providers.read.iter().map(Sdk::total).collect();
        assert!(totals.windows(2).all(|pair| pair[0] == pair[1]), "{totals:?}");
        totals[0]
    }
}

/// One call: lock, upgrade, unlock, use, and a guard made from another clone, which counters do not need.
#[inline(always)]
fn call<I>(site: &'static Site<I>, with: impl FnOnce(&I)) {
    let instrument = site.get().and_then(|site| site.lock().upgrade());
    let Some(instrument) = instrument else { return };
    with(&instrument);
    drop(Guard(Arc::clone(&instrument)));
}

/// Holds the instrument, and does nothing.
struct Guard<I>(#[expect(dead_code, reason = "held, not looked at")] Arc<I>);
