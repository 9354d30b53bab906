//! The `prometheus` crate.

use std::sync::Mutex;

use ::prometheus::core::Collector;
use ::prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry as Families,
    TextEncoder,
};

use super::{
    AMOUNT, Expect, Kind, Offer, Purpose, Recording, Registry, SERIES, Subject, Unused, What, bound, picked,
    plain,
};
use crate::inputs::{BOUNDS, Combination, Labels, METHODS, OUTCOMES, ROUTES, combinations};

pub(crate) struct Prometheus;

const DYNAMIC: [&str; 3] = ["method", "route", "status"];

impl Subject for Prometheus {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn recording(&self, what: What, exporters: usize) -> Offer<Box<dyn Recording>> {
        if exporters > 1 {
            return Offer::No;
        }
        Offer::Yes(match what {
            What::Counter => {
                let counter = IntCounter::new("requests", "Requests").expect("a valid name");
                let of = counter.clone();
                plain(move || counter.inc(), move || of.get()).boxed()
            }
            What::CounterDynamic => {
                let counters = counters("requests", &DYNAMIC);
                let of = counters.clone();
                picked(move |labels, _| count(&counters, labels), move || sum(&of)).boxed()
            }
            What::CounterTyped => {
                let counters = counters("requests", &["method", "route", "outcome"]);
                let of = counters.clone();
                let op = move |at: &Combination, _| {
                    counters
                        .with_label_values(&[METHODS[at.method], ROUTES[at.route], OUTCOMES[at.status]])
                        .inc();
                };
                bound(Combination::all().collect(), op, move || sum(&of)).boxed()
            }
            What::CounterBound => {
                let of = counters("requests", &DYNAMIC);
                let handles: Vec<IntCounter> =
                    combinations().iter().map(|labels| handle(&of, labels)).collect();
                bound(handles, |handle: &IntCounter, _| handle.inc(), move || sum(&of)).boxed()
            }
            What::HistogramDynamic => {
                let histograms = histograms();
                let of = histograms.clone();
                let op = move |labels: &Labels, amount| observe(&histograms, labels, amount);
                picked(op, move || observed(&of)).boxed()
            }
            What::HistogramBound => {
                let of = histograms();
                let handles = combinations().iter().map(|labels| histogram(&of, labels)).collect();
                bound(handles, |handle: &Histogram, amount| handle.observe(amount), move || observed(&of))
                    .boxed()
            }
            What::Gauge => {
                let gauge = IntGauge::new("depth", "Depth").expect("a valid name");
                let of = gauge.clone();
                plain(move || gauge.set(7), move || of.get() as u64).expect(Expect::Exactly(7)).boxed()
            }
            What::CounterOff | What::UniqueExact | What::UniqueEstimated => return Offer::No,
        })
    }

    fn registry(&self, kind: Kind, _series: usize, purpose: Purpose) -> Offer<Box<dyn Registry>> {
        if purpose == Purpose::Message {
            return Offer::No;
        }
        let families = Families::new();
        let metric = match kind {
            Kind::Counter => {
                let counters = counters(SERIES, &DYNAMIC);
                families.register(Box::new(counters.clone())).expect("an empty registry");
                Metric::Counters(counters)
            }
            Kind::Histogram => {
                let histograms = histograms();
                families.register(Box::new(histograms.clone())).expect("an empty registry");
                Metric::Histograms(histograms)
            }
        };
        Offer::Yes(Box::new(Filled { families, metric, text: Mutex::default() }))
    }

    fn unused(&self, instruments: usize) -> Offer<Unused> {
        let families = Families::new();
        let mut kept = Vec::with_capacity(instruments);
        for index in 0..instruments {
            let counters = counters(&format!("unused_{index}"), &DYNAMIC);
            families.register(Box::new(counters.clone())).expect("names of their own");
            kept.push(counters);
        }
        Offer::Yes(Unused { kept: Box::new((families, kept)), static_bytes: 0 })
    }
}

struct Filled {
    families: Families,
    metric: Metric,
    text: Mutex<String>,
}

enum Metric {
    Counters(IntCounterVec),
    Histograms(HistogramVec),
}

impl Registry for Filled {
    fn record(&self, labels: &Labels) {
        match &self.metric {
            Metric::Counters(counters) => count(counters, labels),
            Metric::Histograms(histograms) => observe(histograms, labels, AMOUNT),
        }
    }

    fn page(&self, read: &mut dyn FnMut(&[u8])) {
        let mut text = self.text.lock().expect("one reader");
        text.clear();
        TextEncoder::new().encode_utf8(&self.families.gather(), &mut text).expect("valid metrics");
        read(text.as_bytes());
    }
}

fn counters(name: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, "Requests"), labels).expect("valid names")
}

fn histograms() -> HistogramVec {
    let options = HistogramOpts::new(SERIES, "Duration of requests").buckets(BOUNDS.to_vec());
    HistogramVec::new(options, &DYNAMIC).expect("valid names")
}

fn count(counters: &IntCounterVec, labels: &Labels) {
    handle(counters, labels).inc();
}

fn handle(counters: &IntCounterVec, labels: &Labels) -> IntCounter {
    let mut status = itoa::Buffer::new();
    counters.with_label_values(&[&labels.method[..], &labels.route, status.format(labels.status)])
}

fn observe(histograms: &HistogramVec, labels: &Labels, amount: f64) {
    histogram(histograms, labels).observe(amount);
}

fn histogram(histograms: &HistogramVec, labels: &Labels) -> Histogram {
    let mut status = itoa::Buffer::new();
    histograms.with_label_values(&[&labels.method[..], &labels.route, status.format(labels.status)])
}

fn sum(counters: &IntCounterVec) -> u64 {
    let families = counters.collect();
    let metrics = families.iter().flat_map(|family| family.get_metric());
    metrics.map(|metric| metric.get_counter().get_value() as u64).sum()
}

fn observed(histograms: &HistogramVec) -> u64 {
    let families = histograms.collect();
    let metrics = families.iter().flat_map(|family| family.get_metric());
    metrics.map(|metric| metric.get_histogram().get_sample_count()).sum()
}
