//! The `prometheus-client` crate.

use std::sync::Mutex;

use ::prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, text};
use ::prometheus_client::metrics::counter::Counter;
use ::prometheus_client::metrics::family::Family;
use ::prometheus_client::metrics::gauge::Gauge;
use ::prometheus_client::metrics::histogram::Histogram;
use ::prometheus_client::registry::Registry as Families;

use super::{
    AMOUNT, Expect, Kind, Offer, Purpose, Recording, Registry, SERIES, Subject, Unused, What, bound, picked,
    plain,
};
use crate::inputs::{BOUNDS, Combination, Labels, combinations};
use crate::page::Total;

pub(crate) struct PrometheusClient;

/// Dynamic values have to be owned, also for a lookup.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Dynamic {
    method: String,
    route: String,
    status: u16,
}

impl Dynamic {
    fn of(labels: &Labels) -> Dynamic {
        Dynamic { method: labels.method.clone(), route: labels.route.clone(), status: labels.status }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Typed {
    method: Method,
    route: Route,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
enum Method {
    Get,
    Post,
    Put,
    Delete,
    Patch,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
enum Route {
    Health,
    Orders,
    Order,
    User,
    Items,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
enum Outcome {
    Ok,
    Unavailable,
}

const METHODS: [Method; 5] = [Method::Get, Method::Post, Method::Put, Method::Delete, Method::Patch];
const ROUTES: [Route; 5] = [Route::Health, Route::Orders, Route::Order, Route::User, Route::Items];
const OUTCOMES: [Outcome; 2] = [Outcome::Ok, Outcome::Unavailable];

type Counters<L> = Family<L, Counter>;
type Histograms = Family<Dynamic, Histogram, fn() -> Histogram>;

impl Subject for PrometheusClient {
    fn name(&self) -> &'static str {
        "prometheus-client"
    }

    fn recording(&self, what: What, exporters: usize) -> Offer<Box<dyn Recording>> {
        if exporters > 1 {
            return Offer::No;
        }
        Offer::Yes(match what {
            What::Counter => {
                let counter = Counter::<u64>::default();
                let of = counter.clone();
                let op = move || {
                    counter.inc();
                };
                plain(op, move || of.get()).boxed()
            }
            What::CounterDynamic => {
                let counters = Counters::default();
                let of = counters.clone();
                picked(move |labels, _| count(&counters, labels), move || sum(&of)).boxed()
            }
            What::CounterTyped => {
                let counters = Counters::<Typed>::default();
                let of = counters.clone();
                let op = move |labels: &Typed, _| {
                    counters.get_or_create(labels).inc();
                };
                let total = move || typed().iter().map(|labels| of.get_or_create(labels).get()).sum();
                bound(typed(), op, total).boxed()
            }
            What::CounterBound => {
                let of = Counters::default();
                let handles = combinations();
                let handles =
                    handles.iter().map(|labels| of.get_or_create_owned(&Dynamic::of(labels))).collect();
                let op = |handle: &Counter, _| {
                    handle.inc();
                };
                bound(handles, op, move || sum(&of)).boxed()
            }
            What::HistogramDynamic => {
                let histograms = Histograms::new_with_constructor(histogram);
                let of = histograms.clone();
                let op = move |labels: &Labels, amount| observe(&histograms, labels, amount);
                picked(op, move || observed(&of)).boxed()
            }
            What::HistogramBound => {
                let of = Histograms::new_with_constructor(histogram);
                let handles = combinations();
                let handles =
                    handles.iter().map(|labels| of.get_or_create_owned(&Dynamic::of(labels))).collect();
                bound(handles, |handle: &Histogram, amount| handle.observe(amount), move || observed(&of))
                    .boxed()
            }
            What::Gauge => {
                let gauge = <Gauge>::default();
                let of = gauge.clone();
                let op = move || {
                    gauge.set(7);
                };
                plain(op, move || of.get() as u64).expect(Expect::Exactly(7)).boxed()
            }
            What::CounterOff | What::UniqueExact | What::UniqueEstimated => return Offer::No,
        })
    }

    fn registry(&self, kind: Kind, _series: usize, purpose: Purpose) -> Offer<Box<dyn Registry>> {
        if purpose == Purpose::Message {
            return Offer::No;
        }
        let mut families = Families::default();
        let metric = match kind {
            Kind::Counter => {
                let counters = Counters::default();
                families.register(SERIES, "Requests", counters.clone());
                Metric::Counters(counters)
            }
            Kind::Histogram => {
                let histograms = Histograms::new_with_constructor(histogram);
                families.register(SERIES, "Duration of requests", histograms.clone());
                Metric::Histograms(histograms)
            }
        };
        Offer::Yes(Box::new(Filled { families, metric, text: Mutex::default() }))
    }

    fn unused(&self, instruments: usize) -> Offer<Unused> {
        let mut families = Families::default();
        let mut kept = Vec::with_capacity(instruments);
        for index in 0..instruments {
            let counters = Counters::<Dynamic>::default();
            families.register(format!("unused_{index}"), "Requests", counters.clone());
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
    Counters(Counters<Dynamic>),
    Histograms(Histograms),
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
        text::encode(&mut *text, &self.families).expect("a String takes everything");
        read(text.as_bytes());
    }
}

fn typed() -> Vec<Typed> {
    let all = Combination::all();
    all.map(|at| Typed { method: METHODS[at.method], route: ROUTES[at.route], outcome: OUTCOMES[at.status] })
        .collect()
}

fn histogram() -> Histogram {
    Histogram::new(BOUNDS)
}

fn count(counters: &Counters<Dynamic>, labels: &Labels) {
    counters.get_or_create(&Dynamic::of(labels)).inc();
}

fn observe(histograms: &Histograms, labels: &Labels, amount: f64) {
    histograms.get_or_create(&Dynamic::of(labels)).observe(amount);
}

fn sum(counters: &Counters<Dynamic>) -> u64 {
    combinations().iter().map(|labels| counters.get_or_create(&Dynamic::of(labels)).get()).sum()
}

/// The sum of the counts; a histogram can be read through a page only.
fn observed(histograms: &Histograms) -> u64 {
    let mut families = Families::default();
    families.register(SERIES, "Duration of requests", histograms.clone());
    let mut page = String::new();
    text::encode(&mut page, &families).expect("a String takes everything");
    Total::of_page(page.as_bytes(), SERIES, true).sum
}
