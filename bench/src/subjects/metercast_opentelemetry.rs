//! The OpenTelemetry API with metercast's provider below it.

use metercast::Store;
use metercast_opentelemetry::MeterProvider;
use opentelemetry::metrics::{BoundCounter, MeterProvider as _};

use super::metercast::{start, total};
use super::otel::{attributes, histogram, typed};
use super::{OWN, Offer, Recording, Subject, What, bound, picked, plain};
use crate::inputs::{Combination, Labels, combinations};

pub(crate) struct MetercastOpentelemetry;

impl Subject for MetercastOpentelemetry {
    fn name(&self) -> &'static str {
        OWN
    }

    fn recording(&self, what: What, exporters: usize) -> Offer<Box<dyn Recording>> {
        let store = Store::new();
        let telemetry = start(store.clone(), exporters);
        // As `install` does it: into the store that is current.
        let meter = MeterProvider::new().meter("bench");
        let read = store.clone();
        let around = move |batch: &mut dyn FnMut()| {
            let _running = &telemetry;
            store.scope(batch);
        };
        Offer::Yes(match what {
            What::Counter => {
                let counter = meter.u64_counter("requests").build();
                let total = move || total(&read, "requests");
                plain(move || counter.add(1, &[]), total).around(around).boxed()
            }
            What::CounterDynamic => {
                let counter = meter.u64_counter("requests.dynamic").build();
                let total = move || total(&read, "requests.dynamic");
                let op = move |labels: &Labels, _| counter.add(1, &attributes(labels));
                picked(op, total).around(around).boxed()
            }
            What::CounterTyped => {
                let counter = meter.u64_counter("requests.typed").build();
                let total = move || total(&read, "requests.typed");
                let op = move |at: &Combination, _| counter.add(1, &typed(*at));
                bound(Combination::all().collect(), op, total).around(around).boxed()
            }
            What::CounterBound => {
                let counter = meter.u64_counter("requests.bound").build();
                let bind = || combinations().iter().map(|labels| counter.bind(&attributes(labels))).collect();
                let handles = read.scope(bind);
                let total = move || total(&read, "requests.bound");
                bound(handles, |handle: &BoundCounter<u64>, _| handle.add(1), total).around(around).boxed()
            }
            What::HistogramDynamic => {
                let histogram = histogram(&meter, "duration");
                let total = move || total(&read, "duration");
                let op = move |labels: &Labels, amount| histogram.record(amount, &attributes(labels));
                picked(op, total).around(around).boxed()
            }
            _ => return Offer::No,
        })
    }
}
