//! The `measured` crate.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use ::measured::label::{LabelGroupSet, LabelValue, LabelVisitor, StaticLabelSet};
use ::measured::metric::histogram::Thresholds;
use ::measured::text::BufferedTextEncoder;
use ::measured::{Counter, CounterVec, FixedCardinalityLabel, Gauge, HistogramVec, LabelGroup, MetricGroup};
use paracord::ParaCord;

use super::{
    AMOUNT, Expect, Kind, Offer, Purpose, Recording, Registry, SERIES, Subject, Unused, What, bound, picked,
    plain,
};
use crate::inputs::{BOUNDS, Combination, Labels, combinations};
use crate::page::Total;

pub(crate) struct Measured;

#[derive(Clone, Copy, LabelGroup)]
#[label(set = DynamicSet)]
struct Dynamic<'a> {
    #[label(dynamic_with = Strings)]
    method: &'a str,
    #[label(dynamic_with = Strings)]
    route: &'a str,
    status: Status,
}

/// Interned strings, which metrics may share.
type Strings = Arc<ParaCord>;

/// An integer whose range is known is an index of its own.
#[derive(Clone, Copy)]
struct Status(u16);

impl LabelValue for Status {
    fn visit<V: LabelVisitor>(&self, visitor: V) -> V::Output {
        visitor.write_int(i64::from(self.0))
    }
}

impl FixedCardinalityLabel for Status {
    fn cardinality() -> usize {
        500
    }

    fn encode(&self) -> usize {
        usize::from(self.0) - 100
    }

    fn decode(value: usize) -> Status {
        Status(value as u16 + 100)
    }
}

#[derive(Clone, Copy, LabelGroup)]
#[label(set = TypedSet)]
struct Typed {
    method: Method,
    route: Route,
    outcome: Outcome,
}

#[derive(Clone, Copy, FixedCardinalityLabel)]
enum Method {
    Get,
    Post,
    Put,
    Delete,
    Patch,
}

#[derive(Clone, Copy, FixedCardinalityLabel)]
enum Route {
    Health,
    Orders,
    Order,
    User,
    Items,
}

#[derive(Clone, Copy, FixedCardinalityLabel)]
enum Outcome {
    Ok,
    Unavailable,
}

const METHODS: [Method; 5] = [Method::Get, Method::Post, Method::Put, Method::Delete, Method::Patch];
const ROUTES: [Route; 5] = [Route::Health, Route::Orders, Route::Order, Route::User, Route::Items];
const OUTCOMES: [Outcome; 2] = [Outcome::Ok, Outcome::Unavailable];

type Durations<L> = HistogramVec<L, 12>;

impl Subject for Measured {
    fn name(&self) -> &'static str {
        "measured"
    }

    fn recording(&self, what: What, exporters: usize) -> Offer<Box<dyn Recording>> {
        if exporters > 1 {
            return Offer::No;
        }
        Offer::Yes(match what {
            What::Counter => {
                let counter = Arc::new(Counter::new());
                let of = Arc::clone(&counter);
                plain(move || counter.inc(), move || of.get_metric().count.load(Relaxed)).boxed()
            }
            What::CounterDynamic => {
                let counters = Arc::new(CounterVec::with_label_set(set()));
                let of = Arc::clone(&counters);
                let op = move |labels: &Labels, _| counters.inc(dynamic(labels));
                let each = move |labels: &Labels| count(&of, dynamic(labels));
                picked(op, move || combinations().iter().map(&each).sum()).boxed()
            }
            What::CounterTyped => {
                let counters = Arc::new(CounterVec::<TypedSet>::dense());
                let of = Arc::clone(&counters);
                let op = move |labels: &Typed, _| counters.inc(*labels);
                bound(typed(), op, move || typed().into_iter().map(|labels| count(&of, labels)).sum()).boxed()
            }
            What::CounterBound => {
                let counters = Arc::new(CounterVec::<TypedSet>::dense());
                let of = Arc::clone(&counters);
                let ids = typed().into_iter().map(|labels| counters.with_labels(labels)).collect();
                let op = move |id: &_, _| counters.get_metric(*id).inc();
                bound(ids, op, move || typed().into_iter().map(|labels| count(&of, labels)).sum()).boxed()
            }
            What::HistogramDynamic => {
                let durations = Arc::new(Durations::with_label_set_and_metadata(set(), bounds()));
                let of = Arc::clone(&durations);
                let op = move |labels: &Labels, amount| durations.observe(dynamic(labels), amount);
                picked(op, move || observed(&of)).boxed()
            }
            What::HistogramBound => {
                let durations = Arc::new(Durations::<TypedSet>::dense_with_metadata(bounds()));
                let of = Arc::clone(&durations);
                let ids = typed().into_iter().map(|labels| durations.with_labels(labels)).collect();
                let op = move |id: &_, amount| {
                    let metric = durations.get_metric(*id);
                    metric.observe(amount);
                };
                bound(ids, op, move || observed(&of)).boxed()
            }
            What::Gauge => {
                let gauge = Arc::new(Gauge::new());
                let of = Arc::clone(&gauge);
                let op = move || gauge.get_metric().set(7);
                plain(op, move || of.get_metric().count.load(Relaxed) as u64)
                    .expect(Expect::Exactly(7))
                    .boxed()
            }
            What::CounterOff | What::UniqueExact | What::UniqueEstimated => return Offer::No,
        })
    }

    fn registry(&self, kind: Kind, _series: usize, purpose: Purpose) -> Offer<Box<dyn Registry>> {
        if purpose == Purpose::Message {
            return Offer::No;
        }
        Offer::Yes(match kind {
            Kind::Counter => Box::new(Filled {
                metrics: Counters { bench_series: CounterVec::with_label_set(set()) },
                text: Mutex::default(),
            }),
            Kind::Histogram => Box::new(Filled {
                metrics: Histograms { bench_series: Durations::with_label_set_and_metadata(set(), bounds()) },
                text: Mutex::default(),
            }),
        })
    }

    fn unused(&self, instruments: usize) -> Offer<Unused> {
        let (method, route) = (Strings::default(), Strings::default());
        let set = || DynamicSet {
            method: Arc::clone(&method),
            route: Arc::clone(&route),
            status: StaticLabelSet::new(),
        };
        let kept: Vec<_> = (0..instruments).map(|_| CounterVec::with_label_set(set())).collect();
        Offer::Yes(Unused { kept: Box::new(kept), static_bytes: 0 })
    }
}

fn set() -> DynamicSet {
    DynamicSet { method: Strings::default(), route: Strings::default(), status: StaticLabelSet::new() }
}

fn typed() -> Vec<Typed> {
    let all = Combination::all();
    all.map(|at| Typed { method: METHODS[at.method], route: ROUTES[at.route], outcome: OUTCOMES[at.status] })
        .collect()
}

fn bounds() -> Thresholds<12> {
    Thresholds::with_buckets(BOUNDS)
}

fn dynamic(labels: &Labels) -> Dynamic<'_> {
    Dynamic { method: &labels.method, route: &labels.route, status: Status(labels.status) }
}

fn count<L: LabelGroupSet>(counters: &CounterVec<L>, labels: L::Group<'_>) -> u64 {
    counters.get_metric(counters.with_labels(labels)).count.load(Relaxed)
}

/// The sum of the counts; a histogram can be read through a page only.
fn observed<L: LabelGroupSet>(durations: &Durations<L>) -> u64 {
    let mut text = BufferedTextEncoder::new();
    let name = ::measured::metric::name::MetricName::from_str(SERIES);
    let _ = ::measured::metric::MetricFamilyEncoding::collect_family_into(durations, name, &mut text);
    Total::of_page(&text.finish(), SERIES, true).sum
}

#[derive(MetricGroup)]
#[metric(new())]
struct Counters {
    /// Requests
    #[metric(label_set = set())]
    bench_series: CounterVec<DynamicSet>,
}

#[derive(MetricGroup)]
#[metric(new())]
struct Histograms {
    /// Duration of requests
    #[metric(label_set = set(), metadata = bounds())]
    bench_series: Durations<DynamicSet>,
}

struct Filled<M> {
    metrics: M,
    text: Mutex<BufferedTextEncoder>,
}

trait Record {
    fn record(&self, labels: Dynamic<'_>);
}

impl Record for Counters {
    fn record(&self, labels: Dynamic<'_>) {
        self.bench_series.inc(labels);
    }
}

impl Record for Histograms {
    fn record(&self, labels: Dynamic<'_>) {
        self.bench_series.observe(labels, AMOUNT);
    }
}

impl<M: Record + MetricGroup<BufferedTextEncoder> + Send + Sync> Registry for Filled<M> {
    fn record(&self, labels: &Labels) {
        self.metrics.record(dynamic(labels));
    }

    fn page(&self, read: &mut dyn FnMut(&[u8])) {
        let mut text = self.text.lock().expect("one reader");
        let Ok(()) = self.metrics.collect_group_into(&mut *text);
        read(&text.finish());
    }
}
